/* SPDX-License-Identifier: MIT */
/*
 * The process that answers the workload's notified calls (filters/notify.h), where there are any: for
 * --append, or for --cow without an overlay. It is a child of the launcher, and does
 * nothing else: an answer that takes long (a file system that hangs, a socket that lingers when it is closed)
 * keeps the workload waiting, but not the launcher, with its signals and --timeout. It starts before PID 1 with
 * memory of its own, enters the box's user and mount namespace and root (no other one: nobody in the box is to see or signal
 * it), gives up all capabilities and nearly all system calls, and ends with the last process in the box.
 */
#ifndef NESTBOX_INIT_LISTENER_H
#define NESTBOX_INIT_LISTENER_H

#include "mountns/fault.h"

struct box;

struct listener {
	int pid; /* 0: none */
	int pidfd;
};

/* In the launcher, while signals are blocked: starts it if BOX needs it. Returns 0, or -1 with the fault. */
int listener_start(struct listener *listener, struct box *box, struct fault *fault);

/* In PID 1, before the host's paths are gone: gives it the box's namespaces, and what it needs of the host. Returns
 * 0, or -1 with the fault. */
int listener_give_host(const struct box *box, struct fault *fault);

/* In PID 1: gives it the root, and the mounts of the files. Returns 0, or -1 with the fault. */
int listener_give_mounts(const struct box *box, struct fault *fault);

/* In the workload's child, before its filters: the wall that asks nobody. Returns 0, or -1 with the fault. */
int listener_confine(const struct box *box, struct fault *fault);

/* In the same: gives it the LISTENER, and closes that. Returns 0, or -errno. */
int listener_begin(const struct box *box, int listener);

struct cow;

/* In whoever answers for copy-on-write: what the command begins with gets its content. Raw calls. */
void listener_fill_command(const struct box *box, const struct cow *cow);

/* In the launcher: takes its exit status, 0 if there was nothing left to do. */
int listener_reap(struct listener *listener);

/* In the launcher, when the box is dead. */
void listener_stop(struct listener *listener);

#endif
