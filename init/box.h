/* SPDX-License-Identifier: MIT */
/*
 * A box about to be made: the plan, and everything that the launcher found, opened and computed for
 * it. Complete before the first clone; the processes in the box only read it.
 */
#ifndef NESTBOX_INIT_BOX_H
#define NESTBOX_INIT_BOX_H

#include <limits.h>
#include <sys/types.h>

#include "init/nestbox.h"

#define ID_MAP_SIZE 32 /* two ids of ten digits, a count of 1, blanks and a newline */

struct box {
	const struct plan *plan;
	struct view view;
	char **argv; /* of the workload: the command with --argv0 in place */
	char **environment;
	struct { /* the caller's, which PID 1 wipes */
		char *start;
		size_t size;
	} old_environment;
	char uid_map[ID_MAP_SIZE]; /* the caller's id is root in the box … */
	char gid_map[ID_MAP_SIZE];
	/* … and that root is the id asked for in the nested namespace */
	char nested_uid_map[ID_MAP_SIZE];
	char nested_gid_map[ID_MAP_SIZE];
	char directory[PATH_MAX]; /* where the workload starts, if it is there; "" otherwise */
	int *keep_fds;            /* sorted, each once, all above 2 */
	size_t keep_fd_count;
	bool own_session;   /* without a terminal nothing is to be had from the caller's */
	bool in_foreground; /* of the terminal is the caller's process group */
	int report[2];      /* pipe from the box to the launcher */
	char *pid1_stack;   /* its upper end, a guard page at the lower one */
	char *workload_stack;
};

/* Finds and opens everything that PLAN names. Returns 0, or -1 with the fault. What it takes is freed
 * by the end of the process. */
int box_prepare(struct box *box, const struct plan *plan, struct fault *fault);

/* The environment that EDITS make of the caller's: NULL-terminated, NULL without memory. The array
 * is to be freed, with its PATH= and edited strings, by environment_free(). */
char **environment_make(const struct env_edit *edits, size_t count, char *const caller[]);
void environment_free(char **environment);

/* The main function of PID 1, for clone(2). ARGUMENT is the box. */
int pid1_main(void *argument);

/* The main function of the workload's child. */
struct workload {
	const struct box *box;
	const struct built *built;
	mode_t umask; /* the caller's */
};
int workload_main(void *argument);

#endif
