/* SPDX-License-Identifier: MIT */
/* Following a grant's path on the host, one component at a time, keeping the links on the way. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mountns/source.h"
#include "mountns/sys.h"

/* As the kernel: path_resolution(7), "40 links". */
#define MAX_LINKS 40

struct walk {
	struct view *view;
	const struct grant *grant;
	struct fault *fault;
	int fd;        /* of what CANONICAL names */
	size_t length; /* of CANONICAL; 0 for the root */
	char canonical[PATH_MAX];
	char pending[PATH_MAX]; /* still to be followed */
};

static int fail(const struct walk *walk, int error)
{
	return fault_errno(walk->fault, "grant", walk->grant->path, error);
}

int source_remember(struct view *view, const char *path, const char *text)
{
	size_t path_size = strlen(path) + 1;
	size_t text_size = text == NULL ? 0 : strlen(text) + 1;
	size_t count = view->link_count;
	struct link *links = view->links;
	char *memory;

	/* Room for 8, 16, 32 …: it is full when the count is one of these. */
	if (count == 0 || (count >= 8 && (count & (count - 1)) == 0))
		links = reallocarray(links, count ? 2 * count : 8, sizeof(*links));
	if (links == NULL)
		return -1;
	view->links = links;
	memory = malloc(path_size + text_size);
	if (memory == NULL)
		return -1;
	memcpy(memory, path, path_size);
	links += view->link_count++;
	links->path = memory;
	links->text = text == NULL ? NULL : memcpy(memory + path_size, text, text_size);
	return 0;
}

/* NAME is what is in the directory CANONICAL, or "" for that directory itself; TEXT may be NULL. */
static int remember(struct walk *walk, const char *name, const char *text)
{
	char path[PATH_MAX + NAME_MAX + 2];

	snprintf(path, sizeof(path), "%.*s%s%s", (int)walk->length, walk->canonical,
		 name[0] != '\0' ? "/" : "", name);
	return source_remember(walk->view, path, text) == 0 ? 0 : fail(walk, ENOMEM);
}

/* Puts the text of the link NAME in front of what is still to be followed. */
static int splice_link(struct walk *walk, const char *name, int link_fd)
{
	char text[PATH_MAX];
	struct statfs fs;
	size_t rest = strlen(walk->pending);
	ssize_t length = readlinkat(link_fd, "", text, sizeof(text) - 1);

	if (length < 0)
		return fail(walk, errno);
	text[length] = '\0';
	/* A link of procfs may lead anywhere, not to what it says: never a source. */
	if (fstatfs(link_fd, &fs) != 0)
		return fail(walk, errno);
	if (fs.f_type == PROC_MAGIC)
		return fail(walk, ELOOP);
	if ((size_t)length + rest + 1 > sizeof(walk->pending))
		return fail(walk, ENAMETOOLONG);
	if (remember(walk, name, text) != 0)
		return -1;
	/* What is pending starts with the slash behind the link's name, if there is any. */
	memmove(walk->pending + length, walk->pending, rest + 1);
	memcpy(walk->pending, text, (size_t)length);
	return 0;
}

static int to_root(struct walk *walk)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(walk, errno);
	if (walk->fd >= 0)
		close(walk->fd);
	walk->fd = fd;
	walk->length = 0;
	return 0;
}

/* CANONICAL holds no link, so that its parent is its text less the last component. */
static void to_parent_text(struct walk *walk)
{
	while (walk->length > 0 && walk->canonical[--walk->length] != '/')
		;
}

/* Follows one component. Returns 0, 1 when it was a link (now pending), or -1. */
static int follow(struct walk *walk, const char *name)
{
	struct stat stat;
	bool up = strcmp(name, "..") == 0;
	size_t length = strlen(name);
	int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return fail(walk, errno);
	if (fstat(fd, &stat) != 0) {
		close(fd);
		return fail(walk, errno);
	}
	if (S_ISLNK(stat.st_mode)) {
		int status = splice_link(walk, name, fd);

		close(fd);
		return status == 0 ? 1 : -1;
	}
	close(walk->fd);
	walk->fd = fd;
	if (strcmp(name, ".") == 0)
		return 0;
	if (up) {
		if (walk->length > 0 && remember(walk, "", NULL) != 0)
			return -1;
		to_parent_text(walk);
		return 0;
	}
	if (walk->length + length + 2 > sizeof(walk->canonical))
		return fail(walk, ENAMETOOLONG);
	walk->canonical[walk->length++] = '/';
	memcpy(walk->canonical + walk->length, name, length);
	walk->length += length;
	return 0;
}

/* Takes the next component off PENDING; slashes at its end stand for ".", which only a directory has.
 * Returns false at the end. */
static bool next_component(struct walk *walk, char name[NAME_MAX + 2])
{
	char *start = walk->pending + strspn(walk->pending, "/");
	size_t length = strcspn(start, "/");

	if (walk->pending[0] == '\0')
		return false;
	if (length == 0) {
		walk->pending[0] = '\0';
		strcpy(name, ".");
		return true;
	}
	/* One byte more than a name may have, so that the kernel refuses it. */
	memcpy(name, start, length <= NAME_MAX ? length : NAME_MAX + 1);
	name[length <= NAME_MAX ? length : NAME_MAX + 1] = '\0';
	memmove(walk->pending, start + length, strlen(start + length) + 1);
	return true;
}

/* The usual case in one call: a path without a link is its own canonical form. */
static bool open_at_once(struct walk *walk, const char *path)
{
	struct kernel_open_how how = { .flags = O_PATH | O_CLOEXEC,
				       .resolve = RESOLVE_NO_SYMLINKS };
	char canonical[PATH_MAX];
	int fd, length = mountns_normalise(path, canonical, sizeof(canonical));
	size_t end = strlen(path);

	if (length < 0)
		return false;
	/* What the normal form has lost: only a directory may be called "x/" or "x/.". */
	if (end > 0 && (path[end - 1] == '/' || (end > 1 && strcmp(path + end - 2, "/.") == 0)))
		how.flags |= O_DIRECTORY;
	fd = sys_openat2(AT_FDCWD, canonical, &how);
	if (fd < 0)
		return false;
	if (walk->fd >= 0)
		close(walk->fd);
	walk->fd = fd;
	walk->length = (size_t)length;
	memcpy(walk->canonical, canonical, walk->length + 1);
	return true;
}

/* Behind a link there is often no other one. */
static bool open_rest_at_once(struct walk *walk)
{
	char path[2 * PATH_MAX];

	memcpy(path, walk->canonical, walk->length);
	path[walk->length] = '/';
	strcpy(path + walk->length + 1, walk->pending);
	return open_at_once(walk, path);
}

static int walk_all(struct walk *walk)
{
	char name[NAME_MAX + 2];
	int links = 0;

	if (to_root(walk) != 0)
		return -1;
	while (next_component(walk, name)) {
		int status = follow(walk, name);

		if (status < 0)
			return -1;
		if (status == 0)
			continue;
		if (++links > MAX_LINKS)
			return fail(walk, ELOOP);
		if (walk->pending[0] == '/' && to_root(walk) != 0)
			return -1;
		if (open_rest_at_once(walk))
			return 0;
	}
	if (walk->length == 0)
		walk->canonical[walk->length++] = '/';
	walk->canonical[walk->length] = '\0';
	return 0;
}

static int start(struct walk *walk)
{
	const char *path = walk->grant->path;
	size_t length = 0;

	if (path[0] == '\0')
		return fail(walk, ENOENT);
	if (path[0] != '/') {
		if (getcwd(walk->pending, sizeof(walk->pending)) == NULL)
			return fail(walk, errno);
		/* Linux says "(unreachable)/..." for a directory outside the root: getcwd(3). */
		if (walk->pending[0] != '/')
			return fail(walk, ENOENT);
		length = strlen(walk->pending);
		walk->pending[length++] = '/';
	}
	if (length + strlen(path) + 1 > sizeof(walk->pending))
		return fail(walk, ENAMETOOLONG);
	strcpy(walk->pending + length, path);
	return 0;
}

static int identify(struct walk *walk, struct source *source)
{
	struct kernel_statx stat;
	int error = sys_statx(walk->fd, "", AT_EMPTY_PATH, &stat);

	if (error < 0)
		return fail(walk, error);
	if ((walk->grant->rights & GRANT_APPEND) != 0 && !S_ISREG(stat.mode))
		return fault_text(walk->fault, "append", walk->grant->path, "is no regular file");
	*source = (struct source){
		.path = strdup(walk->canonical),
		.rights = walk->grant->rights | GRANT_READ,
		.fd = walk->fd,
		.directory = S_ISDIR(stat.mode),
		.dev_major = stat.dev_major,
		.dev_minor = stat.dev_minor,
		.inode = stat.inode,
	};
	if (source->path == NULL)
		return fail(walk, ENOMEM);
	for (const char *p = source->path; *p != '\0'; p++)
		source->depth += *p == '/' && p[1] != '\0';
	return 1;
}

int source_open(struct view *view, const struct grant *grant, struct source *source,
		struct fault *fault)
{
	struct walk walk;

	walk.view = view;
	walk.grant = grant;
	walk.fault = fault;
	walk.fd = -1;
	walk.length = 0;
	if (start(&walk) == 0 && (open_at_once(&walk, walk.pending) || walk_all(&walk) == 0) &&
	    identify(&walk, source) == 1)
		return 1;
	if (walk.fd >= 0)
		close(walk.fd);
	if (grant->optional && fault->error == ENOENT)
		return 0;
	return -1;
}
