# SPDX-License-Identifier: MIT
"""A user at a terminal: terminal.py SCENARIO COMMAND…

COMMAND is a whole nestbox command line. The scenarios play keys and say what
came of them, one line each; a scenario that waits too long fails. Nothing
sleeps: every wait is on the terminal or on a process.
"""
import atexit
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 30


class Terminal:
    """COMMAND on a new pseudo terminal, as the leader of its session."""

    def __init__(self, argv):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.execvp(argv[0], argv)
        atexit.register(end_session, self.pid)

    def key(self, data):
        os.write(self.fd, data)

    def expect(self, regex):
        """Read on until regex matches; what came before it is dropped."""
        end = time.monotonic() + LIMIT
        while True:
            match = re.search(regex, self.seen)
            if match:
                self.seen = self.seen[match.end():]
                return match
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            data = b""
            if ready:
                try:
                    data = os.read(self.fd, 4096)
                except OSError:
                    pass
            if not data:
                print("nothing matches", regex, "in", self.seen)
                os.kill(self.pid, signal.SIGKILL)
                sys.exit(1)
            self.seen += data

    def drain(self, wait):
        """Read what is there within that time. Returns whether there may be more."""
        ready, _, _ = select.select([self.fd], [], [], wait)
        try:
            data = os.read(self.fd, 4096) if ready else b""
        except OSError:
            data = b""
        self.seen += data
        return data != b""

    def status(self):
        # Closing our end would hang it up; drain it instead, so that it can end.
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            # Once more after the end: what it has written last may not have been read yet.
            while self.drain(0 if pid else 0.01) and pid:
                pass
            if pid:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        return "stays"


def end_session(leader):
    """A scenario that failed must not leave anything of this terminal behind."""
    left = tree(leader)
    for name in os.listdir("/proc"):
        if name.isdigit() and session(int(name)) == leader:
            left |= tree(int(name))
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def session(pid):
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def tree(pid):
    found = {pid}
    try:
        for child in children(pid):
            found |= tree(child)
    except OSError:
        # Already waited for: the number may be another's by now.
        return set()
    return found


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(") ")[2][0]
    except OSError:
        return "gone"


def until_state(pid, wanted):
    """Nobody tells us when a process that is not ours stops: look, with a bound."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and state(pid) != "gone":
        if (state(pid) == "T") == wanted:
            return True
        os.sched_yield()
    return False


def until_foreground(t, group):
    end = time.monotonic() + LIMIT
    while os.tcgetpgrp(t.fd) != group and time.monotonic() < end:
        os.sched_yield()


def chain(launcher):
    init = children(launcher)[0]
    return init, children(init)[0]


def key_once(argv, key, end=signal.SIGTERM):
    """COMMAND reports its signals; one key, then `end` to the launcher."""
    t = Terminal(argv)
    t.expect(rb"ready")
    t.key(key)
    first = int(t.expect(rb"got (\d+)").group(1))
    print("got", first)
    os.kill(t.pid, end)
    while True:
        sig = int(t.expect(rb"got (\d+)").group(1))
        print("got", sig)
        if sig == end:
            break
    print("status", t.status())


def scenario_interrupt(argv):
    key_once(argv, b"\x03")


def scenario_quit(argv):
    key_once(argv, b"\x1c")


def scenario_ctrl_c(argv):
    """COMMAND has no handler."""
    t = Terminal(argv)
    t.expect(rb"ready")
    t.key(b"\x03")
    print("status", t.status())


def scenario_hangup(argv):
    """The terminal goes away; COMMAND must end."""
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


def scenario_type(argv):
    """COMMAND is cat: it must be able to read from the terminal."""
    t = Terminal(argv)
    t.key(b"typed\n")
    t.expect(rb"typed\r?\n.*typed")
    t.key(b"\x04")
    print("status", t.status())


def scenario_plain(argv):
    """Show what COMMAND prints."""
    t = Terminal(argv)
    status = t.status()
    print(t.seen.decode(errors="replace").replace("\r", ""), end="")
    print("status", status)


def scenario_jobs(argv):
    """SHELL… -- COMMAND: stop with ^Z, continue in the foreground, end with ^C."""
    cut = argv.index("--tty-shell")
    t = Terminal(argv[:cut])
    t.expect(rb"\$ ")
    t.key(b"PS1='P''S> '\n")
    t.expect(rb"PS> ")
    t.key(" ".join(argv[cut + 1:]).encode() + b"\n")
    t.expect(rb"ready")
    launcher = children(shell_pid(t))[0]
    _, workload = chain(launcher)
    t.key(b"\x1a")
    t.expect(rb"Stopped")
    print("launcher stopped", until_state(launcher, True))
    print("workload stopped", until_state(workload, True))
    t.expect(rb"PS> ")
    t.key(b"fg\n")
    print("launcher runs", until_state(launcher, False))
    print("workload runs", until_state(workload, False))
    t.key(b"\x03")
    t.expect(rb"PS> ")
    t.key(b"echo code=$?\n")
    print("code", t.expect(rb"code=(\d+)").group(1).decode())
    t.key(b"exit\n")
    t.status()


def scenario_background(argv):
    """SHELL… -- COMMAND: stopped, continued in the background, ended by kill."""
    cut = argv.index("--tty-shell")
    t = Terminal(argv[:cut])
    t.expect(rb"\$ ")
    t.key(b"PS1='P''S> '\n")
    t.expect(rb"PS> ")
    t.key(" ".join(argv[cut + 1:]).encode() + b"\n")
    t.expect(rb"ready")
    launcher = children(shell_pid(t))[0]
    _, workload = chain(launcher)
    t.key(b"\x1a")
    t.expect(rb"Stopped")
    until_state(workload, True)
    t.expect(rb"PS> ")
    t.key(b"bg\n")
    t.expect(rb"PS> ")
    print("launcher runs", until_state(launcher, False))
    print("workload runs", until_state(workload, False))
    t.key(b"kill %1; wait %1; echo code=$?\n")
    print("code", t.expect(rb"code=(\d+)").group(1).decode())
    t.key(b"exit\n")
    t.status()


def shell(argv):
    """An interactive SHELL… --tty-shell COMMAND…: its terminal, and the command line."""
    cut = argv.index("--tty-shell")
    t = Terminal(argv[:cut])
    t.expect(rb"\$ ")
    t.key(b"PS1='P''S> '\n")
    t.expect(rb"PS> ")
    return t, " ".join(argv[cut + 1:]).encode()


def leave(t):
    t.expect(rb"PS> ")
    t.key(b"echo code=$?\n")
    print("code", t.expect(rb"code=(\d+)").group(1).decode())
    t.key(b"exit\n")
    t.status()


def scenario_read_job(argv):
    """COMMAND says ready and is cat then: type, stop, continue, type, end."""
    t, command = shell(argv)
    t.key(command + b"\n")
    t.expect(rb"ready\r\n")
    t.key(b"one\n")
    t.expect(rb"one\r\n.*one\r\n")
    print("read one")
    t.key(b"\x1a")
    t.expect(rb"Stopped")
    print("stopped")
    t.expect(rb"PS> ")
    box, _ = chain(children(t.pid)[0])
    t.key(b"fg\n")
    # Not before the box has the terminal again: the shell changes its mode meanwhile.
    until_foreground(t, box)
    t.key(b"two\n")
    t.expect(rb"two\r\n(.*\r\n)*two\r\n")
    print("read two")
    t.key(b"\x04")
    leave(t)


def scenario_pipeline(argv):
    """COMMAND | a program that reads keys, as a pager does."""
    t, command = shell(argv)
    t.key(command + b" | sh -c 'read -r l; read -r k </dev/tty; echo k''ey=$k; cat'\n")
    t.expect(rb"cat'\r\n")
    t.key(b"x\n")
    print("key", t.expect(rb"key=(\w+)").group(1).decode())
    t.key(b"\x03")
    leave(t)


def scenario_back(argv, end=b"\x04"):
    """COMMAND… is a script: a box with ready and cat, then a read of its own."""
    t = Terminal(argv)
    t.expect(rb"ready\r\n")
    t.key(b"one\n")
    t.expect(rb"one\r\n.*one\r\n")
    t.key(end)
    until_alone(t)
    t.key(b"x\n")
    t.expect(rb"back=x")
    print("back")


def scenario_back_killed(argv):
    scenario_back(argv, b"")


def until_alone(t):
    """Until the script's box is over; what is typed before would still be cat's."""
    end = time.monotonic() + LIMIT
    while children(t.pid) and time.monotonic() < end:
        os.sched_yield()


# ---- an init without walls: the launcher is the init, the workload its child ----

def until_child(pid):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        found = children(pid)
        if found:
            return found[0]
        os.sched_yield()
    return None


def until_alive(pid, wanted):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if os.path.exists(f"/proc/{pid}") == wanted:
            return True
        os.sched_yield()
    return False


def scenario_init_jobs(argv):
    """SHELL… --tty-shell INIT COMMAND, twice stopped with ^Z and continued, ended with ^C."""
    t, command = shell(argv)
    t.key(command + b"\n")
    t.expect(rb"ready")
    init = children(t.pid)[0]
    child = children(init)[0]
    for _ in range(2):
        t.key(b"\x1a")
        t.expect(rb"Stopped")
        print("stopped", until_state(init, True), until_state(child, True))
        t.expect(rb"PS> ")
        print("shell has the terminal", os.tcgetpgrp(t.fd) == t.pid)
        t.key(b"fg\n")
        print("runs", until_state(init, False), until_state(child, False))
    t.key(b"\x03")
    leave(t)


def scenario_init_bg(argv):
    """Stopped with ^Z, continued in the background, ended by the shell's kill."""
    t, command = shell(argv)
    t.key(command + b"\n")
    t.expect(rb"ready")
    init = children(t.pid)[0]
    child = children(init)[0]
    t.key(b"\x1a")
    t.expect(rb"Stopped")
    until_state(child, True)
    t.expect(rb"PS> ")
    t.key(b"bg\n")
    t.expect(rb"PS> ")
    print("runs", until_state(init, False), until_state(child, False))
    print("shell has the terminal", os.tcgetpgrp(t.fd) == t.pid)
    t.key(b"kill %1; wait %1\n")
    leave(t)
    print("child gone", until_alive(child, False))


def scenario_init_read(argv):
    """COMMAND says ready and is cat then: reads, is stopped, continued, reads again, ends at ^D."""
    t, command = shell(argv)
    t.key(command + b"\n")
    t.expect(rb"ready\r\n")
    child = until_child(children(t.pid)[0])
    t.key(b"one\n")
    t.expect(rb"one\r\n.*one\r\n")
    print("read one")
    t.key(b"\x1a")
    t.expect(rb"Stopped")
    t.expect(rb"PS> ")
    t.key(b"fg\n")
    until_foreground(t, os.getpgid(child))
    until_state(child, False)
    t.key(b"two\n")
    t.expect(rb"two\r\n(.*\r\n)*two\r\n")
    print("read two")
    t.key(b"\x04")
    leave(t)


def scenario_init_ttin(argv):
    """COMMAND & reads: the shell keeps the terminal, the job stops; fg lets it read."""
    t, command = shell(argv)
    t.key(command + b" &\n")
    t.expect(rb"(?s)PS> .*ready|ready.*PS> ")
    init = until_child(t.pid)
    child = until_child(init)
    print("stopped", until_state(child, True), until_state(init, True))
    print("shell has the terminal", os.tcgetpgrp(t.fd) == t.pid)
    t.key(b"\njobs\n")
    t.expect(rb"Stopped")
    t.key(b"fg\n")
    until_foreground(t, os.getpgid(child))
    until_state(child, False)
    t.key(b"one\n")
    t.expect(rb"one\r\n(.*\r\n)*one\r\n")
    print("read one")
    t.key(b"\x04")
    leave(t)


def scenario_init_ttou(argv):
    """stty tostop; COMMAND & writes: the job stops; fg lets it write."""
    t, command = shell(argv)
    t.key(b"stty tostop\n")
    t.expect(rb"PS> ")
    t.key(command + b" &\n")
    t.expect(rb"PS> ")
    init = until_child(t.pid)
    child = until_child(init)
    print("stopped", until_state(child, True), until_state(init, True))
    print("shell has the terminal", os.tcgetpgrp(t.fd) == t.pid)
    t.key(b"fg\n")
    t.expect(rb"\r\nwritten\r\n")
    print("written")
    leave(t)


def scenario_init_after(argv):
    """COMMAND ends: the shell has its terminal back, and reads the next line."""
    t, command = shell(argv)
    t.key(command + b"\n")
    leave(t)
    print("back")


def resize(t, rows, columns):
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def scenario_init_winsize(argv):
    t = Terminal(argv)
    t.expect(rb"ready")
    resize(t, 33, 77)
    print(t.expect(rb"size \d+ \d+").group(0).decode())
    resize(t, 44, 99)
    print(t.expect(rb"size \d+ \d+").group(0).decode())
    os.kill(t.pid, signal.SIGTERM)
    print("status", t.status())


def scenario_init_winsize_job(argv):
    """The same as a job of a shell."""
    t, command = shell(argv)
    t.key(command + b"\n")
    t.expect(rb"ready")
    init = children(t.pid)[0]
    resize(t, 33, 77)
    print(t.expect(rb"size \d+ \d+").group(0).decode())
    os.kill(init, signal.SIGTERM)
    leave(t)


def scenario_init_hangup(argv):
    """The terminal goes away: init and command end."""
    t = Terminal(argv)
    t.expect(rb"ready")
    child = children(t.pid)[0]
    os.close(t.fd)
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        pid, status = os.waitpid(t.pid, os.WNOHANG)
        if pid:
            print("status", os.waitstatus_to_exitcode(status))
            print("child gone", until_alive(child, False))
            return
        os.sched_yield()
    print("stays")
    os.kill(child, signal.SIGKILL)
    os.kill(t.pid, signal.SIGKILL)


def scenario_init_handoff(argv):
    """dumb-init -v gives its terminal up; a HUP that comes after that is forwarded."""
    t = Terminal(argv)
    # In any order: two processes write.
    t.expect(rb"(?s)\A(?=.*Ignoring tty hand-off signal 1\.)(?=.*hand-off signal 18\.).*ready")
    print("ignored")
    os.kill(t.pid, signal.SIGHUP)
    t.expect(rb"got 1\r\n")
    os.kill(t.pid, signal.SIGCONT)
    t.expect(rb"got 18\r\n")
    print("forwarded")
    os.kill(t.pid, signal.SIGTERM)
    print("status", t.status())


def scenario_init_foreground(argv):
    """COMMAND holds: which group has the terminal?"""
    t = Terminal(argv)
    t.expect(rb"ready")
    child = children(t.pid)[0]
    until_foreground(t, os.getpgid(child))
    print("command in front", os.tcgetpgrp(t.fd) == os.getpgid(child))
    print("own group", os.getpgid(child) == child)
    t.key(b"\x03")
    print("status", t.status())


def shell_pid(t):
    """setpriv and the like exec, so the shell is the session's leader itself."""
    return t.pid


def main():
    # So that what is registered for the end is done then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["TERM"] = "dumb"
    os.environ["PS1"] = "$ "
    globals()["scenario_" + sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    main()
