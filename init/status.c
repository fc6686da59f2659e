/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#include "filters/filter.h"
#include "init/check.h"
#include "init/hardening.h"
#include "init/status.h"
#include "init/text.h"
#include "init/walls.h"
#include "mountns/sys.h"

static void add_member(struct text *line, const char *name, const char *value)
{
	text_json(line, name);
	text_add(line, ":");
	text_json(line, value);
}

static bool has_namespace(const struct box *box, enum wall wall)
{
	return !box->plan->init_only && ((box->namespaces | CLONE_NEWNS) & walls[wall].flag) != 0;
}

static void add_wall(struct text *line, const struct box *box, enum wall wall, const char *state)
{
	add_member(line, walls[wall].name, wall_is_missing(box, wall) ? "missing" : state);
	text_add(line, ",");
}

/* Of those that are not there otherwise. */
static void add_asked(struct text *line, const struct box *box, enum wall wall, bool asked)
{
	if (asked || wall_is_missing(box, wall))
		add_wall(line, box, wall, "on");
}

/* The ABI is a number that grows with what is held. */
static void add_landlock(struct text *line, const struct box *box)
{
	if (box->landlock.abi == 0 || wall_is_missing(box, WALL_LANDLOCK)) {
		add_wall(line, box, WALL_LANDLOCK, "none");
		return;
	}
	text_json(line, walls[WALL_LANDLOCK].name);
	text_add(line, ":");
	text_number(line, (unsigned int)box->landlock.abi);
	text_add(line, ",");
}

static void add_walls(struct text *line, const struct box *box)
{
	text_add(line, ",\"walls\":{");
	for (enum wall wall = 0; wall < WALLS; wall++)
		if (walls[wall].flag != 0)
			add_wall(line, box, wall, has_namespace(box, wall) ? "own" : "shared");
	add_wall(line, box, WALL_CAPABILITIES, box->plan->capabilities == 0 ? "none" : "some");
	add_wall(line, box, WALL_NO_NEW_PRIVS, box_denies_new_privileges(box) ? "on" : "off");
	add_landlock(line, box);
	add_wall(line, box, WALL_SECCOMP,
		 box->filter != NULL       ? box->filter->name
		 : box->program_count == 0 ? "none"
					   : "caller");
	add_asked(line, box, WALL_KEYRING, hardening_wants_keyring(box));
	add_asked(line, box, WALL_TSC, box->plan->deny_tsc);
	add_asked(line, box, WALL_MDWE, box->plan->mdwe);
	add_asked(line, box, WALL_IDS, false);
	line->length--; /* the last comma */
	text_add(line, "}");
}

/* The names of the walls that were to be there. */
static void add_missing(struct text *line, const struct box *box)
{
	const char *separator = "";

	text_add(line, ",\"missing\":[");
	for (enum wall wall = 0; wall < WALLS; wall++) {
		if (!wall_is_missing(box, wall))
			continue;
		text_add(line, separator);
		text_json(line, walls[wall].name);
		separator = ",";
	}
	text_add(line, "]");
}

/* A line of many ranges is longer than its room. */
static void add_ranges(struct text *line, int fd, const char *name, const struct id_range *ranges,
		       size_t count)
{
	if (count == 0)
		return;
	text_add(line, ",");
	text_json(line, name);
	for (size_t i = 0; i < count; i++) {
		text_add(line, i == 0 ? ":[[" : ",[");
		text_number(line, ranges[i].inside);
		text_add(line, ",");
		text_number(line, ranges[i].outside);
		text_add(line, ",");
		text_number(line, ranges[i].count);
		text_add(line, "]");
		if (line->length > sizeof(line->bytes) / 2) {
			text_send(fd, line->bytes, line->length);
			line->length = 0;
		}
	}
	text_add(line, "]");
}

static const char *backend_name(enum cow_backend backend)
{
	return backend == COW_OVERLAY ? "overlay" : "notify";
}

void status_started(const struct box *box, int pid, int pidfd)
{
	const struct plan *plan = box->plan;
	struct text line = { 0 };
	struct kernel_statx stat;

	if (plan->fds[FD_STATUS] < 0)
		return;
	text_add(&line, "{\"event\":\"start\",\"pid\":");
	text_number(&line, (unsigned int)pid);
	/* Unique for a process as long as the machine runs, from Linux 6.9 on: pidfd_open(2). */
	if (sys_statx(pidfd, "", AT_EMPTY_PATH, &stat) == 0) {
		text_add(&line, ",\"pidfd_ino\":");
		text_number(&line, stat.inode);
	}
	add_walls(&line, box);
	add_missing(&line, box);
	if (box->cow != NULL) {
		text_add(&line, ",\"cow\":{");
		add_member(&line, "backend", backend_name(box->cow->backend));
		text_add(&line, ",");
		add_member(&line, "store", box->cow->path);
		text_add(&line, "}");
	}
	add_ranges(&line, plan->fds[FD_STATUS], "uid_map", plan->uid_ranges, plan->uid_range_count);
	add_ranges(&line, plan->fds[FD_STATUS], "gid_map", plan->gid_ranges, plan->gid_range_count);
	text_add(&line, "}");
	text_write(&line, plan->fds[FD_STATUS]);
}

/* The cause with its evidence, or what is known of the error without one. */
static void add_cause(struct text *line, const struct plan *plan, const struct fault *fault)
{
	const char *hint = init_hint(plan, fault);
	struct text both = { 0 };
	struct cause cause;

	if (check_diagnose(plan, fault, &cause)) {
		cause_join(&both, &cause);
		hint = both.bytes;
	}
	if (hint == NULL)
		return;
	text_add(line, ",");
	add_member(line, "hint", hint);
	if (hint != both.bytes)
		return;
	text_add(line, ",");
	add_member(line, "by", cause.by);
	text_add(line, ",");
	add_member(line, "cause", cause.text.bytes);
	text_add(line, ",");
	add_member(line, "remedy", cause.remedy.bytes);
}

void status_failed(const struct plan *plan, enum report_kind kind, const struct fault *fault)
{
	struct text line = { 0 };
	/* No longer than what comes from the box: even if all of it is escaped there is room. */
	char object[sizeof(((struct report *)NULL)->object)];

	if (plan->fds[FD_STATUS] < 0)
		return;
	snprintf(object, sizeof(object), "%s", fault->object != NULL ? fault->object : "");
	text_add(&line, "{");
	add_member(&line, "event", kind == REPORT_EXEC_FAILED ? "exec-failed" : "setup-failed");
	text_add(&line, ",");
	add_member(&line, "step", fault->step);
	text_add(&line, ",");
	add_member(&line, "object", object);
	if (fault->reason != NULL) {
		text_add(&line, ",");
		add_member(&line, "reason", fault->reason);
		if (fault->detail != NULL) {
			text_add(&line, ",");
			add_member(&line, "detail", fault->detail);
		}
	} else {
		text_add(&line, ",\"errno\":");
		text_number(&line, (unsigned int)fault->error);
	}
	add_cause(&line, plan, fault);
	text_add(&line, "}");
	text_write(&line, plan->fds[FD_STATUS]);
}

void status_timed_out(const struct plan *plan)
{
	struct text line = { 0 };

	if (plan->fds[FD_STATUS] < 0)
		return;
	text_add(&line, "{\"event\":\"timeout\"}");
	text_write(&line, plan->fds[FD_STATUS]);
}

static void write_signal(int fd, int signal)
{
	/* birdcage's record: the number as an unsigned 32-bit little-endian integer. */
	const unsigned char record[4] = { (unsigned char)signal };

	if (fd >= 0)
		text_send(fd, record, sizeof(record));
}

void status_changes(const struct plan *plan, enum cow_backend backend, const char *result,
		    const char *store, int64_t count)
{
	struct text line = { 0 };

	if (plan->fds[FD_STATUS] < 0)
		return;
	text_add(&line, "{\"event\":\"cow\",");
	add_member(&line, "backend", backend_name(backend));
	text_add(&line, ",");
	add_member(&line, "result", result);
	text_add(&line, ",");
	add_member(&line, "store", store);
	if (count >= 0) {
		text_add(&line, ",\"changes\":");
		text_number(&line, (uint64_t)count);
	}
	text_add(&line, "}");
	text_write(&line, plan->fds[FD_STATUS]);
}

void status_ended(const struct plan *plan, int wait_status)
{
	struct text line = { 0 };

	if (WIFSIGNALED(wait_status)) {
		write_signal(plan->fds[FD_EXIT_SIGNAL], WTERMSIG(wait_status));
		text_add(&line, "{\"event\":\"signal\",\"signal\":");
		text_number(&line, (unsigned int)WTERMSIG(wait_status));
		text_add(&line, WCOREDUMP(wait_status) ? ",\"core\":true}" : ",\"core\":false}");
	} else {
		text_add(&line, "{\"event\":\"exit\",\"code\":");
		text_number(&line, (unsigned int)WEXITSTATUS(wait_status));
		text_add(&line, "}");
	}
	if (plan->fds[FD_STATUS] >= 0)
		text_write(&line, plan->fds[FD_STATUS]);
}
