/* SPDX-License-Identifier: MIT */
/*
 * mountns/build.c and all that it calls: views are built for real, in namespaces of a child's own, and
 * looked at from inside. Every test runs four times: as the kernel is, without openat2, without the mount
 * calls of Linux 5.2, and without both; the results must be the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mountns/view.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONG "0123456789012345678901234567890123456789"
#define NAME_OF_255 LONG LONG LONG LONG LONG LONG "012345678901234"
#define RACES 60

/* --- Checks in the child ------------------------------------------------------------------------ */

static struct fault fault;

static _Noreturn void die(int line, const char *what)
{
	fprintf(stderr, "# line %d: %s; fault: %s: %s: %s %s, errno: %s\n", line, what,
		fault.step ? fault.step : "-", fault.object ? fault.object : "-",
		fault.reason ? fault.reason : strerror(fault.error),
		fault.detail ? fault.detail : "", strerror(errno));
	_exit(1);
}

#define CHECK(condition) ((condition) ? (void)0 : die(__LINE__, #condition))

static bool says(const char *text, const char *wanted)
{
	return text != NULL && strcmp(text, wanted) == 0;
}

/* --- The host ----------------------------------------------------------------------------------- */

static char top[PATH_MAX];

/* The path of NAME on the host, in one of several buffers. */
static const char *at(const char *name)
{
	static char buffers[64][2 * PATH_MAX];
	static unsigned int next;
	char *path = buffers[next++ % COUNT(buffers)];

	snprintf(path, sizeof(buffers[0]), "%s/%s", top, name);
	return path;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static bool holds(const char *path, const char *text)
{
	char buffer[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer) - 1);

	if (fd >= 0)
		close(fd);
	if (got < 0)
		return false;
	buffer[got] = '\0';
	return strcmp(buffer, text) == 0;
}

static void make_tree(void)
{
	CHECK(mkdir(at("d"), 0755) == 0 && mkdir(at("d/sub"), 0755) == 0);
	CHECK(mkdir(at("w"), 0755) == 0 && mkdir(at("w/in"), 0755) == 0);
	CHECK(mkdir(at("out"), 0755) == 0);
	put(at("d/f"), "host");
	put(at("d/sub/g"), "deep");
	put(at("w/f"), "old contents");
	put(at("file"), "file");
	CHECK(symlink("d", at("link")) == 0 && symlink("nowhere", at("dangling")) == 0);
	CHECK(symlink("loop", at("loop")) == 0);
}

static void remove_below(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type == DT_DIR)
			remove_below(fd, entry->d_name);
		else
			unlinkat(fd, entry->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

/* --- A child in namespaces of its own ----------------------------------------------------------- */

enum { NO_OPENAT2 = 1, NO_NEW_MOUNT = 2, VARIANTS = 4 };

static void forbid(unsigned int number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(code), code };

	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void restrict_calls(int variant)
{
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (variant & NO_OPENAT2)
		forbid(437);
	if (variant & NO_NEW_MOUNT) {
		for (unsigned int number = 428; number <= 432; number++)
			forbid(number);
		forbid(442);
	}
}

static void write_map(const char *file, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void become_root(void)
{
	char uids[32], gids[32];

	snprintf(uids, sizeof(uids), "0 %u 1", geteuid());
	snprintf(gids, sizeof(gids), "0 %u 1", getegid());
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID) == 0);
	write_map("setgroups", "deny");
	write_map("uid_map", uids);
	write_map("gid_map", gids);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	umask(0);
}

static int run_in_child(void (*test)(void), int variant)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		become_root();
		pid = fork(); /* for procfs: PID 1 of the new namespace */
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			restrict_calls(variant);
			test();
			_exit(0);
		}
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

/* Runs TEST in each variant, on a new tree; then what it leaves on the host is checked. */
static void run(void (*test)(void), void (*after)(void))
{
	static const char *const names[] = { "as it is", "without openat2", "with mount(2)",
					     "with mount(2) and without openat2" };

	for (int variant = 0; variant < VARIANTS; variant++) {
		char template[] = "/tmp/build-test-XXXXXX";
		int status;

		assert_non_null(mkdtemp(template));
		assert_non_null(realpath(template, top));
		assert_int_equal(chmod(top, 0755), 0);
		make_tree();
		status = run_in_child(test, variant);
		if (status == 0 && after != NULL)
			after();
		remove_below(AT_FDCWD, top);
		if (status != 0)
			fail_msg("%s: status %d", names[variant], status);
	}
}

#define TEST(name)                                                                                 \
	static void in_##name(void);                                                               \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		run(in_##name, NULL);                                                              \
	}                                                                                          \
	static void in_##name(void)

#define TEST_AND_AFTER(name)                                                                       \
	static void in_##name(void);                                                               \
	static void after_##name(void);                                                            \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		run(in_##name, after_##name);                                                      \
	}                                                                                          \
	static void in_##name(void)

/* --- Building ----------------------------------------------------------------------------------- */

/* A step has no descriptor and no mode unless it says so. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define STEP(...)                                                                                  \
	{                                                                                          \
		.fd = -1, .mode = -1, __VA_ARGS__                                                  \
	}
#define BIND(from, to) STEP(.kind = STEP_BIND, .source = (from), .dest = (to))
#define RO_BIND(from, to)                                                                          \
	STEP(.kind = STEP_BIND, .source = (from), .dest = (to), .flags = STEP_READ_ONLY)
#define TMPFS(to) STEP(.kind = STEP_TMPFS, .dest = (to))
#define DIRECTORY(to) STEP(.kind = STEP_DIR, .dest = (to))
#define SYMLINK(says, to) STEP(.kind = STEP_SYMLINK, .text = (says), .dest = (to))
#define CHMOD(bits, to) STEP(.kind = STEP_CHMOD, .mode = (bits), .dest = (to))
#define REMOUNT(to) STEP(.kind = STEP_REMOUNT, .dest = (to))
#define LAYER(from) STEP(.kind = STEP_LAYER, .source = (from))

enum { BARE = 1, TOUCH = 2 };

static struct view view;
static struct built built;
static struct grant the_grant;

static int prepare(int habits, const struct mount_step *steps, size_t count)
{
	const struct view_request request = {
		.grants = &the_grant,
		.grant_count = the_grant.path != NULL,
		.steps = steps,
		.step_count = count,
		.bare = habits & BARE,
		.touch_host = habits & TOUCH,
	};

	fault = (struct fault){ 0 };
	return mountns_prepare(&view, &request, &fault);
}

static int build(int habits, const struct mount_step *steps, size_t count)
{
	if (prepare(habits, steps, count) != 0)
		return -1;
	return mountns_build(&view, &built, &fault);
}

#define BUILD(habits, ...)                                                                         \
	build((habits), (const struct mount_step[]){ __VA_ARGS__ },                                \
	      COUNT(((const struct mount_step[]){ __VA_ARGS__ })))

/* From here on "/" is the box's. */
#define ENTER(habits, ...)                                                                         \
	do {                                                                                       \
		CHECK(BUILD(habits, __VA_ARGS__) == 0);                                            \
		CHECK(mountns_enter(built.root, true, &fault) == 0);                               \
	} while (0)

#define FAILS(what, which, why, habits, ...)                                                       \
	do {                                                                                       \
		CHECK(BUILD(habits, __VA_ARGS__) == -1);                                           \
		CHECK(says(fault.step, what) && says(fault.object, which) &&                       \
		      fault.error == (why));                                                       \
		CHECK((fault.reason == NULL) == ((why) != 0));                                     \
	} while (0)

#define FAILS_SAYING(what, which, why, habits, ...)                                                \
	do {                                                                                       \
		FAILS(what, which, 0, habits, __VA_ARGS__);                                        \
		CHECK(says(fault.reason, why));                                                    \
	} while (0)

/* Tries in a child that sees the same mounts, so that one test can build several views. */
static void apart(void (*test)(void))
{
	int status = 99;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		test();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK(status == 0);
}

/* --- Looking ------------------------------------------------------------------------------------ */

static bool has_flags(const char *path, unsigned long with, unsigned long without)
{
	struct statvfs fs;

	CHECK(statvfs(path, &fs) == 0);
	return (fs.f_flag & with) == with && (fs.f_flag & without) == 0;
}

static unsigned int mode(const char *path)
{
	struct stat stat;

	CHECK(lstat(path, &stat) == 0);
	return stat.st_mode & 07777;
}

static bool is_there(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0;
}

static bool is_mount(const char *path)
{
	char parent[PATH_MAX + 4];
	struct stat one, other;

	snprintf(parent, sizeof(parent), "%s/..", path);
	CHECK(stat(path, &one) == 0 && stat(parent, &other) == 0);
	return one.st_dev != other.st_dev;
}

static bool link_says(const char *path, const char *text)
{
	char buffer[PATH_MAX];
	ssize_t length = readlink(path, buffer, sizeof(buffer) - 1);

	buffer[length < 0 ? 0 : length] = '\0';
	return length >= 0 && strcmp(buffer, text) == 0;
}

/* The names in PATH, sorted, each with a blank behind. */
static bool lists(const char *path, const char *wanted)
{
	struct dirent **names;
	char found[4096] = "";
	int count = scandir(path, &names, NULL, alphasort);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.')
			strcat(strcat(found, names[i]->d_name), " ");
		free(names[i]);
	}
	free(names);
	return strcmp(found, wanted) == 0;
}

static int fails_with(int result)
{
	return result < 0 ? errno : 0;
}

/* A descriptor that gives TEXT and ends. */
static int text_fd(const char *text)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(write(fds[1], text, strlen(text)) == (ssize_t)strlen(text));
	close(fds[1]);
	return fds[0];
}

/* --- Binds -------------------------------------------------------------------------------------- */

TEST(bind)
{
	ENTER(BARE, BIND(at("w"), "/w"), RO_BIND(at("d"), "/a/b/d"), RO_BIND(at("file"), "/x/f"));
	CHECK(holds("/a/b/d/f", "host") && holds("/a/b/d/sub/g", "deep") && holds("/x/f", "file"));
	CHECK(has_flags("/w", ST_NOSUID | ST_NODEV, ST_RDONLY | ST_NOEXEC));
	CHECK(has_flags("/a/b/d", ST_NOSUID | ST_NODEV | ST_RDONLY, ST_NOEXEC));
	CHECK(has_flags("/x/f", ST_NOSUID | ST_NODEV | ST_RDONLY, ST_NOEXEC));
	CHECK(mode("/a") == 0755 && mode("/a/b") == 0755 && mode("/x") == 0755);
	put("/w/new", "new");
	CHECK(lists("/", "a w x ") && lists("/a", "b ") && lists("/x", "f "));
}

TEST(bind_devices)
{
	const struct mount_step step =
		STEP(.kind = STEP_BIND, .source = "/dev/null", .dest = "/n", .flags = STEP_DEVICES);

	ENTER(BARE, step, BIND("/dev/zero", "/z"));
	CHECK(has_flags("/n", ST_NOSUID, ST_NODEV) && has_flags("/z", ST_NOSUID | ST_NODEV, 0));
	CHECK(open("/n", O_WRONLY | O_CLOEXEC) >= 0);
	CHECK(open("/z", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
}

TEST(bind_reaches_submounts)
{
	CHECK(mount("t", at("d/sub"), "tmpfs", 0, "mode=755") == 0);
	CHECK(mkdir(at("d/sub/sp ace\\"), 0755) == 0 && mkdir(at("d/sub/new\nline"), 0755) == 0);
	CHECK(mount("t", at("d/sub/sp ace\\"), "tmpfs", 0, NULL) == 0);
	CHECK(mount("t", at("d/sub/new\nline"), "tmpfs", MS_NOEXEC | MS_NOATIME, NULL) == 0);
	ENTER(BARE, RO_BIND(at("d"), "/r"), BIND(at("d"), "/w"), TMPFS("/w/sub/sp ace\\"));
	CHECK(has_flags("/r/sub", ST_NOSUID | ST_NODEV | ST_RDONLY, ST_NOEXEC));
	CHECK(has_flags("/r/sub/sp ace\\", ST_NOSUID | ST_NODEV | ST_RDONLY, ST_NOEXEC));
	CHECK(has_flags("/r/sub/new\nline",
			ST_NOSUID | ST_NODEV | ST_RDONLY | ST_NOEXEC | ST_NOATIME, 0));
	CHECK(has_flags("/w/sub", ST_NOSUID | ST_NODEV, ST_RDONLY | ST_NOEXEC));
	CHECK(has_flags("/w/sub/new\nline", ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME,
			ST_RDONLY));
}

#define NOSYMFOLLOW 0x2000 /* of statfs(2); Linux 5.10 */

static bool has_host_flags(const char *path)
{
	struct statfs fs;

	CHECK(statfs(path, &fs) == 0);
	return (fs.f_flags & NOSYMFOLLOW) && has_flags(path, ST_NOEXEC | ST_NOATIME, 0);
}

TEST(bind_keeps_flags)
{
	CHECK(mount("t", at("w"), "tmpfs", MS_NOEXEC | MS_NOATIME | 0x100, NULL) == 0);
	put(at("w/f"), "x");
	ENTER(BARE, BIND(at("w"), "/w"), BIND(at("w/f"), "/f"), BIND(at("w"), "/r"), REMOUNT("/r"));
	CHECK(has_host_flags("/w") && has_flags("/w", ST_NOSUID | ST_NODEV, ST_RDONLY));
	CHECK(has_host_flags("/f") && has_flags("/f", ST_NOSUID | ST_NODEV, ST_RDONLY));
	CHECK(has_host_flags("/r") && has_flags("/r", ST_NOSUID | ST_NODEV | ST_RDONLY, 0));
}

TEST(bind_many_submounts)
{
	char name[64];

	CHECK(mount("t", at("d"), "tmpfs", 0, "mode=755") == 0);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d/%s-%d", i % 2 ? LONG : "s", i);
		CHECK(mkdir(at(name), 0755) == 0 && mount("t", at(name), "tmpfs", 0, NULL) == 0);
	}
	ENTER(BARE, RO_BIND(at("d"), "/r"));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "/r/%s-%d", i % 2 ? LONG : "s", i);
		CHECK(has_flags(name, ST_NOSUID | ST_NODEV | ST_RDONLY, 0));
	}
}

/* What lies under another mount cannot be reached, and must not stop anything. */
TEST(bind_covered_submount)
{
	CHECK(mount("t", at("d/sub"), "tmpfs", 0, NULL) == 0);
	CHECK(mount("t", at("d/sub"), "tmpfs", 0, NULL) == 0);
	CHECK(mkdir(at("d/sub/x"), 0755) == 0);
	ENTER(BARE, RO_BIND(at("d"), "/r"));
	CHECK(has_flags("/r/sub", ST_NOSUID | ST_NODEV | ST_RDONLY, 0) && is_there("/r/sub/x"));
}

TEST(bind_optional)
{
	const struct mount_step missing =
		STEP(.kind = STEP_BIND, .source = at("none"), .dest = "/m", .flags = STEP_OPTIONAL);
	const struct mount_step there = STEP(.kind = STEP_BIND, .source = at("d"), .dest = "/d",
					     .flags = STEP_OPTIONAL | STEP_READ_ONLY);
	const struct mount_step dangling = STEP(.kind = STEP_BIND, .source = at("dangling"),
						.dest = "/x", .flags = STEP_OPTIONAL);
	struct mount_step bad = missing;

	bad.source = at("file/x");
	FAILS("source", bad.source, ENOTDIR, BARE, bad);
	bad.source = at("loop");
	FAILS("source", bad.source, ELOOP, BARE, bad);
	FAILS("source", "none/such", ENOENT, BARE, BIND("none/such", "/x"));
	ENTER(BARE, missing, there, dangling, BIND(at("w"), "/w"));
	CHECK(lists("/", "d w ") && holds("/d/f", "host"));
}

TEST(bind_links_and_relative)
{
	CHECK(chdir(at("d")) == 0);
	ENTER(BARE, BIND(at("link"), "/a"), BIND("sub", "/b"), BIND("../link/sub/../f", "/c"),
	      BIND(".", "/d"), BIND("..//w/.", "/e"));
	CHECK(holds("/a/f", "host") && holds("/b/g", "deep") && holds("/c", "host"));
	CHECK(holds("/d/f", "host") && holds("/e/f", "old contents"));
}

/* Links of procfs lead to what they are open on, or nowhere. */
TEST(bind_magic_links)
{
	int dir = open(at("d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file = open(at("file"), O_RDONLY | O_CLOEXEC), pipes[2];
	char by_fd[64], by_dev[64], below[64], no_file[64], gone[64];
	int removed = open(at("w/f"), O_RDONLY | O_CLOEXEC);

	CHECK(unlink(at("w/f")) == 0 && pipe(pipes) == 0);
	put(at("w/f"), "another");
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", dir);
	snprintf(by_dev, sizeof(by_dev), "/dev/fd/%d", file);
	snprintf(below, sizeof(below), "/proc/self/fd/%d/sub", dir);
	snprintf(no_file, sizeof(no_file), "/proc/self/fd/%d", pipes[0]);
	snprintf(gone, sizeof(gone), "/proc/self/fd/%d", removed);
	FAILS_SAYING("source", no_file,
		     "has no name that leads to it: it was removed, or is outside the root", BARE,
		     BIND(no_file, "/x"));
	FAILS_SAYING("source", gone,
		     "has no name that leads to it: it was removed, or is outside the root", BARE,
		     BIND(gone, "/x"));
	ENTER(BARE, BIND(by_fd, "/a"), BIND(by_dev, "/b"), BIND(below, "/c"),
	      BIND("/proc/self/root/usr", "/usr"), BIND("/proc/self/exe", "/exe"));
	CHECK(holds("/a/f", "host") && holds("/b", "file") && holds("/c/g", "deep"));
	CHECK(is_there("/usr/bin") && is_there("/exe"));
}

TEST(bind_fd)
{
	int dir = open(at("d"), O_PATH | O_CLOEXEC), file = open(at("file"), O_RDONLY | O_CLOEXEC);
	struct mount_step step = STEP(.kind = STEP_BIND, .dest = "/x");
	struct mount_step one = STEP(.kind = STEP_BIND, .dest = "/one", .flags = STEP_READ_ONLY);
	struct mount_step two = STEP(.kind = STEP_BIND, .dest = "/two");

	step.fd = 999;
	FAILS("options", "--bind-fd", EBADF, BARE, step);
	step.flags = STEP_READ_ONLY;
	FAILS("options", "--ro-bind-fd", EBADF, BARE, step);
	step.fd = open(at("w/f"), O_RDONLY | O_CLOEXEC);
	CHECK(unlink(at("w/f")) == 0);
	FAILS_SAYING("source", "--ro-bind-fd",
		     "has no name that leads to it: it was removed, or is outside the root", BARE,
		     step);
	one.fd = dir;
	two.fd = file;
	ENTER(BARE, one, two);
	CHECK(holds("/one/f", "host") && has_flags("/one", ST_RDONLY, 0));
	CHECK(holds("/two", "file") && has_flags("/two", 0, ST_RDONLY));
}

TEST(bind_replaced_source)
{
	const struct mount_step step = BIND(at("w"), "/w");

	CHECK(prepare(BARE, &step, 1) == 0);
	CHECK(rename(at("w"), at("old")) == 0 && mkdir(at("w"), 0755) == 0);
	CHECK(mountns_build(&view, &built, &fault) == -1);
	CHECK(says(fault.step, "source") && says(fault.object, step.source));
	CHECK(says(fault.reason, "was replaced by another file while the box was made"));
}

TEST(bind_source_becomes_link)
{
	const struct mount_step step = BIND(at("w"), "/w");

	CHECK(prepare(BARE, &step, 1) == 0);
	CHECK(rename(at("w"), at("old")) == 0 && symlink("out", at("w")) == 0);
	CHECK(mountns_build(&view, &built, &fault) == -1);
	CHECK(says(fault.reason, "was replaced by another file while the box was made"));
}

/* Whatever is there already will do for a file. */
TEST(bind_on_what_is_there)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr sun = { .sa_family = AF_UNIX, .sa_data = "s" };

	CHECK(chdir(at("w")) == 0 && mkfifo("p", 0600) == 0 && bind(sock, &sun, 4) == 0);
	CHECK(symlink("f", "l") == 0);
	FAILS("create file", "/w/in", EISDIR, BARE, BIND(at("w"), "/w"), BIND(at("file"), "/w/in"));
	FAILS("mkdir", "/w/f", ENOTDIR, BARE, BIND(at("w"), "/w"), BIND(at("d"), "/w/f"));
	ENTER(BARE, BIND(at("w"), "/w"), BIND(at("file"), "/w/p"), BIND(at("file"), "/w/s"),
	      BIND(at("file"), "/w/l"), BIND(at("d"), "/w/in"), BIND(at("file"), "/w/p"));
	CHECK(holds("/w/p", "file") && holds("/w/s", "file") && holds("/w/f", "file"));
	CHECK(link_says("/w/l", "f") && holds("/w/in/f", "host"));
}

/* The new root lies over "/" while it is built, and what waits for its place lies below /proc. */
static void bind_of_everything(void)
{
	const struct mount_step data =
		STEP(.kind = STEP_DATA, .dest = "/data", .fd = text_fd("data"));
	char task[64];

	snprintf(task, sizeof(task), "/all/proc/%d/task", getppid());
	ENTER(BARE, DIRECTORY("/mine"), data, RO_BIND("/", "/all"), RO_BIND("/proc", "/p"));
	CHECK(is_there("/all/usr/bin") && !is_there("/all/mine") && !is_there("/all/data"));
	CHECK(holds("/data", "data"));
	CHECK(!is_there("/all/proc/self/task/files") && !is_there("/p/self/task/files"));
	CHECK(has_flags("/all/proc", ST_RDONLY | ST_NODEV, 0));
}

TEST(bind_everything)
{
	bind_of_everything();
}

/* --- Descriptors -------------------------------------------------------------------------------- */

static void set_limit(rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = { soft, hard };

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

#define MANY 300

static struct mount_step many[MANY];

static void fill_many(void)
{
	static char names[MANY][32];

	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "/many/%d", i);
		many[i] = (struct mount_step)RO_BIND(at("d"), names[i]);
	}
}

TEST(more_binds_than_descriptors)
{
	fill_many();
	set_limit(40, 4000);
	CHECK(build(BARE, many, MANY) == 0);
	CHECK(view.nofile == 40);
	CHECK(mountns_enter(built.root, true, &fault) == 0);
	CHECK(holds("/many/0/f", "host") && holds("/many/299/f", "host"));
}

TEST(few_descriptors_are_left)
{
	fill_many();
	set_limit(MANY + 20, 4000);
	CHECK(build(BARE, many, MANY) == 0);
	CHECK(view.nofile == MANY + 20);
}

TEST(enough_descriptors)
{
	fill_many();
	set_limit(1024, 4000);
	CHECK(build(BARE, many, MANY) == 0);
	CHECK(view.nofile == 0);
}

TEST(hard_limit_of_descriptors)
{
	fill_many();
	set_limit(40, 200);
	CHECK(build(BARE, many, MANY) == -1);
	CHECK(says(fault.step, "source"));
	CHECK(says(fault.reason,
		   "more descriptors are needed than the hard limit of RLIMIT_NOFILE allows"));
}

/* --- tmpfs, directories ------------------------------------------------------------------------- */

TEST(tmpfs)
{
	struct statvfs fs;

	ENTER(BARE, STEP(.kind = STEP_TMPFS, .dest = "/a", .mode = 01777, .size = 1 << 20),
	      TMPFS("/b/c"), STEP(.kind = STEP_TMPFS, .dest = "/d/e/f", .mode = 0));
	CHECK(mode("/a") == 01777 && mode("/b/c") == 0755 && mode("/d/e/f") == 0);
	CHECK(mode("/b") == 0755 && mode("/d") == 0700 && mode("/d/e") == 0700);
	CHECK(statvfs("/a", &fs) == 0 && fs.f_blocks * fs.f_frsize == 1 << 20);
	CHECK(has_flags("/a", ST_NOSUID | ST_NODEV, ST_RDONLY | ST_NOEXEC));
	CHECK(is_mount("/a") && is_mount("/b/c"));
	put("/b/c/x", "x");
}

TEST(directories)
{
	FAILS("mkdir", "/f", ENOTDIR, BARE, BIND(at("file"), "/f"), DIRECTORY("/f"));
	FAILS("mkdir parents", "/f/x", ENOTDIR, BARE, BIND(at("file"), "/f"), DIRECTORY("/f/x"));
	ENTER(BARE, STEP(.kind = STEP_DIR, .dest = "/a/b", .mode = 0700),
	      STEP(.kind = STEP_DIR, .dest = "/c/d", .mode = 0750), DIRECTORY("/a"),
	      STEP(.kind = STEP_DIR, .dest = "/a", .mode = 0), SYMLINK("c", "/l"), DIRECTORY("/l"),
	      DIRECTORY("/l/x"), DIRECTORY("/"));
	CHECK(mode("/a") == 0700 && mode("/a/b") == 0700);
	CHECK(mode("/c") == 0750 || mode("/c") == 0755);
	CHECK(mode("/c") == 0750);
	CHECK(mode("/c/d") == 0750 && mode("/c/x") == 0755);
}

/* --- Files -------------------------------------------------------------------------------------- */

#define FILE_STEP(from, to) STEP(.kind = STEP_FILE, .fd = (from), .dest = (to))
#define DATA_STEP(from, to) STEP(.kind = STEP_DATA, .fd = (from), .dest = (to))

TEST(file)
{
	const struct mount_step mine =
		STEP(.kind = STEP_FILE, .fd = text_fd("mine"), .dest = "/p/q", .mode = 0600);

	FAILS("options", "--file", EBADF, BARE, FILE_STEP(998, "/x"));
	FAILS("create file", "/d", EISDIR, BARE, DIRECTORY("/d"), FILE_STEP(text_fd(""), "/d"));
	FAILS("create file", "/", EISDIR, BARE, FILE_STEP(text_fd(""), "/"));
	ENTER(BARE, FILE_STEP(text_fd("hello"), "/a/f"), mine, SYMLINK("/a/new", "/l"),
	      FILE_STEP(text_fd("long, and then"), "/a/g"), FILE_STEP(text_fd("short"), "/a/g"),
	      FILE_STEP(text_fd("by a link"), "/l"), FILE_STEP(text_fd(""), "/empty"));
	CHECK(holds("/a/f", "hello") && mode("/a/f") == 0666 && mode("/a") == 0755);
	CHECK(holds("/p/q", "mine") && mode("/p/q") == 0600 && mode("/p") == 0700);
	CHECK(holds("/a/g", "short") && holds("/a/new", "by a link") && link_says("/l", "/a/new"));
	CHECK(holds("/empty", ""));
}

/* More than a pipe holds, from a writer who is slow, through a descriptor that does not block. */
TEST(file_from_slow_pipe)
{
	static char text[200001];
	struct stat stat;
	int fds[2];

	memset(text, 'x', sizeof(text) - 1);
	CHECK(pipe(fds) == 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
	if (fork() == 0) {
		for (size_t done = 0; done < sizeof(text) - 1; done += 1000)
			if (write(fds[1], text + done, 1000) != 1000)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	ENTER(BARE, FILE_STEP(fds[0], "/f"));
	CHECK(lstat("/f", &stat) == 0 && stat.st_size == 200000);
}

TEST(file_from_what_cannot_be_read)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	FAILS("write", "/f", EBADF, BARE, FILE_STEP(fds[1], "/f"));
	FAILS("write", "/f", EISDIR, BARE,
	      FILE_STEP(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/f"));
}

/* What stands there is not waited for. */
TEST(file_onto_fifo)
{
	CHECK(mkfifo(at("w/p"), 0600) == 0);
	FAILS("create file", "/w/p", ENXIO, BARE | TOUCH, BIND(at("w"), "/w"),
	      FILE_STEP(text_fd("x"), "/w/p"));
}

TEST(data)
{
	const struct mount_step read_only =
		STEP(.kind = STEP_DATA, .fd = text_fd("fixed"), .dest = "/q/r",
		     .flags = STEP_READ_ONLY, .mode = 0644);
	struct stat stat;

	FAILS("options", "--bind-data", EBADF, BARE, DATA_STEP(998, "/x"));
	ENTER(BARE, DATA_STEP(text_fd("data"), "/p/f"), read_only,
	      DATA_STEP(text_fd("third"), "/t"), FILE_STEP(text_fd("below"), "/u"),
	      DATA_STEP(text_fd("above"), "/u"));
	CHECK(holds("/p/f", "data") && mode("/p/f") == 0600 && mode("/p") == 0700);
	CHECK(lstat("/p/f", &stat) == 0 && stat.st_nlink == 0);
	CHECK(has_flags("/p/f", ST_NOSUID | ST_NODEV, ST_RDONLY));
	put("/p/f", "changed");
	CHECK(holds("/p/f", "changed") && holds("/t", "third") && holds("/u", "above"));
	CHECK(has_flags("/q/r", ST_RDONLY, 0) && mode("/q/r") == 0644 && holds("/q/r", "fixed"));
	CHECK(umount2("/u", MNT_DETACH) == 0 && holds("/u", "below"));
}

/* --- What is there ------------------------------------------------------------------------------ */

TEST(chmod)
{
	FAILS("chmod", "/none", ENOENT, BARE, CHMOD(0700, "/none"));
	FAILS("chmod", "/l", ELOOP, BARE, SYMLINK("l", "/l"), CHMOD(0700, "/l"));
	FAILS_SAYING("chmod", "/w/in", "is on the host, where nothing is changed", BARE,
		     BIND(at("w"), "/w"), CHMOD(0700, "/w/in"));
	ENTER(BARE, DIRECTORY("/d"), CHMOD(01777, "/d"), FILE_STEP(text_fd(""), "/d/f"),
	      CHMOD(0, "/d/f"), SYMLINK("d/f", "/l"), CHMOD(0421, "//./l"), TMPFS("/t"),
	      CHMOD(0311, "/t/../t/."), CHMOD(0711, "/"));
	CHECK(mode("/d") == 01777 && mode("/d/f") == 0421 && mode("/t") == 0311);
	CHECK(mode("/") == 0711 && link_says("/l", "d/f"));
}

TEST(remount)
{
	CHECK(mount("t", at("d/sub"), "tmpfs", 0, NULL) == 0);
	FAILS_SAYING("remount", "/d/in", "is not a mount point", BARE, DIRECTORY("/d/in"),
		     REMOUNT("/d/in"));
	FAILS("remount", "/none", ENOENT, BARE, REMOUNT("/none"));
	ENTER(BARE, BIND(at("d"), "/d"), REMOUNT("/d"), TMPFS("/t"),
	      FILE_STEP(text_fd("x"), "/t/f"), SYMLINK("t", "/l"), REMOUNT("/l"),
	      DIRECTORY("/last"), REMOUNT("/"));
	CHECK(has_flags("/d", ST_RDONLY | ST_NOSUID | ST_NODEV, 0));
	CHECK(has_flags("/d/sub", ST_NOSUID | ST_NODEV, ST_RDONLY));
	CHECK(has_flags("/t", ST_RDONLY, 0) && holds("/t/f", "x") && has_flags("/", ST_RDONLY, 0));
	CHECK(is_there("/last"));
}

TEST(symlinks)
{
	CHECK(symlink("text", at("w/l")) == 0);
	FAILS("symlink", "/l", 0, BARE, SYMLINK("one", "/l"), SYMLINK("two", "/l"));
	CHECK(says(fault.reason, "existing destination is") && says(fault.detail, "one"));
	FAILS_SAYING("symlink", "/d", "destination exists and is not a symlink", BARE,
		     DIRECTORY("/d"), SYMLINK("x", "/d"));
	FAILS_SAYING("symlink", "/", "destination exists and is not a symlink", BARE,
		     SYMLINK("x", "/"));
	FAILS_SAYING("symlink", "/w/new", "is not there, and on the host nothing is made", BARE,
		     BIND(at("w"), "/w"), SYMLINK("x", "/w/new"));
	FAILS("symlink", "/w/l", 0, BARE, BIND(at("w"), "/w"), SYMLINK("x", "/w/l"));
	CHECK(says(fault.reason, "existing destination is") && says(fault.detail, "text"));
	ENTER(BARE, SYMLINK("../any/where", "/a/b/l"), SYMLINK("../any/where", "/a/b/l"),
	      SYMLINK("a", "/m"), SYMLINK("deep", "/m/b/n"), BIND(at("w"), "/w"),
	      SYMLINK("text", "/w/l"));
	CHECK(link_says("/a/b/l", "../any/where") && link_says("/a/b/n", "deep"));
}

/* --- Destinations ------------------------------------------------------------------------------- */

TEST(spellings)
{
	ENTER(BARE, RO_BIND(at("d"), "rel/d"), DIRECTORY("//a///b//"), DIRECTORY("/a/./c/."),
	      DIRECTORY("/../../up"), DIRECTORY("/a/../flat"), DIRECTORY("/a/b/../../../e/f/.."),
	      TMPFS("./dot"), FILE_STEP(text_fd("x"), "slash/"), DIRECTORY(""),
	      TMPFS("/e/f/../../g"), FILE_STEP(text_fd("y"), "/g/../g/y"));
	CHECK(holds("/rel/d/f", "host") && lists("/a", "b c ") && lists("/e", "f "));
	CHECK(lists("/", "a dot e flat g rel slash up ") && is_mount("/dot") && is_mount("/g"));
	CHECK(holds("/g/y", "y"));
}

TEST(links_in_destinations)
{
	ENTER(BARE, DIRECTORY("/run/x"), SYMLINK("/run", "/var/run"),
	      SYMLINK("../../../run", "/rel"), SYMLINK("run", "/r1"), SYMLINK("r1", "/r2"),
	      DIRECTORY("/var/run/by-abs"), DIRECTORY("/rel/by-rel"), TMPFS("/r2"),
	      RO_BIND(at("file"), "/r2/f"), SYMLINK("run/f", "/to-file"),
	      RO_BIND(at("d/f"), "/to-file"), DIRECTORY("/r2/../r2/./y"), SYMLINK("/", "/root"),
	      DIRECTORY("/root/z"), SYMLINK("/run/made", "/new"), FILE_STEP(text_fd("n"), "/new"),
	      SYMLINK("run/bound", "/new2"), RO_BIND(at("file"), "/new2"),
	      SYMLINK("/run", "/sub/l"), DIRECTORY("/sub/l/deep/er"));
	CHECK(holds("/run/f", "host") && lists("/run", "bound deep f made y ") && is_there("/z"));
	CHECK(holds("/run/made", "n") && holds("/run/bound", "file"));
	CHECK(is_there("/run/deep/er") && !is_there("/sub/run"));
	CHECK(umount2("/run", MNT_DETACH) == 0 && lists("/run", "by-abs by-rel x "));
}

TEST(bad_links_in_destinations)
{
	FAILS("mkdir parents", "/l/x", ELOOP, BARE, SYMLINK("l", "/l"), DIRECTORY("/l/x"));
	FAILS("mkdir parents", "/l", ELOOP, BARE, SYMLINK("m", "/l"), SYMLINK("l", "/m"),
	      TMPFS("/l"));
	FAILS("mkdir", "/l", ENOENT, BARE, SYMLINK("none", "/l"), TMPFS("/l"));
	FAILS("mkdir parents", "/l/x", ENOENT, BARE, SYMLINK("none", "/l"), TMPFS("/l/x"));
	FAILS("mkdir parents", "/l/x", ENOENT, BARE, SYMLINK("/none/y", "/l"), DIRECTORY("/l/x"));
	FAILS("mkdir parents", "/l/x/y/z", ENOENT, BARE, SYMLINK("n", "/l"), DIRECTORY("/l/x/y/z"));
	FAILS("mkdir parents", "/l", ENOENT, BARE, SYMLINK("none/f", "/l"),
	      FILE_STEP(text_fd(""), "/l"));
	FAILS("mkdir parents", "/f/../x", ENOTDIR, BARE, FILE_STEP(text_fd(""), "/f"),
	      DIRECTORY("/f/../x"));
	FAILS("mkdir parents", "/p/self/cwd/x", ELOOP, BARE, STEP(.kind = STEP_PROC, .dest = "/p"),
	      DIRECTORY("/p/self/cwd/x"));
	FAILS("mkdir parents", "/p/self/cwd", ELOOP, BARE, STEP(.kind = STEP_PROC, .dest = "/p"),
	      TMPFS("/p/self/cwd"));
}

TEST(chain_of_links)
{
	struct mount_step steps[43];
	static char names[43][16], texts[43][16];

	for (int i = 0; i < 41; i++) {
		snprintf(names[i], sizeof(names[i]), "/l%d", i);
		snprintf(texts[i], sizeof(texts[i]), "l%d", i - 1);
		steps[i] = (struct mount_step)SYMLINK(i == 0 ? "d" : texts[i], names[i]);
	}
	steps[41] = (struct mount_step)DIRECTORY("/d");
	steps[42] = (struct mount_step)TMPFS("/l40");
	CHECK(build(BARE, steps, 43) == -1);
	CHECK(says(fault.object, "/l40") && fault.error == ELOOP);
	steps[42].dest = "/l39";
	CHECK(build(BARE, steps, 43) == 0 && mountns_enter(built.root, true, &fault) == 0);
	CHECK(is_mount("/d"));
}

TEST(long_names)
{
	static char longest[PATH_MAX + 8];
	char name[] = "/" NAME_OF_255 "5", path[] = "/" NAME_OF_255 "/" NAME_OF_255 "/x";

	FAILS("mkdir parents", name, ENAMETOOLONG, BARE, DIRECTORY(name));
	FAILS("mkdir parents", "/a/" NAME_OF_255 "5/b", ENAMETOOLONG, BARE,
	      DIRECTORY("/a/" NAME_OF_255 "5/b"));
	FAILS("mkdir parents", "/a/" NAME_OF_255 NAME_OF_255 "/b/c", ENAMETOOLONG, BARE,
	      DIRECTORY("/a/" NAME_OF_255 NAME_OF_255 "/b/c"));
	memset(longest, '/', sizeof(longest) - 1);
	memcpy(longest + sizeof(longest) - 3, "/x", 2);
	FAILS("mkdir parents", longest, ENAMETOOLONG, BARE, DIRECTORY(longest));
	longest[PATH_MAX - 2] = 'x';
	longest[PATH_MAX - 1] = '\0';
	ENTER(BARE, DIRECTORY("/" NAME_OF_255), RO_BIND(at("file"), path), DIRECTORY(longest));
	CHECK(holds(path, "file") && is_there("/x"));
}

/* A parent that was found before is another one once something is mounted over it. */
TEST(covered_parents)
{
	ENTER(BARE, DIRECTORY("/a/b/one"), TMPFS("/a"), DIRECTORY("/a/b/two"), SYMLINK("a", "/l"),
	      DIRECTORY("/l/b/three"), TMPFS("/l"), DIRECTORY("/l/b/four"), TMPFS("/a/b"),
	      DIRECTORY("/a/b/five"), TMPFS("/a/b/../b/."), DIRECTORY("/a/b/six"), TMPFS("a/b"),
	      DIRECTORY("/a/b/seven"), TMPFS("/"), DIRECTORY("/a/b/eight"), TMPFS("/a/.."),
	      DIRECTORY("/a/b/nine"));
	CHECK(lists("/", "a ") && lists("/a/b", "nine "));
	CHECK(!is_mount("/a") && !is_mount("/a/b"));
}

TEST(covered_parents_below)
{
	ENTER(BARE, DIRECTORY("/a/b/one"), TMPFS("/a"), DIRECTORY("/a/b/two"), SYMLINK("a", "/l"),
	      DIRECTORY("/l/b/three"), TMPFS("/l"), DIRECTORY("/l/b/four"));
	CHECK(lists("/a/b", "four "));
	CHECK(umount2("/a", MNT_DETACH) == 0 && lists("/a/b", "three two "));
	CHECK(umount2("/a", MNT_DETACH) == 0 && lists("/a/b", "one "));
}

/* --- The root ----------------------------------------------------------------------------------- */

static void given_root(void)
{
	ENTER(BARE | TOUCH, BIND(at("d"), "/"), TMPFS("/sub"), DIRECTORY("/new"));
	CHECK(lists("/", "f new sub ") && is_mount("/sub") && has_flags("/", 0, ST_RDONLY));
}

static void replaced_root(void)
{
	ENTER(BARE, DIRECTORY("/gone"), TMPFS("/a"), RO_BIND(at("d"), "//."), TMPFS("/sub/../sub"),
	      DIRECTORY("/sub/x"));
	CHECK(lists("/", "f new sub ") && lists("/sub", "x ") && has_flags("/", ST_RDONLY, 0));
}

static void empty_root(void)
{
	ENTER(BARE, STEP(.kind = STEP_TMPFS, .dest = "/", .mode = 0711), DIRECTORY("/x"));
	CHECK(lists("/", "x ") && mode("/") == 0711);
}

static void replaced_by_link(void)
{
	ENTER(BARE, DIRECTORY("/a"), TMPFS("/a/.."), DIRECTORY("/b"), SYMLINK("../../b", "/l"),
	      DIRECTORY("/l/c"));
	CHECK(lists("/", "b l ") && lists("/b", "c "));
}

static void replaced_root_that_is_not_bare(void)
{
	CHECK(mkdir(at("d/proc"), 0755) == 0 && mkdir(at("d/dev"), 0755) == 0);
	CHECK(mkdir(at("d/tmp"), 0755) == 0);
	ENTER(0, TMPFS("/x"), BIND(at("d"), "/"));
	CHECK(is_there("/proc/self/status") && is_there("/dev/null") && mode("/tmp") == 01777);
	CHECK(has_flags("/", 0, ST_RDONLY));
}

static void file_as_root(void)
{
	FAILS("create file", "/", EISDIR, BARE, BIND(at("file"), "/"));
	FAILS("create file", "/a/..", EISDIR, BARE, DIRECTORY("/a"), BIND(at("file"), "/a/.."));
}

TEST(root)
{
	apart(given_root);
	apart(replaced_root);
	apart(empty_root);
	apart(replaced_by_link);
	apart(file_as_root);
	apart(replaced_root_that_is_not_bare);
}

TEST(nothing_at_all)
{
	CHECK(build(BARE, NULL, 0) == 0 && mountns_enter(built.root, true, &fault) == 0);
	CHECK(lists("/", "") && has_flags("/", ST_NOSUID | ST_NODEV, ST_RDONLY | ST_NOEXEC));
	CHECK(mode("/") == 0755);
}

TEST(defaults)
{
	CHECK(build(0, NULL, 0) == 0 && mountns_enter(built.root, true, &fault) == 0);
	CHECK(lists("/", "dev proc tmp "));
	CHECK(has_flags("/", ST_NOSUID | ST_NODEV | ST_RDONLY | ST_NOEXEC, 0));
	CHECK(has_flags("/tmp", ST_NOSUID | ST_NODEV | ST_NOEXEC, ST_RDONLY));
}

/* --- The host's own ----------------------------------------------------------------------------- */

TEST_AND_AFTER(nothing_on_the_host)
{
	static const char parents[] = "are not there, and on the host nothing is made";
	static const char thing[] = "is not there, and on the host nothing is made";

	FAILS_SAYING("mkdir", "/w/new", thing, BARE, BIND(at("w"), "/w"), TMPFS("/w/new"));
	FAILS_SAYING("mkdir", "/w/new", thing, BARE, BIND(at("w"), "/w"), DIRECTORY("/w/new"));
	FAILS_SAYING("mkdir parents", "/w/new/x", parents, BARE, BIND(at("w"), "/w"),
		     DIRECTORY("/w/new/x"));
	FAILS_SAYING("create file", "/w/new", thing, BARE, BIND(at("w"), "/w"),
		     BIND(at("file"), "/w/new"));
	FAILS_SAYING("create file", "/w/new", "is on the host, where nothing is changed", BARE,
		     BIND(at("w"), "/w"), FILE_STEP(text_fd("x"), "/w/new"));
	FAILS_SAYING("create file", "/w/f", "is on the host, where nothing is changed", BARE,
		     BIND(at("w"), "/w"), FILE_STEP(text_fd("x"), "/w/f"));
	FAILS_SAYING("create file", "/f", "is on the host, where nothing is changed", BARE,
		     BIND(at("w/f"), "/f"), FILE_STEP(text_fd("x"), "/f"));
	ENTER(BARE, BIND(at("w"), "/w"), TMPFS("/w/in"), DIRECTORY("/w/in/new"),
	      FILE_STEP(text_fd("x"), "/w/in/file"));
	CHECK(lists("/w/in", "file new "));
}

static void after_nothing_on_the_host(void)
{
	CHECK(lists(at("w"), "f in ") && lists(at("w/in"), "") && holds(at("w/f"), "old contents"));
}

TEST_AND_AFTER(touch)
{
	ENTER(BARE | TOUCH, BIND(at("w"), "/w"), TMPFS("/w/a/b"), FILE_STEP(text_fd("x"), "/w/f"),
	      FILE_STEP(text_fd("new"), "/w/c/new"), BIND(at("file"), "/w/target"),
	      SYMLINK("text", "/w/l"), SYMLINK("text", "/w/l"), CHMOD(0700, "/w/in"),
	      STEP(.kind = STEP_DIR, .dest = "/w/dir", .mode = 0711));
	CHECK(holds("/w/target", "file") && is_mount("/w/a/b"));
}

static void after_touch(void)
{
	CHECK(lists(at("w"), "a c dir f in l target ") && lists(at("w/a/b"), ""));
	CHECK(holds(at("w/f"), "x") && holds(at("w/c/new"), "new") && holds(at("w/target"), ""));
	CHECK(mode(at("w/target")) == 0444 && mode(at("w/in")) == 0700);
	CHECK(mode(at("w/dir")) == 0711 && mode(at("w/c/new")) == 0666);
}

TEST(touch_read_only)
{
	FAILS("mkdir", "/d/new", EROFS, BARE | TOUCH, RO_BIND(at("d"), "/d"), TMPFS("/d/new"));
	FAILS("mkdir parents", "/d/new/x", EROFS, BARE | TOUCH, RO_BIND(at("d"), "/d"),
	      DIRECTORY("/d/new/x"));
	FAILS("create file", "/d/f", EROFS, BARE | TOUCH, RO_BIND(at("d"), "/d"),
	      FILE_STEP(text_fd("x"), "/d/f"));
}

static void pinned(void)
{
	ENTER(BARE, BIND(at("w"), "/w"), TMPFS("/w/in/x"));
	CHECK(fails_with(rename("/w/in", "/w/other")) == EBUSY);
}

static void not_pinned(void)
{
	ENTER(BARE | TOUCH, BIND(at("w"), "/w"), TMPFS("/w/in/x"));
	CHECK(rename("/w/in", "/w/other") == 0 && rename("/w/other", "/w/in") == 0);
}

static void pinned_behind_link(void)
{
	ENTER(BARE, BIND(at("w"), "/w"), SYMLINK("w/in", "/l"), TMPFS("/l/x"));
	CHECK(fails_with(rename("/w/in", "/w/other")) == EBUSY);
}

TEST(pins)
{
	CHECK(mkdir(at("w/in/x"), 0755) == 0);
	apart(pinned);
	apart(pinned_behind_link);
	apart(not_pinned);
}

TEST(grant_refuses_links)
{
	char dest[PATH_MAX];

	the_grant = (struct grant){ at("d"), GRANT_READ, false };
	snprintf(dest, sizeof(dest), "%s", top);
	/* A step at its path finds the grant in place. */
	FAILS_SAYING("symlink", the_grant.path, "destination exists and is not a symlink", BARE,
		     SYMLINK(at("out"), the_grant.path));
	CHECK(BUILD(BARE, SYMLINK("/elsewhere", dest), DIRECTORY("/elsewhere/y")) == -1);
	CHECK(says(fault.step, "mount") && says(fault.object, the_grant.path));
	/* Also if the same parent was found through it just before. */
	CHECK(BUILD(BARE, DIRECTORY("/elsewhere/y"), SYMLINK("/elsewhere", dest),
		    DIRECTORY(at("x"))) == -1);
	CHECK(says(fault.step, "mount") && says(fault.object, the_grant.path));
}

/* --- procfs, /dev, message queues --------------------------------------------------------------- */

#define PROC(to) STEP(.kind = STEP_PROC, .dest = (to))
#define DEV(to) STEP(.kind = STEP_DEV, .dest = (to))

TEST(proc)
{
	FAILS_SAYING("mkdir", "/l", "is a symbolic link", BARE, DIRECTORY("/x"), SYMLINK("x", "/l"),
		     PROC("/l"));
	ENTER(BARE, SYMLINK("deep", "/l"), DIRECTORY("/deep"), PROC("/l/proc"));
	CHECK(is_there("/deep/proc/1/status") && has_flags("/deep/proc", ST_NOEXEC, ST_RDONLY));
}

TEST(proc_that_is_guarded)
{
	ENTER(0, PROC("/p"));
	CHECK(has_flags("/p/sys", ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC, 0));
	CHECK(has_flags("/p", ST_NOSUID | ST_NODEV | ST_NOEXEC, ST_RDONLY));
	CHECK(has_flags("/proc/sys", ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC, 0));
}

TEST(host_proc)
{
	const struct mount_step steps[] = { PROC("/proc"), TMPFS("/t") };
	const struct view_request request = { .steps = steps, .step_count = 2, .host_proc = true };
	char self[64];

	CHECK(readlink("/proc/self", self, sizeof(self)) > 0);
	CHECK(mountns_prepare(&view, &request, &fault) == 0);
	CHECK(mountns_build(&view, &built, &fault) == 0 && built.sys >= 0);
	CHECK(mountns_enter(built.root, true, &fault) == 0);
	CHECK(is_there("/proc/2") && has_flags("/proc/sys", ST_RDONLY, 0));
	CHECK(faccessat(built.proc, "self/uid_map", F_OK, 0) == 0);
}

static void bare_dev(void)
{
	ENTER(BARE, DEV("/dev"), DEV("/d/e"), REMOUNT("/d/e"));
	CHECK(lists("/dev", "core fd full null ptmx pts random shm stderr stdin stdout tty "
			    "urandom zero "));
	CHECK(link_says("/dev/core", "/proc/kcore") && mode("/dev/shm") == 0755);
	CHECK(is_mount("/dev") && has_flags("/dev", ST_NOSUID | ST_NODEV, ST_NOEXEC));
	CHECK(has_flags("/d/e", ST_RDONLY, 0));
	put("/dev/null", "x");
	put("/dev/new", "x");
	CHECK(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) >= 0);
}

static void own_dev(void)
{
	ENTER(0, DEV("/d"));
	CHECK(lists("/d",
		    "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero "));
	CHECK(mode("/d/shm") == 01777 && !is_mount("/d") && has_flags("/d", ST_RDONLY, 0));
	CHECK(has_flags("/d/shm", ST_NOSUID | ST_NODEV | ST_NOEXEC, ST_RDONLY));
}

/* Not in what is covered by then. */
static void dev_on_directory_above(void)
{
	ENTER(0, DIRECTORY("/a/b"), TMPFS("/a/b/.."), DEV("/a/b/.."));
	CHECK(lists("/a", "b fd full null ptmx pts random shm stderr stdin stdout tty urandom "
			  "zero "));
}

static void dev_by_link(void)
{
	FAILS_SAYING("mkdir", "/l", "is a symbolic link", BARE, DIRECTORY("/x"), SYMLINK("x", "/l"),
		     DEV("/l"));
}

TEST(dev)
{
	apart(bare_dev);
	apart(own_dev);
	apart(dev_on_directory_above);
	apart(dev_by_link);
}

TEST(console)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct stat mine, inside;
	int slave;

	CHECK(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(slave >= 0 && dup2(slave, STDOUT_FILENO) == STDOUT_FILENO);
	ENTER(BARE, DEV("/dev"));
	CHECK(fstat(slave, &mine) == 0 && stat("/dev/console", &inside) == 0);
	CHECK(inside.st_rdev == mine.st_rdev && inside.st_ino == mine.st_ino);
	CHECK(open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC) >= 0);
}

TEST(mqueue)
{
	ENTER(BARE, STEP(.kind = STEP_MQUEUE, .dest = "/a/q"));
	CHECK(is_mount("/a/q"));
	CHECK(has_flags("/a/q", ST_NOSUID | ST_NODEV | ST_NOEXEC, ST_RDONLY));
}

/* --- Overlays ----------------------------------------------------------------------------------- */

/* On a tmpfs of the child's, since the host's /tmp may be an overlay itself. */
static void make_layers(void)
{
	static const char *const dirs[] = { "a", "b", "up", "work", "o:d,d\\ %s" };
	char name[64];

	CHECK(mount("t", at("out"), "tmpfs", 0, NULL) == 0 && chdir(at("out")) == 0);
	for (size_t i = 0; i < COUNT(dirs); i++) {
		CHECK(mkdir(dirs[i], 0755) == 0);
		snprintf(name, sizeof(name), "%s/%zu", dirs[i], i);
		put(name, dirs[i]);
		snprintf(name, sizeof(name), "%s/f", dirs[i]);
		put(name, dirs[i]);
	}
	CHECK(unlink("work/3") == 0 && unlink("work/f") == 0 && unlink("up/f") == 0);
}

static void tmp_overlay(void)
{
	ENTER(BARE, LAYER("a"), LAYER("o:d,d\\ %s"), LAYER("b"),
	      STEP(.kind = STEP_TMP_OVERLAY, .dest = "/p/o"), LAYER("a"),
	      STEP(.kind = STEP_TMP_OVERLAY, .dest = "/o2"), DIRECTORY("/o2/made"),
	      FILE_STEP(text_fd("x"), "/o2/new"));
	CHECK(lists("/p/o", "0 1 4 f ") && holds("/p/o/f", "b") && lists("/o2", "0 f made new "));
	CHECK(has_flags("/p/o", ST_NOSUID | ST_NODEV, ST_RDONLY));
	put("/p/o/f", "changed");
	CHECK(unlink("/p/o/0") == 0 && holds("/o2/0", "a") && holds("/o2/f", "a"));
}

static void ro_overlay(void)
{
	ENTER(BARE, LAYER("b"), LAYER("a"), STEP(.kind = STEP_RO_OVERLAY, .dest = "/o"));
	CHECK(holds("/o/f", "a") && lists("/o", "0 1 f "));
	CHECK(fails_with(unlink("/o/f")) == EROFS);
}

static void rw_overlay(void)
{
	const struct mount_step step =
		STEP(.kind = STEP_OVERLAY, .source = "up", .text = "work", .dest = "/o");

	FAILS_SAYING("create file", "/o/new", "is on the host, where nothing is changed", BARE,
		     LAYER("a"), step, FILE_STEP(text_fd("x"), "/o/new"));
	ENTER(BARE, LAYER("a"), step, BIND("up", "/up"));
	CHECK(lists("/o", "0 2 f ") && holds("/o/f", "a"));
	put("/o/f", "changed");
	CHECK(holds("/up/f", "changed"));
}

static void bad_overlays(void)
{
	const struct mount_step tmp = STEP(.kind = STEP_TMP_OVERLAY, .dest = "/o");
	const struct mount_step read_only = STEP(.kind = STEP_RO_OVERLAY, .dest = "/o");
	const struct mount_step same =
		STEP(.kind = STEP_OVERLAY, .source = "up", .text = "work", .dest = "/o");

	FAILS("overlay", "/o", 0, BARE, tmp);
	FAILS("overlay", "/o", 0, BARE, LAYER("a"), read_only);
	FAILS("overlay", "a", 0, BARE, LAYER("a"));
	FAILS("overlay", "/x", 0, BARE, LAYER("a"), DIRECTORY("/x"), tmp);
	FAILS("source", "none", ENOENT, BARE, LAYER("none"), tmp);
	FAILS_SAYING("overlay", "/o", "Overlay directories may not overlap", BARE, LAYER("up"),
		     same);
}

static void many_layers(void)
{
	static struct mount_step steps[61];
	static char names[60][24];

	for (int i = 0; i < 60; i++) {
		snprintf(names[i], sizeof(names[i]), "layer%d", i);
		CHECK(mkdir(names[i], 0755) == 0 && mkdirat(AT_FDCWD, names[i], 0) < 0);
		steps[i] = (struct mount_step)LAYER(names[i]);
	}
	put("layer0/f", "bottom");
	put("layer58/g", "low");
	put("layer59/g", "top");
	steps[60] = (struct mount_step)STEP(.kind = STEP_RO_OVERLAY, .dest = "/o");
	CHECK(build(BARE, steps, 61) == 0 && mountns_enter(built.root, true, &fault) == 0);
	CHECK(holds("/o/f", "bottom") && holds("/o/g", "top"));
}

static void replaced_layer(void)
{
	const struct mount_step steps[] = { LAYER("a"),
					    STEP(.kind = STEP_TMP_OVERLAY, .dest = "/o") };

	CHECK(prepare(BARE, steps, 2) == 0);
	CHECK(rename("a", "old") == 0 && symlink("b", "a") == 0);
	CHECK(mountns_build(&view, &built, &fault) == -1);
	CHECK(says(fault.reason, "was replaced by another file while the box was made"));
}

TEST(overlays)
{
	make_layers();
	apart(tmp_overlay);
	apart(ro_overlay);
	apart(rw_overlay);
	apart(bad_overlays);
	apart(many_layers);
	replaced_layer();
}

/* --- Races -------------------------------------------------------------------------------------- */

static pid_t swap(const char *one, const char *other)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Every rename disturbs each openat2(2) on the machine that has a ".." to follow: some pause is left
	 * for other tests. */
	for (;;) {
		renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
		usleep(200);
	}
}

static void step_into_swapped(void)
{
	BUILD(BARE | TOUCH, BIND(at("w"), "/w"), DIRECTORY("/w/in/x/y"), TMPFS("/w/in/x/t"),
	      FILE_STEP(text_fd("x"), "/w/in/f"), SYMLINK("t", "/w/in/l"),
	      BIND(at("file"), "/w/in/b"));
	BUILD(BARE | TOUCH, BIND(at("w"), "/w"), CHMOD(0777, "/w/in"));
	BUILD(BARE | TOUCH, BIND(at("w"), "/w"), TMPFS("/w/in"), DIRECTORY("/w/in/x"));
}

/* A directory below a writable bind becomes a link out of it, and back, all the time. */
TEST_AND_AFTER(swapped_destination)
{
	char evil[PATH_MAX];
	pid_t swapper;

	snprintf(evil, sizeof(evil), "../../../../../../../../../..%s", at("out"));
	CHECK(symlink(evil, at("w/evil")) == 0);
	swapper = swap(at("w/in"), at("w/evil"));
	for (int i = 0; i < RACES; i++)
		apart(step_into_swapped);
	kill(swapper, SIGKILL);
}

static void after_swapped_destination(void)
{
	CHECK(lists(at("out"), "") && mode(at("out")) == 0755);
}

static void bind_swapped(void)
{
	if (BUILD(BARE, RO_BIND(at("w/in"), "/x")) != 0)
		return;
	CHECK(mountns_enter(built.root, true, &fault) == 0);
	CHECK(is_there("/x/good") != is_there("/x/bad"));
}

TEST(swapped_source)
{
	pid_t swapper;

	put(at("w/in/good"), "");
	put(at("out/bad"), "");
	CHECK(symlink("../out", at("w/evil")) == 0);
	swapper = swap(at("w/in"), at("w/evil"));
	for (int i = 0; i < RACES; i++)
		apart(bind_swapped);
	kill(swapper, SIGKILL);
}

static void bind_swapped_below(void)
{
	if (BUILD(BARE, RO_BIND(at("d"), "/x")) != 0)
		return;
	CHECK(mountns_enter(built.root, true, &fault) == 0);
	CHECK(has_flags("/x/one/m", ST_RDONLY | ST_NODEV, 0));
	CHECK(has_flags("/x/two/m", ST_RDONLY | ST_NODEV, 0));
}

/* Mounts below a source get their flags whatever they are called meanwhile. */
TEST(swapped_submounts)
{
	pid_t swapper;

	CHECK(mkdir(at("d/one"), 0755) == 0 && mkdir(at("d/two"), 0755) == 0);
	CHECK(mkdir(at("d/one/m"), 0755) == 0 && mkdir(at("d/two/m"), 0755) == 0);
	CHECK(mount("t", at("d/one/m"), "tmpfs", 0, NULL) == 0);
	CHECK(mount("t", at("d/two/m"), "tmpfs", 0, NULL) == 0);
	swapper = swap(at("d/one"), at("d/two"));
	for (int i = 0; i < RACES; i++)
		apart(bind_swapped_below);
	kill(swapper, SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_bind_devices),
		cmocka_unit_test(test_bind_reaches_submounts),
		cmocka_unit_test(test_bind_keeps_flags),
		cmocka_unit_test(test_bind_many_submounts),
		cmocka_unit_test(test_bind_covered_submount),
		cmocka_unit_test(test_bind_optional),
		cmocka_unit_test(test_bind_links_and_relative),
		cmocka_unit_test(test_bind_magic_links),
		cmocka_unit_test(test_bind_fd),
		cmocka_unit_test(test_bind_replaced_source),
		cmocka_unit_test(test_bind_source_becomes_link),
		cmocka_unit_test(test_bind_on_what_is_there),
		cmocka_unit_test(test_bind_everything),
		cmocka_unit_test(test_more_binds_than_descriptors),
		cmocka_unit_test(test_few_descriptors_are_left),
		cmocka_unit_test(test_enough_descriptors),
		cmocka_unit_test(test_hard_limit_of_descriptors),
		cmocka_unit_test(test_tmpfs),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_from_slow_pipe),
		cmocka_unit_test(test_file_from_what_cannot_be_read),
		cmocka_unit_test(test_file_onto_fifo),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_chmod),
		cmocka_unit_test(test_remount),
		cmocka_unit_test(test_symlinks),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_links_in_destinations),
		cmocka_unit_test(test_bad_links_in_destinations),
		cmocka_unit_test(test_chain_of_links),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_covered_parents),
		cmocka_unit_test(test_covered_parents_below),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_nothing_at_all),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_nothing_on_the_host),
		cmocka_unit_test(test_touch),
		cmocka_unit_test(test_touch_read_only),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_grant_refuses_links),
		cmocka_unit_test(test_proc),
		cmocka_unit_test(test_proc_that_is_guarded),
		cmocka_unit_test(test_host_proc),
		cmocka_unit_test(test_dev),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_mqueue),
		cmocka_unit_test(test_overlays),
		cmocka_unit_test(test_swapped_destination),
		cmocka_unit_test(test_swapped_source),
		cmocka_unit_test(test_swapped_submounts),
	};

	return cmocka_run_group_tests_name("build", tests, NULL, NULL);
}
