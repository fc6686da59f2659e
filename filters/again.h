/* SPDX-License-Identifier: MIT */
/*
 * A notified call that its caller makes again, with other paths: what a listener cannot do in the caller's place, since
 * it concerns the caller itself (chdir, execve), its rights and its umask.
 *
 * The listener traces the calling thread for as long as that takes (ptrace(2): PTRACE_SEIZE, PTRACE_INTERRUPT), lets
 * the notified call return, puts the paths into a page that the caller is made to map, and has it make the call with
 * these. Then the page goes, the registers are as they were, with the call's result, and the thread is let go. The
 * call's last argument is AGAIN_MARK meanwhile, which the filter lets pass. Whoever puts that there by himself gets
 * what the kernel alone would have said: the walls are others.
 *
 * Nothing here waits for the caller: a call may take as long as it likes. Should the listener end before it, the
 * caller is killed, since its registers are not its own.
 *
 * The listener must get SIGCHLD when a thread stops (no SA_NOCLDSTOP). Besides ptrace, wait4, waitid, process_vm_readv
 * and process_vm_writev it calls setitimer and gets SIGALRM. The filter of the callers has to let mmap and munmap pass.
 *
 * A caller that shares its memory and executes a program or is killed leaves the page behind, and so does a fork(2) by
 * another thread meanwhile. The next call that uses the slot there takes it away.
 */
#ifndef FILTERS_AGAIN_H
#define FILTERS_AGAIN_H

#include <limits.h>

#include "filters/again_registers.h"
#include "filters/notify.h"

#define AGAIN_MARK 0x6e657374 /* none of the calls in question has a sixth argument */
#define AGAIN_SLOTS 64        /* calls at a time */
#define AGAIN_PATHS 2         /* of a call */
#define AGAIN_TEXTS 3         /* of a list */
#define AGAIN_REST 1024       /* and of the caller's there */

struct again_path {
	unsigned int argument; /* 0 to 4 */
	const char *text;
};

/* An array of strings that ARGUMENT points to, as that of execve(2): others first, then the caller's. */
struct again_list {
	unsigned int argument;
	const char *texts[AGAIN_TEXTS];
	size_t text_count;
	const unsigned long *rest; /* its pointers, with the NULL */
	size_t rest_count;
};

struct again_slot {
	struct notify_call call; /* its TID is 0: this one is free */
	enum again_step {
		AGAIN_STOPPING,  /* the notified call has an answer */
		AGAIN_MAPPING,   /* where the kernel is asked to */
		AGAIN_ELSEWHERE, /* or where it likes */
		AGAIN_CALLING,
		AGAIN_UNMAPPING,
		AGAIN_RETURNING,
	} step;
	bool lost;   /* it has left the notified call before we had it */
	bool inside; /* of the step's call: its next stop is at the end */
	struct registers registers;
	uint64_t mask;
	uint64_t page;
	long result;
	size_t path_count, size;
	unsigned int arguments[AGAIN_PATHS], offsets[AGAIN_PATHS];
	unsigned int list, list_argument; /* where it is; 0: there is none */
	size_t list_texts;
	char text[16 + (AGAIN_PATHS + 1) * PATH_MAX +
		  AGAIN_REST * sizeof(long)]; /* what is in the page */
};

/* With room for a number of calls at a time; zeroed: none. */
struct again {
	struct again_slot slots[AGAIN_SLOTS];
};

/* Once, before the others. SIGALRM is theirs from then on, and not blocked; that of others is for PROCESS, which is
 * not reaped before the last of them. */
void again_prepare(int process);

/* Takes CALL over. Returns 0, upon which it is NOTIFY_TAKEN, or -errno: nothing has happened. That is
 * -EAGAIN when there is no slot, -EPERM when somebody else traces the caller or we may not, and -ESRCH when it does not
 * wait any more. */
int again_start(struct again *again, const struct notify_call *call, const struct again_path *paths,
		size_t count);

/* The same with a LIST as well, or NULL. -E2BIG if that does not fit. */
int again_start_list(struct again *again, const struct notify_call *call,
		     const struct again_path *paths, size_t count, const struct again_list *list);

/* What wait4(2) with __WALL has said of TID: everything, also of the listener's own children, which may be
 * callers. Of a thread that it does not know it only sees to it that it goes on. */
void again_event(struct again *again, int tid, int status);

#endif
