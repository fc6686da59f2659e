/* SPDX-License-Identifier: MIT */
/* Callers that make their calls again: a child of ours whose paths below /again are those below a directory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "filters/again.h"
#include "filters/target.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNUSED __attribute__((unused))

/* ---- who answers ---- */

static const struct asked {
	int number;
	unsigned int path;
} asked[] = {
	{ SYS_openat, 1 }, { SYS_newfstatat, 1 }, { SYS_mkdirat, 1 },  { SYS_execve, 0 },
	{ SYS_chdir, 0 },  { SYS_renameat2, 1 },  { SYS_fchmodat, 1 }, { SYS_statfs, 0 },
};

/* Notifies of each, unless the mark is there. */
static size_t make_program(struct sock_filter *at)
{
	struct sock_filter *start = at;
	const unsigned char count = COUNT(asked);

	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	for (unsigned char i = 0; i < count; i++)
		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						     (unsigned int)asked[i].number,
						     (unsigned char)(count - i), 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, args[5]));
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AGAIN_MARK, 0, 1);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	return (size_t)(at - start);
}

static char room[] = "/tmp/again.XXXXXX";
static struct again again;
static unsigned int started, refused, most, unmarked;
static int last_error; /* of again_start() */
static bool old_kernel, ends_early, mistaken, stopping;

static unsigned int in_use(void)
{
	unsigned int count = 0;

	for (size_t i = 0; i < AGAIN_SLOTS; i++)
		count += again.slots[i].call.tid != 0;
	return count;
}

/* The path below the directory for one below /again. */
static bool translate(const struct notify_call *call, unsigned int argument, char text[PATH_MAX])
{
	char path[PATH_MAX];

	if (target_read_path(call, call->arguments[argument], path) < 0 ||
	    strncmp(path, "/again", 6) != 0 || (path[6] != '/' && path[6] != '\0'))
		return false;
	snprintf(text, PATH_MAX, "%s%.*s", room, PATH_MAX - 100, path + 6);
	return true;
}

static void pass(const struct notify_call *call)
{
	struct seccomp_notif_resp response = { .id = call->id,
					       .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	ioctl(call->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void decide(const struct notify_call *call)
{
	char texts[2][PATH_MAX];
	struct again_path paths[2];
	size_t count = 0;
	int error;

	for (size_t i = 0; i < AGAIN_SLOTS; i++)
		unmarked += again.slots[i].call.tid == call->tid &&
			    again.slots[i].step == AGAIN_CALLING;
	for (size_t i = 0; i < COUNT(asked); i++) {
		if (asked[i].number != call->number)
			continue;
		paths[0] = (struct again_path){ asked[i].path, texts[0] };
		count += translate(call, asked[i].path, texts[0]);
		if (call->number != SYS_renameat2)
			continue;
		paths[count] = (struct again_path){ 3, texts[count] };
		count += translate(call, 3, texts[count]);
	}
	if (count == 0) {
		pass(call);
		return;
	}
	if (mistaken) {
		struct notify_call other = *call;

		other.id++;
		assert_int_equal(again_start(&again, &other, paths, count), -ESRCH);
		pass(call);
		return;
	}
	error = again_start(&again, call, paths, count);
	if (stopping)
		kill(call->tid, SIGSTOP);
	started += error == 0;
	refused += error != 0 && error != -ESRCH;
	if (error < 0) {
		last_error = error;
		notify_send(call, error);
	}
	if (in_use() > most)
		most = in_use();
}

static void receive(int listener, int proc)
{
	struct seccomp_notif notification = { 0 };
	struct notify_call call = { .listener = listener, .proc = proc };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0)
		return;
	call.id = notification.id;
	call.tid = (int)notification.pid;
	call.number = notification.data.nr;
	call.pc = notification.data.instruction_pointer;
	for (size_t i = 0; i < 6; i++)
		call.arguments[i] = notification.data.args[i];
	decide(&call);
}

static void serve(int listener, int pid, int *result)
{
	struct pollfd fds[2] = { { .fd = listener, .events = POLLIN }, { .events = POLLIN } };
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), status, tid;
	struct signalfd_siginfo info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	fds[1].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	for (;;) {
		int ready = poll(fds, 2, 20000);

		if (ready < 0)
			continue;
		if (ready == 0) {
			print_error("# nothing happens any more\n");
			kill(pid, SIGKILL);
		}
		while (read(fds[1].fd, &info, sizeof(info)) > 0)
			;
		while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
			if (tid == pid && !WIFSTOPPED(status))
				*result = status;
			again_event(&again, tid, status);
		}
		if ((fds[0].revents & POLLIN) != 0)
			receive(listener, proc);
		if (ends_early && again.slots[0].step == AGAIN_CALLING && again.slots[0].inside)
			_exit(0);
		if ((fds[0].revents & POLLHUP) != 0)
			fds[0].fd = -1; /* nobody has the filter any more */
		if (fds[0].fd < 0 && tid < 0)
			break;
	}
	close(fds[1].fd);
	close(proc);
}

/* Runs MAIN in a child with the filter. Returns its wait status. */
static int run_for_status(int (*main)(void))
{
	struct sock_filter program[COUNT(asked) + 8];
	const struct sock_fprog filter = { (unsigned short)make_program(program), program };
	int pipes[2], go[2], fd, pid, pidfd, listener, result = -1;
	char byte = 0;
	sigset_t set;

	memset(&again, 0, sizeof(again));
	started = refused = most = unmarked = 0;
	again_prepare(getpid());
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		/* Before Linux 5.19 any signal ended the waiting. */
		fd = old_kernel ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
					       SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter)
				: notify_install(&filter, 0);
		if (write(pipes[1], &fd, sizeof(fd)) != sizeof(fd) || read(go[0], &byte, 1) != 1)
			_exit(100);
		close(fd);
		close(go[0]), close(go[1]), close(pipes[0]), close(pipes[1]);
		_exit(main());
	}
	assert_int_equal(read(pipes[0], &fd, sizeof(fd)), sizeof(fd));
	assert_true(fd >= 0);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	assert_true(listener >= 0);
	assert_int_equal(write(go[1], &byte, 1), 1);
	close(pidfd);
	close(pipes[0]), close(pipes[1]), close(go[0]), close(go[1]);
	serve(listener, pid, &result);
	close(listener);
	return result;
}

static void run(int (*main)(void))
{
	int status = run_for_status(main);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		print_error("# wait status %#x, %s %d\n", (unsigned int)status,
			    WIFEXITED(status) ? "line" : "signal",
			    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	assert_int_equal(status, 0);
	assert_int_equal(in_use(), 0);
}

/* Where the pages are: filters/again.c. */
#if defined(__x86_64__)
#define PLACE_START "2e65737"
#define PLACE ((void *)0x2e6573700000)
#else
#define PLACE_START "16e65"
#define PLACE ((void *)0x16e6570000)
#endif

/* ---- what callers say of themselves ---- */

/* In a caller: the exit status is where it went wrong. */
#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			dprintf(2, "# line %d: %s: %s\n", __LINE__, #what, strerror(errno));       \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static bool fails(long result, int error)
{
	return result == -1 && errno == error;
}

static long status_of(const char *key, int base)
{
	char text[4096], *line;
	int fd = open("/proc/thread-self/status", O_RDONLY);
	long size = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[size > 0 ? size : 0] = '\0';
	line = strstr(text, key);
	return line == NULL ? -1 : (long)strtoul(line + strlen(key), NULL, base);
}

/* Mappings that are at the places for pages, or all. */
static int count_maps(bool ours)
{
	static char text[1 << 18];
	long size = 0, got;
	int count = 0, fd = open("/proc/self/maps", O_RDONLY);

	while ((got = read(fd, text + size, sizeof(text) - 1 - (size_t)size)) > 0)
		size += got;
	close(fd);
	text[size] = '\0';
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
		if (!ours || strncmp(line, PLACE_START, strlen(PLACE_START)) == 0)
			count++;
	return count;
}

static bool is_content(int fd)
{
	char text[8] = "";

	return fd >= 0 && read(fd, text, 7) == 4 && close(fd) == 0 && strcmp(text, "text") == 0;
}

/* ---- results ---- */

static int results_main(void)
{
	struct stat stat_, same;
	char here[PATH_MAX], there[PATH_MAX];
	char long_path[PATH_MAX + 2];
	int fd;

	for (int i = 0; i < 3; i++) {
		CHECK(is_content(open("/again/file", O_RDONLY)));
		CHECK(fails(open("/again/nothing", O_RDONLY), ENOENT));
		CHECK(fails(open("/again/file/x", O_RDONLY), ENOTDIR));
		CHECK(fails(open("/again/loop", O_RDONLY), ELOOP));
		CHECK(fails(open("/again/new", O_RDONLY | O_CREAT | O_EXCL, 0666) < 0 ? -1 : 0,
			    EEXIST) == (i > 0));
		CHECK(stat("/again/file", &stat_) == 0 && stat_.st_size == 4);
		CHECK(fails(stat("/again/nothing", &stat_), ENOENT));
		CHECK(count_maps(true) == 0);
	}
	fd = open("/again/new", O_RDONLY);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && close(fd) == 0);
	fd = open("/again/new", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && close(fd) == 0);
	/* Its rights and its umask. */
	umask(027);
	CHECK(mkdirat(AT_FDCWD, "/again/made", 0777) == 0 && stat("/again/made", &stat_) == 0);
	CHECK((stat_.st_mode & 07777) == 0750);
	CHECK(fails(mkdirat(AT_FDCWD, "/again/made", 0777), EEXIST));
	CHECK(syscall(SYS_renameat2, AT_FDCWD, "/again/made", AT_FDCWD, "/again/moved", 0) == 0);
	CHECK(fails(stat("/again/made", &stat_), ENOENT) && stat("/again/moved", &stat_) == 0);
	/* Itself. */
	CHECK(chdir("/again/dir") == 0 && getcwd(here, sizeof(here)) != NULL);
	snprintf(there, sizeof(there), "%s/dir", room);
	CHECK(strcmp(here, there) == 0);
	CHECK(stat(".", &stat_) == 0 && stat(there, &same) == 0 && stat_.st_ino == same.st_ino);
	CHECK(fails(chdir("/again/file"), ENOTDIR));
	CHECK(fails(execl("/again/nothing", "x", NULL), ENOENT));
	CHECK(fails(execl("/again/file", "x", NULL), EACCES));
	/* What is left of it is the kernel's to say. */
	memset(long_path, 'x', sizeof(long_path));
	memcpy(long_path, "/again/", 7);
	long_path[PATH_MAX - 1] = '\0';
	CHECK(fails(stat(long_path, &stat_), ENAMETOOLONG));
	CHECK(status_of("TracerPid:", 10) == 0);
	CHECK(status_of("SigBlk:", 16) == 0);
	CHECK(count_maps(true) == 0);
	CHECK(rmdir("../moved") == 0 && unlink("../new") == 0);
	return 0;
}

static void results(void **state UNUSED)
{
	run(results_main);
	assert_true(started > 20);
	assert_int_equal(refused == 0 ? 0 : last_error, 0);
	assert_int_equal(most, 1);
	assert_int_equal(unmarked, 0);
}

/* ---- a program ---- */

static int exec_main(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
	execl("/again/sh", "sh", "-c",
	      "while read -r key value; do\n"
	      "	case $key in TracerPid:) tracer=$value ;; SigBlk:) mask=$value ;; esac\n"
	      "done </proc/self/status\n"
	      "while read -r line; do case $line in " PLACE_START
	      "*) exit 2 ;; esac; done </proc/self/maps\n"
	      "[ \"$tracer,$mask,$1,$2,$VARIABLE\" = '0,0000000000004200,a b,c,value' ]",
	      "-", "a b", "c", NULL);
	return 1;
}

static void executes(void **state UNUSED)
{
	setenv("VARIABLE", "value", 1);
	run(exec_main);
	assert_int_equal(started, 1);
}

static void *exec_in_thread(void *what)
{
	(void)what;
	execl("/again/sh", "sh", "-c", "grep -q 'TracerPid:.0$' /proc/$$/status && exit 7", NULL);
	_exit(1);
}

static void *open_for_ever(void *what)
{
	for (;;)
		CHECK(is_content(open(what, O_RDONLY)));
	return NULL;
}

static int threaded_exec(bool leader_calls)
{
	pthread_t thread;
	int status;

	for (int i = 0; i < 30; i++) {
		int pid = fork();

		if (pid == 0) {
			for (int n = 0; n < 3; n++)
				pthread_create(&thread, NULL, open_for_ever, "/again/file");
			pthread_create(&thread, NULL, exec_in_thread, NULL);
			if (leader_calls)
				open_for_ever("/again/file");
			pthread_join(thread, NULL);
			_exit(2);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	return 0;
}

static int thread_exec_main(void)
{
	return threaded_exec(false) + threaded_exec(true);
}

static void executes_in_a_thread(void **state UNUSED)
{
	run(thread_exec_main);
}

/* The one that executes is not ours, so that the end of the first thread, which is, remains unknown. */
static void *exec_unseen(void *what)
{
	(void)what;
	execl("/bin/true", "true", NULL);
	_exit(1);
}

static void *block(void *path)
{
	open(path, O_RDONLY);
	return NULL;
}

static int stale_main(void)
{
	pthread_t thread;
	int status;

	for (int i = 0; i < 2 * AGAIN_SLOTS; i++) {
		int pid = fork();

		if (pid == 0) {
			pthread_create(&thread, NULL, exec_unseen, NULL);
			block("/again/fifo");
			_exit(1);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	CHECK(is_content(open("/again/file", O_RDONLY)));
	return 0;
}

static void ends_unnoticed(void **state UNUSED)
{
	/* Some are left in their slots: nobody says so. */
	assert_int_equal(run_for_status(stale_main), 0);
	assert_true(in_use() > 0);
	assert_int_equal(refused == 0 ? 0 : last_error, 0);
}

/* ---- registers ---- */

#if defined(__x86_64__)
/* Fills all of them, makes the call, and writes them to OUT. */
long call_with(long number, const long in[13], long out[13]);

__asm__(".text\n"
	"call_with:\n\t"
	"push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15; push %rdx\n\t"
	"mov %rdi, %rax; mov %rsi, %rcx\n\t"
	"mov 0(%rcx), %rdi; mov 8(%rcx), %rsi; mov 16(%rcx), %rdx; mov 24(%rcx), %r10\n\t"
	"mov 32(%rcx), %r8; mov 40(%rcx), %r9; mov 48(%rcx), %rbx; mov 56(%rcx), %rbp\n\t"
	"mov 64(%rcx), %r12; mov 72(%rcx), %r13; mov 80(%rcx), %r14; mov 88(%rcx), %r15\n\t"
	"movq 96(%rcx), %xmm3\n\t"
	"syscall\n\t"
	"pop %rcx\n\t"
	"mov %rdi, 0(%rcx); mov %rsi, 8(%rcx); mov %rdx, 16(%rcx); mov %r10, 24(%rcx)\n\t"
	"mov %r8, 32(%rcx); mov %r9, 40(%rcx); mov %rbx, 48(%rcx); mov %rbp, 56(%rcx)\n\t"
	"mov %r12, 64(%rcx); mov %r13, 72(%rcx); mov %r14, 80(%rcx); mov %r15, 88(%rcx)\n\t"
	"movq %xmm3, 96(%rcx)\n\t"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n\t"
	"ret\n");

static int registers_main(void)
{
	static const struct {
		long number;
		const char *path;
		unsigned int place;
		long result;
	} calls[] = {
		{ SYS_openat, "/again/file", 1, -1 },
		{ SYS_openat, "/again/nothing", 1, -ENOENT },
		{ SYS_chdir, "/again/dir", 0, 0 },
		{ SYS_mkdirat, "/again/dir", 1, -EEXIST },
	};

	for (size_t i = 0; i < COUNT(calls); i++) {
		long in[13], out[13] = { 0 }, result;

		for (size_t n = 0; n < 13; n++)
			in[n] = (long)(0x1234567800001111UL * (n + 1));
		in[2] = 0x7bcdef0000000000; /* no flags, and more than 32 bits */
		in[calls[i].place] = (long)(uintptr_t)calls[i].path;
		result = call_with(calls[i].number, in, out);
		CHECK(calls[i].result == -1 ? result > 2 : result == calls[i].result);
		for (size_t n = 0; n < 13; n++)
			CHECK(in[n] == out[n]);
	}
	return 0;
}
#else
static int registers_main(void)
{
	return 0;
}
#endif

static void registers(void **state UNUSED)
{
	run(registers_main);
}

/* ---- signals ---- */

static volatile sig_atomic_t handled, wrong;
static int told = -1;

static void on_signal(int signal)
{
	int before = errno, fd;

	(void)signal;
	handled++;
	/* Handlers call, too. */
	if (handled % 16 == 0) {
		fd = open("/again/file", O_RDONLY);
		wrong += fd < 0;
		close(fd);
	}
	if (told >= 0)
		wrong += write(told, "x", 1) != 1;
	errno = before;
}

static void handle(int signal, int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

	sigemptyset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

static void many_calls(int count)
{
	struct stat stat_;

	for (int i = 0; i < count; i++) {
		CHECK(is_content(open("/again/file", O_RDONLY)));
		CHECK(fails(mkdirat(AT_FDCWD, "/again/dir", 0700), EEXIST));
		CHECK(stat("/again/file", &stat_) == 0 && stat_.st_size == 4);
		CHECK(chdir("/again/dir") == 0);
		CHECK(fails(chdir("/again/nothing"), ENOENT));
	}
}

static int alarms_main(void)
{
	const struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { 0 };
	int maps;

	handle(SIGALRM, SA_RESTART);
	many_calls(1);
	maps = count_maps(false);
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	many_calls(600);
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(handled > 100 && wrong == 0);
	CHECK(maps == count_maps(false));
	CHECK(status_of("SigBlk:", 16) == 0);
	return 0;
}

static void alarms(void **state UNUSED)
{
	run(alarms_main);
	assert_true(started > 3000);
}

static int stops_main(void)
{
	volatile bool *ready =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pid = getpid(), other = fork();

	if (other == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!*ready) {
			kill(pid, SIGSTOP);
			kill(pid, SIGCONT);
			usleep(100);
			kill(pid, SIGTSTP);
			kill(pid, SIGCONT);
		}
		_exit(0);
	}
	many_calls(600);
	*ready = true;
	CHECK(waitpid(other, NULL, 0) == other);
	CHECK(status_of("TracerPid:", 10) == 0);
	return 0;
}

static void stops(void **state UNUSED)
{
	run(stops_main);
}

/* Whether the process stops, and stays so. */
static bool is_stopped(int pid)
{
	char path[64], text[512];
	int times = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 200000 && times < 1000; i++) {
		int fd = open(path, O_RDONLY);
		long size = read(fd, text, sizeof(text) - 1);

		close(fd);
		text[size > 0 ? size : 0] = '\0';
		times = strstr(text, ") T ") != NULL || strstr(text, ") t ") != NULL ? times + 1
										     : 0;
	}
	return times == 1000;
}

/* In a call that blocks, and at the beginning of one. */
static int stopped_main(void)
{
	int pid, status, pipes[2], fd;
	char byte, path[64];

	CHECK(pipe(pipes) == 0);
	pid = fork();
	if (pid == 0) {
		CHECK(write(pipes[1], "x", 1) == 1);
		_exit(open("/again/fifo", O_RDONLY) >= 0 ? 0 : 1);
	}
	CHECK(read(pipes[0], &byte, 1) == 1);
	kill(pid, SIGSTOP);
	CHECK(is_stopped(pid));
	snprintf(path, sizeof(path), "%s/fifo", room);
	CHECK(fails(open(path, O_WRONLY | O_NONBLOCK), ENXIO));
	kill(pid, SIGCONT);
	fd = open(path, O_WRONLY);
	CHECK(fd >= 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}

static int stopped_at_once_main(void)
{
	struct stat stat_;
	int pid, status;
	char path[64];

	pid = fork();
	if (pid == 0)
		_exit(mkdirat(AT_FDCWD, "/again/later", 0700) == 0 ? 0 : 1);
	CHECK(is_stopped(pid));
	snprintf(path, sizeof(path), "%s/later", room);
	CHECK(fails(stat(path, &stat_), ENOENT));
	kill(pid, SIGCONT);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(rmdir(path) == 0);
	return 0;
}

static void stays_stopped(void **state UNUSED)
{
	run(stopped_main);
	stopping = true;
	run(stopped_at_once_main);
	stopping = false;
}

/* Opens the other end of the FIFO once the handler has said that it has run. */
static int open_other_end(int told_here)
{
	int pid = fork();
	char path[64], byte;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "%s/fifo", room);
	CHECK(read(told_here, &byte, 1) == 1);
	_exit(open(path, O_WRONLY) >= 0 ? 0 : 1);
}

static int blocks_main(void)
{
	const struct itimerval once = { { 0, 20000 }, { 0, 20000 } }, never = { 0 };
	int pipes[2], pid, fd, maps;

	CHECK(pipe(pipes) == 0);
	many_calls(1);
	maps = count_maps(false);
	handle(SIGALRM, 0);
	CHECK(setitimer(ITIMER_REAL, &once, NULL) == 0);
	for (int i = 0; i < 5; i++) {
		int before = handled;

		CHECK(fails(open("/again/fifo", O_RDONLY), EINTR));
		CHECK(handled > before);
		CHECK(fails(open("/again/fifo", O_WRONLY), EINTR));
	}
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	handle(SIGALRM, SA_RESTART);
	told = pipes[1];
	pid = open_other_end(pipes[0]);
	CHECK(setitimer(ITIMER_REAL, &once, NULL) == 0);
	fd = open("/again/fifo", O_RDONLY);
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(maps == count_maps(false) && status_of("SigBlk:", 16) == 0);
	return wrong;
}

static void blocks(void **state UNUSED)
{
	run(blocks_main);
}

static void on_old_kernels(void **state UNUSED)
{
	old_kernel = true;
	run(results_main);
	run(alarms_main);
	run(stops_main);
	run(blocks_main);
	old_kernel = false;
}

/* ---- many ---- */

static void *some_calls(void *what)
{
	(void)what;
	for (int i = 0; i < 100; i++) {
		char path[64];

		CHECK(is_content(open("/again/file", O_RDONLY)));
		snprintf(path, sizeof(path), "/again/d%d.%d", gettid(), i);
		CHECK(mkdirat(AT_FDCWD, path, 0700) == 0 &&
		      fails(mkdirat(AT_FDCWD, path, 0700), EEXIST));
	}
	return NULL;
}

static int threads_main(void)
{
	pthread_t threads[8];

	for (size_t i = 0; i < COUNT(threads); i++)
		CHECK(pthread_create(&threads[i], NULL, some_calls, NULL) == 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(count_maps(true) == 0);
	return 0;
}

static void threads(void **state UNUSED)
{
	run(threads_main);
	assert_true(most > 1);
	assert_int_equal(refused == 0 ? 0 : last_error, 0);
}

static void *open_fifo(void *opened)
{
	int fd = open("/again/fifo", O_RDONLY);

	CHECK(fd >= 0 || errno == EAGAIN);
	CHECK(write(((int *)opened)[1], fd >= 0 ? "+" : "-", 1) == 1);
	return NULL;
}

static int full_main(void)
{
	pthread_t threads[AGAIN_SLOTS + 3];
	int pipes[2], fd;
	char byte, path[64];

	CHECK(pipe(pipes) == 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		CHECK(pthread_create(&threads[i], NULL, open_fifo, pipes) == 0);
	for (size_t i = 0; i < 3; i++)
		CHECK(read(pipes[0], &byte, 1) == 1 && byte == '-');
	snprintf(path, sizeof(path), "%s/fifo", room);
	fd = open(path, O_RDWR);
	for (size_t i = 0; i < AGAIN_SLOTS; i++)
		CHECK(read(pipes[0], &byte, 1) == 1 && byte == '+');
	for (size_t i = 0; i < COUNT(threads); i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(is_content(open("/again/file", O_RDONLY)) && count_maps(true) == 0 && fd >= 0);
	return 0;
}

static void full(void **state UNUSED)
{
	run(full_main);
	assert_int_equal(most, AGAIN_SLOTS);
	assert_int_equal(refused, 3);
}

/* ---- vfork ---- */

static int vfork_main(void)
{
	char *const arguments[] = { "sh", "-c", "exit 7", NULL };
	int status;
	pid_t pid;

	many_calls(1);
	for (int i = 0; i < 20; i++) {
		CHECK(posix_spawn(&pid, "/again/sh", NULL, NULL, arguments, environ) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
		CHECK(posix_spawn(&pid, "/again/nothing", NULL, NULL, arguments, environ) ==
		      ENOENT);
		pid = vfork();
		if (pid == 0) {
			execv("/again/sh", arguments);
			_exit(8);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
		/* One page at most is left by those. */
		CHECK(count_maps(true) <= 1);
	}
	/* And goes with the next call. */
	many_calls(1);
	CHECK(count_maps(true) == 0);
	return 0;
}

static void vforks(void **state UNUSED)
{
	run(vfork_main);
}

/* ---- what is in the way ---- */

/* Memory of the caller's own, where the page would be. */
static int taken_main(void)
{
	size_t size = (size_t)AGAIN_SLOTS << 16;
	char *place = mmap(PLACE, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	int maps;

	CHECK(place != MAP_FAILED);
	memset(place, 'x', 4096);
	maps = count_maps(false);
	many_calls(3);
	for (size_t i = 0; i < 4096; i++)
		CHECK(place[i] == 'x');
	CHECK(maps == count_maps(false));
	return 0;
}

static void taken(void **state UNUSED)
{
	run(taken_main);
}

/* Without any the call fails with that. */
static int memory_main(void)
{
	struct rlimit limit, none;
	long result;
	int error;

	CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
	none = limit;
	none.rlim_cur = 1;
	CHECK(setrlimit(RLIMIT_AS, &none) == 0);
	result = chdir("/again/dir");
	error = errno;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	CHECK(result == -1 && error == ENOMEM);
	return 0;
}

static void memory(void **state UNUSED)
{
	run(memory_main);
	assert_int_equal(refused == 0 ? 0 : last_error, 0);
}

static int traced_main(void)
{
	int status, pid = fork();

	if (pid == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		CHECK(fails(open("/again/file", O_RDONLY), EPERM));
		CHECK(status_of("TracerPid:", 10) == getppid());
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}

static void traced(void **state UNUSED)
{
	run(traced_main);
	assert_int_equal(refused, 1);
}

/* A call that is none any more: the thread is traced by then, and has to be let go. */
static int mistaken_main(void)
{
	for (int i = 0; i < 100; i++)
		CHECK(fails(open("/again/file", O_RDONLY), ENOENT));
	CHECK(status_of("TracerPid:", 10) == 0);
	return 0;
}

static void takes_another(void **state UNUSED)
{
	mistaken = true;
	run(mistaken_main);
	mistaken = false;
}

/* ---- the end in the middle ---- */

static int killed_main(void)
{
	int status, pipes[2];
	pthread_t thread;
	char byte;

	for (int i = 0; i < 150; i++) {
		int pid;

		CHECK(pipe(pipes) == 0);
		pid = fork();
		if (pid == 0) {
			if (i % 2 != 0)
				for (int n = 0; n < 3; n++)
					pthread_create(&thread, NULL, open_for_ever, "/again/file");
			for (;;) {
				many_calls(1);
				CHECK(write(pipes[1], "x", 1) == 1);
			}
		}
		CHECK(read(pipes[0], &byte, 1) == 1);
		usleep((useconds_t)(i * 37 % 1000));
		if (i % 3 == 0)
			kill(pid, SIGSTOP);
		kill(pid, i % 5 == 0 ? SIGTERM : SIGKILL);
		if (i % 5 == 0)
			kill(pid, SIGCONT);
		CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
		CHECK(close(pipes[0]) == 0 && close(pipes[1]) == 0);
	}
	/* In a call that blocks. */
	for (int i = 0; i < 20; i++) {
		int pid = fork();

		if (pid == 0) {
			block("/again/fifo");
			_exit(1);
		}
		usleep((useconds_t)(i * 50));
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
	}
	CHECK(is_content(open("/again/file", O_RDONLY)));
	return 0;
}

static void killed(void **state UNUSED)
{
	run(killed_main);
}

static int outlive_main(void)
{
	prctl(PR_SET_PDEATHSIG, 0);
	block("/again/fifo");
	return 1;
}

/* It would go on with registers that are not its own. */
static void listener_ends(void **state UNUSED)
{
	int status, pid;
	char path[64];

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid = fork();
	if (pid == 0) {
		ends_early = true;
		run_for_status(outlive_main);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	snprintf(path, sizeof(path), "%s/fifo", room);
	assert_true(open(path, O_RDWR | O_CLOEXEC) >= 0);
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_int_equal(status, SIGKILL);
}

/* A caller that takes the page away under it, and its own program. */
static void *unmap_for_ever(void *what)
{
	(void)what;
	for (;;)
		munmap(PLACE, (size_t)AGAIN_SLOTS << 16);
	return NULL;
}

static int hostile_main(void)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, unmap_for_ever, NULL) == 0);
	for (int i = 0; i < 1000; i++) {
		int fd = open("/again/file", O_RDONLY);

		CHECK(fd >= 0 || errno == EFAULT);
		close(fd);
	}
	CHECK(status_of("TracerPid:", 10) == 0 && status_of("SigBlk:", 16) == 0);
	return 0;
}

static void hostile(void **state UNUSED)
{
	run(hostile_main);
	assert_int_equal(refused == 0 ? 0 : last_error, 0);
}

static int prepare(void **state UNUSED)
{
	char command[512];

	if (mkdtemp(room) == NULL)
		return -1;
	snprintf(command, sizeof(command),
		 "cd %s && printf text >file && chmod 644 file && mkdir dir && mkfifo fifo && "
		 "ln -s loop loop && ln -s /bin/sh sh",
		 room);
	return system(command);
}

static int clean(void **state UNUSED)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", room);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(executes),
		cmocka_unit_test(executes_in_a_thread),
		cmocka_unit_test(ends_unnoticed),
		cmocka_unit_test(registers),
		cmocka_unit_test(alarms),
		cmocka_unit_test(stops),
		cmocka_unit_test(stays_stopped),
		cmocka_unit_test(blocks),
		cmocka_unit_test(on_old_kernels),
		cmocka_unit_test(threads),
		cmocka_unit_test(full),
		cmocka_unit_test(vforks),
		cmocka_unit_test(taken),
		cmocka_unit_test(memory),
		cmocka_unit_test(traced),
		cmocka_unit_test(takes_another),
		cmocka_unit_test(killed),
		cmocka_unit_test(listener_ends),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}
