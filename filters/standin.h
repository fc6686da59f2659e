/* SPDX-License-Identifier: MIT */
/*
 * Copy-on-write where nothing can be mounted: a tree (mountns/tree.h), which is elsewhere, stands in for the lower
 * directory, whose names lead into it.
 *
 *  1. Processes are in the tree for the kernel, too: what they say relative to where they are needs nothing.
 *  2. Of every call that has a path this is followed as the kernel would (filters/walk.h), but who arrives in the
 *     lower directory, by whatever name, link or "..", is in the tree from then on, and ".." of the tree's top is the
 *     lower directory's parent. Where no such border was crossed the kernel makes the call as it is.
 *  3. Where one was, the caller makes the call again with the kernel's own name of that place (filters/again.h):
 *     the kernel's results, and nobody but the caller changes anything. Files of the tree that there are, and
 *     directories, are opened here: filters/cow.h.
 *  4. Names that the kernel tells (getcwd, links of procfs) are told as those in the lower directory.
 *
 * Nothing of that is a wall. Landlock is: the lower directory is not granted at all, so that what is missed here, or
 * exchanged by the caller after the look, fails. What is missed:
 *
 *  - addresses of local sockets, and paths in /proc/PID/maps and such files: those are in the tree;
 *  - openat2 with RESOLVE_BENEATH or RESOLVE_IN_ROOT from a directory above the lower one;
 *  - an interpreter in the lower directory that is a script itself;
 *  - a caller with another root directory;
 *  - another mount of the lower directory, where the path goes there without any link or "..";
 *  - fanotify_mark on machines of 32 bits, which has no argument left for filters/again.h;
 *  - moves and links between the tree and another directory: EXDEV, as between mounts;
 *  - what has to be made again by a caller that somebody traces: EPERM.
 *
 * And a signal that comes before a call is taken ends it with EINTR, if its handler was not to restart calls: also
 * those for which the kernel has no such result. seccomp_unotify(2), "SA_RESTART".
 */
#ifndef FILTERS_STANDIN_H
#define FILTERS_STANDIN_H

#include "filters/cow.h"
#include "filters/walk.h"

struct standin_directory {
	int fd; /* O_PATH */
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	const char *path; /* the kernel's name */
	size_t length;    /* of that */
};

struct standin {
	struct standin_directory lower, tree;
};

/* Where a path of the caller leads. */
struct standin_place {
	int parent; /* O_PATH; -1: none */
	/* There; it need not exist. No link, if those are followed, but for MAGIC ones of procfs. "": PARENT itself */
	char name[NAME_MAX + 1];
	bool slash; /* behind it */
	bool magic;
	bool crossed;       /* on the way, also where it ended in an error */
	unsigned int links; /* that were followed */
};

/* Fills DIRECTORY in, of which FD stays the caller's. Returns 0 or -errno. */
int standin_open(struct standin_directory *directory, int fd, const char *path);

/* Whether FD is that one. */
bool standin_is(int fd, const struct standin_directory *directory);

/* How many bytes of PATH are the name of the tree, with nothing or a slash behind them; else 0. */
size_t standin_prefix(const struct standin *standin, const char *path);

/* Finds PLACE. Returns 0 or -errno. It is to be closed in any case. FDS is /proc/self/fd. */
int standin_find(const struct notify_call *call, const struct standin *standin, int fds, int dirfd,
		 const char *path, enum walk_last last, struct standin_place *place);
void standin_close(struct standin_place *place);

/* Opens it with O_PATH. Returns a descriptor, or -errno. */
int standin_reach(const struct standin_place *place);

/* The two in one: target_find() with a stand-in. */
int standin_seek(const struct notify_call *call, const struct standin *standin, int fds, int dirfd,
		 const char *path, bool follow);

/* The kernel's name of what FD is open on, and of PLACE. Return 0 or -errno: -ENOENT if it has none. */
int standin_name(int fds, int fd, char text[PATH_MAX]);
int standin_text(int fds, const struct standin_place *place, char text[PATH_MAX]);

/* Puts the lower directory's name in front of TEXT, if it is one in the tree. Returns its length then, 0 if it is
 * none, or -ENAMETOOLONG. */
int standin_show(const struct standin *standin, char text[PATH_MAX]);

/* "#!" and what follows, cut where the kernel cuts it: execve(2), "Interpreter scripts". */
#define STANDIN_HEADER 256
struct standin_script {
	char interpreter[STANDIN_HEADER], argument[STANDIN_HEADER]; /* "": there is none */
};

/* Whether FD is an executable script. */
bool standin_read_script(int fds, int fd, struct standin_script *script);

/*
 * Has CALL, an exec of the script, begin its INTERPRETER, which is in the tree, as the kernel would: with the script
 * by NAME, and the caller's arguments but the first, which are at ADDRESS. PATH is the argument that is the path, the
 * next one's is ADDRESS. Returns 0 or -errno.
 */
int standin_execute_script(const struct notify_call *call, const struct cow *cow,
			   const struct standin_script *script, const char *name,
			   const char *interpreter, unsigned int path);

/* The context is a struct cow with a STANDIN. The listener keeps no places (filters/places.h): the calls that give a
 * caller another root are not notified here. */
extern const struct notify_row standin_rows[];
extern const size_t standin_row_count;

#endif
