/* SPDX-License-Identifier: MIT */
/* What everybody uses, as functions with types. Each is one option of the command. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "init/library/library.h"

/* A NULL that should be none is an argument that is missing. */
static int option(struct nestbox_plan *plan, const char *name, const char *first,
		  const char *second)
{
	const char *const arguments[] = { first, second, NULL };

	return nestbox_plan_option_list(plan, name, arguments);
}

int nestbox_plan_grant(struct nestbox_plan *plan, unsigned int rights, const char *path)
{
	static const struct {
		unsigned int right;
		const char *name, *try_name;
	} options[] = {
		{ NESTBOX_READ, "read", "read-try" },
		{ NESTBOX_WRITE, "write", "write-try" },
		{ NESTBOX_EXEC, "exec", "exec-try" },
	};
	const unsigned int all = NESTBOX_READ | NESTBOX_WRITE | NESTBOX_EXEC;
	int status = 0;

	if ((rights & all) == 0 || (rights & ~(all | NESTBOX_TRY)) != 0)
		return plan_refuse(plan, "grant", EINVAL, "there are no such rights");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && status == 0; i++)
		if ((rights & options[i].right) != 0)
			status = option(plan,
					(rights & NESTBOX_TRY) != 0 ? options[i].try_name
								    : options[i].name,
					path, NULL);
	return status;
}

int nestbox_plan_keep_env(struct nestbox_plan *plan, const char *name)
{
	return option(plan, "env", name, NULL);
}

int nestbox_plan_keep_all_env(struct nestbox_plan *plan)
{
	return option(plan, "env-all", NULL, NULL);
}

int nestbox_plan_set_env(struct nestbox_plan *plan, const char *name, const char *value)
{
	return option(plan, "setenv", name, value);
}

int nestbox_plan_unset_env(struct nestbox_plan *plan, const char *name)
{
	return option(plan, "unsetenv", name, NULL);
}

int nestbox_plan_clear_env(struct nestbox_plan *plan)
{
	return option(plan, "clearenv", NULL, NULL);
}

static int id_option(struct nestbox_plan *plan, const char *name, uint32_t id)
{
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, id);
	return id != UINT32_MAX ? option(plan, name, number, NULL) : 0;
}

int nestbox_plan_ids(struct nestbox_plan *plan, uid_t uid, gid_t gid)
{
	int status = nestbox_plan_error(plan, NULL);

	if (status == 0)
		status = id_option(plan, "uid", uid);
	return status == 0 ? id_option(plan, "gid", gid) : status;
}

int nestbox_plan_hostname(struct nestbox_plan *plan, const char *name)
{
	return option(plan, "hostname", name, NULL);
}

int nestbox_plan_chdir(struct nestbox_plan *plan, const char *path)
{
	return option(plan, "chdir", path, NULL);
}

int nestbox_plan_argv0(struct nestbox_plan *plan, const char *text)
{
	return option(plan, "argv0", text, NULL);
}

int nestbox_plan_share_network(struct nestbox_plan *plan)
{
	return option(plan, "net", NULL, NULL);
}

int nestbox_plan_filter(struct nestbox_plan *plan, const char *profile)
{
	return option(plan, "filter", profile, NULL);
}

static void print_limit(char text[24], uint64_t value)
{
	if (value == NESTBOX_UNLIMITED)
		strcpy(text, "unlimited");
	else
		snprintf(text, 24, "%" PRIu64, value);
}

int nestbox_plan_limit(struct nestbox_plan *plan, const char *name, uint64_t soft, uint64_t hard)
{
	char soft_text[24], hard_text[24], text[96];

	print_limit(soft_text, soft);
	print_limit(hard_text, hard);
	/* Cut, it is still longer than any name there is. */
	snprintf(text, sizeof(text), "%.32s=%s:%s", name != NULL ? name : "", soft_text, hard_text);
	return option(plan, "rlimit", name != NULL ? text : NULL, NULL);
}

int nestbox_plan_timeout(struct nestbox_plan *plan, uint64_t milliseconds)
{
	char text[32];

	if (milliseconds == 0)
		return plan_refuse(plan, "timeout", EINVAL, "must be above 0");
	snprintf(text, sizeof(text), "%" PRIu64 ".%03u", milliseconds / 1000,
		 (unsigned int)(milliseconds % 1000));
	return option(plan, "timeout", text, NULL);
}
