/* SPDX-License-Identifier: MIT */
/* letters FD: writes to FD the first byte of each file from 0 to 19 but FD itself; - where there is none. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int out = argc > 1 ? atoi(argv[1]) : 1;

	for (int fd = 0; fd < 20; fd++) {
		char letter = '-';

		if (fd == out)
			continue;
		if (fcntl(fd, F_GETFD) >= 0 && pread(fd, &letter, 1, 0) != 1)
			letter = '?';
		dprintf(out, "%c", letter);
	}
	return 0;
}
