#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --fallback: a start where a filter forbids all namespaces, as Docker's default profile does, or the first mount.
# tests/e2e/landlock.bats compares what can be done then with a box.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

setup() {
	nb_setup
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
}

NEW=$((0x7e020000))
NAMESPACES=56\&$NEW,272\&$NEW,435
MOUNT=165 # mount

# refused CALLS ARGUMENT…: nestbox where these calls are EPERM, its events in $T/events.
refused() {
	local calls=$1

	shift
	run --separate-stderr as_caller "$NB_BIN/deny" "$calls" EPERM -- \
		"$NB" --status-fd 8 -x "$NB_BIN" "$@" 8>"$T/events"
}

event() {
	jq -es "any($1)" "$T/events" >"$T/found" || { cat "$T/events"; return 1; }
}

@test "without it nothing is weaker than asked" {
	local calls

	for calls in "$NAMESPACES" "$MOUNT"; do
		refused "$calls" -w "$T" -- "$TRY" put "$T/ran"
		exits 125
		refused "$calls" --on-missing all=warn -w "$T" -- "$TRY" put "$T/ran"
		exits 125
		[ ! -e "$T/ran" ]
	done
}

@test "a box that stands is one, without a word" {
	run --separate-stderr nb --fallback --status-fd 8 -x "$NB_BIN" -- "$PROBE" exit 7 8>"$T/events"
	exits 7
	[ -z "$stderr" ]
	event '.event == "start" and .missing == [] and .walls.mount == "own"'
}

@test "what is missing is told" {
	local calls

	for calls in "$NAMESPACES" "$MOUNT"; do
		refused "$calls" --fallback --symlink a /b -- "$PROBE" exit 7
		exits 7
		event '.event == "start" and .missing == ["user","pid","mount","ipc","uts","cgroup","net"]
			and .walls.landlock >= 3 and .walls.seccomp == "default"'
		[ "$(grep -c '"event":"start"' "$T/events")" = 1 ]
		grep -q 'warning: fallback: /b: is not made' <<<"$stderr"
		grep -q 'Operation not permitted' <<<"$stderr"
	done
}

@test "no socket leads out" {
	refused "$NAMESPACES" --fallback -w "$T" -- "$TRY" tcp 127.0.0.1 1 -- unix "$T/s" -- abstract x
	says "tcp 127.0.0.1 1: EAFNOSUPPORT" "unix $T/s: EAFNOSUPPORT" "abstract x: EAFNOSUPPORT"
	refused "$NAMESPACES" --fallback --filter none -- "$TRY" tcp 127.0.0.1 1
	says "tcp 127.0.0.1 1: EAFNOSUPPORT"
	refused "$NAMESPACES" --fallback --net -w "$T" -- "$TRY" tcp 127.0.0.1 1 -- unix "$T/s"
	says "tcp 127.0.0.1 1: ECONNREFUSED" "unix $T/s: EAFNOSUPPORT"
}

@test "a network namespace that is missing is a filter" {
	run --separate-stderr as_caller unshare -U -r /bin/sh -c '
		echo 0 >/proc/sys/user/max_net_namespaces || exit 99
		exec "$@"' - "$NB" -x "$NB_BIN" --on-missing net=warn -- "$TRY" tcp 127.0.0.1 1 -- unix /tmp/s
	says "tcp 127.0.0.1 1: EAFNOSUPPORT" "unix /tmp/s: ENOENT"
}

@test "no signal leads out, nor into the memory of the init" {
	refused "$NAMESPACES" --fallback -- "$TRY" kill "$$" 0 -- kill "$BASHPID" 9
	says "kill $$ 0: EPERM" "kill $BASHPID 9: EPERM"
	refused "$NAMESPACES" --fallback -- /bin/true
	exits 126
}

@test "no capability is left" {
	refused "$NAMESPACES" --fallback -- "$PROBE" caps
	says "permitted 0000000000000000" "effective 0000000000000000" "ambient 0000000000000000" "nnp 1"
}

@test "what the command leaves ends with it" {
	launch "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback -x "$NB_BIN" \
		-x /usr -x /bin -x /lib -x /lib64 -- /bin/sh -c '(setsid sleep 1000 & setsid sleep 1000 &); exit 5'
	finish
	[ "$status" = 5 ]
	drained
}

@test "--timeout ends all" {
	launch "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback --timeout 0.3 \
		-x /usr -x /bin -x /lib -x /lib64 -- /bin/sh -c 'setsid sleep 1000 & sleep 1000'
	finish
	[ "$status" = 124 ]
	drained
}

@test "modes, owners and attributes of what is granted for writing are changed as ever" {
	local filter place

	mkdir "$T/in" "$T/in/d"
	for place in plain default none; do
		echo x >"$T/in/$place"
	done
	ln -s default "$T/in/link"
	give "$T"
	run as_caller "$NB_BIN/attributes" "$T/in/plain"
	exits 0
	[ "$(grep -c ': ok$' <<<"$output")" -ge 12 ]
	echo "$output" >"$T/plain"
	for filter in default none; do
		refused "$NAMESPACES" --fallback --filter "$filter" -w "$T/in" -- "$NB_BIN/attributes" "$T/in/$filter"
		exits 0
		diff "$T/plain" - <<<"$output"
	done
	[ "$(stat -c %a "$T/in/plain" "$T/in/default" "$T/in/none" | uniq)" = 600 ]
	refused "$NAMESPACES" --fallback -w "$T/in/default" -- "$NB_BIN/attributes" "$T/in/link"
	[ "$(grep -c ': ok$' <<<"$output")" -ge 10 ]
	refused "$NAMESPACES" --fallback -w "$T/in" -- "$TRY" chmod "$T/in/d" -- chmod "$T/in" -- chmod "$T/in/none/" -- chmod "$T/in/x"
	says "chmod $T/in/d: ok" "chmod $T/in: ok" "chmod $T/in/none/: ENOTDIR" "chmod $T/in/x: ENOENT"
}

@test "of what is granted to be read, or not at all, they are not" {
	mkdir "$T/in" "$T/out"
	echo x >"$T/in/file"
	echo x >"$T/out/file"
	ln -s ../out/file "$T/in/link"
	give "$T"
	refused "$NAMESPACES" --fallback -r "$T" -- "$NB_BIN/attributes" "$T/in/file"
	exits 0
	lacks 'ok$'
	# The link itself is.
	refused "$NAMESPACES" --fallback -w "$T/in" -- "$NB_BIN/attributes" "$T/in/link"
	[ "$(grep ': ok$' <<<"$output")" = "lchown: ok" ]
	refused "$NAMESPACES" --fallback -w "$T/in" -- "$TRY" chmod "$T" -- chmod "$T/in/../out/file" -- xattr "$T/in/link"
	says "chmod $T: EPERM" "chmod $T/in/../out/file: EPERM" "xattr $T/in/link: EPERM"
	# Without process_vm_readv nobody can tell files apart.
	refused "$NAMESPACES,310" --fallback -w "$T/in" -- "$TRY" chmod "$T/in/file"
	says "chmod $T/in/file: EPERM"
	grep -q 'modes, owners and attributes: cannot be changed' <<<"$stderr"
}

@test "signals reach the command, and its end the caller" {
	launch "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback -x "$NB_BIN" \
		-x /usr -x /bin -x /lib -x /lib64 -- /bin/sh -c 'trap "exit 9" TERM; trap "exit 8" USR1; echo ready; while :; do sleep 0.1; done'
	await ready
	kill -TERM "$LAUNCHER"
	finish
	[ "$status" = 9 ]
	drained
	launch "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback -x "$NB_BIN" -- "$PROBE" hold
	await ready
	kill -KILL "$(children "$LAUNCHER" | tr -d ' ')"
	finish
	[ "$status" = 137 ]
	drained
}

@test "a launcher that is killed takes the command along" {
	launch "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback -x "$NB_BIN" -- "$PROBE" hold
	await ready
	kill -KILL "$LAUNCHER"
	finish
	[ "$status" = 137 ]
	drained
}

@test "a stop of the command is one of the launcher" {
	launch "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback -x "$NB_BIN" -- "$PROBE" hold
	await ready
	kill -STOP "$(children "$LAUNCHER" | tr -d ' ')"
	for _ in {1..50}; do
		[[ $(</proc/$LAUNCHER/stat) =~ \)\ T ]] && break
		sleep 0.1
	done
	[[ $(</proc/$LAUNCHER/stat) =~ \)\ T ]]
	kill -CONT "$LAUNCHER"
	kill -CONT "$(children "$LAUNCHER" | tr -d ' ')"
	kill -TERM "$LAUNCHER"
	finish
	[ "$status" = 143 ]
}

@test "descriptors are the command's as in a box" {
	local calls

	echo kept >"$T/f"
	give "$T"
	for calls in "$NAMESPACES" "$MOUNT"; do
		refused "$calls" --fallback --keep-fd 9 -- "$PROBE" fds 9<"$T/f" 6<"$T/f"
		exits 0
		says "0 1 2 9"
	done
}

@test "without Landlock nothing would hold: an error, but by request" {
	refused "$NAMESPACES,444,445,446" --fallback -- "$PROBE" exit 7
	exits 125
	refused "$NAMESPACES,444,445,446" --fallback --on-missing landlock=warn -- "$PROBE" exit 7
	exits 7
	event '.event == "start" and .walls.landlock == "missing"'
}

@test "binds are grants at their own place, and only there" {
	mkdir "$T/d"
	echo x >"$T/d/file"
	give "$T"
	refused "$NAMESPACES" --fallback --ro-bind "$T/d" "$T/d" -- "$TRY" open-r "$T/d/file" -- open-w "$T/d/file"
	says "open-r $T/d/file: ok" "open-w $T/d/file: EACCES"
	refused 9999 --fallback --ro-bind "$T/d" /elsewhere -- "$PROBE" exit 7
	exits 125
	refused 9999 --fallback -r "$T" --tmpfs "$T/d" -- "$PROBE" exit 7
	exits 125
	refused 9999 --fallback --ro-bind "$T/d" "$T/d" --tmpfs "$T" -- "$PROBE" exit 7
	exits 125
	refused 9999 --fallback --ro-bind "$T" "$T" --remount-ro "$T" -- "$PROBE" exit 7
	exits 125
}

@test "what needs a box is refused, wherever" {
	local option

	for option in "--cow $T --cow-quota 1M" "--cow $T --cow-backend overlay" --tty "--hostname x" --as-pid-1 --init-only "--uid 7" "--cap-add chown" --allow-userns \
		"--map-uids 0:1:1"; do
		# shellcheck disable=SC2086 # an option and its value
		run nb --fallback $option -x "$NB_BIN" -- "$PROBE" exit 7
		exits 125
		[ "${#lines[@]}" = 1 ]
	done
}
