/* SPDX-License-Identifier: MIT */
/* What each profile must say, written by hand: whole calls in calls.def, and here those where
 * arguments count. For filter_test.c, which runs the filters, and profiles_test.c. */
#ifndef TESTS_UNIT_EXPECT_H
#define TESTS_UNIT_EXPECT_H

#include "filters/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>

enum which {
	DEFAULT,
	STRICT,
	NETWORK,
	NONE,
	DEFAULT_USERNS,
	PID1,
	INIT,
	TSC,
	TCP,
	LOCAL,
	UNBOXED,
	OWNED,
	ATTRIBUTES,
	GUARD,
	ONCE,
	APPEND,
	LISTENER,
	COW,
	COW_LISTENER,
	PROFILE_COUNT
};

static const char *const profile_files[PROFILE_COUNT] = {
	[DEFAULT] = "default.profile",
	[STRICT] = "strict.profile",
	[NETWORK] = "network.profile",
	[NONE] = "none.profile",
	[DEFAULT_USERNS] = "default_userns.profile",
	[PID1] = "pid1.profile",
	[INIT] = "init.profile",
	[TSC] = "tsc.profile",
	[TCP] = "tcp.profile",
	[LOCAL] = "local.profile",
	[UNBOXED] = "unboxed.profile",
	[OWNED] = "owned.profile",
	[ATTRIBUTES] = "attributes.profile",
	[GUARD] = "guard.profile",
	[ONCE] = "once.profile",
	[APPEND] = "append.profile",
	[LISTENER] = "listener.profile",
	[COW] = "cow.profile",
	[COW_LISTENER] = "cow_listener.profile",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RET(error) (SECCOMP_RET_ERRNO | (error))
#define ALL 0xfU
#define X86 (1U << ARCH_X86_64)
#define ARM (1U << ARCH_ARM)
#define RISCV (1U << ARCH_RISCV64)
#define BITS64 (ALL & ~ARM)
#define HIGH 0x100000000ULL
#define HIGHER 0xffffffff00000000ULL
#define ALLOW SECCOMP_RET_ALLOW
#define NOTIFY SECCOMP_RET_USER_NOTIF

/* What the default profile must say, whatever else changes in it. */
struct row {
	const char *name;
	unsigned arches;
	uint32_t verdict;
	uint64_t args[6];
};

static const struct row default_rows[] = {
	/* The terminal, also with bits that the kernel does not look at. */
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 | HIGH } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 | 0xffffffff00000000 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541c } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541c | HIGH } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541d } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5423 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x5401 } }, /* TCGETS */
	{ "ioctl", ALL, ALLOW, { 0, 0x5413 } }, /* TIOCGWINSZ */
	{ "ioctl", ALL, ALLOW, { 0, 0x541b } }, /* FIONREAD */
	{ "ioctl", ALL, ALLOW, { 0, 0x5421 } }, /* FIONBIO */
	{ "ioctl", ALL, ALLOW, { 0x5412, 0x5401, 0x5412 } },

	/* What outlasts the box on a file. */
	{ "ioctl", ALL, RET(EPERM), { 3, 1 } },          /* FIBMAP */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x40086602 } }, /* FS_IOC_SETFLAGS */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x40046602 } },
	{ "ioctl", ALL, RET(EPERM), { 3, 0xffffffff40086602 } }, /* as a negative int */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x401c5820 } },         /* FS_IOC_FSSETXATTR */
	{ "ioctl", ALL, RET(EPERM), { 3, 0xc0045877 } },         /* FIFREEZE */
	{ "ioctl", ALL, ALLOW, { 3, 0x80086601 } },              /* FS_IOC_GETFLAGS */
	{ "ioctl", ALL, ALLOW, { 3, 0x40049409 } },              /* FICLONE */
	{ "file_setattr", ALL, RET(EPERM), { 0 } },
	{ "file_getattr", ALL, ALLOW, { 0 } },

	/* Namespaces. */
	{ "clone", ALL, ALLOW, { 17 } },                   /* fork */
	{ "clone", ALL, ALLOW, { 0x3d0f00 } },             /* a thread */
	{ "clone", ALL, ALLOW, { 0x4111 } },               /* vfork */
	{ "clone", ALL, RET(EPERM), { 0x00020000 | 17 } }, /* NEWNS */
	{ "clone", ALL, RET(EPERM), { 0x02000000 | 17 } }, /* NEWCGROUP */
	{ "clone", ALL, RET(EPERM), { 0x04000000 | 17 } }, /* NEWUTS */
	{ "clone", ALL, RET(EPERM), { 0x08000000 | 17 } }, /* NEWIPC */
	{ "clone", ALL, RET(EPERM), { 0x10000000 | 17 } }, /* NEWUSER */
	{ "clone", ALL, RET(EPERM), { 0x20000000 | 17 } }, /* NEWPID */
	{ "clone", ALL, RET(EPERM), { 0x40000000 | 17 } }, /* NEWNET */
	{ "clone", ALL, RET(EPERM), { 0x10000000 | HIGH | 17 } },
	{ "clone3", ALL, RET(ENOSYS), { 0 } },
	{ "unshare", ALL, RET(EPERM), { 0 } },
	{ "unshare", ALL, RET(EPERM), { 0x80 } },
	{ "setns", ALL, RET(EPERM), { 0 } },

	/* Mounts, by the old calls and the new. */
	{ "mount", ALL, RET(EPERM), { 0 } },
	{ "umount2", ALL, RET(EPERM), { 0 } },
	{ "pivot_root", ALL, RET(EPERM), { 0 } },
	{ "chroot", ALL, RET(EPERM), { 0 } },
	{ "open_tree", ALL, RET(EPERM), { 0 } },
	{ "open_tree_attr", ALL, RET(EPERM), { 0 } },
	{ "move_mount", ALL, RET(EPERM), { 0 } },
	{ "fsopen", ALL, RET(EPERM), { 0 } },
	{ "fsconfig", ALL, RET(EPERM), { 0 } },
	{ "fsmount", ALL, RET(EPERM), { 0 } },
	{ "fspick", ALL, RET(EPERM), { 0 } },
	{ "mount_setattr", ALL, RET(EPERM), { 0 } },
	{ "open_by_handle_at", ALL, RET(EPERM), { 0 } },

	/* The rest of what is known to be bad. */
	{ "io_uring_setup", ALL, RET(EPERM), { 0 } },
	{ "io_uring_enter", ALL, RET(EPERM), { 0 } },
	{ "io_uring_register", ALL, RET(EPERM), { 0 } },
	{ "add_key", ALL, RET(EPERM), { 0 } },
	{ "request_key", ALL, RET(EPERM), { 0 } },
	{ "keyctl", ALL, RET(EPERM), { 0 } },
	{ "bpf", ALL, RET(EPERM), { 0 } },
	{ "perf_event_open", ALL, RET(EPERM), { 0 } },
	{ "userfaultfd", ALL, RET(EPERM), { 0 } },
	{ "kexec_load", ALL, RET(EPERM), { 0 } },
	{ "init_module", ALL, RET(EPERM), { 0 } },
	{ "finit_module", ALL, RET(EPERM), { 0 } },
	{ "reboot", ALL, RET(EPERM), { 0 } },
	{ "swapon", ALL, RET(EPERM), { 0 } },
	{ "settimeofday", ALL, RET(EPERM), { 0 } },
	{ "clock_settime64", ARM, RET(EPERM), { 0 } },
	{ "ptrace", ALL, RET(EPERM), { 0 } },
	{ "ptrace", ALL, RET(EPERM), { 16, 1 } },
	{ "process_vm_readv", ALL, RET(EPERM), { 0 } },
	{ "process_vm_writev", ALL, RET(EPERM), { 0 } },
	{ "kcmp", ALL, RET(EPERM), { 0 } },
	{ "pidfd_getfd", ALL, RET(EPERM), { 0 } },
	{ "modify_ldt", X86, RET(EPERM), { 0 } },
	{ "ioperm", X86, RET(EPERM), { 0 } },

	/* Sockets. */
	{ "socket", ALL, ALLOW, { 1, 1 } },
	{ "socket", ALL, ALLOW, { 1, 5, 0 } },
	{ "socket", ALL, ALLOW, { 2, 1 | 02000000, 6 } },
	{ "socket", ALL, ALLOW, { 10, 2 | 04000, 0 } },
	{ "socket", ALL, ALLOW, { 2, 2, 1 } },                   /* unprivileged ping */
	{ "socket", ALL, ALLOW, { 2, 1, 262 } },                 /* Go listens with MPTCP */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 1, 132 } },  /* SCTP */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 5, 0 } },    /* SCTP again */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 6, 33 } },   /* DCCP */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 10, 2, 115 } }, /* L2TP */
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 10 | HIGH, 2, 115 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 16, 3 } }, /* NETLINK */
	{ "socket", ALL, RET(EAFNOSUPPORT), { 17, 3 } }, /* PACKET */
	{ "socket", ALL, RET(EAFNOSUPPORT), { 33, 2 } }, /* RXRPC */
	{ "socket", ALL, RET(EAFNOSUPPORT), { 38, 5 } }, /* ALG */
	{ "socket", ALL, RET(EAFNOSUPPORT), { 38 | HIGH, 5 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 40, 1 } }, /* VSOCK */
	{ "socketpair", ALL, ALLOW, { 1, 1 } },
	{ "socketpair", ALL, RET(EOPNOTSUPP), { 30, 1 } }, /* TIPC */

	/* Devices. */
	{ "mknodat", ALL, ALLOW, { 0, 0, 0100644 } },
	{ "mknodat", ALL, ALLOW, { 0, 0, 0010600 } },
	{ "mknodat", ALL, RET(EPERM), { 0, 0, 0020600 } },
	{ "mknodat", ALL, RET(EPERM), { 0, 0, 0060600 | HIGH } },
	{ "mknod", X86, RET(EPERM), { 0, 0020600 } },

	{ "personality", ALL, ALLOW, { 0 } },
	{ "personality", ALL, ALLOW, { 0xffffffff } },
	{ "personality", ALL, ALLOW, { 0x0040000 } },
	{ "personality", ALL, RET(EPERM), { 0x0100000 } }, /* MMAP_PAGE_ZERO */
	{ "personality", ALL, RET(EPERM), { 0x0400000 } }, /* READ_IMPLIES_EXEC */

	/* What every program needs. */
	{ "execve", ALL, ALLOW, { 0 } },
	{ "openat", ALL, ALLOW, { 0 } },
	{ "futex", ALL, ALLOW, { 0 } },
	{ "rseq", ALL, ALLOW, { 0 } },
	{ "statx", ALL, ALLOW, { 0 } },
	{ "futex_time64", ARM, ALLOW, { 0 } },
	{ "set_tls", ARM, ALLOW, { 0 } },
	{ "cacheflush", ARM, ALLOW, { 0 } },
	{ "riscv_hwprobe", RISCV, ALLOW, { 0 } },
	{ "riscv_flush_icache", RISCV, ALLOW, { 0 } },
	{ "seccomp", ALL, ALLOW, { 1, 8 } },
	{ "setxattrat", ALL, ALLOW, { 0 } },

	/* Each of the other requests. */
	{ "ioctl", ALL, RET(EPERM), { 0, 0x540c } }, /* TIOCEXCL */
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541d | HIGH } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5423 | HIGH } },
	{ "ioctl", ALL, ALLOW, { 0, 0x540d } },
	{ "ioctl", ALL, RET(EPERM), { 3, 0xc0045878 } }, /* FITHAW */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x40087602 } }, /* FS_IOC_SETVERSION */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x40047602 } },
	{ "ioctl", ALL, RET(EPERM), { 3, 0x40806685 } }, /* FS_IOC_ENABLE_VERITY */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x50009401 } }, /* btrfs: snapshots, subvolumes */
	{ "ioctl", ALL, RET(EPERM), { 3, 0x5000940e } },
	{ "ioctl", ALL, RET(EPERM), { 3, 0x50009417 } },
	{ "ioctl", ALL, RET(EPERM), { 3, 0x50009418 } },
	{ "ioctl", ALL, RET(EPERM), { 3, 0x50009418 | HIGH } },
	{ "ioctl", ALL, ALLOW, { 0x540c, 0 } },

	{ "clone", ALL, RET(EPERM), { 0x7e020000 | 0x100 } },
	{ "clone", ALL, ALLOW, { 0x1fdff | HIGH, 0x7e020000 } },
	{ "clone", ALL, ALLOW, { 0x01dc0000 } },
	{ "clone", ALL, ALLOW, { 0x80000000 } },

	{ "mknod", X86, ALLOW, { 0, 0100644 } },
	{ "mknod", X86, ALLOW, { 0, 0140600 } },
	{ "mknod", X86, ALLOW, { 0, 0010600, 0020000 } },
	{ "mknod", X86, ALLOW, { 0020600, 0600 } },
	{ "mknod", X86, RET(EPERM), { 0, 0060777 } },
	{ "mknodat", ALL, ALLOW, { 0, 0020600, 0140600 } },
	{ "mknodat", ALL, ALLOW, { 0, 0, 0 } },
	{ "mknodat", ALL, ALLOW, { 0, 0, 0120777 } },
	{ "mknodat", ALL, ALLOW, { 0, 0, 0000400 } },
	{ "mknodat", ALL, RET(EPERM), { 0, 0, 0067777 } },
	{ "mknodat", ALL, RET(EPERM), { 0, 0, 0027377 } },

	{ "socket", ALL, ALLOW, { 1 | HIGH, 3 } },
	{ "socket", ALL, ALLOW, { 2 | HIGH, 3 | HIGH, 1 | HIGH } },
	{ "socket", ALL, ALLOW, { 2, 3, 17 } },
	{ "socket", ALL, ALLOW, { 2, 3 | 04000, 0 } },
	{ "socket", ALL, ALLOW, { 10, 3, 58 } },
	{ "socket", ALL, ALLOW, { 10, 1 | 02000000, 6 } },
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 0, 0 } },
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 4, 0 } },
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 10, 10, 0 } },
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 3, 2 } },
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 3, 255 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 0, 1 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 3, 2 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 11, 2 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 0x10001, 1 } },
	{ "socketpair", ALL, ALLOW, { 1 | HIGH, 1 } },
	{ "socketpair", ALL, RET(EOPNOTSUPP), { 2, 1 } },

	{ "fcntl", ALL, RET(EPERM), { 3, 10, 9 } }, /* F_SETSIG */
	{ "fcntl", ALL, RET(EPERM), { 3, 10 | HIGH, 9 } },
	{ "fcntl", ALL, ALLOW, { 10, 4, 10 } },
	{ "fcntl", ALL, ALLOW, { 3, 11 } },
	{ "fcntl64", ARM, RET(EPERM), { 3, 10, 9 } },
	{ "fcntl64", ARM, ALLOW, { 10, 9 } },

	/* Process 1. */
	{ "prlimit64", ALL, RET(EPERM), { 1, 0, 1 } },
	{ "prlimit64", ALL, RET(EPERM), { 1 | HIGH, 0, 1 } },
	{ "prlimit64", ALL, ALLOW, { 0, 1 } },
	{ "prlimit64", ALL, ALLOW, { 2, 1 } },
	{ "sched_setaffinity", ALL, RET(EPERM), { 1 } },
	{ "sched_setaffinity", ALL, ALLOW, { 0, 1 } },
	{ "sched_setattr", ALL, RET(EPERM), { 1 | HIGH } },
	{ "sched_setattr", ALL, ALLOW, { 0, 1 } },
	{ "sched_setparam", ALL, RET(EPERM), { 1 } },
	{ "sched_setparam", ALL, ALLOW, { 0, 1 } },
	{ "sched_setscheduler", ALL, RET(EPERM), { 1 } },
	{ "sched_setscheduler", ALL, ALLOW, { 0, 1 } },
	{ "setpriority", ALL, RET(EPERM), { 1, 0 } },
	{ "setpriority", ALL, RET(EPERM), { 2, 0 } },
	{ "setpriority", ALL, RET(EPERM), { 2 | HIGH, 0 } },
	{ "setpriority", ALL, RET(EPERM), { 0, 1 } },
	{ "setpriority", ALL, RET(EPERM), { 0, 1 | HIGH } },
	{ "setpriority", ALL, ALLOW, { 0, 0, 1 } },
	{ "setpriority", ALL, ALLOW, { 0, 2 } },
	{ "ioprio_set", ALL, RET(EPERM), { 2, 0 } },
	{ "ioprio_set", ALL, RET(EPERM), { 3, 0 } },
	{ "ioprio_set", ALL, RET(EPERM), { 3 | HIGH, 0 } },
	{ "ioprio_set", ALL, RET(EPERM), { 1, 1 } },
	{ "ioprio_set", ALL, RET(EPERM), { 1, 1 | HIGH } },
	{ "ioprio_set", ALL, ALLOW, { 1, 0, 1 } },
	{ "ioprio_set", ALL, ALLOW, { 1, 2 } },

	{ "personality", ALL, ALLOW, { 0x8 } },
	{ "personality", ALL, ALLOW, { 0x0020000 } },
	{ "personality", ALL, ALLOW, { 0x0060008 | HIGH } },
	{ "personality", ALL, ALLOW, { 0xffffffff | HIGH } },
	{ "personality", ALL, RET(EPERM), { 0xfffffffe } },
	{ "personality", ALL, RET(EPERM), { 0x1 } },
	{ "personality", ALL, RET(EPERM), { 0x10 } },
	{ "personality", ALL, RET(EPERM), { 0x100 } },
	{ "personality", ALL, RET(EPERM), { 0x10000 } },

	{ "madvise", ALL, RET(EINVAL), { 0, 0, 12 } }, /* MADV_MERGEABLE */
	{ "madvise", ALL, RET(EINVAL), { 0, 0, 12 | HIGH } },
	{ "madvise", ALL, ALLOW, { 0, 12, 4 } },
	{ "madvise", ALL, ALLOW, { 0, 0, 13 } },

	{ "prctl", ALL, ALLOW, { 0 } },
	{ "prctl", ALL, ALLOW, { 1 } },  /* PR_SET_PDEATHSIG */
	{ "prctl", ALL, ALLOW, { 15 } }, /* PR_SET_NAME */
	{ "prctl", ALL, ALLOW, { 22 } }, /* PR_SET_SECCOMP */
	{ "prctl", ALL, ALLOW, { 34 } },
	{ "prctl", ALL, RET(EPERM), { 35 } }, /* PR_SET_MM */
	{ "prctl", ALL, RET(EPERM), { 35 | HIGH } },
	{ "prctl", ALL, ALLOW, { 36, 35 } },
	{ "prctl", ALL, ALLOW, { 38 } }, /* PR_SET_NO_NEW_PRIVS */
	{ "prctl", ALL, ALLOW, { 59 } }, /* PR_SET_SYSCALL_USER_DISPATCH */
	{ "prctl", ALL, ALLOW, { 61 } },
	{ "prctl", ALL, RET(EINVAL), { 62 } }, /* PR_SCHED_CORE */
	{ "prctl", ALL, RET(EINVAL), { 62 | HIGH } },
	{ "prctl", ALL, ALLOW, { 63 } },
	{ "prctl", ALL, ALLOW, { 66 } },
	{ "prctl", ALL, RET(EINVAL), { 67 } }, /* PR_SET_MEMORY_MERGE */
	{ "prctl", ALL, RET(EINVAL), { 68 } },
	{ "prctl", ALL, ALLOW, { 69 } },
	{ "prctl", ALL, ALLOW, { 79 | HIGH } }, /* PR_RSEQ_SLICE_EXTENSION */
	{ "prctl", ALL, RET(EINVAL), { 80 } },
	{ "prctl", ALL, RET(EINVAL), { 0xffffffff } },
	{ "prctl", ALL, RET(EINVAL), { 0x59616d61 } }, /* PR_SET_PTRACER */
	{ "prctl", ALL, ALLOW, { 0x53564d41 } },       /* PR_SET_VMA */
	{ "prctl", ALL, RET(EINVAL), { 0x53564d42 } },
};

static const struct row strict_rows[] = {
	{ "clone", ALL, ALLOW, { 0x3d0f00 } }, /* a thread */
	{ "clone", ALL, ALLOW, { 0x3d0f00 | HIGH } },
	{ "clone", ALL, RET(EPERM), { 17 } },
	{ "clone", ALL, RET(EPERM), { 17, 0x10000 } },
	{ "clone", ALL, RET(EPERM), { 0x4111 } },
	{ "clone", ALL, RET(EPERM), { 0x3d0f00 | 0x00020000 } },
	{ "clone", ALL, RET(EPERM), { 0x3d0f00 | 0x02000000 } },
	{ "clone", ALL, RET(EPERM), { 0x3d0f00 | 0x04000000 } },
	{ "clone", ALL, RET(EPERM), { 0x3d0f00 | 0x08000000 } },
	{ "clone", ALL, RET(EPERM), { 0x3d0f00 | 0x10000000 } },
	{ "clone", ALL, RET(EPERM), { 0x3d0f00 | 0x20000000 } },
	{ "clone", ALL, RET(EPERM), { 0x3d0f00 | 0x40000000 } },

	{ "socket", ALL, RET(EAFNOSUPPORT), { 1, 1 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 2, 1 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 16, 3 } },
	{ "socketpair", ALL, RET(EOPNOTSUPP), { 1, 1 } },

	{ "open", X86 | ARM, ALLOW, { 0, 0, 0100 } },
	{ "open", X86 | ARM, ALLOW, { 0100, 0x80000 | 01002 } }, /* O_CLOEXEC | O_TRUNC | O_RDWR */
	{ "open", X86 | ARM, RET(EPERM), { 0, 0101 } },
	{ "open", X86 | ARM, RET(EPERM), { 0, 0102 | HIGH } },
	{ "open", X86 | ARM, RET(EPERM), { 0, 020200002 } }, /* O_TMPFILE */
	{ "open", X86 | ARM, RET(EPERM), { 0, 020000102 } },
	{ "openat", ALL, ALLOW, { 0, 0100, 0 } },
	{ "openat", ALL, ALLOW, { 0, 0, 0200000 | 0x80000 } }, /* O_DIRECTORY | O_CLOEXEC */
	{ "openat", ALL, ALLOW, { 0, 0, 1 } },
	{ "openat", ALL, ALLOW, { 0, 0, 0400 } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 0101 } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 0102 | HIGH } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 020200002 } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 020000102 } },

	{ "ioctl", ALL, ALLOW, { 0, 0x5401 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x5413 | HIGH } },
	{ "ioctl", ALL, ALLOW, { 0, 0x541b } },
	{ "ioctl", ALL, ALLOW, { 0, 0x5421 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x5450 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x5451 } },
	{ "ioctl", ALL, RET(EPERM), { 0x5401, 0x5402 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 | HIGH } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x40049409 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x40086602 } },

	{ "fcntl", ALL, RET(EPERM), { 3, 8 } }, /* F_SETOWN */
	{ "fcntl", ALL, RET(EPERM), { 3, 8 | HIGH } },
	{ "fcntl", ALL, RET(EPERM), { 3, 10 | HIGH } },
	{ "fcntl", ALL, RET(EPERM), { 3, 15 } },
	{ "fcntl", ALL, RET(EPERM), { 3, 1024 } },
	{ "fcntl", ALL, RET(EPERM), { 3, 1026 } },
	{ "fcntl", ALL, ALLOW, { 8, 1 } },
	{ "fcntl", ALL, ALLOW, { 3, 1030 } },
	{ "fcntl64", ARM, RET(EPERM), { 3, 8 } },
	{ "fcntl64", ARM, ALLOW, { 8, 4 } },

	{ "prlimit64", ALL, ALLOW, { 0, 7, 0 } },
	{ "prlimit64", ALL, ALLOW, { 5, 0, 0 } },
	{ "prlimit64", ALL, RET(EPERM), { 0, 0, 1 } },
	{ "prlimit64", BITS64, RET(EPERM), { 0, 7, HIGH } },

	{ "seccomp", ALL, ALLOW, { 1, 0 } },
	{ "seccomp", ALL, ALLOW, { 8, 1 } },
	{ "seccomp", ALL, ALLOW, { 1, 0x137 } },
	{ "seccomp", ALL, RET(EPERM), { 1, 8 } },
	{ "seccomp", ALL, RET(EPERM), { 1, 0x1f | HIGH } },

	{ "personality", ALL, RET(EPERM), { 0 } },
	{ "personality", ALL, RET(EPERM), { 0xffffffff } },
};

/* How the network is set up, and nothing else. */
#define NETLINK_ROWS                                                                               \
	{ "socket", ALL, ALLOW, { 16, 3 } }, { "socket", ALL, ALLOW, { 16, 2, HIGH } },            \
		{ "socket", ALL, ALLOW, { 16 | HIGH, 02000003, 0 } },                              \
		{ "socket", ALL, RET(EAFNOSUPPORT), { 16, 3, 1 } },                                \
		{ "socket", ALL, RET(EAFNOSUPPORT), { 16, 3, 15 } },                               \
	{                                                                                          \
		"socket", ALL, RET(EAFNOSUPPORT),                                                  \
		{                                                                                  \
			17, 3, 0                                                                   \
		}                                                                                  \
	}

static const struct row network_rows[] = { NETLINK_ROWS };

static const struct row userns_rows[] = {
	NETLINK_ROWS,
	{ "clone", ALL, ALLOW, { 0x7e020011 } },
	{ "clone", ALL, ALLOW, { 17 } },
	{ "unshare", ALL, ALLOW, { 0x7e020080 } },
	{ "setns", ALL, ALLOW, { 0 } },
	{ "mount", ALL, ALLOW, { 0 } },
	{ "umount2", ALL, ALLOW, { 0 } },
	{ "pivot_root", ALL, ALLOW, { 0 } },
	{ "chroot", ALL, ALLOW, { 0 } },
	{ "open_tree", ALL, ALLOW, { 0 } },
	{ "open_tree_attr", ALL, ALLOW, { 0 } },
	{ "move_mount", ALL, ALLOW, { 0 } },
	{ "fsopen", ALL, ALLOW, { 0 } },
	{ "fsconfig", ALL, ALLOW, { 0 } },
	{ "fsmount", ALL, ALLOW, { 0 } },
	{ "fspick", ALL, ALLOW, { 0 } },
	{ "mount_setattr", ALL, ALLOW, { 0 } },
	{ "sethostname", ALL, ALLOW, { 0 } },
	{ "setdomainname", ALL, ALLOW, { 0 } },
};

static const struct row none_rows[] = {
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 | HIGH } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541c } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x541d } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5423 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x540c } },
	{ "ioctl", ALL, ALLOW, { 0x5412, 0x5401 } },
	{ "ioctl", ALL, ALLOW, { 3, 0x40086602 } },
};

static const struct row init_rows[] = {
	{ "prctl", ALL, RET(EPERM), { 1 } }, { "prctl", ALL, RET(EPERM), { 1 | HIGH } },
	{ "prctl", ALL, ALLOW, { 0, 1 } },   { "prctl", ALL, ALLOW, { 2 } },
	{ "prctl", ALL, ALLOW, { 35 } },
};

static const struct row tsc_rows[] = {
	{ "prctl", ALL, RET(EPERM), { 26 } },
	{ "prctl", ALL, RET(EPERM), { 26 | HIGH, 1 } },
	{ "prctl", ALL, ALLOW, { 25, 26 } },
	{ "prctl", ALL, ALLOW, { 27 } },
};

static const struct row local_rows[] = {
	{ "socket", ALL, ALLOW, { 1, 1, 0 } },
	{ "socket", ALL, ALLOW, { 1 | HIGH, 2, 0 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 0, 1, 0 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 2, 1, 0 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 10, 1, 0 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 16, 1, 0 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 17, 1, 0 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 0x101, 1, 0 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 0x80000001, 1, 0 } },
	{ "socketpair", ALL, ALLOW, { 1, 1, 0 } },
	{ "socketpair", ALL, ALLOW, { 1 | HIGH, 2, 0 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 0, 1, 0 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 2, 1, 0 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 10, 1, 0 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 16, 1, 0 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 17, 1, 0 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 0x101, 1, 0 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 0x80000001, 1, 0 } },
	{ "io_uring_setup", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_enter", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_register", ALL, RET(ENOSYS), { 0 } },
};

static const struct row unboxed_rows[] = {
	{ "socket", ALL, RET(EAFNOSUPPORT), { 1, 1 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 1, 2 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 1, 5 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 1, 0x80001 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 1 | HIGH, 1 } },
	{ "socket", ALL, ALLOW, { 0, 1 } },
	{ "socket", ALL, ALLOW, { 2, 1 } },
	{ "socket", ALL, ALLOW, { 10, 1 } },
	{ "socket", ALL, ALLOW, { 0x101, 1 } },
	{ "socket", ALL, ALLOW, { 0x80000001, 1 } },
	{ "socketpair", ALL, ALLOW, { 1, 1 } },
	{ "socketpair", ALL, ALLOW, { 1, 5 } },
	{ "socketpair", ALL, ALLOW, { 1, 0x80001 } },
	{ "socketpair", ALL, ALLOW, { 1, 0x80805 } },
	{ "socketpair", ALL, ALLOW, { 1, 1 | HIGH } },
	{ "socketpair", ALL, ALLOW, { 1, 0x11 } },
	{ "socketpair", ALL, ALLOW, { 1, 0x80000001 } },
	{ "socketpair", ALL, ALLOW, { 1, 0x101 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 0 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 2 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 3 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 4 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 6 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 7 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 9 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 13 } },
	{ "socketpair", ALL, RET(EAFNOSUPPORT), { 1, 0x80002 } },
	{ "io_uring_setup", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_enter", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_register", ALL, RET(ENOSYS), { 0 } },
	{ "file_setattr", ALL, RET(EPERM), { 0 } },
	{ "shmget", ALL, RET(ENOSYS), { 0 } },
	{ "shmat", ALL, RET(ENOSYS), { 0 } },
	{ "shmctl", ALL, RET(ENOSYS), { 0 } },
	{ "semget", ALL, RET(ENOSYS), { 0 } },
	{ "semop", ALL, RET(ENOSYS), { 0 } },
	{ "semctl", ALL, RET(ENOSYS), { 0 } },
	{ "semtimedop", ALL, RET(ENOSYS), { 0 } },
	{ "msgget", ALL, RET(ENOSYS), { 0 } },
	{ "msgsnd", ALL, RET(ENOSYS), { 0 } },
	{ "msgrcv", ALL, RET(ENOSYS), { 0 } },
	{ "msgctl", ALL, RET(ENOSYS), { 0 } },
	{ "mq_open", ALL, RET(ENOSYS), { 0 } },
	{ "mq_unlink", ALL, RET(ENOSYS), { 0 } },
	{ "semtimedop_time64", ARM, RET(ENOSYS), { 0 } },
	{ "prlimit64", ALL, ALLOW, { 0, 7 } },
	{ "prlimit64", ALL, ALLOW, { HIGH, 7 } },
	{ "prlimit64", ALL, RET(EPERM), { 1, 7 } },
	{ "prlimit64", ALL, RET(EPERM), { 0x80000000, 7 } },
	{ "prlimit64", ALL, RET(EPERM), { 0x100, 7 } },
	{ "prlimit64", ALL, RET(EPERM), { UINT64_MAX, 7 } },
	{ "sched_setaffinity", ALL, ALLOW, { 0, 7 } },
	{ "sched_setaffinity", ALL, ALLOW, { HIGH, 7 } },
	{ "sched_setaffinity", ALL, RET(EPERM), { 1, 7 } },
	{ "sched_setaffinity", ALL, RET(EPERM), { 0x80000000, 7 } },
	{ "sched_setaffinity", ALL, RET(EPERM), { 0x100, 7 } },
	{ "sched_setaffinity", ALL, RET(EPERM), { UINT64_MAX, 7 } },
	{ "sched_setattr", ALL, ALLOW, { 0, 7 } },
	{ "sched_setattr", ALL, ALLOW, { HIGH, 7 } },
	{ "sched_setattr", ALL, RET(EPERM), { 1, 7 } },
	{ "sched_setattr", ALL, RET(EPERM), { 0x80000000, 7 } },
	{ "sched_setattr", ALL, RET(EPERM), { 0x100, 7 } },
	{ "sched_setattr", ALL, RET(EPERM), { UINT64_MAX, 7 } },
	{ "sched_setparam", ALL, ALLOW, { 0, 7 } },
	{ "sched_setparam", ALL, ALLOW, { HIGH, 7 } },
	{ "sched_setparam", ALL, RET(EPERM), { 1, 7 } },
	{ "sched_setparam", ALL, RET(EPERM), { 0x80000000, 7 } },
	{ "sched_setparam", ALL, RET(EPERM), { 0x100, 7 } },
	{ "sched_setparam", ALL, RET(EPERM), { UINT64_MAX, 7 } },
	{ "sched_setscheduler", ALL, ALLOW, { 0, 7 } },
	{ "sched_setscheduler", ALL, ALLOW, { HIGH, 7 } },
	{ "sched_setscheduler", ALL, RET(EPERM), { 1, 7 } },
	{ "sched_setscheduler", ALL, RET(EPERM), { 0x80000000, 7 } },
	{ "sched_setscheduler", ALL, RET(EPERM), { 0x100, 7 } },
	{ "sched_setscheduler", ALL, RET(EPERM), { UINT64_MAX, 7 } },
	{ "setpriority", ALL, ALLOW, { 0, 0, 7 } },
	{ "setpriority", ALL, ALLOW, { 0 | HIGH, HIGH, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 0, 1, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 0, 2, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 0, 0x100, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 0, 0x80000000, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 0, UINT64_MAX, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 1, 0, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 2, 0, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 3, 0, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 0x100, 0, 7 } },
	{ "setpriority", ALL, RET(EPERM), { 0x80000000, 0, 7 } },
	{ "ioprio_set", ALL, ALLOW, { 1, 0, 7 } },
	{ "ioprio_set", ALL, ALLOW, { 1 | HIGH, HIGH, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 1, 1, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 1, 2, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 1, 0x100, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 1, 0x80000000, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 1, UINT64_MAX, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 0, 0, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 2, 0, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 3, 0, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 0x101, 0, 7 } },
	{ "ioprio_set", ALL, RET(EPERM), { 0x80000001, 0, 7 } },
	{ "add_key", ALL, RET(EPERM), { 0 } },
	{ "request_key", ALL, RET(EPERM), { 0 } },
	{ "keyctl", ALL, RET(EPERM), { 0 } },
};

static const struct row tcp_rows[] = {
	{ "sendto", ALL, RET(EOPNOTSUPP), { 3, 0, 1, 0x20000000 } },
	{ "sendto", ALL, RET(EOPNOTSUPP), { 3, 0, 1, 0x20004040 | HIGH } },
	{ "sendto", ALL, ALLOW, { 3, 0, 0x20000000, 0x4040 } },
	{ "sendmsg", ALL, RET(EOPNOTSUPP), { 3, 0, 0x20000000 } },
	{ "sendmsg", ALL, RET(EOPNOTSUPP), { 3, 0, 0x20004000 | HIGH } },
	{ "sendmsg", ALL, ALLOW, { 3, 0, 0x4000, 0x20000000 } },
	{ "sendmmsg", ALL, RET(EOPNOTSUPP), { 3, 0, 1, 0x20000000 } },
	{ "sendmmsg", ALL, RET(EOPNOTSUPP), { 3, 0, 1, 0x30000000 | HIGH } },
	{ "sendmmsg", ALL, ALLOW, { 3, 0, 0x20000000, 0 } },
	{ "setsockopt", ALL, RET(ENOENT), { 3, 6, 31 } },
	{ "setsockopt", ALL, RET(ENOENT), { 3, 6 | HIGH, 31 | HIGH } },
	{ "setsockopt", ALL, ALLOW, { 3, 1, 31 } },
	{ "setsockopt", ALL, ALLOW, { 3, 6, 1 } },
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 2, 1, 262 } },
	{ "socket", ALL, RET(EPROTONOSUPPORT), { 10 | HIGH, 1, 262 | HIGH } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 43, 1 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 43 | HIGH, 1, 1 } },
	{ "socket", ALL, RET(EAFNOSUPPORT), { 21, 5 } },
	{ "socket", ALL, ALLOW, { 2, 1, 6 } },
	{ "socket", ALL, ALLOW, { 10, 1 } },
	{ "socket", ALL, ALLOW, { 1, 1 } },
	{ "io_uring_setup", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_enter", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_register", ALL, RET(ENOSYS), { 0 } },
	{ "connect", ALL, ALLOW, { 0 } },
	{ "execve", ALL, ALLOW, { 0 } },
};

static const struct row owned_rows[] = {
	{ "chmod", X86 | ARM, RET(EPERM), { 0 } },   { "fchmod", ALL, RET(EPERM), { 0 } },
	{ "fchmodat", ALL, RET(EPERM), { 0 } },      { "fchmodat2", ALL, RET(EPERM), { 0 } },
	{ "chown", X86 | ARM, RET(EPERM), { 0 } },   { "lchown", X86 | ARM, RET(EPERM), { 0 } },
	{ "fchown", ALL, RET(EPERM), { 0 } },        { "fchownat", ALL, RET(EPERM), { 0 } },
	{ "chown32", ARM, RET(EPERM), { 0 } },       { "lchown32", ARM, RET(EPERM), { 0 } },
	{ "fchown32", ARM, RET(EPERM), { 0 } },      { "setxattr", ALL, RET(EPERM), { 0 } },
	{ "lsetxattr", ALL, RET(EPERM), { 0 } },     { "fsetxattr", ALL, RET(EPERM), { 0 } },
	{ "setxattrat", ALL, RET(EPERM), { 0 } },    { "removexattr", ALL, RET(EPERM), { 0 } },
	{ "lremovexattr", ALL, RET(EPERM), { 0 } },  { "fremovexattr", ALL, RET(EPERM), { 0 } },
	{ "removexattrat", ALL, RET(EPERM), { 0 } }, { "getxattr", ALL, ALLOW, { 0 } },
	{ "utimensat", ALL, ALLOW, { 0 } },
};

static const struct row attributes_rows[] = {
	{ "chmod", X86 | ARM, NOTIFY, { 0 } },
	{ "fchmod", ALL, NOTIFY, { 0 } },
	{ "fchmodat", ALL, NOTIFY, { 0 } },
	{ "fchmodat2", ALL, NOTIFY, { 0 } },
	{ "chown", X86 | ARM, NOTIFY, { 0 } },
	{ "lchown", X86 | ARM, NOTIFY, { 0 } },
	{ "fchown", ALL, NOTIFY, { 0 } },
	{ "fchownat", ALL, NOTIFY, { 0 } },
	{ "chown32", ARM, NOTIFY, { 0 } },
	{ "lchown32", ARM, NOTIFY, { 0 } },
	{ "fchown32", ARM, NOTIFY, { 0 } },
	{ "setxattr", ALL, NOTIFY, { 0 } },
	{ "lsetxattr", ALL, NOTIFY, { 0 } },
	{ "fsetxattr", ALL, NOTIFY, { 0 } },
	{ "setxattrat", ALL, RET(ENOSYS), { 0 } },
	{ "removexattr", ALL, NOTIFY, { 0 } },
	{ "lremovexattr", ALL, NOTIFY, { 0 } },
	{ "fremovexattr", ALL, NOTIFY, { 0 } },
	{ "removexattrat", ALL, RET(ENOSYS), { 0 } },
	{ "getxattr", ALL, ALLOW, { 0 } },
	{ "utimensat", ALL, ALLOW, { 0 } },
};

static const struct row guard_rows[] = {
	{ "ioctl", ALL, ALLOW, { 0, 0xc0502100 } },
	{ "ioctl", ALL, ALLOW, { 0, 0xc0182101 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x40082102 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x80082102 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x40182103 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 } },
	{ "openat", ALL, ALLOW, { 0, 0, ~UINT64_C(01103) } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 1 } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 2 } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 0100 } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 01000 | HIGHER } },
	{ "ppoll", ALL, ALLOW, { 0 } },
	{ "ppoll_time64", ARM, ALLOW, { 0 } },
	{ "process_vm_readv", ALL, ALLOW, { 0 } },
	{ "read", ALL, ALLOW, { 0 } },
	{ "readlinkat", ALL, ALLOW, { 0 } },
	{ "statx", ALL, ALLOW, { 0 } },
	{ "fstatfs", ALL, ALLOW, { 0 } },
	{ "fstatfs64", ARM, ALLOW, { 0 } },
	{ "close", ALL, ALLOW, { 0 } },
	{ "fchmodat", ALL, ALLOW, { 0 } },
	{ "fchownat", ALL, ALLOW, { 0 } },
	{ "setxattr", ALL, ALLOW, { 0 } },
	{ "removexattr", ALL, ALLOW, { 0 } },
	{ "kill", ALL, ALLOW, { 0 } },
	{ "getpid", ALL, ALLOW, { 0 } },
	{ "wait4", ALL, ALLOW, { 0 } },
	{ "exit", ALL, ALLOW, { 0 } },
	{ "exit_group", ALL, ALLOW, { 0 } },
	{ "rt_sigreturn", ALL, ALLOW, { 0 } },
	{ "restart_syscall", ALL, ALLOW, { 0 } },
	{ "openat2", ALL, RET(EPERM), { 0 } },
	{ "write", ALL, RET(EPERM), { 0 } },
	{ "unlinkat", ALL, RET(EPERM), { 0 } },
	{ "socket", ALL, RET(EPERM), { 0 } },
	{ "execve", ALL, RET(EPERM), { 0 } },
	{ "clone", ALL, RET(EPERM), { 0 } },
	{ "ptrace", ALL, RET(EPERM), { 0 } },
	{ "pidfd_getfd", ALL, RET(EPERM), { 0 } },
};

static const struct row once_rows[] = {
	{ "execve", ALL, NOTIFY, { 0 } },
	{ "execve", ALL, NOTIFY, { UINT64_MAX } },
	{ "execveat", ALL, NOTIFY, { 0 } },
};

static const struct row cow_rows[] = {
	{ "open", X86 | ARM, NOTIFY, { 0, 0 } },
	{ "open", X86 | ARM, NOTIFY, { 0, ~UINT64_C(010000200) } },
	{ "open", X86 | ARM, NOTIFY, { 0, ~UINT64_C(010000100) } },
	{ "open", X86 | ARM, ALLOW, { 0, 0300 } },
	{ "open", X86 | ARM, ALLOW, { 0, 0301 | HIGHER } },
	{ "open", X86 | ARM, ALLOW, { 0, 010000000 } },
	{ "open", X86 | ARM, NOTIFY, { 010000300, 0, 010000300 } },
	{ "openat", ALL, NOTIFY, { 0, 0, 0 } },
	{ "openat", ALL, NOTIFY, { 0, 0, ~UINT64_C(010000200) } },
	{ "openat", ALL, NOTIFY, { 0, 0, ~UINT64_C(010000100) } },
	{ "openat", ALL, ALLOW, { 0, 0, 0300 } },
	{ "openat", ALL, ALLOW, { 0, 0, 0301 | HIGHER } },
	{ "openat", ALL, ALLOW, { 0, 0, 010000000 } },
	{ "openat", ALL, NOTIFY, { 010000300, 010000300, 0, 010000300 } },
	{ "openat", ALL, NOTIFY, { 0, 0, UINT64_C(010000300) << 32 } },
	{ "creat", X86 | ARM, NOTIFY, { 0 } },
	{ "openat2", ALL, NOTIFY, { 0 } },
	{ "truncate", ALL, NOTIFY, { 0 } },
	{ "truncate64", ARM, NOTIFY, { 0 } },
	{ "execve", ALL, NOTIFY, { 0 } },
	{ "execveat", ALL, NOTIFY, { 0 } },
	{ "landlock_restrict_self", ALL, NOTIFY, { 0 } },
	{ "chroot", ALL, NOTIFY, { 0 } },
	{ "pivot_root", ALL, NOTIFY, { 0 } },
	{ "setns", ALL, NOTIFY, { 3, 0 } },
	{ "unshare", ALL, ALLOW, { 0xfffdffff } },
	{ "unshare", ALL, NOTIFY, { 0x00020000 | HIGH } },
	{ "clone", ALL, ALLOW, { 0xfffdffff } },
	{ "clone", ALL, NOTIFY, { 0x10020011 } },
	{ "clone3", ALL, NOTIFY, { 0 } },
	{ "mknod", X86 | ARM, ALLOW, { 0, 0100644 } },
	{ "mknod", X86 | ARM, ALLOW, { 0, 0140600 | HIGH } },
	{ "mknod", X86 | ARM, ALLOW, { 0010000, 0644 } },
	{ "mknod", X86 | ARM, NOTIFY, { 0, 0010600 } },
	{ "mknod", X86 | ARM, NOTIFY, { 0, 0020600 | HIGH } },
	{ "mknodat", ALL, ALLOW, { 0010000, 0010000, 0104000 } },
	{ "mknodat", ALL, ALLOW, { 0, 0, 0, 0010000 } },
	{ "mknodat", ALL, ALLOW, { 0, 0, 0140777 } },
	{ "mknodat", ALL, NOTIFY, { 0, 0, 0010000 } },
	{ "mknodat", ALL, NOTIFY, { 0, 0, 0060600 | HIGH } },
	{ "ftruncate", ALL, ALLOW, { 0 } },
	{ "rename", X86 | ARM, ALLOW, { 0 } },
	{ "io_uring_setup", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_enter", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_register", ALL, RET(ENOSYS), { 0 } },
	{ "uselib", X86 | ARM, RET(ENOSYS), { 0 } },
	{ "open_by_handle_at", ALL, RET(EPERM), { 0 } },
};

static const struct row cow_listener_rows[] = {
	{ "ioctl", ALL, ALLOW, { 0, 0xc0502100 } },
	{ "ioctl", ALL, ALLOW, { 0, 0xc0182101 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x40082102 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x80082102 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x40182103 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x40049409 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5412 } },
	{ "openat", ALL, ALLOW, { 0, 0, ~UINT64_C(020000100) } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 0100 } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 020000000 } },
	{ "openat", ALL, RET(EPERM), { 0, 0, 0100 | HIGHER } },
	{ "openat2", ALL, ALLOW, { 0 } },
	{ "ppoll", ALL, ALLOW, { 0 } },
	{ "ppoll_time64", ARM, ALLOW, { 0 } },
	{ "process_vm_readv", ALL, ALLOW, { 0 } },
	{ "readlinkat", ALL, ALLOW, { 0 } },
	{ "statx", ALL, ALLOW, { 0 } },
	{ "fstatfs", ALL, ALLOW, { 0 } },
	{ "fstatfs64", ARM, ALLOW, { 0 } },
	{ "close", ALL, ALLOW, { 0 } },
	{ "read", ALL, ALLOW, { 0 } },
	{ "pread64", ALL, ALLOW, { 0 } },
	{ "write", ALL, ALLOW, { 0 } },
	{ "lseek", ALL, ALLOW, { 0 } },
	{ "_llseek", ARM, ALLOW, { 0 } },
	{ "copy_file_range", ALL, ALLOW, { 0 } },
	{ "ftruncate", ALL, ALLOW, { 0 } },
	{ "ftruncate64", ARM, ALLOW, { 0 } },
	{ "fchmod", ALL, ALLOW, { 0 } },
	{ "fchmodat", ALL, ALLOW, { 0 } },
	{ "utimensat", ALL, ALLOW, { 0 } },
	{ "utimensat_time64", ARM, ALLOW, { 0 } },
	{ "exit", ALL, ALLOW, { 0 } },
	{ "exit_group", ALL, ALLOW, { 0 } },
	{ "rt_sigreturn", ALL, ALLOW, { 0 } },
	{ "restart_syscall", ALL, ALLOW, { 0 } },
	{ "mkdirat", ALL, RET(EPERM), { 0 } },
	{ "unlinkat", ALL, RET(EPERM), { 0 } },
	{ "socket", ALL, RET(EPERM), { 0 } },
	{ "execve", ALL, RET(EPERM), { 0 } },
	{ "clone", ALL, RET(EPERM), { 0 } },
	{ "prctl", ALL, RET(EPERM), { 0 } },
};

static const struct row append_rows[] = {
	/* All other bits, and each of these. */
	{ "openat", ALL, ALLOW, { 0, 0, ~UINT64_C(01103) } },
	{ "openat", ALL, NOTIFY, { 0, 0, 1 } },
	{ "open", X86 | ARM, ALLOW, { 0, ~UINT64_C(01103) } },
	{ "fcntl", ALL, NOTIFY, { 0, 4, ~UINT64_C(022000) } },
	{ "fcntl64", ARM, NOTIFY, { 0, 4, ~UINT64_C(022000) } },
	{ "pwritev2", ALL, ALLOW, { 0, 0, 0, 0, 0, ~UINT64_C(0x20) } },
	{ "openat", ALL, ALLOW, { 0, 0, O_RDONLY } },
	{ "openat", ALL, ALLOW, { 0, 0, O_RDONLY | O_CLOEXEC | O_APPEND | O_EXCL } },
	{ "openat", ALL, ALLOW, { 3, 3, O_RDONLY | HIGHER, 3 } },
	{ "openat", ALL, NOTIFY, { 0, 0, O_WRONLY } },
	{ "openat", ALL, NOTIFY, { 0, 0, O_RDWR } },
	{ "openat", ALL, NOTIFY, { 0, 0, 3 } },
	{ "openat", ALL, NOTIFY, { 0, 0, O_CREAT } },
	{ "openat", ALL, NOTIFY, { 0, 0, O_TRUNC } },
	{ "openat", ALL, NOTIFY, { 0, 0, O_WRONLY | HIGHER } },
	{ "open", X86 | ARM, ALLOW, { 0, O_RDONLY, O_RDWR } },
	{ "open", X86 | ARM, NOTIFY, { 0, O_WRONLY } },
	{ "open", X86 | ARM, NOTIFY, { 0, O_RDWR | O_APPEND } },
	{ "open", X86 | ARM, NOTIFY, { 0, O_CREAT | HIGHER } },
	{ "open", X86 | ARM, NOTIFY, { 0, O_TRUNC } },
	{ "creat", X86 | ARM, NOTIFY, { 0 } },
	{ "openat2", ALL, NOTIFY, { 0 } },
	{ "fcntl", ALL, ALLOW, { 0, F_GETFL, 0 } },
	{ "fcntl", ALL, ALLOW, { 4, F_DUPFD, 0 } },
	{ "fcntl", ALL, ALLOW, { 0, F_SETFL, O_APPEND } },
	{ "fcntl", ALL, ALLOW, { 0, F_SETFL | HIGHER, O_APPEND | O_NONBLOCK | HIGHER } },
	{ "fcntl", ALL, NOTIFY, { 0, F_SETFL, 0 } },
	{ "fcntl", ALL, NOTIFY, { 0, F_SETFL | HIGHER, O_NONBLOCK } },
	{ "fcntl", ALL, NOTIFY, { 0, F_SETFL, (uint64_t)O_APPEND << 32 } },
	{ "fcntl", ALL, RET(EPERM), { 0, F_SETFL, 020000 } },
	{ "fcntl", ALL, RET(EPERM), { 0, F_SETFL | HIGHER, 020000 | O_NONBLOCK | HIGHER } },
	{ "fcntl", ALL, ALLOW, { 0, F_SETFL, 020000 | O_APPEND } },
	{ "fcntl64", ARM, NOTIFY, { 0, F_SETFL, 0 } },
	{ "fcntl64", ARM, ALLOW, { 0, F_SETFL, O_APPEND } },
	{ "fcntl64", ARM, ALLOW, { 0, F_GETFL } },
	{ "ftruncate", ALL, NOTIFY, { 0 } },
	{ "ftruncate64", ARM, NOTIFY, { 0 } },
	{ "pwritev2", ALL, ALLOW, { 0x20, 0x20, 0x20, 0x20, 0x20, 0 } },
	{ "pwritev2", ALL, ALLOW, { 0, 0, 0, 0, 0, 0x1f | HIGHER } },
	{ "pwritev2", ALL, RET(EOPNOTSUPP), { 0, 0, 0, 0, 0, 0x20 } },
	{ "pwritev2", ALL, RET(EOPNOTSUPP), { 0, 0, 0, 0, 0, 0x30 | HIGHER } },
	{ "pwritev", ALL, ALLOW, { 0 } },
	{ "write", ALL, ALLOW, { 0 } },
	{ "io_setup", ALL, RET(ENOSYS), { 0 } },
	{ "io_submit", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_setup", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_enter", ALL, RET(ENOSYS), { 0 } },
	{ "io_uring_register", ALL, RET(ENOSYS), { 0 } },
	{ "fallocate", ALL, ALLOW, { 3, 0 } },
	{ "fallocate", ALL, ALLOW, { 3, 1 } },
	{ "fallocate", ALL, RET(EOPNOTSUPP), { 0, 2 } },
	{ "fallocate", ALL, RET(EOPNOTSUPP), { 0, 3 | HIGHER } },
	{ "fallocate", ALL, RET(EOPNOTSUPP), { 0, 0x10 } },
	{ "fallocate", ALL, RET(EOPNOTSUPP), { 0, 0x80000000 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x5401 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x5421 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x8912 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x80045430 } }, /* TIOCGPTN */
	{ "ioctl", ALL, ALLOW, { 0, 2 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x40049409 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x4020940d } },
	{ "ioctl", ALL, ALLOW, { 0, 0xc0189436 } },
	{ "ioctl", ALL, ALLOW, { 0, 0xc020660b } },
	{ "ioctl", ALL, ALLOW, { 0, 0x80086601 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x80046601 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x801c581f } },
	{ "ioctl", ALL, RET(ENOTTY), { 0, 0x4030582b } }, /* FS_IOC_UNRESVSP64 */
	{ "ioctl", ALL, RET(ENOTTY), { 0, 0x40305839 | HIGHER } },
	{ "ioctl", ALL, RET(ENOTTY), { 0, 0xc028660f } }, /* EXT4_IOC_MOVE_EXT */
	{ "ioctl", ALL, RET(ENOTTY), { 0, 0xc020f509 } }, /* F2FS_IOC_MOVE_RANGE */
	{ "ioctl", ALL, RET(ENOTTY), { 0, 0x40086602 } },
	{ "open_by_handle_at", ALL, RET(EPERM), { 0 } },
	{ "read", ALL, ALLOW, { 0 } },
	{ "mmap", BITS64, ALLOW, { 0 } },
};

static const struct row listener_rows[] = {
	{ "ioctl", ALL, ALLOW, { 0, 0xc0502100 } },
	{ "ioctl", ALL, ALLOW, { 0, 0xc0182101 | HIGHER } },
	{ "ioctl", ALL, ALLOW, { 0, 0x40082102 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x80082102 } },
	{ "ioctl", ALL, ALLOW, { 0, 0x40182103 } },
	{ "ioctl", ALL, RET(EPERM), { 0, 0x5401 } },
	{ "openat", ALL, ALLOW, { 0, 0, O_RDONLY } },
	{ "openat", ALL, ALLOW, { 0, 0, O_WRONLY | O_APPEND | O_NONBLOCK } },
	{ "openat", ALL, RET(EPERM), { 0, 0, O_WRONLY } },
	{ "openat", ALL, RET(EPERM), { 0, 0, O_RDWR | O_APPEND } },
	{ "openat", ALL, RET(EPERM), { 0, 0, O_WRONLY | O_APPEND | O_TRUNC } },
	{ "openat", ALL, RET(EPERM), { 0, 0, O_WRONLY | O_APPEND | O_CREAT } },
	{ "openat", ALL, RET(EPERM), { 0, 0, O_RDONLY | O_CREAT } },
	{ "openat", ALL, RET(EPERM), { 0, 0, O_RDONLY | O_TRUNC } },
	{ "fcntl", ALL, ALLOW, { 0, F_GETFL } },
	{ "fcntl", ALL, ALLOW, { 0, F_SETFL } },
	{ "fcntl", ALL, RET(EPERM), { 0, F_SETFL, 020000 | O_APPEND | HIGHER } },
	{ "fcntl", ALL, RET(EPERM), { 0, F_DUPFD } },
	{ "fcntl64", ARM, ALLOW, { 0, F_SETFL } },
	{ "fcntl64", ARM, RET(EPERM), { 0, F_SETOWN } },
	{ "process_vm_readv", ALL, ALLOW, { 0 } },
	{ "process_vm_writev", ALL, RET(EPERM), { 0 } },
	{ "pidfd_open", ALL, ALLOW, { 0 } },
	{ "pidfd_getfd", ALL, ALLOW, { 0 } },
	{ "prlimit64", ALL, ALLOW, { 0 } },
	{ "ftruncate", ALL, ALLOW, { 0 } },
	{ "ftruncate64", ARM, ALLOW, { 0 } },
	{ "truncate", ALL, RET(EPERM), { 0 } },
	{ "ppoll", ALL, ALLOW, { 0 } },
	{ "read", ALL, ALLOW, { 0 } },
	{ "readlinkat", ALL, ALLOW, { 0 } },
	{ "statx", ALL, ALLOW, { 0 } },
	{ "fstatfs", ALL, ALLOW, { 0 } },
	{ "fstatfs64", ARM, ALLOW, { 0 } },
	{ "ppoll_time64", ARM, ALLOW, { 0 } },
	{ "close", ALL, ALLOW, { 0 } },
	{ "exit_group", ALL, ALLOW, { 0 } },
	{ "exit", ALL, ALLOW, { 0 } },
	{ "rt_sigreturn", ALL, ALLOW, { 0 } },
	{ "restart_syscall", ALL, ALLOW, { 0 } },
	{ "write", ALL, RET(EPERM), { 0 } },
	{ "execve", ALL, RET(EPERM), { 0 } },
	{ "clone", ALL, RET(EPERM), { 0 } },
	{ "kill", ALL, RET(EPERM), { 0 } },
	{ "socket", ALL, RET(EPERM), { 0 } },
	{ "unlinkat", ALL, RET(EPERM), { 0 } },
	{ "ptrace", ALL, RET(EPERM), { 0 } },
	{ "mmap", BITS64, RET(EPERM), { 0 } },
};

static const struct row pid1_rows[] = {
	{ "rt_sigtimedwait", ALL, ALLOW, { 0 } },
	{ "rt_sigtimedwait_time64", ARM, ALLOW, { 0 } },
	{ "wait4", ALL, ALLOW, { 0 } },
	{ "waitid", ALL, ALLOW, { 0 } },
	{ "clock_gettime", ALL, ALLOW, { 0 } },
	{ "clock_gettime64", ARM, ALLOW, { 0 } },
	{ "kill", ALL, ALLOW, { 0 } },
	{ "write", ALL, ALLOW, { 0 } },
	{ "exit", ALL, ALLOW, { 0 } },
	{ "exit_group", ALL, ALLOW, { 0 } },
	{ "rt_sigreturn", ALL, ALLOW, { 0 } },
	{ "restart_syscall", ALL, ALLOW, { 0 } },
};

/* Numbers of calls that libseccomp may not know. */
static const struct {
	const char *name;
	unsigned number, arches;
} young_calls[] = {
	{ "set_mempolicy_home_node", 450, ALL },
	{ "cachestat", 451, ALL },
	{ "fchmodat2", 452, ALL },
	{ "map_shadow_stack", 453, ALL },
	{ "futex_wake", 454, ALL },
	{ "futex_wait", 455, ALL },
	{ "futex_requeue", 456, ALL },
	{ "statmount", 457, ALL },
	{ "listmount", 458, ALL },
	{ "lsm_get_self_attr", 459, ALL },
	{ "lsm_set_self_attr", 460, ALL },
	{ "lsm_list_modules", 461, ALL },
	{ "mseal", 462, ALL },
	{ "setxattrat", 463, ALL },
	{ "getxattrat", 464, ALL },
	{ "listxattrat", 465, ALL },
	{ "removexattrat", 466, ALL },
	{ "open_tree_attr", 467, ALL },
	{ "file_getattr", 468, ALL },
	{ "file_setattr", 469, ALL },
	{ "listns", 470, ALL },
	{ "rseq_slice_yield", 471, ALL },
	{ "riscv_hwprobe", 258, RISCV },
	{ "uretprobe", 335, X86 },
	{ "uprobe", 336, X86 },
};

/* A profile's own rows, and what else must hold. */
static const struct expectation {
	const struct row *rows;
	size_t count;
	/* The default's rows that hold as well, where the own ones say nothing else: of these calls, or
	 * of all but those. */
	const char *inherits, *inherits_but;
	uint32_t otherwise; /* what numbers get that nobody knows … */
	bool lists_all;     /* … and no call that is known */
} expectations[PROFILE_COUNT] = {
#define ROWS(array) array, COUNT(array)
	[DEFAULT] = { ROWS(default_rows), NULL, NULL, RET(ENOSYS), true },
	[STRICT] = { ROWS(strict_rows), " madvise prctl ", NULL, RET(ENOSYS), true },
	[NETWORK] = { ROWS(network_rows), NULL, " ", RET(ENOSYS), true },
	[NONE] = { ROWS(none_rows), NULL, NULL, ALLOW, false },
	[DEFAULT_USERNS] = { ROWS(userns_rows), NULL,
			     " clone unshare setns mount umount2 pivot_root chroot open_tree "
			     "open_tree_attr move_mount fsopen fsconfig fsmount fspick "
			     "mount_setattr sethostname ",
			     RET(ENOSYS), true },
	[PID1] = { ROWS(pid1_rows), NULL, NULL, RET(EPERM), false },
	[INIT] = { ROWS(init_rows), NULL, NULL, ALLOW, false },
	[TSC] = { ROWS(tsc_rows), NULL, NULL, ALLOW, false },
	[TCP] = { ROWS(tcp_rows), NULL, NULL, ALLOW, false },
	[LOCAL] = { ROWS(local_rows), NULL, NULL, ALLOW, false },
	[UNBOXED] = { ROWS(unboxed_rows), NULL, NULL, ALLOW, false },
	[OWNED] = { ROWS(owned_rows), NULL, NULL, ALLOW, false },
	[ATTRIBUTES] = { ROWS(attributes_rows), NULL, NULL, ALLOW, false },
	[GUARD] = { ROWS(guard_rows), NULL, NULL, RET(EPERM), false },
	[ONCE] = { ROWS(once_rows), NULL, NULL, ALLOW, false },
	[APPEND] = { ROWS(append_rows), NULL, NULL, ALLOW, false },
	[LISTENER] = { ROWS(listener_rows), NULL, NULL, RET(EPERM), false },
	[COW] = { ROWS(cow_rows), NULL, NULL, ALLOW, false },
	[COW_LISTENER] = { ROWS(cow_listener_rows), NULL, NULL, RET(EPERM), false },
#undef ROWS
};

#endif
