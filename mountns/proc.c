/* SPDX-License-Identifier: MIT */
/* The box's own /proc. */
#include <errno.h>

#include "mountns/build.h"
#include "mountns/sys.h"

/*
 * Files of procfs are the host root's, and many are guarded by their mode alone. When the caller is
 * the host's root its uid is that of the workload too, capabilities or not, so these are made
 * read-only for it. The list is the one of the OCI runtimes, and what else root may write; among that
 * PID 1, whose oom_score_adj is also the launcher's, with which it shares memory.
 */
static const char *const read_only[] = { "sysrq-trigger", "irq",    "bus",    "fs", "acpi",
					 "scsi",          "asound", "driver", "1" };

/* Readable by root alone, and about the whole machine: root in a box is not root. */
static const char *const masked[] = { "kpagecount",   "kpageflags", "kpagecgroup", "slabinfo",
				      "pagetypeinfo", "timer_list", "vmallocinfo", "sched_debug" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CLONE_FLAGS (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)

/* Puts TREE, which has its flags already, over NAME. A file that this kernel lacks needs no cover. */
static int cover(int proc, int tree, const char *name)
{
	int error = tree < 0 ? tree : sys_move_mount(tree, "", proc, name, MOVE_MOUNT_F_EMPTY_PATH);

	if (tree >= 0)
		sys_close(tree);
	return error == -ENOENT ? 0 : error;
}

/* Clones of a read-only mount are read-only from the start, so /proc itself is one for a moment.
 * The sysctls of the box's own namespaces belong to every caller: these are covered always. */
static int guard_writable(int proc, bool host_root)
{
	struct kernel_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int error = sys_mount_setattr(proc, "", AT_EMPTY_PATH, &attr);

	if (error == 0)
		error = cover(proc, sys_open_tree(proc, "sys", CLONE_FLAGS), "sys");
	for (size_t i = 0; i < COUNT(read_only) && host_root && error == 0; i++)
		error = cover(proc, sys_open_tree(proc, read_only[i], CLONE_FLAGS), read_only[i]);
	if (error < 0)
		return error;
	attr = (struct kernel_mount_attr){ .attr_clr = MOUNT_ATTR_RDONLY };
	return sys_mount_setattr(proc, "", AT_EMPTY_PATH, &attr);
}

/* With nodev, a device is a file that nobody can open. */
static int clone_mask(void)
{
	const struct kernel_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
							    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	int mask = sys_open_tree(AT_FDCWD, "/dev/null", CLONE_FLAGS);
	int error = mask < 0 ? mask : sys_mount_setattr(mask, "", AT_EMPTY_PATH, &attr);

	if (error == 0)
		return mask;
	if (mask >= 0)
		sys_close(mask);
	return error;
}

/* The first mask is made, the others are clones of it. */
static int guard_secret(int proc)
{
	int first = clone_mask();
	int error = first < 0 ? first : 0;
	bool attached = false;

	for (size_t i = 0; i < COUNT(masked) && error == 0; i++) {
		if (attached) {
			error = cover(proc, sys_open_tree(first, "", CLONE_FLAGS | AT_EMPTY_PATH),
				      masked[i]);
			continue;
		}
		error = sys_move_mount(first, "", proc, masked[i], MOVE_MOUNT_F_EMPTY_PATH);
		attached = error == 0;
		if (error == -ENOENT)
			error = 0;
	}
	if (first >= 0)
		sys_close(first);
	return error;
}

static int mount_proc(struct builder *builder, const char *dest)
{
	int sys = -1,
	    mount = build_filesystem("proc", NULL, NULL,
				     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	if (mount >= 0)
		sys = sys_openat(mount, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (mount < 0 || sys < 0)
		return fault_errno(builder->fault, "proc", dest, mount < 0 ? mount : sys);
	if (builder->built.proc >= 0) {
		sys_close(builder->built.proc);
		sys_close(builder->built.sys);
	}
	builder->built.proc = mount;
	builder->built.sys = sys;
	return 0;
}

int build_hidden_proc(struct builder *builder)
{
	return mount_proc(builder, "/proc");
}

int build_proc(struct builder *builder, const char *dest)
{
	struct kernel_statx stat;
	bool host_root;
	int error;

	if (mount_proc(builder, dest) != 0 ||
	    build_attach(builder, builder->built.proc, dest, true) != 0)
		return -1;
	error = sys_statx(builder->built.sys, "", AT_EMPTY_PATH, &stat);
	/* The host root's files belong to nobody here, unless that root is the caller. */
	host_root = error < 0 || stat.uid == 0;
	if (error == 0)
		error = guard_writable(builder->built.proc, host_root);
	if (error == 0 && host_root)
		error = guard_secret(builder->built.proc);
	return error < 0 ? fault_errno(builder->fault, "proc", dest, error) : 0;
}
