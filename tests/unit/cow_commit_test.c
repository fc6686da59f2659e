/* SPDX-License-Identifier: MIT */
/* The commit of copy-on-write: what it makes, that it can be killed at every step, and what it refuses. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/unit/cow_trees.h"

static const struct item lower[] = {
	{ 'd', "", 0755, NULL },
	{ 'f', "content", 0644, "one" },
	{ 'f', "kept", 0644, "x" },
	{ 'f', "gone", 0644, "x" },
	{ 'd', "gonedir", 0555, NULL },
	{ 'd', "gonedir/in", 0700, NULL },
	{ 'f', "gonedir/in/x", 0644, "x" },
	{ 'f', "type", 0644, "x" },
	{ 'd', "dirtype", 0755, NULL },
	{ 'f', "dirtype/in", 0644, "x" },
	{ 'l', "link", 0, "a" },
	{ 'd', "dir", 0755, NULL },
	{ 'f', "dir/kept", 0644, "x" },
	{ 'd', "locked", 0555, NULL },
	{ 'f', "locked/kept", 0644, "x" },
	{ 'd', "opaque", 0755, NULL },
	{ 'f', "opaque/left", 0644, "x" },
	{ 'f', "opaque/same", 0644, "x" },
	{ 'd', "files", 0755, NULL },
	{ 'f', "files/white", 0644, "x" },
	{ 'f', "copied", 0444, "x" },
};

static const struct item upper[] = {
	{ 'd', "", 0750, NULL },
	{ 'f', "content", 0640, "two" },
	{ 'w', "gone", 0, NULL },
	{ 'w', "gonedir", 0, NULL },
	{ 'w', "never", 0, NULL },
	{ 'o', "type", 0755, NULL },
	{ 'f', "type/in", 0644, "x" },
	{ 'f', "dirtype", 0644, "x" },
	{ 'l', "link", 0, "b" },
	{ 'd', "dir", 0755, NULL },
	{ 'f', "dir/new\n\xff", 0644, "x" },
	{ 'a', "dir/attribute", 0644, "a" },
	{ 'o', "opaque", 0755, NULL },
	{ 'f', "opaque/same", 0644, "x" },
	{ 'd', "opaque/sub", 0, NULL },
	{ 'f', "opaque/sub/in", 0, "x" },
	{ 'x', "files", 0711, NULL },
	{ 'e', "files/white", 0644, NULL },
	{ 'f', "files/empty", 0644, "" },
	{ 'd', "locked", 0555, NULL },
	{ 'f', "locked/new", 0444, "x" },
	{ 'c', "copied", 0444, "y" },
	{ 'd', "new", 0, NULL },
	{ 'p', "new/fifo", 0600, NULL },
	{ 's', "new/socket", 0640, NULL },
	{ 'f', "first", 06755, "linked" },
	{ 'h', "new/second", 0, "first" },
	{ 'h', "dir/third", 0, "first" },
};

static const struct item expected[] = {
	{ 'd', "", 0750, NULL },
	{ 'f', "content", 0640, "two" },
	{ 'f', "kept", 0644, "x" },
	{ 'd', "type", 0755, NULL },
	{ 'f', "type/in", 0644, "x" },
	{ 'f', "dirtype", 0644, "x" },
	{ 'l', "link", 0, "b" },
	{ 'd', "dir", 0755, NULL },
	{ 'f', "dir/kept", 0644, "x" },
	{ 'f', "dir/new\n\xff", 0644, "x" },
	{ 'a', "dir/attribute", 0644, "a" },
	{ 'd', "opaque", 0755, NULL },
	{ 'f', "opaque/same", 0644, "x" },
	{ 'd', "opaque/sub", 0, NULL },
	{ 'f', "opaque/sub/in", 0, "x" },
	{ 'd', "files", 0711, NULL },
	{ 'f', "files/empty", 0644, "" },
	{ 'd', "locked", 0555, NULL },
	{ 'f', "locked/kept", 0644, "x" },
	{ 'f', "locked/new", 0444, "x" },
	{ 'f', "copied", 0444, "y" },
	{ 'd', "new", 0, NULL },
	{ 'p', "new/fifo", 0600, NULL },
	{ 's', "new/socket", 0640, NULL },
	{ 'f', "first", 06755, "linked" },
	{ 'h', "new/second", 0, "first" },
	{ 'h', "dir/third", 0, "first" },
};

/* What there is in the end, as text, to be freed. */
static char *wanted(void)
{
	char path[PATH_MAX], *text;

	snprintf(path, sizeof(path), "%s", at(top, "expected"));
	assert_int_equal(mkdir(path, 0700), 0);
	build(path, expected, COUNT(expected));
	text = description(path);
	remove_tree(path);
	return text;
}

/* A lower directory in PLACE and its store at top/store, with the changes. */
static void prepare(const char *place, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/lower", place);
	assert_int_equal(mkdir(path, 0755), 0);
	build(path, lower, COUNT(lower));
	make_store("store", path, upper, COUNT(upper));
}

static void commit(void)
{
	struct cow_changes conflicts;

	check(cow_open(&store, at(top, "store"), &fault));
	check(cow_commit(&store, &conflicts, &fault));
	assert_int_equal(conflicts.count, 0);
}

/* There are no changes any more, and the store can be used on. */
static void check_empty(void)
{
	struct cow_changes changes;

	assert_int_equal(store.state, COW_ENDED);
	assert_string_equal(store.staged, "");
	check(cow_list(&store, &changes, &fault));
	assert_int_equal(changes.count, 0);
	cow_free_changes(&changes);
	cow_close(&store);
	check(cow_open(&store, at(top, "store"), &fault));
	assert_int_equal(store.state, COW_ENDED);
	check(cow_discard(&store, &fault));
}

static void commit_in(const char *place)
{
	char path[PATH_MAX], *want = wanted(), *is;
	mode_t mask;

	prepare(place, path);
	mask = umask(0777);
	commit();
	assert_int_equal(umask(mask), 0777);
	is = description(path);
	assert_string_equal(is, want);
	check_empty();
	free(want);
	free(is);
}

static void test_commit(void **state)
{
	(void)state;
	commit_in(top);
}

static void test_other_file_system(void **state)
{
	(void)state;
	commit_in(other);
}

/* --- Killed --------------------------------------------------------------------------------------- */

static _Noreturn void commit_traced(void)
{
	struct cow_changes conflicts;

	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) != 0)
		_exit(1);
	if (cow_open(&store, at(top, "store"), &fault) < 0 ||
	    cow_commit(&store, &conflicts, &fault) < 0)
		_exit(2);
	_exit(0);
}

/* Kills a commit when it enters its call number STEP. Was there one? */
static bool commit_killed(int step)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		commit_traced();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(
		ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	for (int stops = 0; stops < 2 * step + 1; stops++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, 0, 0), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSTOPPED(status)) {
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
				fail_msg("step %d: the commit ended with %x", step, status);
			return false;
		}
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return true;
}

/* At each second step, beginning with another for a user. */
static void kill_in(const char *place)
{
	char path[PATH_MAX], *want = wanted(), *is;
	int step = geteuid() == 0;

	for (bool killed = true; killed; step += 2) {
		prepare(place, path);
		killed = commit_killed(step);
		commit();
		is = description(path);
		if (strcmp(is, want) != 0)
			fail_msg("killed at call %d: got\n%s\nwanted\n%s", step, is, want);
		free(is);
		check_empty();
		remove_tree(path);
	}
	assert_true(step > 300);
	free(want);
}

static void test_killed(void **state)
{
	(void)state;
	kill_in(top);
}

static void test_killed_copying(void **state)
{
	uid_t id = geteuid();

	(void)state;
	/* One in memory, where that can be had: on a disk it takes minutes. */
	assert_int_equal(be(0), 0);
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    sys_mount("none", "/", NULL, MS_REC | MS_PRIVATE) == 0)
		(void)sys_mount("none", other, "tmpfs", 0);
	assert_int_equal(chmod(other, 0777), 0);
	assert_int_equal(be(id), 0);
	kill_in(other);
	assert_int_equal(be(0), 0);
	(void)sys_umount2(other, MNT_DETACH);
}

/* --- Conflicts ------------------------------------------------------------------------------------ */

static const struct item small[] = {
	{ 'd', "", 0755, NULL },      { 'f', "a", 0644, "a" },    { 'f', "b", 0644, "b" },
	{ 'd', "d", 0755, NULL },     { 'd', "d/e", 0755, NULL }, { 'f', "d/e/f", 0644, "x" },
	{ 'd', "empty", 0755, NULL },
};

static const struct conflict_row {
	struct item changes[2]; /* of the box */
	const char *meanwhile;  /* of a shell in the lower directory */
	const char *conflicts;
} conflict_rows[] = {
	{ { { 'f', "a", 0644, "A" } }, ":", "" },
	{ { { 'f', "a", 0644, "A" } }, "echo x >b", "" },
	{ { { 'f', "a", 0644, "A" } }, "echo x >a", "M  a\n" },
	{ { { 'f', "a", 0644, "A" } }, "echo x >n; touch -r a n; mv n a", "M  a\n" },
	{ { { 'f', "a", 0644, "A" } }, "touch -d 2001-01-01 a", "M  a\n" },
	{ { { 'f', "a", 0644, "A" } }, "chmod 600 a", "M  a\n" },
	{ { { 'f', "a", 0644, "A" } }, "rm a; mkdir a", "D  a/\n" },
	{ { { 'c', "a", 0644, "A" } }, "rm a; mkdir a", "T  a\n" },
	{ { { 'c', "a", 0644, "A" } }, "rm a", "M  a\n" },
	{ { { 'c', "renamed", 0644, "A" } }, "echo x >b", "" },
	{ { { 'f', "new", 0644, "A" } }, "echo x >new", "M  new\n" },
	{ { { 'f', "new", 0644, "A" } }, "ln -s x new", "T  new\n" },
	{ { { 'w', "a", 0, NULL } }, "rm a", "" },
	{ { { 'w', "a", 0, NULL } }, "echo x >a", "D  a\n" },
	{ { { 'w', "d", 0, NULL } }, ":", "" },
	{ { { 'w', "d", 0, NULL } }, "echo x >d/e/f", "D  d/e/f\n" },
	{ { { 'w', "d", 0, NULL } }, "echo x >d/g; echo x >d/e/f", "D  d/e/f\nD  d/g\n" },
	{ { { 'w', "d", 0, NULL } }, "mkdir d/e/new", "D  d/e/new/\n" },
	{ { { 'w', "empty", 0, NULL } }, "rmdir empty; mkdir n; mv n empty", "D  empty/\n" },
	{ { { 'o', "d", 0755, NULL } }, "echo x >d/e/f", "D  d/e/f\n" },
	{ { { 'o', "d", 0755, NULL } }, "rm d/e/f", "" },
	{ { { 'o', "a", 0755, NULL } }, "echo x >a", "T  a/\n" },
	{ { { 'f', "d", 0644, "x" } }, "echo x >d/e/f", "D  d/e/f\n" },
	{ { { 'd', "d", 0755, NULL }, { 'f', "d/new", 0644, "x" } }, "echo x >d/e/f", "" },
	{ { { 'C', "d", 0755, NULL }, { 'f', "d/new", 0644, "x" } }, "rm -r d", "M  d/\n" },
	{ { { 'd', "d", 0755, NULL } }, "rm -r d; echo x >d", "T  d/\n" },
	{ { { 'o', "new", 0755, NULL } }, "mkdir new; echo x >new/x", "D  new/\nD  new/x\n" },
	{ { { 'd', "new", 0755, NULL }, { 'f', "new/a", 0644, "x" } },
	  "mkdir new; echo x >new/b",
	  "" },
};

static void read_changes(const struct cow_changes *changes, char text[4096])
{
	int fds[2];
	ssize_t size;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(cow_print(changes, fds[1]), 0);
	close(fds[1]);
	size = read(fds[0], text, 4095);
	text[size > 0 ? size : 0] = '\0';
	close(fds[0]);
}

static void shell(const char *directory, const char *text)
{
	uid_t id = geteuid();
	int status;
	pid_t child = fork();

	if (child == 0) {
		/* A shell takes its real user's rights. */
		if (be(0) < 0 || (getuid() == 0 && (setgid(id) < 0 || setuid(id) < 0)) ||
		    chdir(directory) < 0)
			_exit(126);
		execl("/bin/sh", "sh", "-c", text, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void run_conflict(const struct conflict_row *row, const char *path)
{
	char text[4096], *before, *after;
	struct cow_changes conflicts;
	int error;

	assert_int_equal(mkdir(path, 0755), 0);
	build(path, small, COUNT(small));
	make_store("store", path, row->changes, row->changes[1].path == NULL ? 1 : 2);
	shell(path, row->meanwhile);
	before = description(path);
	check(cow_open(&store, at(top, "store"), &fault));
	error = cow_commit(&store, &conflicts, &fault);
	read_changes(&conflicts, text);
	if (strcmp(text, row->conflicts) != 0 || (error < 0) != (conflicts.count > 0))
		fail_msg("%s %c, %s: %d %s", row->changes[0].path, row->changes[0].kind,
			 row->meanwhile, error, text);
	if (conflicts.count > 0) {
		assert_string_equal(fault.reason, "others have changed the same files meanwhile");
		after = description(path);
		assert_string_equal(before, after);
		assert_int_equal(store.state, COW_ENDED);
		free(after);
	}
	free(before);
	cow_free_changes(&conflicts);
	check(cow_discard(&store, &fault));
	remove_tree(path);
}

static void test_conflicts(void **state)
{
	char path[PATH_MAX];
	(void)state;
	snprintf(path, sizeof(path), "%s/lower", top);
	for (size_t i = 0; i < COUNT(conflict_rows); i++)
		run_conflict(&conflict_rows[i], path);
}

/* COPY gets the times of the file at PATH. */
static void put_times(const char *path, const char *copy)
{
	struct stat stat;

	assert_int_equal(lstat(path, &stat), 0);
	assert_int_equal(utimensat(AT_FDCWD, copy,
				   (const struct timespec[]){ stat.st_atim, stat.st_mtim }, 0),
			 0);
}

/* A file that the box has renamed has no lower one of that name either, and is no conflict for that. */
static void test_renamed(void **state)
{
	static const struct {
		struct item changes[3];
		size_t count;
		const char *was, *meanwhile, *conflicts;
	} rows[] = {
		{ { { 'c', "new", 0644, "x" }, { 'w', "a", 0, NULL } }, 2, "a", "echo >c", "" },
		{ { { 'c', "new", 0644, "x" }, { 'f', "a", 0644, "y" } }, 2, "a", "echo >c", "" },
		{ { { 'c', "new", 0644, "x" }, { 'w', "d", 0, NULL } }, 2, "d/e/f", "echo >c", "" },
		{ { { 'c', "new", 0644, "x" }, { 'w', "a", 0, NULL } },
		  2,
		  "a",
		  "echo >a",
		  "D  a\n" },
		{ { { 'c', "a", 0644, "x" }, { 'w', "b", 0, NULL } }, 2, "a", "rm a", "M  a\n" },
		{ { { 'c', "a", 0644, "x" } }, 1, "a", "rm a", "M  a\n" },
	};
	struct cow_changes conflicts;
	char path[PATH_MAX], text[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/lower", top);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(mkdir(path, 0755), 0);
		build(path, small, COUNT(small));
		make_store("store", path, rows[i].changes, rows[i].count);
		put_times(at(path, rows[i].was),
			  at(top, at("store/upper", rows[i].changes[0].path)));
		shell(path, rows[i].meanwhile);
		check(cow_open(&store, at(top, "store"), &fault));
		(void)cow_commit(&store, &conflicts, &fault);
		read_changes(&conflicts, text);
		if (strcmp(text, rows[i].conflicts) != 0)
			fail_msg("row %zu: %s", i, text);
		cow_free_changes(&conflicts);
		check(cow_discard(&store, &fault));
		remove_tree(path);
	}
}

/* Two boxes on one directory: the second commit conflicts on what both have changed, and nothing else. */
static void test_two_boxes(void **state)
{
	static const struct item first[] = {
		{ 'd', "", 0755, NULL },  { 'f', "a", 0644, "1" },      { 'w', "b", 0, NULL },
		{ 'd', "d", 0755, NULL }, { 'f', "d/new1", 0644, "1" },
	};
	static const struct item second[] = {
		{ 'd', "", 0755, NULL },      { 'f', "a", 0644, "2" },
		{ 'f', "c", 0644, "2" },      { 'd', "d", 0755, NULL },
		{ 'f', "d/new2", 0644, "2" }, { 'd', "d/e", 0755, NULL },
		{ 'f', "d/e/f", 0644, "2" },
	};
	struct cow_changes conflicts;
	char path[PATH_MAX], text[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/lower", top);
	assert_int_equal(mkdir(path, 0755), 0);
	build(path, small, COUNT(small));
	make_store("store", path, first, COUNT(first));
	make_store("second", path, second, COUNT(second));
	commit();
	check_empty();
	check(cow_open(&store, at(top, "second"), &fault));
	assert_int_equal(cow_commit(&store, &conflicts, &fault), -1);
	read_changes(&conflicts, text);
	assert_string_equal(text, "M  a\n");
	cow_free_changes(&conflicts);
	assert_int_equal(unlink(at(store.path, "upper/a")), 0);
	check(cow_commit(&store, &conflicts, &fault));
	cow_close(&store);
	assert_int_equal(access(at(path, "d/new1"), F_OK), 0);
	assert_int_equal(access(at(path, "d/new2"), F_OK), 0);
}

/* --- Others --------------------------------------------------------------------------------------- */

struct swapper {
	char here[PATH_MAX], aside[PATH_MAX], link[PATH_MAX];
	atomic_bool stop;
};

/* A directory that is a link for a moment, again and again. */
static void *swap(void *argument)
{
	struct swapper *swapper = argument;

	while (!atomic_load(&swapper->stop)) {
		if (rename(swapper->here, swapper->aside) < 0)
			continue;
		(void)symlink(swapper->link, swapper->here);
		(void)unlink(swapper->here);
		(void)rename(swapper->aside, swapper->here);
	}
	return NULL;
}

static void race(const char *here, const char *aside)
{
	static const struct item changes[] = {
		{ 'd', "", 0755, NULL },          { 'o', "d", 0755, NULL },
		{ 'f', "d/in", 0644, "new" },     { 'd', "d/e", 0700, NULL },
		{ 'f', "d/e/secret", 0666, "n" }, { 'w', "d/e/f", 0, NULL },
	};
	struct swapper swapper = { .stop = false };
	struct cow_changes conflicts;
	pthread_t thread;

	snprintf(swapper.here, PATH_MAX, "%s", here);
	snprintf(swapper.aside, PATH_MAX, "%s", aside);
	snprintf(swapper.link, PATH_MAX, "%s/outside", top);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
		build(at(top, "lower"), small, COUNT(small));
		make_store("store", at(top, "lower"), changes, COUNT(changes));
		atomic_store(&swapper.stop, false);
		assert_int_equal(pthread_create(&thread, NULL, swap, &swapper), 0);
		if (cow_open(&store, at(top, "store"), &fault) == 0) {
			(void)cow_commit(&store, &conflicts, &fault);
			cow_free_changes(&conflicts);
			cow_close(&store);
		}
		atomic_store(&swapper.stop, true);
		pthread_join(thread, NULL);
		remove_tree(at(top, "lower"));
		remove_tree(at(top, "store"));
		remove_tree(aside);
	}
}

static void test_links_into_the_way(void **state)
{
	static const struct item outside[] = {
		{ 'd', "", 0755, NULL },        { 'f', "secret", 0600, "secret" },
		{ 'd', "e", 0755, NULL },       { 'f', "e/f", 0600, "secret" },
		{ 'f', "e/secret", 0600, "s" }, { 'f', "in", 0600, "secret" },
	};
	char path[4][PATH_MAX], *before, *after;

	(void)state;
	assert_int_equal(mkdir(at(top, "outside"), 0755), 0);
	build(at(top, "outside"), outside, COUNT(outside));
	before = description(at(top, "outside"));
	snprintf(path[0], PATH_MAX, "%s/lower/d", top);
	snprintf(path[1], PATH_MAX, "%s/aside", top);
	snprintf(path[2], PATH_MAX, "%s/store/upper/d", top);
	snprintf(path[3], PATH_MAX, "%s/lower/d/e", top);
	race(path[0], path[1]);
	race(path[2], path[1]);
	race(path[3], path[1]);
	after = description(at(top, "outside"));
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void test_deep(void **state)
{
	char name[] = "dddddddddddddddddddd";
	const char *roots[] = { "lower", "store/upper" };
	struct cow_changes changes;
	int fd, next;

	(void)state;
	assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
	for (size_t i = 0; i < COUNT(roots); i++) {
		fd = open(at(top, roots[i]), O_PATH | O_CLOEXEC);
		for (int depth = 0; depth < 10000; depth++) {
			assert_int_equal(mkdirat(fd, name, 0700), 0);
			next = openat(fd, name, O_PATH | O_CLOEXEC);
			assert_true(next >= 0);
			close(fd);
			fd = next;
		}
		next = i == 0 ? 0 : openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(next >= 0);
		close(fd);
		if (i == 0)
			make_store("store", at(top, "lower"), NULL, 0);
		else
			close(next);
	}
	check(cow_open(&store, at(top, "store"), &fault));
	check(cow_list(&store, &changes, &fault));
	assert_int_equal(changes.count, 1);
	assert_int_equal(strlen(changes.list[0].path), 10000 * 21 + 4);
	cow_free_changes(&changes);
	check(cow_commit(&store, &changes, &fault));
	check_empty();
}

/* Waits until CHILD sleeps between two tries. */
static void await_sleep(pid_t child)
{
	char path[40], text[64];
	ssize_t size;
	long call = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", child);
	while (call != SYS_clock_nanosleep) {
		assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		size = read(fd, text, sizeof(text) - 1);
		text[size > 0 ? size : 0] = '\0';
		close(fd);
		call = strtol(text, NULL, 10);
	}
}

/* The lower directory is held by somebody else's commit. */
static void test_lower_locked(void **state)
{
	struct cow_changes conflicts;
	char path[PATH_MAX];
	pid_t child;
	int fd, status;

	(void)state;
	prepare(top, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	child = fork();
	if (child == 0) {
		close(fd);
		_exit(cow_open(&store, at(top, "store"), &fault) < 0 ||
		      cow_commit(&store, &conflicts, &fault) < 0);
	}
	assert_int_equal(be(0), 0);
	await_sleep(child);
	assert_int_equal(access(at(path, "new"), F_OK), -1);
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(access(at(path, "new"), F_OK), 0);
}

static void test_not_collected(void **state)
{
	struct cow_changes conflicts;
	char path[PATH_MAX];

	(void)state;
	prepare(top, path);
	check(cow_open(&store, at(top, "store"), &fault));
	store.state = COW_RUNNING;
	store.backend = COW_NOTIFY;
	assert_int_equal(cow_commit(&store, &conflicts, &fault), -1);
	assert_string_equal(fault.reason, "its changes were not collected yet");
	cow_close(&store);
}

static void test_many(void **state)
{
	struct cow_changes changes;
	char name[PATH_MAX];
	int fd;

	(void)state;
	assert_int_equal(mkdir(at(top, "lower"), 0755), 0);
	make_store("store", at(top, "lower"), NULL, 0);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "store/upper/%d", i);
		fd = open(at(top, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	check(cow_open(&store, at(top, "store"), &fault));
	check(cow_list(&store, &changes, &fault));
	assert_int_equal(changes.count, 10000);
	cow_free_changes(&changes);
	check(cow_commit(&store, &changes, &fault));
	check_empty();
	assert_int_equal(access(at(top, "lower/9999"), F_OK), 0);
}

/* --- With mounts of our own ----------------------------------------------------------------------- */

/* A small file system at other/NAME, in our own mount namespace. */
static bool mount_small(const char *path, const char *options)
{
	uid_t id = geteuid();
	bool mounted;

	assert_int_equal(be(0), 0);
	mounted = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		  sys_mount("none", "/", NULL, MS_REC | MS_PRIVATE) == 0 &&
		  sys_mount_data("none", path, "tmpfs", 0, options) == 0;
	assert_int_equal(be(id), 0);
	return mounted;
}

/* Nothing is lost where there is no room for the copy, and later there is. */
static void test_no_space(void **state)
{
	struct cow_changes conflicts;
	char path[PATH_MAX], *before, *after;
	int fd, fill;

	(void)state;
	if (!mount_small(other, "size=64k,mode=777")) {
		fprintf(stderr, "# no file system can be mounted\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/lower", other);
	assert_int_equal(mkdir(path, 0755), 0);
	build(path, small, COUNT(small));
	make_store("store", path, NULL, 0);
	fd = open(at(top, "store/upper/big"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < 40000; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	fill = open(at(other, "fill"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(posix_fallocate(fill, 0, 16384), 0);
	before = description(path);
	check(cow_open(&store, at(top, "store"), &fault));
	assert_int_equal(cow_commit(&store, &conflicts, &fault), -1);
	assert_int_equal(fault.error, ENOSPC);
	assert_string_equal(fault.object, "big");
	assert_int_equal(store.state, COW_ENDED);
	cow_close(&store);
	/* But for the half of a copy that the next one removes. */
	check(cow_open(&store, at(top, "store"), &fault));
	assert_int_equal(ftruncate(fill, 0), 0);
	check(cow_commit(&store, &conflicts, &fault));
	check_empty();
	assert_int_equal(access(at(path, "big"), F_OK), 0);
	assert_int_equal(unlink(at(path, "big")), 0);
	after = description(path);
	assert_string_equal(strchr(before, '\n'), strchr(after, '\n'));
	free(before);
	free(after);
	close(fill);
	assert_int_equal(be(0), 0);
	assert_int_equal(sys_umount2(other, MNT_DETACH), 0);
}

static void refuse_mount_below(const char *path)
{
	static const struct item rows[][2] = {
		{ { 'w', "d", 0, NULL }, { 'f', "new", 0644, "x" } },
		{ { 'o', "d", 0755, NULL }, { 'f', "new", 0644, "x" } },
		{ { 'd', "d", 0755, NULL }, { 'd', "d/e", 0755, NULL } },
	};
	struct cow_changes conflicts;

	assert_int_equal(mkdir(at(path, "d/e/precious"), 0755), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		make_store("store", path, rows[i], COUNT(rows[i]));
		check(cow_open(&store, at(top, "store"), &fault));
		assert_int_equal(cow_commit(&store, &conflicts, &fault), -1);
		assert_string_equal(fault.reason, "a file system is mounted there");
		check(cow_discard(&store, &fault));
		assert_int_equal(access(at(path, "d/e/precious"), F_OK), 0);
		assert_int_equal(access(at(path, "new"), F_OK), -1);
	}
}

/* What is mounted below was not seen by the box, and is not changed. */
static void test_mount_below(void **state)
{
	char path[PATH_MAX];
	uid_t id = geteuid();

	(void)state;
	snprintf(path, sizeof(path), "%s/lower", top);
	assert_int_equal(mkdir(path, 0755), 0);
	build(path, small, COUNT(small));
	assert_int_equal(mkdir(at(top, "more"), 0755), 0);
	if (!mount_small(at(path, "d/e"), "mode=777")) {
		fprintf(stderr, "# no file system can be mounted\n");
		skip();
	}
	/* The second time it is one of the same file system. */
	refuse_mount_below(path);
	assert_int_equal(be(0), 0);
	assert_int_equal(sys_umount2(at(path, "d/e"), MNT_DETACH), 0);
	assert_int_equal(sys_mount(at(top, "more"), at(path, "d/e"), NULL, MS_BIND), 0);
	assert_int_equal(be(id), 0);
	refuse_mount_below(path);
	assert_int_equal(be(0), 0);
	assert_int_equal(sys_umount2(at(path, "d/e"), MNT_DETACH), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_commit),         BOTH(test_other_file_system),  BOTH(test_killed),
		BOTH(test_killed_copying), BOTH(test_conflicts),          BOTH(test_renamed),
		BOTH(test_two_boxes),      BOTH(test_links_into_the_way), BOTH(test_deep),
		BOTH(test_lower_locked),   BOTH(test_not_collected),      BOTH(test_many),
		BOTH(test_no_space),       BOTH(test_mount_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
