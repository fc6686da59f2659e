/* SPDX-License-Identifier: MIT */
/*
 * --append: files that the workload may read, and write only at their end. How that is held:
 *
 *  1. What is seen in the box is a read-only mount: whatever is not answered by the listener fails with
 *     EROFS, for instance when somebody exchanges the path after the listener has looked.
 *  2. Opening for writing is answered (filters/append.profile): if the path leads to one of the files, and
 *     the flags are such that a file with chattr(1)'s "a" would take them, the caller gets a descriptor
 *     that the listener has opened with O_WRONLY and O_APPEND, each time anew. It cannot be mapped, and the
 *     kernel refuses copy_file_range, splice, sendfile and cloning to it. Flags to read as well (O_RDWR)
 *     are refused, since that could be mapped.
 *  3. That descriptor is on a mount that must be writable, and /proc/self/fd leads to it. So the mount is
 *     one of the file alone that is attached nowhere (nosuid, nodev, noexec), and the workload is in a
 *     Landlock domain in which files can be opened for writing and truncated below the box's root and
 *     nowhere else: no rule is about the file, and from that mount no way leads up to one that has a
 *     rule. This asks nothing of the listener, so there is no moment between check and use.
 *  4. O_APPEND is taken away by nobody: fcntl(F_SETFL) without it is answered by the listener, which gets
 *     the same open file by pidfd_getfd(2), and sets the flags itself. ftruncate(2) likewise.
 *  5. What writes elsewhere in spite of O_APPEND is refused to all: RWF_NOAPPEND, asynchronous I/O, holes,
 *     ioctls of file systems.
 *
 * The mode, owner, times and extended attributes of the file are not held: by such a descriptor a workload
 * changes them as far as it could as their owner. Nor is a writable grant of a directory with another name
 * for the file (a hard link), which leads there without any of this.
 */
#ifndef FILTERS_APPEND_H
#define FILTERS_APPEND_H

#include "filters/notify.h"

struct append_file {
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	int mount; /* its root is the file; O_PATH. -1: only the numbers above say which one it is */
};

/* The context of the handlers. */
struct append {
	const struct append_file *files;
	size_t count;
};

extern const struct notify_row append_rows[];
extern const size_t append_row_count;

/* Whether the kernel has what that needs. Returns NULL, or in words what it lacks; *ERROR is the errno. */
const char *append_probe(int *error);

/* Puts the calling process, whose "/" is the box's root, into the domain of point 3. It may open anew for
 * writing what its descriptors 0, 1, 2 and the COUNT ones in FDS are, too ("/dev/stdout"), unless that is
 * one of the files. Needs no_new_privs. Returns 0, or -errno. */
int append_confine(const struct append *append, const int *fds, size_t count);

#endif
