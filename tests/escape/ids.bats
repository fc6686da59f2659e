#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# With ranges of ids a box has more than one user. None of them may become, or harm, anybody else.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common
load ../lib/ids

@test "no id but those of the ranges can be had, and those not without capabilities" {
	for_ranges
	run ranged "${BOTH[@]}" -- "$TRY" setuid 1 -- setgid 1 -- setgroups -- setuid 20 -- setgid 20 -- \
		setuid 300000 -- setuid 65534 -- capset -- ambient 7 -- securebits 0
	exits 0
	run ranged "${BOTH[@]}" --keep-cap ALL -- "$TRY" setuid 20 -- setgid 20 -- setuid 300000 -- \
		setuid 65534 -- setgid 65534
	exits 0
}

@test "the maps and setgroups cannot be written again" {
	for_ranges
	run ranged "${BOTH[@]}" --keep-cap ALL -- "$TRY" write /proc/self/uid_map "0 0 1" -- \
		write /proc/self/gid_map "0 0 1" -- write /proc/self/setgroups deny -- \
		write /proc/1/uid_map "0 0 1" -- write /proc/1/gid_map "0 0 1"
	exits 0
}

@test "process 1 is out of reach, whatever is kept" {
	for_ranges
	local keep
	for keep in "" "--keep-cap ALL" "--uid 5 --keep-cap kill"; do
		# shellcheck disable=SC2086 # words
		run ranged "${BOTH[@]}" $keep -- "$TRY" kill 1 9 -- kill 1 15 -- read /proc/1/environ -- \
			readlink /proc/1/exe -- readlink /proc/1/root -- attach 1 -- setns /proc/1/ns/user
		exits 0 || { echo "for: $keep" >&2; return 1; }
	done
}

@test "the caller is nobody in there, unless a range has its id" {
	for_ranges
	run ranged "${BOTH[@]}" -x /usr -- stat -c %u:%g /proc/1 "$NB"
	exits 0
	[ "$(sort -u <<<"$output")" = 65534:65534 ]
	echo secret >"$T/secret"
	give "$T/secret"
	chmod 0600 "$T/secret"
	run ranged "${BOTH[@]}" --keep-cap ALL -w "$T/secret" -- "$TRY" open-r "$T/secret" -- \
		open-w "$T/secret" -- chmod "$T/secret" -- chown "$T/secret"
	exits 0
	run ranged "${BOTH[@]}" --map-uids "50:$NB_UID:1" --uid 50 -w "$T/secret" -- "$TRY" open-r "$T/secret"
	says "open-r $T/secret: ok"
}

@test "capabilities count for files of the ranges alone" {
	need_root_caller
	mkdir "$T/w"
	chmod 0777 "$T/w"
	echo x >"$T/w/root"
	echo x >"$T/w/mine"
	echo x >"$T/w/group"
	chown 300007:400007 "$T/w/mine"
	# A file whose group is none of the box's is not the box's.
	chown 300007:0 "$T/w/group"
	chmod 0600 "$T/w/"*
	run ranged "${BOTH[@]}" --keep-cap ALL -w "$T/w" -- "$TRY" open-r "$T/w/root" -- chown "$T/w/root" -- \
		chown "$T/w/group" -- open-r "$T/w/group"
	exits 0
	run ranged "${BOTH[@]}" --keep-cap ALL -w "$T/w" -- "$TRY" open-r "$T/w/mine"
	says "open-r $T/w/mine: ok"
}

@test "no further user namespace, and none of the one between" {
	for_ranges
	run ranged "${BOTH[@]}" --keep-cap ALL -- "$TRY" unshare user -- clone user
	exits 0
	run ranged "${BOTH[@]}" -- "$PROBE" cat /proc/sys/user/max_user_namespaces
	is 0
}

@test "newuidmap in the box has no rights" {
	for_ranges
	need newuidmap
	run ranged "${BOTH[@]}" -x /usr -r /etc -- sh -c 'newuidmap $$ 0 0 1; newgidmap $$ 0 0 1; cat /proc/self/uid_map'
	exits 0
	lacks "^ *0 +0 +1$"
}

@test "a set-user-ID program that the box leaves behind has no effect in it" {
	for_ranges
	mkdir "$T/w"
	chmod 0777 "$T/w"
	run ranged "${BOTH[@]}" -x /usr -x "$T/w" -w "$T/w" --uid 3 --gid 3 -- sh -c 'cp "$1" "$2" && chmod 6755 "$2"' - \
		"$PROBE" "$T/w/suid"
	exits 0
	# That is what the README warns of.
	[ "$(stat -c %u:%g:%a "$T/w/suid")" = 300003:400003:6755 ]
	run ranged "${BOTH[@]}" -x "$T/w" --keep-cap ALL -- "$T/w/suid" ids
	exits 0
	says "uid 0 0 0" "gid 0 0 0"
}

@test "neither the process nor the descriptor that made the namespace is left" {
	for_ranges
	run ranged "${BOTH[@]}" -- "$PROBE" fds
	is "0 1 2"
	run ranged "${BOTH[@]}" --as-pid-1 -- "$PROBE" fds
	is "0 1 2"
	run ranged "${BOTH[@]}" -- "$PROBE" ls /proc
	exits 0
	[ "$(grep -cE '^[0-9]+$' <<<"$output")" = 2 ]
	run ranged "${BOTH[@]}" --as-pid-1 -- "$PROBE" ls /proc
	[ "$(grep -cE '^[0-9]+$' <<<"$output")" = 1 ]
}

# ---- groups (CVE-2014-8989) ----

@test "without subordinate groups no group is lost" {
	need_root "a file that denies a group"
	echo secret >"$T/file"
	chown root:12345 "$T/file"
	chmod 0604 "$T/file"
	run timeout -s KILL 60 setpriv --reuid=54321 --regid=54321 --groups=12345 -- \
		"$NB" -x "$NB_BIN" -r "$T/file" --map-uids 0:54321:1 --map-gids 0:54321:1 --keep-cap ALL -- \
		"$TRY" setgroups -- open-r "$T/file"
	exits 0
	says "setgroups: EPERM" "open-r $T/file: EACCES"
}

@test "newgidmap decides who may lose groups: a line of /etc/subgid is that permission" {
	helped_only() { need_plain_caller; for_ranges; }
	helped_only
	echo secret >"$T/file"
	chown root:54321 "$T/file"
	chmod 0604 "$T/file"
	local in=(setpriv --reuid="$NB_UID" --regid="$NB_GID" --groups=54321 --)
	run with_etc "${in[@]}" "$NB" -x "$NB_BIN" -r "$T/file" "${USERS[@]}" -- "$TRY" setgroups -- open-r "$T/file"
	exits 0
	run with_etc "${in[@]}" "$NB" -x "$NB_BIN" -r "$T/file" "${BOTH[@]}" -- "$TRY" open-r "$T/file"
	says "open-r $T/file: ok"
}

# ---- who may map what ----

@test "an ordinary caller gets no id of root's or of another user" {
	need_plain_caller
	local range
	for range in 0:0:1 0:1:1 0:54321:1 "0:$((NB_UID + 1)):1" "0:$NB_UID:2" 0:0:4294967295; do
		run nb -x "$NB_BIN" --map-uids "$range" -- "$PROBE" ids
		exits 125
		lacks "^uid"
		run nb -x "$NB_BIN" --map-gids "$range" -- "$PROBE" ids
		exits 125
		lacks "^uid"
	done
}

@test "root in a user namespace maps what is mapped there, and is told of the rest" {
	need_root "unshare"
	local in=(timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --clear-groups -- unshare -Ur)
	run "${in[@]}" "$NB" -x "$NB_BIN" --map-uids 5:0:1 --map-gids 6:0:1 -- "$PROBE" ids
	exits 0
	says "uid 5 5 5" "gid 6 6 6"
	run --separate-stderr "${in[@]}" "$NB" -x "$NB_BIN" --map-uids 5:1:1 -- "$PROBE" ids
	exits 125
	one_line "^nestbox: id ranges: uid_map: Operation not permitted \(.*user namespace"
}

# Covers on /proc would keep a box below from having one, so whoever has ids of nobody's goes without.
@test "--allow-userns: whoever has other ids than root's can do nothing with an uncovered /proc" {
	need_root_caller
	run ranged "${BOTH[@]}" --allow-userns --keep-cap ALL -- "$TRY" open-w /proc/sysrq-trigger -- \
		open-w /proc/irq/default_smp_affinity -- open-w /proc/1/oom_score_adj -- \
		open-w /proc/sys/kernel/core_pattern -- open-w /proc/sys/vm/drop_caches -- open-r /proc/1/environ -- \
		open-r /proc/kpagecount -- open-r /proc/slabinfo -- open-r /proc/timer_list -- umount /proc
	exits 0
	run ranged "${BOTH[@]}" --allow-userns --keep-cap setfcap -x /usr --exec-try /lib --exec-try /lib64 -- "$NB" -x "$NB_BIN" -- "$PROBE" exit 5
	exits 5
}

@test "--allow-userns: whoever has root's id has a covered /proc" {
	need_root_caller
	local range

	# Also where it is called otherwise.
	for range in 0:0:1 7:0:1 0:0:300000; do
		run mini --allow-userns --map-uids "$range" --keep-cap ALL -- "$TRY" \
			open-w /proc/sysrq-trigger -- open-w /proc/1/oom_score_adj -- \
			open-w /proc/sys/kernel/core_pattern -- open-r /proc/kpagecount
		exits 0
	done
}
