#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# As bwrap, nestbox makes files and directories on the host below a writable bind, as its callers want.
# Whoever may write there must not be able to have them made anywhere else (bubblewrap CVE-2026-87766, runc
# CVE-2025-52881 and older).

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

setup() {
	bw_setup
	mkdir "$T/out" "$T/out/dir" "$T/w"
	echo secret >"$T/out/secret"
	echo source >"$T/source"
	give "$T"
}

# outside: all that lies there.
outside() {
	find "$T/out" -printf '%p %m %s %T@ %l\n' | sort
}

# steps_at DEST: every step that makes or changes something, at and below DEST.
steps_at() {
	local dest before

	before=$(outside)
	for dest in "$1" "$1/x" "$1/x/y" "$1/secret" "$1/dir"; do
		mini --bind "$T/w" "$T/w" --dir "$dest" -- "$PROBE" exit 0 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --tmpfs "$dest" -- "$TRY" put "$dest/f" >/dev/null 2>&1 || true
		mini --bind "$T/w" "$T/w" --symlink text "$dest" -- "$PROBE" exit 0 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --file 9 "$dest" -- "$PROBE" exit 0 9<"$T/source" 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --bind-data 9 "$dest" -- "$PROBE" exit 0 9<"$T/source" 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --bind "$T/source" "$dest" -- "$PROBE" exit 0 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --bind "$T/w" "$dest" -- "$PROBE" exit 0 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --chmod 0777 "$dest" -- "$PROBE" exit 0 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --proc "$dest" -- "$PROBE" exit 0 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --dev "$dest" -- "$PROBE" exit 0 2>/dev/null || true
		rm -rf "$T/w/x"
	done
	[ "$before" = "$(outside)" ] || {
		diff <(echo "$before") <(outside) >&2
		return 1
	}
}

@test "the steps do work where nobody is in the way" {
	mini --bind "$T/w" "$T/w" --dir "$T/w/a/b" --file 9 "$T/w/a/f" -- "$PROBE" exit 0 9<"$T/source"
	[ -d "$T/w/a/b" ] && [ "$(cat "$T/w/a/f")" = source ]
}

@test "a link to the old root's usual places" {
	local old
	for old in /oldroot /newroot/.. /old /.; do
		ln -sfn "$old$T/out" "$T/w/a"
		steps_at "$T/w/a"
	done
}

@test "absolute and relative links, and a chain of them" {
	ln -s "$T/out" "$T/w/abs"
	ln -s ../out "$T/w/rel"
	ln -s ../../../../../../../../../.."$T/out" "$T/w/far"
	ln -s ./chain2 "$T/w/chain1"
	ln -s ../w/abs "$T/w/chain2"
	ln -s "$T/out/secret" "$T/w/file"
	local name
	for name in abs rel far chain1 file; do
		steps_at "$T/w/$name"
	done
}

@test "links of procfs" {
	ln -s /proc/self/root"$T/out" "$T/w/root"
	ln -s /proc/self/cwd "$T/w/cwd"
	ln -s /proc/self/fd/9 "$T/w/fd"
	cd "$T/out"
	local name
	for name in root cwd fd; do
		steps_at "$T/w/$name" 9<"$T/out"
		run mini --proc /proc --bind "$T/w" "$T/w" --dir "$T/w/$name/new" -- "$PROBE" exit 0
		[ ! -e "$T/out/new" ]
	done
}

@test ".. in a destination" {
	steps_at "$T/w/../out"
	steps_at "../../../../../../../..$T/out"
}

@test "a link that another step made" {
	local before
	before=$(outside)
	run mini --symlink "$T/out" /link --dir /link/new --file 9 /link/secret -- "$PROBE" exit 0 9<"$T/source"
	run mini --symlink "/proc/self/root$T/out" /link --proc /proc --dir /link/new -- "$PROBE" exit 0
	[ "$before" = "$(outside)" ]
}

# swapping A B: exchange them in the background until the test ends.
swapping() {
	launch "$NB_BIN/starter" swap "$1" "$2"
	await ready
}

@test "a directory that becomes a link, and back, during the start" {
	mkdir "$T/w/d"
	ln -s "$T/out" "$T/w/evil"
	give "$T/w"
	local before i
	before=$(outside)
	swapping "$T/w/d" "$T/w/evil"
	for ((i = 0; i < NB_LOOPS; i++)); do
		mini --bind "$T/w" "$T/w" --dir "$T/w/d/new/$i" --file 9 "$T/w/d/f$i" --tmpfs "$T/w/d/t$i" \
			--bind "$T/source" "$T/w/d/b$i" --symlink x "$T/w/d/l$i" -- "$PROBE" exit 0 \
			9<"$T/source" 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --chmod 0777 "$T/w/d" -- "$PROBE" exit 0 2>/dev/null || true
	done
	[ "$before" = "$(outside)" ]
}

@test "a file that becomes a link, and back, during the start" {
	echo mine >"$T/w/f"
	ln -s "$T/out/secret" "$T/w/evil"
	give "$T/w"
	local before i
	before=$(outside)
	swapping "$T/w/f" "$T/w/evil"
	for ((i = 0; i < NB_LOOPS; i++)); do
		mini --bind "$T/w" "$T/w" --file 9 "$T/w/f" -- "$PROBE" exit 0 9<"$T/source" 2>/dev/null || true
		mini --bind "$T/w" "$T/w" --chmod 0666 "$T/w/f" -- "$PROBE" exit 0 2>/dev/null || true
	done
	[ "$before" = "$(outside)" ]
}

@test "a source that becomes a link, and back, during the start" {
	mkdir "$T/w/d"
	echo good >"$T/w/d/good"
	ln -s ../out "$T/w/evil"
	give "$T/w"
	swapping "$T/w/d" "$T/w/evil"
	local i
	for ((i = 0; i < NB_LOOPS; i++)); do
		run mini --ro-bind "$T/w/d" /there -- "$TRY" stat /there/good -- stat /there/secret
		[ "$status" -ne 1 ] || [[ $output != bwrap:* ]] || continue
		# One of the two, never a mixture.
		[[ $output == *"good: ok"*"secret: ENOENT"* || $output == *"good: ENOENT"*"secret: ok"* ]]
	done
}
