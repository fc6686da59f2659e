#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# PID 1 adopts and reaps.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "an orphan's new parent is PID 1" {
	run mini -- "$PROBE" adopt
	is "ppid 1"
}

@test "a thousand orphans: no zombie stays" {
	run mini -- "$PROBE" orphans "${NB_ORPHANS:-1000}"
	exits 0
	says "made ${NB_ORPHANS:-1000}" "zombies 0" "processes 2"
}

@test "PID 1 does not grow with them" {
	run mini -- "$PROBE" orphans 2000
	[ "$(sed -n 's/^growth //p' <<<"$output")" -le 64 ]
}

@test "the workload's own children stay its own to wait for" {
	run box -- /bin/sh -c '(exit 7) & wait $!; echo $?'
	is 7
}

@test "the status is right while orphans end at the same moment" {
	local i
	for i in {1..20}; do
		run box -- /bin/sh -c 'for i in 1 2 3 4 5 6 7 8; do ( (exit 9) & ); done; exit 5'
		exits 5
	done
}

@test "a signal that comes while orphans end is not lost" {
	start -x /usr -x /bin -x /lib -x /lib64 -x "$NB_BIN" -- /bin/sh -c \
		'for i in 1 2 3 4 5 6 7 8; do ( (exit 9) & ); done; exec '"$PROBE"' report 15'
	await ready
	kill -USR1 "$LAUNCHER"
	await "got 10"
	kill -TERM "$LAUNCHER"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}
