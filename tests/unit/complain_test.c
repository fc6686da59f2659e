/* SPDX-License-Identifier: MIT */
/* init/complain.c: a fault as one line on standard error. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/plan.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char line[16384];
static struct plan plan;

/* What init_complain() writes, less its newline. It must come with one write, so that the lines of
 * several processes never mix: every write to this pipe is a packet. */
static const char *complaint(const struct fault *fault)
{
	int fds[2], saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ssize_t length;

	assert_true(saved >= 0);
	assert_int_equal(pipe2(fds, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
	dup2(fds[1], STDERR_FILENO);
	init_complain(&plan, fault);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	length = read(fds[0], line, sizeof(line));
	assert_true(length > 0);
	assert_int_equal(read(fds[0], line + length, 1), 0);
	close(fds[0]);
	assert_int_equal(line[length - 1], '\n');
	line[length - 1] = '\0';
	assert_null(strchr(line, '\n'));
	return line;
}

static void test_errno(void **state)
{
	const struct fault fault = { .step = "grant", .object = "/a", .error = ENOENT };

	(void)state;
	assert_string_equal(complaint(&fault), "nestbox: grant: /a: No such file or directory");
}

static void test_reason(void **state)
{
	const struct fault fault = { .step = "options",
				     .object = "--foo",
				     .reason = "unknown option" };

	(void)state;
	assert_string_equal(complaint(&fault), "nestbox: options: --foo: unknown option");
}

static void test_no_object(void **state)
{
	struct fault fault = { .step = "mount", .object = "", .error = ENOMEM };

	(void)state;
	assert_string_equal(complaint(&fault), "nestbox: mount: Cannot allocate memory");
	fault.object = NULL;
	assert_string_equal(complaint(&fault), "nestbox: mount: Cannot allocate memory");
}

static void test_helpers_of_faults(void **state)
{
	struct fault fault;

	(void)state;
	assert_int_equal(fault_errno(&fault, "grant", "/a", EACCES), -1);
	assert_string_equal(complaint(&fault), "nestbox: grant: /a: Permission denied");
	/* What a raw system call returned. */
	assert_int_equal(fault_errno(&fault, "grant", "/a", -EACCES), -1);
	assert_string_equal(complaint(&fault), "nestbox: grant: /a: Permission denied");
	assert_int_equal(fault_text(&fault, "grant", "/a", "no"), -1);
	assert_string_equal(complaint(&fault), "nestbox: grant: /a: no");
}

/* The cause and the remedy, in words that a person looks for. */
static void test_hints(void **state)
{
	static const struct {
		const char *step;
		int error;
		const char *word;
	} rows[] = {
		{ "clone", EPERM, "user namespaces" },
		{ "clone", ENOSPC, "/proc/sys/user/max_" },
		{ "clone", EUSERS, "nested too deeply" },
		{ "clone", EINVAL, "kernel lacks" },
		{ "clone", EAGAIN, "limit of processes" },
		{ "id map", EPERM, "CAP_SETFCAP" },
		{ "proc", EPERM, "/proc" },
		{ "mount_setattr", ENOSYS, "5.12" },
		{ "seccomp", ENOSYS, "CONFIG_SECCOMP_FILTER" },
		{ "exec", ENOENT, "--exec" },
		{ "exec", EACCES, "--exec" },
		{ "chdir", ENOENT, "--read" },
	};

	(void)state;
	plan.namespaces = CLONE_NEWUSER;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fault fault = { .step = rows[i].step,
					     .object = "x",
					     .error = rows[i].error };
		char start[200];

		snprintf(start, sizeof(start), "nestbox: %s: x: %s (", rows[i].step,
			 strerror(rows[i].error));
		complaint(&fault);
		assert_memory_equal(line, start, strlen(start));
		assert_non_null(strstr(line + strlen(start), rows[i].word));
		assert_int_equal(line[strlen(line) - 1], ')');
		assert_null(strchr(line + strlen(start), '('));
	}
}

static void test_no_hint_where_none_fits(void **state)
{
	static const struct fault rows[] = {
		{ .step = "clone", .object = "x", .error = ENOENT },
		{ .step = "grant", .object = "x", .error = EPERM },
		{ .step = "exe", .object = "x", .error = ENOENT },
		{ .step = "executable", .object = "x", .error = ENOENT },
		{ .step = "exec", .object = "x", .reason = "no", .error = ENOENT },
		{ .step = "exec", .object = "x", .reason = "no" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_null(strchr(complaint(&rows[i]), '('));
}

static void test_control_characters(void **state)
{
	const struct fault fault = { .step = "grant",
				     .object = "/a\nnestbox: all is well\r\033[2J\177\t\001",
				     .error = ENOENT };

	(void)state;
	assert_string_equal(complaint(&fault),
			    "nestbox: grant: /a\\012nestbox: all is well\\015\\033[2J"
			    "\\177\\011\\001: No such file or directory");
}

static void test_other_bytes(void **state)
{
	const struct fault fault = { .step = "grant",
				     .object = "/\xc3\xa9 \xff 100%s \\",
				     .error = ENOENT };

	(void)state;
	assert_string_equal(complaint(&fault),
			    "nestbox: grant: /\xc3\xa9 \\377 100%s \\: No such file or directory");
}

/* Without its end the line would not say what is wrong. */
static void test_a_long_object_leaves_room_for_the_reason(void **state)
{
	static const char bytes[] = { 'a', '\n' };

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		char object[PATH_MAX];
		const struct fault fault = { .step = "grant",
					     .object = object,
					     .error = ENAMETOOLONG };

		memset(object, bytes[i], sizeof(object) - 1);
		object[sizeof(object) - 1] = '\0';
		complaint(&fault);
		assert_memory_equal(line, "nestbox: grant: ", 16);
		assert_non_null(strstr(line, ": File name too long"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_no_object),
		cmocka_unit_test(test_helpers_of_faults),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_no_hint_where_none_fits),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_other_bytes),
		cmocka_unit_test(test_a_long_object_leaves_room_for_the_reason),
	};

	return cmocka_run_group_tests_name("complain", tests, NULL, NULL);
}
