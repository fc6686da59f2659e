/* SPDX-License-Identifier: MIT */
#include <errno.h>
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

static int enter(const struct box *box)
{
	struct landlock landlock = { .abi = box->landlock.abi,
				     .handled.scopes = box->landlock.handled.scopes };
	int error = landlock_create(&landlock);

	if (error < 0)
		return error;
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
	stands = enter(box) == 0 && sys_kill(outsider, 0) == -EPERM;
	sys_wait4(outsider, NULL, 0);
	return stands;
}
