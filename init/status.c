/* SPDX-License-Identifier: MIT */
#include <errno.h>
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

static void add_walls(struct text *line, const struct plan *plan)
{
	static const char *const namespaces[] = { "user", "pid", "mount", "ipc", "uts", "cgroup" };

	text_add(line, ",\"walls\":{");
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		add_member(line, namespaces[i], "own");
		text_add(line, ",");
	}
	add_member(line, "net", plan->share_net ? "shared" : "own");
	text_add(line,
		 ",\"capabilities\":\"none\",\"no_new_privs\":\"on\",\"seccomp\":\"default\"}");
}

void status_started(const struct plan *plan, int pid, int pidfd)
{
	struct text line = { 0 };
	struct kernel_statx stat;

	if (plan->status_fd < 0)
		return;
	text_add(&line, "{\"event\":\"start\",\"pid\":");
	text_number(&line, (unsigned int)pid);
	/* Unique for a process as long as the machine runs, from Linux 6.9 on: pidfd_open(2). */
	if (sys_statx(pidfd, "", AT_EMPTY_PATH, &stat) == 0) {
		text_add(&line, ",\"pidfd_ino\":");
		text_number(&line, stat.inode);
	}
	add_walls(&line, plan);
	text_add(&line, "}");
	text_write(&line, plan->status_fd);
}

void status_failed(const struct plan *plan, enum report_kind kind, const struct fault *fault)
{
	struct text line = { 0 };
	/* No longer than what comes from the box: even if all of it is escaped there is room. */
	char object[sizeof(((struct report *)NULL)->object)];

	if (plan->status_fd < 0)
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
	} else {
		text_add(&line, ",\"errno\":");
		text_number(&line, (unsigned int)fault->error);
	}
	text_add(&line, "}");
	text_write(&line, plan->status_fd);
}

void status_timed_out(const struct plan *plan)
{
	struct text line = { 0 };

	if (plan->status_fd < 0)
		return;
	text_add(&line, "{\"event\":\"timeout\"}");
	text_write(&line, plan->status_fd);
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
		write_signal(plan->exit_signal_fd, WTERMSIG(wait_status));
		text_add(&line, "{\"event\":\"signal\",\"signal\":");
		text_number(&line, (unsigned int)WTERMSIG(wait_status));
		text_add(&line, WCOREDUMP(wait_status) ? ",\"core\":true}" : ",\"core\":false}");
	} else {
		text_add(&line, "{\"event\":\"exit\",\"code\":");
		text_number(&line, (unsigned int)WEXITSTATUS(wait_status));
		text_add(&line, "}");
	}
	if (plan->status_fd >= 0)
		text_write(&line, plan->status_fd);
}
