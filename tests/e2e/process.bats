#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Directory, name, limits, umask, session, shape: the state the command starts in.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# ---- working directory ----

@test "the caller's directory, when it exists inside" {
	cd "$T"
	run mini -r "$T" -- "$PROBE" cwd
	is "$T"
}

@test "/ when it does not" {
	cd /usr
	run mini -- "$PROBE" cwd
	is /
}

@test "the caller's directory below a granted one" {
	mkdir -p "$T/a/b"
	cd "$T/a/b"
	run mini -r "$T/a" -- "$PROBE" cwd
	is "$T/a/b"
}

@test "a directory with spaces, newlines and odd bytes" {
	local odd=$T/$'a b\n\xff'
	mkdir "$odd"
	cd "$odd"
	run mini -r "$odd" -- "$PROBE" cwd
	is "$odd"
}

@test "a removed directory of the caller ends at /" {
	mkdir "$T/gone"
	cd "$T/gone"
	rmdir "$T/gone"
	run nb -x "$NB_BIN" -- "$PROBE" cwd
	exits 0
	is /
}

@test "--chdir" {
	run mini --chdir /tmp -- "$PROBE" cwd
	is /tmp
	run mini --tmpfs /a --dir /a/b --chdir=/a/b -- "$PROBE" cwd
	is /a/b
}

@test "--chdir follows a link inside the box" {
	run mini --symlink /tmp /link --chdir /link -- "$PROBE" cwd
	is /tmp
}

# ---- names ----

@test "--hostname sets the name inside only" {
	local before
	before=$(uname -n)
	run mini --hostname nbt-box -- "$PROBE" uname
	is nbt-box
	[ "$(uname -n)" = "$before" ]
}

@test "--hostname of 64 bytes" {
	local name
	name=$(printf 'h%.0s' {1..64})
	run mini --hostname "$name" -- "$PROBE" uname
	is "$name"
}

@test "the workload cannot change the name" {
	run mini -- "$TRY" sethostname evil
	exits 0
}

@test "--argv0 sets the first word" {
	run mini --argv0 "other name" -- "$PROBE" args x
	is $'[other name]\n[args]\n[x]'
	run mini --argv0 "" -- "$PROBE" args x
	is $'[]\n[args]\n[x]'
}

@test "--argv0 does not change what is searched" {
	run mini --argv0 -sh --setenv PATH "$NB_BIN" -- probe args
	is $'[-sh]\n[args]'
}

# ---- limits ----

@test "--rlimit sets soft and hard" {
	run mini --rlimit nofile=64:128 -- "$PROBE" limits nofile
	is "nofile 64:128"
}

@test "--rlimit: one value is both" {
	run mini --rlimit nofile=64 -- "$PROBE" limits nofile
	is "nofile 64:64"
}

@test "--rlimit: names in capitals" {
	run mini --rlimit NOFILE=64 -- "$PROBE" limits nofile
	is "nofile 64:64"
}

@test "--rlimit: unlimited, soft and hard" {
	run mini --rlimit cpu=10:unlimited -- "$PROBE" limits cpu
	is "cpu 10:unlimited"
	run mini --rlimit cpu=unlimited -- "$PROBE" limits cpu
	is "cpu unlimited:unlimited"
}

@test "--rlimit knows every name" {
	run mini --rlimit as=4294967296 --rlimit core=0 --rlimit cpu=100 --rlimit data=1073741824 \
		--rlimit fsize=1048576 --rlimit memlock=4096 --rlimit msgqueue=4096 --rlimit nice=0 \
		--rlimit nofile=64 --rlimit nproc=50 --rlimit rtprio=0 --rlimit rttime=1000000 \
		--rlimit sigpending=100 --rlimit stack=1048576 -- "$PROBE" limits
	exits 0
	says "as 4294967296:4294967296" "core 0:0" "cpu 100:100" "data 1073741824:1073741824" \
		"fsize 1048576:1048576" "memlock 4096:4096" "msgqueue 4096:4096" "nice 0:0" \
		"nofile 64:64" "nproc 50:50" "rtprio 0:0" "rttime 1000000:1000000" \
		"sigpending 100:100" "stack 1048576:1048576"
}

@test "--rlimit: the last one of a name wins, several names add up" {
	run mini --rlimit nofile=64 --rlimit nofile=65 --rlimit core=0 -- "$PROBE" limits
	says "nofile 65:65" "core 0:0"
}

@test "--rlimit: a number at the kernel's end" {
	run mini --rlimit fsize=9223372036854775807 -- "$PROBE" limits fsize
	is "fsize 9223372036854775807:9223372036854775807"
}

@test "--rlimit above the caller's hard limit: 125, nothing started" {
	need_plain_caller
	ulimit -n 512
	refused "^nestbox: rlimit: (nofile|NOFILE): " --rlimit nofile=1024
}

@test "--rlimit cpu ends a spinning workload" {
	run box --rlimit cpu=1:5 -- /bin/sh -c 'while :; do :; done'
	exits 152
}

@test "--rlimit fsize holds" {
	run box --rlimit fsize=0 -- /bin/sh -c 'trap "" XFSZ; echo x >/tmp/f'
	[ "$status" -ne 0 ]
}

@test "limits that nobody named are the caller's" {
	local soft hard
	soft=$(ulimit -Sn)
	hard=$(ulimit -Hn)
	run mini -- "$PROBE" limits nofile
	is "nofile $soft:$hard"
	ulimit -Sn 100
	run mini -- "$PROBE" limits nofile
	is "nofile 100:$hard"
}

@test "--rlimit can lower what nestbox itself needs" {
	run mini --rlimit fsize=0 --rlimit nproc=1 --rlimit stack=200000 --rlimit core=0 \
		-- "$PROBE" exit 3
	exits 3
	run mini --rlimit nofile=3 -- "$PROBE" exit 3
	exits 3
}

# ---- umask ----

@test "the umask is the caller's" {
	local u
	for u in 0022 0077 0000 0777; do
		umask "$u"
		run mini -- "$PROBE" umask
		is "$u"
	done
}

@test "umask 0777: the box is whole" {
	mkdir "$T/d"
	echo x >"$T/d/f"
	umask 0777
	run mini -r "$T/d" --tmpfs /a/b --dir /c/d -- "$PROBE" cat "$T/d/f"
	is x
	run mini --tmpfs /a/b --dir /c/d -- "$PROBE" stat / /a /c /dev /proc /tmp
	matches "^040755 .* /$" "^040755 .* /a$" "^040755 .* /c$" "^040755 .* /dev$" \
		"^040555 .* /proc$" "^041777 .* /tmp$"
}

@test "umask 0: nothing is open that should not be" {
	umask 0
	run mini --tmpfs /a/b --dir /c/d -- "$PROBE" stat / /a /c /dev /tmp
	matches "^040755 .* /$" "^040755 .* /a$" "^040755 .* /c$" "^040755 .* /dev$" \
		"^041777 .* /tmp$"
}

# ---- session and shape ----

# shape ARGUMENT…: a box that holds; LAUNCHER, INIT and WORKLOAD are its processes.
shape() {
	start -x "$NB_BIN" "$@" -- "$PROBE" hold
	await ready
	INIT=$(children "$LAUNCHER")
	INIT=${INIT% }
	WORKLOAD=$(children "$INIT")
	WORKLOAD=${WORKLOAD% }
}

# field PID N: a field of its stat line, counted after the name.
field() {
	sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f"$2"
}

@test "three processes: launcher, PID 1, workload" {
	shape
	[[ $INIT =~ ^[0-9]+$ ]]
	[[ $WORKLOAD =~ ^[0-9]+$ ]]
	[ "$(tr '\0' ' ' <"/proc/$WORKLOAD/cmdline")" = "$PROBE hold " ]
	[ "$(children "$WORKLOAD")" = "" ]
	grep -qE "^NSpid:.*[[:space:]]1$" "/proc/$INIT/status"
}

@test "no thread is left in launcher or PID 1" {
	shape
	[ "$(ls "/proc/$LAUNCHER/task")" = "$LAUNCHER" ]
	[ "$(ls "/proc/$INIT/task")" = "$INIT" ]
}

@test "the workload's parent is PID 1" {
	run mini -- "$PROBE" session
	says "ppid 1"
}

@test "the box has a process group of its own, and without a terminal a session" {
	shape
	[ "$(field "$WORKLOAD" 3)" = "$INIT" ]
	[ "$(field "$INIT" 3)" = "$INIT" ]
	[ "$(field "$LAUNCHER" 3)" != "$INIT" ]
	run as_caller setsid -w "$NB" -x "$NB_BIN" -- "$PROBE" session
	says "pgrp 1" "sid 1"
}

@test "--new-session gives the workload one of its own" {
	shape --new-session
	[ "$(field "$WORKLOAD" 4)" = "$WORKLOAD" ]
	[ "$(field "$WORKLOAD" 3)" = "$WORKLOAD" ]
	run mini --new-session -- "$PROBE" session
	[ "$(grep ^pid <<<"$output" | cut -d' ' -f2)" = "$(grep ^sid <<<"$output" | cut -d' ' -f2)" ]
}

@test "every namespace is the box's own" {
	local kind
	shape
	for kind in user pid mnt ipc uts cgroup net; do
		[ "$(readlink "/proc/$WORKLOAD/ns/$kind")" != "$(readlink "/proc/$LAUNCHER/ns/$kind")" ] || {
			echo "shared: $kind"
			return 1
		}
	done
}

@test "the workload's user namespace is nested in PID 1's" {
	shape
	[ "$(readlink "/proc/$WORKLOAD/ns/user")" != "$(readlink "/proc/$INIT/ns/user")" ]
	[ "$(readlink "/proc/$WORKLOAD/ns/mnt")" = "$(readlink "/proc/$INIT/ns/mnt")" ]
}

@test "PID 1 keeps no capability and has a filter" {
	shape
	grep -qE '^CapEff:[[:space:]]0{16}$' "/proc/$INIT/status"
	grep -qE '^CapPrm:[[:space:]]0{16}$' "/proc/$INIT/status"
	grep -qE '^NoNewPrivs:[[:space:]]1$' "/proc/$INIT/status"
	grep -qE '^Seccomp:[[:space:]]2$' "/proc/$INIT/status"
}

@test "PID 1 and the launcher hold no directory or file of the host open in the box" {
	need_root "looks into PID 1"
	shape -r /etc
	local link
	for link in "/proc/$INIT/fd/"*; do
		[ -e "$link" ] || [ -L "$link" ] || continue
		case $(readlink "$link") in
		/dev/null | pipe:* | socket:* | anon_inode:* | /dev/pts/*) ;;
		"$T/"*) [ "${link##*/}" -le 2 ] ;;
		*) [ "${link##*/}" -le 2 ] || { ls -l "$link"; return 1; } ;;
		esac
	done
	[ "$(readlink "/proc/$INIT/root")" = / ]
}

# ---- network ----

@test "no network by default: only lo, and it is up" {
	run mini -- "$PROBE" cat /proc/net/dev
	[ "$(grep -c : <<<"$output")" -eq 1 ]
	matches '^ *lo:'
	run mini -- "$TRY" ifup lo -- loopback
	says "ifup lo: ok" "loopback: ok"
}

@test "no network by default: a server on the host is not reached" {
	launch "$NB_BIN/starter" tcp
	next
	local port=$line
	await ready
	run mini -- "$TRY" tcp 127.0.0.1 "$port"
	says "tcp 127.0.0.1 $port: ECONNREFUSED"
}

@test "no network by default: nothing beyond" {
	run mini -- "$TRY" tcp 192.0.2.1 80
	says "tcp 192.0.2.1 80: ENETUNREACH"
}

@test "--net shares the caller's network" {
	launch "$NB_BIN/starter" tcp
	next
	local port=$line
	await ready
	run mini --net -- "$TRY" tcp 127.0.0.1 "$port"
	says "tcp 127.0.0.1 $port: ok"
	run mini --net -- "$PROBE" readlink /proc/self/ns/net
	is "$(readlink /proc/self/ns/net)"
}

# ---- new thread libraries, shells, compilers ----

@test "a shell pipeline, a subshell, a background job" {
	run box -- /bin/sh -c 'echo a b | tr a-z A-Z; (exit 3); echo $?; true & wait $!; echo $?'
	is $'A B\n3\n0'
}

@test "a Python job with threads and processes" {
	[ -x /usr/bin/python3 ] || skip "/usr/bin/python3 is not installed"
	run box -- /usr/bin/python3 -c '
import subprocess, threading, os
t = threading.Thread(target=lambda: print("thread")); t.start(); t.join()
print(subprocess.run(["true"]).returncode)'
	is $'thread\n0'
}
