#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# PID 1 under attack from inside, and a start that is killed at any moment.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "no signal from inside does anything to PID 1 or comes back" {
	start -x "$NB_BIN" -- "$PROBE" siege 64
	await ready
	kill -USR1 "$LAUNCHER"
	await "got 10"
	kill -64 "$LAUNCHER"
	await "got 64"
	drained
	finish
	[ "$status" -eq 0 ]
}

@test "the same for --uid 0" {
	start -x "$NB_BIN" --uid 0 --gid 0 -- "$PROBE" siege 64
	await ready
	kill -USR1 "$LAUNCHER"
	await "got 10"
	kill -64 "$LAUNCHER"
	await "got 64"
	finish
	[ "$status" -eq 0 ]
}

@test "TERM, INT, KILL, STOP to PID 1, one by one, and the code stays the workload's" {
	run box -- /bin/sh -c 'for s in TERM INT HUP QUIT KILL STOP TSTP CONT USR1 USR2 PIPE ALRM CHLD; do
		kill -$s 1 || echo "refused: $s"; done; exit 7'
	exits 7
}

@test "kill of everybody (-1) from inside ends only what is inside" {
	run box -- /bin/sh -c "$PROBE leave >/dev/null; kill -KILL -1; exit 7"
	exits 7
}

@test "a signal with a forged sender is the kernel's to refuse, or nothing" {
	run mini -- "$TRY" sigforge 1 15 0 -- sigforge 1 15 128 -- sigforge 1 9 0
	says "sigforge 1 15 0: EPERM" "sigforge 1 15 128: EPERM" "sigforge 1 9 0: EPERM"
}

# alone COMMAND…: in a session of its own, so that a hole cannot hit the test.
alone() {
	timeout -s KILL 60 setsid -w "${CALLER[@]}" /bin/sh -c \
		'"$@"; echo "code $?"; cut -d" " -f19 /proc/self/stat' - "$NB" -x /usr -x /bin -x /lib -x /lib64 -x "$NB_BIN" "$@"
}

@test "kill(0, KILL) from inside reaches nobody outside" {
	run alone -- /bin/sh -c 'kill -KILL 0; exit 7'
	matches '^code 137$'
	says 0
}

@test "kill(0, TERM) and kill(0, STOP) from inside reach nobody outside" {
	run alone --timeout 5 -- /bin/sh -c 'trap "" TERM; kill -TERM 0; exit 7'
	says "code 7" 0
	run alone --timeout 0.3 -- /bin/sh -c 'kill -STOP 0; exit 7'
	says "code 124" 0
}

@test "kill(0) with --new-session reaches nobody outside" {
	run alone --new-session -- /bin/sh -c 'kill -KILL 0; exit 7'
	says "code 137" 0
}

@test "setpriority of the own group from inside changes nobody outside" {
	run alone -- "$TRY" renice
	# The last line is the caller's own priority, afterwards.
	matches '^renice: (ok|EPERM)$'
	says 0
}

@test "KILL of the launcher while the box runs: everything is gone" {
	run as_caller "$NB_BIN/starter" storm 5 9 60000 "$NB" -x "$NB_BIN" -- "$PROBE" stubborn
	exits 0
}

@test "KILL of the launcher at any moment of the start: no process stays" {
	run as_caller "$NB_BIN/starter" storm $((NB_LOOPS * 5)) 9 5000 "$NB" -x "$NB_BIN" -r /etc --tmpfs /a \
		--status-fd 8 -- "$PROBE" stubborn 8>"$T/events"
	exits 0
}

@test "KILL of the launcher at any moment, with a session, a time limit, a parent to die with" {
	run as_caller "$NB_BIN/starter" storm $((NB_LOOPS * 2)) 9 5000 "$NB" --new-session --timeout 600 \
		--die-with-parent -x "$NB_BIN" -- "$PROBE" stubborn
	exits 0
}

@test "TERM to the launcher at any moment of the start ends the box" {
	run as_caller "$NB_BIN/starter" storm $((NB_LOOPS * 5)) 15 5000 "$NB" -x "$NB_BIN" -- "$PROBE" hold
	exits 0
}

@test "INT and HUP at any moment of the start end the box" {
	run as_caller "$NB_BIN/starter" storm $((NB_LOOPS * 2)) 2 5000 "$NB" -x "$NB_BIN" -- "$PROBE" hold
	exits 0
	run as_caller "$NB_BIN/starter" storm $((NB_LOOPS * 2)) 1 5000 "$NB" -x "$NB_BIN" -- "$PROBE" hold
	exits 0
}

@test "killed at any moment: no file, directory or mount stays" {
	run apart '
		before=$(snapshot)
		"${CALLER[@]}" "$NB_BIN/starter" storm "$1" 9 5000 "$NB" -x /usr -x "$NB_BIN" -r /etc --tmpfs /a \
			--dir /b/c --symlink x /d -- "$PROBE" stubborn >/dev/null
		"${CALLER[@]}" "$NB_BIN/starter" storm "$1" 15 5000 "$NB" -x /usr -- /usr/bin/true >/dev/null 2>&1
		diff <(echo "$before") <(snapshot) && echo same' $((NB_LOOPS * 3))
	exits 0
	is same
}

@test "run to the end: no process, file, directory or mount stays" {
	run apart '
		before=$(snapshot)
		for ((i = 0; i < $1; i++)); do
			"${CALLER[@]}" "$NB_BIN/starter" after "$NB" -x /usr -x /lib -x /lib64 -- /usr/bin/true
		done
		for ((i = 0; i < 5; i++)); do
			"${CALLER[@]}" "$NB_BIN/starter" after "$NB" -x /usr --chdir /none -- /usr/bin/true 2>/dev/null && exit 9
			"${CALLER[@]}" "$NB_BIN/starter" after "$NB" -x /usr -- /none 2>/dev/null && exit 9
		done
		diff <(echo "$before") <(snapshot) && echo same' "$NB_LOOPS"
	exits 0
	is same
}

@test "no namespace stays behind: the kernel's count has room for the next ones" {
	# A box needs two user namespaces. Where no more than two are allowed, it starts only
	# when not one of the boxes before has left any. The kernel clears them away a little
	# later than their processes, hence the tries (with --net, as a try that fails should not
	# leave much to clear away itself); one that stays is never cleared away.
	# shellcheck disable=SC2016
	run as_caller unshare -U -r /bin/sh -c '
		for i in $(seq 30); do "$1" -x "$2" -- "$2/probe" exit 0 || exit; done
		"$1" -x "$2" --chdir /none -- "$2/probe" exit 0 2>/dev/null
		"$1" -x "$2" -- /none 2>/dev/null
		echo 2 >/proc/sys/user/max_user_namespaces || exit
		end=$(($(date +%s) + 30))
		until "$1" --net -x "$2" -- "$2/probe" exit 0 2>/dev/null; do
			[ "$(date +%s)" -lt "$end" ] || exit
		done
		echo all' sh "$NB" "$NB_BIN"
	is all
}

@test "the workload is killed by KILL to PID 1 from outside, at any moment" {
	local i init
	for ((i = 0; i < 10; i++)); do
		start -x "$NB_BIN" -- "$PROBE" stubborn
		init=
		while [ -z "$init" ] && [ -e "/proc/$LAUNCHER" ]; do
			init=$(children "$LAUNCHER" 2>/dev/null | tr -d ' ')
		done
		kill -KILL "$init" 2>/dev/null || true
		finish
		[ "$status" -eq 137 ] || [ "$status" -eq 125 ]
	done
}
