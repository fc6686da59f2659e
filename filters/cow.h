/* SPDX-License-Identifier: MIT */
/*
 * Copy-on-write by notification: a file of the tree (mountns/tree.h) gets its content before anybody reaches it.
 *
 *  1. A path that leads to a file which was in the lower directory is looked up once. What is found is filled and
 *     opened for the caller, so that nobody can exchange it in between for one that has no content yet.
 *  2. All else goes on to the kernel: other files, directories, links, FIFOs, paths that lead nowhere, and calls
 *     that do not open (truncate, execve) after the file has been filled. The lower directory cannot be reached by
 *     any of them.
 *  3. The listener has the caller's ids, but none of its capabilities, and is not under its Landlock rules. So
 *     what it may not open goes on to the kernel, too; and from the moment when somebody in the box puts itself
 *     under rules, everything does. The box's own rules allow what is in the tree, as its mount does.
 *  4. Of an executable the interpreter that it names is filled as well.
 *
 * Where a call goes on to the kernel after a look, and somebody exchanges the path meanwhile for a file that
 * nobody has opened yet, the caller sees zeros in it: only its own tree is concerned.
 */
#ifndef FILTERS_COW_H
#define FILTERS_COW_H

#include "filters/notify.h"
#include "mountns/tree.h"

struct again;
struct again_list;
struct again_path;
struct standin;

/* The context of the handlers. */
struct cow {
	const struct tree *tree;
	int root;        /* the box's */
	int fds;         /* /proc/self/fd */
	bool restricted; /* somebody is under rules of Landlock */
	bool special; /* there may be FIFOs or devices in the tree, which nobody may open but who asked for it */
	bool begun; /* the command runs. Before that nobody may look at its memory, which is nestbox's */

	/* Without any mount: filters/standin.h. NULL with one. */
	const struct standin *standin;
	struct again *again;
	int (*repeat)(struct again *again, const struct notify_call *call,
		      const struct again_path *paths, size_t count,
		      const struct again_list *list); /* again_start_list() */
};

/* The top of the tree where it is mounted in the box: at PATH. Returns a descriptor, or -errno. */
int cow_top(const struct cow *cow, const char *path);

/* Fills the executable PATH of the box, if there is one, and what it needs: for the first call of all. */
void cow_begin(const struct cow *cow, const char *path);

extern const struct notify_row cow_rows[];
extern const size_t cow_row_count;

/* --- For the handlers where there is no mount ---------------------------------------------------------- */

/* What cannot be found is the kernel's to tell. Not where we have too little, or may not look at the caller. */
struct notify_answer cow_leave(int error);

/* FD, which is O_PATH, is what the caller's path leads to: filled, and opened as far as that is ours. */
struct notify_answer cow_open_found(const struct notify_call *call, const struct cow *cow, int fd,
				    int flags);

/* Opens anew what FD is, without what is about finding it. */
struct notify_answer cow_reopen(const struct cow *cow, int fd, int flags);

/* Fills FD, which is closed, and the interpreters that the kernel will open for it. */
struct notify_answer cow_execute(const struct notify_call *call, const struct cow *cow, int fd);

notify_handler cow_openat2;
notify_handler cow_restrict;

/* Whether the kernel has what that needs. Returns NULL, or in words what it lacks; *ERROR is the errno. */
const char *cow_probe(int *error);

#endif
