/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "filters/standin.h"
#include "filters/target.h"
#include "filters/walk.h"
#include "mountns/sys.h"

#define LINKS_MAX 40
#define PROC_ROOT_INODE 1

/* The directory from which the last step goes is kept. */
static int arrive(struct walk *walk, int fd)
{
	if (fd < 0)
		return fd;
	if (walk->last)
		walk->parent = walk->here;
	else if (walk->here >= 0)
		sys_close(walk->here);
	walk->here = fd;
	return 0;
}

static int open_again(int directory)
{
	return sys_openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

/* Whoever arrives in the directory that has a stand-in is in that. */
static int go(struct walk *walk, int fd)
{
	if (fd >= 0 && walk->standin != NULL && standin_is(fd, &walk->standin->lower)) {
		sys_close(fd);
		fd = open_again(walk->standin->tree.fd);
		walk->crossed = true;
	}
	return arrive(walk, fd);
}

/* The stand-in by its own name is no other place: it may be below the directory for which it stands. */
static int go_to_root(struct walk *walk)
{
	size_t length = walk->standin == NULL ? 0 : standin_prefix(walk->standin, walk->rest);

	if (length == 0)
		return go(walk, open_again(walk->root));
	walk->rest += length;
	return arrive(walk, open_again(walk->standin->tree.fd));
}

/* A caller with another root finds nothing by the names that we could give it. */
static int check_root(struct walk *walk)
{
	struct kernel_statx ours, root;
	int error;

	if (walk->standin == NULL)
		return 0;
	error = sys_statx(AT_FDCWD, "/", 0, &ours);
	if (error == 0)
		error = sys_statx(walk->root, "", AT_EMPTY_PATH, &root);
	if (error == 0 && (ours.inode != root.inode || ours.mount_id != root.mount_id))
		walk->standin = NULL;
	return error;
}

/* Where a path begins that is not absolute. */
static int open_start(const struct notify_call *call, int dirfd)
{
	return dirfd == AT_FDCWD ? target_open(call, "/cwd") : target_open_fd(call, dirfd);
}

static int begin(struct walk *walk, int dirfd, const char *path)
{
	int error;

	walk->root = target_open(walk->call, "/root");
	error = walk->root < 0 ? walk->root : check_root(walk);
	if (error < 0)
		return error;
	strcpy(walk->text, path);
	walk->rest = walk->text;
	return path[0] == '/' ? go_to_root(walk) : go(walk, open_start(walk->call, dirfd));
}

/* The next name of the path is put in NAME. Returns its length, 0 at the end. */
static int next_name(struct walk *walk, char name[NAME_MAX + 1], bool *last)
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");

	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, length);
	name[length] = '\0';
	walk->rest = start + length;
	walk->slash = *walk->rest == '/';
	*last = walk->rest[strspn(walk->rest, "/")] == '\0';
	return (int)length;
}

/* The kernel's rule for "..": not out of the root. */
static int go_up(struct walk *walk)
{
	struct kernel_statx here, root;
	int from = walk->here, error = sys_statx(walk->here, "", AT_EMPTY_PATH, &here);

	if (error == 0)
		error = sys_statx(walk->root, "", AT_EMPTY_PATH, &root);
	if (error < 0)
		return error;
	if (here.inode == root.inode && here.mount_id == root.mount_id)
		return 0;
	if (walk->standin != NULL && standin_is(walk->here, &walk->standin->tree)) {
		walk->crossed = true;
		from = walk->standin->lower.fd;
	}
	return go(walk, sys_openat(from, "..", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
}

/* "self" is the caller, and not the one who looks. */
static int self_text(struct walk *walk, const char *name, char *text)
{
	unsigned int process = target_status(walk->call, "\nNStgid:");
	unsigned int thread = target_status(walk->call, "\nNSpid:");

	if (process == 0 || thread == 0)
		return -ENOENT;
	if (strcmp(name, "self") == 0) {
		target_number(text, process, "");
	} else {
		target_number(text, process, "/task/");
		target_number(text + strlen(text), thread, "");
	}
	return (int)strlen(text);
}

/* Puts the text of a link before what is left of the path. */
static int splice_link(struct walk *walk, char *text, size_t length)
{
	size_t rest = strlen(walk->rest);

	if (length == 0)
		return -ENOENT;
	if (length + rest + 1 > sizeof(walk->text))
		return -ENAMETOOLONG;
	memmove(walk->text + length, walk->rest, rest + 1);
	memcpy(walk->text, text, length);
	walk->rest = walk->text;
	return text[0] == '/' ? go_to_root(walk) : 0;
}

/*
 * LINK is NAME in the directory where we are. Below a process's directory of procfs the text of a link
 * says nothing: the kernel has to follow it, and gets to the caller's file.
 */
static int follow_link(struct walk *walk, const char *name, int link)
{
	char text[PATH_MAX];
	struct kernel_statx here;
	int error = sys_statx(walk->here, "", AT_EMPTY_PATH, &here);
	bool proc = sys_filesystem_type(walk->here) == PROC_MAGIC;
	long length;

	if (error < 0)
		return error;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (proc && here.inode != PROC_ROOT_INODE) {
		walk->magic = true;
		return go(walk, sys_openat(walk->here, name, O_PATH | O_CLOEXEC, 0));
	}
	if (proc && (strcmp(name, "self") == 0 || strcmp(name, "thread-self") == 0))
		length = self_text(walk, name, text);
	else
		length = sys_readlinkat(link, "", text, sizeof(text));
	return length < 0 ? (int)length : splice_link(walk, text, (size_t)length);
}

static int go_down(struct walk *walk, const char *name, bool follow)
{
	struct kernel_statx stat;
	int error, fd = sys_openat(walk->here, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);
	if (error < 0 || (stat.mode & S_IFMT) != S_IFLNK || !follow)
		return error < 0 ? (sys_close(fd), error) : go(walk, fd);
	error = follow_link(walk, name, fd);
	sys_close(fd);
	return error;
}

/* What "." asks for, and a slash at the end of a path. */
int walk_check_directory(int fd)
{
	struct kernel_statx stat;
	int error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);

	return error == 0 && (stat.mode & S_IFMT) != S_IFDIR ? -ENOTDIR : error;
}

static int step(struct walk *walk, const char *name, bool follow)
{
	walk->magic = false;
	if (strcmp(name, "..") == 0)
		return go_up(walk);
	if (strcmp(name, ".") == 0)
		return walk_check_directory(walk->here);
	return go_down(walk, name, follow);
}

static bool is_top(const struct walk *walk, int fd)
{
	return walk->standin != NULL && standin_is(fd, &walk->standin->tree);
}

static void drop_parent(struct walk *walk)
{
	if (walk->parent >= 0)
		sys_close(walk->parent);
	walk->parent = -1;
}

/* Where the last name is, as it is after the step over it. */
static int keep_place(struct walk *walk, const char *name)
{
	bool dots = strcmp(name, "..") == 0;

	strcpy(walk->name, name);
	/* With the directory itself before the dots the kernel says to them what it always says. */
	if (dots && walk->parent >= 0 && is_top(walk, walk->parent)) {
		drop_parent(walk);
		walk->parent = open_again(walk->standin->lower.fd);
		return walk->parent < 0 ? walk->parent : 0;
	}
	/* The stand-in's top has no name that the caller knows. */
	if (walk->crossed && is_top(walk, walk->here)) {
		strcpy(walk->name, dots ? "." : "");
		drop_parent(walk);
	}
	return 0;
}

/* The step over the last name, which is kept. *MORE: it was a link, whose text is in its place. */
static int last_step(struct walk *walk, const char *name, bool follow, bool *more)
{
	bool crossed = walk->crossed;
	unsigned int links = walk->links;
	int error;

	walk->crossed = false;
	walk->last = true;
	error = step(walk, name, follow);
	walk->last = false;
	*more = error == 0 && walk->links != links && !walk->magic;
	if (*more)
		drop_parent(walk);
	walk->missing = error == -ENOENT && !walk->magic;
	if (!*more && (error == 0 || walk->missing))
		error = keep_place(walk, name);
	walk->crossed |= crossed;
	return error;
}

static int follow_names(struct walk *walk, enum walk_last mode)
{
	char name[NAME_MAX + 1];
	bool last, more = true;
	int length, error = 0;

	while (error == 0 && more) {
		length = next_name(walk, name, &last);
		if (length < 0)
			return length;
		/* The root, or what a link to it leads to. */
		if (length == 0)
			return 0;
		if (!last)
			error = step(walk, name, true);
		else
			error = last_step(walk, name,
					  mode == WALK_FOLLOW || (mode == WALK_STAY && walk->slash),
					  &more);
	}
	return error;
}

int walk_path(struct walk *walk, int dirfd, const char *path, enum walk_last last)
{
	int error = path[0] == '\0' ? -ENOENT : begin(walk, dirfd, path);

	return error < 0 ? error : follow_names(walk, last);
}

void walk_close(struct walk *walk)
{
	if (walk->root >= 0)
		sys_close(walk->root);
	if (walk->here >= 0)
		sys_close(walk->here);
	drop_parent(walk);
}

int walk_find(const struct notify_call *call, int dirfd, const char *path, bool follow)
{
	struct walk walk = { .call = call, .root = -1, .here = -1, .parent = -1 };
	int fd, error = walk_path(&walk, dirfd, path, follow ? WALK_FOLLOW : WALK_STAY);

	if (error == 0 && walk.missing)
		error = -ENOENT;
	if (error == 0 && walk.slash)
		error = walk_check_directory(walk.here);
	fd = walk.here;
	if (error == 0)
		walk.here = -1;
	walk_close(&walk);
	return error < 0 ? error : fd;
}
