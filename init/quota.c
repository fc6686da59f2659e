/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/clone.h"
#include "init/quota.h"
#include "mountns/mount.h"
#include "mountns/sys.h"

struct maker {
	struct cow_memory *memory;
	unsigned int uid, gid; /* the caller's */
	int error;
};

/* Huge pages would count as a whole, and what is written to them only in part would be refused. */
static int make(struct cow_memory *memory)
{
	char size[24], inodes[24];
	const struct mount_option options[] = {
		{ "mode", "0700" }, { "size", size }, { "nr_inodes", inodes }, { "huge", "never" }
	};

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)memory->size);
	(void)snprintf(inodes, sizeof(inodes), "%zu", COW_MEMORY_INODES_MOST);
	memory->fs = mount_new_file_system("tmpfs", options, sizeof(options) / sizeof(options[0]));
	if (memory->fs < 0)
		return memory->fs;
	memory->mount =
		sys_fsmount(memory->fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return memory->mount < 0 ? memory->mount : 0;
}

static int maker_main(void *argument)
{
	struct maker *maker = argument;

	maker->error = clone_map_root(maker->uid, maker->gid);
	if (maker->error == 0)
		maker->error = make(maker->memory);
	sys_exit_group(0);
}

/*
 * A child has the right to do that in namespaces of its own. Memory and descriptors are ours, too. That the file
 * system belongs to a user namespace of the caller's gives the caller all rights over it, also from outside:
 * user_namespaces(7), "the owner".
 */
static int make_apart(struct cow_memory *memory)
{
	const unsigned long flags =
		CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD;
	struct maker maker = { memory, geteuid(), getegid(), -ECHILD };
	char *stack;
	int pid, error = clone_map_stacks(&stack, 1);

	if (error < 0)
		return error;
	pid = clone_child(maker_main, &maker, stack, flags, NULL);
	if (pid >= 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	clone_unmap_stacks(&stack, 1);
	return pid < 0 ? pid : maker.error;
}

int quota_make(uint64_t size, bool ranges, struct cow_memory *memory, struct fault *fault)
{
	int error;

	*memory = (struct cow_memory){ -1, -1, -1, size };
	error = make(memory);
	if (error == -EPERM && ranges)
		return fault_text(fault, "options", "--cow-quota",
				  "needs the rights of root if ranges of ids are mapped");
	if (error == -EPERM)
		error = make_apart(memory);
	if (error == 0)
		error = memory->root =
			sys_openat(memory->mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (error >= 0)
		return 0;
	fault_errno(fault, "options", "--cow-quota", error);
	fault->detail = "no tmpfs of that size can be made";
	return -1;
}
