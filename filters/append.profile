# SPDX-License-Identifier: MIT
# --append: which calls the listener answers, and which could write elsewhere than at the end of a file and
# are refused to all in the box. What it is good for: filters/append.h. The language: filters/profile.h.

otherwise allow

# Opening for writing. O_ACCMODE, O_CREAT and O_TRUNC have the same numbers everywhere. The flags of openat2
# are in memory.
define WRITES 01103
allow open if arg1:32 & WRITES == 0
notify open
allow openat if arg2:32 & WRITES == 0
notify openat
notify creat openat2

# Taking O_APPEND away.
define F_SETFL 4
define O_APPEND 02000
allow fcntl fcntl64 if arg1:32 == F_SETFL and arg2:32 & O_APPEND == O_APPEND
# A terminal whose signals are switched on sends them to its foreground in the name of whoever did it, past the
# PID namespace and Landlock: that must not be the listener. There is ioctl(FIOASYNC).
define O_ASYNC 020000
deny fcntl fcntl64 if arg1:32 == F_SETFL and arg2:32 & O_ASYNC == O_ASYNC
notify fcntl fcntl64 if arg1:32 == F_SETFL
allow fcntl fcntl64

# By a descriptor; by a path there is Landlock.
notify ftruncate ftruncate64

# Writing elsewhere in spite of O_APPEND (Linux 6.9). As if the kernel did not know that, which some C
# libraries ask for with every pwrite, and then do without.
define RWF_NOAPPEND 0x20
answer EOPNOTSUPP pwritev2 if arg5:32 & RWF_NOAPPEND == RWF_NOAPPEND
allow pwritev2

# The same in requests that no filter sees.
answer ENOSYS io_setup io_submit io_uring_setup io_uring_enter io_uring_register

# Punching holes, inserting, zeroing. As on a file system that cannot; only FALLOC_FL_KEEP_SIZE is a promise
# about what comes behind the end.
allow fallocate if arg1:32 in 0 1
answer EOPNOTSUPP fallocate

# The same by ioctl, and the calls of file systems that exchange or move blocks (EXT4_IOC_MOVE_EXT,
# F2FS_IOC_MOVE_RANGE). New ones come with every file system, so these are all that there are: those of
# terminals, pipes and timers; those of sockets; and those about files that change nothing, or which the
# kernel refuses for O_APPEND.
define TYPE		0xff00
define TYPE_TERMINAL	0x5400
define TYPE_SOCKET	0x8900
define FIGETBSZ		0x00000002
define FICLONE		0x40049409
define FICLONERANGE	0x4020940d
define FIDEDUPERANGE	0xc0189436
define FS_IOC_FIEMAP	0xc020660b
define FS_IOC_GETFLAGS	0x80086601
define FS_IOC32_GETFLAGS 0x80046601
define FS_IOC_FSGETXATTR 0x801c581f
allow ioctl if arg1:32 & TYPE in TYPE_TERMINAL TYPE_SOCKET
allow ioctl if arg1:32 in FIGETBSZ FICLONE FICLONERANGE FIDEDUPERANGE FS_IOC_FIEMAP FS_IOC_GETFLAGS FS_IOC32_GETFLAGS FS_IOC_FSGETXATTR
answer ENOTTY ioctl

# By a handle one gets to the file on a mount that is the host's.
deny open_by_handle_at
