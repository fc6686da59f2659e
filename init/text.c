/* SPDX-License-Identifier: MIT */
#include <errno.h>
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

void text_visible(struct text *text, const char *string)
{
	for (; *string != '\0'; string++) {
		unsigned char byte = (unsigned char)*string;
		char octal[4] = { '\\', (char)('0' + (byte >> 6)), (char)('0' + (byte >> 3 & 7)),
				  (char)('0' + (byte & 7)) };

		if (byte < 0x20 || byte == 0x7f)
			add_bytes(text, octal, sizeof(octal));
		else
			add_bytes(text, string, 1);
	}
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

void text_json(struct text *text, const char *string)
{
	static const char hex[] = "0123456789abcdef";

	text_add(text, "\"");
	while (*string != '\0') {
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

int text_write(struct text *text, int fd)
{
	long written;

	text->bytes[text->length] = '\n';
	do {
		written = sys_write(fd, text->bytes, text->length + 1);
	} while (written == -EINTR);
	return written < 0 ? (int)written : 0;
}
