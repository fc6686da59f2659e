/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filters/attributes.h"
#include "filters/cow.h"
#include "filters/filter.h"
#include "init/clock.h"
#include "init/descriptors.h"
#include "init/fence.h"
#include "init/guard.h"
#include "init/guard_tree.h"
#include "init/report.h"
#include "init/signals.h"
#include "init/values.h"
#include "mountns/sys.h"

struct guard {
	const struct box *box;
	struct attributes attributes;
	struct guard_tree tree; /* with copy-on-write */
	int parent;             /* its pid, when that counts */
	int init;               /* pid */
	int signals;            /* signalfd(2) */
	int proc;               /* directory */
	int fds;                /* the process's own, in PROC */
	int status;             /* of the init, when it has ended */
	struct notify notify;
};

/* --- Signals down, the status up ------------------------------------------------------------------ */

/* What the kernel sends it sends to our process group, in which the init is. */
static void pass_signals(const struct guard *guard)
{
	struct signalfd_siginfo info;

	while (sys_read(guard->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL)
			sys_kill(guard->init, (int)info.ssi_signo);
}

/* A shell waits for us. It wakes the whole group. Returns whether the init has ended. */
static bool follow_init(struct guard *guard, int status)
{
	if (!WIFSTOPPED(status)) {
		guard->status = report_exit_status(status);
		return true;
	}
	sys_kill(sys_getpid(), SIGSTOP);
	return false;
}

/* The init, callers that make a call again and, if we are process 1, others' orphans. */
static bool follow_all(struct guard *guard)
{
	int pid, status;

	while ((pid = sys_wait4(-1, &status, WNOHANG | WUNTRACED | __WALL)) > 0)
		if (pid == guard->init && follow_init(guard, status))
			return true;
		else if (pid != guard->init && guard->box->notifies)
			again_event(guard->tree.again, pid, status);
	return false;
}

/* Returns 0, or -ECHILD at the end. */
static int serve_signals(void *context)
{
	struct guard *guard = context;

	pass_signals(guard);
	return follow_all(guard) ? -ECHILD : 0;
}

/* Of a copy that takes long: others wait for us, too, and its caller may be dead. */
static int pause_copying(void *context)
{
	const struct guard *guard = context;
	const struct notify_call *call = guard->notify.call;

	if (serve_signals(context) != 0)
		sys_exit_group(guard->status);
	return call == NULL || notify_waits(call) ? 0 : -ESRCH;
}

/* Nobody has the filter any more, and nothing is being done for anybody: guard_await(). */
static void close_socket(void *context)
{
	const struct guard *guard = context;

	sys_close(guard->box->listener[0]);
}

/* Waits for the LISTENER. Returns 0, or -errno: -ECHILD at the init's end. */
static int await(struct guard *guard, int *listener)
{
	struct pollfd fds[2] = {
		{ .fd = guard->signals, .events = POLLIN },
		{ .fd = guard->box->listener[0], .events = POLLIN },
	};
	struct report report;

	for (;;) {
		int error = sys_ppoll(fds, 2, NULL);

		if (error < 0 && error != -EINTR)
			return error;
		if (error > 0 && fds[0].revents != 0 && serve_signals(guard) != 0)
			return -ECHILD;
		if (error <= 0 || fds[1].revents == 0)
			continue;
		if (report_read_fd(guard->box->listener[0], &report, listener) == 1)
			return 0;
		/* The command was not run: the init tells why, and ends. */
		close_socket(guard);
		fds[1].fd = -1;
	}
}

/* --- Itself ------------------------------------------------------------------------------------ */

static int tie(const struct guard *guard)
{
	int error = guard->parent == 0 ? 0 : sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);

	return error == 0 && guard->parent != 0 && sys_getppid() != guard->parent ? -ESRCH : error;
}

/* Nothing is left of the launcher's but the memory. */
static int strip(struct guard *guard)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const struct kernel_cap_data none[2] = { 0 };
	int kept[3 + GUARD_TREE_FDS] = { guard->box->listener[0], guard->proc, guard->signals };
	const size_t count = 3 + (guard->box->notifies ? GUARD_TREE_FDS : 0);
	int error;

	guard_tree_list(&guard->tree, kept + 3);
	descriptors_sort(kept, count);
	error = descriptors_close_but(0, kept, count);
	/* Where the names of files are the numbers of descriptors. */
	if (error == 0)
		error = sys_fchdir(guard->proc);
	if (error == 0)
		error = sys_chdir("self/fd");
	if (error == 0)
		error = guard->fds = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (error > 0)
		error = 0;
	if (error == 0)
		error = sys_capset(&header, none);
	if (error == 0)
		error = sys_prctl(PR_SET_DUMPABLE, 0, 0);
	if (error == 0)
		error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	/* Other rights may have undone it: prctl(2). */
	return error == 0 ? tie(guard) : error;
}

static int confine(const struct guard *guard)
{
	const struct filter *filter = guard->box->notifies ? &filter_guard_cow : &filter_guard;
	const struct sock_fprog program = { filter->len,
					    (struct sock_filter *)(uintptr_t)filter->code };

	return sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int serve(struct guard *guard)
{
	bool notifies = guard->box->notifies;
	const struct notify_table tables[] = {
		{ attributes_rows, attributes_row_count, &guard->attributes },
		{ standin_rows, standin_row_count, &guard->tree.cow },
	};
	int error;

	guard->notify = (struct notify){
		.tables = tables,
		.table_count = notifies ? 2 : 1,
		.openat2 = notifies,
		.proc = guard->proc,
		.other = guard->signals,
		.serve_other = serve_signals,
		.other_context = guard,
		.end = close_socket,
	};
	if (notifies) {
		guard->tree.tree.pause = pause_copying;
		guard->tree.tree.context = guard;
		guard_tree_begin(&guard->tree, guard->box, guard->fds, guard->init);
		guard->attributes.standin = &guard->tree.standin;
	}
	error = await(guard, &guard->notify.listener);
	if (error != 0)
		return error;
	error = confine(guard);
	return error < 0 ? error : notify_serve(&guard->notify);
}

/* Whatever fails here ends the init as well, and with that the command: both are tied to their parents. */
static _Noreturn void run(struct guard *guard)
{
	int error = strip(guard);

	if (error == 0)
		error = serve(guard);
	sys_exit_group(error == -ECHILD ? guard->status : EXIT_NESTBOX);
}

/* --- Before it -------------------------------------------------------------------------------------- */

static int list_places(struct guard *guard)
{
	const struct view *view = &guard->box->view;
	struct attributes_place *places = calloc(view->source_count + 1, sizeof(*places));
	size_t count = 0;

	if (places == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < view->source_count; i++)
		if ((view->sources[i].rights & GRANT_WRITE) != 0)
			places[count++] = (struct attributes_place){ view->sources[i].path,
								     view->sources[i].directory };
	guard->attributes = (struct attributes){ .places = places, .count = count };
	return 0;
}

/* The numbers that the kernel gives us for callers must be those in this procfs. */
static int open_proc(void)
{
	char self[16] = "";
	uint64_t pid;
	int fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	if (sys_filesystem_type(fd) == PROC_MAGIC &&
	    sys_readlinkat(fd, "self", self, sizeof(self) - 1) > 0 &&
	    value_number(self, INT_MAX, &pid) && (int)pid == sys_getpid())
		return fd;
	sys_close(fd);
	return -ENOENT;
}

void guard_choose(struct box *box)
{
	int error, proc = open_proc();

	/* The kernel has one listener for a process, and a profile may need it. */
	box->guarded = proc >= 0 && box->landlock.ruleset >= 0 &&
		       (box->filter == NULL || !box->filter->asks) && cow_probe(&error) == NULL;
	if (proc >= 0)
		sys_close(proc);
}

static int prepare(struct guard *guard)
{
	const uint64_t relayed = ~guard->box->plan->own_signals;
	int error = list_places(guard);

	if (error == 0)
		error = sys_sigprocmask(SIG_SETMASK, &relayed, NULL);
	if (error == 0)
		error = guard->signals = sys_signalfd(&relayed, SFD_CLOEXEC | SFD_NONBLOCK);
	if (error >= 0)
		error = guard->proc = open_proc();
	if (error >= 0 && guard->box->notifies)
		error = guard_tree_open(&guard->tree, guard->box);
	if (error >= 0)
		error = sys_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC,
				       ((struct box *)(uintptr_t)guard->box)->listener);
	if (error == 0)
		error = tie(guard);
	return error;
}

/* The store and the directory are the init's to write to, at the end. */
static int fence(const struct guard *guard)
{
	const struct box *box = guard->box;
	const struct attributes *attributes = &guard->attributes;
	const char **writable = calloc(attributes->count + 2, sizeof(*writable));
	size_t count = 0;
	int error;

	if (writable == NULL)
		return -ENOMEM;
	if (box->notifies) {
		writable[count++] = box->cow->path;
		writable[count++] = box->cow->lower_path;
		for (size_t i = 0; i < attributes->count; i++)
			writable[count++] = attributes->places[i].path;
	}
	error = fence_enter(box, writable, count);
	free(writable);
	return error;
}

int guard_start(struct box *box, struct fault *fault)
{
	struct guard guard = { .box = box };
	int pid = sys_getpid(), error;

	if (!box->guarded)
		return 0;
	guard.parent = box->plan->die_with_parent ? sys_getppid() : 0;
	error = prepare(&guard);
	if (error < 0)
		return fault_errno(fault, "fallback", "listener", error);
	error = fence(&guard);
	if (error < 0)
		return fault_errno(fault, "landlock", "", error);
	guard.init = fork();
	if (guard.init < 0)
		return fault_errno(fault, "clone", "", errno);
	if (guard.init > 0)
		run(&guard);
	sys_close(box->listener[0]);
	sys_close(guard.signals);
	sys_close(guard.proc);
	error = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
	if (error == 0 && sys_getppid() != pid)
		error = -ESRCH;
	return error < 0 ? fault_errno(fault, "fallback", "listener", error) : 0;
}

/* --- For the init ----------------------------------------------------------------------------------- */

/* A piece of a copy may take its time. */
#define AWAITED 10000000000ULL

void guard_leave_alone(const struct box *box)
{
	if (box->guarded)
		(void)shutdown(box->listener[1], SHUT_WR);
}

bool guard_await(const struct box *box)
{
	const uint64_t deadline = clock_now() + AWAITED;
	struct pollfd socket = { .fd = box->listener[1] };
	struct kernel_timespec rest;

	while (box->guarded && (socket.revents & POLLHUP) == 0) {
		if (!clock_rest(deadline, &rest))
			return false;
		(void)sys_ppoll(&socket, 1, &rest);
	}
	return true;
}
