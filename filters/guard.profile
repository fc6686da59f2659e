# SPDX-License-Identifier: MIT
# What the process may still do that answers the calls of a command without a box (init/guard.h). It reads what an
# attacker has written: whoever takes it over makes no file, process or socket, and opens none for writing. Signals
# and traces stay in its domain of Landlock. The language: filters/profile.h.

otherwise deny

include guard.rules
deny ioctl

# O_WRONLY, O_RDWR, O_CREAT and O_TRUNC. The flags of openat2 are in memory.
define CHANGES	01103
allow openat if arg2:32 & CHANGES == 0
deny openat
