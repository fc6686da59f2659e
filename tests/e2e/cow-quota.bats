#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --cow-quota: what the command writes into the copy has a hard bound, with both backends.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
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
	PAGE=$(getconf PAGESIZE)
}

picture() {
	find "$T/d" -printf '%P %y %m %s %U %G %T@ %C@ %l\n' | LC_ALL=C sort
	find "$T/d" -type f -exec cksum {} + | LC_ALL=C sort
}

unchanged() {
	diff <(echo "$before") <(picture)
}

stores() {
	find "$T/state" -mindepth 2 -maxdepth 2
}

# quota SIZE [OPTION…] -- COMMAND: with the backend of this test.
quota() {
	box --cow "$T/d" --cow-backend "$BACKEND" --cow-quota "$@"
}

# sh_ SIZE SCRIPT [OPTION…]: the script runs in the directory.
sh_() {
	local size=$1 script=$2

	shift 2
	quota "$size" "$@" -- /bin/sh -c "cd '$T/d'; $script"
}

# both TEST…: it is called for each backend, with the directory and the stores as they were at first.
both() {
	for BACKEND in overlay notify; do
		"$@"
		rm -rf "$T/d" "$T/state"
		mkdir -p "$T/d/sub" "$T/state"
		echo one >"$T/d/a"
		echo two >"$T/d/sub/b"
		ln -s a "$T/d/link"
		give "$T/d" "$T/state"
		before=$(picture)
	done
}

# text COUNT: bytes of one's own that "run" can hold.
text() {
	head -c "$1" /dev/urandom | base64 -w 0 | head -c "$1"
}

# used DIR: the disk that all in there takes, in KiB.
used() {
	du -sk "$1" | cut -f 1
}

exact_fit() {
	run sh_ $((16 * PAGE)) "head -c $((16 * PAGE)) /dev/zero >fits"
	exits 0
	[ "$(stat -c %s "$T/d/fits")" = $((16 * PAGE)) ]
}

@test "what fits exactly is written" {
	both exact_fit
}

one_more() {
	run --separate-stderr sh_ $((16 * PAGE)) "head -c $((16 * PAGE + 1)) /dev/zero >more" --on-failure keep
	[ "$status" != 0 ]
	grep -q 'No space left' <<<"$stderr"
	unchanged
}

@test "a byte more is not: ENOSPC" {
	both one_more
}

odd_sizes() {
	run sh_ 1 "head -c $PAGE /dev/zero >fits && ! printf x >>fits"
	exits 0
	run sh_ 0x10000 "head -c 65536 /dev/zero >fits; ! printf x >>fits"
	exits 0
}

@test "the bound is a number of pages, so a byte is one" {
	both odd_sizes
}

freeing() {
	run --separate-stderr sh_ $((16 * PAGE)) "
		head -c $((16 * PAGE)) /dev/zero >x
		! head -c 1 /dev/zero 2>/dev/null >y || exit 1
		truncate -s $((8 * PAGE)) x
		head -c $((8 * PAGE)) /dev/zero >y || exit 2
		rm x y
		head -c $((16 * PAGE)) /dev/zero >z"
	exits 0
	[ "$(stat -c %s "$T/d/z")" = $((16 * PAGE)) ]
	[ ! -e "$T/d/x" ]
}

@test "what is removed or cut off is free again" {
	both freeing
}

sparse_file() {
	run sh_ $((4 * PAGE)) "truncate -s 1G sparse && printf x | dd of=sparse bs=1 seek=99999 conv=notrunc 2>/dev/null"
	exits 0
	[ "$(stat -c %s "$T/d/sparse")" = 1073741824 ]
	[ "$(stat -c %b "$T/d/sparse")" -lt 1000 ]
}

@test "holes count nothing, and stay holes" {
	both sparse_file
}

nothing_in_them() {
	local kind

	for kind in 'true >n$i' 'mkdir n$i' 'ln -s "$long" n$i' 'mkfifo n$i'; do
		run --separate-stderr sh_ "$PAGE" "
			i=0 long=$(printf '%070d' 0)
			while $kind && [ \$i -lt 5000 ]; do i=\$((i + 1)); done
			echo \$i" --on-success discard
		exits 0
		[ "$output" -gt 900 ]
		[ "$output" -lt 1100 ]
		grep -qi 'no space\|cannot create' <<<"$stderr"
	done
}

@test "what has no content has a bound, too: empty files, directories, links" {
	both nothing_in_them
}

attributes() {
	# A KiB for an inode, of which there are some.
	cat >"$T/attributes.py" <<-'END'
		import os
		open("f", "w")
		for i in range(100):
		    try:
		        os.setxattr("f", "user.x%d" % i, b"0" * 50000)
		    except OSError as error:
		        print(i, error.strerror)
		        break
	END
	run sh_ "$PAGE" "/usr/bin/python3 '$T/attributes.py'" -r "$T/attributes.py" --on-success discard
	exits 0
	[[ $output =~ ^(1[0-9]|2[0-9])\ No\ space\ left ]]
}

@test "so have extended attributes" {
	both attributes
}

outside() {
	local fifo=$T/fifo

	mkfifo "$fifo"
	give "$fifo"
	start -x /usr -r /etc $(for d in /bin /lib /lib64; do [ ! -e $d ] || echo "-x $d"; done) -x "$NB_BIN" \
		-w "$fifo" --cow "$T/d" --cow-backend "$BACKEND" --cow-quota $((4 << 20)) --on-success keep -- \
		/bin/sh -c "cd '$T/d'; head -c $((4 << 20)) /dev/urandom >x; mkdir y; echo more >>a; echo full; read _ <'$fifo'"
	await full
	[ "$(used "$T/state")" -lt 200 ]
	unchanged
	echo >"$fifo"
	wait "$LAUNCHER"
	[ "$(used "$T/state")" -ge 4096 ]
	[ "$(used "$T/state")" -lt 4400 ]
	unchanged
	rm "$fifo"
}

@test "while it runs nothing of the host grows; at its end, by the bound at the most" {
	both outside
}

FULL='echo more >>a; rm -r sub; mkdir new; echo x >new/file; ln new/file second; ln -s y new/l; chmod 0600 a
	head -c 1M /dev/zero >full; exit 7'

full_commit() {
	run --separate-stderr sh_ 65536 "$FULL" --on-failure commit
	exits 7
	[ "$(cat "$T/d/a" "$T/d/second")" = "$(printf '%s\n' one more x)" ]
	[ "$T/d/second" -ef "$T/d/new/file" ]
	[ "$(readlink "$T/d/new/l")" = y ]
	[ ! -e "$T/d/sub" ]
	[ "$(stat -c %a "$T/d/a")" = 600 ]
	[ "$(stat -c %u:%g "$T/d/new/file")" = "$NB_UID:$NB_GID" ]
	[ "$(stat -c %s "$T/d/full")" -ge 49152 ]
	[ "$(stat -c %s "$T/d/full")" -lt 65536 ]
	[ -z "$(stores)" ]
}

@test "after ENOSPC a commit brings what was written" {
	both full_commit
}

full_discard() {
	run --separate-stderr sh_ 65536 "$FULL" --on-failure discard
	exits 7
	unchanged
	[ -z "$(stores)" ]
}

@test "after ENOSPC: discard" {
	both full_discard
}

LIST=$(printf '%s\n' 'M  a' 'A  full' 'A  new/' 'A  new/file' 'A  new/l' 'A  second' 'D  sub/')

full_dry_run() {
	run --separate-stderr sh_ 65536 "$FULL" --dry-run
	exits 7
	unchanged
	[ -z "$(stores)" ]
	[ "$(grep '^[AMDTP]  ' <<<"$stderr")" = "$LIST" ]
}

@test "after ENOSPC: --dry-run" {
	both full_dry_run
}

full_keep() {
	local store

	run --separate-stderr sh_ 65536 "$FULL" --on-failure keep
	exits 7
	unchanged
	store=$(stores)
	grep -qxF "nestbox: kept: $store" <<<"$stderr"
	run nb --dry-run --cow-commit "$store"
	exits 0
	is "$(printf 'dry-run: filesystem changes:\n%s' "$LIST")"
	unchanged
	run nb --cow-commit "$store"
	exits 0
	is ""
	[ "$(cat "$T/d/a" "$T/d/second")" = "$(printf '%s\n' one more x)" ]
	[ "$T/d/second" -ef "$T/d/new/file" ]
	[ -z "$(stores)" ]
}

@test "after ENOSPC: keep, and a commit later" {
	both full_keep
}

locked() {
	run --separate-stderr sh_ 8192 "
		mkdir l; echo x >l/f; chmod 0 l/f l; mkdir m; chmod 0 m; chmod 0 sub
		for k in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do mkdir -p p\$k/l; chmod 0 p\$k/l; done
		i=0; while true >n\$i && [ \$i -lt 5000 ]; do i=\$((i + 1)); done; exit 7" --on-failure commit
	exits 7
	[ "$(stat -c '%a' "$T/d/l" "$T/d/m" "$T/d/sub")" = "$(printf '%s\n' 0 0 0)" ]
	chmod 700 "$T/d/l"
	[ "$(stat -c '%a %s' "$T/d/l/f")" = "0 2" ]
	[ -e "$T/d/n0" ]
}

@test "what the command has locked comes out of a full file system" {
	both locked
}

locked_itself() {
	run --separate-stderr sh_ 65536 'echo x >new; chmod 0 .'
	exits 0
	[ -z "$stderr" ]
	[ "$(stat -c %a "$T/d")" = 0 ]
	chmod 0755 "$T/d"
	[ "$(cat "$T/d/new")" = x ]
	[ -z "$(stores)" ]
}

@test "so does what is in the directory if that is locked itself" {
	both locked_itself
}

killed() {
	local store

	start -x /usr -r /etc $(for d in /bin /lib /lib64; do [ ! -e $d ] || echo "-x $d"; done) -x "$NB_BIN" \
		--cow "$T/d" --cow-backend "$BACKEND" --cow-quota 65536 -- \
		/bin/sh -c "cd '$T/d'; echo more >>a; echo done; exec $PROBE hold"
	await done
	kill -KILL "$LAUNCHER"
	gone "$LAUNCHER"
	unchanged
	store=$(stores)
	run --separate-stderr nb --cow-commit "$store"
	exits 125
	one_line "in memory, and are gone; use --cow-discard"
	run --separate-stderr nb --dry-run --cow-commit "$store"
	exits 125
	one_line "in memory, and are gone; use --cow-discard"
	unchanged
	run nb --cow-discard "$store"
	exits 0
	[ -z "$(stores)" ]
}

@test "when nestbox is killed the changes are gone, and that is said" {
	both killed
}

conflict() {
	local fifo=$T/fifo

	mkfifo "$fifo"
	give "$fifo"
	start -x /usr -r /etc $(for d in /bin /lib /lib64; do [ ! -e $d ] || echo "-x $d"; done) -x "$NB_BIN" \
		-w "$fifo" --cow "$T/d" --cow-backend "$BACKEND" --cow-quota 65536 -- \
		/bin/sh -c "cd '$T/d'; echo more >>a; echo x >new; echo done; read _ <'$fifo'"
	await done
	as_caller sh -c "echo theirs >>'$T/d/a'"
	echo >"$fifo"
	wait "$LAUNCHER" || true
	grep -q 'conflict: M  a' "$T/err"
	[ "$(cat "$T/d/a")" = "$(printf '%s\n' one theirs)" ]
	[ ! -e "$T/d/new" ]
	[ -n "$(stores)" ]
	rm "$fifo"
}

@test "a conflict is one as ever, and the store is kept" {
	both conflict
}

@test "notify: a file that is filled counts, and where there is no room the open says so" {
	BACKEND=notify
	text 40000 >"$T/d/big"
	echo keep >"$T/d/small"
	give "$T/d"
	before=$(picture)
	run --separate-stderr sh_ $((4 * PAGE)) '
		cat small
		cat big
		echo "$?"
		[ "$(stat -c %s big)" = 40000 ] || exit 3
		echo x >new
		cat new small' --on-success commit
	exits 0
	is "$(printf '%s\n' keep 1 x keep)"
	grep -q 'big: No space left on device' <<<"$stderr"
	[ "$(cat "$T/d/new")" = x ]
	rm "$T/d/new"
	diff <(grep -v '^ d' <<<"$before") <(picture | grep -v '^ d')
}

@test "notify: a file that found no room gets its content when there is some" {
	BACKEND=notify
	text 40000 >"$T/d/big"
	cp "$T/d/big" "$T/big"
	give "$T/d" "$T/big"
	run --separate-stderr sh_ 49152 '
		head -c 20000 /dev/zero >other
		cat big >/dev/null && exit 3
		mv big moved
		rm other
		cat moved' --on-success commit
	exits 0
	cmp "$T/d/moved" "$T/big"
	[ ! -e "$T/d/big" ]
}

@test "notify: what is only renamed gets its content at the end" {
	BACKEND=notify
	mkdir "$T/d/many"
	text 40000 >"$T/d/many/big"
	ln "$T/d/many/big" "$T/d/many/other"
	cp "$T/d/many/big" "$T/big"
	give "$T/d" "$T/big"
	run --separate-stderr sh_ 49152 'mv many moved; chmod 0600 moved/other'
	exits 0
	cmp "$T/d/moved/big" "$T/big"
	[ "$T/d/moved/big" -ef "$T/d/moved/other" ]
	[ "$(stat -c %a "$T/d/moved/big")" = 600 ]
	[ ! -e "$T/d/many" ]
}

@test "notify: what is renamed and more than the quota is lost, and that is said" {
	BACKEND=notify
	text 40000 >"$T/d/big"
	give "$T/d"
	before=$(picture)
	run --separate-stderr sh_ 32768 'mv big moved' --on-success keep --status-fd 9 9>"$T/status"
	exits 125
	grep -q '"event":"cow".*"result":"lost"' "$T/status"
	grep -q 'moved: with its content the changes are more than --cow-quota' <<<"$stderr"
	grep -q 'nestbox: lost: ' <<<"$stderr"
	unchanged
	[ -z "$(stores)" ]
	run --separate-stderr sh_ 32768 'mv big moved' --dry-run
	exits 125
	one_line 'moved: with its content'
	unchanged
	[ -z "$(stores)" ]
}

@test "notify: a large directory does not use up what the command may make" {
	BACKEND=notify
	mkdir "$T/d/many"
	(cd "$T/d/many" && for ((i = 0; i < 3000; i++)); do : >"$i"; done)
	give "$T/d"
	run --separate-stderr sh_ "$PAGE" 'i=0; while true >n$i && [ $i -lt 5000 ]; do i=$((i + 1)); done; echo $i' \
		--on-success discard
	exits 0
	[ "$output" -gt 900 ]
	[ "$output" -lt 1100 ]
}

# others: the caller's directory has files of another of its groups.
others() {
	need_plain_caller
	[ "$(id -u)" = 0 ] || skip "about callers with uid 0"
	CALLER=(setpriv "--reuid=$NB_UID" "--regid=$NB_GID" "--groups=$NB_GID,54321" --)
	chgrp 54321 "$T/d" "$T/d/a" "$T/d/sub" "$T/d/sub/b"
	chmod 2775 "$T/d" "$T/d/sub"
}

@test "overlay: the directory keeps another group of a user's" {
	others
	BACKEND=overlay
	run --separate-stderr sh_ 65536 'echo x >new'
	[ "$status" != 0 ]
	grep -q 'Value too large' <<<"$stderr"
	chmod g-s "$T/d"
	run --separate-stderr sh_ 65536 'mkdir own; chmod 0700 .'
	exits 0
	[ "$(stat -c %g:%a "$T/d")" = 54321:700 ]
	[ "$(stat -c %g "$T/d/own")" = "$NB_GID" ]
}

@test "notify: what is of another group of a user's stays so" {
	others
	BACKEND=notify
	run --separate-stderr sh_ 65536 'echo more >>a; echo x >sub/new; chmod 2700 sub; mv sub/b moved'
	exits 0
	[ "$(stat -c %g "$T/d" "$T/d/a" "$T/d/sub" "$T/d/moved" | sort -u)" = 54321 ]
	[ "$(stat -c %g:%a "$T/d/sub")" = 54321:2700 ]
	[ "$(cat "$T/d/a")" = "$(printf '%s\n' one more)" ]
}

@test "ranges of ids only for root" {
	need_plain_caller
	BACKEND=overlay
	run --separate-stderr quota 4096 --map-uids 0:100000:10 -- "$PROBE" true
	exits 125
	one_line "--cow-quota: needs the rights of root"
	[ -z "$(stores)" ]
}

lost() {
	mkdir "$T/small"
	mount -t tmpfs -o size=64k,mode=0777 none "$T/small"
	run --separate-stderr sh_ 1048576 'head -c 500000 /dev/zero >x' --cow-store "$T/small/s"
	umount "$T/small"
	rmdir "$T/small"
	exits 125
	grep -q 'No space left' <<<"$stderr"
	grep -q 'nestbox: lost: ' <<<"$stderr"
	[ "$(wc -l <<<"$stderr")" = 2 ]
	unchanged
}

@test "overlay: --dry-run needs no room for a store" {
	need_root "a file system of the test's own"
	BACKEND=overlay
	mkdir "$T/small"
	mount -t tmpfs -o size=64k,mode=0777 none "$T/small"
	run --separate-stderr sh_ 1048576 '
		head -c 500000 /dev/zero >x; mkdir l; chmod 0 l sub
		for k in $(seq 100); do mkdir -p "p$k/l"; chmod 0 "p$k/l"; done
		i=0; while true >n$i && [ $i -lt 5000 ]; do i=$((i + 1)); done' --dry-run --cow-store "$T/small/s"
	umount "$T/small"
	exits 0
	[ "$(grep -c '^A  n' <<<"$stderr")" -gt 700 ]
	[ "$(grep -c '^A  p.*/l/$' <<<"$stderr")" = 100 ]
	[ "$(grep '^[AMDTP]  [^np]' <<<"$stderr")" = "$(printf '%s\n' 'A  l/' 'P  sub/' 'A  x')" ]
	unchanged
}

@test "a store without room at the end: what was changed is lost, and that is said" {
	need_root "a file system of the test's own"
	both lost
}

@test "sizes that are none, and a quota of nothing" {
	local size

	for size in 0 -1 +1 '' ' 1' 1k 1.5 0x 9223372036854775808 99999999999999999999999; do
		run --separate-stderr box --cow "$T/d" --cow-quota "$size" -- /bin/true
		exits 125
		one_line --cow-quota
	done
	run --separate-stderr box --cow-quota 4096 -- /bin/true
	exits 125
	one_line "needs --cow"
	run --separate-stderr box --cow "$T/d" --cow-quota 4096 --cow-quota 4096 -- /bin/true
	exits 125
	one_line "once"
	unchanged
	[ -z "$(stores)" ]
}

@test "where no such file system can be had nothing is started" {
	local fsopen=430 fsconfig=431 fsmount=432 # they have the same number everywhere
	local call

	for call in $fsopen $fsconfig $fsmount; do
		for error in EPERM ENOSYS; do
			run --separate-stderr as_caller "$NB_BIN/deny" $call $error -- "$NB" -x "$NB_BIN" \
				--cow "$T/d" --cow-quota 4096 -- "$PROBE" true
			exits 125
			grep -q '^nestbox: --cow-quota: tmpfs: ' <<<"$stderr"
			[ "$(wc -l <<<"$stderr")" = 1 ]
		done
	done
	if [ "$NB_AS" = user ]; then
		# clone(2) with CLONE_NEWUSER
		local clone=56
		case $(uname -m) in
		x86_64) ;;
		armv*) clone=120 ;;
		*) clone=220 ;;
		esac
		run --separate-stderr as_caller "$NB_BIN/deny" "$clone&268435456" EPERM -- "$NB" -x "$NB_BIN" \
			--cow "$T/d" --cow-backend overlay --cow-quota 4096 -- "$PROBE" true
		exits 125
		grep -q 'nestbox: clone: Operation not permitted (a seccomp filter' <<<"$stderr"
	fi
	unchanged
	[ -z "$(stores)" ]
}

no_attributes() {
	run --separate-stderr as_caller "$NB_BIN/deny" "$(fsetxattr)" 95 -- "$NB" -x "$NB_BIN" \
		--cow "$T/d" --cow-backend "$BACKEND" --cow-quota 4096 -- "$PROBE" true
	exits 125
	one_line 'options: --cow-quota: needs a tmpfs with extended attributes of users: Linux 6.6'
	unchanged
	[ -z "$(stores)" ]
}

@test "nor where tmpfs has no extended attributes of users, before Linux 6.6" {
	both no_attributes
}

@test "--explain tells it" {
	run nb -x "$NB_BIN" --cow "$T/d" --cow-quota 1048576 --explain -- "$PROBE" true
	exits 0
	grep -q 'quota.*1048576 bytes, in memory' <<<"$output"
	[ -z "$(stores)" ]
}
