/* SPDX-License-Identifier: MIT */
/* The built-in filters, for all four architectures: against libseccomp's opinion of the same
 * profile, call by call; and the rows that matter most, spelled out. */
#define FILTER_ALL_ARCHES

#include "filters/filter.h"
#include "filters/generate.h"
#include "tests/lib/bpf.h"
#include "tests/lib/oracle.h"
#include "tests/unit/expect.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "filters_generated.h"

#ifndef FILTER_SOURCE
#define FILTER_SOURCE "filters" /* tests run at the top of the repository */
#endif

#define ARRAY(name)                                                                                \
	{                                                                                          \
		name, COUNT(name)                                                                  \
	}
#define ARRAYS(name)                                                                               \
	{                                                                                          \
		ARRAY(name##_x86_64), ARRAY(name##_aarch64), ARRAY(name##_arm),                    \
			ARRAY(name##_riscv64)                                                      \
	}

enum {
	LAST_CALL = 600,
	KERNEL_CALLS = 472, /* Linux 6.19 */
	RANDOM_ARGUMENTS = 4000,
};

struct array {
	const struct sock_filter *code;
	size_t length;
};

static const struct array arrays[PROFILE_COUNT][ARCH_COUNT] = {
	[DEFAULT] = ARRAYS(default),
	[STRICT] = ARRAYS(strict),
	[NETWORK] = ARRAYS(network),
	[NONE] = ARRAYS(none),
	[DEFAULT_USERNS] = ARRAYS(default_userns),
	[PID1] = ARRAYS(pid1),
	[INIT] = ARRAYS(init),
	[TSC] = ARRAYS(tsc),
	[ONCE] = ARRAYS(once),
	[APPEND] = ARRAYS(append),
	[LISTENER] = ARRAYS(listener),
	[COW] = ARRAYS(cow),
	[COW_LISTENER] = ARRAYS(cow_listener),
	[STANDIN] = ARRAYS(standin),
	[TCP] = ARRAYS(tcp),
	[LOCAL] = ARRAYS(local),
	[UNBOXED] = ARRAYS(unboxed),
	[OWNED] = ARRAYS(owned),
	[ATTRIBUTES] = ARRAYS(attributes),
	[GUARD] = ARRAYS(guard),
	[GUARD_COW] = ARRAYS(guard_cow),
};

static struct profile *profiles;

static uint32_t ask(unsigned which, enum profile_arch arch, const struct seccomp_data *data)
{
	const struct array *array = &arrays[which][arch];
	uint32_t verdict;

	assert_true(bpf_run(array->code, array->length, data, &verdict) > 0);
	return verdict;
}

static int number_of(unsigned which, enum profile_arch arch, const char *name)
{
	const struct profile *profile = &profiles[which];

	for (size_t i = 0; i < profile->call_count; i++)
		if (profile->calls[i].arches & 1U << arch && !strcmp(profile->calls[i].name, name))
			return (int)profile->calls[i].number;
	return seccomp_syscall_resolve_name_arch(generate_arches[arch].seccomp, name);
}

/* Fail with words that say which call it was. */
static void check(unsigned which, enum profile_arch arch, const char *name,
		  const struct seccomp_data *data, uint32_t expected)
{
	uint32_t verdict = ask(which, arch, data);

	if (verdict != expected)
		fail_msg("%s, %s: %s (%d) %#llx %#llx %#llx: 0x%08x, not 0x%08x",
			 profile_files[which], generate_arches[arch].name, name, data->nr,
			 (unsigned long long)data->args[0], (unsigned long long)data->args[1],
			 (unsigned long long)data->args[2], verdict, expected);
}

/* A row holds wherever its call is. On ARM an argument has 32 bits. */
static void check_row(enum which which, const struct row *row)
{
	for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
		struct seccomp_data data = { .arch = generate_arches[arch].audit };

		if (!(row->arches & 1U << arch))
			continue;
		data.nr = number_of(which, arch, row->name);
		assert_true(data.nr >= 0);
		for (size_t i = 0; i < COUNT(row->args); i++)
			data.args[i] = arch == ARCH_ARM ? (uint32_t)row->args[i] : row->args[i];
		check(which, arch, row->name, &data, row->verdict);
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (enum which which = 0; which < PROFILE_COUNT; which++)
		for (size_t i = 0; i < expectations[which].count; i++)
			check_row(which, &expectations[which].rows[i]);
}

static const uint32_t foreign_arches[] = {
	AUDIT_ARCH_I386,
	AUDIT_ARCH_ARMEB,
	AUDIT_ARCH_MIPS,
	AUDIT_ARCH_PPC64LE,
	AUDIT_ARCH_S390X,
	AUDIT_ARCH_RISCV32,
	0,
	UINT32_MAX,
};

/* Whatever the number: the same one means another call there. */
static void test_foreign_arch(void **state)
{
	(void)state;
	for (unsigned which = 0; which < PROFILE_COUNT; which++)
		for (unsigned arch = 0; arch < ARCH_COUNT; arch++)
			for (size_t i = 0; i < COUNT(foreign_arches) + ARCH_COUNT; i++)
				for (int number = -1; number <= LAST_CALL; number++) {
					struct seccomp_data data = { .nr = number };

					data.arch = i < ARCH_COUNT ? generate_arches[i].audit
								   : foreign_arches[i - ARCH_COUNT];
					if (i != arch)
						check(which, arch, "foreign", &data,
						      SECCOMP_RET_KILL_PROCESS);
				}
}

static void test_x32(void **state)
{
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64 };

	(void)state;
	for (unsigned which = 0; which < PROFILE_COUNT; which++) {
		for (int number = 0; number <= LAST_CALL; number++) {
			data.nr = 0x40000000 | number;
			check(which, ARCH_X86_64, "x32", &data, SECCOMP_RET_KILL_PROCESS);
			data.nr = (int)(0xc0000000U | (unsigned)number);
			check(which, ARCH_X86_64, "x32", &data, SECCOMP_RET_KILL_PROCESS);
		}
	}
}

/* Newer than the profile: as if the kernel lacked it. 470 is one that we leave out on purpose. */
static void test_unknown_numbers(void **state)
{
	static const int unknown[] = { 470, 472, 500, 600, 9999, 0xf0007, 0x3fffffff, -1 };

	(void)state;
	for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
		for (size_t i = 0; i < COUNT(unknown); i++) {
			struct seccomp_data data = { .nr = unknown[i],
						     .arch = generate_arches[arch].audit };

			for (unsigned which = 0; which < PROFILE_COUNT; which++)
				check(which, arch, "unknown", &data, profiles[which].otherwise);
		}
	}
}

/* PID 1's filter allows this and not one call more. */
static void test_pid1(void **state)
{
	static const char *const needed[] = {
		"rt_sigtimedwait",
		"rt_sigtimedwait_time64",
		"wait4",
		"waitid",
		"clock_gettime",
		"clock_gettime64",
		"kill",
		"write",
		"exit",
		"exit_group",
		"rt_sigreturn",
		"restart_syscall",
	};

	(void)state;
	for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
		size_t allowed = 0, present = 0;

		for (size_t i = 0; i < COUNT(needed); i++) {
			struct seccomp_data data = { .arch = generate_arches[arch].audit };

			data.nr = number_of(PID1, arch, needed[i]);
			if (data.nr >= 0 && ++present)
				check(PID1, arch, needed[i], &data, SECCOMP_RET_ALLOW);
		}
		for (int number = 0; number <= 0xf0010; number++) {
			struct seccomp_data data = { .nr = number,
						     .arch = generate_arches[arch].audit };

			allowed += ask(PID1, arch, &data) == SECCOMP_RET_ALLOW;
		}
		assert_int_equal(allowed, present);
	}
}

/* A value from the tests of the call's rules, as it is, or with something changed that should, or
 * should not, matter. */
static uint64_t near_value(const struct profile *profile, const struct profile_rule *rule,
			   unsigned arg)
{
	const struct profile_test *tests[PROFILE_TESTS * 16];
	size_t count = 0;
	uint64_t value = 0, random = (uint64_t)rand() << 32 ^ (uint64_t)rand() << 11;

	for (; rule; rule = profile_rule_for(profile, rule + 1, rule->name))
		for (size_t i = 0; i < rule->test_count; i++)
			if (rule->tests[i].arg == arg && count < COUNT(tests))
				tests[count++] = &rule->tests[i];
	if (!count)
		return random;
	count = (size_t)rand() % count;
	value = tests[count]->values[(size_t)rand() % tests[count]->value_count];
	switch (rand() % 6) {
	case 0:
		return value ^ UINT64_C(1) << rand() % 64;
	case 1:
		return value + (uint64_t)(rand() % 3) - 1;
	case 2:
		return value | (random & ~tests[count]->mask);
	case 3:
		return value | random << 32;
	case 4:
		return random >> rand() % 64;
	default:
		return value;
	}
}

/* One number, against libseccomp; a call with tests many times. Returns how often. */
static unsigned compare_number(unsigned which, enum profile_arch arch, const struct oracle *oracle,
			       uint32_t number)
{
	const struct profile *profile = &profiles[which];
	struct seccomp_data data = { .nr = (int)number, .arch = generate_arches[arch].audit };
	char *name = seccomp_syscall_resolve_num_arch(generate_arches[arch].seccomp, data.nr);
	const struct profile_rule *rule =
		name ? profile_rule_for(profile, profile->rules, name) : NULL;
	unsigned runs = rule && rule->test_count ? RANDOM_ARGUMENTS : 2;
	/* An argument has no more than a register. */
	static const uint64_t bits[ARCH_COUNT] = { UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX };
	uint32_t expected;

	for (unsigned run = 0; run < runs; run++) {
		for (unsigned arg = 0; arg < 6; arg++)
			data.args[arg] = run ? near_value(profile, rule, arg) & bits[arch] : 0;
		assert_int_equal(oracle_run(oracle, &data, &expected), 0);
		check(which, arch, name ? name : "?", &data, expected);
	}
	free(name);
	return runs;
}

static void compare_arch(unsigned which, enum profile_arch arch)
{
	static const uint32_t odd[] = {
		470,        472,        9999,       0xf0000,    0xf0001,    0xf0002,
		0xf0003,    0xf0004,    0xf0005,    0xf0006,    0xf0007,    0x10000,
		0x0fffffff, 0x3fffffff, 0x40000000, 0x40000001, 0x40000208, 0x7fffffff,
		0x80000000, 0xc0000000, 0xfffffffe, 0xffffffff,
	};
	struct oracle *oracle = malloc(sizeof(*oracle));
	unsigned long runs = 0;

	assert_non_null(oracle);
	assert_int_equal(oracle_make(oracle, &profiles[which], arch), 0);
	for (uint32_t number = 0; number <= LAST_CALL; number++)
		runs += compare_number(which, arch, oracle, number);
	for (size_t i = 0; i < COUNT(odd); i++)
		runs += compare_number(which, arch, oracle, odd[i]);
	print_message("# %s, %s: %lu verdicts agree with libseccomp's\n", profile_files[which],
		      generate_arches[arch].name, runs);
	oracle_free(oracle);
	free(oracle);
}

static void test_libseccomp_agrees(void **state)
{
	(void)state;
	for (unsigned which = 0; which < PROFILE_COUNT; which++)
		for (unsigned arch = 0; arch < ARCH_COUNT; arch++)
			compare_arch(which, arch);
}

/* The average number of instructions that a call number takes: what the kernel walks at install. */
static double average_steps(const struct sock_filter *code, size_t length, enum profile_arch arch)
{
	struct seccomp_data data = { .arch = generate_arches[arch].audit };
	uint32_t verdict;
	long steps = 0;

	for (data.nr = 0; data.nr < KERNEL_CALLS; data.nr++)
		steps += bpf_run(code, length, &data, &verdict);
	return (double)steps / KERNEL_CALLS;
}

/* For how many calls the kernel need not run the filter: seccomp_is_const_allow() in its
 * kernel/seccomp.c. */
static unsigned constant_calls(const struct sock_filter *code, size_t length,
			       enum profile_arch arch)
{
	unsigned count = 0;

	for (int number = 0; number < KERNEL_CALLS; number++)
		count += bpf_always_allows(code, length, number, generate_arches[arch].audit);
	return count;
}

/* libseccomp's are smaller than they ought to be: one filter cannot say all of the profile. */
static void check_constant(enum which which, enum profile_arch arch, const struct array *ours,
			   const struct oracle_filter *list)
{
	unsigned constant = constant_calls(ours->code, ours->length, arch), allowed = 0;

	for (int number = 0; number < KERNEL_CALLS; number++) {
		struct seccomp_data data = { .nr = number, .arch = generate_arches[arch].audit };

		allowed += ask(which, arch, &data) == SECCOMP_RET_ALLOW;
	}
	print_message("#   allowed without a run %u of %u; libseccomp's %u\n", constant, allowed,
		      constant_calls(list->code, list->length, arch));
	/* The rest has arguments that matter. */
	assert_true(profiles[which].uncached ? constant == 0 : constant + 20 >= allowed);
}

static void test_sizes(void **state)
{
	(void)state;
	for (unsigned which = 0; which < PROFILE_COUNT; which++) {
		for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
			const struct array *ours = &arrays[which][arch];
			struct oracle_filter list, tree;

			assert_int_equal(oracle_single(&profiles[which], arch, false, &list), 0);
			assert_int_equal(oracle_single(&profiles[which], arch, true, &tree), 0);
			print_message("# %s, %s: %zu instructions, %.1f a call; "
				      "libseccomp %zu, %.1f; its tree %zu, %.1f\n",
				      profile_files[which], generate_arches[arch].name,
				      ours->length, average_steps(ours->code, ours->length, arch),
				      list.length, average_steps(list.code, list.length, arch),
				      tree.length, average_steps(tree.code, tree.length, arch));
			check_constant(which, arch, ours, &list);
			/* A filter for two calls need not be the best, nor one that libseccomp makes
			 * without some of its rules. */
			if (profiles[which].rule_count > 3 && which != LISTENER &&
			    which != COW_LISTENER && which != STANDIN && which != GUARD_COW)
				assert_true(average_steps(ours->code, ours->length, arch) <
					    average_steps(tree.code, tree.length, arch) + 0.1);
			free(list.code);
			free(tree.code);
		}
	}
}

static const struct filter *picked(unsigned which)
{
	switch (which) {
	case DEFAULT_USERNS:
		return filter_find("default", true);
	case PID1:
		return &filter_pid1;
	case INIT:
		return &filter_init;
	case TSC:
		return &filter_tsc;
	case ONCE:
		return &filter_once;
	case APPEND:
		return &filter_append;
	case COW:
		return &filter_cow;
	case COW_LISTENER:
		return &filter_cow_listener;
	case STANDIN:
		return &filter_standin;
	case LISTENER:
		return &filter_listener;
	case TCP:
		return &filter_tcp;
	case LOCAL:
		return &filter_local;
	case UNBOXED:
		return &filter_unboxed;
	case OWNED:
		return &filter_owned;
	case ATTRIBUTES:
		return &filter_attributes;
	case GUARD:
		return &filter_guard;
	case GUARD_COW:
		return &filter_guard_cow;
	default:
		return filter_find(filter_names[which], false);
	}
}

/* What filter.c picks must be this machine's. */
static void test_selection(void **state)
{
	static const struct {
		const char *machine;
		enum profile_arch arch;
	} machines[] = {
		{ "x86_64", ARCH_X86_64 },
		{ "aarch64", ARCH_AARCH64 },
		{ "armv7l", ARCH_ARM },
		{ "riscv64", ARCH_RISCV64 },
	};
	struct utsname name;

	(void)state;
	assert_int_equal(uname(&name), 0);
	for (size_t i = 0; i < COUNT(machines); i++) {
		if (strcmp(machines[i].machine, name.machine))
			continue;
		for (unsigned which = 0; which < PROFILE_COUNT; which++) {
			const struct filter *filter = picked(which);

			assert_non_null(filter);
			assert_int_equal(filter->len, arrays[which][machines[i].arch].length);
			assert_memory_equal(filter->code, arrays[which][machines[i].arch].code,
					    filter->len * sizeof(struct sock_filter));
		}
		return;
	}
	fail_msg("unknown machine: %s", name.machine);
}

static int read_profiles(void **state)
{
	(void)state;
	profiles = calloc(PROFILE_COUNT, sizeof(*profiles));
	if (!profiles)
		return -1;
	for (unsigned which = 0; which < PROFILE_COUNT; which++) {
		static char path[PROFILE_COUNT][PROFILE_PATH];
		FILE *in;

		snprintf(path[which], PROFILE_PATH, FILTER_SOURCE "/%s", profile_files[which]);
		in = fopen(path[which], "re");
		if (!in || profile_parse(&profiles[which], path[which], in)) {
			print_error("# %s: %s\n", path[which],
				    in ? profiles[which].error : strerror(errno));
			return -1;
		}
		fclose(in);
	}
	return 0;
}

static int free_profiles(void **state)
{
	(void)state;
	free(profiles);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),  cmocka_unit_test(test_foreign_arch),
		cmocka_unit_test(test_x32),   cmocka_unit_test(test_unknown_numbers),
		cmocka_unit_test(test_pid1),  cmocka_unit_test(test_libseccomp_agrees),
		cmocka_unit_test(test_sizes), cmocka_unit_test(test_selection),
	};

	return cmocka_run_group_tests_name("filter", tests, read_profiles, free_profiles);
}
