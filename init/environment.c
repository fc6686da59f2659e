/* SPDX-License-Identifier: MIT */
/* The workload's environment: nothing but PATH unless the plan says so. */
#include <stdlib.h>
#include <string.h>

#include "init/box.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The variables so far; each string is a copy. */
struct list {
	char **strings;
	size_t count;
};

static size_t find(const struct list *list, const char *name, size_t length)
{
	size_t i = 0;

	while (i < list->count &&
	       !(strncmp(list->strings[i], name, length) == 0 && list->strings[i][length] == '='))
		i++;
	return i;
}

static void drop(struct list *list, const char *name)
{
	size_t i = find(list, name, strlen(name));

	if (i == list->count)
		return;
	free(list->strings[i]);
	/* In the caller's order, the NULL too. */
	memmove(&list->strings[i], &list->strings[i + 1], (list->count - i) * sizeof(char *));
	list->count--;
}

/* Takes STRING over, in place of one with the same name. */
static bool put(struct list *list, char *string)
{
	size_t i;
	char **grown;

	if (string == NULL)
		return false;
	i = find(list, string, strcspn(string, "="));
	if (i < list->count) {
		free(list->strings[i]);
		list->strings[i] = string;
		return true;
	}
	/* Room for 15, 31 …, and the NULL at the end. */
	if (list->count == 0 || (list->count & (list->count + 1)) == 0) {
		grown = reallocarray(list->strings, 2 * list->count + 16, sizeof(*grown));
		if (grown == NULL) {
			free(string);
			return false;
		}
		list->strings = grown;
	}
	list->strings[list->count++] = string;
	list->strings[list->count] = NULL;
	return true;
}

static char *join(const char *name, const char *value)
{
	size_t length = strlen(name), size = length + strlen(value) + 2;
	char *string = malloc(size);

	if (string != NULL) {
		memcpy(string, name, length);
		string[length] = '=';
		memcpy(string + length + 1, value, size - length - 1);
	}
	return string;
}

/* The string that getenv(3) would find for the first LENGTH bytes of NAME. */
static char *find_first(char *const caller[], const char *name, size_t length)
{
	while (*caller != NULL &&
	       !(strncmp(*caller, name, length) == 0 && (*caller)[length] == '='))
		caller++;
	return *caller;
}

static bool keep(struct list *list, char *const caller[], const char *name)
{
	char *string = find_first(caller, name, strlen(name));

	return string == NULL || put(list, strdup(string));
}

/* Of a name that is there twice only the first counts, as it does for the caller. */
static bool keep_all(struct list *list, char *const caller[])
{
	for (char *const *string = caller; *string != NULL; string++) {
		size_t length = strcspn(*string, "=");

		if ((*string)[length] == '=' && find_first(caller, *string, length) == *string &&
		    !put(list, strdup(*string)))
			return false;
	}
	return true;
}

static void clear(struct list *list)
{
	while (list->count > 0)
		free(list->strings[--list->count]);
	list->strings[0] = NULL;
}

static bool apply(struct list *list, const struct env_edit *edit, char *const caller[])
{
	switch (edit->kind) {
	case ENV_KEEP:
		return keep(list, caller, edit->name);
	case ENV_KEEP_ALL:
		return keep_all(list, caller);
	case ENV_SET:
		return put(list, join(edit->name, edit->value));
	case ENV_UNSET:
		drop(list, edit->name);
		return true;
	case ENV_CLEAR:
		clear(list);
		return true;
	}
	return false;
}

char **environment_make(const struct env_edit *edits, size_t count, char *const caller[])
{
	struct list list = { 0 };

	if (!put(&list, strdup(DEFAULT_PATH)))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (apply(&list, &edits[i], caller))
			continue;
		environment_free(list.strings);
		return NULL;
	}
	return list.strings;
}

char *environment_reserve(char ***environment, const char *prefix, size_t room)
{
	struct list list = { .strings = *environment };
	size_t length = strlen(prefix);
	char *string = calloc(1, length + room);

	while (list.strings[list.count] != NULL)
		list.count++;
	if (string == NULL)
		return NULL;
	memcpy(string, prefix, length);
	if (!put(&list, string))
		return NULL;
	*environment = list.strings;
	return string + length;
}

void environment_free(char **environment)
{
	for (char **string = environment; string != NULL && *string != NULL; string++)
		free(*string);
	free(environment);
}
