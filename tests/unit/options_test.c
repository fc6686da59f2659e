/* SPDX-License-Identifier: MIT */
/* init/options.c and usage.c: the table, the parser, the usage text. */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
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
#include "init/walls.h"

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
	const char *example[3];
	bool needs_others; /* is no command line by itself */
} expected[] = {
	{ "--read", 'r', 1, { "/a" }, false },
	{ "--write", 'w', 1, { "/a" }, false },
	{ "--exec", 'x', 1, { "/a" }, false },
	{ "--read-try", 0, 1, { "/a" }, false },
	{ "--write-try", 0, 1, { "/a" }, false },
	{ "--exec-try", 0, 1, { "/a" }, false },
	{ "--bind", 0, 2, { "/s", "/a" }, false },
	{ "--bind-try", 0, 2, { "/s", "/a" }, false },
	{ "--ro-bind", 0, 2, { "/s", "/a" }, false },
	{ "--ro-bind-try", 0, 2, { "/s", "/a" }, false },
	{ "--dev-bind", 0, 2, { "/s", "/a" }, false },
	{ "--dev-bind-try", 0, 2, { "/s", "/a" }, false },
	{ "--bind-fd", 0, 2, { "3", "/a" }, false },
	{ "--ro-bind-fd", 0, 2, { "3", "/a" }, false },
	{ "--file", 0, 2, { "3", "/a" }, false },
	{ "--bind-data", 0, 2, { "3", "/a" }, false },
	{ "--ro-bind-data", 0, 2, { "3", "/a" }, false },
	{ "--tmpfs", 0, 1, { "/a" }, false },
	{ "--proc", 0, 1, { "/a" }, false },
	{ "--dev", 0, 1, { "/a" }, false },
	{ "--mqueue", 0, 1, { "/a" }, false },
	{ "--dir", 0, 1, { "/a" }, false },
	{ "--remount-ro", 0, 1, { "/a" }, false },
	{ "--symlink", 0, 2, { "to", "/a" }, false },
	{ "--chmod", 0, 2, { "755", "/a" }, false },
	{ "--perms", 0, 1, { "755" }, true },
	{ "--size", 0, 1, { "1" }, true },
	{ "--overlay-src", 0, 1, { "/s" }, true },
	{ "--overlay", 0, 3, { "/u", "/w", "/a" }, true },
	{ "--tmp-overlay", 0, 1, { "/a" }, true },
	{ "--ro-overlay", 0, 1, { "/a" }, true },
	{ "--file-label", 0, 1, { "l" }, false },
	{ "--env", 'e', 1, { "A" }, false },
	{ "--env-all", 0, 0, { NULL }, false },
	{ "--setenv", 0, 2, { "A", "1" }, false },
	{ "--unsetenv", 0, 1, { "A" }, false },
	{ "--clearenv", 0, 0, { NULL }, false },
	{ "--unshare-all", 0, 0, { NULL }, false },
	{ "--unshare-user", 0, 0, { NULL }, false },
	{ "--unshare-user-try", 0, 0, { NULL }, false },
	{ "--unshare-ipc", 0, 0, { NULL }, false },
	{ "--unshare-pid", 0, 0, { NULL }, false },
	{ "--unshare-net", 0, 0, { NULL }, false },
	{ "--unshare-uts", 0, 0, { NULL }, false },
	{ "--unshare-cgroup", 0, 0, { NULL }, false },
	{ "--unshare-cgroup-try", 0, 0, { NULL }, false },
	{ "--share-net", 0, 0, { NULL }, false },
	{ "--net", 0, 0, { NULL }, false },
	{ "--net-connect", 0, 1, { "80" }, false },
	{ "--net-bind", 0, 1, { "80" }, false },
	{ "--userns", 0, 1, { "3" }, false },
	{ "--userns2", 0, 1, { "3" }, false },
	{ "--pidns", 0, 1, { "3" }, false },
	{ "--disable-userns", 0, 0, { NULL }, false },
	{ "--assert-userns-disabled", 0, 0, { NULL }, false },
	{ "--uid", 0, 1, { "1" }, false },
	{ "--gid", 0, 1, { "1" }, false },
	{ "--map-uids", 0, 1, { "0:100000:65536" }, false },
	{ "--map-gids", 0, 1, { "0:100000:65536" }, false },
	{ "--groups", 0, 1, { "1,2" }, true },
	{ "--keep-cap", 0, 1, { "NET_ADMIN" }, false },
	{ "--hostname", 0, 1, { "h" }, false },
	{ "--cap-add", 0, 1, { "CAP_KILL" }, false },
	{ "--cap-drop", 0, 1, { "all" }, false },
	{ "--not-a-security-boundary", 0, 0, { NULL }, false },
	{ "--exec-label", 0, 1, { "l" }, false },
	{ "--rlimit", 0, 1, { "core=1" }, false },
	{ "--timeout", 0, 1, { "1" }, false },
	{ "--chdir", 0, 1, { "/a" }, false },
	{ "--argv0", 0, 1, { "a" }, false },
	{ "--new-session", 0, 0, { NULL }, false },
	{ "--keep-fd", 0, 1, { "3" }, false },
	{ "--new-keyring", 0, 0, { NULL }, false },
	{ "--tty", 0, 0, { NULL }, false },
	{ "--umask", 0, 1, { "22" }, false },
	{ "--no-coredump", 0, 0, { NULL }, false },
	{ "--deny-tsc", 0, 0, { NULL }, false },
	{ "--mdwe", 0, 0, { NULL }, false },
	{ "--spec-allow", 0, 0, { NULL }, false },
	{ "--map-fd", 0, 1, { "3=4" }, false },
	{ "--die-with-parent", 0, 0, { NULL }, false },
	{ "--die-with-fd", 0, 1, { "3" }, false },
	{ "--as-pid-1", 0, 0, { NULL }, false },
	{ "--init-only", 0, 0, { NULL }, false },
	{ "--forward", 0, 1, { "group" }, false },
	{ "--rewrite", 0, 1, { "TERM:INT" }, false },
	{ "--stop-signal", 0, 1, { "INT" }, false },
	{ "--expect", 0, 1, { "143" }, false },
	{ "--grace", 0, 1, { "2.5" }, false },
	{ "--wait-all", 0, 0, { NULL }, false },
	{ "--lock-file", 0, 1, { "/a" }, false },
	{ "--sync-fd", 0, 1, { "3" }, false },
	{ "--block-fd", 0, 1, { "3" }, false },
	{ "--userns-block-fd", 0, 1, { "3" }, false },
	{ "--filter", 0, 1, { "strict" }, false },
	{ "--restrict-kptr", 0, 0, { NULL }, false },
	{ "--dump-filter", 0, 1, { "pfc" }, false },
	{ "--allow-userns", 0, 0, { NULL }, false },
	{ "--append", 0, 1, { "/a" }, false },
	{ "--cow", 0, 1, { "/a" }, false },
	{ "--cow-store", 0, 1, { "/a" }, true },
	{ "--cow-backend", 0, 1, { "overlay" }, true },
	{ "--cow-quota", 0, 1, { "4096" }, true },
	{ "--on-success", 0, 1, { "keep" }, true },
	{ "--on-failure", 0, 1, { "keep" }, true },
	{ "--dry-run", 0, 0, { NULL }, true },
	{ "--cow-commit", 0, 1, { "/a" }, true },
	{ "--cow-discard", 0, 1, { "/a" }, true },
	{ "--seccomp", 0, 1, { "3" }, false },
	{ "--add-seccomp-fd", 0, 1, { "3" }, false },
	{ "--on-missing", 0, 1, { "net=warn" }, false },
	{ "--fallback", 0, 0, { NULL }, false },
	{ "--status-fd", 0, 1, { "3" }, false },
	{ "--exit-signal-fd", 0, 1, { "3" }, false },
	{ "--info-fd", 0, 1, { "3" }, false },
	{ "--json-status-fd", 0, 1, { "3" }, false },
	{ "--quiet", 0, 0, { NULL }, false },
	{ "--level-prefix", 0, 0, { NULL }, false },
	{ "--args", 0, 1, { "3" }, true },
	{ "--as", 0, 1, { "nestbox" }, false },
	{ "--explain", 0, 0, { NULL }, false },
	{ "--check", 0, 0, { NULL }, true },
	{ "--version", 0, 0, { NULL }, false },
	{ "--help", 0, 0, { NULL }, false },
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
		assert_int_equal(strspn(option->name, "abcdefghijklmnopqrstuvwxyz012-"),
				 strlen(option->name));
		assert_true(option->group < GROUP_COUNT);
		used[option->group] = true;
		assert_non_null(option->handler);
		assert_true(strlen(option->help) > 5);
		assert_null(strchr(option->help, '\n'));
		assert_null(strstr(option->arguments, "  "));
		assert_true(option_arguments(option) <= 3);
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

		if (expected[i].needs_others)
			continue;
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

		if (expected[i].needs_others)
			continue;
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
	for (size_t i = 0; i < PLAN_FDS; i++)
		assert_int_equal(plan->fds[i], -1);
	assert_int_equal(plan->namespaces, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC |
						   CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET);
	assert_int_equal(plan->try_for | plan->capabilities, 0);
	assert_false(plan->bare || plan->touch_host || plan->inherit_fds || plan->inherit_signals);
	assert_false(plan->map_caller || plan->unfiltered || plan->loose);
	assert_false(plan->new_session || plan->die_with_parent);
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
		{ .kind = STEP_DEV, .dest = "/a" },
		{ .kind = STEP_TMPFS, .dest = "//b/./c//" },
		{ .kind = STEP_SYMLINK, .dest = "/d/.", .text = "../x//y/" },
		{ .kind = STEP_DIR, .dest = "/e/" },
		{ .kind = STEP_PROC, .dest = "/f" },
		{ .kind = STEP_TMPFS, .dest = "b" },
		{ .kind = STEP_SYMLINK, .dest = "/", .text = "-" },
	};
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--dev", "/a", "-r", "/z", "--tmpfs", "//b/./c//", "--symlink",
			    "../x//y/", "/d/.", "--dir", "/e/", "--proc=/f", "--tmpfs=b",
			    "--symlink", "-", "/", "command"));
	assert_int_equal(parsed.plan.step_count, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parsed.plan.steps[i].kind, rows[i].kind);
		assert_string_equal(parsed.plan.steps[i].dest, rows[i].dest);
		assert_int_equal(parsed.plan.steps[i].fd, -1);
		assert_int_equal(parsed.plan.steps[i].mode, -1);
		assert_int_equal(parsed.plan.steps[i].size, 0);
		if (rows[i].text != NULL)
			assert_string_equal(parsed.plan.steps[i].text, rows[i].text);
	}
	release(&parsed);
}

static void test_binds(void **state)
{
	static const struct {
		const char *name;
		unsigned int flags;
	} rows[] = {
		{ "--bind", 0 },
		{ "--bind-try", STEP_OPTIONAL },
		{ "--ro-bind", STEP_READ_ONLY },
		{ "--ro-bind-try", STEP_READ_ONLY | STEP_OPTIONAL },
		{ "--dev-bind", STEP_DEVICES },
		{ "--dev-bind-try", STEP_DEVICES | STEP_OPTIONAL },
		{ "--bind-fd", 0 },
		{ "--ro-bind-fd", STEP_READ_ONLY },
	};
	struct parsed parsed;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool by_fd = strstr(rows[i].name, "-fd") != NULL;
		const struct mount_step *step;

		good(&parsed, WORDS(rows[i].name, "5", "/", "command"));
		step = &parsed.plan.steps[0];
		assert_int_equal(step->kind, STEP_BIND);
		assert_int_equal(step->flags, rows[i].flags);
		assert_string_equal(step->dest, "/");
		assert_int_equal(step->fd, by_fd ? 5 : -1);
		if (by_fd)
			assert_null(step->source);
		else
			assert_string_equal(step->source, "5");
		release(&parsed);
		bad(WORDS(rows[i].name, "", "/a", "command"), rows[i].name);
		bad(WORDS(rows[i].name, "5", "", "command"), rows[i].name);
		if (by_fd)
			bad(WORDS(rows[i].name, "5x", "/a", "command"), rows[i].name);
	}
}

/* What is made takes the mode and the size in front of it. */
static void test_modes_and_sizes(void **state)
{
	struct parsed parsed;
	const struct mount_step *steps;

	(void)state;
	good(&parsed, WORDS("--perms", "0", "--dir", "a", "--dir", "a", "--size", "4096", "--perms",
			    "1777", "--tmpfs", "b", "--tmpfs", "b", "--perms", "600", "--file", "7",
			    "c", "--perms", "07777", "--bind-data", "8", "d", "--perms=4",
			    "--ro-bind-data", "9", "e", "--chmod", "755", "f", "command"));
	steps = parsed.plan.steps;
	assert_int_equal(parsed.plan.step_count, 8);
	assert_int_equal(steps[0].mode, 0);
	assert_int_equal(steps[1].mode, -1);
	assert_int_equal(steps[2].mode, 01777);
	assert_int_equal(steps[2].size, 4096);
	assert_int_equal(steps[3].mode, -1);
	assert_int_equal(steps[3].size, 0);
	assert_int_equal(steps[4].kind, STEP_FILE);
	assert_int_equal(steps[4].mode, 0600);
	assert_int_equal(steps[4].fd, 7);
	assert_int_equal(steps[5].kind, STEP_DATA);
	assert_int_equal(steps[5].mode, 07777);
	assert_int_equal(steps[5].flags, 0);
	assert_int_equal(steps[6].kind, STEP_DATA);
	assert_int_equal(steps[6].mode, 04);
	assert_int_equal(steps[6].flags, STEP_READ_ONLY);
	assert_int_equal(steps[7].kind, STEP_CHMOD);
	assert_int_equal(steps[7].mode, 0755);
	release(&parsed);
}

static void test_bad_modes_and_sizes(void **state)
{
	static const char *const modes[] = { "",    "8",     "-1",
					     "+7",  " 7",    "7 ",
					     "0x7", "10000", "37777777777777777777777" };
	static const char *const sizes[] = { "",   "0",  "-1",
					     "+1", " 1", "1k",
					     "0x", "1.", "9223372036854775808" };

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		bad(WORDS("--perms", modes[i], "--dir", "/a", "command"), "--perms");
		bad(WORDS("--chmod", modes[i], "/a", "command"), "--chmod");
	}
	for (size_t i = 0; i < COUNT(sizes); i++)
		bad(WORDS("--size", sizes[i], "--tmpfs", "/a", "command"), "--size");
	bad(WORDS("--perms", "1", "--perms", "1", "--dir", "/a", "command"), "--perms");
	bad(WORDS("--size", "1", "--size", "1", "--tmpfs", "/a", "command"), "--size");
	bad(WORDS("--perms", "1", "command"), "--perms");
	bad(WORDS("--perms", "1", "--bind", "/", "/", "command"), "--perms");
	bad(WORDS("--perms", "1", "--chmod", "7", "/a", "command"), "--perms");
	bad(WORDS("--size", "1", "command"), "--size");
	bad(WORDS("--size", "1", "--dir", "/a", "command"), "--size");
}

static void test_overlays(void **state)
{
	struct parsed parsed;
	const struct mount_step *steps;

	(void)state;
	good(&parsed, WORDS("--overlay-src", "a", "--overlay-src", "b", "--overlay", "u", "w", "/d",
			    "--overlay-src", "c", "--tmp-overlay", "/e", "--overlay-src", "a",
			    "--overlay-src", "b", "--ro-overlay", "/f", "command"));
	steps = parsed.plan.steps;
	assert_int_equal(parsed.plan.step_count, 8);
	assert_int_equal(steps[1].kind, STEP_LAYER);
	assert_string_equal(steps[1].source, "b");
	assert_int_equal(steps[2].kind, STEP_OVERLAY);
	assert_string_equal(steps[2].source, "u");
	assert_string_equal(steps[2].text, "w");
	assert_string_equal(steps[2].dest, "/d");
	assert_int_equal(steps[4].kind, STEP_TMP_OVERLAY);
	assert_int_equal(steps[7].kind, STEP_RO_OVERLAY);
	release(&parsed);
	bad(WORDS("--overlay", "u", "w", "/d", "command"), "--overlay");
	bad(WORDS("--tmp-overlay", "/d", "command"), "--tmp-overlay");
	bad(WORDS("--overlay-src", "a", "--ro-overlay", "/d", "command"), "--ro-overlay");
	bad(WORDS("--overlay-src", "a", "command"), "--overlay-src");
	bad(WORDS("--overlay-src", "a", "--dir", "/d", "--tmp-overlay", "/d", "command"),
	    "--overlay-src");
	bad(WORDS("--overlay-src", "a", "--overlay", "u", "", "/d", "command"), "--overlay");
}

static void test_namespaces(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--net", "--unshare-net", "command"));
	assert_true((parsed.plan.namespaces & CLONE_NEWNET) != 0);
	release(&parsed);
	good(&parsed, WORDS("--unshare-all", "--share-net", "command"));
	assert_int_equal(parsed.plan.namespaces & CLONE_NEWNET, 0);
	assert_int_equal(parsed.plan.try_for, 0);
	release(&parsed);
	good(&parsed, WORDS("--userns", "5", "command"));
	assert_int_equal(parsed.plan.namespaces & CLONE_NEWUSER, 0);
	release(&parsed);
}

static void test_capabilities(void **state)
{
	static const char *const refused[] = { "", "cap_", "CAP_NO", "64", "-1", "kill ", "all " };
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--cap-add", "CAP_KILL", "--cap-add", "sys_admin", "--cap-add", "40",
			    "--cap-drop", "cap_Kill", "command"));
	assert_true(parsed.plan.capabilities == (1ULL << 21 | 1ULL << 40));
	assert_true(parsed.plan.disable_userns);
	release(&parsed);
	good(&parsed, WORDS("--cap-add", "all", "--cap-drop", "CHOWN", "command"));
	assert_true(parsed.plan.capabilities == ~1ULL);
	release(&parsed);
	for (size_t i = 0; i < COUNT(refused); i++)
		bad(WORDS("--cap-add", refused[i], "command"), "--cap-add");
}

static void test_seccomp(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--seccomp", "5", "--seccomp", "6", "command"));
	assert_int_equal(parsed.plan.seccomp_fd_count, 1);
	assert_int_equal(parsed.plan.seccomp_fds[0], 6);
	release(&parsed);
	good(&parsed, WORDS("--add-seccomp-fd", "5", "--add-seccomp-fd", "6", "command"));
	assert_int_equal(parsed.plan.seccomp_fd_count, 2);
	assert_int_equal(parsed.plan.seccomp_fds[1], 6);
	release(&parsed);
	bad(WORDS("--seccomp", "5", "--add-seccomp-fd", "6", "command"), "--add-seccomp-fd");
	bad(WORDS("--add-seccomp-fd", "5", "--seccomp", "6", "command"), "--seccomp");
}

/* A descriptor that gives BYTES, as a word. */
static const char *words_from(const void *bytes, size_t size)
{
	static char number[4][16];
	static size_t next;
	char *word = number[next++ % COUNT(number)];
	int fd = memfd_create("words", 0);

	assert_int_equal(write(fd, bytes, size), size);
	lseek(fd, 0, SEEK_SET);
	snprintf(word, sizeof(number[0]), "%d", fd);
	return word;
}
#define WORDS_FROM(literal) words_from(literal, sizeof(literal) - 1)

static void test_args(void **state)
{
	static char many[2 * 6 * 10000];
	struct parsed parsed;
	size_t size = 0;

	(void)state;
	good(&parsed, WORDS("-r", "/1", "--args", WORDS_FROM("-r\0/2\0--setenv\0A\0\0-r\0/3"), "-r",
			    "/4", "command", "--args"));
	assert_int_equal(parsed.plan.grant_count, 4);
	assert_string_equal(parsed.plan.grants[2].path, "/3");
	assert_string_equal(parsed.plan.grants[3].path, "/4");
	assert_string_equal(parsed.plan.env[0].value, "");
	release(&parsed);
	good(&parsed, WORDS("--args", WORDS_FROM(""), "command"));
	release(&parsed);
	for (size_t i = 0; i < 10000; i++)
		size += (size_t)sprintf(many + size, "-r%c/%04zu%c", 0, i, 0);
	good(&parsed, WORDS("--args", words_from(many, size), "command"));
	assert_int_equal(parsed.plan.grant_count, 10000);
	assert_string_equal(parsed.plan.grants[9999].path, "/9999");
	release(&parsed);
	bad(WORDS("--args", WORDS_FROM("-r"), "command"), "-r");
	bad(WORDS("--args", WORDS_FROM("-r\0/a\0word"), "command"), "--args");
	bad(WORDS("--args", WORDS_FROM("--perms\0001"), "command"), "--perms");
	bad(WORDS("--args", WORDS_FROM("\0"), "command"), "--args");
	bad(WORDS("--as", "bwrap", "--args", WORDS_FROM("--args\0003"), "command"), "--args");
}

static void test_personality(void **state)
{
	const char *const words[] = { "/x/bwrap", "--dir", "/a", "-", NULL };
	struct parsed parsed;
	const struct plan *plan = &parsed.plan;

	(void)state;
	parse(&parsed, words);
	assert_int_equal(parsed.result, 0);
	assert_int_equal(plan->as, AS_BWRAP);
	assert_int_equal(plan->namespaces, getuid() == 0 ? 0 : CLONE_NEWUSER);
	assert_true(plan->capabilities == (getuid() == 0 ? UINT64_MAX : 0));
	assert_true(plan->bare && plan->touch_host && plan->inherit_fds && plan->inherit_signals);
	assert_true(plan->map_caller && plan->unfiltered && plan->loose);
	assert_string_equal(plan->command[0], "-");
	release(&parsed);
	good(&parsed, WORDS("--as", "bwrap", "--unshare-all", "x"));
	assert_int_equal(plan->as, AS_BWRAP);
	assert_int_equal(plan->try_for & CLONE_NEWCGROUP, CLONE_NEWCGROUP);
	release(&parsed);
	bad(WORDS("--as", "nobody", "command"), "nobody");
	bad(WORDS("--net", "--as", "bwrap", "command"), "--as");
	bad(WORDS("--as", "bwrap", "--read", "/a", "command"), "--read");
	bad(WORDS("--as", "bwrap", "-r", "/a", "command"), "-r");
	bad(WORDS("--as", "bwrap", "--dir=/a", "command"), "--dir=/a");
	bad(WORDS("--as", "bwrap", "--as-pid-1", "command"), "Specifying --as-pid-1");
	bad(WORDS("--as", "bwrap", "--disable-userns", "command"), "--disable-userns");
	bad(WORDS("--as", "bwrap", "--hostname", "a", "command"), "Specifying --hostname");
}

static void test_repetitions(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--chdir", "/a", "--dir", "/a", "--dir", "/a", "--uid", "1", "--chdir",
			    "/b", "--uid", "2", "command"));
	assert_int_equal(parsed.plan.repeated_count, 2);
	assert_string_equal(parsed.plan.repeated[0], "--chdir");
	assert_string_equal(parsed.plan.repeated[1], "--uid");
	assert_string_equal(parsed.plan.chdir, "/b");
	release(&parsed);
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
		assert_int_equal(plan->namespaces & CLONE_NEWNET, i == 0 ? 0 : CLONE_NEWNET);
		assert_int_equal(plan->new_session, i == 1);
		assert_int_equal(plan->die_with_parent, i == 2);
		assert_int_equal(plan->explain, i == 3);
		assert_int_equal(plan->version, i == 4);
		assert_int_equal(plan->help, i == 5);
		release(&parsed);
	}
}

static void test_tty(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("command"));
	assert_false(parsed.plan.tty || parsed.plan.new_session);
	release(&parsed);
	good(&parsed, WORDS("--tty", "--tty", "command"));
	assert_true(parsed.plan.tty && parsed.plan.new_session);
	release(&parsed);
	good(&parsed, WORDS("--tty", "--new-session", "command"));
	assert_true(parsed.plan.tty && parsed.plan.new_session);
	release(&parsed);
	bad(WORDS("--tty=1", "command"), "--tty=1");
	bad(WORDS("--tty", "--init-only", "command"), "--tty");
	bad(WORDS("--as", "bwrap", "--tty", "command"), "--tty");
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

static void test_id_ranges(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed,
	     WORDS("--map-uids", "0:100000:10", "--map-uids=20:5:1", "--map-gids", "7:8:9",
		   "--groups", "7,15", "--groups", "8", "--uid", "20", "--gid", "15", "command"));
	assert_int_equal(parsed.plan.uid_range_count, 2);
	assert_int_equal(parsed.plan.uid_ranges[0].outside, 100000);
	assert_int_equal(parsed.plan.uid_ranges[1].inside, 20);
	assert_int_equal(parsed.plan.gid_range_count, 1);
	assert_int_equal(parsed.plan.gid_ranges[0].count, 9);
	assert_int_equal(parsed.plan.group_count, 3);
	assert_int_equal(parsed.plan.groups[1], 15);
	assert_int_equal(parsed.plan.groups[2], 8);
	assert_int_equal(parsed.plan.repeated_count, 0);
	release(&parsed);
	good(&parsed, WORDS("--groups", "1", "--init-only", "command"));
	assert_int_equal(parsed.plan.group_count, 1);
	release(&parsed);
	good(&parsed, WORDS("--keep-cap", "kill", "--keep-cap", "CAP_CHOWN", "command"));
	assert_int_equal(parsed.plan.capabilities, 1 << 5 | 1 << 0);
	release(&parsed);
	bad(WORDS("--map-uids", "0:1:2", "--map-uids", "1:10:1", "command"), "--map-uids");
	bad(WORDS("--map-gids", "0:1:2", "--map-gids", "10:2:1", "command"), "--map-gids");
	bad(WORDS("--map-uids", "0:1:2", "--uid", "2", "command"), "--uid");
	bad(WORDS("--gid", "2", "--map-gids", "0:1:2", "command"), "--gid");
	bad(WORDS("--map-gids", "0:1:2", "--groups", "0,2", "command"), "--groups");
	bad(WORDS("--groups", "1", "command"), "--groups");
	bad(WORDS("--map-uids", "0:1:2", "--userns", "5", "command"), "--userns");
	bad(WORDS("--map-uids", "0:1:2", "--userns2", "5", "command"), "--userns2");
	bad(WORDS("--map-uids", "0:1:2", "--userns-block-fd", "5", "command"), "--userns-block-fd");
	bad(WORDS("--map-uids", "0:1:2", "--pidns", "5", "command"), "--pidns");
	bad(WORDS("--map-uids", "0:1:2", "--init-only", "command"), "--map-uids");
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

static void test_missing_walls(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("command"));
	for (enum wall wall = 0; wall < WALLS; wall++)
		assert_int_equal(parsed.plan.on_missing[wall], MISSING_IS_ERROR);
	release(&parsed);
	for (enum wall wall = 0; wall < WALLS; wall++) {
		char word[64];

		snprintf(word, sizeof(word), "%s=silent", walls[wall].name);
		parse(&parsed, WORDS("--on-missing", word, "command"));
		assert_int_equal(parsed.result, walls[wall].needed != NULL ? -1 : 0);
		for (enum wall each = 0; each < WALLS && parsed.result == 0; each++)
			assert_int_equal(parsed.plan.on_missing[each],
					 each == wall ? MISSING_IS_SILENT : MISSING_IS_ERROR);
		release(&parsed);
	}
	good(&parsed, WORDS("--on-missing", "all=warn", "--on-missing=net=error", "command"));
	for (enum wall wall = 0; wall < WALLS; wall++)
		assert_int_equal(parsed.plan.on_missing[wall],
				 wall == WALL_NET || walls[wall].needed != NULL ? MISSING_IS_ERROR
										: MISSING_WARNS);
	release(&parsed);
	bad(WORDS("--on-missing", "command"), "--on-missing");
	bad(WORDS("--on-missing", "net=", "command"), "--on-missing");
	bad(WORDS("--on-missing", "net=warning", "command"), "--on-missing");
	bad(WORDS("--on-missing", "=warn", "command"), "--on-missing");
	bad(WORDS("--on-missing", "ne=warn", "command"), "--on-missing");
	bad(WORDS("--on-missing", "nett=warn", "command"), "--on-missing");
}

static void test_hardening(void **state)
{
	static const char *const bad_masks[] = {
		"", "8", "1000", "-1", "+7", " 7", "7 ", "0x7", "077777777777777777777777", "u=rwx"
	};
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("command"));
	assert_int_equal(parsed.plan.umask, -1);
	assert_false(parsed.plan.new_keyring || parsed.plan.deny_tsc || parsed.plan.mdwe ||
		     parsed.plan.spec_allow);
	release(&parsed);
	good(&parsed, WORDS("--umask", "0", "--new-keyring", "command"));
	assert_int_equal(parsed.plan.umask, 0);
	assert_true(parsed.plan.new_keyring);
	release(&parsed);
	good(&parsed, WORDS("--umask=0777", "--deny-tsc", "--mdwe", "--spec-allow", "command"));
	assert_int_equal(parsed.plan.umask, 0777);
	assert_true(parsed.plan.deny_tsc && parsed.plan.mdwe && parsed.plan.spec_allow);
	release(&parsed);
	for (size_t i = 0; i < COUNT(bad_masks); i++)
		bad(WORDS("--umask", bad_masks[i], "command"), "--umask");
	/* A limit like others, of which the last one counts. */
	good(&parsed, WORDS("--no-coredump", "command"));
	assert_int_equal(parsed.plan.limit_count, 1);
	assert_int_equal(parsed.plan.limits[0].resource, RLIMIT_CORE);
	assert_int_equal(parsed.plan.limits[0].soft, 1);
	assert_int_equal(parsed.plan.limits[0].hard, 1);
	release(&parsed);
	good(&parsed, WORDS("--rlimit", "core=7", "--no-coredump", "command"));
	assert_int_equal(parsed.plan.limit_count, 1);
	assert_int_equal(parsed.plan.limits[0].soft, 1);
	release(&parsed);
}

static void test_map_fd(void **state)
{
	static const char *const bad_maps[] = { "",
						"=",
						"3",
						"3=",
						"=3",
						"3=4=5",
						"-1=3",
						"3=-1",
						"+3=4",
						" 3=4",
						"3= 4",
						"3=4 ",
						"3=nul",
						"3=nullx",
						"null=3",
						"0x3=4",
						"2147483648=3",
						"3=2147483648",
						"99999999999999999999=3",
						"3=null=" };
	struct parsed parsed;

	(void)state;
	good(&parsed,
	     WORDS("--map-fd", "7=0", "--map-fd=0=null", "--map-fd", "1=2147483647", "command"));
	assert_int_equal(parsed.plan.fd_map_count, 3);
	assert_int_equal(parsed.plan.fd_maps[0].new, 7);
	assert_int_equal(parsed.plan.fd_maps[0].old, 0);
	assert_int_equal(parsed.plan.fd_maps[1].new, 0);
	assert_int_equal(parsed.plan.fd_maps[1].old, -1);
	assert_int_equal(parsed.plan.fd_maps[2].old, INT_MAX);
	release(&parsed);
	for (size_t i = 0; i < COUNT(bad_maps); i++)
		bad(WORDS("--map-fd", bad_maps[i], "command"), "--map-fd");
	bad(WORDS("--map-fd", "7=1", "--map-fd", "7=1", "command"), "--map-fd");
	bad(WORDS("--map-fd", "7=1", "--keep-fd", "7", "command"), "--map-fd");
	bad(WORDS("--status-fd", "7", "--map-fd", "5=7", "command"), "--map-fd");
	bad(WORDS("--sync-fd", "7", "--map-fd", "5=7", "command"), "--map-fd");
	/* The number alone is nobody's. */
	good(&parsed, WORDS("--status-fd", "7", "--map-fd", "7=5", "--keep-fd", "5", "command"));
	release(&parsed);
	good(&parsed, WORDS("--init-only", "command"));
	assert_true(parsed.plan.inherit_fds);
	release(&parsed);
	good(&parsed, WORDS("--init-only", "--map-fd", "7=5", "command"));
	assert_false(parsed.plan.inherit_fds);
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
	assert_int_equal(parsed.plan.fds[FD_STATUS], 3);
	assert_int_equal(parsed.plan.fds[FD_EXIT_SIGNAL], INT_MAX);
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
	assert_int_equal(options_usage(AS_NESTBOX, fd), 0);
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
	assert_int_equal(options_usage(AS_NESTBOX, -1), -1);
	assert_int_equal(options_usage(AS_NESTBOX, full), -1);
	close(full);
	close(fd);
}

static void test_copy_on_write(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, WORDS("--tmpfs", "/t", "--cow", "/d", "--on-success", "keep", "--on-failure",
			    "commit", "--cow-store", "/s", "--cow-backend", "overlay", "--dry-run",
			    "--dir", "/x", "command"));
	assert_string_equal(parsed.plan.cow, "/d");
	assert_string_equal(parsed.plan.cow_store, "/s");
	assert_int_equal(parsed.plan.cow_place, 1);
	assert_int_equal(parsed.plan.cow_backend, COW_OVERLAY);
	assert_int_equal(parsed.plan.on_success, COW_KEEP);
	assert_int_equal(parsed.plan.on_failure, COW_COMMIT);
	assert_true(parsed.plan.dry_run);
	release(&parsed);
	good(&parsed, WORDS("--cow", "/d", "command"));
	assert_int_equal(parsed.plan.on_success, COW_COMMIT);
	assert_int_equal(parsed.plan.on_failure, COW_DISCARD);
	assert_int_equal(parsed.plan.cow_backend, COW_AUTO);
	assert_int_equal(parsed.plan.cow_quota, 0);
	release(&parsed);
	good(&parsed, WORDS("--cow", "/d", "--cow-quota", "9223372036854775807", "command"));
	assert_int_equal(parsed.plan.cow_quota, INT64_MAX);
	release(&parsed);
	good(&parsed, WORDS("--cow-quota", "0x1000", "--cow", "/d", "command"));
	assert_int_equal(parsed.plan.cow_quota, 4096);
	release(&parsed);
	good(&parsed, WORDS("--cow-commit", "/s", "--dry-run"));
	assert_string_equal(parsed.plan.cow_commit, "/s");
	release(&parsed);
	bad(WORDS("--cow", "", "command"), "--cow");
	bad(WORDS("--cow", "/a", "--cow", "/a", "command"), "--cow");
	bad(WORDS("--on-success", "keep", "command"), "--on-success");
	bad(WORDS("--dry-run", "command"), "--dry-run");
	bad(WORDS("--cow", "/a", "--on-failure", "", "command"), "--on-failure");
	bad(WORDS("--cow", "/a", "--on-failure", "keeps", "command"), "--on-failure");
	bad(WORDS("--cow", "/a", "--cow-backend", "over", "command"), "--cow-backend");
	bad(WORDS("--cow", "/a", "--cow-quota", "0", "command"), "--cow-quota");
	bad(WORDS("--cow", "/a", "--cow-quota", "", "command"), "--cow-quota");
	bad(WORDS("--cow", "/a", "--cow-quota", "-1", "command"), "--cow-quota");
	bad(WORDS("--cow", "/a", "--cow-quota", "1M", "command"), "--cow-quota");
	bad(WORDS("--cow", "/a", "--cow-quota", "9223372036854775808", "command"), "--cow-quota");
	bad(WORDS("--cow", "/a", "--cow-quota", "18446744073709551617", "command"), "--cow-quota");
	bad(WORDS("--cow", "/a", "--cow-quota", "1", "--cow-quota", "1", "command"), "--cow-quota");
	bad(WORDS("--cow-quota", "4096", "command"), "--cow-quota");
	bad(WORDS("--cow-commit", "/s", "--cow-quota", "4096"), "--cow-quota");
	bad(WORDS("--cow-commit", "/s", "command"), "--cow-commit");
	bad(WORDS("--cow-commit", "/s", "--read", "/a"), "--read");
	bad(WORDS("--cow-commit", "/s", "--cow-discard", "/s"), "--cow-discard");
	bad(WORDS("--cow-discard", "/s", "--dry-run"), "--dry-run");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_complete),
		cmocka_unit_test(test_copy_on_write),
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_missing_arguments),
		cmocka_unit_test(test_values_in_the_same_word),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_binds),
		cmocka_unit_test(test_modes_and_sizes),
		cmocka_unit_test(test_bad_modes_and_sizes),
		cmocka_unit_test(test_overlays),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_personality),
		cmocka_unit_test(test_repetitions),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_tty),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_id_ranges),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_missing_walls),
		cmocka_unit_test(test_hardening),
		cmocka_unit_test(test_map_fd),
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
