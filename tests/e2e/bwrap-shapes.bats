#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: odd things that clients do, and whole command lines of real ones.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

setup() {
	bw_setup
	mkdir "$T/proj"
	echo text >"$T/proj/file"
	give "$T"
}

# ---- paths ----

@test "relative destinations are the root's: --dev-bind /dev dev" {
	run mini --dev-bind /dev dev -- "$TRY" write /dev/null x
	says "write /dev/null x: ok"
	run mini --tmpfs a/b --dir c --symlink x d -- "$TRY" put /a/b/f -- stat /c -- lstat /d
	says "put /a/b/f: ok" "stat /c: ok" "lstat /d: ok"
}

@test "relative sources are the caller's directory's: --ro-bind x.png x.png" {
	cd "$T/proj"
	run mini --ro-bind file file --ro-bind ../proj/file up --ro-bind . here -- "$PROBE" cat /file /up /here/file
	is $'text\ntext\ntext'
}

@test "doubled and trailing slashes" {
	run mini --ro-bind "$T//proj///" //a///b// --tmpfs //t// --dir /d//e/ --remount-ro //t/ -- "$TRY" stat /a/b/file -- put /t/x \
		-- stat /d/e
	says "stat /a/b/file: ok" "put /t/x: EROFS" "stat /d/e: ok"
}

@test ". in a destination" {
	run mini --dir /./a/./b --ro-bind "$T/proj" /./a/./b/. -- "$TRY" stat /a/b/file
	says "stat /a/b/file: ok"
}

@test ".. in a destination never leaves the box" {
	run mini --dir "/a/../../../../nbt-out.$$" --tmpfs "/a/../../../../$T/out" -- "$PROBE" exit 3
	[ "$status" -eq 1 ] || exits 3
	[ ! -e "/nbt-out.$$" ] && [ ! -e "$T/out" ]
}

@test "--tmpfs /: everything before it is covered" {
	run mini --dir /old --tmpfs / --ro-bind "$NB_BIN" /bin --dir /new -- /bin/probe ls /
	is $'bin\nnew'
	run mini --tmpfs / --ro-bind "$NB_BIN" /bin -- /bin/try put /x
	says "put /x: ok"
}

@test "--perms and --size of --tmpfs /" {
	run bw --perms 0711 --size 1048576 --tmpfs / --ro-bind "$NB_BIN" /bin --proc /proc -- /bin/probe stat /
	matches "^040711 "
}

# a_root: a directory that has what is needed to be a root.
a_root() {
	mkdir -p "$T/root/bin" "$T/root/proc" "$T/root/dev" "$T/root/tmp"
	cp "$PROBE" "$TRY" "$T/root/bin/"
	give "$T/root"
}

@test "--bind ROOT /" {
	a_root
	run bw --bind "$T/root" / --proc /proc --dev /dev -- /bin/try put /made -- stat /proc/self -- write /dev/null x -- lstat /etc
	says "put /made: ok" "stat /proc/self: ok" "write /dev/null x: ok" "lstat /etc: ENOENT"
	[ "$(cat "$T/root/made")" = put ]
}

@test "--ro-bind ROOT /" {
	a_root
	run bw --ro-bind "$T/root" / --proc /proc --dev /dev --tmpfs /tmp -- /bin/try put /made -- put /tmp/made
	says "put /made: EROFS" "put /tmp/made: ok"
	rmdir "$T/root/dev"
	run --separate-stderr bw --ro-bind "$T/root" / --dev /dev -- /bin/probe exit 0
	dead "Read-only file system$"
}

@test "--bind / /: all that the caller sees" {
	run bw --bind / / -- "$TRY" put "$T/proj/new" -- stat /etc/passwd
	says "put $T/proj/new: ok" "stat /etc/passwd: ok"
	run bw --ro-bind / / -- "$TRY" put "$T/proj/new" -- stat /etc/passwd
	says "put $T/proj/new: EROFS" "stat /etc/passwd: ok"
}

@test "--ro-bind / / and a writable place in it" {
	run bw --ro-bind / / --bind "$T/proj" "$T/proj" -- "$TRY" put "$T/proj/new" -- put "$T/new"
	says "put $T/proj/new: ok" "put $T/new: EROFS"
}

@test "--ro-bind / / and a read-only place in a writable one" {
	mkdir "$T/proj/.git"
	echo keep >"$T/proj/.git/config"
	give "$T/proj"
	run bw --ro-bind / / --bind "$T/proj" "$T/proj" --ro-bind "$T/proj/.git" "$T/proj/.git" -- "$TRY" put "$T/proj/.git/config" \
		-- put "$T/proj/new" -- rename "$T/proj/.git" "$T/proj/moved"
	says "put $T/proj/.git/config: EROFS" "put $T/proj/new: ok" "rename $T/proj/.git $T/proj/moved: EBUSY"
}

@test "--perms 000 --tmpfs X --remount-ro X: a place that is shut" {
	mkdir "$T/secret"
	echo secret >"$T/secret/file"
	run bw --ro-bind / / --perms 000 --tmpfs "$T/secret" --remount-ro "$T/secret" -- "$TRY" read "$T/secret/file" \
		-- put "$T/secret/new"
	[ "$status" -eq 0 ]
	run bw --ro-bind / / --perms 000 --tmpfs "$T/secret" --remount-ro "$T/secret" -- "$PROBE" stat "$T/secret"
	matches "^040000 "
}

@test "--ro-bind /dev/null FILE: what was there cannot be read" {
	run bw --bind / / --ro-bind /dev/null "$T/proj/file" -- "$TRY" read "$T/proj/file" -- put "$T/proj/file"
	[ "$status" -eq 0 ]
	[ "$(cat "$T/proj/file")" = text ]
}

@test "--ro-bind /dev/null FILE: one that is missing below a writable bind appears on the host, empty" {
	run bw --ro-bind / / --bind "$T/proj" "$T/proj" --ro-bind /dev/null "$T/proj/.gitconfig" --dev /dev -- "$TRY" \
		put "$T/proj/.gitconfig" -- unlink "$T/proj/.gitconfig"
	[ "$status" -eq 0 ]
	[ -f "$T/proj/.gitconfig" ] && [ ! -s "$T/proj/.gitconfig" ]
}

@test "--bind SOCKET SOCKET: onto itself, and where nothing is" {
	launch "$NB_BIN/starter" unix "$T/socket"
	await ready
	run bw --ro-bind / / --bind "$T/socket" "$T/socket" --unshare-net -- "$TRY" unix "$T/socket"
	says "unix $T/socket: ok"
	run mini --bind "$T/socket" /run/socket --unshare-net -- "$TRY" unix /run/socket
	says "unix /run/socket: ok"
	run mini --ro-bind "$T/socket" /run/socket --unshare-all -- "$TRY" unix /run/socket
	says "unix /run/socket: ok"
}

@test "a bind of a FIFO" {
	mkfifo "$T/fifo"
	give "$T/fifo"
	run mini --bind "$T/fifo" /fifo -- "$PROBE" stat /fifo
	matches "^010"
}

@test "a file bound onto itself, onto a device, and the same place again and again" {
	run bw --bind / / --bind "$T/proj/file" "$T/proj/file" --bind "$T/proj/file" "$T/proj/file" -- "$PROBE" cat "$T/proj/file"
	is text
	run bw --dev-bind / / --bind "$T/proj/file" /dev/null -- "$PROBE" cat /dev/null
	is text
}

@test "/tmp elsewhere, and something else onto /tmp" {
	echo hello >"$T/proj/hello"
	run bw --ro-bind / / --bind "$T/proj" /tmp --ro-bind "$NB_BIN" /mnt -- /mnt/probe cat /tmp/hello
	is hello
	run bw --ro-bind / / --bind "$T/proj" /tmp --ro-bind "$NB_BIN" /mnt -- /mnt/try lstat /tmp/oldroot -- lstat /tmp/newroot
	exits 0
	run bw --ro-bind / / --ro-bind /tmp /mnt -- /bin/cat "/mnt/${T#/tmp/}/proj/hello"
	is hello
}

@test "a long path" {
	local deep=/deep i
	for i in {1..60}; do deep+=/a-directory-with-a-rather-long-name-$i; done
	run mini --dir "$deep" --ro-bind "$T/proj" "$deep/x" -- "$TRY" stat "$deep/x/file"
	says "stat $deep/x/file: ok"
}

# ---- whole command lines ----

@test "sandbox-runtime" {
	launch "$NB_BIN/starter" unix "$T/proxy.sock"
	await ready
	mkdir "$T/secret"
	echo secret >"$T/secret/key"
	export NBT_TOKEN=token
	run bw --new-session --die-with-parent --unshare-net --bind "$T/proxy.sock" "$T/proxy.sock" --setenv HTTP_PROXY http://localhost:3128 \
		--setenv SANDBOX_RUNTIME 1 --ro-bind / / --bind "$T/proj" "$T/proj" --tmpfs "$T/secret" \
		--ro-bind /dev/null "$T/proj/.gitconfig" --dev /dev --unshare-pid --unshare-user --cap-drop ALL --proc /proc \
		--unsetenv NBT_TOKEN --disable-userns -- /usr/bin/bash -c '
			echo "proxy $HTTP_PROXY token ${NBT_TOKEN-none} pid $$"
			ls -A "$1/secret" | wc -l
			echo new >"$1/proj/new" && echo written
			echo new >"$1/new" || echo refused
			"$2" unix "$1/proxy.sock" || true
			unshare -U true 2>/dev/null || echo no more
			grep CapEff /proc/self/status' - "$T" "$TRY"
	says "proxy http://localhost:3128 token none pid 2" 0 written refused "unix $T/proxy.sock: ok" "no more" \
		$'CapEff:\t0000000000000000'
	[ "$(cat "$T/proj/new")" = new ]
	[ ! -e "$T/new" ]
}

@test "codex" {
	newer 0.9
	mkdir "$T/denied"
	echo secret >"$T/denied/key"
	cd "$T/proj"
	run bw --as-pid-1 --new-session --die-with-parent --ro-bind / / --dev /dev --perms 000 --tmpfs "$T/denied" \
		--remount-ro "$T/denied" --bind "$T/proj" "$T/proj" --unshare-user --unshare-pid --unshare-ipc --unshare-net \
		--proc /proc --cap-drop ALL --argv0 codex-linux-sandbox -- /bin/bash -c '
			echo "$0 $$ $PWD"
			echo new >new && echo written
			cat ../denied/key 2>/dev/null || echo denied
			echo x >../denied/new || echo refused'
	says written denied refused
	matches "^.* 1 $T/proj$"
}

@test "codex: the program is itself, by --argv0" {
	newer 0.9
	run bw --as-pid-1 --unshare-user --unshare-pid --ro-bind / / --argv0 bwrap -- "$NB_BIN/nestbox" --version
	matches "^bubblewrap "
}

@test "flatpak run" {
	newer --ro-bind-fd
	mkdir -p "$T/runtime" "$T/var"
	touch "$T/runtime/.ref"
	cp "$PROBE" "$TRY" "$T/runtime/"
	echo 'user:x:1:1::/:/bin/sh' >"$T/passwd"
	printf '[Application]\nname=x\n' >"$T/flatpak-info"
	"$HAND" bpf 87 chdir >"$T/bpf"
	give "$T"
	exec 20<"$T/runtime" 21<"$T/passwd" 22<"$T/bpf" 23<"$T/flatpak-info" 24>"$T/info" 25>"$T/sync"
	words --unshare-user --ro-bind-fd 20 /usr --lock-file /usr/.ref --tmpfs /tmp --proc /proc --dev /dev --unshare-pid \
		--unshare-ipc --unshare-net --die-with-parent --perms 0700 --dir /run/user/1000 --dir /run/flatpak \
		--ro-bind-data 21 /etc/passwd --symlink ../run /var/run --symlink usr/lib /lib --bind "$T/var" /var/data \
		--seccomp 22 --perms 0600 --file 23 /.flatpak-info --info-fd 24 --sync-fd 25 --dir /app --remount-ro /usr \
		--setenv XDG_RUNTIME_DIR /run/user/1000 --unsetenv HOME --chdir / >"$T/args"
	exec 26<"$T/args"
	run as_caller "$HAND" only 20,21,22,23,24,25,26 "$BW" --args 26 -- /usr/try read /.flatpak-info -- read /etc/passwd -- put /etc/passwd \
		-- put /usr/x -- put /var/data/x -- put /run/user/1000/x -- stat /var/run/flatpak -- chdir /
	exec 20<&- 21<&- 22<&- 23<&- 24>&- 25>&- 26<&-
	says "read /.flatpak-info: ok" "read /etc/passwd: ok" "put /etc/passwd: EROFS" "put /usr/x: EROFS" "put /var/data/x: ok" \
		"put /run/user/1000/x: ok" "stat /var/run/flatpak: ok" "chdir /: EUSERS"
	grep -q '"child-pid": [0-9]' "$T/info"
}

@test "opam" {
	mkdir "$T/build"
	give "$T/build"
	cd "$T/build"
	local dir opts=()
	for dir in bin lib lib64 sbin; do
		if [ -L "/$dir" ]; then opts+=(--symlink "/usr/$dir" "/$dir"); else opts+=(--ro-bind-try "/$dir" "/$dir"); fi
	done
	run bw --unshare-net --new-session --die-with-parent --proc /proc --dev /dev --setenv TMPDIR /opam-tmp --setenv TMP /opam-tmp \
		--tmpfs /opam-tmp --tmpfs /run --ro-bind /usr /usr "${opts[@]}" --ro-bind-try /opt /opt --ro-bind-try /none /none \
		--bind "$T/build" "$T/build" sh -c 'echo out >result && cat result; echo x >"$TMPDIR/x" && ls "$TMPDIR"; pwd; ls -A /run | wc -l'
	is "$(printf '%s\n' out x "$T/build" 0)"
	[ "$(cat "$T/build/result")" = out ]
}

@test "WebKit and thumbnailers: an empty environment that comes back, data, a filter" {
	"$HAND" bpf 87 chdir >"$T/bpf"
	exec 20<"$T/bpf"
	run as_caller env -i "$BW" --unshare-all --die-with-parent --clearenv --setenv PATH /usr/bin --setenv EMPTY "" --setenv HOME /tmp \
		--ro-bind "$NB_BIN" /usr/bin --proc /proc --tmpfs /tmp --tmpfs /run --chdir / --seccomp 20 -- probe env
	exec 20<&-
	is $'PATH=/usr/bin\nEMPTY=\nHOME=/tmp\nPWD=/'
}

@test "BuildStream: --bind ROOT / with --dev-bind and another identity" {
	a_root
	run bw --die-with-parent --unshare-pid --bind "$T/root" / --dev-bind /dev/null /dev/null --unshare-user --uid 0 --gid 0 --proc /proc \
		--clearenv --setenv LC_ALL C --chdir / -- /bin/probe ids
	says "uid 0 0 0" "gid 0 0 0"
}

@test "ansible-runner and mat2: --ro-bind of many, /proc, /dev, cwd" {
	cd "$T/proj"
	run bw --ro-bind /usr /usr --ro-bind /bin /bin --ro-bind /lib /lib --ro-bind-try /lib64 /lib64 --ro-bind-try /etc/ld.so.cache /etc/ld.so.cache \
		--ro-bind-try /etc/alternatives /etc/alternatives --dev /dev --proc /proc --unshare-all --new-session \
		--ro-bind file file --bind "$T/proj" "$T/proj" --chdir "$T/proj" -- cat file /file
	is $'text\ntext'
}
