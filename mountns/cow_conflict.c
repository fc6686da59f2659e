/* SPDX-License-Identifier: MIT */
/*
 * Who has changed the same files as the box meanwhile? A file's status change time tells, and of a directory,
 * where each commit of a neighbour changes that, only its birth time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountns/cow_commit.h"

#define UNSEEN "what was deleted holds what the command has not seen, or what cannot be removed"

/*
 * What a file keeps when it gets another name: its copy's "origin" does not tell, since in a user namespace
 * overlayfs notes no file handle.
 */
struct look {
	int64_t seconds;
	uint32_t nanoseconds;
	uint64_t size;
};

struct suspect { /* a copy whose lower file is not there */
	struct look look;
	char *path;
};

struct check {
	struct cow_changes *conflicts;
	struct look *covered; /* lower files that the changes hide or remove */
	size_t covered_count;
	struct suspect *suspects;
	size_t suspect_count;
	bool unseen; /* among the conflicts is what the box has not seen, or what we could not remove */
};

static bool is_changed(const struct cow_store *store, const struct kernel_statx *stat)
{
	return S_ISDIR(stat->mode) ? cow_is_born_later(stat, &store->base)
				   : cow_is_later(stat, &store->base);
}

static int add(struct cow_tour *tour, enum cow_kind kind, bool directory, const char *path,
	       const char *name)
{
	const struct cow_change change = { .kind = kind, .directory = directory };
	const struct check *check = tour->context;

	return cow_add_change(check->conflicts, change, path, name);
}

/* --- Files that have got other names -------------------------------------------------------------- */

/* Makes room for one more behind COUNT elements of SIZE bytes: more each time that is a power of two. */
static void *grow(void *list, size_t count, size_t size)
{
	return (count & (count - 1)) != 0 ? list
					  : reallocarray(list, count == 0 ? 1 : count * 2, size);
}

static struct look look_of(const struct kernel_statx *stat)
{
	return (struct look){ .seconds = stat->modification.seconds,
			      .nanoseconds = stat->modification.nanoseconds,
			      .size = stat->size };
}

/* The box may have renamed this lower file. */
static int note_covered(struct cow_tour *tour, const struct kernel_statx *stat)
{
	struct check *check = tour->context;
	struct look *covered = grow(check->covered, check->covered_count, sizeof(*covered));

	if (covered == NULL)
		return -ENOMEM;
	check->covered = covered;
	covered[check->covered_count++] = look_of(stat);
	return 0;
}

static int note_suspect(struct cow_tour *tour, const struct cow_entry *entry)
{
	struct check *check = tour->context;
	struct suspect *suspects = grow(check->suspects, check->suspect_count, sizeof(*suspects));

	if (suspects == NULL)
		return -ENOMEM;
	check->suspects = suspects;
	suspects += check->suspect_count;
	*suspects = (struct suspect){ look_of(&entry->stat), strdup(tour->path) };
	if (suspects->path == NULL)
		return -ENOMEM;
	check->suspect_count++;
	return 0;
}

static int compare_looks(const void *a, const void *b)
{
	const struct look *left = a, *right = b;

	if (left->seconds != right->seconds)
		return left->seconds < right->seconds ? -1 : 1;
	if (left->nanoseconds != right->nanoseconds)
		return left->nanoseconds < right->nanoseconds ? -1 : 1;
	if (left->size != right->size)
		return left->size < right->size ? -1 : 1;
	return 0;
}

/* Those which the box has not renamed were removed by others. */
static int add_suspects(struct check *check)
{
	const struct cow_change change = { .kind = COW_MODIFIED };
	int error = 0;

	if (check->covered_count > 0)
		qsort(check->covered, check->covered_count, sizeof(struct look), compare_looks);
	for (size_t i = 0; error == 0 && i < check->suspect_count; i++) {
		const struct suspect *suspect = &check->suspects[i];

		if (check->covered_count == 0 ||
		    bsearch(&suspect->look, check->covered, check->covered_count,
			    sizeof(struct look), compare_looks) == NULL)
			error = cow_add_change(check->conflicts, change, suspect->path, NULL);
	}
	return error;
}

/* --- A lower tree that goes ----------------------------------------------------------------------- */

struct scan {
	struct cow_cursor cursor; /* began where the tour is */
	struct scan_level {
		struct cow_names names;
		size_t next, length;
	} * levels;
	size_t room;
	char *path; /* as the tour's */
};

static int scan_down(struct scan *scan, const char *name)
{
	size_t depth = scan->cursor.depth, room = depth * 2, length = strlen(scan->path);
	struct scan_level *levels = scan->levels;
	char *path;
	int error = cow_cursor_down(&scan->cursor, name);

	if (error < 0)
		return error;
	if (depth > scan->room) {
		levels = reallocarray(levels, room, sizeof(*levels));
		if (levels == NULL)
			return -ENOMEM;
		memset(levels + scan->room, 0, (room - scan->room) * sizeof(*levels));
		scan->levels = levels;
		scan->room = room;
	}
	path = realloc(scan->path, length + strlen(name) + 2);
	if (path == NULL)
		return -ENOMEM;
	scan->path = path;
	/* The tour's own path ends with the first name. */
	if (depth > 1) {
		path[length] = '/';
		strcpy(path + length + 1, name);
	}
	levels[depth - 1] = (struct scan_level){ .length = length };
	return cow_names_read(&levels[depth - 1].names, scan->cursor.fd);
}

static int add_unseen(struct cow_tour *tour, bool directory, const char *path, const char *name)
{
	struct check *check = tour->context;

	check->unseen = true;
	return add(tour, COW_DELETED, directory, path, name);
}

static bool may_write(int dir, const struct kernel_statx *stat)
{
	return stat->uid == geteuid() || faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

/* Into the directory NAME, if all in it can be removed. */
static int scan_directory(struct cow_tour *tour, struct scan *scan, const char *name,
			  const struct kernel_statx *stat)
{
	int error = cow_may_enter(scan->cursor.fd, name);

	if (error == 0)
		error = scan_down(scan, name);
	if (error == -EACCES || error == -EPERM)
		return add_unseen(tour, true, scan->path, name);
	if (error == 0 && scan->levels[scan->cursor.depth - 2].names.count > 0 &&
	    !may_write(scan->cursor.fd, stat))
		error = add_unseen(tour, true, scan->path, NULL);
	return error;
}

static int scan_entry(struct cow_tour *tour, struct scan *scan, const char *name)
{
	struct kernel_statx stat;
	int error = cow_stat(scan->cursor.fd, name, &stat);

	if (error < 0)
		return error == -ENOENT ? 0 : error;
	if (is_changed(tour->store, &stat))
		error = add(tour, COW_DELETED, S_ISDIR(stat.mode), scan->path, name);
	else if (tour->store->backend == COW_NOTIFY && (S_ISCHR(stat.mode) || S_ISBLK(stat.mode)))
		error = add_unseen(tour, false, scan->path, name);
	if (error == 0 && S_ISREG(stat.mode))
		error = note_covered(tour, &stat);
	return error == 0 && S_ISDIR(stat.mode) ? scan_directory(tour, scan, name, &stat) : error;
}

static int scan_all(struct cow_tour *tour, struct scan *scan)
{
	struct scan_level *level;
	int error = 0;

	while (error == 0 && scan->cursor.depth > 1) {
		level = &scan->levels[scan->cursor.depth - 2];
		if (level->next < level->names.count) {
			error = scan_entry(tour, scan, level->names.list[level->next++]);
			continue;
		}
		scan->path[level->length] = '\0';
		cow_names_free(&level->names);
		error = cow_cursor_up(&scan->cursor);
	}
	return error;
}

/* The lower directory NAME is to be removed: everything in it that was changed is a conflict. */
static int scan_tree(struct cow_tour *tour, const struct cow_entry *entry)
{
	struct scan scan = { .path = strdup(tour->path) };
	int error = scan.path == NULL ? -ENOMEM : cow_cursor_start(&scan.cursor, tour->lower.fd);

	if (error == 0 && is_changed(tour->store, &entry->lower))
		error = add(tour, COW_DELETED, true, tour->path, NULL);
	if (error == 0)
		error = scan_directory(tour, &scan, entry->name, &entry->lower);
	if (error == 0)
		error = scan_all(tour, &scan);
	for (size_t i = 0; i < scan.room; i++)
		cow_names_free(&scan.levels[i].names);
	free(scan.levels);
	free(scan.path);
	cow_cursor_end(&scan.cursor);
	return error;
}

/* --- The visits ----------------------------------------------------------------------------------- */

/*
 * The box has copied a file up that is not there any more: somebody has removed it, or the box has given it
 * another name. In the first case the directory was changed. In the second the old file is among what
 * the changes hide; if the box has written to it as well, that is not known, and a conflict more than there are.
 */
static int check_gone(struct cow_tour *tour, const struct cow_entry *entry)
{
	struct kernel_statx parent;
	int error;

	if (!entry->origin || !cow_tour_has_lower(tour))
		return 0;
	/* Directories are never renamed: rename(2) says EXDEV. */
	if (entry->type == COW_DIRECTORY)
		return add(tour, COW_MODIFIED, true, tour->path, NULL);
	error = cow_stat(tour->lower.fd, "", &parent);
	if (error < 0 || !cow_is_later(&parent, &tour->store->base))
		return error;
	return note_suspect(tour, entry);
}

static enum cow_kind kind_of(const struct cow_entry *entry)
{
	if (entry->type == COW_WHITEOUT)
		return COW_DELETED;
	return (entry->stat.mode & S_IFMT) == (entry->lower.mode & S_IFMT) ? COW_MODIFIED
									   : COW_TYPE;
}

static int check_file(struct cow_tour *tour, const struct cow_entry *entry)
{
	bool directory = entry->type == COW_DIRECTORY;
	int error = 0;

	if (is_changed(tour->store, &entry->lower) || (directory && entry->origin))
		error = add(tour, kind_of(entry), directory, tour->path, NULL);
	if (error == 0 && S_ISREG(entry->lower.mode))
		error = note_covered(tour, &entry->lower);
	return error;
}

static int check_entry(struct cow_tour *tour, const struct cow_entry *entry)
{
	if (!entry->below)
		return check_gone(tour, entry);
	if (!S_ISDIR(entry->lower.mode))
		return check_file(tour, entry);
	if (entry->type != COW_DIRECTORY && entry->origin)
		return add(tour, COW_TYPE, false, tour->path, NULL);
	if (entry->type != COW_DIRECTORY || entry->opaque == 'y')
		return scan_tree(tour, entry);
	return 0;
}

/* Of a directory that is another's the mode cannot be changed; of what is mounted there nothing is. */
static int check_directory(const struct cow_store *store, const struct cow_entry *entry)
{
	const struct kernel_statx *lower = &entry->lower;

	if (geteuid() == 0 || lower->uid == geteuid() ||
	    (lower->mode & 07777) == (entry->stat.mode & 07777))
		return 0;
	return lower->dev_major == store->lower_major && lower->dev_minor == store->lower_minor
		       ? -EPERM
		       : -EXDEV;
}

/* Shall the commit be let do this? Else it would end in the middle of its work. */
static int check_rights(struct cow_tour *tour, const struct cow_entry *entry)
{
	struct kernel_statx dir;
	int error;

	if (!cow_tour_has_lower(tour) || (entry->type == COW_WHITEOUT && !entry->below))
		return 0;
	if (entry->type == COW_DIRECTORY && entry->below && S_ISDIR(entry->lower.mode) &&
	    entry->opaque != 'y')
		return check_directory(tour->store, entry);
	error = cow_stat(tour->lower.fd, "", &dir);
	if (error < 0)
		return error;
	if (!may_write(tour->lower.fd, &dir))
		return -EACCES;
	/* The sticky bit: unlink(2). */
	return geteuid() != 0 && (dir.mode & S_ISVTX) != 0 && dir.uid != geteuid() &&
			       entry->below && entry->lower.uid != geteuid()
		       ? -EPERM
		       : 0;
}

static int conflict_entry(struct cow_tour *tour, struct cow_entry *entry)
{
	int error = 0;

	/* What is hidden was looked at as a whole. */
	if (!cow_tour_level(tour)->hidden) {
		error = check_rights(tour, entry);
		if (error == 0)
			error = check_entry(tour, entry);
	}
	if (error < 0)
		return cow_tour_fault(tour, error);
	return entry->type == COW_DIRECTORY;
}

static void free_check(struct check *check)
{
	for (size_t i = 0; i < check->suspect_count; i++)
		free(check->suspects[i].path);
	free(check->suspects);
	free(check->covered);
}

int cow_conflicts(struct cow_store *store, struct cow_changes *conflicts, struct fault *fault)
{
	static const struct cow_visits visits = { .entry = conflict_entry };
	struct check check = { .conflicts = conflicts };
	int error = cow_tour(store, &visits, &check, fault);

	if (error == 0 && add_suspects(&check) < 0)
		error = cow_fault(store, fault, store->path, ENOMEM);
	free_check(&check);
	if (error < 0) {
		cow_free_changes(conflicts);
		return -1;
	}
	cow_sort_changes(conflicts);
	if (conflicts->count == 0)
		return 0;
	return cow_fault_text(store, fault, store->lower_path,
			      check.unseen ? UNSEEN
					   : "others have changed the same files meanwhile");
}
