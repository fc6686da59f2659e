# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
podman_kinds=(default unmasked no-caps privileged)
podman_as=0

podman_() {
    local home=$place/podman-$podman_as

    [ -d "$home" ] || { mkdir "$home" && chown "$podman_as:$podman_as" "$home"; } || return 1
    (cd "$home" && as "$podman_as" env "HOME=$home" "XDG_RUNTIME_DIR=$home" timeout -s KILL 90 podman --root "$home/root" \
        --runroot "$home/run" --tmpdir "$home/tmp" --storage-driver vfs --runtime crun --cgroup-manager cgroupfs \
        --events-backend none "$@")
}

podman_import() {
    tar -C "$image" -cf "$place/image.tar" . && podman_ import -q "$place/image.tar" nest >/dev/null 2>"$place/err"
}

podman_kind() {
    local options=()

    case $1 in
    unmasked) options=(--security-opt unmask=ALL) ;;
    no-caps) options=(--cap-drop all) ;;
    privileged) options=(--privileged) ;;
    esac
    options+=(--user "$2:$2")
    shift 2
    podman_ run --rm --cgroups=disabled --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 \
        "${options[@]}" nest "$@"
}
