/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "filters/append.h"
#include "filters/landlock.h"
#include "filters/target.h"
#include "mountns/mount.h"
#include "mountns/sys.h"

/* Without REFER a domain forbids all renames to other directories: landlock(7). */
#define HELD (LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE | LANDLOCK_REFER)

/* O_ACCMODE, which musl lets O_PATH be a part of. */
#define ACCESS 3

/* Flags of open(2) that do no harm to the one who opens, nor to the file. */
#define PASSED (O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECT | KERNEL_LARGEFILE)

/* The numbers of a file of an overlay that has hard links change when it is first opened to write: so those
 * of now count. */
static bool is_file(const struct append_file *file, const struct kernel_statx *stat)
{
	struct kernel_statx now;

	if (file->mount < 0 || sys_statx(file->mount, "", AT_EMPTY_PATH, &now) < 0)
		return file->inode == stat->inode && file->dev_major == stat->dev_major &&
		       file->dev_minor == stat->dev_minor;
	return now.inode == stat->inode && now.dev_major == stat->dev_major &&
	       now.dev_minor == stat->dev_minor;
}

static const struct append_file *find_file(const struct append *append, int fd)
{
	struct kernel_statx stat;

	if (sys_statx(fd, "", AT_EMPTY_PATH, &stat) < 0)
		return NULL;
	for (size_t i = 0; i < append->count; i++)
		if (is_file(&append->files[i], &stat))
			return &append->files[i];
	return NULL;
}

/* The answers of a file with chattr(1)'s "a", and EPERM for what could be mapped. */
static int refuse(int flags)
{
	if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
		return -EEXIST;
	if ((flags & O_DIRECTORY) != 0)
		return -ENOTDIR;
	return (flags & O_TRUNC) != 0 || (flags & ACCESS) != O_WRONLY ? -EPERM : 0;
}

/* A new open file. O_NONBLOCK, since somebody may hold a lease on it: fcntl(2), "Leases". */
static int open_file(const struct notify_call *call, const struct append_file *file, int flags)
{
	char path[FD_PATH_SIZE];
	int fd, error = 0;

	mount_fd_path(path, file->mount);
	fd = sys_openat(call->proc, path + strlen("/proc/"),
			O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (flags & PASSED),
			0);
	if (fd >= 0 && (flags & O_NONBLOCK) == 0)
		error = sys_fcntl(fd, F_SETFL, O_APPEND | (flags & O_DIRECT));
	if (error == 0)
		return fd;
	sys_close(fd);
	return error;
}

/* Opening what was not decided about is left to the kernel. Not where we have too little to decide. */
static struct notify_answer leave(int error)
{
	if (error == -EMFILE || error == -ENFILE || error == -ENOMEM)
		return notify_return(error);
	return notify_continue();
}

static struct notify_answer open_path(const struct notify_call *call, const struct append *append,
				      int dirfd, uint64_t address, int flags)
{
	const struct append_file *file;
	char path[PATH_MAX];
	bool follow = (flags & O_NOFOLLOW) == 0 && (~flags & (O_CREAT | O_EXCL)) != 0;
	int fd, error = target_read_path(call, address, path);

	if (error == -EFAULT || error == -ENAMETOOLONG)
		return notify_return(error);
	if (error < 0)
		return leave(error);
	fd = target_find(call, dirfd, path, follow);
	if (fd < 0)
		return leave(fd);
	file = find_file(append, fd);
	sys_close(fd);
	/* Neither O_PATH nor a read, with a needless O_CREAT, can write. */
	if (file == NULL || (flags & O_PATH) != 0 ||
	    (flags & (ACCESS | O_TRUNC | O_EXCL)) == O_RDONLY)
		return notify_continue();
	error = refuse(flags);
	if (error < 0)
		return notify_return(error);
	fd = open_file(call, file, flags);
	return fd < 0 ? notify_return(fd) : notify_fd(fd, (flags & O_CLOEXEC) != 0);
}

static struct notify_answer handle_openat(const struct notify_call *call, void *context)
{
	return open_path(call, context, notify_int(call->arguments[0]), call->arguments[1],
			 notify_int(call->arguments[2]));
}

static struct notify_answer handle_openat2(const struct notify_call *call, void *context)
{
	struct kernel_open_how how = { 0 };
	int error;

	/* What the kernel would refuse, or what a later one has added. */
	if (call->arguments[3] != sizeof(how))
		return notify_continue();
	error = target_read(call, call->arguments[2], &how, sizeof(how));
	if (error == -EFAULT)
		return notify_return(error);
	/* A path that is restricted (RESOLVE_BENEATH) does not get to write. */
	if (error < 0 || how.resolve != 0 || (how.flags & ~(uint64_t)INT32_MAX) != 0 ||
	    (how.flags & (uint64_t)(ACCESS | O_CREAT | O_TRUNC)) == 0)
		return notify_continue();
	return open_path(call, context, notify_int(call->arguments[0]), call->arguments[1],
			 (int)how.flags);
}

#ifdef __NR_open
static struct notify_answer handle_open(const struct notify_call *call, void *context)
{
	return open_path(call, context, AT_FDCWD, call->arguments[0],
			 notify_int(call->arguments[1]));
}

static struct notify_answer handle_creat(const struct notify_call *call, void *context)
{
	return open_path(call, context, AT_FDCWD, call->arguments[0], O_CREAT | O_WRONLY | O_TRUNC);
}
#endif

/* Whether FD is an open file that we gave away, or one as good. */
static bool is_held(const struct append *append, int fd)
{
	int flags = sys_fcntl(fd, F_GETFL, 0);

	return flags >= 0 && (flags & O_APPEND) != 0 && find_file(append, fd) != NULL;
}

static struct notify_answer handle_setfl(const struct notify_call *call, void *context)
{
	int fd = target_take(call, notify_int(call->arguments[0]));
	int flags = notify_int(call->arguments[2]), error;

	if (fd < 0)
		return notify_return(fd == -EBADF ? -EBADF : -EPERM);
	if (is_held(context, fd))
		flags |= O_APPEND;
	error = sys_fcntl(fd, F_SETFL, flags);
	sys_close(fd);
	return notify_return(error);
}

/* Ours is the caller's limit, or a higher one. */
static bool exceeds_limit(const struct notify_call *call, uint64_t length)
{
	struct kernel_rlimit limit;

	return sys_getrlimit_of(call->tid, RLIMIT_FSIZE, &limit) < 0 || length > limit.soft;
}

static struct notify_answer truncate_fd(const struct notify_call *call, const struct append *append,
					uint64_t length)
{
	int error, fd = target_take(call, notify_int(call->arguments[0]));

	if (fd < 0)
		return notify_return(fd == -EBADF ? -EBADF : -EPERM);
	if (is_held(append, fd))
		error = -EPERM;
	else if (length <= INT64_MAX && exceeds_limit(call, length))
		error = -EFBIG;
	else
		error = sys_ftruncate(fd, length);
	sys_close(fd);
	return notify_return(error);
}

static struct notify_answer handle_ftruncate(const struct notify_call *call, void *context)
{
	return truncate_fd(call, context, (uint64_t)(long)call->arguments[1]);
}

#ifdef __NR_ftruncate64
static struct notify_answer handle_ftruncate64(const struct notify_call *call, void *context)
{
	return truncate_fd(call, context,
			   (call->arguments[2] & UINT32_MAX) | call->arguments[3] << 32);
}
#endif

const struct notify_row append_rows[] = {
	{ __NR_openat, handle_openat },
	{ __NR_openat2, handle_openat2 },
#ifdef __NR_open
	{ __NR_open, handle_open },
	{ __NR_creat, handle_creat },
#endif
	{ __NR_fcntl, handle_setfl },
	{ __NR_ftruncate, handle_ftruncate },
#ifdef __NR_fcntl64
	{ __NR_fcntl64, handle_setfl },
#endif
#ifdef __NR_ftruncate64
	{ __NR_ftruncate64, handle_ftruncate64 },
#endif
};
const size_t append_row_count = sizeof(append_rows) / sizeof(append_rows[0]);

const char *append_probe(int *error)
{
	int abi = landlock_find_abi();

	*error = abi < 0 ? abi : 0;
	if (abi < LANDLOCK_ABI_TRUNCATE)
		return "needs Landlock with the right to truncate (Linux 6.2)";
	*error = notify_probe();
	if (*error < 0)
		return "needs seccomp notification (Linux 5.5)";
	*error = target_probe();
	if (*error < 0)
		return "needs process_vm_readv, which some kernels are built without";
	/* There is no such process, which is found out last. */
	*error = sys_pidfd_getfd(-1, 0);
	return *error == -EBADF ? (*error = 0, NULL) : "needs pidfd_getfd (Linux 5.6)";
}

/* What FD is and all below it. */
static int allow_beneath(const struct landlock *domain, int fd)
{
	int error = landlock_allow_file(domain, fd, HELD);

	/* REFER is a right of directories. */
	return error == -EINVAL ? landlock_allow_file(domain, fd, HELD & ~LANDLOCK_REFER) : error;
}

int append_confine(const struct append *append, const int *fds, size_t count)
{
	struct landlock domain = { .handled.files = HELD };
	int root, error = landlock_create(&domain);

	if (error < 0)
		return error;
	error = root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (root >= 0) {
		error = allow_beneath(&domain, root);
		sys_close(root);
	}
	for (size_t i = 0; error == 0 && i < count + 3; i++) {
		int fd = i < 3 ? (int)i : fds[i - 3];

		if (find_file(append, fd) == NULL)
			allow_beneath(&domain, fd);
	}
	if (error == 0)
		error = landlock_restrict(&domain);
	sys_close(domain.ruleset);
	return error;
}
