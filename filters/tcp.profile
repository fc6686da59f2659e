# SPDX-License-Identifier: MIT
# What goes around the TCP ports that Landlock holds (--net-connect, --net-bind), landlock(7). The language:
# filters/profile.h.

otherwise allow

# Data in the first packet makes a connection without connect(2), which is what Landlock looks at:
# MSG_FASTOPEN of sendmsg(2). Programs go on with connect(2) then.
define MSG_FASTOPEN 0x20000000
answer EOPNOTSUPP sendto if arg3:32 & MSG_FASTOPEN == MSG_FASTOPEN
allow sendto
answer EOPNOTSUPP sendmsg if arg2:32 & MSG_FASTOPEN == MSG_FASTOPEN
allow sendmsg
answer EOPNOTSUPP sendmmsg if arg3:32 & MSG_FASTOPEN == MSG_FASTOPEN
allow sendmmsg

# Sockets that speak TCP, but are none to Landlock. This is the answer of kernels without them.
define IPPROTO_MPTCP 262
define AF_RDS 21
define AF_SMC 43
answer EPROTONOSUPPORT socket if arg2:32 == IPPROTO_MPTCP
answer EAFNOSUPPORT socket if arg0:32 in AF_RDS AF_SMC
allow socket

# The same made of a socket that is one (SMC, Linux 5.17), where the module is loaded. The name is in memory;
# what asks for TLS in the kernel goes on without. This is the answer of kernels that have none by the name.
define IPPROTO_TCP 6
define TCP_ULP 31
answer ENOENT setsockopt if arg1:32 == IPPROTO_TCP and arg2:32 == TCP_ULP
allow setsockopt

# Makes and uses sockets out of sight of all this.
answer ENOSYS io_uring_setup io_uring_enter io_uring_register
