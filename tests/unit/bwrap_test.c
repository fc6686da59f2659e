/* SPDX-License-Identifier: MIT */
/* init/bwrap.c, init/personality.c and init/info.c: what programs that call bubblewrap read. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/info.h"
#include "init/options.h"
#include "init/personality.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_messages(void **state)
{
	static const struct {
		struct fault fault;
		const char *message;
	} rows[] = {
		{ { "options", "--foo", "unknown option", NULL, 0 }, "Unknown option --foo" },
		{ { "options", "--args", "an argument is missing", NULL, 0 },
		  "--args takes an argument" },
		{ { "options", "--bind", "an argument is missing", NULL, 0 },
		  "--bind takes two arguments" },
		{ { "options", "--overlay", "an argument is missing", NULL, 0 },
		  "--overlay takes three arguments" },
		{ { "options", "--file", "must be a number of a descriptor, not", "x\n", 0 },
		  "Invalid fd: x\\012" },
		{ { "options", "--seccomp", "cannot be combined with --add-seccomp-fd", NULL, 0 },
		  "--seccomp cannot be combined with --add-seccomp-fd" },
		{ { "options", "--info-fd", NULL, NULL, EBADF }, "--info-fd: Bad file descriptor" },
		{ { "options", "--cap-add", "unknown cap:", "X", 0 }, "unknown cap: X" },
		{ { "options", "--gid", "must be a number from 0 to 1, not", "x", 0 },
		  "Invalid gid: x" },
		{ { "options", "--args", NULL, NULL, EBADF },
		  "Can't read --args data: Bad file descriptor" },
		{ { "seccomp data", "", NULL, NULL, EISDIR },
		  "Can't read seccomp data: Is a directory" },
		{ { "user namespaces", "", "a reason", NULL, 0 }, "a reason" },
		{ { "seccomp data", "", "must be multiple of 8", NULL, 0 },
		  "Invalid seccomp data, must be multiple of 8" },
		{ { "source", "/a", NULL, NULL, ENOENT },
		  "Can't find source path /a: No such file or directory" },
		{ { "symlink", "/a", "existing destination is", "b", 0 },
		  "Can't make symlink at /a: existing destination is b" },
		{ { "proc", "/proc", NULL, NULL, EPERM },
		  "Can't mount proc on /proc: Operation not permitted" },
		{ { "exec", "ls", NULL, NULL, ENOENT }, "execvp ls: No such file or directory" },
		{ { "clone", "", NULL, NULL, ENOSPC },
		  "Creating new namespace failed: No space left on device" },
		{ { "clone", "", NULL, NULL, EPERM },
		  "No permissions to create a new namespace: Operation not permitted" },
		{ { "start", "descriptors", NULL, NULL, EMFILE },
		  "start: descriptors: Too many open files" },
		{ { "start", "", "a reason", NULL, 0 }, "start: a reason" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text line = { 0 };

		bwrap_message(&line, &rows[i].fault);
		line.bytes[line.length] = '\0';
		assert_string_equal(line.bytes, rows[i].message);
	}
}

/* A long name leaves the reason readable. */
static void test_long_object(void **state)
{
	static char name[3 * 4096];
	const struct fault fault = { .step = "source", .object = name, .error = ENOENT };
	struct text line = { 0 };

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	bwrap_message(&line, &fault);
	line.bytes[line.length] = '\0';
	assert_non_null(strstr(line.bytes, ": No such file or directory"));
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(personality_named("bwrap"), AS_BWRAP);
	assert_int_equal(personality_named("/usr/bin/bwrap"), AS_BWRAP);
	assert_int_equal(personality_named("bwrapx"), AS_NESTBOX);
	assert_int_equal(personality_named(""), AS_NESTBOX);
	assert_int_equal(personality_of("/x/bwrap"), AS_BWRAP);
	assert_int_equal(personality_of("bwrap/"), AS_NESTBOX);
	assert_int_equal(personality_of("nestbox"), AS_NESTBOX);
	assert_int_equal(personality_of(NULL), AS_NESTBOX);
	assert_string_equal(personality_version(AS_BWRAP), "bubblewrap 0.12.0");
	assert_memory_equal(personality_version(AS_NESTBOX), "nestbox ", 8);
}

static void test_failures(void **state)
{
	const struct plan native = { .as = AS_NESTBOX }, bwrap = { .as = AS_BWRAP };
	const struct fault missing = { .step = "exec", .error = ENOENT };
	const struct fault denied = { .step = "exec", .error = EACCES };

	(void)state;
	assert_int_equal(personality_failure(&native, REPORT_SETUP_FAILED, &missing), 125);
	assert_int_equal(personality_failure(&native, REPORT_EXEC_FAILED, &missing), 127);
	assert_int_equal(personality_failure(&native, REPORT_EXEC_FAILED, &denied), 126);
	assert_int_equal(personality_failure(&bwrap, REPORT_SETUP_FAILED, &missing), 1);
	assert_int_equal(personality_failure(&bwrap, REPORT_EXEC_FAILED, &missing), 1);
}

/* Clients look for the names of options in there. */
static void test_usage(void **state)
{
	static char text[32768];
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(options_usage(AS_BWRAP, fds[1]), 0);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_memory_equal(text, "usage: bwrap ", 13);
	for (size_t i = 0; i < option_count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "\n    %s ", options[i].name);
		assert_int_equal(strstr(text, name) != NULL, options[i].owner == OWNER_BOTH);
	}
	close(fds[0]);
	close(fds[1]);
}

static void test_info(void **state)
{
	const uint64_t ids[INFO_NAMESPACES] = { 0, 4026531839, 5, 0, 7, 0 };
	struct plan plan = { 0 };
	char text[512];
	int info[2], status[2];
	ssize_t length;

	(void)state;
	assert_int_equal(pipe2(info, O_CLOEXEC) | pipe2(status, O_CLOEXEC), 0);
	plan.fds[FD_INFO] = info[1];
	plan.fds[FD_JSON_STATUS] = status[1];
	info_started(&plan, 42, ids);
	length = read(info[0], text, sizeof(text) - 1);
	assert_true(length > 0);
	text[length] = '\0';
	assert_string_equal(text, "{\n    \"child-pid\": 42,\n    \"ipc-namespace\": 4026531839,\n"
				  "    \"mnt-namespace\": 5,\n    \"pid-namespace\": 7\n}\n");
	/* Its reader waits for the end. */
	assert_int_equal(read(info[0], text, sizeof(text)), 0);
	length = read(status[0], text, sizeof(text) - 1);
	assert_true(length > 0);
	text[length] = '\0';
	assert_string_equal(text, "{ \"child-pid\": 42, \"ipc-namespace\": 4026531839, "
				  "\"mnt-namespace\": 5, \"pid-namespace\": 7 }\n");
	info_ended(&plan, 143);
	length = read(status[0], text, sizeof(text) - 1);
	assert_true(length > 0);
	text[length] = '\0';
	assert_string_equal(text, "{ \"exit-code\": 143 }\n");
	close(info[0]);
	close(status[0]);
	close(status[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages), cmocka_unit_test(test_long_object),
		cmocka_unit_test(test_names),    cmocka_unit_test(test_failures),
		cmocka_unit_test(test_usage),    cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests_name("bwrap", tests, NULL, NULL);
}
