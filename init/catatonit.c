/* SPDX-License-Identifier: MIT */
/* catatonit, also known as podman-init: its options, its variables, its words. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/inits.h"
#include "init/signals.h"
#include "mountns/sys.h"

/* The release whose options and meanings these are; engines look for the name in front. */
#define VERSION "tini version 0.2.0_catatonit"
#define USAGE "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]"

/* The verbosity from which on each is said. */
enum level { ERROR = 1, WARN, INFO, DEBUG };

enum { FLAG_GROUP, FLAG_HELP, FLAG_LICENCE, FLAG_PAUSE, FLAG_VERSION };

static int set_flag(struct plan *plan, const struct letter *letter, char *value,
		    struct fault *fault)
{
	bool *const flags[] = {
		[FLAG_GROUP] = &plan->forward_group, [FLAG_HELP] = &plan->help,
		[FLAG_LICENCE] = &plan->licence,     [FLAG_PAUSE] = &plan->pause,
		[FLAG_VERSION] = &plan->version,
	};

	(void)value;
	(void)fault;
	*flags[letter->parameter] = true;
	return 0;
}

static const struct letter letters[] = {
	{ 'g', NULL, false, set_flag, FLAG_GROUP,
	  "  -g              Forward signals to pid1's process group.\n" },
	{ 'h', NULL, false, set_flag, FLAG_HELP, "  -h              Print this help page.\n" },
	{ 'L', NULL, false, set_flag, FLAG_LICENCE,
	  "  -L              Print license information.\n" },
	{ 'P', NULL, false, set_flag, FLAG_PAUSE,
	  "  -P              Run in pause mode (no program is run and quit on SIGINT).\n" },
	{ 'V', "version", false, set_flag, FLAG_VERSION,
	  "  -V, --version   Print version information.\n" },
};
#define LETTERS (sizeof(letters) / sizeof(letters[0]))

static void defaults(struct plan *plan)
{
	static const int stops[] = { SIGTSTP, SIGTTOU, SIGTTIN };

	plan->verbosity = getenv("CATATONIT_DEBUG") != NULL ? DEBUG : ERROR;
	plan->job = JOB_FOREGROUND_TTY;
	plan->inherit_signals = true;
	plan->subreaper = true;
	plan->own_signals = INIT_FAULTS;
	plan->leave_directory = true;
	plan->close_descriptors = true;
	plan->rewrite_listen_pid = true;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		plan->forward_as[stops[i]] = 0;
}

static int finish(struct plan *plan, struct fault *fault)
{
	if (getenv("CATATONIT_LOG") != NULL)
		return fault_text(fault, "environment", "CATATONIT_LOG",
				  "is reserved for future use");
	if (plan->command[0] == NULL && !plan->pause)
		return fault_text(fault, "options", "", "missing program name");
	return 0;
}

static int print_help(int fd)
{
	struct text help = { 0 };

	text_add(&help, USAGE "\n\noptions:\n");
	for (size_t i = 0; i < LETTERS; i++)
		text_add(&help, letters[i].help);
	text_add(&help,
		 "\nThe source code can be found at "
		 "<https://github.com/openSUSE/catatonit/>.\n"
		 "For bug reporting instructions, please see: <https://bugs.opensuse.org/>.");
	return text_write(&help, fd);
}

static int look(const struct plan *plan)
{
	struct text line = { 0 };

	if (plan->licence)
		return inits_licence(STDOUT_FILENO);
	if (plan->help)
		return print_help(STDERR_FILENO);
	text_add(&line, VERSION " (nestbox " NESTBOX_VERSION ")");
	return text_write(&line, STDOUT_FILENO);
}

static void begin(struct text *line, const char *level, int pid)
{
	line->length = 0;
	text_add(line, level);
	text_print(line, " (catatonit:%d): ", pid);
}

static void say(const struct plan *plan, enum level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(const struct plan *plan, enum level level, const char *format, ...)
{
	static const char *const names[] = {
		[ERROR] = "ERROR", [WARN] = "WARN", [INFO] = "INFO", [DEBUG] = "DEBUG"
	};
	struct text line;
	va_list values;

	if (plan->verbosity < (int)level)
		return;
	begin(&line, names[level], sys_getpid());
	va_start(values, format);
	text_vprint(&line, format, values);
	va_end(values);
	text_write(&line, STDERR_FILENO);
}

static void complain(const struct plan *plan, int pid, const struct fault *fault)
{
	static const struct init_phrase phrases[] = {
		{ "exec", "failed to exec pid1", false, ": " },
		{ "clone", "failed to fork child", false, ": " },
		{ "process group", "failed to create process group", false, ": " },
		{ "terminal", "setting foreground process failed", false, ": " },
		{ "subreaper", "failed to set child-reaper as non-pid1", false, ": " },
		{ "environment", "", true, " " },
		{ "options", "", false, "" },
	};
	bool option = strcmp(fault->step, "options") == 0;
	struct text line = { 0 };

	if (!inits_option_message(&line, &catatonit, plan, fault)) {
		begin(&line, "ERROR", pid);
		inits_phrase(&line, phrases, sizeof(phrases) / sizeof(phrases[0]), fault);
	}
	if (option)
		text_add(&line, "\n" USAGE);
	text_write(&line, STDERR_FILENO);
	if (strcmp(fault->step, "clone") == 0)
		say(plan, ERROR, "failed to spawn pid1: %s", inits_reason(fault->error));
}

/* From the child, so that it comes before anything else of it. */
static void say_spawned(const struct plan *plan, int pid)
{
	struct text line;

	if (plan->verbosity < DEBUG)
		return;
	begin(&line, "DEBUG", sys_getppid());
	text_print(&line, "pid1 (%d) spawned: %s", pid, plan->command[0]);
	text_write(&line, STDERR_FILENO);
}

static void say_reaped(const struct plan *plan, const struct init_event *event)
{
	int status = event->status;

	if (event->main)
		return;
	if (WIFEXITED(status))
		say(plan, DEBUG, "child process %d exited with code %d", event->pid,
		    WEXITSTATUS(status));
	else
		say(plan, DEBUG, "child process %d exited due to signal %d", event->pid,
		    WTERMSIG(status));
}

static void say_no_foreground(const struct plan *plan, int error)
{
	if (error == ENXIO)
		say(plan, DEBUG, "setting foreground process failed: no such device");
	else
		say(plan, DEBUG, "setting foreground process failed: no tty present: %s",
		    inits_reason(error));
}

static void tell(const struct plan *plan, const struct init_event *event)
{
	switch (event->kind) {
	case INIT_SPAWNED:
		say_spawned(plan, event->pid);
		break;
	case INIT_NO_TTY:
		say(plan, INFO, "using stdin as tty fd: could not open /dev/tty: %s",
		    inits_reason(event->error));
		break;
	case INIT_NO_FOREGROUND:
		say_no_foreground(plan, event->error);
		break;
	case INIT_DROPPED:
		say(plan, DEBUG, "ignoring kernel attempting to stop us: tty has TOSTOP set");
		break;
	case INIT_FORWARDED:
		if (event->error != 0)
			say(plan, WARN, "forwarding of signal %d to pid1 (%d) failed: %s",
			    event->sent, event->target, inits_reason(event->error));
		break;
	case INIT_REAPED:
		say_reaped(plan, event);
		break;
	case INIT_NONE_TO_REAP:
		if (event->error != 0)
			say(plan, DEBUG, "got ECHILD: no children left to monitor");
		break;
	default:
		break;
	}
}

static int failure(enum report_kind kind, const struct fault *fault)
{
	(void)kind;
	(void)fault;
	return EXIT_FAILURE;
}

const struct init_program catatonit = {
	.letters = letters,
	.letter_count = LETTERS,
	.defaults = defaults,
	.finish = finish,
	.complain = complain,
	.tell = tell,
	.failure = failure,
	.look = look,
};
