/* SPDX-License-Identifier: MIT */
/* A walk through the tree of changes, side by side with the lower tree. */
#ifndef NESTBOX_MOUNTNS_COW_TOUR_H
#define NESTBOX_MOUNTNS_COW_TOUR_H

#include "mountns/cow_upper.h"

struct cow_level {
	struct cow_names names;
	size_t next;
	struct cow_marks marks;
	struct kernel_statx stat; /* of the upper directory */
	bool hidden;              /* nothing of the lower one is seen through it */
	bool forced;
	size_t length; /* of the path */
};

struct cow_tour {
	struct cow_store *store;
	struct fault *fault;
	struct cow_cursor upper, lower;
	struct cow_level *levels; /* as deep as the upper cursor */
	size_t room;
	char *path; /* of the entry, below the lower directory */
	size_t path_room;
	void *context;
};

/* Each returns -1 with the fault. */
struct cow_visits {
	/* The cursors have come into a directory, first into the root. */
	int (*enter)(struct cow_tour *tour, struct cow_level *level);
	/* 1: the tour goes into the directory. */
	int (*entry)(struct cow_tour *tour, struct cow_entry *entry);
	/* Everything in the directory was visited; the cursors are still in it. */
	int (*leave)(struct cow_tour *tour, struct cow_level *level);
	/* They have left it, which is not called for the root; NAME is its name where they are. */
	int (*left)(struct cow_tour *tour, const char *name, const struct cow_level *level);
};

/* Returns 0, or -1 with the fault. */
int cow_tour(struct cow_store *store, const struct cow_visits *visits, void *context,
	     struct fault *fault);

struct cow_level *cow_tour_level(struct cow_tour *tour);

/* Is the lower cursor in the lower directory of the same path? */
bool cow_tour_has_lower(const struct cow_tour *tour);

/* A fault about the entry where the tour is. */
int cow_tour_fault(struct cow_tour *tour, int error);

/* Adds a change of PATH, or where NAME is not NULL of that in the directory PATH. Returns 0, -ENOMEM, or -E2BIG. */
int cow_add_change(struct cow_changes *changes, struct cow_change change, const char *path,
		   const char *name);
void cow_sort_changes(struct cow_changes *changes);

#endif
