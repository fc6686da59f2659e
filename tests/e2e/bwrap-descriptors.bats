#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: descriptors: those handed over, those consumed, --args, info, status, locks, blocking.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

# ---- which are there ----

@test "the caller's descriptors are the command's, at their numbers" {
	run only 7,9,200 -- "$PROBE" fds 7</dev/null 9</dev/null 200</dev/null
	is "0 1 2 7 9 200"
	run only 7,9,200 --unshare-all --dev /dev --proc /proc -- "$PROBE" fds 7</dev/null 9</dev/null 200</dev/null
	is "0 1 2 7 9 200"
}

@test "none of the program's own" {
	run only - -- "$PROBE" fds
	is "0 1 2"
	run only - --unshare-all --dev /dev --proc /proc --ro-bind /usr /usr --tmpfs /t --die-with-parent --new-session -- "$PROBE" fds
	is "0 1 2"
	run only - --unshare-user --disable-userns --unshare-pid --as-pid-1 -- "$PROBE" fds
	is "0 1 2"
}

@test "a descriptor that is kept works: a pipe, a file, a directory" {
	echo text >"$T/f"
	run box --ro-bind "$T" "$T" -- /bin/sh -c 'cat <&8; echo out >&9' 8<"$T/f" 9>"$T/g"
	is text
	[ "$(cat "$T/g")" = out ]
}

@test "stdin, stdout and stderr are the caller's" {
	run --separate-stderr box --unshare-pid -- /bin/sh -c 'cat; echo err >&2' <<<in
	[ "$output" = in ] && [ "$stderr" = err ]
}

# closed SET WANTED: with the members of SET closed; the report is written to a file.
closed() {
	mkdir -p "$T/w"
	give "$T/w"
	status=0
	(
		[[ $1 != *0* ]] || exec 0<&-
		[[ $1 != *1* ]] || exec 1>&-
		[[ $1 != *2* ]] || exec 2>&-
		only - --bind "$T/w" "$T/w" --unshare-pid -- "$PROBE" fds "$T/w/report"
	) || status=$?
	[ "$status" -eq 0 ] || { echo "status $status"; return 1; }
	[ "$(cat "$T/w/report")" = "$2" ] || { echo "open: $(cat "$T/w/report"), wanted: $2"; return 1; }
}

@test "standard descriptors that are closed do not come back as something else" {
	ours
	closed 0 "1 2"
	closed 1 "0 2"
	closed 2 "0 1"
	closed 012 ""
}

@test "those that options consumed are not there" {
	"$HAND" bpf 87 chdir >"$T/bpf"
	echo x >"$T/f"
	words --dir /x >"$T/args"
	exec 20<"$T/args" 21<"$T/f" 22<"$T/f" 23<"$T/f" 24<"$T/bpf" 25<"$T/f" 26>"$T/info" 27>"$T/status" 28>"$T/sync" 29<"$T/f"
	run only 20,21,22,23,24,25,26,27,28,29 --args 20 --file 21 /f1 --bind-data 22 /f2 --ro-bind-data 23 /f3 \
		--seccomp 24 --block-fd 25 --info-fd 26 --json-status-fd 27 --sync-fd 28 --unshare-pid -- "$PROBE" fds
	exec 20<&- 21<&- 22<&- 23<&- 24<&- 25<&- 26>&- 27>&- 28>&- 29<&-
	is "0 1 2 29"
}

@test "--add-seccomp-fd: consumed" {
	"$HAND" bpf 87 chdir >"$T/bpf"
	run only 8,9 --add-seccomp-fd 8 --add-seccomp-fd 9 -- "$PROBE" fds 8<"$T/bpf" 9<"$T/bpf"
	is "0 1 2"
}

@test "numbers that are none: the same words for every option" {
	local option text
	for option in --args --sync-fd --block-fd --userns-block-fd --info-fd --json-status-fd --seccomp --add-seccomp-fd \
		--userns --userns2 --pidns; do
		for text in x 9x -1; do
			dies "^bwrap: Invalid fd: $text$" "$option" "$text" || { echo "for $option $text"; return 1; }
		done
	done
	for option in --file --bind-data --ro-bind-data; do
		dies "^bwrap: Invalid fd: x$" "$option" x /f || { echo "for $option"; return 1; }
	done
}

@test "numbers that are none: --bind-fd and --ro-bind-fd" {
	newer --bind-fd
	dies "^bwrap: Invalid fd: x$" --bind-fd x /f
	dies "^bwrap: Invalid fd: -1$" --ro-bind-fd -1 /f
}

@test "the last one counts, and that is said" {
	local option
	exec 8>"$T/first" 9>"$T/second"
	for option in --sync-fd --info-fd --json-status-fd; do
		run --separate-stderr mini "$option" 8 "$option" 9 -- "$PROBE" exit 3
		exits 3
		warns "^bwrap: Only the last $option option will take effect$"
	done
	exec 8>&- 9>&-
	[ ! -s "$T/first" ]
	grep -q child-pid "$T/second"
}

# ---- --args ----

@test "--args: options from a file" {
	words --setenv A 'x y' --dir /a/b >"$T/args"
	run mini --args 8 -- "$TRY" stat /a/b 8<"$T/args"
	says "stat /a/b: ok"
	run mini --args 8 -- "$PROBE" env 8<"$T/args"
	says "A=x y"
}

@test "--args: from a pipe" {
	run mini --args 8 -- "$TRY" stat /a/b 8< <(words --dir /a/b)
	says "stat /a/b: ok"
}

@test "--args: from a memfd, as flatpak hands it over" {
	words --dir /a/b >"$T/args"
	run as_caller "$HAND" memfd 8 "$T/args" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --args 8 -- "$TRY" stat /a/b
	says "stat /a/b: ok"
}

@test "--args: empty words are words, and the last NUL may be missing" {
	printf '%s\0%s\0%s\0%s\0%s' --setenv A "" --dir /a >"$T/args"
	run mini --setenv A 1 --args 8 -- "$PROBE" env 8<"$T/args"
	says "A="
	run mini --args 8 -- "$TRY" stat /a 8<"$T/args"
	says "stat /a: ok"
	run mini --args 8 -- "$PROBE" exit 3 8</dev/null
	exits 3
}

@test "--args: in the order of the words, and several of them" {
	run mini --tmpfs /a --args 8 --args 9 --symlink c /a/c -- "$PROBE" ls /a 8< <(words --symlink x /a/x) 9< <(words --symlink y /a/y)
	is $'c\nx\ny'
	run mini --args 8 --tmpfs /a -- "$PROBE" ls /a 8< <(words --dir /a/x)
	is ""
}

@test "--args in --args is refused" {
	exec 8< <(words --args 9)
	dies "^bwrap: --args not supported in arguments file$" --args 8
	exec 8<&-
}

@test "--args: an option that is none, or short, is refused as on the command line" {
	exec 8< <(words --none)
	dies "^bwrap: Unknown option --none$" --args 8
	exec 8< <(words --setenv A)
	dies "^bwrap: --setenv takes two arguments$" --args 8
	exec 8<&-
}

@test "--args: a descriptor that is not open, or cannot be read" {
	dies "^bwrap: Can't read --args data: Bad file descriptor$" --args 77
	exec 8<"$T"
	dies "^bwrap: Can't read --args data: Is a directory$" --args 8
	exec 8<&-
}

@test "--args: 300 binds" {
	local i
	for ((i = 0; i < 300; i++)); do words --ro-bind "$NB_BIN" "/binds/$i"; done >"$T/args"
	run mini --args 8 --proc /proc -- "$PROBE" mounts 8<"$T/args"
	[ "$(grep -c '^/binds/[0-9]* .* ro,nosuid,nodev' <<<"$output")" -eq 300 ]
}

@test "--args: 8,000 words are taken" {
	local i
	for ((i = 0; i < 4000; i++)); do words --unsetenv A; done >"$T/args"
	run mini --args 8 -- "$PROBE" exit 3 8<"$T/args"
	exits 3
}

@test "--args: a limit of 9,000 words is not ours" {
	ours
	local i
	for ((i = 0; i < 20000; i++)); do words --unsetenv A; done >"$T/args"
	run mini --args 8 -- "$PROBE" exit 3 8<"$T/args"
	exits 3
}

# ---- --info-fd ----

# number FILE NAME: the number of that name in the JSON of FILE.
number() {
	sed -nE "s/.*\"$2\": ([0-9]+).*/\1/p" "$1"
}

@test "--info-fd: to the letter" {
	run mini --unshare-all --proc /proc --info-fd 8 -- "$PROBE" exit 3 8>"$T/info"
	exits 3
	sed -E 's/[0-9]+/N/' "$T/info" >"$T/form"
	printf '%s\n' '{' '    "child-pid": N,' '    "cgroup-namespace": N,' '    "ipc-namespace": N,' '    "mnt-namespace": N,' \
		'    "net-namespace": N,' '    "pid-namespace": N,' '    "uts-namespace": N' '}' | diff - "$T/form"
}

@test "--info-fd: only the namespaces that are new" {
	run mini --info-fd 8 -- "$PROBE" exit 3 8>"$T/info"
	sed -E 's/[0-9]+/N/' "$T/info" >"$T/form"
	printf '%s\n' '{' '    "child-pid": N,' '    "mnt-namespace": N' '}' | diff - "$T/form"
}

@test "--info-fd: the numbers are those that the command sees" {
	run mini --unshare-all --proc /proc --info-fd 8 -- "$PROBE" readlink /proc/self/ns/{cgroup,ipc,mnt,net,pid,uts} 8>"$T/info"
	local name
	for name in cgroup ipc mnt net pid uts; do
		says "$name:[$(number "$T/info" $name-namespace)]"
	done
}

@test "--info-fd: child-pid is bwrap's child, PID 1 of the box" {
	mkfifo "$T/info"
	exec 9<>"$T/info"
	start --ro-bind "$NB_BIN" "$NB_BIN" --unshare-pid --info-fd 9 -- "$PROBE" hold
	await ready
	local pid
	pid=$(timeout -s KILL 20 sed -nE 's/.*"child-pid": ([0-9]+).*/\1/p;/^}/q' "$T/info")
	exec 9<&-
	MINE+=("$pid")
	[ "$(children "$LAUNCHER" | tr -d ' ')" = "$pid" ]
	[[ $(status_of "$pid" NSpid) =~ [[:space:]]1$ ]]
}

@test "--info-fd: the namespaces of child-pid can be opened by the caller, as flatpak does" {
	mkfifo "$T/info"
	exec 9<>"$T/info"
	start --ro-bind "$NB_BIN" "$NB_BIN" --unshare-user --unshare-pid --info-fd 9 -- "$PROBE" hold
	await ready
	local pid
	pid=$(timeout -s KILL 20 sed -nE 's/.*"child-pid": ([0-9]+).*/\1/p;/^}/q' "$T/info")
	exec 9<&-
	MINE+=("$pid")
	run as_caller "$TRY" open-r "/proc/$pid/ns/user" -- open-r "/proc/$pid/ns/pid" -- open-r "/proc/$pid/ns/mnt" -- stat "/proc/$pid/root/tmp"
	says "open-r /proc/$pid/ns/user: ok" "open-r /proc/$pid/ns/pid: ok" "open-r /proc/$pid/ns/mnt: ok" \
		"stat /proc/$pid/root/tmp: ok"
	run mini --proc /proc --userns 8 -- "$PROBE" readlink /proc/self/ns/user 8<"/proc/$pid/ns/user"
	is "$(readlink "/proc/$pid/ns/user")"
}

@test "--info-fd: closed by bwrap, so that the reader sees the end while the box runs" {
	mkfifo "$T/info"
	exec 9<>"$T/info"
	exec 8<"$T/info"
	start --ro-bind "$NB_BIN" "$NB_BIN" --unshare-pid --info-fd 9 -- "$PROBE" hold
	exec 9>&-
	await ready
	run timeout -s KILL 20 cat <&8
	exec 8<&-
	exits 0
	matches child-pid
}

@test "--info-fd: a descriptor that is not open" {
	# The original leaves a child behind that waits for ever.
	ours
	run --separate-stderr mini --info-fd 77 -- "$TRY" put "$T/marker"
	exits 1
	matches '^$'
	[ ! -e "$T/marker" ]
}

@test "--info-fd with --sync-fd and --lock-file" {
	touch "$T/lock"
	give "$T/lock"
	run mini --ro-bind "$T" "$T" --unshare-pid --info-fd 8 --sync-fd 9 --lock-file "$T/lock" -- "$PROBE" exit 3 8>"$T/info" 9>"$T/sync"
	exits 3
	grep -q child-pid "$T/info"
}

# ---- --json-status-fd ----

@test "--json-status-fd: a line at the start, a line at the end" {
	run mini --unshare-all --json-status-fd 8 -- "$PROBE" exit 42 8>"$T/status"
	exits 42
	sed -E 's/[0-9]+/N/g' "$T/status" >"$T/form"
	printf '%s\n' '{ "child-pid": N, "cgroup-namespace": N, "ipc-namespace": N, "mnt-namespace": N, "net-namespace": N, "pid-namespace": N, "uts-namespace": N }' \
		'{ "exit-code": N }' | diff - "$T/form"
	[ "$(number "$T/status" exit-code)" = 42 ]
}

@test "--json-status-fd: exit codes 0 and 128+N" {
	run mini --json-status-fd 8 -- "$PROBE" exit 0 8>"$T/status"
	[ "$(number "$T/status" exit-code)" = 0 ]
	run mini --unshare-pid --json-status-fd 8 -- "$PROBE" die 11 8>"$T/status"
	exits 139
	[ "$(number "$T/status" exit-code)" = 139 ]
	run mini --unshare-pid --as-pid-1 --json-status-fd 8 -- "$PROBE" exit 5 8>"$T/status"
	[ "$(number "$T/status" exit-code)" = 5 ]
}

@test "--json-status-fd: no exit code when the command was never executed" {
	run mini --json-status-fd 8 -- /none 8>"$T/status"
	exits 1
	grep -q child-pid "$T/status"
	run ! grep -q exit-code "$T/status"
	run mini --unshare-pid --json-status-fd 8 -- "$NB_BIN" 8>"$T/status"
	exits 1
	run ! grep -q exit-code "$T/status"
	run mini --json-status-fd 8 --chdir /none -- "$PROBE" exit 0 8>"$T/status"
	exits 1
	run ! grep -q exit-code "$T/status"
	run mini --json-status-fd 8 --remount-ro /none -- "$PROBE" exit 0 8>"$T/status"
	exits 1
	run ! grep -q exit-code "$T/status"
}

@test "--json-status-fd: exit-code 1 of the command itself is told" {
	run mini --json-status-fd 8 -- "$PROBE" exit 1 8>"$T/status"
	exits 1
	[ "$(number "$T/status" exit-code)" = 1 ]
}

@test "--json-status-fd: the start is told while the command runs" {
	mkfifo "$T/status"
	exec 9<>"$T/status"
	exec 8<"$T/status"
	start --ro-bind "$NB_BIN" "$NB_BIN" --json-status-fd 9 -- "$PROBE" report 15
	exec 9>&-
	await ready
	read -r -t 20 line <&8
	[[ $line == '{ "child-pid": '* ]]
	local pid=${line#*: }
	pid=${pid%%[, ]*}
	kill -TERM "$pid"
	await "got 15"
	read -r -t 20 line <&8
	exec 8<&-
	[ "$line" = '{ "exit-code": 0 }' ]
}

@test "--json-status-fd and --info-fd on the same kind of pipe, nothing mixed" {
	run mini --unshare-pid --info-fd 8 --json-status-fd 9 -- "$PROBE" exit 3 8> >(cat >"$T/info") 9>"$T/status"
	[ "$(number "$T/status" child-pid)" -gt 0 ]
	[ "$(grep -c '' "$T/status")" -eq 2 ]
}

# ---- --sync-fd ----

# sync_box OPTION… -- COMMAND…: a box that holds the writing end of fd 8's pipe as --sync-fd.
sync_box() {
	mkfifo "$T/sync"
	exec 9<>"$T/sync"
	exec 8<"$T/sync"
	start --ro-bind "$NB_BIN" "$NB_BIN" --sync-fd 9 "$@"
	exec 9>&-
}

# at_end: fd 8 says that nobody holds the other end any more.
at_end() {
	timeout -s KILL 20 cat <&8 >/dev/null
}

@test "--sync-fd: open while the box runs, not in the command" {
	sync_box --unshare-pid -- "$PROBE" report 15
	await ready
	run read -r -t 0.05 line <&8
	[ "$status" -gt 128 ]
	local init
	init=$(children "$LAUNCHER" | tr -d ' ')
	kill -TERM "$(children "$init" | tr -d ' ')"
	await "got 15"
	at_end
	finish
	[ "$status" -eq 0 ]
	exec 8<&-
}

@test "--sync-fd: without a PID namespace a process holds it all the same" {
	sync_box -- "$PROBE" report 15
	await ready
	run read -r -t 0.05 line <&8
	[ "$status" -gt 128 ]
	local holder
	holder=$(children "$LAUNCHER" | tr -d ' ')
	kill -TERM "$(children "$holder" | tr -d ' ')"
	await "got 15"
	at_end
	finish
	[ "$status" -eq 0 ]
	exec 8<&-
}

@test "--sync-fd: until the last process of the box is gone" {
	# A child stays behind that ends when it has read a line.
	mkfifo "$T/hold"
	exec 6<>"$T/hold"
	sync_box --unshare-pid --ro-bind / / --dev /dev -- /bin/sh -c '{ read -r x; } <&6 & echo left'
	await left
	finish
	[ "$status" -eq 0 ]
	run read -r -t 0.05 line <&8
	[ "$status" -gt 128 ]
	echo >&6
	at_end
	exec 6>&- 8<&-
}

@test "--sync-fd: with --as-pid-1 the command holds it itself" {
	run only 8 --unshare-pid --as-pid-1 --sync-fd 8 -- "$PROBE" fds 8>"$T/sync"
	is "0 1 2 8"
}

# ---- --lock-file ----

@test "--lock-file: a read lock while the box runs" {
	touch "$T/lock"
	give "$T/lock"
	start --ro-bind "$NB_BIN" "$NB_BIN" --ro-bind "$T" /t --unshare-pid --lock-file /t/lock -- "$PROBE" report 15
	await ready
	"$HAND" await-lock "$T/lock" read 20000
	local init
	init=$(children "$LAUNCHER" | tr -d ' ')
	kill -TERM "$(children "$init" | tr -d ' ')"
	await "got 15"
	finish
	"$HAND" await-lock "$T/lock" free 20000
}

@test "--lock-file: several, and without a PID namespace" {
	touch "$T/lock1" "$T/lock2"
	give "$T"
	start --ro-bind "$NB_BIN" "$NB_BIN" --ro-bind "$T" /t --lock-file /t/lock1 --lock-file /t/lock2 -- "$PROBE" report 15
	await ready
	"$HAND" await-lock "$T/lock1" read 20000
	"$HAND" await-lock "$T/lock2" read 20000
	local holder
	holder=$(children "$LAUNCHER" | tr -d ' ')
	kill -TERM "$(children "$holder" | tr -d ' ')"
	await "got 15"
	finish
	[ "$status" -eq 0 ]
}

@test "--lock-file: two boxes share a lock" {
	touch "$T/lock"
	give "$T/lock"
	start --ro-bind "$NB_BIN" "$NB_BIN" --ro-bind "$T" /t --unshare-pid --lock-file /t/lock -- "$PROBE" hold
	await ready
	"$HAND" await-lock "$T/lock" read 20000
	run mini --ro-bind "$T" /t --unshare-pid --lock-file /t/lock -- "$PROBE" exit 3
	exits 3
}

@test "--lock-file: one that is missing in the box ends it" {
	run --separate-stderr mini --unshare-pid --lock-file /none -- "$PROBE" hold
	exits 1
	warns "^bwrap: Unable to open lock file /none: No such file or directory$"
}

# ---- blocking ----

@test "--block-fd: the command waits until there is something to read" {
	mkfifo "$T/block" "$T/info"
	exec 8<>"$T/block" 9<>"$T/info"
	start --ro-bind "$NB_BIN" "$NB_BIN" --block-fd 8 --info-fd 9 -- "$PROBE" report 15
	# The information is there before the wait.
	local pid
	pid=$(timeout -s KILL 20 sed -nE 's/.*"child-pid": ([0-9]+).*/\1/p;/^}/q' "$T/info")
	MINE+=("$pid")
	run read -r -t 0.1 -u 7 line
	[ "$status" -gt 128 ]
	echo >&8
	await ready
	kill -TERM "$pid"
	await "got 15"
	finish
	exec 8<&- 9<&-
}

@test "--block-fd: the end of a pipe is as good" {
	run mini --block-fd 8 -- "$PROBE" exit 3 8</dev/null
	exits 3
}

@test "--block-fd: the view is ready while it waits" {
	mkfifo "$T/block" "$T/info"
	mkdir "$T/w"
	give "$T/w"
	exec 8<>"$T/block" 9<>"$T/info"
	# By then the link exists, so that it can be changed before the command starts.
	start --ro-bind "$NB_BIN" "$NB_BIN" --bind "$T/w" /w --symlink x /w/link --block-fd 8 --info-fd 9 -- "$PROBE" readlink /w/link
	timeout -s KILL 20 sed '/^}/q' "$T/info" >/dev/null
	timeout -s KILL 20 /bin/sh -c 'until [ -L "$1" ]; do :; done' - "$T/w/link"
	rm "$T/w/link"
	ln -s changed "$T/w/link"
	echo >&8
	await changed
	exec 8<&- 9<&-
}

@test "--userns-block-fd: the maps are written from outside" {
	mkfifo "$T/block" "$T/info"
	exec 8<>"$T/block" 9<>"$T/info"
	start --ro-bind "$NB_BIN" "$NB_BIN" --unshare-user --userns-block-fd 8 --info-fd 9 -- "$PROBE" ids
	local pid
	pid=$(timeout -s KILL 20 sed -nE 's/.*"child-pid": ([0-9]+).*/\1/p;/^}/q' "$T/info")
	as_caller /bin/sh -c 'echo "4711 $2 1" >/proc/$1/uid_map; echo deny >/proc/$1/setgroups; echo "4712 $3 1" >/proc/$1/gid_map' \
		- "$pid" "$NB_UID" "$NB_GID"
	echo >&8
	await "uid 4711 4711 4711"
	await "gid 4712 4712 4712"
	finish
	[ "$status" -eq 0 ]
	exec 8<&- 9<&-
}

@test "--userns-block-fd: what it needs, and what it does not go with" {
	exec 8</dev/null 9>/dev/null
	dies "^bwrap: --userns-block-fd requires --unshare-user$" --userns-block-fd 8 --info-fd 9
	dies "^bwrap: --userns-block-fd requires --info-fd$" --unshare-user --userns-block-fd 8
	dies "^bwrap: --disable-userns is not compatible with +--userns-block-fd$" --unshare-user --disable-userns \
		--userns-block-fd 8 --info-fd 9
	exec 8<&- 9>&-
}
