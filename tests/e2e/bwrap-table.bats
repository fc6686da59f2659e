#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bwrap: every option has a test, and every test's option is there. The list is bwrap.list.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # variables shared with common.bash and run
load ../lib/bwrap

setup() {
	bw_setup
	grep -v '^#' "$NB_TREE/tests/e2e/bwrap.list" >"$T/list"
	cut -d ' ' -f 1 "$T/list" | sort >"$T/listed"
	bw --help | sed -nE 's/^ +(--[a-z0-9-]+).*/\1/p' | sort >"$T/offered"
	[ "$(wc -l <"$T/offered")" -gt 50 ]
}

@test "every option of --help is on the list of tests" {
	run comm -13 "$T/listed" "$T/offered"
	is ""
}

@test "every option on the list is in --help, once" {
	local option version missing=""
	while read -r option version _; do
		[ -z "${BWRAP:-}" ] || ! older_than "$version" || continue
		[ "$(grep -cxF -- "$option" "$T/offered")" -eq 1 ] || missing+=" $option"
	done <"$T/list"
	[ -z "$missing" ] || { echo "not in --help:$missing" >&2; return 1; }
}

@test "no option is twice on the list" {
	run uniq -d "$T/listed"
	is ""
}

@test "the tests on the list exist, and use their option" {
	local option file name
	while read -r option _ file name; do
		file=$NB_TREE/tests/e2e/bwrap-$file.bats
		grep -qxF -- "@test \"$name\" {" "$file" || { echo "$option: no test '$name' in $file" >&2; return 1; }
		# From its name on, so that a loop over options counts as well.
		grep -qE -- "(^|[^a-z-])$option([^a-z0-9-]|$)" "$file" || { echo "$option is not used in $file" >&2; return 1; }
	done <"$T/list"
}

@test "every option on the list is accepted where it is complete" {
	# What is refused is refused for its words, not for its name.
	local option
	while read -r option; do
		run bw "$option"
		lacks "Unknown option $option" || return 1
	done < <(sort "$T/listed" "$T/offered" | uniq -d)
}

@test "an option of an arguments file as well, all but --args itself" {
	local option
	while read -r option; do
		run bw --args 8 8< <(words "$option")
		lacks "Unknown option $option" || return 1
	done < <(sort "$T/listed" "$T/offered" | uniq -d)
}
