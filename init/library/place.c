/* SPDX-License-Identifier: MIT */
/* Between clone and exec. */
#include <errno.h>
#include <fcntl.h>

#include "init/descriptors.h"
#include "init/library/library.h"
#include "mountns/sys.h"

/* Without close_range(2) the exec and the launcher close what is left; here it is for room in the table
 * of a caller that has used all of it. */
static void close_others(const struct placement *list, size_t count, int *scratch)
{
	for (size_t i = 0; i < count; i++)
		scratch[i] = list[i].from;
	descriptors_sort(scratch, count);
	descriptors_close_but(3, scratch, count);
}

/* What the caller marked, or a library in another thread holds for a moment, is nobody's. */
static void close_marked_standard(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		int flags = sys_fcntl(fd, F_GETFD, 0);

		if (flags >= 0 && (flags & FD_CLOEXEC) != 0)
			sys_close(fd);
	}
}

/* A copy of each, out of the way of all targets: so no order of the second step can do harm. */
static int move_away(struct placement *list, size_t count)
{
	int last = 2;

	for (size_t i = 0; i < count; i++)
		if (list[i].to > last)
			last = list[i].to;
	for (size_t i = 0; i < count; i++) {
		if (list[i].from > last)
			continue;
		list[i].from = sys_fcntl(list[i].from, F_DUPFD_CLOEXEC, last + 1);
		if (list[i].from < 0)
			return list[i].from;
	}
	return 0;
}

int place_descriptors(struct placement *list, size_t count, int *scratch)
{
	int error;

	close_others(list, count, scratch);
	error = move_away(list, count);
	close_marked_standard();
	for (size_t i = 0; i < count && error >= 0; i++)
		if (list[i].to >= 0)
			error = sys_dup3(list[i].from, list[i].to, 0);
	return error < 0 ? error : 0;
}
