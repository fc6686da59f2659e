/* SPDX-License-Identifier: MIT */
/* A plan is a list of words for the launcher: its option table is the one place that says what they
 * mean, so here it serves to count arguments. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/library/library.h"
#include "init/options.h"

#define ARGUMENTS_MAX 3

#define OPTION(name, letter, owner, group, arguments, handler, parameter, help)                    \
	{ name, arguments, GROUP_##group == GROUP_LOOK },
static const struct known {
	const char *name, *arguments;
	bool looks; /* instead of starting anything, or at more words */
} known[] = {
#include "init/options.def"
};
#undef OPTION

/* These are the library's own, are no box, or are said by a function of their own. */
static const char *const refused[] = { "status-fd",   "quiet",           "level-prefix",
				       "die-with-fd", "die-with-parent", "init-only",
				       "keep-fd",     "map-fd",          "dump-filter" };

const char *nestbox_version(void)
{
	return NESTBOX_VERSION;
}

struct nestbox_plan *nestbox_plan_new(void)
{
	struct nestbox_plan *plan = calloc(1, sizeof(*plan));

	if (plan == NULL)
		return NULL;
	plan->program = program_open(&plan->program_error);
	return plan;
}

void nestbox_plan_free(struct nestbox_plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->word_count; i++)
		free(plan->words[i].bytes);
	free(plan->words);
	free(plan->fds);
	free(plan->path);
	program_close(plan->program);
	free(plan);
}

int nestbox_plan_error(const struct nestbox_plan *plan, struct nestbox_error *error)
{
	if (plan == NULL)
		return error_set(error, "plan", "", EINVAL, "there is none", NULL, NULL);
	if (error != NULL)
		*error = plan->error;
	return plan->status;
}

/* A plan with an error takes nothing more and starts nothing. */
static int fail(struct nestbox_plan *plan, const char *object, int number, const char *reason)
{
	plan->status = error_set(&plan->error, "plan", object, number, reason, NULL, NULL);
	return plan->status;
}

int plan_refuse(struct nestbox_plan *plan, const char *object, int number, const char *reason)
{
	if (plan == NULL)
		return -EINVAL;
	return plan->status != 0 ? plan->status : fail(plan, object, number, reason);
}

/* One more element for the list at *LIST, zeroed. NULL with the plan's error. */
static void *append(struct nestbox_plan *plan, void *list, size_t *count, size_t size)
{
	void *grown;

	memcpy(&grown, list, sizeof(grown));
	/* Room for 8, 16, 32 ...: it is full when the count is one of these. */
	if (*count == 0 || (*count >= 8 && (*count & (*count - 1)) == 0))
		grown = reallocarray(grown, *count != 0 ? 2 * *count : 8, size);
	if (grown == NULL) {
		fail(plan, "", ENOMEM, NULL);
		return NULL;
	}
	memcpy(list, &grown, sizeof(grown));
	return memset((char *)grown + (*count)++ * size, 0, size);
}

static struct word *add_word(struct nestbox_plan *plan)
{
	return append(plan, &plan->words, &plan->word_count, sizeof(*plan->words));
}

/* SIZE bytes and a NUL. */
static int add_bytes(struct nestbox_plan *plan, bool data, const void *bytes, size_t size)
{
	struct word *word = add_word(plan);

	if (word == NULL)
		return plan->status;
	word->kind = data ? WORD_DATA : WORD_TEXT;
	word->bytes = size < SIZE_MAX ? malloc(size + 1) : NULL;
	if (word->bytes == NULL)
		return fail(plan, "", ENOMEM, NULL);
	if (size > 0)
		memcpy(word->bytes, bytes, size);
	word->bytes[size] = '\0';
	word->size = size;
	return 0;
}

static int add_text(struct nestbox_plan *plan, const char *text)
{
	return add_bytes(plan, false, text, strlen(text));
}

/* A number as the command's own parser reads it: digits alone. */
static int add_fd(struct nestbox_plan *plan, const char *option, const char *text)
{
	struct word *word;
	long fd = 0;

	for (const char *digit = text; *digit != '\0' || digit == text; digit++) {
		if (*digit < '0' || *digit > '9' || (fd = fd * 10 + (*digit - '0')) > INT_MAX)
			return fail(plan, option, EINVAL,
				    "must be a number of a descriptor of the caller");
	}
	word = add_word(plan);
	if (word == NULL)
		return plan->status;
	word->kind = WORD_FD;
	word->fd = (int)fd;
	return 0;
}

static const struct known *find(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

static bool is_refused(const struct known *option)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(refused[i], option->name) == 0)
			return true;
	return option->looks;
}

static size_t count_arguments(const struct known *option)
{
	size_t count = option->arguments[0] != '\0';

	for (const char *p = option->arguments; *p != '\0'; p++)
		count += *p == ' ';
	return count;
}

/* Whether its first argument is a descriptor: "FD" or "FD DEST". */
static bool takes_fd(const struct known *option)
{
	return strncmp(option->arguments, "FD", 2) == 0 &&
	       (option->arguments[2] == '\0' || option->arguments[2] == ' ');
}

/* The option with its dashes as a word, and what it is. NULL with the plan's error. */
static const struct known *begin_option(struct nestbox_plan *plan, const char *name)
{
	const struct known *option = name != NULL ? find(name) : NULL;
	char word[64];

	if (option == NULL) {
		fail(plan, name != NULL ? name : "", EINVAL,
		     name != NULL ? "unknown option" : "the name of an option is missing");
		return NULL;
	}
	if (is_refused(option)) {
		fail(plan, option->name, ENOTSUP, "is no option for a box of the library");
		return NULL;
	}
	plan->keeps_terminal |= strcmp(option->name, "tty") == 0;
	snprintf(word, sizeof(word), "--%s", option->name);
	return add_text(plan, word) == 0 ? option : NULL;
}

/* COUNT arguments, from number FIRST on, which the option takes behind those that are there. */
static int add_arguments(struct nestbox_plan *plan, const struct known *option, size_t first,
			 const char *const arguments[], size_t count)
{
	int status = 0;

	if (first + count != count_arguments(option))
		return fail(plan, option->name, EINVAL,
			    first + count < count_arguments(option)
				    ? "an argument is missing"
				    : "there are too many arguments");
	for (size_t i = 0; i < count && status == 0; i++)
		status = first + i == 0 && takes_fd(option)
				 ? add_fd(plan, option->name, arguments[i])
				 : add_text(plan, arguments[i]);
	return status;
}

static size_t collect(const char *arguments[ARGUMENTS_MAX + 1], va_list values)
{
	size_t count = 0;
	const char *value;

	while (count <= ARGUMENTS_MAX && (value = va_arg(values, const char *)) != NULL)
		arguments[count++] = value;
	return count;
}

int nestbox_plan_option_list(struct nestbox_plan *plan, const char *name,
			     const char *const arguments[])
{
	const struct known *option;
	size_t count = 0;

	if (plan == NULL)
		return -EINVAL;
	if (plan->status != 0)
		return plan->status;
	if (arguments == NULL)
		return fail(plan, name != NULL ? name : "", EINVAL, "the arguments are missing");
	while (count <= ARGUMENTS_MAX && arguments[count] != NULL)
		count++;
	option = begin_option(plan, name);
	return option != NULL ? add_arguments(plan, option, 0, arguments, count) : plan->status;
}

int nestbox_plan_option(struct nestbox_plan *plan, const char *name, ...)
{
	const char *arguments[ARGUMENTS_MAX + 2] = { NULL };
	va_list values;

	va_start(values, name);
	collect(arguments, values);
	va_end(values);
	return nestbox_plan_option_list(plan, name, arguments);
}

int nestbox_plan_data(struct nestbox_plan *plan, const char *name, const void *bytes, size_t size,
		      ...)
{
	const char *arguments[ARGUMENTS_MAX + 1];
	const struct known *option;
	va_list values;
	size_t count;

	if (plan == NULL)
		return -EINVAL;
	if (plan->status != 0)
		return plan->status;
	va_start(values, size);
	count = collect(arguments, values);
	va_end(values);
	option = begin_option(plan, name);
	if (option == NULL)
		return plan->status;
	if (!takes_fd(option))
		return fail(plan, option->name, EINVAL, "does not read from a descriptor");
	if (bytes == NULL && size > 0)
		return fail(plan, option->name, EINVAL, "the data are missing");
	if (add_bytes(plan, true, bytes, size) != 0)
		return plan->status;
	return add_arguments(plan, option, 1, arguments, count);
}

int nestbox_plan_stdio(struct nestbox_plan *plan, int which, enum nestbox_stdio kind, int fd)
{
	if (plan == NULL)
		return -EINVAL;
	if (plan->status != 0)
		return plan->status;
	if (which < 0 || which > 2)
		return fail(plan, "stdio", EINVAL, "there are 0, 1 and 2");
	if ((unsigned int)kind > NESTBOX_STDOUT || (kind == NESTBOX_STDOUT && which != 2))
		return fail(plan, "stdio", EINVAL, "there is no such kind");
	if (kind == NESTBOX_FD && fd < 0)
		return fail(plan, "stdio", EINVAL, "must be a descriptor of the caller");
	plan->stdio[which] = (struct stdio_choice){ .kind = kind, .fd = fd };
	return 0;
}

int nestbox_plan_fd(struct nestbox_plan *plan, int inside, int fd)
{
	struct inside_fd *place;

	if (plan == NULL)
		return -EINVAL;
	if (plan->status != 0)
		return plan->status;
	if (inside < 3 || fd < 0)
		return fail(plan, "fd", EINVAL,
			    inside < 3 ? "0, 1 and 2 are for nestbox_plan_stdio()"
				       : "must be a descriptor of the caller");
	for (size_t i = 0; i < plan->fd_count; i++)
		if (plan->fds[i].inside == inside)
			return fail(plan, "fd", EEXIST, "the number was given before");
	place = append(plan, &plan->fds, &plan->fd_count, sizeof(*place));
	if (place == NULL)
		return plan->status;
	*place = (struct inside_fd){ .inside = inside, .fd = fd };
	return 0;
}

int nestbox_plan_program(struct nestbox_plan *plan, const char *path)
{
	if (plan == NULL)
		return -EINVAL;
	if (plan->status != 0)
		return plan->status;
	if (path == NULL || path[0] == '\0')
		return fail(plan, "program", EINVAL, "the path is empty");
	free(plan->path);
	plan->path = strdup(path);
	return plan->path != NULL ? 0 : fail(plan, "program", ENOMEM, NULL);
}
