#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --cow: what the command changes goes to a store, and to the directory when it is committed.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

setup() {
	nb_setup
	mkdir -p "$T/d/sub" "$T/state"
	echo one >"$T/d/a"
	echo two >"$T/d/sub/b"
	ln -s a "$T/d/link"
	give "$T"
	export XDG_STATE_HOME=$T/state
	before=$(picture)
	SYSTEM=(-x /usr -r /etc -x "$NB_BIN")
	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || SYSTEM+=(-x "$dir")
	done
}

# picture: all of the directory, with what only a change of it changes.
picture() {
	find "$T/d" -printf '%P %y %m %s %U %G %T@ %C@ %l\n' | LC_ALL=C sort
	find "$T/d" -type f -exec cat {} +
}

# unchanged: by nobody.
unchanged() {
	diff <(echo "$before") <(picture)
}

# stores: those that are there.
stores() {
	find "$T/state" -mindepth 2 -maxdepth 2
}

sh_() {
	box --cow "$T/d" "$@"
}

CHANGE='cd d; echo more >>a; rm -r sub; mkdir new; echo x >new/file; chmod 0600 a'

@test "by default a command that succeeds changes the directory at its end" {
	run --separate-stderr sh_ -- /bin/sh -c "$CHANGE; cat a; ls"
	exits 0
	is "$(printf '%s\n' one more a link new)"
	[ -z "$stderr" ]
	[ "$(cat "$T/d/a" "$T/d/new/file")" = "$(printf '%s\n' one more x)" ]
	[ ! -e "$T/d/sub" ]
	[ "$(stat -c %a "$T/d/a")" = 600 ]
	[ "$(stat -c %u:%g "$T/d/new/file")" = "$NB_UID:$NB_GID" ]
	[ -z "$(stores)" ]
	[ -z "$(ls -A "$T/d" | grep nestbox)" ]
}

@test "while it runs the directory is as it was" {
	start "${SYSTEM[@]}" --cow "$T/d" -- /bin/sh -c "$CHANGE; echo done; exec $PROBE hold"
	await done
	unchanged
	kill -KILL "$LAUNCHER"
	gone "$LAUNCHER"
	unchanged
}

@test "one that fails changes nothing, and keeps its exit status" {
	run --separate-stderr sh_ -- /bin/sh -c "$CHANGE; exit 3"
	exits 3
	[ -z "$stderr" ]
	unchanged
	[ -z "$(stores)" ]
}

@test "a signal, and the end of its time, are failures" {
	run sh_ -- /bin/sh -c "$CHANGE; kill -KILL \$\$"
	exits 137
	unchanged
	run sh_ --timeout 0.3 -- /bin/sh -c "$CHANGE; exec $PROBE hold"
	exits 124
	unchanged
	[ -z "$(stores)" ]
}

@test "--expect makes a success of another exit status" {
	run sh_ --expect 3 -- /bin/sh -c "$CHANGE; exit 3"
	exits 0
	[ ! -e "$T/d/sub" ]
}

@test "--on-success discard, --on-failure commit" {
	run sh_ --on-success discard -- /bin/sh -c "$CHANGE"
	exits 0
	unchanged
	run sh_ --on-failure commit -- /bin/sh -c "$CHANGE; exit 9"
	exits 9
	[ ! -e "$T/d/sub" ]
	[ -z "$(stores)" ]
}

@test "a store that is kept is committed later, once" {
	run --separate-stderr sh_ --on-success keep -- /bin/sh -c "$CHANGE"
	exits 0
	unchanged
	[ "$stderr" = "nestbox: kept: $(stores)" ]
	store=$(stores)
	[ "$(stat -c %a "$store")" = 700 ]
	run nb --dry-run --cow-commit "$store"
	exits 0
	is "$(printf '%s\n' 'dry-run: filesystem changes:' 'M  a' 'A  new/' 'A  new/file' 'D  sub/')"
	unchanged
	run nb --cow-commit "$store"
	exits 0
	is ""
	[ ! -e "$T/d/sub" ]
	[ "$(cat "$T/d/new/file")" = x ]
	run --separate-stderr nb --cow-commit "$store"
	exits 125
	one_line "No such file"
}

@test "a store that is kept is discarded later" {
	run sh_ --on-failure keep -- /bin/sh -c "$CHANGE; exit 1"
	exits 1
	run nb --cow-discard "$(stores)"
	exits 0
	is ""
	unchanged
	[ -z "$(stores)" ]
}

@test "--dry-run lists the changes, sorted, and makes none" {
	run --separate-stderr sh_ --dry-run -- /bin/sh -c "$CHANGE; rm link; mkdir link; touch a; exit 5"
	exits 5
	[ "$stderr" = "$(printf '%s\n' 'dry-run: filesystem changes:' 'M  a' 'T  link/' 'A  new/' 'A  new/file' 'D  sub/')" ]
	unchanged
	run --separate-stderr sh_ --dry-run -- /bin/sh -c 'cat d/a; touch d/x; rm d/x'
	exits 0
	[ "$stderr" = 'dry-run: no filesystem changes' ]
	[ -z "$(stores)" ]
}

@test "names that would spoil the list are escaped" {
	run --separate-stderr sh_ --dry-run -- /bin/sh -c 'cd d; : >"$(printf "x\ny")"; : >"$(printf "e\033[2J")"; : >"$(printf "b\377")"'
	exits 0
	[ "$stderr" = "$(printf '%s\n' 'dry-run: filesystem changes:' 'A  b\377' 'A  e\033[2J' 'A  x\012y')" ]
}

@test "what others have changed meanwhile is a conflict: nothing is committed or lost" {
	run sh_ --on-success keep -- /bin/sh -c "$CHANGE"
	echo theirs >>"$T/d/a"
	before=$(picture)
	run --separate-stderr nb --cow-commit "$(stores)"
	exits 125
	[[ $stderr = *"nestbox: conflict: M  a"* ]]
	[[ $stderr != *sub* ]]
	unchanged
	[ -n "$(stores)" ]
	run nb --dry-run --cow-commit "$(stores)"
	matches '^A  new/file$'
}

@test "a conflict at the end of the command: 125, the store stays and is named" {
	start "${SYSTEM[@]}" --cow "$T/d" -- /bin/sh -c "$CHANGE; echo ready; kill -STOP \$\$; exit 0"
	await ready
	echo theirs >>"$T/d/a"
	before=$(picture)
	init=$(children "$LAUNCHER")
	for pid in $(children "${init% }"); do
		as_caller kill -CONT "$pid"
	done
	finish
	exits 125
	unchanged
	grep -q "kept: $(stores)" "$T/err"
}

@test "two boxes on one directory: who commits later has a conflict where both have changed" {
	run sh_ --cow-store "$T/1" --on-success keep -- /bin/sh -c 'echo 1 >>d/a; echo 1 >d/1'
	exits 0
	run sh_ --cow-store "$T/2" --on-success keep -- /bin/sh -c 'echo 2 >>d/a; echo 2 >d/2'
	exits 0
	run sh_ --cow-store "$T/3" --on-success keep -- /bin/sh -c 'echo 3 >d/3'
	exits 0
	run nb --cow-commit "$T/1"
	exits 0
	run nb --cow-commit "$T/2"
	exits 125
	run nb --cow-commit "$T/3"
	exits 0
	[ "$(cd "$T/d" && echo *)" = "1 3 a link sub" ]
}

@test "nobody else works with the store of a living box" {
	start "${SYSTEM[@]}" --cow "$T/d" --cow-store "$T/s2" -- /bin/sh -c "$CHANGE; echo ready; exec $PROBE hold"
	await ready
	for word in --cow-commit --cow-discard; do
		run --separate-stderr nb "$word" "$T/s2"
		exits 125
		one_line "is using the store"
	done
	unchanged
	kill -KILL "$LAUNCHER"
	gone "$LAUNCHER"
	run nb --cow-commit "$T/s2"
	exits 0
	[ ! -e "$T/d/sub" ]
}

# restarted STORE: as if the machine had been since its box began.
restarted() {
	printf '%s\n' 01234567-89ab-cdef-0123-456789abcdef >"$1/lock"
}

@test "what a box was writing when its machine went down is not committed" {
	for backend in auto notify; do
		start "${SYSTEM[@]}" --cow "$T/d" --cow-backend $backend --cow-store "$T/s2" \
			-- /bin/sh -c "$CHANGE; echo ready; exec $PROBE hold"
		await ready
		kill -KILL "$LAUNCHER"
		gone "$LAUNCHER"
		restarted "$T/s2"
		run --separate-stderr nb --cow-commit "$T/s2"
		exits 125
		one_line "the machine went down"
		unchanged
		run nb --cow-discard "$T/s2"
		exits 0
		[ ! -e "$T/s2" ]
	done
}

@test "what was kept is committed, also when the machine has started anew" {
	for backend in auto notify; do
		run sh_ --cow-backend $backend --cow-store "$T/s2" --on-success keep -- /bin/sh -c "echo $backend >d/a"
		exits 0
		restarted "$T/s2"
		run nb --cow-commit "$T/s2"
		exits 0
		[ "$(cat "$T/d/a")" = $backend ]
	done
}

@test "what was kept after a conflict, too" {
	start "${SYSTEM[@]}" --cow "$T/d" --cow-store "$T/s2" -- \
		/bin/sh -c "$CHANGE; echo ready; kill -STOP \$\$; exit 0"
	await ready
	mv "$T/d/a" "$T/a"
	echo theirs >"$T/d/a"
	init=$(children "$LAUNCHER")
	for pid in $(children "${init% }"); do
		as_caller kill -CONT "$pid"
	done
	finish
	exits 125
	restarted "$T/s2"
	run --separate-stderr nb --cow-commit "$T/s2"
	exits 125
	[[ $stderr = *conflict:* ]]
}

@test "an overlay waits for no disk before its end" {
	run sh_ --cow-backend overlay --on-success discard -- grep " $T/d .*volatile" /proc/self/mountinfo
	exits 0
}

@test "a command that never ran leaves no store" {
	run sh_ -- /nonexistent
	exits 127
	run sh_ --tmpfs /proc/x -- /bin/true
	exits 125
	run sh_ -r "$T/missing" -- /bin/true
	exits 125
	[ -z "$(stores)" ]
	unchanged
	run sh_ --cow-store "$T/s" -- /nonexistent
	exits 127
	[ ! -e "$T/s" ]
}

@test "where the store is: --cow-store, or below \$HOME" {
	run sh_ --cow-store "$T/s" --on-success keep -- /bin/sh -c "$CHANGE"
	exits 0
	[ -d "$T/s/upper" ]
	mkdir "$T/home"
	give "$T/home"
	run --separate-stderr env -u XDG_STATE_HOME HOME="$T/home" "${CALLER[@]}" "$NB" "${SYSTEM[@]}" \
		--cow "$T/d" --on-success keep -- /bin/true
	exits 0
	[[ $stderr = "nestbox: kept: $T/home/.local/state/nestbox/"* ]]
}

@test "a place where no store can be: 125, one line, nothing made" {
	mkdir "$T/full"
	touch "$T/full/x"
	give "$T/full"
	for store in "$T/full" "$T/missing/s" "$T/d/s" "$T/d/sub/s" "$T/d" /proc/s; do
		run --separate-stderr sh_ --cow-store "$store" -- /bin/true
		exits 125
		one_line
		unchanged
	done
	run --separate-stderr env XDG_STATE_HOME="$T/d" "${CALLER[@]}" "$NB" -x /usr --cow "$T/d" -- /bin/true
	exits 125
	one_line
	[ "$(find "$T/d" | wc -l)" -eq 5 ]
}

@test "the command cannot be given a way to write to the store" {
	mkdir "$T/lower" "$T/work"
	give "$T"
	for grant in "-w $T" "-w $T/state" "--bind $T /x" "--bind / /x" "--bind-fd 5 /x" \
		"--overlay-src $T/lower --overlay $T/state $T/work /x" "--overlay-src $T/lower --overlay $T/work $T/state /x"; do
		# shellcheck disable=SC2086
		run --separate-stderr sh_ $grant -- /bin/true 5<"$T"
		exits 125
		one_line "write to the store"
		[ -z "$(stores)" ]
	done
	for backend in overlay notify; do
		for grant in "-w $T/s/state" "-w $T/s/upper" "-w $T/s" "--bind $T/s/lock /x" "--bind $T/s/upper /x" \
			"--bind $T/d/../s/state /x" "--dev-bind $T/s/upper /x"; do
			# shellcheck disable=SC2086
			run --separate-stderr sh_ --cow-backend "$backend" --cow-store "$T/s" $grant -- /bin/true
			exits 125
			one_line "write to the store"
			[ ! -e "$T/s" ]
		done
	done
	run --separate-stderr sh_ --cow-backend notify --cow-store "$T/s" -w "$T/s/index" -- /bin/true
	exits 125
	one_line "write to the store"
}

@test "the command cannot be given another way to write to the directory" {
	mkdir "$T/lower" "$T/work"
	ln -s d "$T/l"
	give "$T"
	# The second could write to the store as well.
	export XDG_STATE_HOME=$NB_DIR/state$BATS_TEST_NUMBER
	mkdir "$XDG_STATE_HOME"
	give "$XDG_STATE_HOME"
	before=$(picture)
	for grant in "--bind $T $T" "--bind $T/d $T/d" "--bind $T/d /x" "--bind $T/l /x" "--bind $T /x" "--dev-bind $T/d /x" "--bind-fd 5 /x" \
		"--overlay-src $T/lower --overlay $T/d $T/work /x" "--overlay-src $T/lower --overlay $T/work $T /x"; do
		# shellcheck disable=SC2086
		run --separate-stderr sh_ $grant -- /bin/sh -c 'echo x >>d/a; echo x >>/x/a' 5<"$T/d"
		exits 125
		one_line "could write to the directory itself, by "
		unchanged
		[ -z "$(ls "$XDG_STATE_HOME/nestbox")" ]
	done
	for grant in "--bind $T /x" "--bind $T/d /x" "--bind $T/d/ $T/l"; do
		# shellcheck disable=SC2086
		run --separate-stderr box $grant --cow "$T/d" -- /bin/true
		exits 125
		one_line "could write to the directory itself, by "
	done
	# What is above it, at its own place and under it, is no such way.
	run --separate-stderr box --bind "$T" "$T" --bind "$T/d" "$T/../${T##*/}/d/" --cow "$T/d" -- /bin/sh -c 'echo x >>d/a; echo x >y; exit 1'
	exits 1
	[ -e "$T/y" ]
	unchanged
	run --separate-stderr sh_ -w "$T" -- /bin/sh -c 'echo x >>d/a; exit 1'
	exits 1
	unchanged
	rm -r "$XDG_STATE_HOME"
}

@test "ways to write elsewhere, and to read the store, are none" {
	mkdir "$T/lower" "$T/work" "$T/upper"
	give "$T"
	for grant in "-w $T/upper" "--bind-fd 5 /x" "--ro-bind-fd 6 /x" "-r $T" "--ro-bind / /x" \
		"--overlay-src $T/lower --overlay $T/upper $T/work /x"; do
		# shellcheck disable=SC2086
		run --separate-stderr sh_ $grant -- /bin/true 5<"$T/lower" 6<"$T"
		exits 0
		[ -z "$stderr" ]
	done
}

@test "bad use: 125, one line, nothing made" {
	for words in "--cow /" "--cow $T/d/a" "--cow $T/nothing" "--cow $T/d --cow $T/d" "--cow $T/d -w $T/d" \
		"--dry-run" "--on-success keep" "--cow-store $T/s" "--cow $T/d --on-success maybe" "--cow $T/d --cow-backend x" \
		"--cow $T/d --init-only" "--cow $T/d --cow-store $T/s --cow-store $T/s"; do
		# shellcheck disable=SC2086
		run --separate-stderr box $words -- /bin/true
		exits 125
		one_line
	done
	run --separate-stderr box --cow "" -- /bin/true
	exits 125
	one_line
	for words in "--cow-commit $T/s -- /bin/true" "--cow-commit $T/s --cow-discard $T/s" "--cow-commit $T/s -r /usr" \
		"--cow-discard $T/s --dry-run" "--cow-commit $T/d" "--cow-discard $T/d" "--cow-discard $T/d/a" "--cow-commit $T/s"; do
		# shellcheck disable=SC2086
		run --separate-stderr nb $words
		exits 125
		one_line
	done
	[ ! -e "$T/s" ]
	[ -z "$(stores)" ]
	unchanged
}

@test "a path through links is there under both names" {
	ln -s d "$T/l"
	run box --cow "$T/l" -- /bin/sh -c "echo x >$T/l/x; cat $T/d/x; readlink $T/l"
	exits 0
	is "$(printf 'x\nd')"
	[ "$(cat "$T/d/x")" = x ]
}

@test "programs can be made in there and run" {
	run sh_ -- /bin/sh -c "cp /bin/echo d/e && d/e works; printf '#!/bin/sh\necho script\n' >d/s; chmod +x d/s; d/s"
	exits 0
	is "$(printf 'works\nscript')"
}

@test "deeper grants are what they are elsewhere" {
	mkdir "$T/d/cache" "$T/d/ro"
	give "$T/d"
	run sh_ -w "$T/d/cache" -r "$T/d/ro" -- /bin/sh -c 'echo x >d/cache/x; echo x >d/ro/x; echo x >d/x; exit 1'
	exits 1
	[ -e "$T/d/cache/x" ]
	[ ! -e "$T/d/x" ]
	[ ! -e "$T/d/ro/x" ]
}

@test "--explain says what will be, and makes nothing" {
	run sh_ --on-failure keep --explain -- /bin/true
	exits 0
	says 'copy-on-write' "|-- directory $T/d" '|-- backend overlay, or notify where none can be mounted' '|-- after success changes are committed to it' '`-- after failure changes are kept'
	[ -z "$(stores)" ]
	unchanged
}

@test "--status-fd tells what has become of the changes" {
	command -v jq >/dev/null || skip "jq is not installed"
	event() {
		rm -f "$T/events"
		status=0
		sh_ --status-fd 8 "$@" 8>"$T/events" 2>/dev/null || status=$?
		jq -r 'select(.event == "cow") | .backend + " " + .result' "$T/events"
	}
	[ "$(event -- /bin/true)" = 'overlay committed' ]
	[ "$(jq -r 'select(.event == "start") | .cow.backend' "$T/events")" = overlay ]
	[ "$(event -- /bin/false)" = 'overlay discarded' ]
	[ "$(event --dry-run -- /bin/false)" = 'overlay dry-run' ]
	[ "$(event --on-failure keep -- /bin/false)" = 'overlay kept' ]
	[ "$(jq -r 'select(.event == "cow") | .store' "$T/events")" = "$(stores)" ]
	[ "$(event -- /nonexistent)" = '' ]
}

@test "--status-fd tells how many changes there are" {
	command -v jq >/dev/null || skip "jq is not installed"
	for backend in overlay notify; do
		count() {
			rm -f "$T/events"
			status=0
			sh_ --cow-backend "$backend" --status-fd 8 "$@" 8>"$T/events" >/dev/null 2>"$T/err" || status=$?
			jq -c 'select(.event == "cow") | [.result, .changes]' "$T/events"
		}
		[ "$(count -- /bin/cat d/a)" = '["committed",0]' ]
		[ "$(count --on-success discard -- /bin/sh -c "$CHANGE")" = '["discarded",null]' ]
		[ "$(count --on-failure keep -- /bin/sh -c "$CHANGE; exit 1")" = '["kept",4]' ]
		nb --cow-discard "$(stores)"
		[ "$(count --dry-run -- /bin/sh -c "$CHANGE")" = '["dry-run",4]' ]
		[ "$(grep -c '^[A-Z]  ' "$T/err")" -eq 4 ]
	done
	mkfifo "$T/in"
	exec 6<>"$T/in"
	start "${SYSTEM[@]}" --cow "$T/d" --status-fd 8 -- /bin/sh -c "$CHANGE; echo ready; read x" <&6 8>"$T/events"
	await ready
	echo theirs >>"$T/d/a"
	echo >&6
	finish
	exits 125
	[ "$(jq -c 'select(.event == "cow") | [.result, .changes]' "$T/events")" = '["conflict",4]' ]
	nb --cow-discard "$(stores)"
	[ "$(count -- /bin/sh -c "cd d; echo x >x; rm -r sub")" = '["committed",2]' ]
}

@test "also with standard descriptors closed and an odd umask" {
	run bash -c 'umask 0777; exec "$@" <&- >&- 2>&-' - "${CALLER[@]}" "$NB" "${SYSTEM[@]}" \
		--cow "$T/d" -- /bin/sh -c "umask 022; $CHANGE"
	exits 0
	[ "$(cat "$T/d/new/file")" = x ]
	[ -z "$(stores)" ]
	run bash -c 'exec "$@" <&- >&- 2>&-' - "${CALLER[@]}" "$NB" "${SYSTEM[@]}" \
		--cow "$T/d" --dry-run -- /bin/sh -c 'echo x >d/y'
	[ ! -e "$T/d/y" ]
	[ -z "$(stores)" ]
}

@test "the command has no descriptor of the store" {
	run sh_ -- /bin/ls /proc/self/fd
	exits 0
	is "$(printf '%s\n' 0 1 2 3)"
}

@test "without a way to mount an overlay that is said, and the store removed" {
	run --separate-stderr as_caller unshare -Ur bash -c '
		echo 0 >/proc/sys/user/max_mnt_namespaces
		exec "$@"' - "$NB" "${SYSTEM[@]}" --cow "$T/d" -- /bin/true
	exits 125
	one_line
	[ -z "$(stores)" ]
	unchanged
}

@test "where no attributes can be kept no store is made: before Linux 6.6 on a tmpfs" {
	local backend

	for backend in auto overlay notify; do
		run --separate-stderr as_caller "$NB_BIN/deny" "$(fsetxattr)" 95 -- "$NB" -x "$NB_BIN" \
			--cow "$T/d" --cow-backend "$backend" -- "$PROBE" true
		exits 125
		grep -q '^nestbox: cow: .*: its file system has no extended attributes of users$' <<<"$stderr"
		unchanged
		[ -z "$(stores)" ]
	done
}

@test "a directory that the command has locked is committed as it is" {
	for mode in 0000 0200 1002 0500; do
		# The attributes of the directory itself cannot be read any more then.
		run --separate-stderr sh_ -- /bin/bash -c "cd d; mkdir x$mode; echo y >x$mode/y
			python3 -c 'import os; os.setxattr(\".\", \"user.one\", b\"1\")'; chmod $mode x$mode .; true"
		exits 0
		[ -z "$stderr" ]
		[ "$(stat -c %04a "$T/d")" = "$mode" ]
		chmod 0755 "$T/d"
		[ "$(stat -c %04a "$T/d/x$mode")" = "$mode" ]
		[ -z "$(stores)" ]
	done
}

# says_how PATH: what the end of stderr tells about a store that is kept.
says_how() {
	[[ $stderr = *"nestbox: kept: $1
nestbox: to try again: nestbox --cow-commit $1
nestbox: to give the changes up: nestbox --cow-discard $1" ]] || { echo "$stderr" >&2; return 1; }
}

@test "a commit that fails says what can be done" {
	mkfifo "$T/in"
	exec 6<>"$T/in"
	start "${SYSTEM[@]}" --cow "$T/d" -- /bin/sh -c "$CHANGE; echo ready; read x" <&6
	await ready
	echo theirs >>"$T/d/a"
	echo >&6
	finish
	stderr=$(<"$T/err")
	exits 125
	store=$(stores)
	says_how "$store"
	for word in "$store" "state/nestbox/../nestbox/${store##*/}"; do
		run --separate-stderr nb --cow-commit "$word"
		exits 125
		[[ $stderr = "nestbox: conflict: M  a"* ]]
		says_how "$store"
	done
	run --separate-stderr nb --quiet --cow-commit "$store"
	exits 125
	[ -z "$stderr" ]
	run --separate-stderr nb --cow-discard "$store"
	exits 0
	[ -z "$stderr" ]
}

@test "where there is no room the commit changes nothing, and can be had later" {
	run --separate-stderr as_caller unshare -Urm bash -ec '
		mount -t tmpfs -o size=300k t "$1/d"
		echo one >"$1/d/a"
		dd if=/dev/zero of="$1/d/filler" bs=1k count=200 status=none
		picture() { find "$1/d" -mindepth 1 -printf "%P %s %T@ %C@\n"; }
		before=$(picture "$1")
		code=0
		"${@:2}" --cow "$1/d" -- /bin/sh -c "cd $1/d; echo more >>a; head -c 150000 /dev/urandom >b" || code=$?
		[ "$code" = 125 ]
		store=$(find "$1/state/nestbox" -name "cow-*")
		[ "$before" = "$(picture "$1")" ]
		! "$2" --cow-commit "$store"
		[ "$before" = "$(picture "$1")" ]
		rm "$1/d/filler"
		"$2" --cow-commit "$store"
		cat "$1/d/a"
		stat -c %s "$1/d/b"
		ls -A "$1/d"' - "$T" "$NB" "${SYSTEM[@]}"
	exits 0
	is "$(printf '%s\n' one more 150000 a b)"
	[ "$(grep -c 'No space left' <<<"$stderr")" -eq 2 ]
	[ "$(grep -c 'to try again: nestbox --cow-commit' <<<"$stderr")" -eq 2 ]
	[ -z "$(stores)" ]
}

@test "what is left of a store that was never made to its end is removed" {
	for parts in lock 'lock work' 'lock work upper' 'lock work upper.new state.new'; do
		mkdir -m 0700 "$T/s"
		for part in $parts; do
			case $part in
			lock | state.new) touch "$T/s/$part" ;;
			*) mkdir "$T/s/$part" ;;
			esac
		done
		give "$T/s"
		run --separate-stderr nb --cow-commit "$T/s"
		exits 125
		one_line 'use --cow-discard'
		run --separate-stderr nb --cow-discard "$T/s"
		exits 0
		[ ! -e "$T/s" ]
	done
	mkdir -m 0700 "$T/cow-x"
	give "$T/cow-x"
	run nb --cow-discard "$T/cow-x"
	exits 0
	[ ! -e "$T/cow-x" ]
}

@test "no other directory is removed as a store" {
	mkdir -m 0700 "$T/empty" "$T/full" "$T/cow-x" "$T/more"
	mkdir "$T/full/upper" "$T/cow-open"
	touch "$T/full/lock" "$T/full/upper/x" "$T/cow-x/x" "$T/more/lock" "$T/more/file"
	give "$T"
	for name in empty full cow-x more cow-open; do
		run --separate-stderr nb --cow-discard "$T/$name"
		exits 125
		one_line
		[ -d "$T/$name" ]
	done
	[ -e "$T/full/upper/x" ] && [ -e "$T/cow-x/x" ] && [ -e "$T/more/file" ]
	# Who holds its lock is just making it.
	mkdir -m 0700 "$T/new"
	touch "$T/new/lock"
	give "$T/new"
	exec 5<"$T/new/lock"
	flock 5
	run --separate-stderr nb --cow-discard "$T/new"
	exits 125
	one_line 'is using the store'
	[ -e "$T/new/lock" ]
	exec 5<&-
}

@test "a store whose directory is gone can be discarded, and not committed" {
	for backend in overlay notify; do
		for place in nothing file another; do
			rm -rf "$T/s"
			run sh_ --cow-backend "$backend" --cow-store "$T/s" --on-success keep -- /bin/sh -c "$CHANGE"
			exits 0
			mv "$T/d" "$T/moved"
			case $place in
			file) touch "$T/d" ;;
			another) mkdir "$T/d" && touch "$T/d/theirs" ;;
			esac
			[ "$place" = nothing ] || give "$T/d"
			run --separate-stderr nb --cow-commit "$T/s"
			exits 125
			one_line "^nestbox: cow: $T/d: "
			run --separate-stderr nb --cow-discard "$T/s"
			exits 0
			[ -z "$stderr" ]
			[ ! -e "$T/s" ]
			[ "$place" != another ] || [ -e "$T/d/theirs" ]
			rm -rf "$T/d"
			mv "$T/moved" "$T/d"
			[ "$(cat "$T/d/a" "$T/d/sub/b")" = "$(printf 'one\ntwo')" ]
		done
	done
	# But not if a part of a commit is in it.
	run sh_ --cow-store "$T/s" --on-success keep -- /bin/sh -c "$CHANGE"
	sed -i 's/^staged=.*/staged=.nestbox-commit-aaaaaaaa/' "$T/s/state"
	mv "$T/d" "$T/moved"
	run --separate-stderr nb --cow-discard "$T/s"
	exits 125
	one_line "^nestbox: cow: $T/d: "
	[ -e "$T/s/state" ]
	mv "$T/moved" "$T/d"
	nb --cow-discard "$T/s"
}
