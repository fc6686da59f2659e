/* SPDX-License-Identifier: MIT */
/*
 * What every init of ours does once its child runs: it forwards signals, reaps, and after the child's
 * end deals with what that left behind. It sleeps in one system call, and never fails: whatever
 * happens to a signal or a child, it goes on. Raw system calls, no heap, no file that it needs.
 */
#ifndef NESTBOX_INIT_REAPER_H
#define NESTBOX_INIT_REAPER_H

#include <signal.h>

#include "init/plan.h"

/* For whom a signal is. */
enum reaper_target { TARGET_NOBODY, TARGET_CHILD, TARGET_GROUP };

struct reaper {
	const struct plan *plan;
	int child; /* 0: there is none, or it was reaped; its number may be another process's now */
	int group; /* its process group, as kill(2) takes it */
	bool owns_group; /* nobody else was in there from the start */
	bool owns_all;   /* process 1: every process in the namespace is to end with it */
	bool fenced;     /* to signal all is to signal our own: init/fence.h */
	bool owns_stops; /* stops of the child are told */
	bool ended;
	bool timed_out;
	bool killing;      /* what is left */
	bool reaped;       /* something, since that began or was last looked at */
	bool gave_up;      /* what is left is stuck in the kernel */
	int status;        /* as of wait(2), when the child has ended */
	int left;          /* 0, or -ECHILD when no child is left */
	uint64_t deadline; /* of --timeout */
	uint64_t kill_at;  /* of --grace */
	uint64_t skipped;  /* signals that are nobody's once, one bit each */

	enum reaper_target (*route)(struct reaper *reaper, const siginfo_t *info);
	void (*stopped)(struct reaper *reaper, int status);
	const void *context;
};

/* Serves until all is over. */
void reaper_serve(struct reaper *reaper);

/* The exit status for a wait(2) status, 0 where the plan expects it. */
int reaper_exit_status(const struct plan *plan, int wait_status);

#endif
