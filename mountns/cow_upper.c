/* SPDX-License-Identifier: MIT */
/* Overlayfs's format, "userxattr": Documentation/filesystems/overlayfs.rst of the kernel. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mountns/cow_upper.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define WHOLE 0700
#define TEXT 128 /* a longer attribute is none of these */

/* --- Access --------------------------------------------------------------------------------------- */

int cow_chmod(int dir, const char *name, mode_t mode)
{
	char path[40];
	int flags = *name == '\0' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
	int fd, error = sys_fchmodat2(dir, name, mode, flags);

	if (error != -ENOSYS && error != -EPERM && error != -EOPNOTSUPP)
		return error;
	/* Before Linux 6.6. A link's mode cannot be changed that way either. */
	fd = *name == '\0' ? sys_fcntl(dir, F_DUPFD_CLOEXEC, 0)
			   : sys_openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	error = chmod(path, mode) < 0 ? -errno : 0;
	sys_close(fd);
	return error;
}

/* The mode before goes into an attribute of the directory, where the file system has some. */
static int stash(int dir, const struct kernel_statx *stat)
{
	char text[64];
	int error = 0, fd = sys_openat(dir, ".", DIRECTORY, 0);

	if (fd < 0)
		return fd;
	(void)snprintf(text, sizeof(text), "%" PRIu64 " %o", stat->inode, stat->mode & 07777U);
	if (fsetxattr(fd, COW_STASH, text, strlen(text), 0) < 0 && errno != ENOTSUP)
		error = -errno;
	sys_close(fd);
	return error;
}

int cow_force(int dir, const char *name, const struct kernel_statx *stat, mode_t need)
{
	int error;

	if ((stat->mode & need) == need)
		return 0;
	error = stash(dir, stat);
	return error < 0 ? error : cow_chmod(dir, name, (stat->mode | need) & 07777);
}

int cow_open_file(int dir, const char *name, const struct kernel_statx *stat, int flags)
{
	int error, fd;

	flags |= O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | KERNEL_LARGEFILE;
	fd = sys_openat(dir, name, flags, 0);
	if (fd != -EACCES)
		return fd;
	error = cow_force(dir, name, stat, 0600);
	return error < 0 ? error : sys_openat(dir, name, flags, 0);
}

int cow_close_file(int fd, const struct kernel_statx *stat)
{
	struct kernel_statx now;
	int error = 0;

	if ((stat->mode & 0600) != 0600) {
		error = cow_stat(fd, "", &now);
		if (error == 0 && (now.mode & 07777) != (stat->mode & 07777))
			error = sys_fchmod(fd, stat->mode & 07777);
	}
	sys_close(fd);
	return error;
}

int cow_open_upper(int parent, struct kernel_statx *stat)
{
	struct cow_marks marks;
	int error = cow_marks_read(&marks, parent);

	if (error == 0)
		error = cow_stat(parent, COW_UPPER, stat);
	if (error < 0)
		return error;
	if (!S_ISDIR(stat->mode))
		return -ENOTDIR;
	if (marks.inode == stat->inode)
		stat->mode = (uint16_t)(S_IFDIR | marks.mode);
	if ((stat->mode & WHOLE) != WHOLE && geteuid() != 0) {
		error = cow_force(parent, COW_UPPER, stat, WHOLE);
		if (error < 0)
			return error;
	}
	return sys_openat(parent, COW_UPPER, DIRECTORY, 0);
}

int cow_open_staged(const struct cow_store *store)
{
	struct kernel_statx stat;
	int error, fd = sys_openat(store->lower, store->staged, DIRECTORY, 0);

	if (fd < 0)
		return fd;
	error = cow_stat(fd, "", &stat);
	if (error == 0 && (stat.uid != geteuid() || (stat.mode & 077) != 0))
		error = -EOWNERDEAD;
	if (error == 0)
		return fd;
	sys_close(fd);
	return error;
}

int cow_open_changes(struct cow_store *store, struct kernel_statx *stat)
{
	bool staged = store->state == COW_COMMITTING && store->staged[0] != '\0';
	int root, parent = staged ? cow_open_staged(store)
				  : sys_openat(cow_layers(store), ".", DIRECTORY, 0);

	if (store->state == COW_MEMORY)
		cow_unbound_memory(store);
	if (parent < 0)
		return parent;
	root = cow_open_upper(parent, stat);
	sys_close(parent);
	return root;
}

/* --- Entries -------------------------------------------------------------------------------------- */

/* The attribute as a string, "" without it. */
static int attribute(int fd, const char *name, char text[TEXT])
{
	ssize_t size = fgetxattr(fd, name, text, TEXT - 1);

	text[size > 0 ? size : 0] = '\0';
	return size >= 0 || errno == ENODATA || errno == ENOTSUP || errno == ERANGE ? 0 : -errno;
}

static bool has_attribute(int fd, const char *name)
{
	return fgetxattr(fd, name, NULL, 0) >= 0;
}

int cow_times_keep(int dir, const struct kernel_statx *stat)
{
	char text[100];
	int error = 0, fd = sys_openat(dir, ".", DIRECTORY, 0);

	if (fd < 0)
		return fd;
	(void)snprintf(text, sizeof(text), "%" PRId64 " %" PRIu32 " %" PRId64 " %" PRIu32,
		       stat->access.seconds, stat->access.nanoseconds, stat->modification.seconds,
		       stat->modification.nanoseconds);
	if (fsetxattr(fd, COW_TIMES, text, strlen(text), XATTR_CREATE) < 0 && errno != ENOTSUP &&
	    errno != EEXIST)
		error = -errno;
	sys_close(fd);
	return error;
}

void cow_times_of(const struct kernel_statx *stat, struct timespec times[2])
{
	times[0] = (struct timespec){ .tv_sec = (time_t)stat->access.seconds,
				      .tv_nsec = (long)stat->access.nanoseconds };
	times[1] = (struct timespec){ .tv_sec = (time_t)stat->modification.seconds,
				      .tv_nsec = (long)stat->modification.nanoseconds };
}

void cow_times_before(const struct cow_marks *marks, struct kernel_statx *stat)
{
	if (!marks->has_times)
		return;
	stat->access.seconds = marks->access.seconds;
	stat->access.nanoseconds = marks->access.nanoseconds;
	stat->modification.seconds = marks->modification.seconds;
	stat->modification.nanoseconds = marks->modification.nanoseconds;
}

static void parse_times(struct cow_marks *marks, char *text)
{
	marks->access.seconds = strtoll(text, &text, 10);
	marks->access.nanoseconds = (uint32_t)strtoul(text, &text, 10);
	marks->modification.seconds = strtoll(text, &text, 10);
	marks->modification.nanoseconds = (uint32_t)strtoul(text, &text, 10);
}

int cow_marks_read(struct cow_marks *marks, int dir)
{
	char text[TEXT], *end;
	int fd = sys_openat(dir, ".", DIRECTORY, 0), error;

	*marks = (struct cow_marks){ 0 };
	if (fd < 0)
		return fd;
	error = attribute(fd, COW_OVERLAY_PREFIX "opaque", text);
	marks->whiteouts = strcmp(text, "x") == 0;
	if (error == 0)
		error = attribute(fd, COW_STASH, text);
	if (error == 0 && text[0] != '\0') {
		marks->inode = strtoull(text, &end, 10);
		marks->mode = (mode_t)strtoul(end, NULL, 8) & 07777;
	}
	if (error == 0)
		error = attribute(fd, COW_TIMES, text);
	sys_close(fd);
	marks->has_times = error == 0 && text[0] != '\0';
	if (marks->has_times)
		parse_times(marks, text);
	return error;
}

/* Where there are no such devices: see cow.h. */
static int put_empty_file(int dir, const char *name)
{
	int error = 0, fd = sys_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int directory = sys_openat(dir, ".", DIRECTORY, 0);

	if (fd < 0 || directory < 0)
		error = fd < 0 ? fd : directory;
	else if (fsetxattr(fd, COW_OVERLAY_PREFIX "whiteout", "y", 1, 0) < 0 ||
		 fsetxattr(directory, COW_OVERLAY_PREFIX "opaque", "x", 1, 0) < 0)
		error = -errno;
	if (fd >= 0)
		sys_close(fd);
	if (directory >= 0)
		sys_close(directory);
	return error;
}

int cow_put_whiteout(int dir, const char *name)
{
	int error = sys_mknodat(dir, name, S_IFCHR);

	return error == -EPERM || error == -EACCES || error == -EINVAL || error == -EOPNOTSUPP
		       ? put_empty_file(dir, name)
		       : error;
}

/* What these would mean is not what the entry itself shows; a mount with "userxattr" makes none. */
static bool is_foreign(int fd)
{
	return has_attribute(fd, COW_OVERLAY_PREFIX "redirect") ||
	       has_attribute(fd, COW_OVERLAY_PREFIX "metacopy");
}

static int read_attributes(struct cow_entry *entry, int fd, const struct cow_marks *marks)
{
	char text[TEXT];
	int error;

	/* Most have none at all. */
	if (flistxattr(fd, NULL, 0) == 0)
		return 0;
	error = attribute(fd, COW_OVERLAY_PREFIX "opaque", text);
	if (error < 0)
		return error;
	if (is_foreign(fd))
		return -EPROTO;
	entry->origin = has_attribute(fd, COW_OVERLAY_PREFIX "origin");
	if (entry->type == COW_DIRECTORY && (text[0] == 'x' || text[0] == 'y') && text[1] == '\0')
		entry->opaque = text[0];
	if (entry->type == COW_OTHER && marks->whiteouts && entry->stat.size == 0 &&
	    has_attribute(fd, COW_OVERLAY_PREFIX "whiteout"))
		entry->type = COW_WHITEOUT;
	return 0;
}

static int open_directory(struct cow_entry *entry, int dir)
{
	int error = 0;

	/* Root needs no rights, and where it does the open fails. */
	if ((entry->stat.mode & WHOLE) != WHOLE && geteuid() != 0)
		error = cow_force(dir, entry->name, &entry->stat, WHOLE);
	return error < 0 ? error : sys_openat(dir, entry->name, DIRECTORY, 0);
}

int cow_entry_read(struct cow_entry *entry, int dir, const char *name,
		   const struct cow_marks *marks)
{
	int fd, error;

	*entry = (struct cow_entry){ .name = name, .type = COW_OTHER };
	error = cow_stat(dir, name, &entry->stat);
	if (error < 0)
		return error;
	if (marks->inode == entry->stat.inode && !S_ISLNK(entry->stat.mode))
		entry->stat.mode = (uint16_t)((entry->stat.mode & S_IFMT) | (marks->mode & 07777));
	if (S_ISCHR(entry->stat.mode) && entry->stat.rdev_major == 0 && entry->stat.rdev_minor == 0)
		entry->type = COW_WHITEOUT;
	if (!S_ISDIR(entry->stat.mode) && !S_ISREG(entry->stat.mode))
		return 0;
	if (S_ISDIR(entry->stat.mode))
		entry->type = COW_DIRECTORY;
	fd = entry->type == COW_DIRECTORY ? open_directory(entry, dir)
					  : cow_open_file(dir, name, &entry->stat, O_RDONLY);
	if (fd < 0)
		return fd;
	error = read_attributes(entry, fd, marks);
	if (entry->type == COW_DIRECTORY)
		sys_close(fd);
	else if (cow_close_file(fd, &entry->stat) < 0 && error == 0)
		error = -EACCES;
	return error;
}
