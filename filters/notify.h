/* SPDX-License-Identifier: MIT */
/*
 * A seccomp listener: calls for which a filter says "notify" wait until another process has answered
 * them, see seccomp_unotify(2). That process runs notify_serve() with a table of handlers; --append is
 * one such table, copy-on-write without an overlay another.
 *
 * The caller's memory and descriptors belong to an attacker who has other threads: what a handler has
 * read may be something else a moment later. So
 *
 *  - it reads each thing once, and decides about what it has read;
 *  - it does what it allows by itself (NOTIFY_FD, or a call on a descriptor that target_take() got);
 *  - it says NOTIFY_CONTINUE, upon which the kernel reads everything anew, only where nothing was decided
 *    and another wall (a read-only mount, Landlock) holds whatever that call may be by then.
 *
 * Whoever serves dies or fails: the calls answer ENOSYS. No heap, no errno, no stdio.
 */
#ifndef FILTERS_NOTIFY_H
#define FILTERS_NOTIFY_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct places;

/* A call that waits. */
struct notify_call {
	int listener;
	int proc; /* directory: the procfs in which TID is the caller's number */
	uint64_t id;
	int tid;      /* of the calling thread */
	bool openat2; /* as in struct notify */
	bool late;    /* as in struct notify */
	struct places *places;
	int number;
	uint64_t arguments[6];
	uint64_t pc; /* behind the instruction that made the call */
};

struct notify_answer {
	enum notify_kind {
		NOTIFY_CONTINUE, /* the kernel makes the call: see above */
		NOTIFY_RETURN,   /* the call returns VALUE, or fails with it if it is -errno */
		NOTIFY_FD,    /* it returns a new descriptor of what FD is open on; FD is closed */
		NOTIFY_TAKEN, /* the handler has answered it, or somebody will */
	} kind;
	long value;
	int fd;
	bool cloexec; /* NOTIFY_FD: the new descriptor */
};

static inline struct notify_answer notify_continue(void)
{
	return (struct notify_answer){ .kind = NOTIFY_CONTINUE };
}

static inline struct notify_answer notify_return(long value)
{
	return (struct notify_answer){ .kind = NOTIFY_RETURN, .value = value };
}

static inline struct notify_answer notify_taken(void)
{
	return (struct notify_answer){ .kind = NOTIFY_TAKEN };
}

/* The kernel gives no copies of descriptors with O_PATH away. */
static inline struct notify_answer notify_fd(int fd, bool cloexec)
{
	return (struct notify_answer){ .kind = NOTIFY_FD, .fd = fd, .cloexec = cloexec };
}

/* An argument of 32 bits, which may have anything above them. */
static inline int notify_int(uint64_t argument)
{
	return (int)(uint32_t)argument;
}

typedef struct notify_answer notify_handler(const struct notify_call *call, void *context);

struct notify_row {
	int number; /* of the system call */
	notify_handler *handle;
};

/* Rows, and what their handlers are given. */
struct notify_table {
	const struct notify_row *rows;
	size_t count;
	void *context;
};

struct notify {
	int listener;
	int proc;
	const struct notify_table *tables; /* a call that is in none is answered with ENOSYS */
	size_t table_count;
	/* A descriptor that is waited for as well, and what is done when it can be read, which ends it all with an
	 * -errno. NULL: there is none. */
	int other;
	int (*serve_other)(void *context);
	void *other_context;
	void (*end)(
		void *context); /* when there will be no call any more; the same context; NULL: nothing is done */
	const struct notify_call *call; /* that is being answered, or NULL */
	bool openat2;                   /* who serves may call that, whose flags no filter sees */
	bool two_steps;                 /* ADDFD and SEND are two calls: before Linux 5.14 */
	bool stopped; /* somebody ends who serves: before Linux 6.11 it then does not end by itself */
	/* The kernel takes no answer for a caller that is gone. Nothing that these handlers do before theirs has
	 * an effect but where they have asked notify_waits() themselves, so target.h's need not. */
	bool late;
	struct places *places; /* filters/places.h; NULL: none are kept */
};

/* Whether the kernel has listeners whose records are as long as we know them. Returns 0, or -errno. */
int notify_probe(void);

/* Puts PROGRAM on the calling thread; FLAGS as of seccomp(2). Returns the listener, closed on exec, or
 * -errno: -EBUSY when there is one already, since the kernel has but one listener for a process. */
int notify_install(const struct sock_fprog *program, unsigned int flags);

/* Answers CALL: it returns VALUE, or fails with it if it is -errno. */
void notify_send(const struct notify_call *call, long value);

/* From now on who waits wakes the other on its own processor, where the kernel can do that (Linux 6.6). */
void notify_wake_here(int listener);

/* Answers until the last process with the filter is gone. Returns 0, or -errno. */
int notify_serve(struct notify *notify);

/* Whether the caller still waits. While it does, its TID is nobody else's: to be asked after everything
 * that was found by that number, before it counts. */
bool notify_waits(const struct notify_call *call);

#endif
