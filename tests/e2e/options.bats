#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The words of the command line: what is an option, what is none, what is refused.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

ALL_OPTIONS="--read --write --exec --read-try --write-try --exec-try --tmpfs --dir --symlink --proc
	--dev --chdir --hostname --uid --gid --net --env --env-all --setenv --unsetenv --clearenv
	--rlimit --keep-fd --argv0 --new-session --die-with-parent --timeout --status-fd
	--exit-signal-fd --explain --help --version"

# bad REGEX WORD…: the words alone are refused.
bad() {
	local regex=$1

	shift
	run --separate-stderr nb "$@"
	exits 125 || return 1
	[ -z "$output" ] || { echo "stdout: $output" >&2; return 1; }
	one_line "$regex"
}

@test "an unknown long option: one line that names it, nothing done" {
	refused "^nestbox: options: --foo: unknown option" --foo
	refused "^nestbox: options: --foo(=bar)?: unknown option" --foo=bar
}

@test "an unknown short option" {
	refused "^nestbox: options: -Z: unknown option" -Z
	refused "^nestbox: options: -Z" -Zfoo
}

@test "an abbreviated option is an unknown one" {
	refused "^nestbox: options: --hostn: unknown option" --hostn x
	refused "^nestbox: options: --rea: unknown option" --rea /etc
}

@test "an unknown option after good ones, and before the command" {
	refused "^nestbox: options: --foo: unknown option" -r /etc --foo
}

@test "a missing argument is named, for every option that takes one" {
	local o

	for o in --read --write --exec --read-try --write-try --exec-try --tmpfs --dir --symlink \
		--proc --dev --chdir --hostname --uid --gid --env --setenv --unsetenv --rlimit \
		--keep-fd --argv0 --timeout --status-fd --exit-signal-fd; do
		bad "^nestbox: options: $o: " "$o"
	done
	bad "^nestbox: options: (-r|--read)" -r
	bad "^nestbox: options: (-w|--write)" -w
	bad "^nestbox: options: (-x|--exec)" -x
	bad "^nestbox: options: (-e|--env)" -e
}

@test "the second of two arguments is missing" {
	bad "^nestbox: options: --setenv: " --setenv A
	bad "^nestbox: options: --symlink: " --symlink A
}

@test "no command" {
	bad "^nestbox: options: "
	bad "^nestbox: options: " --
	bad "^nestbox: options: " -r /etc
	bad "^nestbox: options: " -r /etc --
}

@test "an empty command is refused" {
	run --separate-stderr mini -- ""
	[ "$status" -eq 125 ] || [ "$status" -eq 127 ]
	one_line
}

@test "options stop at the first word that is none" {
	run nb -x "$NB_BIN" "$PROBE" args --foo -r /none --help
	exits 0
	is "$(printf '[%s]\n' "$PROBE" args --foo -r /none --help)"
}

@test "options stop at --" {
	run mini -- "$PROBE" args -- --version
	is "$(printf '[%s]\n' "$PROBE" args -- --version)"
}

@test "after -- a word with dashes is the command" {
	run -127 --separate-stderr mini -- --version
	exits 127
	one_line
}

@test "a lone dash is a word" {
	run -127 --separate-stderr mini -
	exits 127
	one_line
}

@test "arguments reach the command byte for byte" {
	local odd=$'a b\n\t"\\ \xff'
	run mini -- "$PROBE" args "" "$odd" "*" "\$x"
	is "$(printf '[%s]\n' "$PROBE" args "" "$odd" "*" "\$x")"
}

@test "ten thousand arguments" {
	local words
	mapfile -t words < <(seq 10000)
	run mini -- "$PROBE" args "${words[@]}"
	exits 0
	[ "$(wc -l <<<"$output")" -eq 10002 ]
}

@test "--name=value and --name value are the same" {
	echo x >"$T/f"
	run nb "--exec=$NB_BIN" "--read=$T" -- "$PROBE" cat "$T/f"
	is x
	run nb --exec "$NB_BIN" --read "$T" -- "$PROBE" cat "$T/f"
	is x
}

@test "--name=value: the value may hold = and may be odd" {
	mkdir "$T/a=b"
	echo x >"$T/a=b/f"
	run mini "--read=$T/a=b" -- "$PROBE" cat "$T/a=b/f"
	is x
}

@test "--name= gives an empty value" {
	refused "" --read=
}

@test "-rPATH and -r PATH are the same" {
	echo x >"$T/f"
	run nb "-x$NB_BIN" "-r$T" -- "$PROBE" cat "$T/f"
	is x
	run nb -x "$NB_BIN" -r "$T" -- "$PROBE" cat "$T/f"
	is x
}

@test "an option without arguments refuses one" {
	local o

	for o in --net --env-all --clearenv --new-session --die-with-parent --explain --help --version; do
		refused "^nestbox: options: $o" "$o=x"
	done
}

@test "an option of two arguments takes them as words only" {
	refused "^nestbox: options: --setenv" --setenv=A B
}

@test "a long line of options is fine" {
	local i opts=()
	for i in {1..3000}; do opts+=(--setenv "V$i" "$i"); done
	run mini "${opts[@]}" -- "$PROBE" envsize
	exits 0
	[ "${output%% *}" -eq 3001 ]
}

# ---- numbers ----

@test "--timeout refuses what is no duration" {
	local v
	for v in "" x -1 +1 1x "1 " " 1" nan inf 0x1 1e 1..0 . 99999999999999999999999999; do
		refused "^nestbox: options: --timeout: " --timeout "$v" || { echo "for: $v"; return 1; }
	done
}

@test "descriptor numbers: what is none is refused" {
	local o v
	for o in --status-fd --exit-signal-fd --keep-fd; do
		for v in "" x -1 +1 1x " 1" 0x1 2147483648 4294967296 4294967299 99999999999999999999; do
			refused "^nestbox: " "$o" "$v" || { echo "for: $o $v"; return 1; }
		done
	done
}

@test "descriptor numbers: one that is closed is refused" {
	local o
	for o in --status-fd --exit-signal-fd --keep-fd; do
		refused "^nestbox: options: $o: " "$o" 99
	done
}

@test "a status descriptor that cannot be written is refused" {
	refused "^nestbox: " --status-fd 9 9</dev/null
	refused "^nestbox: " --exit-signal-fd 9 9</dev/null
}

@test "--rlimit refuses what it does not know" {
	local v
	for v in "" nofile nofile= =1 nofoo=1 nofile=x nofile=-1 nofile=+1 nofile=1:x nofile=1: nofile=:1 \
		nofile=1:2:3 nofile=2:1 "nofile= 1" nofile=99999999999999999999999 nofile=0x10; do
		refused "^nestbox: options: --rlimit: " --rlimit "$v" || { echo "for: $v"; return 1; }
	done
}

@test "--hostname refuses what is too long" {
	refused "^nestbox: " --hostname "$(printf 'h%.0s' {1..65})"
}

@test "--chdir to a relative path stays inside, or is refused" {
	run mini --chdir tmp -- "$PROBE" cwd
	[ "$status" -eq 125 ] || is /tmp
}

# ---- looking first ----

@test "--help names every option, on stdout, and starts nothing" {
	local o
	run --separate-stderr mini -w "$T" --help -- "$TRY" put "$T/marker"
	exits 0
	[ -z "$stderr" ]
	[ ! -e "$T/marker" ]
	for o in $ALL_OPTIONS; do matches "(^|[ ,])$o([ =,]|$)"; done
	matches '(^|[ ,])-r[ ,]' '(^|[ ,])-w[ ,]' '(^|[ ,])-x[ ,]' '(^|[ ,])-e[ ,]'
}

@test "--help needs no command and no rights" {
	run nb --help
	exits 0
}

@test "--version is one line: nestbox X.Y.Z" {
	run --separate-stderr nb --version
	exits 0
	[ -z "$stderr" ]
	[[ $output =~ ^nestbox\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "the man page knows every option" {
	local o
	[ -e "$NB_TREE/nestbox.1" ]
	# mdoc: -r is "Fl r", --read is "Fl -read", dashes may be escaped.
	output=$(sed 's/\\-/-/g; s/\\//g' "$NB_TREE/nestbox.1")
	for o in $ALL_OPTIONS; do
		grep -qE -- "(Fl -|--)${o#--}( |$)" <<<"$output" || { echo "not in nestbox.1: $o"; return 1; }
	done
}

@test "--help and --version say so when stdout is full" {
	local o
	for o in --help --version --explain; do
		status=0
		nb "$o" -x "$NB_BIN" -- "$PROBE" exit 0 >/dev/full 2>"$T/err" || status=$?
		[ "$status" -eq 125 ] || { echo "$o: $status"; return 1; }
		[ "$(wc -l <"$T/err")" -eq 1 ]
	done
}

@test "--explain starts nothing and exits 0" {
	run --separate-stderr mini -w "$T" --explain -- "$TRY" put "$T/marker"
	exits 0
	[ -n "$output" ]
	[ -z "$stderr" ]
	[ ! -e "$T/marker" ]
}

@test "--explain shows the grants, the steps and the command" {
	run mini -r /etc -w "$T" --tmpfs /work --symlink text /link --explain -- "$PROBE" exit 3
	matches /etc "$T" /work /link "$PROBE"
}

@test "--explain starts nothing with a command that does not exist" {
	run mini --explain -- /no/such/command
	exits 0
}

@test "--explain: bad use stays bad use" {
	bad "^nestbox: options: --foo: " --explain --foo -- true
}

@test "--explain works where no namespace can be had" {
	run as_caller "$NB_BIN/deny" 56,435,272 EPERM -- "$NB" -x "$NB_BIN" --explain -- "$PROBE" exit 3
	exits 0
	matches "$NB_BIN"
}
