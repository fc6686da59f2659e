#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Others' test suites of file systems on a plain directory and on every backend of --cow: the same tests pass and
# the same fail. Some fail everywhere: nfstest_posix is wrong about O_EXCL with an existing file, and about root, who
# may read and write what modes forbid.

# shellcheck disable=SC2030,SC2031,SC2154 # variables shared with common.bash and run
load ../lib/common

NB_LIMIT=200

setup_file() {
	nb_setup_file
	[ -e "$NB_TREE/build/taken/syscalls" ] || return 0
	cp -r "$NB_TREE/build/taken/"{nfstest,syscalls} "$NB_DIR/bin/"
	chmod -R a+rX "$NB_DIR/bin"
}

setup() {
	nb_setup
	[ -e "$NB_BIN/syscalls" ] || skip 'the POSIX test suites could not be had'
	mkdir "$T/state"
	give "$T"
	export XDG_STATE_HOME=$T/state
}

backends() {
	"$NB" --help | sed -n 's/.*--cow-backend \(auto|\)\?\([a-z|]*\).*/\2/p' | tr '|' ' '
}

# on PLACE DIR COMMAND…: in DIR, which is plain or on the backend PLACE and then stays as it is; what it says is in
# $T/PLACE.out. Failures are in what it says, not in its status.
on() {
	local place=$1 dir=$2 where=(-w "$2" -x "$2") before

	shift 2
	[ "$place" = plain ] || where=(--cow "$dir" --cow-backend "$place" --on-success discard --on-failure discard)
	before=$(picture "$dir")
	box "${where[@]}" --chdir "$dir" --setenv PYTHONDONTWRITEBYTECODE 1 \
		--setenv PYTHONPATH "$NB_BIN/nfstest" --setenv HOSTNAME 127.0.0.2 -- "$@" >"$T/$place.out" 2>&1 3>&- </dev/null || true
	[ "$place" = plain ] || [ "$(picture "$dir")" = "$before" ]
}

picture() {
	find "$1" -printf '%P %y %m %s %U %G %T@ %C@ %n %l\n' | LC_ALL=C sort
}

# same PLACE LEAST: $T/PLACE.results are those of the plain directory, and at least LEAST.
same() {
	diff -u "$T/plain.results" "$T/$1.results" >&2 || { echo "$1: not the same" >&2; return 1; }
	[ "$(wc -l <"$T/plain.results")" -ge "$2" ] || { tail -n 20 "$T/plain.out" >&2; return 1; }
}

# old DIR NAME…: files with content, from long ago.
old() {
	(
		cd "$1"
		shift
		yes 'what was there before' | head -c 100000 | tee "$@" >/dev/null
		touch -d @1450000000.5 "$@"
	)
}

# syscalls [-u]: the whole of what it says.
syscalls() {
	for place in plain $(backends); do
		mkdir "$T/d"
		give "$T/d"
		on "$place" "$T/d" "$NB_BIN/syscalls" "$T/d" "$@"
		mv "$T/$place.out" "$T/$place.results"
		rm -rf "$T/d"
		same "$place" 57
	done
}

@test "libfuse's test of system calls" { syscalls; }
@test "libfuse's test of system calls, on files that are removed while open" { syscalls -u; }

# Each by itself, so that each finds what it is to replace.
@test "libfuse's test of system calls, where its names are taken" {
	for place in plain $(backends); do
		for n in {1..57}; do
			mkdir -p "$T/d/$n/testdir" "$T/d/$n/testdir2"
			old "$T/d/$n" testfile "testfile.$n" testfile2 testsock
		done
		give "$T/d"
		on "$place" "$T/d" /bin/bash -c 'for n in {1..57}; do "$0" "$1/$n" "$n" 2>&1; done' "$NB_BIN/syscalls" "$T/d"
		mv "$T/$place.out" "$T/$place.results"
		rm -rf "$T/d"
		same "$place" 57
	done
}

# It sleeps between changes whose times it compares, so all places are tried at a time. The first three files that it
# writes are there before. Where a directory's entries are, and in which order, is the file system's own.
@test "nfstest_posix" {
	local places pids=()

	places="plain $(backends)"
	for place in $places; do
		mkdir "$T/$place"
		old "$T/$place" x_f_00{1..3}
		give "$T/$place"
		on "$place" "$T/$place" /usr/bin/python3 "$NB_BIN/nfstest/test/nfstest_posix" --server 127.0.0.1 \
			--client-ipaddr 127.0.0.1 --interface lo --nomount --basename x --mtpoint "$T/$place" --runtest all &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for place in $places; do
		sed -n '/^ *\(PASS\|FAIL\): /{s/ offset = [0-9]*$/ offset/;p}' "$T/$place.out" | LC_ALL=C sort >"$T/$place.results"
		same "$place" 450
	done
}
