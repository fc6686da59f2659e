/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "init/fallback_grants.h"
#include "init/report.h"

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

struct grants {
	const struct plan *plan;
	const struct cow_store *cow; /* NULL: none */
	struct fault *fault;
	struct grant *all;
	size_t count, room;
	const char **listed; /* directories of which some entries are granted */
	size_t listed_count, listed_room;
};

void fallback_warn(const struct plan *plan, const char *object, const char *reason,
		   const char *detail)
{
	struct fault fault;

	fault_text(&fault, "fallback", object, reason);
	fault.detail = detail;
	init_warn_of_missing(plan, &fault);
}

bool fallback_is_granted_by(const char *place, const char *path)
{
	char flat[PATH_MAX], above[PATH_MAX];

	return path != NULL && mountns_flatten(place, flat, sizeof(flat)) >= 0 &&
	       (mountns_normalise(path, above, sizeof(above)) < 0 || mountns_is_below(flat, above));
}

static int fail(const struct grants *grants, const char *path, int error)
{
	return fault_errno(grants->fault, "fallback", path, error);
}

/* Makes room for one more of SIZE bytes each. Returns the array, or NULL without memory. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t more = 2 * *room + 16;

	if (count < *room)
		return array;
	array = reallocarray(array, more, size);
	*room = array == NULL ? *room : more;
	return array;
}

static int add_grant(struct grants *grants, struct grant grant)
{
	struct grant *all = grow(grants->all, grants->count, &grants->room, sizeof(*all));

	if (all == NULL)
		return fail(grants, grant.path, ENOMEM);
	grants->all = all;
	all[grants->count++] = grant;
	return 0;
}

static int add_listed(struct grants *grants, const char *directory)
{
	const char **listed =
		grow(grants->listed, grants->listed_count, &grants->listed_room, sizeof(*listed));

	if (listed == NULL || directory == NULL)
		return fail(grants, "", ENOMEM);
	grants->listed = listed;
	listed[grants->listed_count++] = directory;
	return 0;
}

/* --- Copy-on-write -------------------------------------------------------------------------------- */

static bool is_kept_apart(const struct cow_store *cow, const char *place)
{
	return cow != NULL &&
	       (mountns_is_below(place, cow->lower_path) || mountns_is_below(place, cow->path));
}

static bool is_on_the_way(const struct cow_store *cow, const char *place)
{
	return cow != NULL &&
	       (mountns_is_below(cow->lower_path, place) || mountns_is_below(cow->path, place));
}

static bool is_lower(const struct cow_store *cow, const char *place)
{
	return cow != NULL && strcmp(cow->lower_path, place) == 0;
}

/* By its name, or as another mount of the same. */
static bool may_write(const struct grants *grants, const struct grant *grant, const char *place)
{
	const struct cow_store *cow = grants->cow;

	return (grant->rights & GRANT_WRITE) != 0 &&
	       (is_kept_apart(cow, place) || is_on_the_way(cow, place) ||
		cow_reaches_lower(cow, AT_FDCWD, place) || cow_is_reached(cow, AT_FDCWD, place));
}

/* Rules cannot take away what one above gives, and all of the tree is the command's. */
static int check_apart(const struct grants *grants, const struct grant *grant, const char *place)
{
	const char *reason = NULL;

	if (grants->cow == NULL)
		return 0;
	if (may_write(grants, grant, place))
		reason = "the command could write to the directory itself, or the store, without a "
			 "box, by";
	else if (is_kept_apart(grants->cow, place) && !is_lower(grants->cow, place))
		reason = "nothing in the directory, or the store, can have fewer rights without a "
			 "box:";
	if (reason == NULL)
		return 0;
	fault_text(grants->fault, "options", "--cow", reason);
	grants->fault->detail = grant->path;
	return -1;
}

static int add_tree(struct grants *grants)
{
	char *tree;

	if (grants->cow == NULL)
		return 0;
	if (asprintf(&tree, "%s/tree", grants->cow->path) < 0)
		return fail(grants, "", ENOMEM);
	return add_grant(grants, (struct grant){ tree, ALL_ACCESS, false });
}

int fallback_check_sources(const struct view *view, const struct cow_store *cow,
			   struct fault *fault)
{
	size_t length = cow != NULL ? strlen(cow->path) : 0;

	for (size_t i = 0; i < view->source_count; i++) {
		const char *path = view->sources[i].path;

		if (cow != NULL && strncmp(path, cow->path, length) == 0 &&
		    strcmp(path + length, "/tree") == 0)
			continue;
		if (is_kept_apart(cow, path) || is_on_the_way(cow, path))
			return fault_text(fault, "grant", path,
					  "has come to lead to the directory of --cow");
	}
	return 0;
}

/* --- Devices ------------------------------------------------------------------------------------ */

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

/* --- Directories in parts ------------------------------------------------------------------------- */

/* Of the root all but what a box covers with its own, unless it is granted by its name. A link is no grant: what it
 * leads to may be in there. */
static bool is_granted_with(const struct grant *above, const char *path)
{
	struct stat stat;

	if (lstat(path, &stat) != 0 || S_ISLNK(stat.st_mode))
		return false;
	return (above->rights & GRANT_DEVICES) != 0 ||
	       (!is_for_devices(path) && strcmp(path, "/proc") != 0 && strcmp(path, "/tmp") != 0);
}

static int add_entry(struct grants *grants, const struct grant *above, const char *directory,
		     const char *name)
{
	char *path;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (asprintf(&path, "%s/%s", directory[1] == '\0' ? "" : directory, name) < 0)
		return fail(grants, directory, ENOMEM);
	if (is_granted_with(above, path) && !is_kept_apart(grants->cow, path))
		return is_on_the_way(grants->cow, path)
			       ? add_listed(grants, path)
			       : add_grant(grants, (struct grant){ path, above->rights, true });
	free(path);
	return 0;
}

static int add_entries(struct grants *grants, const struct grant *above, const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int status = 0;

	if (directory == NULL)
		return fail(grants, path, errno);
	while (status == 0 && (entry = readdir(directory)) != NULL)
		status = add_entry(grants, above, path, entry->d_name);
	closedir(directory);
	return status;
}

/* All in the directory PLACE, but what must not be reached: each entry is granted for itself, level by level. */
static int add_parts(struct grants *grants, const struct grant *grant, const char *place)
{
	size_t next = grants->listed_count;
	int status = add_listed(grants, strdup(place));

	for (; status == 0 && next < grants->listed_count; next++)
		status = add_entries(grants, grant, grants->listed[next]);
	return status;
}

static int add_own(struct grants *grants, struct grant grant)
{
	bool devices = (grant.rights & GRANT_DEVICES) != 0;
	char place[PATH_MAX];

	/* What is not there, or not to be seen, is found out with the others. */
	if (realpath(grant.path, place) == NULL)
		return add_grant(grants, grant);
	if (check_apart(grants, &grant, place) != 0)
		return -1;
	if (is_lower(grants->cow, place)) /* seen whole in the tree */
		return 0;
	if (!devices && is_for_devices(place)) {
		fallback_warn(grants->plan, grant.path,
			      "is left out: nothing would keep its devices from being opened",
			      NULL);
		return 0;
	}
	if (is_on_the_way(grants->cow, place) || (!devices && strcmp(place, "/") == 0))
		return add_parts(grants, &grant, place);
	return add_grant(grants, grant);
}

/* --- All of them ---------------------------------------------------------------------------------- */

static struct grant bind_to_grant(const struct mount_step *step)
{
	unsigned int rights = ALL_ACCESS;

	if (step->flags & STEP_READ_ONLY)
		rights &= ~(unsigned int)GRANT_WRITE;
	if (step->flags & STEP_DEVICES)
		rights |= GRANT_DEVICES;
	return (struct grant){ step->source, rights, (step->flags & STEP_OPTIONAL) != 0 };
}

static int add_all_own(struct grants *grants)
{
	const struct plan *plan = grants->plan;

	for (size_t i = 0; i < plan->grant_count; i++)
		if (add_own(grants, plan->grants[i]) != 0)
			return -1;
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].kind == STEP_BIND &&
		    add_own(grants, bind_to_grant(&plan->steps[i])) != 0)
			return -1;
	return 0;
}

/* Rules cannot take away what one above gives, and to be executed is no harm to these. */
static unsigned int inherited(const struct grant *grants, size_t count, const char *path)
{
	unsigned int rights = 0;

	for (size_t i = 0; i < count; i++)
		if (fallback_is_granted_by(path, grants[i].path))
			rights |= grants[i].rights & GRANT_EXEC;
	return rights;
}

static int add_defaults(struct grants *grants)
{
	size_t own = grants->count;

	for (size_t i = 0; i < DEFAULTS; i++) {
		struct grant grant = defaults[i];

		grant.rights |= inherited(grants->all, own, grant.path);
		if (add_grant(grants, grant) != 0)
			return -1;
	}
	return 0;
}

int fallback_collect(struct plan *plan, const struct cow_store *cow, struct fault *fault)
{
	struct grants grants = { .plan = plan, .cow = cow, .fault = fault };

	if (add_all_own(&grants) != 0 || add_defaults(&grants) != 0 || add_tree(&grants) != 0)
		return -1;
	plan->grants = grants.all; /* until the end of the process */
	plan->grant_count = grants.count;
	plan->listed = grants.listed;
	plan->listed_count = grants.listed_count;
	return 0;
}
