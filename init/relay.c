/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/relay.h"
#include "init/signals.h"
#include "init/terminal.h"
#include "mountns/sys.h"

#define ROOM 4096           /* as much as a terminal's line discipline has */
#define SAFE 256            /* a write for which there is room as soon as poll(2) says so */
#define LEFT_MAX (1L << 20) /* beyond what a pseudo terminal holds of a box that is dead */

#define CONTROL_D 4
#define MOMENT 1000000000ULL /* nanoseconds */

/* One of the caller's standard descriptors. */
struct stream {
	int fd; /* -1: there is none, or it has come to its end */
	bool terminal, socket;
	bool blocking; /* a call might, when somebody else was faster */
};

struct buffer {
	size_t start, end;
	char bytes[ROOM];
};

struct relay {
	struct outer outer;
	int master, slave; /* -1 before there is one, and when it was hung up */
	struct stream in, out;
	struct buffer to_box, to_caller;
	bool line_open; /* what went in last did not end a line */
	int lost;       /* errno of output that nobody took */
};

struct relay *relay_prepare(struct box *box, bool *stopped, struct fault *fault)
{
	struct relay *relay = calloc(1, sizeof(*relay));

	if (relay == NULL) {
		fault_errno(fault, "terminal", "", ENOMEM);
		return NULL;
	}
	relay->master = relay->slave = relay->in.fd = relay->out.fd = -1;
	if (outer_find(&relay->outer, &box->form, stopped, fault) != 0 ||
	    outer_guard(&relay->outer, fault) != 0)
		return NULL;
	return relay;
}

/* --- Streams ------------------------------------------------------------------------------------ */

/* Whether FD, opened by name, is what the caller gave us as STANDARD. */
static bool is_same(int standard, int fd)
{
	struct kernel_statx a, b;

	return sys_statx(standard, "", AT_EMPTY_PATH, &a) == 0 &&
	       sys_statx(fd, "", AT_EMPTY_PATH, &b) == 0 && a.inode == b.inode &&
	       a.mode == b.mode && a.dev_major == b.dev_major && a.dev_minor == b.dev_minor &&
	       a.rdev_major == b.rdev_major && a.rdev_minor == b.rdev_minor;
}

/* O_NONBLOCK is not a descriptor's but an open file's, which the caller and others use as well: so the
 * same is opened a second time. proc(5), "/proc/pid/fd". Returns a descriptor, or -1. */
static int open_again(int standard, int access)
{
	char path[] = "/proc/self/fd/0";
	int fd;

	path[sizeof(path) - 2] = (char)('0' + standard);
	fd = sys_openat(AT_FDCWD, path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (fd >= 0 && is_same(standard, fd))
		return fd;
	if (fd >= 0)
		sys_close(fd);
	return -1;
}

static bool is_terminal(int fd)
{
	struct kernel_termios modes;

	return sys_ioctl(fd, TCGETS, &modes) == 0;
}

/* A master opened by name would be another one. */
static bool is_master(int fd)
{
	int number;

	return sys_ioctl(fd, TIOCGPTN, &number) == 0;
}

static struct stream open_stream(int standard, int access)
{
	struct stream stream = { .fd = standard };
	int marks = sys_fcntl(standard, F_GETFD, 0), flags = sys_fcntl(standard, F_GETFL, 0), again;
	struct kernel_statx stat;

	/* What the caller has closed is marked: box_take_descriptors(). */
	if (marks < 0 || (marks & FD_CLOEXEC) != 0 || flags < 0 || (flags & O_PATH) != 0 ||
	    ((flags & O_ACCMODE) != access && (flags & O_ACCMODE) != O_RDWR) ||
	    sys_statx(standard, "", AT_EMPTY_PATH, &stat) != 0) {
		stream.fd = -1;
		return stream;
	}
	stream.socket = S_ISSOCK(stat.mode);
	stream.terminal = S_ISCHR(stat.mode) && is_terminal(standard);
	if (!S_ISFIFO(stat.mode) && (!stream.terminal || is_master(standard)))
		return stream;
	again = open_again(standard, access);
	stream.blocking = again < 0;
	stream.fd = again < 0 ? standard : again;
	return stream;
}

static bool is_empty(const struct buffer *buffer)
{
	return buffer->start == buffer->end;
}

/* Fills BUFFER, which is empty. Returns what read(2) does, or -errno. */
static long fill(struct buffer *buffer, const struct stream *stream)
{
	struct kernel_iovec part = { buffer->bytes, sizeof(buffer->bytes) };
	struct kernel_msghdr message = { .parts = &part, .part_count = 1 };
	long got = stream->socket ? sys_recvmsg(stream->fd, &message, MSG_DONTWAIT)
				  : sys_read(stream->fd, buffer->bytes, sizeof(buffer->bytes));

	buffer->start = 0;
	buffer->end = got > 0 ? (size_t)got : 0;
	return got;
}

/* With output processing the end of a line is a step of its own, for which there may be no room left. */
static size_t safe_size(const struct stream *stream)
{
	struct kernel_termios modes;
	bool processed = stream->terminal && sys_ioctl(stream->fd, TCGETS, &modes) == 0 &&
			 (modes.oflag & OPOST) != 0;

	return processed ? 1 : SAFE;
}

/* Writes what it can of BUFFER. Returns 0, or -errno. */
static int flush(struct buffer *buffer, const struct stream *stream)
{
	size_t size = buffer->end - buffer->start;
	struct kernel_iovec part = { buffer->bytes + buffer->start, size };
	const struct kernel_msghdr message = { .parts = &part, .part_count = 1 };
	long put;

	if (stream->blocking && size > safe_size(stream))
		size = safe_size(stream);
	put = stream->socket ? sys_sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
			     : sys_write(stream->fd, part.base, size);
	buffer->start += put > 0 ? (size_t)put : 0;
	return put == -EAGAIN || put == -EINTR || put >= 0 ? 0 : (int)put;
}

/* --- In ----------------------------------------------------------------------------------------- */

/* As if the caller's terminal had been the box's: all in there that have it get SIGHUP. */
static void hang_up(struct relay *relay)
{
	if (relay->slave >= 0)
		sys_close(relay->slave);
	if (relay->master >= 0)
		sys_close(relay->master);
	relay->slave = relay->master = -1;
}

/* The end of a file is a key at a terminal, which ends the line first if there is one: termios(3),
 * "VEOF". */
static void type_end(struct relay *relay)
{
	struct buffer *buffer = &relay->to_box;
	struct kernel_termios modes;
	char key = CONTROL_D;

	if (sys_ioctl(relay->slave, TCGETS, &modes) == 0 && modes.cc[VEOF] != 0)
		key = (char)modes.cc[VEOF];
	buffer->start = 0;
	buffer->end = relay->line_open ? 2 : 1;
	memset(buffer->bytes, key, buffer->end);
	relay->line_open = false;
}

/* Our own stop, as a program that read the box's input itself would be stopped. */
static void resume(struct relay *relay)
{
	if (relay->outer.terminal >= 0 && outer_wait(&relay->outer, SIGTTIN) && relay->master >= 0)
		outer_change(&relay->outer);
	outer_copy_size(&relay->outer, relay->master);
}

static void take_input(struct relay *relay)
{
	struct buffer *buffer = &relay->to_box;
	long got;

	if (relay->in.terminal && terminal_is_others(relay->in.fd)) {
		resume(relay);
		/* Nobody can give it to us: a read would fail. */
		if (terminal_is_others(relay->in.fd))
			hang_up(relay);
		return;
	}
	got = fill(buffer, &relay->in);
	if (got > 0)
		relay->line_open = buffer->bytes[got - 1] != '\n' && buffer->bytes[got - 1] != '\r';
	if (got > 0 || got == -EAGAIN || got == -EINTR)
		return;
	/* A terminal has its end when it is gone, or when somebody has taken our modes away. */
	if (relay->in.terminal && !terminal_is_others(relay->in.fd) && !is_terminal(relay->in.fd)) {
		hang_up(relay);
		return;
	}
	if (!relay->in.terminal)
		relay->in.fd = -1;
	type_end(relay);
}

static void pass_input(struct relay *relay)
{
	const struct stream master = { .fd = relay->master };

	if (relay->master >= 0 && flush(&relay->to_box, &master) != 0)
		hang_up(relay);
}

/* --- Out ---------------------------------------------------------------------------------------- */

/* Returns whether there was something. */
static bool take_output(struct relay *relay)
{
	const struct stream master = { .fd = relay->master };
	long got = relay->master >= 0 ? fill(&relay->to_caller, &master) : 0;

	/* Our own copy of the slave keeps it from being at its end. */
	if (got == -EIO)
		hang_up(relay);
	return got > 0;
}

/* Whoever writes to a pipe without a reader ends by SIGPIPE; to a terminal that is gone, by SIGHUP. */
static void pass_output(struct relay *relay)
{
	int error = flush(&relay->to_caller, &relay->out);

	if (error == 0)
		return;
	if (error != -EPIPE && error != -EIO && error != -ECONNRESET)
		relay->lost = -error;
	relay->out.fd = -1;
	hang_up(relay);
}

/* --- All ---------------------------------------------------------------------------------------- */

void relay_begin(struct relay *relay, int master)
{
	if (relay == NULL || relay->master >= 0) {
		sys_close(master);
		return;
	}
	relay->master = master;
	relay->slave = sys_open_peer(master, O_RDWR | O_NOCTTY | O_CLOEXEC);
	relay->in = open_stream(STDIN_FILENO, O_RDONLY);
	relay->out = open_stream(STDOUT_FILENO, O_WRONLY);
	outer_copy_size(&relay->outer, master);
	outer_change(&relay->outer);
	if (relay->in.fd < 0)
		type_end(relay);
}

void relay_watch(const struct relay *relay, struct pollfd fds[RELAY_FDS])
{
	bool in = relay != NULL && relay->master >= 0 && relay->in.fd >= 0;
	bool out = relay != NULL && !is_empty(&relay->to_caller);
	short events = 0;

	for (size_t i = 0; i < RELAY_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (relay == NULL)
		return;
	/* What is not wanted is not watched at all: an end would be told again and again. */
	if (in && is_empty(&relay->to_box))
		fds[0] = (struct pollfd){ .fd = relay->in.fd, .events = POLLIN };
	if (out)
		fds[1] = (struct pollfd){ .fd = relay->out.fd, .events = POLLOUT };
	else
		events |= POLLIN;
	if (!is_empty(&relay->to_box))
		events |= POLLOUT;
	if (events != 0)
		fds[2] = (struct pollfd){ .fd = relay->master, .events = events };
}

/* Without a standard output all is dropped. */
static void drop_output(struct relay *relay)
{
	if (relay->out.fd < 0)
		relay->to_caller.start = relay->to_caller.end;
}

void relay_serve(struct relay *relay, const struct pollfd fds[RELAY_FDS])
{
	if (relay == NULL)
		return;
	if (fds[1].revents)
		pass_output(relay);
	if (fds[2].revents & POLLOUT)
		pass_input(relay);
	if (fds[2].revents & (POLLIN | POLLHUP | POLLERR))
		take_output(relay);
	if (fds[0].revents && relay->master >= 0)
		take_input(relay);
	drop_output(relay);
}

bool relay_signal(struct relay *relay, int signal, bool from_kernel)
{
	switch (signal) {
	case SIGWINCH:
		outer_copy_size(&relay->outer, relay->master);
		return relay->outer.sized >= 0;
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		outer_restore(&relay->outer);
		terminal_stop(sys_getpid(), signal);
		resume(relay);
		return true;
	case SIGCONT:
		resume(relay);
		return false;
	case SIGHUP:
		if (!from_kernel)
			return false;
		hang_up(relay);
		return true;
	default:
		return false;
	}
}

/* Somebody does not want to wait for a reader that does not read. */
static bool is_told_to_end(int signals)
{
	struct signalfd_siginfo info;

	while (sys_read(signals, &info, sizeof(info)) == sizeof(info))
		if (signal_ends((int)info.ssi_signo))
			return true;
	return false;
}

/* Waits until the caller takes something. Returns false when that was long enough. */
static bool pass_last_output(struct relay *relay, int signals, int parent, uint64_t deadline,
			     bool hurried)
{
	struct pollfd fds[] = {
		{ .fd = relay->out.fd, .events = POLLOUT },
		{ .fd = signals, .events = POLLIN },
		{ .fd = parent, .events = POLLIN },
	};
	struct kernel_timespec rest;
	int ready;

	if (hurried)
		deadline = clock_now() + MOMENT;
	if (deadline != 0 && !clock_rest(deadline, &rest))
		return false;
	ready = sys_ppoll(fds, 3, deadline != 0 ? &rest : NULL);
	if (ready == -EINTR)
		return true;
	if (ready > 0 && fds[0].revents)
		pass_output(relay);
	return ready > 0 && fds[2].revents == 0 &&
	       (fds[1].revents == 0 || !is_told_to_end(signals));
}

void relay_drain(struct relay *relay, int signals, int parent, uint64_t deadline, bool hurried)
{
	long left = LEFT_MAX;

	if (relay == NULL)
		return;
	/* Somebody outside may still write; but a read makes sure of all that was written so far. */
	while (!is_empty(&relay->to_caller) || (left > 0 && take_output(relay))) {
		left -= (long)relay->to_caller.end;
		drop_output(relay);
		while (!is_empty(&relay->to_caller)) {
			if (!pass_last_output(relay, signals, parent, deadline, hurried))
				return;
			drop_output(relay);
		}
	}
}

int relay_end(struct relay *relay)
{
	if (relay == NULL)
		return 0;
	hang_up(relay);
	outer_leave(&relay->outer);
	return relay->lost;
}
