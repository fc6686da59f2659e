/* SPDX-License-Identifier: MIT */
/*
 * Copy-on-write: changes to a directory, the lower one, are kept in a store until somebody commits or
 * discards them. All of this is the launcher's, before PID 1 starts or after the box's end, and uses the heap.
 *
 * A store is a directory that nobody but its owner may enter:
 *
 *   state   text: the lower directory, when the box began, what has happened since (cow_save() writes it anew)
 *   lock    flock(2)ed by whoever works on the store; in which start of the machine the box ran
 *   upper/  the changes in overlayfs's format as of "userxattr": a whiteout is a character device 0/0, or
 *           where none can be made an empty file with user.overlay.whiteout in a directory whose
 *           user.overlay.opaque is "x"; a directory that hides the lower one of its name has
 *           user.overlay.opaque "y". See the kernel's Documentation/filesystems/overlayfs.rst
 *   work/   overlayfs's own
 *   tree/   the backend "notify": what the box sees, from which tree_collect() makes upper/ (mountns/tree.h)
 *   index   the same: of which lower file each one in there is
 *
 * With a quota upper/ and work/, or tree/, are on a file system of that size in memory as long as the box runs,
 * and come into the store at its end.
 *
 * Whatever was changed in the lower directory since the box began is a conflict where the box has changed the
 * same file. That is told by the file's status change time, which nobody can set: cow_create() notes the time
 * by the exact clock (since Linux 6.13 a file may have been stamped by that one, too), and no box begins before
 * the kernel's coarse clock, which stamps files else, is past it.
 */
#ifndef NESTBOX_MOUNTNS_COW_H
#define NESTBOX_MOUNTNS_COW_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountns/fault.h"

enum cow_backend { COW_AUTO, COW_OVERLAY, COW_NOTIFY };

enum cow_state {
	COW_RUNNING, /* or its launcher died; of COW_NOTIFY upper/ is not complete */
	COW_MEMORY, /* the same with a quota: the changes are its launcher's alone, and die with it */
	COW_ENDED,      /* upper/ is complete */
	COW_COMMITTING, /* a commit has begun and can be taken up again */
};

struct cow_time {
	int64_t seconds;
	uint32_t nanoseconds;
};

/* A tmpfs that nobody has mounted anywhere. */
struct cow_memory {
	int fs;    /* of fsopen(2), by which it can be changed */
	int mount; /* of fsmount(2), for the box */
	int root;  /* directory, readable */
	uint64_t size;
};

struct cow_store {
	char *path; /* absolute */
	int dir;
	int lock;
	int lower, upper; /* directories, readable */
	char *lower_path; /* canonical, absolute */
	uint64_t lower_inode;
	uint32_t lower_major, lower_minor;
	struct cow_time base; /* changes of the lower directory after that are others' */
	enum cow_backend backend;
	enum cow_state state;
	struct cow_memory memory; /* of COW_MEMORY */
	bool boot_known;          /* it will be found out if the machine goes down: cow_create() */
	/* A commit from another file system first copies upper/ into the lower directory under this name,
	 * and goes on from there when the copy is complete (COW_COMMITTING); "" while there is none. */
	char staged[NAME_MAX + 1];
	char failed
		[1024]; /* what a fault is about, escaped: it is there as long as this struct is */
};

/*
 * Makes a store for the directory LOWER, which is opened and must not be "/". PATH, which must be an empty
 * directory of ours or not exist, becomes the store; NULL: a new one in $XDG_STATE_HOME/nestbox, or
 * $HOME/.local/state/nestbox, or ${TMPDIR:-/tmp}/nestbox-UID, which must be ours and nobody else's (SEEDS C24
 * says why). It must not lie in LOWER. Returns 0, or -1 with the fault and nothing left behind. cow_save() is to
 * follow.
 */
int cow_create(struct cow_store *store, const char *lower, const char *path, struct fault *fault);

/* Whether the store can hold what was changed: overlayfs mounts without extended attributes, and removes no
 * directory then. tmpfs(5) has those of users since Linux 6.6. Returns 0, or -1 with the fault. */
int cow_check_store(struct cow_store *store, struct fault *fault);

/* What an inode takes in memory, by the kernel's count: there may be one for so many bytes of a quota, but
 * COW_MEMORY_INODES at least. MEMORY is made with COW_MEMORY_INODES_MOST, as many as can be told. */
#define COW_MEMORY_INODE 1024
#define COW_MEMORY_INODES 1024
#define COW_MEMORY_INODES_MOST (SIZE_MAX / COW_MEMORY_INODE)

/* The layers of STORE, which has just been created and has a backend, will be on MEMORY, which becomes the store's.
 * Returns 0, or -1 with the fault. */
int cow_use_memory(struct cow_store *store, const struct cow_memory *memory, struct fault *fault);

/* From here on there can be that many inodes more. Returns 0, or -1 with the fault. */
int cow_bound_memory(const struct cow_store *store, struct fault *fault);

/* After the end of a box with COW_OVERLAY: upper/ comes from memory into the store, as tree_collect() does it for
 * COW_NOTIFY. Returns 0, or -1 with the fault. */
int cow_settle(struct cow_store *store, struct fault *fault);

/* Opens the store at PATH. A lower directory that is not the same inode any more is a fault, and so is a
 * store that a living box or another command uses. Returns 0, or -1 with the fault. */
int cow_open(struct cow_store *store, const char *path, struct fault *fault);

/* The same for cow_discard() alone, for which the lower directory may be gone, or another. */
int cow_open_to_discard(struct cow_store *store, const char *path, struct fault *fault);

/* Writes the state durably. Returns 0, or -1 with the fault. */
int cow_save(struct cow_store *store, struct fault *fault);

/* The box has ended: upper/ goes to the disk, and then the state COW_ENDED. Returns 0, or -1 with the fault. */
int cow_end(struct cow_store *store, struct fault *fault);

/* Waits until the clock that stamps files is past BASE: before the lower directory is read or mounted. */
void cow_wait(const struct cow_store *store);

/* Could who writes to PATH, any name from the directory DIR on and "" for DIR itself, change the store: is that
 * there, or below, or PATH in it? What cannot be opened is no way to it. */
bool cow_is_reached(const struct cow_store *store, int dir, const char *path);

/* Could who writes to PATH, named alike, change the lower directory: is that there, or below? */
bool cow_reaches_lower(const struct cow_store *store, int dir, const char *path);

/* Closes everything; the store stays. */
void cow_close(struct cow_store *store);

/* Removes the store, and closes it also after a failure. Returns 0, or -1 with the fault. */
int cow_discard(struct cow_store *store, struct fault *fault);

/* Removes what is at PATH if it is what is left of a store that was never made to its end, or not removed to it:
 * nothing of anybody's is in there. STORE is for the fault. Returns 0, 1 if it is anything else, or -1 with the fault. */
int cow_discard_rest(struct cow_store *store, const char *path, struct fault *fault);

/* --- What has changed: the upper directory against the lower one --------------------------------- */

enum cow_kind {
	COW_ADDED = 'A',
	COW_MODIFIED = 'M', /* the content, or a link's text */
	COW_DELETED = 'D',  /* with all below, of which nothing is listed */
	COW_TYPE = 'T',     /* it is of another type now */
	COW_ATTRIBUTES =
		'P', /* only mode, owner, times or extended attributes; of a directory not times */
};

struct cow_change {
	enum cow_kind kind;
	bool directory;
	mode_t mode; /* new type and mode; 0 of COW_DELETED */
	char *path;  /* below the lower directory; any bytes */
};

struct cow_changes {
	struct cow_change *list; /* sorted by the bytes of the path */
	size_t count;
	size_t bytes; /* of all paths */
};

/* Returns 0, or -1 with the fault. Files that are as they were are no changes, whoever has written them. */
int cow_list(struct cow_store *store, struct cow_changes *changes, struct fault *fault);
void cow_free_changes(struct cow_changes *changes);

/* A line for each: the letter, two blanks, the path, "/" behind a directory. Bytes that could end the line,
 * move a cursor or turn text around (control characters, a backslash, what is no UTF-8, Unicode's controls of
 * direction) are written as "\" and three octal digits. Returns 0, or -errno. */
int cow_print(const struct cow_changes *changes, int fd);

/* The same for one path, to be freed; NULL without memory. */
char *cow_escape(const char *path);

/* --- Commit ------------------------------------------------------------------------------------- */

/*
 * Makes the lower directory what the box saw. First everything is checked for conflicts; if there are some, that is
 * a fault, *CONFLICTS are these paths (else there are none), and nothing is changed. Then each file comes in by one
 * rename(2), with its mode, owner, times, extended attributes, holes and other names; what was deleted goes. Never
 * is a symbolic link followed, in either tree. Others who commit to the same directory wait (flock(2) of it, for 30
 * seconds). Whenever this is interrupted, by SIGKILL or a lost machine, the store holds what is still to be done,
 * and cow_commit() goes on with it. At the end the store has no changes any more. Returns 0, or -1 with the fault;
 * also then the store is as good as before. What others do to a file between the check and its rename is lost.
 */
int cow_commit(struct cow_store *store, struct cow_changes *conflicts, struct fault *fault);

#endif
