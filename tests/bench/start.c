/* SPDX-License-Identifier: MIT */
/*
 * start NESTBOX COMMAND ROUNDS MEBIBYTES: what it costs a program with that much memory in use to have a box
 * made for COMMAND, from its start to its end: by the library, by posix_spawn(3) of the command, and by
 * fork(2) and exec. The first two are interleaved; fork comes behind them, since whoever follows it pays for
 * what it did to the caches and page tables. Printed are ratios of medians.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/nestbox.h"

#define ROUNDS_MAX 2000

enum { LIBRARY, SPAWN, FORK, WAYS };

static const char *const names[WAYS] = { "libnestbox", "posix_spawn", "fork" };

extern char **environ;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "start: %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void by_library(const struct nestbox_plan *plan, char *command)
{
	char *argv[] = { command, NULL };
	struct nestbox_error error;
	struct nestbox_event end;
	struct nestbox_box *box;

	if (nestbox_spawn(plan, argv, &box, &error) != 0)
		fail(error.message);
	nestbox_wait(box, &end);
	if (end.kind != NESTBOX_EXITED || end.code != 0)
		fail("a box of the library failed");
	nestbox_free(box);
}

static void by_hand(int way, char *nestbox, char *command)
{
	char exec[] = "-x", net[] = "--net", end[] = "--";
	char *argv[] = { nestbox, exec, command, net, end, command, NULL };
	int status;
	pid_t pid;

	if (way == SPAWN && posix_spawn(&pid, nestbox, NULL, NULL, argv, environ) != 0)
		fail("posix_spawn failed");
	if (way == FORK && (pid = fork()) == 0) {
		execv(nestbox, argv);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		fail("a box of the command failed");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *samples, int count)
{
	qsort(samples, (size_t)count, sizeof(*samples), compare);
	return samples[count / 2];
}

int main(int argc, char **argv)
{
	static double samples[WAYS][ROUNDS_MAX];
	struct nestbox_plan *plan = nestbox_plan_new();
	int rounds = argc == 5 ? atoi(argv[3]) : 0;
	size_t size = argc == 5 ? (size_t)atoi(argv[4]) << 20 : 0;
	char *memory = size > 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
				: NULL;

	if (plan == NULL || rounds < 1 || rounds > ROUNDS_MAX || memory == MAP_FAILED)
		fail("bad use, or no memory");
	/* Small pages, as a heap that has grown for a while has them. */
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += 4096)
		memory[at] = 1;
	nestbox_plan_grant(plan, NESTBOX_EXEC, argv[2]);
	nestbox_plan_share_network(plan);
	for (int i = 0; i < WAYS * rounds; i++) {
		int way = i < 2 * rounds ? i % 2 : FORK;
		double start = now();

		if (way == LIBRARY)
			by_library(plan, argv[2]);
		else
			by_hand(way, argv[1], argv[2]);
		samples[way][i < 2 * rounds ? i / 2 : i - 2 * rounds] = now() - start;
	}
	for (int way = SPAWN; way < WAYS; way++)
		printf("  %s / %s with %zu MiB in use: %.2f\n", names[LIBRARY], names[way],
		       size >> 20, median(samples[LIBRARY], rounds) / median(samples[way], rounds));
	nestbox_plan_free(plan);
	return 0;
}
