/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_MOUNTNS_SOURCE_H
#define NESTBOX_MOUNTNS_SOURCE_H

#include "mountns/view.h"

/*
 * Follows GRANT's path to its end and fills in SOURCE (all but place); links met on the way are
 * added to VIEW. Returns 1, 0 for an optional path that does not exist, or -1 with the fault.
 */
int source_open(struct view *view, const struct grant *grant, struct source *source,
		struct fault *fault);

/* Remembers that PATH is a link that says TEXT, or a directory when TEXT is NULL. Returns 0, or -1
 * without memory. */
int source_remember(struct view *view, const char *path, const char *text);

#endif
