/* SPDX-License-Identifier: MIT */
/*
 * The texts of the profiles against what is expected of them (calls.def, expect.h): every call that
 * has a number anywhere is decided on purpose, as it should be; and whatever is changed in a profile,
 * something here notices.
 */
#include "tests/unit/expect.h"

#include "filters/generate.h"

#include <ctype.h>
#include <glob.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SOURCE "filters" /* tests run at the top of the repository */

enum {
	LAST_CALL = 471,
	CALLS = 600,
	TEXT = 32768,
	WORDS = 64,
};

struct call {
	char name[PROFILE_NAME];
	char verdict[2]; /* of default and strict, as in calls.def */
};

static struct call calls[CALLS];
static size_t call_count;

static const struct {
	const char *verdicts;
	const char *names;
} groups[] = {
#define CALLS(normal, strict, names) { #normal #strict, names },
#include "tests/unit/calls.def"
#undef CALLS
};

static const struct call *find_call(const char *name)
{
	for (size_t i = 0; i < call_count; i++)
		if (!strcmp(calls[i].name, name))
			return &calls[i];
	return NULL;
}

static int read_calls(void **state)
{
	char names[256], *rest, *name;

	(void)state;
	for (size_t i = 0; i < COUNT(groups); i++) {
		snprintf(names, sizeof(names), "%s", groups[i].names);
		for (rest = names; (name = strtok_r(rest, " ", &rest));) {
			if (find_call(name)) {
				print_error("# twice in calls.def: %s\n", name);
				return -1;
			}
			snprintf(calls[call_count].name, PROFILE_NAME, "%s", name);
			memcpy(calls[call_count++].verdict, groups[i].verdicts, 2);
		}
	}
	return 0;
}

static bool holds(const struct profile_rule *rule, const uint64_t args[6])
{
	for (size_t i = 0; i < rule->test_count; i++) {
		const struct profile_test *test = &rule->tests[i];
		uint64_t value = args[test->arg] & test->mask;
		bool found = false;

		for (size_t j = 0; j < test->value_count; j++)
			found |= test->values[j] <= value && value <= test->last[j];
		if (!found)
			return false;
	}
	return true;
}

/* What the text says, without BPF. */
static uint32_t decide(const struct profile *profile, const char *name, const uint64_t args[6])
{
	const struct profile_rule *rule = profile_rule_for(profile, profile->rules, name);

	for (; rule; rule = profile_rule_for(profile, rule + 1, name))
		if (holds(rule, args))
			return rule->verdict;
	return profile->otherwise;
}

static bool is_listed(const char *names, const char *name)
{
	char word[PROFILE_NAME + 2];

	snprintf(word, sizeof(word), " %s ", name);
	return names && strstr(names, word);
}

static bool inherits(const struct expectation *expected, const struct row *row)
{
	if (!expected->inherits_but)
		return is_listed(expected->inherits, row->name);
	for (size_t i = 0; i < expected->count; i++)
		if (!strcmp(expected->rows[i].name, row->name) &&
		    !memcmp(expected->rows[i].args, row->args, sizeof(row->args)))
			return false;
	return !is_listed(expected->inherits_but, row->name);
}

static bool has_rows(const struct expectation *expected, const char *name)
{
	for (size_t i = 0; i < expected->count; i++)
		if (!strcmp(expected->rows[i].name, name))
			return true;
	return false;
}

static bool row_holds(const struct profile *profile, const struct row *row)
{
	return decide(profile, row->name, row->args) == row->verdict;
}

/* A call of calls.def in a profile that has no rows for it. */
static uint32_t expected_verdict(enum which which, const struct call *call)
{
	if (!expectations[which].lists_all)
		return expectations[which].otherwise;
	switch (call->verdict[which == STRICT]) {
	case 'A':
		return ALLOW;
	case 'P':
		return RET(EPERM);
	default:
		return RET(ENOSYS);
	}
}

static bool call_holds(const struct profile *profile, enum which which, const struct call *call)
{
	static const uint64_t low[6], high[6] = { UINT64_MAX, UINT64_MAX, UINT64_MAX,
						  UINT64_MAX, UINT64_MAX, UINT64_MAX };
	const struct expectation *expected = &expectations[which];
	uint32_t verdict = expected_verdict(which, call);
	bool named = profile_rule_for(profile, profile->rules, call->name);

	if (expected->lists_all && !named)
		return false;
	if (has_rows(expected, call->name) ||
	    (expected->lists_all && call->verdict[which == STRICT] == 'T'))
		return true;
	return decide(profile, call->name, low) == verdict &&
	       decide(profile, call->name, high) == verdict;
}

static const char *find_wrong_number(const struct profile *profile)
{
	for (size_t i = 0; i < COUNT(young_calls); i++) {
		bool right = false;

		for (size_t j = 0; j < profile->call_count; j++)
			right |= !strcmp(profile->calls[j].name, young_calls[i].name) &&
				 profile->calls[j].number == young_calls[i].number &&
				 profile->calls[j].arches == young_calls[i].arches;
		if (!right)
			return young_calls[i].name;
	}
	return profile->call_count == COUNT(young_calls) ? NULL : "call";
}

/* The name of the first thing that is not as expected, or NULL. */
static const char *differs(const struct profile *profile, enum which which)
{
	const struct expectation *expected = &expectations[which];
	bool young = which == UNBOXED || which == OWNED || which == ATTRIBUTES || which == STANDIN;

	if (profile->otherwise != expected->otherwise)
		return "otherwise";
	if (profile->uncached != (which == PID1 || which == LISTENER))
		return "uncached";
	for (size_t i = 0; i < expected->count; i++)
		if (!row_holds(profile, &expected->rows[i]))
			return expected->rows[i].name;
	for (size_t i = 0; i < COUNT(default_rows); i++)
		if (inherits(expected, &default_rows[i]) && !row_holds(profile, &default_rows[i]))
			return default_rows[i].name;
	for (size_t i = 0; i < call_count; i++)
		if (!call_holds(profile, which, &calls[i]))
			return calls[i].name;
	return expected->lists_all || young ? find_wrong_number(profile) : NULL;
}

static struct profile *read_profile(const char *directory, enum which which)
{
	static struct profile profile;
	static char path[PROFILE_PATH];
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", directory, profile_files[which]);
	in = fopen(path, "re");
	assert_non_null(in);
	profile_parse(&profile, path, in); /* leaves the reason */
	fclose(in);
	return &profile;
}

static void test_profiles(void **state)
{
	(void)state;
	for (enum which which = 0; which < PROFILE_COUNT; which++) {
		const struct profile *profile = read_profile(SOURCE, which);
		const char *what;

		assert_string_equal(profile->error, "");
		what = differs(profile, which);
		if (what)
			fail_msg("%s: %s is not what was expected", profile_files[which], what);
	}
}

/* A call with a verdict that depends on arguments has rows, with more than one verdict. */
static void test_rows_are_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < call_count; i++) {
		uint32_t verdict = 0;
		size_t count = 0, kinds = 0;

		for (size_t j = 0; j < COUNT(default_rows); j++) {
			if (strcmp(default_rows[j].name, calls[i].name))
				continue;
			kinds += !count++ || verdict != default_rows[j].verdict;
			verdict = default_rows[j].verdict;
		}
		if (calls[i].verdict[0] == 'T' ? kinds < 2 : kinds > 1)
			fail_msg("%s has rows for %zu verdicts", calls[i].name, kinds);
	}
	for (size_t i = 0; i < COUNT(default_rows); i++)
		assert_non_null(find_call(default_rows[i].name));
}

static void known(const char *name, const char *where)
{
	if (!find_call(name))
		fail_msg("%s, of %s, is not in calls.def", name, where);
}

/* libseccomp's tables, from before Linux 6.0 or after. */
static void test_libseccomp_knows_no_more(void **state)
{
	(void)state;
	for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
		for (int number = 0; number < 0xf0010; number++) {
			char *name;

			if (number == 700)
				number = 0xf0000;
			name = seccomp_syscall_resolve_num_arch(generate_arches[arch].seccomp,
								number);
			if (name)
				known(name, generate_arches[arch].name);
			free(name);
		}
	}
}

/* What is no call of ours: the generic table's names for 32 bits, and a number to begin from. */
static bool is_no_call(const char *name)
{
	static const char *const others[] = { "llseek",   "fadvise64_64",
					      "fstatat",  "sync_file_range2",
					      "syscalls", "arch_specific_syscall" };

	for (size_t i = 0; i < COUNT(others); i++)
		if (!strcmp(others[i], name))
			return true;
	return false;
}

/* "#define __NR_read 0" and "#define __NR3264_lseek 62". */
static size_t read_header(const char *path)
{
	FILE *in = fopen(path, "re");
	char line[256], name[PROFILE_NAME];
	size_t count = 0;

	while (in && fgets(line, sizeof(line), in)) {
		int number;

		if (sscanf(line, "#define __NR_%39[a-z0-9_] %d", name, &number) != 2 &&
		    sscanf(line, "#define __NR3264_%39[a-z0-9_] %d", name, &number) != 2 &&
		    sscanf(line, "#define __NR_%39[a-z0-9_] (__NR_SYSCALL_BASE + %d)", name,
			   &number) != 2)
			continue;
		count++;
		if (!is_no_call(name))
			known(name, path);
	}
	if (in)
		fclose(in);
	return count;
}

/* The kernel's own, for whichever architectures this machine has them. */
static void test_headers_know_no_more(void **state)
{
	static const char *const headers[] = {
		"/usr/include/asm-generic/unistd.h",
		"/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
		"/usr/include/aarch64-linux-gnu/asm/unistd.h",
		"/usr/include/aarch64-linux-gnu/asm/unistd_64.h",
		"/usr/include/arm-linux-gnueabihf/asm/unistd-common.h",
		"/usr/include/arm-linux-gnueabihf/asm/unistd-eabi.h",
		"/usr/include/riscv64-linux-gnu/asm/unistd_64.h",
		"/usr/aarch64-linux-gnu/include/asm/unistd_64.h",
		"/usr/arm-linux-gnueabihf/include/asm/unistd-common.h",
		"/usr/arm-linux-gnueabihf/include/asm/unistd-eabi.h",
		"/usr/riscv64-linux-gnu/include/asm/unistd_64.h",
	};
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		count += read_header(headers[i]);
	assert_true(count > 300);
}

static int number_of(const struct profile *profile, enum profile_arch arch, const char *name)
{
	for (size_t i = 0; i < profile->call_count; i++)
		if (profile->calls[i].arches & 1U << arch && !strcmp(profile->calls[i].name, name))
			return (int)profile->calls[i].number;
	return seccomp_syscall_resolve_name_arch(generate_arches[arch].seccomp, name);
}

/* No number up to the last is left out: from 424 on each is a call, of all. Every name is a call's. */
static void test_numbers(void **state)
{
	const struct profile *profile = read_profile(SOURCE, DEFAULT);

	(void)state;
	for (unsigned arch = 0; arch < ARCH_COUNT; arch++) {
		bool seen[LAST_CALL + 1] = { false };

		for (size_t i = 0; i < call_count; i++) {
			int number = number_of(profile, arch, calls[i].name);

			if (number >= 0 && number <= LAST_CALL)
				seen[number] = true;
			else
				assert_true(number < 0 || (arch == ARCH_ARM && number >= 0xf0000));
		}
		/* 32 bit ARM has no memfd_secret. */
		seen[447] |= arch == ARCH_ARM;
		for (int number = 424; number <= LAST_CALL; number++)
			if (!seen[number])
				fail_msg("%s: no call has the number %d",
					 generate_arches[arch].name, number);
	}
}

/* ---- mutation: each change of a profile must show ---- */

static char directory[] = "/tmp/profiles.XXXXXX";

/* Profiles and what they include. */
static char sources[32][PROFILE_NAME];
static size_t source_count;

static void find_sources(const char *pattern)
{
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		/* Its own test does that. */
		if (strstr(found.gl_pathv[i], "/kptr.profile"))
			continue;
		assert_true(source_count < COUNT(sources));
		snprintf(sources[source_count++], PROFILE_NAME, "%s",
			 strrchr(found.gl_pathv[i], '/') + 1);
	}
	globfree(&found);
}

static size_t read_source(const char *name, char *text)
{
	char path[PROFILE_PATH];
	FILE *in;
	size_t size;

	snprintf(path, sizeof(path), SOURCE "/%s", name);
	in = fopen(path, "re");
	assert_non_null(in);
	size = fread(text, 1, TEXT - 1, in);
	assert_true(size > 0 && size < TEXT - 1);
	fclose(in);
	text[size] = '\0';
	return size;
}

static void write_source(const char *name, const char *text)
{
	char path[PROFILE_PATH];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* Does a profile that is made of this file show it? Those that do not use it are as they were. */
static bool shows(const char *name)
{
	for (enum which which = 0; which < PROFILE_COUNT; which++) {
		const struct profile *profile;

		/* What includes only these can wait for the others. */
		if (strcmp(name, profile_files[which]) && !strstr(name, ".rules"))
			continue;
		profile = read_profile(directory, which);
		if (profile->error[0] || differs(profile, which))
			return true;
	}
	return false;
}

/* The line with the words FIRST to LAST replaced by WORD, or left out. */
static void put_words(char *line, char *const words[], size_t count, size_t first, size_t last,
		      const char *word)
{
	line[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (i == first && word)
			strcat(strcat(line, word), " ");
		if (i < first || i > last)
			strcat(strcat(line, words[i]), " ");
	}
}

struct mutant {
	const char *source;
	const char *text;  /* of the whole file */
	size_t start, end; /* of the line in it */
	unsigned line;
	unsigned count, missed;
};

static void try_line(struct mutant *mutant, const char *line)
{
	static char changed[TEXT + 4096];

	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)mutant->start, mutant->text, line,
		 mutant->text + mutant->end);
	write_source(mutant->source, changed);
	mutant->count++;
	if (!shows(mutant->source)) {
		print_error("# %s:%u: nothing notices that it says: %s\n", mutant->source,
			    mutant->line, line);
		mutant->missed++;
	}
}

/* A number, a little different. */
static void change_number(struct mutant *mutant, char *const words[], size_t count, size_t at)
{
	static const uint64_t bits[] = { 1, 0x100, 0x80000000 };
	char line[4096], word[32], *end;
	uint64_t value = strtoull(words[at], &end, 0);

	if (*end)
		return;
	for (size_t i = 0; i < COUNT(bits); i++) {
		snprintf(word, sizeof(word), "%#llx", (unsigned long long)(value ^ bits[i]));
		put_words(line, words, count, at, at, word);
		try_line(mutant, line);
	}
}

/* "arg1:32": another argument, and more of it. What a mask leaves out does not count. */
static void change_argument(struct mutant *mutant, char *const words[], size_t count, size_t at)
{
	char line[4096], word[8];

	snprintf(word, sizeof(word), "arg%c%s", words[at][3] == '0' ? '1' : '0', words[at] + 4);
	put_words(line, words, count, at, at, word);
	try_line(mutant, line);
	if (at + 1 < count && !strcmp(words[at + 1], "&"))
		return;
	snprintf(word, sizeof(word), "arg%c:%s", words[at][3],
		 strcmp(words[at] + 4, ":32") ? "32" : "64");
	put_words(line, words, count, at, at, word);
	try_line(mutant, line);
}

static void change_verdict(struct mutant *mutant, char *const words[], size_t count, size_t at)
{
	static const char *const verdicts[] = { "allow", "deny", "kill", "answer EFAULT" };
	size_t last = strcmp(words[at], "answer") ? at : at + 1;
	char line[4096];

	for (size_t i = 0; i < COUNT(verdicts); i++) {
		if (!strcmp(words[at], verdicts[i]))
			continue;
		put_words(line, words, count, at, last, verdicts[i]);
		try_line(mutant, line);
	}
}

/* Each name of a call, each value, each part of a condition left out. */
static void leave_words_out(struct mutant *mutant, char *const words[], size_t count)
{
	char line[4096];
	size_t first = strcmp(words[0], "answer") ? 1 : 2;

	for (size_t i = first; i < count; i++) {
		put_words(line, words, count, i, i, NULL);
		try_line(mutant, line);
	}
	for (size_t i = first; i < count; i++) {
		if (strcmp(words[i], "if") && strcmp(words[i], "and"))
			continue;
		put_words(line, words, count, i, count - 1, NULL);
		try_line(mutant, line);
	}
}

static void mutate_line(struct mutant *mutant)
{
	char line[4096], *words[WORDS], *rest = line, *word;
	size_t count = 0;

	snprintf(line, sizeof(line), "%.*s", (int)(mutant->end - mutant->start),
		 mutant->text + mutant->start);
	line[strcspn(line, "#")] = '\0';
	while ((word = strtok_r(rest, " \t\n", &rest)))
		words[count++] = word;
	if (!count)
		return;
	try_line(mutant, "");
	if (!strcmp(words[0], "otherwise"))
		change_verdict(mutant, words, count, 1);
	else if (strcmp(words[0], "define") && strcmp(words[0], "call") &&
		 strcmp(words[0], "include") && strcmp(words[0], "uncached")) {
		change_verdict(mutant, words, count, 0);
		leave_words_out(mutant, words, count);
	}
	for (size_t i = 1; i < count; i++) {
		if (!strncmp(words[i], "arg", 3) && isdigit((unsigned char)words[i][3]))
			change_argument(mutant, words, count, i);
		else
			change_number(mutant, words, count, i);
	}
}

static int make_directory(void **state)
{
	static char text[TEXT];

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	find_sources(SOURCE "/*.profile");
	find_sources(SOURCE "/*.rules");
	for (size_t i = 0; i < source_count; i++) {
		read_source(sources[i], text);
		write_source(sources[i], text);
	}
	return 0;
}

static int remove_directory(void **state)
{
	char path[PROFILE_PATH];

	(void)state;
	for (size_t i = 0; i < source_count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, sources[i]);
		unlink(path);
	}
	return rmdir(directory);
}

static void test_every_change_shows(void **state)
{
	static char text[TEXT];
	unsigned total = 0, missed = 0;

	(void)state;
	for (size_t i = 0; i < source_count; i++) {
		struct mutant mutant = { .source = sources[i], .text = text };
		size_t size = read_source(sources[i], text);

		for (; mutant.start < size; mutant.start = mutant.end) {
			mutant.line++;
			mutant.end = mutant.start + strcspn(text + mutant.start, "\n") + 1;
			mutate_line(&mutant);
		}
		write_source(sources[i], text);
		total += mutant.count;
		missed += mutant.missed;
	}
	print_message("# %u of %u changes of the profiles were noticed\n", total - missed, total);
	assert_int_equal(missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_rows_are_there),
		cmocka_unit_test(test_libseccomp_knows_no_more),
		cmocka_unit_test(test_headers_know_no_more),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test_setup_teardown(test_every_change_shows, make_directory,
						remove_directory),
	};

	return cmocka_run_group_tests_name("profiles", tests, read_calls, NULL);
}
