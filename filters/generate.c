/* SPDX-License-Identifier: MIT */
/*
 * The code generator. What counts is the cost of installing a filter: the kernel checks and
 * translates each instruction once, and then walks the filter for every call number that it knows,
 * to learn which are always allowed. So: few instructions, short ways.
 *
 *	load arch; ours? else kill
 *	load number
 *	a tree of comparisons over ranges of numbers
 *	blocks that look at arguments
 *	one return for each verdict, shared by all
 *
 * Classic BPF only jumps forward, so the code is made from its end: when an instruction is made,
 * everything that it can jump to is already there. A position is counted from the end as well.
 */
#include "filters/generate.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	KERNEL_CALLS = 472, /* numbers for which the kernel walks the filter (Linux 6.18) */
	JUMP_MAX = 255,     /* jt and jf are bytes */
	CHAIN_MAX = 8,      /* equality tests in a row instead of a tree */
	VERDICTS = 16,      /* more than the language has */
	CHOICES = 8,        /* rules that one tree decides */
	/* What one more instruction costs at install, in steps of the walk (measured). */
	INSTRUCTION_COST = 200,
};

#define X32_BIT 0x40000000U

/* Where a jump may end: a block of code, or a verdict whose return is made when needed. */
struct target {
	size_t position; /* of the block, or of the last jump or return made for it; 0: none */
	size_t block;    /* the block's own, so that long jumps never lead to long jumps */
	bool is_return;
	uint32_t verdict;
};

/* Numbers from `first` up to the next range's first. */
struct range {
	uint32_t first;
	uint32_t weight; /* how often the way to here is walked */
	struct target *to;
};

struct ranges {
	struct range *range;
	size_t count;
};

struct generator {
	struct profile *profile;
	enum profile_arch arch;
	struct sock_filter *code; /* BPF_MAXINSNS, filled from its end */
	size_t length;
	struct target *targets; /* blocks and verdicts, in the order of their making */
	size_t target_count;
	const struct profile_rule **rules; /* that each of the blocks is for; NULL for a verdict */
};

/* The cheapest way to tell the ranges i..j apart, for every i and j. */
struct plan {
	size_t count;
	uint32_t *cost;
	uint16_t *split; /* first range of the right side; 0: a chain of equality tests */
};

static void emit(struct generator *g, unsigned code, uint32_t k)
{
	if (g->length == BPF_MAXINSNS) {
		profile_fail(g->profile, "more than %d instructions", BPF_MAXINSNS);
		return;
	}
	g->length++;
	g->code[BPF_MAXINSNS - g->length] = (struct sock_filter){ .code = (uint16_t)code, .k = k };
}

/* Bring the target within reach of the next instruction, by a copy of the return or a long jump.
 * One instruction is kept in reserve: a jump's second target may have to be copied as well. */
static void bring_near(struct generator *g, struct target *target)
{
	if (target->position && g->length - target->position < JUMP_MAX)
		return;
	if (target->is_return)
		emit(g, BPF_RET | BPF_K, target->verdict);
	else
		emit(g, BPF_JMP | BPF_JA, (uint32_t)(g->length - target->block));
	target->position = g->length;
}

static void emit_jump(struct generator *g, unsigned test, uint32_t k, struct target *yes,
		      struct target *no)
{
	bring_near(g, yes);
	bring_near(g, no);
	emit(g, BPF_JMP | test | BPF_K, k);
	g->code[BPF_MAXINSNS - g->length].jt = (uint8_t)(g->length - 1 - yes->position);
	g->code[BPF_MAXINSNS - g->length].jf = (uint8_t)(g->length - 1 - no->position);
}

static struct target here(const struct generator *g)
{
	return (struct target){ .position = g->length, .block = g->length };
}

static struct target *return_target(struct generator *g, uint32_t verdict)
{
	struct target *target = g->targets;

	for (; target < g->targets + g->target_count; target++)
		if (target->is_return && target->verdict == verdict)
			return target;
	g->target_count++;
	*target = (struct target){ .is_return = true, .verdict = verdict };
	return target;
}

static size_t at(const struct plan *plan, size_t i, size_t j)
{
	return i * plan->count + j;
}

/* "A b A c A" where b and c are single numbers: cheaper by comparing with b and c than by halving.
 * Returns the cost, or UINT32_MAX where the ranges are not like that. */
static uint32_t chain_cost(const struct ranges *ranges, size_t i, size_t j)
{
	const struct range *range = ranges->range;
	uint32_t tests = (uint32_t)(j - i) / 2, cost = tests * INSTRUCTION_COST;

	if ((j - i) % 2 || tests > CHAIN_MAX)
		return UINT32_MAX;
	for (size_t k = i; k <= j; k++) {
		bool odd = (k - i) % 2;

		if (odd ? range[k + 1].first != range[k].first + 1 : range[k].to != range[i].to)
			return UINT32_MAX;
		cost += range[k].weight * (odd ? (uint32_t)(k - i) / 2 + 1 : tests);
	}
	return cost;
}

/* Fill in the plan for i..j from the shorter ones. */
static void plan_one(struct plan *plan, const struct ranges *ranges, size_t i, size_t j)
{
	uint32_t best = chain_cost(ranges, i, j), weight = 0;

	for (size_t k = i; k <= j; k++)
		weight += ranges->range[k].weight;
	plan->split[at(plan, i, j)] = 0;
	for (size_t k = i + 1; k <= j; k++) {
		uint32_t cost = INSTRUCTION_COST + weight + plan->cost[at(plan, i, k - 1)] +
				plan->cost[at(plan, k, j)];

		if (cost < best) {
			best = cost;
			plan->split[at(plan, i, j)] = (uint16_t)k;
		}
	}
	plan->cost[at(plan, i, j)] = best;
}

static int make_plan(struct generator *g, struct plan *plan, const struct ranges *ranges)
{
	plan->count = ranges->count;
	plan->cost = calloc(plan->count * plan->count, sizeof(*plan->cost));
	plan->split = calloc(plan->count * plan->count, sizeof(*plan->split));
	if (!plan->cost || !plan->split)
		return profile_fail(g->profile, "out of memory");
	for (size_t length = 1; length < plan->count; length++)
		for (size_t i = 0; i + length < plan->count; i++)
			plan_one(plan, ranges, i, i + length);
	return 0;
}

/* Returns where to go for i..j: a range's own target, or `start`, where the code then stands. */
static struct target *emit_tree(struct generator *g, const struct plan *plan,
				const struct ranges *ranges, size_t i, size_t j,
				struct target *start)
{
	const struct range *range = ranges->range;
	struct target left, right, *yes, *no = range[i].to;
	size_t split = plan->split[at(plan, i, j)];

	if (i == j)
		return range[i].to;
	if (split) {
		yes = emit_tree(g, plan, ranges, split, j, &right);
		no = emit_tree(g, plan, ranges, i, split - 1, &left);
		emit_jump(g, BPF_JGE, range[split].first, yes, no);
		*start = here(g);
		return start;
	}
	for (size_t k = j - 1; k > i && k < j; k -= 2) {
		emit_jump(g, BPF_JEQ, range[k].first, range[k].to, no);
		*start = here(g);
		no = start;
	}
	return start;
}

/* Code that goes to the target of the range in which the accumulator lies. */
static void emit_ranges(struct generator *g, const struct ranges *ranges)
{
	struct plan plan = { .count = 0 };
	struct target start, *to = &start;

	if (!make_plan(g, &plan, ranges))
		to = emit_tree(g, &plan, ranges, 0, ranges->count - 1, &start);
	if (to != &start) /* one range only: nothing to compare */
		emit_jump(g, BPF_JGE, 0, to, to);
	free(plan.cost);
	free(plan.split);
}

/* Append; a range that begins where the last one does takes its place. */
static void add_range(struct ranges *ranges, uint32_t first, struct target *to)
{
	if (ranges->count && ranges->range[ranges->count - 1].first == first)
		ranges->count--;
	if (ranges->count && ranges->range[ranges->count - 1].to == to)
		return;
	ranges->range[ranges->count++] = (struct range){ first, 1, to };
}

static void emit_load(struct generator *g, size_t offset, uint32_t mask)
{
	if (mask != UINT32_MAX)
		emit(g, BPF_ALU | BPF_AND | BPF_K, mask);
	emit(g, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static size_t argument_offset(const struct profile_test *test, bool high)
{
	return offsetof(struct seccomp_data, args) + 8 * test->arg + (high ? 4 : 0);
}

static int by_value(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Where to go if the test holds. */
struct choice {
	const struct profile_test *test;
	struct target *to;
};

static bool holds(const struct profile_test *test, uint32_t value)
{
	for (size_t i = 0; i < test->value_count; i++)
		if (test->values[i] <= value && value <= test->last[i])
			return true;
	return false;
}

static struct target *choose(const struct choice *choices, size_t count, uint32_t value,
			     struct target *no)
{
	for (size_t i = 0; i < count; i++)
		if (holds(choices[i].test, value))
			return choices[i].to;
	return no;
}

/* The low half of one argument against lists, of which the first that holds it counts: the same tree
 * as for call numbers. */
static void emit_narrow(struct generator *g, const struct choice *choices, size_t count,
			struct target *no)
{
	const struct profile_test *any = choices[0].test;
	uint32_t firsts[1 + 2 * PROFILE_VALUES * CHOICES];
	struct range range[1 + 2 * PROFILE_VALUES * CHOICES];
	struct ranges ranges = { .range = range };
	size_t first_count = 1;

	firsts[0] = 0;
	for (size_t i = 0; i < count; i++) {
		const struct profile_test *test = choices[i].test;

		for (size_t j = 0; j < test->value_count; j++) {
			firsts[first_count++] = (uint32_t)test->values[j];
			if (test->last[j] != UINT32_MAX)
				firsts[first_count++] = (uint32_t)test->last[j] + 1;
		}
	}
	qsort(firsts, first_count, sizeof(firsts[0]), by_value);
	for (size_t i = 0; i < first_count; i++)
		add_range(&ranges, firsts[i], choose(choices, count, firsts[i], no));
	emit_ranges(g, &ranges);
	emit_load(g, argument_offset(any, false), (uint32_t)any->mask);
}

/* Both halves, value by value; a half that the mask leaves out is not looked at. */
static void emit_wide(struct generator *g, const struct profile_test *test, struct target *yes,
		      struct target *no)
{
	uint32_t low_mask = (uint32_t)test->mask, high_mask = (uint32_t)(test->mask >> 32);
	struct target low, next, *to;

	for (size_t i = test->value_count; i-- > 0; no = &next) {
		to = yes;
		if (low_mask) {
			emit_jump(g, BPF_JEQ, (uint32_t)test->values[i], to, no);
			emit_load(g, argument_offset(test, false), low_mask);
			low = here(g);
			to = &low;
		}
		if (high_mask) {
			emit_jump(g, BPF_JEQ, (uint32_t)(test->values[i] >> 32), to, no);
			emit_load(g, argument_offset(test, true), high_mask);
		}
		next = here(g);
	}
}

/*
 * Does the argument point into the kernel's half? On the 64 bit architectures one bit tells: the upper one,
 * or on ARM bit 55, since its uppermost byte may hold a tag. A negative int has an upper half of ones.
 * A 32 bit kernel begins at 3 GiB, and what may be an int cannot be told from a pointer there.
 */
static void emit_kernel(struct generator *g, const struct profile_test *test, struct target *yes,
			struct target *no)
{
	bool narrow = g->arch == ARCH_ARM;
	struct target not_int;

	if (narrow) {
		emit_jump(g, BPF_JGE, 0xc0000000, test->perhaps ? no : yes, no);
	} else {
		if (test->perhaps) {
			emit_jump(g, BPF_JEQ, UINT32_MAX, no, yes);
			not_int = here(g);
			yes = &not_int;
		}
		emit_jump(g, BPF_JSET, g->arch == ARCH_AARCH64 ? 0x00800000 : 0x80000000, yes, no);
	}
	emit_load(g, argument_offset(test, !narrow), UINT32_MAX);
}

/* Does the rule look at the same bits as the test, and at nothing else? */
static bool looks_at(const struct profile_rule *rule, const struct profile_test *test)
{
	return rule && rule->test_count == 1 && !rule->tests[0].wide && !test->wide &&
	       !rule->tests[0].kernel && !test->kernel && rule->tests[0].arg == test->arg &&
	       rule->tests[0].mask == test->mask;
}

/* The rules from this one on that one tree can decide. Returns their number; *RULE is the next one. */
static size_t take_choices(struct generator *g, const struct profile_rule **rule,
			   struct choice choices[CHOICES])
{
	const struct profile_test *test = &(*rule)->tests[0];
	size_t count = 0;

	for (; count < CHOICES && looks_at(*rule, test); count++) {
		choices[count].test = &(*rule)->tests[0];
		choices[count].to = return_target(g, (*rule)->verdict);
		*rule = profile_rule_for(g->profile, *rule + 1, (*rule)->name);
	}
	return count;
}

static void emit_test(struct generator *g, const struct profile_test *test, struct target *yes,
		      struct target *no)
{
	if (test->kernel)
		emit_kernel(g, test, yes, no);
	else if (test->wide)
		emit_wide(g, test, yes, no);
	else
		emit_narrow(g, &(struct choice){ test, yes }, 1, no);
}

static bool same_test(const struct profile_test *a, const struct profile_test *b)
{
	return a->arg == b->arg && a->wide == b->wide && a->kernel == b->kernel &&
	       a->perhaps == b->perhaps && a->mask == b->mask && a->value_count == b->value_count &&
	       !memcmp(a->values, b->values, a->value_count * sizeof(a->values[0])) &&
	       !memcmp(a->last, b->last, a->value_count * sizeof(a->last[0]));
}

static bool same_rule(const struct profile_rule *a, const struct profile_rule *b)
{
	if (a->verdict != b->verdict || a->test_count != b->test_count)
		return false;
	for (size_t i = 0; i < a->test_count; i++)
		if (!same_test(&a->tests[i], &b->tests[i]))
			return false;
	return true;
}

/* The last rule of a call is the first one without tests. */
static bool same_rules(const struct profile *profile, const struct profile_rule *a,
		       const struct profile_rule *b)
{
	while (same_rule(a, b)) {
		if (!a->test_count)
			return true;
		a = profile_rule_for(profile, a + 1, a->name);
		b = profile_rule_for(profile, b + 1, b->name);
	}
	return false;
}

/* What was made for rules like these, from the given one on. */
static struct target *find_block(struct generator *g, const struct profile_rule *rule)
{
	for (size_t i = 0; i < g->target_count; i++)
		if (g->rules[i] && same_rules(g->profile, g->rules[i], rule))
			return &g->targets[i];
	return NULL;
}

static struct target *new_block(struct generator *g, const struct profile_rule *rule)
{
	g->rules[g->target_count] = rule;
	g->targets[g->target_count] = here(g);
	return &g->targets[g->target_count++];
}

/* The block for a call, from the given rule on. Returns where it starts. */
static struct target *emit_rules(struct generator *g, const struct profile_rule *rule)
{
	struct target *yes = return_target(g, rule->verdict), *no, start;
	struct choice choices[CHOICES];
	const struct profile_rule *then = rule;
	size_t count;

	if (!rule->test_count)
		return yes;
	if ((no = find_block(g, rule)))
		return no;
	count = take_choices(g, &then, choices);
	if (!count)
		then = profile_rule_for(g->profile, rule + 1, rule->name);
	no = emit_rules(g, then);
	if (count)
		emit_narrow(g, choices, count, no);
	for (size_t i = rule->test_count; !count && i-- > 0; yes = &start) {
		emit_test(g, &rule->tests[i], yes, no);
		start = here(g);
	}
	return new_block(g, rule);
}

static void weigh(struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		struct range *range = &ranges->range[i];
		uint32_t end = i + 1 < ranges->count ? range[1].first : KERNEL_CALLS;

		if (end > KERNEL_CALLS)
			end = KERNEL_CALLS;
		range->weight = range->first < end ? end - range->first : 1;
	}
}

/* x32 is no architecture of its own for seccomp; its numbers are just a range of ours. The very
 * last number, -1, is nobody's: programs use it to ask for ENOSYS, and tracers to skip a call. */
static void emit_calls(struct generator *g, const struct generate_arch *arch,
		       const struct generate_call *calls, size_t count, struct ranges *ranges)
{
	struct target *otherwise = return_target(g, g->profile->otherwise);

	add_range(ranges, 0, otherwise);
	for (size_t i = 0; i < count; i++) {
		add_range(ranges, calls[i].number, emit_rules(g, calls[i].rule));
		add_range(ranges, calls[i].number + 1, otherwise);
	}
	if (arch->x32) {
		add_range(ranges, X32_BIT, return_target(g, SECCOMP_RET_KILL_PROCESS));
		add_range(ranges, UINT32_MAX, otherwise);
	}
	weigh(ranges);
	emit_ranges(g, ranges);
}

static void emit_filter(struct generator *g, const struct generate_arch *arch,
			const struct generate_call *calls, size_t count, struct ranges *ranges)
{
	struct target numbers;

	emit_calls(g, arch, calls, count, ranges);
	emit_load(g, offsetof(struct seccomp_data, nr), UINT32_MAX);
	numbers = here(g);
	emit_jump(g, BPF_JEQ, arch->audit, &numbers, return_target(g, SECCOMP_RET_KILL_PROCESS));
	emit_load(g, offsetof(struct seccomp_data, arch), UINT32_MAX);
	/* Where it has to know the instruction pointer, the kernel gives up the walk at once. */
	if (g->profile->uncached)
		emit_load(g, offsetof(struct seccomp_data, instruction_pointer), UINT32_MAX);
}

int generate_filter(struct profile *profile, enum profile_arch arch,
		    const struct generate_call *calls, size_t count, struct sock_filter *code)
{
	struct generator g = { .profile = profile, .arch = arch, .code = code };
	struct ranges ranges = { .count = 0 };

	g.targets = calloc(profile->rule_count + VERDICTS, sizeof(*g.targets));
	ranges.range = calloc(2 * count + 3, sizeof(*ranges.range));
	g.rules = calloc(profile->rule_count + VERDICTS, sizeof(struct profile_rule *));
	if (g.targets && ranges.range && g.rules)
		emit_filter(&g, &generate_arches[arch], calls, count, &ranges);
	else
		profile_fail(profile, "out of memory");
	free(g.targets);
	free(g.rules);
	free(ranges.range);
	if (profile->error[0])
		return -1;
	memmove(code, code + BPF_MAXINSNS - g.length, g.length * sizeof(*code));
	return (int)g.length;
}
