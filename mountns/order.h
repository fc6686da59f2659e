/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_MOUNTNS_ORDER_H
#define NESTBOX_MOUNTNS_ORDER_H

#include "mountns/view.h"

#define ORDER_DEFAULTS 3 /* steps that nobody asked for; the view has room for them */

/* Merges and sorts VIEW's sources, and puts the defaults and the sources between the steps where they belong:
 * see mountns_prepare(). Returns 0, or -1 with the fault. */
int order_view(struct view *view, struct fault *fault);

bool order_is_overlay(enum step_kind kind);

#endif
