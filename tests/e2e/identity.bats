#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who the workload is, inside and as the host sees it; and numbers that are none.

load ../lib/common

@test "the caller's ids by default" {
	run mini -- "$PROBE" ids
	says "uid $NB_UID $NB_UID $NB_UID" "gid $NB_GID $NB_GID $NB_GID"
}

@test "--uid and --gid set the ids inside" {
	run mini --uid 1000 --gid 2000 -- "$PROBE" ids
	says "uid 1000 1000 1000" "gid 2000 2000 2000"
}

@test "--uid 0 is root by name only" {
	run mini --uid 0 --gid 0 -- "$PROBE" ids
	says "uid 0 0 0" "gid 0 0 0"
	run mini --uid 0 --gid 0 -- "$PROBE" caps
	says "effective 0000000000000000" "permitted 0000000000000000" "bounding 0000000000000000"
}

@test "--uid alone leaves the gid, and the other way round" {
	run mini --uid 1000 -- "$PROBE" ids
	says "uid 1000 1000 1000" "gid $NB_GID $NB_GID $NB_GID"
	run mini --gid 1000 -- "$PROBE" ids
	says "uid $NB_UID $NB_UID $NB_UID" "gid 1000 1000 1000"
}

@test "ids at both ends of the range" {
	run mini --uid 65534 --gid 65534 -- "$PROBE" ids
	says "uid 65534 65534 65534" "gid 65534 65534 65534"
	run mini --uid 4294967294 --gid 2147483648 -- "$PROBE" ids
	says "uid 4294967294 4294967294 4294967294" "gid 2147483648 2147483648 2147483648"
}

@test "files made in the box belong to the caller outside, whatever --uid says" {
	mkdir "$T/w"
	give "$T/w"
	run mini -w "$T/w" --uid 1000 --gid 1000 -- "$TRY" put "$T/w/f"
	says "put $T/w/f: ok"
	[ "$(stat -c %u:%g "$T/w/f")" = "$NB_UID:$NB_GID" ]
}

@test "only one id is mapped, of each kind" {
	run mini -- "$PROBE" cat /proc/self/uid_map
	[[ $output =~ ^\ *$NB_UID\ +[0-9]+\ +1$ ]]
	run mini -- "$PROBE" cat /proc/self/gid_map
	[[ $output =~ ^\ *$NB_GID\ +[0-9]+\ +1$ ]]
}

@test "setgroups is denied in the box" {
	run mini -- "$PROBE" cat /proc/self/setgroups
	is deny
	run mini -- "$TRY" setgroups -- setuid 1 -- setgid 1
	exits 0
	says "setgroups: EPERM"
}

@test "works without a passwd entry and without /etc" {
	run nb -x "$NB_BIN" --uid 4242 -- "$PROBE" ids
	says "uid 4242 4242 4242"
}

@test "supplementary groups of the caller give no right to change them" {
	need_root "setpriv"
	run timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --groups=12345,54321 -- \
		"$NB" -x "$NB_BIN" -- "$TRY" setgroups
	says "setgroups: EPERM"
}

@test "real and effective ids that differ are refused or end as one" {
	need_root "setpriv"
	run timeout -s KILL 60 setpriv --ruid=12345 --euid=0 -- "$NB" -x "$NB_BIN" -- "$PROBE" ids
	[ "$status" -eq 125 ] || matches "^uid ([0-9]+) \1 \1$"
}

# ---- numbers that are none (crun took -u 1 for 0:0) ----

bad_ids() {
	local bad

	for bad in "" -1 +1 -0 0x1 0x0 1e3 1.0 " 1" "1 " $'\t1' $'1\n' $'\n1' 1a a root 4294967295 4294967296 \
		18446744073709551616 18446744073709551617 99999999999999999999999999999999 \
		--1 0-1 1: 1,2 0:0 "0 0" "1 0" ٣ １ $'\xff' %d 1k 1K; do
		refused "^nestbox: options: --$1: " "--$1" "$bad" || {
			printf 'for: %q\n' "$bad" >&2
			return 1
		}
		refused "^nestbox: options: --$1: " "--$1=$bad" || {
			printf 'for: =%q\n' "$bad" >&2
			return 1
		}
	done
}

@test "--uid takes a plain decimal number and nothing else" {
	bad_ids uid
}

@test "--gid takes a plain decimal number and nothing else" {
	bad_ids gid
}
