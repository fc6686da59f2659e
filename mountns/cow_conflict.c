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

static bool is_changed(const struct cow_store *store, const struct kernel_statx *stat)
{
	return S_ISDIR(stat->mode) ? cow_is_born_later(stat, &store->base)
				   : cow_is_later(stat, &store->base);
}

static int add(struct cow_tour *tour, enum cow_kind kind, bool directory, const char *path,
	       const char *name)
{
	const struct cow_change change = { .kind = kind, .directory = directory };

	return cow_add_change(tour->context, change, path, name);
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

static int scan_entry(struct cow_tour *tour, struct scan *scan, const char *name)
{
	struct kernel_statx stat;
	int error = cow_stat(scan->cursor.fd, name, &stat);

	if (error < 0)
		return error == -ENOENT ? 0 : error;
	if (is_changed(tour->store, &stat))
		error = add(tour, COW_DELETED, S_ISDIR(stat.mode), scan->path, name);
	return error == 0 && S_ISDIR(stat.mode) ? scan_down(scan, name) : error;
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
		error = scan_down(&scan, entry->name);
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
 * another name. In the first case the directory was changed; so it may be in the second, where two commits to
 * one directory meet, and that is a conflict more than there are.
 */
static bool is_gone(const struct cow_tour *tour, const struct cow_entry *entry)
{
	struct kernel_statx parent;

	if (!entry->origin || !cow_tour_has_lower(tour))
		return false;
	if (entry->type == COW_DIRECTORY) /* those have no other names */
		return true;
	return cow_stat(tour->lower.fd, "", &parent) == 0 &&
	       cow_is_later(&parent, &tour->store->base);
}

static enum cow_kind kind_of(const struct cow_entry *entry)
{
	if (entry->type == COW_WHITEOUT)
		return COW_DELETED;
	if (!entry->below)
		return COW_MODIFIED;
	return (entry->stat.mode & S_IFMT) == (entry->lower.mode & S_IFMT) ? COW_MODIFIED
									   : COW_TYPE;
}

static int check(struct cow_tour *tour, const struct cow_entry *entry)
{
	bool directory = entry->type == COW_DIRECTORY, conflict = false;

	if (!entry->below)
		conflict = is_gone(tour, entry);
	else if (!S_ISDIR(entry->lower.mode))
		conflict = is_changed(tour->store, &entry->lower) || (directory && entry->origin);
	else if (!directory && entry->origin)
		conflict = true;
	else if (!directory || entry->opaque == 'y')
		return scan_tree(tour, entry);
	return conflict ? add(tour, kind_of(entry), directory, tour->path, NULL) : 0;
}

static int conflict_entry(struct cow_tour *tour, struct cow_entry *entry)
{
	int error = 0;

	/* What is hidden was looked at as a whole. */
	if (!cow_tour_level(tour)->hidden)
		error = check(tour, entry);
	if (error < 0)
		return cow_tour_fault(tour, error);
	return entry->type == COW_DIRECTORY;
}

int cow_conflicts(struct cow_store *store, struct cow_changes *conflicts, struct fault *fault)
{
	static const struct cow_visits visits = { .entry = conflict_entry };

	if (cow_tour(store, &visits, conflicts, fault) < 0) {
		cow_free_changes(conflicts);
		return -1;
	}
	cow_sort_changes(conflicts);
	return conflicts->count == 0
		       ? 0
		       : cow_fault_text(store, fault, store->lower_path,
					"others have changed the same files meanwhile");
}
