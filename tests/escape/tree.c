/* SPDX-License-Identifier: MIT */
/*
 * Every way to a file's content, for --cow-backend notify: `tree make DIR` makes files, and the others print what
 * they find there and get as errors. What is printed in a box must be what is printed outside of one.
 *
 *	open DIR	all flags of open(2), each with files that nobody has opened before
 *	more DIR	other ways
 *	swap DIR	paths that change what they lead to meanwhile: prints nothing, if all is well
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAIRS 400

static const int flags[] = { O_CREAT,     O_EXCL, O_TRUNC,   O_APPEND,  O_NOFOLLOW,
			     O_DIRECTORY, O_PATH, O_CLOEXEC, O_NONBLOCK };
static const int combinations = 4 << COUNT(flags);

/* Kinds of what is opened: a file, one that may not be written, one that may not be used, a link to a file, to
 * nothing, to a directory, nothing, a FIFO. */
static const char kinds[] = "frnldDaF";

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void must(int result, const char *what)
{
	if (result < 0)
		die(what);
}

static void put(const char *name, mode_t mode, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	must(fd, name);
	must((int)write(fd, text, strlen(text)), name);
	must(fchmod(fd, mode), name);
	close(fd);
}

static void make_kind(char kind, int i)
{
	char name[32], text[32];

	snprintf(name, sizeof(name), "%c%d", kind, i);
	snprintf(text, sizeof(text), "text of %d", i);
	switch (kind) {
	case 'f':
		put(name, 0640, text);
		break;
	case 'r':
		put(name, 0444, text);
		break;
	case 'n':
		put(name, 0, text);
		break;
	case 'l':
		must(symlink(text, name), name);
		put(text, 0600, name);
		break;
	case 'd':
		must(symlink("nowhere/at/all", name), name);
		break;
	case 'D':
		must(symlink("dir", name), name);
		break;
	case 'F':
		must(mkfifo(name, 0600), name);
		break;
	}
}

static void make(void)
{
	char name[32];

	must(mkdir("dir", 0755), "dir");
	for (const char *kind = kinds; *kind != '\0'; kind++)
		for (int i = 0; i < combinations; i++)
			make_kind(*kind, i);
	for (int i = 0; i < PAIRS; i++) {
		snprintf(name, sizeof(name), "swap%d", i);
		put(name, 0644, "right");
		snprintf(name, sizeof(name), "other%d", i);
		put(name, 0644, "right");
	}
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "more%d", i);
		put(name, 0755, name);
	}
	put("sh", 0755, "#!interpreter\n");
}

static int combination(int i)
{
	int result = i & 3;

	for (size_t j = 0; j < COUNT(flags); j++)
		if ((i >> (2 + j) & 1) != 0)
			result |= flags[j];
	return result;
}

static void show(const char *name, int fd)
{
	char text[64] = "";
	struct stat stat = { 0 };
	ssize_t size;

	if (fd < 0) {
		printf("%s: %s\n", name, strerror(errno));
		return;
	}
	fstat(fd, &stat);
	size = S_ISREG(stat.st_mode) ? pread(fd, text, sizeof(text) - 1, 0) : 0;
	printf("%s: %o %lld, read %zd \"%s\" flags %x %x\n", name, stat.st_mode,
	       (long long)(S_ISREG(stat.st_mode) ? stat.st_size : 0), size, text,
	       (unsigned int)fcntl(fd, F_GETFL) & ~(unsigned int)O_NOFOLLOW,
	       (unsigned int)fcntl(fd, F_GETFD));
	close(fd);
}

static int open_any(int way, const char *name, int how)
{
	struct open_how open_how = { .flags = (unsigned int)how,
				     .mode = (how & O_CREAT) != 0 ? 0640 : 0 };

#ifdef SYS_open
	if (way == 0)
		return (int)syscall(SYS_open, name, how, 0640);
#endif
	if (way == 2)
		return (int)syscall(SYS_openat2, AT_FDCWD, name, &open_how, sizeof(open_how));
	return (int)syscall(SYS_openat, AT_FDCWD, name, how, 0640);
}

static void open_all(void)
{
	char name[32];

	for (const char *kind = kinds; *kind != '\0'; kind++)
		for (int i = 0; i < combinations; i++) {
			int how = combination(i);

			/* It would wait for another one. */
			if (*kind == 'F' && (how & (O_NONBLOCK | O_PATH | O_DIRECTORY)) == 0)
				continue;
			snprintf(name, sizeof(name), "%c%d", *kind, i);
			show(name, open_any(i % 3, name, how));
			/* Whoever comes afterwards. */
			show(name, open(name, O_RDONLY | O_NONBLOCK));
		}
}

static void print_content(const char *name)
{
	show(name, open(name, O_RDONLY));
}

static int sub_open(const char *dir, const char *name, int how, unsigned int resolve)
{
	struct open_how open_how = { .flags = (unsigned int)how, .resolve = resolve };
	int fd, dirfd = open(dir, O_PATH);

	fd = (int)syscall(SYS_openat2, dirfd, name, &open_how, sizeof(open_how));
	close(dirfd);
	return fd;
}

static void show_resolved(void)
{
	show("beneath", sub_open(".", "more0", O_RDONLY, RESOLVE_BENEATH));
	show("up", sub_open("dir", "../more1", O_RDONLY, RESOLVE_BENEATH));
	show("root", sub_open(".", "/more2", O_RDONLY, RESOLVE_IN_ROOT));
	show("root up", sub_open(".", "../../more3", O_RDWR, RESOLVE_IN_ROOT));
	show("links", sub_open(".", "l0", O_RDONLY, RESOLVE_NO_SYMLINKS));
	show("cached", sub_open(".", "more4", O_RDWR | O_TRUNC, RESOLVE_NO_SYMLINKS));
	print_content("more4");
}

static void show_reopened(void)
{
	char path[64];
	int fd = open("more5", O_PATH), dead;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show("proc", open(path, O_RDWR));
	close(fd);
	fd = open("more6", O_PATH);
	dead = unlink("more6");
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	show("unlinked", open(path, O_RDWR));
	show("unlinked", dead);
	close(fd);
}

static void show_moved(void)
{
	must(rename("more7", "dir/moved"), "rename");
	print_content("dir/moved");
	must(link("more8", "dir/linked"), "link");
	print_content("dir/linked");
	must(rename("dir", "dir2"), "rename");
	print_content("dir2/linked");
	must(rename("dir2", "dir"), "rename");
	must(unlink("more9"), "unlink");
	put("more9", 0644, "another");
	print_content("more9");
}

static void show_truncated(void)
{
	must(truncate("more10", 3), "truncate");
	print_content("more10");
	must(truncate("more11", 9), "truncate");
	print_content("more11");
	show("negative", truncate("more12", -1));
	show("directory", truncate("dir", 0));
	print_content("more12");
	show("creat", creat("more13", 0600));
	print_content("more13");
	show("number", open("more14", O_WRONLY | O_TRUNC));
	print_content("more14");
}

static void show_mapped(void)
{
	int fd = open("more15", O_RDONLY);
	const char *map = mmap(NULL, 6, PROT_READ, MAP_PRIVATE, fd, 0);

	printf("map: %.6s\n", map == MAP_FAILED ? "" : map);
	close(fd);
}

static void show_unnamed(void)
{
	char path[64];
	int fd = open("dir", O_TMPFILE | O_RDWR, 0600);

	if (fd >= 0) {
		(void)!write(fd, "unnamed", 7);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		must(linkat(AT_FDCWD, path, AT_FDCWD, "dir/named", AT_SYMLINK_FOLLOW), "linkat");
		close(fd);
	}
	print_content("dir/named");
}

static void show_limits(void)
{
	const struct rlimit none = { 0, 256 }, all = { 256, 256 };

	setrlimit(RLIMIT_NOFILE, &none);
	show("no room", open("more16", O_RDWR | O_TRUNC));
	setrlimit(RLIMIT_NOFILE, &all);
	show("bad path", open((const char *)8, O_RDONLY));
	show("bad dir", openat(77, "more17", O_RDONLY));
	show("no dir", openat(open("more18", O_RDONLY), "x", O_RDONLY));
	show("slash", open("more19/", O_RDONLY));
	show("high bits",
	     (int)syscall(SYS_openat, (long)AT_FDCWD & 0xffffffffL, "more20", O_RDONLY, 0));
}

static void try_exec(const char *what, const char *name, bool by_fd)
{
	char *const argv[] = { (char *)(size_t)name, NULL }, *const environment[] = { NULL };
	int status, fd = open(name, O_PATH);
	pid_t pid = fork();

	if (pid == 0) {
		if (by_fd)
			(void)syscall(SYS_execveat, fd, "", argv, environment, AT_EMPTY_PATH);
		else
			(void)execve(name, argv, environment);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	printf("exec %s: %x\n", what, (unsigned int)status);
	close(fd);
}

static void show_undumpable(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		print_content("more21");
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* Last: from here on all is another way. */
static void show_restricted(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	print_content("more22");
	show("no writing", open("more23", O_WRONLY));
	show("nor emptying", open("more24", O_WRONLY | O_TRUNC));
	print_content("more24");
}

static void more(void)
{
	show_resolved();
	show_reopened();
	show_moved();
	show_truncated();
	show_mapped();
	show_unnamed();
	show_limits();
	fflush(stdout);
	try_exec("text", "more25", false);
	try_exec("text by descriptor", "more26", true);
	try_exec("script without one", "sh", true);
	show_undumpable();
	show_restricted();
}

/* --- Races ---------------------------------------------------------------------------------------- */

static atomic_int turn;
static atomic_bool ended;

static void *swap(void *unused)
{
	char a[32], b[32];

	(void)unused;
	while (!ended) {
		int i = turn;

		snprintf(a, sizeof(a), "swap%d", i);
		snprintf(b, sizeof(b), "other%d", i);
		syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */);
	}
	return NULL;
}

static void race(void)
{
	pthread_t thread;
	char name[32], text[8];

	must(-pthread_create(&thread, NULL, swap, NULL), "pthread_create");
	for (; turn < PAIRS; turn++)
		for (int i = 0; i < 3; i++) {
			int fd;
			ssize_t size;

			snprintf(name, sizeof(name), "swap%d", turn);
			fd = open(name, O_RDWR);
			memset(text, 0, sizeof(text));
			size = read(fd, text, sizeof(text));
			if (size != 5 || memcmp(text, "right", 5) != 0)
				printf("%s: %d, read %zd \"%.5s\"\n", name, fd, size, text);
			close(fd);
		}
	ended = true;
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	if (argc != 3 || chdir(argv[2]) < 0)
		return 99;
	umask(022);
	if (strcmp(argv[1], "make") == 0)
		make();
	else if (strcmp(argv[1], "open") == 0)
		open_all();
	else if (strcmp(argv[1], "more") == 0)
		more();
	else if (strcmp(argv[1], "swap") == 0)
		race();
	else
		return 99;
	return 0;
}
