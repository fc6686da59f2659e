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

# ---- PID 1 of a box that was asked for its number ----

# What of PID 1 can be had from inside.
look_at_pid1=(read /proc/1/mem -- open-w /proc/1/mem -- readlink /proc/1/root -- readlink /proc/1/exe --
	stat /proc/1/fd/0/. -- open-w /proc/1/fd/4 -- open-w /proc/1/fd/5 -- open-w /proc/1/fd/6)

@test "bwrap --info-fd: the command cannot trace PID 1" {
	run bw --info-fd 9 -- "$TRY" "${look_at_pid1[@]}" 9>"$T/info"
	matches "^read /proc/1/mem: EACCES" "^readlink /proc/1/exe: EACCES"
	lacks ": ok"
	run bw --info-fd 9 --cap-add CAP_CHOWN --cap-add CAP_SYS_ADMIN -- "$TRY" "${look_at_pid1[@]}" 9>"$T/info"
	lacks ": ok"
	run bw --info-fd 9 --cap-add ALL -- "$TRY" "${look_at_pid1[@]}" 9>"$T/info"
	lacks ": ok"
}

@test "--userns-block-fd: the command cannot trace PID 1" {
	local pid line
	mkfifo "$T/info" "$T/go"
	give "$T"
	exec 8<>"$T/go" 9<>"$T/info"
	start -x "$NB_BIN" --info-fd 9 --userns-block-fd 8 -- "$TRY" "${look_at_pid1[@]}"
	while read -r -t 30 -u 9 line && [[ $line != *child-pid* ]]; do :; done
	pid=${line//[^0-9]/}
	as_caller /bin/sh -c "echo deny >/proc/$pid/setgroups; echo 0 $NB_UID 1 >/proc/$pid/uid_map; echo 0 $NB_GID 1 >/proc/$pid/gid_map"
	echo x >&8
	output=
	while next; do output+=$line$'\n'; done
	finish
	matches "^read /proc/1/mem: EACCES"
	lacks ": ok"
}

# ---- walls that a failure took away ----

# The flags of clone(2) for --unshare-all: CLONE_NEW*, CLONE_PIDFD, CLONE_VM and SIGCHLD.
unshare_all=$((0x7e021111))

@test "bwrap --unshare-all: a failure that may pass leaves no namespace out" {
	need_root_caller
	local error
	for error in EAGAIN ENOMEM EPERM; do
		run "$NB_BIN/deny" "56:$unshare_all" "$error" -- "$BW" --unshare-all --ro-bind "$NB_BIN" "$NB_BIN" -- "$PROBE" exit 3
		exits 1
		matches "^bwrap: (Creating new namespace failed|No permissions to create a new namespace): "
	done
	# One that the kernel lacks may be missing, but not another one with it.
	run "$NB_BIN/deny" "56:$unshare_all" EINVAL -- "$BW" --unshare-all --ro-bind "$NB_BIN" "$NB_BIN" --proc /proc -- \
		"$PROBE" readlink /proc/self/ns/user
	exits 0
	[ "$output" != "$(readlink /proc/self/ns/user)" ]
}

@test "bwrap --unshare-all --uid: no other id where there can be no user namespace" {
	need_root_caller
	run unshare -U -r /bin/sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' \
		- "$BW" --unshare-all --uid 1000 --ro-bind "$NB_BIN" "$NB_BIN" -- "$PROBE" ids
	exits 1
	lacks "^uid"
}

@test "bwrap --assert-userns-disabled: a limit of processes is no proof" {
	need_root
	local most
	# A user who has no other processes. The launcher, PID 1 and the command are three.
	CALLER=(setpriv "--reuid=$((40000 + $$ % 20000))" --clear-groups -- prlimit)
	for most in 1 2 3 4; do
		run as_caller "--nproc=$most" "$BW" --unshare-user --unshare-pid --assert-userns-disabled --ro-bind "$NB_BIN" "$NB_BIN" -- \
			"$PROBE" exit 3
		exits 1
	done
}

@test "bwrap --proc: what cannot be asked about is covered" {
	need_root_caller
	local error
	for error in ENOSYS EPERM; do
		run "$NB_BIN/deny" 269 "$error" -- "$BW" --unshare-pid --ro-bind "$NB_BIN" "$NB_BIN" --proc /proc -- \
			"$TRY" open-w /proc/sys/kernel/core_pattern
		is "open-w /proc/sys/kernel/core_pattern: EROFS"
	done
}

# ---- grants and steps by other names ----

@test "a cover named by a link stays above the grant that it is in" {
	# Not below /tmp, which is the box's own.
	need_root
	T2=$(mktemp -d /srv/nbt.XXXXXX)
	mkdir -p "$T2/var/home/u/private/deep"
	echo secret >"$T2/var/home/u/private/deep/file"
	ln -s var/home "$T2/home"
	ln -s "$T2/home/u/private" "$T2/p"
	chmod 0755 "$T2"
	give "$T2"
	local way
	for way in home/u/private ./home//u/private/ home/u/../u/private p home/u/private/deep p/deep; do
		run nb -x / -w "$T2/var/home/u" --tmpfs "$T2/$way" -- /bin/cat "$T2/var/home/u/private/deep/file"
		[ "$output" != secret ] || { rm -r "$T2"; echo "uncovered: $way" >&2; return 1; }
	done
	rm -r "$T2"
}

# ---- a workload that is PID 1 ----

@test "--as-pid-1: the command cannot outlive the launcher" {
	need_plain_caller
	run mini --as-pid-1 -- "$TRY" orphan
	is "orphan: EPERM"
	run mini -- "$TRY" orphan
	is "orphan: ok"
	start -x "$NB_BIN" --as-pid-1 -- "$PROBE" hold
	next
	kill -KILL "$LAUNCHER"
	drained
}

# ---- without pivot_root ----

# 155 is pivot_root(2), which some profiles forbid.
@test "bwrap: no box above the old root for a command that may unmount" {
	run as_caller "$NB_BIN/deny" 155 EPERM -- "$BW" --unshare-user --unshare-pid --cap-add ALL \
		--ro-bind "$NB_BIN" "$NB_BIN" --proc /proc -- "$TRY" umount /
	exits 1
	matches "^bwrap: pivot_root: "
	run as_caller "$NB_BIN/deny" 155 EPERM -- "$BW" --unshare-user --unshare-pid --cap-drop ALL \
		--ro-bind "$NB_BIN" "$NB_BIN" --proc /proc -- "$TRY" umount /
	is "umount /: EPERM"
}

# ---- events that can be forged ----

@test "--info-fd and --json-status-fd: not what the command has as its 0, 1 or 2, or by --keep-fd" {
	local option
	for option in --info-fd --json-status-fd; do
		exec 8>"$T/events"
		run bash -c '"$@" 1>&8 2>"$0"' "$T/err" "${CALLER[@]}" "$NB" -x "$NB_BIN" "$option" 8 -- "$PROBE" exit 0
		exits 125
		grep -q -- "$option: the command has that file as its 0, 1 or 2" "$T/err"
		exec 8>&-
		refused "$option: the command has that file by --keep-fd" "$option" 8 --keep-fd 9 8>"$T/events" 9>>"$T/events"
		refused "$option: the descriptor is not open for writing" "$option" 8 8</dev/null
	done
}

@test "a kernel that answers as if it knew no capability is no reason to leave the bounding set" {
	# 157:24 is prctl(PR_CAPBSET_DROP).
	run as_caller "$NB_BIN/deny" 157:24 EINVAL -- "$NB" -x "$NB_BIN" -- "$PROBE" exit 3
	exits 125
	matches "^nestbox: capabilities: bounding set: "
}
