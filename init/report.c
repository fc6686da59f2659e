/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "init/plan.h"
#include "init/report.h"
#include "mountns/sys.h"

static void copy(char *to, size_t size, const char *from)
{
	size_t length = from == NULL ? 0 : strnlen(from, size - 1);

	memcpy(to, from == NULL ? "" : from, length);
	to[length] = '\0';
}

void report_send(int fd, enum report_kind kind, int status)
{
	struct report report = { .kind = kind, .status = status };

	sys_write(fd, &report, sizeof(report));
}

void report_namespaces(int fd, const uint64_t ids[INFO_NAMESPACES])
{
	struct report report = { .kind = REPORT_NAMESPACES };

	memcpy(report.namespaces, ids, sizeof(report.namespaces));
	sys_write(fd, &report, sizeof(report));
}

void report_fault(int fd, enum report_kind kind, const struct fault *fault)
{
	struct report report = { .kind = kind, .error = fault->error };

	copy(report.step, sizeof(report.step), fault->step);
	copy(report.reason, sizeof(report.reason), fault->reason);
	copy(report.object, sizeof(report.object), fault->object);
	copy(report.detail, sizeof(report.detail), fault->detail);
	sys_write(fd, &report, sizeof(report));
}

int report_read(int fd, struct report *report)
{
	long got;

	do {
		got = sys_read(fd, report, sizeof(*report));
	} while (got == -EINTR);
	if (got <= 0)
		return (int)got;
	return got == sizeof(*report) ? 1 : -EPROTO;
}

int report_exit_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return EXIT_SIGNAL + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

struct fault report_to_fault(const struct report *report)
{
	return (struct fault){ .step = report->step,
			       .object = report->object,
			       .reason = report->reason[0] != '\0' ? report->reason : NULL,
			       .detail = report->detail[0] != '\0' ? report->detail : NULL,
			       .error = report->error };
}
