#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh COMMAND...: runs a build that is not trusted in the current directory: it reads the system,
# writes here alone, has no network, and is killed after half an hour.
set -eu

for path in /bin /sbin /lib /lib64; do
    [ ! -e "$path" ] || set -- -x "$path" "$@"
done
exec nestbox -x /usr -r /etc -w . -x . --timeout 1800 "$@"
