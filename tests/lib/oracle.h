/* SPDX-License-Identifier: MIT */
/* A profile as libseccomp would compile it: what our own generator is compared with. */
#ifndef TESTS_LIB_ORACLE_H
#define TESTS_LIB_ORACLE_H

#include "filters/generate.h"

#include <linux/seccomp.h>

struct oracle_filter {
	struct sock_filter *code;
	size_t length;
};

/*
 * libseccomp knows neither "the first rule that fits" nor "all but these": so there is a filter for
 * the verdicts without tests, and one for each rule with tests that says only whether these hold.
 * Numbers that libseccomp has no name for it takes for the native architecture only; these
 * have a filter of their own, `raw`.
 */
struct oracle {
	const struct profile *profile;
	enum profile_arch arch;
	struct oracle_filter plain, raw;
	struct oracle_filter tests[PROFILE_RULES]; /* by the rule's index */
};

/* Each returns 0, or -1 with a line on stderr. */
int oracle_make(struct oracle *oracle, const struct profile *profile, enum profile_arch arch);
int oracle_run(const struct oracle *oracle, const struct seccomp_data *data, uint32_t *verdict);
void oracle_free(struct oracle *oracle);

/* All of the policy that fits into one libseccomp filter, as a program that uses the library would
 * write it, with its balanced tree or without. Only for counting and timing. */
int oracle_single(const struct profile *profile, enum profile_arch arch, bool tree,
		  struct oracle_filter *filter);

#endif
