# SPDX-License-Identifier: MIT
# The same with copy-on-write (filters/standin.h). Whoever takes it over can write, besides, to what the command may
# write to, to the store and to the lower directory, and to nothing else: that holds Landlock (init/fence.h), as
# it holds traces and signals to the command and its init. The language: filters/profile.h.

otherwise deny

include guard.rules

# Files, other than new ones: O_CREAT, and the bit that makes O_TMPFILE. The flags of openat2 are in memory.
define CREATES	020000100
allow openat if arg2:32 & CREATES == 0
deny openat
allow openat2

# Fill them.
define FICLONE	0x40049409
allow ioctl if arg1:32 == FICLONE
deny ioctl
allow pread64 write lseek _llseek copy_file_range ftruncate ftruncate64
allow fchmod

# Have callers make their calls again: filters/again.c. A setitimer bounds the only wait in there.
define PTRACE_DETACH		17
define PTRACE_SYSCALL		24
define PTRACE_GETEVENTMSG	0x4201
define PTRACE_GETREGSET		0x4204
define PTRACE_SETREGSET		0x4205
define PTRACE_SEIZE		0x4206
define PTRACE_INTERRUPT		0x4207
define PTRACE_LISTEN		0x4208
define PTRACE_GETSIGMASK	0x420a
define PTRACE_SETSIGMASK	0x420b
allow ptrace if arg0:64 in PTRACE_DETACH PTRACE_SYSCALL PTRACE_GETEVENTMSG PTRACE_GETREGSET PTRACE_SETREGSET PTRACE_SEIZE PTRACE_INTERRUPT PTRACE_LISTEN PTRACE_GETSIGMASK PTRACE_SETSIGMASK
deny ptrace
allow process_vm_writev tgkill waitid setitimer

# Whether a script can be executed: filters/standin_script.c.
allow faccessat
