# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
# No container: a root directory of its own on the machine itself.
needs=(pivot_root mount)

enter() {
    local uid=$2 script

    shift 2
    # shellcheck disable=SC2016
    script='set -e
        root=$1
        shift
        mount --bind "$root" "$root"
        cd "$root"
        mount -t proc proc proc
        mount --rbind /dev dev
        pivot_root . run
        cd /
        /bin/umount -l /run
        exec "$@"'
    [ "$uid" = 0 ] || set -- /bin/setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
    unshare --mount --propagation private --pid --fork --kill-child /bin/bash -c "$script" - "$rootfs" "$@"
}
