# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
# The engine, started by an ordinary user with subordinate ids.
needs=(podman crun newuidmap)
kinds=("${podman_kinds[@]}")

podman_as=$caller
up() { podman_import; }
enter() { podman_kind "$@"; }
