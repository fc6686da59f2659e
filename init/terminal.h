/* SPDX-License-Identifier: MIT */
/* Job control on the caller's controlling terminal: termios(3) and setpgid(2). Raw system calls. */
#ifndef NESTBOX_INIT_TERMINAL_H
#define NESTBOX_INIT_TERMINAL_H

#include <stdbool.h>

/* Opens the controlling terminal. Returns a descriptor, or -1 when there is none. */
int terminal_open(void);

/* Makes process group TO the foreground group if FROM is that now. Returns whether it is done. */
bool terminal_pass(int terminal, int from, int to);

/* Stops this process as SIGTSTP does, and returns when it is continued; at once where the kernel
 * knows that nobody would continue it. The signal must be blocked and its action the default. */
void terminal_stop(void);

#endif
