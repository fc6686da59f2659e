/* SPDX-License-Identifier: MIT */
/* Probes of seccomp's notifications: seccomp_unotify(2). */
#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "init/check.h"
#include "mountns/sys.h"

#define NEW_LISTENER (1UL << 3)
#define SET_FLAGS SECCOMP_IOW(4, uint64_t) /* SECCOMP_IOCTL_NOTIF_SET_FLAGS, Linux 6.6 */
#define SYNC_WAKE_UP 1UL

/* Of a call that nobody here makes otherwise. */
static int listen(unsigned long flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getpriority, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, (unsigned int)flags, &program);
}

/* Flags of the filter, or, if there are none, that of the listener. */
void probe_listener(const struct probe *probe, struct finding *finding)
{
	unsigned long flags = probe->flags != 0 ? probe->flags : NEW_LISTENER;
	int listener = listen(flags);

	if (probe->flags != 0) {
		probe_note(finding, "seccomp", __NR_seccomp, flags, listener);
		return;
	}
	if (listener < 0)
		finding->needs = "NEW_LISTENER";
	else
		probe_note(finding, "ioctl", -1, 0,
			   (int)sys_call(__NR_ioctl, listener, (long)SET_FLAGS, (long)SYNC_WAKE_UP,
					 0, 0, 0));
}

static int ask(void *argument)
{
	(void)argument;
	sys_call(__NR_getpriority, 0, 0, 0, 0, 0, 0);
	sys_exit_group(0);
}

/* Gives the child that asks a descriptor, in the answer itself where FLAGS say so. */
static int answer(int listener, unsigned long flags)
{
	struct seccomp_notif notification = { 0 };
	struct seccomp_notif_addfd request = { .flags = (uint32_t)flags,
					       .srcfd = (uint32_t)listener };
	struct seccomp_notif_resp response = { 0 };
	int fd, error = sys_ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification);

	if (error < 0)
		return error;
	response.id = request.id = notification.id;
	fd = sys_ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
	if (fd < 0 || flags == 0)
		sys_ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	return fd;
}

void probe_add_fd(const struct probe *probe, struct finding *finding)
{
	int pid, status, listener = listen(NEW_LISTENER);

	if (listener < 0) {
		finding->needs = "NEW_LISTENER";
		return;
	}
	pid = probe_start(ask, NULL, 0);
	if (probe_note(finding, "clone", -1, 0, pid) != 0)
		return;
	probe_note(finding, "ioctl", -1, 0, answer(listener, probe->flags));
	/* One that got no answer would wait for ever. */
	sys_kill(pid, SIGKILL);
	sys_wait4(pid, &status, 0);
}
