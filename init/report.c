/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
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

static void send_fault(int fd, enum report_kind kind, int status, const struct fault *fault)
{
	struct report report = { .kind = kind, .status = status, .error = fault->error };

	copy(report.step, sizeof(report.step), fault->step);
	copy(report.reason, sizeof(report.reason), fault->reason);
	copy(report.object, sizeof(report.object), fault->object);
	copy(report.detail, sizeof(report.detail), fault->detail);
	sys_write(fd, &report, sizeof(report));
}

void report_fault(int fd, enum report_kind kind, const struct fault *fault)
{
	send_fault(fd, kind, 0, fault);
}

void report_missing(int fd, int wall, const struct fault *fault)
{
	send_fault(fd, REPORT_MISSING, wall, fault);
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

/* Room for one descriptor and not for two: cmsg(3). */
struct rights {
	struct kernel_cmsghdr header;
	int fd;
};

#define RIGHTS_SIZE (sizeof(struct kernel_cmsghdr) + sizeof(int))

int report_send_fd(int fd, enum report_kind kind, int sent)
{
	struct report report = { .kind = kind };
	struct rights rights = { { RIGHTS_SIZE, SOL_SOCKET, SCM_RIGHTS }, sent };
	struct kernel_iovec part = { &report, sizeof(report) };
	const struct kernel_msghdr message = {
		.parts = &part, .part_count = 1, .control = &rights, .control_size = RIGHTS_SIZE
	};
	long error;

	do {
		error = sys_sendmsg(fd, &message, MSG_NOSIGNAL);
	} while (error == -EINTR);
	return error < 0 ? (int)error : 0;
}

static bool carries_fd(enum report_kind kind)
{
	return kind == REPORT_TERMINAL || kind == REPORT_PLACE || kind == REPORT_LISTENER;
}

/* What the kernel had no room for it has closed, and said so. */
static int take_rights(const struct kernel_msghdr *message, const struct rights *rights)
{
	if (message->control_size < RIGHTS_SIZE || rights->header.size != RIGHTS_SIZE ||
	    rights->header.level != SOL_SOCKET || rights->header.type != SCM_RIGHTS)
		return -1;
	return rights->fd;
}

int report_read_fd(int fd, struct report *report, int *sent)
{
	struct rights rights = { .fd = -1 };
	struct kernel_iovec part = { report, sizeof(*report) };
	struct kernel_msghdr message = {
		.parts = &part, .part_count = 1, .control = &rights, .control_size = RIGHTS_SIZE
	};
	long got;

	*sent = -1;
	do {
		got = sys_recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	} while (got == -EINTR);
	if (got < 0)
		return (int)got;
	*sent = take_rights(&message, &rights);
	if (got == 0 && *sent < 0)
		return 0;
	if (got == sizeof(*report) && (message.flags & (MSG_CTRUNC | MSG_TRUNC)) == 0 &&
	    carries_fd(report->kind) == (*sent >= 0))
		return 1;
	if (*sent >= 0)
		sys_close(*sent);
	*sent = -1;
	return -EPROTO;
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
