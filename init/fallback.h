/* SPDX-License-Identifier: MIT */
/*
 * --fallback: where no box can be made at all, the same plan is run without one. What it grants is held by
 * Landlock, what is asked of the kernel by the same filters and one more, and the launcher stays as the
 * reaper of all that the command leaves.
 */
#ifndef NESTBOX_INIT_FALLBACK_H
#define NESTBOX_INIT_FALLBACK_H

#include "init/box.h"

/* Lets walls be missing of which nothing else was said, and refuses what only a box could do. Returns 0, or -1
 * with the fault. */
int fallback_check(struct plan *plan, struct fault *fault);

/* Whether FAULT is of a kind that a box cannot be made here. */
bool fallback_applies(const struct plan *plan, const struct fault *fault);

/* Runs the plan of the box that was TRIED, of which no process is left and no store, and whose command has never run.
 * Returns the exit status. */
int fallback_run(const struct box *tried, const struct fault *cause);

/* Fills in what was found and made for the box that was TRIED. Returns 0, or -1 with the fault. */
int fallback_take(struct box *box, const struct box *tried, struct fault *fault);

#endif
