/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "mountns/view.h"

bool mountns_is_below(const char *path, const char *base)
{
	size_t length = strlen(base);

	if (length == 1)
		return true;
	return strncmp(path, base, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

int mountns_normalise(const char *path, char *out, size_t size)
{
	size_t length = 0;

	if (path[0] != '/' || size < 2)
		return -1;
	while (*path != '\0') {
		size_t component = strcspn(path, "/");

		if (component == 2 && path[0] == '.' && path[1] == '.')
			return -1;
		if (component > 0 && !(component == 1 && path[0] == '.')) {
			if (length + component + 2 > size)
				return -1;
			out[length++] = '/';
			memcpy(out + length, path, component);
			length += component;
		}
		path += component;
		path += *path == '/';
	}
	if (length == 0)
		out[length++] = '/';
	out[length] = '\0';
	return (int)length;
}

int mountns_flatten(const char *path, char *out, size_t size)
{
	size_t length = 0;

	if (size < 2)
		return -1;
	while (*path != '\0') {
		size_t component = strcspn(path, "/");

		if (component == 2 && path[0] == '.' && path[1] == '.') {
			while (length > 0 && out[--length] != '/')
				;
		} else if (component > 0 && !(component == 1 && path[0] == '.')) {
			if (length + component + 2 > size)
				return -1;
			out[length++] = '/';
			memcpy(out + length, path, component);
			length += component;
		}
		path += component;
		path += *path == '/';
	}
	if (length == 0)
		out[length++] = '/';
	out[length] = '\0';
	return (int)length;
}
