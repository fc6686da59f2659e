/* SPDX-License-Identifier: MIT */
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

bool terminal_pass(int terminal, int from, int to)
{
	return foreground(terminal) == from && sys_ioctl(terminal, TIOCSPGRP, &to) == 0;
}

void terminal_stop(void)
{
	const uint64_t only = 1ULL << (SIGTSTP - 1);

	sys_kill(sys_getpid(), SIGTSTP);
	sys_sigprocmask(SIG_UNBLOCK, &only);
	sys_sigprocmask(SIG_BLOCK, &only);
}
