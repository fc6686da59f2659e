#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each wall made impossible in turn. Either the start fails with 125, or, where there is
# another way to the same wall, it stands: never silently without.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# The numbers are this architecture's.
number() {
	case $(uname -m) in
	x86_64) ;;
	*) skip "the numbers of the calls are written down for x86-64" ;;
	esac
	case $1 in
	clone) echo 56 ;; clone3) echo 435 ;; unshare) echo 272 ;; mount) echo 165 ;;
	umount2) echo 166 ;; pivot_root) echo 155 ;; chroot) echo 161 ;; prctl) echo 157 ;;
	capset) echo 126 ;; seccomp) echo 317 ;; open_tree) echo 428 ;; move_mount) echo 429 ;;
	fsopen) echo 430 ;; fsconfig) echo 431 ;; fsmount) echo 432 ;; mount_setattr) echo 442 ;;
	openat2) echo 437 ;; close_range) echo 436 ;; setresuid) echo 117 ;; setresgid) echo 119 ;;
	sethostname) echo 170 ;; prlimit64) echo 302 ;; setrlimit) echo 160 ;; setsid) echo 112 ;;
	chdir) echo 80 ;; fchdir) echo 81 ;; mkdirat) echo 258 ;; mkdir) echo 83 ;; symlinkat) echo 266 ;;
	pidfd_open) echo 434 ;; open_tree_attr) echo 467 ;; rt_sigaction) echo 13 ;;
	rt_sigprocmask) echo 14 ;; ioctl) echo 16 ;; socket) echo 41 ;; getppid) echo 110 ;;
	fstatfs) echo 138 ;; execve) echo 59 ;; dup3) echo 292 ;; fcntl) echo 72 ;;
	esac
}

# The command that tells whether all walls stand; exit 77 when they do.
sound() {
	local kind
	SOUND=("$NB_BIN/walls" "$T/hidden" "$T/ro")
	for kind in user pid mnt ipc uts cgroup net; do
		SOUND+=("$(readlink "/proc/self/ns/$kind")")
	done
}

setup() {
	nb_setup
	mkdir "$T/ro"
	echo secret >"$T/hidden"
	give "$T"
	sound
}

# without RULES ERRNO ARGUMENT…: nestbox where these calls fail.
without() {
	local rules=$1 error=$2

	shift 2
	run --separate-stderr as_caller "$NB_BIN/deny" "$rules" "$error" -- \
		"$NB" -x "$NB_BIN" -r "$T/ro" "$@" -- "${SOUND[@]}"
}

# fatal RULES [ARGUMENT…]: both with EPERM and ENOSYS: 125, one line, never ran.
fatal() {
	local rules=$1 error

	shift
	for error in EPERM ENOSYS; do
		without "$rules" "$error" "$@"
		exits 125 || { echo "denied: $rules, $error" >&2; return 1; }
		one_line || return 1
		[ -z "$output" ] || { echo "ran: $output" >&2; return 1; }
	done
}

# sturdy RULES [ARGUMENT…]: 125, or a whole box.
sturdy() {
	local rules=$1 error

	shift
	for error in EPERM ENOSYS; do
		without "$rules" "$error" "$@"
		if [ "$status" -eq 125 ]; then
			one_line || return 1
			[ -z "$output" ] || return 1
		else
			exits 77 || { echo "denied: $rules, $error" >&2; return 1; }
		fi
	done
}

@test "nothing denied: all walls stand" {
	# A call that does not exist, so that there is a second filter here, too.
	without 9999 EPERM
	exits 77
	is ""
}

@test "the check itself sees a missing wall" {
	run "${SOUND[@]}"
	exits 78
	says "missing: effective set" "missing: hidden host file" "missing: seccomp filter"
}

@test "clone and clone3: no namespaces" { fatal "$(number clone),$(number clone3)"; }
@test "clone3 alone" { sturdy "$(number clone3)"; }
@test "unshare: no nested user namespace" { sturdy "$(number unshare)"; }
@test "every way to a new namespace" { fatal "$(number clone),$(number clone3),$(number unshare)"; }
@test "mount, and all of the new mount calls" {
	fatal "$(number mount),$(number fsopen),$(number fsmount),$(number open_tree),$(number move_mount),$(number open_tree_attr)"
}
@test "mount alone" { sturdy "$(number mount)"; }
@test "open_tree" { sturdy "$(number open_tree),$(number open_tree_attr)"; }
@test "move_mount" { sturdy "$(number move_mount)"; }
@test "fsopen" { sturdy "$(number fsopen)"; }
@test "fsconfig" { sturdy "$(number fsconfig)"; }
@test "fsmount" { sturdy "$(number fsmount)"; }
@test "mount_setattr: flags" { sturdy "$(number mount_setattr)"; }
@test "mount_setattr and its newer sister: flags" { sturdy "$(number mount_setattr),$(number open_tree_attr)"; }
@test "every way to set a mount's flags" {
	fatal "$(number mount_setattr),$(number open_tree_attr),$(number mount)"
}
@test "pivot_root" { sturdy "$(number pivot_root)"; }
@test "pivot_root and chroot" { fatal "$(number pivot_root),$(number chroot)"; }
@test "umount2: the old root stays reachable" { sturdy "$(number umount2)"; }
@test "openat2" { sturdy "$(number openat2)"; }
@test "chdir and fchdir" { sturdy "$(number chdir),$(number fchdir)"; }

@test "prctl: no_new_privs" { sturdy "$(number prctl):38"; }
@test "prctl: bounding set" { fatal "$(number prctl):24"; }
@test "prctl: securebits" { fatal "$(number prctl):28"; }
@test "prctl: ambient set" { sturdy "$(number prctl):47"; }
@test "prctl: dumpable" { sturdy "$(number prctl):4"; }
@test "prctl: parent-death signal" { sturdy "$(number prctl):1"; }
@test "prctl at all" { fatal "$(number prctl)"; }
@test "capset" { fatal "$(number capset)"; }
@test "seccomp by either call" { fatal "$(number seccomp),$(number prctl):22"; }
@test "seccomp(2) alone" { sturdy "$(number seccomp)"; }
@test "setresuid and setresgid" { sturdy "$(number setresuid),$(number setresgid)"; }
@test "setsid, asked for" { fatal "$(number setsid)" --new-session; }
@test "sethostname, asked for" { fatal "$(number sethostname)" --hostname nbt; }
@test "limits, asked for" { need_static; fatal "$(number prlimit64),$(number setrlimit)" --rlimit nofile=64; }
@test "close_range: descriptors" { sturdy "$(number close_range)"; }
@test "close_range with leaked descriptors" {
	local error
	for error in EPERM ENOSYS; do
		run --separate-stderr as_caller "$NB_BIN/starter" leak 10 60 "$NB_BIN/deny" "$(number close_range)" $error -- \
			"$NB" -x "$NB_BIN" -r "$T/ro" -- "${SOUND[@]}"
		[ "$status" -eq 125 ] || exits 77
	done
}
@test "socket and ioctl: loopback" { sturdy "$(number socket)"; sturdy "$(number ioctl)"; }

@test "every call in turn: a failed start or a whole box, never a box without a wall" {
	# What the checking program itself needs cannot be told apart; it must only never see
	# a wall missing. Half the numbers with one errno, half with the other, for speed.
	# Left out: close, exit, exit_group, without which nothing can end.
	local nr error rc bad=
	number clone >/dev/null
	for nr in 0 1 2 $(seq 4 59) $(seq 61 230) $(seq 232 334) $(seq 424 470); do
		[ $((nr % 2)) -eq 0 ] && error=EPERM || error=ENOSYS
		rc=0
		out=$(NB_LIMIT=5 as_caller "$NB_BIN/deny" "$nr" "$error" -- "$NB" -x "$NB_BIN" -r "$T/ro" -- \
			"${SOUND[@]}" 2>/dev/null </dev/null) || rc=$?
		case $rc in
		77 | 125 | 126 | 127 | 99) ;;
		78)
			# Only what the program could not ask may look missing: told by asking without a box.
			unfounded "$nr" "$error" "$out" || bad+="call $nr, $error: $out"$'\n'
			;;
		137) bad+="call $nr, $error: hangs"$'\n' ;;
		*) ;;
		esac
	done
	[ -z "$bad" ] || { printf '%s' "$bad" >&2; return 1; }
}

# unfounded NR ERRNO OUTPUT: in a box that is whole, with the call denied only to the
# checking program, it complains about the same.
unfounded() {
	local there
	there=$(as_caller "$NB" -x "$NB_BIN" -r "$T/ro" -- "$NB_BIN/deny" "$1" "$2" -- "${SOUND[@]}" 2>/dev/null) || true
	[ "$there" = "$3" ]
}

# ---- walls that the machine takes away ----

@test "no user namespaces left: 125, nothing ran" {
	run --separate-stderr as_caller unshare -Ur /bin/sh -c '
		echo 0 >/proc/sys/user/max_user_namespaces || exit 99; exec "$@"' - \
		"$NB" -x "$NB_BIN" -r "$T/ro" -- "${SOUND[@]}"
	exits 125
	one_line
	[ -z "$output" ]
}

@test "one user namespace left: the nested one cannot stand, 125, nothing ran" {
	run --separate-stderr as_caller unshare -Ur /bin/sh -c '
		echo 1 >/proc/sys/user/max_user_namespaces || exit 99; exec "$@"' - \
		"$NB" -x "$NB_BIN" -r "$T/ro" -- "${SOUND[@]}"
	exits 125
	one_line
	[ -z "$output" ]
}

@test "none left of each other kind: 125, nothing ran" {
	local kind
	for kind in pid mnt ipc uts cgroup net; do
		run --separate-stderr as_caller unshare -Ur /bin/sh -c '
			echo 0 >/proc/sys/user/max_'$kind'_namespaces || exit 99; exec "$@"' - \
			"$NB" -x "$NB_BIN" -r "$T/ro" -- "${SOUND[@]}"
		exits 125 || { echo "for: $kind"; return 1; }
		one_line
		[ -z "$output" ]
	done
}

@test "a caller's own box: nestbox inside nestbox is refused, not half done" {
	need_static
	run --separate-stderr nb -x "$NB_BIN" -- "$NB" -x "$NB_BIN" -- "$PROBE" exit 3
	exits 125
	one_line
}
