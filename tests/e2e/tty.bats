#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --tty: a terminal of the box's own, and what the launcher carries between that and the caller.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of the boxes, variables shared with run
load ../lib/common

setup_file() {
	[ -x /usr/bin/python3 ] || skip "/usr/bin/python3 is not installed"
	nb_setup_file
	cp "$NB_TREE"/tests/lib/{terminal,relay}.py "$NB_DIR/bin/"
	chmod 0644 "$NB_DIR"/bin/*.py
}

setup() {
	nb_setup
	SYSTEM=(-x /usr -r /etc)
	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || SYSTEM+=(-x "$dir")
	done
	BOX=("$NB" --tty "${SYSTEM[@]}" -x "$NB_BIN")
}

# relay SCENARIO ARGUMENT…: the caller's own terminal, opened by itself.
relay() {
	run as_caller /usr/bin/python3 -B "$NB_BIN/relay.py" "$@"
}

# lent SCENARIO COMMAND…: the terminal is somebody else's, as behind su(1): only root can do that.
lent() {
	need_root "to be somebody else"
	run timeout -s KILL 60 /usr/bin/python3 -B "$NB_BIN/relay.py" "$1" "${CALLER[@]}" "${@:2}"
}

HOLD='echo ready; exec sleep 1000'

# ---- what is in the box ----

@test "standard input, output, error, /dev/tty and /dev/console are one terminal of the box's devpts" {
	relay show "${BOX[@]}" -- sh -c 'tty; tty <&1; tty <&2; echo written >/dev/tty
		readlink -f /dev/console; ls -1 /dev/pts; exit 3'
	is $'/dev/pts/0\n/dev/pts/0\n/dev/pts/0\nwritten\n/dev/pts/0\n0\nptmx\nstatus 3\nterminal unchanged True'
}

@test "the command leads a session of its own, has the terminal as its controlling one, and its foreground" {
	relay show "${BOX[@]}" -- sh -c 'read -r pid _ _ _ group session tty front _ </proc/self/stat
		echo $((session == $$)) $((group == $$)) $((tty != 0)) $((front == $$))'
	says "1 1 1 1" "status 0"
}

@test "the same without a process 1 beside the command" {
	relay show "${BOX[@]}" --as-pid-1 -- sh -c 'tty; cut -d" " -f 5,6,8 /proc/self/stat'
	says "/dev/pts/0" "1 1 1" "status 0"
}

@test "--as-pid-1 with --new-session, at a terminal and without one" {
	relay show "$NB" --as-pid-1 --new-session "${SYSTEM[@]}" -- sh -c 'cut -d" " -f 5-7 /proc/self/stat'
	says "1 1 0" "status 0"
	run as_caller setsid "$NB" --as-pid-1 --new-session "${SYSTEM[@]}" -- \
		sh -c 'cut -d" " -f 5-7 /proc/self/stat'
	is "1 1 0"
}

@test "it is the command's, whatever ids that has" {
	local ids
	for ids in "" "--uid 33 --gid 34"; do
		# shellcheck disable=SC2086
		run as_caller "${BOX[@]}" $ids -- sh -c 'echo by name >/dev/pts/0; ' </dev/null
		exits 0
		matches '^by name'
	done
	need_root_caller "to hand out any ids"
	for ids in "" "--uid 7 --gid 8"; do
		# shellcheck disable=SC2086
		run as_caller "${BOX[@]}" --map-uids 0:300000:10 --map-gids 0:400000:10 $ids -- \
			sh -c 'echo by name >/dev/pts/0; id -u; id -g; stat -c %u:%g:%a /dev/pts/0' </dev/null
		exits 0
		[ "${lines[3]%?}" = "${lines[1]%?}:${lines[2]%?}:600" ]
	done
}

@test "the modes are those of the caller's terminal before the first output" {
	printf '#!/bin/sh\nstty erase "^H" -ixon tostop\nexec "$@"\n' >"$T/set"
	chmod 0755 "$T/set"
	relay show "$T/set" "${BOX[@]}" -- stty -a
	matches 'erase = \^H' '[^a-z]-ixon' '(^| )tostop'
}

@test "without a terminal outside they are the kernel's" {
	run as_caller setsid "${BOX[@]}" -- stty -a </dev/null
	matches 'erase = \^\?' '(^| )icanon' '(^| )echo '
}

@test "other descriptors of the caller's are not there, those of --keep-fd are" {
	exec 9<"$NB_BIN/probe" 8<"$NB_BIN/probe"
	run as_caller "${BOX[@]}" --keep-fd 8 -- sh -c 'cd /proc/self/fd && echo *' </dev/null
	exec 9<&- 8<&-
	matches '^0 1 2 [34] 8' # sh opens the directory
}

@test "--new-session adds nothing" {
	relay show "${BOX[@]}" --new-session -- tty
	says "/dev/pts/0" "status 0"
}

# ---- what does not go ----

@test "refused: --init-only, an argument" {
	run --separate-stderr nb --tty --init-only -- "$TRY" put "$T/marker"
	exits 125
	one_line "--tty: cannot be combined with --init-only"
	refused "takes no argument" --tty=1
}

@test "refused: as bwrap" {
	run --separate-stderr nb --as bwrap --tty -- /bin/true
	[ "$status" -eq 1 ]
	[[ $stderr == "bwrap: Unknown option --tty" ]]
}

@test "refused: a box without a /dev of its own" {
	local words
	for words in "--tmpfs /dev" "--dev-bind /dev /dev" "--tmpfs /dev/pts" \
		"--dev-bind /dev/pts /dev/pts" "-r /dev/pts" "--dev /dev --tmpfs /dev" \
		"--dev /elsewhere --tmpfs /dev" "--dir /a --tmpfs /a/../dev"; do
		# shellcheck disable=SC2086
		refused "--tty: needs the box's own /dev" --tty $words || { echo "$words"; return 1; }
	done
}

@test "a /dev that was asked for is as good" {
	run as_caller "${BOX[@]}" --tmpfs /dev --dev /dev -- tty </dev/null
	exits 0
	matches '^/dev/pts/0'
}

@test "--explain says that there is one, and changes nothing" {
	relay show "${BOX[@]}" --explain -- tty
	says "|-- terminal its own" "terminal unchanged True"
}

# ---- size ----

@test "the size is there at once, and follows the caller's" {
	relay size "${BOX[@]}" -- /usr/bin/python3 -c '
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])
while True:
    size = os.get_terminal_size()
    print("size", size.lines, size.columns, flush=True)
    signal.sigwait([signal.SIGWINCH])'
	is $'size 0 0\nsize 33 77\nsize 44 99\nstatus 143'
}

@test "the size of standard output where the input is no terminal" {
	relay show sh -c 'stty rows 12 cols 34; exec "$@" </dev/null' - "${BOX[@]}" -- stty size
	matches '^12 34'
}

@test "what the box makes of its size is not the caller's" {
	relay show sh -c 'stty rows 12 cols 34; "$@"; stty size' - "${BOX[@]}" -- stty rows 99 cols 99
	says "12 34"
}

# ---- keys ----

@test "^C, ^\\ and ^D do in the box what they do at a terminal" {
	relay keys:3 "${BOX[@]}" -- sh -c "$HOLD"
	is "status 130 unchanged True"
	relay keys:28 "${BOX[@]}" -- sh -c "$HOLD"
	is "status 131 unchanged True"
	relay keys:4 "${BOX[@]}" -- sh -c 'echo ready; exec cat'
	is "status 0 unchanged True"
}

@test "a shell with job control in the box: ^Z, bg, fg, ^C, ^D" {
	relay jobs "${BOX[@]}" -- bash --norc --noprofile -i
	is $'launcher state runs\nruns in the background\ncode 130\nstatus 0 unchanged True'
}

@test "the same at a terminal that the caller may not open" {
	lent jobs "${BOX[@]}" -- bash --norc --noprofile -i
	is $'launcher state runs\nruns in the background\ncode 130\nstatus 0 unchanged True'
}

@test "bytes of all values, both ways" {
	relay bytes "${BOX[@]}" -- sh -c 'stty raw -echo; echo ready; exec cat'
	is $'same True 16384\nstatus 143'
	lent bytes "${BOX[@]}" -- sh -c 'stty raw -echo; echo ready; exec cat'
	is $'same True 16384\nstatus 143'
}

@test "the caller's terminal is raw meanwhile, and as it was afterwards" {
	relay modes "${BOX[@]}" -- sh -c 'echo ready; read -r line'
	is $'raw\nstatus 0 unchanged True'
}

# ---- how it ends ----

@test "the terminal is restored when the command fails, cannot be run, or takes too long" {
	relay show "${BOX[@]}" -- sh -c 'exit 42'
	says "status 42" "terminal unchanged True"
	relay show "${BOX[@]}" -- /nowhere
	matches "^nestbox: exec: /nowhere: No such file or directory"
	says "status 127" "terminal unchanged True"
	relay show "${BOX[@]}" --timeout 0.2 -- sleep 1000
	says "status 124" "terminal unchanged True"
	relay show "${BOX[@]}" --chdir /nowhere -- tty
	matches "^nestbox: chdir: /nowhere: No such file or directory"
	says "status 125" "terminal unchanged True"
	relay show "${BOX[@]}" --symlink x /usr/x -- tty
	says "status 125" "terminal unchanged True"
}

@test "the terminal is restored when a signal ends the box" {
	local signal
	for signal in 15:143 2:130 1:129 3:131; do
		relay "signal:${signal%:*}" "${BOX[@]}" -- sh -c "$HOLD"
		is $'True\nstatus '"${signal#*:}"$' unchanged True\nleft []' || return 1
	done
}

@test "the terminal is restored when the launcher is killed" {
	relay signal:9 "${BOX[@]}" -- sh -c "$HOLD"
	is $'True\nstatus -9 unchanged True\nleft []'
	lent signal:9 "${BOX[@]}" -- sh -c "$HOLD"
	matches '^status -9 unchanged True$'
}

@test "modes that somebody else has set meanwhile stay" {
	relay changed "${BOX[@]}" -- sh -c "$HOLD"
	is "theirs stays True"
}

@test "the caller's terminal goes away: the box ends by SIGHUP" {
	relay hangup "${BOX[@]}" -- sh -c "$HOLD"
	is "status 129"
	lent hangup "${BOX[@]}" -- sh -c "$HOLD"
	is "status 129"
}

@test "no process of ours is dead and waited for by nobody, and none is left to the caller" {
	relay no_zombie "${BOX[@]}" -- sh -c "$HOLD"
	is $'dead []\nstatus 143\nours []'
}

@test "the caller's pipes end with the launcher, and so do its helpers" {
	relay pipes "${BOX[@]}" -- sh -c "$HOLD"
	says "helpers 2" "closed True" "gone [True, True]"
}

@test "the caller's pipes are the launcher's alone" {
	need_root_caller "to see the descriptors of a process that nobody may look into"
	relay pipes "${BOX[@]}" -- sh -c "$HOLD"
	says "holders 1 True"
}

@test "--status-fd tells the same as ever" {
	run as_caller "${BOX[@]}" --status-fd 5 -- sh -c 'exit 3' 5>"$T/events" </dev/null
	exits 3
	run cat "$T/events"
	matches '^\{"event":"start"' '^\{"event":"exit","code":3\}$'
	run as_caller "${BOX[@]}" --status-fd 5 --timeout 0.1 -- sleep 1000 5>"$T/events" </dev/null
	exits 124
	run cat "$T/events"
	matches '"event":"timeout"'
}

# ---- the launcher as a job ----

shell_job() {
	relay "$1" bash --norc --noprofile -i --tty-shell "${BOX[@]}" -- "sh -c '$HOLD'"
}

@test "in the background it stops before it begins, and begins with fg" {
	shell_job background
	is $'stopped True\nstarted False\nshell has the terminal True\nTrue\ncode 130'
}

@test "stopped from outside: the shell has its terminal; bg stops it again, fg goes on" {
	local signal
	for signal in 20 19 21 22; do
		shell_job "stop:$signal"
		is $'stopped True\nstopped again True\nruns True True\ncode 130' || return 1
	done
}

# ---- standard input that is no terminal ----

@test "a pipe: its end is the key for it" {
	run as_caller "${BOX[@]}" -- sh -c 'cat >/tmp/f; echo "status $?"; wc </tmp/f' \
		< <(printf 'one\ntwo\n')
	matches '^status 0' '^ *2 +2 +8'
}

@test "a last line without its end is a line" {
	run as_caller "${BOX[@]}" -- sh -c 'cat >/tmp/f; wc -c </tmp/f' < <(printf 'one\ntwo')
	matches '7.?$'
	exits 0
}

@test "a long file comes whole" {
	seq 20000 >"$T/numbers"
	run as_caller "${BOX[@]}" -- sh -c 'stty -echo; echo begin; cat >/tmp/f; md5sum </tmp/f' \
		<"$T/numbers"
	exits 0
	matches "^$(md5sum <"$T/numbers" | cut -d' ' -f1)"
}

@test "closed, and /dev/null" {
	run as_caller sh -c 'exec "$@" <&-' - "${BOX[@]}" -- sh -c 'cat; echo "status $?"'
	matches '^status 0'
	run as_caller "${BOX[@]}" -- sh -c 'cat; echo "status $?"' </dev/null
	matches '^status 0'
}

@test "open for writing alone: as if closed" {
	: >"$T/file"
	give "$T/file"
	run as_caller sh -c 'exec "$@" 0>file' - "${BOX[@]}" -- sh -c 'cat; echo "status $?"'
	matches '^status 0'
}

@test "the key is the one that the box has set for it" {
	run as_caller "${BOX[@]}" -- sh -c 'stty -echo eof ^X; cat; echo "status $?"; stty -a' \
		< <(echo a; "$NB_BIN/starter" await $$ 300)
	matches '^status 0' 'eof = \^X'
}

@test "a socket, for input and output" {
	relay socket "${BOX[@]}" -- sh -c 'echo ready; read -r line; echo "got $line"'
	is "got hello, status 0"
}

# ---- standard output that is no terminal ----

@test "the last output of a command that ends at once is all there" {
	local i
	for i in $(seq 30); do
		run as_caller "${BOX[@]}" -- sh -c 'seq 1000' </dev/null
		[ "${#lines[@]}" -eq 1000 ] || { echo "${#lines[@]} lines"; return 1; }
	done
}

@test "a reader that begins after the command's end gets all" {
	relay late_reader "${BOX[@]}" -- head -c 200000 /dev/zero
	is "bytes 200000 status 0"
}

@test "the output before a timeout is all there" {
	run as_caller "${BOX[@]}" --timeout 0.5 -- sh -c 'seq 1000; exec sleep 1000' </dev/null
	exits 124
	[ "${#lines[@]}" -eq 1000 ]
}

@test "closed: the command runs, its output is dropped" {
	run as_caller sh -c 'exec "$@" </dev/null >&-' - "${BOX[@]}" -w "$T" -- \
		sh -c "seq 100000; echo done >$T/end"
	exits 0
	is ""
	[ "$(cat "$T/end")" = done ]
}

@test "a pipe without a reader: the box hangs up" {
	run as_caller sh -c '{ "$@"; echo $? >&2; } </dev/null | head -c 5 >/dev/null' - "${BOX[@]}" -- yes
	is "129"
}

@test "a full device: that is said, and the box hangs up" {
	run --separate-stderr as_caller sh -c 'exec "$@" </dev/null >/dev/full' - "${BOX[@]}" -- yes
	exits 129
	one_line "terminal: standard output: No space left on device"
}

@test "a reader that does not read: nothing grows, nothing spins, SIGTERM ends it" {
	relay stuck "${BOX[@]}" -- yes
	is $'full True\nsmall True\nsleeps True\nstatus 143'
}

@test "a reader that does not read does not stop a timeout" {
	relay timeout_stuck "${BOX[@]}" --timeout 0.5 -- yes
	is "status 124 in time True"
}

@test "a terminal that nobody reads does not stop a timeout" {
	relay timeout_terminal "${BOX[@]}" --timeout 0.5 -- yes
	is "status 124 in time True"
	lent timeout_terminal "${BOX[@]}" --timeout 0.5 -- yes
	is "status 124 in time True"
}

@test "no descriptor that is shared with the caller becomes non-blocking" {
	relay flags "${BOX[@]}" -- sh -c "$HOLD"
	lacks False
}

# ---- programs ----

# tmux serves a terminal to the caller's own user.
screen() {
	as_caller env -i "PATH=$PATH" "TMUX_TMPDIR=$T" LC_ALL=C.UTF-8 tmux -f /dev/null "$@"
}

# shows REGEX: on the screen, within the time that even a slow machine needs.
shows() {
	local end=$((SECONDS + 30))

	until screen capture-pane -p -t nb >"$T/screen" && grep -qE -- "$1" "$T/screen"; do
		[ "$SECONDS" -lt "$end" ] || { echo "not on the screen: $1" >&2; cat "$T/screen" >&2; return 1; }
	done
}

# open_screen COMMAND: in a shell, which stays.
open_screen() {
	need tmux
	printf '#!/bin/sh\nPS1="at the shell> "\nexport PS1\nexec sh -i\n' >"$T/shell"
	chmod 0755 "$T/shell"
	give "$T/shell"
	screen new-session -d -s nb -x 80 -y 24 "$T/shell"
	shows '^at the shell>'
	screen send-keys -t nb -l "$1"
	screen send-keys -t nb Enter
}

close_screen() {
	screen kill-server
}

@test "less in tmux: keys, a search, a new size, the end" {
	local outcome=0
	need less
	seq -f 'line %g.' 500 >"$T/text"
	open_screen "clear; ${BOX[*]} -r $T -e TERM -- less $T/text"
	less_in_tmux || outcome=1
	close_screen
	return "$outcome"
}

less_in_tmux() {
	shows '^line 1\.$' && shows '^line 23\.$' || return 1
	screen send-keys -t nb G && shows '^line 500\.$' || return 1
	screen send-keys -t nb g/line Space 77 Enter && shows '^line 99\.$' || return 1
	screen resize-window -t nb -x 100 -y 40 && shows '^line 115\.$' || return 1
	screen send-keys -t nb q && shows '^at the shell>' || return 1
	screen send-keys -t nb -l 'stty -a | grep -o " icanon"; echo code=$?' &&
		screen send-keys -t nb Enter && shows '^code=0$'
}

@test "top in tmux: it draws, in the box there are few processes; q ends it" {
	local outcome=0
	need top
	open_screen "clear; ${BOX[*]} -e TERM -- top -d 1"
	{ shows '^ *PID +USER' && shows '[0-9] top *$' && ! grep -q tmux "$T/screen" &&
		screen send-keys -t nb q && shows '^at the shell>'; } || outcome=1
	close_screen
	return "$outcome"
}

@test "tmux in the box, and a box in that" {
	local outcome=0
	open_screen "clear; ${BOX[*]} -e TERM --setenv LC_ALL C.UTF-8 -- tmux -f /dev/null new -s in sh"
	{ shows '\[in\] 0:' && screen send-keys -t nb -l 'tty; echo in''side' &&
		screen send-keys -t nb Enter && shows '^/dev/pts/1$' && shows '^inside$' &&
		screen send-keys -t nb -l exit && screen send-keys -t nb Enter && shows '^at the shell>'; } ||
		outcome=1
	close_screen
	return "$outcome"
}

@test "script(1) in the box makes a terminal, too" {
	need script
	relay show "${BOX[@]}" -- script -qec tty /dev/null
	matches '^/dev/pts/1'
}
