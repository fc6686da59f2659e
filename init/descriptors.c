/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>

#include "init/descriptors.h"
#include "mountns/sys.h"

/* By insertion: there are few, and qsort(3) may use the heap. */
void descriptors_sort(int *fds, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		int fd = fds[i];
		size_t at = i;

		for (; at > 0 && fds[at - 1] > fd; at--)
			fds[at] = fds[at - 1];
		fds[at] = fd;
	}
}

/* A list of the process's descriptors takes a procfs, which may be the work of another. Numbers beyond the
 * limit, from before it was lowered, are closed, too, up to where nobody has any. */
static int close_one_by_one(unsigned int first, unsigned int last)
{
	const uint64_t often = 1U << 16, most = 1U << 20; /* the usual /proc/sys/fs/nr_open */
	struct kernel_rlimit limit;
	int error = sys_getrlimit(RLIMIT_NOFILE, &limit);

	if (error < 0)
		return error;
	if (limit.hard > most)
		return -ENOSYS;
	if (limit.hard < often)
		limit.hard = often;
	for (uint64_t fd = first; fd <= last && fd < limit.hard; fd++)
		sys_close((int)fd);
	return 0;
}

/* Containers may have filters older than the call, which is of Linux 5.9. */
static int close_all(unsigned int first, unsigned int last)
{
	int error = sys_close_range(first, last);

	return error == -ENOSYS || error == -EPERM ? close_one_by_one(first, last) : error;
}

int descriptors_close_but(unsigned int first, const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned int fd = (unsigned int)fds[i];
		int error = 0;

		if (fds[i] < 0 || fd < first)
			continue;
		if (fd > first)
			error = close_all(first, fd - 1);
		if (error < 0)
			return error;
		first = fd + 1;
	}
	return close_all(first, ~0U);
}

/* The number that NAME is, or -1. */
static int read_number(const char *name)
{
	int number = 0;

	if (*name == '\0')
		return -1;
	for (; *name >= '0' && *name <= '9' && number < 100000000; name++)
		number = number * 10 + (*name - '0');
	return *name == '\0' ? number : -1;
}

static void close_listed(const char *records, long size, int list, int kept)
{
	/* struct linux_dirent64: inode, offset, record length, type, name. getdents(2). */
	for (long at = 0; at < size;) {
		const char *record = records + at;
		uint16_t length;
		int fd = read_number(record + 19), flags;

		__builtin_memcpy(&length, record + 16, sizeof(length));
		at += length;
		if (fd < 0 || fd == kept || fd == list)
			continue;
		flags = sys_fcntl(fd, F_GETFD, 0);
		if (flags < 0 || (flags & FD_CLOEXEC) == 0)
			continue;
		sys_close(fd);
	}
}

int descriptors_close_marked(int proc, int kept)
{
	_Alignas(8) char records[4096];
	int list = sys_openat(proc, "self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long size;

	if (list < 0)
		return list;
	/* PROC itself may be among them: the list does not need it any more. */
	while ((size = sys_getdents(list, records, sizeof(records))) > 0)
		close_listed(records, size, list, kept);
	sys_close(list);
	return size < 0 ? (int)size : 0;
}

/* Whether another map than this one still needs what is there now. */
static bool is_in_use(const struct fd_map *maps, size_t count, const struct fd_map *map)
{
	for (size_t i = 0; i < count && map->new != map->old; i++)
		if (&maps[i] != map && maps[i].old == map->new)
			return true;
	return false;
}

static int place(const struct fd_map *map)
{
	if (map->new == map->old)
		return sys_fcntl(map->new, F_SETFD, 0);
	return sys_dup3(map->old, map->new, 0);
}

/* All that are left are in cycles, so each of their numbers is open: a free one is none of theirs. */
static int break_cycle(struct fd_map *maps, size_t count)
{
	int old = maps[0].old, moved = sys_fcntl(old, F_DUPFD_CLOEXEC, 3);

	for (size_t i = 0; i < count && moved >= 0; i++)
		if (maps[i].old == old)
			maps[i].old = moved;
	return moved;
}

int descriptors_place(struct fd_map *maps, size_t count)
{
	int error = 0;

	while (count > 0 && error >= 0) {
		size_t i = 0;

		while (i < count && is_in_use(maps, count, &maps[i]))
			i++;
		if (i == count) {
			error = break_cycle(maps, count);
		} else {
			error = place(&maps[i]);
			maps[i] = maps[--count];
		}
	}
	return error < 0 ? error : 0;
}
