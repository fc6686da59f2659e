#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Programs that call bwrap, played from recordings: what they asked of it and what they relied on. The original
# must pass, too: BWRAP=/usr/bin/bwrap bats tests/e2e/bwrap-clients.bats

# shellcheck disable=SC2001,SC2016,SC2030,SC2031,SC2034,SC2094,SC2153,SC2154 # variables shared with clients.bash and run
load ../lib/clients

# ---- what they ask before ----

@test "BuildStream: --version is a word and three numbers" {
	run --separate-stderr as_caller "$BW" --version
	exits 0
	[ -z "$stderr" ]
	# As in its check_bwrap_version(): output.split()[1].split(".")
	/usr/bin/python3 - "$output" <<-P
		import sys
		major, minor, patch = map(int, sys.argv[1].split()[1].split("."))
		assert (major, minor, patch) >= (0, 8, 0)
	P
	[[ $output =~ ^bubblewrap\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "codex: --help on stdout names the options that it may use" {
	run --separate-stderr as_caller "$BW" --help
	exits 0
	[ -z "$stderr" ]
	for option in --as-pid-1 --perms --cap-drop --ro-bind-fd; do
		matches "$option"
	done
}

# ---- opam ----

opam_tree() {
	tree "$H/.opam/e/.opam-switch/build/hello.1" "$H/.opam/e/.opam-switch/remove/hello.1" \
		"$H/.opam/e/share" "$H/.cache/dune" "$TMP/opam"
}

@test "opam: its check of the sandbox succeeds and leaves nothing" {
	opam_tree
	run --separate-stderr replay opam-check
	exits 0
	is SUCCESS
	[ -z "$stderr" ]
	[ -z "$(ls -A "$TMP/opam")" ]
	[ ! -e /opam-tmp ]
}

@test "opam: a build writes into its directory, where it starts, and nowhere else" {
	opam_tree
	run --separate-stderr replay opam-build
	exits 0
	[ -z "$output$stderr" ]
	file_is "$H/.opam/e/.opam-switch/build/hello.1/out" "uid $NB_UID
in $H/.opam/e/.opam-switch/build/hello.1
interfaces: lo:
/usr: read-only
home: read-only
/opam-tmp"
	[ ! -e "$H/x" ]
}

@test "opam: a link may lead nowhere, /lib32" {
	opam_tree
	run replay opam-build readlink /lib32 /lib /bin
	is $'/usr/lib32\n/usr/lib\n/usr/bin'
}

@test "opam: what fails in a build fails, with its number" {
	opam_tree
	run replay opam-build sh -c 'exit 42'
	exits 42
	run replay opam-build sh -c 'kill -TERM $$'
	exits 143
}

@test "opam: an installation writes into the switch but not into what opam keeps below it" {
	opam_tree
	echo built >"$H/.opam/e/.opam-switch/build/hello.1/out"
	run replay opam-install
	exits 0
	file_is "$H/.opam/e/share/hello/out" built
	[ ! -e "$H/.opam/e/.opam-switch/x" ]
}

@test "opam: a removal" {
	opam_tree
	tree "$H/.opam/e/share/hello/deep/deeper"
	run replay opam-remove
	exits 0
	[ ! -e "$H/.opam/e/share/hello" ]
	[ -d "$H/.opam/e/share" ]
}

@test "opam: when opam is killed, so is the build" {
	opam_tree
	a_stdin
	launch setsid sh -c 'exec 9<&0; "$@" <&9 9<&- & echo; wait' opam /usr/bin/python3 -IS "$NB_DIR/clients/replay" \
		"$NB_DIR/clients/opam-build.args" "$BW" "HOME=$H" "TMP=$TMP" -- \
		sh -c 'echo builds; exec cat' <&5
	await ""
	await builds
	kill -KILL "$LAUNCHER"
	drained
}

# ---- mat2 ----

@test "mat2: a file is shown: its output through a pipe" {
	echo picture >"$H/a.png"
	give "$H"
	run --separate-stderr replay mat2-show cat a.png
	exits 0
	is picture
	run replay mat2-show sh -c 'pwd; grep -o "[a-z0-9]*:" /proc/net/dev; ls -A /dev/shm; echo x >a.png'
	says "$H" lo:
	matches 'a.png: (Read-only file system|Permission denied)'
	file_is "$H/a.png" picture
}

@test "mat2: --cap-drop all, in small letters" {
	echo picture >"$H/a.png"
	give "$H"
	run replay mat2-show grep ^Cap /proc/self/status
	[ "$(grep -cE '^Cap(Inh|Prm|Eff|Bnd|Amb):[[:space:]]0{16}$' <<<"$output")" -ge 4 ]
	says "$(printf 'CapEff:\t0000000000000000')"
}

@test "mat2: a directory mounted over the home takes the result, the file comes back on top of it" {
	echo picture >"$H/a.png"
	tree "$TMP/mat2"
	chmod 0700 "$TMP/mat2"
	run replay mat2-clean sh -c 'ls -A; cat a.png >a.cleaned.png; echo x >a.png'
	matches 'a.png: (Read-only file system|Permission denied)'
	says a.png
	file_is "$TMP/mat2/a.cleaned.png" picture
	target "$TMP/mat2/a.png"
	[ "$(ls -A "$H")" = a.png ]
	file_is "$H/a.png" picture
}

# ---- the validators of icons ----

@test "flatpak's icon validator: an environment that is empty, one file in the box" {
	echo picture >"$H/small.png"
	give "$H"
	run replay flatpak-validate-icon /usr/bin/cat "$H/small.png"
	exits 0
	is picture
	run replay flatpak-validate-icon /usr/bin/env
	says GIO_USE_VFS=local
	lacks ^TMPDIR
	run replay flatpak-validate-icon /usr/bin/sh -c 'pwd; ls -A "${1%/*}" /home 2>&1; exit 1' sh "$H/small.png"
	exits 1
	says / small.png
	matches "^ls: cannot access '/home': No such file"
}

@test "the icon validators: a relative destination is below the root" {
	echo picture >"$H/small.png"
	give "$H"
	for name in flatpak-validate-icon-relative portal-validate-icon; do
		run replay "$name" /usr/bin/cat small.png
		exits 0
		is picture
		run replay "$name" /usr/bin/cat /small.png
		is picture
	done
	[ "$(ls -A "$H")" = small.png ]
}

# ---- GNOME's thumbnails ----

thumbnail_tree() {
	echo picture >"$H/picture.nbt"
	tree "$H/.cache/gnome-desktop-thumbnailer/gstreamer-1.0" "$TMP/thumbnail"
	chmod 0700 "$TMP/thumbnail"
}

@test "GNOME: the thumbnail is written into the directory that is the box's /tmp" {
	thumbnail_tree
	run --separate-stderr replay thumbnail
	exits 0
	[ -z "$output$stderr" ]
	file_is "$TMP/thumbnail/gnome-desktop-thumbnailer.png" picture
	target "$TMP/thumbnail/gnome-desktop-file-to-thumbnail.nbt"
	[ "$(find "$TMP/thumbnail" -mindepth 1 | wc -l)" = 2 ]
}

@test "GNOME: its filter is there, and --unshare-all could still be done" {
	thumbnail_tree
	run replay thumbnail grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status
	is $'NoNewPrivs:\t1\nSeccomp:\t2'
	run replay thumbnail unshare -U true
	exits 1
	matches "Operation not permitted"
	run replay thumbnail python3 -c 'import socket; socket.socket(socket.AF_BLUETOOTH)'
	matches "Address family not supported"
	run replay thumbnail sh -c 'echo $$; grep -o "[a-z0-9]*:" /proc/net/dev; pwd'
	is $'2\nlo:\n/'
}

# ---- flatpak ----

flatpak_tree() {
	local base=$H/.local/share/flatpak name

	name=$base/runtime/org.test.Platform/x86_64/1/PLATFORM/files
	RUNTIME=$name
	system "$name" /usr/bin/{cat,ls,id,readlink,grep,env,stat,touch,mkdir} /sbin/ldconfig
	echo '# empty' >"$name/etc/ld.so.conf"
	echo '# empty' >"$name/.ref"
	if [ "${1:-}" = sdk ]; then
		mkdir -p "$base/runtime/org.test.Sdk/x86_64/1/SDK"
		mv "$name" "$base/runtime/org.test.Sdk/x86_64/1/SDK/files"
		RUNTIME=$base/runtime/org.test.Sdk/x86_64/1/SDK/files
	fi
	APP=$base/app/org.test.App/x86_64/master/APP/files
	VAR=$H/.var/app/org.test.App
	mkdir -p "$APP/bin" "$VAR/"{cache/tmp,data,config,.ld.so} "$H/.cache/.flatpak/INSTANCE" \
		"$H/.cache/.flatpak/org.test.App/"{tmp,xdg-run} "$H/.cache/app/org.test.App" \
		"$H/.cache/.flatpak-helper/monitor" "$H/.cache/.dbus-proxy" \
		"$H/fp/app/files" "$H/fp/app/var/"{lib,tmp} \
		"$HOST/etc" "$HOST/usr/share/"{fonts,icons} "$HOST/usr/local/share/fonts" \
		"$HOST/var/cache/fontconfig" "$HOST/boot"
	for name in machine-id resolv.conf host.conf hosts gai.conf os-release; do
		echo "$name" >"$HOST/etc/$name"
		echo "$name" >"$H/.cache/.flatpak-helper/monitor/$name"
	done
	: >"$APP/.ref"
	: >"$VAR/.ld.so/CACHE"
	: >"$H/.cache/.flatpak/INSTANCE/.ref"
	: >"$H/.cache/.flatpak/org.test.App/.ref"
	: >"$H/.cache/.dbus-proxy/session-bus-proxy"
	: >"$H/.cache/.dbus-proxy/a11y-bus-proxy"
	printf '[Application]\nname=org.test.App\n' >"$H/.cache/.flatpak/INSTANCE/info"
	INFO=$H/.cache/.flatpak/INSTANCE/bwrapinfo.json
	cp "$PROBE" "$TRY" "$APP/bin/"
	printf '#!/bin/sh\n%s\n' 'echo "hello from $FLATPAK_ID"; echo data >"$XDG_DATA_HOME/out"; exit "$1"' \
		>"$APP/bin/hello"
	chmod +x "$APP/bin/hello"
	give "$T"
}

# child: the process that the info names, read as flatpak does, json_reader on the member child-pid.
child() {
	/usr/bin/python3 - "$INFO" <<-P
		import json, sys
		print(int(json.load(open(sys.argv[1]))["child-pid"]))
	P
}

@test "flatpak build: writes into /app, sees the system's directories, has its own passwd" {
	flatpak_tree sdk
	run --separate-stderr replay flatpak-build
	exits 0
	[ -z "$stderr" ]
	says "uid $NB_UID" "interfaces: lo:" "/usr: read-only"
	target "$H/fp/app/files/built"
	run replay flatpak-build sh -c 'cat /etc/passwd /etc/timezone /run/host/container-manager; readlink /run/host/lib; ls /run/host/usr/bin/env'
	says "nbt:x:$NB_UID:$NB_UID:nbt:$H:/bin/sh" Etc/UTC flatpak usr/lib /run/host/usr/bin/env
}

@test "flatpak build: the working directory that exists in the box is kept" {
	flatpak_tree sdk
	run replay flatpak-build sh -c 'readlink /proc/self/cwd; echo "$PWD"'
	# Its home is there as an empty directory, so the shell begins there.
	says "$H"
}

@test "flatpak install: a trigger may write into flatpak's directory only" {
	flatpak_tree
	run replay flatpak-trigger sh -c ': >"$1/x"; (: >/usr/nbt); (: >"$1/../../nbt"); exit 3' sh "$H/.local/share/flatpak"
	exits 3
	target "$H/.local/share/flatpak/x"
	[ "$(grep -c 'Read-only file system\|Permission denied' <<<"$output")" = 2 ]
	[ ! -e "$H/.local/nbt" ]
}

@test "flatpak run: the loader's cache is made, with /usr and /app by O_PATH descriptors" {
	flatpak_tree
	rm "$VAR/.ld.so/CACHE"
	run replay flatpak-ldconfig
	exits 0
	grep -q glibc-ld.so.cache "$VAR/.ld.so/CACHE"
}

@test "flatpak run: the application runs, its number comes back, its data is where flatpak keeps it" {
	flatpak_tree
	run --separate-stderr replay flatpak-run
	exits 7
	is "hello from org.test.App"
	[ -z "$stderr" ]
	file_is "$VAR/data/out" data
}

@test "flatpak run: exactly the variables that were set, an empty one too" {
	flatpak_tree
	run replay flatpak-run env
	exits 0
	says LD_LIBRARY_PATH= container=flatpak FLATPAK_ID=org.test.App "HOME=$H" "XDG_RUNTIME_DIR=/run/user/$NB_UID" \
		PATH=/app/bin:/usr/bin 'PS1=[📦 $FLATPAK_ID \W]\$ '
	# The names that follow --setenv, and those that bwrap and the shell of replay bring.
	run comm -13 <(grep -A 1 -x -- --setenv "$NB_DIR/clients/flatpak-run.args" | grep -v ^-- | sort) \
		<(sed 's/=.*//' <<<"$output" | sort)
	is ""
}

@test "flatpak run: no descriptor but the three reaches the application" {
	flatpak_tree
	run replay flatpak-run probe fds
	is "0 1 2"
	exec 38</dev/null
	run replay flatpak-run-bus probe fds
	is "0 1 2"
}

@test "flatpak run: what came through descriptors" {
	flatpak_tree
	run replay flatpak-run cat /.flatpak-info /etc/passwd /etc/ld.so.conf /run/host/font-dirs.xml
	exits 0
	says name=org.test.App "nbt:x:$NB_UID:$NB_UID:nbt:$H:/bin/sh" '# empty' '<fontconfig>'
	run replay flatpak-run sh -c '(: >/.flatpak-info); (: >/etc/passwd); (: >/etc/ld.so.conf); touch /usr/x /run/host/user-fonts-cache/x'
	[ "$(grep -c 'Read-only file system\|Permission denied' <<<"$output")" = 5 ]
	file_is "$RUNTIME/etc/ld.so.conf" '# empty'
}

@test "flatpak run: the root's entries, links" {
	flatpak_tree
	run replay flatpak-run sh -c 'ls -A /; readlink /bin /var/run /var/db/zoneinfo /run/build; ls -A /tmp; [ -e /run/.userns ] && echo userns'
	exits 0
	says .flatpak-info app usr usr/bin ../run /etc/timezone /app/lib/debug/source .X11-unix userns
	lacks '^(home|root|mnt|oldroot|newroot)$'
	[ -d "$H/.cache/.flatpak/org.test.App/tmp/.X11-unix" ]
}

# The box's own, or the one that bubblewrap had before it, in which its ids are others.
@test "flatpak run: a user namespace is bound, which has no name in the file system" {
	flatpak_tree
	run replay flatpak-run stat -c '%i %F' /run/.userns
	exits 0
	matches '^[0-9]+ regular (empty )?file$'
	host=$(stat -L -c %i /proc/self/ns/user)
	[ "$NB_AS" = root ] || [ "${output%% *}" != "$host" ]
}

@test "flatpak run: its filter is there" {
	flatpak_tree
	run replay flatpak-run sh -c 'grep ^Seccomp: /proc/self/status; try unshare user -- tcp 127.0.0.1 1'
	matches '^Seccomp:	2$' '^unshare user: EPERM'
}

@test "flatpak: while it runs the info names it, others see its /.flatpak-info, and its files are in use" {
	flatpak_tree
	a_stdin
	background flatpak-run sh -c 'echo runs; read -r x; echo "$x"'
	await runs
	pid=$(child)
	[ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
	# PID 1 of the box; the command is its only child.
	command=$(children "$pid")
	[ "$(children "$LAUNCHER")" = "$pid " ]
	"${CALLER[@]}" cat "/proc/${command% }/root/.flatpak-info" | grep -qx name=org.test.App
	# flatpak deletes no version that somebody holds a lock on.
	for file in "$RUNTIME/.ref" "$APP/.ref" "$H/.cache/.flatpak/INSTANCE/.ref"; do
		run in_use "$file"
		is "in use"
	done
	echo word >&6
	await word
	finish
	[ "$status" = 0 ]
	for file in "$RUNTIME/.ref" "$APP/.ref" "$H/.cache/.flatpak/INSTANCE/.ref"; do
		run in_use "$file"
		is free
	done
}

# in_use FILE: whether an exclusive lock on it cannot be had, as flatpak asks.
in_use() {
	/usr/bin/python3 - "$1" <<-P
		import fcntl, sys
		try:
		    fcntl.lockf(open(sys.argv[1], "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
		    print("free")
		except BlockingIOError:
		    print("in use")
	P
}

@test "flatpak: the proxy of the bus learns by the sync descriptor that the box has ended" {
	flatpak_tree
	a_stdin
	mkfifo "$T/sync"
	exec 9<>"$T/sync" 38<"$T/sync" 8>"$T/sync" 9>&-
	background flatpak-run-bus sh -c 'echo runs; read -r x'
	exec 38<&-
	await runs
	echo still >&8
	[ "$(child)" -gt 1 ]
	echo go >&6
	finish
	run broken_pipe
	is "broken pipe"
}

broken_pipe() {
	/usr/bin/python3 -c '
import os
try:
    os.write(8, b"x")
    print("a reader is left")
except BrokenPipeError:
    print("broken pipe")'
}

@test "flatpak: the proxy of the bus gets its own descriptors, at their places, and the host's /proc" {
	flatpak_tree
	mkfifo "$T/ready"
	exec 9<>"$T/ready" 40>"$T/ready"
	run replay flatpak-proxy bash -c 'printf x >&40; tr "\0" "\n" <&41 | head -n 2 | tail -n 1; cat /.flatpak-info
		: >"$1/made"; readlink /lib; echo $$' bash "$H/.cache/.dbus-proxy"
	exits 0
	says "unix:path=$TMP/bus" name=org.test.App usr/lib
	[ "${lines[-1]}" -gt 2 ]
	target "$H/.cache/.dbus-proxy/made"
	read -r -n 1 -t 10 -u 9 line
	[ "$line" = x ]
	run replay flatpak-proxy "$PROBE" fds
	is "0 1 2 40 41"
}

@test "flatpak: nobody else keeps the proxy's pipe open" {
	flatpak_tree
	a_stdin
	mkfifo "$T/ready"
	exec 9<>"$T/ready" 40>"$T/ready" 8<"$T/ready" 9>&-
	background flatpak-proxy bash -c 'exec 40>&-; echo closed; read -r x'
	exec 40>&-
	await closed
	[ -z "$(timeout -s KILL 20 cat <&8)" ]
	echo go >&6
	finish
	[ "$status" = 0 ]
}

# ---- WebKitGTK ----

webkit_tree() {
	tree "$H/run/.flatpak/"webkit-{4,10} "$H/run/webkitgtk" "$H/run/at-spi" "$H/.cache" "$H/secret"
	: >"$H/run/webkitgtk/bus-proxy"
	: >"$H/run/webkitgtk/a11y-proxy"
	# The box has libraries and no programs.
	cp "$PROBE" "$TRY" "$H/.cache/"
	give "$T"
}

@test "WebKit: the page's process gets its two sockets, no network, and the few directories it may see" {
	[ -e /usr/share/zoneinfo/Etc/UTC ] || skip "tzdata is not installed"
	webkit_tree
	exec 16</dev/null 20</dev/null
	run replay webkit "$H/.cache/probe" fds
	exits 0
	# 22, 23 and 25 are consumed.
	is "0 1 2 16 20"
	run replay webkit "$H/.cache/probe" ls /
	says etc lib64 .flatpak-info
	lacks '^(home|root|opt|bin|sbin)$'
	run replay webkit "$H/.cache/probe" ls "$H"
	is $'.cache\nrun'
	run replay webkit "$H/.cache/try" put "$H/.cache/new" -- put /etc/nbt -- put "$H/run/webkitgtk/bus" -- stat /dev/dri/none \
		-- stat /var/tmp -- unshare user -- put /tmp/new
	says "put $H/.cache/new: ok" "unshare user: EPERM" "put /tmp/new: ok"
	matches '^put /etc/nbt: (EROFS|EACCES)$' "^stat /var/tmp: ok$"
	file_is "$H/.cache/new" put
	[ ! -e "$H/run/webkitgtk/bus" ]
	[ ! -e /tmp/new ]
}

@test "WebKit: the info is there while the page's process runs" {
	[ -e /usr/share/zoneinfo/Etc/UTC ] || skip "tzdata is not installed"
	webkit_tree
	a_stdin
	exec 16</dev/null 20</dev/null
	INFO=$H/run/.flatpak/webkit-4/bwrapinfo.json
	system "$H/.cache/system" /usr/bin/cat
	give "$H"
	background webkit "$H/.cache/system/bin/cat"
	echo runs >&6
	await runs
	[ "$(children "$LAUNCHER")" = "$(child) " ]
	exec 5<&- 6>&- 16<&- 20<&-
	finish
	[ "$status" = 0 ]
}

@test "WebKit: the proxy of the bus, a single program in the box" {
	[ -e /usr/share/zoneinfo/Etc/UTC ] || skip "tzdata is not installed"
	webkit_tree
	exec 25</dev/null
	run replay webkit-proxy /usr/bin/cat /.flatpak-info
	exits 0
	says name=browser.py
	replay webkit-proxy /usr/bin/cat /proc/self/fd/26 | tr '\0' '\n' | grep -qx "unix:path=$TMP/bus"
	cp "$PROBE" "$H/run/webkitgtk/"
	give "$H"
	run replay webkit-proxy "$H/run/webkitgtk/probe" fds
	# 22 and 23 are of the next process: WebKit does not close them, so neither may we.
	is "0 1 2 22 23 25 26"
	run replay webkit-proxy "$H/run/webkitgtk/probe" ls /usr/bin
	is cat
}

# ---- BuildStream ----

buildstream_tree() {
	ROOT=$H/.cache/buildstream/build/hello/root
	mkdir -p "$H/bst"
	system "$ROOT" /usr/bin/{cat,cp,grep,hostname,id,ls,mkdir,readlink,stat,touch}
	tree "$ROOT/buildstream/nbt/hello.bst" "$ROOT/buildstream-install"
}

@test "BuildStream: its check of user namespaces: whoami is root" {
	tree "$H/bst"
	run replay buildstream-whoami
	exits 0
	is root
}

@test "BuildStream: a build in a root of its own" {
	buildstream_tree
	run --separate-stderr replay buildstream-build
	exits 0
	[ -z "$output$stderr" ]
	file_is "$ROOT/buildstream/nbt/hello.bst/out" "uid 0
in /buildstream/nbt/hello.bst
interfaces: lo:
/usr: read-only
buildstream
full
null
random
urandom
zero"
	# What BuildStream removes after it.
	target "$ROOT/dev/null"
	[ -z "$(find "$ROOT/proc" "$ROOT/tmp" -mindepth 1)" ]
	run replay buildstream-install
	exits 0
	[ -s "$ROOT/buildstream-install/share/out" ]
}

@test "BuildStream: the root is read-only, the devices work, the signal that was blocked is" {
	buildstream_tree
	run replay buildstream-build sh -c 'touch /x; touch /tmp/x && echo tmp; echo x >/dev/null && echo null
		id -u; id -g'
	says tmp null 0
	matches "^touch: .*/x.*: Read-only file system"
	[ ! -e "$ROOT/x" ]
	run replay buildstream-build grep SigBlk /proc/self/status
	is "$(printf 'SigBlk:\t0000000000000002')"
}

@test "BuildStream: the variables are those it set, and PWD" {
	buildstream_tree
	cp "$PROBE" "$ROOT/bin/"
	give "$ROOT"
	run replay buildstream-build probe env
	says HOME=/tmp USER=tomjon PATH=/usr/bin:/bin:/usr/sbin:/sbin V=1 MAKEFLAGS=-j2
	lacks '^(XDG_|OLDPWD|LANG|SHLVL)'
}

@test "BuildStream: it stops the command's group, and kills the child of bwrap to end all" {
	buildstream_tree
	a_stdin
	background buildstream-build sh -c 'echo builds; exec cat'
	await builds
	child=$(children "$LAUNCHER")
	grandchild=$(children "${child% }")
	[ "$(ps -o pgid= -p "${grandchild% }" | tr -d ' ')" = "$LAUNCHER" ]
	kill -STOP "-$LAUNCHER"
	kill -CONT "-$LAUNCHER"
	echo goes >&6
	await goes
	[ "$(cat "/proc/${grandchild% }/comm")" = cat ]
	kill -KILL "${child% }"
	drained
	finish
	[ "$status" = 137 ]
	gone "${grandchild% }"
}

# ---- ansible-runner ----

@test "ansible-runner: at its terminal, with the whole /dev by a relative name, and a hidden directory" {
	tree "$H/box/project" "$H/secret" "$TMP/hidden"
	echo key >"$H/secret/key"
	mkdir -p "$T/bin"
	# The box has no /lib, so only a static program runs on every system.
	cp "$PROBE" "$TRY" "$H/box/project/"
	give "$T"
	run terminal "$H/box/project/try" put "$H/box/project/out" -- stat "$H/secret" -- read "$H/secret/key" \
		-- put "$H/secret/new" -- open-w /dev/tty -- open-w /dev/null -- put /usr/nbt -- stat /lib64 -- put /tmp/x
	exits 1
	says "put $H/box/project/out: ok" "read $H/secret/key: ENOENT" "put $H/secret/new: ok" \
		"open-w /dev/tty: ok" "open-w /dev/null: ok" "stat /lib64: ok" "put /tmp/x: ok"
	matches '^put /usr/nbt: (EROFS|EACCES)$'
	file_is "$H/box/project/out" put
	file_is "$TMP/hidden/new" put
	[ "$(ls "$H/secret")" = key ]
	[ ! -e /tmp/x ]
}

# terminal COMMAND…: ansible-runner's call, on a new terminal, as pexpect makes it.
terminal() {
	# shellcheck disable=SC2119
	as_caller /usr/bin/python3 -c '
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
data = b""
while True:
    try:
        more = os.read(fd, 4096)
    except OSError:
        more = b""
    if not more:
        break
    data += more
print(data.decode().replace("\r", ""), end="")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' \
		/usr/bin/python3 -IS "$NB_DIR/clients/replay" "$NB_DIR/clients/ansible-runner.args" "$BW" \
		"HOME=$H" "TMP=$TMP" -- "$@"
}

# ---- sandbox-runtime ----

srt_tree() {
	tree "$H/project" "$H/secret" "$TMP/claude-empty"
	echo key >"$H/secret/key"
	# Its proxy for the network, which the box reaches although it has none.
	mkfifo "$T/ready"
	give "$T/ready"
	"${CALLER[@]}" /usr/bin/python3 -c '
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
os.close(os.open(sys.argv[2], os.O_WRONLY))
while True:
    listener.accept()[0].send(b"proxy\n")' "$TMP/claude-http.sock" "$T/ready" 3>&- &
	MINE+=($!)
	timeout -s KILL 20 cat "$T/ready"
}

srt_name() {
	SRT=srt
	[ "$NB_AS" = user ] || SRT=srt-root
}

@test "srt: one directory can be written, one is hidden, files that are not there cannot be made" {
	srt_name
	srt_tree
	run replay "$SRT" /usr/bin/bash -c 'ls -A ../secret; cat .gitconfig; echo x >.bashrc; ls -A .claude; echo hi >out; (: >../x) || exit 7'
	exits 7
	lacks key
	matches '.gitconfig: Permission denied' '.bashrc: Permission denied' '../x: Read-only file system'
	file_is "$H/project/out" hi
	# It removes these itself.
	for name in .gitconfig .gitmodules .bashrc .bash_profile .zshrc .zprofile .profile .ripgreprc .mcp.json .vscode .idea; do
		target "$H/project/$name"
	done
	[ -d "$H/project/.claude" ]
	[ -z "$(ls -A "$H/project/.claude")" ]
	[ ! -e "$H/x" ]
	file_is "$H/secret/key" key
}

@test "srt: no network but its proxy's socket, and a loopback that is up" {
	srt_name
	srt_tree
	run replay "$SRT" /usr/bin/bash -c 'grep -o "[a-z0-9]*:" /proc/net/dev; echo "$HTTP_PROXY"; /usr/bin/python3 -c "
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print(s.recv(6).decode(), end=str())
a = socket.socket()
a.bind((str(\"127.0.0.1\"), 0))
a.listen()
b = socket.create_connection(a.getsockname())
print(\"loopback\")" "$1"' bash "$TMP/claude-http.sock"
	exits 0
	says lo: http://srt.LABEL:TOKEN@localhost:3128 proxy loopback
}

# To root bubblewrap shows a /proc of which parts are covered, so that the kernel allows no new one.
@test "srt: its own helper can make user, PID and mount namespaces in the box" {
	srt_name
	srt_tree
	proc=(--mount-proc)
	[ "$NB_AS" = user ] || proc=(--mount)
	run replay "$SRT" unshare --user --map-root-user --pid --fork "${proc[@]}" sh -c 'echo "$$ $(id -u)"'
	exits 0
	is "1 0"
}

@test "srt as root: the one capability it asks for is there and no other" {
	need_root_caller
	srt_tree
	run replay srt-root grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status
	is $'CapPrm:\t0000000080000000\nCapEff:\t0000000080000000\nCapBnd:\t0000000080000000'
}

@test "srt: a session and a PID namespace of its own" {
	srt_name
	srt_tree
	run replay "$SRT" /usr/bin/bash -c 'echo $$; ps -o sid= -p $$ | tr -d " "; ls -d /proc/[0-9]* | wc -l'
	[ "${lines[0]}" = 2 ]
	[ "${lines[1]}" = 1 ] || [ "${lines[1]}" = 2 ]
	[ "${lines[2]}" -le 5 ]
}

# When its words are too many for a command line they come from a file that has no name.
@test "srt: a thousand mounts from a file that has no name any more" {
	mkdir -p "$H/many/"{1..1000} "$H/project"
	for i in {1..1000}; do
		printf '%s\0' --tmpfs "$H/many/$i"
	done >"$T/words"
	give "$T"
	exec 9<"$T/words"
	rm "$T/words"
	run as_caller "$BW" --new-session --die-with-parent --unshare-net --ro-bind / / --args 9 --dev /dev \
		--unshare-pid --unshare-user --cap-drop ALL --proc /proc -- \
		/usr/bin/bash -c 'grep -c "/many/[0-9]* .* tmpfs " /proc/self/mountinfo; exit 7'
	exits 7
	is 1000
}

# ---- codex ----

codex_tree() {
	tree "$H/project/.git" "$TMP/codex-daemon-$NB_UID" "$TMP/codex-bwrap-synthetic-mount-targets-$NB_UID"
	echo secret >"$TMP/codex-daemon-$NB_UID/socket"
	give "$T"
}

@test "codex: its check of namespaces and /proc succeeds and says nothing" {
	tree "$H/project"
	run --separate-stderr replay codex-probe
	exits 0
	[ -z "$output$stderr" ]
}

@test "codex: the command is PID 1, writes into its directory and /tmp, not into what is covered there" {
	codex_tree
	run replay codex sh -c 'echo "pid $$"; echo hi >out; echo hi >"$1/new"; (: >.git/x); (: >.codex/x); (: >"$1/.agents/x")
		ls "$1/codex-daemon-"*; (: >"$1/codex-bwrap-synthetic-mount-targets-$2/x")
		stat -c "%a" .git "$1/codex-daemon-$2"; (: >../x) || exit 7' sh "$TMP" "$NB_UID"
	exits 7
	says "pid 1" 555 0
	lacks socket
	matches '^ls: cannot open directory'
	[ "$(grep -c 'Read-only file system\|Permission denied' <<<"$output")" = 6 ]
	file_is "$H/project/out" hi
	file_is "$TMP/new" hi
	# The directories on which it mounts are made where there are none; it removes them.
	[ -d "$H/project/.codex" ] && [ -d "$TMP/.git" ]
	file_is "$TMP/codex-daemon-$NB_UID/socket" secret
	[ ! -e "$H/x" ]
}

@test "codex: the name that the command sees" {
	newer --argv0
	codex_tree
	run replay codex-argv0 /bin/sh -c 'tr "\0" "\n" </proc/$$/cmdline | head -n 1; exit 7'
	exits 7
	is codex-linux-sandbox
}

@test "codex: signals reach a command that is PID 1 as they would any" {
	codex_tree
	a_stdin
	background codex sh -c 'trap "echo caught; exit 9" TERM; echo runs; while read -r x; do :; done'
	await runs
	kill -TERM "$(children "$LAUNCHER")"
	await caught
	finish
	[ "$status" = 9 ]
}
