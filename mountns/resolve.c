/* SPDX-License-Identifier: MIT */
/*
 * Following a path below a directory: openat2(2), or a walk that gives the same answers hop by hop.
 *
 * The walk stays inside by construction: from the root it only ever goes down, one name at a time and
 * never through a link. ".." returns to the directory that it came from, whatever has been renamed
 * meanwhile, so that nothing has to be checked afterwards. It differs from openat2 where it cannot ask:
 *
 *  - links in sticky directories are followed as if fs.protected_symlinks were 1 (may_follow);
 *  - "/" as the whole path needs search permission for the root, as "." does;
 *  - texts of links that add up to more than 8 KiB, and ".." out of a directory whose path below the
 *    root is longer than 4 KiB, are -ENAMETOOLONG;
 *  - ".." leads back below what has been mounted on that directory since it or the root was opened;
 *  - what is moved out of the root after its name was looked up is opened, where openat2 looks once more
 *    at the end (-EXDEV), and could be moved right after that;
 *  - F_GETFL shows O_NOFOLLOW, and O_DIRECTORY for a name with a slash behind it.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "mountns/resolve.h"
#include "mountns/sys.h"

#define MAX_LINKS 40 /* as the kernel: path_resolution(7) */
#define PATIENCE 8
#define MAX_ATTEMPTS 64
#define MAX_HELD 16
#define OVERFLOW_UID 65534

/* A directory or a link itself, for which search permission on the way is all that is needed. */
#define THING (O_PATH | O_NOFOLLOW | O_CLOEXEC)

#define PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define WRITE_FLAGS (O_WRONLY | O_RDWR)
#define KNOWN_FLAGS                                                                                \
	(PATH_FLAGS | WRITE_FLAGS | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |             \
	 O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | O_NOATIME | O_TMPFILE |              \
	 KERNEL_LARGEFILE)

struct request {
	const char *path;
	int flags;
	mode_t mode;
	enum resolve_scope scope;
};

struct walk {
	const struct request *request;
	int root;
	int found; /* what was asked for, or -1 */

	/* The directories on the way down, of which the last ones are held open; the root is not among
	 * them. NAMES has each name with its NUL, but for the LOST last ones, which did not fit. */
	unsigned int depth, held, lost;
	int directories[MAX_HELD]; /* that of depth D at D % MAX_HELD */
	size_t names_length;
	char names[PATH_MAX];

	/* What is still to be followed, REST, is at the end of PENDING. */
	unsigned int links;
	const char *name; /* component being followed */
	bool slash;       /* one or more behind it */
	char *rest;
	char pending[3 * PATH_MAX];
};

/* --- Where the walk is ----------------------------------------------------------------------- */

static int here(const struct walk *walk)
{
	return walk->depth == 0 ? walk->root : walk->directories[walk->depth % MAX_HELD];
}

static void hold(struct walk *walk, int fd)
{
	int *slot = &walk->directories[++walk->depth % MAX_HELD];

	if (walk->held == MAX_HELD)
		sys_close(*slot);
	else
		walk->held++;
	*slot = fd;
}

static void enter(struct walk *walk, int fd)
{
	size_t size = strlen(walk->name) + 1;

	hold(walk, fd);
	if (walk->lost > 0 || size > sizeof(walk->names) - walk->names_length) {
		walk->lost++;
		return;
	}
	memcpy(walk->names + walk->names_length, walk->name, size);
	walk->names_length += size;
}

static void forget_name(struct walk *walk)
{
	if (walk->lost > 0) {
		walk->lost--;
		return;
	}
	walk->names_length--;
	while (walk->names_length > 0 && walk->names[walk->names_length - 1] != '\0')
		walk->names_length--;
}

static void to_root(struct walk *walk)
{
	for (; walk->held > 0; walk->held--)
		sys_close(walk->directories[walk->depth-- % MAX_HELD]);
	walk->depth = walk->lost = 0;
	walk->names_length = 0;
}

/* Goes down to where the names lead, as no directory of the way is open any more. */
static int return_to_names(struct walk *walk)
{
	if (walk->lost > 0)
		return -ENAMETOOLONG;
	walk->depth = 0;
	for (size_t at = 0; at < walk->names_length; at += strlen(walk->names + at) + 1) {
		int fd = sys_openat(here(walk), walk->names + at, THING | O_DIRECTORY, 0);

		/* It was there. openat2 calls a rename during "..", too, a reason to try again. */
		if (fd == -ENOENT || fd == -ENOTDIR)
			return -EAGAIN;
		if (fd < 0)
			return fd;
		hold(walk, fd);
	}
	return 0;
}

static int to_parent(struct walk *walk)
{
	if (walk->depth == 0)
		return walk->request->scope == RESOLVE_BELOW ? -EXDEV : 0;
	sys_close(here(walk));
	walk->held--;
	walk->depth--;
	forget_name(walk);
	return walk->held > 0 || walk->depth == 0 ? 0 : return_to_names(walk);
}

/* --- Links ----------------------------------------------------------------------------------- */

/*
 * Whether the link of procfs with this TEXT leads elsewhere than it says. Where it says is inside, too,
 * so nothing but the answer depends on it. Links made by proc_symlink() have the text's length as their
 * size; "self" and "thread-self" have none, but their text starts with a process id. Magic links have
 * no size, or one that has nothing to do with their text but then not all permissions (fd, map_files).
 */
static bool is_magic(const struct kernel_statx *stat, const char *text, size_t length)
{
	bool of_process = length > 0 && text[0] >= '0' && text[0] <= '9';

	return (stat->mode & 0777) != 0777 || (stat->size != length && !of_process);
}

/*
 * As the kernel with fs.protected_symlinks=1 (proc_sys_fs(5)), since there is no asking whether that is
 * set: a link that ends the path and lies in a directory like /tmp is followed only when it belongs to
 * the follower or the directory's owner. An owner that the user namespace lacks might be anybody.
 */
static int may_follow(const struct walk *walk, const struct kernel_statx *link)
{
	struct kernel_statx directory;
	int error = sys_statx(here(walk), "", AT_EMPTY_PATH, &directory);

	if (error < 0)
		return error;
	if ((directory.mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
		return 0;
	if (link->uid == OVERFLOW_UID)
		return -EACCES;
	return link->uid == directory.uid || link->uid == sys_geteuid() ? 0 : -EACCES;
}

/* Puts the text of the link FD in front of what is still to be followed. */
static int splice_link(struct walk *walk, int fd, const struct kernel_statx *stat)
{
	long length, flags = sys_mount_flags(fd);

	if (flags > 0 && (flags & KERNEL_ST_NOSYMFOLLOW) != 0)
		return -ELOOP;
	if (walk->slash)
		*--walk->rest = '/';
	if (walk->rest - walk->pending < PATH_MAX)
		return -ENAMETOOLONG;
	length = sys_readlinkat(fd, "", walk->pending, PATH_MAX);
	if (length < 0)
		return (int)length;
	if (length == PATH_MAX)
		return -ENAMETOOLONG;
	if (sys_filesystem_type(fd) == PROC_MAGIC && is_magic(stat, walk->pending, (size_t)length))
		return -ELOOP;
	if (length > 0 && walk->pending[0] == '/') {
		if (walk->request->scope == RESOLVE_BELOW)
			return -EXDEV;
		to_root(walk);
	}
	walk->rest -= length;
	memmove(walk->rest, walk->pending, (size_t)length);
	return 0;
}

static int follow_link(struct walk *walk, int fd, const struct kernel_statx *stat)
{
	int error = 0;

	if (++walk->links > MAX_LINKS)
		return -ELOOP;
	if (*walk->rest == '\0')
		error = may_follow(walk, stat);
	return error < 0 ? error : splice_link(walk, fd, stat);
}

/* --- Components ------------------------------------------------------------------------------ */

/* Takes the next name off what is pending. Returns false at the end; slashes alone are none. */
static bool next_name(struct walk *walk)
{
	char *name = walk->rest + strspn(walk->rest, "/");
	char *end = name + strcspn(name, "/");

	walk->name = name;
	walk->slash = *end == '/';
	walk->rest = end + strspn(end, "/");
	*end = '\0';
	return *name != '\0';
}

static int check_search(const struct walk *walk)
{
	int fd = sys_openat(here(walk), ".", O_PATH | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	sys_close(fd);
	return 0;
}

/* What else than a directory is there: a link to follow, or the end of the way. */
static int follow_if_link(struct walk *walk, bool want_directory)
{
	struct kernel_statx stat;
	int error, fd = sys_openat(here(walk), walk->name, THING, 0);

	/* A moment ago it was there, and, if a directory is wanted, it was none. */
	if (fd < 0)
		return fd == -ENOENT ? -EAGAIN : fd;
	error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);
	if (error == 0) {
		if (S_ISLNK(stat.mode))
			error = follow_link(walk, fd, &stat);
		else
			error = want_directory && !S_ISDIR(stat.mode) ? -ENOTDIR : -EAGAIN;
	}
	sys_close(fd);
	return error;
}

static int follow_name(struct walk *walk)
{
	int fd = sys_openat(here(walk), walk->name, THING | O_DIRECTORY, 0);

	if (fd == -ENOTDIR)
		return follow_if_link(walk, true);
	if (fd < 0)
		return fd;
	enter(walk, fd);
	return 0;
}

/* What was opened with O_PATH and O_NOFOLLOW may be a link. */
static int follow_if_opened_link(struct walk *walk, int fd)
{
	struct kernel_statx stat;
	int error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);

	if (error == 0 && !S_ISLNK(stat.mode)) {
		walk->found = fd;
		return 0;
	}
	if (error == 0)
		error = follow_link(walk, fd, &stat);
	sys_close(fd);
	return error;
}

/* Opens the last component, which is no "." or "..", or follows it. */
static int open_last(struct walk *walk)
{
	const struct request *request = walk->request;
	int fd, flags = request->flags | O_NOFOLLOW | (walk->slash ? O_DIRECTORY : 0);
	bool follow = walk->slash || (request->flags & O_NOFOLLOW) == 0;

	/* Even if there is such a directory. */
	if (walk->slash && (flags & O_CREAT) != 0) {
		int error = check_search(walk);

		return error < 0 ? error : -EISDIR;
	}
	fd = sys_openat(here(walk), walk->name, flags, request->mode);
	/* A link is -EEXIST with O_EXCL, -ENOTDIR with O_DIRECTORY, itself with O_PATH, else -ELOOP. */
	if (follow && fd == ((flags & O_DIRECTORY) != 0 ? -ENOTDIR : -ELOOP))
		return follow_if_link(walk, (flags & O_DIRECTORY) != 0);
	if (fd < 0)
		return fd;
	if (follow && (flags & O_PATH) != 0 && (flags & O_DIRECTORY) == 0)
		return follow_if_opened_link(walk, fd);
	walk->found = fd;
	return 0;
}

/* Where there is no name any more, the path was of dots, or ended in a link to the root. */
static int open_here(struct walk *walk)
{
	walk->found = sys_openat(here(walk), ".", walk->request->flags, walk->request->mode);
	return walk->found < 0 ? walk->found : 0;
}

static int follow_next(struct walk *walk)
{
	bool up;
	int error;

	if (!next_name(walk))
		return open_here(walk);
	up = strcmp(walk->name, "..") == 0;
	if (up || strcmp(walk->name, ".") == 0) {
		error = check_search(walk);
		return error < 0 || !up ? error : to_parent(walk);
	}
	return *walk->rest == '\0' ? open_last(walk) : follow_name(walk);
}

static int by_walk(int root, const struct request *request)
{
	size_t size = strlen(request->path) + 1;
	struct walk walk;
	int error = 0;

	if (size > PATH_MAX)
		return -ENAMETOOLONG;
	if (request->path[0] == '/' && request->scope == RESOLVE_BELOW)
		return -EXDEV;
	walk.request = request;
	walk.root = root;
	walk.found = -1;
	walk.depth = walk.held = walk.lost = walk.links = 0;
	walk.names_length = 0;
	walk.rest = walk.pending + sizeof(walk.pending) - size;
	memcpy(walk.rest, request->path, size);
	while (error == 0 && walk.found < 0)
		error = follow_next(&walk);
	to_root(&walk);
	return error < 0 ? error : walk.found;
}

/* --- Which of the two ------------------------------------------------------------------------ */

/* What openat2 takes: openat ignores what it does not know, and kernels before 6.4 differ. */
static bool is_valid(int flags, mode_t mode)
{
	bool unnamed = (flags & O_TMPFILE & ~O_DIRECTORY) != 0;
	bool creates = unnamed || (flags & O_CREAT) != 0;

	if ((flags & ~KNOWN_FLAGS) != 0 || (mode & ~(creates ? 07777U : 0U)) != 0)
		return false;
	if ((flags & O_PATH) != 0 && (flags & ~PATH_FLAGS) != 0)
		return false;
	if (unnamed && ((flags & O_DIRECTORY) == 0 || (flags & WRITE_FLAGS) == 0))
		return false;
	return (flags & O_CREAT) == 0 || (flags & O_DIRECTORY) == 0;
}

static int by_openat2(int root, const struct request *request)
{
	const struct kernel_open_how how = {
		.flags = (uint64_t)request->flags,
		.mode = request->mode,
		.resolve = RESOLVE_NO_MAGICLINKS |
			   (request->scope == RESOLVE_BELOW ? RESOLVE_BENEATH : RESOLVE_IN_ROOT),
	};

	return sys_openat2(root, request->path, &how);
}

/*
 * Whether that ERROR of openat2 is about the call itself. Old profiles of container engines answer
 * calls that they do not know with EPERM. The root as "/" of itself is a probe that needs no permission
 * at all, not even to search it.
 */
static bool is_blocked(int root, int error)
{
	const struct request probe = { "/", O_PATH | O_CLOEXEC, 0, RESOLVE_INSIDE };

	if (error == -EPERM || error == -EACCES) {
		error = by_openat2(root, &probe);
		if (error >= 0)
			sys_close(error);
	}
	return error == -ENOSYS || error == -EPERM || error == -EACCES;
}

/* openat2 answers a path with ".." by EAGAIN if anything at all was renamed or mounted meanwhile, which
 * never ends on a busy machine; the walk minds only what is on its way. */
static int open_once(struct resolver *resolver, const struct request *request, int attempt)
{
	bool busy = resolver->backend == RESOLVE_AUTO && attempt >= PATIENCE && attempt % 2 == 0;
	int fd;

	if (resolver->backend != RESOLVE_BY_WALK && !busy) {
		fd = by_openat2(resolver->root, request);

		if (resolver->backend == RESOLVE_BY_OPENAT2 || fd >= 0 ||
		    !is_blocked(resolver->root, fd))
			return fd;
		resolver->backend = RESOLVE_BY_WALK;
	}
	fd = by_walk(resolver->root, request);
	/* A bound that openat2 has not. */
	return busy && fd == -ENAMETOOLONG ? -EAGAIN : fd;
}

int resolve_open(struct resolver *resolver, const char *path, int flags, mode_t mode,
		 enum resolve_scope scope)
{
	const struct request request = {
		.path = path[0] == '\0' ? "." : path,
		/* 64-bit kernels add the latter themselves. */
		.flags = flags | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : KERNEL_LARGEFILE),
		.mode = mode,
		.scope = scope,
	};
	int fd = -EAGAIN;

	if (!is_valid(flags, mode))
		return -EINVAL;
	/* openat2 gives up on ".." when anything on the system was renamed or mounted meanwhile. */
	for (int attempt = 0; fd == -EAGAIN && attempt < MAX_ATTEMPTS; attempt++)
		fd = open_once(resolver, &request, attempt);
	return fd;
}
