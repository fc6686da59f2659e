#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Attacks while the view is built: names that change, links that lead out, devices that
# are none. The outside must be the same afterwards.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

setup() {
	nb_setup
	mkdir "$T/out" "$T/w"
	echo secret >"$T/out/secret"
	give "$T"
}

# unchanged: nobody wrote to what lies outside.
unchanged() {
	[ "$(ls -A "$T/out")" = secret ] || { ls -lA "$T/out" >&2; return 1; }
	[ "$(cat "$T/out/secret")" = secret ]
}

# ---- links under a writable grant (bubblewrap CVE-2026-87766) ----

# steps_at PATH: every step that makes something, at PATH, which must not touch the host.
steps_at() {
	local before after

	before=$(find "$T/w" "$T/out" -printf "%p %m %s %l\n" | sort)
	nb -x "$NB_BIN" -w "$T/w" --dir "$1" -- "$PROBE" exit 0 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --tmpfs "$1" -- "$TRY" put "$1/f" >/dev/null 2>&1 || true
	nb -x "$NB_BIN" -w "$T/w" --symlink text "$1" -- "$PROBE" exit 0 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --proc "$1" -- "$PROBE" exit 0 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --dev "$1" -- "$PROBE" exit 0 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --ro-bind "$NB_BIN" "$1" -- "$PROBE" exit 0 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --bind "$PROBE" "$1" -- "$PROBE" exit 0 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --file 9 "$1" -- "$PROBE" exit 0 9<<<text 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --bind-data 9 "$1" -- "$PROBE" exit 0 9<<<text 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --chmod 777 "$1" -- "$PROBE" exit 0 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --mqueue "$1" -- "$PROBE" exit 0 2>/dev/null || true
	nb -x "$NB_BIN" -w "$T/w" --overlay-src "$NB_BIN" --tmp-overlay "$1" -- "$PROBE" exit 0 2>/dev/null || true
	after=$(find "$T/w" "$T/out" -printf "%p %m %s %l\n" | sort)
	[ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after") >&2; return 1; }
	unchanged
}

@test "a link to the old root's usual places is not followed" {
	local old
	for old in /oldroot /old_root /.old /old /newroot/..; do
		ln -sfn "$old$T/out" "$T/w/a"
		steps_at "$T/w/a/b"
	done
}

@test "an absolute link out of a writable grant is not followed" {
	ln -s "$T/out" "$T/w/a"
	steps_at "$T/w/a/b"
	steps_at "$T/w/a"
}

@test "a relative link out of a writable grant is not followed" {
	ln -s ../out "$T/w/a"
	steps_at "$T/w/a/b"
	ln -sfn ../../../../../../../../../../.."$T/out" "$T/w/a"
	steps_at "$T/w/a/b"
}

@test "a chain of links out of a writable grant is not followed" {
	ln -s b "$T/w/a"
	ln -s ./c "$T/w/b"
	ln -s ../w/d "$T/w/c"
	ln -s "$T/out" "$T/w/d"
	steps_at "$T/w/a/x"
}

@test "a magic link under a writable grant is not followed" {
	ln -s /proc/self/root"$T/out" "$T/w/a"
	ln -s /proc/1/root"$T/out" "$T/w/b"
	ln -s /proc/self/cwd "$T/w/c"
	cd "$T/out"
	steps_at "$T/w/a/x"
	steps_at "$T/w/b/x"
	steps_at "$T/w/c/x"
}

@test ".. in a destination does not leave the box" {
	steps_at "$T/w/../out/x"
	steps_at "$T/w/../../../../../../..$T/out/x"
}

@test "--symlink is no way to make later steps land outside" {
	run nb -x "$NB_BIN" -w "$T/w" --symlink "$T/out" /link --dir /link/new -- "$PROBE" exit 0
	unchanged
	run nb -x "$NB_BIN" -w "$T/out" --symlink "$T/out" /link --tmpfs /link/new -- "$PROBE" exit 0
	unchanged
	run nb -x "$NB_BIN" -w "$T/out" --symlink "$T/out" /link --dir /link/new -- "$PROBE" exit 0
	unchanged
}

@test "a grant below a link that leads out of a writable grant is made at the target's own place" {
	mkdir "$T/out/dir"
	ln -s "$T/out/dir" "$T/w/a"
	run nb -x "$NB_BIN" -w "$T/w" -r "$T/w/a" -- "$TRY" stat "$T/out/dir" -- put "$T/out/dir/x"
	says "stat $T/out/dir: ok" "put $T/out/dir/x: EROFS"
	[ "$(ls -A "$T/out/dir")" = "" ]
}

# ---- the two regressions of that fix ----

@test "regression: /var/run -> /run still works" {
	[ -L /var/run ] || skip "/var/run is no symlink here"
	run nb -x "$NB_BIN" -r /var/run -r /run -- "$TRY" stat /var/run/.
	says "stat /var/run/.: ok"
}

@test "regression: a parent with mode 0711 still works" {
	mkdir -p "$T/closed/in"
	echo x >"$T/closed/in/f"
	[ "$(id -u)" != 0 ] || chown root "$T/closed"
	chmod 0711 "$T/closed"
	run nb -x "$NB_BIN" -r "$T/closed/in" -- "$PROBE" cat "$T/closed/in/f"
	is x
}

# ---- sources and destinations that change (flatpak, runc) ----

# swapping A B: exchange them in the background until the test ends.
swapping() {
	launch "$NB_BIN/starter" swap "$1" "$2"
	await ready
}

@test "source swapped for a symlink: what was opened is what is mounted" {
	mkdir "$T/src"
	echo good >"$T/src/good"
	ln -s "$T/out" "$T/evil"
	give "$T"
	swapping "$T/src" "$T/evil"
	local i
	for ((i = 0; i < NB_LOOPS; i++)); do
		run nb -x "$NB_BIN" -r "$T/src" -- "$TRY" readlink "$T/src" -- stat "$T/src/good" -- stat "$T/src/secret"
		[ "$status" -ne 125 ] || continue
		if grep -qxF "readlink $T/src: ok" <<<"$output"; then
			# The link was there, so it was followed to a place that has its own name.
			says "stat $T/src/good: ENOENT" "stat $T/src/secret: ok"
		else
			says "readlink $T/src: EINVAL" "stat $T/src/good: ok" "stat $T/src/secret: ENOENT"
		fi
	done
	unchanged
}

@test "a source file swapped for a symlink, many times" {
	echo good >"$T/file"
	ln -s "$T/out/secret" "$T/evil"
	give "$T"
	swapping "$T/file" "$T/evil"
	local i
	for ((i = 0; i < NB_LOOPS; i++)); do
		run nb -x "$NB_BIN" -r "$T/file" -- "$TRY" readlink "$T/file" -- stat "$T/out/secret"
		[ "$status" -ne 125 ] || continue
		if grep -qxF "readlink $T/file: ok" <<<"$output"; then
			says "stat $T/out/secret: ok"
		else
			says "readlink $T/file: EINVAL" "stat $T/out/secret: ENOENT"
		fi
	done
	unchanged
}

@test "a parent of the source swapped for a symlink" {
	mkdir -p "$T/p/src" "$T/q/src"
	echo good >"$T/p/src/good"
	echo bad >"$T/q/src/bad"
	ln -s q "$T/evil"
	give "$T"
	swapping "$T/p" "$T/evil"
	local i
	for ((i = 0; i < NB_LOOPS; i++)); do
		run nb -x "$NB_BIN" -r "$T/p/src" -- "$TRY" readlink "$T/p" -- stat "$T/p/src/good" -- stat "$T/p/src/bad"
		[ "$status" -ne 125 ] || continue
		if grep -qxF "readlink $T/p: ok" <<<"$output"; then
			says "stat $T/p/src/good: ENOENT" "stat $T/p/src/bad: ok"
		else
			says "stat $T/p/src/good: ok" "stat $T/p/src/bad: ENOENT"
		fi
	done
}

@test "destination swapped for a symlink during the start: nothing is made outside" {
	mkdir -p "$T/w/d/sub" "$T/other"
	echo other >"$T/other/f"
	ln -s "$T/out" "$T/w/evil"
	give "$T"
	swapping "$T/w/d" "$T/w/evil"
	local i mounts
	mounts=$(cat /proc/self/mountinfo)
	for ((i = 0; i < NB_LOOPS; i++)); do
		nb -x "$NB_BIN" -w "$T/w" --tmpfs "$T/w/d/sub" -- "$TRY" put "$T/w/d/sub/x" >/dev/null 2>&1 || true
		nb -x "$NB_BIN" -w "$T/w" --dir "$T/w/d/new" -- "$PROBE" exit 0 2>/dev/null || true
		nb -x "$NB_BIN" -w "$T/w" -r "$T/w/d/sub" -- "$TRY" put "$T/w/d/sub/x" >/dev/null 2>&1 || true
	done
	unchanged
	[ "$mounts" = "$(cat /proc/self/mountinfo)" ]
	kill -KILL "$LAUNCHER"
	wait "$LAUNCHER" || true
	[ "$(find "$T/w" | sort | tr '\n' ' ')" = "$T/w $T/w/d $T/w/d/sub $T/w/evil " ] ||
		[ "$(find "$T/w" | sort | tr '\n' ' ')" = "$T/w $T/w/d $T/w/evil $T/w/evil/sub " ]
}

@test "a read-only grant below a swapped directory never becomes writable" {
	mkdir -p "$T/w/d/ro" "$T/w/e/ro"
	echo keep >"$T/w/d/ro/f"
	echo keep >"$T/w/e/ro/f"
	give "$T"
	swapping "$T/w/d" "$T/w/e"
	local i
	for ((i = 0; i < NB_LOOPS; i++)); do
		# Whichever was opened is read-only where it was mounted.
		run nb -x "$NB_BIN" -r "$T/w/d/ro" -- "$TRY" put "$T/w/d/ro/f"
		lacks "put $T/w/d/ro/f: ok"
	done
	[ "$(cat "$T/w/d/ro/f" "$T/w/e/ro/f")" = $'keep\nkeep' ]
}

@test "a source that is removed during the start: mounted or refused" {
	local i
	for ((i = 0; i < NB_LOOPS; i++)); do
		mkdir "$T/r$i"
		give "$T/r$i"
		nb -x "$NB_BIN" -r "$T/r$i" -- "$PROBE" exit 3 2>/dev/null &
		local pid=$!
		rmdir "$T/r$i"
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq 3 ] || [ "$status" -eq 125 ]
	done
}

# ---- /proc, /dev and their fakes ----

# faked SCRIPT ARGUMENT…: nestbox in a mount namespace that SCRIPT prepared.
faked() {
	local script=$1

	shift
	# shellcheck disable=SC2016
	timeout -s KILL 60 unshare -m --propagation private /bin/bash -c "$script"'
		"$@"' - "${CALLER[@]}" "$NB" -x "$NB_BIN" "$@"
}

@test "a plain file as /dev/null is refused" {
	need_root "mounts over /dev"
	run --separate-stderr faked '
		touch /run/nbt-fake.$$ && chmod 666 /run/nbt-fake.$$ && mount --bind /run/nbt-fake.$$ /dev/null || exit 99
		rm /run/nbt-fake.$$' -w "$T" -- "$TRY" put "$T/marker"
	exits 125
	one_line "/dev/null|null"
	[ ! -e "$T/marker" ]
}

@test "another device as /dev/null is refused" {
	need_root "mounts over /dev"
	run --separate-stderr faked 'mount --bind /dev/zero /dev/null || exit 99' \
		-w "$T" -- "$TRY" put "$T/marker"
	exits 125
	one_line "null"
	[ ! -e "$T/marker" ]
}

@test "a link as /dev/urandom is refused or not followed" {
	need_root "mounts over /dev"
	run --separate-stderr faked '
		mount -t tmpfs t /dev || exit 99
		for d in "null 3" "zero 5" "full 7" "random 8"; do
			mknod -m 666 /dev/${d% *} c 1 ${d#* }
		done
		mknod -m 666 /dev/tty c 5 0; ln -s /etc/shadow /dev/urandom' \
		-w "$T" -- "$TRY" put "$T/marker" -- read /dev/urandom
	exits 125
	[ ! -e "$T/marker" ]
}

@test "the six devices are taken from the host's /dev only when they are the right ones" {
	need_root "mounts over /dev"
	local d
	for d in null zero full random urandom tty; do
		run --separate-stderr faked "
			mknod /run/nbt-dev.\$\$ c 1 1 && mount --bind /run/nbt-dev.\$\$ /dev/$d || exit 99
			rm /run/nbt-dev.\$\$" -w "$T" -- "$TRY" put "$T/marker"
		exits 125 || { echo "for: $d"; return 1; }
		[ ! -e "$T/marker" ]
	done
}

@test "a fake /proc: the maps are not written into another file" {
	need_root "mounts over /proc"
	# The ids of the next processes, as directories of plain files.
	run --separate-stderr faked '
		mount -t tmpfs t /proc || exit 99
		for ((p = $$; p < $$ + 200; p++)); do
			mkdir -p /proc/$p/ns /proc/$p/fd /proc/$p/task
			touch /proc/$p/{uid_map,gid_map,setgroups,status}
		done
		mkdir /proc/self; touch /proc/self/{uid_map,gid_map,setgroups}
		chmod -R a+rwX /proc
		trap "cat /proc/*/uid_map /proc/*/gid_map /proc/*/setgroups" EXIT' \
		-w "$T" -- "$TRY" put "$T/marker"
	exits 125
	[ ! -e "$T/marker" ]
	[ -z "$output" ] || { echo "written: $output"; return 1; }
}

@test "another file over uid_map: refused, and that file is not written" {
	need_root "mounts over /proc"
	run --separate-stderr faked '
		mkdir /run/nbt-p.$$ && mount -t tmpfs t /run/nbt-p.$$ || exit 99
		echo untouched >/run/nbt-p.$$/f; chmod 666 /run/nbt-p.$$/f
		for ((p = $$; p < $$ + 200; p++)); do mkdir /run/nbt-p.$$/$p
			ln -s /run/nbt-p.$$/f /run/nbt-p.$$/$p/uid_map
			ln -s /run/nbt-p.$$/f /run/nbt-p.$$/$p/gid_map
			ln -s /run/nbt-p.$$/f /run/nbt-p.$$/$p/setgroups
		done
		mount --move /run/nbt-p.$$ /proc; rmdir /run/nbt-p.$$
		trap "cat /proc/f" EXIT' -w "$T" -- "$TRY" put "$T/marker"
	exits 125
	[ ! -e "$T/marker" ]
	is untouched
}

@test "/proc or /dev as a link in the box is refused, its target untouched" {
	local d
	for d in /proc /dev; do
		run nb -x "$NB_BIN" -w "$T/out" --symlink "$T/out" "$d" "--${d#/}" "$d" -- "$PROBE" exit 0
		exits 125
		unchanged
	done
}

@test "a link where the default /tmp would be stays the user's, its target untouched" {
	run nb -x "$NB_BIN" -r "$T/out" --symlink "$T/out" /tmp -- "$PROBE" exit 0
	unchanged
}

# ---- nothing on the host ----

@test "while a box runs, no directory, file or mount of its own is on the host" {
	# shellcheck disable=SC2016
	run apart '
		mkfifo -m 666 /run/nbt/ready
		before=$(snapshot)
		"${CALLER[@]}" "$NB" -x "$NB_BIN" -r /etc --tmpfs /a --dir /b -- "$PROBE" hold >/run/nbt/ready &
		read -r -t 30 line </run/nbt/ready
		after=$(snapshot)
		kill -KILL $!
		[ "$line" = ready ]
		diff <(echo "$before") <(echo "$after") && echo same'
	says same
}

@test "nothing is written into a granted root" {
	mkdir -p "$T/w/etc" "$T/w/proc"
	local before
	before=$(find "$T/w" -printf '%p %m %T@\n' | sort)
	run nb -x "$NB_BIN" -w "$T/w" --hostname nbt -- "$PROBE" exit 0
	exits 0
	[ "$before" = "$(find "$T/w" -printf '%p %m %T@\n' | sort)" ]
}

# ---- aliases ----

@test "a hard link from a read-only grant into a writable one: EXDEV" {
	mkdir "$T/ro"
	echo keep >"$T/ro/f"
	run nb -x "$NB_BIN" -r "$T/ro" -w "$T/w" -- "$TRY" link "$T/ro/f" "$T/w/alias" \
		-- link-fd "$T/ro/f" "$T/w/alias" -- rename "$T/ro/f" "$T/w/alias"
	exits 0
	says "link $T/ro/f $T/w/alias: EXDEV" "link-fd $T/ro/f $T/w/alias: EXDEV"
	[ ! -e "$T/w/alias" ]
	[ "$(cat "$T/ro/f")" = keep ]
}

@test "the same for a read-only directory inside a writable one" {
	mkdir "$T/w/ro"
	echo keep >"$T/w/ro/f"
	give "$T/w"
	run nb -x "$NB_BIN" -w "$T/w" -r "$T/w/ro" -- "$TRY" link "$T/w/ro/f" "$T/w/alias" \
		-- link-fd "$T/w/ro/f" "$T/w/alias" -- rename "$T/w/ro/f" "$T/w/alias" \
		-- rename "$T/w/ro" "$T/w/moved"
	exits 0
	[ ! -e "$T/w/alias" ]
	[ "$(cat "$T/w/ro/f")" = keep ]
}

@test "a read-only file inside a writable directory cannot be replaced" {
	echo keep >"$T/w/f"
	echo evil >"$T/w/g"
	give "$T/w"
	run nb -x "$NB_BIN" -w "$T/w" -r "$T/w/f" -- "$TRY" rename "$T/w/g" "$T/w/f" -- unlink "$T/w/f" \
		-- link "$T/w/f" "$T/w/h" -- open-w "$T/w/f" -- open-w "/proc/self/cwd$T/w/f"
	exits 0
	[ "$(cat "$T/w/f")" = keep ]
}

@test "a read-only file is not writable through /proc/self/fd" {
	echo keep >"$T/out/f"
	give "$T/out"
	run nb -x /usr -x /bin -x /lib -x /lib64 -r "$T/out" -- /bin/sh -c \
		"exec 9<$T/out/f; echo evil >/proc/self/fd/9"
	[ "$status" -ne 0 ]
	[ "$(cat "$T/out/f")" = keep ]
}
