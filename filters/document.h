/* SPDX-License-Identifier: MIT */
/*
 * A JSON document with a known shape, by jansson. Stricter than most: a key twice in one object, a key
 * that nobody asked for, anything behind the end and numbers that do not fit are errors. Each is
 * told with the file and where in it, as line and column or as a path.
 */
#ifndef FILTERS_DOCUMENT_H
#define FILTERS_DOCUMENT_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "mountns/fault.h"

#define DOCUMENT_SIZE (1U << 20) /* bytes, at most */

struct document {
	struct fault *fault;
	json_t *root;
	size_t file; /* length of the file's name in WHERE */
	size_t length;
	char where[PATH_MAX +
		   128]; /* "profile.json: syscalls[3].args[0].op", borrowed by the fault */
	char detail[JSON_ERROR_TEXT_LENGTH];
};

/* All of the file or pipe at PATH, to be freed, with its SIZE. NULL with the fault. */
char *document_read(const char *path, size_t *size, struct fault *fault);

/* Parses TEXT, which is changed. FILE is for the messages. Returns 0, or -1 with the fault. Either way
 * document_close() frees it. */
int document_open(struct document *document, const char *file, char *text, size_t size,
		  struct fault *fault);
void document_close(struct document *document);

/* Goes down to KEY, or to item INDEX, for the messages' sake; document_leave() takes what it returned. */
size_t document_enter(struct document *document, const char *key);
size_t document_enter_item(struct document *document, size_t index);
void document_leave(struct document *document, size_t length);

/* Records REASON, with QUOTED behind it unless that is NULL, about the place or KEY in it. Always returns
 * -1. */
int document_fail(struct document *document, const char *key, const char *reason,
		  const char *quoted);

/* Is OBJECT an object with no keys but those in KEYS, NULL-terminated, and comments? 0, or -1. */
int document_check(struct document *document, const json_t *object, const char *const keys[]);

/*
 * The member KEY of OBJECT. Each returns 1, or 0 when there is none or it is null, or -1 with the fault
 * when it is something else.
 */
int document_text(struct document *document, const json_t *object, const char *key,
		  const char **text);
int document_number(struct document *document, const json_t *object, const char *key, uint64_t max,
		    uint64_t *number);
int document_list(struct document *document, const json_t *object, const char *key, json_t **list);
int document_object(struct document *document, const json_t *object, const char *key,
		    json_t **member);

/* Item INDEX of LIST, which must be a string. NULL with the fault. */
const char *document_item(struct document *document, const json_t *list, size_t index);

#endif
