/* SPDX-License-Identifier: MIT */
/*
 * nestbox: a plan is data, what was asked and nothing that was found at run time. Fill one in or
 * have it parsed, then run it.
 */
#ifndef NESTBOX_H
#define NESTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mountns/view.h"

#define NESTBOX_VERSION "0.1.0"

/* Exit statuses of nestbox itself; the numbers are those of env(1), timeout(1) and the shells. */
enum {
	EXIT_TIMED_OUT = 124,
	EXIT_NESTBOX = 125, /* bad use, or the box could not be made */
	EXIT_CANNOT_EXEC = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL = 128, /* plus the signal's number */
};

/* The caller's environment passes these edits in order; at first it holds PATH alone. */
struct env_edit {
	enum { ENV_KEEP, ENV_KEEP_ALL, ENV_SET, ENV_UNSET, ENV_CLEAR } kind;
	const char *name;
	const char *value; /* ENV_SET */
};

/* setrlimit(2); UINT64_MAX is unlimited. Units are that page's. */
struct limit {
	const char *name; /* without RLIMIT_ */
	int resource;
	uint64_t soft, hard;
};

struct plan {
	struct grant *grants;
	size_t grant_count;
	struct mount_step *steps;
	size_t step_count;
	struct env_edit *env;
	size_t env_count;
	struct limit *limits; /* each resource once */
	size_t limit_count;
	int *keep_fds; /* the workload's descriptors besides 0, 1 and 2 */
	size_t keep_fd_count;

	const char *hostname; /* NULL: the caller's */
	const char *chdir;    /* NULL: the caller's directory if it is there inside, else "/" */
	const char *argv0;    /* NULL: as the command */
	int64_t uid, gid;     /* inside; -1: the caller's */
	uint64_t timeout;     /* nanoseconds, 0: none */
	int status_fd;        /* -1: none */
	int exit_signal_fd;   /* -1: none */
	bool share_net;
	bool new_session;
	bool die_with_parent;

	bool explain, help, version; /* print that instead of starting anything */
	char **command;              /* argv of the workload, NULL-terminated */
};

/*
 * Reads the command line into PLAN, which keeps pointers into ARGV. Returns 0, or -1 with the
 * fault. A plan is freed by init_release(), also after a failure.
 */
int init_parse(struct plan *plan, int argc, char **argv, struct fault *fault);
void init_release(struct plan *plan);

/*
 * Makes the box, runs the command in it and waits for its end. Reports to stderr and to the plan's
 * descriptors. Needs a process with one thread: signals are blocked and the heap is not locked.
 * Returns the exit status for the process.
 */
int init_run(const struct plan *plan);

/* Prints FAULT as "nestbox: STEP: OBJECT: REASON (cause; remedy)" to stderr. */
void init_complain(const struct fault *fault);

#endif
