/* SPDX-License-Identifier: MIT */
/* A seccomp filter answers for the kernel before the kernel has seen the arguments. */
#include <errno.h>
#include <sched.h>

#include "init/check.h"
#include "mountns/sys.h"

#ifndef __NR_clone3
#define __NR_clone3 435
#endif

#define BAD_POINTER 1L
#define BAD (-1L)

/* The flags that a call was made with stay in, since a filter may be about these. */
static const struct {
	const char *name;
	int number;
	int flags; /* the argument that takes them; -1: none */
	long arguments[5];
} calls[] = {
	/* CLONE_SIGHAND without CLONE_VM */
	{ "clone", __NR_clone, 0, { CLONE_SIGHAND } },
	{ "clone3", __NR_clone3, -1, { BAD_POINTER, 1 } },
	{ "unshare", __NR_unshare, 0, { 1 } },
	{ "setns", __NR_setns, -1, { BAD, BAD } },
	{ "mount", __NR_mount, -1, { BAD_POINTER, BAD_POINTER, BAD_POINTER, 0, BAD_POINTER } },
	{ "umount2", __NR_umount2, -1, { BAD_POINTER, BAD } },
	{ "pivot_root", __NR_pivot_root, -1, { BAD_POINTER, BAD_POINTER } },
	{ "chroot", __NR_chroot, -1, { BAD_POINTER } },
	{ "open_tree", __NR_open_tree, -1, { BAD, BAD_POINTER, BAD } },
	{ "move_mount", __NR_move_mount, -1, { BAD, BAD_POINTER, BAD, BAD_POINTER, BAD } },
	{ "fsopen", __NR_fsopen, -1, { BAD_POINTER, BAD } },
	{ "fsconfig", __NR_fsconfig, -1, { BAD, BAD } },
	{ "fsmount", __NR_fsmount, -1, { BAD, BAD, BAD } },
	{ "mount_setattr", __NR_mount_setattr, -1, { BAD, BAD_POINTER, BAD, BAD_POINTER, 0 } },
	{ "sethostname", __NR_sethostname, -1, { BAD_POINTER, BAD } },
	{ "openat2", __NR_openat2, -1, { BAD, BAD_POINTER, BAD_POINTER, 0 } },
	{ "close_range", __NR_close_range, -1, { 1, 0, 0 } },
	{ "pidfd_open", __NR_pidfd_open, -1, { BAD, BAD } },
	{ "pidfd_getfd", __NR_pidfd_getfd, -1, { BAD, BAD, BAD } },
	{ "process_vm_readv", __NR_process_vm_readv, -1, { BAD, 0, BAD, 0, BAD } },
	{ "prctl", __NR_prctl, 0, { 0, BAD, BAD, BAD, BAD } },
	/* With flags that are known, the operation's, the kernel reads the program next. */
	{ "seccomp", __NR_seccomp, 1, { 1, 0, BAD_POINTER } },
	{ "landlock_create_ruleset", __NR_landlock_create_ruleset, -1, { 0, 0, BAD } },
	{ "landlock_add_rule", __NR_landlock_add_rule, -1, { BAD, BAD, 0, BAD } },
	{ "landlock_restrict_self", __NR_landlock_restrict_self, -1, { BAD, BAD } },
};

#define COUNT (sizeof(calls) / sizeof(calls[0]))

static size_t find(int number)
{
	size_t i = 0;

	while (i < COUNT && calls[i].number != number)
		i++;
	return i;
}

const char *call_name(int number)
{
	size_t i = find(number);

	return i < COUNT ? calls[i].name : "";
}

int call_badly(int number, unsigned long flags)
{
	size_t i = find(number);
	long a[5], result;

	if (i == COUNT)
		return 0;
	for (size_t j = 0; j < 5; j++)
		a[j] = calls[i].arguments[j];
	if (calls[i].flags >= 0)
		a[calls[i].flags] |= (long)flags;
	result = sys_call(number, a[0], a[1], a[2], a[3], a[4], 0);
	return result < 0 ? (int)-result : 0;
}
