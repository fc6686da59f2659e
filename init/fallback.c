/* SPDX-License-Identifier: MIT */
#include <dirent.h>
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
#include "init/fallback.h"
#include "init/guard.h"
#include "init/personality.h"
#include "init/report.h"
#include "init/status.h"
#include "init/walls.h"

#define ALL_ACCESS (GRANT_READ | GRANT_WRITE | GRANT_EXEC)

/* Of a box's own /proc and /dev what there is outside. */
static const struct grant defaults[] = {
	{ "/proc", GRANT_READ, true },
	{ "/dev/null", GRANT_READ | GRANT_WRITE, true },
	{ "/dev/zero", GRANT_READ | GRANT_WRITE, true },
	{ "/dev/full", GRANT_READ | GRANT_WRITE, true },
	{ "/dev/random", GRANT_READ, true },
	{ "/dev/urandom", GRANT_READ, true },
	{ "/dev/tty", GRANT_READ | GRANT_WRITE | GRANT_DEVICES, true },
};
#define DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

/* --- What only a box can do --------------------------------------------------------------------- */

static const char *find_box_option(const struct plan *plan)
{
	const struct {
		const char *option;
		bool given;
	} options[] = {
		{ "--cow", plan->cow != NULL },
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

/* Whether PLACE is what PATH grants, or below it. A relative one may be anywhere. */
static bool is_granted_by(const char *place, const char *path)
{
	char flat[PATH_MAX], above[PATH_MAX];

	return path != NULL && mountns_flatten(place, flat, sizeof(flat)) >= 0 &&
	       (mountns_normalise(path, above, sizeof(above)) < 0 || mountns_is_below(flat, above));
}

static bool hides_a_grant(const struct plan *plan, const struct mount_step *step)
{
	for (size_t i = 0; i < plan->grant_count; i++)
		if (is_granted_by(step->dest, plan->grants[i].path))
			return true;
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct mount_step *bind = &plan->steps[i];

		if (bind->kind != STEP_BIND)
			continue;
		/* What was mounted before and lies below is hidden as well. */
		if (is_granted_by(step->dest, bind->source) ||
		    (bind < step && is_granted_by(bind->source, step->dest)))
			return true;
	}
	return false;
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

/* --- What is told ------------------------------------------------------------------------------- */

static void warn(const struct plan *plan, const char *object, const char *reason)
{
	struct fault fault;

	fault_text(&fault, "fallback", object, reason);
	init_warn_of_missing(plan, &fault);
}

/* --- Devices ------------------------------------------------------------------------------------ */

struct grants {
	struct grant *all;
	size_t count, room;
};

static bool add_grant(struct grants *grants, struct grant grant)
{
	if (grants->count == grants->room) {
		size_t room = 2 * grants->room + 16;
		struct grant *grown = reallocarray(grants->all, room, sizeof(*grown));

		if (grown == NULL)
			return false;
		grants->all = grown;
		grants->room = room;
	}
	grants->all[grants->count++] = grant;
	return true;
}

/*
 * A box's mounts are nodev; no rule keeps a device from being opened. So what is there for devices is left
 * out: they are, and the directories that hold them.
 */
static bool is_for_devices(const char *place)
{
	static const char *const others[] = { "/dev/shm", "/dev/mqueue", "/dev/hugepages" };
	struct stat stat;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (mountns_is_below(place, others[i]))
			return false;
	return mountns_is_below(place, "/dev") ||
	       (lstat(place, &stat) == 0 && (S_ISCHR(stat.st_mode) || S_ISBLK(stat.st_mode)));
}

/* Of the root all but what a box covers with its own, unless it is granted by its name. A link is no grant: what it
 * leads to may be in there. */
static bool is_granted_with_root(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 && !S_ISLNK(stat.st_mode) && !is_for_devices(path) &&
	       strcmp(path, "/proc") != 0 && strcmp(path, "/tmp") != 0;
}

static bool add_root(struct grants *grants, const struct grant *root)
{
	DIR *directory = opendir("/");
	const struct dirent *entry;
	bool added = directory != NULL;
	char *path;

	while (added && (entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (asprintf(&path, "/%s", entry->d_name) < 0)
			added = false;
		else if (!is_granted_with_root(path))
			free(path);
		else
			added = add_grant(grants, (struct grant){ path, root->rights, true });
	}
	if (directory != NULL)
		closedir(directory);
	return added;
}

static bool add_without_devices(struct plan *plan, struct grants *grants, struct grant grant)
{
	char place[PATH_MAX];

	/* What is not there, or not to be seen, is found out with the others. */
	if ((grant.rights & GRANT_DEVICES) != 0 || realpath(grant.path, place) == NULL)
		return add_grant(grants, grant);
	if (strcmp(place, "/") == 0) {
		plan->lists_root = true;
		return add_root(grants, &grant);
	}
	if (!is_for_devices(place))
		return add_grant(grants, grant);
	warn(plan, grant.path, "is left out: nothing would keep its devices from being opened");
	return true;
}

/* --- The plan without a box --------------------------------------------------------------------- */

static struct grant bind_to_grant(const struct mount_step *step)
{
	unsigned int rights = ALL_ACCESS;

	if (step->flags & STEP_READ_ONLY)
		rights &= ~(unsigned int)GRANT_WRITE;
	if (step->flags & STEP_DEVICES)
		rights |= GRANT_DEVICES;
	return (struct grant){ step->source, rights, (step->flags & STEP_OPTIONAL) != 0 };
}

/* Rules cannot take away what one above gives, and to be executed is no harm to these. */
static unsigned int inherited(const struct grant *grants, size_t count, const char *path)
{
	unsigned int rights = 0;

	for (size_t i = 0; i < count; i++)
		if (is_granted_by(path, grants[i].path))
			rights |= grants[i].rights & GRANT_EXEC;
	return rights;
}

static bool add_own(struct plan *plan, struct grants *grants)
{
	bool added = true;

	for (size_t i = 0; i < plan->grant_count && added; i++)
		added = add_without_devices(plan, grants, plan->grants[i]);
	for (size_t i = 0; i < plan->step_count && added; i++)
		if (plan->steps[i].kind == STEP_BIND)
			added = add_without_devices(plan, grants, bind_to_grant(&plan->steps[i]));
	return added;
}

static int collect_grants(struct plan *plan, struct fault *fault)
{
	struct grants grants = { 0 };
	bool added = add_own(plan, &grants);
	size_t own = grants.count;

	for (size_t i = 0; i < DEFAULTS && added; i++) {
		struct grant grant = defaults[i];

		grant.rights |= inherited(grants.all, own, grant.path);
		added = add_grant(&grants, grant);
	}
	if (!added)
		return fault_errno(fault, "fallback", "", errno);
	plan->grants = grants.all; /* until the end of the process */
	plan->grant_count = grants.count;
	return 0;
}

/* Where the caller is, if it is granted. */
static const char *choose_directory(const struct plan *plan)
{
	char directory[PATH_MAX], above[PATH_MAX];

	if (plan->chdir != NULL || getcwd(directory, sizeof(directory)) == NULL)
		return plan->chdir != NULL ? plan->chdir : "/";
	for (size_t i = 0; i < plan->grant_count; i++)
		if (realpath(plan->grants[i].path, above) != NULL &&
		    mountns_is_below(directory, above))
			return NULL;
	return "/";
}

/* What held nothing up while there was a box is all there is now. */
static void demand_walls(struct plan *plan)
{
	static const enum wall demanded[] = { WALL_LANDLOCK, WALL_SECCOMP, WALL_CAPABILITIES };

	for (size_t i = 0; i < sizeof(demanded) / sizeof(demanded[0]); i++)
		if ((plan->on_missing_said >> demanded[i] & 1) == 0)
			plan->on_missing[demanded[i]] = MISSING_IS_ERROR;
}

static int derive(struct plan *plan, struct fault *fault)
{
	if (collect_grants(plan, fault) != 0)
		return -1;
	demand_walls(plan);
	plan->chdir = choose_directory(plan);
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

static void warn_of_all(const struct plan *plan)
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
	guard_choose(box);
	if (!box->guarded)
		warn(box->plan, "modes, owners and attributes", "cannot be changed, of no file");
	return check_reaping(fault);
}

int fallback_run(const struct box *box, const struct fault *cause)
{
	struct plan plan = *box->plan;
	struct fault fault;

	if (derive(&plan, &fault) != 0) {
		init_complain(&plan, &fault);
		status_failed(&plan, REPORT_SETUP_FAILED, &fault);
		return EXIT_NESTBOX;
	}
	init_warn_of_missing(&plan, cause);
	warn_of_all(&plan);
	return alone_run(&plan, box);
}
