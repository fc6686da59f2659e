# SPDX-License-Identifier: MIT
# Copy-on-write without any mount: the calls with paths, which the listener translates (filters/standin.h), among
# them those of cow.profile. Those that it has made the caller make again pass. The language: filters/profile.h.

otherwise allow

include calls.rules

# A process has one listener for all of them.
include attributes.rules

# filters/again.h. Whoever says it by himself gets what the kernel says to the paths as they are.
define AGAIN_MARK	0x6e657374
allow open openat openat2 creat truncate truncate64 execve execveat if arg5:32 == AGAIN_MARK
notify open openat openat2 creat truncate truncate64 execve execveat
allow getcwd readlink readlinkat chdir chroot if arg5:32 == AGAIN_MARK
notify getcwd readlink readlinkat chdir chroot
allow stat lstat stat64 lstat64 newfstatat fstatat64 statx statfs statfs64 if arg5:32 == AGAIN_MARK
notify stat lstat stat64 lstat64 newfstatat fstatat64 statx statfs statfs64
allow access faccessat faccessat2 if arg5:32 == AGAIN_MARK
notify access faccessat faccessat2
allow mkdir mkdirat mknod mknodat unlink unlinkat rmdir if arg5:32 == AGAIN_MARK
notify mkdir mkdirat mknod mknodat unlink unlinkat rmdir
allow rename renameat renameat2 link linkat symlink symlinkat if arg5:32 == AGAIN_MARK
notify rename renameat renameat2 link linkat symlink symlinkat
allow getxattr lgetxattr listxattr llistxattr if arg5:32 == AGAIN_MARK
notify getxattr lgetxattr listxattr llistxattr
allow inotify_add_watch fanotify_mark name_to_handle_at open_tree if arg5:32 == AGAIN_MARK
notify inotify_add_watch fanotify_mark name_to_handle_at open_tree

# Whoever has put itself under rules opens files itself: filters/cow.h.
notify landlock_restrict_self

# Young ones, of which the first has six arguments. There are older calls that do the same.
answer ENOSYS getxattrat listxattrat file_getattr

# Requests that no filter sees, a handle, and a call that hardly any kernel has.
answer ENOSYS io_uring_setup io_uring_enter io_uring_register uselib
deny open_by_handle_at
