/* SPDX-License-Identifier: MIT */
/*
 * The workload's child, between clone and exec: it gives up everything, step by step. It borrows
 * PID 1's memory until the exec, so it has no heap, no stdio, no locks and no errno.
 */
#include <errno.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/resource.h>

#include "init/box.h"
#include "init/descriptors.h"
#include "init/hardening.h"
#include "init/filters.h"
#include "init/identity.h"
#include "init/inits.h"
#include "init/jobs.h"
#include "init/listener.h"
#include "init/personality.h"
#include "init/pty.h"
#include "init/report.h"
#include "init/signals.h"
#include "init/values.h"
#include "init/walls.h"
#include "mountns/sys.h"

static int begin_session(const struct plan *plan, struct fault *fault)
{
	int error = plan->new_session ? sys_setsid() : 0;

	return error < 0 ? fault_errno(fault, "setsid", "", error) : 0;
}

/* A PID 1 that becomes the workload leads a session already: leave_group(). */
static int leave_session(const struct box *box, struct fault *fault)
{
	return box->own_session && !box->reaper ? 0 : begin_session(box->plan, fault);
}

/* What the launcher raised for itself: the soft limit alone. */
static int restore_limit(uint64_t nofile)
{
	struct kernel_rlimit limit;
	int error = sys_getrlimit(RLIMIT_NOFILE, &limit);

	limit.soft = nofile;
	return error < 0 ? error : sys_setrlimit(RLIMIT_NOFILE, &limit);
}

static int limit_resources(const struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	int error = box->view.nofile != 0 ? restore_limit(box->view.nofile) : 0;

	if (error < 0)
		return fault_errno(fault, "rlimit", "NOFILE", error);
	for (size_t i = 0; i < plan->limit_count; i++) {
		struct kernel_rlimit limit = { plan->limits[i].soft, plan->limits[i].hard };

		error = sys_setrlimit(plan->limits[i].resource, &limit);
		if (error < 0)
			return fault_errno(fault, "rlimit", plan->limits[i].name, error);
	}
	return 0;
}

/* The report pipe, the way to the listener's process and Landlock's rules are left, too: the exec closes
 * them. */
static int keep_descriptors(const struct workload *workload, struct fault *fault)
{
	const struct box *box = workload->box;
	int report = box->report[1], error;

	/* The exec closes the marked ones. */
	if (box->plan->inherit_fds && box->plan->init_only)
		return 0;
	if (box->plan->inherit_fds) {
		error = descriptors_close_marked(workload->built->proc, report);
		return error < 0 ? fault_errno(fault, "descriptors", "", error) : 0;
	}
	for (size_t i = 0; i < box->plan->keep_fd_count; i++)
		if (sys_fcntl(box->plan->keep_fds[i], F_SETFD, 0) < 0)
			return fault_errno(fault, "options", "--keep-fd", EBADF);
	error = descriptors_place(box->fd_maps, box->plan->fd_map_count);
	if (error < 0)
		return fault_errno(fault, "options", "--map-fd", error);
	/* There is room for three more. */
	box->keep_fds[box->keep_fd_count] = report;
	box->keep_fds[box->keep_fd_count + 1] = box->listener[1];
	box->keep_fds[box->keep_fd_count + 2] = box->landlock.ruleset;
	descriptors_sort(box->keep_fds, box->keep_fd_count + 3);
	error = descriptors_close_but(3, box->keep_fds, box->keep_fd_count + 3);
	return error < 0 ? fault_errno(fault, "close_range", "", error) : 0;
}

static const char *find_variable(char *const environment[], const char *prefix)
{
	size_t length = strlen(prefix);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, prefix, length) == 0)
			return *environment + length;
	return NULL;
}

/* Where bubblewrap goes, and says so. */
static void enter_some_directory(const struct box *box)
{
	const char *home = find_variable(box->environment, "HOME=");
	const char *chosen = "/";

	if (box->directory[0] != '\0' && sys_chdir(box->directory) == 0)
		chosen = box->directory;
	else if (home != NULL && strlen(home) < sizeof(box->directory) && sys_chdir(home) == 0)
		chosen = home;
	memcpy(box->pwd, chosen, strlen(chosen) + 1);
}

static int enter_directory(const struct box *box, struct fault *fault)
{
	int error = 0;

	if (box->plan->chdir == NULL && box->pwd != NULL) {
		enter_some_directory(box);
		return 0;
	}
	if (box->directory[0] != '\0')
		error = sys_chdir(box->directory);
	if (error < 0 && box->plan->chdir != NULL)
		return fault_errno(fault, "chdir", box->directory, error);
	if (box->pwd != NULL)
		memcpy(box->pwd, box->directory, strlen(box->directory) + 1);
	return 0;
}

/* PID 1 must not be traced, nor its descriptors and executable be reached through /proc/1. That is
 * an attribute of the memory, which is PID 1's, too; the exec gives the workload memory of its own.
 * Not earlier: a process like that may not open its own uid_map. proc(5), "/proc/pid". */
static int close_memory(struct fault *fault)
{
	int error = sys_prctl(PR_SET_DUMPABLE, 0, 0);

	return error < 0 ? fault_errno(fault, "dumpable", "", error) : 0;
}

static int give_signals_back(const struct box *box, struct fault *fault)
{
	const struct kernel_sigaction ignored = { .handler = SIG_IGN };
	int error = 0;

	if (box->plan->init_only && box->plan->inherit_signals && box->ignores_sigchld)
		error = sys_sigaction(SIGCHLD, &ignored, NULL);
	if (error == 0)
		error = sys_sigprocmask(SIG_SETMASK, &box->caller_mask, NULL);
	return error < 0 ? fault_errno(fault, "signals", "", error) : 0;
}

/* bubblewrap's workload dies with its parent, too. The change of identity has undone what was
 * arranged before it. */
static int tie_to_parent(const struct box *box, struct fault *fault)
{
	int error = 0;

	if (box->plan->fallen ||
	    (box->plan->loose || box->plan->init_only ? box->plan->die_with_parent : !box->reaper))
		error = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
	return error < 0 ? fault_errno(fault, "parent death signal", "", error) : 0;
}

/* selinux(8): proc(5), "/proc/pid/attr/exec". */
static int label_exec(const struct workload *workload, struct fault *fault)
{
	const char *label = workload->box->plan->exec_label;

	return label == NULL ? 0
			     : identity_write(workload->built->proc, "self/attr/exec", label,
					      "exec label", fault);
}

/* STATUS is 0 when WALL stands. */
static int stands(const struct box *box, enum wall wall, int status, const struct fault *fault)
{
	return status == 0 ? 0 : wall_missing(box, wall, fault);
}

/* A program that the kernel does not take is not its lack of filters. */
static bool has_filters(void)
{
	const uint32_t action = SECCOMP_RET_ERRNO;

	return sys_seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static int deny_new_privileges(const struct box *box, struct fault *fault)
{
	int error = box_denies_new_privileges(box) ? sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0) : 0;

	return error < 0 ? fault_errno(fault, "no_new_privs", "", error) : 0;
}

/* From here on only what is granted can be opened, also by us. */
static int restrict_files(const struct box *box, struct fault *fault)
{
	int error = box->landlock.ruleset >= 0 ? landlock_restrict(&box->landlock) : 0;

	if (error == 0)
		return 0;
	fault_errno(fault, "landlock", "", error);
	return wall_missing(box, WALL_LANDLOCK, fault);
}

static int filter_calls(const struct box *box, struct fault *fault)
{
	/* One that is on already may answer for the kernel, so it is asked before. */
	bool lacking = wall_is_optional(box->plan, WALL_SECCOMP) && !has_filters();

	if (listener_confine(box, fault) != 0)
		return -1;
	if (filters_put(box, fault) == 0)
		return 0;
	return lacking ? wall_missing(box, WALL_SECCOMP, fault) : -1;
}

/* Groups while CAP_SETGID lasts, the bounding set while CAP_SETPCAP does; a change of ids takes both away:
 * capabilities(7), "Effect of user ID changes on capabilities". */
static int take_identity(const struct box *box, struct fault *fault)
{
	if (stands(box, WALL_IDS, identity_take_groups(box, fault), fault) != 0 ||
	    stands(box, WALL_CAPABILITIES, capabilities_bound(box, fault), fault) != 0 ||
	    stands(box, WALL_IDS, identity_take_ids(box, fault), fault) != 0 ||
	    stands(box, WALL_CAPABILITIES, capabilities_drop(box, fault), fault) != 0)
		return -1;
	return 0;
}

static int set_up(const struct workload *workload, struct fault *fault)
{
	const struct box *box = workload->box;

	sys_umask(box->plan->umask >= 0 ? (mode_t)box->plan->umask : workload->umask);
	if (leave_session(box, fault) != 0 ||
	    identity_enter(workload, fault) != 0 ||   /* needs procfs and the capabilities */
	    label_exec(workload, fault) != 0 ||       /* the same */
	    pty_enter(box, fault) != 0 ||             /* is in its session; is owned by it */
	    keep_descriptors(workload, fault) != 0 || /* procfs is not needed any more */
	    limit_resources(box, fault) != 0 ||       /* nothing is opened any more */
	    take_identity(box, fault) != 0 ||         /* the namespaces are as they shall be */
	    close_memory(fault) != 0 ||               /* the maps are written */
	    enter_directory(box, fault) != 0 ||       /* not through PID 1's descriptors */
	    tie_to_parent(box, fault) != 0 ||         /* the identity is final */
	    hardening_apply(box, fault) != 0 ||
	    give_signals_back(box, fault) != 0 ||   /* from here on a signal may end us */
	    deny_new_privileges(box, fault) != 0 || /* the next two ask for that */
	    restrict_files(box, fault) != 0 ||      /* nothing is opened any more */
	    filter_calls(box, fault) != 0)          /* last, since it forbids the rest */
		return -1;
	return 0;
}

/* sd_listen_fds(3): descriptors that the caller gave us are the command's. */
static void rewrite_listen_pid(struct workload *workload)
{
	static const char name[] = "LISTEN_PID=";
	const size_t length = sizeof(name) - 1;
	struct text string = { 0 };
	uint64_t pid;

	for (char **variable = workload->box->environment; *variable != NULL; variable++) {
		if (strncmp(*variable, name, length) != 0 ||
		    !value_number(*variable + length, INT_MAX, &pid) ||
		    (int)pid != workload->box->self)
			continue;
		text_print(&string, "%s%d", name, sys_getpid());
		memcpy(workload->listen_pid, string.bytes, string.length);
		*variable = workload->listen_pid;
	}
}

static int begin_job(const struct plan *plan, struct fault *fault)
{
	const struct init_event event = { .kind = INIT_SPAWNED, .pid = sys_getpid() };

	inits_tell(plan, &event);
	return plan->new_session ? begin_session(plan, fault) : jobs_begin(plan, fault);
}

/* The same without a box: only what was asked for changes. */
static int set_up_alone(struct workload *workload, struct fault *fault)
{
	const struct box *box = workload->box;
	const struct plan *plan = box->plan;

	if (plan->umask >= 0)
		sys_umask((mode_t)plan->umask);
	if (begin_job(plan, fault) != 0 || /* while a terminal cannot stop us for it */
	    keep_descriptors(workload, fault) != 0 ||
	    limit_resources(box, fault) != 0 || /* may be raised with the caller's rights */
	    take_identity(box, fault) != 0 ||
	    enter_directory(box, fault) != 0 || /* with the command's rights */
	    (plan->as == AS_NESTBOX && close_memory(fault) != 0) ||
	    tie_to_parent(box, fault) != 0 || /* the identity is final */
	    hardening_apply(box, fault) != 0 ||
	    give_signals_back(box, fault) != 0 || /* from here on a signal may end us */
	    deny_new_privileges(box, fault) != 0 ||
	    restrict_files(box, fault) != 0 || /* nothing is opened any more */
	    filter_calls(box, fault) != 0)     /* last, since it forbids the rest */
		return -1;
	if (plan->rewrite_listen_pid)
		rewrite_listen_pid(workload);
	return 0;
}

/* Tries NAME in each directory of PATH, as execvp(3) does, but with the workload's own PATH and in
 * the box. Returns the errno to report; FILE is the last one tried. */
static int exec_in_path(const char *path, const char *name, char *const argv[], char *const envp[],
			char file[PATH_MAX])
{
	size_t name_length = strlen(name);
	int error, worst = -ENOENT;

	for (;; path++) {
		size_t length = strcspn(path, ":");

		if (length + name_length + 2 <= PATH_MAX) {
			memcpy(file, path, length);
			/* An empty entry is the working directory. */
			file[length] = '/';
			memcpy(file + length + (length > 0), name, name_length + 1);
			error = sys_execve(file, argv, envp);
			if (error == -EACCES)
				worst = error;
			else if (error != -ENOENT && error != -ENOTDIR)
				return error;
		}
		path += length;
		if (*path == '\0')
			return worst;
	}
}

static int run(const struct box *box, struct fault *fault)
{
	/* Without a PATH: the one of confstr(3) for bubblewrap's users, the working directory else. */
	const char *path = find_variable(box->environment, "PATH=");
	const char *name = box->plan->command[0], *tried = name;
	char file[PATH_MAX];
	int error;

	if (name[0] == '\0') {
		error = -ENOENT;
	} else if (strchr(name, '/') != NULL) {
		error = sys_execve(name, box->argv, box->environment);
	} else {
		error = exec_in_path(path != NULL        ? path
				     : box->plan->execvp ? "/bin:/usr/bin"
							 : "",
				     name, box->argv, box->environment, file);
		tried = file;
	}
	/* A script that names no interpreter is the shell's: execvp(3), which bubblewrap calls. */
	if (error == -ENOEXEC && box->plan->execvp) {
		box->argv[0] = (char *)(uintptr_t)tried;
		box->argv[-1] = (char *)(uintptr_t) "/bin/sh";
		error = sys_execve("/bin/sh", box->argv - 1, box->environment);
	}
	return fault_errno(fault, "exec", name, error);
}

/* Leaves what failed where the init finds it. */
static _Noreturn void workload_alone(struct workload *workload)
{
	workload->failure = REPORT_SETUP_FAILED;
	if (set_up_alone(workload, &workload->fault) == 0) {
		run(workload->box, &workload->fault);
		workload->failure = REPORT_EXEC_FAILED;
	}
	workload->failed = true;
	sys_exit_group(
		personality_failure(workload->box->plan, workload->failure, &workload->fault));
}

int workload_main(void *argument)
{
	struct workload *workload = argument;

	if (workload->box->plan->init_only)
		workload_alone(workload);

	workload->failure = REPORT_SETUP_FAILED;
	if (set_up(workload, &workload->fault) == 0) {
		run(workload->box, &workload->fault);
		workload->failure = REPORT_EXEC_FAILED;
	}
	workload->failed = true;
	/* Else PID 1 tells: a filter may forbid us even that. */
	if (!workload->box->reaper)
		report_fault(workload->box->report[1], workload->failure, &workload->fault);
	sys_exit_group(EXIT_NESTBOX);
}
