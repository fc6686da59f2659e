#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --init-only: nestbox as an init with its own words; alone, with walls, and with nothing around it.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/init

io() {
	as_caller "$NB" --init-only "$@"
}

# bad REGEX WORD…: exit 125, one line that matches, the command never ran.
bad() {
	local regex=$1

	shift
	rm -f "$T/marker"
	run --separate-stderr io "$@" -- "$TRY" put "$T/marker"
	exits 125 || return 1
	is "" || return 1
	one_line "$regex" || return 1
	[ ! -e "$T/marker" ] || { echo "the command ran" >&2; return 1; }
}

# ---- exit codes ----

@test "the command's code" {
	local code
	for code in 0 1 2 124 125 126 128 255; do
		run io -- "$PROBE" exit "$code"
		exits "$code"
		is ""
	done
	run -127 io -- "$PROBE" exit 127
}

@test "128 and the signal's number" {
	local sig
	for sig in 1 2 3 6 9 11 13 15 31 34 64; do
		run io -- "$PROBE" die "$sig"
		exits $((128 + sig))
	done
}

@test "127: not found; 126: not executable; one line" {
	run -127 --separate-stderr io -- /nope
	one_line "/nope"
	run --separate-stderr io -- "$T"
	exits 126
	one_line "$T"
}

@test "no command: 125, one line" {
	run --separate-stderr as_caller "$NB" --init-only
	exits 125
	one_line
}

@test "--as NAME is the same as the name" {
	run --separate-stderr as_caller "$NB" --as tini -s -e 3 -- "$PROBE" exit 3
	exits 0
	run --separate-stderr as_caller "$NB" --as dumb-init -V
	exits 0
	[ "$stderr" = "dumb-init v1.2.5" ]
	run as_caller "$NB" --as catatonit --version
	exits 0
	[[ $output == "tini version "* ]]
}

# ---- no walls unless asked for ----

@test "no namespaces" {
	local kinds=(user pid mnt ipc uts net cgroup) kind
	# shellcheck disable=SC2206
	local links=(${kinds[@]/#//proc/self/ns/})
	run io -- "$PROBE" readlink "${links[@]}"
	exits 0
	is "$(as_caller "$PROBE" readlink "${links[@]}")"
}

@test "environment, directory, ids, umask, limits and rights are the caller's" {
	run as_caller env -i A=1 B= PATH=/x "$NB" --init-only -- "$PROBE" env
	[ "$(sort <<<"$output")" = $'A=1\nB=\nPATH=/x' ]
	run io -- "$PROBE" cwd
	is "$T"
	run as_caller /bin/sh -c 'umask 027; exec "$@"' - "$NB" --init-only -- "$PROBE" umask
	is 0027
	run io -- "$PROBE" ids
	is "$(as_caller "$PROBE" ids)"
	run io -- "$PROBE" limits
	is "$(as_caller "$PROBE" limits)"
	run io -- "$PROBE" caps
	is "$(as_caller "$PROBE" caps)"
}

@test "one child; nothing more" {
	begin "$NB" --init-only -- "$PROBE" report 15
	await ready
	[ "$(children "$(only_child "$INIT")")" = "" ]
	kill -TERM "$INIT"
	finish
}

@test "dispositions are the default ones, the mask is empty" {
	run io -- "$PROBE" sigs
	is "blocked 0000000000000000"
}

@test "--setenv, --chdir, --argv0 work with it" {
	run io --setenv A 7 -- "$PROBE" env
	says "A=7"
	run io --chdir / -- "$PROBE" cwd
	is /
	run io --argv0 other -- "$PROBE" args
	says "[other]"
}

# ---- walls ----

@test "--rlimit" {
	run io --rlimit nofile=64:128 --rlimit core=0 -- "$PROBE" limits
	says "nofile 64:128" "core 0:0"
}

@test "--rlimit is the command's, not the init's" {
	begin "$NB" --init-only --rlimit nofile=64:64 -- "$PROBE" report 15
	await ready
	[ "$(prlimit --nofile --output SOFT --noheadings --pid "$INIT" | tr -d ' ')" != 64 ]
	kill -TERM "$INIT"
	finish
}

@test "--cap-drop ALL: no capability in any set, or an error" {
	run --separate-stderr io --cap-drop ALL -- "$PROBE" caps
	if [ "$status" = 125 ]; then
		# Only who has CAP_SETPCAP can empty the bounding set.
		[ "$NB_AS" = user ] && one_line "capabilities"
		return
	fi
	exits 0
	matches "^bounding 0000000000000000$|^nnp 1$"
	says "inheritable 0000000000000000" "permitted 0000000000000000" "effective 0000000000000000" \
		"ambient 0000000000000000"
}

@test "--cap-drop ALL empties the bounding set of a privileged caller" {
	need_root_caller
	run io --cap-drop ALL -- "$PROBE" caps
	says "bounding 0000000000000000"
}

@test "--cap-drop NAME: that one" {
	need_root_caller
	run io --cap-drop CAP_CHOWN -- "$TRY" chown "$T"
	exits 0
	matches "EPERM"
	run io --cap-drop CAP_KILL -- "$TRY" chown "$T"
	matches ": ok$"
}

# sethostname fails with EIO: load nr; jne 170; return ERRNO|5; return ALLOW.
filter() {
	printf '\x20\0\0\0\0\0\0\0\x15\0\0\x01\xaa\0\0\0\x06\0\0\0\x05\0\x05\0\x06\0\0\0\0\0\xff\x7f' >"$T/filter"
}

@test "--seccomp: the filter is on the command" {
	[ "$(uname -m)" = x86_64 ] || skip "the call's number is x86-64's"
	filter
	run io --seccomp 8 -- "$TRY" sethostname x 8<"$T/filter"
	exits 0
	is "sethostname x: EIO"
	run io --seccomp 8 -- "$PROBE" caps 8<"$T/filter"
	says "seccomp 2"
}

@test "--seccomp: the init still reaps and forwards" {
	filter
	exec 8<"$T/filter"
	launch "$NB_BIN/starter" reset "$NB" --init-only --seccomp 8 -- "$PROBE" litter 20 15
	INIT=$LAUNCHER
	exec 8<&-
	await ready
	until_children "$INIT" 1
	kill -USR1 "$INIT"
	await "got 10"
	kill -TERM "$INIT"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "--timeout: 124" {
	NB_LIMIT=20
	run io --timeout 0.2 -- "$PROBE" stubborn
	exits 124
}

@test "--status-fd tells start and end" {
	run io --status-fd 8 -- "$PROBE" exit 7 8>"$T/events"
	exits 7
	jq -e 'select(.event == "exit" and .code == 7)' "$T/events"
	run io --status-fd 8 -- "$PROBE" die 15 8>"$T/events"
	exits 143
	jq -e 'select(.event == "signal" and .signal == 15)' "$T/events"
}

@test "--status-fd stays out of the command" {
	run io --status-fd 80 -- "$PROBE" fds 80>"$T/events"
	lacks "(^| )80( |$)"
}

@test "what needs a namespace is refused, not forgotten" {
	bad "" --tmpfs /tmp
	bad "" --hostname x
	bad "" --proc /proc
	bad "" --ro-bind / /
	bad "" --unshare-pid
	bad "" --userns 8
	bad "" --dev /dev
}

@test "--uid and --gid are done or refused, not forgotten" {
	run --separate-stderr io --uid 5 --gid 6 -- "$PROBE" ids
	if [ "$status" = 125 ]; then
		one_line
	else
		says "uid 5 5 5" "gid 6 6 6"
	fi
}

# ---- orphans ----

@test "subreaper by itself" {
	begin "$NB" --init-only -- "$PROBE" adopt
	await "ppid $INIT"
	finish
	[ "$status" -eq 0 ]
}

@test "zombies of grandchildren are reaped while the command runs" {
	begin "$NB" --init-only -- "$PROBE" litter 200 15
	await ready
	until_children "$INIT" 1
	kill -TERM "$INIT"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "as PID 1: a thousand orphans, no zombie" {
	run as_caller "$CELL" -p "$NB" --init-only -- "$PROBE" orphans 1000
	exits 0
	says "made 1000" "zombies 0" "processes 2"
}

@test "as PID 1 nobody outlives it" {
	begin_first -- "$NB" --init-only -- "$PROBE" heir 64 5 session
	next
	finish
	[ "$status" -eq 5 ]
	drained
}

# ---- signals ----

@test "forwarded once: each of 1 to 31 that can be caught" {
	begin "$NB" --init-only -- "$PROBE" report 64
	each 1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 18 23 24 25 26 27 28 29 30 31
}

@test "forwarded once: the real-time signals, also those that libc keeps for itself" {
	begin "$NB" --init-only -- "$PROBE" report 64
	# shellcheck disable=SC2046
	each $(seq 32 63)
}

@test "TSTP, TTIN and TTOU are forwarded, and CONT after each" {
	local pair
	launch setsid "$NB_BIN/starter" reset "$NB" --init-only -- "$PROBE" report 64
	INIT=$LAUNCHER
	await ready
	for pair in TSTP:20 TTIN:21 TTOU:22; do
		kill "-${pair%:*}" "$INIT"
		await "got ${pair#*:}"
		kill -CONT "$INIT"
		await "got 18"
	done
	kill -64 "$INIT"
	await "got 64"
	finish
	[ "$status" -eq 0 ]
}

@test "as PID 1: TERM from outside ends a command without a handler: 143" {
	begin_first -- "$NB" --init-only -- "$PROBE" hold
	await ready
	first
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 143 ]
}

@test "--forward child: to the command alone" {
	begin "$NB" --init-only --forward child -- "$PROBE" family 15
	await ready
	kill -USR1 "$INIT"
	await "parent got 10"
	kill -TERM "$INIT"
	await "parent got 15"
	drained
	finish
	[ "$status" -eq 0 ]
}

@test "--forward group: to its group" {
	begin "$NB" --init-only --forward=group -- "$PROBE" family 64
	await ready
	kill -USR1 "$INIT"
	in_any_order "parent got 10" "child got 10"
	kill -KILL "$(only_child "$INIT")"
	finish
	[ "$status" -eq 137 ]
}

@test "--forward: another word: 125" {
	bad "forward" --forward both
	bad "forward" --forward ""
	bad "forward" --forward=Group
}

# ---- --rewrite ----

@test "--rewrite: one signal for another, the others as they are" {
	begin "$NB" --init-only --rewrite 15:2 -- "$PROBE" report 64
	await ready
	kill -TERM "$INIT"
	await "got 2"
	kill -QUIT "$INIT"
	await "got 3"
	kill -64 "$INIT"
	finish
}

@test "--rewrite: repeated, swapped, the last one counts, real-time too" {
	begin "$NB" --init-only --rewrite 15:2 --rewrite=2:15 --rewrite 10:3 --rewrite 10:40 --rewrite 41:12 -- \
		"$PROBE" report 64
	await ready
	local pair
	for pair in 15:2 2:15 10:40 41:12; do
		kill "-${pair%:*}" "$INIT"
		await "got ${pair#*:}"
	done
	kill -64 "$INIT"
	finish
}

@test "--rewrite: names" {
	begin "$NB" --init-only --rewrite TERM:QUIT --rewrite SIGHUP:SIGUSR1 -- "$PROBE" report 64
	await ready
	kill -TERM "$INIT"
	await "got 3"
	kill -HUP "$INIT"
	await "got 10"
	kill -64 "$INIT"
	finish
}

@test "--rewrite: 0 drops" {
	begin "$NB" --init-only --rewrite 10:0 --rewrite 28:0 -- "$PROBE" report 15
	await ready
	kill -USR1 "$INIT"
	kill -WINCH "$INIT"
	kill -TERM "$INIT"
	await "got 15"
	drained
	finish
	[ "$status" -eq 0 ]
}

@test "--rewrite: to KILL: 137" {
	begin "$NB" --init-only --rewrite 15:9 -- "$PROBE" stubborn
	await ready
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 137 ]
}

@test "--rewrite: bad values: 125" {
	local value
	for value in "" 15 15: :15 0:1 65:1 15:65 -1:2 15:-2 x:2 15:x 1:2:3 "15 :2" 15:2x TERM:FOO; do
		bad "rewrite" --rewrite "$value"
	done
}

@test "--rewrite: of what cannot be caught: 125" {
	bad "rewrite" --rewrite 9:15
	bad "rewrite" --rewrite 19:15
}

# ---- --expect ----

@test "--expect: that code becomes 0, no other does" {
	run io --expect 3 -- "$PROBE" exit 3
	exits 0
	run io --expect 3 -- "$PROBE" exit 4
	exits 4
}

@test "--expect: repeated; for signals, too" {
	local code
	for code in 1 255; do
		run io --expect 1 --expect=143 --expect 255 -- "$PROBE" exit "$code"
		exits 0
	done
	run io --expect 1 --expect 143 -- "$PROBE" die 15
	exits 0
	run io --expect 1 --expect 143 -- "$PROBE" exit 2
	exits 2
}

@test "--expect is no excuse for nestbox's own failure" {
	run -127 io --expect 127 -- /nope
	run --separate-stderr io --expect 125 --nonsense -- "$PROBE" exit 0
	exits 125
}

@test "--expect: bad values: 125" {
	local value
	for value in "" 256 -1 x 3x " 3" 1e1 99999999999999999999; do
		bad "expect" --expect "$value"
	done
}

# ---- --stop-signal ----

@test "--stop-signal: TERM becomes that one, by number, name, long name" {
	local value
	for value in 2 INT SIGINT; do
		begin "$NB" --init-only --stop-signal "$value" -- "$PROBE" report 64
		await ready
		kill -TERM "$INIT"
		await "got 2"
		kill -QUIT "$INIT"
		await "got 3"
		kill -64 "$INIT"
		finish
	done
}

@test "--stop-signal: a real-time signal, as systemd wants it" {
	begin "$NB" --init-only --stop-signal 37 -- "$PROBE" report 37
	await ready
	kill -TERM "$INIT"
	await "got 37"
	finish
	[ "$status" -eq 0 ]
}

@test "--stop-signal: bad values: 125" {
	local value
	for value in "" 0 65 -1 FOO SIGFOO TERM2; do
		bad "stop-signal" --stop-signal "$value"
	done
}

# ---- --grace ----

@test "--grace: what the command left gets TERM, and may end by itself; the code is the command's" {
	local mode
	for mode in "" group session; do
		# shellcheck disable=SC2086
		begin "$NB" --init-only --grace 30 -- "$PROBE" heir 15 5 $mode
		next
		await "heir got 15"
		finish
		[ "$status" -eq 5 ]
		drained
	done
}

@test "--grace: what does not end gets KILL" {
	local mode
	for mode in "" group session; do
		# shellcheck disable=SC2086
		begin "$NB" --init-only --grace 0.2 -- "$PROBE" heir 64 5 $mode
		next
		await "heir got 15"
		drained
		finish
		[ "$status" -eq 5 ]
	done
}

@test "--grace as PID 1" {
	begin_first -- "$NB" --init-only --grace 30 -- "$PROBE" heir 15 5 session
	next
	await "heir got 15"
	finish
	[ "$status" -eq 5 ]
	begin_first -- "$NB" --init-only --grace 0.2 -- "$PROBE" heir 64 5 session
	next
	await "heir got 15"
	finish
	[ "$status" -eq 5 ]
}

@test "--grace as PID 1 without a /proc" {
	empty_root init="$NB" probe="$PROBE"
	need_alone "$NB"
	begin_first -r "$ROOT" -- /init --init-only --grace 30 -- /probe heir 15 5 session
	next
	await "heir got 15"
	finish
	[ "$status" -eq 5 ]
}

@test "--grace: a command that does not end at TERM gets KILL: 137" {
	begin "$NB" --init-only --grace 0.2 -- "$PROBE" stubborn
	await ready
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 137 ]
}

@test "--grace: a command that ends in time keeps its code" {
	begin "$NB" --init-only --grace 30 -- /bin/sh -c 'trap "exit 7" TERM; echo ready; while :; do read -r x; done'
	await ready
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 7 ]
}

@test "--grace with --stop-signal: that one, then KILL" {
	begin "$NB" --init-only --stop-signal INT --grace 0.2 -- "$PROBE" report 64
	await ready
	kill -TERM "$INIT"
	await "got 2"
	finish
	[ "$status" -eq 137 ]
}

@test "--grace: other signals start no clock" {
	begin "$NB" --init-only --grace 0.1 -- "$PROBE" report 64
	await ready
	kill -USR1 "$INIT"
	await "got 10"
	if read -r -t 0.5 -u 7 line; then return 1; fi
	kill -64 "$INIT"
	await "got 64"
	finish
	[ "$status" -eq 0 ]
}

@test "--grace: nothing is left, nothing is waited for" {
	NB_LIMIT=20
	run io --grace 600 -- "$PROBE" exit 7
	exits 7
}

@test "--grace: bad values: 125" {
	local value
	for value in "" x -1 1x nan inf 1e400 "1 "; do
		bad "grace" --grace "$value"
	done
}

# ---- --wait-all ----

@test "--wait-all: stays until the last is gone, and has the command's code" {
	local mode heir
	for mode in "" group session; do
		# shellcheck disable=SC2086
		begin "$NB" --init-only --wait-all -- "$PROBE" heir 64 5 $mode
		next
		heir=${line#heir }
		until_gone_child "$INIT" "$heir"
		[ -e "/proc/$INIT" ]
		kill -USR1 "$heir"
		await "heir got 10"
		[ "$(awk '{ print $4 }' "/proc/$heir/stat")" -eq "$INIT" ]
		kill -64 "$heir"
		finish
		[ "$status" -eq 5 ]
	done
}

# until_gone_child INIT PID: PID is the only child of INIT that is left.
until_gone_child() {
	local i all

	for ((i = 0; i < 20000; i++)); do
		all=$(children "$1")
		[ "${all% }" != "$2" ] || return 0
	done
	echo "children of $1: $all, wanted $2" >&2
	return 1
}

@test "--wait-all as PID 1" {
	begin_first -- "$NB" --init-only --wait-all -- "$PROBE" heir 64 5 session
	next
	first
	local heir
	heir=$(last_child "$INIT")
	kill -USR1 "$heir"
	await "heir got 10"
	kill -64 "$heir"
	finish
	[ "$status" -eq 5 ]
}

# last_child INIT: the one that is left when its command is gone.
last_child() {
	until_children "$1" 1 || return 1
	children "$1" | tr -d ' '
}

@test "--wait-all: the signal that ended the command" {
	run io --wait-all -- "$PROBE" die 15
	exits 143
}

@test "--wait-all --forward group: TERM reaches what the command left" {
	begin "$NB" --init-only --wait-all --forward group -- "$PROBE" heir 15 5
	next
	until_gone_child "$INIT" "${line#heir }"
	kill -TERM "$INIT"
	await "heir got 15"
	finish
	[ "$status" -eq 5 ]
}

@test "--wait-all: nothing is left, nothing is waited for" {
	NB_LIMIT=20
	run io --wait-all -- "$PROBE" exit 7
	exits 7
}

# ---- nothing around it ----

# PROGRAMS: each way to be an init, in a root directory with nothing but these programs.
bare_root() {
	local name

	empty_root probe="$PROBE" nestbox="$NB" tini="$TINI_" dumb-init="$DUMB_" catatonit="$CATA_"
	PROGRAMS=()
	for name in nestbox tini dumb-init catatonit; do
		# An original that needs a loader cannot be here.
		under_test "$name" || continue
		! readelf -lW "$ROOT/$name" | grep -q INTERP || continue
		case $name in
		nestbox) PROGRAMS+=("/nestbox --init-only --") ;;
		dumb-init) PROGRAMS+=("/dumb-init") ;;
		*) PROGRAMS+=("/$name --") ;;
		esac
	done
	[ "${#PROGRAMS[@]}" -ne 0 ] || skip "about the static builds"
}

# The original tini cannot start without a descriptor 0: "tcsetpgrp failed: Bad file descriptor".
no_stdin() {
	local program left=()

	for program in "${PROGRAMS[@]}"; do
		[[ -n ${TINI:-} && $program == /tini* ]] || left+=("$program")
	done
	PROGRAMS=("${left[@]}")
	[ "${#PROGRAMS[@]}" -ne 0 ] || skip "the original does otherwise"
}

# bare OPTION… -- WORD…: as PID 1 there, for each of them, with the result 7 and no word.
bare() {
	local program options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	for program in "${PROGRAMS[@]}"; do
		# shellcheck disable=SC2086
		run as_caller "$CELL" -r "$ROOT" "${options[@]}" -- $program /probe "$@"
		exits 7 || { echo "$program" >&2; return 1; }
		is "" || { echo "$program" >&2; return 1; }
	done
}

@test "bare: no /proc, no /dev, nothing to write, a read-only root" {
	bare_root
	bare -- exit 7
}

@test "bare: any user, without a passwd entry" {
	bare_root
	bare -u 0 -- exit 7
	bare -u 4711 -- exit 7
	bare -u 4294967294 -- exit 7
}

@test "bare: without descriptor 0" {
	bare_root
	no_stdin
	bare -0 -- exit 7
}

@test "bare: without descriptors 0, 1 and 2" {
	bare_root
	no_stdin
	local program
	for program in "${PROGRAMS[@]}"; do
		# shellcheck disable=SC2086
		run as_caller /bin/sh -c 'exec <&- >&- 2>&-; exec "$@"' - "$CELL" -r "$ROOT" -- $program /probe exit 7
		exits 7 || { echo "$program" >&2; return 1; }
	done
}

@test "bare: descriptors of the command are not used by the init when 0 was closed" {
	bare_root
	no_stdin
	local program
	for program in "${PROGRAMS[@]}"; do
		# shellcheck disable=SC2086
		run as_caller "$CELL" -r "$ROOT" -0 -- $program /probe fds
		exits 0
		[[ $output != 0* ]] || { echo "$program: $output" >&2; return 1; }
	done
}

@test "bare: one process more is allowed, and that is enough" {
	need_plain_caller "the kernel exempts host uid 0 from this limit"
	bare_root
	# cell, the init, the command.
	bare -u 4711 -l nproc=3 -- exit 7
}

@test "bare: no process more is allowed: an error, no hang" {
	need_plain_caller "the kernel exempts host uid 0 from this limit"
	bare_root
	local program
	for program in "${PROGRAMS[@]}"; do
		# shellcheck disable=SC2086
		run --separate-stderr as_caller "$CELL" -r "$ROOT" -u 4711 -l nproc=2 -- $program /probe exit 7
		case $program in
		*nestbox*)
			exits 125
			one_line
			;;
		*) exits 1 ;;
		esac
		[ -n "$stderr" ] || { echo "$program" >&2; return 1; }
	done
}

@test "bare: the command reaches the limit of processes, the init reports right" {
	need_plain_caller "the kernel exempts host uid 0 from this limit"
	bare_root
	local program
	for program in "${PROGRAMS[@]}"; do
		# shellcheck disable=SC2086
		run as_caller "$CELL" -r "$ROOT" -u 4711 -l nproc=20 -- $program /probe forkbomb 1000
		exits 0
		matches "^errno .*(unavailable|again)"
	done
}

@test "bare: little memory: 4 MB of addresses are enough" {
	bare_root
	bare -l as=4194304 -- exit 7
}

@test "bare: less and less memory: works, or fails with a word" {
	bare_root
	local program size
	for program in "${PROGRAMS[@]}"; do
		for size in 2000000 1500000 1000000 800000 700000 600000; do
			# shellcheck disable=SC2086
			run as_caller "$CELL" -r "$ROOT" -l as="$size" -- $program /probe exit 7
			# 139 and 137: the kernel itself could not load a program into so little.
			[[ $status =~ ^(7|139|137)$ ]] || [ -n "$output" ] || { echo "$program, $size: $status" >&2; return 1; }
		done
	done
}

@test "bare: one descriptor more is enough" {
	bare_root
	local program
	for program in "${PROGRAMS[@]}"; do
		case $program in /catatonit*) [ -z "${CATATONIT:-}" ] || continue ;; esac
		# shellcheck disable=SC2086
		run as_caller "$CELL" -r "$ROOT" -l nofile=4 -- $program /probe exit 7 3>&-
		exits 7 || { echo "$program" >&2; return 1; }
	done
}

@test "bare: signals and orphans" {
	bare_root
	no_stdin
	local program
	for program in "${PROGRAMS[@]}"; do
		# shellcheck disable=SC2086
		begin_first -r "$ROOT" -0 -u 4711 -- $program /probe litter 50 64
		await ready
		first
		until_children "$INIT" 1
		kill -USR1 "$INIT"
		await "got 10"
		kill -64 "$INIT"
		await "got 64"
		finish
		[ "$status" -eq 0 ]
	done
}

@test "bare: an empty environment and a PATH of the image" {
	bare_root
	local program
	for program in "${PROGRAMS[@]}"; do
		# shellcheck disable=SC2086
		run as_caller env -i "$CELL" -r "$ROOT" -- $program /probe env
		exits 0
		# nestbox's own words set the standard PATH where there is none.
		[[ $program == /nestbox* && $output == PATH=* ]] || is ""
		# shellcheck disable=SC2086
		run as_caller env -i PATH=/ "$CELL" -r "$ROOT" -- $program probe exit 7
		exits 7
	done
}

# ---- idle ----

# asleep: INIT has settled after a signal, and does not wake up within a second, which nothing but the
# time can show; a wake-up that belongs to the signal is forgiven.
asleep() {
	local before after try

	kill -USR1 "$INIT"
	await "got 10"
	for try in 1 2 3; do
		until_state "$INIT" S
		before=$(grep ctxt_switches "/proc/$INIT/status")
		if read -r -t 1 -u 7 line; then return 1; fi
		after=$(grep ctxt_switches "/proc/$INIT/status")
		[ "$before" != "$after" ] || return 0
	done
	printf 'before: %s\nafter: %s\n' "$before" "$after" >&2
	return 1
}

@test "idle it never wakes up: --init-only" {
	native
	begin "$NB" --init-only -- "$PROBE" report 15
	await ready
	asleep
	kill -TERM "$INIT"
	finish
}

@test "idle it never wakes up: --init-only with --grace, --wait-all, --rewrite" {
	native
	begin "$NB" --init-only --grace 5 --wait-all --rewrite 2:15 -- "$PROBE" report 15
	await ready
	asleep
	kill -TERM "$INIT"
	finish
}

@test "idle it never wakes up: tini" {
	# The original wakes up every second.
	better TINI
	begin "$TINI_" -s -- "$PROBE" report 15
	await ready
	asleep
	kill -TERM "$INIT"
	finish
}

@test "idle it never wakes up: dumb-init" {
	begin "$DUMB_" "$PROBE" report 15
	await ready
	asleep
	kill -TERM "$INIT"
	finish
}

@test "idle it never wakes up: catatonit" {
	begin "$CATA_" -- "$PROBE" report 15
	await ready
	asleep
	kill -TERM "$INIT"
	finish
}

# weigh PROGRAM…: PSS and DIRTY in kB, of PID 1 at rest.
weigh() {
	begin "$@" "$PROBE" report 15
	await ready
	kill -USR1 "$INIT"
	await "got 10"
	until_state "$INIT" S
	PSS=$(idle_memory "$INIT" | sed -n 's/^Pss: //p')
	DIRTY=$(idle_memory "$INIT" | sed -n 's/^Private_Dirty: //p')
	kill -TERM "$INIT"
	finish
}

# not_heavier PROGRAM…: than the real catatonit, but for a page.
not_heavier() {
	# A static glibc brings pages of its own, of which it writes to some.
	! grep -qa 'GNU C Library\|ld-linux' "$NESTBOX" || skip "about the musl build"
	need_root "smaps_rollup of a process that is not dumpable"
	need_static
	need catatonit
	cp "$(command -v catatonit)" "$T/catatonit"
	give "$T/catatonit"
	# What is not on the disk yet would count as dirty memory of whoever maps it.
	sync "$T/catatonit" "$1"
	weigh "$T/catatonit" --
	local dirty=$DIRTY pss=$PSS
	weigh "$@"
	echo "Private_Dirty $DIRTY kB, catatonit $dirty kB; Pss $PSS kB, catatonit $pss kB"
	[ "$DIRTY" -le $((dirty + 4)) ]
	[ "$PSS" -le $((pss + 4)) ]
}

@test "at rest it holds no more memory than catatonit: --init-only" {
	native
	not_heavier "$NB" --init-only --
}

@test "at rest it holds no more memory than catatonit: tini" {
	better TINI
	not_heavier "$TINI_" -s --
}

@test "at rest it holds no more memory than catatonit: dumb-init" {
	better DUMB_INIT
	not_heavier "$DUMB_"
}

@test "at rest it holds no more memory than catatonit: catatonit" {
	not_heavier "$CATA_" --
}
