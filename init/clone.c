/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>

#include "init/clone.h"

int clone_child(int (*main)(void *argument), void *argument, char *stack, unsigned long flags,
		int *pidfd)
{
	/* libc's wrapper, as the child needs its stack switched in assembler. It sets errno, which
	 * only we use, and only here. */
	int pid = clone(main, stack, (int)flags, argument, pidfd);

	return pid < 0 ? -errno : pid;
}
