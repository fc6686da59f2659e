/* SPDX-License-Identifier: MIT */
/*
 * A terminal of the box's own: the end that is out here. What the caller types, or what else its
 * standard input gives, goes in, what the box writes comes out, byte by byte: nothing is looked at.
 * No more is read than can be passed on. Raw system calls, after the preparation.
 */
#ifndef NESTBOX_INIT_RELAY_H
#define NESTBOX_INIT_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "init/box.h"

struct relay;

/* What it has to wait for. */
#define RELAY_FDS 3

/* Finds out how the caller's terminal is, for the box. Waits until it is ours, which sets *STOPPED.
 * Returns the relay, NULL with the fault. */
struct relay *relay_prepare(struct box *box, bool *stopped, struct fault *fault);

/* Begins with the terminal's MASTER, which it takes. */
void relay_begin(struct relay *relay, int master);

/* Says what it waits for, and sees to what has happened. */
void relay_watch(const struct relay *relay, struct pollfd fds[RELAY_FDS]);
void relay_serve(struct relay *relay, const struct pollfd fds[RELAY_FDS]);

/* Takes a SIGNAL of the launcher's if it is about the caller's terminal; FROM_KERNEL: nobody sent it by
 * kill(2). Returns whether it is done with that. */
bool relay_signal(struct relay *relay, int signal, bool from_kernel);

/* The box is dead: passes on what it has written last, until a signal that ends programs comes from
 * SIGNALS, or something from PARENT, or DEADLINE (0: none). A HURRIED one gives a reader who takes
 * nothing only a moment. */
void relay_drain(struct relay *relay, int signals, int parent, uint64_t deadline, bool hurried);

/* Restores the terminal. Returns 0, or the errno of output that was lost. */
int relay_end(struct relay *relay);

#endif
