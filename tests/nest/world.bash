# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # variables of run
#
# What the beds stand in: a view of the machine in which their programs are there, and an image.

make_world() {
    started_by=$(id -u)
    if [ "$started_by" = 0 ]; then
        started_by=$caller
        # What engines leave in /run is gone with it.
        mount -t tmpfs -o mode=755 nest /run && place=/run/nest && mkdir "$place" || return 1
        lay_packages || return 1
        umount -R /sys/fs/cgroup 2>/dev/null
        mount -t cgroup2 cgroup2 /sys/fs/cgroup || return 1
        PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
    else
        place=$(mktemp -d /tmp/nest.XXXXXX) || return 1
        trap 'rm -rf "$place"' EXIT
    fi
    make_image
}

# The packages that tests/nest/deps unpacked, and a user with subordinate ids, over the machine's own. What is
# written to /etc is gone with it.
lay_packages() {
    local etc=$place/etc packages=$tree/build/nest/packages file layers

    mkdir "$etc" "$place/work" || return 1
    for file in passwd group subuid subgid; do
        [ ! -e "/etc/$file" ] || cp "/etc/$file" "$etc/"
    done
    echo "nest:x:$caller:$caller::$place:/bin/sh" >>"$etc/passwd"
    echo "nest:x:$caller:" >>"$etc/group"
    printf '%s\n' nest:1000000:65536 root:300000:65536 | tee -a "$etc/subuid" >>"$etc/subgid"
    layers=/etc
    [ ! -d "$packages/etc" ] || layers=$packages/etc:/etc
    mount -t overlay -o "lowerdir=$layers,upperdir=$etc,workdir=$place/work" nest /etc || return 1
    # Debian's has that switched off.
    [ ! -e /etc/firejail/firejail.config ] || echo "chroot yes" >>/etc/firejail/firejail.config
    [ ! -d "$packages/usr" ] || mount -t overlay -o "ro,lowerdir=$packages/usr:/usr" nest /usr
}

# A root directory with the programs under test, and a file that no box may see.
make_image() {
    local file

    image=$place/image
    mkdir "$image" || return 1
    (cd "$image" && mkdir bin lib lib64 etc work proc dev sys tmp run home usr root sbin var opt mnt) &&
        mkdir -m 1777 "$image/var/tmp" && mkdir "$image/var/log" "$image/var/lib" "$image/var/run" || return 1
    chmod 0777 "$image/work"
    chmod 1777 "$image/tmp"
    for file in bash setpriv bwrap timeout unshare umount; do
        file=$(command -v "$file") || continue
        cp -L "$file" "$image/bin/"
        take_libraries "$image" "$file"
    done
    ln -s bash "$image/bin/sh"
    cp "$NESTBOX" "$image/bin/nestbox"
    cp "$NB_HELPERS"/{probe,walls,deny} "$here/cells" "$here/inside" "$image/bin/"
    echo 'the password' >"$image/etc/secret"
    echo 'root:x:0:0::/root:/bin/sh' >"$image/etc/passwd"
    echo 'root:x:0:' >"$image/etc/group"
    chmod -R go+rX "$image"
}

# take_libraries ROOT PROGRAM…: what they are linked with, at the same paths in ROOT.
take_libraries() {
    local root=$1

    ldd "${@:2}" 2>/dev/null | grep -o '/lib[^ ]*[^ :]' | sort -u | xargs cp -Ln --parents -t "$root"
}

# copy: a new root directory.
copy() {
    rootfs=$(mktemp -d "$place/rootfs.XXXXXX")
    chmod 0755 "$rootfs"
    cp -a "$image/." "$rootfs/"
    chmod 0777 "$rootfs/work"
}

# as UID COMMAND…: as that user out here.
as() {
    local uid=$1

    shift
    if [ "$uid" = "$(id -u)" ]; then
        "$@"
    else
        setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
    fi
}

# skipped TEXT: of the bed.
skipped() {
    printf '%s\t-\t-\tskipped: %s\n' "$bed" "$1" >>"$found"
}

# try_bed BED [/KIND]: a line for each cell: bed/kind, user, cell, outcome.
try_bed() {
    local bed=$1 only=${2#/} kind user program needs kinds rootless
    unset -f enter up down

    needs=() kinds=(default) rootless=
    # shellcheck disable=SC1090
    . "$here/beds/$bed.bash" || return
    for program in "${needs[@]}"; do
        command -v "$program" >/dev/null || { skipped "$program is not installed"; return; }
    done
    [ "$(id -u)" = 0 ] || [ -n "$rootless" ] || { skipped "only root can start it"; return; }
    ! declare -F up >/dev/null || up || { skipped "it does not start"; return; }
    for kind in "${kinds[@]}"; do
        [ -z "$only" ] || [ "$only" = "$kind" ] || continue
        for user in 0 "$other"; do
            try_cells
        done
    done
    ! declare -F down >/dev/null || down
}

try_cells() {
    local name status out err word=root

    [ "$user" = 0 ] || word=other
    copy
    (enter "$kind" "$user" /bin/cells) >"$place/out" 2>"$place/err" </dev/null
    status=$?
    if ! grep -q $'\t' "$place/out"; then
        printf '%s\t%s\tstart\tfails\n' "$bed/$kind" "$word" >>"$found"
        echo "nest: $bed/$kind $word does not start ($status): $(tail -n 3 "$place/err")"
    fi
    while IFS= read -r line; do
        name=${line%%$'\t'*} line=${line#*$'\t'}
        status=${line%%$'\t'*} line=${line#*$'\t'}
        out=${line%%$'\t'*} err=${line#*$'\t'}
        printf '%s\t%s\t%s\t%s\n' "$bed/$kind" "$word" "$name" "$(outcome)" >>"$found"
    done <"$place/out"
    rm -rf "$rootfs"
}

outcome() {
    # The numbers of namespaces are others every time.
    out=${out//:\[[0-9]*\]/}
    if [ "$name" = check ]; then
        echo "says $status${err:+ $err}"
    elif [ -n "$out" ] && [ "$name" = on-missing ]; then
        echo "partly $status $out $err"
    elif [ -n "$out" ]; then
        echo "OPEN $status $out $err"
    elif [ "$status" = 77 ]; then
        echo "stands${err:+ $err}"
    else
        echo "$status $err"
    fi
}
