#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The workload's end is nestbox's end.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "every exit code is passed on" {
	local code
	for code in 0 1 2 7 63 64 100 123 124 125 126 128 129 137 143 254 255; do
		run mini -- "$PROBE" exit "$code"
		exits "$code"
	done
	run -127 mini -- "$PROBE" exit 127
}

@test "a signal is 128 and its number, for all that end a process" {
	local sig
	for sig in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 25 26 27 29 30 31 34 50 64; do
		run mini -- "$PROBE" die "$sig"
		exits $((128 + sig))
	done
}

@test "a signal that libc keeps for itself" {
	run mini -- "$PROBE" die 32
	exits 160
	run mini -- "$PROBE" die 33
	exits 161
}

@test "nothing is printed when a signal ends the workload" {
	run --separate-stderr mini -- "$PROBE" die 11
	exits 139
	[ -z "$output$stderr" ]
}

@test "a core dump lands where the workload can write, and the code is the signal's" {
	[ "$(cat /proc/sys/kernel/core_pattern)" = core ] || skip "core_pattern is not a plain file"
	[ "$(ulimit -Hc)" != 0 ] || skip "the hard limit forbids cores"
	mkdir "$T/w"
	give "$T/w"
	run mini -w "$T/w" -- "$PROBE" core "$T/w"
	exits 134
	[ -n "$(ls "$T/w")" ]
}

@test "the main program's end ends the box, whatever is left in it" {
	# The output ends only when nobody holds it any more.
	run mini -- "$PROBE" leave
	exits 0
	is left
}

@test "children that fail do not change the code" {
	run box -- /bin/sh -c '(exit 9) & (kill -9 $$) 2>/dev/null & wait; exit 5'
	[ "$status" -eq 5 ] || [ "$status" -eq 137 ]
	run box -- /bin/sh -c '(exit 9) & (exit 8) & wait; exit 5'
	exits 5
}

@test "an orphan's end is not the workload's" {
	run box -- /bin/sh -c '( (exit 9) & ) ; ( (exit 8) & ); exec '"$PROBE"' orphans 20'
	exits 0
}

@test "a workload that ends while it is traced by nobody and stopped once" {
	start -x "$NB_BIN" -- "$PROBE" report 15
	await ready
	local workload
	workload=$(children "$(children "$LAUNCHER" | tr -d ' ')")
	kill -STOP "${workload% }"
	kill -CONT "${workload% }"
	kill -TERM "${workload% }"
	next
	[ "$line" != "got 18" ] || next
	[ "$line" = "got 15" ]
	finish
	[ "$status" -eq 0 ]
}

@test "a hundred starts in a row end right" {
	local i
	for ((i = 0; i < 100; i++)); do
		status=0
		nb -x "$NB_BIN" -- "$PROBE" exit $((i % 100)) || status=$?
		[ "$status" -eq $((i % 100)) ]
	done
}
