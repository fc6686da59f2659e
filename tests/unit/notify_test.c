/* SPDX-License-Identifier: MIT */
/* A listener that serves a child of ours. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "filters/notify.h"
#include "filters/target.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- a child that asks ---- */

/* The child's calls of these numbers are notified; nothing of it can be mistaken for another call. */
#define ASKED SYS_lookup_dcookie
#define ASKED_TOO SYS_mlock2

static const struct sock_filter program[] = {
	{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
	{ BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ASKED },
	{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, ASKED_TOO },
	{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF },
	{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
};

/* Runs MAIN in a child with that filter, and returns the listener. */
static int begin(int (*main)(void), int *pid)
{
	const struct sock_fprog filter = { COUNT(program),
					   (struct sock_filter *)(uintptr_t)program };
	int pipes[2], fd, pidfd, got;

	assert_int_equal(pipe(pipes), 0);
	*pid = fork();
	if (*pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		fd = notify_install(&filter, 0);
		if (write(pipes[1], &fd, sizeof(fd)) != sizeof(fd))
			_exit(100);
		/* The parent has a copy when this is closed over there. */
		close(pipes[1]);
		raise(SIGSTOP);
		close(fd);
		_exit(main());
	}
	assert_int_equal(read(pipes[0], &fd, sizeof(fd)), sizeof(fd));
	assert_true(fd >= 0);
	assert_int_equal(waitpid(*pid, NULL, WUNTRACED), *pid);
	pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
	got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	assert_true(got >= 0);
	close(pidfd);
	close(pipes[0]);
	close(pipes[1]);
	kill(*pid, SIGCONT);
	return got;
}

/* Serves MAIN with these rows until its end. Returns its exit status. */
static int run(int (*main)(void), struct notify *notify)
{
	int status, pid;

	notify->listener = begin(main, &pid);
	notify->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(notify_serve(notify), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(notify->listener);
	close(notify->proc);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static struct notify_answer give(const struct notify_call *call, void *context)
{
	int *mode = context;
	int fd;

	switch (call->arguments[0]) {
	case 0:
		return notify_return(42);
	case 1:
		return notify_return(-EXDEV);
	case 2:
		fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		return notify_fd(fd, call->arguments[1] != 0);
	case 3: /* the kernel refuses that, and the caller must not hang */
		return notify_fd(open("/dev/zero", O_PATH | O_CLOEXEC), false);
	default:
		*mode = 1;
		return notify_continue();
	}
}

static int ask(void)
{
	char byte = 1;
	long fd;

	if (syscall(ASKED, 0L) != 42)
		return 1;
	if (syscall(ASKED, 1L) != -1 || errno != EXDEV)
		return 2;
	fd = syscall(ASKED, 2L, 0L);
	if (fd < 0 || fcntl((int)fd, F_GETFD) != 0 || read((int)fd, &byte, 1) != 1 || byte != 0)
		return 3;
	fd = syscall(ASKED, 2L, 1L);
	if (fd < 0 || fcntl((int)fd, F_GETFD) != FD_CLOEXEC)
		return 4;
	if (syscall(ASKED, 3L) != -1 || errno != EBADF)
		return 5;
	/* The kernel's own answer. */
	if (syscall(ASKED, 4L, 0L, 0L) != -1 || errno == EXDEV || errno == EBADF)
		return 6;
	/* In no table. */
	if (syscall(ASKED_TOO, 0L) != -1 || errno != ENOSYS)
		return 7;
	return 0;
}

static void answers(void **state)
{
	const struct notify_row rows[] = { { ASKED, give } };
	int mode = 0;
	const struct notify_table table = { rows, 1, &mode };
	struct notify notify = { .tables = &table, .table_count = 1 };

	(void)state;
	assert_int_equal(notify_probe(), 0);
	assert_int_equal(run(ask, &notify), 0);
	assert_int_equal(mode, 1);
	assert_false(notify.two_steps);
	/* As before Linux 5.14. */
	notify.two_steps = true;
	assert_int_equal(run(ask, &notify), 0);
}

/* Without a poll before each call: it ends by itself only where RECV does. */
static void waiting_for_calls(void **state)
{
	const struct notify_row rows[] = { { ASKED, give } };
	int mode = 0, major = 0, minor = 0;
	const struct notify_table table = { rows, 1, &mode };
	struct notify notify = { .tables = &table, .table_count = 1, .stopped = true };
	struct utsname name;

	(void)state;
	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%d.%d", &major, &minor), 2);
	if (major * 100 + minor < 611)
		skip();
	assert_int_equal(run(ask, &notify), 0);
	assert_int_equal(mode, 1);
}

/* The argument is a path; what it is for the caller is compared with what we think. */
struct found {
	struct stat stat;
	int error, read;
	char path[PATH_MAX];
};

static struct notify_answer find(const struct notify_call *call, void *context)
{
	struct found *found = context;
	int fd = -1;

	memset(found, 0, sizeof(*found));
	found->read = target_read_path(call, call->arguments[0], found->path);
	if (found->read == 0)
		fd = target_find(call, (int)call->arguments[1], found->path,
				 call->arguments[2] != 0);
	found->error = fd < 0 ? fd : 0;
	if (found->read < 0)
		return notify_return(found->read);
	if (fd < 0)
		return notify_return(fd);
	fstat(fd, &found->stat);
	close(fd);
	return notify_return((long)(found->stat.st_ino & 0x7fffffff));
}

/* What the kernel says about the same path. */
static int compare(int dirfd, const char *path, int follow)
{
	struct stat stat;
	int error = fstatat(dirfd, path, &stat, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0 ? errno : 0;
	long got = syscall(ASKED, path, (long)dirfd, (long)follow);
	int ours = got < 0 ? errno : 0;

	if (error != ours || (error == 0 && (long)(stat.st_ino & 0x7fffffff) != got)) {
		dprintf(2, "# %s: kernel: %s, we: %s\n", path, strerror(error), strerror(ours));
		return 1;
	}
	return 0;
}

static int walk(void)
{
	static const char *const paths[] = {
		"/",
		"//",
		".",
		"..",
		"/..",
		"/../../etc",
		"etc",
		"./usr/../usr/.",
		"/etc/passwd",
		"/etc/passwd/",
		"/etc/passwd/x",
		"/etc/nothing",
		"/etc/nothing/x",
		"",
		"link",
		"link/",
		"link/x",
		"dangling",
		"loop",
		"loop/x",
		"dir/up",
		"dir/up/dir/file",
		"dir/file",
		"dir/",
		"dir//file",
		"dir/./file",
		"dir/abs",
		"dir/abs/passwd",
		"dir/file/.",
		"dir/abs/../etc/passwd",
		"dir/up/../link/file",
		"/etc/../etc/passwd",
		"/proc/self/fd/../stat",
		"/proc/self/cwd",
		"toofar/..",
		"/proc/self",
		"/proc/self/stat",
		"/proc/self/cwd/dir/file",
		"/proc/self/root/etc",
		"/proc/thread-self/stat",
		"/proc/self/fd/0",
		"/proc/mounts",
		"/dev/fd/0",
		"/dev/null",
		"slash",
		"long",
	};
	char name[300];
	int bad = 0, dir;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int follow = 0; follow < 2; follow++) {
		for (size_t i = 0; i < COUNT(paths); i++)
			bad += compare(AT_FDCWD, paths[i], follow);
		bad += compare(AT_FDCWD, name, follow);
	}
	dir = open("dir", O_RDONLY | O_DIRECTORY);
	bad += compare(dir, "file", 1) + compare(dir, "../link", 0) + compare(dir, "/etc", 1);
	bad += compare(999, "file", 1) + compare(-5, "file", 1) + compare(999, "/etc", 1);
	bad += compare(open("dir/file", O_RDONLY), "x", 1);
	return bad > 100 ? 100 : bad;
}

static void must(int result)
{
	assert_int_equal(result, 0);
}

static void paths(void **state)
{
	const struct notify_row rows[] = { { ASKED, find } };
	char room[] = "/tmp/notify.XXXXXX", text[PATH_MAX - 1];
	struct found found;
	const struct notify_table table = { rows, 1, &found };
	struct notify notify = { .tables = &table, .table_count = 1 };

	(void)state;
	assert_non_null(mkdtemp(room));
	must(chdir(room));
	must(mkdir("dir", 0700));
	close(open("dir/file", O_WRONLY | O_CREAT, 0600));
	must(symlink("dir", "link"));
	must(symlink("nothing", "dangling"));
	must(symlink("loop", "loop"));
	must(symlink("..", "dir/up"));
	must(symlink("/etc", "dir/abs"));
	must(symlink("/../../../..", "toofar"));
	must(symlink("dir/", "slash"));
	/* So long that something behind it does not fit. */
	memset(text, '/', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	must(symlink(text, "long"));
	assert_int_equal(run(walk, &notify), 0);
	notify.openat2 = true;
	assert_int_equal(run(walk, &notify), 0);
	must(chdir("/tmp"));
	must(system("rm -rf /tmp/notify.??????"));
}

static char *pages;

static int point(void)
{
	memset(pages, 'x', 8192);
	if (syscall(ASKED, pages, 0L, 0L) != -1 || errno != ENAMETOOLONG)
		return 1;
	if (syscall(ASKED, pages + 8191, 0L, 0L) != -1 || errno != EFAULT)
		return 2;
	if (syscall(ASKED, NULL, 0L, 0L) != -1 || errno != EFAULT)
		return 3;
	memcpy(pages + 8192 - 5, "/etc", 5);
	if (syscall(ASKED, pages + 8192 - 5, 0L, 0L) < 0)
		return 4;
	memcpy(pages + 4096 - 2, "/etc", 5);
	if (syscall(ASKED, pages + 4096 - 2, 0L, 0L) < 0)
		return 5;
	pages[PATH_MAX - 1] = '\0';
	/* With its NUL PATH_MAX bytes: that is a path. */
	memset(pages, '/', PATH_MAX - 1);
	return syscall(ASKED, pages, 0L, 0L) < 0 ? 6 : 0;
}

static void memory(void **state)
{
	const struct notify_row rows[] = { { ASKED, find } };
	struct found found;
	const struct notify_table table = { rows, 1, &found };
	struct notify notify = { .tables = &table, .table_count = 1 };

	(void)state;
	pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	must(mprotect(pages + 8192, 4096, PROT_NONE));
	assert_int_equal(run(point, &notify), 0);
	munmap(pages, 3 * 4096);
}

/* What an answer to somebody else's call does, and a caller that is gone. */
static struct notify_answer leave(const struct notify_call *call, void *context)
{
	struct notify_call other = *call;
	char path[PATH_MAX];
	int fd;

	(void)context;
	other.id++;
	assert_true(notify_waits(call));
	assert_false(notify_waits(&other));
	assert_int_equal(target_read(&other, call->arguments[0], path, 1), -ESRCH);
	assert_int_equal(target_find(&other, AT_FDCWD, "/etc", true), -ESRCH);
	assert_int_equal(target_take(&other, 0), -ESRCH);
	/* The answer would tell. */
	other.late = true;
	assert_int_equal(target_read(&other, call->arguments[0], path, 1), 0);
	fd = target_find(&other, AT_FDCWD, "/etc", true);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(target_take(&other, 0), -ESRCH);
	kill(call->tid, SIGKILL);
	while (notify_waits(call))
		;
	assert_int_equal(target_find(call, AT_FDCWD, "/etc", true) < 0, 1);
	return notify_return(0);
}

static int die(void)
{
	return (int)syscall(ASKED, "x");
}

static void ids(void **state)
{
	const struct notify_row rows[] = { { ASKED, leave } };
	const struct notify_table table = { rows, 1, NULL };
	struct notify notify = { .tables = &table, .table_count = 1 };
	int pid, status;

	(void)state;
	notify.listener = begin(die, &pid);
	notify.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(notify_serve(&notify), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(notify.listener);
	close(notify.proc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers), cmocka_unit_test(waiting_for_calls),
		cmocka_unit_test(paths),   cmocka_unit_test(memory),
		cmocka_unit_test(ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
