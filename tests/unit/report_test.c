/* SPDX-License-Identifier: MIT */
/* init/report.c: records from the box to the launcher. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/report.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int make_pipe(void **state)
{
	int *fds = calloc(2, sizeof(*fds));

	*state = fds;
	return fds == NULL ? -1 : pipe2(fds, O_CLOEXEC | O_NONBLOCK);
}

static int close_pipe(void **state)
{
	int *fds = *state;

	close(fds[0]);
	close(fds[1]);
	free(fds);
	return 0;
}

static void test_status(void **state)
{
	static const struct {
		enum report_kind kind;
		int status;
	} rows[] = {
		{ REPORT_STARTED, 0 },
		{ REPORT_STOPPED, W_STOPCODE(SIGTSTP) },
		{ REPORT_ENDED, 0 },
		{ REPORT_ENDED, W_EXITCODE(255, 0) },
		{ REPORT_ENDED, W_EXITCODE(0, SIGKILL) },
		{ REPORT_ENDED, W_EXITCODE(0, SIGSEGV) | WCOREFLAG },
	};
	const int *fds = *state;
	struct report report;

	/* All at once: a record never mixes with the next one. */
	for (size_t i = 0; i < COUNT(rows); i++)
		report_send(fds[1], rows[i].kind, rows[i].status);
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&report, '#', sizeof(report));
		assert_int_equal(report_read(fds[0], &report), 1);
		assert_int_equal(report.kind, rows[i].kind);
		assert_int_equal(report.status, rows[i].status);
		assert_int_equal(report.error, 0);
		assert_string_equal(report.step, "");
	}
}

static struct report pass(const int *fds, enum report_kind kind, const struct fault *fault)
{
	struct report report;

	memset(&report, '#', sizeof(report));
	report_fault(fds[1], kind, fault);
	assert_int_equal(report_read(fds[0], &report), 1);
	assert_int_equal(report.kind, kind);
	return report;
}

static void test_fault_with_errno(void **state)
{
	const struct fault fault = { .step = "exec", .object = "/bin/\xff\n", .error = ENOENT };
	struct report report = pass(*state, REPORT_EXEC_FAILED, &fault);
	struct fault back = report_to_fault(&report);

	assert_string_equal(back.step, "exec");
	assert_string_equal(back.object, "/bin/\xff\n");
	assert_null(back.reason);
	assert_int_equal(back.error, ENOENT);
}

static void test_fault_with_reason(void **state)
{
	const struct fault fault = { .step = "dev",
				     .object = "/dev/null",
				     .reason = "is no device" };
	struct report report = pass(*state, REPORT_SETUP_FAILED, &fault);
	struct fault back = report_to_fault(&report);

	assert_string_equal(back.step, "dev");
	assert_string_equal(back.object, "/dev/null");
	assert_string_equal(back.reason, "is no device");
	assert_int_equal(back.error, 0);
}

static void test_fault_without_object(void **state)
{
	const struct fault fault = { .step = "proc", .error = EPERM };
	struct report report = pass(*state, REPORT_SETUP_FAILED, &fault);

	assert_string_equal(report_to_fault(&report).step, "proc");
	assert_string_equal(report_to_fault(&report).object, "");
	assert_null(report_to_fault(&report).reason);
}

/* Strings of every length around what a record holds: whole if it fits, else its start. */
static void test_long_strings(void **state)
{
	char string[PATH_MAX];

	for (size_t length = 0; length < 500; length++) {
		struct fault fault = { .step = string, .object = string, .reason = string };
		struct report report;
		const struct {
			const char *copy;
			size_t size;
		} copies[] = {
			{ report.step, sizeof(report.step) },
			{ report.reason, sizeof(report.reason) },
			{ report.object, sizeof(report.object) },
		};

		for (size_t i = 0; i < length; i++)
			string[i] = (char)('a' + i % 26);
		string[length] = '\0';
		report = pass(*state, REPORT_SETUP_FAILED, &fault);
		for (size_t i = 0; i < COUNT(copies); i++) {
			size_t kept = length < copies[i].size ? length : copies[i].size - 1;

			assert_memory_equal(copies[i].copy, string, kept);
			assert_int_equal(copies[i].copy[kept], '\0');
		}
	}
}

static void test_size(void **state)
{
	(void)state;
	assert_true(sizeof(struct report) <= _POSIX_PIPE_BUF);
}

static void test_end(void **state)
{
	int *fds = *state;
	struct report report;

	report_send(fds[1], REPORT_STARTED, 0);
	close(fds[1]);
	assert_int_equal(report_read(fds[0], &report), 1);
	assert_int_equal(report_read(fds[0], &report), 0);
	assert_int_equal(report_read(fds[0], &report), 0);
	fds[1] = dup(fds[0]);
}

static void test_short_record(void **state)
{
	static const char bytes[sizeof(struct report)];
	const int *fds = *state;
	struct report report;

	for (size_t size = 1; size < sizeof(bytes); size++) {
		assert_int_equal(write(fds[1], bytes, size), size);
		assert_int_equal(report_read(fds[0], &report), -EPROTO);
	}
}

static void test_read_errors(void **state)
{
	const int *fds = *state;
	struct report report;

	assert_int_equal(report_read(fds[0], &report), -EAGAIN);
	assert_int_equal(report_read(-1, &report), -EBADF);
	assert_int_equal(report_read(fds[1], &report), -EBADF);
}

static void test_launcher_gone(void **state)
{
	const struct fault fault = { .step = "exec", .error = ENOENT };
	int *fds = *state;

	signal(SIGPIPE, SIG_IGN);
	close(fds[0]);
	errno = 77;
	report_send(fds[1], REPORT_ENDED, 0);
	report_fault(fds[1], REPORT_EXEC_FAILED, &fault);
	/* The launcher's, which shares the memory: never touched. */
	assert_int_equal(errno, 77);
	fds[0] = dup(fds[1]);
	signal(SIGPIPE, SIG_DFL);
}

static void test_exit_status(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++)
		assert_int_equal(report_exit_status(W_EXITCODE(code, 0)), code);
	for (int number = 1; number <= SIGRTMAX; number++) {
		assert_int_equal(report_exit_status(W_EXITCODE(0, number)), 128 + number);
		assert_int_equal(report_exit_status(W_EXITCODE(0, number) | WCOREFLAG),
				 128 + number);
	}
}

#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, make_pipe, close_pipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PIPE(test_status),
		WITH_PIPE(test_fault_with_errno),
		WITH_PIPE(test_fault_with_reason),
		WITH_PIPE(test_fault_without_object),
		WITH_PIPE(test_long_strings),
		cmocka_unit_test(test_size),
		WITH_PIPE(test_end),
		WITH_PIPE(test_short_record),
		WITH_PIPE(test_read_errors),
		WITH_PIPE(test_launcher_gone),
		cmocka_unit_test(test_exit_status),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
