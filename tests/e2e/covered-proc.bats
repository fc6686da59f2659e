#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where parts of /proc are covered, as in most containers, the kernel refuses a new one. What can be had then.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# covered COMMAND…: there, and the sysctls are read-only, too. The shell in between is no process 1 of the
# command's, and its stderr is the command's.
covered() {
	need unshare
	run --separate-stderr as_caller unshare -Urmpf --mount-proc /bin/sh -c '
		for d in /proc/acpi /proc/fs /proc/irq; do
			[ ! -d $d ] || { mount -t tmpfs t $d && break; }
		done
		mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys || exit 99
		"$@"' - "$@"
}

# without ARGUMENT…: a box without a /proc.
without() {
	covered "$NB" -x "$NB_BIN" --tmpfs /proc "$@"
}

@test "a box without a /proc has all its other walls" {
	without -- "$PROBE" exit 3
	exits 3
	[ -z "$stderr" ]
	without -- "$PROBE" caps
	says "permitted 0000000000000000" "effective 0000000000000000" "bounding 0000000000000000" \
		"securebits ef" "nnp 1" "seccomp 2"
	without -- "$PROBE" session
	says "ppid 1"
	without -- "$PROBE" ls /proc
	is ""
	without --uid 7 --gid 8 -- "$PROBE" ids
	says "uid 7 7 7" "gid 8 8 8"
}

# The sysctl that forbids them cannot be written there, the chroot is what is left: whatever the filter says.
@test "without a /proc nobody makes user namespaces" {
	without --filter none -- "$TRY" unshare user -- clone user -- unshare mnt -- chroot / -- setns /dev/null
	exits 0
	says "unshare user: EPERM" "clone user: EPERM"
	# It is none that a file descriptor or ".." lead out of.
	without --filter none -- "$PROBE" ls /../..
	says dev proc tmp
	lacks box
	without --filter none --allow-userns -- "$TRY" unshare user
	says "unshare user: ok"
}

@test "without a /proc, and without the mount calls of Linux 5.2" {
	local number error

	for number in 428 429 430 442 428,429,430,431,432,442; do
		for error in EPERM ENOSYS; do
			covered "$NB_BIN/deny" "$number" "$error" -- "$NB" -x "$NB_BIN" --tmpfs /proc --filter none -- \
				"$TRY" unshare user -- put /tmp/x -- put "$NB_BIN/x"
			says "unshare user: EPERM" "put /tmp/x: ok" "put $NB_BIN/x: EROFS" ||
				{ echo "without $number: $error" >&2; return 1; }
		done
	done
}

@test "without a /proc the end, signals and time limits are as ever" {
	without -- "$PROBE" die 9
	exits 137
	without --timeout 0.1 -- "$PROBE" hold
	exits 124
	without --chdir "$NB_BIN" -- "$PROBE" ls .
	says probe try
}

@test "the outer /proc is shown to whoever asks for it by name" {
	covered "$NB" -x "$NB_BIN" --ro-bind /proc /proc --filter none -- "$TRY" unshare user -- \
		open-w /proc/self/oom_score_adj
	exits 0
	covered "$NB" -x "$NB_BIN" --ro-bind /proc /proc -- "$PROBE" cat /proc/self/mountinfo
	exits 0
	matches ' / /proc ro,nosuid,nodev,noexec,' ' /proc/sys ro,nosuid,nodev,'
	# Nothing of what stands behind.
	lacks ' /box '
}

@test "a /proc of its own is still an error, and so is what needs one" {
	covered "$NB" -x "$NB_BIN" -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: proc: /proc: Operation not permitted \\(.*covered"
	without --as-pid-1 -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: proc: /proc: "
	without --keep-cap kill -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: disable-userns: user/max_user_namespaces: "
}

@test "bubblewrap's words without --proc" {
	local words=(--unshare-user --unshare-pid --ro-bind / / --tmpfs /proc)

	covered "$NB" --as bwrap "${words[@]}" "$PROBE" exit 3
	exits 3
	[ -z "$stderr" ]
	covered "$NB" --as bwrap "${words[@]}" --uid 7 "$PROBE" ids
	exits 0
	says "uid 7 7 7"
	# The outer one is not to be seen for that.
	covered "$NB" --as bwrap "${words[@]}" "$PROBE" ls /proc
	is ""
	covered "$NB" --as bwrap "${words[@]}" --proc /proc "$PROBE" exit 3
	exits 1
}
