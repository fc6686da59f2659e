/* SPDX-License-Identifier: MIT */
/*
 * probe: what a process in a box has and sees, asked from the kernel by
 * system calls wherever one exists, since /proc may be faked or missing.
 * Each subcommand prints plain lines; the bats files compare them.
 */
#ifndef _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define LAST_SIGNAL 64
#define MAX_FD 4096

/* The kernel's own layout: libc hides the signals it keeps for itself. */
struct raw_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static int fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	return 99;
}

static _Noreturn void stay(void)
{
	for (;;)
		pause();
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- rights ---- */

static uint64_t bounding_set(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			set |= UINT64_C(1) << cap;
	return set;
}

static uint64_t ambient_set(void)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
			set |= UINT64_C(1) << cap;
	return set;
}

static int cmd_caps(char **argv)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };

	(void)argv;
	if (syscall(SYS_capget, &head, d) < 0)
		return fail("capget");
	printf("inheritable %08x%08x\n", d[1].inheritable, d[0].inheritable);
	printf("permitted %08x%08x\n", d[1].permitted, d[0].permitted);
	printf("effective %08x%08x\n", d[1].effective, d[0].effective);
	printf("bounding %016llx\n", (unsigned long long)bounding_set());
	printf("ambient %016llx\n", (unsigned long long)ambient_set());
	printf("securebits %02x\n", (unsigned int)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	printf("nnp %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	printf("seccomp %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	printf("dumpable %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	return 0;
}

static int cmd_ids(char **argv)
{
	uid_t r, e, s;
	gid_t list[64];
	int n;

	(void)argv;
	getresuid(&r, &e, &s);
	printf("uid %u %u %u\n", r, e, s);
	getresgid(&r, &e, &s);
	printf("gid %u %u %u\n", r, e, s);
	n = getgroups(64, list);
	printf("groups");
	for (int i = 0; i < n; i++)
		printf(" %u", list[i]);
	printf("\n");
	return 0;
}

/* ---- descriptors ---- */

static void list_fds(char *text, size_t size)
{
	size_t used = 0;

	text[0] = 0;
	for (int fd = 0; fd <= MAX_FD && used + 8 < size; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			used += (size_t)snprintf(text + used, size - used, "%s%d", used ? " " : "",
						 fd);
}

/* fds [FILE]: the scan is over before anything is opened, so that FILE does not show. */
static int cmd_fds(char **argv)
{
	static char text[MAX_FD * 6];
	int out = 1;

	list_fds(text, sizeof(text) - 2);
	if (argv[0]) {
		out = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (out < 0)
			return fail(argv[0]);
	}
	dprintf(out, "%s\n", text);
	return 0;
}

/* forge: four bytes, as a status record would be, into every descriptor there is. */
static int cmd_forge(char **argv)
{
	(void)argv;
	for (int fd = 3; fd <= MAX_FD; fd++)
		if (write(fd, "\x0b\0\0\0", 4) == 4)
			printf("wrote %d\n", fd);
	return 0;
}

/* ---- processes ---- */

/* Leave a process that nobody but PID 1 can reap; its end of the pipe closes when it is dead. */
static int one_orphan(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (pid == 0) {
		pid_t inner = fork();

		_exit(inner < 0 ? 1 : 0);
	}
	if (waitpid(pid, &status, 0) < 0 || status)
		return -1;
	return 0;
}

static int count_state(char wanted, int *all)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int found = 0;

	*all = 0;
	while (proc && (e = readdir(proc))) {
		char path[300], text[512], *end;
		ssize_t n;
		int fd;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0)
			continue;
		text[n] = 0;
		end = strrchr(text, ')');
		*all += 1;
		found += end && end[2] == wanted;
	}
	if (proc)
		closedir(proc);
	return found;
}

/* Until nobody but PID 1 and we are there; nobody tells, so look, with a bound. */
static int await_alone(long limit_ms)
{
	long end = now_ms() + limit_ms;
	int all;

	do {
		count_state('Z', &all);
		if (all <= 2)
			return 0;
		sched_yield();
	} while (now_ms() < end);
	return -1;
}

/* ---- signals ---- */

static int cmd_sigs(char **argv)
{
	uint64_t mask = 0;

	(void)argv;
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	printf("blocked %016llx\n", (unsigned long long)mask);
	for (int sig = 1; sig <= LAST_SIGNAL; sig++) {
		struct raw_sigaction sa = { 0 };

		if (syscall(SYS_rt_sigaction, sig, NULL, &sa, sizeof(mask)) < 0)
			return fail("rt_sigaction");
		if (sa.handler == SIG_IGN)
			printf("ignored %d\n", sig);
		else if (sa.handler != SIG_DFL)
			printf("caught %d\n", sig);
	}
	return 0;
}

static void block_all(void)
{
	uint64_t all = ~UINT64_C(0);

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
}

static int wait_signal(siginfo_t *info)
{
	uint64_t all = ~UINT64_C(0);
	long n;

	do
		n = syscall(SYS_rt_sigtimedwait, &all, info, NULL, sizeof(all));
	while (n < 0 && errno == EINTR);
	return (int)n;
}

/* report END: says "ready", then one line a signal, until signal END has come. */
static int cmd_report(char **argv)
{
	int end = argv[0] ? atoi(argv[0]) : SIGTERM;
	int sig;

	block_all();
	printf("ready\n");
	do {
		siginfo_t info;

		fflush(stdout);
		sig = wait_signal(&info);
		printf("got %d\n", sig);
	} while (sig != end);
	return 0;
}

/* Take a pending signal away: our own children's deaths are no news. */
static void forget(int sig)
{
	uint64_t set = UINT64_C(1) << (sig - 1);
	struct timespec none = { 0, 0 };

	while (syscall(SYS_rt_sigtimedwait, &set, NULL, &none, sizeof(set)) > 0)
		;
}

/* siege END: everything that a workload may send to PID 1, forged senders too; then as report. */
static int cmd_siege(char **argv)
{
	static const int codes[] = { SI_QUEUE, SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_SIGIO, -60 };

	block_all();
	for (int sig = 1; sig <= LAST_SIGNAL; sig++) {
		kill(1, sig);
		syscall(SYS_tgkill, 1, 1, sig);
		for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
			/* pid and uid 0: how a sender outside the box looks inside. */
			siginfo_t info = { .si_signo = sig, .si_code = codes[i] };

			info.si_value.sival_int = SIGTERM;
			syscall(SYS_rt_sigqueueinfo, 1, sig, &info);
			syscall(SYS_rt_tgsigqueueinfo, 1, 1, sig, &info);
		}
	}
	/* PID 1 works through what it got before it can reap these. */
	for (int i = 0; i < 10; i++)
		one_orphan();
	await_alone(20000);
	forget(SIGCHLD);
	return cmd_report(argv);
}

/* count SIG END: says "ready", counts SIG until END comes, prints the count. */
static int cmd_count(char **argv)
{
	int want = atoi(argv[0]), end = atoi(argv[1]), sig;
	long count = 0;

	block_all();
	printf("ready\n");
	fflush(stdout);
	do {
		siginfo_t info;

		sig = wait_signal(&info);
		count += sig == want;
	} while (sig != end);
	printf("count %ld\n", count);
	return 0;
}

/* One line, one write, so that lines of several processes do not mix. */
static void say(const char *who, int sig)
{
	dprintf(1, "%s got %d\n", who, sig);
}

/*
 * family END: two processes of one group report, as "parent got N" and "child got N". At END the parent
 * ends, and the child with it.
 */
static int cmd_family(char **argv)
{
	int end = atoi(argv[0]), sig = 0;
	pid_t child;

	block_all();
	child = fork();
	if (child < 0)
		return fail("fork");
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	else
		dprintf(1, "ready\n");
	while (sig != end || child == 0) {
		siginfo_t info;

		sig = wait_signal(&info);
		if (sig != SIGCHLD)
			say(child ? "parent" : "child", sig);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}

/*
 * heir END CODE [session|group]: a child that reports as "heir got N" until END, in a session or group of
 * its own on request; once it listens, this process ends with CODE.
 */
static int cmd_heir(char **argv)
{
	int end = atoi(argv[0]), sig, p[2];
	pid_t heir;
	char c;

	block_all();
	if (pipe(p) < 0 || (heir = fork()) < 0)
		return fail("fork");
	if (heir == 0) {
		if (argv[2] && !strcmp(argv[2], "session"))
			setsid();
		else if (argv[2])
			setpgid(0, 0);
		dprintf(1, "heir %d\n", getpid());
		close(p[0]);
		close(p[1]);
		do {
			siginfo_t info;

			sig = wait_signal(&info);
			say("heir", sig);
		} while (sig != end);
		return 0;
	}
	close(p[1]);
	while (read(p[0], &c, 1) > 0)
		;
	_exit(atoi(argv[1]));
}

/* litter N END: N orphans, then as report. */
static int cmd_litter(char **argv)
{
	signal(SIGCHLD, SIG_DFL);
	for (long i = atol(argv[0]); i > 0; i--)
		if (one_orphan() < 0)
			return fail("fork");
	return cmd_report(argv + 1);
}

/* winsize: says "ready", then the terminal's size at each change of it, until another signal comes. */
static int cmd_winsize(char **argv)
{
	(void)argv;
	block_all();
	dprintf(1, "ready\n");
	for (;;) {
		siginfo_t info;
		struct winsize size = { 0 };
		int sig = wait_signal(&info);

		if (sig != SIGWINCH && sig != SIGCONT)
			return sig;
		ioctl(0, TIOCGWINSZ, &size);
		dprintf(1, "size %u %u\n", size.ws_row, size.ws_col);
	}
}

/* hold: says "ready" and stays until a signal's own action ends it. */
static int cmd_hold(char **argv)
{
	(void)argv;
	printf("ready\n");
	fflush(stdout);
	stay();
}

/* stubborn: as hold, but no catchable signal ends it. */
static int cmd_stubborn(char **argv)
{
	block_all();
	return cmd_hold(argv);
}

static int cmd_die(char **argv)
{
	int sig = atoi(argv[0]);
	struct raw_sigaction dfl = { 0 };
	struct rlimit none = { 0, 0 };

	/* A crash test must not litter the directory with cores. */
	setrlimit(RLIMIT_CORE, &none);
	syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(dfl.mask));
	syscall(SYS_kill, getpid(), sig);
	stay();
}

static int cmd_core(char **argv)
{
	struct rlimit most;

	if (argv[0] && chdir(argv[0]) < 0)
		return fail(argv[0]);
	getrlimit(RLIMIT_CORE, &most);
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_CORE, &most);
	abort();
}

static int cmd_exit(char **argv)
{
	_exit(atoi(argv[0]));
}

/* ---- children ---- */

static int cmd_session(char **argv)
{
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)argv;
	printf("pid %d\nppid %d\npgrp %d\nsid %d\n", getpid(), getppid(), getpgrp(), getsid(0));
	printf("tty %s\n", tty < 0 ? strerror(errno) : "open");
	return 0;
}

static long rss_of_init(void)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/1/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/* orphans N: N processes whose parent is gone end; what is left of them? */
static int cmd_orphans(char **argv)
{
	long count = atol(argv[0]), before = rss_of_init();
	int zombies, all;

	/* An init may hand on that it was ignored, and then nothing can be waited for. */
	signal(SIGCHLD, SIG_DFL);
	for (long i = 0; i < count; i++)
		if (one_orphan() < 0)
			return fail("fork");
	printf("made %ld\n", count);
	await_alone(20000);
	zombies = count_state('Z', &all);
	printf("zombies %d\nprocesses %d\n", zombies, all);
	printf("growth %ld\n", rss_of_init() - before);
	return 0;
}

/* adopt: the parent number of an orphan, as the orphan sees it. */
static int cmd_adopt(char **argv)
{
	int up[2], down[2];
	char c;

	(void)argv;
	if (pipe(up) < 0 || pipe(down) < 0)
		return fail("pipe");
	if (fork() == 0) {
		if (fork() == 0) {
			close(down[1]);
			close(up[0]);
			/* EOF: the parent, which held the other end, is gone. */
			while (read(down[0], &c, 1) > 0)
				;
			dprintf(1, "ppid %d\n", getppid());
			_exit(0);
		}
		_exit(0);
	}
	close(up[1]);
	wait(NULL);
	close(down[1]);
	while (read(up[0], &c, 1) > 0)
		;
	return 0;
}

/* forkbomb MAX: fork without end; every process made tries to fork, too. */
static int cmd_forkbomb(char **argv)
{
	long max = atol(argv[0]), made = 0;
	int why = 0;

	while (made < max) {
		pid_t pid = fork();

		if (pid == 0) {
			fork();
			stay();
		}
		if (pid < 0) {
			why = errno;
			break;
		}
		made++;
	}
	printf("made %ld\nerrno %s\n", made, why ? strerror(why) : "none");
	return 0;
}

/* leave: end at once, and leave a child in a session of its own that keeps stdout open. */
static int cmd_leave(char **argv)
{
	(void)argv;
	if (fork() == 0) {
		setsid();
		block_all();
		stay();
	}
	printf("left\n");
	return 0;
}

/* ---- what was handed over ---- */

static int cmd_args(char **argv)
{
	/* main() has eaten two words; argv[-2] is still the program's own name. */
	for (char **a = argv - 2; *a; a++)
		printf("[%s]\n", *a);
	return 0;
}

static int cmd_env(char **argv)
{
	(void)argv;
	for (char **e = environ; *e; e++)
		printf("%s\n", *e);
	return 0;
}

static int cmd_envsize(char **argv)
{
	size_t n = 0, bytes = 0;

	(void)argv;
	for (char **e = environ; *e; e++, n++)
		bytes += strlen(*e) + 1;
	printf("%zu %zu\n", n, bytes);
	return 0;
}

static int cmd_cwd(char **argv)
{
	char path[PATH_MAX];

	(void)argv;
	/* The raw call tells "(unreachable)", which libc turns into an error. */
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return fail("getcwd");
	printf("%s\n", path);
	return 0;
}

static int cmd_umask(char **argv)
{
	(void)argv;
	printf("%04o\n", (unsigned int)umask(0));
	return 0;
}

static int cmd_uname(char **argv)
{
	struct utsname u;

	(void)argv;
	uname(&u);
	printf("%s\n", u.nodename);
	return 0;
}

static const struct limit {
	const char *name;
	int number;
} limits[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static void print_limit(rlim_t value, char end)
{
	if (value == RLIM_INFINITY)
		printf("unlimited%c", end);
	else
		printf("%llu%c", (unsigned long long)value, end);
}

static int cmd_limits(char **argv)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit r;

		if (argv[0] && strcmp(argv[0], limits[i].name))
			continue;
		if (syscall(SYS_prlimit64, 0, limits[i].number, NULL, &r) < 0)
			return fail("prlimit64");
		printf("%s ", limits[i].name);
		print_limit(r.rlim_cur, ':');
		print_limit(r.rlim_max, '\n');
	}
	return 0;
}

/* ---- hardening ---- */

/* clock: the time by libc, which asks the processor where it can. */
static int cmd_clock(char **argv)
{
	struct timespec time;

	(void)argv;
	printf("clock %d\n", clock_gettime(CLOCK_MONOTONIC, &time));
	return 0;
}

/* tsc: the time stamp counter; with a word, asks for it first. */
static int cmd_tsc(char **argv)
{
#ifdef __x86_64__
	if (argv[0])
		dprintf(1, "asked %s\n",
			prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0) ? strerror(errno) : "ok");
	__builtin_ia32_rdtsc();
#endif
	(void)argv;
	printf("tsc ok\n");
	return 0;
}

/* again COMMAND…: in a child; how that ended. */
static int cmd_again(char **argv)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	printf("child %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 256 + WEXITSTATUS(status));
	return 0;
}

static void say_result(const char *what, int failed)
{
	printf("%s %s\n", what, failed ? strerror(errno) : "ok");
}

/* code: the ways to memory that holds new code. */
static int cmd_code(char **argv)
{
	const size_t page = 4096;
	void *both = mmap(NULL, page, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *data;

	(void)argv;
	say_result("writable and executable", both == MAP_FAILED);
	data = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say_result("made executable", mprotect(data, page, PROT_READ | PROT_EXEC));
	printf("state %d\n", prctl(66, 0, 0, 0, 0));
	return 0;
}

/* keyring: the serial number of the session keyring, and whether it holds the user key NAME. */
static int cmd_keyring(char **argv)
{
	enum { GET_KEYRING_ID, SEARCH = 10, SESSION = -3 };
	long serial = syscall(SYS_keyctl, GET_KEYRING_ID, SESSION, 0);

	if (serial < 0)
		return fail("keyctl");
	printf("session %ld\n", serial);
	say_result("key", syscall(SYS_keyctl, SEARCH, serial, "user", argv[0], 0) < 0);
	return 0;
}

/* with-key NAME COMMAND…: COMMAND with a session keyring that holds the user key NAME. */
static int cmd_with_key(char **argv)
{
	enum { JOIN = 1, SESSION = -3 };
	long serial = syscall(SYS_keyctl, JOIN, NULL);

	if (serial < 0 || syscall(SYS_add_key, "user", argv[0], "secret", 6, SESSION) < 0)
		return fail("key");
	dprintf(2, "serial %ld\n", serial);
	execv(argv[1], argv + 1);
	return fail(argv[1]);
}

/* ---- the view ---- */

static int cmd_cat(char **argv)
{
	char text[4096];

	for (; *argv; argv++) {
		int fd = open(*argv, O_RDONLY | O_CLOEXEC);
		ssize_t n;

		if (fd < 0)
			return fail(*argv);
		while ((n = read(fd, text, sizeof(text))) > 0)
			if (write(1, text, (size_t)n) != n)
				return fail("write");
		if (n < 0)
			return fail(*argv);
		close(fd);
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int cmd_ls(char **argv)
{
	DIR *dir = opendir(argv[0]);
	struct dirent *e;
	char *names[8192];
	size_t n = 0;

	if (!dir)
		return fail(argv[0]);
	while (n < 8192 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			names[n++] = strdup(e->d_name);
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++)
		printf("%s\n", names[i]);
	return 0;
}

static int cmd_readlink(char **argv)
{
	char text[PATH_MAX];

	for (; *argv; argv++) {
		ssize_t n = readlink(*argv, text, sizeof(text) - 1);

		if (n < 0)
			return fail(*argv);
		printf("%.*s\n", (int)n, text);
	}
	return 0;
}

static int cmd_stat(char **argv)
{
	for (; *argv; argv++) {
		struct stat st;

		if (lstat(*argv, &st) < 0)
			return fail(*argv);
		printf("%06o %u:%u %llx %s\n", st.st_mode, st.st_uid, st.st_gid,
		       (unsigned long long)st.st_rdev, *argv);
	}
	return 0;
}

/* One line of mountinfo, cut into the parts that the tests look at. */
static int mount_line(char *line, char *point, char *options, char *type, char *supers)
{
	char *dash = strstr(line, " - ");

	if (!dash)
		return -1;
	if (sscanf(line, "%*s %*s %*s %*s %4095s %1023s", point, options) != 2)
		return -1;
	return sscanf(dash + 3, "%1023s %*s %1023s", type, supers) == 2 ? 0 : -1;
}

static int has_option(const char *options, const char *word)
{
	size_t n = strlen(word);
	const char *at = options;

	while ((at = strstr(at, word))) {
		if ((at == options || at[-1] == ',') && (at[n] == ',' || !at[n]))
			return 1;
		at += n;
	}
	return 0;
}

/* mounts [WORD…]: "POINT TYPE OPTIONS" of each mount; with words only those that lack one of them. */
static int cmd_mounts(char **argv)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, point[4096], options[1024], type[1024], supers[1024];
	size_t size = 0;

	if (!f)
		return fail("mountinfo");
	while (getline(&line, &size, f) > 0) {
		int show = !argv[0];

		if (mount_line(line, point, options, type, supers) < 0)
			return fail("mountinfo line");
		for (char **word = argv; *word; word++)
			show |= !has_option(options, *word);
		if (show)
			printf("%s %s %s\n", point, type, options);
	}
	free(line);
	fclose(f);
	return 0;
}

static const struct command {
	const char *name;
	int args;
	int (*run)(char **argv);
} commands[] = {
	{ "adopt", 0, cmd_adopt },       { "again", 1, cmd_again },
	{ "args", 0, cmd_args },         { "caps", 0, cmd_caps },
	{ "cat", 1, cmd_cat },           { "clock", 0, cmd_clock },
	{ "code", 0, cmd_code },         { "core", 0, cmd_core },
	{ "count", 2, cmd_count },       { "cwd", 0, cmd_cwd },
	{ "die", 1, cmd_die },           { "env", 0, cmd_env },
	{ "envsize", 0, cmd_envsize },   { "exit", 1, cmd_exit },
	{ "family", 1, cmd_family },     { "fds", 0, cmd_fds },
	{ "forge", 0, cmd_forge },       { "forkbomb", 1, cmd_forkbomb },
	{ "heir", 2, cmd_heir },         { "hold", 0, cmd_hold },
	{ "ids", 0, cmd_ids },           { "keyring", 1, cmd_keyring },
	{ "leave", 0, cmd_leave },       { "limits", 0, cmd_limits },
	{ "litter", 2, cmd_litter },     { "ls", 1, cmd_ls },
	{ "mounts", 0, cmd_mounts },     { "orphans", 1, cmd_orphans },
	{ "readlink", 1, cmd_readlink }, { "report", 0, cmd_report },
	{ "session", 0, cmd_session },   { "siege", 1, cmd_siege },
	{ "sigs", 0, cmd_sigs },         { "stat", 1, cmd_stat },
	{ "stubborn", 0, cmd_stubborn }, { "tsc", 0, cmd_tsc },
	{ "umask", 0, cmd_umask },       { "with-key", 2, cmd_with_key },
	{ "uname", 0, cmd_uname },       { "winsize", 0, cmd_winsize },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name) && argc >= commands[i].args + 2)
			return commands[i].run(argv + 2);
	fprintf(stderr, "probe: unknown or short command: %s\n", argc > 1 ? argv[1] : "");
	return 99;
}
