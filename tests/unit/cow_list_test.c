/* SPDX-License-Identifier: MIT */
/* The report of copy-on-write, of trees made by hand in overlayfs's format. */
#include "tests/unit/cow_trees.h"

static const struct item lower[] = {
	{ 'd', "", 0755, NULL },
	{ 'f', "same", 0644, "same" },
	{ 'f', "content", 0644, "one" },
	{ 'f', "shorter", 0644, "long text" },
	{ 'f', "mode", 0644, "x" },
	{ 'f', "time", 0644, "x" },
	{ 'a', "attribute", 0644, "1" },
	{ 'f', "gone", 0644, "x" },
	{ 'd', "gonedir", 0755, NULL },
	{ 'f', "gonedir/in", 0644, "x" },
	{ 'f', "type", 0644, "x" },
	{ 'd', "dirtype", 0755, NULL },
	{ 'l', "link", 0, "a" },
	{ 'l', "samelink", 0, "a" },
	{ 'd', "dir", 0755, NULL },
	{ 'f', "dir/kept", 0644, "x" },
	{ 'd', "dir.mode", 0755, NULL },
	{ 'd', "opaque", 0755, NULL },
	{ 'f', "opaque/left", 0644, "x" },
	{ 'f', "opaque/same", 0644, "x" },
	{ 'd', "opaque/deep", 0755, NULL },
	{ 'f', "opaque/deep/x", 0644, "x" },
	{ 'd', "opaque/sub", 0755, NULL },
	{ 'f', "opaque/sub/gone", 0644, "x" },
	{ 'd', "files", 0755, NULL },
	{ 'f', "files/white", 0644, "x" },
	{ 'f', "files/empty", 0644, "x" },
	{ 'f', "locked", 0, "x" },
	{ 'f', "copied", 0444, "x" },
};

static const struct item upper[] = {
	{ 'd', "", 0755, NULL },           { 'f', "same", 0644, "same" },
	{ 'f', "content", 0644, "two" },   { 'f', "shorter", 0644, "short" },
	{ 'f', "mode", 04755, "x" },       { 't', "time", 0644, "x" },
	{ 'a', "attribute", 0644, "2" },   { 'w', "gone", 0, NULL },
	{ 'w', "gonedir", 0, NULL },       { 'w', "never", 0, NULL },
	{ 'd', "type", 0755, NULL },       { 'f', "type/in", 0644, "x" },
	{ 'f', "dirtype", 0644, "x" },     { 'l', "link", 0, "b" },
	{ 'l', "samelink", 0, "a" },       { 'd', "dir", 0755, NULL },
	{ 'f', "dir/new\n", 0644, "x" },   { 'd', "dir.mode", 0700, NULL },
	{ 'o', "opaque", 0755, NULL },     { 'f', "opaque/same", 0644, "x" },
	{ 'd', "opaque/sub", 0755, NULL }, { 'f', "opaque/new", 0644, "x" },
	{ 'x', "files", 0755, NULL },      { 'e', "files/white", 0644, NULL },
	{ 'f', "files/empty", 0644, "" },  { 'd', "new", 0, NULL },
	{ 'd', "new/dir", 0, NULL },       { 'f', "new/dir/file", 0, "x" },
	{ 'p', "new/fifo", 0600, NULL },   { 's', "new/socket", 0600, NULL },
	{ 'e', "dir/e", 0600, NULL },      { 'f', "locked", 0, "y" },
	{ 'c', "copied", 0444, "x" },
};

static const char expected[] = "P  attribute\n"
			       "M  content\n"
			       "P  dir.mode/\n"
			       "A  dir/e\n"
			       "A  dir/new\\012\n"
			       "T  dirtype\n"
			       "M  files/empty\n"
			       "D  files/white\n"
			       "D  gone\n"
			       "D  gonedir/\n"
			       "M  link\n"
			       "M  locked\n"
			       "P  mode\n"
			       "A  new/\n"
			       "A  new/dir/\n"
			       "A  new/dir/file\n"
			       "A  new/fifo\n"
			       "A  new/socket\n"
			       "D  opaque/deep/\n"
			       "D  opaque/left\n"
			       "A  opaque/new\n"
			       "D  opaque/sub/gone\n"
			       "M  shorter\n"
			       "P  time\n"
			       "T  type/\n"
			       "A  type/in\n";

static void list(char text[4096])
{
	struct cow_changes changes;
	int fds[2];
	ssize_t size;

	check(cow_open(&store, at(top, "store"), &fault));
	check(cow_list(&store, &changes, &fault));
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(cow_print(&changes, fds[1]), 0);
	close(fds[1]);
	size = read(fds[0], text, 4095);
	text[size > 0 ? size : 0] = '\0';
	close(fds[0]);
	cow_free_changes(&changes);
	cow_close(&store);
}

static mode_t mode_of(const char *name)
{
	struct stat stat;

	assert_int_equal(lstat(at(top, name), &stat), 0);
	return stat.st_mode & 07777;
}

static void test_all_kinds(void **state)
{
	char text[4096], *before, *after;

	(void)state;
	assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
	build(at(top, "lower"), lower, COUNT(lower));
	make_store("store", at(top, "lower"), upper, COUNT(upper));
	before = description(at(top, "lower"));
	list(text);
	assert_string_equal(text, expected);
	after = description(at(top, "lower"));
	assert_string_equal(before, after);
	/* And again: it has changed nothing in the store either. */
	list(text);
	assert_string_equal(text, expected);
	assert_int_equal(mode_of("store/upper/new"), 0);
	assert_int_equal(mode_of("store/upper/locked"), 0);
	assert_int_equal(be(0), 0);
	if (geteuid() == 0)
		assert_int_equal(mode_of("store/upper/new/dir"), 0);
	free(before);
	free(after);
}

static void test_nothing(void **state)
{
	static const struct item root[] = { { 'd', "", 0750, NULL } };
	char text[4096];

	(void)state;
	assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
	make_store("store", at(top, "lower"), NULL, 0);
	list(text);
	assert_string_equal(text, "");
	build(at(top, "store/upper"), root, 1);
	list(text);
	assert_string_equal(text, "P  ./\n");
}

static void test_foreign(void **state)
{
	static const struct item items[] = { { 'd', "", 0750, NULL }, { 'f', "f", 0644, "" } };
	static const char *const names[] = { "user.overlay.metacopy", "user.overlay.redirect" };
	struct cow_changes changes;

	(void)state;
	assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
	make_store("store", at(top, "lower"), items, COUNT(items));
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(setxattr(at(top, "store/upper/f"), names[i], "x", 1, 0), 0);
		check(cow_open(&store, at(top, "store"), &fault));
		assert_int_equal(cow_list(&store, &changes, &fault), -1);
		assert_string_equal(fault.reason, "has attributes of another kind of overlay");
		assert_string_equal(fault.object, "f");
		assert_int_equal(changes.count, 0);
		cow_close(&store);
		assert_int_equal(removexattr(at(top, "store/upper/f"), names[i]), 0);
	}
}

/* Holes are no difference, and data behind a hole is. */
static void test_holes(void **state)
{
	static const struct item items[] = { { 'd', "", 0755, NULL }, { 'f', "f", 0644, "" } };
	const off_t size = (off_t)1 << 33;
	char text[4096];
	int fd;

	(void)state;
	assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
	build(at(top, "lower"), items, COUNT(items));
	assert_int_equal(truncate(at(top, "lower/f"), size), 0);
	make_store("store", at(top, "lower"), items, COUNT(items));
	fd = open(at(top, "store/upper/f"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(pwrite(fd, "\0", 1, size - 5), 1);
	list(text);
	assert_string_equal(text, "P  f\n");
	assert_int_equal(pwrite(fd, "x", 1, size - 5), 1);
	list(text);
	assert_string_equal(text, "M  f\n");
	close(fd);
}

/* No way leads through a link, nor to where a directory is not any more. */
static void test_cursor(void **state)
{
	struct cow_cursor cursor;
	int fd = open(top, O_PATH | O_CLOEXEC);

	(void)state;
	assert_int_equal(mkdir(at(top, "d"), 0755), 0);
	assert_int_equal(mkdir(at(top, "d/e"), 0755), 0);
	assert_int_equal(symlink("d", at(top, "link")), 0);
	assert_int_equal(cow_cursor_start(&cursor, fd), 0);
	close(fd);
	assert_int_equal(cow_cursor_down(&cursor, "link"), -ENOTDIR);
	assert_int_equal(cow_cursor_down(&cursor, "none"), -ENOENT);
	assert_int_equal(cow_cursor_down(&cursor, "d"), 0);
	assert_int_equal(cow_cursor_down(&cursor, "e"), 0);
	assert_int_equal(rename(at(top, "d/e"), at(top, "e")), 0);
	assert_int_equal(cow_cursor_up(&cursor), -ESTALE);
	assert_int_equal(rename(at(top, "e"), at(top, "d/e")), 0);
	assert_int_equal(cow_cursor_up(&cursor), 0);
	assert_int_equal(cow_cursor_up(&cursor), 0);
	assert_int_equal(cursor.depth, 1);
	cow_cursor_end(&cursor);
}

/* A box can make names without end: of these the paths alone would have more than 300 MB. */
static void test_too_long(void **state)
{
	struct cow_changes changes;
	char name[240];
	int fd, next;

	(void)state;
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
	make_store("store", at(top, "lower"), NULL, 0);
	fd = open(at(top, "store/upper"), O_PATH | O_CLOEXEC);
	for (int depth = 0; depth < 1600; depth++) {
		assert_int_equal(mkdirat(fd, name, 0700), 0);
		next = openat(fd, name, O_PATH | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	check(cow_open(&store, at(top, "store"), &fault));
	assert_int_equal(cow_list(&store, &changes, &fault), -1);
	assert_string_equal(fault.reason, "has more changes than can be listed");
	assert_int_equal(changes.count, 0);
	check(cow_commit(&store, &changes, &fault));
	cow_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_all_kinds), BOTH(test_nothing), BOTH(test_foreign),
		BOTH(test_holes),     BOTH(test_cursor),  BOTH(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
