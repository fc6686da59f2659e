# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # variables of the bats files and of run
#
# For the tests of nestbox as an init. They run against the originals, too:
#
#   TINI, DUMB_INIT, CATATONIT   the programs under test  (copies of $NESTBOX by these names)
#
# as in `TINI=/usr/bin/tini bats tests/e2e/init-tini.bats`. Inside a test, TINI_, DUMB_ and CATA_ are
# the copies' paths, and PROGRAM is the one that this file is about.

load ../lib/common

setup_file() {
	nb_setup_file
	init_setup_file
}

# A copy, so that ordinary callers can run it, and the name is right.
init_setup_file() {
	cp "$NB_HELPERS/cell" "$NB_DIR/bin/"
	cp "${TINI:-$NESTBOX}" "$NB_DIR/bin/tini"
	cp "${DUMB_INIT:-$NESTBOX}" "$NB_DIR/bin/dumb-init"
	cp "${CATATONIT:-$NESTBOX}" "$NB_DIR/bin/catatonit"
	chmod 0755 "$NB_DIR/bin/"*
}

setup() {
	nb_setup
	CELL=$NB_BIN/cell
	TINI_=$NB_BIN/tini DUMB_=$NB_BIN/dumb-init CATA_=$NB_BIN/catatonit
	unset TINI_SUBREAPER TINI_VERBOSITY TINI_KILL_PROCESS_GROUP DUMB_INIT_DEBUG DUMB_INIT_SETSID LISTEN_PID
}

# Unlike a box, an init that a failed test kills leaves its command behind.
teardown() {
	local pid

	for pid in "${MINE[@]}"; do
		end_with_children "$pid"
	done
	cd / || return
	rm -rf "$T"
}

end_with_children() {
	local pid all

	read -ra all <"/proc/$1/task/$1/children" || true
	kill -KILL "$1" || true
	for pid in "${all[@]}"; do
		end_with_children "$pid"
	done
} 2>/dev/null

# better NAME: what follows is what the original NAME does wrong or not at all.
better() {
	[ -z "${!1:-}" ] || skip "the original does otherwise"
}

# under_test NAME: all are, unless this run is about originals.
under_test() {
	[ -n "${TINI:-}${DUMB_INIT:-}${CATATONIT:-}" ] || return 0
	case $1 in
	tini) [ -n "${TINI:-}" ] ;;
	dumb-init) [ -n "${DUMB_INIT:-}" ] ;;
	catatonit) [ -n "${CATATONIT:-}" ] ;;
	*) return 1 ;;
	esac
}

# native: this test is about nestbox's own words.
native() {
	under_test nestbox || skip "the original does otherwise"
}

# In the background, with the signals as a login shell would hand them over, as in common.bash; here INIT is
# the init itself: env, setpriv and starter all exec. No setsid, which would fork.
begin() {
	launch "$NB_BIN/starter" reset "$@"
	INIT=$LAUNCHER
}

# begin_first OPTION… -- PROGRAM…: PROGRAM as PID 1 of a cell; INIT is its number outside.
begin_first() {
	launch "$NB_BIN/starter" reset "$CELL" "$@"
}

# first: INIT, once its command has said that it is there.
first() {
	INIT=$(children "$LAUNCHER" | tr -d ' ')
}

# only_child PID: its number.
only_child() {
	local all

	read -ra all <"/proc/$1/task/$1/children"
	[ "${#all[@]}" -eq 1 ] || { echo "children of $1: ${all[*]}" >&2; return 1; }
	echo "${all[0]}"
}

# field PID NAME: of /proc/PID/status.
field() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# until_state PID LETTERS: nobody tells when a process stops or goes on, so look, with a bound.
until_state() {
	local i

	for ((i = 0; i < 20000; i++)); do
		[[ $(<"/proc/$1/stat") != *") "[$2]" "* ]] || return 0
	done
	echo "process $1: $(<"/proc/$1/stat"), wanted $2" >&2
	return 1
}

# until_children PID COUNT: as many children, zombies count.
until_children() {
	local i all

	for ((i = 0; i < 20000; i++)); do
		read -ra all <"/proc/$1/task/$1/children" || true
		[ "${#all[@]}" -ne "$2" ] || return 0
	done
	echo "children of $1: ${all[*]}, wanted $2" >&2
	return 1
}

# until_told TEXT: what the program of begin() says on stderr.
until_told() {
	local i

	for ((i = 0; i < 20000; i++)); do
		[[ $(<"$T/err") != *"$1"* ]] || return 0
	done
	echo "not told: $1" >&2
	cat "$T/err" >&2
	return 1
}

# until_cwd PID DIR: it may go there only after the command was started.
until_cwd() {
	local i

	for ((i = 0; i < 2000; i++)); do
		[ "$(readlink "/proc/$1/cwd")" != "$2" ] || return 0
	done
	echo "process $1 is in $(readlink "/proc/$1/cwd"), wanted $2" >&2
	return 1
}

# each SIGNAL…: sent to INIT one by one, each must arrive once, and nothing else.
each() {
	local sig

	await ready
	for sig in "$@"; do
		kill "-$sig" "$INIT"
		await "got $sig"
	done
	kill -64 "$INIT"
	await "got 64"
	drained
	finish
	[ "$status" -eq 0 ]
}

# in_any_order LINE…: these come next.
in_any_order() {
	local got=() i

	for ((i = 0; i < $#; i++)); do
		next || { echo "only: ${got[*]}" >&2; return 1; }
		got+=("$line")
	done
	[ "$(printf '%s\n' "${got[@]}" | sort)" = "$(printf '%s\n' "$@" | sort)" ] || {
		printf 'got: %s\nwanted: %s\n' "${got[*]}" "$*" >&2
		return 1
	}
}

# empty_root NAME=FILE…: a directory that holds these programs and nothing else.
empty_root() {
	local word

	ROOT=$T/root
	mkdir "$ROOT"
	for word in "$@"; do
		mkdir -p "$(dirname "$ROOT/${word%%=*}")"
		cp "${word#*=}" "$ROOT/${word%%=*}"
	done
	give "$ROOT"
}

# Only what is static can be alone in an image.
need_alone() {
	need_static
	! readelf -lW "$1" | grep -q INTERP || skip "about the static builds"
}

# idle_memory PID: "Pss: KB" and "Private_Dirty: KB".
idle_memory() {
	awk '$1 == "Private_Dirty:" || $1 == "Pss:" { print $1, $2 }' "/proc/$1/smaps_rollup"
}
