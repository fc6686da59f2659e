/* SPDX-License-Identifier: MIT */
/*
 * Mounts, made in one of two ways: by the calls of Linux 5.2 and 5.12, which work on descriptors, or by
 * mount(2) where one of these is missing or blocked. Whoever calls does not know which.
 *
 * A new mount is a descriptor of its root, and in no place until it is attached; mount(2), which cannot
 * do that, has it wait on a stage, which is a tmpfs that is no part of the view. Nothing else may be
 * mounted between making one and attaching it. All of it runs in PID 1: no heap, no errno.
 */
#ifndef NESTBOX_MOUNTNS_MOUNT_H
#define NESTBOX_MOUNTNS_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

struct mounter {
	bool classic; /* the way of mount(2), from the first time on that the other one failed */
	int stage;    /* directory; -1: none yet */
	int files;    /* the same, on a tmpfs of its own */
};

/* An option of a file system; VALUE is NULL for a flag. */
struct mount_option {
	const char *key, *value;
};

#define MOUNT_OPTIONS_SIZE 1024 /* bytes that all options of a file system take at the most */

/* Makes a new file system. ATTRIBUTES are MOUNT_ATTR_*. Returns the mount, or -errno. */
int mount_make(struct mounter *mounter, const char *type, const struct mount_option *options,
	       size_t count, unsigned int attributes);

/* Makes one by the calls of Linux 5.2 alone. Returns it as a descriptor for fsmount(2), or -errno. */
int mount_new_file_system(const char *type, const struct mount_option *options, size_t count);

/* The same as mount_make() with mount(2)'s DATA, for what does not fit into options. */
int mount_make_classic(struct mounter *mounter, const char *type, const char *data,
		       unsigned int attributes);

/* Clones the mount at PATH in DIR and sets ATTRIBUTES on the clone. FLAGS may be AT_RECURSIVE (the
 * mounts below it come along, and get the attributes, too), AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW.
 * Returns the mount, or -errno. */
int mount_clone(struct mounter *mounter, int dir, const char *path, unsigned int flags,
		unsigned int attributes);

/* Mounts MOUNT on NAME in DIR, which is not followed should it be a link, or on DIR itself where NAME is "".
 * Returns 0, or -errno. */
int mount_attach(struct mounter *mounter, int mount, int dir, const char *name);

/* Changes attributes of a mount that is attached. Returns 0, or -errno. */
int mount_change(struct mounter *mounter, int mount, unsigned int set, unsigned int clear);

/* A tmpfs of ours that is in no view, for files without a name. Returns its root, a descriptor that is
 * the mounter's, or -errno. */
int mount_files(struct mounter *mounter);

/* Whether recursive clones of what is above MOUNT leave that one out. Returns 0, or -errno. */
int mount_hide(struct mounter *mounter, int mount, bool hide);

/* Takes the stage away, when all that was made is attached. */
void mount_finish(struct mounter *mounter);

/* Whether ERROR is what a call that the kernel lacks, or a seccomp profile blocks, answers. */
bool mount_is_missing(int error);

#define FD_PATH_SIZE 32

/* Writes "/proc/self/fd/FD", by which a call that wants a path gets the very file of FD. */
void mount_fd_path(char path[FD_PATH_SIZE], int fd);

/* Sets ATTRIBUTES on MOUNT and on all mounts below it by mount(2). Returns 0, or -errno. */
int mount_change_below(int mount, unsigned int attributes);

#endif
