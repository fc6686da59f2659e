/* SPDX-License-Identifier: MIT */
/*
 * Writes the completions of a shell, from the option table. Runs on the machine that builds; nothing of it
 * is in nestbox.
 *
 *	generate bash|zsh|fish
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option {
	const char *name;
	char letter;
	const char *arguments; /* their names, one blank between two; "a|b" for a choice */
	const char *help;
};

static const struct option options[] = {
#define OPTION(name, letter, owner, group, arguments, handler, parameter, help)                    \
	{ "--" name, letter, arguments, help },
#include "init/options.def"
#undef OPTION
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

#define LONGEST_ARGUMENT 64

/* Copies the next argument's name and returns what follows, or NULL after the last one. */
static const char *next_argument(const char *arguments, char name[LONGEST_ARGUMENT])
{
	size_t length = strcspn(arguments, " ");

	if (length == 0)
		return NULL;
	snprintf(name, LONGEST_ARGUMENT, "%.*s", (int)length, arguments);
	return arguments + length + (arguments[length] == ' ');
}

static int count_arguments(const struct option *option)
{
	char name[LONGEST_ARGUMENT];
	int count = 0;

	for (const char *rest = option->arguments; (rest = next_argument(rest, name)) != NULL;)
		count++;
	return count;
}

enum kind { KIND_OTHER, KIND_FILE, KIND_DIRECTORY, KIND_VARIABLE, KIND_SIGNAL, KIND_CHOICE };

static enum kind kind_of(const struct option *option, const char *argument)
{
	static const struct {
		const char *name;
		enum kind kind;
	} kinds[] = {
		{ "PATH", KIND_FILE },       { "SRC", KIND_FILE },
		{ "DEST", KIND_FILE },       { "FILE", KIND_FILE },
		{ "STORE", KIND_DIRECTORY }, { "DIR", KIND_DIRECTORY },
		{ "RWSRC", KIND_DIRECTORY }, { "WORKDIR", KIND_DIRECTORY },
		{ "SIG", KIND_SIGNAL },
	};

	if (strchr(argument, '|') != NULL)
		return KIND_CHOICE;
	if (strcmp(argument, "NAME") == 0 && strstr(option->name, "env") != NULL)
		return KIND_VARIABLE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, argument) == 0)
			return kinds[i].kind;
	return KIND_OTHER;
}

/* TEXT in single quotes' place, with BEFORE in front of each of SPECIAL. */
static void put_escaped(const char *text, const char *special, char before)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			fputs("'\\''", stdout);
			continue;
		}
		if (strchr(special, *text) != NULL)
			putchar(before);
		putchar(*text);
	}
}

/* The words of a choice, one blank between two. */
static void put_choice(const char *argument)
{
	for (; *argument != '\0'; argument++)
		putchar(*argument == '|' ? ' ' : *argument);
}

/* --- bash: complete and compgen of bash(1), "Programmable Completion" --- */

static void put_bash_argument(const struct option *option, const char *argument, int number)
{
	static const char *const actions[] = {
		[KIND_FILE] = "-o filenames -f",
		[KIND_DIRECTORY] = "-o filenames -d",
		[KIND_VARIABLE] = "-e",
		[KIND_SIGNAL] = "-A signal",
	};
	enum kind kind = kind_of(option, argument);

	if (kind == KIND_OTHER)
		return;
	printf("    %s,%d) _nestbox_offer ", option->name, number);
	if (kind == KIND_CHOICE) {
		printf("-W '");
		put_choice(argument);
		printf("'");
	} else {
		fputs(actions[kind], stdout);
	}
	printf(" ;;\n");
}

static void put_bash_counts(void)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (count_arguments(&options[i]) == 0)
			continue;
		printf("    %s", options[i].name);
		if (options[i].letter != '\0')
			printf(" | -%c", options[i].letter);
		printf(") option=%s count=%d ;;\n", options[i].name, count_arguments(&options[i]));
	}
}

static void write_bash(void)
{
	char argument[LONGEST_ARGUMENT];

	printf("# bash completion of nestbox(1), made from its option table\n\n"
	       "# The option in $1, by its long name, and how many arguments it takes.\n"
	       "_nestbox_option() {\n    option='' count=0\n    case $1 in\n");
	put_bash_counts();
	printf("    esac\n}\n\n"
	       "# Offers what compgen finds for the word at the cursor.\n"
	       "_nestbox_offer() {\n"
	       "    [[ $* != '-o filenames '* ]] || compopt -o filenames\n"
	       "    mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\")\n}\n\n"
	       "# What can be argument $2 of option $1.\n"
	       "_nestbox_argument() {\n    case $1,$2 in\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		const char *rest = options[i].arguments;

		for (int number = 1; (rest = next_argument(rest, argument)) != NULL; number++)
			put_bash_argument(&options[i], argument, number);
	}
	printf("    esac\n}\n\n"
	       "# With the command, at $1, another program's completion begins.\n"
	       "_nestbox_command() {\n"
	       "    if declare -F _command_offset >/dev/null; then\n"
	       "        _command_offset \"$1\"\n"
	       "    elif ((COMP_CWORD == $1)); then\n"
	       "        _nestbox_offer -c\n"
	       "    else\n"
	       "        compopt -o default\n"
	       "    fi\n}\n\n"
	       "_nestbox() {\n"
	       "    local cur=${COMP_WORDS[COMP_CWORD]} option count i\n\n"
	       "    COMPREPLY=()\n"
	       "    for ((i = 1; i < COMP_CWORD; i += count + 1)); do\n"
	       "        case ${COMP_WORDS[i]} in\n"
	       "        --) _nestbox_command $((i + 1)); return ;;\n"
	       "        -*) _nestbox_option \"${COMP_WORDS[i]}\" ;;\n"
	       "        *) _nestbox_command \"$i\"; return ;;\n"
	       "        esac\n"
	       "        if ((i + count >= COMP_CWORD)); then\n"
	       "            _nestbox_argument \"$option\" $((COMP_CWORD - i))\n"
	       "            return\n"
	       "        fi\n"
	       "        # NAME=VALUE and its like are several words to bash.\n"
	       "        while [[ ${COMP_WORDS[i + count + 1]-} == [=:]* ]]; do\n"
	       "            ((count += 1 + (${#COMP_WORDS[i + count + 1]} == 1)))\n"
	       "            ((i + count < COMP_CWORD)) || return\n"
	       "        done\n"
	       "    done\n"
	       "    case $cur in\n"
	       "    -*) _nestbox_offer -W '");
	for (size_t i = 0; i < OPTIONS; i++)
		printf("%s%s", i > 0 ? " " : "", options[i].name);
	printf("' ;;\n"
	       "    *) _nestbox_command \"$i\" ;;\n"
	       "    esac\n}\n\n"
	       "complete -F _nestbox nestbox\n");
}

/* --- zsh: _arguments of zshcompsys(1) --- */

static void put_zsh_argument(const struct option *option, const char *argument)
{
	static const char *const actions[] = {
		[KIND_OTHER] = " ",
		[KIND_FILE] = "_files",
		[KIND_DIRECTORY] = "_files -/",
		[KIND_VARIABLE] = "_parameters -g \"*export*\"",
		[KIND_SIGNAL] = "_signals",
		[KIND_CHOICE] = "",
	};
	enum kind kind = kind_of(option, argument);

	putchar(':');
	put_escaped(argument, ":\\", '\\');
	putchar(':');
	if (kind != KIND_CHOICE) {
		fputs(actions[kind], stdout);
		return;
	}
	putchar('(');
	put_choice(argument);
	putchar(')');
}

static void put_zsh_option(const struct option *option)
{
	char argument[LONGEST_ARGUMENT];

	printf("    '*'");
	if (option->letter != '\0')
		printf("{-%c,%s}'[", option->letter, option->name);
	else
		printf("'%s[", option->name);
	put_escaped(option->help, "[]:\\", '\\');
	putchar(']');
	for (const char *rest = option->arguments; (rest = next_argument(rest, argument)) != NULL;)
		put_zsh_argument(option, argument);
	printf("' \\\n");
}

static void write_zsh(void)
{
	printf("#compdef nestbox\n# zsh completion of nestbox(1), made from its option table\n\n"
	       "_arguments -S \\\n");
	for (size_t i = 0; i < OPTIONS; i++)
		put_zsh_option(&options[i]);
	printf("    '(-):command: _command_names -e' \\\n    '*::arguments: _normal'\n");
}

/* --- fish: complete(1) of fish, which knows options of one argument --- */

static void write_fish(void)
{
	char argument[LONGEST_ARGUMENT];

	printf("# fish completion of nestbox(1), made from its option table\n\n"
	       "complete -c nestbox -x -a '(__fish_complete_subcommand)'\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *option = &options[i];
		enum kind kind;

		printf("complete -c nestbox -l %s", option->name + 2);
		if (option->letter != '\0')
			printf(" -s %c", option->letter);
		if (next_argument(option->arguments, argument) != NULL) {
			kind = kind_of(option, argument);
			printf(kind == KIND_FILE || kind == KIND_DIRECTORY ? " -r -F" : " -x");
			if (kind == KIND_CHOICE) {
				printf(" -a '");
				put_choice(argument);
				putchar('\'');
			} else if (kind == KIND_VARIABLE) {
				printf(" -a '(set -nx)'");
			}
		}
		printf(" -d '");
		put_escaped(option->help, "\\", '\\');
		printf("'\n");
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*write)(void);
	} shells[] = { { "bash", write_bash }, { "zsh", write_zsh }, { "fish", write_fish } };

	for (size_t i = 0; argc == 2 && i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(argv[1], shells[i].name) != 0)
			continue;
		shells[i].write();
		return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	fprintf(stderr, "usage: generate bash|zsh|fish\n");
	return EXIT_FAILURE;
}
