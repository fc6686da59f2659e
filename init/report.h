/* SPDX-License-Identifier: MIT */
/* What the processes in the box tell the launcher, one record a write on the report pipe, or socket where
 * a descriptor goes with a record. */
#ifndef NESTBOX_INIT_REPORT_H
#define NESTBOX_INIT_REPORT_H

#include <stdint.h>

#include "mountns/fault.h"

/* In bubblewrap's order: cgroup, ipc, mnt, net, pid, uts. */
#define INFO_NAMESPACES 6

enum report_kind {
	REPORT_NAMESPACES,   /* which ones the box has; only for --info-fd and the like */
	REPORT_SETUP_FAILED, /* the box could not be made */
	REPORT_EXEC_FAILED,  /* the box stands, the command could not be run */
	REPORT_MISSING,      /* a wall could not be built, and the start goes on */
	REPORT_STARTED,      /* the workload runs; only for --status-fd */
	REPORT_STOPPED,      /* the workload was stopped by a signal */
	REPORT_ENDED,        /* the workload ended */
	REPORT_TERMINAL,     /* with a descriptor: the master of the box's terminal */
	REPORT_PLACE, /* the same, to init/listener.c: namespaces, the root, mounts of files in turn … */
	REPORT_LISTENER, /* … then the workload's seccomp listener */
};

/* No more than PIPE_BUF bytes, so that a write is all or nothing: pipe(7). */
struct report {
	enum report_kind kind;
	int status; /* REPORT_STOPPED, REPORT_ENDED: as of wait(2); REPORT_MISSING: enum wall */
	int error;  /* errno of a failure */
	union {
		struct { /* of a failure and what is missing; cut if longer */
			char step[24];
			char reason[104];
			char object[256];
			char detail[112];
		};
		uint64_t namespaces[INFO_NAMESPACES]; /* their inode numbers, 0: the caller's own */
	};
};

/* Sends a record to FD. Nothing can be done if that fails: the launcher is gone then. */
void report_send(int fd, enum report_kind kind, int status);
void report_namespaces(int fd, const uint64_t ids[INFO_NAMESPACES]);
void report_fault(int fd, enum report_kind kind, const struct fault *fault);
void report_missing(int fd, int wall, const struct fault *fault);

/* Sends a record with a copy of descriptor SENT to FD, a socket. Returns 0, or -errno. */
int report_send_fd(int fd, enum report_kind kind, int sent);

/* Reads the next record. Returns 1, 0 at the end, or -errno. */
int report_read(int fd, struct report *report);

/* The same from a socket. *SENT is the descriptor that came with the record, close-on-exec, if it is one
 * of the kinds that have one, or else -1. Anything else but exactly that is closed: -EPROTO. */
int report_read_fd(int fd, struct report *report, int *sent);

/* The exit status that stands for a wait(2) status: the code, or 128 plus the signal's number. */
int report_exit_status(int wait_status);

/* The fault in a failure's record; its strings are REPORT's. */
struct fault report_to_fault(const struct report *report);

#endif
