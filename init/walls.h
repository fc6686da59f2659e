/* SPDX-License-Identifier: MIT */
/*
 * The walls around the command, and what becomes of one that cannot be built: --on-missing. By default the
 * start fails; never is one left out without a word unless the caller has said just that.
 */
#ifndef NESTBOX_INIT_WALLS_H
#define NESTBOX_INIT_WALLS_H

#include "init/box.h"

struct wall_kind {
	const char *name;
	unsigned int flag;  /* a namespace's, CLONE_NEW… of clone(2); else 0 */
	const char *needed; /* why no box can stand without it; NULL: it can */
};

extern const struct wall_kind walls[WALLS];

/*
 * What PID 1 and the workload's child call when WALL cannot stand, for the reason in FAULT. Returns -1 where
 * that is an error, which FAULT tells then; else 0, and the launcher hears of it. Raw system calls.
 */
int wall_missing(const struct box *box, enum wall wall, const struct fault *fault);

/* The same in the launcher, while it prepares and where it hears of it: prints the warning, and keeps in BOX
 * what is missing. */
int walls_leave_out(struct box *box, enum wall wall, const struct fault *fault);

/* Leaves out what the child of an init without a box has noted in FAULTS, one for each wall. */
void walls_leave_out_noted(struct box *box, const struct fault faults[WALLS]);

static inline bool wall_is_missing(const struct box *box, enum wall wall)
{
	return (box->missing >> wall & 1) != 0;
}

/* Whether a start goes on without WALL. */
static inline bool wall_is_optional(const struct plan *plan, enum wall wall)
{
	return plan->on_missing[wall] != MISSING_IS_ERROR;
}

#endif
