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
	{ "ENOENT", ENOENT },
	{ "EACCES", EACCES },
	{ "EINVAL", EINVAL },
	{ "EFAULT", EFAULT },
	{ "ENOSYS", ENOSYS },
	{ "ENOTTY", ENOTTY },
	{ "EOPNOTSUPP", EOPNOTSUPP },
	{ "EAFNOSUPPORT", EAFNOSUPPORT },
	{ "EPROTONOSUPPORT", EPROTONOSUPPORT },
};

static int fail(struct profile *profile, const char *file, unsigned line, const char *format,
		va_list arguments)
{
	int used;

	if (profile->error[0])
		return -1;
	used = snprintf(profile->error, sizeof(profile->error), "%s:%u: ", file, line);
	if (used < 0 || (size_t)used >= sizeof(profile->error))
		return -1;
	vsnprintf(profile->error + used, sizeof(profile->error) - (size_t)used, format, arguments);
	return -1;
}

int profile_fail(struct profile *profile, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail(profile, profile->file, profile->line, format, arguments);
	va_end(arguments);
	return -1;
}

int profile_fail_at(struct profile *profile, const char *file, unsigned line, const char *format,
		    ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail(profile, file, line, format, arguments);
	va_end(arguments);
	return -1;
}

/* The next word, or NULL after "missing WHAT". */
static const char *take(struct profile *profile, struct words *words, const char *what)
{
	if (words->next < words->count)
		return words->word[words->next++];
	profile_fail(profile, "missing %s", what);
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
	return profile_fail(profile, "unexpected word: %s", words->word[words->next]);
}

static int copy_name(struct profile *profile, char *to, const char *word)
{
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_");

	if (word[length] || (word[0] >= '0' && word[0] <= '9'))
		return profile_fail(profile, "not a name: %s", word);
	if (length >= PROFILE_NAME)
		return profile_fail(profile, "name too long: %s", word);
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
		return profile_fail(profile, "not a number: %s", word);
	}
	for (size_t i = 0; i < profile->define_count; i++) {
		if (!strcmp(profile->defines[i].name, word)) {
			*value = profile->defines[i].value;
			return 0;
		}
	}
	return profile_fail(profile, "unknown word for a number: %s", word);
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
	return profile_fail(profile, "unknown errno: %s", word);
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
	else if (!strcmp(word, "notify"))
		*verdict = SECCOMP_RET_USER_NOTIF;
	else if (!strcmp(word, "answer"))
		return parse_errno(profile, words, verdict);
	else
		return profile_fail(profile, "unknown statement: %s", word);
	return 0;
}

static int parse_define(struct profile *profile, struct words *words)
{
	struct profile_define *define = &profile->defines[profile->define_count];
	const char *name, *value;

	if (profile->define_count == PROFILE_DEFINES)
		return profile_fail(profile, "too many definitions");
	if (!(name = take(profile, words, "name")) || copy_name(profile, define->name, name) ||
	    !(value = take(profile, words, "value")) ||
	    parse_number(profile, value, &define->value) || at_end(profile, words))
		return -1;
	define->file = profile->file;
	for (size_t i = 0; i < profile->define_count; i++) {
		if (strcmp(profile->defines[i].name, name))
			continue;
		/* Each file may be read alone. */
		if (profile->defines[i].file == profile->file ||
		    profile->defines[i].value != define->value)
			return profile_fail(profile, "defined twice: %s", name);
		return 0;
	}
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
	return profile_fail(profile, "unknown architecture: %s", word);
}

static int parse_call(struct profile *profile, struct words *words)
{
	struct profile_call *call = &profile->calls[profile->call_count];
	const char *name, *number;
	uint64_t value;

	if (profile->call_count == PROFILE_CALLS)
		return profile_fail(profile, "too many calls");
	*call = (struct profile_call){ .file = profile->file, .line = profile->line };
	if (!(name = take(profile, words, "name")) || copy_name(profile, call->name, name) ||
	    !(number = take(profile, words, "number")) || parse_number(profile, number, &value))
		return -1;
	if (value > LAST_NUMBER)
		return profile_fail(profile, "no call has the number %s", number);
	call->number = (uint32_t)value;
	while (words->next < words->count)
		if (parse_arch(profile, words->word[words->next++], &call->arches))
			return -1;
	if (!call->arches && value < SHARED_NUMBERS)
		return profile_fail(profile, "numbers below %d differ: name the architectures",
				    SHARED_NUMBERS);
	if (!call->arches)
		call->arches = (1U << ARCH_COUNT) - 1;
	for (size_t i = 0; i < profile->call_count; i++)
		if (!strcmp(profile->calls[i].name, name) &&
		    profile->calls[i].arches & call->arches)
			return profile_fail(profile, "numbered twice: %s", name);
	profile->call_count++;
	return 0;
}

static int parse_otherwise(struct profile *profile, struct words *words)
{
	uint32_t verdict;

	if (profile->otherwise_file == profile->file)
		return profile_fail(profile, "a second \"otherwise\"");
	if (parse_verdict(profile, words, &verdict))
		return -1;
	/* That of an including file stands before this one. */
	if (!profile->otherwise_file) {
		profile->otherwise_file = profile->file;
		profile->otherwise = verdict;
	}
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
		return profile_fail(profile, "not an argument: %s (arg0:32 to arg5:64)", word);
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
		return profile_fail(profile, "mask is zero or too wide: %s", word);
	return 0;
}

/* "1", "NAME", "1..9". */
static int parse_range(struct profile *profile, const char *word, uint64_t *first, uint64_t *last)
{
	const char *dots = strstr(word, "..");
	char start[PROFILE_NAME] = "";

	if (!dots) {
		if (parse_number(profile, word, first))
			return -1;
		*last = *first;
		return 0;
	}
	if (dots - word >= PROFILE_NAME)
		return profile_fail(profile, "name too long: %s", word);
	memcpy(start, word, (size_t)(dots - word));
	if (parse_number(profile, start, first) || parse_number(profile, dots + 2, last))
		return -1;
	return *first < *last ? 0 : profile_fail(profile, "not a range: %s", word);
}

static int parse_value(struct profile *profile, struct words *words, struct profile_test *test)
{
	const char *word = take(profile, words, "value");
	uint64_t first, last;

	if (!word || parse_range(profile, word, &first, &last))
		return -1;
	if (first != last && (test->wide || test->mask != UINT32_MAX))
		return profile_fail(profile, "a range of less or more than 32 bits: %s", word);
	if (first & ~test->mask || last & ~test->mask)
		return profile_fail(profile, "can never be equal: %s", word);
	if (test->value_count == PROFILE_VALUES)
		return profile_fail(profile, "more than %d values", PROFILE_VALUES);
	for (size_t i = 0; i < test->value_count; i++)
		if (test->values[i] <= last && first <= test->last[i])
			return profile_fail(profile, "value given twice: %s", word);
	test->values[test->value_count] = first;
	test->last[test->value_count++] = last;
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
		return profile_fail(profile, "not == or in: %s", operator);
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
			return profile_fail(profile, "more than %d tests", PROFILE_TESTS);
		if (parse_test(profile, words, &rule->tests[rule->test_count++]))
			return -1;
	} while (next_is(words, "and"));
	return at_end(profile, words);
}

/* What an including file has decided, or one that it included before, is no error but what
 * including is for. */
static bool may_be_decided(const struct profile *profile, const struct profile_rule *by)
{
	return by->file != profile->file && by->depth <= profile->depth;
}

static int add_rule(struct profile *profile, const struct profile_rule *model, const char *name)
{
	struct profile_rule *rule = &profile->rules[profile->rule_count];
	const struct profile_rule *other = profile->rules;

	if (profile->rule_count == PROFILE_RULES)
		return profile_fail(profile, "too many rules");
	for (; (other = profile_rule_for(profile, other, name)); other++) {
		if (other->test_count)
			continue;
		if (may_be_decided(profile, other))
			return 0;
		return profile_fail(profile, "never reached: line %u decides %s", other->line,
				    name);
	}
	*rule = *model;
	if (copy_name(profile, rule->name, name))
		return -1;
	profile->rule_count++;
	return 0;
}

static int parse_rule(struct profile *profile, struct words *words)
{
	struct profile_rule model = { .file = profile->file,
				      .line = profile->line,
				      .depth = profile->depth };
	size_t first, end;

	if (parse_verdict(profile, words, &model.verdict))
		return -1;
	first = words->next;
	while (words->next < words->count && !next_is(words, "if"))
		words->next++;
	end = words->next;
	if (first == end)
		return profile_fail(profile, "missing name of a call");
	if (parse_tests(profile, words, &model))
		return -1;
	for (size_t i = first; i < end; i++)
		if (add_rule(profile, &model, words->word[i]))
			return -1;
	return 0;
}

/* "3?": the test that says what is refused. */
static int parse_pointer(struct profile *profile, const char *word, struct profile_rule *rule)
{
	bool perhaps = word[1] == '?';

	if (word[0] > '5' || word[perhaps ? 2 : 1])
		return profile_fail(profile, "not an argument: %s (0 to 5)", word);
	rule->verdict = SECCOMP_RET_ERRNO | EFAULT;
	rule->tests[0] = (struct profile_test){ .arg = (unsigned)(word[0] - '0'),
						.kernel = true,
						.perhaps = perhaps };
	rule->test_count = 1;
	return 0;
}

static int parse_pointers(struct profile *profile, struct words *words)
{
	const struct profile_rule allow = { .file = profile->file,
					    .line = profile->line,
					    .depth = profile->depth,
					    .verdict = SECCOMP_RET_ALLOW };
	struct profile_rule pointers[LINE_WORDS];
	size_t count = 0;

	for (; words->next < words->count; words->next++) {
		const char *word = words->word[words->next];

		if (word[0] < '0' || word[0] > '9')
			break;
		pointers[count] = allow;
		if (parse_pointer(profile, word, &pointers[count++]))
			return -1;
	}
	if (!count || words->next == words->count)
		return profile_fail(profile, "missing %s", count ? "name of a call" : "argument");
	for (; words->next < words->count; words->next++) {
		const char *name = words->word[words->next];

		for (size_t i = 0; i < count; i++)
			if (add_rule(profile, &pointers[i], name))
				return -1;
		if (add_rule(profile, &allow, name))
			return -1;
	}
	return 0;
}

static int parse_file(struct profile *profile, FILE *in);

/* Puts the name of the file NAME, which is beside the one that is read, into profile->files. */
static const char *file_beside(struct profile *profile, const char *name)
{
	char *path = profile->files[profile->file_count];
	const char *slash = strrchr(profile->file, '/');
	int directory = slash ? (int)(slash + 1 - profile->file) : 0;
	int length = snprintf(path, PROFILE_PATH, "%.*s%s", directory, profile->file, name);

	if (length < 0 || length >= PROFILE_PATH || strchr(name, '/')) {
		profile_fail(profile, "not a name of a file: %s", name);
		return NULL;
	}
	for (size_t i = 0; i < profile->file_count; i++)
		if (!strcmp(profile->files[i], path))
			return profile->files[i];
	profile->file_count++;
	return path;
}

static int parse_include(struct profile *profile, struct words *words)
{
	const char *name = take(profile, words, "name of a file"), *path;
	const char *file = profile->file;
	unsigned line = profile->line;
	FILE *in;
	int result;

	if (!name || at_end(profile, words))
		return -1;
	/* A file that includes itself ends here, too. */
	if (profile->file_count == PROFILE_FILES || profile->depth == PROFILE_FILES)
		return profile_fail(profile, "too many files");
	if (!(path = file_beside(profile, name)))
		return -1;
	in = fopen(path, "re");
	if (!in)
		return profile_fail(profile, "%s: %s", name, strerror(errno));
	profile->file = path;
	profile->depth++;
	result = parse_file(profile, in);
	fclose(in);
	profile->depth--;
	profile->file = file;
	profile->line = line;
	return result;
}

static int parse_line(struct profile *profile, char *line)
{
	struct words words = { .count = 0 };
	char *rest = line;

	line[strcspn(line, "#")] = '\0';
	for (char *word; (word = strtok_r(rest, BLANKS, &rest));) {
		if (words.count == LINE_WORDS)
			return profile_fail(profile, "more than %d words", LINE_WORDS);
		words.word[words.count++] = word;
	}
	if (!words.count)
		return 0;
	if (next_is(&words, "define"))
		return words.next++, parse_define(profile, &words);
	if (next_is(&words, "call"))
		return words.next++, parse_call(profile, &words);
	if (next_is(&words, "include"))
		return words.next++, parse_include(profile, &words);
	if (next_is(&words, "pointers"))
		return words.next++, parse_pointers(profile, &words);
	if (next_is(&words, "otherwise"))
		return words.next++, parse_otherwise(profile, &words);
	if (next_is(&words, "uncached"))
		return words.next++, parse_uncached(profile, &words);
	return parse_rule(profile, &words);
}

/* Every call's rules must end in one without tests. */
static int check_complete(struct profile *profile)
{
	if (!profile->otherwise_file)
		return profile_fail(profile, "missing \"otherwise\"");
	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct profile_rule *rule = &profile->rules[i];

		if (rule->test_count && !profile_rule_for(profile, rule + 1, rule->name))
			return profile_fail_at(profile, rule->file, rule->line,
					       "the last rule of %s must have no test", rule->name);
	}
	return 0;
}

static int parse_file(struct profile *profile, FILE *in)
{
	size_t size = 0;
	char *line = NULL;
	ssize_t length;
	int result = 0;

	profile->line = 0;
	while (!result && (length = getline(&line, &size, in)) >= 0) {
		profile->line++;
		if (strlen(line) != (size_t)length)
			result = profile_fail(profile, "a NUL byte");
		else
			result = parse_line(profile, line);
	}
	free(line);
	if (!result && ferror(in))
		result = profile_fail(profile, "%s", strerror(errno));
	return result;
}

int profile_parse(struct profile *profile, const char *file, FILE *in)
{
	memset(profile, 0, sizeof(*profile));
	profile->file = file;
	return parse_file(profile, in) ? -1 : check_complete(profile);
}

const struct profile_rule *profile_rule_for(const struct profile *profile,
					    const struct profile_rule *rule, const char *name)
{
	for (; rule < profile->rules + profile->rule_count; rule++)
		if (rule->name[0] == name[0] && !strcmp(rule->name, name))
			return rule;
	return NULL;
}
