#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Ways out of the box through the descriptors that a caller gives, or does not give.

load ../lib/common.bash

# A host file that no test grants.
host_program() {
    mkdir "$T/host" "$T/box"
    printf '#!/bin/sh\necho escaped\n' >"$T/host/program"
    chmod 0755 "$T/host/program"
    give "$T/host" "$T/box"
}

@test "a closed standard descriptor is no way to the host's root for an interpreter line" {
    host_program
    for fd in 0 1 2; do
        printf '#!/proc/self/fd/%s%s\n' "$fd" "$T/host/program" >"$T/box/script$fd"
    done
    chmod 0755 "$T"/box/script*
    give "$T"/box/*
    run -127 box -x "$T/box" -- "$T/box/script0" 0<&-
    lacks escaped
    status=0
    box -x "$T/box" -- "$T/box/script1" 1>&- 2>"$T/err" || status=$?
    exits 127
    run -127 box -x "$T/box" -- "$T/box/script2" 2>&-
    lacks escaped
}

@test "nor for a directory to start in" {
    run box --chdir /proc/self/fd/0 -- /bin/ls 0<&-
    exits 125
}

@test "a directory as standard input, output or error is refused" {
    for fd in 0 1 2; do
        rm -f "$T/marker"
        status=0
        eval "box -w \"$T\" -- /usr/bin/touch \"$T/marker\" $fd<\"$T\"" || status=$?
        exits 125
        [ ! -e "$T/marker" ]
    done
}

@test "events that the command could forge are refused: a pipe or file that it has, too" {
    for option in --status-fd --exit-signal-fd; do
        # shellcheck disable=SC2016
        run as_caller /bin/sh -c '"$1" -x / "$2" 3 -- /bin/true 3>&1' sh "$NB" "$option"
        exits 125
    done
    status=0
    box --status-fd 3 -- /bin/true 3>"$T/log" >"$T/log" 2>/dev/null || status=$?
    exits 125
    status=0
    box --keep-fd 4 --status-fd 3 -- /bin/true 3>"$T/log" 4>"$T/log" 2>/dev/null || status=$?
    exits 125
    status=0
    box --status-fd 3 -- /bin/true 3>"$T/log" 4>"$T/log" || status=$?
    exits 0
    grep -qx '{"event":"exit","code":0}' "$T/log"
}

@test "a status pipe that is full and non-blocking loses no event, and holds nothing up" {
    # The reader starts to read when PID 1 has ended; until then the pipe is full.
    run as_caller /usr/bin/python3 - "$NB" <<'END'
import fcntl, os, subprocess, sys
reader, writer = os.pipe()
os.set_blocking(writer, False)
filled = 0
try:
    while True:
        filled += os.write(writer, b"x" * 4096)
except BlockingIOError:
    pass
child = subprocess.Popen([sys.argv[1], "-x", "/usr", "--status-fd", str(writer), "--timeout", "0.5",
                          "--", "/bin/sh", "-c", "read line"],
                         pass_fds=[writer], stdin=subprocess.PIPE)
os.close(writer)
def children():
    with open(f"/proc/{child.pid}/task/{child.pid}/children") as file:
        return file.read().split()
while not children():
    os.sched_yield()
while children():
    os.sched_yield()
text = b""
while chunk := os.read(reader, 65536):
    text += chunk
lines = text[filled:].decode().splitlines()
print(child.wait(), len(lines), lines[0][:16], lines[-1])
END
    is '124 2 {"event":"start" {"event":"timeout"}'
}

@test "nor does one for the signal's record" {
    run as_caller /usr/bin/python3 - "$NB" <<'END'
import os, subprocess, sys
reader, writer = os.pipe()
os.set_blocking(writer, False)
try:
    while True:
        os.write(writer, b"x" * 4096)
except BlockingIOError:
    pass
child = subprocess.Popen([sys.argv[1], "-x", "/usr", "--exit-signal-fd", str(writer), "--",
                          "/bin/sh", "-c", "read line; kill -KILL $$"],
                         pass_fds=[writer], stdin=subprocess.PIPE)
os.close(writer)
def children():
    with open(f"/proc/{child.pid}/task/{child.pid}/children") as file:
        return file.read().split()
while not children():
    os.sched_yield()
child.stdin.close()
while children():
    os.sched_yield()
text = b""
while chunk := os.read(reader, 65536):
    text += chunk
print(child.wait(), list(text[-4:]))
END
    is '137 [9, 0, 0, 0]'
}

@test "the host's devices cannot be changed" {
    need_root_caller
    # To the mode that they have: should it work, the machine is none the worse.
    # shellcheck disable=SC2016
    run box -- /bin/sh -c 'for d in null zero full random urandom tty; do
        chmod "$(stat -c %a /dev/$d)" /dev/$d || echo refused; done 2>/dev/null'
    [ "$(grep -c refused <<<"$output")" = 6 ]
}

@test "and are still devices" {
    run box -- /bin/sh -c 'echo lost >/dev/null && head -c 3 /dev/zero | wc -c && ! echo >/dev/full'
    says 3
    exits 0
}

@test "the launcher's chance with the OOM killer is not the workload's to change" {
    need_root_caller
    run box -- /bin/sh -c 'echo 777 >/proc/1/oom_score_adj'
    matches 'Read-only file system'
}

@test "without a terminal the box has a session of its own" {
    # setsid: the tests may run at a terminal.
    run as_caller setsid --wait "$NB" -x "$NB_BIN" -- "$PROBE" session
    matches '\bsid=1\b|\bsession 1\b|\bsid 1\b'
}

@test "kill(0) and a priority for the group reach nobody outside" {
    run as_caller setsid --wait /bin/sh -c '
        "$1" -x /usr -- /bin/sh -c "kill -KILL 0"
        echo "caller lives: $?"
        "$1" -x /usr -- /usr/bin/python3 -c "
import os
for which in os.PRIO_PGRP, os.PRIO_USER:
    try:
        os.setpriority(which, 0, 19)
    except PermissionError:
        print(which, \"refused\")"
        echo "nice: $(nice)"' sh "$NB"
    says "caller lives: 137" "1 refused" "2 refused" "nice: 0"
}

@test "PID 1 cannot be starved: no limit, class, affinity or priority of it can be set" {
    # shellcheck disable=SC2016
    run box -- /usr/bin/python3 -c '
import os, resource
def attempt(name, call):
    try:
        call()
        print(name, "done")
    except PermissionError:
        print(name, "refused")
attempt("limit", lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1)))
attempt("class", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
attempt("affinity", lambda: os.sched_setaffinity(1, {0}))
attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
attempt("own limit", lambda: resource.prlimit(0, resource.RLIMIT_CORE, (0, 0)))
attempt("own priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, 5))'
    is $'limit refused\nclass refused\naffinity refused\npriority refused\nown limit done\nown priority done'
}

@test "a signal for what happens on a shared descriptor cannot be chosen" {
    run box -- /usr/bin/python3 -c '
import fcntl
try:
    fcntl.fcntl(0, fcntl.F_SETSIG, 9)
except PermissionError:
    print("refused")' </dev/null
    is refused
}
