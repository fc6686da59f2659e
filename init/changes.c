/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/changes.h"
#include "init/clone.h"
#include "init/quota.h"
#include "init/status.h"
#include "mountns/sys.h"

/* --- Before the box ------------------------------------------------------------------------------- */

static int open_directory(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s%s", dir, name) >= (int)sizeof(path))
		_exit(ENAMETOOLONG);
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if (fd < 0)
		_exit(errno);
	return fd;
}

struct probe {
	const struct box *box;
	unsigned int uid, gid; /* the caller's, which are nobody's once the namespace is there */
};

/* In namespaces of its own: mounts the very overlay that the box would have, on top of all. */
static int probe_main(void *argument)
{
	const struct probe *probe = argument;
	const struct cow_store *store = probe->box->cow;
	char text[256];
	int error = 0;

	if ((probe->box->namespaces & CLONE_NEWUSER) != 0)
		error = clone_map_root(probe->uid, probe->gid);
	if (error < 0)
		_exit(-error);
	snprintf(text, sizeof(text),
		 "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,"
		 "userxattr",
		 open_directory(store->lower_path, ""), open_directory(store->path, "/upper"),
		 open_directory(store->path, "/work"));
	_exit(-sys_mount_data("overlay", "/", "overlay", 0, text));
}

/* Returns 0, or why there is no overlay of the directories, -errno. That is said, unless there is no child
 * even: then the box fails alike. */
static int probe_overlay(struct box *box)
{
	struct probe probe = { box, geteuid(), getegid() };
	unsigned long flags = CLONE_NEWNS | SIGCHLD;
	int pid, status = 0;
	char *stack;

	if (clone_map_stacks(&stack, 1) < 0)
		return -ENOMEM;
	if ((box->namespaces & CLONE_NEWUSER) != 0)
		flags |= CLONE_NEWUSER;
	pid = clone_child(probe_main, &probe, stack, flags, NULL);
	if (pid >= 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	clone_unmap_stacks(&stack, 1);
	if (pid < 0)
		return pid;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
	if (status != 0)
		init_note(box->plan,
			  "cow: no overlay can be mounted, notify is taken: ", strerror(status));
	return -status;
}

static int choose_backend(struct box *box, struct fault *fault)
{
	struct cow_store *store = box->cow;

	store->backend = box->plan->cow_backend;
	if (store->backend == COW_AUTO)
		store->backend = probe_overlay(box) < 0 ? COW_NOTIFY : COW_OVERLAY;
	box->notifies = store->backend == COW_NOTIFY;
	if (box->notifies && (box->plan->uid_range_count > 0 || box->plan->gid_range_count > 0))
		return fault_text(
			fault, "options", "--cow-backend notify",
			"has a listener with the caller's ids, and none for ranges of them");
	return 0;
}

/* Makes what is seen in the place of the directory, when nothing of that has the time of the beginning any more. */
static int make_tree(struct box *box, struct fault *fault)
{
	cow_wait(box->cow);
	return tree_make(box->cow, fault) != 0 ? -1 : tree_open(&box->tree, box->cow, fault);
}

/* A path in the store, which is kept until the end of the process. */
static char *store_path(const struct cow_store *store, const char *name)
{
	size_t size = strlen(store->path) + strlen(name) + 2;
	char *path = malloc(size);

	if (path != NULL)
		snprintf(path, size, "%s/%s", store->path, name);
	return path;
}

/* Makes room for COUNT steps of our own, and puts them there. */
static void put_steps(struct box *box, const struct mount_step *steps, size_t count)
{
	struct mount_step *place = box->steps + box->plan->cow_place;

	memmove(place + count, place, (box->step_count - box->plan->cow_place) * sizeof(*place));
	memcpy(place, steps, count * sizeof(*steps));
	box->step_count += count;
}

/* With a quota they are in a mount of its own. */
static int choose_layers(const struct cow_store *store, struct mount_step *step)
{
	step->fd = -1;
	step->source = step->text = NULL;
	if (store->state == COW_MEMORY) {
		step->fd = store->memory.mount;
		step->flags = STEP_DETACHED;
		step->source = "upper";
		step->text = "work";
		return 0;
	}
	if (store->boot_known)
		step->flags = STEP_VOLATILE;
	step->source = store_path(store, "upper");
	step->text = store_path(store, "work");
	return step->source == NULL || step->text == NULL ? -ENOMEM : 0;
}

/* The overlay is mounted on the directory itself, so that links lead there and nothing below is seen. */
static int add_to_view(struct box *box, struct fault *fault)
{
	const struct cow_store *store = box->cow;
	struct mount_step overlay[] = {
		{ .kind = STEP_LAYER,
		  .dest = "/",
		  .source = store->lower_path,
		  .fd = -1,
		  .mode = -1 },
		{ .kind = STEP_OVERLAY, .dest = store->lower_path, .mode = -1 },
	};

	if (choose_layers(store, &overlay[1]) < 0)
		return fault_errno(fault, "copy-on-write", "", ENOMEM);
	put_steps(box, overlay, 2);
	return 0;
}

static int add_tree_to_view(struct box *box, struct fault *fault)
{
	bool detached = box->cow->state == COW_MEMORY;
	const struct mount_step bind = {
		.kind = STEP_BIND,
		.flags = detached ? STEP_DETACHED : 0,
		.dest = box->cow->lower_path,
		.source = detached ? "tree" : store_path(box->cow, "tree"),
		.fd = detached ? box->cow->memory.mount : -1,
		.mode = -1,
	};

	if (bind.source == NULL)
		return fault_errno(fault, "copy-on-write", "", ENOMEM);
	put_steps(box, &bind, 1);
	return 0;
}

/* What the command changes goes into memory, as much as there is in the plan. */
static int bound(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	bool ranges = plan->uid_range_count > 0 || plan->gid_range_count > 0;
	struct cow_memory memory;

	if (plan->cow_quota == 0)
		return 0;
	return quota_make(plan->cow_quota, ranges, &memory, fault) != 0
		       ? -1
		       : cow_use_memory(box->cow, &memory, fault);
}

static int make_store(struct box *box, struct fault *fault)
{
	struct cow_store *store = malloc(sizeof(*store));

	if (store == NULL)
		return fault_errno(fault, "copy-on-write", "", ENOMEM);
	if (cow_create(store, box->plan->cow, box->plan->cow_store, fault) != 0)
		return -1;
	box->cow = store;
	if (choose_backend(box, fault) != 0 || bound(box, fault) != 0 ||
	    cow_check_store(store, fault) != 0 || cow_save(store, fault) != 0)
		return -1;
	if (box->notifies && make_tree(box, fault) != 0)
		return -1;
	if (store->state == COW_MEMORY && cow_bound_memory(store, fault) != 0)
		return -1;
	return 0;
}

static int make_view(struct box *box, struct fault *fault)
{
	if (make_store(box, fault) != 0)
		return -1;
	return box->notifies ? add_tree_to_view(box, fault) : add_to_view(box, fault);
}

int changes_prepare(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;

	box->grants = plan->grants;
	box->grant_count = plan->grant_count;
	box->steps = plan->steps;
	box->step_count = plan->step_count;
	if (plan->cow == NULL)
		return 0;
	box->grants = calloc(plan->grant_count + 1, sizeof(*box->grants));
	box->steps = calloc(plan->step_count + 2, sizeof(*box->steps));
	if (box->grants == NULL || box->steps == NULL)
		return fault_errno(fault, "copy-on-write", "", ENOMEM);
	if (plan->grant_count > 0)
		memcpy(box->grants, plan->grants, plan->grant_count * sizeof(*box->grants));
	if (plan->step_count > 0)
		memcpy(box->steps, plan->steps, plan->step_count * sizeof(*box->steps));
	box->grants[box->grant_count++] = (struct grant){ .path = plan->cow, .rights = GRANT_READ };
	box->notifies = plan->cow_backend == COW_NOTIFY;
	/* --explain makes nothing. */
	return plan->explain ? 0 : make_view(box, fault);
}

int changes_prepare_alone(struct box *box, struct fault *fault)
{
	box->cow = NULL;
	box->notifies = box->plan->cow != NULL;
	return box->plan->cow == NULL ? 0 : make_store(box, fault);
}

static int refuse_way(const char *option, const char *reason, const char *way, struct fault *fault)
{
	fault_text(fault, "options", option, reason);
	fault->detail = way;
	return -1;
}

static int refuse_store(const char *way, struct fault *fault)
{
	return refuse_way("--cow-store",
			  "the command must not be able to write to the store, and could by", way,
			  fault);
}

static int refuse_lower(const char *way, struct fault *fault)
{
	return refuse_way("--cow", "the command could write to the directory itself, by", way,
			  fault);
}

/* A host directory that the command can write to through a step. */
struct way {
	const char *path; /* "" where FD is it */
	int fd;
	const char *name; /* for a message */
	const char *dest; /* where it is seen; NULL: in the guise of an overlay */
};

static size_t find_ways(const struct mount_step *step, struct way ways[2])
{
	if (step->kind == STEP_BIND && (step->flags & STEP_READ_ONLY) == 0) {
		ways[0] = step->source != NULL
				  ? (struct way){ step->source, AT_FDCWD, step->source, step->dest }
				  : (struct way){ "", step->fd, step->dest, step->dest };
		return 1;
	}
	if (step->kind != STEP_OVERLAY)
		return 0;
	ways[0] = (struct way){ step->source, AT_FDCWD, step->source, NULL };
	ways[1] = (struct way){ step->text, AT_FDCWD, step->text, NULL };
	return 2;
}

/* At its own place, and below what covers the directory there. */
static bool is_covered(const struct way *way, bool before)
{
	char real[PATH_MAX], dest[PATH_MAX];

	return before && way->dest != NULL && way->path[0] != '\0' &&
	       realpath(way->path, real) != NULL &&
	       mountns_flatten(way->dest, dest, sizeof(dest)) >= 0 && strcmp(real, dest) == 0;
}

static int check_step(const struct cow_store *store, const struct mount_step *step, bool before,
		      struct fault *fault)
{
	struct way ways[2];
	size_t count = find_ways(step, ways);

	for (size_t i = 0; i < count; i++) {
		const struct way *way = &ways[i];

		if (cow_is_reached(store, way->fd, way->path))
			return refuse_store(way->name, fault);
		if (cow_reaches_lower(store, way->fd, way->path) && !is_covered(way, before))
			return refuse_lower(way->name, fault);
	}
	return 0;
}

/* The steps from changes_prepare() are its own. */
static int check_steps(const struct box *box, struct fault *fault)
{
	size_t place = box->plan->cow_place;
	size_t own = box->step_count - box->plan->step_count;

	for (size_t i = 0; i < box->step_count; i++)
		if ((i < place || i >= place + own) &&
		    check_step(box->cow, &box->steps[i], i < place, fault) != 0)
			return -1;
	return 0;
}

/* Grants are at their own places, and the directory is mounted after those above it. */
static int check_grants(const struct box *box, struct fault *fault)
{
	for (size_t i = 0; i < box->view.source_count; i++) {
		const struct source *source = &box->view.sources[i];

		if ((source->rights & (GRANT_WRITE | GRANT_APPEND)) == 0)
			continue;
		if (strcmp(source->path, box->cow->lower_path) == 0)
			return fault_text(fault, "options", "--cow",
					  "the same directory is granted with --write");
		if (cow_is_reached(box->cow, source->fd, ""))
			return refuse_store(source->path, fault);
	}
	return 0;
}

int changes_check(const struct box *box, struct fault *fault)
{
	if (box->cow == NULL)
		return 0;
	if (check_grants(box, fault) != 0 || check_steps(box, fault) != 0)
		return -1;
	cow_wait(box->cow);
	return 0;
}

void changes_abandon(struct box *box)
{
	struct fault fault;

	if (box->cow != NULL && cow_discard(box->cow, &fault) != 0)
		init_complain(box->plan, &fault);
	box->cow = NULL;
}

/* --- After it ------------------------------------------------------------------------------------- */

static void tell_conflicts(const struct plan *plan, const struct cow_changes *conflicts)
{
	for (size_t i = 0; i < conflicts->count; i++) {
		char *path = cow_escape(conflicts->list[i].path);
		char line[16];

		snprintf(line, sizeof(line), "conflict: %c  ", conflicts->list[i].kind);
		if (path != NULL)
			init_note(plan, line, path);
		free(path);
	}
}

/* Returns what has become of the changes; with the fault, and the store as it was, if they are not committed. */
static const char *commit(const struct plan *plan, struct cow_store *store, struct fault *fault)
{
	struct cow_changes conflicts = { 0 };
	bool failed = cow_commit(store, &conflicts, fault) != 0;
	const char *result = conflicts.count > 0 ? "conflict" : failed ? "failed" : "committed";

	tell_conflicts(plan, &conflicts);
	cow_free_changes(&conflicts);
	return result;
}

static int list(struct cow_store *store, struct fault *fault)
{
	struct cow_changes changes = { 0 };
	int error;

	if (cow_list(store, &changes, fault) != 0)
		return -1;
	error = dprintf(STDERR_FILENO, "dry-run: %s\n",
			changes.count == 0 ? "no filesystem changes" : "filesystem changes:") < 0
			? -errno
			: cow_print(&changes, STDERR_FILENO);
	cow_free_changes(&changes);
	return error < 0 ? fault_errno(fault, "dry-run", "standard error", error) : 0;
}

/* Does with the changes what was asked for. Returns what has become of them. With a fault the store is as it was,
 * but that changes which could not be listed are discarded all the same. */
static const char *settle(const struct plan *plan, struct cow_store *store, enum cow_end end,
			  struct fault *fault)
{
	const char *result = "discarded";
	struct fault ignored;

	fault->step = NULL;
	if (plan->dry_run) {
		(void)list(store, fault);
		result = "dry-run";
	} else if (end == COW_KEEP) {
		return "kept";
	} else if (end == COW_COMMIT) {
		result = commit(plan, store, fault);
		if (fault->step != NULL)
			return result;
	}
	return cow_discard(store, fault->step == NULL ? fault : &ignored) == 0 ? result : "failed";
}

/* All in the box are dead. */
static int finish_store(struct box *box, enum cow_end end, struct fault *fault)
{
	struct cow_store *store = box->cow;

	tree_close(&box->tree);
	if (end == COW_DISCARD && !box->plan->dry_run &&
	    (box->notifies || store->state == COW_MEMORY))
		return 0;
	if (box->notifies)
		return tree_collect(store, fault);
	/* To be listed alone they need not leave memory. */
	if (store->state == COW_MEMORY)
		return box->plan->dry_run ? 0 : cow_settle(store, fault);
	if (end == COW_KEEP && !box->plan->dry_run)
		return cow_end(store, fault);
	/* Of an overlay the other commands take a store that is running, too, and a commit syncs it itself. */
	store->state = COW_ENDED;
	return 0;
}

/* After a failure, unless the fault says what can be done. */
static void tell_how(const struct plan *plan, const struct fault *fault, const char *path)
{
	if (plan->dry_run || access(path, F_OK) < 0 ||
	    (fault->reason != NULL && strstr(fault->reason, "--cow-discard") != NULL))
		return;
	init_note(plan, "kept: ", path);
	init_note(plan, "to try again: nestbox --cow-commit ", path);
	init_note(plan, "to give the changes up: nestbox --cow-discard ", path);
}

/* What was in memory cannot be had any more. */
static void lose(const struct plan *plan, struct cow_store *store)
{
	struct fault ignored;

	if (!plan->dry_run)
		init_note(plan,
			  "lost: what the command has changed was in memory, and could not be kept",
			  "");
	(void)cow_discard(store, &ignored);
}

/* For who reads the status, of changes that are not just given up. -1: not known, as they cannot be listed. */
static int64_t count_changes(const struct plan *plan, struct cow_store *store, enum cow_end end)
{
	struct cow_changes changes = { 0 };
	struct fault ignored;
	int64_t count;

	if (plan->fds[FD_STATUS] < 0 || (end == COW_DISCARD && !plan->dry_run) ||
	    cow_list(store, &changes, &ignored) != 0)
		return -1;
	count = (int64_t)changes.count;
	cow_free_changes(&changes);
	return count;
}

int changes_end(struct box *box, bool succeeded)
{
	const struct plan *plan = box->plan;
	struct cow_store *store = box->cow;
	enum cow_end end = succeeded ? plan->on_success : plan->on_failure;
	const char *result = "failed";
	int64_t count = -1;
	char *path;
	bool lost;
	struct fault fault = { 0 }, ignored;

	if (store == NULL)
		return 0;
	path = strdup(store->path);
	if (finish_store(box, end, &fault) == 0) {
		count = count_changes(plan, store, end);
		result = settle(plan, store, end, &fault);
	}
	lost = store->state == COW_MEMORY && fault.step != NULL && store->dir >= 0;
	status_changes(plan, store->backend, lost ? "lost" : result, path, count);
	if (fault.step != NULL)
		init_complain(plan, &fault);
	/* It stays, other than it was going to. */
	if (fault.step != NULL && store->dir >= 0 && store->state == COW_ENDED)
		(void)cow_end(store, &ignored);
	if (lost)
		lose(plan, store);
	else if (path != NULL && fault.step != NULL)
		tell_how(plan, &fault, path);
	else if (path != NULL && strcmp(result, "kept") == 0)
		init_note(plan, "kept: ", path);
	free(path);
	return fault.step != NULL ? -1 : 0;
}

int changes_leave(struct box *box)
{
	struct cow_store *store = box->cow;
	struct fault fault;

	if (store == NULL)
		return 0;
	fault_text(&fault, "cow", store->path,
		   "nothing is done with it: not all that the command has left could be ended");
	status_changes(box->plan, store->backend, "kept", store->path, -1);
	init_complain(box->plan, &fault);
	tell_how(box->plan, &fault, store->path);
	return -1;
}

/* 0, or 1 where that is no rest of a store. */
static int discard_rest(const struct plan *plan)
{
	struct cow_store store;
	struct fault fault;
	int result = cow_discard_rest(&store, plan->cow_discard, &fault);

	if (result < 0)
		init_complain(plan, &fault);
	return result < 0 ? EXIT_NESTBOX : result;
}

/* --cow-commit, or --cow-discard of a whole store. */
static void work_on(const struct plan *plan, struct cow_store *store, struct fault *fault)
{
	bool commits = plan->cow_commit != NULL;

	/* Its launcher was killed. */
	if (store->state == COW_MEMORY && commits) {
		fault_text(fault, "cow", plan->cow_commit,
			   "its changes were in memory, and are gone; use --cow-discard");
		return;
	}
	if (store->backend == COW_NOTIFY && store->state == COW_RUNNING && commits &&
	    tree_collect(store, fault) != 0)
		return;
	if (plan->dry_run)
		(void)list(store, fault);
	else
		settle(plan, store, commits ? COW_COMMIT : COW_DISCARD, fault);
}

int changes_command(const struct plan *plan)
{
	struct cow_store store;
	struct fault fault = { 0 };
	bool commits = plan->cow_commit != NULL;
	const char *path = commits ? plan->cow_commit : plan->cow_discard;
	char *known = NULL;
	int opened;

	if (!commits) {
		int status = discard_rest(plan);

		if (status != 1)
			return status;
	}
	opened = commits ? cow_open(&store, path, &fault)
			 : cow_open_to_discard(&store, path, &fault);
	if (opened == 0) {
		fault.step = NULL;
		known = strdup(store.path);
		work_on(plan, &store, &fault);
	}
	if (fault.step == NULL)
		return 0;
	init_complain(plan, &fault);
	if (commits && known != NULL)
		tell_how(plan, &fault, known);
	free(known);
	return EXIT_NESTBOX;
}
