/* SPDX-License-Identifier: MIT */
/*
 * A plan is data, what was asked and nothing that was found at run time. Fill one in or have it
 * parsed, then run it.
 */
#ifndef NESTBOX_INIT_PLAN_H
#define NESTBOX_INIT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/nestbox.h" /* the version */
#include "mountns/cow.h"
#include "mountns/view.h"

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

/* COUNT ids from INSIDE on are those from OUTSIDE on, out here: user_namespaces(7). */
struct id_range {
	uint32_t inside, outside, count;
};

/* A descriptor of the workload, NEW, and what it is: the caller's OLD, or -1 for /dev/null. */
struct fd_map {
	int new, old;
};

/* Whose options, defaults, messages and exit statuses: see init/personality.h. */
enum personality { AS_NESTBOX, AS_BWRAP, AS_TINI, AS_DUMB_INIT, AS_CATATONIT };

/* Where a command without a box is in its terminal's job control: init/jobs.h. */
enum job {
	JOB_BACKGROUND,       /* a process group of its own; the foreground when it needs that */
	JOB_FOREGROUND_STDIN, /* the same; the foreground of standard input where we have that */
	JOB_FOREGROUND_TTY,   /* the same, of the controlling terminal */
	JOB_SESSION,          /* a session of its own, which takes the terminal over if it can */
	JOB_SHARED,           /* our process group */
};

#define LAST_SIGNAL 64 /* the kernel's _NSIG */

/* Descriptors of the caller, -1 where there is none. None of them reaches the workload. */
enum plan_fd {
	FD_STATUS,
	FD_EXIT_SIGNAL,
	FD_INFO,
	FD_JSON_STATUS,
	FD_SYNC,
	FD_BLOCK,
	FD_USERNS_BLOCK,
	FD_USERNS,
	FD_USERNS2,
	FD_PIDNS,
	FD_DIE_WITH,
	PLAN_FDS,
};

/* What stands between the command and the rest: init/walls.h. */
enum wall {
	WALL_USER, /* the namespaces */
	WALL_PID,
	WALL_MOUNT,
	WALL_IPC,
	WALL_UTS,
	WALL_CGROUP,
	WALL_NET,
	WALL_IDS,          /* that were asked for */
	WALL_CAPABILITIES, /* that they are gone */
	WALL_NO_NEW_PRIVS,
	WALL_LANDLOCK,
	WALL_SECCOMP,
	WALL_KEYRING, /* what is asked for: init/hardening.c */
	WALL_TSC,
	WALL_MDWE,
	WALLS,
};

/* What becomes of the changes to the directory of --cow. */
enum cow_end { COW_COMMIT, COW_DISCARD, COW_KEEP };

enum missing_wall { MISSING_IS_ERROR, MISSING_WARNS, MISSING_IS_SILENT };

struct plan {
	enum personality as;

	struct grant *grants;
	size_t grant_count;
	struct mount_step *steps;
	size_t step_count;
	const char *cow;       /* a directory whose changes go to a store; NULL: none */
	size_t cow_place;      /* it is mounted before the step of this index */
	const char *cow_store; /* a directory for that store; NULL: mountns/cow.h says where */
	enum cow_backend cow_backend;
	uint64_t cow_quota; /* bytes that the copy can have; 0: what its file system has */
	enum cow_end on_success, on_failure;
	bool dry_run;                         /* list the changes and discard them */
	const char *cow_commit, *cow_discard; /* a store: do that instead of starting anything */
	struct env_edit *env;
	size_t env_count;
	struct limit *limits; /* each resource once */
	size_t limit_count;
	int *keep_fds; /* the workload's descriptors besides 0, 1 and 2 */
	size_t keep_fd_count;
	struct fd_map *fd_maps; /* the same; each NEW once, and not in keep_fds */
	size_t fd_map_count;
	int *seccomp_fds; /* BPF programs, put on in this order behind the built-in filter */
	size_t seccomp_fd_count;
	/* A name of filters/filter.h or an OCI profile's path; NULL: the default's, or none if unfiltered. */
	const char *filter;
	const char **lock_files; /* paths in the box */
	size_t lock_file_count;
	/* The TCP ports that the command may connect or bind to, a bit each; NULL: all. */
	uint64_t *connect_ports, *bind_ports;
	int fds[PLAN_FDS];
	struct id_range
		*uid_ranges; /* of the workload, which do not meet; none: one id, the caller's */
	size_t uid_range_count;
	struct id_range *gid_ranges;
	size_t gid_range_count;
	uint32_t *groups; /* the workload's supplementary ones, inside */
	size_t group_count;

	const char *hostname;   /* NULL: the caller's */
	const char *chdir;      /* NULL: the caller's directory if it is there inside, else "/" */
	const char *argv0;      /* NULL: as the command */
	const char *exec_label; /* SELinux labels; NULL: none */
	const char *file_label;
	int umask;                   /* -1: the caller's */
	int64_t uid, gid;            /* inside; -1: the caller's, or the first of the ranges */
	uint64_t capabilities;       /* that the workload keeps, one bit each: capabilities(7) */
	uint64_t named_capabilities; /* those of them that must be there to be kept */
	uint64_t timeout;            /* nanoseconds, 0: none */
	unsigned int namespaces; /* CLONE_NEW… of clone(2); a mount namespace is always made */
	unsigned int try_for;    /* those of them which the box can do without */
	/* Of each wall that cannot be built. */
	unsigned char on_missing[WALLS]; /* enum missing_wall */
	uint32_t on_missing_said;        /* of which walls an option has said that, one bit each */
	bool fallback;                   /* all may be missing: init/fallback.h */
	bool fallen;                     /* what that makes of a plan whose box cannot be made */
	const char *const *listed;       /* then: directories whose names can be listed … */
	size_t listed_count;             /* … that many */
	bool landlock_demanded;          /* also on a kernel that could not have it */
	bool disable_userns;             /* also for a workload with capabilities */
	bool assert_userns_disabled;
	bool restrict_kptr; /* no pointer into the kernel as an argument */
	bool allow_userns;  /* the command may make user namespaces */
	bool new_session;
	bool new_keyring;
	bool deny_tsc;   /* the processor's time stamp counter */
	bool mdwe;       /* no memory becomes executable: PR_SET_MDWE of prctl(2) */
	bool spec_allow; /* no slower code against speculation with the filters: seccomp(2) */
	bool tty;        /* a terminal of the box's own, which implies NEW_SESSION */
	bool die_with_parent;
	bool as_pid_1;
	bool level_prefix;
	bool quiet; /* no line of ours on the standard error */

	/* How signals come in and ends go out. */
	unsigned char forward_as[LAST_SIGNAL + 1]; /* what the command gets for each; 0: nothing */
	uint64_t rewritten;   /* for which signals an option has said that, one bit each */
	bool forward_group;   /* all that is forwarded goes to the command's process group */
	uint64_t expected[4]; /* exit statuses that become 0, one bit each */
	uint64_t
		grace; /* nanoseconds from SIGTERM to SIGKILL, for the command and what it left; 0: none */
	bool wait_all; /* stay until the last descendant has ended */

	/* An init without a box: it shares all with the caller that no option takes away. */
	bool init_only;
	bool subreaper;    /* adopt orphans as process 1 does, where we are not that one */
	bool pause;        /* no command; reap until SIGINT or SIGTERM */
	bool warn_reaped;  /* of each process that was adopted */
	int verbosity;     /* of the personality, in its own levels */
	int parent_signal; /* that we get when our parent ends; 0: none */
	const char *name;  /* by which a personality was called */

	/* What a personality sets. */
	bool bare;            /* view: struct view_request */
	bool touch_host;      /* the same */
	bool inherit_fds;     /* the workload has all of the caller's descriptors but those above */
	bool inherit_signals; /* what the caller ignores and blocks, the workload does, too */
	bool map_caller;      /* one user namespace will do where the box needs no root in it */
	bool unfiltered;      /* no built-in filter, unless one is named */
	bool landlocked;      /* what is granted are rules of Landlock, too */
	/* The box is in the caller's process group, gets no signals through the launcher, is not killed
	 * with it unless die_with_parent, and stays until its last process has ended. */
	bool loose;
	bool execvp; /* a script without an interpreter is the shell's: execvp(3) */

	/* The same, of an init without a box. */
	enum job job;
	uint64_t own_signals;    /* neither blocked nor forwarded, one bit each: its own faults */
	bool farewell;           /* SIGTERM for the command's process group when that has ended */
	bool stops_itself;       /* by the terminal's signals, as the command does */
	bool leave_directory;    /* the init goes to "/" */
	bool close_descriptors;  /* it keeps 0, 1 and 2 and those above */
	bool rewrite_listen_pid; /* sd_listen_fds(3): what is for the init is for the command */

	bool explain, help, version, licence; /* print that instead of starting anything */
	enum dump { DUMP_NOTHING, DUMP_PFC, DUMP_BPF } dump_filter;        /* the same */
	enum check_form { CHECK_NOT_ASKED, CHECK_TEXT, CHECK_JSON } check; /* the same */
	char **command; /* argv of the workload, NULL-terminated */

	const char **repeated; /* options given twice of which the last one counts, for a warning */
	size_t repeated_count;
	char **texts; /* memory that the rest points into */
	size_t text_count;
};

/*
 * Reads the command line into PLAN, which keeps pointers into ARGV, and descriptors of --args. The
 * plan is that of the personality which argv[0] names. Returns 0, or -1 with the fault. A plan is
 * freed by init_release(), also after a failure.
 */
int init_parse(struct plan *plan, int argc, char **argv, struct fault *fault);
void init_release(struct plan *plan);

/*
 * Makes the box, runs the command in it and waits for its end. Reports to stderr and to the plan's
 * descriptors. Needs a process with one thread: signals are blocked and the heap is not locked.
 * Returns the exit status for the process.
 */
int init_run(const struct plan *plan);

/* Prints FAULT to stderr: "nestbox: STEP: OBJECT: REASON (cause; remedy)", or as PLAN's personality
 * does. */
void init_complain(const struct plan *plan, const struct fault *fault);

/* The cause of FAULT and what helps, where we know it, or NULL. */
const char *init_hint(const struct plan *plan, const struct fault *fault);

/* Prints a line for each option that was given in vain, since another one of its name followed. */
void init_warn(const struct plan *plan);

/* Prints WHAT and OBJECT. */
void init_note(const struct plan *plan, const char *what, const char *object);

/* Prints that a wall is missing, and FAULT as the reason. */
void init_warn_of_missing(const struct plan *plan, const struct fault *fault);

#endif
