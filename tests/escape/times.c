// SPDX-License-Identifier: MIT
/* times PATH: sets PATH's times, by its name, with filters/again.h's mark, and by a descriptor that opens nothing. Fails. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AGAIN_MARK 0x6e657374

int main(int argc, char **argv)
{
	const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	int fd;

	if (argc != 2)
		return 2;
	for (int i = 0; i < 2; i++) {
		int mark = i * AGAIN_MARK;

		fd = (int)syscall(SYS_openat, AT_FDCWD, argv[1], O_PATH, 0, 0, mark);
		syscall(SYS_utimensat, AT_FDCWD, argv[1], times, 0, 0, mark);
		syscall(SYS_utimensat, fd, "", times, AT_EMPTY_PATH, 0, mark);
	}
	return 1;
}
