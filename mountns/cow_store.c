/* SPDX-License-Identifier: MIT */
/* Stores of copy-on-write: made, opened, locked and removed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "mountns/cow_walk.h"
#include "mountns/cow_upper.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define NO_STORE                                                                                   \
	((struct cow_store){                                                                       \
		.dir = -1, .lock = -1, .lower = -1, .upper = -1, .memory = { -1, -1, -1, 0 } })

void cow_close(struct cow_store *store)
{
	const int fds[] = { store->upper, store->lower, store->lock, store->dir };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	cow_leave_memory(store);
	free(store->path);
	free(store->lower_path);
	store->path = store->lower_path = NULL;
	store->upper = store->lower = store->lock = store->dir = -1;
}

/* --- Making one ----------------------------------------------------------------------------------- */

static int open_lower(struct cow_store *store, const char *path, struct fault *fault)
{
	struct kernel_statx stat, root;
	int error;

	store->lower_path = realpath(path, NULL);
	if (store->lower_path == NULL)
		return cow_fault(store, fault, path, errno);
	store->lower = open(store->lower_path, DIRECTORY);
	if (store->lower < 0)
		return cow_fault(store, fault, path, errno);
	error = cow_stat(store->lower, "", &stat);
	if (error == 0)
		error = cow_stat(AT_FDCWD, "/", &root);
	if (error < 0)
		return cow_fault(store, fault, path, error);
	store->lower_inode = stat.inode;
	store->lower_major = stat.dev_major;
	store->lower_minor = stat.dev_minor;
	if (strcmp(store->lower_path, "/") == 0 ||
	    (stat.inode == root.inode && stat.dev_major == root.dev_major &&
	     stat.dev_minor == root.dev_minor))
		return cow_fault_text(store, fault, path,
				      "the root directory cannot be copied on write");
	return 0;
}

static int take_lock(struct cow_store *store, int flags, struct fault *fault)
{
	store->lock = openat(store->dir, "lock",
			     O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
	if (store->lock < 0)
		return cow_fault(store, fault, store->path, errno);
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return cow_fault_text(store, fault, store->path,
				      "a box or another command is using the store");
	return cow_fault(store, fault, store->path, errno);
}

int cow_make_upper_in(const struct cow_store *store, int dir)
{
	struct kernel_statx stat;
	int fd, error = cow_remove(dir, "upper.new", true);

	if (error == 0)
		error = sys_mkdirat(dir, "upper.new", 0700);
	if (error == 0)
		error = cow_stat(store->lower, "", &stat);
	if (error < 0)
		return error;
	fd = sys_openat(dir, "upper.new", DIRECTORY, 0);
	if (fd < 0)
		return fd;
	error = cow_attributes_copy(store->lower, &stat, fd, COW_COPY_ROOT);
	if (error == 0 && renameat(dir, "upper.new", dir, COW_UPPER) < 0)
		error = -errno;
	if (error == 0)
		return fd;
	sys_close(fd);
	return error;
}

int cow_make_upper(struct cow_store *store)
{
	int fd = cow_make_upper_in(store, store->dir);

	if (fd < 0)
		return fd;
	if (store->upper >= 0)
		sys_close(store->upper);
	store->upper = fd;
	return 0;
}

static int fill(struct cow_store *store, struct fault *fault)
{
	struct timespec now;
	int error;

	if (take_lock(store, O_CREAT | O_EXCL, fault) < 0)
		return -1;
	error = cow_boot_note(store);
	if (error == 0)
		error = sys_mkdirat(store->dir, "work", 0700);
	if (error == 0)
		error = cow_make_upper(store);
	if (error == -EINVAL) /* chown(2), of an id that is not mapped */
		return cow_fault_text(store, fault, store->lower_path,
				      "its owner or group has no id in this user namespace");
	if (error < 0)
		return cow_fault(store, fault, store->path, error);
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return cow_fault(store, fault, store->path, errno);
	store->base.seconds = now.tv_sec;
	store->base.nanoseconds = (uint32_t)now.tv_nsec;
	/* So that what is left of a killed process can be removed. Before a box begins there will be another. */
	return cow_save_until(store, COW_SAVED_SOON, fault);
}

int cow_try_attributes(int dir)
{
	if (fsetxattr(dir, COW_OVERLAY_PREFIX "origin", "", 0, 0) < 0 ||
	    fremovexattr(dir, COW_OVERLAY_PREFIX "origin") < 0)
		return -errno;
	return 0;
}

int cow_check_store(struct cow_store *store, struct fault *fault)
{
	if (cow_try_attributes(store->upper) == 0)
		return 0;
	return cow_fault_text(store, fault, store->path,
			      "its file system has no extended attributes of users");
}

/* What cow_create() has made of the store. */
static void undo(const struct cow_store *store, bool made)
{
	static const char *const names[] = {
		"upper", "upper.new", "work", "state.new", "state", "lock",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)cow_remove(store->dir, names[i], true);
	if (made)
		(void)rmdir(store->path);
}

int cow_create(struct cow_store *store, const char *lower, const char *path, struct fault *fault)
{
	mode_t mask = umask(0);
	bool made = false;
	int error;

	*store = NO_STORE;
	error = open_lower(store, lower, fault);
	if (error == 0)
		error = cow_store_place(store, path, &made, fault);
	if (error == 0) {
		error = fill(store, fault);
		if (error < 0)
			undo(store, made);
	} else if (made && path != NULL) {
		(void)rmdir(path);
	}
	if (error < 0)
		cow_close(store);
	(void)umask(mask);
	return error;
}

/* What is no directory has no parent by which to find it. */
static bool is_file_of(const struct cow_store *store, const struct cow_place *place)
{
	static const char *const names[] = { "state", "lock", "index" };
	struct kernel_statx stat;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (cow_stat(store->dir, names[i], &stat) == 0 && stat.inode == place->inode &&
		    stat.dev_major == place->major && stat.dev_minor == place->minor)
			return true;
	return false;
}

bool cow_is_reached(const struct cow_store *store, int dir, const char *path)
{
	struct kernel_statx stat, own;
	struct cow_place place;
	bool reached;
	int fd;

	if (sys_statx(dir, path, AT_EMPTY_PATH, &stat) < 0 || cow_stat(store->dir, "", &own) < 0)
		return false;
	place = (struct cow_place){ stat.inode, stat.dev_major, stat.dev_minor };
	if (!S_ISDIR(stat.mode))
		return is_file_of(store, &place);
	if (cow_is_below(store->dir, &place) > 0)
		return true;
	fd = sys_openat(dir, *path == '\0' ? "." : path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	place = (struct cow_place){ own.inode, own.dev_major, own.dev_minor };
	reached = fd >= 0 && cow_is_below(fd, &place) > 0;
	if (fd >= 0)
		sys_close(fd);
	return reached;
}

bool cow_reaches_lower(const struct cow_store *store, int dir, const char *path)
{
	struct kernel_statx stat;
	struct cow_place place;

	if (sys_statx(dir, path, AT_EMPTY_PATH, &stat) < 0 || !S_ISDIR(stat.mode))
		return false;
	place = (struct cow_place){ stat.inode, stat.dev_major, stat.dev_minor };
	return cow_is_below(store->lower, &place) > 0;
}

void cow_wait_past(const struct cow_time *time)
{
	const struct timespec pause = { .tv_nsec = 500000 };
	struct timespec now;

	while (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 &&
	       (now.tv_sec < time->seconds ||
		(now.tv_sec == time->seconds && (uint64_t)now.tv_nsec <= time->nanoseconds)))
		(void)nanosleep(&pause, NULL);
}

void cow_wait(const struct cow_store *store)
{
	cow_wait_past(&store->base);
}

/* --- Opening one ---------------------------------------------------------------------------------- */

static int open_store(struct cow_store *store, const char *path, struct fault *fault)
{
	struct kernel_statx stat;
	int error;

	store->path = realpath(path, NULL);
	if (store->path == NULL)
		return cow_fault(store, fault, path, errno);
	store->dir = open(store->path, DIRECTORY);
	if (store->dir < 0)
		return cow_fault(store, fault, path, errno);
	error = cow_stat(store->dir, "", &stat);
	if (error < 0)
		return cow_fault(store, fault, path, error);
	if (stat.uid != geteuid())
		return cow_fault_text(store, fault, path, "is another user's");
	if ((stat.mode & 077) != 0)
		return cow_fault_text(store, fault, path, "others may enter it");
	return 0;
}

static int reopen_lower(struct cow_store *store, struct fault *fault)
{
	struct kernel_statx stat;
	int error;

	store->lower = open(store->lower_path, DIRECTORY);
	if (store->lower < 0)
		return cow_fault(store, fault, store->lower_path, errno);
	error = cow_stat(store->lower, "", &stat);
	if (error < 0)
		return cow_fault(store, fault, store->lower_path, error);
	if (stat.inode != store->lower_inode || stat.dev_major != store->lower_major ||
	    stat.dev_minor != store->lower_minor)
		return cow_fault_text(store, fault, store->lower_path,
				      "is not the directory any more that the store is of");
	return 0;
}

/* It can be missing where tree_collect() was interrupted, which makes it again, or a commit at its end, or a
 * removal. It can be that the box has taken even our rights to it. */
static int reopen_upper(struct cow_store *store, struct fault *fault)
{
	struct kernel_statx stat;
	int error = cow_stat(store->dir, COW_UPPER, &stat);

	if (error == -ENOENT)
		error = cow_make_upper(store);
	else if (error == 0)
		error = store->upper = cow_open_upper(store->dir, &stat);
	return error < 0 ? cow_fault(store, fault, store->path, error) : 0;
}

/* What cow_create() makes before the state, and what goes after it. In this order it can be removed. */
static const char *const stateless[] = { "state.new", "upper.new", "upper", "work", "lock" };

static bool is_empty(const struct cow_store *store, const char *name)
{
	int fd = sys_openat(store->dir, name, DIRECTORY, 0);
	struct cow_names names = { 0 };
	bool empty =
		fd == -ENOTDIR || (fd >= 0 && cow_names_read(&names, fd) == 0 && names.count == 0);

	cow_names_free(&names);
	if (fd >= 0)
		sys_close(fd);
	return empty;
}

static bool is_stateless(const struct cow_store *store, const char *name)
{
	for (size_t i = 0; i < sizeof(stateless) / sizeof(stateless[0]); i++)
		if (strcmp(stateless[i], name) == 0)
			return is_empty(store, name);
	return false;
}

/* An empty directory is one only with a name that we would have given it. */
static bool is_rest(const struct cow_store *store)
{
	const char *name = strrchr(store->path, '/') + 1;
	struct cow_names names;
	bool is = cow_names_read(&names, store->dir) == 0;

	if (is)
		is = names.count > 0 ? cow_names_has(&names, "lock")
				     : strncmp(name, "cow-", 4) == 0;
	for (size_t i = 0; is && i < names.count; i++)
		is = is_stateless(store, names.list[i]);
	cow_names_free(&names);
	return is;
}

/* Of a directory that is gone nothing but the store is left, unless a copy is in there. */
static int reopen_both(struct cow_store *store, bool discards, struct fault *fault)
{
	if (reopen_lower(store, fault) == 0)
		return reopen_upper(store, fault);
	if (!discards || store->staged[0] != '\0')
		return -1;
	if (store->lower >= 0)
		close(store->lower);
	store->lower = -1;
	return 0;
}

static int open_whole(struct cow_store *store, const char *path, bool discards, struct fault *fault)
{
	int error;

	*store = NO_STORE;
	error = open_store(store, path, fault);
	if (error == 0 && is_rest(store))
		error = cow_fault_text(store, fault, path, COW_IN_PART);
	/* A store whose state is nowhere gets no lock file; the state is read under the lock. */
	if (error == 0 && cow_state_read(store, fault) == 0) {
		free(store->lower_path);
		store->lower_path = NULL;
		if (take_lock(store, 0, fault) == 0 && cow_state_read(store, fault) == 0 &&
		    reopen_both(store, discards, fault) == 0)
			return 0;
	}
	cow_close(store);
	return -1;
}

int cow_open(struct cow_store *store, const char *path, struct fault *fault)
{
	return open_whole(store, path, false, fault);
}

int cow_open_to_discard(struct cow_store *store, const char *path, struct fault *fault)
{
	return open_whole(store, path, true, fault);
}

/* --- Removing one --------------------------------------------------------------------------------- */

#define GONE "upper.new" /* a name that nobody takes for changes */

/* From here on there is nothing to be committed, however little of it is removed: of a tree without its index
 * nothing is known, and without this what is not there any more would be taken for deleted. */
static int forget_changes(const struct cow_store *store)
{
	int copy = store->staged[0] != '\0' ? cow_open_staged(store) : -1;
	int error = cow_remove(store->dir, GONE, true);

	if (copy >= 0) {
		if (renameat(copy, COW_UPPER, copy, GONE) < 0 && errno != ENOENT && error == 0)
			error = -errno;
		sys_close(copy);
	}
	if (error == 0 && renameat(store->dir, COW_UPPER, store->dir, GONE) < 0 && errno != ENOENT)
		error = -errno;
	return error < 0 ? error : cow_remove(store->dir, "index", true);
}

/* With the state last, so that what is left of an interrupted removal is a store, and can be removed. */
static int discard(struct cow_store *store, struct fault *fault)
{
	static const char *const names[] = { GONE,        COW_LINKS, "work", "tree",
					     "state.new", "state",   "lock" };
	int error = forget_changes(store);

	if (error == 0 && store->staged[0] != '\0') {
		error = cow_remove(store->lower, store->staged, true);
		if (error < 0)
			return cow_fault(store, fault, store->staged, error);
	}
	for (size_t i = 0; error == 0 && i < sizeof(names) / sizeof(names[0]); i++)
		error = cow_remove(store->dir, names[i], true);
	if (error == 0 && rmdir(store->path) < 0)
		error = -errno;
	return error < 0 ? cow_fault(store, fault, store->path, error) : 0;
}

int cow_discard(struct cow_store *store, struct fault *fault)
{
	int error = discard(store, fault);

	cow_close(store);
	return error;
}

static int remove_rest(struct cow_store *store, struct fault *fault)
{
	for (size_t i = 0; i < sizeof(stateless) / sizeof(stateless[0]); i++) {
		const char *name = stateless[i];

		if (unlinkat(store->dir, name, 0) < 0 &&
		    (errno != EISDIR || unlinkat(store->dir, name, AT_REMOVEDIR) < 0) &&
		    errno != ENOENT)
			return cow_fault(store, fault, store->path, errno);
	}
	return rmdir(store->path) < 0 ? cow_fault(store, fault, store->path, errno) : 0;
}

int cow_discard_rest(struct cow_store *store, const char *path, struct fault *fault)
{
	struct kernel_statx stat;
	int result;

	*store = NO_STORE;
	result = open_store(store, path, fault);
	if (result == 0 && !is_rest(store))
		result = 1;
	/* Of a box that is just starting it is taken. */
	if (result == 0 && cow_stat(store->dir, "lock", &stat) == 0)
		result = take_lock(store, 0, fault);
	/* And one that has ended meanwhile may have left changes. */
	if (result == 0)
		result = is_rest(store) ? remove_rest(store, fault) : 1;
	cow_close(store);
	return result;
}
