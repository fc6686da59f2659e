/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/alone.h"
#include "init/changes.h"
#include "init/fallback.h"
#include "init/fallback_grants.h"
#include "init/fallback_program.h"
#include "init/guard.h"
#include "init/personality.h"
#include "init/report.h"
#include "init/status.h"
#include "init/walls.h"

/* --- What only a box can do --------------------------------------------------------------------- */

static const char *find_box_option(const struct plan *plan)
{
	const struct {
		const char *option;
		bool given;
	} options[] = {
		{ "--cow-quota", plan->cow_quota > 0 },
		{ "--cow-backend overlay", plan->cow_backend == COW_OVERLAY },
		{ "--tty", plan->tty },
		{ "--hostname", plan->hostname != NULL },
		{ "--as-pid-1", plan->as_pid_1 },
		{ "--init-only", plan->init_only },
		{ "--lock-file", plan->lock_file_count > 0 },
		{ "--exec-label", plan->exec_label != NULL },
		{ "--file-label", plan->file_label != NULL },
		{ "--info-fd", plan->fds[FD_INFO] >= 0 },
		{ "--json-status-fd", plan->fds[FD_JSON_STATUS] >= 0 },
		{ "--userns-block-fd", plan->fds[FD_USERNS_BLOCK] >= 0 },
		{ "--userns", plan->fds[FD_USERNS] >= 0 },
		{ "--userns2", plan->fds[FD_USERNS2] >= 0 },
		{ "--pidns", plan->fds[FD_PIDNS] >= 0 },
		{ "--die-with-fd", plan->fds[FD_DIE_WITH] >= 0 },
		{ "--map-uids", plan->uid_range_count > 0 },
		{ "--map-gids", plan->gid_range_count > 0 },
		{ "--uid", plan->uid >= 0 && plan->uid != (int64_t)getuid() },
		{ "--gid", plan->gid >= 0 && plan->gid != (int64_t)getgid() },
		{ "--cap-add", plan->capabilities != 0 },
		{ "--allow-userns", plan->allow_userns },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given)
			return options[i].option;
	return NULL;
}

static bool same_place(const struct mount_step *step)
{
	char source[PATH_MAX], dest[PATH_MAX];

	return step->source != NULL && step->dest != NULL &&
	       mountns_normalise(step->source, source, sizeof(source)) >= 0 &&
	       mountns_normalise(step->dest, dest, sizeof(dest)) >= 0 && strcmp(source, dest) == 0;
}

/* What is made in a box; without one it is not there, which is no more than was asked for. */
static bool can_be_missed(enum step_kind kind)
{
	return kind == STEP_TMPFS || kind == STEP_DIR || kind == STEP_SYMLINK ||
	       kind == STEP_FILE || kind == STEP_DATA || kind == STEP_PROC || kind == STEP_DEV ||
	       kind == STEP_MQUEUE || kind == STEP_SCRATCH;
}

/* The place of --cow in the order of the steps counts: it covers what stands before it. */
static bool hides_copy(const struct plan *plan, const struct mount_step *step)
{
	size_t index = (size_t)(step - plan->steps);
	char lower[PATH_MAX];

	return plan->cow != NULL && realpath(plan->cow, lower) != NULL &&
	       (fallback_is_granted_by(step->dest, lower) ||
		(index >= plan->cow_place && fallback_is_granted_by(lower, step->dest)));
}

static bool hides_a_grant(const struct plan *plan, const struct mount_step *step)
{
	for (size_t i = 0; i < plan->grant_count; i++)
		if (fallback_is_granted_by(step->dest, plan->grants[i].path))
			return true;
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct mount_step *bind = &plan->steps[i];

		if (bind->kind != STEP_BIND)
			continue;
		/* What was mounted before and lies below is hidden as well. */
		if (fallback_is_granted_by(step->dest, bind->source) ||
		    (bind < step && fallback_is_granted_by(bind->source, step->dest)))
			return true;
	}
	return hides_copy(plan, step);
}

static int check_step(const struct plan *plan, const struct mount_step *step, struct fault *fault)
{
	const char *reason = NULL;

	if (step->kind == STEP_BIND && !same_place(step))
		reason = "cannot be another file's place without a box, as --fallback demands";
	else if (step->kind != STEP_BIND && !can_be_missed(step->kind))
		reason = "cannot be made without a box, as --fallback demands";
	else if (step->kind != STEP_BIND && hides_a_grant(plan, step))
		reason = "cannot hide what is granted without a box, as --fallback demands";
	return reason == NULL ? 0 : fault_text(fault, "options", step->dest, reason);
}

int fallback_check(struct plan *plan, struct fault *fault)
{
	const char *option = find_box_option(plan);

	if (option != NULL)
		return fault_text(fault, "options", option,
				  "cannot be combined with --fallback: it needs a box");
	for (size_t i = 0; i < plan->grant_count; i++)
		if (plan->grants[i].rights & GRANT_APPEND)
			return fault_text(fault, "options", "--append",
					  "cannot be combined with --fallback: it needs a box");
	for (size_t i = 0; i < plan->step_count; i++)
		if (check_step(plan, &plan->steps[i], fault) != 0)
			return -1;
	for (unsigned int wall = 0; wall < WALLS; wall++)
		if (walls[wall].needed == NULL && (plan->on_missing_said >> wall & 1) == 0)
			plan->on_missing[wall] = MISSING_WARNS;
	return 0;
}

/* --- When --------------------------------------------------------------------------------------- */

static bool is_in(int error, const int *errors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (errors[i] == error)
			return true;
	return false;
}

/* What is said of a path below the root is about what is there as well, and others may have a say in that: who
 * closes a directory must not take the box away. */
static bool is_about_a_path(const struct fault *fault)
{
	return (strcmp(fault->step, "mount") == 0 || strcmp(fault->step, "bind") == 0) &&
	       strcmp(fault->object, "/") != 0;
}

static bool is_of_the_kernel(const struct fault *fault)
{
	static const int errors[] = { EPERM, ENOSYS, EACCES, EINVAL, ENOSPC, EUSERS };
	const size_t count = is_about_a_path(fault) ? 2 : sizeof(errors) / sizeof(errors[0]);

	return fault->reason == NULL && is_in(fault->error, errors, count);
}

bool fallback_applies(const struct plan *plan, const struct fault *fault)
{
	static const char *const steps[] = {
		"clone",      "id map",  "mount propagation",     "tmpfs",   "mount",  "proc",
		"dev",        "bind",    "mount_setattr",         "remount", "chroot", "umount",
		"pivot_root", "network", "nested user namespace",
	};
	bool of_step = false;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		of_step |= fault->step != NULL && strcmp(fault->step, steps[i]) == 0;
	return plan->fallback && !plan->fallen && of_step && is_of_the_kernel(fault);
}

/* --- The plan without a box --------------------------------------------------------------------- */

/* What held nothing up while there was a box is all there is now. */
static void demand_walls(struct plan *plan)
{
	static const enum wall demanded[] = { WALL_LANDLOCK, WALL_SECCOMP, WALL_CAPABILITIES };

	for (size_t i = 0; i < sizeof(demanded) / sizeof(demanded[0]); i++)
		if ((plan->on_missing_said >> demanded[i] & 1) == 0)
			plan->on_missing[demanded[i]] = MISSING_IS_ERROR;
}

static bool is_listed(const struct plan *plan, const char *directory)
{
	for (size_t i = 0; i < plan->listed_count; i++)
		if (strcmp(plan->listed[i], directory) == 0)
			return true;
	return false;
}

/* Where DIRECTORY, if it is seen. */
static bool is_seen(const struct plan *plan, const char *directory)
{
	char above[PATH_MAX];

	for (size_t i = 0; i < plan->grant_count; i++)
		if (realpath(plan->grants[i].path, above) != NULL &&
		    mountns_is_below(directory, above))
			return true;
	return is_listed(plan, directory);
}

/* What the directory PLACE of the lower one is in the tree. Returns NULL without memory. */
static const char *find_in_tree(const struct cow_store *cow, const char *place)
{
	char *path;

	return asprintf(&path, "%s/tree%s", cow->path, place + strlen(cow->lower_path)) < 0 ? NULL
											    : path;
}

/* Where the command starts; NULL: where the caller is, if that is granted. */
static int choose_directory(struct plan *plan, const struct cow_store *cow, struct fault *fault)
{
	const char *wanted = plan->chdir;
	char directory[PATH_MAX];

	if (realpath(wanted != NULL ? wanted : ".", directory) == NULL) {
		plan->chdir = wanted != NULL ? wanted : "/";
		return 0;
	}
	if (cow == NULL || !mountns_is_below(directory, cow->lower_path)) {
		plan->chdir = wanted != NULL || is_seen(plan, directory) ? wanted : "/";
		return 0;
	}
	plan->chdir = find_in_tree(cow, directory);
	if (plan->chdir == NULL)
		return fault_errno(fault, "fallback", "", ENOMEM);
	/* Of another mount in there nothing is seen. */
	if (wanted == NULL && access(plan->chdir, F_OK) != 0)
		plan->chdir = "/";
	return 0;
}

static int derive(struct plan *plan, const struct cow_store *cow, struct fault *fault)
{
	if (fallback_collect(plan, cow, fault) != 0 || choose_directory(plan, cow, fault) != 0)
		return -1;
	if (cow != NULL && fallback_find_program(plan, cow, fault) != 0)
		return -1;
	demand_walls(plan);
	plan->fallen = true;
	plan->init_only = true;
	plan->landlocked = true;
	plan->subreaper = true;
	plan->leave_directory = true;
	plan->close_descriptors = true;
	plan->uid = plan->gid = -1;
	plan->job = plan->new_session ? JOB_SHARED : JOB_BACKGROUND;
	plan->seccomp_fd_count = 0; /* were read: fallback_take() */
	return 0;
}

/* --- Running it ----------------------------------------------------------------------------------- */

static void warn(const struct plan *plan, const char *object, const char *reason)
{
	fallback_warn(plan, object, reason, NULL);
}

static void warn_of_all(const struct plan *plan, const struct cow_store *cow)
{
	warn(plan, "no box", "the command sees the host's processes and the names of its files");
	if (!plan->bare)
		warn(plan, "/proc", "is the host's, to be read");
	if (!plan->bare)
		warn(plan, "/dev", "is the host's, of which six files can be opened");
	if (!plan->bare)
		warn(plan, "/tmp", "is not there unless it is granted");
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].kind != STEP_BIND)
			warn(plan, plan->steps[i].dest, "is not made");
	if (cow != NULL)
		fallback_warn(plan, cow->lower_path, "its files are those of the tree in",
			      cow->path);
}

/* To end what the command leaves there has to be a list of it: proc(5), "/proc/tid/children". */
static int check_reaping(struct fault *fault)
{
	int list = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

	if (list < 0)
		return fault_errno(fault, "fallback", "/proc/thread-self/children", errno);
	close(list);
	return 0;
}

int fallback_take(struct box *box, const struct box *tried, struct fault *fault)
{
	unsigned int wanted = box->plan->namespaces | CLONE_NEWNS;

	box->cow = tried->cow;
	box->tree = tried->tree;
	box->notifies = tried->notifies;
	box->programs = tried->programs;
	box->program_count = tried->program_count;
	box->view.nofile = box->view.nofile != 0 ? box->view.nofile : tried->view.nofile;
	box->namespaces = 0;
	for (unsigned int wall = 0; wall < WALLS; wall++)
		if ((walls[wall].flag & wanted) != 0)
			box->missing |= 1U << wall;
	if (box->landlock.abi > 0 && box->landlock.handled.scopes == 0)
		warn(box->plan, "landlock",
		     "does not keep signals and abstract sockets from leading out");
	if (fallback_check_sources(&box->view, box->cow, fault) != 0)
		return -1;
	guard_choose(box);
	if (!box->guarded && box->notifies)
		return fault_text(
			fault, "options", "--cow",
			"cannot be had with --fallback here: it needs seccomp notification, "
			"process_vm_readv and another filter than strict");
	if (!box->guarded)
		warn(box->plan, "modes, owners and attributes", "cannot be changed, of no file");
	return check_reaping(fault);
}

int fallback_run(const struct box *tried, const struct fault *cause)
{
	struct plan plan = *tried->plan;
	struct box box = *tried;
	struct fault fault;

	plan.cow_backend = COW_NOTIFY; /* without a mount */
	box.plan = &plan;
	if (changes_prepare_alone(&box, &fault) != 0 || derive(&plan, box.cow, &fault) != 0) {
		init_complain(&plan, &fault);
		status_failed(&plan, REPORT_SETUP_FAILED, &fault);
		changes_abandon(&box);
		return EXIT_NESTBOX;
	}
	init_warn_of_missing(&plan, cause);
	warn_of_all(&plan, box.cow);
	return alone_run(&plan, &box);
}
