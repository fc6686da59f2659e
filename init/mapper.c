/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "init/clock.h"
#include "init/clone.h"
#include "init/descriptors.h"
#include "init/id_map.h"
#include "init/mapper.h"
#include "init/signals.h"
#include "init/text.h"
#include "mountns/sys.h"

#define MAP "id map"
#define NESTED "nested user namespace"
#define WAIT_ANY_KIND 0x40000000 /* __WALL: also for a child that sends no SIGCHLD, wait(2) */

/* The same without openat2(2): a file on another mount is not the one of the directory. */
static int open_own(int dir, const char *name)
{
	struct kernel_statx there, here;
	int fd = sys_openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	int error = fd < 0 ? fd : sys_statx(dir, "", AT_EMPTY_PATH, &there);

	if (error == 0)
		error = sys_statx(fd, "", AT_EMPTY_PATH, &here);
	if (error == 0 && there.mount_id == here.mount_id)
		return fd;
	if (fd >= 0)
		sys_close(fd);
	return error < 0 ? error : -EXDEV;
}

/* Nothing may be mounted over the file, and no link stand there: it must be the kernel's. One write, since
 * a map is written once. Returns 0, or -errno. */
static int write_map(int process, const char *name, const char *text)
{
	const struct kernel_open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = sys_openat2(process, name, &how);
	long error;

	if (fd == -ENOSYS || fd == -EPERM || fd == -EACCES)
		fd = open_own(process, name);
	error = fd;
	if (fd >= 0) {
		error = sys_write(fd, text, strlen(text));
		sys_close(fd);
	}
	return error < 0 ? (int)error : 0;
}

static int open_process(const char *path, struct fault *fault)
{
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return fault_errno(fault, MAP, path, fd);
	if (sys_filesystem_type(fd) == PROC_MAGIC)
		return fd;
	sys_close(fd);
	return fault_text(fault, MAP, "/proc", "is not a procfs");
}

/* setgroups is denied before the group map is there, which asks for that: a group might shut somebody out. */
static int write_own(const struct box *box, struct fault *fault)
{
	const struct {
		const char *name, *text;
	} files[] = {
		{ "setgroups", "deny" },
		{ "uid_map", box->uid_map },
		{ "gid_map", box->gid_map },
	};
	int error = 0, self = open_process("/proc/self", fault);

	if (self < 0)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && error == 0; i++) {
		error = write_map(self, files[i].name, files[i].text);
		if (error < 0)
			fault_errno(fault, MAP, files[i].name, error);
	}
	sys_close(self);
	return error < 0 ? -1 : 0;
}

/* The launcher writes them, or the caller, of which the launcher hears. */
static void wait_for_maps(const struct box *box)
{
	char byte;

	sys_close(box->maps_ready[1]);
	/* The launcher is gone. */
	if (sys_read(box->maps_ready[0], &byte, 1) != 1)
		sys_exit_group(EXIT_NESTBOX);
}

int mapper_map_own(const struct box *box, struct fault *fault)
{
	if (box->maps_ready[0] >= 0)
		wait_for_maps(box);
	else if (box->maps_ids && write_own(box, fault) != 0)
		return -1;
	if (!box->maps_ids)
		return 0;
	/* Whatever those files were, the ids must have changed. */
	if ((uint32_t)sys_getuid() != box->uid || (uint32_t)sys_getgid() != box->gid)
		return fault_text(fault, MAP, "/proc/self", "is not this process's");
	return 0;
}

/* ---- newuidmap(1) and newgidmap(1) ---- */

/* One of the two maps of a process, and who may write it for those that may not. */
struct map {
	const char *file, *text;
	const char *name; /* of the helper … */
	const char *paths[2];
	const char *permits; /* … and the file that it asks */
	const char *lacking; /* a line of it that would do */
	bool denies_setgroups;
};

struct helper {
	const struct box *box;
	const struct map *map;
	char **argv;
	int error; /* why it was not run */
};

/* It has the rights of root, so it gets nothing from us but its arguments and a place to complain. */
static int run_helper(void *argument)
{
	struct helper *helper = argument;
	char *environment[] = { NULL };
	int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);

	/* The numbers from 0 to 2 are never free: init/box_descriptors.c. */
	helper->error = null < 0 ? null : 0;
	if (helper->error == 0)
		helper->error = sys_dup3(null, 0, 0);
	if (helper->error >= 0)
		helper->error = sys_dup3(null, 1, 0);
	if (helper->error >= 0)
		helper->error = descriptors_close_but(3, NULL, 0);
	if (helper->error >= 0)
		helper->error = sys_sigprocmask(SIG_SETMASK, &helper->box->caller_mask, NULL);
	if (helper->error >= 0)
		helper->error = sys_execve(helper->map->paths[0], helper->argv, environment);
	if (helper->error == -ENOENT)
		helper->error = sys_execve(helper->map->paths[1], helper->argv, environment);
	sys_exit_group(EXIT_NESTBOX);
}

/* Waits for the end of PIDFD. Returns 0, 1 when the time is over, -EINTR if one of ENDS has come or the parent
 * is gone, or another -errno. */
static int watch(int pidfd, int ends, const struct patience *patience)
{
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = ends, .events = POLLIN },
				{ .fd = patience->parent, .events = POLLIN } };
	struct kernel_timespec left;
	int ready;

	do {
		ready = 0;
		if (patience->deadline == 0 || clock_rest(patience->deadline, &left))
			ready = sys_ppoll(fds, 3, patience->deadline != 0 ? &left : NULL);
	} while (ready == -EINTR);
	if (ready <= 0)
		return ready < 0 ? ready : 1;
	return fds[0].revents ? 0 : -EINTR;
}

/* Of the signals that are blocked here some would end us, and nobody else would pass them on; the others stay
 * for the workload. */
static int watch_helper(int pidfd, const struct patience *patience)
{
	const uint64_t ending =
		signal_bit(SIGHUP) | signal_bit(SIGINT) | signal_bit(SIGQUIT) | signal_bit(SIGTERM);
	int ends = sys_signalfd(&ending, SFD_CLOEXEC);
	int result = ends < 0 ? ends : watch(pidfd, ends, patience);

	if (ends >= 0)
		sys_close(ends);
	return result;
}

static int await_helper(int pid, int pidfd, const struct patience *patience, int *status)
{
	int result = watch_helper(pidfd, patience);

	if (result != 0)
		sys_kill(pid, SIGKILL);
	sys_wait4(pid, status, 0);
	return result;
}

static int blame_helper(const struct helper *helper, struct fault *fault)
{
	const struct map *map = helper->map;

	if (helper->error == -ENOENT)
		return fault_text(fault, MAP, map->name,
				  "is not installed, and without the capabilities to map ids it "
				  "takes that one (package uidmap)");
	if (helper->error < 0)
		return fault_errno(fault, MAP, map->name, helper->error);
	if (sys_prctl(PR_GET_NO_NEW_PRIVS, 0, 0) == 1)
		return fault_text(fault, MAP, map->name,
				  "has no rights here, since the caller has set no_new_privs");
	fault_text(fault, MAP, map->permits, "does not give the caller these ids; a line would be");
	fault->detail = map->lacking;
	return -1;
}

/* "NAME PID INSIDE OUTSIDE COUNT …" from the map, whose blanks become ends. */
static void make_words(struct text *pid, char *map, char **words, const char *name)
{
	size_t count = 0;

	words[count++] = (char *)(uintptr_t)name;
	words[count++] = pid->bytes;
	for (; *map != '\0'; map += strlen(map) + 1) {
		words[count++] = map;
		map[strcspn(map, " \n")] = '\0';
	}
	words[count] = NULL;
}

static int ask_helper(const struct box *box, const struct map *map, struct text *pid,
		      const struct patience *patience, struct fault *fault)
{
	_Alignas(16) char stack[16384];
	char text[ID_MAP_BYTES + 1] = "", *words[2 + 3 * ID_MAP_LINES + 1];
	struct helper helper = { .box = box, .map = map, .argv = words };
	int child, pidfd, ended, status = 0;

	memcpy(text, map->text, strlen(map->text));
	make_words(pid, text, words, map->name);
	child = clone_child(run_helper, &helper, stack + sizeof(stack),
			    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &pidfd);
	if (child < 0)
		return fault_errno(fault, MAP, map->name, child);
	ended = await_helper(child, pidfd, patience, &status);
	sys_close(pidfd);
	if (ended < 0)
		return fault_errno(fault, MAP, map->name, ended);
	if (ended > 0)
		return 1;
	return status == 0 ? 0 : blame_helper(&helper, fault);
}

/* ---- the launcher ---- */

static bool may_set_ids(bool groups)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	struct kernel_cap_data data[2];

	return sys_capget(&header, data) == 0 &&
	       (data[0].effective >> (groups ? CAP_SETGID : CAP_SETUID) & 1) != 0;
}

static int write_one(const struct box *box, int process, const struct map *map, struct text *pid,
		     const struct patience *patience, struct fault *fault)
{
	int error = 0;

	if (map->denies_setgroups) {
		error = write_map(process, "setgroups", "deny");
		if (error < 0)
			return fault_errno(fault, MAP, "setgroups", error);
	}
	error = write_map(process, map->file, map->text);
	/* Who has the capability and is refused would be refused by the helper's way, too. */
	if (error == -EPERM && !may_set_ids(map->file[0] == 'g'))
		return ask_helper(box, map, pid, patience, fault);
	return error < 0 ? fault_errno(fault, "id ranges", map->file, error) : 0;
}

int mapper_map_child(const struct box *box, int pid, const struct patience *patience,
		     struct fault *fault)
{
	const struct map maps[] = {
		{ .file = "uid_map",
		  .text = box->uid_map,
		  .name = "newuidmap",
		  .paths = { "/usr/bin/newuidmap", "/bin/newuidmap" },
		  .permits = "/etc/subuid",
		  .lacking = box->subuid },
		{ .file = "gid_map",
		  .text = box->gid_map,
		  .name = "newgidmap",
		  .paths = { "/usr/bin/newgidmap", "/bin/newgidmap" },
		  .permits = "/etc/subgid",
		  .lacking = box->subgid,
		  .denies_setgroups = !box->may_set_groups },
	};
	struct text path = { 0 }, number = { 0 };
	int process, status = 0;

	text_print(&path, "/proc/%d", pid);
	text_print(&number, "%d", pid);
	path.bytes[path.length] = number.bytes[number.length] = '\0';
	process = open_process(path.bytes, fault);
	if (process < 0)
		return -1;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]) && status == 0; i++)
		status = write_one(box, process, &maps[i], &number, patience, fault);
	sys_close(process);
	return status;
}

/* ---- the workload's user namespace ---- */

static int hold(void *argument)
{
	(void)argument;
	while (sys_ppoll(NULL, 0, NULL) == -EINTR)
		;
	sys_exit_group(0);
}

static int map_holder(const struct box *box, int process, struct fault *fault)
{
	int users, error = write_map(process, "uid_map", box->nested_uid_map);

	if (error == 0)
		error = write_map(process, "gid_map", box->nested_gid_map);
	if (error < 0)
		return fault_errno(fault, NESTED, "id map", error);
	users = sys_openat(process, "ns/user", O_RDONLY | O_CLOEXEC, 0);
	return users < 0 ? fault_errno(fault, NESTED, "ns/user", users) : users;
}

/* More than one line is for a process in the parent namespace to write. The new one lasts as long as its
 * descriptor, the process that came with it does not. */
int mapper_nest(const struct box *box, int proc, struct fault *fault)
{
	struct text path = { 0 };
	int process, status, users = -1;
	int pid = clone_child(hold, NULL, box->workload_stack, CLONE_VM | CLONE_NEWUSER, NULL);

	if (pid < 0)
		return fault_errno(fault, NESTED, "clone", pid);
	text_print(&path, "%d", pid);
	path.bytes[path.length] = '\0';
	process = sys_openat(proc, path.bytes, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (process >= 0) {
		users = map_holder(box, process, fault);
		sys_close(process);
	} else {
		fault_errno(fault, NESTED, "process", process);
	}
	sys_kill(pid, SIGKILL);
	sys_wait4(pid, &status, WAIT_ANY_KIND);
	return users;
}
