/* SPDX-License-Identifier: MIT */
/* What Landlock is told of a plan that has no box: each grant at its own place on the host. */
#ifndef NESTBOX_INIT_FALLBACK_GRANTS_H
#define NESTBOX_INIT_FALLBACK_GRANTS_H

#include "init/plan.h"

/*
 * Makes PLAN's grants of those that it has and of its binds, and notes the directories that are listed alone. COW is
 * where the command finds the directory of --cow, NULL: there is none. Nothing leads to that directory then, nor to the
 * store but for its tree. Heap, until the end of the process. Returns 0, or -1 with the fault.
 */
int fallback_collect(struct plan *plan, const struct cow_store *cow, struct fault *fault);

/* With what was opened for them: that nothing has come to lead there meanwhile. Returns 0, or -1 with the fault. */
int fallback_check_sources(const struct view *view, const struct cow_store *cow,
			   struct fault *fault);

/* Whether PLACE is what PATH grants, or below it. A relative one may be anywhere. */
bool fallback_is_granted_by(const char *place, const char *path);

/* A line of what is not held. DETAIL may be NULL. */
void fallback_warn(const struct plan *plan, const char *object, const char *reason,
		   const char *detail);

#endif
