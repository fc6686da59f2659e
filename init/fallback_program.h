/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_INIT_FALLBACK_PROGRAM_H
#define NESTBOX_INIT_FALLBACK_PROGRAM_H

#include "init/plan.h"
#include "mountns/cow.h"

/* The command's first program, which nobody is there to find in the tree yet: where it lies in the lower directory of
 * COW, or is found there by PATH, the plan's command becomes its name in the tree. Returns 0, or -1 with the fault. */
int fallback_find_program(struct plan *plan, const struct cow_store *cow, struct fault *fault);

#endif
