#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --status-fd and --exit-signal-fd: what happened, for programs.

# shellcheck disable=SC2030,SC2031 # each test is a process of its own
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# events ARGUMENT…: run, with the events in $events and the record in $T/record.
events() {
	status=0
	nb --status-fd 8 --exit-signal-fd 9 -x "$NB_BIN" "$@" \
		8>"$T/events" 9>"$T/record" 2>"$T/err" >"$T/stdout" || status=$?
	events=$(cat "$T/events")
	[ -z "$events" ] || jq -e . <<<"$events" >/dev/null || { echo "no JSON: $events"; return 1; }
}

# event N FILTER: that event, through jq.
event() {
	sed -n "$1p" <<<"$events" | jq -c "$2"
}

setup_file() {
	nb_setup_file
	command -v jq >/dev/null || skip "jq is not installed"
}

@test "exit: start, then exit with its code" {
	events -- "$PROBE" exit 7
	[ "$status" -eq 7 ]
	[ "$(wc -l <<<"$events")" -eq 2 ]
	[ "$(event 1 .event)" = '"start"' ]
	[ "$(event 2 .)" = '{"event":"exit","code":7}' ]
}

@test "signal: start, then signal with its number" {
	events -- "$PROBE" die 15
	[ "$status" -eq 143 ]
	[ "$(wc -l <<<"$events")" -eq 2 ]
	[ "$(event 2 .)" = '{"event":"signal","signal":15,"core":false}' ]
}

@test "core: the flag is set when a core was written" {
	[ "$(cat /proc/sys/kernel/core_pattern)" = core ] || skip "core_pattern is not a plain file"
	[ "$(ulimit -Hc)" != 0 ] || skip "the hard limit forbids cores"
	events -- "$PROBE" core /tmp
	[ "$status" -eq 134 ]
	[ "$(event 2 .)" = '{"event":"signal","signal":6,"core":true}' ]
}

@test "core: the flag is not set when none was written" {
	events --rlimit core=0 -- "$PROBE" die 6
	[ "$(event 2 .)" = '{"event":"signal","signal":6,"core":false}' ]
}

@test "start tells a process of the box, its pidfd's inode, and the walls" {
	mkfifo "$T/status"
	give "$T"
	# shellcheck disable=SC2016
	launch "$NB_BIN/starter" reset /bin/sh -c 'exec "$@" 8>"$0"' "$T/status" \
		"$NB" -x "$NB_BIN" --status-fd 8 -- "$PROBE" hold
	exec 6<"$T/status"
	await ready
	read -r -t 30 -u 6 line
	events=$line
	local pid inode
	pid=$(event 1 .pid)
	[ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ]
	[ "$(event 1 '.walls|type')" = '"object"' ]
	[ "$(event 1 '.walls|length > 0')" = true ]
	if [ -x /usr/bin/python3 ]; then
		inode=$(/usr/bin/python3 -c 'import os, sys; print(os.fstat(os.pidfd_open(int(sys.argv[1]))).st_ino)' "$pid")
		[ "$(event 1 .pidfd_ino)" = "$inode" ] || { echo "$line, wanted inode $inode"; return 1; }
	fi
}

@test "exec-failed: step, object, errno; no start, no exit" {
	events -- /no/such/program
	[ "$status" -eq 127 ]
	is_one '{"event":"exec-failed","step":"exec","object":"/no/such/program","errno":2,"hint":"not in the box, or its interpreter or loader is not; grant it with --exec"}'
	events -- "$NB_BIN"
	[ "$status" -eq 126 ]
	is_one '{"event":"exec-failed","step":"exec","object":"'"$NB_BIN"'","errno":13,"hint":"not executable, or not granted with --exec"}'
}

is_one() {
	[ "$events" = "$1" ] || { printf 'events: %s\nwanted: %s\n' "$events" "$1" >&2; return 1; }
}

@test "setup-failed: step, object, errno, the same as on stderr" {
	events -r "$T/none" -- "$PROBE" exit 0
	[ "$status" -eq 125 ]
	[ "$(wc -l <<<"$events")" -eq 1 ]
	[ "$(event 1 .event)" = '"setup-failed"' ]
	[ "$(event 1 .object)" = "\"$T/none\"" ]
	[ "$(event 1 .errno)" = 2 ]
	[ "nestbox: $(jq -r .step <<<"$events"): $T/none: No such file or directory" = "$(cat "$T/err")" ]
}

@test "setup-failed: bad use, where --status-fd came first" {
	events --no-such-option -- "$PROBE" exit 0
	[ "$status" -eq 125 ]
	is_one '{"event":"setup-failed","step":"options","object":"--no-such-option","reason":"unknown option"}'
	events
	[ "$status" -eq 125 ]
	is_one '{"event":"setup-failed","step":"options","object":"COMMAND","reason":"is missing"}'
	nb --no-such-option --status-fd 8 -- "$PROBE" exit 0 8>"$T/events" 2>/dev/null || true
	[ ! -s "$T/events" ]
	# Nothing goes to a descriptor that nobody named.
	nb --as no-such-program 0<>"$T/events" 2>/dev/null || true
	[ ! -s "$T/events" ]
}

@test "--quiet: nothing on stderr, whatever fails; the events are the same" {
	local more

	for more in "-r $T/none" "--uid no" "--chdir /none" "-x $NB_BIN -- /no/such/program"; do
		# shellcheck disable=SC2086
		events $more -- "$PROBE" exit 0
		[ -s "$T/err" ]
		wanted=$events
		# shellcheck disable=SC2086
		events --quiet $more -- "$PROBE" exit 0
		[ "$status" -ge 125 ]
		[ ! -s "$T/err" ]
		is_one "$wanted"
	done
	events --quiet --chdir / --chdir / -- "$PROBE" exit 0
	[ "$status" -eq 0 ]
	[ ! -s "$T/err" ]
}

@test "setup-failed: also for what fails in the box" {
	events --chdir /none -- "$PROBE" exit 0
	[ "$status" -eq 125 ]
	[ "$(event 1 '[.event,.object,.errno]')" = '["setup-failed","/none",2]' ]
}

@test "setup-failed: an object with quotes, newlines, controls and odd bytes is still JSON" {
	events -r "$T/"$'no"ne\n\\\t\x01\xff' -- "$PROBE" exit 0
	[ "$status" -eq 125 ]
	[ "$(wc -l <"$T/events")" -eq 1 ]
	[ "$(event 1 .errno)" = 2 ]
}

@test "the workload's own 124, 125, 126, 127 are told apart" {
	local n
	for n in 124 125 126 127 137; do
		events -- "$PROBE" exit "$n"
		[ "$status" -eq "$n" ]
		[ "$(event 2 .)" = "{\"event\":\"exit\",\"code\":$n}" ]
	done
}

@test "timeout has an event of its own" {
	events --timeout 0.1 -- "$PROBE" hold
	[ "$status" -eq 124 ]
	[ "$(event 1 .event)" = '"start"' ]
	[ "$(event 2 .)" = '{"event":"timeout"}' ]
	[ "$(wc -l <<<"$events")" -eq 2 ]
}

@test "the record: four bytes, the signal's number, little endian" {
	events -- "$PROBE" die 9
	[ "$status" -eq 137 ]
	[ "$(od -An -tx1 "$T/record")" = " 09 00 00 00" ]
	events -- "$PROBE" die 64
	[ "$status" -eq 192 ]
	[ "$(od -An -tx1 "$T/record")" = " 40 00 00 00" ]
}

@test "the record: nothing when the workload exited" {
	events -- "$PROBE" exit 0
	[ ! -s "$T/record" ]
	events -- "$PROBE" exit 137
	[ "$status" -eq 137 ]
	[ ! -s "$T/record" ]
}

@test "the record: nothing when exec failed or nothing was started" {
	events -- /no/such/program
	[ ! -s "$T/record" ]
	events -r "$T/none" -- "$PROBE" exit 0
	[ ! -s "$T/record" ]
}

@test "each of the two works without the other, and as --option=N" {
	nb -x "$NB_BIN" --status-fd=8 -- "$PROBE" exit 0 8>"$T/events"
	[ "$(wc -l <"$T/events")" -eq 2 ]
	run nb -x "$NB_BIN" --exit-signal-fd=8 -- "$PROBE" die 11 8>"$T/record"
	exits 139
	[ "$(od -An -tx1 "$T/record")" = " 0b 00 00 00" ]
}

@test "both ends of the pipe close when the box is over" {
	nb -x "$NB_BIN" --status-fd 8 -- "$PROBE" leave 8> >(cat >"$T/events") >/dev/null
	wait $!
	grep -q '"event":"exit"' "$T/events"
}

@test "a reader that went away does not change the workload's end" {
	# shellcheck disable=SC2016
	run as_caller /bin/bash -c '
		exec 9> >(exec true)
		wait $!
		"$@"' - "$NB" -x "$NB_BIN" --status-fd 9 --exit-signal-fd 9 -- "$PROBE" exit 7
	[ "$status" -eq 7 ] || [ "$status" -eq 125 ] || { echo "status $status"; return 1; }
}
