/* SPDX-License-Identifier: MIT */
/*
 * opens FILE: how long it takes to open and close FILE to read and to append, another file to write, and to
 * set a descriptor's flags: nanoseconds, the least of several runs.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 20, CALLS = 1000 };

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* FLAGS of -1: no open, F_SETFL on descriptor 0. */
static int64_t measure(const char *path, int flags)
{
	int64_t least = INT64_MAX;

	for (int run = 0; run < RUNS; run++) {
		int64_t start = now();

		for (int i = 0; i < CALLS; i++) {
			int fd =
				flags < 0 ? fcntl(0, F_SETFL, O_NONBLOCK) : open(path, flags, 0600);

			if (fd < 0) {
				perror(path);
				exit(1);
			}
			if (flags >= 0)
				close(fd);
		}
		start = now() - start;
		least = start < least ? start : least;
	}
	return least / CALLS;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	printf("%lld %lld %lld %lld\n", (long long)measure(argv[1], O_RDONLY),
	       (long long)measure(argv[1], O_WRONLY | O_APPEND),
	       (long long)measure("/tmp/other", O_WRONLY | O_CREAT),
	       (long long)measure("F_SETFL", -1));
	return 0;
}
