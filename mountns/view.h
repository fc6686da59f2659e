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
	STEP_BIND,    /* the host's SOURCE, or what FD is open on, is shown at DEST */
	STEP_TMPFS,   /* empty; MODE, SIZE */
	STEP_DIR,     /* MODE; one that is there is left as it is */
	STEP_SYMLINK, /* says TEXT */
	STEP_FILE,    /* holds what FD gives to its end; MODE */
	STEP_DATA,    /* the same in a file without a name elsewhere, mounted on DEST */
	STEP_CHMOD,   /* MODE for DEST, which must exist */
	STEP_REMOUNT, /* the mount at DEST, without those below it, becomes read-only */
	STEP_PROC,    /* procfs */
	STEP_DEV,     /* a small /dev */
	STEP_MQUEUE,  /* the message queues of the box's IPC namespace: mq_overview(7) */
	STEP_LAYER, /* no mount of its own: SOURCE is the next, upper layer of the overlay below */
	STEP_OVERLAY, /* of the layers right before it; changes go to SOURCE, TEXT is the workdir */
	STEP_TMP_OVERLAY, /* changes go to a tmpfs that nobody sees */
	STEP_RO_OVERLAY,  /* no changes */
	STEP_SCRATCH,     /* the default /tmp: for everybody (mode 1777), noexec */
};

/* Properties of a step, to be OR-ed. */
enum {
	STEP_READ_ONLY = 1, /* STEP_BIND, STEP_DATA */
	STEP_DEVICES = 2,   /* STEP_BIND: devices work */
	STEP_OPTIONAL = 4,  /* STEP_BIND: a source that does not exist is no error */
};

/*
 * A thing that is made inside the box, with bubblewrap's meaning of the option of that name. Symbolic
 * links on the way to DEST are followed inside the box and never out of it, as chroot(2) would.
 */
struct mount_step {
	enum step_kind kind;
	unsigned int flags;
	const char *dest;   /* path in the box; a relative one starts at "/" */
	const char *source; /* path on the host; relative ones start at the working directory */
	const char *text;
	int fd;        /* of the caller; -1: none */
	int mode;      /* permission bits; -1: what bubblewrap takes for that kind */
	uint64_t size; /* in bytes; 0: what tmpfs(5) takes */
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

/* What a view is made from. */
struct view_request {
	const struct grant *grants;
	size_t grant_count;
	const struct mount_step *steps;
	size_t step_count;
	/* bubblewrap's habits. By default there are a /proc, a /dev and a /tmp that nobody asked for,
	 * and "/" is read-only at the end; a bare view has nothing but its steps. */
	bool bare;
	/* By default nothing is made or changed on the host. Else what a step needs is made (parents,
	 * targets of mounts) or changed (STEP_FILE, STEP_CHMOD) also below a writable bind, and
	 * directories on the way to a mount are not pinned against being renamed. */
	bool touch_host;
	bool host_proc; /* STEP_PROC shows the host's, for a box in the host's PID namespace */
	const char *file_label; /* SELinux label for file systems that are made; NULL: none */
};

/*
 * Opens and identifies every source, merges grants with one canonical path (rights add up), adds the
 * default /proc, /dev and /tmp where nothing else is put there, and sorts: a grant comes before the
 * first step at or below its path, parents before children. Changes nothing outside the process.
 * The view keeps pointers into REQUEST's lists. Returns 0, or -1 with the fault. mountns_release()
 * frees a view, also after a failure.
 */
int mountns_prepare(struct view *view, const struct view_request *request, struct fault *fault);

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
