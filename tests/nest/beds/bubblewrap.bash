# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
needs=(bwrap)
rootless=yes
# bubblewrap covers of /proc what it could write to itself: as root that is in the way of another one below.
kinds=(by-user)
[ "$(id -u)" != 0 ] || kinds+=(by-root)

enter() {
    local by=$started_by uid=$2

    [ "$1" != by-root ] || by=0
    shift 2
    as "$by" bwrap --unshare-all --uid "$uid" --gid "$uid" --bind "$rootfs" / --proc /proc --dev /dev --die-with-parent -- "$@"
}
