/* SPDX-License-Identifier: MIT */
/*
 * No user namespaces without a procfs to forbid them in. The kernel makes none for a process whose root is not
 * the mount namespace's: current_chrooted() of fs/namespace.c. So there is another root over the view, which holds
 * nothing but a copy of the view's mounts, and who changes into that with chroot(2) is such a process for ever.
 */
#include <errno.h>

#include "mountns/linux.h"
#include "mountns/sys.h"
#include "mountns/view.h"

#define PLACE "box"

/* By mount(2) alone, which needs no names but these. "/" is where the process's root is, "/.." what is mounted on
 * top of that. */
static int cover_view(void)
{
	int error = sys_mount_data("none", "/", "tmpfs",
				   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
				   "mode=0555");

	if (error == 0)
		error = sys_chdir("/..");
	/* Or it would be in the copy, too. */
	if (error == 0)
		error = sys_mount(NULL, ".", NULL, MS_UNBINDABLE);
	if (error == 0)
		error = sys_mkdirat(AT_FDCWD, PLACE, 0555);
	if (error == 0)
		error = sys_mount("/", PLACE, NULL, MS_BIND | MS_REC);
	return error;
}

int mountns_set_apart(struct built *built, struct fault *fault)
{
	int copy = -1, error = cover_view();

	if (error == 0)
		error = copy = sys_openat(AT_FDCWD, PLACE, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (error < 0)
		return fault_errno(fault, "mount", "/", error);
	sys_close(built->root);
	built->root = copy;
	error = sys_chroot(".");
	return error < 0 ? fault_errno(fault, "chroot", "/", error) : 0;
}

int mountns_enter_apart(const struct built *built, struct fault *fault)
{
	int error = sys_fchdir(built->root);

	if (error == 0)
		error = sys_chroot(".");
	return error < 0 ? fault_errno(fault, "chroot", "/", error) : 0;
}
