/* SPDX-License-Identifier: MIT */
/* The walls that are built on request, and where others do not stand. */
#ifndef NESTBOX_INIT_HARDENING_H
#define NESTBOX_INIT_HARDENING_H

#include "init/box.h"

/* Whether this kernel has what the plan asks for, before anything is started. What may be missing is left
 * out. Returns 0, or -1 with the fault. */
int hardening_check(struct box *box, struct fault *fault);

/* Whether the workload leaves the caller's session keyring. */
bool hardening_wants_keyring(const struct box *box);

/* Builds them, in the workload's child, before its filters. Returns 0, or -1 with the fault. */
int hardening_apply(const struct box *box, struct fault *fault);

#endif
