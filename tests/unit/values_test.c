/* SPDX-License-Identifier: MIT */
/* init/values.c: numbers, seconds and limits from text. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "init/values.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND UINT64_C(1000000000)
#define UNLIMITED UINT64_MAX

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, number;
	} rows[] = {
		{ "0", 0, 0 },
		{ "0", 9, 0 },
		{ "9", 9, 9 },
		{ "10", 10, 10 },
		{ "007", 7, 7 },
		{ "0000000000000000000000000000001", 1, 1 },
		{ "2147483647", INT32_MAX, INT32_MAX },
		{ "4294967294", UINT32_MAX - 1, UINT32_MAX - 1 },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t number = 77;

		assert_true(value_number(rows[i].text, rows[i].max, &number));
		assert_int_equal(number, rows[i].number);
	}
}

static void test_numbers_refused(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
	} rows[] = {
		{ "", 100 },
		{ "-", 100 },
		{ "+", 100 },
		{ "-1", UINT64_MAX },
		{ "+1", 100 },
		{ "-0", 100 },
		{ " 1", 100 },
		{ "1 ", 100 },
		{ "\t1", 100 },
		{ "1\n", 100 },
		{ "1 2", 100 },
		{ "0x1", 100 },
		{ "x", 100 },
		{ "1e1", 100 },
		{ "1.0", 100 },
		{ "1,0", 100 },
		{ "1", 0 },
		{ "10", 9 },
		{ "11", 10 },
		{ "100", 99 },
		{ "256", 255 },
		{ "2147483648", INT32_MAX },
		{ "4294967295", UINT32_MAX - 1 },
		{ "4294967296", UINT32_MAX - 1 },
		{ "18446744073709551616", UINT64_MAX },
		{ "18446744073709551625", UINT64_MAX },
		{ "28446744073709551615", UINT64_MAX },
		{ "99999999999999999999999999", UINT64_MAX },
		{ "\xd9\xa1", 100 }, /* ARABIC-INDIC DIGIT ONE */
	};
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(value_number(rows[i].text, rows[i].max, &number));
}

static void test_numbers_every_byte(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		const char alone[] = { (char)byte, '\0' }, behind[] = { '1', (char)byte, '\0' };
		bool digit = byte >= '0' && byte <= '9';
		uint64_t number;

		assert_int_equal(value_number(alone, 100, &number), digit);
		assert_int_equal(value_number(behind, 100, &number), digit);
	}
}

static uint64_t random_number(void)
{
	uint64_t bits = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();

	return bits >> random() % 64;
}

static void test_numbers_random(void **state)
{
	(void)state;
	srandom(2);
	for (int round = 0; round < 200000; round++) {
		uint64_t number = random_number(), max = random_number(), read;
		char text[32];

		if (round % 2)
			max = number + (uint64_t)(random() % 3) - 1;
		snprintf(text, sizeof(text), "%" PRIu64, number);
		assert_int_equal(value_number(text, max, &read), number <= max);
		if (number <= max)
			assert_int_equal(read, number);
	}
}

static void test_seconds(void **state)
{
	static const struct {
		const char *text;
		uint64_t nanoseconds;
	} rows[] = {
		{ "1", SECOND },
		{ "01", SECOND },
		{ "60", 60 * SECOND },
		{ "2.5", 5 * SECOND / 2 },
		{ "0.1", SECOND / 10 },
		{ "0.05", SECOND / 20 },
		{ "1.0", SECOND },
		{ "0.000000001", 1 },
		{ "0.999999999", SECOND - 1 },
		{ "1.000000001", SECOND + 1 },
		{ "316224000", 316224000 * SECOND },
		{ "316224000.000000000", 316224000 * SECOND },
		{ "316223999.999999999", 316224000 * SECOND - 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t nanoseconds = 77;

		assert_true(value_seconds(rows[i].text, &nanoseconds));
		assert_int_equal(nanoseconds, rows[i].nanoseconds);
	}
}

static void test_seconds_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"0",
		"0.0",
		"0.000000000",
		"00",
		".",
		".5",
		"1.",
		"0.",
		"-1",
		"+1",
		"-0.5",
		"1.-5",
		"1.+5",
		" 1",
		"1 ",
		"1. 5",
		"1 .5",
		"1.5 ",
		"1.5s",
		"1s",
		"1m",
		"1e3",
		"0x1",
		"1.5.5",
		"1..5",
		"1,5",
		"1:30",
		"inf",
		"nan",
		"unlimited",
		"1.0000000000",
		"0.0000000001",
		"316224001",
		"18446744073",
		"18446744073709551616",
		"99999999999999999999999999",
	};
	uint64_t nanoseconds;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(value_seconds(rows[i], &nanoseconds));
}

static void test_seconds_at_most_ten_years(void **state)
{
	uint64_t nanoseconds;

	(void)state;
	assert_false(value_seconds("316224000.000000001", &nanoseconds));
	assert_false(value_seconds("316224000.9", &nanoseconds));
}

static const struct {
	const char *name;
	int resource;
} names[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static void test_limit_names(void **state)
{
	(void)state;
	assert_int_equal(COUNT(names), RLIM_NLIMITS);
	for (size_t i = 0; i < COUNT(names); i++) {
		/* Lower case, upper case, and one capital. */
		for (int style = 0; style < 3; style++) {
			struct limit limit = { .resource = -1 };
			char text[64];

			snprintf(text, sizeof(text), "%s=1:2", names[i].name);
			for (size_t at = 0; at < (style == 0   ? 0
						  : style == 1 ? strlen(text)
							       : 1);
			     at++)
				if (text[at] >= 'a' && text[at] <= 'z')
					text[at] = (char)(text[at] - 'a' + 'A');
			assert_true(value_limit(text, &limit));
			assert_int_equal(limit.resource, names[i].resource);
			assert_int_equal(limit.soft, 1);
			assert_int_equal(limit.hard, 2);
		}
	}
}

static void test_limits(void **state)
{
	static const struct {
		const char *text;
		uint64_t soft, hard;
	} rows[] = {
		{ "core=0", 0, 0 },
		{ "core=0:0", 0, 0 },
		{ "core=5", 5, 5 },
		{ "core=5:5", 5, 5 },
		{ "core=5:6", 5, 6 },
		{ "core=unlimited", UNLIMITED, UNLIMITED },
		{ "core=unlimited:unlimited", UNLIMITED, UNLIMITED },
		{ "core=5:unlimited", 5, UNLIMITED },
		{ "core=18446744073709551614", UINT64_MAX - 1, UINT64_MAX - 1 },
		{ "core=18446744073709551614:unlimited", UINT64_MAX - 1, UNLIMITED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct limit limit = { 0 };

		assert_true(value_limit(rows[i].text, &limit));
		assert_int_equal(limit.resource, RLIMIT_CORE);
		assert_int_equal(limit.soft, rows[i].soft);
		assert_int_equal(limit.hard, rows[i].hard);
	}
}

static void test_limits_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"=",
		":",
		"core",
		"core=",
		"core:1",
		"=1",
		"core=1:",
		"core=:1",
		"core=:",
		"core=1:2:3",
		"core=2:1",
		"core=unlimited:1",
		"core=unlimited:18446744073709551614",
		"core=-1",
		"core=+1",
		"core=1:-1",
		"core=1:+2",
		"core= 1",
		"core=1 ",
		"core =1",
		" core=1",
		"core=1: 2",
		"core=1 :2",
		"core=0x10",
		"core=1k",
		"core==1",
		"core=1=2",
		"core=unlimite",
		"core=unlimitedx",
		"core=infinity",
		"core=18446744073709551615",
		"core=18446744073709551616",
		"core=1:18446744073709551616",
		"core=99999999999999999999999999",
		"RLIMIT_CORE=1",
		"cor=1",
		"cores=1",
		"c=1",
		"a=1",
		"asx=1",
		"\xc4\xb1"
		"core=1",
		"unlimited=1",
		"7=1",
		"co\nre=1",
	};
	struct limit limit;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(value_limit(rows[i], &limit));
}

static void test_octal(void **state)
{
	static const char *const refused[] = { "",   "8",     "-1",
					       "+1", " 1",    "1 ",
					       "0x", "10000", "77777777777777777777777777" };
	uint64_t number;

	(void)state;
	assert_true(value_octal("0", 07777, &number) && number == 0);
	assert_true(value_octal("0755", 07777, &number) && number == 0755);
	assert_true(value_octal("7777", 07777, &number) && number == 07777);
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_false(value_octal(refused[i], 07777, &number));
}

static void test_sizes(void **state)
{
	static const char *const refused[] = { "",
					       "0x",
					       "08",
					       "0xg",
					       "1k",
					       "-1",
					       "+1",
					       " 1",
					       "0x-1",
					       "00x1",
					       "9223372036854775808",
					       "0x8000000000000000" };
	uint64_t number;

	(void)state;
	assert_true(value_size("4096", INT64_MAX, &number) && number == 4096);
	assert_true(value_size("0", INT64_MAX, &number) && number == 0);
	assert_true(value_size("010", INT64_MAX, &number) && number == 8);
	assert_true(value_size("0x1F", INT64_MAX, &number) && number == 31);
	assert_true(value_size("0X1f", INT64_MAX, &number) && number == 31);
	assert_true(value_size("0x7fffffffffffffff", INT64_MAX, &number) && number == INT64_MAX);
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_false(value_size(refused[i], INT64_MAX, &number));
}

static void test_capabilities(void **state)
{
	static const char *const refused[] = { "", "cap_", "cap", "cap_chown ", "64", "alls", "*" };
	uint64_t set;

	(void)state;
	assert_true(value_capability("chown", &set) && set == 1);
	assert_true(value_capability("CAP_SYS_ADMIN", &set) && set == 1ULL << 21);
	assert_true(value_capability("Cap_Checkpoint_Restore", &set) && set == 1ULL << 40);
	assert_true(value_capability("63", &set) && set == 1ULL << 63);
	assert_true(value_capability("aLL", &set) && set == UINT64_MAX);
	assert_string_equal(value_capability_name(1), "chown");
	assert_string_equal(value_capability_name(1ULL << 40 | 1ULL << 63), "checkpoint_restore");
	assert_string_equal(value_capability_name(1ULL << 41), "");
	assert_string_equal(value_capability_name(0), "");
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_false(value_capability(refused[i], &set));
}

static void ports(void **state)
{
	static const char *const bad[] = { "",       ",",      "80,", ",80",   "80,,81",  "-",
					   "-1",     "+1",     " 1",  "1 ",    "1-",      "2-1",
					   "1-2-",   "1--2",   "0x1", "65536", "1-65536", "a",
					   "none,1", "1,none", "1:2" };
	uint64_t set[VALUE_PORTS / 64] = { 0 };

	(void)state;
	assert_true(value_ports("none", set));
	for (size_t i = 0; i < VALUE_PORTS / 64; i++)
		assert_true(set[i] == 0);
	assert_true(value_ports("0", set));
	assert_true(set[0] == 1);
	assert_true(value_ports("65535,62-65,080", set));
	assert_true(set[0] == (1 | 3ULL << 62));
	assert_true(set[1] == (3 | 1ULL << 16));
	assert_true(set[VALUE_PORTS / 64 - 1] == 1ULL << 63);
	assert_true(value_ports("0-65535", set));
	for (size_t i = 0; i < VALUE_PORTS / 64; i++)
		assert_true(set[i] == UINT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(value_ports(bad[i], set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_numbers_refused),
		cmocka_unit_test(test_numbers_every_byte),
		cmocka_unit_test(test_numbers_random),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_seconds_refused),
		cmocka_unit_test(test_seconds_at_most_ten_years),
		cmocka_unit_test(test_limit_names),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_refused),
		cmocka_unit_test(test_octal),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(ports),
	};

	return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
