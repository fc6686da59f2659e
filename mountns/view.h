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
enum {
	GRANT_READ = 1,
	GRANT_WRITE = 2,
	GRANT_EXEC = 4,
	GRANT_DEVICES = 8, /* steps only */
	/* A regular file that is not GRANT_WRITE. What is seen is read-only, and PID 1 gets a mount
	 * for whoever writes to its end: filters/append.h. */
	GRANT_APPEND = 16,
};

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
	/* STEP_BIND, STEP_OVERLAY: FD is a mount that is attached nowhere, and what else would be paths on the
	 * host are names of directories in its root. */
	STEP_DETACHED = 8,
	STEP_VOLATILE = 16, /* STEP_OVERLAY: nothing is synced, for whoever does that later */
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

/* The kernel takes no more lower layers for one overlay. */
#define VIEW_LAYERS_MAX 500

/* A file of the host that was followed to its end. The descriptor pins the inode, so that device and
 * inode number identify it until it is mounted. */
struct source {
	char *path; /* without a link; of a grant canonical and absolute */
	unsigned int rights;
	int fd; /* O_PATH */
	bool directory;
	bool own_namespace; /* a file of /proc/self/ns: who mounts it is "self", not the launcher */
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	/* Of a grant: */
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

/* Who hears of each mount of the view while PID 1 makes it: CONTEXT, a descriptor of the mount's root, and
 * the rights that the mount gives. Returns 0, or -errno, which ends the building. */
struct view_watcher {
	int (*placed)(const void *context, int mount, unsigned int rights, bool directory);
	const void *context;
};

struct view {
	struct source *sources; /* of grants, in building order */
	size_t source_count;
	struct mount_step *steps; /* the defaults that are left, then the ones asked for */
	size_t step_count;
	/* What the steps name, in their order: the source of a STEP_BIND or a STEP_LAYER, both directories
	 * of a STEP_OVERLAY. */
	struct source *pins;
	size_t pin_count, pin_room;
	struct source
		console; /* the terminal that is standard output; its path is NULL if none is */
	struct link *links;
	size_t link_count;
	/* As requested. */
	bool bare, touch_host, host_proc, own_init, own_terminal, nests, strangers, borrows_proc;
	const char *label;           /* file_label, as requested */
	struct view_watcher watcher; /* as requested */
	uint64_t nofile; /* the soft limit of RLIMIT_NOFILE before it was raised; 0: it was not */
	/* Room for PID 1, which has no heap. */
	uint64_t *own;   /* hash table of mounts that it made, by their ids */
	size_t own_size; /* a power of two */
	int *appends;    /* a mount of each source with GRANT_APPEND, in their order, once built */
	size_t append_count;
	char *text; /* PATH_MAX bytes, where there is a STEP_SYMLINK: what a fault is about */
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
	bool own_init;  /* process 1 is the workload's: its files in /proc are not covered */
	bool nests;     /* boxes in the box may mount a procfs of their own */
	bool strangers; /* the workload's user ids are neither the caller's nor root's */
	bool host_proc; /* STEP_PROC shows the host's, for a box in the host's PID namespace */
	/* Where a procfs that is not to be seen cannot be made, the outer one will do. */
	bool borrows_proc;
	const char *file_label;      /* SELinux label for file systems that are made; NULL: none */
	struct view_watcher watcher; /* without a function: nobody */
	bool own_terminal; /* the box has one, the first of its devpts; it is the console, too */
};

/*
 * Opens and identifies every source, merges grants with one canonical path (rights add up), adds the
 * default /proc, /dev and /tmp where nothing else is put there, and sorts: a grant comes before the
 * first step at or below its path, parents before children. Changes nothing outside the process, whose
 * soft limit of descriptors is raised where there are more sources than it allows; VIEW has the old one.
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
	int proc;      /* the box's own procfs, also when it is not to be seen */
	int sys;       /* its directory "sys", below the read-only cover of what is seen */
	bool borrowed; /* these are the outer procfs: "self" is right, "sys" may be read-only */
};

/*
 * Builds the view on top of "/" in a mount namespace of the caller's own, in which it needs
 * CAP_SYS_ADMIN. Returns 0, or -1 with the fault.
 */
int mountns_build(const struct view *view, struct built *built, struct fault *fault);

/* Makes ROOT the root and detaches all that was there before; where pivot_root(2) is refused, that stays
 * below it if MAY_CHROOT, out of reach for who cannot unmount. Returns 0, or -1 with the fault. */
int mountns_enter(int root, bool may_chroot, struct fault *fault);

/* In place of the limit that is to be written to a procfs: after the first, which is for process 1 once it has
 * entered the root, a process that calls the second, for which it needs CAP_SYS_CHROOT, can make no user namespaces
 * any more, nor can those that it starts. Return 0, or -1 with the fault. */
int mountns_set_apart(struct built *built, struct fault *fault);
int mountns_enter_apart(const struct built *built, struct fault *fault);

/* Pure helpers, public for the unit tests. */

/* Whether PATH is BASE or lies below it; both absolute and normalised. */
bool mountns_is_below(const char *path, const char *base);

/* Writes PATH without doubled slashes, "." and a trailing slash to OUT; "/" for the root. Returns
 * the length, or -1 when PATH is not absolute, has a ".." or needs more than SIZE bytes. */
int mountns_normalise(const char *path, char *out, size_t size);

/* The same for a destination in the box, which starts at "/" in any case: ".." takes away what is before
 * it, as if there were no links. Returns the length, or -1 when it needs more than SIZE bytes. */
int mountns_flatten(const char *path, char *out, size_t size);

#endif
