/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "filters/attributes.h"
#include "filters/standin.h"
#include "filters/target.h"
#include "mountns/sys.h"

/* xattr(7) */
#define NAME_ROOM 256
#define VALUE_MOST 65536

#define NAME_SIZE 16

static char value[VALUE_MOST];

/* What is to be changed, as the working directory calls it. */
struct file {
	int fd;
	char name[NAME_SIZE];
};

static bool is_in(const struct attributes_place *place, const char *path)
{
	size_t length = strlen(place->path);

	if (strncmp(path, place->path, length) != 0)
		return false;
	return path[length] == '\0' || (place->directory && path[length] == '/');
}

/* By the name that the kernel has for it; of what cannot be reached from the root that is none. */
static bool is_granted(const struct attributes *attributes, const struct file *file)
{
	char path[PATH_MAX];
	long length = sys_readlinkat(AT_FDCWD, file->name, path, sizeof(path));

	/* All of it was read if there is room left. */
	if (length <= 0 || length >= (long)sizeof(path))
		return false;
	path[length] = '\0';
	for (size_t i = 0; i < attributes->count; i++)
		if (is_in(&attributes->places[i], path))
			return true;
	return false;
}

/* Returns 0, or the errno for the caller, with nothing open. */
static int check(const struct attributes *attributes, struct file *file, int fd)
{
	if (fd < 0)
		return fd;
	file->fd = fd;
	target_number(file->name, (unsigned int)fd, "");
	if (is_granted(attributes, file))
		return 0;
	sys_close(fd);
	return -EPERM;
}

static int seek(const struct notify_call *call, const struct standin *standin, int dirfd,
		const char *path, bool follow)
{
	return standin == NULL ? target_find(call, dirfd, path, follow)
			       : standin_seek(call, standin, AT_FDCWD, dirfd, path, follow);
}

static int find(const struct notify_call *call, const struct attributes *attributes, int dirfd,
		uint64_t address, int flags, struct file *file)
{
	char path[PATH_MAX];
	int error = target_read_path(call, address, path);

	if (error < 0)
		return error;
	if (path[0] == '\0' && (flags & AT_EMPTY_PATH) != 0)
		return check(attributes, file,
			     dirfd == AT_FDCWD ? target_find(call, AT_FDCWD, ".", true)
					       : target_reopen(call, dirfd));
	return check(
		attributes, file,
		seek(call, attributes->standin, dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0));
}

static int find_fd(const struct notify_call *call, const struct attributes *attributes, int fd,
		   struct file *file)
{
	return check(attributes, file, target_reopen(call, fd));
}

static struct notify_answer end(const struct file *file, int error)
{
	sys_close(file->fd);
	return notify_return(error);
}

/* --- Modes ---------------------------------------------------------------------------------------- */

static struct notify_answer change_mode(const struct file *file, uint64_t mode)
{
	struct kernel_statx stat;
	int error = sys_statx(file->fd, "", AT_EMPTY_PATH, &stat);

	if (error == 0 && S_ISLNK(stat.mode))
		error = -EOPNOTSUPP;
	if (error == 0)
		error = sys_fchmodat(AT_FDCWD, file->name, (mode_t)mode & 07777);
	return end(file, error);
}

static struct notify_answer chmod_path(const struct notify_call *call, const void *context,
				       int dirfd, uint64_t address, uint64_t mode, int flags)
{
	struct file file;
	int error;

	if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
		return notify_return(-EINVAL);
	error = find(call, context, dirfd, address, flags, &file);
	return error < 0 ? notify_return(error) : change_mode(&file, mode);
}

#ifdef __NR_chmod
static struct notify_answer handle_chmod(const struct notify_call *call, void *context)
{
	return chmod_path(call, context, AT_FDCWD, call->arguments[0], call->arguments[1], 0);
}
#endif

static struct notify_answer handle_fchmodat(const struct notify_call *call, void *context)
{
	return chmod_path(call, context, notify_int(call->arguments[0]), call->arguments[1],
			  call->arguments[2], 0);
}

static struct notify_answer handle_fchmodat2(const struct notify_call *call, void *context)
{
	return chmod_path(call, context, notify_int(call->arguments[0]), call->arguments[1],
			  call->arguments[2], notify_int(call->arguments[3]));
}

static struct notify_answer handle_fchmod(const struct notify_call *call, void *context)
{
	struct file file;
	int error = find_fd(call, context, notify_int(call->arguments[0]), &file);

	return error < 0 ? notify_return(error) : change_mode(&file, call->arguments[1]);
}

/* --- Owners --------------------------------------------------------------------------------------- */

static struct notify_answer change_owner(const struct file *file, uint64_t uid, uint64_t gid)
{
	return end(file, sys_fchownat(file->fd, "", (uint32_t)uid, (uint32_t)gid, AT_EMPTY_PATH));
}

static struct notify_answer chown_path(const struct notify_call *call, const void *context,
				       int dirfd, uint64_t address, const uint64_t ids[2],
				       int flags)
{
	struct file file;
	int error;

	if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
		return notify_return(-EINVAL);
	error = find(call, context, dirfd, address, flags, &file);
	return error < 0 ? notify_return(error) : change_owner(&file, ids[0], ids[1]);
}

/* The calls of ARM without a number in their names know ids of 16 bits alone. */
#ifdef __NR_chown32
#define OWNER(call) __NR_##call##32
#else
#define OWNER(call) __NR_##call
#endif

#if defined(__NR_chown) || defined(__NR_chown32)
static struct notify_answer handle_chown(const struct notify_call *call, void *context)
{
	return chown_path(call, context, AT_FDCWD, call->arguments[0], &call->arguments[1], 0);
}

static struct notify_answer handle_lchown(const struct notify_call *call, void *context)
{
	return chown_path(call, context, AT_FDCWD, call->arguments[0], &call->arguments[1],
			  AT_SYMLINK_NOFOLLOW);
}
#endif

static struct notify_answer handle_fchownat(const struct notify_call *call, void *context)
{
	return chown_path(call, context, notify_int(call->arguments[0]), call->arguments[1],
			  &call->arguments[2], notify_int(call->arguments[4]));
}

static struct notify_answer handle_fchown(const struct notify_call *call, void *context)
{
	struct file file;
	int error = find_fd(call, context, notify_int(call->arguments[0]), &file);

	return error < 0 ? notify_return(error)
			 : change_owner(&file, call->arguments[1], call->arguments[2]);
}

/* --- Times ---------------------------------------------------------------------------------------- */

struct times {
	struct kernel_times times[2];
	bool now; /* those are not given */
};

/* Those of utimensat(2) at ADDRESS. */
static int read_times(const struct notify_call *call, uint64_t address, struct times *times)
{
	struct kernel_timespec given[2];
	int error = 0;

	times->now = address == 0;
	if (times->now)
		return 0;
#ifdef __NR_utimensat_time64
	if (call->number == __NR_utimensat_time64) {
		error = target_read(call, address, times->times, sizeof(times->times));
		for (int i = 0; i < 2; i++)
			times->times[i].nanoseconds = (long)times->times[i].nanoseconds;
		return error;
	}
#endif
	error = target_read(call, address, given, sizeof(given));
	for (int i = 0; i < 2 && error == 0; i++)
		times->times[i] = (struct kernel_times){ given[i].tv_sec, given[i].tv_nsec };
	return error;
}

#ifdef __NR_utimes
#define MILLION 1000000

/* Those of utimes(2). */
static int read_old_times(const struct notify_call *call, uint64_t address, struct times *times)
{
	struct kernel_timespec given[2]; /* microseconds */
	int error;

	times->now = address == 0;
	if (times->now)
		return 0;
	error = target_read(call, address, given, sizeof(given));
	for (int i = 0; i < 2 && error == 0; i++) {
		times->times[i] = (struct kernel_times){ given[i].tv_sec, given[i].tv_nsec * 1000 };
		if (given[i].tv_nsec < 0 || given[i].tv_nsec >= MILLION)
			error = -EINVAL;
	}
	return error;
}
#endif

static struct notify_answer change_times(const struct file *file, const struct times *times)
{
	return end(file, sys_utimens(AT_FDCWD, file->name, times->now ? NULL : times->times));
}

/* Without a path it is the descriptor. */
static struct notify_answer touch(const struct notify_call *call, const void *context, int dirfd,
				  uint64_t address, const struct times *times, int flags)
{
	struct file file;
	int error;

	if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0 ||
	    (address == 0 && dirfd != AT_FDCWD && flags != 0))
		return notify_return(-EINVAL);
	error = address == 0 && dirfd != AT_FDCWD
			? find_fd(call, context, dirfd, &file)
			: find(call, context, dirfd, address, flags, &file);
	return error < 0 ? notify_return(error) : change_times(&file, times);
}

static struct notify_answer handle_utimensat(const struct notify_call *call, void *context)
{
	struct times times;
	int error = read_times(call, call->arguments[2], &times);

	if (error < 0)
		return notify_return(error);
	/* The kernel does not look at more then. */
	if (!times.now && times.times[0].nanoseconds == UTIME_OMIT &&
	    times.times[1].nanoseconds == UTIME_OMIT)
		return notify_return(0);
	return touch(call, context, notify_int(call->arguments[0]), call->arguments[1], &times,
		     notify_int(call->arguments[3]));
}

#ifdef __NR_utimes
static struct notify_answer handle_futimesat(const struct notify_call *call, void *context)
{
	bool at = call->number == __NR_futimesat;
	const uint64_t *arguments = call->arguments + (at ? 1 : 0);
	struct times times;
	int error = read_old_times(call, arguments[1], &times);

	return error < 0 ? notify_return(error)
			 : touch(call, context, at ? notify_int(call->arguments[0]) : AT_FDCWD,
				 arguments[0], &times, 0);
}
#endif

#ifdef __NR_utime
static struct notify_answer handle_utime(const struct notify_call *call, void *context)
{
	struct times times = { .now = call->arguments[1] == 0 };
	long given[2] = { 0 };
	int error = times.now ? 0 : target_read(call, call->arguments[1], given, sizeof(given));

	for (int i = 0; i < 2; i++)
		times.times[i].seconds = given[i];
	return error < 0 ? notify_return(error)
			 : touch(call, context, AT_FDCWD, call->arguments[0], &times, 0);
}
#endif

/* --- Extended attributes -------------------------------------------------------------------------- */

/* Up to the page's end and on: what lies behind the name need not be there. */
static int read_name(const struct notify_call *call, uint64_t address, char name[NAME_ROOM])
{
	char path[PATH_MAX];
	int error = target_read_path(call, address, path);

	if (error == -ENAMETOOLONG || (error == 0 && strnlen(path, NAME_ROOM) == NAME_ROOM))
		return -ERANGE;
	if (error == 0)
		strcpy(name, path);
	return error == 0 && name[0] == '\0' ? -ERANGE : error;
}

/* FILE's, which is closed: setxattr(2) and its like have all but the first argument in common. */
static struct notify_answer set_attribute(const struct notify_call *call, const struct file *file)
{
	const uint64_t *arguments = call->arguments;
	char name[NAME_ROOM];
	int error = read_name(call, arguments[1], name);

	if (error == 0 && arguments[3] > VALUE_MOST)
		error = -E2BIG;
	if (error == 0 && arguments[3] > 0)
		error = target_read(call, arguments[2], value, (size_t)arguments[3]);
	if (error == 0)
		error = sys_setxattr(file->name, name, value, (size_t)arguments[3],
				     notify_int(arguments[4]));
	return end(file, error);
}

static struct notify_answer remove_attribute(const struct notify_call *call,
					     const struct file *file)
{
	char name[NAME_ROOM];
	int error = read_name(call, call->arguments[1], name);

	return end(file, error < 0 ? error : sys_removexattr(file->name, name));
}

/* By a path, by one that is not followed, or by a descriptor. */
static struct notify_answer handle_attribute(const struct notify_call *call, void *context)
{
	bool by_fd = call->number == __NR_fsetxattr || call->number == __NR_fremovexattr;
	bool link = call->number == __NR_lsetxattr || call->number == __NR_lremovexattr;
	bool removes = call->number == __NR_removexattr || call->number == __NR_lremovexattr ||
		       call->number == __NR_fremovexattr;
	struct file file;
	int error = by_fd ? find_fd(call, context, notify_int(call->arguments[0]), &file)
			  : find(call, context, AT_FDCWD, call->arguments[0],
				 link ? AT_SYMLINK_NOFOLLOW : 0, &file);

	if (error < 0)
		return notify_return(error);
	return removes ? remove_attribute(call, &file) : set_attribute(call, &file);
}

const struct notify_row attributes_rows[] = {
#ifdef __NR_chmod
	{ __NR_chmod, handle_chmod },
#endif
	{ __NR_fchmod, handle_fchmod },
	{ __NR_fchmodat, handle_fchmodat },
	{ __NR_fchmodat2, handle_fchmodat2 },
#if defined(__NR_chown) || defined(__NR_chown32)
	{ OWNER(chown), handle_chown },
	{ OWNER(lchown), handle_lchown },
#endif
	{ OWNER(fchown), handle_fchown },
	{ __NR_fchownat, handle_fchownat },
	{ __NR_utimensat, handle_utimensat },
#ifdef __NR_utimensat_time64
	{ __NR_utimensat_time64, handle_utimensat },
#endif
#ifdef __NR_utimes
	{ __NR_utimes, handle_futimesat },
	{ __NR_futimesat, handle_futimesat },
#endif
#ifdef __NR_utime
	{ __NR_utime, handle_utime },
#endif
	{ __NR_setxattr, handle_attribute },
	{ __NR_lsetxattr, handle_attribute },
	{ __NR_fsetxattr, handle_attribute },
	{ __NR_removexattr, handle_attribute },
	{ __NR_lremovexattr, handle_attribute },
	{ __NR_fremovexattr, handle_attribute },
};
const size_t attributes_row_count = sizeof(attributes_rows) / sizeof(attributes_rows[0]);
