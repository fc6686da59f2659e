/* SPDX-License-Identifier: MIT */
/*
 * The only process beside the command; with --fallback there is another one above it (init/guard.h). It makes no
 * box, so nothing may be needed around it: no procfs, no devices, no file that can be written, no free descriptor.
 * What it does not need any more once the command runs, it gives back.
 */
#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/alone.h"
#include "init/box.h"
#include "init/changes.h"
#include "init/clock.h"
#include "init/clone.h"
#include "init/descriptors.h"
#include "init/explain.h"
#include "init/fallback.h"
#include "init/fence.h"
#include "init/guard.h"
#include "init/inits.h"
#include "init/jobs.h"
#include "init/personality.h"
#include "init/reaper.h"
#include "init/signals.h"
#include "init/status.h"
#include "init/terminal.h"
#include "init/walls.h"
#include "mountns/sys.h"

/* Whether the command's process group is another one of our session. */
static bool has_group(const struct plan *plan)
{
	return plan->job != JOB_SESSION && plan->job != JOB_SHARED;
}

static bool is_foreground_job(const struct plan *plan)
{
	return plan->job == JOB_FOREGROUND_STDIN || plan->job == JOB_FOREGROUND_TTY;
}

/* A terminal's signals for our group are for the command's, too. The rest is for the command. */
static enum reaper_target route(struct reaper *reaper, const siginfo_t *info)
{
	const struct plan *plan = reaper->plan;
	int signal = info->si_signo;

	/* A message that nobody reads is our own trouble. */
	if (signal == SIGPIPE && info->si_pid == sys_getpid())
		return TARGET_NOBODY;
	if (reaper->skipped & signal_bit(signal)) {
		const struct init_event event = { .kind = INIT_HAND_OFF, .signal = signal };

		reaper->skipped &= ~signal_bit(signal);
		inits_tell(plan, &event);
		return TARGET_NOBODY;
	}
	if (plan->pause) {
		reaper->ended = signal == SIGINT || signal == SIGTERM;
		return TARGET_NOBODY;
	}
	/* A shell has put us in front again. */
	if (signal == SIGCONT && reaper->child != 0 && is_foreground_job(plan))
		jobs_pass_foreground(reaper->child);
	return has_group(plan) && info->si_code == SI_KERNEL ? TARGET_GROUP : TARGET_CHILD;
}

static void follow_stop(struct reaper *reaper, int status)
{
	if (!jobs_follow_stop(reaper->child, WSTOPSIG(status), reaper->deadline != 0))
		return;
	if (is_foreground_job(reaper->plan))
		jobs_pass_foreground(reaper->child);
	sys_kill(-reaper->child, SIGCONT);
}

/* The signal is sent when the thread ends that started us: prctl(2), PR_SET_PDEATHSIG. */
static int watch_parent(const struct plan *plan, struct fault *fault)
{
	int signal = plan->die_with_parent ? SIGKILL : plan->parent_signal;
	int parent = sys_getppid(), error = 0;

	if (signal != 0)
		error = sys_prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0);
	if (error < 0)
		return fault_errno(fault, "parent death signal", "", error);
	/* Had it ended before, another process would be our parent by now. */
	if (signal != 0 && sys_getppid() != parent)
		sys_kill(sys_getpid(), signal);
	return 0;
}

static int adopt_orphans(const struct plan *plan, struct fault *fault)
{
	struct init_event event = { .kind = INIT_SUBREAPER };
	int set = 0, error;

	if (plan->subreaper) {
		error = sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0);
		if (error < 0)
			return fault_errno(fault, "subreaper", "", error);
	} else if (sys_getpid() != 1) {
		sys_prctl(PR_GET_CHILD_SUBREAPER, (unsigned long)SYS_P(&set), 0);
		event.kind = INIT_NO_REAPER;
	}
	if (plan->subreaper || (event.kind == INIT_NO_REAPER && set == 0))
		inits_tell(plan, &event);
	return 0;
}

/* What is not the command's business and would only be kept from others. */
static void settle(const struct box *box)
{
	const struct plan *plan = box->plan;
	const struct cow_store *cow = box->cow;
	struct init_event event = { .kind = INIT_DIRECTORY_FAILED };
	int kept[] = {
		plan->fds[FD_STATUS],
		plan->fds[FD_EXIT_SIGNAL],
		plan->fds[FD_SYNC],
		cow != NULL ? cow->dir : -1,
		cow != NULL ? cow->lock : -1,
		cow != NULL ? cow->lower : -1,
		cow != NULL ? cow->upper : -1,
		box->guarded ? box->listener[1] : -1,
	};
	const size_t count = sizeof(kept) / sizeof(kept[0]);

	/* A file system that we are in could not be unmounted. */
	if (plan->leave_directory)
		event.error = -sys_chdir("/");
	if (event.error != 0)
		inits_tell(plan, &event);
	if (plan->close_descriptors) {
		descriptors_sort(kept, count);
		descriptors_close_but(3, kept, count);
	}
}

static int complain(const struct plan *plan, int pid, enum report_kind kind,
		    const struct fault *fault)
{
	if (inits_find(plan->as) != NULL)
		inits_find(plan->as)->complain(plan, pid, fault);
	else
		init_complain(plan, fault);
	status_failed(plan, kind, fault);
	return personality_failure(plan, kind, fault);
}

static void tell_start(const struct box *box, int pid)
{
	int pidfd;

	if (box->plan->fds[FD_STATUS] < 0)
		return;
	pidfd = sys_pidfd_open(pid);
	status_started(box, pid, pidfd);
	if (pidfd >= 0)
		sys_close(pidfd);
}

/*
 * Starts the command. A child that could not become it has said why in WORKLOAD, and has ended with the
 * status that is ours then: the three programs take that for the command's own end.
 */
static int start(struct box *box, struct workload *workload, struct reaper *reaper,
		 struct fault *fault)
{
	const struct plan *plan = box->plan;
	char *stack;
	int pid, error = clone_map_stacks(&stack, 1);

	if (error < 0)
		return fault_errno(fault, "start", "stack", error);
	pid = clone_child(workload_main, workload, stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	clone_unmap_stacks(&stack, 1);
	if (pid < 0)
		return fault_errno(fault, "clone", "", pid);
	reaper->child = pid;
	reaper->owns_group = plan->new_session || plan->job != JOB_SHARED;
	reaper->group = reaper->owns_group ? -pid : pid;
	walls_leave_out_noted(box, box->noted);
	if (workload->failed)
		complain(plan, pid, workload->failure, &workload->fault);
	else
		tell_start(box, pid);
	return 0;
}

static int begin(struct box *box, struct workload *workload, struct reaper *reaper,
		 struct fault *fault)
{
	const struct plan *plan = box->plan;

	if (signals_take(box, fault) != 0 || watch_parent(plan, fault) != 0 ||
	    adopt_orphans(plan, fault) != 0 || box_wait_for_caller(plan, fault) != 0)
		return -1;
	reaper->fenced = plan->fallen && fence_raise(box); /* the command shall be inside */
	reaper->skipped = jobs_detach(plan);
	if (!plan->pause && start(box, workload, reaper, fault) != 0)
		return -1;
	guard_leave_alone(box);
	settle(box);
	return 0;
}

/* The command's group is gone: whoever reads from the terminal next would be stopped. */
static void take_terminal_back(const struct box *box)
{
	int terminal = box->in_foreground ? terminal_open() : -1;

	if (terminal < 0)
		return;
	terminal_take(terminal);
	sys_close(terminal);
}

static int conclude(struct box *box, const struct reaper *reaper)
{
	const struct plan *plan = box->plan;
	int status = EXIT_TIMED_OUT;

	take_terminal_back(box);
	if (reaper->timed_out) {
		status_timed_out(plan);
	} else {
		status_ended(plan, reaper->status);
		status = reaper_exit_status(plan, reaper->status);
	}
	if ((reaper->gave_up || !guard_await(box) ? changes_leave(box)
						  : changes_end(box, status == 0)) != 0)
		return EXIT_NESTBOX;
	return status;
}

/* The command has not run. */
static int give_up(struct box *box, const struct fault *fault)
{
	int status = complain(box->plan, sys_getpid(), REPORT_SETUP_FAILED, fault);

	changes_abandon(box);
	return status;
}

int alone_run(const struct plan *plan, struct box *tried)
{
	struct reaper reaper = {
		.plan = plan,
		.owns_stops = has_group(plan),
		.deadline = plan->timeout != 0 ? clock_now() + plan->timeout : 0,
		.route = route,
		.stopped = follow_stop,
	};
	struct box box;
	struct workload workload = { .box = &box, .users = -1 };
	struct fault fault, noted[WALLS] = { 0 };

	if (box_prepare(&box, plan, &fault) != 0)
		return give_up(tried != NULL ? tried : &box, &fault);
	if (plan->explain)
		return explain(&box);
	box.noted = noted;
	box.self = sys_getpid();
	if ((tried != NULL && fallback_take(&box, tried, &fault) != 0) ||
	    guard_start(&box, &fault) != 0)
		return give_up(&box, &fault);
	reaper.owns_all = sys_getpid() == 1;
	if (begin(&box, &workload, &reaper, &fault) != 0)
		return give_up(&box, &fault);
	if (workload.failed && plan->as == AS_NESTBOX) {
		changes_abandon(&box);
		return personality_failure(plan, workload.failure, &workload.fault);
	}
	reaper_serve(&reaper);
	return conclude(&box, &reaper);
}
