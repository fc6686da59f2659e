/* SPDX-License-Identifier: MIT */
/* From what was asked to what is to be mounted, in order: the launcher's half of the view. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountns/source.h"
#include "mountns/sys.h"
#include "mountns/view.h"

static const struct mount_step defaults[] = {
	{ .kind = STEP_PROC, .dest = "/proc" },
	{ .kind = STEP_DEV, .dest = "/dev" },
	{ .kind = STEP_SCRATCH, .dest = "/tmp" },
};
#define DEFAULT_COUNT (sizeof(defaults) / sizeof(defaults[0]))

static int open_sources(struct view *view, const struct grant *grants, size_t count,
			struct fault *fault)
{
	view->sources = calloc(count ? count : 1, sizeof(*view->sources));
	if (view->sources == NULL)
		return fault_errno(fault, "grant", "", ENOMEM);
	for (size_t i = 0; i < count; i++) {
		int found =
			source_open(view, &grants[i], &view->sources[view->source_count], fault);

		if (found < 0)
			return -1;
		view->source_count += (size_t)found;
	}
	return 0;
}

/*
 * Where these are links into a granted directory they come with it, since programs name their loader
 * and their interpreter by them: file-hierarchy(7), "merged /usr". Nothing more becomes visible.
 */
static int add_usr_links(struct view *view, struct fault *fault)
{
	static const char *const names[] = {
		"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"
	};
	char text[64], target[sizeof(text) + 1];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ssize_t length = readlink(names[i], text, sizeof(text) - 1);
		bool there = false;

		/* One that fills the buffer may have been cut, and is not that of a merged /usr. */
		if (length <= 0 || (size_t)length == sizeof(text) - 1)
			continue;
		text[length] = '\0';
		snprintf(target, sizeof(target), "%s%s", text[0] == '/' ? "" : "/", text);
		for (size_t j = 0; j < view->source_count && !there; j++)
			there = mountns_is_below(target, view->sources[j].path);
		if (there && source_remember(view, names[i], text) != 0)
			return fault_errno(fault, "grant", names[i], ENOMEM);
	}
	return 0;
}

static bool is_taken(const struct view *view, const char *dest, const struct mount_step *steps,
		     size_t step_count)
{
	for (size_t i = 0; i < view->source_count; i++)
		if (strcmp(view->sources[i].path, dest) == 0)
			return true;
	for (size_t i = 0; i < step_count; i++)
		if (strcmp(steps[i].dest, dest) == 0)
			return true;
	return false;
}

static int list_steps(struct view *view, const struct mount_step *steps, size_t count,
		      struct fault *fault)
{
	view->steps = calloc(DEFAULT_COUNT + count, sizeof(*view->steps));
	/* One for the root, and each step makes one file system at the most. */
	view->own = calloc(DEFAULT_COUNT + count + 1, sizeof(*view->own));
	if (view->steps == NULL || view->own == NULL)
		return fault_errno(fault, "mount", "", ENOMEM);
	for (size_t i = 0; i < DEFAULT_COUNT; i++)
		if (!is_taken(view, defaults[i].dest, steps, count))
			view->steps[view->step_count++] = defaults[i];
	for (size_t i = 0; i < count; i++)
		view->steps[view->step_count++] = steps[i];
	return 0;
}

/* A step at or below a granted path must find the grant in place, else the grant would hide it. */
static void find_places(struct view *view)
{
	for (size_t i = 0; i < view->source_count; i++) {
		struct source *source = &view->sources[i];

		while (source->place < view->step_count &&
		       !mountns_is_below(view->steps[source->place].dest, source->path))
			source->place++;
	}
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

static void release_source(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	free(source->path);
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
			release_source(source);
		} else {
			view->sources[++kept] = *source;
		}
	}
	view->source_count = kept + 1;
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
			release_source(source);
		else
			view->sources[kept++] = *source;
	}
	view->source_count = kept;
}

int mountns_prepare(struct view *view, const struct view_request *request, struct fault *fault)
{
	*view = (struct view){ 0 };
	if (open_sources(view, request->grants, request->grant_count, fault) != 0 ||
	    add_usr_links(view, fault) != 0 ||
	    list_steps(view, request->steps, request->step_count, fault) != 0)
		return -1;
	merge_sources(view);
	find_places(view);
	drop_redundant(view);
	qsort(view->sources, view->source_count, sizeof(*view->sources), by_place_and_depth);
	return 0;
}

void mountns_close_sources(const struct view *view)
{
	for (size_t i = 0; i < view->source_count; i++)
		sys_close(view->sources[i].fd);
}

void mountns_release(struct view *view)
{
	for (size_t i = 0; i < view->source_count; i++)
		release_source(&view->sources[i]);
	for (size_t i = 0; i < view->link_count; i++)
		free(view->links[i].path);
	free(view->sources);
	free(view->steps);
	free(view->links);
	free(view->own);
	*view = (struct view){ 0 };
}
