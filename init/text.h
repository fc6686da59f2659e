/* SPDX-License-Identifier: MIT */
/* Text with a bound, for lines that hold names of any bytes. */
#ifndef NESTBOX_INIT_TEXT_H
#define NESTBOX_INIT_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* A line being put together; what does not fit is cut, never overrun. Names are cut earlier than the
 * rest, so that the line still says what it is about and a JSON string is closed. */
struct text {
	size_t length;
	char bytes[4096];
};

#define TEXT_RESERVE 1024 /* bytes that names leave free */

void text_add(struct text *text, const char *string);
void text_number(struct text *text, unsigned long long number);

/* printf(3) with %s, which is made visible as below, %d, and %% alone. */
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprint(struct text *text, const char *format, va_list values)
	__attribute__((format(printf, 2, 0)));

/* For a person's terminal: control characters (C1 ones, too) and what is not UTF-8 as \ooo, so that a
 * line stays a line. */
void text_visible(struct text *text, const char *string);

/* A JSON string in quotes (RFC 8259, section 7); bytes that are not UTF-8 become U+FFFD. */
void text_json(struct text *text, const char *string);

/* Writes all of BYTES to FD, also if that is non-blocking and full for a while. Returns 0, or -errno. */
int text_send(int fd, const void *bytes, size_t count);

/* Writes the line and a newline to FD, with one write where that takes it all. Returns 0, or -errno. */
int text_write(struct text *text, int fd);

#endif
