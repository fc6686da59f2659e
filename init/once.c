/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "init/clone.h"
#include "init/once.h"
#include "mountns/sys.h"

/* The kernel's may have grown, and it writes as much as it has: seccomp_unotify(2). */
#define ROOM 512

/* Waits for something on FD, or with LATER false looks only. Returns what it is. */
static int look(int fd, int other, bool later)
{
	const struct kernel_timespec now = { 0 };
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN }, { .fd = other } };
	int ready;

	do {
		fds[0].revents = fds[1].revents = 0;
		ready = sys_ppoll(fds, 2, later ? NULL : &now);
	} while (ready == -EINTR);
	return ready < 0 ? POLLERR : fds[0].revents | fds[1].revents;
}

/*
 * The caller's end of the pipe is closed by its exec, before one instruction of the new program runs. So
 * who asks while that is open is the caller; and to look after the question was taken is to
 * know who asked it.
 */
static int answer(void *argument)
{
	struct once *once = argument;
	union {
		struct seccomp_notif notif;
		char room[ROOM];
	} question;
	int error;

	sys_close(once->pipe[1]);
	while ((look(once->listener, once->pipe[0], true) & ~POLLIN) == 0) {
		struct seccomp_notif_resp yes = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		memset(&question, 0, sizeof(question));
		error = sys_ioctl(once->listener, SECCOMP_IOCTL_NOTIF_RECV, &question);
		/* Who asked may be gone. What is refused for good would keep us here, and the caller, too. */
		if (error == -ENOENT || error == -EINTR)
			continue;
		if (error < 0)
			break;
		if (look(-1, once->pipe[0], false) != 0)
			break;
		yes.id = question.notif.id;
		sys_ioctl(once->listener, SECCOMP_IOCTL_NOTIF_SEND, &yes);
	}
	sys_exit_group(0);
}

/* Its parent is ours, where we have one in the box, so that the program has no child that it does not know
 * of. It shares our memory, but not our descriptors: it must be the last who has the listener. */
int once_begin(const struct box *box, int listener)
{
	bool has_parent = box->reaper || box->plan->init_only;
	unsigned long flags = CLONE_VM | SIGCHLD | (has_parent ? CLONE_PARENT : 0);
	struct once *once = box->once;
	int error = sys_pipe2(once->pipe, O_CLOEXEC);

	if (error < 0)
		return error;
	once->listener = listener;
	error = clone_child(answer, once, once->stack + sizeof(once->stack), flags, NULL);
	/* Should it end early, the kernel refuses the exec; held by us, too, we would wait for ever. */
	sys_close(listener);
	return error < 0 ? error : sys_close(once->pipe[0]);
}
