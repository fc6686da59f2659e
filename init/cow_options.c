/* SPDX-License-Identifier: MIT */
/* The options about copy-on-write. */
#include <string.h>

#include "init/parser.h"
#include "init/values.h"

int set_cow(struct parser *parser, const struct option *option, char **arguments,
	    struct fault *fault)
{
	struct plan *plan = parser->plan;
	const char **const places[] = {
		[COW_DIRECTORY] = &plan->cow,
		[COW_STORE] = &plan->cow_store,
		[COW_COMMIT_STORE] = &plan->cow_commit,
		[COW_DISCARD_STORE] = &plan->cow_discard,
	};
	const char **place = places[option->parameter];

	if (arguments[0][0] == '\0')
		return parser_refuse(fault, option, "the path is empty", NULL);
	if (*place != NULL)
		return parser_refuse(fault, option, "can be given once", NULL);
	*place = arguments[0];
	if (option->parameter == COW_DIRECTORY)
		plan->cow_place = plan->step_count;
	return 0;
}

int set_cow_backend(struct parser *parser, const struct option *option, char **arguments,
		    struct fault *fault)
{
	static const char *const names[] = {
		[COW_AUTO] = "auto", [COW_OVERLAY] = "overlay", [COW_NOTIFY] = "notify"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(arguments[0], names[i]) != 0)
			continue;
		parser->plan->cow_backend = (enum cow_backend)i;
		return 0;
	}
	return parser_refuse(fault, option, "must be auto, overlay or notify, not", arguments[0]);
}

int set_cow_quota(struct parser *parser, const struct option *option, char **arguments,
		  struct fault *fault)
{
	struct plan *plan = parser->plan;

	if (plan->cow_quota > 0)
		return parser_refuse(fault, option, "can be given once", NULL);
	/* What the kernel can count in pages without an overflow: tmpfs(5), "size". */
	if (!value_size(arguments[0], INT64_MAX, &plan->cow_quota) || plan->cow_quota == 0)
		return parser_refuse(fault, option,
				     "takes a number of bytes from 1 to 9223372036854775807, not",
				     arguments[0]);
	return 0;
}

int set_cow_end(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	static const char *const names[] = {
		[COW_COMMIT] = "commit",
		[COW_DISCARD] = "discard",
		[COW_KEEP] = "keep",
	};
	struct plan *plan = parser->plan;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(arguments[0], names[i]) != 0)
			continue;
		*(option->parameter == COW_ON_SUCCESS ? &plan->on_success : &plan->on_failure) =
			(enum cow_end)i;
		return 0;
	}
	return parser_refuse(fault, option, "must be commit, discard or keep, not", arguments[0]);
}

static bool was_given(const struct parser *parser, size_t row)
{
	return (parser->seen[row / 64] & 1ULL << (row % 64)) != 0;
}

/* --cow-commit and --cow-discard are commands of their own. */
static int check_command(const struct parser *parser, struct fault *fault)
{
	static const char *const together[] = { "--dry-run", "--quiet", "--level-prefix",
						"--args" };
	const struct plan *plan = parser->plan;
	const char *name = plan->cow_commit != NULL ? "--cow-commit" : "--cow-discard";

	for (size_t i = 0; i < option_count; i++) {
		bool fits = strcmp(options[i].name, name) == 0;

		for (size_t j = 0; j < sizeof(together) / sizeof(together[0]); j++)
			fits |= strcmp(options[i].name, together[j]) == 0;
		if (was_given(parser, i) && !fits) {
			fault_text(fault, "options", options[i].name, "cannot be combined with");
			fault->detail = name;
			return -1;
		}
	}
	if (plan->cow_discard != NULL && plan->dry_run)
		return fault_text(fault, "options", "--dry-run",
				  "cannot be combined with --cow-discard");
	if (plan->command[0] == NULL)
		return 0;
	fault_text(fault, "options", name, "takes no command:");
	fault->detail = plan->command[0];
	return -1;
}

int parser_check_cow(const struct parser *parser, struct fault *fault)
{
	const struct plan *plan = parser->plan;

	if (plan->cow_commit != NULL || plan->cow_discard != NULL)
		return check_command(parser, fault);
	for (size_t i = 0; i < option_count && plan->cow == NULL; i++)
		if (options[i].group == GROUP_COW && was_given(parser, i))
			return parser_refuse(fault, &options[i], "needs --cow", NULL);
	return 0;
}
