/* SPDX-License-Identifier: MIT */
/* The profile language: every kind of bad line is refused by name, and what is accepted is compiled
 * to BPF that means the same, also in filters far larger than ours. */
#include "filters/generate.h"
#include "tests/lib/bpf.h"

#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	MANY_CALLS = 900, /* more than a conditional jump can skip */
	RANDOM_RUNS = 200000,
};

static int parse(struct profile *profile, const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int result;

	assert_non_null(in);
	result = profile_parse(profile, "p", in);
	fclose(in);
	return result;
}

static const struct {
	const char *text, *error;
} bad[] = {
	{ "permit read\n", "p:1: unknown statement: permit" },
	{ "\n# comment\nallow\n", "p:3: missing name of a call" },
	{ "allow if arg0:32 == 1\n", "p:1: missing name of a call" },
	{ "allow re-ad\n", "p:1: not a name: re-ad" },
	{ "allow 7up\n", "p:1: not a name: 7up" },
	{ "allow a234567890123456789012345678901234567890\n",
	  "p:1: name too long: a234567890123456789012345678901234567890" },
	{ "answer\n", "p:1: missing errno after \"answer\"" },
	{ "answer EWHAT read\n", "p:1: unknown errno: EWHAT" },
	{ "answer ENOSYS\n", "p:1: missing name of a call" },
	{ "otherwise\n", "p:1: missing verdict" },
	{ "otherwise maybe\n", "p:1: unknown statement: maybe" },
	{ "otherwise deny read\n", "p:1: unexpected word: read" },
	{ "otherwise deny\notherwise deny\n", "p:2: a second \"otherwise\"" },
	{ "allow read\n", "p:1: missing \"otherwise\"" },
	{ "allow read\ndeny write read\n", "p:2: never reached: line 1 decides read" },
	{ "allow read read\n", "p:1: never reached: line 1 decides read" },
	{ "otherwise deny\nallow read if arg0:32 == 1\nallow write\n",
	  "p:2: the last rule of read must have no test" },
	{ "allow read if\n", "p:1: missing argument" },
	{ "allow read if arg0 == 1\n", "p:1: not an argument: arg0 (arg0:32 to arg5:64)" },
	{ "allow read if arg6:32 == 1\n", "p:1: not an argument: arg6:32 (arg0:32 to arg5:64)" },
	{ "allow read if arg0:16 == 1\n", "p:1: not an argument: arg0:16 (arg0:32 to arg5:64)" },
	{ "allow read if arg0:32\n", "p:1: missing == or in" },
	{ "allow read if arg0:32 = 1\n", "p:1: not == or in: =" },
	{ "allow read if arg0:32 ==\n", "p:1: missing value" },
	{ "allow read if arg0:32 in\n", "p:1: missing value" },
	{ "allow read if arg0:32 == 1 2\n", "p:1: unexpected word: 2" },
	{ "allow read if arg0:32 == 0x100000000\n", "p:1: can never be equal: 0x100000000" },
	{ "allow read if arg0:32 & 6 == 1\n", "p:1: can never be equal: 1" },
	{ "allow read if arg0:32 &\n", "p:1: missing mask" },
	{ "allow read if arg0:32 & 0 == 0\n", "p:1: mask is zero or too wide: 0" },
	{ "allow read if arg0:32 & 0x100000000 == 0\n",
	  "p:1: mask is zero or too wide: 0x100000000" },
	{ "allow read if arg0:64 == 0x10000000000000000\n",
	  "p:1: not a number: 0x10000000000000000" },
	{ "allow read if arg0:32 == 12x\n", "p:1: not a number: 12x" },
	{ "allow read if arg0:32 == -1\n", "p:1: unknown word for a number: -1" },
	{ "allow read if arg0:32 == TIOCSTI\n", "p:1: unknown word for a number: TIOCSTI" },
	{ "allow read if arg0:32 in 1 0x1\n", "p:1: value given twice: 0x1" },
	{ "allow read if arg0:32 in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
	  "p:1: more than 16 values" },
	{ "allow read if arg0:32 == 1 and\n", "p:1: missing argument" },
	{ "allow read if arg0:32 == 1 and arg1:32 == 1 and arg2:32 == 1 and arg3:32 == 1\n",
	  "p:1: more than 3 tests" },
	{ "uncached now\n", "p:1: unexpected word: now" },
	{ "define\n", "p:1: missing name" },
	{ "define A\n", "p:1: missing value" },
	{ "define A B\n", "p:1: unknown word for a number: B" },
	{ "define A 1 2\n", "p:1: unexpected word: 2" },
	{ "define A 1\ndefine A 1\n", "p:2: defined twice: A" },
	{ "call\n", "p:1: missing name" },
	{ "call new\n", "p:1: missing number" },
	{ "call new 0x7fffffff\n", "p:1: no call has the number 0x7fffffff" },
	{ "call new 423\n", "p:1: numbers below 424 differ: name the architectures" },
	{ "call new 423 i386\n", "p:1: unknown architecture: i386" },
	{ "call new 500\ncall new 501 arm\n", "p:2: numbered twice: new" },
	{ "allow a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
	  "a a a a a a a a a a a a a a a a a a a a a a a\n",
	  "p:1: more than 64 words" },
};

static void test_bad_lines(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(*state, bad[i].text), -1);
		assert_string_equal(((struct profile *)*state)->error, bad[i].error);
	}
}

static void test_nul_byte(void **state)
{
	static const char text[] = "otherwise deny\nallow read\0 write\n";
	FILE *in = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");

	assert_non_null(in);
	assert_int_equal(profile_parse(*state, "p", in), -1);
	fclose(in);
	assert_string_equal(((struct profile *)*state)->error, "p:2: a NUL byte");
}

/* Lines that parse, but name calls that do not exist as written. */
static const struct {
	const char *text, *error;
} unresolved[] = {
	{ "otherwise deny\nallow read wriet\n", "p:2: no architecture knows the call wriet" },
	{ "otherwise deny\nallow s390_runtime_instr\n",
	  "p:2: no architecture knows the call s390_runtime_instr" },
	{ "otherwise deny\ncall read 700\nallow read\n", "p:2: read is 0 on x86_64" },
	{ "otherwise deny\ncall lire 0 x86_64\nallow read\nallow lire\n",
	  "p:4: read and lire are one call" },
};

static void test_unresolved_names(void **state)
{
	static struct generate_call calls[PROFILE_RULES];

	for (size_t i = 0; i < sizeof(unresolved) / sizeof(unresolved[0]); i++) {
		assert_int_equal(parse(*state, unresolved[i].text), 0);
		assert_int_equal(generate_resolve(*state, ARCH_X86_64, calls), -1);
		assert_true(!strncmp(((struct profile *)*state)->error, unresolved[i].error,
				     strlen(unresolved[i].error)));
	}
}

/* A call of one architecture is simply left out elsewhere. */
static void test_foreign_names(void **state)
{
	static struct generate_call calls[PROFILE_RULES];

	assert_int_equal(parse(*state, "otherwise deny\ncall riscv_hwprobe 258 riscv64\n"
				       "allow read arch_prctl riscv_hwprobe\n"),
			 0);
	assert_int_equal(generate_resolve(*state, ARCH_X86_64, calls), 2);
	assert_int_equal(calls[1].number, 158);
	assert_int_equal(generate_resolve(*state, ARCH_ARM, calls), 1);
	assert_int_equal(generate_resolve(*state, ARCH_RISCV64, calls), 2);
	assert_int_equal(calls[1].number, 258);
}

/* What the rules say, read directly. */
static uint32_t meaning(const struct profile *profile, const struct profile_rule *rule,
			const struct seccomp_data *data)
{
	for (; rule; rule = profile_rule_for(profile, rule + 1, rule->name)) {
		size_t holds = 0;

		for (size_t i = 0; i < rule->test_count; i++) {
			const struct profile_test *test = &rule->tests[i];

			for (size_t k = 0; k < test->value_count; k++)
				holds += (data->args[test->arg] & test->mask) >= test->values[k] &&
					 (data->args[test->arg] & test->mask) <= test->last[k];
		}
		if (holds == rule->test_count)
			return rule->verdict;
	}
	return profile->otherwise;
}

static const char *const kinds_text =
	"otherwise answer ENOSYS\n"
	"allow always\n"
	"deny never\n"
	"kill killed\n"
	"allow wide if arg0:64 in 0 5 0x500000005 0xffffffffffffffff\n"
	"answer EINVAL wide if arg1:64 & 0xffff0000ffff0000 in 0 0x0001000000010000\n"
	"answer EACCES wide if arg2:64 & 0xffffffff00000000 == 0x100000000 and arg3:64 & 1 == 1\n"
	"deny wide\n"
	"answer EFAULT narrow if arg0:32 in 0 1 2 7 0xfffffffe..0xffffffff\n"
	"deny narrow if arg0:32 in 3..8\n"
	"allow narrow if arg1:32 & 0xf0 in 0x10 0xf0 and arg2:32 == 0 and arg3:32 in 3 4\n"
	"answer EOPNOTSUPP narrow\n";

/* Mostly plain verdicts, so that the tree is long, with blocks of tests here and there. */
static const char *kind(uint32_t i)
{
	static const char *const plain[] = { "always", "never", "killed" };

	return i % 97 == 5 ? "wide" : i % 89 == 7 ? "narrow" : plain[i % 3];
}

/* Values near to those in the rules, so that each rule fits now and then. */
static uint64_t random_value(void)
{
	static const uint64_t interesting[] = {
		0,
		1,
		2,
		3,
		4,
		5,
		7,
		8,
		0x10,
		0xf0,
		0x1f,
		0xfffe,
		0xffff,
		0x10000,
		0xfffffffe,
		0xffffffff,
		0x100000000,
		0x500000005,
		0x0001000000010000,
		0x0001000000000000,
		0x7fffffffffffffff,
		0xffffffff00000000,
		0xffffffffffffffff,
	};
	uint64_t value = interesting[(size_t)rand() % (sizeof(interesting) / sizeof(uint64_t))];

	return rand() % 4 ? value : value ^ UINT64_C(1) << rand() % 64;
}

/* Every third number is left out, so that no two neighbours have the same verdict. */
static void test_many_calls(void **state)
{
	struct profile *profile = *state;
	static struct generate_call calls[MANY_CALLS];
	static struct sock_filter code[BPF_MAXINSNS];
	const uint32_t audit = generate_arches[ARCH_AARCH64].audit;
	int length;

	assert_int_equal(parse(profile, kinds_text), 0);
	for (uint32_t i = 0; i < MANY_CALLS; i++) {
		calls[i].number = i + i / 2;
		calls[i].rule = profile_rule_for(profile, profile->rules, kind(i));
	}
	length = generate_filter(profile, ARCH_AARCH64, calls, MANY_CALLS, code);
	assert_true(length > MANY_CALLS);
	for (int run = 0; run < RANDOM_RUNS; run++) {
		uint32_t index = (uint32_t)run % MANY_CALLS, verdict, hole = run % 3 == 2;
		struct seccomp_data data = { .arch = audit,
					     .args = { random_value(), random_value(),
						       random_value(), random_value() } };

		data.nr = (int)(hole ? index / 2 * 3 + 2 : calls[index].number);
		assert_in_range(bpf_run(code, (size_t)length, &data, &verdict), 1, 64);
		assert_int_equal(verdict, hole ? profile->otherwise
					       : meaning(profile, calls[index].rule, &data));
	}
}

static void test_too_large(void **state)
{
	struct profile *profile = *state;
	static struct generate_call calls[600];
	static struct sock_filter code[BPF_MAXINSNS];
	struct profile_rule narrow;

	assert_int_equal(parse(profile, kinds_text), 0);
	narrow = *profile_rule_for(profile, profile->rules, "narrow");
	narrow.tests[1] = narrow.tests[0];
	narrow.test_count = 2;
	/* Alike ones would share their code. */
	for (uint32_t i = 0; i < 500; i++) {
		struct profile_rule *rule = &profile->rules[2 * i];

		rule[0] = rule[1] = narrow;
		snprintf(rule->name, sizeof(rule->name), "call%u", i);
		strcpy(rule[1].name, rule->name);
		rule->tests[0].arg = i % 6;
		rule->tests[0].values[0] = 1000 + i;
		rule->tests[0].last[0] = 1000 + i;
		rule[1].test_count = 0;
		calls[i] = (struct generate_call){ 2 * i, rule };
	}
	profile->rule_count = 1000;
	assert_int_equal(generate_filter(profile, ARCH_ARM, calls, 500, code), -1);
	assert_non_null(strstr(profile->error, "more than 4096 instructions"));
}

/* No calls at all: still the right architecture only. */
static void test_empty(void **state)
{
	static struct sock_filter code[BPF_MAXINSNS];
	struct seccomp_data data = { .nr = 1, .arch = AUDIT_ARCH_RISCV64 };
	uint32_t verdict;
	int length;

	assert_int_equal(parse(*state, "otherwise allow\n"), 0);
	length = generate_filter(*state, ARCH_RISCV64, NULL, 0, code);
	assert_true(length > 0);
	assert_true(bpf_run(code, (size_t)length, &data, &verdict) > 0);
	assert_int_equal(verdict, SECCOMP_RET_ALLOW);
	data.arch = AUDIT_ARCH_ARM;
	assert_true(bpf_run(code, (size_t)length, &data, &verdict) > 0);
	assert_int_equal(verdict, SECCOMP_RET_KILL_PROCESS);
}

/* The kernel walks a filter at install unless it starts with what it cannot know beforehand. */
static void test_uncached(void **state)
{
	static struct sock_filter code[BPF_MAXINSNS];
	const struct sock_filter load = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8);

	assert_int_equal(parse(*state, "otherwise allow\nuncached\n"), 0);
	assert_true(generate_filter(*state, ARCH_RISCV64, NULL, 0, code) > 0);
	assert_memory_equal(code, &load, sizeof(load));
	assert_int_equal(parse(*state, "otherwise allow\n"), 0);
	assert_true(generate_filter(*state, ARCH_RISCV64, NULL, 0, code) > 0);
	assert_memory_not_equal(code, &load, sizeof(load));
}

/* The judge of all the others: it must not run past the end, nor believe what it doesn't know. */
static void test_interpreter(void **state)
{
	static const struct sock_filter wrong[][2] = {
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0) },
		{ BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
	};
	const struct seccomp_data data = { .nr = 0 };
	uint32_t verdict;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(bpf_run(wrong[i], 2, &data, &verdict), -1);
}

static int make_profile(void **state)
{
	*state = malloc(sizeof(struct profile));
	return *state ? 0 : -1;
}

static int free_profile(void **state)
{
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interpreter),   cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_nul_byte),      cmocka_unit_test(test_unresolved_names),
		cmocka_unit_test(test_foreign_names), cmocka_unit_test(test_many_calls),
		cmocka_unit_test(test_too_large),     cmocka_unit_test(test_empty),
		cmocka_unit_test(test_uncached),
	};

	return cmocka_run_group_tests_name("profile", tests, make_profile, free_profile);
}
