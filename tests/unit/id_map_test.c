/* SPDX-License-Identifier: MIT */
/* init/id_map.c: every id maps as asked through both maps, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/id_map.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE UINT32_MAX
#define LAST (UINT32_MAX - 1) /* the highest id */

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		struct id_range range;
	} rows[] = {
		{ "0:0:1", { 0, 0, 1 } },
		{ "1:2:3", { 1, 2, 3 } },
		{ "007:08:09", { 7, 8, 9 } },
		{ "0:100000:65536", { 0, 100000, 65536 } },
		{ "0:0:4294967295", { 0, 0, UINT32_MAX } },
		{ "4294967294:0:1", { LAST, 0, 1 } },
		{ "0:4294967294:1", { 0, LAST, 1 } },
		{ "4294967293:4294967292:2", { LAST - 1, LAST - 2, 2 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct id_range range = { 77, 77, 77 };

		assert_true(id_map_parse(rows[i].text, &range));
		assert_memory_equal(&range, &rows[i].range, sizeof(range));
	}
}

static void test_parse_refused(void **state)
{
	static const char *const rows[] = {
		"",
		":",
		"::",
		"0",
		"0:",
		"0:0",
		"0:0:",
		":0:1",
		"0::1",
		"0:0:1:",
		"0:0:1:1",
		":0:0:1",
		"0:0:0",
		"-1:0:1",
		"0:-1:1",
		"0:0:-1",
		"+1:0:1",
		"0:+1:1",
		"0:0:+1",
		" 0:0:1",
		"0:0:1 ",
		"0 :0:1",
		"0: 0:1",
		"0:0: 1",
		"0:0:1\n",
		"\t0:0:1",
		"a:0:1",
		"0:a:1",
		"0:0:a",
		"0x1:0:1",
		"0:0:1k",
		"0:0:1.0",
		"0,0,1",
		"0 0 1",
		"0-0-1",
		/* 2^32-1 is no id, and nothing goes past its predecessor. */
		"4294967295:0:1",
		"0:4294967295:1",
		"0:0:4294967296",
		"4294967294:0:2",
		"0:4294967294:2",
		"1:0:4294967295",
		"0:1:4294967295",
		"4294967290:0:6",
		"4294967296:0:1",
		"0:4294967296:1",
		"18446744073709551616:0:1",
		"0:18446744073709551616:1",
		"0:0:18446744073709551617",
		"99999999999999999999999999999:0:1",
	};
	struct id_range range = { 1, 2, 3 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (id_map_parse(rows[i], &range))
			fail_msg("taken: \"%s\"", rows[i]);
	assert_int_equal(range.inside, 1);
}

/* The same by other means: digits, and sums that cannot overflow. */
static bool is_range(const char *text, struct id_range *range)
{
	uint64_t numbers[3] = { 0 };
	size_t at = 0, digits = 0;

	for (; *text != '\0'; text++) {
		if (*text == ':' && at < 2 && digits > 0) {
			at++;
			digits = 0;
		} else if (*text >= '0' && *text <= '9') {
			numbers[at] = numbers[at] * 10 + (uint64_t)(*text - '0');
			if (numbers[at] > 1ULL << 40) /* too much is too much */
				numbers[at] = 1ULL << 40;
			digits++;
		} else {
			return false;
		}
	}
	if (at != 2 || digits == 0 || numbers[2] == 0 || numbers[0] + numbers[2] > UINT32_MAX ||
	    numbers[1] + numbers[2] > UINT32_MAX)
		return false;
	*range = (struct id_range){ (uint32_t)numbers[0], (uint32_t)numbers[1],
				    (uint32_t)numbers[2] };
	return true;
}

/* Ranges at all ends, with a byte or two changed, put in or taken out. */
static void test_parse_random(void **state)
{
	static const char *const numbers[] = { "0",
					       "1",
					       "65536",
					       "2147483648",
					       "4294967293",
					       "4294967294",
					       "4294967295",
					       "4294967296",
					       "18446744073709551615",
					       "18446744073709551617" };
	static const char bytes[] = "0123456789::-+ \tx.\n\xff";
	unsigned long taken = 0;

	(void)state;
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		struct id_range range = { 0 }, expected = { 0 };
		char text[100];
		size_t length;

		snprintf(text, sizeof(text), "%s:%s:%s", numbers[(size_t)random() % COUNT(numbers)],
			 numbers[(size_t)random() % COUNT(numbers)],
			 numbers[(size_t)random() % COUNT(numbers)]);
		length = strlen(text);
		for (long changes = random() % 3; changes > 0; changes--) {
			size_t place = (size_t)random() % length;
			char byte = bytes[(size_t)random() % (sizeof(bytes) - 1)];

			if (random() % 2 == 0) {
				text[place] = byte;
				continue;
			}
			memmove(text + place + 1, text + place, ++length - place);
			text[place] = byte;
		}
		if (id_map_parse(text, &range) != is_range(text, &expected) ||
		    memcmp(&range, &expected, sizeof(range)) != 0)
			fail_msg("\"%s\"", text);
		taken += expected.count != 0;
	}
	assert_true(taken > 1000 && taken < 190000);
}

/* The id that LINES give for INSIDE, as the kernel looks it up. */
static uint32_t look_up(const struct id_range *lines, size_t count, uint32_t inside)
{
	for (size_t i = 0; i < count; i++)
		if (inside >= lines[i].inside && inside - lines[i].inside < lines[i].count)
			return lines[i].outside + (inside - lines[i].inside);
	return NONE;
}

static bool disjoint(const struct id_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		for (size_t j = 0; j < i; j++)
			if (id_map_meet_inside(&map->lines[i], &map->lines[j]) ||
			    id_map_meet_outside(&map->lines[i], &map->lines[j]))
				return false;
	return true;
}

/* user_namespaces(7) does not say so, but kernel/user_namespace.c does: what a line maps to must be within
 * one line of the parent's. */
static bool is_within(const struct id_range *line, const struct id_map *outer)
{
	for (size_t i = 0; i < outer->count; i++)
		if (line->outside >= outer->lines[i].inside &&
		    line->outside - outer->lines[i].inside + line->count <= outer->lines[i].count)
			return true;
	return false;
}

/* But for the caller's, a line of its own. */
static bool is_merged(const struct id_map *outer, const struct id_map *nested)
{
	for (size_t i = 1; i + 1 < outer->count; i++)
		if (outer->lines[i].outside + outer->lines[i].count == outer->lines[i + 1].outside)
			return false;
	for (size_t i = 0; i + 1 < nested->count; i++) {
		struct id_range both = nested->lines[i];
		const struct id_range *next = &nested->lines[i + 1];
		bool continued = both.inside + both.count == next->inside &&
				 both.outside + both.count == next->outside;

		both.count += next->count;
		if (continued && is_within(&both, outer))
			return false;
	}
	return true;
}

#define UNIVERSE 7 /* ids from 0 on, one of them no range's */

static const char *find_fault(const struct id_range *ranges, size_t count, uint32_t caller)
{
	struct id_map outer, nested;
	uint32_t mapped = 0, inside = NONE;

	id_map_nest(ranges, count, caller, &outer, &nested);
	if (outer.lines[0].inside != 0 || outer.lines[0].outside != caller ||
	    outer.lines[0].count != 1)
		return "the box's root is not the caller alone";
	if (!disjoint(&outer) || !disjoint(&nested))
		return "lines meet";
	if (!is_merged(&outer, &nested))
		return "lines could be one";
	for (size_t i = 0; i < nested.count; i++)
		if (!is_within(&nested.lines[i], &outer))
			return "a line is not within one of the outer map's";
	for (uint32_t id = 0; id < UNIVERSE; id++) {
		uint32_t asked = look_up(ranges, count, id);
		uint32_t middle = look_up(nested.lines, nested.count, id);

		if ((middle == NONE ? NONE : look_up(outer.lines, outer.count, middle)) != asked)
			return "an id maps elsewhere";
		if (id_map_holds(ranges, count, id) != (asked != NONE))
			return "holds";
		mapped += asked != NONE;
		if (asked == caller)
			inside = id;
	}
	for (size_t i = 0; i < nested.count; i++)
		mapped -= nested.lines[i].count;
	if (mapped != 0)
		return "there are more ids than asked for";
	for (size_t i = 0; i < outer.count; i++)
		mapped += outer.lines[i].count;
	for (size_t i = 0; i < nested.count; i++)
		mapped -= nested.lines[i].count;
	/* The caller is there in any case. */
	if (mapped != (inside == NONE))
		return "the box has more ids than asked for";
	uint32_t found = NONE;
	if (id_map_find(ranges, count, caller, &found) != (inside != NONE) || found != inside)
		return "the caller is found elsewhere";
	return NULL;
}

struct search {
	struct id_range all[UNIVERSE * UNIVERSE * UNIVERSE];
	size_t all_count;
	struct id_range chosen[3];
	unsigned long sets;
};

/* Each list of up to three ranges that do not meet, in every order, for each caller. */
static void try_all(struct search *search, size_t depth)
{
	for (uint32_t caller = 0; caller < UNIVERSE; caller++) {
		const char *what = find_fault(search->chosen, depth, caller);

		search->sets++;
		for (size_t i = 0; what != NULL && i < depth; i++)
			print_message("%u:%u:%u\n", search->chosen[i].inside,
				      search->chosen[i].outside, search->chosen[i].count);
		if (what != NULL)
			fail_msg("caller %u: %s", caller, what);
	}
	for (size_t i = 0; i < search->all_count && depth < COUNT(search->chosen); i++) {
		bool meets = false;

		for (size_t j = 0; j < depth; j++)
			meets |= id_map_meet_inside(&search->chosen[j], &search->all[i]) ||
				 id_map_meet_outside(&search->chosen[j], &search->all[i]);
		if (meets)
			continue;
		search->chosen[depth] = search->all[i];
		try_all(search, depth + 1);
	}
}

static void test_every_small_map(void **state)
{
	struct search search = { 0 };

	(void)state;
	for (uint32_t inside = 0; inside < UNIVERSE; inside++)
		for (uint32_t outside = 0; outside < UNIVERSE; outside++)
			for (uint32_t count = 1;
			     inside + count <= UNIVERSE - 1 && outside + count <= UNIVERSE - 1;
			     count++)
				search.all[search.all_count++] =
					(struct id_range){ inside, outside, count };
	try_all(&search, 0);
	/* Else there was nothing to be seen. */
	assert_true(search.sets > 100000);
}

/* Whether two ranges meet, against a count of the ids. */
static void test_meet(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 6 * 6 * 6 * 6; code++) {
		const struct id_range a = { code % 6, 50, code / 6 % 6 + 1 };
		const struct id_range b = { code / 36 % 6, 50, code / 216 + 1 };
		const struct id_range c = { 50, a.inside, a.count }, d = { 50, b.inside, b.count };
		bool expected = false;

		for (uint32_t id = 0; id < 20; id++)
			expected |= id >= a.inside && id < a.inside + a.count && id >= b.inside &&
				    id < b.inside + b.count;
		assert_int_equal(id_map_meet_inside(&a, &b), expected);
		assert_int_equal(id_map_meet_outside(&c, &d), expected);
	}
}

static void test_ends(void **state)
{
	static const struct id_range all = { 0, 0, UINT32_MAX }, last = { LAST, LAST, 1 };
	struct id_map outer, nested;
	uint32_t inside;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const uint32_t callers[] = { 0, 1000, LAST };

		id_map_nest(&all, 1, callers[i], &outer, &nested);
		assert_int_equal(nested.count, i == 1 ? 3 : 2);
		assert_int_equal(look_up(nested.lines, nested.count, callers[i]), 0);
		assert_int_equal(look_up(nested.lines, nested.count, NONE), NONE);
		for (size_t j = 0; j < nested.count; j++)
			assert_true(is_within(&nested.lines[j], &outer));
	}
	assert_true(id_map_meet_inside(&all, &last) && id_map_meet_outside(&last, &all));
	assert_true(id_map_find(&last, 1, LAST, &inside) && inside == LAST);
	assert_true(id_map_holds(&last, 1, LAST) && !id_map_holds(&last, 1, LAST - 1));
}

static void test_print(void **state)
{
	struct id_map map = { .count = 2, .lines = { { 0, 1000, 1 }, { 1, 100000, 65536 } } };
	char text[ID_MAP_BYTES];

	(void)state;
	assert_true(id_map_print(&map, text));
	assert_string_equal(text, "0 1000 1\n1 100000 65536\n");
	/* The kernel's two limits. */
	for (map.count = 0; map.count < ID_MAP_LINES + 1; map.count++)
		map.lines[map.count] = (struct id_range){ 1, 2, 3 };
	assert_false(id_map_print(&map, text));
	map.count--;
	assert_true(id_map_print(&map, text));
	assert_int_equal(strlen(text), 6 * ID_MAP_LINES);
	/* 127 lines of 32 bytes are 4064; 31 more are all that there is room for. */
	for (map.count = 0; map.count < 127; map.count++)
		map.lines[map.count] = (struct id_range){ 1111111111, 1111111111, 111111111 };
	assert_true(id_map_print(&map, text));
	map.lines[map.count++] = (struct id_range){ 1111111111, 1111111111, 11111111 };
	assert_true(id_map_print(&map, text));
	assert_int_equal(strlen(text), ID_MAP_BYTES - 1);
	map.lines[map.count - 1].count = 111111111;
	assert_false(id_map_print(&map, text));
}

static void test_listed(void **state)
{
	static const char text[] = "# alice\nalice:100000:65536\n\n:7:1\nbob:x:5\nbob:5\n"
				   "1000:200000:10\n1000:4294967290:5";
	static const struct {
		struct id_range range;
		bool listed;
	} rows[] = {
		{ { 0, 100000, 65536 }, true },  { { 0, 100000, 65537 }, false },
		{ { 0, 99999, 2 }, false },      { { 0, 165535, 1 }, true },
		{ { 0, 165536, 1 }, false },     { { 0, 200003, 7 }, true },
		{ { 0, 200003, 8 }, false },     { { 0, 5, 1 }, false },
		{ { 0, 7, 1 }, true },           { { 0, LAST, 1 }, true },
		{ { 0, 0, UINT32_MAX }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(id_map_is_listed(text, &rows[i].range), rows[i].listed);
		assert_false(id_map_is_listed("", &rows[i].range));
		assert_false(id_map_is_listed("\n\n", &rows[i].range));
		assert_false(id_map_is_listed("a:0:4294967295:", &rows[i].range));
	}
}

/* As many as can be asked for, each of which is split or moved: the room is enough. */
static void test_most_ranges(void **state)
{
	static struct id_range ranges[ID_MAP_LINES];
	struct id_map outer, nested;

	(void)state;
	for (uint32_t i = 0; i < ID_MAP_LINES; i++)
		ranges[i] = (struct id_range){ 10 * i, 5000 - 10 * i, 3 };
	for (uint32_t caller = 1000; caller < 6000; caller += 37) {
		id_map_nest(ranges, ID_MAP_LINES, caller, &outer, &nested);
		assert_true(outer.count <= ID_MAP_LINES + 2 && nested.count <= ID_MAP_LINES + 2);
		assert_true(nested.count >= ID_MAP_LINES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),           cmocka_unit_test(test_parse_refused),
		cmocka_unit_test(test_parse_random),    cmocka_unit_test(test_meet),
		cmocka_unit_test(test_every_small_map), cmocka_unit_test(test_ends),
		cmocka_unit_test(test_print),           cmocka_unit_test(test_listed),
		cmocka_unit_test(test_most_ranges),
	};

	return cmocka_run_group_tests_name("id_map", tests, NULL, NULL);
}
