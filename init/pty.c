/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>

#include "init/pty.h"
#include "mountns/sys.h"

static const char multiplexer[] = "/dev/pts/ptmx";

/* What is not mounted or put at its destination covers nothing. */
static bool covers(const struct mount_step *step, const char *dest)
{
	return step->kind != STEP_DIR && step->kind != STEP_CHMOD && step->kind != STEP_REMOUNT &&
	       step->kind != STEP_LAYER &&
	       (mountns_is_below("/dev/pts", dest) || mountns_is_below(dest, "/dev/pts"));
}

int pty_check(const struct view *view, struct fault *fault)
{
	char dest[PATH_MAX];
	bool own = false;

	for (size_t i = 0; i < view->step_count; i++) {
		const struct mount_step *step = &view->steps[i];

		if (mountns_flatten(step->dest, dest, sizeof(dest)) < 0)
			continue;
		if (step->kind == STEP_DEV && strcmp(dest, "/dev") == 0)
			own = true;
		else if (covers(step, dest))
			own = false;
	}
	for (size_t i = 0; i < view->source_count; i++)
		own &= !mountns_is_below(view->sources[i].path, "/dev/pts");
	return own ? 0
		   : fault_text(fault, "options", "--tty",
				"needs the box's own /dev, and another one was put there");
}

/* The master, which is never in the box's hands: it is closed once it is sent. */
static int open_master(struct fault *fault)
{
	int locked = 0;
	int master = sys_openat(AT_FDCWD, multiplexer,
				O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	int error = master;

	if (master >= 0 && sys_filesystem_type(master) != DEVPTS_MAGIC)
		return fault_text(fault, "terminal", multiplexer, "is not on a devpts");
	if (error >= 0)
		error = sys_ioctl(master, TIOCSPTLCK, &locked);
	return error < 0 ? fault_errno(fault, "terminal", multiplexer, error) : master;
}

/* The terminal is its opener's, and is to be the command's, which has other ids a little later:
 * setfsuid(2). */
static int open_own_master(const struct box *box, struct fault *fault)
{
	int uid = box->take_uid >= 0 ? sys_setfsuid((uint32_t)box->take_uid) : 0;
	int gid = box->take_gid >= 0 ? sys_setfsgid((uint32_t)box->take_gid) : 0;
	int master = open_master(fault);

	if (box->take_uid >= 0)
		sys_setfsuid((uint32_t)uid);
	if (box->take_gid >= 0)
		sys_setfsgid((uint32_t)gid);
	return master;
}

/* Before the command could ask for them. */
static int shape(int slave, const struct form *form, struct fault *fault)
{
	struct kernel_termios modes = form->modes;
	struct winsize size = form->size;
	int error = form->has_modes ? sys_ioctl(slave, TCSETS, &modes) : 0;

	if (error == 0 && form->has_size)
		error = sys_ioctl(slave, TIOCSWINSZ, &size);
	return error < 0 ? fault_errno(fault, "terminal", "modes and size", error) : 0;
}

/* With the terminal the session's leader gets its foreground: setsid(2), ioctl_tty(2). */
static int take(int slave, struct fault *fault)
{
	int error = sys_ioctl(slave, TIOCSCTTY, NULL);

	for (int fd = 0; fd <= 2 && error >= 0; fd++)
		error = sys_dup3(slave, fd, 0);
	/* The number is above 2, since those were all taken. */
	sys_close(slave);
	return error < 0 ? fault_errno(fault, "terminal", "controlling terminal", error) : 0;
}

int pty_enter(const struct box *box, struct fault *fault)
{
	int master, slave, error;

	if (!box->plan->tty)
		return 0;
	master = open_own_master(box, fault);
	if (master < 0)
		return -1;
	slave = sys_open_peer(master, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fault_errno(fault, "terminal", "/dev/pts", slave);
	if (shape(slave, &box->form, fault) != 0 || take(slave, fault) != 0)
		return -1;
	/* A key that comes before there is a foreground would reach nobody: only now. */
	error = report_send_fd(box->report[1], REPORT_TERMINAL, master);
	sys_close(master);
	return error < 0 ? fault_errno(fault, "terminal", "launcher", error) : 0;
}
