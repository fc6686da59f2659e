#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --fallback --cow: commands that want to keep the process above their init (init/guard.h) from its work, or to have it
# do more than that.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

NEW=$((0x7e020000))
NAMESPACES=56\&$NEW,272\&$NEW,435

setup() {
	nb_setup
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
	mkdir "$T/d" "$T/state"
	echo one >"$T/d/a"
	give "$T"
	export XDG_STATE_HOME=$T/state
	SYSTEM=(-x /usr -r /etc -x "$NB_BIN")
	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || SYSTEM+=(-x "$dir")
	done
	cd "$T/d" || return
}

stores() {
	find "$T/state" -mindepth 2 -maxdepth 2
}

# cow ARGUMENT…: nestbox where no namespace can be had.
cow() {
	as_caller "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback "${SYSTEM[@]}" --cow "$T/d" "$@"
}

# big SIZE: a file whose copy takes seconds.
big() {
	head -c "$1" /dev/zero >"$T/d/big"
	give "$T/d/big"
}

# within TIME: SECONDS were set to 0, and are less.
within() {
	[ "$SECONDS" -lt "$1" ] || { echo "$SECONDS seconds"; return 1; }
}

@test "a copy that takes long ends with those that wait for it" {
	big 1G
	SECONDS=0
	run cow --timeout 0.2 -- /bin/cat big
	exits 124
	within 2
	run cow -- /bin/sh -c 'cat big >/dev/null & echo x >>a; sleep 0.1; exit 0'
	exits 0
	[ "$(cat a)" = $'one\nx' ]
	[ "$(stat -c %s big)" = $((1 << 30)) ]
	[ -z "$(stores)" ]
}

@test "it keeps nobody from being reaped, nor the status from its place" {
	big 1536M
	run cow --on-failure discard -- /bin/sh -c 'mkfifo f; (read x <'"$T"'/d/f) & sleep 0.2; cat big >/dev/null & sleep 0.1; exit 3'
	exits 3
	[ -z "$(stores)" ]
}

@test "an alarm that was sent is one to the command" {
	launch setsid "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback "${SYSTEM[@]}" \
		--cow "$T/d" -- /bin/sh -c 'trap "exit 7" ALRM; echo ready; while :; do sleep 0.1; done'
	await ready
	kill -ALRM "$LAUNCHER"
	finish
	[ "$status" = 7 ]
	[ -z "$(stores)" ]
}

@test "times of files elsewhere stay, by no name and no call" {
	local file before

	cp "$NB_HELPERS/times" "$NB_BIN/"
	mkdir "$T/out"
	touch "$T/out/file"
	give "$T/out"
	for file in "$T/out/file" "$T/d/a"; do
		before=$(stat -c '%y %z' "$file")
		run cow --on-failure discard -r "$T/out" -- "$NB_BIN/times" "$file"
		exits 1
		[ "$(stat -c '%y %z' "$file")" = "$before" ]
	done
}
