/* SPDX-License-Identifier: MIT */
/* The index of the backend "notify": an entry for each name in the tree, sorted by inode. See tree.h. */
#ifndef NESTBOX_MOUNTNS_TREE_INDEX_H
#define NESTBOX_MOUNTNS_TREE_INDEX_H

#include "mountns/sys.h"
#include "mountns/tree.h"

#define TREE_DIRECTORY "tree"
#define TREE_INDEX "index"

enum tree_flags {
	TREE_FILLED = 1,  /* has its content */
	TREE_CHANGED = 2, /* had other attributes than the lower file when it got that */
	TREE_FOREIGN = 4, /* a directory of which nothing is here: another mount, or unreadable */
	TREE_FILLING =
		8, /* is being filled; until it is filled, its mode and times are those in the entry */
	TREE_OWN_TIME = 16, /* one that it was given, and not the lower file's */
};

/* Of names of one inode only the first entry's flags, times, mode and size count. */
struct tree_entry {
	uint64_t inode;
	struct cow_time birth;
	struct cow_time change, modification; /* while nothing has happened to it */
	uint64_t size;
	uint64_t path; /* in the names, below the lower directory */
	uint32_t flags, mode;
};

/* The first entry of the inode, or NULL. */
struct tree_entry *tree_find(const struct tree *tree, const struct kernel_statx *stat);

/* Opens the lower file. Returns a descriptor, or -errno. */
int tree_open_lower(const struct tree *tree, const struct tree_entry *entry);

/* Whether one of the names of ENTRY's inode is PATH. */
bool tree_is_at(const struct tree *tree, const struct tree_entry *entry, const char *path);

/* Whether nothing has happened to the file since it was made or filled. */
bool tree_is_unchanged(const struct tree_entry *entry, const struct kernel_statx *stat);

/* Whether somebody has died who was filling it. */
bool tree_is_half(const struct tree_entry *entry);

static inline const char *tree_path(const struct tree *tree, const struct tree_entry *entry)
{
	return tree->names + entry->path;
}

static inline bool tree_same_time(const struct cow_time *time, int64_t seconds,
				  uint32_t nanoseconds)
{
	return time->seconds == seconds && time->nanoseconds == nanoseconds;
}

#endif
