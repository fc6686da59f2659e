/* SPDX-License-Identifier: MIT */
/* init/library/place.c: every way to place a few descriptors, against what was asked for. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/library/library.h"

#define NUMBERS 8 /* that are played with: 3 to 10 */
#define FIRST 3
#define LOG 200 /* of the child */

/* In a child, since it is all about the numbers of a process. Number N holds a file that says 'a' + N - FIRST,
 * close-on-exec. Returns what is there afterwards, one character each from 0 on. */
static void place(const struct placement *list, size_t count, char seen[32], int *result)
{
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct placement copy[NUMBERS];
		int scratch[NUMBERS];
		char text[32];

		dup3(ends[1], LOG, O_CLOEXEC);
		close_range(FIRST, LOG - 1, 0);
		for (int i = 0; i < NUMBERS; i++) {
			int fd = memfd_create("letter", MFD_CLOEXEC);
			char letter = (char)('a' + i);

			if (fd != FIRST + i || pwrite(fd, &letter, 1, 0) != 1)
				_exit(90);
		}
		memcpy(copy, list, count * sizeof(*list));
		/* Its own descriptors are gone then: a copy of the log goes along. */
		copy[count] = (struct placement){ LOG, -1 };
		status = place_descriptors(copy, count + 1, scratch);
		memset(text, '-', sizeof(text));
		for (int fd = 0; fd < 16; fd++) {
			int flags = fcntl(fd, F_GETFD);

			if (flags < 0 || pread(fd, &text[fd], 1, 0) != 1)
				text[fd] = flags < 0 ? '-' : '?';
			/* Those that stay over an exec are what counts. */
			if (fd >= 3 && flags > 0)
				text[fd] = '-';
		}
		text[20] =
			copy[count].from > 2 && fcntl(copy[count].from, F_GETFD) == 1 ? 'l' : '-';
		memcpy(text + 24, &status, sizeof(status));
		_exit(write(copy[count].from, text, sizeof(text)) == sizeof(text) ? 0 : 91);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], seen, 32), 32);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	memcpy(result, seen + 24, sizeof(*result));
}

static void check(const int from[], const int to[], size_t count)
{
	struct placement list[NUMBERS];
	char seen[32];
	int result;

	for (size_t i = 0; i < count; i++)
		list[i] = (struct placement){ from[i], to[i] };
	place(list, count, seen, &result);
	assert_int_equal(result, 0);
	assert_int_equal(seen[20], 'l');
	for (int fd = FIRST; fd < 16; fd++) {
		char wanted = '-';

		for (size_t i = 0; i < count; i++)
			if (to[i] == fd)
				wanted = (char)('a' + from[i] - FIRST);
		if (seen[fd] != wanted)
			fail_msg("descriptor %d: %c, not %c; first from %d to %d", fd, seen[fd],
				 wanted, from[0], to[0]);
	}
}

/* All functions from three sources to three different targets among the numbers, cycles and copies of one
 * source among them. */
static void test_all_of_three(void **state)
{
	enum { LAST = FIRST + 5 };
	int from[3], to[3];

	(void)state;
	for (from[0] = FIRST; from[0] < LAST; from[0]++)
		for (from[1] = FIRST; from[1] < LAST; from[1]++)
			for (to[0] = FIRST; to[0] < LAST; to[0]++)
				for (to[1] = FIRST; to[1] < LAST; to[1]++)
					if (to[0] != to[1])
						check(from, to, 2);
	from[0] = 3, from[1] = 4, from[2] = 5;
	for (to[0] = FIRST; to[0] < LAST; to[0]++)
		for (to[1] = FIRST; to[1] < LAST; to[1]++)
			for (to[2] = FIRST; to[2] < LAST; to[2]++)
				if (to[0] != to[1] && to[0] != to[2] && to[1] != to[2])
					check(from, to, 3);
}

static void test_every_order_of_four(void **state)
{
	static const int from[] = { 3, 4, 5, 6 };

	(void)state;
	for (int code = 0; code < 256; code++) {
		int to[4], used = 0;

		for (int i = 0; i < 4; i++) {
			to[i] = FIRST + (code >> 2 * i & 3);
			used |= 1 << to[i];
		}
		if (used == 0x78)
			check(from, to, 4);
	}
}

/* The seed's bug: {20 from 25, 12 from 10} and {20 from 11, 12 from 20} got the wrong file. */
static void test_the_known_bug(void **state)
{
	static const int from[][2] = { { 10, 4 }, { 5, 10 } }, to[][2] = { { 9, 6 }, { 10, 6 } };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		check(from[i], to[i], 2);
}

static void test_missing(void **state)
{
	struct placement list[] = { { 3, 5 }, { 100, 4 } };
	char seen[32];
	int result;

	(void)state;
	place(list, 2, seen, &result);
	assert_int_equal(result, -EBADF);
	list[1].from = 12;
	list[1].to = 13;
	place(list, 2, seen, &result);
	assert_int_equal(result, -EBADF);
}

/* 0, 1 and 2 stay, but for marked ones. */
static void test_standard(void **state)
{
	static const struct placement list[] = { { 4, 1 } };
	char seen[32];
	int result, old = fcntl(0, F_GETFD);

	(void)state;
	fcntl(0, F_SETFD, FD_CLOEXEC);
	place(list, 1, seen, &result);
	fcntl(0, F_SETFD, old);
	assert_int_equal(result, 0);
	assert_int_equal(seen[0], '-');
	assert_int_equal(seen[1], 'b');
	assert_int_not_equal(seen[2], '-');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_three),  cmocka_unit_test(test_every_order_of_four),
		cmocka_unit_test(test_the_known_bug), cmocka_unit_test(test_missing),
		cmocka_unit_test(test_standard),
	};

	return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
