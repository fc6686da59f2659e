/* SPDX-License-Identifier: MIT */
/* The filters of the command: which ones, in which order, and how they are put on. */
#ifndef NESTBOX_INIT_FILTERS_H
#define NESTBOX_INIT_FILTERS_H

#include "init/box.h"

struct box_filter {
	const char *name;
	const struct sock_filter *code;
	unsigned short length; /* instructions */
	unsigned int flags;    /* of seccomp(2) */
	/* Whoever answers what it asks gets its listener; NULL: it asks nothing. Returns 0, or -errno. */
	int (*begin)(const struct box *box, int listener);
};

/* Is FILTER, of --filter, a file, not a name? */
bool filters_is_file(const char *filter);

/* Finds the built-in one that the plan names, or compiles its file, and what that needs. Returns 0, or -1
 * with the fault. */
int filters_choose(struct box *box, struct fault *fault);

/* The filter that is put on in place INDEX, from 0 on; false behind the last one. No call is made. */
bool filters_get(const struct box *box, size_t index, struct box_filter *filter);

/* Puts all of them on the calling process, which is about to exec. Raw system calls. Returns 0, or -1
 * with the fault. */
int filters_put(const struct box *box, struct fault *fault);

/* Writes them to standard output, as the plan says: init/dump.c. Returns 0, or -1 with the fault. */
int filters_dump(const struct box *box, struct fault *fault);

#endif
