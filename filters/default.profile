# SPDX-License-Identifier: MIT
# What a program in a box may ask of the kernel. The language is described in filters/profile.h.
#
# Three answers:
#   allow   what ordinary programs need and what the other walls (namespaces, mounts, no
#           capabilities) already hold in check;
#   deny    EPERM: known, and either a way out or a part of the kernel that ordinary programs never
#           need and that has often been broken into. EPERM is what a program without rights sees
#           anywhere, so all can cope;
#   ENOSYS  everything not named here. A call that is newer than this list, or older than anybody's
#           memory, looks as if the kernel lacked it, and libraries fall back.
#
# A call of another architecture (int 0x80 on x86-64, for instance) and an x32 call kill the
# process. That is not written here, it is so for every profile.

otherwise answer ENOSYS

include calls.rules


## Namespaces

# A new user namespace gives capabilities in there, and with them most of the kernel's bugs. The
# kernel cuts clone's flags to 32 bits, and so do we. All seven CLONE_NEW* that clone knows:
define CLONE_NEW 0x7e020000
allow clone if arg0:32 & CLONE_NEW == 0
deny clone

# clone3 has its flags in memory, where no filter can look. Not EPERM: with ENOSYS every C library
# falls back to clone.
answer ENOSYS clone3

deny unshare setns

# Processes and threads the plain way.
allow fork vfork execve execveat exit exit_group wait4 waitid
allow set_tid_address gettid getpid getppid


## Mounts

# The view is built before the program starts and stays as it is, by the old calls and the new.
deny mount umount2 pivot_root chroot
deny open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick mount_setattr

# Reading them is no more than /proc/self/mountinfo. Namespaces are nobody's business.
allow statmount listmount
answer ENOSYS listns

# Opening by handle goes around the whole view. Getting a handle is harmless.
deny open_by_handle_at
allow name_to_handle_at


## The machine

# All of these need a capability that nobody in a box has. Here as well, in case a kernel forgets.
deny init_module finit_module delete_module
deny kexec_load kexec_file_load reboot
deny swapon swapoff acct quotactl quotactl_fd
deny settimeofday clock_settime clock_settime64 adjtimex clock_adjtime clock_adjtime64
deny sethostname setdomainname vhangup syslog lookup_dcookie

# I/O ports, and the 16 bit segments of x86: only 32 bit programs ever needed these.
deny iopl ioperm modify_ldt

# Large and often broken into; programs that can use these all go on without.
deny bpf perf_event_open userfaultfd
deny fanotify_init fanotify_mark

# io_uring does file and network work that no filter sees.
deny io_uring_setup io_uring_enter io_uring_register

# Keyrings are not in any namespace, and keyctl can change the credentials of the parent process,
# which once dropped its Landlock domain.
deny add_key request_key keyctl

# Memory that the kernel itself cannot read: it can be neither moved nor swapped nor inspected.
deny memfd_secret


## Other processes

# No tracing: it is how a program that has been taken over reaches its neighbours, and a large part
# of the kernel. So gdb and strace do not work in a box by default; they say so at once. /proc/PID/mem
# of the workload's own processes can be read as ever, that of PID 1 cannot.
deny ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd

allow kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo
allow pidfd_open pidfd_send_signal process_madvise process_mrelease


## ioctl

include terminal.rules

# Attributes that outlast the box: immutable, append-only, verity, a frozen file system; and FIBMAP,
# which shows where files lie on the disk. FS_IOC_ numbers contain the size of a long, so there
# are two of each, and 64 bit kernels know both.
define FIBMAP			0x00000001
define FIFREEZE			0xc0045877
define FITHAW			0xc0045878
define FS_IOC_SETFLAGS		0x40086602
define FS_IOC32_SETFLAGS	0x40046602
define FS_IOC_SETVERSION	0x40087602
define FS_IOC32_SETVERSION	0x40047602
define FS_IOC_FSSETXATTR	0x401c5820
define FS_IOC_ENABLE_VERITY	0x40806685
deny ioctl if arg1:32 in FIBMAP FIFREEZE FITHAW FS_IOC_SETFLAGS FS_IOC32_SETFLAGS FS_IOC_SETVERSION FS_IOC32_SETVERSION FS_IOC_FSSETXATTR FS_IOC_ENABLE_VERITY

# Before Linux 6.8 any file's descriptor made a snapshot of all of its btrfs subvolume, ungranted files
# included.
define BTRFS_IOC_SNAP_CREATE		0x50009401
define BTRFS_IOC_SUBVOL_CREATE		0x5000940e
define BTRFS_IOC_SNAP_CREATE_V2		0x50009417
define BTRFS_IOC_SUBVOL_CREATE_V2	0x50009418
deny ioctl if arg1:32 in BTRFS_IOC_SNAP_CREATE BTRFS_IOC_SUBVOL_CREATE BTRFS_IOC_SNAP_CREATE_V2 BTRFS_IOC_SUBVOL_CREATE_V2

# All the others: a device that the box does not show cannot be asked anything.
allow ioctl

# The new call for the same flags.
deny file_setattr
allow file_getattr


## Sockets

# Rare families and protocols are where the kernel's network bugs are, and merely asking for one
# loads its module. The answers are those of a kernel without them, which libraries know:
# getaddrinfo, for one, goes on when NETLINK is missing.
define AF_UNIX		1
define AF_INET		2
define AF_INET6		10
define SOCK_TYPE_MASK	0x0f
define SOCK_STREAM	1
define SOCK_DGRAM	2
define SOCK_RAW		3
define IPPROTO_ICMP	1
define IPPROTO_TCP	6
define IPPROTO_UDP	17
define IPPROTO_ICMPV6	58
define IPPROTO_MPTCP	262
allow socket if arg0:32 == AF_UNIX
allow socket if arg0:32 in AF_INET AF_INET6 and arg1:32 & SOCK_TYPE_MASK in SOCK_STREAM SOCK_DGRAM SOCK_RAW and arg2:32 in 0 IPPROTO_ICMP IPPROTO_TCP IPPROTO_UDP IPPROTO_ICMPV6 IPPROTO_MPTCP
answer EPROTONOSUPPORT socket if arg0:32 in AF_INET AF_INET6
answer EAFNOSUPPORT socket

# Only UNIX has pairs among the families above.
allow socketpair if arg0:32 == AF_UNIX
answer EOPNOTSUPP socketpair

allow bind connect listen accept accept4 getsockname getpeername shutdown
allow getsockopt setsockopt
allow send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64


## Files

# A device file would be refused anyway, the mounts are all nodev. Of the types, S_IFCHR (0020000)
# and S_IFBLK (0060000) are devices, and nothing else has these bits like that.
define S_IFDEV_BITS	0130000
define S_IFDEV		0020000
deny mknod if arg1:32 & S_IFDEV_BITS == S_IFDEV
allow mknod
deny mknodat if arg2:32 & S_IFDEV_BITS == S_IFDEV
allow mknodat

# Names. What may be reached by one is the mounts' and Landlock's business.
allow open openat openat2 creat close close_range
allow stat lstat fstat stat64 lstat64 fstat64 newfstatat fstatat64 statx
allow access faccessat faccessat2 readlink readlinkat
allow link linkat symlink symlinkat unlink unlinkat rename renameat renameat2
allow mkdir mkdirat rmdir chdir fchdir getcwd getdents getdents64
allow statfs fstatfs statfs64 fstatfs64

# Attributes.
allow chmod fchmod fchmodat fchmodat2 umask
allow chown fchown lchown fchownat chown32 fchown32 lchown32
allow utime utimes futimesat utimensat utimensat_time64
allow truncate ftruncate truncate64 ftruncate64 fallocate
allow getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat
allow setxattr lsetxattr fsetxattr setxattrat
allow removexattr lremovexattr fremovexattr removexattrat

# Content.
allow read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2
# A descriptor that the caller shares with us sends its signals to the caller: which one (F_SETSIG) is
# not ours to choose.
define F_SETSIG 10
deny fcntl fcntl64 if arg1:32 == F_SETSIG
allow fcntl fcntl64
allow lseek _llseek dup dup2 dup3 flock pipe pipe2
allow sendfile sendfile64 splice tee vmsplice copy_file_range
allow sync syncfs fsync fdatasync sync_file_range arm_sync_file_range
allow readahead fadvise64 arm_fadvise64_64 cachestat
allow memfd_create

# The old asynchronous I/O, for databases.
allow io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64

# Waiting for files, and files to wait for.
allow select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64
allow epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
allow eventfd eventfd2 signalfd signalfd4
allow timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime timerfd_gettime64
allow inotify_init inotify_init1 inotify_add_watch inotify_rm_watch


## Memory

# Pages with the same content as somebody else's are told by the time that writing to them takes, once
# the kernel has merged them. EINVAL is what a kernel without that says.
define MADV_MERGEABLE 12
answer EINVAL madvise if arg2:32 == MADV_MERGEABLE
allow madvise
allow brk mmap mmap2 munmap mremap mprotect msync mincore
allow mlock mlock2 munlock mlockall munlockall remap_file_pages
allow pkey_alloc pkey_free pkey_mprotect mseal map_shadow_stack membarrier

# Placement: java, numactl, databases.
allow get_mempolicy set_mempolicy set_mempolicy_home_node mbind migrate_pages move_pages


## Signals

allow sigaction sigprocmask sigpending sigsuspend sigreturn sigaltstack pause restart_syscall
allow rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigreturn
allow rt_sigtimedwait rt_sigtimedwait_time64


## Threads and scheduling

allow futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue
allow set_robust_list get_robust_list rseq rseq_slice_yield getcpu
allow sched_yield sched_getaffinity sched_getattr sched_getparam sched_getscheduler

# PID 1 runs under the workload's uid, and that is all these calls ask for: whoever sets its limits
# has the kernel kill it (RLIMIT_CPU), whoever sets its class or priority starves it, and with it the
# SIGKILL of a timeout, which takes the box down only when PID 1 gets to run. It is in the group and
# among the processes of the user, too.
deny prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler if arg0:32 == 1
allow prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler
define PRIO_PGRP		1
define PRIO_USER		2
deny setpriority if arg0:32 in PRIO_PGRP PRIO_USER
deny setpriority if arg1:32 == 1
define IOPRIO_WHO_PGRP		2
define IOPRIO_WHO_USER		3
deny ioprio_set if arg0:32 in IOPRIO_WHO_PGRP IOPRIO_WHO_USER
deny ioprio_set if arg1:32 == 1
allow getpriority setpriority nice ioprio_get ioprio_set

allow sched_get_priority_max sched_get_priority_min
allow sched_rr_get_interval sched_rr_get_interval_time64


## Time

allow time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64
allow nanosleep clock_nanosleep clock_nanosleep_time64 alarm getitimer setitimer
allow timer_create timer_delete timer_getoverrun
allow timer_gettime timer_gettime64 timer_settime timer_settime64


## Who one is

# No id but the caller's own is mapped, and no capability is left, so none of these can win anything.
allow getuid geteuid getgid getegid getresuid getresgid getgroups
allow setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups
allow getuid32 geteuid32 getgid32 getegid32 getresuid32 getresgid32 getgroups32
allow setuid32 setgid32 setreuid32 setregid32 setresuid32 setresgid32
allow setfsuid32 setfsgid32 setgroups32
allow capget capset
allow getpgid setpgid getpgrp getsid setsid

allow uname sysinfo times getrusage getrandom
allow getrlimit ugetrlimit setrlimit

# Only what affects nobody but the process: another name for the machine (PER_LINUX32, UNAME26) and
# fixed addresses (ADDR_NO_RANDOMIZE: sanitizers, reproducible builds). Not pages at address 0, not
# executable data. 0xffffffff only asks.
define PERSONALITY_ASK		0xffffffff
define PERSONALITY_OTHERS	0xfff9fff7
allow personality if arg0:32 == PERSONALITY_ASK
allow personality if arg0:32 & PERSONALITY_OTHERS == 0
deny personality


## Walls of its own

# A sandbox in the box only takes away. A listener (SECCOMP_FILTER_FLAG_NEW_LISTENER) is allowed: it
# serves the program's own children, and the answers of this filter come before any listener's.
allow seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
allow lsm_get_self_attr lsm_set_self_attr lsm_list_modules


## prctl

# Nearly all of it is about the calling process alone, and only takes away: names, signals at a
# parent's end, dumps, seccomp, capabilities and securebits (none are left), no_new_privs, timers,
# speculation (what a filter has forced stays forced), shadow stacks, pointer keys, vectors.
# Numbers that other architectures have, or that are gone, are the kernel's to refuse. EINVAL is what
# a kernel says to options that it does not know, also to those that are younger than this list.
#
# Not these: where the kernel believes the program's memory and executable to be; cookies that keep
# neighbours from the other half of a core; merging of pages with the same content, as for madvise.
# Nor PR_SET_PTRACER of Yama, as nobody may trace.
define PR_SET_MM		35
define PR_SCHED_CORE		62
define PR_SET_MEMORY_MERGE	67
define PR_GET_MEMORY_MERGE	68
define PR_LAST			79
define PR_SET_VMA		0x53564d41
deny prctl if arg0:32 == PR_SET_MM
answer EINVAL prctl if arg0:32 in PR_SCHED_CORE PR_SET_MEMORY_MERGE PR_GET_MEMORY_MERGE
allow prctl if arg0:32 in 0..PR_LAST PR_SET_VMA
answer EINVAL prctl


## Shared memory, messages, semaphores: in the box's own IPC namespace

allow shmget shmat shmdt shmctl
allow semget semop semctl semtimedop semtimedop_time64
allow msgget msgsnd msgrcv msgctl
allow mq_open mq_unlink mq_notify mq_getsetattr
allow mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64


## One architecture's own calls

allow arch_prctl
# The kernel puts these into a program that it probes, which would die without.
allow uretprobe uprobe
allow cacheflush set_tls get_tls
allow riscv_flush_icache riscv_hwprobe


## Calls that were never there, or are gone

# The kernel says ENOSYS itself, or would have to load something that nobody asks for any more.
answer ENOSYS _sysctl sysfs ustat uselib nfsservctl bdflush
answer ENOSYS create_module query_module get_kernel_syms epoll_ctl_old epoll_wait_old
answer ENOSYS afs_syscall getpmsg putpmsg security tuxcall vserver
answer ENOSYS get_thread_area set_thread_area
answer ENOSYS pciconfig_iobase pciconfig_read pciconfig_write breakpoint usr26 usr32
