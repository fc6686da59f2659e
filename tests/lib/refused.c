/* SPDX-License-Identifier: MIT */
/*
 * refused LOG COMMAND...: what would the default profile refuse of all that COMMAND and its children ask
 * for? Run in a box without a filter. The default one is put on with each refusal made a question
 * to this process, which writes it down and gives the very answer that the filter would have given, so
 * that the command goes the way that it goes under the filter. What is allowed costs nothing.
 *
 *	NUMBER ERRNO COMMAND ARGUMENT ARGUMENT ARGUMENT
 *
 * The exit status is the command's, 128 and the signal, or 99.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filters/filter.h"
#include "tests/lib/bpf.h"

enum { FAILED = 99, ROOM = 512 };

static struct sock_filter code[BPF_MAXINSNS];

static const struct filter *make_questions(void)
{
	const struct filter *filter = filter_find("default", false);

	memcpy(code, filter->code, filter->len * sizeof(*code));
	for (size_t i = 0; i < filter->len; i++)
		if (BPF_CLASS(code[i].code) == BPF_RET &&
		    (code[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
			code[i].k = SECCOMP_RET_USER_NOTIF;
	return filter;
}

static _Noreturn void run(volatile int *listener, unsigned short length, char **command)
{
	struct sock_fprog program = { length, code };
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			  &program);

	*listener = fd < 0 ? -errno : (int)fd;
	if (fd >= 0)
		execvp(command[0], command);
	_exit(FAILED);
}

static void read_name(unsigned int pid, char name[17])
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, name, 16);
	if (fd >= 0)
		close(fd);
	name[length > 0 ? length - 1 : 0] = '\0';
	/* One word. */
	for (; *name != '\0'; name++)
		*name = *name == ' ' ? '_' : *name;
}

static void write_down(int log, const struct seccomp_notif *notif, unsigned int error)
{
	char name[17];

	read_name(notif->pid, name);
	dprintf(log, "%d %u %s %#llx %#llx %#llx\n", notif->data.nr, error, name,
		(unsigned long long)notif->data.args[0], (unsigned long long)notif->data.args[1],
		(unsigned long long)notif->data.args[2]);
}

static void answer(int listener, int log, const struct filter *filter)
{
	char room[ROOM] __attribute__((aligned(8))) = { 0 };
	struct seccomp_notif *notif = (struct seccomp_notif *)(void *)room;
	struct seccomp_notif_resp response = { .error = -ENOSYS };
	uint32_t verdict = 0;

	if (syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, notif) != 0)
		return;
	if (bpf_run(filter->code, filter->len, &notif->data, &verdict) > 0)
		response.error = -(int)(verdict & SECCOMP_RET_DATA);
	response.id = notif->id;
	write_down(log, notif, verdict & SECCOMP_RET_DATA);
	syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/* Until the command itself has ended: the box ends what it leaves. */
static void serve(int pidfd, int listener, int log, const struct filter *filter)
{
	struct pollfd fds[2] = { { .fd = pidfd, .events = POLLIN },
				 { .fd = listener, .events = POLLIN } };

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[0].revents != 0)
			return;
		if (fds[1].revents & POLLIN)
			answer(listener, log, filter);
	}
}

static int start_and_serve(int log, volatile int *listener, char **command)
{
	const struct filter *filter = make_questions();
	int status, pidfd = -1;
	/* The child's descriptors are ours, up to its exec. */
	long pid = syscall(SYS_clone, CLONE_FILES | CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);

	if (pid == 0)
		run(listener, filter->len, command);
	while (pid > 0 && *listener == 0)
		sched_yield();
	if (pid < 0 || *listener < 0) {
		fprintf(stderr, "refused: %s\n", strerror(pid < 0 ? errno : -*listener));
		return FAILED;
	}
	serve(pidfd, *listener, log, filter);
	if (waitpid((pid_t)pid, &status, 0) < 0)
		return FAILED;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	volatile int *listener = mmap(NULL, sizeof(*listener), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int log = argc < 3 ? -1 : open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (log < 0 || listener == MAP_FAILED) {
		fprintf(stderr, "usage: refused LOG COMMAND...\n");
		return FAILED;
	}
	return start_and_serve(log, listener, argv + 2);
}
