/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "init/library/library.h"

/* Copies, and cuts where a character ends: RFC 3629. */
static void copy(char *to, size_t room, const char *from)
{
	size_t length = from != NULL ? strlen(from) : 0;

	if (length >= room) {
		length = room - 1;
		while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(to, from != NULL ? from : "", length);
	to[length] = '\0';
}

static void append(char *to, size_t room, const char *first, const char *second)
{
	size_t length = strlen(to);

	copy(to + length, room - length, first);
	length = strlen(to);
	copy(to + length, room - length, second);
}

int error_set(struct nestbox_error *error, const char *step, const char *object, int number,
	      const char *reason, const char *detail, const char *hint)
{
	char *message;
	size_t room;

	if (error == NULL)
		return number != 0 ? -number : -EPROTO;
	message = error->message;
	room = sizeof(error->message);
	error->error = number;
	copy(error->step, sizeof(error->step), step);
	copy(error->object, sizeof(error->object), object);
	copy(error->reason, sizeof(error->reason), reason);
	if (detail != NULL)
		append(error->reason, sizeof(error->reason), " ", detail);
	copy(error->hint, sizeof(error->hint), hint);
	copy(message, room, error->step);
	append(message, room, ": ", error->object);
	append(message, room, error->object[0] != '\0' ? ": " : "",
	       error->reason[0] != '\0' ? error->reason : strerror(number));
	if (error->hint[0] != '\0') {
		append(message, room, " (", error->hint);
		append(message, room, ")", "");
	}
	return number != 0 ? -number : -EPROTO;
}
