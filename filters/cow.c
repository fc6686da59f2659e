/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "filters/cow.h"
#include "filters/places.h"
#include "filters/target.h"
#include "mountns/resolve.h"
#include "mountns/sys.h"

#define INTERPRETERS 5 /* as the kernel: execve(2), "Interpreter scripts" */
#define HEADER 256
#define SEGMENTS 64

/* O_ACCMODE, which musl lets O_PATH be a part of. */
#define ACCESS 3

/* Flags that say nothing about the path, and do nothing to a regular file that is there. */
#define PLAIN                                                                                      \
	(ACCESS | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC |            \
	 KERNEL_LARGEFILE)

/* What is about finding the file, which has been found. */
#define FINDS (O_CREAT | O_EXCL | O_NOFOLLOW | O_ASYNC)

/* As an open file of the listener's. Of what it may not open the kernel decides, with the caller's rights. */
static struct notify_answer answer(int fd, int flags)
{
	if (fd == -EACCES || fd == -EPERM)
		return notify_continue();
	return fd < 0 ? notify_return(fd) : notify_fd(fd, (flags & O_CLOEXEC) != 0);
}

static int reopen(const struct cow *cow, int fd, int flags)
{
	return tree_reopen(cow->fds, fd, (flags & ~FINDS) | O_NOCTTY | O_CLOEXEC);
}

struct notify_answer cow_reopen(const struct cow *cow, int fd, int flags)
{
	return answer(reopen(cow, fd, flags), flags);
}

/* FD, which is O_PATH, is what the caller's path leads to. */
struct notify_answer cow_open_found(const struct notify_call *call, const struct cow *cow, int fd,
				    int flags)
{
	int found, file;

	if ((flags & O_TRUNC) != 0 && !cow->restricted && tree_has(cow->tree, fd)) {
		if (!notify_waits(call))
			return notify_return(-ESRCH);
		file = reopen(cow, fd, flags);
		if (file >= 0)
			(void)tree_fill(cow->tree, cow->fds, fd, true);
		if (file != -EACCES && file != -EPERM)
			return answer(file, flags);
	}
	found = tree_fill(cow->tree, cow->fds, fd, false);
	if (found < 0)
		return notify_return(found);
	if (found == 0 || cow->restricted)
		return notify_continue();
	return cow_reopen(cow, fd, flags);
}

/* What cannot be found is the kernel's to tell. Not where we have too little, or may not look at the caller. */
struct notify_answer cow_leave(int error)
{
	switch (error) {
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -EPERM:
	case -EFAULT:
		return notify_return(error);
	default:
		return notify_continue();
	}
}

/* openat2 in the directory: another root, or none but that. */
static int find_inside(const struct notify_call *call, int dirfd, const char *path,
		       uint64_t resolve, bool follow)
{
	const struct kernel_open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = resolve,
	};
	int fd, dir = dirfd == AT_FDCWD ? target_find(call, AT_FDCWD, ".", true)
					: target_reopen(call, dirfd);

	if (dir < 0)
		return dir;
	fd = sys_openat2(dir, path, &how);
	sys_close(dir);
	return fd;
}

/* Whether a file may be opened before it is known which it is. That takes one call, and looking first three. */
static bool opens_at_once(const struct cow *cow, int flags, uint64_t resolve)
{
	return !cow->restricted && !cow->special && resolve == 0 && (flags & ~PLAIN) == 0;
}

/* FD is what the caller gets. Of what was not in the lower directory the kernel decides. */
static struct notify_answer fill_opened(const struct cow *cow, int fd, int flags)
{
	int found = tree_fill(cow->tree, cow->fds, fd, false);

	if (found > 0)
		return answer(fd, flags);
	sys_close(fd);
	return found < 0 ? notify_return(found) : notify_continue();
}

static struct notify_answer open_path(const struct notify_call *call, struct cow *cow, int dirfd,
				      uint64_t address, int flags, uint64_t resolve)
{
	struct target_opening opening = { .flags = (flags & ~O_CREAT) | O_NOCTTY | O_CLOEXEC };
	struct notify_answer result;
	char path[PATH_MAX];
	bool follow = (flags & O_NOFOLLOW) == 0;
	int fd, error;

	/* None of them reaches content that there is. A file that there is is no directory. */
	if ((flags & (O_PATH | O_DIRECTORY)) != 0 || (~flags & (O_CREAT | O_EXCL)) == 0)
		return notify_continue();
	error = target_read_path(call, address, path);
	if (error < 0)
		return cow_leave(error);
	cow->begun = true;
	fd = (resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH)) != 0
		     ? find_inside(call, dirfd, path, resolve, follow)
		     : target_find_or_open(call, dirfd, path, follow,
					   opens_at_once(cow, flags, resolve) ? &opening : NULL);
	if (fd < 0)
		return cow_leave(fd == -EPERM ? -EACCES : fd);
	if (opening.done)
		return fill_opened(cow, fd, flags);
	result = cow_open_found(call, cow, fd, flags);
	/* The kernel can refuse what of that we do not look at. */
	if (result.kind == NOTIFY_FD && resolve != 0) {
		sys_close(result.fd);
		result = notify_continue();
	}
	sys_close(fd);
	return result;
}

static struct notify_answer handle_openat(const struct notify_call *call, void *context)
{
	return open_path(call, context, notify_int(call->arguments[0]), call->arguments[1],
			 notify_int(call->arguments[2]), 0);
}

struct notify_answer cow_openat2(const struct notify_call *call, void *context)
{
	struct kernel_open_how how = { 0 };
	int error;

	/* What the kernel would refuse. What a later one has added does not matter here. */
	if (call->arguments[3] < sizeof(how))
		return notify_continue();
	error = target_read(call, call->arguments[2], &how, sizeof(how));
	if (error < 0)
		return cow_leave(error);
	/* With O_TRUNC and a restricted path the kernel empties it, of what it has. */
	return open_path(call, context, notify_int(call->arguments[0]), call->arguments[1],
			 how.resolve == 0 ? (int)how.flags : (int)how.flags & ~O_TRUNC,
			 how.resolve);
}

#ifdef __NR_open
static struct notify_answer handle_open(const struct notify_call *call, void *context)
{
	return open_path(call, context, AT_FDCWD, call->arguments[0],
			 notify_int(call->arguments[1]), 0);
}

static struct notify_answer handle_creat(const struct notify_call *call, void *context)
{
	return open_path(call, context, AT_FDCWD, call->arguments[0], O_CREAT | O_WRONLY | O_TRUNC,
			 0);
}
#endif

static struct notify_answer handle_truncate(const struct notify_call *call, void *context)
{
	const struct cow *cow = context;
	char path[PATH_MAX];
	int fd, error = target_read_path(call, call->arguments[0], path);

	if (error < 0)
		return cow_leave(error);
	fd = target_find(call, AT_FDCWD, path, true);
	if (fd < 0)
		return cow_leave(fd == -EPERM ? -EACCES : fd);
	error = tree_fill(cow->tree, cow->fds, fd, false);
	sys_close(fd);
	return error < 0 ? notify_return(error) : notify_continue();
}

/* --- Executables ---------------------------------------------------------------------------------- */

/* "#!" with the path of an interpreter, which is cut where the kernel cuts it. */
static bool parse_script(const char header[HEADER], size_t size, char path[PATH_MAX])
{
	size_t at = 2, length = 0;

	if (size < 3 || header[0] != '#' || header[1] != '!')
		return false;
	while (at < size && (header[at] == ' ' || header[at] == '\t'))
		at++;
	while (at + length < size && strchr(" \t\n", header[at + length]) == NULL)
		length++;
	memcpy(path, header + at, length);
	path[length] = '\0';
	return length > 0;
}

/* Where the interpreter's path is and how long; false if it has none. */
static bool find_segment(int fd, const char header[HEADER], uint64_t *offset, uint64_t *size)
{
	union {
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} elf;
	bool wide = header[EI_CLASS] == ELFCLASS64;
	uint64_t at;
	unsigned int count;

	memcpy(&elf, header, sizeof(elf));
	at = wide ? elf.wide.e_phoff : elf.narrow.e_phoff;
	count = wide ? elf.wide.e_phnum : elf.narrow.e_phnum;
	for (unsigned int i = 0; i < count && i < SEGMENTS && at < LONG_MAX - sizeof(Elf64_Phdr);
	     i++) {
		union {
			Elf32_Phdr narrow;
			Elf64_Phdr wide;
		} segment;
		size_t length = wide ? sizeof(segment.wide) : sizeof(segment.narrow);

		if (sys_pread(fd, &segment, length, (long)at) != (long)length)
			return false;
		at += length;
		*offset = wide ? segment.wide.p_offset : segment.narrow.p_offset;
		*size = wide ? segment.wide.p_filesz : segment.narrow.p_filesz;
		if ((wide ? segment.wide.p_type : segment.narrow.p_type) == PT_INTERP)
			return true;
	}
	return false;
}

static bool parse_elf(int fd, const char header[HEADER], size_t size, char path[PATH_MAX])
{
	uint64_t offset = 0, length = 0;

	if (size < sizeof(Elf64_Ehdr) || memcmp(header, ELFMAG, SELFMAG) != 0 ||
	    !find_segment(fd, header, &offset, &length) || length < 2 || length > PATH_MAX ||
	    offset > LONG_MAX || sys_pread(fd, path, (size_t)length, (long)offset) != (long)length)
		return false;
	path[length - 1] = '\0';
	return true;
}

/* What is not readable has no interpreter, as far as we can see. */
static bool find_interpreter(const struct cow *cow, int fd, char path[PATH_MAX])
{
	char header[HEADER];
	int file = tree_reopen(cow->fds, fd, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool found = false;
	long size;

	if (file < 0)
		return false;
	size = sys_pread(file, header, sizeof(header), 0);
	if (size > 0)
		found = parse_script(header, (size_t)size, path) ||
			parse_elf(file, header, (size_t)size, path);
	sys_close(file);
	return found;
}

static bool is_regular(int fd)
{
	struct kernel_statx stat;

	return sys_statx(fd, "", AT_EMPTY_PATH, &stat) == 0 && S_ISREG(stat.mode);
}

static int find_in(const struct cow *cow, const char *path)
{
	struct resolver resolver = { .root = cow->root };

	return resolve_open(&resolver, path, O_PATH, 0, RESOLVE_INSIDE);
}

/* FD, which is closed, and what the kernel will open for it. Of a CALL without an ID the path is the box's. */
struct notify_answer cow_execute(const struct notify_call *call, const struct cow *cow, int fd)
{
	char path[PATH_MAX];

	for (int depth = 0; depth <= INTERPRETERS && fd >= 0; depth++) {
		int error = tree_fill(cow->tree, cow->fds, fd, false);
		bool more = error >= 0 && is_regular(fd) && find_interpreter(cow, fd, path);

		sys_close(fd);
		if (error < 0)
			return notify_return(error);
		if (!more)
			return notify_continue();
		fd = call->id == 0 ? find_in(cow, path) : target_find(call, AT_FDCWD, path, true);
	}
	if (fd >= 0)
		sys_close(fd);
	return notify_continue();
}

int cow_top(const struct cow *cow, const char *path)
{
	int fd = find_in(cow, path);
	struct kernel_statx stat;

	if (fd < 0)
		return fd;
	if (sys_statx(fd, "", AT_EMPTY_PATH, &stat) == 0 && stat.inode == cow->tree->inode &&
	    stat.dev_major == cow->tree->dev_major && stat.dev_minor == cow->tree->dev_minor)
		return fd;
	sys_close(fd);
	return -ENOENT;
}

void cow_begin(const struct cow *cow, const char *path)
{
	const struct notify_call none = { .id = 0 };
	int fd = find_in(cow, path);

	if (fd >= 0)
		(void)cow_execute(&none, cow, fd);
}

static struct notify_answer execute_path(const struct notify_call *call, struct cow *cow, int dirfd,
					 uint64_t address, int flags)
{
	char path[PATH_MAX];
	int fd, error = target_read_path(call, address, path);

	if (error == -EPERM && !cow->begun)
		return notify_continue();
	if (error < 0)
		return cow_leave(error);
	fd = path[0] == '\0' && (flags & AT_EMPTY_PATH) != 0
		     ? target_reopen(call, dirfd)
		     : target_find(call, dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0);
	return fd < 0 ? cow_leave(fd == -EPERM ? -EACCES : fd) : cow_execute(call, cow, fd);
}

static struct notify_answer handle_execve(const struct notify_call *call, void *context)
{
	return execute_path(call, context, AT_FDCWD, call->arguments[0], 0);
}

static struct notify_answer handle_execveat(const struct notify_call *call, void *context)
{
	return execute_path(call, context, notify_int(call->arguments[0]), call->arguments[1],
			    notify_int(call->arguments[4]));
}

struct notify_answer cow_restrict(const struct notify_call *call, void *context)
{
	struct cow *cow = context;

	(void)call;
	cow->restricted = true;
	return notify_continue();
}

static struct notify_answer handle_special(const struct notify_call *call, void *context)
{
	struct cow *cow = context;

	(void)call;
	cow->special = true;
	return notify_continue();
}

static struct notify_answer handle_root(const struct notify_call *call, void *context)
{
	(void)context;
	if (call->places != NULL)
		places_move(call->places);
	return notify_continue();
}

const struct notify_row cow_rows[] = {
	{ __NR_openat, handle_openat },
	{ __NR_openat2, cow_openat2 },
#ifdef __NR_open
	{ __NR_open, handle_open },
	{ __NR_creat, handle_creat },
#endif
	{ __NR_truncate, handle_truncate },
#ifdef __NR_truncate64
	{ __NR_truncate64, handle_truncate },
#endif
	{ __NR_execve, handle_execve },
	{ __NR_execveat, handle_execveat },
	{ __NR_landlock_restrict_self, cow_restrict },
#ifdef __NR_mknod
	{ __NR_mknod, handle_special },
#endif
	{ __NR_mknodat, handle_special },
	{ __NR_mount, handle_special },
	{ __NR_fsopen, handle_special },
	{ __NR_chroot, handle_root },
	{ __NR_pivot_root, handle_root },
	{ __NR_setns, handle_root },
	{ __NR_unshare, handle_root },
	{ __NR_clone, handle_root },
	{ __NR_clone3, handle_root },
};
const size_t cow_row_count = sizeof(cow_rows) / sizeof(cow_rows[0]);

const char *cow_probe(int *error)
{
	*error = notify_probe();
	if (*error < 0)
		return "needs seccomp notification with new descriptors (Linux 5.9)";
	*error = target_probe();
	return *error < 0 ? "needs process_vm_readv, which some kernels are built without" : NULL;
}
