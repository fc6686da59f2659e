# SPDX-License-Identifier: MIT
# For servers, and for tools that look at the network: what default.profile says, and besides that how
# the network is set up may be read. The language: filters/profile.h.

# rtnetlink(7): getifaddrs(), if_nameindex() and `ip address` ask it for interfaces, addresses and
# routes. Changes need CAP_NET_ADMIN, which nobody in a box has. No other netlink protocol: many
# load a module, and few are for programs without rights.
define AF_NETLINK	16
define NETLINK_ROUTE	0
allow socket if arg0:32 == AF_NETLINK and arg2:32 == NETLINK_ROUTE

include default.profile
