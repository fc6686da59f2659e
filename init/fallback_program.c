/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/box.h"
#include "init/fallback_program.h"

extern char **environ;

/* PATH without links in its directories. Returns false when there is nothing. */
static bool follow_directories(const char *path, char real[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX], above[PATH_MAX];

	if (slash == NULL || slash[1] == '\0' || strlen(path) >= sizeof(directory))
		return false;
	(void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path + 1), path);
	return realpath(directory, above) != NULL &&
	       snprintf(real, PATH_MAX, "%s%s", above, slash) < PATH_MAX;
}

/* A link to the lower directory from elsewhere is followed, one in there stays what it is. */
static bool find_in_lower(const struct cow_store *cow, const char *path, char real[PATH_MAX])
{
	if (follow_directories(path, real) && mountns_is_below(real, cow->lower_path))
		return true;
	return realpath(path, real) != NULL && mountns_is_below(real, cow->lower_path);
}

/* As execvp(3) does. */
static bool search(const char *path, const char *name, char found[PATH_MAX])
{
	for (;; path++) {
		size_t length = strcspn(path, ":");
		struct stat stat_of;

		if (snprintf(found, PATH_MAX, "%.*s/%s", length > 0 ? (int)length : 1,
			     length > 0 ? path : ".", name) < PATH_MAX &&
		    access(found, X_OK) == 0 && stat(found, &stat_of) == 0 &&
		    S_ISREG(stat_of.st_mode))
			return true;
		path += length;
		if (*path == '\0')
			return false;
	}
}

/* Of the environment that the command will have. */
static bool search_path(const struct plan *plan, char found[PATH_MAX])
{
	char **environment = environment_make(plan->env, plan->env_count, environ);
	bool is = false;

	for (char **variable = environment; environment != NULL && *variable != NULL; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			is = search(*variable + 5, plan->command[0], found);
	if (environment != NULL)
		environment_free(environment);
	return is;
}

static int replace(struct plan *plan, const struct cow_store *cow, const char *real,
		   struct fault *fault)
{
	size_t count = 1;
	char **command;

	while (plan->command[count] != NULL)
		count++;
	command = calloc(count + 1, sizeof(*command)); /* until the end of the process */
	if (command == NULL ||
	    asprintf(&command[0], "%s/tree%s", cow->path, real + strlen(cow->lower_path)) < 0)
		return fault_errno(fault, "fallback", "", ENOMEM);
	memcpy(command + 1, plan->command + 1, (count - 1) * sizeof(*command));
	if (plan->argv0 == NULL)
		plan->argv0 = plan->command[0];
	plan->command = command;
	return 0;
}

int fallback_find_program(struct plan *plan, const struct cow_store *cow, struct fault *fault)
{
	const char *name = plan->command[0];
	char found[PATH_MAX], real[PATH_MAX];

	if (strchr(name, '/') == NULL) {
		if (name[0] == '\0' || !search_path(plan, found))
			return 0;
		name = found;
	}
	return find_in_lower(cow, name, real) ? replace(plan, cow, real, fault) : 0;
}
