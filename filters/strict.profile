# SPDX-License-Identifier: MIT
# For computing on what was given: the program reads and writes by the descriptors and the existing
# files that it may open, has memory, time, signals and threads. It cannot make a socket, a process or
# another program of itself, nor make, rename, remove or change the attributes of a file, nor reach
# another process, its IPC, or its own limits, priorities and identity. The language:
# filters/profile.h.
#
# What default.profile refuses is refused; what it allows and is not for computing is refused here,
# and what is left open here is decided there.
# When a call is added there, tests/unit/calls.def asks what it is here.


## Processes and programs

# Threads only, without any of the CLONE_NEW* in default.profile.
define CLONE_THREAD		0x00010000
define CLONE_THREAD_AND_NEW	0x7e030000
allow clone if arg0:32 & CLONE_THREAD_AND_NEW == CLONE_THREAD
deny clone
deny fork vfork

# The program itself is started after this filter has been put on: that needs one exec, and no
# argument tells it from another. So another filter, once.profile, is asked about each exec, by
# somebody who says yes once and goes.

# What a thread sends to its own process, abort(), pthread_kill() and pthread_cancel(), goes by tgkill and
# tkill. No other signals.
deny kill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal
deny process_madvise process_mrelease


## Sockets

# Those that were handed over may be used.
answer EAFNOSUPPORT socket
answer EOPNOTSUPP socketpair
deny bind connect listen accept accept4


## Files

# The files that are there. O_CREAT, and __O_TMPFILE without its O_DIRECTORY. openat2 has its flags in
# memory; programs that know it fall back.
define O_CREATES 020000100
deny open if arg1:32 & O_CREATES in 0100 020000000 020000100
deny openat if arg2:32 & O_CREATES in 0100 020000000 020000100
answer ENOSYS openat2
deny creat mknod mknodat mkdir mkdirat rmdir
deny link linkat symlink symlinkat unlink unlinkat rename renameat renameat2
deny chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat chown32 fchown32 lchown32
deny utime utimes futimesat utimensat utimensat_time64
deny setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
deny name_to_handle_at statmount listmount

# Files to run, and wakers on files of others.
deny memfd_create inotify_init inotify_init1 inotify_add_watch inotify_rm_watch

# No ioctl but what a C library asks of a terminal and of a file to read.
define TCGETS		0x5401
define TIOCGWINSZ	0x5413
define FIONREAD		0x541b
define FIONBIO		0x5421
define FIONCLEX		0x5450
define FIOCLEX		0x5451
allow ioctl if arg1:32 in TCGETS TIOCGWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX
deny ioctl

# Signals about files, for whoever has them.
define F_SETOWN		8
define F_SETOWN_EX	15
define F_SETLEASE	1024
define F_NOTIFY		1026
deny fcntl fcntl64 if arg1:32 in F_SETOWN F_SETOWN_EX F_SETLEASE F_NOTIFY


## The process itself

# Limits may be read. The one on descriptors, the priorities and the placement are the caller's.
allow prlimit64 if arg2:64 == 0
deny prlimit64 setrlimit
deny setpriority nice ioprio_set sched_setaffinity sched_setattr sched_setparam sched_setscheduler
deny migrate_pages move_pages
deny setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups
deny setuid32 setgid32 setreuid32 setregid32 setresuid32 setresgid32
deny setfsuid32 setfsgid32 setgroups32
deny capset setpgid setsid
deny personality lsm_set_self_attr

# A filter of its own may only be one without a listener: SECCOMP_FILTER_FLAG_NEW_LISTENER is one who
# answers for the kernel.
define SECCOMP_LISTENER 8
deny seccomp if arg1:32 & SECCOMP_LISTENER == SECCOMP_LISTENER


## Things of the kernel that are no memory and no file

answer ENOSYS io_setup io_destroy io_submit io_cancel
answer ENOSYS io_getevents io_pgetevents io_pgetevents_time64
deny shmget shmat shmdt shmctl semget semop semctl semtimedop semtimedop_time64
deny msgget msgsnd msgrcv msgctl
deny mq_open mq_unlink mq_notify mq_getsetattr
deny mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64
deny sync syncfs


## Computing

include default.profile
