/* SPDX-License-Identifier: MIT */
/* What the files of libnestbox share. Names that do not begin with nestbox_ are local to the archive:
 * see Makefile. Nothing of the command is linked but what the Makefile lists. */
#ifndef NESTBOX_INIT_LIBRARY_H
#define NESTBOX_INIT_LIBRARY_H

#include <stdbool.h>

#include "init/nestbox.h"

/* ---- errors: error.c ---- */

/* Fills ERROR in, which may be NULL, and its message. REASON, DETAIL (behind it) and HINT may be NULL.
 * Returns -NUMBER, or -EPROTO where NUMBER is 0. */
int error_set(struct nestbox_error *error, const char *step, const char *object, int number,
	      const char *reason, const char *detail, const char *hint);

/* ---- plans: plan.c ---- */

/* One of the words that the launcher reads from --args. */
struct word {
	enum { WORD_TEXT, WORD_FD, WORD_DATA } kind;
	char *bytes; /* the text, NUL-terminated, or the data */
	size_t size; /* of the data */
	int fd;      /* of the caller; the launcher is told its own number of the copy */
};

struct stdio_choice {
	enum nestbox_stdio kind;
	int fd;
};

struct inside_fd {
	int inside, fd;
};

struct nestbox_plan {
	struct word *words;
	size_t word_count;
	struct inside_fd *fds;
	size_t fd_count;
	struct stdio_choice stdio[3];
	char *path;                         /* of the program; NULL: the library's own */
	int program;                        /* a memfd that holds it */
	bool keeps_terminal;                /* --tty talks to the caller's */
	struct nestbox_error program_error; /* why there is none */
	struct nestbox_error error;         /* the first one */
	int status;                         /* the same, as it is returned; 0 if there is none */
};

/* Records an error, the first of the plan, and returns that. */
int plan_refuse(struct nestbox_plan *plan, const char *object, int number, const char *reason);

/* ---- the program in the library: program.c ---- */

/* The program in a sealed memfd, or -errno with the error. */
int program_open(struct nestbox_error *error);

/* SIZE bytes in a memfd, not executable, to be read from its beginning. Returns it, or -errno. */
int program_data(const void *bytes, size_t size);

/* Closes FD unless it is negative. */
void program_close(int fd);

/* FD, or the same above 2, since the lowest three numbers mean something; FD is closed then. Returns
 * -errno, also for an FD that is one. */
int program_lift(int fd);

/* ---- descriptors of the child: place.c ---- */

/* A copy of FROM becomes TO. TO is -1 for one that is only kept, under a number that no other has as
 * its TO; FROM is changed to that. */
struct placement {
	int from, to;
};

/* In a child that shares memory with its parent, but not the descriptors: raw system calls only.
 * Closes all descriptors but those placed, and 0 to 2 where they are not close-on-exec and no TO.
 * SCRATCH has room for COUNT numbers. Returns 0, or -errno. */
int place_descriptors(struct placement *list, size_t count, int *scratch);

/* ---- events: event.c ---- */

/* Reads a line of --status-fd, without its newline. Returns 1 with *EVENT filled in, 0 for one of no
 * interest here, -EPROTO for what no launcher writes. */
int event_parse(const char *line, size_t length, struct nestbox_event *event);

/* ---- boxes: box.c ---- */

#define EVENT_LINE_MAX 4096 /* struct text of init/text.h */

struct nestbox_box {
	int pidfd;    /* of the launcher */
	int status;   /* socket for its events, one in each message */
	int stdio[3]; /* our ends of pipes; -1: none */
	bool killed;  /* by us: atomic, since any thread may have done it */
	bool reaped;  /* by us, or at least gone */
	bool ended;   /* END says how */
	bool told;    /* that to the caller */
	struct nestbox_event end;
	char line[EVENT_LINE_MAX + 1];
};

#endif
