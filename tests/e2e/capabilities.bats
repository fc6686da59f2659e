#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the command may do in its user namespace: all five sets, and securebits.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common
load ../lib/ids

# Bits of capabilities(7).
KILL=20 NET_BIND_SERVICE=400 NET_ADMIN=1000

# all_there_are: the set of those that this kernel knows.
all_there_are() {
	printf '%x' $(((2 << $(cat /proc/sys/kernel/cap_last_cap)) - 1))
}

# in_all HEX SECUREBITS: the command has these capabilities in all five sets.
in_all() {
	local set
	exits 0 || return 1
	set=$(printf '%016x' "0x$1")
	says "inheritable $set" "permitted $set" "effective $set" "bounding $set" "ambient $set" \
		"securebits $2" "nnp 1"
}

# whoever HEX SECUREBITS ARGUMENT…: whichever ids it has, and also behind one more exec.
whoever() {
	local set=$1 bits=$2 ids
	shift 2
	for ids in "" "--uid 0 --gid 0" "--uid 7 --gid 8" "--as-pid-1" "--uid 0 --as-pid-1"; do
		# shellcheck disable=SC2086 # words
		run mini $ids "$@" -- "$PROBE" caps
		in_all "$set" "$bits" || { echo "for: $ids" >&2; return 1; }
		# shellcheck disable=SC2086 # words
		run mini $ids "$@" -- "$NB_BIN/starter" reset "$PROBE" caps
		in_all "$set" "$bits" || { echo "for: $ids, behind an exec" >&2; return 1; }
	done
}

@test "nothing is kept by default" {
	whoever 0 ef
	whoever 0 ef --keep-cap ALL --cap-drop all
}

@test "--keep-cap keeps one" {
	whoever $NET_ADMIN 00 --keep-cap NET_ADMIN
}

@test "--keep-cap keeps several, and --cap-drop takes one away again" {
	whoever 1021 00 --keep-cap NET_ADMIN --keep-cap chown --keep-cap 5
	whoever 1020 00 --keep-cap NET_ADMIN --keep-cap chown --keep-cap kill --cap-drop cap_chown
}

@test "--keep-cap ALL keeps all that there are" {
	whoever "$(all_there_are)" 00 --keep-cap ALL
}

@test "names in any case, with CAP_ or without, and numbers" {
	local name
	for name in NET_ADMIN net_admin Net_Admin CAP_NET_ADMIN cap_net_admin cAp_NeT_aDmIn 12 012; do
		run mini --keep-cap "$name" -- "$PROBE" caps
		in_all $NET_ADMIN 00 || { echo "for: $name" >&2; return 1; }
	done
}

@test "what is no capability is refused" {
	local name
	for name in "" CAP_ cap NET_ADMI NET_ADMINS "NET_ADMIN " " NET_ADMIN" NET-ADMIN CAP_CAP_KILL -1 +1 64 \
		18446744073709551616 0x1 1, CHOWN,KILL $'KILL\n' ALLL; do
		refused "^nestbox: options: --keep-cap: unknown cap:" --keep-cap "$name" || {
			printf 'for: %q\n' "$name" >&2
			return 1
		}
	done
}

@test "a capability that the kernel does not know is not left out without a word" {
	[ "$(cat /proc/sys/kernel/cap_last_cap)" -lt 63 ]
	refused "^nestbox: capabilities: cannot be kept: it is not there$" --keep-cap 63
	refused "^nestbox: capabilities: cannot be kept: it is not there$" --keep-cap kill --keep-cap 63
	run mini --keep-cap kill --keep-cap 63 --cap-drop 63 -- "$PROBE" caps
	in_all $KILL 00
}

@test "with ranges of ids it is the same" {
	for_ranges
	local ids
	for ids in "" "--uid 7 --gid 7" "--uid 0 --gid 0 --groups 3" "--uid 7 --as-pid-1"; do
		# shellcheck disable=SC2086 # words
		run ranged "${BOTH[@]}" $ids -- "$PROBE" caps
		in_all 0 ef
		# shellcheck disable=SC2086 # words
		run ranged "${BOTH[@]}" $ids --keep-cap setuid --keep-cap setgid -- \
			"$NB_BIN/starter" reset "$PROBE" caps
		in_all c0 00
		# shellcheck disable=SC2086 # words
		run ranged "${BOTH[@]}" $ids --keep-cap ALL -- "$PROBE" caps
		in_all "$(all_there_are)" 00
	done
}

@test "a program with user id 0 gives capabilities up when it becomes another user" {
	for_ranges
	run ranged -x /usr "${BOTH[@]}" --keep-cap setuid --keep-cap setgid -- \
		setpriv --reuid=6 --regid=6 --clear-groups -- "$PROBE" caps
	says "permitted 0000000000000000" "effective 0000000000000000" "ambient 0000000000000000"
}

@test "what is kept is of use for the ids of the box, and for nothing that it was made of" {
	for_ranges
	mkdir "$T/w"
	chmod 0777 "$T/w"
	run ranged "${BOTH[@]}" -w "$T/w" -- "$TRY" put "$T/w/f"
	run ranged "${BOTH[@]}" -x /usr -w "$T/w" -- chown 5:6 "$T/w/f"
	[ "$status" -ne 0 ]
	run ranged "${BOTH[@]}" -x /usr -w "$T/w" --keep-cap chown -- chown 5:6 "$T/w/f"
	exits 0
	[ "$(stat -c %u:%g "$T/w/f")" = 300005:400006 ]
	run ranged "${BOTH[@]}" --keep-cap ALL -- "$TRY" sethostname nbt -- umount /tmp -- remount-rw / -- \
		setns "/proc/1/ns/net" -- kill 1 9
	exits 0
}

# ---- without a box ----

io() {
	nb --init-only "$@"
}

@test "--init-only: groups, group and user, in this order" {
	need_root_caller
	run io --uid 7 --gid 8 --groups 9,10 -- "$PROBE" ids
	exits 0
	says "uid 7 7 7" "gid 8 8 8" "groups 9 10"
	run io --groups 11 -- "$PROBE" ids
	says "uid 0 0 0" "gid 0 0 0" "groups 11"
	run setpriv --groups=5,6 -- "$NB" --init-only --gid 8 -- "$PROBE" ids
	says "uid 0 0 0" "gid 8 8 8" groups
	run setpriv --groups=5,6 -- "$NB" --init-only -- "$PROBE" ids
	says "uid 0 0 0" "gid 0 0 0" "groups 5 6"
}

@test "--init-only: who may not change groups is told" {
	need_plain_caller
	run --separate-stderr io --groups 1 -- "$PROBE" exit 0
	exits 125
	one_line "^nestbox: groups: Operation not permitted$"
	run --separate-stderr io --uid 1 -- "$PROBE" exit 0
	exits 125
	one_line "^nestbox: ids: Operation not permitted$"
	run --separate-stderr io --keep-cap kill -- "$PROBE" exit 0
	exits 125
	one_line "^nestbox: capabilities: kill: cannot be kept: it is not there$"
}

@test "--init-only: where a user namespace denies setgroups, the groups stay" {
	need_root "setpriv"
	local in=(timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --groups=12345,54321 -- unshare -Ur)
	run "${in[@]}" "$NB" --init-only --uid 0 --gid 0 -- "$PROBE" ids
	exits 0
	says "uid 0 0 0" "groups 0 65534"
	run --separate-stderr "${in[@]}" "$NB" --init-only --uid 0 --groups 0 -- "$PROBE" ids
	exits 125
	one_line "^nestbox: groups: Operation not permitted$"
}

@test "--init-only: where nothing says so, groups that cannot be dropped are an error" {
	need_root "setpriv"
	need_static
	run --separate-stderr timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --groups=12345,54321 -- \
		unshare -Urm sh -c 'mount -t tmpfs t /proc && exec "$@"' - "$NB" --init-only --uid 0 -- "$PROBE" exit 3
	exits 125
	one_line "^nestbox: groups: Operation not permitted$"
}

@test "--init-only: groups that stay for another reason are an error" {
	need_root_caller
	[ "$(uname -m)" = x86_64 ] || skip "the list has the names of x86-64"
	run --separate-stderr timeout -s KILL 60 setpriv --groups=5 -- "$NB_BIN/deny" 116 EPERM -- \
		"$NB" --init-only --uid 7 -- "$PROBE" ids
	exits 125
	one_line "^nestbox: groups: Operation not permitted$"
}

@test "--init-only: root loses all with another user id, but what --keep-cap names" {
	need_root_caller
	run io --uid 7 -- "$PROBE" caps
	says "permitted 0000000000000000" "effective 0000000000000000" "nnp 0"
	run io --uid 7 --gid 7 --keep-cap net_bind_service --keep-cap chown -- "$PROBE" caps
	in_all 401 00
	run io --uid 7 --keep-cap net_bind_service -- "$NB_BIN/starter" reset "$PROBE" caps
	in_all $NET_BIND_SERVICE 00
	run io --uid 7 --keep-cap ALL -- "$PROBE" caps
	exits 0
	lacks "^(permitted|effective|ambient) 0000000000000000$"
	run io --uid 7 --cap-drop ALL --keep-cap kill -- "$PROBE" caps
	in_all $KILL 00
	run io --uid 7 --cap-drop ALL -- "$PROBE" caps
	in_all 0 ef
}

@test "--init-only: without another user id --keep-cap takes nothing away" {
	need_root_caller
	run "$PROBE" caps
	local before=$output
	run io --keep-cap kill -- "$PROBE" caps
	[ "$(sed '/^seccomp\|^dumpable/d' <<<"$output")" = "$(sed '/^seccomp\|^dumpable/d' <<<"$before")" ]
}

@test "--init-only: root without CAP_SETPCAP, as in a container" {
	need_root_caller
	local in=(timeout -s KILL 60 setpriv --bounding-set=-setpcap --inh-caps=-setpcap --)
	run "${in[@]}" "$NB" --init-only --cap-drop ALL -- "$PROBE" caps
	exits 0
	says "inheritable 0000000000000000" "permitted 0000000000000000" "effective 0000000000000000" \
		"ambient 0000000000000000" "nnp 1"
	run "${in[@]}" "$NB" --init-only --uid 7 --gid 7 --keep-cap kill -- "$PROBE" caps
	exits 0
	says "inheritable 0000000000000020" "permitted 0000000000000020" "effective 0000000000000020" \
		"ambient 0000000000000020" "nnp 1"
	run --separate-stderr "${in[@]}" "$NB" --init-only --keep-cap setpcap -- "$PROBE" caps
	exits 125
	one_line "^nestbox: capabilities: setpcap: cannot be kept: it is not there$"
}
