/* SPDX-License-Identifier: MIT */
#include "tests/lib/oracle.h"

#include "tests/lib/bpf.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what, const char *object, int error)
{
	fprintf(stderr, "oracle: %s: %s: %s\n", what, object, strerror(error));
	return -1;
}

static uint32_t action(uint32_t verdict)
{
	if (verdict == SECCOMP_RET_ALLOW)
		return SCMP_ACT_ALLOW;
	if (verdict == SECCOMP_RET_KILL_PROCESS)
		return SCMP_ACT_KILL_PROCESS;
	if (verdict == SECCOMP_RET_USER_NOTIF)
		return SCMP_ACT_NOTIFY;
	return SCMP_ACT_ERRNO(verdict & SECCOMP_RET_DATA);
}

static enum profile_arch native_arch(void)
{
	unsigned arch = 0;

	while (arch < ARCH_COUNT - 1 && generate_arches[arch].seccomp != seccomp_arch_native())
		arch++;
	return arch;
}

static scmp_filter_ctx make_context(uint32_t verdict, enum profile_arch arch)
{
	scmp_filter_ctx context = seccomp_init(action(verdict));
	uint32_t token = generate_arches[arch].seccomp;

	if (!context)
		return NULL;
	if (seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) ||
	    (token != seccomp_arch_native() && (seccomp_arch_remove(context, SCMP_ARCH_NATIVE) ||
						seccomp_arch_add(context, token)))) {
		seccomp_release(context);
		return NULL;
	}
	return context;
}

static int export(scmp_filter_ctx context, struct oracle_filter *filter)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), error;
	struct stat status;

	if (fd < 0)
		return fail("memfd_create", "filter", errno);
	error = -seccomp_export_bpf(context, fd);
	if (!error && !fstat(fd, &status) && (filter->code = malloc((size_t)status.st_size))) {
		filter->length = (size_t)status.st_size / sizeof(*filter->code);
		if (pread(fd, filter->code, (size_t)status.st_size, 0) != status.st_size)
			error = EIO;
	} else if (!error) {
		error = errno;
	}
	close(fd);
	return error ? fail("export", "filter", error) : 0;
}

enum presence { UNKNOWN, ABSENT, PRESENT };

/* libseccomp wants the native number, or its negative stand-in, and translates it by name. */
static enum presence resolve(enum profile_arch arch, const char *name, int *native)
{
	int there = seccomp_syscall_resolve_name_arch(generate_arches[arch].seccomp, name);

	*native = seccomp_syscall_resolve_name(name);
	return there == __NR_SCMP_ERROR ? UNKNOWN : there < 0 ? ABSENT : PRESENT;
}

static const struct profile_call *raw_call(const struct profile *profile, enum profile_arch arch,
					   const char *name)
{
	for (size_t i = 0; i < profile->call_count; i++)
		if (profile->calls[i].arches & 1U << arch && !strcmp(profile->calls[i].name, name))
			return &profile->calls[i];
	return NULL;
}

/* Verdicts without tests. A call with tests is left out: oracle_run never asks for it. */
static int add_plain(const struct oracle *oracle, scmp_filter_ctx plain, scmp_filter_ctx raw)
{
	const struct profile *profile = oracle->profile;

	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct profile_rule *rule = &profile->rules[i];
		const struct profile_call *call = raw_call(profile, oracle->arch, rule->name);
		int number, error = 0;
		enum presence presence = resolve(oracle->arch, rule->name, &number);

		if (rule->verdict == profile->otherwise || rule->test_count ||
		    profile_rule_for(profile, profile->rules, rule->name) != rule)
			continue;
		if (presence == PRESENT)
			error = seccomp_rule_add(plain, action(rule->verdict), number, 0);
		else if (presence == UNKNOWN && call && raw)
			error = seccomp_rule_add(raw, action(rule->verdict), (int)call->number, 0);
		if (error)
			return fail("add", rule->name, -error);
	}
	return 0;
}

/* libseccomp has no ranges, so each value counts. */
static size_t values_of(const struct profile_test *test)
{
	size_t count = 0;

	for (size_t i = 0; i < test->value_count; i++)
		count += test->last[i] - test->values[i] + 1;
	return count;
}

static uint64_t value_of(const struct profile_test *test, size_t index)
{
	size_t i = 0;

	for (; index > test->last[i] - test->values[i]; i++)
		index -= test->last[i] - test->values[i] + 1;
	return test->values[i] + index;
}

/* One libseccomp rule for each combination of the values in the lists. EEXIST: the rule overlaps
 * with an earlier one of another verdict, in one filter for all (oracle_single). */
static int add_tests(scmp_filter_ctx context, uint32_t verdict, int number,
		     const struct profile_rule *rule)
{
	struct scmp_arg_cmp compare[PROFILE_TESTS];
	size_t combinations = 1, rest;
	int error;

	for (size_t i = 0; i < rule->test_count; i++)
		combinations *= values_of(&rule->tests[i]);
	for (size_t c = 0; c < combinations; c++) {
		rest = c;
		for (size_t i = 0; i < rule->test_count; i++) {
			const struct profile_test *test = &rule->tests[i];

			compare[i] = (struct scmp_arg_cmp){
				.arg = test->arg,
				.op = SCMP_CMP_MASKED_EQ,
				.datum_a = test->mask,
				.datum_b = value_of(test, rest % values_of(test)),
			};
			rest /= values_of(test);
		}
		error = seccomp_rule_add_array(context, action(verdict), number,
					       (unsigned)rule->test_count, compare);
		if (error && error != -EEXIST)
			return fail("add", rule->name, -error);
	}
	return 0;
}

static int make_tests(struct oracle *oracle, size_t index)
{
	const struct profile_rule *rule = &oracle->profile->rules[index];
	scmp_filter_ctx context;
	int number, result;

	if (!rule->test_count || resolve(oracle->arch, rule->name, &number) != PRESENT)
		return 0;
	context = make_context(SECCOMP_RET_ALLOW, oracle->arch);
	if (!context)
		return fail("make", rule->name, ENOMEM);
	result = add_tests(context, SECCOMP_RET_ERRNO | EXDEV, number, rule);
	if (!result)
		result = export(context, &oracle->tests[index]);
	seccomp_release(context);
	return result;
}

int oracle_make(struct oracle *oracle, const struct profile *profile, enum profile_arch arch)
{
	scmp_filter_ctx plain = make_context(profile->otherwise, arch);
	scmp_filter_ctx raw = make_context(profile->otherwise, native_arch());
	int result = -1;

	*oracle = (struct oracle){ .profile = profile, .arch = arch };
	if (plain && raw && !add_plain(oracle, plain, raw) && !export(plain, &oracle->plain))
		result = export(raw, &oracle->raw);
	for (size_t i = 0; !result && i < profile->rule_count; i++)
		result = make_tests(oracle, i);
	seccomp_release(plain);
	seccomp_release(raw);
	return result;
}

/* The rule of a call with tests that wins, by libseccomp's own opinion of the tests. */
static int run_tests(const struct oracle *oracle, const struct profile_rule *rule,
		     const struct seccomp_data *data, uint32_t *verdict)
{
	for (; rule; rule = profile_rule_for(oracle->profile, rule + 1, rule->name)) {
		const struct oracle_filter *tests = &oracle->tests[rule - oracle->profile->rules];

		if (rule->test_count && bpf_run(tests->code, tests->length, data, verdict) < 0)
			return fail("run", rule->name, EINVAL);
		if (!rule->test_count || *verdict == (SECCOMP_RET_ERRNO | EXDEV)) {
			*verdict = rule->verdict;
			return 0;
		}
	}
	return fail("run", "rules without an end", EINVAL);
}

int oracle_run(const struct oracle *oracle, const struct seccomp_data *data, uint32_t *verdict)
{
	const struct generate_arch *arch = &generate_arches[oracle->arch];
	struct seccomp_data native = *data;
	const struct oracle_filter *filter = &oracle->plain;
	char *name = seccomp_syscall_resolve_num_arch(arch->seccomp, data->nr);
	const struct profile_rule *rule = NULL;

	if (name && data->arch == arch->audit)
		rule = profile_rule_for(oracle->profile, oracle->profile->rules, name);
	if (!name && data->arch == arch->audit && data->nr >= 0 && data->nr < 0x40000000) {
		native.arch = generate_arches[native_arch()].audit;
		filter = &oracle->raw;
	}
	free(name);
	if (rule && rule->test_count)
		return run_tests(oracle, rule, data, verdict);
	if (bpf_run(filter->code, filter->length, &native, verdict) < 0)
		return fail("run", "filter", EINVAL);
	return 0;
}

void oracle_free(struct oracle *oracle)
{
	free(oracle->plain.code);
	free(oracle->raw.code);
	for (size_t i = 0; i < PROFILE_RULES; i++)
		free(oracle->tests[i].code);
}

int oracle_single(const struct profile *profile, enum profile_arch arch, bool tree,
		  struct oracle_filter *filter)
{
	struct oracle plain = { .profile = profile, .arch = arch };
	scmp_filter_ctx context = make_context(profile->otherwise, arch);
	int result = -1;

	*filter = (struct oracle_filter){ .length = 0 };
	if (context && !seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, tree ? 2 : 1))
		result = add_plain(&plain, context, arch == native_arch() ? context : NULL);
	for (size_t i = 0; !result && i < profile->rule_count; i++) {
		const struct profile_rule *rule = &profile->rules[i];
		int number;

		/* What the default says anyway libseccomp refuses: it has no order of rules. */
		if (rule->verdict != profile->otherwise && rule->test_count &&
		    resolve(arch, rule->name, &number) == PRESENT)
			result = add_tests(context, rule->verdict, number, rule);
	}
	if (!result)
		result = export(context, filter);
	seccomp_release(context);
	return result;
}
