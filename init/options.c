/* SPDX-License-Identifier: MIT */
/* The option table, and the parser, which knows nothing but the table. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/fallback.h"
#include "init/inits.h"
#include "init/parser.h"
#include "init/personality.h"
#include "init/values.h"
#include "mountns/linux.h"

/* Bounds for --args, far beyond what anybody has use for. */
#define ARGS_BYTES_MAX (64UL << 20)
#define ARGS_DEPTH_MAX 8

#define OPTION(name, letter, owner, group, arguments, handler, parameter, help)                    \
	{ "--" name, letter, OWNER_##owner, GROUP_##group, arguments, handler, parameter, help },
const struct option options[] = {
#include "init/options.def"
};
#undef OPTION
const size_t option_count = sizeof(options) / sizeof(options[0]);

_Static_assert(sizeof(options) / sizeof(options[0]) <= 64 * 3, "parser.seen has a bit for each");

size_t option_arguments(const struct option *option)
{
	size_t count = option->arguments[0] != '\0';

	for (const char *p = option->arguments; *p != '\0'; p++)
		count += *p == ' ';
	return count;
}

int parser_refuse(struct fault *fault, const struct option *option, const char *reason,
		  const char *detail)
{
	fault_text(fault, "options", option->name, reason);
	fault->detail = detail;
	return -1;
}

void *parser_append(void *list, size_t *count, size_t size, struct fault *fault)
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

int parser_fd(const struct option *option, const char *text, struct fault *fault)
{
	uint64_t fd;

	if (!value_number(text, INT_MAX, &fd))
		return parser_refuse(fault, option, "must be a number of a descriptor, not", text);
	return (int)fd;
}

/* An argument on its way through the parser. */
struct cursor {
	char **next;    /* the word behind the current one */
	char *attached; /* the value in the same word, NULL if there is none */
};

static bool is_owned(const struct option *option, enum personality as)
{
	return as == AS_NESTBOX || option->owner == OWNER_BOTH;
}

static const struct option *find_long(enum personality as, const char *word, size_t length)
{
	for (size_t i = 0; i < option_count; i++)
		if (is_owned(&options[i], as) && strncmp(options[i].name, word, length) == 0 &&
		    options[i].name[length] == '\0')
			return &options[i];
	return NULL;
}

const struct option *options_find(enum personality as, const char *name)
{
	return find_long(as, name, strlen(name));
}

static const struct option *find_letter(char letter)
{
	for (size_t i = 0; i < option_count; i++)
		if (options[i].letter != '\0' && options[i].letter == letter)
			return &options[i];
	return NULL;
}

/* --name, --name=value, -l or -lvalue; bubblewrap knows the first alone. */
static const struct option *find(enum personality as, char *word, struct cursor *cursor)
{
	size_t length = strlen(word);

	cursor->attached = NULL;
	if (as != AS_NESTBOX)
		return find_long(as, word, length);
	if (word[1] != '-') {
		cursor->attached = word[2] != '\0' ? word + 2 : NULL;
		return find_letter(word[1]);
	}
	length = strcspn(word, "=");
	cursor->attached = word[length] == '=' ? word + length + 1 : NULL;
	return find_long(as, word, length);
}

/* Options of which the last one counts: a caller who gives two may not have meant that. */
static int note_repetition(struct parser *parser, const struct option *option, struct fault *fault)
{
	size_t row = (size_t)(option - options);
	uint64_t bit = 1ULL << (row % 64);
	struct plan *plan = parser->plan;
	const char **place;
	bool again = (parser->seen[row / 64] & bit) != 0;

	parser->seen[row / 64] |= bit;
	if (again && plan->as == AS_BWRAP && option->handler == set_text &&
	    option->parameter == TEXT_ARGV0)
		return parser_refuse(fault, option, "used multiple times", NULL);
	if (!again || (option->handler != set_text && option->handler != set_fd &&
		       option->handler != set_id && option->handler != set_hostname &&
		       option->handler != set_seccomp))
		return 0;
	place = parser_append(&plan->repeated, &plan->repeated_count, sizeof(*place), fault);
	if (place == NULL)
		return -1;
	*place = option->name;
	return 0;
}

/* --perms, --size and --overlay-src are about the next option, which must have taken them. */
static int check_leftovers(const struct parser *parser, const struct option *option,
			   struct fault *fault)
{
	bool modifier =
		option != NULL && (option->handler == set_perms || option->handler == set_size);

	if (!modifier && parser->perms >= 0)
		return fault_text(fault, "options", "--perms",
				  "must be followed by an option that creates a file");
	if (!modifier && parser->size > 0)
		return fault_text(fault, "options", "--size", "must be followed by --tmpfs");
	if (parser->layers > 0 && (option == NULL || option->handler != add_layer))
		return fault_text(fault, "options", "--overlay-src",
				  "must be followed by another --overlay-src or one of --overlay, "
				  "--tmp-overlay, or --ro-overlay");
	return 0;
}

/* In the same word alone, so that there is no doubt about the next one. */
static bool has_optional_value(const struct option *option)
{
	return option->handler == set_check;
}

static int take(struct parser *parser, char *word, struct cursor *cursor, struct fault *fault)
{
	const struct option *option = find(parser->plan->as, word, cursor);
	char *values[3];
	size_t count, i = 0;

	if (option == NULL)
		return fault_text(fault, "options", word, "unknown option");
	count = option_arguments(option);
	values[0] = NULL;
	if (cursor->attached != NULL && count != 1 && !has_optional_value(option))
		return fault_text(fault, "options", word,
				  count ? "takes its arguments as words of their own"
					: "takes no argument");
	if (cursor->attached != NULL)
		values[i++] = cursor->attached;
	for (; i < count; i++) {
		if (*cursor->next == NULL)
			return fault_text(fault, "options", word, "an argument is missing");
		values[i] = *cursor->next++;
	}
	if (option->handler(parser, option, values, fault) != 0 ||
	    note_repetition(parser, option, fault) != 0)
		return -1;
	return check_leftovers(parser, option, fault);
}

int parser_words(struct parser *parser, char **words, char ***rest, struct fault *fault)
{
	struct cursor cursor = { .next = words };
	const struct plan *plan = parser->plan;

	while (*cursor.next != NULL && (*cursor.next)[0] == '-' && (*cursor.next)[1] != '\0' &&
	       (plan->as == AS_NESTBOX || (!plan->help && !plan->version))) {
		char *word = *cursor.next++;

		if (strcmp(word, "--") == 0)
			break;
		if (take(parser, word, &cursor, fault) != 0)
			return -1;
	}
	*rest = cursor.next;
	return 0;
}

/* All that FD gives, with a NUL behind it. */
static char *read_all(int fd, size_t *length, struct fault *fault)
{
	size_t room = 4096, got = 0;
	char *bytes = malloc(room);
	ssize_t count = 1;

	while (bytes != NULL && count > 0 && got < ARGS_BYTES_MAX) {
		if (got + 1 == room) {
			char *grown = realloc(bytes, room *= 2);

			if (grown == NULL)
				free(bytes);
			bytes = grown;
			continue;
		}
		do {
			count = read(fd, bytes + got, room - got - 1);
		} while (count < 0 && errno == EINTR);
		got += count > 0 ? (size_t)count : 0;
	}
	if (bytes == NULL || count != 0) {
		fault_errno(fault, "options", "--args",
			    bytes == NULL ? ENOMEM
			    : count < 0   ? errno
					  : EFBIG);
		free(bytes);
		return NULL;
	}
	bytes[got] = '\0';
	*length = got;
	return bytes;
}

/* The words that BYTES hold, each ended by a NUL; the last one need not be. */
static char **split(char *bytes, size_t length, struct fault *fault)
{
	char **words = NULL, **place;
	size_t count = 0;

	for (char *word = bytes; word < bytes + length; word += strlen(word) + 1) {
		place = parser_append(&words, &count, sizeof(*place), fault);
		if (place == NULL)
			break;
		*place = word;
	}
	/* The NULL at the end. */
	if (parser_append(&words, &count, sizeof(*place), fault) == NULL) {
		free(words);
		return NULL;
	}
	return words;
}

int read_args(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	int fd = parser_fd(option, arguments[0], fault);
	struct plan *plan = parser->plan;
	char **words, **rest, **kept;
	size_t length = 0;
	int status;

	if (fd < 0)
		return -1;
	if (parser->depth > 0 && (plan->as != AS_NESTBOX || parser->depth == ARGS_DEPTH_MAX))
		return parser_refuse(fault, option, "not supported in arguments file", NULL);
	kept = parser_append(&plan->texts, &plan->text_count, sizeof(*kept), fault);
	if (kept == NULL)
		return -1;
	*kept = read_all(fd, &length, fault);
	if (*kept == NULL)
		return -1;
	close(fd);
	words = split(*kept, length, fault);
	if (words == NULL)
		return -1;
	parser->depth++;
	status = parser_words(parser, words, &rest, fault);
	parser->depth--;
	/* bubblewrap leaves what is no option alone. */
	if (status == 0 && *rest != NULL && plan->as == AS_NESTBOX)
		status = parser_refuse(fault, option, "holds a word that is no option:", *rest);
	free(words);
	return status;
}

/* main() has taken it where it counts. */
int refuse_late_name(struct parser *parser, const struct option *option, char **arguments,
		     struct fault *fault)
{
	(void)parser;
	(void)arguments;
	return parser_refuse(fault, option, "must be the first option", NULL);
}

/* Without a box there is nothing that these could be about. Grants and ports are Landlock's then. */
static int check_init_only(const struct parser *parser, struct fault *fault)
{
	static const char *const others[] = {
		"--tty",         "--hostname", "--as-pid-1",       "--lock-file",
		"--exec-label",  "--info-fd",  "--json-status-fd", "--userns-block-fd",
		"--die-with-fd", "--map-uids", "--map-gids",       "--append"
	};

	struct plan *plan = parser->plan;

	for (size_t i = 0; i < option_count; i++) {
		enum option_group group = options[i].group;
		bool box = group == GROUP_MOUNTS || group == GROUP_COW ||
			   (group == GROUP_NAMESPACES && options[i].handler != add_ports);

		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
			box |= strcmp(options[i].name, others[j]) == 0;
		if (box && (parser->seen[i / 64] & 1ULL << (i % 64)) != 0)
			return parser_refuse(
				fault, &options[i],
				"cannot be combined with --init-only: it is about a box", NULL);
	}
	/* Everything is as the caller has it but for what was taken away; or for what another user would lose
	 * and is to keep, of which the highest bit stands for none. */
	if (plan->uid < 0 || plan->capabilities == 0 || parser->dropped != 0)
		plan->capabilities = ~parser->dropped;
	else
		plan->capabilities &= INT64_MAX;
	return 0;
}

/* What is for nestbox is not for the command. */
static int check_given(const struct plan *plan, int fd, const char *option, struct fault *fault)
{
	for (size_t i = 0; i < PLAN_FDS && fd >= 0; i++)
		if (fd == plan->fds[i])
			return fault_text(fault, "options", option,
					  i <= FD_EXIT_SIGNAL
						  ? "the command must not have a status descriptor"
						  : "another option has that descriptor");
	return 0;
}

static int check_descriptors(const struct plan *plan, struct fault *fault)
{
	for (size_t i = 0; i < plan->keep_fd_count; i++)
		if (check_given(plan, plan->keep_fds[i], "--keep-fd", fault) != 0)
			return -1;
	for (size_t i = 0; i < plan->fd_map_count; i++) {
		if (check_given(plan, plan->fd_maps[i].old, "--map-fd", fault) != 0)
			return -1;
		for (size_t j = 0; j < plan->keep_fd_count; j++)
			if (plan->fd_maps[i].new == plan->keep_fds[j])
				return fault_text(fault, "options", "--map-fd",
						  "NEW is a descriptor of --keep-fd, too");
	}
	return 0;
}

/* --check is about what anybody could have here, not about a plan. */
static int check_alone(const struct parser *parser, struct fault *fault)
{
	for (size_t i = 0; i < option_count; i++)
		if (options[i].handler != set_check && options[i].handler != read_args &&
		    (parser->seen[i / 64] & 1ULL << (i % 64)) != 0)
			return parser_refuse(fault, &options[i], "cannot be combined with --check",
					     NULL);
	if (parser->plan->command[0] == NULL)
		return 0;
	fault_text(fault, "options", "--check", "takes no command:");
	fault->detail = parser->plan->command[0];
	return -1;
}

static int check(const struct parser *parser, struct fault *fault)
{
	struct plan *plan = parser->plan;

	if (plan->help || plan->version)
		return 0;
	if (plan->check != CHECK_NOT_ASKED)
		return check_alone(parser, fault);
	if (parser_check_cow(parser, fault) != 0)
		return -1;
	if (plan->cow_commit != NULL || plan->cow_discard != NULL)
		return 0;
	plan->new_session |= plan->tty;
	if ((plan->init_only && check_init_only(parser, fault) != 0) ||
	    parser_check_ids(plan, fault) != 0 || personality_check(plan, fault) != 0)
		return -1;
	if (plan->command[0] == NULL && plan->dump_filter != DUMP_NOTHING)
		return 0;
	if (plan->command[0] == NULL)
		return fault_text(fault, "options", "COMMAND", "is missing");
	if (plan->command[0][0] == '\0')
		return fault_text(fault, "options", "COMMAND", "is empty");
	if (plan->die_with_parent && plan->fds[FD_DIE_WITH] >= 0)
		return fault_text(fault, "options", "--die-with-fd",
				  "cannot be combined with --die-with-parent");
	if (plan->fallback && fallback_check(plan, fault) != 0)
		return -1;
	return check_descriptors(plan, fault);
}

/* --as NAME in front of all other options is what the program's own name is elsewhere. */
static int find_personality(char ***words, enum personality *as, const char **name_called,
			    struct fault *fault)
{
	char **next = *words;
	const char *name;

	*as = personality_called(next);
	*name_called = next[0] != NULL ? next[0] : "";
	*words = next += next[0] != NULL;
	if (*as != AS_NESTBOX || next[0] == NULL)
		return 0;
	if (strncmp(next[0], "--as=", 5) == 0)
		name = *next++ + 5;
	else if (strcmp(next[0], "--as") == 0 && next[1] != NULL)
		name = (next += 2)[-1];
	else
		return 0;
	*words = next;
	*as = personality_named(name);
	*name_called = name;
	if (*as == AS_NESTBOX && strcmp(name, "nestbox") != 0)
		return fault_text(fault, "options", name, "is no program that nestbox can be");
	return 0;
}

int init_parse(struct plan *plan, int argc, char **argv, struct fault *fault)
{
	struct parser parser = { .plan = plan, .perms = -1 };
	const struct init_program *program;
	enum personality as;

	(void)argc;
	*plan = (struct plan){ .command = argv, .fds[FD_STATUS] = -1 };
	if (find_personality(&argv, &as, &plan->name, fault) != 0 ||
	    personality_defaults(plan, as, fault) != 0)
		return -1;
	program = inits_find(as);
	if (program != NULL)
		return inits_parse(program, plan, argv, fault);
	if (parser_words(&parser, argv, &plan->command, fault) != 0 ||
	    check_leftovers(&parser, NULL, fault) != 0)
		return -1;
	return check(&parser, fault);
}

void init_release(struct plan *plan)
{
	for (size_t i = 0; i < plan->text_count; i++)
		free(plan->texts[i]);
	free(plan->texts);
	free(plan->grants);
	free(plan->steps);
	free(plan->env);
	free(plan->limits);
	free(plan->keep_fds);
	free(plan->fd_maps);
	free(plan->seccomp_fds);
	free(plan->lock_files);
	free(plan->uid_ranges);
	free(plan->gid_ranges);
	free(plan->groups);
	free(plan->connect_ports);
	free(plan->bind_ports);
	free(plan->repeated);
}
