/* SPDX-License-Identifier: MIT */
/*
 * mountns/prepare.c and source.c: from grants to an ordered view, on a temporary tree. Every test runs
 * twice, the second time under a filter that answers openat2 with ENOSYS, as old kernels and some
 * container profiles do: the results must be the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "mountns/sys.h"
#include "mountns/view.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define R GRANT_READ
#define RW (GRANT_READ | GRANT_WRITE)
#define RX (GRANT_READ | GRANT_EXEC)
#define RWX (GRANT_READ | GRANT_WRITE | GRANT_EXEC)
#define DEFAULTS 3
#define LONG "0123456789012345678901234567890123456789"
#define NAME_OF_255 LONG LONG LONG LONG LONG LONG "012345678901234"

static char top[PATH_MAX]; /* canonical */
static bool no_openat2;

/* --- The tree -------------------------------------------------------------------------------- */

/* The path of NAME in the tree, in one of several buffers. */
static const char *at(const char *name)
{
	static char buffers[16][3 * PATH_MAX];
	static unsigned int next;
	char *path = buffers[next++ % COUNT(buffers)];

	snprintf(path, sizeof(buffers[0]), "%s/%s", top, name);
	return path;
}

static void make_dir(const char *name)
{
	assert_int_equal(mkdir(at(name), 0755), 0);
}

static void make_file(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static void make_link(const char *text, const char *name)
{
	assert_int_equal(symlink(text, at(name)), 0);
}

static void remove_below(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

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

static void make_tree(void)
{
	static const char *const dirs[] = { "dir",   "dir/sub",  "dir/sub/deep", "dir-x",    "dir2",
					    "other", "\xff\xfe", "new\nline",    NAME_OF_255 };
	static const char *const links[][2] = {
		{ "dir/sub", "rel" },
		{ "../other", "dir/back" },
		{ "other/../dir", "up" },
		{ "./dir/.", "dots" },
		{ "dir//sub///deep//", "slashes" },
		{ "\xff\xfe", "odd\x80link" },
		{ "rel", "chain-b" },
		{ "chain-b/deep", "chain-a" },
		{ "loop", "loop" },
		{ "pong", "ping" },
		{ "ping", "pong" },
		{ "growing/x", "growing" },
		{ "nowhere", "dangling" },
		{ "dangling/x", "dangling-far" },
		{ "file", "to-file" },
		{ "file/", "to-file-slash" },
		{ "file/.", "to-file-dot" },
		{ "/proc/self/root", "magic-root" },
		{ "/proc/self", "magic-self" },
		{ "dir", "link-1" },
	};
	char name[32], text[32];

	for (size_t i = 0; i < COUNT(dirs); i++)
		make_dir(dirs[i]);
	make_file("file");
	make_file("dir/sub/leaf");
	for (size_t i = 0; i < COUNT(links); i++)
		make_link(links[i][0], links[i][1]);
	make_link(at("dir"), "abs");
	make_link("/", "to-root");
	for (int i = 2; i <= 41; i++) {
		snprintf(name, sizeof(name), "link-%d", i);
		snprintf(text, sizeof(text), "link-%d", i - 1);
		make_link(text, name);
	}
}

static int set_up(void **state)
{
	char template[] = "/tmp/view-test-XXXXXX";

	(void)state;
	if (mkdtemp(template) == NULL || realpath(template, top) == NULL)
		return -1;
	make_tree();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_below(AT_FDCWD, top);
	return 0;
}

/* --- Preparing ------------------------------------------------------------------------------- */

struct prepared {
	struct view view;
	struct fault fault;
	int result;
};

static struct prepared prepare(const struct grant *grants, size_t grant_count,
			       const struct mount_step *steps, size_t step_count)
{
	const struct view_request request = { .grants = grants,
					      .grant_count = grant_count,
					      .steps = steps,
					      .step_count = step_count };
	struct prepared prepared;

	prepared.result = mountns_prepare(&prepared.view, &request, &prepared.fault);
	return prepared;
}

#define PREPARE(grants, steps) prepare(grants, COUNT(grants), steps, COUNT(steps))
#define PREPARE_GRANTS(grants) prepare(grants, COUNT(grants), NULL, 0)

static struct prepared prepare_one(const char *path)
{
	const struct grant grant = { .path = path, .rights = R };

	return prepare(&grant, 1, NULL, 0);
}

static void assert_source(const struct view *view, size_t i, const char *path, unsigned int rights)
{
	const struct source *source = &view->sources[i];
	struct stat stat, there;
	size_t depth = 0;

	assert_true(i < view->source_count);
	assert_string_equal(source->path, path);
	assert_int_equal(source->rights, rights);
	assert_int_equal(fstat(source->fd, &stat), 0);
	assert_int_equal(lstat(path, &there), 0);
	assert_int_equal(source->inode, there.st_ino);
	assert_int_equal(stat.st_ino, there.st_ino);
	assert_int_equal(makedev(source->dev_major, source->dev_minor), there.st_dev);
	assert_int_equal(source->directory, S_ISDIR(there.st_mode));
	assert_true(fcntl(source->fd, F_GETFL) & O_PATH);
	assert_int_equal(fcntl(source->fd, F_GETFD), FD_CLOEXEC);
	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/' && p[1] != '\0';
	assert_int_equal(source->depth, depth);
}

/* PATH alone leads to the canonical EXPECTED. */
static void leads_to(const char *path, const char *expected)
{
	struct prepared prepared = prepare_one(path);

	if (prepared.result != 0)
		fail_msg("%s: %s", path, strerror(prepared.fault.error));
	assert_int_equal(prepared.view.source_count, 1);
	assert_source(&prepared.view, 0, expected, R);
	mountns_release(&prepared.view);
}

static void fails_with(const char *path, int error)
{
	struct prepared prepared = prepare_one(path);

	if (prepared.result != -1)
		fail_msg("%s was taken", path);
	assert_string_equal(prepared.fault.step, "grant");
	assert_ptr_equal(prepared.fault.object, path);
	assert_null(prepared.fault.reason);
	assert_int_equal(prepared.fault.error, error);
	mountns_release(&prepared.view);
}

/* Whether the view holds the link PATH (a directory where TEXT is NULL). */
static bool has_link(const struct view *view, const char *path, const char *text)
{
	for (size_t i = 0; i < view->link_count; i++) {
		const struct link *link = &view->links[i];

		if (strcmp(link->path, path) == 0 &&
		    (text == NULL ? link->text == NULL
				  : link->text != NULL && strcmp(link->text, text) == 0))
			return true;
	}
	return false;
}

/* --- Tests of one path ----------------------------------------------------------------------- */

static void test_plain_paths(void **state)
{
	(void)state;
	leads_to(at("dir"), at("dir"));
	leads_to(at("dir/"), at("dir"));
	leads_to(at("dir/."), at("dir"));
	leads_to(at(".//dir/./sub///leaf"), at("dir/sub/leaf"));
	leads_to(at("file"), at("file"));
	leads_to(at("\xff\xfe"), at("\xff\xfe"));
	leads_to(at("new\nline"), at("new\nline"));
	leads_to("/", "/");
	leads_to("//.//", "/");
	leads_to("/..", "/");
	leads_to("/../../..", "/");
	leads_to("/dev/null", "/dev/null");
}

static void test_links(void **state)
{
	(void)state;
	leads_to(at("abs"), at("dir"));
	leads_to(at("abs/sub/leaf"), at("dir/sub/leaf"));
	leads_to(at("rel"), at("dir/sub"));
	leads_to(at("rel/"), at("dir/sub"));
	leads_to(at("dir/back"), at("other"));
	leads_to(at("dots/sub"), at("dir/sub"));
	leads_to(at("slashes"), at("dir/sub/deep"));
	leads_to(at("up/sub"), at("dir/sub"));
	leads_to(at("chain-a"), at("dir/sub/deep"));
	leads_to(at("to-file"), at("file"));
	leads_to(at("odd\x80link"), at("\xff\xfe"));
	leads_to(at("to-root"), "/");
	leads_to(at("to-root/dev/null"), "/dev/null");
	leads_to(at("to-root/.."), "/");
}

/* ".." leaves the directory that a link led to, not the one that holds the link. */
static void test_up(void **state)
{
	(void)state;
	leads_to(at("dir/sub/.."), at("dir"));
	leads_to(at("dir/sub/../.."), top);
	leads_to(at("rel/.."), at("dir"));
	leads_to(at("abs/sub/../../other"), at("other"));
	leads_to(at("dir/back/../file"), at("file"));
	fails_with(at("file/.."), ENOTDIR);
	fails_with(at("missing/.."), ENOENT);
	fails_with(at("dangling/.."), ENOENT);
}

static void test_remembered_links(void **state)
{
	struct prepared prepared = prepare_one(at("chain-a"));

	(void)state;
	assert_int_equal(prepared.result, 0);
	assert_int_equal(prepared.view.link_count, 3);
	assert_true(has_link(&prepared.view, at("chain-a"), "chain-b/deep"));
	assert_true(has_link(&prepared.view, at("chain-b"), "rel"));
	assert_true(has_link(&prepared.view, at("rel"), "dir/sub"));
	mountns_release(&prepared.view);
	/* The link lies where the way led to, not where the name says. */
	prepared = prepare_one(at("abs/back"));
	assert_int_equal(prepared.view.link_count, 3);
	assert_true(has_link(&prepared.view, at("abs"), at("dir")));
	assert_true(has_link(&prepared.view, at("dir/back"), "../other"));
	assert_true(has_link(&prepared.view, at("dir"), NULL));
	mountns_release(&prepared.view);
	prepared = prepare_one(at("dir/sub"));
	assert_int_equal(prepared.view.link_count, 0);
	mountns_release(&prepared.view);
	prepared = prepare_one(at("slashes"));
	assert_true(has_link(&prepared.view, at("slashes"), "dir//sub///deep//"));
	mountns_release(&prepared.view);
}

static void test_remembered_directories(void **state)
{
	struct prepared prepared = prepare_one(at("up/sub"));

	(void)state;
	assert_int_equal(prepared.result, 0);
	assert_true(has_link(&prepared.view, at("up"), "other/../dir"));
	assert_true(has_link(&prepared.view, at("other"), NULL));
	mountns_release(&prepared.view);
}

static void test_loops(void **state)
{
	(void)state;
	fails_with(at("loop"), ELOOP);
	fails_with(at("loop/x"), ELOOP);
	fails_with(at("ping"), ELOOP);
	fails_with(at("growing"), ELOOP);
}

/* path_resolution(7): 40 links in all. */
static void test_chain_lengths(void **state)
{
	(void)state;
	leads_to(at("link-40"), at("dir"));
	leads_to(at("link-40/sub"), at("dir/sub"));
	fails_with(at("link-41"), ELOOP);
	fails_with(at("link-40/sub/../back"), ELOOP);
}

static void test_links_of_procfs(void **state)
{
	(void)state;
	fails_with("/proc/self/exe", ELOOP);
	fails_with("/proc/self/root/etc", ELOOP);
	fails_with("/proc/self/fd/1", ELOOP);
	fails_with("/proc/self", ELOOP);
	fails_with(at("magic-root"), ELOOP);
	fails_with(at("magic-root/etc"), ELOOP);
	fails_with(at("magic-self/root"), ELOOP);
}

static void test_missing(void **state)
{
	(void)state;
	fails_with(at("missing"), ENOENT);
	fails_with(at("missing/x"), ENOENT);
	fails_with(at("dir/missing"), ENOENT);
	fails_with(at("dangling"), ENOENT);
	fails_with(at("dangling/x"), ENOENT);
	fails_with(at("dangling-far"), ENOENT);
	fails_with("", ENOENT);
}

static void test_a_file_is_no_directory(void **state)
{
	(void)state;
	fails_with(at("file/"), ENOTDIR);
	fails_with(at("file//"), ENOTDIR);
	fails_with(at("file/x"), ENOTDIR);
	fails_with(at("to-file/"), ENOTDIR);
	fails_with(at("file/."), ENOTDIR);
	fails_with(at("file/./"), ENOTDIR);
	fails_with(at("to-file/."), ENOTDIR);
	fails_with(at("to-file-slash"), ENOTDIR);
	fails_with(at("to-file-dot"), ENOTDIR);
}

static void test_optional(void **state)
{
	const struct grant grants[] = {
		{ at("missing"), R, true },  { at("dir"), R, true }, { at("missing/x"), RW, true },
		{ at("dangling"), R, true }, { "", R, true },        { at("other"), R, true },
	};
	struct prepared prepared = PREPARE_GRANTS(grants);
	static const struct {
		const char *name;
		int error;
	} errors[] = { { "loop", ELOOP }, { "file/x", ENOTDIR }, { "magic-root", ELOOP } };

	(void)state;
	assert_int_equal(prepared.result, 0);
	assert_int_equal(prepared.view.source_count, 2);
	assert_source(&prepared.view, 0, at("dir"), R);
	assert_source(&prepared.view, 1, at("other"), R);
	mountns_release(&prepared.view);
	/* Only what does not exist is skipped. */
	for (size_t i = 0; i < COUNT(errors); i++) {
		const struct grant grant = { at(errors[i].name), R, true };

		prepared = prepare(&grant, 1, NULL, 0);
		assert_int_equal(prepared.result, -1);
		assert_int_equal(prepared.fault.error, errors[i].error);
		mountns_release(&prepared.view);
	}
}

static void test_long_names(void **state)
{
	(void)state;
	leads_to(at(NAME_OF_255), at(NAME_OF_255));
	leads_to(at("dir/../" NAME_OF_255), at(NAME_OF_255));
	fails_with(at(NAME_OF_255 "x"), ENAMETOOLONG);
	fails_with(at("dir/../" NAME_OF_255 "x"), ENAMETOOLONG);
	fails_with(at(NAME_OF_255 "x/x"), ENAMETOOLONG);
	fails_with(at(NAME_OF_255 "5"), ENAMETOOLONG);
}

/* A path may have PATH_MAX - 1 bytes, however much of that are slashes. */
static void test_long_paths(void **state)
{
	static const char *const pads[] = { "/", "/.", "/dir/..", "/rel/../.." };
	char path[PATH_MAX + 16];

	(void)state;
	for (size_t i = 0; i < COUNT(pads); i++) {
		size_t length = strlen(strcpy(path, top));

		while (length + strlen(pads[i]) + 4 < PATH_MAX &&
		       (i < 3 || length < strlen(top) + 200))
			length += strlen(strcpy(path + length, pads[i]));
		strcpy(path + length, "/dir");
		leads_to(path, at("dir"));
	}
	memset(path, '/', sizeof(path));
	memcpy(path, top, strlen(top));
	strcpy(path + PATH_MAX - 4, "dir");
	assert_int_equal(strlen(path), PATH_MAX - 1);
	leads_to(path, at("dir"));
	strcpy(path + PATH_MAX - 4, "/dir");
	fails_with(path, ENAMETOOLONG);
}

/* What it leads to has too long a name, though no piece of the way has. */
static void test_long_canonical_path(void **state)
{
	char path[2 * PATH_MAX] = "", half[PATH_MAX], name[NAME_MAX + 1];
	int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC), next;
	size_t last = PATH_MAX - 1 - strlen(top) - 15 * (NAME_MAX + 1) - 1;

	(void)state;
	for (int level = 0; level < 15; level++) {
		mkdirat(fd, NAME_OF_255, 0755);
		next = openat(fd, NAME_OF_255, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
		strcat(path, level == 0 ? NAME_OF_255 : "/" NAME_OF_255);
		if (level == 7) {
			strcpy(half, path);
			symlink(path, at("half"));
		}
	}
	/* One name that still fits, and one that is a byte too long. */
	memset(name, 'n', sizeof(name));
	name[last] = '\0';
	mkdirat(fd, name, 0755);
	strcat(strcat(path, "/"), name);
	assert_int_equal(strlen(at(path)), PATH_MAX - 1);
	leads_to(at(path), at(path));
	memmove(path + strlen("half"), path + strlen(half), strlen(path + strlen(half)) + 1);
	memcpy(path, "half", strlen("half"));
	strcat(half, path + strlen("half"));
	leads_to(at(path), at(half));
	name[last] = 'n';
	name[last + 1] = '\0';
	mkdirat(fd, name, 0755);
	fails_with(at(strcat(path, "n")), ENAMETOOLONG);
	close(fd);
}

static void test_relative(void **state)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(chdir(at("abs")), 0);
	leads_to("sub", at("dir/sub"));
	leads_to("./sub//leaf", at("dir/sub/leaf"));
	leads_to(".", at("dir"));
	leads_to("./", at("dir"));
	leads_to("..", top);
	leads_to("../other", at("other"));
	leads_to("back", at("other"));
	leads_to("../rel/deep", at("dir/sub/deep"));
	fails_with("leaf", ENOENT);
	fails_with("../file/", ENOTDIR);
	memset(path, '/', sizeof(path));
	path[0] = '.';
	path[PATH_MAX - 1] = '\0';
	fails_with(path, ENAMETOOLONG);
	make_dir("gone");
	assert_int_equal(chdir(at("gone")), 0);
	assert_int_equal(rmdir(at("gone")), 0);
	fails_with("x", ENOENT);
	fails_with(".", ENOENT);
	leads_to(at("dir"), at("dir"));
	assert_int_equal(fchdir(here), 0);
	close(here);
}

/* --- Tests of the whole view ----------------------------------------------------------------- */

static void test_rights_add_up(void **state)
{
	const struct grant grants[] = {
		{ at("dir"), R, false },         { at("other"), RW, false },
		{ at("abs"), RX, false },        { at("dir/sub/.."), R, false },
		{ at("dir/back"), RX, true },    { at("file"), 0, false },
		{ at("up/../dir/"), RW, false }, { at("dir2"), GRANT_EXEC, false },
	};
	struct prepared prepared = PREPARE_GRANTS(grants);

	(void)state;
	assert_int_equal(prepared.result, 0);
	assert_int_equal(prepared.view.source_count, 4);
	assert_source(&prepared.view, 0, at("dir"), RWX);
	assert_source(&prepared.view, 1, at("dir2"), RX);
	assert_source(&prepared.view, 2, at("file"), R);
	assert_source(&prepared.view, 3, at("other"), RWX);
	mountns_release(&prepared.view);
}

static void test_nothing_asked(void **state)
{
	struct prepared prepared = prepare(NULL, 0, NULL, 0);
	const struct mount_step *steps = prepared.view.steps;

	(void)state;
	assert_int_equal(prepared.result, 0);
	assert_int_equal(prepared.view.source_count, 0);
	assert_int_equal(prepared.view.link_count, 0);
	assert_int_equal(prepared.view.step_count, DEFAULTS);
	assert_int_equal(steps[0].kind, STEP_PROC);
	assert_string_equal(steps[0].dest, "/proc");
	assert_int_equal(steps[1].kind, STEP_DEV);
	assert_string_equal(steps[1].dest, "/dev");
	assert_int_equal(steps[2].kind, STEP_SCRATCH);
	assert_string_equal(steps[2].dest, "/tmp");
	mountns_release(&prepared.view);
}

/* A default is left out where something else is put at that very path, not above or below. */
static void test_defaults_left_out(void **state)
{
	const struct mount_step steps[] = { { .kind = STEP_TMPFS, .dest = "/tmp" },
					    { .kind = STEP_SYMLINK, .dest = "/dev", .text = "x" },
					    { .kind = STEP_DIR, .dest = "/proc/x" } };
	const struct grant proc[] = { { "/proc", R, false }, { "/tmp/../dev/.", R, false } };
	const struct grant around[] = { { "/", R, false }, { "/proc/version", R, false } };
	struct prepared prepared = prepare(NULL, 0, steps, COUNT(steps));

	(void)state;
	assert_int_equal(prepared.view.step_count, 4);
	assert_int_equal(prepared.view.steps[0].kind, STEP_PROC);
	for (size_t i = 0; i < COUNT(steps); i++) {
		assert_int_equal(prepared.view.steps[i + 1].kind, steps[i].kind);
		assert_string_equal(prepared.view.steps[i + 1].dest, steps[i].dest);
		assert_ptr_equal(prepared.view.steps[i + 1].text, steps[i].text);
	}
	mountns_release(&prepared.view);
	prepared = PREPARE_GRANTS(proc);
	assert_int_equal(prepared.view.source_count, 2);
	assert_int_equal(prepared.view.step_count, 1);
	assert_int_equal(prepared.view.steps[0].kind, STEP_SCRATCH);
	mountns_release(&prepared.view);
	prepared = PREPARE_GRANTS(around);
	assert_int_equal(prepared.view.step_count, DEFAULTS);
	assert_int_equal(prepared.view.source_count, 2);
	assert_int_equal(prepared.view.sources[0].place, 0);
	assert_int_equal(prepared.view.sources[1].place, DEFAULTS);
	mountns_release(&prepared.view);
}

/* "A grant comes before the first step at or below it, else after all." */
static void test_places(void **state)
{
	const struct mount_step steps[] = {
		{ .kind = STEP_DIR, .dest = at("other/x") },
		{ .kind = STEP_TMPFS, .dest = at("dir-x") },
		{ .kind = STEP_TMPFS, .dest = at("dir/sub") },
		{ .kind = STEP_TMPFS, .dest = at("other") },
		{ .kind = STEP_SYMLINK, .dest = at("dir/sub/deep"), .text = "x" }
	};
	const struct grant grants[] = {
		{ at("dir/sub/leaf"), R, false }, { at("dir/sub/deep"), R, false },
		{ at("dir/sub"), RW, false },     { at("dir"), R, false },
		{ at("dir2"), R, false },         { at("dir-x"), R, false },
		{ at("other"), R, false },
	};
	static const struct {
		const char *name;
		size_t place;
	} rows[] = {
		{ "other", 0 },        { "dir-x", 1 }, { "dir", 2 },          { "dir/sub", 2 },
		{ "dir/sub/deep", 4 }, { "dir2", 5 },  { "dir/sub/leaf", 5 },
	};
	struct prepared prepared = PREPARE(grants, steps);

	(void)state;
	assert_int_equal(prepared.result, 0);
	assert_int_equal(prepared.view.step_count, DEFAULTS + COUNT(steps));
	assert_int_equal(prepared.view.source_count, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(prepared.view.sources[i].path, at(rows[i].name));
		assert_int_equal(prepared.view.sources[i].place, DEFAULTS + rows[i].place);
	}
	mountns_release(&prepared.view);
}

static void test_redundant(void **state)
{
	const struct mount_step steps[] = { { .kind = STEP_TMPFS, .dest = at("dir") } };
	const struct grant same[] = { { at("dir/sub/leaf"), R, false },
				      { at("dir"), R, false },
				      { at("dir/sub"), R, false },
				      { at("dir-x"), R, false } };
	const struct grant between[] = { { at("dir"), R, false },
					 { at("dir/sub"), RW, false },
					 { at("dir/sub/deep"), R, false } };
	const struct grant all[] = { { "/", RX, false },
				     { at("dir"), RX, false },
				     { at("dir2"), R, false } };
	struct prepared prepared = PREPARE_GRANTS(same);

	(void)state;
	assert_int_equal(prepared.view.source_count, 2);
	assert_source(&prepared.view, 0, at("dir"), R);
	assert_source(&prepared.view, 1, at("dir-x"), R);
	mountns_release(&prepared.view);
	/* The nearest one above has other rights. */
	prepared = PREPARE_GRANTS(between);
	assert_int_equal(prepared.view.source_count, 3);
	mountns_release(&prepared.view);
	/* A step comes between the two and hides what is below. */
	prepared = PREPARE(same, steps);
	assert_int_equal(prepared.view.source_count, 3);
	assert_source(&prepared.view, 0, at("dir"), R);
	assert_source(&prepared.view, 1, at("dir-x"), R);
	assert_source(&prepared.view, 2, at("dir/sub"), R);
	mountns_release(&prepared.view);
	prepared = PREPARE_GRANTS(all);
	assert_int_equal(prepared.view.sources[0].place, 0);
	assert_string_equal(prepared.view.sources[0].path, "/");
	assert_int_equal(prepared.view.source_count, 3);
	mountns_release(&prepared.view);
}

static size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Host mounts would stay busy. The leak sanitizer looks after the memory. */
static void test_descriptors_are_closed(void **state)
{
	static const char *const failing[] = { "loop",          "file/x",  "missing",
					       "magic-root",    "link-41", "dir/sub/../../missing",
					       NAME_OF_255 "x", "to-file/" };
	const struct grant grants[] = { { at("dir"), R, false },      { at("abs"), RW, false },
					{ at("dir/sub"), RW, false }, { at("rel"), R, false },
					{ at("dangling"), R, true },  { at("up"), R, false } };
	size_t before = count_descriptors();
	struct prepared prepared = PREPARE_GRANTS(grants);

	(void)state;
	assert_int_equal(prepared.result, 0);
	assert_int_equal(count_descriptors(), before + prepared.view.source_count);
	mountns_close_sources(&prepared.view);
	assert_int_equal(count_descriptors(), before);
	mountns_close_sources(&prepared.view);
	mountns_release(&prepared.view);
	mountns_release(&prepared.view);
	assert_int_equal(count_descriptors(), before);
	for (size_t i = 0; i < COUNT(failing); i++) {
		const struct grant some[] = { { at("dir"), R, false },
					      { at(failing[i]), R, false } };

		prepared = PREPARE_GRANTS(some);
		assert_int_equal(prepared.result, -1);
		mountns_release(&prepared.view);
		assert_int_equal(count_descriptors(), before);
	}
}

/* --- The order, against a slow way of finding it --------------------------------------------- */

enum { MOST_GRANTS = 12, MOST_STEPS = 5, NODES = 4 + 16 + 64 };

/* A grant after merging, or in the expected order. */
struct wanted {
	char path[PATH_MAX];
	unsigned int rights;
	size_t place;
};

static bool is_below(const char *path, const char *base)
{
	char with_slash[PATH_MAX], base_with_slash[PATH_MAX];

	snprintf(with_slash, sizeof(with_slash), "%s/", path);
	snprintf(base_with_slash, sizeof(base_with_slash), "%s/", base);
	return strncmp(with_slash, base_with_slash, strlen(base_with_slash)) == 0;
}

static size_t depth_of(const char *path)
{
	size_t depth = 0;

	for (; *path != '\0'; path++)
		depth += *path == '/';
	return depth;
}

/* These sort differently with and without regard to the slash. */
static const char *const letters[] = { "a", "a-", "ab", "a\xff" };

static void node_name(size_t node, char *name)
{
	if (node < 4) {
		sprintf(name, "order/%s", letters[node]);
		return;
	}
	node_name(node / 4 - 1, name);
	sprintf(name + strlen(name), "/%s", letters[node % 4]);
}

static size_t merge(struct wanted *wanted, const struct grant *grants, size_t count)
{
	size_t merged = 0;

	for (size_t i = 0; i < count; i++) {
		size_t found = 0;

		while (found < merged && strcmp(wanted[found].path, grants[i].path) != 0)
			found++;
		if (found == merged) {
			strcpy(wanted[merged].path, grants[i].path);
			wanted[merged++].rights = 0;
		}
		wanted[found].rights |= grants[i].rights | R;
	}
	return merged;
}

static bool comes_before(const struct wanted *a, const struct wanted *b)
{
	if (a->place != b->place)
		return a->place < b->place;
	if (depth_of(a->path) != depth_of(b->path))
		return depth_of(a->path) < depth_of(b->path);
	return strcmp(a->path, b->path) < 0;
}

static bool is_redundant(const struct wanted *wanted, size_t count, size_t i)
{
	const struct wanted *nearest = NULL;

	for (size_t above = 0; above < count; above++)
		if (above != i && is_below(wanted[i].path, wanted[above].path) &&
		    (nearest == NULL || depth_of(wanted[above].path) > depth_of(nearest->path)))
			nearest = &wanted[above];
	return nearest != NULL && nearest->rights == wanted[i].rights &&
	       nearest->place == wanted[i].place;
}

/* Who owns PATH after all the mounts in order: the last one at or above it. Steps are 1000 + index. */
static size_t owner(const struct wanted *wanted, size_t count, const struct view *view,
		    const char *path)
{
	size_t last = 0, next = 0;

	for (size_t step = 0; step <= view->step_count; step++) {
		for (; next < count && wanted[next].place == step; next++)
			if (is_below(path, wanted[next].path))
				last = wanted[next].rights;
		if (step < view->step_count && is_below(path, view->steps[step].dest))
			last = 1000 + step;
	}
	assert_int_equal(next, count);
	return last;
}

static void sort(struct wanted *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t other = i + 1; other < count; other++)
			if (comes_before(&wanted[other], &wanted[i])) {
				struct wanted swap = wanted[i];

				wanted[i] = wanted[other];
				wanted[other] = swap;
			}
}

/* What is seen at every path is what all the grants, also the ones left out, would make of it. */
static void check_owners(const struct wanted *wanted, size_t count, const struct view *view)
{
	struct wanted made[MOST_GRANTS];
	char name[64];

	for (size_t i = 0; i < view->source_count; i++) {
		strcpy(made[i].path, view->sources[i].path);
		made[i].rights = view->sources[i].rights;
		made[i].place = view->sources[i].place;
	}
	for (size_t node = 0; node < NODES; node++) {
		node_name(node, name);
		assert_int_equal(owner(made, view->source_count, view, at(name)),
				 owner(wanted, count, view, at(name)));
	}
}

static void check_order(const struct grant *grants, size_t grant_count,
			const struct mount_step *steps, size_t step_count)
{
	struct prepared prepared = prepare(grants, grant_count, steps, step_count);
	struct wanted wanted[MOST_GRANTS];
	size_t count = merge(wanted, grants, grant_count), kept = 0;

	assert_int_equal(prepared.result, 0);
	assert_int_equal(prepared.view.step_count, DEFAULTS + step_count);
	for (size_t i = 0; i < count; i++) {
		size_t place = 0;

		while (place < step_count && !is_below(steps[place].dest, wanted[i].path))
			place++;
		wanted[i].place = DEFAULTS + place;
	}
	sort(wanted, count);
	for (size_t i = 0; i < count; i++) {
		if (is_redundant(wanted, count, i))
			continue;
		assert_source(&prepared.view, kept, wanted[i].path, wanted[i].rights);
		assert_int_equal(prepared.view.sources[kept].place, wanted[i].place);
		kept++;
	}
	assert_int_equal(prepared.view.source_count, kept);
	check_owners(wanted, count, &prepared.view);
	mountns_release(&prepared.view);
}

static void test_order_random(void **state)
{
	char paths[MOST_GRANTS][PATH_MAX], dests[MOST_STEPS][PATH_MAX], name[64];

	(void)state;
	srandom(5);
	if (mkdir(at("order"), 0755) == 0)
		for (size_t node = 0; node < NODES; node++) {
			node_name(node, name);
			make_dir(name);
		}
	for (int round = 0; round < 2000; round++) {
		struct grant grants[MOST_GRANTS];
		struct mount_step steps[MOST_STEPS];
		size_t grant_count = (size_t)random() % (MOST_GRANTS + 1);
		size_t step_count = (size_t)random() % (MOST_STEPS + 1);
		/* Often only few paths, so that many are the same or lie below each other. */
		size_t nodes = (size_t[]){ 6, 20, NODES }[random() % 3];

		for (size_t i = 0; i < grant_count; i++) {
			node_name((size_t)random() % nodes, name);
			grants[i] = (struct grant){ strcpy(paths[i], at(name)),
						    (unsigned int[]){ R, R, RW, RX,
								      GRANT_EXEC }[random() % 5],
						    random() % 2 };
		}
		for (size_t i = 0; i < step_count; i++) {
			node_name((size_t)random() % nodes, name);
			steps[i] = (struct mount_step){ .kind = STEP_TMPFS,
							.dest = strcpy(dests[i], at(name)) };
		}
		check_order(grants, grant_count, steps, step_count);
	}
}

/* --- Random links, against the kernel's own opinion ------------------------------------------ */

static void random_text(char *text, size_t pieces)
{
	static const char *const words[] = { "a",  "b",  "c",  "f",  "l0", "l1", "l2",  "l3",
					     "l4", "l5", "..", "..", ".",  "",   "a/b", "missing" };

	text[0] = '\0';
	for (size_t i = 0; i < pieces; i++)
		sprintf(text + strlen(text), "%s%s", i == 0 ? "" : "/",
			words[(size_t)random() % COUNT(words)]);
	if (text[0] == '\0' || text[0] == '/')
		strcpy(text, ".");
}

/* A small tree with directories a, a/b, c, files f and a/f, and six links anywhere to anywhere. */
static void make_random_tree(const char *name)
{
	static const char *const dirs[] = { "", "/a", "/a/b", "/c" };
	char path[128], text[2 * PATH_MAX], relative[64];

	for (size_t i = 0; i < COUNT(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", name, dirs[i]);
		make_dir(path);
	}
	snprintf(path, sizeof(path), "%s/f", name);
	make_file(path);
	snprintf(path, sizeof(path), "%s/a/f", name);
	make_file(path);
	for (int i = 0; i < 6; i++) {
		random_text(relative, 1 + (size_t)random() % 3);
		snprintf(text, sizeof(text), "%s/%s/%s", top, name, relative);
		snprintf(path, sizeof(path), "%s%s/l%d", name,
			 dirs[random() % 2 ? 0 : random() % 4], i);
		make_link(random() % 3 ? relative : text, path);
	}
}

/* Where openat2(RESOLVE_IN_ROOT) gets in a new tree that holds the links and the source alone: to the
 * source, if all that is needed was remembered. */
static void check_links(const struct view *view, const char *path)
{
	struct kernel_open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = 0x10 };
	const char *source = view->sources[0].path;
	char inside[3 * PATH_MAX], root[PATH_MAX], link[64];
	int fd, rootfd;
	ssize_t length;

	strcpy(root, at("again"));
	make_dir("again");
	/* Directories first: a link lies in one. */
	for (size_t i = 0; i <= 2 * view->link_count; i++) {
		const struct link *one =
			&view->links[i % (view->link_count ? view->link_count : 1)];
		const char *what = i == 2 * view->link_count ? source : one->path;
		bool directory =
			i == 2 * view->link_count ? view->sources[0].directory : one->text == NULL;

		for (const char *slash = strchr(what + 1, '/'); slash != NULL;
		     slash = strchr(slash + 1, '/')) {
			snprintf(inside, sizeof(inside), "%s%.*s", root, (int)(slash - what), what);
			mkdir(inside, 0755);
		}
		snprintf(inside, sizeof(inside), "%s%s", root, what);
		if (directory)
			mkdir(inside, 0755);
		else if (i == 2 * view->link_count)
			close(open(inside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		else if (i >= view->link_count)
			symlink(one->text, inside);
	}
	rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Whatever else is mounted or renamed on this machine, too: openat2(2), EAGAIN. */
	do {
		fd = sys_openat2(rootfd, path, &how);
	} while (fd == -EAGAIN);
	if (fd < 0)
		fail_msg("%s does not lead anywhere inside: %s", path, strerror(-fd));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, inside, sizeof(inside) - 1);
	assert_true(length > 0);
	inside[length] = '\0';
	assert_string_equal(inside + strlen(root), strcmp(source, "/") == 0 ? "" : source);
	close(fd);
	close(rootfd);
	remove_below(AT_FDCWD, root);
}

static void check_like_kernel(const char *path)
{
	struct prepared prepared = prepare_one(path);
	char link[64], canonical[PATH_MAX];
	int fd = open(path, O_PATH | O_CLOEXEC), error = errno;
	ssize_t length;

	if (fd < 0) {
		if (prepared.result == 0)
			fail_msg("%s was taken, but: %s", path, strerror(error));
		assert_int_equal(prepared.fault.error, error);
		mountns_release(&prepared.view);
		return;
	}
	if (prepared.result != 0)
		fail_msg("%s: %s", path, strerror(prepared.fault.error));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, canonical, sizeof(canonical) - 1);
	assert_true(length > 0);
	canonical[length] = '\0';
	assert_source(&prepared.view, 0, canonical, R);
	if (!no_openat2 && prepared.view.link_count > 0)
		check_links(&prepared.view, path);
	mountns_release(&prepared.view);
	close(fd);
}

static void test_links_random(void **state)
{
	char path[2 * PATH_MAX], text[64];

	(void)state;
	srandom(6);
	for (int tree = 0; tree < 60; tree++) {
		make_random_tree("random");
		for (int round = 0; round < 60; round++) {
			random_text(text, 1 + (size_t)random() % 5);
			snprintf(path, sizeof(path), "%s/random/%s", top, text);
			check_like_kernel(path);
		}
		remove_below(AT_FDCWD, at("random"));
	}
}

/* --- Without openat2 ------------------------------------------------------------------------- */

static int deny_openat2(void **state)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(code), code };
	struct kernel_open_how how = { .flags = O_PATH };

	(void)state;
	if (!no_openat2 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0))
		return -1;
	no_openat2 = true;
	return sys_openat2(AT_FDCWD, "/", &how) == -ENOSYS ? 0 : -1;
}

#define TESTS(row)                                                                                 \
	row(test_plain_paths), row(test_links), row(test_up), row(test_remembered_links),          \
		row(test_remembered_directories), row(test_loops), row(test_chain_lengths),        \
		row(test_links_of_procfs), row(test_missing), row(test_a_file_is_no_directory),    \
		row(test_optional), row(test_long_names), row(test_long_paths),                    \
		row(test_long_canonical_path), row(test_relative), row(test_rights_add_up),        \
		row(test_nothing_asked), row(test_defaults_left_out), row(test_places),            \
		row(test_redundant), row(test_descriptors_are_closed), row(test_order_random),     \
		row(test_links_random)
#define WITHOUT_OPENAT2(test)                                                                      \
	{                                                                                          \
		.name = #test ", without openat2", .test_func = test, .setup_func = deny_openat2   \
	}

int main(void)
{
	/* The filter stays: the second half is behind it. */
	const struct CMUnitTest tests[] = { TESTS(cmocka_unit_test), TESTS(WITHOUT_OPENAT2) };

	return cmocka_run_group_tests_name("view", tests, set_up, tear_down);
}
