/* SPDX-License-Identifier: MIT */
/* The tree of the backend "notify": made, filled, and what has changed in it collected. */
#include "tests/unit/cow_trees.h"

#include "mountns/tree.h"

static const struct item lower[] = {
	{ 'd', "", 0755, NULL },
	{ 'f', "plain", 0644, "some text" },
	{ 'f', "empty", 0600, "" },
	{ 'f', "readonly", 0444, "r" },
	{ 'f', "locked", 0000, "x" },
	{ 'f', "suid", 04755, "s" },
	{ 'a', "attribute", 0644, "1" },
	{ 'h', "name", 0, "plain" },
	{ 'l', "link", 0, "nowhere" },
	{ 'p', "fifo", 0620, NULL },
	{ 's', "socket", 0600, NULL },
	{ 'd', "dir", 0755, NULL },
	{ 'f', "dir/a", 0644, "a" },
	{ 'd', "dir/sub", 02711, NULL },
	{ 'f', "dir/sub/b\n\377", 0644, "b" },
	{ 'd', "sealed", 0555, NULL },
	{ 'f', "sealed/in", 0644, "in" },
	{ 'd', "hole", 0755, NULL },
};

static struct tree tree;
static int proc;

static void make(void)
{
	int fd;

	assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
	build(at(top, "lower"), lower, COUNT(lower));
	fd = open(at(top, "lower/hole/big"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(pwrite(fd, "begin", 5, 0), 5);
	assert_int_equal(pwrite(fd, "end", 3, 5000000), 3);
	close(fd);
	check(cow_create(&store, at(top, "lower"), at(top, "store"), &fault));
	cow_wait(&store);
	check(tree_make(&store, &fault));
	check(tree_open(&tree, &store, &fault));
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void unmake(void)
{
	close(proc);
	tree_close(&tree);
	cow_close(&store);
}

static int fill(const char *name)
{
	int result, fd = open(at(at(top, "store/tree"), name), O_PATH | O_NOFOLLOW | O_CLOEXEC);

	assert_true(fd >= 0);
	result = tree_fill(&tree, proc, fd, false);
	close(fd);
	return result;
}

static void fill_all(void)
{
	for (size_t i = 0; i < COUNT(lower); i++)
		if (strchr("fah", lower[i].kind) != NULL)
			assert_int_equal(fill(lower[i].path), geteuid() != 0 &&
									      lower[i].mode == 0 &&
									      lower[i].kind == 'f'
								      ? -EACCES
								      : 1);
	assert_int_equal(fill("hole/big"), 1);
}

static void test_all_is_as_below(void **state)
{
	char *below, *here;
	struct stat stat;

	(void)state;
	make();
	assert_int_equal(lstat(at(top, "store/tree/hole/big"), &stat), 0);
	assert_int_equal(stat.st_size, 5000003);
	assert_int_equal(stat.st_blocks, 0);
	fill_all();
	assert_int_equal(lstat(at(top, "store/tree/hole/big"), &stat), 0);
	assert_true(stat.st_blocks < 1000);
	/* A user may not read it, and so never gets it. */
	if (geteuid() != 0) {
		assert_int_equal(unlink(at(top, "lower/locked")), 0);
		assert_int_equal(unlink(at(top, "store/tree/locked")), 0);
		build(at(top, "lower"), lower, 1);
		build(at(top, "store/tree"), lower, 1);
	}
	below = description(at(top, "lower"));
	here = description(at(top, "store/tree"));
	assert_string_equal(below, here);
	free(below);
	free(here);
	unmake();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_all_is_as_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
