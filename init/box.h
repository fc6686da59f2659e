/* SPDX-License-Identifier: MIT */
/*
 * A box about to be made: the plan, and everything that the launcher found, opened and computed for
 * it. Complete before the first clone; the processes in the box only read it.
 */
#ifndef NESTBOX_INIT_BOX_H
#define NESTBOX_INIT_BOX_H

#include <limits.h>
#include <linux/filter.h>
#include <sys/types.h>

#include "filters/append.h"
#include "filters/landlock.h"
#include "init/outer.h"
#include "init/plan.h"
#include "init/report.h"
#include "mountns/tree.h"

#define ID_MAP_SIZE 40 /* two ids and a count of ten digits, blanks and a newline */

/* A filter of the caller's. */
struct program {
	struct sock_filter *code;
	unsigned short length; /* instructions */
};

struct box {
	const struct plan *plan;
	struct view view;
	struct cow_store *cow; /* NULL: none */
	struct tree tree;      /* of COW_NOTIFY */
	bool notifies;         /* there is one, or would be */
	struct grant *grants;  /* of the plan, and what that adds */
	struct mount_step *steps;
	size_t grant_count, step_count;
	char **argv; /* of the workload: the command with --argv0 in place */
	char **environment;
	struct { /* the caller's, which PID 1 wipes */
		char *start;
		size_t size;
	} old_environment;
	char *pwd; /* room for a path behind "PWD=", in ENVIRONMENT; NULL: it is not told */
	unsigned int namespaces; /* of the plan, less those that may be and are missing */
	uint32_t missing;        /* walls, one bit each: init/walls.h; the launcher's affair */
	bool *lost_network;  /* PID 1 could not make the network namespace; NULL: nobody tried */
	struct fault *noted; /* WALLS of them, where there is no report pipe to tell them */
	uint32_t uid, gid;   /* of PID 1, as the box calls them */
	bool maps_ids;       /* they are mapped to the caller's … */
	bool launcher_maps;  /* … by the launcher, and ranges of ids with them; else by PID 1 */
	const char *uid_map, *gid_map;
	bool nested; /* the workload has a user namespace of its own, mapped back from these */
	const char *nested_uid_map, *nested_gid_map;
	char short_maps[4][ID_MAP_SIZE]; /* of one id each */
	int64_t take_uid, take_gid;      /* to which the workload changes there; -1: it has it */
	bool may_set_groups;             /* since more than the caller's own group id is mapped */
	char subuid[ID_MAP_SIZE], subgid[ID_MAP_SIZE]; /* for a message: lines of subuid(5) */
	char directory[PATH_MAX];    /* where the workload starts, if it is there; "" otherwise */
	const struct filter *filter; /* the built-in one; NULL: none */
	struct once *once;           /* what that may need: init/once.h */
	struct landlock landlock;
	struct program *programs;
	size_t program_count;
	int *keep_fds; /* all above 2; with those that FD_MAPS puts there */
	size_t keep_fd_count;
	struct fd_map *fd_maps; /* of the plan, each from an open descriptor */
	int *kept_fds;          /* these and the report pipe, sorted */
	struct form form;       /* of a terminal of the box's own */
	bool own_session;       /* without a terminal nothing is to be had from the caller's */
	bool in_foreground;     /* of the terminal is the caller's process group */
	bool reaper;            /* PID 1 stays beside the workload; else it becomes that */
	bool tells;           /* PID 1 reports its namespaces, and may be looked at from outside */
	bool sends_fds;       /* a descriptor comes up with a report */
	bool parallel;        /* the network namespace is made beside the view, by two processes */
	bool shares_memory;   /* launcher and PID 1 */
	uint64_t caller_mask; /* of blocked signals */
	bool ignores_sigchld; /* the caller */
	int *pid1_fds;        /* room for all that PID 1 keeps */
	int report[2];        /* pipe or socket from the box to the launcher */
	int listener[2];      /* socket to the process that answers the workload's calls; else -1 */
	struct append append; /* what it knows */
	int self;             /* without a box: the pid that the caller has started */
	bool guarded;         /* the same: init/guard.h */
	int maps_ready[2];    /* pipe to PID 1, when the caller maps the ids; else -1 */
	char *pid1_stack;     /* its upper end, a guard page at the lower one */
	char *workload_stack;
};

/* Finds and opens everything that PLAN names. Returns 0, or -1 with the fault. What it takes is freed
 * by the end of the process. */
int box_prepare(struct box *box, const struct plan *plan, struct fault *fault);

/* As much of that as the filters need. */
int box_prepare_filters(struct box *box, const struct plan *plan, struct fault *fault);

/* The parts of that in init/box_descriptors.c and init/box_ids.c; the latter's last one again after a
 * change of the namespaces. */
int box_take_descriptors(struct box *box, struct fault *fault);
int box_map_ranges(struct box *box, struct fault *fault);
void box_choose_ids(struct box *box);

/* The part of that in init/landlock.c. With a view or, without a box, from what is granted there. */
int box_make_rules(struct box *box, struct fault *fault);

/* And what of that the command's descriptors need. */
int box_allow_descriptors(const struct box *box, const struct landlock *landlock,
			  struct fault *fault);

/* Waits for --block-fd, also after a clone. Returns 0, or -1 with the fault. */
int box_wait_for_caller(const struct plan *plan, struct fault *fault);

/* Without a box, and with nothing that could be got back through it, no_new_privs would only harm. */
static inline bool box_denies_new_privileges(const struct box *box)
{
	return !box->plan->init_only || box->program_count > 0 || box->filter != NULL ||
	       box->landlock.ruleset >= 0 || box->plan->deny_tsc || box->plan->restrict_kptr ||
	       box->plan->capabilities != UINT64_MAX;
}

/* The environment that EDITS make of the caller's: NULL-terminated, NULL without memory. The array
 * is to be freed, with its PATH= and edited strings, by environment_free(). */
char **environment_make(const struct env_edit *edits, size_t count, char *const caller[]);
void environment_free(char **environment);

/* Puts PREFIX ("NAME=") in place of the variable of that name, with ROOM bytes behind it. Returns
 * where they start, or NULL without memory. */
char *environment_reserve(char ***environment, const char *prefix, size_t room);

/* The main function of PID 1, for clone(2). ARGUMENT is the box. */
int pid1_main(void *argument);

/* The main function of the workload's child. */
struct workload {
	const struct box *box;
	const struct built *built;
	int users; /* the user namespace that is made for it; -1: it comes with it, or it makes it */
	mode_t umask; /* the caller's */
	/* A child that fails leaves it here for the init, whose memory this is. */
	bool failed;
	enum report_kind failure;
	struct fault fault;
	char listen_pid[32]; /* an environment string */
};
int workload_main(void *argument);

#endif
