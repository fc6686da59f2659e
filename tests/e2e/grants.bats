#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What --read, --write and --exec show, and with which rights.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# A directory d with a file, a program and a directory of its own.
setup() {
	nb_setup
	mkdir -p "$T/d/sub"
	echo host >"$T/d/file"
	echo deep >"$T/d/sub/file"
	cp "$NB_BIN/probe" "$T/d/prog"
	give "$T"
	D=$T/d
}

@test "nothing of the host is seen without a grant" {
	run mini -- "$TRY" stat "$D" -- stat /etc -- stat /usr -- stat /home
	exits 0
	says "stat $D: ENOENT" "stat /etc: ENOENT" "stat /usr: ENOENT" "stat /home: ENOENT"
}

@test "--read: the file can be read" {
	run mini -r "$D" -- "$PROBE" cat "$D/file"
	exits 0
	is host
}

@test "--read: nothing can be written, made or removed" {
	run mini -r "$D" -- "$TRY" open-w "$D/file" -- put "$D/new" -- mkdir "$D/x" \
		-- unlink "$D/file" -- chmod "$D/file" -- rename "$D/file" "$D/y"
	exits 0
	says "open-w $D/file: EROFS" "put $D/new: EROFS" "mkdir $D/x: EROFS" \
		"unlink $D/file: EROFS" "chmod $D/file: EROFS" "rename $D/file $D/y: EROFS"
}

@test "--read: a program cannot be executed" {
	run mini -r "$D" -- "$TRY" exec "$D/prog" -- mmap-exec "$D/prog"
	exits 0
	says "exec $D/prog: EACCES" "mmap-exec $D/prog: EPERM"
}

@test "--write: the host sees what is written, as the caller's" {
	run mini -w "$D" -- "$TRY" put "$D/new"
	says "put $D/new: ok"
	[ "$(cat "$D/new")" = put ]
	[ "$(stat -c %u:%g "$D/new")" = "$NB_UID:$NB_GID" ]
}

@test "--write: a program cannot be executed" {
	run mini -w "$D" -- "$TRY" exec "$D/prog" -- mmap-exec "$D/prog"
	exits 0
	says "exec $D/prog: EACCES" "mmap-exec $D/prog: EPERM"
}

@test "--exec: a program can be executed, nothing written" {
	run mini -x "$D" -- "$TRY" exec "$D/prog" -- put "$D/new" -- open-w "$D/file"
	says "exec $D/prog: ok" "put $D/new: EROFS" "open-w $D/file: EROFS"
}

@test "the same path given twice adds up, in either order" {
	run mini -w "$D" -x "$D" -- "$TRY" exec "$D/prog" -- put "$D/new"
	says "exec $D/prog: ok" "put $D/new: ok"
	run mini -x "$D" -w "$D" -- "$TRY" exec "$D/prog" -- put "$D/new"
	says "exec $D/prog: ok" "put $D/new: ok"
}

@test "a right is never taken back by a second grant" {
	run mini -w "$D" -r "$D" -- "$TRY" put "$D/new"
	says "put $D/new: ok"
	run mini -x "$D" -r "$D" -- "$TRY" exec "$D/prog"
	says "exec $D/prog: ok"
}

@test "the same directory under two names adds up" {
	ln -s d "$T/alias"
	run mini -w "$D" -x "$T/alias" -- "$TRY" exec "$D/prog" -- put "$D/new"
	says "exec $D/prog: ok" "put $D/new: ok"
	run mini -w "$T/d/../d/." -x "$D//" -- "$TRY" exec "$D/prog" -- put "$D/new"
	says "exec $D/prog: ok" "put $D/new: ok"
}

@test "a deeper path overrides: writable directory, read-only file" {
	run mini -w "$D" -r "$D/file" -- "$TRY" put "$D/new" -- open-w "$D/file" -- unlink "$D/file"
	says "put $D/new: ok" "open-w $D/file: EROFS" "unlink $D/file: EBUSY"
	[ "$(cat "$D/file")" = host ]
}

@test "a deeper path overrides: writable directory, read-only directory" {
	run mini -w "$D" -r "$D/sub" -- "$TRY" put "$D/new" -- put "$D/sub/new"
	says "put $D/new: ok" "put $D/sub/new: EROFS"
}

@test "a deeper path overrides: read-only directory, writable directory" {
	run mini -r "$D" -w "$D/sub" -- "$TRY" put "$D/new" -- put "$D/sub/new"
	says "put $D/new: EROFS" "put $D/sub/new: ok"
}

@test "a deeper path overrides whatever the order on the command line" {
	run mini -r "$D/sub" -w "$D" -- "$TRY" put "$D/new" -- put "$D/sub/new"
	says "put $D/new: ok" "put $D/sub/new: EROFS"
}

@test "a deeper path overrides: exec is taken away below" {
	mkdir "$D/noexec"
	cp "$NB_BIN/probe" "$D/noexec/prog"
	run mini -x "$D" -r "$D/noexec" -- "$TRY" exec "$D/prog" -- exec "$D/noexec/prog"
	says "exec $D/prog: ok" "exec $D/noexec/prog: EACCES"
}

@test "a file alone: its neighbours are not seen" {
	run mini -r "$D/file" -- "$TRY" read "$D/file" -- stat "$D/prog"
	says "read $D/file: ok" "stat $D/prog: ENOENT"
}

@test "a program alone can be granted and run" {
	run nb -x "$D/prog" -- "$D/prog" exit 7
	exits 7
}

@test "a path that does not exist: 125, and the line names it" {
	refused "^nestbox: .*$T/none: No such file or directory" -r "$T/none"
	refused "^nestbox: .*$T/none: No such file or directory" -w "$T/none"
	refused "^nestbox: .*$T/none: No such file or directory" -x "$T/none"
}

@test "an empty path is refused" {
	refused "" -r ""
}

@test "a broken symlink is a path that does not exist" {
	ln -s nowhere "$T/broken"
	refused "$T/broken.*No such file or directory" -r "$T/broken"
}

@test "a symlink loop: 125 with its own reason" {
	ln -s b "$T/a"
	ln -s a "$T/b"
	refused "$T/a.*(Too many levels of symbolic links|Symbolic link loop)" -r "$T/a"
}

@test "a path through a file: 125" {
	refused "Not a directory" -r "$D/file/x"
}

@test "--*-try ignores a path that does not exist" {
	ln -s nowhere "$T/broken"
	run mini --read-try "$T/none" --write-try "$T/none" --exec-try "$T/none" \
		--read-try "$T/broken" -- "$PROBE" exit 3
	exits 3
}

@test "--*-try grants what does exist, with its right and no other" {
	run mini --read-try "$D" -- "$TRY" read "$D/file" -- put "$D/new" -- exec "$D/prog"
	says "read $D/file: ok" "put $D/new: EROFS" "exec $D/prog: EACCES"
	run mini --write-try "$D" -- "$TRY" put "$D/new" -- exec "$D/prog"
	says "put $D/new: ok" "exec $D/prog: EACCES"
	run mini --exec-try "$D" -- "$TRY" put "$D/new" -- exec "$D/prog"
	says "put $D/new: EROFS" "exec $D/prog: ok"
}

@test "--read-try does not hide another error" {
	ln -s b "$T/a"
	ln -s a "$T/b"
	refused "$T/a" --read-try "$T/a"
}

@test "a relative path is taken from the caller's directory" {
	cd "$T"
	run mini -r d/file -r ./d/../d/sub -- "$PROBE" cat "$D/file" "$D/sub/file"
	exits 0
	is $'host\ndeep'
}

@test "the current directory as ." {
	cd "$D"
	run mini -r . -- "$PROBE" cat file
	exits 0
	is host
}

@test "doubled and trailing slashes" {
	run mini -r "/$T//d///" -- "$PROBE" cat "$D/file"
	is host
}

@test "a trailing slash on a file is refused" {
	refused "Not a directory" -r "$D/file/"
}

@test "names with spaces, newlines, quotes, and bytes that are not UTF-8" {
	local odd=$'sp ace\nline "q" \\ \x01\xff\xfe%s'
	mkdir "$T/$odd"
	echo odd >"$T/$odd/$odd"
	give "$T/$odd"
	run mini -w "$T/$odd" -- "$TRY" read "$T/$odd/$odd" -- put "$T/$odd/new"
	[ "$status" -eq 1 ]
	[ -e "$T/$odd/new" ]
	run mini -r "$T/$odd/$odd" -- "$PROBE" cat "$T/$odd/$odd"
	is odd
}

@test "a name that looks like an option, and one of 255 bytes" {
	local long
	long=$(printf 'n%.0s' {1..255})
	mkdir "$T/-r" "$T/$long"
	echo dash >"$T/-r/f"
	echo long >"$T/$long/f"
	cd "$T"
	run mini -r -r --read "$long" -- "$PROBE" cat "$T/-r/f" "$T/$long/f"
	is $'dash\nlong'
}

@test "a deep path: 60 levels" {
	local deep=$T i
	for i in {1..60}; do deep+=/level; done
	mkdir -p "$deep"
	echo down >"$deep/f"
	run mini -r "$deep" -- "$PROBE" cat "$deep/f"
	is down
}

@test "two hundred grants" {
	local i opts=()
	for i in {1..200}; do
		mkdir "$T/g$i"
		echo "$i" >"$T/g$i/f"
		opts+=(-r "$T/g$i")
	done
	run mini "${opts[@]}" -- "$PROBE" cat "$T/g1/f" "$T/g100/f" "$T/g200/f"
	is $'1\n100\n200'
}

@test "a directory below a closed one: 125 for a caller who may not pass" {
	need_plain_caller
	need_root "a directory of somebody else"
	mkdir -p "$T/closed/in"
	chown -R root "$T/closed"
	chmod 0700 "$T/closed"
	refused "$T/closed/in: Permission denied" -r "$T/closed/in"
}

@test "a directory below one of somebody else with mode 0711 works" {
	need_root "a directory of somebody else"
	mkdir -p "$T/o711/in"
	echo in >"$T/o711/in/f"
	chown -R root "$T/o711"
	chmod 0711 "$T/o711"
	run mini -r "$T/o711/in" -- "$PROBE" cat "$T/o711/in/f"
	exits 0
	is in
}

@test "a file of mode 0600 stays readable for its owner" {
	chmod 0600 "$D/file"
	run mini -r "$D" -- "$PROBE" cat "$D/file"
	is host
}

@test "a file of another user stays closed" {
	need_plain_caller
	need_root "a file of somebody else"
	echo secret >"$D/secret"
	chown root "$D/secret"
	chmod 0600 "$D/secret"
	run mini -w "$D" -- "$TRY" open-r "$D/secret" -- chmod "$D/secret"
	says "open-r $D/secret: EACCES" "chmod $D/secret: EPERM"
}

@test "a FIFO and a socket as sources" {
	mkfifo "$T/fifo"
	give "$T"
	launch "$NB_BIN/starter" unix "$T/sock"
	await ready
	run mini -r "$T/fifo" -w "$T/sock" -- "$TRY" open-r "$T/fifo" -- unix "$T/sock"
	says "open-r $T/fifo: ok" "unix $T/sock: ok"
}

@test "every grant is nosuid and nodev" {
	run mini -r "$D" -w "$D/sub" -x "$D/prog" -- "$PROBE" mounts nosuid
	is ""
	run mini -r "$D" -w "$D/sub" -x "$D/prog" -- "$PROBE" mounts nodev
	lacks "^$T"
}

@test "read and write grants are noexec, exec and read grants read-only" {
	mkdir "$T/r" "$T/w" "$T/x"
	run mini -r "$T/r" -w "$T/w" -x "$T/x" -- "$PROBE" mounts
	matches "^$T/r .* ro,.*noexec" "^$T/w .* rw,.*noexec" "^$T/x .* ro,"
	lacks "^$T/x .*noexec"
}

@test "a device file in a grant cannot be opened" {
	need_root "mknod"
	mknod -m 666 "$D/null" c 1 3
	run mini -w "$D" -- "$TRY" open-w "$D/null" -- open-r "$D/null"
	says "open-w $D/null: EACCES" "open-r $D/null: EACCES"
	run mini -w "$D/null" -- "$TRY" open-w "$D/null"
	says "open-w $D/null: EACCES"
}

# ---- submounts ----

# with_submount ARGUMENT…: nestbox where $D/sub is a mount that allows everything.
with_submount() {
	# shellcheck disable=SC2016 # for the inner shell
	timeout -s KILL 60 unshare -m --propagation private bash -c '
		mount -t tmpfs -o mode=1777,suid,dev,exec sub "$1/sub" &&
		mkdir "$1/sub/inner" && mount -t tmpfs -o mode=1777 inner "$1/sub/inner" &&
		cp "$2/probe" "$1/sub/prog" && cp "$2/probe" "$1/sub/inner/prog" || exit 99
		mknod -m 666 "$1/sub/null" c 1 3
		shift 2; exec "$@"' - "$D" "$NB_BIN" "${CALLER[@]}" "$NB" -x "$NB_BIN" "$@"
}

@test "submounts are seen" {
	need_root "mounts"
	run with_submount -r "$D" -- "$TRY" stat "$D/sub/prog" -- stat "$D/sub/inner/prog"
	says "stat $D/sub/prog: ok" "stat $D/sub/inner/prog: ok"
}

@test "--read reaches submounts: read-only, noexec, nodev" {
	need_root "mounts"
	run with_submount -r "$D" -- "$TRY" put "$D/sub/new" -- exec "$D/sub/prog" \
		-- put "$D/sub/inner/new" -- exec "$D/sub/inner/prog" -- open-w "$D/sub/null"
	says "put $D/sub/new: EROFS" "exec $D/sub/prog: EACCES" "put $D/sub/inner/new: EROFS" \
		"exec $D/sub/inner/prog: EACCES"
	lacks "open-w $D/sub/null: ok"
}

@test "--write reaches submounts: writable, noexec, nodev" {
	need_root "mounts"
	run with_submount -w "$D" -- "$TRY" put "$D/sub/new" -- exec "$D/sub/prog" \
		-- exec "$D/sub/inner/prog" -- open-w "$D/sub/null"
	says "put $D/sub/new: ok" "exec $D/sub/prog: EACCES" "exec $D/sub/inner/prog: EACCES" \
		"open-w $D/sub/null: EACCES"
}

@test "--exec reaches submounts: executable, read-only" {
	need_root "mounts"
	run with_submount -x "$D" -- "$TRY" put "$D/sub/new" -- exec "$D/sub/prog" \
		-- exec "$D/sub/inner/prog"
	says "put $D/sub/new: EROFS" "exec $D/sub/prog: ok" "exec $D/sub/inner/prog: ok"
}

@test "nosuid and nodev on every submount" {
	need_root "mounts"
	run with_submount -r "$D" -- "$PROBE" mounts nosuid nodev
	lacks "^$D"
	run with_submount -r "$D" -- "$PROBE" mounts
	matches "^$D/sub " "^$D/sub/inner "
}

@test "a flag that the host had set stays: a noexec file system does not become exec" {
	need_root "mounts"
	# shellcheck disable=SC2016
	run timeout -s KILL 60 unshare -m --propagation private bash -c '
		mount -t tmpfs -o mode=1777,noexec,ro t "$1/sub" || exit 99
		shift; exec "$@"' - "$D" "${CALLER[@]}" "$NB" -x "$NB_BIN" -w "$D" -- "$PROBE" mounts
	if [ "$NB_AS" = user ]; then
		matches "^$D/sub tmpfs ro,.*noexec"
	else
		matches "^$D/sub tmpfs r"
	fi
}

# ---- wide grants ----

@test "-w /tmp gives the host's /tmp instead of the empty one" {
	run mini -w /tmp -- "$TRY" put "$T/new" -- exec "$NB_BIN/probe"
	says "put $T/new: ok" "exec $NB_BIN/probe: ok"
	[ -e "$T/new" ]
}

@test "-r /proc shows the host's processes, on request" {
	run mini -r /proc -- "$TRY" stat "/proc/$$"
	says "stat /proc/$$: ok"
}

@test "-x / gives the whole system, read-only" {
	run nb -x / -- /usr/bin/env true
	exits 0
	run nb -x / -x "$NB_BIN" -- "$TRY" put /etc/nbt-new -- mkdir /nbt-new -- stat /etc/passwd
	says "put /etc/nbt-new: EROFS" "mkdir /nbt-new: EROFS" "stat /etc/passwd: ok"
}

@test "-x / still has its own /proc, /dev and empty /tmp" {
	run nb -x / -x "$NB_BIN" -- "$TRY" stat "/proc/$$" -- stat "$T" -- put /tmp/f -- write /dev/null x
	says "stat /proc/$$: ENOENT" "stat $T: ENOENT" "put /tmp/f: ok" "write /dev/null x: ok"
}

@test "-r / and deeper grants" {
	run nb -r / -x /usr -x "$NB_BIN" -r "$T" -w "$D" -- "$TRY" put "$T/new" -- put "$D/new" \
		-- exec /usr/bin/true -- put /etc/nbt-new
	says "put $T/new: EROFS" "put $D/new: ok" "exec /usr/bin/true: ok" "put /etc/nbt-new: EROFS"
}

@test "the manual's own command line: -x /usr -r /etc -w DIR -- COMMAND" {
	run nb -x /usr -r /etc -w "$D" -- /usr/bin/true
	exits 0
	cd "$D"
	run nb -x /usr -r /etc -w "$D" -- sh -c 'echo made >new && cat file'
	is host
	[ "$(cat "$D/new")" = made ]
}
