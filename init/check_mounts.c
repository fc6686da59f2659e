/* SPDX-License-Identifier: MIT */
/* Probes that mount, in a mount namespace that ends with them. */
#include <errno.h>
#include <string.h>

#include "init/check.h"
#include "mountns/sys.h"

/* A tmpfs over "/", which from there is "/..": no name on the host is needed. It is the working directory
 * then, with the directories a to d. */
static int make_stage(struct finding *finding)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	int error = sys_mount_data("nestbox", "/", "tmpfs", 0, "mode=0700");

	if (probe_note(finding, "mount tmpfs", __NR_mount, 0, error) != 0 ||
	    probe_note(finding, "chdir", -1, 0, sys_chdir("/..")) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (probe_note(finding, "mkdir", -1, 0, sys_mkdirat(AT_FDCWD, names[i], 0700)) != 0)
			return -1;
	return 0;
}

/* For probes that are about something else. */
static int take_stage(struct finding *finding)
{
	if (make_stage(finding) == 0)
		return 0;
	*finding = (struct finding){ .call = -1, .needs = "tmpfs" };
	return -1;
}

int probe_tmpfs(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	return make_stage(finding);
}

/* Recursive: parts of what another user namespace has mounted are not to be had alone. */
int probe_bind(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	if (take_stage(finding) != 0)
		return -1;
	return probe_note(finding, "mount", __NR_mount, 0,
			  sys_mount("/", "a", NULL, MS_BIND | MS_REC));
}

/* Flags that are locked must stay: mount_namespaces(7). */
int probe_remount(const struct probe *probe, struct finding *finding)
{
	int fd;

	if (probe_bind(probe, finding) != 0) {
		*finding = (struct finding){ .call = -1, .needs = "bind" };
		return -1;
	}
	fd = sys_openat(AT_FDCWD, "a", O_PATH | O_CLOEXEC, 0);
	return probe_note(finding, "mount", __NR_mount, 0,
			  sys_mount(NULL, "a", NULL,
				    MS_REMOUNT | MS_BIND | MOUNT_ATTR_RDONLY |
					    ((unsigned long)sys_mount_flags(fd) & 0xf)));
}

static int make_new(struct finding *finding)
{
	int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (probe_note(finding, "fsopen", __NR_fsopen, 0, fs) != 0 ||
	    probe_note(finding, "fsconfig", __NR_fsconfig, 0,
		       sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL)) != 0)
		return -1;
	return probe_note(finding, "fsmount", __NR_fsmount, 0, sys_fsmount(fs, FSMOUNT_CLOEXEC, 0));
}

/* The calls on descriptors, up to the one that PROBE's type names. */
int probe_tree(const struct probe *probe, struct finding *finding)
{
	const struct kernel_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int tree;

	if (strcmp(probe->type, "fsopen") == 0)
		return make_new(finding);
	if (take_stage(finding) != 0)
		return -1;
	tree = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (strcmp(probe->type, "open_tree") == 0)
		return probe_note(finding, "open_tree", __NR_open_tree, 0, tree);
	if (tree < 0) {
		finding->needs = "open_tree";
		return -1;
	}
	if (strcmp(probe->type, "mount_setattr") == 0)
		return probe_note(finding, "mount_setattr", __NR_mount_setattr, 0,
				  sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr));
	return probe_note(finding, "move_mount", __NR_move_mount, 0,
			  sys_move_mount(tree, "", AT_FDCWD, "a", MOVE_MOUNT_F_EMPTY_PATH));
}

int probe_pivot(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	if (take_stage(finding) != 0 ||
	    probe_note(finding, "pivot_root", __NR_pivot_root, 0, sys_pivot_root(".", ".")) != 0)
		return -1;
	return probe_note(finding, "umount2", __NR_umount2, 0, sys_umount2(".", MNT_DETACH));
}

int probe_chroot(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	if (take_stage(finding) != 0)
		return -1;
	return probe_note(finding, "chroot", __NR_chroot, 0, sys_chroot("."));
}

int probe_file_system(const struct probe *probe, struct finding *finding)
{
	const char *subset = strstr(probe->name, "subset=");

	if (take_stage(finding) != 0)
		return -1;
	return probe_note(finding, "mount", __NR_mount, 0,
			  sys_mount_data("nestbox", "a", probe->type, 0, subset));
}

/* Linux 5.11 lets it be mounted in a user namespace. */
int probe_overlay(const struct probe *probe, struct finding *finding)
{
	if (take_stage(finding) != 0)
		return -1;
	return probe_note(finding, "mount", __NR_mount, 0,
			  sys_mount_data("nestbox", "d", probe->type, 0,
					 "lowerdir=a,upperdir=b,workdir=c,userxattr"));
}
