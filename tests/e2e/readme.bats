#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What README, man page and examples show is what happens.

load ../lib/common.bash
load ../lib/ids

# The Nth block of the README that is fenced by ```.
block() {
    awk -v want="$1" '/^```/ { inside = !inside; n += inside; next } inside && n == want' \
        "$NB_TREE/README.md"
}

# README commands say "nestbox".
as_reader() {
    "${CALLER[@]}" env "PATH=$NB_BIN:$PATH" "$@"
}

@test "the demo prints what the README shows" {
    cp "$NB_TREE/tests/demo" "$NB_BIN/demo"
    NESTBOX=$NB "${CALLER[@]}" env "NESTBOX=$NB" TMPDIR="$T" "$NB_BIN/demo" >"$BATS_TEST_TMPDIR/out" 2>&1
    diff -u <(block 2) <(sed 1d "$BATS_TEST_TMPDIR/out")
}

@test "the README's build command builds" {
    printf 'all:\n\techo built >file\n' >"$T/Makefile"
    command=$(block 3)
    [[ $command == nestbox\ * ]]
    as_reader sh -c "cd '$T' && $command"
    [ "$(cat "$T/file")" = built ]
}

@test "the README's agent writes to its directory, and events are there" {
    printf '#!/bin/sh\necho "$TERM" >file\n' >"$T/agent"
    chmod 0755 "$T/agent"
    give "$T/agent"
    command=$(block 4)
    [[ $command == nestbox\ * ]]
    as_reader env TERM=vt100 sh -c "cd '$T' && $command"
    [ "$(cat "$T/file")" = vt100 ]
    grep -qx '{"event":"exit","code":0}' "$T/events"
}

@test "the README's log gets its line, and keeps what it has" {
    command=$(block 5)
    [[ $command == *--append* ]]
    echo before >"$T/log"
    give "$T/log"
    as_reader sh -c "cd '$T' && $command"
    [ "$(cat "$T/log")" = $'before\nstarted' ]
}

@test "the README's --explain explains" {
    command=$(block 6)
    [[ $command == *--explain* ]]
    as_reader sh -c "${command/\/srv\/data/$T}" >"$BATS_TEST_TMPDIR/out"
    grep -q "$T  host, writable, noexec" "$BATS_TEST_TMPDIR/out"
}

@test "the README's service has users of its own" {
    for_ranges
    printf '#!/bin/sh\nsetpriv --reuid=7 --regid=8 --clear-groups -- touch seven\ntouch root\n' >"$T/service"
    chmod 0755 "$T/service"
    chmod 0777 "$T"
    command=$(block 7)
    [[ $command == *--map-uids* ]]
    with_etc "${CALLER[@]}" env "PATH=$NB_BIN:$PATH" sh -c "cd '$T' && $command"
    [ "$(stat -c %u:%g "$T/root" "$T/seven")" = $'300000:400000\n300007:400008' ]
}

@test "examples/build.sh builds, and only here" {
    cp "$NB_TREE/examples/build.sh" "$NB_BIN/"
    chmod 0755 "$NB_BIN/build.sh"
    printf 'all:\n\techo built >file\n\t! touch /usr/file\n' >"$T/Makefile"
    as_reader sh -c "cd '$T' && build.sh make"
    [ "$(cat "$T/file")" = built ]
}

@test "every option of the table is in the usage text and in the man page" {
    mapfile -t names < <(sed -n 's/^OPTION("\([a-z0-9-]*\)".*/\1/p' "$NB_TREE/init/options.def")
    [ "${#names[@]}" -gt 30 ]
    "$NB" --help >"$BATS_TEST_TMPDIR/help"
    for name in "${names[@]}"; do
        grep -q -- "--$name\b" "$BATS_TEST_TMPDIR/help"
        grep -q "Fl .*\\\\-${name//-/\\\\-}" "$NB_TREE/nestbox.1"
    done
}
