#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Real programs that call bwrap do their job with ours, where they are installed: see clients/stage and
# clients/drive. The original must do as well: BWRAP=/usr/bin/bwrap bats tests/e2e/bwrap-real.bats
#
#   NB_NPM   a directory in which npm has installed those that Debian does not have

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with clients.bash and run
load ../lib/clients

setup() {
	need_root "namespaces of the test's own"
	clients_setup
}

# real NAME: that program does its job, as the caller, with bwrap mounted over /usr/bin/bwrap.
real() {
	NPM=${NB_NPM:-} timeout -s KILL 120 "$NB_DIR/clients/stage" "$BW" "$NB_UID" "$@" </dev/null
}

# by_path NAME: with bwrap in a directory of PATH before /usr/bin.
by_path() {
	WAY=path real "$@"
}

home() {
	[ "$NB_AS" = user ] && echo /home/nbt || echo /root
}

@test "opam builds, installs and removes a package" {
	need opam
	for way in real by_path; do
		run "$way" opam
		exits 0
		says "uid $NB_UID" "in $(home)/.opam/e/.opam-switch/build/hello.1" "interfaces: lo:" "/usr: read-only" \
			/opam-tmp
		matches 'installed hello.1$' 'removed +hello.1$'
		lacks '[Ss]andboxing is not working|ERROR'
	done
}

@test "mat2 shows and removes what a picture says of its author" {
	need mat2
	for way in real by_path; do
		run "$way" mat2
		exits 0
		matches '^ +Author: Somebody$' '^ +No metadata found in a.cleaned.png.$'
		says a.cleaned.png a.png
	done
}

@test "the icon validators of flatpak and of the portal take a small picture and refuse a large one" {
	found=
	for validator in flatpak-validate-icon xdg-desktop-portal-validate-icon; do
		[ -x "/usr/libexec/$validator" ] || continue
		found=1
		run real "${validator#xdg-desktop-}"
		exits 0
		says "[Icon Validator]" format=png width=64
		matches '^Image too large \(512x512\)'
	done
	[ -n "$found" ] || skip "flatpak is not installed"
}

@test "GNOME makes a thumbnail" {
	[ -n "$(ls /usr/lib/*/girepository-1.0/GnomeDesktop-4.0.typelib 2>/dev/null)" ] ||
		skip "libgnome-desktop is not installed"
	run real thumbnail
	exits 0
	is "thumbnail 64 64"
}

@test "WebKit shows a page whose script runs" {
	[ -n "$(ls /usr/lib/*/girepository-1.0/WebKit2-4.1.typelib 2>/dev/null)" ] ||
		skip "WebKitGTK is not installed"
	need Xvfb
	need dbus-run-session
	run real webkit
	exits 0
	says "sum 42"
}

@test "flatpak builds, installs and runs an application, without and with a session bus" {
	need flatpak
	need ostree
	need dbus-run-session
	run real flatpak
	exits 0
	says "uid $NB_UID" "in $(home)" "interfaces: lo:" "/usr: read-only" "hello from org.test.App" \
		name=org.test.App "status 7" "status 9" data
}

@test "BuildStream builds an element" {
	need bst
	run real buildstream
	exits 0
	says "uid 0" "in /buildstream/nbt/hello.bst" "interfaces: lo:" "/usr: read-only" buildstream null
	matches 'SUCCESS Build$'
}

@test "sandbox-runtime runs a command" {
	[ -x "${NB_NPM:-}/node_modules/.bin/srt" ] || skip "srt is not installed"
	need socat
	need rg
	run real srt
	exits 0
	says "uid $NB_UID" "in $(home)/project" "interfaces: lo:" "/usr: read-only" "status 7" out
	matches 'cat: .gitconfig: Permission denied' '\.\./x: Read-only file system'
	[ "${lines[-1]}" = out ]
}

@test "codex runs a command in its sandbox" {
	[ -x "${NB_NPM:-}/node_modules/.bin/codex" ] || skip "codex is not installed"
	run real codex
	exits 0
	says "uid $NB_UID" "in $(home)/project" "interfaces: lo:" "/usr: read-only" "status 7" out
	matches '\.git/x: (Read-only file system|Permission denied)' '\.\./x: Read-only file system'
}

@test "nothing is left of them on the machine" {
	need opam
	before=$(snap)
	run real opam
	exits 0
	[ "$(snap)" = "$before" ]
}

snap() {
	cat /proc/self/mountinfo
	sha256sum /etc/passwd /etc/group /usr/bin/bwrap
	find / -xdev -maxdepth 2 -path /tmp -prune -o -name 'opam*' -newer "$NB_DIR/bin/bwrap" -print 2>/dev/null
}
