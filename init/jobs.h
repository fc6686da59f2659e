/* SPDX-License-Identifier: MIT */
/*
 * Job control: which process group and session a command is in, who has the foreground of the
 * terminal, and what a stop of the command means for whoever waits for it. Raw system calls. The
 * signals that a terminal sends to a group in the background are blocked.
 */
#ifndef NESTBOX_INIT_JOBS_H
#define NESTBOX_INIT_JOBS_H

#include "init/plan.h"

/* In an init that will give its terminal to the command's session: lets go of it. Returns the
 * signals, one bit each, that this has sent to ourselves. */
uint64_t jobs_detach(const struct plan *plan);

/* In the command's process: takes the place that PLAN says. Returns 0, or -1 with the fault. */
int jobs_begin(const struct plan *plan, struct fault *fault);

/* Gives GROUP the foreground if we have it. */
void jobs_pass_foreground(int group);

/*
 * Process group GROUP, which is not ours, was stopped by SIGNAL. Gives it the terminal if that is
 * why, and stops this process as well where the shell should see it; but not if we MUST_RUN. Returns
 * whether GROUP is to be continued now.
 */
bool jobs_follow_stop(int group, int signal, bool must_run);

#endif
