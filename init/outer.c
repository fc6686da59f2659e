/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "init/clone.h"
#include "init/descriptors.h"
#include "init/outer.h"
#include "init/terminal.h"
#include "mountns/sys.h"

#define WAIT_ANY_KIND 0x40000000 /* __WALL of wait(2): the guard sends no SIGCHLD */

/* What stands for a standard descriptor that the caller has closed is marked: box_take_descriptors(). */
static bool is_callers(int fd)
{
	int flags = sys_fcntl(fd, F_GETFD, 0);

	return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

/* cfmakeraw(3) */
static struct kernel_termios make_raw(struct kernel_termios modes)
{
	modes.iflag &=
		~(uint32_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	modes.oflag &= ~(uint32_t)OPOST;
	modes.lflag &= ~(uint32_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	modes.cflag &= ~(uint32_t)(CSIZE | PARENB);
	modes.cflag |= CS8;
	modes.cc[VMIN] = 1;
	modes.cc[VTIME] = 0;
	return modes;
}

bool outer_wait(const struct outer *outer, int signal)
{
	while (terminal_is_others(outer->terminal))
		if (!terminal_stop(0, signal))
			return false;
	return true;
}

int outer_find(struct outer *outer, struct form *form, bool *stopped, struct fault *fault)
{
	struct kernel_termios modes;

	*outer = (struct outer){ .terminal = -1, .sized = -1, .launcher = -1 };
	*form = (struct form){ 0 };
	for (int fd = 0; fd <= 2 && !form->has_size; fd++)
		if (is_callers(fd) && sys_ioctl(fd, TIOCGWINSZ, &form->size) == 0) {
			form->has_size = true;
			outer->sized = fd;
		}
	if (!is_callers(STDIN_FILENO) || sys_ioctl(STDIN_FILENO, TCGETS, &modes) != 0)
		return 0;
	outer->terminal = STDIN_FILENO;
	/* Not before it is ours: a shell that edits its line has modes of its own. */
	*stopped = terminal_is_others(outer->terminal);
	if (!outer_wait(outer, SIGTTOU))
		return fault_text(fault, "terminal", "standard input",
				  "is another job's, and no shell is there to give it to this one");
	if (sys_ioctl(outer->terminal, TCGETS, &outer->before) != 0)
		return fault_errno(fault, "terminal", "standard input", EIO);
	outer->raw = make_raw(outer->before);
	form->has_modes = true;
	form->modes = outer->before;
	return 0;
}

void outer_change(struct outer *outer)
{
	if (outer->terminal >= 0 && sys_ioctl(outer->terminal, TCSETS, &outer->raw) == 0)
		outer->changed = true;
}

/* The driver may have its own opinion of the control modes. */
static bool is_raw(const struct outer *outer)
{
	struct kernel_termios now;

	return sys_ioctl(outer->terminal, TCGETS, &now) == 0 && now.iflag == outer->raw.iflag &&
	       now.oflag == outer->raw.oflag && now.lflag == outer->raw.lflag &&
	       memcmp(now.cc, outer->raw.cc, sizeof(now.cc)) == 0;
}

static void restore(const struct outer *outer)
{
	struct kernel_termios before = outer->before;

	if (is_raw(outer))
		sys_ioctl(outer->terminal, TCSETS, &before);
}

void outer_restore(struct outer *outer)
{
	if (outer->changed)
		restore(outer);
	outer->changed = false;
}

/* In a session of its own nothing that is sent to our process group reaches it, and the terminal, not
 * its own, lets it do what another one's background may not. All signals are blocked. */
static int guard_main(void *argument)
{
	const struct outer *outer = argument;
	struct pollfd launcher = { .fd = outer->launcher, .events = POLLIN };
	int kept[] = { outer->terminal, outer->launcher };

	sys_setsid();
	descriptors_sort(kept, 2);
	if (descriptors_close_but(0, kept, 2) < 0)
		sys_exit_group(1);
	while (launcher.revents == 0)
		if (sys_ppoll(&launcher, 1, NULL) < 0)
			launcher.revents = 0; /* what an interrupted call leaves as it was */
	restore(outer);
	sys_exit_group(0);
}

int outer_guard(struct outer *outer, struct fault *fault)
{
	_Alignas(16) char stack[16384];
	int pid;

	if (outer->terminal < 0)
		return 0;
	outer->launcher = sys_pidfd_open(sys_getpid());
	if (outer->launcher < 0)
		return fault_errno(fault, "terminal", "pidfd", outer->launcher);
	/* Memory of its own, in which all stays as it is now. */
	pid = clone_child(guard_main, outer, stack + sizeof(stack), 0, NULL);
	sys_close(outer->launcher);
	if (pid < 0)
		return fault_errno(fault, "terminal", "clone", pid);
	outer->guard = pid;
	return 0;
}

void outer_copy_size(const struct outer *outer, int master)
{
	struct winsize size;

	if (outer->sized >= 0 && master >= 0 && sys_ioctl(outer->sized, TIOCGWINSZ, &size) == 0)
		sys_ioctl(master, TIOCSWINSZ, &size);
}

void outer_leave(struct outer *outer)
{
	int status;

	outer_restore(outer);
	if (outer->guard == 0)
		return;
	sys_kill(outer->guard, SIGKILL);
	sys_wait4(outer->guard, &status, WAIT_ANY_KIND);
	outer->guard = 0;
}
