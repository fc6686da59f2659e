/* SPDX-License-Identifier: MIT */
/* From the text of a profile to rules. profile.h describes the language. */
#include "filters/profile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

enum {
	LINE_WORDS = 64,
	SHARED_NUMBERS = 424,     /* from here on all architectures use the same numbers */
	LAST_NUMBER = 0x000fffff, /* ARM's private calls are the highest ones in use */
};

const char *const profile_arch_names[ARCH_COUNT] = {
	[ARCH_X86_64] = "x86_64",
	[ARCH_AARCH64] = "aarch64",
	[ARCH_ARM] = "arm",
	[ARCH_RISCV64] = "riscv64",
};

/* One line, cut into words; `next` is the word that the parser looks at. */
struct words {
	const char *word[LINE_WORDS];
	size_t count;
	size_t next;
};

static const struct {
	const char *name;
	uint32_t number;
} errnos[] = {
	{ "EPERM", EPERM },
	{ "EACCES", EACCES },
	{ "EINVAL", EINVAL },
	{ "EFAULT", EFAULT },
	{ "ENOSYS", ENOSYS },
	{ "EOPNOTSUPP", EOPNOTSUPP },
	{ "EAFNOSUPPORT", EAFNOSUPPORT },
	{ "EPROTONOSUPPORT", EPROTONOSUPPORT },
};

int profile_fail(struct profile *profile, unsigned line, const char *format, ...)
{
	va_list arguments;
	int used;

	if (profile->error[0])
		return -1;
	used = snprintf(profile->error, sizeof(profile->error), "%s:%u: ", profile->file,
			line ? line : profile->line);
	if (used < 0 || (size_t)used >= sizeof(profile->error))
		return -1;
	va_start(arguments, format);
	vsnprintf(profile->error + used, sizeof(profile->error) - (size_t)used, format, arguments);
	va_end(arguments);
	return -1;
}

/* The next word, or NULL after "missing WHAT". */
static const char *take(struct profile *profile, struct words *words, const char *what)
{
	if (words->next < words->count)
		return words->word[words->next++];
	profile_fail(profile, 0, "missing %s", what);
	return NULL;
}

static bool next_is(const struct words *words, const char *word)
{
	return words->next < words->count && !strcmp(words->word[words->next], word);
}

static int at_end(struct profile *profile, const struct words *words)
{
	if (words->next == words->count)
		return 0;
	return profile_fail(profile, 0, "unexpected word: %s", words->word[words->next]);
}

static int copy_name(struct profile *profile, char *to, const char *word)
{
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_");

	if (word[length] || (word[0] >= '0' && word[0] <= '9'))
		return profile_fail(profile, 0, "not a name: %s", word);
	if (length >= PROFILE_NAME)
		return profile_fail(profile, 0, "name too long: %s", word);
	memcpy(to, word, length + 1);
	return 0;
}

static int parse_number(struct profile *profile, const char *word, uint64_t *value)
{
	char *end;

	if (word[0] >= '0' && word[0] <= '9') {
		errno = 0;
		*value = strtoull(word, &end, 0);
		if (!*end && !errno)
			return 0;
		return profile_fail(profile, 0, "not a number: %s", word);
	}
	for (size_t i = 0; i < profile->define_count; i++) {
		if (!strcmp(profile->defines[i].name, word)) {
			*value = profile->defines[i].value;
			return 0;
		}
	}
	return profile_fail(profile, 0, "unknown word for a number: %s", word);
}

static int parse_errno(struct profile *profile, struct words *words, uint32_t *verdict)
{
	const char *word = take(profile, words, "errno after \"answer\"");

	if (!word)
		return -1;
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		if (!strcmp(errnos[i].name, word)) {
			*verdict = SECCOMP_RET_ERRNO | errnos[i].number;
			return 0;
		}
	}
	return profile_fail(profile, 0, "unknown errno: %s", word);
}

static int parse_verdict(struct profile *profile, struct words *words, uint32_t *verdict)
{
	const char *word = take(profile, words, "verdict");

	if (!word)
		return -1;
	if (!strcmp(word, "allow"))
		*verdict = SECCOMP_RET_ALLOW;
	else if (!strcmp(word, "deny"))
		*verdict = SECCOMP_RET_ERRNO | EPERM;
	else if (!strcmp(word, "kill"))
		*verdict = SECCOMP_RET_KILL_PROCESS;
	else if (!strcmp(word, "answer"))
		return parse_errno(profile, words, verdict);
	else
		return profile_fail(profile, 0, "unknown statement: %s", word);
	return 0;
}

static int parse_define(struct profile *profile, struct words *words)
{
	struct profile_define *define = &profile->defines[profile->define_count];
	const char *name, *value;

	if (profile->define_count == PROFILE_DEFINES)
		return profile_fail(profile, 0, "too many definitions");
	if (!(name = take(profile, words, "name")) || copy_name(profile, define->name, name) ||
	    !(value = take(profile, words, "value")) ||
	    parse_number(profile, value, &define->value) || at_end(profile, words))
		return -1;
	for (size_t i = 0; i < profile->define_count; i++)
		if (!strcmp(profile->defines[i].name, name))
			return profile_fail(profile, 0, "defined twice: %s", name);
	profile->define_count++;
	return 0;
}

static int parse_arch(struct profile *profile, const char *word, unsigned *arches)
{
	for (unsigned i = 0; i < ARCH_COUNT; i++) {
		if (!strcmp(profile_arch_names[i], word)) {
			*arches |= 1U << i;
			return 0;
		}
	}
	return profile_fail(profile, 0, "unknown architecture: %s", word);
}

static int parse_call(struct profile *profile, struct words *words)
{
	struct profile_call *call = &profile->calls[profile->call_count];
	const char *name, *number;
	uint64_t value;

	if (profile->call_count == PROFILE_CALLS)
		return profile_fail(profile, 0, "too many calls");
	*call = (struct profile_call){ .line = profile->line };
	if (!(name = take(profile, words, "name")) || copy_name(profile, call->name, name) ||
	    !(number = take(profile, words, "number")) || parse_number(profile, number, &value))
		return -1;
	if (value > LAST_NUMBER)
		return profile_fail(profile, 0, "no call has the number %s", number);
	call->number = (uint32_t)value;
	while (words->next < words->count)
		if (parse_arch(profile, words->word[words->next++], &call->arches))
			return -1;
	if (!call->arches && value < SHARED_NUMBERS)
		return profile_fail(profile, 0, "numbers below %d differ: name the architectures",
				    SHARED_NUMBERS);
	if (!call->arches)
		call->arches = (1U << ARCH_COUNT) - 1;
	for (size_t i = 0; i < profile->call_count; i++)
		if (!strcmp(profile->calls[i].name, name) &&
		    profile->calls[i].arches & call->arches)
			return profile_fail(profile, 0, "numbered twice: %s", name);
	profile->call_count++;
	return 0;
}

static int parse_otherwise(struct profile *profile, struct words *words)
{
	if (profile->has_otherwise)
		return profile_fail(profile, 0, "a second \"otherwise\"");
	profile->has_otherwise = true;
	if (parse_verdict(profile, words, &profile->otherwise))
		return -1;
	return at_end(profile, words);
}

static int parse_uncached(struct profile *profile, struct words *words)
{
	profile->uncached = true;
	return at_end(profile, words);
}

/* "arg1:32": the argument, and how much of it. */
static int parse_argument(struct profile *profile, struct words *words, struct profile_test *test)
{
	const char *word = take(profile, words, "argument");

	if (!word)
		return -1;
	if (strncmp(word, "arg", 3) || word[3] < '0' || word[3] > '5' ||
	    (strcmp(word + 4, ":32") && strcmp(word + 4, ":64")))
		return profile_fail(profile, 0, "not an argument: %s (arg0:32 to arg5:64)", word);
	test->arg = (unsigned)(word[3] - '0');
	test->wide = word[5] == '6';
	test->mask = test->wide ? UINT64_MAX : UINT32_MAX;
	return 0;
}

static int parse_mask(struct profile *profile, struct words *words, struct profile_test *test)
{
	uint64_t width = test->mask;
	const char *word;

	if (!next_is(words, "&"))
		return 0;
	words->next++;
	word = take(profile, words, "mask");
	if (!word || parse_number(profile, word, &test->mask))
		return -1;
	if (!test->mask || test->mask & ~width)
		return profile_fail(profile, 0, "mask is zero or too wide: %s", word);
	return 0;
}

static int parse_value(struct profile *profile, struct words *words, struct profile_test *test)
{
	const char *word = take(profile, words, "value");
	uint64_t value;

	if (!word || parse_number(profile, word, &value))
		return -1;
	if (value & ~test->mask)
		return profile_fail(profile, 0, "can never be equal: %s", word);
	if (test->value_count == PROFILE_VALUES)
		return profile_fail(profile, 0, "more than %d values", PROFILE_VALUES);
	for (size_t i = 0; i < test->value_count; i++)
		if (test->values[i] == value)
			return profile_fail(profile, 0, "value given twice: %s", word);
	test->values[test->value_count++] = value;
	return 0;
}

static int parse_test(struct profile *profile, struct words *words, struct profile_test *test)
{
	const char *operator;

	if (parse_argument(profile, words, test) || parse_mask(profile, words, test) ||
	    !(operator= take(profile, words, "== or in")))
		return -1;
	if (!strcmp(operator, "=="))
		return parse_value(profile, words, test);
	if (strcmp(operator, "in"))
		return profile_fail(profile, 0, "not == or in: %s", operator);
	do {
		if (parse_value(profile, words, test))
			return -1;
	} while (words->next < words->count && !next_is(words, "and"));
	return 0;
}

/* What stands after the names: nothing, or "if TEST [and TEST]...". */
static int parse_tests(struct profile *profile, struct words *words, struct profile_rule *rule)
{
	if (words->next == words->count)
		return 0;
	do {
		words->next++; /* "if", then "and" */
		if (rule->test_count == PROFILE_TESTS)
			return profile_fail(profile, 0, "more than %d tests", PROFILE_TESTS);
		if (parse_test(profile, words, &rule->tests[rule->test_count++]))
			return -1;
	} while (next_is(words, "and"));
	return at_end(profile, words);
}

static int add_rule(struct profile *profile, const struct profile_rule *model, const char *name)
{
	struct profile_rule *rule = &profile->rules[profile->rule_count];
	const struct profile_rule *other = profile->rules;

	if (profile->rule_count == PROFILE_RULES)
		return profile_fail(profile, 0, "too many rules");
	for (; (other = profile_rule_for(profile, other, name)); other++)
		if (!other->test_count)
			return profile_fail(profile, 0, "never reached: line %u decides %s",
					    other->line, name);
	*rule = *model;
	if (copy_name(profile, rule->name, name))
		return -1;
	profile->rule_count++;
	return 0;
}

static int parse_rule(struct profile *profile, struct words *words)
{
	struct profile_rule model = { .line = profile->line };
	size_t first, end;

	if (parse_verdict(profile, words, &model.verdict))
		return -1;
	first = words->next;
	while (words->next < words->count && !next_is(words, "if"))
		words->next++;
	end = words->next;
	if (first == end)
		return profile_fail(profile, 0, "missing name of a call");
	if (parse_tests(profile, words, &model))
		return -1;
	for (size_t i = first; i < end; i++)
		if (add_rule(profile, &model, words->word[i]))
			return -1;
	return 0;
}

static int parse_line(struct profile *profile, char *line)
{
	struct words words = { .count = 0 };
	char *rest = line;

	line[strcspn(line, "#")] = '\0';
	for (char *word; (word = strtok_r(rest, BLANKS, &rest));) {
		if (words.count == LINE_WORDS)
			return profile_fail(profile, 0, "more than %d words", LINE_WORDS);
		words.word[words.count++] = word;
	}
	if (!words.count)
		return 0;
	if (next_is(&words, "define"))
		return words.next++, parse_define(profile, &words);
	if (next_is(&words, "call"))
		return words.next++, parse_call(profile, &words);
	if (next_is(&words, "otherwise"))
		return words.next++, parse_otherwise(profile, &words);
	if (next_is(&words, "uncached"))
		return words.next++, parse_uncached(profile, &words);
	return parse_rule(profile, &words);
}

/* Every call's rules must end in one without tests. */
static int check_complete(struct profile *profile)
{
	if (!profile->has_otherwise)
		return profile_fail(profile, 0, "missing \"otherwise\"");
	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct profile_rule *rule = &profile->rules[i];

		if (rule->test_count && !profile_rule_for(profile, rule + 1, rule->name))
			return profile_fail(profile, rule->line,
					    "the last rule of %s must have no test", rule->name);
	}
	return 0;
}

int profile_parse(struct profile *profile, const char *file, FILE *in)
{
	size_t size = 0;
	char *line = NULL;
	ssize_t length;
	int result = 0;

	memset(profile, 0, sizeof(*profile));
	profile->file = file;
	while (!result && (length = getline(&line, &size, in)) >= 0) {
		profile->line++;
		if (strlen(line) != (size_t)length)
			result = profile_fail(profile, 0, "a NUL byte");
		else
			result = parse_line(profile, line);
	}
	free(line);
	if (!result && ferror(in))
		result = profile_fail(profile, 0, "%s", strerror(errno));
	return result ? -1 : check_complete(profile);
}

const struct profile_rule *profile_rule_for(const struct profile *profile,
					    const struct profile_rule *rule, const char *name)
{
	for (; rule < profile->rules + profile->rule_count; rule++)
		if (!strcmp(rule->name, name))
			return rule;
	return NULL;
}
