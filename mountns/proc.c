/* SPDX-License-Identifier: MIT */
/* The box's own /proc. */
#include <errno.h>
#include <unistd.h>

#include "mountns/build.h"
#include "mountns/sys.h"

/*
 * Files of procfs are the host root's, and many are guarded by their mode alone. When the caller is
 * the host's root its uid is that of the workload too, capabilities or not, so these are made
 * read-only for it. The list is the one of the OCI runtimes, and what else root may write; among that
 * PID 1, whose oom_score_adj is also the launcher's, with which it shares memory.
 */
static const char *const read_only[] = { "sysrq-trigger", "irq",  "bus",    "fs",
					 "acpi",          "scsi", "asound", "driver" };

/* Readable by root alone, and about the whole machine: root in a box is not root. The keys are those that the
 * reader's id may see, and root's are the machine's. */
static const char *const masked[] = { "kpagecount",   "kpageflags", "kpagecgroup", "slabinfo",
				      "pagetypeinfo", "timer_list", "vmallocinfo", "sched_debug",
				      "keys",         "key-users" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROC_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* A procfs that is attached. */
struct proc {
	struct builder *builder;
	struct mounter *mounter;
	int mount;
	bool whole; /* the host's, with what is mounted below it */
};

/* Puts TREE, which has its flags already, over NAME, and closes it. A file that this kernel lacks needs no
 * cover. */
static int cover(const struct proc *proc, int tree, const char *name)
{
	int error = tree < 0 ? tree : mount_attach(proc->mounter, tree, proc->mount, name);

	if (tree >= 0)
		sys_close(tree);
	return error == -ENOENT ? 0 : error;
}

static int guard(const struct proc *proc, const char *name)
{
	unsigned int flags = AT_SYMLINK_NOFOLLOW | (proc->whole ? AT_RECURSIVE : 0);

	return cover(proc,
		     mount_clone(proc->mounter, proc->mount, name, flags,
				 proc->whole ? MOUNT_ATTR_RDONLY : 0),
		     name);
}

/* Clones of a read-only mount are read-only from the start, so our own /proc is one for a moment.
 * The sysctls of the box's own namespaces belong to every caller: these are covered always. */
static int guard_writable(const struct proc *proc, bool host_root)
{
	int error = 0;

	if (!proc->whole)
		error = mount_change(proc->mounter, proc->mount, MOUNT_ATTR_RDONLY, 0);
	if (error == 0)
		error = guard(proc, "sys");
	for (size_t i = 0; i < COUNT(read_only) && host_root && error == 0; i++)
		error = guard(proc, read_only[i]);
	if (error == 0 && host_root && !proc->builder->view->own_init)
		error = guard(proc, "1");
	if (error < 0 || proc->whole)
		return error;
	return mount_change(proc->mounter, proc->mount, 0, MOUNT_ATTR_RDONLY);
}

/* bubblewrap covers what it could write to itself. Whoever cannot, and no cover is in the way of the fresh
 * procfs of a box in the box: mount_too_revealing() of the kernel's fs/namespace.c. */
static int guard_bare(const struct proc *proc)
{
	static const char *const names[] = { "sys", "sysrq-trigger", "irq", "bus" };
	int error = 0;

	for (size_t i = 0; i < COUNT(names) && error == 0; i++) {
		unsigned int flags = AT_SYMLINK_NOFOLLOW | (proc->whole ? AT_RECURSIVE : 0);
		int tree, may = sys_faccessat(proc->mount, names[i], W_OK);

		if (may == -EACCES || may == -EROFS || may == -ENOENT)
			continue;
		/* Not to know is not to be safe: it is covered then, too. */
		tree = mount_clone(proc->mounter, proc->mount, names[i], flags, MOUNT_ATTR_RDONLY);
		error = cover(proc, tree, names[i]);
	}
	return error;
}

/* With nodev, a device is a file that nobody can open. The first mask is made, the others are clones of
 * it. Returns 0, or -1 with the fault. */
static int guard_secret(const struct proc *proc, const char *dest)
{
	int first = dev_clone_null(proc->builder, MOUNT_ATTR_RDONLY | PROC_ATTRIBUTES);
	bool attached = false;
	int error = 0;

	if (first < 0)
		return -1;
	for (size_t i = 0; i < COUNT(masked) && error == 0; i++) {
		if (attached) {
			error = cover(proc, mount_clone(proc->mounter, first, "", AT_EMPTY_PATH, 0),
				      masked[i]);
			continue;
		}
		error = mount_attach(proc->mounter, first, proc->mount, masked[i]);
		attached = error == 0;
		if (error == -ENOENT)
			error = 0;
	}
	sys_close(first);
	return error < 0 ? fault_errno(proc->builder->fault, "proc", dest, error) : 0;
}

/* Makes a procfs that is attached nowhere yet: the box's own, or a copy of the HOST's. Returns a mount, or
 * -errno. */
static int make_mount(struct builder *builder, bool host)
{
	return host ? mount_clone(&builder->mounter, AT_FDCWD, "/proc",
				  AT_RECURSIVE | AT_SYMLINK_NOFOLLOW, PROC_ATTRIBUTES)
		    : mount_make(&builder->mounter, "proc", NULL, 0, PROC_ATTRIBUTES);
}

/* Takes MOUNT, which may be an error, for the view's procfs. Returns 0, or -1 with the fault. */
static int keep(struct builder *builder, const char *dest, int mount, bool host)
{
	int sys = -1;

	/* What we have made need not be looked at. */
	if (mount >= 0 && (!host || sys_filesystem_type(mount) == PROC_MAGIC))
		sys = sys_openat(mount, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (mount < 0 || sys < 0) {
		if (mount >= 0)
			sys_close(mount);
		return fault_errno(builder->fault, "proc", dest, mount < 0 ? mount : -ENOTDIR);
	}
	if (builder->built.proc >= 0) {
		sys_close(builder->built.proc);
		sys_close(builder->built.sys);
	}
	builder->built.proc = mount;
	builder->built.sys = sys;
	return 0;
}

static int make(struct builder *builder, const char *dest)
{
	bool host = builder->view->host_proc;

	return keep(builder, dest, make_mount(builder, host), host);
}

/* A fresh one is refused where parts of the outer one are covered, as in most containers. Nobody sees this
 * one, and who takes the outer one uses "self" alone, which is the same there. */
int proc_hidden(struct builder *builder)
{
	bool host = builder->view->host_proc;
	int mount = make_mount(builder, host);

	if (mount == -EPERM && !host && builder->view->borrows_proc) {
		builder->built.borrowed = host = true;
		mount = make_mount(builder, host);
	}
	return keep(builder, "/proc", mount, host);
}

/* The host root's files belong to nobody here, unless that root is the caller. */
static int guard_all(struct builder *builder, const char *dest)
{
	const struct proc proc = {
		.builder = builder,
		.mounter = &builder->mounter,
		.mount = builder->built.proc,
		.whole = builder->view->host_proc,
	};
	struct kernel_statx stat;
	int error = sys_statx(builder->built.sys, "", AT_EMPTY_PATH, &stat);
	bool host_root = error < 0 || stat.uid == 0;

	/* What a user namespace below can make anew must not be covered here: mount_too_revealing() of the
	 * kernel's fs/namespace.c. All that another user than the host's root can write are sysctls of
	 * the box's own namespaces. */
	if (builder->view->nests && (!host_root || builder->view->strangers) && error == 0)
		return 0;
	if (error == 0)
		error = builder->view->bare ? guard_bare(&proc) : guard_writable(&proc, host_root);
	if (error < 0)
		return fault_errno(builder->fault, "proc", dest, error);
	return host_root && !builder->view->bare ? guard_secret(&proc, dest) : 0;
}

/* Whatever may be written there, the mounts and modes of guard_all() say; a watcher hears of one mount. */
static int tell(const struct builder *builder)
{
	const struct view_watcher *watcher = &builder->view->watcher;

	return watcher->placed == NULL ? 0
				       : watcher->placed(watcher->context, builder->built.proc,
							 GRANT_READ | GRANT_WRITE, true);
}

int step_proc(struct builder *builder, const struct mount_step *step)
{
	struct wanted wanted = build_wanted(step, true, 0755);
	struct target target;
	int error;

	/* What is written to /proc must not land somewhere else. */
	wanted.links = LINKS_ON_THE_WAY;
	if (place_open(builder, &wanted, &target) != 0 || make(builder, step->dest) != 0)
		return -1;
	error = tell(builder);
	if (error == 0)
		error = build_attach_kept(builder, builder->built.proc, &target);
	if (error < 0)
		return fault_errno(builder->fault, "proc", step->dest, error);
	return guard_all(builder, step->dest);
}
