#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The kernel's own interfaces: sysctls, masks, mounts, devices, namespaces, sockets.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# writes ARGUMENT… -- FILE…: in a box with these options none of the files opens for writing.
# Only ever opened: a test that fails must not harm the machine.
none_writable() {
	local opts=() words=() file

	while [ "$1" != -- ]; do
		opts+=("$1")
		shift
	done
	shift
	for file in "$@"; do words+=(open-w "$file" --); done
	unset 'words[-1]'
	run mini "${opts[@]}" -- "$TRY" "${words[@]}"
	exits 0
}

DANGER=(/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hotplug
	/proc/sys/fs/binfmt_misc/register /proc/sys/vm/panic_on_oom /proc/sys/kernel/hostname
	/proc/sys/kernel/domainname /proc/sys/kernel/panic /proc/sys/kernel/sysrq /proc/sysrq-trigger
	/proc/sys/fs/suid_dumpable /proc/sys/kernel/yama/ptrace_scope /proc/sys/net/ipv4/ip_forward
	/proc/sys/kernel/ns_last_pid /proc/sys/user/max_user_namespaces /proc/sys/kernel/shmmax
	/proc/sys/fs/mqueue/msg_max /proc/irq/default_smp_affinity /proc/mtrr /proc/timer_list
	/proc/sys/kernel/unprivileged_bpf_disabled /proc/sys/vm/drop_caches /proc/kcore /proc/kmsg
	/proc/bus/pci /proc/acpi/wakeup /proc/scsi/scsi /proc/sys/fs/pipe-max-size)

@test "core_pattern, sysrq and the rest of /proc/sys cannot be written" {
	none_writable -- "${DANGER[@]}"
}

@test "the same with --uid 0" {
	none_writable --uid 0 --gid 0 -- "${DANGER[@]}"
}

@test "the same in a second proc, made by --proc" {
	none_writable --proc /p -- "${DANGER[@]/#\/proc/\/p}"
}

@test "the same with --net" {
	none_writable --net -- "${DANGER[@]}"
}

@test "not one file below /proc/sys opens for writing" {
	run box -- /bin/sh -c '
		find /proc/sys -type f 2>/dev/null | while read -r f; do
			( : >>"$f" ) 2>/dev/null && echo "writable: $f"
		done; echo done'
	is "done"
}

@test "not one file of /proc outside the processes opens for writing" {
	run box --uid 0 --gid 0 -- /bin/sh -c '
		find /proc -path "/proc/[0-9]*" -prune -o -type f -print 2>/dev/null | while read -r f; do
			# The pressure files are for everybody on the host as well: triggers, no settings.
			case $f in /proc/self/* | /proc/thread-self/* | /proc/pressure/*) continue ;; esac
			( : >>"$f" ) 2>/dev/null && echo "writable: $f"
		done; echo done'
	is "done"
}

@test "what only root may read in /proc is closed for root callers, too" {
	local file words=()
	while IFS= read -r file; do words+=(read "$file" --); done \
		< <(find /proc -maxdepth 1 -type f ! -perm -004)
	for file in /proc/kcore /proc/kmsg /proc/kpagecount /proc/kpageflags /proc/kpagecgroup /proc/timer_list \
		/proc/vmallocinfo /proc/slabinfo /proc/pagetypeinfo /proc/keys /proc/sched_debug; do
		words+=(read "$file" --)
	done
	unset 'words[-1]'
	run mini -- "$TRY" "${words[@]}"
	lacks "^read /proc/(kcore|kmsg|kpage.*|timer_list|vmallocinfo|slabinfo|pagetypeinfo): ok"
	# Which keys these are is a matter of the reader's id.
	[ "$NB_AS" = user ] || lacks "^read /proc/keys: ok"
	run mini --proc /p -- "$TRY" "${words[@]//\/proc/\/p}"
	lacks "^read /p/(kcore|kmsg|kpage.*|timer_list|vmallocinfo|slabinfo|pagetypeinfo): ok"
}

@test "covers cannot be taken away, read-only cannot be undone" {
	run mini --uid 0 --gid 0 -- "$TRY" umount /proc/sys -- umount /proc -- umount /tmp -- umount / \
		-- remount-rw / -- remount-rw /proc/sys -- setattr-rw / -- setattr-rw /proc/sys \
		-- remount-rw "$NB_BIN" -- setattr-rw "$NB_BIN" -- umount "$NB_BIN"
	exits 0
}

@test "nothing can be mounted, by the old calls or the new ones" {
	run mini --uid 0 --gid 0 --tmpfs /a --tmpfs /b -- "$TRY" mount-tmpfs /a -- mount-proc /a -- bind /proc /a \
		-- bind "$NB_BIN" /a -- move-mount /a /b -- open-tree / -- fsopen tmpfs -- fsopen proc -- pivot /a -- chroot /a
	exits 0
}

@test "device nodes cannot be made" {
	mkdir "$T/w"
	give "$T/w"
	run mini -w "$T/w" --tmpfs /a --uid 0 --gid 0 -- "$TRY" mkchr "$T/w/c" -- mkblk "$T/w/b" -- mkchr /a/c \
		-- mkblk /tmp/b -- mkchr /dev/shm/c -- mkchr /dev/c
	exits 0
	[ -z "$(ls -A "$T/w")" ]
}

@test "a FIFO can be made" {
	run mini -- "$TRY" mkfifo /tmp/f
	says "mkfifo /tmp/f: ok"
}

@test "every namespace: unshare and clone fail" {
	local kind words=()
	for kind in user pid mnt ipc uts cgroup net time; do
		words+=(unshare "$kind" --)
		# For clone() the bit of time namespaces is part of the exit signal's number.
		[ "$kind" = time ] || words+=(clone "$kind" --)
	done
	unset 'words[-1]'
	run mini -- "$TRY" "${words[@]}"
	exits 0
	run mini --uid 0 --gid 0 -- "$TRY" "${words[@]}"
	exits 0
}

@test "every namespace: setns fails, own and PID 1's" {
	local kind words=()
	for kind in user pid mnt ipc uts cgroup net time; do
		words+=(setns "/proc/self/ns/$kind" -- setns "/proc/1/ns/$kind" --)
	done
	unset 'words[-1]'
	run mini -- "$TRY" "${words[@]}"
	exits 0
}

@test "the box's limit of user namespaces reads 0" {
	run mini -- "$PROBE" cat /proc/sys/user/max_user_namespaces
	is 0
}

@test "the host's limit is the same as before" {
	local before
	before=$(cat /proc/sys/user/max_user_namespaces)
	mini -- "$PROBE" exit 0
	[ "$before" = "$(cat /proc/sys/user/max_user_namespaces)" ]
}

@test "no cgroup file system is visible" {
	run mini -- "$PROBE" mounts
	lacks " cgroup2? "
	run mini -- "$TRY" stat /sys -- stat /sys/fs/cgroup
	exits 0
}

@test "cgroups are not writable in a granted /sys" {
	need_root_caller
	local dir words=()
	for dir in /sys/fs/cgroup /sys/fs/cgroup/*/; do words+=(mkdir "${dir%/}/nbt-evil" --); done
	unset 'words[-1]'
	run mini -r /sys -- "$TRY" "${words[@]}" -- open-w /sys/fs/cgroup/cpu/release_agent \
		-- open-w /sys/kernel/uevent_helper -- open-w /sys/fs/cgroup/unified/cgroup.procs
	exits 0
}

@test "the path of the caller's cgroup does not show" {
	run mini -- "$PROBE" cat /proc/self/cgroup
	lacks '/\.\.' ':/.+'
}

# ---- propagation ----

@test "a mount that the host makes later is not seen inside" {
	need_root "mounts"
	mkdir "$T/d" "$T/d/sub"
	touch "$T/d/before"
	run timeout -s KILL 60 unshare -m --propagation private /bin/bash -c '
		mount --bind "$1" "$1" && mount --make-rshared "$1" || exit 99
		cd /; mkfifo -m 666 "$2/up" "$2/down" "$2/down2"
		dir=$1 work=$2; shift 2
		"$@" <"$work/down" >"$work/up" & pid=$!
		exec 8>"$work/down" 9<"$work/up"
		read -r -t 30 line <&9; echo "$line"
		mount -t tmpfs late "$dir/sub" && touch "$dir/sub/late" || exit 99
		echo go >&8
		cat <&9; wait $pid; umount "$dir/sub"' - "$T/d" "$T" "${CALLER[@]}" "$NB" -x /usr -x /bin -x /lib -x /lib64 -r "$T/d" -- \
		/bin/sh -c "echo ready; read -r x; ls $T/d/sub; grep -c ' $T/d/sub ' /proc/self/mountinfo; exit 0"
	is $'ready\n0'
}

@test "a mount made in the box never reaches the host" {
	need_root "mounts"
	run timeout -s KILL 60 unshare -m --propagation private /bin/bash -c '
		mount --make-rshared /; before=$(cat /proc/self/mountinfo); "$@"
		[ "$before" = "$(cat /proc/self/mountinfo)" ] && echo same; mount --make-rprivate /' - \
		"${CALLER[@]}" "$NB" -x "$NB_BIN" --tmpfs /a --tmpfs /tmp/b -- "$PROBE" exit 0
	says same
}

@test "every mount of the box is private" {
	run mini -r /etc -- "$PROBE" cat /proc/self/mountinfo
	lacks "shared:" "master:"
}

# ---- sockets ----

@test "an abstract socket of the host is not reached" {
	launch "$NB_BIN/starter" abstract "nbt-$$-$BATS_TEST_NUMBER"
	await ready
	run mini -- "$TRY" abstract "nbt-$$-$BATS_TEST_NUMBER"
	says "abstract nbt-$$-$BATS_TEST_NUMBER: ECONNREFUSED"
	run "$TRY" abstract "nbt-$$-$BATS_TEST_NUMBER"
	says "abstract nbt-$$-$BATS_TEST_NUMBER: ok"
}

@test "a socket by path is reached only when it is granted" {
	launch "$NB_BIN/starter" unix "$T/sock"
	await ready
	run mini -- "$TRY" unix "$T/sock"
	says "unix $T/sock: ENOENT"
	run mini -w "$T" -- "$TRY" unix "$T/sock"
	says "unix $T/sock: ok"
}

@test "System V and POSIX queues of the host are not seen" {
	need ipcmk
	local id
	id=$(ipcmk -Q | grep -o '[0-9]*$')
	run box -- /usr/bin/ipcs -q
	ipcrm -q "$id"
	lacks " $id "
}

@test "the kernel's log and keys are closed" {
	run mini -- "$TRY" read /proc/kmsg -- open-r /dev/kmsg -- open-r /dev/mem
	exits 0
}
