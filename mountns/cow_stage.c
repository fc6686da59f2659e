/* SPDX-License-Identifier: MIT */
/* A copy of the tree of changes in overlayfs's format, on the lower directory's own file system. */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mountns/cow_commit.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct stage {
	struct cow_cursor to;
	int links;
};

/* --- Entries -------------------------------------------------------------------------------------- */

static int stage_entry(struct cow_tour *tour, struct cow_entry *entry)
{
	struct stage *stage = tour->context;
	const struct cow_copier copier = { tour->upper.fd, stage->to.fd, stage->links, COW_COPY_RAW,
					   false };
	int error = 0;

	if (entry->type == COW_WHITEOUT) {
		if (!cow_tour_level(tour)->hidden)
			error = cow_put_whiteout(stage->to.fd, entry->name);
	} else if (entry->type == COW_DIRECTORY) {
		error = sys_mkdirat(stage->to.fd, entry->name, 0700);
	} else {
		error = cow_copy_file(&copier, entry->name, &entry->stat, -1);
	}
	return error < 0 ? cow_tour_fault(tour, error) : entry->type == COW_DIRECTORY;
}

/* --- Directories ---------------------------------------------------------------------------------- */

static const char *own_name(const struct cow_tour *tour)
{
	const char *slash = strrchr(tour->path, '/');

	return slash == NULL ? tour->path : slash + 1;
}

static int stage_enter(struct cow_tour *tour, struct cow_level *level)
{
	struct stage *stage = tour->context;
	int error = 0;

	(void)level;
	if (tour->upper.depth > 1)
		error = cow_cursor_down(&stage->to, own_name(tour));
	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

/* What whiteouts have become stays told. */
static int keep_marks(int from, int to, const struct kernel_statx *stat)
{
	char mark = 0;
	bool whiteouts = fgetxattr(to, COW_OVERLAY_PREFIX "opaque", &mark, 1) == 1 && mark == 'x';
	int error;

	if (whiteouts)
		error = cow_attributes_copy(from, stat, to, COW_COPY_ALL);
	else
		error = cow_attributes_copy(from, stat, to, COW_COPY_RAW);
	return error;
}

static int copy_attributes(struct cow_tour *tour, int to_dir, const char *from_name,
			   const char *to_name, const struct kernel_statx *stat)
{
	int from = sys_openat(tour->upper.fd, from_name, DIRECTORY, 0), to, error;

	if (from < 0)
		return from;
	to = sys_openat(to_dir, to_name, DIRECTORY, 0);
	error = to < 0 ? to : keep_marks(from, to, stat);
	sys_close(from);
	if (to >= 0)
		sys_close(to);
	return error;
}

static int stage_left(struct cow_tour *tour, const char *name, const struct cow_level *level)
{
	struct stage *stage = tour->context;
	int error = cow_cursor_up(&stage->to);

	if (error == 0)
		error = copy_attributes(tour, stage->to.fd, name, name, &level->stat);
	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

static int stage_leave(struct cow_tour *tour, struct cow_level *level)
{
	const struct stage *stage = tour->context;
	int error = 0;

	if (tour->upper.depth == 1)
		error = copy_attributes(tour, stage->to.fd, ".", ".", &level->stat);
	return error < 0 ? cow_tour_fault(tour, error) : 0;
}

/* --- The whole ------------------------------------------------------------------------------------ */

static int choose_name(struct cow_store *store)
{
	strcpy(store->staged, ".nestbox-commit-");
	return cow_add_letters(store->staged);
}

/* Makes NAME in DIR and opens it. */
static int make(int dir, const char *name)
{
	int error = sys_mkdirat(dir, name, 0700);

	return error < 0 ? error : sys_openat(dir, name, DIRECTORY, 0);
}

static int copy_tree(struct cow_store *store, int copy, const char *path, struct fault *fault)
{
	static const struct cow_visits visits = {
		.enter = stage_enter, .entry = stage_entry, .leave = stage_leave, .left = stage_left
	};
	struct stage stage = { .to.fd = -1, .links = make(copy, COW_LINKS) };
	int error = stage.links, upper = -1;

	if (error >= 0)
		error = upper = make(copy, COW_UPPER);
	if (error >= 0)
		error = cow_cursor_start(&stage.to, upper);
	if (error < 0)
		error = cow_fault(store, fault, path, error);
	else
		error = cow_tour(store, &visits, &stage, fault);
	cow_cursor_end(&stage.to);
	if (upper >= 0)
		sys_close(upper);
	if (stage.links >= 0)
		sys_close(stage.links);
	return error;
}

int cow_copy_changes(struct cow_store *store, int to, const char *path, struct fault *fault)
{
	int error = copy_tree(store, to, path, fault);

	if (error < 0)
		return -1;
	error = cow_remove(to, COW_LINKS, true);
	return error < 0 ? cow_fault(store, fault, path, error) : 0;
}

static int copy_changes(struct cow_store *store, struct fault *fault)
{
	int copy, error = cow_remove(store->lower, store->staged, true);

	if (error < 0)
		return cow_fault(store, fault, store->staged, error);
	copy = sys_mkdirat(store->lower, store->staged, 0700);
	if (copy == 0)
		copy = cow_open_staged(store);
	if (copy < 0)
		return cow_fault(store, fault, store->staged, copy);
	error = cow_copy_changes(store, copy, store->staged, fault);
	sys_close(copy);
	/* Where there was no room for it, there is now. */
	if (error < 0)
		(void)cow_remove(store->lower, store->staged, true);
	return error;
}

/* Whether rename(2) works from the one to the other: on one file system, and by one mount of it. */
static bool is_apart(const struct kernel_statx *a, const struct kernel_statx *b)
{
	return a->dev_major != b->dev_major || a->dev_minor != b->dev_minor ||
	       ((a->mask & b->mask & KERNEL_STATX_MOUNT_ID) != 0 && a->mount_id != b->mount_id);
}

int cow_stage(struct cow_store *store, struct fault *fault)
{
	struct kernel_statx upper, lower;
	int error = sys_statx(store->dir, COW_UPPER, AT_SYMLINK_NOFOLLOW, &upper);

	if (error == 0)
		error = sys_statx(store->lower, "", AT_EMPTY_PATH, &lower);
	if (error < 0)
		return cow_fault(store, fault, store->path, error);
	if (!is_apart(&upper, &lower))
		return 0;
	if (store->staged[0] == '\0') {
		error = choose_name(store);
		if (error < 0)
			return cow_fault(store, fault, store->path, error);
		if (cow_save(store, fault) < 0)
			return -1;
	}
	return copy_changes(store, fault);
}
