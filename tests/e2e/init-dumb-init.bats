#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nestbox as dumb-init: options, environment, messages in full, exit codes, session, signals.
# DUMB_INIT=/usr/bin/dumb-init runs the same against the original.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/init

# By PATH, as users do: the usage shows the name as it was called.
dumb() {
	as_caller env PATH="$NB_BIN:/usr/bin:/bin" dumb-init "$@"
}

HELP='Usage: dumb-init [option] command [[arg] ...]

dumb-init is a simple process supervisor that forwards signals to children.
It is designed to run as PID1 in minimal container environments.

Optional arguments:
   -c, --single-child   Run in single-child mode.
                        In this mode, signals are only proxied to the
                        direct child and not any of its descendants.
   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.
                        To ignore (not proxy) a signal, rewrite it to 0.
                        This option can be specified multiple times.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

Full help is available online at https://github.com/Yelp/dumb-init'

REWRITE='Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.'

# ---- the command line ----

@test "-h and --help: the whole text on stderr, exit 0" {
	local option
	for option in -h --help; do
		run --separate-stderr dumb "$option"
		exits 0
		is ""
		[[ $stderr =~ ^'dumb-init v'[0-9]+'.'[0-9]+'.'[0-9]+$'\n' ]]
		[ "${stderr#*$'\n'}" = "$HELP" ]
	done
}

@test "-V and --version: one line on stderr, exit 0" {
	local option
	for option in -V --version; do
		run --separate-stderr dumb "$option"
		exits 0
		is ""
		[ "$stderr" = "dumb-init v1.2.5" ]
	done
}

@test "no command: two lines on stderr, exit 1" {
	local words
	for words in "" "--" "-c" "-v --"; do
		# shellcheck disable=SC2086 # a list of words
		run --separate-stderr dumb $words
		exits 1
		is ""
		[ "$stderr" = $'Usage: dumb-init [option] program [args]\nTry dumb-init --help for full usage.' ]
	done
}

@test "the usage names the program as it was called" {
	run --separate-stderr as_caller "$DUMB_"
	exits 1
	[ "${stderr_lines[0]}" = "Usage: $DUMB_ [option] program [args]" ]
	run --separate-stderr as_caller "$DUMB_" -h
	exits 0
	[ "${stderr_lines[1]}" = "Usage: $DUMB_ [option] command [[arg] ...]" ]
	run --separate-stderr as_caller "$DUMB_" -x
	exits 1
	[ "$stderr" = "$DUMB_: invalid option -- 'x'" ]
}

@test "unknown options: one line, exit 1" {
	run --separate-stderr dumb -x "$PROBE"
	exits 1
	[[ $stderr == *"dumb-init: invalid option -- 'x'" ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	run --separate-stderr dumb --foo "$PROBE"
	exits 1
	[[ $stderr == *"dumb-init: unrecognized option '--foo'" ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	run --separate-stderr dumb --single-child=3 "$PROBE"
	exits 1
	[[ $stderr == *"dumb-init: option '--single-child' doesn't allow an argument" ]]
}

@test "-r without a value: one line, exit 1" {
	run --separate-stderr dumb -r
	exits 1
	[[ $stderr == *"dumb-init: option requires an argument -- 'r'" ]]
	run --separate-stderr dumb --rewrite
	exits 1
	[[ $stderr == *"dumb-init: option '--rewrite' requires an argument" ]]
}

@test "-r: bad values: three lines, exit 1, nothing is started" {
	local bad
	for bad in 1 1:32 0:1 32:1 a:b -1:3 3:-1 "" 15: :15 TERM:INT; do
		run --separate-stderr dumb -r "$bad" "$TRY" put "$T/marker"
		exits 1
		is ""
		[ "$stderr" = "$REWRITE" ]
		[ ! -e "$T/marker" ]
	done
}

@test "long options may be shortened" {
	run dumb --single "$PROBE" exit 7
	exits 7
	run dumb --rew 1:2 "$PROBE" exit 7
	exits 7
	run dumb --rewrite=1:2 "$PROBE" exit 7
	exits 7
}

@test "options end at the command; -- ends them, too" {
	run dumb "$PROBE" args -v --help
	is $'['"$PROBE"$']\n[args]\n[-v]\n[--help]'
	run dumb -c -- "$PROBE" args -- -c
	is $'['"$PROBE"$']\n[args]\n[--]\n[-c]'
	run --separate-stderr dumb -- -v
	exits 2
	[ "$stderr" = "[dumb-init] -v: No such file or directory" ]
}

@test "as an interpreter in a script's first line" {
	printf '#!%s %s\nexit\n' "$DUMB_" "$PROBE" >"$T/script"
	chmod 0755 "$T/script"
	give "$T/script"
	# One argument of the script is the command, so probe is told the script's name.
	run as_caller "$T/script"
	exits 99
	matches "^probe: unknown or short command: $T/script$"
}

# ---- exit codes ----

@test "the command's code" {
	local code
	for code in 0 1 2 3 124 125 126 128 255; do
		run dumb "$PROBE" exit "$code"
		exits "$code"
		run dumb -c "$PROBE" exit "$code"
		exits "$code"
		is ""
	done
	run -127 dumb "$PROBE" exit 127
}

@test "128 and the signal's number" {
	local sig
	for sig in 1 2 3 6 9 11 13 15 31 34 64; do
		run dumb "$PROBE" die "$sig"
		exits $((128 + sig))
	done
}

@test "2 when the command is not there or may not be executed, with the reason" {
	local options
	for options in "" "-c" "--" "-c --"; do
		# shellcheck disable=SC2086
		run --separate-stderr dumb $options /nope
		exits 2
		is ""
		[ "$stderr" = "[dumb-init] /nope: No such file or directory" ]
	done
	run --separate-stderr dumb ""
	exits 2
	[ "$stderr" = "[dumb-init] : No such file or directory" ]
	run --separate-stderr dumb "$T"
	exits 2
	[ "$stderr" = "[dumb-init] $T: Permission denied" ]
}

@test "the command is looked up in the caller's PATH" {
	run as_caller env PATH="/nowhere:$NB_BIN" "$DUMB_" probe exit 7
	exits 7
}

# ---- verbosity ----

# messages LINE…: stderr of the last run, process numbers made N, without what no terminal is about.
messages() {
	[ "$(sed -E 's/PID [0-9]+/PID N/; /controlling tty/d' <<<"$stderr")" = "$(printf '%s\n' "$@")" ] || {
		echo "$stderr" >&2
		return 1
	}
}

@test "silent by default" {
	run --separate-stderr dumb "$PROBE" exit 3
	exits 3
	is ""
	[ -z "$stderr" ]
}

@test "-v and --verbose: what happens" {
	local option
	for option in -v --verbose; do
		run --separate-stderr dumb "$option" "$PROBE" exit 3
		exits 3
		is ""
		# The child's line may come before its parent's.
		[ "$(sort <<<"$(sed -E 's/PID [0-9]+/PID N/; /controlling tty/d' <<<"$stderr")")" = "$(printf '%s\n' \
			"[dumb-init] Child spawned with PID N." \
			"[dumb-init] setsid complete." \
			"[dumb-init] Received signal 17." \
			"[dumb-init] A child with PID N exited with exit status 3." \
			"[dumb-init] Forwarded signal 15 to children." \
			"[dumb-init] Child exited with status 3. Goodbye." | sort)" ]
	done
}

@test "-v: without a terminal that is told" {
	run --separate-stderr as_caller setsid -w "$DUMB_" -v "$PROBE" exit 0 </dev/null
	matches_stderr '^\[dumb-init\] Unable to detach from controlling tty \(errno=25 Inappropriate ioctl for device\)\.$' \
		'^\[dumb-init\] Unable to attach to controlling tty \(errno=25 Inappropriate ioctl for device\)\.$'
}

# musl's words for ENOTTY are others.
matches_stderr() {
	local regex
	for regex in "$@"; do
		regex=${regex//Inappropriate ioctl for device/(Inappropriate ioctl for device|Not a tty)}
		grep -qE -- "$regex" <<<"$stderr" || { echo "$stderr" >&2; return 1; }
	done
}

@test "-vc: what happens" {
	run --separate-stderr dumb -vc "$PROBE" exit 3
	exits 3
	messages "[dumb-init] Child spawned with PID N." \
		"[dumb-init] Received signal 17." \
		"[dumb-init] A child with PID N exited with exit status 3." \
		"[dumb-init] Forwarded signal 15 to children." \
		"[dumb-init] Child exited with status 3. Goodbye."
}

@test "-v: a signal's end is told" {
	run --separate-stderr dumb -vc "$PROBE" die 9
	exits 137
	messages "[dumb-init] Child spawned with PID N." \
		"[dumb-init] Received signal 17." \
		"[dumb-init] A child with PID N was terminated by signal 9." \
		"[dumb-init] Forwarded signal 15 to children." \
		"[dumb-init] Child exited with status 137. Goodbye."
}

@test "-v: forwarding and rewriting are told" {
	begin "$DUMB_" -vc -r 10:12 -r 28:0 "$PROBE" report 15
	await ready
	kill -USR1 "$INIT"
	await "got 12"
	kill -WINCH "$INIT"
	# Pending together, the lower number would come first.
	until_told "Not forwarding signal 0"
	kill -TERM "$INIT"
	await "got 15"
	finish
	# The command may have been reaped before its SIGCHLD is taken, and then nobody takes it.
	stderr=$(grep -v "Received signal 17" "$T/err")
	messages "[dumb-init] Child spawned with PID N." \
		"[dumb-init] Received signal 10." \
		"[dumb-init] Translating signal 10 to 12." \
		"[dumb-init] Forwarded signal 12 to children." \
		"[dumb-init] Received signal 28." \
		"[dumb-init] Translating signal 28 to 0." \
		"[dumb-init] Not forwarding signal 0 to children (ignored)." \
		"[dumb-init] Received signal 15." \
		"[dumb-init] Forwarded signal 15 to children." \
		"[dumb-init] A child with PID N exited with exit status 0." \
		"[dumb-init] Forwarded signal 15 to children." \
		"[dumb-init] Child exited with status 0. Goodbye."
}

@test "DUMB_INIT_DEBUG=1: as -v, and it says so; no other value counts" {
	run --separate-stderr as_caller env DUMB_INIT_DEBUG=1 "$DUMB_" -c "$PROBE" exit 3
	exits 3
	[ "${stderr_lines[0]}" = "[dumb-init] Running in debug mode." ]
	[ "${stderr_lines[-1]}" = "[dumb-init] Child exited with status 3. Goodbye." ]
	local value
	for value in 0 true "" 2; do
		run --separate-stderr as_caller env DUMB_INIT_DEBUG="$value" "$DUMB_" -c "$PROBE" exit 3
		exits 3
		[ -z "$stderr" ]
	done
}

# ---- processes ----

@test "one child, which leads a session of its own" {
	begin "$DUMB_" "$PROBE" report 15
	await ready
	local child
	child=$(only_child "$INIT")
	[ "$(ps -o pgid= -p "$child" | tr -d ' ')" = "$child" ]
	[ "$(ps -o sid= -p "$child" | tr -d ' ')" = "$child" ]
	[ "$(children "$child")" = "" ]
	kill -TERM "$INIT"
	finish
}

# single WORD…: these words make the child stay in dumb-init's own group.
single() {
	local child
	begin "$@" "$PROBE" report 15
	await ready
	child=$(only_child "$INIT")
	[ "$(ps -o pgid= -p "$child")" = "$(ps -o pgid= -p "$INIT")" ]
	[ "$(ps -o sid= -p "$child")" = "$(ps -o sid= -p "$INIT")" ]
	kill -TERM "$INIT"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "-c and --single-child: the child stays in the caller's group and session" {
	single "$DUMB_" -c
	single "$DUMB_" --single-child
}

@test "DUMB_INIT_SETSID=0: the same; no other value counts" {
	single env DUMB_INIT_SETSID=0 "$DUMB_"
	local value
	for value in 1 false "" 00; do
		run as_caller env DUMB_INIT_SETSID="$value" "$DUMB_" -v "$PROBE" exit 0
		matches "setsid complete"
	done
}

@test "DUMB_INIT_SETSID=0 -v: says so" {
	run --separate-stderr as_caller env DUMB_INIT_SETSID=0 "$DUMB_" -v "$PROBE" exit 0
	[ "${stderr_lines[0]}" = "[dumb-init] Not running in setsid mode." ]
}

@test "its working directory becomes /, the command's is the caller's" {
	begin "$DUMB_" "$PROBE" report 15
	await ready
	until_cwd "$INIT" /
	[ "$(readlink "/proc/$(only_child "$INIT")/cwd")" = "$T" ]
	kill -TERM "$INIT"
	finish
}

@test "the process is named dumb-init" {
	begin "$DUMB_" "$PROBE" report 15
	await ready
	[ "$(<"/proc/$INIT/comm")" = dumb-init ]
	kill -TERM "$INIT"
	finish
}

@test "as PID 1: a thousand orphans, no zombie" {
	run as_caller "$CELL" -p "$DUMB_" "$PROBE" orphans 1000
	exits 0
	says "made 1000" "zombies 0" "processes 2"
}

@test "not as PID 1, without a subreaper around, it adopts, too" {
	# The original leaves them to the host's init.
	better DUMB_INIT
	begin "$DUMB_" "$PROBE" litter 50 15
	await ready
	until_children "$INIT" 1
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 0 ]
}

# ---- when the command ends ----

@test "what is left of its group gets TERM, the code is the command's" {
	begin "$DUMB_" "$PROBE" heir 15 5
	next
	MINE+=("${line#heir }")
	await "heir got 15"
	finish
	[ "$status" -eq 5 ]
	drained
}

@test "what has a group or session of its own is left alone" {
	local mode
	for mode in group session; do
		begin "$DUMB_" "$PROBE" heir 64 5 "$mode"
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

@test "-c: nothing gets TERM" {
	begin "$DUMB_" -c "$PROBE" heir 64 5
	next
	local heir=${line#heir }
	MINE+=("$heir")
	finish
	[ "$status" -eq 5 ]
	kill -USR1 "$heir"
	await "heir got 10"
	kill -64 "$heir"
	await "heir got 64"
	drained
}

@test "that TERM is rewritten, too" {
	begin "$DUMB_" -r 15:2 "$PROBE" heir 2 5
	next
	MINE+=("${line#heir }")
	await "heir got 2"
	finish
	[ "$status" -eq 5 ]
}

@test "as PID 1 nobody outlives it" {
	begin_first -- "$DUMB_" "$PROBE" heir 64 5 session
	next
	finish
	[ "$status" -eq 5 ]
	drained
}

# ---- signals ----

# 17 is dumb-init's own, 20, 21, 22 stop: below.
@test "forwarded once: every other from 1 to 31" {
	begin "$DUMB_" "$PROBE" report 64
	each 1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 18 23 24 25 26 27 28 29 30 31
}

@test "-c: forwarded once: every other from 1 to 31" {
	begin "$DUMB_" -c "$PROBE" report 64
	each 1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 18 23 24 25 26 27 28 29 30 31
}

@test "forwarded once: the real-time signals" {
	begin "$DUMB_" "$PROBE" report 64
	# shellcheck disable=SC2046
	each $(seq 34 63)
}

@test "forwarded once: the signals that libc keeps for itself" {
	better DUMB_INIT
	begin "$DUMB_" "$PROBE" report 64
	each 32 33
}

@test "to the whole group" {
	begin "$DUMB_" "$PROBE" family 64
	await ready
	kill -USR1 "$INIT"
	in_any_order "parent got 10" "child got 10"
	kill -KILL "$(only_child "$INIT")"
	finish
	[ "$status" -eq 137 ]
}

@test "-c: to the child alone" {
	begin "$DUMB_" -c "$PROBE" family 15
	await ready
	kill -USR1 "$INIT"
	await "parent got 10"
	kill -TERM "$INIT"
	await "parent got 15"
	drained
	finish
}

@test "a shell's pipeline in the background ends with TERM" {
	begin "$DUMB_" /bin/sh -c '{ "$1" hold | cat; } & "$1" hold; wait' - "$PROBE"
	await ready
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 143 ]
	while next; do [ "$line" = ready ]; done
}

@test "TERM ends a command without a handler: 143; INT: 130" {
	local sig
	for sig in 2 15; do
		begin "$DUMB_" "$PROBE" hold
		await ready
		kill "-$sig" "$INIT"
		finish
		[ "$status" -eq $((128 + sig)) ]
	done
}

@test "as PID 1: libc's own signals from outside do not end it" {
	begin_first -- "$DUMB_" "$PROBE" report 15
	await ready
	first
	kill -32 "$INIT"
	kill -33 "$INIT"
	kill -TERM "$INIT"
	while next && [ "$line" != "got 15" ]; do :; done
	finish
	[ "$status" -eq 0 ]
}

# ---- rewriting ----

@test "-r: one signal for another, the others as they are" {
	begin "$DUMB_" -r 15:2 "$PROBE" report 64
	await ready
	kill -TERM "$INIT"
	await "got 2"
	kill -QUIT "$INIT"
	await "got 3"
	kill -INT "$INIT"
	await "got 2"
	kill -64 "$INIT"
	await "got 64"
	finish
}

@test "-r: repeated, swapped, the last one counts, to itself" {
	begin "$DUMB_" -r 15:2 --rewrite 2:15 --rewrite=1:31 -r31:1 -r 10:3 -r 10:12 -r 3:3 "$PROBE" report 64
	await ready
	local pair
	for pair in 15:2 2:15 1:31 31:1 10:12 3:3; do
		kill "-${pair%:*}" "$INIT"
		await "got ${pair#*:}"
	done
	kill -64 "$INIT"
	finish
}

@test "-r: 0 drops" {
	begin "$DUMB_" -r 10:0 -r 28:0 "$PROBE" report 15
	await ready
	kill -USR1 "$INIT"
	kill -WINCH "$INIT"
	kill -TERM "$INIT"
	await "got 15"
	drained
	finish
	[ "$status" -eq 0 ]
}

@test "-r: to KILL: 137" {
	begin "$DUMB_" -r 15:9 "$PROBE" stubborn
	await ready
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 137 ]
}

@test "-r with -c" {
	begin "$DUMB_" -c -r 15:10 "$PROBE" report 10
	await ready
	kill -TERM "$INIT"
	await "got 10"
	finish
	[ "$status" -eq 0 ]
}

# ---- stopping ----

@test "TSTP, TTIN, TTOU stop the group and dumb-init; CONT continues both" {
	local sig child
	begin "$DUMB_" "$PROBE" report 15
	await ready
	child=$(only_child "$INIT")
	for sig in TSTP TTIN TTOU; do
		kill "-$sig" "$INIT"
		until_state "$INIT" T
		until_state "$child" T
		kill -CONT "$INIT"
		until_state "$INIT" RS
		until_state "$child" RS
		await "got 18"
	done
	kill -TERM "$INIT"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "-c: the command gets the signal itself, dumb-init stops" {
	local pair
	begin "$DUMB_" -c "$PROBE" report 15
	await ready
	for pair in TSTP:20 TTIN:21 TTOU:22; do
		kill "-${pair%:*}" "$INIT"
		await "got ${pair#*:}"
		until_state "$INIT" T
		kill -CONT "$INIT"
		await "got 18"
		until_state "$INIT" RS
	done
	kill -TERM "$INIT"
	await "got 15"
	finish
}

@test "rewriting them replaces the stop for the command, dumb-init stops all the same" {
	begin "$DUMB_" -r 20:1 -r 21:15 -r 22:0 "$PROBE" report 64
	await ready
	kill -TSTP "$INIT"
	await "got 1"
	until_state "$INIT" T
	kill -CONT "$INIT"
	await "got 18"
	kill -TTIN "$INIT"
	await "got 15"
	until_state "$INIT" T
	kill -CONT "$INIT"
	await "got 18"
	kill -TTOU "$INIT"
	until_state "$INIT" T
	kill -CONT "$INIT"
	await "got 18"
	kill -64 "$INIT"
	await "got 64"
	finish
}

# ---- what the command gets ----

@test "environment, directory, ids, umask, capabilities are the caller's" {
	run as_caller env -i A=1 B= "$DUMB_" "$PROBE" env
	is $'A=1\nB='
	run dumb "$PROBE" cwd
	is "$T"
	run as_caller /bin/sh -c 'umask 027; exec "$@"' - "$DUMB_" "$PROBE" umask
	is 0027
	run dumb "$PROBE" ids
	is "$(as_caller "$PROBE" ids)"
	run dumb "$PROBE" caps
	is "$(as_caller "$PROBE" caps)"
}

@test "descriptors of the caller reach the command" {
	run as_caller "$NB_BIN/starter" leak 20 22 "$DUMB_" "$PROBE" fds
	matches "20 21 22"
}

@test "signals 1 to 31 are unblocked and default in the command, whatever the caller did" {
	run as_caller setsid -w "$NB_BIN/starter" ignore "$DUMB_" "$PROBE" sigs
	lacks "^(ignored|caught) ([1-9]|[12][0-9]|3[01])$"
	matches "^blocked 0000000"
	run as_caller setsid -w "$NB_BIN/starter" block "$DUMB_" "$PROBE" sigs
	matches "^blocked 0000000[0-9a-f]80000000$|^blocked 0000000000000000$"
}

@test "two in a row with -c: the code and the signals go through" {
	begin "$DUMB_" -c "$DUMB_" -c "$PROBE" report 64
	each 1 10 15
	run dumb -c "$DUMB_" -c "$PROBE" exit 7
	exits 7
}
