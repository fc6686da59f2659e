/* SPDX-License-Identifier: MIT */
/* The tree of the backend "notify": made, filled, and what has changed in it collected. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

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
static int own_fds;

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
	store.backend = COW_NOTIFY;
	check(cow_save(&store, &fault));
	cow_wait(&store);
	check(tree_make(&store, &fault));
	check(tree_open(&tree, &store, &fault));
	own_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void unmake(void)
{
	close(own_fds);
	tree_close(&tree);
	cow_close(&store);
}

static int fill(const char *name)
{
	int result, fd = open(at(at(top, "store/tree"), name), O_PATH | O_NOFOLLOW | O_CLOEXEC);

	assert_true(fd >= 0);
	result = tree_fill(&tree, own_fds, fd, false);
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

/* A user may not read it, and so never gets it. */
static void drop_locked(void)
{
	if (geteuid() == 0)
		return;
	assert_int_equal(unlink(at(top, "lower/locked")), 0);
	assert_int_equal(unlink(at(top, "store/tree/locked")), 0);
	build(at(top, "lower"), lower, 1);
	build(at(top, "store/tree"), lower, 1);
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
	drop_locked();
	below = description(at(top, "lower"));
	here = description(at(top, "store/tree"));
	assert_string_equal(below, here);
	free(below);
	free(here);
	unmake();
}

/* --- Collecting ----------------------------------------------------------------------------------- */

static void print(struct cow_changes *list, char text[4096])
{
	int fds[2];
	ssize_t size;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(cow_print(list, fds[1]), 0);
	close(fds[1]);
	size = read(fds[0], text, 4095);
	text[size > 0 ? size : 0] = '\0';
	close(fds[0]);
	cow_free_changes(list);
}

static void collect(char text[4096])
{
	struct cow_changes list;

	check(tree_collect(&store, &fault));
	check(cow_list(&store, &list, &fault));
	print(&list, text);
}

static const char *in(const char *name)
{
	return at(at(top, "store/tree"), name);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void test_nothing_has_changed(void **state)
{
	char text[4096], *before, *after;

	(void)state;
	make();
	before = description(at(top, "lower"));
	fill_all();
	collect(text);
	assert_string_equal(text, "");
	/* Nothing of what was read alone is there, so that it cannot be in conflict with anything. */
	assert_int_equal(rmdir(at(top, "store/upper")), 0);
	after = description(at(top, "lower"));
	assert_string_equal(before, after);
	free(before);
	free(after);
	unmake();
}

static void change(void)
{
	assert_int_equal(fill("plain"), 1);
	write_file(in("plain"), "other");
	assert_int_equal(unlink(in("readonly")), 0);
	assert_int_equal(chmod(in("suid"), 0700), 0);
	assert_int_equal(chmod(in("hole"), 0), 0);
	assert_int_equal(setxattr(in("attribute"), "user.overlay.whiteout", "y", 1, 0), 0);
	assert_int_equal(rename(in("link"), in("hook")), 0);
	assert_int_equal(unlink(in("fifo")), 0);
	assert_int_equal(mkdir(in("fifo"), 0755), 0);
	assert_int_equal(rename(in("dir"), in("moved")), 0);
	assert_int_equal(mkdir(in("new"), 0700), 0);
	write_file(in("new/file"), "text");
	assert_int_equal(mkfifo(in("new/pipe"), 0600), 0);
	assert_int_equal(chmod(in("new"), 0), 0);
}

static const char changes[] = "D  dir/\n"
			      "T  fifo/\n"
			      "P  hole/\n"
			      "A  hook\n"
			      "D  link\n"
			      "A  moved/\n"
			      "A  moved/a\n"
			      "A  moved/sub/\n"
			      "A  moved/sub/b\\012\\377\n"
			      "M  name\n"
			      "A  new/\n"
			      "A  new/file\n"
			      "A  new/pipe\n"
			      "M  plain\n"
			      "D  readonly\n"
			      "P  suid\n";

static void test_changes(void **state)
{
	char text[4096];

	(void)state;
	make();
	change();
	collect(text);
	assert_string_equal(text, changes);
	unmake();
}

/* Never returns. */
static void collect_traced(void)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) != 0 ||
	    cow_open(&store, at(top, "store"), &fault) < 0)
		_exit(2);
	_exit(store.state == COW_ENDED || tree_collect(&store, &fault) == 0 ? 0 : 1);
}

/* Collects, and is killed in call number STEP. False: it came to its end. */
static bool collect_killed(int step)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		collect_traced();
	assert_int_equal(waitpid(child, &status, 0), child);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (int stops = 0; stops < 2 * step + 1; stops++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, 0, 0), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return true;
}

static void test_killed(void **state)
{
	struct cow_changes list;
	char text[4096];
	int step = 0;

	(void)state;
	make();
	change();
	unmake();
	while (collect_killed(step))
		step += 3;
	assert_true(step > 300);
	check(cow_open(&store, at(top, "store"), &fault));
	assert_int_equal(store.state, COW_ENDED);
	check(cow_list(&store, &list, &fault));
	print(&list, text);
	assert_string_equal(text, changes);
	cow_close(&store);
}

static void test_commit(void **state)
{
	struct cow_changes conflicts;
	char text[4096];
	char *below, *here;

	(void)state;
	make();
	fill_all();
	drop_locked();
	change();
	assert_int_equal(removexattr(in("attribute"), "user.overlay.whiteout"), 0);
	here = description(at(top, "store/tree"));
	collect(text);
	check(cow_commit(&store, &conflicts, &fault));
	below = description(at(top, "lower"));
	assert_string_equal(below, here);
	free(below);
	free(here);
	unmake();
}

/* A file that has the name of another one is another one, even if it has got its number, too. */
static void test_successors(void **state)
{
	char text[4096];

	(void)state;
	make();
	for (int i = 0; i < 50; i++) {
		assert_int_equal(unlink(in("dir/a")), 0);
		write_file(in("dir/a"), "Z");
		assert_int_equal(fill("dir/a"), 0);
	}
	collect(text);
	assert_string_equal(text, "M  dir/a\n");
	unmake();
}

static void test_lower_files_that_change(void **state)
{
	struct stat stat;
	char text[64] = "";
	int fd;

	(void)state;
	make();
	write_file(at(top, "lower/plain"), "a text that is longer");
	assert_int_equal(unlink(at(top, "lower/dir/a")), 0);
	assert_int_equal(fill("plain"), 1);
	assert_int_equal(fill("dir/a"), -ENOENT);
	fd = open(in("plain"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 21);
	close(fd);
	assert_string_equal(text, "a text that is longer");
	/* What it was before it failed. */
	assert_int_equal(lstat(in("dir/a"), &stat), 0);
	assert_int_equal(stat.st_size, 1);
	unmake();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_all_is_as_below),
		BOTH(test_nothing_has_changed),
		BOTH(test_changes),
		BOTH(test_commit),
		BOTH(test_killed),
		BOTH(test_successors),
		BOTH(test_lower_files_that_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
