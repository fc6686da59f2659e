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
	struct fault *fault;
	unsigned int uid, gid; /* the caller's */
	int status;
};

static int fail(struct fault *fault, int error)
{
	return fault_errno(fault, "--cow-quota", "tmpfs", error);
}

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
	int error = clone_map_root(maker->uid, maker->gid);

	if (error < 0) {
		fault_errno(maker->fault, "id map", "", error);
	} else {
		error = make(maker->memory);
		maker->status = error < 0 ? fail(maker->fault, error) : 0;
	}
	sys_exit_group(0);
}

/*
 * A child has the right to do that in namespaces of its own. Memory and descriptors are ours, too. That the file
 * system belongs to a user namespace of the caller's gives the caller all rights over it, also from outside:
 * user_namespaces(7), "the owner".
 */
static int make_apart(struct cow_memory *memory, struct fault *fault)
{
	const unsigned long flags =
		CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD;
	struct maker maker = { memory, fault, geteuid(), getegid(), -1 };
	char *stack;
	int pid, error = clone_map_stacks(&stack, 1);

	if (error < 0)
		return fail(fault, error);
	/* For when it dies. */
	fail(fault, ECHILD);
	pid = clone_child(maker_main, &maker, stack, flags, NULL);
	if (pid >= 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	clone_unmap_stacks(&stack, 1);
	return pid < 0 ? fault_errno(fault, "clone", "", pid) : maker.status;
}

int quota_make(uint64_t size, bool ranges, struct cow_memory *memory, struct fault *fault)
{
	int error;

	*memory = (struct cow_memory){ -1, -1, -1, size };
	error = make(memory);
	if (error == -EPERM && ranges)
		return fault_text(fault, "options", "--cow-quota",
				  "needs the rights of root if ranges of ids are mapped");
	if (error < 0 && error != -EPERM)
		return fail(fault, error);
	if (error == -EPERM && make_apart(memory, fault) != 0)
		return -1;
	memory->root = sys_openat(memory->mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	return memory->root < 0 ? fail(fault, memory->root) : 0;
}
