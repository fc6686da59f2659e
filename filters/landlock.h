/* SPDX-License-Identifier: MIT */
/*
 * The rules of Landlock, landlock(7): which files may be used how, which TCP ports, and that neither signals
 * nor abstract Unix sockets lead out. A ruleset is a descriptor to which rules are added, in any process,
 * until a process puts itself under it for good. All of it is raw system calls: no heap, no errno.
 */
#ifndef FILTERS_LANDLOCK_H
#define FILTERS_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The first ABI in which a thing is held at all. */
enum {
	LANDLOCK_ABI_REFER = 2,    /* files may move between directories: Linux 5.19 */
	LANDLOCK_ABI_TRUNCATE = 3, /* files are not emptied by truncate(2): Linux 6.2 */
	LANDLOCK_ABI_TCP = 4,      /* Linux 6.7 */
	LANDLOCK_ABI_SCOPES = 6,   /* Linux 6.12 */
};

/* Four of the kernel's LANDLOCK_ACCESS_FS_*; the others are told by GRANT_* of mountns/view.h. */
#define LANDLOCK_WRITE_FILE (1ULL << 1)
#define LANDLOCK_MAKE_REG (1ULL << 8)
#define LANDLOCK_REFER (1ULL << 13)
#define LANDLOCK_TRUNCATE (1ULL << 14)

/* What a ruleset decides about: bits of the kernel's LANDLOCK_ACCESS_FS_*, _NET_* and LANDLOCK_SCOPE_*. */
struct landlock_access {
	uint64_t files, ports, scopes;
};

struct landlock {
	int abi;     /* that stands; 0: none */
	int ruleset; /* -1: none */
	struct landlock_access handled;
};

enum { LANDLOCK_BIND = 1, LANDLOCK_CONNECT = 2, LANDLOCK_PORTS = 65536 };

/* The kernel's ABI, 0 if it has none or that is switched off, or -errno when it may not be asked. */
int landlock_find_abi(void);

/* All that ABI can decide about. Of one that is newer than this file, what the newest one here can. */
struct landlock_access landlock_known(int abi);

/* What RIGHTS, GRANT_* of mountns/view.h, allow of what HANDLED decides about. */
uint64_t landlock_allowed(uint64_t handled, unsigned int rights, bool directory);

/* The same of the flags with which a file was opened. */
uint64_t landlock_opened(uint64_t handled, int flags);

/* Makes the ruleset for LANDLOCK's ABI and what it handles. Returns 0, or -errno. */
int landlock_create(struct landlock *landlock);

/* Adds a rule: ACCESS to what FD is open on and all that is below it. What is on no file system that has
 * names, such as a pipe, needs none. Returns 0, or -errno. */
int landlock_allow_file(const struct landlock *landlock, int fd, uint64_t access);

/* The same for a mount of the view: struct view_watcher. CONTEXT is a struct landlock. */
int landlock_allow_mount(const void *context, int mount, unsigned int rights, bool directory);

/* The names in the open DIRECTORY, and in all below. Returns 0, or -errno. */
int landlock_allow_listing(const struct landlock *landlock, int directory);

/* ACCESS is LANDLOCK_BIND and LANDLOCK_CONNECT, PORT less than LANDLOCK_PORTS. Returns 0, or -errno. */
int landlock_allow_port(const struct landlock *landlock, unsigned int access, unsigned int port);

/* Puts the calling thread under the rules, for good; no_new_privs must be set. Returns 0, or -errno. */
int landlock_restrict(const struct landlock *landlock);

#endif
