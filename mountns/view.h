/* SPDX-License-Identifier: MIT */
/*
 * What the workload sees. The launcher prepares a view before anything is started: paths become
 * opened, identified sources in the order in which they are to be mounted. PID 1 then builds it,
 * in namespaces of its own, allocating nothing.
 */
#ifndef NESTBOX_MOUNTNS_VIEW_H
#define NESTBOX_MOUNTNS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mountns/fault.h"

/* Rights of a grant, to be OR-ed. Every grant may be read. */
enum { GRANT_READ = 1, GRANT_WRITE = 2, GRANT_EXEC = 4 };

/* A host path that is shown at its own place. */
struct grant {
	const char *path; /* as given; relative ones start at the working directory */
	unsigned int rights;
	bool optional; /* a path that does not exist is no error */
};

enum step_kind {
	STEP_TMPFS,
	STEP_DIR,
	STEP_SYMLINK,
	STEP_PROC,
	STEP_DEV,
	STEP_SCRATCH, /* the default /tmp: for everybody (mode 1777), noexec */
};

/* A thing that is made inside the box, with bubblewrap's meaning of the option of that name. */
struct mount_step {
	enum step_kind kind;
	const char *dest; /* absolute path in the box, without "." and ".." */
	const char *text; /* STEP_SYMLINK: what the link says */
};

/* A grant whose path was followed to its end. The descriptor pins the inode, so that device and
 * inode number identify it until it is mounted. */
struct source {
	char *path; /* canonical, absolute */
	unsigned int rights;
	int fd; /* O_PATH */
	bool directory;
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	size_t place; /* is mounted before the step of this index */
	size_t depth; /* number of components */
	size_t above; /* while sorting: 1 + index of the nearest source above this one, or 0 */
};

/* A symbolic link that was met on the way to a source, or a directory that ".." led out of again:
 * without it the way would end there inside. */
struct link {
	char *path; /* canonical, absolute */
	char *text; /* as readlink(2) gave it, in PATH's memory; NULL: a directory */
};

struct view {
	struct source *sources; /* in building order */
	size_t source_count;
	struct mount_step *steps; /* the defaults that are left, then the ones asked for */
	size_t step_count;
	struct link *links;
	size_t link_count;
	uint64_t *own; /* room for PID 1: the file systems that it made */
};

/*
 * Opens and identifies every source, merges those with one canonical path (rights add up), adds the
 * default /proc, /dev and /tmp where nothing else is put there, and sorts: a grant comes before the
 * first step at or below its path, parents before children. Changes nothing outside the process.
 * Returns 0, or -1 with the fault. mountns_release() frees a view, also after a failure.
 */
int mountns_prepare(struct view *view, const struct grant *grants, size_t grant_count,
		    const struct mount_step *steps, size_t step_count, struct fault *fault);

/* Closes the sources' descriptors, which would keep host mounts busy. */
void mountns_close_sources(const struct view *view);

void mountns_release(struct view *view);

/* Descriptors of a view that was built. */
struct built {
	int root;
	int proc; /* the box's own procfs, also when it is not to be seen */
	int sys;  /* its directory "sys", below the read-only cover of what is seen */
};

/*
 * Builds the view on top of "/" in a mount namespace of the caller's own, in which it needs
 * CAP_SYS_ADMIN. Returns 0, or -1 with the fault.
 */
int mountns_build(const struct view *view, struct built *built, struct fault *fault);

/* Makes ROOT the root and detaches all that was there before. Returns 0, or -1 with the fault. */
int mountns_enter(int root, struct fault *fault);

/* Pure helpers, public for the unit tests. */

/* Whether PATH is BASE or lies below it; both absolute and normalised. */
bool mountns_is_below(const char *path, const char *base);

/* Writes PATH without doubled slashes, "." and a trailing slash to OUT; "/" for the root. Returns
 * the length, or -1 when PATH is not absolute, has a ".." or needs more than SIZE bytes. */
int mountns_normalise(const char *path, char *out, size_t size);

#endif
