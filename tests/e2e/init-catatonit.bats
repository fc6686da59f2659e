#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nestbox as catatonit and podman-init: options, messages, exit codes, pause mode, LISTEN_PID, descriptors.
# CATATONIT=/usr/bin/catatonit runs the same against the original (0.1.7).

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/init

cata() {
	as_caller "$CATA_" "$@"
}

USAGE='usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]'

# ---- the command line ----

@test "-V and --version: one line that begins 'tini version', on stdout" {
	local option
	for option in -V --version -gV; do
		run --separate-stderr cata "$option"
		exits 0
		[[ $output == "tini version "* ]]
		[ "${#lines[@]}" -eq 1 ]
		[ -z "$stderr" ]
	done
}

@test "-h: the usage and the list of options on stderr, exit 0" {
	run --separate-stderr as_caller env PATH="$NB_BIN" catatonit -h
	exits 0
	is ""
	[ "${stderr_lines[0]}" = "$USAGE" ]
	output=$stderr
	says "options:" \
		"  -g              Forward signals to pid1's process group." \
		"  -h              Print this help page." \
		"  -L              Print license information." \
		"  -P              Run in pause mode (no program is run and quit on SIGINT)." \
		"  -V, --version   Print version information."
}

@test "-L: the licence on stdout, exit 0" {
	run --separate-stderr cata -L
	exits 0
	[ -n "$output" ]
	[ -z "$stderr" ]
}

@test "no command: a message and the usage on stderr, exit 1" {
	local words
	for words in "" "--" "-g" "-g --"; do
		# shellcheck disable=SC2086 # a list of words
		run --separate-stderr as_caller env PATH="$NB_BIN" catatonit $words
		exits 1
		is ""
		[[ ${stderr_lines[0]} =~ ^'ERROR (catatonit:'[0-9]+'): missing program name'$ ]]
		[ "${stderr_lines[1]}" = "$USAGE" ]
	done
}

@test "unknown options: a message and the usage on stderr, exit 1, nothing is started" {
	run --separate-stderr as_caller env PATH="$NB_BIN" catatonit -x -- "$TRY" put "$T/marker"
	exits 1
	[ "${stderr_lines[0]}" = "catatonit: invalid option -- 'x'" ]
	[ "${stderr_lines[1]}" = "$USAGE" ]
	run --separate-stderr as_caller env PATH="$NB_BIN" catatonit --foo -- "$TRY" put "$T/marker"
	exits 1
	[ "${stderr_lines[0]}" = "catatonit: unrecognized option '--foo'" ]
	[ ! -e "$T/marker" ]
}

@test "behind -- everything is the command's" {
	run cata -- "$PROBE" args -g --version -- -x
	is $'['"$PROBE"$']\n[args]\n[-g]\n[--version]\n[--]\n[-x]'
}

@test "options end at the command, without -- too" {
	# The original's option string lacks the '+'.
	better CATATONIT
	run cata "$PROBE" args -g -V
	is $'['"$PROBE"$']\n[args]\n[-g]\n[-V]'
}

@test "podman-init -- COMMAND and init -- COMMAND, as Podman starts it" {
	local name
	mkdir "$T/run" "$T/dev"
	cp "$CATA_" "$T/run/podman-init"
	cp "$CATA_" "$T/dev/init"
	give "$T/run" "$T/dev"
	for name in run/podman-init dev/init; do
		run as_caller "$CELL" "$T/$name" -- "$PROBE" exit 7
		exits 7
		is ""
	done
}

@test "podman-init --version" {
	cp "$CATA_" "$T/podman-init"
	give "$T/podman-init"
	run as_caller "$T/podman-init" --version
	exits 0
	[[ $output == "tini version "* ]]
}

# ---- exit codes ----

@test "the command's code" {
	local code
	for code in 0 1 2 124 125 126 128 255; do
		run cata -- "$PROBE" exit "$code"
		exits "$code"
		is ""
	done
	run -127 cata -- "$PROBE" exit 127
}

@test "128 and the signal's number" {
	local sig
	for sig in 1 2 3 6 9 11 13 15 31 34 64; do
		run cata -- "$PROBE" die "$sig"
		exits $((128 + sig))
	done
}

@test "1 when the command cannot be executed, with the reason" {
	run --separate-stderr cata -- /nope
	exits 1
	[[ $stderr =~ ^'ERROR (catatonit:'[0-9]+'): failed to exec pid1: No such file or directory'$ ]]
	run --separate-stderr cata -- "$T"
	exits 1
	[[ $stderr =~ ^'ERROR (catatonit:'[0-9]+'): failed to exec pid1: Permission denied'$ ]]
}

@test "the command is looked up in the caller's PATH" {
	run as_caller env PATH="/nowhere:$NB_BIN" "$CATA_" -- probe exit 7
	exits 7
}

@test "silent: nothing but the command's output" {
	run --separate-stderr cata -- "$PROBE" exit 3
	exits 3
	is ""
	[ -z "$stderr" ]
}

# ---- processes ----

@test "one child, in a process group of its own, in the caller's session" {
	begin "$CATA_" -- "$PROBE" report 15
	await ready
	local child
	child=$(only_child "$INIT")
	[ "$(ps -o pgid= -p "$child" | tr -d ' ')" = "$child" ]
	[ "$(ps -o sid= -p "$child")" = "$(ps -o sid= -p "$INIT")" ]
	kill -TERM "$INIT"
	finish
}

@test "the process is named catatonit" {
	begin "$CATA_" -- "$PROBE" report 15
	await ready
	[ "$(<"/proc/$INIT/comm")" = catatonit ]
	kill -TERM "$INIT"
	finish
}

@test "its working directory becomes /, the command's is the caller's" {
	# The original from 0.2.1 on.
	better CATATONIT
	begin "$CATA_" -- "$PROBE" report 15
	await ready
	until_cwd "$INIT" /
	[ "$(readlink "/proc/$(only_child "$INIT")/cwd")" = "$T" ]
	kill -TERM "$INIT"
	finish
}

# leaked PID: the descriptors of the host's root directory, as `starter leak` opens them.
leaked() {
	local fd count=0
	for fd in "/proc/$1/fd/"*; do
		[ "$(readlink "$fd")" != / ] || count=$((count + 1))
	done
	echo "$count"
}

@test "descriptors from 3 on are closed in PID 1, and are there in the command" {
	local i
	begin "$NB_BIN/starter" leak 3 40 "$CATA_" -- "$PROBE" report 15
	await ready
	for ((i = 0; i < 2000; i++)); do
		[ "$(leaked "$INIT")" != 0 ] || break
	done
	[ "$(leaked "$INIT")" -eq 0 ]
	[ "$(leaked "$(only_child "$INIT")")" -eq 38 ]
	kill -TERM "$INIT"
	finish
}

@test "a pipe of the caller ends with the command, PID 1 does not hold it" {
	# The reader's end of file comes while catatonit still waits for its command.
	mkfifo "$T/pipe"
	give "$T/pipe"
	begin /bin/sh -c 'exec "$@" 9>"$0"' "$T/pipe" "$CATA_" -- /bin/sh -c 'exec 9>&-; exec "$1" report 15' - "$PROBE"
	timeout -s KILL 30 cat "$T/pipe"
	await ready
	kill -TERM "$INIT"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "LISTEN_PID that names the init becomes the command's" {
	begin /bin/sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"' - "$CATA_" -- \
		/bin/sh -c 'echo "$LISTEN_PID $$ $LISTEN_FDS"; exec "$1" report 15' - "$PROBE"
	next
	local said=$line child
	await ready
	child=$(only_child "$INIT")
	[ "$said" = "$child $child 1" ]
	kill -TERM "$INIT"
	finish
}

@test "as PID 1: LISTEN_PID=1 becomes the command's" {
	run as_caller env LISTEN_PID=1 "$CELL" "$CATA_" -- /bin/sh -c '[ "$LISTEN_PID" = $$ ] && [ $$ != 1 ] && echo right'
	is right
}

@test "LISTEN_PID that names another stays, and none is made" {
	run as_caller env LISTEN_PID=999999 "$CATA_" -- "$PROBE" env
	says "LISTEN_PID=999999"
	run cata -- "$PROBE" env
	lacks "^LISTEN_PID"
}

@test "as PID 1: a thousand orphans, no zombie" {
	run as_caller "$CELL" -p "$CATA_" -- "$PROBE" orphans 1000
	exits 0
	says "made 1000" "zombies 0" "processes 2"
}

@test "not as PID 1 it adopts, too" {
	# The original leaves them to the host's init.
	better CATATONIT
	begin "$CATA_" -- "$PROBE" litter 50 15
	await ready
	until_children "$INIT" 1
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 0 ]
}

# ---- when the command ends ----

@test "background children are left alone, the code is the command's" {
	local mode
	for mode in "" group session; do
		# shellcheck disable=SC2086
		begin "$CATA_" -- "$PROBE" heir 64 5 $mode
		next
		local heir=${line#heir }
		MINE+=("$heir")
		finish
		[ "$status" -eq 5 ]
		kill -USR1 "$heir"
		await "heir got 10"
		kill -64 "$heir"
		await "heir got 64"
	done
}

@test "as PID 1 nobody outlives it" {
	begin_first -- "$CATA_" -- "$PROBE" heir 64 5 session
	next
	finish
	[ "$status" -eq 5 ]
	drained
}

# ---- signals ----

# 17 is catatonit's own. 20, 21 and 22 are ignored by the original, 4 5 6 7 8 11 31 end it.
@test "forwarded once: every signal that the original forwards" {
	begin "$CATA_" -- "$PROBE" report 64
	each 1 2 3 10 12 13 14 15 16 18 23 24 25 26 27 28 29 30
}

@test "forwarded once: the real-time signals" {
	begin "$CATA_" -- "$PROBE" report 64
	# shellcheck disable=SC2046
	each $(seq 34 63)
}

@test "as PID 1: faults, and libc's own signals, from outside, do not end it" {
	need_static # the sanitizers handle faults themselves
	local sig
	begin_first -- "$CATA_" -- "$PROBE" report 15
	await ready
	first
	for sig in 4 5 6 7 8 11 20 21 22 31 32 33; do
		kill "-$sig" "$INIT"
	done
	kill -TERM "$INIT"
	while next && [ "$line" != "got 15" ]; do :; done
	finish
	[ "$status" -eq 0 ]
}

@test "to the child alone" {
	begin "$CATA_" -- "$PROBE" family 15
	await ready
	kill -USR1 "$INIT"
	await "parent got 10"
	kill -TERM "$INIT"
	await "parent got 15"
	drained
	finish
	[ "$status" -eq 0 ]
}

@test "-g: to the group" {
	begin "$CATA_" -g -- "$PROBE" family 64
	await ready
	kill -USR1 "$INIT"
	in_any_order "parent got 10" "child got 10"
	kill -KILL "$(only_child "$INIT")"
	finish
	[ "$status" -eq 137 ]
}

@test "TERM ends a command without a handler: 143; INT: 130" {
	local sig
	for sig in 2 15; do
		begin "$CATA_" -- "$PROBE" hold
		await ready
		kill "-$sig" "$INIT"
		finish
		[ "$status" -eq $((128 + sig)) ]
	done
}

@test "as PID 1: TERM from outside ends a command without a handler: 143" {
	begin_first -- "$CATA_" -- "$PROBE" hold
	await ready
	first
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 143 ]
}

@test "no signal is blocked in the command" {
	# The original leaves 20, 21 and 22 blocked.
	better CATATONIT
	# What starts us may ignore the signals that its libc keeps to itself, as make does.
	run as_caller "$NB_BIN/starter" reset "$CATA_" -- "$PROBE" sigs
	is "blocked 0000000000000000"
}

@test "the command keeps the caller's ignored signals: nohup works" {
	run as_caller /bin/sh -c 'trap "" HUP TERM; exec "$@"' - "$CATA_" -- "$PROBE" sigs
	says "ignored 1" "ignored 15"
	lacks "^ignored (2|3|20|21|22)$"
}

# ---- pause mode ----

# paused OPTION…: catatonit as PID 1 of a cell, in pause mode; says when it is.
paused() {
	local i
	begin_first -- "$CATA_" "$@"
	for ((i = 0; i < 20000; i++)); do
		INIT=$(children "$LAUNCHER" 2>/dev/null | tr -d ' ')
		# Waiting for a signal it sleeps, and cell's own steps are over.
		[ -z "$INIT" ] || [ "$(cat "/proc/$INIT/comm" 2>/dev/null)" != catatonit ] ||
			[[ $(<"/proc/$INIT/stat") != *") S "* ]] || return 0
	done
	return 1
}

@test "-P: INT and TERM end it, with 0" {
	local sig
	for sig in INT TERM; do
		paused -P
		kill "-$sig" "$INIT"
		finish
		[ "$status" -eq 0 ]
	done
}

@test "-P: no other signal ends it" {
	need_static # the sanitizers handle faults themselves
	local sig
	paused -P
	for sig in 1 3 4 5 6 7 8 10 11 12 13 14 16 17 18 20 21 22 23 24 25 26 27 28 29 30 31 34 40 64; do
		kill "-$sig" "$INIT"
	done
	[ -e "/proc/$INIT" ]
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 0 ]
}

@test "-P: no program is run, has no child, even if one is named" {
	paused -P -- "$TRY" put "$T/marker"
	[ "$(children "$INIT")" = "" ]
	[ ! -e "$T/marker" ]
	kill -INT "$INIT"
	finish
	[ "$status" -eq 0 ]
	[ ! -e "$T/marker" ]
}

@test "-P: reaps what joins its PID namespace and is orphaned" {
	need nsenter
	paused -P
	# A process that joins is not PID 1's child, its orphans become so.
	local i left=1 answer
	exec 8< <(exec "${CALLER[@]}" nsenter -t "$INIT" -U -p --preserve-credentials "$PROBE" litter 20 64 3>&-)
	read -r -t 30 -u 8 answer
	[ "$answer" = ready ]
	for ((i = 0; i < 2000; i++)); do
		left=$(ps -o stat= --ppid "$INIT" | grep -c Z || true)
		[ "$left" != 0 ] || break
	done
	[ "$left" -eq 0 ]
	# Its end is the end of what joined.
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 0 ]
	exec 8<&-
}

@test "-P: not as PID 1, too" {
	begin "$CATA_" -P
	until_state "$INIT" S
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 0 ]
}

# ---- what the command gets ----

@test "environment, directory, ids, umask, capabilities are the caller's" {
	run as_caller env -i A=1 B= "$CATA_" -- "$PROBE" env
	is $'A=1\nB='
	run cata -- "$PROBE" cwd
	is "$T"
	run as_caller /bin/sh -c 'umask 027; exec "$@"' - "$CATA_" -- "$PROBE" umask
	is 0027
	run cata -- "$PROBE" ids
	is "$(as_caller "$PROBE" ids)"
	run cata -- "$PROBE" caps
	is "$(as_caller "$PROBE" caps)"
}
