/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "init/inits.h"
#include "init/jobs.h"
#include "init/signals.h"
#include "init/terminal.h"
#include "mountns/sys.h"

/* Calls that fail because there is no terminal: it may as well be no descriptor at all. */
static bool means_no_terminal(int error)
{
	return error == -ENOTTY || error == -EBADF || error == -ENXIO;
}

uint64_t jobs_detach(const struct plan *plan)
{
	struct init_event event = { .kind = INIT_DETACHED };
	uint64_t sent = 0;

	if (plan->job != JOB_SESSION)
		return 0;
	event.error = -sys_ioctl(STDIN_FILENO, TIOCNOTTY, NULL);
	event.leader = sys_getsid(0) == sys_getpid();
	inits_tell(plan, &event);
	/* The leader of a session that gives its terminal up hangs up on the foreground group, which
	 * may be ours: ioctl_tty(2). No shell means our command by that. */
	if (event.error == 0 && event.leader)
		sys_sigpending(&sent);
	return sent & (signal_bit(SIGHUP) | signal_bit(SIGCONT));
}

static int open_terminal(const struct plan *plan)
{
	struct init_event event = { .kind = INIT_NO_TTY };
	int fd = STDIN_FILENO;

	if (plan->job == JOB_FOREGROUND_TTY)
		fd = sys_openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC, 0);
	if (fd >= 0)
		return fd;
	event.error = -fd;
	inits_tell(plan, &event);
	return STDIN_FILENO;
}

/* Somebody else's foreground is not taken; nobody else is there when our parent, the init, leads the
 * session, as the first process of a container does. */
static bool may_take(int terminal, int old_group, int *error)
{
	int front = 0;

	*error = sys_ioctl(terminal, TIOCGPGRP, &front);
	return *error == 0 && (front == old_group || sys_getsid(0) == sys_getppid());
}

static int take_foreground(const struct plan *plan, int old_group, struct fault *fault)
{
	struct init_event event = { .kind = INIT_NO_FOREGROUND };
	int group = sys_getpgid(0), terminal = open_terminal(plan), error;

	if (may_take(terminal, old_group, &error))
		error = sys_ioctl(terminal, TIOCSPGRP, &group);
	if (terminal != STDIN_FILENO)
		sys_close(terminal);
	if (error < 0 && !means_no_terminal(error))
		return fault_errno(fault, "terminal", "", error);
	event.error = -error;
	if (error < 0)
		inits_tell(plan, &event);
	return 0;
}

static int begin_session(const struct plan *plan, struct fault *fault)
{
	struct init_event event = { .kind = INIT_SESSION };
	int error = sys_setsid();

	if (error < 0)
		return fault_errno(fault, "setsid", "", error);
	event.error = -sys_ioctl(STDIN_FILENO, TIOCSCTTY, NULL);
	inits_tell(plan, &event);
	return 0;
}

int jobs_begin(const struct plan *plan, struct fault *fault)
{
	int old_group = sys_getpgid(0), error;

	if (plan->job == JOB_SESSION)
		return begin_session(plan, fault);
	if (plan->job == JOB_SHARED)
		return 0;
	error = sys_setpgid(0, 0);
	if (error < 0)
		return fault_errno(fault, "process group", "", error);
	/* Beside a shell others of our group, such as a pager behind a pipe, may need it first. */
	if (plan->job == JOB_BACKGROUND && sys_getsid(0) != sys_getppid())
		return 0;
	return take_foreground(plan, old_group, fault);
}

void jobs_pass_foreground(int group)
{
	int terminal = terminal_open();

	if (terminal < 0)
		return;
	terminal_give(terminal, group);
	sys_close(terminal);
}

/*
 * A group of its own is in the background of a terminal. It gets the foreground when it stops because
 * it needs that, and we have it. Else we stop as well, so that the shell sees it, and the group goes on
 * when we do.
 */
bool jobs_follow_stop(int group, int signal, bool must_run)
{
	bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
	int terminal = terminal_open();
	bool resume;

	if (terminal < 0)
		return false;
	if (wants_terminal && terminal_give(terminal, group))
		resume = true;
	else if (!must_run && (wants_terminal || signal == SIGTSTP))
		resume = terminal_stop(sys_getpid(), SIGTSTP) || !wants_terminal;
	else
		resume = signal == SIGTSTP;
	sys_close(terminal);
	return resume;
}
