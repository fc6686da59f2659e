#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nestbox as tini and docker-init: options, environment, messages, exit codes, processes, signals.
# TINI=/usr/bin/tini runs the same against the original.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/init

# tini ARGUMENT…: -s, so that there is no warning about the subreaper.
tini() {
	as_caller "$TINI_" -s "$@"
}

WARNING='Tini is not running as PID 1 and isn'\''t registered as a child subreaper.'

# ---- the command line ----

@test "--version, alone: one line that begins 'tini version', on stdout" {
	run --separate-stderr as_caller "$TINI_" --version
	exits 0
	[[ $output == "tini version "* ]]
	[ "${#lines[@]}" -eq 1 ]
	[ -z "$stderr" ]
}

@test "--version and more words is a bad option: 1" {
	run --separate-stderr as_caller "$TINI_" --version x
	exits 1
	[ -z "$output" ]
	[[ $stderr == *"invalid option -- '-'"* ]]
}

@test "-h: the help on stdout, exit 0; the first line has the version" {
	run --separate-stderr as_caller "$TINI_" -h
	exits 0
	[ -z "$stderr" ]
	[[ ${lines[0]} == "tini (tini version "*")" ]]
	says "Usage: tini [OPTIONS] PROGRAM -- [ARGS] | --version" \
		"Execute a program under the supervision of a valid init process (tini)"
}

@test "-h: the list of options" {
	run as_caller "$TINI_" -h
	[ "$(sed -n '/^Command line options:/,/^Environment/p' <<<"$output")" = 'Command line options:

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper (requires Linux >= 3.4).
  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. "-p SIGKILL".
  -v: Generate more verbose output. Repeat up to 3 times.
  -w: Print a warning when processes are getting reaped.
  -g: Send signals to the child'\''s process group.
  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.
  -l: Show license and exit.

Environment variables:' ]
}

@test "-h: the environment variables, verbosity with its default" {
	run as_caller "$TINI_" -h
	[ "$(sed -n '/^Environment variables:/,$p' <<<"$output")" = 'Environment variables:

  TINI_SUBREAPER: Register as a process subreaper (requires Linux >= 3.4).
  TINI_VERBOSITY: Set the verbosity level (default: 1).
  TINI_KILL_PROCESS_GROUP: Send signals to the child'\''s process group.' ]
}

@test "-h: the program's own name, not its path" {
	cp "$TINI_" "$T/docker-init"
	give "$T/docker-init"
	run as_caller "$T/docker-init" -h
	exits 0
	[[ ${lines[0]} == "docker-init (tini version "*")" ]]
	says "Usage: docker-init [OPTIONS] PROGRAM -- [ARGS] | --version"
}

@test "-h after others counts, too: -svh" {
	run as_caller "$TINI_" -svh
	exits 0
	matches "^Usage: tini "
}

@test "-l: the licence on stdout, exit 0" {
	run --separate-stderr as_caller "$TINI_" -l
	exits 0
	[ -n "$output" ]
	[ -z "$stderr" ]
}

@test "no command: the help on stderr, exit 1; the same behind --" {
	local words
	for words in "" "--" "-s" "-s --"; do
		# shellcheck disable=SC2086 # a list of words
		run --separate-stderr as_caller "$TINI_" $words
		exits 1
		[ -z "$output" ]
		[[ $stderr == *"Usage: tini [OPTIONS] PROGRAM -- [ARGS] | --version"* ]]
	done
}

@test "unknown option: its name and the help on stderr, exit 1, nothing is started" {
	run --separate-stderr as_caller "$TINI_" -x -- "$TRY" put "$T/marker"
	exits 1
	[[ $stderr == *"invalid option -- 'x'"*"Usage: tini "* ]]
	[ ! -e "$T/marker" ]
}

@test "an option without its argument: exit 1" {
	local option
	for option in p e; do
		run --separate-stderr as_caller "$TINI_" "-$option"
		exits 1
		[[ $stderr == *"option requires an argument -- '$option'"*"Usage: tini "* ]]
	done
}

@test "behind -- everything is the command's" {
	run tini -- "$PROBE" args -g --version -- -x
	is $'['"$PROBE"$']\n[args]\n[-g]\n[--version]\n[--]\n[-x]'
}

@test "options end at the command, without -- too" {
	# The original looks for options behind the command unless POSIXLY_CORRECT is set.
	better TINI
	run tini "$PROBE" args -g -x
	is $'['"$PROBE"$']\n[args]\n[-g]\n[-x]'
}

@test "options end at the command, without -- too, for POSIXLY_CORRECT" {
	run as_caller env POSIXLY_CORRECT=1 "$TINI_" -s "$PROBE" args -g -x
	is $'['"$PROBE"$']\n[args]\n[-g]\n[-x]'
}

@test "arguments are handed on as they are: empty, blanks, bytes" {
	run tini -- "$PROBE" args "" "a b" $'\n' $'\xff'
	is $'['"$PROBE"$']\n[args]\n[]\n[a b]\n[\n]\n[\xff]'
}

@test "docker-init -- COMMAND, as Docker starts it" {
	mkdir "$T/sbin"
	cp "$TINI_" "$T/sbin/docker-init"
	give "$T/sbin"
	run as_caller "$CELL" "$T/sbin/docker-init" -- "$PROBE" exit 7
	exits 7
	is ""
	run as_caller "$T/sbin/docker-init" --version
	exits 0
	[[ $output == "tini version "* ]]
}

# ---- exit codes ----

@test "the command's code" {
	local code
	for code in 0 1 2 124 125 126 128 255; do
		run tini -- "$PROBE" exit "$code"
		exits "$code"
		is ""
	done
	run -127 tini -- "$PROBE" exit 127
	is ""
}

@test "128 and the signal's number" {
	local sig
	for sig in 1 2 3 6 9 11 13 15 31 34 64; do
		run tini -- "$PROBE" die "$sig"
		exits $((128 + sig))
	done
}

@test "127 when the command is not there, with the reason" {
	local name
	for name in /nope nope ""; do
		run -127 --separate-stderr as_caller env PATH=/usr/bin:/bin "$TINI_" -s -- "$name"
		[[ $stderr =~ ^'[FATAL tini ('[0-9]+')] exec '"$name"' failed: No such file or directory'$ ]]
	done
}

@test "126 when it may not be executed" {
	touch "$T/plain"
	give "$T/plain"
	run --separate-stderr tini -- "$T/plain"
	exits 126
	[[ $stderr =~ ^'[FATAL tini ('[0-9]+')] exec '$T'/plain failed: Permission denied'$ ]]
	run tini -- "$T"
	exits 126
}

@test "1 when it cannot be executed for another reason" {
	echo nonsense >"$T/nonsense"
	chmod 0755 "$T/nonsense"
	give "$T/nonsense"
	run --separate-stderr tini -- "$T/nonsense/below"
	exits 1
	[[ $stderr == *"failed: Not a directory" ]]
}

@test "the command is looked up in the caller's PATH" {
	run as_caller env PATH="/nowhere:$NB_BIN" "$TINI_" -s -- probe exit 7
	exits 7
}

# ---- -e ----

@test "-e: that code becomes 0, no other does" {
	run tini -e 3 -- "$PROBE" exit 3
	exits 0
	run tini -e 3 -- "$PROBE" exit 4
	exits 4
}

@test "-e: repeated, each counts; also attached" {
	local code
	for code in 1 143 255; do
		run tini -e 1 -e143 -e 255 -- "$PROBE" exit "$code"
		exits 0
	done
	run tini -e 1 -e143 -e 255 -- "$PROBE" exit 2
	exits 2
}

@test "-e: for signals, too: 143" {
	run tini -e 143 -- "$PROBE" die 15
	exits 0
}

@test "-e: every code there is" {
	local code all=()
	for code in {0..255}; do
		all+=(-e "$code")
	done
	run tini "${all[@]}" -- "$PROBE" exit 255
	exits 0
	run tini "${all[@]}" -- "$PROBE" exit 1
	exits 0
}

@test "-e: 0 to 255 and nothing else; exit 1 and one line" {
	local bad
	for bad in 256 -1 x 3x 99999999999999999999; do
		run --separate-stderr tini -e "$bad" -- "$TRY" put "$T/marker"
		exits 1
		[[ $stderr =~ ^'[FATAL tini ('[0-9]+')] Not a valid option for -e: '"$bad"$ ]]
		[ ! -e "$T/marker" ]
	done
}

@test "-e: with 127 a missing command is a success" {
	run tini -e 127 -- /nope
	exits 0
}

# ---- verbosity ----

@test "quiet by default, apart from the warning about the subreaper" {
	run --separate-stderr as_caller "$TINI_" -- "$PROBE" exit 0
	exits 0
	is ""
	[ "${#stderr_lines[@]}" -eq 3 ]
	[[ ${stderr_lines[0]} =~ ^'[WARN  tini ('[0-9]+')] '"$WARNING"$ ]]
	[ "${stderr_lines[1]}" = "Zombie processes will not be re-parented to Tini, so zombie reaping won't work." ]
	[ "${stderr_lines[2]}" = "To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a child subreaper, or run Tini as PID 1." ]
}

@test "no warning with -s, as PID 1, under a name of Docker's" {
	run tini -- "$PROBE" exit 0
	is ""
	run as_caller "$CELL" "$TINI_" -- "$PROBE" exit 0
	exits 0
	is ""
}

@test "TINI_VERBOSITY=0: no warning, but errors" {
	run --separate-stderr as_caller env TINI_VERBOSITY=0 "$TINI_" -- "$PROBE" exit 0
	exits 0
	[ -z "$stderr" ]
	run -127 --separate-stderr as_caller env TINI_VERBOSITY=0 "$TINI_" -- /nope
	[[ $stderr =~ ^'[FATAL tini ('[0-9]+')] exec /nope failed: No such file or directory'$ ]]
}

# messages LINE…: stdout of the last run, process numbers made N. The original's command process has a word
# about the terminal, which is lost where stdout is a pipe.
messages() {
	[ "$(sed -E "/tcsetpgrp failed: no tty/d; s/tini \([0-9]+\)/tini (N)/; s/pid[=:]? ?'[0-9]+'/pid 'N'/; s/pid: '[0-9]+'/pid 'N'/" <<<"$output")" = "$(printf '%s\n' "$@")" ] || {
		echo "$output" >&2
		return 1
	}
}

@test "-v: start and end of the command, on stdout" {
	run --separate-stderr tini -v -- "$PROBE" exit 3
	exits 3
	messages "[INFO  tini (N)] Spawned child process '$PROBE' with pid 'N'" \
		"[INFO  tini (N)] Main child exited normally (with status '3')"
	[ -z "$stderr" ]
}

@test "-vv: and what happens to it" {
	run --separate-stderr tini -vv -- "$PROBE" exit 0
	messages "[INFO  tini (N)] Spawned child process '$PROBE' with pid 'N'" \
		"[DEBUG tini (N)] Received SIGCHLD" \
		"[DEBUG tini (N)] Reaped child with pid 'N'" \
		"[INFO  tini (N)] Main child exited normally (with status '0')"
}

@test "-vvv: and every step" {
	run --separate-stderr as_caller "$TINI_" -s -v -v -v -- "$PROBE" exit 0
	messages "[TRACE tini (N)] Registered as child subreaper" \
		"[INFO  tini (N)] Spawned child process '$PROBE' with pid 'N'" \
		"[DEBUG tini (N)] Received SIGCHLD" \
		"[DEBUG tini (N)] Reaped child with pid 'N'" \
		"[INFO  tini (N)] Main child exited normally (with status '0')" \
		"[TRACE tini (N)] No child to wait" \
		"[TRACE tini (N)] Exiting: child has exited"
}

@test "-v: a signal's end is told by its name" {
	run --separate-stderr tini -v -- "$PROBE" die 9
	exits 137
	[[ ${lines[1]} =~ "Main child exited with signal (with signal '"[Kk]illed"')"$ ]]
}

@test "-vv: a forwarded signal is told" {
	begin "$TINI_" -s -vv -- "$PROBE" report 15
	# The original's lines may come late: a pipe makes its stdio keep them.
	while next && [ "$line" != ready ]; do :; done
	kill -USR1 "$INIT"
	while next && [ "$line" != "got 10" ]; do output+=$line$'\n'; done
	kill -TERM "$INIT"
	while next; do output+=$line$'\n'; done
	finish
	[ "$status" -eq 0 ]
	says "[DEBUG tini ($INIT)] Passing signal: 'User defined signal 1'" \
		"[DEBUG tini ($INIT)] Passing signal: 'Terminated'"
}

@test "TINI_VERBOSITY is the level, whatever -v says" {
	run --separate-stderr as_caller env TINI_VERBOSITY=2 "$TINI_" -s -vvv -- "$PROBE" exit 0
	messages "[INFO  tini (N)] Spawned child process '$PROBE' with pid 'N'" \
		"[INFO  tini (N)] Main child exited normally (with status '0')"
	run --separate-stderr as_caller env TINI_VERBOSITY=3 "$TINI_" -s -- "$PROBE" exit 0
	matches "Received SIGCHLD"
	lacks "TRACE"
}

@test "TINI_VERBOSITY that is no number, or empty, is 0" {
	local value
	for value in "" x; do
		run --separate-stderr as_caller env TINI_VERBOSITY="$value" "$TINI_" -v -- "$PROBE" exit 0
		exits 0
		is ""
		[ -z "$stderr" ]
	done
}

# ---- -s and zombies ----

@test "one child, in a process group of its own, in the caller's session" {
	begin "$TINI_" -s -- "$PROBE" report 15
	await ready
	local child
	child=$(only_child "$INIT")
	[ "$(ps -o pgid= -p "$child" | tr -d ' ')" = "$child" ]
	[ "$(ps -o sid= -p "$child")" = "$(ps -o sid= -p "$INIT")" ]
	[ "$(children "$child")" = "" ]
	kill -TERM "$INIT"
	finish
}

@test "the process is named tini" {
	begin "$TINI_" -s -- "$PROBE" report 15
	await ready
	[ "$(<"/proc/$INIT/comm")" = tini ]
	kill -TERM "$INIT"
	finish
}

@test "-s adopts orphans" {
	begin "$TINI_" -s -- "$PROBE" adopt
	await "ppid $INIT"
	finish
	[ "$status" -eq 0 ]
}

@test "TINI_SUBREAPER adopts, whatever its value" {
	local value
	for value in "" 0 1; do
		begin env TINI_SUBREAPER="$value" "$TINI_" -- "$PROBE" adopt
		await "ppid $INIT"
		finish
		[ "$(<"$T/err")" = "" ]
	done
}

@test "without -s, not as PID 1, orphans go elsewhere" {
	begin "$TINI_" -- "$PROBE" adopt
	next
	[[ $line == "ppid "* ]]
	[ "$line" != "ppid $INIT" ]
	finish
}

@test "zombies of grandchildren are reaped while the command runs" {
	begin "$TINI_" -s -- "$PROBE" litter 50 15
	await ready
	until_children "$INIT" 1
	kill -TERM "$INIT"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "as PID 1: a thousand orphans, no zombie" {
	run as_caller "$CELL" -p "$TINI_" -- "$PROBE" orphans 1000
	exits 0
	says "made 1000" "zombies 0" "processes 2"
}

@test "-w: a line for each that is reaped, but the command" {
	run --separate-stderr as_caller "$CELL" -p "$TINI_" -w -- "$PROBE" orphans 3
	exits 0
	[ "${#stderr_lines[@]}" -eq 3 ]
	[[ ${stderr_lines[2]} =~ ^'[WARN  tini (1)] Reaped zombie process with pid='[0-9]+$ ]]
}

@test "-w: nothing for the command itself; nothing at verbosity 0" {
	run --separate-stderr tini -w -- "$PROBE" exit 0
	[ -z "$stderr" ]
	run --separate-stderr as_caller env TINI_VERBOSITY=0 "$CELL" -p "$TINI_" -w -- "$PROBE" orphans 3
	exits 0
	[ -z "$stderr" ]
}

# ---- when the command ends ----

@test "background children are left alone with -s, the code is the command's" {
	local mode
	for mode in "" group session; do
		# shellcheck disable=SC2086
		begin "$TINI_" -s -- "$PROBE" heir 64 5 $mode
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
	done
}

@test "as PID 1 nobody outlives it" {
	begin_first -- "$TINI_" -- "$PROBE" heir 64 5 session
	next
	finish
	[ "$status" -eq 5 ]
	drained
}

# ---- signals ----

# 17 is tini's own. 21 and 22 are ignored by the original, 4 5 6 7 8 11 31 end it (they are for faults).
@test "forwarded once: every signal that the original forwards" {
	begin "$TINI_" -s -- "$PROBE" report 64
	each 1 2 3 10 12 13 14 15 16 18 20 23 24 25 26 27 28 29 30
}

@test "forwarded once: the real-time signals" {
	begin "$TINI_" -s -- "$PROBE" report 64
	# shellcheck disable=SC2046
	each $(seq 34 63)
}

@test "as PID 1: faults, TTIN and TTOU, and libc's own signals, from outside, do not end it" {
	need_static # the sanitizers handle faults themselves
	local sig
	begin_first -- "$TINI_" -- "$PROBE" report 15
	await ready
	first
	for sig in 4 5 6 7 8 11 21 22 31 32 33; do
		kill "-$sig" "$INIT"
	done
	kill -TERM "$INIT"
	while next && [ "$line" != "got 15" ]; do :; done
	finish
	[ "$status" -eq 0 ]
}

@test "to the child alone" {
	begin "$TINI_" -s -- "$PROBE" family 15
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
	begin "$TINI_" -s -g -- "$PROBE" family 64
	await ready
	kill -USR1 "$INIT"
	in_any_order "parent got 10" "child got 10"
	kill -TERM "$INIT"
	in_any_order "parent got 15" "child got 15"
	kill -KILL "$(only_child "$INIT")"
	finish
	[ "$status" -eq 137 ]
}

@test "TINI_KILL_PROCESS_GROUP: the same, whatever its value" {
	local value
	for value in "" 0; do
		begin env TINI_KILL_PROCESS_GROUP="$value" "$TINI_" -s -- "$PROBE" family 64
		await ready
		kill -USR1 "$INIT"
		in_any_order "parent got 10" "child got 10"
		kill -KILL "$(only_child "$INIT")"
		finish
	done
}

@test "TERM ends a command without a handler: 143; INT: 130" {
	local sig
	for sig in 2 15; do
		begin "$TINI_" -s -- "$PROBE" hold
		await ready
		kill "-$sig" "$INIT"
		finish
		[ "$status" -eq $((128 + sig)) ]
		drained
	done
}

@test "as PID 1: TERM from outside ends a command without a handler: 143" {
	begin_first -- "$TINI_" -- "$PROBE" hold
	await ready
	first
	kill -TERM "$INIT"
	finish
	[ "$status" -eq 143 ]
}

@test "the command keeps the caller's ignored and blocked signals: nohup works" {
	# SIGCHLD apart, and those that the originals' libc hides.
	run as_caller setsid -w "$NB_BIN/starter" block "$TINI_" -s -- "$PROBE" sigs
	matches "^blocked ff"
	# TERM ignored, as by trap or nohup.
	run as_caller /bin/sh -c 'trap "" HUP TERM; exec "$@"' - "$TINI_" -s -- "$PROBE" sigs
	says "ignored 1" "ignored 15"
	# What starts us may ignore the signals that its libc keeps to itself, as make does.
	run as_caller "$NB_BIN/starter" reset "$TINI_" -s -- "$PROBE" sigs
	is "blocked 0000000000000000"
}

# ---- -p ----

# orphaned SIGNAL OPTION…: the parent of tini is killed; what comes then is in the test's hands.
orphaned() {
	launch "$NB_BIN/starter" reset /bin/sh -c '"$@" & wait' - "$TINI_" -s "$@"
}

@test "-p: the signal comes when the parent dies, and is forwarded" {
	orphaned -p SIGUSR1 -- "$PROBE" report 15
	await ready
	INIT=$(only_child "$LAUNCHER")
	MINE+=("$INIT")
	kill -KILL "$LAUNCHER"
	await "got 10"
	kill -TERM "$INIT"
	await "got 15"
	drained
}

@test "-p SIGTERM: the command ends with the parent" {
	orphaned -p SIGTERM -- "$PROBE" hold
	await ready
	MINE+=("$(only_child "$LAUNCHER")")
	kill -KILL "$LAUNCHER"
	drained
}

@test "-p: every name it knows, by the name with SIG only" {
	local name
	for name in SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 \
		SIGPIPE SIGALRM SIGTERM SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ \
		SIGVTALRM SIGPROF SIGWINCH SIGSYS; do
		run tini -p "$name" -- "$PROBE" exit 3
		exits 3
	done
}

@test "-p: bad names: exit 1 and one line" {
	local bad
	for bad in FOO SIGFOO sigterm "" -1 0 65; do
		run --separate-stderr tini -p "$bad" -- "$TRY" put "$T/marker"
		exits 1
		[[ $stderr == "[FATAL tini ("*")] Not a valid option for -p:"*"$bad" ]]
		[ ! -e "$T/marker" ]
	done
}

# ---- what the command gets ----

@test "environment, directory, descriptors, ids, umask are the caller's" {
	cd "$T"
	run as_caller env -i A=1 B= "$TINI_" -s -- "$PROBE" env
	is $'A=1\nB='
	run tini -- "$PROBE" cwd
	is "$T"
	run as_caller /bin/sh -c 'umask 027; exec "$@"' - "$TINI_" -s -- "$PROBE" umask
	is 0027
	run tini -- "$PROBE" ids
	is "$(as_caller "$PROBE" ids)"
	run tini -- "$PROBE" caps
	is "$(as_caller "$PROBE" caps)"
}

@test "descriptors of the caller reach the command" {
	run as_caller "$NB_BIN/starter" leak 20 22 "$TINI_" -s -- "$PROBE" fds
	matches "20 21 22"
}

@test "two in a row: each has one child, the code and the signals go through" {
	begin "$TINI_" -s -- "$TINI_" -s -- "$PROBE" report 64
	each 1 10 15
	run tini -- "$TINI_" -s -- "$PROBE" exit 7
	exits 7
}
