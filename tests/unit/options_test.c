/* SPDX-License-Identifier: MIT */
/* init/options.c and usage.c: the table, the parser, the usage text. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/options.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_WORDS 40
#define WORDS(...) ((const char *const[]){ "nestbox", __VA_ARGS__, NULL })

/* A parsed command line. The words are copies, since the parser changes some of them. */
struct parsed {
	struct plan plan;
	struct fault fault;
	int result;
	char *argv[MAX_WORDS];
	int argc;
};

static void parse(struct parsed *parsed, const char *const words[])
{
	memset(parsed, 0, sizeof(*parsed));
	for (; words[parsed->argc] != NULL; parsed->argc++) {
		assert_true(parsed->argc < MAX_WORDS - 1);
		parsed->argv[parsed->argc] = strdup(words[parsed->argc]);
	}
	parsed->result = init_parse(&parsed->plan, parsed->argc, parsed->argv, &parsed->fault);
}

static void release(struct parsed *parsed)
{
	init_release(&parsed->plan);
	for (int i = 0; i < parsed->argc; i++)
		free(parsed->argv[i]);
}

static void good(struct parsed *parsed, const char *const words[])
{
	parse(parsed, words);
	if (parsed->result != 0)
		fail_msg("%s: %s: %s", words[1], parsed->fault.object, parsed->fault.reason);
}

/* The command line is refused, and the message names OBJECT. */
static void bad(const char *const words[], const char *object)
{
	struct parsed parsed;

	parse(&parsed, words);
	if (parsed.result != -1)
		fail_msg("%s %s was taken", words[1], words[2]);
	assert_string_equal(parsed.fault.step, "options");
	assert_string_equal(parsed.fault.object, object);
	assert_non_null(parsed.fault.reason);
	assert_true(parsed.fault.reason[0] != '\0');
	assert_int_equal(parsed.fault.error, 0);
	release(&parsed);
}

static const struct {
	const char *name;
	char letter;
	size_t arguments;
	const char *example[2];
} expected[] = {
	{ "--read", 'r', 1, { "/a" } },
	{ "--write", 'w', 1, { "/a" } },
	{ "--exec", 'x', 1, { "/a" } },
	{ "--read-try", 0, 1, { "/a" } },
	{ "--write-try", 0, 1, { "/a" } },
	{ "--exec-try", 0, 1, { "/a" } },
	{ "--tmpfs", 0, 1, { "/a" } },
	{ "--dir", 0, 1, { "/a" } },
	{ "--symlink", 0, 2, { "to", "/a" } },
	{ "--proc", 0, 1, { "/a" } },
	{ "--dev", 0, 1, { "/a" } },
	{ "--env", 'e', 1, { "A" } },
	{ "--env-all", 0, 0, { NULL } },
	{ "--setenv", 0, 2, { "A", "1" } },
	{ "--unsetenv", 0, 1, { "A" } },
	{ "--clearenv", 0, 0, { NULL } },
	{ "--net", 0, 0, { NULL } },
	{ "--uid", 0, 1, { "1" } },
	{ "--gid", 0, 1, { "1" } },
	{ "--hostname", 0, 1, { "h" } },
	{ "--rlimit", 0, 1, { "core=1" } },
	{ "--timeout", 0, 1, { "1" } },
	{ "--chdir", 0, 1, { "/a" } },
	{ "--argv0", 0, 1, { "a" } },
	{ "--new-session", 0, 0, { NULL } },
	{ "--keep-fd", 0, 1, { "3" } },
	{ "--die-with-parent", 0, 0, { NULL } },
	{ "--status-fd", 0, 1, { "3" } },
	{ "--exit-signal-fd", 0, 1, { "3" } },
	{ "--explain", 0, 0, { NULL } },
	{ "--version", 0, 0, { NULL } },
	{ "--help", 0, 0, { NULL } },
};

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static void test_table_is_complete(void **state)
{
	(void)state;
	assert_int_equal(option_count, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		const struct option *option = find_option(expected[i].name);

		if (option == NULL)
			fail_msg("%s is missing", expected[i].name);
		assert_int_equal(option->letter, expected[i].letter);
		assert_int_equal(option_arguments(option), expected[i].arguments);
	}
}

static void test_table_is_sound(void **state)
{
	bool used[GROUP_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &options[i];

		assert_memory_equal(option->name, "--", 2);
		assert_int_equal(strspn(option->name, "abcdefghijklmnopqrstuvwxyz0-"),
				 strlen(option->name));
		assert_true(option->group < GROUP_COUNT);
		used[option->group] = true;
		assert_non_null(option->handler);
		assert_true(strlen(option->help) > 5);
		assert_null(strchr(option->help, '\n'));
		assert_null(strstr(option->arguments, "  "));
		assert_true(option_arguments(option) <= 2);
		for (size_t other = 0; other < i; other++) {
			assert_string_not_equal(options[other].name, option->name);
			assert_string_not_equal(options[other].help, option->help);
			if (option->letter != '\0')
				assert_int_not_equal(options[other].letter, option->letter);
		}
	}
	for (size_t group = 0; group < GROUP_COUNT; group++) {
		assert_true(used[group]);
		assert_true(option_groups[group][0] != '\0');
	}
}

/* Each option takes exactly its arguments: the command starts behind them. */
static void test_every_option(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		const char *words[8] = { "nestbox", expected[i].name };
		struct parsed parsed;

		for (size_t at = 0; at < expected[i].arguments; at++)
			words[2 + at] = expected[i].example[at];
		words[2 + expected[i].arguments] = "command";
		words[3 + expected[i].arguments] = "--read";
		good(&parsed, words);
		assert_string_equal(parsed.plan.command[0], "command");
		assert_string_equal(parsed.plan.command[1], "--read");
		assert_null(parsed.plan.command[2]);
		release(&parsed);
	}
}

static void test_missing_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		if (expected[i].arguments > 0)
			bad(WORDS(expected[i].name), expected[i].name);
		if (expected[i].arguments > 1)
			bad(WORDS(expected[i].name, expected[i].example[0]), expected[i].name);
	}
	bad(WORDS("-r"), "-r");
	bad(WORDS("-w"), "-w");
	bad(WORDS("-x"), "-x");
	bad(WORDS("-e"), "-e");
}

/* --name=value is for options with one argument. */
static void test_values_in_the_same_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct parsed parsed;
		char word[64];

		snprintf(word, sizeof(word), "%s=%s", expected[i].name,
			 expected[i].arguments ? expected[i].example[0] : "");
		if (expected[i].arguments == 1) {
			good(&parsed, WORDS(word, "command"));
			assert_string_equal(parsed.plan.command[0], "command");
			release(&parsed);
		} else {
			bad(WORDS(word, "/a", "command"), word);
		}
	}
	bad(WORDS("--net=yes", "command"), "--net=yes");
	bad(WORDS("--symlink=a", "/b", "command"), "--symlink=a");
}

static void test_defaults(void **state)
{
	struct parsed parsed;
	const struct plan *plan = &parsed.plan;

	(void)state;
	good(&parsed, WORDS("command"));
	assert_int_equal(plan->grant_count + plan->step_count + plan->env_count, 0);
	assert_int_equal(plan->limit_count + plan->keep_fd_count, 0);
	assert_null(plan->hostname);
	assert_null(plan->chdir);
	assert_null(plan->argv0);
	assert_int_equal(plan->uid, -1);
	assert_int_equal(plan->gid, -1);
	assert_int_equal(plan->timeout, 0);
	assert_int_equal(plan->status_fd, -1);
	assert_int_equal(plan->exit_signal_fd, -1);
	assert_false(plan->share_net || plan->new_session || plan->die_with_parent);
	assert_false(plan->explain || plan->help || plan->version);
	release(&parsed);
}

static void test_grants(void **state)
{
	static const struct {
		const char *path;
		unsigned int rights;
		bool optional;
	} rows[] = {
		{ "/1", GRANT_READ, false },
		{ "2", GRANT_READ | GRANT_WRITE, false },
		{ "/3", GRANT_READ | GRANT_EXEC, false },
		{ "/4", GRANT_READ, true },
		{ "/5", GRANT_READ | GRANT_WRITE, true },
		{ "/6", GRANT_READ | GRANT_EXEC, true },
		{ "/7", GRANT_READ, false },
		{ "/8=8", GRANT_READ | GRANT_WRITE, false },
		{ "=9", GRANT_READ | GRANT_EXEC, false },
		{ "/../10/./", GRANT_READ, false },
		{ "a=b", GRANT_READ, false },
		{ "-x", GRANT_READ, false },
		{ "--", GRANT_READ | GRANT_WRITE, false },
		{ "\xff\n", GRANT_READ | GRANT_EXEC, true },
	};
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--read", "/1", "--write", "2", "--exec", "/3", "--read-try", "/4",
			    "--write-try", "/5", "--exec-try", "/6", "-r", "/7", "-w/8=8", "-x=9",
			    "-r/../10/./", "--read=a=b", "-r", "-x", "-w", "--",
			    "--exec-try=\xff\n", "command"));
	assert_int_equal(parsed.plan.grant_count, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(parsed.plan.grants[i].path, rows[i].path);
		assert_int_equal(parsed.plan.grants[i].rights, rows[i].rights);
		assert_int_equal(parsed.plan.grants[i].optional, rows[i].optional);
	}
	release(&parsed);
	bad(WORDS("--read", "", "command"), "--read");
	bad(WORDS("--read=", "command"), "--read");
	bad(WORDS("-x", "", "command"), "--exec");
	bad(WORDS("--write-try", "", "command"), "--write-try");
}

static void test_steps(void **state)
{
	static const struct mount_step rows[] = {
		{ STEP_DEV, "/a", NULL },           { STEP_TMPFS, "/b/c", NULL },
		{ STEP_SYMLINK, "/d", "../x//y/" }, { STEP_DIR, "/e", NULL },
		{ STEP_PROC, "/f", NULL },          { STEP_TMPFS, "/b/c", NULL },
		{ STEP_SYMLINK, "/g", "-" },
	};
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--dev", "/a", "-r", "/z", "--tmpfs", "//b/./c//", "--symlink",
			    "../x//y/", "/d/.", "--dir", "/e/", "--proc=/f", "--tmpfs=/b/c",
			    "--symlink", "-", "//g", "command"));
	assert_int_equal(parsed.plan.step_count, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parsed.plan.steps[i].kind, rows[i].kind);
		assert_string_equal(parsed.plan.steps[i].dest, rows[i].dest);
		if (rows[i].text != NULL)
			assert_string_equal(parsed.plan.steps[i].text, rows[i].text);
	}
	release(&parsed);
}

static void test_bad_steps(void **state)
{
	static const char *const names[] = { "--tmpfs", "--dir", "--proc", "--dev" };
	static const char *const dests[] = {
		"", "/", "//", "/.", "a", "./a", "..", "/..", "/a/../b"
	};
	char longest[PATH_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(dests); i++) {
		for (size_t at = 0; at < COUNT(names); at++)
			bad(WORDS(names[at], dests[i], "command"), names[at]);
		bad(WORDS("--symlink", "x", dests[i], "command"), "--symlink");
	}
	bad(WORDS("--symlink", "", "/a", "command"), "--symlink");
	memset(longest, 'x', PATH_MAX);
	longest[0] = '/';
	longest[PATH_MAX] = '\0';
	bad(WORDS("--dir", longest, "command"), "--dir");
}

static void test_environment(void **state)
{
	static const struct {
		unsigned int kind;
		const char *name, *value;
	} rows[] = {
		{ ENV_KEEP, "A", NULL }, { ENV_SET, "A", "1=2" },  { ENV_CLEAR, NULL, NULL },
		{ ENV_SET, "B", "" },    { ENV_UNSET, "B", NULL }, { ENV_KEEP_ALL, NULL, NULL },
		{ ENV_KEEP, "C", NULL }, { ENV_KEEP, "D", NULL },  { ENV_SET, "a b", "-r" },
	};
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--env", "A", "--setenv", "A", "1=2", "--clearenv", "--setenv", "B", "",
			    "--unsetenv=B", "--env-all", "-eC", "-e", "D", "--setenv", "a b", "-r",
			    "command"));
	assert_int_equal(parsed.plan.env_count, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parsed.plan.env[i].kind, rows[i].kind);
		if (rows[i].name != NULL)
			assert_string_equal(parsed.plan.env[i].name, rows[i].name);
		if (rows[i].value != NULL)
			assert_string_equal(parsed.plan.env[i].value, rows[i].value);
	}
	release(&parsed);
	bad(WORDS("--env", "", "command"), "--env");
	bad(WORDS("--env", "A=1", "command"), "--env");
	bad(WORDS("-e=", "command"), "--env");
	bad(WORDS("--unsetenv", "A=", "command"), "--unsetenv");
	bad(WORDS("--setenv", "", "1", "command"), "--setenv");
	bad(WORDS("--setenv", "=A", "1", "command"), "--setenv");
	bad(WORDS("--setenv", "A=B", "1", "command"), "--setenv");
}

static void test_flags(void **state)
{
	static const char *const names[] = { "--net",     "--new-session", "--die-with-parent",
					     "--explain", "--version",     "--help" };
	struct parsed parsed;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct plan *plan = &parsed.plan;

		good(&parsed, WORDS(names[i], names[i], "command"));
		assert_int_equal(plan->share_net, i == 0);
		assert_int_equal(plan->new_session, i == 1);
		assert_int_equal(plan->die_with_parent, i == 2);
		assert_int_equal(plan->explain, i == 3);
		assert_int_equal(plan->version, i == 4);
		assert_int_equal(plan->help, i == 5);
		release(&parsed);
	}
}

static void test_ids(void **state)
{
	static const char *const refused[] = {
		"",
		"-1",
		"+1",
		"0x1",
		" 1",
		"1 ",
		"1.0",
		"root",
		"4294967295",
		"4294967296",
		"-4294967295",
		"18446744073709551616",
		"99999999999999999999999999",
	};
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--uid", "0", "--gid=4294967294", "command"));
	assert_int_equal(parsed.plan.uid, 0);
	assert_int_equal(parsed.plan.gid, 4294967294);
	release(&parsed);
	good(&parsed, WORDS("--uid", "1", "--uid", "1000", "command"));
	assert_int_equal(parsed.plan.uid, 1000);
	assert_int_equal(parsed.plan.gid, -1);
	release(&parsed);
	for (size_t i = 0; i < COUNT(refused); i++) {
		bad(WORDS("--uid", refused[i], "command"), "--uid");
		bad(WORDS("--gid", refused[i], "command"), "--gid");
	}
}

static void test_texts(void **state)
{
	char name[66];
	struct parsed parsed;

	(void)state;
	memset(name, 'h', sizeof(name) - 1);
	name[65] = '\0';
	bad(WORDS("--hostname", name, "command"), "--hostname");
	bad(WORDS("--hostname", "", "command"), "--hostname");
	bad(WORDS("--chdir", "", "command"), "--chdir");
	name[64] = '\0';
	good(&parsed, WORDS("--hostname", name, "--chdir", "one", "--chdir=two/..", "--argv0", "",
			    "command"));
	assert_string_equal(parsed.plan.hostname, name);
	assert_string_equal(parsed.plan.chdir, "two/..");
	assert_string_equal(parsed.plan.argv0, "");
	release(&parsed);
	good(&parsed, WORDS("--argv0", "-sh", "command"));
	assert_string_equal(parsed.plan.argv0, "-sh");
	assert_string_equal(parsed.plan.command[0], "command");
	release(&parsed);
}

static void test_limits(void **state)
{
	struct parsed parsed;
	const struct limit *limits;

	(void)state;
	good(&parsed, WORDS("--rlimit", "nofile=256", "--rlimit=CORE=0:unlimited", "--timeout",
			    "2.5", "command"));
	limits = parsed.plan.limits;
	assert_int_equal(parsed.plan.limit_count, 2);
	assert_int_equal(limits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(limits[0].soft, 256);
	assert_int_equal(limits[0].hard, 256);
	assert_int_equal(limits[1].resource, RLIMIT_CORE);
	assert_int_equal(limits[1].soft, 0);
	assert_int_equal(limits[1].hard, UINT64_MAX);
	assert_int_equal(parsed.plan.timeout, 2500000000);
	release(&parsed);
	bad(WORDS("--rlimit", "nofile", "command"), "--rlimit");
	bad(WORDS("--rlimit", "nofile=2:1", "command"), "--rlimit");
	bad(WORDS("--rlimit=nofile", "command"), "--rlimit");
	bad(WORDS("--timeout", "0", "command"), "--timeout");
	bad(WORDS("--timeout", "-1", "command"), "--timeout");
	bad(WORDS("--timeout=", "command"), "--timeout");
}

/* Lowered first, a limit could not be raised again. */
static void test_the_last_limit_of_a_name_counts(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--rlimit", "nofile=1", "--rlimit", "core=7", "--rlimit", "NOFILE=2:3",
			    "command"));
	assert_int_equal(parsed.plan.limit_count, 2);
	assert_int_equal(parsed.plan.limits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(parsed.plan.limits[0].soft, 2);
	assert_int_equal(parsed.plan.limits[0].hard, 3);
	assert_int_equal(parsed.plan.limits[1].soft, 7);
	release(&parsed);
}

static void test_descriptors(void **state)
{
	static const char *const refused[] = {
		"",   "-1", "+3",         "0x3",        " 3",
		"3 ", "x",  "2147483648", "4294967299", "18446744073709551619"
	};
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--keep-fd", "0", "--keep-fd=7", "--keep-fd", "7", "--status-fd", "3",
			    "--exit-signal-fd", "2147483647", "command"));
	assert_int_equal(parsed.plan.keep_fd_count, 3);
	assert_int_equal(parsed.plan.keep_fds[0], 0);
	assert_int_equal(parsed.plan.keep_fds[1], 7);
	assert_int_equal(parsed.plan.keep_fds[2], 7);
	assert_int_equal(parsed.plan.status_fd, 3);
	assert_int_equal(parsed.plan.exit_signal_fd, INT_MAX);
	release(&parsed);
	for (size_t i = 0; i < COUNT(refused); i++) {
		bad(WORDS("--keep-fd", refused[i], "command"), "--keep-fd");
		bad(WORDS("--status-fd", refused[i], "command"), "--status-fd");
		bad(WORDS("--exit-signal-fd", refused[i], "command"), "--exit-signal-fd");
	}
}

/* They would be the workload's own, which could then report whatever it likes. */
static void test_status_descriptors_of_the_workload(void **state)
{
	static const char *const own[] = { "0", "1", "2" };
	struct parsed parsed;

	(void)state;
	for (size_t i = 0; i < COUNT(own); i++) {
		bad(WORDS("--status-fd", own[i], "command"), "--status-fd");
		bad(WORDS("--exit-signal-fd", own[i], "command"), "--exit-signal-fd");
	}
	bad(WORDS("--keep-fd", "5", "--status-fd", "5", "command"), "--keep-fd");
	bad(WORDS("--status-fd", "5", "--keep-fd", "5", "command"), "--keep-fd");
	bad(WORDS("--keep-fd", "4", "--keep-fd", "5", "--exit-signal-fd", "5", "command"),
	    "--keep-fd");
	bad(WORDS("--exit-signal-fd", "5", "--keep-fd", "05", "command"), "--keep-fd");
	good(&parsed, WORDS("--keep-fd", "5", "--status-fd", "5", "--status-fd", "6", "command"));
	release(&parsed);
}

static void assert_command(const char *const words[], size_t start)
{
	struct parsed parsed;

	good(&parsed, words);
	assert_ptr_equal(parsed.plan.command, parsed.argv + start);
	release(&parsed);
}

static void test_where_options_stop(void **state)
{
	(void)state;
	assert_command(WORDS("command"), 1);
	assert_command(WORDS("command", "--help", "--", "-r"), 1);
	assert_command(WORDS("--net", "command", "--nonsense"), 2);
	assert_command(WORDS("--", "command"), 2);
	assert_command(WORDS("--", "--net"), 2);
	assert_command(WORDS("--", "--", "command"), 2);
	assert_command(WORDS("--net", "--", "-x"), 3);
	assert_command(WORDS("command", "--", "x"), 1);
	assert_command(WORDS("-"), 1);
	assert_command(WORDS("--net", "-", "--nonsense"), 2);
	assert_command(WORDS("a=b", "c"), 1);
}

static void test_unknown_options(void **state)
{
	static const char *const rows[] = { "--nonsense", "--rea",   "--reads",      "--read-tr",
					    "--READ",     "--read ", "---read",      "---",
					    "--=",        "--=x",    "-z",           "-R",
					    "-?",         "-1",      "-=",           "-\xc3\xa9",
					    "-\n",        "--\n",    "--nonsense=x", "-ne" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bad(WORDS(rows[i], "command"), rows[i]);
		bad(WORDS("--net", rows[i], "command"), rows[i]);
	}
}

/* The first mistake is the one that is told. */
static void test_order_of_mistakes(void **state)
{
	(void)state;
	bad(WORDS("--uid", "x", "--nonsense"), "--uid");
	bad(WORDS("--nonsense", "--uid", "x"), "--nonsense");
	bad(WORDS("--help", "--nonsense"), "--nonsense");
}

static void test_command_is_needed(void **state)
{
	struct parsed parsed;

	(void)state;
	bad(WORDS(NULL), "COMMAND");
	bad(WORDS("--"), "COMMAND");
	bad(WORDS("--net"), "COMMAND");
	bad(WORDS("--explain"), "COMMAND");
	bad(WORDS("--net", "--"), "COMMAND");
	bad(WORDS(""), "COMMAND");
	bad(WORDS("", "x"), "COMMAND");
	bad(WORDS("--", ""), "COMMAND");
	good(&parsed, WORDS("--help"));
	release(&parsed);
	good(&parsed, WORDS("--version"));
	release(&parsed);
}

static void test_no_words_at_all(void **state)
{
	struct plan plan;
	struct fault fault;
	char *none[] = { NULL };

	(void)state;
	assert_int_equal(init_parse(&plan, 0, none, &fault), -1);
	assert_string_equal(fault.object, "COMMAND");
	init_release(&plan);
}

/* The lists grow past every size that they may have. */
static void check_many(size_t count)
{
	char **argv = calloc(10 * count + 3, sizeof(*argv));
	static char program[] = "nestbox", grant[] = "--read", keep[] = "--keep-fd",
		    set[] = "--setenv", dir[] = "--dir", dest[] = "/d";
	char number[32][12];
	struct plan plan;
	struct fault fault;
	size_t words = 0;

	argv[words++] = program;
	for (size_t i = 0; i < 32; i++)
		snprintf(number[i], sizeof(number[i]), "%zu", i);
	for (size_t i = 0; i < count; i++) {
		argv[words++] = grant;
		argv[words++] = number[i % 32];
		argv[words++] = keep;
		argv[words++] = number[i % 32];
		argv[words++] = set;
		argv[words++] = number[i % 32];
		argv[words++] = number[i % 31];
		argv[words++] = dir;
		argv[words++] = dest;
	}
	argv[words] = dest;
	assert_int_equal(init_parse(&plan, (int)words, argv, &fault), 0);
	assert_int_equal(plan.grant_count, count);
	assert_int_equal(plan.step_count, count);
	assert_int_equal(plan.env_count, count);
	assert_int_equal(plan.keep_fd_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(plan.grants[i].path, number[i % 32]);
		assert_string_equal(plan.env[i].value, number[i % 31]);
		assert_string_equal(plan.steps[i].dest, "/d");
		assert_int_equal(plan.keep_fds[i], i % 32);
	}
	init_release(&plan);
	free(argv);
}

static void test_many(void **state)
{
	(void)state;
	for (size_t count = 0; count < 70; count++)
		check_many(count);
	check_many(3000);
}

static void test_usage(void **state)
{
	char text[16384] = "";
	int fd = memfd_create("usage", MFD_CLOEXEC), full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(options_usage(fd), 0);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_memory_equal(text, "usage: nestbox ", 15);
	for (size_t i = 0; i < option_count; i++) {
		char start[128];

		snprintf(start, sizeof(start), "%s%s%s ", options[i].name,
			 options[i].arguments[0] != '\0' ? " " : "", options[i].arguments);
		assert_non_null(strstr(text, start));
		assert_non_null(strstr(strstr(text, start), options[i].help));
		if (options[i].letter == '\0')
			continue;
		snprintf(start, sizeof(start), "\n  -%c, %s ", options[i].letter, options[i].name);
		assert_non_null(strstr(text, start));
	}
	for (size_t group = 0; group < GROUP_COUNT; group++)
		assert_non_null(strstr(text, option_groups[group]));
	assert_int_equal(options_usage(-1), -1);
	assert_int_equal(options_usage(full), -1);
	close(full);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_complete),
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_missing_arguments),
		cmocka_unit_test(test_values_in_the_same_word),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_bad_steps),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_the_last_limit_of_a_name_counts),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_status_descriptors_of_the_workload),
		cmocka_unit_test(test_where_options_stop),
		cmocka_unit_test(test_unknown_options),
		cmocka_unit_test(test_order_of_mistakes),
		cmocka_unit_test(test_command_is_needed),
		cmocka_unit_test(test_no_words_at_all),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
