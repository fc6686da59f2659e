/* SPDX-License-Identifier: MIT */
/* init/status.c: the events of --status-fd and the record of --exit-signal-fd. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/status.h"
#include "init/walls.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A plan whose descriptors are pipes, and the ends to read from. */
struct fixture {
	struct plan plan;
	struct box box;
	int events, signals;
	char line[8192];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int events[2], signals[2];

	*state = fixture;
	if (fixture == NULL || pipe2(events, O_DIRECT | O_NONBLOCK | O_CLOEXEC) != 0 ||
	    pipe2(signals, O_DIRECT | O_NONBLOCK | O_CLOEXEC) != 0)
		return -1;
	fixture->events = events[0];
	fixture->signals = signals[0];
	fixture->box.plan = &fixture->plan;
	fixture->box.namespaces = ~0U;
	fixture->plan.fds[FD_STATUS] = events[1];
	fixture->plan.fds[FD_EXIT_SIGNAL] = signals[1];
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->events);
	close(fixture->signals);
	close(fixture->plan.fds[FD_STATUS]);
	close(fixture->plan.fds[FD_EXIT_SIGNAL]);
	free(fixture);
	return 0;
}

/* The next event without its newline; one write each. "" when there is none. */
static const char *event(struct fixture *fixture)
{
	ssize_t length = read(fixture->events, fixture->line, sizeof(fixture->line) - 1);

	if (length < 0) {
		assert_int_equal(errno, EAGAIN);
		return "";
	}
	assert_true(length > 1);
	assert_int_equal(fixture->line[length - 1], '\n');
	fixture->line[length - 1] = '\0';
	assert_null(strchr(fixture->line, '\n'));
	return fixture->line;
}

static void assert_no_signal(struct fixture *fixture)
{
	char byte;

	assert_int_equal(read(fixture->signals, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void test_exit(void **state)
{
	struct fixture *fixture = *state;

	for (int code = 0; code < 256; code++) {
		char expected[64];

		status_ended(&fixture->plan, W_EXITCODE(code, 0));
		snprintf(expected, sizeof(expected), "{\"event\":\"exit\",\"code\":%d}", code);
		assert_string_equal(event(fixture), expected);
	}
	assert_string_equal(event(fixture), "");
	assert_no_signal(fixture);
}

static void test_signal(void **state)
{
	struct fixture *fixture = *state;

	for (int number = 1; number <= SIGRTMAX; number++) {
		unsigned char record[8], expected[4] = { (unsigned char)number };
		char line[64];
		bool core = number % 2;

		status_ended(&fixture->plan, W_EXITCODE(0, number) | (core ? WCOREFLAG : 0));
		snprintf(line, sizeof(line), "{\"event\":\"signal\",\"signal\":%d,\"core\":%s}",
			 number, core ? "true" : "false");
		assert_string_equal(event(fixture), line);
		assert_int_equal(read(fixture->signals, record, sizeof(record)), sizeof(expected));
		assert_memory_equal(record, expected, sizeof(expected));
	}
}

static void test_timeout(void **state)
{
	struct fixture *fixture = *state;

	status_timed_out(&fixture->plan);
	assert_string_equal(event(fixture), "{\"event\":\"timeout\"}");
	assert_no_signal(fixture);
}

static void test_start(void **state)
{
	struct fixture *fixture = *state;
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	status_started(&fixture->box, 12345, pidfd);
	event(fixture);
	assert_memory_equal(fixture->line, "{\"event\":\"start\",\"pid\":12345", 28);
	assert_non_null(strstr(fixture->line, ",\"walls\":{\"user\":\"own\""));
	assert_non_null(strstr(fixture->line, "\"net\":\"own\""));
	assert_string_equal(fixture->line + strlen(fixture->line) - 15, "},\"missing\":[]}");
	if (pidfd >= 0)
		assert_non_null(strstr(fixture->line, ",\"pidfd_ino\":"));
	close(pidfd);
}

static void test_start_missing(void **state)
{
	struct fixture *fixture = *state;

	for (enum wall wall = 0; wall < WALLS; wall++) {
		char member[64], list[64];

		fixture->box.missing = 1U << wall;
		status_started(&fixture->box, 7, -1);
		event(fixture);
		snprintf(member, sizeof(member), "\"%s\":\"missing\"", walls[wall].name);
		snprintf(list, sizeof(list), "},\"missing\":[\"%s\"]}", walls[wall].name);
		assert_non_null(strstr(fixture->line, member));
		assert_string_equal(fixture->line + strlen(fixture->line) - strlen(list), list);
	}
	fixture->box.missing = 1U << WALL_USER | 1U << WALL_NET;
	status_started(&fixture->box, 7, -1);
	assert_non_null(strstr(event(fixture), ",\"missing\":[\"user\",\"net\"]}"));
}

static void test_start_shared_net_no_pidfd(void **state)
{
	struct fixture *fixture = *state;

	fixture->box.namespaces = 0;
	status_started(&fixture->box, 7, -1);
	assert_non_null(strstr(event(fixture), "\"net\":\"shared\""));
	assert_null(strstr(fixture->line, "pidfd_ino"));
}

static void test_failures(void **state)
{
	static const struct {
		enum report_kind kind;
		struct fault fault;
		const char *line;
	} rows[] = {
		{ REPORT_EXEC_FAILED,
		  { .step = "exec", .object = "/x", .error = 2 },
		  "{\"event\":\"exec-failed\",\"step\":\"exec\",\"object\":\"/x\",\"errno\":2,"
		  "\"hint\":\"not in the box, or its interpreter or loader is not; grant it with "
		  "--exec\"}" },
		{ REPORT_SETUP_FAILED,
		  { .step = "walk", .object = NULL, .error = 1 },
		  "{\"event\":\"setup-failed\",\"step\":\"walk\",\"object\":\"\",\"errno\":1}" },
		{ REPORT_SETUP_FAILED,
		  { .step = "dev", .object = "a\"b\\c\n\xff", .reason = "no" },
		  "{\"event\":\"setup-failed\",\"step\":\"dev\",\"object\":"
		  "\"a\\\"b\\\\c\\u000a\\ufffd\","
		  "\"reason\":\"no\"}" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		status_failed(&fixture->plan, rows[i].kind, &rows[i].fault);
		assert_string_equal(event(fixture), rows[i].line);
	}
	assert_no_signal(fixture);
}

/* However long the object, and whatever is in it, the line is whole: the end says so. */
static void test_long_objects(void **state)
{
	static const char bytes[] = { 'a', '\n', '"', '\\', '\xff' };
	struct fixture *fixture = *state;
	char object[PATH_MAX];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		struct fault fault = { .step = "grant", .object = object, .error = 36 };

		memset(object, bytes[i], sizeof(object) - 1);
		object[sizeof(object) - 1] = '\0';
		status_failed(&fixture->plan, REPORT_SETUP_FAILED, &fault);
		event(fixture);
		assert_string_equal(strrchr(fixture->line, ','), ",\"errno\":36}");
	}
}

static void test_long_objects_leave_room_for_the_reason(void **state)
{
	struct fixture *fixture = *state;
	char object[PATH_MAX];
	const struct fault fault = { .step = "grant", .object = object, .reason = "is too long" };

	memset(object, 'a', sizeof(object) - 1);
	object[sizeof(object) - 1] = '\0';
	status_failed(&fixture->plan, REPORT_SETUP_FAILED, &fault);
	event(fixture);
	assert_string_equal(strrchr(fixture->line, ','), ",\"reason\":\"is too long\"}");
}

static void test_no_descriptors(void **state)
{
	const struct plan plan = { .fds = { -1, -1 } };
	const struct box box = { .plan = &plan };
	const struct fault fault = { .step = "exec", .error = ENOENT };
	struct fixture *fixture = *state;

	status_started(&box, 1, -1);
	status_failed(&plan, REPORT_EXEC_FAILED, &fault);
	status_timed_out(&plan);
	status_ended(&plan, 0);
	status_ended(&plan, SIGKILL);
	assert_string_equal(event(fixture), "");
	assert_no_signal(fixture);
}

/* A caller that reads no more loses the events, nothing else. */
static void test_reader_gone(void **state)
{
	const struct fault fault = { .step = "exec", .error = ENOENT };
	struct fixture *fixture = *state;

	signal(SIGPIPE, SIG_IGN);
	close(fixture->events);
	close(fixture->signals);
	status_started(&fixture->box, 1, -1);
	status_failed(&fixture->plan, REPORT_EXEC_FAILED, &fault);
	status_timed_out(&fixture->plan);
	status_ended(&fixture->plan, SIGKILL);
	fixture->events = dup(fixture->plan.fds[FD_STATUS]);
	fixture->signals = dup(fixture->plan.fds[FD_STATUS]);
	signal(SIGPIPE, SIG_DFL);
}

#define WITH_PIPES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PIPES(test_exit),
		WITH_PIPES(test_signal),
		WITH_PIPES(test_timeout),
		WITH_PIPES(test_start),
		WITH_PIPES(test_start_missing),
		WITH_PIPES(test_start_shared_net_no_pidfd),
		WITH_PIPES(test_failures),
		WITH_PIPES(test_long_objects),
		WITH_PIPES(test_long_objects_leave_room_for_the_reason),
		WITH_PIPES(test_no_descriptors),
		WITH_PIPES(test_reader_gone),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
