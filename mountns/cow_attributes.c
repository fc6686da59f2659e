/* SPDX-License-Identifier: MIT */
/* Owner, mode, times and extended attributes (xattr(7)) from one file to another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mountns/cow_upper.h"

#define SOME 256

struct value {
	char *bytes;
	size_t size;
};

/* Those which a program can set and would miss. The rest is the kernel's or a security module's. */
static bool is_wanted(const char *name, enum cow_copy how)
{
	if (strncmp(name, COW_OVERLAY_PREFIX, strlen(COW_OVERLAY_PREFIX)) == 0)
		return how == COW_COPY_RAW;
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 ||
	       strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

/* NAME's value, or with NULL the list of all names, each with its NUL. */
static int read_value(struct value *value, int fd, const char *name)
{
	ssize_t size = SOME;
	char *bytes = NULL, *more;

	*value = (struct value){ 0 };
	do {
		more = realloc(bytes, (size_t)size + SOME);
		if (more == NULL) {
			free(bytes);
			return -ENOMEM;
		}
		bytes = more;
		value->size = (size_t)size + SOME;
		size = name == NULL ? flistxattr(fd, bytes, value->size)
				    : fgetxattr(fd, name, bytes, value->size);
		if (size >= 0) {
			*value = (struct value){ .bytes = bytes, .size = (size_t)size };
			return 0;
		}
		if (errno != ERANGE)
			break;
		size = name == NULL ? flistxattr(fd, NULL, 0) : fgetxattr(fd, name, NULL, 0);
	} while (size >= 0);
	free(bytes);
	*value = (struct value){ 0 };
	/* Where there are none, there are none. */
	return name == NULL && errno == ENOTSUP ? 0 : -errno;
}

static const char *next_name(const struct value *names, const char *name)
{
	name = name == NULL ? names->bytes : name + strlen(name) + 1;
	return names->bytes != NULL && name < names->bytes + names->size ? name : NULL;
}

/* Has FD the attribute NAME with this value? */
static bool has(int fd, const char *name, const struct value *value)
{
	struct value other;
	bool same = read_value(&other, fd, name) == 0 && other.size == value->size &&
		    memcmp(other.bytes, value->bytes, value->size) == 0;

	free(other.bytes);
	return same;
}

static int copy_one(int from, int to, const char *name, enum cow_copy how)
{
	struct value value;
	int error = read_value(&value, from, name);

	if (error == 0 && !has(to, name, &value) &&
	    fsetxattr(to, name, value.bytes, value.size, 0) < 0)
		error = how == COW_COPY_ROOT && errno == ENOTSUP ? 0 : -errno;
	free(value.bytes);
	/* Its owner has locked the root, which stays the same for what is in there now. */
	if (error == -EACCES && how == COW_COPY_ROOT)
		return 0;
	/* Somebody else has just removed it. */
	return error == -ENODATA ? 0 : error;
}

/* Removes what FROM has not. */
static int remove_others(int from, int to, enum cow_copy how)
{
	struct value names;
	int error = read_value(&names, to, NULL);

	for (const char *name = NULL; error == 0 && (name = next_name(&names, name)) != NULL;)
		if (is_wanted(name, how) && fgetxattr(from, name, NULL, 0) < 0 &&
		    errno == ENODATA && fremovexattr(to, name) < 0)
			error = -errno;
	free(names.bytes);
	return error;
}

static int copy_extended(int from, int to, enum cow_copy how)
{
	struct value names;
	int error = read_value(&names, from, NULL);

	for (const char *name = NULL; error == 0 && (name = next_name(&names, name)) != NULL;)
		if (is_wanted(name, how))
			error = copy_one(from, to, name, how);
	free(names.bytes);
	return error < 0 ? error : remove_others(from, to, how);
}

/* That the root's owner and times are another's does not keep a user from copying it on write. */
static int refused(enum cow_copy how)
{
	return how == COW_COPY_ROOT && errno == EPERM ? 0 : -errno;
}

int cow_attributes_copy(int from, const struct kernel_statx *stat, int to, enum cow_copy how)
{
	struct timespec times[2];
	struct kernel_statx old;
	int error = cow_stat(to, "", &old);

	cow_times_of(stat, times);
	/* A change of owner takes rights away, and an access control list sets some: the mode is last. */
	if (error == 0 && (old.uid != stat->uid || old.gid != stat->gid) &&
	    fchown(to, stat->uid, stat->gid) < 0)
		error = refused(how);
	if (error == 0)
		error = copy_extended(from, to, how);
	if (error == 0)
		error = cow_stat(to, "", &old);
	if (error == 0 && (old.mode & 07777) != (stat->mode & 07777) &&
	    fchmod(to, stat->mode & 07777) < 0)
		error = -errno;
	if (error == 0 && futimens(to, times) < 0)
		error = refused(how);
	return error;
}

/* Has B all that A has? */
static bool includes(int a, int b)
{
	struct value names, value;
	bool all = read_value(&names, a, NULL) == 0;

	for (const char *name = NULL; all && (name = next_name(&names, name)) != NULL;) {
		if (!is_wanted(name, COW_COPY_ALL))
			continue;
		all = read_value(&value, a, name) == 0 && has(b, name, &value);
		free(value.bytes);
	}
	free(names.bytes);
	return all;
}

int cow_attributes_same(int a, int b)
{
	return includes(a, b) && includes(b, a);
}

int cow_attributes_strip(int fd)
{
	struct value names;
	int error = read_value(&names, fd, NULL);

	for (const char *name = NULL; error == 0 && (name = next_name(&names, name)) != NULL;)
		if (is_wanted(name, COW_COPY_RAW) && !is_wanted(name, COW_COPY_ALL) &&
		    fremovexattr(fd, name) < 0)
			error = -errno;
	free(names.bytes);
	return error;
}
