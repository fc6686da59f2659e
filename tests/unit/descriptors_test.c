/* SPDX-License-Identifier: MIT */
/* init/descriptors.c: each case in a child, which may close what it likes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/descriptors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TOP 40

static void test_sort(void **state)
{
	int fds[64];

	(void)state;
	srandom(1);
	for (size_t count = 0; count <= COUNT(fds); count++) {
		for (size_t i = 0; i < count; i++)
			fds[i] = (int)(random() % 20) - 1;
		descriptors_sort(fds, count);
		for (size_t i = 1; i < count; i++)
			assert_true(fds[i - 1] <= fds[i]);
	}
}

/* Opens all below TOP, calls CLOSE, and says in its exit status whether WANTED are what is left. */
static bool leaves(int (*close_some)(void), const int *wanted, size_t count)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		for (int fd = 3; fd < TOP; fd++)
			if (fd != null)
				dup2(null, fd);
		if (close_some() != 0)
			_exit(2);
		for (int fd = 3; fd < TOP; fd++) {
			bool open = fcntl(fd, F_GETFD) >= 0, found = false;

			for (size_t i = 0; i < count; i++)
				found |= wanted[i] == fd;
			if (open != found)
				_exit(3);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static int close_none_kept(void)
{
	return descriptors_close_but(3, NULL, 0);
}

static int close_some_kept(void)
{
	const int kept[] = { -1, -1, 0, 2, 3, 7, 7, 8, 39, 1000 };

	return descriptors_close_but(3, kept, COUNT(kept));
}

static int close_marked(void)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int fd = 10; fd < 30; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return descriptors_close_marked(proc, 15);
}

static void test_close(void **state)
{
	const int some[] = { 3, 7, 8, 39 };
	int unmarked[TOP];
	size_t count = 0;

	(void)state;
	assert_true(leaves(close_none_kept, NULL, 0));
	assert_true(leaves(close_some_kept, some, COUNT(some)));
	for (int fd = 3; fd < TOP; fd++)
		if (fd < 10 || fd >= 30 || fd == 15)
			unmarked[count++] = fd;
	assert_true(leaves(close_marked, unmarked, count));
}

static int mark_many(void)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error;

	for (int fd = 100; fd < 900; fd++)
		dup3(0, fd, O_CLOEXEC);
	error = descriptors_close_marked(proc, -1);
	for (int fd = 100; fd < 900; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 1;
	return error;
}

/* More than one getdents64 gives. */
static void test_close_many(void **state)
{
	int all[TOP];
	size_t count = 0;

	(void)state;
	for (int fd = 3; fd < TOP; fd++)
		all[count++] = fd;
	assert_true(leaves(mark_many, all, count));
	assert_int_equal(descriptors_close_marked(-1, -1), -EBADF);
}

#define PLACES 5

/* Six descriptors of six files. One of PLACES numbers and closed are what each can become. */
static int open_file(int number)
{
	int fd = memfd_create("place", MFD_CLOEXEC), moved;

	assert_true(fd >= 0);
	if (fd == number)
		return fd;
	moved = dup3(fd, number, O_CLOEXEC);
	close(fd);
	assert_int_equal(moved, number);
	return moved;
}

static ino_t file_at(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 ? stat.st_ino : 0;
}

/* Does what MAP says, where map[i] is the source of FIRST + i or PLACES for none, in the order that begins
 * with START. */
static void try_map(const int first, const int *map, size_t start)
{
	struct fd_map maps[PLACES];
	ino_t before[PLACES];
	size_t count = 0;

	for (int i = 0; i < PLACES; i++)
		before[i] = file_at(open_file(first + i));
	for (size_t i = 0; i < PLACES; i++) {
		size_t at = (start + i) % PLACES;

		if (map[at] < PLACES)
			maps[count++] = (struct fd_map){ first + (int)at, first + map[at] };
	}
	assert_int_equal(descriptors_place(maps, count), 0);
	for (int i = 0; i < PLACES; i++) {
		bool mapped = map[i] < PLACES;

		assert_int_equal(file_at(first + i), before[mapped ? map[i] : i]);
		assert_int_equal(fcntl(first + i, F_GETFD), mapped ? 0 : FD_CLOEXEC);
	}
}

/* All maps of five numbers into themselves, partial ones, too: 6^5 of them. */
static void in_child(int first)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (int code = 0; code < 6 * 6 * 6 * 6 * 6; code++) {
			int map[PLACES], rest = code;

			for (int i = 0; i < PLACES; i++, rest /= 6)
				map[i] = rest % 6;
			try_map(first, map, (size_t)code % PLACES);
			close_range((unsigned int)first, ~0U, 0);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_place(void **state)
{
	(void)state;
	in_child(3);
	in_child(200);
}

/* From above the highest target and from below it, which the original got wrong. */
static void test_place_above(void **state)
{
	static const struct fd_map cases[][2] = {
		{ { 20, 25 }, { 12, 10 } }, { { 20, 11 }, { 12, 20 } }, { { 12, 20 }, { 20, 11 } },
		{ { 20, 12 }, { 12, 20 } }, { { 20, 12 }, { 12, 12 } }, { { 12, 30 }, { 20, 30 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fd_map maps[2] = { cases[i][0], cases[i][1] };
		ino_t files[40] = { 0 };

		for (int fd = 10; fd < 40; fd++)
			files[fd] = file_at(open_file(fd));
		assert_int_equal(descriptors_place(maps, 2), 0);
		for (size_t j = 0; j < 2; j++)
			assert_int_equal(file_at(cases[i][j].new), files[cases[i][j].old]);
		for (int fd = 10; fd < 40; fd++)
			if (fd != cases[i][0].new &&fd != cases[i][1].new)
				assert_int_equal(file_at(fd), files[fd]);
		for (int fd = 10; fd < 40; fd++)
			close(fd);
	}
}

/* One more number is needed for a cycle, none for the rest. */
static void test_place_full(void **state)
{
	struct rlimit limit, low;
	struct fd_map swap[] = { { 12, 13 }, { 13, 12 } }, chain[] = { { 12, 13 }, { 13, 14 } };
	ino_t file;

	(void)state;
	for (int fd = 10; fd < 20; fd++)
		open_file(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){ 20, limit.rlim_max };
	for (int fd = 3; fd < 10; fd++)
		open_file(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	file = file_at(14);
	assert_int_equal(descriptors_place(swap, 2), -EMFILE);
	assert_int_equal(descriptors_place(chain, 2), 0);
	assert_int_equal(file_at(13), file);
	close(10);
	swap[0] = (struct fd_map){ 12, 13 };
	swap[1] = (struct fd_map){ 13, 12 };
	assert_int_equal(descriptors_place(swap, 2), 0);
	assert_int_equal(file_at(12), file);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int fd = 3; fd < 20; fd++)
		close(fd);
}

static void test_place_closed(void **state)
{
	struct fd_map map = { 12, 13 };

	(void)state;
	close(13);
	assert_int_equal(descriptors_place(&map, 1), -EBADF);
	assert_int_equal(descriptors_place(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort),         cmocka_unit_test(test_close),
		cmocka_unit_test(test_close_many),   cmocka_unit_test(test_place),
		cmocka_unit_test(test_place_above),  cmocka_unit_test(test_place_full),
		cmocka_unit_test(test_place_closed),
	};

	return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
