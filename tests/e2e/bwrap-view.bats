#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: what the command sees: binds, tmpfs, dir, file, data, symlink, chmod, remount, proc, dev, mqueue.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2094,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

setup() {
	bw_setup
	mkdir "$T/d"
	echo text >"$T/f"
	echo inner >"$T/d/file"
	give "$T"
}

# host_mode PATH: "MODE SIZE" of it, on the host.
host_mode() {
	stat -c '%a %s' "$1"
}

# ---- the root ----

@test "the root holds what was asked for and nothing else" {
	run bw --ro-bind "$NB_BIN" /bin --dir /a --symlink x /b -- /bin/probe ls /
	is $'a\nb\nbin'
}

@test "the root is a tmpfs of its own, writable, nosuid, nodev, mode 0755" {
	run mini --proc /proc -- "$TRY" put /new -- mkdir /newdir
	says "put /new: ok" "mkdir /newdir: ok"
	[ ! -e /new ] && [ ! -e /newdir ]
	run mini --proc /proc -- "$PROBE" mounts
	matches "^/ tmpfs rw,nosuid,nodev"
	run mini -- "$PROBE" stat /
	matches "^040755 $NB_UID:$NB_GID "
}

@test "no trace of how the view was built" {
	run mini -- "$TRY" lstat /oldroot -- lstat /newroot -- lstat /tmp/oldroot -- lstat /tmp/newroot \
		-- chdir /../..
	says "lstat /oldroot: ENOENT" "lstat /newroot: ENOENT" "lstat /tmp/oldroot: ENOENT" \
		"lstat /tmp/newroot: ENOENT"
}

# ---- bind ----

@test "--bind: a directory, readable and writable" {
	run mini --bind "$T/d" /there -- "$TRY" read /there/file -- put /there/new
	says "read /there/file: ok" "put /there/new: ok"
	[ "$(cat "$T/d/new")" = put ]
}

@test "--bind: a single file" {
	run mini --bind "$T/f" /a/b/c -- "$TRY" read /a/b/c -- put /a/b/c
	says "read /a/b/c: ok" "put /a/b/c: ok"
	[ "$(cat "$T/f")" = put ]
}

@test "--bind is nosuid and nodev" {
	run mini --proc /proc --bind "$T/d" /there -- "$PROBE" mounts
	matches "^/there [^ ]+ rw,nosuid,nodev"
	run mini --bind /dev/null /null -- "$TRY" open-w /null -- stat /null
	says "open-w /null: EACCES" "stat /null: ok"
}

# The manual says 0755; the original takes 0700, since it reads "no --perms" as --perms 0.
@test "--bind: parents that are missing are the caller's, whatever the umask" {
	umask 0777
	run mini --bind "$T/d" /a/b/c -- "$PROBE" stat /a /a/b
	matches "^0407(00|55) $NB_UID:$NB_GID 0 /a$" "^0407(00|55) $NB_UID:$NB_GID 0 /a/b$"
}

@test "--bind: the source is what the link points to, at its name" {
	ln -s d "$T/link"
	ln -s "$T/link" "$T/chain"
	run mini --bind "$T/chain" /there -- "$TRY" read /there/file -- readlink /there
	says "read /there/file: ok" "readlink /there: EINVAL"
}

@test "--bind: a source with .. and doubled slashes" {
	run mini --bind "$T//d/..///f" /there -- "$PROBE" cat /there
	is text
}

@test "--bind: a source that is missing" {
	dies "^bwrap: Can't find source path $T/none: No such file or directory$" --bind "$T/none" /there
	dies "^bwrap: Can't find source path $T/f/x: Not a directory$" --bind "$T/f/x" /there
}

@test "--bind: a directory on a file and a file on a directory are refused" {
	dies "/there" --bind "$T/f" /there --bind "$T/d" /there
	dies "/there" --dir /there --bind "$T/f" /there
}

@test "--bind: a parent that is a file is refused" {
	dies "Not a directory" --bind "$T/f" /there --bind "$T/d" /there/x
}

@test "a later bind covers an earlier one, in the order of the words" {
	mkdir "$T/e"
	echo two >"$T/e/file"
	run mini --bind "$T/d" /there --bind "$T/e" /there -- "$PROBE" cat /there/file
	is two
	run mini --bind "$T/e" /there --bind "$T/d" /there -- "$PROBE" cat /there/file
	is inner
	run mini --bind "$T/f" /x/f --tmpfs /x -- "$PROBE" ls /x
	is ""
}

@test "a bind below a read-only one: the mount point must be there" {
	mkdir "$T/d/sub"
	give "$T/d"
	run mini --ro-bind "$T/d" /there --bind "$T/d/sub" /there/sub -- "$TRY" put /there/x -- put /there/sub/x
	says "put /there/x: EROFS" "put /there/sub/x: ok"
	dies "/there/none: Read-only file system$" --ro-bind "$T/d" /there --bind "$T/f" /there/none
	dies "/there/none: Read-only file system$" --ro-bind "$T/d" /there --bind "$T/d" /there/none
}

@test "mount points that are missing below a writable bind appear on the host" {
	umask 077
	run mini --bind "$T/d" /w --ro-bind "$T/f" /w/newfile --ro-bind "$T/d" /w/sub/newdir \
		-- "$PROBE" cat /w/newfile
	is text
	[ "$(host_mode "$T/d/newfile")" = "444 0" ]
	[[ $(stat -c %a "$T/d/sub") =~ ^7(00|55)$ ]]
	[ "$(stat -c %a "$T/d/sub/newdir")" = 755 ]
	[ "$(stat -c %u:%g "$T/d/newfile")" = "$NB_UID:$NB_GID" ]
}

@test "a parent of the destination that is a link in the box is followed there" {
	run mini --dir /target --symlink target /link --ro-bind "$T/f" /link/child -- "$PROBE" cat /target/child
	is text
	run mini --dir /a/target --dir /b --symlink ../a/target /b/link --tmpfs /b/link/x -- "$TRY" put /a/target/x/f
	says "put /a/target/x/f: ok"
}

@test "the same when the link is absolute: /var/run -> /run" {
	newer 0.12
	run mini --dir /run --symlink /run /var/run --ro-bind "$T/f" /var/run/child -- "$PROBE" cat /run/child
	is text
	run mini --symlink /run /var/run --dir /run --dir /var/run/deep/er -- "$TRY" stat /run/deep/er
	says "stat /run/deep/er: ok"
}

@test "a destination that is a link: refused by that name, or mounted at its target in the box" {
	newer 0.12
	run --separate-stderr mini --dir /target --symlink target /link --ro-bind "$T/d" /link -- "$PROBE" cat /target/file
	[ "$output" = inner ] || dead "^bwrap: Can't mount on symlink destination /link$"
}

@test "--bind-try: as --bind, but a source that is missing is no error" {
	run mini --bind-try "$T/d" /there --bind-try "$T/none" /none -- "$TRY" put /there/new -- lstat /none
	says "put /there/new: ok" "lstat /none: ENOENT"
}

@test "--bind-try: only for sources that are missing" {
	dies "^bwrap: Can't find source path $T/f/x: Not a directory$" --bind-try "$T/f/x" /there
}

@test "--bind-try: not for sources that may not be looked at" {
	need_plain_caller
	need_root "a directory of root's"
	mkdir -p "$T/closed/x"
	chmod 0700 "$T/closed"
	dies "^bwrap: Can't find source path $T/closed/x: Permission denied$" --bind-try "$T/closed/x" /there
	dies "^bwrap: Can't find source path $T/closed/x: Permission denied$" --ro-bind-try "$T/closed/x" /there
	dies "^bwrap: Can't find source path $T/closed/x: Permission denied$" --dev-bind-try "$T/closed/x" /there
}

@test "--ro-bind: a directory, read-only" {
	run mini --proc /proc --ro-bind "$T/d" /there -- "$TRY" read /there/file -- put /there/new -- open-w /there/file \
		-- unlink /there/file -- chmod /there/file
	says "read /there/file: ok" "put /there/new: EROFS" "open-w /there/file: EROFS" \
		"unlink /there/file: EROFS" "chmod /there/file: EROFS"
	run mini --proc /proc --ro-bind "$T/d" /there -- "$PROBE" mounts
	matches "^/there [^ ]+ ro,nosuid,nodev"
}

@test "--ro-bind: a single file" {
	run mini --ro-bind "$T/f" /there -- "$TRY" read /there -- open-w /there
	says "read /there: ok" "open-w /there: EROFS"
}

@test "--ro-bind: programs run, it is not noexec" {
	run mini --ro-bind "$NB_BIN" /there -- /there/probe exit 9
	exits 9
}

# nested SCRIPT ARGUMENT…: bwrap in a mount namespace that SCRIPT prepared.
nested() {
	local script=$1

	shift
	need_root "mounts of the host's"
	timeout -s KILL 60 unshare -m --propagation private /bin/bash -c "$script"'
		"$@"' - "${CALLER[@]}" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --proc /proc "$@"
}

@test "--ro-bind and --bind take the mounts below with them, with the same flags" {
	mkdir "$T/d/sub"
	run nested "mount -t tmpfs t $T/d/sub && touch $T/d/sub/file && chmod 666 $T/d/sub/file || exit 99" --ro-bind "$T/d" /ro --bind "$T/d" /rw \
		--dev-bind "$T/d" /dev-too -- "$PROBE" mounts
	matches "^/ro/sub tmpfs ro,nosuid,nodev" "^/rw/sub tmpfs rw,nosuid,nodev" "^/dev-too/sub tmpfs rw,nosuid"
	lacks "^/dev-too/sub .*nodev"
	run nested "mount -t tmpfs t $T/d/sub && touch $T/d/sub/file && chmod 666 $T/d/sub/file || exit 99" --ro-bind "$T/d" /ro \
		-- "$TRY" stat /ro/sub/file -- open-w /ro/sub/file -- put /ro/sub/new
	says "stat /ro/sub/file: ok" "open-w /ro/sub/file: EROFS" "put /ro/sub/new: EROFS"
}

@test "flags that the source has already stay: noexec, read-only" {
	mkdir "$T/m"
	run nested "mount -t tmpfs -o noexec t $T/m && mkdir $T/m/ro && mount -t tmpfs -o ro t $T/m/ro || exit 99" \
		--bind "$T/m" /there -- "$PROBE" mounts
	matches "^/there tmpfs rw,nosuid,nodev,noexec" "^/there/ro tmpfs ro,nosuid,nodev"
}

@test "a mount point with blanks and odd letters in its name" {
	mkdir -p "$T/d/a b\\c	d,é\"x"
	run nested "mount -t tmpfs t '$T/d/a b\\c	d,é\"x' || exit 99" --ro-bind "$T/d" "/t o" -- "$TRY" \
		put "/t o/a b\\c	d,é\"x/new"
	matches "EROFS$"
}

@test "--ro-bind-try: as --ro-bind, but a source that is missing is no error" {
	run mini --ro-bind-try "$T/d" /there --ro-bind-try "$T/none" /none -- "$TRY" read /there/file -- put /there/new \
		-- lstat /none
	says "read /there/file: ok" "put /there/new: EROFS" "lstat /none: ENOENT"
}

@test "--dev-bind: devices can be used, nosuid stays" {
	run mini --proc /proc --dev-bind /dev/null /null -- "$TRY" write /null x
	says "write /null x: ok"
	run mini --proc /proc --dev-bind /dev/null /null -- "$PROBE" mounts
	matches "^/null [^ ]+ rw,nosuid"
	lacks "^/null .*nodev"
}

@test "--dev-bind: directories, writable" {
	run mini --dev-bind "$T/d" /there -- "$TRY" put /there/new
	says "put /there/new: ok"
}

@test "--dev-bind-try: as --dev-bind, but a source that is missing is no error" {
	run mini --dev-bind-try /dev/null /null --dev-bind-try "$T/none" /none -- "$TRY" write /null x -- lstat /none
	says "write /null x: ok" "lstat /none: ENOENT"
}

# ---- descriptors as sources ----

@test "--bind-fd: a directory and a file" {
	newer --bind-fd
	run mini --bind-fd 8 /dir --bind-fd 9 /file -- "$TRY" put /dir/new -- put /file 8<"$T/d" 9<"$T/f"
	says "put /dir/new: ok" "put /file: ok"
	[ "$(cat "$T/d/new" "$T/f")" = $'put\nput' ]
}

@test "--bind-fd: nosuid and nodev" {
	newer --bind-fd
	run mini --proc /proc --bind-fd 8 /dir -- "$PROBE" mounts 8<"$T/d"
	matches "^/dir [^ ]+ rw,nosuid,nodev"
}

@test "--bind-fd: an O_PATH descriptor" {
	newer --bind-fd
	run as_caller "$HAND" path 8 "$T/d" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --bind-fd 8 /dir -- "$PROBE" cat /dir/file
	is inner
}

@test "--bind-fd: the directory itself, whatever its name has become" {
	newer --bind-fd
	exec 8<"$T/d"
	mv "$T/d" "$T/moved"
	mkdir "$T/d"
	echo other >"$T/d/file"
	run mini --bind-fd 8 /dir -- "$PROBE" cat /dir/file
	exec 8<&-
	is inner
}

@test "--bind-fd: a descriptor that is not open" {
	newer --bind-fd
	dies "" --bind-fd 77 /dir
}

@test "--ro-bind-fd: a directory and a file, read-only" {
	newer --ro-bind-fd
	run mini --ro-bind-fd 8 /dir --ro-bind-fd 9 /file -- "$TRY" read /dir/file -- put /dir/new -- read /file -- open-w /file \
		8<"$T/d" 9<"$T/f"
	says "read /dir/file: ok" "put /dir/new: EROFS" "read /file: ok" "open-w /file: EROFS"
}

@test "--ro-bind-fd and --bind-fd: the descriptors are consumed" {
	newer --ro-bind-fd
	run only 7,8,9 --bind-fd 7 /a --ro-bind-fd 8 /b -- "$PROBE" fds 7<"$T/d" 8<"$T/d" 9<"$T/f"
	is "0 1 2 9"
}

# ---- remount ----

@test "--remount-ro: that mount" {
	run mini --proc /proc --bind "$T/d" /there --remount-ro /there -- "$TRY" put /there/new -- read /there/file
	says "put /there/new: EROFS" "read /there/file: ok"
	run mini --proc /proc --bind "$T/d" /there --remount-ro /there -- "$PROBE" mounts
	matches "^/there [^ ]+ ro,nosuid,nodev"
}

@test "--remount-ro: not the mounts below it" {
	run mini --tmpfs /a --tmpfs /a/b --remount-ro /a -- "$TRY" put /a/new -- put /a/b/new
	says "put /a/new: EROFS" "put /a/b/new: ok"
}

@test "--remount-ro /: what has been made is there, and nothing can be added" {
	run mini --dir /a --tmpfs /b --remount-ro / -- "$TRY" stat /a -- mkdir /c -- put /b/new
	says "stat /a: ok" "mkdir /c: EROFS" "put /b/new: ok"
}

@test "--remount-ro: what comes later may still be mounted where a mount point is" {
	run mini --dir /a --remount-ro / --bind "$T/d" /a -- "$TRY" put /a/new
	says "put /a/new: ok"
	dies "/b: Read-only file system$" --remount-ro / --bind "$T/d" /b
}

@test "--remount-ro: where nothing is mounted it is refused" {
	dies "/dir" --dir /dir --remount-ro /dir
	dies "/none" --remount-ro /none
}

# ---- tmpfs ----

@test "--tmpfs: empty, writable, private, nosuid, nodev, mode 0755" {
	run mini --tmpfs "$T/d" -- "$TRY" lstat "$T/d/file" -- put "$T/d/new"
	says "lstat $T/d/file: ENOENT" "put $T/d/new: ok"
	[ ! -e "$T/d/new" ]
	run mini --proc /proc --tmpfs /t -- "$PROBE" mounts
	matches "^/t tmpfs rw,nosuid,nodev"
	lacks "^/t .*noexec"
	run mini --tmpfs /t -- "$PROBE" stat /t
	matches "^040755 $NB_UID:$NB_GID "
}

@test "--tmpfs: each its own" {
	run mini --tmpfs /a --tmpfs /b -- "$TRY" put /a/f -- lstat /b/f
	says "put /a/f: ok" "lstat /b/f: ENOENT"
}

@test "--tmpfs on a file is refused" {
	dies "/file" --ro-bind "$T/f" /file --tmpfs /file
}

@test "--size: of the next tmpfs only" {
	run mini --proc /proc --size 65536 --tmpfs /a --tmpfs /b -- "$PROBE" cat /proc/self/mountinfo
	matches " /a .*[ ,]size=64k"
	lacks " /b .*size="
}

@test "--size: decimal, octal and hexadecimal" {
	run mini --proc /proc --size 0x20000 --tmpfs /a --size 0200000 --tmpfs /b -- "$PROBE" cat /proc/self/mountinfo
	matches " /a .*[ ,]size=128k" " /b .*[ ,]size=64k"
}

@test "--size is a limit" {
	run box --size 4096 --tmpfs /a -- /bin/sh -c 'head -c 100000 /dev/zero >/a/f; echo "status $?"'
	matches "No space left on device"
}

@test "--size and --perms together, in both orders" {
	run mini --proc /proc --size 65536 --perms 0700 --tmpfs /a --perms 1777 --size 65536 --tmpfs /b -- "$PROBE" stat /a /b
	matches "^040700 .*/a$" "^041777 .*/b$"
}

# ---- perms ----

@test "--perms: of the next step only" {
	run mini --perms 0700 --tmpfs /a --tmpfs /b --perms 0710 --dir /c --dir /d -- "$PROBE" stat /a /b /c /d
	matches "^040700 .*/a$" "^040755 .*/b$" "^040710 .*/c$" "^040755 .*/d$"
}

@test "--perms: parents that are missing lose the bits of those who get nothing" {
	run mini --perms 0750 --dir /a/x --perms 0700 --dir /b/x --perms 0705 --dir /c/x --perms 1777 --dir /d/x \
		--perms 0640 --file 8 /e/x --perms 0000 --tmpfs /f/x -- "$PROBE" stat /a /b /c /d /e /f 8</dev/null
	matches "^040750 .*/a$" "^040700 .*/b$" "^040705 .*/c$" "^040755 .*/d$" "^040750 .*/e$" "^040700 .*/f$"
}

@test "--perms: the umask has no part in it" {
	umask 077
	run mini --dir /a --perms 0777 --dir /b --file 8 /c --bind-data 9 /d --tmpfs /e -- "$PROBE" stat /a /b /c /d /e \
		8</dev/null 9</dev/null
	matches "^040755 .*/a$" "^040777 .*/b$" "^100666 .*/c$" "^100600 .*/d$" "^040755 .*/e$"
}

# ---- dir ----

@test "--dir: with its parents" {
	run mini --dir /a/b/c -- "$PROBE" stat /a/b /a/b/c
	matches "^040755 $NB_UID:$NB_GID 0 /a/b$" "^040755 $NB_UID:$NB_GID 0 /a/b/c$"
}

@test "--dir: one that is there keeps its mode, whatever --perms says" {
	run mini --perms 0700 --dir /a --perms 0777 --dir /a -- "$PROBE" stat /a
	matches "^040700 "
}

@test "--dir: on a file it is refused" {
	dies "/file" --ro-bind "$T/f" /file --dir /file
	dies "Not a directory" --ro-bind "$T/f" /file --dir /file/sub
}

@test "--dir: below a writable bind it is made on the host" {
	run mini --bind "$T/d" /w --perms 0711 --dir /w/sub/dir -- "$PROBE" stat /w/sub/dir
	matches "^040711 "
	[ "$(stat -c %a "$T/d/sub/dir")" = 711 ]
}

# ---- file ----

@test "--file: the content, to the end, mode 0666, the caller's" {
	head -c 100000 /dev/urandom >"$T/big"
	give "$T/big"
	run mini --file 8 /a/b --bind "$T" /out -- "$TRY" stat /a/b 8<"$T/big"
	says "stat /a/b: ok"
	run mini --file 8 /a/b -- "$PROBE" stat /a/b 8<"$T/big"
	matches "^100666 $NB_UID:$NB_GID "
	mini --file 8 /a/b -- "$PROBE" cat /a/b 8<"$T/big" | cmp - "$T/big"
}

@test "--file: from a pipe, and empty" {
	run mini --file 8 /a --file 9 /b -- "$PROBE" cat /a /b 8< <(echo through) 9</dev/null
	is through
}

@test "--file: from where the descriptor stands" {
	printf 'one\ntwo\n' >"$T/g"
	exec 8<"$T/g"
	read -r _ <&8
	run mini --file 8 /a -- "$PROBE" cat /a
	exec 8<&-
	# bash reads a regular file ahead and seeks back, so the rest is there.
	is two
}

@test "--file: with --perms" {
	run mini --perms 0640 --file 8 /a -- "$PROBE" stat /a 8</dev/null
	matches "^100640 "
}

@test "--file: it is the box's own, and may be changed and removed" {
	run mini --file 8 /a -- "$TRY" put /a -- unlink /a 8<"$T/f"
	says "put /a: ok" "unlink /a: ok"
	[ "$(cat "$T/f")" = text ]
}

@test "--file: a descriptor that is not open, or a directory" {
	dies "" --file 77 /a
	exec 8<"$T/d"
	dies "" --file 8 /a
	exec 8<&-
}

@test "--file: on a directory it is refused" {
	exec 8<"$T/f"
	dies "/a" --dir /a --file 8 /a
	exec 8<&-
}

@test "--file: below a writable bind it is made on the host" {
	run mini --bind "$T/d" /w --file 8 /w/new -- "$PROBE" cat /w/new 8<"$T/f"
	is text
	[ "$(cat "$T/d/new")" = text ]
}

# ---- data ----

@test "--bind-data: a file of its own mounted there, mode 0600, writable" {
	run mini --proc /proc --bind-data 8 /a/b -- "$PROBE" cat /a/b 8<"$T/f"
	is text
	run mini --proc /proc --bind-data 8 /a/b -- "$PROBE" stat /a/b 8<"$T/f"
	matches "^100600 $NB_UID:$NB_GID "
	run mini --proc /proc --bind-data 8 /a/b -- "$TRY" put /a/b -- unlink /a/b 8<"$T/f"
	says "put /a/b: ok" "unlink /a/b: EBUSY"
	[ "$(cat "$T/f")" = text ]
}

@test "--bind-data: nosuid, nodev, and to be seen nowhere else" {
	run mini --proc /proc --bind-data 8 /a -- "$PROBE" mounts 8<"$T/f"
	matches "^/a tmpfs rw,nosuid,nodev"
	run bw --ro-bind "$NB_BIN" /bin --bind-data 8 /a -- /bin/probe ls / 8<"$T/f"
	is $'a\nbin'
}

@test "--bind-data: with --perms, and large" {
	head -c 300000 /dev/urandom >"$T/big"
	give "$T/big"
	run mini --perms 0444 --bind-data 8 /a -- "$PROBE" stat /a 8<"$T/big"
	matches "^100444 "
	mini --bind-data 8 /a -- "$PROBE" cat /a 8<"$T/big" | cmp - "$T/big"
}

@test "--bind-data: over a file of a bind, the host's stays" {
	run mini --bind "$T/d" /w --bind-data 8 /w/file -- "$TRY" put /w/file 8<"$T/f"
	says "put /w/file: ok"
	[ "$(cat "$T/d/file")" = inner ]
}

@test "--bind-data: over a file of a read-only bind" {
	run mini --ro-bind "$T/d" /w --bind-data 8 /w/file -- "$PROBE" cat /w/file 8<"$T/f"
	is text
}

@test "--ro-bind-data: the same, read-only" {
	run mini --proc /proc --ro-bind-data 8 /a/b -- "$PROBE" cat /a/b 8<"$T/f"
	is text
	run mini --proc /proc --ro-bind-data 8 /a/b -- "$TRY" read /a/b -- put /a/b -- chmod /a/b 8<"$T/f"
	says "put /a/b: EROFS" "chmod /a/b: EROFS"
	run mini --proc /proc --ro-bind-data 8 /a/b -- "$PROBE" mounts 8<"$T/f"
	matches "^/a/b tmpfs ro,nosuid,nodev"
	run mini --perms 0640 --ro-bind-data 8 /a -- "$PROBE" stat /a 8<"$T/f"
	matches "^100640 "
}

@test "--ro-bind-data: many, each its own" {
	local i words=()
	for i in {30..39}; do
		echo "number $i" >"$T/n$i"
		eval "exec $i<\"$T/n$i\""
		words+=(--ro-bind-data "$i" "/etc/f$i")
	done
	run mini "${words[@]}" -- "$PROBE" cat /etc/f30 /etc/f35 /etc/f39
	for i in {30..39}; do eval "exec $i<&-"; done
	is $'number 30\nnumber 35\nnumber 39'
}

@test "data from a memfd" {
	run as_caller "$HAND" memfd 8 "$T/f" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --ro-bind-data 8 /a -- "$PROBE" cat /a
	is text
}

# ---- symlink ----

@test "--symlink: with that text, and with its parents" {
	run mini --symlink ../any/where /a/b/link --symlink "$NB_BIN" /progs -- "$PROBE" readlink /a/b/link /progs
	is $'../any/where\n'"$NB_BIN"
	run mini --symlink "$NB_BIN" /progs -- /progs/probe exit 5
	exits 5
}

@test "--symlink: the same once more is no error" {
	newer 0.9
	run mini --symlink one /link --symlink one /link -- "$PROBE" readlink /link
	is one
}

@test "--symlink: another text where a link is" {
	newer 0.9
	dies "^bwrap: Can't make symlink at /link: existing destination is one$" --symlink one /link --symlink two /link
}

@test "--symlink: where something else is" {
	newer 0.9
	dies "^bwrap: Can't make symlink at /x: destination exists and is not a symlink$" --dir /x --symlink one /x
	dies "^bwrap: Can't make symlink at /y: destination exists and is not a symlink$" --ro-bind "$T/f" /y --symlink one /y
}

@test "--symlink: below a read-only bind" {
	dies "^bwrap: Can't make symlink at /r/link: Read-only file system$" --ro-bind "$T/d" /r --symlink one /r/link
}

# ---- chmod ----

@test "--chmod: a directory and a file" {
	run mini --dir /a --chmod 1700 /a --file 8 /b --chmod 0400 /b -- "$PROBE" stat /a /b 8</dev/null
	matches "^041700 .*/a$" "^100400 .*/b$"
}

@test "--chmod: what is there must be there" {
	dies "/none: No such file or directory$" --chmod 0700 /none
}

@test "--chmod: below a writable bind it is the host's file" {
	run mini --bind "$T/d" /w --chmod 0640 /w/file -- "$PROBE" stat /w/file
	matches "^100640 "
	[ "$(stat -c %a "$T/d/file")" = 640 ]
}

@test "--chmod: below a read-only bind it is refused" {
	dies "Read-only file system$" --ro-bind "$T/d" /r --chmod 0700 /r/file
}

# ---- proc ----

@test "--proc: with --unshare-pid only the box's processes" {
	run mini --unshare-pid --proc /proc -- "$PROBE" ls /proc
	says 1 self
	[ "$(grep -c '^[0-9]*$' <<<"$output")" -eq 2 ]
}

@test "--proc: without --unshare-pid those of the caller" {
	run mini --proc /proc -- "$TRY" stat "/proc/$$" -- readlink /proc/self
	says "stat /proc/$$: ok" "readlink /proc/self: ok"
}

@test "--proc: nosuid, nodev, and fresh ones noexec" {
	run mini --unshare-pid --proc /proc --proc /p -- "$PROBE" mounts
	matches "^/proc proc rw,nosuid,nodev,noexec" "^/p proc rw,nosuid,nodev,noexec"
}

@test "--proc: irq, bus and sysrq-trigger are not writable" {
	run mini --unshare-pid --proc /proc -- "$TRY" open-w /proc/sysrq-trigger -- mkdir /proc/irq/x \
		-- open-w /proc/irq/default_smp_affinity
	exits 0
}

# ---- dev ----

@test "--dev: the list" {
	run mini --dev /dev -- "$PROBE" ls /dev
	is "$(printf '%s\n' core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero)"
}

@test "--dev: the right devices, and they work" {
	run mini --dev /dev -- "$PROBE" stat /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
	matches "^020666 .* 103 /dev/null" "^020666 .* 105 /dev/zero" "^020666 .* 107 /dev/full" \
		"^020666 .* 108 /dev/random" "^020666 .* 109 /dev/urandom" "^020666 .* 500 /dev/tty"
	run mini --dev /dev -- "$TRY" write /dev/null x -- read /dev/zero -- read /dev/urandom -- write /dev/full x
	says "write /dev/null x: ok" "read /dev/zero: ok" "read /dev/urandom: ok" "write /dev/full x: ENOSPC"
}

@test "--dev: the links" {
	run mini --dev /dev -- "$PROBE" readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/core /dev/ptmx
	is $'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n/proc/kcore\npts/ptmx'
}

@test "--dev: a tmpfs where more can be made, but no device" {
	run mini --dev /dev -- "$TRY" put /dev/shm/x -- mkdir /dev/x -- mkchr /dev/null2 -- open-w /dev/null2
	says "put /dev/shm/x: ok" "mkdir /dev/x: ok"
	lacks "^open-w /dev/null2: ok"
	[ ! -e /dev/shm/x ] && [ ! -e /dev/x ]
}

@test "--dev: pts of its own, where terminals can be opened" {
	need /usr/bin/python3
	run box -- /usr/bin/python3 -c 'import os; m, s = os.openpty(); print(os.ttyname(s))'
	exits 0
	is /dev/pts/0
}

@test "--dev: console when stdout is a terminal" {
	need script
	run timeout -s KILL 30 script -qec "${CALLER[*]} $BW --ro-bind $NB_BIN $NB_BIN --dev /dev -- $PROBE ls /dev" /dev/null
	matches '^console.?$'
}

@test "--dev: elsewhere, and twice" {
	run mini --dev /a/dev --dev /dev -- "$TRY" write /a/dev/null x -- write /dev/null x
	says "write /a/dev/null x: ok" "write /dev/null x: ok"
}

@test "--dev: the ids of the command are the caller's none the less" {
	run mini --dev /dev -- "$PROBE" ids
	says "uid $NB_UID $NB_UID $NB_UID" "gid $NB_GID $NB_GID $NB_GID"
}

# ---- mqueue ----

@test "--mqueue: one is mounted, with its parents" {
	run mini --unshare-ipc --proc /proc --mqueue /a/mqueue -- "$PROBE" mounts
	matches "^/a/mqueue mqueue rw"
	run mini --unshare-ipc --mqueue /a/mqueue -- "$PROBE" ls /a/mqueue
	is ""
}

# ---- overlays ----

# layers: a lower, another above it, the places that --overlay needs.
layers() {
	newer 0.11
	mkdir "$T/low" "$T/high" "$T/rw" "$T/work"
	echo low >"$T/low/both"
	echo low >"$T/low/onlylow"
	echo high >"$T/high/both"
	echo high >"$T/high/onlyhigh"
	give "$T"
}

@test "--overlay-src: the last one is on top" {
	layers
	run mini --overlay-src "$T/low" --overlay-src "$T/high" --tmp-overlay /o -- "$PROBE" cat /o/both /o/onlylow /o/onlyhigh
	is $'high\nlow\nhigh'
	run mini --overlay-src "$T/high" --overlay-src "$T/low" --tmp-overlay /o -- "$PROBE" cat /o/both
	is low
}

@test "--overlay-src: names with colons, commas and backslashes" {
	layers
	mkdir "$T/a:b,c\\d"
	echo odd >"$T/a:b,c\\d/odd"
	give "$T/a:b,c\\d"
	run mini --overlay-src "$T/low" --overlay-src "$T/a:b,c\\d" --tmp-overlay /o -- "$PROBE" cat /o/odd /o/onlylow
	is $'odd\nlow'
}

@test "--overlay-src: a link is followed, one that is missing is refused" {
	layers
	ln -s low "$T/link"
	run mini --overlay-src "$T/link" --tmp-overlay /o -- "$PROBE" cat /o/onlylow
	is low
	dies "^bwrap: Can't find source path $T/none: No such file or directory$" --overlay-src "$T/none" --tmp-overlay /o
}

@test "--tmp-overlay: writes are seen there and lost afterwards" {
	layers
	run box --overlay-src "$T/low" --tmp-overlay /o -- /bin/sh -c 'echo new >/o/both; rm /o/onlylow; ls /o; cat /o/both'
	is $'both\nnew'
	[ "$(cat "$T/low/both" "$T/low/onlylow")" = $'low\nlow' ]
}

@test "--tmp-overlay: two do not share what is written" {
	layers
	run mini --overlay-src "$T/low" --tmp-overlay /o --overlay-src "$T/low" --tmp-overlay /p -- "$TRY" put /o/x -- lstat /p/x
	says "put /o/x: ok" "lstat /p/x: ENOENT"
}

@test "--overlay: writes go to RWSRC, the lower stays" {
	layers
	run mini --overlay-src "$T/low" --overlay "$T/rw" "$T/work" /o -- "$TRY" put /o/both -- put /o/new -- unlink /o/onlylow
	says "put /o/both: ok" "put /o/new: ok" "unlink /o/onlylow: ok"
	[ "$(cat "$T/rw/both" "$T/rw/new")" = $'put\nput' ]
	[ "$(cat "$T/low/both" "$T/low/onlylow")" = $'low\nlow' ]
	run mini --overlay-src "$T/low" --overlay "$T/rw" "$T/work" /o -- "$PROBE" ls /o
	is $'both\nnew'
}

@test "--ro-overlay: merged and read-only" {
	layers
	run mini --overlay-src "$T/low" --overlay-src "$T/high" --ro-overlay /o -- "$PROBE" cat /o/both /o/onlylow /o/onlyhigh
	is $'high\nlow\nhigh'
	run mini --overlay-src "$T/low" --overlay-src "$T/high" --ro-overlay /o -- "$TRY" put /o/new -- open-w /o/both
	says "put /o/new: EROFS" "open-w /o/both: EROFS"
}

@test "overlays: something mounted on top of one" {
	layers
	mkdir "$T/low/sub"
	run mini --overlay-src "$T/low" --tmp-overlay /o --tmpfs /o/sub --bind "$T/f" /o/sub/f -- "$PROBE" cat /o/sub/f /o/both
	is $'text\nlow'
}

@test "overlays: the messages" {
	newer 0.11
	dies "^bwrap: --overlay requires at least one --overlay-src$" --overlay "$T/d" "$T/d" /o
	dies "^bwrap: --tmp-overlay requires at least one --overlay-src$" --tmp-overlay /o
	dies "^bwrap: --ro-overlay requires at least two --overlay-src$" --ro-overlay /o
	dies "^bwrap: --ro-overlay requires at least two --overlay-src$" --overlay-src "$T/d" --ro-overlay /o
	local text="^bwrap: --overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, or --ro-overlay$"
	dies "$text" --overlay-src "$T/d" --dir /x
	dies "$text" --overlay-src "$T/d"
}

# ---- every mount ----

@test "nosuid and nodev on every mount" {
	ours
	run mini --unshare-ipc --proc /proc --dev /dev --mqueue /mq --tmpfs /t --bind "$T/d" /b --ro-bind "$T/d" /r \
		--bind-data 8 /d --overlay-src "$T/d" --tmp-overlay /o -- "$PROBE" mounts nosuid 8<"$T/f"
	is ""
	run mini --unshare-ipc --proc /proc --dev /dev --mqueue /mq --tmpfs /t --bind "$T/d" /b --ro-bind "$T/d" /r \
		--bind-data 8 /d --overlay-src "$T/d" --tmp-overlay /o -- "$PROBE" mounts nodev 8<"$T/f"
	[ "$(grep -cvE '^/dev/(null|zero|full|random|urandom|tty|pts|ptmx) ' <<<"$output")" -eq 0 ]
}

@test "--not-a-security-boundary: accepted, and what can be had is there none the less" {
	newer 0.12
	run mini --not-a-security-boundary --proc /proc --ro-bind "$T/d" /there -- "$TRY" put /there/new -- read /there/file
	says "put /there/new: EROFS" "read /there/file: ok"
	dies "^bwrap: Can't find source path" --not-a-security-boundary --bind "$T/none" /there
}
