/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_INIT_OPTIONS_H
#define NESTBOX_INIT_OPTIONS_H

#include "init/plan.h"

enum option_group {
	GROUP_GRANTS,
	GROUP_MOUNTS,
	GROUP_COW,
	GROUP_ENVIRONMENT,
	GROUP_NAMESPACES,
	GROUP_IDENTITY,
	GROUP_LIMITS,
	GROUP_FILTERS,
	GROUP_PROCESS,
	GROUP_WALLS,
	GROUP_STATUS,
	GROUP_LOOK,
	GROUP_COUNT,
};

/* Who has an option: nestbox alone, or bubblewrap, too. */
enum option_owner { OWNER_NATIVE, OWNER_BOTH };

struct parser;

struct option {
	const char *name; /* with its dashes */
	char letter;      /* 0: none */
	enum option_owner owner;
	enum option_group group;
	const char *arguments; /* their names, one blank between two; "" for none */
	int (*handler)(struct parser *parser, const struct option *option, char **arguments,
		       struct fault *fault);
	int parameter;
	const char *help;
};

extern const struct option options[];
extern const size_t option_count;
extern const char *const option_groups[GROUP_COUNT];

/* Prints the usage text of a personality to FD. Returns 0, or -1 when it could not be written. */
int options_usage(enum personality as, int fd);

/* How many arguments OPTION takes. */
size_t option_arguments(const struct option *option);

/* The option of that name (with its dashes) which AS has, or NULL. */
const struct option *options_find(enum personality as, const char *name);

#endif
