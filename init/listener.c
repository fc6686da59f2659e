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
#include "filters/cow.h"
#include "filters/filter.h"
#include "filters/places.h"
#include "init/box.h"
#include "init/clone.h"
#include "init/descriptors.h"
#include "init/listener.h"
#include "init/values.h"
#include "mountns/mount.h"
#include "mountns/sys.h"

/* What the process is made from. The memory is a copy of the launcher's. */
struct server {
	const struct box *box;
	struct append_file *files;
	int launcher;          /* its pid */
	int users, mounts;     /* the box's namespaces */
	int proc, lower, root; /* directories; lower: -1 without copy-on-write */
	int fds;               /* the process's own, in PROC */
};

static bool has_listener(const struct box *box)
{
	return box->view.append_count > 0 || box->notifies;
}

/* Returns a descriptor that was sent as KIND, or -errno: -EPIPE at the end. */
static int receive(int socket, enum report_kind kind)
{
	struct report report;
	int fd, got = report_read_fd(socket, &report, &fd);

	if (got <= 0)
		return got < 0 ? got : -EPIPE;
	return report.kind == kind ? fd : -EPROTO;
}

/* It ends with the launcher. */
static int tie(const struct server *server)
{
	int error = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);

	return error == 0 && sys_getppid() != server->launcher ? -ESRCH : error;
}

/* Nothing of the launcher's but the memory. */
static int strip(const struct server *server)
{
	int error = tie(server);

	if (error == 0)
		error = descriptors_close_but(0, &server->box->listener[0], 1);
	return error == 0 ? sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0) : error;
}

/* Returns the listener, or -errno. */
static int receive_all(struct server *server)
{
	int *const places[] = { &server->users, &server->mounts, &server->proc, &server->lower,
				&server->root };
	int socket = server->box->listener[0];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i] == &server->lower && !server->box->notifies)
			continue;
		*places[i] = receive(socket, REPORT_PLACE);
		if (*places[i] < 0)
			return *places[i];
	}
	for (size_t i = 0; i < server->box->append.count; i++) {
		int mount = receive(socket, REPORT_PLACE);

		if (mount < 0)
			return mount;
		server->files[i].mount = mount;
	}
	return receive(socket, REPORT_LISTENER);
}

/* By its name it may have become another one. */
static int check_lower(const struct server *server)
{
	const struct cow_store *store = server->box->cow;
	struct kernel_statx stat;
	int error = server->box->notifies ? sys_statx(server->lower, "", AT_EMPTY_PATH, &stat) : 0;

	if (error < 0 || !server->box->notifies)
		return error;
	return stat.inode == store->lower_inode && stat.dev_major == store->lower_major &&
			       stat.dev_minor == store->lower_minor
		       ? 0
		       : -ESTALE;
}

/*
 * Leaves the host for the box: there are no other files from now on but these directories, and of the processes in PROC
 * those outside are out of reach: their memory and descriptors are for whoever is in their user namespace or
 * above. The workload is in one below: ptrace(2), "Ptrace access mode checking".
 */
static int enter_box(struct server *server)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const struct kernel_cap_data none[2] = { 0 };
	int error = sys_setns(server->users, CLONE_NEWUSER);

	if (error == -EINVAL) /* it is ours: the box has none of its own */
		error = 0;
	if (error == 0)
		error = sys_setns(server->mounts, CLONE_NEWNS);
	if (error == 0)
		error = sys_fchdir(server->root);
	if (error == 0)
		error = sys_chroot(".");
	sys_close(server->users);
	sys_close(server->mounts);
	if (!server->box->notifies)
		sys_close(server->root);
	if (error == 0)
		error = sys_capset(&header, none);
	/* Other rights may have undone it: prctl(2). */
	return error == 0 ? tie(server) : error;
}

/* A path of the workload's when it starts. */
static void fill_path(const struct box *box, const struct cow *cow, const char *directory,
		      size_t length, const char *name)
{
	const char *here = box->directory;
	char path[3 * PATH_MAX];
	size_t size = 0;

	if (strlen(here) >= PATH_MAX || length >= PATH_MAX || strlen(name) >= PATH_MAX - 2)
		return;
	if ((length > 0 ? directory[0] : name[0]) != '/') {
		strcpy(path, here);
		size = strlen(path);
		path[size++] = '/';
	}
	memcpy(path + size, directory, length);
	size += length;
	if (length > 0)
		path[size++] = '/';
	strcpy(path + size, name);
	cow_begin(cow, path);
}

/* Wherever the command may be that the workload begins with. */
void listener_fill_command(const struct box *box, const struct cow *cow)
{
	const char *name = box->plan->command[0], *path = "/bin:/usr/bin";
	size_t length;

	if (strchr(name, '/') != NULL) {
		fill_path(box, cow, "", 0, name);
		return;
	}
	for (char **variable = box->environment; *variable != NULL; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			path = *variable + 5;
	for (;; path += length + 1) {
		length = strcspn(path, ":");
		fill_path(box, cow, path, length, name);
		if (path[length] == '\0')
			return;
	}
}

/* The last that needs more than answering does. */
static int confine(struct server *server, int listener)
{
	bool notifies = server->box->notifies;
	const struct filter *filter = notifies ? &filter_cow_listener : &filter_listener;
	const struct sock_fprog program = { filter->len,
					    (struct sock_filter *)(uintptr_t)filter->code };
	int error;

	sys_close(server->box->listener[0]);
	notify_wake_here(listener);
	error = check_lower(server);
	if (error == 0)
		error = enter_box(server);
	if (error == 0 && notifies) {
		server->fds =
			sys_openat(server->proc, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		error = server->fds < 0 ? server->fds : 0;
	}
	return error == 0 ? sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) : error;
}

static int serve(struct server *server)
{
	const struct box *box = server->box;
	struct append append = box->append;
	struct tree tree = box->tree;
	struct cow cow = { .tree = &tree, .special = tree.special };
	struct places places;
	const struct notify_table table = {
		box->notifies ? cow_rows : append_rows,
		box->notifies ? cow_row_count : append_row_count,
		box->notifies ? (void *)&cow : &append,
	};
	struct notify notify = { .tables = &table,
				 .table_count = 1,
				 .openat2 = box->notifies,
				 .late = box->notifies,
				 .stopped = true };
	int error = strip(server);

	if (error < 0)
		return error;
	error = notify.listener = receive_all(server);
	/* The box was not made, for a reason that somebody else tells. */
	if (error < 0)
		return error == -EPIPE || error == -ECONNRESET ? 0 : error;
	error = confine(server, notify.listener);
	notify.proc = server->proc;
	cow.root = server->root;
	cow.fds = server->fds;
	tree.lower = server->lower;
	if (error == 0 && box->notifies) {
		places_begin(&places, cow.root, cow_top(&cow, box->cow->lower_path),
			     box->cow->lower_path);
		notify.places = &places;
		listener_fill_command(box, &cow);
	}
	return error < 0 ? error : notify_serve(&notify);
}

static int listener_main(void *argument)
{
	sys_exit_group(serve(argument) < 0 ? 1 : 0);
}

/* The numbers that the kernel gives us for callers are those of our PID namespace, and so must be those in
 * this procfs. */
static int check_proc(struct fault *fault)
{
	char self[16] = "";
	uint64_t pid = 0;
	int fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	bool good = fd >= 0 && sys_filesystem_type(fd) == PROC_MAGIC &&
		    sys_readlinkat(fd, "self", self, sizeof(self) - 1) > 0 &&
		    value_number(self, INT_MAX, &pid) && (int)pid == sys_getpid();

	if (fd < 0)
		return fault_errno(fault, "listener", "/proc", fd);
	sys_close(fd);
	return good ? 0
		    : fault_text(fault, "listener", "/proc", "is not this PID namespace's procfs");
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

static int refuse(const struct box *box, const char *reason, int error, struct fault *fault)
{
	const char *option = box->notifies ? "--cow-backend notify" : "--append";

	if (error == 0)
		return fault_text(fault, "options", option, reason);
	fault_errno(fault, "options", option, error);
	fault->detail = reason;
	return -1;
}

int listener_start(struct listener *listener, struct box *box, struct fault *fault)
{
	struct server server = { .box = box };
	const char *reason;
	int error;

	*listener = (struct listener){ 0, -1 };
	if (!has_listener(box))
		return 0;
	/* The kernel has one listener for a process, and that profile needs it. */
	if (box->filter != NULL && box->filter->asks)
		return refuse(box, "cannot be combined with --filter strict", 0, fault);
	if (box->view.append_count > 0 && box->notifies)
		return refuse(box, "cannot be combined with --append", 0, fault);
	reason = box->notifies ? cow_probe(&error) : append_probe(&error);
	if (reason != NULL)
		return refuse(box, reason, error, fault);
	server.launcher = sys_getpid();
	server.lower = -1;
	if (check_proc(fault) != 0 || list_files(&server, box, fault) != 0)
		return -1;
	error = sys_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, box->listener);
	if (error == 0)
		listener->pid = error = clone_child(listener_main, &server, box->workload_stack,
						    CLONE_PIDFD | SIGCHLD, &listener->pidfd);
	return error < 0 ? fault_errno(fault, "listener", "clone", error) : 0;
}

static int give_place(const struct box *box, const char *path, int flags)
{
	int error, fd = sys_openat(AT_FDCWD, path, flags | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	error = report_send_fd(box->listener[1], REPORT_PLACE, fd);
	sys_close(fd);
	return error;
}

/* Of a clone "..", too, is nothing else. Where the kernel makes none the directory is given as it is. */
static int give_clone(const struct box *box, const char *path)
{
	const struct kernel_mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	int error, fd = sys_open_tree(AT_FDCWD, path,
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (mount_is_missing(fd))
		return give_place(box, path, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	error = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes);
	if (error == 0 || mount_is_missing(error))
		error = report_send_fd(box->listener[1], REPORT_PLACE, fd);
	sys_close(fd);
	return error;
}

int listener_give_host(const struct box *box, struct fault *fault)
{
	static const char *const namespaces[] = { "/proc/self/ns/user", "/proc/self/ns/mnt" };
	const char *const directories[] = { "/proc", box->notifies ? box->cow->lower_path : NULL };
	int error;

	if (!has_listener(box))
		return 0;
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		error = give_place(box, namespaces[i], O_RDONLY);
		if (error < 0)
			return fault_errno(fault, "listener", namespaces[i], error);
	}
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		error = directories[i] == NULL ? 0 : give_clone(box, directories[i]);
		if (error < 0)
			return fault_errno(fault, "listener", directories[i], error);
	}
	return 0;
}

int listener_give_mounts(const struct box *box, struct fault *fault)
{
	int error = has_listener(box) ? give_place(box, "/", O_PATH | O_DIRECTORY) : 0;

	if (error < 0)
		return fault_errno(fault, "listener", "/", error);
	for (size_t i = 0; i < box->append.count; i++) {
		error = report_send_fd(box->listener[1], REPORT_PLACE, box->view.appends[i]);
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
