/* SPDX-License-Identifier: MIT */
/*
 * notify WHAT FILE [NUMBER]: a workload whose opening of FILE, to append, is answered by a listener, and that
 * makes it hard. Prints what was wrong, one line each; exits 0 if nothing was.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __NR_openat2
#define __NR_openat2 437
#endif

static const char *file;
static int number = 100, failures;

static void holds(const char *what, bool truth)
{
	if (truth)
		return;
	printf("%s: %s\n", what, strerror(errno));
	failures++;
}

static void fails(const char *what, long result, int error)
{
	holds(what, result < 0 && errno == error);
}

static long open_raw(const void *path)
{
	return syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND, 0L);
}

/* Whether the file can be had, once. */
static void check_open(const char *what)
{
	int fd = open(file, O_WRONLY | O_APPEND);

	holds(what, fd >= 0);
	if (fd >= 0)
		close(fd);
}

/* ---- memory ---- */

static void pointers(void)
{
	char *pages =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t length = strlen(file) + 1;

	if (pages == MAP_FAILED || mprotect(pages + 8192, 4096, PROT_NONE) != 0)
		exit(2);
	fails("NULL", open_raw(NULL), EFAULT);
	fails("the kernel's half", open_raw((void *)(uintptr_t)0xffffffff81000000), EFAULT);
	fails("an unmapped page", open_raw(pages + 8192), EFAULT);
	fails("openat2 of NULL", syscall(__NR_openat2, AT_FDCWD, NULL, NULL, 24L), EFAULT);
	memset(pages, 'x', 8192);
	fails("no NUL before the end of the mapping", open_raw(pages + 8192 - 20), EFAULT);
	fails("no NUL within PATH_MAX", open_raw(pages), ENAMETOOLONG);
	pages[PATH_MAX - 1] = '\0';
	fails("a long name", open_raw(pages), ENAMETOOLONG);
	pages[10] = '\0';
	fails("what is not there", open_raw(pages), ENOENT);
	fails("the empty path", open_raw(""), ENOENT);
	/* Right up to the page that is not there, and across two that are. */
	memcpy(pages + 8192 - length, file, length);
	holds("at the end of the mapping", open_raw(pages + 8192 - length) >= 0);
	memcpy(pages + 4096 - length / 2, file, length);
	holds("across two pages", open_raw(pages + 4096 - length / 2) >= 0);
	fails("no such descriptor", syscall(SYS_openat, 999L, "x", O_WRONLY, 0L), EBADF);
	fails("F_SETFL on none", fcntl(999, F_SETFL, 0), EBADF);
	fails("ftruncate of none", ftruncate(999, 0), EBADF);
}

/* ---- descriptors ---- */

static void descriptors(void)
{
	struct rlimit limit = { 8, 8 };
	int fd, last = 0;

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		exit(2);
	while ((fd = open(file, O_WRONLY | O_APPEND)) >= 0)
		last = fd;
	holds("too many descriptors", errno == EMFILE && last == 7);
	close(last);
	check_open("one is free again");
	/* Close-on-exec and the lowest number, as with any open. */
	fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
	holds("O_CLOEXEC", fd == last && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	fd = open(file, O_WRONLY | O_NONBLOCK | O_SYNC);
	holds("without O_CLOEXEC", fcntl(fd, F_GETFD) == 0);
	holds("O_NONBLOCK and O_SYNC",
	      (fcntl(fd, F_GETFL) & (O_NONBLOCK | O_SYNC)) == (O_NONBLOCK | O_SYNC));
}

/* ---- paths ---- */

static void paths(void)
{
	char directory[PATH_MAX], path[PATH_MAX + 64], *name;
	int fd, dir;

	strcpy(directory, file);
	name = strrchr(directory, '/');
	*name++ = '\0';
	dir = open(directory, O_RDONLY | O_DIRECTORY);
	holds("by a directory's descriptor", openat(dir, name, O_WRONLY) >= 0);
	holds("with more bits in it",
	      syscall(SYS_openat, dir | 0x100000000L, name, O_WRONLY, 0L) >= 0);
	holds("the working directory",
	      chdir(directory) == 0 && syscall(SYS_openat, 0xffffff9cL, name, O_WRONLY, 0L) >= 0);
	snprintf(path, sizeof(path), "/../..//proc/self/cwd/./%s", name);
	holds(path, open(path, O_WRONLY) >= 0);
	snprintf(path, sizeof(path), "/proc/thread-self/root%s", file);
	holds(path, open(path, O_WRONLY) >= 0);
	holds("a link", symlink(file, "/tmp/link") == 0 && open("/tmp/link", O_WRONLY) >= 0);
	fails("a link that is not followed", open("/tmp/link", O_WRONLY | O_NOFOLLOW), ELOOP);
	holds("a link to a link",
	      symlink("link", "/tmp/link2") == 0 && open("/tmp/link2", O_WRONLY) >= 0);
	holds("a loop", symlink("loop", "/tmp/loop") == 0);
	fails("a loop", open("/tmp/loop", O_WRONLY), ELOOP);
	snprintf(path, sizeof(path), "%s/", file);
	fails("a slash behind it", open(path, O_WRONLY), ENOTDIR);
	fd = open(file, O_WRONLY | O_APPEND);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	fd = open(path, O_WRONLY);
	holds("a descriptor opened again", fd >= 0 && (fcntl(fd, F_GETFL) & O_APPEND));
	holds("a file beside", open("/tmp/beside", O_RDWR | O_CREAT | O_TRUNC, 0640) >= 0);
}

/* ---- many at once, who die ---- */

static void open_for_ever(void)
{
	for (;;) {
		int fd = open(file, O_WRONLY | O_APPEND);

		if (fd >= 0)
			close(fd);
	}
}

static void flood(void)
{
	enum { PROCESSES = 48 };
	int status;

	for (int i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		for (int j = 0; j < number; j++)
			check_open("in a flood");
		_exit(failures != 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		wait(&status);
		holds("a process of a flood", status == 0);
	}
}

static void death(void)
{
	for (int i = 0; i < number; i++) {
		int pipes[2], pid;
		char byte;

		if (pipe(pipes) != 0 || (pid = fork()) < 0)
			exit(2);
		if (pid == 0) {
			if (write(pipes[1], "", 1) == 1)
				open_for_ever();
			_exit(1);
		}
		if (read(pipes[0], &byte, 1) != 1)
			exit(2);
		for (int j = 0; j < i % 16; j++)
			sched_yield();
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(pipes[0]);
		close(pipes[1]);
		check_open("after a death");
	}
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Without SA_RESTART a call that is interrupted fails. */
static void signals(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
	int done = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 100 * number && done < number; i++) {
		int fd = open(file, O_WRONLY | O_APPEND);

		holds("a storm of signals", fd >= 0 || errno == EINTR);
		done += fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	holds("as many as were asked for", done == number);
}

/* ---- a thread with descriptors of its own ---- */

static _Alignas(16) char stack[65536];
static atomic_int answer;

static _Noreturn void end_thread(void)
{
	for (;;)
		syscall(SYS_exit, 0);
}

static int thread(void *argument)
{
	long fd = open_raw(file);

	(void)argument;
	/* That number is nothing in the table of the others. */
	if (fd < 0 || syscall(SYS_fcntl, fd, (long)F_SETFL, 0L) < 0)
		atomic_store(&answer, 2);
	else
		atomic_store(&answer, syscall(SYS_fcntl, fd, (long)F_GETFL) & O_APPEND ? 1 : 3);
	end_thread();
}

static void table(void)
{
	int fd = open("/tmp/x", O_RDWR | O_CREAT, 0600);

	for (int i = 0; i < 5; i++)
		dup(fd);
	if (clone(thread, stack + sizeof(stack), CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, NULL) < 0)
		exit(2);
	while (atomic_load(&answer) == 0)
		sched_yield();
	holds("in a thread with descriptors of its own", atomic_load(&answer) != 3);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {
		{ "pointers", pointers }, { "descriptors", descriptors },
		{ "paths", paths },       { "flood", flood },
		{ "death", death },       { "signals", signals },
		{ "table", table },
	};

	if (argc < 3)
		return 2;
	file = argv[2];
	if (argc > 3)
		number = atoi(argv[3]);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].name, argv[1]) == 0) {
			all[i].run();
			return failures != 0;
		}
	return 2;
}
