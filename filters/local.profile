# SPDX-License-Identifier: MIT
# No network where there is no network namespace to hold it: sockets are Unix ones. The language:
# filters/profile.h.

otherwise allow

define AF_UNIX 1
allow socket socketpair if arg0:32 == AF_UNIX
answer EAFNOSUPPORT socket socketpair

# Makes sockets out of sight of all this.
answer ENOSYS io_uring_setup io_uring_enter io_uring_register
