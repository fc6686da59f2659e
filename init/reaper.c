/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "init/clock.h"
#include "init/inits.h"
#include "init/reaper.h"
#include "init/report.h"
#include "init/signals.h"
#include "mountns/sys.h"

/* How long what SIGKILL was sent to may take to go: what is stuck in the kernel then will not. */
#define KILL_PATIENCE 1000000000ULL

static void tell(const struct reaper *reaper, struct init_event event)
{
	inits_tell(reaper->plan, &event);
}

/* --- Those that are left --- */

/* Sends SIGNAL to the pids in TEXT, but those in group SKIPPED. *PID is a number begun in the text
 * before. */
static void signal_listed(const char *text, long size, int signal, int skipped, int *pid)
{
	for (const char *c = text; c < text + size; c++) {
		if (*c >= '0' && *c <= '9') {
			*pid = *pid * 10 + (*c - '0');
			continue;
		}
		if (*pid > 0 && (skipped == 0 || sys_getpgid(*pid) != skipped))
			sys_kill(*pid, signal);
		*pid = 0;
	}
}

/*
 * Who is not process 1 may not signal everybody, only its own. Nobody but us reaps our children, so
 * their numbers stay theirs; and all orphans become our children. proc(5), "/proc/tid/children".
 * Returns whether there is such a list.
 */
static bool signal_children(int signal, int skipped)
{
	int list = sys_openat(AT_FDCWD, "/proc/thread-self/children", O_RDONLY | O_CLOEXEC, 0);
	char text[512];
	int pid = 0;
	long size;

	if (list < 0)
		return false;
	while ((size = sys_read(list, text, sizeof(text))) > 0)
		signal_listed(text, size, signal, skipped, &pid);
	sys_close(list);
	return true;
}

/* To all that the child left. Those in group SKIPPED have got it. Returns whether it can be done. */
static bool signal_rest(const struct reaper *reaper, int signal, int skipped)
{
	if (!reaper->owns_all)
		return signal_children(signal, skipped);
	sys_kill(-1, signal);
	return true;
}

/* --- Signals in --- */

static bool is_terminal_stop(int signal)
{
	return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void send(const struct reaper *reaper, int signal, int sent, enum reaper_target target)
{
	int pid = target == TARGET_GROUP || reaper->plan->forward_group ? reaper->group
									: reaper->child;
	/* Whatever comes of it is no reason to end. */
	int error = sys_kill(pid, sent);

	tell(reaper, (struct init_event){ .kind = INIT_FORWARDED,
					  .signal = signal,
					  .sent = sent,
					  .target = pid,
					  .error = -error });
}

static void forward(struct reaper *reaper, const siginfo_t *info)
{
	int signal = info->si_signo, sent = reaper->plan->forward_as[signal];
	enum reaper_target target;

	tell(reaper, (struct init_event){ .kind = INIT_SIGNAL, .signal = signal });
	if (signal == SIGCHLD)
		return;
	target = reaper->route(reaper, info);
	if (target == TARGET_NOBODY)
		return;
	if (sent == 0)
		tell(reaper, (struct init_event){ .kind = INIT_DROPPED, .signal = signal });
	else if (reaper->child == 0)
		signal_rest(reaper, sent, 0);
	else
		send(reaper, signal, sent, target);
	/* It was asked to end, whatever the words were that it understands. */
	if (signal == SIGTERM && sent != 0 && reaper->plan->grace > 0 && reaper->kill_at == 0)
		reaper->kill_at = clock_now() + reaper->plan->grace;
	if (!reaper->plan->stops_itself || !is_terminal_stop(signal))
		return;
	tell(reaper, (struct init_event){ .kind = INIT_STOPS });
	sys_kill(sys_getpid(), SIGSTOP);
}

/* --- Children out --- */

/*
 * The last signal for the child's group. The child is dead and not reaped yet, so the group's number
 * cannot have become another one's.
 */
static void say_farewell(const struct reaper *reaper)
{
	int signal = reaper->plan->farewell ? reaper->plan->forward_as[SIGTERM] : SIGTERM;

	if (reaper->owns_group && signal != 0)
		sys_kill(reaper->group, signal);
}

static bool needs_farewell(const struct reaper *reaper)
{
	return reaper->child != 0 &&
	       (reaper->plan->farewell || (reaper->plan->grace > 0 && !reaper->owns_all));
}

/* Takes one child that has ended or, where that is told, was stopped. Returns its pid, 0 or -errno. */
static int take(const struct reaper *reaper, int *status)
{
	int options = WNOHANG | (reaper->owns_stops ? WUNTRACED : 0), pid = -1;
	siginfo_t info = { 0 };

	if (needs_farewell(reaper)) {
		int error = sys_waitid(P_ALL, 0, &info, WEXITED | options | WNOWAIT);

		pid = info.si_pid;
		if (error < 0 || pid == 0)
			return error;
		if (info.si_code == CLD_STOPPED) {
			*status = info.si_status << 8 | 0x7f; /* as of wait(2) */
			sys_waitid(P_PID, pid, &info, WSTOPPED | WNOHANG);
			return pid;
		}
		if (pid == reaper->child)
			say_farewell(reaper);
	}
	return sys_wait4(pid, status, options);
}

static void begin_killing(struct reaper *reaper, uint64_t over)
{
	reaper->timed_out |= reaper->deadline != 0 && over == reaper->deadline;
	reaper->deadline = 0;
	reaper->gave_up = reaper->killing && !reaper->reaped;
	reaper->reaped = false;
	reaper->killing = true;
	reaper->kill_at = clock_now() + KILL_PATIENCE;
}

/* The child has ended. */
static void begin_end(struct reaper *reaper)
{
	const struct plan *plan = reaper->plan;

	reaper->ended = true;
	/* As the end of process 1 of a box would. */
	if (plan->fallen && plan->grace == 0 && !plan->wait_all && !reaper->killing)
		begin_killing(reaper, 0);
	if (plan->grace == 0 || reaper->killing)
		return;
	signal_rest(reaper, SIGTERM, reaper->owns_group ? -reaper->group : 0);
	reaper->kill_at = clock_now() + plan->grace;
}

static bool is_over(const struct reaper *reaper)
{
	bool stays = reaper->plan->wait_all || reaper->plan->grace > 0;

	if (reaper->killing && reaper->owns_all)
		return reaper->ended || reaper->timed_out;
	return reaper->ended &&
	       ((!stays && !reaper->killing) || reaper->left == -ECHILD || reaper->gave_up);
}

static void reap(struct reaper *reaper)
{
	int status, pid;

	while ((pid = take(reaper, &status)) > 0) {
		bool main = pid == reaper->child;

		if (WIFSTOPPED(status)) {
			if (main)
				reaper->stopped(reaper, status);
			continue;
		}
		reaper->reaped = true;
		if (main) {
			reaper->child = 0;
			reaper->status = status;
		}
		tell(reaper,
		     (struct init_event){
			     .kind = INIT_REAPED, .pid = pid, .status = status, .main = main });
		if (main)
			begin_end(reaper);
		/* The kernel reaps what a box leaves: pid_namespaces(7). */
		if (main && is_over(reaper) && !reaper->plan->init_only)
			return;
	}
	reaper->left = pid;
	tell(reaper, (struct init_event){ .kind = INIT_NONE_TO_REAP, .error = -pid });
}

/* --- Time --- */

static uint64_t next_deadline(const struct reaper *reaper)
{
	uint64_t first = reaper->deadline;

	if (first == 0 || (reaper->kill_at != 0 && reaper->kill_at < first))
		first = reaper->kill_at;
	return first;
}

/* What dies leaves us its children, so it takes as many rounds as there are generations where they cannot be
 * reached at once. */
static void kill_rest(struct reaper *reaper)
{
	if (reaper->child != 0)
		sys_kill(reaper->owns_group ? reaper->group : reaper->child, SIGKILL);
	if (reaper->fenced)
		sys_kill(-1, SIGKILL);
	else if (!signal_rest(reaper, SIGKILL, 0) && reaper->child == 0)
		reaper->left = -ECHILD;
}

/* Waits for a signal, or until a time is over. */
static void wait_and_forward(struct reaper *reaper)
{
	const uint64_t awaited = ~reaper->plan->own_signals;
	uint64_t deadline = next_deadline(reaper);
	struct kernel_timespec rest;
	siginfo_t info;

	if (deadline != 0 && !clock_rest(deadline, &rest))
		begin_killing(reaper, deadline);
	else if (sys_sigtimedwait(&awaited, &info, deadline != 0 ? &rest : NULL) > 0)
		forward(reaper, &info);
}

void reaper_serve(struct reaper *reaper)
{
	while (!is_over(reaper)) {
		wait_and_forward(reaper);
		/* Whatever woke us: a storm of other signals must not hide a SIGCHLD. */
		reap(reaper);
		if (reaper->killing)
			kill_rest(reaper);
	}
	tell(reaper, (struct init_event){ .kind = INIT_ENDS, .status = reaper->status });
}

int reaper_exit_status(const struct plan *plan, int wait_status)
{
	int status = report_exit_status(wait_status);

	return plan->expected[status / 64] >> (status % 64) & 1 ? 0 : status;
}
