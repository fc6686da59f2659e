#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Symlinks on the way to a granted path are recreated, hop by hop, with their own text.

load ../lib/common

setup() {
	nb_setup
	mkdir -p "$T/real/deep"
	echo content >"$T/real/file"
	echo deep >"$T/real/deep/file"
	cp "$NB_BIN/probe" "$T/real/prog"
	give "$T"
}

# through LINK GRANT READ: LINK's text is the same inside, and READ can be read.
through() {
	run mini -r "$2" -- "$PROBE" readlink "$1"
	is "$(readlink "$1")" || return 1
	run mini -r "$2" -- "$PROBE" cat "$3"
	exits 0
}

@test "a relative link to a file" {
	ln -s real/file "$T/link"
	through "$T/link" "$T/link" "$T/link"
	is content
}

@test "an absolute link to a file" {
	ln -s "$T/real/file" "$T/link"
	through "$T/link" "$T/link" "$T/link"
	is content
}

@test "a link to a directory, and what is below" {
	ln -s real "$T/link"
	through "$T/link" "$T/link" "$T/link/deep/file"
	is deep
}

@test "the target's own name works, too" {
	ln -s real "$T/link"
	run mini -r "$T/link" -- "$PROBE" cat "$T/real/file"
	is content
}

@test "a link in the middle of the path" {
	ln -s real "$T/link"
	through "$T/link" "$T/link/deep/file" "$T/link/deep/file"
	is deep
	run mini -r "$T/link/deep/file" -- "$TRY" stat "$T/real/file" -- stat "$T/real/deep/file"
	says "stat $T/real/file: ENOENT" "stat $T/real/deep/file: ok"
}

@test "a chain: every hop stands, with its own text" {
	ln -s real "$T/c"
	ln -s "$T/c" "$T/b"
	ln -s ./b "$T/a"
	run mini -r "$T/a" -- "$PROBE" readlink "$T/a" "$T/b" "$T/c"
	exits 0
	is "$(printf '%s\n' ./b "$T/b" real | sed "2s|.*|$T/c|")"
	run mini -r "$T/a" -- "$PROBE" cat "$T/a/file"
	is content
}

@test "a link that contains .." {
	mkdir "$T/other"
	ln -s ../real/deep/../file "$T/other/link"
	through "$T/other/link" "$T/other/link" "$T/other/link"
	is content
}

@test "a link that climbs above / stays at /" {
	ln -s "../../../../../../../..$T/real" "$T/link"
	through "$T/link" "$T/link" "$T/link/file"
	is content
}

@test ".. after a link means the target's parent, not the link's" {
	mkdir -p "$T/far/away"
	echo right >"$T/far/x"
	echo wrong >"$T/x"
	ln -s far/away "$T/link"
	run mini -r "$T/link/../x" -- "$TRY" read "$T/far/x" -- stat "$T/x"
	says "read $T/far/x: ok" "stat $T/x: ENOENT"
	run mini -r "$T/link/../x" -- "$PROBE" cat "$T/far/x"
	is right
}

@test "links to links to directories, in the middle and at the end" {
	ln -s real "$T/l1"
	ln -s deep "$T/real/l2"
	ln -s file "$T/real/deep/l3"
	run mini -r "$T/l1/l2/l3" -- "$PROBE" readlink "$T/l1" "$T/real/l2" "$T/real/deep/l3"
	is $'real\ndeep\nfile'
	run mini -r "$T/l1/l2/l3" -- "$PROBE" cat "$T/l1/l2/l3"
	is deep
}

@test "an executable behind a link: granted, run by the link's name" {
	ln -s real/prog "$T/link"
	run nb -x "$T/link" -- "$T/link" exit 4
	exits 4
}

@test "a directory of programs behind a link" {
	ln -s real "$T/bin"
	run nb -x "$T/bin" -- "$T/bin/prog" exit 4
	exits 4
}

@test "the rights are those of the grant through the link's name, too" {
	ln -s real "$T/link"
	run mini -r "$T/link" -- "$TRY" put "$T/link/new" -- put "$T/real/new" -- exec "$T/link/prog"
	says "put $T/link/new: EROFS" "put $T/real/new: EROFS" "exec $T/link/prog: EACCES"
	run mini -w "$T/link" -- "$TRY" put "$T/link/new"
	says "put $T/link/new: ok"
	[ -e "$T/real/new" ]
}

@test "a link that nobody granted stays absent" {
	ln -s real "$T/private"
	run mini -r "$T/real" -- "$TRY" lstat "$T/private"
	says "lstat $T/private: ENOENT"
}

@test "a link inside a granted directory leads nowhere when its target is not granted" {
	echo outside >"$T/outside"
	ln -s ../outside "$T/real/link"
	run mini -r "$T/real" -- "$TRY" lstat "$T/real/link" -- stat "$T/real/link"
	says "lstat $T/real/link: ok" "stat $T/real/link: ENOENT"
}

@test "a link inside a granted directory may be granted itself" {
	echo outside >"$T/outside"
	ln -s ../outside "$T/real/link"
	run mini -r "$T/real" -r "$T/real/link" -- "$PROBE" cat "$T/real/link"
	exits 0
	is outside
}

@test "the link and its target, both granted" {
	ln -s real "$T/link"
	run mini -r "$T/link" -r "$T/real" -- "$PROBE" cat "$T/link/file" "$T/real/file"
	is $'content\ncontent'
}

@test "two links to one target" {
	ln -s real "$T/l1"
	ln -s "$T/real" "$T/l2"
	run mini -r "$T/l1" -r "$T/l2" -- "$PROBE" cat "$T/l1/file" "$T/l2/file"
	is $'content\ncontent'
}

@test "a link name with spaces, newlines and odd bytes" {
	local odd=$'li nk\n\xff'
	ln -s real "$T/$odd"
	run mini -r "$T/$odd" -- "$PROBE" cat "$T/$odd/file"
	is content
}

@test "forty hops work, and a longer chain is refused as the kernel does" {
	local i last=real
	for i in {1..39}; do
		ln -s "$last" "$T/n$i"
		last=n$i
	done
	run mini -r "$T/n39" -- "$PROBE" cat "$T/n39/file"
	is content
	for i in {40..45}; do
		ln -s "$last" "$T/n$i"
		last=n$i
	done
	refused "$T/n45" -r "$T/n45"
}

@test "the system's own links: /bin, /lib, /var/run" {
	[ -L /bin ] || skip "/bin is no symlink here"
	run nb -x /bin -x "$NB_BIN" -- "$PROBE" readlink /bin
	is "$(readlink /bin)"
}

@test "/var/run -> /run works" {
	[ -L /var/run ] || skip "/var/run is no symlink here"
	run mini -r /var/run -- "$PROBE" readlink /var/run
	is "$(readlink /var/run)"
	run mini -r /var/run -- "$TRY" stat /run -- stat /var/run/.
	says "stat /run: ok" "stat /var/run/.: ok"
}

@test "a magic link of /proc is no way to a hidden path" {
	cd "$T/real"
	run mini -r /proc/self/cwd -- "$TRY" stat "$T/real/file"
	# Either the directory is granted under its own name, or the grant is refused.
	[ "$status" -eq 125 ] || says "stat $T/real/file: ok"
}
