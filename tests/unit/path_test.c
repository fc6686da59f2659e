/* SPDX-License-Identifier: MIT */
/* mountns/path.c: paths as text. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mountns/view.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CANARY '#'

static void test_normalise(void **state)
{
	static const struct {
		const char *path, *normal;
	} rows[] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/.", "/" },
		{ "/./", "/" },
		{ "/.//./.", "/" },
		{ "/a", "/a" },
		{ "/a/", "/a" },
		{ "/a//", "/a" },
		{ "//a", "/a" },
		{ "/./a", "/a" },
		{ "/a/.", "/a" },
		{ "/a/./b", "/a/b" },
		{ "/a///b/./c/", "/a/b/c" },
		{ "/...", "/..." },
		{ "/..a", "/..a" },
		{ "/a..", "/a.." },
		{ "/.a", "/.a" },
		{ "/a.", "/a." },
		{ "/ /\n/\xff", "/ /\n/\xff" },
	};
	char out[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int length = mountns_normalise(rows[i].path, out, sizeof(out));

		assert_int_equal(length, strlen(rows[i].normal));
		assert_string_equal(out, rows[i].normal);
	}
}

static void test_normalise_refuses(void **state)
{
	static const char *const rows[] = {
		"",     "a",     ".",       "..",         "a/b",   "./a",    "/..",
		"/../", "/a/..", "/a/../b", "/a/b/../..", "/./..", "//..//", "../a",
	};
	char out[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(mountns_normalise(rows[i], out, sizeof(out)), -1);
}

/* For every size: either it fits with its NUL, or it is refused; never a byte behind the end. */
static void test_normalise_bound(void **state)
{
	static const char *const rows[] = { "/a", "/ab/cd", "//ab/./cd//efg/", "/a/b/c/d" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char whole[64], out[64];
		size_t length = (size_t)mountns_normalise(rows[i], whole, sizeof(whole));

		for (size_t size = 0; size < 32; size++) {
			memset(out, CANARY, sizeof(out));
			if (size > length) {
				assert_int_equal(mountns_normalise(rows[i], out, size), length);
				assert_string_equal(out, whole);
			} else {
				assert_int_equal(mountns_normalise(rows[i], out, size), -1);
			}
			for (size_t at = size; at < sizeof(out); at++)
				assert_int_equal(out[at], CANARY);
		}
	}
}

static void test_normalise_root_bound(void **state)
{
	char out[] = { CANARY, CANARY, CANARY };

	(void)state;
	assert_int_equal(mountns_normalise("/", out, 2), 1);
	assert_string_equal(out, "/");
	memset(out, CANARY, sizeof(out));
	assert_int_equal(mountns_normalise("/", out, 1), -1);
	assert_int_equal(out[1], CANARY);
}

static void test_normalise_path_max(void **state)
{
	char path[PATH_MAX + 1], out[PATH_MAX];

	(void)state;
	memset(path, 'x', sizeof(path));
	for (size_t i = 0; i < sizeof(path); i += 64)
		path[i] = '/';
	path[PATH_MAX - 1] = '\0';
	assert_int_equal(mountns_normalise(path, out, sizeof(out)), PATH_MAX - 1);
	assert_string_equal(out, path);
	path[PATH_MAX - 1] = 'x';
	path[PATH_MAX] = '\0';
	assert_int_equal(mountns_normalise(path, out, sizeof(out)), -1);
}

/* The slow way: split at slashes, look at each piece. Returns false for what must be refused. */
static bool normalise_slowly(const char *path, char *out)
{
	char copy[64], *rest = copy, *piece;

	out[0] = '\0';
	if (path[0] != '/')
		return false;
	strcpy(copy, path);
	while ((piece = strsep(&rest, "/")) != NULL) {
		if (strcmp(piece, "..") == 0)
			return false;
		if (strcmp(piece, "") != 0 && strcmp(piece, ".") != 0)
			strcat(strcat(out, "/"), piece);
	}
	if (out[0] == '\0')
		strcpy(out, "/");
	return true;
}

static void random_path(char *path, size_t size)
{
	static const char letters[] = "//..ab";
	size_t length = (size_t)random() % size;

	for (size_t i = 0; i < length; i++)
		path[i] = letters[(size_t)random() % (sizeof(letters) - 1)];
	path[length] = '\0';
}

static void test_normalise_random(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 200000; round++) {
		char path[16], slow[64], out[64], again[64];
		bool valid;

		random_path(path, sizeof(path) - 1);
		if (round % 8 != 0) {
			memmove(path + 1, path, strlen(path) + 1);
			path[0] = '/';
		}
		valid = normalise_slowly(path, slow);
		assert_int_equal(mountns_normalise(path, out, sizeof(out)),
				 valid ? (int)strlen(slow) : -1);
		if (!valid)
			continue;
		assert_string_equal(out, slow);
		mountns_normalise(out, again, sizeof(again));
		assert_string_equal(again, out);
	}
}

static void test_is_below(void **state)
{
	static const struct {
		const char *path, *base;
		bool below;
	} rows[] = {
		{ "/", "/", true },         { "/a", "/", true },     { "/a/b", "/", true },
		{ "/a", "/a", true },       { "/a/b", "/a", true },  { "/a/b/c", "/a", true },
		{ "/a/b/c", "/a/b", true }, { "/", "/a", false },    { "/a", "/a/b", false },
		{ "/ab", "/a", false },     { "/a-", "/a", false },  { "/a.b/c", "/a", false },
		{ "/a/bc", "/a/b", false }, { "/b/a", "/a", false }, { "/a", "/ab", false },
		{ "/b", "/a", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(mountns_is_below(rows[i].path, rows[i].base), rows[i].below);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_normalise_refuses),
		cmocka_unit_test(test_normalise_bound),
		cmocka_unit_test(test_normalise_root_bound),
		cmocka_unit_test(test_normalise_path_max),
		cmocka_unit_test(test_normalise_random),
		cmocka_unit_test(test_is_below),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
