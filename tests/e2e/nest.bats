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

# cells BED USER OUTCOME…: of a row; a column is box on-missing init-only, then bubblewrap and as bwrap
# in turn with the words of view, full and plain.
cells() {
	local bed=$1 user=$2

	shift 2
	matches "^$bed +$user +$(printf '%s +' "$@")"
}

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
		cells "crun/$bed" root .+ .+ stands
	done
	# What is the remedy.
	for bed in docker-unmasked podman-unmasked; do
		cells "crun/$bed" root stands stands stands stands stands stands stands
		cells "crun/$bed" other stands stands stands stands stands stands stands
	done
}

@test "in bubblewrap and under unshare: the same" {
	nested bubblewrap unshare
	cells bubblewrap/by-user other stands stands stands stands stands stands stands stands stands
	cells unshare/default root stands stands stands stands stands stands stands stands stands
	cells unshare/masked other - - stands stands stands - - stands stands
}

@test "in nestbox, five deep: everything stands" {
	local by

	nested nestbox
	for by in "" $([ "$NB_AS" = user ] || echo by-root-); do
		cells "nestbox/${by}level-5" root stands stands stands stands stands stands stands
		cells "nestbox/${by}level-5" other stands stands stands stands stands stands stands stands stands
	done
}
