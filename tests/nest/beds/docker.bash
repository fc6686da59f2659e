# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
# The engine, but for --privileged, for which root on some machines has not all capabilities. Its daemon is this test's own, in a network namespace where it cannot reach the machine's bridges.
needs=(dockerd docker containerd runc)
kinds=(default seccomp sys-admin unmasked sys-admin-unmasked)

docker_() {
    docker -H "unix://$place/docker/socket" "$@"
}

up() {
    local i

    mkdir "$place/docker"
    dockerd --storage-driver vfs --iptables=false --ip6tables=false --bridge=none --data-root "$place/docker/data" \
        --exec-root "$place/docker/exec" --pidfile "$place/docker/pid" -H "unix://$place/docker/socket" \
        >"$place/docker/log" 2>&1 </dev/null &
    docker_pid=$!
    for ((i = 0; i < 300; i++)); do
        ! docker_ version >/dev/null 2>&1 || break
        kill -0 "$docker_pid" || return 1
    done
    tar -C "$image" -c . | docker_ import - nest >/dev/null
}

enter() {
    local options=()

    case $1 in
    seccomp) options=(--security-opt seccomp=unconfined) ;;
    sys-admin) options=(--cap-add SYS_ADMIN) ;;
    unmasked) options=(--security-opt seccomp=unconfined --security-opt systempaths=unconfined) ;;
    sys-admin-unmasked) options=(--cap-add SYS_ADMIN --security-opt systempaths=unconfined) ;;
    esac
    options+=(--user "$2:$2")
    shift 2
    timeout -s KILL 90 docker -H "unix://$place/docker/socket" run --rm --network none "${options[@]}" nest "$@"
}

down() {
    kill "$docker_pid" && wait "$docker_pid"
}
