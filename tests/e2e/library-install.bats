#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# libnestbox as a user of an installed tree has it: through pkg-config, from C and C++.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/common.bash

setup_file() {
	nb_setup_file
	[[ $NESTBOX == */build/musl/* ]] || return 0
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u LIBC make -s -C "$NB_TREE" install \
		DESTDIR="$NB_DIR/stage" PREFIX=/opt/nestbox
	# As if DESTDIR were the root; pkgconf(1).
	export PKG_CONFIG_PATH=$NB_DIR/stage/opt/nestbox/lib/pkgconfig
	export PKG_CONFIG_SYSROOT_DIR=$NB_DIR/stage
}

setup() {
	nb_setup
	[[ $NESTBOX == */build/musl/* ]] || skip "about the musl build"
}

# compile COMPILER… -- SOURCE: as $NB_BIN/program, with all warnings as errors.
compile() {
	local words=()

	while [ "$1" != -- ]; do words+=("$1"); shift; done
	# shellcheck disable=SC2046 # flags
	"${words[@]}" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror "$2" \
		$(pkg-config --cflags --libs nestbox) -o "$NB_BIN/program"
	chmod 0755 "$NB_BIN/program"
}

@test "examples/event-loop.c: many boxes at once, their output and their ends" {
	compile gcc -std=gnu11 -O1 -- "$NB_TREE/examples/event-loop.c"
	for i in $(seq 40); do
		echo "echo first; echo second $i >&2; printf third; exit $i"
	done >"$T/commands"
	printf '%s\n' 'kill -KILL $$' 'ls /home' >>"$T/commands"
	for most in 1 4 64; do
		run as_caller "$NB_BIN/program" "$most" <"$T/commands"
		exits 0
		for i in $(seq 40); do
			says "$i: first" "$i: second $i" "$i: third" "$i exited with $i"
		done
		says "41 was ended by signal 9" "42 exited with 2"
		matches '^42: ls: cannot access .*No such file'
	done
}

@test "examples/event-loop.c: a command that takes too long, and one that prints without end" {
	sed 's/plan, 10000/plan, 400/' "$NB_TREE/examples/event-loop.c" >"$T/event-loop.c"
	compile gcc -std=gnu11 -O1 -- "$T/event-loop.c"
	run as_caller "$NB_BIN/program" 3 < <(printf '%s\n' 'exec cat </dev/zero >/dev/null' 'exec yes' 'echo here')
	exits 0
	says "3: here" "3 exited with 0" "1 took too long" "2 took too long"
}

@test "a C++ program compiles, links and runs" {
	for standard in c++11 c++17 c++20; do
		compile g++ "-std=$standard" -- "$NB_TREE/tests/library/plus.cpp"
		run as_caller "$NB_BIN/program" /usr/bin/echo hello
		is "$(printf 'output: hello\nend: 1, 0')"
		run as_caller "$NB_BIN/program" sh -c 'exit 3'
		is "output: end: 1, 3"
	done
}

@test "the header is strict C11, C99 and C++11 by itself" {
	local header=$NB_DIR/stage/opt/nestbox/include/nestbox.h

	for standard in c99 c11 gnu17; do
		gcc "-std=$standard" -Wall -Wextra -Wpedantic -Wstrict-prototypes -Wconversion -Wundef \
			-Werror -fsyntax-only -x c "$header"
	done
	for standard in c++11 c++20; do
		g++ "-std=$standard" -Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only -x c++ "$header"
	done
}

@test "a call that ends its words without a NULL is a warning" {
	printf '#include <nestbox.h>\nint f(struct nestbox_plan *p);\nint f(struct nestbox_plan *p)\n{\n\treturn nestbox_plan_option(p, "net");\n}\n' >"$T/f.c"
	# shellcheck disable=SC2046 # flags
	run gcc -Wformat -c -o /dev/null $(pkg-config --cflags nestbox) "$T/f.c"
	matches 'sentinel'
}

@test "the program of the README's section on C does what it says" {
	awk '/^## From C/ { on = 1 } on && /^```c$/ { code = 1; next } /^```$/ { code = 0 } code' \
		"$NB_TREE/README.md" >"$T/count.c"
	[ -s "$T/count.c" ]
	compile gcc -std=gnu11 -- "$T/count.c"
	run --separate-stderr as_caller "$NB_BIN/program"
	exits 0
	is "3 lines, exit status 0"
}

@test "a shared object may carry the archive" {
	printf '#include <nestbox.h>\nconst char *f(void);\nconst char *f(void)\n{\n\tnestbox_free(0);\n\treturn nestbox_version();\n}\n' >"$T/f.c"
	# shellcheck disable=SC2046 # flags
	gcc -shared -fPIC -o "$T/libf.so" "$T/f.c" $(pkg-config --cflags --libs nestbox) -Wl,-z,defs
}

@test "every function of the header is in nestbox.3, and the other way round" {
	mapfile -t names < <(grep -o '\bnestbox_[a-z0-9_]*(' "$NB_TREE/init/nestbox.h" | tr -d '(' | sort -u)
	[ "${#names[@]}" -gt 30 ]
	for name in "${names[@]}"; do
		grep -q "^\.Fo\? *$name\b\|^\.Fn \"\?.*\b$name\b" "$NB_TREE/nestbox.3" || { echo "$name is missing" >&2; return 1; }
		nm -g "$NB_DIR/stage/opt/nestbox/lib/libnestbox.a" | grep -q " T $name$"
	done
	[ "$(nm -g --defined-only "$NB_DIR/stage/opt/nestbox/lib/libnestbox.a" | grep -c ' T ')" -eq "${#names[@]}" ]
}
