#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: its name, --version, --help, use that is refused, messages.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

# ---- the name ----

# is_bwrap COMMAND…: that is bubblewrap and nothing else.
is_bwrap() {
	run as_caller "$@" --version
	exits 0 || return 1
	matches "^bubblewrap [0-9]+\.[0-9]+\.[0-9]+$"
}

@test "by its full path, by a relative one, by PATH, by a link" {
	is_bwrap "$BW"
	cd "$NB_BIN"
	is_bwrap ./bwrap
	cd "$T"
	is_bwrap env "PATH=$NB_BIN:$PATH" bwrap
	ln -s "$NB_BIN/nestbox" "$T/bwrap"
	is_bwrap "$T/bwrap"
}

@test "by the file's name when argv[0] is exe: executed again through /proc/self/exe" {
	is_bwrap /bin/bash -c 'exec -a exe "$@"' - "$BW"
	is_bwrap /bin/bash -c 'exec -a /proc/self/exe "$@"' - "$BW"
	run bw --ro-bind / / --proc /proc -- /proc/self/exe --version
	matches "^bubblewrap [0-9]"
}

@test "through /proc/self/exe a box in a box" {
	run bw --unshare-user --uid 0 --gid 0 --cap-add ALL --bind / / --bind /proc /proc -- \
		/proc/self/exe --unshare-all --bind / / --bind /proc /proc -- "$PROBE" exit 6
	exits 6
}

@test "bound over the original's place" {
	need_root "a mount of the host's"
	touch "$T/bwrap"
	run timeout -s KILL 60 unshare -m --propagation private /bin/sh -c 'mount --bind "$1" "$2" || exit 99; shift; p=$1; shift
		"$@" "$p" --version; "$@" /bin/bash -c "exec -a exe $p --version"' - "$NB_BIN/nestbox" "$T/bwrap" "${CALLER[@]}"
	[ "$(grep -cE '^bubblewrap [0-9]' <<<"$output")" -eq 2 ]
}

# ---- version and help ----

@test "--version: one line on stdout, three numbers, at least 0.12" {
	run --separate-stderr bw --version
	exits 0
	[ -z "$stderr" ]
	[[ $output =~ ^bubblewrap\ ([0-9]+)\.([0-9]+)\.([0-9]+)$ ]]
	newer 0.12
	((BASH_REMATCH[1] > 0 || BASH_REMATCH[2] >= 12))
}

@test "--version and --help where nothing of the rest could work" {
	# clone, unshare and clone3 of x86-64; elsewhere they are three others.
	run as_caller "$NB_BIN/deny" 56,272,435 EPERM -- "$BW" --version
	matches "^bubblewrap "
	run as_caller "$NB_BIN/deny" 56,272,435 EPERM -- "$BW" --help
	exits 0
}

@test "--version and --help among others, in the order of the words" {
	run bw --unshare-all --version --help
	is "$(bw --version)"
	run bw --unshare-all --help --version
	matches "^usage: "
}

@test "--help: on stdout, usage first, an option a line" {
	run --separate-stderr bw --help
	exits 0
	[ -z "$stderr" ]
	[[ ${lines[0]} == usage:\ *bwrap\ * ]]
	matches "^    --bind SRC DEST +[A-Za-z]" "^    --unshare-all +[A-Za-z]" "^    --disable-userns +[A-Za-z]"
}

@test "--help: what clients look for" {
	run bw --help
	matches -- "--disable-userns" "--bind-try" "--perms" "--size" "--json-status-fd"
	newer 0.12
	matches -- "--argv0" "--bind-fd" "--ro-bind-fd" "--overlay-src" "--tmp-overlay" "--level-prefix"
}

@test "no words, or options without a command: usage on stderr, 1" {
	run --separate-stderr bw
	exits 1
	[ -z "$output" ]
	[[ $stderr == *"usage: "* ]]
	run --separate-stderr mini
	exits 1
	[ -z "$output" ]
	[[ $stderr == *"usage: "* ]]
	run --separate-stderr mini --
	exits 1
	[[ $stderr == *"usage: "* ]]
}

# ---- options ----

@test "an option that is none" {
	dies "^bwrap: Unknown option --none$" --none
	dies "^bwrap: Unknown option -x$" -x
	dies "^bwrap: Unknown option --bin$" --bin / /
	dies "^bwrap: Unknown option --uid=0$" --uid=0
}

@test "nestbox's own options are none of bwrap's" {
	local option
	for option in --read --cow --filter --timeout --keep-fd --status-fd --as --box --check --net; do
		dies "^bwrap: Unknown option $option$" "$option" x
	done
}

@test "words that are missing" {
	local option
	for option in --chdir --remount-ro; do
		missing "^bwrap: $option takes (an|one) argument$" "$option"
	done
	for option in --args --proc --dev --tmpfs --mqueue --dir --lock-file --sync-fd --block-fd --userns-block-fd --info-fd \
		--json-status-fd --seccomp --add-seccomp-fd --userns --userns2 --pidns --unsetenv --uid --gid --hostname --cap-add \
		--cap-drop --perms --size --exec-label --file-label; do
		missing "^bwrap: $option takes an argument$" "$option"
	done
	for option in --bind --bind-try --ro-bind --ro-bind-try --dev-bind --dev-bind-try --file --bind-data --ro-bind-data \
		--symlink --setenv --chmod; do
		missing "^bwrap: $option takes two arguments$" "$option"
		missing "^bwrap: $option takes two arguments$" "$option" 8
	done
}

@test "words that are missing, newer options" {
	newer 0.12
	missing "^bwrap: --argv0 takes (an|one) argument$" --argv0
	missing "^bwrap: --(ro-)?bind-fd takes two arguments$" --bind-fd
	missing "^bwrap: --(ro-)?bind-fd takes two arguments$" --ro-bind-fd 8
	missing "^bwrap: --overlay takes three arguments$" --overlay-src / --overlay /a /b
	missing "^bwrap: --tmp-overlay takes an argument$" --overlay-src / --tmp-overlay
	missing "^bwrap: --ro-overlay takes an argument$" --overlay-src / --ro-overlay
	missing "overlay-src" --overlay-src
}

# missing REGEX WORD…: these are the last words.
missing() {
	local regex=$1

	shift
	run --separate-stderr mini "$@"
	dead "$regex" || { echo "for: $*" >&2; return 1; }
}

@test "--perms: what is no mode, what it must be followed by" {
	local text
	for text in 8 x 10000 07778 ""; do
		dies "^bwrap: --perms takes an octal argument <= 07777$" --perms "$text" --dir /x
	done
	dies "^bwrap: --perms given twice for the same action$" --perms 0700 --perms 0755 --dir /x
	text="^bwrap: --perms must be followed by an option that creates a file$"
	dies "$text" --perms 0700 --bind / /x
	dies "$text" --perms 0700 --symlink a /x
	dies "$text" --perms 0700 --unshare-pid --dir /x
	run --separate-stderr mini --perms 0700 -- "$PROBE" exit 0
	[ "$status" -eq 0 ] || dead "$text"
}

@test "--size: what is no size, what it must be followed by" {
	local text
	for text in 0 x -1 " 1" 1k 99999999999999999999; do
		dies "^bwrap: --size takes a non-zero number of bytes$" --size "$text" --tmpfs /x
	done
	dies "^bwrap: --size \(for tmpfs\) is limited to [0-9]+$" --size 9223372036854775808 --tmpfs /x
	dies "^bwrap: --size given twice for the same action$" --size 1 --size 2 --tmpfs /x
	dies "^bwrap: --size must be followed by --tmpfs$" --size 4096 --dir /x
}

@test "--chmod: what is no mode" {
	local text
	for text in 8 x 10000 ""; do
		dies "^bwrap: --chmod takes an octal argument <= 07777$" --chmod "$text" /
	done
}

@test "what comes first on the command line is what is complained of" {
	dies "^bwrap: Unknown option --none$" --none --perms x --uid x
	dies "^bwrap: Invalid uid: x$" --uid x --none
}

# ---- messages ----

@test "--level-prefix: <3> before errors, <4> before warnings" {
	newer 0.11
	run --separate-stderr mini --level-prefix --bind "$T/none" /x -- "$PROBE" exit 0
	exits 1
	[ "$stderr" = "<3>bwrap: Can't find source path $T/none: No such file or directory" ]
	run --separate-stderr mini --level-prefix --chdir / --chdir / -- "$PROBE" exit 0
	exits 0
	[ "$stderr" = "<4>bwrap: Only the last --chdir option will take effect" ]
	run --separate-stderr mini --level-prefix -- /none
	[ "$stderr" = "<3>bwrap: execvp /none: No such file or directory" ]
}

@test "--level-prefix: of warnings, too" {
	newer 0.11
	run --separate-stderr mini --level-prefix --chdir / --chdir / -- "$PROBE" exit 0
	[ "$stderr" = '<4>bwrap: Only the last --chdir option will take effect' ]
}

@test "messages begin with bwrap whatever the program was called" {
	run --separate-stderr as_caller /bin/bash -c 'exec -a exe "$@"' - "$BW" --none
	dead "^bwrap: Unknown option --none$"
}

@test "nothing is said when all is well" {
	run --separate-stderr mini --unshare-all --dev /dev --proc /proc -- "$PROBE" exit 0
	exits 0
	[ -z "$output$stderr" ]
}

# ---- rights ----

@test "a setuid copy refuses to run" {
	newer 0.12
	need_root "a setuid file"
	cp "$BW" "$T/bwrap"
	chown 54321 "$T/bwrap"
	chmod 4755 "$T/bwrap"
	run --separate-stderr as_caller "$T/bwrap" --ro-bind / / --bind "$T" "$T" -- "$TRY" put "$T/marker"
	exits 1
	[[ $stderr == bwrap:\ * ]]
	[ ! -e "$T/marker" ]
}
