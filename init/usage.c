/* SPDX-License-Identifier: MIT */
/* The usage text, from the option table. */
#include "init/options.h"
#include "init/text.h"

const char *const option_groups[GROUP_COUNT] = {
	[GROUP_GRANTS] = "Grants",         [GROUP_MOUNTS] = "Mount steps",
	[GROUP_COW] = "Copy-on-write",     [GROUP_ENVIRONMENT] = "Environment",
	[GROUP_NAMESPACES] = "Namespaces", [GROUP_IDENTITY] = "Identity",
	[GROUP_LIMITS] = "Limits",         [GROUP_FILTERS] = "Filters",
	[GROUP_PROCESS] = "Process",       [GROUP_WALLS] = "Walls",
	[GROUP_STATUS] = "Status",         [GROUP_LOOK] = "Look first",
};

#define HELP_COLUMN 32

static int print(struct text *line, int fd)
{
	int error = text_write(line, fd);

	line->length = 0;
	return error;
}

/* INDENT is in front of a name without a letter. */
static int print_option(const struct option *option, const char *indent, int fd)
{
	const char letter[] = { '-', option->letter, ',', ' ', '\0' };
	struct text line = { 0 };

	text_add(&line, option->letter != '\0' ? "  " : indent);
	if (option->letter != '\0')
		text_add(&line, letter);
	text_add(&line, option->name);
	if (option->arguments[0] != '\0') {
		text_add(&line, " ");
		text_add(&line, option->arguments);
	}
	do {
		text_add(&line, " ");
	} while (line.length < HELP_COLUMN);
	text_add(&line, option->help);
	return print(&line, fd);
}

static int print_native(int fd)
{
	struct text line = { 0 };
	int error;

	text_add(&line,
		 "usage: nestbox [OPTION]... [--] COMMAND [ARG]...\n\n"
		 "Runs COMMAND in a box: no host path, no environment, no network, no rights\n"
		 "unless an option gives them. See nestbox(1).");
	error = print(&line, fd);
	for (size_t group = 0; group < GROUP_COUNT && error == 0; group++) {
		text_add(&line, "\n");
		text_add(&line, option_groups[group]);
		text_add(&line, ":");
		error = print(&line, fd);
		for (size_t i = 0; i < option_count && error == 0; i++)
			if (options[i].group == group)
				error = print_option(&options[i], "      ", fd);
	}
	return error;
}

/* Programs look in there for the names of the options that they would like to use. */
static int print_bwrap(int fd)
{
	struct text line = { 0 };
	int error;

	text_add(&line, "usage: bwrap [OPTIONS...] [--] COMMAND [ARGS...]\n");
	error = print(&line, fd);
	for (size_t i = 0; i < option_count && error == 0; i++)
		if (options[i].owner == OWNER_BOTH)
			error = print_option(&options[i], "    ", fd);
	return error;
}

int options_usage(enum personality as, int fd)
{
	return (as == AS_BWRAP ? print_bwrap(fd) : print_native(fd)) < 0 ? -1 : 0;
}
