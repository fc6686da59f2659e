#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An init without walls, under load and under attack: PID 1 lives and reports right, by any of its names.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/init

# each_init FUNCTION ARGUMENT…: for every way to be an init, its words in WORDS.
each_init() {
	local name

	for name in nestbox tini dumb-init catatonit; do
		under_test "$name" || continue
		case $name in
		nestbox) WORDS=("$NB" --init-only --) ;;
		tini) WORDS=("$TINI_" -s --) ;;
		dumb-init) WORDS=("$DUMB_") ;;
		catatonit) WORDS=("$CATA_" --) ;;
		esac
		# No ||, which would let failures inside the function pass.
		echo "as $name"
		"$@"
	done
}

# original NAME…: the one at hand is one of these originals, for what they do wrong.
original() {
	local name

	for name in "$@"; do
		[[ -z ${!name:-} || ${WORDS[0]} != */"$(tr A-Z_ a-z- <<<"$name")" ]] || return 0
	done
	return 1
}

# ---- the caller's state ----

starts_with() {
	! original TINI CATATONIT || [ "$1" != ignore ] || return 0
	run as_caller "$NB_BIN/starter" "$1" "${WORDS[@]}" "$PROBE" exit 7
	exits 7
}

@test "SIGCHLD ignored, and all others: the status is right" {
	# The originals tini and catatonit never hear of the end.
	NB_LIMIT=20
	each_init starts_with ignore
}

@test "all signals blocked: the status is right" {
	NB_LIMIT=20
	each_init starts_with block
}

forwards_from() {
	! original TINI CATATONIT || [ "$1" != ignore ] || return 0
	launch "$NB_BIN/starter" "$1" "${WORDS[@]}" "$PROBE" report 64
	INIT=$LAUNCHER
	each 1 2 3 10 12 15 28
}

@test "SIGCHLD ignored, and all others: signals are forwarded" {
	each_init forwards_from ignore
}

@test "all signals blocked: signals are forwarded" {
	each_init forwards_from block
}

first_of() {
	! original TINI CATATONIT || [ "$1" != ignore ] || return 0
	run as_caller "$CELL" -p "$NB_BIN/starter" "$1" "${WORDS[@]}" "$PROBE" orphans 100
	exits 0
	says "zombies 0" "processes 2"
}

@test "as PID 1 with SIGCHLD ignored or everything blocked: orphans are reaped" {
	each_init first_of ignore
	each_init first_of block
}

# ---- signals that go nowhere ----

unforwardable() {
	! original TINI CATATONIT || return 0
	begin setpriv --bounding-set=-kill --inh-caps=-kill "${WORDS[@]}" \
		setpriv --reuid=12345 --regid=12345 --clear-groups -- "$PROBE" report 64
	await ready
	local child
	child=$(only_child "$INIT")
	MINE+=("$child")
	kill -USR1 "$INIT"
	kill -40 "$INIT"
	kill -TERM "$INIT"
	# None may arrive, and the init stays: the next thing that is heard is the end.
	kill -64 "$child"
	await "got 64"
	finish
	[ "$status" -eq 0 ]
}

@test "a command that the init may not signal: it lives, and reports right" {
	need_root_caller
	# The original tini ends with "Unexpected error when forwarding signal" and leaves the command alone;
	# catatonit does so at the start, when its check that the command is there comes too late.
	each_init unforwardable
}

gone_before() {
	local sig

	for sig in 1 10 15 28 40; do
		begin "${WORDS[@]}" "$PROBE" hold
		await ready
		local child
		child=$(only_child "$INIT")
		kill -STOP "$INIT"
		until_state "$INIT" T
		kill "-$sig" "$INIT"
		kill -KILL "$child"
		until_state "$child" Z
		kill -CONT "$INIT"
		finish
		[ "$status" -eq 137 ]
	done
}

@test "the command is gone when its signal is read" {
	each_init gone_before
}

group_gone() {
	local words=("$@")

	begin "${words[@]}" "$PROBE" hold
	await ready
	local child
	child=$(only_child "$INIT")
	kill -STOP "$INIT"
	until_state "$INIT" T
	kill -USR1 "$INIT"
	kill -WINCH "$INIT"
	kill -KILL "$child"
	until_state "$child" Z
	kill -CONT "$INIT"
	finish
	[ "$status" -eq 137 ]
}

@test "its whole group is gone when its signal is read" {
	! under_test nestbox || group_gone "$NB" --init-only --forward group --
	! under_test tini || group_gone "$TINI_" -s -g --
	! under_test catatonit || group_gone "$CATA_" -g --
	! under_test dumb-init || group_gone "$DUMB_"
}

left_its_group() {
	# The command moves to another group, so the one that was made for it is empty.
	begin "$@" /bin/sh -c 'setsid /bin/sh -c "echo \$\$ >$2; exec $1 report 64" & wait $!' - "$PROBE" "$T/pid"
	await ready
	until [ -s "$T/pid" ]; do :; done
	MINE+=("$(<"$T/pid")")
	kill -USR1 "$INIT" || true
	kill -KILL "$(only_child "$INIT")" || true
	finish
	[ "$status" -eq 137 ] || [ "$status" -eq 138 ]
}

@test "a command whose child has left the group" {
	! under_test nestbox || left_its_group "$NB" --init-only --forward group --
	! under_test tini || left_its_group "$TINI_" -s -g --
}

many_at_the_end() {
	local i
	for i in {1..10}; do
		begin "${WORDS[@]}" "$PROBE" exit 5
		"$NB_BIN/starter" send "$INIT" 10 50 2>/dev/null || true
		finish
		# 138 when the signal got there first.
		[ "$status" -eq 5 ] || [ "$status" -eq 138 ]
	done
}

@test "signals while the command ends" {
	each_init many_at_the_end
}

# ---- storms ----

queued() {
	begin "${WORDS[@]}" "$PROBE" count 40 64
	await ready
	"$NB_BIN/starter" send "$INIT" 40 5000
	kill -64 "$INIT"
	await "count 5000"
	finish
	[ "$status" -eq 0 ]
}

@test "real-time signals by thousands: none is lost" {
	each_init queued
}

queued_while_stopped() {
	begin "${WORDS[@]}" "$PROBE" count 40 64
	await ready
	kill -STOP "$INIT"
	until_state "$INIT" T
	"$NB_BIN/starter" send "$INIT" 40 3000
	kill -CONT "$INIT"
	kill -64 "$INIT"
	await "count 3000"
	finish
	[ "$status" -eq 0 ]
}

@test "real-time signals queued while the init could not run: none is lost" {
	each_init queued_while_stopped
}

queue_full() {
	begin prlimit --sigpending=5 "${WORDS[@]}" "$PROBE" count 40 64
	await ready
	"$NB_BIN/starter" send "$INIT" 40 5000
	kill -64 "$INIT"
	next
	[[ $line == "count "* ]]
	finish
	[ "$status" -eq 0 ]
}

@test "more real-time signals than may be queued: it lives, and reports right" {
	each_init queue_full
}

storm() {
	local sig
	begin "${WORDS[@]}" "$PROBE" count 40 64
	await ready
	for sig in 1 2 10 12 14 15 17 18 23 28; do
		"$NB_BIN/starter" send "$INIT" "$sig" 3000
	done
	kill -64 "$INIT"
	await "count 0"
	finish
	[ "$status" -eq 0 ]
}

@test "a storm of ordinary signals, SIGCHLD too" {
	each_init storm
}

from_inside() {
	# TSTP from inside stops what is in the session, of which the init then has no part.
	[[ ${WORDS[0]} != "$DUMB_" ]] || WORDS+=(-c)
	run as_caller "$CELL" -p "${WORDS[@]}" "$PROBE" siege 64
	exits 0
	[ "${lines[-1]}" = "got 64" ]
}

@test "every signal from inside, with forged senders: PID 1 lives, and reports right" {
	need_static # the sanitizers handle faults themselves
	each_init from_inside
}

killed_from_inside() {
	# TSTP from inside stops what is in the session, of which the init then has no part.
	[[ ${WORDS[0]} != "$DUMB_" ]] || WORDS+=(-c)
	run as_caller "$CELL" "${WORDS[@]}" /bin/sh -c 'kill -KILL 1; kill -STOP 1; exit 7'
	exits 7
}

@test "KILL and STOP from inside do nothing to PID 1" {
	each_init killed_from_inside
}

everybody() {
	# The command itself is spared by the kernel, what else there is gets it from PID 1's namespace.
	run as_caller "$CELL" "${WORDS[@]}" /bin/sh -c '"$1" leave >/dev/null; kill -KILL -1; exit 7' - "$PROBE"
	exits 7
}

@test "KILL of everybody from inside: PID 1 lives, and reports right" {
	each_init everybody
}

# ---- processes ----

@test "a hundred thousand orphans: no zombie, no growth, the status is right" {
	NB_LIMIT=300
	if under_test nestbox; then WORDS=("$NB" --init-only --); else each_init true; fi
	run as_caller "$CELL" -p "${WORDS[@]}" "$PROBE" orphans "${NB_ORPHANS:-100000}"
	exits 0
	says "made ${NB_ORPHANS:-100000}" "zombies 0" "processes 2"
	[ "$(sed -n 's/^growth //p' <<<"$output")" -le 64 ]
}

orphans() {
	run as_caller "$CELL" -p "${WORDS[@]}" "$PROBE" orphans 5000
	exits 0
	says "made 5000" "zombies 0" "processes 2"
	[ "$(sed -n 's/^growth //p' <<<"$output")" -le 64 ]
}

@test "five thousand orphans, by every name" {
	each_init orphans
}

orphans_while_stopped() {
	# They pile up, and are all reaped when the init runs again, though there is one SIGCHLD for all.
	begin "$1" "${@:2}" /bin/sh -c 'read -r x <"$2"; exec "$1" litter 300 64' - "$PROBE" "$T/go"
	until_children "$INIT" 1
	kill -STOP "$INIT"
	until_state "$INIT" T
	echo >"$T/go"
	await ready
	until_children "$INIT" 301
	kill -CONT "$INIT"
	await "got 18"
	until_children "$INIT" 1
	kill -64 "$INIT"
	await "got 64"
	finish
	[ "$status" -eq 0 ]
}

@test "orphans that ended while the init could not run are all reaped" {
	mkfifo "$T/go"
	give "$T/go"
	! under_test nestbox || orphans_while_stopped "$NB" --init-only --
	! under_test tini || orphans_while_stopped "$TINI_" -s --
}

bomb() {
	run as_caller "$CELL" -u 4711 -l nproc=100 "${WORDS[@]}" "$PROBE" forkbomb 5000
	exits 0
	matches "^errno .*(unavailable|again)"
}

@test "a fork bomb at the limit: PID 1 lives, the status is right, nobody is left" {
	need_plain_caller "the kernel exempts host uid 0 from this limit"
	each_init bomb
}

at_the_same_moment() {
	local i
	for i in {1..10}; do
		run as_caller "${WORDS[@]}" /bin/sh -c 'for i in 1 2 3 4 5 6 7 8; do ( (exit 9) & ); done; exit 5'
		exits 5
	done
}

@test "the status is right while orphans end at the same moment" {
	each_init at_the_same_moment
}

# ---- from outside ----

killed() {
	begin_first -- "${WORDS[@]}" "$PROBE" stubborn
	await ready
	first
	kill -KILL "$INIT"
	finish
	[ "$status" -eq 137 ]
	drained
}

@test "KILL of PID 1 from outside ends everything" {
	each_init killed
}

stormed() {
	! original TINI DUMB_INIT CATATONIT || return 0
	run as_caller "$NB_BIN/starter" storm "$NB_LOOPS" 15 3000 "${WORDS[@]}" "$PROBE" hold
	exits 0
}

@test "TERM at any moment of the start ends init and command" {
	each_init stormed
}

# ---- walls that were asked for ----

@test "grants with --init-only are walls or an error, never nothing" {
	native
	run --separate-stderr as_caller "$NB" --init-only -x "$NB_BIN" -- "$TRY" open-r /etc/passwd
	[ "$status" -eq 125 ] || is "open-r /etc/passwd: EACCES"
}

@test "--net-like and mount options are an error" {
	native
	local words
	for words in "--unshare-net" "--tmpfs /tmp" "--ro-bind / /" "--disable-userns"; do
		# shellcheck disable=SC2086
		run --separate-stderr as_caller "$NB" --init-only $words -- "$TRY" put "$T/marker"
		exits 125
		one_line
		[ ! -e "$T/marker" ]
	done
}

@test "the init's descriptors are not the command's: no status record can be forged" {
	native
	run as_caller "$NB" --init-only --status-fd 50 --exit-signal-fd 51 -- "$PROBE" fds 50>"$T/a" 51>"$T/b"
	exits 0
	lacks "(^| )5[01]( |$)"
}

@test "a setuid copy does not become an init" {
	need_root_caller
	cp "$NB" "$T/tini"
	chown 0:0 "$T/tini"
	chmod 4755 "$T/tini"
	run setpriv --reuid=12345 --regid=12345 --clear-groups -- "$T/tini" -s -- "$PROBE" ids
	[ "$status" -ne 0 ] || says "uid 12345 12345 12345"
}
