#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --filter strict allows one exec, that of the command itself. Nothing that the command does may be taken
# for it: tests/escape/again.c.

load ../lib/common

setup_file() {
	nb_setup_file
	cp "$NB_HELPERS/again" "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR/bin/again"
}

@test "without a filter the program gets there" {
	run mini -- "$NB_BIN/again"
	exits 0
	is executed
	run mini --filter none -- "$NB_BIN/again"
	is executed
}

@test "the first thing that the program does is too late, each time" {
	local i

	for ((i = 0; i < 3 * NB_LOOPS; i++)); do
		run mini --filter strict -- "$NB_BIN/again"
		exits 0 || return 1
		is ENOSYS || return 1
	done
}

@test "the same beside busy neighbours, and from many threads" {
	local i

	for i in 1 2; do
		"$NB_BIN/starter" reset sh -c 'while :; do :; done' 3>&- &
		MINE+=($!)
	done
	for ((i = 0; i < NB_LOOPS / 2; i++)); do
		run mini --filter strict -- "$NB_BIN/again" 16
		exits 0 || return 1
		is ENOSYS || return 1
	done
}

@test "the same found in PATH after many that cannot be run, as process 1, and without a box" {
	local i path=

	for i in {1..50}; do
		path+=/nowhere/$i:
	done
	run mini --filter strict --setenv PATH "$path$NB_BIN" -- again
	exits 0
	[ "$output" != executed ]
	for ((i = 0; i < NB_LOOPS; i++)); do
		run mini --filter strict --as-pid-1 -- "$NB_BIN/again" 2
		is ENOSYS || return 1
		run nb --init-only --filter strict -- "$NB_BIN/again" 2
		is ENOSYS || return 1
	done
}

@test "nobody who could say yes is left, and nothing of theirs" {
	local i

	for ((i = 0; i < NB_LOOPS; i++)); do
		run mini --filter strict --proc /p -- "$PROBE" fds
		exits 0 || return 1
		[ "$(wc -w <<<"$output")" -le 4 ] || { echo "$output"; return 1; }
	done
}

# Without a box, since loopback is raised by an ioctl, too.
@test "where the question cannot be taken the start fails, and does not wait for ever" {
	local number process status=0

	case $(uname -m) in x86_64) number=16 ;; aarch64 | riscv64) number=29 ;; *) number=54 ;; esac
	as_caller timeout -s KILL 20 "$NB_BIN/deny" "$number" EPERM -- \
		"$NB" --init-only --filter strict -- "$NB_BIN/again" >"$T/out" 2>"$T/err" 3>&- || status=$?
	# Who spins would do so for ever.
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/exe")" != "$NB" ] || kill -KILL "${process#/proc/}"
	done
	[ "$status" -eq 126 ]
	grep -q '^nestbox: exec: .*: Function not implemented' "$T/err"
	[ ! -s "$T/out" ]
}

@test "where somebody else listens already there is no start" {
	[ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
	run --separate-stderr as_caller /usr/bin/python3 -c 'import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
program = Program(1, ctypes.addressof(code))
libc.prctl(38, 1, 0, 0, 0)
number = {"x86_64": 317, "aarch64": 277, "riscv64": 277, "armv7l": 383}[os.uname().machine]
listener = libc.syscall(number, 1, 8, ctypes.byref(program))
assert listener >= 0
os.set_inheritable(listener, True)
os.execv(sys.argv[1], sys.argv[1:])' "$NB" --init-only --filter strict -- "$NB_BIN/again"
	exits 125
	one_line 'seccomp: once: (Device or r|R)esource busy'
}
