/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "filters/again.h"
#include "filters/standin.h"
#include "filters/target.h"
#include "mountns/sys.h"

static bool is_executable(int fds, int fd)
{
	struct kernel_statx stat;
	char name[16];

	target_number(name, (unsigned int)fd, "");
	return sys_statx(fd, "", AT_EMPTY_PATH, &stat) == 0 && S_ISREG(stat.mode) &&
	       sys_faccessat(fds, name, X_OK) == 0;
}

/* The next SIZE bytes of LINE, without blanks at their end. */
static void copy_word(char to[STANDIN_HEADER], const char *line, size_t size)
{
	while (size > 0 && (line[size - 1] == ' ' || line[size - 1] == '\t'))
		size--;
	memcpy(to, line, size);
	to[size] = '\0';
}

bool standin_read_script(int fds, int fd, struct standin_script *script)
{
	char header[STANDIN_HEADER] = "", *line, *end;
	int file;
	long size;

	if (!is_executable(fds, fd))
		return false;
	file = tree_reopen(fds, fd, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size = file < 0 ? file : sys_pread(file, header, sizeof(header) - 1, 0);
	if (file >= 0)
		sys_close(file);
	if (size < 3 || header[0] != '#' || header[1] != '!')
		return false;
	/* The kernel refuses one whose end it has not read. */
	if (size == sizeof(header) - 1 && memchr(header, '\n', (size_t)size) == NULL)
		return false;
	header[size] = '\0';
	line = header + 2 + strspn(header + 2, " \t");
	line[strcspn(line, "\n")] = '\0';
	end = line + strcspn(line, " \t");
	copy_word(script->interpreter, line, (size_t)(end - line));
	line = end + strspn(end, " \t");
	copy_word(script->argument, line, strlen(line));
	return script->interpreter[0] != '\0';
}

/* The pointers of the array at ADDRESS from the second on, with the NULL. Returns how many, or -errno. */
static int read_rest(const struct notify_call *call, uint64_t address,
		     unsigned long rest[AGAIN_REST])
{
	unsigned long first = 0;
	int count = 0, error = 0;

	if (address != 0)
		error = target_read(call, address, &first, sizeof(first));
	rest[0] = 0;
	while (error == 0 && first != 0 && count < AGAIN_REST) {
		address += sizeof(first);
		error = target_read(call, address, &rest[count], sizeof(rest[0]));
		if (error == 0 && rest[count++] == 0)
			return count;
	}
	if (error < 0)
		return error;
	return first == 0 ? 1 : -E2BIG;
}

int standin_execute_script(const struct notify_call *call, const struct cow *cow,
			   const struct standin_script *script, const char *name,
			   const char *interpreter, unsigned int path)
{
	const struct again_path paths = { path, interpreter };
	unsigned long rest[AGAIN_REST];
	struct again_list list = { .argument = path + 1, .rest = rest };
	int count = read_rest(call, call->arguments[path + 1], rest);

	if (count < 0)
		return count;
	list.rest_count = (size_t)count;
	list.texts[list.text_count++] = script->interpreter;
	if (script->argument[0] != '\0')
		list.texts[list.text_count++] = script->argument;
	list.texts[list.text_count++] = name;
	return notify_waits(call) ? cow->repeat(cow->again, call, &paths, 1, &list) : -ESRCH;
}
