#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --check, and what a failed start says: each diagnosis against a cause that the test has imposed.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # scripts in single quotes; variables shared with common.bash and run
load ../lib/common

NAMESPACES='56&0x7e020000' # clone with any of the flags, as Docker's default profile has it
LANDLOCK=444

setup() {
	nb_setup
	DENY=$NB_BIN/deny
}

# check COMMAND…: nestbox --check=json, run by COMMAND as the caller; the object is in $T/json.
check() {
	run --separate-stderr as_caller "$@" "$NB" --check=json
	printf '%s\n' "$output" >"$T/json"
	jq -e . "$T/json" >/dev/null || { printf 'no JSON: %s\n%s\n' "$output" "$stderr" >&2; return 1; }
	[ -z "$stderr" ] || { echo "stderr: $stderr" >&2; return 1; }
}

# is_probe NAME KEY=VALUE…: of that probe; KEY~TEXT if its value only holds TEXT.
is_probe() {
	local name=$1 pair value

	shift
	for pair; do
		[[ $pair =~ ^([a-z]+)([=~])(.*)$ ]]
		value=$(jq -r --arg n "$name" --arg k "${BASH_REMATCH[1]}" '.probes[] | select(.name == $n) | .[$k] // ""' "$T/json")
		case ${BASH_REMATCH[2]} in
		=) [ "$value" = "${BASH_REMATCH[3]}" ] ;;
		*) [[ $value == *"${BASH_REMATCH[3]}"* ]] ;;
		esac || {
			printf 'wanted %s; ' "$pair" >&2
			jq -c --arg n "$name" '.probes[] | select(.name == $n)' "$T/json" >&2
			return 1
		}
	done
}

verdict() {
	exits "$1"
	[ "$(jq -r .verdict "$T/json")" = "$2" ]
	[ "$(jq -r .status "$T/json")" = "$1" ]
}


@test "where all is well the default box stands: 0" {
	check
	verdict 0 box
	is_probe "default box" state=ok
	is_probe "user+all" state=ok cause= remedy= errno=
	is_probe proc state=ok
	run as_caller "$NB" --check
	exits 0
	matches '^Linux [0-9]' '^  ok       default box$' '^The default box stands here\.$'
}

@test "JSON: one object; each probe once, with a group and a state that is known" {
	check "$DENY" "$NAMESPACES,$LANDLOCK" EPERM --
	jq -e '.probes | length > 45 and (map(.name) | unique | length) == length' "$T/json"
	jq -e '[.probes[] | select(.group as $g | ["user", "alone", "mounts", "calls", "host", "boxes"] | index($g) | not)] == []' "$T/json"
	jq -e '[.probes[] | select(.state as $s | ["ok", "missing", "blocked", "untried"] | index($s) | not)] == []' "$T/json"
	# Nobody is left without a cause, and no cause is given to what works.
	jq -e '[.probes[] | select(.group != "boxes" and ((.state == "ok") == has("cause")))] == []' "$T/json"
	[ "$(jq -s length "$T/json")" = 1 ]
}

@test "a filter against namespaces, EPERM: seccomp, and the fallback stands: 1" {
	check "$DENY" "$NAMESPACES,272,435" EPERM --
	verdict 1 fallback
	is_probe user state=blocked by=seccomp call=clone errno=1 "cause~seccomp filter" "remedy~seccomp"
	is_probe user+net state=blocked by=seccomp
	is_probe pid state=blocked by=seccomp
	is_probe tmpfs state=untried needs=user
	is_probe "default box" state=blocked "message~seccomp filter forbids clone"
	is_probe fallback state=ok
	is_probe "box without /proc" state=blocked
	[ "$(jq .seccomp_filters "$T/json")" -ge 1 ]
}

@test "the same with ENOSYS, and with clone forbidden altogether" {
	check "$DENY" "$NAMESPACES" ENOSYS --
	verdict 1 fallback
	is_probe user by=seccomp errno=38
	check "$DENY" 56 EPERM --
	is_probe user by=seccomp call=clone
	run as_caller "$DENY" "$NAMESPACES" EPERM -- "$NB" --check
	exits 1
	matches '^  blocked  user: clone: Operation not permitted \(a seccomp filter forbids clone.*; .*seccomp.*\)$' \
		'^  blocked  user\+pid: .*\(for the same cause\)$' '^  untried  id map \(it takes .*: user\)$' \
		'^  blocked  default box: clone: .*\(a seccomp filter forbids clone' '^  blocked  box without /proc: the same$' \
		'^  ok       fallback$' '^The default box does not stand here\. With --fallback a command runs'
}

@test "a filter that kills: seccomp, and the other probes go on" {
	need_static
	check /bin/sh -c 'ulimit -c "$(ulimit -Hc)"; exec "$@"' - "$DENY" '56&0x10000000' KILL --
	is_probe user state=blocked by=seccomp "cause~kills"
	is_probe landlock state=ok
	! ls "$T"/core* 2>/dev/null
}

@test "a filter against Landlock: a box by --fallback alone, and with one against namespaces nothing: 2" {
	check "$DENY" "$NAMESPACES,$LANDLOCK,445,446" EPERM --
	verdict 2 nothing
	is_probe fallback state=blocked "message~landlock"
	check "$DENY" "$LANDLOCK,445,446" EPERM --
	verdict 1 fallback
	is_probe landlock state=blocked by=seccomp call=landlock_create_ruleset
	is_probe "default box" "message~landlock_create_ruleset"
	is_probe user state=ok
	check "$DENY" 446 EPERM --
	is_probe landlock by=seccomp call=landlock_restrict_self
}

@test "Landlock that the kernel has switched off is not the filter's doing" {
	check "$DENY" "$LANDLOCK" 95 --
	is_probe landlock state=missing by=kernel "cause~not switched on" "remedy~lsm="
}

@test "calls that a filter forbids, each by its name, and the box stands without them" {
	local call

	check "$DENY" 428,429,430,442,437,434,436,310,155 EPERM --
	verdict 0 box
	for call in open_tree fsopen openat2 pidfd_open close_range process_vm_readv pivot_root; do
		is_probe "$call" state=blocked by=seccomp "call=$call" "cause~forbids $call"
	done
	is_probe move_mount state=untried needs=open_tree
	check "$DENY" 442 ENOSYS --
	is_probe mount_setattr by=seccomp errno=38
}

@test "mount, seccomp, sethostname, no_new_privs" {
	check "$DENY" 165 EACCES --
	is_probe private by=seccomp call=mount errno=13
	is_probe proc state=untried needs=private
	check "$DENY" 317:1,170 EPERM --
	is_probe "seccomp filter" by=seccomp call=seccomp
	is_probe NEW_LISTENER by=seccomp
	is_probe ADDFD state=untried needs=NEW_LISTENER
	is_probe hostname by=seccomp call=sethostname
}

@test "the limit of user namespaces is 0: sysctl, its name and value" {
	check unshare -Ur /bin/sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' -
	exits 1
	is_probe user state=blocked by=sysctl errno=28 "cause~user.max_user_namespaces = 0" "remedy~sysctl -w user.max_user_namespaces="
}

@test "the limit of another kind is 0: that one is named, the others stand" {
	check unshare -Ur /bin/sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"' -
	is_probe user state=ok
	is_probe user+pid state=ok
	is_probe user+net state=blocked by=sysctl "cause~user.max_net_namespaces = 0"
	is_probe user+all by=sysctl "cause~user.max_net_namespaces = 0"
}

@test "a limit that is reached further out is not claimed to be 0 here" {
	check unshare -Ur /bin/sh -c 'echo 1 >/proc/sys/user/max_user_namespaces && exec unshare -Ur "$@"' -
	is_probe user state=blocked by=sysctl "cause~around this one"
}

@test "a covered /proc: proc, and what lies there" {
	check unshare -Urmpf --mount-proc /bin/sh -c '
		for d in /proc/acpi /proc/fs /proc/irq; do
			[ ! -d $d ] || { mount -t tmpfs t $d && break; }
		done
		exec "$@"' -
	verdict 1 fallback
	is_probe proc state=blocked by=proc errno=1 "cause~covered, such as /proc/"
	is_probe tmpfs state=ok
	is_probe "box without /proc" state=ok
	is_probe "default box" "message~covered, such as /proc/"
	jq -e '.probes[] | select(.name == "proc") | .remedy | length > 0' "$T/json"
}

@test "a read-only /proc: proc, where the ids are mapped" {
	check unshare -Urmpf --mount-proc /bin/sh -c 'mount -o remount,ro,bind /proc && exec "$@"' -
	is_probe "id map" state=blocked by=proc errno=30 "cause~read-only"
}

@test "no /proc: proc" {
	need_static
	check unshare -Urm /bin/sh -c 'mount -t tmpfs t /proc && exec "$@"' -
	is_probe "id map" state=blocked by=proc "cause~no procfs is mounted"
	is_probe user state=ok
}

@test "root without CAP_SETFCAP: capability" {
	check unshare -Ur setpriv --bounding-set -setfcap --inh-caps -setfcap
	verdict 1 fallback
	is_probe "id map" state=blocked by=capability "cause~CAP_SETFCAP" "remedy~SETFCAP"
	is_probe user state=ok
}

@test "namespaces without a user namespace take CAP_SYS_ADMIN: capability, and the box needs none" {
	check unshare -Ur setpriv --bounding-set -sys_admin --inh-caps -sys_admin
	verdict 0 box
	is_probe pid state=blocked by=capability "cause~CAP_SYS_ADMIN"
	is_probe user+pid state=ok
}

@test "in a chroot: chroot" {
	need_static
	mkdir "$T/root" "$T/root/proc" "$T/root/dev"
	cp "$NB" "$T/root/nestbox"
	chmod -R a+rX "$T/root"
	run --separate-stderr as_caller unshare -Ur chroot "$T/root" /nestbox --check=json
	printf '%s\n' "$output" >"$T/json"
	is_probe user state=blocked by=chroot errno=1 "cause~chroot"
	run --separate-stderr as_caller unshare -Ur chroot "$T/root" /nestbox -- /nestbox
	exits 125
	one_line "^nestbox: clone: Operation not permitted \(.*chroot.*; .*\)$"
}

@test "no more ids than one: ids" {
	check unshare -Ur
	is_probe "uid range" state=missing by=ids
	is_probe "gid range" state=missing by=ids
	verdict 0 box
}

@test "no subordinate ids: files, with a remedy" {
	need_plain_caller
	need newuidmap
	check
	is_probe "uid range" state=missing by=files "cause~/etc/subuid" "remedy~usermod"
	is_probe "gid range" state=missing by=files "cause~/etc/subgid"
}

# A hierarchy of version 2 in a mount namespace of the test's own, changed by SCRIPT.
cgroups() {
	need_root
	run --separate-stderr unshare -m --propagation private /bin/sh -c '
		umount -R /sys/fs/cgroup 2>/dev/null
		'"$1"'
		shift
		exec "$@"' - - "${CALLER[@]}" "$NB" --check=json
	printf '%s\n' "$output" >"$T/json"
}

@test "cgroups: none mounted, read-only, not delegated: each with its cause" {
	cgroups ':'
	is_probe "cgroup v2" state=missing by=cgroup "cause~no cgroup2 is mounted"
	cgroups 'mount -t cgroup2 none /sys/fs/cgroup && mount -o remount,bind,ro /sys/fs/cgroup'
	is_probe "cgroup v2" state=missing by=cgroup "cause~read-only"
	if [ "$NB_AS" = user ]; then
		cgroups 'mount -t cgroup2 none /sys/fs/cgroup'
		is_probe "cgroup v2" state=missing by=cgroup "cause~not delegated" "remedy~Delegate=yes"
	fi
}

@test "another filter with a listener: seccomp" {
	check "$DENY" 317:1 16 --
	# EBUSY for the bad call, too: a filter's answer.
	is_probe NEW_LISTENER state=blocked by=seccomp
}

@test "in nestbox: its filter, and --allow-userns as the remedy" {
	need_static
	run --separate-stderr mini -- "$NB" --check=json
	printf '%s\n' "$output" >"$T/json"
	verdict 1 fallback
	[ "$(jq -r .runtime "$T/json")" = nestbox ]
	is_probe user state=blocked by=seccomp "remedy~--allow-userns"
	run --separate-stderr mini --allow-userns --uid 1000 -- "$NB" --check=json
	printf '%s\n' "$output" >"$T/json"
	is_probe user state=ok
	is_probe "id map" state=ok
}

@test "nothing is left: no process, no mount, no file" {
	# shellcheck disable=SC2016
	apart '
		"${CALLER[@]}" $NB --check=json >/run/warm || true
		rm /run/warm
		before=$(snapshot)
		"${CALLER[@]}" $NB --check >/dev/null
		"${CALLER[@]}" $NB_BIN/deny "56&0x10000000" KILL -- $NB --check >/dev/null || true
		[ "$before" = "$(snapshot)" ]
# Others may look at the same tree now, so in a cgroup of our own.
		group=$(awk "/ - cgroup2 /{print \$5; exit}" /proc/self/mountinfo)/nbt.$$
		if mkdir "$group" 2>/dev/null; then
			chmod 0777 "$group"
			(echo $BASHPID >"$group/cgroup.procs" && exec "${CALLER[@]}" $NB --check=json >/run/json) || true
			left=$(find "$group" -mindepth 1 -type d)
			rmdir "$group"
			[ -z "$left" ]
			jq -e ".probes[] | select(.name == \"cgroup v2\") | .step != \"mkdir\"" /run/json >/dev/null
			rm /run/json
		fi
		read -r children </proc/$$/task/$$/children || true
		[ -z "$children" ]'
}

@test "no orphan is left to process 1" {
	# Not a shell, which would reap them.
	run as_caller unshare -Urpf --mount-proc --kill-child perl -e '
		system(@ARGV) == 256 or die "status $?";
		open(my $file, "<", "/proc/1/task/1/children");
		print "orphans: ", <$file>;' "$NB_BIN/deny" "$NAMESPACES" EPERM -- "$NB" --check=json
	exits 0
	[[ $output == *"orphans: " ]]
}

# ---- bad use ----

@test "bad use: 125, one line, nothing printed" {
	bad() {
		local regex=$1

		shift
		run --separate-stderr nb "$@"
		exits 125
		[ -z "$output" ]
		one_line "$regex"
	}
	bad "^nestbox: options: --check: can be followed by =json alone, not xml$" --check=xml
	bad "^nestbox: options: --check: can be followed by =json alone, not ?$" --check=
	bad "^nestbox: options: --check: takes no command: true$" --check -- true
	bad "^nestbox: options: --check: takes no command: json$" --check json
	bad "^nestbox: options: --net: cannot be combined with --check$" --check --net
	bad "^nestbox: options: --exec: cannot be combined with --check$" -x / --check=json
	bad "^nestbox: options: --chec: unknown option$" --chec
}

@test "it is none of bubblewrap's options" {
	run --separate-stderr as_caller "$NB" --as bwrap --check
	exits 1
	[ -z "$output" ]
	[[ $stderr == *"--check"* ]]
}

@test "output that cannot be written: 125" {
	run as_caller /bin/sh -c '"$1" --check >/dev/full' - "$NB"
	exits 125
	matches "^nestbox: check: standard output: No space left on device"
	run as_caller /bin/sh -c '"$1" --check=json >&-' - "$NB"
	exits 125
	run as_caller /bin/sh -c '"$1" --check=json <&- 2>&-' - "$NB"
	exits 0
	jq -e .probes <<<"$output" >/dev/null
}

# Who is killed for asking cannot take another way.
@test "a caller that ignores SIGCHLD" {
	need_static
	check env --ignore-signal=CHLD "$DENY" '56&0x10000000' KILL --
	verdict 2 nothing
	is_probe user by=seccomp
}

# ---- starts that fail ----

# failed WANTED EVENT COMMAND…: a start by COMMAND says WANTED, and its event holds the words of EVENT.
failed() {
	local wanted=$1 event=$2

	shift 2
	run --separate-stderr as_caller "$@" /bin/sh -c '"$1" --status-fd 3 -x "$2" -- "$2/probe" exit 3 3>"$3"' - "$NB" "$NB_BIN" "$T/events"
	exits 125
	one_line "$wanted"
	jq -e "$event" "$T/events" >/dev/null || { cat "$T/events" >&2; return 1; }
}

@test "a start: a filter against namespaces" {
	failed "^nestbox: clone: Operation not permitted \(a seccomp filter forbids clone for new user namespaces; .*seccomp.*\)$" \
		'.event == "setup-failed" and .by == "seccomp" and (.cause | test("seccomp filter")) and (.remedy | length > 0) and .hint == .cause + "; " + .remedy' \
		"$DENY" "$NAMESPACES" EPERM --
	failed "^nestbox: clone: Function not implemented \(a seccomp filter forbids clone" '.by == "seccomp"' "$DENY" 56 ENOSYS --
}

@test "a start: the limit that is 0" {
	failed "^nestbox: clone: No space left on device \(the limit of namespaces is reached: user.max_user_namespaces = 0; .*sysctl -w user.max_user_namespaces=" \
		'.by == "sysctl"' unshare -Ur /bin/sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' -
	failed "^nestbox: .*: No space left on device \(the limit of namespaces is reached: user.max_net_namespaces = 0; " \
		'.by == "sysctl"' unshare -Ur /bin/sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"' -
	failed "user.max_ipc_namespaces = 0; " \
		'.by == "sysctl"' unshare -Ur /bin/sh -c 'echo 0 >/proc/sys/user/max_ipc_namespaces && exec "$@"' -
}

@test "a start: ids that may not be mapped" {
	failed "^nestbox: id map: uid_map: Operation not permitted \(root without CAP_SETFCAP .*; .*SETFCAP.*\)$" '.by == "capability"' \
		unshare -Ur setpriv --bounding-set -setfcap --inh-caps -setfcap
	failed "^nestbox: id map: .*: Read-only file system \(/proc is read-only; " '.by == "proc"' \
		unshare -Urmpf --mount-proc /bin/sh -c 'mount -o remount,ro,bind /proc && exec "$@"' -
}

@test "a start: a filter against mount, Landlock, seccomp" {
	failed "^nestbox: mount propagation: /: Permission denied \(a seccomp filter forbids mount; " '.by == "seccomp"' "$DENY" 165 EACCES --
	failed "^nestbox: landlock: Operation not permitted \(a seccomp filter forbids landlock_create_ruleset; " '.by == "seccomp"' "$DENY" "$LANDLOCK" EPERM --
	failed "^nestbox: seccomp: .*Operation not permitted \(a seccomp filter forbids seccomp; " '.by == "seccomp"' "$DENY" 317:1 EPERM --
}

@test "bubblewrap's messages begin as ever, and end with the cause" {
	local cover='for d in /proc/acpi /proc/fs /proc/irq; do [ ! -d $d ] || { mount -t tmpfs t $d && break; }; done; exec "$@"'

	run --separate-stderr as_caller "$DENY" "$NAMESPACES" EPERM -- "$NB" --as bwrap --unshare-all --ro-bind / / true
	exits 1
	[[ $stderr == "bwrap: No permissions to create a new namespace: Operation not permitted (a seccomp filter forbids clone"*")" ]]
	run --separate-stderr as_caller "$DENY" "$NAMESPACES" ENOSPC -- "$NB" --as bwrap --unshare-all --ro-bind / / true
	[[ $stderr == "bwrap: Creating new namespace failed: No space left on device (a seccomp filter forbids clone"*")" ]]
	run --separate-stderr as_caller unshare -Urmpf --mount-proc /bin/sh -c "$cover" - \
		"$NB" --as bwrap --unshare-all --ro-bind / / --proc /proc true
	exits 1
	[[ $stderr == "bwrap: Can't mount proc on "*": Operation not permitted (parts of the outer /proc are covered, such as /proc/"*")" ]]
}

@test "a warning does not look for causes, a start without failure neither" {
	need strace
	need_static
	run as_caller strace -f -qq -e trace=openat -o "$T/trace" "$NB" -x "$NB_BIN" -- "$PROBE" exit 0
	exits 0
	! grep -E '/proc/self/(status|mountinfo)|/sys/kernel/security' "$T/trace"
}

@test "an error with a cause that the probes do not know says no more than it knows" {
	run -127 --separate-stderr mini -- /no/such/program
	one_line "^nestbox: exec: /no/such/program: No such file or directory \(not in the box"
	run --separate-stderr mini -r "$T/none" -- "$PROBE" exit 3
	one_line "^nestbox: [a-z]+: $T/none: No such file or directory$"
}
