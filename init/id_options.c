/* SPDX-License-Identifier: MIT */
/* The options that say who the command is. */
#include <limits.h>
#include <string.h>

#include "init/id_map.h"
#include "init/parser.h"
#include "init/values.h"

int set_id(struct parser *parser, const struct option *option, char **arguments,
	   struct fault *fault)
{
	struct plan *plan = parser->plan;
	uint64_t id;

	/* 2^32-1 means "no id" to the kernel: setresuid(2). */
	if (!value_number(arguments[0], UINT32_MAX - 1, &id))
		return parser_refuse(fault, option, "must be a number from 0 to 4294967294, not",
				     arguments[0]);
	*(option->parameter == ID_USER ? &plan->uid : &plan->gid) = (int64_t)id;
	return 0;
}

static int check_range(const struct option *option, const char *text, const struct id_range *range,
		       const struct id_range *others, size_t count, struct fault *fault)
{
	if (count == ID_MAP_LINES)
		return parser_refuse(fault, option, "is given more than 340 times", NULL);
	for (size_t i = 0; i < count; i++) {
		if (id_map_meet_inside(&others[i], range))
			return parser_refuse(fault, option,
					     "maps an id inside that another one maps:", text);
		if (id_map_meet_outside(&others[i], range))
			return parser_refuse(fault, option,
					     "maps an id outside that another one maps:", text);
	}
	return 0;
}

int add_id_range(struct parser *parser, const struct option *option, char **arguments,
		 struct fault *fault)
{
	struct plan *plan = parser->plan;
	bool user = option->parameter == ID_USER;
	struct id_range **list = user ? &plan->uid_ranges : &plan->gid_ranges;
	size_t *count = user ? &plan->uid_range_count : &plan->gid_range_count;
	struct id_range range;
	struct id_range *place;

	if (!id_map_parse(arguments[0], &range))
		return parser_refuse(fault, option,
				     "must be IN:OUT:COUNT with ids from 0 to 4294967294, not",
				     arguments[0]);
	if (check_range(option, arguments[0], &range, *list, *count, fault) != 0)
		return -1;
	place = parser_append(list, count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = range;
	return 0;
}

int add_groups(struct parser *parser, const struct option *option, char **arguments,
	       struct fault *fault)
{
	struct plan *plan = parser->plan;
	const char *text = arguments[0];

	for (;; text++) {
		const char *end = text + strcspn(text, ",");
		uint32_t *place;
		uint64_t id;

		if (!value_digits(text, end, UINT32_MAX - 1, &id))
			return parser_refuse(
				fault, option,
				"must be numbers from 0 to 4294967294 with commas between, not",
				arguments[0]);
		if (plan->group_count == NGROUPS_MAX)
			return parser_refuse(fault, option, "are more than 65536", NULL);
		place = parser_append(&plan->groups, &plan->group_count, sizeof(*place), fault);
		if (place == NULL)
			return -1;
		*place = (uint32_t)id;
		text = end;
		if (*text == '\0')
			return 0;
	}
}

/* Those namespaces have maps already, or get them from somebody else. A process that goes into another PID
 * namespace hides its memory, and with it the files of its maps: proc(5), "/proc/pid". */
static int check_maps(const struct plan *plan, struct fault *fault)
{
	static const struct {
		enum plan_fd fd;
		const char *option;
	} others[] = {
		{ FD_USERNS, "--userns" },
		{ FD_USERNS2, "--userns2" },
		{ FD_USERNS_BLOCK, "--userns-block-fd" },
		{ FD_PIDNS, "--pidns" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (plan->fds[others[i].fd] >= 0)
			return fault_text(fault, "options", others[i].option,
					  "cannot be combined with --map-uids and --map-gids");
	return 0;
}

static int check_id(int64_t id, const struct id_range *ranges, size_t count, const char *option,
		    struct fault *fault)
{
	if (id < 0 || count == 0 || id_map_holds(ranges, count, (uint32_t)id))
		return 0;
	return fault_text(fault, "options", option,
			  "is not among the ids inside of --map-uids or --map-gids");
}

int parser_check_ids(const struct plan *plan, struct fault *fault)
{
	if (plan->uid_range_count + plan->gid_range_count > 0 && check_maps(plan, fault) != 0)
		return -1;
	if (check_id(plan->uid, plan->uid_ranges, plan->uid_range_count, "--uid", fault) != 0 ||
	    check_id(plan->gid, plan->gid_ranges, plan->gid_range_count, "--gid", fault) != 0)
		return -1;
	if (plan->group_count > 0 && plan->gid_range_count == 0 && !plan->init_only)
		return fault_text(fault, "options", "--groups",
				  "requires --map-gids or --init-only");
	for (size_t i = 0; i < plan->group_count; i++)
		if (check_id(plan->groups[i], plan->gid_ranges, plan->gid_range_count, "--groups",
			     fault) != 0)
			return -1;
	return 0;
}
