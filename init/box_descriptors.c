/* SPDX-License-Identifier: MIT */
/* The caller's descriptors: which of them are for the box, and which for the workload. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init/box.h"
#include "init/descriptors.h"
#include "init/filters.h"
#include "mountns/sys.h"

/* Whether --map-fd says what the command has as FD. */
static bool is_mapped(const struct plan *plan, int fd)
{
	for (size_t i = 0; i < plan->fd_map_count; i++)
		if (plan->fd_maps[i].new == fd)
			return true;
	return false;
}

/* A directory leads to all of the host: ".." knows no mount of ours. By an option it is asked
 * for, as standard input it can only be a mistake. */
static int check_standard(const struct plan *plan, struct fault *fault)
{
	static const char *const names[] = { "standard input", "standard output",
					     "standard error" };
	struct stat stat;

	for (int fd = 0; fd <= 2; fd++)
		if (!is_mapped(plan, fd) && fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
			return fault_text(fault, "start", names[fd],
					  "is a directory, which would lead out of the box");
	return 0;
}

/* Who has another descriptor of the same pipe or file could forge events. A terminal shows them to a
 * person, who may want that. */
static bool is_same(const struct stat *events, int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && stat.st_dev == events->st_dev &&
	       stat.st_ino == events->st_ino && !S_ISCHR(stat.st_mode);
}

static int check_events(const struct box *box, int fd, const char *option, struct fault *fault)
{
	struct stat stat;
	int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

	if (fd < 0)
		return 0;
	if (flags < 0 || fstat(fd, &stat) != 0)
		return fault_errno(fault, "options", option, errno);
	/* Events that nobody could ever read would be lost without a word. */
	if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0)
		return fault_text(fault, "options", option,
				  "the descriptor is not open for writing");
	for (int standard = 0; standard <= 2; standard++)
		if (!is_mapped(box->plan, standard) && is_same(&stat, standard))
			return fault_text(fault, "options", option,
					  "the command has that file as its 0, 1 or 2");
	for (size_t i = 0; i < box->keep_fd_count; i++)
		if (is_same(&stat, box->keep_fds[i]))
			return fault_text(fault, "options", option,
					  "the command has that file by --keep-fd");
	for (size_t i = 0; i < box->plan->fd_map_count; i++)
		if (is_same(&stat, box->plan->fd_maps[i].old))
			return fault_text(fault, "options", option,
					  "the command has that file by --map-fd");
	return 0;
}

static int check_keep_fds(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;

	/* Three more for the report pipe, the listener's socket and the rules of Landlock. */
	box->keep_fds = calloc(plan->keep_fd_count + plan->fd_map_count + 3, sizeof(int));
	if (box->keep_fds == NULL)
		return fault_errno(fault, "options", "--keep-fd", ENOMEM);
	for (size_t i = 0; i < plan->keep_fd_count; i++) {
		if (fcntl(plan->keep_fds[i], F_GETFD) < 0)
			return fault_errno(fault, "options", "--keep-fd", errno);
		if (plan->keep_fds[i] > 2)
			box->keep_fds[box->keep_fd_count++] = plan->keep_fds[i];
	}
	return 0;
}

/* What leads nowhere, and refuses whatever is written to it. An eventfd would take it, eight bytes at a time
 * before Linux 6.9 or so, and keep the writer waiting when that is too much. */
static int open_nothing(void)
{
	sigset_t none;

	sigemptyset(&none);
	return signalfd(-1, &none, SFD_CLOEXEC);
}

/*
 * The numbers that the workload's descriptors will have are taken from here on, so that no descriptor of
 * ours is ever among them and in the way.
 */
static int reserve(int number, struct fault *fault)
{
	int fd;

	if (fcntl(number, F_GETFD) >= 0)
		return 0;
	fd = open_nothing();
	if (fd < 0)
		return fault_errno(fault, "options", "--map-fd", errno);
	if (fd == number)
		return 0;
	if (dup3(fd, number, O_CLOEXEC) < 0)
		return fault_errno(fault, "options", "--map-fd", errno);
	close(fd);
	return 0;
}

static int open_null(struct fault *fault)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct stat stat;

	if (fd < 0)
		return fault_errno(fault, "open", "/dev/null", errno);
	if (fstat(fd, &stat) != 0 || !S_ISCHR(stat.st_mode) || stat.st_rdev != makedev(1, 3))
		return fault_text(fault, "open", "/dev/null", "is another file");
	return fd;
}

/* What the maps name is there, and numbers beyond the limit are not to be had. */
static int check_maps(const struct plan *plan, struct fault *fault)
{
	struct rlimit limit;

	if (plan->fd_map_count == 0)
		return 0;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return fault_errno(fault, "options", "--map-fd", errno);
	for (size_t i = 0; i < plan->fd_map_count; i++) {
		if (plan->fd_maps[i].old >= 0 && fcntl(plan->fd_maps[i].old, F_GETFD) < 0)
			return fault_errno(fault, "options", "--map-fd", errno);
		if ((rlim_t)plan->fd_maps[i].new >= limit.rlim_cur)
			return fault_text(fault, "options", "--map-fd",
					  "NEW is not below the limit of descriptors, ulimit -n");
	}
	return 0;
}

/* Behind the last look at the caller's descriptors as they were. */
static int take_maps(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	int null = -1;

	box->fd_maps = calloc(plan->fd_map_count + 1, sizeof(*box->fd_maps));
	if (box->fd_maps == NULL)
		return fault_errno(fault, "options", "--map-fd", ENOMEM);
	for (size_t i = 0; i < plan->fd_map_count; i++) {
		if (reserve(plan->fd_maps[i].new, fault) != 0)
			return -1;
		if (plan->fd_maps[i].new > 2)
			box->keep_fds[box->keep_fd_count++] = plan->fd_maps[i].new;
	}
	for (size_t i = 0; i < plan->fd_map_count; i++) {
		box->fd_maps[i] = plan->fd_maps[i];
		if (box->fd_maps[i].old >= 0)
			continue;
		if (null < 0 && (null = open_null(fault)) < 0)
			return -1;
		box->fd_maps[i].old = null;
	}
	return 0;
}

static const char *const fd_options[PLAN_FDS] = {
	[FD_STATUS] = "--status-fd",
	[FD_EXIT_SIGNAL] = "--exit-signal-fd",
	[FD_INFO] = "--info-fd",
	[FD_JSON_STATUS] = "--json-status-fd",
	[FD_SYNC] = "--sync-fd",
	[FD_BLOCK] = "--block-fd",
	[FD_USERNS_BLOCK] = "--userns-block-fd",
	[FD_USERNS] = "--userns",
	[FD_USERNS2] = "--userns2",
	[FD_PIDNS] = "--pidns",
	[FD_DIE_WITH] = "--die-with-fd",
};

/* From here on it is ours: an exec in the box closes it. */
static int take(int fd, const char *option, struct fault *fault)
{
	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return 0;
	return fault_errno(fault, "options", option, errno);
}

static int take_all(const struct plan *plan, struct fault *fault)
{
	for (size_t i = 0; i < PLAN_FDS; i++) {
		/* Where nobody else is there to hold it, bubblewrap's command does. */
		if (i == FD_SYNC && plan->as_pid_1 && plan->inherit_fds)
			continue;
		if (take(plan->fds[i], fd_options[i], fault) != 0)
			return -1;
	}
	for (size_t i = 0; i < plan->step_count; i++)
		if (take(plan->steps[i].fd, "FD of a mount step", fault) != 0)
			return -1;
	for (size_t i = 0; i < plan->seccomp_fd_count; i++)
		if (take(plan->seccomp_fds[i], "--seccomp", fault) != 0)
			return -1;
	return 0;
}

/* Reads a program of BPF instructions as seccomp(2) takes them. */
static int read_program(int fd, struct program *program, struct fault *fault)
{
	size_t room = (BPF_MAXINSNS + 1) * sizeof(struct sock_filter), got = 0;
	char *bytes = malloc(room);
	ssize_t count = 1;

	if (bytes == NULL)
		return fault_errno(fault, "seccomp data", "", ENOMEM);
	while (count != 0 && got < room) {
		count = read(fd, bytes + got, room - got);
		if (count < 0 && errno != EINTR)
			break;
		got += count > 0 ? (size_t)count : 0;
	}
	program->code = (struct sock_filter *)(void *)bytes;
	program->length = (unsigned short)(got / sizeof(struct sock_filter));
	if (count < 0)
		return fault_errno(fault, "seccomp data", "", errno);
	if (got % sizeof(struct sock_filter) != 0)
		return fault_text(fault, "seccomp data", "", "must be multiple of 8");
	if (got == 0 || got == room)
		return fault_text(fault, "seccomp data", "",
				  "must be 1 to 4096 instructions of 8 bytes");
	return 0;
}

static int read_programs(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;

	if (plan->seccomp_fd_count == 0)
		return 0;
	box->programs = calloc(plan->seccomp_fd_count, sizeof(*box->programs));
	if (box->programs == NULL)
		return fault_errno(fault, "seccomp data", "", ENOMEM);
	for (size_t i = 0; i < plan->seccomp_fd_count; i++)
		if (read_program(plan->seccomp_fds[i], &box->programs[i], fault) != 0)
			return -1;
	box->program_count = plan->seccomp_fd_count;
	return 0;
}

/* The report pipe, --sync-fd and the locks. */
static int list_for_pid1(struct box *box, struct fault *fault)
{
	box->pid1_fds = calloc(box->plan->lock_file_count + 2, sizeof(int));
	return box->pid1_fds == NULL ? fault_errno(fault, "start", "descriptors", ENOMEM) : 0;
}

/*
 * Where the caller closed 0, 1 or 2, none of our descriptors may take that number and so become
 * somebody's standard output. The exec closes the place holders, but only after it has followed
 * the path of an interpreter, which may be /proc/self/fd/0: they must lead nowhere.
 */
static int fill_standard_fds(struct fault *fault)
{
	int fd;

	do {
		fd = open_nothing();
	} while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return fault_errno(fault, "start", "descriptors", errno);
	close(fd);
	return 0;
}

/* Must see the descriptors as the caller left them: before any is opened here. */
int box_take_descriptors(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;

	if ((!plan->inherit_fds && check_standard(plan, fault) != 0) ||
	    check_maps(plan, fault) != 0 || check_keep_fds(box, fault) != 0 ||
	    check_events(box, plan->fds[FD_STATUS], "--status-fd", fault) != 0 ||
	    check_events(box, plan->fds[FD_EXIT_SIGNAL], "--exit-signal-fd", fault) != 0 ||
	    (!plan->inherit_fds &&
	     (check_events(box, plan->fds[FD_INFO], "--info-fd", fault) != 0 ||
	      check_events(box, plan->fds[FD_JSON_STATUS], "--json-status-fd", fault) != 0)) ||
	    take_all(plan, fault) != 0 || fill_standard_fds(fault) != 0 ||
	    (plan->fd_map_count > 0 && take_maps(box, fault) != 0) ||
	    read_programs(box, fault) != 0 || filters_choose(box, fault) != 0)
		return -1;
	return list_for_pid1(box, fault);
}

int box_wait_for_caller(const struct plan *plan, struct fault *fault)
{
	char byte;
	long got = plan->fds[FD_BLOCK] >= 0 ? sys_read(plan->fds[FD_BLOCK], &byte, 1) : 0;

	return got < 0 ? fault_errno(fault, "block-fd", "", (int)got) : 0;
}
