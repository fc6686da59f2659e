#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One line on stderr, the right number, and nothing started.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "a box that works writes nothing of its own" {
	run --separate-stderr mini -- "$PROBE" exit 0
	exits 0
	[ -z "$output" ]
	[ -z "$stderr" ]
}

@test "125: the line is nestbox: STEP: OBJECT: REASON" {
	refused "^nestbox: [a-z_ -]+: $T/none: No such file or directory$" -r "$T/none"
}

@test "125 for bad use: nestbox: options: OPTION: REASON" {
	refused "^nestbox: options: --foo: unknown option$" --foo
}

@test "127: not found" {
	run -127 --separate-stderr mini -- /no/such/program
	exits 127
	one_line "^nestbox: exec: /no/such/program: No such file or directory"
}

@test "127: the program's name below a file" {
	run -127 --separate-stderr mini -- "$PROBE/x"
	exits 127
	one_line "^nestbox: exec: $PROBE/x: Not a directory"
}

@test "126: found, not executable by mode" {
	cp "$PROBE" "$T/prog"
	chmod 0644 "$T/prog"
	run --separate-stderr nb -x "$T" -- "$T/prog"
	exits 126
	one_line "^nestbox: exec: $T/prog: Permission denied"
}

@test "126: found, not executable by its grant" {
	run --separate-stderr nb -r "$NB_BIN" -- "$PROBE" exit 0
	exits 126
	one_line "^nestbox: exec: $PROBE: Permission denied"
}

@test "126: a directory" {
	run --separate-stderr mini -- "$NB_BIN"
	exits 126
	one_line "^nestbox: exec: $NB_BIN: Permission denied"
}

@test "126: a file that is no program" {
	echo "just text" >"$T/text"
	chmod 0755 "$T/text"
	run --separate-stderr nb -x "$T" -- "$T/text"
	exits 126
	one_line "^nestbox: exec: $T/text: Exec format error"
}

@test "a script whose interpreter is not in the box" {
	printf '#!/no/such/interpreter\n' >"$T/script"
	chmod 0755 "$T/script"
	run -127 --separate-stderr nb -x "$T" -- "$T/script"
	exits 127
	one_line "^nestbox: exec: $T/script: "
}

@test "too many bytes of arguments: an error of exec" {
	local big vars
	big=$(printf '%0131000d' 7)
	# The kernel's limit is a quarter of the stack's, at least 128 KiB.
	vars=("$big" "$big")
	run --separate-stderr mini --rlimit stack=131072 -- "$PROBE" args "${vars[@]}"
	[ "$status" -eq 126 ] || [ "$status" -eq 125 ]
	one_line "Argument list too long"
}

@test "a name with a newline stays on one line" {
	refused "" -r "$T/no"$'\n'"such"
	refused "" $'--no\nsuch'
	run -127 --separate-stderr mini -- $'/no\nsuch'
	exits 127
	one_line
}

@test "a very long name is an error, not a crash" {
	refused "" -r "/$(printf 'n%.0s' {1..300})"
	refused "" -r "$(printf '/n%.0s' {1..4000})"
}

@test "the reason is the system's own words" {
	refused "Not a directory" -r "$PROBE/x"
}

@test "--chdir that does not exist inside: 125, nothing started" {
	refused "^nestbox: [a-z]+: /none: No such file or directory" --chdir /none
}

@test "--chdir to a host directory that is not granted: 125" {
	refused "No such file or directory" --chdir /usr
}

@test "--chdir to a file: 125" {
	refused "Not a directory" --chdir "$PROBE"
}

@test "the first error stops it all: one line only" {
	refused "^nestbox: .*: $T/none1: " -r "$T/none1" -r "$T/none2" --chdir /none3
}

@test "a destination that is in the way: 125" {
	refused "" -r "$PROBE" --dir "$PROBE/below"
}

@test "no user namespaces left: 125, with cause and remedy" {
	need unshare
	# shellcheck disable=SC2016
	run --separate-stderr as_caller unshare -Ur /bin/sh -c '
		echo 0 >/proc/sys/user/max_user_namespaces || exit 99
		exec "$@"' - "$NB" -x "$NB_BIN" -- "$PROBE" exit 3
	exits 125
	one_line "\(.*max_.*_namespaces.*\)"
}

@test "a masked /proc: 125, and it says why" {
	need unshare
	# shellcheck disable=SC2016
	run --separate-stderr as_caller unshare -Urmpf --mount-proc /bin/sh -c '
		for d in /proc/acpi /proc/fs /proc/irq; do
			[ ! -d $d ] || mount -t tmpfs t $d && break
		done
		"$@"' - "$NB" -x "$NB_BIN" -- "$PROBE" exit 3
	exits 125
	one_line "proc.*\(.*\)"
}
