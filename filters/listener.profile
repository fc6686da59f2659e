# SPDX-License-Identifier: MIT
# What the process may still do that answers a workload's calls (filters/notify.h). It reads what an attacker
# has written: whoever takes it over finds no way to make a file, a process or a socket, nor to write other than at the
# end of a file, of the box or /proc (init/listener.c). The language: filters/profile.h.

otherwise deny

uncached

# Take and answer calls.
define SECCOMP_IOCTL_NOTIF_RECV		0xc0502100
define SECCOMP_IOCTL_NOTIF_SEND		0xc0182101
define SECCOMP_IOCTL_NOTIF_ID_VALID	0x40082102
define SECCOMP_IOCTL_NOTIF_ID_OLD	0x80082102
define SECCOMP_IOCTL_NOTIF_ADDFD	0x40182103
allow ioctl if arg1:32 in SECCOMP_IOCTL_NOTIF_RECV SECCOMP_IOCTL_NOTIF_SEND SECCOMP_IOCTL_NOTIF_ID_VALID SECCOMP_IOCTL_NOTIF_ID_OLD SECCOMP_IOCTL_NOTIF_ADDFD
deny ioctl
allow ppoll ppoll_time64

# Look at their caller.
allow process_vm_readv pidfd_open pidfd_getfd prlimit64
allow read readlinkat statx fstatfs fstatfs64 close

# O_ACCMODE, O_CREAT and O_TRUNC: to read, or O_WRONLY with O_APPEND.
define WRITES	01103
define APPENDS	03103
define O_WRONLY_APPEND 02001
allow openat if arg2:32 & WRITES == 0
allow openat if arg2:32 & APPENDS == O_WRONLY_APPEND
deny openat

# Do for it what it asks for: flags and length of an open file. There are F_GETFL and F_SETFL; of signals
# (O_ASYNC) we would be the sender.
deny fcntl fcntl64 if arg1:32 == 4 and arg2:32 & 020000 == 020000
allow fcntl fcntl64 if arg1:32 in 3 4
deny fcntl fcntl64
allow ftruncate ftruncate64

allow exit exit_group rt_sigreturn restart_syscall
