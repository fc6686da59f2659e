#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --timeout: the box is killed, 124.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "a workload that does not end is killed: 124" {
	NB_LIMIT=20
	run mini --timeout 0.2 -- "$PROBE" hold
	exits 124
}

@test "not before its time" {
	local before after
	before=$(date +%s%N)
	run mini --timeout 0.3 -- "$PROBE" hold
	after=$(date +%s%N)
	exits 124
	[ $(((after - before) / 1000000)) -ge 300 ]
}

@test "a workload that ignores every signal is killed as well" {
	NB_LIMIT=20
	run mini --timeout 0.2 -- "$PROBE" stubborn
	exits 124
}

@test "what it left behind is killed with it" {
	NB_LIMIT=20
	# The command substitution of run ends only when nobody holds stdout.
	run box --timeout 0.3 -- /bin/sh -c "$PROBE leave; $PROBE leave; exec $PROBE hold"
	exits 124
}

@test "a workload that ends earlier keeps its code" {
	run mini --timeout 30 -- "$PROBE" exit 7
	exits 7
	run mini --timeout 30.5 -- "$PROBE" die 15
	exits 143
}

@test "a stopped workload is killed as well" {
	NB_LIMIT=20
	# Without a terminal, even if the tests have one: with it the launcher would stop, too.
	run as_caller setsid -w "$NB" --timeout 0.3 -x "$NB_BIN" -- "$PROBE" die 19
	exits 124
}

@test "nobody is left" {
	run as_caller "$NB_BIN/starter" after "$NB" -x "$NB_BIN" --timeout 0.1 -- "$PROBE" stubborn
	exits 124
}
