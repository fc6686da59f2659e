/* SPDX-License-Identifier: MIT */
/* The parts of a commit. Each returns 0, or -1 with the fault. */
#ifndef NESTBOX_MOUNTNS_COW_COMMIT_H
#define NESTBOX_MOUNTNS_COW_COMMIT_H

#include "mountns/cow_tour.h"

/* Is anything a conflict? Then it is a fault, and CONFLICTS are those. */
int cow_conflicts(struct cow_store *store, struct cow_changes *conflicts, struct fault *fault);

/* Copies the changes into the lower directory, as store->staged, if they are on another file system: rename(2)
 * then works. What an interrupted run has left there goes. */
int cow_stage(struct cow_store *store, struct fault *fault);

/* Copies the changes as upper/ into the directory TO, which is PATH in a fault. */
int cow_copy_changes(struct cow_store *store, int to, const char *path, struct fault *fault);

#endif
