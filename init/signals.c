/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "init/signals.h"
#include "init/values.h"
#include "mountns/sys.h"

/* Where the engines let the real-time signals begin; the C libraries keep the ones before. */
#define FIRST_REAL_TIME 34

static const struct {
	const char *name;
	int number;
	const char *description;
} signals[] = {
	{ "HUP", SIGHUP, "Hangup" },
	{ "INT", SIGINT, "Interrupt" },
	{ "QUIT", SIGQUIT, "Quit" },
	{ "ILL", SIGILL, "Illegal instruction" },
	{ "TRAP", SIGTRAP, "Trace/breakpoint trap" },
	{ "ABRT", SIGABRT, "Aborted" },
	{ "BUS", SIGBUS, "Bus error" },
	{ "FPE", SIGFPE, "Floating point exception" },
	{ "KILL", SIGKILL, "Killed" },
	{ "USR1", SIGUSR1, "User defined signal 1" },
	{ "SEGV", SIGSEGV, "Segmentation fault" },
	{ "USR2", SIGUSR2, "User defined signal 2" },
	{ "PIPE", SIGPIPE, "Broken pipe" },
	{ "ALRM", SIGALRM, "Alarm clock" },
	{ "TERM", SIGTERM, "Terminated" },
	{ "STKFLT", SIGSTKFLT, "Stack fault" },
	{ "CHLD", SIGCHLD, "Child exited" },
	{ "CONT", SIGCONT, "Continued" },
	{ "STOP", SIGSTOP, "Stopped (signal)" },
	{ "TSTP", SIGTSTP, "Stopped" },
	{ "TTIN", SIGTTIN, "Stopped (tty input)" },
	{ "TTOU", SIGTTOU, "Stopped (tty output)" },
	{ "URG", SIGURG, "Urgent I/O condition" },
	{ "XCPU", SIGXCPU, "CPU time limit exceeded" },
	{ "XFSZ", SIGXFSZ, "File size limit exceeded" },
	{ "VTALRM", SIGVTALRM, "Virtual timer expired" },
	{ "PROF", SIGPROF, "Profiling timer expired" },
	{ "WINCH", SIGWINCH, "Window changed" },
	{ "IO", SIGIO, "I/O possible" },
	{ "PWR", SIGPWR, "Power failure" },
	{ "SYS", SIGSYS, "Bad system call" },
	/* Other names of the same. */
	{ "IOT", SIGABRT, "" },
	{ "CLD", SIGCHLD, "" },
	{ "POLL", SIGIO, "" },
};

static bool find_name(const char *text, size_t length, int *signal)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (strlen(signals[i].name) != length ||
		    strncasecmp(signals[i].name, text, length) != 0)
			continue;
		*signal = signals[i].number;
		return true;
	}
	return false;
}

/* RTMIN, RTMIN+N, RTMAX, RTMAX-N */
static bool find_real_time(const char *text, size_t length, int *signal)
{
	bool first = length >= 5 && strncasecmp(text, "RTMIN", 5) == 0;
	bool last = length >= 5 && strncasecmp(text, "RTMAX", 5) == 0;
	uint64_t distance = 0;

	if (!first && !last)
		return false;
	if (length > 5 &&
	    (text[5] != (first ? '+' : '-') ||
	     !value_digits(text + 6, text + length, LAST_SIGNAL - FIRST_REAL_TIME, &distance)))
		return false;
	*signal = first ? FIRST_REAL_TIME + (int)distance : LAST_SIGNAL - (int)distance;
	return true;
}

bool signal_parse(const char *text, size_t length, int *signal)
{
	uint64_t number;

	if (value_digits(text, text + length, LAST_SIGNAL, &number)) {
		*signal = (int)number;
		return number > 0;
	}
	if (length > 3 && strncasecmp(text, "SIG", 3) == 0) {
		text += 3;
		length -= 3;
	}
	return find_name(text, length, signal) || find_real_time(text, length, signal);
}

bool signal_parse_rewrite(const char *text, int *from, int *to)
{
	size_t length = strcspn(text, ":");
	const char *target = text + length + 1;

	if (text[length] == '\0' || !signal_parse(text, length, from))
		return false;
	if (strcmp(target, "0") == 0) {
		*to = 0;
		return true;
	}
	return signal_parse(target, strlen(target), to);
}

const char *signal_name(int signal)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signals[i].number == signal)
			return signals[i].name;
	return "";
}

void signal_describe(struct text *text, int signal)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (signals[i].number != signal)
			continue;
		text_add(text, signals[i].description);
		return;
	}
	text_print(text, "Real-time signal %d", signal - FIRST_REAL_TIME);
}

int signals_take(struct box *box, struct fault *fault)
{
	const struct kernel_sigaction standard = { 0 };
	struct kernel_sigaction old = { 0 };
	const uint64_t all = ~box->plan->own_signals;
	int error = sys_sigprocmask(SIG_SETMASK, &all, &box->caller_mask);

	for (int signal = 1; signal <= LAST_SIGNAL && error == 0; signal++) {
		if (signal == SIGCHLD ||
		    (!box->plan->inherit_signals && signal != SIGKILL && signal != SIGSTOP))
			error = sys_sigaction(signal, &standard, &old);
		if (signal == SIGCHLD)
			box->ignores_sigchld = old.handler == SIG_IGN;
	}
	if (!box->plan->inherit_signals)
		box->caller_mask = 0;
	return error < 0 ? fault_errno(fault, "signals", "", error) : 0;
}
