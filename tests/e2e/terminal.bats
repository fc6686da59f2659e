#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A box at a real terminal: keys, job control, reading.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

setup_file() {
	[ -x /usr/bin/python3 ] || skip "/usr/bin/python3 is not installed"
	nb_setup_file
	cp "$NB_TREE/tests/lib/terminal.py" "$NB_DIR/bin/"
}

# What is typed before a program reads may be lost when the shell changes the mode.
cat_when_ready() {
	printf '#!/bin/sh\necho ready\nexec cat\n' >"$T/cat"
	chmod 0755 "$T/cat"
}

# tty SCENARIO COMMAND…
tty() {
	local scenario=$1

	shift
	run timeout -s KILL 60 /usr/bin/python3 "$NB_BIN/terminal.py" "$scenario" "$@"
}

@test "^C reaches the workload once" {
	tty interrupt "${CALLER[@]}" "$NB" -x "$NB_BIN" -- "$PROBE" report 15
	is $'got 2\ngot 15\nstatus 0'
}

@test "^\\ reaches the workload once" {
	tty quit "${CALLER[@]}" "$NB" -x "$NB_BIN" -- "$PROBE" report 15
	is $'got 3\ngot 15\nstatus 0'
}

@test "^C with --new-session reaches the workload once" {
	tty interrupt "${CALLER[@]}" "$NB" --new-session -x "$NB_BIN" -- "$PROBE" report 15
	is $'got 2\ngot 15\nstatus 0'
}

@test "^C ends a workload without a handler: 130" {
	tty ctrl_c "${CALLER[@]}" "$NB" -x "$NB_BIN" -- "$PROBE" hold
	is "status 130"
}

@test "the terminal hangs up: the box ends" {
	tty hangup "${CALLER[@]}" "$NB" -x "$NB_BIN" -- "$PROBE" hold
	matches "^status (129|-1)$"
}

@test "the workload reads from the terminal" {
	tty type "${CALLER[@]}" "$NB" -x /usr -x /bin -x /lib -x /lib64 -- /bin/cat
	is "status 0"
}

@test "/dev/tty opens, in a group of the own and the session of the caller; not with --new-session" {
	tty plain "${CALLER[@]}" "$NB" -x "$NB_BIN" -- "$PROBE" session
	says "tty open" "pgrp 1" "sid 0" "status 0"
	tty plain "${CALLER[@]}" "$NB" --new-session -x "$NB_BIN" -- "$PROBE" session
	lacks "tty open"
}

@test "^Z stops the job in bash, fg continues it, ^C ends it" {
	tty jobs "${CALLER[@]}" bash --norc --noprofile -i --tty-shell \
		"$NB" -x "$NB_BIN" -- "$PROBE" hold
	is $'launcher stopped True\nworkload stopped True\nlauncher runs True\nworkload runs True\ncode 130'
}

@test "^Z and bg: the box runs on in the background" {
	cat_when_ready
	# shellcheck disable=SC2016
	tty background "${CALLER[@]}" bash --norc --noprofile -i --tty-shell \
		"$NB" -x "$NB_BIN" -- "$PROBE" hold
	is $'launcher runs True\nworkload runs True\ncode 143'
}

@test "the workload reads from the terminal under a shell with job control" {
	cat_when_ready
	tty read_job "${CALLER[@]}" bash --norc --noprofile -i --tty-shell \
		"$NB" -x /usr -x /bin -x /lib -x /lib64 -x "$T/cat" -- "$T/cat"
	is $'read one\nstopped\nread two\ncode 0'
}

@test "a pipeline whose other member needs the terminal" {
	tty pipeline "${CALLER[@]}" bash --norc --noprofile -i --tty-shell \
		"$NB" -x "$NB_BIN" -- "$PROBE" hold
	is $'key x\ncode 130'
}

@test "the terminal is given back at the end, without job control" {
	cat_when_ready
	# shellcheck disable=SC2016
	tty back "${CALLER[@]}" /bin/sh -c '"$@"; read -r x && echo "back=$x"' - \
		"$NB" -x /usr -x /bin -x /lib -x /lib64 -x "$T/cat" -- "$T/cat"
	is "back"
}

@test "the terminal is given back after a kill, too" {
	cat_when_ready
	# shellcheck disable=SC2016
	tty back_killed "${CALLER[@]}" /bin/sh -c '"$@"; read -r x && echo "back=$x"' - \
		"$NB" --timeout 2 -x /usr -x /bin -x /lib -x /lib64 -x "$T/cat" -- "$T/cat"
	is "back"
}

@test "a shell with job control inside the box" {
	tty plain "${CALLER[@]}" "$NB" -x /usr -x /bin -x /lib -x /lib64 -- \
		/bin/sh -c 'echo one | cat; echo two'
	is $'one\ntwo\nstatus 0'
}
