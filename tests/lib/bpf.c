/* SPDX-License-Identifier: MIT */
#include "tests/lib/bpf.h"

#include <string.h>

/* Only aligned words of seccomp_data can be loaded, as in the kernel. */
static bool load(const struct seccomp_data *data, uint32_t offset, uint32_t *accumulator)
{
	if (offset % 4 || offset > sizeof(*data) - sizeof(*accumulator))
		return false;
	memcpy(accumulator, (const char *)data + offset, sizeof(*accumulator));
	return true;
}

/* How far to jump. The compiler of a filter may use any of these. */
static bool jump(const struct sock_filter *insn, uint32_t accumulator, uint32_t *distance)
{
	bool yes;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		*distance = insn->k;
		return true;
	case BPF_JEQ:
		yes = accumulator == insn->k;
		break;
	case BPF_JGT:
		yes = accumulator > insn->k;
		break;
	case BPF_JGE:
		yes = accumulator >= insn->k;
		break;
	case BPF_JSET:
		yes = accumulator & insn->k;
		break;
	default:
		return false;
	}
	*distance = yes ? insn->jt : insn->jf;
	return true;
}

/* Only the first KNOWN bytes of DATA are there. */
static int run(const struct sock_filter *code, size_t length, const struct seccomp_data *data,
	       size_t known, uint32_t *verdict)
{
	uint32_t accumulator = 0, distance;
	int steps = 0;

	for (size_t at = 0; at < length; at++) {
		const struct sock_filter *insn = &code[at];

		steps++;
		if (insn->code == (BPF_RET | BPF_K)) {
			*verdict = insn->k;
			return steps;
		} else if (insn->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (insn->k >= known || !load(data, insn->k, &accumulator))
				return -1;
		} else if (insn->code == (BPF_ALU | BPF_AND | BPF_K)) {
			accumulator &= insn->k;
		} else if (BPF_CLASS(insn->code) == BPF_JMP && BPF_SRC(insn->code) == BPF_K) {
			if (!jump(insn, accumulator, &distance) || distance >= length - at - 1)
				return -1;
			at += distance;
		} else {
			return -1;
		}
	}
	return -1;
}

int bpf_run(const struct sock_filter *code, size_t length, const struct seccomp_data *data,
	    uint32_t *verdict)
{
	return run(code, length, data, sizeof(*data), verdict);
}

bool bpf_always_allows(const struct sock_filter *code, size_t length, int number, uint32_t arch)
{
	const struct seccomp_data data = { .nr = number, .arch = arch };
	uint32_t verdict;

	return run(code, length, &data, offsetof(struct seccomp_data, instruction_pointer),
		   &verdict) > 0 &&
	       verdict == SECCOMP_RET_ALLOW;
}
