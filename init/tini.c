/* SPDX-License-Identifier: MIT */
/* tini, also known as docker-init: its options, its variables, its words. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/inits.h"
#include "init/signals.h"
#include "mountns/sys.h"

/* The release whose options and meanings these are. */
#define TINI_VERSION "tini version 0.19.0"

/* The verbosity from which on each is said. */
enum level { FATAL, WARN, INFO, DEBUG, TRACE };

enum { FLAG_SUBREAPER, FLAG_WARN, FLAG_GROUP, FLAG_HELP, FLAG_LICENCE };

static int set_flag(struct plan *plan, const struct letter *letter, char *value,
		    struct fault *fault)
{
	bool *const flags[] = {
		[FLAG_SUBREAPER] = &plan->subreaper, [FLAG_WARN] = &plan->warn_reaped,
		[FLAG_GROUP] = &plan->forward_group, [FLAG_HELP] = &plan->help,
		[FLAG_LICENCE] = &plan->licence,
	};

	(void)value;
	(void)fault;
	*flags[letter->parameter] = true;
	return 0;
}

static int be_verbose(struct plan *plan, const struct letter *letter, char *value,
		      struct fault *fault)
{
	(void)letter;
	(void)value;
	(void)fault;
	plan->verbosity++;
	return 0;
}

static int refuse_value(struct fault *fault, const char *option, const char *value)
{
	fault_text(fault, "options", option, "Not a valid option for");
	fault->detail = value;
	return -1;
}

/* Whole names alone, as they are written, and not all of them. */
static int set_parent_signal(struct plan *plan, const struct letter *letter, char *value,
			     struct fault *fault)
{
	const uint64_t unknown = signal_bit(SIGSTKFLT) | signal_bit(SIGIO) | signal_bit(SIGPWR);
	int signal;

	(void)letter;
	if (strncmp(value, "SIG", 3) != 0 || !signal_parse(value, strlen(value), &signal) ||
	    strcmp(value + 3, signal_name(signal)) != 0 || (unknown & signal_bit(signal)) != 0)
		return refuse_value(fault, "-p", value);
	plan->parent_signal = signal;
	return 0;
}

/* A number as strtol(3) takes it. */
static int add_expected(struct plan *plan, const struct letter *letter, char *value,
			struct fault *fault)
{
	char *end;
	long status = strtol(value, &end, 10);

	(void)letter;
	if (*end != '\0' || status < 0 || status > 255)
		return refuse_value(fault, "-e", value);
	plan->expected[status / 64] |= 1ULL << (status % 64);
	return 0;
}

static const struct letter letters[] = {
	{ 'h', NULL, false, set_flag, FLAG_HELP, "  -h: Show this help message and exit." },
	{ 's', NULL, false, set_flag, FLAG_SUBREAPER,
	  "  -s: Register as a process subreaper (requires Linux >= 3.4)." },
	{ 'p', NULL, true, set_parent_signal, 0,
	  "  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. \"-p SIGKILL\"." },
	{ 'v', NULL, false, be_verbose, 0,
	  "  -v: Generate more verbose output. Repeat up to 3 times." },
	{ 'w', NULL, false, set_flag, FLAG_WARN,
	  "  -w: Print a warning when processes are getting reaped." },
	{ 'g', NULL, false, set_flag, FLAG_GROUP,
	  "  -g: Send signals to the child's process group." },
	{ 'e', NULL, true, add_expected, 0,
	  "  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0." },
	{ 'l', NULL, false, set_flag, FLAG_LICENCE, "  -l: Show license and exit." },
};
#define LETTERS (sizeof(letters) / sizeof(letters[0]))

static void defaults(struct plan *plan)
{
	plan->verbosity = WARN;
	plan->job = JOB_FOREGROUND_STDIN;
	plan->inherit_signals = true;
	/* Its own faults; and what a terminal sends to writers in the background. */
	plan->own_signals = INIT_FAULTS;
	plan->forward_as[SIGTTIN] = plan->forward_as[SIGTTOU] = 0;
}

static int finish(struct plan *plan, struct fault *fault)
{
	const char *verbosity = getenv("TINI_VERBOSITY");

	if (plan->command[0] == NULL)
		return fault_text(fault, "options", "", "no command");
	plan->subreaper |= getenv("TINI_SUBREAPER") != NULL;
	plan->forward_group |= getenv("TINI_KILL_PROCESS_GROUP") != NULL;
	if (verbosity != NULL)
		plan->verbosity = (int)strtol(verbosity, NULL, 10);
	return 0;
}

static const char *called(const struct plan *plan)
{
	const char *slash = strrchr(plan->name, '/');

	return slash != NULL ? slash + 1 : plan->name;
}

static int print_help(const struct plan *plan, int fd)
{
	struct text help = { 0 };

	text_print(&help,
		   "%s (" TINI_VERSION ")\n"
		   "Usage: %s [OPTIONS] PROGRAM -- [ARGS] | --version\n\n"
		   "Execute a program under the supervision of a valid init process (%s)\n\n"
		   "Command line options:\n\n"
		   "  --version: Show version and exit.\n",
		   called(plan), called(plan), called(plan));
	for (size_t i = 0; i < LETTERS; i++)
		text_print(&help, "%s\n", letters[i].help);
	text_add(&help,
		 "\nEnvironment variables:\n\n"
		 "  TINI_SUBREAPER: Register as a process subreaper (requires Linux >= 3.4).\n"
		 "  TINI_VERBOSITY: Set the verbosity level (default: 1).\n"
		 "  TINI_KILL_PROCESS_GROUP: Send signals to the child's process group.\n");
	return text_write(&help, fd);
}

static int look(const struct plan *plan)
{
	struct text line = { 0 };

	if (plan->licence)
		return inits_licence(STDOUT_FILENO);
	if (plan->help)
		return print_help(plan, STDOUT_FILENO);
	text_add(&line, TINI_VERSION " (nestbox " NESTBOX_VERSION ")");
	return text_write(&line, STDOUT_FILENO);
}

/* Puts the level and the process in front. Returns whether the line is wanted. */
static bool begin(struct text *line, const struct plan *plan, enum level level, int pid)
{
	static const char *const names[] = { "FATAL", "WARN ", "INFO ", "DEBUG", "TRACE" };

	if (plan->verbosity < (int)level && level != FATAL)
		return false;
	line->length = 0;
	text_add(line, "[");
	text_add(line, names[level]);
	text_print(line, " tini (%d)] ", pid);
	return true;
}

static void say(const struct plan *plan, enum level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(const struct plan *plan, enum level level, const char *format, ...)
{
	struct text line;
	va_list values;

	if (!begin(&line, plan, level, sys_getpid()))
		return;
	va_start(values, format);
	text_vprint(&line, format, values);
	va_end(values);
	text_write(&line, level <= WARN ? STDERR_FILENO : STDOUT_FILENO);
}

static void say_signal(const struct plan *plan, enum level level, const char *what, int signal,
		       const char *end)
{
	struct text line;

	if (!begin(&line, plan, level, sys_getpid()))
		return;
	text_add(&line, what);
	signal_describe(&line, signal);
	text_add(&line, end);
	text_write(&line, STDOUT_FILENO);
}

static void complain(const struct plan *plan, int pid, const struct fault *fault)
{
	static const struct init_phrase phrases[] = {
		{ "exec", "exec ", true, " failed: " },
		{ "clone", "fork", false, " failed: " },
		{ "process group", "setpgid", false, " failed: " },
		{ "terminal", "tcsetpgrp", false, " failed: " },
		{ "subreaper", "Failed to register as child subreaper", false, ": " },
		{ "parent death signal", "Failed to set up parent death signal", false, ": " },
	};
	struct text line = { 0 };

	if (inits_option_message(&line, &tini, plan, fault)) {
		text_write(&line, STDERR_FILENO);
		print_help(plan, STDERR_FILENO);
	} else if (strcmp(fault->step, "options") == 0 && fault->detail == NULL) {
		print_help(plan, STDERR_FILENO);
	} else {
		begin(&line, plan, FATAL, pid);
		if (fault->detail != NULL)
			text_print(&line, "%s %s: %s", fault->reason, fault->object, fault->detail);
		else
			inits_phrase(&line, phrases, sizeof(phrases) / sizeof(phrases[0]), fault);
		text_write(&line, STDERR_FILENO);
	}
}

/* From the child, so that it comes before anything else of it. */
static void say_spawned(const struct plan *plan, int pid)
{
	struct text line;

	if (!begin(&line, plan, INFO, sys_getppid()))
		return;
	text_print(&line, "Spawned child process '%s' with pid '%d'", plan->command[0], pid);
	text_write(&line, STDOUT_FILENO);
}

static void say_end(const struct plan *plan, int status)
{
	if (WIFEXITED(status))
		say(plan, INFO, "Main child exited normally (with status '%d')",
		    WEXITSTATUS(status));
	else
		say_signal(plan, INFO, "Main child exited with signal (with signal '",
			   WTERMSIG(status), "')");
}

static void say_forwarded(const struct plan *plan, const struct init_event *event)
{
	say_signal(plan, DEBUG, "Passing signal: '", event->signal, "'");
	if (event->error == ESRCH)
		say(plan, WARN, "Child was dead when forwarding signal");
	else if (event->error != 0)
		say(plan, WARN, "Unexpected error when forwarding signal: '%s'",
		    inits_reason(event->error));
}

static void say_reaped(const struct plan *plan, const struct init_event *event)
{
	say(plan, DEBUG, "Reaped child with pid: '%d'", event->pid);
	if (event->main)
		say_end(plan, event->status);
	else if (plan->warn_reaped)
		say(plan, WARN, "Reaped zombie process with pid=%d", event->pid);
}

static void tell(const struct plan *plan, const struct init_event *event)
{
	switch (event->kind) {
	case INIT_SUBREAPER:
		say(plan, TRACE, "Registered as child subreaper");
		break;
	case INIT_NO_REAPER:
		say(plan, WARN,
		    "Tini is not running as PID 1 and isn't registered as a child subreaper.\n"
		    "Zombie processes will not be re-parented to Tini, so zombie reaping won't "
		    "work.\n"
		    "To fix the problem, use the -s option or set the environment variable "
		    "TINI_SUBREAPER to register Tini as a child subreaper, or run Tini as PID 1.");
		break;
	case INIT_SPAWNED:
		say_spawned(plan, event->pid);
		break;
	case INIT_NO_FOREGROUND:
		say(plan, DEBUG, "tcsetpgrp failed: no %s (ok to proceed)",
		    event->error == ENXIO ? "such device" : "tty");
		break;
	case INIT_SIGNAL:
		if (event->signal == SIGCHLD)
			say(plan, DEBUG, "Received SIGCHLD");
		break;
	case INIT_FORWARDED:
		say_forwarded(plan, event);
		break;
	case INIT_REAPED:
		say_reaped(plan, event);
		break;
	case INIT_NONE_TO_REAP:
		say(plan, TRACE, event->error != 0 ? "No child to wait" : "No child to reap");
		break;
	case INIT_ENDS:
		say(plan, TRACE, "Exiting: child has exited");
		break;
	default:
		break;
	}
}

static int failure(enum report_kind kind, const struct fault *fault)
{
	if (kind != REPORT_EXEC_FAILED)
		return EXIT_FAILURE;
	return fault->error == ENOENT   ? EXIT_NOT_FOUND
	       : fault->error == EACCES ? EXIT_CANNOT_EXEC
					: EXIT_FAILURE;
}

const struct init_program tini = {
	.letters = letters,
	.letter_count = LETTERS,
	.lone_version = true,
	.defaults = defaults,
	.finish = finish,
	.complain = complain,
	.tell = tell,
	.failure = failure,
	.look = look,
};
