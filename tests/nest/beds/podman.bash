# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
# The engine, started by root.
needs=(podman crun)
kinds=("${podman_kinds[@]}")

up() { podman_import; }
enter() { podman_kind "$@"; }
