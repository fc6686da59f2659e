/* SPDX-License-Identifier: MIT */
/* The options that say what an init does with signals, exit statuses and what is left. */
#include <signal.h>
#include <string.h>

#include "init/parser.h"
#include "init/signals.h"
#include "init/values.h"

int set_forward(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	bool group = strcmp(arguments[0], "group") == 0;

	if (!group && strcmp(arguments[0], "child") != 0)
		return parser_refuse(fault, option, "must be child or group, not", arguments[0]);
	parser->plan->forward_group = group;
	return 0;
}

static int rewrite(struct plan *plan, int from, int to)
{
	plan->forward_as[from] = (unsigned char)to;
	plan->rewritten |= signal_bit(from);
	return 0;
}

int add_rewrite(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	int from, to;

	if (!signal_parse_rewrite(arguments[0], &from, &to))
		return parser_refuse(fault, option,
				     "must be FROM:TO, names of signal(7) or numbers, not",
				     arguments[0]);
	/* Nobody gets to see these: signal(7). And the end of a child is the init's own affair. */
	if (from == SIGKILL || from == SIGSTOP || from == SIGCHLD)
		return parser_refuse(fault, option,
				     "KILL, STOP and CHLD are not forwarded:", arguments[0]);
	return rewrite(parser->plan, from, to);
}

int set_stop_signal(struct parser *parser, const struct option *option, char **arguments,
		    struct fault *fault)
{
	int signal;

	if (!signal_parse(arguments[0], strlen(arguments[0]), &signal))
		return parser_refuse(fault, option, "must be a name of signal(7) or a number, not",
				     arguments[0]);
	return rewrite(parser->plan, SIGTERM, signal);
}

int add_expected(struct parser *parser, const struct option *option, char **arguments,
		 struct fault *fault)
{
	uint64_t code;

	if (!value_number(arguments[0], 255, &code))
		return parser_refuse(fault, option, "must be a number from 0 to 255, not",
				     arguments[0]);
	parser->plan->expected[code / 64] |= 1ULL << (code % 64);
	return 0;
}

int set_grace(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	if (!value_seconds(arguments[0], &parser->plan->grace))
		return parser_refuse(fault, option,
				     "must be a number of seconds above 0, such as 2.5", NULL);
	return 0;
}
