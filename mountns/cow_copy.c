/* SPDX-License-Identifier: MIT */
/* Copies of what is no directory, from any file system to any other. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mountns/cow_upper.h"

#define NEW_FILE (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | KERNEL_LARGEFILE)

/* --- Regular files -------------------------------------------------------------------------------- */

static int copy_content(int from, int to)
{
	struct kernel_statx now;
	int error = cow_stat(from, "", &now);

	return error < 0 ? error : cow_content_copy(from, to, now.size);
}

static int copy_open(const struct cow_copier *copier, const struct kernel_statx *stat, int from,
		     int content, int to)
{
	struct kernel_statx now;
	int error = cow_stat(from, "", &now);

	if (error == 0 && (now.inode != stat->inode || !S_ISREG(now.mode)))
		error = -ESTALE;
	if (error == 0)
		error = copy_content(content >= 0 ? content : from, to);
	if (error == 0 && copier->origin &&
	    fsetxattr(to, COW_OVERLAY_PREFIX "origin", "", 0, 0) < 0)
		error = -errno;
	return error < 0 ? error : cow_attributes_copy(from, stat, to, copier->how);
}

static int copy_regular(const struct cow_copier *copier, const char *name,
			const struct kernel_statx *stat, int content)
{
	int error, to, from = cow_open_file(copier->from, name, stat, O_RDONLY);

	if (from < 0)
		return from;
	to = sys_openat(copier->to, name, NEW_FILE, 0600);
	error = to < 0 ? to : copy_open(copier, stat, from, content, to);
	if (cow_close_file(from, stat) < 0 && error == 0)
		error = -EACCES;
	if (to >= 0)
		sys_close(to);
	return error;
}

/* --- Others --------------------------------------------------------------------------------------- */

static int make_special(const struct cow_copier *copier, const char *name,
			const struct kernel_statx *stat)
{
	char *text;
	long size;
	int error;

	if (!S_ISLNK(stat->mode))
		return mknodat(copier->to, name, stat->mode,
			       makedev(stat->rdev_major, stat->rdev_minor)) < 0
			       ? -errno
			       : 0;
	text = malloc(PATH_MAX + 1);
	if (text == NULL)
		return -ENOMEM;
	size = sys_readlinkat(copier->from, name, text, PATH_MAX);
	error = (int)size;
	if (size >= 0) {
		text[size] = '\0';
		error = sys_symlinkat(text, copier->to, name);
	}
	free(text);
	return error;
}

static int copy_special(const struct cow_copier *copier, const char *name,
			const struct kernel_statx *stat)
{
	struct timespec times[2];
	int error = make_special(copier, name, stat);

	cow_times_of(stat, times);
	if (error == 0 && fchownat(copier->to, name, stat->uid, stat->gid, AT_SYMLINK_NOFOLLOW) < 0)
		error = -errno;
	if (error == 0 && !S_ISLNK(stat->mode))
		error = cow_chmod(copier->to, name, stat->mode & 07777);
	if (error == 0 && utimensat(copier->to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		error = -errno;
	return error;
}

/* --- Either --------------------------------------------------------------------------------------- */

static int copy_new(const struct cow_copier *copier, const char *name,
		    const struct kernel_statx *stat, int content)
{
	return S_ISREG(stat->mode) ? copy_regular(copier, name, stat, content)
				   : copy_special(copier, name, stat);
}

#define NUMBER_SIZE 24

static const char *number_of(const struct kernel_statx *stat, char number[NUMBER_SIZE])
{
	(void)snprintf(number, NUMBER_SIZE, "%" PRIu64, stat->inode);
	return number;
}

bool cow_copy_is_there(const struct cow_copier *copier, const struct kernel_statx *stat)
{
	char number[NUMBER_SIZE];
	struct kernel_statx copy;

	return stat->links > 1 && cow_stat(copier->links, number_of(stat, number), &copy) == 0;
}

int cow_copy_file(const struct cow_copier *copier, const char *name,
		  const struct kernel_statx *stat, int content)
{
	char number[NUMBER_SIZE];
	int error;

	if (stat->links == 1)
		return copy_new(copier, name, stat, content);
	if (linkat(copier->links, number_of(stat, number), copier->to, name, 0) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	error = copy_new(copier, name, stat, content);
	if (error == 0 && linkat(copier->to, name, copier->links, number, 0) < 0)
		error = -errno;
	return error;
}
