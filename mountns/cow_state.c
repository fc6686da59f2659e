/* SPDX-License-Identifier: MIT */
/*
 * The state of a store as text: a first line with the version, then always the same keys in the same order,
 * "key=value", paths escaped. It is replaced as a whole, so that there is an old or a new one, never half a one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountns/cow_walk.h"

#define VERSION "nestbox-cow 1"
#define LONGEST 65536
#define STAGED ".nestbox-commit-"

static const char *const backends[] = { [COW_OVERLAY] = "overlay", [COW_NOTIFY] = "notify" };
static const char *const states[] = { [COW_RUNNING] = "running",
				      [COW_MEMORY] = "memory",
				      [COW_ENDED] = "ended",
				      [COW_COMMITTING] = "committing" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *state_text(const struct cow_store *store)
{
	char *text = NULL, *lower = cow_escape(store->lower_path);

	if (lower != NULL &&
	    asprintf(&text,
		     VERSION "\nlower=%s\ninode=%" PRIu64 "\ndevice=%" PRIu32 ":%" PRIu32
			     "\nbase=%" PRId64 ".%" PRIu32 "\nbackend=%s\nstate=%s\nstaged=%s\n",
		     lower, store->lower_inode, store->lower_major, store->lower_minor,
		     store->base.seconds, store->base.nanoseconds,
		     store->backend == COW_NOTIFY ? "notify" : "overlay", states[store->state],
		     store->staged) < 0)
		text = NULL;
	free(lower);
	return text;
}

static int write_state(int dir, const char *text, bool synced)
{
	int fd = openat(dir, "state.new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	size_t length = strlen(text), done = 0;
	ssize_t count = 0;
	int error = 0;

	if (fd < 0)
		return -errno;
	for (; done < length && count >= 0; done += count > 0 ? (size_t)count : 0)
		count = write(fd, text + done, length - done);
	if (count < 0 || (synced && fsync(fd) < 0))
		error = -errno;
	close(fd);
	return error;
}

int cow_save_until(struct cow_store *store, enum cow_saved saved, struct fault *fault)
{
	char *text = state_text(store);
	int error = text == NULL ? -ENOMEM : 0;

	if (error == 0 && unlinkat(store->dir, "state.new", 0) < 0 && errno != ENOENT)
		error = -errno;
	if (error == 0)
		error = write_state(store->dir, text, saved != COW_SAVED_SOON);
	if (error == 0 && (renameat(store->dir, "state.new", store->dir, "state") < 0 ||
			   (saved == COW_SAVED_NOW && fsync(store->dir) < 0)))
		error = -errno;
	free(text);
	return error < 0 ? cow_fault(store, fault, store->path, error) : 0;
}

int cow_save(struct cow_store *store, struct fault *fault)
{
	return cow_save_until(store, COW_SAVED_NOW, fault);
}

int cow_end(struct cow_store *store, struct fault *fault)
{
	enum cow_state before = store->state;

	if (syncfs(store->dir) < 0)
		return cow_fault(store, fault, store->path, errno);
	store->state = COW_ENDED;
	if (cow_save(store, fault) == 0)
		return 0;
	store->state = before;
	return -1;
}

/* --- Reading -------------------------------------------------------------------------------------- */

/* The value of the line "KEY=value" at *TEXT, which goes on to the next; NULL if it is another. */
static char *value(char **text, const char *key)
{
	size_t length = strlen(key);
	char *line = *text, *end = strchr(line, '\n');

	if (end == NULL || strncmp(line, key, length) != 0 || line[length] != '=')
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line + length + 1;
}

/* Decimal digits up to the character END. Returns 0, or -1. */
static int number(char **text, char end, uint64_t most, uint64_t *result)
{
	*result = 0;
	if (**text < '0' || **text > '9')
		return -1;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		uint64_t digit = (uint64_t)(**text - '0');

		if (*result > (most - digit) / 10)
			return -1;
		*result = *result * 10 + digit;
	}
	return *(*text)++ == end ? 0 : -1;
}

/* Two numbers with the character BETWEEN them. */
static int numbers(char *text, char between, uint64_t most[2], uint64_t result[2])
{
	if (text == NULL || number(&text, between, most[0], &result[0]) < 0)
		return -1;
	return number(&text, '\0', most[1], &result[1]);
}

static int choice(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; text != NULL && i < count; i++)
		if (words[i] != NULL && strcmp(words[i], text) == 0)
			return (int)i;
	return -1;
}

static int parse_numbers(struct cow_store *store, char **text)
{
	uint64_t pair[2];
	char *inode = value(text, "inode");

	if (inode == NULL || number(&inode, '\0', UINT64_MAX, &store->lower_inode) < 0 ||
	    numbers(value(text, "device"), ':', (uint64_t[]){ UINT32_MAX, UINT32_MAX }, pair) < 0)
		return -1;
	store->lower_major = (uint32_t)pair[0];
	store->lower_minor = (uint32_t)pair[1];
	if (numbers(value(text, "base"), '.', (uint64_t[]){ INT64_MAX, 999999999 }, pair) < 0)
		return -1;
	store->base.seconds = (int64_t)pair[0];
	store->base.nanoseconds = (uint32_t)pair[1];
	return 0;
}

static bool is_staged(const char *name)
{
	return *name == '\0' ||
	       (strncmp(name, STAGED, strlen(STAGED)) == 0 && strlen(name) <= NAME_MAX &&
		strspn(name + strlen(STAGED), "abcdefghijklmnopqrstuvwxyz0123456789") ==
			strlen(name + strlen(STAGED)));
}

static int parse(struct cow_store *store, char *text)
{
	char *lower, *staged;
	int backend, state;

	if (strncmp(text, VERSION "\n", strlen(VERSION) + 1) != 0)
		return -1;
	text += strlen(VERSION) + 1;
	lower = value(&text, "lower");
	if (lower == NULL || cow_unescape(lower) < 0 || *lower != '/' ||
	    parse_numbers(store, &text) < 0)
		return -1;
	backend = choice(value(&text, "backend"), backends, COUNT(backends));
	state = choice(value(&text, "state"), states, COUNT(states));
	staged = value(&text, "staged");
	if (backend < 0 || state < 0 || staged == NULL || !is_staged(staged) || *text != '\0')
		return -1;
	store->backend = (enum cow_backend)backend;
	store->state = (enum cow_state)state;
	strcpy(store->staged, staged);
	store->lower_path = strdup(lower);
	return store->lower_path == NULL ? -1 : 0;
}

/* All of the regular file FD, as a string. */
static char *read_text(int fd)
{
	char *text = malloc(LONGEST + 1);
	size_t length = 0;
	ssize_t count = 1;

	while (text != NULL && count > 0 && length < LONGEST) {
		count = read(fd, text + length, LONGEST - length);
		length += count > 0 ? (size_t)count : 0;
	}
	if (text == NULL || count != 0 || memchr(text, '\0', length) != NULL) {
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

int cow_state_read(struct cow_store *store, struct fault *fault)
{
	int fd = openat(store->dir, "state", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text;
	int bad;

	if (fd < 0 && errno == ENOENT)
		return cow_fault_text(store, fault, store->path, "is no store of copy-on-write");
	if (fd < 0)
		return cow_fault(store, fault, store->path, errno);
	text = read_text(fd);
	close(fd);
	bad = text == NULL || parse(store, text) < 0;
	free(text);
	if (bad)
		return cow_fault_text(store, fault, store->path,
				      "its state is damaged, or of another version");
	return 0;
}
