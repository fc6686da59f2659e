# SPDX-License-Identifier: MIT
# What the process may still do that answers the calls of a command without a box (init/guard.h). It reads what an
# attacker has written: whoever takes it over makes no file, process or socket, and opens none for writing. Signals
# and traces stay in its domain of Landlock. The language: filters/profile.h.

otherwise deny

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
allow process_vm_readv read readlinkat statx fstatfs fstatfs64 close

# O_WRONLY, O_RDWR, O_CREAT and O_TRUNC. The flags of openat2 are in memory.
define CHANGES	01103
allow openat if arg2:32 & CHANGES == 0
deny openat

# Change what they ask for.
allow fchmodat fchownat setxattr removexattr

# Pass signals on, and the end of the command's init.
allow kill getpid wait4

allow exit exit_group rt_sigreturn restart_syscall
