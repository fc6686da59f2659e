#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What leaks: descriptors, PID 1's own files, memory and environment, the status pipe.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common

@test "descriptors 3 to 200 of the caller are not there" {
	run as_caller "$NB_BIN/starter" leak 3 200 "$NB" -x "$NB_BIN" -- "$PROBE" fds
	is "0 1 2"
}

@test "of leaked descriptors only the kept ones are there" {
	run as_caller "$NB_BIN/starter" leak 3 200 "$NB" -x "$NB_BIN" --keep-fd 77 -- "$PROBE" fds
	is "0 1 2 77"
}

@test "--chdir /proc/self/fd/N with a leaked directory does not leave the box" {
	local n
	for n in 3 5 7 8 9 10 200; do
		run as_caller "$NB_BIN/starter" leak 3 200 "$NB" -x "$NB_BIN" --chdir "/proc/self/fd/$n" -- \
			"$TRY" stat etc/passwd -- stat ../etc/passwd
		exits 125
	done
}

@test "--chdir /proc/self/cwd, root, or those of PID 1 do not leave the box" {
	cd /etc
	local d
	for d in /proc/self/cwd /proc/self/root /proc/1/cwd /proc/1/root /proc/self/cwd/.. /proc/self/fd; do
		run nb -x "$NB_BIN" --chdir "$d" -- "$TRY" stat passwd -- stat etc/passwd -- stat ../etc/passwd
		[ "$status" -eq 125 ] || exits 0
	done
}

@test "the caller's directory that is not granted is not the workload's" {
	cd /etc
	run nb -x "$NB_BIN" -- "$TRY" stat passwd -- stat /proc/self/cwd/passwd -- stat ../etc/passwd
	exits 0
}

@test "a command by /proc/self/fd/N is not a host file" {
	run -127 as_caller "$NB_BIN/starter" leak 3 200 "$NB" -x "$NB_BIN" -- /proc/self/fd/7/usr/bin/true
	exits 127
}

@test "/proc/1: environ, exe, fd, root, cwd, mem, maps, ns are closed" {
	run nb -x "$NB_BIN" -- "$TRY" read /proc/1/environ -- readlink /proc/1/exe -- open-r /proc/1/exe \
		-- open-w /proc/1/exe -- stat /proc/1/root/etc -- stat /proc/1/root/proc \
		-- readlink /proc/1/cwd -- open-r /proc/1/mem -- open-w /proc/1/mem -- open-r /proc/1/maps \
		-- readlink /proc/1/ns/mnt -- open-r /proc/1/ns/user -- readlink /proc/1/task/1/exe \
		-- read /proc/1/fdinfo/0 -- read /proc/1/stack -- read /proc/1/syscall \
		-- write /proc/1/uid_map "0 0 1" -- write /proc/1/gid_map "0 0 1" -- write /proc/1/setgroups allow
	exits 0
}

@test "the same for a caller who asks for uid 0" {
	run nb -x "$NB_BIN" --uid 0 --gid 0 -- "$TRY" read /proc/1/environ -- open-r /proc/1/exe \
		-- stat /proc/1/root/etc -- open-r /proc/1/mem -- open-r /proc/1/ns/user
	exits 0
}

@test "PID 1's descriptors cannot be opened or looked at" {
	local n words=()
	for n in {0..20} 100 200; do
		words+=(open-r "/proc/1/fd/$n" -- open-w "/proc/1/fd/$n" -- readlink "/proc/1/fd/$n" \
			-- read "/proc/1/fdinfo/$n" -- readlink "/proc/1/task/1/fd/$n" --)
	done
	unset 'words[-1]'
	run nb -x "$NB_BIN" --status-fd 8 --exit-signal-fd 9 -- "$TRY" "${words[@]}" 8>"$T/events" 9>"$T/record"
	exits 0
	run nb -x "$NB_BIN" --uid 0 --gid 0 --status-fd 8 -- "$TRY" "${words[@]}" 8>"$T/events"
	exits 0
}

@test "PID 1's environment cannot be read, not even by another way in" {
	export NBT_SECRET=nbt-secret-value
	run nb -x "$NB_BIN" -- "$PROBE" cat /proc/1/environ
	lacks NBT_SECRET
	[ "$status" -ne 0 ] || is ""
	run nb -x "$NB_BIN" -- "$PROBE" env
	lacks NBT_SECRET
}

@test "the workload's own initial memory holds none of the caller's environment" {
	export NBT_SECRET=nbt-secret-value
	run nb -x "$NB_BIN" -- "$PROBE" cat /proc/self/environ /proc/self/cmdline
	lacks NBT_SECRET nbt-secret-value
}

@test "PID 1 from outside: no environment, not dumpable" {
	need_root "reads PID 1's memory"
	export NBT_SECRET=nbt-secret-value
	start -x "$NB_BIN" -- "$PROBE" hold
	await ready
	local init
	init=$(children "$LAUNCHER" | tr -d ' ')
	[ "$(tr -d '\0' <"/proc/$init/environ" | wc -c)" -eq 0 ]
	# The files of a process that is not dumpable belong to root.
	[ "$(stat -c %u "/proc/$init/environ")" = 0 ]
}

@test "PID 1 cannot be traced, read, or robbed of a descriptor" {
	run nb -x "$NB_BIN" -- "$TRY" attach 1 -- seize 1 -- vmread 1 -- getfd 1 0 -- getfd 1 3 -- getfd 1 4 -- prlimit 1
	exits 0
}

@test "nestbox's own binary cannot be written from inside" {
	local before
	before=$(sha256sum <"$NB")
	give "$NB_BIN"
	run nb -x "$NB_BIN" -- "$TRY" open-w /proc/self/exe -- open-w /proc/1/exe -- open-w "$NB" -- truncate "$NB"
	exits 0
	run nb -w "$NB_BIN" -x "$NB_BIN" -- "$TRY" open-w /proc/1/exe -- open-w /proc/self/exe -- open-w "$NB"
	exits 0
	[ "$before" = "$(sha256sum <"$NB")" ]
}

@test "#!/proc/self/exe does not give nestbox to the workload for writing" {
	local before
	before=$(sha256sum <"$NB")
	printf '#!/proc/self/exe\n' >"$T/script"
	chmod 0755 "$T/script"
	run nb -x "$T" -- "$T/script"
	[ "$status" -ne 0 ]
	run nb -x "$T" --argv0 nestbox -- "$T/script" --help
	[ "$status" -ne 0 ]
	[ "$before" = "$(sha256sum <"$NB")" ]
}

@test "an interpreter of /proc/1/exe is refused" {
	printf '#!/proc/1/exe --version\n' >"$T/script"
	chmod 0755 "$T/script"
	run nb -x "$T" -- "$T/script"
	exits 126
}

@test "no status descriptor is visible, as a number or in /proc/self/fd" {
	run nb -x "$NB_BIN" --status-fd 8 --exit-signal-fd 9 -- "$PROBE" fds 8>"$T/events" 9>"$T/record"
	is "0 1 2"
	run nb -x "$NB_BIN" --status-fd 8 --exit-signal-fd 9 -- "$PROBE" ls /proc/self/fd 8>"$T/events" 9>"$T/record"
	# The listing itself needs one.
	is $'0\n1\n2\n3'
}

@test "a record cannot be forged: bytes into every descriptor change nothing" {
	run nb -x "$NB_BIN" --status-fd 8 --exit-signal-fd 9 -- "$PROBE" forge 8>"$T/events" 9>"$T/record"
	exits 0
	is ""
	[ ! -s "$T/record" ]
	[ "$(wc -l <"$T/events")" -eq 2 ]
	grep -q '"event":"exit","code":0' "$T/events"
}

@test "a record cannot be forged: not through /proc of the other processes" {
	run nb -x /usr -x /bin -x /lib -x /lib64 --status-fd 8 --exit-signal-fd 9 -- /bin/sh -c '
		for f in /proc/[0-9]*/fd/*; do printf "\013\000\000\000" >"$f"; done; exit 0' \
		8>"$T/events" 9>"$T/record" 2>/dev/null </dev/null
	exits 0
	[ ! -s "$T/record" ]
	[ "$(wc -l <"$T/events")" -eq 2 ]
}

@test "the exec status pipe is gone in the workload" {
	# A pipe of nestbox's would be a fourth descriptor, or one of the three.
	run nb -x /usr -x /bin -x /lib -x /lib64 -- /bin/ls -l /proc/self/fd </dev/null
	[ "$(grep -c 'pipe:' <<<"$output")" -le 2 ]
}

@test "the box's processes see only themselves in /proc" {
	run nb -x "$NB_BIN" -- "$TRY" stat "/proc/$$" -- stat "/proc/$PPID" -- stat /proc/1
	says "stat /proc/1: ok"
	run nb -x "$NB_BIN" -- "$PROBE" ls /proc
	[ "$(grep -c '^[0-9]*$' <<<"$output")" -eq 2 ]
}

@test "mountinfo inside tells nothing of the host's other mounts" {
	run nb -x "$NB_BIN" -- "$PROBE" mounts
	exits 0
	lacks '^/(sys|boot|home|run|mnt|var|usr|etc)' oldroot
	# Nothing but what was granted, and the defaults.
	[ "$(grep -cvE "^(/|/proc|/proc/.*|/dev|/dev/.*|/tmp|$NB_BIN) " <<<"$output")" -eq 0 ]
}
