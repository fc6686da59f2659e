#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nestbox inside containers, the cheap part of `make nest`: under crun with what Docker and Podman tell it, in
# bubblewrap, unshare and nestbox itself. The whole table holds for one kernel; here is what holds on all.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

# nested BED…: runs the cells there. The checkout may be closed to the caller.
nested() {
	need_static
	need bwrap
	cp -r "$NB_TREE/tests/nest" "$T/nest"
	chmod -R go+rX "$T/nest"
	NB_LIMIT=300 run as_caller env NESTBOX="$NB" NB_HELPERS="$NB_BIN" NEST_TREE="$NB_TREE" \
		bash "$T/nest/run" --promises "$@"
	exits 0
}

# stand BED USER CELL…: these do, in that row.
stand() {
	local bed=$1 user=$2 lacking

	shift 2
	lacking=$(awk -v bed="$bed" -v user="$user" -v wanted="$*" '
		$1 == "bed" { for (i = 3; i <= NF; i++) column[$i] = i }
		$1 == bed && $2 == user {
			n = split(wanted, names, " ")
			for (i = 1; i <= n; i++)
				if ($(column[names[i]]) == "stands")
					good++
				else
					print names[i]
		}
		END { if (good != split(wanted, names, " ")) print "lacking" }' <<<"$output")
	[ -z "$lacking" ] || { printf '%s %s: %s\n%s\n' "$bed" "$user" "$lacking" "$output" >&2; return 1; }
}

ALL="box no-proc outer-proc init-only bwrap-view as-bwrap-view bwrap-full as-bwrap-full as-bwrap-plain"

@test "in crun, with Docker's and Podman's settings: no wall is open, one line says why, and what bubblewrap can we can" {
	need_root_caller
	need crun
	need jq
	# make deps takes them from their packages.
	[ -e "$NB_TREE/build/taken/docker.json" ] && [ -e "$NB_TREE/build/taken/podman.json" ] ||
		skip "the engines' profiles could not be had"
	nested crun
	# Whatever stands between, an init alone does.
	for bed in default docker docker-sys-admin docker-unconfined docker-unmasked podman podman-no-caps podman-unmasked; do
		stand "crun/$bed" root init-only
	done
	# Where parts of /proc are covered a box can do without.
	stand crun/podman root no-proc outer-proc bwrap-view as-bwrap-view as-bwrap-plain
	stand crun/podman other no-proc outer-proc bwrap-view as-bwrap-view as-bwrap-plain
	# What is the remedy.
	for bed in docker-unmasked podman-unmasked; do
		stand "crun/$bed" root $ALL
		stand "crun/$bed" other $ALL
	done
}

@test "in bubblewrap and under unshare: the same" {
	nested bubblewrap unshare
	stand bubblewrap/by-user other $ALL
	stand unshare/default root $ALL
	stand unshare/masked other no-proc outer-proc init-only bwrap-view as-bwrap-view bwrap-plain as-bwrap-plain
}

@test "in nestbox, five deep: everything stands" {
	local by

	nested nestbox
	for by in "" $([ "$NB_AS" = user ] || echo by-root-); do
		stand "nestbox/${by}level-5" root $ALL
		stand "nestbox/${by}level-5" other $ALL
	done
}
