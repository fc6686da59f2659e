/* SPDX-License-Identifier: MIT */
/*
 * libnestbox: boxes from C and C++. A plan says what the program in the box may see and do, in the
 * words of nestbox(1); a spawn starts the box and returns at once; events tell what becomes of it.
 * See nestbox(3).
 *
 * The box is built by a process of its own, the program nestbox, which the library carries in
 * itself: nothing of the caller's memory lives on in the box's processes, so the caller may have
 * threads and any amount of memory. Nothing here takes a lock, or has a variable of its own.
 *
 * Unless something else is said a function returns 0, or an errno value, negated; it leaves errno
 * alone or changes it without a meaning. None is a cancellation point (pthreads(7)) and none may be
 * called by a signal handler but nestbox_kill(). A NULL where none is allowed is -EINVAL.
 */
#ifndef NESTBOX_H
#define NESTBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NESTBOX_VERSION "0.1.0"

/* The version of the library that is linked: NESTBOX_VERSION of its header. A static string. */
const char *nestbox_version(void);

/* Why something failed. The texts are UTF-8, cut where they are too long, and never NULL. */
struct nestbox_error {
	int error;          /* errno value; 0 where words alone tell it */
	char step[32];      /* what was being done: "grant", "mount", "exec" ... */
	char object[512];   /* to what: a path, an option's name; "" if there is none */
	char reason[512];   /* in words, "" where the errno value tells it */
	char hint[512];     /* the cause and what helps, "" where that is not known */
	char message[2048]; /* all of that as one line for people, without a newline */
};

/* ---- plans ---------------------------------------------------------------------------------
 *
 * A plan is made by one thread; once it is complete any number of threads may spawn from it at the
 * same time. All strings and bytes are copied. Descriptors are not: they are the caller's, must be
 * open at each spawn, and are left open.
 *
 * Every function that adds to a plan returns the first error of that plan again and again, so that a
 * chain of calls may be checked once, by the spawn, which fails with it.
 */
struct nestbox_plan;

/* An empty plan: nothing of the host is to be seen, standard input, output and error are the caller's.
 * Returns NULL without memory. To be freed by nestbox_plan_free(). It holds one descriptor. */
struct nestbox_plan *nestbox_plan_new(void);

/* PLAN may be NULL. Boxes that were started from it do not need it any more. */
void nestbox_plan_free(struct nestbox_plan *plan);

/* The first error of the plan, 0 if there is none. ERROR may be NULL. */
int nestbox_plan_error(const struct nestbox_plan *plan, struct nestbox_error *error);

/*
 * Any option of nestbox(1), by its long name without dashes, and its arguments, then NULL:
 *     nestbox_plan_option(plan, "tmpfs", "/var/tmp", NULL);
 * A descriptor is one of the caller, in decimals; the box gets a copy of it. What an argument means is
 * looked at by the box's launcher: a bad one is an event of the box, NESTBOX_FAILED.
 *
 * -EINVAL: no such option, too few or too many arguments, a descriptor that is no number.
 * -ENOTSUP: an option that makes no sense here, such as "help", "args", "status-fd" or "init-only".
 */
#if defined(__GNUC__)
__attribute__((sentinel))
#endif
int nestbox_plan_option(struct nestbox_plan *plan, const char *name, ...);

/* The same with a NULL-terminated array. */
int nestbox_plan_option_list(struct nestbox_plan *plan, const char *name,
			     const char *const arguments[]);

/* The same for an option whose first argument is a descriptor to read from ("file", "bind-data",
 * "ro-bind-data", "seccomp", "add-seccomp-fd"): each box reads SIZE bytes, a copy of those at BYTES. */
#if defined(__GNUC__)
__attribute__((sentinel))
#endif
int nestbox_plan_data(struct nestbox_plan *plan, const char *name, const void *bytes, size_t size,
		      ...);

/* --read, --write, --exec: the host's PATH at its own place. RIGHTS are NESTBOX_READ and the like,
 * combined with |; with NESTBOX_TRY a path that does not exist is nothing. A relative path begins at
 * the working directory at the time of the spawn. -EINVAL: no rights, or unknown ones. */
enum { NESTBOX_READ = 1, NESTBOX_WRITE = 2, NESTBOX_EXEC = 4, NESTBOX_TRY = 8 };
int nestbox_plan_grant(struct nestbox_plan *plan, unsigned int rights, const char *path);

/* The environment of the command, which has only PATH at first. Edits are made in order.
 * "Keep" means the caller's variable at the time of the spawn: setenv(3) in another thread must not
 * run then, as with execv(3). */
int nestbox_plan_keep_env(struct nestbox_plan *plan, const char *name);
int nestbox_plan_keep_all_env(struct nestbox_plan *plan);
int nestbox_plan_set_env(struct nestbox_plan *plan, const char *name, const char *value);
int nestbox_plan_unset_env(struct nestbox_plan *plan, const char *name);
int nestbox_plan_clear_env(struct nestbox_plan *plan);

/* What the command has as standard input (WHICH is 0), output (1) or error (2). */
enum nestbox_stdio {
	NESTBOX_INHERIT, /* the caller's; none if that is closed or close-on-exec. At first all are so */
	NESTBOX_NULL,   /* /dev/null */
	NESTBOX_PIPE,   /* a pipe, whose other end nestbox_stdio_fd() is */
	NESTBOX_FD,     /* a copy of FD */
	NESTBOX_STDOUT, /* for 2: the same as standard output */
};
/* FD counts for NESTBOX_FD alone. The last call for each counts. -EINVAL: bad WHICH, KIND or FD. */
int nestbox_plan_stdio(struct nestbox_plan *plan, int which, enum nestbox_stdio kind, int fd);

/* Lets the command have a copy of the caller's FD as its descriptor INSIDE, which is 3 or more. All
 * others of the caller are closed. -EINVAL: a bad number; -EEXIST: INSIDE was given before. */
int nestbox_plan_fd(struct nestbox_plan *plan, int inside, int fd);

/* The ids inside; (uid_t)-1 and (gid_t)-1 mean the caller's, as it is without this. */
int nestbox_plan_ids(struct nestbox_plan *plan, uid_t uid, gid_t gid);

int nestbox_plan_hostname(struct nestbox_plan *plan, const char *name); /* 1 to 64 bytes */
int nestbox_plan_chdir(struct nestbox_plan *plan, const char *path);    /* inside the box */
int nestbox_plan_argv0(struct nestbox_plan *plan, const char *text);

/* The caller's network, where there is only a loopback otherwise. */
int nestbox_plan_share_network(struct nestbox_plan *plan);

/* A built-in filter of system calls, by its name, or the path of one. */
int nestbox_plan_filter(struct nestbox_plan *plan, const char *profile);

/* A limit of setrlimit(2), NAME without RLIMIT_ in any case, such as "nofile"; its units. */
#define NESTBOX_UNLIMITED UINT64_MAX
int nestbox_plan_limit(struct nestbox_plan *plan, const char *name, uint64_t soft, uint64_t hard);

/* Kills the box that long after its start: NESTBOX_TIMED_OUT. -EINVAL for 0. */
int nestbox_plan_timeout(struct nestbox_plan *plan, uint64_t milliseconds);

/* Has the box made by the program at PATH instead of the one in the library. Needed where
 * memfd_create(2) or executing what it makes is forbidden, as by vm.memfd_noexec=2; a spawn says so. */
int nestbox_plan_program(struct nestbox_plan *plan, const char *path);

/* ---- boxes ---------------------------------------------------------------------------------
 *
 * A box is used by one thread at a time, not always by the same one; nestbox_kill() by any. The
 * thread that started it may end. When the caller's process ends, however it does, the box does, too.
 *
 * The launcher is a child of the caller: its end sends SIGCHLD, and a wait(2) for any child may reap
 * it. That costs nothing here: how the box ended is told by the launcher itself.
 */
struct nestbox_box;

/*
 * Starts ARGV, NULL-terminated as for execv(3), in a box of its own. ARGV[0] without a slash is looked
 * up in the box, with the command's PATH. The box has the caller's working directory if it is there,
 * resource limits and umask but for what PLAN says, and neither its terminal nor its signal settings.
 *
 * Returns 0 when the launcher runs, with *BOX to be freed by nestbox_free(): what becomes of the box
 * comes as events. Else *BOX is NULL, nothing was started, and ERROR, which may be NULL, says why:
 * -EINVAL for bad arguments, the plan's error, -EMFILE, -ENOMEM, -EAGAIN (fork(2)), -E2BIG (execve(2)),
 * -EBADF for a descriptor of the plan that is not open, ...
 */
int nestbox_spawn(const struct nestbox_plan *plan, char *const argv[], struct nestbox_box **box,
		  struct nestbox_error *error);

/* Kills the box if it is there yet, waits for its end, closes its descriptors. BOX may be NULL. */
void nestbox_free(struct nestbox_box *box);

/* The caller's end of the pipe for 0 (to be written), 1 or 2 (to be read): close-on-exec, blocking, and
 * closed by nestbox_free(). -1: there is none, or it was taken. Writing into a pipe whose reader is gone
 * sends SIGPIPE. */
int nestbox_stdio_fd(const struct nestbox_box *box, int which);

/* The same; from then on it is the caller's, who closes it. */
int nestbox_take_stdio_fd(struct nestbox_box *box, int which);

/* A pidfd of the launcher for poll(2): readable when the box has ended. Closed by nestbox_free(). */
int nestbox_pidfd(const struct nestbox_box *box);

/* For poll(2), epoll(7): readable while nestbox_next_event() has something to say. Closed by
 * nestbox_free(). Not to be read. */
int nestbox_status_fd(const struct nestbox_box *box);

enum nestbox_event_kind {
	NESTBOX_STARTED = 1, /* the command runs */
	/* The last event is one of these. Nothing of the box is left then. */
	NESTBOX_EXITED,    /* the command exited with CODE */
	NESTBOX_SIGNALLED, /* SIGNAL ended the command, or the whole box */
	NESTBOX_TIMED_OUT, /* its time was over */
	NESTBOX_FAILED,    /* ERROR kept the box from being made, or the command from being run */
};

struct nestbox_event {
	enum nestbox_event_kind kind;
	int pid;  /* NESTBOX_STARTED: of process 1 of the box, as the caller sees it */
	int code; /* NESTBOX_EXITED: 0 to 255 */
	int signal;
	int core; /* NESTBOX_SIGNALLED: whether a core was written */
	struct nestbox_error error;
};

/* The next event, without waiting. Returns 1 with *EVENT filled in, 0 if there is none yet, -ENODATA
 * after the last one. */
int nestbox_next_event(struct nestbox_box *box, struct nestbox_event *event);

/* The line of nestbox(1), "EVENTS", that the event which came last was made of, "" if of none: it tells
 * more, such as which walls are there. Valid until the next call for this box. */
const char *nestbox_event_json(const struct nestbox_box *box);

/* Waits for the end of the box; interrupted system calls are resumed. Returns 0 with the last event in
 * *END, which may be NULL; also when called again. Takes all events but the last one from
 * nestbox_next_event(). */
int nestbox_wait(struct nestbox_box *box, struct nestbox_event *end);

/* The same without waiting. Returns 1 when the box has ended, 0 when it has not. */
int nestbox_try_wait(struct nestbox_box *box, struct nestbox_event *end);

/* Sends a signal: SIGKILL ends all of the box at once, others reach the command as its own rights and
 * nestbox(1) say. -ESRCH: the box has ended; -EINVAL: no such signal. Async-signal-safe. */
int nestbox_kill(struct nestbox_box *box, int signal);

#ifdef __cplusplus
}
#endif

#endif
