# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # for the files that load this
#
# Ranges of ids. The ordinary caller gets a mount namespace in which it has an entry in /etc/passwd
# and subordinate ids: users from 300000 and groups from 400000 on, a thousand of each. Root needs
# nothing of that, and gets it, too.

# for_ranges: the test at hand can be done here.
for_ranges() {
	need_root "a mount namespace of the test's own"
	[ "$NB_AS" = root ] || need newuidmap
}

# with_etc COMMAND…: in such a mount namespace. BEFORE, a script, comes first.
with_etc() {
	# shellcheck disable=SC2016
	timeout --foreground -s KILL 60 unshare -m --propagation private /bin/bash -c '
		set -e
		mount -t tmpfs -o mode=755 t /mnt
		cp /etc/login.defs /mnt/ 2>/dev/null || true
		echo "passwd: files" >/mnt/nsswitch.conf
		echo "group: files" >>/mnt/nsswitch.conf
		printf "%s\n" root:x:0:0::/:/bin/sh "caller:x:$1:$2::/:/bin/sh" >/mnt/passwd
		printf "%s\n" root:x:0: "caller:x:$2:" >/mnt/group
		echo caller:300000:1000 >/mnt/subuid
		echo "$1:400000:1000" >/mnt/subgid
		mount --bind /mnt /etc
		eval "$3"
		shift 3
		exec "$@"' - "$NB_UID" "$NB_GID" "${BEFORE-}" "$@"
}

# ranged ARGUMENT…: mini, and the caller has such ids.
ranged() {
	with_etc "${CALLER[@]}" "$NB" -x "$NB_BIN" "$@"
}

# Twenty of them, as the box calls them from 0 on.
USERS=(--map-uids 0:300000:20)
GROUPS_=(--map-gids 0:400000:20)
BOTH=("${USERS[@]}" "${GROUPS_[@]}")
