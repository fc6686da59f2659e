#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Ranges of ids: --map-uids, --map-gids, --groups, and who writes the maps.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common
load ../lib/ids

# place: a directory that everybody may write to, whatever the box calls them.
place() {
	mkdir "$T/w"
	chmod 0777 "$T/w"
}

owner() {
	stat -c %u:%g "$1"
}

@test "by default the command has the first ids of the ranges and no group" {
	for_ranges
	run ranged --map-uids 7:300005:2 --map-uids 0:300000:2 --map-gids 9:400005:2 -- "$PROBE" ids
	exits 0
	says "uid 7 7 7" "gid 9 9 9" groups
}

@test "where the caller's own ids are mapped, those are the default" {
	for_ranges
	run ranged --map-uids 0:300000:2 --map-uids "70:$NB_UID:1" --map-gids 0:400000:2 \
		--map-gids "90:$NB_GID:1" -- "$PROBE" ids
	exits 0
	says "uid 70 70 70" "gid 90 90 90" groups
}

@test "--uid and --gid choose any id of the ranges, the ends too" {
	for_ranges
	local id
	for id in 0 1 19; do
		run ranged "${BOTH[@]}" --uid "$id" --gid $((19 - id)) -- "$PROBE" ids
		exits 0
		says "uid $id $id $id" "gid $((19 - id)) $((19 - id)) $((19 - id))"
	done
}

@test "an id that no range has is refused" {
	refused "^nestbox: options: --uid: is not among the ids " "${BOTH[@]}" --uid 20
	refused "^nestbox: options: --gid: is not among the ids " "${BOTH[@]}" --gid 20
	refused "^nestbox: options: --groups: is not among the ids " "${BOTH[@]}" --groups 0,20
	refused "^nestbox: options: --uid: is not among the ids " --map-uids 1:300000:1 --uid 0
}

@test "--groups gives the supplementary groups, and no others are left" {
	for_ranges
	run ranged "${BOTH[@]}" --groups 3,1 --groups 19 -- "$PROBE" ids
	exits 0
	says "groups 1 3 19"
	run with_etc setpriv --groups=400003,54321 "--reuid=$NB_UID" "--regid=$NB_GID" -- \
		"$NB" -x "$NB_BIN" "${BOTH[@]}" -- "$PROBE" ids
	exits 0
	says groups
}

@test "--groups needs a map of groups, which holds more than the caller's own" {
	for_ranges
	refused "^nestbox: options: --groups: requires --map-gids or --init-only" --groups 1
	refused "^nestbox: options: --groups: requires --map-gids or --init-only" "${USERS[@]}" --groups 1
	run --separate-stderr ranged "${USERS[@]}" --map-gids "0:$NB_GID:1" --groups 0 -- "$PROBE" ids
	exits 125
	one_line "^nestbox: options: --groups: "
}

@test "setgroups stays denied where no groups are mapped but the caller's own" {
	for_ranges
	run ranged "${USERS[@]}" -- "$PROBE" cat /proc/self/setgroups
	is deny
	run ranged "${USERS[@]}" --map-gids "0:$NB_GID:1" -- "$PROBE" cat /proc/self/setgroups
	is deny
	run ranged "${BOTH[@]}" -- "$PROBE" cat /proc/self/setgroups
	is allow
}

@test "one map alone leaves the other ids the caller's" {
	for_ranges
	run ranged "${USERS[@]}" -- "$PROBE" ids
	exits 0
	says "uid 0 0 0" "gid $NB_GID $NB_GID $NB_GID"
	run ranged "${GROUPS_[@]}" --uid 5 -- "$PROBE" ids
	exits 0
	says "uid 5 5 5" "gid 0 0 0"
}

# maps: what the host sees of the workload's maps, with one blank between numbers.
maps() {
	local init workload
	init=$(children "$LAUNCHER" | tr -d ' ')
	workload=$(children "$init" | tr -d ' ')
	tr -s ' ' <"/proc/$workload/$1" | sed 's/^ //' | sort -n
}

# The ordinary caller: the process that is started is the launcher, since all others exec it.
start_ranged() {
	local caller=("${CALLER[@]}") CALLER=()
	# shellcheck disable=SC2016
	launch unshare -m --propagation private /bin/bash -c '
		set -e
		mount -t tmpfs -o mode=755 t /mnt
		printf "%s\n" "passwd: files" >/mnt/nsswitch.conf
		printf "%s\n" "caller:x:$1:$2::/:/bin/sh" >/mnt/passwd
		echo caller:300000:1000 >/mnt/subuid
		echo caller:400000:1000 >/mnt/subgid
		mount --bind /mnt /etc
		eval "$3"
		shift 3
		exec "$@"' - "$NB_UID" "$NB_GID" "${BEFORE-}" "${caller[@]}" setsid "$NB_BIN/starter" reset "$NB" \
		-x "$NB_BIN" "$@"
}

@test "the maps are the ones that were asked for, as the host sees them" {
	for_ranges
	start_ranged --map-uids 0:300000:5 --map-uids 5:300005:5 --map-uids 100:300100:1 \
		--map-uids "50:$NB_UID:1" --map-gids 7:400000:3 -- "$PROBE" hold
	await ready
	run maps uid_map
	is "0 300000 5
5 300005 5
50 $NB_UID 1
100 300100 1" || is "0 300000 10
50 $NB_UID 1
100 300100 1"
	run maps gid_map
	is "7 400000 3"
}

@test "a range with the caller's own id in it is split, and each id is the right one" {
	need_root_caller
	place
	run nb -x "$NB_BIN" -w "$T/w" --map-uids 10:0:3 --map-gids 20:0:3 --uid 12 --gid 20 -- \
		"$TRY" put "$T/w/a"
	says "put $T/w/a: ok"
	[ "$(owner "$T/w/a")" = 2:0 ]
	run setpriv --reuid=301 --regid=301 --clear-groups --inh-caps=+setuid,+setgid \
		--ambient-caps=+setuid,+setgid -- "$NB" -x "$NB_BIN" -w "$T/w" --map-uids 0:300:3 \
		--map-gids 0:300:3 --uid 2 --gid 0 -- "$TRY" put "$T/w/b"
	says "put $T/w/b: ok"
	[ "$(owner "$T/w/b")" = 302:300 ]
}

@test "files made in the box belong to the mapped ids outside" {
	for_ranges
	place
	run ranged -w "$T/w" "${BOTH[@]}" --uid 3 --gid 4 -- "$TRY" put "$T/w/a" -- mkdir "$T/w/d"
	says "put $T/w/a: ok" "mkdir $T/w/d: ok"
	[ "$(owner "$T/w/a")" = 300003:400004 ]
	[ "$(owner "$T/w/d")" = 300003:400004 ]
	run ranged -w "$T/w" "${USERS[@]}" -- "$TRY" put "$T/w/b"
	[ "$(owner "$T/w/b")" = "300000:$NB_GID" ]
	# A file of the caller's is nobody's in there.
	echo x >"$T/w/mine"
	give "$T/w/mine"
	chmod 0600 "$T/w/mine"
	run ranged -w "$T/w" "${BOTH[@]}" -- "$TRY" open-r "$T/w/mine" -- chown "$T/w/mine"
	says "open-r $T/w/mine: EACCES" "chown $T/w/mine: EPERM"
}

@test "a command with the capability may be any of the ids, and no other" {
	for_ranges
	place
	run ranged -x /usr -w "$T/w" "${BOTH[@]}" --keep-cap setuid --keep-cap setgid -- \
		setpriv --reuid=6 --regid=7 --groups=8 -- "$TRY" put "$T/w/f"
	says "put $T/w/f: ok"
	[ "$(owner "$T/w/f")" = 300006:400007 ]
	run ranged "${BOTH[@]}" --keep-cap setuid --keep-cap setgid -- "$TRY" setgid 20 -- setuid 20
	says "setgid 20: EINVAL" "setuid 20: EINVAL"
}

@test "/tmp, /dev/shm and devices are there for whichever id" {
	for_ranges
	run ranged "${BOTH[@]}" --uid 9 -- "$TRY" put /tmp/f -- put /dev/shm/f -- write /dev/null x -- \
		open-w /dev/ptmx
	says "put /tmp/f: ok" "put /dev/shm/f: ok" "write /dev/null x: ok" "open-w /dev/ptmx: ok"
}

@test "the ids are the same without a reaper, and with --info-fd" {
	for_ranges
	run ranged --as-pid-1 "${BOTH[@]}" --uid 4 --gid 5 --groups 6 -- "$PROBE" ids
	exits 0
	says "uid 4 4 4" "gid 5 5 5" "groups 6"
	run ranged --info-fd 9 "${BOTH[@]}" --uid 4 -- "$PROBE" ids 9>/dev/null
	exits 0
	says "uid 4 4 4"
}

@test "a closed standard input, output and error are none of the maps' business" {
	for_ranges
	place
	run ranged -w "$T/w" "${BOTH[@]}" -- "$TRY" put "$T/w/f" <&- >&- 2>&-
	says "put $T/w/f: ok"
	[ "$(owner "$T/w/f")" = 300000:400000 ]
}

@test "signals reach a command with other ids, and its end comes back" {
	for_ranges
	start_ranged "${BOTH[@]}" -- "$PROBE" hold
	await ready
	kill -TERM "$LAUNCHER"
	finish
	exits 143
}

@test "--timeout ends a command with other ids" {
	for_ranges
	run ranged --timeout 0.3 "${BOTH[@]}" -- "$PROBE" hold
	exits 124
}

@test "when the launcher is killed, a command with other ids dies at once" {
	for_ranges
	start_ranged "${BOTH[@]}" -- "$PROBE" hold
	await ready
	kill -KILL "$LAUNCHER"
	drained
}

# ---- bad use ----

@test "what is no range is refused" {
	local bad option
	for option in --map-uids --map-gids; do
		for bad in "" : :: 0 0:0 0:0: 0::1 :0:1 0:0:0 -1:0:1 0:-1:1 0:0:-1 +1:0:1 "0:0: 1" " 0:0:1" \
			"0:0:1 " 0:0:1:1 0x0:0:1 a:0:1 4294967295:0:1 0:4294967295:1 0:0:4294967296 \
			4294967294:0:2 0:4294967294:2 18446744073709551616:0:1 0:0:18446744073709551617 \
			0,0,1 $'0:0:1\n' ٣:0:1; do
			refused "^nestbox: options: $option: must be IN:OUT:COUNT" "$option" "$bad" || {
				printf 'for: %q\n' "$bad" >&2
				return 1
			}
		done
	done
}

@test "ranges that meet are refused, inside and outside" {
	local option
	for option in --map-uids --map-gids; do
		refused "^nestbox: options: $option: maps an id inside that another one maps: 5:300000:2$" \
			"$option" 0:400000:6 "$option" 5:300000:2
		refused "^nestbox: options: $option: maps an id outside that another one maps: 9:300005:1$" \
			"$option" 0:300000:6 "$option" 9:300005:1
		refused "^nestbox: options: $option: maps an id inside " "$option" 0:1:1 "$option" 0:1:1
	done
}

@test "more ranges than the kernel takes are refused" {
	local args=() i
	for ((i = 0; i < 341; i++)); do
		args+=(--map-uids "$((2 * i)):$((2 * i + 1)):1")
	done
	refused "^nestbox: options: --map-uids: is given more than 340 times" "${args[@]}"
	args=()
	for ((i = 0; i < 200; i++)); do
		args+=(--map-uids "$((4000000000 + 2 * i)):$((1 + 10000000 * i)):7777777")
	done
	refused "^nestbox: options: --map-uids: " "${args[@]}"
}

@test "a map as long as the kernel takes is taken" {
	need_root_caller
	local args=() i
	for ((i = 0; i < 250; i++)); do
		args+=(--map-uids "$((3 * i)):$((300000 + 2 * i)):1")
	done
	run mini "${args[@]}" --uid 747 -- "$PROBE" ids
	exits 0
	says "uid 747 747 747"
}

@test "lists of groups that are none are refused" {
	local bad
	for bad in "" , 1, ,1 1,,2 -1 +1 "1 " " 1" 1:2 4294967295 a 0x1; do
		refused "^nestbox: options: --groups: must be numbers " "${BOTH[@]}" --groups "$bad" || {
			printf 'for: %q\n' "$bad" >&2
			return 1
		}
	done
}

@test "user namespaces of others have maps of others" {
	exec 8</proc/self/ns/user
	refused "^nestbox: options: --userns: cannot be combined with --map-uids" "${USERS[@]}" --userns 8
	refused "^nestbox: options: --userns2: cannot be combined with " --userns2 8 "${GROUPS_[@]}"
	refused "^nestbox: options: --userns-block-fd: cannot be combined with " \
		"${BOTH[@]}" --userns-block-fd 8 --info-fd 9 9>/dev/null
	exec 8</proc/self/ns/pid
	refused "^nestbox: options: --pidns: cannot be combined with " "${USERS[@]}" --pidns 8
	run --separate-stderr nb --init-only "${USERS[@]}" -- "$PROBE" exit 0
	exits 125
	one_line "^nestbox: options: --map-uids: cannot be combined with --init-only"
}

@test "bubblewrap has no such options" {
	run as_caller "$NB" --as bwrap --map-uids 0:0:1 -- true
	exits 1
}

# ---- newuidmap and newgidmap ----

helped() {
	for_ranges
	need_plain_caller
}

# No command ran; the last line is ours.
failed_with() {
	exits 125
	[ -z "$output" ]
	[[ ${stderr##*$'\n'} =~ $1 ]] || { printf 'stderr: %s\n' "$stderr" >&2; return 1; }
}

@test "ids that /etc/subuid does not give are refused, with the line that is missing" {
	helped
	run --separate-stderr ranged --map-uids 0:300000:1001 -- "$PROBE" exit 0
	failed_with "^nestbox: id map: /etc/subuid: .* 12345:300000:1001$"
	run --separate-stderr ranged --map-uids 0:300000:10 --map-gids 0:500000:10 -- "$PROBE" exit 0
	failed_with "^nestbox: id map: /etc/subgid: .* 12345:500000:10$"
	run --separate-stderr ranged --map-uids 0:300000:10 --map-uids 50:200000:7 --map-uids 60:300010:5 -- \
		"$PROBE" exit 0
	failed_with "^nestbox: id map: /etc/subuid: .* 12345:200000:7$"
	# Root's and somebody else's.
	run --separate-stderr ranged --map-uids 0:0:1 -- "$PROBE" exit 0
	failed_with "^nestbox: id map: /etc/subuid: .* 12345:0:1$"
	run --separate-stderr ranged "${USERS[@]}" --map-uids 50:12346:1 -- "$PROBE" exit 0
	failed_with "^nestbox: id map: /etc/subuid: "
}

@test "the caller's own id alone needs no helper and nobody's permission" {
	run mini --map-uids "5:$NB_UID:1" --map-gids "6:$NB_GID:1" -- "$PROBE" ids
	exits 0
	says "uid 5 5 5" "gid 6 6 6"
}

@test "without newuidmap that is the error" {
	helped
	cp "$(command -v setpriv)" "$T/setpriv"
	BEFORE='mount -t tmpfs t /usr/bin; mountpoint=1
		[ -L /bin ] || mount -t tmpfs t /bin' \
		run --separate-stderr with_etc "$T/setpriv" --reuid=12345 --regid=12345 --clear-groups -- \
		"$NB" -x "$NB_BIN" "${USERS[@]}" -- "$PROBE" exit 0
	failed_with "^nestbox: id map: newuidmap: is not installed"
}

@test "a caller with no_new_privs is told why newuidmap has no effect" {
	helped
	run --separate-stderr with_etc "${CALLER[@]}" setpriv --no-new-privs "$NB" -x "$NB_BIN" \
		"${USERS[@]}" -- "$PROBE" exit 0
	failed_with "^nestbox: id map: newuidmap: .*no_new_privs"
}

@test "newuidmap is not looked for in the caller's PATH" {
	helped
	mkdir "$T/bin"
	printf '#!/bin/sh\n: >%s\n' "$T/marker" >"$T/bin/newuidmap"
	chmod 0755 "$T/bin/newuidmap"
	give "$T"
	PATH=$T/bin:$PATH run ranged "${USERS[@]}" -- "$PROBE" ids
	exits 0
	[ ! -e "$T/marker" ]
}

# fake SCRIPT: in place of newuidmap stands one that runs this.
fake() {
	printf '#!/bin/bash\n%s\n' "$1" >"$T/fake"
	chmod 0755 "$T/fake"
	BEFORE="mount --bind $T/fake /usr/bin/newuidmap"
}

@test "newuidmap gets its arguments and nothing else of ours" {
	helped
	fake "tr '\\0' '\\n' </proc/\$\$/environ >$T/environment
		printf '%s ' \"\${@:2}\" >$T/arguments
		ls -l /proc/\$\$/fd >$T/fds
		while read -r name mask; do [ \$name != SigBlk: ] || echo \$mask; done </proc/\$\$/status >$T/signals
		echo from-newuidmap >&2
		exit 1"
	exec 8</etc/passwd
	SECRET=1 run --separate-stderr ranged --env-all --map-uids 0:300000:5 --map-uids 9:300009:2 -- \
		"$PROBE" exit 0
	failed_with "^nestbox: id map: /etc/subuid: "
	[[ $stderr == *from-newuidmap* ]]
	[ ! -s "$T/environment" ]
	[ "$(cat "$T/arguments")" = "0 12345 1 1 300000 5 6 300009 2 " ]
	# bash keeps the script in 255.
	run cat "$T/fds"
	matches " 0 -> /dev/null$" " 1 -> /dev/null$" " 2 -> /"
	lacks " ([3-9]|1[0-9]+) -> "
	[[ $(cat "$T/signals") =~ 0000000000000000$ ]]
}

@test "a newuidmap that says yes and does nothing is found out" {
	helped
	fake "exit 0"
	run --separate-stderr ranged "${USERS[@]}" -- "$PROBE" exit 0
	failed_with "^nestbox: id map: "
}

@test "a newuidmap that is killed is a failure" {
	helped
	fake 'kill -KILL $$'
	run --separate-stderr ranged "${USERS[@]}" -- "$PROBE" exit 0
	failed_with "^nestbox: id map: "
}

@test "--timeout counts while newuidmap does not end" {
	helped
	fake 'kill -STOP $$'
	run --separate-stderr ranged --timeout 0.5 "${USERS[@]}" -- "$PROBE" exit 0
	exits 124
}

@test "a launcher that is to end does not wait for newuidmap" {
	helped
	mkfifo "$T/fifo"
	give "$T/fifo"
	fake "echo here >$T/fifo
		kill -STOP \$\$"
	start_ranged "${USERS[@]}" -- "$PROBE" hold
	read -r line <"$T/fifo"
	# That one is for the workload, should there be one; it is seen before the next one comes.
	kill -USR1 "$LAUNCHER"
	"$PROBE" exit 0
	kill -TERM "$LAUNCHER"
	finish
	exits 125
	[[ $(cat "$T/err") =~ ^nestbox:\ id\ map:\ newuidmap:\ Interrupted ]]
}

@test "a launcher whose caller is gone does not wait for newuidmap" {
	helped
	fake 'kill -STOP $$'
	# A file is readable, as the pidfd of a process that has ended.
	start_ranged --die-with-fd 8 "${USERS[@]}" -- "$PROBE" hold 8<"$NB"
	finish
	exits 125
	[[ $(cat "$T/err") =~ ^nestbox:\ id\ map:\ newuidmap:\ Interrupted ]]
}

@test "a change of ids in a namespace that is joined costs no other step" {
	need_root_caller
	start -x "$NB_BIN" --allow-userns --map-uids 0:0:1 --map-uids 5:300005:5 --map-gids 0:0:1 \
		--map-gids 5:400005:5 -- "$PROBE" hold
	await ready
	local init workload
	init=$(children "$LAUNCHER" | tr -d ' ')
	workload=$(children "$init" | tr -d ' ')
	exec 8<"/proc/$workload/ns/user"
	run nb --as bwrap --userns 8 --uid 5 --gid 6 --cap-drop ALL --ro-bind / / -- "$PROBE" caps
	exits 0
	says "bounding 0000000000000000" "permitted 0000000000000000"
	run nb --as bwrap --userns 8 --uid 5 --gid 6 --cap-drop ALL --cap-add CAP_KILL --ro-bind / / -- "$PROBE" caps
	exits 0
	says "bounding 0000000000000020" "effective 0000000000000020" "ambient 0000000000000020"
	run nb --as bwrap --userns 8 --uid 5 --gid 6 --cap-drop ALL --ro-bind / / -- "$PROBE" ids
	says "uid 5 5 5" "gid 6 6 6"
}

# ---- who looks on ----

@test "--explain shows the ranges, and asks nobody" {
	run mini --map-uids 0:300000:5 --map-uids 9:1:2 --map-gids 1:2:3 --explain -- "$PROBE" exit 0
	exits 0
	says "|-- user ids 0:300000:5" "|-- user ids 9:1:2" "|-- group ids 1:2:3" \
		"|-- command's ids user 0, group 1"
}

@test "the start event has the ranges" {
	for_ranges
	need jq
	run ranged --map-uids 0:300000:5 --map-uids 9:300009:2 "${GROUPS_[@]}" --status-fd 9 -- \
		"$PROBE" exit 0 9>"$T/events"
	exits 0
	[ "$(jq -c 'select(.event == "start") | [.uid_map, .gid_map]' "$T/events")" = \
		'[[[0,300000,5],[9,300009,2]],[[0,400000,20]]]' ]
}

@test "the start event of many ranges is one line of JSON" {
	need_root_caller
	need jq
	local args=() i
	for ((i = 0; i < 120; i++)); do
		args+=(--map-uids "$((4000000 + 3 * i)):$((3000000000 + 2 * i)):1"
			--map-gids "$((4000000 + 3 * i)):$((3000000000 + 2 * i)):1")
	done
	run mini "${args[@]}" --status-fd 9 -- "$PROBE" exit 0 9>"$T/events"
	exits 0
	[ "$(grep -c '' "$T/events")" = 2 ]
	[ "$(jq -c 'select(.event == "start") | .uid_map[119], (.gid_map | length)' "$T/events")" = \
		$'[4000357,3000000238,1]\n120' ]
}
