# SPDX-License-Identifier: MIT
# Copy-on-write by notification: which calls the listener has to see, because they reach the content of a file
# that may not have it yet. All others work on the tree as it is: mountns/tree.h. The language:
# filters/profile.h.

otherwise allow

# Neither O_PATH nor making a new file, with O_CREAT and O_EXCL, reaches any content. Their numbers are the same
# everywhere, other than that of O_DIRECTORY. The flags of openat2 are in memory.
define O_PATH	010000000
define MAKES	0300
allow open if arg1:32 & O_PATH == O_PATH
allow open if arg1:32 & MAKES == MAKES
notify open
allow openat if arg2:32 & O_PATH == O_PATH
allow openat if arg2:32 & MAKES == MAKES
notify openat
notify creat openat2 truncate truncate64 execve execveat

# From the moment when there may be FIFOs or devices, what is opened is looked at before: filters/cow.h. Neither the type
# 0 nor S_IFREG nor S_IFSOCK is one. An overlay with its upper directory in the tree copies them there.
define S_IFMT	0170000
allow mknod if arg1:32 & S_IFMT in 0 0100000 0140000
notify mknod
allow mknodat if arg2:32 & S_IFMT in 0 0100000 0140000
notify mknodat
notify mount fsopen

# What gives somebody another root: filters/places.h. The flags of clone3 are in memory.
define CLONE_NEWNS	0x20000
notify chroot pivot_root setns clone3
notify unshare if arg0:32 & CLONE_NEWNS == CLONE_NEWNS
allow unshare
notify clone if arg0:32 & CLONE_NEWNS == CLONE_NEWNS
allow clone

# Whoever has put itself under rules opens files itself: filters/cow.h.
notify landlock_restrict_self

# The same in requests that no filter sees, by a handle, and by a call that hardly any kernel has.
answer ENOSYS io_uring_setup io_uring_enter io_uring_register uselib
deny open_by_handle_at
