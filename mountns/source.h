/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_MOUNTNS_SOURCE_H
#define NESTBOX_MOUNTNS_SOURCE_H

#include <limits.h>

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

/* Opens what a step names and adds it to VIEW's pins. OPTIONAL: what does not exist is no error.
 * Returns 1, 0 for that, or -1 with the fault. */
int source_pin(struct view *view, const char *path, unsigned int rights, bool optional,
	       struct fault *fault);

/* The same for what FD, a descriptor of the caller's, is open on. OBJECT is for the fault. */
int source_pin_fd(struct view *view, int fd, const char *object, unsigned int rights,
		  struct fault *fault);

/* Where PATH leads, if the box shows it as the host does: REAL is without a link as far as the host has it.
 * Returns false when there is nothing. */
bool source_follow(const char *path, char real[PATH_MAX]);

/* Finds the terminal that is standard output, if it is one and has a name. */
void source_find_console(struct view *view);

/* Closes and frees; also one that is all zero but for a descriptor of -1. */
void source_release(struct source *source);

/* Raises the soft limit of descriptors, as far as the hard one allows: for COUNT more than it is now, or
 * so that some are left when USED is the highest one. */
void source_make_room(struct view *view, size_t count);
void source_make_spare(struct view *view, size_t used);
extern const char source_no_room[];

/* append.c: makes room for the mounts of the sources with GRANT_APPEND. Returns 0, or -1 with the fault. */
int append_prepare(struct view *view, struct fault *fault);

#endif
