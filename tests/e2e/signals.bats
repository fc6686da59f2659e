#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every catchable signal that reaches the launcher reaches the workload, once.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "dispositions are the default ones, the mask is empty" {
	run mini -- "$PROBE" sigs
	is "blocked 0000000000000000"
}

@test "ignored signals of the caller are reset" {
	run as_caller "$NB_BIN/starter" ignore "$NB" -x "$NB_BIN" -- "$PROBE" sigs
	is "blocked 0000000000000000"
}

@test "blocked signals of the caller are unblocked" {
	run as_caller "$NB_BIN/starter" block "$NB" -x "$NB_BIN" -- "$PROBE" sigs
	is "blocked 0000000000000000"
}

@test "a caller that ignores or blocks everything, SIGCHLD too, gets the right status" {
	run as_caller "$NB_BIN/starter" ignore "$NB" -x "$NB_BIN" -- "$PROBE" exit 7
	exits 7
	run as_caller "$NB_BIN/starter" block "$NB" -x "$NB_BIN" -- "$PROBE" exit 7
	exits 7
	run as_caller "$NB_BIN/starter" ignore "$NB" -x "$NB_BIN" -- "$PROBE" die 15
	exits 143
}

# each SIGNAL…: sent to the launcher one by one, each must arrive once.
each() {
	local sig

	await ready
	for sig in "$@"; do
		kill "-$sig" "$LAUNCHER"
		await "got $sig"
	done
	kill -64 "$LAUNCHER"
	await "got 64"
	drained
	finish
	[ "$status" -eq 0 ]
}

@test "forwarded once: each of 1 to 31 that can be caught" {
	start -x "$NB_BIN" -- "$PROBE" report 64
	# 17 is the launcher's own affair; 20, 21, 22 stop it (below).
	each 1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 18 23 24 25 26 27 28 29 30 31
}

@test "forwarded once: the real-time signals" {
	start -x "$NB_BIN" -- "$PROBE" report 64
	# shellcheck disable=SC2046
	each $(seq 34 63)
}

@test "forwarded once: the signals that libc keeps for itself" {
	start -x "$NB_BIN" -- "$PROBE" report 64
	each 32 33
}

@test "forwarded once: when the caller ignored them all" {
	launch "$NB_BIN/starter" ignore "$NB" -x "$NB_BIN" -- "$PROBE" report 64
	each 1 2 3 10 12 15 28
}

@test "forwarded once: when the caller blocked them all" {
	launch "$NB_BIN/starter" block "$NB" -x "$NB_BIN" -- "$PROBE" report 64
	each 1 2 3 10 12 15 28
}

@test "forwarded with --new-session, too" {
	start --new-session -x "$NB_BIN" -- "$PROBE" report 64
	each 1 2 15
}

@test "queued real-time signals keep their number" {
	start -x "$NB_BIN" -- "$PROBE" count 40 64
	await ready
	"$NB_BIN/starter" send "$LAUNCHER" 40 500
	kill -64 "$LAUNCHER"
	await "count 500"
	finish
	[ "$status" -eq 0 ]
}

@test "TSTP and CONT are forwarded once" {
	start -x "$NB_BIN" -- "$PROBE" report 64
	await ready
	kill -TSTP "$LAUNCHER"
	await "got 20"
	kill -CONT "$LAUNCHER"
	await "got 18"
	kill -64 "$LAUNCHER"
	await "got 64"
	finish
}

@test "TTIN and TTOU are forwarded" {
	start -x "$NB_BIN" -- "$PROBE" report 64
	await ready
	kill -TTIN "$LAUNCHER"
	await "got 21"
	kill -CONT "$LAUNCHER"
	await "got 18"
	kill -TTOU "$LAUNCHER"
	await "got 22"
	kill -CONT "$LAUNCHER"
	await "got 18"
	kill -64 "$LAUNCHER"
	await "got 64"
	finish
}

# stopped PID: until it is (T), with a bound.
stopped() {
	local i

	for ((i = 0; i < 20000; i++)); do
		[[ $(<"/proc/$1/stat") != *") T "* ]] || return 0
	done
	echo "process $1 does not stop: $(<"/proc/$1/stat")" >&2
	return 1
}

running() {
	local i

	for ((i = 0; i < 20000; i++)); do
		[[ $(<"/proc/$1/stat") == *") T "* ]] || return 0
	done
	echo "process $1 stays stopped" >&2
	return 1
}

@test "without a terminal TSTP has no default action: nobody stops, TERM still ends it" {
	# The box is a session of its own then, where the kernel does not stop for TSTP. (A
	# handler hears it: above. With a terminal: terminal.bats.)
	start -x "$NB_BIN" -- "$PROBE" hold
	await ready
	local init workload
	init=$(children "$LAUNCHER" | tr -d ' ')
	workload=$(children "$init" | tr -d ' ')
	kill -TSTP "$LAUNCHER"
	kill -TTIN "$LAUNCHER"
	kill -WINCH "$LAUNCHER"
	running "$workload"
	running "$LAUNCHER"
	kill -TERM "$LAUNCHER"
	drained
	finish
	[ "$status" -eq 143 ]
}

@test "STOP and CONT to the workload do not end the box" {
	start -x "$NB_BIN" -- "$PROBE" hold
	await ready
	local init workload
	init=$(children "$LAUNCHER" | tr -d ' ')
	workload=$(children "$init" | tr -d ' ')
	kill -STOP "$workload"
	stopped "$workload"
	running "$LAUNCHER"
	kill -CONT "$LAUNCHER"
	running "$workload"
	kill -TERM "$LAUNCHER"
	finish
	[ "$status" -eq 143 ]
}

@test "a workload that stops itself does not stop a launcher without a terminal: --timeout holds" {
	NB_LIMIT=20
	run as_caller setsid -w "$NB" --timeout 0.3 -x "$NB_BIN" -- "$PROBE" die 19
	exits 124
	run as_caller setsid -w "$NB" --timeout 0.3 -x "$NB_BIN" -- "$PROBE" die 20
	exits 124
}

@test "one TERM ends a workload without a handler" {
	start -x "$NB_BIN" -- "$PROBE" hold
	await ready
	kill -TERM "$LAUNCHER"
	drained
	finish
	[ "$status" -eq 143 ]
}

@test "INT, HUP, USR1: 128 and the number" {
	local sig
	for sig in 1 2 10; do
		start -x "$NB_BIN" -- "$PROBE" hold
		await ready
		kill "-$sig" "$LAUNCHER"
		drained
		finish
		[ "$status" -eq $((128 + sig)) ]
	done
}

@test "a workload that handles TERM ends with its own code" {
	start -x /usr -x /bin -x /lib -x /lib64 -- /bin/sh -c 'trap "exit 7" TERM; echo ready; while :; do read -r x; done'
	await ready
	kill -TERM "$LAUNCHER"
	finish
	# dash runs the trap when read returns, and read ends with the signal.
	[ "$status" -eq 7 ]
}

@test "TERM to PID 1 from outside reaches the workload" {
	start -x "$NB_BIN" -- "$PROBE" report 15
	await ready
	kill -TERM "$(children "$LAUNCHER" | tr -d ' ')"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "a signal to the workload itself is its end, not nestbox's" {
	start -x "$NB_BIN" -- "$PROBE" hold
	await ready
	local init
	init=$(children "$LAUNCHER" | tr -d ' ')
	kill -KILL "$(children "$init" | tr -d ' ')"
	finish
	[ "$status" -eq 137 ]
}

@test "KILL of PID 1 from outside: 137, nobody is left" {
	start -x "$NB_BIN" --exit-signal-fd 9 -- "$PROBE" stubborn 9>"$T/record"
	await ready
	kill -KILL "$(children "$LAUNCHER" | tr -d ' ')"
	drained
	finish
	[ "$status" -eq 137 ]
}

@test "signals after the workload's end are harmless" {
	local i
	for i in {1..10}; do
		start -x "$NB_BIN" -- "$PROBE" exit 0
		"$NB_BIN/starter" send "$LAUNCHER" 10 20 2>/dev/null || true
		finish
		[ "$status" -eq 0 ] || [ "$status" -eq 138 ]
	done
}
