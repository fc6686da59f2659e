/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_INIT_CLONE_H
#define NESTBOX_INIT_CLONE_H

/* Starts MAIN(ARGUMENT) on a stack that ends at STACK, with the flags of clone(2); with CLONE_PIDFD
 * *PIDFD is set. The old call, since container profiles answer clone3 with ENOSYS. Returns the
 * child's pid, or -errno. */
int clone_child(int (*main)(void *argument), void *argument, char *stack, unsigned long flags,
		int *pidfd);

/* In a user namespace of its own: root there becomes UID and GID outside. Returns 0, or -errno. */
int clone_map_root(unsigned int uid, unsigned int gid);

/* Maps COUNT stacks, each above a guard page, and puts their upper ends in STACKS. Returns 0, or
 * -errno. */
int clone_map_stacks(char **stacks, unsigned int count);

/* Gives them back, once nobody runs on them any more. */
void clone_unmap_stacks(char *const *stacks, unsigned int count);

#endif
