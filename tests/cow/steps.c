/* SPDX-License-Identifier: MIT */
/*
 * steps SEED COUNT [overlay]: COUNT random steps on files in the working directory, a line with the result of each.
 * The same seed gives the same steps, so on any two file systems that are what they should be it prints the same.
 * With "overlay" it leaves out what overlayfs in a user namespace does otherwise by design: differential.bats says what.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <linux/stat.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1U
#define RENAME_EXCHANGE 2U
#endif
#define OPENED 8

static uint64_t random_state;
static bool on_overlay;
static int opened[OPENED], directories[OPENED], top;
static unsigned long step;
static char line[8192];

static unsigned int below(unsigned int limit)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(random_state >> 33) % limit;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	size_t length = strlen(line);
	va_list values;

	va_start(values, format);
	vsnprintf(line + length, sizeof(line) - length, format, values);
	va_end(values);
}

static void result(long value)
{
	if (value < 0)
		say(" = -%d", errno);
	else
		say(" = %ld", value);
}

/* As a success, whatever number it was. */
static void done(long value)
{
	result(value < 0 ? value : 0);
}

static const char *const names[] = { "a",     "b",    "c",      "d",  "e",     "f",
				     "\377x", "g\nh", "sp ace", "-n", "long-", "..x" };

static void add_name(char *path)
{
	unsigned int which = below(sizeof(names) / sizeof(names[0]));

	strcat(path, names[which]);
	if (which == 10)
		for (unsigned int i = 0; i < 240; i++)
			strcat(path, "x");
}

/* A path of one to three names, with what makes paths hard to read; a buffer of four. */
static const char *path(void)
{
	static char buffers[4][2048];
	static unsigned int next;
	char *text = buffers[next++ % 4];
	unsigned int shape = below(6), depth = shape < 3 ? 1 : shape < 5 ? 2 : 3;

	text[0] = '\0';
	if (below(40) == 0)
		strcat(text, "./");
	for (unsigned int i = 0; i < depth; i++) {
		if (i > 0)
			strcat(text, below(20) == 0 ? "//" : "/");
		add_name(text);
		if (below(60) == 0)
			strcat(text, "/..");
	}
	if (below(30) == 0)
		strcat(text, "/");
	if (below(400) == 0)
		text[0] = '\0';
	say(" [");
	for (const char *byte = text; *byte != '\0'; byte++)
		if (*byte > ' ' && *byte != 127)
			say("%c", *byte);
		else
			say("\\%03o", (unsigned char)*byte);
	say("]");
	return text;
}

/* Where a path starts. */
static int base(void)
{
	unsigned int which = below(OPENED * 2);

	if (which >= OPENED || directories[which] < 0)
		return AT_FDCWD;
	say(" @%u", which);
	return directories[which];
}

static bool is_directory(int dir, const char *name)
{
	struct stat stat;

	return fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(stat.st_mode);
}

static void keep(int fd)
{
	unsigned int slot = below(OPENED);

	if (fd < 0)
		return;
	if (opened[slot] >= 0)
		close(opened[slot]);
	opened[slot] = fd;
}

static void do_content(int fd)
{
	char buffer[256];
	ssize_t got = pread(fd, buffer, sizeof(buffer), (off_t)below(200));
	unsigned int sum = 0;

	for (ssize_t i = 0; i < got; i++)
		sum = sum * 31 + (unsigned char)buffer[i];
	result(got);
	say(" sum %u", sum);
}

static int random_flags(void)
{
	static const int access[] = { O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR };
	static const int more[] = { O_CREAT,    O_CREAT,     O_EXCL,     O_TRUNC,   O_APPEND,
				    O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK, O_CLOEXEC, O_PATH };
	int flags = access[below(4)] | O_NONBLOCK;

	for (unsigned int i = below(4); i > 0; i--)
		flags |= more[below(sizeof(more) / sizeof(more[0]))];
	/* Undefined: open(2). */
	if ((flags & O_CREAT) == 0 || (flags & O_PATH) != 0)
		flags &= ~O_EXCL;
	if ((flags & O_ACCMODE) == O_RDONLY)
		flags &= ~O_TRUNC;
	say(" %#o", flags);
	return flags;
}

/* What was opened to read stays, on overlayfs, with a file that is no longer to be seen. */
static void use(int fd, int flags)
{
	struct stat stat;

	done(fd);
	if (fd < 0)
		return;
	if (fstat(fd, &stat) == 0)
		say(" %o", stat.st_mode);
	if ((flags & O_PATH) == 0 && S_ISREG(stat.st_mode) && (flags & O_ACCMODE) != O_WRONLY)
		do_content(fd);
	if ((flags & (O_PATH | O_ACCMODE)) == O_RDWR && S_ISREG(stat.st_mode))
		keep(fd);
	else
		close(fd);
}

static void do_open(void)
{
	int flags = random_flags();

	use(openat(base(), path(), flags, (mode_t)below(01000)), flags);
}

static void do_open2(void)
{
	static const uint64_t resolve[] = { 0, 0, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS };
	int flags = random_flags(), dir, fd;
	struct open_how how = { .flags = (unsigned int)flags,
				.mode = (flags & O_CREAT) != 0 ? below(01000) : 0,
				.resolve = resolve[below(4)] };
	const char *name;

	if ((flags & O_PATH) != 0) {
		how.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
		how.mode = 0;
	}
	say(" %llu", (unsigned long long)how.resolve);
	dir = base();
	name = path();
	/* Any rename on the machine may be in the way: openat2(2). */
	do {
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	} while (fd < 0 && errno == EAGAIN);
	use(fd, (int)how.flags);
}

/* It would wait for somebody who reads a FIFO. */
static void do_creat(void)
{
#ifdef SYS_creat
	const char *name = path();
	struct stat stat;

	if (lstat(name, &stat) == 0 && S_ISREG(stat.st_mode))
		use((int)syscall(SYS_creat, name, below(01000)), O_WRONLY);
#endif
}

static void do_tmpfile(void)
{
	int dir = base(), fd = openat(dir, path(), O_TMPFILE | O_RDWR, 0600);
	char self[64];

	done(fd);
	if (fd < 0)
		return;
	say(" write");
	result(write(fd, "unnamed", 7));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	done(linkat(AT_FDCWD, self, dir, path(), AT_SYMLINK_FOLLOW));
	close(fd);
}

static void do_write(void)
{
	int fd = opened[below(OPENED)];
	char buffer[300];
	unsigned int size = below(sizeof(buffer)), kind = below(5);

	memset(buffer, (int)('A' + step % 26), sizeof(buffer));
	say(" %u", kind);
	if (kind == 0)
		result(write(fd, buffer, size));
	else if (kind == 1)
		result(pwrite(fd, buffer, size, (off_t)below(10000)));
	else if (kind == 2)
		result(ftruncate(fd, (off_t)below(8000)));
	else if (kind == 3)
		result(fallocate(fd, (int)below(4), (off_t)below(6000), 1 + (off_t)below(6000)));
	else
		result(lseek(fd, (off_t)below(500), SEEK_SET));
}

static void do_fd(void)
{
	int fd = opened[below(OPENED)];
	unsigned int kind = below(6);
	struct timespec times[2] = { { 1000000000, 5 }, { 1100000000 + (long)below(1000), 7 } };
	struct stat stat;

	say(" %u", kind);
	if (kind == 0)
		result(fchmod(fd, below(010000)));
	else if (kind == 1)
		result(futimens(fd, times));
	else if (kind == 2)
		result(fsetxattr(fd, "user.fd", "value", 1 + below(5), 0));
	else if (kind == 3)
		result(fchown(fd, (uid_t)-1, getgid()));
	else if (fstat(fd, &stat) < 0)
		result(-1);
	else if (kind == 4)
		say(" %o %lld %lu", stat.st_mode, (long long)stat.st_size,
		    (unsigned long)stat.st_nlink);
	else
		do_content(fd);
}

static void do_truncate(void)
{
	result(truncate(path(), (off_t)below(9000) - 100));
}

static void do_mkdir(void)
{
	done(below(4) > 0 ? mkdirat(base(), path(), below(01000) | 0700) : mkdir(path(), 0755));
}

static void do_mknod(void)
{
	static const mode_t kinds[] = { S_IFREG, S_IFIFO, S_IFSOCK, 0, S_IFDIR };

	done(mknodat(base(), path(), kinds[below(5)] | below(01000), 0));
}

static void do_unlink(void)
{
	done(unlinkat(base(), path(), below(3) == 0 ? AT_REMOVEDIR : 0));
}

static void do_rmdir(void)
{
	done(rmdir(path()));
}

static void do_rename(void)
{
	static const unsigned int flags[] = { 0, 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, 7 };
	int from = base(), to;
	const char *old = path(), *new;
	unsigned int which = below(7);

	to = base();
	new = path();
	say(" %u", flags[which]);
	if (on_overlay && (is_directory(from, old) || is_directory(to, new)))
		return;
	if (which == 0)
		done(renameat(from, old, to, new));
	else
		done(syscall(SYS_renameat2, from, old, to, new, flags[which]));
}

static void do_link(void)
{
	int from = base(), fd;
	const char *old = path();

	if (on_overlay) {
		fd = openat(from, old, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0)
			return;
		close(fd);
	}
	done(linkat(from, old, base(), path(), below(3) == 0 ? AT_SYMLINK_FOLLOW : 0));
}

static void do_symlink(void)
{
	static const char *const texts[] = { "/etc/hostname", "/nowhere", "../a",
					     "loop",          "a/b/c",    "." };
	const char *text = below(3) == 0 ? texts[below(6)] : path();

	done(symlinkat(text, base(), path()));
}

static void do_chmod(void)
{
	unsigned int kind = below(3);
	mode_t mode = below(010000) | (below(4) > 0 ? 0700U : 0);

	say(" %u %o", kind, mode);
	if (kind == 0)
		result(chmod(path(), mode));
	else if (kind == 1)
		result(fchmodat(base(), path(), mode, 0));
	else
		result(syscall(452, base(), path(), mode, AT_SYMLINK_NOFOLLOW)); /* fchmodat2 */
}

static void do_chown(void)
{
	result(fchownat(base(), path(), below(2) == 0 ? getuid() : (uid_t)-1, getgid(),
			below(2) == 0 ? AT_SYMLINK_NOFOLLOW : 0));
}

static void do_times(void)
{
	struct timespec times[2] = { { 1200000000, 1 }, { 1200000000 + (long)below(1000), 2 } };

	result(utimensat(base(), path(), times, below(2) == 0 ? AT_SYMLINK_NOFOLLOW : 0));
}

static void say_stat(const struct stat *stat)
{
	say(" %o %u:%u", stat->st_mode, stat->st_uid, stat->st_gid);
	if (!S_ISDIR(stat->st_mode))
		say(" %lld %lu", (long long)stat->st_size, (unsigned long)stat->st_nlink);
	/* Not what the steps themselves have made just now. */
	if (!S_ISDIR(stat->st_mode) && stat->st_mtim.tv_sec < 1300000000)
		say(" %lld.%09ld", (long long)stat->st_mtim.tv_sec, stat->st_mtim.tv_nsec);
}

static void do_stat(void)
{
	struct stat stat;
	int status = fstatat(base(), path(), &stat, below(2) == 0 ? AT_SYMLINK_NOFOLLOW : 0);

	result(status);
	if (status == 0)
		say_stat(&stat);
}

static void do_old_stat(void)
{
#ifdef SYS_lstat
	struct stat stat;
	long status = syscall(below(2) == 0 ? SYS_stat : SYS_lstat, path(), &stat);

	result(status);
	if (status == 0)
		say_stat(&stat);
	result(syscall(SYS_access, path(), below(8)));
#endif
}

static void do_statx(void)
{
	struct statx stat;
	long status = syscall(SYS_statx, base(), path(), below(2) == 0 ? AT_SYMLINK_NOFOLLOW : 0,
			      STATX_BASIC_STATS, &stat);

	result(status);
	if (status == 0)
		say(" %o %llu", stat.stx_mode,
		    S_ISDIR(stat.stx_mode) ? 0 : (unsigned long long)stat.stx_size);
}

static void do_access(void)
{
	result(syscall(439, base(), path(), below(8), below(2) == 0 ? AT_SYMLINK_NOFOLLOW : 0));
}

static void do_readlink(void)
{
	char text[2100];
	ssize_t length = readlinkat(base(), path(), text, below(3) == 0 ? 3 : sizeof(text) - 1);

	result(length);
	for (ssize_t i = 0; i < length; i++)
		say("%02x", (unsigned char)text[i]);
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
	return strcmp((*left)->d_name, (*right)->d_name);
}

static void do_list(void)
{
	struct dirent **list;
	int count = scandir(below(3) > 0 ? path() : ".", &list, NULL, by_name);

	result(count);
	for (int i = 0; i < count; i++) {
		say(" %02x%02x%zu", (unsigned char)list[i]->d_name[0],
		    (unsigned char)list[i]->d_name[1], strlen(list[i]->d_name));
		if (list[i]->d_type != DT_UNKNOWN)
			say(":%u", list[i]->d_type);
		free(list[i]);
	}
	if (count >= 0)
		free(list);
}

static void say_directory(void)
{
	char text[8192];
	long length = syscall(SYS_getcwd, text, sizeof(text));

	say(" cwd");
	if (length < 0)
		result(length);
	else
		for (long i = 0; i < length; i++)
			say("%02x", (unsigned char)text[i]);
}

/* Never out of the tree. */
static void do_chdir(void)
{
	int status = below(2) == 0 ? fchdir(top) : chdir(path());

	result(status);
	say_directory();
	if (status == 0 && below(4) > 0)
		result(fchdir(top));
}

static void do_directory(void)
{
	unsigned int slot = below(OPENED);
	int fd = openat(base(), path(), O_RDONLY | O_DIRECTORY | (below(3) == 0 ? O_PATH : 0));

	done(fd);
	if (directories[slot] >= 0)
		close(directories[slot]);
	directories[slot] = fd;
}

static void do_xattr(void)
{
	const char *name = below(2) == 0 ? "user.one" : "user.two";
	char value[16], list[512];
	unsigned int kind = below(4), both = 0;
	ssize_t size;

	say(" %u", kind);
	if (kind == 0) {
		result(setxattr(path(), name, "0123456789", below(10), (int)below(3)));
	} else if (kind == 1) {
		size = getxattr(path(), name, value, sizeof(value));
		result(size);
	} else if (kind == 2) {
		size = llistxattr(path(), list, sizeof(list));
		for (char *at = list; size > 0 && at < list + size; at += strlen(at) + 1)
			both |= strcmp(at, "user.one") == 0   ? 1U
				: strcmp(at, "user.two") == 0 ? 2U
							      : 0;
		say(" %u", both);
		done(size);
	} else {
		result(lremovexattr(path(), name));
	}
}

static void do_exec(void)
{
	const char *file = path();
	int status = 0, pid, fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);

	done(fd);
	if (fd >= 0) {
		result(write(fd, "#!/bin/sh\nexit 7\n", 17));
		close(fd);
	}
	pid = fork();
	if (pid == 0) {
		close(STDERR_FILENO);
		execl(file, file, (char *)NULL);
		_exit(100 + errno % 100);
	}
	waitpid(pid, &status, 0);
	say(" status %x", (unsigned int)status);
}

static void do_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path());
	result(bind(server, (struct sockaddr *)&address, sizeof(address)));
	result(listen(server, 1));
	if (below(3) == 0)
		snprintf(address.sun_path, sizeof(address.sun_path), "%s", path());
	result(connect(client, (struct sockaddr *)&address, sizeof(address)));
	close(server);
	close(client);
}

static void do_umask(void)
{
	static const mode_t masks[] = { 022, 0, 077, 027 };

	say(" %o", umask(masks[below(4)]));
}

static const struct {
	const char *name;
	unsigned int weight;
	void (*run)(void);
} kinds[] = {
	{ "open", 14, do_open },          { "openat2", 5, do_open2 },   { "creat", 2, do_creat },
	{ "tmpfile", 3, do_tmpfile },     { "write", 14, do_write },    { "fd", 6, do_fd },
	{ "truncate", 3, do_truncate },   { "mkdir", 8, do_mkdir },     { "mknod", 4, do_mknod },
	{ "unlink", 8, do_unlink },       { "rmdir", 3, do_rmdir },     { "rename", 9, do_rename },
	{ "link", 6, do_link },           { "symlink", 5, do_symlink }, { "chmod", 4, do_chmod },
	{ "chown", 2, do_chown },         { "times", 3, do_times },     { "stat", 6, do_stat },
	{ "oldstat", 3, do_old_stat },    { "statx", 3, do_statx },     { "access", 3, do_access },
	{ "readlink", 4, do_readlink },   { "list", 6, do_list },       { "chdir", 4, do_chdir },
	{ "directory", 4, do_directory }, { "xattr", 5, do_xattr },     { "exec", 1, do_exec },
	{ "socket", 1, do_socket },       { "umask", 1, do_umask },
};

static void do_step(void)
{
	unsigned int total = 0, kind = 0, chosen;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		total += kinds[i].weight;
	for (chosen = below(total); chosen >= kinds[kind].weight; kind++)
		chosen -= kinds[kind].weight;
	snprintf(line, sizeof(line), "%lu %s", step, kinds[kind].name);
	kinds[kind].run();
	puts(line);
}

int main(int argc, char **argv)
{
	unsigned long count;

	if (argc < 3)
		return 2;
	/* Its links lead to / and /etc, and it writes wherever it may. */
	if (access("/", W_OK) == 0 || access("/etc", W_OK) == 0) {
		fputs("steps: only in a box that cannot write to / and /etc\n", stderr);
		return 2;
	}
	random_state = strtoull(argv[1], NULL, 10);
	count = strtoul(argv[2], NULL, 10);
	on_overlay = argc > 3;
	top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < OPENED; i++)
		opened[i] = directories[i] = -1;
	for (step = 0; step < count; step++)
		do_step();
	return fflush(stdout) == 0 ? 0 : 1;
}
