#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --tmpfs --dir --symlink --proc --dev, what is there by default, and the order of it all.

load ../lib/common

@test "the root directory holds the defaults and nothing else" {
	run mini -- "$PROBE" ls /
	is $'dev\nproc\ntmp'
}

@test "the root directory is read-only" {
	run mini -- "$TRY" mkdir /new -- put /new -- symlink x /new -- rmdir /tmp
	exits 0
	says "mkdir /new: EROFS" "put /new: EROFS" "symlink x /new: EROFS"
}

@test "what is made to hold a grant is never the host's" {
	run mini -- "$TRY" mkdir "$NB_DIR/new" -- put "$NB_DIR/new"
	# Below /tmp the workload may write between the grants: to the box's own /tmp.
	[ ! -e "$NB_DIR/new" ]
}

@test "the root of the box is not the caller's to change: mode 0755" {
	run mini -- "$PROBE" stat /
	matches "^040755 "
}

# ---- /tmp ----

@test "/tmp is empty, for everybody, noexec" {
	run nb -x /usr -x /lib -x /lib64 -- /usr/bin/find /tmp
	is /tmp
	run mini -- "$PROBE" stat /tmp
	matches "^041777 "
	run mini -- "$PROBE" mounts
	matches "^/tmp tmpfs rw,nosuid,nodev,noexec"
}

@test "/tmp: what is written there is not the host's" {
	run mini -- "$TRY" put "/tmp/nbt-private.$$"
	says "put /tmp/nbt-private.$$: ok"
	[ ! -e "/tmp/nbt-private.$$" ]
}

# ---- tmpfs ----

@test "--tmpfs: empty, writable, private" {
	run mini --tmpfs /work -- "$TRY" put /work/f -- mkdir /work/d
	says "put /work/f: ok" "mkdir /work/d: ok"
	run mini --tmpfs /nbt-tmpfs/a/b -- "$TRY" put /nbt-tmpfs/a/b/f
	says "put /nbt-tmpfs/a/b/f: ok"
	[ ! -e /nbt-tmpfs ]
}

@test "--tmpfs: nosuid and nodev, programs may run" {
	run mini --tmpfs /work -- "$PROBE" mounts
	matches "^/work tmpfs rw,nosuid,nodev"
	lacks "^/work .*noexec"
	run box --tmpfs /work -- /bin/sh -c "cp $PROBE /work/p && /work/p exit 6"
	exits 6
}

@test "--tmpfs hides what a grant shows there" {
	mkdir -p "$T/d/sub"
	touch "$T/d/sub/file"
	run mini -r "$T/d" --tmpfs "$T/d/sub" -- "$TRY" stat "$T/d" -- stat "$T/d/sub/file" \
		-- put "$T/d/sub/new"
	says "stat $T/d: ok" "stat $T/d/sub/file: ENOENT" "put $T/d/sub/new: ok"
	[ ! -e "$T/d/sub/new" ]
}

@test "a grant is made before the first step below it, whatever the order of words" {
	mkdir -p "$T/d/sub"
	touch "$T/d/sub/file"
	run mini --tmpfs "$T/d/sub" -r "$T/d" -- "$TRY" stat "$T/d/sub/file"
	says "stat $T/d/sub/file: ENOENT"
}

@test "a grant below a step is shown on top of it" {
	mkdir -p "$T/d/sub"
	echo one >"$T/d/one"
	echo two >"$T/d/two"
	run mini --tmpfs "$T/d" -r "$T/d/one" -- "$TRY" read "$T/d/one" -- stat "$T/d/two"
	says "read $T/d/one: ok" "stat $T/d/two: ENOENT"
	run mini -r "$T/d/one" --tmpfs "$T/d" -- "$TRY" read "$T/d/one" -- stat "$T/d/two"
	says "read $T/d/one: ok" "stat $T/d/two: ENOENT"
}

@test "the example of the manual: -x /usr --tmpfs /usr/local" {
	run box --tmpfs /usr/local -- /bin/ls -A /usr/local
	exits 0
	is ""
}

@test "steps are taken in the order of the command line" {
	run mini --tmpfs /a --tmpfs /a/b -- "$PROBE" mounts
	matches "^/a " "^/a/b "
	run mini --tmpfs /a/b --tmpfs /a -- "$TRY" stat /a/b
	says "stat /a/b: ENOENT"
}

@test "--tmpfs /tmp takes the place of the default, programs may run" {
	run mini --tmpfs /tmp -- "$PROBE" mounts
	lacks "^/tmp .*noexec"
	[ "$(grep -c '^/tmp tmpfs' <<<"$output")" -eq 1 ]
}

@test "--tmpfs on a file is refused" {
	touch "$T/file"
	refused "$T/file" -r "$T/file" --tmpfs "$T/file"
}

@test "--tmpfs and --dir make nothing in a host directory" {
	mkdir "$T/w"
	give "$T/w"
	run nb -x "$NB_BIN" -w "$T/w" --tmpfs "$T/w/new" -- "$PROBE" exit 0
	[ "$(ls -A "$T/w")" = "" ]
	run nb -x "$NB_BIN" -w "$T/w" --dir "$T/w/new" -- "$PROBE" exit 0
	[ "$(ls -A "$T/w")" = "" ]
	run nb -x "$NB_BIN" -w "$T/w" --symlink text "$T/w/new" -- "$PROBE" exit 0
	[ "$(ls -A "$T/w")" = "" ]
}

@test "a mount point that cannot be made is an error, not a silence" {
	mkdir "$T/r"
	refused "$T/r/new" -r "$T/r" --tmpfs "$T/r/new"
}

# ---- dir ----

@test "--dir makes a directory and its parents" {
	run mini --dir /a/b/c -- "$TRY" chdir /a/b/c -- put /a/b/c/x
	says "chdir /a/b/c: ok" "put /a/b/c/x: EROFS"
}

@test "--dir on a directory that is there changes nothing" {
	mkdir "$T/d"
	touch "$T/d/f"
	run mini -r "$T/d" --dir "$T/d" --dir /tmp -- "$TRY" stat "$T/d/f"
	says "stat $T/d/f: ok"
}

@test "--dir on a file is refused" {
	touch "$T/file"
	refused "$T/file" -r "$T/file" --dir "$T/file"
}

@test "--dir below --tmpfs is writable with it" {
	run mini --tmpfs /a --dir /a/b -- "$TRY" put /a/b/f
	says "put /a/b/f: ok"
}

# ---- symlink ----

@test "--symlink makes a link with the text that was given" {
	run mini --symlink ../any/where /a/b/link --symlink "$NB_BIN" /progs \
		-- "$PROBE" readlink /a/b/link /progs
	is $'../any/where\n'"$NB_BIN"
	run mini --symlink "$NB_BIN" /progs -- /progs/probe exit 5
	exits 5
}

@test "--symlink where something else stands is refused, and the host's stays" {
	mkdir "$T/d"
	refused "$T/d" -r "$T/d" --symlink text "$T/d"
	[ -d "$T/d" ] && [ ! -L "$T/d" ]
	refused "/link" --symlink one /link --symlink two /link
}

@test "--symlink: the same link twice is no conflict" {
	run mini --symlink text /link --symlink text /link -- "$PROBE" readlink /link
	is text
}

@test "--symlink needs two words" {
	run --separate-stderr nb --symlink
	exits 125
	one_line "^nestbox: options: --symlink: "
	run --separate-stderr nb --symlink one
	exits 125
	one_line "^nestbox: options: --symlink: "
}

# ---- proc ----

@test "/proc is fresh: only the box's processes" {
	run mini -- "$PROBE" ls /proc
	says 1 self
	[ "$(grep -c '^[0-9]*$' <<<"$output")" -eq 2 ]
}

@test "/proc is nosuid, nodev, noexec" {
	run mini -- "$PROBE" mounts nosuid nodev noexec
	lacks "^/proc"
	run mini -- "$PROBE" mounts
	matches "^/proc proc "
}

@test "--proc mounts one elsewhere" {
	run mini --proc /p -- "$TRY" stat /p/1 -- stat /proc/1
	says "stat /p/1: ok" "stat /proc/1: ok"
	run mini --proc /p -- "$PROBE" mounts
	matches "^/p proc .*nosuid,nodev,noexec"
}

@test "--tmpfs /proc leaves the default out, the walls stand" {
	run mini --tmpfs /proc -- "$PROBE" ls /proc
	is ""
	run mini --tmpfs /proc -- "$PROBE" caps
	says "effective 0000000000000000" "bounding 0000000000000000" "nnp 1" "seccomp 2"
}

@test "--symlink /proc and then --proc there is refused" {
	mkdir "$T/evil"
	refused "" --symlink "$T/evil" /proc --proc /proc
	[ "$(ls -A "$T/evil")" = "" ]
}

# ---- dev ----

@test "/dev holds the small list" {
	run mini -- "$PROBE" ls /dev
	is "$(printf '%s\n' fd full null ptmx pts random shm stderr stdin stdout tty urandom zero)"
}

@test "the six devices are the right ones, for everybody" {
	run mini -- "$PROBE" stat /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
	matches "^020666 .* 103 /dev/null" "^020666 .* 105 /dev/zero" "^020666 .* 107 /dev/full" \
		"^020666 .* 108 /dev/random" "^020666 .* 109 /dev/urandom" \
		"^020666 .* 500 /dev/tty"
}

@test "the devices work" {
	run mini -- "$TRY" write /dev/null x -- read /dev/zero -- read /dev/urandom \
		-- write /dev/full x -- read /dev/random
	says "write /dev/null x: ok" "read /dev/zero: ok" "read /dev/urandom: ok" \
		"write /dev/full x: ENOSPC" "read /dev/random: ok"
}

@test "/dev: links to the standard streams" {
	run mini -- "$PROBE" readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr
	is $'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2'
}

@test "/dev/stdin and /dev/stdout work with pipes" {
	# The pipes are the caller's own, as opening one again asks for its owner.
	# shellcheck disable=SC2016
	run as_caller /bin/sh -c 'echo through | "$@" | cat' - "$NB" -x /usr -x /bin -x /lib \
		-x /lib64 -- /bin/sh -c 'cat /dev/stdin >/dev/stdout'
	is through
}

@test "/dev/shm is writable, nosuid, nodev" {
	run mini -- "$TRY" put "/dev/shm/nbt.$$"
	says "put /dev/shm/nbt.$$: ok"
	[ ! -e "/dev/shm/nbt.$$" ]
	run mini -- "$PROBE" stat /dev/shm
	matches "^041777 "
}

@test "/dev/pts is the box's own, and ptmx opens a terminal there" {
	need /usr/bin/python3
	run box -- /usr/bin/python3 -c 'import os; m, s = os.openpty(); print(os.ttyname(s))'
	exits 0
	is /dev/pts/0
}

@test "nodev everywhere but on the six device files and pts" {
	run mini -- "$PROBE" mounts nodev
	lacks "^/(proc|tmp|) " "^/dev "
	[ "$(grep -cvE '^/dev/(null|zero|full|random|urandom|tty|pts|ptmx) ' <<<"$output")" -eq 0 ]
}

@test "--dev mounts one elsewhere" {
	run mini --dev /d -- "$TRY" write /d/null x -- write /dev/null x
	says "write /d/null x: ok" "write /dev/null x: ok"
}

@test "--tmpfs /dev leaves the default out" {
	run mini --tmpfs /dev -- "$PROBE" ls /dev
	is ""
}

@test "--symlink /dev and then --dev there is refused, the target untouched" {
	mkdir "$T/evil"
	refused "" --symlink "$T/evil" /dev --dev /dev
	[ "$(ls -A "$T/evil")" = "" ]
}

@test "-r /dev takes the place of the default, without devices" {
	run mini -r /dev -- "$TRY" open-w /dev/null
	says "open-w /dev/null: EACCES"
}

@test "a step whose destination is not absolute is refused or taken from /" {
	run mini --tmpfs rel -- "$TRY" put /rel/f
	[ "$status" -eq 125 ] || says "put /rel/f: ok"
}

@test "a destination with .. never leaves the box" {
	run mini --dir /a/../../../../nbt-out -- "$TRY" stat /nbt-out
	[ "$status" -eq 125 ] || says "stat /nbt-out: ok"
	[ ! -e /nbt-out ]
}
