/* SPDX-License-Identifier: MIT */
/*
 * tini, dumb-init and catatonit, each in a file of its own: a table of options, what they and the
 * environment's variables mean for the plan, and its words. What the three do is the same code for
 * all: init/alone.c.
 */
#ifndef NESTBOX_INIT_INITS_H
#define NESTBOX_INIT_INITS_H

#include "init/plan.h"
#include "init/report.h"
#include "init/text.h"

/* What the kernel sends to a process that has done wrong: FPE ILL SEGV BUS ABRT TRAP SYS. */
#define INIT_FAULTS                                                                                \
	(signal_bit(SIGFPE) | signal_bit(SIGILL) | signal_bit(SIGSEGV) | signal_bit(SIGBUS) |      \
	 signal_bit(SIGABRT) | signal_bit(SIGTRAP) | signal_bit(SIGSYS))

/* An option in the way of getopt_long(3). */
struct letter {
	char letter;
	const char *name; /* without its dashes, NULL: none */
	bool takes_value;
	/* Returns 0, or -1 with the fault. */
	int (*handler)(struct plan *plan, const struct letter *letter, char *value,
		       struct fault *fault);
	int parameter;
	const char *help; /* its lines of the help text, as they are */
};

/* What happens to an init; the words for it are its own. */
struct init_event {
	enum init_event_kind {
		INIT_SUBREAPER, /* registered as one */
		INIT_NO_REAPER, /* neither that nor process 1 */
		INIT_DETACHED,  /* from the terminal, as the session's LEADER; unless ERROR */
		INIT_SPAWNED,   /* PID; told by the command's process */
		INIT_DIRECTORY_FAILED, /* ERROR: it could not go to "/" */
		INIT_NO_TTY,           /* /dev/tty could not be opened: ERROR */
		INIT_NO_FOREGROUND,    /* the command did not get the terminal: ERROR */
		INIT_SESSION,      /* the command has a session, and the terminal unless ERROR */
		INIT_SIGNAL,       /* SIGNAL came */
		INIT_HAND_OFF,     /* … because the terminal was given away */
		INIT_DROPPED,      /* … and is not for the command */
		INIT_FORWARDED,    /* … and went on as SENT, unless ERROR; TARGET as of kill(2) */
		INIT_STOPS,        /* the init will stop */
		INIT_REAPED,       /* PID, with STATUS as of wait(2), the command if MAIN */
		INIT_NONE_TO_REAP, /* no more for now; ERROR: ECHILD if no child is left at all */
		INIT_ENDS,         /* the command has ended with STATUS, and all is done */
	} kind;
	int signal, sent, target, pid, status, error;
	bool main, leader;
};

/* What is said of a failed step: BEFORE, the object where NAMES, BEHIND, and the reason. */
struct init_phrase {
	const char *step, *before;
	bool names;
	const char *behind;
};

struct init_program {
	const struct letter *letters;
	size_t letter_count;

	bool lone_version; /* --version, with no other word beside it */

	/* Fills in what is always so. */
	void (*defaults)(struct plan *plan);
	/* Takes the environment's variables, and checks. Returns 0, or -1 with the fault. */
	int (*finish)(struct plan *plan, struct fault *fault);
	/* Prints a fault. PID is the process that it happened in. */
	void (*complain)(const struct plan *plan, int pid, const struct fault *fault);
	void (*tell)(const struct plan *plan, const struct init_event *event);
	/* The exit status when KIND of failure left no command. */
	int (*failure)(enum report_kind kind, const struct fault *fault);
	/* Prints what --help, --version and the like print. Returns 0, or -errno. */
	int (*look)(const struct plan *plan);
};

/* init/tini.c, init/dumb_init.c, init/catatonit.c */
extern const struct init_program tini, dumb_init, catatonit;

/* The program that AS is, NULL if none of the three. */
const struct init_program *inits_find(enum personality as);

/* Takes the options from WORDS, NULL-terminated, up to the command. The word in front of that is one of
 * ours, too. Returns 0, or -1 with the fault. */
int inits_parse(const struct init_program *program, struct plan *plan, char **words,
		struct fault *fault);

/* What getopt(3) prints for FAULT of the parser. Returns false if it is none of these. */
bool inits_option_message(struct text *line, const struct init_program *program,
			  const struct plan *plan, const struct fault *fault);

/* Adds the words for FAULT, with those of PHRASES if its step is among the COUNT ones there. */
void inits_phrase(struct text *line, const struct init_phrase *phrases, size_t count,
		  const struct fault *fault);

/* Prints the event in the words of PLAN's personality, if that has any. From any process. */
void inits_tell(const struct plan *plan, const struct init_event *event);

/* strerror(3) where the words differ between the C libraries: those that people know. */
const char *inits_reason(int error);

/* Prints nestbox's own licence, whoever it is. Returns 0, or -errno. */
int inits_licence(int fd);

#endif
