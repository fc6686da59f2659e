/* SPDX-License-Identifier: MIT */
/*
 * mountns/resolve.c: every table runs for openat2, for the walk, for their automatic choice, and, in the
 * end, for that choice under filters that answer openat2 with ENOSYS and with EPERM. What the kernel does
 * is the standard: test_random compares the walk with it.
 *
 * RESOLVE_SEED and RESOLVE_CASES, of the environment, choose the random trees and how many paths.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mountns/resolve.h"
#include "mountns/sys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROWS(rows) assert_int_equal(wrong_rows(rows, COUNT(rows)), 0)
#define NOBODY 12345
#define CANNOT 101 /* of a child, instead of the number of wrong rows */
#define MODE 0640
#define CREATE (O_WRONLY | O_CREAT)
#define EXCLUSIVE (O_WRONLY | O_CREAT | O_EXCL)
#define LONG "0123456789012345678901234567890123456789"
#define NAME_OF_255 LONG LONG LONG LONG LONG LONG "012345678901234"

static char top[PATH_MAX]; /* holds the directories "root" and "out", which is outside */
static int top_fd, root_fd;
static enum resolve_backend backend;
static bool no_openat2; /* a filter is in force */

/* --- The tree -------------------------------------------------------------------------------- */

static void make_dir(int dirfd, const char *name)
{
	assert_int_equal(mkdirat(dirfd, name, 0755), 0);
}

static void make_file(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "untouched", 9), 9);
	close(fd);
}

static void remove_below(int dirfd, const char *name)
{
	struct stat stat;
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (fstatat(dirfd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(stat.st_mode))
		return;
	fchmodat(dirfd, name, 0700, 0);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fdopendir(fd);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type == DT_DIR)
			remove_below(fd, entry->d_name);
		else
			unlinkat(fd, entry->d_name, 0);
	}
	closedir(dir);
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

static void make_links(void)
{
	static const char *const links[][2] = {
		{ "dir/sub", "rel" },
		{ "rel", "rel-2" },
		{ "dir/../dir/./sub", "up-down" },
		{ "..", "dir/up" },
		{ "/dir", "abs" },
		{ "/", "slash" },
		{ "///dir//sub//", "slashes" },
		{ "../out", "to-out" },
		{ "../out/secret", "out-file" },
		{ "dir/../../out", "out-later" },
		{ "../root/dir", "out-in" },
		{ "..", "up" },
		{ "file", "to-file" },
		{ "file/", "to-file-slash" },
		{ "file/.", "to-file-dot" },
		{ "dir/", "to-dir-slash" },
		{ "fifo", "to-fifo" },
		{ "missing", "dangling" },
		{ "missing/x", "dangling-far" },
		{ "missing/", "dangling-slash" },
		{ "dir/new", "dangling-deep" },
		{ "dangling-deep", "dangling-2" },
		{ "/dir/new", "dangling-abs" },
		{ "../out/new", "dangling-out" },
		{ "loop", "loop" },
		{ "pong", "ping" },
		{ "ping", "pong" },
		{ "growing/x", "growing" },
		{ "closed/x", "to-closed" },
		{ "file", "link-1" },
	};
	char name[32], text[PATH_MAX + 16];

	for (size_t i = 0; i < COUNT(links); i++)
		assert_int_equal(symlinkat(links[i][0], root_fd, links[i][1]), 0);
	for (int i = 2; i <= 41; i++) {
		snprintf(name, sizeof(name), "link-%d", i);
		snprintf(text, sizeof(text), "link-%d", i - 1);
		assert_int_equal(symlinkat(text, root_fd, name), 0);
	}
	snprintf(text, sizeof(text), "%s/out/secret", top);
	assert_int_equal(symlinkat(text, root_fd, "out-abs"), 0);
	snprintf(text, sizeof(text), "%s/root/dir", top);
	assert_int_equal(symlinkat(text, root_fd, "abs-real"), 0);
}

static int set_up(void **state)
{
	static const char *const dirs[] = { "dir",    "dir/sub",  "search",       "search/dir",
					    "closed", "readable", "readable/dir", NAME_OF_255 };
	char template[] = "/tmp/resolve-test-XXXXXX";

	(void)state;
	umask(022);
	if (mkdtemp(template) == NULL || realpath(template, top) == NULL || chmod(top, 0755) != 0)
		return -1;
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	make_dir(top_fd, "root");
	make_dir(top_fd, "out");
	make_dir(top_fd, "out/dir");
	make_file(top_fd, "out/secret");
	root_fd = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(dirs); i++)
		make_dir(root_fd, dirs[i]);
	make_file(root_fd, "file");
	make_file(root_fd, "dir/file");
	make_file(root_fd, "dir/sub/leaf");
	make_file(root_fd, "search/file");
	make_file(root_fd, "closed/file");
	make_file(root_fd, "readable/file");
	make_file(root_fd, "private");
	assert_int_equal(mkfifoat(root_fd, "fifo", 0644), 0);
	make_links();
	assert_int_equal(fchmodat(root_fd, "private", 0, 0), 0);
	assert_int_equal(fchmodat(root_fd, "search", 0111, 0), 0);
	assert_int_equal(fchmodat(root_fd, "closed", 0, 0), 0);
	assert_int_equal(fchmodat(root_fd, "readable", 0444, 0), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(root_fd);
	close(top_fd);
	remove_below(AT_FDCWD, top);
	return 0;
}

/* --- Rows ------------------------------------------------------------------------------------ */

/*
 * What is expected: "=name", that object of the root directory; "+name", that the file was not there
 * and now is; or the name of an errno. INSIDE is only given where it is not as BELOW.
 */
struct row {
	const char *path;
	int flags;
	const char *below, *inside;
};

static const char *error_name(int error)
{
	static char number[32];
	static const struct {
		int error;
		const char *name;
	} errors[] = { { EXDEV, "EXDEV" },     { ENOENT, "ENOENT" },
		       { ENOTDIR, "ENOTDIR" }, { ELOOP, "ELOOP" },
		       { EEXIST, "EEXIST" },   { EISDIR, "EISDIR" },
		       { EACCES, "EACCES" },   { EINVAL, "EINVAL" },
		       { ENXIO, "ENXIO" },     { ENAMETOOLONG, "ENAMETOOLONG" },
		       { EBADF, "EBADF" },     { EAGAIN, "EAGAIN" },
		       { EPERM, "EPERM" } };

	for (size_t i = 0; i < COUNT(errors); i++)
		if (errors[i].error == error)
			return errors[i].name;
	snprintf(number, sizeof(number), "%d", error);
	return number;
}

static bool needs_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

static bool is_walk(void)
{
	return backend == RESOLVE_BY_WALK || no_openat2;
}

static int open_at(int root, const char *path, int flags, enum resolve_scope scope)
{
	struct resolver resolver = { .root = root, .backend = backend };

	return resolve_open(&resolver, path, flags, needs_mode(flags) ? MODE : 0, scope);
}

/* The outside is as it was made. */
static bool is_outside_untouched(void)
{
	char text[16] = "";
	int fd = openat(top_fd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	int file = openat(fd, "secret", O_RDONLY | O_CLOEXEC), count = 0;
	ssize_t length = read(file, text, sizeof(text) - 1);

	while (readdir(dir) != NULL)
		count++;
	close(file);
	closedir(dir);
	return count == 4 && length == 9 && strcmp(text, "untouched") == 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode;
}

/* Whether FD, opened below ROOT, is the object that WANT names. What was created is removed. */
static bool is_wanted(int root, int fd, const char *want)
{
	struct stat is, wanted;
	bool same;

	if (want[0] != '=' && want[0] != '+')
		return false;
	same = fstat(fd, &is) == 0 && fstatat(root, want + 1, &wanted, AT_SYMLINK_NOFOLLOW) == 0 &&
	       is_same(&is, &wanted) && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
	if (want[0] == '+')
		same = unlinkat(root, want + 1, 0) == 0 && same && (is.st_mode & 07777) == MODE;
	return same;
}

static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* On a machine that is busy mounting and renaming, openat2 may give up, or count the links of a way that it
 * has to begin again twice: both are the kernel's answers, and pass. */
static int open_in_the_end(int root, const struct row *row, enum resolve_scope scope,
			   const char *want)
{
	int fd, attempts = 200;

	do {
		fd = open_at(root, row->path, row->flags, scope);
	} while ((fd == -EAGAIN || fd == -ELOOP) && strcmp(error_name(-fd), want) != 0 &&
		 --attempts > 0);
	return fd;
}

static int is_wrong(int root, const struct row *row, enum resolve_scope scope, const char *want)
{
	struct stat stat;
	int descriptors = next_descriptor();
	bool there = want[0] == '+' && fstatat(root, want + 1, &stat, AT_SYMLINK_NOFOLLOW) == 0;
	int fd = open_in_the_end(root, row, scope, want);
	bool right = fd < 0 ? strcmp(error_name(-fd), want) == 0 : is_wanted(root, fd, want);

	if (fd >= 0)
		close(fd);
	if (right && !there && next_descriptor() == descriptors && is_outside_untouched())
		return 0;
	fprintf(stderr, "# \"%.60s\" flags %#o, %s, backend %d: %s, wanted %s%s\n", row->path,
		(unsigned int)row->flags, scope == RESOLVE_BELOW ? "below" : "inside", backend,
		fd < 0 ? error_name(-fd) : "a descriptor", want,
		next_descriptor() != descriptors ? ", a descriptor is left open" : "");
	return 1;
}

static int wrong_rows_of(int root, const struct row *rows, size_t count)
{
	int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		const char *inside = rows[i].inside ? rows[i].inside : rows[i].below;

		wrong += is_wrong(root, &rows[i], RESOLVE_BELOW, rows[i].below);
		wrong += is_wrong(root, &rows[i], RESOLVE_INSIDE, inside);
	}
	return wrong;
}

static int wrong_rows(const struct row *rows, size_t count)
{
	return wrong_rows_of(root_fd, rows, count);
}

/* Runs FUNCTION in a child, perhaps as an ordinary user. Returns what it does: the number of wrong
 * rows, of which 100 are enough, or CANNOT. */
static int in_child(int (*function)(void *), void *argument, bool as_nobody)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int wrong = CANNOT;

		if (!as_nobody || getuid() != 0 || setresuid(NOBODY, NOBODY, NOBODY) == 0)
			wrong = function(argument);
		fflush(NULL);
		_exit(wrong > 100 && wrong != CANNOT ? 100 : wrong);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

/* --- Paths ----------------------------------------------------------------------------------- */

static void test_paths(void **state)
{
	static const struct row rows[] = {
		{ "", O_RDONLY, "=.", NULL },
		{ "", O_PATH, "=.", NULL },
		{ "", O_RDWR, "EISDIR", NULL },
		{ ".", O_RDONLY | O_DIRECTORY, "=.", NULL },
		{ "./.", O_PATH | O_NOFOLLOW, "=.", NULL },
		{ ".", O_WRONLY, "EISDIR", NULL },
		{ ".", CREATE, "EISDIR", NULL },
		{ ".", EXCLUSIVE, "EEXIST", NULL },
		{ "file", O_RDONLY, "=file", NULL },
		{ "file", O_RDWR, "=file", NULL },
		{ "file", O_PATH, "=file", NULL },
		{ "file", O_DIRECTORY, "ENOTDIR", NULL },
		{ "./file", O_RDONLY, "=file", NULL },
		{ "dir", O_RDONLY, "=dir", NULL },
		{ "dir", O_WRONLY, "EISDIR", NULL },
		{ "dir//sub///leaf", O_RDONLY, "=dir/sub/leaf", NULL },
		{ "dir/./sub/../sub/leaf", O_RDONLY, "=dir/sub/leaf", NULL },
		{ "dir/sub/../../file", O_RDONLY, "=file", NULL },
		{ "dir/..", O_RDONLY, "=.", NULL },
		{ "dir/sub/..", O_PATH, "=dir", NULL },
		{ "dir/sub/../", O_PATH, "=dir", NULL },
		{ "dir/sub/../.", O_WRONLY, "EISDIR", NULL },
		{ "dir/sub/..", CREATE, "EISDIR", NULL },
		{ "dir/sub/..", EXCLUSIVE, "EEXIST", NULL },
		{ "missing", O_RDONLY, "ENOENT", NULL },
		{ "missing/file", O_RDONLY, "ENOENT", NULL },
		{ "missing/file", CREATE, "ENOENT", NULL },
		{ "missing/..", O_PATH, "ENOENT", NULL },
		{ "file/x", O_RDONLY, "ENOTDIR", NULL },
		{ "file/..", O_PATH, "ENOTDIR", NULL },
		{ "file/.", O_PATH, "ENOTDIR", NULL },
		{ "fifo/x", O_PATH, "ENOTDIR", NULL },
		{ "fifo", O_PATH, "=fifo", NULL },
		{ "fifo", O_RDONLY | O_NONBLOCK, "=fifo", NULL },
		{ "fifo", O_WRONLY | O_NONBLOCK, "ENXIO", NULL },
	};

	(void)state;
	ROWS(rows);
}

static void test_escapes(void **state)
{
	static const struct row rows[] = {
		{ "..", O_PATH, "EXDEV", "=." },
		{ "../", O_PATH, "EXDEV", "=." },
		{ "../../..", O_RDONLY, "EXDEV", "=." },
		{ "../root/file", O_RDONLY, "EXDEV", "ENOENT" },
		{ "../file", O_RDONLY, "EXDEV", "=file" },
		{ "dir/../../out/secret", O_RDONLY, "EXDEV", "ENOENT" },
		{ "dir/sub/../../..", O_PATH, "EXDEV", "=." },
		{ "/", O_PATH, "EXDEV", "=." },
		{ "///", O_RDONLY, "EXDEV", "=." },
		{ "/", CREATE, "EXDEV", "EISDIR" },
		{ "/", EXCLUSIVE, "EXDEV", "EEXIST" },
		{ "/file", O_RDONLY, "EXDEV", "=file" },
		{ "//dir//file", O_RDONLY, "EXDEV", "=dir/file" },
		{ "/../dir/../file", O_RDONLY, "EXDEV", "=file" },
		{ "abs", O_PATH, "EXDEV", "=dir" },
		{ "abs/file", O_RDONLY, "EXDEV", "=dir/file" },
		{ "abs/..", O_PATH, "EXDEV", "=." },
		{ "dir/sub/../../abs/../file", O_PATH, "EXDEV", "=file" },
		{ "slash", O_RDONLY, "EXDEV", "=." },
		{ "slash/", O_RDONLY, "EXDEV", "=." },
		{ "slash", CREATE, "EXDEV", "EISDIR" },
		{ "slash/..", O_RDONLY, "EXDEV", "=." },
		{ "dir/up/slash/file", O_RDONLY, "EXDEV", "=file" },
		{ "slashes", O_RDONLY, "EXDEV", "=dir/sub" },
		{ "slashes/leaf", O_RDONLY, "EXDEV", "=dir/sub/leaf" },
		{ "abs-real/file", O_RDONLY, "EXDEV", "ENOENT" },
		{ "to-out", O_PATH, "EXDEV", "ENOENT" },
		{ "to-out/secret", O_RDONLY, "EXDEV", "ENOENT" },
		{ "out-file", O_RDONLY, "EXDEV", "ENOENT" },
		{ "out-abs", O_RDONLY, "EXDEV", "ENOENT" },
		{ "out-later/secret", O_RDONLY, "EXDEV", "ENOENT" },
		{ "out-in/file", O_RDONLY, "EXDEV", "ENOENT" },
		{ "up", O_PATH, "EXDEV", "=." },
		{ "up/file", O_RDONLY, "EXDEV", "=file" },
		{ "dir/up", O_PATH, "=.", NULL },
		{ "dir/up/up", O_PATH, "EXDEV", "=." },
		/* What is no escape is found first. */
		{ "missing/../..", O_PATH, "ENOENT", NULL },
		{ "file/../..", O_PATH, "ENOTDIR", NULL },
	};

	(void)state;
	ROWS(rows);
}

/* Everything that leads out, opened in every way: is_wrong() looks at the outside each time. */
static void test_escapes_for_writing(void **state)
{
	static const char *const paths[] = { "to-out/secret",  "out-file",
					     "out-abs",        "out-later/secret",
					     "../out/secret",  "to-out/new",
					     "../out/new",     "dangling-out",
					     "to-out/dir/new", "dir/../to-out/secret" };
	static const int flags[] = { O_RDONLY,
				     O_PATH,
				     O_WRONLY,
				     O_RDWR | O_TRUNC,
				     O_WRONLY | O_APPEND,
				     CREATE,
				     CREATE | O_TRUNC,
				     O_TMPFILE | O_WRONLY };
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		for (size_t k = 0; k < COUNT(flags); k++) {
			const struct row row = { paths[i], flags[k], "EXDEV", "ENOENT" };

			wrong += is_wrong(root_fd, &row, RESOLVE_BELOW, row.below);
			/* Links to a name that is missing in the root are made there, inside. */
			if (!(flags[k] & O_CREAT))
				wrong += is_wrong(root_fd, &row, RESOLVE_INSIDE, row.inside);
		}
	assert_int_equal(wrong, 0);
}

static void test_links(void **state)
{
	static const struct row rows[] = {
		{ "rel", O_RDONLY, "=dir/sub", NULL },
		{ "rel/leaf", O_RDONLY, "=dir/sub/leaf", NULL },
		{ "rel-2//leaf", O_RDONLY, "=dir/sub/leaf", NULL },
		{ "rel/..", O_RDONLY, "=dir", NULL },
		{ "rel/../file", O_RDONLY, "=dir/file", NULL },
		{ "up-down/leaf", O_RDONLY, "=dir/sub/leaf", NULL },
		{ "dir/up/rel-2/../up/file", O_RDONLY, "=file", NULL },
		{ "to-file", O_RDONLY, "=file", NULL },
		{ "to-file", O_RDWR | O_APPEND, "=file", NULL },
		{ "to-file", O_PATH, "=file", NULL },
		{ "to-file", O_DIRECTORY, "ENOTDIR", NULL },
		{ "to-file/x", O_RDONLY, "ENOTDIR", NULL },
		{ "to-file/..", O_RDONLY, "ENOTDIR", NULL },
		{ "to-file-dot", O_PATH, "ENOTDIR", NULL },
		{ "to-fifo", O_PATH, "=fifo", NULL },
		{ "to-fifo", O_RDONLY | O_NONBLOCK, "=fifo", NULL },
		{ "dangling", O_RDONLY, "ENOENT", NULL },
		{ "dangling", O_PATH, "ENOENT", NULL },
		{ "dangling/x", O_PATH, "ENOENT", NULL },
		{ "loop", O_RDONLY, "ELOOP", NULL },
		{ "loop/x", O_PATH, "ELOOP", NULL },
		{ "ping", CREATE, "ELOOP", NULL },
		{ "growing", O_PATH, "ELOOP", NULL },
		{ "link-40", O_RDONLY, "=file", NULL },
		{ "link-40", O_PATH, "=file", NULL },
		{ "link-41", O_RDONLY, "ELOOP", NULL },
		{ "link-41", O_PATH, "ELOOP", NULL },
		{ "link-41", CREATE, "ELOOP", NULL },
		{ "dir/up/link-39", O_RDONLY, "=file", NULL },
		{ "dir/up/link-40", O_RDONLY, "ELOOP", NULL },
		/* The link itself. */
		{ "to-file", O_RDONLY | O_NOFOLLOW, "ELOOP", NULL },
		{ "rel", O_RDONLY | O_NOFOLLOW, "ELOOP", NULL },
		{ "rel", O_DIRECTORY | O_NOFOLLOW, "ENOTDIR", NULL },
		{ "rel", O_PATH | O_DIRECTORY | O_NOFOLLOW, "ENOTDIR", NULL },
		{ "rel", O_PATH | O_NOFOLLOW, "=rel", NULL },
		{ "rel/leaf", O_RDONLY | O_NOFOLLOW, "=dir/sub/leaf", NULL },
		{ "abs", O_PATH | O_NOFOLLOW, "=abs", NULL },
		{ "to-out", O_PATH | O_NOFOLLOW, "=to-out", NULL },
		{ "out-abs", O_PATH | O_NOFOLLOW, "=out-abs", NULL },
		{ "dangling", O_PATH | O_NOFOLLOW, "=dangling", NULL },
		{ "loop", O_PATH | O_NOFOLLOW, "=loop", NULL },
		{ "rel/../up", O_PATH | O_NOFOLLOW, "=dir/up", NULL },
		{ "to-out", O_RDONLY | O_NOFOLLOW, "ELOOP", NULL },
	};

	(void)state;
	ROWS(rows);
}

static void test_creating(void **state)
{
	static const struct row rows[] = {
		{ "new", CREATE, "+new", NULL },
		{ "new", EXCLUSIVE, "+new", NULL },
		{ "new", CREATE | O_NOFOLLOW, "+new", NULL },
		{ "dir/sub/new", O_RDONLY | O_CREAT, "+dir/sub/new", NULL },
		{ "rel/../new", EXCLUSIVE, "+dir/new", NULL },
		{ "/new", CREATE, "EXDEV", "+new" },
		{ "../new", CREATE, "EXDEV", "+new" },
		{ "file", CREATE, "=file", NULL },
		{ "file", CREATE | O_EXCL, "EEXIST", NULL },
		{ "file/new", CREATE, "ENOTDIR", NULL },
		{ "dir", CREATE, "EISDIR", NULL },
		{ "dir", EXCLUSIVE, "EEXIST", NULL },
		/* Links: to what is there, and to where something can be made. */
		{ "to-file", CREATE, "=file", NULL },
		{ "to-file", EXCLUSIVE, "EEXIST", NULL },
		{ "to-file", CREATE | O_NOFOLLOW, "ELOOP", NULL },
		{ "rel", CREATE, "EISDIR", NULL },
		{ "dangling", CREATE, "+missing", NULL },
		{ "dangling", EXCLUSIVE, "EEXIST", NULL },
		{ "dangling", CREATE | O_NOFOLLOW, "ELOOP", NULL },
		{ "dangling-deep", CREATE, "+dir/new", NULL },
		{ "dangling-2", CREATE, "+dir/new", NULL },
		{ "dangling-far", CREATE, "ENOENT", NULL },
		{ "dangling-abs", CREATE, "EXDEV", "+dir/new" },
		{ "dangling-abs", EXCLUSIVE, "EEXIST", NULL },
		{ "dangling-out", CREATE, "EXDEV", "ENOENT" },
		{ "dangling-out", EXCLUSIVE, "EEXIST", NULL },
	};

	(void)state;
	ROWS(rows);
}

static void test_slashes(void **state)
{
	static const struct row rows[] = {
		{ "dir/", O_RDONLY, "=dir", NULL },
		{ "dir///", O_PATH, "=dir", NULL },
		{ "dir/", O_WRONLY, "EISDIR", NULL },
		{ "file/", O_RDONLY, "ENOTDIR", NULL },
		{ "file/", O_WRONLY, "ENOTDIR", NULL },
		{ "file//", O_PATH, "ENOTDIR", NULL },
		{ "missing/", O_PATH, "ENOENT", NULL },
		{ "fifo/", O_RDONLY, "ENOTDIR", NULL },
		/* Behind a link they ask for what it leads to. */
		{ "rel/", O_RDONLY, "=dir/sub", NULL },
		{ "rel/", O_RDONLY | O_NOFOLLOW, "=dir/sub", NULL },
		{ "rel-2/", O_PATH | O_NOFOLLOW, "=dir/sub", NULL },
		{ "to-file/", O_RDONLY, "ENOTDIR", NULL },
		{ "to-file/", O_PATH | O_NOFOLLOW, "ENOTDIR", NULL },
		{ "to-file-slash", O_RDONLY, "ENOTDIR", NULL },
		{ "to-file-slash", O_PATH, "ENOTDIR", NULL },
		{ "to-dir-slash", O_RDONLY, "=dir", NULL },
		{ "to-dir-slash", O_PATH | O_NOFOLLOW, "=to-dir-slash", NULL },
		{ "to-dir-slash//", O_PATH | O_NOFOLLOW, "=dir", NULL },
		{ "dangling-slash", O_PATH, "ENOENT", NULL },
		{ "loop/", O_PATH | O_NOFOLLOW, "ELOOP", NULL },
		/* Nothing made by open(2) is a directory. */
		{ "new/", CREATE, "EISDIR", NULL },
		{ "new/", EXCLUSIVE, "EISDIR", NULL },
		{ "file/", CREATE, "EISDIR", NULL },
		{ "dir/", EXCLUSIVE, "EISDIR", NULL },
		{ "rel/", CREATE, "EISDIR", NULL },
		{ "dangling/", CREATE, "EISDIR", NULL },
		{ "dangling-slash", CREATE, "EISDIR", NULL },
		{ "to-dir-slash", CREATE, "EISDIR", NULL },
		{ "to-dir-slash", EXCLUSIVE, "EEXIST", NULL },
		{ "to-out/", CREATE, "EISDIR", NULL },
	};

	(void)state;
	ROWS(rows);
}

static void test_flags(void **state)
{
	static const struct row rows[] = {
		{ "file", O_PATH | O_RDWR, "EINVAL", NULL },
		{ "file", O_PATH | O_TRUNC, "EINVAL", NULL },
		{ "new", O_PATH | O_CREAT, "EINVAL", NULL },
		{ "dir", O_DIRECTORY | O_CREAT, "EINVAL", NULL },
		{ "dir", O_TMPFILE, "EINVAL", NULL },
		{ "dir", O_TMPFILE | O_WRONLY | O_CREAT, "EINVAL", NULL },
		{ "dir", (O_TMPFILE & ~O_DIRECTORY) | O_WRONLY, "EINVAL", NULL },
		{ "dir", O_TMPFILE | O_PATH, "EINVAL", NULL },
		{ "file", 1 << 30, "EINVAL", NULL },
		{ "file", INT_MIN, "EINVAL", NULL },
		/* That comes before the path. */
		{ "/..", O_PATH | O_RDWR, "EINVAL", NULL },
		{ "file", O_RDONLY | O_EXCL, "=file", NULL },
		{ "to-file", O_RDONLY | O_EXCL, "=file", NULL },
		{ "file", O_RDONLY | O_SYNC | O_NOCTTY | O_NOATIME | O_ASYNC, "=file", NULL },
		{ "file", O_PATH | KERNEL_LARGEFILE, "EINVAL", NULL },
		{ "file", O_RDONLY | KERNEL_LARGEFILE, "=file", NULL },
	};
	static const struct {
		int flags;
		mode_t mode;
	} modes[] = { { O_RDONLY, 0600 },
		      { O_PATH, 1 },
		      { CREATE, 010000 },
		      { CREATE, S_IFREG | 0600 },
		      { O_TMPFILE | O_WRONLY, 0100600 } };

	(void)state;
	ROWS(rows);
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct resolver resolver = { root_fd, backend };

		assert_int_equal(resolve_open(&resolver, "dir", modes[i].flags, modes[i].mode,
					      RESOLVE_BELOW),
				 -EINVAL);
	}
}

static void test_mode(void **state)
{
	struct resolver resolver = { root_fd, backend };
	struct stat stat;
	int fd = resolve_open(&resolver, "rel/new", CREATE, 07777, RESOLVE_BELOW);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &stat), 0);
	assert_int_equal(stat.st_mode, S_IFREG | 07755);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY);
	assert_int_equal(unlinkat(root_fd, "dir/sub/new", 0), 0);
	close(fd);
}

static void test_unnamed_files(void **state)
{
	static const struct row rows[] = {
		{ "file", O_TMPFILE | O_RDWR, "ENOTDIR", NULL },
		{ "to-file", O_TMPFILE | O_RDWR, "ENOTDIR", NULL },
		{ "missing", O_TMPFILE | O_RDWR, "ENOENT", NULL },
		{ "to-out", O_TMPFILE | O_RDWR, "EXDEV", "ENOENT" },
		{ "rel", O_TMPFILE | O_RDWR | O_NOFOLLOW, "ENOTDIR", NULL },
	};
	static const char *const paths[][2] = { { "dir/sub", "dir/sub" }, { "dir/sub/", "dir/sub" },
						{ "rel", "dir/sub" },     { "rel-2/.", "dir/sub" },
						{ "dir/..", "" },         { "", "" } };
	char link[32], name[PATH_MAX], wanted[2 * PATH_MAX];

	(void)state;
	ROWS(rows);
	for (size_t i = 0; i < COUNT(paths); i++) {
		int fd = open_at(root_fd, paths[i][0], O_TMPFILE | O_RDWR, RESOLVE_BELOW);
		struct stat stat;
		ssize_t length;

		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &stat), 0);
		assert_int_equal(stat.st_mode, S_IFREG | MODE);
		assert_int_equal(stat.st_nlink, 0);
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, name, sizeof(name) - 1);
		assert_true(length > 0);
		name[length] = '\0';
		*strrchr(name, '/') = '\0';
		snprintf(wanted, sizeof(wanted), "%s/root%s%s", top, paths[i][1][0] ? "/" : "",
			 paths[i][1]);
		assert_string_equal(name, wanted);
		close(fd);
	}
}

static void test_long_names(void **state)
{
	static char slashes[PATH_MAX + 16], names[2 * PATH_MAX];
	const struct row rows[] = {
		{ NAME_OF_255, O_PATH, "=" NAME_OF_255, NULL },
		{ NAME_OF_255 "/..", O_PATH, "=.", NULL },
		{ NAME_OF_255 "x", O_PATH, "ENAMETOOLONG", NULL },
		{ NAME_OF_255 "x", CREATE, "ENAMETOOLONG", NULL },
		{ NAME_OF_255 "x/", CREATE, "EISDIR", NULL },
		{ "dir/" NAME_OF_255 "x/y", O_PATH, "ENAMETOOLONG", NULL },
		{ "missing/" NAME_OF_255 "x", O_PATH, "ENOENT", NULL },
		{ names, O_PATH, "ENAMETOOLONG", NULL },
		{ slashes + 1, O_PATH, "ENAMETOOLONG", NULL },
		{ slashes + 2, O_PATH, "=dir", NULL },
		{ slashes, O_PATH, "ENAMETOOLONG", NULL },
	};

	(void)state;
	memset(names, 'n', sizeof(names) - 1);
	memset(slashes, '/', sizeof(slashes));
	memcpy(slashes + 1, "./", 2);
	memcpy(slashes + 2, ".", 1);
	strcpy(slashes + PATH_MAX - 2, "dir"); /* slashes + 2 is PATH_MAX - 1 bytes long */
	assert_int_equal(strlen(slashes + 2), PATH_MAX - 1);
	ROWS(rows);
}

/* NAME, then "/." to a length of SIZE bytes, then the END. */
static const char *padded(const char *name, size_t size, const char *end)
{
	static char texts[8][PATH_MAX];
	static unsigned int next;
	char *text = texts[next++ % COUNT(texts)], *p = stpcpy(text, name);

	while ((size_t)(p - text) + 2 + strlen(end) <= size)
		p = stpcpy(p, "/.");
	strcpy(p, end);
	return text;
}

/* Texts of links may add up to more than a path may have; how much more, is the walk's affair. */
static void test_long_links(void **state)
{
	static const char *const links[] = { "wide-1", "wide-2", "wide-3", "dir" };
	const struct row rows[] = {
		{ padded("wide-3", PATH_MAX - 1, "/sub/leaf"), O_PATH, "=dir/sub/leaf", NULL },
		{ padded("wide-2", PATH_MAX - 1, "/sub/leaf"), O_PATH, "=dir/sub/leaf", NULL },
		{ padded("wide-1", PATH_MAX - 1, "/sub/leaf"), O_PATH,
		  is_walk() ? "ENAMETOOLONG" : "=dir/sub/leaf", NULL },
	};
	int wrong;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(symlinkat(padded(links[i + 1], 4080, ""), root_fd, links[i]), 0);
	wrong = wrong_rows(rows, COUNT(rows));
	for (int i = 0; i < 3; i++)
		assert_int_equal(unlinkat(root_fd, links[i], 0), 0);
	assert_int_equal(wrong, 0);
}

/* --- Permissions ----------------------------------------------------------------------------- */

static int permission_rows(void *unused)
{
	static const struct row rows[] = {
		{ "search", O_PATH, "=search", NULL },
		{ "search", O_RDONLY, "EACCES", NULL },
		{ "search/file", O_RDONLY, "=search/file", NULL },
		{ "search/dir/../file", O_RDONLY, "=search/file", NULL },
		{ "search/..", O_RDONLY, "=.", NULL },
		{ "search/missing", O_PATH, "ENOENT", NULL },
		{ "closed", O_PATH, "=closed", NULL },
		{ "closed/", O_PATH, "=closed", NULL },
		{ "closed/.", O_PATH, "EACCES", NULL },
		{ "closed/..", O_PATH, "EACCES", NULL },
		{ "closed/../file", O_PATH, "EACCES", NULL },
		{ "closed/../..", O_PATH, "EACCES", NULL },
		{ "closed/file", O_PATH, "EACCES", NULL },
		{ "closed/missing", O_PATH, "EACCES", NULL },
		{ "closed/new", CREATE, "EACCES", NULL },
		{ "closed/new/", CREATE, "EACCES", NULL },
		{ "to-closed", O_PATH, "EACCES", NULL },
		{ "to-closed", CREATE, "EACCES", NULL },
		{ "readable", O_RDONLY, "=readable", NULL },
		{ "readable/", O_RDONLY, "=readable", NULL },
		{ "readable/.", O_RDONLY, "EACCES", NULL },
		{ "readable/file", O_PATH, "EACCES", NULL },
		{ "private", O_PATH, "=private", NULL },
		{ "private", O_RDONLY, "EACCES", NULL },
		{ "private", O_WRONLY, "EACCES", NULL },
		{ "private/x", O_PATH, "ENOTDIR", NULL },
	};

	(void)unused;
	return wrong_rows(rows, COUNT(rows));
}

static void skip_without_root(const char *why)
{
	if (getuid() == 0)
		return;
	fprintf(stderr, "# %s\n", why);
	skip();
}

static void test_permissions(void **state)
{
	(void)state;
	assert_int_equal(in_child(permission_rows, NULL, true), 0);
}

/* A root that may not be searched: the real EACCES must not be taken for a blocked openat2. */
static int unsearchable_rows(void *unused)
{
	static const struct row rows[] = {
		{ "", O_PATH, "EACCES", NULL },
		{ "file", O_PATH, "EACCES", NULL },
		{ "..", O_PATH, "EACCES", NULL },
		{ "new", CREATE, "EACCES", NULL },
	};
	struct resolver resolver = { .root = openat(root_fd, "closed", O_PATH | O_CLOEXEC),
				     .backend = RESOLVE_AUTO };
	int wrong = wrong_rows_of(resolver.root, rows, COUNT(rows));

	(void)unused;
	if (resolve_open(&resolver, "file", O_PATH, 0, RESOLVE_BELOW) != -EACCES)
		wrong++;
	if (!no_openat2 && resolver.backend != RESOLVE_AUTO)
		wrong++;
	return wrong;
}

static void test_unsearchable_root(void **state)
{
	(void)state;
	assert_int_equal(in_child(unsearchable_rows, NULL, true), 0);
}

static int sticky_rows(void *unused)
{
	static struct row rows[] = {
		{ "owner-s", O_PATH, "=file", NULL },
		{ "followers", O_PATH, "=file", NULL },
		{ "others/x", O_PATH, "ENOTDIR", NULL },
		{ "others", O_PATH | O_NOFOLLOW, "=others", NULL },
		{ "others", O_PATH, "EACCES", NULL },
		{ "others", CREATE, "EACCES", NULL },
		{ "others/", O_PATH, "EACCES", NULL },
	};

	(void)unused;
	return wrong_rows_of(openat(root_fd, "sticky", O_PATH | O_CLOEXEC), rows, COUNT(rows));
}

static bool are_links_protected(void)
{
	int fd = open("/proc/sys/fs/protected_symlinks", O_RDONLY | O_CLOEXEC);
	char value = '0';
	bool known = fd >= 0 && read(fd, &value, 1) == 1;

	close(fd);
	return known && value == '1';
}

static void test_links_in_sticky_directories(void **state)
{
	static const struct {
		const char *name;
		uid_t owner;
	} links[] = { { "owner-s", 1 }, { "followers", NOBODY }, { "others", NOBODY + 1 } };
	static const struct row strangers = { "sticky/owner-s", O_PATH, "EACCES", NULL };
	char name[32];
	int wrong;

	(void)state;
	skip_without_root("only root can give links away");
	/* Of the backends only the walk is sure to protect them. */
	if (!is_walk() && !are_links_protected())
		return;
	make_dir(root_fd, "sticky");
	make_file(root_fd, "sticky/file");
	for (size_t i = 0; i < COUNT(links); i++) {
		snprintf(name, sizeof(name), "sticky/%s", links[i].name);
		assert_int_equal(symlinkat("file", root_fd, name), 0);
		assert_int_equal(fchownat(root_fd, name, links[i].owner, 0, AT_SYMLINK_NOFOLLOW),
				 0);
	}
	assert_int_equal(fchownat(root_fd, "sticky", 1, 0, 0), 0);
	assert_int_equal(fchmodat(root_fd, "sticky", 01777, 0), 0);
	wrong = in_child(sticky_rows, NULL, true);
	/* Whom the user namespace does not know, both may be different users. */
	assert_int_equal(fchownat(root_fd, "sticky", 65534, 0, 0), 0);
	assert_int_equal(fchownat(root_fd, "sticky/owner-s", 65534, 0, AT_SYMLINK_NOFOLLOW), 0);
	if (is_walk())
		wrong += is_wrong(root_fd, &strangers, RESOLVE_BELOW, strangers.below);
	remove_below(root_fd, "sticky");
	assert_int_equal(wrong, 0);
}

/* --- Roots, procfs, mounts ------------------------------------------------------------------- */

static void test_roots(void **state)
{
	static const struct row file_rows[] = {
		{ "", O_PATH, "ENOTDIR", NULL },     { "x", O_PATH, "ENOTDIR", NULL },
		{ "..", O_PATH, "ENOTDIR", NULL },   { "new", CREATE, "ENOTDIR", NULL },
		{ "/", O_PATH, "EXDEV", "ENOTDIR" },
	};
	static const struct row closed_rows[] = { { "", O_PATH, "EBADF", NULL },
						  { "x/y", O_PATH, "EBADF", NULL },
						  { "/", O_PATH, "EXDEV", "EBADF" } };
	static const struct row readable_rows[] = { { "..", O_PATH, "EXDEV", "=." },
						    { "sub/..", O_RDONLY, "=.", NULL },
						    { "up", O_PATH, "EXDEV", "=." },
						    { "sub/leaf", O_RDONLY, "=sub/leaf", NULL } };
	int file = openat(root_fd, "file", O_PATH | O_CLOEXEC);
	int readable = openat(root_fd, "dir", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(wrong_rows_of(file, file_rows, COUNT(file_rows)), 0);
	assert_int_equal(wrong_rows_of(-1, closed_rows, COUNT(closed_rows)), 0);
	assert_int_equal(wrong_rows_of(readable, readable_rows, COUNT(readable_rows)), 0);
	close(file);
	close(readable);
}

/* Links that are what they say, like /proc/self, are followed, magic ones never. */
static void test_procfs(void **state)
{
	static const struct row rows[] = {
		{ "self", O_PATH | O_NOFOLLOW, "=self", NULL },
		{ "self/fd/0", O_PATH, "ELOOP", NULL },
		{ "self/fd/0", O_PATH | O_NOFOLLOW, "=self/fd/0", NULL },
		{ "self/fd/0", O_RDONLY, "ELOOP", NULL },
		{ "self/fd/0", CREATE, "ELOOP", NULL },
		{ "self/fd/0/", O_PATH, "ELOOP", NULL },
		{ "self/fd/0/x", O_PATH, "ELOOP", NULL },
		{ "self/fd/100", O_PATH, "ELOOP", NULL },
		{ "self/root", O_PATH, "ELOOP", NULL },
		{ "self/root/etc", O_PATH, "ELOOP", NULL },
		{ "self/cwd", O_PATH, "ELOOP", NULL },
		{ "self/exe", O_PATH, "ELOOP", NULL },
		{ "self/ns/mnt", O_PATH, "ELOOP", NULL },
		{ "self/../thread-self/../../exe", O_PATH, "ELOOP", NULL },
		{ "thread-self/fd/0", O_PATH, "ELOOP", NULL },
		{ "self/task/..", O_PATH, "=self/task/..", NULL },
		{ "self/status", O_RDONLY, "=self/status", NULL },
		{ "thread-self/status", O_RDONLY, "=thread-self/status", NULL },
		{ "mounts", O_RDONLY, "=self/mounts", NULL },
		{ "net", O_RDONLY, "=self/net", NULL },
		{ "../self/fd", O_PATH, "EXDEV", "=self/fd" },
	};
	/* Links in "fd" say that they are 64 bytes long; this one is. */
	char name[65];
	int named, proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	memset(name, 'n', 64);
	name[sprintf(name, "%.40s/root/", top)] = 'n';
	name[64] = '\0';
	named = open(name, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(strlen(name), 64);
	assert_int_equal(dup2(named, 100), 100);
	assert_int_equal(wrong_rows_of(proc, rows, COUNT(rows)), 0);
	unlink(name);
	close(proc);
	close(named);
	close(100);
}

static int mount_rows(void *unused)
{
	static const struct row rows[] = {
		{ "dir/x", O_RDONLY, "=dir/x", NULL },    { "dir/..", O_PATH, "=.", NULL },
		{ "dir/../file", O_PATH, "=file", NULL }, { "dir/link", O_PATH, "=dir/x", NULL },
		{ "dir/out", O_PATH, "=file", NULL },     { "dir/..", O_PATH, "=.", NULL },
		{ "dir/new", CREATE, "+dir/new", NULL },  { "dir/sub", O_PATH, "ENOENT", NULL },
	};
	static const struct row nofollow_rows[] = {
		{ "dir/link", O_PATH, "ELOOP", NULL },
		{ "dir/link", O_PATH | O_NOFOLLOW, "=dir/link", NULL },
		{ "dir/up/file", O_PATH, "ELOOP", NULL },
		{ "dir/out", O_PATH, "ELOOP", NULL },
	};
	/* From below the mount, which openat2 enters on its way back. */
	const struct row covered_rows[] = {
		{ "sub/..", O_PATH, is_walk() ? "=." : "=sub/..", NULL },
		{ "sub/leaf", O_PATH, "=sub/leaf", NULL },
	};
	int covered;
	char dir[PATH_MAX + 16];

	(void)unused;
	snprintf(dir, sizeof(dir), "%s/root/dir", top);
	if (unshare(CLONE_NEWNS) != 0 || sys_mount("none", "/", NULL, MS_REC | MS_PRIVATE) != 0)
		return CANNOT;
	covered = open(dir, O_PATH | O_CLOEXEC);
	if (sys_mount("none", dir, "tmpfs", 0) != 0)
		return CANNOT;
	/* The old descriptor is of the mounts before unshare(). */
	root_fd = openat(AT_FDCWD, dir, O_PATH | O_CLOEXEC);
	root_fd = openat(root_fd, "..", O_PATH | O_CLOEXEC);
	make_file(root_fd, "dir/x");
	symlinkat("x", root_fd, "dir/link");
	symlinkat("../file", root_fd, "dir/out");
	symlinkat("..", root_fd, "dir/up");
	if (wrong_rows(rows, COUNT(rows)) + wrong_rows_of(covered, covered_rows, 2) != 0)
		return 1;
	if (sys_mount("none", dir, NULL, MS_REMOUNT | MS_NOSYMFOLLOW) != 0)
		return CANNOT;
	return wrong_rows(nofollow_rows, COUNT(nofollow_rows));
}

static void test_mounts(void **state)
{
	int wrong;

	(void)state;
	skip_without_root("only root can mount");
	wrong = in_child(mount_rows, NULL, false);
	if (wrong == CANNOT) {
		fprintf(stderr, "# mounting is impossible here, or MS_NOSYMFOLLOW\n");
		skip();
	}
	assert_int_equal(wrong, 0);
}

/* --- Depth ----------------------------------------------------------------------------------- */

/* A path of COUNT times the PIECE, which ends in a slash, then of UP times "../", then the END. */
static const char *deep(const char *piece, int count, int up, const char *end)
{
	static char paths[32][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % COUNT(paths)], *p = path;

	for (int i = 0; i < count; i++)
		p = stpcpy(p, piece);
	for (int i = 0; i < up; i++)
		p = stpcpy(p, "../");
	strcpy(p, end);
	return path;
}

#define DEPTH 600

static int deep_rows(void *unused)
{
	const struct rlimit limit = { 40, 40 };
	const struct row rows[] = {
		{ deep("d/", DEPTH, 0, "."), O_PATH, deep("=", 1, 0, deep("d/", DEPTH, 0, "")),
		  NULL },
		{ deep("d/", 15, 15, "file"), O_PATH, "=file", NULL },
		{ deep("d/", 16, 16, "file"), O_PATH, "=file", NULL },
		{ deep("d/", 17, 17, "file"), O_PATH, "=file", NULL },
		{ deep("d/", 40, 41, "file"), O_PATH, "EXDEV", "=file" },
		{ deep("d/", DEPTH, DEPTH, "file"), O_PATH, "=file", NULL },
	};
	const struct row more_rows[] = {
		{ deep("d/", 33, 32, ""), O_PATH, "=d", NULL },
		{ deep("d/", 50, 30, "new"), CREATE, deep("+", 1, 0, deep("d/", 20, 0, "new")),
		  NULL },
		{ deep("d/", 50, 50, deep("d/", 50, 50, "file")), O_PATH, "=file", NULL },
		{ deep("d/", 20, 1, deep("d/", 3, 22, "file")), O_PATH, "=file", NULL },
	};

	(void)unused;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return CANNOT;
	return wrong_rows(rows, COUNT(rows)) + wrong_rows(more_rows, COUNT(more_rows));
}

static void test_deep_paths(void **state)
{
	int fd = dup(root_fd), wrong;

	(void)state;
	for (int i = 0; i < DEPTH; i++) {
		int next;

		make_dir(fd, "d");
		next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
	wrong = in_child(deep_rows, NULL, false);
	remove_below(root_fd, "d");
	assert_int_equal(wrong, 0);
}

/*
 * Links may lead to where no path is long enough: three times a dozen long names. The walk returns from
 * there as far as it holds directories open.
 */
static void test_deep_links(void **state)
{
	const char *up_15 = deep("down/more/more/", 1, 15, "");
	const char *up_16 = deep("down/more/more/", 1, 16, "");
	const struct row rows[] = {
		{ "down/more/more", O_DIRECTORY, "=down/more/more/.", NULL },
		{ up_15, O_PATH, deep("=", 1, 0, up_15), NULL },
		{ up_16, O_PATH, is_walk() ? "ENAMETOOLONG" : deep("=", 1, 0, up_16), NULL },
		{ deep("down/more/", 1, 24, "file"), O_PATH, "=file", NULL },
	};
	const char *text = deep(NAME_OF_255 "/", 12, 0, "");
	int fd = dup(root_fd), wrong;

	(void)state;
	for (int i = 0; i < 36; i++) {
		int next;

		if (i % 12 == 0)
			assert_int_equal(symlinkat(text, fd, i == 0 ? "down" : "more"), 0);
		if (i > 0)
			make_dir(fd, NAME_OF_255);
		next = openat(fd, NAME_OF_255, O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
	wrong = wrong_rows(rows, COUNT(rows));
	unlinkat(root_fd, "down", 0);
	remove_below(root_fd, NAME_OF_255);
	make_dir(root_fd, NAME_OF_255);
	assert_int_equal(wrong, 0);
}

/* --- Renames meanwhile ----------------------------------------------------------------------- */

static void rename_for_ever(void)
{
	for (;;) {
		renameat(root_fd, "a", top_fd, "out/a");
		renameat(top_fd, "out/a", root_fd, "a");
		renameat(root_fd, "a/b", top_fd, "out/b");
		renameat(top_fd, "out/b", root_fd, "a/b");
		/* Directory and link to the outside take turns. */
		renameat2(root_fd, "a", root_fd, "s", RENAME_EXCHANGE);
		renameat2(root_fd, "a", root_fd, "s", RENAME_EXCHANGE);
	}
}

/* Every object that never was inside: "out", "out/c", and what holds the root. */
static bool is_outside(int fd)
{
	static const char *const outside[] = {
		".", "c", "out", "out/c", "out/secret", "/", "/tmp"
	};
	struct stat stat, there;

	assert_int_equal(fstat(fd, &stat), 0);
	for (size_t i = 0; i < COUNT(outside); i++) {
		assert_int_equal(fstatat(top_fd, outside[i], &there, 0), 0);
		if (stat.st_dev == there.st_dev && stat.st_ino == there.st_ino)
			return true;
	}
	return false;
}

static int outside_count(int iterations, int *successes)
{
	const char *const paths[] = {
		"a/b/../../c",
		"a/../c",
		"a/c",
		"a/b/../../../c",
		"a/b/../..",
		"a/b/../../../..",
		"a/b/../c",
		"a/..",
		deep("a/b/", 1, 20, "c"),
		deep("a/", 1, 0, deep("b/../", 40, 0, "c")),
		deep("a/b/", 1, 0, deep("n/", 20, 22, "c")),
		deep("a/b/", 1, 0, deep("n/", 20, 23, "c")),
	};
	static const int flags[] = { O_PATH, O_RDONLY, O_RDWR | O_CREAT };
	int outside = 0;

	for (int i = 0; i < iterations; i++) {
		int fd = open_at(root_fd, paths[(size_t)i % COUNT(paths)],
				 flags[(size_t)random() % COUNT(flags)],
				 random() % 2 ? RESOLVE_BELOW : RESOLVE_INSIDE);

		if (fd < 0)
			continue;
		++*successes;
		outside += is_outside(fd);
		close(fd);
	}
	return outside;
}

static void test_renames(void **state)
{
	int outside, successes = 0;
	pid_t pid;

	(void)state;
	make_dir(root_fd, "a");
	make_dir(root_fd, "a/b");
	for (int i = 0; i < 20; i++)
		make_dir(root_fd, deep("a/b/", 1, 0, deep("n/", i + 1, 0, "")));
	make_file(root_fd, "c");
	make_file(top_fd, "c");
	make_file(top_fd, "out/c");
	assert_int_equal(symlinkat("../out", root_fd, "s"), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		rename_for_ever();
	}
	outside = outside_count(10000, &successes);
	/* Perhaps the other one did not get a turn. */
	for (int i = 0; i < 50 && successes == 0; i++) {
		sched_yield();
		outside += outside_count(10000, &successes);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (size_t i = 0; i < 2; i++) {
		remove_below(root_fd, i ? "s" : "a");
		unlinkat(root_fd, i ? "s" : "a", 0);
	}
	remove_below(top_fd, "out/a");
	remove_below(top_fd, "out/b");
	unlinkat(top_fd, "c", 0);
	unlinkat(top_fd, "out/c", 0);
	unlinkat(root_fd, "c", 0);
	assert_int_equal(outside, 0);
	assert_true(successes > 0);
	assert_true(is_outside_untouched());
}

static void exchange_for_ever(void)
{
	for (;;) {
		symlinkat("file", root_fd, "w");
		unlinkat(root_fd, "w", 0);
		/* Directory and link to one that looks the same. */
		renameat2(root_fd, "x", root_fd, "y", RENAME_EXCHANGE);
	}
}

/* Whatever is found at each moment, the path leads to a file: so no other answer is right. */
static int wrong_answers(int iterations)
{
	const char *const paths[] = {
		"w", "x/leaf", "x/", "x", deep("x/", 1, 0, deep("n/", 20, 20, "leaf")),
	};
	static const int flags[] = { CREATE, O_RDONLY, O_PATH, O_DIRECTORY, O_PATH };
	int wrong = 0, again = 0;

	for (int i = 0; i < iterations; i++) {
		size_t k = (size_t)i % COUNT(paths);
		int fd = open_at(root_fd, paths[k], flags[k], RESOLVE_BELOW);

		if (fd >= 0)
			close(fd);
		else if (fd == -EAGAIN)
			again++;
		else
			wrong++;
	}
	/* With one attempt only it would be a hundred. */
	return wrong + (again > 5 ? again : 0);
}

static void test_exchanges(void **state)
{
	pid_t pid;
	int wrong;

	(void)state;
	for (int k = 0; k < 2; k++) {
		const char *dir = k ? "z/" : "x/";

		for (int i = 0; i <= 20; i++)
			make_dir(root_fd, deep(dir, 1, 0, deep("n/", i, 0, "")));
		make_file(root_fd, k ? "z/leaf" : "x/leaf");
	}
	assert_int_equal(symlinkat("z", root_fd, "y"), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exchange_for_ever();
	}
	wrong = wrong_answers(10000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlinkat(root_fd, "w", 0);
	for (int k = 0; k < 3; k++) {
		remove_below(root_fd, (const char *[]){ "x", "y", "z" }[k]);
		unlinkat(root_fd, (const char *[]){ "x", "y", "z" }[k], 0);
	}
	assert_int_equal(wrong, 0);
}

/* --- The automatic choice -------------------------------------------------------------------- */

static void test_choice(void **state)
{
	struct resolver resolver = { root_fd, RESOLVE_AUTO };
	enum resolve_backend chosen = no_openat2 ? RESOLVE_BY_WALK : RESOLVE_AUTO;
	int fd = resolve_open(&resolver, "rel/leaf", O_RDONLY, 0, RESOLVE_BELOW);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(resolver.backend, chosen);
	assert_int_equal(resolve_open(&resolver, "to-out", O_RDONLY, 0, RESOLVE_BELOW), -EXDEV);
	assert_int_equal(resolver.backend, chosen);
}

/* An EPERM that is the file's: only its owner, or root, may use O_NOATIME. */
static int not_permitted(void *unused)
{
	struct resolver resolver = { root_fd, backend };

	(void)unused;
	return resolve_open(&resolver, "file", O_RDONLY | O_NOATIME, 0, RESOLVE_BELOW) != -EPERM ||
	       (resolver.backend != backend && !no_openat2);
}

static void test_not_permitted(void **state)
{
	(void)state;
	skip_without_root("there are no files of others");
	assert_int_equal(in_child(not_permitted, NULL, true), 0);
}

/* Who asks for openat2 gets its answer, whatever that is. */
static void test_no_choice(void **state)
{
	struct resolver resolver = { root_fd, RESOLVE_BY_OPENAT2 };
	int error = resolve_open(&resolver, "file", O_RDONLY, 0, RESOLVE_BELOW);

	(void)state;
	if (error >= 0)
		close(error);
	assert_int_equal(error < 0, no_openat2);
	assert_int_equal(resolver.backend, RESOLVE_BY_OPENAT2);
}

/* --- Random trees, against the kernel's own opinion ------------------------------------------- */

#define FUZZ_MODE 0604 /* no file of the trees has it before */

struct fuzz {
	unsigned int seed;
	int cases;
	int tree; /* directory that holds "root" and "out" */
	int root;
	size_t count, dir_count;
	char things[80]
		   [64]; /* paths of all that was made; directories first, of them "" the root */
};

struct outcome {
	int error, flags;
	dev_t device;
	ino_t inode;              /* 0 if it is new */
	char where[2 * PATH_MAX]; /* a new file, or the directory of an unnamed one */
};

static size_t below(size_t limit)
{
	return (size_t)random() % limit;
}

static bool one_in(size_t chances)
{
	return below(chances) == 0;
}

static void random_pieces(char *path, size_t pieces)
{
	static const char *const words[] = { "a",  "b",  "c",  "d",  "f",  "g",  "p",  "l0",
					     "l1", "l2", "l3", "l4", "l5", "l6", "l7", "..",
					     "..", "..", ".",  "",   "n",  "new" };

	path[0] = '\0';
	for (size_t i = 0; i < pieces; i++)
		sprintf(path + strlen(path), "%s%s", i == 0 ? "" : "/", words[below(COUNT(words))]);
}

/* A link at PLACE to something that is there, or to wherever it happens to lead. */
static void random_text(const struct fuzz *fuzz, const char *place, char *text)
{
	const char *thing = fuzz->things[below(fuzz->count)];
	char pieces[128];

	text[0] = '\0';
	if (one_in(3)) {
		random_pieces(pieces, 1 + below(3));
		thing = pieces + (pieces[0] == '/');
		strcpy(text, (const char *[]){ "", "", "/", "../", "../out/", "../../" }[below(6)]);
	} else if (one_in(4)) {
		strcpy(text, "/");
	} else {
		for (; (place = strchr(place, '/')) != NULL; place++)
			strcat(text, "../");
	}
	strcat(text, thing);
	if (one_in(10))
		strcat(text, (const char *[]){ "/", "/.", "/new" }[below(3)]);
	if (text[0] == '\0')
		strcpy(text, ".");
}

/* The path of NAME in some directory of the tree, relative to the root. */
static void random_place(const struct fuzz *fuzz, const char *name, char *path)
{
	const char *dir = fuzz->things[below(fuzz->dir_count)];

	sprintf(path, "%s%s%s", dir, dir[0] ? "/" : "", name);
}

/* ERROR may say that the place was taken. */
static void add(struct fuzz *fuzz, const char *path, int error)
{
	if (error == 0)
		strcpy(fuzz->things[fuzz->count++], path);
}

static void make_random_dirs(struct fuzz *fuzz)
{
	int chain = one_in(3) ? 1 + (int)below(22) : 0;
	char path[128];

	fuzz->things[0][0] = '\0';
	fuzz->count = fuzz->dir_count = 1;
	for (size_t i = 4 + below(6); i > 0; i--) {
		random_place(fuzz, (const char *[]){ "a", "b", "c", "d" }[below(4)], path);
		add(fuzz, path, mkdirat(fuzz->root, path, 0755));
		fuzz->dir_count = fuzz->count;
	}
	for (int i = 1; i <= chain; i++) {
		strcpy(path, deep("n/", i, 0, ""));
		path[2 * i - 1] = '\0';
		add(fuzz, path, mkdirat(fuzz->root, path, 0755));
	}
	fuzz->dir_count = fuzz->count;
}

static void make_random_tree(struct fuzz *fuzz)
{
	char path[128], text[512], name[8];

	mkdirat(fuzz->tree, "root", 0755);
	mkdirat(fuzz->tree, "out", 0755);
	mkdirat(fuzz->tree, "out/a", 0755);
	mknodat(fuzz->tree, "out/f", S_IFREG | 0644, 0);
	fuzz->root = openat(fuzz->tree, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	make_random_dirs(fuzz);
	for (size_t i = 0; i < 7; i++) {
		random_place(fuzz, (const char *[]){ "f", "g", "p" }[i % 3], path);
		add(fuzz, path,
		    mknodat(fuzz->root, path, (i % 3 == 2 ? S_IFIFO : S_IFREG) | 0644, 0));
	}
	for (int i = 0; i < 16; i++) {
		sprintf(name, "l%d", i % 8);
		random_place(fuzz, name, path);
		random_text(fuzz, path, text);
		add(fuzz, path, symlinkat(text, fuzz->root, path));
	}
	for (size_t i = below(4); i > 0; i--)
		fchmodat(fuzz->root, fuzz->things[below(fuzz->dir_count)],
			 (mode_t[]){ 0111, 0, 0444, 0555 }[below(4)], 0);
}

static void lengthen(char *path)
{
	size_t length = strlen(path), wanted = PATH_MAX - 3 + below(6);

	memmove(path + wanted - length, path, length + 1);
	for (size_t i = 0; i < wanted - length; i++)
		path[i] = i % 2 ? '/' : '.';
}

/* Up to PATH_MAX + 2 bytes. */
static void random_path(const struct fuzz *fuzz, char *path)
{
	char start[128], end[128];

	random_pieces(end, one_in(3) ? below(4) : 0);
	if (one_in(8))
		random_pieces(start, 1 + below(4));
	else
		strcpy(start, fuzz->things[below(fuzz->count)]);
	sprintf(path, "%s%s%s%s", one_in(8) ? "/" : "", start, end[0] ? "/" : "", end);
	if (one_in(8))
		strcat(path, (const char *[]){ "/", "/.", "/new", "/.." }[below(4)]);
	if (one_in(12))
		strcpy(path, deep("n/", 1 + (int)below(24), (int)below(26), end));
	if (one_in(60))
		strcat(path, NAME_OF_255 "x" + below(2));
	if (one_in(100))
		lengthen(path);
}

static int random_flags(void)
{
	static const int often[] = { O_NOFOLLOW, O_DIRECTORY, O_CREAT, O_EXCL };
	static const int seldom[] = { O_TRUNC,
				      O_APPEND,
				      O_CLOEXEC,
				      O_NOCTTY,
				      O_TMPFILE,
				      O_NOATIME,
				      O_SYNC,
				      O_ASYNC,
				      1 << 30,
				      O_PATH,
				      O_DIRECT,
				      3,
				      O_TMPFILE & ~O_DIRECTORY };
	int flags =
		one_in(3) ? O_PATH : O_NONBLOCK | (int[]){ O_RDONLY, O_WRONLY, O_RDWR }[below(3)];

	for (size_t i = 0; i < (flags & O_PATH ? 2 : COUNT(often)); i++)
		flags |= one_in(3) ? often[i] : 0;
	if ((flags & O_CREAT) && !one_in(20))
		flags &= ~O_DIRECTORY;
	if (!(flags & O_PATH) && one_in(10))
		flags = O_TMPFILE | O_RDWR | (flags & O_NOFOLLOW);
	if (one_in(12))
		flags |= seldom[below(COUNT(seldom))];
	return flags;
}

static struct outcome outcome_of(int fd)
{
	struct outcome outcome = { .error = fd < 0 ? fd : 0 };
	char link[32];
	struct stat stat;
	ssize_t length;

	if (fd < 0)
		return outcome;
	fstat(fd, &stat);
	/* The walk cannot do without these two. */
	outcome.flags = (fcntl(fd, F_GETFL) & ~(O_NOFOLLOW | O_DIRECTORY)) | fcntl(fd, F_GETFD);
	outcome.device = stat.st_dev;
	outcome.inode = stat.st_ino;
	if ((stat.st_mode & 07777) == FUZZ_MODE) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, outcome.where, sizeof(outcome.where) - 1);
		outcome.where[length > 0 ? length : 0] = '\0';
		if (stat.st_nlink == 0)
			*strrchr(outcome.where, '/') = '\0';
		else if (unlink(outcome.where) != 0)
			outcome.error = -errno;
		outcome.inode = 0;
	}
	close(fd);
	return outcome;
}

static struct outcome ask_kernel(int root, const char *path, int flags, mode_t mode,
				 enum resolve_scope scope)
{
	struct kernel_open_how how = {
		.flags = (uint64_t)(int64_t)(flags | O_CLOEXEC),
		.mode = mode,
		.resolve = RESOLVE_NO_MAGICLINKS |
			   (scope == RESOLVE_BELOW ? RESOLVE_BENEATH : RESOLVE_IN_ROOT),
	};
	int fd;

	/* Others rename on this machine, too. */
	do
		fd = sys_openat2(root, path[0] == '\0' ? "." : path, &how);
	while (fd == -EAGAIN);
	return outcome_of(fd);
}

static int is_different(const struct fuzz *fuzz, int number)
{
	char path[2 * PATH_MAX];
	int flags = random_flags();
	enum resolve_scope scope = one_in(2) ? RESOLVE_BELOW : RESOLVE_INSIDE;
	mode_t mode = needs_mode(flags) ? FUZZ_MODE : 0;
	struct resolver resolver = { fuzz->root, RESOLVE_BY_WALK };
	struct outcome kernel, walk;

	random_path(fuzz, path);
	if (one_in(50))
		mode |= (mode_t)(mode == 0 ? 1 : 010000) << below(5);
	kernel = ask_kernel(fuzz->root, path, flags, mode, scope);
	walk = outcome_of(resolve_open(&resolver, path, flags, mode, scope));
	if (kernel.error == walk.error && kernel.flags == walk.flags &&
	    kernel.device == walk.device && kernel.inode == walk.inode &&
	    strcmp(kernel.where, walk.where) == 0)
		return 0;
	fprintf(stderr,
		"# seed %u, case %d, \"%s\", flags %#o, mode %#o, %s:\n"
		"#  openat2 %s, inode %lu %s flags %#o\n#  walk %s, inode %lu %s flags %#o\n",
		fuzz->seed, number, path, (unsigned int)flags, mode,
		scope == RESOLVE_BELOW ? "below" : "inside", error_name(-kernel.error),
		(unsigned long)kernel.inode, kernel.where, (unsigned int)kernel.flags,
		error_name(-walk.error), (unsigned long)walk.inode, walk.where,
		(unsigned int)walk.flags);
	return 1;
}

static int count_entries(int dirfd, const char *name)
{
	struct dirent *entry;
	struct stat stat;
	int fd, count = 0;
	DIR *dir;

	if (fstatat(dirfd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	fchmodat(dirfd, name, 0700, 0);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fdopendir(fd);
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			count += 1 +
				 (entry->d_type == DT_DIR ? count_entries(fd, entry->d_name) : 0);
	if (dir != NULL)
		closedir(dir);
	fchmodat(dirfd, name, stat.st_mode & 07777, 0);
	return count;
}

static int fuzz_cases(void *argument)
{
	struct fuzz *fuzz = argument;
	int different = 0;
	char name[32];

	srandom(fuzz->seed);
	umask(0);
	snprintf(name, sizeof(name), "fuzz/%d", (int)getpid());
	for (int number = 0; number < fuzz->cases && different < 20;) {
		int entries;

		mkdirat(top_fd, name, 0755);
		fuzz->tree = openat(top_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		make_random_tree(fuzz);
		entries = count_entries(top_fd, name);
		for (int i = 0; i < 100 && number < fuzz->cases; i++)
			different += is_different(fuzz, number++);
		if (count_entries(top_fd, name) != entries) {
			fprintf(stderr, "# before case %d something was left over\n", number);
			different++;
		}
		close(fuzz->root);
		close(fuzz->tree);
		remove_below(top_fd, name);
	}
	return different;
}

static unsigned int setting(const char *name, unsigned int value)
{
	const char *text = getenv(name);

	return text != NULL ? (unsigned int)strtoul(text, NULL, 10) : value;
}

static void test_random(void **state)
{
	static struct fuzz fuzz;

	(void)state;
	fuzz.seed = setting("RESOLVE_SEED", 1);
	fuzz.cases = (int)setting("RESOLVE_CASES", 20000) / 2;
	printf("# RESOLVE_SEED=%u RESOLVE_CASES=%d\n", fuzz.seed, 2 * fuzz.cases);
	mkdirat(top_fd, "fuzz", 0);
	fchmodat(top_fd, "fuzz", 0777, 0);
	assert_int_equal(in_child(fuzz_cases, &fuzz, false), 0);
	fuzz.seed++;
	assert_int_equal(in_child(fuzz_cases, &fuzz, true), 0);
}

/* --- All of it ------------------------------------------------------------------------------- */

static int choose_openat2(void **state)
{
	(void)state;
	backend = RESOLVE_BY_OPENAT2;
	return 0;
}

static int choose_walk(void **state)
{
	(void)state;
	backend = RESOLVE_BY_WALK;
	return 0;
}

static int choose_none(void **state)
{
	(void)state;
	backend = RESOLVE_AUTO;
	return 0;
}

/* The filters stay; of several that refuse, the one installed last counts. */
static int deny_openat2(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(code), code };
	struct kernel_open_how how = { .flags = O_PATH };

	backend = RESOLVE_AUTO;
	no_openat2 = true;
	if (sys_openat2(AT_FDCWD, "/", &how) == -error)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return -1;
	return sys_openat2(AT_FDCWD, "/", &how) == -error ? 0 : -1;
}

static int deny_as_unknown(void **state)
{
	(void)state;
	return deny_openat2(ENOSYS);
}

static int deny_as_forbidden(void **state)
{
	(void)state;
	return deny_openat2(EPERM);
}

#define TESTS(row)                                                                                 \
	row(test_paths), row(test_escapes), row(test_escapes_for_writing), row(test_links),        \
		row(test_creating), row(test_slashes), row(test_flags), row(test_mode),            \
		row(test_unnamed_files), row(test_long_names), row(test_long_links),               \
		row(test_permissions), row(test_unsearchable_root),                                \
		row(test_links_in_sticky_directories), row(test_roots), row(test_procfs),          \
		row(test_mounts), row(test_deep_paths), row(test_deep_links), row(test_renames),   \
		row(test_exchanges)
#define CHOICE_TESTS(row) row(test_choice), row(test_no_choice), row(test_not_permitted)
#define ROW(test, how, setup)                                                                      \
	{                                                                                          \
		.name = #test ", " how, .test_func = test, .setup_func = setup                     \
	}
#define BY_OPENAT2(test) ROW(test, "openat2", choose_openat2)
#define BY_WALK(test) ROW(test, "walk", choose_walk)
#define BY_ITSELF(test) ROW(test, "automatic", choose_none)
#define WITHOUT(test) ROW(test, "openat2 is unknown", deny_as_unknown)
#define FORBIDDEN(test) ROW(test, "openat2 is forbidden", deny_as_forbidden)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(BY_OPENAT2),       TESTS(BY_WALK),       TESTS(BY_ITSELF),
		CHOICE_TESTS(BY_ITSELF), BY_WALK(test_random), TESTS(WITHOUT),
		CHOICE_TESTS(WITHOUT),   TESTS(FORBIDDEN),     CHOICE_TESTS(FORBIDDEN),
	};

	return cmocka_run_group_tests_name("resolve", tests, set_up, tear_down);
}
