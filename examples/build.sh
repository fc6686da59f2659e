#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh COMMAND...: runs a build that is not trusted in the current directory: it reads the system,
# writes here alone, has no network, and is killed after half an hour.
set -eu

exec nestbox -x /usr -r /etc -w . -x . --timeout 1800 "$@"
