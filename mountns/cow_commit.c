/* SPDX-License-Identifier: MIT */
/*
 * The commit. Each entry leaves the tree of changes in the very call that makes it real, so what is left there
 * is what is still to be done, and an interrupted commit goes on by beginning again. A directory stays, with
 * its mode and times noted in it, until all in it was done.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "mountns/cow_commit.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define LOCK_TRIES 1500 /* of 20 ms: 30 s */

/* --- Entries -------------------------------------------------------------------------------------- */

static int strip_open(struct cow_tour *tour, const struct cow_entry *entry, int fd)
{
	int error = cow_attributes_strip(fd);

	/* Attributes of a file that is not writable for its owner cannot be removed: xattr(7). */
	if (error != -EACCES)
		return error;
	error = cow_force(tour->upper.fd, entry->name, &entry->stat, 0600);
	return error < 0 ? error : cow_attributes_strip(fd);
}

/* Overlayfs's attributes go, and the mode is as it was, if that was interrupted before. */
static int strip(struct cow_tour *tour, const struct cow_entry *entry)
{
	int error, closed, fd;

	if (!S_ISREG(entry->stat.mode))
		return 0;
	fd = cow_open_file(tour->upper.fd, entry->name, &entry->stat, O_RDONLY);
	if (fd < 0)
		return fd;
	error = strip_open(tour, entry, fd);
	closed = cow_close_file(fd, &entry->stat);
	return error < 0 ? error : closed;
}

static int bring(struct cow_tour *tour, const struct cow_entry *entry)
{
	int error = strip(tour, entry);

	if (error == 0 && entry->below && S_ISDIR(entry->lower.mode))
		error = cow_remove(tour->lower.fd, entry->name, true);
	if (error == 0 && renameat(tour->upper.fd, entry->name, tour->lower.fd, entry->name) < 0)
		error = -errno;
	return error;
}

static int take_away(struct cow_tour *tour, const struct cow_entry *entry)
{
	int error = 0;

	if (entry->below)
		error = cow_remove(tour->lower.fd, entry->name, true);
	return error < 0 ? error : sys_unlinkat(tour->upper.fd, entry->name, 0);
}

/* From now on what is in the lower directory is the box's: it is not to be hidden again. */
static int uncover(struct cow_tour *tour, const struct cow_entry *entry)
{
	int error = 0, fd = sys_openat(tour->upper.fd, entry->name, DIRECTORY, 0);

	if (fd < 0)
		return fd;
	if (fremovexattr(fd, COW_OVERLAY_PREFIX "opaque") < 0 && errno != ENODATA)
		error = -errno;
	sys_close(fd);
	return error;
}

static int make_directory(struct cow_tour *tour, const struct cow_entry *entry)
{
	bool is_new = !entry->below || !S_ISDIR(entry->lower.mode) || entry->opaque == 'y';
	int error = 0;

	if (is_new && entry->below)
		error = cow_remove(tour->lower.fd, entry->name, true);
	if (error == 0 && is_new)
		error = sys_mkdirat(tour->lower.fd, entry->name, 0700);
	if (error == 0 && entry->opaque == 'y')
		error = uncover(tour, entry);
	return error;
}

static int commit_entry(struct cow_tour *tour, struct cow_entry *entry)
{
	int error;

	if (entry->type == COW_DIRECTORY)
		error = make_directory(tour, entry);
	else if (entry->type == COW_WHITEOUT)
		error = take_away(tour, entry);
	else
		error = bring(tour, entry);
	return error < 0 ? cow_tour_fault(tour, error) : entry->type == COW_DIRECTORY;
}

/* --- Directories ---------------------------------------------------------------------------------- */

static int commit_enter(struct cow_tour *tour, struct cow_level *level)
{
	struct kernel_statx lower;
	int error = cow_tour_has_lower(tour) ? 0 : -ESTALE;

	if (error == 0)
		error = cow_times_keep(tour->upper.fd, &level->stat);
	if (error == 0)
		error = cow_stat(tour->lower.fd, "", &lower);
	/* It gets its mode at the end. */
	if (error == 0 && (lower.mode & 0700) != 0700 && lower.uid == geteuid())
		error = cow_chmod(tour->lower.fd, "", (lower.mode & 07777) | 0700);
	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

/* NAME, or the cursors' own directory. */
static int give_attributes(struct cow_tour *tour, const char *name, const struct kernel_statx *stat)
{
	int upper = sys_openat(tour->upper.fd, name, DIRECTORY, 0), lower, error;

	if (upper < 0)
		return upper;
	lower = sys_openat(tour->lower.fd, name, DIRECTORY, 0);
	error = lower < 0 ? lower : cow_attributes_copy(upper, stat, lower, COW_COPY_ROOT);
	sys_close(upper);
	if (lower >= 0)
		sys_close(lower);
	return error;
}

static int commit_left(struct cow_tour *tour, const char *name, const struct cow_level *level)
{
	int error = give_attributes(tour, name, &level->stat);

	if (error == 0)
		error = sys_unlinkat(tour->upper.fd, name, AT_REMOVEDIR);
	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

static int commit_leave(struct cow_tour *tour, struct cow_level *level)
{
	int error = tour->upper.depth > 1 ? 0 : give_attributes(tour, ".", &level->stat);

	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

/* --- The whole ------------------------------------------------------------------------------------ */

static int lock_lower(struct cow_store *store, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(store->lower, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return cow_fault(store, fault, store->lower_path, errno);
		(void)nanosleep(&pause, NULL);
	}
	return cow_fault_text(store, fault, store->lower_path,
			      "another commit to it does not come to its end");
}

static int prepare(struct cow_store *store, struct cow_changes *conflicts, struct fault *fault)
{
	if (store->state == COW_COMMITTING)
		return 0;
	if (store->state == COW_RUNNING && store->backend == COW_NOTIFY)
		return cow_fault_text(store, fault, store->path,
				      "its changes were not collected yet");
	if (store->state == COW_RUNNING && cow_boot_check(store, fault) < 0)
		return -1;
	if (cow_conflicts(store, conflicts, fault) < 0 || cow_stage(store, fault) < 0)
		return -1;
	if (syncfs(store->staged[0] == '\0' ? store->dir : store->lower) < 0)
		return cow_fault(store, fault, store->path, errno);
	store->state = COW_COMMITTING;
	return cow_save(store, fault);
}

/* When the copy goes, which can be interrupted, too, nothing is left to be done. */
static bool is_done(const struct cow_store *store)
{
	struct kernel_statx stat;
	int copy, error;

	if (store->staged[0] == '\0')
		return false;
	copy = cow_open_staged(store);
	error = copy < 0 ? copy : cow_stat(copy, COW_UPPER, &stat);
	if (copy >= 0)
		sys_close(copy);
	return error == -ENOENT;
}

/* The copy goes, and the lower directory's times are again those that the box has seen. */
static int remove_copy(struct cow_store *store, int upper, struct kernel_statx *stat)
{
	struct cow_marks marks;
	int error = cow_marks_read(&marks, upper);

	cow_times_before(&marks, stat);
	if (error == 0)
		error = cow_times_keep(upper, stat);
	if (error == 0)
		error = cow_remove(store->lower, store->staged, true);
	if (error == 0)
		error = cow_attributes_copy(upper, stat, store->lower, COW_COPY_ROOT);
	if (error == 0 && fsync(store->lower) < 0)
		error = -errno;
	return error;
}

/* With a copy upper/ is still full; that the copy is gone says that nothing is to be done any more. */
static int finish_copy(struct cow_store *store)
{
	struct kernel_statx stat;
	int error, upper = cow_open_upper(store->dir, &stat);

	if (upper < 0)
		return upper;
	error = remove_copy(store, upper, &stat);
	sys_close(upper);
	return error < 0 ? error : cow_remove(store->dir, COW_UPPER, true);
}

/* The store gets an upper directory without changes. */
static int finish(struct cow_store *store, struct fault *fault)
{
	int error = syncfs(store->lower) < 0 ? -errno : 0;

	if (error == 0 && store->staged[0] != '\0')
		error = finish_copy(store);
	if (error == 0)
		error = cow_make_upper(store);
	if (error < 0)
		return cow_fault(store, fault, store->path, error);
	store->staged[0] = '\0';
	store->state = COW_ENDED;
	/* From the old one the commit would go on, and find nothing to be done. */
	return cow_save_until(store, COW_SAVED_WHOLE, fault);
}

static int commit(struct cow_store *store, struct cow_changes *conflicts, struct fault *fault)
{
	static const struct cow_visits visits = {
		.enter = commit_enter,
		.entry = commit_entry,
		.leave = commit_leave,
		.left = commit_left,
	};

	if (prepare(store, conflicts, fault) < 0)
		return -1;
	if (!is_done(store) && cow_tour(store, &visits, NULL, fault) < 0)
		return -1;
	return finish(store, fault);
}

int cow_commit(struct cow_store *store, struct cow_changes *conflicts, struct fault *fault)
{
	mode_t mask = umask(0);
	int error;

	*conflicts = (struct cow_changes){ 0 };
	error = lock_lower(store, fault);
	if (error == 0) {
		error = commit(store, conflicts, fault);
		(void)flock(store->lower, LOCK_UN);
	}
	(void)umask(mask);
	return error;
}
