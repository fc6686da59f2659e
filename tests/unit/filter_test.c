/* SPDX-License-Identifier: MIT */
/* The built-in filters, for all four architectures: against libseccomp's opinion of the same
 * profile, call by call; and the rows that matter most, spelled out. */
#define FILTER_ALL_ARCHES

#include "filters/filter.h"
#include "filters/generate.h"
#include "tests/lib/bpf.h"
#include "tests/lib/oracle.h"

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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ARRAY(name)                                                                                \
	{                                                                                          \
		name, COUNT(name)                                                                  \
	}
#define ARRAYS(name)                                                                               \
	{                                                                                          \
		ARRAY(name##_x86_64), ARRAY(name##_aarch64), ARRAY(name##_arm),                    \
			ARRAY(name##_riscv64)                                                      \
	}
#define RET(error) (SECCOMP_RET_ERRNO | (error))

enum {
	LAST_CALL = 600,
	RANDOM_ARGUMENTS = 4000,
};

enum {
	DEFAULT,
	STRICT,
	NETWORK,
	NONE,
	DEFAULT_USERNS,
	NETWORK_USERNS,
	PID1,
	INIT,
	ONCE,
	PROFILE_COUNT
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
	[NETWORK_USERNS] = ARRAYS(network_userns),
	[PID1] = ARRAYS(pid1),
	[INIT] = ARRAYS(init),
	[ONCE] = ARRAYS(once),
};

static const char *const files[PROFILE_COUNT] = {
	[DEFAULT] = FILTER_SOURCE "/default.profile",
	[STRICT] = FILTER_SOURCE "/strict.profile",
	[NETWORK] = FILTER_SOURCE "/network.profile",
	[NONE] = FILTER_SOURCE "/none.profile",
	[DEFAULT_USERNS] = FILTER_SOURCE "/default_userns.profile",
	[NETWORK_USERNS] = FILTER_SOURCE "/network_userns.profile",
	[PID1] = FILTER_SOURCE "/pid1.profile",
	[INIT] = FILTER_SOURCE "/init.profile",
	[ONCE] = FILTER_SOURCE "/once.profile",
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
		fail_msg("%s, %s: %s (%d) %#llx %#llx %#llx: 0x%08x, not 0x%08x", files[which],
			 generate_arches[arch].name, name, data->nr,
			 (unsigned long long)data->args[0], (unsigned long long)data->args[1],
			 (unsigned long long)data->args[2], verdict, expected);
}

#define ALL 0xfU
#define X86 (1U << ARCH_X86_64)
#define ARM (1U << ARCH_ARM)
#define RISCV (1U << ARCH_RISCV64)
#define HIGH 0x100000000ULL
#define ALLOW SECCOMP_RET_ALLOW

/* What the default profile must say, whatever else changes in it. */
static const struct row {
	const char *name;
	unsigned arches;
	uint32_t verdict;
	uint64_t args[3];
} rows[] = {
	/* The terminal, also with bits that the kernel does not look at. */
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 | HIGH } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 | 0xffffffff00000000 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541c } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541c | HIGH } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541d } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5423 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x5401 } }, /* TCGETS */
	{ "ioctl", ALL, ALLOW, { 0, 0x5413 } }, /* TIOCGWINSZ */
	{ "ioctl", ALL, ALLOW, { 0, 0x541b } }, /* FIONREAD */
	{ "ioctl", ALL, ALLOW, { 0, 0x5421 } }, /* FIONBIO */
	{ "ioctl", ALL, ALLOW, { 0x5412, 0x5401, 0x5412 } },

	/* What outlasts the box on a file. */
	{ "ioctl", ALL, RET(EPERM), { 3, 1 } },          /* FIBMAP */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x40086602 } }, /* FS_IOC_SETFLAGS */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x40046602 } },
	{ "ioctl", ALL, RET(EPERM), { 3, 0xffffffff40086602 } }, /* as a negative int */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x401c5820 } },         /* FS_IOC_FSSETXATTR */
	{ "ioctl", ALL, RET(EPERM), { 3, 0xc0045877 } },         /* FIFREEZE */
	{ "ioctl", ALL, ALLOW, { 3, 0x80086601 } },              /* FS_IOC_GETFLAGS */
	{ "ioctl", ALL, ALLOW, { 3, 0x40049409 } },              /* FICLONE */
	{ "file_setattr", ALL, RET(EPERM), { 0 } },
	{ "file_getattr", ALL, ALLOW, { 0 } },

	/* Namespaces. */
	{ "clone", ALL, ALLOW, { 17 } },                   /* fork */
	{ "clone", ALL, ALLOW, { 0x3d0f00 } },             /* a thread */
	{ "clone", ALL, ALLOW, { 0x4111 } },               /* vfork */
	{ "clone", ALL, RET(EPERM), { 0x00020000 | 17 } }, /* NEWNS */
	{ "clone", ALL, RET(EPERM), { 0x02000000 | 17 } }, /* NEWCGROUP */
	{ "clone", ALL, RET(EPERM), { 0x04000000 | 17 } }, /* NEWUTS */
	{ "clone", ALL, RET(EPERM), { 0x08000000 | 17 } }, /* NEWIPC */
	{ "clone", ALL, RET(EPERM), { 0x10000000 | 17 } }, /* NEWUSER */
	{ "clone", ALL, RET(EPERM), { 0x20000000 | 17 } }, /* NEWPID */
	{ "clone", ALL, RET(EPERM), { 0x40000000 | 17 } }, /* NEWNET */
	{ "clone", ALL, RET(EPERM), { 0x10000000 | HIGH | 17 } },
	{ "clone3", ALL, RET(ENOSYS), { 0 } },
	{ "unshare", ALL, RET(EPERM), { 0 } },
	{ "unshare", ALL, RET(EPERM), { 0x80 } },
	{ "setns", ALL, RET(EPERM), { 0 } },

	/* Mounts, by the old calls and the new. */
	{ "mount", ALL, RET(EPERM), { 0 } },
	{ "umount2", ALL, RET(EPERM), { 0 } },
	{ "pivot_root", ALL, RET(EPERM), { 0 } },
	{ "chroot", ALL, RET(EPERM), { 0 } },
	{ "open_tree", ALL, RET(EPERM), { 0 } },
	{ "open_tree_attr", ALL, RET(EPERM), { 0 } },
	{ "move_mount", ALL, RET(EPERM), { 0 } },
	{ "fsopen", ALL, RET(EPERM), { 0 } },
	{ "fsconfig", ALL, RET(EPERM), { 0 } },
	{ "fsmount", ALL, RET(EPERM), { 0 } },
	{ "fspick", ALL, RET(EPERM), { 0 } },
	{ "mount_setattr", ALL, RET(EPERM), { 0 } },
	{ "open_by_handle_at", ALL, RET(EPERM), { 0 } },

	/* The rest of what is known to be bad. */
	{ "io_uring_setup", ALL, RET(EPERM), { 0 } },
	{ "io_uring_enter", ALL, RET(EPERM), { 0 } },
	{ "io_uring_register", ALL, RET(EPERM), { 0 } },
	{ "add_key", ALL, RET(EPERM), { 0 } },
	{ "request_key", ALL, RET(EPERM), { 0 } },
	{ "keyctl", ALL, RET(EPERM), { 0 } },
	{ "bpf", ALL, RET(EPERM), { 0 } },
	{ "perf_event_open", ALL, RET(EPERM), { 0 } },
	{ "userfaultfd", ALL, RET(EPERM), { 0 } },
	{ "kexec_load", ALL, RET(EPERM), { 0 } },
	{ "init_module", ALL, RET(EPERM), { 0 } },
	{ "finit_module", ALL, RET(EPERM), { 0 } },
	{ "reboot", ALL, RET(EPERM), { 0 } },
	{ "swapon", ALL, RET(EPERM), { 0 } },
	{ "settimeofday", ALL, RET(EPERM), { 0 } },
	{ "clock_settime64", ARM, RET(EPERM), { 0 } },
	{ "ptrace", ALL, RET(EPERM), { 0 } },
	{ "ptrace", ALL, RET(EPERM), { 16, 1 } },
	{ "process_vm_readv", ALL, RET(EPERM), { 0 } },
	{ "process_vm_writev", ALL, RET(EPERM), { 0 } },
	{ "kcmp", ALL, RET(EPERM), { 0 } },
	{ "pidfd_getfd", ALL, RET(EPERM), { 0 } },
	{ "modify_ldt", X86, RET(EPERM), { 0 } },
	{ "ioperm", X86, RET(EPERM), { 0 } },

	/* Sockets. */
	{ "socket", ALL, ALLOW, { 1, 1 } },
	{ "socket", ALL, ALLOW, { 1, 5, 0 } },
	{ "socket", ALL, ALLOW, { 2, 1 | 02000000, 6 } },
	{ "socket", ALL, ALLOW, { 10, 2 | 04000, 0 } },
	{ "socket", ALL, ALLOW, { 2, 2, 1 } },                   /* unprivileged ping */
	{ "socket", ALL, ALLOW, { 2, 1, 262 } },                 /* Go listens with MPTCP */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 1, 132 } },  /* SCTP */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 5, 0 } },    /* SCTP again */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 6, 33 } },   /* DCCP */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 10, 2, 115 } }, /* L2TP */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 10 | HIGH, 2, 115 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 16, 3 } }, /* NETLINK */
	{ "socket", ALL, RET(EAFNOSUPPORT), { 17, 3 } }, /* PACKET */
	{ "socket", ALL, RET(EAFNOSUPPORT), { 33, 2 } }, /* RXRPC */
	{ "socket", ALL, RET(EAFNOSUPPORT), { 38, 5 } }, /* ALG */
	{ "socket", ALL, RET(EAFNOSUPPORT), { 38 | HIGH, 5 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 40, 1 } }, /* VSOCK */
	{ "socketpair", ALL, ALLOW, { 1, 1 } },
	{ "socketpair", ALL, RET(EOPNOTSUPP), { 30, 1 } }, /* TIPC */

	/* Devices. */
	{ "mknodat", ALL, ALLOW, { 0, 0, 0100644 } },
	{ "mknodat", ALL, ALLOW, { 0, 0, 0010600 } },
	{ "mknodat", ALL, RET(EPERM), { 0, 0, 0020600 } },
	{ "mknodat", ALL, RET(EPERM), { 0, 0, 0060600 | HIGH } },
	{ "mknod", X86, RET(EPERM), { 0, 0020600 } },

	{ "personality", ALL, ALLOW, { 0 } },
	{ "personality", ALL, ALLOW, { 0xffffffff } },
	{ "personality", ALL, ALLOW, { 0x0040000 } },
	{ "personality", ALL, RET(EPERM), { 0x0100000 } }, /* MMAP_PAGE_ZERO */
	{ "personality", ALL, RET(EPERM), { 0x0400000 } }, /* READ_IMPLIES_EXEC */

	/* What every program needs. */
	{ "execve", ALL, ALLOW, { 0 } },
	{ "openat", ALL, ALLOW, { 0 } },
	{ "futex", ALL, ALLOW, { 0 } },
	{ "rseq", ALL, ALLOW, { 0 } },
	{ "statx", ALL, ALLOW, { 0 } },
	{ "futex_time64", ARM, ALLOW, { 0 } },
	{ "set_tls", ARM, ALLOW, { 0 } },
	{ "cacheflush", ARM, ALLOW, { 0 } },
	{ "riscv_hwprobe", RISCV, ALLOW, { 0 } },
	{ "riscv_flush_icache", RISCV, ALLOW, { 0 } },
	{ "seccomp", ALL, ALLOW, { 1, 8 } },
	{ "setxattrat", ALL, ALLOW, { 0 } },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
			struct seccomp_data data = { .arch = generate_arches[arch].audit };

			if (!(rows[i].arches & 1U << arch))
				continue;
			data.nr = number_of(DEFAULT, arch, rows[i].name);
			assert_true(data.nr >= 0);
			memcpy(data.args, rows[i].args, sizeof(rows[i].args));
			check(DEFAULT, arch, rows[i].name, &data, rows[i].verdict);
		}
	}
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
	print_message("# %s, %s: %lu verdicts agree with libseccomp's\n", files[which],
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

	for (data.nr = 0; data.nr < 472; data.nr++)
		steps += bpf_run(code, length, &data, &verdict);
	return (double)steps / 472;
}

/* libseccomp's are smaller than they ought to be: one filter cannot say all of the profile. */
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
				      files[which], generate_arches[arch].name, ours->length,
				      average_steps(ours->code, ours->length, arch), list.length,
				      average_steps(list.code, list.length, arch), tree.length,
				      average_steps(tree.code, tree.length, arch));
			/* A filter for two calls need not be the best. */
			if (profiles[which].rule_count > 3)
				assert_true(average_steps(ours->code, ours->length, arch) <
					    average_steps(tree.code, tree.length, arch));
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
	case NETWORK_USERNS:
		return filter_find("network", true);
	case PID1:
		return &filter_pid1;
	case INIT:
		return &filter_init;
	case ONCE:
		return &filter_once;
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
		FILE *in = fopen(files[which], "re");

		if (!in || profile_parse(&profiles[which], files[which], in)) {
			print_error("# %s: %s\n", files[which],
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
