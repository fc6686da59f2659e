#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a workload can do to its caller through the terminal that they share.

load ../lib/common.bash

# at_terminal SCRIPT [INPUT]: runs SCRIPT by /bin/sh as the leader of a session on a terminal of its own,
# with NB in the environment; types INPUT when a line "ready" has come. Prints what came out, at most
# half a minute long.
at_terminal() {
    as_caller env "NB=$NB" /usr/bin/python3 - "$@" <<'END'
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv("/bin/sh", ["sh", "-c", sys.argv[1]])
text = b""
typed = len(sys.argv) < 3
end = time.monotonic() + 30
while time.monotonic() < end:
    if not select.select([terminal], [], [], end - time.monotonic())[0]:
        print("(too late)")
        os.kill(pid, 9)
        break
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        chunk = b""
    if not chunk:
        break
    text += chunk
    if not typed and b"ready" in text:
        os.write(terminal, sys.argv[2].encode())
        typed = True
sys.stdout.write(text.decode().replace("\r", ""))
END
}

@test "a workload that stops itself does not stop the timeout" {
    # set -m: a job of its own is no orphaned process group, which the kernel would not stop.
    for signal in STOP TSTP TTIN TTOU; do
        export signal
        # shellcheck disable=SC2016
        run at_terminal 'set -m; /bin/sh -c "
            \"\$NB\" --timeout 0.5 -x /usr -- /bin/sh -c \"kill -$signal \\\$\\\$; sleep 60\"
            echo status \$?"'
        says "status 124"
    done
}

@test "the terminal is given back, though the workload took it for a group that is gone" {
    run at_terminal '"$NB" -x /usr -- /usr/bin/python3 -c "
import os, signal
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.setpgid(0, 0)
os.tcsetpgrp(0, os.getpgrp())"; echo ready; read -r line; echo "got $line"' $'hello\n'
    says "got hello"
}
