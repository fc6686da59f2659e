/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "filters/places.h"
#include "filters/target.h"
#include "filters/walk.h"
#include "mountns/sys.h"

#define PAGE 4096U /* the smallest one: a piece that ends with it is in one page of any size */
#define NAME_SIZE 64

void target_number(char *name, unsigned int number, const char *suffix)
{
	char digits[16], *digit = digits;

	do {
		*digit++ = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (digit > digits)
		*name++ = *--digit;
	strcpy(name, suffix);
}

int target_probe(void)
{
	char here = 0, there = 0;
	const struct iovec local = { &here, 1 }, remote = { &there, 1 };
	long got = sys_process_vm_readv(sys_getpid(), &local, &remote);

	return got < 0 ? (int)got : 0;
}

bool target_is_callers(const struct notify_call *call)
{
	return call->late || notify_waits(call);
}

int target_read(const struct notify_call *call, uint64_t address, void *to, size_t size)
{
	const struct iovec local = { to, size };
	const struct iovec remote = { (void *)(uintptr_t)address, size };
	long got;

	/* A pointer of 32 bits cannot be told from one with more by then. */
	if ((uintptr_t)address != address)
		return -EFAULT;
	got = sys_process_vm_readv(call->tid, &local, &remote);
	if (!target_is_callers(call))
		return -ESRCH;
	if (got < 0)
		return (int)got;
	return (size_t)got == size ? 0 : -EFAULT;
}

int target_write(const struct notify_call *call, uint64_t address, const void *from, size_t size)
{
	const struct iovec local = { (void *)(uintptr_t)from, size };
	const struct iovec remote = { (void *)(uintptr_t)address, size };
	long put;

	if ((uintptr_t)address != address)
		return -EFAULT;
	if (!notify_waits(call))
		return -ESRCH;
	put = sys_process_vm_writev(call->tid, &local, &remote);
	if (put < 0)
		return (int)put;
	return (size_t)put == size ? 0 : -EFAULT;
}

int target_read_path(const struct notify_call *call, uint64_t address, char path[PATH_MAX])
{
	size_t length = 0;

	if (address == 0)
		return -EFAULT;
	while (length < PATH_MAX) {
		size_t piece = PAGE - (address + length) % PAGE;
		int error;

		if (piece > PATH_MAX - length)
			piece = PATH_MAX - length;
		error = target_read(call, address + length, path + length, piece);
		if (error < 0)
			return error;
		if (memchr(path + length, '\0', piece) != NULL)
			return 0;
		length += piece;
	}
	return -ENAMETOOLONG;
}

/* The digits at TEXT, or 0. */
static unsigned int parse(const char *text)
{
	unsigned int number = 0;

	for (; *text >= '0' && *text <= '9' && number < 100000000; text++)
		number = number * 10 + (unsigned int)(*text - '0');
	return number;
}

unsigned int target_status(const struct notify_call *call, const char *key)
{
	char text[2048], name[NAME_SIZE], *line, *end;
	long length;
	int fd;

	target_number(name, (unsigned int)call->tid, "/status");
	fd = sys_openat(call->proc, name, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	length = sys_read(fd, text, sizeof(text) - 1);
	sys_close(fd);
	text[length > 0 ? length : 0] = '\0';
	line = strstr(text, key);
	end = line == NULL ? NULL : strchr(line + 1, '\n');
	if (end == NULL)
		return 0;
	while (end[-1] >= '0' && end[-1] <= '9')
		end--;
	return parse(end);
}

int target_take(const struct notify_call *call, int fd)
{
	/* A thread may have descriptors of its own; before Linux 6.9 there is no way to them. */
	int pidfd = sys_pidfd_open_flags(call->tid, PIDFD_THREAD), taken;

	if (pidfd == -EINVAL)
		pidfd = sys_pidfd_open(call->tid);
	if (pidfd == -EINVAL || pidfd == -ENOENT) {
		unsigned int process = target_status(call, "\nTgid:");

		pidfd = process == 0 ? -ESRCH : sys_pidfd_open((int)process);
	}
	if (pidfd < 0)
		return pidfd;
	taken = sys_pidfd_getfd(pidfd, fd);
	sys_close(pidfd);
	if (taken >= 0 && !notify_waits(call)) {
		sys_close(taken);
		return -ESRCH;
	}
	return taken;
}

int target_open(const struct notify_call *call, const char *what)
{
	char name[NAME_SIZE];

	target_number(name, (unsigned int)call->tid, what);
	return sys_openat(call->proc, name, O_PATH | O_CLOEXEC, 0);
}

int target_stat(const struct notify_call *call, const char *what, struct kernel_statx *stat)
{
	char name[NAME_SIZE];

	target_number(name, (unsigned int)call->tid, what);
	return sys_statx(call->proc, name, 0, stat);
}

int target_open_fd(const struct notify_call *call, int fd)
{
	char name[NAME_SIZE] = "/fd/";
	int opened;

	if (fd < 0)
		return -EBADF;
	target_number(name + 4, (unsigned int)fd, "");
	opened = target_open(call, name);
	return opened == -ENOENT ? -EBADF : opened;
}

int target_reopen(const struct notify_call *call, int fd)
{
	int opened = target_open_fd(call, fd);

	if (opened < 0 || target_is_callers(call))
		return opened;
	sys_close(opened);
	return -ESRCH;
}

static int open_at_once(int start, const char *path, bool follow, uint64_t resolve)
{
	const struct kernel_open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = resolve,
	};

	return sys_openat2(start, path, &how);
}

/* With links, from where an absolute one begins for the caller, or not beyond the start. Links on procfs may say
 * something else to us: its magic ones are errors here, and "self" leads to what is on it, or nowhere. */
static int follow_at_once(int start, const char *path, bool follow)
{
	int fd = open_at_once(start, path, follow,
			      RESOLVE_NO_MAGICLINKS |
				      (path[0] == '/' ? RESOLVE_IN_ROOT : RESOLVE_BENEATH));

	if (fd < 0)
		return -ELOOP;
	if (sys_filesystem_type(fd) != PROC_MAGIC)
		return fd;
	sys_close(fd);
	return -ELOOP;
}

/* For good, in the mount of the tree. What is not in it, or behind a link, is -EXDEV or -ELOOP. */
static int open_inside(int start, const char *path, int flags)
{
	const struct kernel_open_how how = {
		.flags = (uint64_t)(unsigned int)flags,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return sys_openat2(start, path, &how);
}

/* PATH begins at START, INSIDE or not. */
static int open_in_tree(const struct notify_call *call, int start, const char *path, bool inside,
			int flags)
{
	const char *below;

	if (inside)
		return open_inside(start, path, flags);
	below = places_below(call, start, path);
	return below == NULL ? -EXDEV : open_inside(call->places->top.fd, below, flags);
}

static bool is_nowhere(int error)
{
	return error == -ENOENT || error == -ENOTDIR;
}

/* All names in one call, where the answer does not depend on who follows them; else it is -ELOOP. The other two
 * come from filters that do not know openat2. */
static int find_at_once(const struct notify_call *call, int dirfd, const char *path, bool follow,
			struct target_opening *opening)
{
	const char *names = path + strspn(path, "/");
	bool plain = strstr(names, "..") == NULL, inside;
	int start, fd = -ELOOP;

	if (!call->openat2 || path[0] == '\0')
		return -ELOOP;
	start = places_start(call, dirfd, path, opening == NULL ? NULL : &inside);
	if (start < 0)
		return start;
	if (opening != NULL && plain) {
		fd = open_in_tree(call, start, path, inside, opening->flags);
		opening->done = fd >= 0;
	}
	/* Our root is not the caller's. */
	if (fd < 0 && !is_nowhere(fd) && plain)
		fd = open_at_once(start, names[0] == '\0' ? "." : names, follow,
				  RESOLVE_NO_SYMLINKS);
	if (fd == -ELOOP)
		fd = follow_at_once(start, path, follow);
	places_leave(call, start);
	return fd == -ENOSYS || fd == -EPERM ? -ELOOP : fd;
}

int target_find_or_open(const struct notify_call *call, int dirfd, const char *path, bool follow,
			struct target_opening *opening)
{
	int fd = find_at_once(call, dirfd, path, follow, opening);

	if (fd == -ELOOP)
		fd = walk_find(call, dirfd, path, follow);
	if (fd < 0 || target_is_callers(call))
		return fd;
	sys_close(fd);
	return -ESRCH;
}

int target_find(const struct notify_call *call, int dirfd, const char *path, bool follow)
{
	return target_find_or_open(call, dirfd, path, follow, NULL);
}
