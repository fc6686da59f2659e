/* SPDX-License-Identifier: MIT */
/* Which ids the box has, and which maps say so. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "init/box.h"
#include "init/id_map.h"
#include "mountns/linux.h"

static bool has_step(const struct plan *plan, enum step_kind kind)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].kind == kind)
			return true;
	return false;
}

static const char *map_one(char text[ID_MAP_SIZE], uint32_t inside, uint32_t outside)
{
	snprintf(text, ID_MAP_SIZE, "%u %u 1\n", inside, outside);
	return text;
}

/*
 * A box has two user namespaces: in the outer one PID 1 is root, which devpts and procfs ask for; the
 * nested one maps back to the ids asked for, and is where the workload has no rights. One is enough
 * where PLAN says so and nothing in the box needs its root.
 */
void box_choose_ids(struct box *box)
{
	const struct plan *plan = box->plan;
	bool own = (box->namespaces & CLONE_NEWUSER) != 0;
	bool mapped_by_caller = plan->fds[FD_USERNS_BLOCK] >= 0;
	bool one = plan->map_caller && !has_step(plan, STEP_DEV);
	uint32_t uid = geteuid(), gid = getegid();
	uint32_t wanted_uid = plan->uid < 0 ? uid : (uint32_t)plan->uid;
	uint32_t wanted_gid = plan->gid < 0 ? gid : (uint32_t)plan->gid;

	box->maps_ids = own && !mapped_by_caller;
	box->uid = !own ? uid : one ? wanted_uid : 0;
	box->gid = !own ? gid : one ? wanted_gid : 0;
	if (plan->fds[FD_USERNS2] >= 0 || mapped_by_caller)
		box->nested = false;
	else if (plan->map_caller)
		box->nested = own && (box->uid != wanted_uid || box->gid != wanted_gid ||
				      plan->disable_userns);
	else
		box->nested = own || plan->fds[FD_USERNS] >= 0;
	/* unshare(2) makes no user namespace for a process whose memory is another one's, too; and what may
	 * be looked into must not be the launcher's memory. */
	box->shares_memory = !box->tells && (box->reaper || !box->nested);
	if (plan->uid_range_count == 0) {
		box->uid_map = map_one(box->short_maps[0], box->uid, uid);
		box->nested_uid_map = map_one(box->short_maps[1], wanted_uid, box->uid);
	}
	if (plan->gid_range_count == 0) {
		box->gid_map = map_one(box->short_maps[2], box->gid, gid);
		box->nested_gid_map = map_one(box->short_maps[3], wanted_gid, box->gid);
	}
	/* In a user namespace that the caller made, ids are what they are there. */
	if (plan->fds[FD_USERNS] >= 0) {
		box->take_uid = plan->uid;
		box->take_gid = plan->gid;
	}
}

/* What is mapped for users or for groups, and what comes of it. */
struct mapping {
	const char *option;
	const struct id_range *ranges;
	size_t count;
	uint32_t caller;
	int64_t wanted;
	const char **outer, **nested;
	int64_t *taken;
	const char *permissions; /* subuid(5) or subgid(5) … */
	char *permission;        /* … and a line of it */
	bool several;            /* more than the caller's own id is mapped */
};

/* The start of that file, or "". */
static void read_permissions(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, text, size - 1) : 0;

	text[length > 0 ? length : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Should newuidmap(1) refuse, this is the line that it missed, or else that it takes for another one's. The
 * caller's own id needs nobody's permission. */
static void choose_permission(struct mapping *mapping, const struct id_map *outer)
{
	const struct id_range *line = &outer->lines[outer->count - 1];
	char text[8192];

	mapping->several = outer->count > 1;
	read_permissions(mapping->permissions, text, sizeof(text));
	for (size_t i = outer->count - 1; i > 0; i--)
		if (!id_map_is_listed(text, &outer->lines[i]))
			line = &outer->lines[i];
	snprintf(mapping->permission, ID_MAP_SIZE, "%u:%u:%u", getuid(), line->outside,
		 line->count);
}

static int map_ranges(struct mapping *mapping, struct fault *fault)
{
	struct id_map *maps;
	uint32_t inside;
	char *texts;
	bool fit;

	if (mapping->count == 0)
		return 0;
	maps = malloc(2 * sizeof(*maps));
	texts = malloc(2 * (size_t)ID_MAP_BYTES);
	if (maps == NULL || texts == NULL) {
		free(maps);
		free(texts);
		return fault_errno(fault, "options", mapping->option, ENOMEM);
	}
	id_map_nest(mapping->ranges, mapping->count, mapping->caller, &maps[0], &maps[1]);
	fit = id_map_print(&maps[0], texts) && id_map_print(&maps[1], texts + ID_MAP_BYTES);
	choose_permission(mapping, &maps[0]);
	free(maps);
	*mapping->outer = texts;
	*mapping->nested = texts + ID_MAP_BYTES;
	if (!id_map_find(mapping->ranges, mapping->count, mapping->caller, &inside))
		inside = mapping->ranges[0].inside;
	*mapping->taken = mapping->wanted >= 0 ? mapping->wanted : inside;
	if (fit)
		return 0;
	free(texts);
	return fault_text(fault, "options", mapping->option,
			  "are too many: a map has at most 340 lines and 4095 bytes");
}

int box_map_ranges(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	struct mapping users = { .option = "--map-uids",
				 .ranges = plan->uid_ranges,
				 .count = plan->uid_range_count,
				 .wanted = plan->uid,
				 .outer = &box->uid_map,
				 .nested = &box->nested_uid_map,
				 .taken = &box->take_uid,
				 .permissions = "/etc/subuid",
				 .permission = box->subuid };
	struct mapping groups = { .option = "--map-gids",
				  .ranges = plan->gid_ranges,
				  .count = plan->gid_range_count,
				  .wanted = plan->gid,
				  .outer = &box->gid_map,
				  .nested = &box->nested_gid_map,
				  .taken = &box->take_gid,
				  .permissions = "/etc/subgid",
				  .permission = box->subgid };

	if (users.count == 0 && groups.count == 0)
		return 0;
	box->launcher_maps = true;
	users.caller = geteuid();
	groups.caller = getegid();
	if (map_ranges(&users, fault) != 0 || map_ranges(&groups, fault) != 0)
		return -1;
	/* For one's own group id alone the kernel wants setgroups(2) to be denied. */
	box->may_set_groups = groups.several;
	if (plan->group_count > 0 && !box->may_set_groups)
		return fault_text(fault, "options", "--groups",
				  "cannot be set: --map-gids maps the caller's own group alone");
	return 0;
}
