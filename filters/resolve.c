/* SPDX-License-Identifier: MIT */
/* Names of calls to numbers, by libseccomp's tables and the profile's own "call" lines. */
#include "filters/generate.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

const struct generate_arch generate_arches[ARCH_COUNT] = {
	[ARCH_X86_64] = { "x86_64", "defined(__x86_64__) && !defined(__ILP32__)", AUDIT_ARCH_X86_64,
			  SCMP_ARCH_X86_64, true },
	[ARCH_AARCH64] = { "aarch64", "defined(__aarch64__) && !defined(__AARCH64EB__)",
			   AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, false },
	[ARCH_ARM] = { "arm", "defined(__arm__) && defined(__ARM_EABI__) && !defined(__ARMEB__)",
		       AUDIT_ARCH_ARM, SCMP_ARCH_ARM, false },
	[ARCH_RISCV64] = { "riscv64", "defined(__riscv) && __riscv_xlen == 64", AUDIT_ARCH_RISCV64,
			   SCMP_ARCH_RISCV64, false },
};

static const struct profile_call *numbered(const struct profile *profile, enum profile_arch arch,
					   const char *name)
{
	for (size_t i = 0; i < profile->call_count; i++)
		if (profile->calls[i].arches & 1U << arch && !strcmp(profile->calls[i].name, name))
			return &profile->calls[i];
	return NULL;
}

/* Negative: this architecture lacks the call. libseccomp's answers for those are negative, too. */
static int resolve(const struct profile *profile, enum profile_arch arch, const char *name)
{
	const struct profile_call *call = numbered(profile, arch, name);

	if (call)
		return (int)call->number;
	return seccomp_syscall_resolve_name_arch(generate_arches[arch].seccomp, name);
}

/* Where libseccomp knows a call that the profile numbers, both must agree. */
static int check_numbers(struct profile *profile, enum profile_arch arch)
{
	for (size_t i = 0; i < profile->call_count; i++) {
		const struct profile_call *call = &profile->calls[i];
		int known = seccomp_syscall_resolve_name_arch(generate_arches[arch].seccomp,
							      call->name);

		if (call->arches & 1U << arch && known >= 0 && (uint32_t)known != call->number)
			return profile_fail_at(profile, call->file, call->line, "%s is %d on %s",
					       call->name, known, generate_arches[arch].name);
	}
	return 0;
}

/* A name that no architecture knows is a slip of the pen, and would leave the call open. */
static int check_name(struct profile *profile, const struct profile_rule *rule)
{
	for (unsigned arch = 0; arch < ARCH_COUNT; arch++)
		if (resolve(profile, arch, rule->name) >= 0)
			return 0;
	return profile_fail_at(profile, rule->file, rule->line, "no architecture knows the call %s",
			       rule->name);
}

static int by_number(const void *left, const void *right)
{
	const struct generate_call *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

int generate_resolve(struct profile *profile, enum profile_arch arch, struct generate_call *calls)
{
	int count = 0;

	if (check_numbers(profile, arch))
		return -1;
	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct profile_rule *rule = &profile->rules[i];
		int number = resolve(profile, arch, rule->name);

		if (check_name(profile, rule))
			return -1;
		if (number < 0 || profile_rule_for(profile, profile->rules, rule->name) != rule)
			continue;
		calls[count++] = (struct generate_call){ (uint32_t)number, rule };
	}
	qsort(calls, (size_t)count, sizeof(*calls), by_number);
	for (int i = 1; i < count; i++)
		if (calls[i - 1].number == calls[i].number)
			return profile_fail_at(profile, calls[i].rule->file, calls[i].rule->line,
					       "%s and %s are one call", calls[i - 1].rule->name,
					       calls[i].rule->name);
	return count;
}
