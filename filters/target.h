/* SPDX-License-Identifier: MIT */
/*
 * The caller of a notified call as its listener finds it: its memory, its descriptors, and where a path
 * leads in its own view. Everything here asks notify_waits() before it returns success, so that it was the
 * caller's and not that of another process with its number; if the call is "late" the answer does.
 */
#ifndef FILTERS_TARGET_H
#define FILTERS_TARGET_H

#include <limits.h>

#include "filters/notify.h"

struct kernel_statx;

/* The caller's "/root" or "/cwd", as they are below "/proc/TID", with O_PATH, or -errno; and what it is. Whether
 * it was the caller's is not asked. */
int target_open(const struct notify_call *call, const char *what);
int target_stat(const struct notify_call *call, const char *what, struct kernel_statx *stat);

/* The same of its descriptor FD. */
int target_open_fd(const struct notify_call *call, int fd);

/* The last number in the line of "/proc/TID/status" that begins with KEY, or 0: of those with one number
 * for each PID namespace, the one that the caller has for itself. Nor is it asked here. */
unsigned int target_status(const struct notify_call *call, const char *key);

/* Whether what was found by the caller's number can be the caller's, or the answer asks that. */
bool target_is_callers(const struct notify_call *call);

/* Writes NUMBER with SUFFIX behind it. */
void target_number(char *name, unsigned int number, const char *suffix);

/* Whether memory can be read at all. Returns 0, or -errno. */
int target_probe(void);

/* Copies SIZE bytes at ADDRESS in its memory to TO. Returns 0 or -errno: -EFAULT if they are not all
 * there, -EPERM if we may not look (an executable that its own user may not read). */
int target_read(const struct notify_call *call, uint64_t address, void *to, size_t size);

/* Copies SIZE bytes to ADDRESS in its memory. Returns 0 or -errno, as above: then some of them may be there. A
 * caller that is killed in between may have left its number to another, which cannot be seen: who calls this
 * must be kept from others by rules of Landlock (init/fence.h). */
int target_write(const struct notify_call *call, uint64_t address, const void *from, size_t size);

/* target_read() for a path with its NUL: -ENAMETOOLONG if that is not within PATH_MAX bytes. Reads no page
 * behind the NUL's. */
int target_read_path(const struct notify_call *call, uint64_t address, char path[PATH_MAX]);

/* A descriptor of ours for the very open file that its descriptor FD is, or -errno. */
int target_take(const struct notify_call *call, int fd);

/* What its descriptor FD is open on, with O_PATH, or -errno. */
int target_reopen(const struct notify_call *call, int fd);

/*
 * What PATH is for the caller, who says DIRFD: seen from its root, its working directory or its
 * descriptor, and links of procfs as they are for it ("/proc/self", "/dev/stdout"). Unless FOLLOW, the last
 * name is not followed. Nothing is opened but with O_PATH. Returns such a descriptor, or -errno.
 */
int target_find(const struct notify_call *call, int dirfd, const char *path, bool follow);

/*
 * The same. But if all of the path is in the mount of the tree (filters/places.h), and neither "..", a link nor
 * another mount is on the way, what is found has been opened with FLAGS, and DONE is true. It may be a directory.
 */
struct target_opening {
	int flags;
	bool done;
};
int target_find_or_open(const struct notify_call *call, int dirfd, const char *path, bool follow,
			struct target_opening *opening);

#endif
