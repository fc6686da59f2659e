/* SPDX-License-Identifier: MIT */
/* Ranges of ids, and the maps of two nested user namespaces that come to the same: arithmetic only. */
#ifndef NESTBOX_INIT_ID_MAP_H
#define NESTBOX_INIT_ID_MAP_H

#include "init/plan.h"

#define ID_MAP_LINES 340  /* of a map, at most: user_namespaces(7) */
#define ID_MAP_BYTES 4096 /* a map with its NUL: the kernel takes less than a page */

/* IN:OUT:COUNT, decimal; every id is below 2^32-1, which is none: setresuid(2). */
bool id_map_parse(const char *text, struct id_range *range);

/* Whether the two have an id in common, inside or outside. */
bool id_map_meet_inside(const struct id_range *a, const struct id_range *b);
bool id_map_meet_outside(const struct id_range *a, const struct id_range *b);

/* The id inside for OUTSIDE. Returns false if RANGES have none. */
bool id_map_find(const struct id_range *ranges, size_t count, uint32_t outside, uint32_t *inside);

/* Whether the id INSIDE is one of RANGES. */
bool id_map_holds(const struct id_range *ranges, size_t count, uint32_t inside);

struct id_map {
	struct id_range lines[ID_MAP_LINES + 2]; /* the two that a split may add */
	size_t count;
};

/*
 * Two maps, one in the other, that are RANGES in the end, which do not meet and are ID_MAP_LINES at
 * most. OUTER gives the box the CALLER as id 0, in a line of its own, and the other ids outside under
 * numbers from 1 on; NESTED has those numbers as its outside. Either may get more lines than the
 * kernel takes.
 */
void id_map_nest(const struct id_range *ranges, size_t count, uint32_t caller, struct id_map *outer,
		 struct id_map *nested);

/* Whether a line of subuid(5), of whichever owner, holds the ids outside of RANGE. */
bool id_map_is_listed(const char *subids, const struct id_range *range);

/* The map as the kernel reads it, in ID_MAP_BYTES bytes. Returns false if that are more lines or more
 * bytes than it takes. */
bool id_map_print(const struct id_map *map, char *text);

#endif
