/* SPDX-License-Identifier: MIT */
/* Job control on the caller's controlling terminal: termios(3) and setpgid(2). Raw system calls. */
#ifndef NESTBOX_INIT_TERMINAL_H
#define NESTBOX_INIT_TERMINAL_H

#include <stdbool.h>

/* Opens the controlling terminal. Returns a descriptor, or -1 when there is none. */
int terminal_open(void);

/* Whether our process group is in the foreground of TERMINAL. */
bool terminal_is_ours(int terminal);

/* Gives the foreground, if it is ours, to process group GROUP. Returns whether that has it: it may
 * have it already when a stop was told that a SIGCONT from elsewhere has overtaken. */
bool terminal_give(int terminal, int group);

/* Takes the foreground if no process is left in the group that has it. */
void terminal_take(int terminal);

/* Whether TERMINAL is our controlling one and another process group has its foreground. */
bool terminal_is_others(int terminal);

/* Stops PID, which is this process or 0 for its process group, as SIGNAL of the terminal does, and
 * returns true when it was continued; false at once where the kernel knows that nobody would continue
 * it. Needs SIGNAL and SIGCONT blocked, with their default action. */
bool terminal_stop(int pid, int signal);

#endif
