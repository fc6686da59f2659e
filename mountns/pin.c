/* SPDX-License-Identifier: MIT */
/* Opening what steps name on the host, in the launcher. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mountns/source.h"
#include "mountns/sys.h"

#define SPARE_DESCRIPTORS 64 /* that PID 1 and the launcher need besides */

void source_release(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	free(source->path);
}

const char source_no_room[] =
	"more descriptors are needed than the hard limit of RLIMIT_NOFILE allows";

static void raise_limit(struct view *view, const struct rlimit *now, rlim_t wanted)
{
	struct rlimit limit = { wanted < now->rlim_max ? wanted : now->rlim_max, now->rlim_max };

	if (limit.rlim_cur > now->rlim_cur && setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    view->nofile == 0)
		view->nofile = now->rlim_cur;
}

void source_make_room(struct view *view, size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		raise_limit(view, &limit, limit.rlim_cur + count + SPARE_DESCRIPTORS);
}

void source_make_spare(struct view *view, size_t used)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		raise_limit(view, &limit, used + SPARE_DESCRIPTORS);
}

/* What SOURCE's descriptor is open on. Returns 0, or -errno. */
static int identify(struct source *source)
{
	struct kernel_statx stat;
	int error = sys_statx(source->fd, "", AT_EMPTY_PATH, &stat);

	source->directory = error == 0 && S_ISDIR(stat.mode);
	source->dev_major = stat.dev_major;
	source->dev_minor = stat.dev_minor;
	source->inode = stat.inode;
	return error;
}

static bool is_same(const struct source *a, const struct source *b)
{
	return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

/*
 * Finds the name of what FD is open on, and opens it anew by that. What has no name that leads to it is
 * refused: -ENOENT. It has been removed, is no file at all, or lies outside our root.
 */
static int open_by_name(struct source *source, int fd)
{
	struct source open = { .fd = fd };
	char link[32], path[PATH_MAX];
	ssize_t length;
	int error;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path));
	if (length < 0 || length == sizeof(path))
		return length < 0 ? -errno : -ENAMETOOLONG;
	path[length] = '\0';
	if (path[0] != '/')
		return -ENOENT;
	source->fd = sys_openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	error = source->fd < 0 ? source->fd : identify(source);
	if (error == 0)
		error = identify(&open);
	if (error == 0 && !is_same(source, &open))
		error = -ENOENT;
	if (error < 0)
		return error;
	source->path = strdup(path);
	return source->path == NULL ? -ENOMEM : 0;
}

/* The usual case: no link is on the way, so that the path leads everybody to the same. */
static int open_at_once(struct source *source, const char *path)
{
	const struct kernel_open_how how = { .flags = O_PATH | O_CLOEXEC,
					     .resolve = RESOLVE_NO_SYMLINKS };
	int error;

	source->fd = sys_openat2(AT_FDCWD, path, &how);
	error = source->fd < 0 ? source->fd : identify(source);
	if (error < 0)
		return error;
	source->path = strdup(path);
	return source->path == NULL ? -ENOMEM : 0;
}

/*
 * A file of /proc/self/ns is for the box to show its own namespace, from where others can be started in it:
 * flatpak does so. It has no name of its own, and in PID 1 it is another one.
 */
static bool is_own_namespace(const char *path)
{
	static const char directory[] = "/proc/self/ns/";
	const size_t length = sizeof(directory) - 1;

	return strncmp(path, directory, length) == 0 && strchr(path + length, '/') == NULL;
}

static int open_own_namespace(struct source *source, const char *path)
{
	long type;

	source->fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
	if (source->fd < 0)
		return source->fd;
	type = sys_filesystem_type(source->fd);
	if (type != NSFS_MAGIC)
		return type < 0 ? (int)type : -ESTALE;
	source->own_namespace = true;
	source->path = strdup(path);
	return source->path == NULL ? -ENOMEM : 0;
}

/*
 * Else the name of what the way led to. So links are followed here and only here; also those of procfs,
 * which do not lead to what they say: what they do lead to must have a name of its own.
 */
static int open_path(struct source *source, const char *path)
{
	int error, fd;

	if (is_own_namespace(path))
		return open_own_namespace(source, path);
	error = open_at_once(source, path);
	if (error != -ELOOP && error != -ENOSYS && error != -EPERM && error != -EACCES)
		return error;
	fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	error = open_by_name(source, fd);
	sys_close(fd);
	/* An optional one that has no name does exist. */
	return error == -ENOENT ? -ESTALE : error;
}

/* Writes what the first LENGTH bytes of PATH lead to, and the rest behind it, to REAL. */
static int follow_first(const char *path, size_t length, char real[PATH_MAX])
{
	struct source source = { .fd = -1 };
	char first[PATH_MAX], text[2 * PATH_MAX];
	int error;

	memcpy(first, path, length);
	first[length] = '\0';
	error = open_path(&source, first);
	if (error == 0)
		snprintf(text, sizeof(text), "%s%s", source.path, path + length);
	source_release(&source);
	if (error == 0 && mountns_flatten(text, real, PATH_MAX) < 0)
		error = -ENAMETOOLONG;
	return error;
}

bool source_follow(const char *path, char real[PATH_MAX])
{
	char absolute[PATH_MAX];
	size_t length = strlen(path);

	if (length + 2 > sizeof(absolute))
		return false;
	absolute[0] = '/';
	memcpy(absolute + 1, path, length + 1);
	/* As much of it as there is. */
	for (length++; length > 1; length--)
		if ((absolute[length] == '/' || absolute[length] == '\0') &&
		    follow_first(absolute, length, real) == 0)
			return true;
	return false;
}

static struct source *next_pin(struct view *view, unsigned int rights)
{
	struct source *source = &view->pins[view->pin_count++];

	*source = (struct source){ .fd = -1, .rights = rights };
	return source;
}

static int no_name(struct fault *fault, const char *object)
{
	return fault_text(fault, "source", object,
			  "has no name that leads to it: it was removed, or is outside the root");
}

static int fail(struct fault *fault, const char *object, int error)
{
	if (error == -ESTALE)
		return no_name(fault, object);
	if (error == -EMFILE)
		return fault_text(fault, "source", object, source_no_room);
	return fault_errno(fault, "source", object, error);
}

int source_pin(struct view *view, const char *path, unsigned int rights, bool optional,
	       struct fault *fault)
{
	struct source *source = next_pin(view, rights);
	int error = open_path(source, path);

	if (error == -EMFILE) {
		source_make_room(view, view->pin_room);
		source_release(source);
		*source = (struct source){ .fd = -1, .rights = rights };
		error = open_path(source, path);
	}
	if (error == 0)
		return 1;
	source_release(source);
	view->pin_count--;
	return error == -ENOENT && optional ? 0 : fail(fault, path, error);
}

int source_pin_fd(struct view *view, int fd, const char *object, unsigned int rights,
		  struct fault *fault)
{
	struct source *source = next_pin(view, rights);
	int error = open_by_name(source, fd);

	if (error == -EMFILE) {
		source_make_room(view, view->pin_room);
		error = open_by_name(source, fd);
	}
	if (error == 0)
		return 1;
	source_release(source);
	view->pin_count--;
	return fail(fault, object, error == -ENOENT ? -ESTALE : error);
}

void source_find_console(struct view *view)
{
	struct source *console = &view->console;
	struct stat stat;

	if (fstat(STDOUT_FILENO, &stat) != 0 || !S_ISCHR(stat.st_mode) || !isatty(STDOUT_FILENO) ||
	    open_by_name(console, STDOUT_FILENO) == 0)
		return;
	source_release(console);
	*console = (struct source){ .fd = -1 };
}
