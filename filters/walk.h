/* SPDX-License-Identifier: MIT */
/* Following a caller's path, a name at a time, with its own root and its own "self". */
#ifndef FILTERS_WALK_H
#define FILTERS_WALK_H

#include <limits.h>

#include "filters/notify.h"

struct standin;

/* What becomes of a link that is the last name. */
enum walk_last {
	WALK_FOLLOW,
	WALK_STAY, /* it is what was asked for, unless a slash is behind it */
	WALK_NAME, /* so it is with one: calls that make, remove and rename names */
};

struct walk {
	const struct notify_call *call;
	const struct standin *standin; /* filters/standin.h; NULL: there is none */
	int root;                      /* the caller's */
	int here;                      /* the directory that was reached, or at last the file */
	unsigned int links;            /* that were followed */
	bool crossed;            /* from one directory of STANDIN's into the other, or out of it */
	bool missing;            /* the last name is not there */
	bool magic;              /* it was a link that only the kernel can follow */
	bool slash;              /* behind it */
	bool last;               /* it is being followed */
	int parent;              /* the directory where it is; -1: HERE is that */
	char name[NAME_MAX + 1]; /* or "": HERE is all that is to be said */
	const char *rest;        /* in TEXT */
	char text[2 * PATH_MAX];
};

/* Follows PATH, which DIRFD goes with. Returns 0 or -errno. The descriptors are to be closed in any case. */
int walk_path(struct walk *walk, int dirfd, const char *path, enum walk_last last);

/* Of a walk without a root, HERE and PARENT are -1. */
void walk_close(struct walk *walk);

/* The same as target_find(), but for notify_waits(). */
int walk_find(const struct notify_call *call, int dirfd, const char *path, bool follow);

/* -ENOTDIR where it is none, or what else keeps it from being looked at. */
int walk_check_directory(int fd);

#endif
