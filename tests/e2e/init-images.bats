#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Images made from nothing, one static init and one static program, run by crun, runc and Podman: codes,
# stop, kill. Engines need root here; with NB_AS=user the user inside is 12345, without a passwd entry.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/init

# The machine's own cgroups may be a mixture of versions, which the engines refuse, so they get a view in
# which there is version 2 alone, and make none: a container is in nobody's group then.
engine() {
	timeout --foreground -s KILL "${NB_LIMIT:-60}" unshare -m --propagation private /bin/sh -c '
		umount -R /sys/fs/cgroup 2>/dev/null
		mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' - "$@"
}

crun_() {
	engine crun --root "$T/state" --cgroup-manager=disabled "$@"
}

runc_() {
	engine runc --root "$T/state" "$@"
}

# image ENGINE [INIT]: a folder for the runtimes with /probe and INIT (nestbox) at its root, read-only.
image() {
	need_root "an engine"
	need_static
	need jq
	need "$1"
	ENGINE=$1_
	# runc makes a group by this name for all to see.
	NAME=nbt-${NB_DIR##*.}-$BATS_TEST_NUMBER
	mkdir -p "$T/image/rootfs"
	cp "$NB" "$T/image/rootfs/nestbox"
	cp "$TINI_" "$T/image/rootfs/tini"
	cp "$DUMB_" "$T/image/rootfs/dumb-init"
	cp "$CATA_" "$T/image/rootfs/catatonit"
	cp "$PROBE" "$T/image/rootfs/probe"
	(cd "$T/image" && "$1" spec)
	local uid=0
	[ "$NB_AS" = root ] || uid=12345
	jq --argjson uid "$uid" '.process.terminal = false | .process.cwd = "/" | .root.readonly = true |
		.process.user = { uid: $uid, gid: $uid } | del(.linux.resources) |
		.mounts |= map(select(.destination | startswith("/sys") | not))' \
		"$T/image/config.json" >"$T/config"
}

# words WORD…: the entry point.
words() {
	jq --argjson args "$(printf '%s\n' "$@" | jq -nR '[inputs]')" '.process.args = $args' "$T/config" \
		>"$T/image/config.json"
}

# container WORD…: to its end.
container() {
	words "$@"
	run "$ENGINE" run -b "$T/image" "$NAME"
}

# up WORD…: in the background; what it says comes by await.
up() {
	words "$@"
	rm -f "$T/.out"
	mkfifo "$T/.out"
	"$ENGINE" run -b "$T/image" "$NAME" >"$T/.out" 2>"$T/err" 3>&- &
	LAUNCHER=$!
	MINE+=("$LAUNCHER")
	exec 7<"$T/.out"
}

# A container of a failed test outlives its runtime, and what the engine has to tidy up goes on after its end.
teardown() {
	local pid i

	if [ -d "$T/state" ]; then
		"$ENGINE" delete -f "$NAME" || true
	fi 2>/dev/null
	if [ -d "$T/podman" ]; then
		podman_ rm -f -t 0 -a >/dev/null || true
		for ((i = 0; i < 500; i++)); do
			pgrep -f "$T/podman" >/dev/null || break
		done
	fi
	for pid in "${MINE[@]}"; do
		end_with_children "$pid"
	done
	cd / || return
	rm -rf "$T"
}

# each_entry FUNCTION: for every way to be the entry point, its words in ENTRY.
each_entry() {
	local name

	for name in nestbox tini dumb-init catatonit; do
		under_test "$name" || continue
		! readelf -lW "$T/image/rootfs/$name" | grep -q INTERP || continue
		case $name in
		nestbox) ENTRY=(/nestbox --init-only --) ;;
		dumb-init) ENTRY=(/dumb-init) ;;
		*) ENTRY=("/$name" --) ;;
		esac
		echo "as $name"
		"$@"
	done
}

codes() {
	container "${ENTRY[@]}" /probe exit 7
	exits 7
	is ""
	container "${ENTRY[@]}" /probe exit 0
	exits 0
	container "${ENTRY[@]}" /probe die 9
	exits 137
}

second() {
	container "${ENTRY[@]}" /probe session
	says "pid 2" "ppid 1"
}

user() {
	local uid=0
	[ "$NB_AS" = root ] || uid=12345
	container "${ENTRY[@]}" /probe ids
	says "uid $uid $uid $uid" "gid $uid $uid $uid"
}

zombies() {
	container "${ENTRY[@]}" /probe orphans 500
	exits 0
	says "zombies 0" "processes 2"
}

# The runtimes' own `run` hands signals over, too; `kill` is what an engine's stop and kill do.
# runc, a Go program, hands over the SIGURG that its own runtime makes.
hears() {
	while next && [ "$line" = "got 23" ]; do :; done
	[ "$line" = "$1" ] || { echo "got: $line, wanted: $1" >&2; return 1; }
}

stopped() {
	up "${ENTRY[@]}" /probe report 15
	await ready
	"$ENGINE" kill "$NAME" USR1
	hears "got 10"
	"$ENGINE" kill "$NAME" TERM
	hears "got 15"
	finish
	[ "$status" -eq 0 ]
	up "${ENTRY[@]}" /probe hold
	await ready
	"$ENGINE" kill "$NAME" TERM
	finish
	[ "$status" -eq 143 ]
	drained
}

killed() {
	up "${ENTRY[@]}" /probe stubborn
	await ready
	"$ENGINE" kill "$NAME" KILL
	finish
	[ "$status" -eq 137 ]
	drained
}

@test "crun: exit codes, by every name" {
	image crun
	each_entry codes
}

@test "crun: the command is process 2, by every name" {
	image crun
	each_entry second
}

@test "crun: the command's user is the image's, by every name" {
	image crun
	each_entry user
}

@test "crun: zombies are reaped, by every name" {
	image crun
	each_entry zombies
}

@test "crun: signals and stop, by every name" {
	image crun
	each_entry stopped
}

@test "crun: kill, by every name" {
	image crun
	each_entry killed
}

@test "runc: exit codes, by every name" {
	image runc
	each_entry codes
}

@test "runc: zombies are reaped, by every name" {
	image runc
	each_entry zombies
}

@test "runc: signals and stop, by every name" {
	image runc
	each_entry stopped
}

@test "runc: kill, by every name" {
	image runc
	each_entry killed
}

@test "crun: a command that is not there: 127, 127, 2, 1, with a word" {
	image crun
	native
	words /nestbox --init-only -- /nope
	run -127 "$ENGINE" run -b "$T/image" "$NAME"
	matches "^nestbox: .*/nope"
	words /tini -- /nope
	run -127 "$ENGINE" run -b "$T/image" "$NAME"
	matches "exec /nope failed: No such file or directory"
	container /dumb-init /nope
	exits 2
	matches "^\[dumb-init\] /nope: No such file or directory"
	container /catatonit -- /nope
	exits 1
	matches "failed to exec pid1: No such file or directory"
}

@test "crun: --init-only with --grace: a command's heir is asked, then killed" {
	native
	image crun
	up /nestbox --init-only --grace 0.2 -- /probe heir 64 5 session
	next
	await "heir got 15"
	finish
	[ "$status" -eq 5 ]
}

@test "crun: --init-only with --rlimit and --expect" {
	native
	image crun
	container /nestbox --init-only --rlimit nofile=64:64 -- /probe limits nofile
	is "nofile 64:64"
	container /nestbox --init-only --expect 143 -- /probe die 15
	exits 0
}

@test "crun: an image that says docker-init, and one that says podman-init" {
	image crun
	mkdir "$T/image/rootfs/sbin" "$T/image/rootfs/run"
	cp "$TINI_" "$T/image/rootfs/sbin/docker-init"
	cp "$CATA_" "$T/image/rootfs/run/podman-init"
	container /sbin/docker-init -- /probe exit 7
	exits 7
	container /run/podman-init -- /probe exit 7
	exits 7
	is ""
}

@test "crun: catatonit -P is a pause container that stops with TERM" {
	image crun
	local i
	words /catatonit -P
	crun_ run -d -b "$T/image" "$NAME" </dev/null >"$T/log" 2>&1
	INIT=$(crun --root "$T/state" state "$NAME" | jq .pid)
	[ "$(children "$INIT")" = "" ]
	until_state "$INIT" S
	crun_ kill "$NAME" TERM
	gone "$INIT"
}

# ---- Podman ----

podman_() {
	local home=$T/podman

	mkdir -p "$home"
	engine env HOME="$home" XDG_RUNTIME_DIR="$home" podman --root "$home/root" --runroot "$home/run" \
		--tmpdir "$home/tmp" --storage-driver vfs --cgroup-manager cgroupfs --events-backend none "$@" 3>&-
}

# scratch: an image with /probe and nothing else.
scratch() {
	need_root "an engine"
	need_static
	need podman
	mkdir "$T/rootfs"
	cp "$PROBE" "$T/rootfs/probe"
	tar -C "$T/rootfs" -cf "$T/scratch.tar" probe
	podman_ import -q "$T/scratch.tar" scratch
	RUN=(run --cgroups=disabled --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000
		--init --init-path "$CATA_")
	[ "$NB_AS" = root ] || RUN+=(--user 12345:12345)
}

@test "podman run --init: exit codes; the command is process 2" {
	scratch
	run podman_ "${RUN[@]}" --rm scratch /probe exit 7
	exits 7
	run podman_ "${RUN[@]}" --rm scratch /probe die 9
	exits 137
	run podman_ "${RUN[@]}" --rm scratch /probe session
	says "pid 2" "ppid 1"
}

@test "podman run --init: what the engine says about it" {
	scratch
	run podman_ "${RUN[@]}" --name nbt -d scratch /probe hold
	exits 0
	run podman_ inspect nbt
	[ "$(jq -r '.[0].Path' <<<"$output")" = /run/podman-init ]
	podman_ rm -f -t 0 nbt
}

@test "podman stop: TERM ends the command, 143, before the engine's patience" {
	scratch
	run podman_ "${RUN[@]}" --name nbt -d scratch /probe hold
	exits 0
	local before=$SECONDS
	podman_ stop -t 50 nbt
	[ $((SECONDS - before)) -lt 40 ]
	[ "$(podman_ inspect nbt | jq '.[0].State.ExitCode')" = 143 ]
	podman_ rm -f nbt
}

@test "podman kill: 137; podman kill -s USR1 reaches the command" {
	scratch
	run podman_ "${RUN[@]}" --name nbt -d scratch /probe report 10
	exits 0
	# Its handler is there when the log has its word.
	local i
	for ((i = 0; i < 200; i++)); do
		[ "$(podman_ logs nbt)" != ready ] || break
	done
	podman_ kill -s USR1 nbt
	run podman_ wait nbt
	is 0
	[ "$(podman_ logs nbt)" = $'ready\ngot 10' ]
	podman_ rm -f nbt
	run podman_ "${RUN[@]}" --name nbt -d scratch /probe stubborn
	podman_ kill nbt
	run podman_ wait nbt
	is 137
	podman_ rm -f nbt
}

@test "podman run --init: zombies are reaped" {
	scratch
	run podman_ "${RUN[@]}" --rm scratch /probe orphans 500
	exits 0
	says "zombies 0" "processes 2"
}

@test "podman run with nestbox as the image's entry point" {
	need_root "an engine"
	need_static
	need podman
	native
	mkdir "$T/rootfs"
	cp "$PROBE" "$NB" "$T/rootfs/"
	tar -C "$T/rootfs" -cf "$T/scratch.tar" probe nestbox
	podman_ import -q -c 'ENTRYPOINT ["/nestbox","--init-only","--"]' "$T/scratch.tar" scratch
	run podman_ run --rm --cgroups=disabled --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 \
		--read-only scratch /probe exit 7
	exits 7
}
