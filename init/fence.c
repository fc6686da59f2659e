/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>

#include "init/clone.h"
#include "init/fence.h"
#include "init/walls.h"
#include "mountns/sys.h"

static int end_at_once(void *argument)
{
	(void)argument;
	sys_exit_group(0);
}

/* A child from before, dead or not, that is not inside. Returns its pid, or -errno. */
static int start_outsider(void)
{
	char *stack;
	int pid, error = clone_map_stacks(&stack, 1);

	if (error < 0)
		return error;
	pid = clone_child(end_at_once, NULL, stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	clone_unmap_stacks(&stack, 1);
	return pid;
}

/* Moving files between directories is denied by every ruleset that does not allow it: landlock(7). */
static int allow_moving(const struct landlock *landlock)
{
	int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	int error = root < 0 ? root : landlock_allow_mount(landlock, root, GRANT_WRITE, true);

	if (root >= 0)
		sys_close(root);
	return error;
}

int fence_enter(const struct box *box)
{
	const uint64_t moving = landlock_known(LANDLOCK_ABI_REFER).files &
				~landlock_known(LANDLOCK_ABI_REFER - 1).files;
	struct landlock landlock = { .abi = box->landlock.abi,
				     .handled = { .files = moving,
						  .scopes = box->landlock.handled.scopes } };
	int error = landlock_create(&landlock);

	if (error < 0)
		return error;
	error = allow_moving(&landlock);
	if (error == 0)
		error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	if (error == 0)
		error = landlock_restrict(&landlock);
	sys_close(landlock.ruleset);
	return error;
}

/* A filter around us may have said yes in the kernel's place, so the outsider is asked: nothing else would
 * keep us from signalling our own child. */
bool fence_raise(const struct box *box)
{
	bool stands;
	int outsider;

	if (box->landlock.handled.scopes == 0 || !box_denies_new_privileges(box))
		return false;
	outsider = start_outsider();
	if (outsider < 0)
		return false;
	stands = fence_enter(box) == 0 && sys_kill(outsider, 0) == -EPERM;
	sys_wait4(outsider, NULL, 0);
	return stands;
}
