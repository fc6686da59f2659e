# SPDX-License-Identifier: MIT
# What PID 1 may still do once the workload runs: reap, forward signals, report, end. It holds the
# box together and is the one process in there that is not without rights in the outer user
# namespace, so a workload that takes it over must gain nothing. The language: filters/profile.h.

otherwise deny

# PID 1 sleeps. To make its few calls faster would cost more than these ever take: 7 µs at each start
# against some 80 ns a call.
uncached

# Wait for signals and for children.
allow rt_sigtimedwait rt_sigtimedwait_time64 wait4 waitid

# How much of --grace is left. Mostly the kernel need not be asked: vdso(7).
allow clock_gettime clock_gettime64

# Forward signals.
allow kill

# Report how the workload ended, then end.
allow write exit exit_group

# The kernel makes these calls on our behalf: to return from a handler, and to go on with a wait
# that a stop and continue has interrupted.
allow rt_sigreturn restart_syscall
