/* SPDX-License-Identifier: MIT */
/* A terminal of the box's own: the end that is in the box. */
#ifndef NESTBOX_INIT_PTY_H
#define NESTBOX_INIT_PTY_H

#include "init/box.h"

/* Refuses a view that has no terminals of its own at /dev/pts. Returns 0, or -1 with the fault. */
int pty_check(const struct view *view, struct fault *fault);

/* In the command's process: makes a new terminal its controlling one, and its descriptors 0, 1 and 2, in
 * the foreground of which it is; the other end goes up to the launcher. The process leads a session.
 * Returns 0, or -1 with the fault. */
int pty_enter(const struct box *box, struct fault *fault);

#endif
