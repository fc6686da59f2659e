/* SPDX-License-Identifier: MIT */
/*
 * Modes, owners, times and extended attributes where Landlock holds a command in place of a box: no rule of it says whose
 * may be changed (landlock(7), "Current limitations"). Without a listener only times are, of any file of the user's:
 * filters/owned.profile. The listener has the command's ids, finds the file, asks the kernel for its name, and makes the
 * change itself if that is in a place that was granted for writing. Nothing is continued. Who could move a file into
 * such a place, or give it a name there, may write to it.
 */
#ifndef FILTERS_ATTRIBUTES_H
#define FILTERS_ATTRIBUTES_H

#include "filters/notify.h"

struct standin;

/* What was granted for writing. */
struct attributes_place {
	const char *path; /* without links */
	bool directory;   /* and all below */
};

/* The context of the handlers. The working directory is /proc/self/fd. */
struct attributes {
	const struct attributes_place *places;
	size_t count;
	const struct standin *standin; /* filters/standin.h; NULL: there is none */
};

extern const struct notify_row attributes_rows[];
extern const size_t attributes_row_count;

#endif
