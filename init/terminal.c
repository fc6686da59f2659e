/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "init/terminal.h"
#include "mountns/sys.h"

static int foreground(int terminal)
{
	int group;
	int error = sys_ioctl(terminal, TIOCGPGRP, &group);

	return error < 0 ? error : group;
}

int terminal_open(void)
{
	int fd = sys_openat(AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);

	/* Without a /dev one of these may still be the terminal: the call fails for any other. */
	for (int standard = 0; fd < 0 && standard <= 2; standard++)
		if (foreground(standard) >= 0)
			fd = sys_fcntl(standard, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -1 : fd;
}

bool terminal_is_ours(int terminal)
{
	return foreground(terminal) == sys_getpgid(0);
}

bool terminal_is_others(int terminal)
{
	int group = foreground(terminal);

	return group >= 0 && group != sys_getpgid(0);
}

bool terminal_give(int terminal, int group)
{
	return foreground(terminal) == group ||
	       (terminal_is_ours(terminal) && sys_ioctl(terminal, TIOCSPGRP, &group) == 0);
}

void terminal_take(int terminal)
{
	int group = foreground(terminal), own = sys_getpgid(0);

	/* SIGTTOU, which this sends to a group in the background, is blocked. */
	if (group > 0 && group != own && sys_kill(-group, 0) == -ESRCH)
		sys_ioctl(terminal, TIOCSPGRP, &own);
}

bool terminal_stop(int pid, int signal)
{
	const uint64_t only = 1ULL << (signal - 1);
	uint64_t pending = 0;

	/* This one discards a SIGCONT that is pending already: signal(7). */
	sys_kill(pid, signal);
	sys_sigprocmask(SIG_UNBLOCK, &only, NULL);
	sys_sigprocmask(SIG_BLOCK, &only, NULL);
	return sys_sigpending(&pending) == 0 && (pending & 1ULL << (SIGCONT - 1)) != 0;
}
