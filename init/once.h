/* SPDX-License-Identifier: MIT */
/*
 * One exec and no more: filters/once.profile. The workload's own exec comes after its filters, and no
 * argument tells it from those that the workload tries later: whatever a filter could compare,
 * the workload can pass as well. So the kernel asks about every exec, and a process that lasts
 * only until the first one has succeeded says yes. Later ones find nobody to ask: ENOSYS.
 */
#ifndef NESTBOX_INIT_ONCE_H
#define NESTBOX_INIT_ONCE_H

#include "init/box.h"

/* What the process needs, in memory that stays when the caller has exec'd. */
struct once {
	int listener;
	int pipe[2];
	char stack[16384] __attribute__((aligned(16)));
};

/* Starts that process, for the filter whose LISTENER the caller has. Raw system calls. Returns 0, or
 * -errno. */
int once_begin(const struct box *box, int listener);

#endif
