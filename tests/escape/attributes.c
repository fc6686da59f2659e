// SPDX-License-Identifier: MIT
/*
 * attributes PATH: each call that changes modes, owners, times or attributes of PATH, without a C library in between, and the
 * answer of each in a line.
 * attributes race LINK IN OUT: for a second LINK leads to the two by turns, while its mode is changed to 0777.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FCHMODAT2 452

static char big[70000];

static void say(const char *name, long result)
{
	printf("%s: %s\n", name, result < 0 ? strerror(errno) : "ok");
}

#define CALL(name, number, ...) say(name, syscall(number, __VA_ARGS__))

static void change_modes(const char *path, int fd)
{
#ifdef __NR_chmod
	CALL("chmod", __NR_chmod, path, 0600);
#endif
	CALL("fchmod", __NR_fchmod, fd, 0640);
	CALL("fchmod of none", __NR_fchmod, 999, 0640);
	CALL("fchmodat", __NR_fchmodat, AT_FDCWD, path, 0604);
	CALL("fchmodat of a descriptor", __NR_fchmodat, fd, "x", 0604);
	CALL("fchmodat2", FCHMODAT2, AT_FDCWD, path, 0644, AT_SYMLINK_NOFOLLOW);
	CALL("fchmodat2 of a descriptor", FCHMODAT2, fd, "", 0600, AT_EMPTY_PATH);
	CALL("fchmodat2 with a bad flag", FCHMODAT2, AT_FDCWD, path, 0644, 0x10);
	CALL("no memory", __NR_fchmodat, AT_FDCWD, (char *)8, 0644);
	CALL("no name", __NR_fchmodat, AT_FDCWD, "", 0644);
}

static void change_owners(const char *path, int fd)
{
#ifdef __NR_chown
	CALL("chown", __NR_chown, path, -1, -1);
	CALL("lchown", __NR_lchown, path, getuid(), -1);
#endif
	CALL("fchown", __NR_fchown, fd, -1, getgid());
	CALL("fchownat", __NR_fchownat, AT_FDCWD, path, getuid(), getgid(), 0);
	CALL("fchownat of a descriptor", __NR_fchownat, fd, "", -1, -1, AT_EMPTY_PATH);
	CALL("fchownat with a bad flag", __NR_fchownat, AT_FDCWD, path, -1, -1, 0x10);
}

static void change_attributes(const char *path, int fd)
{
	CALL("setxattr", __NR_setxattr, path, "user.nbt", "x", 1, 0);
	CALL("setxattr again", __NR_setxattr, path, "user.nbt", "x", 1, 1 /* XATTR_CREATE */);
	CALL("lsetxattr", __NR_lsetxattr, path, "user.nbt", "y", 1, 0);
	CALL("fsetxattr", __NR_fsetxattr, fd, "user.nbt", big, 1000, 0);
	CALL("too big", __NR_setxattr, path, "user.nbt", big, sizeof(big), 0);
	CALL("too long", __NR_setxattr, path, big, "x", 1, 0);
	CALL("no attribute's name", __NR_setxattr, path, "", "x", 1, 0);
	CALL("no value", __NR_setxattr, path, "user.nbt", (char *)8, 1, 0);
	CALL("another kind", __NR_setxattr, path, "nbt.x", "x", 1, 0);
	CALL("removexattr", __NR_removexattr, path, "user.nbt");
	CALL("lremovexattr", __NR_lremovexattr, path, "user.nbt");
	CALL("fremovexattr", __NR_fremovexattr, fd, "user.nbt");
}

static void change_times(const char *path, int fd)
{
	const struct timespec times[2] = { { 1000, 1 }, { 2000, 2 } };
	const struct timespec one[2] = { { 0, UTIME_OMIT }, { 3000, 3 } };
	const struct timespec bad[2] = { { 0, 0 }, { 0, 1000000000 } };
	struct stat stat = { 0 };

	CALL("futimens", __NR_utimensat, fd, NULL, times, 0);
	CALL("futimens of none", __NR_utimensat, 999, NULL, times, 0);
	CALL("futimens with a flag", __NR_utimensat, fd, NULL, times, AT_SYMLINK_NOFOLLOW);
	CALL("utimensat of a descriptor", __NR_utimensat, fd, "", times, AT_EMPTY_PATH);
	CALL("utimensat of nothing", __NR_utimensat, AT_FDCWD, NULL, times, 0);
	CALL("utimensat to now", __NR_utimensat, AT_FDCWD, path, NULL, 0);
	CALL("utimensat with bad times", __NR_utimensat, AT_FDCWD, path, bad, 0);
	CALL("utimensat with a bad flag", __NR_utimensat, AT_FDCWD, path, times, 0x10);
	CALL("no times", __NR_utimensat, AT_FDCWD, path, (char *)8, 0);
	CALL("utimensat", __NR_utimensat, AT_FDCWD, path, times, 0);
	CALL("utimensat of one", __NR_utimensat, AT_FDCWD, path, one, 0);
	(void)fstat(fd, &stat);
	if (stat.st_mtime == 3000)
		printf("%ld %ld\n", (long)stat.st_atime, (long)stat.st_mtim.tv_nsec);
#ifdef __NR_utimes
	{
		const long micros[4] = { 4000, 4, 5000, 5 }, wrong[4] = { 0, 0, 0, 1000000 };
		const long seconds[2] = { 6000, 7000 };

		CALL("utimes", __NR_utimes, path, micros);
		CALL("utimes with bad times", __NR_utimes, path, wrong);
		CALL("utimes to now", __NR_utimes, path, NULL);
		CALL("futimesat", __NR_futimesat, AT_FDCWD, path, micros);
		CALL("futimesat of a descriptor", __NR_futimesat, fd, NULL, micros);
		(void)fstat(fd, &stat);
		if (stat.st_mtime == 5000)
			printf("%ld %ld\n", (long)stat.st_atime, (long)stat.st_mtim.tv_nsec);
		CALL("utime", __NR_utime, path, seconds);
		CALL("utime to now", __NR_utime, path, NULL);
	}
#endif
}

static const char *names[3];
static atomic_int stop;

static void *exchange(void *argument)
{
	char other[4096];

	snprintf(other, sizeof(other), "%s.new", names[0]);
	for (unsigned int turn = 0; !stop; turn++)
		if (symlink(names[1 + turn % 2], other) == 0)
			(void)rename(other, names[0]);
	return argument;
}

static int race(void)
{
	time_t end = time(NULL) + 2;
	unsigned long changed = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, exchange, NULL) != 0)
		return 99;
	while (time(NULL) < end)
		changed += syscall(__NR_fchmodat, AT_FDCWD, names[0], 0777) == 0;
	stop = 1;
	pthread_join(thread, NULL);
	return changed > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc == 5) {
		memcpy(names, argv + 2, sizeof(names));
		return race();
	}
	memset(big, 'a', sizeof(big) - 1);
	fd = open(argv[1], O_RDONLY | O_NONBLOCK);
	change_modes(argv[1], fd);
	change_owners(argv[1], fd);
	change_times(argv[1], fd);
	change_attributes(argv[1], fd);
	return 0;
}
