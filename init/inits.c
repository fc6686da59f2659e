/* SPDX-License-Identifier: MIT */
/* What the three init programs share: the parser of their options, and their messages' way out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/inits.h"
#include "licence.h"
#include "mountns/sys.h"

/* getopt(3)'s complaints, in the words that people search for. */
static const char invalid[] = "invalid option", no_value[] = "option requires an argument",
		  unrecognized[] = "unrecognized option",
		  ambiguous[] = "is ambiguous; possibilities:",
		  unwanted_value[] = "doesn't allow an argument",
		  needs_value[] = "requires an argument";

const struct init_program *inits_find(enum personality as)
{
	static const struct init_program *const programs[] = {
		[AS_TINI] = &tini,
		[AS_DUMB_INIT] = &dumb_init,
		[AS_CATATONIT] = &catatonit,
	};

	return as <= AS_CATATONIT ? programs[as] : NULL;
}

static int refuse(struct fault *fault, const char *object, const char *reason)
{
	return fault_text(fault, "options", object, reason);
}

static const struct letter *find_letter(const struct init_program *program, char letter)
{
	for (size_t i = 0; i < program->letter_count; i++)
		if (program->letters[i].letter == letter)
			return &program->letters[i];
	return NULL;
}

/* The option of which the first LENGTH bytes of NAME are enough to know it; how many could be meant
 * is put in *COUNT. */
static const struct letter *find_name(const struct init_program *program, const char *name,
				      size_t length, size_t *count)
{
	const struct letter *found = NULL;

	*count = 0;
	for (size_t i = 0; i < program->letter_count; i++) {
		const struct letter *letter = &program->letters[i];

		if (letter->name == NULL || strncmp(letter->name, name, length) != 0)
			continue;
		found = letter;
		(*count)++;
		if (letter->name[length] != '\0')
			continue;
		*count = 1;
		break;
	}
	return found;
}

static bool has_names(const struct init_program *program)
{
	size_t count;

	find_name(program, "", 0, &count);
	return count > 0;
}

/* WORD is --name, --name=value, or a beginning of the name. */
static int take_name(const struct init_program *program, struct plan *plan, char *word,
		     char ***next, struct fault *fault)
{
	size_t length = strcspn(word + 2, "="), count;
	char *value = word[2 + length] == '=' ? word + 2 + length + 1 : NULL;
	const struct letter *letter = find_name(program, word + 2, length, &count);

	if (letter == NULL)
		return refuse(fault, word + 2, unrecognized);
	if (count > 1)
		return refuse(fault, word + 2, ambiguous);
	if (value != NULL && !letter->takes_value)
		return refuse(fault, letter->name, unwanted_value);
	if (value == NULL && letter->takes_value && **next == NULL)
		return refuse(fault, letter->name, needs_value);
	if (value == NULL && letter->takes_value)
		value = *(*next)++;
	return letter->handler(plan, letter, value, fault);
}

static bool is_only_looking(const struct plan *plan)
{
	return plan->help || plan->version || plan->licence;
}

/* WORD is -abc: options without a value and perhaps one with, whose value is the rest or the next
 * word. */
static int take_letters(const struct init_program *program, struct plan *plan, char *word,
			char ***next, struct fault *fault)
{
	for (char *at = word + 1; *at != '\0' && !is_only_looking(plan); at++) {
		const struct letter *letter = find_letter(program, *at);
		char *value = NULL;

		if (letter == NULL)
			return refuse(fault, at, invalid);
		if (letter->takes_value) {
			value = at[1] != '\0' ? at + 1 : *(*next);
			if (value == NULL)
				return refuse(fault, at, no_value);
			*next += at[1] == '\0';
		}
		if (letter->handler(plan, letter, value, fault) != 0)
			return -1;
		if (letter->takes_value)
			break;
	}
	return 0;
}

int inits_parse(const struct init_program *program, struct plan *plan, char **words,
		struct fault *fault)
{
	bool names = has_names(program);
	char **next = words;

	if (program->lone_version && words[0] != NULL && words[1] == NULL)
		plan->version = strcmp(words[0], "--version") == 0;
	while (*next != NULL && (*next)[0] == '-' && (*next)[1] != '\0' && !is_only_looking(plan)) {
		char *word = *next++;
		int status = 0;

		if (strcmp(word, "--") == 0)
			break;
		if (word[1] == '-' && names)
			status = take_name(program, plan, word, &next, fault);
		else
			status = take_letters(program, plan, word, &next, fault);
		if (status != 0)
			return -1;
	}
	plan->command = next;
	return is_only_looking(plan) ? 0 : program->finish(plan, fault);
}

static void add_possibilities(struct text *line, const struct init_program *program,
			      const char *name)
{
	for (size_t i = 0; i < program->letter_count; i++)
		if (program->letters[i].name != NULL &&
		    strncmp(program->letters[i].name, name, strcspn(name, "=")) == 0)
			text_print(line, " '--%s'", program->letters[i].name);
}

bool inits_option_message(struct text *line, const struct init_program *program,
			  const struct plan *plan, const struct fault *fault)
{
	const char *reason = fault->reason;
	char letter[2] = { 0 };

	text_print(line, "%s: ", plan->name);
	if (reason == invalid || reason == no_value) {
		letter[0] = fault->object[0];
		text_print(line, "%s -- '%s'", reason, letter);
	} else if (reason == unrecognized) {
		text_print(line, "%s '--%s'", reason, fault->object);
	} else if (reason == ambiguous || reason == unwanted_value || reason == needs_value) {
		text_print(line, "option '--%s' %s", fault->object, reason);
		if (reason == ambiguous)
			add_possibilities(line, program, fault->object);
	} else {
		line->length = 0;
		return false;
	}
	return true;
}

void inits_phrase(struct text *line, const struct init_phrase *phrases, size_t count,
		  const struct fault *fault)
{
	const struct init_phrase unknown = { fault->step, fault->step, false, ": " };
	const struct init_phrase *phrase = phrases;

	while (phrase < phrases + count && strcmp(phrase->step, fault->step) != 0)
		phrase++;
	if (phrase == phrases + count)
		phrase = &unknown;
	text_add(line, phrase->before);
	if (phrase->names)
		text_visible(line, fault->object);
	text_add(line, phrase->behind);
	text_add(line, fault->reason != NULL ? fault->reason : inits_reason(fault->error));
}

void inits_tell(const struct plan *plan, const struct init_event *event)
{
	const struct init_program *program = inits_find(plan->as);

	if (program != NULL)
		program->tell(plan, event);
}

const char *inits_reason(int error)
{
	static const struct {
		int error;
		const char *words;
	} reasons[] = {
		{ ENOTTY, "Inappropriate ioctl for device" },
		{ EIO, "Input/output error" },
		{ ELOOP, "Too many levels of symbolic links" },
		{ ENODEV, "No such device" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].error == error)
			return reasons[i].words;
	return strerror(error);
}

int inits_licence(int fd)
{
	return text_send(fd, licence_text, sizeof(licence_text) - 1);
}
