/* SPDX-License-Identifier: MIT */
/* An init without a box: one process beside the command. */
#ifndef NESTBOX_INIT_ALONE_H
#define NESTBOX_INIT_ALONE_H

#include "init/plan.h"

struct box;

/* init_run() for a plan with init_only. TRIED is the box in whose place it is, NULL: it is in none's. Its store becomes
 * this one's. */
int alone_run(const struct plan *plan, struct box *tried);

#endif
