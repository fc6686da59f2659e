/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "init/id_map.h"
#include "init/values.h"

#define IDS UINT32_MAX /* how many there are: 0 to 2^32-2 */

bool id_map_parse(const char *text, struct id_range *range)
{
	const char *first = strchr(text, ':');
	const char *second = first != NULL ? strchr(first + 1, ':') : NULL;
	uint64_t inside, outside, count;

	if (second == NULL || !value_digits(text, first, IDS - 1, &inside) ||
	    !value_digits(first + 1, second, IDS - 1, &outside) ||
	    !value_number(second + 1, IDS, &count))
		return false;
	if (count == 0 || count > IDS - inside || count > IDS - outside)
		return false;
	*range = (struct id_range){ (uint32_t)inside, (uint32_t)outside, (uint32_t)count };
	return true;
}

/* A start below the other's end, both ways; the ends are at most IDS. */
static bool meet(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a < b + b_count && b < a + a_count;
}

bool id_map_meet_inside(const struct id_range *a, const struct id_range *b)
{
	return meet(a->inside, a->count, b->inside, b->count);
}

bool id_map_meet_outside(const struct id_range *a, const struct id_range *b)
{
	return meet(a->outside, a->count, b->outside, b->count);
}

bool id_map_find(const struct id_range *ranges, size_t count, uint32_t outside, uint32_t *inside)
{
	for (size_t i = 0; i < count; i++) {
		if (!meet(outside, 1, ranges[i].outside, ranges[i].count))
			continue;
		*inside = ranges[i].inside + (outside - ranges[i].outside);
		return true;
	}
	return false;
}

bool id_map_holds(const struct id_range *ranges, size_t count, uint32_t inside)
{
	for (size_t i = 0; i < count; i++)
		if (meet(inside, 1, ranges[i].inside, ranges[i].count))
			return true;
	return false;
}

/* Puts a line where it belongs by its ids outside, or inside; one without ids is none. */
static void insert(struct id_map *map, struct id_range line, bool by_inside)
{
	size_t i = map->count;

	if (line.count == 0)
		return;
	for (; i > 0; i--) {
		const struct id_range *before = &map->lines[i - 1];

		if (by_inside ? before->inside < line.inside : before->outside < line.outside)
			break;
		map->lines[i] = *before;
	}
	map->lines[i] = line;
	map->count++;
}

/* Lines that continue each other become one; not the caller's: newuidmap(1) lets it map its own id alone, and
 * the kernel wants a line to be within one of the map further out. */
static void merge(struct id_map *map, uint32_t caller)
{
	size_t count = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct id_range line = map->lines[i];
		struct id_range *last = count > 0 ? &map->lines[count - 1] : NULL;

		if (last != NULL && last->outside != caller && line.outside != caller &&
		    last->inside + last->count == line.inside &&
		    last->outside + last->count == line.outside)
			last->count += line.count;
		else
			map->lines[count++] = line;
	}
	map->count = count;
}

/* RANGES by their ids outside, with the caller's id in a line of its own. */
static void split(const struct id_range *ranges, size_t count, uint32_t caller,
		  struct id_map *pieces)
{
	pieces->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct id_range range = ranges[i];
		uint32_t before = caller - range.outside;

		if (meet(caller, 1, range.outside, range.count)) {
			insert(pieces, (struct id_range){ range.inside, range.outside, before },
			       false);
			insert(pieces, (struct id_range){ range.inside + before, caller, 1 },
			       false);
			range = (struct id_range){ range.inside + before + 1, caller + 1,
						   range.count - before - 1 };
		}
		insert(pieces, range, false);
	}
}

void id_map_nest(const struct id_range *ranges, size_t count, uint32_t caller, struct id_map *outer,
		 struct id_map *nested)
{
	struct id_map pieces;
	uint32_t next = 1;

	split(ranges, count, caller, &pieces);
	merge(&pieces, caller);
	outer->lines[0] = (struct id_range){ 0, caller, 1 };
	outer->count = 1;
	nested->count = 0;
	for (size_t i = 0; i < pieces.count; i++) {
		const struct id_range *piece = &pieces.lines[i];
		uint32_t number = piece->outside == caller ? 0 : next;

		if (number != 0) {
			outer->lines[outer->count++] =
				(struct id_range){ number, piece->outside, piece->count };
			next += piece->count;
		}
		insert(nested, (struct id_range){ piece->inside, number, piece->count }, true);
	}
	merge(outer, caller);
}

bool id_map_is_listed(const char *subids, const struct id_range *range)
{
	for (const char *line = subids; *line != '\0'; line += strspn(line, "\n")) {
		const char *end = line + strcspn(line, "\n");
		const char *first = memchr(line, ':', (size_t)(end - line));
		const char *second =
			first == NULL ? NULL : memchr(first + 1, ':', (size_t)(end - first - 1));
		uint64_t start, count;

		line = end;
		if (second == NULL || !value_digits(first + 1, second, IDS, &start) ||
		    !value_digits(second + 1, end, IDS, &count))
			continue;
		if (range->outside >= start && range->outside - start + range->count <= count)
			return true;
	}
	return false;
}

bool id_map_print(const struct id_map *map, char *text)
{
	size_t length = 0;

	for (size_t i = 0; i < map->count && i < ID_MAP_LINES && length < ID_MAP_BYTES; i++)
		length += (size_t)snprintf(text + length, ID_MAP_BYTES - length, "%u %u %u\n",
					   map->lines[i].inside, map->lines[i].outside,
					   map->lines[i].count);
	return map->count <= ID_MAP_LINES && length < ID_MAP_BYTES;
}
