/* SPDX-License-Identifier: MIT */
/*
 * Destinations: from a path in the box to a directory and a name in it, never outside the new root. Usually
 * the parents are there, and one resolve_open() leads to them; else walk.c goes step by step.
 */
#include <errno.h>
#include <string.h>

#include "mountns/build.h"
#include "mountns/sys.h"

#define DIRECTORY (O_PATH | O_DIRECTORY | O_CLOEXEC)

static int fail(const struct builder *builder, const struct wanted *wanted, const char *step,
		int error)
{
	return fault_errno(builder->fault, wanted->step != NULL ? wanted->step : step, wanted->path,
			   error);
}

void place_forget(struct builder *builder)
{
	if (builder->last.dir >= 0 && builder->last.dir != builder->resolver.root)
		sys_close(builder->last.dir);
	builder->last.dir = -1;
	builder->last.cached = false;
}

/* --- The parent --------------------------------------------------------------------------------- */

/* Whether the first END bytes of PATH end in a slash, or a "." that is a component. */
static bool ends_in_nothing(const char *path, size_t end)
{
	if (end == 0)
		return false;
	return path[end - 1] == '/' || (path[end - 1] == '.' && (end == 1 || path[end - 2] == '/'));
}

/* Where PATH's last component starts, and its length; 0 when that is ".." or there is none. */
static size_t split(const char *path, size_t *length)
{
	size_t end = strlen(path), start;

	while (ends_in_nothing(path, end))
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	*length = end - start;
	if (*length != 2 || memcmp(path + start, "..", 2) != 0)
		return start;
	*length = 0;
	return end;
}

/* Whether DIR, where the last ".." of a path has led, is the root. */
static int is_root(const struct builder *builder, int dir)
{
	struct kernel_statx stat, root;
	int error = sys_statx(dir, "", AT_EMPTY_PATH, &stat);

	if (error == 0)
		error = sys_statx(builder->resolver.root, "", AT_EMPTY_PATH, &root);
	if (error < 0)
		return error;
	return stat.mount_id == root.mount_id && stat.inode == root.inode;
}

/* Opens the first LENGTH bytes of the path at once. */
static int open_parent(struct builder *builder, const char *path, size_t length)
{
	char *text = builder->room->last;
	int dir, status;

	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(text, path, length);
	text[length] = '\0';
	if (place_skip(text) == length)
		return builder->resolver.root;
	dir = resolve_open(&builder->resolver, text, DIRECTORY, 0, RESOLVE_INSIDE);
	if (dir < 0 || text[length - 1] != '.')
		return dir;
	status = is_root(builder, dir);
	if (status == 0)
		return dir;
	sys_close(dir);
	return status < 0 ? status : builder->resolver.root;
}

/* The usual case: the parent is there, and nothing of the host's is on the way that would have to be
 * pinned, since all above a mount of ours is. Returns 1, 0 when a walk has to be made, or -errno. */
static int find_at_once(struct builder *builder, const char *path, size_t length)
{
	int dir, ours;

	place_forget(builder);
	dir = open_parent(builder, path, length);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	ours = build_may_change(builder, dir);
	if (ours > 0 || dir == builder->resolver.root) {
		builder->last.dir = dir;
		builder->last.ours = ours > 0;
		return ours < 0 ? ours : 1;
	}
	sys_close(dir);
	return ours;
}

static bool is_cached(const struct builder *builder, const struct wanted *wanted, size_t length)
{
	return builder->last.cached && strlen(builder->room->last) == length &&
	       memcmp(builder->room->last, wanted->path, length) == 0 &&
	       (wanted->links != LINKS_NONE || builder->last.links == LINKS_NONE);
}

/* PLACE is in the last parent. */
static int take_last(const struct builder *builder, const struct wanted *wanted,
		     struct place *place, size_t start, size_t length)
{
	place->dir = builder->last.dir;
	place->ours = builder->last.ours;
	place->linked = false;
	memcpy(place->name, wanted->path + start, length);
	place->name[length] = '\0';
	return 0;
}

static int find_parent(struct builder *builder, const struct wanted *wanted, struct place *place)
{
	size_t length, start = split(wanted->path, &length);
	int found = is_cached(builder, wanted, start);

	*place = (struct place){ .dir = -1 };
	if (length > NAME_MAX || start >= PATH_MAX)
		return -ENAMETOOLONG;
	if (found)
		return take_last(builder, wanted, place, start, length);
	if (wanted->links != LINKS_NONE)
		found = find_at_once(builder, wanted->path, start);
	if (found < 0)
		return found;
	if (!found) {
		struct wanted to_last = *wanted;
		int error;

		/* That the last component is a link will be seen when it is opened. */
		if (wanted->links == LINKS_ALL)
			to_last.links = LINKS_ON_THE_WAY;
		error = place_walk(builder, &to_last, place);
		if (error < 0)
			return error;
		memcpy(builder->room->last, wanted->path, start);
		builder->room->last[start] = '\0';
	}
	builder->last.cached = true;
	builder->last.links = wanted->links;
	return take_last(builder, wanted, place, start, length);
}

int place_find(struct builder *builder, const struct wanted *wanted, struct place *place)
{
	int error = find_parent(builder, wanted, place);

	if (error == 0)
		return 0;
	if (error == -ENOENT && wanted->step == NULL && !place->ours)
		return fault_text(builder->fault, "mkdir parents", wanted->path,
				  "are not there, and on the host nothing is made");
	return fail(builder, wanted, "mkdir parents", error);
}

/* --- The thing itself --------------------------------------------------------------------------- */

static bool is_link(const struct place *place)
{
	char text[1];

	return sys_readlinkat(place->dir, place->name, text, sizeof(text)) >= 0;
}

/* Each makes the thing, or opens what is there. Returns 0, or -errno: -ELOOP when that is a link. */

static int open_directory(const struct wanted *wanted, struct target *target)
{
	const struct place *place = &target->place;
	bool make = place->ours && !place->linked;
	int made = make ? sys_mkdirat(place->dir, place->name, wanted->mode) : -EEXIST;

	if (made != -EEXIST)
		return made;
	target->fd = sys_openat(place->dir, place->name, DIRECTORY | O_NOFOLLOW, 0);
	if (target->fd == -ENOTDIR && is_link(place))
		return -ELOOP;
	return target->fd < 0 ? target->fd : 0;
}

static int open_file(const struct wanted *wanted, struct target *target)
{
	const struct place *place = &target->place;
	int made = place->ours ? sys_mknodat(place->dir, place->name, S_IFREG | wanted->mode)
			       : -EEXIST;
	struct kernel_statx stat;
	int error;

	if (made != -EEXIST)
		return made;
	target->fd = sys_openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (target->fd < 0)
		return target->fd;
	error = sys_statx(target->fd, "", AT_EMPTY_PATH, &stat);
	if (error == 0 && S_ISLNK(stat.mode))
		error = -ELOOP;
	else if (error == 0 && S_ISDIR(stat.mode))
		error = -EISDIR;
	if (error == 0)
		return 0;
	sys_close(target->fd);
	target->fd = -1;
	return error;
}

/* ".." at the end of a path leads to the directory itself. */
static int open_self(struct builder *builder, const struct wanted *wanted, struct target *target)
{
	int dir = target->place.dir;

	if (!wanted->directory)
		return -EISDIR;
	target->root = dir == builder->resolver.root;
	if (!target->root)
		target->fd = sys_fcntl(dir, F_DUPFD_CLOEXEC, 3);
	/* What will be mounted there covers what was found last. */
	place_forget(builder);
	return target->root || target->fd >= 0 ? 0 : target->fd;
}

static int open_thing(struct builder *builder, const struct wanted *wanted, struct target *target)
{
	target->fd = -1;
	if (target->place.name[0] == '\0')
		return open_self(builder, wanted, target);
	return wanted->directory ? open_directory(wanted, target) : open_file(wanted, target);
}

static int complain(const struct builder *builder, const struct wanted *wanted,
		    const struct place *place, int error)
{
	const char *step = wanted->directory ? "mkdir" : "create file";

	if (error == -ENOENT && wanted->step == NULL && !place->ours)
		return fault_text(builder->fault, step, wanted->path,
				  "is not there, and on the host nothing is made");
	if (error == -ELOOP && wanted->step == NULL && wanted->links != LINKS_ALL)
		return fault_text(builder->fault, step, wanted->path, "is a symbolic link");
	return fail(builder, wanted, step, error);
}

/* "/" needs no root to be there. */
static bool says_root(const char *path)
{
	return path[place_skip(path)] == '\0';
}

int place_open(struct builder *builder, const struct wanted *wanted, struct target *target)
{
	int error;

	target->fd = -1;
	target->root = says_root(wanted->path) && wanted->directory;
	if (target->root)
		return 0;
	if (place_find(builder, wanted, &target->place) != 0)
		return -1;
	error = open_thing(builder, wanted, target);
	if (error == -ELOOP && wanted->links == LINKS_ALL) {
		error = place_walk(builder, wanted, &target->place);
		if (error < 0)
			return fail(builder, wanted, "mkdir parents", error);
		error = open_thing(builder, wanted, target);
	}
	if (error < 0)
		return complain(builder, wanted, &target->place, error);
	if (build_check_grants(builder, wanted, target) == 0)
		return 0;
	place_close(target);
	return -1;
}

void place_close(struct target *target)
{
	if (target->fd >= 0)
		sys_close(target->fd);
	target->fd = -1;
}

/* A file that is there is emptied only if it is ours, too: it may be a bind of the host's. */
static int create(struct builder *builder, const struct wanted *wanted, const struct place *place)
{
	int flags = O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int there, ours = place->ours;

	if (place->name[0] == '\0')
		return -EISDIR;
	if (!builder->view->touch_host) {
		there = sys_openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
		if (there >= 0) {
			ours = is_link(place) ? -ELOOP : build_may_change(builder, there);
			sys_close(there);
		}
	}
	if (ours <= 0)
		return ours < 0 ? ours : -EROFS;
	return sys_openat(place->dir, place->name, flags | O_CREAT, wanted->mode);
}

int place_create(struct builder *builder, const struct wanted *wanted)
{
	struct place place;
	int error, fd;

	if (place_find(builder, wanted, &place) != 0)
		return -1;
	fd = create(builder, wanted, &place);
	if (fd == -ELOOP) {
		error = place_walk(builder, wanted, &place);
		if (error < 0)
			return fail(builder, wanted, "mkdir parents", error);
		fd = create(builder, wanted, &place);
	}
	if (fd == -EROFS && !builder->view->touch_host)
		return fault_text(builder->fault, "create file", wanted->path,
				  "is on the host, where nothing is changed");
	return fd < 0 ? fail(builder, wanted, "create file", fd) : fd;
}

int place_existing(struct builder *builder, const char *path, const char *step)
{
	int fd;

	if (says_root(path))
		fd = sys_fcntl(builder->resolver.root, F_DUPFD_CLOEXEC, 3);
	else
		fd = resolve_open(&builder->resolver, path, O_PATH | O_CLOEXEC, 0, RESOLVE_INSIDE);
	return fd < 0 ? fault_errno(builder->fault, step, path, fd) : fd;
}
