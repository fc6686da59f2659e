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

# It would wait for the other one, for whom nobody answers.
@test "nobody but its caller opens a FIFO: one that was there, one that is made, one beside it" {
	mkfifo "$T/d/there"
	mkdir "$T/pipes"
	mkfifo "$T/pipes/fifo"
	echo there >"$T/pipes/file"
	give "$T"
	local give='give() { echo through | dd of="$1" conv=notrunc,nocreat status=none; }; cd "$1" && cat a'

	NB_LIMIT=30 run cow "${SYSTEM[@]}" -- /bin/sh -c "$give"' && { give there & } && cat there' - "$T/d"
	exits 0
	[ "$output" = $'one\nthrough' ]
	rm "$T/d/there"
	NB_LIMIT=30 run cow "${SYSTEM[@]}" -- /bin/sh -c "$give"' && mkfifo made && { give made & } && cat made sub/b; rm made' - "$T/d"
	exits 0
	[ "$output" = $'one\nthrough\ntwo' ]
	NB_LIMIT=30 run cow "${SYSTEM[@]}" --bind "$T/pipes" "$T/d/sub" -- \
		/bin/sh -c "$give"' && { give sub/fifo & } && cat sub/fifo sub/file' - "$T/d"
	exits 0
	[ "$output" = $'one\nthrough\nthere' ]
}

@test "nor one that an overlay has copied there" {
	need_plain_caller # root's id cannot be mapped once more: user_namespaces(7), CAP_SETFCAP
	cat >"$T/over.sh" <<'END'
set -e
mkdir upper work
unshare -rm /bin/sh -ec 'mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=upper,workdir=work,userxattr" sub
	chmod 0600 sub/fifo' - "$1" || exit 77
[ -p upper/fifo ]
echo through | dd of=upper/fifo conv=notrunc,nocreat status=none &
cat a upper/fifo
END
	mkdir "$T/lower"
	mkfifo -m 0666 "$T/lower/fifo"
	give "$T"
	NB_LIMIT=30 run cow "${SYSTEM[@]}" -r "$T/over.sh" -r "$T/lower" --filter none --allow-userns --chdir "$T/d" -- \
		/bin/sh "$T/over.sh" "$T"
	[ "$status" != 77 ] || skip "no overlay can be mounted"
	exits 0
	[ "$output" = $'one\nthrough' ]
}

@test "paths begin where each process is, which may move, be removed, or be elsewhere" {
	for i in 1 2 3 4 5 6; do
		mkdir "$T/d/$i"
		for j in 1 2 3; do echo "$i$j" >"$T/d/$i/$j"; done
	done
	mkdir "$T/other"
	echo other >"$T/other/a"
	give "$T"
	run cow "${SYSTEM[@]}" -r "$T/other" -- /bin/sh -ec 'cd "$1"
		for j in 1 2 3; do for i in 1 2 3 4 5 6; do (cd $i && cat $j); done; (cd "$2" && cat a); cat a; done
		cd 1; mv ../1 ../moved; mkdir ../1; echo new >../1/3; cat 3; cd ../1; cat 3
		cd ../2; mv ../2 ../gone; mv ../3 ../2; cat ./1; rm -r ../gone; ! cat 3 2>/dev/null; cat ../2/2' - "$T/d" "$T/other"
	exits 0
	[ "$(echo $output)" = '11 21 31 41 51 61 other one 12 22 32 42 52 62 other one 13 23 33 43 53 63 other one 13 new 21 32' ]
}

# The listener keeps in mind what the root is.
@test "and at each descriptor, of whatever, also one that was closed and is another now" {
	cat >"$T/at.py" <<'END'
import os, sys
os.chdir(sys.argv[1])

def show(dirfd, name, flags=os.O_RDONLY):
    try:
        fd = os.open(name, flags, dir_fd=dirfd)
        print(os.read(fd, 9).decode().strip(), end=" ")
        os.close(fd)
    except OSError as error:
        print(error.strerror.split()[0], end=" ")

top, sub, other = (os.open(name, os.O_PATH) for name in (".", "sub", "/"))
for i in range(2):
    show(top, "a")
    show(sub, "b", os.O_RDWR | os.O_CREAT)
    show(top, "sub/b")
    show(sub, "../a")
    show(other, sys.argv[1][1:] + "/a")
    show(sub, "none")
os.rename("sub", "moved")
show(sub, "b")
show(os.open("a", os.O_PATH), "b")
show(os.open("a", os.O_RDONLY), ".")
os.dup2(top, sub)
show(sub, "a")
show(sub, "b")
os.close(sub)
show(sub, "a")
show(-1000, "a")
os.umask(0)
print(oct(os.fstat(os.open("fresh", os.O_RDWR | os.O_CREAT, 0o640, dir_fd=top)).st_mode))
END
	give "$T"
	run cow "${SYSTEM[@]}" -r "$T/at.py" -- python3 "$T/at.py" "$T/d"
	exits 0
	each='one two two one one No '
	[ "$output" = "$each${each}two Not Not one No Bad Bad 0o100640" ]
}

@test "paths begin at each process's root, by whatever call that became another one" {
	mkdir -p "$T/d/jail$T/d"
	echo jailed >"$T/d/jail/f"
	ln -s /f "$T/d/jail/l"
	echo inner >"$T/d/jail$T/d/a"
	cat >"$T/roots.py" <<'END'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
top, way = sys.argv[1:]
jail = top + "/jail"
NEWUSER, NEWNS, BIND = 0x10000000, 0x20000, 4096
clone = 56 if os.uname().machine == "x86_64" else 120 if os.uname().machine.startswith("arm") else 220

def must(result):
    if result < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    return result

def show(*names):
    print(*(open(name).read().strip() for name in names))

def fork(flags):
    """By clone or clone3; the parent waits."""
    if way == "clone":
        pid = must(libc.syscall(clone, flags | 17, 0, 0, 0, 0))
    else:
        pid = must(libc.syscall(435, (ctypes.c_uint64 * 8)(flags, 0, 0, 0, 17), 64))
    if pid:
        os._exit(os.waitpid(pid, 0)[1] >> 8)

show(top + "/a", top + "/sub/b")
if way == "chroot":
    must(libc.unshare(NEWUSER))
    os.chroot(jail)
    show("/f", "/l", top + "/a", "/../f")
else:
    if way == "unshare":
        must(libc.unshare(NEWUSER | NEWNS))
    else:
        fork(NEWUSER | NEWNS)
    must(libc.mount((jail + top).encode(), top.encode(), None, BIND, None))
    show(top + "/a")
END
	give "$T"
	for way in chroot unshare clone clone3; do
		run cow "${SYSTEM[@]}" -r "$T/roots.py" --filter none --allow-userns -- python3 "$T/roots.py" "$T/d" "$way"
		exits 0
		case $way in
		chroot) [ "$output" = $'one two\njailed jailed inner jailed' ] ;;
		*) [ "$output" = $'one two\ninner' ] ;;
		esac
	done
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
			timeout -s KILL 20 /bin/sh -c 'until grep -q "^State:.*T" /proc/$1/status; do :; done' - "$pid"
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

@test "its listener is in the box, with no rights there" {
	need_root
	[ "$(uname -m)" = x86_64 ] || skip "the number of pivot_root is written down for x86-64"
	for without in 9999 155; do
		launch setsid "$NB_BIN/starter" reset "$NB_BIN/deny" "$without" EPERM -- "$NB" "${SYSTEM[@]}" --cow "$T/d" --cow-backend notify -- \
			/bin/sh -c "echo done; exec $PROBE hold"
		await done
		set -- $(children "$LAUNCHER")
		enclosed "$1"
		output=$(cat "/proc/$1/status")
		matches '^CapEff:.0+$' '^CapPrm:.0+$' '^NoNewPrivs:.1$' '^Seccomp:.2$'
		kill -KILL "$LAUNCHER"
		gone "$1"
	done
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

# fails_whole REGEX: the commit at the end of COW_JOB has failed with that line, has changed nothing, and has kept the
# store, with which it fails again.
fails_whole() {
	before=$(picture)
	run --separate-stderr cow -- /bin/sh -ec "cd d; $COW_JOB"
	exits 125
	grep -qE -- "$1" <<<"$stderr" || { echo "$stderr" >&2; return 1; }
	grep -q 'to try again: nestbox --cow-commit' <<<"$stderr"
	unchanged
	run --separate-stderr nb --cow-commit "$(stores)"
	exits 125
	grep -qE -- "$1" <<<"$stderr" || { echo "$stderr" >&2; return 1; }
	unchanged
}

@test "what the command has not seen is not deleted with what it has" {
	need_root "devices"
	mkdir "$T/d/dev"
	mknod "$T/d/dev/null" c 1 3
	give "$T/d"
	COW_JOB='echo more >>a; rm -r dev; echo x >x'
	fails_whole '^nestbox: conflict: D  dev/null$'
	nb --cow-discard "$(stores)"
	unchanged
	run cow -- /bin/sh -c 'cd d; rmdir dev; mkdir dev; echo x >dev/x'
	exits 125
	nb --cow-discard "$(stores)"
	rm "$T/d/dev/null"
	run cow -- /bin/sh -c 'cd d; rmdir dev'
	exits 0
	[ ! -e "$T/d/dev" ]
}

@test "file systems that are mounted in it stay" {
	need_root "mounts"
	mkdir -p "$T/d/x/mnt"
	give "$T"
	run --separate-stderr unshare -m --propagation private bash -c '
		mount -t tmpfs t "$1/d/x/mnt"
		touch "$1/d/x/mnt/file"
		"${@:2}"
		echo "status $?"
		ls "$1/d/x/mnt" "$1/d/a"' - "$T" "${CALLER[@]}" "$NB" "${SYSTEM[@]}" --cow "$T/d" --cow-backend notify -- /bin/sh -ec 'cd d; ls x/mnt; rm a; rm -r x'
	is "$(printf '%s\n' 'status 125' "$T/d/a" '' "$T/d/x/mnt:" file)"
	grep -qxF 'nestbox: cow: x: a file system is mounted there' <<<"$stderr" || { echo "$stderr" >&2; return 1; }
}

@test "directories of others: what is in them is not seen, or not changed by half" {
	need_plain_caller
	need_root "files of others"
	mkdir -p "$T/d/closed/in" "$T/d/theirs" "$T/d/sticky"
	touch "$T/d/closed/in/x" "$T/d/theirs/x" "$T/d/sticky/x"
	chmod 0700 "$T/d/closed"
	chmod 1777 "$T/d/sticky"
	before=$(picture)
	run cow --on-success discard -- /bin/sh -c 'ls -A d/closed; stat -c %a d/closed; rmdir d/closed; ls d/theirs'
	exits 0
	is "$(printf '%s\n' 700 x)"
	unchanged
	for COW_JOB in 'echo y >theirs/y' 'echo y >>theirs/x' 'rm theirs/x' 'mkdir theirs/y' 'chmod 0711 theirs'; do
		COW_JOB="echo more >>a; $COW_JOB; echo x >x"
		fails_whole '^nestbox: cow: theirs.*: (Permission denied|Operation not permitted)$'
		nb --cow-discard "$(stores)"
	done
	COW_JOB='echo more >>a; rm -r theirs; echo x >x'
	fails_whole '^nestbox: conflict: D  theirs$'
	nb --cow-discard "$(stores)"
	COW_JOB='echo more >>a; rm sticky/x; echo x >x'
	fails_whole '^nestbox: cow: sticky/x: Operation not permitted$'
	nb --cow-discard "$(stores)"
	run cow -- /bin/sh -c 'echo x >d/sticky/y; echo more >>d/a'
	exits 0
	[ "$(cat "$T/d/sticky/y")" = x ]
}

@test "a file that the caller may not read is moved: nothing is committed or lost" {
	need_plain_caller
	need_root "files of others"
	echo secret >"$T/d/secret"
	chmod 0600 "$T/d/secret"
	COW_JOB='echo more >>a; mv secret moved; ! cat moved; echo x >x'
	fails_whole '^nestbox: cow: moved: Permission denied$'
	chmod 0644 "$T/d/secret"
	# Which is a change since the box began.
	run --separate-stderr nb --cow-commit "$(stores)"
	exits 125
	[[ $stderr = 'nestbox: conflict: D  secret'* ]]
	nb --cow-discard "$(stores)"
	chmod 0600 "$T/d/secret"
	before=$(picture)
	run cow -- /bin/sh -ec 'cd d; mv secret moved; rm moved'
	exits 0
	[ ! -e "$T/d/secret" ]
}

@test "no room in the store: the open fails, nothing is lost, and later it works" {
	seq 50000 >"$T/d/big"
	seq 1000 >"$T/d/small"
	give "$T/d"
	before=$(picture)
	run --separate-stderr as_caller unshare -Urm bash -ec '
		cd "$1"
		mount -t tmpfs -o size=600k t state
		shift
		box() { "${words[@]}" -- /bin/sh -ec "cd d; $1"; }
		words=("$@")
		box "head -c 450000 /dev/urandom >filler
			! cat big 2>&1 | cut -d : -f 3
			wc -c <small
			stat -c %s big
			rm filler
			cmp big big2 2>/dev/null || cksum <big"
		cksum <d/big
		words+=(--on-success keep)
		box "head -c 450000 /dev/urandom >filler; ! cat big >/dev/null; rm filler; echo x >x" 2>/dev/null
		"$1" --dry-run --cow-commit state/nestbox/cow-* 2>&1
		"$1" --cow-discard state/nestbox/cow-*
		words=("$@")
		head -c 450000 /dev/urandom >state/ballast
		box "mv big large" || echo "status $?"
		ls d
		"$1" --cow-commit state/nestbox/cow-* || echo "status $?"
		ls d
		rm state/ballast
		"$1" --cow-commit state/nestbox/cow-*
		cksum <d/large
		ls d' - "$T" "$NB" "${SYSTEM[@]}" --cow "$T/d" --cow-backend notify
	sum=$(seq 50000 | cksum)
	files=$(printf '%s\n' a big link second small sub)
	exits 0
	is "$(printf '%s\n' ' No space left on device' 3893 288894 "$sum" "$sum" 'dry-run: filesystem changes:' 'A  x' \
		'status 125' "$files" 'status 125' "$files" "$sum" a large link second small sub)"
	[ "$(grep -c 'nestbox: cow: .*No space left' <<<"$stderr")" -eq 2 ]
	[ "$(grep -c 'to try again: nestbox --cow-commit' <<<"$stderr")" -eq 2 ]
}
