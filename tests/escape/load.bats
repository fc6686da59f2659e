#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Too much of everything, too little of everything.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# tolerable: the last run either worked (exit 3 of the workload) or was a clean refusal.
tolerable() {
	[ "$status" -ne 3 ] || return 0
	exits 125 || return 1
	one_line
}

# ---- too much ----

@test "a fork bomb under --rlimit nproc: it is bounded, the status is right, nobody is left" {
	need_plain_caller "the kernel exempts host uid 0 from this limit"
	run as_caller "$NB_BIN/starter" after "$NB" -x "$NB_BIN" --rlimit nproc=50 -- "$PROBE" forkbomb 5000
	exits 0
	matches "^errno (Resource temporarily unavailable|.*[Tt]ry again)"
	[ "$(sed -n 's/^made //p' <<<"$output")" -le 50 ]
}

@test "a fork bomb of two thousand: PID 1 lives, the box ends, nobody is left" {
	run as_caller "$NB_BIN/starter" after "$NB" -x "$NB_BIN" -- "$PROBE" forkbomb 1000
	exits 0
	says "made 1000"
}

@test "a hundred thousand orphans: no zombie, no growth, status right" {
	NB_LIMIT=300
	run mini -- "$PROBE" orphans "${NB_ORPHANS:-100000}"
	exits 0
	says "made ${NB_ORPHANS:-100000}" "zombies 0" "processes 2"
	[ "$(sed -n 's/^growth //p' <<<"$output")" -le 64 ]
}

@test "orphans after the workload took what it could from PID 1" {
	run box -- /bin/sh -c "$TRY prlimit 1 -- kill 1 15 -- kill 1 19; exec $PROBE orphans 5000"
	exits 0
	says "made 5000" "zombies 0" "processes 2"
}

@test "a storm of signals from outside: PID 1 lives, the count is right for queued ones" {
	start -x "$NB_BIN" -- "$PROBE" count 50 64
	await ready
	"$NB_BIN/starter" send "$LAUNCHER" 12 20000
	"$NB_BIN/starter" send "$LAUNCHER" 50 5000
	kill -64 "$LAUNCHER"
	next
	[ "$line" = "count 5000" ] || echo "$line"
	finish
	[ "$status" -eq 0 ]
	[ "$line" = "count 5000" ]
}

@test "a storm of signals from inside to PID 1" {
	# On a kernel whose Landlock does not keep them from it.
	run as_caller "$NB_BIN/deny" 444 ENOSYS -- "$NB" -x "$NB_BIN" -- "$NB_BIN/starter" send 1 15 50000
	exits 0
}

@test "a workload that writes more than a pipe holds, with a reader that is gone" {
	status=0
	nb -x /usr -x /bin -x /lib -x /lib64 -- /bin/sh -c 'yes 2>/dev/null' 2>/dev/null | head -c 10 >/dev/null || true
	[ "${PIPESTATUS[0]}" -eq 141 ] || [ "${PIPESTATUS[0]}" -eq 0 ] || [ "${PIPESTATUS[0]}" -eq 1 ]
}

# ---- too little ----

@test "few descriptors: works or refuses cleanly, for every limit" {
	need_static
	local n
	for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 14 16 20 24 32; do
		run --separate-stderr as_caller prlimit --nofile="$n" "$NB" -x "$NB_BIN" -r /etc -r "$T" -w /var/tmp -- "$PROBE" exit 3
		[ "$status" -ne 127 ] || continue # the loader could not even open a library
		tolerable || { echo "limit: $n"; return 1; }
	done
	exits 3
}

@test "descriptors all taken by the caller: works or refuses cleanly" {
	need_static
	run --separate-stderr as_caller prlimit --nofile=64 "$NB_BIN/starter" leak 3 63 "$NB" -x "$NB_BIN" -r /etc -- "$PROBE" exit 3
	tolerable
}

@test "little memory: works or refuses cleanly, for every limit" {
	need_static
	local n
	for n in 200000 400000 600000 800000 1000000 2000000 4000000 8000000 16000000; do
		run --separate-stderr as_caller "$NB_BIN/starter" reset /usr/bin/prlimit --as=$n "$NB" -x "$NB_BIN" -- "$PROBE" exit 3
		# A limit below the program's own size kills it at exec.
		[ "$status" -ne 139 ] && [ "$status" -ne 137 ] && [ "$status" -ne 126 ] || continue
		tolerable || { echo "limit: $n"; return 1; }
	done
	exits 3
}

@test "no processes: RLIMIT_NPROC of the caller" {
	need_plain_caller "the kernel exempts uid 0 from this limit"
	local n
	for n in 1 2 3 4 5 8; do
		run --separate-stderr as_caller prlimit --nproc="$n" "$NB" -x "$NB_BIN" -- "$PROBE" exit 3
		tolerable || { echo "limit: $n"; return 1; }
	done
	run --separate-stderr as_caller prlimit --nproc=1 "$NB_BIN/starter" reset "$NB" -x "$NB_BIN" -w "$T" -- "$TRY" put "$T/marker"
	[ "$status" -ne 125 ] || [ ! -e "$T/marker" ]
}

@test "no processes: a pids cgroup" {
	need_root "a cgroup"
	local group=/sys/fs/cgroup/pids/nbt.$$ n
	mkdir "$group" 2>/dev/null || skip "no pids controller of cgroup v1 here"
	for n in 1 2 3 4 5 6; do
		echo "$n" >"$group/pids.max"
		run --separate-stderr timeout -s KILL 60 "$NB_BIN/starter" reset /bin/bash -c '
			echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" "${CALLER[@]}" "$NB" -x "$NB_BIN" -- "$PROBE" exit 3
		tolerable || { echo "limit: $n"; rmdir "$group"; return 1; }
	done
	rmdir "$group"
	exits 3
}

@test "a full disk under the status descriptors: an end with a number, nobody left" {
	run --separate-stderr as_caller "$NB_BIN/starter" after "$NB" --status-fd 8 --exit-signal-fd 9 -x "$NB_BIN" -- \
		"$PROBE" exit 3 8>/dev/full 9>/dev/full
	tolerable
	run --separate-stderr as_caller "$NB_BIN/starter" after "$NB" --exit-signal-fd 9 -x "$NB_BIN" -- \
		"$PROBE" die 15 9>/dev/full
	[ "$status" -eq 143 ] || exits 125
}

@test "a full disk under stderr: the code stays 125" {
	status=0
	nb --foo 2>/dev/full || status=$?
	[ "$status" -eq 125 ]
	status=0
	nb -x "$NB_BIN" -r "$T/none" -- "$PROBE" exit 0 2>/dev/full || status=$?
	[ "$status" -eq 125 ]
}

@test "a status pipe that nobody empties does not stop the start" {
	mkfifo "$T/full"
	exec 6<>"$T/full"
	# Fill it: the box's events find no room until somebody reads.
	dd if=/dev/zero of="$T/full" bs=1 count=65536 oflag=nonblock 2>/dev/null || true
	NB_LIMIT=10
	run --separate-stderr nb --timeout 3 --status-fd 9 -x "$NB_BIN" -- "$PROBE" exit 3 9>"$T/full" 6>&-
	exec 6>&-
	[ "$status" -eq 3 ] || [ "$status" -eq 125 ] || [ "$status" -eq 124 ] || [ "$status" -eq 137 ]
}

@test "no core is written to the host's directory by a start that fails" {
	cd "$T"
	ulimit -c unlimited
	nb -x "$NB_BIN" -r "$T/none" -- "$PROBE" exit 0 2>/dev/null || true
	[ -z "$(ls "$T")" ]
}

@test "fifty boxes at once" {
	local i pids=()
	for i in {1..50}; do
		nb -x "$NB_BIN" -- "$PROBE" exit "$i" &
		pids+=($!)
	done
	for i in {1..50}; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		[ "$status" -eq "$i" ]
	done
}
