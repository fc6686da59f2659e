#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --map-fd: the workload's descriptors under other numbers, in a box and without one.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

setup() {
	nb_setup
	local name
	for name in a b c d e f; do echo "$name" >"$T/$name"; done
	give "$T"
}

# What the descriptors of the workload say, one line for each; opened anew, since some share an offset.
READ='for n; do read -r line </proc/self/fd/$n && echo "$n $line"; done'

# mapped [ARGUMENT…] [: NUMBER…]: with a to f at 3 to 8; what these descriptors are, and all of them.
mapped() {
	local options=()

	while [ "$1" != : ]; do options+=("$1"); shift; done
	shift
	run box "${options[@]}" -- /bin/bash -c "$READ; exec $PROBE fds" - "$@" \
		3<a 4<b 5<c 6<d 7<e 8<f
	exits 0
}

@test "one descriptor under another number, and nothing else" {
	mapped --map-fd 9=3 : 9
	is "9 a
0 1 2 9"
}

@test "two change places, three go round, with a fourth beside them" {
	mapped --map-fd 3=4 --map-fd 4=3 : 3 4
	is "3 b
4 a
0 1 2 3 4"
	mapped --map-fd 3=4 --map-fd 4=5 --map-fd 5=3 --map-fd 6=3 : 3 4 5 6
	is "3 b
4 c
5 a
6 a
0 1 2 3 4 5 6"
	mapped --map-fd 5=4 --map-fd 4=3 --map-fd 3=5 : 3 4 5
	is "3 c
4 a
5 b
0 1 2 3 4 5"
}

@test "one becomes many, one stays what it is" {
	mapped --map-fd 9=3 --map-fd 10=3 --map-fd 3=3 --map-fd 200=3 : 3 9
	is "3 a
9 a
0 1 2 3 9 10 200"
}

@test "with --keep-fd, whose descriptors may be sources, too" {
	mapped --keep-fd 3 --map-fd 4=3 --map-fd 9=4 --keep-fd 8 : 3 8
	is "3 a
8 f
0 1 2 3 4 8 9"
}

@test "0, 1 and 2 can be targets and sources" {
	run mini --map-fd 0=3 --map-fd 1=4 --map-fd 2=5 -- "$PROBE" cat /proc/self/fd/0 3<a 4>out 5>err
	exits 0
	[ -z "$output" ]
	[ "$(cat out)" = a ]
	run --separate-stderr box --map-fd 1=2 --map-fd 2=1 -- /bin/sh -c 'echo out; echo err >&2'
	is err
	[ "$stderr" = out ]
	run box --map-fd 9=0 -- /bin/sh -c 'cat <&9' <b
	is b
}

@test "null is /dev/null, to read and to write" {
	run box --map-fd 1=null --map-fd 0=null --map-fd 9=null -- /bin/sh -c \
		'echo lost; { cat; cat <&9; readlink /proc/self/fd/9; echo >&9 && echo wrote; } >&2' <a
	exits 0
	is "/dev/null
wrote"
}

@test "one /dev/null for all: the numbers are as they shall be" {
	run mini --map-fd 3=null --map-fd 4=null --map-fd 7=null -- "$PROBE" fds
	is "0 1 2 3 4 7"
}

# shut NUMBERS WANTED ARGUMENT…: with these of 0, 1 and 2 closed.
shut() {
	local numbers=$1 wanted=$2

	shift 2
	mkdir -p "$T/w"
	give "$T/w"
	(
		[[ $numbers != *0* ]] || exec 0<&-
		[[ $numbers != *1* ]] || exec 1>&-
		[[ $numbers != *2* ]] || exec 2>&-
		mini -w "$T/w" "$@" -- "$PROBE" fds "$T/w/report" 5<a
	) 4>&- 3>&- || return
	[ "$(cat "$T/w/report")" = "$wanted" ] || { echo "open: $(cat "$T/w/report"), wanted $wanted"; return 1; }
}

@test "closed standard descriptors stay closed unless they are mapped" {
	shut 012 "0" --map-fd 0=null
	shut 012 "0 9" --map-fd 0=5 --map-fd 9=5
	shut 0 "1 2 3 4 6" --map-fd 3=5 --map-fd 4=1 --map-fd 6=2
	shut 12 "0 1 2" --map-fd 1=0 --map-fd 2=5
	shut 02 "0 1" --map-fd 0=1
}

@test "none of our own descriptors is in the way, whatever the numbers" {
	local n options=() wanted="0 1 2"
	for n in {3..60}; do
		options+=(--map-fd "$n=9")
		wanted+=" $n"
	done
	run mini "${options[@]}" --status-fd 8 -- "$PROBE" fds 9<a 8>"$T/events"
	is "$wanted"
	grep -qF '{"event":"exit","code":0}' "$T/events"
	# A failure is still told.
	run -127 --separate-stderr mini "${options[@]}" --status-fd 8 -- /no/such 9<a 8>"$T/events"
	exits 127
	one_line "exec: /no/such"
	grep -qF '"event":"exec-failed"' "$T/events"
	run --separate-stderr mini "${options[@]}" --rlimit nofile=1:1 --chdir /no/such -- /x 9<a
	exits 125
}

@test "the number of a status descriptor can be the workload's" {
	run box --status-fd 9 --map-fd 9=3 -- /bin/sh -c 'cat <&9' 3<a 9>"$T/events"
	is a
	grep -qF '{"event":"exit","code":0}' "$T/events"
}

@test "what is open at a target, and is not the workload's, is not there" {
	run mini --map-fd 9=3 -- "$PROBE" cat /proc/self/fd/9 3<a 9<b
	is a
	run mini --map-fd 9=3 -- "$PROBE" fds 3<a 9<b 10<c
	is "0 1 2 9"
}

@test "--init-only: the maps, 0, 1, 2, and nothing else" {
	run nb --init-only --map-fd 3=4 --map-fd 4=3 --map-fd 9=null -- /bin/bash -c "$READ; exec $PROBE fds" - 3 4 \
		3<a 4<b 5<c
	is "3 b
4 a
0 1 2 3 4 9"
	run nb --init-only --map-fd 1=3 --status-fd 9 -- "$PROBE" fds 3>out 9>"$T/events"
	exits 0
	[ "$(cat out)" = "0 1 2" ]
	grep -qF '{"event":"exit","code":0}' "$T/events"
}

@test "--as-pid-1 and --info-fd, which start differently" {
	mapped --as-pid-1 --map-fd 3=4 --map-fd 4=3 : 3 4
	is "3 b
4 a
0 1 2 3 4"
	run box --info-fd 9 --map-fd 3=4 --map-fd 4=3 --map-fd 9=5 -- /bin/bash -c "$READ; exec $PROBE fds" - 3 4 9 \
		3<a 4<b 5<c 9>"$T/info"
	is "3 b
4 a
9 c
0 1 2 3 4 9"
}

@test "where close_range is missing or forbidden, nothing else is open either" {
	local error
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
	for error in ENOSYS EPERM; do
		run as_caller "$NB_BIN/deny" 436 $error -- "$NB" -x "$NB_BIN" --map-fd 3=4 --map-fd 4=3 --keep-fd 7 -- \
			"$PROBE" fds 3<a 4<b 5<c 6<d 7<e 300<f
		is "0 1 2 3 4 7"
		# Beyond a limit that was lowered since.
		run as_caller /bin/bash -c 'exec 900</dev/null; ulimit -n 256; exec "$@"' - \
			"$NB_BIN/deny" 436 $error -- "$NB" -x "$NB_BIN" -- "$PROBE" fds
		is "0 1 2"
	done
}

@test "what cannot be: 125, nothing started" {
	local map
	for map in 3=99 0=99 99=98; do
		refused "options: --map-fd: Bad file descriptor" --map-fd $map
	done
	refused "limit of descriptors" --map-fd 2147483647=0
	refused "limit of descriptors" --map-fd "$(ulimit -n)=0"
	refused "given twice" --map-fd 3=0 --map-fd 3=null
	refused "given twice" --map-fd 3=0 --map-fd 03=0
	refused "--keep-fd, too" --map-fd 9=0 --keep-fd 9 9<a
	for map in "" 3 = 3= =3 -1=0 3=-1 "3= 0" "3=0 " 3=0=0 0x3=0 3=null0 3=NULL null=0 2147483648=0 3=99999999999999999999; do
		refused "options: --map-fd" --map-fd "$map"
	done
	refused "status descriptor" --map-fd 3=9 --status-fd 9 9>"$T/events"
	refused "another option" --map-fd 3=9 --block-fd 9 9<a
}

@test "the last number below the limit is one" {
	run as_caller /bin/bash -c 'ulimit -Sn 64; exec "$@"' - "$NB" -x "$NB_BIN" --map-fd 63=0 -- "$PROBE" fds </dev/null
	is "0 1 2 63"
	run --separate-stderr as_caller /bin/bash -c 'ulimit -Sn 64; exec "$@"' - "$NB" -x "$NB_BIN" --map-fd 64=0 -- "$PROBE" fds </dev/null
	exits 125
}

@test "the file of the events cannot be handed over, nor a directory as standard input" {
	refused "the command has that file by --map-fd" --status-fd 9 --map-fd 5=8 8>>"$T/events" 9>>"$T/events"
	refused "standard input: is a directory" </
	# A mapped one is not the one that the caller gave.
	run mini --map-fd 0=null -- "$PROBE" exit 3 </
	exits 3
}
