#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who may outlive whom.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "KILL of the launcher ends everything in the box at once" {
	start -x /usr -x /bin -x /lib -x /lib64 -x "$NB_BIN" -- /bin/sh -c \
		"$PROBE leave; $PROBE leave; exec $PROBE stubborn"
	await left
	await left
	await ready
	kill -KILL "$LAUNCHER"
	# The output ends only when no process holds it.
	drained
}

@test "KILL of the launcher ends a stopped box, too" {
	start -x "$NB_BIN" -- "$PROBE" hold
	await ready
	local init workload
	init=$(children "$LAUNCHER" | tr -d ' ')
	workload=$(children "$init" | tr -d ' ')
	kill -STOP "$workload"
	kill -KILL "$LAUNCHER"
	drained
	gone "$workload"
	gone "$init"
}

@test "KILL of the launcher ends a box with --new-session" {
	start --new-session -x "$NB_BIN" -- "$PROBE" stubborn
	await ready
	kill -KILL "$LAUNCHER"
	drained
}

# under ARGUMENT…: nestbox below a parent that stays until it is killed. PARENT and LAUNCHER.
under() {
	# shellcheck disable=SC2016
	launch "$NB_BIN/starter" reset /bin/sh -c '"$@" & wait' - "$NB" "$@"
	PARENT=$LAUNCHER
	await ready
	LAUNCHER=$(children "$PARENT" | tr -d ' ')
	MINE+=("$LAUNCHER")
}

@test "without --die-with-parent the box outlives its caller" {
	under -x "$NB_BIN" -- "$PROBE" report 15
	kill -KILL "$PARENT"
	gone "$PARENT"
	kill -USR1 "$LAUNCHER"
	await "got 10"
	kill -TERM "$LAUNCHER"
	await "got 15"
	drained
}

@test "--die-with-fd: the box ends when that becomes readable, or its other end is closed" {
	mkfifo "$T/tie"
	give "$T/tie"
	for end in 'echo >&6' ':'; do
		# shellcheck disable=SC2016
		launch "$NB_BIN/starter" reset /bin/sh -c 'exec "$@" 8<"$0"' "$T/tie" \
			"$NB" -x "$NB_BIN" --die-with-fd 8 -- "$PROBE" stubborn
		exec 6>"$T/tie"
		await ready
		eval "$end"
		exec 6>&-
		finish
		exits 137
		drained
	done
}

@test "--die-with-fd: bad descriptors, and no second one beside --die-with-parent" {
	refused 'options: --die-with-fd: must be a number of a descriptor, not x$' --die-with-fd x
	refused 'options: --die-with-fd: Bad file descriptor' --die-with-fd 77
	refused 'options: --die-with-fd: cannot be combined with --die-with-parent' \
		--die-with-fd 0 --die-with-parent
	refused 'options: --keep-fd: another option has that descriptor' \
		--die-with-fd 0 --keep-fd 0
	run --separate-stderr nb --init-only --die-with-fd 0 -- "$PROBE" exit 0
	exits 125
	one_line 'options: --die-with-fd: cannot be combined with --init-only'
}

@test "--die-with-parent: the box ends with its caller" {
	under --die-with-parent -x "$NB_BIN" -- "$PROBE" stubborn
	kill -KILL "$PARENT"
	drained
	gone "$LAUNCHER"
}

@test "--die-with-parent: a caller that is gone before nestbox looks" {
	# The parent ends while nestbox is being executed; it must not stay for ever. With no
	# parent left to die, it may run to its end or refuse.
	local i
	for i in {1..20}; do
		# shellcheck disable=SC2016
		launch "$NB_BIN/starter" reset /bin/sh -c '"$@" &' - "$NB" --die-with-parent \
			--timeout 5 -x "$NB_BIN" -- "$PROBE" stubborn
		finish
		timeout -s KILL 20 cat <&7 >/dev/null
	done
}

@test "the caller's thread ends: the box lives" {
	launch "$NB_BIN/starter" thread "$NB" -x "$NB_BIN" -- "$PROBE" report 15
	await ready
	local nestbox
	nestbox=$(cat "/proc/$LAUNCHER/task/"*/children | tr -d ' ')
	kill -USR1 "$nestbox"
	await "got 10"
	kill -TERM "$nestbox"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "the caller's thread ends: a box with --die-with-parent lives as well" {
	launch "$NB_BIN/starter" thread "$NB" --die-with-parent -x "$NB_BIN" -- "$PROBE" report 15
	await ready
	local nestbox
	nestbox=$(cat "/proc/$LAUNCHER/task/"*/children | tr -d ' ')
	kill -USR1 "$nestbox"
	await "got 10"
	kill -TERM "$nestbox"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "a box that ends leaves nobody" {
	run as_caller "$NB_BIN/starter" after "$NB" -x "$NB_BIN" -- "$PROBE" leave
	exits 0
	is left
}

@test "a start that fails leaves nobody" {
	run as_caller "$NB_BIN/starter" after "$NB" -x "$NB_BIN" --chdir /none -- "$PROBE" hold
	exits 125
}
