/* SPDX-License-Identifier: MIT */
/*
 * append calls FILE, append races FILE LOOPS: a workload that may write at the end of FILE alone and tries to
 * do more. Prints what got through, one line each; exits 0 if nothing did. What was in FILE must be there
 * still: the one outside compares.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH 0x700000000L /* what the kernel cuts off */
#define NOAPPEND 0x20
#define ACCESS 3 /* O_ACCMODE, which musl lets O_PATH be a part of */

#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_open_tree
#define __NR_open_tree 428
#endif
#ifndef __NR_io_uring_setup
#define __NR_io_uring_setup 425
#endif

struct how {
	uint64_t flags, mode, resolve;
};

static const char *file;
static int failures;

/* RESULT of a call must be a failure with one of up to three errors. */
static void refused(const char *what, long result, int first, int second, int third)
{
	int error = errno;

	if (result < 0 && (error == first || error == second || error == third))
		return;
	printf("%s: %s\n", what, result < 0 ? strerror(error) : "done");
	failures++;
}

static void holds(const char *what, bool truth)
{
	if (truth)
		return;
	printf("%s\n", what);
	failures++;
}

static long open_raw(const char *path, long flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0600L);
}

static long open_how(const char *path, uint64_t flags)
{
	struct how how = { .flags = flags, .mode = flags & O_CREAT ? 0600 : 0 };

	return syscall(__NR_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static int good(void)
{
	int fd = open(file, O_WRONLY | O_APPEND);

	if (fd < 0) {
		perror("open to append");
		exit(2);
	}
	return fd;
}

/* ---- one by one ---- */

static void try_flags(const char *path, const char *what)
{
	static const long bad[] = {
		O_RDWR,
		O_RDWR | O_APPEND,
		O_WRONLY | O_TRUNC,
		O_WRONLY | O_APPEND | O_TRUNC,
		O_WRONLY | O_CREAT | O_TRUNC,
		O_RDONLY | O_TRUNC,
		ACCESS,
	};
	char text[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "openat %s %#lo", what, bad[i]);
		refused(text, open_raw(path, bad[i]), EPERM, EACCES, EROFS);
		refused(text, open_raw(path, bad[i] | HIGH), EPERM, EACCES, EROFS);
		snprintf(text, sizeof(text), "openat2 %s %#lo", what, bad[i]);
		refused(text, open_how(path, (uint64_t)bad[i]), EPERM, EACCES, EROFS);
#ifdef SYS_open
		snprintf(text, sizeof(text), "open %s %#lo", what, bad[i]);
		refused(text, syscall(SYS_open, path, bad[i], 0600L), EPERM, EACCES, EROFS);
#endif
	}
#ifdef SYS_creat
	refused("creat", syscall(SYS_creat, path, 0600L), EPERM, EACCES, EROFS);
#endif
	refused("truncate", truncate(path, 0), EPERM, EACCES, EROFS);
	refused("O_CREAT|O_EXCL", open_raw(path, O_WRONLY | O_CREAT | O_EXCL), EEXIST, 0, 0);
	refused("O_DIRECTORY", open_raw(path, O_WRONLY | O_DIRECTORY), ENOTDIR, 0, 0);
}

/* Every name by which a descriptor's file can be opened again. */
static void try_reopening(int fd)
{
	static const char *const forms[] = { "/proc/self/fd/%d", "/proc/thread-self/fd/%d",
					     "/dev/fd/%d", "/proc/self/../self/fd/%d" };
	char path[64];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof(path), forms[i], fd);
		try_flags(path, path);
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", getpid(), getpid(), fd);
	try_flags(path, path);
}

/* What the one who answers switched on would send signals in its name, out of the box. */
static void try_signals(int fd)
{
	refused("F_SETFL O_ASYNC", fcntl(fd, F_SETFL, O_ASYNC), EPERM, 0, 0);
	refused("F_SETFL O_ASYNC with more bits",
		syscall(SYS_fcntl, fd, F_SETFL | HIGH, O_ASYNC | O_NONBLOCK | HIGH), EPERM, 0, 0);
	holds("F_SETFL O_ASYNC | O_APPEND", fcntl(fd, F_SETFL, O_ASYNC | O_APPEND) == 0);
	fcntl(fd, F_SETFL, O_APPEND);
}

static void try_descriptor(int fd)
{
	struct iovec data = { (char[]){ "X" }, 1 };
	long flags;

	refused("ftruncate", ftruncate(fd, 0), EPERM, 0, 0);
	refused("pwritev2 RWF_NOAPPEND",
		syscall(SYS_pwritev2, fd, &data, 1L, 0L, 0L, (long)NOAPPEND), EOPNOTSUPP, 0, 0);
	refused("pwritev2 with more bits",
		syscall(SYS_pwritev2, fd, &data, 1L, 0L, 0L, NOAPPEND | 2 | HIGH), EOPNOTSUPP, 0,
		0);
	for (int mode = 2; mode < 0x100; mode++)
		refused("fallocate", syscall(SYS_fallocate, fd, (long)mode, 0L, 4096L), EOPNOTSUPP,
			0, 0);
	refused("fallocate with more bits", syscall(SYS_fallocate, fd, 3 | HIGH, 0L, 4096L),
		EOPNOTSUPP, 0, 0);
	holds("F_SETFL", fcntl(fd, F_SETFL, 0) == 0);
	holds("F_SETFL O_NONBLOCK", fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	flags = fcntl(fd, F_GETFL);
	holds("flags after F_SETFL", (flags & O_APPEND) && (flags & O_NONBLOCK));
	syscall(SYS_fcntl, fd, F_SETFL | HIGH, 0L);
	syscall(SYS_fcntl, fd, (long)F_SETFL, HIGH);
	holds("flags after F_SETFL with more bits", fcntl(fd, F_GETFL) & O_APPEND);
}

static void try_ioctls(int fd)
{
	static const unsigned int requests[] = {
		0x40305828, 0x40305829, 0x4030582a,
		0x4030582b, 0x40305839, /* FS_IOC_…RESVSP, ZERO */
		0xc028660f, 0xc020f509, 0xf501,
		0x40806685, 0x5820, /* EXT4, F2FS, verity */
	};
	uint64_t argument[16] = { 0 };
	int other = open(file, O_RDONLY);

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		refused("ioctl", syscall(SYS_ioctl, fd, (long)requests[i], argument), ENOTTY, EPERM,
			0);
		refused("ioctl with more bits",
			syscall(SYS_ioctl, fd, requests[i] | HIGH, argument), ENOTTY, EPERM, 0);
	}
	refused("FICLONE", ioctl(fd, FICLONE, other), EBADF, EOPNOTSUPP, EXDEV);
	close(other);
}

static void try_mapping(int fd)
{
	int reader = open(file, O_RDONLY);
	void *map;

	refused("mmap", (long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0), EACCES, 0, 0);
	refused("mmap", (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), EACCES, 0, 0);
	refused("mmap of a reader", (long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, reader, 0),
		EACCES, 0, 0);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, reader, 0);
	refused("mprotect", mprotect(map, 4096, PROT_READ | PROT_WRITE), EACCES, 0, 0);
	munmap(map, 4096);
	close(reader);
}

static void try_copying(int fd)
{
	off_t start = 0, there = 0;
	int source = open("/tmp/source", O_RDWR | O_CREAT | O_TRUNC, 0600), pipes[2];

	if (source < 0 || write(source, "YYYY", 4) != 4 || pipe(pipes) < 0 ||
	    write(pipes[1], "YY", 2) != 2) {
		perror("source");
		exit(2);
	}
	refused("sendfile", sendfile(fd, source, &start, 4), EINVAL, 0, 0);
	refused("splice", splice(pipes[0], NULL, fd, NULL, 1, 0), EINVAL, 0, 0);
	refused("splice at 0", splice(pipes[0], NULL, fd, &there, 1, 0), EINVAL, 0, 0);
	refused("copy_file_range", copy_file_range(source, &start, fd, &there, 4, 0), EBADF, EXDEV,
		0);
	close(source);
	close(pipes[0]);
	close(pipes[1]);
}

static void try_names(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	refused("unlink", unlink(file), EBUSY, EROFS, EACCES);
	refused("rename", rename(file, "/tmp/moved"), EBUSY, EROFS, EXDEV);
	refused("rename over it", rename("/tmp/source", file), EBUSY, EROFS, EXDEV);
	refused("link", linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/link", AT_SYMLINK_FOLLOW), EXDEV,
		EPERM, EACCES);
	refused("link of a descriptor", linkat(fd, "", AT_FDCWD, "/tmp/link", AT_EMPTY_PATH), EXDEV,
		ENOENT, EACCES);
	refused("exec", syscall(SYS_execveat, fd, "", NULL, NULL, AT_EMPTY_PATH), EACCES, 0, 0);
	refused("open_tree", syscall(__NR_open_tree, fd, "", 1L | AT_EMPTY_PATH), EPERM, EINVAL,
		ENOSYS);
	refused("open_by_handle_at", syscall(SYS_open_by_handle_at, fd, NULL, O_RDWR), EPERM, 0, 0);
}

static void try_kernel(void)
{
	unsigned long context = 0;
	struct sock_fprog_like {
		unsigned short length;
		void *code;
	} program = { 1, &(uint64_t){ 0x7fff000000000006ULL } };

	refused("io_setup", syscall(SYS_io_setup, 1L, &context), ENOSYS, 0, 0);
	refused("io_submit", syscall(SYS_io_submit, 0L, 0L, NULL), ENOSYS, 0, 0);
	refused("io_uring_setup", syscall(__NR_io_uring_setup, 1L, NULL), ENOSYS, EPERM, 0);
	/* The kernel has one listener for a process: documented. */
	refused("a listener of its own",
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			&program),
		EBUSY, 0, 0);
}

/* Another process of the workload that got it over a socket has no more than this one. */
static void try_passing(int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { (char[]){ "-" }, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int sockets[2], status = 1;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0 ||
	    sendmsg(sockets[0], &message, 0) < 0)
		exit(2);
	if (fork() == 0) {
		close(fd);
		failures = 0;
		if (recvmsg(sockets[1], &message, 0) < 0)
			exit(2);
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
		try_descriptor(fd);
		try_reopening(fd);
		fflush(stdout);
		_exit(failures != 0);
	}
	wait(&status);
	holds("the other process", status == 0);
	close(sockets[0]);
	close(sockets[1]);
}

static void calls(void)
{
	int fd = good();

	try_flags(file, "the file");
	try_reopening(fd);
	try_descriptor(fd);
	try_signals(fd);
	try_ioctls(fd);
	try_mapping(fd);
	try_copying(fd);
	try_names(fd);
	try_kernel();
	try_passing(fd);
	holds("write at the start", pwrite(fd, "end\n", 4, 0) == 4);
	close(fd);
}

/* ---- what the listener has looked at is exchanged meanwhile ---- */

static struct {
	char path[64];
	const char *one, *other;
	struct how how;
	uint64_t flags[3];
	int fd, fds[2];
} shared;
static atomic_int racing;

static void *exchange(void *argument)
{
	(void)argument;
	for (unsigned int i = 0; atomic_load(&racing); i++) {
		const char *text = i & 1 ? shared.one : shared.other;

		/* Byte by byte, so that halves are seen as well. */
		for (size_t j = 0; j <= strlen(text); j++)
			((volatile char *)shared.path)[j] = text[j];
		((volatile struct how *)&shared.how)->flags = shared.flags[i % 3];
		dup2(shared.fds[i & 1], shared.fd);
	}
	return NULL;
}

static bool is_file(int fd, const struct stat *wanted)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && stat.st_dev == wanted->st_dev &&
	       stat.st_ino == wanted->st_ino;
}

/* What was opened may be the file only if it cannot hurt it. */
static void check_opened(const char *what, int fd, const struct stat *wanted)
{
	int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

	if (fd < 0)
		return;
	if (is_file(fd, wanted) && (flags & ACCESS) != O_RDONLY)
		holds(what, (flags & ACCESS) == O_WRONLY && (flags & O_APPEND));
	close(fd);
}

static void race_once(const struct stat *wanted)
{
	check_opened("openat", (int)open_raw(shared.path, O_RDWR), wanted);
	check_opened("openat", (int)open_raw(shared.path, O_WRONLY | O_CREAT), wanted);
	check_opened("openat", (int)open_raw(shared.path, O_WRONLY | O_TRUNC), wanted);
	check_opened(
		"openat2",
		(int)syscall(__NR_openat2, AT_FDCWD, shared.path, &shared.how, sizeof(shared.how)),
		wanted);
	fcntl(shared.fd, F_SETFL, 0);
	holds("F_SETFL", fcntl(shared.fds[1], F_GETFL) & O_APPEND);
	if (ftruncate(shared.fd, 1) == 0)
		holds("ftruncate", lseek(shared.fds[1], 0, SEEK_END) > 1);
	if (truncate(shared.path, 1) == 0)
		holds("truncate", lseek(shared.fds[1], 0, SEEK_END) > 1);
}

static void race(const char *one, const char *other, int loops)
{
	struct stat wanted;
	pthread_t thread;

	shared.one = one;
	shared.other = other;
	shared.flags[0] = O_RDONLY;
	shared.flags[1] = O_RDWR;
	shared.flags[2] = O_RDONLY | O_TRUNC;
	shared.fds[0] = open("/tmp/other", O_RDWR | O_CREAT, 0600);
	shared.fds[1] = good();
	shared.fd = dup(shared.fds[0]);
	if (shared.fds[0] < 0 || fstat(shared.fds[1], &wanted) < 0)
		exit(2);
	atomic_store(&racing, 1);
	if (pthread_create(&thread, NULL, exchange, NULL) != 0)
		exit(2);
	for (int i = 0; i < loops && failures == 0; i++)
		race_once(&wanted);
	atomic_store(&racing, 0);
	pthread_join(thread, NULL);
	close(shared.fd);
	close(shared.fds[0]);
	close(shared.fds[1]);
}

static void races(int loops)
{
	char again[64];
	int fd = good();

	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	race("/tmp/other", file, loops);
	race("/tmp/other", again, loops);
	race(file, again, loops);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: append calls FILE | append races FILE LOOPS\n");
		return 2;
	}
	file = argv[2];
	if (strcmp(argv[1], "calls") == 0)
		calls();
	else
		races(argc > 3 ? atoi(argv[3]) : 100);
	return failures != 0;
}
