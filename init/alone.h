/* SPDX-License-Identifier: MIT */
/* An init without a box: one process beside the command. */
#ifndef NESTBOX_INIT_ALONE_H
#define NESTBOX_INIT_ALONE_H

#include "init/plan.h"

/* init_run() for a plan with init_only. */
int alone_run(const struct plan *plan);

#endif
