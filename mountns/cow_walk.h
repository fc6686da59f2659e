/* SPDX-License-Identifier: MIT */
/* Moving about in trees that others may have made or may be changing: of any depth, with names of any bytes,
 * following no link and entering no other mount, and with one descriptor. Errors are -errno. */
#ifndef NESTBOX_MOUNTNS_COW_WALK_H
#define NESTBOX_MOUNTNS_COW_WALK_H

#include "mountns/cow.h"
#include "mountns/sys.h"

#define COW_OVERLAY_PREFIX "user.overlay."

struct cow_names {
	char **list; /* sorted by bytes */
	size_t count;
	char *bytes;
};

/* Reads the names in the directory DIR, which may be O_PATH. */
int cow_names_read(struct cow_names *names, int dir);
void cow_names_free(struct cow_names *names);
bool cow_names_has(const struct cow_names *names, const char *name);

struct cow_place {
	uint64_t inode;
	uint32_t major, minor;
};

struct cow_cursor {
	int fd; /* O_PATH, a directory; -1: nowhere */
	struct cow_place *places;
	size_t depth, room;
};

/* Into the directory DIR itself, which stays the caller's. */
int cow_cursor_start(struct cow_cursor *cursor, int dir);
/* Into its subdirectory NAME. -EXDEV: a file system is mounted there. */
int cow_cursor_down(struct cow_cursor *cursor, const char *name);
/* 0 if the names in the directory NAME can be read, and a cursor gets out of it again; or -errno. */
int cow_may_enter(int dir, const char *name);
/* Back to where it came from. -ESTALE: that is no longer the parent. */
int cow_cursor_up(struct cow_cursor *cursor);
void cow_cursor_end(struct cow_cursor *cursor);

/* statx(2) of the entry itself. */
int cow_stat(int dir, const char *name, struct kernel_statx *stat);
bool cow_is_later(const struct kernel_statx *stat, const struct cow_time *base); /* its ctime */
bool cow_is_born_later(const struct kernel_statx *stat, const struct cow_time *base);

/*
 * Removes what NAME in DIR is, with all below; what is not there is fine. FORCE opens directories of ours that
 * are locked for us.
 */
int cow_remove(int dir, const char *name, bool force);

/* Is the directory FD the directory ID or below it? */
int cow_is_below(int fd, const struct cow_place *place);

/* A fault about PATH, any bytes, which is kept in the store. Always returns -1. */
int cow_fault(struct cow_store *store, struct fault *fault, const char *path, int error);
int cow_fault_text(struct cow_store *store, struct fault *fault, const char *path,
		   const char *reason);

/* Whether DIR can have extended attributes of users. Returns 0, or -errno. */
int cow_try_attributes(int dir);

/* Adds eight random letters to NAME. Returns 0 or -EIO. */
int cow_add_letters(char *name);

/* Of a store that is there in part. */
#define COW_IN_PART "was not made to its end, or not removed to it; use --cow-discard"

/* Waits until the clock that stamps files is past TIME. */
void cow_wait_past(const struct cow_time *time);

/* The reverse of cow_escape(), in place. Returns 0 or -EINVAL. */
int cow_unescape(char *text);

/* What a lost machine leaves after the state was saved. */
enum cow_saved {
	COW_SAVED_SOON,  /* the old one, the new one, or a damaged one */
	COW_SAVED_WHOLE, /* the old one or the new one */
	COW_SAVED_NOW,   /* the new one */
};

int cow_save_until(struct cow_store *store, enum cow_saved saved, struct fault *fault);

/* Notes which start of the machine a box begins in, and finds out whether it still is the same. */
#define COW_BOOT_SIZE 64
int cow_boot_note(struct cow_store *store);
int cow_boot_check(struct cow_store *store, struct fault *fault);

/* Reads the state of the store whose directory is open. */
int cow_state_read(struct cow_store *store, struct fault *fault);

/* Makes and opens an upper directory without changes, in the place of one that is empty or gone: its own mode,
 * owner and so on are the lower one's. Returns 0, or -errno. */
int cow_make_upper(struct cow_store *store);

/* The same in the directory DIR, where there is none. Returns its descriptor, or -errno. */
int cow_make_upper_in(const struct cow_store *store, int dir);

/* Where upper/ and work/, or tree/, are: the store's directory, or the one in memory. */
int cow_layers(const struct cow_store *store);

/* After the box's end: what was locked by its owner is noted in attributes, for which a full file system in memory
 * would have no room. */
void cow_unbound_memory(const struct cow_store *store);

/* Gives up what is in memory. */
void cow_leave_memory(struct cow_store *store);

/* Where a store goes: opens DIR, makes it if need be, and notes PATH. */
int cow_store_place(struct cow_store *store, const char *path, bool *made, struct fault *fault);

#endif
