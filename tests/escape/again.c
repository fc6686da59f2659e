/* SPDX-License-Identifier: MIT */
/*
 * again [THREADS]: a program that tries to become another one, with the first thing that it does and by
 * every way there is, from THREADS threads at once. Prints how the first failed, or "executed" where
 * one did not.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SELF "/proc/self/exe"

static char *const arguments[] = { "executed", NULL };
static char *const environment[] = { NULL };
static char *self; /* our own file: in the box there need be no /proc */

/* Only comes back if it is refused. Returns the errno of the last way. */
static int try_all(int fd)
{
	static const int flags[] = { 0, AT_EMPTY_PATH };

	syscall(SYS_execve, self, arguments, environment);
	syscall(SYS_execve, SELF, arguments, environment);
	for (int number = -100; number < 64; number++)
		for (int i = 0; i < 2; i++)
			syscall(SYS_execveat, number, i ? "" : self, arguments, environment,
				flags[i]);
	syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
	syscall(SYS_execveat, 1023, self, arguments, environment, AT_EMPTY_PATH);
	return errno;
}

static void *run(void *fd)
{
	for (int i = 0; i < 20; i++)
		try_all(*(int *)fd);
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 0, fd, first;
	pthread_t thread[16];

	self = argv[0];
	if (!strcmp(argv[0], "executed")) {
		puts("executed");
		return 0;
	}
	syscall(SYS_execve, self, arguments, environment);
	first = errno;
	fd = open(argv[0], O_RDONLY);
	for (int i = 0; i < threads && i < 16; i++)
		if (pthread_create(&thread[i], NULL, run, &fd))
			return 99;
	try_all(fd);
	for (int i = 0; i < threads && i < 16; i++)
		pthread_join(thread[i], NULL);
	puts(first == ENOSYS && try_all(fd) == ENOSYS ? "ENOSYS" : strerror(first));
	return 0;
}
