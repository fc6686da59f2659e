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

/* The namespace made for us, or one that came with us, or one of our own. */
static int enter_namespace(const struct workload *workload, struct fault *fault)
{
	const struct built *built = workload->built;
	const struct box *box = workload->box;
	int error = 0;

	if (workload->users >= 0)
		error = sys_setns(workload->users, CLONE_NEWUSER);
	else if (!box->reaper)
		error = sys_unshare(CLONE_NEWUSER);
	if (error < 0)
		return fault_errno(fault, NESTED, workload->users >= 0 ? "setns" : "unshare",
				   error);
	if (workload->users < 0 &&
	    (identity_write(built->proc, "self/uid_map", box->nested_uid_map, NESTED, fault) != 0 ||
	     identity_write(built->proc, "self/gid_map", box->nested_gid_map, NESTED, fault) != 0))
		return -1;
	return 0;
}

/* The ids asked for, on top of the box's root; and no user namespace below this one. */
static int enter_nested(const struct workload *workload, struct fault *fault)
{
	if (enter_namespace(workload, fault) != 0)
		return -1;
	if (workload->box->plan->map_caller || workload->box->plan->allow_userns)
		return 0;
	if (workload->built->borrowed)
		return mountns_enter_apart(workload->built, fault);
	return identity_write(workload->built->sys, "user/max_user_namespaces", "0", NESTED, fault);
}

/* Whether the user namespace has setgroups(2) denied, so that the capability for it does not help. */
static bool is_denied_setgroups(void)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	struct kernel_cap_data data[2];
	char first = '\0'; /* what cannot be read is no excuse */
	int fd;

	if (sys_capget(&header, data) < 0 || (data[0].effective >> CAP_SETGID & 1) == 0)
		return false;
	fd = sys_openat(AT_FDCWD, "/proc/self/setgroups", O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		sys_read(fd, &first, 1);
		sys_close(fd);
	}
	return first == 'd';
}

/* Where that is denied the groups stay, which is for nobody to change. */
static int drop_groups(void)
{
	int error = sys_count_groups() > 0 ? sys_setgroups(0, NULL) : 0;

	return error == -EPERM && is_denied_setgroups() ? 0 : error;
}

/* The groups of whoever we were until now are not those of who we will be. */
int identity_take_groups(const struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	bool changes = plan->init_only && (plan->uid >= 0 || plan->gid >= 0);
	int error = 0;

	if (plan->group_count > 0)
		error = sys_setgroups(plan->group_count, plan->groups);
	else if (changes || box->may_set_groups)
		error = drop_groups();
	return error < 0 ? fault_errno(fault, "groups", "", error) : 0;
}

/* A change of the user id empties the effective set, and without keep-caps all sets; where securebits are
 * locked already, it empties none: capabilities(7). */
static int keep_capabilities(const struct plan *plan)
{
	int error = 0;

	if (!plan->init_only || plan->capabilities != UINT64_MAX)
		error = sys_prctl(PR_SET_KEEPCAPS, 1, 0);
	return error == -EPERM ? 0 : error;
}

int identity_take_ids(const struct box *box, struct fault *fault)
{
	int error = 0;

	if (box->take_uid < 0 && box->take_gid < 0)
		return 0;
	error = keep_capabilities(box->plan);
	if (error == 0 && box->take_gid >= 0)
		error = sys_setresgid((uint32_t)box->take_gid);
	if (error == 0 && box->take_uid >= 0)
		error = sys_setresuid((uint32_t)box->take_uid);
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
	return assert_no_user_namespace(plan, fault);
}
