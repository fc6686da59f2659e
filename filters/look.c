/* SPDX-License-Identifier: MIT */
#include "filters/look.h"

#include "filters_generated.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

const struct filter_call filter_calls[] = { FILTER_CALLS };
const size_t filter_call_count = sizeof(filter_calls) / sizeof(filter_calls[0]);

#define NUMBER offsetof(struct seccomp_data, nr)
#define ARCHITECTURE offsetof(struct seccomp_data, arch)

static const char *call_name(uint32_t number)
{
	for (size_t i = 0; i < filter_call_count; i++)
		if (filter_calls[i].number == number)
			return filter_calls[i].name;
	return NULL;
}

/* What the instruction makes of the accumulator, if that can be known. */
static bool compute(const struct sock_filter *insn, unsigned number, uint32_t *accumulator)
{
	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		*accumulator = insn->k == NUMBER ? number : FILTER_AUDIT;
		return insn->k == NUMBER || insn->k == ARCHITECTURE;
	case BPF_LD | BPF_IMM:
		*accumulator = insn->k;
		return true;
	case BPF_ALU | BPF_AND | BPF_K:
		*accumulator &= insn->k;
		return true;
	default:
		return false;
	}
}

static bool jump(const struct sock_filter *insn, uint32_t accumulator, size_t *distance)
{
	bool yes;

	switch (insn->code) {
	case BPF_JMP | BPF_JA:
		*distance = insn->k;
		return true;
	case BPF_JMP | BPF_JEQ | BPF_K:
		yes = accumulator == insn->k;
		break;
	case BPF_JMP | BPF_JGT | BPF_K:
		yes = accumulator > insn->k;
		break;
	case BPF_JMP | BPF_JGE | BPF_K:
		yes = accumulator >= insn->k;
		break;
	case BPF_JMP | BPF_JSET | BPF_K:
		yes = (accumulator & insn->k) != 0;
		break;
	default:
		return false;
	}
	*distance = yes ? insn->jt : insn->jf;
	return true;
}

bool filter_decides(const struct sock_filter *code, size_t length, unsigned number,
		    uint32_t *verdict)
{
	uint32_t accumulator = 0;

	for (size_t at = 0, distance; at < length; at++) {
		if (code[at].code == (BPF_RET | BPF_K)) {
			*verdict = code[at].k;
			return true;
		}
		if (BPF_CLASS(code[at].code) == BPF_JMP) {
			if (!jump(&code[at], accumulator, &distance) || distance >= length - at)
				return false;
			at += distance;
		} else if (!compute(&code[at], number, &accumulator)) {
			return false;
		}
	}
	return false;
}

void filter_verdict_text(uint32_t verdict, char *text, size_t size)
{
	static const struct {
		uint32_t action;
		const char *text;
	} actions[] = {
		{ SECCOMP_RET_KILL_PROCESS, "kill the process" },
		{ SECCOMP_RET_KILL_THREAD, "kill the thread" },
		{ SECCOMP_RET_TRAP, "trap" },
		{ SECCOMP_RET_USER_NOTIF, "ask the listener" },
		{ SECCOMP_RET_TRACE, "ask the tracer" },
		{ SECCOMP_RET_LOG, "log and allow" },
		{ SECCOMP_RET_ALLOW, "allow" },
	};
	uint32_t action = verdict & SECCOMP_RET_ACTION_FULL;

	snprintf(text, size, "return %#x", verdict);
	if (action == SECCOMP_RET_ERRNO)
		snprintf(text, size, "errno %u, %s", verdict & SECCOMP_RET_DATA,
			 strerror((int)(verdict & SECCOMP_RET_DATA)));
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (actions[i].action == action)
			snprintf(text, size, "%s", actions[i].text);
}

static void load_text(const struct sock_filter *insn, char *text, size_t size)
{
	const size_t arguments = offsetof(struct seccomp_data, args);

	if (insn->k == NUMBER)
		snprintf(text, size, "load the number");
	else if (insn->k == ARCHITECTURE)
		snprintf(text, size, "load the architecture");
	else if (insn->k < arguments)
		snprintf(text, size, "load the instruction pointer, %s half",
			 insn->k == ARCHITECTURE + 4 ? "low" : "high");
	else
		snprintf(text, size, "load argument %zu, %s half", (insn->k - arguments) / 8,
			 (insn->k - arguments) % 8 == 0 ? "low" : "high");
}

/* What was loaded before a jump is what comes before it in the text. A guess, for the names alone. */
static bool is_about_numbers(const struct sock_filter *code, size_t at)
{
	while (at > 0 && code[at].code != (BPF_LD | BPF_W | BPF_ABS))
		at--;
	return code[at].code == (BPF_LD | BPF_W | BPF_ABS) && code[at].k == NUMBER;
}

static void jump_text(const struct sock_filter *code, size_t at, char *text, size_t size)
{
	static const char *const tests[] = { [BPF_JEQ >> 4] = "==",
					     [BPF_JGT >> 4] = ">",
					     [BPF_JGE >> 4] = ">=",
					     [BPF_JSET >> 4] = "has a bit of" };
	const struct sock_filter *insn = &code[at];
	unsigned test = BPF_OP(insn->code) >> 4;
	const char *name = is_about_numbers(code, at) ? call_name(insn->k) : NULL;

	if (BPF_OP(insn->code) == BPF_JA)
		snprintf(text, size, "go to %zu", at + 1 + insn->k);
	else if (test >= sizeof(tests) / sizeof(tests[0]))
		snprintf(text, size, "jump %#x", insn->code);
	else if (BPF_SRC(insn->code) == BPF_X)
		snprintf(text, size, "if %s x: %zu, else %zu", tests[test], at + 1 + insn->jt,
			 at + 1 + insn->jf);
	else
		snprintf(text, size, "if %s %#x%s%s: %zu, else %zu", tests[test], insn->k,
			 name != NULL ? " " : "", name != NULL ? name : "", at + 1 + insn->jt,
			 at + 1 + insn->jf);
}

static void compute_text(const struct sock_filter *insn, char *text, size_t size)
{
	static const char *const operators[] = { "+",  "-",  "*", "/", "|", "&",
						 "<<", ">>", "~", "%", "^" };
	unsigned operator= BPF_OP(insn->code) >> 4;

	if (operator>= sizeof(operators) / sizeof(operators[0]))
		snprintf(text, size, "compute %#x", insn->code);
	else if (BPF_SRC(insn->code) == BPF_X)
		snprintf(text, size, "%s x", operators[operator]);
	else
		snprintf(text, size, "%s %#x", operators[operator], insn->k);
}

void filter_line_text(const struct sock_filter *code, size_t at, char *text, size_t size)
{
	const struct sock_filter *insn = &code[at];

	if (insn->code == (BPF_LD | BPF_W | BPF_ABS))
		load_text(insn, text, size);
	else if (insn->code == (BPF_RET | BPF_K))
		filter_verdict_text(insn->k, text, size);
	else if (insn->code == (BPF_RET | BPF_A))
		snprintf(text, size, "return what is loaded");
	else if (BPF_CLASS(insn->code) == BPF_JMP)
		jump_text(code, at, text, size);
	else if (BPF_CLASS(insn->code) == BPF_ALU)
		compute_text(insn, text, size);
	else
		snprintf(text, size, "instruction %#x %#x", insn->code, insn->k);
}
