/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "filters/places.h"
#include "filters/target.h"
#include "mountns/sys.h"

#define NAME_SIZE 32

static bool is_it(const struct place *place, const struct kernel_statx *stat)
{
	return place->fd >= 0 && place->inode == stat->inode && place->mount == stat->mount_id &&
	       place->dev_major == stat->dev_major && place->dev_minor == stat->dev_minor;
}

static struct place make(int fd, const struct kernel_statx *stat)
{
	return (struct place){ fd, stat->dev_major, stat->dev_minor, stat->inode, stat->mount_id };
}

static void note(struct place *place, int fd)
{
	struct kernel_statx stat;

	if (fd >= 0 && sys_statx(fd, "", AT_EMPTY_PATH, &stat) == 0)
		*place = make(fd, &stat);
}

void places_begin(struct places *places, int root, int top, const char *path)
{
	*places = (struct places){ .root.fd = -1, .top.fd = -1, .path = path };
	for (size_t i = 0; i < PLACES; i++)
		places->here[i].fd = -1;
	note(&places->root, root);
	note(&places->top, top);
}

static bool is_inside(const struct places *places, const struct kernel_statx *stat)
{
	return places->top.fd >= 0 && places->top.mount == stat->mount_id && S_ISDIR(stat->mode);
}

void places_move(struct places *places)
{
	places->moved = true;
	places->rooted = false;
}

/* Whether the caller's root is the box's. */
static bool is_rooted(const struct notify_call *call)
{
	struct places *places = call->places;
	struct kernel_statx stat;
	bool is;

	if (places == NULL || places->root.fd < 0 || places->rooted)
		return places != NULL && places->rooted;
	is = target_stat(call, "/root", &stat) == 0 && is_it(&places->root, &stat);
	places->rooted = is && !places->moved;
	return is;
}

const char *places_below(const struct notify_call *call, int start, const char *path)
{
	const struct places *places = call->places;
	struct kernel_statx stat;
	size_t length;

	if (places == NULL || places->top.fd < 0 || start != places->root.fd)
		return NULL;
	length = strlen(places->path);
	if (strncmp(path, places->path, length) != 0 || path[length] != '/')
		return NULL;
	path += length + strspn(path + length, "/");
	/* It may have got another mount, or another name. */
	return path[0] != '\0' && sys_statx(start, places->path + 1, 0, &stat) == 0 &&
			       is_it(&places->top, &stat)
		       ? path
		       : NULL;
}

static int open_start(const struct notify_call *call, int dirfd)
{
	return dirfd == AT_FDCWD ? target_open(call, "/cwd") : target_open_fd(call, dirfd);
}

static int find_kept(const struct notify_call *call, int dirfd)
{
	const struct places *places = call->places;
	char name[NAME_SIZE] = "/cwd";
	struct kernel_statx stat;

	if (places->elsewhere[dirfd == AT_FDCWD] || (dirfd < 0 && dirfd != AT_FDCWD))
		return -1;
	if (dirfd >= 0)
		target_number(stpcpy(name, "/fd/"), (unsigned int)dirfd, "");
	if (target_stat(call, name, &stat) < 0)
		return -1;
	for (size_t i = 0; i < PLACES; i++)
		if (is_it(&places->here[i], &stat))
			return places->here[i].fd;
	return -1;
}

static void keep(struct places *places, int fd, const struct kernel_statx *stat)
{
	struct place *place = &places->here[places->next++ % PLACES];

	if (place->fd >= 0)
		sys_close(place->fd);
	*place = make(fd, stat);
}

static int start_here(const struct notify_call *call, int dirfd, bool *inside)
{
	struct places *places = call->places;
	struct kernel_statx stat;
	bool *elsewhere;
	int fd;

	if (places == NULL || places->top.fd < 0)
		return open_start(call, dirfd);
	fd = find_kept(call, dirfd);
	if (fd < 0) {
		fd = open_start(call, dirfd);
		if (fd < 0 || sys_statx(fd, "", AT_EMPTY_PATH, &stat) < 0)
			return fd;
		elsewhere = &places->elsewhere[dirfd == AT_FDCWD];
		*elsewhere = !is_inside(places, &stat);
		if (*elsewhere)
			return fd;
		keep(places, fd, &stat);
	}
	if (inside != NULL)
		*inside = true;
	return fd;
}

int places_start(const struct notify_call *call, int dirfd, const char *path, bool *inside)
{
	if (inside != NULL)
		*inside = false;
	if (path[0] == '/')
		return is_rooted(call) ? call->places->root.fd : target_open(call, "/root");
	return start_here(call, dirfd, inside);
}

void places_leave(const struct notify_call *call, int fd)
{
	const struct places *places = call->places;
	bool kept = places != NULL && fd == places->root.fd;

	for (size_t i = 0; places != NULL && i < PLACES; i++)
		kept = kept || fd == places->here[i].fd;
	if (!kept)
		sys_close(fd);
}
