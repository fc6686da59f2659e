#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --fallback --cow: copy-on-write where no box can be made, by a tree in the store that is the command's directory, and
# Landlock, which gives it that and nothing of the directory itself.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

NEW=$((0x7e020000))
NAMESPACES=56\&$NEW,272\&$NEW,435
MOUNT=165 # mount

setup() {
	nb_setup
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
	mkdir -p "$T/d/sub" "$T/state"
	fill "$T/d"
	give "$T"
	export XDG_STATE_HOME=$T/state
	before=$(picture)
	SYSTEM=(-x /usr -r /etc -x "$NB_BIN")
	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || SYSTEM+=(-x "$dir")
	done
	cd "$T/d" || return
}

fill() {
	mkdir -p "$1/sub/deep"
	echo one >"$1/a"
	echo two >"$1/sub/b"
	echo three >"$1/sub/deep/c"
	seq 20000 >"$1/many"
	ln "$1/a" "$1/second"
	ln -s a "$1/link"
	printf '#!/bin/sh\necho old\n' >"$1/script"
	chmod 0755 "$1/script"
}

# picture: all of the directory, with what only a change of it changes.
picture() {
	find "$T/d" -printf '%P %y %m %s %n %i %U %G %T@ %C@ %l\n' | LC_ALL=C sort
	find "$T/d" -type f -exec sha256sum {} + | LC_ALL=C sort
}

unchanged() {
	diff <(echo "$before") <(picture)
}

# shape DIRECTORY: what two directories that were made at different times have in common.
shape() {
	(cd "$1" && find . -printf '%P %y %m %n %U %G %l\n' | LC_ALL=C sort &&
		find . -type f -exec sha256sum {} + | LC_ALL=C sort)
}

stores() {
	find "$T/state" -mindepth 2 -maxdepth 2
}

# fallen CALLS ARGUMENT…: nestbox where these calls are EPERM.
fallen() {
	local calls=$1

	shift
	as_caller "$NB_BIN/deny" "$calls" EPERM -- "$NB" --fallback "${SYSTEM[@]}" "$@"
}

cow() {
	fallen "$NAMESPACES" --quiet --cow "$T/d" "$@"
}

# begin ARGUMENT…: the same in the background.
begin() {
	launch setsid "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --fallback "${SYSTEM[@]}" \
		--cow "$T/d" "$@"
}

# has ABI: this kernel has that or a newer one.
has() {
	local abi

	abi=$(as_caller "$NB" -x "$NB_BIN" --explain -- probe | sed -n 's/.*landlock ABI \([0-9]*\).*/\1/p')
	[ "${abi:-0}" -ge "$1" ] || skip "this kernel's Landlock is too old"
}

CHANGE='echo more >>a; mkdir new; echo x >new/file; rm sub/b; mv sub/deep new/moved; ln many new/linked; rm link; ln -s many link
	printf "#!/bin/sh\necho new\n" >script; ./script; chmod 0640 many; cat a second; head -n 2 many; cat new/moved/c'

@test "a command that succeeds leaves what it leaves without --cow" {
	local calls wanted

	mkdir "$T/plain"
	for calls in "$NAMESPACES" "$MOUNT"; do
		rm -rf "$T/plain" "$T/d"
		mkdir "$T/plain" "$T/d"
		fill "$T/plain"
		fill "$T/d"
		give "$T/plain" "$T/d"
		wanted=$(cd "$T/plain" && as_caller /bin/sh -ec "$CHANGE")
		cd "$T/d"
		run --separate-stderr fallen "$calls" --cow . --status-fd 8 -- /bin/sh -ec "$CHANGE" 8>"$T/events"
		exits 0
		is "$wanted"
		diff <(shape "$T/plain") <(shape "$T/d")
		[ -z "$(stores)" ]
		jq -es 'any(.event == "start" and .cow.backend == "notify" and (.cow.store | length) > 0)
			and any(.event == "cow" and .result == "committed")' "$T/events"
	done
}

@test "one that fails, or is ended, changes nothing" {
	run cow -- /bin/sh -ec "$CHANGE; exit 3"
	exits 3
	unchanged
	run cow -- /bin/sh -ec "$CHANGE; kill -9 \$\$"
	exits 137
	unchanged
	run cow --timeout 0.3 -- /bin/sh -ec "$CHANGE; sleep 1000"
	exits 124
	unchanged
	run -127 cow -- /nonexistent
	unchanged
	[ -z "$(stores)" ]
}

@test "a box that stands has it as ever" {
	run --separate-stderr nb --fallback --status-fd 8 --cow . "${SYSTEM[@]}" -- /bin/sh -ec 'echo x >new; rm a' 8>"$T/events"
	exits 0
	[ "$(cat new)" = x ]
	[ ! -e a ]
	lacks 'warning'
	jq -es 'any(.event == "start" and .missing == [])' "$T/events"
}

@test "whatever fails, no store is left that was not to be" {
	local calls

	# Landlock, and what is made late in a box: chroot, pivot_root, umount2
	for calls in "$NAMESPACES,444,445,446" "$MOUNT,444,445,446" 161,444,445,446 155,444,445,446 166,444,445,446; do
		run fallen "$calls" --cow . -- /bin/sh -c 'echo x >new'
		[ "$status" = 125 ] || [ "$(cat new)" = x ]
		rm -f new
		[ -z "$(stores)" ]
	done
	for calls in "$MOUNT" 161 155 166; do
		run fallen "$calls" --quiet --cow-store "$T/s" --cow . -- /bin/sh -c 'echo x >new'
		exits 0
		[ "$(cat new)" = x ]
		rm new
		[ ! -e "$T/s" ]
	done
	mkdir "$T/many"
	touch "$T/many/"{1..200}
	give "$T/many"
	mkdir "$T/many/d"
	run --separate-stderr fallen "$NAMESPACES" -r "$T/many" --cow "$T/many/d" --rlimit nofile=128 -- /bin/true
	exits 0
	ulimit -n 100
	run --separate-stderr fallen "$NAMESPACES" -r "$T/many" --cow "$T/d" -- /bin/true
	exits 0
	run --separate-stderr fallen "$NAMESPACES" -r "$T/many" --cow "$T/many/d" -- /bin/true
	exits 125
	[[ $stderr == *'the hard limit of RLIMIT_NOFILE allows' ]]
	[ -z "$(stores)" ]
}

@test "it is told where the files are" {
	run --separate-stderr fallen "$NAMESPACES" --cow . --on-success discard -- /bin/true
	exits 0
	grep -qE "^nestbox: warning: fallback: $T/d: its files are those of the tree in $T/state/nestbox/cow-[a-z0-5]{8}$" \
		<<<"$stderr"
}

@test "by no other way is the directory reached" {
	local grants

	for grants in "" "-r /" "-r $NB_DIR" "-r $T" "-x $T/d" "-r / -x $NB_DIR -r $T --ro-bind $T $T"; do
		# shellcheck disable=SC2086 # options
		run cow --on-success discard $grants -- "$TRY" marked-r "$T/d/a" -- marked-w "$T/d/a" -- marked-r "$T/d/sub/b" \
			-- marked-w "$T/d/sub/b" -- marked-r "$T/d/script" -- marked-r "/proc/self/root$T/d/a"
		exits 0
		lacks 'ok$'
	done
	unchanged
}

@test "of the store nothing but the tree is reached" {
	local grants file

	for grants in "" "-r /" "-r $NB_DIR" "-r $T --ro-bind $NB_DIR $NB_DIR"; do
		# shellcheck disable=SC2086 # options
		run cow --on-success discard --cow-store "$T/s" $grants -- "$TRY" marked-r "$T/s/index" -- marked-w "$T/s/index" \
			-- marked-r "$T/s/state" -- marked-w "$T/s/state" -- marked-w "$T/s/lock" -- marked-r "$T/s/lock" \
			-- rename "$T/s/state" "$T/s/tree/state" -- link "$T/s/index" "$T/s/tree/index"  -- mkdir "$T/s/x" \
			-- mkdir "$T/s/work/x" -- mkdir "$T/s/upper/x" -- rename "$T/s/tree" "$T/s/upper/x"
		exits 0
		lacks 'ok$'
	done
	run cow --cow-store "$T/s" --on-failure discard -- "$TRY" marked-r "$T/s/tree/a" -- marked-w "$T/s/tree/a"
	exits 1
	says "marked-r $T/s/tree/a: ok" "marked-w $T/s/tree/a: ok"
	unchanged
}

@test "a grant above the directory is of all that lies beside it" {
	mkdir "$T/beside" "$T/d2"
	echo x | tee "$T/file" >"$T/beside/file"
	give "$T/beside" "$T/d2" "$T/file"
	cd "$T"
	for grant in "-r $T" "-r ." "-x $NB_DIR" "--ro-bind $T $T"; do
		# shellcheck disable=SC2086 # options
		run cow --on-success discard $grant -- /bin/sh -ec 'pwd; ls; cat file beside/file; ls d2; ! echo x >file; ! mkdir new' 2>&1
		exits 0
		says "$T" d d2 beside file state x
	done
	unchanged
}

@test "what could not be held is refused" {
	local grant

	mkdir "$T/w"
	give "$T/w"
	for grant in "-w $T" "-w $NB_DIR" "--bind $T $T" "-w $T/d" "-w $T/d/sub" "-w $T/d/a" "--bind $T/d/sub $T/d/sub" \
		"-w /" "-r $T/d/sub" "-x $T/d/script" "--ro-bind $T/d/sub $T/d/sub" "--cow-store $T/w -w $T/w" \
		"--cow-store $T/w -r $T/w"; do
		# shellcheck disable=SC2086 # options
		run --separate-stderr fallen "$NAMESPACES" --cow "$T/d" $grant -- /bin/sh -c 'echo x >ran'
		exits 125
		[ -z "$output" ]
		one_line
	done
	for grant in "--cow-quota 10M" "--cow-backend overlay" "--tmpfs $T/d/sub" "--tmpfs $T/d"; do
		# shellcheck disable=SC2086 # options
		run --separate-stderr nb --fallback "${SYSTEM[@]}" --cow "$T/d" $grant -- /bin/true
		exits 125
		one_line
	done
	unchanged
	[ -z "$(stores)" ]
}

@test "the command starts at the same place" {
	cd "$T/d/sub/deep"
	run cow -- /bin/sh -ec 'ls; echo x >../new'
	exits 0
	is c
	[ "$(cat "$T/d/sub/new")" = x ]
	cd "$T"
	run cow --chdir d/sub -- /bin/cat deep/c
	exits 0
	is three
	run cow --chdir "$T/d/../d" --setenv PWD "$T/d" -- /usr/bin/env
	exits 0
	says "PWD=$T/d"
	run cow --chdir "$T/d/none" -- /bin/true
	exits 125
	run cow --chdir d -- ./script
	exits 0
	is old
	run cow --chdir /usr -- /bin/ls
	says bin
	[ -z "$(stores)" ]
}

@test "the changes are kept, and committed later" {
	local store

	run --separate-stderr fallen "$NAMESPACES" --cow . --on-success keep -- /bin/sh -ec "$CHANGE"
	exits 0
	unchanged
	store=$(stores)
	grep -qxF "nestbox: kept: $store" <<<"$stderr"
	run nb --dry-run --cow-commit "$store"
	exits 0
	says 'M  a' 'A  new/' 'D  sub/b' 'M  script'
	unchanged
	run nb --cow-commit "$store"
	exits 0
	[ "$(cat second)" = $'one\nmore' ]
	[ "$(cat new/moved/c)" = three ]
	[ ! -e sub/b ]
	[ -z "$(stores)" ]
}

@test "--dry-run lists, and changes nothing" {
	run --separate-stderr fallen "$NAMESPACES" --quiet --cow . --dry-run -- /bin/sh -ec "$CHANGE; exit 4"
	exits 4
	grep -qxF 'M  a' <<<"$stderr"
	grep -qxF 'A  new/file' <<<"$stderr"
	unchanged
	[ -z "$(stores)" ]
}

@test "what others have changed meanwhile is a conflict" {
	mkfifo "$T/go"
	give "$T/go"
	begin --keep-fd 5 -- /bin/sh -ec 'echo mine >a; echo mine >own; echo ready; read -r line <&5' 5<>"$T/go"
	await ready
	echo theirs >a
	echo >"$T/go"
	finish
	[ "$status" = 125 ]
	grep -qxF 'nestbox: conflict: M  a' "$T/err"
	[ "$(cat a)" = theirs ]
	[ ! -e own ]
	nb --cow-discard "$(stores)"
}

@test "what the command has left is dead before the commit" {
	local size

	run cow -- /bin/sh -c '(setsid /bin/sh -c "exec >>log; for i in 1 2 3 4 5 6 7 8 9; do seq 300000; done" 2>&- &)
		until [ -s log ]; do :; done'
	exits 0
	size=$(stat -c %s log)
	[ "$size" -gt 0 ]
	sleep 0.3
	[ "$(stat -c %s log)" = "$size" ]
}

@test "with processes that cannot be ended nothing is committed" {
	local groups=62\&$((0x80000000)) # kill

	has 6
	mkfifo "$T/go"
	give "$T/go"
	run --separate-stderr fallen "$NAMESPACES,$groups" --cow . --keep-fd 5 -- \
		/bin/sh -ec 'echo x >new; (read -r line <&5; echo late >late) >/dev/null 2>&1 & exit 0' 5<>"$T/go" 3>&-
	exits 125
	grep -q 'not all that the command has left could be ended$' <<<"$stderr"
	grep -qxF "nestbox: to try again: nestbox --cow-commit $(stores)" <<<"$stderr"
	unchanged
	echo >"$T/go"
	run nb --cow-commit "$(stores)"
	exits 0
	[ "$(cat new)" = x ]
}

@test "a signal to the launcher is one to the command" {
	begin -- /bin/sh -ec 'echo x >new; trap "echo y >>new; exit 0" TERM; echo ready; while :; do sleep 0.1; done'
	await ready
	kill -TERM "$LAUNCHER"
	finish
	[ "$status" = 0 ]
	[ "$(cat new)" = $'x\ny' ]
	begin -- /bin/sh -ec 'echo z >new; echo ready; exec sleep 1000'
	await ready
	kill -TERM "$LAUNCHER"
	finish
	[ "$status" = 143 ]
	[ "$(cat new)" = $'x\ny' ]
	drained
	[ -z "$(stores)" ]
}

@test "another mount of the directory is no way to write to it" {
	need_root "mounts"
	mkdir -p "$T/u/alias" "$T/v"
	give "$T/u" "$T/v"
	run unshare -m --propagation private /bin/bash -c '
		mount --bind "$1/d" "$1/u/alias" && mount --bind "$1" "$1/v" && cd "$1/d" && shift && exec "$@"' - "$T" \
		/bin/bash -c '
		grants=$1
		shift
		for grant in $grants; do
			"${@//GRANT/$grant}"
			echo "status $?"
		done' - "$T/u/alias $T/v" "${CALLER[@]}" "$NB_BIN/deny" "$NAMESPACES" EPERM -- \
		"$NB" --quiet --fallback "${SYSTEM[@]}" --cow "$T/d" -w GRANT -- /bin/true
	is $'status 125\nstatus 125'
	unchanged
	[ -z "$(stores)" ]
}

@test "after the launcher was killed the changes are there" {
	begin -- /bin/sh -ec "$CHANGE; echo changed; exec $PROBE hold"
	for line in new one more one more 1 2 three changed ready; do
		await "$line"
	done
	unchanged
	kill -KILL "$LAUNCHER"
	gone "$LAUNCHER"
	drained
	unchanged
	run nb --cow-commit "$(stores)"
	exits 0
	[ "$(cat new/file)" = x ]
	[ ! -e sub/b ]
	[ -z "$(stores)" ]
}

@test "without standard descriptors none of the store is the command's" {
	as_caller "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --fallback "${SYSTEM[@]}" --cow "$T/d" --cow-store "$T/s" -- \
		/bin/sh -c 'for fd in 0 1 2 3 4 5 6 7 8 9; do readlink /proc/$$/fd/$fd; done >fds; exit 0' <&- >&- 2>&- 3>&-
	[ -e fds ]
	run grep -vE '/d/fds$|^/dev/null$' fds
	is ''
	[ "$(stat -c %s fds)" -gt 0 ]
	[ ! -e "$T/s" ]
}
