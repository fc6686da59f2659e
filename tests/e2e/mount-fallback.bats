#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where the mount calls of Linux 5.2 and 5.12 are missing, or a seccomp profile forbids them, mount(2) makes
# the same view; and where pivot_root is forbidden, chroot does.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# These have the same number everywhere.
OPEN_TREE=428 MOVE_MOUNT=429 FSOPEN=430 FSCONFIG=431 FSMOUNT=432 MOUNT_SETATTR=442
ALL=$OPEN_TREE,$MOVE_MOUNT,$FSOPEN,$FSCONFIG,$FSMOUNT,$MOUNT_SETATTR

setup() {
	nb_setup
	mkdir -p "$T/d/sub" "$T/w/in/x" "$T/low1" "$T/low2" "$T/up" "$T/work" "$T/fresh"
	echo host >"$T/d/file"
	echo data >"$T/data"
	echo one >"$T/low1/f"
	echo two >"$T/low2/f"
	give "$T"
}

pivot_root() {
	case $(uname -m) in
	x86_64) echo 155 ;;
	armv*) echo 218 ;;
	*) echo 41 ;;
	esac
}

# Something of everything: grants (with a submount, /proc), steps of all kinds.
rich() {
	RICH=(-r "$T/d" -w "$T/w" -x "$NB_BIN" -r /sys
		--bind "$T/d" /b/d --ro-bind "$T/data" /b/f --dev-bind /dev/shm /b/shm
		--bind-fd 8 /b/fd --ro-bind / /b/all --ro-bind /proc /b/proc
		--tmpfs "$T/w/in/x" --perms 0700 --size 1048576 --tmpfs /t --remount-ro /t
		--dir /x/y --symlink y /x/l --tmpfs /x/l --file 7 /x/f --chmod 0604 /x/f
		--ro-bind-data 9 /x/data --mqueue /q --proc /p --dev /dv)
	! grep -qw overlay /proc/filesystems ||
		RICH+=(--overlay-src "$T/low1" --overlay-src "$T/low2" --tmp-overlay /o1
			--overlay-src "$T/low2" --overlay-src "$T/low1" --ro-overlay /o2
			--overlay-src "$T/low1" --overlay "$T/up" "$T/work" /o3)
}

# view PREFIX…: what is mounted in the rich box, the ids of mounts and devices made the same. How a layer of
# an overlay is called is the one thing that may differ, and what lies under another mount of the host's is
# out of everybody's reach.
view() {
	as_caller "$@" "$NB" "${RICH[@]}" -- "$PROBE" cat /proc/self/mountinfo \
		7<"$T/data" 8<"$T/d" 9<"$T/data" | awk '
		{ point[NR] = $5; parent[NR] = $2; id[NR] = $1; number[$1] = NR; line[NR] = $0 }
		END {
			for (i = 1; i <= NR; i++)
				if (parent[i] in number && point[number[parent[i]]] == point[i])
					covered[number[parent[i]]] = 1
			for (i = 1; i <= NR; i++) {
				$0 = line[i]
				$1 = i
				$2 = $2 in number ? number[$2] : "-"
				sub(/^0:[0-9]+$/, "0:N", $3)
				if (i in covered)
					$6 = "covered"
				if (/ - overlay /)
					$NF = ""
				print
			}
		}'
}

# works PREFIX…: what was made is there, and the walls stand.
works() {
	run as_caller "$@" "$NB" "${RICH[@]}" -- "$TRY" read /b/d/file -- put /b/d/file -- put /b/f \
		-- read /b/f -- put "/b/all$T/new" -- stat /b/proc/self -- put "$T/w/in/x/new" \
		-- put /t/new -- read /x/f -- read /x/data -- put /x/data -- write /dv/null x \
		-- rename "$T/w/in" "$T/w/other" -- put /o1/f -- put /o2/f -- put /new -- put /tmp/f \
		7<"$T/data" 8<"$T/d" 9<"$T/data"
	exits 1
	says "read /b/d/file: ok" "put /b/d/file: ok" "put /b/f: EROFS" "read /b/f: ok" \
		"put /b/all$T/new: EROFS" "stat /b/proc/self: ok" \
		"put $T/w/in/x/new: ok" "put /t/new: EROFS" "read /x/f: ok" "read /x/data: ok" \
		"put /x/data: EROFS" "write /dv/null x: ok" "rename $T/w/in $T/w/other: EBUSY" \
		"put /new: EROFS" "put /tmp/f: ok"
	! grep -qw overlay /proc/filesystems || says "put /o1/f: ok" "put /o2/f: EROFS"
	run as_caller "$@" "$NB" -x "$NB_BIN" -- "$PROBE" caps
	says "effective 0000000000000000" "bounding 0000000000000000" "nnp 1"
	[ "$(ls -A "$T/w/in/x")" = "" ]
}

# same NUMBERS: both with EPERM and ENOSYS the view is the usual one.
same() {
	local error wanted got

	rich
	wanted=$(view)
	[ "$(wc -l <<<"$wanted")" -gt 40 ]
	for error in ENOSYS EPERM EACCES; do
		# The changes of an overlay are not for another kind of view.
		got=$(view "$NB_BIN/deny" "$1" "$error" --)
		[ "$wanted" = "$got" ] || {
			echo "denied with $error: $1" >&2
			diff <(echo "$wanted") <(echo "$got") >&2
			return 1
		}
	done
	works "$NB_BIN/deny" "$1" ENOSYS --
	works "$NB_BIN/deny" "$1" EPERM --
}

@test "nothing is denied" {
	rich
	works env
}

@test "without open_tree" { same "$OPEN_TREE"; }
@test "without move_mount" { same "$MOVE_MOUNT"; }
@test "without fsopen" { same "$FSOPEN"; }
@test "without fsconfig" { same "$FSCONFIG"; }
@test "without fsmount" { same "$FSMOUNT"; }
@test "without mount_setattr, as before Linux 5.12" { same "$MOUNT_SETATTR"; }
@test "without all of them, as before Linux 5.2" { same "$ALL"; }

# The first thing that is mounted is "/" itself, each time another one.
@test "a root that is the host's, in both ways" {
	local number dir=/usr/bin

	for number in 9999 "$OPEN_TREE" "$MOVE_MOUNT" "$FSOPEN" "$MOUNT_SETATTR" "$ALL"; do
		run as_caller "$NB_BIN/deny" "$number" ENOSYS -- "$NB" -x / -x "$NB_BIN" -- \
			"$TRY" stat "$dir" -- put /tmp/x -- put /etc/x
		says "stat $dir: ok" "put /tmp/x: ok" "put /etc/x: EROFS"
		run as_caller "$NB_BIN/deny" "$number" EPERM -- "$NB" --ro-bind / / \
			--ro-bind "$NB_BIN" "$NB_BIN" -- "$TRY" stat "$dir" -- put /tmp/x -- put /etc/x
		says "stat $dir: ok" "put /tmp/x: ok" "put /etc/x: EROFS"
		run as_caller "$NB_BIN/deny" "$number" EPERM -- "$NB" --tmpfs /gone --tmpfs / \
			--ro-bind "$NB_BIN" "$NB_BIN" -- "$PROBE" ls /
		says dev proc tmp
		lacks gone
	done
}

@test "flags that the host has set, and the caller may not clear, stay" {
	need_root "mounts"
	# shellcheck disable=SC2016
	run timeout -s KILL 60 unshare -m --propagation private bash -c '
		mount -t tmpfs -o mode=1777,noexec,nosuid,nodev,noatime t "$1/d/sub" &&
		mkdir "$1/d/sub/m" && mount -t tmpfs -o ro,nodev t "$1/d/sub/m" || exit 99
		shift; exec "$@"' - "$T" "${CALLER[@]}" "$NB_BIN/deny" "$ALL" EPERM -- "$NB" \
		-x "$NB_BIN" --bind "$T/d" /b -- "$PROBE" cat /proc/self/mountinfo
	matches " /b/sub rw,nosuid,nodev,noexec,noatime " " /b/sub/m ro,nosuid,nodev,relatime "
}

@test "nothing is left of the stage, inside and outside" {
	local before

	rich
	before=$(cat /proc/self/mountinfo)
	run as_caller "$NB_BIN/deny" "$ALL" ENOSYS -- "$NB" -x "$NB_BIN" --ro-bind /proc /b -- \
		"$PROBE" cat /proc/self/mountinfo
	exits 0
	lacks "/task"
	[ "$before" = "$(cat /proc/self/mountinfo)" ]
}

@test "a masked /proc is still an error" {
	need_root "mounts over /proc"
	run --separate-stderr timeout -s KILL 60 unshare -Urmpf --mount-proc sh -c \
		'mount -t tmpfs t /proc/acpi; exec "$@"' - "$NB" -x "$NB_BIN" -- "$PROBE" exit 0
	exits 125
	one_line "^nestbox: proc: /proc: Operation not permitted"
}

@test "neither way: 125" {
	local mount=40

	[ "$(uname -m)" != x86_64 ] || mount=165
	case $(uname -m) in armv*) mount=21 ;; esac
	run --separate-stderr as_caller "$NB_BIN/deny" "$ALL,$mount" EPERM -- "$NB" -x "$NB_BIN" -- \
		"$PROBE" exit 0
	exits 125
	one_line ""
}

# ---- devpts ----

# Its mount is the only one that is neither nodev nor a bind: 10 is MOUNT_ATTR_NOSUID|NOEXEC of fsmount's third
# argument, and MS_NOSUID|MS_NOEXEC of mount's fourth.
@test "without devpts: a /dev that has no terminals, and one of the box's own is an error" {
	local calls=$FSMOUNT:10@2,165:10@3 error dev refused

	[ "$(uname -m)" = x86_64 ] || skip "the number of mount is written down for x86-64"
	for error in EPERM EACCES 19; do
		refused=(as_caller "$NB_BIN/deny" "$calls" "$error" -- "$NB" -x "$NB_BIN")
		for dev in /dev /d; do
			run --separate-stderr "${refused[@]}" --dev "$dev" -x /bin -x /lib -x /lib64 -x /usr -- \
				/bin/sh -c 'cd "$1"; echo *; : >null; : <ptmx' - "$dev"
			exits 2
			is "fd full null random shm stderr stdin stdout tty urandom zero"
			[[ $stderr == *ptmx* ]]
		done
		run --separate-stderr "${refused[@]}" --tty -- "$PROBE" exit 7
		exits 125
		one_line
	done
	# What is in no way about it stays an error.
	run --separate-stderr as_caller "$NB_BIN/deny" "$calls" ENOMEM -- "$NB" -x "$NB_BIN" -- "$PROBE" exit 7
	exits 125
	one_line
}

# ---- pivot_root ----

@test "without pivot_root: the same box" {
	local error

	rich
	# Not beside one another: two overlays cannot work in one directory.
	view >"$T/wanted"
	for error in EPERM ENOSYS EINVAL; do
		view "$NB_BIN/deny" "$(pivot_root)" "$error" -- >"$T/got"
		run diff "$T/wanted" "$T/got"
		exits 0
		works "$NB_BIN/deny" "$(pivot_root)" "$error" --
	done
	works "$NB_BIN/deny" "$ALL,$(pivot_root)" EPERM --
}

@test "without pivot_root: the old root is out of reach" {
	run as_caller "$NB_BIN/deny" "$(pivot_root)" EPERM -- "$NB" -x "$NB_BIN" -- "$TRY" \
		stat /etc/passwd -- stat /../etc/passwd -- stat /proc/self/root/etc/passwd \
		-- stat /proc/1/root/etc/passwd -- chdir /.. -- umount / -- umount /..
	lacks "etc/passwd: ok" "umount .*: ok"
	run as_caller "$NB_BIN/deny" "$(pivot_root)" EPERM -- "$NB" -x "$NB_BIN" -- "$PROBE" ls /..
	is $'dev\nproc\ntmp'
}

@test "without openat2, as under gVisor or systemd's RestrictSUIDSGID: the box stands" {
	[ "$(uname -m)" = x86_64 ] || skip "the call's number is x86-64's"
	local errno
	for errno in ENOSYS EPERM; do
		run as_caller "$NB_BIN/deny" 437 "$errno" -- "$NB" -x "$NB_BIN" --tmpfs /x \
			--symlink x /y --dir /y/z -- "$TRY" stat /x/z
		says "stat /x/z: ok"
	done
}
