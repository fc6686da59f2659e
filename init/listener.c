/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "filters/append.h"
#include "filters/filter.h"
#include "init/box.h"
#include "init/clone.h"
#include "init/descriptors.h"
#include "init/listener.h"
#include "init/values.h"
#include "mountns/sys.h"

/* What the process is made from. The memory is a copy of the launcher's. */
struct server {
	const struct box *box;
	struct append_file *files;
	int launcher; /* its pid */
	int proc;
};

/* Returns a descriptor that was sent as KIND, or -errno: -EPIPE at the end. */
static int receive(int socket, enum report_kind kind)
{
	struct report report;
	int fd, got = report_read_fd(socket, &report, &fd);

	if (got <= 0)
		return got < 0 ? got : -EPIPE;
	return report.kind == kind ? fd : -EPROTO;
}

/* Nothing of the launcher's but the memory. */
static int strip(const struct server *server)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const struct kernel_cap_data none[2] = { 0 };
	int kept[] = { server->box->listener[0], server->proc };
	int error = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);

	if (error == 0 && sys_getppid() != server->launcher)
		error = -ESRCH;
	descriptors_sort(kept, 2);
	if (error == 0)
		error = descriptors_close_but(0, kept, 2);
	if (error == 0)
		error = sys_capset(&header, none);
	return error == 0 ? sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0) : error;
}

/* Returns the listener, or -errno. */
static int receive_all(const struct server *server)
{
	int socket = server->box->listener[0];

	for (size_t i = 0; i < server->box->append.count; i++) {
		int mount = receive(socket, REPORT_MOUNT);

		if (mount < 0)
			return mount;
		server->files[i].mount = mount;
	}
	return receive(socket, REPORT_LISTENER);
}

static int serve(const struct server *server)
{
	const struct sock_fprog program = { filter_listener.len,
					    (struct sock_filter *)(uintptr_t)filter_listener.code };
	struct append append = server->box->append;
	struct notify notify = { .proc = server->proc,
				 .rows = append_rows,
				 .row_count = append_row_count,
				 .context = &append };
	int error = strip(server);

	if (error < 0)
		return error;
	error = notify.listener = receive_all(server);
	/* The box was not made, for a reason that somebody else tells. */
	if (error < 0)
		return error == -EPIPE || error == -ECONNRESET ? 0 : error;
	sys_close(server->box->listener[0]);
	error = sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
	return error < 0 ? error : notify_serve(&notify);
}

static int listener_main(void *argument)
{
	sys_exit_group(serve(argument) < 0 ? 1 : 0);
}

/* The numbers that the kernel gives us for callers are those of our PID namespace, and so must be those in
 * this procfs. */
static int open_proc(struct fault *fault)
{
	char self[16] = "";
	uint64_t pid = 0;
	int fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return fault_errno(fault, "append", "/proc", fd);
	if (sys_filesystem_type(fd) == PROC_MAGIC &&
	    sys_readlinkat(fd, "self", self, sizeof(self) - 1) > 0 &&
	    value_number(self, INT_MAX, &pid) && (int)pid == sys_getpid())
		return fd;
	sys_close(fd);
	return fault_text(fault, "append", "/proc", "is not this PID namespace's procfs");
}

static int list_files(struct server *server, struct box *box, struct fault *fault)
{
	const struct view *view = &box->view;
	size_t next = 0;

	server->files = calloc(view->append_count, sizeof(*server->files));
	if (server->files == NULL)
		return fault_errno(fault, "append", "", ENOMEM);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct source *source = &view->sources[i];

		if ((source->rights & GRANT_APPEND) != 0)
			server->files[next++] =
				(struct append_file){ source->dev_major, source->dev_minor,
						      source->inode, -1 };
	}
	box->append = (struct append){ server->files, next };
	return 0;
}

static int refuse(const char *reason, int error, struct fault *fault)
{
	if (error == 0)
		return fault_text(fault, "options", "--append", reason);
	fault_errno(fault, "options", "--append", error);
	fault->detail = reason;
	return -1;
}

int listener_start(struct listener *listener, struct box *box, struct fault *fault)
{
	struct server server = { .box = box };
	const char *reason;
	int error;

	*listener = (struct listener){ 0, -1 };
	if (box->view.append_count == 0)
		return 0;
	/* The kernel has one listener for a process, and that profile needs it. */
	if (box->filter != NULL && box->filter->asks)
		return refuse("cannot be combined with --filter strict", 0, fault);
	reason = append_probe(&error);
	if (reason != NULL)
		return refuse(reason, error, fault);
	server.launcher = sys_getpid();
	server.proc = open_proc(fault);
	if (server.proc < 0 || list_files(&server, box, fault) != 0)
		return -1;
	error = sys_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, box->listener);
	if (error == 0)
		listener->pid = error = clone_child(listener_main, &server, box->workload_stack,
						    CLONE_PIDFD | SIGCHLD, &listener->pidfd);
	sys_close(server.proc);
	return error < 0 ? fault_errno(fault, "append", "clone", error) : 0;
}

int listener_give_mounts(const struct box *box, struct fault *fault)
{
	for (size_t i = 0; i < box->append.count; i++) {
		int error = report_send_fd(box->listener[1], REPORT_MOUNT, box->view.appends[i]);

		if (error < 0)
			return fault_errno(fault, "append", "mount", error);
	}
	return 0;
}

int listener_confine(const struct box *box, struct fault *fault)
{
	int error = 0;

	/* Those of the plan, the report pipe, our socket and the rules. */
	if (box->append.count > 0)
		error = append_confine(&box->append, box->keep_fds, box->keep_fd_count + 3);

	return error < 0 ? fault_errno(fault, "append", "Landlock", error) : 0;
}

int listener_begin(const struct box *box, int listener)
{
	int error = report_send_fd(box->listener[1], REPORT_LISTENER, listener);

	sys_close(listener);
	return error;
}

int listener_reap(struct listener *listener)
{
	int status = 0;

	sys_wait4(listener->pid, &status, 0);
	listener->pid = 0;
	return status;
}

void listener_stop(struct listener *listener)
{
	if (listener->pid == 0)
		return;
	sys_kill(listener->pid, SIGKILL);
	listener_reap(listener);
}
