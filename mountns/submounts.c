/* SPDX-License-Identifier: MIT */
/*
 * mount_setattr(AT_RECURSIVE) by hand: mount(2) changes one mount at a time, so that those below one
 * are looked up in mountinfo. Every mount of the tree is found by its id, whatever has been renamed
 * since, and the tree is read again until nothing is left to be done.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "mountns/mount.h"
#include "mountns/sys.h"

#define MAX_ROUNDS 32
#define BUFFER_SIZE (2 * PATH_MAX)

/* Lines of /proc/self/mountinfo. */
struct reader {
	int fd;
	size_t at, end; /* of BUFFER: what is not used yet */
	bool inside;    /* in a line whose beginning was enough */
	char buffer[BUFFER_SIZE + 1];
};

/* What is used of a line: proc_pid_mountinfo(5). */
struct entry {
	uint64_t id, parent;
	char *point; /* where it is mounted; other bytes than these are escaped: \ooo */
	char *options;
};

/* Fills the buffer up. Returns how many bytes were read, or -errno. */
static int fill(struct reader *reader)
{
	long got;

	memmove(reader->buffer, reader->buffer + reader->at, reader->end - reader->at);
	reader->end -= reader->at;
	reader->at = 0;
	got = sys_read(reader->fd, reader->buffer + reader->end, BUFFER_SIZE - reader->end);
	if (got > 0)
		reader->end += (size_t)got;
	return (int)got;
}

/* The next line, without its newline; of one that does not fit, as much as does. Returns 1, 0 at the
 * end, or -errno. */
static int next_line(struct reader *reader, char **line)
{
	for (;;) {
		char *start = reader->buffer + reader->at;
		char *newline = memchr(start, '\n', reader->end - reader->at);
		bool full = newline == NULL && reader->at == 0 && reader->end == BUFFER_SIZE;
		bool inside = reader->inside;
		int got;

		if (newline != NULL || full) {
			*line = start;
			start = newline != NULL ? newline : reader->buffer + reader->end;
			*start = '\0';
			reader->at = (size_t)(start - reader->buffer) + (newline != NULL);
			reader->inside = full;
			if (!inside)
				return 1;
			continue;
		}
		got = fill(reader);
		if (got <= 0)
			return got;
	}
}

/* Cuts the next word off LINE; NULL when there is none. */
static char *next_word(char **line)
{
	char *word = *line;
	size_t length = strcspn(word, " ");

	*line += length;
	if (**line != '\0')
		*(*line)++ = '\0';
	return length > 0 ? word : NULL;
}

static uint64_t number(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

/* "36 35 98:0 /root /point rw,noatime …" */
static int next_entry(struct reader *reader, struct entry *entry)
{
	char *line, *words[6] = { NULL };
	int status = next_line(reader, &line);

	if (status <= 0)
		return status;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		words[i] = next_word(&line);
		if (words[i] == NULL)
			return -EIO;
	}
	*entry = (struct entry){ number(words[0]), number(words[1]), words[4], words[5] };
	return 1;
}

static int begin(struct reader *reader)
{
	reader->at = reader->end = 0;
	reader->inside = false;
	reader->fd = sys_openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
	return reader->fd < 0 ? reader->fd : 0;
}

static bool has_option(const char *options, const char *name)
{
	size_t length = strlen(name);

	while (*options != '\0') {
		size_t size = strcspn(options, ",");

		if (size == length && memcmp(options, name, length) == 0)
			return true;
		options += size;
		options += *options == ',';
	}
	return false;
}

static unsigned long flags_of(const char *options)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} known[] = {
		{ "ro", MOUNT_ATTR_RDONLY },       { "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV },     { "noexec", MOUNT_ATTR_NOEXEC },
		{ "nosymfollow", MS_NOSYMFOLLOW },
	};
	unsigned long flags = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (has_option(options, known[i].name))
			flags |= known[i].flag;
	return flags;
}

static bool is_octal(char byte)
{
	return byte >= '0' && byte <= '7';
}

static void unescape(char *to, const char *text)
{

	while (*text != '\0') {
		if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) &&
		    is_octal(text[3])) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

struct tree {
	int mount;
	unsigned int attributes;
	uint64_t id;          /* of MOUNT */
	unsigned long flags;  /* the same */
	char point[PATH_MAX]; /* the same, escaped */
};

/* Looks TREE's mount up by its id. */
static int find(struct tree *tree)
{
	struct reader reader;
	struct entry entry;
	int status = begin(&reader);

	if (status < 0)
		return status;
	while ((status = next_entry(&reader, &entry)) > 0)
		if (entry.id == tree->id)
			break;
	sys_close(reader.fd);
	if (status <= 0)
		return status < 0 ? status : -ENOENT;
	if (strlen(entry.point) >= sizeof(tree->point))
		return -ENAMETOOLONG;
	strcpy(tree->point, entry.point);
	tree->flags = flags_of(entry.options);
	return 0;
}

/* Whether another mount lies right on the one called ID, at the end of the way POINT: nothing leads to
 * it any more. */
static int is_covered(uint64_t id, const char *point)
{
	struct reader reader;
	struct entry entry;
	int status = begin(&reader);

	if (status < 0)
		return status;
	while ((status = next_entry(&reader, &entry)) > 0)
		if (entry.parent == id && strcmp(entry.point, point) == 0)
			break;
	sys_close(reader.fd);
	return status;
}

/* Where the mount of ENTRY is below the tree's own, escaped; NULL when it is not. */
static const char *below(const struct tree *tree, const struct entry *entry)
{
	size_t length = strlen(tree->point);

	if (strncmp(entry->point, tree->point, length) != 0 || entry->point[length] != '/')
		return NULL;
	return entry->point + length + 1;
}

/* Changes the mount called ID, which is at PATH below MOUNT. Returns 1 when that is done, 0 when
 * something else was there, or -errno. */
static int change_one(int mount, const char *path, uint64_t id, unsigned long flags)
{
	struct kernel_statx stat;
	char name[FD_PATH_SIZE];
	int error, fd = sys_openat(mount, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);
	if (error == 0 && stat.mount_id == id) {
		mount_fd_path(name, fd);
		error = sys_mount(NULL, name, NULL, MS_REMOUNT | MS_BIND | flags);
		error = error < 0 ? error : 1;
	}
	sys_close(fd);
	return error;
}

/* Changes one mount, if it lacks an attribute. Returns 1 when it has to be looked at again, 0, or
 * -errno. */
static int visit(const struct tree *tree, const struct entry *entry)
{
	unsigned long flags = flags_of(entry->options);
	const char *point = below(tree, entry);
	char path[PATH_MAX];
	int changed, covered;

	if (point == NULL || (flags & tree->attributes) == tree->attributes)
		return 0;
	if (strlen(point) >= sizeof(path))
		return -ENAMETOOLONG;
	unescape(path, point);
	changed = change_one(tree->mount, path, entry->id, flags | tree->attributes);
	if (changed != 0)
		return changed;
	covered = is_covered(entry->id, entry->point);
	return covered < 0 ? covered : !covered;
}

/* Returns how many mounts have to be looked at again, or -errno. */
static int visit_all(const struct tree *tree)
{
	struct reader reader;
	struct entry entry;
	int status, left = 0, error = begin(&reader);

	if (error < 0)
		return error;
	while ((status = next_entry(&reader, &entry)) > 0) {
		status = visit(tree, &entry);
		if (status < 0)
			break;
		left += status;
	}
	sys_close(reader.fd);
	return status < 0 ? status : left;
}

int mount_change_below(int mount, unsigned int attributes)
{
	struct tree tree = { .mount = mount, .attributes = attributes };
	struct kernel_statx stat;
	char path[FD_PATH_SIZE];
	int error = sys_statx(mount, "", AT_EMPTY_PATH, &stat);

	tree.id = stat.mount_id;
	if (error == 0)
		error = find(&tree);
	if (error < 0)
		return error;
	mount_fd_path(path, mount);
	error = sys_mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | tree.flags | attributes);
	for (int round = 0; round < MAX_ROUNDS && error == 0; round++) {
		error = visit_all(&tree);
		if (error <= 0)
			return error;
		error = 0;
	}
	return error < 0 ? error : -EBUSY;
}
