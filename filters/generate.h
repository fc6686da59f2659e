/* SPDX-License-Identifier: MIT */
/* From the rules of a profile to classic BPF, for one architecture. Build time only. */
#ifndef FILTERS_GENERATE_H
#define FILTERS_GENERATE_H

#include "filters/profile.h"

#include <linux/filter.h>

/* What a filter must know of an architecture. All of them are little-endian. */
struct generate_arch {
	const char *name;      /* as in profiles and in the names of the arrays */
	const char *condition; /* true in a C compiler for this architecture */
	uint32_t audit;        /* seccomp_data.arch */
	uint32_t seccomp;      /* libseccomp's token */
	bool x32;              /* shares its AUDIT_ARCH with x32, whose numbers have bit 30 set */
};

extern const struct generate_arch generate_arches[ARCH_COUNT];

/* A call's number there and the first of its rules. */
struct generate_call {
	uint32_t number;
	const struct profile_rule *rule;
};

/* Resolve every call that the profile names. `calls` has room for PROFILE_RULES; the result is
 * sorted by number. Returns their number, or -1 with profile->error set. */
int generate_resolve(struct profile *profile, enum profile_arch arch, struct generate_call *calls);

/* Write the filter for `calls` (sorted) to `code`, which has room for BPF_MAXINSNS.
 * Returns the number of instructions, or -1 with profile->error set. */
int generate_filter(struct profile *profile, enum profile_arch arch,
		    const struct generate_call *calls, size_t count, struct sock_filter *code);

#endif
