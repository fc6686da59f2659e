/* SPDX-License-Identifier: MIT */
/* Which descriptors a process keeps. Raw system calls: close_range(2). */
#ifndef NESTBOX_INIT_DESCRIPTORS_H
#define NESTBOX_INIT_DESCRIPTORS_H

#include <stddef.h>

#include "init/plan.h"

/* Sorts the COUNT numbers in FDS. */
void descriptors_sort(int *fds, size_t count);

/* Closes all from FIRST on but the COUNT ones in FDS, which is sorted and may hold -1 and numbers
 * below FIRST. Returns 0, or -errno. */
int descriptors_close_but(unsigned int first, const int *fds, size_t count);

/*
 * Gives each of the COUNT maps' NEW what its OLD is, all at once: descriptors may change places. Each NEW is
 * there once, and is left open across an exec. Besides these one more number is needed. Uses MAPS up.
 * Returns 0, or -errno.
 */
int descriptors_place(struct fd_map *maps, size_t count);

/* Closes all that an exec would close, but KEPT. PROC is a procfs that knows this process. An exec
 * closes them only after it has followed the path of an interpreter, which may lead through
 * /proc/self/fd. Returns 0, or -errno. */
int descriptors_close_marked(int proc, int kept);

#endif
