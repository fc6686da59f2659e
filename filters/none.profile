# SPDX-License-Identifier: MIT
# No policy of ours: for debuggers and tracers, and for programs that bring a filter of their own. What
# remains is what no box gives away, the caller's terminal; and foreign architectures, by whose
# calls even that could be had. Everything else is left to the other walls. The language:
# filters/profile.h.

otherwise allow

include terminal.rules
allow ioctl
