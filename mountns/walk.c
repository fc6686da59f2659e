/* SPDX-License-Identifier: MIT */
/*
 * The long way to a destination: one component at a time, to make what is missing and to pin what is the
 * host's. It follows no link by itself, but puts the link's text in front of what is still to be walked: what
 * lies behind is canonical, so that this is exact.
 */
#include <errno.h>
#include <string.h>

#include "mountns/build.h"
#include "mountns/sys.h"

#define MAX_LINKS 40 /* as the kernel: path_resolution(7) */

#define DIRECTORY (O_PATH | O_DIRECTORY | O_CLOEXEC)

struct walk {
	struct builder *builder;
	const struct wanted *wanted;
	struct place *place;
	size_t length; /* of canonical */
	size_t at;     /* in pending */
	size_t given;  /* so many bytes at the end of pending are from no link */
	int links;
};

/*
 * Makes a directory of a writable host mount that is on the way to something deeper a mount point: the
 * workload could rename it else, and so get rid of what covers a path below it. FD becomes the
 * mount's own.
 */
static int pin(struct mounter *mounter, int *fd, const struct kernel_statx *stat)
{
	int error, tree, read_only = sys_is_read_only(*fd);

	if (read_only < 0)
		return read_only;
	if (read_only || (stat->attributes & KERNEL_STATX_MOUNT_ROOT) != 0)
		return 0;
	tree = mount_clone(mounter, *fd, "", AT_EMPTY_PATH | AT_RECURSIVE, 0);
	if (tree < 0)
		return tree;
	error = mount_attach(mounter, tree, *fd, "");
	sys_close(*fd);
	*fd = tree;
	return error;
}

/* DIR, which was just MADE by us or was there, is where the walk has got. */
static int arrive(struct walk *walk, int dir, bool made)
{
	struct builder *builder = walk->builder;
	struct place *place = walk->place;
	struct kernel_statx stat;
	int error;

	if (place->dir != builder->resolver.root)
		sys_close(place->dir);
	place->dir = dir;
	/* What was there may be a mount of the host's. */
	if (made || builder->view->touch_host)
		return 0;
	error = sys_statx(dir, "", AT_EMPTY_PATH, &stat);
	place->ours = error == 0 && build_is_own(builder, &stat);
	if (error < 0 || place->ours)
		return error;
	return pin(&builder->mounter, &place->dir, &stat);
}

static int to_root(struct walk *walk)
{
	int ours = build_may_change(walk->builder, walk->builder->resolver.root);

	if (walk->place->dir != walk->builder->resolver.root)
		sys_close(walk->place->dir);
	walk->place->dir = walk->builder->resolver.root;
	walk->place->ours = ours > 0;
	walk->length = 0;
	walk->builder->room->canonical[0] = '\0';
	return ours < 0 ? ours : 0;
}

/* CANONICAL holds no link, so that its parent is its text less the last component. */
static int to_parent(struct walk *walk)
{
	char *canonical = walk->builder->room->canonical;
	int dir;

	while (walk->length > 0 && canonical[--walk->length] != '/')
		;
	canonical[walk->length] = '\0';
	if (walk->length == 0)
		return to_root(walk);
	dir = resolve_open(&walk->builder->resolver, canonical, DIRECTORY, 0, RESOLVE_INSIDE);
	return dir < 0 ? dir : arrive(walk, dir, false);
}

/* Steps into the directory of PLACE's name. */
static int descend(struct walk *walk)
{
	char *canonical = walk->builder->room->canonical;
	struct place *place = walk->place;
	size_t size = strlen(place->name) + 1;
	bool make = place->ours && !place->linked;
	int made = make ? sys_mkdirat(place->dir, place->name, walk->wanted->parents) : -EEXIST;
	int dir;

	if (made < 0 && made != -EEXIST)
		return made;
	dir = sys_openat(place->dir, place->name, DIRECTORY | O_NOFOLLOW, 0);
	if (dir < 0)
		return dir;
	if (walk->length + 1 + size > PATH_MAX) {
		sys_close(dir);
		return -ENAMETOOLONG;
	}
	canonical[walk->length++] = '/';
	memcpy(canonical + walk->length, place->name, size);
	walk->length += size - 1;
	return arrive(walk, dir, made == 0);
}

/* Takes the link of PLACE's name apart. Returns 0, or -errno: -EINVAL when it is none. */
static int follow_link(struct walk *walk)
{
	char *pending = walk->builder->room->pending;
	size_t rest = strlen(pending + walk->at) + 1;
	char text[PATH_MAX];
	long length = sys_readlinkat(walk->place->dir, walk->place->name, text, sizeof(text));

	if (length < 0)
		return (int)length;
	/* A link of procfs may lead anywhere, not to what it says. */
	if (sys_filesystem_type(walk->place->dir) == PROC_MAGIC)
		return -ELOOP;
	if (++walk->links > MAX_LINKS)
		return -ELOOP;
	if (length == PATH_MAX || (size_t)length + rest > sizeof(walk->builder->room->pending))
		return -ENAMETOOLONG;
	/* What is pending starts with the slash behind the link's name, if there is any. */
	memmove(pending + length, pending + walk->at, rest);
	memcpy(pending, text, (size_t)length);
	walk->at = 0;
	if (walk->given > rest - 1)
		walk->given = rest - 1;
	return length > 0 && text[0] == '/' ? to_root(walk) : 0;
}

size_t place_skip(const char *path)
{
	size_t at = 0;

	for (;;) {
		at += strspn(path + at, "/");
		if (path[at] != '.' || (path[at + 1] != '/' && path[at + 1] != '\0'))
			return at;
		at++;
	}
}

/* Takes the next component off PENDING to PLACE's name, which is empty at the end. */
static int next_component(struct walk *walk)
{
	struct place *place = walk->place;
	const char *start = walk->builder->room->pending + walk->at;
	size_t length;

	start += place_skip(start);
	length = strcspn(start, "/");
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(place->name, start, length);
	place->name[length] = '\0';
	walk->at = (size_t)(start + length - walk->builder->room->pending);
	place->linked = strlen(start) > walk->given;
	return 0;
}

/* The last component, unless it is a link that is to be followed, is left in PLACE. */
static int walk_on(struct walk *walk, bool *end)
{
	const char *pending = walk->builder->room->pending;
	struct place *place = walk->place;
	int error = next_component(walk);

	*end = error < 0 || place->name[0] == '\0';
	if (*end)
		return error;
	if (strcmp(place->name, "..") == 0) {
		/* Should it be the last: the directory itself. */
		place->name[0] = '\0';
		return to_parent(walk);
	}
	if (pending[walk->at + place_skip(pending + walk->at)] == '\0') {
		error = walk->wanted->links == LINKS_ALL ? follow_link(walk) : -EINVAL;
		*end = error < 0;
		return error == -EINVAL || error == -ENOENT ? 0 : error;
	}
	error = descend(walk);
	if ((error == -ENOTDIR || error == -ELOOP) && walk->wanted->links != LINKS_NONE) {
		error = follow_link(walk);
		if (error == -EINVAL)
			error = -ENOTDIR;
	}
	return error;
}

int place_walk(struct builder *builder, const struct wanted *wanted, struct place *place)
{
	struct walk walk = {
		.builder = builder,
		.wanted = wanted,
		.place = place,
		.given = strlen(wanted->path),
	};
	bool end = false;
	int error;

	place_forget(builder);
	place->dir = builder->resolver.root;
	if (walk.given >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(builder->room->pending, wanted->path, walk.given + 1);
	error = to_root(&walk);
	while (error == 0 && !end)
		error = walk_on(&walk, &end);
	builder->last.dir = place->dir;
	builder->last.ours = place->ours;
	return error;
}
