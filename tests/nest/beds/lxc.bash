# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
needs=(lxc-execute)
kinds=(default idmapped nesting)

enter() {
    local kind=$1 uid=$2 name=nest-${rootfs##*.}

    shift 2
    mkdir -p "$place/lxc/$name"
    {
        echo "lxc.include = /usr/share/lxc/config/common.conf"
        echo "lxc.rootfs.path = dir:$rootfs"
        echo "lxc.uts.name = nest"
        echo "lxc.net.0.type = empty"
        if [ "$kind" = nesting ]; then
            echo "lxc.include = /usr/share/lxc/config/nesting.conf"
        fi
        if [ "$kind" = idmapped ]; then
            echo "lxc.include = /usr/share/lxc/config/userns.conf"
            echo "lxc.idmap = u 0 300000 65536"
            echo "lxc.idmap = g 0 300000 65536"
        fi
    } >"$place/lxc/$name/config"
    [ "$kind" != idmapped ] || chown -R 300000:300000 "$rootfs"
    chmod 0711 "$place" "$place/lxc" "$place/lxc/$name"
    lxc-execute -P "$place/lxc" -n "$name" -f "$place/lxc/$name/config" -u "$uid" -g "$uid" -- "$@"
}
