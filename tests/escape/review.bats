#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Ways out that a review found, in nestbox's own boxes and in bwrap's.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

setup_file() {
	nb_setup_file
	cp "$NB_DIR/bin/nestbox" "$NB_DIR/bin/bwrap"
}

# A caller of its own for what counts the processes of a user.
setup() {
	nb_setup
	BW=$NB_BIN/bwrap
	mkdir "$T/w"
	echo secret >"$T/secret"
	give "$T"
}

# bw ARGUMENT…: a bwrap box with namespaces of its own, the helpers and /proc.
bw() {
	as_caller "$BW" --unshare-user --unshare-pid --ro-bind "$NB_BIN" "$NB_BIN" --proc /proc "$@"
}

# ---- links of procfs that lead through PID 1's descriptors ----

@test "--lock-file follows no link through a descriptor of PID 1" {
	local fd
	for fd in {3..14}; do
		ln -sfn "/proc/self/fd/$fd/../../../../../../../../..$T/secret" "$T/w/lock"
		NB_LIMIT=10 run mini -w "$T/w" --lock-file "$T/w/lock" -- "$PROBE" exit 0
		exits 125
		matches "lock file: $T/w/lock: "
	done
}

@test "--lock-file does not wait for a FIFO" {
	mkfifo "$T/w/lock"
	give "$T/w"
	NB_LIMIT=10 run mini -w "$T/w" --lock-file "$T/w/lock" -- "$PROBE" exit 3
	[ "$status" -ne 137 ]
}

@test "bwrap --chdir follows no link through a descriptor of PID 1, whatever capabilities are kept" {
	local fd
	for fd in {3..14}; do
		ln -sfn "/proc/1/fd/$fd" "$T/w/dir"
		run bw --cap-add ALL --bind "$T/w" /w --chdir /w/dir -- "$TRY" stat "../../../../../../../../..$T/secret"
		lacks ": ok"
	done
}
