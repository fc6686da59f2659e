#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# 0, 1, 2 as given, --keep-fd, and nothing else.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "the standard three and nothing else" {
	run mini -- "$PROBE" fds
	is "0 1 2"
}

@test "stdin, stdout and stderr are the caller's" {
	run --separate-stderr box -- /bin/sh -c 'cat; echo err >&2' <<<in
	exits 0
	is in
	[ "$stderr" = err ]
}

# closed SET: run with the members of SET closed; the report is written to a file.
closed() {
	local report=$T/w/report

	mkdir "$T/w"
	give "$T/w"
	status=0
	(
		[[ $1 != *0* ]] || exec 0<&-
		[[ $1 != *1* ]] || exec 1>&-
		[[ $1 != *2* ]] || exec 2>&-
		mini -w "$T/w" --setenv A 1 -- "$PROBE" fds "$report"
	) 4>&- 3>&- || status=$?
	[ "$status" -eq 0 ] || { echo "status $status"; return 1; }
	[ "$(cat "$report")" = "$2" ] || { echo "open: $(cat "$report"), wanted: $2"; return 1; }
}

@test "nothing closed" { closed "" "0 1 2"; }
@test "stdin closed" { closed 0 "1 2"; }
@test "stdout closed" { closed 1 "0 2"; }
@test "stderr closed" { closed 2 "0 1"; }
@test "stdin and stdout closed" { closed 01 "2"; }
@test "stdin and stderr closed" { closed 02 "1"; }
@test "stdout and stderr closed" { closed 12 "0"; }
@test "all three closed" { closed 012 ""; }

@test "all three closed, with status descriptors: the codes are right" {
	status=0
	(
		exec 0<&- 1>&- 2>&-
		mini --status-fd 8 --exit-signal-fd 9 -- "$PROBE" die 15
	) 4>&- 3>&- 8>"$T/events" 9>"$T/record" || status=$?
	[ "$status" -eq 143 ]
	grep -q '"signal":15' "$T/events"
	[ "$(od -An -tx1 "$T/record")" = " 0f 00 00 00" ]
}

@test "all three closed and a failing start: 125, no crash" {
	status=0
	(
		exec 0<&- 1>&- 2>&-
		nb -r "$T/none" -x "$NB_BIN" -- "$TRY" put "$T/marker"
	) 4>&- 3>&- || status=$?
	[ "$status" -eq 125 ]
}

@test "stderr closed: an error does not land in a grant or a status descriptor" {
	status=0
	(
		exec 2>&-
		nb --exit-signal-fd 9 -r "$T/none" -- /x
	) 3>&- 9>"$T/record" || status=$?
	[ "$status" -eq 125 ]
	[ ! -s "$T/record" ]
}

@test "--keep-fd keeps one, at its own number" {
	echo kept >"$T/f"
	run mini --keep-fd 9 -- "$PROBE" fds 9<"$T/f" 8<"$T/f"
	is "0 1 2 9"
	run box --keep-fd 9 -- /bin/sh -c 'cat <&9' 9<"$T/f"
	is kept
}

@test "--keep-fd for several, high and low" {
	run mini --keep-fd 3 --keep-fd 200 --keep-fd 7 -- "$PROBE" fds 3</dev/null 7</dev/null 200</dev/null
	is "0 1 2 3 7 200"
}

@test "--keep-fd twice the same, or of a standard one, is harmless" {
	run mini --keep-fd 9 --keep-fd 9 --keep-fd 1 -- "$PROBE" fds 9</dev/null
	is "0 1 2 9"
}

@test "--keep-fd with everything closed below" {
	mkdir "$T/w"
	give "$T/w"
	(
		exec 0<&- 1>&- 2>&-
		mini --keep-fd 3 -w "$T/w" -- "$PROBE" fds "$T/w/report"
	) 4>&- 3</dev/null
	[ "$(cat "$T/w/report")" = 3 ]
}

@test "a kept descriptor writes where it did" {
	run mini --keep-fd 9 -- "$TRY" write /proc/self/fd/9 x 9>"$T/f"
	run box --keep-fd 9 -- /bin/sh -c 'echo through >&9' 9>"$T/f"
	exits 0
	[ "$(cat "$T/f")" = through ]
}

@test "a status descriptor is never visible, wherever it stands" {
	local n
	for n in 3 4 10 255; do
		eval "run mini --status-fd $n -- \"\$PROBE\" fds $n>\"\$T/events\""
		is "0 1 2"
		eval "run mini --exit-signal-fd $n -- \"\$PROBE\" fds $n>\"\$T/record\""
		is "0 1 2"
	done
}

@test "a status descriptor that is also kept is refused or hidden" {
	run mini --status-fd 9 --keep-fd 9 -- "$PROBE" fds 9>"$T/events"
	[ "$status" -eq 125 ] || is "0 1 2"
}

@test "a hundred open descriptors of the caller are not there" {
	run as_caller "$NB_BIN/starter" leak 3 102 "$NB" -x "$NB_BIN" -- "$PROBE" fds
	is "0 1 2"
}

@test "a place holder of a closed standard descriptor takes nothing that is written to it" {
	# shellcheck disable=SC2016
	launch "$NB_BIN/starter" reset /bin/sh -c 'exec "$@" 2>&-' - "$NB" -x "$NB_BIN" -- "$PROBE" hold
	await ready
	[ "$(readlink "/proc/$LAUNCHER/fd/2")" = "anon_inode:[signalfd]" ]
}
