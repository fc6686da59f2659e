/* SPDX-License-Identifier: MIT */
/* Writing the id maps of the box's user namespaces: user_namespaces(7). Raw system calls. */
#ifndef NESTBOX_INIT_MAPPER_H
#define NESTBOX_INIT_MAPPER_H

#include "init/box.h"

/* PID 1's part: writes the maps of its own user namespace, or waits until they are written. Needs the
 * caller's procfs. Returns 0, or -1 with the fault. */
int mapper_map_own(const struct box *box, struct fault *fault);

/* How long the launcher waits for others. */
struct patience {
	int parent;        /* readable when it is to end; -1: none */
	uint64_t deadline; /* on CLOCK_MONOTONIC, 0: none */
};

/*
 * The launcher's: writes the maps of PID 1, which procfs calls PID; where it may not, newuidmap(1) and
 * newgidmap(1) do. Needs signals to be blocked, of which one that ends programs ends the wait. Returns 0, 1 when
 * the time is over, or -1 with the fault.
 */
int mapper_map_child(const struct box *box, int pid, const struct patience *patience,
		     struct fault *fault);

/* Makes the workload's user namespace, whose maps only its parent may write, from PID 1's. PROC is the
 * box's procfs. Returns a descriptor of it, or -1 with the fault. */
int mapper_nest(const struct box *box, int proc, struct fault *fault);

#endif
