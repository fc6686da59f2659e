# SPDX-License-Identifier: MIT
# What is taken from a workload of --deny-tsc besides the counter: the call that gives it back. The
# language: filters/profile.h.

otherwise allow

define PR_SET_TSC 26
deny prctl if arg0:32 == PR_SET_TSC
allow prctl
