/* SPDX-License-Identifier: MIT */
/* init/descriptors.c: each case in a child, which may close what it likes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_close_many),
	};

	return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
