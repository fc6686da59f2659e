/* SPDX-License-Identifier: MIT */
/* The content of regular files: compared, and copied with its holes. */
#define _FILE_OFFSET_BITS 64

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mountns/cow_upper.h"

#define PART 65536
#define KERNEL_FICLONE _IOW(0x94, 9, int) /* ioctl_ficlonerange(2) */

/* Where data begins at or after AT; SIZE if there is none. lseek(2) */
static off_t next_data(int fd, off_t at, off_t size)
{
	off_t data = lseek(fd, at, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? size : at;
	return data < size ? data : size;
}

static bool read_whole(int fd, char *bytes, size_t count, off_t at)
{
	ssize_t done = 0;

	for (size_t have = 0; have < count; have += (size_t)done) {
		done = pread(fd, bytes + have, count - have, at + (off_t)have);
		if (done <= 0)
			return false;
	}
	return true;
}

int cow_content_same(int a, int b, uint64_t size)
{
	char *parts = malloc((size_t)2 * PART);
	off_t end = (off_t)size, at = 0, other;
	bool same = parts != NULL;

	while (same && at < end) {
		size_t count;

		other = next_data(b, at, end);
		at = next_data(a, at, end);
		at = at < other ? at : other;
		count = end - at < PART ? (size_t)(end - at) : PART;
		same = read_whole(a, parts, count, at) && read_whole(b, parts + PART, count, at) &&
		       memcmp(parts, parts + PART, count) == 0;
		at += (off_t)count;
	}
	free(parts);
	return same;
}

/* --- Copying -------------------------------------------------------------------------------------- */

static int write_whole(int fd, const char *bytes, size_t count, off_t at)
{
	ssize_t done;

	for (size_t have = 0; have < count; have += (size_t)done) {
		done = pwrite(fd, bytes + have, count - have, at + (off_t)have);
		if (done < 0)
			return -errno;
	}
	return 0;
}

/* From *AT to END, or as far as the file goes now. */
static int copy_by_hand(int from, int to, off_t *at, off_t end)
{
	char *part = malloc(PART);
	ssize_t count = 1;
	int error = part == NULL ? -ENOMEM : 0;

	while (error == 0 && count > 0 && *at < end) {
		count = pread(from, part, end - *at < PART ? (size_t)(end - *at) : PART, *at);
		if (count < 0)
			error = -errno;
		else
			error = write_whole(to, part, (size_t)count, *at);
		*at += count > 0 ? count : 0;
	}
	free(part);
	return error;
}

/* What copy_file_range(2) cannot between two file systems is done by hand; it says which errors tell that. */
static int copy_data(int from, int to, off_t at, off_t end)
{
	off_t there = at;
	ssize_t count;

	while (at < end) {
		count = copy_file_range(from, &at, to, &there, (size_t)(end - at), 0);
		if (count == 0)
			return 0;
		if (count < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS &&
		    errno != EOPNOTSUPP && errno != EPERM && errno != ETXTBSY)
			return -errno;
		if (count < 0)
			return copy_by_hand(from, to, &at, end);
	}
	return 0;
}

int cow_content_copy(int from, int to, uint64_t size)
{
	off_t end = (off_t)size, at = 0, hole;
	int error = 0;

	if (size == 0 || ioctl(to, KERNEL_FICLONE, from) == 0)
		return 0;
	if (ftruncate(to, end) < 0)
		return -errno;
	while (error == 0 && (at = next_data(from, at, end)) < end) {
		hole = lseek(from, at, SEEK_HOLE);
		if (hole <= at || hole > end)
			hole = end;
		error = copy_data(from, to, at, hole);
		at = hole;
	}
	return error;
}
