#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Attacks on the program when it is called bwrap, which makes things where its caller says, below what others may have
# prepared. The outside must be the same afterwards. bubblewrap before 0.12 fails many of these.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

setup() {
	bw_setup
	mkdir -p "$T/out/dir" "$T/w" "$T/src"
	echo secret >"$T/out/secret"
	chmod 0640 "$T/out/secret"
	echo source >"$T/src/file"
	"$HAND" bpf 87 chdir >"$T/bpf"
	give "$T"
	# A program that refuses everything would look safe.
	run mini --bind "$T/w" "$T/w" -- "$PROBE" exit 3
	exits 3
}

# picture: all that lies outside and in the writable directory.
picture() {
	find "$T/out" "$T/w" "$T/src" -printf '%p %y %m %s %l\n' | sort
	cat "$T/out/secret" "$T/src/file"
}

# same BEFORE WHAT
same() {
	local after

	after=$(picture)
	[ "$1" = "$after" ] || { echo "after: $2" >&2; diff <(echo "$1") <(echo "$after") >&2; return 1; }
}

# quiet ARGUMENT…: with the writable directory where it is on the host; what comes of it is no matter.
quiet() {
	mini --bind "$T/w" "$T/w" "$@" >/dev/null 2>&1 8<"$T/src/file" 9<"$T/src" || true
}

# steps_at PATH [OPTION…]: every step that makes or changes something, at PATH. The host is as before.
steps_at() {
	local at=$1 before
	shift

	before=$(picture)
	quiet "$@" --dir "$at" -- "$PROBE" exit 0
	same "$before" "--dir $at" || return 1
	quiet "$@" --file 8 "$at" -- "$PROBE" exit 0
	same "$before" "--file $at" || return 1
	quiet "$@" --symlink text "$at" -- "$PROBE" exit 0
	same "$before" "--symlink $at" || return 1
	quiet "$@" --bind "$T/src" "$at" -- "$PROBE" exit 0
	same "$before" "--bind DIR $at" || return 1
	quiet "$@" --ro-bind "$T/src/file" "$at" -- "$PROBE" exit 0
	same "$before" "--ro-bind FILE $at" || return 1
	quiet "$@" --dev-bind /dev/null "$at" -- "$TRY" write "$at" x
	same "$before" "--dev-bind $at" || return 1
	quiet "$@" --bind-fd 9 "$at" -- "$PROBE" exit 0
	same "$before" "--bind-fd $at" || return 1
	quiet "$@" --tmpfs "$at" -- "$TRY" put "$at/f"
	same "$before" "--tmpfs $at" || return 1
	quiet "$@" --bind-data 8 "$at" -- "$TRY" put "$at"
	same "$before" "--bind-data $at" || return 1
	quiet "$@" --ro-bind-data 8 "$at" -- "$PROBE" exit 0
	same "$before" "--ro-bind-data $at" || return 1
	quiet "$@" --proc "$at" -- "$PROBE" exit 0
	same "$before" "--proc $at" || return 1
	quiet "$@" --dev "$at" -- "$TRY" put "$at/shm/f"
	same "$before" "--dev $at" || return 1
	quiet "$@" --unshare-ipc --mqueue "$at" -- "$PROBE" exit 0
	same "$before" "--mqueue $at" || return 1
	quiet "$@" --overlay-src "$T/src" --tmp-overlay "$at" -- "$TRY" put "$at/f"
	same "$before" "--tmp-overlay $at" || return 1
	quiet "$@" --chmod 0777 "$at" -- "$PROBE" exit 0
	same "$before" "--chmod $at" || return 1
	quiet "$@" --remount-ro "$at" -- "$PROBE" exit 0
	same "$before" "--remount-ro $at"
}

# ---- links under a writable bind (CVE-2026-87766) ----

@test "an absolute link out of a writable bind is not followed out" {
	ln -s "$T/out" "$T/w/a"
	steps_at "$T/w/a/new"
	steps_at "$T/w/a/dir/deep/er"
	steps_at "$T/w/a/secret"
}

@test "nor one to the names that the old root has had" {
	local old
	for old in /oldroot /old_root /newroot/../oldroot /.old /../oldroot; do
		ln -sfn "$old$T/out" "$T/w/a"
		steps_at "$T/w/a/new"
		steps_at "$T/w/a/secret"
	done
}

@test "nor a relative one with many .." {
	ln -s ../out "$T/w/a"
	steps_at "$T/w/a/new"
	steps_at "$T/w/a/secret"
	ln -sfn "../../../../../../../../../../oldroot$T/out" "$T/w/a"
	steps_at "$T/w/a/new"
	steps_at "$T/w/a/secret"
	ln -sfn "../../../../../../../../../..$T/out" "$T/w/a"
	steps_at "$T/w/a/new"
	steps_at "$T/w/a/secret"
}

@test "nor a chain of them" {
	ln -s b "$T/w/a"
	ln -s ./c "$T/w/b"
	ln -s ../w/d "$T/w/c"
	ln -s "/oldroot$T/out" "$T/w/d"
	steps_at "$T/w/a/new"
	ln -sfn "$T/out" "$T/w/d"
	steps_at "$T/w/a/new"
}

@test "nor one that is the destination itself, whether its target is there or not" {
	local target
	for target in "$T/out/new" "/oldroot$T/out/new" ../out/new "../../../../../../oldroot$T/out/new" "$T/out/secret" "../out/secret" \
		"/oldroot$T/out/secret" "$T/out/dir"; do
		ln -sfn "$target" "$T/w/a"
		steps_at "$T/w/a"
	done
}

@test "nor with doubled slashes, . and a slash at the end" {
	ln -s "/oldroot$T/out" "$T/w/a"
	steps_at "$T/w//a//new"
	steps_at "$T/w/./a/./new"
	steps_at "$T/w/a/"
	steps_at "$T/w/a/."
	steps_at "$T/w/a/dir/../new"
}

@test "nor a magic link, with a fresh /proc or the caller's" {
	ln -s "/proc/self/root$T/out" "$T/w/root"
	ln -s "/proc/1/root$T/out" "$T/w/root1"
	ln -s "/proc/self/cwd" "$T/w/cwd"
	ln -s "/proc/self/fd/9" "$T/w/fd"
	cd "$T/out"
	local link
	for link in root root1 cwd fd; do
		steps_at "$T/w/$link/new" --unshare-pid --proc /proc
		steps_at "$T/w/$link/new" --proc /proc
		steps_at "$T/w/$link/new" --ro-bind /proc /proc
	done
}

@test "nor one that --symlink itself has made" {
	local before
	before=$(picture)
	quiet --symlink "$T/out" /link --dir /link/new -- "$PROBE" exit 0
	same "$before" "--dir"
	quiet --symlink "/oldroot$T/out" /link --dir /link/new -- "$PROBE" exit 0
	same "$before" "--dir oldroot"
	quiet --symlink "../../../../oldroot$T/out" /link --file 8 /link/new -- "$PROBE" exit 0
	same "$before" "--file"
	quiet --symlink "/oldroot$T/out/secret" /link --chmod 0777 /link -- "$PROBE" exit 0
	same "$before" "--chmod"
	quiet --symlink "/proc/self/fd/9" /link --proc /proc --dir /link/new -- "$PROBE" exit 0
	same "$before" "fd"
}

@test ".. in a destination does not leave the box" {
	steps_at "$T/w/../out/new"
	steps_at "$T/w/../../../../../../oldroot$T/out/new"
	steps_at "/../oldroot$T/out/new"
	steps_at "../oldroot$T/out/new"
}

@test "a root that somebody else made: links in it stay in it" {
	mkdir -p "$T/w/bin"
	cp "$PROBE" "$TRY" "$T/w/bin/"
	ln -s "$T/out" "$T/w/abs"
	ln -s "../../../../../../../..$T/out" "$T/w/rel"
	ln -s "/oldroot$T/out" "$T/w/old"
	local before link
	before=$(picture)
	for link in abs rel old; do
		bw --bind "$T/w" / --dir "/$link/new" --file 8 "/$link/file" --tmpfs "/$link/t" -- /bin/probe exit 0 8<"$T/src/file" \
			>/dev/null 2>&1 || true
		same "$before" "/$link"
		bw --bind "$T/w" / --chmod 0777 "/$link/secret" -- /bin/probe exit 0 >/dev/null 2>&1 || true
		same "$before" "--chmod /$link"
		bw --bind "$T/w" / --ro-bind "$T/src/file" "/$link/secret" -- /bin/probe exit 0 >/dev/null 2>&1 || true
		same "$before" "--ro-bind /$link"
	done
}

# ---- what the fixes of that broke elsewhere ----

@test "regression: parents that may be passed but not read, mode 0711" {
	mkdir -p "$T/root/bin" "$T/root/closed/in" "$T/closed/in"
	cp "$PROBE" "$TRY" "$T/root/bin/"
	touch "$T/root/closed/in/f"
	echo x >"$T/closed/in/f"
	[ "$(id -u)" != 0 ] || chown root "$T/root/closed" "$T/closed"
	chmod 0711 "$T/root/closed" "$T/closed"
	run bw --ro-bind "$T/root" / --ro-bind "$T/closed/in/f" /closed/in/f -- /bin/probe cat /closed/in/f
	is x
	run bw --ro-bind "$T/root" / --tmpfs /closed/in --dir /closed/in/new -- /bin/try put /closed/in/new/f
	says "put /closed/in/new/f: ok"
}

@test "regression: /var/run -> /run in a root of somebody else's" {
	newer 0.12
	mkdir -p "$T/root/bin" "$T/root/run" "$T/root/var"
	cp "$PROBE" "$TRY" "$T/root/bin/"
	ln -s /run "$T/root/var/run"
	run bw --ro-bind "$T/root" / --tmpfs /run --ro-bind "$T/src/file" /var/run/cups/cups.sock -- /bin/probe cat /run/cups/cups.sock
	is source
}

# ---- /proc, /sys, /dev ----

# with_link NAME TARGET OPTION…: in a root where NAME is a link: refused, nothing outside has changed.
with_link() {
	local name=$1 target=$2 before
	shift 2

	rm -rf "$T/w/bin" "${T:?}/w/$name"
	mkdir -p "$T/w/bin"
	cp "$PROBE" "$TRY" "$T/w/bin/"
	ln -s "$target" "$T/w/$name"
	give "$T/w"
	before=$(picture)
	run --separate-stderr bw --bind "$T/w" / "$@" -- /bin/try put /marker
	dead "" || return 1
	same "$before" "$*"
}

@test "/proc is a link in the root: refused" {
	local target
	for target in "$T/out" ../out "/oldroot$T/out" /bin bin; do
		with_link proc "$target" --proc /proc
		with_link proc "$target" --unshare-pid --proc /proc
	done
}

@test "/sys is a link in the root: refused" {
	[ -d /sys/kernel ] || skip "/sys is empty here"
	local target
	for target in "$T/out" ../out "/oldroot$T/out"; do
		with_link sys "$target" --ro-bind /sys /sys
	done
}

@test "/dev is a link in the root: refused, its target untouched" {
	local target
	for target in "$T/out" ../out "/oldroot$T/out" /bin bin; do
		with_link dev "$target" --dev /dev
	done
}

@test "devices on the way to be made: a link where a device goes is not written through" {
	local before
	mkdir "$T/w/dev"
	ln -s "../../out/secret" "$T/w/dev/null"
	ln -s "/oldroot$T/out/secret" "$T/w/dev/zero"
	ln -s "/oldroot$T/out" "$T/w/dev/shm"
	give "$T/w"
	before=$(picture)
	bw --bind "$T/w" / --dev /dev --ro-bind "$NB_BIN" /dev/shm/bin -- /dev/shm/bin/probe exit 0 >/dev/null 2>&1 || true
	# --dev is a new tmpfs on top, so the mount point below it has to be the tmpfs's.
	same "$before" --dev
}

# faked SCRIPT ARGUMENT…: bwrap in a mount namespace that SCRIPT prepared.
faked() {
	local script=$1

	shift
	need_root "mounts over /dev"
	timeout -s KILL 60 unshare -m --propagation private /bin/bash -c "$script"'
		"$@"' - "${CALLER[@]}" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --bind "$T/w" /w "$@"
}

@test "a fake device is not taken for a device: --dev refuses" {
	local d
	for d in null zero full random urandom tty; do
		run --separate-stderr faked "
			echo fake >/run/nbt-fake.\$\$ && chmod 666 /run/nbt-fake.\$\$ && mount --bind /run/nbt-fake.\$\$ /dev/$d || exit 99
			rm /run/nbt-fake.\$\$" --dev /dev -- "$TRY" put /w/marker
		dead "" || { echo "for: $d, a file"; return 1; }
		run --separate-stderr faked "
			mknod /run/nbt-fake.\$\$ c 1 1 && mount --bind /run/nbt-fake.\$\$ /dev/$d || exit 99
			rm /run/nbt-fake.\$\$" --dev /dev -- "$TRY" put /w/marker
		dead "" || { echo "for: $d, another device"; return 1; }
		[ ! -e "$T/w/marker" ]
	done
}

@test "a link instead of a device: refused, what it points to not shown" {
	run --separate-stderr faked '
		mount -t tmpfs t /dev || exit 99
		for d in "null 3" "zero 5" "full 7" "random 8"; do mknod -m 666 /dev/${d% *} c 1 ${d#* }; done
		mknod -m 666 /dev/tty c 5 0; ln -s /etc/passwd /dev/urandom' --dev /dev -- "$TRY" put /w/marker -- read /dev/urandom
	dead ""
	[ ! -e "$T/w/marker" ]
}

@test "a fake /proc: the maps are not written into another file" {
	run --separate-stderr faked '
		mount -t tmpfs t /proc || exit 99
		for ((p = $$; p < $$ + 200; p++)); do
			mkdir -p /proc/$p/ns /proc/$p/fd; touch /proc/$p/{uid_map,gid_map,setgroups,status}
		done
		mkdir /proc/self; touch /proc/self/{uid_map,gid_map,setgroups}
		chmod -R a+rwX /proc
		trap "cat /proc/*/uid_map /proc/*/gid_map /proc/*/setgroups" EXIT' --unshare-user -- "$TRY" put /w/marker
	[ ! -e "$T/w/marker" ]
	[ -z "$output" ] || { echo "written: $output"; return 1; }
}

# ---- names that change ----

# swapping A B: exchange them in the background until the test ends.
swapping() {
	launch "$NB_BIN/starter" swap "$1" "$2"
	await ready
}

ROUNDS=$((${NB_LOOPS:-40} * 5))

@test "a source directory exchanged with a link: one or the other, whole, or refused" {
	ln -s out "$T/evil"
	give "$T"
	swapping "$T/src" "$T/evil"
	local i
	for ((i = 0; i < ROUNDS; i++)); do
		run mini --ro-bind "$T/src" /x -- "$TRY" stat /x/file -- stat /x/secret -- put /x/new
		lacks "^put /x/new: ok" || return 1
		# A start that failed has no such lines.
		if [ "$(grep -c '^stat .*: ok' <<<"$output")" -ne 1 ]; then
			matches "^bwrap: "
		fi
	done
	kill -KILL "$LAUNCHER"
	[ ! -e "$T/out/new" ] && [ ! -e "$T/src/new" ]
}

@test "a source file exchanged with a link" {
	echo good >"$T/good"
	ln -s out/secret "$T/evil"
	give "$T"
	swapping "$T/good" "$T/evil"
	local i
	for ((i = 0; i < ROUNDS; i++)); do
		run mini --ro-bind "$T/good" /x -- "$PROBE" cat /x
		[ "$output" = good ] || [ "$output" = secret ] || matches "^bwrap: "
	done
}

@test "a parent of the source exchanged: both binds come from what was there, and read-only" {
	mkdir -p "$T/p/src" "$T/q/src"
	echo p >"$T/p/src/who"
	echo q >"$T/q/src/who"
	give "$T"
	swapping "$T/p" "$T/q"
	local i
	for ((i = 0; i < ROUNDS; i++)); do
		run mini --ro-bind "$T/p/src" /x -- "$TRY" read /x/who -- put /x/new
		[ "$(grep -c '' <<<"$output")" -eq 2 ] || matches "^bwrap: "
		lacks "^put /x/new: ok"
	done
	kill -KILL "$LAUNCHER"
	[ -z "$(find "$T/p" "$T/q" -name new)" ]
}

@test "--ro-bind-fd: what the descriptor is, not what its name has become" {
	newer --ro-bind-fd
	ln -s out "$T/evil"
	give "$T"
	exec 9<"$T/src"
	swapping "$T/src" "$T/evil"
	local i
	for ((i = 0; i < ROUNDS; i++)); do
		run mini --ro-bind-fd 9 /x -- "$TRY" stat /x/file -- stat /x/secret
		lacks "^stat /x/secret: ok"
	done
	exec 9<&-
}

@test "a directory on the way to the destination exchanged with a link out: nothing is made or changed outside" {
	local i steps before
	mkdir "$T/w/d"
	touch "$T/w/d/secret"
	ln -s ../out "$T/w/evil"
	give "$T"
	before=$(find "$T/out" -printf '%p %y %m %s %l\n' | sort)
	swapping "$T/w/d" "$T/w/evil"
	steps=("--dir $T/w/d/new" "--tmpfs $T/w/d/new" "--file 8 $T/w/d/new" "--symlink x $T/w/d/link" "--ro-bind $T/src/file $T/w/d/file"
		"--bind $T/src $T/w/d/sub" "--chmod 0777 $T/w/d/secret" "--bind-data 8 $T/w/d/data")
	for ((i = 0; i < ROUNDS; i++)); do
		# shellcheck disable=SC2086 # words
		quiet ${steps[i % ${#steps[@]}]} -- "$PROBE" exit 0
	done
	kill -KILL "$LAUNCHER"
	wait "$LAUNCHER" || true
	[ "$before" = "$(find "$T/out" -printf '%p %y %m %s %l\n' | sort)" ]
	[ "$(cat "$T/out/secret")" = secret ]
}

@test "the same with an absolute link through the old root" {
	local i steps before
	mkdir "$T/w/d"
	ln -s "/oldroot$T/out" "$T/w/evil"
	give "$T"
	before=$(find "$T/out" -printf '%p %y %m %s %l\n' | sort)
	swapping "$T/w/d" "$T/w/evil"
	steps=("--dir $T/w/d/new" "--file 8 $T/w/d/new" "--symlink x $T/w/d/link" "--tmpfs $T/w/d/dir/new")
	for ((i = 0; i < ROUNDS; i++)); do
		# shellcheck disable=SC2086 # words
		quiet ${steps[i % ${#steps[@]}]} -- "$PROBE" exit 0
	done
	kill -KILL "$LAUNCHER"
	wait "$LAUNCHER" || true
	[ "$before" = "$(find "$T/out" -printf '%p %y %m %s %l\n' | sort)" ]
}

@test "the destination itself exchanged with a link out: what is mounted there covers nothing outside" {
	local i mounts
	mkdir "$T/w/d"
	ln -s ../out "$T/w/evil"
	give "$T"
	mounts=$(cat /proc/self/mountinfo)
	swapping "$T/w/d" "$T/w/evil"
	for ((i = 0; i < ROUNDS; i++)); do
		quiet --tmpfs "$T/w/d" -- "$TRY" put "$T/w/d/x"
		quiet --ro-bind "$T/src" "$T/w/d" -- "$TRY" put "$T/w/d/x"
	done
	kill -KILL "$LAUNCHER"
	wait "$LAUNCHER" || true
	[ "$mounts" = "$(cat /proc/self/mountinfo)" ]
	[ ! -e "$T/out/x" ]
	[ -z "$(find "$T/src" -name x)" ]
}

@test "a read-only place below an exchanged directory is never writable" {
	mkdir -p "$T/w/d/ro" "$T/w/e/ro"
	echo keep >"$T/w/d/ro/f"
	echo keep >"$T/w/e/ro/f"
	give "$T/w"
	swapping "$T/w/d" "$T/w/e"
	local i
	for ((i = 0; i < ROUNDS / 2; i++)); do
		# The one that was mounted over is shut; the other may be reached as its name changes.
		run mini --ro-bind "$T/w/d/ro" /ro -- "$TRY" put /ro/f
		lacks "^put /ro/f: ok"
	done
	kill -KILL "$LAUNCHER"
	[ "$(cat "$T/w/d/ro/f" "$T/w/e/ro/f")" = $'keep\nkeep' ]
}

# ---- aliases ----

@test "a hard link of a read-only file in a writable bind cannot be made inside" {
	mkdir "$T/ro"
	echo keep >"$T/ro/f"
	give "$T"
	run mini --proc /proc --ro-bind "$T/ro" /ro --bind "$T/w" /w -- "$TRY" link /ro/f /w/alias -- link-fd /ro/f /w/alias \
		-- rename /ro/f /w/alias
	exits 0
	says "link /ro/f /w/alias: EXDEV" "rename /ro/f /w/alias: EXDEV"
	[ ! -e "$T/w/alias" ] && [ "$(cat "$T/ro/f")" = keep ]
}

@test "the same for a read-only place inside a writable one" {
	mkdir "$T/w/ro"
	echo keep >"$T/w/ro/f"
	give "$T/w"
	run mini --proc /proc --bind "$T/w" /w --ro-bind "$T/w/ro" /w/ro -- "$TRY" link /w/ro/f /w/alias -- link-fd /w/ro/f /w/alias \
		-- rename /w/ro/f /w/alias -- rename /w/ro /w/moved -- rmdir /w/ro
	exits 0
	[ "$(cat "$T/w/ro/f")" = keep ]
}

@test "a hard link to a file outside is written by no step" {
	echo keep >"$T/out/linked"
	ln "$T/out/linked" "$T/w/alias"
	give "$T"
	quiet --bind-data 8 "$T/w/alias" -- "$TRY" put "$T/w/alias"
	quiet --ro-bind "$T/src/file" "$T/w/alias" -- "$TRY" put "$T/w/alias"
	quiet --symlink x "$T/w/alias" -- "$PROBE" exit 0
	quiet --tmpfs "$T/w/alias" -- "$PROBE" exit 0
	[ "$(cat "$T/out/linked")" = keep ]
}

@test "what covers a place cannot be taken away inside" {
	run mini --unshare-user --proc /proc --bind "$T/out" /o --tmpfs /o -- "$TRY" umount /o -- remount-rw /o -- setattr-rw /o \
		-- stat /o/secret
	[ "$NB_AS" = root ] || exits 0
	run mini --unshare-user --cap-drop ALL --proc /proc --bind "$T/out" /o --tmpfs /o -- "$TRY" umount /o -- remount-rw /o \
		-- stat /o/secret
	exits 0
}

# ---- rights ----

@test "a setuid copy refuses to run, whoever calls it" {
	newer 0.12
	need_root "a setuid file"
	cp "$BW" "$T/bwrap"
	chown root "$T/bwrap"
	chmod 4755 "$T/bwrap"
	run --separate-stderr setpriv --reuid=12345 --regid=12345 --clear-groups -- "$T/bwrap" --ro-bind / / -- "$PROBE" ids
	dead ""
	chmod 2755 "$T/bwrap"
	run setpriv --reuid=12345 --regid=12345 --clear-groups -- "$T/bwrap" --ro-bind / / -- "$PROBE" ids
	lacks "^gid .*[ ]0( |$)"
}

@test "a copy with file capabilities refuses to run" {
	need setcap
	need_root "file capabilities"
	need_plain_caller
	cp "$BW" "$T/bwrap"
	setcap cap_sys_admin,cap_dac_override+ep "$T/bwrap" || skip "no file capabilities on this file system"
	run --separate-stderr as_caller "$T/bwrap" --ro-bind / / -- "$PROBE" ids
	dead ""
}

@test "setgroups is denied in a user namespace of a user's" {
	need_plain_caller
	run mini --unshare-user --uid 0 --gid 0 --cap-add ALL --proc /proc -- "$TRY" setgroups -- write /proc/self/setgroups allow
	exits 0
}

@test "--uid: no number is taken for another" {
	local text
	for text in 4294967296 4294967297 99999999999999999999 -1 +1 " 1" 0x0 1e3 ""; do
		run mini --unshare-user --uid "$text" -- "$PROBE" ids
		[ "$status" -eq 1 ] || says "uid $((10#${text//[!0-9]/})) $((10#${text//[!0-9]/})) $((10#${text//[!0-9]/}))"
	done
}

# ---- descriptors ----

@test "no directory of the host's can be reached by a descriptor of bwrap's" {
	local n words=()
	for n in {3..40} 100 255; do
		words+=(stat "/proc/self/fd/$n/etc/passwd" -- stat "/proc/self/fd/$n/../etc/passwd" -- chdir "/proc/self/fd/$n" --)
	done
	unset 'words[-1]'
	run only - --unshare-pid --proc /proc -- "$TRY" "${words[@]}"
	exits 0
	run only - --proc /proc -- "$TRY" "${words[@]}"
	exits 0
}

@test "--chdir /proc/self/fd/N finds none of bwrap's own" {
	local n
	for n in {3..20}; do
		run only - --unshare-pid --proc /proc --chdir "/proc/self/fd/$n" -- "$TRY" stat etc/passwd -- stat ../etc/passwd -- stat 1
		exits 1 || { echo "N is $n"; return 1; }
		lacks ": ok$"
	done
}

@test "--chdir /proc/PID/cwd and root do not leave the box" {
	cd /etc
	local d
	for d in /proc/self/cwd /proc/self/root /proc/1/cwd /proc/1/root /proc/self/cwd/.. /proc/thread-self/root; do
		run only - --unshare-pid --proc /proc --chdir "$d" -- "$TRY" stat passwd -- stat etc/passwd -- stat ../etc/passwd
		lacks ": ok$"
	done
}

@test "PID 1 of the box shows no way out" {
	run only - --unshare-pid --proc /proc -- "$TRY" stat /proc/1/root/etc/passwd -- stat /proc/1/cwd/etc/passwd \
		-- stat /proc/1/root/../etc/passwd -- open-w /proc/1/exe
	lacks "^stat .*: ok$" "^open-w .*: ok$"
}

@test "PID 1 of the box cannot be traced or read by a user's command" {
	need_plain_caller
	# The original's can, and a tracer that ends without a word would hang this test.
	ours
	run only - --unshare-all --proc /proc -- "$TRY" attach 1 -- seize 1 -- vmread 1 -- open-w /proc/1/mem -- getfd 1 0
	exits 0
}

@test "the binary cannot be written through /proc" {
	run bw --unshare-all --bind / / --proc /proc -- "$TRY" open-w /proc/1/exe
	lacks "^open-w .*: ok$"
	printf '#!/proc/self/exe\n' >"$T/w/self"
	chmod 0755 "$T/w/self"
	local before
	before=$(cksum <"$BW")
	quiet --proc /proc -- "$T/w/self"
	[ "$before" = "$(cksum <"$BW")" ]
}

# ---- forged reports ----

@test "no status descriptor can be written by the command" {
	local words
	# shellcheck disable=SC2086 # words
	for words in "" "--unshare-pid" "--unshare-pid --as-pid-1"; do
		run as_caller "$HAND" only 20,21 "$BW" --ro-bind "$NB_BIN" "$NB_BIN" $words --info-fd 20 --json-status-fd 21 \
			-- "$PROBE" forge 20>"$T/info" 21>"$T/status"
		is ""
		[ "$(grep -c '' "$T/status")" -eq 2 ]
		[ "$(head -c 1 "$T/status")" = "{" ]
		[ "$(tail -n 1 "$T/status")" = '{ "exit-code": 0 }' ]
	done
}

@test "nor through /proc/1/fd" {
	local n words=()
	for n in {0..40}; do
		words+=(open-w "/proc/1/fd/$n" -- readlink "/proc/1/fd/$n" --)
	done
	unset 'words[-1]'
	run as_caller "$HAND" only 20,21,22 "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-pid --proc /proc --info-fd 20 --json-status-fd 21 \
		--sync-fd 22 -- "$TRY" "${words[@]}" 20>"$T/info" 21>"$T/status" 22>"$T/sync" </dev/null
	# The sync descriptor is PID 1's to hold, for root; of the others there is none.
	lacks "^open-w /proc/1/fd/(20|21): ok$"
	[ "$NB_AS" = root ] || lacks "^open-w .*: ok$"
	[ "$(grep -c '' "$T/status")" -eq 2 ]
}

@test "the exit code is the first command's, whatever others do" {
	run --separate-stderr mini --unshare-pid --ro-bind / / --dev /dev --json-status-fd 8 -- /bin/sh -c \
		'(exit 0) & (kill -9 $$) & wait; exit 3' 8>"$T/status"
	exits 137
	grep -q '"exit-code": 137' "$T/status"
}

# ---- missing walls ----

# without CALL OPTION…: where that call fails, the command does not run.
without() {
	local call=$1 rule
	shift

	case $(uname -m) in
	x86_64) ;;
	*) skip "the numbers of the calls are written down for x86-64" ;;
	esac
	case $call in
	setsid) rule=112 ;; sethostname) rule=170 ;; pdeathsig) rule=157:1 ;; filter) rule=157:22,317 ;;
	namespaces) rule=56,272,435 ;; capset) rule=126 ;; pivot) rule=155,161 ;; chdir) rule=80,81 ;;
	esac
	rm -f "$T/w/marker"
	local error
	for error in EPERM ENOSYS; do
		# What it says is its matter; the marker is ours.
		as_caller "$NB_BIN/deny" "$rule" "$error" -- "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --bind "$T/w" /w "$@" -- "$TRY" put /w/marker \
			>/dev/null 2>&1 && true
		status=$?
		exits 1 || return 1
		[ ! -e "$T/w/marker" ] || { echo "ran without $call" >&2; return 1; }
	done
}

@test "a wall that cannot stand is an error: session, host name, filter, namespaces, root" {
	without setsid --new-session
	without sethostname --unshare-uts --hostname x
	exec 8<"$T/bpf"
	without filter --seccomp 8
	exec 8<&-
	without namespaces --unshare-all
	without pivot
}

@test "the same for the parent's death" {
	# The original leaves a child behind that waits for ever.
	ours
	without pdeathsig --die-with-parent
}

@test "capabilities that cannot be dropped are an error" {
	need_plain_caller
	without capset
}

# ---- nothing left ----

@test "while a box runs, no directory, file or mount of its own is on the host" {
	run apart '
		mkfifo -m 666 /run/nbt/ready
		before=$(snapshot)
		"${CALLER[@]}" /run/nbt/bwrap --unshare-pid --die-with-parent --ro-bind /run/nbt /run/nbt --tmpfs /a --dir /b --bind-data 8 /c \
			-- "$PROBE" hold >/run/nbt/ready 8</etc/passwd &
		read -r -t 30 line </run/nbt/ready
		after=$(snapshot)
		kill -KILL $!
		[ "$line" = ready ]
		diff <(echo "$before") <(echo "$after") && echo same'
	says same
}

@test "--die-with-parent: killed at any moment of its start, nobody stays" {
	newer 0.12
	run as_caller "$NB_BIN/starter" storm "$NB_LOOPS" 9 20000 "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-all --die-with-parent \
		--dev /dev --proc /proc -- "$PROBE" stubborn
	exits 0
}

@test "a start that fails leaves nothing on the host" {
	run apart '
		before=$(snapshot)
		bw() { "${CALLER[@]}" /run/nbt/bwrap --unshare-pid --ro-bind /run/nbt /run/nbt --bind-data 8 /x --tmpfs /y "$@" 8</etc/passwd; }
		! bw --remount-ro /none -- "$PROBE" exit 0
		! bw --chdir /none -- "$PROBE" exit 0
		! bw -- /none
		diff <(echo "$before") <(snapshot) && echo same'
	says same
}
