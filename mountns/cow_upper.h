/* SPDX-License-Identifier: MIT */
/* What entries of the upper directory mean, and the attributes of files. Errors are -errno. */
#ifndef NESTBOX_MOUNTNS_COW_UPPER_H
#define NESTBOX_MOUNTNS_COW_UPPER_H

#include <time.h>

#include "mountns/cow_walk.h"

/* Ours, for what a commit changes while it works; stripped like overlayfs's own. */
#define COW_STASH COW_OVERLAY_PREFIX "nestbox.mode"
#define COW_TIMES COW_OVERLAY_PREFIX "nestbox.times"

enum cow_type { COW_WHITEOUT, COW_DIRECTORY, COW_OTHER };

struct cow_entry {
	const char *name;
	enum cow_type type;
	bool origin; /* copied up from a lower file, or so says an attribute */
	char opaque; /* of a directory: 'y', 'x', or 0 */
	bool below;  /* there is a lower one of that name */
	struct kernel_statx stat, lower;
};

/* Of a directory of the upper tree: what its attributes say about what is in it. */
struct cow_marks {
	bool whiteouts; /* an empty file can be one */
	/* A file or directory that was made accessible, and its mode before: what was interrupted then does not
	 * take that for the mode. */
	uint64_t inode;
	mode_t mode;
	/* The directory's own times before a commit took something out of it. */
	bool has_times;
	struct cow_time access, modification;
};

/* Makes NAME in DIR a whiteout, of whichever form its file system can have. */
int cow_put_whiteout(int dir, const char *name);

int cow_marks_read(struct cow_marks *marks, int dir);

/* What NAME in DIR is. Makes accessible what its owner has locked, for a moment. */
int cow_entry_read(struct cow_entry *entry, int dir, const char *name,
		   const struct cow_marks *marks);

/* Gives the owner of NAME in DIR the rights NEED. STAT, which tells the mode, is not changed. */
int cow_force(int dir, const char *name, const struct kernel_statx *stat, mode_t need);
/* Follows no link. NAME can be "": DIR itself, which may be O_PATH. */
int cow_chmod(int dir, const char *name, mode_t mode);

/* Opens the regular file NAME in DIR, also where its owner may not: STAT tells its mode, which it gets back when
 * it is closed. So long also extended attributes need the rights. */
int cow_open_file(int dir, const char *name, const struct kernel_statx *stat, int flags);
int cow_close_file(int fd, const struct kernel_statx *stat);

/* 1 if both regular files, of the same size, have the same content, else 0. */
int cow_content_same(int a, int b, uint64_t size);

/* Copies SIZE bytes into the empty file TO, holes as holes. */
int cow_content_copy(int from, int to, uint64_t size);

/* Notes the times of DIR before it is changed, where its file system can hold that. */
int cow_times_keep(int dir, const struct kernel_statx *stat);
/* STAT gets them, if they were noted. */
void cow_times_before(const struct cow_marks *marks, struct kernel_statx *stat);

/* For utimensat(2). */
void cow_times_of(const struct kernel_statx *stat, struct timespec times[2]);

/* Opens the copy in the lower directory. -EOWNERDEAD: it is not ours alone, so it is not the one that was made. */
int cow_open_staged(const struct cow_store *store);

/* Opens the tree of changes: upper/, wherever it is, or its copy in the lower directory, with its mode and times in STAT. */
int cow_open_changes(struct cow_store *store, struct kernel_statx *stat);

/* Its name, in the copy's directory and in the store. */
#define COW_UPPER "upper"

/* Beside a copy that is being made. */
#define COW_LINKS "links"

/* Opens it in the directory PARENT. STAT has the mode that it had before somebody needed more rights. */
int cow_open_upper(int parent, struct kernel_statx *stat);

enum cow_copy {
	COW_COPY_ALL,
	COW_COPY_ROOT, /* owner and times that cannot be given, and what its file system has none of, stay */
	COW_COPY_RAW, /* with overlayfs's own attributes, too */
};

struct cow_copier {
	int from, to; /* directories */
	/* A third: files with several names are linked from here, by inode number, as their other names are
	 * anywhere. */
	int links;
	enum cow_copy how;
	bool origin; /* regular files are marked as copied up */
};

/* Copies NAME, with STAT, which is no directory; a regular file's content is CONTENT's instead if that is not -1. Of
 * several names the first brings the file. */
int cow_copy_file(const struct cow_copier *copier, const char *name,
		  const struct kernel_statx *stat, int content);

/* Whether it has brought it already: one of several names. */
bool cow_copy_is_there(const struct cow_copier *copier, const struct kernel_statx *stat);

/* Gives TO the extended attributes of FROM, and owner, mode and times of STAT; both are opened, not O_PATH. */
int cow_attributes_copy(int from, const struct kernel_statx *stat, int to, enum cow_copy how);

/* Have both the same extended attributes, but overlayfs's own? 1, or 0. */
int cow_attributes_same(int a, int b);

/* Removes overlayfs's own attributes and ours. */
int cow_attributes_strip(int fd);

#endif
