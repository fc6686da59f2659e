/* SPDX-License-Identifier: MIT */
/*
 * Raw system calls: each returns what the kernel returned, a value or -errno.
 *
 * The launcher, PID 1 and the workload's child run in one address space until the exec, so they
 * also share the C library's errno. Code that runs after the first clone therefore never goes
 * through a libc wrapper that sets it. See clone(2), "C library/kernel differences", and syscall(2),
 * "Architecture calling conventions", for the registers.
 */
#ifndef NESTBOX_MOUNTNS_SYS_H
#define NESTBOX_MOUNTNS_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "mountns/linux.h"

#if defined(__x86_64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#elif defined(__riscv) && __riscv_xlen == 64
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}
#elif defined(__arm__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r0 __asm__("r0") = a;
	register long r1 __asm__("r1") = b;
	register long r2 __asm__("r2") = c;
	register long r3 __asm__("r3") = d;
	register long r4 __asm__("r4") = e;
	register long r5 __asm__("r5") = f;

	/* r7 holds the number, but is the frame pointer in Thumb code: save it around the call. */
	__asm__ volatile("push {r7}\n\tmov r7, %1\n\tsvc #0\n\tpop {r7}"
			 : "+r"(r0)
			 : "r"(nr), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
			 : "memory");
	return r0;
}
#else
#error "nestbox knows x86-64, aarch64, armhf and riscv64"
#endif

#define SYS_P(pointer) ((long)(uintptr_t)(pointer))

/* Descriptors and files */

static inline int sys_close(int fd)
{
	return (int)sys_call(__NR_close, fd, 0, 0, 0, 0, 0);
}

static inline int sys_close_range(unsigned int first, unsigned int last)
{
	return (int)sys_call(__NR_close_range, (long)first, (long)last, 0, 0, 0, 0);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
	return sys_call(__NR_read, fd, SYS_P(buffer), (long)size, 0, 0, 0);
}

static inline long sys_write(int fd, const void *buffer, size_t size)
{
	return sys_call(__NR_write, fd, SYS_P(buffer), (long)size, 0, 0, 0);
}

/* On 32-bit machines the offset, which must fit there, is two arguments: syscall(2). */
static inline long sys_pwrite(int fd, const void *buffer, size_t size, long offset)
{
#if defined(__arm__)
	return sys_call(__NR_pwrite64, fd, SYS_P(buffer), (long)size, 0, offset, 0);
#else
	return sys_call(__NR_pwrite64, fd, SYS_P(buffer), (long)size, offset, 0, 0);
#endif
}

static inline long sys_pread(int fd, void *buffer, size_t size, long offset)
{
#if defined(__arm__)
	return sys_call(__NR_pread64, fd, SYS_P(buffer), (long)size, 0, offset, 0);
#else
	return sys_call(__NR_pread64, fd, SYS_P(buffer), (long)size, offset, 0, 0);
#endif
}

static inline int64_t sys_lseek(int fd, int64_t offset, int whence)
{
#ifdef __NR__llseek
	int64_t result;
	long error = sys_call(__NR__llseek, fd, (long)(offset >> 32), (long)(offset & UINT32_MAX),
			      SYS_P(&result), whence, 0);

	return error < 0 ? error : result;
#else
	return sys_call(__NR_lseek, fd, offset, whence, 0, 0, 0);
#endif
}

/* From and to where the descriptors are. */
static inline long sys_copy_file_range(int from, int to, size_t size)
{
	return sys_call(__NR_copy_file_range, from, 0, to, 0, (long)size, 0);
}

/* TIMES are access and modification; those of FD, which is not O_PATH. */
static inline int sys_futimens(int fd, const struct kernel_times times[2])
{
#ifdef __NR_utimensat_time64
	return (int)sys_call(__NR_utimensat_time64, fd, 0, SYS_P(times), 0, 0, 0);
#else
	return (int)sys_call(__NR_utimensat, fd, 0, SYS_P(times), 0, 0, 0);
#endif
}

/* The same by a name, whose link is followed. */
static inline int sys_utimens(int dirfd, const char *name, const struct kernel_times times[2])
{
#ifdef __NR_utimensat_time64
	return (int)sys_call(__NR_utimensat_time64, dirfd, SYS_P(name), SYS_P(times), 0, 0, 0);
#else
	return (int)sys_call(__NR_utimensat, dirfd, SYS_P(name), SYS_P(times), 0, 0, 0);
#endif
}

static inline int sys_memfd_create(const char *name, unsigned int flags)
{
	return (int)sys_call(__NR_memfd_create, SYS_P(name), (long)flags, 0, 0, 0, 0);
}

static inline int sys_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return (int)sys_call(__NR_openat, dirfd, SYS_P(path), flags, (long)mode, 0, 0);
}

static inline int sys_openat2(int dirfd, const char *path, const struct kernel_open_how *how)
{
	return (int)sys_call(__NR_openat2, dirfd, SYS_P(path), SYS_P(how), sizeof(*how), 0, 0);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
	return (int)sys_call(__NR_fcntl, fd, command, argument, 0, 0, 0);
}

static inline int sys_dup3(int fd, int number, int flags)
{
	return (int)sys_call(__NR_dup3, fd, number, flags, 0, 0, 0);
}

static inline long sys_getdents(int fd, void *records, size_t size)
{
	return sys_call(__NR_getdents64, fd, SYS_P(records), (long)size, 0, 0, 0);
}

static inline int sys_pipe2(int fds[2], int flags)
{
	return (int)sys_call(__NR_pipe2, SYS_P(fds), flags, 0, 0, 0, 0);
}

static inline int sys_statx(int dirfd, const char *path, int flags, struct kernel_statx *stat)
{
	return (int)sys_call(__NR_statx, dirfd, SYS_P(path), flags,
			     KERNEL_STATX_BASIC | KERNEL_STATX_MOUNT_ID, SYS_P(stat), 0);
}

static inline long sys_readlinkat(int dirfd, const char *path, char *buffer, size_t size)
{
	return sys_call(__NR_readlinkat, dirfd, SYS_P(path), SYS_P(buffer), (long)size, 0, 0);
}

/* LOCAL and REMOTE are each one struct iovec. */
static inline long sys_process_vm_readv(int pid, const void *local, const void *remote)
{
	return sys_call(__NR_process_vm_readv, pid, SYS_P(local), 1, SYS_P(remote), 1, 0);
}

static inline long sys_process_vm_writev(int pid, const void *local, const void *remote)
{
	return sys_call(__NR_process_vm_writev, pid, SYS_P(local), 1, SYS_P(remote), 1, 0);
}

static inline int sys_ftruncate(int fd, uint64_t length)
{
#ifdef __NR_ftruncate64
	/* Two registers, the first of which has an even number: syscall(2). */
	return (int)sys_call(__NR_ftruncate64, fd, 0, (long)(length & UINT32_MAX),
			     (long)(length >> 32), 0, 0);
#else
	return (int)sys_call(__NR_ftruncate, fd, (long)length, 0, 0, 0, 0);
#endif
}

/* With the real ids, as access(2). */
static inline int sys_faccessat(int dirfd, const char *path, int mode)
{
	return (int)sys_call(__NR_faccessat, dirfd, SYS_P(path), mode, 0, 0, 0);
}

static inline int sys_mkdirat(int dirfd, const char *path, mode_t mode)
{
	return (int)sys_call(__NR_mkdirat, dirfd, SYS_P(path), (long)mode, 0, 0, 0);
}

static inline int sys_mknodat(int dirfd, const char *path, mode_t mode)
{
	return (int)sys_call(__NR_mknodat, dirfd, SYS_P(path), (long)mode, 0, 0, 0);
}

/* FLAGS may be AT_EMPTY_PATH, for a descriptor with O_PATH, too: Linux 6.6. */
static inline int sys_fchmodat2(int dirfd, const char *path, mode_t mode, int flags)
{
	return (int)sys_call(__NR_fchmodat2, dirfd, SYS_P(path), (long)mode, flags, 0, 0);
}

static inline int sys_fchmodat(int dirfd, const char *path, mode_t mode)
{
	return (int)sys_call(__NR_fchmodat, dirfd, SYS_P(path), (long)mode, 0, 0, 0);
}

static inline int sys_fchmod(int fd, mode_t mode)
{
	return (int)sys_call(__NR_fchmod, fd, (long)mode, 0, 0, 0, 0);
}

/* FLAGS may be AT_EMPTY_PATH, for a descriptor with O_PATH, too. */
static inline int sys_fchownat(int dirfd, const char *path, uint32_t uid, uint32_t gid, int flags)
{
	return (int)sys_call(__NR_fchownat, dirfd, SYS_P(path), (long)uid, (long)gid, flags, 0);
}

static inline int sys_setxattr(const char *path, const char *name, const void *value, size_t size,
			       int flags)
{
	return (int)sys_call(__NR_setxattr, SYS_P(path), SYS_P(name), SYS_P(value), (long)size,
			     flags, 0);
}

static inline int sys_removexattr(const char *path, const char *name)
{
	return (int)sys_call(__NR_removexattr, SYS_P(path), SYS_P(name), 0, 0, 0, 0);
}

static inline int sys_unlinkat(int dirfd, const char *path, int flags)
{
	return (int)sys_call(__NR_unlinkat, dirfd, SYS_P(path), flags, 0, 0, 0);
}

static inline int sys_symlinkat(const char *target, int dirfd, const char *path)
{
	return (int)sys_call(__NR_symlinkat, SYS_P(target), dirfd, SYS_P(path), 0, 0, 0);
}

/* The f_type of statfs(2), or -errno. */
static inline long sys_filesystem_type(int fd)
{
	long buffer[32]; /* larger than any struct statfs, whose first member is f_type */
	long error;

#ifdef __NR_fstatfs64
	/* 88 bytes is what the 32-bit ARM kernel takes: arch/arm/kernel/sys_oabi-compat.c */
	error = sys_call(__NR_fstatfs64, fd, 88, SYS_P(buffer), 0, 0, 0);
#else
	error = sys_call(__NR_fstatfs, fd, SYS_P(buffer), 0, 0, 0, 0);
#endif
	return error < 0 ? error : buffer[0];
}

/* The f_flags of statfs(2), which are those of the mount that FD is on, or -errno. */
static inline long sys_mount_flags(int fd)
{
#ifdef __NR_fstatfs64
	uint32_t buffer[32]; /* f_flags is behind two words, five 64-bit counts and four words */
	long error = sys_call(__NR_fstatfs64, fd, 88, SYS_P(buffer), 0, 0, 0);

	return error < 0 ? error : (long)buffer[16];
#else
	long buffer[32]; /* f_flags is the eleventh long */
	long error = sys_call(__NR_fstatfs, fd, SYS_P(buffer), 0, 0, 0, 0);

	return error < 0 ? error : buffer[10];
#endif
}

/* Whether FD is on a read-only mount. Returns 1, 0 or -errno. */
static inline int sys_is_read_only(int fd)
{
	long flags = sys_mount_flags(fd);

	return flags < 0 ? (int)flags : (int)(flags & KERNEL_ST_RDONLY);
}

static inline int sys_fchdir(int fd)
{
	return (int)sys_call(__NR_fchdir, fd, 0, 0, 0, 0, 0);
}

static inline int sys_chdir(const char *path)
{
	return (int)sys_call(__NR_chdir, SYS_P(path), 0, 0, 0, 0, 0);
}

static inline mode_t sys_umask(mode_t mask)
{
	return (mode_t)sys_call(__NR_umask, (long)mask, 0, 0, 0, 0, 0);
}

static inline int sys_chroot(const char *path)
{
	return (int)sys_call(__NR_chroot, SYS_P(path), 0, 0, 0, 0, 0);
}

/* Mounts: the descriptor based calls of Linux 5.2 and 5.12, and the old ones. */

static inline int sys_mount(const char *source, const char *target, const char *type,
			    unsigned long flags)
{
	return (int)sys_call(__NR_mount, SYS_P(source), SYS_P(target), SYS_P(type), (long)flags, 0,
			     0);
}

/* With the options of the file system: mount(2), "data". */
static inline int sys_mount_data(const char *source, const char *target, const char *type,
				 unsigned long flags, const char *data)
{
	return (int)sys_call(__NR_mount, SYS_P(source), SYS_P(target), SYS_P(type), (long)flags,
			     SYS_P(data), 0);
}

static inline int sys_umount2(const char *target, int flags)
{
	return (int)sys_call(__NR_umount2, SYS_P(target), flags, 0, 0, 0, 0);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)sys_call(__NR_pivot_root, SYS_P(new_root), SYS_P(put_old), 0, 0, 0, 0);
}

static inline int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)sys_call(__NR_open_tree, dirfd, SYS_P(path), (long)flags, 0, 0, 0);
}

static inline int sys_mount_setattr(int dirfd, const char *path, unsigned int flags,
				    const struct kernel_mount_attr *attr)
{
	return (int)sys_call(__NR_mount_setattr, dirfd, SYS_P(path), (long)flags, SYS_P(attr),
			     sizeof(*attr), 0);
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path,
				 unsigned int flags)
{
	return (int)sys_call(__NR_move_mount, from, SYS_P(from_path), to, SYS_P(to_path),
			     (long)flags, 0);
}

static inline int sys_fsopen(const char *type, unsigned int flags)
{
	return (int)sys_call(__NR_fsopen, SYS_P(type), (long)flags, 0, 0, 0, 0);
}

static inline int sys_fsconfig(int fd, unsigned int command, const char *key, const char *value)
{
	return (int)sys_call(__NR_fsconfig, fd, (long)command, SYS_P(key), SYS_P(value), 0, 0);
}

static inline int sys_fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	return (int)sys_call(__NR_fsmount, fd, (long)flags, (long)attributes, 0, 0, 0);
}

/* Processes and signals. Signal sets are the kernel's: 64 bits. */

static inline _Noreturn void sys_exit_group(int code)
{
	sys_call(__NR_exit_group, code, 0, 0, 0, 0, 0);
	/* A filter of the caller's may forbid even that: then a fault ends the process. */
	__builtin_trap();
}

static inline int sys_getpid(void)
{
	return (int)sys_call(__NR_getpid, 0, 0, 0, 0, 0, 0);
}

static inline int sys_getppid(void)
{
	return (int)sys_call(__NR_getppid, 0, 0, 0, 0, 0, 0);
}

static inline int sys_unshare(unsigned long flags)
{
	return (int)sys_call(__NR_unshare, (long)flags, 0, 0, 0, 0, 0);
}

static inline int sys_setns(int fd, unsigned long kind)
{
	return (int)sys_call(__NR_setns, fd, (long)kind, 0, 0, 0, 0);
}

static inline int sys_setsid(void)
{
	return (int)sys_call(__NR_setsid, 0, 0, 0, 0, 0, 0);
}

static inline int sys_setpgid(int pid, int group)
{
	return (int)sys_call(__NR_setpgid, pid, group, 0, 0, 0, 0);
}

static inline int sys_getsid(int pid)
{
	return (int)sys_call(__NR_getsid, pid, 0, 0, 0, 0, 0);
}

static inline int sys_getpgid(int pid)
{
	return (int)sys_call(__NR_getpgid, pid, 0, 0, 0, 0, 0);
}

static inline int sys_kill(int pid, int signal)
{
	return (int)sys_call(__NR_kill, pid, signal, 0, 0, 0, 0);
}

static inline int sys_tgkill(int process, int thread, int signal)
{
	return (int)sys_call(__NR_tgkill, process, thread, signal, 0, 0, 0);
}

static inline int sys_wait4(int pid, int *status, int flags)
{
	return (int)sys_call(__NR_wait4, pid, SYS_P(status), flags, 0, 0, 0);
}

static inline int sys_waitid(int kind, int id, void *siginfo, int flags)
{
	return (int)sys_call(__NR_waitid, kind, id, SYS_P(siginfo), flags, 0, 0);
}

/* Numbers or pointers, as the request wants them. */
static inline int sys_ptrace(unsigned int request, int tid, uintptr_t address, uintptr_t data)
{
	return (int)sys_call(__NR_ptrace, (long)request, tid, (long)address, (long)data, 0, 0);
}

static inline int sys_pidfd_open(int pid)
{
	return (int)sys_call(__NR_pidfd_open, pid, 0, 0, 0, 0, 0);
}

/* FLAGS may be PIDFD_THREAD. */
static inline int sys_pidfd_open_flags(int pid, unsigned int flags)
{
	return (int)sys_call(__NR_pidfd_open, pid, (long)flags, 0, 0, 0, 0);
}

/* A descriptor of ours for the open file of the process's descriptor FD; closed on exec. */
static inline int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)sys_call(__NR_pidfd_getfd, pidfd, fd, 0, 0, 0, 0);
}

/* OLD may be NULL. */
static inline int sys_sigprocmask(int how, const uint64_t *set, uint64_t *old)
{
	return (int)sys_call(__NR_rt_sigprocmask, how, SYS_P(set), SYS_P(old), sizeof(*set), 0, 0);
}

static inline int sys_sigpending(uint64_t *set)
{
	return (int)sys_call(__NR_rt_sigpending, SYS_P(set), sizeof(*set), 0, 0, 0, 0);
}

/* OLD may be NULL. */
static inline int sys_sigaction(int signal, const struct kernel_sigaction *action,
				struct kernel_sigaction *old)
{
	return (int)sys_call(__NR_rt_sigaction, signal, SYS_P(action), SYS_P(old), sizeof(uint64_t),
			     0, 0);
}

/* Without a TIMEOUT it waits for ever. */
static inline int sys_sigtimedwait(const uint64_t *set, void *siginfo,
				   const struct kernel_timespec *timeout)
{
	return (int)sys_call(__NR_rt_sigtimedwait, SYS_P(set), SYS_P(siginfo), SYS_P(timeout),
			     sizeof(*set), 0, 0);
}

/* ITIMER_REAL: SIGALRM after and every so many microseconds; 0: no more. Less than a second. */
static inline int sys_set_alarms(long microseconds)
{
	const long value[4] = { 0, microseconds, 0, microseconds };

	return (int)sys_call(__NR_setitimer, 0, SYS_P(value), 0, 0, 0, 0);
}

static inline int sys_signalfd(const uint64_t *set, int flags)
{
	return (int)sys_call(__NR_signalfd4, -1, SYS_P(set), sizeof(*set), flags, 0, 0);
}

static inline int sys_ppoll(void *fds, unsigned int count, const struct kernel_timespec *timeout)
{
	return (int)sys_call(__NR_ppoll, SYS_P(fds), (long)count, SYS_P(timeout), 0, 0, 0);
}

static inline int sys_execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)sys_call(__NR_execve, SYS_P(path), SYS_P(argv), SYS_P(envp), 0, 0, 0);
}

/* Executes the file that FD is open on. */
static inline int sys_execveat(int fd, char *const argv[], char *const envp[])
{
	return (int)sys_call(__NR_execveat, fd, SYS_P(""), SYS_P(argv), SYS_P(envp), AT_EMPTY_PATH,
			     0);
}

static inline int sys_pidfd_send_signal(int pidfd, int signal)
{
	return (int)sys_call(__NR_pidfd_send_signal, pidfd, signal, 0, 0, 0, 0);
}

/* Rights */

static inline int sys_prctl(int option, unsigned long a, unsigned long b)
{
	return (int)sys_call(__NR_prctl, option, (long)a, (long)b, 0, 0, 0);
}

static inline int sys_capset(const struct kernel_cap_header *header,
			     const struct kernel_cap_data data[2])
{
	return (int)sys_call(__NR_capset, SYS_P(header), SYS_P(data), 0, 0, 0, 0);
}

static inline int sys_capget(const struct kernel_cap_header *header, struct kernel_cap_data data[2])
{
	return (int)sys_call(__NR_capget, SYS_P(header), SYS_P(data), 0, 0, 0, 0);
}

/* keyctl(2) with KEYCTL_JOIN_SESSION_KEYRING and no name: a new one. */
static inline int sys_join_session_keyring(void)
{
	return (int)sys_call(__NR_keyctl, 1, 0, 0, 0, 0, 0);
}

/* request_key(2) without a type: EFAULT where the kernel has keys. */
static inline int sys_request_no_key(void)
{
	return (int)sys_call(__NR_request_key, 0, 0, 0, 0, 0, 0);
}

/* prctl(2) with PR_CAP_AMBIENT, which wants its other arguments to be 0. */
static inline int sys_raise_ambient(unsigned long capability)
{
	return (int)sys_call(__NR_prctl, 47, 2, (long)capability, 0, 0, 0);
}

static inline int sys_seccomp(unsigned int operation, unsigned int flags, const void *argument)
{
	return (int)sys_call(__NR_seccomp, (long)operation, (long)flags, SYS_P(argument), 0, 0, 0);
}

static inline int sys_landlock_create_ruleset(const void *attr, size_t size, unsigned int flags)
{
	return (int)sys_call(__NR_landlock_create_ruleset, SYS_P(attr), (long)size, (long)flags, 0,
			     0, 0);
}

static inline int sys_landlock_add_rule(int ruleset, unsigned int kind, const void *attr)
{
	return (int)sys_call(__NR_landlock_add_rule, ruleset, (long)kind, SYS_P(attr), 0, 0, 0);
}

static inline int sys_landlock_restrict_self(int ruleset)
{
	return (int)sys_call(__NR_landlock_restrict_self, ruleset, 0, 0, 0, 0, 0);
}

static inline int sys_setrlimit(int resource, const struct kernel_rlimit *limit)
{
	return (int)sys_call(__NR_prlimit64, 0, resource, SYS_P(limit), 0, 0, 0);
}

/* Of another process. */
static inline int sys_getrlimit_of(int pid, int resource, struct kernel_rlimit *limit)
{
	return (int)sys_call(__NR_prlimit64, pid, resource, 0, SYS_P(limit), 0, 0);
}

static inline int sys_getrlimit(int resource, struct kernel_rlimit *limit)
{
	return (int)sys_call(__NR_prlimit64, 0, resource, 0, SYS_P(limit), 0, 0);
}

static inline int sys_sethostname(const char *name, size_t length)
{
	return (int)sys_call(__NR_sethostname, SYS_P(name), (long)length, 0, 0, 0, 0);
}

static inline int sys_getuid(void)
{
#ifdef __NR_getuid32
	return (int)sys_call(__NR_getuid32, 0, 0, 0, 0, 0, 0);
#else
	return (int)sys_call(__NR_getuid, 0, 0, 0, 0, 0, 0);
#endif
}

static inline uint32_t sys_geteuid(void)
{
#ifdef __NR_geteuid32
	return (uint32_t)sys_call(__NR_geteuid32, 0, 0, 0, 0, 0, 0);
#else
	return (uint32_t)sys_call(__NR_geteuid, 0, 0, 0, 0, 0, 0);
#endif
}

static inline int sys_setresuid(uint32_t id)
{
#ifdef __NR_setresuid32
	return (int)sys_call(__NR_setresuid32, (long)id, (long)id, (long)id, 0, 0, 0);
#else
	return (int)sys_call(__NR_setresuid, (long)id, (long)id, (long)id, 0, 0, 0);
#endif
}

static inline int sys_setresgid(uint32_t id)
{
#ifdef __NR_setresgid32
	return (int)sys_call(__NR_setresgid32, (long)id, (long)id, (long)id, 0, 0, 0);
#else
	return (int)sys_call(__NR_setresgid, (long)id, (long)id, (long)id, 0, 0, 0);
#endif
}

static inline int sys_setgroups(size_t count, const uint32_t *groups)
{
#ifdef __NR_setgroups32
	return (int)sys_call(__NR_setgroups32, (long)count, SYS_P(groups), 0, 0, 0, 0);
#else
	return (int)sys_call(__NR_setgroups, (long)count, SYS_P(groups), 0, 0, 0, 0);
#endif
}

/* The ids that files are made with. They return the old one. */
static inline int sys_setfsuid(uint32_t id)
{
#ifdef __NR_setfsuid32
	return (int)sys_call(__NR_setfsuid32, (long)id, 0, 0, 0, 0, 0);
#else
	return (int)sys_call(__NR_setfsuid, (long)id, 0, 0, 0, 0, 0);
#endif
}

static inline int sys_setfsgid(uint32_t id)
{
#ifdef __NR_setfsgid32
	return (int)sys_call(__NR_setfsgid32, (long)id, 0, 0, 0, 0, 0);
#else
	return (int)sys_call(__NR_setfsgid, (long)id, 0, 0, 0, 0, 0);
#endif
}

/* How many supplementary groups this process has. */
static inline int sys_count_groups(void)
{
#ifdef __NR_getgroups32
	return (int)sys_call(__NR_getgroups32, 0, 0, 0, 0, 0, 0);
#else
	return (int)sys_call(__NR_getgroups, 0, 0, 0, 0, 0, 0);
#endif
}

static inline int sys_getgid(void)
{
#ifdef __NR_getgid32
	return (int)sys_call(__NR_getgid32, 0, 0, 0, 0, 0, 0);
#else
	return (int)sys_call(__NR_getgid, 0, 0, 0, 0, 0, 0);
#endif
}

static inline int sys_socketpair(int family, int type, int fds[2])
{
	return (int)sys_call(__NR_socketpair, family, type, 0, SYS_P(fds), 0, 0);
}

static inline int sys_socket(int family, int type)
{
	return (int)sys_call(__NR_socket, family, type, 0, 0, 0, 0);
}

static inline long sys_sendmsg(int fd, const struct kernel_msghdr *message, int flags)
{
	return sys_call(__NR_sendmsg, fd, SYS_P(message), flags, 0, 0, 0);
}

static inline long sys_recvmsg(int fd, struct kernel_msghdr *message, int flags)
{
	return sys_call(__NR_recvmsg, fd, SYS_P(message), flags, 0, 0, 0);
}

static inline int sys_ioctl(int fd, unsigned long request, void *argument)
{
	return (int)sys_call(__NR_ioctl, fd, (long)request, SYS_P(argument), 0, 0, 0);
}

/* The other end of the pseudo terminal whose master is MASTER: TIOCGPTPEER of ioctl_tty(2), Linux 4.13. */
static inline int sys_open_peer(int master, int flags)
{
	return (int)sys_call(__NR_ioctl, master, 0x5441, flags, 0, 0, 0);
}

#endif
