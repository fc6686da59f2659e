/* SPDX-License-Identifier: MIT */
/*
 * hand: a caller that hands over what a shell cannot make: a memfd, an O_PATH
 * descriptor, exactly these descriptors and no others, raw seccomp programs; and one
 * that looks at file locks.
 */
#ifndef _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LAST_FD 4096
#define MAX_CALLS 16

static int fail(const char *what)
{
	fprintf(stderr, "hand: %s: %s\n", what, strerror(errno));
	return 99;
}

static int run(char **argv)
{
	execvp(argv[0], argv);
	return fail(argv[0]);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- descriptors ---- */

static int on_list(const char *list, int fd)
{
	char *end;

	for (; *list; list = *end ? end + 1 : end) {
		if (strtol(list, &end, 10) == fd && end != list)
			return 1;
		if (end == list)
			return 0;
	}
	return 0;
}

/* only LIST COMMAND…: of 3 and up only those of LIST ("9,12" or "-" for none) stay open. */
static int cmd_only(char **argv)
{
	for (int fd = 3; fd <= LAST_FD; fd++)
		if (!on_list(argv[0], fd))
			close(fd);
	return run(argv + 1);
}

/* Put what OPENED is at NUMBER, not close-on-exec. */
static int settle(int opened, int number, const char *what)
{
	if (opened < 0 || (opened != number && dup2(opened, number) < 0))
		return fail(what);
	if (opened != number)
		close(opened);
	return fcntl(number, F_SETFD, 0) < 0 ? fail(what) : 0;
}

/* memfd NUMBER FILE COMMAND…: a memfd with the bytes of FILE, read from its beginning. */
static int cmd_memfd(char **argv)
{
	int from = open(argv[1], O_RDONLY | O_CLOEXEC), to = memfd_create("hand", 0), rc;
	char text[65536];
	ssize_t n;

	if (from < 0 || to < 0)
		return fail(argv[1]);
	while ((n = read(from, text, sizeof(text))) > 0)
		if (write(to, text, (size_t)n) != n)
			return fail("memfd");
	close(from);
	if (lseek(to, 0, SEEK_SET) < 0)
		return fail("memfd");
	rc = settle(to, atoi(argv[0]), "memfd");
	return rc ? rc : run(argv + 2);
}

/* path NUMBER PATH COMMAND…: an O_PATH descriptor; of a link, the link's own. */
static int cmd_path(char **argv)
{
	int fd = open(argv[1], O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int rc = settle(fd, atoi(argv[0]), argv[1]);

	return rc ? rc : run(argv + 2);
}

/* ---- seccomp ---- */

/* Calls that fail nowhere by themselves, and that nobody needs to start a program. */
static const struct {
	const char *name;
	uint32_t number;
} calls[] = {
	{ "chdir", SYS_chdir },     { "prlimit", SYS_prlimit64 }, { "prctl", SYS_prctl },
	{ "seccomp", SYS_seccomp }, { "execve", SYS_execve },
};

static int find_call(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, name))
			return (int)i;
	return -1;
}

/* bpf ERRNO CALL…: the program that answers these calls with ERRNO, on stdout. */
static int cmd_bpf(char **argv)
{
	struct sock_filter code[MAX_CALLS * 2 + 2];
	uint32_t verdict = SECCOMP_RET_ERRNO | (uint32_t)atoi(argv[0]);
	size_t n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 (uint32_t)offsetof(struct seccomp_data, nr));
	for (char **call = argv + 1; *call && n < MAX_CALLS * 2; call++) {
		int i = find_call(*call);

		if (i < 0) {
			fprintf(stderr, "hand: unknown call: %s\n", *call);
			return 99;
		}
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number,
							 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (write(1, code, n * sizeof(code[0])) != (ssize_t)(n * sizeof(code[0])))
		return fail("write");
	return 0;
}

/* ---- locks ---- */

static const char *lock_of(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0)
		return "error";
	close(fd);
	return lock.l_type == F_UNLCK ? "free" : lock.l_type == F_RDLCK ? "read" : "write";
}

/* lock FILE: free, read or write. */
static int cmd_lock(char **argv)
{
	printf("%s\n", lock_of(argv[0]));
	return 0;
}

/* await-lock FILE STATE MILLISECONDS: nobody tells when a lock is taken, so look, with a bound. */
static int cmd_await_lock(char **argv)
{
	long end = now_ms() + atol(argv[2]);

	do {
		if (!strcmp(lock_of(argv[0]), argv[1]))
			return 0;
		sched_yield();
	} while (now_ms() < end);
	printf("%s\n", lock_of(argv[0]));
	return 1;
}

static const struct command {
	const char *name;
	int args;
	int (*run)(char **argv);
} commands[] = {
	{ "await-lock", 3, cmd_await_lock }, { "bpf", 1, cmd_bpf },   { "lock", 1, cmd_lock },
	{ "memfd", 3, cmd_memfd },           { "only", 2, cmd_only }, { "path", 3, cmd_path },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name) && argc >= commands[i].args + 2)
			return commands[i].run(argv + 2);
	fprintf(stderr, "hand: unknown or short command: %s\n", argc > 1 ? argv[1] : "");
	return 99;
}
