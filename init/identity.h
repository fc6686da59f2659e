/* SPDX-License-Identifier: MIT */
/* Steps of the workload's child, between clone and exec: see init/workload.c. Each returns 0, or -1 with the
 * fault. */
#ifndef NESTBOX_INIT_IDENTITY_H
#define NESTBOX_INIT_IDENTITY_H

#include "init/box.h"

/* Changes to the workload's user namespace and ids. Needs procfs and the capabilities of the box's root. */
int identity_enter(const struct workload *workload, struct fault *fault);

/* Only the ids of the plan, where they are the caller's own. Needs the capabilities for that. */
int identity_take_ids(const struct plan *plan, struct fault *fault);

/* Writes TEXT with one write(2) to the kernel's file PATH below DIR, for STEP. */
int identity_write(int dir, const char *path, const char *text, const char *step,
		   struct fault *fault);

/* Takes all capabilities but those of the plan from all five sets, and locks the securebits. The ids and
 * namespaces must be final. */
int capabilities_drop(const struct box *box, struct fault *fault);

#endif
