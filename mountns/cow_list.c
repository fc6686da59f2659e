/* SPDX-License-Identifier: MIT */
/* The report: what the box has changed, entry by entry. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountns/cow_tour.h"

/* A box may have made any number of names, and each is told with the whole way to it. */
#define LONGEST ((size_t)256 << 20)

#define OPEN_ANY (O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | KERNEL_LARGEFILE)

/* --- The list ------------------------------------------------------------------------------------- */

int cow_add_change(struct cow_changes *changes, struct cow_change change, const char *path,
		   const char *name)
{
	size_t room = changes->count;
	struct cow_change *list = changes->list;

	/* It grows when the count is a power of two. */
	if ((room & (room - 1)) == 0) {
		list = reallocarray(list, room == 0 ? 1 : room * 2, sizeof(*list));
		if (list == NULL)
			return -ENOMEM;
		changes->list = list;
	}
	if (name == NULL)
		change.path = strdup(path);
	else if (asprintf(&change.path, "%s%s%s", path, *path == '\0' ? "" : "/", name) < 0)
		change.path = NULL;
	if (change.path == NULL)
		return -ENOMEM;
	list[changes->count++] = change;
	changes->bytes += strlen(change.path);
	if (changes->bytes > LONGEST)
		return -E2BIG;
	return 0;
}

static int compare_changes(const void *a, const void *b)
{
	const struct cow_change *left = a, *right = b;

	return strcmp(left->path, right->path);
}

void cow_sort_changes(struct cow_changes *changes)
{
	if (changes->count > 0)
		qsort(changes->list, changes->count, sizeof(*changes->list), compare_changes);
}

static int add(struct cow_tour *tour, enum cow_kind kind, const struct kernel_statx *stat)
{
	const struct cow_change change = { .kind = kind,
					   .directory = S_ISDIR(stat->mode),
					   .mode = kind == COW_DELETED ? 0 : stat->mode };
	int error = cow_add_change(tour->context, change, tour->path, NULL);

	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

/* --- Comparing ------------------------------------------------------------------------------------ */

/* A directory of others that a user may write to is the user's own above. */
static bool same_owner(const struct kernel_statx *a, const struct kernel_statx *b)
{
	if (S_ISDIR(a->mode) && a->uid == geteuid() && a->uid != 0 && b->uid != a->uid)
		return true;
	return a->uid == b->uid && a->gid == b->gid;
}

static bool same_mode(const struct kernel_statx *a, const struct kernel_statx *b)
{
	return (a->mode & 07777) == (b->mode & 07777) && same_owner(a, b);
}

static bool same_time(const struct kernel_statx *a, const struct kernel_statx *b)
{
	return a->modification.seconds == b->modification.seconds &&
	       a->modification.nanoseconds == b->modification.nanoseconds;
}

static bool same_link(const struct cow_tour *tour, const char *name)
{
	char *texts = malloc((size_t)2 * PATH_MAX);
	long a, b;
	bool same = false;

	if (texts != NULL) {
		a = sys_readlinkat(tour->upper.fd, name, texts, PATH_MAX);
		b = sys_readlinkat(tour->lower.fd, name, texts + PATH_MAX, PATH_MAX);
		same = a >= 0 && a == b && memcmp(texts, texts + PATH_MAX, (size_t)a) == 0;
	}
	free(texts);
	return same;
}

/* 0 if both files are the same, or what differs. What cannot be read is taken for changed. */
static int compare_open(const struct cow_entry *entry, int upper, int lower)
{
	struct kernel_statx now;

	if (cow_stat(lower, "", &now) < 0 || !S_ISREG(now.mode) ||
	    now.inode != entry->lower.inode || entry->stat.size != now.size ||
	    !cow_content_same(upper, lower, now.size))
		return COW_MODIFIED;
	return same_mode(&entry->stat, &now) && same_time(&entry->stat, &now) &&
			       cow_attributes_same(upper, lower)
		       ? 0
		       : COW_ATTRIBUTES;
}

static int compare_files(struct cow_tour *tour, const struct cow_entry *entry)
{
	int upper, lower, result = COW_MODIFIED;

	if (entry->stat.size != entry->lower.size)
		return COW_MODIFIED;
	upper = cow_open_file(tour->upper.fd, entry->name, &entry->stat, O_RDONLY);
	lower = sys_openat(tour->lower.fd, entry->name, O_RDONLY | OPEN_ANY, 0);
	if (upper >= 0 && lower >= 0)
		result = compare_open(entry, upper, lower);
	if (upper >= 0)
		(void)cow_close_file(upper, &entry->stat);
	if (lower >= 0)
		sys_close(lower);
	return result;
}

static int compare_others(struct cow_tour *tour, const struct cow_entry *entry)
{
	const struct kernel_statx *a = &entry->stat, *b = &entry->lower;

	if (S_ISREG(a->mode))
		return compare_files(tour, entry);
	if (S_ISLNK(a->mode)) {
		if (!same_link(tour, entry->name))
			return COW_MODIFIED;
		return same_owner(a, b) && same_time(a, b) ? 0 : COW_ATTRIBUTES;
	}
	if (a->rdev_major != b->rdev_major || a->rdev_minor != b->rdev_minor)
		return COW_MODIFIED;
	return same_mode(a, b) && same_time(a, b) ? 0 : COW_ATTRIBUTES;
}

static int compare_directories(struct cow_tour *tour, const struct cow_entry *entry)
{
	int upper, lower, result = 0;

	if (!same_mode(&entry->stat, &entry->lower))
		return COW_ATTRIBUTES;
	upper = sys_openat(tour->upper.fd, entry->name, O_RDONLY | O_DIRECTORY | OPEN_ANY, 0);
	lower = sys_openat(tour->lower.fd, entry->name, O_RDONLY | O_DIRECTORY | OPEN_ANY, 0);
	/* One that may not be read is as it was: by what is known of it. */
	if (upper >= 0 && lower >= 0 && !cow_attributes_same(upper, lower))
		result = COW_ATTRIBUTES;
	if (upper >= 0)
		sys_close(upper);
	if (lower >= 0)
		sys_close(lower);
	return result;
}

/* --- The visits ----------------------------------------------------------------------------------- */

static int list_entry(struct cow_tour *tour, struct cow_entry *entry)
{
	bool directory = entry->type == COW_DIRECTORY;
	int kind;

	if (entry->type == COW_WHITEOUT)
		return entry->below ? add(tour, COW_DELETED, &entry->lower) : 0;
	if (!entry->below)
		kind = COW_ADDED;
	else if ((entry->stat.mode & S_IFMT) != (entry->lower.mode & S_IFMT))
		kind = COW_TYPE;
	else
		kind = directory ? compare_directories(tour, entry) : compare_others(tour, entry);
	if (kind != 0 && add(tour, (enum cow_kind)kind, &entry->stat) < 0)
		return -1;
	return directory;
}

/* What a directory hides of the lower one and has not got itself is deleted. */
static int list_hidden(struct cow_tour *tour, const struct cow_level *level)
{
	struct cow_change change = { .kind = COW_DELETED };
	struct kernel_statx stat;
	struct cow_names names;
	int error = cow_names_read(&names, tour->lower.fd);

	for (size_t i = 0; error == 0 && i < names.count; i++) {
		if (cow_names_has(&level->names, names.list[i]) ||
		    cow_stat(tour->lower.fd, names.list[i], &stat) < 0)
			continue;
		change.directory = S_ISDIR(stat.mode);
		error = cow_add_change(tour->context, change, tour->path, names.list[i]);
	}
	cow_names_free(&names);
	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

static int list_leave(struct cow_tour *tour, struct cow_level *level)
{
	struct kernel_statx lower;
	int error;

	if (!cow_tour_has_lower(tour))
		return 0;
	if (level->hidden)
		return list_hidden(tour, level);
	if (tour->upper.depth > 1 || cow_stat(tour->lower.fd, "", &lower) < 0 ||
	    (level->stat.mode & 07777) == (lower.mode & 07777))
		return 0;
	error = cow_add_change(tour->context,
			       (struct cow_change){ COW_ATTRIBUTES, true, level->stat.mode, NULL },
			       ".", NULL);
	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

int cow_list(struct cow_store *store, struct cow_changes *changes, struct fault *fault)
{
	static const struct cow_visits visits = { .entry = list_entry, .leave = list_leave };

	*changes = (struct cow_changes){ 0 };
	if (cow_tour(store, &visits, changes, fault) < 0) {
		cow_free_changes(changes);
		return -1;
	}
	cow_sort_changes(changes);
	return 0;
}
