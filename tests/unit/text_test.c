/* SPDX-License-Identifier: MIT */
/* init/text.c: lines with a bound, for names of any bytes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM (sizeof(((struct text *)0)->bytes) - 1) /* one byte is the newline's */
#define NAME_ROOM (sizeof(((struct text *)0)->bytes) - TEXT_RESERVE)
#define BAD "\\ufffd"

typedef void add_function(struct text *text, const char *string);

/* What FUNCTION makes of STRING, as a string. */
static const char *made_by(add_function *function, const char *string)
{
	static struct text text;

	text.length = 0;
	function(&text, string);
	assert_true(text.length < sizeof(text.bytes));
	text.bytes[text.length] = '\0';
	return text.bytes;
}

static void test_add(void **state)
{
	struct text text = { 0 };

	(void)state;
	text_add(&text, "");
	assert_int_equal(text.length, 0);
	text_add(&text, "one\n");
	text_add(&text, "\xff two");
	assert_int_equal(text.length, 9);
	assert_memory_equal(text.bytes, "one\n\xff two", 9);
}

static void test_number(void **state)
{
	static const unsigned long long rows[] = {
		0, 1, 9, 10, 11, 99, 100, 4294967295, UINT64_MAX
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text text = { 0 };
		char expected[32];

		text_number(&text, rows[i]);
		snprintf(expected, sizeof(expected), "%llu", rows[i]);
		assert_int_equal(text.length, strlen(expected));
		assert_memory_equal(text.bytes, expected, text.length);
	}
}

static void test_visible(void **state)
{
	static const struct {
		const char *bytes, *visible;
	} rows[] = {
		{ "", "" },
		{ "/a b\\\"'%s", "/a b\\\"'%s" },
		{ "a\nb\tc\033[1m\177", "a\\012b\\011c\\033[1m\\177" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9" },
		{ "\xc2\x9b", "\\302\\233" }, /* CSI, which starts an escape sequence */
		{ "\xc2\x80z\xc2\x9f", "\\302\\200z\\302\\237" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\x9b"
		  "31m",
		  "\\23331m" },
		{ "\xff/\xc3", "\\377/\\303" },
		{ "\xc3(", "\\303(" },
		{ "\xed\xa0\x80", "\\355\\240\\200" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(made_by(text_visible, rows[i].bytes), rows[i].visible);
	for (int byte = 1; byte < 0x80; byte++) {
		const char string[] = { 'x', (char)byte, 'y', '\0' };
		char expected[8];

		snprintf(expected, sizeof(expected),
			 byte < 0x20 || byte == 0x7f ? "x\\%03oy" : "x%cy", byte);
		assert_string_equal(made_by(text_visible, string), expected);
	}
}

static void test_json_ascii(void **state)
{
	(void)state;
	assert_string_equal(made_by(text_json, ""), "\"\"");
	assert_string_equal(made_by(text_json, "/a b/c"), "\"/a b/c\"");
	for (int byte = 1; byte < 0x80; byte++) {
		const char string[] = { 'x', (char)byte, 'y', '\0' };
		char expected[16];

		snprintf(expected, sizeof(expected),
			 byte < 0x20                   ? "\"x\\u%04xy\""
			 : byte == '"' || byte == '\\' ? "\"x\\%cy\""
						       : "\"x%cy\"",
			 byte);
		assert_string_equal(made_by(text_json, string), expected);
	}
}

/* RFC 3629, section 3, the table. */
static void encode(uint32_t code, char *utf8)
{
	if (code < 0x80) {
		*utf8++ = (char)code;
	} else if (code < 0x800) {
		*utf8++ = (char)(0xc0 | code >> 6);
		*utf8++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*utf8++ = (char)(0xe0 | code >> 12);
		*utf8++ = (char)(0x80 | (code >> 6 & 0x3f));
		*utf8++ = (char)(0x80 | (code & 0x3f));
	} else {
		*utf8++ = (char)(0xf0 | code >> 18);
		*utf8++ = (char)(0x80 | (code >> 12 & 0x3f));
		*utf8++ = (char)(0x80 | (code >> 6 & 0x3f));
		*utf8++ = (char)(0x80 | (code & 0x3f));
	}
	*utf8 = '\0';
}

static void test_json_every_character(void **state)
{
	(void)state;
	for (uint32_t code = 0x80; code <= 0x10ffff; code++) {
		char utf8[8], expected[32];

		encode(code, utf8);
		snprintf(expected, sizeof(expected), "\"%s\"",
			 code >= 0xd800 && code <= 0xdfff ? BAD BAD BAD : utf8);
		assert_string_equal(made_by(text_json, utf8), expected);
	}
}

static void test_json_not_utf8(void **state)
{
	static const struct {
		const char *bytes, *json;
	} rows[] = {
		{ "\x80", BAD }, /* a lone continuation byte */
		{ "\xbf", BAD },
		{ "a\x80z", "a" BAD "z" },
		{ "\x80\xbf\x80", BAD BAD BAD },
		{ "\xc2", BAD }, /* cut after the first byte */
		{ "\xdf", BAD },
		{ "\xe2\x82", BAD BAD },
		{ "\xf0\x9f", BAD BAD },
		{ "\xf0\x9f\x92", BAD BAD BAD },
		{ "\xc3(", BAD "(" }, /* cut by something else */
		{ "\xe2(\x82", BAD "(" BAD },
		{ "\xe2\x82(", BAD BAD "(" },
		{ "\xf0\x9f\x92(", BAD BAD BAD "(" },
		{ "\xc3\"", BAD "\\\"" },
		{ "\xe2\x82\xc3\xa9", BAD BAD "\xc3\xa9" },
		{ "\xc0\x80", BAD BAD }, /* longer than needed */
		{ "\xc0\xaf", BAD BAD },
		{ "\xc1\xbf", BAD BAD },
		{ "\xe0\x80\xaf", BAD BAD BAD },
		{ "\xe0\x9f\xbf", BAD BAD BAD },
		{ "\xf0\x80\x80\xaf", BAD BAD BAD BAD },
		{ "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
		{ "\xed\xa0\x80", BAD BAD BAD }, /* halves of a UTF-16 pair */
		{ "\xed\xbf\xbf", BAD BAD BAD },
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", BAD BAD BAD BAD },
		{ "\xf7\xbf\xbf\xbf", BAD BAD BAD BAD },
		{ "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD },
		{ "\xfc\x84\x80\x80\x80\x80", BAD BAD BAD BAD BAD BAD },
		{ "\xfe", BAD },
		{ "\xff", BAD },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "\"%s\"", rows[i].json);
		assert_string_equal(made_by(text_json, rows[i].bytes), expected);
	}
}

/* RFC 3629, section 4, row by row. Returns the length of the character at S, 0 if it is none. */
static size_t utf8_slowly(const unsigned char *s)
{
	static const struct {
		unsigned char from[4], to[4];
		size_t length;
	} rows[] = {
		{ { 0x01 }, { 0x7f }, 1 },
		{ { 0xc2, 0x80 }, { 0xdf, 0xbf }, 2 },
		{ { 0xe0, 0xa0, 0x80 }, { 0xe0, 0xbf, 0xbf }, 3 },
		{ { 0xe1, 0x80, 0x80 }, { 0xec, 0xbf, 0xbf }, 3 },
		{ { 0xed, 0x80, 0x80 }, { 0xed, 0x9f, 0xbf }, 3 },
		{ { 0xee, 0x80, 0x80 }, { 0xef, 0xbf, 0xbf }, 3 },
		{ { 0xf0, 0x90, 0x80, 0x80 }, { 0xf0, 0xbf, 0xbf, 0xbf }, 4 },
		{ { 0xf1, 0x80, 0x80, 0x80 }, { 0xf3, 0xbf, 0xbf, 0xbf }, 4 },
		{ { 0xf4, 0x80, 0x80, 0x80 }, { 0xf4, 0x8f, 0xbf, 0xbf }, 4 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t at = 0;

		while (at < rows[i].length && s[at] >= rows[i].from[at] && s[at] <= rows[i].to[at])
			at++;
		if (at == rows[i].length)
			return at;
	}
	return 0;
}

static void test_json_random(void **state)
{
	static const unsigned char edges[] =
		"az\"\\\n\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0"
		"\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff";

	(void)state;
	srandom(4);
	for (int round = 0; round < 200000; round++) {
		unsigned char bytes[12] = { 0 };
		char expected[128] = "\"";
		size_t length = (size_t)random() % sizeof(bytes), step;

		for (size_t i = 0; i < length; i++)
			bytes[i] = edges[(size_t)random() % (sizeof(edges) - 1)];
		for (unsigned char *at = bytes; *at != '\0'; at += step) {
			size_t valid = utf8_slowly(at);

			step = valid ? valid : 1;
			if (!valid)
				strcat(expected, BAD);
			else if (*at == '\n')
				strcat(expected, "\\u000a");
			else if (*at == '"' || *at == '\\')
				strncat(strcat(expected, "\\"), (char *)at, 1);
			else
				strncat(expected, (char *)at, valid);
		}
		assert_string_equal(made_by(text_json, (char *)bytes), strcat(expected, "\""));
	}
}

/* Strings that end where the memory ends: a look behind the NUL is a SIGSEGV. */
static void test_reads_nothing_behind_the_end(void **state)
{
	static const char *const rows[] = { "",     "a",        "\xc2",     "\xe2",
					    "\xf0", "\xe2\x82", "\xf0\x9f", "\xf0\x9f\x92",
					    "\xf4", "\xed\x9f", "\xe0" };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(memory != MAP_FAILED);
	assert_int_equal(mprotect(memory + page, page, PROT_NONE), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *string = memory + page - strlen(rows[i]) - 1;

		strcpy(string, rows[i]);
		made_by(text_add, string);
		made_by(text_visible, string);
		made_by(text_json, string);
	}
	munmap(memory, 2 * page);
}

/* A line that is nearly full, and what lies behind it. */
static void check_bound(add_function *function, size_t length, const char *string)
{
	struct {
		struct text text;
		unsigned char canary[64];
	} guarded;

	memset(&guarded, '#', sizeof(guarded));
	guarded.text.length = length;
	function(&guarded.text, string);
	assert_true(guarded.text.length <= ROOM);
	assert_true(guarded.text.length >= length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(guarded.text.bytes[i], '#');
	for (size_t i = 0; i < sizeof(guarded.canary); i++)
		assert_int_equal(guarded.canary[i], '#');
	/* What was cut stays cut, and the newline has its byte. */
	function(&guarded.text, string);
	function(&guarded.text, string);
	assert_true(guarded.text.length <= ROOM);
}

static void add_number(struct text *text, const char *string)
{
	text_number(text, string[0] == '\0' ? 0 : UINT64_MAX);
}

static void test_bound(void **state)
{
	static add_function *const functions[] = { text_add, text_visible, text_json, add_number };
	static const char *const strings[] = { "",
					       "a",
					       "ab",
					       "\n\n\n",
					       "\"\"\"",
					       "\\\\\\",
					       "\x80\x80\x80",
					       "\xf0\x9f\x92\xa9",
					       "\xc3\xa9",
					       "\001",
					       "0123456789012345678901234567890" };

	(void)state;
	for (size_t i = 0; i < COUNT(functions); i++)
		for (size_t at = 0; at < COUNT(strings); at++)
			for (size_t length = 0; length <= 40; length++) {
				check_bound(functions[i], ROOM - length, strings[at]);
				check_bound(functions[i], NAME_ROOM - 20 + length, strings[at]);
			}
}

static void fill(char *string, size_t length, const char *piece)
{
	for (size_t i = 0; i < length; i++)
		string[i] = piece[i % strlen(piece)];
	string[length] = '\0';
}

static const char *const pieces[] = { "a",        "\n",           "\"",
				      "\\",       "\x80",         "\xff",
				      "\xc3\xa9", "\xe2\x82\xac", "a\xf0\x9f\x92\xa9" };

static void test_long_strings(void **state)
{
	char string[3 * ROOM];

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		fill(string, sizeof(string) - 1, pieces[i]);
		check_bound(text_add, 0, string);
		check_bound(text_visible, 0, string);
		check_bound(text_json, 0, string);
	}
	fill(string, ROOM, "a");
	assert_true(strcmp(made_by(text_add, string), string) == 0);
}

/* The length of the JSON string that TEXT starts with, or 0 if it is none. */
static size_t json_string(const char *text)
{
	const char *at = text;

	if (*at++ != '"')
		return 0;
	while (*at != '"') {
		size_t valid = utf8_slowly((const unsigned char *)at);

		if (valid == 0 || (unsigned char)*at < 0x20)
			return 0;
		if (*at != '\\') {
			at += valid;
		} else if (at[1] == 'u') {
			if (strspn(at + 2, "0123456789abcdef") < 4)
				return 0;
			at += 6;
		} else if (at[1] == '"' || at[1] == '\\') {
			at += 2;
		} else {
			return 0;
		}
	}
	return (size_t)(at + 1 - text);
}

/* A name that is too long is cut between two characters, and there is room for the rest. */
static void test_cut_names(void **state)
{
	char string[3 * ROOM];

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		for (size_t start = 0; start < 20; start++) {
			struct text text = { 0 };

			fill(string, start, "z");
			text_add(&text, string);
			fill(string, sizeof(string) - 1, pieces[i]);
			text_json(&text, string);
			assert_true(text.length > NAME_ROOM - 20 && text.length <= NAME_ROOM + 1);
			text_add(&text, ",");
			text.bytes[text.length] = '\0';
			assert_int_equal(json_string(text.bytes + start), text.length - start - 1);
			text.length = start;
			text_visible(&text, string);
			assert_true(text.length > NAME_ROOM - 20 && text.length <= NAME_ROOM);
			text.bytes[text.length] = '\0';
			for (const char *at = text.bytes; *at != '\0'; at++) {
				size_t valid = utf8_slowly((const unsigned char *)at);

				assert_true(valid > 0);
				at += valid - 1;
			}
		}
	}
}

/* Each write is one packet: a line never mixes with another one. */
static void test_write(void **state)
{
	struct text text = { 0 };
	char buffer[8192];
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(text_write(&text, fds[1]), 0);
	assert_int_equal(read(fds[0], buffer, sizeof(buffer)), 1);
	assert_int_equal(buffer[0], '\n');
	text_add(&text, "line");
	assert_int_equal(text_write(&text, fds[1]), 0);
	assert_int_equal(read(fds[0], buffer, sizeof(buffer)), 5);
	assert_memory_equal(buffer, "line\n", 5);
	while (text.length < ROOM)
		text_add(&text, "0123456");
	assert_int_equal(text_write(&text, fds[1]), 0);
	assert_int_equal(read(fds[0], buffer, sizeof(buffer)), ROOM + 1);
	assert_memory_equal(buffer, text.bytes, ROOM);
	assert_int_equal(buffer[ROOM], '\n');
	assert_int_equal(read(fds[0], buffer, sizeof(buffer)), -1);
	assert_int_equal(errno, EAGAIN);
	close(fds[0]);
	close(fds[1]);
}

static void test_write_fails(void **state)
{
	struct text text = { 0 };
	int fds[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	text_add(&text, "line");
	assert_int_equal(text_write(&text, -1), -EBADF);
	assert_true(full >= 0);
	assert_int_equal(text_write(&text, full), -ENOSPC);
	close(full);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	assert_int_equal(text_write(&text, fds[1]), -EPIPE);
	close(fds[1]);
	signal(SIGPIPE, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_visible),
		cmocka_unit_test(test_json_ascii),
		cmocka_unit_test(test_json_every_character),
		cmocka_unit_test(test_json_not_utf8),
		cmocka_unit_test(test_json_random),
		cmocka_unit_test(test_reads_nothing_behind_the_end),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_cut_names),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_fails),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
