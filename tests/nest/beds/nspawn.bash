# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
needs=(systemd-nspawn)
kinds=(default landlock)

enter() {
    local kind=$1 uid=$2 options=()

    shift 2
    [ "$kind" = default ] ||
        options=(--system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self")
    [ "$uid" = 0 ] || set -- /bin/setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
    # Without a copy of its groups in the hierarchy of version 1, which would stay.
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q -D "$rootfs" --register=no --keep-unit --pipe "${options[@]}" "$@"
}
