#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --on-missing: walls that cannot be built, made so one after the other.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# The numbers are this architecture's.
number() {
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
	case $1 in
	unshare) echo 272 ;; capset) echo 126 ;; seccomp) echo 317 ;; setresuid) echo 117 ;;
	esac
}

# without RULES ERRNO ARGUMENT…: a box where these calls fail, its events in $events.
without() {
	local rules=$1 error=$2

	shift 2
	run --separate-stderr as_caller "$NB_BIN/deny" "$rules" "$error" -- \
		"$NB" --status-fd 8 -x "$NB_BIN" "$@" 8>"$T/events"
	events=$(cat "$T/events")
}

# limited KIND ARGUMENT…: a box below a user namespace whose limit of namespaces of that kind is none.
limited() {
	local kind=$1

	shift
	run --separate-stderr as_caller unshare -U -r /bin/sh -c '
		echo 0 >"/proc/sys/user/max_$1_namespaces" || exit 99
		shift
		exec "$@"' - "$kind" "$NB" --status-fd 8 -x "$NB_BIN" "$@" 8>"$T/events"
	events=$(cat "$T/events")
}

# missing WALL…: just these are told as missing, by the list and by the walls.
missing() {
	local want

	want=$(printf '"%s",' "$@")
	[ $# -gt 0 ] || want=,
	grep -qF "\"missing\":[${want%,}]}" <<<"$events" || { echo "events: $events"; return 1; }
	[ "$(grep -o '"[a-z_]*":"missing"' <<<"$events" | sort)" = \
		"$(printf '"%s":"missing"\n' "$@" | sort | grep -v '""' || true)" ] ||
		{ echo "events: $events"; return 1; }
}

warns() {
	[ "$(grep -c '^nestbox: warning: ' <<<"$stderr")" = "$#" ] &&
		[ "$(grep -c '' <<<"$stderr")" = "$#" ] || { echo "stderr: $stderr"; return 1; }
	local text

	for text in "$@"; do
		grep -qF "nestbox: warning: $text" <<<"$stderr" || { echo "stderr: $stderr"; return 1; }
	done
}

@test "nothing is missing where nothing is" {
	run --separate-stderr nb --on-missing all=warn --status-fd 8 -x "$NB_BIN" -- "$PROBE" exit 3 8>"$T/events"
	exits 3
	[ -z "$stderr" ]
	events=$(cat "$T/events")
	missing
}

@test "a namespace: an error by default, a warning, a silence" {
	local kind
	for kind in ipc uts cgroup net; do
		limited $kind -- "$PROBE" exit 3
		exits 125
		one_line "No space left on device"
		grep -qF '"event":"setup-failed"' <<<"$events"
		limited $kind --on-missing $kind=warn -- "$PROBE" exit 3
		exits 3
		if [ $kind = net ]; then warns "network: namespace: "; else warns "clone: $kind: "; fi
		missing $kind
		limited $kind --on-missing all=silent -- "$PROBE" exit 3
		exits 3
		[ -z "$stderr" ]
		missing $kind
		# That another one may be missing does not help.
		limited $kind --on-missing all=warn --on-missing $kind=error -- "$PROBE" exit 3
		exits 125
	done
}

@test "the namespace that is missing is the caller's, the others are the box's" {
	local kind
	limited uts --on-missing uts=warn -- "$PROBE" readlink /proc/self/ns/uts
	exits 0
	[ "$output" = "$(readlink /proc/self/ns/uts)" ]
	for kind in ipc cgroup net pid mnt user; do
		limited uts --on-missing uts=warn -- "$PROBE" readlink "/proc/self/ns/$kind"
		[ "$output" != "$(readlink "/proc/self/ns/$kind")" ]
	done
}

@test "several are missing: as few as can be are left out" {
	run --separate-stderr as_caller unshare -U -r /bin/sh -c '
		echo 0 >/proc/sys/user/max_ipc_namespaces && echo 0 >/proc/sys/user/max_cgroup_namespaces || exit 99
		exec "$@"' - "$NB" --status-fd 8 -x "$NB_BIN" --on-missing all=warn -- "$PROBE" exit 3 8>"$T/events"
	exits 3
	events=$(cat "$T/events")
	missing ipc cgroup
	warns "clone: ipc: " "clone: cgroup: "
}

@test "the user namespace: its rights are gone all the same" {
	limited user -- "$PROBE" caps
	exits 125
	limited user --on-missing user=warn -- "$PROBE" caps
	exits 0
	warns "clone: user: No space left on device"
	missing user
	says "permitted 0000000000000000" "effective 0000000000000000" "inheritable 0000000000000000" \
		"bounding 0000000000000000" "ambient 0000000000000000" "securebits ef" "nnp 1" "seccomp 2" \
		"dumpable 1"
	limited user --on-missing user=warn -- "$TRY" read /proc/1/environ
	matches EACCES
}

@test "without a user namespace there are no ids but the caller's" {
	limited user --on-missing user=warn --uid 7 -- "$PROBE" ids
	exits 125
}

@test "without a user namespace no capability is kept, and no range of ids: they would be those outside" {
	limited user --on-missing user=warn --cap-add kill -- "$PROBE" caps
	exits 125
	limited user --on-missing all=warn --cap-add all -- "$PROBE" caps
	exits 125
	limited user --on-missing all=warn --map-uids 0:0:1 -- "$PROBE" caps
	exits 125
}

@test "without a UTS namespace a host name is refused: it would be the host's" {
	limited uts --on-missing uts=silent --hostname box -- "$PROBE" uname
	exits 125
	one_line "hostname: box: needs a UTS namespace"
	[ "$(uname -n)" != box ]
}

@test "an ordinary caller without a user namespace has no box" {
	need_plain_caller
	run --separate-stderr as_caller unshare -U -r /bin/sh -c '
		echo 1 >/proc/sys/user/max_user_namespaces || exit 99
		exec "$@"' - "$NB" -x "$NB_BIN" --on-missing all=warn -- "$PROBE" exit 3
	exits 125
}

@test "seccomp: an error by default, a warning, a silence" {
	local calls
	need_static
	calls=$(number seccomp)
	without "$calls" ENOSYS -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: seccomp: "
	without "$calls" ENOSYS --on-missing seccomp=warn -- "$PROBE" caps
	exits 0
	# deny's own filter is there.
	says "permitted 0000000000000000" "nnp 1"
	warns "seccomp: default: "
	missing seccomp
	without "$calls" EPERM --on-missing seccomp=silent -- "$PROBE" exit 3
	exits 3
	[ -z "$stderr" ]
	missing seccomp
}

# A program that jumps out of itself.
bad_program() {
	printf '\5\0\0\0\xff\0\0\0\6\0\0\0\0\0\xff\x7f' >"$T/bpf"
	give "$T/bpf"
}

@test "a bad filter of the caller's is an error, whatever may be missing" {
	bad_program
	run --separate-stderr mini --on-missing all=warn --seccomp 9 -- "$PROBE" exit 3 9<"$T/bpf"
	exits 125
	one_line "seccomp: the caller's"
	run --separate-stderr nb --init-only --on-missing all=warn --seccomp 9 -- "$PROBE" exit 3 9<"$T/bpf"
	exits 125
}

@test "capabilities: what cannot be dropped is told" {
	local calls
	calls=$(number capset)
	without "$calls" EPERM --on-missing seccomp=warn -- "$PROBE" exit 3
	exits 125
	without "$calls" EPERM --on-missing capabilities=warn -- "$PROBE" caps
	exits 0
	missing capabilities
	warns "capabilities: "
	# What else holds them is there: no program gives them back.
	says "bounding 0000000000000000" "nnp 1"
}

@test "--init-only: ids, capabilities and filters that cannot be had" {
	local seccomp
	need_plain_caller
	need_static
	seccomp=$(number seccomp)
	run --separate-stderr nb --init-only --uid 0 --status-fd 8 -- "$PROBE" exit 3 8>"$T/events"
	exits 125
	run --separate-stderr nb --init-only --uid 0 --on-missing ids=warn --status-fd 8 -- "$PROBE" ids 8>"$T/events"
	exits 0
	events=$(cat "$T/events")
	says "uid $NB_UID $NB_UID $NB_UID"
	warns "ids: Operation not permitted"
	missing ids
	printf '\6\0\0\0\0\0\xff\x7f' >"$T/bpf"
	give "$T/bpf"
	run --separate-stderr as_caller "$NB_BIN/deny" "$seccomp" ENOSYS -- "$NB" --init-only --seccomp 9 \
		--on-missing seccomp=warn --status-fd 8 -- "$PROBE" exit 3 8>"$T/events" 9<"$T/bpf"
	exits 3
	events=$(cat "$T/events")
	warns "seccomp: the caller's: Function not implemented"
	missing seccomp
}

@test "seccomp=warn: a filter that forbids the next one is no lack of the kernel's" {
	"$NB_BIN/hand" bpf 38 seccomp >"$T/last"
	printf '\6\0\0\0\0\0\xff\x7f' >"$T/all"
	give "$T"/*
	run --separate-stderr mini --add-seccomp-fd 8 --add-seccomp-fd 9 --on-missing seccomp=warn -- \
		"$PROBE" exit 3 8<"$T/last" 9<"$T/all"
	exits 125
	one_line "^nestbox: seccomp: the caller's: Function not implemented"
}

@test "a namespace that is forbidden is missing, too" {
	local flags calls
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
	need_static
	# CLONE_VM, PIDFD, NEWNS, CGROUP, UTS, IPC, USER, PID and SIGCHLD: what PID 1 is started with.
	flags=$((0x100 | 0x1000 | 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 17))
	without "56:$flags" EPERM -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: clone: Operation not permitted"
	without "56:$flags" EPERM --on-missing ipc=warn -- "$PROBE" exit 3
	exits 3
	missing ipc
	warns "clone: ipc: Operation not permitted"
	# What may pass is no reason.
	without "56:$flags" EAGAIN --on-missing ipc=warn -- "$PROBE" exit 3
	exits 125
}

@test "the last word on a wall counts" {
	limited uts --on-missing uts=warn --on-missing uts=error -- "$PROBE" exit 3
	exits 125
	limited uts --on-missing uts=error --on-missing all=silent -- "$PROBE" exit 3
	exits 3
	limited uts --on-missing=uts=warn -- "$PROBE" exit 3
	exits 3
}

@test "a failure that may pass is no missing wall" {
	local calls
	calls=$(number unshare)
	without "$calls" EPERM --on-missing user=warn --on-missing ipc=warn -- "$PROBE" exit 3
	exits 125
	without "$calls" EPERM --on-missing net=warn -- "$PROBE" exit 3
	exits 3
	missing net
}

@test "bad values: 125, nothing started" {
	local value
	for value in "" = seccomp seccomp= =warn seccomp=Warn seccomp=warn, "seccomp =warn" "seccomp= warn" SECCOMP=warn \
		all all= all=fatal seccomp=warn=warn seccompx=warn secc=warn nothing=warn; do
		refused "--on-missing" --on-missing "$value"
	done
	refused "must be WALL=" --on-missing seccomp=0
	refused "no such wall" --on-missing allx=warn
}

@test "walls that no box stands without are no matter of choice" {
	local wall
	for wall in pid mount no_new_privs; do
		refused "no box stands without that wall" --on-missing $wall=warn
		refused "no box stands without that wall" --on-missing $wall=silent
		run mini --on-missing $wall=error -- "$PROBE" exit 3
		exits 3
	done
	# Nor are they among all.
	run --separate-stderr as_caller unshare -U -r /bin/sh -c '
		echo 0 >/proc/sys/user/max_pid_namespaces || exit 99
		exec "$@"' - "$NB" -x "$NB_BIN" --on-missing all=warn -- "$PROBE" exit 3
	exits 125
}

@test "only nestbox has the option" {
	run --separate-stderr nb --as bwrap --on-missing seccomp=warn -- "$PROBE" exit 3
	exits 1
	[[ $stderr = *"Unknown option --on-missing"* ]]
}
