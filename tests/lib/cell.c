/* SPDX-License-Identifier: MIT */
/*
 * cell [OPTION]… -- PROGRAM ARG…: PROGRAM as PID 1 of a new PID namespace, in a new user namespace, so
 * that an ordinary caller can do it, too. Nothing is there but what is asked for: no /proc, and with -r no
 * other file than those in DIR. Ends as PROGRAM does.
 *
 *   -r DIR   the root directory, read-only
 *   -w DIR   the root directory, writable
 *   -u UID   the user and group id inside (0)
 *   -l NAME=N  a soft and hard limit: as, nproc, nofile, sigpending
 *   -0       without descriptor 0
 *   -p       with a /proc of its own
 */
#ifndef _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_LIMITS 8

static const struct {
	const char *name;
	int number;
} limit_names[] = {
	{ "as", RLIMIT_AS },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "sigpending", RLIMIT_SIGPENDING },
};

struct cell {
	const char *root;
	int writable;
	int without_stdin;
	int with_proc;
	unsigned int id;
	struct {
		int number;
		rlim_t value;
	} limits[MAX_LIMITS];
	size_t limit_count;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "cell: %s: %s\n", what, strerror(errno));
	_exit(99);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void map_ids(unsigned int inside, uid_t uid, gid_t gid)
{
	char text[64];

	put("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", inside, uid);
	put("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", inside, gid);
	put("/proc/self/gid_map", text);
}

static void add_limit(struct cell *cell, const char *text)
{
	const char *value = strchr(text, '=');

	for (size_t i = 0; value && i < sizeof(limit_names) / sizeof(limit_names[0]); i++) {
		size_t n = strlen(limit_names[i].name);

		if ((size_t)(value - text) != n || strncmp(text, limit_names[i].name, n) ||
		    cell->limit_count == MAX_LIMITS)
			continue;
		cell->limits[cell->limit_count].number = limit_names[i].number;
		cell->limits[cell->limit_count++].value = strtoul(value + 1, NULL, 10);
		return;
	}
	errno = EINVAL;
	die(text);
}

static void enter_root(const struct cell *cell)
{
	unsigned long ro = cell->writable ? 0 : MS_RDONLY;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("propagation");
	/* The flags of the mount below must be kept: a user namespace may not lift them. */
	if (mount(cell->root, cell->root, NULL, MS_BIND, NULL) < 0 ||
	    (ro && mount(NULL, cell->root, NULL, MS_BIND | MS_REMOUNT | ro, NULL) < 0 &&
	     mount(NULL, cell->root, NULL, MS_BIND | MS_REMOUNT | ro | MS_NOSUID | MS_NODEV, NULL) <
		     0))
		die(cell->root);
	if (chdir(cell->root) < 0 || chroot(".") < 0)
		die("chroot");
}

static _Noreturn void be_first(const struct cell *cell, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (cell->root)
		enter_root(cell);
	else if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("propagation");
	if (cell->with_proc && mount("proc", "/proc", "proc", 0, NULL) < 0)
		die("/proc");
	for (size_t i = 0; i < cell->limit_count; i++) {
		struct rlimit r = { cell->limits[i].value, cell->limits[i].value };

		if (setrlimit(cell->limits[i].number, &r) < 0)
			die("setrlimit");
	}
	if (cell->without_stdin)
		close(0);
	execv(argv[0], argv);
	die(argv[0]);
}

int main(int argc, char **argv)
{
	struct cell cell = { 0 };
	uid_t uid = getuid();
	gid_t gid = getgid();
	int option, status;
	pid_t pid;

	while ((option = getopt(argc, argv, "+r:w:u:l:0p")) != -1) {
		switch (option) {
		case 'w':
			cell.writable = 1; /* fall through */
		case 'r':
			cell.root = optarg;
			break;
		case 'u':
			cell.id = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'l':
			add_limit(&cell, optarg);
			break;
		case '0':
			cell.without_stdin = 1;
			break;
		case 'p':
			cell.with_proc = 1;
			break;
		default:
			return 99;
		}
	}
	if (optind == argc)
		return 99;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0)
		die("unshare");
	map_ids(cell.id, uid, gid);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		be_first(&cell, argv + optind);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
