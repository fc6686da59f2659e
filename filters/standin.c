/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "filters/places.h"
#include "filters/standin.h"
#include "filters/target.h"
#include "mountns/sys.h"

#define DELETED " (deleted)" /* what the kernel puts behind a name that is none any more: proc(5) */
#define NUMBER_SIZE 16

int standin_open(struct standin_directory *directory, int fd, const char *path)
{
	struct kernel_statx stat;
	int error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);

	if (error < 0)
		return error;
	*directory = (struct standin_directory){ .fd = fd,
						 .dev_major = stat.dev_major,
						 .dev_minor = stat.dev_minor,
						 .inode = stat.inode,
						 .path = path,
						 .length = strlen(path) };
	return 0;
}

bool standin_is(int fd, const struct standin_directory *directory)
{
	struct kernel_statx stat;

	return sys_statx(fd, "", AT_EMPTY_PATH, &stat) == 0 && stat.inode == directory->inode &&
	       stat.dev_major == directory->dev_major && stat.dev_minor == directory->dev_minor;
}

static size_t prefix(const struct standin_directory *directory, const char *path)
{
	size_t length = directory->length;

	return strncmp(path, directory->path, length) == 0 &&
			       (path[length] == '\0' || path[length] == '/')
		       ? length
		       : 0;
}

size_t standin_prefix(const struct standin *standin, const char *path)
{
	return prefix(&standin->tree, path);
}

int standin_name(int fds, int fd, char text[PATH_MAX])
{
	char name[NUMBER_SIZE];
	const size_t mark = strlen(DELETED);
	long length;

	target_number(name, (unsigned int)fd, "");
	length = sys_readlinkat(fds, name, text, PATH_MAX);
	if (length < 0)
		return (int)length;
	if (length == PATH_MAX)
		return -ENAMETOOLONG;
	text[length] = '\0';
	/* Not below our root, of no file system, or gone. */
	if (text[0] != '/' ||
	    ((size_t)length > mark && strcmp(text + length - (long)mark, DELETED) == 0))
		return -ENOENT;
	return 0;
}

int standin_text(int fds, const struct standin_place *place, char text[PATH_MAX])
{
	int error = standin_name(fds, place->parent, text);
	size_t length, more = strlen(place->name);

	if (error < 0)
		return error;
	length = strlen(text);
	/* "/" ends with one. */
	if (text[length - 1] == '/')
		length--;
	if (length + 1 + more + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	if (more > 0 || length == 0)
		text[length++] = '/';
	memcpy(text + length, place->name, more);
	length += more;
	if (place->slash && text[length - 1] != '/')
		text[length++] = '/';
	text[length] = '\0';
	return 0;
}

int standin_show(const struct standin *standin, char text[PATH_MAX])
{
	size_t old = standin_prefix(standin, text), new = standin->lower.length, rest;

	if (old == 0)
		return 0;
	rest = strlen(text + old);
	if (new + rest >= PATH_MAX)
		return -ENAMETOOLONG;
	memmove(text + new, text + old, rest + 1);
	memcpy(text, standin->lower.path, new);
	return (int)(new + rest);
}

/* --- Where a path leads ---------------------------------------------------------------------------- */

/* Whether the path from where PLACE is does not touch the lower directory, as far as its name says. */
static bool is_aside(const struct standin *standin, int fds, const struct standin_place *place)
{
	char text[PATH_MAX];

	return standin_text(fds, place, text) == 0 &&
	       (standin_prefix(standin, text) > 0 || prefix(&standin->lower, text) == 0);
}

/* The directories of PATH, which ends with SIZE of them, in one call and without links. */
static int open_parent(const struct notify_call *call, int dirfd, const char *path, size_t size)
{
	const struct kernel_open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
					     .resolve = RESOLVE_NO_SYMLINKS };
	char names[PATH_MAX] = ".";
	size_t slashes = strspn(path, "/");
	int fd, start = places_start(call, dirfd, path, NULL);

	if (start < 0)
		return start;
	if (size > slashes) {
		memcpy(names, path + slashes, size - slashes);
		names[size - slashes] = '\0';
	}
	fd = sys_openat2(start, names, &how);
	places_leave(call, start);
	return fd;
}

/* What most paths are: no links, no "..", no special name at the end. Returns whether PLACE was found. */
static bool find_at_once(const struct notify_call *call, const struct standin *standin, int fds,
			 int dirfd, const char *path, enum walk_last last,
			 struct standin_place *place)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	char byte;

	if (!call->openat2 || name[0] == '\0' || strlen(name) > NAME_MAX ||
	    strstr(path, "..") != NULL)
		return false;
	place->parent = open_parent(call, dirfd, path, (size_t)(name - path));
	if (place->parent < 0)
		return false;
	strcpy(place->name, name);
	if (is_aside(standin, fds, place) &&
	    (last != WALK_FOLLOW || sys_readlinkat(place->parent, name, &byte, 1) < 0))
		return true;
	standin_close(place);
	return false;
}

static int find_by_walk(const struct notify_call *call, const struct standin *standin, int dirfd,
			const char *path, enum walk_last last, struct standin_place *place)
{
	struct walk walk = {
		.call = call, .standin = standin, .root = -1, .here = -1, .parent = -1
	};
	int error = walk_path(&walk, dirfd, path, last);

	place->crossed = walk.standin != NULL && walk.crossed;
	place->links = walk.links;
	if (error == 0) {
		int *parent = walk.parent >= 0 ? &walk.parent : &walk.here;

		place->parent = *parent;
		*parent = -1;
		strcpy(place->name, walk.name);
		place->slash = walk.slash;
		place->magic = walk.magic;
	}
	walk_close(&walk);
	return error;
}

int standin_find(const struct notify_call *call, const struct standin *standin, int fds, int dirfd,
		 const char *path, enum walk_last last, struct standin_place *place)
{
	int error = 0;

	*place = (struct standin_place){ .parent = -1 };
	if (!find_at_once(call, standin, fds, dirfd, path, last, place))
		error = find_by_walk(call, standin, dirfd, path, last, place);
	return target_is_callers(call) ? error : -ESRCH;
}

void standin_close(struct standin_place *place)
{
	if (place->parent >= 0)
		sys_close(place->parent);
	place->parent = -1;
}

int standin_reach(const struct standin_place *place)
{
	const char *name = place->name[0] == '\0' ? "." : place->name;
	int flags = O_PATH | O_CLOEXEC | (place->magic ? 0 : O_NOFOLLOW), error;
	int fd = sys_openat(place->parent, name, flags, 0);

	if (fd < 0 || !place->slash)
		return fd;
	error = walk_check_directory(fd);
	if (error == 0)
		return fd;
	sys_close(fd);
	return error;
}

int standin_seek(const struct notify_call *call, const struct standin *standin, int fds, int dirfd,
		 const char *path, bool follow)
{
	struct standin_place place;
	int error = standin_find(call, standin, fds, dirfd, path, follow ? WALK_FOLLOW : WALK_STAY,
				 &place);
	int fd = error < 0 ? error : standin_reach(&place);

	standin_close(&place);
	return fd;
}
