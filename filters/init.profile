# SPDX-License-Identifier: MIT
# What is taken from a workload that is PID 1 itself (--as-pid-1), besides what default.profile says. The
# language: filters/profile.h.

otherwise allow

# The kernel kills PID 1 when the launcher dies, unless that is cancelled. No other process in the box is
# there to hold on to that for it.
define PR_SET_PDEATHSIG 1
deny prctl if arg0:32 == PR_SET_PDEATHSIG
allow prctl
