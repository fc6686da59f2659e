/* SPDX-License-Identifier: MIT */
/* From the plan to a box that can be made: everything that may fail without a clone fails here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/box.h"
#include "init/terminal.h"

extern char **environ;

/* With set-user-ID or file capabilities nestbox would hold rights that its caller lacks. */
static int refuse_privileges(struct fault *fault)
{
	if (getauxval(AT_SECURE) == 0)
		return 0;
	return fault_text(fault, "start", "nestbox",
			  "is set-user-ID, set-group-ID or has file capabilities: refused");
}

static int by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A directory leads to all of the host: ".." knows no mount of ours. As one of --keep-fd it is asked
 * for, as standard input it can only be a mistake. */
static int check_standard(struct fault *fault)
{
	static const char *const names[] = { "standard input", "standard output",
					     "standard error" };
	struct stat stat;

	for (int fd = 0; fd <= 2; fd++)
		if (fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
			return fault_text(fault, "start", names[fd],
					  "is a directory, which would lead out of the box");
	return 0;
}

/* Who has another descriptor of the same pipe or file could forge events. A terminal shows them to a
 * person, who may want that. */
static bool is_same(const struct stat *events, int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && stat.st_dev == events->st_dev &&
	       stat.st_ino == events->st_ino && !S_ISCHR(stat.st_mode);
}

static int check_events(const struct box *box, int fd, const char *option, struct fault *fault)
{
	struct stat stat;
	int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

	if (fd < 0)
		return 0;
	if (flags < 0 || fstat(fd, &stat) != 0)
		return fault_errno(fault, "options", option, errno);
	/* Events that nobody could ever read would be lost without a word. */
	if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0)
		return fault_text(fault, "options", option,
				  "the descriptor is not open for writing");
	for (int standard = 0; standard <= 2; standard++)
		if (is_same(&stat, standard))
			return fault_text(fault, "options", option,
					  "the command has that file as its 0, 1 or 2");
	for (size_t i = 0; i < box->keep_fd_count; i++)
		if (is_same(&stat, box->keep_fds[i]))
			return fault_text(fault, "options", option,
					  "the command has that file by --keep-fd");
	return 0;
}

static int check_keep_fds(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;

	if (plan->keep_fd_count == 0)
		return 0;
	box->keep_fds = calloc(plan->keep_fd_count, sizeof(int));
	if (box->keep_fds == NULL)
		return fault_errno(fault, "options", "--keep-fd", ENOMEM);
	for (size_t i = 0; i < plan->keep_fd_count; i++) {
		if (fcntl(plan->keep_fds[i], F_GETFD) < 0)
			return fault_errno(fault, "options", "--keep-fd", errno);
		if (plan->keep_fds[i] > 2)
			box->keep_fds[box->keep_fd_count++] = plan->keep_fds[i];
	}
	qsort(box->keep_fds, box->keep_fd_count, sizeof(int), by_number);
	return 0;
}

/* Must see the descriptors as the caller left them: before any is opened here. */
static int check_descriptors(struct box *box, struct fault *fault)
{
	if (check_standard(fault) != 0 || check_keep_fds(box, fault) != 0 ||
	    check_events(box, box->plan->status_fd, "--status-fd", fault) != 0)
		return -1;
	return check_events(box, box->plan->exit_signal_fd, "--exit-signal-fd", fault);
}

/*
 * Where the caller closed 0, 1 or 2, none of our descriptors may take that number and so become
 * somebody's standard output. The exec closes the place holders, but only after it has followed
 * the path of an interpreter, which may be /proc/self/fd/0: they must lead nowhere.
 */
static int fill_standard_fds(struct fault *fault)
{
	int fd;

	do {
		fd = eventfd(0, EFD_CLOEXEC);
	} while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return fault_errno(fault, "start", "descriptors", errno);
	close(fd);
	return 0;
}

/* Without a terminal there is no job control to be had from the caller's session, only harm to it:
 * /proc/self/autogroup, for one, is the whole session's. */
static void find_terminal(struct box *box)
{
	int terminal = terminal_open();

	box->own_session = terminal < 0;
	box->in_foreground = terminal >= 0 && terminal_is_ours(terminal);
	if (terminal >= 0)
		close(terminal);
}

static void map_ids(struct box *box)
{
	const struct plan *plan = box->plan;
	unsigned int uid = geteuid(), gid = getegid();

	snprintf(box->uid_map, ID_MAP_SIZE, "0 %u 1\n", uid);
	snprintf(box->gid_map, ID_MAP_SIZE, "0 %u 1\n", gid);
	snprintf(box->nested_uid_map, ID_MAP_SIZE, "%u 0 1\n",
		 plan->uid < 0 ? uid : (unsigned int)plan->uid);
	snprintf(box->nested_gid_map, ID_MAP_SIZE, "%u 0 1\n",
		 plan->gid < 0 ? gid : (unsigned int)plan->gid);
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
	if (box->environment == NULL)
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
	box->argv = calloc(count + 1, sizeof(*box->argv));
	if (box->argv == NULL)
		return fault_errno(fault, "start", "", ENOMEM);
	memcpy(box->argv, command, count * sizeof(*command));
	if (box->plan->argv0 != NULL)
		box->argv[0] = (char *)(uintptr_t)box->plan->argv0;
	return 0;
}

static int prepare_view(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	const struct view_request request = {
		.grants = plan->grants,
		.grant_count = plan->grant_count,
		.steps = plan->steps,
		.step_count = plan->step_count,
	};

	return mountns_prepare(&box->view, &request, fault);
}

int box_prepare(struct box *box, const struct plan *plan, struct fault *fault)
{
	*box = (struct box){ .plan = plan, .report = { -1, -1 } };
	if (refuse_privileges(fault) != 0 || check_descriptors(box, fault) != 0 ||
	    fill_standard_fds(fault) != 0)
		return -1;
	map_ids(box);
	find_terminal(box);
	if (choose_directory(box, fault) != 0 || make_arguments(box, fault) != 0 ||
	    make_environment(box, fault) != 0)
		return -1;
	return prepare_view(box, fault);
}
