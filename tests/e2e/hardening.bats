#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a workload starts with besides its walls, and the walls that are built on request.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

x86() {
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
}

# both ARGUMENT… -- COMMAND…: in a box, and without one; each time the same output in $output.
both() {
	local boxed boxed_status

	run --separate-stderr mini "$@"
	boxed=$output boxed_status=$status
	run --separate-stderr nb --init-only "$@"
	[ "$output" = "$boxed" ] && [ "$status" = "$boxed_status" ] || {
		echo "boxed: $boxed_status $boxed, alone: $status $output $stderr"
		return 1
	}
}

# ---- limits ----

@test "--rlimit: each name, soft and hard, as the kernel tells them" {
	local line name title values
	while read -r name values title; do
		run mini --rlimit "$name=$values" -- "$PROBE" cat /proc/self/limits
		exits 0
		[[ $(grep "^$title  " <<<"$output") =~ ^"$title"\ +${values%:*}\ +${values#*:}\  ]] ||
			{ grep "^$title" <<<"$output"; return 1; }
	done <<-'END'
		as 4294967296:8589934592 Max address space
		core 1:2 Max core file size
		cpu 1000:2000 Max cpu time
		data 1073741824:2147483648 Max data size
		fsize 1048576:2097152 Max file size
		locks 10:20 Max file locks
		memlock 4096:8192 Max locked memory
		msgqueue 4096:8192 Max msgqueue size
		nice 0:0 Max nice priority
		nofile 64:128 Max open files
		nproc 500:600 Max processes
		rss 1048576:2097152 Max resident set
		rtprio 0:0 Max realtime priority
		rttime 1000000:2000000 Max realtime timeout
		sigpending 10:20 Max pending signals
		stack 1048576:2097152 Max stack size
	END
}

@test "--rlimit: a limit that holds" {
	run mini --rlimit fsize=3 -w "$T" -- "$TRY" put "$T/file"
	both --rlimit nofile=3 -- "$TRY" open-r /proc/self/status
	matches EMFILE
}

@test "--rlimit: bad values, for every name: 125, nothing started" {
	local name value
	for name in as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack; do
		for value in "" 2:1 -1 1: :1 1:2:3 "1 " 1k 0x1 18446744073709551615 18446744073709551616 unlimited:1 inf; do
			run --separate-stderr nb --rlimit "$name=$value" -- /x
			[ "$status" -eq 125 ] || { echo "$name=$value: $status"; return 1; }
		done
	done
	refused "options: --rlimit" --rlimit swap=1
	refused "options: --rlimit" --rlimit RLIMIT_CORE=1
}

# ---- what is always so ----

@test "dumpable: the workload is, process 1 is not" {
	run mini -- "$PROBE" caps
	says "dumpable 1"
	# Who may not trace may not read this either: proc(5).
	run mini -- "$TRY" read /proc/1/environ -- readlink /proc/1/exe -- readlink /proc/1/ns/pid
	lacks ": ok"
	run nb --init-only -- "$PROBE" caps
	says "dumpable 1"
}

@test "signals: whatever the caller ignores and blocks, the workload has none of it" {
	local how
	for how in ignore block; do
		run as_caller "$NB_BIN/starter" $how "$NB" -x "$NB_BIN" -- "$PROBE" sigs
		is "blocked 0000000000000000"
		run as_caller "$NB_BIN/starter" $how "$NB" --init-only -- "$PROBE" sigs
		is "blocked 0000000000000000"
	done
	# The caller's are all but SIGKILL and SIGSTOP.
	run as_caller "$NB_BIN/starter" ignore "$PROBE" sigs
	[ "$(grep -c '^ignored ' <<<"$output")" -eq 62 ]
	run as_caller "$NB_BIN/starter" block "$PROBE" sigs
	is "blocked fffffffffffbfeff"
}

@test "PATH: the box's own, in the box" {
	mkdir "$T/bin"
	cp "$PROBE" "$T/bin/wanted"
	give "$T"
	run -127 --separate-stderr env "PATH=$T/bin:$PATH" "${CALLER[@]}" "$NB" -x "$NB_BIN" -x "$T/bin" -- wanted exit 3
	run mini -x "$T/bin" --setenv PATH "/none:$T/bin" -- wanted exit 3
	exits 3
	# The file is there on the host alone.
	run -127 --separate-stderr mini --setenv PATH "$T/bin" -- wanted exit 3
	one_line "exec: wanted: No such file or directory"
}

@test "process names: launcher and process 1 are nestbox, also when started from a descriptor" {
	run box -- /bin/sh -c 'cat /proc/1/comm'
	is nestbox
	[ -x /usr/bin/python3 ] || skip "python3 is not installed"
	run as_caller /usr/bin/python3 -c '
import os, sys
fd = os.memfd_create("other", os.MFD_CLOEXEC)
os.write(fd, open(sys.argv[1], "rb").read())
os.execve(fd, ["nestbox"] + sys.argv[2:], os.environ)' "$NB" -x "$NB_BIN" -- "$PROBE" cat /proc/1/comm
	is nestbox
}

# ---- on request ----

@test "--umask" {
	both --umask 027 -- "$PROBE" umask
	is 0027
	both --umask 0 -- "$PROBE" umask
	is 0000
	both --umask 777 -- "$PROBE" umask
	is 0777
	(umask 013; run mini -- "$PROBE" umask; is 0013)
	# It is the workload's alone.
	run mini --umask 777 --dir /made -- "$PROBE" stat /made
	matches "^0?40755 "
}

@test "--umask: bad values: 125, nothing started" {
	local value
	for value in "" 8 1000 -1 +7 " 7" "7 " 0x7 u=rwx 77777777777777777777777777; do
		refused "options: --umask: must be an octal number" --umask "$value"
	done
}

@test "--no-coredump: no file, and nothing for a program of the host" {
	both --no-coredump -- "$PROBE" limits core
	is "core 1:1"
	both --rlimit core=unlimited --no-coredump -- "$PROBE" limits core
	is "core 1:1"
	run mini --no-coredump --status-fd 8 -w "$T" --chdir "$T" -- "$PROBE" die 6 8>"$T/events"
	grep -qF '"signal":6,"core":false' "$T/events"
	run nb --init-only --no-coredump --chdir "$T" -- "$PROBE" die 6
	exits 134
	[ "$(ls "$T")" = events ]
}

@test "--no-coredump: a limit of one byte is what the kernel takes for none at all" {
	[ "$(cat /proc/sys/kernel/core_pattern)" = core ] || skip "core_pattern is not a plain file"
	[ "$(ulimit -Hc)" != 0 ] || skip "the hard limit forbids cores"
	run mini --rlimit core=unlimited --status-fd 8 -w "$T" --chdir "$T" -- "$PROBE" core "$T" 8>"$T/events"
	grep -qF '"core":true' "$T/events"
	run mini --no-coredump --status-fd 8 -w "$T" --chdir "$T" -- "$PROBE" die 6 8>"$T/events"
	grep -qF '"core":false' "$T/events"
}

@test "--deny-tsc: who reads the counter dies, and cannot have it back" {
	x86
	run mini -- "$PROBE" tsc
	is "tsc ok"
	both --deny-tsc -- "$PROBE" tsc
	exits 139
	both --deny-tsc -- "$PROBE" tsc back
	exits 139
	is "asked Operation not permitted"
	run mini --deny-tsc --status-fd 8 -- "$PROBE" exit 3 8>"$T/events"
	exits 3
	grep -qF '"tsc":"on"' "$T/events"
	run nb --init-only --deny-tsc -- "$PROBE" caps
	says "nnp 1" "seccomp 2"
}

@test "--deny-tsc: with the vDSO on that counter, the time of day is lost, too" {
	x86
	[ "$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)" = tsc ] || skip "about machines with the clock tsc"
	run mini --deny-tsc -- "$PROBE" clock
	exits 139
}

@test "--deny-tsc where there is none: an error, a warning, a silence" {
	x86
	run --separate-stderr as_caller "$NB_BIN/deny" 157:25 EINVAL -- "$NB" -x "$NB_BIN" --deny-tsc -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: tsc: needs an x86 processor$"
	run --separate-stderr as_caller "$NB_BIN/deny" 157:25 EINVAL -- "$NB" -x "$NB_BIN" --deny-tsc \
		--on-missing tsc=warn --status-fd 8 -- "$PROBE" tsc 8>"$T/events"
	is "tsc ok"
	[ "$stderr" = "nestbox: warning: tsc: needs an x86 processor" ]
	grep -qF '"tsc":"missing"},"missing":["tsc"]' "$T/events"
	run --separate-stderr as_caller "$NB_BIN/deny" 157:25 EINVAL -- "$NB" --init-only --deny-tsc \
		--on-missing tsc=silent --status-fd 8 -- "$PROBE" tsc 8>"$T/events"
	is "tsc ok"
	[ -z "$stderr" ]
	grep -qF '"missing":["tsc"]' "$T/events"
}

@test "--mdwe: no memory becomes executable, and none is both" {
	run mini --mdwe -- "$PROBE" exit 3
	[ "$status" -ne 125 ] || skip "this kernel has no PR_SET_MDWE"
	run mini -- "$PROBE" code
	is "writable and executable ok
made executable ok
state 0"
	run mini --mdwe -- "$PROBE" code
	is "writable and executable Permission denied
made executable Permission denied
state 1"
	run nb --init-only --mdwe -- "$PROBE" code
	matches "^made executable Permission denied"
	# Ordinary programs do not mind, and it goes on to those that they start.
	run box --mdwe -- /bin/sh -c "exec $PROBE code"
	matches "^made executable Permission denied"
	run mini --mdwe --as-pid-1 -- "$PROBE" code
	matches "^made executable Permission denied"
}

@test "--mdwe where the kernel lacks it: an error, a warning" {
	x86
	run --separate-stderr as_caller "$NB_BIN/deny" 157:66 EINVAL -- "$NB" -x "$NB_BIN" --mdwe -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: mdwe: needs Linux 6.3 or newer$"
	run --separate-stderr as_caller "$NB_BIN/deny" 157:65,157:66 EINVAL -- "$NB" -x "$NB_BIN" --mdwe \
		--on-missing all=warn --status-fd 8 -- "$PROBE" exit 3 8>"$T/events"
	exits 3
	grep -qF '"missing":["mdwe"]' "$T/events"
	# One that knows the question and not the answer.
	run --separate-stderr as_caller "$NB_BIN/deny" 157:65 EPERM -- "$NB" -x "$NB_BIN" --mdwe -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: mdwe: Operation not permitted$"
}

@test "--new-keyring: the caller's keys are not there" {
	run --separate-stderr as_caller "$PROBE" with-key nbtest "$PROBE" keyring nbtest
	[ "$status" -eq 0 ] || skip "keys cannot be had here"
	says "key ok"
	run --separate-stderr as_caller "$PROBE" with-key nbtest "$NB" --init-only -- "$PROBE" keyring nbtest
	says "key ok"
	run --separate-stderr as_caller "$PROBE" with-key nbtest "$NB" --init-only --new-keyring -- "$PROBE" keyring nbtest
	says "key Required key not available"
	run --separate-stderr as_caller "$PROBE" with-key nbtest "$NB" --filter none --new-keyring -x "$NB_BIN" -- \
		"$PROBE" keyring nbtest
	says "key Required key not available"
}

@test "without a filter of ours that refuses keys the caller's are not there either" {
	run --separate-stderr as_caller "$PROBE" with-key nbtest "$PROBE" keyring nbtest
	[ "$status" -eq 0 ] || skip "keys cannot be had here"
	run --separate-stderr as_caller "$PROBE" with-key nbtest "$NB" --filter none -x "$NB_BIN" -- "$PROBE" keyring nbtest
	says "key Required key not available"
	echo '{"defaultAction":"SCMP_ACT_ALLOW"}' >"$T/all.json"
	run --separate-stderr as_caller "$PROBE" with-key nbtest "$NB" --filter "$T/all.json" -x "$NB_BIN" -- \
		"$PROBE" keyring nbtest
	says "key Required key not available"
	x86
	run --separate-stderr as_caller "$NB_BIN/deny" 250 EPERM -- "$NB" -x "$NB_BIN" --filter none -- "$PROBE" exit 3
	exits 3
	[ -z "$stderr" ]
}

@test "the calls for keys are closed without it, too" {
	run mini -- "$PROBE" keyring nbtest
	exits 99
	matches "Operation not permitted"
}

@test "--new-keyring where it cannot be had; where there are no keys there is nothing to leave" {
	x86
	run --separate-stderr as_caller "$NB_BIN/deny" 250 EPERM -- "$NB" -x "$NB_BIN" --new-keyring -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: keyring: Operation not permitted$"
	run --separate-stderr as_caller "$NB_BIN/deny" 250 EPERM -- "$NB" -x "$NB_BIN" --new-keyring \
		--on-missing keyring=warn --status-fd 8 -- "$PROBE" exit 3 8>"$T/events"
	exits 3
	[ "$stderr" = "nestbox: warning: keyring: Operation not permitted" ]
	grep -qF '"missing":["keyring"]' "$T/events"
	run --separate-stderr as_caller "$NB_BIN/deny" 249,250 ENOSYS -- "$NB" -x "$NB_BIN" --new-keyring -- "$PROBE" exit 3
	exits 3
	[ -z "$stderr" ]
	# One of the calls alone is no kernel without keys.
	run --separate-stderr as_caller "$NB_BIN/deny" 250 ENOSYS -- "$NB" -x "$NB_BIN" --new-keyring -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: keyring: Function not implemented$"
}

@test "--spec-allow: the filters are put on with that flag, and without it only then" {
	x86
	command -v strace >/dev/null || skip "strace is not installed"
	both --spec-allow -- "$PROBE" exit 3
	exits 3
	# A kernel before the flag would say EINVAL; deny knows no second argument, strace does.
	need_plain_caller
	as_caller strace -f -qq -e trace=seccomp -o "$T/log" "$NB" --spec-allow -x "$NB_BIN" -- "$PROBE" exit 0
	grep -q 'SECCOMP_FILTER_FLAG_SPEC_ALLOW' "$T/log"
	as_caller strace -f -qq -e trace=seccomp -o "$T/log" "$NB" -x "$NB_BIN" -- "$PROBE" exit 0
	! grep -q 'SECCOMP_FILTER_FLAG_SPEC_ALLOW' "$T/log"
}

@test "all of them together" {
	run mini --deny-tsc --mdwe --new-keyring --spec-allow --no-coredump --umask 077 --on-missing all=warn \
		--map-fd 3=null --rlimit nofile=64 -- "$PROBE" umask
	is 0077
	run nb --init-only --deny-tsc --mdwe --new-keyring --spec-allow --no-coredump --umask 077 --on-missing all=warn \
		--map-fd 3=null --rlimit nofile=64 -- "$PROBE" umask
	is 0077
}

@test "bwrap knows none of these options" {
	local option
	for option in --deny-tsc --mdwe --no-coredump --new-keyring --spec-allow; do
		run --separate-stderr nb --as bwrap $option -- "$PROBE" exit 3
		exits 1
	done
}

@test "--explain shows what was asked for" {
	run mini --mdwe --new-keyring --rlimit nofile=64 --no-coredump --map-fd 9=0 --map-fd 4=null --keep-fd 2 \
		--on-missing net=warn --on-missing mdwe=silent --explain -- "$PROBE" exit 3
	exits 0
	says "|-- on request keyring mdwe" "|-- may be missing net mdwe" "|-- limit NOFILE 64:64" \
		"|-- limit CORE 1:1" "|-- descriptors 2 9=0 4=null"
	run nb --init-only --rlimit core=0:unlimited --explain -- "$PROBE" exit 3
	says "|-- limit CORE 0:unlimited"
	lacks "on request|may be missing|descriptors"
}

@test "what was taken stays taken, in the children, too" {
	run box --no-coredump --rlimit nofile=64 -- /bin/sh -c \
		'for l in c n; do ulimit -H$l; ulimit -$l 1000 && echo raised; ulimit -H$l 1000 && echo raised; done 2>/dev/null
		 sh -c "ulimit -Sn; ulimit -Hn"'
	lacks raised
	matches "^64$"
	run mini --mdwe -- "$PROBE" exit 3
	[ "$status" -ne 125 ] || skip "this kernel has no PR_SET_MDWE"
	run box --mdwe -- /bin/sh -c "$PROBE code; $PROBE code & wait"
	[ "$(grep -c '^made executable Permission denied' <<<"$output")" -eq 2 ]
	x86
	run mini --deny-tsc -- "$PROBE" again "$PROBE" tsc
	is "child 11"
}
