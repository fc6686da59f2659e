# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For the tests of the program when it is called bwrap. The original must pass them, too, as far as it knows
# the options: BWRAP=/usr/bin/bwrap bats tests/e2e/bwrap-view.bats
#
#   BWRAP   another program to test instead of NESTBOX
#
# Inside a test: BW is the program, in a file named bwrap; mini, box, start and launch run it.

# shellcheck source=tests/lib/common.bash
source "${BASH_SOURCE[0]%/*}/common.bash"

bw_setup_file() {
	NESTBOX=${BWRAP:-$NESTBOX}
	nb_setup_file
	cp "$NB_DIR/bin/nestbox" "$NB_DIR/bin/bwrap"
}

setup_file() {
	bw_setup_file
}

bw_setup() {
	nb_setup
	BW=$NB_BIN/bwrap
	NB=$BW
	HAND=$NB_BIN/hand
}

setup() {
	bw_setup
}

# What is left of a box goes with its launcher: unlike nestbox, bwrap lets it live.
teardown() {
	local pid tree=()

	for pid in "${MINE[@]}"; do
		descend "$pid"
	done
	for pid in "${tree[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	cd / || return
	rm -rf "$T"
}

# descend PID: it and all below it, to tree.
descend() {
	local child

	tree+=("$1")
	for child in $(children "$1" 2>/dev/null); do
		descend "$child"
	done
}

# bw ARGUMENT…: as the caller.
bw() {
	as_caller "$BW" "$@"
}

# mini: with the helpers and nothing else, so it starts fast. box: with a usable system.
mini() {
	bw --ro-bind "$NB_BIN" "$NB_BIN" "$@"
}

box() {
	local dir opts=()

	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || opts+=(--ro-bind "$dir" "$dir")
	done
	mini --ro-bind /usr /usr --ro-bind /etc /etc "${opts[@]}" --proc /proc --dev /dev "$@"
}

# only LIST ARGUMENT…: as mini, and of the descriptors from 3 on the program gets those of LIST
# alone, since bats has some of its own.
only() {
	local list=$1

	shift
	as_caller "$HAND" only "$list" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" "$@"
}

# dies REGEX ARGUMENT…: exit 1, one line that begins "bwrap: " and matches, nothing on stdout,
# and the command, which would leave a file behind, never ran.
dies() {
	local regex=$1

	shift
	rm -f "$T/marker"
	run --separate-stderr mini --bind "$T" "$T" "$@" -- "$TRY" put "$T/marker"
	dead "$regex" || return 1
	[ ! -e "$T/marker" ] || { echo "the command ran" >&2; return 1; }
}

# dead REGEX: the last `run --separate-stderr` ended so.
dead() {
	exits 1 || return 1
	[ -z "$output" ] || { echo "stdout: $output" >&2; return 1; }
	warns "$1"
}

# warns REGEX: its stderr is one such line.
warns() {
	if [ "$(grep -c '' <<<"$stderr")" -ne 1 ] || [[ $stderr != bwrap:\ * ]]; then
		printf 'not one line of bwrap: %s\n' "$stderr" >&2
		return 1
	fi
	grep -qE -- "$1" <<<"$stderr" || {
		printf 'stderr: %s\nwanted: %s\n' "$stderr" "$1" >&2
		return 1
	}
}

# newer VERSION|OPTION: only the original can be too old.
newer() {
	[ -n "${BWRAP:-}" ] || return 0
	case $1 in
	--*) "$BW" --help | grep -q -- "^ *$1 " || skip "this bubblewrap has no $1" ;;
	*) older_than "$1" || return 0
		skip "this bubblewrap is older than $1" ;;
	esac
}

older_than() {
	local have

	have=$("$BW" --version)
	have=${have#bubblewrap }
	[ "$have" != "$1" ] && [ "$(printf '%s\n' "$have" "$1" | sort -V | head -n 1)" = "$have" ]
}

# ours: where we intend to be better than the original.
ours() {
	[ -z "${BWRAP:-}" ] || skip "the original does less"
}

# words WORD…: as --args wants them.
words() {
	printf '%s\0' "$@"
}

# status_of PID NAME: one value of /proc/PID/status.
status_of() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# stat_of PID NUMBER: a field of /proc/PID/stat, 4 ppid, 5 pgrp, 6 session.
stat_of() {
	local text

	text=$(<"/proc/$1/stat")
	cut -d ' ' -f $(($2 - 2)) <<<"${text##*) }"
}
