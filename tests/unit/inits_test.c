/* SPDX-License-Identifier: MIT */
/* init/inits.c, tini.c, dumb_init.c, catatonit.c, signals.c: what the three programs make of words,
 * variables and hostile values; their messages are compared with the programs' own in tests/e2e. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/inits.h"
#include "init/personality.h"
#include "init/reaper.h"
#include "init/signals.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_WORDS 16

static const char *const variables[] = { "TINI_SUBREAPER",   "TINI_KILL_PROCESS_GROUP",
					 "TINI_VERBOSITY",   "DUMB_INIT_DEBUG",
					 "DUMB_INIT_SETSID", "CATATONIT_DEBUG",
					 "CATATONIT_LOG" };

static int clear_variables(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(variables); i++)
		unsetenv(variables[i]);
	return 0;
}

/* A command line in one string, cut at blanks; "@" is an empty word. */
struct parsed {
	char bytes[512];
	char *argv[MAX_WORDS];
	struct plan plan;
	struct fault fault;
	int result;
};

static void parse(struct parsed *parsed, const char *line)
{
	int count = 0;

	memset(parsed, 0, sizeof(*parsed));
	assert_true(strlen(line) < sizeof(parsed->bytes));
	strcpy(parsed->bytes, line);
	for (char *word = strtok(parsed->bytes, " "); word != NULL; word = strtok(NULL, " ")) {
		assert_true(count < MAX_WORDS - 1);
		if (strcmp(word, "@") == 0)
			word[0] = '\0';
		parsed->argv[count++] = word;
	}
	parsed->result = init_parse(&parsed->plan, count, parsed->argv, &parsed->fault);
}

static void good(struct parsed *parsed, const char *line)
{
	parse(parsed, line);
	if (parsed->result != 0)
		fail_msg("%s: %s: %s", line, parsed->fault.object, parsed->fault.reason);
}

/* The words that are left for the command. */
static void command_is(const char *line, const char *command)
{
	struct parsed parsed;
	char words[512] = "";

	good(&parsed, line);
	for (char **word = parsed.plan.command; *word != NULL; word++) {
		strcat(words, *word);
		strcat(words, word[1] != NULL ? " " : "");
	}
	assert_string_equal(words, command);
	init_release(&parsed.plan);
}

/* What is printed for a line that is refused, where that is getopt's message. */
static void message_is(const char *line, const char *message)
{
	struct text text = { 0 };
	struct parsed parsed;

	parse(&parsed, line);
	if (parsed.result != -1)
		fail_msg("%s was taken", line);
	assert_true(inits_option_message(&text, inits_find(parsed.plan.as), &parsed.plan,
					 &parsed.fault));
	text.bytes[text.length] = '\0';
	assert_string_equal(text.bytes, message);
}

static void is_bad(const char *line)
{
	struct parsed parsed;

	parse(&parsed, line);
	if (parsed.result != -1)
		fail_msg("%s was taken", line);
	assert_non_null(parsed.fault.reason);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		enum personality as;
	} rows[] = {
		{ "tini", AS_TINI },           { "/sbin/docker-init", AS_TINI },
		{ "./tini-static", AS_TINI },  { "dumb-init", AS_DUMB_INIT },
		{ "catatonit", AS_CATATONIT }, { "/run/podman-init", AS_CATATONIT },
		{ "tinit", AS_NESTBOX },       { "init", AS_NESTBOX },
	};
	char *const engine[] = { "/dev/init", "--", "x", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(personality_named(rows[i].name), rows[i].as);
	/* Only as process 1. */
	assert_int_equal(personality_called(engine), AS_NESTBOX);
	assert_null(inits_find(AS_NESTBOX));
	assert_null(inits_find(AS_BWRAP));
	assert_ptr_equal(inits_find(AS_TINI), &tini);
}

static void test_commands(void **state)
{
	(void)state;
	command_is("tini a", "a");
	command_is("tini -- a -v", "a -v");
	command_is("tini -gvv -s -- a", "a");
	command_is("tini a -v b -- -c", "a -v b -- -c");
	command_is("tini - a", "- a");
	command_is("nestbox --as tini -s -- a", "a");
	command_is("nestbox --as=docker-init -s a", "a");
	command_is("dumb-init a -v -- b", "a -v -- b");
	command_is("dumb-init -vc -r 1:2 --rewrite=3:4 --rewrite 5:6 -- a", "a");
	command_is("dumb-init --single a", "a");
	command_is("catatonit -gP", "");
	command_is("nestbox --as podman-init -g -- a -V", "a -V");
}

static void test_options_of_tini(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, "tini a");
	assert_true(parsed.plan.init_only);
	assert_false(parsed.plan.subreaper || parsed.plan.forward_group || parsed.plan.warn_reaped);
	assert_int_equal(parsed.plan.verbosity, 1);
	assert_int_equal(parsed.plan.parent_signal, 0);
	good(&parsed, "tini -swgvv -pSIGTERM -e0 -e 143 -e 255 a");
	assert_true(parsed.plan.subreaper && parsed.plan.forward_group && parsed.plan.warn_reaped);
	assert_int_equal(parsed.plan.verbosity, 3);
	assert_int_equal(parsed.plan.parent_signal, SIGTERM);
	assert_int_equal(parsed.plan.expected[0], 1);
	assert_int_equal(parsed.plan.expected[2], 1ULL << (143 - 128));
	assert_int_equal(parsed.plan.expected[3], 1ULL << 63);
	good(&parsed, "tini -h -x");
	assert_true(parsed.plan.help);
	good(&parsed, "tini -lx");
	assert_true(parsed.plan.licence);
	good(&parsed, "tini --version");
	assert_true(parsed.plan.version);
	message_is("tini --version x", "tini: invalid option -- '-'");
	message_is("tini -sx a", "tini: invalid option -- 'x'");
	message_is("/usr/bin/tini -p", "/usr/bin/tini: option requires an argument -- 'p'");
	is_bad("tini");
	is_bad("tini --");
}

static void test_values_of_tini(void **state)
{
	static const char *const bad[] = { "-e -1",        "-e 256",      "-e x",
					   "-e 1x",        "-e 0x1",      "-e 99999999999999999999",
					   "-p TERM",      "-p sigterm",  "-p 15",
					   "-p SIG",       "-p SIGTERMX", "-p SIGRTMIN",
					   "-p SIGSTKFLT", "-p SIGIOT",   "-p @" };
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(line, sizeof(line), "tini %s a", bad[i]);
		is_bad(line);
	}
}

static void test_variables_of_tini(void **state)
{
	struct parsed parsed;

	(void)state;
	setenv("TINI_SUBREAPER", "", 1);
	setenv("TINI_KILL_PROCESS_GROUP", "0", 1);
	setenv("TINI_VERBOSITY", "4", 1);
	good(&parsed, "tini -v a");
	assert_true(parsed.plan.subreaper && parsed.plan.forward_group);
	assert_int_equal(parsed.plan.verbosity, 4);
	setenv("TINI_VERBOSITY", "x", 1);
	good(&parsed, "tini -v a");
	assert_int_equal(parsed.plan.verbosity, 0);
	/* They are tini's alone. */
	good(&parsed, "dumb-init a");
	assert_false(parsed.plan.subreaper);
}

static void test_options_of_dumb_init(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, "dumb-init a");
	assert_int_equal(parsed.plan.job, JOB_SESSION);
	assert_true(parsed.plan.forward_group && parsed.plan.farewell);
	assert_int_equal(parsed.plan.forward_as[SIGTSTP], SIGSTOP);
	assert_int_equal(parsed.plan.forward_as[SIGTERM], SIGTERM);
	good(&parsed, "dumb-init -c -v a");
	assert_int_equal(parsed.plan.job, JOB_SHARED);
	assert_false(parsed.plan.forward_group);
	assert_int_equal(parsed.plan.forward_as[SIGTSTP], SIGTSTP);
	assert_int_equal(parsed.plan.verbosity, 1);
	good(&parsed, "dumb-init -r 15:3 -r 20:20 --rewrite 1:0 -r 31:31 a");
	assert_int_equal(parsed.plan.forward_as[15], 3);
	assert_int_equal(parsed.plan.forward_as[20], 20);
	assert_int_equal(parsed.plan.forward_as[1], 0);
	good(&parsed, "dumb-init --he");
	assert_true(parsed.plan.help);
	message_is(
		"dumb-init --ver a",
		"dumb-init: option '--ver' is ambiguous; possibilities: '--verbose' '--version'");
	message_is("dumb-init --foo=3 a", "dumb-init: unrecognized option '--foo=3'");
	message_is("dumb-init --verbose=3 a",
		   "dumb-init: option '--verbose' doesn't allow an argument");
	message_is("dumb-init --rew", "dumb-init: option '--rewrite' requires an argument");
	message_is("dumb-init -r", "dumb-init: option requires an argument -- 'r'");
	is_bad("dumb-init");
}

static void test_rewrites_of_dumb_init(void **state)
{
	static const char *const bad[] = {
		"@",   "15",   "15:",   ":15",  "15::3", "x:15",   "15:x",
		"0:1", "32:1", "15:32", "-1:3", "15:-1", "TERM:3", "99999999999999999999:1"
	};
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(line, sizeof(line), "dumb-init -r %s a", bad[i]);
		is_bad(line);
	}
}

static void test_variables_of_dumb_init(void **state)
{
	struct parsed parsed;

	(void)state;
	setenv("DUMB_INIT_DEBUG", "yes", 1);
	setenv("DUMB_INIT_SETSID", "1", 1);
	good(&parsed, "dumb-init a");
	assert_int_equal(parsed.plan.verbosity, 0);
	assert_int_equal(parsed.plan.job, JOB_SESSION);
	setenv("DUMB_INIT_SETSID", "0", 1);
	good(&parsed, "dumb-init a");
	assert_int_equal(parsed.plan.job, JOB_SHARED);
}

static void test_options_of_catatonit(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, "catatonit a");
	assert_true(parsed.plan.subreaper && parsed.plan.leave_directory &&
		    parsed.plan.close_descriptors && parsed.plan.rewrite_listen_pid);
	assert_false(parsed.plan.forward_group || parsed.plan.pause);
	assert_int_equal(parsed.plan.forward_as[SIGTTOU], 0);
	good(&parsed, "catatonit -gP");
	assert_true(parsed.plan.forward_group && parsed.plan.pause);
	good(&parsed, "catatonit --vers");
	assert_true(parsed.plan.version);
	good(&parsed, "catatonit -V");
	assert_true(parsed.plan.version);
	message_is("catatonit -gx a", "catatonit: invalid option -- 'x'");
	message_is("catatonit --version=3",
		   "catatonit: option '--version' doesn't allow an argument");
	is_bad("catatonit");
	setenv("CATATONIT_LOG", "", 1);
	is_bad("catatonit a");
}

/* Each stands for a letter once, and the help names it. */
static void test_tables_are_sound(void **state)
{
	static const struct init_program *const programs[] = { &tini, &dumb_init, &catatonit };
	char letter[4] = "-x";

	(void)state;
	for (size_t i = 0; i < COUNT(programs); i++)
		for (size_t j = 0; j < programs[i]->letter_count; j++) {
			const struct letter *row = &programs[i]->letters[j];

			letter[1] = row->letter;
			assert_non_null(strstr(row->help, letter));
			assert_non_null(row->handler);
			for (size_t k = 0; k < j; k++)
				assert_int_not_equal(programs[i]->letters[k].letter, row->letter);
		}
}

static void test_failures(void **state)
{
	static const struct {
		const struct init_program *program;
		enum report_kind kind;
		int error, status;
	} rows[] = {
		{ &tini, REPORT_EXEC_FAILED, ENOENT, 127 },
		{ &tini, REPORT_EXEC_FAILED, EACCES, 126 },
		{ &tini, REPORT_EXEC_FAILED, ENOTDIR, 1 },
		{ &tini, REPORT_SETUP_FAILED, EAGAIN, 1 },
		{ &dumb_init, REPORT_EXEC_FAILED, ENOENT, 2 },
		{ &dumb_init, REPORT_SETUP_FAILED, EAGAIN, 1 },
		{ &catatonit, REPORT_EXEC_FAILED, ENOENT, 1 },
		{ &catatonit, REPORT_SETUP_FAILED, EAGAIN, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fault fault = { .step = "exec", .error = rows[i].error };

		assert_int_equal(rows[i].program->failure(rows[i].kind, &fault), rows[i].status);
	}
}

static void test_signal_names(void **state)
{
	static const struct {
		const char *text;
		int signal;
	} rows[] = {
		{ "TERM", SIGTERM },
		{ "SIGTERM", SIGTERM },
		{ "sigterm", SIGTERM },
		{ "15", SIGTERM },
		{ "1", 1 },
		{ "64", 64 },
		{ "RTMIN", 34 },
		{ "SIGRTMIN+3", 37 },
		{ "rtmax-1", 63 },
		{ "RTMAX", 64 },
		{ "POLL", SIGIO },
		{ "CLD", SIGCHLD },
		{ "RTMIN+30", 64 },
		{ "015", SIGTERM },
	};
	static const char *const bad[] = {
		"",         "0",          "65",     "-1",
		"SIG",      "SIGSIGTERM", "TERMX",  "TER",
		"RTMIN+31", "RTMIN-1",    "RTMIN+", "RTMAX+1",
		"SIG15",    " 15",        "15 ",    "18446744073709551617"
	};
	int signal;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(signal_parse(rows[i].text, strlen(rows[i].text), &signal));
		assert_int_equal(signal, rows[i].signal);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (signal_parse(bad[i], strlen(bad[i]), &signal))
			fail_msg("%s was taken as %d", bad[i], signal);
}

/* The table has what the kernel and the C library have. */
static void test_signal_words(void **state)
{
	(void)state;
	for (int signal = 1; signal <= 31; signal++) {
		struct text text = { 0 };

		signal_describe(&text, signal);
		text.bytes[text.length] = '\0';
		assert_string_equal(text.bytes, strsignal(signal));
	}
	assert_string_equal(signal_name(SIGHUP), "HUP");
	assert_string_equal(signal_name(SIGSYS), "SYS");
	assert_string_equal(signal_name(40), "");
}

static void test_rewrites(void **state)
{
	static const char *const bad[] = { "",          ":",      "TERM",    "TERM:",
					   ":TERM",     "0:TERM", "TERM:65", "TERM:INT:HUP",
					   "TERM: INT", "TERM:00" };
	int from, to;

	(void)state;
	assert_true(signal_parse_rewrite("TERM:SIGINT", &from, &to));
	assert_int_equal(from, SIGTERM);
	assert_int_equal(to, SIGINT);
	assert_true(signal_parse_rewrite("1:0", &from, &to));
	assert_int_equal(to, 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (signal_parse_rewrite(bad[i], &from, &to))
			fail_msg("%s was taken", bad[i]);
}

static void test_native(void **state)
{
	struct parsed parsed;

	(void)state;
	good(&parsed, "nestbox --init-only --cap-drop ALL --cap-add KILL --rewrite HUP:0 "
		      "--stop-signal INT --expect 143 --forward group a");
	assert_int_equal(parsed.plan.namespaces, 0);
	assert_int_equal(parsed.plan.capabilities, 1ULL << 5);
	assert_int_equal(parsed.plan.forward_as[SIGHUP], 0);
	assert_int_equal(parsed.plan.forward_as[SIGTERM], SIGINT);
	assert_true(parsed.plan.forward_group && parsed.plan.inherit_fds && parsed.plan.subreaper);
	assert_int_equal(reaper_exit_status(&parsed.plan, 15), 0);
	assert_int_equal(reaper_exit_status(&parsed.plan, 9), 137);
	assert_int_equal(parsed.plan.env[0].kind, ENV_KEEP_ALL);
	init_release(&parsed.plan);
	good(&parsed, "nestbox --setenv A 1 --keep-fd 7 --init-only a");
	assert_int_equal(parsed.plan.capabilities, UINT64_MAX);
	assert_false(parsed.plan.inherit_fds);
	assert_int_equal(parsed.plan.env[0].kind, ENV_KEEP_ALL);
	assert_int_equal(parsed.plan.env[1].kind, ENV_SET);
	init_release(&parsed.plan);
}

static void test_native_refuses(void **state)
{
	static const char *const bad[] = { "--init-only --ro-bind /a /a",
					   "--tmpfs /a --init-only",
					   "--init-only --unshare-net",
					   "--init-only --hostname h",
					   "--init-only --as-pid-1",
					   "--init-only --net",
					   "--init-only --lock-file /a",
					   "--init-only --info-fd 3",
					   "--as-pid-1 --grace 1",
					   "--as-pid-1 --wait-all",
					   "--forward all",
					   "--rewrite TERM",
					   "--rewrite KILL:TERM",
					   "--rewrite CHLD:TERM",
					   "--stop-signal 0",
					   "--expect 256",
					   "--expect -1",
					   "--grace 0",
					   "--grace 1s" };
	char line[128];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct parsed parsed;

		snprintf(line, sizeof(line), "nestbox %s a", bad[i]);
		parse(&parsed, line);
		if (parsed.result != -1)
			fail_msg("%s was taken", line);
		init_release(&parsed.plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_options_of_tini),
		cmocka_unit_test(test_values_of_tini),
		cmocka_unit_test_teardown(test_variables_of_tini, clear_variables),
		cmocka_unit_test(test_options_of_dumb_init),
		cmocka_unit_test(test_rewrites_of_dumb_init),
		cmocka_unit_test_teardown(test_variables_of_dumb_init, clear_variables),
		cmocka_unit_test_teardown(test_options_of_catatonit, clear_variables),
		cmocka_unit_test(test_tables_are_sound),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_signal_names),
		cmocka_unit_test(test_signal_words),
		cmocka_unit_test(test_rewrites),
		cmocka_unit_test(test_native),
		cmocka_unit_test(test_native_refuses),
	};

	clear_variables(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
