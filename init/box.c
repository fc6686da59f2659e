/* SPDX-License-Identifier: MIT */
/* From the plan to a box that can be made: everything that may fail without a clone fails here. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "init/box.h"
#include "init/changes.h"
#include "init/hardening.h"
#include "init/id_map.h"
#include "init/pty.h"
#include "init/terminal.h"
#include "mountns/linux.h"

extern char **environ;

/* With set-user-ID or file capabilities nestbox would hold rights that its caller lacks. */
static int refuse_privileges(struct fault *fault)
{
	if (getauxval(AT_SECURE) == 0)
		return 0;
	return fault_text(fault, "start", "nestbox",
			  "is set-user-ID, set-group-ID or has file capabilities: refused");
}

/* Without a terminal, or with one of the box's own, there is no job control to be had from the caller's
 * session, only harm to it: /proc/self/autogroup, for one, is the whole session's. */
static void find_terminal(struct box *box)
{
	int terminal = box->plan->tty ? -1 : terminal_open();

	/* The workload's own session is that of PID 1, if it is to be that. */
	box->own_session = terminal < 0 || (box->plan->new_session && !box->reaper);
	box->in_foreground = terminal >= 0 && terminal_is_ours(terminal);
	if (terminal >= 0)
		close(terminal);
}

/* Who reaps, holds locks and descriptors, and tells how the workload ended? */
static void choose_processes(struct box *box)
{
	const struct plan *plan = box->plan;

	box->reaper = !plan->as_pid_1 && ((plan->namespaces & CLONE_NEWPID) != 0 ||
					  plan->fds[FD_SYNC] >= 0 || plan->lock_file_count > 0);
	box->tells = plan->fds[FD_INFO] >= 0 || plan->fds[FD_JSON_STATUS] >= 0;
	box->sends_fds = plan->tty;
	/* bubblewrap's callers know how many processes there are, and what they are told of must be there. */
	box->parallel = !plan->loose && !box->tells;
}

static int choose_directory(struct box *box, struct fault *fault)
{
	const char *wanted = box->plan->chdir;

	if (wanted == NULL) {
		/* Only a name: should it lead elsewhere inside, that is inside. */
		if (getcwd(box->directory, sizeof(box->directory)) == NULL ||
		    box->directory[0] != '/')
			box->directory[0] = '\0';
		return 0;
	}
	if (strlen(wanted) >= sizeof(box->directory))
		return fault_errno(fault, "chdir", wanted, ENAMETOOLONG);
	strcpy(box->directory, wanted);
	return 0;
}

static int make_environment(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	char **last = environ;

	box->environment = environment_make(plan->env, plan->env_count, environ);
	if (box->environment == NULL ||
	    (plan->loose && (box->pwd = environment_reserve(
				     &box->environment, "PWD=", sizeof(box->directory))) == NULL))
		return fault_errno(fault, "environment", "", ENOMEM);
	if (environ[0] == NULL)
		return 0;
	while (last[1] != NULL)
		last++;
	/* The kernel laid the strings out in one piece: execve(2) and proc(5), "environ". */
	box->old_environment.start = environ[0];
	box->old_environment.size = (size_t)(*last - environ[0]) + strlen(*last);
	return 0;
}

static int make_arguments(struct box *box, struct fault *fault)
{
	char **command = box->plan->command;
	size_t count = 0;

	while (command[count] != NULL)
		count++;
	/* In front there is room for a shell that runs a script: workload.c. */
	box->argv = calloc(count + 2, sizeof(*box->argv));
	if (box->argv == NULL)
		return fault_errno(fault, "start", "", ENOMEM);
	box->argv++;
	memcpy(box->argv, command, count * sizeof(*command));
	if (box->plan->argv0 != NULL)
		box->argv[0] = (char *)(uintptr_t)box->plan->argv0;
	return 0;
}

/* Whether the command has none of the user ids to whom files of /proc may belong. */
static bool is_stranger(const struct plan *plan)
{
	uint32_t inside;

	return plan->uid_range_count > 0 &&
	       !id_map_find(plan->uid_ranges, plan->uid_range_count, geteuid(), &inside) &&
	       !id_map_find(plan->uid_ranges, plan->uid_range_count, 0, &inside);
}

static int prepare_view(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	const struct view_request request = {
		.grants = box->grants,
		.grant_count = box->grant_count,
		.steps = box->steps,
		.step_count = box->step_count,
		.bare = plan->bare,
		.touch_host = plan->touch_host,
		.host_proc = (plan->namespaces & CLONE_NEWPID) == 0 && plan->fds[FD_PIDNS] < 0,
		.own_init = !box->reaper,
		.nests = plan->allow_userns,
		.strangers = is_stranger(plan),
		.borrows_proc = plan->bare || (box->reaper && !box->launcher_maps),
		.own_terminal = plan->tty,
		.file_label = plan->file_label,
		.watcher = { box->landlock.ruleset >= 0 ? landlock_allow_mount : NULL,
			     &box->landlock },
	};

	if (mountns_prepare(&box->view, &request, fault) != 0 || changes_check(box, fault) != 0)
		return -1;
	return plan->tty ? pty_check(&box->view, fault) : 0;
}

/* selinux(8): where the kernel has it, its file system is there. */
static int check_labels(const struct plan *plan, struct fault *fault)
{
	if ((plan->exec_label == NULL && plan->file_label == NULL) ||
	    access("/sys/fs/selinux/enforce", F_OK) == 0)
		return 0;
	return fault_text(fault, "options",
			  plan->exec_label != NULL ? "--exec-label" : "--file-label",
			  "is not supported: there is no SELinux here");
}

/* What is needed without a box. The three programs need nothing that would have to be made. */
static int prepare_alone(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;

	if (refuse_privileges(fault) != 0 || hardening_check(box, fault) != 0)
		return -1;
	if (plan->job != JOB_SESSION && plan->job != JOB_SHARED)
		find_terminal(box);
	if (plan->as != AS_NESTBOX) {
		box->argv = plan->command;
		box->environment = environ;
		return 0;
	}
	box->directory[0] = '\0';
	if (box_take_descriptors(box, fault) != 0 || make_arguments(box, fault) != 0 ||
	    make_environment(box, fault) != 0 || box_make_rules(box, fault) != 0)
		return -1;
	return plan->chdir == NULL ? 0 : choose_directory(box, fault);
}

int box_prepare_filters(struct box *box, const struct plan *plan, struct fault *fault)
{
	*box = (struct box){ .plan = plan, .namespaces = plan->namespaces };
	choose_processes(box);
	return box_take_descriptors(box, fault);
}

int box_prepare(struct box *box, const struct plan *plan, struct fault *fault)
{
	*box = (struct box){ .plan = plan,
			     .namespaces = plan->namespaces,
			     .take_uid = plan->init_only ? plan->uid : -1,
			     .take_gid = plan->init_only ? plan->gid : -1,
			     .landlock.ruleset = -1,
			     .report = { -1, -1 },
			     .listener = { -1, -1 },
			     .maps_ready = { -1, -1 } };
	if (plan->init_only)
		return prepare_alone(box, fault);
	if (refuse_privileges(fault) != 0 || check_labels(plan, fault) != 0 ||
	    hardening_check(box, fault) != 0 || box_take_descriptors(box, fault) != 0)
		return -1;
	choose_processes(box);
	if (box_map_ranges(box, fault) != 0)
		return -1;
	box_choose_ids(box);
	if (!plan->loose)
		find_terminal(box);
	if (choose_directory(box, fault) != 0 || make_arguments(box, fault) != 0 ||
	    make_environment(box, fault) != 0 || box_make_rules(box, fault) != 0)
		return -1;
	/* The last thing that is made before a box can be. */
	return changes_prepare(box, fault) != 0 ? -1 : prepare_view(box, fault);
}
