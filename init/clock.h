/* SPDX-License-Identifier: MIT */
/* Deadlines: CLOCK_MONOTONIC in nanoseconds, 0 for none. */
#ifndef NESTBOX_INIT_CLOCK_H
#define NESTBOX_INIT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "mountns/linux.h"

static inline uint64_t clock_now(void)
{
	struct timespec time = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000ULL + (uint64_t)time.tv_nsec;
}

/* What is left until DEADLINE. Returns false when it is over. */
static inline bool clock_rest(uint64_t deadline, struct kernel_timespec *rest)
{
	uint64_t now = clock_now();

	if (now >= deadline)
		return false;
	rest->tv_sec = (long)((deadline - now) / 1000000000ULL);
	rest->tv_nsec = (long)((deadline - now) % 1000000000ULL);
	return true;
}

#endif
