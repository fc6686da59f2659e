# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run
# The runtime alone, with its own defaults and with what Docker and Podman tell it.
needs=(crun jq)
kinds=("${oci_kinds[@]}")
enter() { oci_kind crun "$@"; }
