/* SPDX-License-Identifier: MIT */
/*
 * interpose: what the library calls of libc between clone and exec. It runs in the memory of its
 * caller then, so a call can be counted here: there must be none. Linked dynamically with glibc, so that
 * the definitions below are everybody's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/nestbox.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *memory);

static volatile int host_pid;
static const char *volatile calls[64];
static volatile unsigned int call_count;

static void note(const char *name)
{
	if (host_pid != 0 && syscall(SYS_getpid) != host_pid)
		calls[call_count++ % 64] = name;
}

void *malloc(size_t size)
{
	note("malloc");
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	note("calloc");
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	note("realloc");
	return __libc_realloc(old, size);
}

void free(void *memory)
{
	note("free");
	__libc_free(memory);
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

int *__errno_location(void)
{
	static int *(*next)(void);

	if (next == NULL)
		next = NEXT(int *(*)(void), "__errno_location");
	note("errno");
	return next();
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	note("pthread_mutex_lock");
	return NEXT(int (*)(pthread_mutex_t *), "pthread_mutex_lock")(mutex);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	note("pthread_sigmask");
	return NEXT(int (*)(int, const sigset_t *, sigset_t *), "pthread_sigmask")(how, set, old);
}

int snprintf(char *text, size_t size, const char *format, ...)
{
	va_list values;
	int length;

	note("snprintf");
	va_start(values, format);
	length = vsnprintf(text, size, format, values);
	va_end(values);
	return length;
}

int fputs(const char *text, FILE *stream)
{
	note("fputs");
	return (int)fwrite(text, 1, strlen(text), stream);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	note("write");
	return syscall(SYS_write, fd, bytes, size);
}

int close(int fd)
{
	note("close");
	return (int)syscall(SYS_close, fd);
}

int dup3(int from, int to, int flags)
{
	note("dup3");
	return (int)syscall(SYS_dup3, from, to, flags);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	note("execve");
	return (int)syscall(SYS_execve, path, argv, envp);
}

static void report(const char *what)
{
	unsigned int count = call_count;

	call_count = 0;
	printf("%s:", what);
	for (unsigned int i = 0; i < count && i < 64; i++)
		printf(" %s", calls[i]);
	printf(count > 0 ? "\n" : " nothing\n");
}

/* That a call would be seen. */
static int careless(void *argument)
{
	free(malloc(1));
	fputs("", stdout);
	errno = 0;
	(void)argument;
	syscall(SYS_exit_group, 0);
	return 0;
}

static void spawn(const char *what, struct nestbox_plan *plan, char **argv)
{
	struct nestbox_error error;
	struct nestbox_event end = { .kind = NESTBOX_FAILED };
	struct nestbox_box *box;

	if (nestbox_spawn(plan, argv, &box, &error) == 0)
		nestbox_wait(box, &end);
	else
		printf("%s\n", error.message);
	nestbox_free(box);
	nestbox_plan_free(plan);
	printf("%s\n", end.kind == NESTBOX_EXITED ? "exited" : "failed");
	report(what);
}

int main(int argc, char **argv)
{
	static char stack[65536];
	struct nestbox_plan *plan;

	if (argc < 3)
		return 99;
	host_pid = getpid();
	clone(careless, stack + sizeof(stack), CLONE_VM | CLONE_VFORK, NULL);
	report("a careless child");
	plan = nestbox_plan_new();
	nestbox_plan_grant(plan, NESTBOX_EXEC, argv[1]);
	nestbox_plan_stdio(plan, 0, NESTBOX_NULL, -1);
	nestbox_plan_stdio(plan, 1, NESTBOX_PIPE, -1);
	nestbox_plan_fd(plan, 3, 2);
	nestbox_plan_data(plan, "ro-bind-data", "x", 1, "/x", NULL);
	spawn("a spawn", plan, argv + 2);
	plan = nestbox_plan_new();
	nestbox_plan_program(plan, "/no/such/program");
	spawn("a spawn that fails", plan, argv + 2);
	return 0;
}
