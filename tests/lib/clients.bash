# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For the tests that play programs which call bwrap, from recordings of what they did (e2e/clients/NAME.args), and
# for those that run such programs.
#
# Inside a test: BW is the program, as in bwrap.bash; H a home directory, TMP the client's temporary files,
# HOST in the place of the machine's own files, all the caller's. `run replay` needs no more.

# shellcheck source=tests/lib/bwrap.bash
source "${BASH_SOURCE[0]%/*}/bwrap.bash"

clients_setup_file() {
	bw_setup_file
	cp -r "$NB_TREE/tests/e2e/clients" "$NB_DIR/clients"
	chmod -R a+rX "$NB_DIR/clients"
}

setup_file() {
	clients_setup_file
}

clients_setup() {
	bw_setup
	H=$T/home TMP=$T/tmp HOST=$T/host
	mkdir "$H" "$TMP" "$HOST"
	give "$T"
}

setup() {
	clients_setup
}

# replay NAME [COMMAND…]: bwrap, called as NAME.args says, as the caller; COMMAND instead of the recorded one.
# Descriptors that the recording calls given are to be open.
replay() {
	local name=$1

	shift
	as_caller /usr/bin/python3 -IS "$NB_DIR/clients/replay" "$NB_DIR/clients/$name.args" "$BW" \
		"HOME=$H" "TMP=$TMP" "HOST=$HOST" "UID=$NB_UID" "PROGRAM=/usr/bin/cat" -- "$@"
}

# background NAME [COMMAND…]: the same as LAUNCHER in a session of its own, with the test's descriptor 5 as its
# stdin; lines of its stdout come by `await`.
background() {
	local name=$1

	shift
	launch setsid /usr/bin/python3 -IS "$NB_DIR/clients/replay" "$NB_DIR/clients/$name.args" "$BW" \
		"HOME=$H" "TMP=$TMP" "HOST=$HOST" "UID=$NB_UID" "PROGRAM=/usr/bin/cat" -- "$@" <&5
}

# a_stdin: an open descriptor 5 that a box can wait on, and 6, its other end.
a_stdin() {
	mkfifo "$T/stdin"
	exec 6<>"$T/stdin"
	exec 5<"$T/stdin"
}

# tree PATH…: makes these directories, the caller's.
tree() {
	mkdir -p "$@"
	give "$T"
}

# system ROOT PROGRAM…: copies of the programs and of what they are linked with, and sh.
system() {
	local root=$1 file

	shift
	mkdir -p "$root/bin" "$root/lib64" "$root/lib" "$root/etc" "$root/sbin"
	for file in "$(command -v dash)" "$@"; do
		file=$(readlink -f "$file")
		cp "$file" "$root/bin/"
		ldd "$file" 2>/dev/null | grep -o '/[^ ]*' || true
	done | sort -u | while read -r file; do
		mkdir -p "$root/${file%/*}"
		cp -L "$file" "$root/$file"
	done
	ln -sf dash "$root/bin/sh"
}

# file_is PATH TEXT
file_is() {
	[ "$(cat "$1")" = "$2" ] || { printf '%s: %s\nwanted: %s\n' "$1" "$(cat "$1")" "$2" >&2; return 1; }
}

# target PATH: an empty file that bwrap made to mount on.
target() {
	if [ ! -f "$1" ] || [ -s "$1" ]; then
		echo "no empty file: $1" >&2
		ls -l "$1" >&2
		return 1
	fi
}
