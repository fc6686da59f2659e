#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the workload finds in its environment, and where its program is searched.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

STANDARD=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# with NAME=VALUE… -- ARGUMENT…: nestbox called with these in its environment.
with() {
	local vars=()

	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	as_caller env "${vars[@]}" "$NB" -x "$NB_BIN" "$@"
}

@test "only PATH is there, with the standard value" {
	run with SECRET=1 LD_PRELOAD= HOME=/x PATH="$PATH:/extra" -- -- "$PROBE" env
	is "$STANDARD"
}

@test "--env keeps a variable" {
	run with A=1 B=2 -- -e A -- "$PROBE" env
	exits 0
	says A=1 "$STANDARD"
	lacks ^B=
}

@test "-eNAME and --env=NAME" {
	run with A=1 B=2 -- -eA --env=B -- "$PROBE" env
	says A=1 B=2
}

@test "--env of a variable that is not set is no error" {
	run with A=1 -- -e NOBODY_SET_THIS -- "$PROBE" env
	exits 0
	is "$STANDARD"
}

@test "--env keeps an empty value" {
	run with A= -- -e A -- "$PROBE" env
	says A=
}

@test "--env twice gives one entry" {
	run with A=1 -- -e A -e A -- "$PROBE" env
	[ "$(grep -c ^A= <<<"$output")" -eq 1 ]
}

@test "--env PATH keeps the caller's" {
	run with PATH="$PATH:/extra" -- -e PATH -- "$PROBE" env
	is "PATH=$PATH:/extra"
}

@test "--env-all keeps everything" {
	run with A=1 "B=two words" PATH="$PATH:/extra" -- --env-all -- "$PROBE" env
	says A=1 "B=two words" "PATH=$PATH:/extra"
	[ "$(grep -c ^PATH= <<<"$output")" -eq 1 ]
}

@test "--setenv sets, also an empty value and one with =" {
	run mini --setenv A 1 --setenv B "" --setenv C "x=y z" -- "$PROBE" env
	says A=1 B= "C=x=y z" "$STANDARD"
}

@test "--setenv replaces, the last one wins" {
	run mini --setenv A 1 --setenv A 2 --setenv PATH /p -- "$PROBE" env
	is "$(printf '%s\n' PATH=/p A=2)" || is "$(printf '%s\n' A=2 PATH=/p)"
}

@test "--unsetenv removes, and is no error when nothing is there" {
	run mini --setenv A 1 --unsetenv A --unsetenv NOBODY -- "$PROBE" env
	exits 0
	is "$STANDARD"
	run mini --unsetenv PATH -- "$PROBE" env
	is ""
}

@test "--unsetenv takes the whole name, not its beginning" {
	run mini --setenv AB 1 --unsetenv A -- "$PROBE" env
	says AB=1
}

@test "--clearenv removes PATH, too" {
	run with A=1 -- -e A --clearenv -- "$PROBE" env
	exits 0
	is ""
}

@test "the options are applied in their order" {
	run with A=outer -- --setenv A 1 --clearenv --setenv B 2 -e A -- "$PROBE" env
	says B=2 A=outer
	lacks ^PATH=
	run with A=outer -- --env-all --setenv A 1 -- "$PROBE" env
	says A=1
	run with A=outer -- --setenv A 1 --env-all -- "$PROBE" env
	says A=outer
	[ "$(grep -c ^A= <<<"$output")" -eq 1 ]
}

@test "names that cannot be: refused" {
	refused "^nestbox: options: --setenv: " --setenv "" 1
	refused "^nestbox: options: --setenv: " --setenv A=B 1
	refused "^nestbox: options: --env: " -e ""
	refused "^nestbox: options: --env: " -e A=B
	refused "^nestbox: options: --unsetenv: " --unsetenv ""
	refused "^nestbox: options: --unsetenv: " --unsetenv A=B
}

@test "a value that is not UTF-8 comes through byte for byte" {
	local odd=$'\xff\xfe\x01 \n"'
	run with "ODD=$odd" -- -e ODD --setenv SET "$odd" -- "$PROBE" env
	[ "$output" = "$(printf '%s\n' "$STANDARD" "ODD=$odd" "SET=$odd")" ] || {
		printf '%q\n' "$output"
		return 1
	}
}

@test "an environment of more than one mebibyte" {
	local i big vars=()
	big=$(printf '%0100000d' 7)
	for i in {1..12}; do vars+=("BIG$i=$big"); done
	run with "${vars[@]}" -- --env-all -- "$PROBE" envsize
	exits 0
	[ "${output##* }" -gt 1200000 ]
}

@test "ten thousand variables" {
	local i vars=()
	for i in {1..10000}; do vars+=("V$i=$i"); done
	run with "${vars[@]}" -- --env-all -- "$PROBE" envsize
	exits 0
	[ "${output%% *}" -ge 10000 ]
}

@test "an empty environment of the caller" {
	run as_caller env -i "$NB" -x "$NB_BIN" -- "$PROBE" env
	is "$STANDARD"
}

@test "the caller's variables do not steer nestbox" {
	need_static
	run with LD_PRELOAD=/nonexistent.so GLIBC_TUNABLES=x TMPDIR=/none LC_ALL=xx -- -- "$PROBE" exit 3
	exits 3
	is ""
}

# ---- where the command is searched ----

@test "a command without a slash is searched in the box with the standard PATH" {
	run box -- true
	exits 0
}

@test "a command without a slash is searched with the box's PATH, not the caller's" {
	run -127 with PATH="$PATH:$NB_BIN" -- -- probe exit 3
	exits 127
	run mini --setenv PATH "$NB_BIN" -- probe exit 3
	exits 3
	run with PATH="$PATH:$NB_BIN" -- -e PATH -- probe exit 3
	exits 3
}

@test "a command that the host has and the box has not: 127" {
	run -127 --separate-stderr mini -- ls
	exits 127
	one_line
}

@test "the first one found wins, an earlier one that may not run is passed" {
	mkdir "$T/a" "$T/b"
	printf '#!/bin/false\n' >"$T/a/probe"
	cp "$NB_BIN/probe" "$T/b/probe"
	run nb -x "$T" --setenv PATH "$T/a:$T/b" -- probe exit 3
	exits 3
	chmod 0755 "$T/a/probe"
	cp "$NB_BIN/try" "$T/a/probe"
	run nb -x "$T" --setenv PATH "$T/a:$T/b" -- probe
	exits 0
}

@test "only one that may not run: 126" {
	mkdir "$T/a"
	cp "$NB_BIN/probe" "$T/a/prog"
	chmod 0644 "$T/a/prog"
	run --separate-stderr mini -x "$T/a" --setenv PATH "$T/a:/none" -- prog
	exits 126
	one_line
}

@test "PATH without the command's directory, empty, or unset" {
	run -127 mini --setenv PATH /none -- probe
	exits 127
	run -127 mini --unsetenv PATH -- nbt-no-such-program
	exits 127
}

@test "a command with a slash is taken as a path from the box's directory" {
	run nb -x "$NB_BIN" --chdir "$NB_BIN" -- ./probe exit 3
	exits 3
	run nb -x "$NB_BIN" --chdir "$NB_DIR" -- bin/probe exit 3
	exits 3
}
