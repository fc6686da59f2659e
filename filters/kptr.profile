# SPDX-License-Identifier: MIT
# --restrict-kptr: no argument that is a pointer leads into the kernel's half of the address space. The
# kernel checks that itself, but for its bugs: waitid once did not (CVE-2017-5123), nor do drivers. The
# language: filters/profile.h. This is no policy on calls, so the other filters are put on as well.
#
# What a number is in one use and a pointer in another, or is looked at in some uses alone, has a "?": it
# may be negative as an int. Not looked at are numbers, descriptors, offsets, and brk's end of the heap,
# for which any value is a question.

otherwise allow

include calls.rules


## Memory

pointers 0	mmap mmap2 munmap mprotect madvise msync mlock mlock2 munlock mseal map_shadow_stack
pointers 0	pkey_mprotect remap_file_pages set_mempolicy_home_node
pointers 0 2	mincore
pointers 0 4?	mremap
pointers 0 3	mbind
pointers 0 1 3?	get_mempolicy
pointers 1	set_mempolicy process_madvise
pointers 2 3	migrate_pages
pointers 2 3 4	move_pages
pointers 0 1	cacheflush
pointers 0? 1?	riscv_flush_icache
allow brk mlockall munlockall pkey_alloc pkey_free membarrier memfd_secret


## Processes, threads

# Stack, thread ids, and thread-local storage: where the flags do not ask for them there may be anything.
pointers 1? 2? 3? 4?	clone
pointers 0	clone3
pointers 0 1 2	execve
pointers 1 2 3	execveat
pointers 1 3	wait4
pointers 2 4	waitid
pointers 0	set_tid_address set_robust_list rseq set_tls
pointers 1 2	get_robust_list
pointers 0 1	getcpu
pointers 0 3? 4?	futex futex_time64
pointers 0 3	futex_waitv
pointers 0	futex_wake futex_requeue
pointers 0 4	futex_wait
pointers 1?	arch_prctl
pointers 1? 2? 3? 4?	prctl keyctl
pointers 2? 3?	ptrace
pointers 1 3	process_vm_readv process_vm_writev
pointers 2	pidfd_send_signal
pointers 0 3	riscv_hwprobe
allow fork vfork exit exit_group getpid getppid gettid get_tls unshare setns
allow pidfd_open pidfd_getfd process_mrelease kcmp rseq_slice_yield uretprobe uprobe


## Signals

pointers 1 2	rt_sigaction rt_sigprocmask sigaction sigprocmask
pointers 0	rt_sigpending rt_sigsuspend sigpending
pointers 0 1 2	rt_sigtimedwait rt_sigtimedwait_time64
pointers 2	rt_sigqueueinfo
pointers 3	rt_tgsigqueueinfo
pointers 0 1	sigaltstack
allow kill tkill tgkill pause rt_sigreturn sigreturn sigsuspend restart_syscall


## Scheduling, limits, who one is

pointers 1	sched_setparam sched_getparam sched_setattr sched_getattr
pointers 1	sched_rr_get_interval sched_rr_get_interval_time64
pointers 2	sched_setscheduler sched_setaffinity sched_getaffinity
pointers 1	getrlimit ugetrlimit setrlimit getrusage
pointers 2 3	prlimit64
pointers 0 1 2	getresuid getresgid getresuid32 getresgid32
pointers 1	getgroups setgroups getgroups32 setgroups32
pointers 0 1	capget capset
pointers 0	uname sysinfo times getrandom
allow sched_yield sched_getscheduler sched_get_priority_max sched_get_priority_min
allow getpriority setpriority nice ioprio_get ioprio_set personality umask
allow getuid geteuid getgid getegid getuid32 geteuid32 getgid32 getegid32
allow setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid
allow setuid32 setgid32 setreuid32 setregid32 setresuid32 setresgid32 setfsuid32 setfsgid32
allow getpgid setpgid getpgrp getsid setsid


## Time

pointers 0	time
pointers 0 1	gettimeofday settimeofday nanosleep
pointers 1	clock_gettime clock_gettime64 clock_getres clock_getres_time64
pointers 1	clock_settime clock_settime64 clock_adjtime clock_adjtime64
pointers 2 3	clock_nanosleep clock_nanosleep_time64
pointers 0	adjtimex
pointers 1	getitimer
pointers 1 2	setitimer timer_create
pointers 1	timer_gettime timer_gettime64 timerfd_gettime timerfd_gettime64
pointers 2 3	timer_settime timer_settime64 timerfd_settime timerfd_settime64
allow alarm timer_delete timer_getoverrun timerfd_create


## Files by descriptor

pointers 1	read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 vmsplice
pointers 2?	ioctl fcntl fcntl64
pointers 1	fstat fstat64 fstatfs getdents getdents64
pointers 2	fstatfs64
pointers 3	_llseek
pointers 2	sendfile sendfile64
pointers 1 3	splice copy_file_range
pointers 0	pipe pipe2
pointers 1 2	cachestat
pointers 1 2	fgetxattr fsetxattr
pointers 1	flistxattr fremovexattr
allow lseek close close_range dup dup2 dup3 flock fchdir fchmod fchown fchown32
allow ftruncate ftruncate64 fallocate fadvise64 arm_fadvise64_64 readahead tee
allow fsync fdatasync sync syncfs sync_file_range arm_sync_file_range


## Files by name

pointers 0	open creat access chdir chroot mkdir rmdir unlink mknod
pointers 0	chmod chown lchown chown32 lchown32 truncate truncate64
pointers 1	openat mkdirat mknodat unlinkat fchmodat fchmodat2 fchownat faccessat faccessat2
pointers 1 2	openat2
pointers 0 1	stat lstat stat64 lstat64 statfs readlink link symlink rename
pointers 0 2	statfs64 symlinkat
pointers 1 2	newfstatat fstatat64 readlinkat
pointers 1 4	statx
pointers 1 3	linkat renameat renameat2
pointers 0 1	utime utimes
pointers 1 2	utimensat utimensat_time64 futimesat
pointers 0	getcwd memfd_create
pointers 0 1 2	getxattr lgetxattr setxattr lsetxattr
pointers 0 1	listxattr llistxattr removexattr lremovexattr
pointers 1 3 4	getxattrat setxattrat
pointers 1 3	listxattrat removexattrat
pointers 1 2	file_getattr file_setattr
pointers 1 2 3	name_to_handle_at
pointers 1	open_by_handle_at inotify_add_watch
pointers 4?	fanotify_mark
allow inotify_init inotify_init1 inotify_rm_watch fanotify_init


## Waiting

pointers 1 2 3 4	select _newselect
pointers 1 2 3 4 5	pselect6 pselect6_time64
pointers 0	poll
pointers 0 2 3	ppoll ppoll_time64
pointers 1	epoll_wait signalfd signalfd4
pointers 3?	epoll_ctl
pointers 1 4?	epoll_pwait
pointers 1 3 4	epoll_pwait2
pointers 1	io_setup
pointers 2	io_submit
pointers 1 2	io_cancel
pointers 3 4	io_getevents
pointers 3 4 5	io_pgetevents io_pgetevents_time64
pointers 1	io_uring_setup
pointers 4?	io_uring_enter
pointers 2	io_uring_register
allow epoll_create epoll_create1 eventfd eventfd2 io_destroy


## Sockets

pointers 1	bind connect sendmsg recvmsg sendmmsg send recv
pointers 1 2	accept accept4 getsockname getpeername
pointers 1 4	sendto recvmmsg recvmmsg_time64
pointers 1 4 5	recvfrom
pointers 3	setsockopt socketpair
pointers 3 4	getsockopt
allow socket listen shutdown


## Messages, semaphores, shared memory

pointers 1	shmat semop msgsnd msgrcv
pointers 0	shmdt
pointers 2	shmctl msgctl
pointers 3?	semctl
pointers 1 3	semtimedop semtimedop_time64
pointers 0 3?	mq_open
pointers 0	mq_unlink
pointers 1	mq_notify
pointers 1 2	mq_getsetattr
pointers 1 4	mq_timedsend mq_timedsend_time64
pointers 1 3 4	mq_timedreceive mq_timedreceive_time64
allow shmget semget msgget


## Walls and views

pointers 2	seccomp landlock_add_rule
pointers 0	landlock_create_ruleset
pointers 1 2	lsm_get_self_attr
pointers 1	lsm_set_self_attr
pointers 0 1	lsm_list_modules statmount listmount listns
pointers 0 1 2 4	mount
pointers 0	umount2 fsopen
pointers 0 1	pivot_root
pointers 1	open_tree fspick
pointers 1 3	open_tree_attr mount_setattr move_mount
pointers 2 3	fsconfig
allow landlock_restrict_self fsmount


## The machine

pointers 0	acct swapon swapoff sethostname setdomainname delete_module perf_event_open
pointers 0 2	init_module
pointers 1	finit_module bpf syslog modify_ldt
pointers 1?	lookup_dcookie
pointers 2	kexec_load
pointers 3	kexec_file_load quotactl_fd
pointers 3?	reboot
pointers 1 3	quotactl
pointers 0 1 2	add_key request_key
allow vhangup iopl ioperm userfaultfd


## Gone, or never there

pointers 0	_sysctl uselib
pointers 1	ustat
pointers 1? 2?	sysfs
allow nfsservctl bdflush create_module query_module get_kernel_syms epoll_ctl_old epoll_wait_old
allow afs_syscall getpmsg putpmsg security tuxcall vserver get_thread_area set_thread_area
allow pciconfig_iobase pciconfig_read pciconfig_write breakpoint usr26 usr32
