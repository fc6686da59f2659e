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

@test "a status pipe that is full and non-blocking loses no event" {
    # The reader starts to read when PID 1 has ended; until then the pipe is full.
    run as_caller /usr/bin/python3 - "$NB" "$NB_BIN" <<'END'
import fcntl, os, subprocess, sys
reader, writer = os.pipe()
os.set_blocking(writer, False)
filled = 0
try:
    while True:
        filled += os.write(writer, b"x" * 4096)
except BlockingIOError:
    pass
child = subprocess.Popen([sys.argv[1], "-x", sys.argv[2], "--status-fd", str(writer), "--",
                          sys.argv[2] + "/probe", "exit", "7"],
                         pass_fds=[writer])
os.close(writer)
def state(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]
def ended():
    with open(f"/proc/{child.pid}/task/{child.pid}/children") as children:
        return state(child.pid) == "Z" or any(state(pid) == "Z" for pid in children.read().split())
while not ended():
    os.sched_yield()
text = b""
while chunk := os.read(reader, 65536):
    text += chunk
print(child.wait(), text[filled:].decode().splitlines()[-1])
END
    is '7 {"event":"exit","code":7}'
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
        "$1" -x /usr -x /bin -x /lib -x /lib64 -- /bin/sh -c "kill -KILL 0"
        echo "caller lives: $?"
        "$1" -x /usr -x /bin -x /lib -x /lib64 -- /usr/bin/python3 -c "
import os
os.setpriority(os.PRIO_PGRP, 0, 19)"
        echo "nice: $(nice)"' sh "$NB"
    says "caller lives: 137" "nice: 0"
}
