/* SPDX-License-Identifier: MIT */
/*
 * PID 1 of the box. Setting up is a straight list in which every failure is final: the namespaces
 * die with it, nothing has to be undone. Once the workload runs, nothing is final any more: whatever
 * the workload does, PID 1 reaps, forwards and reports.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "filters/filter.h"
#include "init/box.h"
#include "init/clone.h"
#include "init/descriptors.h"
#include "init/listener.h"
#include "init/mapper.h"
#include "init/reaper.h"
#include "init/report.h"
#include "init/walls.h"
#include "mountns/resolve.h"
#include "mountns/sys.h"

#define SET_INTERFACE_FLAGS 0x8914UL /* SIOCSIFFLAGS of <linux/sockios.h> */
#define WAIT_ANY_KIND 0x40000000     /* __WALL: also for a child that sends no SIGCHLD, wait(2) */

/*
 * The kernel kills PID 1 when the launcher dies. If the launcher died before that was arranged, the
 * report pipe has lost its reader; our own copy of that end must be closed to see it.
 */
static int die_with_launcher(const struct box *box, struct fault *fault)
{
	struct pollfd pipe = { .fd = box->report[1] };
	const struct kernel_timespec now = { 0 };
	int error = 0;

	sys_close(box->report[0]);
	if (box->plan->loose && !box->plan->die_with_parent)
		return 0;
	error = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
	if (error == 0)
		error = sys_ppoll(&pipe, 1, &now);
	if (error < 0)
		return fault_errno(fault, "parent death signal", "", error);
	if (pipe.revents & (POLLERR | POLLHUP))
		sys_exit_group(EXIT_NESTBOX);
	return 0;
}

/* In the caller's process group the box could signal it: kill(0, SIGKILL) knows no namespace. */
static int leave_group(const struct box *box, struct fault *fault)
{
	int error = 0;

	if (!box->plan->loose)
		error = box->own_session ? sys_setsid() : sys_setpgid(0, 0);
	return error < 0 ? fault_errno(fault, "process group", "", error) : 0;
}

/* Which of the box's namespaces are its own: from in here nobody can be taken for another process. */
static int tell_namespaces(const struct box *box, struct fault *fault)
{
	static const struct {
		const char *path;
		unsigned int flag;
	} files[INFO_NAMESPACES] = {
		{ "/proc/self/ns/cgroup", CLONE_NEWCGROUP }, { "/proc/self/ns/ipc", CLONE_NEWIPC },
		{ "/proc/self/ns/mnt", CLONE_NEWNS },        { "/proc/self/ns/net", CLONE_NEWNET },
		{ "/proc/self/ns/pid", CLONE_NEWPID },       { "/proc/self/ns/uts", CLONE_NEWUTS },
	};
	uint64_t ids[INFO_NAMESPACES] = { 0 };
	struct kernel_statx stat;

	for (size_t i = 0; i < INFO_NAMESPACES && box->tells; i++) {
		int error;

		if (((box->namespaces | CLONE_NEWNS) & files[i].flag) == 0)
			continue;
		error = sys_statx(AT_FDCWD, files[i].path, 0, &stat);
		if (error < 0)
			return fault_errno(fault, "info", files[i].path, error);
		ids[i] = stat.inode;
	}
	if (box->tells)
		report_namespaces(box->report[1], ids);
	return 0;
}

/* What the host mounts from now on must not appear here, and the other way round. */
static int cut_propagation(struct fault *fault)
{
	int error = sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE);

	return error < 0 ? fault_errno(fault, "mount propagation", "/", error) : 0;
}

static int name_host(const struct box *box, struct fault *fault)
{
	const char *name = box->plan->hostname;
	int error;

	if (name == NULL)
		return 0;
	/* It would be the host's. */
	if ((box->namespaces & CLONE_NEWUTS) == 0)
		return fault_text(fault, "hostname", name, "needs a UTS namespace");
	error = sys_sethostname(name, strlen(name));
	return error < 0 ? fault_errno(fault, "hostname", name, error) : 0;
}

/* The address comes with the interface: netdevice(7). */
static int raise_loopback(struct fault *fault)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int error, fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);

	/* A kernel without IPv4 has no loopback to raise. */
	if (fd == -EAFNOSUPPORT)
		return 0;
	error = fd < 0 ? fd : sys_ioctl(fd, SET_INTERFACE_FLAGS, &request);
	if (fd >= 0)
		sys_close(fd);
	return error < 0 ? fault_errno(fault, "network", "lo", error) : 0;
}

static int make_network(const struct box *box, struct fault *fault)
{
	int error = sys_unshare(CLONE_NEWNET);

	if (error == 0)
		return raise_loopback(fault);
	fault_errno(fault, "network", "namespace", error);
	*box->lost_network = true; /* for the filters, in this memory */
	return wall_missing(box, WALL_NET, fault);
}

/* The view, built by a helper that shares memory, descriptors and the mount namespace with us. */
struct construction {
	const struct view *view;
	struct built built;
	struct fault fault;
};

static int build_main(void *argument)
{
	struct construction *construction = argument;

	sys_exit_group(
		mountns_build(construction->view, &construction->built, &construction->fault) == 0
			? 0
			: 1);
}

/*
 * A network namespace takes the kernel as long as all our mounts together, and neither needs the
 * other: two processors do both at once. The helper is gone before anything else happens.
 */
static int build_all(const struct box *box, struct built *built, struct fault *fault)
{
	struct construction construction = { .view = &box->view };
	int helper, status = 0, network;

	if ((box->namespaces & CLONE_NEWNET) == 0)
		return mountns_build(&box->view, built, fault);
	if (!box->parallel) /* it is there already */
		return raise_loopback(fault) != 0 ? -1 : mountns_build(&box->view, built, fault);
	helper = clone_child(build_main, &construction, box->workload_stack, CLONE_VM | CLONE_FILES,
			     NULL);
	if (helper < 0)
		return fault_errno(fault, "start", "clone", helper);
	network = make_network(box, fault);
	if (sys_wait4(helper, &status, WAIT_ANY_KIND) != helper)
		return fault_text(fault, "start", "", "the builder of the view is lost");
	if (network != 0)
		return -1;
	*built = construction.built;
	if (status == 0)
		return 0;
	*fault = construction.fault;
	return WIFEXITED(status)
		       ? -1
		       : fault_text(fault, "start", "", "the builder of the view was killed");
}

/* fcntl_locking(2): such a lock is the process's, and goes with it. The file may be the work of an earlier
 * box: a link of procfs would lead through our descriptors to the host, a FIFO would keep us waiting. */
static int lock_files(const struct box *box, const struct built *built, struct fault *fault)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct resolver resolver = { .root = built->root };
	const struct plan *plan = box->plan;

	for (size_t i = 0; i < plan->lock_file_count; i++) {
		const char *path = plan->lock_files[i];
		int error, fd = resolve_open(&resolver, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0,
					     RESOLVE_INSIDE);

		if (fd < 0)
			return fault_errno(fault, "open lock file", path, fd);
		error = sys_fcntl(fd, F_SETLK, SYS_P(&lock));
		if (error < 0)
			return fault_errno(fault, "lock file", path, error);
		box->pid1_fds[i] = fd;
	}
	return 0;
}

/* One namespace more for the workload's own, and none for whatever rights it has there; none at all for a
 * workload that shares this one. That limit counts all below, and belongs to this one: namespaces(7), "The
 * /proc/sys/user directory". */
static int limit_user_namespaces(const struct box *box, const struct built *built,
				 struct fault *fault)
{
	static const char path[] = "user/max_user_namespaces";
	int fd = -1;
	long error;

	bool shared = !box->nested && !box->plan->map_caller && (box->namespaces & CLONE_NEWUSER);

	if (box->plan->allow_userns || (!shared && (!box->plan->disable_userns || !box->nested)))
		return 0;
	error = fd = sys_openat(built->sys, path, O_WRONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		error = sys_write(fd, shared ? "0" : "1", 1);
		sys_close(fd);
	}
	return error < 0 ? fault_errno(fault, "disable-userns", path, (int)error) : 0;
}

/* What forbids user namespaces in the workload's own, where the limit of that cannot be written. */
static int replace_limit(const struct box *box, struct built *built, struct fault *fault)
{
	if (!built->borrowed || !box->nested || box->plan->map_caller || box->plan->allow_userns)
		return 0;
	return mountns_set_apart(built, fault);
}

/* The child runs on our memory until it execs, while we wait; or we are what is to exec. */
static int start_workload(const struct box *box, const struct built *built, mode_t umask,
			  struct fault *fault)
{
	struct workload workload = { .box = box, .built = built, .users = -1, .umask = umask };
	unsigned long flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	int pid;

	if (box->launcher_maps && (workload.users = mapper_nest(box, built->proc, fault)) < 0)
		return -1;
	if (!box->reaper)
		workload_main(&workload);
	if (box->nested && workload.users < 0)
		flags |= CLONE_NEWUSER;
	pid = clone_child(workload_main, &workload, box->workload_stack, flags, NULL);
	if (workload.failed)
		report_fault(box->report[1], workload.failure, &workload.fault);
	return pid < 0 ? fault_errno(fault, "nested user namespace", "clone", pid) : pid;
}

/* With capabilities over these mounts the workload could take the new root away from above the old one. Who
 * has had them outside the box as well is held by nothing here. */
static bool may_chroot(const struct box *box)
{
	bool own = (box->namespaces & CLONE_NEWUSER) != 0 || box->plan->fds[FD_USERNS] >= 0;

	return !own || box->nested || box->plan->capabilities == 0;
}

static int set_up(const struct box *box, struct fault *fault)
{
	/* What is made for the box has the modes that we say; the workload gets it back. */
	mode_t umask = sys_umask(0);
	struct built built;

	if (die_with_launcher(box, fault) != 0 || /* nothing may outlive it from here on */
	    leave_group(box, fault) != 0 ||       /* while nobody else is in the box */
	    tell_namespaces(box, fault) != 0 ||
	    mapper_map_own(box, fault) != 0 || /* through the host's /proc */
	    cut_propagation(fault) != 0 ||     /* before the first mount */
	    listener_give_host(box, fault) != 0 || name_host(box, fault) != 0 || /* needs root */
	    build_all(box, &built, fault) != 0 || /* while the host's paths are there */
	    mountns_enter(built.root, may_chroot(box), fault) != 0 ||
	    listener_give_mounts(box, fault) != 0 ||
	    lock_files(box, &built, fault) != 0 || /* paths in the box */
	    limit_user_namespaces(box, &built, fault) != 0 ||
	    replace_limit(box, &built, fault) != 0 || /* "/" is another one now */
	    box_wait_for_caller(box->plan, fault) != 0)
		return -1;
	return start_workload(box, &built, umask, fault);
}

/* What PID 1 has to hold until the end of the box. */
static int close_rest(const struct box *box)
{
	size_t count = box->plan->lock_file_count;

	box->pid1_fds[count++] = box->report[1];
	box->pid1_fds[count++] = box->plan->fds[FD_SYNC];
	descriptors_sort(box->pid1_fds, count);
	return descriptors_close_but(0, box->pid1_fds, count);
}

/*
 * Who asked for its number may want to enter its namespaces, so the memory of such a PID 1, which is nobody
 * else's, is opened again. A workload in the same user namespace could trace it then, unless PID 1 is
 * permitted something that the workload is not: ptrace(2), "Ptrace access mode checking". That is one
 * capability, which takes no effect, and never can under the filter. Returns 0, or -errno.
 */
static int drop_capabilities(const struct box *box, bool *open)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	struct kernel_cap_data data[2] = { 0 };
	uint64_t kept = box->plan->capabilities, more;
	int error;

	*open = box->tells;
	if (!*open || box->nested)
		return sys_capset(&header, data);
	error = sys_capget(&header, data);
	more = ((uint64_t)data[1].permitted << 32 | data[0].permitted) & ~kept;
	*open = more != 0 && (kept >> CAP_SYS_PTRACE & 1) == 0;
	/* The lowest bit alone. */
	more = *open ? more & -more : 0;
	data[0] = (struct kernel_cap_data){ .permitted = (uint32_t)more };
	data[1] = (struct kernel_cap_data){ .permitted = (uint32_t)(more >> 32) };
	return error < 0 ? error : sys_capset(&header, data);
}

/* From now on there is something to be attacked: keep nothing that reaping does not need. */
static int confine(const struct box *box, struct fault *fault)
{
	const struct sock_fprog program = { filter_pid1.len,
					    (struct sock_filter *)(uintptr_t)filter_pid1.code };
	bool open;
	int error;

	if (box->old_environment.size > 0)
		memset(box->old_environment.start, 0, box->old_environment.size);
	error = close_rest(box);
	if (error < 0)
		return fault_errno(fault, "close_range", "PID 1", error);
	error = drop_capabilities(box, &open);
	if (error < 0) {
		fault_errno(fault, "capabilities", "PID 1", error);
		if (wall_missing(box, WALL_CAPABILITIES, fault) != 0)
			return -1;
		open = false;
	}
	error = open ? sys_prctl(PR_SET_DUMPABLE, 1, 0) : 0;
	if (error == 0)
		error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	if (error < 0)
		return fault_errno(fault, "no_new_privs", "PID 1", error);
	error = sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
	if (error == 0)
		return 0;
	fault_errno(fault, "seccomp", "PID 1", error);
	return wall_missing(box, WALL_SECCOMP, fault);
}

/* A loose box goes on without its workload, as long as somebody is left in it. */
static _Noreturn void linger(int status)
{
	int ignored, pid;

	do {
		pid = sys_wait4(-1, &ignored, 0);
	} while (pid > 0 || pid == -EINTR);
	sys_exit_group(report_exit_status(status));
}

static _Noreturn void end(const struct box *box, int status)
{
	report_send(box->report[1], REPORT_ENDED, status);
	if (box->plan->loose)
		linger(status);
	/* The kernel kills what is left in the box: pid_namespaces(7). */
	sys_exit_group(report_exit_status(status));
}

/* Its shell, if it has one, is out there. */
static void report_stop(struct reaper *reaper, int status)
{
	const struct box *box = reaper->context;

	report_send(box->report[1], REPORT_STOPPED, status);
}

/*
 * Only who is outside the box has no pid in it. Two calls write a code that nobody inside can claim
 * for another process, rt_sigqueueinfo(2): kill, which is meant for the workload, and tgkill, with
 * which the launcher means all of the box's process group. What a terminal sends to that group has
 * neither code, and has reached the workload already.
 */
static enum reaper_target route(struct reaper *reaper, const siginfo_t *info)
{
	if (reaper->plan->loose || info->si_pid != 0)
		return TARGET_NOBODY;
	if (info->si_code == SI_USER)
		return TARGET_CHILD;
	return info->si_code == SI_TKILL ? TARGET_GROUP : TARGET_NOBODY;
}

static _Noreturn void serve(const struct box *box, int workload)
{
	struct reaper reaper = {
		.plan = box->plan,
		.child = workload,
		/* Ours is the box's: leave_group(). */
		.group = box->plan->new_session ? -workload : 0,
		.owns_all = (box->namespaces & CLONE_NEWPID) != 0,
		.owns_stops = !box->plan->loose,
		.route = route,
		.stopped = report_stop,
		.context = box,
	};

	reaper_serve(&reaper);
	end(box, reaper.status);
}

int pid1_main(void *argument)
{
	const struct box *box = argument;
	struct fault fault;
	int workload = set_up(box, &fault);

	if (workload < 0 || confine(box, &fault) != 0) {
		report_fault(box->report[1], REPORT_SETUP_FAILED, &fault);
		sys_exit_group(EXIT_NESTBOX);
	}
	if (box->plan->fds[FD_STATUS] >= 0 || box->plan->fallback)
		report_send(box->report[1], REPORT_STARTED, 0);
	serve(box, workload);
}
