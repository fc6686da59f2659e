/* SPDX-License-Identifier: MIT */
/* What the files that build the view share. All of it runs in PID 1: no heap, no errno. */
#ifndef NESTBOX_MOUNTNS_BUILD_H
#define NESTBOX_MOUNTNS_BUILD_H

#include <limits.h>

#include "mountns/view.h"

struct builder {
	const struct view *view;
	struct fault *fault;
	struct built built; /* -1 until they are there */
	bool own_root;      /* the root is a tmpfs of ours, not the host's */
	size_t own_count;   /* of view->own: device numbers of the tmpfs made here */
	struct { /* the directory that was walked to last, since siblings follow each other */
		char path[PATH_MAX];
		int fd; /* -1: none */
		bool own;
	} last;
};

/* A place in the new root: the directory and the name in it. */
struct place {
	int dir;
	bool own; /* the directory is on a file system made here: things may be created in it */
	char name[NAME_MAX + 1];
};

/* Walks to PATH's parent, making missing directories on our own file systems only. PLACE's
 * descriptor belongs to the builder. */
int build_find(struct builder *builder, const char *path, struct place *place);

/* The same for the directory PATH itself. Returns its descriptor, which the caller closes, and says
 * whether it is on a file system of ours. */
int build_directory(struct builder *builder, const char *path, bool *own);

/* Attaches the detached mount FD at PATH, making the thing to mount on where that is ours. */
int build_attach(struct builder *builder, int fd, const char *path, bool directory);

/* Makes a new file system with one option (KEY may be NULL). Returns a detached mount, or -errno. */
int build_filesystem(const char *type, const char *key, const char *value, unsigned int attributes);

/* Makes a tmpfs and remembers it as ours. Returns a detached mount, or -1 with the fault. */
int build_tmpfs(struct builder *builder, const char *mode, unsigned int attributes,
		const char *path);

/* Makes NAME in DIR, which is ours, a directory for everybody (mode 1777) that stays writable.
 * Returns 0, or -errno. */
int build_scratch(int dir, const char *name);

int build_proc(struct builder *builder, const char *dest);

/* The id maps are written through a procfs of the box, also when none is to be seen. */
int build_hidden_proc(struct builder *builder);

int build_dev(struct builder *builder, const char *dest);

#endif
