# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
# In itself. plain: --allow-userns alone; level-N: in the Nth of N boxes, one in another.
rootless=yes
kinds=(plain level-1 level-5)
[ "$(id -u)" != 0 ] || kinds+=(by-root-plain by-root-level-1 by-root-level-5)

enter() {
    local kind=$1 uid=$2 by=$started_by ids=() outer=() i

    shift 2
    [ "$kind" = "${kind#by-root-}" ] || by=0
    ids=(--uid "$uid" --gid "$uid")
    if [[ $kind = *level-* ]]; then
        # Root in there may map its own id again with this capability alone.
        [ "$uid" != 0 ] || ids+=(--cap-add setfcap)
        # The machine's root is kept from parts of /proc, and what is covered forbids a fresh one below.
        [ "$by" != 0 ] || outer=(--map-uids "$uid:300000:1" --map-gids "$uid:300000:1")
        for ((i = ${kind##*-}; i > 1; i--)); do
            set -- /bin/nestbox --allow-userns "${ids[@]}" --bind / / -- "$@"
        done
    fi
    as "$by" "$NESTBOX" --allow-userns "${outer[@]}" "${ids[@]}" --bind "$rootfs" / --chdir / --die-with-parent -- "$@"
}
