/* SPDX-License-Identifier: MIT */
/* The option table, its handlers, and the parser, which knows nothing but the table. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "init/options.h"
#include "init/values.h"

#define HOSTNAME_MAX 64 /* sethostname(2) */

enum {
	FLAG_SHARE_NET,
	FLAG_NEW_SESSION,
	FLAG_DIE_WITH_PARENT,
	FLAG_EXPLAIN,
	FLAG_VERSION,
	FLAG_HELP
};
enum { ID_USER, ID_GROUP };
enum { TEXT_CHDIR, TEXT_ARGV0 };
enum { FD_STATUS, FD_EXIT_SIGNAL };

static int bad_value(struct fault *fault, const struct option *option, const char *reason)
{
	return fault_text(fault, "options", option->name, reason);
}

/* One more element for the list at *LIST, zeroed; NULL with the fault when there is no memory. */
static void *append(void *list, size_t *count, size_t size, struct fault *fault)
{
	void *grown;

	memcpy(&grown, list, sizeof(grown));
	/* Room for 8, 16, 32 …: it is full when the count is one of these. */
	if (*count == 0 || (*count >= 8 && (*count & (*count - 1)) == 0))
		grown = reallocarray(grown, *count ? 2 * *count : 8, size);
	if (grown == NULL) {
		fault_errno(fault, "options", "", ENOMEM);
		return NULL;
	}
	memcpy(list, &grown, sizeof(grown));
	return memset((char *)grown + (*count)++ * size, 0, size);
}

static int put_grant(struct plan *plan, const struct option *option, char **arguments,
		     bool optional, struct fault *fault)
{
	struct grant *grant;

	if (arguments[0][0] == '\0')
		return bad_value(fault, option, "the path is empty");
	grant = append(&plan->grants, &plan->grant_count, sizeof(*grant), fault);
	if (grant == NULL)
		return -1;
	*grant = (struct grant){ .path = arguments[0],
				 .rights = (unsigned int)option->parameter | GRANT_READ,
				 .optional = optional };
	return 0;
}

static int add_grant(struct plan *plan, const struct option *option, char **arguments,
		     struct fault *fault)
{
	return put_grant(plan, option, arguments, false, fault);
}

static int add_optional_grant(struct plan *plan, const struct option *option, char **arguments,
			      struct fault *fault)
{
	return put_grant(plan, option, arguments, true, fault);
}

/* DEST is normalised in place, which never makes it longer. */
static struct mount_step *put_step(struct plan *plan, const struct option *option, char *dest,
				   struct fault *fault)
{
	struct mount_step *step;
	char normal[PATH_MAX];
	int length = mountns_normalise(dest, normal, sizeof(normal));

	if (length <= 1) {
		bad_value(fault, option, "DEST must be an absolute path below /, without \"..\"");
		return NULL;
	}
	step = append(&plan->steps, &plan->step_count, sizeof(*step), fault);
	if (step != NULL)
		*step = (struct mount_step){ .dest = memcpy(dest, normal, (size_t)length + 1),
					     .fd = -1,
					     .mode = -1 };
	return step;
}

static int add_step(struct plan *plan, const struct option *option, char **arguments,
		    struct fault *fault)
{
	struct mount_step *step = put_step(plan, option, arguments[0], fault);

	if (step == NULL)
		return -1;
	step->kind = (enum step_kind)option->parameter;
	return 0;
}

static int add_symlink(struct plan *plan, const struct option *option, char **arguments,
		       struct fault *fault)
{
	struct mount_step *step;

	if (arguments[0][0] == '\0')
		return bad_value(fault, option, "TARGET is empty");
	step = put_step(plan, option, arguments[1], fault);
	if (step == NULL)
		return -1;
	step->kind = STEP_SYMLINK;
	step->text = arguments[0];
	return 0;
}

static int add_env(struct plan *plan, const struct option *option, char **arguments,
		   struct fault *fault)
{
	struct env_edit edit = { .kind = (unsigned int)option->parameter };
	struct env_edit *place;

	if (option_arguments(option) > 0) {
		edit.name = arguments[0];
		if (edit.name[0] == '\0' || strchr(edit.name, '=') != NULL)
			return bad_value(fault, option, "that is no name of a variable");
	}
	if (edit.kind == ENV_SET)
		edit.value = arguments[1];
	place = append(&plan->env, &plan->env_count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = edit;
	return 0;
}

static int set_flag(struct plan *plan, const struct option *option, char **arguments,
		    struct fault *fault)
{
	bool *const flags[] = {
		[FLAG_SHARE_NET] = &plan->share_net,
		[FLAG_NEW_SESSION] = &plan->new_session,
		[FLAG_DIE_WITH_PARENT] = &plan->die_with_parent,
		[FLAG_EXPLAIN] = &plan->explain,
		[FLAG_VERSION] = &plan->version,
		[FLAG_HELP] = &plan->help,
	};

	(void)arguments;
	(void)fault;
	*flags[option->parameter] = true;
	return 0;
}

static int set_id(struct plan *plan, const struct option *option, char **arguments,
		  struct fault *fault)
{
	uint64_t id;

	/* 2^32-1 means "no id" to the kernel: setresuid(2). */
	if (!value_number(arguments[0], UINT32_MAX - 1, &id))
		return bad_value(fault, option, "must be a number from 0 to 4294967294");
	*(option->parameter == ID_USER ? &plan->uid : &plan->gid) = (int64_t)id;
	return 0;
}

static int set_hostname(struct plan *plan, const struct option *option, char **arguments,
			struct fault *fault)
{
	size_t length = strlen(arguments[0]);

	if (length == 0 || length > HOSTNAME_MAX)
		return bad_value(fault, option, "must have 1 to 64 bytes");
	plan->hostname = arguments[0];
	return 0;
}

static int add_limit(struct plan *plan, const struct option *option, char **arguments,
		     struct fault *fault)
{
	struct limit limit;
	struct limit *place;

	if (!value_limit(arguments[0], &limit))
		return bad_value(fault, option,
				 "must be NAME=SOFT[:HARD] with a name of setrlimit(2) and numbers "
				 "or \"unlimited\", SOFT no more than HARD");
	/* The last one of a name counts: limits that were lowered could not be raised again. */
	for (place = plan->limits; place < plan->limits + plan->limit_count; place++)
		if (place->resource == limit.resource)
			break;
	if (place == plan->limits + plan->limit_count)
		place = append(&plan->limits, &plan->limit_count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = limit;
	return 0;
}

static int set_timeout(struct plan *plan, const struct option *option, char **arguments,
		       struct fault *fault)
{
	if (!value_seconds(arguments[0], &plan->timeout))
		return bad_value(fault, option, "must be a number of seconds above 0, such as 2.5");
	return 0;
}

static int set_text(struct plan *plan, const struct option *option, char **arguments,
		    struct fault *fault)
{
	if (option->parameter == TEXT_CHDIR && arguments[0][0] == '\0')
		return bad_value(fault, option, "the path is empty");
	*(option->parameter == TEXT_CHDIR ? &plan->chdir : &plan->argv0) = arguments[0];
	return 0;
}

static int add_keep_fd(struct plan *plan, const struct option *option, char **arguments,
		       struct fault *fault)
{
	uint64_t fd;
	int *place;

	if (!value_number(arguments[0], INT_MAX, &fd))
		return bad_value(fault, option, "must be a number of a descriptor");
	place = append(&plan->keep_fds, &plan->keep_fd_count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = (int)fd;
	return 0;
}

static int set_fd(struct plan *plan, const struct option *option, char **arguments,
		  struct fault *fault)
{
	uint64_t fd;

	if (!value_number(arguments[0], INT_MAX, &fd))
		return bad_value(fault, option, "must be a number of a descriptor");
	if (fd <= 2)
		return bad_value(fault, option,
				 "0, 1 and 2 are the command's; use a descriptor from 3 on");
	*(option->parameter == FD_STATUS ? &plan->status_fd : &plan->exit_signal_fd) = (int)fd;
	return 0;
}

#define OPTION(name, letter, group, arguments, handler, parameter, help)                           \
	{ "--" name, letter, GROUP_##group, arguments, handler, parameter, help },
const struct option options[] = {
#include "init/options.def"
};
#undef OPTION
const size_t option_count = sizeof(options) / sizeof(options[0]);

size_t option_arguments(const struct option *option)
{
	size_t count = option->arguments[0] != '\0';

	for (const char *p = option->arguments; *p != '\0'; p++)
		count += *p == ' ';
	return count;
}

/* An argument on its way through the parser. */
struct cursor {
	char **next;    /* the word behind the current one */
	char *attached; /* the value in the same word, NULL if there is none */
};

static const struct option *find_long(const char *word, size_t length)
{
	for (size_t i = 0; i < option_count; i++)
		if (strncmp(options[i].name, word, length) == 0 && options[i].name[length] == '\0')
			return &options[i];
	return NULL;
}

static const struct option *find_letter(char letter)
{
	for (size_t i = 0; i < option_count; i++)
		if (options[i].letter != '\0' && options[i].letter == letter)
			return &options[i];
	return NULL;
}

/* --name, --name=value, -l or -lvalue */
static const struct option *find(char *word, struct cursor *cursor)
{
	size_t length;

	if (word[1] != '-') {
		cursor->attached = word[2] != '\0' ? word + 2 : NULL;
		return find_letter(word[1]);
	}
	length = strcspn(word, "=");
	cursor->attached = word[length] == '=' ? word + length + 1 : NULL;
	return find_long(word, length);
}

static int take(struct plan *plan, char *word, struct cursor *cursor, struct fault *fault)
{
	const struct option *option = find(word, cursor);
	char *pair[2];
	size_t count, i = 0;

	if (option == NULL)
		return fault_text(fault, "options", word, "unknown option");
	count = option_arguments(option);
	if (cursor->attached != NULL && count != 1)
		return fault_text(fault, "options", word,
				  count ? "takes its arguments as words of their own"
					: "takes no argument");
	if (cursor->attached != NULL)
		pair[i++] = cursor->attached;
	for (; i < count; i++) {
		if (*cursor->next == NULL)
			return fault_text(fault, "options", word, "an argument is missing");
		pair[i] = *cursor->next++;
	}
	return option->handler(plan, option, pair, fault);
}

static int check(const struct plan *plan, struct fault *fault)
{
	if (plan->help || plan->version)
		return 0;
	if (plan->command[0] == NULL)
		return fault_text(fault, "options", "COMMAND", "is missing");
	if (plan->command[0][0] == '\0')
		return fault_text(fault, "options", "COMMAND", "is empty");
	for (size_t i = 0; i < plan->keep_fd_count; i++)
		if (plan->keep_fds[i] == plan->status_fd ||
		    plan->keep_fds[i] == plan->exit_signal_fd)
			return fault_text(fault, "options", "--keep-fd",
					  "the command must not have a status descriptor");
	return 0;
}

int init_parse(struct plan *plan, int argc, char **argv, struct fault *fault)
{
	struct cursor cursor = { .next = argv + (argc > 0) };

	*plan = (struct plan){ .uid = -1, .gid = -1, .status_fd = -1, .exit_signal_fd = -1 };
	while (*cursor.next != NULL && (*cursor.next)[0] == '-' && (*cursor.next)[1] != '\0') {
		char *word = *cursor.next++;

		if (strcmp(word, "--") == 0)
			break;
		if (take(plan, word, &cursor, fault) != 0)
			return -1;
	}
	plan->command = cursor.next;
	return check(plan, fault);
}

void init_release(struct plan *plan)
{
	free(plan->grants);
	free(plan->steps);
	free(plan->env);
	free(plan->limits);
	free(plan->keep_fds);
}
