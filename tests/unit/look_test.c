/* SPDX-License-Identifier: MIT */
/* What is told of filters is what they do. */
#include "filters/filter.h"
#include "filters/look.h"
#include "tests/lib/bpf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filters_generated.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A number decides just where the kernel finds that, too. */
static void test_decides(void **state)
{
	(void)state;
	for (size_t i = 0; filter_names[i]; i++) {
		const struct filter *filter = filter_find(filter_names[i], false);

		for (int number = -1; number < 2000; number++) {
			struct seccomp_data data = { .nr = number, .arch = FILTER_AUDIT };
			uint32_t verdict, expected;
			bool decides = filter_decides(filter->code, filter->len, (unsigned)number,
						      &verdict);

			assert_true(bpf_run(filter->code, filter->len, &data, &expected) > 0);
			if (decides)
				assert_int_equal(verdict, expected);
			if (expected == SECCOMP_RET_ALLOW)
				assert_int_equal(decides,
						 bpf_always_allows(filter->code, filter->len,
								   number, FILTER_AUDIT));
		}
	}
}

/* No loop, and nothing is read behind the end. */
static void test_decides_on_noise(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 20000; run++) {
		size_t length = (size_t)rand() % 40;
		struct sock_filter *code = calloc(length + 1, sizeof(*code));
		char text[16];
		uint32_t verdict;

		assert_non_null(code);
		for (size_t i = 0; i < length; i++)
			code[i] = (struct sock_filter){
				.code = (uint16_t)(rand() % 2 ? rand() : rand() % 0x60),
				.jt = (uint8_t)(rand() % 50),
				.jf = (uint8_t)(rand() % 50),
				.k = (uint32_t)(rand() % 2 ? rand() % 64 : rand()) << rand() % 2,
			};
		code = realloc(code, (length ? length : 1) * sizeof(*code)); /* for the sanitizer */
		assert_non_null(code);
		filter_decides(code, length, (unsigned)rand() % 500, &verdict);
		for (size_t i = 0; i < length; i++)
			filter_line_text(code, i, text, sizeof(text));
		free(code);
	}
}

static const struct {
	struct sock_filter insn;
	const char *text;
} lines[] = {
	{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), "load the number" },
	{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4), "load the architecture" },
	{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8), "load the instruction pointer, low half" },
	{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 12), "load the instruction pointer, high half" },
	{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16), "load argument 0, low half" },
	{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), "load argument 5, high half" },
	{ BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 15), "& 0xf" },
	{ BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0), "^ x" },
	{ BPF_STMT(BPF_JMP | BPF_JA, 3), "go to 4" },
	{ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 16, 1, 2), "if == 0x10: 2, else 3" },
	{ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 16, 0, 255), "if > 0x10: 1, else 256" },
	{ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 1, 2), "if >= x: 2, else 3" },
	{ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 1, 2), "if has a bit of 0x1: 2, else 3" },
	{ BPF_JUMP(BPF_JMP | 0xf0, 1, 1, 2), "jump 0xf5" },
	{ BPF_STMT(BPF_ALU | 0xf0, 1), "compute 0xf4" },
	{ BPF_STMT(BPF_RET | BPF_A, 0), "return what is loaded" },
	{ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), "allow" },
	{ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), "kill the process" },
	{ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD), "kill the thread" },
	{ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP), "trap" },
	{ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF), "ask the listener" },
	{ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 1), "ask the tracer" },
	{ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG), "log and allow" },
	{ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	  "errno 1, Operation not permitted" },
	{ BPF_STMT(BPF_RET | BPF_K, 0x12345678), "return 0x12345678" },
	{ BPF_STMT(BPF_MISC | BPF_TAX, 0), "instruction 0x7 0" },
};

static void test_lines(void **state)
{
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		filter_line_text(&lines[i].insn, 0, text, sizeof(text));
		assert_string_equal(text, lines[i].text);
	}
}

static void test_names(void **state)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 435, 0, 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 435, 0, 1),
	};
	char text[128];

	(void)state;
	filter_line_text(code, 1, text, sizeof(text));
	assert_string_equal(text, "if == 0x1b3 clone3: 2, else 3");
	filter_line_text(code, 3, text, sizeof(text));
	assert_string_equal(text, "if == 0x1b3: 4, else 5");
	assert_true(filter_call_count > 300);
	for (size_t i = 1; i < filter_call_count; i++)
		assert_true(filter_calls[i - 1].number < filter_calls[i].number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decides),
		cmocka_unit_test(test_decides_on_noise),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
