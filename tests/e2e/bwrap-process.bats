#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: processes, sessions, signals, exit codes, who outlives whom.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

# starts ARGUMENT…: as mini, in the background.
starts() {
	start --ro-bind "$NB_BIN" "$NB_BIN" "$@"
}

only_child() {
	local all

	all=$(children "$1")
	[ "$(wc -w <<<"$all")" -eq 1 ] || { echo "children of $1: $all" >&2; return 1; }
	echo "${all// /}"
}

program_of() {
	basename "$(readlink "/proc/$1/exe")"
}

# ---- exit codes ----

@test "the command's own code" {
	local n words
	# shellcheck disable=SC2086 # words
	for words in "" "--unshare-pid" "--unshare-all" "--unshare-pid --as-pid-1" "--unshare-pid --die-with-parent --new-session"; do
		for n in 0 1 42 125 126 255; do
			run mini $words -- "$PROBE" exit "$n"
			exits "$n"
		done
	done
}

@test "128+N when signal N ended the command" {
	local n words
	# shellcheck disable=SC2086 # words
	for words in "" "--unshare-pid"; do
		for n in 1 9 11 15; do
			run mini $words -- "$PROBE" die "$n"
			exits "$((128 + n))"
		done
	done
}

@test "a command that cannot be executed: 1, and said so" {
	dies_exec "^bwrap: execvp /none: No such file or directory$" /none
	dies_exec "^bwrap: execvp none: No such file or directory$" none
	dies_exec "^bwrap: execvp $NB_BIN: Permission denied$" "$NB_BIN"
}

# dies_exec REGEX COMMAND
dies_exec() {
	run --separate-stderr mini -- "$2"
	dead "$1" || return 1
	run --separate-stderr mini --unshare-pid -- "$2"
	dead "$1" || return 1
	run --separate-stderr mini --unshare-pid --as-pid-1 -- "$2"
	dead "$1"
}

@test "a script without #! is executed by sh, as execvp does" {
	printf 'exit 9\n' >"$T/script"
	chmod 0755 "$T/script"
	run box --ro-bind "$T" "$T" -- "$T/script"
	exits 9
}

@test "a command by its name, along the PATH of the box" {
	run as_caller env "PATH=/none:$NB_BIN" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" -- probe exit 5
	exits 5
}

@test "the words of the command reach it, whatever they are" {
	run mini -- "$PROBE" args "" "a b" --help -- --version '$x'
	is "$(printf '[%s]\n' "$PROBE" args "" "a b" --help -- --version '$x')"
	run mini "$PROBE" args --bind
	says "[--bind]"
}

@test "-- ends the options, also before a command that begins with -" {
	cp "$PROBE" "$T/--odd"
	run mini --ro-bind "$T" /t --setenv PATH /t -- --odd exit 5
	exits 5
}

@test "--argv0" {
	newer 0.9
	run mini --argv0 other -- "$PROBE" args x
	is $'[other]\n[args]\n[x]'
	run mini --argv0 "" -- "$PROBE" args
	is $'[]\n[args]'
}

@test "--argv0: what is executed is the command's own name" {
	newer 0.9
	run mini --argv0 /none --setenv PATH "$NB_BIN" -- probe args
	says "[/none]"
	run --separate-stderr mini --argv0 other -- /none
	dead "^bwrap: execvp /none: No such file or directory$"
}

@test "--argv0 twice is refused" {
	newer 0.9
	dies "^bwrap: --argv0 used multiple times$" --argv0 a --argv0 b
}

# ---- which processes ----

@test "without --unshare-pid the command is bwrap's child" {
	starts -- "$PROBE" hold
	await ready
	[ "$(program_of "$(only_child "$LAUNCHER")")" = probe ]
}

@test "--unshare-pid: bwrap, PID 1, command, and nobody else" {
	starts --unshare-pid --unshare-user --unshare-net --unshare-ipc --dev /dev --proc /proc -- "$PROBE" hold
	await ready
	local init command
	init=$(only_child "$LAUNCHER")
	command=$(only_child "$init")
	[ "$(program_of "$command")" = probe ]
	[ -z "$(children "$command")" ]
	[[ $(status_of "$init" NSpid) =~ [[:space:]]1$ ]]
	[[ $(status_of "$command" NSpid) =~ [[:space:]]2$ ]]
}

@test "--unshare-pid: the command's numbers inside" {
	run mini --unshare-pid -- "$PROBE" session
	says "pid 2" "ppid 1"
}

@test "the command is in bwrap's process group and session" {
	local words
	# shellcheck disable=SC2086 # words
	for words in "" "--unshare-pid" "--unshare-pid --as-pid-1"; do
		starts $words -- "$PROBE" hold
		await ready
		local pid=$LAUNCHER
		while [ -n "$(children "$pid")" ]; do
			pid=$(only_child "$pid")
			[ "$(stat_of "$pid" 5)" = "$(stat_of "$LAUNCHER" 5)" ]
			[ "$(stat_of "$pid" 6)" = "$(stat_of "$LAUNCHER" 6)" ]
		done
		kill -KILL "$pid"
		finish
	done
}

@test "--new-session: another session, and bwrap stays in its own" {
	local words
	# shellcheck disable=SC2086 # words
	for words in "" "--unshare-pid" "--unshare-pid --as-pid-1"; do
		starts --new-session $words -- "$PROBE" hold
		await ready
		local pid=$LAUNCHER
		while [ -n "$(children "$pid")" ]; do pid=$(only_child "$pid"); done
		[ "$(stat_of "$pid" 6)" != "$(stat_of "$LAUNCHER" 6)" ]
		[ "$(stat_of "$pid" 5)" != "$(stat_of "$LAUNCHER" 5)" ]
		[ "$(stat_of "$LAUNCHER" 6)" = "$LAUNCHER" ]
		kill -KILL "$pid"
		finish
	done
}

@test "--new-session: no terminal" {
	need script
	run timeout -s KILL 30 script -qec "${CALLER[*]} $BW --ro-bind $NB_BIN $NB_BIN --dev-bind /dev /dev -- $PROBE session" /dev/null
	matches '^tty open'
	run timeout -s KILL 30 script -qec "${CALLER[*]} $BW --new-session --ro-bind $NB_BIN $NB_BIN --dev-bind /dev /dev -- $PROBE session" /dev/null
	matches '^tty No such device'
}

@test "--as-pid-1: the command is PID 1, bwrap's child" {
	run mini --unshare-pid --as-pid-1 -- "$PROBE" session
	says "pid 1" "ppid 0"
	starts --unshare-pid --as-pid-1 -- "$PROBE" stubborn
	await ready
	[ "$(program_of "$(only_child "$LAUNCHER")")" = probe ]
}

@test "--as-pid-1 with --argv0" {
	newer 0.9
	run mini --unshare-pid --as-pid-1 --argv0 name -- "$PROBE" args
	is $'[name]\n[args]'
}

@test "--as-pid-1: what it needs, and what it does not go with" {
	dies "^bwrap: Specifying --as-pid-1 requires --unshare-pid$" --as-pid-1
	dies "^bwrap: Specifying --as-pid-1 and --lock-file is not permitted$" --unshare-pid --as-pid-1 --lock-file /x
}

@test "orphans are reaped" {
	run mini --unshare-pid --proc /proc -- "$PROBE" orphans 20
	says "zombies 0" "processes 2"
}

@test "an orphan's parent is PID 1" {
	run mini --unshare-pid -- "$PROBE" adopt
	is "ppid 1"
}

# ---- signals ----

@test "TERM to bwrap ends bwrap: 143, and is not handed on" {
	local words command
	# shellcheck disable=SC2086 # words
	for words in "" "--unshare-pid"; do
		starts $words -- "$PROBE" report 10
		await ready
		command=$LAUNCHER
		while [ -n "$(children "$command")" ]; do command=$(only_child "$command"); done
		MINE+=("$command")
		kill -TERM "$LAUNCHER"
		finish
		[ "$status" -eq 143 ]
		# It lives, and the first thing that it hears of is ours.
		kill -USR1 "$command"
		await "got 10"
		drained
	done
}

@test "INT and HUP as well" {
	local sig
	for sig in INT:130 HUP:129; do
		starts --die-with-parent --unshare-pid -- "$PROBE" hold
		await ready
		kill "-${sig%:*}" "$LAUNCHER"
		finish
		[ "$status" -eq "${sig#*:}" ]
		drained
	done
}

@test "a signal to the command itself" {
	starts --unshare-pid -- "$PROBE" report 15
	await ready
	kill -USR1 "$(only_child "$(only_child "$LAUNCHER")")"
	await "got 10"
	kill -TERM "$(only_child "$(only_child "$LAUNCHER")")"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "STOP and CONT of the command's process group from outside" {
	starts --unshare-pid --new-session -- "$PROBE" report 15
	await ready
	local command
	command=$(only_child "$(only_child "$LAUNCHER")")
	kill -STOP -- "-$(stat_of "$command" 5)"
	timeout -s KILL 20 /bin/sh -c 'until grep -q "^State:.*T" /proc/$1/status; do :; done' - "$command"
	kill -CONT -- "-$(stat_of "$command" 5)"
	# CONT is reported, too, since the command takes every signal; it may come first.
	kill -TERM "$command"
	next
	[ "$line" = "got 18" ] && next
	[ "$line" = "got 15" ]
	finish
	[ "$status" -eq 0 ]
}

# ---- who outlives whom ----

@test "bwrap ends with its command; what the command left goes on" {
	mkfifo "$T/go"
	exec 6<>"$T/go"
	start --unshare-pid --ro-bind / / --dev /dev -- /bin/sh -c '{ read -r x; echo "heard $x"; } <&6 & exit 7'
	finish
	[ "$status" -eq 7 ]
	echo word >&6
	await "heard word"
	drained
	exec 6>&-
}

@test "without a PID namespace, too" {
	mkfifo "$T/go"
	exec 6<>"$T/go"
	start --ro-bind / / --dev /dev -- /bin/sh -c '{ read -r x; echo "heard $x"; } <&6 & exit 7'
	finish
	[ "$status" -eq 7 ]
	echo word >&6
	await "heard word"
	drained
	exec 6>&-
}

@test "--die-with-parent: with its command everything in the PID namespace ends" {
	starts --unshare-pid --die-with-parent -- "$PROBE" leave
	await left
	finish
	[ "$status" -eq 0 ]
	drained
}

@test "--as-pid-1: with the command everything in the PID namespace ends" {
	starts --unshare-pid --as-pid-1 -- "$PROBE" leave
	await left
	finish
	drained
}

# under ARGUMENT…: bwrap below a parent that stays until it is killed. PARENT and LAUNCHER.
under() {
	launch "$NB_BIN/starter" reset /bin/sh -c '"$@" & wait' - "$BW" --ro-bind "$NB_BIN" "$NB_BIN" "$@"
	PARENT=$LAUNCHER
	await ready
	LAUNCHER=$(only_child "$PARENT")
	MINE+=("$LAUNCHER")
}

@test "--die-with-parent: bwrap and all in the box end with bwrap's parent" {
	local words
	# shellcheck disable=SC2086 # words
	for words in "" "--unshare-pid" "--unshare-pid --as-pid-1" "--new-session --unshare-all"; do
		under --die-with-parent $words -- "$PROBE" stubborn
		kill -KILL "$PARENT"
		gone "$LAUNCHER"
		drained
	done
}

@test "--die-with-parent: KILL of bwrap itself" {
	local words
	# shellcheck disable=SC2086 # words
	for words in "" "--unshare-pid" "--unshare-pid --as-pid-1"; do
		starts --die-with-parent $words -- "$PROBE" stubborn
		await ready
		kill -KILL "$LAUNCHER"
		drained
	done
}

@test "without --die-with-parent bwrap outlives its parent" {
	under --unshare-pid -- "$PROBE" report 15
	kill -KILL "$PARENT"
	gone "$PARENT"
	local command
	command=$(only_child "$(only_child "$LAUNCHER")")
	kill -TERM "$command"
	await "got 15"
	drained
}

@test "a box that ends leaves nobody" {
	run as_caller "$NB_BIN/starter" after "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-all --dev /dev -- "$PROBE" exit 3
	exits 3
}

@test "a start that fails leaves nobody" {
	run as_caller "$NB_BIN/starter" after "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-all --chdir /none -- "$PROBE" hold
	exits 1
	run as_caller "$NB_BIN/starter" after "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-pid -- /none
	exits 1
}

@test "a caller that has children already" {
	# As after `sleep & exec bwrap`: the end of another child is none of the command's.
	run box -- /bin/true
	exits 0
	run as_caller /bin/sh -c '/bin/true & exec "$@"' - "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-pid -- "$PROBE" exit 5
	exits 5
	run as_caller /bin/sh -c 'exec 7<&0; { read -r x <&7; exit 9; } & exec "$@" <&-' - "$BW" --ro-bind / / --dev /dev -- \
		/bin/sh -c 'exit 5' <<<x
	exits 5
}
