/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_INIT_EXPLAIN_H
#define NESTBOX_INIT_EXPLAIN_H

#include "init/box.h"

/* Prints what would be done to stdout, as a tree. Returns the exit status. */
int explain(const struct box *box);

#endif
