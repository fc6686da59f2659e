/* SPDX-License-Identifier: MIT */
/*
 * try: play the attacker. Each operation is one attempt; its line says
 * "OPERATION ARGUMENTS: ok" or names the errno. Many can follow each other:
 * `try mkdir /x -- open-w /etc/passwd -- umount /proc`. The exit status is 0
 * when all failed, 1 when at least one worked, 99 when the words are wrong.
 */
#ifndef _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Newer than Debian 12's headers, the same number on every architecture. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static long closing(long fd)
{
	if (fd >= 0)
		close((int)fd);
	return fd < 0 ? -1 : 0;
}

/* ---- files ---- */

static long op_open_r(char **a)
{
	return closing(open(a[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

static long op_open_w(char **a)
{
	return closing(open(a[0], O_WRONLY | O_CLOEXEC | O_NONBLOCK));
}

/* Below a descriptor that somebody has left open. */
static long op_at_r(char **a)
{
	return closing(openat(atoi(a[0]), a[1], O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

static long op_at_w(char **a)
{
	return closing(openat(atoi(a[0]), a[1], O_WRONLY | O_CLOEXEC | O_NONBLOCK));
}

/* ENOTTY when the request gets as far as a device that is no terminal. */
static long op_ioctl_dev(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char settings[256];

	return fd < 0 ? -1 : ioctl(fd, TCGETS, settings);
}

/* The child gives its parent credentials that were made anew: keyctl(2), KEYCTL_SESSION_TO_PARENT. */
static long op_keyring(char **a)
{
	enum { JOIN_SESSION_KEYRING = 1, SESSION_TO_PARENT = 18 };
	int status;
	pid_t child = fork();

	(void)a;
	if (child == 0) {
		if (syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL) < 0 ||
		    syscall(SYS_keyctl, SESSION_TO_PARENT) < 0)
			_exit(errno);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	errno = WEXITSTATUS(status);
	return errno == 0 ? 0 : -1;
}

static long op_read(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char c;
	ssize_t n = fd < 0 ? -1 : read(fd, &c, 1);

	/* An empty file gives nothing away, so it counts as a refusal. */
	if (n == 0)
		errno = ENODATA;
	return n > 0 ? 0 : -1;
}

static long op_put(char **a)
{
	int fd = open(a[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	if (write(fd, "put\n", 4) != 4)
		return -1;
	return close(fd);
}

/* Write back what stands there: a hole is found, and nothing changes. */
static long op_rewrite(char **a)
{
	char text[4096];
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	fd = open(a[0], O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	return write(fd, text, (size_t)(n < 0 ? 0 : n)) < 0 ? -1 : 0;
}

static long op_write(char **a)
{
	int fd = open(a[0], O_WRONLY | O_CLOEXEC);
	size_t n = strlen(a[1]);

	if (fd < 0)
		return -1;
	return write(fd, a[1], n) == (ssize_t)n ? 0 : -1;
}

static long op_mkdir(char **a)
{
	return mkdir(a[0], 0755);
}

static long op_rmdir(char **a)
{
	return rmdir(a[0]);
}

static long op_unlink(char **a)
{
	return unlink(a[0]);
}

static long op_rename(char **a)
{
	return rename(a[0], a[1]);
}

static long op_symlink(char **a)
{
	return symlink(a[0], a[1]);
}

static long op_link(char **a)
{
	return link(a[0], a[1]);
}

static long op_link_fd(char **a)
{
	char path[64];
	int fd = open(a[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, a[1], AT_SYMLINK_FOLLOW);
}

static long op_mkchr(char **a)
{
	return mknod(a[0], S_IFCHR | 0666, (1 << 8) | 3);
}

static long op_mkblk(char **a)
{
	return mknod(a[0], S_IFBLK | 0666, 7 << 8);
}

static long op_mkfifo(char **a)
{
	return mkfifo(a[0], 0666);
}

static long op_chmod(char **a)
{
	return chmod(a[0], 0777);
}

static long op_chown(char **a)
{
	return chown(a[0], 1, 1);
}

static long op_xattr(char **a)
{
	return setxattr(a[0], "user.nbt", "x", 1, 0);
}

static long op_truncate(char **a)
{
	return truncate(a[0], 0);
}

static long op_stat(char **a)
{
	struct stat st;

	return stat(a[0], &st);
}

static long op_lstat(char **a)
{
	struct stat st;

	return lstat(a[0], &st);
}

static long op_chdir(char **a)
{
	return chdir(a[0]);
}

static long op_chroot(char **a)
{
	return chroot(a[0]);
}

static long op_readlink(char **a)
{
	char text[4096];

	return readlink(a[0], text, sizeof(text)) < 0 ? -1 : 0;
}

/* The errno of the exec itself comes through a pipe that a good exec closes. */
static long op_exec(char **a)
{
	int p[2], e = 0;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		char *argv[] = { a[0], NULL };

		/* What the program says is no concern of ours. */
		close(1);
		close(2);
		execve(a[0], argv, NULL);
		e = errno;
		_exit(write(p[1], &e, sizeof(e)) < 0);
	}
	close(p[1]);
	if (pid < 0 || read(p[0], &e, sizeof(e)) < 0)
		e = errno;
	close(p[0]);
	waitpid(pid, NULL, 0);
	errno = e;
	return e ? -1 : 0;
}

/* Executable memory from a file needs the same right as exec. */
static long op_cloexec_mmap(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	/* PROT_READ|PROT_EXEC, MAP_PRIVATE: without <sys/mman.h>'s names for brevity */
	return syscall(SYS_mmap, NULL, 4096, 1 | 4, 2, fd, 0) == -1 ? -1 : 0;
}

/* Code of no file at all. */
static long op_memory_exec(char **a)
{
	int from = open(a[0], O_RDONLY | O_CLOEXEC);
	int memory = (int)syscall(SYS_memfd_create, "copy", 1 /* MFD_CLOEXEC */);
	char path[64];

	if (from < 0 || memory < 0)
		return -1;
	while (sendfile(memory, from, NULL, 1 << 20) > 0)
		;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	return op_exec((char *[]){ path });
}

/* ---- mounts ---- */

static long op_mount_tmpfs(char **a)
{
	return mount("none", a[0], "tmpfs", 0, NULL);
}

static long op_mount_proc(char **a)
{
	return mount("proc", a[0], "proc", 0, NULL);
}

static long op_bind(char **a)
{
	return mount(a[0], a[1], NULL, MS_BIND, NULL);
}

static long op_remount_rw(char **a)
{
	return mount(NULL, a[0], NULL, MS_REMOUNT | MS_BIND, NULL);
}

static long op_setattr_rw(char **a)
{
	uint64_t attr[4] = { 0, 1 /* MOUNT_ATTR_RDONLY off */, 0, 0 };

	return syscall(SYS_mount_setattr, AT_FDCWD, a[0], 0, attr, sizeof(attr));
}

static long op_umount(char **a)
{
	return umount2(a[0], MNT_DETACH);
}

static long op_pivot(char **a)
{
	return syscall(SYS_pivot_root, a[0], a[0]);
}

/* With the mark of a call that a listener has its caller make: the kernel's answer alone. */
static long op_marked_r(char **a)
{
	return closing(syscall(SYS_openat, AT_FDCWD, a[0], O_RDONLY, 0, 0, 0x6e657374));
}

static long op_marked_w(char **a)
{
	return closing(syscall(SYS_openat, AT_FDCWD, a[0], O_WRONLY, 0, 0, 0x6e657374));
}

static long op_open_tree(char **a)
{
	return closing(syscall(SYS_open_tree, AT_FDCWD, a[0], 1));
}

static long op_move_mount(char **a)
{
	return syscall(SYS_move_mount, AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

static long op_fsopen(char **a)
{
	return closing(syscall(SYS_fsopen, a[0], 0));
}

/* ---- namespaces ---- */

static const struct space {
	const char *name;
	int flag;
} spaces[] = {
	{ "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID }, { "mnt", CLONE_NEWNS },
	{ "ipc", CLONE_NEWIPC },   { "uts", CLONE_NEWUTS }, { "cgroup", CLONE_NEWCGROUP },
	{ "net", CLONE_NEWNET },   { "time", 0x00000080 },
};

static int space_flag(const char *name)
{
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (!strcmp(spaces[i].name, name))
			return spaces[i].flag;
	return -1;
}

static long op_unshare(char **a)
{
	return syscall(SYS_unshare, space_flag(a[0]));
}

static long op_clone(char **a)
{
	long pid = syscall(SYS_clone, (long)space_flag(a[0]) | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid < 0 ? -1 : 0;
}

static long op_setns(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	return syscall(SYS_setns, fd, 0);
}

static long op_sethostname(char **a)
{
	return syscall(SYS_sethostname, a[0], strlen(a[0]));
}

/* ---- processes ---- */

static long op_kill(char **a)
{
	return kill(atoi(a[0]), atoi(a[1]));
}

/* A queued signal may carry any sender; pid 0 is how one from outside looks. */
static long op_sigqueue(char **a)
{
	siginfo_t info = { 0 };

	info.si_signo = atoi(a[1]);
	info.si_code = SI_QUEUE;
	info.si_pid = 0;
	info.si_uid = 0;
	return syscall(SYS_rt_sigqueueinfo, atoi(a[0]), info.si_signo, &info);
}

/* The same as if the kernel or kill() had sent it: only allowed to oneself. */
static long op_sigforge(char **a)
{
	siginfo_t info = { 0 };

	info.si_signo = atoi(a[1]);
	info.si_code = atoi(a[2]);
	return syscall(SYS_rt_sigqueueinfo, atoi(a[0]), info.si_signo, &info);
}

static long op_attach(char **a)
{
	return ptrace(PTRACE_ATTACH, atoi(a[0]), NULL, NULL);
}

static long op_seize(char **a)
{
	return ptrace(PTRACE_SEIZE, atoi(a[0]), NULL, NULL);
}

/* To live on when the parent dies. */
static long op_orphan(char **a)
{
	(void)a;
	return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

static long op_vmread(char **a)
{
	char text[16];
	struct iovec here = { text, sizeof(text) };
	struct iovec there = { (void *)0x400000, sizeof(text) };

	return process_vm_readv(atoi(a[0]), &here, 1, &there, 1, 0) < 0 ? -1 : 0;
}

static long op_getfd(char **a)
{
	long pidfd = syscall(SYS_pidfd_open, atoi(a[0]), 0);

	if (pidfd < 0)
		return -1;
	return closing(syscall(SYS_pidfd_getfd, pidfd, atoi(a[1]), 0));
}

static long op_prlimit(char **a)
{
	uint64_t limit[2] = { 16, 16 };

	return syscall(SYS_prlimit64, atoi(a[0]), 7 /* RLIMIT_NOFILE */, limit, NULL);
}

/* What asks for the same user alone. */
static long op_nice(char **a)
{
	return setpriority(PRIO_PROCESS, (id_t)atoi(a[0]), 19);
}

static long op_nice_user(char **a)
{
	(void)a;
	return setpriority(PRIO_USER, 0, 19);
}

static long op_ionice(char **a)
{
	return syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, atoi(a[0]), 3 << 13 /* idle */);
}

static long op_affinity(char **a)
{
	unsigned long first = 1;

	return syscall(SYS_sched_setaffinity, atoi(a[0]), sizeof(first), &first);
}

static long op_scheduler(char **a)
{
	int priority = 0;

	return syscall(SYS_sched_setscheduler, atoi(a[0]), 5 /* SCHED_IDLE */, &priority);
}

/* The kernel sends for us: fcntl(2), F_SETOWN. It never says whether it did. */
static long op_own(char **a)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETOWN, atoi(a[0])) < 0 ||
	    fcntl(ends[0], F_SETFL, O_ASYNC) < 0)
		return -1;
	return write(ends[1], "x", 1) == 1 ? 0 : -1;
}

static long op_tgkill(char **a)
{
	return syscall(SYS_tgkill, atoi(a[0]), atoi(a[0]), atoi(a[1]));
}

static long op_pidfd_kill(char **a)
{
	long pidfd = syscall(SYS_pidfd_open, atoi(a[0]), 0);

	return pidfd < 0 ? -1 : syscall(SYS_pidfd_send_signal, pidfd, atoi(a[1]), NULL, 0);
}

/* The user's own keyring, whatever the session's is. */
static long op_user_keys(char **a)
{
	(void)a;
	return syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -4 /* the user's */, 1);
}

/* PRIO_PGRP of one's own group, which must hold nobody outside. */
static long op_renice(char **a)
{
	(void)a;
	return setpriority(PRIO_PGRP, 0, 19);
}

/* ---- rights ---- */

static long op_setuid(char **a)
{
	return syscall(SYS_setresuid, atoi(a[0]), atoi(a[0]), atoi(a[0]));
}

static long op_setgid(char **a)
{
	return syscall(SYS_setresgid, atoi(a[0]), atoi(a[0]), atoi(a[0]));
}

static long op_setgroups(char **a)
{
	unsigned int none = 0;

	(void)a;
	return syscall(SYS_setgroups, 0, &none);
}

static long op_capset(char **a)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { ~0U, ~0U, ~0U }, { ~0U, ~0U, ~0U } };

	(void)a;
	return syscall(SYS_capset, &head, d);
}

static long op_ambient(char **a)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, atoi(a[0]), 0, 0);
}

static long op_securebits(char **a)
{
	return prctl(PR_SET_SECUREBITS, atoi(a[0]), 0, 0, 0);
}

/* ---- sockets ---- */

static long to_unix(const char *name, int abstract)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long rc;

	if (fd < 0 || n + 2 > sizeof(sa.sun_path))
		return -1;
	memcpy(sa.sun_path + abstract, name, n);
	rc = connect(fd, (struct sockaddr *)&sa,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1));
	return rc < 0 ? -1 : closing(fd);
}

static long op_unix(char **a)
{
	return to_unix(a[0], 0);
}

static long op_abstract(char **a)
{
	return to_unix(a[0], 1);
}

static int tcp_address(struct sockaddr_in *sa, char **a)
{
	*sa = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)atoi(a[1])) };
	return inet_pton(AF_INET, a[0], &sa->sin_addr) == 1 ? 0 : -1;
}

static long tcp_connect(char **a, int protocol)
{
	struct sockaddr_in sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0 || tcp_address(&sa, a) < 0)
		return -1;
	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -1 : closing(fd);
}

static long tcp_bind(char **a, int protocol)
{
	const int on = 1;
	struct sockaddr_in sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0 || tcp_address(&sa, a) < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -1 : closing(fd);
}

static long op_tcp(char **a)
{
	return tcp_connect(a, 0);
}

static long op_tcp_bind(char **a)
{
	return tcp_bind(a, 0);
}

/* RFC 8684; to a server that does not know it it is TCP. */
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static long op_mptcp(char **a)
{
	return tcp_connect(a, IPPROTO_MPTCP);
}

static long op_mptcp_bind(char **a)
{
	return tcp_bind(a, IPPROTO_MPTCP);
}

/* A socket of TCP becomes one of another kind, such as "smc". */
static long op_ulp(char **a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_ULP, a[0], (socklen_t)strlen(a[0])) < 0)
		return -1;
	return closing(fd);
}

/* The call for the data makes the connection: sendto, sendmsg or sendmmsg. */
static long op_fastopen(char **a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa;
	struct iovec iov = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct mmsghdr all = { .msg_hdr = { .msg_name = &sa,
					    .msg_namelen = sizeof(sa),
					    .msg_iov = &iov,
					    .msg_iovlen = 1 } };
	long sent;

	if (fd < 0 || tcp_address(&sa, a + 1) < 0)
		return -1;
	if (!strcmp(a[0], "sendto"))
		sent = sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&sa, sizeof(sa));
	else if (!strcmp(a[0], "sendmsg"))
		sent = sendmsg(fd, &all.msg_hdr, MSG_FASTOPEN);
	else
		sent = sendmmsg(fd, &all, 1, MSG_FASTOPEN);
	return sent < 0 ? -1 : closing(fd);
}

/* A server and its client on the loopback of this namespace. */
static long op_loopback(char **a)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t n = sizeof(sa);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)a;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (server < 0 || client < 0)
		return -1;
	if (bind(server, (struct sockaddr *)&sa, n) < 0 || listen(server, 1) < 0)
		return -1;
	if (getsockname(server, (struct sockaddr *)&sa, &n) < 0)
		return -1;
	return connect(client, (struct sockaddr *)&sa, n);
}

static long op_ifup(char **a)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(r.ifr_name, a[0], sizeof(r.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		return -1;
	errno = ENETDOWN;
	return (r.ifr_flags & IFF_UP) ? closing(fd) : -1;
}

static const struct op {
	const char *name;
	int args;
	long (*run)(char **a);
} ops[] = {
	{ "abstract", 1, op_abstract },
	{ "affinity", 1, op_affinity },
	{ "ambient", 1, op_ambient },
	{ "at-r", 2, op_at_r },
	{ "at-w", 2, op_at_w },
	{ "attach", 1, op_attach },
	{ "bind", 2, op_bind },
	{ "capset", 0, op_capset },
	{ "chdir", 1, op_chdir },
	{ "chmod", 1, op_chmod },
	{ "chown", 1, op_chown },
	{ "chroot", 1, op_chroot },
	{ "clone", 1, op_clone },
	{ "exec", 1, op_exec },
	{ "fastopen", 3, op_fastopen },
	{ "fsopen", 1, op_fsopen },
	{ "getfd", 2, op_getfd },
	{ "ifup", 1, op_ifup },
	{ "ioctl-dev", 1, op_ioctl_dev },
	{ "ionice", 1, op_ionice },
	{ "keyring", 0, op_keyring },
	{ "kill", 2, op_kill },
	{ "link", 2, op_link },
	{ "link-fd", 2, op_link_fd },
	{ "loopback", 0, op_loopback },
	{ "lstat", 1, op_lstat },
	{ "marked-r", 1, op_marked_r },
	{ "marked-w", 1, op_marked_w },
	{ "memory-exec", 1, op_memory_exec },
	{ "mkblk", 1, op_mkblk },
	{ "mkchr", 1, op_mkchr },
	{ "mkdir", 1, op_mkdir },
	{ "mkfifo", 1, op_mkfifo },
	{ "mmap-exec", 1, op_cloexec_mmap },
	{ "mount-proc", 1, op_mount_proc },
	{ "mount-tmpfs", 1, op_mount_tmpfs },
	{ "move-mount", 2, op_move_mount },
	{ "mptcp", 2, op_mptcp },
	{ "mptcp-bind", 2, op_mptcp_bind },
	{ "nice", 1, op_nice },
	{ "nice-user", 0, op_nice_user },
	{ "open-r", 1, op_open_r },
	{ "open-tree", 1, op_open_tree },
	{ "open-w", 1, op_open_w },
	{ "orphan", 0, op_orphan },
	{ "own", 1, op_own },
	{ "pidfd-kill", 2, op_pidfd_kill },
	{ "pivot", 1, op_pivot },
	{ "prlimit", 1, op_prlimit },
	{ "put", 1, op_put },
	{ "read", 1, op_read },
	{ "readlink", 1, op_readlink },
	{ "remount-rw", 1, op_remount_rw },
	{ "rename", 2, op_rename },
	{ "renice", 0, op_renice },
	{ "rewrite", 1, op_rewrite },
	{ "rmdir", 1, op_rmdir },
	{ "scheduler", 1, op_scheduler },
	{ "securebits", 1, op_securebits },
	{ "seize", 1, op_seize },
	{ "setattr-rw", 1, op_setattr_rw },
	{ "setgid", 1, op_setgid },
	{ "setgroups", 0, op_setgroups },
	{ "sethostname", 1, op_sethostname },
	{ "setns", 1, op_setns },
	{ "setuid", 1, op_setuid },
	{ "sigforge", 3, op_sigforge },
	{ "sigqueue", 2, op_sigqueue },
	{ "stat", 1, op_stat },
	{ "symlink", 2, op_symlink },
	{ "tcp", 2, op_tcp },
	{ "tcp-bind", 2, op_tcp_bind },
	{ "tgkill", 2, op_tgkill },
	{ "truncate", 1, op_truncate },
	{ "ulp", 1, op_ulp },
	{ "umount", 1, op_umount },
	{ "unix", 1, op_unix },
	{ "unlink", 1, op_unlink },
	{ "unshare", 1, op_unshare },
	{ "user-keys", 0, op_user_keys },
	{ "vmread", 1, op_vmread },
	{ "write", 2, op_write },
	{ "xattr", 1, op_xattr },
};

static const struct {
	int number;
	const char *name;
} errors[] = {
	{ EPERM, "EPERM" },
	{ EPROTONOSUPPORT, "EPROTONOSUPPORT" },
	{ ENOTTY, "ENOTTY" },
	{ ENOENT, "ENOENT" },
	{ ESRCH, "ESRCH" },
	{ EINTR, "EINTR" },
	{ EIO, "EIO" },
	{ ENXIO, "ENXIO" },
	{ E2BIG, "E2BIG" },
	{ ENOEXEC, "ENOEXEC" },
	{ EBADF, "EBADF" },
	{ ECHILD, "ECHILD" },
	{ EAGAIN, "EAGAIN" },
	{ ENOMEM, "ENOMEM" },
	{ EACCES, "EACCES" },
	{ EFAULT, "EFAULT" },
	{ EBUSY, "EBUSY" },
	{ EEXIST, "EEXIST" },
	{ EXDEV, "EXDEV" },
	{ ENODEV, "ENODEV" },
	{ ENOTDIR, "ENOTDIR" },
	{ EISDIR, "EISDIR" },
	{ EINVAL, "EINVAL" },
	{ EMFILE, "EMFILE" },
	{ ETXTBSY, "ETXTBSY" },
	{ ENOSPC, "ENOSPC" },
	{ EROFS, "EROFS" },
	{ ENAMETOOLONG, "ENAMETOOLONG" },
	{ ENOSYS, "ENOSYS" },
	{ ENOTEMPTY, "ENOTEMPTY" },
	{ ELOOP, "ELOOP" },
	{ ENODATA, "ENODATA" },
	{ EUSERS, "EUSERS" },
	{ EOPNOTSUPP, "EOPNOTSUPP" },
	{ ENETDOWN, "ENETDOWN" },
	{ ECONNREFUSED, "ECONNREFUSED" },
	{ ENETUNREACH, "ENETUNREACH" },
	{ EADDRNOTAVAIL, "EADDRNOTAVAIL" },
	{ EAFNOSUPPORT, "EAFNOSUPPORT" },
};

static void print_error(int number)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == number) {
			printf(": %s\n", errors[i].name);
			return;
		}
	printf(": errno %d\n", number);
}

static const struct op *find(const char *name)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	return NULL;
}

/* One attempt in a process of its own: unshare, setuid or chroot must not colour the next. */
static int attempt(const struct op *op, char **a)
{
	int status;
	pid_t pid;

	printf("%s", op->name);
	for (int i = 0; i < op->args; i++)
		printf(" %s", a[i]);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		long rc = op->run(a);

		if (rc >= 0)
			printf(": ok\n");
		else
			print_error(errno);
		fflush(stdout);
		_exit(rc >= 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	if (WIFSIGNALED(status))
		printf(": killed by %d\n", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

int main(int argc, char **argv)
{
	int worked = 0;

	for (int i = 1; i < argc;) {
		const struct op *op = find(argv[i]);

		if (!op || i + op->args >= argc) {
			fprintf(stderr, "try: unknown or short operation: %s\n", argv[i]);
			return 99;
		}
		worked |= attempt(op, argv + i + 1);
		i += op->args + 1;
		if (i < argc && strcmp(argv[i++], "--"))
			return 99;
	}
	return worked ? 1 : 0;
}
