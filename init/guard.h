/* SPDX-License-Identifier: MIT */
/*
 * The process above the init of a command without a box (--fallback). It answers the calls for which no rule of Landlock
 * and no filter can tell the files apart (filters/attributes.h). It is the one that the caller has started, and
 * the init its child, since some kernels let nobody but an ancestor look into a process: Yama, prctl(2)
 * PR_SET_PTRACER. It passes signals down, and the exit status up.
 */
#ifndef NESTBOX_INIT_GUARD_H
#define NESTBOX_INIT_GUARD_H

#include "init/box.h"

/* Whether one can answer for BOX. Sets box->guarded. */
void guard_choose(struct box *box);

/* Forks if BOX is guarded. Returns in the init alone: 0, or -1 with the fault, where nothing was forked. */
int guard_start(struct box *box, struct fault *fault);

/* In that init, when the command has been started: it sends nothing any more. */
void guard_leave_alone(const struct box *box);

/* When all that had the filter are dead: until nothing more is done to the tree. Returns whether that is so. */
bool guard_await(const struct box *box);

#endif
