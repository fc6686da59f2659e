/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#include "init/status.h"
#include "init/text.h"
#include "mountns/sys.h"

static void add_member(struct text *line, const char *name, const char *value)
{
	text_json(line, name);
	text_add(line, ":");
	text_json(line, value);
}

static void add_walls(struct text *line, const struct box *box)
{
	static const struct {
		const char *name;
		unsigned int flag;
	} namespaces[] = {
		{ "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID }, { "mount", CLONE_NEWNS },
		{ "ipc", CLONE_NEWIPC },   { "uts", CLONE_NEWUTS }, { "cgroup", CLONE_NEWCGROUP },
		{ "net", CLONE_NEWNET },
	};

	text_add(line, ",\"walls\":{");
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		bool own = !box->plan->init_only &&
			   ((box->namespaces | CLONE_NEWNS) & namespaces[i].flag) != 0;

		add_member(line, namespaces[i].name, own ? "own" : "shared");
		text_add(line, ",");
	}
	add_member(line, "capabilities", box->plan->capabilities == 0 ? "none" : "some");
	text_add(line, ",");
	add_member(line, "no_new_privs", box_denies_new_privileges(box) ? "on" : "off");
	text_add(line, ",");
	add_member(line, "seccomp",
		   !box->plan->unfiltered    ? "default"
		   : box->program_count == 0 ? "none"
					     : "caller");
	text_add(line, "}");
}

void status_started(const struct box *box, int pid, int pidfd)
{
	struct text line = { 0 };
	struct kernel_statx stat;

	if (box->plan->fds[FD_STATUS] < 0)
		return;
	text_add(&line, "{\"event\":\"start\",\"pid\":");
	text_number(&line, (unsigned int)pid);
	/* Unique for a process as long as the machine runs, from Linux 6.9 on: pidfd_open(2). */
	if (sys_statx(pidfd, "", AT_EMPTY_PATH, &stat) == 0) {
		text_add(&line, ",\"pidfd_ino\":");
		text_number(&line, stat.inode);
	}
	add_walls(&line, box);
	text_add(&line, "}");
	text_write(&line, box->plan->fds[FD_STATUS]);
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
