# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154,SC2016 # variables of run; jq's
#
# Configurations of the OCI runtimes as engines make them.

docker_caps='["CHOWN","DAC_OVERRIDE","FSETID","FOWNER","MKNOD","NET_RAW","SETGID","SETUID","SETFCAP","SETPCAP",
    "NET_BIND_SERVICE","SYS_CHROOT","KILL","AUDIT_WRITE"]'
podman_caps='["CHOWN","DAC_OVERRIDE","FOWNER","FSETID","KILL","NET_BIND_SERVICE","SETFCAP","SETGID","SETPCAP",
    "SETUID","SYS_CHROOT"]'

# profile FILE CAPS: the rules of an engine's profile that hold with these capabilities, as a runtime takes them.
profile() {
    jq --argjson caps "$2" --arg arch amd64 '
        ($caps | map("CAP_" + .)) as $caps |
        def holds: (.includes.caps // []) - $caps == [] and
            ((.includes.arches // [$arch]) | index($arch)) != null and
            ((.excludes.caps // []) - ((.excludes.caps // []) - $caps)) == [] and
            ((.excludes.arches // []) | index($arch)) == null;
        { defaultAction, defaultErrnoRet, architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
          syscalls: [.syscalls[] | select(holds) | { names, action, args, errnoRet } | with_entries(select(.value != null))] }
        | with_entries(select(.value != null))' "$1"
}

# oci RUNTIME UID CAPS PROFILE CHANGE COMMAND…: runs it in $rootfs. PROFILE is a file or empty; CHANGE is for jq.
oci() {
    local runtime=$1 uid=$2 caps=$3 file=$4 change=$5 bundle seccomp=null

    shift 5
    bundle=$(mktemp -d "$place/bundle.XXXXXX")
    mv "$rootfs" "$bundle/rootfs"
    mkdir "$rootfs"
    [ -z "$file" ] || seccomp=$(profile "$file" "$caps") || return 1
    (cd "$bundle" && "$runtime" spec) || return 1
    jq --argjson uid "$uid" --argjson caps "$caps" --argjson seccomp "$seccomp" \
        --argjson args "$(printf '%s\n' "$@" | jq -nR '[inputs]')" '
        ($caps | map("CAP_" + .)) as $caps |
        .process.terminal = false | .process.cwd = "/" | .root.readonly = false |
        .process.args = $args | .process.user = { uid: $uid, gid: $uid } | .process.noNewPrivileges = false |
        .process.capabilities = { bounding: $caps, permitted: $caps, effective: $caps } |
        del(.process.rlimits) | del(.linux.resources) |
        .mounts |= map(select(.destination | startswith("/sys/fs") | not)) |
        .linux.seccomp = $seccomp | '"$change" "$bundle/config.json" >"$bundle/changed" || return 1
    mv "$bundle/changed" "$bundle/config.json"
    case $runtime in
    crun) set -- crun --root "$place/crun" --cgroup-manager=disabled ;;
    runc) set -- runc --root "$place/runc" ;;
    esac
    (cd "$bundle" && timeout -s KILL 60 "$@" run "nest-${bundle##*.}")
}

# oci_kind RUNTIME KIND UID COMMAND…: the kinds of the two runtimes' beds.
oci_kind() {
    local runtime=$1 kind=$2 uid=$3 taken=$tree/build/taken
    local sys_admin
    sys_admin=$(jq -n "$docker_caps + [\"SYS_ADMIN\"]")

    shift 3
    case $kind in
    default) oci "$runtime" "$uid" '["AUDIT_WRITE","KILL","NET_BIND_SERVICE"]' "" . "$@" ;;
    docker) oci "$runtime" "$uid" "$docker_caps" "$taken/docker.json" . "$@" ;;
    docker-sys-admin) oci "$runtime" "$uid" "$sys_admin" "$taken/docker.json" . "$@" ;;
    docker-unconfined) oci "$runtime" "$uid" "$docker_caps" "" . "$@" ;;
    docker-unmasked) oci "$runtime" "$uid" "$docker_caps" "" "$unmasked" "$@" ;;
    podman) oci "$runtime" "$uid" "$podman_caps" "$taken/podman.json" . "$@" ;;
    podman-no-caps) oci "$runtime" "$uid" '[]' "$taken/podman.json" . "$@" ;;
    podman-unmasked) oci "$runtime" "$uid" "$podman_caps" "$taken/podman.json" "$unmasked" "$@" ;;
    esac
}
unmasked='del(.linux.maskedPaths, .linux.readonlyPaths)'
oci_kinds=(default docker docker-sys-admin docker-unconfined docker-unmasked podman podman-no-caps podman-unmasked)
