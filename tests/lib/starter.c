/* SPDX-License-Identifier: MIT */
/*
 * starter: a caller of nestbox that a shell cannot be: one with signals
 * ignored or blocked, with threads, with leaked descriptors, one that kills at
 * any moment of the start, or that changes the files meanwhile.
 */
#ifndef _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

/* The kernel's own layout, so that libc's private signals are reached, too. */
struct raw_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static int fail(const char *what)
{
	fprintf(stderr, "starter: %s: %s\n", what, strerror(errno));
	return 99;
}

static int run(char **argv)
{
	execvp(argv[0], argv);
	return fail(argv[0]);
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- signal state at entry ---- */

static void set_all(void (*handler)(int), uint64_t mask)
{
	struct raw_sigaction sa = { .handler = handler };

	for (int sig = 1; sig <= 64; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			syscall(SYS_rt_sigaction, sig, &sa, NULL, sizeof(sa.mask));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

/* reset COMMAND…: a shell starts background jobs with INT and QUIT ignored; undo it. */
static int cmd_reset(char **argv)
{
	set_all(SIG_DFL, 0);
	return run(argv);
}

static int cmd_ignore(char **argv)
{
	set_all(SIG_IGN, 0);
	return run(argv);
}

static int cmd_block(char **argv)
{
	set_all(SIG_DFL, ~UINT64_C(0));
	return run(argv);
}

/* ---- killing ---- */

/*
 * We are the subreaper, so whatever outlives the command becomes our child, and
 * waiting until there is none proves that nothing stayed. The wait is bounded.
 */
static int nobody_left(void)
{
	long end = now_us() + 10000000;

	while (now_us() < end) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return 1;
		if (pid == 0)
			sched_yield();
	}
	return 0;
}

/* A failed test must not leave what it found behind. */
static void end_survivors(void)
{
	char path[64];
	int pid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (f)
		fclose(f);
}

static void spin(long us)
{
	long end = now_us() + us;

	while (now_us() < end)
		;
}

/*
 * storm COUNT SIGNAL MAXIMUM COMMAND…: COUNT starts; SIGNAL hits the launcher after a
 * time between 0 and MAXIMUM microseconds, a different one each time.
 */
static int cmd_storm(char **argv)
{
	long count = atol(argv[0]), most = atol(argv[2]);
	int sig = atoi(argv[1]);

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return fail("fork");
		if (pid == 0) {
			set_all(SIG_DFL, 0);
			_exit(run(argv + 3));
		}
		spin(most * i / count);
		kill(pid, sig);
		if (!nobody_left()) {
			printf("start %ld, after %ld us: a process stays\n", i, most * i / count);
			end_survivors();
			return 1;
		}
	}
	printf("%ld starts, nobody left\n", count);
	return 0;
}

/* after COMMAND…: run it to its end, then nobody may be left. Exits with its status. */
static int cmd_after(char **argv)
{
	int status = 0;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid = fork();
	if (pid == 0)
		_exit(run(argv));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return fail("wait");
	if (!nobody_left()) {
		printf("a process stays\n");
		end_survivors();
		return 98;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* send PID SIGNAL COUNT: a storm of signals. */
static int cmd_send(char **argv)
{
	pid_t pid = atoi(argv[0]);
	long count = atol(argv[2]);

	while (count-- > 0)
		if (kill(pid, atoi(argv[1])) < 0)
			return fail("kill");
	return 0;
}

/* await PID MILLISECONDS: 0 when it has ended (or is not there), 1 when the time is over first. */
static int cmd_await(char **argv)
{
	struct pollfd p = { .events = POLLIN };

	p.fd = (int)syscall(SYS_pidfd_open, atoi(argv[0]), 0);
	if (p.fd < 0)
		return errno == ESRCH ? 0 : fail("pidfd_open");
	return poll(&p, 1, atoi(argv[1])) == 1 ? 0 : 1;
}

/* ---- a caller with threads ---- */

struct job {
	char **argv;
	pid_t pid;
};

static void *start_job(void *arg)
{
	struct job *job = arg;

	job->pid = fork();
	if (job->pid == 0)
		_exit(run(job->argv));
	return NULL;
}

/* thread COMMAND…: started by a thread that ends at once; says so, then waits. */
static int cmd_thread(char **argv)
{
	struct job job = { argv, -1 };
	pthread_t thread;
	int status;

	if (pthread_create(&thread, NULL, start_job, &job) || pthread_join(thread, NULL))
		return fail("thread");
	if (job.pid < 0 || waitpid(job.pid, &status, 0) < 0)
		return fail("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- a careless caller ---- */

/* leak FIRST LAST COMMAND…: descriptors of the host's root directory, not close-on-exec. */
static int cmd_leak(char **argv)
{
	int first = atoi(argv[0]), last = atoi(argv[1]);
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return fail("/");
	for (int fd = first; fd <= last; fd++)
		if (fd != root && dup2(root, fd) < 0)
			return fail("dup2");
	if (root >= first && root <= last)
		fcntl(root, F_SETFD, 0);
	return run(argv + 2);
}

/* ---- an attacker outside ---- */

/* swap A B: exchange the two names until killed; says "ready" after the first time. */
static int cmd_swap(char **argv)
{
	if (syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE) < 0)
		return fail("renameat2");
	printf("ready\n");
	fflush(stdout);
	for (;;)
		syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE);
}

/* ---- servers on the host ---- */

static _Noreturn void serve(int fd)
{
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (c >= 0)
			close(c);
	}
}

static int serve_unix(const char *name, int abstract)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || n + 2 > sizeof(sa.sun_path))
		return fail(name);
	memcpy(sa.sun_path + abstract, name, n);
	if (bind(fd, (struct sockaddr *)&sa,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1)) < 0 ||
	    listen(fd, 8) < 0)
		return fail(name);
	serve(fd);
}

static int cmd_unix(char **argv)
{
	return serve_unix(argv[0], 0);
}

static int cmd_abstract(char **argv)
{
	return serve_unix(argv[0], 1);
}

static int cmd_tcp(char **argv)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t n = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)argv;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, n) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
		return fail("tcp");
	printf("%u\n", ntohs(sa.sin_port));
	serve(fd);
}

static const struct command {
	const char *name;
	int args;
	int (*run)(char **argv);
} commands[] = {
	{ "abstract", 1, cmd_abstract }, { "after", 1, cmd_after },   { "await", 2, cmd_await },
	{ "block", 1, cmd_block },       { "ignore", 1, cmd_ignore }, { "leak", 3, cmd_leak },
	{ "reset", 1, cmd_reset },       { "send", 3, cmd_send },     { "storm", 4, cmd_storm },
	{ "swap", 2, cmd_swap },         { "tcp", 0, cmd_tcp },       { "thread", 1, cmd_thread },
	{ "unix", 1, cmd_unix },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name) && argc >= commands[i].args + 2)
			return commands[i].run(argv + 2);
	fprintf(stderr, "starter: unknown or short command: %s\n", argc > 1 ? argv[1] : "");
	return 99;
}
