/* SPDX-License-Identifier: MIT */
/* init/library/event.c: the launcher's events, read back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/library/library.h"
#include "init/status.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int parse(const char *line, struct nestbox_event *event)
{
	/* Of its exact size, so that a byte too many that is read is seen. */
	size_t length = strlen(line);
	char *copy = malloc(length + 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, line, length);
	copy = realloc(copy, length > 0 ? length : 1);
	result = event_parse(copy, length, event);
	free(copy);
	return result;
}

static void test_good(void **state)
{
	struct nestbox_event event;

	(void)state;
	assert_int_equal(parse("{\"event\":\"start\",\"pid\":42,\"pidfd_ino\":18446744073709551615,"
			       "\"walls\":{\"user\":\"own\",\"x\":{}},\"missing\":[\"a\",\"b\"]}",
			       &event),
			 1);
	assert_int_equal(event.kind, NESTBOX_STARTED);
	assert_int_equal(event.pid, 42);
	for (int code = 0; code < 256; code++) {
		char line[64];

		snprintf(line, sizeof(line), "{\"event\":\"exit\",\"code\":%d}", code);
		assert_int_equal(parse(line, &event), 1);
		assert_int_equal(event.kind, NESTBOX_EXITED);
		assert_int_equal(event.code, code);
	}
	assert_int_equal(parse("{\"event\":\"signal\",\"signal\":11,\"core\":true}", &event), 1);
	assert_int_equal(event.kind, NESTBOX_SIGNALLED);
	assert_int_equal(event.signal, 11);
	assert_int_equal(event.core, 1);
	assert_int_equal(parse("{\"signal\":64,\"core\":false,\"event\":\"signal\"}", &event), 1);
	assert_int_equal(event.signal, 64);
	assert_int_equal(event.core, 0);
	assert_int_equal(parse("{\"event\":\"timeout\"}", &event), 1);
	assert_int_equal(event.kind, NESTBOX_TIMED_OUT);
}

static void test_failures(void **state)
{
	struct nestbox_event event;

	(void)state;
	assert_int_equal(parse("{\"event\":\"setup-failed\",\"step\":\"grant\",\"object\":\"/x\","
			       "\"errno\":2,\"hint\":\"do that\"}",
			       &event),
			 1);
	assert_int_equal(event.kind, NESTBOX_FAILED);
	assert_string_equal(event.error.step, "grant");
	assert_string_equal(event.error.object, "/x");
	assert_int_equal(event.error.error, 2);
	assert_string_equal(event.error.reason, "");
	assert_string_equal(event.error.hint, "do that");
	assert_string_equal(event.error.message, "grant: /x: No such file or directory (do that)");
	assert_int_equal(parse("{\"event\":\"exec-failed\",\"step\":\"exec\",\"object\":\"\","
			       "\"reason\":\"no\",\"detail\":\"way\"}",
			       &event),
			 1);
	assert_int_equal(event.error.error, 0);
	assert_string_equal(event.error.reason, "no way");
	assert_string_equal(event.error.message, "exec: no way");
}

static void test_escapes(void **state)
{
	struct nestbox_event event;

	(void)state;
	assert_int_equal(
		parse("{\"event\":\"setup-failed\",\"step\":\"s\",\"errno\":1,\"object\":"
		      "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\u20aC\\ufffd\xc3\xa9\"}",
		      &event),
		1);
	assert_string_equal(event.error.object,
			    "\"\\/\b\f\n\r\t\x01\xc3\xa9\xe2\x82\xac\xef\xbf\xbd\xc3\xa9");
}

/* Cut where a character ends, and the rest of the line is read. */
static void test_long_texts(void **state)
{
	static const char *const characters[] = { "a",       "\xc3\xa9",         "\xe2\x82\xac",
						  "\\u20ac", "\xf0\x9f\x90\xa6", "\\n",
						  "\xff" };
	static char line[65536];
	struct nestbox_event event;

	(void)state;
	for (size_t i = 0; i < COUNT(characters); i++) {
		const char *character = characters[i];
		size_t least = sizeof(event.error.object) - 4;

		strcpy(line, "{\"event\":\"setup-failed\",\"object\":\"");
		for (int n = 0; n < 3000; n++)
			strcat(line, character);
		strcat(line, "\",\"step\":\"s\",\"errno\":13}");
		assert_int_equal(parse(line, &event), 1);
		assert_int_equal(event.error.error, 13);
		assert_in_range(strlen(event.error.object), least, sizeof(event.error.object) - 1);
		if (character[0] != '\\')
			assert_int_equal(strlen(event.error.object) % strlen(character), 0);
		assert_non_null(strstr(event.error.message, ": Permission denied"));
	}
}

static void test_of_no_interest(void **state)
{
	struct nestbox_event event;

	(void)state;
	assert_int_equal(
		parse("{\"event\":\"later\",\"a\":[1,-2,null,{\"b\":[]}],\"c\":true}", &event), 0);
	assert_int_equal(parse("{\"event\":\"\"}", &event), 0);
	assert_int_equal(parse("{\"event\":\"setup-failed-and-more\"}", &event), 0);
}

static const char *const bad[] = {
	"",
	"{",
	"}",
	"{}",
	"[]",
	"null",
	"\"event\"",
	"{\"event\"}",
	"{\"event\":}",
	"{\"event\":1}",
	"{\"event\":\"exit\"}",
	"{\"event\":\"exit\",\"code\":256}",
	"{\"event\":\"exit\",\"code\":-1}",
	"{\"event\":\"exit\",\"code\":\"1\"}",
	"{\"event\":\"exit\",\"code\":1.0}",
	"{\"event\":\"exit\",\"code\":01}",
	"{\"event\":\"exit\",\"code\":00}",
	"{\"event\":\"exit\",\"code\":1e1}",
	"{\"event\":\"exit\",\"code\":true}",
	"{\"event\":\"exit\",\"code\":null}",
	"{\"event\":\"exit\",\"code\":}",
	"{\"event\":\"exit\",\"code\":18446744073709551617}",
	"{\"event\":\"exit\",\"code\":99999999999999999999999}",
	"{\"event\":\"exit\",\"code\":1,\"code\":1}",
	"{\"event\":\"exit\",\"code\":1,}",
	"{\"event\":\"exit\",,\"code\":1}",
	"{\"event\":\"exit\",\"code\":1}}",
	"{\"event\":\"exit\",\"code\":1} ",
	" {\"event\":\"exit\",\"code\":1}",
	"{\"event\": \"exit\",\"code\":1}",
	"{\"event\":\"exit\",\"code\":1}\n",
	"{\"event\":\"exit\",\"event\":\"exit\",\"code\":1}",
	"{\"code\":1}",
	"{\"event\":\"signal\",\"signal\":0,\"core\":true}",
	"{\"event\":\"signal\",\"signal\":65,\"core\":true}",
	"{\"event\":\"signal\",\"signal\":9}",
	"{\"event\":\"signal\",\"core\":true}",
	"{\"event\":\"signal\",\"signal\":9,\"core\":1}",
	"{\"event\":\"signal\",\"signal\":9,\"core\":tru}",
	"{\"event\":\"start\"}",
	"{\"event\":\"start\",\"pid\":0}",
	"{\"event\":\"start\",\"pid\":2147483648}",
	"{\"event\":\"setup-failed\"}",
	"{\"event\":\"setup-failed\",\"step\":\"a\",\"object\":\"b\"}",
	"{\"event\":\"setup-failed\",\"step\":\"a\",\"errno\":1}",
	"{\"event\":\"setup-failed\",\"object\":\"a\",\"errno\":1}",
	"{\"event\":\"setup-failed\",\"step\":1,\"object\":\"b\",\"errno\":1}",
	"{\"event\":\"setup-failed\",\"step\":\"a\",\"object\":\"b\",\"errno\":0}",
	"{\"event\":\"setup-failed\",\"step\":\"a\",\"object\":\"b\",\"errno\":4096}",
	"{\"event\":\"timeout\",\"object\":\"\\u0000\"}",
	"{\"event\":\"timeout\",\"object\":\"\\ud800\"}",
	"{\"event\":\"timeout\",\"object\":\"\\udfff\"}",
	"{\"event\":\"timeout\",\"object\":\"\\u12\"}",
	"{\"event\":\"timeout\",\"object\":\"\\u12g4\"}",
	"{\"event\":\"timeout\",\"object\":\"\\x\"}",
	"{\"event\":\"timeout\",\"object\":\"\\\"}",
	"{\"event\":\"timeout\",\"object\":\"a\nb\"}",
	"{\"event\":\"timeout\",\"object\":\"\\",
	"{\"event\":\"timeout\",\"object\":\"\\u",
	"{\"event\":\"timeout\",\"a\":[}",
	"{\"event\":\"timeout\",\"a\":[1,]}",
	"{\"event\":\"timeout\",\"a\":{\"b\"}}",
	"{\"event\":\"timeout\",\"a\":{1:2}}",
	"{\"event\":\"timeout\",\"a\":{\"b\":1]}",
	"{\"event\":\"timeout\",\"a\":-}",
	"{\"event\":\"timeout\",\"a\":nul}",
	"{\"event\":\"timeout\",\"a\":[[[[[[[[[[1]]]]]]]]]]}",
	"{\"event\":\"timeout\"}{\"event\":\"timeout\"}",
};

static void test_bad(void **state)
{
	struct nestbox_event event;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse(bad[i], &event) != -EPROTO)
			fail_msg("taken: %s", bad[i]);
	/* A NUL is no character of any of it. */
	assert_int_equal(event_parse("{\"event\":\"timeout\"\0}", 21, &event), -EPROTO);
	assert_int_equal(event_parse("{\"event\":\"time\0ut\"}", 19, &event), -EPROTO);
}

static const char *const lines[] = {
	"{\"event\":\"start\",\"pid\":42,\"walls\":{\"user\":\"own\"},\"missing\":[\"a\",\"b\"]}",
	"{\"event\":\"signal\",\"signal\":11,\"core\":true}",
	"{\"event\":\"setup-failed\",\"step\":\"grant\",\"object\":\"\\u20ac\\n\",\"errno\":2}",
};

static void test_truncated(void **state)
{
	struct nestbox_event event;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		for (size_t length = 0; length < strlen(lines[i]); length++) {
			char *copy = malloc(length + 1);

			assert_non_null(copy);
			memcpy(copy, lines[i], length);
			assert_int_equal(event_parse(copy, length, &event), -EPROTO);
			free(copy);
		}
	}
}

/* Whatever comes, what is made of it can be relied upon. */
static void check_sane(const struct nestbox_event *event)
{
	assert_in_range(event->kind, NESTBOX_STARTED, NESTBOX_FAILED);
	assert_in_range(event->code, 0, 255);
	assert_in_range(event->signal, event->kind == NESTBOX_SIGNALLED, 64);
	assert_in_range(event->core, 0, 1);
	assert_true(event->kind == NESTBOX_STARTED ? event->pid > 0 : event->pid == 0);
	assert_in_range(event->error.error, 0, 4095);
	assert_true(memchr(event->error.message, '\0', sizeof(event->error.message)) != NULL);
	assert_true(memchr(event->error.object, '\0', sizeof(event->error.object)) != NULL);
}

static void test_mutated(void **state)
{
	static const char alphabet[] = "{}[]\",:\\u0123456789-truefalsnull \n\xff\xc3\xe2";
	unsigned int seed = 4711;
	int taken = 0;

	(void)state;
	for (int round = 0; round < 300000; round++) {
		const char *from = lines[(size_t)round % COUNT(lines)];
		struct nestbox_event event;
		size_t length = strlen(from);
		char line[256];

		memcpy(line, from, length);
		for (int n = rand_r(&seed) % 4; n >= 0; n--)
			line[(size_t)rand_r(&seed) % length] =
				alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		if (event_parse(line, length, &event) != 1)
			continue;
		check_sane(&event);
		taken++;
	}
	assert_true(taken > 100);
}

/* What init/status.c writes is read as it was meant, whatever the object. */
static void test_of_the_launcher(void **state)
{
	unsigned int seed = 815;
	int ends[2];
	struct plan plan = { .fds = { -1 } };

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < PLAN_FDS; i++)
		plan.fds[i] = -1;
	plan.fds[FD_STATUS] = ends[1];
	for (int round = 0; round < 2000; round++) {
		struct fault fault = { .step = "grant", .error = 1 + round % 130 };
		struct nestbox_event event;
		char object[300], line[4200];
		size_t size = 1 + (size_t)rand_r(&seed) % (sizeof(object) - 1);
		ssize_t length;

		for (size_t i = 0; i < size; i++)
			object[i] = (char)(1 + rand_r(&seed) % 255);
		object[size - 1] = '\0';
		fault.object = object;
		status_failed(&plan, REPORT_SETUP_FAILED, &fault);
		length = read(ends[0], line, sizeof(line));
		assert_true(length > 1 && line[length - 1] == '\n');
		assert_int_equal(event_parse(line, (size_t)length - 1, &event), 1);
		assert_int_equal(event.kind, NESTBOX_FAILED);
		assert_int_equal(event.error.error, fault.error);
		if (size > 1 && object[0] > ' ')
			assert_int_equal(event.error.object[0], object[0]);
	}
	status_ended(&plan, W_EXITCODE(0, SIGSEGV) | WCOREFLAG);
	{
		struct nestbox_event event;
		char line[4200];
		ssize_t length = read(ends[0], line, sizeof(line));

		assert_int_equal(event_parse(line, (size_t)length - 1, &event), 1);
		assert_int_equal(event.signal, SIGSEGV);
		assert_int_equal(event.core, 1);
	}
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_of_no_interest),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_of_the_launcher),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
