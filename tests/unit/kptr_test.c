/* SPDX-License-Identifier: MIT */
/*
 * --restrict-kptr: every argument of every call, on all architectures, against what the kernel says its
 * arguments are; and against the profile, for the calls that x86-64 has not got.
 */
#define FILTER_ALL_ARCHES

#include "filters/filter.h"
#include "filters/generate.h"
#include "tests/lib/bpf.h"
#include "tests/unit/expect.h"

#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filters_generated.h"

#define SOURCE "filters/kptr.profile"
#define REFUSED RET(EFAULT)

static const struct {
	const struct sock_filter *code;
	size_t length;
} filters[ARCH_COUNT] = {
	[ARCH_X86_64] = { kptr_x86_64, COUNT(kptr_x86_64) },
	[ARCH_AARCH64] = { kptr_aarch64, COUNT(kptr_aarch64) },
	[ARCH_ARM] = { kptr_arm, COUNT(kptr_arm) },
	[ARCH_RISCV64] = { kptr_riscv64, COUNT(kptr_riscv64) },
};

static const struct {
	const char *name, *arguments;
} signatures[] = {
#define SIGNATURE(name, arguments) { name, arguments },
#include "tests/unit/signatures.def"
#undef SIGNATURE
};

/* Addresses that are no pointers to the kernel: it never goes there. To programs they are. */
static const struct {
	const char *name;
	unsigned arg;
} addresses[] = {
	{ "mmap", 0 },
	{ "munmap", 0 },
	{ "mprotect", 0 },
	{ "madvise", 0 },
	{ "msync", 0 },
	{ "mlock", 0 },
	{ "mlock2", 0 },
	{ "munlock", 0 },
	{ "mseal", 0 },
	{ "mincore", 0 },
	{ "map_shadow_stack", 0 },
	{ "pkey_mprotect", 0 },
	{ "mremap", 0 },
	{ "remap_file_pages", 0 },
	{ "set_mempolicy_home_node", 0 },
	{ "mbind", 0 },
};

/* What may be a pointer and may be a number, or may be nothing. */
static const struct {
	const char *name, *args;
} unsure[] = {
	{ "mremap", "4" },         { "get_mempolicy", "3" },
	{ "clone", "1234" },       { "futex", "34" },
	{ "arch_prctl", "1" },     { "prctl", "1234" },
	{ "keyctl", "1234" },      { "ptrace", "23" },
	{ "ioctl", "2" },          { "fcntl", "2" },
	{ "fanotify_mark", "4" },  { "epoll_ctl", "3" },
	{ "epoll_pwait", "4" },    { "semctl", "3" },
	{ "mq_open", "3" },        { "reboot", "3" },
	{ "lookup_dcookie", "1" }, { "io_uring_enter", "4" },
	{ "sysfs", "12" },         { "fcntl64", "2" },
	{ "futex_time64", "34" },  { "riscv_flush_icache", "01" },
};

enum kind { NUMBER, PERHAPS, POINTER };

/* ARGUMENTS: as in signatures.def, or the numbers of pointers. */
static enum kind kind_of(const char *name, const char *arguments, unsigned arg)
{
	for (size_t i = 0; i < COUNT(unsure); i++)
		if (!strcmp(unsure[i].name, name) && strchr(unsure[i].args, (int)('0' + arg)))
			return PERHAPS;
	for (size_t i = 0; i < COUNT(addresses); i++)
		if (!strcmp(addresses[i].name, name) && addresses[i].arg == arg)
			return POINTER;
	/* Nobody gives it any more, and nobody looks at it. */
	if (!strcmp(name, "getcpu") && arg == 2)
		return NUMBER;
	if (strchr(arguments, (int)('0' + arg)))
		return POINTER;
	return arg < strlen(arguments) && arguments[arg] == 'p' ? POINTER : NUMBER;
}

static uint32_t ask(enum profile_arch arch, int number, unsigned arg, uint64_t value)
{
	struct seccomp_data data = { .nr = number, .arch = generate_arches[arch].audit };
	uint32_t verdict;

	data.args[arg] = value;
	assert_true(bpf_run(filters[arch].code, filters[arch].length, &data, &verdict) > 0);
	return verdict;
}

/* Values, and from which kind of argument on they are refused on 64 bits. */
static const struct {
	uint64_t value;
	enum kind from;
} values[] = {
#define NEVER (POINTER + 1)
	{ 0, NEVER },
	{ 1, NEVER },
	{ 0x7fffffff, NEVER },
	{ 0x80000000, NEVER },
	{ 0xffffffff, NEVER },
	{ 0x7ffffffff000, NEVER },     /* the end of a program's half with four levels of tables */
	{ 0x007ffffffffff000, NEVER }, /* and with five; 2^55 on ARM */
	{ 0xffffffffffffffff, POINTER }, /* -1 */
	{ 0xffffffffffffff9c, POINTER }, /* AT_FDCWD, as a long */
	{ 0xffffffff80000000, POINTER }, /* the smallest int, and where x86 has its kernel's text */
	{ 0xffffffff81000000, POINTER },
	{ 0xffffffff7fffffff, POINTER }, /* the upper half alone is looked at */
	{ 0xffff888000000000, PERHAPS }, /* all of memory, on x86 */
	{ 0xffff800000000000, PERHAPS },
	{ 0xff11000000000000, NEVER }, /* all of memory with five levels; below, by architecture */
	{ 0xfffffffe00000000, PERHAPS },
};

static void fail_value(enum profile_arch arch, const char *name, unsigned arg, uint64_t value)
{
	fail_msg("%s: %s, argument %u: 0x%llx", generate_arches[arch].name, name, arg,
		 (unsigned long long)value);
}

static void check_argument(enum profile_arch arch, const char *name, int number, unsigned arg,
			   enum kind kind)
{
	for (size_t i = 0; i < COUNT(values); i++) {
		uint64_t value = values[i].value;
		bool refused = kind >= values[i].from;

		if (arch == ARCH_ARM) {
			value = (uint32_t)value;
			refused = kind == POINTER && value >= 0xc0000000;
		} else if (value >> 48 == 0xff11) {
			/* On ARM it is a tag, 0xff, on an address with bit 55 clear. */
			refused = kind >= PERHAPS && arch != ARCH_AARCH64;
		}
		if ((ask(arch, number, arg, value) == REFUSED) != refused)
			fail_value(arch, name, arg, value);
	}
}

/* Is every argument held that the kernel says is a pointer, and no other? */
static void test_kernel_says_so(void **state)
{
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(signatures); i++) {
		for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
			int number = seccomp_syscall_resolve_name_arch(
				generate_arches[arch].seccomp, signatures[i].name);

			/* Elsewhere some are in another order, but those are not what is held. */
			for (unsigned arg = 0; arg < 6 && number >= 0; arg++, count++)
				check_argument(
					arch, signatures[i].name, number, arg,
					kind_of(signatures[i].name, signatures[i].arguments, arg));
		}
	}
	print_message("# %u arguments\n", count);
}

/* Calls that other architectures have, and young ones, by hand. */
static const struct {
	const char *name;
	unsigned arches;
	int number; /* 0: libseccomp knows */
	const char *pointers;
} others[] = {
	{ "stat64", ARM, 0, "01" },
	{ "lstat64", ARM, 0, "01" },
	{ "fstat64", ARM, 0, "1" },
	{ "fstatat64", ARM, 0, "12" },
	{ "statfs64", ARM, 0, "02" },
	{ "fstatfs64", ARM, 0, "2" },
	{ "truncate64", ARM, 0, "0" },
	{ "sendfile64", ARM, 0, "2" },
	{ "_llseek", ARM, 0, "3" },
	{ "mmap2", ARM, 0, "0" },
	{ "getgroups32", ARM, 0, "1" },
	{ "setgroups32", ARM, 0, "1" },
	{ "getresuid32", ARM, 0, "012" },
	{ "getresgid32", ARM, 0, "012" },
	{ "chown32", ARM, 0, "0" },
	{ "lchown32", ARM, 0, "0" },
	{ "sigaction", ARM, 0, "12" },
	{ "sigprocmask", ARM, 0, "12" },
	{ "sigpending", ARM, 0, "0" },
	{ "ugetrlimit", ARM, 0, "1" },
	{ "_newselect", ARM, 0, "1234" },
	{ "clock_gettime64", ARM, 0, "1" },
	{ "clock_settime64", ARM, 0, "1" },
	{ "clock_adjtime64", ARM, 0, "1" },
	{ "clock_getres_time64", ARM, 0, "1" },
	{ "clock_nanosleep_time64", ARM, 0, "23" },
	{ "timer_gettime64", ARM, 0, "1" },
	{ "timer_settime64", ARM, 0, "23" },
	{ "timerfd_gettime64", ARM, 0, "1" },
	{ "timerfd_settime64", ARM, 0, "23" },
	{ "utimensat_time64", ARM, 0, "12" },
	{ "pselect6_time64", ARM, 0, "12345" },
	{ "ppoll_time64", ARM, 0, "023" },
	{ "io_pgetevents_time64", ARM, 0, "345" },
	{ "recvmmsg_time64", ARM, 0, "14" },
	{ "mq_timedsend_time64", ARM, 0, "14" },
	{ "mq_timedreceive_time64", ARM, 0, "134" },
	{ "semtimedop_time64", ARM, 0, "13" },
	{ "rt_sigtimedwait_time64", ARM, 0, "012" },
	{ "futex_time64", ARM, 0, "0" },
	{ "sched_rr_get_interval_time64", ARM, 0, "1" },
	{ "send", ARM, 0, "1" },
	{ "recv", ARM, 0, "1" },
	{ "cacheflush", ARM, 0, "01" },
	{ "set_tls", ARM, 0, "0" },
	{ "fchown32", ARM, 0, "" },
	{ "sigsuspend", ARM, 0, "" },
	{ "arm_fadvise64_64", ARM, 0, "" },
	{ "arm_sync_file_range", ARM, 0, "" },
	{ "riscv_hwprobe", RISCV, 258, "03" },
	{ "cachestat", ALL, 451, "12" },
	{ "fchmodat2", ALL, 452, "1" },
	{ "map_shadow_stack", ALL, 453, "0" },
	{ "futex_wait", ALL, 455, "04" },
	{ "statmount", ALL, 457, "01" },
	{ "listmount", ALL, 458, "01" },
	{ "mseal", ALL, 462, "0" },
	{ "setxattrat", ALL, 463, "134" },
	{ "getxattrat", ALL, 464, "134" },
	{ "listxattrat", ALL, 465, "13" },
	{ "removexattrat", ALL, 466, "13" },
	{ "open_tree_attr", ALL, 467, "13" },
	{ "file_getattr", ALL, 468, "12" },
	{ "file_setattr", ALL, 469, "12" },
	{ "listns", ALL, 470, "01" },
	{ "rseq_slice_yield", ALL, 471, "" },
	/* Wherever they are. */
	{ "init_module", ALL, 0, "02" },
	{ "finit_module", ALL, 0, "1" },
	{ "delete_module", ALL, 0, "0" },
	{ "kexec_load", ALL, 0, "2" },
	{ "kexec_file_load", ALL, 0, "3" },
	{ "_sysctl", ALL, 0, "0" },
	{ "uselib", ALL, 0, "0" },
	{ "lookup_dcookie", ALL, 0, "" },
	{ "fcntl64", ALL, 0, "" },
	{ "riscv_flush_icache", ALL, 0, "" },
	{ "uretprobe", ALL, 0, "" },
	{ "uprobe", ALL, 0, "" },
	{ "get_tls", ALL, 0, "" },
	{ "sigreturn", ALL, 0, "" },
	{ "nice", ALL, 0, "" },
	{ "getuid32", ALL, 0, "" },
	{ "geteuid32", ALL, 0, "" },
	{ "getgid32", ALL, 0, "" },
	{ "getegid32", ALL, 0, "" },
	{ "setuid32", ALL, 0, "" },
	{ "setgid32", ALL, 0, "" },
	{ "setreuid32", ALL, 0, "" },
	{ "setregid32", ALL, 0, "" },
	{ "setresuid32", ALL, 0, "" },
	{ "setresgid32", ALL, 0, "" },
	{ "setfsuid32", ALL, 0, "" },
	{ "setfsgid32", ALL, 0, "" },
	{ "ftruncate64", ALL, 0, "" },
	{ "nfsservctl", ALL, 0, "" },
	{ "bdflush", ALL, 0, "" },
	{ "create_module", ALL, 0, "" },
	{ "query_module", ALL, 0, "" },
	{ "get_kernel_syms", ALL, 0, "" },
	{ "epoll_ctl_old", ALL, 0, "" },
	{ "epoll_wait_old", ALL, 0, "" },
	{ "afs_syscall", ALL, 0, "" },
	{ "getpmsg", ALL, 0, "" },
	{ "putpmsg", ALL, 0, "" },
	{ "security", ALL, 0, "" },
	{ "tuxcall", ALL, 0, "" },
	{ "vserver", ALL, 0, "" },
	{ "get_thread_area", ALL, 0, "" },
	{ "set_thread_area", ALL, 0, "" },
	{ "pciconfig_iobase", ALL, 0, "" },
	{ "pciconfig_read", ALL, 0, "" },
	{ "pciconfig_write", ALL, 0, "" },
	{ "breakpoint", ALL, 0, "" },
	{ "usr26", ALL, 0, "" },
	{ "usr32", ALL, 0, "" },
};

static void test_other_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
			int number = others[i].number;

			if (!(others[i].arches & 1U << arch))
				continue;
			if (!number)
				number = seccomp_syscall_resolve_name_arch(
					generate_arches[arch].seccomp, others[i].name);
			assert_true(number > 0 || others[i].arches == ALL);
			for (unsigned arg = 0; arg < 6 && number > 0; arg++)
				check_argument(arch, others[i].name, number, arg,
					       kind_of(others[i].name, others[i].pointers, arg));
		}
	}
}

/* The same in small: what must work and what must not. */
static void test_cases(void **state)
{
	static const struct {
		int number; /* on x86-64 */
		unsigned arg;
		uint64_t value;
		uint32_t verdict;
	} cases[] = {
		{ 257, 0, (uint64_t)AT_FDCWD, ALLOW },   /* openat */
		{ 257, 0, (uint32_t)AT_FDCWD, ALLOW },   /* the same, as an int */
		{ 257, 1, 0xffffffff81000000, REFUSED }, /* its path */
		{ 3, 0, UINT64_MAX, ALLOW },             /* close(-1) */
		{ 8, 1, (uint64_t)-4096, ALLOW },        /* lseek back */
		{ 9, 4, UINT64_MAX, ALLOW },             /* mmap without a file */
		{ 9, 0, 0xffff800000000000, REFUSED },   /* mmap there */
		{ 16, 2, UINT64_MAX, ALLOW },            /* ioctl(fd, request, -1) */
		{ 16, 2, 0xffff888012345678, REFUSED },  /* ioctl with a pointer */
		{ 62, 0, UINT64_MAX, ALLOW },            /* kill(-1) */
		{ 247, 2, 0xffffffff82000000, REFUSED }, /* waitid's siginfo: CVE-2017-5123 */
		{ 999, 0, 0xffff888012345678, ALLOW },   /* nobody's number */
		{ 0x40000000, 0, 0, SECCOMP_RET_KILL_PROCESS }, /* x32 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (ask(ARCH_X86_64, cases[i].number, cases[i].arg, cases[i].value) !=
		    cases[i].verdict)
			fail_value(ARCH_X86_64, "case", (unsigned)i, cases[i].value);
}

/* ---- the text of the profile ---- */

static char text[32768];

static struct profile *parse(const char *source)
{
	static struct profile profile;
	FILE *in = fmemopen((void *)(uintptr_t)source, strlen(source), "r");

	assert_non_null(in);
	profile_parse(&profile, SOURCE, in); /* leaves the reason */
	fclose(in);
	return &profile;
}

static int read_text(void **state)
{
	FILE *in = fopen(SOURCE, "re");
	size_t size = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

	(void)state;
	if (in)
		fclose(in);
	return size > 0 && size < sizeof(text) - 1 ? 0 : -1;
}

/* No call is forgotten: each of calls.def is in the profile. */
static void test_complete(void **state)
{
	static const char *const groups[] = {
#define CALLS(normal, strict, names) names,
#include "tests/unit/calls.def"
#undef CALLS
	};
	const struct profile *profile = parse(text);
	char names[256], *rest, *name;

	(void)state;
	assert_string_equal(profile->error, "");
	for (size_t i = 0; i < COUNT(groups); i++) {
		snprintf(names, sizeof(names), "%s", groups[i]);
		for (rest = names; (name = strtok_r(rest, " ", &rest));)
			if (!profile_rule_for(profile, profile->rules, name))
				fail_msg("%s is not in " SOURCE, name);
	}
}

static bool is_held(const struct profile *profile, const char *name, const char *arguments)
{
	const struct profile_rule *rule = profile_rule_for(profile, profile->rules, name);
	enum kind kinds[6] = { NUMBER };

	if (!rule)
		return false;
	for (; rule; rule = profile_rule_for(profile, rule + 1, name))
		if (rule->test_count)
			kinds[rule->tests[0].arg] = rule->tests[0].perhaps ? PERHAPS : POINTER;
	for (unsigned arg = 0; arg < 6; arg++)
		if (kinds[arg] != kind_of(name, arguments, arg))
			return false;
	return true;
}

static bool shows(const char *source)
{
	const struct profile *profile = parse(source);

	if (profile->error[0] || profile->otherwise != ALLOW || !profile->call_count)
		return true;
	for (size_t i = 0; i < COUNT(signatures); i++)
		if (!is_held(profile, signatures[i].name, signatures[i].arguments))
			return true;
	for (size_t i = 0; i < COUNT(others); i++)
		if (!is_held(profile, others[i].name, others[i].pointers))
			return true;
	return false;
}

/* The text with the SIZE bytes at AT replaced. */
static void try_change(size_t at, size_t size, const char *by)
{
	static char changed[sizeof(text) + 16];

	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)at, text, by, text + at + size);
	if (!shows(changed))
		fail_msg("nothing notices \"%s\" for \"%.*s\" before: %.40s", by, (int)size,
			 text + at, text + at + size);
}

static void change_word(size_t at, size_t size)
{
	char other[3] = { text[at], size == 1 ? '?' : '\0', '\0' };

	try_change(at, size, "");
	if (text[at] < '0' || text[at] > '5')
		return;
	try_change(at, size, other);
	other[0] = (char)(text[at] == '5' ? '0' : text[at] + 1);
	other[1] = size == 1 ? '\0' : '?';
	try_change(at, size, other);
}

/* Each word of each statement: as any, it must count. */
static void test_every_change_shows(void **state)
{
	unsigned count = 0;
	size_t at = 0;

	(void)state;
	assert_false(shows(text));
	while (text[at]) {
		size_t size = strcspn(text + at, " \t\n");

		if (text[at] == '#')
			size = strcspn(text + at, "\n");
		else if (size > 0 && strncmp(text + at, "pointers", 8) != 0) {
			change_word(at, size);
			count++;
		}
		at += size + strspn(text + at + size, " \t\n");
	}
	print_message("# changes of %u words were noticed\n", count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_says_so),
		cmocka_unit_test(test_other_calls),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_every_change_shows),
	};

	return cmocka_run_group_tests_name("kptr", tests, read_text, NULL);
}
