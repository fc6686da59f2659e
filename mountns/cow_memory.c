/* SPDX-License-Identifier: MIT */
/* Layers on a file system in memory whose size is a bound for them, until the box has ended. */
#include <errno.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mountns/cow_commit.h"

int cow_layers(const struct cow_store *store)
{
	return store->state == COW_MEMORY ? store->memory.root : store->dir;
}

int cow_use_memory(struct cow_store *store, const struct cow_memory *memory, struct fault *fault)
{
	int upper;

	store->memory = *memory;
	store->state = COW_MEMORY;
	if (cow_try_attributes(memory->root) < 0)
		return fault_text(fault, "options", "--cow-quota",
				  "needs a tmpfs with extended attributes of users: Linux 6.6");
	if (store->backend == COW_NOTIFY)
		return 0;
	upper = sys_mkdirat(memory->root, "work", 0700);
	if (upper == 0)
		upper = cow_make_upper_in(store, memory->root);
	if (upper < 0)
		return cow_fault(store, fault, store->path, upper);
	sys_close(upper);
	return 0;
}

/* --- How much that is ----------------------------------------------------------------------------- */

/* Sets the number of inodes that there may be. They have room for extended attributes, too. */
static int set_inodes(const struct cow_memory *memory, uint64_t count)
{
	char text[24];
	int error;

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)count);
	error = sys_fsconfig(memory->fs, FSCONFIG_SET_STRING, "nr_inodes", text);
	return error < 0 ? error : sys_fsconfig(memory->fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL);
}

int cow_bound_memory(const struct cow_store *store, struct fault *fault)
{
	const struct cow_memory *memory = &store->memory;
	uint64_t count = memory->size / COW_MEMORY_INODE;
	struct statfs now;
	int error;

	if (count < COW_MEMORY_INODES)
		count = COW_MEMORY_INODES;
	error = fstatfs(memory->root, &now) < 0 ? -errno : 0;
	count += COW_MEMORY_INODES_MOST - now.f_ffree;
	if (count > COW_MEMORY_INODES_MOST)
		count = COW_MEMORY_INODES_MOST;
	if (error == 0)
		error = set_inodes(memory, count);
	return error < 0 ? fault_errno(fault, "--cow-quota", "tmpfs", error) : 0;
}

/* --- The box's end -------------------------------------------------------------------------------- */

void cow_leave_memory(struct cow_store *store)
{
	const int fds[] = { store->memory.root, store->memory.mount, store->memory.fs };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			sys_close(fds[i]);
	store->memory.root = store->memory.mount = store->memory.fs = -1;
}

/* Into the empty upper/ of the store. */
static int copy(struct cow_store *store, struct fault *fault)
{
	struct kernel_statx stat;
	int upper = cow_remove(store->dir, COW_UPPER, true);

	if (upper < 0)
		return cow_fault(store, fault, store->path, upper);
	if (cow_copy_changes(store, store->dir, store->path, fault) < 0)
		return -1;
	upper = cow_open_upper(store->dir, &stat);
	if (upper < 0)
		return cow_fault(store, fault, store->path, upper);
	sys_close(store->upper);
	store->upper = upper;
	return 0;
}

void cow_unbound_memory(const struct cow_store *store)
{
	(void)set_inodes(&store->memory, COW_MEMORY_INODES_MOST);
}

int cow_settle(struct cow_store *store, struct fault *fault)
{
	mode_t mask = umask(0);
	int error;

	error = copy(store, fault);
	(void)umask(mask);
	if (error < 0 || cow_end(store, fault) < 0)
		return -1;
	cow_leave_memory(store);
	return 0;
}
