/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "init/clone.h"

#define STACK_SIZE (64 * 1024UL)

int clone_child(int (*main)(void *argument), void *argument, char *stack, unsigned long flags,
		int *pidfd)
{
	/* libc's wrapper, as the child needs its stack switched in assembler. It sets errno, which
	 * only we use, and only here. */
	int pid = clone(main, stack, (int)flags, argument, pidfd);

	return pid < 0 ? -errno : pid;
}

static int write_file(const char *path, const char *text)
{
	int error = 0, fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

int clone_map_root(unsigned int uid, unsigned int gid)
{
	char text[64];
	int error = write_file("/proc/self/setgroups", "deny");

	(void)snprintf(text, sizeof(text), "0 %u 1", uid);
	if (error == 0)
		error = write_file("/proc/self/uid_map", text);
	(void)snprintf(text, sizeof(text), "0 %u 1", gid);
	return error < 0 ? error : write_file("/proc/self/gid_map", text);
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int clone_map_stacks(char **stacks, unsigned int count)
{
	size_t page = page_size(), room = page + STACK_SIZE;
	char *memory = mmap(NULL, count * room, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	for (unsigned int i = 0; i < count; i++) {
		if (mprotect(memory + i * room, page, PROT_NONE) != 0) {
			int error = -errno;

			munmap(memory, count * room);
			return error;
		}
		stacks[i] = memory + (i + 1) * room;
	}
	return 0;
}

void clone_unmap_stacks(char *const *stacks, unsigned int count)
{
	size_t room = page_size() + STACK_SIZE;

	munmap(stacks[0] - room, count * room);
}
