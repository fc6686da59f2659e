/* SPDX-License-Identifier: MIT */
/*
 * --check: what of a box stands here, what does not, why, and what helps. Each probe does one thing for
 * real, in a child that is gone afterwards with all that it made. A start that has failed asks the same
 * probes for the cause. Raw system calls, no heap: the launcher may have company in its memory.
 */
#ifndef NESTBOX_INIT_CHECK_H
#define NESTBOX_INIT_CHECK_H

#include "init/plan.h"
#include "init/text.h"

/* What the kernel said when a probe was made, in memory that the probe's child shares. Its strings are
 * constants, which are at the same place in both. */
struct finding {
	const char *step; /* that failed; NULL: none */
	int error;        /* errno of that */
	int again; /* the same call's errno for arguments that the kernel refuses first of all; 0 */
	int call;  /* its number, -1: none that a filter could be about */
	unsigned long flags; /* of the call: namespaces of clone(2), an operation of seccomp(2) */
	int value;           /* what was found; the exit status of a box */
	const char *reason;  /* where the probe knows the cause itself, … */
	const char *by, *remedy; /* … with these words of struct cause */
	const char *
		needs; /* the probe of what was not to be had, so that this one could not be made */
	bool ended; /* the probe came to its end; else SIGNAL has ended it, or its time was over */
	int signal;
	char message[1024]; /* what a box has said last */
};

enum probe_group {
	PROBES_USER,
	PROBES_ALONE,
	PROBES_MOUNTS,
	PROBES_CALLS,
	PROBES_HOST,
	PROBES_BOX
};

struct probe {
	const char *name;
	enum probe_group group;
	unsigned int since; /* Linux has it, LINUX(5, 12); 0: every one that nestbox runs on */
	/* Notes in FINDING what failed. Runs in a child, with FLAGS as its own affair. */
	void (*run)(const struct probe *probe, struct finding *finding);
	unsigned long flags;
	int (*steps)(const struct probe *probe, struct finding *finding); /* probe_inside: there */
	const char *type; /* of a file system, or what STEPS likes */
};

#define LINUX(major, minor) ((unsigned int)(major) << 8 | (unsigned int)(minor))

extern const struct probe probes[];
extern const size_t probe_count;

const struct probe *probe_find(const char *name);

/* The functions of the table; init/check_probes.c, check_mounts.c, check_notify.c, check_ids.c. */
typedef void probe_function(const struct probe *probe, struct finding *finding);
typedef int probe_steps(const struct probe *probe, struct finding *finding);
probe_function probe_listener, probe_add_fd, probe_id_range, probe_cgroup;
probe_steps probe_tmpfs, probe_bind, probe_remount, probe_tree, probe_pivot, probe_chroot,
	probe_file_system, probe_overlay;

/* Keeps that STEP failed with ERROR, -errno, in the system call of that number (-1: none), and asks that
 * call once more, badly. Returns 0 where there is no error, else -1. */
int probe_note(struct finding *finding, const char *step, int call, unsigned long flags, int error);

/* The same of a cause that needs no evidence. Always returns -1. */
int probe_reason(struct finding *finding, const char *step, const char *by, const char *reason,
		 const char *remedy);

/* Runs MAIN(ARGUMENT) in a child with clone(2)'s FLAGS and memory of its own. Returns its number, or -errno;
 * MAIN does not return. */
int probe_start(int (*main)(void *argument), void *argument, unsigned long flags);

/* The same, and waits for its end. Returns 0, or -errno. */
int probe_child(int (*main)(void *argument), void *argument, unsigned long flags);

/* --- init/check_calls.c --- */

/* The call's name, or "". */
const char *call_name(int number);

/* Makes the call with arguments that the kernel refuses before it looks at anything else, so that any other
 * answer is not the kernel's. Returns the errno, or 0 where that cannot be asked. */
int call_badly(int number, unsigned long flags);

/* --- init/check_around.c --- */

enum runtime {
	RUNTIME_UNKNOWN,
	RUNTIME_DOCKER,
	RUNTIME_PODMAN,
	RUNTIME_KUBERNETES,
	RUNTIME_NSPAWN,
	RUNTIME_LXC,
	RUNTIME_NESTBOX,
};

/* Of /proc/sys, which say who may have namespaces. */
enum limit_file {
	LIMIT_USER,
	LIMIT_MNT,
	LIMIT_PID,
	LIMIT_IPC,
	LIMIT_UTS,
	LIMIT_CGROUP,
	LIMIT_NET,
	LIMIT_UNPRIVILEGED, /* Debian's */
	LIMIT_APPARMOR,     /* Ubuntu's */
	LIMITS,
};

extern const struct limit_kind {
	const char *path;   /* below /proc/sys */
	const char *name;   /* of sysctl(8) */
	unsigned long flag; /* CLONE_NEW… */
} limit_kinds[LIMITS];

/* What evidence there is around the caller. */
struct around {
	bool has_proc;
	int filters;           /* of seccomp on this process, -1: unknown */
	uint64_t capabilities; /* in effect */
	uint32_t uid, gid;
	bool unmapped;                     /* the caller's ids mean nothing in its user namespace */
	bool chrooted;                     /* for sure: the root directory is not that of a mount */
	unsigned long namespaces;          /* that the kernel has, CLONE_NEW… */
	unsigned int covers;               /* mounts below /proc */
	char cover[64];                    /* the first one */
	bool proc_read_only, proc_partial; /* /proc itself is; is one with subset= or hidepid= */
	int64_t limits[LIMITS];            /* -1: there is no such file */
	char lsms[128];                    /* active ones, with commas; "": not known */
	char label[128];                   /* that confines the caller; "": none */
	enum runtime runtime;
	char kernel[65];
	unsigned int version; /* as LINUX() */
};

void around_look(struct around *around);

/* Reads all of PATH that fits, and ends it with a NUL. Returns its length, or -errno. */
long around_read(const char *path, char *text, size_t size);

/* The lines of a file, of which what is too long is cut. */
struct lines {
	int fd;
	size_t used, next;
	char bytes[2048];
};

/* Returns 0, or -errno. */
int lines_open(struct lines *lines, const char *path);

/* The next line, or NULL: then the file is closed. */
char *lines_next(struct lines *lines);

/* --- init/check_cause.c: of their arguments alone --- */

enum check_state { CHECK_OK, CHECK_MISSING, CHECK_BLOCKED, CHECK_UNTRIED };

struct cause {
	enum check_state state;
	const char *by;           /* seccomp, lsm, sysctl, … of nestbox(1); "": not known */
	struct text text, remedy; /* ended by a NUL; empty: not known */
};

void cause_find(const struct probe *probe, const struct finding *finding,
		const struct around *around, struct cause *cause);

/* "CAUSE; REMEDY", ended by a NUL. */
void cause_join(struct text *text, const struct cause *cause);

/* --- init/check_print.c --- */

struct check {
	const struct around *around;
	const struct finding *findings; /* one for each probe */
	int status;                     /* exit status */
};

/* Prints all of it to standard output, for people or as one JSON object. Returns 0, or -errno. */
int check_print_text(const struct check *check);
int check_print_json(const struct check *check);

/* --- init/check.c --- */

enum { CHECK_BOX = 0, CHECK_FALLBACK = 1, CHECK_NOTHING = 2 };

/* Whether the probe of that name found nothing missing. */
bool check_stands(const struct finding *findings, const char *name);

/* Makes all probes and prints what was found. Returns the exit status. */
int check_run(const struct plan *plan);

/* Makes one probe. Returns 0, or -errno where that could not be done. */
int check_probe(const struct probe *probe, struct finding *finding);

/* Looks for the cause of a FAULT of a start. Returns whether there is one with evidence. */
bool check_diagnose(const struct plan *plan, const struct fault *fault, struct cause *cause);

#endif
