# SPDX-License-Identifier: MIT
# What the process may still do that answers the calls of a workload with copy-on-write by notification. It reads
# what an attacker has written: whoever takes it over finds no way to a process or a socket, and no files but those of
# the box, the lower directory, to be read, and /proc (init/listener.c). It is not under Landlock, which would keep it
# from looking at its callers. The language: filters/profile.h.

otherwise deny

# Take and answer calls.
define SECCOMP_IOCTL_NOTIF_RECV		0xc0502100
define SECCOMP_IOCTL_NOTIF_SEND		0xc0182101
define SECCOMP_IOCTL_NOTIF_ID_VALID	0x40082102
define SECCOMP_IOCTL_NOTIF_ID_OLD	0x80082102
define SECCOMP_IOCTL_NOTIF_ADDFD	0x40182103
define FICLONE				0x40049409
allow ioctl if arg1:32 in SECCOMP_IOCTL_NOTIF_RECV SECCOMP_IOCTL_NOTIF_SEND SECCOMP_IOCTL_NOTIF_ID_VALID SECCOMP_IOCTL_NOTIF_ID_OLD SECCOMP_IOCTL_NOTIF_ADDFD FICLONE
deny ioctl
allow ppoll ppoll_time64

# Look at their caller.
allow process_vm_readv readlinkat statx fstatfs fstatfs64 close

# Files, other than new ones: O_CREAT, and the bit that makes O_TMPFILE. The flags of openat2 are in memory.
define CREATES	020000100
allow openat if arg2:32 & CREATES == 0
deny openat
allow openat2

# Fill them.
allow read pread64 write lseek _llseek copy_file_range ftruncate ftruncate64
allow fchmod fchmodat utimensat utimensat_time64

allow exit exit_group rt_sigreturn restart_syscall
