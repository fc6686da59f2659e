/* SPDX-License-Identifier: MIT */
/* The options about walls that cannot be built, and those on top of the ones that are always there. */
#include <string.h>

#include "init/parser.h"
#include "init/walls.h"

/* The wall of that name, or WALLS. */
static enum wall find_wall(const char *name, size_t length)
{
	for (enum wall wall = 0; wall < WALLS; wall++)
		if (strlen(walls[wall].name) == length &&
		    strncmp(name, walls[wall].name, length) == 0)
			return wall;
	return WALLS;
}

static bool read_manner(const char *text, unsigned char *manner)
{
	static const char *const names[] = {
		[MISSING_IS_ERROR] = "error",
		[MISSING_WARNS] = "warn",
		[MISSING_IS_SILENT] = "silent",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*manner = (unsigned char)i;
		return true;
	}
	return false;
}

/* The last one of a wall counts. */
int set_on_missing(struct parser *parser, const struct option *option, char **arguments,
		   struct fault *fault)
{
	unsigned char *manners = parser->plan->on_missing, manner;
	size_t length = strcspn(arguments[0], "=");
	enum wall wall = find_wall(arguments[0], length);
	bool all = length == 3 && strncmp(arguments[0], "all", 3) == 0;

	if (arguments[0][length] != '=' || !read_manner(arguments[0] + length + 1, &manner))
		return parser_refuse(fault, option, "must be WALL=error, warn or silent, not",
				     arguments[0]);
	if (!all && wall == WALLS)
		return parser_refuse(fault, option, "there is no such wall:", arguments[0]);
	if (!all && walls[wall].needed != NULL && manner != MISSING_IS_ERROR)
		return parser_refuse(fault, option, "no box stands without that wall, since",
				     walls[wall].needed);
	if (all || wall == WALL_LANDLOCK)
		parser->plan->landlock_demanded = manner == MISSING_IS_ERROR;
	for (enum wall each = 0; each < WALLS; each++)
		if ((all || each == wall) && walls[each].needed == NULL)
			manners[each] = manner;
	for (enum wall each = 0; each < WALLS; each++)
		if (all || each == wall)
			parser->plan->on_missing_said |= 1U << each;
	return 0;
}

/* With a value in the same word, or without. */
int set_check(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	if (arguments[0] != NULL && strcmp(arguments[0], "json") != 0)
		return parser_refuse(fault, option, "can be followed by =json alone, not",
				     arguments[0]);
	parser->plan->check = arguments[0] != NULL ? CHECK_JSON : CHECK_TEXT;
	return 0;
}
