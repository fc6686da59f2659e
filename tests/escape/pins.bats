#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What is granted, or hidden, below a writable grant stays so whatever is renamed above it.

load ../lib/common.bash

setup() {
    nb_setup
    mkdir -p "$T/proj/.git/hooks" "$T/proj/src"
    echo ours >"$T/proj/.git/hooks/pre-commit"
    give "$T/proj"
}

@test "the directories between a writable grant and a read-only one below it cannot be renamed" {
    # shellcheck disable=SC2016
    run box -w "$T/proj" -r "$T/proj/.git/hooks" -- /bin/sh -c '
        cd "$1" && mv .git .git-old; mkdir -p .git/hooks; echo theirs >.git/hooks/pre-commit
        echo work >src/file && echo work >.git/index && echo done' sh "$T/proj"
    matches 'busy' 'Read-only'
    says done
    [ "$(cat "$T/proj/.git/hooks/pre-commit")" = ours ]
    [ "$(cat "$T/proj/.git/index")" = work ]
    [ ! -e "$T/proj/.git-old" ]
}

@test "nor those above a tmpfs" {
    # shellcheck disable=SC2016
    run box -w "$T/proj" --tmpfs "$T/proj/.git/hooks" -- /bin/sh -c '
        cd "$1" && mv .git .git-old; mkdir -p .git/hooks; echo theirs >.git/hooks/pre-commit
        echo done' sh "$T/proj"
    matches busy
    says done
    [ "$(cat "$T/proj/.git/hooks/pre-commit")" = ours ]
}

@test "two deeper grants in one directory stand side by side" {
    mkdir "$T/proj/.git/info"
    echo secret >"$T/proj/.git/info/file"
    give "$T/proj/.git/info"
    # shellcheck disable=SC2016
    run box -w "$T/proj" -r "$T/proj/.git/hooks" -r "$T/proj/.git/info" -- /bin/sh -c '
        cd "$1/.git" && for d in hooks info; do touch $d/new 2>/dev/null || echo "$d is read-only"; done
        cat hooks/pre-commit info/file' sh "$T/proj"
    says "hooks is read-only" "info is read-only" ours secret
}
