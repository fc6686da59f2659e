/* SPDX-License-Identifier: MIT */
/*
 * The caller's terminal while the box has one of its own: it hands all keys on and leaves the rest to
 * that one, cfmakeraw(3), and is as it was when the launcher is gone, whatever ended that. Raw system
 * calls. The signals that a terminal sends to a group in the background are blocked.
 */
#ifndef NESTBOX_INIT_OUTER_H
#define NESTBOX_INIT_OUTER_H

#include <stdbool.h>
#include <sys/ioctl.h>

#include "mountns/fault.h"
#include "mountns/linux.h"

struct outer {
	int terminal; /* standard input, or -1 if that is none */
	int sized;    /* the standard descriptor that has a window size, or -1 */
	int guard;    /* pid, 0: none */
	int launcher; /* pidfd, for the guard */
	bool changed;
	struct kernel_termios before, raw;
};

/* How a terminal is. */
struct form {
	bool has_modes, has_size;
	struct kernel_termios modes;
	struct winsize size;
};

/* Finds the terminal and how it is, and waits until it is ours. Sets *STOPPED if that took a while.
 * Returns 0, or -1 with the fault. */
int outer_find(struct outer *outer, struct form *form, bool *stopped, struct fault *fault);

/* Starts the process that restores the terminal should we not get to that. Returns 0, or -1 with the
 * fault. */
int outer_guard(struct outer *outer, struct fault *fault);

/* Has it hand on all keys. */
void outer_change(struct outer *outer);

/* Undoes that, unless somebody else has changed the terminal meanwhile. */
void outer_restore(struct outer *outer);

/* As the kernel does with who would read from the background: stops until the terminal is ours. Returns
 * false at once where nobody would continue us. */
bool outer_wait(const struct outer *outer, int signal);

/* Gives the terminal of which MASTER is one end our window size. */
void outer_copy_size(const struct outer *outer, int master);

/* Restores the terminal and ends the guard. */
void outer_leave(struct outer *outer);

#endif
