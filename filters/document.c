/* SPDX-License-Identifier: MIT */
#include "filters/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A device may do anything when it is read, and most have no end. */
static int check_kind(int fd, const char *path, struct fault *fault)
{
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		return fault_errno(fault, "filter", path, errno);
	if (!S_ISREG(stat.st_mode) && !S_ISFIFO(stat.st_mode))
		return fault_text(fault, "filter", path, "is neither a file nor a pipe");
	return 0;
}

static int read_all(int fd, char *text, size_t room, size_t *size)
{
	ssize_t got;

	*size = 0;
	do {
		got = read(fd, text + *size, room - *size);
		*size += got > 0 ? (size_t)got : 0;
	} while ((got > 0 && *size < room) || (got < 0 && errno == EINTR));
	return got < 0 ? -errno : 0;
}

char *document_read(const char *path, size_t *size, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error;
	char *text = NULL;

	if (fd < 0) {
		fault_errno(fault, "filter", path, errno);
		return NULL;
	}
	if (check_kind(fd, path, fault) != 0)
		goto fail;
	text = malloc(DOCUMENT_SIZE + 1);
	error = text == NULL ? -ENOMEM : read_all(fd, text, DOCUMENT_SIZE + 1, size);
	if (error < 0) {
		fault_errno(fault, "filter", path, error);
		goto fail;
	}
	if (*size > DOCUMENT_SIZE) {
		fault_text(fault, "filter", path, "is larger than 1 MiB");
		goto fail;
	}
	close(fd);
	return text;
fail:
	free(text);
	close(fd);
	return NULL;
}

/* jansson's integers are signed: 64 bits with the highest set do not fit. */
#define WIDE_MARK '\x7f'
#define WIDE_LENGTH 17 /* the mark and 16 digits */

static void wrap_wide(char *digits, size_t count)
{
	char wrapped[WIDE_LENGTH + 3];
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned int digit = (unsigned int)(digits[i] - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return;
		value = value * 10 + digit;
	}
	if (value <= INT64_MAX || digits[0] == '0')
		return;
	snprintf(wrapped, sizeof(wrapped), "\"%c%016llx\"", WIDE_MARK, (unsigned long long)value);
	memset(digits, ' ', count);
	memcpy(digits, wrapped, WIDE_LENGTH + 2);
}

static size_t count_digits(const char *text, size_t size)
{
	size_t count = 0;

	while (count < size && text[count] >= '0' && text[count] <= '9')
		count++;
	return count;
}

/*
 * Such numbers, which have 19 or 20 digits, become strings of no more bytes, so that lines and columns
 * stay. Who writes such a string himself has written that number.
 */
static void wrap_all_wide(char *text, size_t size)
{
	bool quoted = false;
	size_t count;

	for (size_t i = 0; i < size; i += count) {
		count = quoted ? 0 : count_digits(text + i, size - i);
		if ((count == 19 || count == 20) && i > 0 && strchr("-+.eE", text[i - 1]) == NULL &&
		    i + count < size && strchr(".eE", text[i + count]) == NULL)
			wrap_wide(text + i, count);
		if (count > 0)
			continue;
		count = quoted && text[i] == '\\' ? 2 : 1;
		quoted ^= text[i] == '"';
	}
}

/* Cut where it is too long. QUOTE goes around it. */
static void set_detail(struct document *document, const char *quote, const char *text)
{
	if (snprintf(document->detail, sizeof(document->detail), "%s%s%s", quote, text, quote) < 0)
		document->detail[0] = '\0';
	document->fault->detail = document->detail;
}

int document_open(struct document *document, const char *file, char *text, size_t size,
		  struct fault *fault)
{
	json_error_t error;

	*document = (struct document){ .fault = fault };
	snprintf(document->where, PATH_MAX, "%s", file);
	document->file = document->length = strlen(document->where);
	wrap_all_wide(text, size);
	document->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (document->root != NULL)
		return 0;
	snprintf(document->where + document->length, sizeof(document->where) - document->length,
		 ":%d:%d", error.line, error.column);
	fault_text(fault, "filter", document->where, "not JSON:");
	set_detail(document, "", error.text);
	return -1;
}

void document_close(struct document *document)
{
	json_decref(document->root);
}

static size_t add_place(struct document *document, const char *text)
{
	size_t length = document->length;
	size_t room = sizeof(document->where) - length;
	int added = snprintf(document->where + length, room, "%s", text);

	document->length += added < 0 ? 0 : (size_t)added < room ? (size_t)added : room - 1;
	return length;
}

size_t document_enter(struct document *document, const char *key)
{
	size_t length = add_place(document, document->length == document->file ? ": " : ".");

	add_place(document, key);
	return length;
}

size_t document_enter_item(struct document *document, size_t index)
{
	char text[32];

	snprintf(text, sizeof(text), "[%zu]", index);
	return add_place(document, text);
}

void document_leave(struct document *document, size_t length)
{
	document->where[length] = '\0';
	document->length = length;
}

int document_fail(struct document *document, const char *key, const char *reason,
		  const char *quoted)
{
	if (key != NULL)
		document_enter(document, key);
	fault_text(document->fault, "filter", document->where, reason);
	if (quoted != NULL)
		set_detail(document, "\"", quoted);
	return -1;
}

static bool is_among(const char *key, const char *const keys[])
{
	for (; *keys != NULL; keys++)
		if (strcmp(key, *keys) == 0)
			return true;
	return false;
}

int document_check(struct document *document, const json_t *object, const char *const keys[])
{
	json_t *member;
	const char *key;

	if (!json_is_object(object))
		return document_fail(document, NULL, "must be an object", NULL);
	/* What is not known might have been meant to narrow a rule. */
	json_object_foreach((json_t *)(uintptr_t)object, key, member)
	{
		if (strcmp(key, "comment") != 0 && key[0] != '_' && key[0] != '$' &&
		    !is_among(key, keys))
			return document_fail(document, NULL, "unknown key", key);
	}
	return 0;
}

static const json_t *find(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	return json_is_null(member) ? NULL : member;
}

static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text == NULL || text[0] == WIDE_MARK ? NULL : text;
}

int document_text(struct document *document, const json_t *object, const char *key,
		  const char **text)
{
	const json_t *member = find(object, key);

	if (member == NULL)
		return 0;
	*text = text_of(member);
	return *text != NULL ? 1 : document_fail(document, key, "must be a string", NULL);
}

static bool number_of(const json_t *value, uint64_t *number)
{
	const char *text = json_string_value(value);

	if (text != NULL && text[0] == WIDE_MARK && strlen(text) == WIDE_LENGTH) {
		*number = strtoull(text + 1, NULL, 16);
		return true;
	}
	*number = (uint64_t)json_integer_value(value);
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

int document_number(struct document *document, const json_t *object, const char *key, uint64_t max,
		    uint64_t *number)
{
	const json_t *member = find(object, key);
	char bound[32];

	if (member == NULL)
		return 0;
	if (number_of(member, number) && *number <= max)
		return 1;
	snprintf(bound, sizeof(bound), "0 to %llu", (unsigned long long)max);
	document_fail(document, key, "must be a whole number from", NULL);
	set_detail(document, "", bound);
	return -1;
}

int document_list(struct document *document, const json_t *object, const char *key, json_t **list)
{
	const json_t *member = find(object, key);

	*list = (json_t *)(uintptr_t)member;
	if (member == NULL)
		return 0;
	return json_is_array(member) ? 1 : document_fail(document, key, "must be an array", NULL);
}

int document_object(struct document *document, const json_t *object, const char *key,
		    json_t **member)
{
	const json_t *found = find(object, key);

	*member = (json_t *)(uintptr_t)found;
	if (found == NULL)
		return 0;
	return json_is_object(found) ? 1 : document_fail(document, key, "must be an object", NULL);
}

const char *document_item(struct document *document, const json_t *list, size_t index)
{
	const char *text = text_of(json_array_get(list, index));

	if (text != NULL)
		return text;
	document_enter_item(document, index);
	document_fail(document, NULL, "must be a string", NULL);
	return NULL;
}
