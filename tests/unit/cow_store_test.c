/* SPDX-License-Identifier: MIT */
/* Stores of copy-on-write: where they are made, what their state says, who may use them. As root and as a user. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mountns/cow_walk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOBODY 65534

static char top[64];
static struct fault fault;
static struct cow_store store;

static const char *at(const char *name)
{
	static char buffers[8][PATH_MAX];
	static unsigned int next;
	char *path = buffers[next++ % COUNT(buffers)];

	snprintf(path, sizeof(buffers[0]), "%s/%s", top, name);
	return path;
}

static int begin(void **state)
{
	(void)state;
	strcpy(top, "/tmp/nbt-cow.XXXXXX");
	if (mkdtemp(top) == NULL || mkdir(at("lower"), 0755) < 0 || mkdir(at("home"), 0755) < 0)
		return -1;
	setenv("HOME", at("home"), 1);
	unsetenv("XDG_STATE_HOME");
	setenv("TMPDIR", top, 1);
	return 0;
}

static int begin_as_user(void **state)
{
	return geteuid() != 0 || (setegid(NOBODY) == 0 && seteuid(NOBODY) == 0) ? begin(state) : -1;
}

static int end(void **state)
{
	int fd, error;

	(void)state;
	if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0))
		return -1;
	fd = open("/tmp", O_PATH | O_CLOEXEC);
	error = cow_remove(fd, top + strlen("/tmp/"), true);
	close(fd);
	return error;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static size_t entries_of(const char *path)
{
	struct cow_names names;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t count;

	assert_true(fd >= 0);
	assert_int_equal(cow_names_read(&names, fd), 0);
	close(fd);
	count = names.count;
	cow_names_free(&names);
	return count;
}

static void create(const char *path)
{
	if (cow_create(&store, at("lower"), path, &fault) < 0)
		fail_msg("%s: %s: %s", fault.object, strerror(fault.error),
			 fault.reason == NULL ? "" : fault.reason);
}

static void refuse(const char *lower, const char *path, int error, const char *reason)
{
	assert_int_equal(cow_create(&store, lower, path, &fault), -1);
	if (reason == NULL)
		assert_null(fault.reason);
	else
		assert_string_equal(fault.reason, reason);
	assert_int_equal(fault.error, error);
	assert_int_equal(store.dir, -1);
	assert_null(store.path);
}

static void test_create(void **state)
{
	struct stat stat;
	struct cow_store again;

	(void)state;
	assert_int_equal(chmod(at("lower"), 02750), 0);
	create(at("store"));
	assert_string_equal(store.path, at("store"));
	assert_string_equal(store.lower_path, at("lower"));
	assert_int_equal(store.state, COW_RUNNING);
	assert_int_equal(lstat(at("store"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0700);
	assert_int_equal(lstat(at("store/upper"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 02750);
	assert_int_equal(lstat(at("store/state"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0600);
	assert_int_equal(cow_open(&again, at("store"), &fault), -1);
	assert_string_equal(fault.reason, "a box or another command is using the store");
	cow_close(&store);
	assert_int_equal(cow_open(&again, at("store"), &fault), 0);
	assert_string_equal(again.lower_path, at("lower"));
	assert_int_equal(cow_discard(&again, &fault), 0);
	assert_int_equal(lstat(at("store"), &stat), -1);
	assert_int_equal(entries_of(at("lower")), 0);
}

static void test_save(void **state)
{
	struct cow_store again;

	(void)state;
	create(at("store"));
	store.state = COW_COMMITTING;
	store.backend = COW_NOTIFY;
	store.base.nanoseconds = 7;
	strcpy(store.staged, ".nestbox-commit-abc");
	assert_int_equal(cow_save(&store, &fault), 0);
	cow_close(&store);
	assert_int_equal(cow_open(&again, at("store"), &fault), 0);
	assert_int_equal(again.state, COW_COMMITTING);
	assert_int_equal(again.backend, COW_NOTIFY);
	assert_int_equal(again.base.nanoseconds, 7);
	assert_int_equal(again.base.seconds, store.base.seconds);
	assert_string_equal(again.staged, ".nestbox-commit-abc");
	/* With what was copied into the lower directory. */
	assert_int_equal(mkdir(at("lower/.nestbox-commit-abc"), 0), 0);
	assert_int_equal(cow_discard(&again, &fault), 0);
	assert_int_equal(entries_of(at("lower")), 0);
}

static void test_odd_names(void **state)
{
	char lower[PATH_MAX];

	(void)state;
	snprintf(lower, sizeof(lower), "%s/a\nb\\\xff=\t", top);
	assert_int_equal(mkdir(lower, 0700), 0);
	assert_int_equal(cow_create(&store, lower, at("s\n"), &fault), 0);
	cow_close(&store);
	assert_int_equal(cow_open(&store, at("s\n"), &fault), 0);
	assert_string_equal(store.lower_path, lower);
	assert_int_equal(cow_discard(&store, &fault), 0);
}

static void test_default_place(void **state)
{
	struct stat stat;
	mode_t mask = umask(0777);

	(void)state;
	create(NULL);
	assert_int_equal(umask(mask), 0777);
	assert_non_null(strstr(store.path, "/home/.local/state/nestbox/cow-"));
	assert_int_equal(lstat(at("home/.local"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0700);
	assert_int_equal(cow_discard(&store, &fault), 0);
	assert_int_equal(entries_of(at("home/.local/state/nestbox")), 0);
	assert_int_equal(chmod(at("home/.local/state/nestbox"), 0750), 0);
	refuse(at("lower"), NULL, 0, "others may enter it; chmod it to 0700");
	assert_int_equal(mkdir(at("xdg"), 0700), 0);
	setenv("XDG_STATE_HOME", at("xdg"), 1);
	create(NULL);
	assert_non_null(strstr(store.path, "/xdg/nestbox/cow-"));
	assert_int_equal(cow_discard(&store, &fault), 0);
	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("HOME", "/nonexistent", 1);
	create(NULL);
	assert_memory_equal(store.path, top, strlen(top));
	assert_non_null(strstr(store.path, "/nestbox-"));
	assert_int_equal(cow_discard(&store, &fault), 0);
}

/* What somebody else has put where the store would go in a directory of all. */
static void test_taken_place(void **state)
{
	char name[PATH_MAX];

	(void)state;
	setenv("HOME", "/nonexistent", 1);
	snprintf(name, sizeof(name), "%s/nestbox-%u", top, geteuid());
	assert_int_equal(symlink(at("home"), name), 0);
	refuse(at("lower"), NULL, ENOTDIR, NULL);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(mkdir(name, 0777), 0);
	assert_int_equal(chmod(name, 0777), 0);
	refuse(at("lower"), NULL, 0, "others may enter it; chmod it to 0700");
	if (getuid() == 0) {
		assert_int_equal(chmod(name, 0700), 0);
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(chown(name, 1, 1), 0);
		if (getegid() == 0) {
			refuse(at("lower"), NULL, 0, "is another user's");
			return;
		}
		assert_int_equal(seteuid(NOBODY), 0);
		refuse(at("lower"), NULL, 0, "is another user's");
	}
}

static void test_refused(void **state)
{
	static const char inside[] = "the store would lie in the directory itself";

	(void)state;
	refuse("/", NULL, 0, "the root directory cannot be copied on write");
	refuse("/proc/self/root/", at("store"), 0, "the root directory cannot be copied on write");
	refuse(at("none"), at("store"), ENOENT, NULL);
	write_file(at("file"), "x", 1);
	refuse(at("file"), at("store"), ENOTDIR, NULL);
	refuse(at("lower"), "", ENOENT, NULL);
	refuse(at("lower"), "/", EEXIST, NULL);
	refuse(at("lower"), at("file"), ENOTDIR, NULL);
	refuse(at("lower"), at("none/store"), ENOENT, NULL);
	refuse(at("lower"), at("lower"), 0, inside);
	refuse(at("lower"), at("lower/store"), 0, inside);
	refuse(at("lower"), at("lower/store//"), 0, inside);
	assert_int_equal(mkdir(at("lower/deep"), 0700), 0);
	refuse(at("lower"), at("lower/deep"), 0, inside);
	assert_int_equal(symlink(at("lower/deep"), at("link")), 0);
	refuse(at("lower"), at("link/store"), 0, inside);
	refuse(at("lower"), at("link/"), ENOTDIR, NULL);
	refuse(at("lower"), at("home/../lower/deep/."), 0, inside);
	setenv("HOME", at("lower"), 1);
	refuse(at("lower"), NULL, 0, inside);
	assert_int_equal(rmdir(at("lower/deep")), 0);
	assert_int_equal(entries_of(at("lower")), 0);
	refuse(at("lower"), top, 0, "is not empty");
	assert_int_equal(mkdir(at("empty"), 0755), 0);
	create(at("empty/"));
	assert_int_equal(cow_discard(&store, &fault), 0);
}

static void test_lower_replaced(void **state)
{
	(void)state;
	create(at("store"));
	cow_close(&store);
	assert_int_equal(rename(at("lower"), at("old")), 0);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_int_equal(fault.error, ENOENT);
	assert_int_equal(mkdir(at("lower"), 0755), 0);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_string_equal(fault.reason, "is not the directory any more that the store is of");
	assert_int_equal(rmdir(at("lower")), 0);
	assert_int_equal(symlink("old", at("lower")), 0);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_int_not_equal(fault.error, 0);
}

#define HEAD "nestbox-cow 1\nlower=/tmp\ninode=1\n"
#define REST "backend=overlay\nstate=ended\nstaged=\n"
#define GOOD HEAD "device=1:2\nbase=3.4\n" REST

static void test_damaged(void **state)
{
	static const char *const rows[] = {
		"",
		"\n",
		"nestbox-cow 2\n",
		"nestbox-cow 1",
		"nestbox-cow 1\n",
		HEAD,
		HEAD "device=1:2\nbase=3.4\nbackend=overlay\nstate=ended\nstaged=",
		HEAD "device=1:2\nbase=3.4\n" REST "more=\n",
		HEAD "device=1:2\nbase=3.4\n" REST "\n",
		HEAD "device=-1:2\nbase=3.4\n" REST,
		HEAD "device=1:4294967296\nbase=3.4\n" REST,
		HEAD "device=1 :2\nbase=3.4\n" REST,
		HEAD "device=1\nbase=3.4\n" REST,
		HEAD "device=1:2\nbase=3.1000000000\n" REST,
		HEAD "device=1:2\nbase=9223372036854775808.0\n" REST,
		HEAD "device=1:2\nbase=3.4\nbackend=auto\nstate=ended\nstaged=\n",
		HEAD "device=1:2\nbase=3.4\nbackend=overlay\nstate=\nstaged=\n",
		HEAD "device=1:2\nbase=3.4\nbackend=overlay\nstate=ended\nstaged=x\n",
		HEAD "device=1:2\nbase=3.4\nbackend=overlay\nstate=ended\n"
		     "staged=.nestbox-commit-a/../b\n",
		"nestbox-cow 1\nlower=tmp\ninode=1\ndevice=1:2\nbase=3.4\n" REST,
		"nestbox-cow 1\nlower=/\\0\ninode=1\ndevice=1:2\nbase=3.4\n" REST,
		"nestbox-cow 1\nlower=/\\000\ninode=1\ndevice=1:2\nbase=3.4\n" REST,
		"nestbox-cow 1\nlower=/\\777\ninode=1\ndevice=1:2\nbase=3.4\n" REST,
		"nestbox-cow 1\ninode=1\nlower=/tmp\ndevice=1:2\nbase=3.4\n" REST,
		"nestbox-cow 1\nlower=/tmp\ninode=18446744073709551616\ndevice=1:2\n"
		"base=3.4\n" REST,
	};
	char *huge = calloc(1, 200000);

	(void)state;
	create(at("store"));
	cow_close(&store);
	for (size_t i = 0; i < COUNT(rows); i++) {
		write_file(at("store/state"), rows[i], strlen(rows[i]));
		assert_int_equal(cow_open(&store, at("store"), &fault), -1);
		if (fault.reason == NULL)
			fail_msg("row %zu: errno %d", i, fault.error);
		assert_string_equal(fault.reason, "its state is damaged, or of another version");
	}
	/* A good one gets further: to the lower directory, which is another. */
	write_file(at("store/state"), GOOD, strlen(GOOD));
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_string_equal(fault.object, "/tmp");
	write_file(at("store/state"), GOOD, sizeof(GOOD));
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_string_equal(fault.reason, "its state is damaged, or of another version");
	memset(huge, '\n', 200000);
	memcpy(huge, GOOD, strlen(GOOD));
	write_file(at("store/state"), huge, 200000);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_string_equal(fault.reason, "its state is damaged, or of another version");
	free(huge);
	assert_int_equal(unlink(at("store/state")), 0);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_string_equal(fault.reason,
			    "was not made to its end, or not removed to it; use --cow-discard");
	write_file(at("store/upper/x"), "x", 1);
	assert_int_equal(cow_discard_rest(&store, at("store"), &fault), 1);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_string_equal(fault.reason, "is no store of copy-on-write");
	assert_int_equal(mkfifo(at("store/state"), 0600), 0);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_non_null(fault.reason);
}

static void test_not_ours(void **state)
{
	(void)state;
	create(at("store"));
	cow_close(&store);
	assert_int_equal(chmod(at("store"), 0711), 0);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_string_equal(fault.reason, "others may enter it");
	assert_int_equal(chmod(at("store"), 0700), 0);
	if (getuid() != 0)
		return;
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chown(at("store"), 1, 1), 0);
	assert_int_equal(cow_open(&store, at("store"), &fault), -1);
	assert_string_equal(fault.reason, "is another user's");
}

static void test_wait(void **state)
{
	struct timespec now;

	(void)state;
	create(at("store"));
	cow_wait(&store);
	assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
	assert_true(now.tv_sec > store.base.seconds || now.tv_nsec > store.base.nanoseconds);
	cow_close(&store);
}

/* A box can leave directories that even their owner cannot enter; and trees deeper than any path. */
static void test_discard_all(void **state)
{
	char name[] = "dddddddddddddddddddd";
	int fd, next;

	(void)state;
	create(at("store"));
	assert_int_equal(mkdir(at("store/work/work"), 0700), 0);
	assert_int_equal(mkdir(at("store/work/work/x"), 0), 0);
	assert_int_equal(chmod(at("store/work/work"), 0), 0);
	write_file(at("outside"), "x", 1);
	assert_int_equal(symlink(at("outside"), at("store/upper/link")), 0);
	fd = open(at("store/upper"), O_PATH | O_CLOEXEC);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(mkdirat(fd, name, 0700), 0);
		next = openat(fd, name, O_PATH | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	if (cow_discard(&store, &fault) < 0)
		fail_msg("%s: %s", fault.object, strerror(fault.error));
	assert_int_equal(access(at("store"), F_OK), -1);
	assert_int_equal(access(at("outside"), F_OK), 0);
}

static void test_escape(void **state)
{
	static const struct {
		const char *path, *text;
	} rows[] = {
		{ "", "" },
		{ "plain name", "plain name" },
		{ "a\nb", "a\\012b" },
		{ "\\", "\\134" },
		{ "\x1b[1m\x7f", "\\033[1m\\177" },
		{ "\xff\xc3", "\\377\\303" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xf0\x9f\x90\xa6", "\xf0\x9f\x90\xa6" },
		{ "\xc2\x9b", "\\302\\233" },
		{ "\xe2\x80\xae", "\\342\\200\\256" },
		{ "\xe2\x81\xa6", "\\342\\201\\246" },
		{ "\xd8\x9c", "\\330\\234" },
		{ "\xe2\x80\xa8", "\\342\\200\\250" },
		{ "\xc0\xaf", "\\300\\257" },
		{ "\xe0\x80\xaf", "\\340\\200\\257" },
		{ "\xed\xa0\x80", "\\355\\240\\200" },
		{ "\xf4\x90\x80\x80", "\\364\\220\\200\\200" },
		{ "\xe2\x80", "\\342\\200" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = cow_escape(rows[i].path);

		assert_string_equal(text, rows[i].text);
		assert_int_equal(cow_unescape(text), 0);
		assert_string_equal(text, rows[i].path);
		free(text);
	}
}

static void test_print(void **state)
{
	char line[64] = "";
	struct cow_change list[] = { { COW_ADDED, true, S_IFDIR, (char *)"d\n" },
				     { COW_DELETED, false, 0, (char *)"x" } };
	const struct cow_changes changes = { .list = list, .count = 2 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(cow_print(&changes, fds[1]), 0);
	close(fds[1]);
	assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
	assert_string_equal(line, "A  d\\012/\nD  x\n");
	close(fds[0]);
	assert_int_equal(cow_print(&changes, fds[1]), -EBADF);
}

#define BOTH(test)                                                                                 \
	{ #test ", as we are", test, begin, end, NULL },                                           \
	{                                                                                          \
#test ", as a user", test, begin_as_user, end, NULL                                \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_create),
		BOTH(test_save),
		BOTH(test_odd_names),
		BOTH(test_default_place),
		BOTH(test_taken_place),
		BOTH(test_refused),
		BOTH(test_lower_replaced),
		BOTH(test_damaged),
		BOTH(test_not_ours),
		BOTH(test_wait),
		BOTH(test_discard_all),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
