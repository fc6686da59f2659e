/* SPDX-License-Identifier: MIT */
/* What the process above an init without a box (init/guard.h) knows of copy-on-write: filters/standin.h. */
#ifndef NESTBOX_INIT_GUARD_TREE_H
#define NESTBOX_INIT_GUARD_TREE_H

#include "filters/again.h"
#include "filters/standin.h"
#include "init/box.h"

enum { GUARD_TREE_FDS = 4 };

struct guard_tree {
	struct tree tree;
	struct standin standin;
	struct cow cow;
	struct again *again;
	char path[PATH_MAX]; /* the kernel's name of the tree */
};

/* Before the fork, with the heap: opens everything. Returns 0, or -errno. */
int guard_tree_open(struct guard_tree *tree, const struct box *box);

/* The descriptors that are needed. */
void guard_tree_list(const struct guard_tree *tree, int fds[GUARD_TREE_FDS]);

/* After it, with raw calls: FDS is /proc/self/fd. Alarms of others' are for INIT. What the command starts with gets its content. */
void guard_tree_begin(struct guard_tree *tree, const struct box *box, int fds, int init);

#endif
