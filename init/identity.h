/* SPDX-License-Identifier: MIT */
/* Steps of the workload's child, between clone and exec: see init/workload.c. Each returns 0, or -1 with the
 * fault. */
#ifndef NESTBOX_INIT_IDENTITY_H
#define NESTBOX_INIT_IDENTITY_H

#include "init/box.h"

/* Changes to the workload's user namespace. Needs procfs and the capabilities of the box's root. */
int identity_enter(const struct workload *workload, struct fault *fault);

/* Then to the groups and ids that it has there, if those are not mapped to the ones it has, in this order.
 * Needs the capabilities for that, and leaves the permitted ones to a workload that keeps some. */
int identity_take_groups(const struct box *box, struct fault *fault);
int identity_take_ids(const struct box *box, struct fault *fault);

/* Writes TEXT with one write(2) to the kernel's file PATH below DIR, for STEP. */
int identity_write(int dir, const char *path, const char *text, const char *step,
		   struct fault *fault);

/* Takes all capabilities but those of the plan from the bounding set and locks the securebits, while
 * there is CAP_SETPCAP: before the ids change, in the last user namespace. */
int capabilities_bound(const struct box *box, struct fault *fault);

/* The same of the other four sets. The ids must be final. */
int capabilities_drop(const struct box *box, struct fault *fault);

#endif
