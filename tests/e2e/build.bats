#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What the Makefile promises to packagers.

load ../lib/common.bash

# As a user calls it: not as a part of the make that runs the tests.
fresh_make() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u LIBC make -s -C "$NB_TREE" "$@"
}

setup() {
    nb_setup
    [ "$NB_AS" = root ] || [ "$(id -u)" != 0 ] || skip "done once, as root"
}

@test "neither build has an interpreter or a needed library" {
    for libc in musl glibc; do
        [ -x "$NB_TREE/build/$libc/nestbox" ] || skip "needs both builds: make check"
        ! readelf -lW "$NB_TREE/build/$libc/nestbox" | grep INTERP
        ! readelf -dW "$NB_TREE/build/$libc/nestbox" | grep NEEDED
    done
}

@test "make install puts program, library, man pages and completions under DESTDIR and PREFIX" {
    fresh_make install DESTDIR="$T/stage" PREFIX=/opt/x
    cmp "$NB_TREE/build/musl/nestbox" "$T/stage/opt/x/bin/nestbox"
    [ -f "$T/stage/opt/x/share/man/man1/nestbox.1" ]
    [ -f "$T/stage/opt/x/share/man/man3/nestbox.3" ]
    cmp "$NB_TREE/build/musl/libnestbox.a" "$T/stage/opt/x/lib/libnestbox.a"
    cmp "$NB_TREE/init/nestbox.h" "$T/stage/opt/x/include/nestbox.h"
    export PKG_CONFIG_PATH=$T/stage/opt/x/lib/pkgconfig
    [ "$(pkg-config --modversion nestbox)" = "$("$T/stage/opt/x/bin/nestbox" --version | cut -d' ' -f2)" ]
    [ "$(pkg-config --cflags --libs nestbox | xargs)" = "-I/opt/x/include -L/opt/x/lib -lnestbox" ]
    [ -s "$T/stage/opt/x/share/bash-completion/completions/nestbox" ]
    [ -s "$T/stage/opt/x/share/zsh/site-functions/_nestbox" ]
    [ -s "$T/stage/opt/x/share/fish/vendor_completions.d/nestbox.fish" ]
    [ "$(cd "$T/stage" && find . -type f | wc -l)" = 9 ]
}

@test "CC, CFLAGS and LDFLAGS reach the compiler" {
    run fresh_make -n B="$T/build" CC=my-cc CFLAGS=-Omine LDFLAGS=-Wl,mine
    matches 'my-cc .*-Omine.* -c ' 'my-cc .*-Wl,mine.* -o '
}

@test "make help names every target" {
    run fresh_make help
    for target in all deps demo check unit e2e lint sanitize bench install help; do
        matches "^ +$target +[^ ]"
    done
}

@test "make deps says what it would install when it may not" {
    # No package is installed where dpkg-query knows none.
    mkdir "$T/bin"
    printf '#!/bin/sh\nexit 1\n' >"$T/bin/dpkg-query"
    chmod 0755 "$T/bin/dpkg-query" "$T"
    cp "$NB_TREE/tests/deps" "$T/deps"
    if [ "$(id -u)" = 0 ]; then
        run setpriv --reuid=12345 --regid=12345 --clear-groups env "PATH=$T/bin:$PATH" "$T/deps"
    else
        run env "PATH=$T/bin:$PATH" "$T/deps"
    fi
    exits 1
    matches 'as root: apt-get install .*musl-tools'
}
