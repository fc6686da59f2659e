#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The completions of bash, zsh and fish: each shell is asked what it offers.

# shellcheck disable=SC2016,SC2034,SC2154 # scripts in single quotes; variables shared with common.bash and run
load ../lib/common

setup() {
	nb_setup
	[ "$NB_AS" = root ] || [ "$(id -u)" != 0 ] || skip "done once, as root"
	MADE=$T/made
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u LIBC make -s -C "$NB_TREE" GEN="$MADE" "$MADE/completion.bash" "$MADE/completion.zsh" "$MADE/completion.fish"
	mkdir "$T/here"
	cd "$T/here"
	mkdir directory
	touch file "two words"
}

# offers WORD...: what bash offers for the last word of a line that begins with nestbox, sorted.
offers() {
	run bash --norc -c '
		source "$1"
		shift
		compopt() { :; }
		COMP_WORDS=(nestbox "$@")
		COMP_CWORD=$#
		_nestbox
		printf "%s\n" "${COMPREPLY[@]}" | sort' bash "$MADE/completion.bash" "$@"
	exits 0
}

@test "bash: options by their beginning" {
	offers --stop
	is "--stop-signal"
	offers --read
	is $'--read\n--read-try'
	offers -r /usr --unshare-u
	is $'--unshare-user\n--unshare-user-try\n--unshare-uts'
}

@test "bash: every option of --help is offered, and no other" {
	offers -
	diff <(printf '%s\n' "$output") <("$NESTBOX" --help | grep -oE '^ {2,6}(-., )?--[a-z0-9-]+' | grep -oE -- '--.*' | sort)
}

@test "bash: arguments by their kind, also after options with several" {
	offers --read ""
	is $'directory\nfile\ntwo words'
	offers --bind /usr "fi"
	is "file"
	offers --bind /usr /usr --chdir ""
	is "directory"
	offers --forward ""
	is $'child\ngroup'
	offers -e PAT
	is "PATH"
	offers --stop-signal SIGTER
	is "SIGTERM"
	offers --hostname ""
	is ""
}

@test "bash: a limit, which is several words to it, is one argument" {
	offers --rlimit nofile = 256 --forward g
	is "group"
	offers --rewrite TERM : USR1 --forward g
	is "group"
}

@test "bash: the command is a command, and what follows is not ours" {
	offers -r /usr mkdi
	matches '^mkdir$'
	offers -- mkdi
	matches '^mkdir$'
	offers -r /usr mkdir --stop
	is ""
}

@test "zsh: an option and a choice" {
	mkdir "$T/fpath"
	cp "$MADE/completion.zsh" "$T/fpath/_nestbox"
	# It completes for a terminal alone; the mark shows that the line has come to an end.
	run timeout -s KILL 30 zsh -fc '
		zmodload zsh/zpty
		ask() {
			local got
			zpty shell "TERM=dumb PS1= zsh -f"
			zpty -w shell "fpath=($1 \$fpath); autoload -U compinit; compinit -D; echo ready\$((1))"
			zpty -r shell got "*ready1*"
			zpty -wn shell "$2"
			zpty -r shell got "*$3*"
			zpty -d shell
			echo "$3"
		}
		ask "$1" $'"'"'nestbox --stop-s\t'"'"' --stop-signal
		ask "$1" $'"'"'nestbox --forward gr\t'"'"' group
		ask "$1" $'"'"'nestbox --bind /usr /us\t'"'"' /usr/' zsh "$T/fpath"
	exits 0
	is $'--stop-signal\ngroup\n/usr/'
}

@test "fish: options, arguments and the command" {
	ask() {
		run env HOME="$T" XDG_CONFIG_HOME="$T/config" XDG_DATA_HOME="$T/data" \
			fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' "$MADE/completion.fish" "$1"
		exits 0
	}
	ask "nestbox --stop-s"
	matches $'^--stop-signal\t'
	ask "nestbox --forward "
	matches '^child' '^group'
	ask "nestbox --read fi"
	matches '^file'
	ask "nestbox mkdi"
	matches '^mkdir'
}
