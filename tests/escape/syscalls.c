/* SPDX-License-Identifier: MIT */
/*
 * syscalls [NAME...]: the attacker inside the box. Makes each call that the default filter is there
 * to refuse, and some that must work, for real, each in a child of its own, and says how it went:
 *
 *	NAME: ok | ERRNO | killed SIGNAL
 *
 * Without names all of them; this it does only under a filter, since outside of a box some of them
 * work, and mount things. No stdio buffers, which the children would share.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Only 64 bit kernels can be asked with bits that do not fit into their int. */
#define HIGH (sizeof(long) == 8 ? (unsigned long)1 << (sizeof(long) * 8 - 16) : 0)
#define ALL_HIGH (sizeof(long) == 8 ? ~(unsigned long)UINT32_MAX : 0)

/* By number where headers may be older; from 424 on all architectures agree. */
enum {
	NR_io_uring_setup = 425,
	NR_io_uring_enter = 426,
	NR_io_uring_register = 427,
	NR_open_tree = 428,
	NR_move_mount = 429,
	NR_fsopen = 430,
	NR_fsconfig = 431,
	NR_fsmount = 432,
	NR_fspick = 433,
	NR_pidfd_open = 434,
	NR_clone3 = 435,
	NR_pidfd_getfd = 438,
	NR_mount_setattr = 442,
	NR_quotactl_fd = 443,
	NR_memfd_secret = 447,
	NR_open_tree_attr = 467,
	NR_file_setattr = 469,
	NR_listns = 470,
};

/* An attempt: its call's result, errno set. `arg` and `arg2` are the row's. */
struct row {
	const char *name;
	long (*attempt)(const struct row *row);
	unsigned long arg, arg2;
};

static int filtered(void)
{
	errno = EXDEV; /* for those that end with this */
	return prctl(PR_GET_SECCOMP) == 2;
}

/* ---- the terminal and files ---- */

/* ioctl(pty, arg): our controlling terminal, so that nothing but a filter is in the way. */
static long try_terminal(const struct row *row)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY), terminal;
	char input[16] = "#";

	if (pty < 0 || grantpt(pty) || unlockpt(pty) || setsid() < 0)
		return -1;
	terminal = open(ptsname(pty), O_RDWR);
	if (terminal < 0)
		return -1;
	input[0] = (char)row->arg2; /* TIOCLINUX: which function; else what to type */
	return syscall(SYS_ioctl, terminal, row->arg, input);
}

/* ioctl(0, arg): the terminal that the caller will use again. */
static long try_stdin(const struct row *row)
{
	char input = '#';

	return syscall(SYS_ioctl, 0, row->arg, &input);
}

static long try_file(const struct row *row)
{
	int fd = open("/proc/self/stat", O_RDONLY);
	uint64_t argument[8] = { 0 };

	return fd < 0 ? -1 : syscall(SYS_ioctl, fd, row->arg, argument);
}

static long try_file_setattr(const struct row *row)
{
	uint64_t attributes[4] = { 0 };

	(void)row;
	return syscall(NR_file_setattr, AT_FDCWD, "/proc/self/stat", attributes, 24, 0);
}

/* A file that the kernel makes for mknod, taken away again. */
static long try_mknod(const struct row *row)
{
	char path[64];
	long result;

	snprintf(path, sizeof(path), "/tmp/node.%ld", (long)getpid());
	result = syscall(SYS_mknodat, AT_FDCWD, path, row->arg, row->arg2);
	if (!result)
		unlink(path);
	return result;
}

static long try_handle(const struct row *row)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} file = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int id;

	(void)row;
	/* Some file systems have no handles: then a wrong one has to do. */
	syscall(SYS_name_to_handle_at, AT_FDCWD, "/proc/self/exe", &file, &id, 0);
	return syscall(SYS_open_by_handle_at, AT_FDCWD, &file, O_RDONLY);
}

/* ---- namespaces and mounts ---- */

static long try_clone(const struct row *row)
{
	long pid = syscall(SYS_clone, row->arg | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	return pid;
}

static long try_clone3(const struct row *row)
{
	uint64_t arguments[8] = { [0] = row->arg, [4] = SIGCHLD };
	long pid = syscall(NR_clone3, arguments, sizeof(arguments));

	if (!pid)
		_exit(0);
	return pid;
}

static long try_setns(const struct row *row)
{
	int fd = (int)syscall(NR_pidfd_open, getppid(), 0);

	return fd < 0 ? -1 : syscall(SYS_setns, fd, row->arg);
}

static long try_mount(const struct row *row)
{
	(void)row;
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static long try_bind(const struct row *row)
{
	(void)row;
	return mount("/proc", "/tmp", NULL, MS_BIND, NULL);
}

static long try_remount(const struct row *row)
{
	(void)row;
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
}

static long try_path(const struct row *row)
{
	return syscall((long)row->arg, "/tmp", "/tmp");
}

/* open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE) and its younger brother. */
static long try_open_tree(const struct row *row)
{
	uint64_t attributes[4] = { 0 };

	return syscall((long)row->arg, AT_FDCWD, "/", 0x8001, attributes, sizeof(attributes));
}

static long try_move_mount(const struct row *row)
{
	(void)row;
	return syscall(NR_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/tmp", 0);
}

static long try_mount_setattr(const struct row *row)
{
	uint64_t attributes[4] = { 0, 1 }; /* clear MOUNT_ATTR_RDONLY */

	(void)row;
	return syscall(NR_mount_setattr, AT_FDCWD, "/", 0, attributes, sizeof(attributes));
}

static long try_fsopen(const struct row *row)
{
	(void)row;
	return syscall(NR_fsopen, "tmpfs", 0);
}

static long try_fspick(const struct row *row)
{
	(void)row;
	return syscall(NR_fspick, AT_FDCWD, "/", 0);
}

/* ---- plain calls: call number `arg` with first argument `arg2`, all others 0 ---- */

static long try_call(const struct row *row)
{
	return syscall((long)row->arg, row->arg2, 0, 0, 0, 0, 0);
}

static long try_io_uring(const struct row *row)
{
	char parameters[256] = { 0 };

	(void)row;
	return syscall(NR_io_uring_setup, 1, parameters);
}

/* A software clock: what perf_event_paranoid lets everybody count. */
static long try_perf(const struct row *row)
{
	uint32_t attributes[32] = { [0] = 1, [1] = sizeof(attributes), [10] = 0x20 | 0x40 };

	(void)row;
	return syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0);
}

/* BPF_MAP_CREATE: an array of one value. */
static long try_bpf(const struct row *row)
{
	uint32_t attributes[32] = { 2, 4, 4, 1 };

	(void)row;
	return syscall(SYS_bpf, 0, attributes, sizeof(attributes));
}

static long try_add_key(const struct row *row)
{
	(void)row;
	return syscall(SYS_add_key, "user", "nestbox", "x", 1, -3); /* the session keyring */
}

static long try_request_key(const struct row *row)
{
	(void)row;
	return syscall(SYS_request_key, "user", "nestbox", NULL, 0);
}

/* ---- other processes ---- */

static long try_traceme(const struct row *row)
{
	(void)row;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

/* A child that does nothing: whom else may one trace, if not that. */
static long try_ptrace(const struct row *row)
{
	pid_t child = fork();
	long result;
	int error;

	if (!child)
		for (;;)
			pause();
	result = child < 0 ? -1 : ptrace((int)row->arg, child, NULL, NULL);
	error = errno;
	if (child > 0)
		kill(child, SIGKILL);
	errno = error;
	return result;
}

static long try_process_vm(const struct row *row)
{
	char from = 1, to = 0;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return syscall((long)row->arg, getpid(), &local, 1, &remote, 1, 0);
}

static long try_kcmp(const struct row *row)
{
	(void)row;
	return syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0);
}

static long try_pidfd_getfd(const struct row *row)
{
	int pidfd = (int)syscall(NR_pidfd_open, getpid(), 0);

	(void)row;
	return pidfd < 0 ? -1 : syscall(NR_pidfd_getfd, pidfd, pidfd, 0);
}

/* ---- sockets ---- */

/* socket(arg, type, protocol), where arg2 holds protocol << 8 | type. */
static long try_socket(const struct row *row)
{
	return syscall(SYS_socket, row->arg, row->arg2 & 0xff, row->arg2 >> 8);
}

/* Every family but UNIX, INET and INET6, with every type. The first that does not say EAFNOSUPPORT
 * is the result. */
static long try_families(const struct row *row)
{
	for (unsigned long family = 0; family < 256; family++) {
		for (int type = 1; type <= 10; type++) {
			if (family == AF_UNIX || family == AF_INET || family == AF_INET6)
				continue;
			if (syscall(SYS_socket, family | row->arg, type, 0) >= 0)
				return 0;
			if (errno != EAFNOSUPPORT)
				return -1;
		}
	}
	errno = EAFNOSUPPORT;
	return -1;
}

static long try_socketpair(const struct row *row)
{
	int pair[2];
	char byte = 'x';

	if (socketpair((int)row->arg, SOCK_STREAM, 0, pair))
		return -1;
	if (write(pair[0], &byte, 1) != 1 || read(pair[1], &byte, 1) != 1 || byte != 'x')
		return -1;
	return 0;
}

/* ---- other ways into the kernel ---- */

static long other_way(long (*call)(long number), const struct row *row)
{
	int status;

	if (row->arg != (unsigned long)-1)
		return call((long)row->arg);
	for (long number = 0; number <= 600; number++) { /* all must kill */
		pid_t pid;

		pid = filtered() ? fork() : -1;
		if (pid < 0)
			return -1;
		if (!pid)
			_exit(call(number) < 0);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
		    WTERMSIG(status) != SIGSYS)
			return number;
	}
	return raise(SIGSYS);
}

#if defined(__x86_64__)
static long x32_call(long number)
{
	return syscall(number | 0x40000000, 0, 0, 0, 0, 0, 0);
}

static long try_x32(const struct row *row)
{
	return other_way(x32_call, row);
}

static long i386_call(long number)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
			 : "r8", "r9", "r10", "r11", "memory");
	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

static long try_i386(const struct row *row)
{
	return other_way(i386_call, row);
}
#endif

/* ---- what must work ---- */

static void *count(void *counter)
{
	++*(int *)counter;
	return NULL;
}

static long try_threads(const struct row *row)
{
	pthread_t thread;
	int counter = 0;

	(void)row;
	for (int i = 0; i < 8; i++) {
		errno = pthread_create(&thread, NULL, count, &counter);
		if (errno)
			return -1;
		errno = pthread_join(thread, NULL);
		if (errno)
			return -1;
	}
	return counter == 8 ? 0 : -1;
}

static long try_fork(const struct row *row)
{
	pid_t pid = row->arg ? vfork() : fork();
	int status;

	if (!pid)
		_exit(7);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : -1;
}

static long try_prctl(const struct row *row)
{
	return syscall(SYS_prctl, row->arg, row->arg2, 0, 0, 0);
}

/* Pages of ours that shall be one with those that are alike. */
static long try_merging(const struct row *row)
{
	void *pages = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? -1 : syscall(SYS_madvise, pages, 4096, row->arg);
}

/* fcntl(pipe, arg, SIGKILL): the signal that input there sends. */
static long try_signal_of_file(const struct row *row)
{
	int ends[2];

	return pipe(ends) ? -1 : syscall(SYS_fcntl, ends[0], row->arg, SIGKILL);
}

static long try_personality(const struct row *row)
{
	return personality(row->arg);
}

/* A filter of the box's own, with a listener: nested sandboxes must be possible. */
static long try_listener(const struct row *row)
{
	struct {
		uint16_t code;
		uint8_t yes, no;
		uint32_t k;
	} allow = { 6, 0, 0, 0x7fff0000 };
	struct {
		unsigned short length;
		void *code;
	} program = { 1, &allow };

	(void)row;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return syscall(SYS_seccomp, 1, 8, &program);
}

static const struct row rows[] = {
	{ "tiocsti", try_terminal, TIOCSTI, '#' },
	{ "tiocsti-high", try_terminal, TIOCSTI | HIGH, '#' },
	{ "tiocsti-all-high", try_terminal, TIOCSTI | ALL_HIGH, '#' },
	{ "tiocsti-stdin", try_stdin, TIOCSTI, 0 },
	{ "tiocsti-stdin-high", try_stdin, TIOCSTI | HIGH, 0 },
	{ "tioclinux", try_terminal, 0x541c, 3 },
	{ "tioclinux-high", try_terminal, 0x541c | HIGH, 3 },
	{ "tioclinux-stdin", try_stdin, 0x541c, 0 },
	{ "tioccons", try_terminal, TIOCCONS, 0 },
	{ "tioccons-high", try_terminal, TIOCCONS | HIGH, 0 },
	{ "tiocsetd", try_terminal, TIOCSETD, 0 },
	{ "tiocsetd-high", try_terminal, TIOCSETD | HIGH, 0 },
	{ "tiocexcl", try_terminal, TIOCEXCL, 0 },
	{ "tiocexcl-high", try_terminal, TIOCEXCL | ALL_HIGH, 0 },
	{ "tcgets", try_terminal, TCGETS, 0 },
	{ "fibmap", try_file, 1, 0 },
	{ "fs-setflags", try_file, 0x40086602, 0 },
	{ "fs-setflags-high", try_file, 0x40086602 | ALL_HIGH, 0 },
	{ "fs-setflags-32", try_file, 0x40046602, 0 },
	{ "fs-setversion", try_file, 0x40087602, 0 },
	{ "fs-setxattr", try_file, 0x401c5820, 0 },
	{ "file_setattr", try_file_setattr, 0, 0 },
	{ "mknod-char", try_mknod, S_IFCHR | 0600, 0x103 },
	{ "mknod-block", try_mknod, S_IFBLK | 0600, 0x700 },
	{ "mknod-whiteout", try_mknod, S_IFCHR | 0600, 0 },
	{ "mknod-fifo", try_mknod, S_IFIFO | 0600, 0 },
	{ "mknod-file", try_mknod, 0600, 0 },
	{ "open_by_handle_at", try_handle, 0, 0 },

	{ "unshare-nothing", try_call, SYS_unshare, 0 },
	{ "unshare-user", try_call, SYS_unshare, 0x10000000 },
	{ "unshare-mnt", try_call, SYS_unshare, 0x00020000 },
	{ "unshare-pid", try_call, SYS_unshare, 0x20000000 },
	{ "unshare-net", try_call, SYS_unshare, 0x40000000 },
	{ "unshare-ipc", try_call, SYS_unshare, 0x08000000 },
	{ "unshare-uts", try_call, SYS_unshare, 0x04000000 },
	{ "unshare-cgroup", try_call, SYS_unshare, 0x02000000 },
	{ "unshare-time", try_call, SYS_unshare, 0x00000080 },
	{ "clone-user", try_clone, 0x10000000, 0 },
	{ "clone-user-high", try_clone, 0x10000000 | HIGH, 0 },
	{ "clone-mnt", try_clone, 0x00020000, 0 },
	{ "clone-pid", try_clone, 0x20000000, 0 },
	{ "clone-net", try_clone, 0x40000000, 0 },
	{ "clone-ipc", try_clone, 0x08000000, 0 },
	{ "clone-uts", try_clone, 0x04000000, 0 },
	{ "clone-cgroup", try_clone, 0x02000000, 0 },
	{ "clone3", try_clone3, 0, 0 },
	{ "clone3-user", try_clone3, 0x10000000, 0 },
	{ "setns-any", try_setns, 0, 0 },
	{ "setns-user", try_setns, 0x10000000, 0 },
	{ "setns-mnt", try_setns, 0x00020000, 0 },
	{ "setns-pid", try_setns, 0x20000000, 0 },
	{ "setns-net", try_setns, 0x40000000, 0 },
	{ "setns-ipc", try_setns, 0x08000000, 0 },
	{ "setns-uts", try_setns, 0x04000000, 0 },
	{ "setns-cgroup", try_setns, 0x02000000, 0 },
	{ "setns-time", try_setns, 0x00000080, 0 },

	{ "mount", try_mount, 0, 0 },
	{ "mount-bind", try_bind, 0, 0 },
	{ "mount-remount", try_remount, 0, 0 },
	{ "umount2", try_call, SYS_umount2, 0 },
	{ "pivot_root", try_path, SYS_pivot_root, 0 },
	{ "chroot", try_path, SYS_chroot, 0 },
	{ "open_tree", try_open_tree, NR_open_tree, 0 },
	{ "open_tree_attr", try_open_tree, NR_open_tree_attr, 0 },
	{ "move_mount", try_move_mount, 0, 0 },
	{ "fsopen", try_fsopen, 0, 0 },
	{ "fsconfig", try_call, NR_fsconfig, (unsigned long)-1 },
	{ "fsmount", try_call, NR_fsmount, (unsigned long)-1 },
	{ "fspick", try_fspick, 0, 0 },
	{ "mount_setattr", try_mount_setattr, 0, 0 },

	{ "io_uring_setup", try_io_uring, 0, 0 },
	{ "io_uring_enter", try_call, NR_io_uring_enter, (unsigned long)-1 },
	{ "io_uring_register", try_call, NR_io_uring_register, (unsigned long)-1 },
	{ "keyctl-new-session", try_call, SYS_keyctl, 1 },
	{ "keyctl-to-parent", try_call, SYS_keyctl, 18 },
	{ "add_key", try_add_key, 0, 0 },
	{ "request_key", try_request_key, 0, 0 },
	{ "bpf", try_bpf, 0, 0 },
	{ "perf_event_open", try_perf, 0, 0 },
	{ "userfaultfd", try_call, SYS_userfaultfd, 1 },
	{ "memfd_secret", try_call, NR_memfd_secret, 0 },
	{ "fanotify_init", try_call, SYS_fanotify_init, 0x200 },
	{ "syslog", try_call, SYS_syslog, 10 },
	{ "init_module", try_call, SYS_init_module, 0 },
	{ "finit_module", try_call, SYS_finit_module, (unsigned long)-1 },
	{ "delete_module", try_call, SYS_delete_module, 0 },
	{ "kexec_load", try_call, SYS_kexec_load, (unsigned long)-1 },
	{ "reboot", try_call, SYS_reboot, 0 },
	{ "swapon", try_call, SYS_swapon, 0 },
	{ "swapoff", try_call, SYS_swapoff, 0 },
	{ "quotactl", try_call, SYS_quotactl, (unsigned long)-1 },
	{ "quotactl_fd", try_call, NR_quotactl_fd, (unsigned long)-1 },
	{ "settimeofday", try_call, SYS_settimeofday, 0 },
	{ "clock_settime", try_call, SYS_clock_settime, 77 },
	{ "adjtimex", try_call, SYS_adjtimex, 0 },
	{ "sethostname", try_path, SYS_sethostname, 0 },

	{ "ptrace-traceme", try_traceme, 0, 0 },
	{ "ptrace-attach", try_ptrace, PTRACE_ATTACH, 0 },
	{ "ptrace-seize", try_ptrace, PTRACE_SEIZE, 0 },
	{ "process_vm_readv", try_process_vm, SYS_process_vm_readv, 0 },
	{ "process_vm_writev", try_process_vm, SYS_process_vm_writev, 0 },
	{ "kcmp", try_kcmp, 0, 0 },
	{ "pidfd_getfd", try_pidfd_getfd, 0, 0 },

	{ "socket-alg", try_socket, 38, SOCK_SEQPACKET },
	{ "socket-alg-high", try_socket, 38 | HIGH, SOCK_SEQPACKET },
	{ "socket-netlink", try_socket, AF_NETLINK, SOCK_RAW },
	{ "socket-packet", try_socket, AF_PACKET, SOCK_RAW },
	{ "socket-rxrpc", try_socket, 33, SOCK_DGRAM },
	{ "socket-vsock", try_socket, 40, SOCK_STREAM },
	{ "socket-all-others", try_families, 0, 0 },
	{ "socket-all-others-high", try_families, ALL_HIGH, 0 },
	{ "socket-sctp", try_socket, AF_INET, 132 << 8 | SOCK_STREAM },
	{ "socket-sctp-seqpacket", try_socket, AF_INET, SOCK_SEQPACKET },
	{ "socket-dccp", try_socket, AF_INET6, 33 << 8 | 6 },
	{ "socket-l2tp", try_socket, AF_INET, 115 << 8 | SOCK_DGRAM },
	{ "socket-udplite", try_socket, AF_INET, 136 << 8 | SOCK_DGRAM },
	{ "socket-unix", try_socket, AF_UNIX, SOCK_DGRAM },
	{ "socket-tcp", try_socket, AF_INET, SOCK_STREAM },
	{ "socket-udp", try_socket, AF_INET, IPPROTO_UDP << 8 | SOCK_DGRAM },
	{ "socketpair", try_socketpair, AF_UNIX, 0 },
	{ "socketpair-tipc", try_socketpair, 30, 0 },

	/* PR_SET_MM of the executable, PR_SCHED_CORE, PR_SET_MEMORY_MERGE, PR_SET_PTRACER. */
	{ "prctl-mm", try_prctl, 35, 13 },
	{ "prctl-mm-high", try_prctl, 35 | HIGH, 13 },
	{ "prctl-sched-core", try_prctl, 62, 1 },
	{ "prctl-memory-merge", try_prctl, 67, 1 },
	{ "prctl-memory-merge-high", try_prctl, 67 | ALL_HIGH, 1 },
	{ "prctl-ptracer", try_prctl, 0x59616d61, (unsigned long)-1 },
	{ "prctl-unknown", try_prctl, 9999, 0 },
	{ "prctl-name", try_prctl, 15, (unsigned long)"name" },
	{ "madvise-merge", try_merging, 12, 0 },
	{ "madvise-merge-high", try_merging, 12 | HIGH, 0 },
	{ "fcntl-setsig", try_signal_of_file, 10, 0 },
	{ "fcntl-setsig-high", try_signal_of_file, 10 | HIGH, 0 },

	{ "personality-page-zero", try_personality, 0x0100000, 0 },
	{ "personality-read-exec", try_personality, 0x0400000, 0 },
	{ "personality-ask", try_personality, 0xffffffff, 0 },

	{ "number-470", try_call, NR_listns, 0 },
	{ "number-600", try_call, 600, 0 },
	{ "number-9999", try_call, 9999, 0 },
	{ "number-minus-1", try_call, (unsigned long)-1, 0 },
#if defined(__x86_64__)
	{ "modify_ldt", try_call, SYS_modify_ldt, 0 },
	{ "iopl", try_call, SYS_iopl, 0 },
	{ "ioperm", try_call, SYS_ioperm, 0 },
	{ "x32-getpid", try_x32, SYS_getpid, 0 },
	{ "x32-ioctl", try_x32, 514, 0 },
	{ "x32-unshare", try_x32, SYS_unshare, 0 },
	{ "x32-everything", try_x32, (unsigned long)-1, 0 },
	{ "i386-getpid", try_i386, 20, 0 },
	{ "i386-ioctl", try_i386, 54, 0 },
	{ "i386-socketcall", try_i386, 102, 0 },
	{ "i386-unshare", try_i386, 310, 0 },
	{ "i386-everything", try_i386, (unsigned long)-1, 0 },
#endif

	{ "threads", try_threads, 0, 0 },
	{ "fork", try_fork, 0, 0 },
	{ "vfork", try_fork, 1, 0 },
	{ "listener", try_listener, 0, 0 },
};

static const struct {
	int number;
	const char *name;
} errnos[] = {
	{ EPERM, "EPERM" },
	{ ENOSYS, "ENOSYS" },
	{ EACCES, "EACCES" },
	{ EINVAL, "EINVAL" },
	{ EFAULT, "EFAULT" },
	{ ENOENT, "ENOENT" },
	{ EBADF, "EBADF" },
	{ ENOTTY, "ENOTTY" },
	{ ESRCH, "ESRCH" },
	{ EROFS, "EROFS" },
	{ EIO, "EIO" },
	{ ENODEV, "ENODEV" },
	{ EAFNOSUPPORT, "EAFNOSUPPORT" },
	{ EPROTONOSUPPORT, "EPROTONOSUPPORT" },
	{ EOPNOTSUPP, "EOPNOTSUPP" },
	{ ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT" },
	{ ENOKEY, "ENOKEY" },
	{ EXDEV, "EXDEV" },
	{ ENOTDIR, "ENOTDIR" },
};

static void say_errno(const char *name, int number)
{
	for (size_t i = 0; i < COUNT(errnos); i++) {
		if (errnos[i].number == number) {
			dprintf(1, "%s: %s\n", name, errnos[i].name);
			return;
		}
	}
	dprintf(1, "%s: errno %d\n", name, number);
}

static void say_signal(const char *name, int signal)
{
	if (signal == SIGSYS)
		dprintf(1, "%s: killed SIGSYS\n", name);
	else if (signal == SIGSEGV)
		dprintf(1, "%s: killed SIGSEGV\n", name);
	else
		dprintf(1, "%s: killed signal %d\n", name, signal);
}

/* In a child, since some attempts kill, and others would change the next one's conditions. */
static int run(const struct row *row)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		errno = 0;
		_exit(row->attempt(row) < 0 ? errno : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		dprintf(2, "syscalls: %s: %s\n", row->name, strerror(errno));
		return -1;
	}
	if (WIFSIGNALED(status))
		say_signal(row->name, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		say_errno(row->name, WEXITSTATUS(status));
	else
		dprintf(1, "%s: ok\n", row->name);
	return 0;
}

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	dprintf(2, "syscalls: %s: no such attempt\n", name);
	return NULL;
}

int main(int argc, char **argv)
{
	const struct row *row;

	if (argc < 2 && !filtered()) {
		dprintf(2, "syscalls: no filter on this process\n");
		return 98;
	}
	for (int i = 1; i < argc; i++)
		if (!(row = find(argv[i])) || run(row))
			return 99;
	for (size_t i = 0; argc < 2 && i < COUNT(rows); i++)
		if (run(&rows[i]))
			return 99;
	return 0;
}
