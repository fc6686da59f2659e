/* SPDX-License-Identifier: MIT */
/*
 * Nothing that a box writes waits for the disk before its end. So after its machine went down the changes of a box
 * that was running are not what it wrote: a file that it has changed may be empty. Which start of the machine that
 * was in is noted in the file that the store is locked by.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mountns/cow_walk.h"

#define BOOT "/proc/sys/kernel/random/boot_id"
#define UNKNOWN "unknown"

static void read_boot(char boot[COW_BOOT_SIZE])
{
	int fd = open(BOOT, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, boot, COW_BOOT_SIZE - 1);

	if (fd >= 0)
		close(fd);
	strcpy(boot + (length > 0 ? length : 0), length > 0 ? "" : UNKNOWN);
}

int cow_boot_note(struct cow_store *store)
{
	char boot[COW_BOOT_SIZE];
	size_t length;
	ssize_t count;

	read_boot(boot);
	length = strlen(boot);
	store->boot_known = strcmp(boot, UNKNOWN) != 0;
	count = pwrite(store->lock, boot, length, 0);
	if (count < 0)
		return -errno;
	return (size_t)count == length ? 0 : -EIO;
}

int cow_boot_check(struct cow_store *store, struct fault *fault)
{
	char noted[COW_BOOT_SIZE], boot[COW_BOOT_SIZE];
	ssize_t length = pread(store->lock, noted, sizeof(noted) - 1, 0);

	if (length < 0)
		return cow_fault(store, fault, store->path, errno);
	noted[length] = '\0';
	read_boot(boot);
	if (strcmp(noted, UNKNOWN) == 0 || strcmp(noted, boot) == 0)
		return 0;
	return cow_fault_text(store, fault, store->path,
			      "the machine went down while its box ran, and has not all that it "
			      "wrote; use --cow-discard");
}
