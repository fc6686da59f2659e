/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <string.h>

#include "init/walls.h"
#include "mountns/linux.h"

const struct wall_kind walls[WALLS] = {
	[WALL_USER] = { "user", CLONE_NEWUSER, NULL },
	[WALL_PID] = { "pid", CLONE_NEWPID, "the end of process 1 is the end of the box" },
	[WALL_MOUNT] = { "mount", CLONE_NEWNS, "the command would see all of the host" },
	[WALL_IPC] = { "ipc", CLONE_NEWIPC, NULL },
	[WALL_UTS] = { "uts", CLONE_NEWUTS, NULL },
	[WALL_CGROUP] = { "cgroup", CLONE_NEWCGROUP, NULL },
	[WALL_NET] = { "net", CLONE_NEWNET, NULL },
	[WALL_IDS] = { "ids", 0, NULL },
	[WALL_CAPABILITIES] = { "capabilities", 0, NULL },
	[WALL_NO_NEW_PRIVS] = { "no_new_privs", 0, "every kernel has it" },
	[WALL_LANDLOCK] = { "landlock", 0, NULL },
	[WALL_SECCOMP] = { "seccomp", 0, NULL },
	[WALL_KEYRING] = { "keyring", 0, NULL },
	[WALL_TSC] = { "tsc", 0, NULL },
	[WALL_MDWE] = { "mdwe", 0, NULL },
};

int wall_missing(const struct box *box, enum wall wall, const struct fault *fault)
{
	if (!wall_is_optional(box->plan, wall))
		return -1;
	if (box->noted != NULL)
		box->noted[wall] = *fault;
	else
		report_missing(box->report[1], (int)wall, fault);
	return 0;
}

int walls_leave_out(struct box *box, enum wall wall, const struct fault *fault)
{
	if (!wall_is_optional(box->plan, wall))
		return -1;
	if (box->plan->on_missing[wall] == MISSING_WARNS && !wall_is_missing(box, wall))
		init_warn_of_missing(box->plan, fault);
	box->missing |= 1U << wall;
	return 0;
}

void walls_leave_out_noted(struct box *box, const struct fault faults[WALLS])
{
	for (unsigned int wall = 0; wall < WALLS; wall++)
		if (faults[wall].step != NULL)
			walls_leave_out(box, wall, &faults[wall]);
}
