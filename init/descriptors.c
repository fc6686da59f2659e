/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

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

int descriptors_close_but(unsigned int first, const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned int fd = (unsigned int)fds[i];
		int error = 0;

		if (fds[i] < 0 || fd < first)
			continue;
		if (fd > first)
			error = sys_close_range(first, fd - 1);
		if (error < 0)
			return error;
		first = fd + 1;
	}
	return sys_close_range(first, ~0U);
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
