#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The same work on a plain directory and on every backend of --cow: the same output, the same tree as seen from
# inside, a list of changes that is the difference, nothing changed if it is discarded, and the plain result if it
# is committed.
#
# On overlayfs in a user namespace these are otherwise, by the kernel's design, and `steps … overlay` leaves them out:
#   - renaming a directory that the lower layer has: EXDEV, and mv(1) copies (no redirects with "userxattr");
#   - a descriptor that was opened to read goes on with the old file after the first change;
#   - the new name of a file that was there before may be another inode, of which the mode is not kept up to date;
#   - a FIFO that was there before keeps its times;
#   - the numbers of links, inodes and devices of directories.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

NB_LIMIT=240

setup_file() {
	nb_setup_file
	cp "$NB_HELPERS/../cow/"{manifest,steps} "$NB_TREE/tests/cow/jobs.bash" "$NB_DIR/bin/"
	chmod 0755 "$NB_DIR/bin/"*
}

setup() {
	nb_setup
	mkdir -p "$T/start" "$T/state" "$T/d" "$T/tmp"
	give "$T"
	export XDG_STATE_HOME=$T/state TMPDIR=$T/tmp
	SYSTEM=(-x /usr -r /etc -x "$NB_BIN" -e HOME -e TMPDIR -w "$T/tmp" -x "$T/tmp")
	for dir in /bin /lib /lib64 /var/lib/dpkg; do
		[ ! -e "$dir" ] || SYSTEM+=(-x "$dir")
	done
	since=$(date +%s)
	base=() without=() mounted=
}

# A manifest of $T/d; of what only this test looks at with root's eyes, since modes may be anything.
list() {
	"$NB_BIN/manifest" "$T/d" "$since"
}

picture() {
	find "$T/d" -printf '%P %y %m %s %U %G %T@ %C@ %n %l\n' | LC_ALL=C sort
	list
}

# again: the start, as it was.
again() {
	rm -rf "$T/d"
	cp -a "$T/start" "$T/d"
}

# work WHERE… -- COMMAND…: in $T/d; its output, its status and the tree that it leaves in $T/out.
work() {
	local words=()

	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	status=0
	as_caller "${without[@]}" "$NB" "${SYSTEM[@]}" "${words[@]}" --chdir "$T/d" -- /bin/bash -c '
		"$@" 2>&1
		echo "status $?"
		'"$NB_BIN/manifest $T/d $since" - "$@" >"$T/out" 2>"$T/err" || status=$?
	[ "$status" -eq 0 ] || { cat "$T/err" >&2; return 1; }
	[ -z "$mounted" ] || sed -E -i '/^[0-9]+ (rename|link) /s/ = -(1|13|16|18|22)$/ = not/' "$T/out"
}

# same NAME WANTED GOT: two files.
same() {
	diff -u "$2" "$3" >"$T/difference" || {
		echo "$1: not the same" >&2
		head -n 40 "$T/difference" >&2
		return 1
	}
}

# report START RESULT: what --dry-run has to say, from two manifests.
report() {
	awk '
		FNR == 1 { file++ }
		{ path = $1 }
		file == 1 { type[path] = $2; was[path] = $0; content[path] = $NF " " $5; rest[path] = $3 " " $4 " " ($2 == "d" ? "" : $6) " " $8; next }
		{
			now[path] = 1
			slash = $2 == "d" ? "/" : ""
			if (!(path in type)) print "A  " path slash
			else if (type[path] != $2) print "T  " path slash
			else if ($2 != "d" && content[path] != $NF " " $5) print "M  " path
			else if (rest[path] != $3 " " $4 " " ($2 == "d" ? "" : $6) " " $8) print "P  " path slash
		}
		END {
			for (path in type) {
				if (path in now) continue
				above = path
				gone = 0
				while (sub("/[^/]*$", "", above)) if (!(above in now) || gone_type(above)) gone = 1
				if (!gone) print "D  " path (type[path] == "d" ? "/" : "")
			}
		}
		function gone_type(above) { return 0 }
	' "$1" "$2" | LC_ALL=C sort -k2
}

# compare BACKEND COMMAND…: against what is in $T/plain.*; within $quota bytes, if there is one.
compare() {
	local backend=$1 options=(--cow-backend "$1" ${quota:+--cow-quota "$quota"}) without=()

	shift
	if [ "$backend" = fallback ]; then
		options=(--fallback --quiet)
		without=("$NB_BIN/deny" "$NAMESPACES" EPERM --)
	fi
	again
	picture >"$T/before"
	work --cow "$T/d" "${options[@]}" --dry-run -- "$@"
	same "$backend, inside" "$T/plain.out" "$T/out"
	picture >"$T/after"
	same "$backend, discarded" "$T/before" "$T/after"
	if [ -z "${no_report:-}" ]; then
		report "$T/start.list" "$T/plain.list" >"$T/report"
		# Its times are not in the lists.
		sed '1d; /^P  fifo$/d' "$T/err" | sed 's/ /\\040/g; s/\\040/ /1; s/\\040/ /1' | LC_ALL=C sort -k2 >"$T/reported"
		same "$backend, report" "$T/report" "$T/reported"
	fi
	work --cow "$T/d" "${options[@]}" -- "$@"
	same "$backend, inside again" "$T/plain.out" "$T/out"
	list >"$T/list"
	same "$backend, committed" "$T/plain.list" "$T/list"
	[ -z "$(ls "$T/state/nestbox")" ]
}

# plain COMMAND…
plain() {
	again
	list >"$T/start.list"
	work "${base[@]}" -w "$T/d" -x "$T/d" -- "$@"
	cp "$T/out" "$T/plain.out"
	list >"$T/plain.list"
}

# All namespaces, by the calls' numbers.
NEW=$((0x7e020000))
NAMESPACES=56\&$NEW,272\&$NEW,435

backends() {
	"$NB" --help | sed -n 's/.*--cow-backend \(auto|\)\?\([a-z|]*\).*/\2/p' | tr '|' ' '
	[ "$(uname -m)" != x86_64 ] || echo fallback
}

# job NAME [BACKEND]: real work.
job() {
	(
		cd "$T/start"
		# shellcheck source=jobs.bash
		. "$NB_BIN/jobs.bash"
		umask 022
		"start_$1"
	)
	find "$T/start" -exec touch -h -d @1450000000.5 {} +
	give "$T/start"
	plain /bin/bash -c ". $NB_BIN/jobs.bash; job_$1"
	grep -q '^status 0' "$T/plain.out" || { head -n 30 "$T/plain.out" >&2; return 1; }
	for backend in ${2:-${NB_BACKENDS:-$(backends)}}; do
		compare "$backend" /bin/bash -c ". $NB_BIN/jobs.bash; job_$1"
	done
}

@test "git: clone, rebase, gc" { job git; }
@test "tar of thousands of files" { job tar; }
@test "make, twice" { job make; }
@test "a package unpacked by Python" { job unpack; }
@test "sqlite with a write-ahead log" { job sqlite; }
@test "dpkg-deb -x" { job dpkg; }
@test "rsync -aHX" { job rsync; }
@test "find, sort, grep, sed -i" { job pipeline; }
@test "files and directories moved, copied, linked" { job files; }
@test "directories moved while they are in use" { job directories notify; }
@test "programs made and run" { job programs; }
@test "sockets" { job sockets "overlay notify"; }

# random SEED BACKEND [overlay]
random() {
	local seed=$1 backend=$2

	shift 2
	[ -z "$(ls -A "$T/start")" ] || { chmod -R u+rwx "$T/start"; rm -rf "$T/start"; mkdir "$T/start"; give "$T/start"; }
	# In a box, too: links lead to the host's files, and the caller may be root.
	as_caller "$NB" "${SYSTEM[@]}" -w "$T/start" -x "$T/start" --chdir "$T/start" -- \
		"$NB_BIN/steps" "$((seed + 1000))" 3000 overlay >/dev/null
	find "$T/start" ! -type d -links +1 -delete
	find "$T/start" -type d -exec chmod u+rwx {} +
	# What may not be read cannot be copied, unless by overlayfs in the name of the box's root.
	find "$T/start" -type f -exec chmod u+r {} +
	find "$T/start" -exec touch -h -d @1250000000.25 {} +
	no_report=1
	# In a box the directories above are others.
	if [ "$backend" = fallback ]; then
		# Nothing moves out of the directory, nor does itself, as if it were mounted.
		mounted=yes
		base=(--fallback --quiet)
		without=("$NB_BIN/deny" "$NAMESPACES" EPERM --)
	fi
	plain "$NB_BIN/steps" "$seed" "${COW_STEPS:-20000}" "$@"
	compare "$backend" "$NB_BIN/steps" "$seed" "${COW_STEPS:-20000}" "$@"
}

@test "random steps on overlayfs" {
	for seed in ${COW_SEEDS:-1 2}; do
		echo "seed $seed"
		random "$seed" overlay overlay
	done
}

@test "random steps by notification" {
	for seed in ${COW_SEEDS:-1 2}; do
		echo "seed $seed"
		random "$seed" notify
	done
}

@test "files and directories, in memory" {
	quota=$((1 << 30))
	job files
}

@test "random steps, in memory" {
	quota=$((1 << 30))
	random 3 overlay overlay
	random 4 notify
}

# full SEED BACKEND: what there was room for is what is committed.
full() {
	again
	work --cow "$T/d" --cow-backend "$2" --cow-quota 65536 -- "$NB_BIN/steps" "$1" 5000 overlay
	grep -q ' = -28$' "$T/out" # ENOSPC
	sed '0,/^status/d' "$T/out" >"$T/inside"
	[ "$(wc -l <"$T/inside")" -gt 20 ]
	work -w "$T/d" -x "$T/d" -- true
	sed '0,/^status/d' "$T/out" >"$T/list"
	same "$2, committed" "$T/inside" "$T/list"
	[ -z "$(ls "$T/state/nestbox")" ]
}

@test "random steps where there is no room" {
	for seed in 5 6; do
		full $seed overlay
		full $seed notify
	done
}

@test "random steps without a box" {
	need_plain_caller
	[ "$(uname -m)" = x86_64 ] || skip "the numbers of the calls are written down for x86-64"
	for seed in ${COW_SEEDS:-5 6}; do
		echo "seed $seed"
		random "$seed" fallback
	done
}
