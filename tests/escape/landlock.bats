#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Landlock is a wall of its own: the others are taken away, and it holds. That they were taken away is shown
# by the same attempt on a kernel without Landlock.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# has ABI: this kernel has that or a newer one.
has() {
	local abi

	abi=$(as_caller "$NB" -x "$NB_BIN" --explain -- probe | sed -n 's/.*landlock ABI \([0-9]*\).*/\1/p')
	[ "${abi:-0}" -ge "$1" ] || skip "this kernel's Landlock is too old"
}

# without_it COMMAND…: on a kernel that has no Landlock.
without_it() {
	as_caller "$NB_BIN/deny" 444 ENOSYS -- "$@"
}

alone() {
	as_caller "$NB" --init-only -x "$NB_BIN" "$@"
}

setup() {
	nb_setup
	mkdir "$T/in" "$T/out"
	echo secret >"$T/out/file"
	give "$T"
}

# ---- files ----

@test "a directory of the host that was left open leads nowhere" {
	has 2
	exec 9<"$T/in"
	local attempts=(at-r 9 ../out/file -- at-w 9 ../out/file -- at-r 9 ../out -- at-r 9 ../../../../etc/passwd
		-- open-r /proc/self/fd/9/../out/file -- open-r "/proc/self/fd/9")
	run without_it "$NB" -x "$NB_BIN" --keep-fd 9 -- "$TRY" "${attempts[@]}"
	says "at-r 9 ../out/file: ok" "at-w 9 ../out/file: ok" "at-r 9 ../../../../etc/passwd: ok" \
		"open-r /proc/self/fd/9/../out/file: ok"
	run mini --keep-fd 9 -- "$TRY" "${attempts[@]}"
	exits 0
	lacks 'ok$'
	says "at-r 9 ../out/file: EACCES" "at-r 9 ../../../../etc/passwd: EACCES"
	exec 9<&-
}

@test "a directory that was left open leads to what is granted, with these rights and no others" {
	has 2
	echo x >"$T/in/file"
	give "$T"
	exec 9<"$T/out"
	run mini --keep-fd 9 -r "$T/in" -- "$TRY" at-r 9 ../in/file -- at-w 9 ../in/file -- at-r 9 file
	says "at-r 9 ../in/file: ok" "at-w 9 ../in/file: EACCES" "at-r 9 file: EACCES"
	exec 9<&-
}

@test "a file that was left open for reading cannot be opened for writing" {
	has 2
	exec 9<"$T/out/file"
	run without_it "$NB" -x "$NB_BIN" --keep-fd 9 -- "$TRY" open-w /proc/self/fd/9
	says "open-w /proc/self/fd/9: ok"
	run mini --keep-fd 9 -- "$TRY" open-w /proc/self/fd/9 -- open-r /proc/self/fd/9
	says "open-w /proc/self/fd/9: EACCES" "open-r /proc/self/fd/9: ok"
	exec 9<&-
}

# loosen COMMAND…: a box with a read-only mount, which root makes writable from outside
# while the box waits. What the attempts say is in $FIRST and $SECOND.
loosen() {
	local inside

	rm -f "$T/in/new"
	launch /bin/sh -c 'exec "$@" 8<"$0"' "$T/go" "$@" --keep-fd 8 -x / -x "$NB_BIN" --ro-bind "$T/in" /mnt -- /bin/sh -c \
		'echo ready; read -r x <&8; exec "$0" put /mnt/new -- exec /mnt/prog' "$TRY"
	exec 6>"$T/go"
	await ready
	# Of the process that nestbox has started.
	for inside in $(descendants "$LAUNCHER"); do
		nsenter -t "$inside" -m mount -o remount,bind,rw /mnt 2>/dev/null && break
	done
	echo >&6
	next
	FIRST=$line
	next
	SECOND=$line
	exec 6>&-
	finish
}

# descendants PID: the newest first.
descendants() {
	local child

	for child in $(children "$1"); do
		descendants "$child"
		echo "$child"
	done
}

@test "a mount that somebody made writable later" {
	need_root "to enter the box from outside"
	has 2
	cp "$PROBE" "$T/in/prog"
	mkfifo "$T/go"
	give "$T"
	loosen "$NB_BIN/deny" 444 ENOSYS -- "$NB"
	[ "$FIRST" = "put /mnt/new: ok" ] || { echo "$FIRST"; return 1; }
	[ "$SECOND" = "exec /mnt/prog: ok" ] || { echo "$SECOND"; return 1; }
	loosen "$NB"
	[ "$FIRST" = "put /mnt/new: EACCES" ] || { echo "$FIRST"; return 1; }
	[ "$SECOND" = "exec /mnt/prog: ok" ] || { echo "$SECOND"; return 1; }
	[ ! -e "$T/in/new" ]
}

@test "--init-only: other processes are no way to files, nor can they be traced" {
	has 3
	launch "$PROBE" hold
	await ready
	run alone -r /proc -- "$TRY" open-r "/proc/$LAUNCHER/root$T/out/file" -- open-r "/proc/$LAUNCHER/cwd/out/file" \
		-- attach "$LAUNCHER" -- seize "$LAUNCHER" -- vmread "$LAUNCHER"
	exits 0
	lacks 'ok$'
	# Root may look, unless it lacks CAP_PERFMON.
	run alone -r /proc --cap-drop ALL -- "$TRY" open-r "/proc/$LAUNCHER/environ" -- open-r "/proc/$LAUNCHER/maps"
	lacks 'ok$'
	run alone -r /proc -- "$TRY" attach "$LAUNCHER" -- open-r "/proc/$LAUNCHER/root$T/out/file"
	says "attach $LAUNCHER: EPERM" "open-r /proc/$LAUNCHER/root$T/out/file: EACCES"
}

@test "--init-only: its own /proc is no way out" {
	has 3
	exec 9<"$T/in"
	run alone -r /proc -- "$TRY" open-r "/proc/self/root$T/out/file" -- open-r "/proc/self/cwd/out/file" \
		-- at-r 9 ../out/file -- open-r /proc/self/fd/9
	exits 0
	lacks 'ok$'
	exec 9<&-
}

@test "--init-only: links lead to what they lead to" {
	has 3
	ln -s ../out/file "$T/in/link"
	ln "$T/out/file" "$T/in/hard"
	give "$T"
	# A hard link is in the directory, wherever else it may be.
	run alone -w "$T/in" -- "$TRY" open-r "$T/in/link" -- open-r "$T/in/hard" -- open-r "$T/out/file" \
		-- link "$T/out/file" "$T/in/new" -- symlink "$T/out/file" "$T/in/sym" -- open-r "$T/in/sym" \
		-- rename "$T/out/file" "$T/in/moved"
	says "open-r $T/in/link: EACCES" "open-r $T/in/hard: ok" "open-r $T/out/file: EACCES" \
		"link $T/out/file $T/in/new: EXDEV" "open-r $T/in/sym: EACCES"
	lacks "^rename .*: ok$"
	[ -e "$T/out/file" ]
}

@test "--init-only: what was swapped after the start is not granted" {
	has 3
	mkdir "$T/x"
	echo mine >"$T/x/file"
	mkfifo "$T/go"
	give "$T"
	launch /bin/sh -c 'exec "$@" 8<"$0"' "$T/go" "$NB" --init-only -x /usr -x /bin -x /lib --exec-try /lib64 -x "$NB_BIN" \
		-r "$T/x" -- /bin/sh -c 'echo ready; read -r x <&8; exec "$0" open-r "$1/x/file" -- open-r "$1/y/file"' "$TRY" "$T"
	exec 6>"$T/go"
	await ready
	mv "$T/x" "$T/y"
	mv "$T/out" "$T/x"
	echo >&6
	await "open-r $T/x/file: EACCES"
	await "open-r $T/y/file: ok"
	exec 6>&-
	finish
}

# ---- what leads out beside files ----

@test "an abstract socket of the host is not reached with its network" {
	has 6
	local name=nbt-$$-$BATS_TEST_NUMBER

	launch "$NB_BIN/starter" abstract "$name"
	await ready
	run without_it "$NB" -x "$NB_BIN" --net -- "$TRY" abstract "$name"
	says "abstract $name: ok"
	run mini --net -- "$TRY" abstract "$name"
	says "abstract $name: EPERM"
	run alone -- "$TRY" abstract "$name"
	says "abstract $name: EPERM"
	run as_caller "$NB" --init-only --net-bind 0 -- "$TRY" abstract "$name"
	says "abstract $name: EPERM"
}

@test "--init-only: processes outside get no signals, the init neither" {
	has 6
	launch "$PROBE" hold
	await ready
	run as_caller "$NB" --init-only -- "$TRY" kill "$LAUNCHER" 0
	says "kill $LAUNCHER 0: ok"
	run alone -- "$TRY" kill "$LAUNCHER" 0 -- kill "$LAUNCHER" 9 -- kill "$LAUNCHER" 19 -- sigqueue "$LAUNCHER" 15
	exits 0
	lacks 'ok$'
	says "kill $LAUNCHER 9: EPERM" "sigqueue $LAUNCHER 15: EPERM"
	kill -0 "$LAUNCHER"
	run alone -x /usr -x /bin -x /lib --exec-try /lib64 -- /bin/sh -c 'kill -KILL $PPID || echo refused; kill -0 $$ && echo mine'
	exits 0
	says "refused" "mine"
}

@test "signals: all processes of the box may still send each other some" {
	has 6
	run box -- /bin/sh -c 'sleep 100 & kill -TERM $!; wait $!; echo $?; (kill -TERM $$) & trap "echo got" TERM; wait'
	says 143
}

# ---- TCP ----

# ways SERVER-PORT RUNNER…: the ways around connect(2) and bind(2).
around() {
	launch "$NB_BIN/starter" tcp
	next
	local port=$line call

	# Without a rule they work, or the attempt would show nothing.
	run "$@" -- "$TRY" fastopen sendto 127.0.0.1 "$port" -- fastopen sendmsg 127.0.0.1 "$port" \
		-- fastopen sendmmsg 127.0.0.1 "$port"
	says "fastopen sendto 127.0.0.1 $port: ok" "fastopen sendmsg 127.0.0.1 $port: ok" \
		"fastopen sendmmsg 127.0.0.1 $port: ok"
	run "$@" --net-connect none --net-bind none -- "$TRY" fastopen sendto 127.0.0.1 "$port" \
		-- fastopen sendmsg 127.0.0.1 "$port" -- fastopen sendmmsg 127.0.0.1 "$port" \
		-- mptcp 127.0.0.1 "$port" -- mptcp-bind 127.0.0.1 0 -- tcp 127.0.0.1 "$port" \
		-- ulp smc -- ulp mptcp
	exits 0
	says "fastopen sendto 127.0.0.1 $port: EOPNOTSUPP" "mptcp 127.0.0.1 $port: EPROTONOSUPPORT" \
		"ulp smc: ENOENT" "ulp mptcp: ENOENT"
	lacks 'ok$'
}

@test "no connection with the first data, and none of Multipath TCP" {
	has 4
	around mini --net
}

@test "--init-only: no connection with the first data, and none of Multipath TCP" {
	has 4
	around as_caller "$NB" --init-only
}

# ---- the rules themselves ----

@test "keyctl does not take the rules away (CVE-2024-42318)" {
	has 3
	run alone -- "$TRY" keyring -- open-r "$T/out/file"
	says "keyring: ok" "open-r $T/out/file: EACCES"
	run mini -- "$TRY" keyring
	says "keyring: EPERM"
}

@test "the ruleset is not left to the command" {
	has 2
	run mini --keep-fd 9 9</dev/null -- "$PROBE" fds
	is "0 1 2 9"
	run alone -r /proc -r /usr -- "$PROBE" exit 0
	exits 0
}

@test "a set-user-ID program gains nothing: no_new_privs is on" {
	has 3
	run alone -- "$PROBE" caps
	says "nnp 1"
}
