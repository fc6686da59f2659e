/* SPDX-License-Identifier: MIT */
/* What the workload may not do any more: capabilities(7). */
#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <sched.h>

#include "init/identity.h"
#include "init/values.h"
#include "mountns/sys.h"

/* capabilities(7), "The securebits flags": noroot, no-setuid-fixup and no-cap-ambient-raise are set
 * and locked, keep-caps is locked as it is, clear. */
#define SECUREBITS_LOCKED 0xefUL

/* The first number that the kernel does not know ends the loop; Linux 5.10 knows these. */
static int drop_bounding_set(uint64_t kept)
{
	unsigned long capability = 0;
	int error = 0;

	for (; error == 0; capability++)
		if (capability > 63 || (kept >> capability & 1) == 0)
			error = sys_prctl(PR_CAPBSET_DROP, capability, 0);
	return error == -EINVAL && capability > CAP_CHECKPOINT_RESTORE + 1 ? 0 : error;
}

/* The ambient set follows the permitted one down; up it goes with a call for each. */
static int set_capabilities(uint64_t kept)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const uint32_t low = (uint32_t)kept, high = (uint32_t)(kept >> 32);
	const struct kernel_cap_data data[2] = { { low, low, low }, { high, high, high } };
	int error = sys_capset(&header, data);

	for (unsigned long capability = 0; capability < 64 && error == 0; capability++)
		if (kept >> capability & 1)
			error = sys_raise_ambient(capability);
	return error;
}

/* A workload that keeps capabilities is to use them as root does anywhere; one without is to stay
 * without. */
static int lock_securebits(uint64_t kept)
{
	return kept == 0 ? sys_prctl(PR_SET_SECUREBITS, SECUREBITS_LOCKED, 0) : 0;
}

/* What there is to be kept or dropped. Returns 0, or -errno. */
static int find_permitted(const struct box *box, uint64_t *permitted)
{
	const struct plan *plan = box->plan;
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	struct kernel_cap_data data[2];
	/* A namespace of our own gives all of them, and nothing else is asked for here. */
	bool own = (box->namespaces & CLONE_NEWUSER) != 0 || plan->fds[FD_USERNS] >= 0;
	int error;

	*permitted = UINT64_MAX;
	if (plan->capabilities == 0 && own)
		return 0;
	error = sys_capget(&header, data);
	*permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return error;
}

static bool drops_nothing(const struct plan *plan)
{
	return plan->init_only && plan->capabilities == UINT64_MAX;
}

/*
 * Who has not got CAP_SETPCAP (root in a container, say) has no user namespace of its own either;
 * no_new_privs sees to it that the bounding set gives nothing back.
 */
int capabilities_bound(const struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	uint64_t permitted;
	int error;

	if (drops_nothing(plan))
		return 0;
	error = find_permitted(box, &permitted);
	if (error < 0)
		return fault_errno(fault, "capabilities", "", error);
	if ((permitted >> CAP_SETPCAP & 1) == 0)
		return 0;
	error = drop_bounding_set(plan->capabilities);
	if (error < 0)
		return fault_errno(fault, "capabilities", "bounding set", error);
	error = lock_securebits(plan->capabilities & permitted);
	return error < 0 ? fault_errno(fault, "capabilities", "securebits", error) : 0;
}

/* A kernel of another time has others, and a caller in a container not all. */
static int check_named(const struct plan *plan, uint64_t permitted, struct fault *fault)
{
	uint64_t lacking = plan->named_capabilities & ~permitted;

	if (plan->as != AS_NESTBOX || lacking == 0)
		return 0;
	return fault_text(fault, "capabilities", value_capability_name(lacking),
			  "cannot be kept: it is not there");
}

int capabilities_drop(const struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	uint64_t permitted;
	int error;

	if (drops_nothing(plan) && plan->named_capabilities == 0)
		return 0;
	error = find_permitted(box, &permitted);
	if (error == 0 && !drops_nothing(plan))
		error = set_capabilities(plan->capabilities & permitted);
	return error < 0 ? fault_errno(fault, "capabilities", "", error)
			 : check_named(plan, permitted, fault);
}
