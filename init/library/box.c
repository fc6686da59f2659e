/* SPDX-License-Identifier: MIT */
/* A box that was started: what it tells, how it ends. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "init/library/library.h"
#include "mountns/sys.h"

#define KIND_PIDFD 3         /* P_PIDFD of waitid(2) */
#define ANY_CHILD 0x40000000 /* __WALL: also one that sends no SIGCHLD, wait(2) */
#define GET_INFO                                                                                   \
	0xc040ff0bUL /* PIDFD_GET_INFO of <linux/pidfd.h>, 64 bytes: Linux 6.15 tells ... */
#define INFO_EXIT (1ULL << 3) /* ... how a process ended that somebody else has reaped */

/* The first 64 bytes of struct pidfd_info. */
struct pidfd_info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code; /* as of wait(2) */
};

static void set_end(struct nestbox_box *box, enum nestbox_event_kind kind)
{
	memset(&box->end, 0, sizeof(box->end));
	box->end.kind = kind;
	box->line[0] = '\0';
	box->ended = true;
}

static void end_by_signal(struct nestbox_box *box, int signal, bool core)
{
	set_end(box, NESTBOX_SIGNALLED);
	box->end.signal = signal;
	box->end.core = core;
}

static void end_by_failure(struct nestbox_box *box, int error, const char *reason)
{
	set_end(box, NESTBOX_FAILED);
	error_set(&box->end.error, "launcher", "", error, reason, NULL, NULL);
}

/* It cannot be relied on any more. */
static void distrust(struct nestbox_box *box)
{
	nestbox_kill(box, SIGKILL);
	end_by_failure(box, EPROTO, "it told what no launcher tells");
}

/* One message into the box's line, where that is not the last event's. Returns its length, 0 at the end,
 * or -errno. */
static long receive(struct nestbox_box *box)
{
	struct kernel_iovec part = { .base = box->line, .size = sizeof(box->line) - 1 };
	struct kernel_msghdr message = { .parts = &part, .part_count = !box->ended };
	long length;

	do {
		length = sys_recvmsg(box->status, &message, MSG_DONTWAIT);
	} while (length == -EINTR);
	if (length >= 0 && (message.flags & MSG_TRUNC) != 0)
		return -EMSGSIZE;
	if (length > 0)
		box->line[length] = '\0';
	return length;
}

/* Returns whether the line is an event that the caller should know now; the last one is kept for later. */
static bool understand(struct nestbox_box *box, long length, struct nestbox_event *event)
{
	int known = -EPROTO;

	if (length > 0 && box->line[length - 1] == '\n')
		known = event_parse(box->line, (size_t)length - 1, event);
	if (known < 0) {
		distrust(box);
		return false;
	}
	box->line[length - 1] = '\0';
	if (known > 0 && event->kind != NESTBOX_STARTED) {
		box->end = *event;
		box->ended = true;
	}
	return known > 0 && !box->ended;
}

/* Takes events in up to one that the caller should know. Returns 1 for that, 0 when there is none now,
 * -ENODATA when none will come. */
static int take_event(struct nestbox_box *box, struct nestbox_event *event)
{
	for (;;) {
		long length = receive(box);

		if (length == -EAGAIN)
			return 0;
		if (length == 0)
			return -ENODATA;
		/* Nothing counts behind the last one. */
		if (!box->ended && understand(box, length, event))
			return 1;
	}
}

/* How it ended, when nothing but its wait status is left of it. */
static void conclude_from(struct nestbox_box *box, int code, int status)
{
	if (code == CLD_KILLED || code == CLD_DUMPED)
		end_by_signal(box, status, code == CLD_DUMPED);
	else
		end_by_failure(box, 0, "it ended without a word");
}

/* Another wait(2) of the caller's process was faster, or SIGCHLD is ignored. */
static void conclude_without_status(struct nestbox_box *box)
{
	struct pidfd_info info = { .mask = INFO_EXIT };

	if (sys_ioctl(box->pidfd, GET_INFO, &info) == 0 && (info.mask & INFO_EXIT) != 0)
		conclude_from(box,
			      !WIFSIGNALED(info.exit_code) ? CLD_EXITED
			      : WCOREDUMP(info.exit_code)  ? CLD_DUMPED
							   : CLD_KILLED,
			      WTERMSIG(info.exit_code));
	else if (__atomic_load_n(&box->killed, __ATOMIC_RELAXED))
		end_by_signal(box, SIGKILL, false);
	else
		end_by_failure(box, 0, "it was killed by somebody, and reaped by somebody else");
}

/* Returns 0 while the launcher runs, 1 when it has ended and is reaped, with its end in INFO, and -ECHILD
 * when somebody else has reaped it. */
static int reap(const struct nestbox_box *box, siginfo_t *info)
{
	int error;

	memset(info, 0, sizeof(*info));
	do {
		error = sys_waitid(KIND_PIDFD, box->pidfd, info, WEXITED | WNOHANG | ANY_CHILD);
	} while (error == -EINTR);
	return error < 0 ? error : info->si_signo == SIGCHLD;
}

/* Waits until the launcher has ended; without WAIT only looks. Returns whether it has. */
static bool has_ended(const struct nestbox_box *box, bool wait)
{
	const struct kernel_timespec now = { 0, 0 };
	struct pollfd pidfd = { .fd = box->pidfd, .events = POLLIN };
	int ready;

	do {
		pidfd.revents = 0;
		ready = sys_ppoll(&pidfd, 1, wait ? NULL : &now);
	} while (ready == -EINTR);
	return ready > 0;
}

/* Looks whether all is over, and if it is, sees to it that the last event is there. */
static bool finish(struct nestbox_box *box, bool wait)
{
	struct nestbox_event event;
	siginfo_t info;
	int reaped;

	if (box->reaped)
		return true;
	if (!has_ended(box, wait))
		return false;
	reaped = reap(box, &info);
	box->reaped = true;
	/* What it said before counts. */
	while (take_event(box, &event) > 0)
		;
	if (!box->ended && reaped > 0)
		conclude_from(box, info.si_code, info.si_status);
	else if (!box->ended)
		conclude_without_status(box);
	return true;
}

int nestbox_next_event(struct nestbox_box *box, struct nestbox_event *event)
{
	int got;

	if (box == NULL || event == NULL)
		return -EINVAL;
	if (box->told)
		return -ENODATA;
	got = take_event(box, event);
	if (got == 1)
		return 1;
	/* At the end of its events the launcher has nothing left to do but to end. A copy of its end of
	 * the socket, in a process that another thread forked, may hide that. */
	if (got == -ENODATA && !box->reaped)
		sys_pidfd_send_signal(box->pidfd, SIGKILL);
	if (!finish(box, got == -ENODATA))
		return 0;
	box->told = true;
	*event = box->end;
	return 1;
}

const char *nestbox_event_json(const struct nestbox_box *box)
{
	return box != NULL ? box->line : "";
}

int nestbox_try_wait(struct nestbox_box *box, struct nestbox_event *end)
{
	if (box == NULL)
		return -EINVAL;
	if (!finish(box, false))
		return 0;
	if (end != NULL)
		*end = box->end;
	return 1;
}

int nestbox_wait(struct nestbox_box *box, struct nestbox_event *end)
{
	if (box == NULL)
		return -EINVAL;
	finish(box, true);
	if (end != NULL)
		*end = box->end;
	return 0;
}

int nestbox_kill(struct nestbox_box *box, int signal)
{
	int error;

	if (box == NULL)
		return -EINVAL;
	error = sys_pidfd_send_signal(box->pidfd, signal);
	if (error == 0 && signal == SIGKILL)
		__atomic_store_n(&box->killed, true, __ATOMIC_RELAXED);
	return error;
}

int nestbox_pidfd(const struct nestbox_box *box)
{
	return box != NULL ? box->pidfd : -1;
}

int nestbox_status_fd(const struct nestbox_box *box)
{
	return box != NULL ? box->status : -1;
}

int nestbox_stdio_fd(const struct nestbox_box *box, int which)
{
	return box != NULL && which >= 0 && which <= 2 ? box->stdio[which] : -1;
}

int nestbox_take_stdio_fd(struct nestbox_box *box, int which)
{
	int fd = nestbox_stdio_fd(box, which);

	if (fd >= 0)
		box->stdio[which] = -1;
	return fd;
}

void nestbox_free(struct nestbox_box *box)
{
	if (box == NULL)
		return;
	if (box->pidfd >= 0 && !box->reaped) {
		nestbox_kill(box, SIGKILL);
		finish(box, true);
	}
	program_close(box->pidfd);
	program_close(box->status);
	for (int which = 0; which <= 2; which++)
		program_close(box->stdio[which]);
	free(box);
}
