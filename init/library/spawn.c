/* SPDX-License-Identifier: MIT */
/*
 * From a plan to a launcher that runs. All that may fail or allocate is done first. The child then
 * borrows the memory of the calling thread until the exec, as with vfork(2), so that the caller's size
 * costs nothing; between clone and exec there are raw system calls only, since any lock of the caller
 * may be held by another thread, and errno is the calling thread's.
 *
 * Every descriptor that is made here is close-on-exec from its first moment: another thread may start
 * a program at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/clone.h"
#include "init/library/library.h"
#include "mountns/sys.h"

#define WORDS_MAX (64UL << 20) /* what --args takes */
#define NUMBER_SIZE 12
#define FIXED_ARGUMENTS 10 /* in front of the command, and the NULL */

extern char **environ;

/* What the child needs, and what it leaves behind. */
struct launch {
	struct placement *list; /* the first one is the program */
	size_t count;
	int *scratch;
	const char *path; /* of the program; NULL: it is a descriptor */
	char **argv, **environment;
	bool keeps_terminal;
	const char *step; /* in which it failed, */
	int error;        /* with this, negated; 0: it did not */
};

struct spawn {
	const struct nestbox_plan *plan;
	struct nestbox_box *box;
	struct nestbox_error *error;
	struct launch launch;
	int *owned; /* descriptors that are of no use here once the launcher runs */
	size_t owned_count;
	int number;  /* the last one that was given to a descriptor of the launcher */
	char *words; /* for --args */
	size_t words_length;
	int result; /* 0, or why not, -errno */
	char status[NUMBER_SIZE], parent[NUMBER_SIZE], args[NUMBER_SIZE];
};

/* Returns -1: what nestbox_spawn() returns is left in RESULT. */
static int fail(struct spawn *spawn, const char *step, const char *object, int error)
{
	spawn->result = error_set(spawn->error, step, object, -error, NULL, NULL, NULL);
	return -1;
}

/* FD, or an error of the call that made it, is ours from here on. Returns it above 2, or -errno. */
static int own(struct spawn *spawn, int fd)
{
	fd = program_lift(fd);
	if (fd >= 0)
		spawn->owned[spawn->owned_count++] = fd;
	return fd;
}

static void place(struct spawn *spawn, int from, int to)
{
	spawn->launch.list[spawn->launch.count++] = (struct placement){ from, to };
}

/* A number that the command's descriptors leave free. */
static int next_number(struct spawn *spawn)
{
	const struct nestbox_plan *plan = spawn->plan;
	bool taken;

	do {
		spawn->number++;
		taken = false;
		for (size_t i = 0; i < plan->fd_count; i++)
			taken |= plan->fds[i].inside == spawn->number;
	} while (taken);
	return spawn->number;
}

/* Lets the launcher have FD, and writes the number that it has there. */
static void hand_over(struct spawn *spawn, int fd, char text[NUMBER_SIZE])
{
	int number = next_number(spawn);

	snprintf(text, NUMBER_SIZE, "%d", number);
	place(spawn, fd, number);
}

static int open_pipe(struct spawn *spawn, int which)
{
	int ends[2], error = sys_pipe2(ends, O_CLOEXEC), theirs, ours;

	if (error < 0)
		return error;
	theirs = own(spawn, ends[which != 0]);
	ours = program_lift(ends[which == 0]);
	if (theirs < 0 && ours >= 0)
		sys_close(ours);
	if (theirs < 0)
		return theirs;
	spawn->box->stdio[which] = ours;
	return ours < 0 ? ours : theirs;
}

/* The descriptor that becomes WHICH, -1 for the one that is there, or -errno below that. */
static int choose_standard(struct spawn *spawn, int which)
{
	const struct stdio_choice *choice = &spawn->plan->stdio[which];

	switch (choice->kind) {
	case NESTBOX_FD:
		return choice->fd;
	case NESTBOX_NULL:
		return own(spawn, sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0));
	case NESTBOX_PIPE:
		return open_pipe(spawn, which);
	case NESTBOX_INHERIT:
	case NESTBOX_STDOUT:
		break;
	}
	return -1;
}

static int add_standard(struct spawn *spawn)
{
	static const char *const names[] = { "standard input", "standard output",
					     "standard error" };
	int chosen[3] = { -1, -1, -1 };

	for (int which = 0; which <= 2; which++) {
		bool made = spawn->plan->stdio[which].kind == NESTBOX_NULL ||
			    spawn->plan->stdio[which].kind == NESTBOX_PIPE;

		chosen[which] = choose_standard(spawn, which);
		if (made && chosen[which] < 0)
			return fail(spawn, "stdio", names[which], chosen[which]);
		if (spawn->plan->stdio[which].kind == NESTBOX_STDOUT)
			chosen[which] = chosen[1] >= 0 ? chosen[1] : STDOUT_FILENO;
		/* The caller's own is where it shall be. */
		if (chosen[which] >= 0)
			place(spawn, chosen[which], which);
	}
	return 0;
}

/* The launcher writes each event as one message. */
static int add_status(struct spawn *spawn)
{
	int ends[2], theirs;
	int error = sys_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, ends);

	if (error < 0)
		return fail(spawn, "status", "", error);
	theirs = own(spawn, ends[1]);
	spawn->box->status = program_lift(ends[0]);
	if (theirs < 0 || spawn->box->status < 0)
		return fail(spawn, "status", "", theirs < 0 ? theirs : spawn->box->status);
	hand_over(spawn, theirs, spawn->status);
	return 0;
}

/* A pidfd, so that it is we whose end counts: a launcher that asks for its parent may be too late. */
static int add_parent(struct spawn *spawn)
{
	int fd = own(spawn, sys_pidfd_open(sys_getpid()));

	if (fd < 0)
		return fail(spawn, "pidfd_open", "", fd);
	hand_over(spawn, fd, spawn->parent);
	return 0;
}

static void write_word(struct spawn *spawn, const char *text)
{
	size_t size = strlen(text) + 1;

	memcpy(spawn->words + spawn->words_length, text, size);
	spawn->words_length += size;
}

static int write_descriptor(struct spawn *spawn, const struct word *word)
{
	char number[NUMBER_SIZE];
	int fd = word->fd;

	if (word->kind == WORD_DATA)
		fd = own(spawn, program_data(word->bytes, word->size));
	if (fd < 0)
		return fail(spawn, "data", "", fd);
	hand_over(spawn, fd, number);
	write_word(spawn, number);
	return 0;
}

static int write_words(struct spawn *spawn)
{
	const struct nestbox_plan *plan = spawn->plan;
	char number[NUMBER_SIZE];

	for (size_t i = 0; i < plan->word_count; i++)
		if (plan->words[i].kind == WORD_TEXT)
			write_word(spawn, plan->words[i].bytes);
		else if (write_descriptor(spawn, &plan->words[i]) != 0)
			return -1;
	for (size_t i = 0; i < plan->fd_count; i++) {
		snprintf(number, sizeof(number), "%d", plan->fds[i].inside);
		write_word(spawn, "--keep-fd");
		write_word(spawn, number);
		place(spawn, plan->fds[i].fd, plan->fds[i].inside);
	}
	return 0;
}

static size_t size_of_words(const struct nestbox_plan *plan)
{
	size_t size = plan->fd_count * (sizeof("--keep-fd") + NUMBER_SIZE) + 1;

	for (size_t i = 0; i < plan->word_count; i++)
		size += plan->words[i].kind == WORD_TEXT ? plan->words[i].size + 1 : NUMBER_SIZE;
	return size;
}

static int add_words(struct spawn *spawn)
{
	size_t size = size_of_words(spawn->plan);
	int fd;

	if (size > WORDS_MAX)
		return fail(spawn, "plan", "", -E2BIG);
	spawn->words = malloc(size);
	if (spawn->words == NULL)
		return fail(spawn, "plan", "", -ENOMEM);
	if (write_words(spawn) != 0)
		return -1;
	fd = own(spawn, program_data(spawn->words, spawn->words_length));
	if (fd < 0)
		return fail(spawn, "plan", "", fd);
	hand_over(spawn, fd, spawn->args);
	return 0;
}

static int make_arguments(struct spawn *spawn, char *const argv[])
{
	char *const fixed[] = { "nestbox",     "--quiet",       "--status-fd",
				spawn->status, "--die-with-fd", spawn->parent,
				"--args",      spawn->args,     "--" };
	const size_t count = sizeof(fixed) / sizeof(fixed[0]);
	size_t length = 0;

	while (argv[length] != NULL)
		length++;
	spawn->launch.argv = calloc(count + length + 1, sizeof(char *));
	if (spawn->launch.argv == NULL)
		return fail(spawn, "argv", "", -ENOMEM);
	memcpy(spawn->launch.argv, fixed, sizeof(fixed));
	memcpy(spawn->launch.argv + count, argv, length * sizeof(char *));
	return 0;
}

static int allocate(struct spawn *spawn)
{
	/* The program, 0 to 2, status, parent, --args. */
	size_t most = 7 + spawn->plan->word_count + spawn->plan->fd_count;

	spawn->launch.list = calloc(most, sizeof(*spawn->launch.list));
	spawn->launch.scratch = calloc(most, sizeof(int));
	spawn->owned = calloc(most, sizeof(int));
	spawn->box = calloc(1, sizeof(*spawn->box));
	if (spawn->box != NULL) {
		spawn->box->pidfd = spawn->box->status = -1;
		for (int which = 0; which <= 2; which++)
			spawn->box->stdio[which] = -1;
	}
	if (spawn->launch.list == NULL || spawn->launch.scratch == NULL || spawn->owned == NULL ||
	    spawn->box == NULL)
		return fail(spawn, "spawn", "", -ENOMEM);
	return 0;
}

static int prepare(struct spawn *spawn, char *const argv[])
{
	const struct nestbox_plan *plan = spawn->plan;

	if (allocate(spawn) != 0)
		return -1;
	spawn->number = 2;
	spawn->launch.path = plan->path;
	spawn->launch.environment = environ;
	spawn->launch.keeps_terminal = plan->keeps_terminal;
	if (plan->path == NULL)
		place(spawn, plan->program, -1);
	if (add_standard(spawn) != 0 || add_status(spawn) != 0 || add_parent(spawn) != 0 ||
	    add_words(spawn) != 0)
		return -1;
	return make_arguments(spawn, argv);
}

/* In a session of its own neither the box nor its launcher has anything to do with the job control of
 * the caller's terminal. The signals stay blocked: the launcher sets them as it needs them. */
static int child_main(void *argument)
{
	struct launch *launch = argument;
	int error = place_descriptors(launch->list, launch->count, launch->scratch);

	launch->step = "descriptors";
	if (error == 0 && !launch->keeps_terminal) {
		launch->step = "setsid";
		error = sys_setsid();
	}
	if (error >= 0) {
		launch->step = "exec";
		error = launch->path != NULL
				? sys_execve(launch->path, launch->argv, launch->environment)
				: sys_execveat(launch->list[0].from, launch->argv,
					       launch->environment);
	}
	launch->error = error;
	sys_exit_group(1);
}

static int say_what_failed(struct spawn *spawn)
{
	const struct launch *launch = &spawn->launch;
	bool forbidden = launch->path == NULL && strcmp(launch->step, "exec") == 0 &&
			 (launch->error == -EACCES || launch->error == -EPERM);

	fail(spawn, launch->step, launch->path != NULL ? launch->path : "", launch->error);
	if (forbidden)
		error_set(spawn->error, launch->step, "", -launch->error, NULL, NULL,
			  "programs in memory are forbidden here; name an installed one by "
			  "nestbox_plan_program()");
	return -1;
}

/* Without an exit signal a child that does not get as far as the exec is no news to the caller. */
static int clone_launcher(struct spawn *spawn, char *stack)
{
	const unsigned long flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
	const uint64_t all = ~0ULL;
	uint64_t mask;
	int pid;

	/* A handler of the caller's must not run in the child. */
	sys_sigprocmask(SIG_SETMASK, &all, &mask);
	pid = clone_child(child_main, &spawn->launch, stack, flags, &spawn->box->pidfd);
	sys_sigprocmask(SIG_SETMASK, &mask, NULL);
	return pid;
}

static int run(struct spawn *spawn)
{
	struct launch *launch = &spawn->launch;
	char *stack;
	int error = clone_map_stacks(&stack, 1), pidfd;

	if (error < 0)
		return fail(spawn, "stack", "", error);
	error = clone_launcher(spawn, stack);
	clone_unmap_stacks(&stack, 1);
	if (error < 0)
		return fail(spawn, "clone", "", error);
	pidfd = spawn->box->pidfd;
	if (launch->error >= 0 && pidfd <= 2) {
		spawn->box->pidfd = sys_fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
		if (spawn->box->pidfd >= 0)
			sys_close(pidfd);
	}
	if (launch->error >= 0 && spawn->box->pidfd >= 0)
		return 0;
	if (launch->error >= 0) {
		launch->step = "pidfd";
		launch->error = spawn->box->pidfd;
		spawn->box->pidfd = pidfd;
	}
	return say_what_failed(spawn);
}

static void clean_up(struct spawn *spawn)
{
	for (size_t i = 0; i < spawn->owned_count; i++)
		sys_close(spawn->owned[i]);
	free(spawn->owned);
	free(spawn->launch.list);
	free(spawn->launch.scratch);
	free(spawn->launch.argv);
	free(spawn->words);
}

static int check(const struct nestbox_plan *plan, char *const argv[], struct nestbox_error *error)
{
	if (plan == NULL || argv == NULL || argv[0] == NULL)
		return error_set(error, "spawn", plan == NULL ? "plan" : "argv", EINVAL,
				 "is missing", NULL, NULL);
	if (plan->status != 0)
		return nestbox_plan_error(plan, error);
	if (plan->path != NULL || plan->program >= 0)
		return 0;
	if (error != NULL)
		*error = plan->program_error;
	return plan->program;
}

int nestbox_spawn(const struct nestbox_plan *plan, char *const argv[], struct nestbox_box **box,
		  struct nestbox_error *error)
{
	struct spawn spawn = { .plan = plan, .error = error };

	if (box == NULL)
		return error_set(error, "spawn", "box", EINVAL, "is missing", NULL, NULL);
	*box = NULL;
	spawn.result = check(plan, argv, error);
	if (spawn.result != 0)
		return spawn.result;
	if (prepare(&spawn, argv) == 0 && run(&spawn) == 0)
		*box = spawn.box;
	else
		nestbox_free(spawn.box);
	clean_up(&spawn);
	return spawn.result;
}
