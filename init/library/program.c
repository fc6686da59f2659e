/* SPDX-License-Identifier: MIT */
/* The program that makes the boxes, and other bytes, as files without a name: memfd_create(2). */
#include <errno.h>
#include <fcntl.h>

#include "init/library/library.h"
#include "mountns/sys.h"

#define NEVER_EXECUTABLE 0x0008U /* MFD_NOEXEC_SEAL, MFD_EXEC: Linux 6.3 */
#define EXECUTABLE 0x0010U
#define SEALABLE 0x0003U /* MFD_CLOEXEC, MFD_ALLOW_SEALING */
#define ADD_SEALS 1033   /* F_ADD_SEALS: fcntl(2) */
#define ALL_SEALS 0x000f /* F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE */

extern const char program_bytes[];
extern const uint32_t program_size;

void program_close(int fd)
{
	if (fd >= 0)
		sys_close(fd);
}

int program_lift(int fd)
{
	int lifted;

	if (fd < 0 || fd > 2)
		return fd;
	lifted = sys_fcntl(fd, F_DUPFD_CLOEXEC, 3);
	sys_close(fd);
	return lifted;
}

/* Behind the offset, so that whoever has FD reads from the beginning. */
static int fill(int fd, const char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		long written = sys_pwrite(fd, bytes + done, size - done, (long)done);

		if (written < 0 && written != -EINTR)
			return (int)written;
		done += written > 0 ? (size_t)written : 0;
	}
	return sys_fcntl(fd, ADD_SEALS, ALL_SEALS);
}

static int make(const char *name, unsigned int kind, const char *bytes, size_t size)
{
	int fd = sys_memfd_create(name, SEALABLE | kind), error;

	/* Older kernels know neither kind; there all are executable. */
	if (fd == -EINVAL)
		fd = sys_memfd_create(name, SEALABLE);
	fd = program_lift(fd);
	if (fd < 0)
		return fd;
	error = fill(fd, bytes, size);
	if (error < 0) {
		sys_close(fd);
		return error;
	}
	return fd;
}

int program_data(const void *bytes, size_t size)
{
	return make("nestbox data", NEVER_EXECUTABLE, bytes, size);
}

int program_open(struct nestbox_error *error)
{
	int fd = make("nestbox", EXECUTABLE, program_bytes, program_size);

	if (fd == -EACCES)
		return error_set(
			error, "program", "memfd", EACCES, NULL, NULL,
			"vm.memfd_noexec forbids programs in memory; name an installed one "
			"by nestbox_plan_program()");
	return fd < 0 ? error_set(error, "program", "memfd", -fd, NULL, NULL, NULL) : fd;
}
