/* SPDX-License-Identifier: MIT */
/* --cow: the store before the box, and what becomes of it afterwards. All of it is the launcher's. */
#ifndef NESTBOX_INIT_CHANGES_H
#define NESTBOX_INIT_CHANGES_H

#include "init/box.h"

/* Makes the store, chooses a backend, and adds to BOX what the view needs of it. Without --cow that is the
 * plan's view alone. Returns 0, or -1 with the fault. */
int changes_prepare(struct box *box, struct fault *fault);

/* The same for a command without a box: BOX, whose store is gone, gets one with a tree, and no view. */
int changes_prepare_alone(struct box *box, struct fault *fault);

/* With the view: that the command can write neither to the store nor to the directory itself. Returns 0, or -1 with the fault. */
int changes_check(const struct box *box, struct fault *fault);

/* The command has not run: removes the store. */
void changes_abandon(struct box *box);

/* The box is gone. What the plan says is done with the changes, and told. Returns 0, or -1 if they could not be
 * committed, which has been told as well. */
int changes_end(struct box *box, bool succeeded);

/* Not all that the command has left has ended: nothing is done with the changes, which is told. Always returns -1, or 0
 * without --cow. */
int changes_leave(struct box *box);

/* --cow-commit and --cow-discard. Returns the exit status for the process. */
int changes_command(const struct plan *plan);

#endif
