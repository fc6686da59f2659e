/* SPDX-License-Identifier: MIT */
/* --cow-quota: the file system in memory whose size is the bound. */
#ifndef NESTBOX_INIT_QUOTA_H
#define NESTBOX_INIT_QUOTA_H

#include "mountns/cow.h"

/* Makes it; with RANGES of ids in the box it must be able to have files of all. Returns 0, or -1 with the fault. */
int quota_make(uint64_t size, bool ranges, struct cow_memory *memory, struct fault *fault);

#endif
