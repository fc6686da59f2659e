# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What every bats file needs: which binary, which caller, a place to work in.
#
#   NESTBOX     the binary under test          (build/musl/nestbox of this tree)
#   NB_HELPERS  the built programs of tests/lib (build/helpers)
#   NB_AS       root | user: who calls          (root when we are root)
#   NB_LOOPS    how often the escape tests repeat a race
#
# Inside a test: NB is the binary's copy, NB_BIN its directory (with the helpers
# probe, try, walls, starter, deny, hand), T a directory that the caller owns.

bats_require_minimum_version 1.5.0
umask 022

NB_TREE=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
: "${NESTBOX:=$NB_TREE/build/musl/nestbox}"
: "${NB_HELPERS:=$NB_TREE/build/helpers}"
: "${NB_LOOPS:=40}"
if [ "$(id -u)" = 0 ]; then
	: "${NB_AS:=root}"
else
	NB_AS=user
fi
NB_UID=$(id -u)
NB_GID=$(id -g)
CALLER=()
if [ "$NB_AS" = user ] && [ "$NB_UID" = 0 ]; then
	# Ids without a passwd entry: nothing may depend on one.
	NB_UID=12345 NB_GID=12345
	CALLER=(setpriv "--reuid=$NB_UID" "--regid=$NB_GID" --clear-groups --)
fi

# The checkout may be closed to the caller, so work on copies that all may read.
nb_setup_file() {
	NB_DIR=$(mktemp -d /tmp/nbt.XXXXXX)
	chmod 0755 "$NB_DIR"
	mkdir "$NB_DIR/bin"
	cp "$NESTBOX" "$NB_DIR/bin/nestbox"
	cp "$NB_HELPERS"/{probe,try,walls,starter,deny,hand,attributes} "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR/bin/"*
	export NB_DIR
}

setup_file() {
	nb_setup_file
}

teardown_file() {
	rm -rf "$NB_DIR"
}

nb_setup() {
	NB_BIN=$NB_DIR/bin
	NB=$NB_BIN/nestbox
	PROBE=$NB_BIN/probe TRY=$NB_BIN/try
	export PROBE TRY
	T=$NB_DIR/t$BATS_TEST_NUMBER
	MINE=()
	mkdir "$T"
	give "$T"
	cd "$T" || return
}

setup() {
	nb_setup
}

teardown() {
	local pid

	for pid in "${MINE[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	cd / || return
	rm -rf "$T"
}

# give FILE…: to the caller.
give() {
	[ "$(id -u)" != 0 ] || chown -hR "$NB_UID:$NB_GID" "$@"
}

# as_caller COMMAND…: bounded; status 137 when the net had to catch it. Not
# `timeout` with TERM: its 124 is also what nestbox says for --timeout.
as_caller() {
	timeout --foreground -s KILL "${NB_LIMIT:-60}" "${CALLER[@]}" "$@"
}

nb() {
	as_caller "$NB" "$@"
}

# mini: the helpers and nothing else, so it starts fast. box: a usable system.
mini() {
	nb -x "$NB_BIN" "$@"
}

box() {
	local dir opts=(-x /usr -r /etc)

	for dir in /bin /lib /lib64; do
		[ ! -e "$dir" ] || opts+=(-x "$dir")
	done
	nb "${opts[@]}" -x "$NB_BIN" "$@"
}

# ---- in the background ----

# start ARGUMENT…: nestbox in the background as LAUNCHER, its signals as a login
# shell would hand them over, without a terminal even if the tests have one; lines of its
# stdout come by `await`.
start() {
	launch setsid "$NB_BIN/starter" reset "$NB" "$@"
}

launch() {
	rm -f "$T/.out"
	mkfifo "$T/.out"
	"${CALLER[@]}" "$@" <&0 >"$T/.out" 2>"$T/err" 3>&- &
	LAUNCHER=$!
	MINE+=("$LAUNCHER")
	exec 7<"$T/.out"
}

# next: the next line of its output in $line.
next() {
	line=
	read -r -t 30 -u 7 line
}

# await TEXT: that must be the next line.
await() {
	next || { echo "nothing came, wanted: $1" >&2; cat "$T/err" >&2; return 1; }
	[ "$line" = "$1" ] || { echo "got: $line, wanted: $1" >&2; return 1; }
}

# drained: the output ends, so no process that holds it is left.
drained() {
	local extra

	extra=$(timeout -s KILL 30 cat <&7) || { echo "its output stays open" >&2; return 1; }
	[ -z "$extra" ] || { echo "more output: $extra" >&2; return 1; }
}

# finish: wait for the launcher; its status in $status.
finish() {
	gone "$LAUNCHER" || return 1
	status=0
	wait "$LAUNCHER" || status=$?
}

# The number of the call, to be denied.
fsetxattr() {
	case $(uname -m) in
	x86_64) echo 190 ;;
	armv*) echo 228 ;;
	*) echo 7 ;;
	esac
}

# enclosed PID: the process that answers calls has its root and its mounts in the box, and its rights there; and above
# the directories that it has there is nothing else, but that of its descriptors is in its /proc, and others are the
# box's.
enclosed() {
	local child kind fd

	for fd in "/proc/$1/fd/"*; do
		[ ! "$fd" -ef "/proc/$1/fd" ] || continue
		[ ! "$fd" -ef "/proc/$1/root$(readlink "$fd")" ] || continue
		[ ! -d "$fd" ] || [ "$(stat -Lc %d:%i "$fd/.")" = "$(stat -Lc %d:%i "$fd/..")" ]
	done

	for child in $(children "$LAUNCHER"); do
		[ "$child" = "$1" ] && continue
		for kind in user mnt; do
			[ "$(readlink "/proc/$1/ns/$kind")" = "$(readlink "/proc/$child/ns/$kind")" ]
			[ "$(readlink "/proc/$1/ns/$kind")" != "$(readlink "/proc/self/ns/$kind")" ]
		done
		[ "$(stat -Lc %d:%i "/proc/$1/root")" = "$(stat -Lc %d:%i "/proc/$child/root")" ]
		[ "$(stat -Lc %d:%i "/proc/$1/cwd")" = "$(stat -Lc %d:%i "/proc/$child/root")" ]
		return
	done
	false
}

# gone PID: it has ended, or ends within the time that even a slow machine keeps.
gone() {
	"$NB_BIN/starter" await "$1" 30000 || { echo "process $1 stays" >&2; return 1; }
}

# children PID: of it, as the host counts them.
children() {
	cat "/proc/$1/task/$1/children"
}

# apart SCRIPT ARGUMENT…: SCRIPT in a bash for which /tmp, /run and the like are new and
# empty, so that nobody else's files disturb a comparison. The programs are in /run/nbt there, and
# SCRIPT has CALLER, NB, NB_BIN, PROBE and the function snapshot.
apart() {
	local script=$1

	shift
	need_root "a mount namespace of the test's own"
	# shellcheck disable=SC2016
	timeout -s KILL 300 unshare -m --propagation private /bin/bash -c '
		set -e
		mount -t tmpfs -o mode=755 t /run
		mkdir /run/nbt
		cp "$1"/* /run/nbt/
		for d in /tmp /var/tmp /dev/shm /mnt; do mount -t tmpfs -o mode=1777 t $d; done
		cd /
		NB_BIN=/run/nbt NB=/run/nbt/nestbox PROBE=/run/nbt/probe
		read -ra CALLER <<<"$2"
		snapshot() {
			ls -A /
			ls -lA --time-style=full-iso /run /tmp /var/tmp /dev/shm /mnt | grep -v "^total"
			cat /proc/self/mountinfo
		}
		script=$3
		shift 3
		eval "$script"' - "$NB_BIN" "${CALLER[*]}" "$script" "$@" 3>&-
}

# ---- what must hold ----

# exits N: the status of the last `run`.
exits() {
	[ "$status" -eq "$1" ] || {
		printf 'status %s, wanted %s\noutput: %s\nstderr: %s\n' \
			"$status" "$1" "$output" "${stderr:-}" >&2
		return 1
	}
}

# says LINE…: each is a line of the output of the last `run`.
says() {
	local text

	for text in "$@"; do
		grep -qxF -- "$text" <<<"$output" || {
			printf 'no line: %s\nstatus %s, output: %s\nstderr: %s\n' \
				"$text" "$status" "$output" "${stderr:-}" >&2
			return 1
		}
	done
}

# matches REGEX…: each matches a line of the output.
matches() {
	local regex

	for regex in "$@"; do
		grep -qE -- "$regex" <<<"$output" || {
			printf 'nothing matches: %s\nstatus %s, output: %s\nstderr: %s\n' \
				"$regex" "$status" "$output" "${stderr:-}" >&2
			return 1
		}
	done
}

# lacks REGEX…: none matches a line of the output.
lacks() {
	local regex

	for regex in "$@"; do
		! grep -qE -- "$regex" <<<"$output" || {
			printf 'matches: %s\noutput: %s\n' "$regex" "$output" >&2
			return 1
		}
	done
}

# is TEXT: the whole output.
is() {
	[ "$output" = "$1" ] || {
		printf 'status %s\noutput: %s\nwanted: %s\nstderr: %s\n' \
			"$status" "$output" "$1" "${stderr:-}" >&2
		return 1
	}
}

# one_line [REGEX]: stderr of the last `run --separate-stderr` is one line of nestbox's.
one_line() {
	if [ "$(grep -c '' <<<"$stderr")" -ne 1 ] || [[ $stderr != nestbox:\ * ]]; then
		printf 'not one line of nestbox: %s\n' "$stderr" >&2
		return 1
	fi
	[ $# -eq 0 ] || [[ $stderr =~ $1 ]] || {
		printf 'stderr: %s\nwanted: %s\n' "$stderr" "$1" >&2
		return 1
	}
}

# refused REGEX ARGUMENT…: exit 125, one line that matches, nothing on stdout, and the
# command, which would leave a file behind, never ran.
refused() {
	local regex=$1

	shift
	rm -f "$T/marker"
	run --separate-stderr nb -x "$NB_BIN" -w "$T" "$@" -- "$TRY" put "$T/marker"
	exits 125 || return 1
	[ -z "$output" ] || { echo "stdout: $output" >&2; return 1; }
	one_line "$regex" || return 1
	[ ! -e "$T/marker" ] || { echo "the command ran" >&2; return 1; }
}

# ---- who can do this test ----

# The reasons are on the list in tests/allowed-skips, so they are the same everywhere;
# the argument says to the reader of the test what is meant.

need_root() {
	[ "$(id -u)" = 0 ] || skip "only root can prepare this"
}

need_root_caller() {
	[ "$NB_AS" = root ] || skip "about callers with uid 0"
}

need_plain_caller() {
	[ "$NB_AS" = user ] || skip "about callers without privileges"
}

# The sanitizers' runtime has needs of its own: memory, /proc, many calls.
need_static() {
	! readelf -lW "$NESTBOX" | grep -q INTERP || skip "about the static builds"
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}
