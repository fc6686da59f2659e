#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --filter FILE: seccomp profiles of Docker, Podman and the OCI runtimes. What each word of the format
# means is tested in tests/unit/oci_test.c.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # variables shared with common.bash and run
load ../lib/common

PROFILES=$NB_TREE/build/taken # tests/deps puts them there

setup_file() {
	nb_setup_file
	cp "$NB_HELPERS/verdicts" "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR/bin/verdicts"
}

# profile NAME RULES [REST]: NAME in $T, which allows all but RULES; REST goes in front.
profile() {
	printf '{%s"defaultAction":"SCMP_ACT_ALLOW","syscalls":[%s]}\n' "${3:-}" "$2" >"$T/$1"
	chmod 0644 "$T/$1"
}

NO_CHDIR='{"names":["chdir"],"action":"SCMP_ACT_ERRNO","errnoRet":28}'

needs_profile() {
	[ -e "$PROFILES/$1" ] || skip "the profile $1 is not there: make deps"
	cp "$PROFILES/$1" "$T/$1"
	chmod 0644 "$T/$1"
}

@test "the profile is the command's, and nothing of ours beside it" {
	profile p.json "$NO_CHDIR"
	run box --filter "$T/p.json" -- /bin/sh -c "$TRY chdir /; grep ^Seccomp_filters /proc/self/status"
	says "chdir /: ENOSPC" "Seccomp_filters:	1"
	# Which the built-in filter refuses.
	run mini --filter "$T/p.json" -- "$NB_BIN/verdicts"
	exits 0
	matches "^$(awk '$1 == "#define" && $2 == "__NR_ptrace" {print $3}' /usr/include/x86_64-linux-gnu/asm/unistd_64.h) .*: allowed$"
}

@test "without a box it is the command's, too, with no_new_privs" {
	profile p.json "$NO_CHDIR"
	run as_caller "$NB" --init-only --filter "$T/p.json" -- "$TRY" chdir /
	says "chdir /: ENOSPC"
	run as_caller "$NB" --init-only --filter "$T/p.json" -- "$PROBE" caps
	says "seccomp 2" "nnp 1"
}

@test "a command that is process 1 has the profile as well" {
	profile p.json "$NO_CHDIR"
	run mini --as-pid-1 --filter "$T/p.json" -- "$TRY" chdir /
	says "chdir /: ENOSPC"
}

@test "a path with a slash, a name in .json, a pipe" {
	profile p.json "$NO_CHDIR"
	cp p.json other
	chmod 0644 other
	run mini --filter p.json -- "$TRY" chdir /
	says "chdir /: ENOSPC"
	run mini --filter ./other -- "$TRY" chdir /
	says "chdir /: ENOSPC"
	mkfifo pipe
	give pipe
	cat p.json >pipe &
	run mini --filter ./pipe -- "$TRY" chdir /
	says "chdir /: ENOSPC"
	run mini --filter /dev/stdin -- "$TRY" chdir / <p.json
	says "chdir /: ENOSPC"
}

@test "a config.json: the profile in it" {
	printf '{"ociVersion":"1.0.2","process":{},"linux":{"namespaces":[],"seccomp":%s}}' \
		'{"defaultAction":"SCMP_ACT_ALLOW","syscalls":['"$NO_CHDIR"']}' >config.json
	run mini --filter config.json -- "$TRY" chdir /
	says "chdir /: ENOSPC"
}

@test "rules for capabilities look at those that the command has" {
	profile p.json '{"names":["chdir"],"action":"SCMP_ACT_ERRNO","errnoRet":28,"excludes":{"caps":["CAP_SYS_CHROOT"]}}'
	run mini --filter p.json -- "$TRY" chdir /
	says "chdir /: ENOSPC"
	run mini --cap-add CAP_SYS_CHROOT --filter p.json -- "$TRY" chdir /
	says "chdir /: ok"
	run mini --cap-add CAP_CHOWN --filter p.json -- "$TRY" chdir /
	says "chdir /: ENOSPC"
	run mini --cap-add ALL --filter p.json -- "$TRY" chdir /
	says "chdir /: ok"
}

@test "without a box those are the caller's, less what is dropped" {
	local had=ENOSPC

	[ "$NB_AS" = user ] || had=ok
	profile p.json '{"names":["chdir"],"action":"SCMP_ACT_ERRNO","errnoRet":28,"excludes":{"caps":["CAP_SYS_CHROOT"]}}'
	run as_caller "$NB" --init-only --filter p.json -- "$TRY" chdir /
	says "chdir /: $had"
	run as_caller "$NB" --init-only --cap-drop CAP_SYS_CHROOT --filter p.json -- "$TRY" chdir /
	says "chdir /: ENOSPC"
}

@test "the flags are put on with the program" {
	need_static
	profile p.json "$NO_CHDIR" '"flags":["SECCOMP_FILTER_FLAG_LOG","SECCOMP_FILTER_FLAG_SPEC_ALLOW"],'
	as_caller strace -f -e trace=seccomp -o "$T/trace" "$NB" --init-only --filter p.json -- "$PROBE" exit 0
	grep -qE 'SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG\|SECCOMP_FILTER_FLAG_SPEC_ALLOW, ' "$T/trace"
	profile p.json "$NO_CHDIR"
	as_caller strace -f -e trace=seccomp -o "$T/trace" "$NB" --init-only --filter p.json -- "$PROBE" exit 0
	grep -qE 'SECCOMP_SET_MODE_FILTER, 0, ' "$T/trace"
}

@test "a foreign architecture is killed unless the profile names it" {
	profile p.json '{"names":["execve"],"action":"SCMP_ACT_ALLOW"}'
	cp "$NB_HELPERS/syscalls" "$T/"
	run mini -x "$T" --filter p.json -- "$T/syscalls" x32-getpid
	matches '^x32-getpid: killed '
	profile p.json '' '"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X32"],'
	run mini -x "$T" --filter p.json -- "$T/syscalls" x32-getpid
	lacks killed
}

@test "--explain and the start event name the file" {
	profile p.json "$NO_CHDIR"
	run mini --filter p.json --explain -- "$TRY" chdir /
	exits 0
	matches 'seccomp p\.json, [0-9]+ instructions'
	run mini --filter p.json --status-fd 3 -- "$PROBE" exit 0 3>"$T/events"
	grep -q '"seccomp":"p.json"' "$T/events"
	printf '{}' >"$T/a"$'\n'"b.json"
	refused 'filter: a\\012b\.json: defaultAction: is missing$' --filter $'a\nb.json'
}

@test "--seccomp goes on behind it" {
	profile p.json "$NO_CHDIR"
	"$NB_BIN/hand" bpf 87 prlimit >"$T/bpf"
	run mini --filter p.json --seccomp 8 -- "$TRY" chdir / -- prlimit 0 8<"$T/bpf"
	says "chdir /: ENOSPC" "prlimit 0: EUSERS"
}

@test "what is wrong is told with the place, and nothing starts" {
	printf '{\n "defaultAction": "SCMP_ACT_ALLOW",\n "syscalls": [,]\n}\n' >p.json
	refused '^nestbox: filter: p\.json:3:15: not JSON: unexpected token near .,.$' --filter p.json
	profile p.json "$NO_CHDIR"',{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"SCMP_CMP_IS"}]}'
	refused '^nestbox: filter: p\.json: syscalls\[1\]\.args\[0\]\.op: unknown operator "SCMP_CMP_IS"$' --filter p.json
	profile p.json '{"names":["iseek"],"action":"SCMP_ACT_ERRNO"}'
	refused '^nestbox: filter: p\.json: syscalls\[0\]\.names\[0\]: unknown system call, which would stay allowed: "iseek"$' --filter p.json
	profile p.json '{"names":["read"],"action":"SCMP_ACT_NOTIFY"}'
	refused '^nestbox: filter: p\.json: syscalls\[0\]\.action: is not supported, nobody would answer: "SCMP_ACT_NOTIFY"$' --filter p.json
	profile p.json "$NO_CHDIR" '"defaultAction":"SCMP_ACT_LOG",'
	refused '^nestbox: filter: p\.json:1:[0-9]+: not JSON: duplicate object key near ' --filter p.json
	# A terminal must not be spoken to by a profile.
	profile p.json $'{"names":["\u001b[2J"],"action":"SCMP_ACT_ERRNO"}'
	refused '^nestbox: filter: p\.json:1:[0-9]+: not JSON: ' --filter p.json
	profile p.json '{"names":["\u001b[2J"],"action":"SCMP_ACT_ERRNO"}'
	refused 'would stay allowed: "\\033\[2J"$' --filter p.json
}

@test "what cannot be read is told" {
	refused '^nestbox: filter: \./missing: No such file or directory$' --filter ./missing
	refused '^nestbox: filter: /: is neither a file nor a pipe$' --filter /
	refused '^nestbox: filter: /dev/zero: is neither a file nor a pipe$' --filter /dev/zero
	refused '^nestbox: filter: /dev/null: is neither a file nor a pipe$' --filter /dev/null
	truncate -s 1048577 p.json
	refused '^nestbox: filter: p\.json: is larger than 1 MiB$' --filter p.json
	truncate -s 0 p.json
	refused '^nestbox: filter: p\.json:1:0: not JSON: ' --filter p.json
	truncate -s 1048576 p.json
	refused '^nestbox: filter: p\.json:1:1: not JSON: ' --filter p.json
	run --separate-stderr as_caller /bin/sh -c 'exec "$@" <&-' - "$NB" --filter /dev/stdin -- "$PROBE" exit 0
	exits 125
	one_line '^nestbox: filter: /dev/stdin: '
	if [ "$NB_AS" = user ]; then
		: >secret.json
		chmod 0 secret.json
		[ "$(id -u)" != 0 ] || chown 0 secret.json
		[ "$(id -u)" != 0 ] ||
			refused '^nestbox: filter: secret\.json: Permission denied$' --filter secret.json
	fi
}

@test "a profile without end from a pipe is cut short" {
	mkfifo pipe
	give pipe
	cat /dev/zero >pipe 2>/dev/null &
	run --separate-stderr mini --filter ./pipe -- "$PROBE" exit 0
	exits 125
	one_line 'is larger than 1 MiB'
}

@test "a profile that forbids the command's own execve: it is told what may have done that" {
	profile p.json '{"names":["execve"],"action":"SCMP_ACT_ERRNO"}'
	run --separate-stderr mini --filter p.json -- "$PROBE" exit 0
	exits 126
	one_line 'exec: .*/probe: Operation not permitted \(perhaps forbidden by p\.json\)$'
	profile p.json '{"names":["execve"],"action":"SCMP_ACT_KILL"}'
	refused 'p\.json: kills whoever calls execve, so that the command could not start$' --filter p.json
	run --separate-stderr as_caller "$NB" --init-only --filter p.json -- "$PROBE" exit 0
	exits 125
	one_line 'kills whoever calls execve'
}

@test "a profile that forbids even to exit: a command that cannot be run ends all the same" {
	printf '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["execve"],"action":"SCMP_ACT_ALLOW"}]}' >p.json
	NB_LIMIT=20 run --separate-stderr mini --filter p.json -- /no/such
	exits 127
	one_line 'exec: /no/such: No such file or directory'
	NB_LIMIT=20 run as_caller "$NB" --init-only --filter p.json -- /no/such
	exits 127
	# There is nobody else to tell it.
	NB_LIMIT=20 run mini --as-pid-1 --filter p.json -- /no/such
	exits 132 # SIGILL
}

@test "bwrap has no such option" {
	profile p.json "$NO_CHDIR"
	run as_caller "$NB" --as bwrap --ro-bind / / --filter p.json -- "$TRY" chdir /
	exits 1
	matches '^bwrap: Unknown option --filter$'
}

@test "a start without a file makes no call more than one with a built-in profile" {
	need_static
	profile p.json "$NO_CHDIR"
	local file=default calls=()
	for file in default ./p.json; do
		as_caller strace -f -c -U calls,name -o "$T/count" "$NB" -x "$NB_BIN" --filter "$file" -- "$PROBE" exit 0
		calls+=("$(awk '$2 == "memfd_create" || $2 == "uname" {n += $1} END {print n + 0}' "$T/count")")
	done
	[ "${calls[0]}" = 0 ]
	[ "${calls[1]}" = 2 ]
}

# ---- the engines' own profiles ----

# resolve FILE CAPABILITY…: what an engine makes of FILE for its runtime, on this machine.
resolve() {
	local file=$1

	shift
	jq --argjson caps "$(printf '%s\n' "$@" | jq -nR '[inputs | select(. != "")]')" '
		def holds: ((.arches // []) | length == 0 or any(. == "amd64"))
			and ((.caps // []) | all(IN($caps[])));
		def hits: ((.arches // []) | any(. == "amd64")) or ((.caps // []) | any(IN($caps[])));
		{ defaultAction, defaultErrnoRet,
		  architectures: (.archMap[] | select(.architecture == "SCMP_ARCH_X86_64")
			| [.architecture] + .subArchitectures),
		  syscalls: [.syscalls[] | select((.includes // {} | holds) and (.excludes // {} | hits | not))
			| { names, action, errnoRet, args: (.args // []) }
			| with_entries(select(.value != null))]
		} | with_entries(select(.value != null))' "$file"
}

# crun's cgroups: see tests/e2e/init-images.bats.
in_crun() {
	timeout --foreground -s KILL 60 unshare -m --propagation private /bin/sh -c '
		umount -R /sys/fs/cgroup 2>/dev/null
		mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' - \
		crun --root "$T/state" --cgroup-manager=disabled run -b "$T/image" "nbt-${NB_DIR##*.}-$BATS_TEST_NUMBER"
}

# compare FILE CAPABILITY…: each call's verdict with FILE in a box and under crun.
compare() {
	local file=$1 uid=0 option=()

	shift
	need_root "an engine"
	need crun
	need jq
	[ "$(uname -m)" = x86_64 ] || skip "about x86-64"
	needs_profile "$file"
	[ "$NB_AS" = root ] || uid=12345
	mkdir -p image/rootfs
	cp "$NB_BIN/verdicts" image/rootfs/
	(cd image && crun spec)
	resolve "$file" "$@" >resolved.json
	jq --argjson uid "$uid" --slurpfile seccomp resolved.json '.process.terminal = false | .process.cwd = "/" |
		.process.args = ["/verdicts"] | .root.readonly = true | .process.user = { uid: $uid, gid: $uid } |
		.process.noNewPrivileges = true | .process.capabilities = {} | del(.linux.resources) |
		.linux.seccomp = $seccomp[0] |
		.mounts |= map(select(.destination | startswith("/sys") | not))' image/config.json >config
	mv config image/config.json
	in_crun >crun.verdicts
	for cap in "$@"; do option+=(--cap-add "$cap"); done
	mini "${option[@]}" --filter "$file" -- "$NB_BIN/verdicts" >box.verdicts
	[ "$(grep -c . box.verdicts)" -gt 700 ]
	diff crun.verdicts box.verdicts
}

@test "Docker's default profile: every call as in crun" {
	compare docker.json
	# It is the one that we know.
	grep -qx '435 0 0 0: errno 38' box.verdicts
	grep -qx '165 0 0 0: errno 1' box.verdicts
	grep -qx '0 0 0 0: allowed' box.verdicts
}

@test "Docker's default profile, with capabilities: every call as in crun" {
	compare docker.json CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SYS_CHROOT CAP_DAC_READ_SEARCH
	grep -qx '165 0 0 0: allowed' box.verdicts
}

@test "Podman's default profile: every call as in crun" {
	compare podman.json
	grep -qx '321 0 0 0: errno 1' box.verdicts
	grep -qx '470 0 0 0: errno 38' box.verdicts
}

@test "Podman's default profile, with capabilities: every call as in crun" {
	compare podman.json CAP_SYS_ADMIN CAP_AUDIT_WRITE CAP_SYS_TIME
	grep -qx '321 0 0 0: allowed' box.verdicts
}

@test "real programs under Docker's and Podman's default profiles" {
	local file
	for file in docker.json podman.json; do
		needs_profile "$file"
		run box --filter "$file" -- /usr/bin/python3 -c 'import subprocess, threading
threading.Thread(target=print, args=("thread",)).start()
print(subprocess.check_output(["/bin/echo", "child"], text=True), end="")'
		exits 0
		says thread child
	done
}
