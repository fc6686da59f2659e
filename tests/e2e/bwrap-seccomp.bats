#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: --seccomp and --add-seccomp-fd.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

setup() {
	bw_setup
	# EUSERS and E2BIG: nobody but the filter says so.
	"$HAND" bpf 87 chdir >"$T/no-chdir"
	"$HAND" bpf 7 prlimit >"$T/no-limits"
	"$HAND" bpf 87 chdir prctl seccomp >"$T/last"
	: >"$T/empty"
	printf 'seven77' >"$T/odd"
	head -c 80 /dev/zero >"$T/nonsense"
}

@test "--seccomp: the filter is the command's" {
	run mini --seccomp 8 -- "$TRY" chdir / -- prlimit 0 8<"$T/no-chdir"
	says "chdir /: EUSERS" "prlimit 0: ok"
	run mini --unshare-all --dev /dev --seccomp 8 -- "$TRY" chdir / 8<"$T/no-chdir"
	says "chdir /: EUSERS"
	run mini --unshare-pid --as-pid-1 --seccomp 8 -- "$TRY" chdir / 8<"$T/no-chdir"
	says "chdir /: EUSERS"
}

@test "--seccomp: from a pipe and from a memfd" {
	run mini --seccomp 8 -- "$TRY" chdir / 8< <(cat "$T/no-chdir")
	says "chdir /: EUSERS"
	run as_caller "$HAND" memfd 8 "$T/no-chdir" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --seccomp 8 -- "$TRY" chdir /
	says "chdir /: EUSERS"
}

@test "--seccomp: bwrap's own work is done before: --chdir works, prctl may be denied" {
	run mini --dir /a --chdir /a --seccomp 8 -- "$PROBE" cwd 8<"$T/no-chdir"
	is /a
	run mini --unshare-all --new-session --die-with-parent --seccomp 8 -- "$TRY" chdir / 8<"$T/last"
	says "chdir /: EUSERS"
}

@test "--seccomp: exactly one filter, nothing of ours beside it" {
	run mini --proc /proc --seccomp 8 -- "$PROBE" cat /proc/self/status 8<"$T/no-chdir"
	matches "^Seccomp:[[:space:]]*2$" "^Seccomp_filters:[[:space:]]*1$"
}

@test "--seccomp: a filter that denies exec: 1, and said so" {
	"$HAND" bpf 28 execve >"$T/no-exec"
	exec 8<"$T/no-exec"
	dies "^bwrap: execvp .*: No space left on device$" --seccomp 8
	exec 8<&-
}

@test "--seccomp: the last one counts, and that is said" {
	run --separate-stderr mini --seccomp 8 --seccomp 9 -- "$TRY" chdir / -- prlimit 0 8<"$T/no-chdir" 9<"$T/no-limits"
	warns "^bwrap: Only the last --seccomp option will take effect$"
	says "chdir /: ok" "prlimit 0: E2BIG"
}

@test "--add-seccomp-fd: one and several" {
	run mini --add-seccomp-fd 8 -- "$TRY" chdir / -- prlimit 0 8<"$T/no-chdir"
	says "chdir /: EUSERS" "prlimit 0: ok"
	run mini --add-seccomp-fd 8 --add-seccomp-fd 9 -- "$TRY" chdir / -- prlimit 0 8<"$T/no-chdir" 9<"$T/no-limits"
	says "chdir /: EUSERS" "prlimit 0: E2BIG"
	run mini --proc /proc --unshare-pid --add-seccomp-fd 8 --add-seccomp-fd 9 -- "$PROBE" cat /proc/self/status \
		8<"$T/no-chdir" 9<"$T/no-limits"
	matches "^Seccomp_filters:[[:space:]]*2$"
}

@test "--add-seccomp-fd: loaded in the order of the words, the last may deny prctl" {
	run mini --add-seccomp-fd 8 --add-seccomp-fd 9 -- "$TRY" chdir / -- prlimit 0 8<"$T/no-limits" 9<"$T/last"
	says "chdir /: EUSERS" "prlimit 0: E2BIG"
	exec 8<"$T/last" 9<"$T/no-limits"
	dies "" --add-seccomp-fd 8 --add-seccomp-fd 9
	exec 8<&- 9<&-
}

@test "not both kinds" {
	exec 8<"$T/no-chdir" 9<"$T/no-limits"
	dies "^bwrap: --seccomp cannot be combined with --add-seccomp-fd$" --add-seccomp-fd 8 --seccomp 9
	dies "^bwrap: --add-seccomp-fd cannot be combined with --seccomp$" --seccomp 8 --add-seccomp-fd 9
	exec 8<&- 9<&-
}

@test "data that is no filter is refused" {
	local option
	for option in --seccomp --add-seccomp-fd; do
		exec 8<"$T/odd"
		dies "^bwrap: Invalid seccomp data, must be multiple of 8$" "$option" 8
		exec 8<"$T/empty"
		dies "" "$option" 8
		exec 8<"$T/nonsense"
		dies "" "$option" 8
		exec 8<&-
		dies "^bwrap: Can't read seccomp data: Bad file descriptor$" "$option" 77
	done
}

@test "a filter of 4,096 instructions is taken, one more is not" {
	local i
	for ((i = 0; i < 4095; i++)); do printf '\x20\0\0\0\0\0\0\0'; done >"$T/long"
	printf '\x06\0\0\0\0\0\xff\x7f' >>"$T/long"
	run mini --seccomp 8 -- "$PROBE" exit 3 8<"$T/long"
	exits 3
	printf '\x06\0\0\0\0\0\xff\x7f' >>"$T/long"
	exec 8<"$T/long"
	dies "" --seccomp 8
	exec 8<&-
}
