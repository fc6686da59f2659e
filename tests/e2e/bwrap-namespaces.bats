#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: what is unshared, what is joined, what is shut.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

# unshared NAME OPTION…: with these the command has another namespace of that name than we have, and
# of all other names only those that the caller's rights demand.
unshared() {
	local wanted=" $1 mnt " name here
	shift

	[ "$NB_AS" = root ] || wanted+="user "
	run mini --proc /proc "$@" -- "$PROBE" readlink /proc/self/ns/{user,ipc,pid,net,uts,cgroup,mnt}
	exits 0 || return 1
	for name in user ipc pid net uts cgroup mnt; do
		here=$(readlink "/proc/self/ns/$name")
		if [[ $wanted == *" $name "* ]]; then
			lacks "^${here//[\[\]]/.}$" || return 1
		else
			says "$here" || return 1
		fi
	done
}

@test "nothing but the mounts is unshared unasked; for a user a user namespace" {
	unshared "mnt"
}

@test "--unshare-user" {
	unshared "user" --unshare-user
}

@test "--unshare-user-try" {
	unshared "user" --unshare-user-try
}

@test "--unshare-ipc" {
	unshared "ipc" --unshare-ipc
}

@test "--unshare-pid" {
	unshared "pid" --unshare-pid
}

@test "--unshare-net" {
	unshared "net" --unshare-net
}

@test "--unshare-uts" {
	unshared "uts" --unshare-uts
}

@test "--unshare-cgroup" {
	unshared "cgroup" --unshare-cgroup
}

@test "--unshare-cgroup-try" {
	unshared "cgroup" --unshare-cgroup-try
}

@test "--unshare-all: every one" {
	unshared "user ipc pid net uts cgroup" --unshare-all
}

@test "--share-net: after --unshare-all all but the network" {
	unshared "user ipc pid uts cgroup" --unshare-all --share-net
}

@test "--share-net: the last word counts" {
	unshared "user ipc pid net uts cgroup" --share-net --unshare-all
	unshared "mnt" --unshare-net --share-net
	unshared "net" --share-net --unshare-net
}

@test "--unshare-net: loopback is up and works, and there is nothing else" {
	run mini --unshare-net --proc /proc -- "$TRY" ifup lo -- loopback
	says "ifup lo: ok" "loopback: ok"
	run mini --unshare-net --proc /proc -- "$PROBE" cat /proc/net/dev
	[ "$(grep -c : <<<"$output")" -eq 1 ]
}

@test "--unshare-net: the host's loopback is not reached" {
	launch "$NB_BIN/starter" tcp
	next
	local port=$line
	await ready
	run mini --unshare-net -- "$TRY" tcp 127.0.0.1 "$port"
	says "tcp 127.0.0.1 $port: ECONNREFUSED"
	run mini -- "$TRY" tcp 127.0.0.1 "$port"
	says "tcp 127.0.0.1 $port: ok"
}

@test "--unshare-user-try: where there can be no user namespace, it goes on without" {
	local here
	here=$(as_caller unshare -U -r /bin/sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && echo can' || true)
	[ "$here" = can ]
	run as_caller unshare -U -r /bin/sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; readlink /proc/self/ns/user; "$@"' \
		- "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --proc /proc --unshare-user-try -- "$PROBE" readlink /proc/self/ns/user
	exits 0
	[ "$(sort -u <<<"$output" | wc -l)" -eq 1 ]
}

@test "--unshare-user: where there can be no user namespace, it is an error" {
	run --separate-stderr as_caller unshare -U -r /bin/sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' \
		- "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --bind "$T" "$T" --unshare-user -- "$TRY" put "$T/marker"
	dead "namespace"
	[ ! -e "$T/marker" ]
}

# ---- identity ----

# less_root DROPPED ARGUMENT…: by a uid 0 without these capabilities, as in a container.
less_root() {
	local dropped=$1

	shift
	run as_caller unshare -U -r setpriv "--bounding-set=$dropped" "--inh-caps=$dropped" \
		"$BW" --ro-bind / / "$@"
}

@test "root that may not mount gets a user namespace, and keeps what it has, no more" {
	ours
	local all=$(((1 << ($(cat /proc/sys/kernel/cap_last_cap) + 1)) - 1)) most

	most=$(printf %016x $((all & ~(1 << 21 | 1 << 12))))
	less_root -sys_admin,-net_admin -- "$PROBE" caps
	exits 0
	says "permitted $most" "effective $most" "bounding $most"
	less_root -sys_admin --cap-drop ALL --cap-add CAP_KILL -- "$PROBE" caps
	says "permitted 0000000000000020" "bounding 0000000000000020"
	less_root -sys_admin --cap-add CAP_SYS_ADMIN -- "$PROBE" caps
	says "permitted $(printf %016x "$all")"
	less_root -sys_admin -- "$PROBE" readlink /proc/self/ns/user /proc/self/ns/pid
	says "$(readlink /proc/self/ns/pid)"
	# It must be able to map itself, and that is what the message is about.
	less_root -sys_admin,-setfcap -- "$PROBE" caps
	exits 1
	matches "^bwrap: setting up uid_map: Operation not permitted.*CAP_SETFCAP"
}

@test "the ids are the caller's" {
	run mini -- "$PROBE" ids
	says "uid $NB_UID $NB_UID $NB_UID" "gid $NB_GID $NB_GID $NB_GID"
	run mini --unshare-user -- "$PROBE" ids
	says "uid $NB_UID $NB_UID $NB_UID" "gid $NB_GID $NB_GID $NB_GID"
}

@test "--uid and --gid" {
	run mini --unshare-user --uid 4711 --gid 4712 -- "$PROBE" ids
	says "uid 4711 4711 4711" "gid 4712 4712 4712"
}

@test "--uid alone leaves the gid" {
	run mini --unshare-user --uid 4711 -- "$PROBE" ids
	says "uid 4711 4711 4711" "gid $NB_GID $NB_GID $NB_GID"
}

@test "--uid with --dev, and 0" {
	run mini --unshare-user --uid 4711 --gid 4712 --dev /dev -- "$PROBE" ids
	says "uid 4711 4711 4711" "gid 4712 4712 4712"
	run mini --unshare-user --uid 0 --gid 0 --dev /dev -- "$PROBE" ids
	says "uid 0 0 0" "gid 0 0 0"
}

@test "--uid: what the box makes belongs to the caller outside" {
	mkdir "$T/w"
	give "$T/w"
	run mini --unshare-user --uid 4711 --gid 4712 --bind "$T/w" /w --dir /w/dir -- "$TRY" put /w/f
	[ "$(stat -c %u:%g "$T/w/f" "$T/w/dir" | sort -u)" = "$NB_UID:$NB_GID" ]
}

@test "--uid: the last one counts, and that is said" {
	run --separate-stderr mini --unshare-user --uid 1 --uid 2 -- "$PROBE" ids
	says "uid 2 2 2"
	warns "^bwrap: Only the last --uid option will take effect$"
}

@test "--gid: the last one counts, and that is said" {
	run --separate-stderr mini --unshare-user --gid 1 --gid 2 -- "$PROBE" ids
	says "gid 2 2 2"
	warns "^bwrap: Only the last --gid option will take effect$"
}

@test "--uid and --gid: what is no number" {
	local text
	for text in x 1x "" -1; do
		dies "^bwrap: Invalid uid: ?$text$" --unshare-user --uid "$text"
		dies "^bwrap: Invalid gid: ?$text$" --unshare-user --gid "$text"
	done
}

@test "--uid and --gid need a user namespace" {
	need_root_caller
	dies "^bwrap: Specifying --uid requires --unshare-user or --userns$" --uid 4711
	dies "^bwrap: Specifying --gid requires --unshare-user or --userns$" --gid 4711
}

@test "--uid and --gid without --unshare-user: for a user it is there" {
	need_plain_caller
	run mini --uid 4711 --gid 4712 -- "$PROBE" ids
	says "uid 4711 4711 4711" "gid 4712 4712 4712"
}

@test "--hostname" {
	local here
	here=$(uname -n)
	run mini --unshare-uts --hostname nbt-name -- "$PROBE" uname
	is nbt-name
	[ "$(uname -n)" = "$here" ]
}

@test "--hostname: the last one counts, and that is said" {
	run --separate-stderr mini --unshare-uts --hostname one --hostname two -- "$PROBE" uname
	[ "$output" = two ]
	warns "^bwrap: Only the last --hostname option will take effect$"
}

@test "--hostname needs --unshare-uts" {
	dies "^bwrap: Specifying --hostname requires --unshare-uts$" --hostname nbt-name
}

@test "--unshare-user --uid 0 --gid 0 --hostname, as WebKit and others write it" {
	run mini --unshare-user --unshare-uts --uid 0 --gid 0 --hostname box -- "$PROBE" uname
	is box
}

# ---- user namespaces of others ----

# holder OPTION…: a process in new namespaces; its PID in $HOLDER.
holder() {
	launch unshare "$@" "$PROBE" hold
	await ready
	HOLDER=$LAUNCHER
	if [[ " $* " == *" -f "* ]]; then
		HOLDER=$(children "$LAUNCHER" | tr -d ' ')
		MINE+=("$HOLDER")
	fi
}

@test "--userns: the command is in that one" {
	holder -U -c
	run mini --proc /proc --userns 8 -- "$PROBE" readlink /proc/self/ns/user 8<"/proc/$HOLDER/ns/user"
	is "$(readlink "/proc/$HOLDER/ns/user")"
}

@test "--userns: the ids are those of that one" {
	holder -U -c
	run mini --userns 8 -- "$PROBE" ids 8<"/proc/$HOLDER/ns/user"
	says "uid $NB_UID $NB_UID $NB_UID" "gid $NB_GID $NB_GID $NB_GID"
}

@test "--userns: with the other namespaces new, owned by it" {
	holder -U -c
	run mini --userns 8 --unshare-pid --unshare-net --unshare-ipc --unshare-uts --hostname there --proc /proc -- \
		"$PROBE" uname 8<"/proc/$HOLDER/ns/user"
	is there
}

@test "--userns: not together with --unshare-user" {
	dies "^bwrap: --userns not compatible (with )?--unshare-user$" --unshare-user --userns 8 8</proc/self/ns/user
	dies "^bwrap: --userns not compatible (with )?--unshare-user-try$" --unshare-user-try --userns 8 8</proc/self/ns/user
	dies "^bwrap: --userns not compatible (with )?--unshare-user-try$" --unshare-all --userns 8 8</proc/self/ns/user
}

@test "--userns: a descriptor that is none of that kind, and one that is not open" {
	exec 8</dev/null
	dies "" --userns 8
	exec 8<&-
	dies "" --userns 77
}

@test "--userns: not one's own, nor one that is no descendant" {
	need_plain_caller
	exec 8</proc/self/ns/user
	dies "" --userns 8
	exec 8<&-
}

@test "--userns2: set up in one, the command in another below it" {
	launch unshare -U -c /bin/sh -c '"$1" hold & exec unshare -U -c "$1" hold' - "$PROBE"
	await ready
	await ready
	local outer
	outer=$(children "$LAUNCHER" | tr -d ' ')
	MINE+=("$outer")
	run mini --proc /proc --userns 8 --userns2 9 -- "$PROBE" readlink /proc/self/ns/user \
		8<"/proc/$outer/ns/user" 9<"/proc/$LAUNCHER/ns/user"
	is "$(readlink "/proc/$LAUNCHER/ns/user")"
}

@test "--userns2: a descriptor that is none of that kind" {
	holder -U -c
	exec 8<"/proc/$HOLDER/ns/user" 9</dev/null
	dies "" --userns 8 --userns2 9
	exec 8<&- 9<&-
}

@test "--pidns: the command is in that one" {
	holder -U -c -p -f
	run mini --userns 8 --pidns 9 --proc /proc -- "$PROBE" readlink /proc/self/ns/pid \
		8<"/proc/$HOLDER/ns/user" 9<"/proc/$HOLDER/ns/pid"
	is "$(readlink "/proc/$HOLDER/ns/pid")"
	run mini --userns 8 --pidns 9 --proc /proc -- "$PROBE" ls /proc 8<"/proc/$HOLDER/ns/user" 9<"/proc/$HOLDER/ns/pid"
	[ "$(grep -c '^[0-9]*$' <<<"$output")" -eq 2 ]
}

@test "--pidns: the exit status comes through" {
	holder -U -c -p -f
	run mini --userns 8 --pidns 9 -- "$PROBE" exit 7 8<"/proc/$HOLDER/ns/user" 9<"/proc/$HOLDER/ns/pid"
	exits 7
	run mini --userns 8 --pidns 9 -- "$PROBE" die 15 8<"/proc/$HOLDER/ns/user" 9<"/proc/$HOLDER/ns/pid"
	exits 143
}

@test "--pidns with --unshare-pid: a new one below it" {
	holder -U -c -p -f
	run mini --userns 8 --pidns 9 --unshare-pid --proc /proc -- "$PROBE" session \
		8<"/proc/$HOLDER/ns/user" 9<"/proc/$HOLDER/ns/pid"
	says "pid 2" "ppid 1"
	run mini --userns 8 --pidns 9 --unshare-pid --proc /proc -- "$PROBE" readlink /proc/self/ns/pid \
		8<"/proc/$HOLDER/ns/user" 9<"/proc/$HOLDER/ns/pid"
	exits 0
	[ "$output" != "$(readlink "/proc/$HOLDER/ns/pid")" ] && [ "$output" != "$(readlink /proc/self/ns/pid)" ]
}

@test "--pidns: for root without a user namespace" {
	need_root_caller
	holder -p -f
	run mini --pidns 9 --proc /proc -- "$PROBE" readlink /proc/self/ns/pid 9<"/proc/$HOLDER/ns/pid"
	is "$(readlink "/proc/$HOLDER/ns/pid")"
}

@test "--pidns: a descriptor that is none of that kind" {
	exec 9</dev/null
	dies "" --pidns 9
	exec 9<&-
}

# ---- no more user namespaces ----

@test "--disable-userns: none can be made inside" {
	run mini --unshare-user --disable-userns --proc /proc -- "$TRY" unshare user -- clone user
	exits 0
}

@test "--disable-userns: not by a command with uid 0 and all capabilities either" {
	run mini --unshare-user --disable-userns --proc /proc --uid 0 --gid 0 --cap-add ALL -- "$TRY" unshare user -- clone user \
		-- write /proc/sys/user/max_user_namespaces 1000 -- stat /
	says "stat /: ok"
	lacks "^(unshare|clone) user: ok"
}

@test "--disable-userns: the ids are right none the less" {
	run mini --unshare-user --disable-userns --uid 4711 --gid 4712 --proc /proc -- "$PROBE" ids
	says "uid 4711 4711 4711" "gid 4712 4712 4712"
	run mini --unshare-user --disable-userns --dev /dev --proc /proc -- "$PROBE" ids
	says "uid $NB_UID $NB_UID $NB_UID" "gid $NB_GID $NB_GID $NB_GID"
}

@test "--disable-userns needs --unshare-user, said in so many words" {
	dies "^bwrap: --disable-userns requires --unshare-user$" --disable-userns
}

@test "without --disable-userns user namespaces can be made inside" {
	run mini --unshare-user -- "$TRY" unshare user -- clone user
	says "unshare user: ok" "clone user: ok"
}

@test "--assert-userns-disabled: refused where they can be made" {
	dies "^bwrap: creation of new user namespaces was not disabled as requested$" --unshare-user --assert-userns-disabled
	dies "^bwrap: creation of new user namespaces was not disabled as requested$" --assert-userns-disabled
}

@test "--assert-userns-disabled: content with --disable-userns" {
	run mini --unshare-user --disable-userns --assert-userns-disabled -- "$PROBE" exit 3
	exits 3
}

@test "--assert-userns-disabled: content with a --userns where somebody has done so" {
	launch unshare -U -r /bin/sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$1" hold' - "$PROBE"
	await ready
	run mini --userns 8 --uid 0 --gid 0 --assert-userns-disabled -- "$PROBE" exit 3 8<"/proc/$LAUNCHER/ns/user"
	exits 3
}

# ---- nested ----

@test "bwrap in bwrap, with every namespace" {
	need_plain_caller # root's covers of /proc are in the way of another one
	run bw --unshare-all --ro-bind / / --proc /proc -- "$BW" --unshare-all --ro-bind / / --proc /proc -- "$PROBE" exit 4
	exits 4
}

@test "bwrap in bwrap as a root of its own" {
	run bw --unshare-user --uid 0 --gid 0 --cap-add ALL --dev-bind / / -- "$BW" --unshare-all --ro-bind / / --dev /dev \
		-- "$PROBE" exit 4
	exits 4
}
