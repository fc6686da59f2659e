/* SPDX-License-Identifier: MIT */
/*
 * The backend "notify" of copy-on-write, where overlayfs cannot be mounted: what is seen in the box is a tree
 * of its own in the store, mounted read-write in the lower directory's place. The lower directory itself is
 * not there at all, so nothing that the workload does or that a listener misses can reach it, and every system
 * call works on a plain file system, with its own results.
 *
 * The tree is made before the box starts: each directory, link, FIFO and socket as it is, each regular file as
 * one with holes alone, but of the right size, mode and times, whose content comes from the lower file when it
 * is first opened. That is what calls are notified for, and the reason why there is no listener in their way
 * else (filters/cow.profile). An index says which inode of the tree is which lower file, in a file of the
 * store that launcher and listener map: it is by inode number and birth time, so that no copy and no successor
 * of a file is mistaken for it, and nothing of it can be seen or changed in the box.
 */
#ifndef NESTBOX_MOUNTNS_TREE_H
#define NESTBOX_MOUNTNS_TREE_H

#include "mountns/cow.h"

struct tree_entry;

struct tree {
	int lower;                     /* directory, readable */
	uint32_t dev_major, dev_minor; /* of the tree */
	uint64_t inode;                /* of its top */
	bool special;                  /* FIFOs or devices are in it from the start */
	struct tree_entry *entries;    /* a shared mapping of the index, by inode */
	size_t count;
	const char *names;
	size_t size; /* of the mapping */

	/* Called again and again while a file gets its content, by who has something else to do. It is given up with
	 * what that returns, if it is not 0. NULL: there is none. */
	int (*pause)(void *context);
	void *context;
};

/* Makes tree/ and the index of STORE, which has just been created. Heap. Returns 0, or -1 with the fault. */
int tree_make(const struct cow_store *store, struct fault *fault);

/* Maps the index. Returns 0, or -1 with the fault. */
int tree_open(struct tree *tree, const struct cow_store *store, struct fault *fault);
void tree_close(struct tree *tree);

/*
 * For the listener, with raw system calls alone: if FD (O_PATH) is a file of the tree without its content
 * yet, it gets that, and keeps its times and mode. FDS is /proc/self/fd, open. With EMPTY the caller has
 * truncated it, so the content is only given up. Returns 1 if it is a file that was in the lower directory, 0 if
 * not, or -errno, of the lower file where that cannot be read. Then it is as it was.
 */
int tree_fill(const struct tree *tree, int fds, int fd, bool empty);

/* For the same: whether it is one. */
bool tree_has(const struct tree *tree, int fd);

/* And opens anew what FD is, with FLAGS. */
int tree_reopen(int fds, int fd, int flags);

/*
 * After the box's end, and as often as it takes: makes upper/ from tree/, sets STORE's state to COW_ENDED, and
 * removes tree/. Files that were read alone are no changes; those whose content has to be known, because they
 * have another name, and which cannot be read, are a fault. Heap. Returns 0, or -1 with the fault.
 */
int tree_collect(struct cow_store *store, struct fault *fault);

#endif
