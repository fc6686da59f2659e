/* SPDX-License-Identifier: MIT */
/*
 * PID 1 of the box. Setting up is a straight list in which every failure is final: the namespaces
 * die with it, nothing has to be undone. Once the workload runs, nothing is final any more: whatever
 * the workload does, PID 1 reaps, forwards and reports.
 */
#include <errno.h>
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
#include "init/report.h"
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
	int error = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);

	if (error < 0)
		return fault_errno(fault, "parent death signal", "", error);
	sys_close(box->report[0]);
	error = sys_ppoll(&pipe, 1, &now);
	if (error < 0)
		return fault_errno(fault, "parent death signal", "", error);
	if (pipe.revents & POLLERR)
		sys_exit_group(EXIT_NESTBOX);
	return 0;
}

/* In the caller's process group the box could signal it: kill(0, SIGKILL) knows no namespace. */
static int leave_group(const struct box *box, struct fault *fault)
{
	int error = box->own_session ? sys_setsid() : sys_setpgid(0, 0);

	return error < 0 ? fault_errno(fault, "process group", "", error) : 0;
}

/* Nothing may be mounted over the file, and no link stand there: it must be the kernel's. */
static int write_map(int self, const char *name, const char *text, struct fault *fault)
{
	const struct kernel_open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = sys_openat2(self, name, &how);
	long error = fd;

	if (fd >= 0) {
		error = sys_write(fd, text, strlen(text));
		sys_close(fd);
	}
	return error < 0 ? fault_errno(fault, "id map", name, (int)error) : 0;
}

/* user_namespaces(7): one write a map, and setgroups denied first. */
static int become_root(const struct box *box, struct fault *fault)
{
	int self = sys_openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	int status;

	if (self < 0)
		return fault_errno(fault, "id map", "/proc/self", self);
	if (sys_filesystem_type(self) != PROC_MAGIC)
		return fault_text(fault, "id map", "/proc", "is not a procfs");
	status = write_map(self, "setgroups", "deny", fault) != 0 ||
		 write_map(self, "uid_map", box->uid_map, fault) != 0 ||
		 write_map(self, "gid_map", box->gid_map, fault) != 0;
	sys_close(self);
	if (status != 0)
		return -1;
	/* Whatever those files were, the ids must have changed. */
	if (sys_getuid() != 0 || sys_getgid() != 0)
		return fault_text(fault, "id map", "/proc/self", "is not this process's");
	return 0;
}

/* What the host mounts from now on must not appear here, and the other way round. */
static int cut_propagation(struct fault *fault)
{
	int error = sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE);

	return error < 0 ? fault_errno(fault, "mount propagation", "/", error) : 0;
}

static int name_host(const struct plan *plan, struct fault *fault)
{
	int error = 0;

	if (plan->hostname != NULL)
		error = sys_sethostname(plan->hostname, strlen(plan->hostname));
	return error < 0 ? fault_errno(fault, "hostname", plan->hostname, error) : 0;
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

static int make_network(struct fault *fault)
{
	int error = sys_unshare(CLONE_NEWNET);

	return error < 0 ? fault_errno(fault, "network", "namespace", error)
			 : raise_loopback(fault);
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

	if (box->plan->share_net)
		return mountns_build(&box->view, built, fault);
	helper = clone_child(build_main, &construction, box->workload_stack, CLONE_VM | CLONE_FILES,
			     NULL);
	if (helper < 0)
		return fault_errno(fault, "start", "clone", helper);
	network = make_network(fault);
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

/* The child runs on our memory until it execs, while we wait. */
static int start_workload(const struct box *box, const struct built *built, mode_t umask,
			  struct fault *fault)
{
	struct workload workload = { .box = box, .built = built, .umask = umask };
	int pid = clone_child(workload_main, &workload, box->workload_stack,
			      CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | SIGCHLD, NULL);

	return pid < 0 ? fault_errno(fault, "nested user namespace", "clone", pid) : pid;
}

static int set_up(const struct box *box, struct fault *fault)
{
	/* What is made for the box has the modes that we say; the workload gets it back. */
	mode_t umask = sys_umask(0);
	struct built built;

	if (die_with_launcher(box, fault) != 0 ||  /* nothing may outlive it from here on */
	    leave_group(box, fault) != 0 ||        /* while nobody else is in the box */
	    become_root(box, fault) != 0 ||        /* through the host's /proc */
	    cut_propagation(fault) != 0 ||         /* before the first mount */
	    name_host(box->plan, fault) != 0 ||    /* needs root */
	    build_all(box, &built, fault) != 0 ||  /* while the host's paths are there */
	    mountns_enter(built.root, fault) != 0) /* clone(2): no namespace in a chroot */
		return -1;
	return start_workload(box, &built, umask, fault);
}

/* From now on there is something to be attacked: keep nothing that reaping does not need. */
static int confine(const struct box *box, struct fault *fault)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const struct kernel_cap_data none[2] = { 0 };
	const struct sock_fprog program = { filter_pid1.len,
					    (struct sock_filter *)(uintptr_t)filter_pid1.code };
	unsigned int report = (unsigned int)box->report[1];
	int error;

	if (box->old_environment.size > 0)
		memset(box->old_environment.start, 0, box->old_environment.size);
	error = sys_close_range(0, report - 1);
	if (error == 0)
		error = sys_close_range(report + 1, ~0U);
	if (error < 0)
		return fault_errno(fault, "close_range", "PID 1", error);
	error = sys_capset(&header, none);
	if (error < 0)
		return fault_errno(fault, "capabilities", "PID 1", error);
	error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	if (error == 0)
		error = sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
	return error < 0 ? fault_errno(fault, "seccomp", "PID 1", error) : 0;
}

static _Noreturn void end(const struct box *box, int status)
{
	report_send(box->report[1], REPORT_ENDED, status);
	/* The kernel kills what is left in the box: pid_namespaces(7). */
	sys_exit_group(report_exit_status(status));
}

static void reap(const struct box *box, int workload)
{
	int status, pid;

	while ((pid = sys_wait4(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid == workload && WIFSTOPPED(status))
			report_send(box->report[1], REPORT_STOPPED, status);
		else if (pid == workload)
			end(box, status);
	}
}

/*
 * Only who is outside the box has no pid in it. Two calls write a code that nobody inside can claim
 * for another process, rt_sigqueueinfo(2): kill, which is meant for the workload, and tgkill, with
 * which the launcher means all of the box's process group. What a terminal sends to that group has
 * neither code, and has reached the workload already.
 */
static void forward(int workload, const siginfo_t *info)
{
	if (info->si_pid != 0 || info->si_signo == SIGCHLD)
		return;
	if (info->si_code == SI_USER)
		sys_kill(workload, info->si_signo);
	else if (info->si_code == SI_TKILL)
		sys_kill(0, info->si_signo);
}

static _Noreturn void serve(const struct box *box, int workload)
{
	const uint64_t all = ~0ULL;
	siginfo_t info;

	for (;;) {
		int signal = sys_sigwaitinfo(&all, &info);

		/* Whatever woke us: a storm of other signals must not hide a SIGCHLD. */
		reap(box, workload);
		if (signal > 0)
			forward(workload, &info);
	}
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
	if (box->plan->status_fd >= 0)
		report_send(box->report[1], REPORT_STARTED, 0);
	serve(box, workload);
}
