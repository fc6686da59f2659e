#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a start costs is a decision: the system calls of one are counted and compared with the list
# beside this file. `make syscalls-list` (or tests/lib/count-syscalls) writes a new one; say in the
# commit why it is worth it.

load ../lib/common

# Two processes of the three wait once each and for one thing alone, so nothing here depends on who
# comes first, and the match can be an exact one. 50 runs on a busy machine gave one list.
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
