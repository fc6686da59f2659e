/* SPDX-License-Identifier: MIT */
/* The options that say how the box and the command in it are. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "filters/filter.h"
#include "init/filters.h"
#include "init/parser.h"
#include "init/values.h"
#include "mountns/linux.h"

#define HOSTNAME_MAX 64 /* sethostname(2) */

int add_env(struct parser *parser, const struct option *option, char **arguments,
	    struct fault *fault)
{
	struct env_edit edit = { .kind = (unsigned int)option->parameter };
	struct plan *plan = parser->plan;
	struct env_edit *place;

	if (option_arguments(option) > 0) {
		edit.name = arguments[0];
		if (edit.name[0] == '\0' || strchr(edit.name, '=') != NULL)
			return parser_refuse(fault, option, "that is no name of a variable", NULL);
	}
	if (edit.kind == ENV_SET)
		edit.value = arguments[1];
	place = parser_append(&plan->env, &plan->env_count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = edit;
	return 0;
}

int set_flag(struct parser *parser, const struct option *option, char **arguments,
	     struct fault *fault)
{
	struct plan *plan = parser->plan;
	bool ignored;
	bool *const flags[] = {
		[FLAG_NEW_SESSION] = &plan->new_session,
		[FLAG_NEW_KEYRING] = &plan->new_keyring,
		[FLAG_DENY_TSC] = &plan->deny_tsc,
		[FLAG_MDWE] = &plan->mdwe,
		[FLAG_SPEC_ALLOW] = &plan->spec_allow,
		[FLAG_TTY] = &plan->tty,
		[FLAG_DIE_WITH_PARENT] = &plan->die_with_parent,
		[FLAG_AS_PID_1] = &plan->as_pid_1,
		[FLAG_INIT_ONLY] = &plan->init_only,
		[FLAG_WAIT_ALL] = &plan->wait_all,
		[FLAG_DISABLE_USERNS] = &plan->disable_userns,
		[FLAG_ASSERT_USERNS_DISABLED] = &plan->assert_userns_disabled,
		[FLAG_ALLOW_USERNS] = &plan->allow_userns,
		[FLAG_RESTRICT_KPTR] = &plan->restrict_kptr,
		[FLAG_LEVEL_PREFIX] = &plan->level_prefix,
		[FLAG_QUIET] = &plan->quiet,
		[FLAG_DRY_RUN] = &plan->dry_run,
		[FLAG_NO_BOUNDARY] = &ignored,
		[FLAG_FALLBACK] = &plan->fallback,
		[FLAG_EXPLAIN] = &plan->explain,
		[FLAG_VERSION] = &plan->version,
		[FLAG_HELP] = &plan->help,
	};

	(void)arguments;
	(void)fault;
	*flags[option->parameter] = true;
	return 0;
}

int set_hostname(struct parser *parser, const struct option *option, char **arguments,
		 struct fault *fault)
{
	size_t length = strlen(arguments[0]);

	if (length == 0 || length > HOSTNAME_MAX)
		return parser_refuse(fault, option, "must have 1 to 64 bytes", NULL);
	parser->plan->hostname = arguments[0];
	return 0;
}

/* The last one of a name counts: limits that were lowered could not be raised again. */
static int put_limit(struct plan *plan, const struct limit *limit, struct fault *fault)
{
	struct limit *place;

	for (place = plan->limits; place < plan->limits + plan->limit_count; place++)
		if (place->resource == limit->resource)
			break;
	if (place == plan->limits + plan->limit_count)
		place = parser_append(&plan->limits, &plan->limit_count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = *limit;
	return 0;
}

int add_limit(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	struct limit limit;

	if (!value_limit(arguments[0], &limit))
		return parser_refuse(
			fault, option,
			"must be NAME=SOFT[:HARD] with a name of setrlimit(2) and numbers "
			"or \"unlimited\", SOFT no more than HARD",
			NULL);
	return put_limit(parser->plan, &limit, fault);
}

/* One byte, and not none: a core that is piped to a program is not held by a limit of 0, and the kernel takes
 * 1 for "not even that". core(5), "Piping core dumps to a program". */
int forbid_cores(struct parser *parser, const struct option *option, char **arguments,
		 struct fault *fault)
{
	const struct limit limit = {
		.name = "CORE", .resource = RLIMIT_CORE, .soft = 1, .hard = 1
	};

	(void)option;
	(void)arguments;
	return put_limit(parser->plan, &limit, fault);
}

int set_umask(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	uint64_t mask;

	if (!value_octal(arguments[0], 0777, &mask))
		return parser_refuse(fault, option, "must be an octal number from 0 to 777, not",
				     arguments[0]);
	parser->plan->umask = (int)mask;
	return 0;
}

int set_timeout(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	if (!value_seconds(arguments[0], &parser->plan->timeout))
		return parser_refuse(fault, option,
				     "must be a number of seconds above 0, such as 2.5", NULL);
	return 0;
}

int set_text(struct parser *parser, const struct option *option, char **arguments,
	     struct fault *fault)
{
	struct plan *plan = parser->plan;
	const char **const texts[] = {
		[TEXT_CHDIR] = &plan->chdir,
		[TEXT_ARGV0] = &plan->argv0,
		[TEXT_EXEC_LABEL] = &plan->exec_label,
		[TEXT_FILE_LABEL] = &plan->file_label,
	};

	if (option->parameter != TEXT_ARGV0 && arguments[0][0] == '\0')
		return parser_refuse(
			fault, option,
			option->parameter == TEXT_CHDIR ? "the path is empty" : "is empty", NULL);
	*texts[option->parameter] = arguments[0];
	return 0;
}

static int append_fd(int **list, size_t *count, const struct option *option, char **arguments,
		     struct fault *fault)
{
	int fd = parser_fd(option, arguments[0], fault);
	int *place = fd < 0 ? NULL : parser_append(list, count, sizeof(*place), fault);

	if (place == NULL)
		return -1;
	*place = fd;
	return 0;
}

int add_keep_fd(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	struct plan *plan = parser->plan;

	return append_fd(&plan->keep_fds, &plan->keep_fd_count, option, arguments, fault);
}

/* A number that ends at END. */
static bool read_fd(const char *text, const char *end, int *fd)
{
	uint64_t number;

	if (!value_digits(text, end, INT_MAX, &number))
		return false;
	*fd = (int)number;
	return true;
}

int add_map_fd(struct parser *parser, const struct option *option, char **arguments,
	       struct fault *fault)
{
	const char *text = arguments[0], *equals = strchr(text, '='), *old;
	struct plan *plan = parser->plan;
	struct fd_map map = { .old = -1 }, *place;

	old = equals != NULL ? equals + 1 : "";
	if (equals == NULL || !read_fd(text, equals, &map.new) ||
	    (strcmp(old, "null") != 0 && !read_fd(old, old + strlen(old), &map.old)))
		return parser_refuse(fault, option,
				     "must be NEW=OLD or NEW=null with numbers of descriptors, not",
				     text);
	for (size_t i = 0; i < plan->fd_map_count; i++)
		if (plan->fd_maps[i].new == map.new)
			return parser_refuse(fault, option, "NEW is given twice:", text);
	place = parser_append(&plan->fd_maps, &plan->fd_map_count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = map;
	return 0;
}

int set_fd(struct parser *parser, const struct option *option, char **arguments,
	   struct fault *fault)
{
	struct plan *plan = parser->plan;
	int fd = parser_fd(option, arguments[0], fault);

	if (fd < 0)
		return -1;
	/* Who could read these could forge them. */
	if (fd <= 2 && option->parameter <= FD_JSON_STATUS && !plan->inherit_fds)
		return parser_refuse(fault, option,
				     "0, 1 and 2 are the command's; use a descriptor from 3 on",
				     NULL);
	plan->fds[option->parameter] = fd;
	return 0;
}

int unshare_all(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	const unsigned int optional = CLONE_NEWUSER | CLONE_NEWCGROUP;
	struct plan *plan = parser->plan;

	(void)option;
	(void)arguments;
	(void)fault;
	plan->try_for |= optional & ~plan->namespaces;
	plan->namespaces |= optional | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS;
	return 0;
}

int unshare_namespace(struct parser *parser, const struct option *option, char **arguments,
		      struct fault *fault)
{
	(void)arguments;
	(void)fault;
	parser->plan->namespaces |= (unsigned int)option->parameter;
	parser->plan->try_for &= ~(unsigned int)option->parameter;
	return 0;
}

int unshare_try(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	struct plan *plan = parser->plan;

	(void)arguments;
	(void)fault;
	plan->try_for |= (unsigned int)option->parameter & ~plan->namespaces;
	plan->namespaces |= (unsigned int)option->parameter;
	return 0;
}

int share_namespace(struct parser *parser, const struct option *option, char **arguments,
		    struct fault *fault)
{
	(void)arguments;
	(void)fault;
	parser->plan->namespaces &= ~(unsigned int)option->parameter;
	return 0;
}

int change_capabilities(struct parser *parser, const struct option *option, char **arguments,
			struct fault *fault)
{
	struct plan *plan = parser->plan;
	uint64_t set;

	if (!value_capability(arguments[0], &set))
		return parser_refuse(fault, option, "unknown cap:", arguments[0]);
	if (option->parameter) {
		plan->capabilities |= set;
		plan->named_capabilities |= set != UINT64_MAX ? set : 0;
		parser->dropped &= ~set;
	} else {
		plan->capabilities &= ~set;
		plan->named_capabilities &= ~set;
		parser->dropped |= set;
	}
	return 0;
}

int add_lock_file(struct parser *parser, const struct option *option, char **arguments,
		  struct fault *fault)
{
	struct plan *plan = parser->plan;
	const char **place;

	if (arguments[0][0] == '\0')
		return parser_refuse(fault, option, "DEST is empty", NULL);
	place = parser_append(&plan->lock_files, &plan->lock_file_count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = arguments[0];
	return 0;
}

int set_filter(struct parser *parser, const struct option *option, char **arguments,
	       struct fault *fault)
{
	if (!filters_is_file(arguments[0]) && filter_find(arguments[0], false) == NULL)
		return parser_refuse(fault, option,
				     "must be default, strict, network, none, a path with a slash "
				     "or a name in .json, not",
				     arguments[0]);
	parser->plan->filter = arguments[0];
	return 0;
}

int set_dump(struct parser *parser, const struct option *option, char **arguments,
	     struct fault *fault)
{
	bool pfc = strcmp(arguments[0], "pfc") == 0;

	if (!pfc && strcmp(arguments[0], "bpf") != 0)
		return parser_refuse(fault, option, "must be pfc or bpf, not", arguments[0]);
	parser->plan->dump_filter = pfc ? DUMP_PFC : DUMP_BPF;
	return 0;
}

int set_seccomp(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	struct plan *plan = parser->plan;

	if (parser->added_seccomp)
		return parser_refuse(fault, option, "cannot be combined with --add-seccomp-fd",
				     NULL);
	parser->set_seccomp = true;
	plan->seccomp_fd_count = 0;
	return append_fd(&plan->seccomp_fds, &plan->seccomp_fd_count, option, arguments, fault);
}

int add_seccomp(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	struct plan *plan = parser->plan;

	if (parser->set_seccomp)
		return parser_refuse(fault, option, "cannot be combined with --seccomp", NULL);
	parser->added_seccomp = true;
	return append_fd(&plan->seccomp_fds, &plan->seccomp_fd_count, option, arguments, fault);
}

int add_ports(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	struct plan *plan = parser->plan;
	uint64_t **ports =
		option->parameter == PORTS_CONNECT ? &plan->connect_ports : &plan->bind_ports;

	if (*ports == NULL)
		*ports = calloc(VALUE_PORTS / 64, sizeof(**ports));
	if (*ports == NULL)
		return fault_errno(fault, "options", option->name, ENOMEM);
	if (!value_ports(arguments[0], *ports))
		return parser_refuse(fault, option,
				     "must be \"none\" or ports from 0 to 65535 and ranges of them "
				     "such as 80,8000-8080, not",
				     arguments[0]);
	return 0;
}
