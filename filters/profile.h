/* SPDX-License-Identifier: MIT */
/*
 * The text of a system call profile, as data. Only the generator (compile.c) and the tests read
 * profiles; nestbox itself carries the finished BPF.
 *
 * The language: one statement a line, words apart by blanks, "#" starts a comment.
 *
 *	define NAME VALUE	a word for a number (decimal, 0x..., 0...)
 *	include FILE		the statements of a file beside this one. Rules before it win: what they
 *				leave open is decided there
 *	call NAME NUMBER [ARCH...]
 *				a call that libseccomp may not know yet. From 424 on numbers are the
 *				same everywhere; below that the architectures must be named
 *	uncached		few calls will be made under this filter. The kernel normally tries
 *				all call numbers when it installs a filter, so that it need not run
 *				it for those always allowed; this makes it not try
 *	otherwise VERDICT	the answer for every call not named, exactly once
 *	VERDICT NAME...		the answer for these calls
 *	VERDICT NAME... if TEST [and TEST]...
 *				the answer if all tests hold, else the next rule of the same call
 *
 *	pointers ARG[?]... NAME...
 *				EFAULT for these calls where one of these arguments points into the
 *				kernel's half of the address space. One with a "?" is left alone if it
 *				may be a negative int. Else they are allowed
 *
 *	VERDICT:	allow | deny (EPERM) | answer ERRNO | kill (the process) |
 *			notify (whoever holds the filter's descriptor is asked; nobody: ENOSYS)
 *	TEST:		argN:32 [& MASK] == VALUE	argN:32 [& MASK] in VALUE...
 *			argN:64 ...			a VALUE of ":32" may be a range, FIRST..LAST
 *
 * N is 0 to 5. The width is always said: ":32" looks at the low half only, for arguments that the
 * kernel cuts to an int; ":64" looks at everything. The first rule of a call that fits wins; its
 * last rule must be one without tests, so that no call ends in "otherwise" by oversight.
 *
 * What no profile can change: another architecture's calls, and x32 ones, kill the process.
 */
#ifndef FILTERS_PROFILE_H
#define FILTERS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	PROFILE_NAME = 40,   /* bytes of a name, with its NUL */
	PROFILE_VALUES = 16, /* values in one "in" list */
	PROFILE_TESTS = 3,   /* tests in one rule */
	PROFILE_RULES = 2048,
	PROFILE_DEFINES = 128,
	PROFILE_CALLS = 128,
	PROFILE_FILES = 8,  /* with those that are included */
	PROFILE_PATH = 256, /* bytes of a file's name */
};

/* Bits of struct profile_call.arches; also the index into generate.h's table. */
enum profile_arch { ARCH_X86_64, ARCH_AARCH64, ARCH_ARM, ARCH_RISCV64, ARCH_COUNT };

struct profile_test {
	unsigned arg;
	bool wide;    /* all 64 bits, not the low 32 */
	bool kernel;  /* does it point into the kernel? No mask and no values then */
	bool perhaps; /* the same; a negative int does not */
	uint64_t mask;
	uint64_t values[PROFILE_VALUES];
	uint64_t last[PROFILE_VALUES]; /* of the range; the value itself where that is one */
	size_t value_count;
};

/* One rule for one call; a line that names five calls makes five. */
struct profile_rule {
	char name[PROFILE_NAME];
	const char *file;
	unsigned line;
	unsigned depth;   /* of the file: 0, or how often it was included */
	uint32_t verdict; /* a SECCOMP_RET_ value */
	struct profile_test tests[PROFILE_TESTS];
	size_t test_count; /* 0: always */
};

struct profile_define {
	char name[PROFILE_NAME];
	const char *file;
	uint64_t value;
};

struct profile_call {
	char name[PROFILE_NAME];
	const char *file;
	unsigned line;
	uint32_t number;
	unsigned arches; /* one bit for each enum profile_arch */
};

struct profile {
	const char *file; /* where the parser stands, at the end the one that was asked for */
	unsigned line;
	unsigned depth;
	char files[PROFILE_FILES][PROFILE_PATH]; /* that were included */
	size_t file_count;
	struct profile_rule rules[PROFILE_RULES];
	size_t rule_count;
	struct profile_define defines[PROFILE_DEFINES];
	size_t define_count;
	struct profile_call calls[PROFILE_CALLS];
	size_t call_count;
	uint32_t otherwise;
	const char *otherwise_file; /* the one that said it; NULL: none yet */
	bool uncached;
	char error[256]; /* "file:line: reason" after a failure */
};

/* Names in profiles, in the order of enum profile_arch. */
extern const char *const profile_arch_names[ARCH_COUNT];

/* Read all of `in`; `file` is the name for messages and must outlive `profile`.
 * Returns 0, or -1 with profile->error set. The struct is about 2 MB: keep it off the stack. */
int profile_parse(struct profile *profile, const char *file, FILE *in);

/* The first rule at or after `rule` for the call `name`, or NULL. */
const struct profile_rule *profile_rule_for(const struct profile *profile,
					    const struct profile_rule *rule, const char *name);

/* Put "file:line: reason" into profile->error (the first error stays). Returns -1. The place is
 * where the parser stands. */
int profile_fail(struct profile *profile, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, and the place is FILE and LINE. */
int profile_fail_at(struct profile *profile, const char *file, unsigned line, const char *format,
		    ...) __attribute__((format(printf, 4, 5)));

#endif
