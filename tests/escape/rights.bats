#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# No capability, no new privilege, no group to lose, no setuid nestbox.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

NONE=0000000000000000

# powerless: the last output of `probe caps` shows nothing but walls.
powerless() {
	says "inheritable $NONE" "permitted $NONE" "effective $NONE" "bounding $NONE" "ambient $NONE" \
		"nnp 1" "seccomp 2"
}

@test "all five capability sets are empty, no_new_privs is set, a filter is on" {
	run mini -- "$PROBE" caps
	powerless
}

@test "the same with --uid 0, --net, --new-session, --keep-fd" {
	run mini --uid 0 --gid 0 -- "$PROBE" caps
	powerless
	run mini --net --new-session --keep-fd 0 -- "$PROBE" caps
	powerless
}

@test "securebits are set and locked" {
	run mini -- "$PROBE" caps
	local bits
	bits=$((16#$(sed -n 's/^securebits //p' <<<"$output")))
	# NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, and all locks; KEEP_CAPS off.
	[ $((bits & 0xff)) -eq $((0xef)) ]
}

@test "nothing can be raised again" {
	run mini -- "$TRY" capset -- ambient 21 -- securebits 0 -- setuid 1 -- setgid 1 -- setgroups
	exits 0
	run mini --uid 0 --gid 0 -- "$TRY" capset -- ambient 21 -- securebits 0 -- setuid 1 -- setgroups
	exits 0
}

@test "the workload itself is dumpable, its files in /proc are its own" {
	run mini -- "$PROBE" caps
	says "dumpable 1"
	run mini -- "$TRY" read /proc/self/environ -- readlink /proc/self/exe
	says "read /proc/self/environ: ok" "readlink /proc/self/exe: ok"
}

@test "inheritable and ambient capabilities of the caller do not come in (runc, crun)" {
	need_root "raises them"
	need setpriv
	run timeout -s KILL 60 setpriv --inh-caps=+chown,+sys_admin,+net_raw \
		--ambient-caps=+chown,+sys_admin,+net_raw -- "$NB" -x "$NB_BIN" -- "$PROBE" caps
	powerless
	run timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --clear-groups \
		--inh-caps=+chown,+sys_admin,+net_raw --ambient-caps=+chown,+sys_admin,+net_raw -- \
		"$NB" -x "$NB_BIN" -- "$PROBE" caps
	powerless
}

@test "a caller with locked securebits or an empty bounding set still gets a whole box" {
	need_root "drops them"
	need setpriv
	run timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --clear-groups --bounding-set=-all \
		--securebits=+noroot,+noroot_locked -- "$NB" -x "$NB_BIN" -- "$PROBE" caps
	[ "$status" -eq 125 ] || powerless
}

@test "a caller who has no_new_privs already gets a whole box" {
	need setpriv
	run as_caller setpriv --no-new-privs -- "$NB" -x "$NB_BIN" -- "$PROBE" caps
	powerless
}

@test "a setuid root program inside gives nothing" {
	need_root "makes one"
	cp "$PROBE" "$T/suid"
	chown root "$T/suid"
	chmod 4755 "$T/suid"
	run mini -x "$T/suid" -- "$T/suid" caps
	powerless
	run mini -x "$T/suid" -- "$T/suid" ids
	says "uid $NB_UID $NB_UID $NB_UID"
}

@test "file capabilities inside give nothing" {
	need_root "sets them"
	need setcap
	cp "$PROBE" "$T/fcap"
	setcap cap_sys_admin,cap_chown+eip "$T/fcap"
	run mini -x "$T/fcap" -- "$T/fcap" caps
	[ "$status" -eq 126 ] || powerless
}

# ---- nestbox itself with privileges ----

@test "a setuid nestbox refuses to run" {
	need_root "makes one"
	cp "$NB" "$T/suid"
	chown root "$T/suid"
	chmod 4755 "$T/suid"
	run --separate-stderr timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --clear-groups -- \
		"$T/suid" -x "$NB_BIN" -w "$T" -- "$TRY" put "$T/marker"
	exits 125
	one_line
	[ ! -e "$T/marker" ]
}

@test "a setgid nestbox refuses to run" {
	need_root "makes one"
	cp "$NB" "$T/sgid"
	chgrp root "$T/sgid"
	chmod 2755 "$T/sgid"
	run --separate-stderr timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --clear-groups -- \
		"$T/sgid" -x "$NB_BIN" -- "$PROBE" exit 0
	exits 125
	one_line
}

@test "a nestbox with file capabilities refuses to run" {
	need_root "makes one"
	need setcap
	cp "$NB" "$T/fcap"
	setcap cap_sys_admin,cap_setuid+ep "$T/fcap"
	run --separate-stderr timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --clear-groups -- \
		"$T/fcap" -x "$NB_BIN" -- "$PROBE" exit 0
	exits 125
	one_line
}

@test "a setuid nestbox refuses --help's friends, too: nothing runs with its rights" {
	need_root "makes one"
	cp "$NB" "$T/suid"
	chmod 4755 "$T/suid"
	echo secret >"$T/secret"
	chmod 0600 "$T/secret"
	run timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --clear-groups -- \
		"$T/suid" -x "$NB_BIN" -r "$T/secret" --explain -- "$PROBE" cat "$T/secret"
	lacks "^secret$"
}

@test "a traced setuid nestbox has no more than its caller" {
	need_root "makes one"
	need strace
	cp "$NB" "$T/suid"
	chmod 4755 "$T/suid"
	mkdir "$T/w"
	chown 12345:12345 "$T/w"
	run timeout -s KILL 60 setpriv --reuid=12345 --regid=12345 --clear-groups -- \
		strace -f -o /dev/null "$T/suid" -x "$NB_BIN" -w "$T/w" -- "$TRY" put "$T/w/f"
	# The kernel takes the bit away from a traced program, so it may run: as nobody special.
	[ "$status" -eq 125 ] || [ "$(stat -c %u "$T/w/f")" = 12345 ]
}

# ---- groups (CVE-2014-8989) ----

@test "setgroups was denied before the gid map, in both namespaces" {
	run mini -- "$PROBE" cat /proc/self/setgroups
	is deny
	start -x "$NB_BIN" -- "$PROBE" hold
	await ready
	local init
	init=$(children "$LAUNCHER" | tr -d ' ')
	[ "$(cat "/proc/$init/setgroups")" = deny ]
}

@test "a group that is shut out stays shut out" {
	need_root "a file that denies a group"
	echo secret >"$T/file"
	chown root:12345 "$T/file"
	chmod 0604 "$T/file"
	run timeout -s KILL 60 setpriv --reuid=54321 --regid=54321 --groups=12345 -- \
		"$NB" -x "$NB_BIN" -r "$T/file" -- "$TRY" setgroups -- open-r "$T/file"
	exits 0
	says "setgroups: EPERM" "open-r $T/file: EACCES"
	run timeout -s KILL 60 setpriv --reuid=54321 --regid=12345 --clear-groups -- \
		"$NB" -x "$NB_BIN" --gid 1 -r "$T/file" -- "$TRY" setgid 12345 -- open-r "$T/file"
	exits 0
}

@test "a root caller's box cannot read what only another user may" {
	need_root_caller
	echo secret >"$T/file"
	chown 12345:12345 "$T/file"
	chmod 0600 "$T/file"
	run mini -r "$T/file" -- "$TRY" open-r "$T/file" -- chmod "$T/file" -- chown "$T/file"
	exits 0
}

@test "a root caller's box cannot change the owner of a granted file" {
	need_root_caller
	mkdir "$T/w"
	echo x >"$T/w/f"
	run mini -w "$T/w" -- "$TRY" chown "$T/w/f" -- chown "$T/w"
	exits 0
	[ "$(stat -c %u "$T/w/f")" = 0 ]
}
