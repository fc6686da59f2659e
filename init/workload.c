/* SPDX-License-Identifier: MIT */
/*
 * The workload's child, between clone and exec: it gives up everything, step by step. It borrows
 * PID 1's memory until the exec, so it has no heap, no stdio, no locks and no errno.
 */
#include <errno.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <string.h>

#include "filters/filter.h"
#include "init/box.h"
#include "init/report.h"
#include "mountns/sys.h"

/* capabilities(7), "The securebits flags": noroot, no-setuid-fixup and no-cap-ambient-raise are set
 * and locked, keep-caps is locked as it is, clear. */
#define SECUREBITS_LOCKED 0xefUL

static int begin_session(const struct plan *plan, struct fault *fault)
{
	int error = plan->new_session ? sys_setsid() : 0;

	return error < 0 ? fault_errno(fault, "setsid", "", error) : 0;
}

static int limit_resources(const struct plan *plan, struct fault *fault)
{
	for (size_t i = 0; i < plan->limit_count; i++) {
		struct kernel_rlimit limit = { plan->limits[i].soft, plan->limits[i].hard };
		int error = sys_setrlimit(plan->limits[i].resource, &limit);

		if (error < 0)
			return fault_errno(fault, "rlimit", plan->limits[i].name, error);
	}
	return 0;
}

static int write_file(int dir, const char *path, const char *text, struct fault *fault)
{
	int fd = sys_openat(dir, path, O_WRONLY | O_CLOEXEC, 0);
	long error = fd;

	if (fd >= 0) {
		error = sys_write(fd, text, strlen(text));
		sys_close(fd);
	}
	return error < 0 ? fault_errno(fault, "nested user namespace", path, (int)error) : 0;
}

/* The id asked for, on top of the box's root; and no user namespace below this one. */
static int enter_identity(const struct workload *workload, struct fault *fault)
{
	const struct built *built = workload->built;

	if (write_file(built->proc, "self/uid_map", workload->box->nested_uid_map, fault) != 0 ||
	    write_file(built->proc, "self/gid_map", workload->box->nested_gid_map, fault) != 0)
		return -1;
	return write_file(built->sys, "user/max_user_namespaces", "0", fault);
}

static int close_between(unsigned int first, unsigned int last, struct fault *fault)
{
	int error = first <= last ? sys_close_range(first, last) : 0;

	return error < 0 ? fault_errno(fault, "close_range", "", error) : 0;
}

/* Leaves 0, 1, 2 and the descriptors asked for. The report pipe is left, too: the exec closes it. */
static int keep_descriptors(const struct box *box, struct fault *fault)
{
	unsigned int report = (unsigned int)box->report[1], next = 3;

	for (size_t i = 0; i <= box->keep_fd_count; i++) {
		bool end = i == box->keep_fd_count;
		unsigned int fd = end ? ~0U : (unsigned int)box->keep_fds[i];

		if (report >= next && report < fd) {
			if (close_between(next, report - 1, fault) != 0)
				return -1;
			next = report + 1;
		}
		if (end || fd < next)
			continue; /* the last round, or a number given twice */
		if (close_between(next, fd - 1, fault) != 0)
			return -1;
		if (sys_fcntl((int)fd, F_SETFD, 0) < 0)
			return fault_errno(fault, "options", "--keep-fd", EBADF);
		next = fd + 1;
	}
	return close_between(next, ~0U, fault);
}

/* Bounding set and securebits while CAP_SETPCAP lasts, then the other sets; the ambient set follows
 * the permitted one. */
static int drop_capabilities(struct fault *fault)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const struct kernel_cap_data none[2] = { 0 };
	int error = 0;

	for (unsigned long capability = 0; error == 0; capability++)
		error = sys_prctl(PR_CAPBSET_DROP, capability, 0);
	/* The first number that the kernel does not know ends the loop. */
	if (error != -EINVAL)
		return fault_errno(fault, "capabilities", "bounding set", error);
	error = sys_prctl(PR_SET_SECUREBITS, SECUREBITS_LOCKED, 0);
	if (error < 0)
		return fault_errno(fault, "capabilities", "securebits", error);
	error = sys_capset(&header, none);
	return error < 0 ? fault_errno(fault, "capabilities", "", error) : 0;
}

static int enter_directory(const struct box *box, struct fault *fault)
{
	int error = box->directory[0] != '\0' ? sys_chdir(box->directory) : 0;

	if (error < 0 && box->plan->chdir != NULL)
		return fault_errno(fault, "chdir", box->directory, error);
	return 0;
}

/* PID 1 must not be traced, nor its descriptors and executable be reached through /proc/1. That is
 * an attribute of the memory, which is PID 1's, too; the exec gives the workload memory of its own.
 * Not earlier: a process like that may not open its own uid_map. proc(5), "/proc/pid". */
static int close_memory(struct fault *fault)
{
	int error = sys_prctl(PR_SET_DUMPABLE, 0, 0);

	return error < 0 ? fault_errno(fault, "dumpable", "", error) : 0;
}

static int unblock_signals(struct fault *fault)
{
	const uint64_t none = 0;
	int error = sys_sigprocmask(SIG_SETMASK, &none);

	return error < 0 ? fault_errno(fault, "signals", "", error) : 0;
}

static int filter_calls(struct fault *fault)
{
	const struct sock_fprog program = { filter_default.len,
					    (struct sock_filter *)(uintptr_t)filter_default.code };
	int error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);

	if (error < 0)
		return fault_errno(fault, "no_new_privs", "", error);
	error = sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
	return error < 0 ? fault_errno(fault, "seccomp", "default", error) : 0;
}

static int set_up(const struct workload *workload, struct fault *fault)
{
	const struct box *box = workload->box;

	sys_umask(workload->umask);
	if (begin_session(box->plan, fault) != 0 ||
	    enter_identity(workload, fault) != 0 ||   /* needs procfs and the capabilities */
	    keep_descriptors(box, fault) != 0 ||      /* procfs is not needed any more */
	    limit_resources(box->plan, fault) != 0 || /* nothing is opened any more */
	    drop_capabilities(fault) != 0 ||          /* the namespaces are as they shall be */
	    enter_directory(box, fault) != 0 ||       /* with the workload's rights */
	    close_memory(fault) != 0 ||               /* the maps are written */
	    unblock_signals(fault) != 0 ||            /* from here on a signal may end us */
	    filter_calls(fault) != 0)                 /* last, since it forbids the rest */
		return -1;
	return 0;
}

static const char *search_path(char *const environment[])
{
	for (; *environment != NULL; environment++)
		if (strncmp(*environment, "PATH=", 5) == 0)
			return *environment + 5;
	return "";
}

/* Tries NAME in each directory of PATH, as execvp(3) does, but with the workload's own PATH and in
 * the box. Returns the errno to report. */
static int exec_in_path(const char *path, const char *name, char *const argv[], char *const envp[])
{
	char file[PATH_MAX];
	size_t name_length = strlen(name);
	int error, worst = -ENOENT;

	for (;; path++) {
		size_t length = strcspn(path, ":");

		if (length + name_length + 2 <= sizeof(file)) {
			memcpy(file, path, length);
			/* An empty entry is the working directory. */
			file[length] = '/';
			memcpy(file + length + (length > 0), name, name_length + 1);
			error = sys_execve(file, argv, envp);
			if (error == -EACCES)
				worst = error;
			else if (error != -ENOENT && error != -ENOTDIR)
				return error;
		}
		path += length;
		if (*path == '\0')
			return worst;
	}
}

static int run(const struct box *box, struct fault *fault)
{
	const char *name = box->plan->command[0];
	int error;

	if (strchr(name, '/') != NULL)
		error = sys_execve(name, box->argv, box->environment);
	else
		error = exec_in_path(search_path(box->environment), name, box->argv,
				     box->environment);
	return fault_errno(fault, "exec", name, error);
}

int workload_main(void *argument)
{
	const struct workload *workload = argument;
	int report = workload->box->report[1];
	struct fault fault;

	if (set_up(workload, &fault) != 0) {
		report_fault(report, REPORT_SETUP_FAILED, &fault);
	} else {
		run(workload->box, &fault);
		report_fault(report, REPORT_EXEC_FAILED, &fault);
	}
	sys_exit_group(EXIT_NESTBOX);
}
