/* SPDX-License-Identifier: MIT */
/*
 * Debian's archives of libseccomp and jansson were compiled for glibc, with its checked variants of
 * functions, which musl lacks: LSB Core, "Interfaces for libc". Only the musl build has this file.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format,
		    va_list values) __attribute__((format(printf, 5, 0)));
char *__strncpy_chk(char *to, const char *from, size_t size, size_t room);
long __isoc23_strtol(const char *text, char **end, int base);
unsigned long __isoc23_strtoul(const char *text, char **end, int base);
long long __isoc23_strtoll(const char *text, char **end, int base);

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
	va_list values;
	int length;

	(void)flag;
	va_start(values, format);
	length = vfprintf(file, format, values);
	va_end(values);
	return length;
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format,
		    va_list values)
{
	(void)flag;
	if (size > room)
		abort();
	return vsnprintf(to, size, format, values);
}

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list values;
	int length;

	va_start(values, format);
	length = __vsnprintf_chk(to, size, flag, room, format, values);
	va_end(values);
	return length;
}

char *__strncpy_chk(char *to, const char *from, size_t size, size_t room)
{
	if (size > room)
		abort();
	return strncpy(to, from, size);
}

/* The names of glibc 2.38 and later. */
long __isoc23_strtol(const char *text, char **end, int base)
{
	return strtol(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
	return strtoul(text, end, base);
}

long long __isoc23_strtoll(const char *text, char **end, int base)
{
	return strtoll(text, end, base);
}
