# SPDX-License-Identifier: MIT
# What Landlock leaves open where it stands in for the namespaces of a box (--fallback): landlock(7), "Current
# limitations". The language: filters/profile.h.

otherwise allow

include calls.rules

# A socket of the host's is connected to by its name. Pairs of these two types have their peer for good:
# unix(7).
define AF_UNIX 1
define SOCK_TYPE 0xf
define SOCK_STREAM 1
define SOCK_SEQPACKET 5
answer EAFNOSUPPORT socket if arg0:32 == AF_UNIX
allow socket
allow socketpair if arg1:32 & SOCK_TYPE in SOCK_STREAM SOCK_SEQPACKET
answer EAFNOSUPPORT socketpair
answer ENOSYS io_uring_setup io_uring_enter io_uring_register

# Of any file that the user owns, wherever it is. Modes, owners and attributes: filters/attributes.h.
deny file_setattr

# The host's.
answer ENOSYS shmget shmat shmctl semget semop semctl semtimedop semtimedop_time64
answer ENOSYS msgget msgsnd msgrcv msgctl
answer ENOSYS mq_open mq_unlink

# Limits, places and priorities of processes elsewhere: the user is all that these ask for. A thread is told from
# a process by no filter, so each can set its own alone.
define PRIO_PROCESS 0
define IOPRIO_WHO_PROCESS 1
allow prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler if arg0:32 == 0
deny prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler
allow setpriority if arg0:32 == PRIO_PROCESS and arg1:32 == 0
deny setpriority
allow ioprio_set if arg0:32 == IOPRIO_WHO_PROCESS and arg1:32 == 0
deny ioprio_set

# The user's keys: those of a box are its user namespace's.
deny add_key request_key keyctl
