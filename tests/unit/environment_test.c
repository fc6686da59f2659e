/* SPDX-License-Identifier: MIT */
/* init/environment.c: what of the caller's environment the workload gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/box.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define KEEP(name_)                                                                                \
	{                                                                                          \
		.kind = ENV_KEEP, .name = name_                                                    \
	}
#define KEEP_ALL                                                                                   \
	{                                                                                          \
		.kind = ENV_KEEP_ALL                                                               \
	}
#define SET(name_, value_)                                                                         \
	{                                                                                          \
		.kind = ENV_SET, .name = name_, .value = value_                                    \
	}
#define UNSET(name_)                                                                               \
	{                                                                                          \
		.kind = ENV_UNSET, .name = name_                                                   \
	}
#define CLEAR                                                                                      \
	{                                                                                          \
		.kind = ENV_CLEAR                                                                  \
	}

static size_t count_strings(char *const strings[])
{
	size_t count = 0;

	while (strings[count] != NULL)
		count++;
	return count;
}

/* The same strings, in whatever order. */
static void assert_same(char *const environment[], const char *const expected[], size_t count)
{
	assert_int_equal(count_strings(environment), count);
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < count && strcmp(environment[at], expected[i]) != 0)
			at++;
		if (at == count)
			fail_msg("%s is missing", expected[i]);
	}
}

struct row {
	struct env_edit edits[6];
	size_t edit_count;
	const char *expected[8];
	size_t expected_count;
};

static void check_rows(const struct row *rows, size_t count, const char *const caller[])
{
	for (size_t i = 0; i < count; i++) {
		char *copy[16] = { NULL };
		char **made;

		for (size_t at = 0; caller[at] != NULL; at++)
			copy[at] = strdup(caller[at]);
		made = environment_make(rows[i].edits, rows[i].edit_count, copy);
		assert_non_null(made);
		/* PID 1 wipes the caller's strings: these must be others. */
		for (size_t at = 0; copy[at] != NULL; at++) {
			memset(copy[at], '!', strlen(copy[at]));
			free(copy[at]);
		}
		assert_same(made, rows[i].expected, rows[i].expected_count);
		environment_free(made);
	}
}

static void test_edits(void **state)
{
	static const char *const caller[] = { "PATH=/outside", "HOME=/home/u", "EMPTY=",
					      "TWO=a=b",       "no equals",    NULL };
	static const struct row rows[] = {
		{ { CLEAR }, 0, { PATH }, 1 },
		{ { CLEAR }, 1, { NULL }, 0 },
		{ { KEEP("HOME") }, 1, { PATH, "HOME=/home/u" }, 2 },
		{ { KEEP("EMPTY") }, 1, { PATH, "EMPTY=" }, 2 },
		{ { KEEP("TWO") }, 1, { PATH, "TWO=a=b" }, 2 },
		{ { KEEP("ABSENT") }, 1, { PATH }, 1 },
		{ { KEEP("no equals") }, 1, { PATH }, 1 },
		{ { KEEP("PATH") }, 1, { "PATH=/outside" }, 1 },
		{ { KEEP("HOME"), KEEP("HOME") }, 2, { PATH, "HOME=/home/u" }, 2 },
		{ { KEEP_ALL }, 1, { "PATH=/outside", "HOME=/home/u", "EMPTY=", "TWO=a=b" }, 4 },
		{ { SET("A", "1") }, 1, { PATH, "A=1" }, 2 },
		{ { SET("A", "") }, 1, { PATH, "A=" }, 2 },
		{ { SET("A", "b=c") }, 1, { PATH, "A=b=c" }, 2 },
		{ { SET("A", "1"), SET("A", "2") }, 2, { PATH, "A=2" }, 2 },
		{ { SET("PATH", "/p") }, 1, { "PATH=/p" }, 1 },
		{ { SET("PATH", "") }, 1, { "PATH=" }, 1 },
		{ { UNSET("PATH") }, 1, { NULL }, 0 },
		{ { UNSET("ABSENT") }, 1, { PATH }, 1 },
		{ { SET("HOME", "/x"), KEEP("HOME") }, 2, { PATH, "HOME=/home/u" }, 2 },
		{ { KEEP("HOME"), SET("HOME", "/x") }, 2, { PATH, "HOME=/x" }, 2 },
		{ { KEEP("HOME"), UNSET("HOME") }, 2, { PATH }, 1 },
		{ { UNSET("HOME"), KEEP("HOME") }, 2, { PATH, "HOME=/home/u" }, 2 },
		{ { SET("HOME", "/x"), KEEP("ABSENT") }, 2, { PATH, "HOME=/x" }, 2 },
		{ { SET("ABSENT", "1"), KEEP("ABSENT") }, 2, { PATH, "ABSENT=1" }, 2 },
		{ { SET("A", "1"), CLEAR }, 2, { NULL }, 0 },
		{ { CLEAR, SET("A", "1") }, 2, { "A=1" }, 1 },
		{ { CLEAR, CLEAR, KEEP("PATH"), UNSET("X") }, 4, { "PATH=/outside" }, 1 },
		{ { KEEP_ALL, CLEAR, SET("B", "2"), KEEP("HOME") },
		  4,
		  { "B=2", "HOME=/home/u" },
		  2 },
		{ { KEEP_ALL, UNSET("PATH"), UNSET("TWO"), SET("EMPTY", "no") },
		  4,
		  { "HOME=/home/u", "EMPTY=no" },
		  2 },
		{ { UNSET("PATH"), UNSET("PATH"), SET("PATH", "/p") }, 3, { "PATH=/p" }, 1 },
	};

	(void)state;
	check_rows(rows, COUNT(rows), caller);
}

static void test_prefixes(void **state)
{
	static const char *const caller[] = { "AB=2", "A=1", "ABC=3", "PATHS=4", "PAT=5", NULL };
	static const struct row rows[] = {
		{ { KEEP("A") }, 1, { PATH, "A=1" }, 2 },
		{ { KEEP("AB") }, 1, { PATH, "AB=2" }, 2 },
		{ { KEEP("PATH") }, 1, { PATH }, 1 },
		{ { KEEP("PAT") }, 1, { PATH, "PAT=5" }, 2 },
		{ { KEEP("a") }, 1, { PATH }, 1 },
		{ { UNSET("PAT"), UNSET("PATHS"), UNSET("P") }, 3, { PATH }, 1 },
		{ { SET("AB", "x"), SET("A", "y"), SET("ABC", "z"), SET("AB", "w") },
		  4,
		  { PATH, "AB=w", "A=y", "ABC=z" },
		  4 },
		{ { KEEP_ALL, UNSET("A"), UNSET("PATHS") },
		  3,
		  { PATH, "AB=2", "ABC=3", "PAT=5" },
		  4 },
	};

	(void)state;
	check_rows(rows, COUNT(rows), caller);
}

static void test_empty_caller(void **state)
{
	static const char *const caller[] = { NULL };
	static const struct row rows[] = {
		{ { KEEP_ALL }, 1, { PATH }, 1 },
		{ { KEEP("PATH") }, 1, { PATH }, 1 },
		{ { CLEAR, KEEP_ALL }, 2, { NULL }, 0 },
	};

	(void)state;
	check_rows(rows, COUNT(rows), caller);
}

/* As getenv(3), so that the caller and the workload read the same value. */
static void test_of_duplicates_the_first_counts(void **state)
{
	static const char *const caller[] = { "A=first", "B=", "A=second", NULL };
	static const struct row rows[] = {
		{ { KEEP("A") }, 1, { PATH, "A=first" }, 2 },
		{ { KEEP_ALL }, 1, { PATH, "A=first", "B=" }, 3 },
	};

	(void)state;
	check_rows(rows, COUNT(rows), caller);
}

/* COUNT variables by one --env-all, and by as many --setenv. */
static void check_growth(size_t count)
{
	char **caller = calloc(count + 1, sizeof(*caller));
	struct env_edit *edits = calloc(count + 1, sizeof(*edits));
	const struct env_edit all = KEEP_ALL;
	char **kept, **set;

	for (size_t i = 0; i < count; i++) {
		assert_true(asprintf(&caller[i], "V%zu=%zu", i, i * i) > 0);
		edits[i] = (struct env_edit)SET(strndup(caller[i], strcspn(caller[i], "=")),
						strchr(caller[i], '=') + 1);
	}
	kept = environment_make(&all, 1, caller);
	set = environment_make(edits, count, (char *[]){ NULL });
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(kept[i + 1], caller[i]);
		assert_string_equal(set[i + 1], caller[i]);
		free((void *)(uintptr_t)edits[i].name);
		free(caller[i]);
	}
	assert_string_equal(kept[0], PATH);
	assert_string_equal(set[0], PATH);
	assert_null(kept[count + 1]);
	assert_null(set[count + 1]);
	environment_free(kept);
	environment_free(set);
	free(edits);
	free(caller);
}

static void test_growth(void **state)
{
	(void)state;
	for (size_t count = 0; count < 140; count++)
		check_growth(count);
	check_growth(5000);
}

enum { NAMES = 40 };

/* The slow way: a table with one place for each name. */
static void apply_slowly(char values[NAMES][8], char names[NAMES][8], const struct env_edit *edit,
			 char outside[NAMES][8])
{
	for (size_t i = 0; i < NAMES; i++) {
		bool named = edit->name != NULL && strcmp(edit->name, names[i]) == 0;

		if (edit->kind == ENV_CLEAR || (edit->kind == ENV_UNSET && named))
			strcpy(values[i], "-");
		if (edit->kind == ENV_SET && named)
			strcpy(values[i], edit->value);
		if ((edit->kind == ENV_KEEP_ALL || (edit->kind == ENV_KEEP && named)) &&
		    strcmp(outside[i], "-") != 0)
			strcpy(values[i], outside[i]);
	}
}

/* Rarely one that touches all. */
static unsigned int some_kind(void)
{
	static const unsigned int usual[] = { ENV_SET, ENV_SET, ENV_KEEP, ENV_UNSET };

	switch (random() % 60) {
	case 0:
		return ENV_CLEAR;
	case 1:
		return ENV_KEEP_ALL;
	default:
		return usual[random() % 4];
	}
}

static void check_random(char names[NAMES][8])
{
	char values[NAMES][8], outside[NAMES][8], strings[NAMES][20], *caller[NAMES + 1];
	const char *expected[NAMES + 1] = { PATH };
	struct env_edit edits[200] = { 0 };
	size_t count = (size_t)random() % COUNT(edits), callers = 0, wanted = 0;
	char **made;

	for (size_t i = 0; i < NAMES; i++) {
		strcpy(values[i], "-");
		strcpy(outside[i], random() % 2 ? "-" : "out");
		sprintf(strings[i], "%s=out", names[i]);
		if (strcmp(outside[i], "-") != 0)
			caller[callers++] = strings[i];
	}
	caller[callers] = NULL;
	edits[0].kind = ENV_CLEAR; /* without PATH the table is all there is */
	for (size_t i = 1; i < count; i++) {
		edits[i].kind = some_kind();
		edits[i].name = names[random() % NAMES];
		edits[i].value = (const char *[]){ "", "a", "b=" }[random() % 3];
		apply_slowly(values, names, &edits[i], outside);
	}
	made = environment_make(edits, count, caller);
	if (count == 0)
		wanted = 1;
	for (size_t i = 0; i < NAMES; i++) {
		if (strcmp(values[i], "-") == 0)
			continue;
		sprintf(strings[i], "%s=%s", names[i], values[i]);
		expected[wanted++] = strings[i];
	}
	assert_same(made, expected, wanted);
	environment_free(made);
}

static void test_random(void **state)
{
	char names[NAMES][8];

	(void)state;
	srandom(3);
	/* Many are prefixes of others: A B … AA AB … AAA … */
	for (size_t i = 0; i < NAMES; i++) {
		size_t length = 0;

		for (size_t rest = i + 1; rest > 0; rest = (rest - 1) / 3)
			names[i][length++] = (char)('A' + (rest - 1) % 3);
		names[i][length] = '\0';
	}
	for (int round = 0; round < 3000; round++)
		check_random(names);
}

static void test_free_nothing(void **state)
{
	(void)state;
	environment_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_empty_caller),
		cmocka_unit_test(test_of_duplicates_the_first_counts),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
