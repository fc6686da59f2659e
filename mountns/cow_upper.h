/* SPDX-License-Identifier: MIT */
/* What entries of the upper directory mean, and the attributes of files. Errors are -errno. */
#ifndef NESTBOX_MOUNTNS_COW_UPPER_H
#define NESTBOX_MOUNTNS_COW_UPPER_H

#include "mountns/cow_walk.h"

enum cow_copy {
	COW_COPY_ALL,
	COW_COPY_ROOT, /* owner and times that cannot be given, and what its file system has none of, stay */
	COW_COPY_RAW, /* with overlayfs's own attributes, too */
};

/* Gives TO the extended attributes of FROM, and owner, mode and times of STAT; both are opened, not O_PATH. */
int cow_attributes_copy(int from, const struct kernel_statx *stat, int to, enum cow_copy how);

/* Have both the same extended attributes, but overlayfs's own? 1, or 0. */
int cow_attributes_same(int a, int b);

/* Removes overlayfs's own attributes and ours. */
int cow_attributes_strip(int fd);

#endif
