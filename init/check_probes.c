/* SPDX-License-Identifier: MIT */
/* The probes. Each runs in a process of its own, so it may do with that what it likes. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "filters/landlock.h"
#include "init/check.h"
#include "init/personality.h"
#include "mountns/sys.h"

#ifndef __NR_clone3
#define __NR_clone3 435
#endif

#define SET_INTERFACE_FLAGS 0x8914UL /* SIOCSIFFLAGS of <linux/sockios.h> */
#define WAIT_ANY_KIND 0x40000000     /* __WALL of wait(2) */
#define ALL_NAMESPACES                                                                             \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |                \
	 CLONE_NEWCGROUP | CLONE_NEWNET)

int probe_note(struct finding *finding, const char *step, int call, unsigned long flags, int error)
{
	if (error >= 0)
		return 0;
	finding->step = step;
	finding->error = -error;
	finding->call = call;
	finding->flags = flags;
	finding->again = call >= 0 ? call_badly(call, flags) : 0;
	return -1;
}

int probe_reason(struct finding *finding, const char *step, const char *by, const char *reason,
		 const char *remedy)
{
	finding->step = step;
	finding->by = by;
	finding->reason = reason;
	finding->remedy = remedy;
	return -1;
}

/* As fork(2): on a copy of this very stack. */
int probe_start(int (*main)(void *argument), void *argument, unsigned long flags)
{
	int pid = (int)sys_call(__NR_clone, (long)(flags | SIGCHLD), 0, 0, 0, 0, 0);

	if (pid == 0)
		sys_exit_group(main(argument));
	return pid;
}

int probe_child(int (*main)(void *argument), void *argument, unsigned long flags)
{
	int status, pid = probe_start(main, argument, flags);

	if (pid < 0)
		return pid;
	sys_wait4(pid, &status, WAIT_ANY_KIND);
	return 0;
}

/* ---- namespaces ---- */

static int exit_at_once(void *argument)
{
	(void)argument;
	sys_exit_group(0);
}

static void probe_namespace(const struct probe *probe, struct finding *finding)
{
	probe_note(finding, "clone", __NR_clone, probe->flags,
		   probe_child(exit_at_once, NULL, probe->flags));
}

/* ---- in a user namespace with others ---- */

static int write_file(const char *path, const char *text)
{
	int fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	long error = fd;

	if (fd >= 0) {
		error = sys_write(fd, text, strlen(text));
		sys_close(fd);
	}
	return error < 0 ? (int)error : 0;
}

/* Root there is the caller here. */
static int map_ids(struct finding *finding, uint32_t uid, uint32_t gid)
{
	struct text users = { 0 }, groups = { 0 };

	text_add(&users, "0 ");
	text_number(&users, uid);
	text_add(&users, " 1");
	text_add(&groups, "0 ");
	text_number(&groups, gid);
	text_add(&groups, " 1");
	users.bytes[users.length] = groups.bytes[groups.length] = '\0';
	if (probe_note(finding, "setgroups", -1, CLONE_NEWUSER,
		       write_file("/proc/self/setgroups", "deny")) != 0 ||
	    probe_note(finding, "uid_map", -1, CLONE_NEWUSER,
		       write_file("/proc/self/uid_map", users.bytes)) != 0)
		return -1;
	return probe_note(finding, "gid_map", -1, CLONE_NEWUSER,
			  write_file("/proc/self/gid_map", groups.bytes));
}

static int cut_off(struct finding *finding)
{
	return probe_note(finding, "mount", __NR_mount, 0,
			  sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE));
}

/* That is done for all who mount. */
static int cut_off_alone(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	(void)finding;
	return 0;
}

struct inside {
	const struct probe *probe;
	struct finding *finding;
	uint32_t uid, gid;
	bool owned; /* there is a user namespace */
};

static int run_inside(void *argument)
{
	const struct inside *inside = argument;
	struct finding *finding = inside->finding;
	probe_steps *steps = inside->probe->steps;

	/* What another probe finds is not this one's. */
	if (inside->owned && map_ids(finding, inside->uid, inside->gid) != 0) {
		if (steps != NULL)
			*finding = (struct finding){ .call = -1, .needs = "id map" };
	} else if ((inside->probe->flags & CLONE_NEWNS) != 0 && cut_off(finding) != 0) {
		if (steps != cut_off_alone)
			*finding = (struct finding){ .call = -1, .needs = "private" };
	} else if (steps != NULL) {
		steps(inside->probe, finding);
	}
	finding->flags |= inside->owned ? CLONE_NEWUSER : 0;
	finding->ended = true;
	sys_exit_group(0);
}

/* STEPS in the namespaces of FLAGS; without the user namespace where that is not to be had. */
static void probe_inside(const struct probe *probe, struct finding *finding)
{
	struct inside inside = { probe, finding, (uint32_t)sys_getuid(), (uint32_t)sys_getgid(),
				 true };
	int error = probe_child(run_inside, &inside, probe->flags);

	inside.owned = false;
	if (error < 0 && probe->steps != NULL)
		error = probe_child(run_inside, &inside,
				    probe->flags & ~(unsigned long)CLONE_NEWUSER);
	if (error < 0)
		finding->needs = "user";
	else if (!finding->ended)
		sys_exit_group(1);
}

static int nest(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	return probe_note(finding, "clone", __NR_clone, CLONE_NEWUSER,
			  probe_child(exit_at_once, NULL, CLONE_NEWUSER));
}

static int name_host(const struct probe *probe, struct finding *finding)
{
	return probe_note(finding, "sethostname", __NR_sethostname, probe->flags,
			  sys_sethostname("nestbox", 7));
}

static int raise_loopback(const struct probe *probe, struct finding *finding)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);

	if (probe_note(finding, "socket", -1, probe->flags, fd) != 0)
		return -1;
	return probe_note(finding, "ioctl", -1, probe->flags,
			  sys_ioctl(fd, SET_INTERFACE_FLAGS, &request));
}

/* ---- filters and rules ---- */

static void probe_no_new_privs(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	probe_note(finding, "prctl", __NR_prctl, PR_SET_NO_NEW_PRIVS,
		   sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0));
}

static void probe_seccomp(const struct probe *probe, struct finding *finding)
{
	struct sock_filter allow = { .code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW };
	const struct sock_fprog program = { 1, &allow };

	(void)probe;
	sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	probe_note(finding, "seccomp", __NR_seccomp, 0,
		   sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program));
}

/* The rules are on only if they hold: what is not granted, which is all, cannot be opened. */
static void probe_landlock(const struct probe *probe, struct finding *finding)
{
	struct landlock landlock = { .abi = sys_landlock_create_ruleset(NULL, 0, 1) };
	int fd;

	(void)probe;
	if (probe_note(finding, "landlock_create_ruleset", __NR_landlock_create_ruleset, 0,
		       landlock.abi) != 0)
		return;
	finding->value = landlock.abi;
	landlock.handled = landlock_known(landlock.abi);
	sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	if (probe_note(finding, "landlock_create_ruleset", __NR_landlock_create_ruleset, 0,
		       landlock_create(&landlock)) != 0 ||
	    probe_note(finding, "landlock_restrict_self", __NR_landlock_restrict_self, 0,
		       landlock_restrict(&landlock)) != 0)
		return;
	fd = sys_openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd >= 0)
		probe_reason(finding, "landlock_restrict_self", "", "its rules do not hold", "");
}

/* ---- single calls ---- */

static void probe_openat2(const struct probe *probe, struct finding *finding)
{
	const struct kernel_open_how how = { .flags = O_PATH | O_CLOEXEC,
					     .resolve = RESOLVE_BENEATH };
	int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	(void)probe;
	probe_note(finding, "openat2", __NR_openat2, 0, sys_openat2(root, ".", &how));
}

static void probe_clone3(const struct probe *probe, struct finding *finding)
{
	uint64_t arguments[8] = { [4] = SIGCHLD }; /* struct clone_args of clone(2) */
	int status;
	long pid = sys_call(__NR_clone3, SYS_P(arguments), sizeof(arguments), 0, 0, 0, 0);

	(void)probe;
	if (pid == 0)
		sys_exit_group(0);
	if (probe_note(finding, "clone3", __NR_clone3, 0, (int)pid) == 0)
		sys_wait4((int)pid, &status, 0);
}

static void probe_pidfd(const struct probe *probe, struct finding *finding)
{
	int pidfd = sys_pidfd_open(sys_getpid());

	if (probe_note(finding, "pidfd_open", __NR_pidfd_open, 0, pidfd) != 0) {
		if (probe->flags == __NR_pidfd_getfd)
			*finding = (struct finding){ .call = -1, .needs = "pidfd_open" };
		return;
	}
	if (probe->flags == __NR_pidfd_getfd)
		probe_note(finding, "pidfd_getfd", __NR_pidfd_getfd, 0,
			   sys_pidfd_getfd(pidfd, pidfd));
}

static void probe_close_range(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	probe_note(finding, "close_range", __NR_close_range, 0,
		   sys_close_range(UINT32_MAX - 1, UINT32_MAX));
}

static void probe_readv(const struct probe *probe, struct finding *finding)
{
	char from = 'x', to = '\0';
	const struct kernel_iovec local = { &to, 1 }, remote = { &from, 1 };

	(void)probe;
	probe_note(finding, "process_vm_readv", __NR_process_vm_readv, 0,
		   (int)sys_process_vm_readv(sys_getpid(), &local, &remote));
}

/* ---- whole boxes ---- */

#define NOT_THERE "/nestbox--check"

/* That there is no such command is what a box says last of all: it stands then. Standard error leads to
 * FINDING's message. */
static void probe_box(const struct probe *probe, struct finding *finding)
{
	char *kinds[][6] = {
		{ "nestbox", "--", NOT_THERE, NULL },
		{ "nestbox", "--tmpfs", "/proc", "--", NOT_THERE, NULL },
		{ "nestbox", "--fallback", "--", NOT_THERE, NULL },
	};
	struct plan plan;
	struct fault fault;
	int status;

	finding->value = EXIT_NESTBOX;
	if (init_parse(&plan, 0, kinds[probe->flags], &fault) == 0)
		finding->value = init_run(&plan);
	if (finding->value != EXIT_NOT_FOUND)
		finding->step = "start";
	/* An init leaves a command that has never run to whoever is above it. */
	while (sys_wait4(-1, &status, 0) > 0)
		;
}

/* ---- the table ---- */

#define WITH_USER(name, flag)                                                                      \
	{                                                                                          \
		"user+" name, PROBES_USER, 0, probe_namespace, CLONE_NEWUSER | (flag), NULL, NULL  \
	}
#define ALONE(name, flag)                                                                          \
	{                                                                                          \
		name, PROBES_ALONE, 0, probe_namespace, flag, NULL, NULL                           \
	}
#define INSIDE(name, group, since, flag, steps, type)                                              \
	{                                                                                          \
		name, group, since, probe_inside, CLONE_NEWUSER | (flag), steps, type              \
	}
#define MOUNT(name, since, steps, type)                                                            \
	INSIDE(name, PROBES_MOUNTS, since, CLONE_NEWNS | CLONE_NEWPID, steps, type)
#define CALL(name, since, run)                                                                     \
	{                                                                                          \
		name, PROBES_CALLS, since, run, 0, NULL, NULL                                      \
	}
#define LISTENER(name, since, run, flag)                                                           \
	{                                                                                          \
		name, PROBES_CALLS, since, run, flag, NULL, NULL                                   \
	}

const struct probe probes[] = {
	{ "user", PROBES_USER, 0, probe_namespace, CLONE_NEWUSER, NULL, NULL },
	WITH_USER("mount", CLONE_NEWNS),
	WITH_USER("pid", CLONE_NEWPID),
	WITH_USER("ipc", CLONE_NEWIPC),
	WITH_USER("uts", CLONE_NEWUTS),
	WITH_USER("cgroup", CLONE_NEWCGROUP),
	WITH_USER("net", CLONE_NEWNET),
	WITH_USER("all", ALL_NAMESPACES),
	INSIDE("id map", PROBES_USER, 0, 0, NULL, NULL),
	INSIDE("nested user", PROBES_USER, 0, 0, nest, NULL),
	INSIDE("hostname", PROBES_USER, 0, CLONE_NEWUTS, name_host, NULL),
	INSIDE("loopback", PROBES_USER, 0, CLONE_NEWNET, raise_loopback, NULL),
	ALONE("mount", CLONE_NEWNS),
	ALONE("pid", CLONE_NEWPID),
	ALONE("ipc", CLONE_NEWIPC),
	ALONE("uts", CLONE_NEWUTS),
	ALONE("cgroup", CLONE_NEWCGROUP),
	ALONE("net", CLONE_NEWNET),
	MOUNT("private", 0, cut_off_alone, NULL),
	MOUNT("tmpfs", 0, probe_tmpfs, "tmpfs"),
	MOUNT("bind", 0, probe_bind, NULL),
	MOUNT("read-only remount", 0, probe_remount, NULL),
	MOUNT("open_tree", LINUX(5, 2), probe_tree, "open_tree"),
	MOUNT("fsopen", LINUX(5, 2), probe_tree, "fsopen"),
	MOUNT("mount_setattr", LINUX(5, 12), probe_tree, "mount_setattr"),
	MOUNT("move_mount", LINUX(5, 2), probe_tree, "move_mount"),
	MOUNT("pivot_root", 0, probe_pivot, NULL),
	MOUNT("chroot", 0, probe_chroot, NULL),
	MOUNT("proc", 0, probe_file_system, "proc"),
	MOUNT("proc subset=pid", LINUX(5, 8), probe_file_system, "proc"),
	MOUNT("devpts", 0, probe_file_system, "devpts"),
	INSIDE("mqueue", PROBES_MOUNTS, 0, CLONE_NEWNS | CLONE_NEWIPC, probe_file_system, "mqueue"),
	MOUNT("overlay", LINUX(5, 11), probe_overlay, "overlay"),
	CALL("no_new_privs", 0, probe_no_new_privs),
	CALL("seccomp filter", 0, probe_seccomp),
	LISTENER("NEW_LISTENER", LINUX(5, 0), probe_listener, 1UL << 3),
	LISTENER("WAIT_KILLABLE_RECV", LINUX(5, 19), probe_listener, 1UL << 3 | 1UL << 5),
	LISTENER("ADDFD", LINUX(5, 9), probe_add_fd, 0),
	LISTENER("ADDFD_SEND", LINUX(5, 14), probe_add_fd, 1UL << 1),
	LISTENER("SYNC_WAKE_UP", LINUX(6, 6), probe_listener, 0),
	CALL("landlock", LINUX(5, 13), probe_landlock),
	CALL("openat2", LINUX(5, 6), probe_openat2),
	CALL("clone3", LINUX(5, 3), probe_clone3),
	CALL("pidfd_open", LINUX(5, 3), probe_pidfd),
	{ "pidfd_getfd", PROBES_CALLS, LINUX(5, 6), probe_pidfd, __NR_pidfd_getfd, NULL, NULL },
	CALL("close_range", LINUX(5, 9), probe_close_range),
	CALL("process_vm_readv", 0, probe_readv),
	{ "cgroup v2", PROBES_HOST, 0, probe_cgroup, 0, NULL, NULL },
	{ "uid range", PROBES_HOST, 0, probe_id_range, 0, NULL, NULL },
	{ "gid range", PROBES_HOST, 0, probe_id_range, 1, NULL, NULL },
	{ "default box", PROBES_BOX, 0, probe_box, 0, NULL, NULL },
	{ "box without /proc", PROBES_BOX, 0, probe_box, 1, NULL, NULL },
	{ "fallback", PROBES_BOX, 0, probe_box, 2, NULL, NULL },
};
const size_t probe_count = sizeof(probes) / sizeof(probes[0]);

const struct probe *probe_find(const char *name)
{
	for (size_t i = 0; i < probe_count; i++)
		if (strcmp(probes[i].name, name) == 0)
			return &probes[i];
	return NULL;
}
