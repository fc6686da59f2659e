/* SPDX-License-Identifier: MIT */
/*
 * No user namespaces without a procfs to forbid them in. The kernel makes none for a process whose root is not
 * the mount namespace's: current_chrooted() of fs/namespace.c. So there is another root over the view, which holds
 * nothing but a copy of the view's mounts, and who changes into that with chroot(2) is such a process for ever.
 */
#include <errno.h>

#include "mountns/linux.h"
#include "mountns/mount.h"
#include "mountns/sys.h"
#include "mountns/view.h"

#define STEP "user namespaces"
#define PLACE "box"

/* Mounts ROOT over all, and in it COPY. Returns 0, or -errno. */
static int hold(struct mounter *mounter, int root, int copy)
{
	int error = mount_attach(mounter, root, AT_FDCWD, "/");

	if (error == 0)
		error = sys_mkdirat(root, PLACE, 0555);
	return error < 0 ? error : mount_attach(mounter, copy, root, PLACE);
}

static int change_root(int root, struct fault *fault)
{
	int error = sys_fchdir(root);

	if (error == 0)
		error = sys_chroot(".");
	return error < 0 ? fault_errno(fault, STEP, "chroot", error) : 0;
}

int mountns_set_apart(struct built *built, struct fault *fault)
{
	static const struct mount_option mode = { "mode", "0555" };
	struct mounter mounter = { .stage = -1, .files = -1 };
	int copy = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	int error = copy, root = -1;

	if (error >= 0)
		error = root = mount_make(&mounter, "tmpfs", &mode, 1,
					  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (error >= 0)
		error = hold(&mounter, root, copy);
	mount_finish(&mounter);
	if (error < 0)
		return fault_errno(fault, STEP, "mount", error);
	sys_close(built->root);
	built->root = copy;
	return change_root(root, fault);
}

int mountns_enter_apart(const struct built *built, struct fault *fault)
{
	return change_root(built->root, fault);
}
