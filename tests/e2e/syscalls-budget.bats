#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a start costs is a decision: the system calls of one are counted and compared with the list
# beside this file. `make syscalls-list` (or tests/lib/count-syscalls) writes a new one; say in the
# commit why it is worth it.

load ../lib/common

# Nothing here depends on who comes first: whoever waits in a start waits in one blocking call for
# one thing. So the match is exact; 50 runs, also on a busy machine and on one processor, gave one
# list. A wait that may or may not be needed (a futex) would have to be left out of the count.
@test "a start makes the system calls of the list, and no other" {
	need strace
	[ "$(uname -m)" = x86_64 ] || skip "the list has the names of x86-64"
	! grep -qa 'GNU C Library\|ld-linux' "$NESTBOX" || skip "the list is for the musl build"

	run --separate-stderr "$NB_TREE/tests/lib/count-syscalls" "$NESTBOX"
	exits 0
	run diff -u --label kept --label counted "$NB_TREE/tests/e2e/syscalls.list" - <<<"$output"
	[ "$status" -eq 0 ] || {
		printf '%s\n\nIf that is meant: make syscalls-list\n' "$output" >&2
		return 1
	}
}
