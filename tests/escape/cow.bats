#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Copy-on-write: the command has nothing but the view of the directory, and what it leaves there is committed
# as it is and never followed. Others who can change the directory, or hand over a store, get nothing by it.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of the box's shell; variables shared with run
load ../lib/common.bash

setup() {
	nb_setup
	mkdir -p "$T/p/d/sub" "$T/state" "$T/outside/dir"
	echo one >"$T/p/d/a"
	echo two >"$T/p/d/sub/b"
	echo secret >"$T/outside/file"
	echo deep >"$T/outside/dir/file"
	D=$T/p/d
	give "$T"
	export XDG_STATE_HOME=$T/state
	outside=$(picture "$T/outside")
	before=$(picture "$D")
}

# picture DIR: all of it, with what only a change of it changes.
picture() {
	find "$1" -printf '%P %y %m %s %U %G %T@ %C@ %l\n' | LC_ALL=C sort
	find "$1" -type f -exec cat {} +
}

# untouched: what is not the box's is as it was.
untouched() {
	diff <(echo "$outside") <(picture "$T/outside")
}

unchanged() {
	untouched
	diff <(echo "$before") <(picture "$D")
}

stores() {
	find "$T/state" -mindepth 2 -maxdepth 2
}

cow() {
	box --cow "$D" --proc /proc "$@"
}

@test "the directory below the overlay is reached by no way" {
	run cow --on-success discard -- /bin/sh -c '
		cd "$1" || exit
		exec 5<a 6<.
		echo x >/proc/self/fd/6/a
		echo x >/proc/1/root"$1"/a
		echo x >/proc/1/cwd/a
		"$TRY" umount "$1" -- umount / -- remount-rw "$1" -- bind / "$1" -- move-mount "$1" /tmp -- unshare mnt -- pivot "$1" \
			-- mount-tmpfs "$1" -- open-tree "$1" -- chroot "$1" >tries
		grep -v ": E" tries
		ln a ../alias; mv sub ../gone; mv "$1" "$1.old"; mv "${1%/*}" "${1%/*}.old"; rmdir "$1"
		cat /proc/self/mountinfo >maps
		ls "'"$T/state"'" "'"$T/outside"'"
		echo end' - "$D"
	exits 0
	lacks '^secret' ': ok'
	says end
	unchanged
	[ -z "$(ls -A "$T" | grep -vxE 'p|state|outside')" ]
	[ "$(ls -A "$T/p")" = d ]
}

@test "nor by a file handle" {
	run cow --on-success discard -- /usr/bin/python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
class Handle(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_char * 128)]
root = os.open(sys.argv[1], os.O_RDONLY)
handle = Handle(128)
mount = ctypes.c_int()
inode = os.stat("'"$D"'/a").st_ino
# What name_to_handle_at(2) of the lower file system would say: type 1, inode and generation; and what it says here.
libc.name_to_handle_at(root, b"a", ctypes.byref(handle), ctypes.byref(mount), 0)
made = Handle(8, 1)
made.data = inode.to_bytes(4, sys.byteorder)
for each in handle, made:
    fd = libc.open_by_handle_at(root, ctypes.byref(each), os.O_RDWR)
    print("opened" if fd >= 0 else "refused")
    if fd >= 0:
        os.write(fd, b"x")
' "$D"
	exits 0
	is "$(printf 'refused\nrefused')"
	unchanged
}

@test "whiteouts and overlayfs's attributes cannot be made by hand" {
	run cow -- /usr/bin/python3 -c '
import os, stat
os.chdir("'"$D"'")
os.mkdir("new")
open("new/file", "w").close()
try:
    os.mknod("a.wh", stat.S_IFCHR, 0)
    print("whiteout")
except OSError:
    pass
for path in ".", "sub", "new", "new/file", "a":
    for name in "opaque", "whiteout", "redirect", "metacopy", "origin", "nestbox.mode", "nestbox.times":
        for value in b"y", b"x", b"/../../../outside", b"1 4755":
            try:
                os.setxattr(path, "user.overlay." + name, value)
            except OSError:
                pass
'
	exits 0
	is ""
	untouched
	[ "$(cat "$D/sub/b" "$D/a")" = "$(printf 'two\none')" ]
	[ -d "$D/new" ] && [ -f "$D/new/file" ] && [ ! -e "$D/a.wh" ]
	[ -z "$(find "$D" -perm /7000)" ]
	python3 - "$D" <<-'END'
		import os, sys
		for path, dirs, files in os.walk(sys.argv[1]):
		    for name in ["."] + files:
		        assert not [x for x in os.listxattr(os.path.join(path, name)) if not x.startswith("security.")], name
	END
}

@test "links to the outside are committed and never followed, nor by the next box" {
	run cow -- /bin/sh -c '
		cd "$1" || exit
		rm -r sub a
		ln -s "$2/dir" sub
		ln -s "$2/file" a
		ln -s ../../outside up
		ln -s /proc/self/cwd/../outside loop
		ln -s . self' - "$D" "$T/outside"
	exits 0
	[ "$(readlink "$D/sub")" = "$T/outside/dir" ]
	untouched
	run cow -- /bin/sh -c '
		cd "$1" || exit
		echo x >a; echo x >sub/file; echo x >up/file; chmod 0777 a; rm sub; mkdir sub; echo x >sub/file; rm -r up; : >up' - "$D"
	exits 0
	[ -f "$D/sub/file" ] && [ -L "$D/a" ] && [ -f "$D/up" ]
	untouched
}

@test "a directory that others replace by a link meanwhile: nothing is written there" {
	for to in ../../outside/dir "$T/outside/dir" .. /; do
		run cow --on-success keep -- /bin/sh -c 'cd "$1" && echo x >>sub/b; echo x >sub/file; mkdir sub/n; rm a' - "$D"
		exits 0
		mv "$D/sub" "$T/p/sub"
		ln -s "$to" "$D/sub"
		run nb --cow-commit "$(stores)"
		exits 125
		[ -e "$D/a" ]
		untouched
		run nb --cow-discard "$(stores)"
		exits 0
		rm "$D/sub"
		mv "$T/p/sub" "$D/sub"
	done
	[ "$(cat "$D/sub/b")" = two ]
}

@test "a FIFO, a socket and names of any bytes: committed, and no FIFO is opened" {
	# Opening would wait for the other end for ever.
	NB_LIMIT=30 run cow -- /usr/bin/python3 -c '
import os, socket
os.chdir(b"'"$D"'")
os.mkfifo("fifo", 0o600)
os.remove("a")
os.mkfifo("a", 0)
socket.socket(socket.AF_UNIX).bind("socket")
for name in b"\n", b"..\n", b"-rf", b"\xff\xfe", b"\x1b[2J", b" ", b"lower=", b"x" * 255, b"...", b"$(touch x)":
    open(name, "w").close()
    os.mkdir(name[:254] + b"D")
'
	exits 0
	[ -p "$D/a" ] && [ -p "$D/fifo" ] && [ -S "$D/socket" ]
	[ "$(find "$D" -mindepth 1 -printf x | wc -c)" -eq 25 ]
	untouched
	NB_LIMIT=30 run cow -- /bin/sh -c 'cd "$1" && rm fifo && chmod 0600 a' - "$D"
	exits 0
	[ -p "$D/a" ] && [ ! -e "$D/fifo" ]
}

@test "devices cannot be left there" {
	run cow -- "$TRY" mkchr "$D/c" -- mkblk "$D/b"
	exits 0
	lacks ': ok'
	[ -z "$(find "$D" -type b -o -type c)" ]
}

@test "a store below a writable grant is refused under each of its names" {
	need_root "a bind mount"
	mkdir "$T/alias"
	give "$T/alias"
	run timeout 60 unshare -m bash -c '
		mount --bind "$1/state" "$1/alias" && shift && exec "$@"' - "$T" \
		"${CALLER[@]}" "$NB" -x /usr -x /bin -x "$NB_BIN" --cow "$D" -w "$T/alias" -- "$TRY" put "$T/alias/nestbox/x"
	exits 125
	matches "write to the store"
	[ -z "$(stores)" ]
	unchanged
}

@test "what another user has put in the place of the copy is not committed" {
	need_root "files of another user"
	run cow --on-success keep -- /bin/sh -c 'echo x >"$1/new"' - "$D"
	exits 0
	store=$(stores)
	sed -i -e 's/^state=.*/state=committing/' -e 's/^staged=.*/staged=.nestbox-commit-aaaaaaaa/' "$store/state"
	mkdir -p "$D/.nestbox-commit-aaaaaaaa/upper/sub"
	echo planted >"$D/.nestbox-commit-aaaaaaaa/upper/sub/planted"
	chown -R 54321:54321 "$D/.nestbox-commit-aaaaaaaa"
	chmod -R a+rwX "$D/.nestbox-commit-aaaaaaaa"
	run --separate-stderr nb --cow-commit "$store"
	exits 125
	[[ $stderr = "nestbox: cow: .nestbox-commit-aaaaaaaa: is another user's"* ]]
	[ ! -e "$D/sub/planted" ]
	untouched
}

@test "somebody else's store is refused, and one that others may change" {
	need_root "files of another user"
	run cow --on-success keep -- /bin/sh -c 'echo x >"$1/new"' - "$D"
	exits 0
	store=$(stores)
	chmod 0711 "$T/state" "$T/state/nestbox"
	for word in --cow-commit --cow-discard; do
		chown 54321 "$store"
		run --separate-stderr nb "$word" "$store"
		exits 125
		one_line
		give "$store"
		for mode in 0770 0707 0710 0701; do
			chmod "$mode" "$store"
			run --separate-stderr nb "$word" "$store"
			exits 125
			one_line "others may enter"
		done
		chmod 0700 "$store"
		ln -sfn "$store" "$T/link"
		chown 54321 "$store"
		run --separate-stderr nb "$word" "$T/link"
		exits 125
		give "$store"
	done
	unchanged
	if command -v setfacl >/dev/null; then
		setfacl -m u:54321:rwx "$store"
		run --separate-stderr nb --cow-commit "$store"
		exits 125
		unchanged
		setfacl -b "$store"
	fi
	run nb --cow-commit "$store"
	exits 0
	[ -e "$D/new" ]
}

@test "no store is made where others could put one in its place" {
	mkdir "$T/open"
	give "$T/open"
	chmod 0777 "$T/open"
	run --separate-stderr env -u XDG_STATE_HOME -u HOME TMPDIR="$T/open" "${CALLER[@]}" "$NB" -x "$NB_BIN" --cow "$D" -- "$TRY" put "$D/x"
	exits 125
	one_line "others may"
	unchanged
	chmod 1777 "$T/open"
	run env -u XDG_STATE_HOME -u HOME TMPDIR="$T/open" "${CALLER[@]}" "$NB" -x "$NB_BIN" --cow "$D" -- "$TRY" put "$D/x"
	exits 1
	# Somebody was there before, with a link, or a directory of his own.
	[ "$(stat -c %a "$T/open"/nestbox-*)" = 700 ]
	rmdir "$T/open"/nestbox-*
	ln -s "$T/outside" "$T/open/nestbox-$NB_UID"
	run --separate-stderr env -u XDG_STATE_HOME -u HOME TMPDIR="$T/open" "${CALLER[@]}" "$NB" -x "$NB_BIN" --cow "$D" -- "$TRY" put "$D/x"
	exits 125
	one_line
	untouched
}

@test "a state that is not one of ours is refused" {
	run cow --on-success keep -- /bin/sh -c 'echo x >"$1/new"' - "$D"
	exits 0
	store=$(stores)
	cp "$store/state" "$T/good"
	for change in 's/^inode=.*/inode=1/' 's/^lower=.*/lower=relative/' "s|^lower=.*|lower=$T/outside|" 's/^staged=.*/staged=..\/x/' \
		's/^staged=.*/staged=sub/' 's/^staged=.*/staged=.nestbox-commit-..\/x/' 's/^device=.*/device=-1:0/' \
		's/^inode=.*/inode=99999999999999999999999/' 's/^base=.*/base=1.9999999999/' 's/^state=.*/state=/' '1d' '$d' '$a x=y' 's/lower/lower\x00/'; do
		sed "$change" "$T/good" >"$store/state"
		for word in --cow-commit --cow-discard; do
			# Of another directory, or none: then the store goes, and nothing else.
			[[ $word$change != --cow-discard*inode=1/ && $word$change != --cow-discard*outside* ]] || continue
			run --separate-stderr nb "$word" "$store"
			exits 125
			one_line
		done
		unchanged
	done
	rm "$store/state"
	mkfifo "$store/state"
	give "$store/state"
	NB_LIMIT=20 run --separate-stderr nb --cow-commit "$store"
	exits 125
	one_line
	rm "$store/state"
	ln -s "$T/good" "$store/state"
	run --separate-stderr nb --cow-commit "$store"
	exits 125
	unchanged
	rm "$store/state"
	sed "s|^lower=.*|lower=$T/outside|" "$T/good" >"$store/state"
	give "$store/state"
	run nb --cow-discard "$store"
	exits 0
	unchanged
	[ -z "$(stores)" ]
}

@test "what an interrupted removal has left of a store is removed" {
	for word in --cow-discard --cow-commit; do
		run cow --on-success keep -- /bin/sh -c 'echo x >"$1/new"' - "$D"
		exits 0
		store=$(stores)
		rm -r "$store/upper"
		run nb "$word" "$store"
		exits 0
		[ -z "$(stores)" ]
		[ ! -e "$D/new" ] && [ "$(cat "$D/a" "$D/sub/b")" = "$(printf 'one\ntwo')" ]
	done
}

@test "a directory whose owner has no id here: said in words" {
	need_root "files of another user"
	chown 54321:54321 "$D"
	chmod 0777 "$D"
	run --separate-stderr as_caller unshare -Ur "$NB" -x "$NB_BIN" --cow "$D" -- "$TRY" put "$D/x"
	exits 125
	one_line "no id in this user namespace"
	[ -z "$(stores)" ]
	[ ! -e "$D/x" ]
}

# sums: as picture, of files with any bytes.
sums() {
	find "$D" -printf '%P %y %m %s %U %G %T@ %C@ ' \( -type f -exec md5sum -b {} \; -o -printf '\n' \) | LC_ALL=C sort
}

has_landlock() {
	as_caller "$NB" -x "$NB_BIN" --explain -- probe | grep -q 'landlock ABI'
}

# zeros WAY: files are seen without their content, by a race that the kernel leaves to whoever wants it. What then is
# committed is what was listed, and in no file zeros that nobody has written; before that nothing is changed.
zeros() {
	local number=40 start

	cp "$NB_HELPERS/zeros" "$NB_BIN/"
	chmod 0755 "$NB_BIN/zeros"
	as_caller "$NB_BIN/zeros" make "$D" "$number"
	start=$(sums)
	for _ in 1 2 3 4 5; do
		run --separate-stderr mini --cow "$D" --cow-backend notify --on-success keep -- "$NB_BIN/zeros" "$1" "$D" "$number"
		exits 0
		diff <(echo "$start") <(sums)
		[ "$output" -eq 0 ] || break
		nb --cow-discard "$(stores)"
	done
	[ "$output" -gt 0 ]
	store=$(stores)
	run nb --dry-run --cow-commit "$store"
	exits 0
	[ "$1" != exec ] || is 'dry-run: no filesystem changes'
	listed=$(sed -n 's/^[A-Z]  //p' <<<"$output")
	run nb --cow-commit "$store"
	exits 0
	as_caller "$NB_BIN/zeros" check "$D" "$number" >"$T/wrong"
	[ ! -s "$T/wrong" ] || { cat "$T/wrong" >&2; return 1; }
	# Not the time of change: a file that got another name comes in as a whole.
	changed=$(diff <(awk '{ $8 = ""; print }' <<<"$start") <(sums | awk '{ $8 = ""; print }') | sed -n 's/^[<>] \([uv][0-9][0-9]*\) .*/\1/p' | LC_ALL=C sort -u)
	diff <(echo "$listed") <(echo "$changed")
	untouched
}

@test "a file that was seen with zeros is not committed with them: openat2" { zeros read; }
@test "nor what is written to it: openat2" { zeros write; }
@test "nor is it by truncate" { zeros truncate; }
@test "nor by execve" { zeros exec; }

@test "nor after a landlock_restrict_self in the box" {
	has_landlock || skip "this kernel's Landlock is too old"
	zeros landlock
}
