#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# nestbox is killed before each call by which it changes a file: while it makes the store, while the command runs, when
# it collects, commits or discards, and while --cow-commit and --cow-discard do. Whenever that is, each file in the
# directory is as at the start or as the command has left it, in content and in all else; a second command brings the
# directory to the one or the other, and nothing of ours stays beside or in it.
#
# With COW_MOMENTS=all every such call is one (half an hour), else some 16 of each phase: not the same each time.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

NB_LIMIT=60

setup_file() {
	nb_setup_file
	cp "$NB_HELPERS/../cow/manifest" "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR/bin/manifest"
}

setup() {
	nb_setup
	need strace
	mkdir "$T/state" "$T/start"
	start_files
	give "$T"
	use_state "$T/state"
	SYSTEM=(-x /usr -r /etc -x "$NB_BIN")
	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || SYSTEM+=(-x "$dir")
	done
	since=$(date +%s)
	again
	list >"$T/start.list"
	killed=0
}

teardown() {
	cd / && rm -rf "$STATE" "$T"
}

# use_state DIR: where stores are.
use_state() {
	STATE=$1
	export XDG_STATE_HOME=$1
}

start_files() {
	(
		cd "$T/start" || exit
		mkdir -p sub/deep dirfile again locked moved
		for name in a gone sub/b sub/deep/c dirfile/x filedir again/b again/c locked/y mode old moved/z keep h1; do
			echo "the old $name" >$name
		done
		ln h1 h2
		seq 60000 >big
		ln -s a link
		mkfifo fifo
		python3 -c 'import os; os.setxattr("a", "user.mark", b"one"); os.setxattr("sub", "user.mark", b"two")'
		chmod 0555 locked
		chmod 0755 mode
		find . -exec touch -h -d @1450000000.5 {} +
	)
}

STEPS=(
	'echo more >>a; echo more >>h1'
	'printf changed | dd of=big bs=1 seek=100000 conv=notrunc status=none'
	'rm -r gone sub dirfile filedir again fifo'
	'echo file >dirfile; mkdir filedir again; echo x >filedir/x; echo new >again/b'
	'ln -sfn keep link; chmod 0600 mode; mv old new; mv moved/z moved/zz'
	'chmod 0755 locked; echo more >>locked/y; chmod 0555 locked'
	'mkdir -p n/e/w; echo 1 >n/e/w/1; ln n/e/w/1 n/2; mkfifo fifo2; chmod 0700 n/e'
)
JOB=$(printf '%s\n' "${STEPS[@]}")

again() {
	[ ! -e "$T/d" ] || rm -rf "$T/d"
	cp -a "$T/start" "$T/d"
}

list() {
	"$NB_BIN/manifest" "$T/d" "$since"
}

stores() {
	find "$STATE" -mindepth 2 -maxdepth 2 -name 'cow-*'
}

# moments PHASE: of the trace $T/trace, those calls that change something, as "CALL NUMBER" lines: those before the box
# ("start"), after it ("end") or all ("whole").
moments() {
	awk -F '(' -v phase="$1" -v calls="${calls:-}" '
		NR == FNR { if (/^clone.*CLONE_NEWPID/) box = FNR; if (/^wait4/) ended = FNR; next }
		{ count[$1]++ }
		phase == "start" && FNR > box || phase == "end" && FNR < ended { next }
		calls != "" && $1 !~ calls { next }
		/^(rename|unlink|rmdir|mkdir|link|symlink|mknod|fset|fremove|f?chmod|fchown|utimensat|ftruncate|write|copy_file|fsync|syncfs|mmap.*SHARED|exit_group)/ ||
			/^open.*O_CREAT/ { print $1, count[$1] }' "$T/trace" "$T/trace" >"$T/moments"
	awk -v most="${COW_MOMENTS:-16}" -v random="$RANDOM" '
		{ line[NR] = $0 }
		END {
			step = most == "all" || NR < most ? 1 : int(NR / most)
			for (i = 1 + random % step; i <= NR; i += step) print line[i]
		}' "$T/moments"
}

# killed_at CALL NUMBER ARGUMENT…: nestbox, killed before that call.
killed_at() {
	local call=$1 number=$2

	shift 2
	status=0
	as_caller strace -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$number" \
		"$NB" "$@" >"$T/out" 2>&1 || status=$?
	[ "$status" -ne 137 ] || killed=$((killed + 1))
}

run_cow() {
	as_caller strace -o "$T/trace" "$NB" "$@" >"$T/out" 2>&1
}

problem() {
	echo "$1" >&2
	cat "$T/out" >&2
	return 1
}

# sound: each file is as it was or as it is to be. What is or was a directory may be away while it is replaced; the rights
# of directories come last.
sound() {
	list | grep -v '^\.nestbox-commit-' >"$T/now.list" || true
	awk '
		FNR == 1 { file++ }
		{ path = $1; type = $2; if (type == "d") { $3 = $6 = $8 = "" } $7 = "" }
		file == 1 { start[path] = $0; start_type[path] = type; next }
		file == 2 { result[path] = $0; result_type[path] = type; next }
		{ now[path] = 1; if ($0 != start[path] && $0 != result[path]) print "neither nor: " $0 }
		END {
			for (path in start)
				if (path in result && !(path in now) && start_type[path] == result_type[path] && path !~ /^again(\/|$)/)
					print "lost: " path
		}' "$T/start.list" "$T/result.list" "$T/now.list" >"$T/wrong"
	[ ! -s "$T/wrong" ] || problem "$(cat "$T/wrong")"
}

# is_all LIST: the directory is as in LIST, and nothing of ours is left.
is_all() {
	list >"$T/now.list"
	diff "$T/$1.list" "$T/now.list" >&2 || problem "not the $1"
	clean
}

clean() {
	[ -z "$(stores)" ] || problem "there is a store still: $(find "$(stores)")"
	[ -z "$(ls -A "$T/d" | grep nestbox)" ] || problem 'ours in the directory'
	[ -z "$(ls -A "$T" | grep -vxE 'd|start|state|\.out|err|in|attached|out|trace|moments|(start|result|now)\.list|wrong|before')" ] ||
		problem "ours beside the directory: $(ls -A "$T")"
}

# second COMMAND: --cow-commit or --cow-discard of what a killed one has left. Where there is no store it was done with
# it, or had not begun. A commit that cannot be says so in a line, and then the store can be discarded.
second() {
	local store

	sound
	store=$(stores)
	[ -n "$store" ] || { clean; return; }
	cp "$T/now.list" "$T/before"
	status=0
	nb "$1" "$store" >"$T/out" 2>&1 || status=$?
	if [ "$1" = --cow-commit ] && [ "$status" -eq 125 ]; then
		[ "$(grep -c '^nestbox: cow.*use --cow-discard' "$T/out")" -eq 1 ] || problem 'not one clear line'
		sound
		status=0
		nb --cow-discard "$store" >"$T/out" 2>&1 || status=$?
		set -- --cow-discard
	fi
	[ "$status" -eq 0 ] || problem "$1: status $status"
	sound
	if [ "$1" = --cow-commit ]; then
		# Where they were to be discarded they can be forgotten.
		if [ -n "${discards:-}" ] && diff "$T/start.list" "$T/now.list" >/dev/null; then is_all start; else is_all result; fi
	else
		# The number of a file with several names counts those before it.
		diff <(awk '{ $7 = ""; print }' "$T/before") <(awk '{ $7 = ""; print }' "$T/now.list") >&2 || problem 'a discard has changed the directory'
		clean
	fi
}

# next_box: can start.
next_box() {
	as_caller "$NB" -x "$NB_BIN" --cow "$T/d" --cow-backend "$backend" -- "$PROBE" exit 0 >"$T/out" 2>&1 || problem 'no new box'
	[ -z "$(stores)" ]
}

# kill_all MOMENTS COMMAND…: does COMMAND CALL NUMBER for each of the moments, which kills, and then a second command,
# mostly a commit.
kill_all() {
	local count=0 call number phase=$1

	shift
	while read -r call number; do
		echo "$backend $* $call $number"
		again
		"$@" "$call" "$number"
		if [ $((count++ % 3)) -eq 2 ]; then second --cow-discard; else second --cow-commit; fi
		[ $((count % 8)) -ne 1 ] || next_box
	done < <(moments "$phase")
	# The sanitizers' runtime has calls of its own, and not always as many.
	[ "$count" -gt 5 ] && [ $((killed * 10)) -ge $((count * 9)) ]
}

# box_with OPTION…: the words of the command.
box_with() {
	words=("${SYSTEM[@]}" --cow "$T/d" --cow-backend "$backend" ${quota:+--cow-quota "$quota"} "$@" --chdir "$T/d" -- /bin/sh -euc "$JOB")
}

box_killed_at() {
	killed_at "$@" "${words[@]}"
}

# store_killed_at COMMAND CALL NUMBER: while COMMAND works on a store that was kept.
store_killed_at() {
	run_cow "${words[@]}" || problem 'the command fails'
	killed_at "$2" "$3" "$1" "$(stores)"
}

# ends BACKEND: with a commit.
ends() {
	finish_one "$1"
	kill_all end box_killed_at
}

# discards BACKEND
discards() {
	finish_one "$1"
	discards=1
	box_with --on-success discard
	again
	run_cow "${words[@]}"
	is_all start
	kill_all end box_killed_at
}

# Another command, with a store that was kept.
commands() {
	finish_one "$1"
	for command in --cow-commit --cow-discard; do
		discards=
		[ "$command" = --cow-commit ] || discards=1
		box_with --on-success keep
		again
		run_cow "${words[@]}"
		as_caller strace -o "$T/trace" "$NB" "$command" "$(stores)"
		kill_all whole store_killed_at "$command"
	done
}

# finish_one BACKEND: what comes of the command when nobody kills it.
finish_one() {
	backend=$1
	again
	box_with
	run_cow "${words[@]}" || problem 'the command fails'
	list >"$T/result.list"
}

# starts BACKEND: killed before the command runs.
starts() {
	finish_one "$1"
	cp "$T/start.list" "$T/result.list"
	kill_all start box_killed_at
}

@test "killed while it commits: overlay" { ends overlay; }
@test "killed while it collects and commits: notify" { ends notify; }
@test "killed while it discards: overlay" { discards overlay; }
@test "killed while it discards: notify" { discards notify; }
@test "--cow-commit and --cow-discard are killed: overlay" { commands overlay; }
@test "--cow-commit and --cow-discard are killed: notify" { commands notify; }
@test "killed while it makes the store: overlay" { starts overlay; }
@test "killed while it makes the store: notify" { starts notify; }

# Changes are copied to the directory's file system first.
elsewhere() {
	rm -r "$STATE"
	use_state "$(mktemp -d /dev/shm/nbt.XXXXXX)"
	give "$STATE"
	[ "$(stat -c %d "$STATE")" != "$(stat -c %d "$T/d")" ] || problem 'is on the same file system'
	"$@"
}

@test "killed while it commits from another file system: overlay" { elsewhere ends overlay; }
@test "killed while it commits from another file system: notify" { elsewhere ends notify; }

# The changes are in memory first, and copied to the store: a store without them can only be discarded.
in_memory() {
	quota=$((1 << 24))
	"$@"
}

@test "killed while it copies from memory and commits: overlay" { in_memory ends overlay; }
@test "killed while it copies from memory and commits: notify" { in_memory ends notify; }
@test "killed while it makes what is in memory" {
	in_memory starts overlay
	in_memory starts notify
}

# kill_now: all of ours, by their pids, or the launcher alone; then the box is gone, and so is who writes to it.
kill_now() {
	local all=()

	[ "$1" = launcher ] || read -ra all <<<"$(children "$LAUNCHER")"
	kill -KILL "$LAUNCHER" "${all[@]}"
	gone "$LAUNCHER"
	drained
	list | diff "$T/start.list" - >&2
}

# What was moved without having been opened gets its content at the end.
@test "killed while it fills what was moved" {
	STEPS=('mv moved/z moved/zz; mv big large')
	JOB=${STEPS[0]}
	calls='^(write|copy_file_range|utimensat|fchmod|linkat)' COW_MOMENTS=all ends notify
}

# runs BACKEND: killed after each step of the command: what the steps have done can be committed, all of it.
runs() {
	local i

	backend=$1
	for i in "${!STEPS[@]}"; do
		box_with
		words[-1]=$(printf '%s\n' "${STEPS[@]::i+1}")
		again
		run_cow "${words[@]}" || problem 'the command fails'
		list >"$T/result.list"
		words[-1]+="
			exec $PROBE hold"
		again
		start "${words[@]}"
		await ready
		if [ $((i % 2)) -eq 0 ]; then kill_now launcher; else kill_now all; fi
		[ -n "$(stores)" ]
		if [ "$i" -eq 3 ]; then second --cow-discard; else second --cow-commit; fi
	done
	next_box
}

@test "killed while the command runs: overlay" { runs overlay; }
@test "killed while the command runs: notify" { runs notify; }

# At any time, from the start to the end and in no order.
@test "killed at random times" {
	local count=0

	for backend in overlay notify overlay notify overlay notify; do
		finish_one "$backend"
		for _ in 1 2 3 4; do
			again
			start "${words[@]}"
			pause=0.0$((RANDOM % 100 + 100))
			pause=${pause/0.01/0.0}
			echo "$backend $pause"
			read -r -t "$pause" -u 7 || true
			kill -KILL "$LAUNCHER" 2>/dev/null || true
			gone "$LAUNCHER"
			drained
			if [ $((count++ % 2)) -eq 0 ]; then second --cow-discard; else unfinished; fi
		done
		next_box
	done
}

# unfinished: a commit of a command that was in the middle of its work.
unfinished() {
	local store

	sound
	store=$(stores)
	if [ -n "$store" ] && ! nb --cow-commit "$store" >"$T/out" 2>&1; then
		grep -q 'use --cow-discard' "$T/out" || problem 'no commit'
		nb --cow-discard "$store"
	fi
	clean
}

@test "killed while a file is filled: notify" {
	backend=notify
	for call in ioctl lseek copy_file_range utimensat write fchmodat statx; do
		again
		chmod 0400 "$T/d/keep"
		list | tee "$T/start.list" >"$T/result.list"
		box_with
		words[-1]='echo ready; read line; cat big keep >/dev/null; echo done; read line'
		mkfifo "$T/in"
		exec 8<>"$T/in"
		start "${words[@]}" <&8
		await ready
		# shellcheck disable=SC2046
		set -- $(children "$LAUNCHER")
		listener=$1
		# It may wait in that very call.
		kill -STOP "$LAUNCHER"
		as_caller strace -o "$T/trace" -p "$listener" -e trace="$call" -e inject="$call:signal=KILL:when=${number:-1}" 2>"$T/attached" 3>&- 7>&- &
		tracer=$!
		until grep -q attached "$T/attached" 2>/dev/null; do :; done
		echo >&8
		gone "$listener"
		kill -KILL "$LAUNCHER"
		gone "$LAUNCHER"
		wait "$tracer" || true # it may still have to write that
		grep -q 'killed by SIGKILL' "$T/trace"
		run nb --dry-run --cow-commit "$(stores)"
		echo "$call: $output"
		is 'dry-run: no filesystem changes'
		second --cow-commit
		rm "$T/in" "$T/attached"
	done
}
