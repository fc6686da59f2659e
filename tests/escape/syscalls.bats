#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the default filter refuses, tried for real by tests/escape/syscalls.c, which says
# "NAME: ok | ERRNO | killed SIGNAL" for each attempt.

load ../lib/common

setup_file() {
	nb_setup_file
	cp "$NB_HELPERS/syscalls" "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR/bin/syscalls"
}

# attempts RESULT NAME…: in a box, each of them ends like that, and nothing else is printed.
attempts() {
	local wanted=$1 name expected=()

	shift
	for name; do
		expected+=("$name: $wanted")
	done
	run mini -- "$NB_BIN/syscalls" "$@"
	exits 0 || return 1
	is "$(printf '%s\n' "${expected[@]}")"
}

need_x86_64() {
	[ "$(uname -m)" = x86_64 ] || skip "only x86-64 has this way into the kernel"
}

@test "nothing can be typed into a terminal, whatever the upper bits say" {
	attempts EPERM tiocsti tiocsti-high tiocsti-all-high tioclinux tioclinux-high \
		tioccons tioccons-high tiocsetd tiocsetd-high tiocexcl tiocexcl-high
}

@test "nothing can be typed into the caller's terminal, with and without a new session" {
	local session

	need script
	for session in '' --new-session; do
		run as_caller script -qec "'$NB' $session -x '$NB_BIN' -- '$NB_BIN/syscalls' \
			tiocsti-stdin tiocsti-stdin-high tioclinux-stdin tcgets" /dev/null </dev/null
		exits 0
		is "$(printf '%s: EPERM\r\n' tiocsti-stdin tiocsti-stdin-high tioclinux-stdin
			printf 'tcgets: ok\r')"
	done
}

@test "file attributes that outlast the box cannot be set" {
	attempts EPERM fibmap fs-setflags fs-setflags-high fs-setflags-32 fs-setversion \
		fs-setxattr file_setattr
}

@test "no device file can be made, a FIFO can" {
	attempts EPERM mknod-char mknod-block mknod-whiteout
	attempts ok mknod-fifo mknod-file
}

@test "no new namespace by unshare" {
	attempts EPERM unshare-user unshare-mnt unshare-pid unshare-net unshare-ipc unshare-uts \
		unshare-cgroup unshare-time unshare-nothing
}

@test "no new namespace by clone" {
	attempts EPERM clone-user clone-user-high clone-mnt clone-pid clone-net clone-ipc \
		clone-uts clone-cgroup
}

@test "clone3 is unknown, so that libraries fall back" {
	attempts ENOSYS clone3 clone3-user
}

@test "no other namespace by setns" {
	attempts EPERM setns-any setns-user setns-mnt setns-pid setns-net setns-ipc setns-uts \
		setns-cgroup setns-time
}

@test "no mount by the old calls" {
	attempts EPERM mount mount-bind mount-remount umount2 pivot_root chroot
}

@test "no mount by the new calls" {
	attempts EPERM open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick \
		mount_setattr open_by_handle_at
}

@test "no io_uring" {
	attempts EPERM io_uring_setup io_uring_enter io_uring_register
}

@test "no keyrings" {
	attempts EPERM keyctl-new-session keyctl-to-parent add_key request_key
}

@test "no bpf, perf, userfaultfd, fanotify, secret memory" {
	attempts EPERM bpf perf_event_open userfaultfd fanotify_init memfd_secret
}

@test "the machine cannot be administered" {
	attempts EPERM syslog init_module finit_module delete_module kexec_load reboot swapon \
		swapoff quotactl quotactl_fd settimeofday clock_settime adjtimex sethostname
}

@test "no look into another process" {
	attempts EPERM ptrace-traceme ptrace-attach ptrace-seize process_vm_readv \
		process_vm_writev kcmp pidfd_getfd
}

@test "no socket but UNIX, INET and INET6" {
	attempts EAFNOSUPPORT socket-alg socket-alg-high socket-netlink socket-packet \
		socket-rxrpc socket-vsock socket-all-others socket-all-others-high
}

@test "no rare protocols in INET and INET6" {
	attempts EPROTONOSUPPORT socket-sctp socket-sctp-seqpacket socket-dccp socket-l2tp \
		socket-udplite
}

@test "ordinary sockets and socketpair work" {
	attempts ok socket-unix socket-tcp socket-udp socketpair
	attempts EOPNOTSUPP socketpair-tipc
}

@test "personality: only what is harmless" {
	attempts EPERM personality-page-zero personality-read-exec
	attempts ok personality-ask
}

@test "prctl: nothing about the layout of memory, other cores, the same pages; nothing that is new" {
	attempts EPERM prctl-mm prctl-mm-high
	attempts EINVAL prctl-sched-core prctl-memory-merge prctl-memory-merge-high prctl-ptracer \
		prctl-unknown
	attempts ok prctl-name
}

@test "pages are not merged with those of others" {
	attempts EINVAL madvise-merge madvise-merge-high
}

@test "no signal of one's choice for who else has a file" {
	attempts EPERM fcntl-setsig fcntl-setsig-high
}

@test "calls newer than the filter are unknown" {
	attempts ENOSYS number-470 number-600 number-9999 number-minus-1
}

@test "x86: no I/O ports, no segments" {
	need_x86_64
	attempts EPERM modify_ldt iopl ioperm
}

@test "x86: every x32 call kills" {
	need_x86_64
	attempts "killed SIGSYS" x32-getpid x32-ioctl x32-unshare x32-everything
}

@test "x86: every i386 call kills" {
	need_x86_64
	run "$NB_BIN/syscalls" i386-getpid
	[ "$output" = "i386-getpid: ok" ] || skip "this kernel has no int 0x80"
	attempts "killed SIGSYS" i386-getpid i386-ioctl i386-socketcall i386-unshare \
		i386-everything
}

@test "threads and processes work under musl" {
	attempts ok threads fork vfork
}

@test "threads and processes work under glibc" {
	[ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
	run box -- /usr/bin/python3 -c 'import subprocess, threading
thread = threading.Thread(target=print, args=("thread",))
thread.start()
thread.join()
print(subprocess.run(["/usr/bin/env", "echo", "child"], stdout=-1).stdout)'
	exits 0
	is "thread
b'child\n'"
}

@test "a name lookup survives without NETLINK" {
	[ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
	run box -- /usr/bin/python3 -c 'import socket
print(socket.getaddrinfo("localhost", 80, socket.AF_INET, socket.SOCK_STREAM,
                         flags=socket.AI_ADDRCONFIG)[0][4])'
	exits 0
	is "('127.0.0.1', 80)"
}

@test "a sandbox in the box may listen to its own children" {
	attempts ok listener
}

@test "none: still nothing is typed into a terminal, and foreign calls kill" {
	run mini --filter none -- "$NB_BIN/syscalls" tiocsti tiocsti-high tiocsti-all-high tioclinux \
		tioclinux-high tioccons tiocsetd tiocsetd-high tiocexcl tiocexcl-high
	exits 0
	[ "$(grep -c ': EPERM$' <<<"$output")" -eq 10 ]
	need_x86_64
	run mini --filter none -- "$NB_BIN/syscalls" x32-ioctl x32-everything i386-ioctl i386-everything
	exits 0
	lacks ': (ok|E)'
}

@test "none: the other walls hold against mounts, namespaces, and process 1" {
	run mini --filter none -- "$NB_BIN/syscalls" mount mount-bind mount-remount pivot_root chroot \
		unshare-user unshare-mnt unshare-net clone-user clone-mnt mknod-char mknod-block \
		init_module reboot swapon settimeofday sethostname
	exits 0
	lacks ': ok$'
	need strace
	run box --filter none -- strace -p 1
	[ "$status" -ne 0 ]
	matches 'Operation not permitted'
}

@test "network: nothing but NETLINK_ROUTE is more than by default" {
	run mini -- "$NB_BIN/syscalls"
	exits 0
	local by_default
	by_default=$(grep -v '^socket-\(netlink\|all-others\)' <<<"$output")
	run mini --filter network -- "$NB_BIN/syscalls"
	exits 0
	says 'socket-netlink: ok'
	output=$(grep -v '^socket-\(netlink\|all-others\)' <<<"$output")
	is "$by_default"
}

# So that no attempt is forgotten above: nothing but these answers, and no filter, no test.
@test "the attacker's whole list" {
	run mini -- "$NB_BIN/syscalls"
	exits 0
	lacks ': (E(BADF|FAULT|NOENT|ACCES|IO)|errno|killed SIGSEGV|killed signal)'
	[ "$(grep -c ': EINVAL$' <<<"$output")" -eq 7 ] # of prctl and madvise above
	[ "${#lines[@]}" -ge 144 ]
	run "$NB_BIN/syscalls"
	exits 98
}
