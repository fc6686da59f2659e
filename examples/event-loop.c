/* SPDX-License-Identifier: MIT */
/*
 * event-loop: runs the lines of its standard input as shell commands, each in a box of its own, some at
 * a time, from one epoll loop. What they print comes out line by line behind the number of the command;
 * at the end there is a line about each.
 *
 *     cc event-loop.c $(pkg-config --cflags --libs nestbox) -o event-loop
 *     printf '%s\n' 'echo hello' 'ls /home' 'exit 3' | ./event-loop 4
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <nestbox.h>

#define BOXES_MAX 64
#define LINE_MAX 4096

/* A command in its box. Both of its descriptors lead to it: which one is ready is in the lowest bit. */
struct job {
	struct nestbox_box *box;
	int number;
	int output; /* -1 when that has ended */
	size_t length;
	char line[LINE_MAX]; /* of output, not complete yet */
};

static int fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static struct nestbox_plan *make_plan(void)
{
	struct nestbox_plan *plan = nestbox_plan_new();

	/* An error in any of these is told by the first spawn. */
	nestbox_plan_grant(plan, NESTBOX_READ | NESTBOX_EXEC, "/usr");
	nestbox_plan_stdio(plan, 0, NESTBOX_NULL, -1);
	nestbox_plan_stdio(plan, 1, NESTBOX_PIPE, -1);
	nestbox_plan_stdio(plan, 2, NESTBOX_STDOUT, -1);
	nestbox_plan_limit(plan, "nofile", 256, 256);
	nestbox_plan_timeout(plan, 10000);
	return plan;
}

/* The lowest bit of a pointer to a job is free. */
static void watch(int epoll, int fd, struct job *job, int is_output)
{
	struct epoll_event event = { .events = EPOLLIN };

	event.data.ptr = (char *)job + is_output;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll_ctl");
}

static struct job *start(const struct nestbox_plan *plan, int epoll, char *command, int number)
{
	static char shell[] = "sh", option[] = "-c";
	char *argv[] = { shell, option, command, NULL };
	struct job *job = calloc(1, sizeof(*job));
	struct nestbox_error error;

	if (job == NULL)
		fail("start");
	if (nestbox_spawn(plan, argv, &job->box, &error) != 0) {
		fprintf(stderr, "event-loop: %s\n", error.message);
		exit(EXIT_FAILURE);
	}
	job->number = number;
	job->output = nestbox_stdio_fd(job->box, 1);
	watch(epoll, job->output, job, 1);
	watch(epoll, nestbox_status_fd(job->box), job, 0);
	return job;
}

static void print_line(struct job *job)
{
	printf("%d: %.*s\n", job->number, (int)job->length, job->line);
	job->length = 0;
}

/* Takes what is there; at the end the pipe is closed. */
static void take_output(struct job *job)
{
	char bytes[LINE_MAX];
	ssize_t length = read(job->output, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < length; i++) {
		if (bytes[i] != '\n')
			job->line[job->length++] = bytes[i];
		if (bytes[i] == '\n' || job->length == sizeof(job->line))
			print_line(job);
	}
	if (length > 0 || (length < 0 && errno == EINTR))
		return;
	close(nestbox_take_stdio_fd(job->box, 1));
	job->output = -1;
}

static void print_end(const struct job *job, const struct nestbox_event *end)
{
	if (end->kind == NESTBOX_EXITED)
		printf("%d exited with %d\n", job->number, end->code);
	else if (end->kind == NESTBOX_SIGNALLED)
		printf("%d was ended by signal %d\n", job->number, end->signal);
	else if (end->kind == NESTBOX_TIMED_OUT)
		printf("%d took too long\n", job->number);
	else
		printf("%d failed: %s\n", job->number, end->error.message);
}

/* Returns whether it was the last one. */
static int take_event(struct job *job)
{
	struct nestbox_event event;

	while (nestbox_next_event(job->box, &event) == 1) {
		if (event.kind == NESTBOX_STARTED)
			continue;
		/* All that wrote to the pipe are dead: what is left in it is there now. */
		while (job->output >= 0)
			take_output(job);
		if (job->length > 0)
			print_line(job);
		print_end(job, &event);
		nestbox_free(job->box); /* closes what epoll watched */
		free(job);
		return 1;
	}
	return 0;
}

/* Handles one ready descriptor, since another one of the same box may be gone afterwards. Returns how many
 * boxes have ended. */
static int serve(int epoll)
{
	struct epoll_event event;
	int count = epoll_wait(epoll, &event, 1, -1);
	int is_output = (int)((uintptr_t)event.data.ptr & 1);
	struct job *job;

	if (count < 0 && errno == EINTR)
		return 0;
	if (count < 0)
		fail("epoll_wait");
	job = (struct job *)(void *)((char *)event.data.ptr - is_output);
	if (!is_output)
		return take_event(job);
	take_output(job);
	return 0;
}

int main(int argc, char **argv)
{
	int most = argc > 1 ? atoi(argv[1]) : 4, running = 0, number = 0;
	struct nestbox_plan *plan = make_plan();
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	char *command = NULL;
	size_t room = 0;
	ssize_t length = 0;

	if (epoll < 0 || plan == NULL)
		fail("event-loop");
	if (most < 1 || most > BOXES_MAX)
		most = BOXES_MAX;
	while (running > 0 || length >= 0) {
		while (running < most && (length = getline(&command, &room, stdin)) >= 0) {
			command[strcspn(command, "\n")] = '\0';
			start(plan, epoll, command, ++number);
			running++;
		}
		if (running > 0)
			running -= serve(epoll);
	}
	free(command);
	nestbox_plan_free(plan);
	close(epoll);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
