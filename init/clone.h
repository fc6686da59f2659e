/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_INIT_CLONE_H
#define NESTBOX_INIT_CLONE_H

/* Starts MAIN(ARGUMENT) on a stack that ends at STACK, with the flags of clone(2); with CLONE_PIDFD
 * *PIDFD is set. The old call, since container profiles answer clone3 with ENOSYS. Returns the
 * child's pid, or -errno. */
int clone_child(int (*main)(void *argument), void *argument, char *stack, unsigned long flags,
		int *pidfd);

#endif
