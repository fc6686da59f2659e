#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Landlock: the second wall of a box, and the first one of --init-only. tests/escape/landlock.bats attacks it.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/init

setup() {
	nb_setup
	CELL=$NB_BIN/cell
}

# has ABI: this kernel has that or a newer one.
has() {
	local abi

	abi=$(as_caller "$NB" -x "$NB_BIN" --explain -- probe | sed -n 's/.*landlock ABI \([0-9]*\).*/\1/p')
	[ "${abi:-0}" -ge "$1" ] || skip "this kernel's Landlock is too old"
}

# alone ARGUMENT…: --init-only with the helpers granted.
alone() {
	as_caller "$NB" --init-only -x "$NB_BIN" "$@"
}

# ---- one policy both ways ----

# policy: $T/p holds a directory for each right, and one without any.
policy() {
	local name

	for name in r w w2 x wx none; do
		mkdir -p "$T/p/$name/sub"
		echo data >"$T/p/$name/file"
		cp "$NB_BIN/probe" "$T/p/$name/prog"
		echo sub >"$T/p/$name/sub/file"
	done
	give "$T"
	cd "$T/p" || return
	POLICY=(-r "$T/p/r" -w "$T/p/w" -w "$T/p/w2" -x "$T/p/x" -w "$T/p/wx" -x "$T/p/wx")
}

# attempts: one a line, with its outcome in a box and, where it is another one, without it, and by --fallback. The paths are
# below $T/p.
attempts() {
	cat <<-'END'
		open-r r/file                | ok
		open-r r                     | ok
		open-r r/sub                 | ok
		open-w r/file                | EROFS  | EACCES
		put r/new                    | EROFS  | EACCES
		truncate r/file              | EROFS  | EACCES
		mkdir r/new                  | EROFS  | EACCES
		unlink r/file                | EROFS  | EACCES
		rmdir r/sub                  | EROFS  | EACCES
		symlink x r/new              | EROFS  | EACCES
		mkfifo r/new                 | EROFS  | EACCES
		link r/file r/new            | EROFS  | EACCES
		rename r/file r/new          | EROFS  | EACCES
		exec r/prog                  | EACCES
		open-r w/file                | ok
		open-w w/file                | ok
		put w/new                    | ok
		truncate w/file              | ok
		mkdir w/dir                  | ok
		rename w/new w/dir/new       | ok
		link w/dir/new w/linked      | ok
		unlink w/linked              | ok
		unlink w/dir/new             | ok
		rmdir w/dir                  | ok
		symlink x w/link             | ok
		mkfifo w/fifo                | ok
		mkchr w/null                 | EPERM  | EACCES | EPERM
		exec w/prog                  | EACCES
		rename w/link w2/link        | EXDEV  | ok
		link w/file w2/linked        | EXDEV  | ok
		link r/file w/linked         | EXDEV
		rename w/file r/linked       | EXDEV  | EACCES
		rename w/prog wx/gained      | EXDEV
		link w/prog wx/gained        | EXDEV
		open-r x/file                | ok
		exec x/prog                  | ok
		open-w x/file                | EROFS  | EACCES
		put x/new                    | EROFS  | EACCES
		exec wx/prog                 | ok
		put wx/new                   | ok
		open-r none/file             | ENOENT | EACCES
		open-r none                  | ENOENT | EACCES
		open-w none/file             | ENOENT | EACCES
		put none/new                 | ENOENT | EACCES
		truncate none/file           | ENOENT | EACCES
		exec none/prog               | ENOENT | EACCES
		mkdir none/new               | ENOENT | EACCES
		unlink none/file             | ENOENT | EACCES
		ioctl-dev /dev/zero          | ENOTTY | EACCES
		open-r .                     | ok     | EACCES
		open-r /etc/passwd           | ENOENT | EACCES
		stat none/file               | ENOENT | ok
		chmod none/file              | ENOENT | ok     | EPERM
		chmod r/file                 | EROFS  | ok     | EPERM
	END
}

# both COLUMN RUNNER…: each attempt's outcome is the one of that column.
both() {
	local column=$1 line attempt words=() wanted=() field

	shift
	while IFS= read -r line; do
		attempt=$(cut -d'|' -f1 <<<"$line" | sed 's/ *$//')
		for ((field = column; field > 2; field--)); do
			[ -z "$(cut -d'|' -s -f"$field" <<<"$line" | tr -d ' ')" ] || break
		done
		field=$(cut -d'|' -f"$field" <<<"$line" | tr -d ' ')
		wanted+=("$attempt: $field")
		# shellcheck disable=SC2206 # words of the attempt
		words+=($attempt --)
	done < <(attempts)
	unset 'words[-1]'
	run "$@" "${POLICY[@]}" --chdir "$T/p" -- "$TRY" "${words[@]}"
	exits 1
	diff -u <(printf '%s\n' "${wanted[@]}") - <<<"$output"
}

@test "one policy in a box: what can be done, to the last attempt" {
	policy
	both 2 mini
}

@test "the same policy without a box: the differences are the known ones" {
	has 3
	policy
	both 3 alone
}

@test "the same policy by --fallback, where a filter forbids namespaces" {
	has 3
	policy
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
	both 4 as_caller "$NB_BIN/deny" "56&$((0x7e020000)),272&$((0x7e020000)),435" EPERM -- \
		"$NB" --fallback --quiet -x "$NB_BIN"
}

# ---- in a box ----

@test "--status-fd tells the ABI that stands, --explain too" {
	has 1
	run mini --explain -- "$PROBE"
	matches '^.-- landlock ABI [0-9]+, each mount with the rights above, no signals and abstract sockets'
	run mini --status-fd 8 -- "$PROBE" exit 0 8>"$T/events"
	exits 0
	jq -es 'any(.event == "start" and .walls.landlock >= 2)' "$T/events"
}

@test "bwrap has none" {
	run as_caller "$NB" --as bwrap --ro-bind / / --dev /dev -- "$TRY" kill "$$" 0
	if [ "$NB_AS" = root ]; then
		says "kill $$ 0: ok"
	else
		says "kill $$ 0: EPERM"
	fi
	run as_caller "$NB_BIN/deny" 444,445,446 EIO -- "$NB" --as bwrap --ro-bind / / -- "$PROBE" exit 7
	exits 7
}

@test "files move between directories, and into new ones" {
	mkdir -p "$T/a/b" "$T/c"
	echo x >"$T/a/b/file"
	give "$T"
	run mini -w "$T" -- "$TRY" mkdir "$T/d" -- rename "$T/a/b/file" "$T/d/file" -- rename "$T/a/b" "$T/c/b" \
		-- link "$T/d/file" "$T/c/b/link" -- rename "$T/d" /tmp/d -- mkdir /tmp/x -- put /tmp/y \
		-- rename /tmp/y /tmp/x/y
	says "rename $T/a/b/file $T/d/file: ok" "rename $T/a/b $T/c/b: ok" "link $T/d/file $T/c/b/link: ok" \
		"rename $T/d /tmp/d: EXDEV" "rename /tmp/y /tmp/x/y: ok"
}

@test "every kind of mount can be used as it was made" {
	mkdir "$T/low" "$T/up" "$T/work"
	cp "$PROBE" "$T/low/prog"
	echo low >"$T/low/file"
	give "$T"
	run mini --tmpfs /t --dir /d --mqueue /mq --bind "$T/up" /b --ro-bind "$T/low" /rb \
		--bind-data 8 /data --file 9 /file --overlay-src "$T/low" --tmp-overlay /o \
		8<"$T/low/file" 9<"$T/low/file" -- "$TRY" \
		put /t/x -- rename /t/x /t/y -- put /b/x -- open-r /rb/file -- exec /rb/prog -- open-w /data \
		-- open-r /file -- open-r /d -- rewrite /o/file -- exec /o/prog -- put /o/x -- open-r /mq \
		-- put /mq/x -- put /dev/shm/x -- rename /dev/shm/x /dev/shm/y -- open-w /dev/null \
		-- open-r /dev -- open-r /dev/pts -- open-w /dev/ptmx -- ioctl-dev /dev/zero -- open-r / \
		-- open-w /proc/self/comm -- open-r /proc
	lacks EACCES
	# No message queue is written to, nor is /dev/zero a terminal, but both are reached.
	says "put /mq/x: EINVAL" "ioctl-dev /dev/zero: ENOTTY"
	[ "$(grep -c ': ok$' <<<"$output")" = 21 ] || { echo "$output"; return 1; }
}

@test "mounts made by mount(2) have the same rules" {
	run as_caller "$NB_BIN/deny" 428,429,430,431,432,442 ENOSYS -- "$NB" -x "$NB_BIN" -w "$T" --tmpfs /t -- \
		"$TRY" put "$T/x" -- put /t/x -- put /tmp/x -- open-w /dev/null -- open-r /dev/pts -- open-r /proc
	exits 1
	lacks EACCES
}

@test "standard descriptors can be opened anew as they are open, and no further" {
	echo in >"$T/in"
	: >"$T/out"
	chmod 0666 "$T/in" "$T/out"
	give "$T"
	has 2
	run as_caller /bin/sh -c 'exec "$@" 2>>out <in' - "$NB" -x "$NB_BIN" -- "$TRY" open-r /dev/stdin \
		-- open-w /dev/stdin -- put /proc/self/fd/2 -- open-r /proc/self/fd/2
	exits 1
	says "open-r /dev/stdin: ok" "open-w /dev/stdin: EACCES" "put /proc/self/fd/2: ok" "open-r /proc/self/fd/2: EACCES"
}

# ---- TCP ports ----

# server: a port that somebody outside listens on, in $PORT, and another one in $OTHER.
server() {
	launch "$NB_BIN/starter" tcp
	next
	OTHER=$line
	launch "$NB_BIN/starter" tcp
	next
	PORT=$line
}

# The port that PORTS leaves out, for the ways to it.
shut() {
	has 4
	server
	run "$@" --net-connect "$PORT" -- "$TRY" tcp 127.0.0.1 "$PORT" -- tcp 127.0.0.1 "$OTHER"
	says "tcp 127.0.0.1 $PORT: ok" "tcp 127.0.0.1 $OTHER: EACCES"
	run "$@" --net-connect none -- "$TRY" tcp 127.0.0.1 "$PORT"
	says "tcp 127.0.0.1 $PORT: EACCES"
	run "$@" -- "$TRY" tcp 127.0.0.1 "$PORT" -- tcp 127.0.0.1 "$OTHER"
	says "tcp 127.0.0.1 $PORT: ok" "tcp 127.0.0.1 $OTHER: ok"
	# Ports around it, of which several options add up; binding is another matter.
	run "$@" --net-connect "1-$((PORT - 1))" --net-connect "$((PORT + 1))-65535,0" -- \
		"$TRY" tcp 127.0.0.1 "$PORT" -- tcp 127.0.0.1 "$OTHER" -- tcp-bind 127.0.0.1 0
	says "tcp 127.0.0.1 $PORT: EACCES" "tcp 127.0.0.1 $OTHER: ok" "tcp-bind 127.0.0.1 0: ok"
}

@test "--net --net-connect: these ports alone" {
	shut mini --net
}

@test "--init-only --net-connect: these ports alone, without any grant" {
	shut as_caller "$NB" --init-only
}

bound() {
	has 4
	run "$@" --net-bind 0 -- "$TRY" tcp-bind 127.0.0.1 0 -- tcp-bind 127.0.0.1 8080
	says "tcp-bind 127.0.0.1 0: ok" "tcp-bind 127.0.0.1 8080: EACCES"
	run "$@" --net-bind 8000-8100,9 -- "$TRY" tcp-bind 127.0.0.1 8080 -- tcp-bind 127.0.0.1 8101 \
		-- tcp-bind 127.0.0.1 7999 -- tcp-bind 127.0.0.1 0
	says "tcp-bind 127.0.0.1 8080: ok" "tcp-bind 127.0.0.1 8101: EACCES" \
		"tcp-bind 127.0.0.1 7999: EACCES" "tcp-bind 127.0.0.1 0: EACCES"
	run "$@" --net-bind none -- "$TRY" loopback
	says "loopback: EACCES"
	run "$@" --net-connect none -- "$TRY" loopback
	says "loopback: EACCES"
	run "$@" --net-connect 0-65535 --net-bind 0-65535 -- "$TRY" loopback
	says "loopback: ok"
}

@test "--net-bind: in a box, in its own network" {
	bound mini
}

@test "--init-only --net-bind" {
	bound as_caller "$NB" --init-only
}

@test "ports: files stay as they are without a grant, and move" {
	has 4
	mkdir "$T/a" "$T/b"
	echo x >"$T/a/x"
	give "$T"
	run as_caller "$NB" --init-only --net-connect none -- "$TRY" open-r /etc/passwd -- rename "$T/a/x" "$T/b/x"
	says "open-r /etc/passwd: ok" "rename $T/a/x $T/b/x: ok"
}

@test "ports: bad values: 125" {
	local value option

	for option in --net-connect --net-bind; do
		for value in "" , 80, ,80 80,,81 -1 +1 " 1" "1 " 65536 99999999999999999999 1- -2 2-1 1-2-3 0x50 \
			http 80-65536 none,80 80,none NONE 1:2; do
			refused "options: $option: must be .*none.* or ports" "$option=$value" ||
				{ echo "taken: $value" >&2; return 1; }
		done
	done
}

# ---- without a box ----

@test "--init-only: what is granted runs; the environment, ids and directory are the caller's" {
	has 3
	run alone -r "$T" -- "$PROBE" cwd
	exits 0
	is "$T"
	run alone -- "$PROBE" caps
	says "nnp 1"
	run as_caller "$NB" --init-only --net-bind 0 -- "$PROBE" caps
	says "nnp 1"
	run as_caller "$NB" --init-only -- "$PROBE" caps
	says "nnp 0"
}

@test "--init-only: rights on one path add up, by whatever name" {
	has 3
	mkdir "$T/d"
	ln -s d "$T/link"
	cp "$PROBE" "$T/d/prog"
	give "$T"
	run alone -w "$T/d" -x "$T/link" -- "$TRY" put "$T/d/x" -- exec "$T/d/prog" -- put "$T/link/y" -- put "$T/z"
	says "put $T/d/x: ok" "exec $T/d/prog: ok" "put $T/link/y: ok" "put $T/z: EACCES"
}

@test "--init-only: a deeper grant may give more" {
	has 3
	mkdir "$T/d"
	echo x >"$T/d/file"
	echo x >"$T/d/other"
	give "$T"
	run alone -r "$T" -w "$T/d/file" -- "$TRY" open-w "$T/d/file" -- truncate "$T/d/file" -- open-w "$T/d/other" \
		-- unlink "$T/d/file" -- open-r "$T/d"
	says "open-w $T/d/file: ok" "truncate $T/d/file: ok" "open-w $T/d/other: EACCES" "unlink $T/d/file: EACCES" \
		"open-r $T/d: ok"
}

# holds_not REGEX ARGUMENT…: 125 and one line, nothing ran.
holds_not() {
	local regex=$1

	shift
	run --separate-stderr alone -w "$T" "$@" -- "$TRY" put "$T/marker"
	exits 125
	one_line "$regex"
	[ ! -e "$T/marker" ]
}

@test "--init-only: a deeper grant that gives less cannot be held: 125" {
	mkdir "$T/d"
	ln -s d "$T/link"
	echo x >"$T/d/file"
	give "$T"
	holds_not "^nestbox: grant: $T/d: cannot have fewer rights without a box than the grant above it: $T$" -r "$T/d"
	holds_not "$T/d/file: cannot have fewer" -r "$T/d/file"
	holds_not "$T/d: cannot have fewer" -r "$T/link"
	holds_not "$T/d: cannot have fewer" -x "$T/d"
	# The same rights are no fewer ones.
	run alone -w "$T" -w "$T/d" -x "$T/d" -r-try "$T/no" -- "$TRY" put "$T/marker"
	[ ! -e "$T/marker" ]
	run alone -w "$T" -w "$T/d" -x "$T/d" --read-try "$T/no" -- "$TRY" put "$T/marker"
	says "put $T/marker: ok"
}

@test "--init-only: grants that do not exist, are empty, or lead through procfs: 125" {
	holds_not "grant: $T/no: No such file" -r "$T/no"
	holds_not "options: --read: the path is empty" -r ""
	holds_not "grant: /proc/self/cwd/: (Symbolic link loop|Too many levels)" -r /proc/self/cwd/
}

@test "--init-only: --read-try of what is not there grants nothing, and denies the rest" {
	has 3
	run as_caller "$NB" --init-only --exec-try "$NB_BIN" --read-try /no/such -- "$TRY" open-r /etc/passwd
	says "open-r /etc/passwd: EACCES"
}

@test "--init-only: mount steps are refused as ever" {
	holds_not "about a box" --tmpfs /tmp
	holds_not "about a box" --ro-bind /usr /usr
	holds_not "about a box" --net
}

@test "--init-only: a command that is not granted: 126 with a hint; one that is not there: 127" {
	has 3
	run --separate-stderr as_caller "$NB" --init-only -r "$NB_BIN" -- "$PROBE" exit 0
	exits 126
	one_line "^nestbox: exec: $PROBE: Permission denied \(not executable, or not granted with --exec\)$"
	run -127 --separate-stderr as_caller "$NB" --init-only -x "$NB_BIN" -- "$NB_BIN/no" exit 0
	exits 127
	one_line "^nestbox: exec: $NB_BIN/no: No such file or directory$"
}

@test "--init-only: the loader has to be granted, too" {
	has 3
	local real loader

	# Where it leads to.
	real=$(readlink -f /usr/bin/env)
	loader=$(readelf -lW "$real" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	[ -n "$loader" ]
	run --separate-stderr as_caller "$NB" --init-only -x "$real" -- "$real" true
	exits 126
	run as_caller "$NB" --init-only -x "$real" -x "$NB_BIN" -x /usr -x "$loader" -- "$real" "$PROBE" exit 7
	exits 7
}

@test "--init-only: as PID 1 of an empty image, without /proc, /dev and descriptors" {
	has 3
	need_static
	mkdir -p "$T/root/data" "$T/root/secret"
	cp "$NB" "$T/root/init"
	cp "$TRY" "$T/root/try"
	echo x >"$T/root/data/file"
	echo x >"$T/root/secret/file"
	give "$T"
	run as_caller "$CELL" -w "$T/root" -- /init --init-only -x /try -w /data --grace 5 -- /try \
		open-r /data/file -- put /data/new -- open-r /secret/file -- open-r / -- exec /init
	exits 1
	is "open-r /data/file: ok
put /data/new: ok
open-r /secret/file: EACCES
open-r /: EACCES
exec /init: EACCES"
	run as_caller "$CELL" -r "$T/root" -- /init --init-only -w /data -- /try open-r /
	exits 126
}

@test "--init-only: with 0, 1 and 2 closed" {
	has 3
	run as_caller /bin/sh -c 'exec "$@" <&- >&- 2>&-' - "$NB" --init-only -x "$NB_BIN" -w "$T" -- "$TRY" put "$T/x"
	[ -e "$T/x" ]
	run as_caller /bin/sh -c 'exec "$@" <&- >&- 2>&-' - "$NB" --init-only -x "$NB_BIN" -r "$T" -- "$TRY" put "$T/y"
	[ ! -e "$T/y" ]
}

@test "--init-only: its descriptors are not the command's" {
	has 3
	local without

	without=$(as_caller "$NB" --init-only -- "$PROBE" fds)
	run alone -r "$T" -- "$PROBE" fds
	is "$without"
}

@test "--init-only: it forwards, reaps and reports as ever" {
	has 3
	begin "$NB" --init-only -x "$NB_BIN" --status-fd 8 -- "$PROBE" report 15 8>"$T/events"
	await ready
	kill -USR1 "$INIT"
	await "got 10"
	kill -TERM "$INIT"
	await "got 15"
	finish
	jq -es 'any(.event == "start" and .walls.landlock >= 3 and .walls.no_new_privs == "on")' "$T/events"
}

@test "--init-only: a thousand grants, more than there are descriptors" {
	has 3
	local i words=()

	mkdir "$T/many"
	for ((i = 0; i < 1000; i++)); do
		: >"$T/many/$i"
		words+=(-r "$T/many/$i")
	done
	give "$T"
	run as_caller /bin/bash -c 'ulimit -Sn 64; exec "$@"' - "$NB" --init-only -x "$NB_BIN" "${words[@]}" -- \
		"$TRY" open-r "$T/many/0" -- open-r "$T/many/999" -- open-r "$T/many"
	says "open-r $T/many/0: ok" "open-r $T/many/999: ok" "open-r $T/many: EACCES"
}

@test "--init-only: --explain lists the grants and starts nothing" {
	has 3
	run alone -w "$T" --net-connect 443,8000-8001,9 --explain -- "$TRY" put "$T/marker"
	exits 0
	[ ! -e "$T/marker" ]
	says "grants" "|-- $NB_BIN  read, execute" "\`-- $T  read, write"
	matches 'landlock ABI [0-9]+, nothing but the grants, .*TCP connections to 9,443,8000-8001$'
}

# ---- a kernel without it ----

CREATE=444 ADD=445 RESTRICT=446

@test "a kernel without Landlock: a box runs, and says so" {
	run as_caller "$NB_BIN/deny" "$CREATE" ENOSYS -- "$NB" -x "$NB_BIN" --status-fd 8 -- "$PROBE" exit 7 8>"$T/events"
	exits 7
	jq -es 'any(.event == "start" and .walls.landlock == "none")' "$T/events"
	run as_caller "$NB_BIN/deny" "$CREATE" 95 -- "$NB" -x "$NB_BIN" --explain -- "$PROBE"
	exits 0
	matches '^.-- landlock none$'
}

@test "a kernel without Landlock: what needs it is an error" {
	local error words

	for error in ENOSYS 95; do
		for words in "--net-connect 1" "--net-bind 1" "--net --net-connect none"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr as_caller "$NB_BIN/deny" "$CREATE" "$error" -- "$NB" -x "$NB_BIN" -w "$T" \
				$words -- "$TRY" put "$T/marker"
			exits 125
			one_line "^nestbox: landlock: --net-[a-z]*: needs Linux 6.7"
		done
		run --separate-stderr as_caller "$NB_BIN/deny" "$CREATE" "$error" -- "$NB" --init-only -x "$NB_BIN" -w "$T" \
			-- "$TRY" put "$T/marker"
		exits 125
		one_line "^nestbox: landlock: $NB_BIN: a grant without a box needs Linux 6.2"
	done
	[ ! -e "$T/marker" ]
}

@test "Landlock blocked, or broken on the way: 125, nothing ran" {
	local call error

	has 1
	for call in "$CREATE" "$ADD" "$RESTRICT"; do
		for error in EPERM EACCES ENOMEM; do
			for how in "" --init-only; do
				# shellcheck disable=SC2086 # a word or none
				run --separate-stderr as_caller "$NB_BIN/deny" "$call" "$error" -- "$NB" $how -x "$NB_BIN" \
					-w "$T" -- "$TRY" put "$T/marker"
				exits 125 || { echo "call $call, $error $how" >&2; return 1; }
				one_line
				[ ! -e "$T/marker" ]
			done
		done
	done
	for call in "$ADD" "$RESTRICT"; do
		run --separate-stderr as_caller "$NB_BIN/deny" "$call" ENOSYS -- "$NB" -x "$NB_BIN" -w "$T" -- \
			"$TRY" put "$T/marker"
		exits 125
	done
	[ ! -e "$T/marker" ]
}

@test "Landlock blocked: the line says what to do" {
	run --separate-stderr as_caller "$NB_BIN/deny" "$CREATE" EPERM -- "$NB" -x "$NB_BIN" -- "$PROBE" exit 0
	exits 125
	one_line "^nestbox: landlock: Operation not permitted \(.*landlock_create_ruleset"
}

@test "--on-missing landlock: without it where it is blocked or lacking, and the events say so" {
	local error

	for error in EPERM ENOSYS; do
		run --separate-stderr as_caller "$NB_BIN/deny" "$CREATE,$ADD,$RESTRICT" "$error" -- "$NB" --on-missing \
			landlock=silent --init-only -x "$NB_BIN" --status-fd 8 -- "$PROBE" exit 7 8>"$T/events"
		exits 7
		[ -z "$stderr" ]
		jq -es 'any(.event == "start" and .walls.landlock == "missing" and (.missing | index("landlock") != null))' \
			"$T/events"
		run --separate-stderr as_caller "$NB_BIN/deny" "$CREATE,$ADD,$RESTRICT" "$error" -- "$NB" --on-missing \
			landlock=warn -x "$NB_BIN" --net-connect 1 -- "$PROBE" exit 7
		exits 7
		[[ $stderr == "nestbox: warning: landlock: "* ]]
	done
	run --separate-stderr as_caller "$NB_BIN/deny" "$RESTRICT" EPERM -- "$NB" --on-missing landlock=warn \
		-x "$NB_BIN" --status-fd 8 -- "$PROBE" exit 7 8>"$T/events"
	exits 7
	[[ $stderr == "nestbox: warning: landlock: "* ]]
	jq -es 'any(.event == "start" and .walls.landlock == "missing")' "$T/events"
}

@test "--on-missing landlock=error: a kernel that lacks it is no excuse" {
	run --separate-stderr as_caller "$NB_BIN/deny" "$CREATE" ENOSYS -- "$NB" --on-missing landlock=error \
		-x "$NB_BIN" -w "$T" -- "$TRY" put "$T/marker"
	exits 125
	one_line "^nestbox: landlock: --on-missing: .*Linux 5.19"
	[ ! -e "$T/marker" ]
	run as_caller "$NB_BIN/deny" "$CREATE" ENOSYS -- "$NB" --on-missing landlock=error \
		--on-missing landlock=silent -x "$NB_BIN" -- "$PROBE" exit 7
	exits 7
}

@test "--allow-userns: no rules about files, which no mount would go with; the others stand" {
	has 6
	launch "$NB_BIN/starter" abstract "nbt-$$-$BATS_TEST_NUMBER"
	await ready
	run mini --allow-userns --net --net-bind none -- "$TRY" abstract "nbt-$$-$BATS_TEST_NUMBER" \
		-- tcp-bind 127.0.0.1 0
	says "abstract nbt-$$-$BATS_TEST_NUMBER: EPERM" "tcp-bind 127.0.0.1 0: EACCES"
	run mini --allow-userns --explain -- "$PROBE"
	matches '^.-- landlock ABI [0-9]+, no signals'
	refused "landlock: --allow-userns: mounts cannot be made" --allow-userns --on-missing landlock=error
}
