# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
# unshare(1) with a root of its own: nothing in the way; a /proc parts of which are covered, as in most containers;
# no more user namespaces; a root that was changed by chroot(2), after which the kernel makes none.
needs=(unshare pivot_root mount umount)
kinds=(default masked no-userns)
[ "$(id -u)" != 0 ] || kinds+=(chroot)
rootless=yes

enter() {
    local kind=$1 uid=$2 by=$started_by new=(--user --map-root-user) script

    shift 2
    # shellcheck disable=SC2016 # expanded in there
    script='set -e
        root=$1 kind=$2 uid=$3
        shift 3
        mount --bind "$root" "$root"
        cd "$root"
        mount -t proc proc proc
        mount -t tmpfs -o mode=755 dev dev
        for device in null zero full random urandom tty; do
            : >"dev/$device"
            mount --bind "/dev/$device" "dev/$device"
        done
        [ "$kind" != masked ] || mount -t tmpfs -o ro covered proc/acpi
        if [ "$kind" = chroot ]; then
            exec chroot . /bin/setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
        fi
        pivot_root . run
        cd /
        /bin/umount -l /run
        if [ "$kind" = no-userns ]; then
            [ "$uid" = 0 ] && n=0 || n=1
            echo "$n" >/proc/sys/user/max_user_namespaces
        fi
        if [ "$uid" = 0 ]; then
            exec "$@"
        fi
        exec /bin/unshare --user "--map-user=$uid" "--map-group=$uid" "$@"'
    [ "$kind" != chroot ] || by=0 new=()
    as "$by" unshare "${new[@]}" --mount --propagation private --pid --fork --kill-child \
        /bin/bash -c "$script" - "$rootfs" "$kind" "$uid" "$@"
}
