#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --append under attack by tests/escape/append.c and notify.c: sandlock's row of THREATS and more.

# shellcheck disable=SC2030,SC2031,SC2154 # variables shared with common.bash and run
load ../lib/common

setup_file() {
	nb_setup_file
	cp "$NB_HELPERS/append" "$NB_HELPERS/notify" "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR/bin/"{append,notify}
}

setup() {
	nb_setup
	mkdir "$T/logs"
	LOG=$T/logs/log
	# More than a page, no two bytes of which are easily the same.
	seq 1 2000 >"$LOG"
	cp "$LOG" "$T/before"
	give "$T/logs"
}

# intact: nothing was written but at the end.
intact() {
	[ "$status" -eq 0 ] || { echo "status $status: $output" >&2; return 1; }
	is '' || return 1
	cmp -n "$(stat -c %s "$T/before")" "$T/before" "$LOG"
}

attack() {
	NB_LIMIT=120 run mini --append "$LOG" "$@" -- "$NB_BIN/append" calls "$LOG"
	intact
	[ "$(tail -1 "$LOG")" = end ]
}

race() {
	NB_LIMIT=120 run mini --append "$LOG" "$@" -- "$NB_BIN/append" races "$LOG" "$((NB_LOOPS * 20))"
	intact
}

core() {
	NB_LIMIT=120 run mini --append "$LOG" -- "$NB_BIN/notify" "$@"
	intact
}

@test "each way to write elsewhere than at the end is closed" {
	attack
}

@test "the same below a writable directory" {
	attack -w "$T/logs"
	attack -x / -w / -x "$NB_BIN"
}

@test "the same with the profile that allows nearly all" {
	attack --filter none
	attack --filter none --allow-userns -w "$T/logs"
}

@test "the same for a command with the rights of uid 0 inside" {
	attack --uid 0 --gid 0
	attack --as-pid-1
}

@test "paths, flags and descriptors that another thread exchanges win nothing" {
	race
}

@test "the same below a writable directory, and with the profile that allows nearly all" {
	race -w "$T/logs"
	race -w "$T/logs" --filter none
}

@test "bad pointers, unended and overlong paths" {
	core pointers "$LOG"
}

@test "the command has no descriptor left: EMFILE; those it gets are as it asks" {
	core descriptors "$LOG"
}

@test "paths of every form" {
	core paths "$LOG"
}

@test "many processes at once" {
	core flood "$LOG" "$NB_LOOPS"
}

@test "callers that are killed while they wait" {
	core death "$LOG" "$((NB_LOOPS * 5))"
}

@test "callers that are interrupted again and again" {
	core signals "$LOG" "$NB_LOOPS"
}

@test "a thread with descriptors of its own" {
	core table "$LOG"
}

@test "no descriptor for the one who answers: an error, and nothing gets through" {
	run mini --append "$LOG" --rlimit nofile=64 -- "$NB_BIN/append" calls "$LOG"
	intact
	# Room for the start, and hardly more: whatever fails, it fails closed.
	local limit
	for limit in 12 14 16 18 20 24; do
		run bash -c "ulimit -n $limit; $(declare -p CALLER NB NB_BIN LOG)
			timeout -s KILL 60 \"\${CALLER[@]}\" \"\$NB\" -x \"\$NB_BIN\" --append \"\$LOG\" -- \"\$NB_BIN/append\" calls \"\$LOG\""
		cmp -n "$(stat -c %s "$T/before")" "$T/before" "$LOG"
	done
}

@test "a file of an overlay that has two names, and other numbers once it is opened to write" {
	need_root "an overlay"
	mkdir "$T/low" "$T/up" "$T/all"
	cp "$LOG" "$T/low/log"
	ln "$T/low/log" "$T/low/other"
	give "$T/low"
	# shellcheck disable=SC2016
	run timeout -s KILL 120 unshare -m --propagation private /bin/bash -c '
		mount -t tmpfs -o mode=755 t "$1/up" && mkdir "$1/up/new" "$1/up/work" || exit 99
		mount -t overlay -o "lowerdir=$1/low,upperdir=$1/up/new,workdir=$1/up/work" t "$1/all" || exit 99
		log=$1/all/log before=$1/before attack=$2/append numbers=$(stat -c %d:%i "$1/all/log")
		shift 2
		"$@" --append "$log" -- "$attack" calls "$log" || exit
		[ "$(stat -c %d:%i "$log")" != "$numbers" ] || exit 98
		cmp -n "$(stat -c %s "$before")" "$before" "$log" && tail -1 "$log"' - \
		"$T" "$NB_BIN" "${CALLER[@]}" "$NB" -x "$NB_BIN"
	exits 0
	is end
}
