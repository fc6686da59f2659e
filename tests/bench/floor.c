/* SPDX-License-Identifier: MIT */
/*
 * floor [nonet] DIR COMMAND: the least that a start can cost on this machine.
 *
 * Makes by hand the system calls that a complete box needs, and nothing else: no options, no error
 * texts, no checks, no signals, no report. The view is the benchmark's: /usr may be executed, /etc
 * read, DIR written, COMMAND executed. Any failure ends it with 125: it cannot be fast by failing.
 * tests/bench/run compares nestbox with it; what stands here must be what nestbox does.
 */
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "filters_generated.h"
#include "mountns/sys.h"

enum { STACK = 32768, SET_INTERFACE_FLAGS = 0x8914, SECUREBITS = 0xef, WAIT_ANY_KIND = 0x40000000 };

#define NO_SUID_DEV (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct floor {
	bool net;
	const char *dir, *command;
	unsigned int uid, gid;
	int root, procfs_sys;
	mode_t umask;
};

static char pid1_stack[STACK] __attribute__((aligned(16)));
static char child_stack[STACK] __attribute__((aligned(16)));

static int must(long result)
{
	if (result < 0)
		sys_exit_group(125);
	return (int)result;
}

static char *decimal(char *out, unsigned int number)
{
	if (number >= 10)
		out = decimal(out, number / 10);
	*out = (char)('0' + number % 10);
	return out + 1;
}

static void put(int dir, const char *path, const char *text, size_t size)
{
	int fd = must(sys_openat(dir, path, O_WRONLY | O_CLOEXEC, 0));

	must(sys_write(fd, text, size));
	sys_close(fd);
}

static void map_id(const char *path, unsigned int inside, unsigned int outside)
{
	char text[32], *end = decimal(text, inside);

	*end++ = ' ';
	end = decimal(end, outside);
	memcpy(end, " 1\n", 3);
	put(AT_FDCWD, path, text, (size_t)(end + 3 - text));
}

static void set_attributes(int mount, unsigned int flags, uint64_t attributes)
{
	const struct kernel_mount_attr attr = { .attr_set = attributes };

	must(sys_mount_setattr(mount, "", AT_EMPTY_PATH | flags, &attr));
}

static void move(int mount, int dir, const char *to)
{
	must(sys_move_mount(mount, "", dir, to, MOVE_MOUNT_F_EMPTY_PATH));
	sys_close(mount);
}

static void bind_tree(const char *from, const char *to, unsigned int flags, uint64_t attributes,
		      int root)
{
	int tree = must(sys_open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags));

	set_attributes(tree, flags, attributes);
	move(tree, root, to);
}

static int file_system(const char *type, const char *key, const char *value,
		       unsigned int attributes)
{
	int mount, fs = must(sys_fsopen(type, FSOPEN_CLOEXEC));

	if (key != NULL)
		must(sys_fsconfig(fs, FSCONFIG_SET_STRING, key, value));
	must(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL));
	mount = must(sys_fsmount(fs, FSMOUNT_CLOEXEC, attributes));
	sys_close(fs);
	return mount;
}

static void directory(int root, const char *path)
{
	int error = sys_mkdirat(root, path, 0755);

	must(error == -EEXIST ? 0 : error);
}

static void parents(int root, const char *path)
{
	char prefix[PATH_MAX];

	for (size_t i = 0; path[i] != '\0'; i++) {
		prefix[i] = '\0';
		if (path[i] == '/')
			directory(root, prefix);
		prefix[i] = path[i];
	}
}

/* A directory as a mount of its own, which stays writable when the root does not. */
static void scratch(int root, const char *path)
{
	int tree;

	must(sys_mkdirat(root, path, 01777));
	tree = must(sys_open_tree(root, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
	move(tree, root, path);
}

static void grants(const struct floor *floor)
{
	const char *dir = floor->dir + 1, *command = floor->command + 1;
	int root = floor->root;

	directory(root, "usr");
	bind_tree("/usr", "usr", AT_RECURSIVE, NO_SUID_DEV | MOUNT_ATTR_RDONLY, root);
	directory(root, "etc");
	bind_tree("/etc", "etc", AT_RECURSIVE, NO_SUID_DEV | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC,
		  root);
	parents(root, dir);
	directory(root, dir);
	bind_tree(floor->dir, dir, AT_RECURSIVE, NO_SUID_DEV | MOUNT_ATTR_NOEXEC, root);
	parents(root, command);
	must(sys_mknodat(root, command, S_IFREG | 0444));
	bind_tree(floor->command, command, AT_RECURSIVE, NO_SUID_DEV | MOUNT_ATTR_RDONLY, root);
	must(sys_symlinkat("usr/bin", root, "bin"));
	must(sys_symlinkat("usr/lib", root, "lib"));
	must(sys_symlinkat("usr/lib64", root, "lib64"));
}

static void devices(int root)
{
	static const char *const names[] = { "/dev/null",   "/dev/zero",    "/dev/full",
					     "/dev/random", "/dev/urandom", "/dev/tty" };
	const unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;

	directory(root, "dev");
	for (size_t i = 0; i < LENGTH(names); i++) {
		must(sys_mknodat(root, names[i] + 1, S_IFREG | 0666));
		bind_tree(names[i], names[i] + 1, 0, attributes, root);
	}
	directory(root, "dev/pts");
	move(file_system("devpts", "ptmxmode", "0666", attributes), root, "dev/pts");
	scratch(root, "dev/shm");
	must(sys_symlinkat("/proc/self/fd", root, "dev/fd"));
	must(sys_symlinkat("/proc/self/fd/0", root, "dev/stdin"));
	must(sys_symlinkat("/proc/self/fd/1", root, "dev/stdout"));
	must(sys_symlinkat("/proc/self/fd/2", root, "dev/stderr"));
	must(sys_symlinkat("pts/ptmx", root, "dev/ptmx"));
}

/* Puts a clone of FROM over NAME, where the kernel has such a file. */
static void cover(int proc, int dir, const char *from, const char *name)
{
	int error, tree = sys_open_tree(dir, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree == -ENOENT)
		return;
	if (dir != proc)
		set_attributes(must(tree), 0, NO_SUID_DEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
	error = sys_move_mount(must(tree), "", proc, name, MOVE_MOUNT_F_EMPTY_PATH);
	must(error == -ENOENT ? 0 : error);
	sys_close(tree);
}

/* mountns/proc.c has the reasons, and the same lists. */
static void guard(int proc, bool host_root)
{
	static const char *const read_only[] = { "sysrq-trigger", "irq",    "bus",    "fs", "acpi",
						 "scsi",          "asound", "driver", "1" };
	static const char *const masked[] = { "kpagecount",  "kpageflags",   "kpagecgroup",
					      "slabinfo",    "pagetypeinfo", "timer_list",
					      "vmallocinfo", "sched_debug" };
	const struct kernel_mount_attr again = { .attr_clr = MOUNT_ATTR_RDONLY };

	set_attributes(proc, 0, MOUNT_ATTR_RDONLY);
	cover(proc, proc, "sys", "sys");
	for (size_t i = 0; host_root && i < LENGTH(read_only); i++)
		cover(proc, proc, read_only[i], read_only[i]);
	must(sys_mount_setattr(proc, "", AT_EMPTY_PATH, &again));
	for (size_t i = 0; host_root && i < LENGTH(masked); i++)
		cover(proc, AT_FDCWD, "/dev/null", masked[i]);
}

static void procfs(struct floor *floor)
{
	int proc = file_system("proc", NULL, NULL, NO_SUID_DEV | MOUNT_ATTR_NOEXEC);

	directory(floor->root, "proc");
	must(sys_move_mount(proc, "", floor->root, "proc", MOVE_MOUNT_F_EMPTY_PATH));
	/* The workload's child has a limit to write that is read-only from here on. */
	floor->procfs_sys = must(sys_openat(proc, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
	guard(proc, floor->uid == 0);
	sys_close(proc);
}

static void build(struct floor *floor)
{
	floor->root = file_system("tmpfs", "mode", "0755", NO_SUID_DEV | MOUNT_ATTR_NOEXEC);
	must(sys_move_mount(floor->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
	grants(floor);
	scratch(floor->root, "tmp");
	devices(floor->root);
	procfs(floor);
	set_attributes(floor->root, 0, MOUNT_ATTR_RDONLY);
}

static int helper(void *argument)
{
	build(argument);
	sys_exit_group(0);
}

static void network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd;

	must(sys_unshare(CLONE_NEWNET));
	fd = must(sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC));

	must(sys_ioctl(fd, SET_INTERFACE_FLAGS, &request));
	sys_close(fd);
}

/* The network namespace takes as long as all the mounts: two processors do both at once. */
static void build_with_network(struct floor *floor)
{
	int status, pid = must(clone(helper, child_stack + STACK, CLONE_VM | CLONE_FILES, floor));

	network();
	must(sys_wait4(pid, &status, WAIT_ANY_KIND));
	must(-status);
}

static void confine(const struct sock_filter *filter, size_t length)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const struct kernel_cap_data none[2] = { 0 };
	const struct sock_fprog program = { (unsigned short)length,
					    (struct sock_filter *)(uintptr_t)filter };

	must(sys_capset(&header, none));
	must(sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0));
	must(sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program));
}

static int child(void *argument)
{
	const struct floor *floor = argument;
	const uint64_t none = 0;
	char *const argv[] = { (char *)(uintptr_t)floor->command, NULL };
	char *const envp[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			       NULL };

	sys_umask(floor->umask);
	map_id("/proc/self/uid_map", floor->uid, 0);
	map_id("/proc/self/gid_map", floor->gid, 0);
	put(floor->procfs_sys, "user/max_user_namespaces", "0", 1);
	must(sys_close_range(3, ~0U));
	for (unsigned long capability = 0; sys_prctl(PR_CAPBSET_DROP, capability, 0) == 0;)
		capability++;
	must(sys_prctl(PR_CAPBSET_READ, 0, 0) == 0 ? 0 : -1);
	must(sys_prctl(PR_SET_SECUREBITS, SECUREBITS, 0));
	must(sys_chdir(floor->dir));
	must(sys_prctl(PR_SET_DUMPABLE, 0, 0));
	must(sys_sigprocmask(SIG_SETMASK, &none, NULL));
	confine(FILTER_ARCH(default), LENGTH(FILTER_ARCH(default)));
	must(sys_execve(floor->command, argv, envp));
	return 125;
}

static int pid1(void *argument)
{
	struct floor *floor = argument;
	int pid, status;

	floor->umask = sys_umask(0);
	must(sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0));
	put(AT_FDCWD, "/proc/self/setgroups", "deny", 4);
	map_id("/proc/self/uid_map", 0, floor->uid);
	map_id("/proc/self/gid_map", 0, floor->gid);
	must(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE));
	if (floor->net)
		build_with_network(floor);
	else
		build(floor);
	must(sys_fchdir(floor->root));
	must(sys_pivot_root(".", "."));
	must(sys_umount2(".", MNT_DETACH));
	pid = must(clone(child, child_stack + STACK,
			 CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | SIGCHLD, floor));
	must(sys_close_range(3, ~0U));
	confine(FILTER_ARCH(pid1), LENGTH(FILTER_ARCH(pid1)));
	while (must(sys_wait4(-1, &status, 0)) != pid)
		;
	sys_exit_group(status == 0 ? 0 : 125);
}

int main(int argc, char **argv)
{
	struct floor floor = { .net = argc == 3 };
	const uint64_t all = ~0ULL;
	int pidfd, pid, status;

	if (argc != 3 && (argc != 4 || strcmp(argv[1], "nonet") != 0))
		return 125;
	floor.dir = argv[argc - 2];
	floor.command = argv[argc - 1];
	floor.uid = (unsigned int)sys_getuid();
	floor.gid = (unsigned int)sys_getgid();
	must(sys_sigprocmask(SIG_SETMASK, &all, NULL));
	pid = must(clone(pid1, pid1_stack + STACK, CLONE_VM | CLONE_PIDFD | NAMESPACES | SIGCHLD,
			 &floor, &pidfd));
	must(sys_wait4(pid, &status, 0));
	return status == 0 ? 0 : 125;
}
