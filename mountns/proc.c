/* SPDX-License-Identifier: MIT */
/* The box's own /proc. */
#include <errno.h>

#include "mountns/build.h"
#include "mountns/sys.h"

/*
 * Files of procfs are the host root's, and many sysctls are guarded by their mode alone. When the
 * caller is the host's root its uid is that of the workload too, capabilities or not, so these are
 * made read-only for it. The list is the one of the OCI runtimes, and what else root may write.
 */
static const char *const read_only[] = { "sys", "sysrq-trigger", "irq", "bus",	"fs",
					 "acpi", "scsi",	  "asound", "driver", "mtrr" };

/* Readable by root alone, and about the whole machine: root in a box is not root. */
static const char *const masked[] = { "kcore",	    "kpagecount", "kpageflags",	 "kpagecgroup",
				      "slabinfo",   "timer_list", "vmallocinfo", "pagetypeinfo",
				      "sched_debug" };

static int cover(int proc, int tree, const char *name, unsigned int flags)
{
	struct kernel_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	int error = sys_mount_setattr(tree, "", AT_EMPTY_PATH | flags, &attr);

	if (error == 0)
		error = sys_move_mount(tree, "", proc, name, MOVE_MOUNT_F_EMPTY_PATH);
	sys_close(tree);
	return error;
}

static int guard(struct builder *builder, int proc)
{
	const unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	int error = 0;

	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]) && error == 0; i++) {
		int tree = sys_open_tree(proc, read_only[i], flags | AT_RECURSIVE);

		if (tree != -ENOENT)
			error = tree < 0 ? tree : cover(proc, tree, read_only[i], AT_RECURSIVE);
	}
	/* With nodev, a device is a file that nobody can open. */
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]) && error == 0; i++) {
		struct kernel_statx stat;
		int tree;

		if (sys_statx(proc, masked[i], AT_SYMLINK_NOFOLLOW, &stat) < 0)
			continue;
		tree = sys_open_tree(AT_FDCWD, "/dev/null", flags);
		error = tree < 0 ? tree : cover(proc, tree, masked[i], 0);
	}
	return error < 0 ? fault_errno(builder->fault, "proc", "/proc", error) : 0;
}

static int mount_proc(struct builder *builder, const char *dest)
{
	int mount = build_filesystem("proc", NULL, NULL,
				     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	return mount < 0 ? fault_errno(builder->fault, "proc", dest, mount) : mount;
}

int build_hidden_proc(struct builder *builder, int *proc)
{
	*proc = mount_proc(builder, "/proc");
	return *proc < 0 ? -1 : 0;
}

int build_proc(struct builder *builder, const char *dest)
{
	struct kernel_statx stat;
	int error, mount = mount_proc(builder, dest);

	if (mount < 0 || build_attach(builder, mount, dest, true) != 0)
		return -1;
	if (builder->proc >= 0)
		sys_close(builder->proc);
	builder->proc = mount;
	error = sys_statx(mount, "sys", AT_SYMLINK_NOFOLLOW, &stat);
	/* The host root's files belong to nobody here, unless that root is the caller. */
	if (error == 0 && stat.uid != 0)
		return 0;
	/* PID 1 and the workload's child still have something to write in the unguarded one. */
	if (error == 0)
		error = sys_open_tree(mount, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (error < 0)
		return fault_errno(builder->fault, "proc", dest, error);
	builder->proc = error;
	error = guard(builder, mount);
	sys_close(mount);
	return error;
}
