/* SPDX-License-Identifier: MIT */
/* Trees for the tests of copy-on-write: made from rows, and described as text to be compared. */
#ifndef TESTS_UNIT_COW_TREES_H
#define TESTS_UNIT_COW_TREES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "mountns/cow_tour.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOBODY 65534

/*
 * d directory, o opaque one, x one with whiteouts that are files; f file of TEXT, c one that was copied up, t one
 * of another time, a one with an attribute user.a of TEXT; l link to TEXT, h another name of TEXT, p FIFO,
 * s socket, w whiteout, e whiteout that is a file, C directory that was copied up
 */
struct item {
	char kind;
	const char *path;
	mode_t mode;
	const char *text;
};

static char top[64], other[64]; /* on two file systems */
static struct fault fault;
static struct cow_store store;

__attribute__((noinline, unused)) static const char *at(const char *tree, const char *name)
{
	static char buffers[8][PATH_MAX];
	static unsigned int next;
	char *path = buffers[next++ % COUNT(buffers)];

	snprintf(path, sizeof(buffers[0]), "%s/%s", tree, name);
	return path;
}

static inline long time_of(const char *path)
{
	long sum = 1000000000;

	for (; *path != '\0'; path++)
		sum += (unsigned char)*path * 1000;
	return sum;
}

static inline void put_file(const char *path, const struct item *item)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t length = item->text == NULL || item->kind == 'e' ? 0 : strlen(item->text);

	assert_true(fd >= 0);
	if (item->kind != 'a')
		assert_int_equal(write(fd, item->text, length), length);
	else
		assert_int_equal(fsetxattr(fd, "user.a", item->text, length, 0), 0);
	if (item->kind == 'e')
		assert_int_equal(fsetxattr(fd, "user.overlay.whiteout", "y", 1, 0), 0);
	if (item->kind == 'c')
		assert_int_equal(fsetxattr(fd, "user.overlay.origin", "", 0, 0), 0);
	close(fd);
}

static inline void put_directory(const char *path, const struct item *item)
{
	assert_int_equal(mkdir(path, 0700), 0);
	if (item->kind == 'C')
		assert_int_equal(setxattr(path, "user.overlay.origin", "", 0, 0), 0);
	else if (item->kind != 'd')
		assert_int_equal(
			setxattr(path, "user.overlay.opaque", item->kind == 'o' ? "y" : "x", 1, 0),
			0);
}

static inline void put(const char *tree, const struct item *item)
{
	const char *path = at(tree, item->path);

	if (strchr("doxC", item->kind) != NULL)
		put_directory(path, item);
	else if (strchr("fctae", item->kind) != NULL)
		put_file(path, item);
	else if (item->kind == 'l')
		assert_int_equal(symlink(item->text, path), 0);
	else if (item->kind == 'h')
		assert_int_equal(link(at(tree, item->text), path), 0);
	else
		assert_int_equal(mknod(path,
				       item->kind == 'p'   ? S_IFIFO | 0600
				       : item->kind == 's' ? S_IFSOCK | 0600
							   : S_IFCHR,
				       0),
				 0);
}

/* Mode and times, from the last to the first, since a directory's change with what is in it. */
static inline void finish(const char *tree, const struct item *item)
{
	const char *path = at(tree, item->path);
	const struct timespec times[2] = {
		{ .tv_sec = time_of(item->path) },
		{ .tv_sec = time_of(item->path) + (item->kind == 't'), .tv_nsec = 123456789 },
	};

	if (strchr("lwhe", item->kind) == NULL)
		assert_int_equal(chmod(path, item->mode), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* TREE is a directory; the first row, of path "", is its own. */
static inline void build(const char *path, const struct item *items, size_t count)
{
	char tree[PATH_MAX]; /* at() has few buffers */

	snprintf(tree, sizeof(tree), "%s", path);
	for (size_t i = 0; i < count; i++)
		if (items[i].path[0] != '\0')
			put(tree, &items[i]);
	for (size_t i = count; i > 0; i--)
		finish(tree, &items[i - 1]);
}

static inline int be(uid_t id)
{
	if (getuid() != 0)
		return 0;
	return (seteuid(0) == 0 && setegid(id) == 0 && seteuid(id) == 0) ? 0 : -1;
}

static inline void describe_attributes(FILE *out, int fd)
{
	char names[4096], value[4096];
	ssize_t size = flistxattr(fd, names, sizeof(names)), length;

	for (ssize_t i = 0; i < size; i += (ssize_t)strlen(names + i) + 1) {
		length = fgetxattr(fd, names + i, value, sizeof(value));
		fprintf(out, " %s=%.*s", names + i, (int)length, value);
	}
}

static inline void describe(FILE *out, int dir, const char *prefix);

static inline void describe_entry(FILE *out, int dir, const char *prefix, const char *name)
{
	char text[4096] = "", path[PATH_MAX];
	struct stat stat;
	bool locked = false; /* for an ordinary user */
	int fd = -1;

	assert_int_equal(fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW), 0);
	snprintf(path, sizeof(path), "%s/%s", prefix, name);
	fprintf(out, "%s %o %u:%u %lld.%09ld", path, stat.st_mode, stat.st_uid, stat.st_gid,
		(long long)stat.st_mtim.tv_sec, stat.st_mtim.tv_nsec);
	if (S_ISLNK(stat.st_mode)) {
		assert_true(readlinkat(dir, name, text, sizeof(text) - 1) >= 0);
		fprintf(out, " -> %s", text);
	} else if (S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode)) {
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		locked = fd < 0 && errno == EACCES;
		if (locked) {
			assert_int_equal(fchmodat(dir, name, 0700, 0), 0);
			fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		}
		assert_true(fd >= 0);
		describe_attributes(out, fd);
	}
	if (S_ISREG(stat.st_mode)) {
		assert_true(read(fd, text, sizeof(text) - 1) >= 0);
		fprintf(out, " %lu links %lld bytes \"%s\"", (unsigned long)stat.st_nlink,
			(long long)stat.st_size, text);
	}
	fputc('\n', out);
	if (S_ISDIR(stat.st_mode))
		describe(out, fd, path);
	if (locked)
		assert_int_equal(fchmodat(dir, name, stat.st_mode & 07777, 0), 0);
	if (fd >= 0)
		close(fd);
}

static inline void describe(FILE *out, int dir, const char *prefix)
{
	struct cow_names names;

	assert_int_equal(cow_names_read(&names, dir), 0);
	for (size_t i = 0; i < names.count; i++)
		describe_entry(out, dir, prefix, names.list[i]);
	cow_names_free(&names);
}

/* All that there is to a tree, to be freed. Root reads it, if we can be that. */
static inline char *description(const char *tree)
{
	uid_t id = geteuid();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int fd;

	assert_int_equal(be(0), 0);
	fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	describe_entry(out, fd, "", ".");
	describe(out, fd, "");
	close(fd);
	fclose(out);
	assert_int_equal(be(id), 0);
	return text;
}

static inline void remove_tree(const char *path)
{
	char copy[PATH_MAX], *slash;
	uid_t id = geteuid();
	int fd;

	assert_int_equal(be(0), 0);
	snprintf(copy, sizeof(copy), "%s", path);
	slash = strrchr(copy, '/');
	*slash = '\0';
	fd = open(copy, O_PATH | O_CLOEXEC);
	assert_int_equal(cow_remove(fd, slash + 1, true), 0);
	close(fd);
	assert_int_equal(be(id), 0);
}

static inline int begin(void **state)
{
	(void)state;
	strcpy(top, "/dev/shm/nbt-cow.XXXXXX");
	strcpy(other, "/tmp/nbt-cow.XXXXXX");
	return mkdtemp(top) == NULL || mkdtemp(other) == NULL ? -1 : 0;
}

static inline int begin_as_user(void **state)
{
	return be(NOBODY) < 0 ? -1 : begin(state);
}

static inline int end(void **state)
{
	(void)state;
	if (be(0) < 0)
		return -1;
	/* Root owns neither of them, if they are a user's, and needs not. */
	remove_tree(top);
	remove_tree(other);
	return 0;
}

static inline void check(int error)
{
	if (error < 0)
		fail_msg("%s: %s: %s", fault.step, fault.object,
			 fault.reason != NULL ? fault.reason : strerror(fault.error));
}

/* A store at top/NAME of the tree LOWER, with these changes. */
static inline void make_store(const char *name, const char *lower, const struct item *items,
			      size_t count)
{
	const char *path = at(top, name);

	check(cow_create(&store, lower, path, &fault));
	cow_wait(&store);
	store.state = COW_ENDED;
	check(cow_save(&store, &fault));
	cow_close(&store);
	build(at(path, "upper"), items, count);
}

#define BOTH(test)                                                                                 \
	{ #test ", as we are", test, begin, end, NULL },                                           \
	{                                                                                          \
#test ", as a user", test, begin_as_user, end, NULL                                \
	}

#endif
