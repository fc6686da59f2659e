#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --append: a file that is readable, and writable at its end alone. Attacks are in escape/append.bats.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

setup() {
	nb_setup
	LOG=$T/log
	printf 'first\nsecond\n' >"$LOG"
	give "$LOG"
	export LOG
}

# logs LINE…: the file has these lines behind what it had.
logs() {
	local wanted

	wanted=$(printf '%s\n' first second "$@")
	[ "$(cat "$LOG")" = "$wanted" ] || { echo "the file:"; cat "$LOG"; return 1; } >&2
}

# shell SCRIPT: with the file to append to.
shell() {
	run --separate-stderr box --append "$LOG" --setenv LOG "$LOG" -- sh -c "$1"
}

@test "a shell, tee, dd and python write behind what is there" {
	shell 'echo shell >>"$LOG" && echo tee | tee -a "$LOG" >/dev/null &&
		echo dd | dd of="$LOG" oflag=append conv=notrunc status=none &&
		/usr/bin/python3 -c "open(\"$LOG\", \"a\").write(\"python\n\")"'
	exits 0
	logs shell tee dd python
}

@test "a descriptor that was opened to write appends, asked for or not" {
	need python3
	shell '/usr/bin/python3 -c "
import os, fcntl
fd = os.open(\"$LOG\", os.O_WRONLY)
os.lseek(fd, 0, os.SEEK_SET)
os.write(fd, b\"one\n\")
fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)
os.pwrite(fd, b\"two\n\", 0)
print(fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_APPEND | os.O_NONBLOCK) == os.O_APPEND | os.O_NONBLOCK)"'
	exits 0
	is True
	logs one two
}

@test "what is there can be read, but is not to be changed, emptied, replaced or removed" {
	shell 'cat "$LOG"
		for command in ": >$LOG" "truncate -s 0 $LOG" "truncate -s +10 $LOG" "dd of=$LOG status=none" \
			"sed -i s/first/FIRST/ $LOG" "rm -f $LOG" "mv $LOG /tmp/x" "cp /etc/hostname $LOG" \
			"ln -f /etc/hostname $LOG" "chmod 0777 $LOG"; do
			sh -c "$command" </dev/null 2>/dev/null && echo "$command: done"
		done
		exit 0'
	exits 0
	is $'first\nsecond'
	logs
}

@test "python's other modes get EPERM, as from a file with chattr's \"a\"" {
	need python3
	shell '/usr/bin/python3 -c "
for mode in \"w\", \"r+\", \"a+\", \"w+\", \"x\":
    try:
        open(\"$LOG\", mode)
        print(mode, \"done\")
    except OSError as e:
        print(mode, e.errno)"'
	exits 0
	is $'w 1\nr+ 1\na+ 1\nw+ 1\nx 17'
	logs
}

@test "two writers at once lose nothing" {
	shell 'for name in a b; do
			(i=0; while [ $i -lt 300 ]; do echo "$name$i" >>"$LOG"; i=$((i + 1)); done) &
		done
		wait'
	exits 0
	[ "$(wc -l <"$LOG")" -eq 602 ]
	[ "$(grep -c '^a[0-9]*$' "$LOG")" -eq 300 ]
	[ "$(tail -n +3 "$LOG" | sort -u | wc -l)" -eq 600 ]
	head -2 "$LOG" | cmp - <(printf 'first\nsecond\n')
}

@test "relative paths, links and /dev/stdout lead to it, too" {
	shell 'cd "${LOG%/*}" && echo relative >>log && echo dots >>./../"${PWD##*/}"/log &&
		ln -s "$LOG" /tmp/link && echo link >>/tmp/link &&
		exec >>"$LOG" && echo stdout >>/dev/stdout && echo proc >>/proc/self/fd/1 &&
		echo self >>/proc/self/cwd/log'
	exits 0
	logs relative dots link stdout proc self
}

@test "a path below a symbolic link of the host's" {
	ln -s "$T" "$T/alias"
	give "$T/alias"
	run box --append "$T/alias/log" -- sh -c "echo a >>$T/alias/log && echo b >>$LOG"
	exits 0
	logs a b
}

@test "several files, each its own" {
	cp "$LOG" "$T/log2"
	give "$T/log2"
	run box --append "$LOG" --append "$T/log2" --append "$LOG" -- \
		sh -c "echo 1 >>$LOG && echo 2 >>$T/log2 && ! sh -c ': >$T/log2' 2>/dev/null"
	exits 0
	logs 1
	[ "$(tail -1 "$T/log2")" = 2 ]
}

@test "below a writable directory: the others stay as they are" {
	mkdir "$T/d" "$T/d/e"
	mv "$LOG" "$T/d/log"
	give "$T/d"
	LOG=$T/d/log
	run --separate-stderr box -w "$T/d" --append "$LOG" -- sh -c "cd $T/d && echo more >>log &&
		echo new >other && echo more >>other && : >empty && mv other e/moved && rm empty &&
		ln e/moved linked && truncate -s 3 linked && cat linked && ! rm log 2>/dev/null &&
		! mv log e/ 2>/dev/null && ! sh -c ': >log' 2>/dev/null"
	exits 0
	is new
	logs more
}

@test "elsewhere files are made, written, renamed and truncated as ever" {
	shell 'cd /tmp && mkdir a b && echo hello >a/x && mv a/x b/y && truncate -s 2 b/y && cat b/y &&
		ln b/y a/z && dd if=/dev/zero of=c bs=1k count=4 conv=fsync status=none && wc -c <c'
	exits 0
	is he4096
	need python3
	shell '/usr/bin/python3 -c "
import os, socket, fcntl, tempfile, mmap
a, b = socket.socketpair()
a.setblocking(False)
r, w = os.pipe()
os.set_blocking(r, False)
fcntl.fcntl(w, fcntl.F_SETFL, os.O_NONBLOCK)
f = tempfile.TemporaryFile()
f.truncate(8192)
m = mmap.mmap(f.fileno(), 8192)
m[0] = 65
fd = os.memfd_create(\"x\")
os.ftruncate(fd, 100)
print(os.fstat(fd).st_size, a.getblocking(), os.get_blocking(w), os.get_blocking(r))"'
	exits 0
	is '100 False False False'
}

@test "the standard descriptors can be opened again" {
	touch "$T/o" "$T/e"
	give "$T/o" "$T/e"
	box --append "$LOG" -- sh -c 'echo out >/dev/stdout; echo err >/dev/stderr' >"$T/o" 2>"$T/e"
	[ "$(cat "$T/o" "$T/e")" = $'out\nerr' ]
	# Who opens a pipe anew must be its owner.
	run as_caller bash -c "$NB -x /usr -x /bin -x /lib -x /lib64 --append $LOG -- \
		sh -c 'echo pipe >/dev/stdout' | cat"
	is pipe
	# But not the file itself, where the caller has opened it.
	run as_caller bash -c "$NB -x /usr -x /bin -x /lib -x /lib64 --append $LOG -- /usr/bin/python3 -c '
import os, fcntl
fcntl.fcntl(1, fcntl.F_SETFL, 0)
assert fcntl.fcntl(1, fcntl.F_GETFL) & os.O_APPEND
for call in (lambda: os.open(\"/dev/stdout\", os.O_RDWR), lambda: os.truncate(\"/proc/self/fd/1\", 0),
             lambda: os.ftruncate(1, 0)):
    try:
        call()
        raise SystemExit(1)
    except PermissionError:
        pass
os.pwrite(1, b\"end\\n\", 0)' >>$LOG"
	exits 0
	logs end
}

@test "so can those of --keep-fd and --map-fd, but not the file itself" {
	local script
	touch "$T/a" "$T/b"
	give "$T/a" "$T/b"
	script="echo a >/proc/self/fd/5 && echo b >/dev/fd/8 && ! sh -c ': >/proc/self/fd/6' 2>/dev/null"
	box --append "$LOG" --keep-fd 5 --map-fd 8=4 --keep-fd 6 -- sh -c "$script" 4>"$T/b" 5>"$T/a" 6<"$LOG"
	[ "$(cat "$T/a" "$T/b")" = $'a\nb' ]
	logs
}

@test "a limit on the size of files is the command's" {
	run --separate-stderr box --append "$LOG" --rlimit fsize=1000 -- sh -c 'trap "" XFSZ
		truncate -s 1000 /tmp/x && ! truncate -s 1001 /tmp/x 2>/dev/null'
	exits 0
}

@test "with --as-pid-1, --net and a nested shell" {
	run box --append "$LOG" --as-pid-1 --net -- sh -c "sh -c 'echo deep >>$LOG'; echo pid1 >>$LOG"
	exits 0
	logs deep pid1
}

@test "--explain says so" {
	run nb --append "$LOG" --explain -- true
	exits 0
	matches "^\|-- $LOG  host, writable at its end, noexec\$" 'seccomp .*append, [0-9]+'
}

# ---- bad use ----

@test "a file that is not there, a directory, a pipe, a device: refused" {
	mkfifo "$T/fifo"
	refused "append|grant.*/nothing: No such file" --append "$T/nothing"
	refused 'append: .*is no regular file' --append "$T"
	refused 'append: .*is no regular file' --append "$T/fifo"
	refused 'append: .*is no regular file' --append /dev/null
	refused '--append: the path is empty' --append ''
}

@test "together with --write of the same file, --init-only or --filter strict: refused" {
	refused 'is granted with --write, too' --append "$LOG" -w "$LOG"
	refused 'is granted with --write, too' -w "$T/../${T##*/}/log" --append "$LOG"
	refused '--filter strict' --append "$LOG" --filter strict
	run --separate-stderr nb --init-only --append "$LOG" -- true
	exits 125
	one_line '--append: cannot be combined with --init-only'
	logs
}

@test "a file that the caller may not write: every open to write fails" {
	need_plain_caller
	chmod 0444 "$LOG"
	shell 'echo more >>"$LOG"'
	exits 2
	[[ $stderr == *'Permission denied'* ]]
	chmod 0644 "$LOG"
	logs
}

# missing NUMBER[:ARGUMENT] ERRNO REGEX: without that call the start fails.
missing() {
	run --separate-stderr as_caller "$NB_BIN/deny" "$1" "$2" -- \
		"$NB" -x "$NB_BIN" --append "$LOG" -- "$TRY" read "$LOG"
	exits 125 || return 1
	one_line "$3"
}

@test "without Landlock, notification, pidfd_getfd or open_tree nothing is started" {
	need_static
	missing 444 ENOSYS '--append: needs Landlock'
	missing 444 EPERM 'landlock: Operation not permitted.*landlock_create_ruleset'
	missing 446 EPERM 'landlock: Operation not permitted'
	missing 438 EPERM '--append: Operation not permitted.*pidfd_getfd'
	missing "$([ "$(uname -m)" = x86_64 ] && echo 317:3 || echo 277:3)" EINVAL '--append: .*notification'
	missing 428 ENOSYS 'append: .*open_tree'
	missing "$([ "$(uname -m)" = x86_64 ] && echo 310 || echo 270)" ENOSYS '--append: .*process_vm_readv'
	logs
}

@test "a command whose memory nobody may look into reads the file and cannot write to it" {
	need_root
	need_plain_caller
	# An executable that its user may not read: ptrace(2).
	install -m 0711 "$NB_BIN/try" "$T/try"
	run nb -x "$T/try" --append "$LOG" -- "$T/try" read "$LOG" -- put "$LOG"
	matches "read $LOG: ok" "put $LOG: (EROFS|Read-only)"
	logs
}

# ---- what becomes of the process that answers ----

# listener: its process id, once the box runs.
listener() {
	local child

	for child in $(children "$LAUNCHER"); do
		[ "$(cut -d' ' -f 5 "/proc/$child/stat")" != "$child" ] || continue
		echo "$child"
	done
}

@test "it has no rights, a filter, and no descriptors but its own" {
	need_root
	start -x /usr -x /bin -x /lib -x /lib64 --append "$LOG" -- sh -c 'echo up; read -r x' \
		5</etc/passwd < <(cat /dev/zero)
	await up
	local pid
	pid=$(listener)
	output=$(cat "/proc/$pid/status")
	matches '^CapEff:.0+$' '^CapPrm:.0+$' '^NoNewPrivs:.1$' '^Seccomp:.2$'
	# The file, /proc, and the workload's calls.
	[ "$(ls "/proc/$pid/fd" | wc -l)" -eq 3 ]
	readlink "/proc/$pid/fd/"* | grep -q '^anon_inode:seccomp notify$'
	enclosed "$pid"
	kill -KILL "$LAUNCHER"
	gone "$pid"
}

@test "when it is killed, so is the box" {
	need_root
	start -x /usr -x /bin -x /lib -x /lib64 --append "$LOG" -- sh -c 'echo up; read -r x' < <(cat /dev/zero)
	await up
	kill -KILL "$(listener)"
	finish
	exits 125
	grep -q '^nestbox: listener' "$T/err"
}

@test "while it does not answer reads go on, and --timeout ends the box" {
	need_root
	start -x /usr -x /bin -x /lib -x /lib64 -r "$T" --append "$LOG" --timeout 2 -- \
		sh -c "echo up; read -r x; cat $LOG; echo late >>$LOG; echo never" < <(
		while [ ! -e "$T/go" ]; do read -r -t 0.05 <> <(:) || true; done; echo)
	await up
	local pid
	pid=$(listener)
	kill -STOP "$pid"
	touch "$T/go"
	await first
	await second
	finish
	exits 124
	gone "$pid"
	logs
}

@test "with the launcher it dies, and the box" {
	need_root
	start -x /usr -x /bin -x /lib -x /lib64 --append "$LOG" -- sh -c 'echo up; read -r x' < <(cat /dev/zero)
	await up
	local pid
	pid=$(listener)
	[ -n "$pid" ]
	kill -KILL "$LAUNCHER"
	finish
	gone "$pid"
	drained
}
