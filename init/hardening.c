/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "filters/filter.h"
#include "init/hardening.h"
#include "init/walls.h"
#include "mountns/sys.h"

/* A question that a kernel without the thing answers with EINVAL: prctl(2). */
static int ask(struct box *box, enum wall wall, int error, const char *needs, struct fault *fault)
{
	if (error >= 0)
		return 0;
	if (error == -EINVAL)
		fault_text(fault, walls[wall].name, "", needs);
	else
		fault_errno(fault, walls[wall].name, "", error);
	return walls_leave_out(box, wall, fault);
}

int hardening_check(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	int state;

	if (plan->deny_tsc &&
	    ask(box, WALL_TSC, sys_prctl(KERNEL_PR_GET_TSC, (unsigned long)SYS_P(&state), 0),
		"needs an x86 processor", fault) != 0)
		return -1;
	if (plan->mdwe && ask(box, WALL_MDWE, sys_prctl(KERNEL_PR_GET_MDWE, 0, 0),
			      "needs Linux 6.3 or newer", fault) != 0)
		return -1;
	return 0;
}

static int report(const struct box *box, enum wall wall, int error, struct fault *fault)
{
	if (error >= 0)
		return 0;
	fault_errno(fault, walls[wall].name, "", error);
	return wall_missing(box, wall, fault);
}

/* Where no filter of ours keeps the workload from using the caller's keys, it has a keyring of its own. */
bool hardening_wants_keyring(const struct box *box)
{
	bool reachable = box->filter == NULL || !box->filter->refuses_keys;

	return box->plan->new_keyring ||
	       (box->plan->as == AS_NESTBOX && (!box->plan->init_only || box->plan->fallen) &&
		reachable);
}

/* Where the kernel has no keys there is no keyring to leave: keyrings(7). It lacks all the calls for them then;
 * this one asks for nothing. What a filter around us refuses to us it refuses to the workload, too. */
static int leave_keyring(const struct box *box)
{
	int error = sys_join_session_keyring();

	if (error == -ENOSYS && sys_request_no_key() == -ENOSYS)
		return 0;
	return error == -EPERM && !box->plan->new_keyring ? 0 : error;
}

/*
 * The memory, which is PID 1's and the launcher's, too, has the ban on new code from here on, and hands it to
 * that of the exec. The time stamp counter is the thread's, and goes on through the exec. Neither process
 * needs what is taken.
 */
int hardening_apply(const struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	int error = hardening_wants_keyring(box) ? leave_keyring(box) : 0;

	if (report(box, WALL_KEYRING, error, fault) != 0)
		return -1;
	error = 0;
	if (plan->mdwe && !wall_is_missing(box, WALL_MDWE))
		error = sys_prctl(KERNEL_PR_SET_MDWE, KERNEL_MDWE_REFUSE_EXEC_GAIN, 0);
	if (report(box, WALL_MDWE, error, fault) != 0)
		return -1;
	error = 0;
	if (plan->deny_tsc && !wall_is_missing(box, WALL_TSC))
		error = sys_prctl(KERNEL_PR_SET_TSC, KERNEL_TSC_SIGSEGV, 0);
	return report(box, WALL_TSC, error, fault);
}
