/* SPDX-License-Identifier: MIT */
/* From what was asked to what is to be mounted, in order: the launcher's half of the view. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountns/source.h"
#include "mountns/sys.h"
#include "mountns/view.h"

static const struct mount_step defaults[] = {
	{ .kind = STEP_PROC, .dest = "/proc", .fd = -1, .mode = -1 },
	{ .kind = STEP_DEV, .dest = "/dev", .fd = -1, .mode = -1 },
	{ .kind = STEP_SCRATCH, .dest = "/tmp", .fd = -1, .mode = -1 },
};
#define DEFAULT_COUNT (sizeof(defaults) / sizeof(defaults[0]))

static int open_grant(struct view *view, const struct grant *grant, size_t left,
		      struct fault *fault)
{
	struct source *source = &view->sources[view->source_count];
	int found = source_open(view, grant, source, fault);

	if (found < 0 && fault->error == EMFILE) {
		source_make_room(view, left);
		found = source_open(view, grant, source, fault);
	}
	if (found < 0 && fault->error == EMFILE)
		return fault_text(fault, "grant", grant->path, source_no_room);
	return found;
}

static int open_sources(struct view *view, const struct grant *grants, size_t count,
			struct fault *fault)
{
	view->sources = calloc(count ? count : 1, sizeof(*view->sources));
	if (view->sources == NULL)
		return fault_errno(fault, "grant", "", ENOMEM);
	for (size_t i = 0; i < count; i++) {
		int found = open_grant(view, &grants[i], count - i, fault);

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

/* --- Steps -------------------------------------------------------------------------------------- */

static bool is_overlay(enum step_kind kind)
{
	return kind == STEP_OVERLAY || kind == STEP_TMP_OVERLAY || kind == STEP_RO_OVERLAY;
}

/* The layers of an overlay stand right before it. LAYERS counts them. */
static int check_layers(const struct mount_step *step, bool last, size_t *layers,
			struct fault *fault)
{
	size_t least = step->kind == STEP_RO_OVERLAY ? 2 : 1;
	size_t count = *layers;

	*layers = step->kind == STEP_LAYER ? count + 1 : 0;
	if (is_overlay(step->kind) && count < least)
		return fault_text(fault, "overlay", step->dest,
				  least == 2 ? "needs two layers or more" : "needs a layer");
	if (is_overlay(step->kind) && count > VIEW_LAYERS_MAX)
		return fault_text(fault, "overlay", step->dest, "has more layers than 500");
	if (count > 0 && step->kind != STEP_LAYER && !is_overlay(step->kind))
		return fault_text(fault, "overlay", step->dest, "stands between layers");
	if (step->kind == STEP_LAYER && last)
		return fault_text(fault, "overlay", step->source, "is a layer of no overlay");
	return 0;
}

/* bubblewrap's word for what takes a descriptor. */
static const char *name_of(const struct mount_step *step)
{
	bool read_only = step->flags & STEP_READ_ONLY;

	if (step->kind == STEP_FILE)
		return "--file";
	if (step->kind == STEP_DATA)
		return read_only ? "--ro-bind-data" : "--bind-data";
	return read_only ? "--ro-bind-fd" : "--bind-fd";
}

static int pin_bind(struct view *view, const struct mount_step *step, struct fault *fault)
{
	unsigned int rights = GRANT_READ | GRANT_EXEC;

	if (!(step->flags & STEP_READ_ONLY))
		rights |= GRANT_WRITE;
	if (step->flags & STEP_DEVICES)
		rights |= GRANT_DEVICES;
	if (step->fd >= 0)
		return source_pin_fd(view, step->fd, name_of(step), rights, fault);
	return source_pin(view, step->source, rights, step->flags & STEP_OPTIONAL, fault);
}

/* Opens what STEP names. Returns 1, 0 when the step has nothing to do, or -1. */
static int pin_step(struct view *view, const struct mount_step *step, struct fault *fault)
{
	bool takes_fd = step->kind == STEP_FILE || step->kind == STEP_DATA ||
			(step->kind == STEP_BIND && step->fd >= 0);
	int status = 1;

	if (takes_fd && fcntl(step->fd, F_GETFD) < 0)
		return fault_errno(fault, "options", name_of(step), errno);
	if (step->kind == STEP_BIND)
		return pin_bind(view, step, fault);
	if (step->kind == STEP_LAYER || step->kind == STEP_OVERLAY)
		status = source_pin(view, step->source, 0, false, fault);
	if (step->kind == STEP_OVERLAY && status == 1)
		status = source_pin(view, step->text, 0, false, fault);
	return status;
}

static int open_steps(struct view *view, const struct view_request *request, struct fault *fault)
{
	size_t layers = 0;

	for (size_t i = 0; i < request->step_count; i++) {
		const struct mount_step *step = &request->steps[i];
		int status = check_layers(step, i + 1 == request->step_count, &layers, fault);

		if (status == 0)
			status = pin_step(view, step, fault);
		if (status < 0)
			return -1;
		if (status > 0)
			view->steps[view->step_count++] = *step;
		if (step->kind == STEP_SYMLINK && view->text == NULL)
			view->text = malloc(PATH_MAX);
		if (step->kind == STEP_SYMLINK && view->text == NULL)
			return fault_errno(fault, "mount", "", ENOMEM);
	}
	return 0;
}

/* A power of two, and so much that half is used at the most: a step makes one file system of ours at
 * the most, and one is the root. */
static int make_table(struct view *view, size_t steps)
{
	view->own_size = 16;
	while (view->own_size < 2 * (steps + 1))
		view->own_size *= 2;
	view->own = calloc(view->own_size, sizeof(*view->own));
	return view->own == NULL ? -1 : 0;
}

static int list_steps(struct view *view, const struct view_request *request, struct fault *fault)
{
	size_t pins = 0;

	for (size_t i = 0; i < request->step_count; i++)
		pins += request->steps[i].kind == STEP_OVERLAY ? 2
			: request->steps[i].kind == STEP_BIND  ? 1
			: request->steps[i].kind == STEP_LAYER ? 1
							       : 0;
	view->steps = calloc(DEFAULT_COUNT + request->step_count, sizeof(*view->steps));
	view->pins = pins == 0 ? NULL : calloc(pins, sizeof(*view->pins));
	view->pin_room = pins;
	if (view->steps == NULL || (view->pins == NULL && pins > 0) ||
	    make_table(view, DEFAULT_COUNT + request->step_count) != 0)
		return fault_errno(fault, "mount", "", ENOMEM);
	return open_steps(view, request, fault);
}

/* --- Order -------------------------------------------------------------------------------------- */

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
	for (size_t i = 0; i < DEFAULT_COUNT; i++)
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
	return strcmp(dest, "/") == 0 &&
	       (step->kind == STEP_BIND || step->kind == STEP_TMPFS || is_overlay(step->kind));
}

/*
 * Puts the defaults, where nobody has put anything, before the other steps, but behind the last one that
 * is mounted on "/" and would hide them.
 */
static int add_defaults(struct view *view, struct fault *fault)
{
	struct mount_step left[DEFAULT_COUNT];
	size_t count = 0, at = 0;
	bool taken[DEFAULT_COUNT];
	char dest[PATH_MAX];

	for (size_t j = 0; j < DEFAULT_COUNT; j++)
		taken[j] = find_source(view, defaults[j].dest) != NULL;
	for (size_t i = 0; i < view->step_count; i++) {
		if (view->steps[i].kind == STEP_LAYER)
			continue;
		if (mountns_flatten(view->steps[i].dest, dest, sizeof(dest)) < 0)
			return fault_errno(fault, "mkdir parents", view->steps[i].dest,
					   ENAMETOOLONG);
		if (mounts_on_root(&view->steps[i], dest))
			at = i + 1;
		for (size_t j = 0; j < DEFAULT_COUNT; j++)
			taken[j] |= strcmp(defaults[j].dest, dest) == 0;
	}
	for (size_t j = 0; j < DEFAULT_COUNT; j++)
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

/* What is left for PID 1, which has the same table of descriptors and limits. */
static void keep_spare_descriptors(struct view *view)
{
	int highest = 0;

	for (size_t i = 0; i < view->source_count; i++)
		if (view->sources[i].fd > highest)
			highest = view->sources[i].fd;
	if (view->pin_count > 0 && view->pins[view->pin_count - 1].fd > highest)
		highest = view->pins[view->pin_count - 1].fd;
	/* Less is not worth a system call. */
	if (highest > 128)
		source_make_spare(view, (size_t)highest);
}

static bool has_dev(const struct view *view)
{
	for (size_t i = 0; i < view->step_count; i++)
		if (view->steps[i].kind == STEP_DEV)
			return true;
	return false;
}

int mountns_prepare(struct view *view, const struct view_request *request, struct fault *fault)
{
	*view = (struct view){
		.bare = request->bare,
		.touch_host = request->touch_host,
		.host_proc = request->host_proc,
		.label = request->file_label,
	};
	if (open_sources(view, request->grants, request->grant_count, fault) != 0 ||
	    add_usr_links(view, fault) != 0 || list_steps(view, request, fault) != 0)
		return -1;
	merge_sources(view);
	if ((!view->bare && add_defaults(view, fault) != 0) || find_places(view, fault) != 0)
		return -1;
	drop_redundant(view);
	qsort(view->sources, view->source_count, sizeof(*view->sources), by_place_and_depth);
	keep_spare_descriptors(view);
	if (has_dev(view))
		source_find_console(view);
	return 0;
}

void mountns_close_sources(const struct view *view)
{
	for (size_t i = 0; i < view->source_count; i++)
		sys_close(view->sources[i].fd);
	for (size_t i = 0; i < view->pin_count; i++)
		sys_close(view->pins[i].fd);
	if (view->console.path != NULL)
		sys_close(view->console.fd);
}

void mountns_release(struct view *view)
{
	for (size_t i = 0; i < view->source_count; i++)
		source_release(&view->sources[i]);
	for (size_t i = 0; i < view->pin_count; i++)
		source_release(&view->pins[i]);
	if (view->console.path != NULL)
		source_release(&view->console);
	for (size_t i = 0; i < view->link_count; i++)
		free(view->links[i].path);
	free(view->sources);
	free(view->pins);
	free(view->steps);
	free(view->links);
	free(view->own);
	free(view->text);
	*view = (struct view){ 0 };
}
