/* SPDX-License-Identifier: MIT */
/* dumb-init: its options, its variables, its words. */
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
#define VERSION "dumb-init v1.2.5"

#define LAST_REWRITTEN 31

enum { FLAG_SINGLE_CHILD, FLAG_VERBOSE, FLAG_HELP, FLAG_VERSION };

static int set_flag(struct plan *plan, const struct letter *letter, char *value,
		    struct fault *fault)
{
	(void)value;
	(void)fault;
	if (letter->parameter == FLAG_SINGLE_CHILD)
		plan->job = JOB_SHARED;
	plan->verbosity |= letter->parameter == FLAG_VERBOSE;
	plan->help |= letter->parameter == FLAG_HELP;
	plan->version |= letter->parameter == FLAG_VERSION;
	return 0;
}

/* Two numbers as sscanf(3) takes them with %d:%d. */
static int set_rewrite(struct plan *plan, const struct letter *letter, char *value,
		       struct fault *fault)
{
	char *end, *second;
	long from = strtol(value, &end, 10), to;

	(void)letter;
	second = end + 1;
	if (end == value || *end != ':')
		return fault_text(fault, "options", "-r", "no rewrite");
	to = strtol(second, &end, 10);
	if (end == second || from < 1 || from > LAST_REWRITTEN || to < 0 || to > LAST_REWRITTEN)
		return fault_text(fault, "options", "-r", "no rewrite");
	plan->forward_as[from] = (unsigned char)to;
	plan->rewritten |= signal_bit((int)from);
	return 0;
}

static const struct letter letters[] = {
	{ 'c', "single-child", false, set_flag, FLAG_SINGLE_CHILD,
	  "   -c, --single-child   Run in single-child mode.\n"
	  "                        In this mode, signals are only proxied to the\n"
	  "                        direct child and not any of its descendants.\n" },
	{ 'r', "rewrite", true, set_rewrite, 0,
	  "   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.\n"
	  "                        To ignore (not proxy) a signal, rewrite it to 0.\n"
	  "                        This option can be specified multiple times.\n" },
	{ 'v', "verbose", false, set_flag, FLAG_VERBOSE,
	  "   -v, --verbose        Print debugging information to stderr.\n" },
	{ 'h', "help", false, set_flag, FLAG_HELP,
	  "   -h, --help           Print this help message and exit.\n" },
	{ 'V', "version", false, set_flag, FLAG_VERSION,
	  "   -V, --version        Print the current version and exit.\n" },
};
#define LETTERS (sizeof(letters) / sizeof(letters[0]))

static void defaults(struct plan *plan)
{
	plan->job = JOB_SESSION;
	plan->farewell = true;
	plan->stops_itself = true;
	plan->leave_directory = true;
}

static bool is_set_to(const char *variable, const char *wanted)
{
	const char *value = getenv(variable);

	return value != NULL && strcmp(value, wanted) == 0;
}

static void say(const struct plan *plan, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct plan *plan, const char *format, ...)
{
	struct text line;
	va_list values;

	if (plan->verbosity == 0)
		return;
	line.length = 0;
	text_add(&line, "[dumb-init] ");
	va_start(values, format);
	text_vprint(&line, format, values);
	va_end(values);
	text_write(&line, STDERR_FILENO);
}

static int finish(struct plan *plan, struct fault *fault)
{
	static const int stops[] = { SIGTSTP, SIGTTOU, SIGTTIN };

	if (plan->command[0] == NULL)
		return fault_text(fault, "options", "", "no command");
	if (is_set_to("DUMB_INIT_DEBUG", "1")) {
		plan->verbosity = 1;
		say(plan, "Running in debug mode.");
	}
	if (is_set_to("DUMB_INIT_SETSID", "0")) {
		plan->job = JOB_SHARED;
		say(plan, "Not running in setsid mode.");
	}
	if (plan->job != JOB_SESSION)
		return 0;
	plan->forward_group = true;
	/* In a session of its own nobody else would stop or continue the command: the kernel lets no
	 * terminal stop such a group, SIGSTOP it cannot refuse. */
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		if ((plan->rewritten & signal_bit(stops[i])) == 0)
			plan->forward_as[stops[i]] = SIGSTOP;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		plan->rewritten |= signal_bit(stops[i]);
	return 0;
}

static int look(const struct plan *plan)
{
	struct text text = { 0 };

	text_add(&text, VERSION);
	if (plan->version)
		return text_write(&text, STDERR_FILENO);
	text_print(&text,
		   "\nUsage: %s [option] command [[arg] ...]\n\n"
		   "dumb-init is a simple process supervisor that forwards signals to children.\n"
		   "It is designed to run as PID1 in minimal container environments.\n\n"
		   "Optional arguments:\n",
		   plan->name);
	for (size_t i = 0; i < LETTERS; i++)
		text_add(&text, letters[i].help);
	text_add(&text, "\nFull help is available online at https://github.com/Yelp/dumb-init");
	return text_write(&text, STDERR_FILENO);
}

/* Not all of its messages carry its name. */
static void complain(const struct plan *plan, int pid, const struct fault *fault)
{
	struct text line = { 0 };

	(void)pid;
	if (inits_option_message(&line, &dumb_init, plan, fault))
		;
	else if (strcmp(fault->step, "options") == 0 && fault->object[0] == '\0')
		text_print(&line,
			   "Usage: %s [option] program [args]\nTry %s --help for full usage.",
			   plan->name, plan->name);
	else if (strcmp(fault->step, "options") == 0)
		text_print(&line,
			   "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 "
			   "and %d.\nThis option can be specified multiple times.\n"
			   "Use --help for full usage.",
			   LAST_REWRITTEN);
	else if (strcmp(fault->step, "exec") == 0)
		text_print(&line, "[dumb-init] %s: %s", fault->object, inits_reason(fault->error));
	else if (strcmp(fault->step, "clone") == 0)
		text_add(&line, "[dumb-init] Unable to fork. Exiting.");
	else if (strcmp(fault->step, "setsid") == 0)
		text_print(&line, "[dumb-init] Unable to setsid (errno=%d %s). Exiting.",
			   fault->error, inits_reason(fault->error));
	else
		inits_phrase(&line, NULL, 0, fault);
	text_write(&line, STDERR_FILENO);
}

static void say_sent(const struct plan *plan, int signal, int sent)
{
	if (plan->rewritten & signal_bit(signal))
		say(plan, "Translating signal %d to %d.", signal, sent);
	if (sent != 0)
		say(plan, "Forwarded signal %d to children.", sent);
	else
		say(plan, "Not forwarding signal %d to children (ignored).", sent);
}

static void say_reaped(const struct plan *plan, int pid, int status)
{
	if (WIFEXITED(status))
		say(plan, "A child with PID %d exited with exit status %d.", pid,
		    WEXITSTATUS(status));
	else
		say(plan, "A child with PID %d was terminated by signal %d.", pid,
		    WTERMSIG(status));
}

static void say_detached(const struct plan *plan, const struct init_event *event)
{
	if (event->error != 0)
		say(plan, "Unable to detach from controlling tty (errno=%d %s).", event->error,
		    inits_reason(event->error));
	else if (event->leader)
		say(plan, "Detached from controlling tty, ignoring the first SIGHUP and SIGCONT "
			  "we receive.");
	else
		say(plan, "Detached from controlling tty, but was not session leader.");
}

static void say_session(const struct plan *plan, int error)
{
	if (error != 0)
		say(plan, "Unable to attach to controlling tty (errno=%d %s).", error,
		    inits_reason(error));
	say(plan, "setsid complete.");
}

static void tell(const struct plan *plan, const struct init_event *event)
{
	switch (event->kind) {
	case INIT_DETACHED:
		say_detached(plan, event);
		break;
	case INIT_SPAWNED:
		say(plan, "Child spawned with PID %d.", event->pid);
		break;
	case INIT_DIRECTORY_FAILED:
		say(plan, "Unable to chdir(\"/\") (errno=%d %s)", event->error,
		    inits_reason(event->error));
		break;
	case INIT_SESSION:
		say_session(plan, event->error);
		break;
	case INIT_SIGNAL:
		say(plan, "Received signal %d.", event->signal);
		break;
	case INIT_HAND_OFF:
		say(plan, "Ignoring tty hand-off signal %d.", event->signal);
		break;
	case INIT_DROPPED:
	case INIT_FORWARDED:
		say_sent(plan, event->signal, event->sent);
		break;
	case INIT_STOPS:
		say(plan, "Suspending self due to TTY signal.");
		break;
	case INIT_REAPED:
		say_reaped(plan, event->pid, event->status);
		break;
	case INIT_ENDS:
		say_sent(plan, SIGTERM, plan->forward_as[SIGTERM]);
		say(plan, "Child exited with status %d. Goodbye.",
		    report_exit_status(event->status));
		break;
	default:
		break;
	}
}

static int failure(enum report_kind kind, const struct fault *fault)
{
	(void)fault;
	return kind == REPORT_EXEC_FAILED ? 2 : EXIT_FAILURE;
}

const struct init_program dumb_init = {
	.letters = letters,
	.letter_count = LETTERS,
	.defaults = defaults,
	.finish = finish,
	.complain = complain,
	.tell = tell,
	.failure = failure,
	.look = look,
};
