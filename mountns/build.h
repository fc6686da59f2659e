/* SPDX-License-Identifier: MIT */
/* What the files that build the view share. All of it runs in PID 1: no heap, no errno. */
#ifndef NESTBOX_MOUNTNS_BUILD_H
#define NESTBOX_MOUNTNS_BUILD_H

#include <limits.h>

#include "mountns/mount.h"
#include "mountns/resolve.h"
#include "mountns/view.h"

struct kernel_statx;

/* Which symbolic links on the way to a destination are followed, always inside the root. */
enum links {
	LINKS_NONE, /* the path is the thing's own, or something is wrong */
	LINKS_ON_THE_WAY,
	LINKS_ALL, /* also the last component */
};

struct builder {
	const struct view *view;
	struct fault *fault;
	struct built built; /* -1 until they are there; the root is the resolver's */
	struct resolver resolver;
	struct mounter mounter;
	bool own_root;     /* the root is a tmpfs of ours that nobody asked for */
	size_t next_pin;   /* of view->pins: the next step's */
	size_t next_grant; /* of view->sources: the next one to be mounted */
	size_t overlays;   /* and other things that were given a place on the stage */
	struct {           /* the host's "/", over which the new root lies */
		bool known;
		uint64_t device, inode;
	} host_root;
	struct {         /* the parent of the last destination, since siblings follow each other */
		int dir; /* -1: none */
		bool ours;   /* things may be made in it */
		bool cached; /* the path of the room leads to it, with such links */
		enum links links;
	} last;
	struct room *room;
};

/* Paths, which are not to be cleared for every view. */
struct room {
	char last[PATH_MAX];        /* of the last parent */
	char canonical[PATH_MAX];   /* of a walk: what it has reached … */
	char pending[2 * PATH_MAX]; /* … and what is left */
};

/* --- place.c: destinations ---------------------------------------------------------------------- */

/* A destination. What is missing is made where nothing of the host is touched, or may be. */
struct wanted {
	const char *path;
	enum links links;
	bool directory;
	mode_t parents, mode; /* of what is made */
	const char *step;     /* in faults; NULL: "mkdir parents", "mkdir" and "create file" */
};

/* The directory that a destination is in, which stays the builder's, and its name there; without a
 * name it is that directory itself. */
struct place {
	int dir;
	bool ours;   /* things may be made in it */
	bool linked; /* the name is from a link's text */
	char name[NAME_MAX + 1];
};

/* Finds or makes the parents. Returns 0, or -1 with the fault. */
int place_find(struct builder *builder, const struct wanted *wanted, struct place *place);

/* A destination to be mounted on: the place, or what FD is open on, or the root. */
struct target {
	struct place place;
	int fd; /* O_PATH; -1: none */
	bool root;
};

/* Finds or makes the thing itself; the target is for one build_attach(), or place_close(). Returns 0, or -1
 * with the fault. */
int place_open(struct builder *builder, const struct wanted *wanted, struct target *target);
void place_close(struct target *target);

/* Opens a file for writing, emptied: creat(2). Returns a descriptor, or -1 with the fault. */
int place_create(struct builder *builder, const struct wanted *wanted);

/* Opens (O_PATH) what has to be there. Returns a descriptor, or -1 with the fault of STEP. */
int place_existing(struct builder *builder, const char *path, const char *step);

/* Forgets the last parent. */
void place_forget(struct builder *builder);

/* walk.c: sets PLACE to what the path leads to, component by component. Its directory becomes the last
 * parent, for this time only. Returns 0, or -errno. */
int place_walk(struct builder *builder, const struct wanted *wanted, struct place *place);

/* How much of PATH is slashes and "." components, which are nothing to walk. */
size_t place_skip(const char *path);

/* --- append.c: files that may be written to at their end ----------------------------------------- */

/* Makes a writable mount of each that is attached nowhere, in the view's APPENDS. Returns 0, or -1 with the
 * fault. */
int append_clone(struct builder *builder);

/* --- build.c: mounts in the view ---------------------------------------------------------------- */

/* Attaches MOUNT at TARGET. Both are closed, but for a new root. Returns 0, or -errno. */
/* Refuses TARGET, to which WANTED has led through a link, where a grant that comes later would cover it.
 * Returns 0, or -1 with the fault. */
int build_check_grants(struct builder *builder, const struct wanted *wanted,
		       const struct target *target);

int build_attach(struct builder *builder, int mount, struct target *target);

/* The same for a mount that is still to be used: it stays open. */
int build_attach_kept(struct builder *builder, int mount, struct target *target);

/* Tells the view's watcher what MOUNT, which is to be seen in the view, allows. Returns MOUNT; an error goes
 * through, and one of the watcher's closes MOUNT. */
int build_told(const struct builder *builder, int mount, unsigned int rights, bool directory);

/* Remembers that the file system of MOUNT is ours, so that things may be made on it. Returns 0, or
 * -errno. */
int build_own(struct builder *builder, int mount);

/* Whether STAT, or what FD is open on, is on a file system of ours; for the latter also if it is the
 * host's, which may be touched. */
bool build_is_own(const struct builder *builder, const struct kernel_statx *stat);
int build_may_change(const struct builder *builder, int fd);

/* Whether PLACE's directory is on a file system of ours. */
bool build_is_ours(const struct builder *builder, const struct place *place);

/* Makes a tmpfs of our own with MODE (octal) and SIZE. Returns a mount, or -errno. */
int build_tmpfs(struct builder *builder, const char *mode, uint64_t size, unsigned int attributes);

/* Attaches MOUNT, which is so nowhere, where nobody sees it: before Linux 6.15 an overlay takes no layers from it,
 * and no directory of it can be cloned, until it is in this mount namespace. Returns 0, or -errno. */
int build_attach_unseen(struct builder *builder, int mount);

/* Makes NAME in DIR, which is ours, a directory for everybody (mode 1777) that stays writable.
 * Returns 0, or -errno. */
int build_scratch(struct builder *builder, int dir, const char *name);

/* The destination of a step that is mounted on. MODE is the step's. */
struct wanted build_wanted(const struct mount_step *step, bool directory, mode_t mode);

#define NUMBER_SIZE 24

/* Writes VALUE in BASE, which is 8 or 10. */
void build_number(char text[NUMBER_SIZE], uint64_t value, unsigned int base);

/* --- The steps ---------------------------------------------------------------------------------- */

/* Clones /dev/null, and makes sure that it is that. Returns a mount, or -1 with the fault. */
int dev_clone_null(struct builder *builder, unsigned int attributes);

/* Clones SOURCE's tree with the rights that it has. Returns a mount, or -1 with the fault of STEP. */
int bind_clone(struct builder *builder, const struct source *source, const char *step);

/* The same for a tree that is not to be seen, and of which nobody is told. */
int bind_clone_hidden(struct builder *builder, const struct source *source, const char *step);

/* Checks that FD is open on SOURCE. Returns 0, or -1 with the fault of STEP. */
int bind_check(struct builder *builder, const struct source *source, int fd, const char *step);

/* Opens SOURCE anew, in this mount namespace. Returns a descriptor (O_PATH), or -1 with the fault. */
int bind_open(struct builder *builder, const struct source *source);

/* The next step's source. */
const struct source *bind_next(struct builder *builder);

int bind_grant(struct builder *builder, const struct source *source);

/* The mode of STEP, or what is taken when none is given. */
mode_t step_mode(const struct mount_step *step);

/* Puts MOUNT, which may be an error, at TARGET, which is STEP's destination. Returns 0, or -1 with the fault
 * that is called NAME. */
int step_put(struct builder *builder, const struct mount_step *step, const char *name, int mount,
	     struct target *target);

int step_bind(struct builder *builder, const struct mount_step *step);
int step_tmpfs(struct builder *builder, const struct mount_step *step);
int step_dir(struct builder *builder, const struct mount_step *step);
int step_symlink(struct builder *builder, const struct mount_step *step);
int step_file(struct builder *builder, const struct mount_step *step);
int step_data(struct builder *builder, const struct mount_step *step);
int step_chmod(struct builder *builder, const struct mount_step *step);
int step_remount(struct builder *builder, const struct mount_step *step);
int step_mqueue(struct builder *builder, const struct mount_step *step);
int step_layer(struct builder *builder, const struct mount_step *step);
int step_overlay(struct builder *builder, const struct mount_step *step);
int step_scratch(struct builder *builder, const struct mount_step *step);
int step_proc(struct builder *builder, const struct mount_step *step);
int step_dev(struct builder *builder, const struct mount_step *step);

/* The id maps are written through a procfs of the box, also when none is to be seen. */
int proc_hidden(struct builder *builder);

#endif
