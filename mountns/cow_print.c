/* SPDX-License-Identifier: MIT */
/* Paths for people and for text files: any bytes in, one line of UTF-8 out that does nothing to a terminal. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "mountns/cow_walk.h"

/* What moves, hides or turns text, ends a line, or is C1 of ECMA-48. */
static const struct {
	uint32_t first, last;
} controls[] = {
	{ 0x80, 0x9f },     { 0xad, 0xad },     { 0x61c, 0x61c },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

static bool is_control(uint32_t code)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (code >= controls[i].first && code <= controls[i].last)
			return true;
	return false;
}

/* How many bytes at TEXT can be shown as they are; 0: not the first one. RFC 3629. */
static size_t plain_length(const unsigned char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	uint32_t code;

	if (text[0] < 0x80)
		return text[0] >= ' ' && text[0] != 0x7f && text[0] != '\\';
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	code = text[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fU);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return is_control(code) ? 0 : length;
}

char *cow_escape(const char *path)
{
	const unsigned char *from = (const unsigned char *)path;
	char *text = malloc(4 * strlen(path) + 1), *to = text;
	size_t length;

	if (text == NULL)
		return NULL;
	while (*from != '\0') {
		length = plain_length(from);
		if (length == 0) {
			*to++ = '\\';
			*to++ = (char)('0' + (*from >> 6));
			*to++ = (char)('0' + (*from >> 3 & 7));
			*to++ = (char)('0' + (*from++ & 7));
		}
		for (; length > 0; length--)
			*to++ = (char)*from++;
	}
	*to = '\0';
	return text;
}

static bool is_octal(char digit)
{
	return digit >= '0' && digit <= '7';
}

int cow_unescape(char *text)
{
	char *to = text;
	unsigned int byte;

	for (const char *from = text; *from != '\0'; to++) {
		if (*from != '\\') {
			*to = *from++;
			continue;
		}
		if (!is_octal(from[1]) || !is_octal(from[2]) || !is_octal(from[3]))
			return -EINVAL;
		byte = (unsigned int)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
		if (byte == 0 || byte > 255)
			return -EINVAL;
		*to = (char)byte;
		from += 4;
	}
	*to = '\0';
	return 0;
}

static int write_all(int fd, const char *bytes, size_t count)
{
	long done;

	while (count > 0) {
		done = sys_write(fd, bytes, count);
		/* It may be non-blocking, and is the caller's. */
		if (done == -EAGAIN &&
		    poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1) >= 0)
			continue;
		if (done == -EINTR)
			continue;
		if (done < 0)
			return (int)done;
		bytes += done;
		count -= (size_t)done;
	}
	return 0;
}

static int print_change(const struct cow_change *change, int fd)
{
	char *line, *path = cow_escape(change->path);
	size_t length;
	int error;

	line = path == NULL ? NULL : malloc(strlen(path) + 6);
	if (line == NULL) {
		free(path);
		return -ENOMEM;
	}
	line[0] = (char)change->kind;
	memcpy(line + 1, "  ", 2);
	strcpy(line + 3, path);
	length = strlen(line);
	if (change->directory)
		line[length++] = '/';
	line[length++] = '\n';
	error = write_all(fd, line, length);
	free(line);
	free(path);
	return error;
}

int cow_print(const struct cow_changes *changes, int fd)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < changes->count; i++)
		error = print_change(&changes->list[i], fd);
	return error;
}

void cow_free_changes(struct cow_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		free(changes->list[i].path);
	free(changes->list);
	*changes = (struct cow_changes){ 0 };
}

static const char *keep(struct cow_store *store, const char *path)
{
	char *text = cow_escape(path);

	store->failed[0] = '\0';
	if (text != NULL)
		strncat(store->failed, text, sizeof(store->failed) - 1);
	free(text);
	return store->failed;
}

int cow_fault(struct cow_store *store, struct fault *fault, const char *path, int error)
{
	return fault_errno(fault, "cow", keep(store, path), error);
}

int cow_fault_text(struct cow_store *store, struct fault *fault, const char *path,
		   const char *reason)
{
	return fault_text(fault, "cow", keep(store, path), reason);
}
