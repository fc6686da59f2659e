/* SPDX-License-Identifier: MIT */
/* From what was asked to what is to be mounted: the launcher's half of the view. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountns/order.h"
#include "mountns/source.h"
#include "mountns/sys.h"
#include "mountns/view.h"

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

/* The layers of an overlay stand right before it. LAYERS counts them. */
static int check_layers(const struct mount_step *step, bool last, size_t *layers,
			struct fault *fault)
{
	size_t least = step->kind == STEP_RO_OVERLAY ? 2 : 1;
	size_t count = *layers;

	*layers = step->kind == STEP_LAYER ? count + 1 : 0;
	if (order_is_overlay(step->kind) && count < least)
		return fault_text(fault, "overlay", step->dest,
				  least == 2 ? "needs two layers or more" : "needs a layer");
	if (order_is_overlay(step->kind) && count > VIEW_LAYERS_MAX)
		return fault_text(fault, "overlay", step->dest, "has more layers than 500");
	if (count > 0 && step->kind != STEP_LAYER && !order_is_overlay(step->kind))
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

	if ((step->flags & STEP_DETACHED) != 0)
		return 1;
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
	view->steps = calloc(ORDER_DEFAULTS + request->step_count, sizeof(*view->steps));
	view->pins = pins == 0 ? NULL : calloc(pins, sizeof(*view->pins));
	view->pin_room = pins;
	if (view->steps == NULL || (view->pins == NULL && pins > 0) ||
	    make_table(view, ORDER_DEFAULTS + request->step_count) != 0)
		return fault_errno(fault, "mount", "", ENOMEM);
	return open_steps(view, request, fault);
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
		.own_init = request->own_init,
		.nests = request->nests,
		.strangers = request->strangers,
		.borrows_proc = request->borrows_proc,
		.own_terminal = request->own_terminal,
		.label = request->file_label,
		.watcher = request->watcher,
	};
	if (open_sources(view, request->grants, request->grant_count, fault) != 0 ||
	    add_usr_links(view, fault) != 0 || list_steps(view, request, fault) != 0 ||
	    order_view(view, fault) != 0)
		return -1;
	if (append_prepare(view, fault) != 0)
		return -1;
	keep_spare_descriptors(view);
	if (has_dev(view) && !view->own_terminal)
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
	free(view->appends);
	free(view->text);
	*view = (struct view){ 0 };
}
