/* SPDX-License-Identifier: MIT */
/* A walk through the tree of changes. See cow_tour.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountns/cow_tour.h"

struct cow_level *cow_tour_level(struct cow_tour *tour)
{
	return &tour->levels[tour->upper.depth - 1];
}

bool cow_tour_has_lower(const struct cow_tour *tour)
{
	return tour->lower.depth == tour->upper.depth;
}

int cow_tour_fault(struct cow_tour *tour, int error)
{
	const char *path = tour->path[0] == '\0' ? tour->store->lower_path : tour->path;

	if (error == -EXDEV)
		return cow_fault_text(tour->store, tour->fault, path,
				      "a file system is mounted there");
	if (error == -EPROTO)
		return cow_fault_text(tour->store, tour->fault, path,
				      "has attributes of another kind of overlay");
	if (error == -ESTALE)
		return cow_fault_text(tour->store, tour->fault, path,
				      "was moved by somebody meanwhile");
	if (error == -E2BIG)
		return cow_fault_text(tour->store, tour->fault, tour->store->lower_path,
				      "has more changes than can be listed");
	return cow_fault(tour->store, tour->fault, path, error);
}

/* --- Where it is ---------------------------------------------------------------------------------- */

/* The path becomes LENGTH bytes of it and NAME. */
static int set_path(struct cow_tour *tour, size_t length, const char *name)
{
	size_t need = length + strlen(name) + 2;
	char *path = tour->path;

	if (need > tour->path_room) {
		path = realloc(path, need * 2);
		if (path == NULL)
			return -ENOMEM;
		tour->path = path;
		tour->path_room = need * 2;
	}
	if (length > 0)
		path[length++] = '/';
	strcpy(path + length, name);
	return 0;
}

/* The level of the directory that the upper cursor has come to. */
static int push(struct cow_tour *tour, const struct cow_level *level)
{
	size_t room = tour->room * 2 + 8;
	struct cow_level *levels;
	int error;

	if (tour->upper.depth > tour->room) {
		levels = reallocarray(tour->levels, room, sizeof(*levels));
		if (levels == NULL)
			return -ENOMEM;
		memset(levels + tour->room, 0, (room - tour->room) * sizeof(*levels));
		tour->levels = levels;
		tour->room = room;
	}
	levels = cow_tour_level(tour);
	*levels = *level;
	error = cow_marks_read(&levels->marks, tour->upper.fd);
	cow_times_before(&levels->marks, &levels->stat);
	return error < 0 ? error : cow_names_read(&levels->names, tour->upper.fd);
}

/* --- The way -------------------------------------------------------------------------------------- */

static int down(struct cow_tour *tour, const struct cow_entry *entry)
{
	const struct cow_level *parent = cow_tour_level(tour);
	const struct cow_level level = {
		.stat = entry->stat,
		.hidden = parent->hidden || entry->opaque == 'y',
		.forced = (entry->stat.mode & 0700) != 0700 && geteuid() != 0,
		.length = strlen(tour->path),
	};
	bool has_lower = cow_tour_has_lower(tour);
	int error = 0;

	if (has_lower)
		error = cow_cursor_down(&tour->lower, entry->name);
	/* A visit has told whether it is a directory; it may have become anything since. */
	if (error < 0 && error != -ENOENT && error != -ENOTDIR && error != -ELOOP)
		return error;
	error = cow_cursor_down(&tour->upper, entry->name);
	return error < 0 ? error : push(tour, &level);
}

static int up(struct cow_tour *tour)
{
	int error = 0;

	if (cow_tour_has_lower(tour))
		error = cow_cursor_up(&tour->lower);
	return error < 0 ? error : cow_cursor_up(&tour->upper);
}

/* The directory that it has left gets its mode back. */
static int restore(struct cow_tour *tour, const struct cow_level *left, const char *name)
{
	int error;

	if (!left->forced)
		return 0;
	error = cow_chmod(tour->upper.fd, name, left->stat.mode & 07777);
	return error == -ENOENT ? 0 : error;
}

static int visit(struct cow_tour *tour, const struct cow_visits *visits, const char *name)
{
	struct cow_level *level = cow_tour_level(tour);
	struct cow_entry entry;
	int error = set_path(tour, level->length, name);

	if (error == 0)
		error = cow_entry_read(&entry, tour->upper.fd, name, &level->marks);
	if (error < 0)
		return cow_tour_fault(tour, error);
	if (cow_tour_has_lower(tour)) {
		error = cow_stat(tour->lower.fd, name, &entry.lower);
		entry.below = error == 0;
		if (error < 0 && error != -ENOENT)
			return cow_tour_fault(tour, error);
	}
	error = visits->entry(tour, &entry);
	if (error <= 0)
		return error;
	error = down(tour, &entry);
	if (error < 0)
		return cow_tour_fault(tour, error);
	return visits->enter == NULL ? 0 : visits->enter(tour, cow_tour_level(tour));
}

/* Of the directory it is in everything was visited. */
static int leave(struct cow_tour *tour, const struct cow_visits *visits)
{
	struct cow_level *level = cow_tour_level(tour), left;
	const char *name;
	int error;

	tour->path[level->length] = '\0';
	if (visits->leave != NULL && visits->leave(tour, level) < 0)
		return -1;
	if (tour->upper.depth == 1) {
		cow_names_free(&level->names);
		return 0;
	}
	cow_names_free(&level->names);
	left = *level;
	error = up(tour);
	if (error < 0)
		return cow_tour_fault(tour, error);
	level = cow_tour_level(tour);
	name = level->names.list[level->next - 1];
	if (visits->left != NULL && visits->left(tour, name, &left) < 0)
		return -1;
	error = restore(tour, &left, name);
	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

static int run(struct cow_tour *tour, const struct cow_visits *visits)
{
	struct cow_level *level;
	bool root;
	int error;

	while (true) {
		level = cow_tour_level(tour);
		root = tour->upper.depth == 1;
		if (level->next < level->names.count) {
			error = visit(tour, visits, level->names.list[level->next++]);
			root = false;
		} else {
			error = leave(tour, visits);
		}
		if (error < 0 || root)
			return error;
	}
}

/* After a failure: modes as they were. */
static void unwind(struct cow_tour *tour)
{
	while (tour->upper.depth > 1) {
		const struct cow_level left = *cow_tour_level(tour);
		const struct cow_level *level;

		if (cow_cursor_up(&tour->upper) < 0)
			return;
		level = cow_tour_level(tour);
		(void)restore(tour, &left, level->names.list[level->next - 1]);
	}
}

static int start(struct cow_tour *tour)
{
	struct cow_level level = { 0 };
	int error, root = cow_open_changes(tour->store, &level.stat);

	if (root < 0)
		return root;
	error = cow_cursor_start(&tour->upper, root);
	sys_close(root);
	if (error == 0)
		error = cow_cursor_start(&tour->lower, tour->store->lower);
	if (error == 0)
		error = set_path(tour, 0, "");
	return error < 0 ? error : push(tour, &level);
}

int cow_tour(struct cow_store *store, const struct cow_visits *visits, void *context,
	     struct fault *fault)
{
	struct cow_tour tour = {
		.store = store, .fault = fault, .upper.fd = -1, .lower.fd = -1, .context = context
	};
	int error = start(&tour);

	if (error == -EOWNERDEAD)
		error = cow_fault_text(store, fault, store->staged,
				       "is another user's, or others may enter it");
	else if (error < 0)
		error = cow_fault(store, fault, store->path, error);
	else if (visits->enter == NULL || visits->enter(&tour, cow_tour_level(&tour)) == 0)
		error = run(&tour, visits);
	else
		error = -1;
	if (error < 0)
		unwind(&tour);
	for (size_t i = 0; i < tour.room; i++)
		cow_names_free(&tour.levels[i].names);
	free(tour.levels);
	free(tour.path);
	cow_cursor_end(&tour.upper);
	cow_cursor_end(&tour.lower);
	return error;
}
