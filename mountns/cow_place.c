/* SPDX-License-Identifier: MIT */
/*
 * Where a store is made: never where the box could see it, since whoever can change the store changes what is
 * committed, and only in directories into which nobody else can put one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "mountns/cow_walk.h"

#define INSIDE "the store would lie in the directory itself"

static int own(const struct kernel_statx *stat)
{
	return stat->uid == geteuid();
}

/* Refuses a directory of the lower one's tree, before anything is made in it. */
static int check_outside(struct cow_store *store, int dir, const char *path, struct fault *fault)
{
	const struct cow_place lower = { .inode = store->lower_inode,
					 .major = store->lower_major,
					 .minor = store->lower_minor };
	int below = cow_is_below(dir, &lower);

	if (below < 0)
		return cow_fault(store, fault, path, below);
	return below > 0 ? cow_fault_text(store, fault, path, INSIDE) : 0;
}

/* --- One that is named ---------------------------------------------------------------------------- */

static int check_empty(struct cow_store *store, const char *path, struct fault *fault)
{
	struct kernel_statx stat;
	struct cow_names names;
	size_t count;
	int error = cow_stat(store->dir, "", &stat);

	if (error < 0)
		return cow_fault(store, fault, path, error);
	if (!own(&stat))
		return cow_fault_text(store, fault, path, "is another user's");
	error = cow_names_read(&names, store->dir);
	if (error < 0)
		return cow_fault(store, fault, path, error);
	count = names.count;
	cow_names_free(&names);
	if (count > 0)
		return cow_fault_text(store, fault, path, "is not empty");
	if (check_outside(store, store->dir, path, fault) < 0)
		return -1;
	return fchmod(store->dir, 0700) < 0 ? cow_fault(store, fault, path, errno) : 0;
}

/* PATH is NAME in the open directory PARENT. */
static int take(struct cow_store *store, int parent, const char *name, const char *path, bool *made,
		struct fault *fault)
{
	if (check_outside(store, parent, path, fault) < 0)
		return -1;
	*made = mkdirat(parent, name, 0700) == 0;
	if (!*made && errno != EEXIST)
		return cow_fault(store, fault, path, errno);
	store->dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (store->dir < 0)
		return cow_fault(store, fault, path, errno);
	return check_empty(store, path, fault);
}

/* COPY is PATH, to be cut in two. */
static int place_named(struct cow_store *store, char *copy, const char *path, bool *made,
		       struct fault *fault)
{
	char *end = copy + strlen(copy), *slash;
	int error, parent;

	while (end > copy + 1 && end[-1] == '/')
		*--end = '\0';
	slash = strrchr(copy, '/');
	if (*copy == '\0' || strcmp(copy, "/") == 0)
		return cow_fault(store, fault, path, *copy == '\0' ? ENOENT : EEXIST);
	if (slash != NULL)
		*slash = '\0';
	parent = open(slash == NULL   ? "."
		      : slash == copy ? "/"
				      : copy,
		      O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return cow_fault(store, fault, path, errno);
	error = take(store, parent, slash == NULL ? copy : slash + 1, path, made, fault);
	close(parent);
	return error;
}

/* --- The default place ---------------------------------------------------------------------------- */

struct way {
	const char *start;    /* an environment variable */
	const char *steps[4]; /* below; missing ones are made */
};

static const struct way ways[] = {
	{ "XDG_STATE_HOME", { "nestbox" } },
	{ "HOME", { ".local", "state", "nestbox" } },
};

/* Goes from *DIR to its subdirectory NAME, which must be ours alone if it is the LAST. */
static int step(struct cow_store *store, int *dir, const char *name, bool last, const char *path,
		struct fault *fault)
{
	struct kernel_statx stat;
	int fd, error;

	if (check_outside(store, *dir, path, fault) < 0)
		return -1;
	error = cow_stat(*dir, "", &stat);
	if (error < 0)
		return cow_fault(store, fault, path, error);
	/* Later it is found by its path. */
	if ((stat.mode & (S_ISVTX | S_IWOTH)) == S_IWOTH)
		return cow_fault_text(store, fault, path, "others may put theirs in its place");
	if (mkdirat(*dir, name, 0700) < 0 && errno != EEXIST)
		return cow_fault(store, fault, path, errno);
	fd = openat(*dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC | (last ? O_NOFOLLOW : 0));
	if (fd < 0)
		return cow_fault(store, fault, path, errno);
	close(*dir);
	*dir = fd;
	error = cow_stat(fd, "", &stat);
	if (error < 0)
		return cow_fault(store, fault, path, error);
	if (!own(&stat))
		return cow_fault_text(store, fault, path, "is another user's");
	if (last && (stat.mode & 077) != 0)
		return cow_fault_text(store, fault, path, "others may enter it; chmod it to 0700");
	return check_outside(store, fd, path, fault);
}

int cow_add_letters(char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char bytes[8];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		strncat(name, &letters[bytes[i] % 32], 1);
	return 0;
}

/* A new directory of a random name in DIR. */
static int make_random(struct cow_store *store, int dir, const char *path, struct fault *fault)
{
	char name[16];
	int error;

	do {
		strcpy(name, "cow-");
		error = cow_add_letters(name);
		if (error == 0)
			error = sys_mkdirat(dir, name, 0700);
	} while (error == -EEXIST);
	if (error < 0)
		return cow_fault(store, fault, path, error);
	store->dir = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (store->dir < 0 || asprintf(&store->path, "%s/%s", path, name) < 0) {
		store->path = NULL;
		(void)unlinkat(dir, name, AT_REMOVEDIR);
		return cow_fault(store, fault, path, errno);
	}
	return 0;
}

/* Along STEPS, from the directory START; *PATH gets as far as that went. */
static int go(struct cow_store *store, const char *start, const char *const *steps, char **path,
	      struct fault *fault)
{
	int dir = open(start, O_PATH | O_DIRECTORY | O_CLOEXEC), error = 0;
	char *longer;

	*path = strdup(start);
	if (dir < 0 || *path == NULL) {
		error = cow_fault(store, fault, start, dir < 0 ? errno : ENOMEM);
		if (dir >= 0)
			close(dir);
		return error;
	}
	for (; error == 0 && *steps != NULL; steps++) {
		if (asprintf(&longer, "%s/%s", *path, *steps) < 0) {
			error = cow_fault(store, fault, start, ENOMEM);
			break;
		}
		free(*path);
		*path = longer;
		error = step(store, &dir, *steps, steps[1] == NULL, *path, fault);
	}
	if (error == 0)
		error = make_random(store, dir, *path, fault);
	close(dir);
	return error;
}

static bool is_own_directory(const char *path)
{
	struct kernel_statx stat;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool is = fd >= 0 && cow_stat(fd, "", &stat) == 0 && own(&stat);

	if (fd >= 0)
		close(fd);
	return is;
}

static int place_default(struct cow_store *store, struct fault *fault)
{
	const char *start = secure_getenv("TMPDIR");
	char last[40], *path = NULL;
	const char *const *steps = (const char *const[]){ last, NULL };
	int error;

	(void)snprintf(last, sizeof(last), "nestbox-%u", (unsigned int)geteuid());
	if (start == NULL || *start != '/')
		start = "/tmp";
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const char *home = secure_getenv(ways[i].start);

		if (home == NULL || *home != '/' || !is_own_directory(home))
			continue;
		start = home;
		steps = ways[i].steps;
		break;
	}
	error = go(store, start, steps, &path, fault);
	free(path);
	return error;
}

int cow_store_place(struct cow_store *store, const char *path, bool *made, struct fault *fault)
{
	char *text;
	int error;

	*made = true;
	if (path == NULL) {
		if (place_default(store, fault) < 0)
			return -1;
		text = realpath(store->path, NULL);
	} else {
		*made = false;
		text = strdup(path);
		error = text == NULL ? cow_fault(store, fault, path, ENOMEM)
				     : place_named(store, text, path, made, fault);
		free(text);
		if (error < 0)
			return -1;
		text = realpath(path, NULL);
	}
	if (text == NULL)
		return cow_fault(store, fault, path == NULL ? store->path : path, errno);
	free(store->path);
	store->path = text;
	return 0;
}
