/* SPDX-License-Identifier: MIT */
/*
 * Following a path below a directory that it must not leave: by openat2(2) where the kernel has it and
 * nobody blocks it, else by a walk of our own with the same answers. No heap, no errno, no locks, and no
 * /proc: it runs in PID 1.
 */
#ifndef NESTBOX_MOUNTNS_RESOLVE_H
#define NESTBOX_MOUNTNS_RESOLVE_H

#include <sys/types.h>

enum resolve_backend {
	RESOLVE_AUTO, /* openat2; from the moment it is found missing or blocked, the walk */
	RESOLVE_BY_OPENAT2,
	RESOLVE_BY_WALK,
};

/* What ".." at the root, an absolute path and a link that leads out mean. */
enum resolve_scope {
	RESOLVE_BELOW,  /* an escape: -EXDEV. RESOLVE_BENEATH of openat2(2) */
	RESOLVE_INSIDE, /* the root is "/", as after chroot(2). RESOLVE_IN_ROOT */
};

struct resolver {
	int root; /* directory */
	enum resolve_backend backend;
};

/*
 * Opens PATH with the FLAGS and MODE of openat2(2). "" is the root itself. Magic links of procfs are
 * never followed (-ELOOP); of other links at most 40. MODE must be 0 unless FLAGS have O_CREAT or
 * O_TMPFILE. Returns a descriptor, which is closed on exec, or -errno: the same one from both backends.
 */
int resolve_open(struct resolver *resolver, const char *path, int flags, mode_t mode,
		 enum resolve_scope scope);

#endif
