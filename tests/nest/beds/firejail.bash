# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
# As an ordinary user starts it, with its default profile: its set-user-ID program, in a root directory that holds
# the machine's programs in /usr, since with one of its own (--chroot) no box could be made below.
needs=(firejail pivot_root)
kinds=(default noprofile)

enter() {
    local kind=$1 uid=$2 script

    shift 2
    set -- firejail --quiet -- /bin/bash "$@"
    [ "$kind" = default ] || set -- firejail --quiet --noprofile "${@:3}"
    # It takes a machine for a container, and does nothing, when none of the first processes has a kernel
    # thread's name.
    # shellcheck disable=SC2016
    script='set -e
        root=$1 uid=$2
        shift 2
        mount --bind "$root" "$root"
        cd "$root"
        cp bin/probe kthreadd
        ./kthreadd hold >run/holds &
        mount -t proc proc proc
        mount --rbind /dev dev
        mount --bind /usr usr
        mount --bind /etc/firejail etc/firejail
        pivot_root . mnt
        cd /
        /bin/umount -l /mnt
        /bin/setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"'
    mkdir "$rootfs/etc/firejail"
    echo "nest:x:$other:$other::/:/bin/sh" >>"$rootfs/etc/passwd"
    echo "nest:x:$other:" >>"$rootfs/etc/group"
    take_libraries "$rootfs" /usr/bin/firejail /usr/lib/*/firejail/f*
    unshare --mount --propagation private --pid --fork --kill-child /bin/bash -c "$script" - "$rootfs" "$uid" "$@"
}
