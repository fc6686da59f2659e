#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a workload can do to its caller's terminal, and to the launcher, from a terminal of its own.

# shellcheck disable=SC2016 # scripts of the boxes
load ../lib/common.bash

setup_file() {
	[ -x /usr/bin/python3 ] || skip "/usr/bin/python3 is not installed"
	nb_setup_file
	cp "$NB_TREE"/tests/lib/{terminal,relay}.py "$NB_DIR/bin/"
	chmod 0644 "$NB_DIR"/bin/*.py
}

setup() {
	nb_setup
	BOX=("$NB" --tty -x /usr -x "$NB_BIN")
	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || BOX+=(-x "$dir")
	done
}

relay() {
	run as_caller /usr/bin/python3 -B "$NB_BIN/relay.py" "$@"
}

# inside SCRIPT: Python in the box, at a terminal outside.
inside() {
	relay show "${BOX[@]}" -- /usr/bin/python3 -c "$1"
}

@test "nothing in the box leads to the caller's terminal or to the master" {
	inside '
import os, stat
for pid in [p for p in os.listdir("/proc") if p.isdigit()] + ["self"]:
    try:
        fds = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        continue
    for fd in fds:
        try:
            st = os.stat(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        # Masters have major 128 to 135, or are /dev/ptmx, 5:2.
        if stat.S_ISCHR(st.st_mode):
            name = os.readlink(f"/proc/{pid}/fd/{fd}")
            print("device", os.major(st.st_rdev), os.minor(st.st_rdev), name)
'
	[ "$(grep '^device' <<<"$output" | sort -u)" = "device 136 0 /dev/pts/0" ]
}

@test "process 1 is in a session of its own, without a terminal" {
	inside '
words = open("/proc/1/stat").read().rpartition(") ")[2].split()
print("session", words[3], "terminal", words[4])
'
	says "session 1 terminal 0" "status 0"
}

@test "TIOCSTI and TIOCLINUX at the box's terminal, also with higher bits set" {
	inside '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for request in (0x5412, 0x541c, 0x100005412, 0x541d, 0x5423, 0x540c):
    text = ctypes.create_string_buffer(b"\x02touch x\n")
    result = libc.ioctl(0, ctypes.c_ulong(request), text)
    print(hex(request), result, ctypes.get_errno())
'
	says "0x5412 -1 1" "0x541c -1 1" "0x100005412 -1 1" "0x541d -1 1" "0x5423 -1 1" "0x540c -1 1"
}

@test "nothing that the box writes comes back as a key of the caller's shell" {
	relay show sh -c '"$@"; stty -icanon min 0 time 1; cat | od -c; stty sane' - "${BOX[@]}" -- \
		printf 'answer back: \005 \033[c \033[6n\n'
	lacks '^0000000 +[^ ]'
	says "0000000" "status 0"
}

@test "another session in the box cannot take the terminal away, nor can its loss harm the launcher" {
	inside '
import fcntl, os, sys, termios
pid = os.fork()
if pid == 0:
    os.setsid()
    try:
        fcntl.ioctl(0, termios.TIOCSCTTY, 1)
        print("taken")
    except OSError as e:
        print("not taken:", e.strerror)
    sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
fcntl.ioctl(0, termios.TIOCNOTTY)
print("given up")
sys.exit(5)
'
	matches "^not taken: "
	says "given up" "status 5" "terminal unchanged True"
}

@test "a command that closes its terminal: the launcher sleeps" {
	relay idle "${BOX[@]}" -- sh -c 'echo ready; exec sleep 1000 <&- >&- 2>&-'
	is $'sleeps True\nstatus 143'
}

@test "a command that does not read its input: the launcher sleeps" {
	relay idle bash -c 'exec "$@" < <(yes)' - "${BOX[@]}" -- sh -c 'stty -echo; echo ready; exec sleep 1000'
	matches '^sleeps True$'
}

@test "output that is stopped, and odd modes, do not outlast the command" {
	local modes
	for modes in '-cread' '0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0' \
		'cs5 parenb -icanon min 255 time 255' 'raw 0' 'eof undef'; do
		# shellcheck disable=SC2086
		relay show "${BOX[@]}" --timeout 20 -- sh -c 'stty "$@"; exit 6' - $modes
		says "status 6" "terminal unchanged True" || { echo "$modes"; return 1; }
	done
	inside '
import sys, termios
print("before")
sys.stdout.flush()
termios.tcflow(1, termios.TCOOFF)
sys.exit(6)'
	says "before" "status 6" "terminal unchanged True"
}

@test "^S holds the box's output, not the launcher: a timeout ends it" {
	relay show sh -c 'printf "\023" | "$@" >/dev/null; echo "ended $?"' - \
		"${BOX[@]}" --timeout 0.5 -- yes
	says "ended 124" "terminal unchanged True"
}

@test "what is left in the box when the command ends cannot keep the launcher" {
	relay show "${BOX[@]}" -- sh -c 'trap "" HUP TERM; setsid sh -c "trap \"\" HUP; yes" & sleep 1000 &
		(setsid sleep 1000 <&0 &) ; exit 4'
	matches '^status 4$'
}

@test "a flood of sizes and signals" {
	inside '
import fcntl, os, signal, struct, termios
signal.signal(signal.SIGWINCH, signal.SIG_IGN)
for i in range(20000):
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", i, 65535 - i, i, i))
print("done")'
	says "done" "status 0" "terminal unchanged True"
}

@test "all terminals that the box can have do not take it from the launcher" {
	inside '
import os
fds = []
try:
    while len(fds) < 5000:
        fds.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
except OSError as e:
    print("no more:", e.strerror)
print("still here")'
	says "still here" "status 0"
}
