/* SPDX-License-Identifier: MIT */
/* Moving about in trees of others. See cow_walk.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountns/cow_upper.h"

#define RECORDS 32768
#define DIRECTORY (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct record { /* linux_dirent64 of getdents64(2) */
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the names of a buffer of records, each with its NUL. */
static int add_records(struct cow_names *names, size_t *used, const char *records, size_t size)
{
	const struct record *record;
	char *bytes = realloc(names->bytes, *used + size);
	size_t length;

	if (bytes == NULL)
		return -ENOMEM;
	names->bytes = bytes;
	for (size_t at = 0; at < size; at += record->size) {
		record = (const struct record *)(const void *)(records + at);
		if (strcmp(record->name, ".") == 0 || strcmp(record->name, "..") == 0)
			continue;
		length = strlen(record->name) + 1;
		memcpy(names->bytes + *used, record->name, length);
		*used += length;
		names->count++;
	}
	return 0;
}

static int read_records(struct cow_names *names, int fd)
{
	size_t used = 0, at = 0;
	char *records = malloc(RECORDS);
	long size = 0;
	int error = records == NULL ? -ENOMEM : 0;

	while (error == 0 && (size = sys_getdents(fd, records, RECORDS)) > 0)
		error = add_records(names, &used, records, (size_t)size);
	free(records);
	if (error == 0 && size < 0)
		error = (int)size;
	if (error == 0 && (names->list = calloc(names->count + 1, sizeof(char *))) == NULL)
		error = -ENOMEM;
	if (error < 0)
		return error;
	for (size_t i = 0; i < names->count; i++) {
		names->list[i] = names->bytes + at;
		at += strlen(names->bytes + at) + 1;
	}
	qsort(names->list, names->count, sizeof(char *), compare_names);
	return 0;
}

int cow_names_read(struct cow_names *names, int dir)
{
	int error, fd = sys_openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	*names = (struct cow_names){ 0 };
	if (fd < 0)
		return fd;
	error = read_records(names, fd);
	sys_close(fd);
	if (error < 0)
		cow_names_free(names);
	return error;
}

void cow_names_free(struct cow_names *names)
{
	free(names->list);
	free(names->bytes);
	*names = (struct cow_names){ 0 };
}

bool cow_names_has(const struct cow_names *names, const char *name)
{
	return names->count > 0 &&
	       bsearch(&name, names->list, names->count, sizeof(char *), compare_names) != NULL;
}

/* --- The cursor ----------------------------------------------------------------------------------- */

static struct cow_place place_of(const struct kernel_statx *stat)
{
	return (struct cow_place){ .inode = stat->inode,
				   .major = stat->dev_major,
				   .minor = stat->dev_minor };
}

static bool is_place(const struct kernel_statx *stat, const struct cow_place *place)
{
	return stat->inode == place->inode && stat->dev_major == place->major &&
	       stat->dev_minor == place->minor;
}

static int push(struct cow_cursor *cursor, const struct kernel_statx *stat)
{
	struct cow_place *places = cursor->places;

	if (cursor->depth == cursor->room) {
		cursor->room = cursor->room * 2 + 16;
		places = reallocarray(places, cursor->room, sizeof(*places));
		if (places == NULL)
			return -ENOMEM;
		cursor->places = places;
	}
	places[cursor->depth++] = place_of(stat);
	return 0;
}

int cow_cursor_start(struct cow_cursor *cursor, int dir)
{
	struct kernel_statx stat;
	int error;

	*cursor = (struct cow_cursor){ .fd = sys_openat(dir, ".", DIRECTORY, 0) };
	if (cursor->fd < 0)
		return cursor->fd;
	error = cow_stat(cursor->fd, "", &stat);
	if (error == 0)
		error = push(cursor, &stat);
	if (error < 0)
		cow_cursor_end(cursor);
	return error;
}

int cow_cursor_down(struct cow_cursor *cursor, const char *name)
{
	const struct cow_place *parent = &cursor->places[cursor->depth - 1];
	struct kernel_statx stat;
	int error, fd = sys_openat(cursor->fd, name, DIRECTORY, 0);

	if (fd < 0)
		return fd;
	error = cow_stat(fd, "", &stat);
	if (error == 0 && ((stat.attributes & KERNEL_STATX_MOUNT_ROOT) != 0 ||
			   stat.dev_major != parent->major || stat.dev_minor != parent->minor))
		error = -EXDEV;
	if (error == 0)
		error = push(cursor, &stat);
	if (error < 0) {
		sys_close(fd);
		return error;
	}
	sys_close(cursor->fd);
	cursor->fd = fd;
	return 0;
}

int cow_may_enter(int dir, const char *name)
{
	int inside, fd = sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	inside = sys_openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	sys_close(fd);
	if (inside >= 0)
		sys_close(inside);
	return inside < 0 ? inside : 0;
}

int cow_cursor_up(struct cow_cursor *cursor)
{
	struct kernel_statx stat;
	int error, fd = sys_openat(cursor->fd, "..", DIRECTORY, 0);

	if (fd < 0)
		return fd;
	error = cow_stat(fd, "", &stat);
	if (error == 0 && !is_place(&stat, &cursor->places[cursor->depth - 2]))
		error = -ESTALE;
	if (error < 0) {
		sys_close(fd);
		return error;
	}
	cursor->depth--;
	sys_close(cursor->fd);
	cursor->fd = fd;
	return 0;
}

void cow_cursor_end(struct cow_cursor *cursor)
{
	if (cursor->fd >= 0)
		sys_close(cursor->fd);
	free(cursor->places);
	*cursor = (struct cow_cursor){ .fd = -1 };
}

int cow_is_below(int fd, const struct cow_place *place)
{
	struct kernel_statx stat;
	struct cow_place last = { 0 };
	int parent, error = 0;

	fd = sys_openat(fd, ".", DIRECTORY, 0);
	/* The root is its own parent. */
	while (fd >= 0 && (error = cow_stat(fd, "", &stat)) == 0) {
		if (is_place(&stat, place) || is_place(&stat, &last)) {
			sys_close(fd);
			return is_place(&stat, place);
		}
		last = place_of(&stat);
		parent = sys_openat(fd, "..", DIRECTORY, 0);
		sys_close(fd);
		fd = parent;
	}
	if (fd < 0)
		return fd;
	sys_close(fd);
	return error;
}

/* --- Entries -------------------------------------------------------------------------------------- */

int cow_stat(int dir, const char *name, struct kernel_statx *stat)
{
	int flags = *name == '\0' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;

	return (int)sys_call(__NR_statx, dir, SYS_P(name), flags,
			     KERNEL_STATX_BASIC | KERNEL_STATX_BIRTH, SYS_P(stat), 0);
}

static bool is_later(int64_t seconds, uint32_t nanoseconds, const struct cow_time *base)
{
	return seconds > base->seconds ||
	       (seconds == base->seconds && nanoseconds > base->nanoseconds);
}

bool cow_is_later(const struct kernel_statx *stat, const struct cow_time *base)
{
	return is_later(stat->change.seconds, stat->change.nanoseconds, base);
}

bool cow_is_born_later(const struct kernel_statx *stat, const struct cow_time *base)
{
	return (stat->mask & KERNEL_STATX_BIRTH) != 0 &&
	       is_later(stat->birth.seconds, stat->birth.nanoseconds, base);
}

/* --- Removal -------------------------------------------------------------------------------------- */

/* Into NAME, to empty it. With FORCE its owner gets the rights. */
static int enter(struct cow_cursor *cursor, const char *name, bool force)
{
	struct kernel_statx stat;
	int error = cow_cursor_down(cursor, name);

	if (error < 0 || !force)
		return error;
	error = cow_stat(cursor->fd, "", &stat);
	if (error == 0 && (stat.mode & 0700) != 0700 && stat.uid == geteuid())
		error = cow_chmod(cursor->fd, "", 0700);
	return error;
}

struct removal {
	struct cow_cursor cursor;
	struct level {
		struct cow_names names;
		size_t next;
	} * levels; /* of the cursor's but the first, which has one name */
	size_t room;
	bool force;
};

static struct level *add_level(struct removal *removal)
{
	size_t depth = removal->cursor.depth;
	struct level *levels = removal->levels;

	if (depth > removal->room) {
		levels = reallocarray(levels, depth * 2, sizeof(*levels));
		if (levels == NULL)
			return NULL;
		memset(levels + removal->room, 0, (depth * 2 - removal->room) * sizeof(*levels));
		removal->levels = levels;
		removal->room = depth * 2;
	}
	return &levels[depth - 1];
}

/* 1: there is more to be done in the directory that it has entered. */
static int remove_entry(struct removal *removal, const char *name)
{
	int error = sys_unlinkat(removal->cursor.fd, name, 0);
	struct level *level;

	/* EPERM is POSIX's, EISDIR is Linux's for a directory. */
	if (error == -EISDIR || error == -EPERM) {
		int first = error;

		error = sys_unlinkat(removal->cursor.fd, name, AT_REMOVEDIR);
		if (error == -ENOTDIR)
			error = first;
	}
	if (error == 0 || error == -ENOENT)
		return 0;
	if (error != -ENOTEMPTY && error != -EEXIST)
		return error;
	error = enter(&removal->cursor, name, removal->force);
	if (error < 0)
		return error;
	level = add_level(removal);
	if (level == NULL)
		return -ENOMEM;
	level->next = 0;
	error = cow_names_read(&level->names, removal->cursor.fd);
	return error < 0 ? error : 1;
}

static int remove_all(struct removal *removal, const char *name)
{
	struct level *level;
	int error = remove_entry(removal, name);

	while (error >= 0 && removal->cursor.depth > 1) {
		level = &removal->levels[removal->cursor.depth - 1];
		if (level->next < level->names.count) {
			error = remove_entry(removal, level->names.list[level->next++]);
			continue;
		}
		cow_names_free(&level->names);
		error = cow_cursor_up(&removal->cursor);
		if (error < 0)
			break;
		level = &removal->levels[removal->cursor.depth - 1];
		error = sys_unlinkat(
			removal->cursor.fd,
			removal->cursor.depth == 1 ? name : level->names.list[level->next - 1],
			AT_REMOVEDIR);
		if (error == -ENOENT)
			error = 0;
	}
	return error;
}

int cow_remove(int dir, const char *name, bool force)
{
	struct removal removal = { .force = force };
	int error = cow_cursor_start(&removal.cursor, dir);

	if (error == 0)
		error = remove_all(&removal, name);
	for (size_t i = 0; i < removal.room; i++)
		cow_names_free(&removal.levels[i].names);
	free(removal.levels);
	cow_cursor_end(&removal.cursor);
	return error;
}
