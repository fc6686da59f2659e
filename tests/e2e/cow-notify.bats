#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --cow-backend notify: the same as --cow where no overlay can be mounted, by files that are filled when they are
# opened.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

setup_file() {
	nb_setup_file
	cp "$NB_HELPERS/tree" "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR/bin/tree"
}

setup() {
	nb_setup
	mkdir -p "$T/d/sub" "$T/state"
	echo one >"$T/d/a"
	echo two >"$T/d/sub/b"
	ln "$T/d/a" "$T/d/second"
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

unchanged() {
	diff <(echo "$before") <(picture)
}

stores() {
	find "$T/state" -mindepth 2 -maxdepth 2
}

cow() {
	box --cow "$T/d" --cow-backend notify "$@"
}

# without: as a command with no capabilities, which it has none of in a box.
without() {
	if [ "$NB_AS" = root ]; then
		setpriv --bounding-set -all --inh-caps -all --ambient-caps -all "$@"
	else
		as_caller "$@"
	fi
}

# compare WAY: what is found in a box is what is found in a directory like it.
compare() {
	mkdir "$T/plain" "$T/own"
	give "$T/plain" "$T/own"
	as_caller "$NB_BIN/tree" make "$T/plain"
	as_caller "$NB_BIN/tree" make "$T/own"
	(cd "$T/d" && without "$NB_BIN/tree" "$1" "$T/plain") >"$T/wanted"
	NB_LIMIT=120 run box --cow "$T/own" --cow-backend notify -- "$NB_BIN/tree" "$1" "$T/own"
	exits 0
	echo "$output" >"$T/got"
	[ -s "$T/wanted" ] || echo >"$T/wanted"
	diff "$T/wanted" "$T/got"
}

CHANGE='cd d; echo more >>a; rm -r sub; mkdir new; echo x >new/file; chmod 0600 a'

@test "a command that succeeds changes the directory at its end" {
	run --separate-stderr cow -- /bin/sh -c "$CHANGE; cat a; ls"
	exits 0
	is "$(printf '%s\n' one more a link new second)"
	[ -z "$stderr" ]
	[ "$(cat "$T/d/a" "$T/d/new/file")" = "$(printf '%s\n' one more x)" ]
	[ "$(stat -c %i "$T/d/a")" = "$(stat -c %i "$T/d/second")" ]
	[ "$(stat -c %h "$T/d/a")" = 2 ]
	[ ! -e "$T/d/sub" ]
	[ "$(stat -c %a "$T/d/a")" = 600 ]
	[ "$(stat -c %u:%g "$T/d/new/file")" = "$NB_UID:$NB_GID" ]
	[ -z "$(stores)" ]
}

@test "one that fails changes nothing, and one that reads is in conflict with nobody" {
	run cow -- /bin/sh -c "$CHANGE; exit 3"
	exits 3
	unchanged
	run cow --on-success keep -- /bin/cat d/a d/sub/b
	exits 0
	echo theirs >>"$T/d/a"
	run nb --dry-run --cow-commit "$(stores)"
	exits 0
	is 'dry-run: no filesystem changes'
	run nb --cow-commit "$(stores)"
	exits 0
	[ "$(cat "$T/d/a")" = "$(printf '%s\n' one theirs)" ]
}

@test "all flags of open(2) do in the box what they do outside" {
	compare open
}

@test "so do other ways to a file" {
	compare more
}

@test "no file is seen without its content while paths change what they lead to" {
	compare swap
}

@test "a program, its script and its interpreters are in the directory" {
	cp "$NB_BIN/tree" "$T/d/tree"
	cp /bin/echo "$T/d/echo"
	printf '#!%s/d/second.sh\n' "$T" >"$T/d/first.sh"
	printf '#!%s/d/echo\n' "$T" >"$T/d/second.sh"
	chmod 0755 "$T/d/"{first.sh,second.sh}
	give "$T"
	run cow -- "$T/d/tree" more /nonexistent
	exits 99
	run cow -- d/first.sh
	[[ "$output" == *first.sh* ]]
	run cow --setenv PATH "/nowhere:$T/d" -- tree more /nonexistent
	exits 99
	run cow -- /bin/sh -c 'd/first.sh'
	[[ "$output" == *first.sh* ]]
}

@test "what cannot be read is an error, and never zeros" {
	if [ "$NB_AS" = root ]; then
		chown 12345 "$T/d/sub/b"
	fi
	chmod 0 "$T/d/sub/b"
	run cow -- /bin/sh -c 'cat d/sub/b'
	exits 1
	[[ "$output" == *'Permission denied' ]]
	run cow -- /bin/sh -c 'chmod 0644 d/sub/b && cat d/sub/b'
	exits 1
	[[ "$output" == *'Permission denied' ]]
}

@test "a lower file that is gone is told" {
	start "${SYSTEM[@]}" --cow "$T/d" --cow-backend notify -- \
		/bin/sh -c 'echo ready; kill -STOP $$; cat d/sub/b'
	await ready
	rm "$T/d/sub/b"
	for child in $(children "$LAUNCHER"); do
		for pid in $(children "$child"); do
			as_caller kill -CONT "$pid"
		done
	done
	finish
	exits 1
	grep -q 'No such file' "$T/err"
}

@test "after the launcher was killed the changes are there" {
	start "${SYSTEM[@]}" --cow "$T/d" --cow-backend notify -- /bin/sh -c "$CHANGE; echo done; exec $PROBE hold"
	await done
	unchanged
	kill -KILL "$LAUNCHER"
	gone "$LAUNCHER"
	unchanged
	run nb --dry-run --cow-commit "$(stores)"
	exits 0
	says 'A  new/file'
	says 'D  sub/'
	run nb --cow-commit "$(stores)"
	exits 0
	[ "$(cat "$T/d/new/file")" = x ]
	[ ! -e "$T/d/sub" ]
	[ -z "$(stores)" ]
}

@test "without its listener there is no box" {
	start "${SYSTEM[@]}" --cow "$T/d" --cow-backend notify -- /bin/sh -c "echo done; exec $PROBE hold"
	await done
	set -- $(children "$LAUNCHER")
	as_caller kill -KILL "$1"
	finish
	exits 125
	unchanged
}

@test "what was half discarded, or half made, is never committed" {
	for n in {1..40}; do
		run as_caller strace -o /dev/null -e trace=unlinkat -e inject=unlinkat:signal=KILL:when="$n" \
			"$NB" "${SYSTEM[@]}" --cow "$T/d" --cow-backend notify --cow-store "$T/s" -- /bin/false
		[ "$status" -eq 137 ] || break
		[ -e "$T/s/state" ] || { rm -rf "$T/s"; continue; }
		run --separate-stderr nb --cow-commit "$T/s"
		[ "$status" -eq 0 ] || one_line 'use --cow-discard'
		# A commit of nothing gives the directory itself the times that it has.
		diff <(sed 1d <<<"$before") <(picture | sed 1d)
		[ ! -e "$T/s" ] || nb --cow-discard "$T/s"
	done
	exits 1
	[ "$n" -gt 8 ]
	before=$(picture)
	for call in symlinkat mkdirat linkat; do
		run as_caller strace -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=1+ "$NB" "${SYSTEM[@]}" \
			--cow "$T/d" --cow-backend notify --cow-store "$T/s" -- /bin/true
		[ -e "$T/s/state" ] || { rm -rf "$T/s"; continue; }
		run --separate-stderr nb --cow-commit "$T/s"
		exits 125
		one_line 'use --cow-discard'
		unchanged
		nb --cow-discard "$T/s"
	done
}

@test "nobody else can listen: bad use" {
	touch "$T/log"
	give "$T/log"
	run --separate-stderr cow --filter strict -- /bin/true
	exits 125
	one_line 'cannot be combined with --filter strict'
	run --separate-stderr cow --append "$T/log" -- /bin/true
	exits 125
	one_line 'cannot be combined with --append'
	run --separate-stderr cow --cow-backend notified -- /bin/true
	exits 125
	one_line 'must be auto, overlay or notify, not notified'
	[ -z "$(stores)" ]
}

@test "auto is notify where no overlay can be mounted" {
	mkdir "$T/l" "$T/u" "$T/w"
	give "$T"
	# None has its changes on another one, and no whiteouts of its own there either.
	run --separate-stderr as_caller unshare -Urm bash -c '
		mount -t overlay -o "userxattr,lowerdir=$1/l,upperdir=$1/u,workdir=$1/w" o "$1/state"
		cd "$1" && shift && "$1" --quiet --on-success discard "${@:2}" 3>first && "$@" 3>status' \
		- "$T" "$NB" "${SYSTEM[@]}" --cow "$T/d" \
		--status-fd 3 -- /bin/sh -c "cd $T; $CHANGE"
	exits 0
	one_line 'notify is taken'
	grep -q notify "$T/status"
	[ "$(cat "$T/d/new/file")" = x ]
	[ ! -e "$T/d/sub" ]
}

@test "copies of files that nobody has opened are complete" {
	mkdir "$T/d/many"
	for i in 1 2 3 4 5 6 7 8; do
		seq "$i" $((i * 20000)) >"$T/d/many/$i"
	done
	truncate -s 100M "$T/d/many/hole"
	echo end >>"$T/d/many/hole"
	give "$T"
	run cow -- /bin/sh -c 'mv d/many d/moved && cp -a d/moved d/copy && diff -r d/moved d/copy'
	exits 0
	is ''
	[ ! -e "$T/d/many" ]
	[ "$(du -s "$T/d/moved/hole" | cut -f 1)" -lt 1000 ]
	[ "$(tail -c 4 "$T/d/moved/hole")" = end ]
	for i in 1 2 3 4 5 6 7 8; do
		cmp "$T/d/moved/$i" <(seq "$i" $((i * 20000)))
		cmp "$T/d/copy/$i" <(seq "$i" $((i * 20000)))
	done
}
