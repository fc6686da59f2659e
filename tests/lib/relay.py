# SPDX-License-Identifier: MIT
"""nestbox --tty between a user's terminal and a box: relay.py SCENARIO[:NUMBER] COMMAND…

As terminal.py: COMMAND is a whole command line, a scenario says what came of it.
"""
import atexit
import fcntl
import os
import pty
import resource
import select
import signal
import socket
import subprocess
import sys
import termios
import time

from terminal import (LIMIT, Terminal, children, end_session, leave, resize, session, shell, state,
                      until_state)

LFLAG = 3


def modes(t):
    """Of the user's terminal: raw, cooked, or what it is else."""
    now = termios.tcgetattr(t.fd)
    flags = now[LFLAG] & (termios.ICANON | termios.ECHO | termios.ISIG)
    if flags == 0:
        return "raw"
    return "cooked" if flags == termios.ICANON | termios.ECHO | termios.ISIG else "odd"


def until_modes(t, wanted):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if modes(t) == wanted:
            return True
        os.sched_yield()
    return False


class Kept(Terminal):
    """The same terminal, of which we keep both ends: its modes are to be seen after COMMAND's end."""

    def __init__(self, argv):
        self.seen = b""
        self.fd, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            login_tty(self.slave)
            os.close(self.fd)
            os.execvp(argv[0], argv)
        atexit.register(end_session, self.pid)

    def unchanged(self):
        return termios.tcgetattr(self.slave) == self.before


def login_tty(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    if slave > 2:
        os.close(slave)


# ---- what is in the box ----

def scenario_show(argv):
    """Print what COMMAND prints, with its status, and whether the terminal is as it was."""
    t = Kept(argv)
    status = t.status()
    print(t.seen.decode(errors="replace").replace("\r", ""), end="")
    print("status", status)
    print("terminal unchanged", t.unchanged())


def scenario_modes(argv):
    """COMMAND says ready and reads a line: the user's terminal is raw meanwhile."""
    t = Kept(argv)
    t.expect(rb"ready")
    print(modes(t))
    t.key(b"x\r")
    status = t.status()
    print("status", status, "unchanged", t.unchanged())


def scenario_size(argv):
    """COMMAND prints "size ROWS COLUMNS" at the start and at every SIGWINCH."""
    t = Terminal(argv)
    print(t.expect(rb"size \d+ \d+").group(0).decode())
    resize(t, 33, 77)
    print(t.expect(rb"size \d+ \d+").group(0).decode())
    resize(t, 44, 99)
    print(t.expect(rb"size \d+ \d+").group(0).decode())
    os.kill(t.pid, signal.SIGTERM)
    print("status", t.status())


# ---- keys ----

def scenario_keys(key, argv):
    """COMMAND says ready, and ends by what the first key does to it."""
    t = Kept(argv)
    t.expect(rb"ready\r\n")
    t.key(bytes([key]))
    print("status", t.status(), "unchanged", t.unchanged())


def scenario_jobs(argv):
    """COMMAND is a shell with job control in the box: ^Z, bg, fg, ^C reach its jobs, not itself."""
    t = Kept(argv)
    t.expect(rb"[$#] ")
    t.key(b"PS1='P''S> '\r")
    t.expect(rb"PS> ")
    job = b"""perl -e '$| = 1; $SIG{CONT} = sub { print "cont" . "inued\\n" };
        print "rea" . "dy\\n"; sleep 1000 while 1'\r"""
    t.key(job.replace(b"\n", b""))
    t.expect(rb"ready")
    t.key(b"\x1a")
    t.expect(rb"Stopped")
    t.expect(rb"PS> ")
    print("launcher state", "T" if state(t.pid) == "T" else "runs")
    t.key(b"bg\r")
    t.expect(rb"continued")
    t.key(b"jobs\r")
    t.expect(rb"Running")
    t.expect(rb"PS> ")
    print("runs in the background")
    t.key(b"kill -STOP %1; while [ -z \"$(jobs -s)\" ]; do :; done; echo st''opped\r")
    t.expect(rb"stopped")
    t.expect(rb"PS> ")
    t.key(b"fg\r")
    # Then it has the terminal.
    t.expect(rb"continued")
    t.key(b"\x03")
    t.expect(rb"PS> ")
    t.key(b"echo code=$?\r")
    print("code", t.expect(rb"code=(\d+)").group(1).decode())
    t.expect(rb"PS> ")
    t.key(b"\x04")
    print("status", t.status(), "unchanged", t.unchanged())


def scenario_bytes(argv):
    """COMMAND, in raw mode, says ready and gives back what it gets: all values, both ways."""
    t = Terminal(argv)
    t.expect(rb"ready")
    sent = bytes(range(256)) * 64
    got = b""
    left = sent
    end = time.monotonic() + LIMIT
    while len(got) < len(sent) and time.monotonic() < end:
        can_read, can_write, _ = select.select([t.fd], [t.fd] if left else [], [], 1)
        if can_write:
            left = left[os.write(t.fd, left[:512]):]
        if can_read:
            got += os.read(t.fd, 4096)
    print("same", got == sent, len(got))
    os.kill(t.pid, signal.SIGTERM)
    print("status", t.status())


# ---- ends ----

def scenario_signal(number, argv):
    """To the launcher when COMMAND has said ready."""
    t = Kept(argv)
    t.expect(rb"ready")
    print(until_modes(t, "raw"))
    os.kill(t.pid, number)
    status = t.status()
    # The guard needs a moment when the launcher could not do it.
    end = time.monotonic() + LIMIT
    while not t.unchanged() and time.monotonic() < end:
        os.sched_yield()
    print("status", status, "unchanged", t.unchanged())
    print("left", [p for p in everybody() if session_of_terminal(p, t)])


def everybody():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def session_of_terminal(pid, t):
    """Whether PID has the user's terminal open."""
    if pid == os.getpid():
        return False
    name = os.ttyname(t.slave)
    try:
        links = os.listdir(f"/proc/{pid}/fd")
        return any(os.readlink(f"/proc/{pid}/fd/{fd}") == name for fd in links)
    except OSError:
        return False


def scenario_hangup(argv):
    """The user's terminal goes away."""
    t = Terminal(argv)
    t.expect(rb"ready")
    os.close(t.fd)
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        pid, status = os.waitpid(t.pid, os.WNOHANG)
        if pid:
            print("status", os.waitstatus_to_exitcode(status))
            return
        os.sched_yield()
    print("stays")
    os.kill(t.pid, signal.SIGKILL)


def scenario_changed(argv):
    """Somebody else sets the terminal's modes while COMMAND runs: they stay."""
    t = Kept(argv)
    t.expect(rb"ready")
    until_modes(t, "raw")
    new = list(t.before)
    new[LFLAG] &= ~termios.ECHO
    termios.tcsetattr(t.slave, termios.TCSANOW, new)
    os.kill(t.pid, signal.SIGKILL)
    t.status()
    end = time.monotonic() + LIMIT
    while any(session_of_terminal(p, t) for p in everybody()) and time.monotonic() < end:
        os.sched_yield()
    print("theirs stays", termios.tcgetattr(t.slave)[LFLAG] == new[LFLAG])


# ---- the launcher as a job of a shell ----

def launcher_of(t):
    """The shell's child; the guard of the terminal is a child of that one."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if children(t.pid):
            return children(t.pid)[0]
        os.sched_yield()
    return None


def scenario_background(argv):
    """SHELL… --tty-shell COMMAND &: it stops, fg lets it begin, ^C ends what is inside."""
    t, command = shell(argv)
    t.key(command + b" &\n")
    t.expect(rb"PS> ")
    launcher = launcher_of(t)
    print("stopped", until_state(launcher, True))
    print("started", len(children(launcher)) > 0)
    print("shell has the terminal", os.tcgetpgrp(t.fd) == t.pid)
    t.key(b"fg\n")
    t.expect(rb"ready")
    print(until_modes(t, "raw"))
    t.key(b"\x03")
    leave(t)


def scenario_stop(number, argv):
    """SHELL… --tty-shell COMMAND: stopped from outside, continued with fg, and with bg."""
    t, command = shell(argv)
    t.key(command + b"\n")
    t.expect(rb"ready")
    launcher = launcher_of(t)
    until_modes(t, "raw")
    os.kill(launcher, number)
    print("stopped", until_state(launcher, True))
    t.expect(rb"Stopped")
    t.expect(rb"PS> ")
    t.key(b"bg\n")
    t.expect(rb"PS> ")
    # A program that reads from the terminal does not run in the background.
    t.key(b"\n")
    print("stopped again", until_state(launcher, True))
    t.expect(rb"PS> ")
    t.key(b"fg\n")
    print("runs", until_state(launcher, False), until_modes(t, "raw"))
    t.key(b"\x03")
    leave(t)


# ---- standard input and output that are no terminal ----

def run(argv, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(argv, stdout=subprocess.PIPE, timeout=LIMIT, check=False, **more)


def scenario_flags(argv):
    """No descriptor that we share with COMMAND is non-blocking, meanwhile and at the end."""
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    terminal, slave = pty.openpty()
    for stdin, stdout in ((in_read, out_write), (slave, slave)):
        child = subprocess.Popen(argv, stdin=stdin, stdout=stdout)
        source = out_read if stdout == out_write else terminal
        seen = b""
        while b"ready" not in seen:
            seen += os.read(source, 4096)
        shared = (stdin, stdout, in_write)
        print("meanwhile", [os.get_blocking(fd) for fd in shared])
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        print("at the end", [os.get_blocking(fd) for fd in shared])


def scenario_socket(argv):
    """Standard input and output are one socket; COMMAND says ready, is sent a line, gives it back."""
    ours, theirs = socket.socketpair()
    child = subprocess.Popen(argv, stdin=theirs, stdout=theirs)
    theirs.close()
    seen = b""
    while b"ready" not in seen:
        seen += ours.recv(4096)
    ours.sendall(b"hello\n")
    while b"got hello" not in seen:
        seen += ours.recv(4096)
    ours.shutdown(socket.SHUT_WR)
    print("got hello, status", child.wait(LIMIT))


def scenario_stuck(argv):
    """COMMAND floods a reader that does not read: no memory is taken; SIGTERM ends it."""
    read, write = os.pipe()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=write)
    # Then nothing more is taken.
    print("full", until_full(write))
    os.close(write)
    print("small", resident(child.pid) < 60000)
    # It does not spin: no processor time passes.
    before = cpu(child.pid)
    select.select([], [], [], 0.3)
    print("sleeps", cpu(child.pid) - before <= 2)
    child.terminate()
    print("status", child.wait(LIMIT))
    os.close(read)


def until_full(write):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if not select.select([], [write], [], 0)[1]:
            return True
        os.sched_yield()
    return False


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def cpu(pid):
    """In ticks."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        words = f.read().rpartition(") ")[2].split()
    return int(words[11]) + int(words[12])


def scenario_idle(argv):
    """COMMAND says ready and closes or keeps what it likes: the launcher sleeps."""
    read, write = os.pipe()
    stdin_read, stdin_write = os.pipe()
    child = subprocess.Popen(argv, stdin=stdin_read, stdout=write)
    os.close(write)
    os.close(stdin_read)
    os.close(stdin_write)
    seen = b""
    while b"ready" not in seen:
        seen += os.read(read, 4096)
    before = cpu(child.pid)
    select.select([], [], [], 0.3)
    print("sleeps", cpu(child.pid) - before <= 2)
    child.terminate()
    print("status", child.wait(LIMIT))


def scenario_timeout_stuck(argv):
    """COMMAND has a --timeout and floods a reader that does not read."""
    read, write = os.pipe()
    start = time.monotonic()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=write)
    os.close(write)
    status = child.wait(LIMIT)
    print("status", status, "in time", time.monotonic() - start < 10)
    os.close(read)


def scenario_timeout_terminal(argv):
    """The same at a terminal, whose user looks away."""
    terminal, slave = pty.openpty()
    start = time.monotonic()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=slave)
    status = child.wait(LIMIT)
    print("status", status, "in time", time.monotonic() - start < 10)
    os.close(terminal)


def scenario_late_reader(argv):
    """COMMAND writes 200000 bytes and ends at once; the reader begins after that."""
    read, write = os.pipe()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=write)
    until_full(write)
    os.close(write)
    got = 0
    while data := os.read(read, 65536):
        got += len(data)
    print("bytes", got, "status", child.wait(LIMIT))


def scenario_pipes(argv):
    """No process but the launcher has the caller's pipes; nothing of ours is left behind."""
    read, write = os.pipe()
    terminal, slave = pty.openpty()
    child = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=write)
    os.close(write)
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 4096)
    name = f"pipe:[{os.fstat(read).st_ino}]"
    holders = [p for p in everybody() if p != os.getpid() and has(p, name)]
    print("holders", len(holders), holders == [child.pid])
    helpers = [p for p in children(child.pid) if session(p) == p]
    print("helpers", len(helpers))
    child.kill()
    child.wait()
    # The end of the pipe comes with the launcher's.
    ready, _, _ = select.select([read], [], [], LIMIT)
    print("closed", bool(ready) and os.read(read, 1) == b"")
    print("gone", [until_gone(p) for p in helpers])


def until_gone(pid):
    """Who adopts it may be late with reaping it: a zombie is as good."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if state(pid) in ("gone", "Z"):
            return True
        os.sched_yield()
    return False


def has(pid, name):
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{fd}") == name
                   for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def scenario_no_zombie(argv):
    """COMMAND says ready: the launcher has no dead child; at the end it leaves none to us."""
    t = Kept(argv)
    t.expect(rb"ready")
    until_modes(t, "raw")
    print("dead", [p for p in children(t.pid) if state(p) == "Z"])
    os.kill(t.pid, signal.SIGTERM)
    print("status", t.status())
    print("ours", children(os.getpid()))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["TERM"] = "dumb"
    os.environ["PS1"] = "$ "
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    name, _, number = sys.argv[1].partition(":")
    arguments = ([int(number)] if number else []) + [sys.argv[2:]]
    globals()["scenario_" + name](*arguments)


if __name__ == "__main__":
    main()
