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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/plan.h"
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

static void test_missing(void **state)
{
	const struct fault fault = { .step = "network", .object = "namespace", .error = ENOSPC };
	const int *fds = *state;
	struct report report;
	struct fault read;

	report_missing(fds[1], WALL_NET, &fault);
	assert_int_equal(report_read(fds[0], &report), 1);
	assert_int_equal(report.kind, REPORT_MISSING);
	assert_int_equal(report.status, WALL_NET);
	read = report_to_fault(&report);
	assert_string_equal(read.step, "network");
	assert_string_equal(read.object, "namespace");
	assert_int_equal(read.error, ENOSPC);
	assert_null(read.reason);
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

/* --- Records with a descriptor --------------------------------------------------------------- */

static int make_socket(void **state)
{
	int *fds = calloc(2, sizeof(*fds));

	*state = fds;
	return fds == NULL
		       ? -1
		       : socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static bool same_file(int one, int other)
{
	struct stat a, b;

	return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* A record of SIZE bytes of KIND with COUNT descriptors, as a process that was taken over might. */
static void send_raw(int fd, enum report_kind kind, size_t size, size_t count)
{
	struct report report[2] = { { .kind = kind } };
	_Alignas(struct cmsghdr) char control[256] = { 0 };
	struct iovec part = { report, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int *fds = (int *)(void *)CMSG_DATA((struct cmsghdr *)(void *)control);

	if (count > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(count * sizeof(int));
		for (size_t i = 0; i < count; i++)
			fds[i] = fd;
	}
	assert_int_equal(sendmsg(fd, &message, 0), size);
}

static void test_fd(void **state)
{
	const int *fds = *state;
	struct report report;
	int pipe[2], sent = 77, before;

	assert_int_equal(pipe2(pipe, 0), 0);
	before = count_fds();
	assert_int_equal(report_send_fd(fds[1], REPORT_TERMINAL, pipe[0]), 0);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), 1);
	assert_int_equal(report.kind, REPORT_TERMINAL);
	assert_true(sent >= 0 && sent != pipe[0]);
	assert_true(same_file(sent, pipe[0]));
	assert_int_equal(fcntl(sent, F_GETFD), FD_CLOEXEC);
	close(sent);
	assert_int_equal(count_fds(), before);
	close(pipe[0]);
	close(pipe[1]);
}

/* Records with and without one come in their order, and the end after them. */
static void test_fd_among_others(void **state)
{
	int *fds = *state;
	struct report report;
	int sent;

	report_send(fds[1], REPORT_STARTED, 0);
	assert_int_equal(report_send_fd(fds[1], REPORT_TERMINAL, 0), 0);
	report_send(fds[1], REPORT_ENDED, W_EXITCODE(3, 0));
	close(fds[1]);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), 1);
	assert_int_equal(report.kind, REPORT_STARTED);
	assert_int_equal(sent, -1);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), 1);
	assert_true(same_file(sent, 0));
	close(sent);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), 1);
	assert_int_equal(report.kind, REPORT_ENDED);
	assert_int_equal(report.status, W_EXITCODE(3, 0));
	assert_int_equal(sent, -1);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), 0);
	fds[1] = dup(fds[0]);
}

static void refuse_raw(const int *fds, enum report_kind kind, size_t size, size_t count)
{
	int before = count_fds(), sent = 77;
	struct report report;

	send_raw(fds[1], kind, size, count);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), -EPROTO);
	assert_int_equal(sent, -1);
	assert_int_equal(count_fds(), before);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), -EAGAIN);
}

static void test_fd_missing(void **state)
{
	refuse_raw(*state, REPORT_TERMINAL, sizeof(struct report), 0);
}

static void test_fd_too_many(void **state)
{
	for (size_t count = 2; count < 20; count++)
		refuse_raw(*state, REPORT_TERMINAL, sizeof(struct report), count);
}

static void test_fd_unwanted(void **state)
{
	refuse_raw(*state, REPORT_STARTED, sizeof(struct report), 1);
	refuse_raw(*state, REPORT_ENDED, sizeof(struct report), 2);
}

static void test_fd_with_other_sizes(void **state)
{
	for (size_t size = 1; size < 2 * sizeof(struct report); size += 7)
		if (size != sizeof(struct report))
			refuse_raw(*state, REPORT_TERMINAL, size, 1);
	refuse_raw(*state, REPORT_TERMINAL, 0, 1);
	refuse_raw(*state, REPORT_STARTED, sizeof(struct report) + 1, 0);
	refuse_raw(*state, REPORT_STARTED, sizeof(struct report) - 1, 0);
}

static void test_fd_without_room(void **state)
{
	const int *fds = *state;
	int sent = 77, last = dup(0);
	struct rlimit old, low;
	struct report report;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){ (rlim_t)last, old.rlim_max };
	close(last);
	assert_int_equal(report_send_fd(fds[1], REPORT_TERMINAL, 0), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), -EPROTO);
	assert_int_equal(sent, -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void test_fd_errors(void **state)
{
	int *fds = *state;
	struct report report;
	int pipe[2], sent = 77;

	assert_int_equal(pipe2(pipe, O_NONBLOCK), 0);
	assert_int_equal(report_send_fd(pipe[1], REPORT_TERMINAL, 0), -ENOTSOCK);
	assert_int_equal(report_send_fd(fds[1], REPORT_TERMINAL, -1), -EBADF);
	assert_int_equal(report_send_fd(-1, REPORT_TERMINAL, 0), -EBADF);
	assert_int_equal(report_read_fd(fds[0], &report, &sent), -EAGAIN);
	assert_int_equal(sent, -1);
	assert_int_equal(report_read_fd(pipe[0], &report, &sent), -ENOTSOCK);
	/* No SIGPIPE when the launcher is gone, and errno is the launcher's. */
	close(fds[0]);
	errno = 77;
	assert_int_equal(report_send_fd(fds[1], REPORT_TERMINAL, 0), -EPIPE);
	assert_int_equal(errno, 77);
	fds[0] = dup(fds[1]);
	close(pipe[0]);
	close(pipe[1]);
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

#define WITH_SOCKET(test) cmocka_unit_test_setup_teardown(test, make_socket, close_pipe)
#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, make_pipe, close_pipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PIPE(test_status),
		WITH_PIPE(test_fault_with_errno),
		WITH_PIPE(test_fault_with_reason),
		WITH_PIPE(test_fault_without_object),
		WITH_PIPE(test_long_strings),
		WITH_PIPE(test_missing),
		cmocka_unit_test(test_size),
		WITH_PIPE(test_end),
		WITH_PIPE(test_short_record),
		WITH_PIPE(test_read_errors),
		WITH_PIPE(test_launcher_gone),
		WITH_SOCKET(test_fd),
		WITH_SOCKET(test_fd_among_others),
		WITH_SOCKET(test_fd_missing),
		WITH_SOCKET(test_fd_too_many),
		WITH_SOCKET(test_fd_unwanted),
		WITH_SOCKET(test_fd_with_other_sizes),
		WITH_SOCKET(test_fd_without_room),
		WITH_SOCKET(test_fd_errors),
		cmocka_unit_test(test_exit_status),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
