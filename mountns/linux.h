/* SPDX-License-Identifier: MIT */
/*
 * What the C library's and an older kernel's headers lack. Values are the kernel's user ABI
 * (include/uapi/linux/mount.h, openat2.h, capability.h, securebits.h) and never change.
 */
#ifndef NESTBOX_MOUNTNS_LINUX_H
#define NESTBOX_MOUNTNS_LINUX_H

#include <asm/unistd.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers from 424 on are the same on every architecture. */
#ifndef __NR_open_tree
#define __NR_open_tree 428
#define __NR_move_mount 429
#define __NR_fsopen 430
#define __NR_fsconfig 431
#define __NR_fsmount 432
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif
#ifndef __NR_faccessat2
#define __NR_faccessat2 439
#endif
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

/* <sys/mount.h> differs too much between C libraries to be included anywhere. */
#define MS_REMOUNT 0x20UL
#define MS_NOSYMFOLLOW 0x100UL
#define MS_BIND 0x1000UL
#define MS_MOVE 0x2000UL
#define MS_REC 0x4000UL
#define MS_UNBINDABLE 0x20000UL
#define MS_PRIVATE 0x40000UL
#define MNT_DETACH 2

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

#define OPEN_TREE_CLONE 1U
#define OPEN_TREE_CLOEXEC ((unsigned int)O_CLOEXEC)
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004U
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040U
#define KERNEL_STATX_MOUNT_ROOT 0x2000U /* of the attributes */
#define KERNEL_STATX_MOUNT_ID 0x1000U   /* of the mask; Linux 5.8 */
#define FSOPEN_CLOEXEC 1U
#define FSMOUNT_CLOEXEC 1U
#define FSCONFIG_SET_FLAG 0U
#define FSCONFIG_SET_STRING 1U
#define FSCONFIG_CMD_CREATE 6U
#define FSCONFIG_CMD_RECONFIGURE 7U

/* The four are MS_RDONLY, MS_NOSUID, MS_NODEV and MS_NOEXEC of mount(2), too. */
#define MOUNT_ATTR_RDONLY 0x00000001U
#define MOUNT_ATTR_NOSUID 0x00000002U
#define MOUNT_ATTR_NODEV 0x00000004U
#define MOUNT_ATTR_NOEXEC 0x00000008U

#define RESOLVE_NO_XDEV 0x01U
#define RESOLVE_NO_MAGICLINKS 0x02U
#define RESOLVE_NO_SYMLINKS 0x04U
#define RESOLVE_BENEATH 0x08U
#define RESOLVE_IN_ROOT 0x10U

/* O_LARGEFILE: for programs of 64 bits the C library says 0, the kernel does not. */
#if defined(__arm__) || defined(__aarch64__)
#define KERNEL_LARGEFILE 0400000
#else
#define KERNEL_LARGEFILE 0100000
#endif

#ifndef PIDFD_THREAD
#define PIDFD_THREAD ((unsigned int)O_EXCL) /* Linux 6.9 */
#endif

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

/* prctl(2); Linux 6.3 for MDWE. */
#define KERNEL_PR_GET_TSC 25
#define KERNEL_PR_SET_TSC 26
#define KERNEL_TSC_SIGSEGV 2UL
#define KERNEL_PR_SET_MDWE 65
#define KERNEL_PR_GET_MDWE 66
#define KERNEL_MDWE_REFUSE_EXEC_GAIN 1UL

#define PROC_MAGIC 0x9fa0
#define NSFS_MAGIC 0x6e736673
#define DEVPTS_MAGIC 0x1cd1
#define TMPFS_MAGIC 0x01021994

/* Bits of f_flags in statfs(2). */
#define KERNEL_ST_RDONLY 0x0001
#define KERNEL_ST_NOSYMFOLLOW 0x2000

struct kernel_open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

struct kernel_mount_attr {
	uint64_t attr_set;
	uint64_t attr_clr;
	uint64_t propagation;
	uint64_t userns_fd;
};

/* The kernel's own layouts, whatever the C library's types of the same purpose look like. */
struct kernel_timespec {
	long tv_sec;
	long tv_nsec;
};

/* Of calls that take 64 bits everywhere. */
struct kernel_times {
	int64_t seconds, nanoseconds;
};

struct kernel_iovec {
	void *base;
	size_t size;
};

struct kernel_msghdr {
	void *name;
	int name_size;
	struct kernel_iovec *parts;
	size_t part_count;
	void *control;
	size_t control_size;
	unsigned int flags;
};

struct kernel_cmsghdr {
	size_t size; /* with this header */
	int level;
	int type;
};

/* TCGETS and TCSETS of ioctl_tty(2); flags and places in CC are those of termios(3). */
struct kernel_termios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[19];
};

struct kernel_statx {
	uint32_t mask, block_size;
	uint64_t attributes;
	uint32_t links, uid, gid;
	uint16_t mode, spare;
	uint64_t inode, size, blocks, attributes_mask;
	struct {
		int64_t seconds;
		uint32_t nanoseconds, spare;
	} access, birth, change, modification;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mount_id;
	uint64_t rest[13];
};

#define KERNEL_STATX_BASIC 0x7ffU
#define KERNEL_STATX_BIRTH 0x800U /* of the mask */

struct kernel_rlimit {
	uint64_t soft;
	uint64_t hard;
};

struct kernel_cap_header {
	uint32_t version;
	int pid;
};

struct kernel_cap_data {
	uint32_t effective;
	uint32_t permitted;
	uint32_t inheritable;
};

#define KERNEL_CAP_VERSION_3 0x20080522U

/* All zero means SIG_DFL on every architecture. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#endif
