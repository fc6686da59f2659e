/* SPDX-License-Identifier: MIT */
/* bubblewrap's messages. Programs that call it look for parts of them. */
#include <errno.h>
#include <string.h>

#include "init/options.h"
#include "init/personality.h"

/* What is in front of a fault's object, by its step. */
static const struct {
	const char *step, *words;
} phrases[] = {
	{ "source", "Can't find source path " },
	{ "mkdir parents", "Can't mkdir parents for " },
	{ "mkdir", "Can't mkdir " },
	{ "create file", "Can't create file at " },
	{ "write", "Can't write data to file " },
	{ "bind", "Can't bind mount on " },
	{ "remount", "Can't remount readonly on " },
	{ "chmod", "Can't chmod " },
	{ "symlink", "Can't make symlink at " },
	{ "overlay", "Can't make overlay mount on " },
	{ "tmpfs", "Can't mount tmpfs on " },
	{ "mqueue", "Can't mount mqueue on " },
	{ "proc", "Can't mount proc on " },
	{ "chdir", "Can't chdir to " },
	{ "hostname", "Can't set hostname to " },
	{ "lock file", "Unable to lock file " },
	{ "open lock file", "Unable to open lock file " },
	{ "exec", "execvp " },
	{ "id map", "setting up " },
};

static void add_reason(struct text *line, const struct fault *fault)
{
	text_add(line, fault->reason != NULL ? fault->reason : strerror(fault->error));
	if (fault->detail != NULL) {
		text_add(line, " ");
		text_visible(line, fault->detail);
	}
}

static void option_message(struct text *line, const struct fault *fault)
{
	static const char *const counts[] = { "no argument", "an argument", "two arguments",
					      "three arguments" };

	if (fault->reason == NULL) {
		/* Those that are read. */
		text_add(line,
			 strcmp(fault->object, "--args") == 0 ? "Can't read --args data: " : "");
		text_add(line, strstr(fault->object, "seccomp") != NULL
				       ? "Can't read seccomp data: "
				       : "");
		if (line->length == 0) {
			text_visible(line, fault->object);
			text_add(line, ": ");
		}
		text_add(line, strerror(fault->error));
	} else if (strcmp(fault->reason, "unknown option") == 0) {
		text_add(line, "Unknown option ");
		text_visible(line, fault->object);
	} else if (strcmp(fault->reason, "an argument is missing") == 0) {
		text_add(line, fault->object);
		text_add(line, " takes ");
		text_add(line, counts[option_arguments(options_find(AS_BWRAP, fault->object))]);
	} else if (strncmp(fault->reason, "must be a number", 16) == 0) {
		/* "--uid" → "uid"; all others are descriptors. */
		text_add(line, "Invalid ");
		text_add(line, strcmp(fault->object + 3, "id") == 0 ? fault->object + 2 : "fd");
		text_add(line, ": ");
		text_visible(line, fault->detail);
	} else if (strncmp(fault->reason, "unknown cap", 11) == 0) {
		add_reason(line, fault);
	} else {
		text_visible(line, fault->object);
		text_add(line, " ");
		add_reason(line, fault);
	}
}

void bwrap_message(struct text *line, const struct fault *fault)
{
	if (strcmp(fault->step, "options") == 0) {
		option_message(line, fault);
		return;
	}
	if (strcmp(fault->step, "user namespaces") == 0) {
		add_reason(line, fault);
		return;
	}
	if (strcmp(fault->step, "clone") == 0) {
		text_add(line, fault->error == EPERM ? "No permissions to create a new namespace: "
						     : "Creating new namespace failed: ");
		add_reason(line, fault);
		return;
	}
	if (strcmp(fault->step, "seccomp data") == 0) {
		text_add(line, fault->reason != NULL ? "Invalid seccomp data, "
						     : "Can't read seccomp data: ");
		add_reason(line, fault);
		return;
	}
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (strcmp(phrases[i].step, fault->step) != 0)
			continue;
		text_add(line, phrases[i].words);
		text_visible(line, fault->object);
		text_add(line, ": ");
		add_reason(line, fault);
		return;
	}
	text_add(line, fault->step);
	text_add(line, ": ");
	text_visible(line, fault->object);
	text_add(line, fault->object[0] != '\0' ? ": " : "");
	add_reason(line, fault);
}
