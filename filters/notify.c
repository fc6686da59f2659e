/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "filters/notify.h"
#include "mountns/sys.h"

/* What older headers lack: Linux 5.14, 5.19 and 6.6. */
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#endif

int notify_probe(void)
{
	struct seccomp_notif_sizes sizes;
	int error = sys_seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes);

	if (error < 0)
		return error;
	return sizes.seccomp_notif == sizeof(struct seccomp_notif) &&
			       sizes.seccomp_notif_resp == sizeof(struct seccomp_notif_resp)
		       ? 0
		       : -EPROTO;
}

int notify_install(const struct sock_fprog *program, unsigned int flags)
{
	int fd;

	flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	/* Once we have taken a call only a fatal signal interrupts it: else one that is sent again and again
	 * would keep it from ever being answered. */
	fd = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			 program);
	return fd == -EINVAL ? sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, program) : fd;
}

void notify_wake_here(int listener)
{
	(void)sys_ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
			(void *)(uintptr_t)SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

bool notify_waits(const struct notify_call *call)
{
	uint64_t id = call->id;

	return sys_ioctl(call->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* A caller that is gone needs no answer. */
static void send(const struct notify_call *call, long value, unsigned int flags)
{
	struct seccomp_notif_resp response = {
		.id = call->id,
		.val = value < 0 ? 0 : value,
		.error = value < 0 ? (int)value : 0,
		.flags = flags,
	};

	sys_ioctl(call->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

void notify_send(const struct notify_call *call, long value)
{
	send(call, value, 0);
}

/* One call where the kernel can: then the caller has the descriptor exactly if it gets to know it. */
static void send_fd(struct notify *notify, const struct notify_call *call,
		    const struct notify_answer *answer)
{
	struct seccomp_notif_addfd request = {
		.id = call->id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)answer->fd,
		.newfd_flags = answer->cloexec ? O_CLOEXEC : 0,
	};
	int fd = -EINVAL;

	if (!notify->two_steps)
		fd = sys_ioctl(call->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
	if (fd == -EINVAL) {
		notify->two_steps = true;
		request.flags = 0;
		fd = sys_ioctl(call->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
	}
	/* It has no room for a descriptor (EMFILE), for instance. */
	if (fd < 0 || notify->two_steps)
		send(call, fd, 0);
}

static struct notify_answer handle(const struct notify *notify, const struct notify_call *call)
{
	for (size_t i = 0; i < notify->table_count; i++) {
		const struct notify_table *table = &notify->tables[i];

		for (size_t row = 0; row < table->count; row++)
			if (table->rows[row].number == call->number)
				return table->rows[row].handle(call, table->context);
	}
	return notify_return(-ENOSYS);
}

static void answer(struct notify *notify, const struct notify_call *call)
{
	struct notify_answer answer = handle(notify, call);

	switch (answer.kind) {
	case NOTIFY_CONTINUE:
		send(call, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
		break;
	case NOTIFY_RETURN:
		send(call, answer.value, 0);
		break;
	case NOTIFY_FD:
		send_fd(notify, call, &answer);
		sys_close(answer.fd);
		break;
	case NOTIFY_TAKEN:
		break;
	}
}

/* Returns 0, or -errno. */
static int serve_one(struct notify *notify)
{
	struct seccomp_notif notification = { 0 }; /* the kernel wants it so */
	struct notify_call call = { .listener = notify->listener,
				    .proc = notify->proc,
				    .openat2 = notify->openat2,
				    .late = notify->late,
				    .places = notify->places };
	int error = sys_ioctl(notify->listener, SECCOMP_IOCTL_NOTIF_RECV, &notification);

	if (error < 0)
		return error;
	call.id = notification.id;
	call.tid = (int)notification.pid;
	call.number = notification.data.nr;
	call.pc = notification.data.instruction_pointer;
	for (size_t i = 0; i < 6; i++)
		call.arguments[i] = notification.data.args[i];
	notify->call = &call;
	answer(notify, &call);
	notify->call = NULL;
	return 0;
}

/* Returns 1 when there is a call, 0 when there will be none any more, or -errno. */
static int wait_for_call(struct notify *notify)
{
	struct pollfd fds[2] = {
		{ .fd = notify->listener, .events = POLLIN },
		{ .fd = notify->serve_other != NULL ? notify->other : -1, .events = POLLIN },
	};

	for (;;) {
		int error = sys_ppoll(fds, 2, NULL);

		if (error < 0)
			return error;
		if (fds[1].revents != 0) {
			error = notify->serve_other(notify->other_context);
			if (error != 0)
				return error;
		}
		if (fds[0].revents != 0 && (fds[0].revents & POLLIN) == 0) {
			fds[0].fd = -1;
			if (notify->end != NULL)
				notify->end(notify->other_context);
			if (notify->serve_other == NULL)
				return 0;
		}
		if ((fds[0].revents & POLLIN) != 0)
			return 1;
	}
}

/* RECV waits, too. What it does not tell from a call that is gone is that there will be no other. */
int notify_serve(struct notify *notify)
{
	bool ask = !notify->stopped;

	for (;;) {
		int error = ask ? wait_for_call(notify) : 1;

		if (error == 0)
			return 0;
		if (error > 0)
			error = serve_one(notify);
		ask = !notify->stopped || error == -ENOENT;
		/* Its caller has died, or the call was interrupted: one less. */
		if (error < 0 && error != -ENOENT && error != -EINTR)
			return error;
	}
}
