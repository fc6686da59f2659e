#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# libnestbox: programs that start boxes, linked with each C library that the archive is for.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common.bash

setup_file() {
	nb_setup_file
	cp "${NESTBOX%/*}"/library/* "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR"/bin/*
}

setup() {
	nb_setup
	export NB_BIN
	HOSTS=("$NB_BIN"/host-*)
	[ -x "${HOSTS[0]}" ]
}

# each COMMAND…: by each host; the outputs must be $wanted.
each() {
	for host in "${HOSTS[@]}"; do
		run --separate-stderr as_caller "$host" "$@"
		[ "$output" = "$wanted" ] || {
			printf '%s: status %s\n%s\nwanted:\n%s\nstderr: %s\n' \
				"${host##*/}" "$status" "$output" "$wanted" "$stderr" >&2
			return 1
		}
	done
}

# a LINE…: what is wanted.
a() {
	wanted=$(printf '%s\n' "$@")
}

@test "a box: started, exited with its code" {
	a started "exited 7"
	each run -- "$PROBE" exit 7
	a started "exited 0"
	each run -- "$PROBE" exit 0
	a started "exited 255"
	each run -- "$PROBE" exit 255
}

@test "a signal and an exit code that looks like one are told apart" {
	a started "signalled 15 0"
	each run -- "$PROBE" die 15
	a started "exited 143"
	each run -- "$PROBE" exit 143
	a started "exited 124"
	each run -- "$PROBE" exit 124
	a started "exited 125"
	each run timeout:60000 -- "$PROBE" exit 125
}

@test "a timeout" {
	a "out: ready" started "timed out"
	each run timeout:300 stdio:1:2 -- "$PROBE" hold
}

@test "what cannot be executed: step, object, errno, hint, message" {
	local hint='not in the box, or its interpreter or loader is not; grant it with --exec'
	a "failed: exec|/no/such/program|2||$hint" \
		"message: exec: /no/such/program: No such file or directory ($hint)"
	each run -- /no/such/program
}

@test "what cannot be set up, and values that the launcher refuses, are events" {
	a "failed: grant|$T/none|2||" "message: grant: $T/none: No such file or directory"
	each run "grant:1:$T/none" -- "$PROBE" exit 0
	a 'failed: options|--rlimit|0|must be NAME=SOFT[:HARD] with a name of setrlimit(2) and numbers or "unlimited", SOFT no more than HARD|' \
		'message: options: --rlimit: must be NAME=SOFT[:HARD] with a name of setrlimit(2) and numbers or "unlimited", SOFT no more than HARD'
	each run limit:nofile:20:10 -- "$PROBE" exit 0
	each run limit:no-such-limit-of-any-system-that-there-is:1:1 -- "$PROBE" exit 0
	a "failed: options|COMMAND|0|is empty|" "message: options: COMMAND: is empty"
	each run -- ""
	a started "exited 0"
	each run "grant:9:$T/none" -- "$PROBE" exit 0
}

@test "bad use of every function is refused at once, for good, with its own number" {
	a "all refused"
	each errors
}

# shellcheck disable=SC2016 # for another shell
@test "standard descriptors: pipes, null, inherited, a descriptor, two in one" {
	a "out: a line" started "exited 0"
	each run stdio:0:2 stdio:1:2 -- "$PROBE" cat /dev/stdin
	a started "exited 0"
	each run stdio:0:1 stdio:1:2 -- "$PROBE" cat /dev/stdin
	a "out: 0 1 2" started "exited 0"
	each run stdio:1:2 -- "$PROBE" fds
	a "out: probe: /none: No such file or directory" started "exited 99"
	each run stdio:1:2 stdio:2:4 -- "$PROBE" cat /none
	a "err: probe: /none: No such file or directory" started "exited 99"
	each run stdio:1:2 stdio:2:2 -- "$PROBE" cat /none
	for host in "${HOSTS[@]}"; do
		# Inherited: the caller's own, which the two write to in no order.
		run --separate-stderr as_caller "$host" run -- "$PROBE" fds
		says "0 1 2" started "exited 0"
		run as_caller /bin/sh -c '"$@" 8>&1 >/dev/null' - "$host" run stdio:1:3:8 -- "$PROBE" fds
		is "0 1 2"
	done
	a "out: line" started "exited 0"
	for host in "${HOSTS[@]}"; do
		run as_caller /bin/sh -c 'echo line | "$@"' - "$host" run stdio:1:2 -- "$PROBE" cat /dev/stdin
		is "$wanted"
	done
}

@test "descriptors of the caller: only those that were named, under the numbers that were named" {
	a "out: 0 1 2" started "exited 0"
	for host in "${HOSTS[@]}"; do
		run as_caller "$host" run stdio:1:2 -- "$PROBE" fds 7</dev/null 9</
		is "$wanted"
		run as_caller "$host" run stdio:1:2 fd:3:7 fd:19:7 -- "$PROBE" fds 7</dev/null 9</
		says "out: 0 1 2 3 19"
	done
}

@test "files reach the box in every order, also when they are 0, 1 and 2 here" {
	a "all orders"
	each permute 10 abcd
	each permute 0 abcd
	each permute 3 abcde
}

@test "options: any, with descriptors, and data as often as there are boxes" {
	a "out: some text" started "exited 0"
	each run "data:ro-bind-data:some text"$'\n:/file' stdio:1:2 -- "$PROBE" cat /file
	for host in "${HOSTS[@]}"; do
		run as_caller "$host" run option:file:8:/file stdio:1:2 -- "$PROBE" cat /file 8<<<"other text"
		says "out: other text" "exited 0"
		run as_caller "$host" run option:symlink:/a/b:/c stdio:1:2 -- "$PROBE" readlink /c
		says "out: /a/b"
	done
}

@test "environment: kept, set, unset, cleared" {
	export KEPT=kept OTHER=other
	for host in "${HOSTS[@]}"; do
		run as_caller "$host" run keep-env:KEPT set-env:SET:value stdio:1:2 -- "$PROBE" env
		says "out: KEPT=kept" "out: SET=value"
		lacks OTHER NB_BIN
		run as_caller "$host" run keep-all-env unset-env:KEPT stdio:1:2 -- "$PROBE" env
		says "out: OTHER=other"
		lacks KEPT
		run as_caller "$host" run keep-all-env clear-env stdio:1:2 -- "$PROBE" env
		is "$(a started "exited 0"; echo "$wanted")"
	done
	a "failed: options|--setenv|0|that is no name of a variable|" \
		"message: options: --setenv: that is no name of a variable"
	each run set-env:a=b:c -- "$PROBE" env
}

@test "environment: much of it, and too much" {
	a "16 1600104" "exited 0" "failed: exec: 1" "spawn: exec"
	each environment
}

@test "ids, host name, directory, argv[0], limits" {
	for host in "${HOSTS[@]}"; do
		run as_caller "$host" run ids:777:778 stdio:1:2 -- "$PROBE" ids
		matches '777.* 777' '778'
		run as_caller "$host" run ids:-1:-1 stdio:1:2 -- "$PROBE" ids
		matches "$NB_UID"
		run as_caller "$host" run hostname:inside stdio:1:2 -- "$PROBE" uname
		matches inside
		run as_caller "$host" run chdir:/tmp stdio:1:2 -- "$PROBE" cwd
		matches 'out: /tmp'
		run as_caller "$host" run argv0:name stdio:1:2 -- "$PROBE" args x
		says "out: [name]"
		run as_caller "$host" run limit:nofile:77:88 limit:core:0:0 stdio:1:2 -- "$PROBE" limits
		says "out: nofile 77:88" "out: core 0:0"
	done
}

@test "filters: a built-in one, none that is unknown, and a program of the caller's" {
	a started "exited 7"
	each run filter:network -- "$PROBE" exit 7
	for host in "${HOSTS[@]}"; do
		run as_caller "$host" run filter:no-such-profile -- "$PROBE" exit 7
		matches '^failed: options\|--filter\|0\|'
		# seccomp(2): all calls are killed for.
		run as_caller "$host" run option:seccomp:8 -- "$PROBE" exit 7 8< <(printf '\6\0\0\0\0\0\0\x80')
		says "signalled 31 0"
	done
}

@test "shared and own network" {
	for host in "${HOSTS[@]}"; do
		run as_caller "$host" run share-network stdio:1:2 -- "$PROBE" readlink /proc/self/ns/net
		matches "net:" && shared=$output
		run as_caller "$host" run stdio:1:2 -- "$PROBE" readlink /proc/self/ns/net
		matches "net:" && [ "$output" != "$shared" ]
		says "exited 0"
		[[ $shared == *"$(readlink /proc/self/ns/net)"* ]]
	done
}

@test "nothing is written to the caller's standard error, whatever fails" {
	for host in "${HOSTS[@]}"; do
		run --separate-stderr as_caller "$host" run "grant:1:$T/none" -- x
		[ -z "$stderr" ]
		run --separate-stderr as_caller "$host" run option:uid:x -- x
		[ -z "$stderr" ]
		run --separate-stderr as_caller "$host" run -- /no/such/program
		[ -z "$stderr" ]
		run --separate-stderr as_caller "$host" run option:chdir:/ option:chdir:/ -- "$PROBE" exit 0
		[ -z "$stderr" ]
	done
}

@test "every descriptor of the library is close-on-exec and above 2" {
	a "all are"
	each flags
}

@test "closed 0, 1 and 2 stay closed in the box" {
	a "out: 1" started "exited 0"
	for host in "${HOSTS[@]}"; do
		run as_caller /bin/sh -c 'exec "$@" <&- 2>&-' - "$host" run stdio:1:2 -- "$PROBE" fds
		is "$wanted"
	done
}

@test "a full table of descriptors: an error or a box, and nothing stays" {
	a "all clear"
	each full
}

@test "eight threads start a thousand boxes; no descriptor and no process is left" {
	a "1000 of 1000 ended as they should" "descriptors: +0" "children: none"
	NB_LIMIT=240
	# One host is enough for so many; a sanitizer looks for memory.
	HOSTS=("${HOSTS[0]}")
	each threads 8 1000
	a "160 of 160 ended as they should" "descriptors: +0" "children: none"
	HOSTS=("$NB_BIN"/host-*)
	each threads 16 160
}

@test "another thread that waits for any child costs no result" {
	a "60 right, though others were faster"
	each reaper
}

@test "a caller that ignores SIGCHLD" {
	a "exited 7" "signalled 9 0"
	each ignored
}

@test "the thread that started a box may end" {
	a "exited 0"
	each thread
}

@test "before and after the end" {
	a "all so"
	each ends
}

@test "signals that interrupt a wait" {
	a "timed out" "timed out" "timed out"
	each interrupted
}

@test "the box ends with the caller's process" {
	for host in "${HOSTS[@]}"; do
		launch "$NB_BIN/starter" reset "$host" stay
		await ready
		kill -KILL "$LAUNCHER"
		drained
	done
}

@test "the caller is killed at any moment of a start: no process stays" {
	host=${HOSTS[0]}
	NB_LIMIT=200
	run as_caller "$NB_BIN/starter" storm 150 9 12000 "$host" stay </dev/null
	matches '^150 starts, nobody left$'
}

@test "between clone and exec nothing of libc is called" {
	need_static
	a "a careless child: malloc free fputs errno" exited "a spawn: nothing" \
		"exec: /no/such/program: No such file or directory" failed \
		"a spawn that fails: nothing"
	HOSTS=("$NB_BIN/interpose")
	each "$NB_BIN" "$PROBE" exit 0
}

# launcher SCRIPT: a program that is none, instead of nestbox. The status descriptor is $3.
launcher() {
	printf '#!/bin/bash\n%s\n' "$1" >"$T/launcher"
	chmod 0755 "$T/launcher"
	give "$T/launcher"
}

@test "a launcher that tells nonsense is killed, and the box has failed" {
	local line

	for line in nonsense '{"event":"exit","code":256}' '{"event":"exit","code":0' \
		'{"event":"start"}' "$(printf '{%5000s' x)"; do
		launcher "printf '%s\n' '$line' >&\$3; read -r <>'$T/fifo'"
		[ -p "$T/fifo" ] || { mkfifo "$T/fifo"; give "$T/fifo"; }
		a "failed: launcher||71|it told what no launcher tells|" \
			"message: launcher: it told what no launcher tells"
		each run "program:$T/launcher" -- "$PROBE" exit 0
	done
	launcher "printf '{\"event\":\"timeout\"}' >&\$3"
	each run "program:$T/launcher" -- "$PROBE" exit 0
}

@test "a launcher that says nothing: how it ended is told, and it does not hang" {
	launcher 'exit 3'
	a "failed: launcher||0|it ended without a word|" "message: launcher: it ended without a word"
	each run "program:$T/launcher" -- "$PROBE" exit 0
	launcher 'kill -KILL $$'
	a "signalled 9 0"
	each run "program:$T/launcher" -- "$PROBE" exit 0
	mkfifo "$T/fifo"
	give "$T/fifo"
	launcher "eval \"exec \$3>&-\"; read -r <>'$T/fifo'"
	a "signalled 9 0"
	each run "program:$T/launcher" -- "$PROBE" exit 0
}

@test "events that are not known are passed over, and nothing counts behind the last one" {
	launcher "{ echo '{\"event\":\"news\",\"of\":[1,{}]}'; echo '{\"event\":\"start\",\"pid\":1}'
		echo '{\"event\":\"exit\",\"code\":3}'; echo '{\"event\":\"exit\",\"code\":4}'; echo x; } >&\$3"
	a started "exited 3"
	each run "program:$T/launcher" -- "$PROBE" exit 0
}

@test "an installed program instead of the library's own" {
	a started "exited 7"
	each run "program:$NB" -- "$PROBE" exit 7
	a "spawn: exec|/none|2||"
	each run program:/none -- "$PROBE" exit 7
	a "spawn: exec|$T|13||"
	each run "program:$T" -- "$PROBE" exit 7
}

@test "where programs in memory are forbidden, the error says so and what helps" {
	need_root
	# vm.memfd_noexec belongs to the PID namespace; as a rule it cannot be lowered again.
	# shellcheck disable=SC2016
	forbidden() {
		run timeout -s KILL 60 unshare -pf --mount-proc --propagation private /bin/bash -c '
			echo 2 >/proc/sys/vm/memfd_noexec || exit 77
			"$@"' - "${CALLER[@]}" "$@"
		[ "$status" -ne 77 ] || skip "this kernel knows no vm.memfd_noexec"
	}
	for host in "${HOSTS[@]}"; do
		forbidden "$host" run -- "$PROBE" exit 7
		is "spawn: program|memfd|13||vm.memfd_noexec forbids programs in memory; name an installed one by nestbox_plan_program()"
		forbidden "$host" run "program:$NB" -- "$PROBE" exit 7
		is "$(a started "exited 7"; echo "$wanted")"
	done
}

@test "the archive shows only its own names" {
	[ -f "${NESTBOX%/*}/libnestbox.a" ]
	run nm -g --defined-only "${NESTBOX%/*}/libnestbox.a"
	exits 0
	matches ' T nestbox_spawn$'
	[ -z "$(awk 'NF == 3 && $3 !~ /^nestbox_/' <<<"$output")" ]
}
