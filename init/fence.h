/* SPDX-License-Identifier: MIT */
/*
 * What process 1 has of its PID namespace: a signal to all that is for its own alone. Children that are sent it
 * one by one can be outrun by those that fork without a pause; a signal to all comes at once.
 */
#ifndef NESTBOX_INIT_FENCE_H
#define NESTBOX_INIT_FENCE_H

#include "init/box.h"

/* Keeps the signals of this process, and of all that it starts from now on, among themselves. It gains no
 * privileges by an exec any more then. Returns whether kill(-1) is safe. */
bool fence_raise(const struct box *box);

/* The same for the process above that one, which stays out of its reach; what is inside can trace nothing outside
 * either. Whether it holds is not tried. Unless COUNT is 0, nothing but WRITABLE, what is below and the command's
 * descriptors can be written to. Returns 0, or -errno. */
int fence_enter(const struct box *box, const char *const writable[], size_t count);

#endif
