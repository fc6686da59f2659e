/* SPDX-License-Identifier: MIT */
/* Which of the grants, defaults and steps comes before which. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mountns/order.h"
#include "mountns/source.h"

static const struct mount_step defaults[ORDER_DEFAULTS] = {
	{ .kind = STEP_PROC, .dest = "/proc", .fd = -1, .mode = -1 },
	{ .kind = STEP_DEV, .dest = "/dev", .fd = -1, .mode = -1 },
	{ .kind = STEP_SCRATCH, .dest = "/tmp", .fd = -1, .mode = -1 },
};

bool order_is_overlay(enum step_kind kind)
{
	return kind == STEP_OVERLAY || kind == STEP_TMP_OVERLAY || kind == STEP_RO_OVERLAY;
}

/* A slash comes before every other byte, so that all below a path follows it without a gap. */
static int by_path(const void *a, const void *b)
{
	const unsigned char *x = (const unsigned char *)((const struct source *)a)->path;
	const unsigned char *y = (const unsigned char *)((const struct source *)b)->path;

	while (*x == *y && *x != '\0') {
		x++;
		y++;
	}
	return (*x == '/' ? 1 : *x ? *x + 1 : 0) - (*y == '/' ? 1 : *y ? *y + 1 : 0);
}

static int by_place_and_depth(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Several grants of one canonical path are one whose rights add up. */
static void merge_sources(struct view *view)
{
	size_t kept = 0;

	if (view->source_count == 0)
		return;
	qsort(view->sources, view->source_count, sizeof(*view->sources), by_path);
	for (size_t i = 1; i < view->source_count; i++) {
		struct source *source = &view->sources[i];

		if (strcmp(view->sources[kept].path, source->path) == 0) {
			view->sources[kept].rights |= source->rights;
			source_release(source);
		} else {
			view->sources[++kept] = *source;
		}
	}
	view->source_count = kept + 1;
}

static int compare_path(const void *key, const void *element)
{
	const struct source source = { .path = (char *)(uintptr_t)key };

	return by_path(&source, element);
}

static struct source *find_source(const struct view *view, const char *path)
{
	return bsearch(path, view->sources, view->source_count, sizeof(*view->sources),
		       compare_path);
}

/* Step I at DEST, which is flat, must find every grant at or above that in place, else the grant would
 * hide what it makes. */
static void place_above(const struct view *view, size_t i, char *dest)
{
	char *end = dest + strlen(dest);

	while (end != dest) {
		struct source *source;

		*end = '\0';
		source = find_source(view, dest);
		if (source != NULL && source->place > i)
			source->place = i;
		while (*--end != '/')
			;
	}
	if (view->source_count > 0 && strcmp(view->sources[0].path, "/") == 0 &&
	    view->sources[0].place > i)
		view->sources[0].place = i;
}

static bool is_default(const struct mount_step *step)
{
	for (size_t i = 0; i < ORDER_DEFAULTS; i++)
		if (step->dest == defaults[i].dest)
			return true;
	return false;
}

/* The sources are sorted by path. A step whose DEST leads through a link of a granted tree to another grant
 * must find that in place as well: mounted later it would lie on top. */
static int find_places(struct view *view, struct fault *fault)
{
	char dest[PATH_MAX];

	for (size_t i = 0; i < view->source_count; i++)
		view->sources[i].place = view->step_count;
	for (size_t i = 0; i < view->step_count; i++) {
		const struct mount_step *step = &view->steps[i];

		if (step->kind == STEP_LAYER)
			continue;
		if (mountns_flatten(step->dest, dest, sizeof(dest)) < 0)
			return fault_errno(fault, "mkdir parents", step->dest, ENAMETOOLONG);
		if (view->source_count == 0)
			continue;
		place_above(view, i, dest);
		if (!is_default(step) && source_follow(step->dest, dest))
			place_above(view, i, dest);
	}
	return 0;
}

static bool mounts_on_root(const struct mount_step *step, const char *dest)
{
	return strcmp(dest, "/") == 0 && (step->kind == STEP_BIND || step->kind == STEP_TMPFS ||
					  order_is_overlay(step->kind));
}

/*
 * Puts the defaults, where nobody has put anything, before the other steps, but behind the last one that
 * is mounted on "/" and would hide them.
 */
static int add_defaults(struct view *view, struct fault *fault)
{
	struct mount_step left[ORDER_DEFAULTS];
	size_t count = 0, at = 0;
	bool taken[ORDER_DEFAULTS];
	char dest[PATH_MAX];

	for (size_t j = 0; j < ORDER_DEFAULTS; j++)
		taken[j] = find_source(view, defaults[j].dest) != NULL;
	for (size_t i = 0; i < view->step_count; i++) {
		if (view->steps[i].kind == STEP_LAYER)
			continue;
		if (mountns_flatten(view->steps[i].dest, dest, sizeof(dest)) < 0)
			return fault_errno(fault, "mkdir parents", view->steps[i].dest,
					   ENAMETOOLONG);
		if (mounts_on_root(&view->steps[i], dest))
			at = i + 1;
		for (size_t j = 0; j < ORDER_DEFAULTS; j++)
			taken[j] |= strcmp(defaults[j].dest, dest) == 0;
	}
	for (size_t j = 0; j < ORDER_DEFAULTS; j++)
		if (!taken[j])
			left[count++] = defaults[j];
	memmove(view->steps + at + count, view->steps + at,
		(view->step_count - at) * sizeof(*view->steps));
	memcpy(view->steps + at, left, count * sizeof(*left));
	view->step_count += count;
	return 0;
}

/*
 * A grant below one with the same rights shows what is there anyway, unless a step comes between the
 * two. Sources are sorted by path: the ancestors of one are what is left of the ones before it.
 */
static void drop_redundant(struct view *view)
{
	size_t kept = 0;

	for (size_t i = 0; i < view->source_count; i++) {
		struct source *source = &view->sources[i];
		size_t above = kept;

		while (above > 0 && !mountns_is_below(source->path, view->sources[above - 1].path))
			above = view->sources[above - 1].above;
		source->above = above;
		if (above > 0 && view->sources[above - 1].rights == source->rights &&
		    view->sources[above - 1].place == source->place)
			source_release(source);
		else
			view->sources[kept++] = *source;
	}
	view->source_count = kept;
}

int order_view(struct view *view, struct fault *fault)
{
	merge_sources(view);
	if ((!view->bare && add_defaults(view, fault) != 0) || find_places(view, fault) != 0)
		return -1;
	drop_redundant(view);
	qsort(view->sources, view->source_count, sizeof(*view->sources), by_place_and_depth);
	return 0;
}
