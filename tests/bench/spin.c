/* SPDX-License-Identifier: MIT */
/*
 * spin ROUNDS COMMANDS: runs every command of the file once a round and prints what each run took.
 *
 * A line of the file is a command, its words parted by tabs. Every round has an order of its own:
 * what a command leaves behind for the kernel to clear away (a network namespace is cleared after
 * its last process is gone) falls on all the others alike. One line a command comes out: its
 * samples in nanoseconds, from before vfork to after wait. A command that does not exit with 0 ends
 * the run: nothing can be fast by failing.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COMMANDS = 128, MAX_WORDS = 32768, WARM_UP = 5 };

static char *commands[MAX_COMMANDS][MAX_WORDS]; /* pages that are not used cost nothing */
static char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			       NULL };

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static size_t read_commands(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0, count = 0;

	if (file == NULL)
		die(path);
	while (count < MAX_COMMANDS && getline(&line, &room, file) > 0) {
		char *rest = line, *word;
		size_t words = 0;

		line[strcspn(line, "\n")] = '\0';
		while (words < MAX_WORDS - 1 && (word = strsep(&rest, "\t")) != NULL)
			commands[count][words++] = word;
		commands[count++][words] = NULL;
		line = NULL;
	}
	fclose(file);
	return count;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Of its own, since the child of vfork runs on the caller's frame. */
static __attribute__((noinline)) pid_t start(char **words)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(words[0], words, environment);
		_exit(127);
	}
	return pid;
}

static int64_t run(char **words)
{
	int64_t begin = now();
	pid_t pid = start(words);
	int status = 0;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("spin");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "spin: wait status %#x:", (unsigned int)status);
		for (; *words != NULL; words++)
			fprintf(stderr, " %s", *words);
		fputc('\n', stderr);
		exit(1);
	}
	return now() - begin;
}

/* The same orders in every run of the benchmark: a generator of our own, with a fixed seed. */
static void shuffle(size_t *order, size_t count)
{
	static uint64_t state = 0x9e3779b97f4a7c15;
	size_t i, j, kept;

	for (i = count; i > 1; i--) {
		state = state * 6364136223846793005 + 1442695040888963407;
		j = (size_t)(state >> 33) % i;
		kept = order[i - 1];
		order[i - 1] = order[j];
		order[j] = kept;
	}
}

static void print(const int64_t *samples, size_t count, size_t rounds)
{
	size_t i, round;

	for (i = 0; i < count; i++) {
		for (round = 0; round < rounds; round++)
			printf("%lld ", (long long)samples[i * rounds + round]);
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	size_t order[MAX_COMMANDS], rounds, count, round, i;
	int64_t *samples, took;

	if (argc != 3 || (rounds = strtoul(argv[1], NULL, 10)) == 0) {
		fputs("usage: spin ROUNDS COMMANDS\n", stderr);
		return 1;
	}
	count = read_commands(argv[2]);
	samples = calloc(count * rounds, sizeof(*samples));
	if (samples == NULL)
		die("calloc");
	for (i = 0; i < count; i++)
		order[i] = i;
	for (round = 0; round < rounds + WARM_UP; round++) {
		shuffle(order, count);
		for (i = 0; i < count; i++) {
			took = run(commands[order[i]]);
			if (round >= WARM_UP)
				samples[order[i] * rounds + round - WARM_UP] = took;
		}
	}
	print(samples, count, rounds);
	return 0;
}
