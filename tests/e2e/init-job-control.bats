#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The inits at a real terminal: as what `docker run -it` starts, and as a job of an interactive shell.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/init

setup_file() {
	[ -x /usr/bin/python3 ] || skip "/usr/bin/python3 is not installed"
	nb_setup_file
	init_setup_file
	cp "$NB_TREE/tests/lib/terminal.py" "$NB_DIR/bin/"
}

# tty SCENARIO COMMAND…
tty() {
	local scenario=$1

	shift
	run timeout -k 10 60 /usr/bin/python3 "$NB_BIN/terminal.py" "$scenario" "${CALLER[@]}" "$@" 3>&-
}

# job SCENARIO INIT COMMAND…: typed at an interactive bash.
job() {
	local scenario=$1

	shift
	tty "$scenario" bash --norc --noprofile -i --tty-shell "$@"
}

# A shell changes the terminal's mode; what is typed before the program reads may be lost.
cat_when_ready() {
	printf '#!/bin/sh\necho ready\nexec cat\n' >"$T/cat"
	chmod 0755 "$T/cat"
}

NATIVE=(--init-only --)

# ---- the leader of the terminal's session ----

@test "--init-only: the command is the foreground group; ^C ends it: 130" {
	native
	tty init_foreground "$NB" "${NATIVE[@]}" "$PROBE" hold
	is $'command in front True\nown group True\nstatus 130'
}

@test "tini: the command is the foreground group; ^C ends it: 130" {
	tty init_foreground "$TINI_" -s -- "$PROBE" hold
	is $'command in front True\nown group True\nstatus 130'
}

@test "catatonit: the command is the foreground group; ^C ends it: 130" {
	tty init_foreground "$CATA_" -- "$PROBE" hold
	is $'command in front True\nown group True\nstatus 130'
}

@test "dumb-init: the command is the foreground group; ^C ends it: 130" {
	tty init_foreground "$DUMB_" "$PROBE" hold
	is $'command in front True\nown group True\nstatus 130'
}

@test "^C reaches the command once: --init-only" {
	native
	tty interrupt "$NB" "${NATIVE[@]}" "$PROBE" report 15
	is $'got 2\ngot 15\nstatus 0'
}

@test "^C reaches the command once: tini" {
	tty interrupt "$TINI_" -s -- "$PROBE" report 15
	is $'got 2\ngot 15\nstatus 0'
}

@test "^C reaches the command once: dumb-init, catatonit" {
	tty interrupt "$DUMB_" "$PROBE" report 15
	is $'got 2\ngot 15\nstatus 0'
	tty interrupt "$CATA_" -- "$PROBE" report 15
	is $'got 2\ngot 15\nstatus 0'
}

@test "^\\ reaches the command once: all" {
	if under_test nestbox; then
		tty quit "$NB" "${NATIVE[@]}" "$PROBE" report 15
		is $'got 3\ngot 15\nstatus 0'
	fi
	tty quit "$TINI_" -s -- "$PROBE" report 15
	is $'got 3\ngot 15\nstatus 0'
	tty quit "$DUMB_" "$PROBE" report 15
	is $'got 3\ngot 15\nstatus 0'
}

# sees_tty COMMAND…: it opens /dev/tty.
sees_tty() {
	tty plain "$@" "$PROBE" session
	says "tty open" "status 0"
}

@test "the command has the controlling terminal" {
	! under_test nestbox || sees_tty "$NB" "${NATIVE[@]}"
	sees_tty "$TINI_" -s --
	sees_tty "$DUMB_"
	sees_tty "$DUMB_" -c
	sees_tty "$CATA_" --
}

@test "dumb-init: the command leads a new session that has the terminal" {
	tty plain "$DUMB_" "$PROBE" session
	[ "$(sed -n 's/^pid //p' <<<"$output")" = "$(sed -n 's/^sid //p' <<<"$output")" ]
	says "tty open"
}

@test "dumb-init: the HUP and CONT of its giving the terminal up are not forwarded, later ones are" {
	tty init_handoff "$DUMB_" -v "$PROBE" report 15
	is $'ignored\nforwarded\nstatus 0'
}

@test "the command reads from the terminal" {
	if under_test nestbox; then
		tty type "$NB" "${NATIVE[@]}" /bin/cat
		is "status 0"
	fi
	tty type "$TINI_" -s -- /bin/cat
	is "status 0"
	tty type "$DUMB_" /bin/cat
	is "status 0"
	tty type "$CATA_" -- /bin/cat
	is "status 0"
}

# A shell that can do job control has 'm' in $-; else it complains.
job_shell() {
	tty plain "$@" bash --norc --noprofile -i -c 'case $- in *m*) echo with;; *) echo without;; esac'
	says "with" "status 0"
	lacks "no job control"
}

@test "a shell inside has job control" {
	! under_test nestbox || job_shell "$NB" "${NATIVE[@]}"
	job_shell "$TINI_" -s --
	job_shell "$DUMB_"
	job_shell "$CATA_" --
}

@test "the terminal is lost: command and init end" {
	local words
	for words in "$NB --init-only --" "$TINI_ -s --" "$DUMB_" "$CATA_ --"; do
		[[ $words != *nestbox* ]] || under_test nestbox || continue
		# shellcheck disable=SC2086
		tty init_hangup $words "$PROBE" hold
		matches "^status (129|-1)$"
		says "child gone True"
	done
}

@test "the window's size: WINCH reaches the command, and it sees the new size: --init-only" {
	native
	tty init_winsize "$NB" "${NATIVE[@]}" "$PROBE" winsize
	is $'size 33 77\nsize 44 99\nstatus 15'
}

@test "the window's size: WINCH reaches the command, and it sees the new size: tini, dumb-init, catatonit" {
	tty init_winsize "$TINI_" -s -- "$PROBE" winsize
	is $'size 33 77\nsize 44 99\nstatus 15'
	tty init_winsize "$DUMB_" "$PROBE" winsize
	is $'size 33 77\nsize 44 99\nstatus 15'
	tty init_winsize "$CATA_" -- "$PROBE" winsize
	is $'size 33 77\nsize 44 99\nstatus 15'
}

# ---- a job of a shell ----

JOBS=$'stopped True True\nshell has the terminal True\nruns True True\nstopped True True\nshell has the terminal True\nruns True True\ncode 130'

@test "^Z stops, fg continues, ^C ends: --init-only" {
	native
	job init_jobs "$NB" "${NATIVE[@]}" "$PROBE" hold
	is "$JOBS"
}

@test "^Z stops, fg continues, ^C ends: tini" {
	# The original does not stop with its command, so the shell never has its terminal back.
	better TINI
	job init_jobs "$TINI_" -s -- "$PROBE" hold
	is "$JOBS"
}

@test "^Z stops, fg continues, ^C ends: dumb-init" {
	job init_jobs "$DUMB_" "$PROBE" hold
	is "$JOBS"
}

@test "^Z stops, fg continues, ^C ends: dumb-init -c" {
	job init_jobs "$DUMB_" -c "$PROBE" hold
	is "$JOBS"
}

@test "^Z stops, fg continues, ^C ends: catatonit" {
	better CATATONIT
	job init_jobs "$CATA_" -- "$PROBE" hold
	is "$JOBS"
}

@test "^Z and bg: it runs on in the background: --init-only" {
	native
	job init_bg "$NB" "${NATIVE[@]}" "$PROBE" hold
	is $'runs True True\nshell has the terminal True\ncode 143\nchild gone True'
}

@test "^Z and bg: it runs on in the background: tini" {
	better TINI
	job init_bg "$TINI_" -s -- "$PROBE" hold
	is $'runs True True\nshell has the terminal True\ncode 143\nchild gone True'
}

@test "^Z and bg: it runs on in the background: dumb-init" {
	job init_bg "$DUMB_" "$PROBE" hold
	is $'runs True True\nshell has the terminal True\ncode 143\nchild gone True'
}

@test "the command reads before ^Z and after fg: --init-only" {
	native
	cat_when_ready
	job init_read "$NB" "${NATIVE[@]}" "$T/cat"
	is $'read one\nread two\ncode 0'
}

@test "the command reads before ^Z and after fg: tini" {
	better TINI
	cat_when_ready
	job init_read "$TINI_" -s -- "$T/cat"
	is $'read one\nread two\ncode 0'
}

@test "reading in the background stops the job (TTIN), fg lets it read: --init-only" {
	native
	cat_when_ready
	job init_ttin "$NB" "${NATIVE[@]}" "$T/cat"
	is $'stopped True True\nshell has the terminal True\nread one\ncode 0'
}

@test "reading in the background stops the job (TTIN), fg lets it read: tini" {
	# The original takes the terminal from the shell.
	better TINI
	cat_when_ready
	job init_ttin "$TINI_" -s -- "$T/cat"
	is $'stopped True True\nshell has the terminal True\nread one\ncode 0'
}

@test "reading in the background stops the job (TTIN), fg lets it read: catatonit" {
	better CATATONIT
	cat_when_ready
	job init_ttin "$CATA_" -- "$T/cat"
	is $'stopped True True\nshell has the terminal True\nread one\ncode 0'
}

@test "writing in the background under tostop stops the job (TTOU), fg lets it write: --init-only" {
	native
	job init_ttou "$NB" "${NATIVE[@]}" /bin/echo "writ''ten"
	is $'stopped True True\nshell has the terminal True\nwritten\ncode 0'
}

@test "writing in the background under tostop stops the job (TTOU), fg lets it write: tini" {
	better TINI
	job init_ttou "$TINI_" -s -- /bin/echo "writ''ten"
	is $'stopped True True\nshell has the terminal True\nwritten\ncode 0'
}

@test "afterwards the shell has its terminal: --init-only" {
	native
	job init_after "$NB" "${NATIVE[@]}" "$PROBE" exit 5
	is $'code 5\nback'
}

@test "afterwards the shell has its terminal: tini, dumb-init, catatonit" {
	job init_after "$TINI_" -s -- "$PROBE" exit 5
	is $'code 5\nback'
	job init_after "$DUMB_" "$PROBE" exit 5
	is $'code 5\nback'
	job init_after "$CATA_" -- "$PROBE" exit 5
	is $'code 5\nback'
}

@test "a script without job control reads on after the init" {
	native
	cat_when_ready
	tty back /bin/sh -c '"$@"; read -r x && echo "back=$x"' - "$NB" "${NATIVE[@]}" "$T/cat"
	is "back"
}

@test "a script without job control reads on after tini, catatonit" {
	# The originals leave the terminal with a group that is gone.
	better TINI
	better CATATONIT
	cat_when_ready
	tty back /bin/sh -c '"$@"; read -r x && echo "back=$x"' - "$TINI_" -s -- "$T/cat"
	is "back"
	tty back /bin/sh -c '"$@"; read -r x && echo "back=$x"' - "$CATA_" -- "$T/cat"
	is "back"
}

@test "a pipeline whose other member needs the terminal: --init-only" {
	native
	job pipeline "$NB" "${NATIVE[@]}" "$PROBE" hold
	is $'key x\ncode 130'
}

@test "the window's size as a job of a shell: --init-only" {
	native
	job init_winsize_job "$NB" "${NATIVE[@]}" "$PROBE" winsize
	is $'size 33 77\ncode 15'
}

@test "no terminal: nothing is said about it" {
	local words
	for words in "$NB --init-only --" "$TINI_ -s --" "$DUMB_" "$CATA_ --"; do
		[[ $words != *nestbox* ]] || under_test nestbox || continue
		# shellcheck disable=SC2086
		run --separate-stderr as_caller setsid -w $words "$PROBE" exit 7 </dev/null
		exits 7
		[ -z "$stderr" ]
	done
}
