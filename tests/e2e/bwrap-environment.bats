#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: environment, directory, capabilities, labels, what is inherited.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

# alone ARGUMENT…: as mini, with an environment of A, B and an empty C.
alone() {
	as_caller env -i A=1 B=two C= "$BW" --ro-bind "$NB_BIN" "$NB_BIN" "$@"
}

@test "the environment is inherited, and PWD is set" {
	run alone --chdir / -- "$PROBE" env
	is $'A=1\nB=two\nC=\nPWD=/'
}

@test "an empty environment" {
	run as_caller env -i "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --chdir / -- "$PROBE" env
	is PWD=/
}

@test "--setenv: a new one, another value, an empty one" {
	run alone --chdir / --setenv D 4 --setenv A 'x y=z' --setenv B '' -- "$PROBE" env
	says "D=4" "A=x y=z" "B=" "C="
}

@test "--setenv: PWD and what is set twice" {
	run alone --chdir / --setenv D 1 --setenv D 2 --setenv PWD /elsewhere -- "$PROBE" env
	says "D=2" "PWD=/"
	lacks "^D=1" "^PWD=/elsewhere"
}

@test "--setenv: a name with = or without letters is refused" {
	dies "" --setenv A=B x
	dies "" --setenv "" x
}

@test "--setenv PATH decides where the command is found" {
	run mini --setenv PATH "$NB_BIN" -- probe exit 6
	exits 6
	run mini --setenv PATH /nowhere -- probe exit 6
	exits 1
}

@test "--unsetenv" {
	run alone --chdir / --unsetenv A --unsetenv NONE -- "$PROBE" env
	is $'B=two\nC=\nPWD=/'
}

@test "--unsetenv: in the order of the words" {
	run alone --chdir / --setenv D 4 --unsetenv D --unsetenv A --setenv A new -- "$PROBE" env
	says "A=new"
	lacks "^D="
}

@test "--clearenv: all but PWD" {
	run alone --chdir / --clearenv -- "$PROBE" env
	is PWD=/
}

@test "--clearenv: in the order of the words" {
	run alone --chdir / --setenv D 4 --clearenv --setenv E 5 -- "$PROBE" env
	says "E=5" "PWD=/"
	lacks "^[ABCD]="
}

@test "an environment of 3,000 variables" {
	local i words=()
	for i in {1..3000}; do words+=("NBT_$i=value"); done
	run as_caller env -i "${words[@]}" "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --setenv LAST 1 -- "$PROBE" envsize
	matches "^3002 "
}

# ---- where it starts ----

@test "--chdir" {
	run mini --dir /a/b --chdir /a/b -- "$PROBE" cwd
	is /a/b
	run alone --dir /a/b --chdir /a/b -- "$PROBE" env
	says "PWD=/a/b"
}

@test "--chdir: relative to the root of the box" {
	run mini --dir /a/b --chdir a/b -- "$PROBE" cwd
	is /a/b
}

@test "--chdir: a place that is missing in the box" {
	dies "^bwrap: Can't chdir to /none: No such file or directory$" --chdir /none
	dies "^bwrap: Can't chdir to /etc/cron.d: No such file or directory$" --chdir /etc/cron.d
}

@test "--chdir: the last one counts, and that is said" {
	run --separate-stderr mini --dir /a --dir /b --chdir /a --chdir /b -- "$PROBE" cwd
	[ "$output" = /b ]
	warns "^bwrap: Only the last --chdir option will take effect$"
}

@test "the caller's directory, where the box has it" {
	mkdir "$T/here"
	cd "$T/here"
	run mini --ro-bind "$T" "$T" -- "$PROBE" cwd
	is "$T/here"
	run alone --ro-bind "$T" "$T" -- "$PROBE" env
	says "PWD=$T/here"
}

@test "else HOME, where the box has it" {
	mkdir "$T/here"
	cd "$T/here"
	run mini --setenv HOME /home/me --dir /home/me -- "$PROBE" cwd
	is /home/me
	run alone --setenv HOME /home/me --dir /home/me -- "$PROBE" env
	says "PWD=/home/me"
}

@test "else the root" {
	mkdir "$T/here"
	cd "$T/here"
	run mini --setenv HOME /home/me -- "$PROBE" cwd
	is /
	run mini --unsetenv HOME -- "$PROBE" cwd
	is /
	run alone -- "$PROBE" env
	says "PWD=/"
}

@test "the caller's directory is the box's of that name, not the caller's own" {
	mkdir "$T/here"
	touch "$T/here/outside"
	cd "$T/here"
	run mini --tmpfs "$T/here" -- "$TRY" lstat outside -- lstat "$T/here/outside"
	says "lstat outside: ENOENT" "lstat $T/here/outside: ENOENT"
}

# ---- capabilities ----

# set_of NAME: one set of the last probe.
set_of() {
	sed -n "s/^$1 //p" <<<"$output"
}

# has SET CAP / lacks_cap SET CAP: by number.
has() {
	(($((16#$(set_of "$1"))) >> $2 & 1)) || { echo "no capability $2 in $1: $output" >&2; return 1; }
}

lacks_cap() {
	((!($((16#$(set_of "$1"))) >> $2 & 1))) || { echo "capability $2 in $1: $output" >&2; return 1; }
}

# none SET…: those sets are empty.
none() {
	local set

	for set in "$@"; do
		[ "$(set_of "$set")" = 0000000000000000 ] || { echo "$set: $output" >&2; return 1; }
	done
}

@test "root keeps all capabilities" {
	need_root_caller
	local before
	before=$("$PROBE" caps | grep effective)
	run mini -- "$PROBE" caps
	says "$before"
	run mini --unshare-pid -- "$PROBE" caps
	says "$before"
	run mini --unshare-pid --as-pid-1 -- "$PROBE" caps
	says "$before"
}

@test "a user has none" {
	need_plain_caller
	run mini -- "$PROBE" caps
	none inheritable permitted effective bounding ambient
	run mini --unshare-all --dev /dev -- "$PROBE" caps
	none inheritable permitted effective bounding ambient
	run mini --unshare-pid --as-pid-1 -- "$PROBE" caps
	none inheritable permitted effective bounding ambient
}

@test "a user who is root inside has none either" {
	need_plain_caller
	run mini --uid 0 --gid 0 -- "$PROBE" caps
	none inheritable permitted effective bounding ambient
}

@test "nothing gains privileges: no_new_privs" {
	run mini -- "$PROBE" caps
	says "nnp 1"
	run mini --unshare-all --cap-add ALL -- "$PROBE" caps
	says "nnp 1"
}

@test "no filter but the one that was given" {
	run mini --unshare-all -- "$PROBE" caps
	says "seccomp 0"
}

@test "the command is dumpable, so that a debugger of the caller's may attach" {
	run mini --unshare-all -- "$PROBE" caps
	says "dumpable 1"
}

@test "--cap-drop ALL: nothing is left, also for root" {
	run mini --cap-drop ALL -- "$PROBE" caps
	none inheritable permitted effective ambient
	run mini --unshare-user --unshare-pid --cap-drop ALL -- "$PROBE" caps
	none inheritable permitted effective bounding ambient
}

@test "--cap-drop all, in lower case" {
	run mini --cap-drop all -- "$PROBE" caps
	none inheritable permitted effective ambient
}

@test "--cap-drop: one by name" {
	need_root_caller
	run mini --cap-drop CAP_KILL --cap-drop cap_fowner -- "$PROBE" caps
	lacks_cap effective 5
	lacks_cap effective 3
	lacks_cap permitted 5
	has effective 10
	has permitted 0
}

@test "--cap-add: the command has it, effective and ambient" {
	run mini --unshare-user --cap-drop ALL --cap-add CAP_NET_ADMIN -- "$PROBE" caps
	says "inheritable 0000000000001000" "permitted 0000000000001000" "effective 0000000000001000" \
		"bounding 0000000000001000" "ambient 0000000000001000"
}

@test "--cap-add: with --dev, --disable-userns, --as-pid-1, other ids" {
	local words
	# shellcheck disable=SC2086 # words
	for words in "--dev /dev" "--disable-userns" "--unshare-pid --as-pid-1" "--uid 4711 --gid 4712" "--uid 0 --gid 0" \
		"--unshare-pid" "--unshare-pid --dev /dev --disable-userns"; do
		run mini --unshare-user $words --cap-drop ALL --cap-add CAP_NET_ADMIN --cap-add cap_sys_admin -- "$PROBE" caps
		says "permitted 0000000000201000" "effective 0000000000201000" "ambient 0000000000201000"
	done
}

@test "--cap-add: what it is good for" {
	run mini --unshare-user --unshare-uts --cap-add CAP_SYS_ADMIN -- "$TRY" sethostname nbt-name
	says "sethostname nbt-name: ok"
	run mini --unshare-user --unshare-uts --cap-drop ALL -- "$TRY" sethostname nbt-name
	says "sethostname nbt-name: EPERM"
}

@test "--cap-add: for a user without --unshare-user, too" {
	need_plain_caller
	run mini --cap-add CAP_NET_ADMIN -- "$PROBE" caps
	says "effective 0000000000001000" "ambient 0000000000001000"
}

@test "--cap-add ALL: all that there are" {
	local all
	all=$(printf '%016x' $(((2 << $(cat /proc/sys/kernel/cap_last_cap)) - 1)))
	run mini --unshare-user --cap-add ALL -- "$PROBE" caps
	[ "$NB_AS" = root ] || says "effective $all" "ambient $all"
	[ "$(set_of effective)" != 0000000000000000 ]
}

@test "--cap-add and --cap-drop: in the order of the words" {
	run mini --unshare-user --cap-add CAP_NET_ADMIN --cap-drop ALL -- "$PROBE" caps
	none effective ambient
	run mini --unshare-user --cap-drop ALL --cap-add CAP_NET_ADMIN --cap-add CAP_KILL --cap-drop CAP_NET_ADMIN -- "$PROBE" caps
	says "effective 0000000000000020"
}

@test "--cap-add and --cap-drop: a name that is none" {
	dies "^bwrap: unknown cap: CAP_NONE$" --cap-add CAP_NONE
	dies "^bwrap: unknown cap: CAP_NONE$" --cap-drop CAP_NONE
}

# ---- labels ----

# Where SELinux is enabled these tests would need a policy that knows the label.
no_selinux() {
	[ ! -d /sys/fs/selinux ] || skip "SELinux is enabled"
}

@test "--exec-label: refused without SELinux" {
	no_selinux
	dies "label" --exec-label system_u:system_r:unconfined_t:s0
}

@test "--file-label: refused without SELinux" {
	no_selinux
	dies "label" --file-label system_u:object_r:tmp_t:s0
}

# ---- inherited ----

@test "the umask is the caller's" {
	umask 027
	run mini -- "$PROBE" umask
	is 0027
	run mini --unshare-all --dev /dev -- "$PROBE" umask
	is 0027
}

@test "ignored signals stay ignored" {
	trap '' USR1 PIPE
	run mini -- "$PROBE" sigs
	says "ignored 10" "ignored 13"
	run mini --unshare-all -- "$PROBE" sigs
	trap - USR1 PIPE
	says "ignored 10" "ignored 13"
	lacks "^caught"
}

@test "default dispositions and nothing blocked: as it came" {
	run as_caller "$NB_BIN/starter" reset "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-pid -- "$PROBE" sigs
	is "blocked 0000000000000000"
}

@test "blocked signals stay blocked" {
	run as_caller "$NB_BIN/starter" block "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-pid -- "$PROBE" sigs
	# KILL and STOP cannot be; the original takes CHLD out.
	matches "^blocked fffffffffff[ab]feff$"
}

@test "a caller who ignores SIGCHLD gets the status, and the command the default" {
	newer 0.11.1
	run as_caller "$NB_BIN/starter" ignore "$BW" --ro-bind "$NB_BIN" "$NB_BIN" --unshare-pid -- "$PROBE" exit 7
	exits 7
	run as_caller "$NB_BIN/starter" ignore "$BW" --ro-bind "$NB_BIN" "$NB_BIN" -- "$PROBE" sigs
	says "ignored 10"
	lacks "^ignored 17$"
}

@test "resource limits and priority are the caller's" {
	run as_caller /bin/sh -c 'ulimit -n 123; ulimit -c 0; exec "$@"' - "$BW" --ro-bind "$NB_BIN" "$NB_BIN" \
		--unshare-all -- "$PROBE" limits
	says "nofile 123:123" "core 0:0"
}

@test "supplementary groups stay, for root, and a user's are at most those" {
	need_root_caller
	run setpriv --reuid=0 --regid=0 --groups=0,123,456 -- "$BW" --ro-bind "$NB_BIN" "$NB_BIN" -- "$PROBE" ids
	says "groups 0 123 456"
}
