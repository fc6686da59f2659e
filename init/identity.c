/* SPDX-License-Identifier: MIT */
/* Who the workload is: its user namespace and its ids. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#include "init/clone.h"
#include "init/identity.h"
#include "mountns/sys.h"

#define NESTED "nested user namespace"

int identity_write(int dir, const char *path, const char *text, const char *step,
		   struct fault *fault)
{
	int fd = sys_openat(dir, path, O_WRONLY | O_CLOEXEC, 0);
	long error = fd;

	if (fd >= 0) {
		error = sys_write(fd, text, strlen(text));
		sys_close(fd);
	}
	return error < 0 ? fault_errno(fault, step, path, (int)error) : 0;
}

/* The id asked for, on top of the box's root; and no user namespace below this one. */
static int enter_nested(const struct workload *workload, struct fault *fault)
{
	const struct built *built = workload->built;
	int error = 0;

	/* Else it came with the clone. */
	if (!workload->box->reaper)
		error = sys_unshare(CLONE_NEWUSER);
	if (error < 0)
		return fault_errno(fault, NESTED, "unshare", error);
	if (identity_write(built->proc, "self/uid_map", workload->box->nested_uid_map, NESTED,
			   fault) != 0 ||
	    identity_write(built->proc, "self/gid_map", workload->box->nested_gid_map, NESTED,
			   fault) != 0)
		return -1;
	return workload->box->plan->map_caller || workload->box->plan->allow_userns
		       ? 0
		       : identity_write(built->sys, "user/max_user_namespaces", "0", NESTED, fault);
}

/* A change of the user id empties the effective set, and without this all sets: capabilities(7). */
static int keep_capabilities(void)
{
	return sys_prctl(PR_SET_KEEPCAPS, 1, 0);
}

static int raise_kept_capabilities(void)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	struct kernel_cap_data data[2];
	int error = sys_capget(&header, data);

	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	return error < 0 ? error : sys_capset(&header, data);
}

/* In a user namespace that the caller made, and without any of our own, ids are what they are there. */
int identity_take_ids(const struct plan *plan, struct fault *fault)
{
	bool keeps = !plan->init_only || plan->capabilities != UINT64_MAX;
	int error = 0;

	if ((plan->fds[FD_USERNS] < 0 && !plan->init_only) || (plan->uid < 0 && plan->gid < 0))
		return 0;
	/* The groups of whoever we were until now are not those of who we will be. */
	if (plan->init_only && sys_count_groups() > 0)
		error = sys_drop_groups();
	if (error == 0 && keeps)
		error = keep_capabilities();
	if (error == 0 && plan->gid >= 0)
		error = sys_setresgid((uint32_t)plan->gid);
	if (error == 0 && plan->uid >= 0)
		error = sys_setresuid((uint32_t)plan->uid);
	if (error == 0 && plan->init_only && keeps)
		error = raise_kept_capabilities();
	return error < 0 ? fault_errno(fault, "ids", "", error) : 0;
}

static int exit_at_once(void *argument)
{
	(void)argument;
	sys_exit_group(0);
}

static int assert_no_user_namespace(const struct plan *plan, struct fault *fault)
{
	_Alignas(16) char stack[4096];
	int status, pid;

	if (!plan->assert_userns_disabled && !plan->disable_userns)
		return 0;
	pid = clone_child(exit_at_once, NULL, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | SIGCHLD, NULL);
	/* What passes is no answer. */
	if (pid == -EAGAIN || pid == -ENOMEM || pid == -EINTR)
		return fault_errno(fault, "assert-userns-disabled", "clone", pid);
	if (pid < 0)
		return 0;
	sys_wait4(pid, &status, 0);
	return fault_text(fault, "user namespaces", "",
			  "creation of new user namespaces was not disabled as requested");
}

int identity_enter(const struct workload *workload, struct fault *fault)
{
	const struct plan *plan = workload->box->plan;
	int error = 0;

	if (plan->fds[FD_USERNS2] >= 0)
		error = sys_setns(plan->fds[FD_USERNS2], CLONE_NEWUSER);
	if (error < 0)
		return fault_errno(fault, "join", "the second user namespace", error);
	if (workload->box->nested && enter_nested(workload, fault) != 0)
		return -1;
	return identity_take_ids(plan, fault) != 0 ? -1 : assert_no_user_namespace(plan, fault);
}
