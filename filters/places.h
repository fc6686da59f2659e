/* SPDX-License-Identifier: MIT */
/*
 * Directories where the callers' paths begin, which a listener keeps open: to see that a caller's root, working
 * directory or descriptor is one of them takes one call, to open and close it two. A directory that is held is not another
 * one's number, nor its mount, so equal numbers are the same directory by the same mount. They are, but for
 * the root, held in one mount alone, that of the tree of copy-on-write, so that no other mount is busy for it.
 */
#ifndef FILTERS_PLACES_H
#define FILTERS_PLACES_H

#include "filters/notify.h"

#define PLACES 4 /* as many processes take turns, or directories of one */

struct place {
	int fd; /* -1: none */
	uint32_t dev_major, dev_minor;
	uint64_t inode, mount;
};

struct places {
	struct place root; /* the box's */
	struct place top;  /* the tree's, by its mount in the box */
	const char *path;  /* of TOP in the box, without a slash at the end */
	bool rooted;       /* the callers' root is that of the box */
	bool moved; /* not for sure any more, so each is asked for its own: see places_move() */
	struct place here[PLACES];
	unsigned int next;
	bool elsewhere
		[2]; /* the last one that was asked for: of descriptors, and working directories */
};

/* Begins with these directories, which stay open, and TOP's PATH. No TOP, or one that cannot be looked at: nothing is
 * in it. */
void places_begin(struct places *places, int root, int top, const char *path);

/*
 * Somebody is about to get another root, for which there are chroot, pivot_root, setns, and a new mount namespace.
 * All callers inherit theirs from the first one. So while these calls are notified, and wait until this is
 * noted, it is enough to ask one.
 */
void places_move(struct places *places);

/*
 * Where the caller's path begins that says DIRFD: its root if it is absolute. *INSIDE becomes whether that is in
 * the mount of the tree; not asked for where it is NULL. Returns a descriptor for places_leave(), or -errno. The
 * call needs no places.
 */
int places_start(const struct notify_call *call, int dirfd, const char *path, bool *inside);

/* What is left of PATH, which begins at START, below the tree's top, or NULL if that is not how it begins. */
const char *places_below(const struct notify_call *call, int start, const char *path);
void places_leave(const struct notify_call *call, int fd);

#endif
