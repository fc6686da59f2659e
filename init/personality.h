/* SPDX-License-Identifier: MIT */
/*
 * The programs that nestbox can be. A personality is a set of defaults, of rules between options, of
 * messages and of exit statuses; the plan and all that is done with it are the same for all.
 */
#ifndef NESTBOX_INIT_PERSONALITY_H
#define NESTBOX_INIT_PERSONALITY_H

#include "init/plan.h"
#include "init/report.h"
#include "init/text.h"

/* The personality of that name, or AS_NESTBOX. NAME may be a path. */
enum personality personality_named(const char *name);

/* The one that argv[0] names; where that says nothing, such as "exe" or "-", the one that the
 * program's file is called. */
enum personality personality_of(const char *argv0);

/* The same for a whole command line. Container engines run their init as /dev/init -- COMMAND. */
enum personality personality_called(char *const argv[]);

/* Starts PLAN with the personality's defaults. Returns 0, or -1 with the fault. */
int personality_defaults(struct plan *plan, enum personality as, struct fault *fault);

/* Checks what options demand of each other, and adds what follows from them. Returns 0, or -1 with the fault. */
int personality_check(struct plan *plan, struct fault *fault);

/* bubblewrap's words for FAULT, which clients search for: without its name in front. */
void bwrap_message(struct text *line, const struct fault *fault);

/* The exit status when KIND of failure left no workload. */
int personality_failure(const struct plan *plan, enum report_kind kind, const struct fault *fault);

/* What --version prints. */
const char *personality_version(enum personality as);

#endif
