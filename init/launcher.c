/* SPDX-License-Identifier: MIT */
/*
 * The launcher, outside the box: everything is parsed, opened and checked before PID 1 is started;
 * afterwards it only relays signals in and the status out. It shares its memory with PID 1, so from
 * the clone until PID 1's end it uses raw system calls and leaves the heap alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/alone.h"
#include "init/box.h"
#include "init/changes.h"
#include "init/check.h"
#include "init/clock.h"
#include "init/clone.h"
#include "init/descriptors.h"
#include "init/explain.h"
#include "init/fallback.h"
#include "init/filters.h"
#include "init/info.h"
#include "init/jobs.h"
#include "init/listener.h"
#include "init/mapper.h"
#include "init/personality.h"
#include "init/reaper.h"
#include "init/relay.h"
#include "init/report.h"
#include "init/signals.h"
#include "init/status.h"
#include "init/terminal.h"
#include "init/text.h"
#include "init/walls.h"
#include "mountns/sys.h"

/* How many of the namespaces a box can do without. */
#define DISPENSABLE 5

struct launcher {
	struct box box;
	const struct plan *plan;
	int pid;   /* of PID 1, as it is called out here */
	int pidfd; /* the same */
	struct listener listener;
	int signals;         /* signalfd(2) */
	struct relay *relay; /* of the box's own terminal; NULL: none */
	bool lost_network;   /* box.lost_network */
	int lack;            /* why not all namespaces could be made, -errno */
	int parent;        /* pidfd of our own parent or the like, -1 if its end does not matter */
	uint64_t deadline; /* CLOCK_MONOTONIC in nanoseconds, 0: none */
	bool timed_out;
	bool hurried; /* told to end by a signal */
	bool started; /* and that is to be told yet */
	bool told;
	bool failed;
	bool lost; /* by a failure out here, while the command may have run */
	bool ended;
	struct report failure; /* the first one */
	int wait_status;       /* of the workload */
};

/* A signal to a launcher that relays none is its own affair. Returns 0, or -errno. */
static int leave_signals(const struct box *box)
{
	return box->plan->loose ? sys_sigprocmask(SIG_SETMASK, &box->caller_mask, NULL) : 0;
}

static int make_stacks(struct box *box, struct fault *fault)
{
	char *stacks[2];
	int error = clone_map_stacks(stacks, 2);

	box->workload_stack = stacks[0];
	box->pid1_stack = stacks[1];
	return error < 0 ? fault_errno(fault, "start", "stack", error) : 0;
}

/* A pidfd, not a parent-death signal: that one is sent when the thread ends which started us.
 * Whoever gave us the pidfd is not lost sight of, even if it ended before we looked. */
static int watch_parent(struct launcher *launcher, struct fault *fault)
{
	int parent = sys_getppid();

	launcher->parent = launcher->plan->fds[FD_DIE_WITH];
	if (!launcher->plan->die_with_parent)
		return 0;
	launcher->parent = parent > 0 ? sys_pidfd_open(parent) : -ESRCH;
	/* Had it ended before it was opened, another process would be our parent by now. */
	if (launcher->parent >= 0 && sys_getppid() != parent)
		launcher->parent = -ESRCH;
	return launcher->parent < 0 ? fault_errno(fault, "die-with-parent", "", launcher->parent)
				    : 0;
}

/* The rights that these give are the box's: nobody in them may look into this process meanwhile. */
static int join_namespaces(const struct plan *plan, struct fault *fault)
{
	int users = plan->fds[FD_USERNS], processes = plan->fds[FD_PIDNS];
	int error = users >= 0 || processes >= 0 ? sys_prctl(PR_SET_DUMPABLE, 0, 0) : 0;

	if (error == 0 && users >= 0)
		error = sys_setns(users, CLONE_NEWUSER);
	if (error < 0)
		return fault_errno(fault, "join", "the user namespace", error);
	if (processes >= 0)
		error = sys_setns(processes, CLONE_NEWPID);
	return error < 0 ? fault_errno(fault, "join", "the PID namespace", error) : 0;
}

static int prepare_relay(struct launcher *launcher, struct fault *fault)
{
	const struct plan *plan = launcher->plan;
	bool stopped = false;

	if (!plan->tty)
		return 0;
	launcher->relay = relay_prepare(&launcher->box, &stopped, fault);
	/* Nothing has begun yet. */
	if (stopped && plan->timeout != 0)
		launcher->deadline = clock_now() + plan->timeout;
	return launcher->relay == NULL ? -1 : 0;
}

static unsigned long clone_flags(const struct box *box)
{
	unsigned long flags = box->namespaces | CLONE_NEWNS | CLONE_PIDFD | SIGCHLD;

	/* This one follows in PID 1. */
	if (box->parallel)
		flags &= ~(unsigned long)CLONE_NEWNET;
	return box->shares_memory ? flags | CLONE_VM : flags;
}

/* The number by which this process knows the one of PIDFD: proc(5), "/proc/pid/fdinfo". */
static int find_pid(int pidfd)
{
	struct text path = { 0 };
	char info[1024];
	const char *line;
	int fd, pid = 0;
	long length;

	text_add(&path, "/proc/self/fdinfo/");
	text_number(&path, (unsigned int)pidfd);
	path.bytes[path.length] = '\0';
	fd = sys_openat(AT_FDCWD, path.bytes, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	length = sys_read(fd, info, sizeof(info) - 1);
	sys_close(fd);
	info[length > 0 ? length : 0] = '\0';
	line = strstr(info, "\nPid:\t");
	for (line = line != NULL ? line + 6 : ""; *line >= '0' && *line <= '9'; line++)
		pid = pid * 10 + (*line - '0');
	return pid > 0 ? pid : -ESRCH;
}

static int clone_as_sibling(void *argument)
{
	struct launcher *launcher = argument;
	struct box *box = &launcher->box;

	launcher->pid = clone_child(pid1_main, box, box->pid1_stack,
				    clone_flags(box) | CLONE_PARENT, &launcher->pidfd);
	sys_exit_group(0);
}

/* A PID namespace in a joined one can only be made by a process that is in that one already: it makes
 * PID 1 a child of ours. */
static int clone_through(struct launcher *launcher)
{
	_Alignas(16) char stack[16384];
	int status, helper = clone_child(clone_as_sibling, launcher, stack + sizeof(stack),
					 CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, NULL);

	if (helper < 0)
		return helper;
	launcher->pid = launcher->pid < 0 ? launcher->pid : find_pid(launcher->pidfd);
	sys_wait4(helper, &status, 0);
	return launcher->pid;
}

static int clone_once(struct launcher *launcher)
{
	struct box *box = &launcher->box;

	if (launcher->plan->fds[FD_PIDNS] >= 0 && (box->namespaces & CLONE_NEWPID) != 0)
		return clone_through(launcher);
	return clone_child(pid1_main, box, box->pid1_stack, clone_flags(box), &launcher->pidfd);
}

/* What is to be had in a user namespace alone. */
static bool needs_users(const struct plan *plan)
{
	/* Capabilities that are kept would be those of the namespace outside. */
	return (plan->as == AS_NESTBOX && plan->capabilities != 0) ||
	       plan->uid_range_count + plan->gid_range_count > 0 ||
	       (plan->uid >= 0 && plan->uid != (int64_t)getuid()) ||
	       (plan->gid >= 0 && plan->gid != (int64_t)getgid());
}

/* What may be missing: by bubblewrap's options, and by --on-missing. */
static unsigned int find_dispensable(const struct plan *plan)
{
	unsigned int flags = plan->try_for;

	for (unsigned int wall = 0; wall < WALLS; wall++)
		if (wall_is_optional(plan, wall))
			flags |= walls[wall].flag & plan->namespaces;
	return needs_users(plan) ? flags & ~(unsigned int)CLONE_NEWUSER : flags;
}

/* The kernel lacks one of the namespaces, or the limit of it is reached, or who said that walls may be missing
 * may not make it. A failure of any other kind might be gone the next time, and is no reason to leave one
 * out. */
static bool is_lack(const struct plan *plan, unsigned int dispensable, int error)
{
	return error == -EINVAL || error == -ENOSPC ||
	       ((error == -EPERM || error == -EUSERS) && (dispensable & ~plan->try_for) != 0);
}

/* The namespaces of SET, which has a bit for each that may be missing at all; 0 if it has not COUNT of them. */
static unsigned int choose_flags(unsigned int set, int count)
{
	static const unsigned int flags[] = { CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
					      CLONE_NEWNET, CLONE_NEWUSER };
	unsigned int chosen = 0;

	_Static_assert(sizeof(flags) / sizeof(flags[0]) == DISPENSABLE, "a bit for each");
	for (unsigned int i = 0; i < DISPENSABLE && __builtin_popcount(set) == count; i++)
		chosen |= (set >> i & 1) != 0 ? flags[i] : 0;
	return chosen;
}

/* With as many of the namespaces as can be had: without one, without two, and so on. */
static int clone_pid1(struct launcher *launcher)
{
	struct box *box = &launcher->box;
	unsigned int dispensable = find_dispensable(box->plan);
	int pid = clone_once(launcher);

	launcher->lack = pid;
	for (int count = 1; count <= DISPENSABLE; count++) {
		for (unsigned int set = 1; set < 1U << DISPENSABLE; set++) {
			unsigned int without = choose_flags(set, count);

			if (without == 0 || (without & ~dispensable) != 0)
				continue;
			if (!is_lack(box->plan, dispensable, pid))
				return pid;
			box->namespaces = box->plan->namespaces & ~without;
			box_choose_ids(box);
			pid = clone_once(launcher);
		}
	}
	return pid >= 0 ? pid : launcher->lack;
}

/* What was asked for with "-try" goes without a word. */
static void tell_missing_namespaces(struct launcher *launcher)
{
	struct box *box = &launcher->box;
	unsigned int missing = box->plan->namespaces & ~box->namespaces & ~box->plan->try_for;
	struct fault fault;

	for (unsigned int wall = 0; wall < WALLS && missing != 0; wall++) {
		if ((walls[wall].flag & missing) == 0)
			continue;
		fault_errno(&fault, "clone", walls[wall].name, launcher->lack);
		walls_leave_out(box, wall, &fault);
	}
}

static int open_pipes(struct launcher *launcher)
{
	const uint64_t relayed = ~signal_bit(SIGCHLD);
	struct box *box = &launcher->box;
	/* A pipe can be opened anew through /proc by who may look into its holder, a socket cannot. */
	bool socket = box->tells || box->sends_fds;
	int error = socket ? sys_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, box->report)
			   : sys_pipe2(box->report, O_CLOEXEC);

	if (error == 0 && (launcher->plan->fds[FD_USERNS_BLOCK] >= 0 || box->launcher_maps))
		error = sys_pipe2(box->maps_ready, O_CLOEXEC);
	launcher->signals = -1;
	if (error < 0 || launcher->plan->loose)
		return error;
	launcher->signals = sys_signalfd(&relayed, SFD_CLOEXEC | SFD_NONBLOCK);
	return launcher->signals < 0 ? launcher->signals : 0;
}

/* What the box has is none of ours, and whoever waits for the end of a pipe waits for all its
 * copies: keep what is needed here. */
static int drop_descriptors(const struct launcher *launcher)
{
	const struct plan *plan = launcher->plan;
	const struct cow_store *cow = launcher->box.cow;
	int kept[] = {
		launcher->pidfd,
		launcher->parent,
		launcher->signals,
		launcher->listener.pidfd,
		launcher->box.report[0],
		launcher->box.maps_ready[1],
		plan->fds[FD_STATUS],
		plan->fds[FD_EXIT_SIGNAL],
		plan->fds[FD_INFO],
		plan->fds[FD_JSON_STATUS],
		plan->fds[FD_USERNS_BLOCK],
		cow != NULL ? cow->dir : -1,
		cow != NULL ? cow->lock : -1,
		cow != NULL ? cow->lower : -1,
		cow != NULL ? cow->upper : -1,
		cow != NULL ? cow->memory.fs : -1,
		cow != NULL ? cow->memory.root : -1,
	};
	const size_t count = sizeof(kept) / sizeof(kept[0]);

	descriptors_sort(kept, count);
	return descriptors_close_but(3, kept, count);
}

/* The rights of a user namespace that was joined are of no use here any more. */
static int drop_joined_rights(const struct plan *plan)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const struct kernel_cap_data none[2] = { 0 };

	return plan->fds[FD_USERNS] >= 0 ? sys_capset(&header, none) : 0;
}

/* When the time is over, serve() sees to that: PID 1 waits for its byte until then. */
static int map_ranges(const struct launcher *launcher, struct fault *fault)
{
	const struct box *box = &launcher->box;
	const struct patience patience = { launcher->parent, launcher->deadline };
	char byte = 0;
	int pid, status;

	if (!box->launcher_maps)
		return 0;
	pid = find_pid(launcher->pidfd);
	if (pid < 0)
		return fault_errno(fault, "id map", "/proc/self/fdinfo", pid);
	status = mapper_map_child(box, pid, &patience, fault);
	if (status == 0)
		sys_write(box->maps_ready[1], &byte, 1);
	return status < 0 ? -1 : 0;
}

static int start(struct launcher *launcher, struct fault *fault)
{
	struct box *box = &launcher->box;
	int error;

	box->lost_network = &launcher->lost_network;
	if (signals_take(box, fault) != 0 || make_stacks(box, fault) != 0 ||
	    watch_parent(launcher, fault) != 0 || prepare_relay(launcher, fault) != 0 ||
	    listener_start(&launcher->listener, box, fault) != 0)
		return -1;
	error = open_pipes(launcher);
	if (error < 0)
		return fault_errno(fault, "start", "descriptors", error);
	if (join_namespaces(launcher->plan, fault) != 0)
		return -1;
	launcher->pid = clone_pid1(launcher);
	if (launcher->pid < 0)
		return fault_errno(fault, "clone", "", launcher->pid);
	tell_missing_namespaces(launcher);
	if (map_ranges(launcher, fault) != 0) {
		sys_kill(launcher->pid, SIGKILL);
		return -1;
	}
	/* Without a box the command would need them yet. */
	error = launcher->plan->fallback ? 0 : drop_descriptors(launcher);
	if (error == 0)
		error = drop_joined_rights(launcher->plan);
	if (error == 0)
		error = leave_signals(box);
	if (error == 0)
		return 0;
	sys_kill(launcher->pid, SIGKILL);
	return fault_errno(fault, "start", "launcher", error);
}

/*
 * What a terminal sends to our group is for all of the box, which it would have reached were that
 * not a group of its own; only a session of its own was never meant. The rest is for the workload.
 * PID 1 tells the two apart by the call that we use.
 */
static void relay_signals(struct launcher *launcher)
{
	struct signalfd_siginfo info;

	while (sys_read(launcher->signals, &info, sizeof(info)) == sizeof(info)) {
		int signal = (int)info.ssi_signo, pid = launcher->pid;
		bool from_kernel = info.ssi_code == SI_KERNEL;

		launcher->hurried |= signal_ends(signal);
		if (launcher->relay != NULL && relay_signal(launcher->relay, signal, from_kernel))
			continue;
		/* A status pipe without a reader is our own trouble. */
		if (signal == SIGPIPE && (int)info.ssi_pid == sys_getpid())
			continue;
		/* Else PID 1 sees to what the plan says about it. */
		if (!launcher->box.reaper && (signal = launcher->plan->forward_as[signal]) == 0)
			continue;
		if (!launcher->box.reaper && launcher->plan->forward_group)
			pid = -pid;
		if (from_kernel && (!launcher->plan->new_session || launcher->relay != NULL))
			sys_tgkill(launcher->pid, launcher->pid, signal);
		else
			sys_kill(pid, signal);
	}
}

/*
 * A workload must not stop a launcher that has a --timeout to keep: a stop by the keyboard is undone
 * then. SIGSTOP, which it may have sent itself, is its own affair in any case.
 */
static void follow_stop(const struct launcher *launcher, int signal)
{
	/* It is in a session that has nothing to do with ours. */
	if (launcher->relay != NULL)
		return;
	if (jobs_follow_stop(launcher->pid, signal, launcher->deadline != 0))
		sys_tgkill(launcher->pid, launcher->pid, SIGCONT);
}

/* The box is dead by now; what is left is a foreground group without a process, which would stop
 * whoever reads from the terminal next. */
static void take_terminal_back(const struct launcher *launcher)
{
	int terminal = launcher->box.in_foreground ? terminal_open() : -1;

	if (terminal < 0)
		return;
	terminal_take(terminal);
	sys_close(terminal);
}

static void take_missing(struct launcher *launcher, const struct report *report)
{
	const struct fault fault = report_to_fault(report);

	if (report->status >= 0 && report->status < WALLS)
		walls_leave_out(&launcher->box, (enum wall)report->status, &fault);
}

/* Takes one record. Returns false when PID 1 has no more to say. */
static bool take_report(struct launcher *launcher)
{
	int from = launcher->box.report[0], sent = -1;
	struct report report;

	if ((launcher->box.sends_fds ? report_read_fd(from, &report, &sent)
				     : report_read(from, &report)) <= 0)
		return false;
	switch (report.kind) {
	case REPORT_NAMESPACES:
		info_started(launcher->plan, launcher->pid, report.namespaces);
		break;
	case REPORT_SETUP_FAILED:
	case REPORT_EXEC_FAILED:
		/* The first failure counts, others follow from it. */
		if (!launcher->failed)
			launcher->failure = report;
		launcher->failed = true;
		break;
	case REPORT_MISSING:
		take_missing(launcher, &report);
		break;
	case REPORT_STARTED:
		if (launcher->plan->fallback)
			drop_descriptors(launcher);
		launcher->started = !launcher->failed;
		break;
	case REPORT_STOPPED:
		follow_stop(launcher, WSTOPSIG(report.status));
		break;
	case REPORT_ENDED:
		launcher->ended = true;
		launcher->wait_status = report.status;
		break;
	case REPORT_TERMINAL:
		relay_begin(launcher->relay, sent);
		break;
	case REPORT_PLACE:
	case REPORT_LISTENER:
		sys_close(sent);
		break;
	}
	return true;
}

/* Waits for something to happen. Returns 0 when the time is over, or -errno. */
static int wait_for(const struct launcher *launcher, struct pollfd *fds, unsigned int count)
{
	struct kernel_timespec left, *timeout = NULL;

	for (unsigned int i = 0; i < count; i++)
		fds[i].revents = 0; /* what an interrupted call leaves as it was */
	if (launcher->deadline != 0 && !launcher->timed_out) {
		uint64_t time = clock_now(), rest = launcher->deadline - time;

		if (time >= launcher->deadline)
			return 0;
		left.tv_sec = (long)(rest / 1000000000ULL);
		left.tv_nsec = (long)(rest % 1000000000ULL);
		timeout = &left;
	}
	return sys_ppoll(fds, count, timeout);
}

/* A launcher that cannot watch the box, or has lost a part of itself, ends the box. */
static void give_up(struct launcher *launcher, const char *step, int error)
{
	launcher->failure = (struct report){ .error = -error };
	strcpy(launcher->failure.step, step);
	launcher->failed = launcher->lost = true;
	launcher->ended = true;
	sys_kill(launcher->pid, SIGKILL);
}

static void tell_start(struct launcher *launcher)
{
	if (launcher->started && !launcher->told)
		status_started(&launcher->box, launcher->pid, launcher->pidfd);
	launcher->told |= launcher->started;
	launcher->started = false;
}

/* The caller has mapped the ids, or is gone: then PID 1 will not get far. */
static void pass_maps_on(const struct launcher *launcher)
{
	char byte = 0;

	sys_read(launcher->plan->fds[FD_USERNS_BLOCK], &byte, 1);
	sys_write(launcher->box.maps_ready[1], &byte, 1);
}

/* The exec has closed the pipe of a PID 1 that became the workload. */
static void note_end_of_reports(struct launcher *launcher)
{
	if (!launcher->box.reaper)
		launcher->started = !launcher->failed;
}

/* Relays until the workload has ended or PID 1 is gone. */
static void serve(struct launcher *launcher)
{
	enum {
		PID1,
		SIGNALS,
		PARENT,
		LISTENER,
		REPORTS,
		EVENTS,
		MAPS,
		RELAY,
		COUNT = RELAY + RELAY_FDS
	};
	struct pollfd fds[COUNT] = {
		[PID1] = { .fd = launcher->pidfd, .events = POLLIN },
		[SIGNALS] = { .fd = launcher->signals, .events = POLLIN },
		[PARENT] = { .fd = launcher->parent, .events = POLLIN },
		[LISTENER] = { .fd = launcher->listener.pidfd, .events = POLLIN },
		[REPORTS] = { .fd = launcher->box.report[0], .events = POLLIN },
		[EVENTS] = { .fd = -1, .events = POLLOUT },
		[MAPS] = { .fd = launcher->plan->fds[FD_USERNS_BLOCK], .events = POLLIN },
	};

	while (!fds[PID1].revents && !launcher->ended) {
		int ready;

		/* A reader who does not read must not keep us from the rest. */
		fds[EVENTS].fd = launcher->started ? launcher->plan->fds[FD_STATUS] : -1;
		relay_watch(launcher->relay, &fds[RELAY]);
		ready = wait_for(launcher, fds, COUNT);
		if (ready == 0) {
			launcher->timed_out = true;
			sys_kill(launcher->pid, SIGKILL);
		} else if (ready < 0 && ready != -EINTR) {
			give_up(launcher, "poll", ready);
		}
		relay_serve(launcher->relay, &fds[RELAY]);
		if (fds[SIGNALS].revents)
			relay_signals(launcher);
		if (fds[PARENT].revents) {
			fds[PARENT].fd = -1;
			sys_kill(launcher->pid, SIGKILL);
		}
		/* It ends by itself when nobody is left who could ask. */
		if (fds[LISTENER].revents) {
			fds[LISTENER].fd = -1;
			if (listener_reap(&launcher->listener) != 0)
				give_up(launcher, "listener", -ECHILD);
		}
		if (fds[EVENTS].revents)
			tell_start(launcher);
		if (fds[REPORTS].revents && !take_report(launcher)) {
			fds[REPORTS].fd = -1;
			note_end_of_reports(launcher);
		}
		/* Whoever maps the ids was told of the process just now. */
		if (fds[MAPS].revents) {
			fds[MAPS].fd = -1;
			pass_maps_on(launcher);
		}
	}
}

static int fail(const struct plan *plan, enum report_kind kind, const struct fault *fault)
{
	init_complain(plan, fault);
	status_failed(plan, kind, fault);
	return personality_failure(plan, kind, fault);
}

/* Waits for PID 1, and with it for all in the box. A loose one may go on without its workload. */
static void wait_for_box(struct launcher *launcher)
{
	int pid1_status = 0;

	if (launcher->ended && launcher->plan->loose)
		return;
	sys_wait4(launcher->pid, &pid1_status, 0);
	listener_stop(&launcher->listener);
	take_terminal_back(launcher);
	/* All that wrote to the pipe are dead: there is nothing to wait for. */
	sys_fcntl(launcher->box.report[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	while (take_report(launcher))
		;
	/* Its own end stands for the workload's if something killed it from outside. */
	if (!launcher->ended)
		launcher->wait_status = pid1_status;
}

/* Who was told to end is not held up by a reader who does not read; one who does gets all. */
static void end_relay(struct launcher *launcher)
{
	bool hurried = launcher->timed_out || launcher->hurried;
	struct fault fault;
	int lost;

	relay_drain(launcher->relay, launcher->signals, launcher->parent,
		    hurried ? 0 : launcher->deadline, hurried);
	lost = relay_end(launcher->relay);
	if (lost == 0)
		return;
	fault_errno(&fault, "terminal", "standard output", lost);
	init_complain(launcher->plan, &fault);
}

/* Nothing of the box is left, in which the command has never run. */
static int fall_back(struct launcher *launcher, const struct fault *cause)
{
	listener_stop(&launcher->listener);
	changes_abandon(&launcher->box);
	return fallback_run(&launcher->box, cause);
}

static int conclude_failure(struct launcher *launcher)
{
	const struct fault fault = report_to_fault(&launcher->failure);
	int status;

	if (!launcher->lost && launcher->failure.kind == REPORT_SETUP_FAILED &&
	    !launcher->timed_out && !launcher->hurried && fallback_applies(launcher->plan, &fault))
		return fall_back(launcher, &fault);
	status = fail(launcher->plan, launcher->failure.kind, &fault);

	/* What was lost is the launcher's part alone, or the command has never run. */
	if (launcher->lost)
		changes_end(&launcher->box, false);
	else
		changes_abandon(&launcher->box);
	return status;
}

/* What ended the box? */
static int conclude(struct launcher *launcher)
{
	const struct plan *plan = launcher->plan;
	int status;

	wait_for_box(launcher);
	end_relay(launcher);
	if (launcher->failed)
		return conclude_failure(launcher);
	/* Without a failure the command has been run, whether or not that could be told in time. */
	launcher->started |= !launcher->box.reaper;
	tell_start(launcher);
	status = EXIT_TIMED_OUT;
	if (launcher->timed_out) {
		status_timed_out(plan);
	} else {
		status = reaper_exit_status(plan, launcher->wait_status);
		status_ended(plan, launcher->wait_status);
		info_ended(plan, status);
	}
	return changes_end(&launcher->box, status == 0) == 0 ? status : EXIT_NESTBOX;
}

static int run_box(const struct plan *plan)
{
	struct launcher launcher = { .plan = plan };
	struct fault fault;

	if (plan->timeout != 0)
		launcher.deadline = clock_now() + plan->timeout;
	if (box_prepare(&launcher.box, plan, &fault) != 0) {
		int status = fail(plan, REPORT_SETUP_FAILED, &fault);

		changes_abandon(&launcher.box);
		return status;
	}
	if (plan->explain)
		return explain(&launcher.box);
	if (start(&launcher, &fault) != 0) {
		int status;

		if (launcher.pid < 0 && fallback_applies(plan, &fault))
			return fall_back(&launcher, &fault);
		relay_end(launcher.relay);
		status = fail(plan, REPORT_SETUP_FAILED, &fault);
		if (launcher.pid > 0)
			sys_wait4(launcher.pid, NULL, 0);
		changes_abandon(&launcher.box);
		return status;
	}
	serve(&launcher);
	return conclude(&launcher);
}

static int dump_filters(const struct plan *plan)
{
	struct box box;
	struct fault fault;

	if (box_prepare_filters(&box, plan, &fault) != 0 || filters_dump(&box, &fault) != 0)
		return fail(plan, REPORT_SETUP_FAILED, &fault);
	return 0;
}

int init_run(const struct plan *plan)
{
	if (plan->check != CHECK_NOT_ASKED)
		return check_run(plan);
	if (plan->cow_commit != NULL || plan->cow_discard != NULL)
		return changes_command(plan);
	if (plan->dump_filter != DUMP_NOTHING)
		return dump_filters(plan);
	return plan->init_only ? alone_run(plan, NULL) : run_box(plan);
}
