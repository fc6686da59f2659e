/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "init/text.h"
#include "mountns/sys.h"

static void add_bytes(struct text *text, const char *bytes, size_t count)
{
	/* One byte stays free for the newline. */
	if (count > sizeof(text->bytes) - 1 - text->length)
		count = sizeof(text->bytes) - 1 - text->length;
	memcpy(text->bytes + text->length, bytes, count);
	text->length += count;
}

void text_add(struct text *text, const char *string)
{
	add_bytes(text, string, strlen(string));
}

void text_number(struct text *text, unsigned long long number)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	add_bytes(text, digits + at, sizeof(digits) - at);
}

/* The length of the UTF-8 sequence at S, or 0 if it is none: RFC 3629, section 4. */
static size_t utf8_length(const unsigned char *s)
{
	size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

/* Whether COUNT more bytes of a name still fit. */
static bool has_room(const struct text *text, size_t count)
{
	return text->length + count <= sizeof(text->bytes) - TEXT_RESERVE;
}

void text_visible(struct text *text, const char *string)
{
	while (*string != '\0' && has_room(text, 4)) {
		const unsigned char *s = (const unsigned char *)string;
		size_t length = utf8_length(s);
		/* U+0080 to U+009F are control characters as well. */
		bool control = s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
		char octal[4] = { '\\', (char)('0' + (s[0] >> 6)), (char)('0' + (s[0] >> 3 & 7)),
				  (char)('0' + (s[0] & 7)) };

		if (length == 0 || control)
			add_bytes(text, octal, sizeof(octal));
		else
			add_bytes(text, string, length);
		string += length == 0 || control ? 1 : length;
	}
}

void text_json(struct text *text, const char *string)
{
	static const char hex[] = "0123456789abcdef";

	text_add(text, "\"");
	while (*string != '\0' && has_room(text, 6)) {
		unsigned char byte = (unsigned char)*string;
		size_t length = utf8_length((const unsigned char *)string);
		char control[6] = { '\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15] };
		char quoted[2] = { '\\', (char)byte };

		if (length == 0)
			text_add(text, "\\ufffd");
		else if (byte < 0x20)
			add_bytes(text, control, sizeof(control));
		else if (byte == '"' || byte == '\\')
			add_bytes(text, quoted, sizeof(quoted));
		else
			add_bytes(text, string, length);
		string += length == 0 ? 1 : length;
	}
	text_add(text, "\"");
}

static void add_integer(struct text *text, int number)
{
	text_add(text, number < 0 ? "-" : "");
	text_number(text, number < 0 ? -(unsigned long long)number : (unsigned long long)number);
}

void text_vprint(struct text *text, const char *format, va_list values)
{
	for (size_t length; *format != '\0'; format += length) {
		length = strcspn(format, "%");
		add_bytes(text, format, length);
		if (format[length] == '\0')
			break;
		if (format[length + 1] == 's')
			text_visible(text, va_arg(values, const char *));
		else if (format[length + 1] == 'd')
			add_integer(text, va_arg(values, int));
		else
			add_bytes(text, "%", 1);
		length += 2;
	}
}

void text_print(struct text *text, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	text_vprint(text, format, values);
	va_end(values);
}

static int wait_writable(int fd)
{
	struct pollfd pipe = { .fd = fd, .events = POLLOUT };

	return sys_ppoll(&pipe, 1, NULL);
}

int text_send(int fd, const void *bytes, size_t count)
{
	size_t done = 0;

	while (done < count) {
		long written = sys_write(fd, (const char *)bytes + done, count - done);

		/* Somebody may have made the pipe non-blocking: what is full now need not stay so. */
		if (written == -EAGAIN && wait_writable(fd) >= 0)
			continue;
		if (written < 0 && written != -EINTR)
			return (int)written;
		if (written > 0)
			done += (size_t)written;
	}
	return 0;
}

int text_write(struct text *text, int fd)
{
	text->bytes[text->length] = '\n';
	return text_send(fd, text->bytes, text->length + 1);
}
