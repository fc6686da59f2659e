#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --filter, --allow-userns: what each profile lets through, tried with real programs. The profiles
# themselves are tested call by call in tests/unit/filter_test.c.

load ../lib/common

PYTHON=/usr/bin/python3

need_python() {
	[ -x "$PYTHON" ] || skip "no /usr/bin/python3"
}

# Prints, for each expression, its value or the name of its error.
python_tries() {
	local filter=$1 program='import errno, os, socket, sys
for text in sys.argv[1:]:
    try: print(text, "=", eval(text))
    except OSError as error: print(text, "=", errno.errorcode[error.errno])'

	shift
	run box --filter "$filter" -- "$PYTHON" -c "$program" "$@"
}

@test "a profile that is none is refused" {
	refused '--filter: must be default, strict, network, none, a path with a slash or a name in .json, not Strict' --filter Strict
	refused '--filter: must be' --filter ''
	refused '--filter: must be' --filter defaul
	refused '--filter: must be' --filter pid1
}

@test "the last --filter counts, and the start event names it" {
	run mini --filter strict --filter none --status-fd 3 -- "$PROBE" exit 0 3>"$T/events"
	exits 0
	grep -q '"seccomp":"none"' "$T/events"
}

@test "the default is called default" {
	run mini --status-fd 3 -- "$PROBE" exit 0 3>"$T/events"
	exits 0
	grep -q '"seccomp":"default"' "$T/events"
}

@test "every profile is on the command and its children" {
	local filter

	for filter in default network none; do
		run box --filter "$filter" -- /bin/sh -c 'grep ^Seccomp: /proc/self/status'
		exits 0
		is "Seccomp:	2"
	done
}

@test "strict: files that are there, memory and threads" {
	need_python
	echo text >there
	give there
	run box --filter strict -w "$T" -- "$PYTHON" -c 'import threading
thread = threading.Thread(target=print, args=("thread",))
thread.start()
thread.join()
print(sum(bytearray(1 << 20)), open("there").read())
open("there", "r+").write("TEXT")'
	exits 0
	is "thread
0 text"
	[ "$(cat there)" = TEXT ]
}

@test "strict: no other program, by any call, from any thread" {
	need_python
	python_tries strict 'os.execv("/bin/true", ["true"])' 'os.execve(os.open("/bin/true", 0), ["true"], {})'
	says 'os.execv("/bin/true", ["true"]) = ENOSYS' \
		'os.execve(os.open("/bin/true", 0), ["true"], {}) = ENOSYS'
	run box --filter strict -- "$PYTHON" -c 'import os, threading
def run():
    try: os.execv("/bin/true", ["true"])
    except OSError as error: print(error.errno)
thread = threading.Thread(target=run)
thread.start()
thread.join()'
	exits 0
	is 38
}

@test "strict: no processes, sockets or new files" {
	need_python
	python_tries strict 'os.fork()' 'os.posix_spawn("/bin/true", ["true"], {})' 'socket.socket()' \
		'socket.socketpair()' 'os.mkdir("/tmp/d")' 'open("/tmp/f", "w")' \
		'os.open("/tmp", os.O_TMPFILE | os.O_RDWR)' 'os.symlink("a", "/tmp/l")' \
		'os.mkfifo("/tmp/p")' 'os.kill(1, 9)' 'os.kill(os.getpid(), 0)' 'os.memfd_create("m")' \
		'os.setpriority(os.PRIO_PROCESS, 0, 5)'
	says 'os.fork() = EPERM' 'os.posix_spawn("/bin/true", ["true"], {}) = EPERM' \
		'socket.socket() = EAFNOSUPPORT' 'socket.socketpair() = ENOTSUP' \
		'os.mkdir("/tmp/d") = EPERM' 'open("/tmp/f", "w") = EPERM' \
		'os.open("/tmp", os.O_TMPFILE | os.O_RDWR) = EPERM' 'os.symlink("a", "/tmp/l") = EPERM' \
		'os.mkfifo("/tmp/p") = EPERM' 'os.kill(1, 9) = EPERM' 'os.kill(os.getpid(), 0) = EPERM' \
		'os.memfd_create("m") = EPERM' 'os.setpriority(os.PRIO_PROCESS, 0, 5) = EPERM'
}

@test "strict: the command is found in PATH, may be a script, and has no child" {
	printf '#!/bin/sh\necho "$0: $*"\nread -r line </proc/self/stat\necho "${line%%%% *}"\n' >script
	chmod 755 script
	run box --filter strict -x "$T" --setenv PATH "/nowhere:/etc:$T:/usr/bin" -- script a b
	exits 0
	matches "^$T/script: a b$"
	need_python
	python_tries strict 'os.waitpid(-1, 0)'
	says 'os.waitpid(-1, 0) = ECHILD'
}

@test "strict: a command that cannot be run is told as ever" {
	echo text >file
	run -127 --separate-stderr box --filter strict -- no-such-command
	one_line 'exec: no-such-command: No such file or directory'
	run --separate-stderr box --filter strict -r "$T" -- "$T/file"
	exits 126
	one_line 'Permission denied'
}

@test "strict: abort ends the program" {
	need_python
	run box --filter strict -- "$PYTHON" -c 'import os; os.abort()'
	exits 134
}

@test "strict: also for a command that is process 1, and without a box" {
	need_python
	local how options

	for how in '--as-pid-1' '--init-only'; do
		[ "$how" = --as-pid-1 ] && options=(-x / --as-pid-1) || options=(--init-only)
		run nb "${options[@]}" --filter strict -- "$PYTHON" -c 'import os
for call in lambda: os.execv("/bin/true", ["true"]), lambda: os.fork():
    try: print(call())
    except OSError as error: print(error.errno)'
		exits 0
		is "38
1"
	done
}

@test "without a box there is a filter only when it is asked for" {
	run nb --init-only -- /bin/sh -c 'grep ^Seccomp: /proc/self/status'
	is "Seccomp:	$(grep ^Seccomp: /proc/self/status | cut -f 2)"
	run nb --init-only --filter default -- /bin/sh -c 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status'
	is "NoNewPrivs:	1
Seccomp:	2"
}

@test "strict: descriptors that were given are used" {
	run mini --filter strict -- "$PROBE" exit 0 <<<input
	exits 0
	need_python
	run box --filter strict -- "$PYTHON" -c 'import sys; print(sys.stdin.read().upper(), end="")' <<<input
	is INPUT
}

@test "network: interfaces can be listed, by default they cannot" {
	need_python
	python_tries network 'socket.if_nameindex()[0][1]' 'socket.socket(16, 3, 0).family.name' \
		'socket.socket(16, 3, 15)' 'socket.socket(17, 3)' 'socket.socket(38, 5)'
	says "socket.if_nameindex()[0][1] = lo" 'socket.socket(16, 3, 0).family.name = AF_NETLINK' \
		'socket.socket(16, 3, 15) = EAFNOSUPPORT' 'socket.socket(17, 3) = EAFNOSUPPORT' \
		'socket.socket(38, 5) = EAFNOSUPPORT'
	python_tries default 'socket.socket(16, 3, 0)'
	says 'socket.socket(16, 3, 0) = EAFNOSUPPORT'
}

@test "network: interfaces cannot be changed" {
	need ip
	run box --filter network -- ip link show lo
	exits 0
	matches '^1: lo: '
	run box --filter network -- ip link set lo mtu 1000
	[ "$status" -ne 0 ]
	matches 'Operation not permitted'
}

@test "none: a tracer works, a new namespace does not" {
	need strace
	run box --filter none -- strace -f -qq -e trace=execve -o /tmp/log /bin/echo traced
	exits 0
	is traced
	run box --filter none -- unshare -U true
	[ "$status" -ne 0 ]
}

@test "--allow-userns: namespaces can be made, and nothing else is more" {
	# Root of the host, which root in the box is, can only be mapped with CAP_SETFCAP: user_namespaces(7).
	run box --allow-userns --uid 7 --gid 7 -- unshare -Urmpf --kill-child sh -c 'mount -t tmpfs t /tmp && id -u'
	exits 0
	is 0
	run box --allow-userns -- unshare -m true
	[ "$status" -ne 0 ]
	run box -- unshare -Ur true
	[ "$status" -ne 0 ]
	need_python
	python_tries 'default --allow-userns' 1 # not one word
	exits 125
	run box --allow-userns -- "$PYTHON" -c 'import ctypes
call = ctypes.CDLL(None, use_errno=True).syscall
for number in 425, 435, 250, 101:
    call(number, 0, 0, 0)
    print(ctypes.get_errno())'
	[ "$(uname -m)" != x86_64 ] || is "1
38
1
1"
}

@test "--allow-userns: what contradicts it is refused" {
	refused 'cannot be combined with --filter strict' --allow-userns --filter strict
	refused 'cannot be combined with --disable-userns' --allow-userns --disable-userns
	refused 'cannot be combined with --disable-userns' --assert-userns-disabled --allow-userns
}

@test "--allow-userns: bubblewrap works in a box" {
	need bwrap
	run box --allow-userns --uid 6 -- bwrap --ro-bind / / --dev /dev --tmpfs /tmp --unshare-all --uid 7 -- id -u
	exits 0
	is 7
	run box -- bwrap --ro-bind / / --unshare-all true
	[ "$status" -ne 0 ]
}

@test "--allow-userns: nestbox works in a box of its own" {
	need_plain_caller
	local -a inner

	inner=("$NB" --exec /usr --exec-try /bin --exec-try /lib --exec-try /lib64)
	run box --allow-userns -- "${inner[@]}" -- /bin/sh -c 'echo $$ $PPID; ls /'
	exits 0
	matches '^[0-9]+ 1$'
	lacks '^etc$'
	run box --allow-userns -- "${inner[@]}" -- unshare -U true
	[ "$status" -ne 0 ]
}

@test "--dump-filter pfc: the filters of the plan in words, without a command or a box" {
	run nb --dump-filter pfc
	exits 0
	[[ ${lines[0]} =~ ^default,\ [0-9]+\ instructions$ ]]
	matches '^    allow:.* read write ' '^    errno 1, .*: .*' '^    by arguments: .*clone' \
		'^    any other: errno 38, ' '^ +[0-9]+  load the architecture$' \
		'^ +[0-9]+  load argument 1, low half$' '^ +[0-9]+  if == 0x5412: [0-9]+, else [0-9]+$' \
		'^ +[0-9]+  kill the process$'
	run nb --dump-filter pfc --filter strict --as-pid-1 -- /no/such/command
	exits 0
	matches '^init, ' '^once, ' '^    ask the listener: execve execveat$' '^strict, '
	run nb --dump-filter pfc --init-only
	exits 0
	is 'no filter'
}

@test "--dump-filter pfc: also of the caller's program, whatever that is" {
	printf '\x06\0\0\0\0\0\xff\x7f' >allow
	run nb --dump-filter pfc --init-only --seccomp 9 9<allow
	exits 0
	is "the caller's, 1 instructions
    any other: allow
   0  allow"
	head -c 4096 /dev/urandom >noise
	run nb --dump-filter pfc --filter none --add-seccomp-fd 9 --add-seccomp-fd 8 9<noise 8<allow
	exits 0
	matches "^the caller's, 512 instructions$" "^the caller's, 1 instructions$"
}

@test "--dump-filter bpf: the program, which --seccomp takes and which is the same filter" {
	nb --dump-filter bpf >program
	[ "$(stat -c %s program)" -eq "$(($(nb --dump-filter pfc | sed -n '1s/[^0-9]//gp') * 8))" ]
	run nb --dump-filter bpf --init-only --seccomp 9 9<program
	nb --dump-filter bpf --init-only --seccomp 9 9<program | cmp - program
	run box --filter none --seccomp 9 -- /bin/sh -c 'unshare -U true; grep ^Seccomp_filters /proc/self/status' 9<program
	matches 'Operation not permitted' '^Seccomp_filters:	2$'
}

@test "--dump-filter bpf: nothing that is not one program" {
	run --separate-stderr nb --dump-filter bpf --filter strict
	exits 125
	[ -z "$output" ]
	one_line 'dump-filter: bpf: there are several filters'
	run --separate-stderr nb --dump-filter bpf --init-only
	exits 125
	one_line 'there is no filter'
}

@test "--dump-filter: bad words and a full disk are told" {
	local format

	refused '--dump-filter: must be pfc or bpf, not json' --dump-filter json
	for format in pfc bpf; do
		run --separate-stderr sh -c '"$@" >/dev/full' - "$NB" --dump-filter "$format"
		exits 125
		one_line 'dump-filter: standard output: No space left on device'
	done
}

@test "--explain names the filter and its size" {
	run nb --filter network --explain -- true
	exits 0
	matches '^`-- seccomp network, [0-9]+ instructions$'
	run nb --filter strict --explain -- true
	matches '^`-- seccomp once, [0-9]+ instructions; strict, [0-9]+$'
	run nb --init-only --explain -- true
	matches '^`-- seccomp none$'
}

# In these the kernel itself does not look at the pointer, or only later.
KERNEL_POINTERS='import ctypes
call = ctypes.CDLL(None, use_errno=True).syscall
def ask(number, *words):
    ctypes.set_errno(0)
    result = call(number, *[ctypes.c_long(word) for word in words])
    print(number, *words, "=", result, ctypes.get_errno())
kernel = 0xffff888000000000 - 2**64
ask(0, -1, kernel, 1)                        # read: of no file
ask(72, 1, 1, kernel)                        # fcntl F_GETFD: has no argument
ask(72, 1, 1, -1)
ask(232, -1, kernel, 1, 0)                   # epoll_wait
ask(257, -100, kernel, 0)                    # openat
ask(8, 1, -1, 99)                            # lseek: no pointer
ask(9, 0, 4096, 3, 0x22, -1, 0)'

@test "--restrict-kptr: pointers to the kernel give EFAULT, nothing else changes" {
	need_python
	[ "$(uname -m)" = x86_64 ] || skip "the numbers are those of x86-64"
	run box --restrict-kptr -- "$PYTHON" -c "$KERNEL_POINTERS"
	exits 0
	matches '^0 -1 -[0-9]+ 1 = -1 14$' '^72 1 1 -[0-9]{2,} = -1 14$' '^72 1 1 -1 = 0 0$' \
		'^232 .* = -1 14$' '^257 -100 .* = -1 14$' '^8 1 -1 99 = -1 22$' '^9 0 .* = -?[0-9]+ 0$'
	run box -- "$PYTHON" -c "$KERNEL_POINTERS"
	matches '^0 -1 -[0-9]+ 1 = -1 9$' '^72 1 1 -[0-9]{2,} = 0 0$'
}

@test "--restrict-kptr: ordinary programs do not notice" {
	need_python
	run box --restrict-kptr -w "$T" --setenv PATH /usr/bin:/bin -- /bin/sh -c 'set -e
echo "int main(void) { return 42; }" >program.c
gcc -o program program.c
ls -l | grep -c program
tar cf archive.tar program.c program
tar tf archive.tar
perl -e "fork or exit; wait; print qq(perl\n)"
'"$PYTHON"' -c "
import subprocess, threading, socket, asyncio, mmap, select, signal
a, b = socket.socketpair(); a.send(b\"x\"); b.recv(1)
asyncio.run(asyncio.sleep(0))
signal.setitimer(signal.ITIMER_REAL, 0)
mmap.mmap(-1, 4096).close()
t = threading.Thread(target=print, args=(\"thread\",)); t.start(); t.join()
print(subprocess.run([\"true\"]).returncode)"'
	exits 0
	is "2
program.c
program
perl
thread
0"
}

@test "--restrict-kptr: without a box, with other filters, and in what is shown" {
	run nb --init-only --restrict-kptr -- /bin/sh -c 'grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status'
	is "NoNewPrivs:	1
Seccomp:	2"
	run box --filter strict --restrict-kptr -- "$PROBE" exit 7
	exits 7
	run nb --restrict-kptr --explain -- true
	matches 'seccomp kptr, [0-9]+ instructions; default, [0-9]+$'
	run nb --restrict-kptr --dump-filter pfc
	matches '^kptr, [0-9]+ instructions$' '^    by arguments: read write ' \
		'^ +[0-9]+  if has a bit of 0x80000000: '
}

@test "--allow-userns: whoever is root in a namespace of its own can undo no wall of the box" {
	echo kept >file
	give file
	mkdir empty
	give empty
	run box --allow-userns --uid 7 --gid 7 -r "$T" --tmpfs "$T/empty" -- unshare -Urm sh -c "
		mount -o remount,bind,rw '$T' || mount -o remount,rw '$T' || echo read-only
		umount '$T' || umount '$T/empty' || umount -l '$T/empty' || echo covered
		echo changed >'$T/file' || echo refused
		mount -t tmpfs t '$T' && echo mine
		cat /proc/1/environ || echo hidden
		chroot /proc/1/root true || echo inside
		nsenter -t 1 -m true || echo apart"
	exits 0
	says read-only covered refused mine hidden inside apart
	[ "$(cat file)" = kept ]
}
