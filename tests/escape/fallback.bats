#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --fallback: hostile commands where Landlock and filters are all there is. What each attempt could do without
# them is shown by the same attempt of the caller's.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

NEW=$((0x7e020000))
NAMESPACES=56\&$NEW,272\&$NEW,435

setup() {
	nb_setup
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
	mkdir "$T/in" "$T/out"
	echo secret >"$T/out/file"
	give "$T"
}

# fallen ARGUMENT…: nestbox where no namespace can be had.
fallen() {
	as_caller "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback -x "$NB_BIN" "$@"
}

# stranger: another process of the caller's, LAUNCHER.
stranger() {
	launch "$PROBE" hold
	await ready
}

# ---- other processes ----

@test "a stranger's memory, files and descriptors" {
	local filter attempts

	stranger
	attempts=(open-r "/proc/$LAUNCHER/environ" -- open-r "/proc/$LAUNCHER/maps" -- open-r "/proc/$LAUNCHER/mem"
		-- stat "/proc/$LAUNCHER/fd/0" -- stat "/proc/$LAUNCHER/root/etc" -- stat "/proc/$LAUNCHER/cwd/out"
		-- readlink "/proc/$LAUNCHER/exe" -- seize "$LAUNCHER" -- getfd "$LAUNCHER" 0)
	run as_caller "$TRY" "${attempts[@]}"
	[ "$(grep -c ': ok$' <<<"$output")" = 9 ]
	for filter in default none; do
		run fallen --filter "$filter" -- "$TRY" "${attempts[@]}" -- open-w "/proc/$LAUNCHER/mem" -- vmread "$LAUNCHER" \
			-- attach "$LAUNCHER"
		exits 0
		lacks 'ok$'
	done
}

@test "the files of a stranger in /proc cannot be written" {
	local file attempts=()

	stranger
	for file in oom_score_adj comm coredump_filter timerslack_ns; do
		attempts+=(rewrite "/proc/$LAUNCHER/$file" --)
	done
	unset 'attempts[-1]'
	run as_caller "$TRY" "${attempts[@]}"
	says "rewrite /proc/$LAUNCHER/oom_score_adj: ok" "rewrite /proc/$LAUNCHER/coredump_filter: ok"
	run fallen -- "$TRY" "${attempts[@]}" -- open-w /proc/self/comm -- open-w /proc/self/uid_map \
		-- open-w /proc/self/loginuid -- open-w /proc/sys/kernel/core_pattern -- open-w /proc/sys/kernel/hostname
	exits 0
	lacks 'ok$'
}

@test "the kernel sends no signals to a stranger, by none of its ways" {
	local attempts filter

	stranger
	attempts=(kill "$LAUNCHER" 0 -- tgkill "$LAUNCHER" 0 -- pidfd-kill "$LAUNCHER" 0 -- sigqueue "$LAUNCHER" 0)
	run as_caller "$TRY" "${attempts[@]}"
	[ "$(grep -c ': ok$' <<<"$output")" = 4 ]
	for filter in default none; do
		run fallen --filter "$filter" -- "$TRY" "${attempts[@]}" -- kill "$LAUNCHER" 9 -- tgkill "$LAUNCHER" 9 \
			-- pidfd-kill "$LAUNCHER" 9
		exits 0
		lacks 'ok$'
		# SIGIO, which would end it.
		run fallen --filter "$filter" -- "$TRY" own "$LAUNCHER"
		says "own $LAUNCHER: ok"
		kill -0 "$LAUNCHER"
	done
	run as_caller "$TRY" own "$LAUNCHER"
	finish
	[ "$status" = $((128 + 29)) ]
}

@test "nestbox itself: no signal, no trace, no priority, no descriptor" {
	run fallen -x /usr -x /bin -x /lib --exec-try /lib64 --status-fd 8 -- /bin/sh -c 'exec "$0" kill "$PPID" 0 -- kill "$PPID" 9 \
		-- kill "$PPID" 19 -- tgkill "$PPID" 9 -- pidfd-kill "$PPID" 15 -- sigqueue "$PPID" 17 -- seize "$PPID" \
		-- vmread "$PPID" -- getfd "$PPID" 8 -- open-w "/proc/$PPID/mem" -- open-r "/proc/$PPID/environ" \
		-- stat "/proc/$PPID/fd/8" -- stat "/proc/$PPID/root/etc" -- nice "$PPID" -- ionice "$PPID" -- affinity "$PPID" \
		-- scheduler "$PPID" -- prlimit "$PPID"' "$TRY" 8>"$T/events"
	exits 0
	[ "${#lines[@]}" = 18 ]
	lacks 'ok$'
	grep -q '"event":"exit","code":0' "$T/events"
}

@test "priorities of others stay, one's own can be lowered" {
	local attempts filter

	stranger
	attempts=(nice "$LAUNCHER" -- ionice "$LAUNCHER" -- affinity "$LAUNCHER" -- scheduler "$LAUNCHER" -- prlimit "$LAUNCHER")
	for filter in default none; do
		run fallen --filter "$filter" -- "$TRY" "${attempts[@]}" -- nice-user -- renice
		exits 0
		lacks 'ok$'
		run fallen --filter "$filter" -- "$TRY" nice 0 -- ionice 0 -- affinity 0 -- scheduler 0 -- prlimit 0
		[ "$(grep -c ': ok$' <<<"$output")" = 5 ]
	done
	run as_caller "$TRY" "${attempts[@]}"
	[ "$(grep -c ': ok$' <<<"$output")" = 5 ]
}

@test "the user's keys" {
	run as_caller "$TRY" user-keys
	says "user-keys: ok"
	run fallen --filter none -- "$TRY" user-keys -- keyring
	says "user-keys: EPERM" "keyring: EPERM"
	run fallen -- "$TRY" user-keys
	says "user-keys: EPERM"
}

# ---- the end ----

# bombed ARGUMENT…: a bomb of about 150 processes beside those that the user has.
bombed() {
	local others

	[ "$NB_UID" != 0 ] || skip "no limit holds root's bombs"
	others=$(find /proc -maxdepth 1 -name '[0-9]*' -uid "$NB_UID" | wc -l)
	cp "$NB_HELPERS/bomb" "$T/in/"
	give "$T"
	launch "$NB_BIN/starter" reset "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback --rlimit "nproc=$((others + 150))" \
		-x "$T/in" -x /usr -x /bin -x /lib --exec-try /lib64 "$@"
	finish
	drained
}

@test "what starts others for ever ends with the command, and nobody else does" {
	local stranger

	"${CALLER[@]}" "$PROBE" hold >/dev/null 3>&- &
	stranger=$!
	MINE+=("$stranger")
	bombed -- "$T/in/bomb"
	[ "$status" = 5 ]
	kill -0 "$stranger"
}

@test "--timeout ends it as well" {
	bombed --timeout 1 -- /bin/sh -c '"$0"; kill -STOP $$' "$T/in/bomb"
	[ "$status" = 124 ]
}

# ---- files ----

@test "what is not granted is not changed, nor what is granted to be read" {
	local file attempts=()

	ln "$T/out/file" "$T/in/hard"
	give "$T"
	for file in "$T/out/file" "$T/in/hard"; do
		attempts+=(chmod "$file" -- xattr "$file" -- truncate "$file" -- unlink "$file" -- open-w "$file"
			-- link "$file" "$T/new" -- rename "$file" "$T/moved" --)
	done
	unset 'attempts[-1]'
	run fallen -r "$T/in" -- "$TRY" "${attempts[@]}"
	exits 0
	lacks 'ok$'
	[ "$(<"$T/out/file")" = secret ]
	run as_caller "$TRY" xattr "$T/out/file" -- chmod "$T/out/file" -- link "$T/out/file" "$T/new" \
		-- rename "$T/out/file" "$T/moved" -- truncate "$T/moved"
	[ "$(grep -c ': ok$' <<<"$output")" -ge 4 ]
}

@test "modes: no other name, no exchange in between and no descriptor leads to what is not granted" {
	mkdir "$T/in/d"
	echo mine >"$T/in/mine"
	ln "$T/out/file" "$T/in/d/hard"
	give "$T"
	# A name in there is a way to write to it, too; that outside is none.
	run fallen -w "$T/in" -- "$TRY" chmod "$T/out/file" -- rename "$T/in/d" "$T/in/e" -- chmod "$T/out/../out/file"
	says "chmod $T/out/file: EPERM" "chmod $T/out/../out/file: EPERM"
	rm "$T/in/e/hard"
	chmod 0600 "$T/out/file"
	run fallen -w "$T/in" -r "$T/out" -- "$NB_BIN/attributes" race "$T/in/turning" "$T/in/mine" "$T/out/file"
	exits 0
	[ "$(stat -c %a "$T/out/file")" = 600 ]
	[ "$(stat -c %a "$T/in/mine")" = 777 ]
	run fallen -w "$T/in" --keep-fd 9 -- "$TRY" chmod /proc/self/fd/9 -- xattr /dev/fd/9 -- chmod /dev/stdin 9<"$T/out/file" <"$T/out/file"
	exits 0
	lacks 'ok$'
	[ "$(stat -c %a "$T/out/file")" = 600 ]
}

@test "links and names in a directory that can be written lead nowhere else" {
	mkfifo "$T/out/fifo"
	ln -s "$T/out" "$T/in/dir"
	give "$T"
	run fallen -w "$T/in" -r "$T/out/fifo" -- "$TRY" symlink "$T/out/file" "$T/in/link" -- open-r "$T/in/link" \
		-- open-r "$T/in/dir/file" -- put "$T/in/dir/new" -- link "$T/out/file" "$T/in/hard" -- rename "$T/out/file" "$T/in/moved" \
		-- rename "$T/in/dir" "$T/out/dir" -- open-w "$T/out/fifo" -- mkchr "$T/in/null" -- mkblk "$T/in/disk"
	says "symlink $T/out/file $T/in/link: ok" "open-r $T/in/link: EACCES" "open-r $T/in/dir/file: EACCES" \
		"put $T/in/dir/new: EACCES" "link $T/out/file $T/in/hard: EXDEV"
	[ "$(grep -c ': ok$' <<<"$output")" = 1 ]
	[ ! -e "$T/out/dir" ] && [ ! -e "$T/out/new" ] && [ -e "$T/out/file" ]
	# What may be read does not become what may be written by another name.
	run fallen -w "$T/in" -r "$T/out" -- "$TRY" open-r "$T/out/file" -- link "$T/out/file" "$T/in/hard" \
		-- link-fd "$T/out/file" "$T/in/hard" -- rename "$T/out/file" "$T/in/moved"
	says "open-r $T/out/file: ok"
	[ "$(grep -c ': ok$' <<<"$output")" = 1 ]
}

@test "what crashes leaves no core where nothing is granted" {
	local crash='ulimit -c unlimited; cd "$0"; /bin/sh -c '"'kill -SEGV \$\$'"

	run as_caller /bin/sh -c "$crash" "$T/out"
	compgen -G "$T/out/*core*" >/dev/null || skip "cores go elsewhere here"
	rm "$T"/out/*core*
	run as_caller /bin/sh -c 'ulimit -c unlimited; exec "$@"' - "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback \
		-x /usr -x /bin -x /lib --exec-try /lib64 -- /bin/sh -c "$crash" "$T/out"
	exits 139
	! compgen -G "$T/out/*core*"
}

@test "what can be written cannot be executed, but code can be mapped as in a box" {
	cp "$PROBE" "$T/in/prog"
	give "$T"
	run fallen -w "$T/in" -- "$TRY" exec "$T/in/prog"
	says "exec $T/in/prog: EACCES"
	run nb -x "$NB_BIN" -- "$TRY" memory-exec "$PROBE"
	says "memory-exec $PROBE: ok"
	run fallen -- "$TRY" memory-exec "$PROBE"
	says "memory-exec $PROBE: ok"
}

@test "devices: the six of the defaults, whatever directory is granted" {
	local device found=() attempts=() grants

	for device in /dev/ptmx /dev/kmsg /dev/loop0 /dev/tty1 /dev/kvm; do
		as_caller "$TRY" open-r "$device" >/dev/null || found+=("$device") attempts+=(-- open-r "$device")
	done
	[ "${#found[@]}" -gt 0 ] || skip "the caller can open no device"
	for grants in "-r /" "-r /dev" "--ro-bind / /" "--ro-bind /dev /dev" "-r ${found[0]}" "-w ${found[0]}" "-r /dev/pts/.."; do
		# shellcheck disable=SC2086 # words
		run fallen $grants -- "$TRY" open-w /dev/null "${attempts[@]}"
		says "open-w /dev/null: ok"
		[ "$(grep -c ': ok$' <<<"$output")" = 1 ] || { echo "$grants: $output"; return 1; }
	done
	run fallen --dev-bind "${found[0]}" "${found[0]}" -- "$TRY" open-r "${found[0]}"
	says "open-r ${found[0]}: ok"
	run fallen -r / -r /dev/shm -- "$TRY" open-r / -- open-r /etc/passwd -- open-r /dev/shm
	[ "$(grep -c ': ok$' <<<"$output")" = 3 ]
}

@test "the /tmp of others is not there where the root is granted" {
	local grants

	[[ $T == /tmp/* ]] || skip "the test's files are not in /tmp"
	for grants in "-r /" "--ro-bind / /"; do
		# shellcheck disable=SC2086 # words
		run nb $grants -x "$NB_BIN" -- "$TRY" open-r "$T/out/file"
		says "open-r $T/out/file: ENOENT"
		# shellcheck disable=SC2086 # words
		run fallen $grants -- "$TRY" open-r "$T/out/file" -- open-r /tmp/.
		says "open-r $T/out/file: EACCES"
		# shellcheck disable=SC2086 # words
		run fallen $grants -r /tmp -- "$TRY" open-r "$T/out/file"
		says "open-r $T/out/file: ok"
	done
}

@test "the kernel's files in /proc cannot be written by who may write everywhere else" {
	run as_caller "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --quiet --fallback -w / -x / -w "$T" -x "$T" -x "$NB_BIN" -- "$TRY" open-w "$T/out/file" \
		-- open-w /proc/sys/kernel/core_pattern -- open-w /proc/self/oom_score_adj -- open-w /proc/sysrq-trigger
	says "open-w $T/out/file: ok"
	[ "$(grep -c ': ok$' <<<"$output")" = 1 ]
}

# ---- when ----

@test "who closes a directory does not take the box away" {
	need_root "a directory that root's box may not enter"
	mkdir -p "$T/closed/in"
	chown 4711 "$T/closed"
	chmod 0700 "$T/closed"
	run nb --fallback -x "$NB_BIN" -r "$T/closed/in" -- "$PROBE" exit 7
	exits 125
	lacks "fallback"
	run nb --fallback -x "$NB_BIN" -w "$T" --ro-bind "$T/closed/in" "$T/closed/in" -- "$PROBE" exit 7
	exits 125
	lacks "fallback"
	run nb --fallback -x "$NB_BIN" -r "$T" -- "$PROBE" exit 7
	exits 7
}
