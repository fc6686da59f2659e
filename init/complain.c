/* SPDX-License-Identifier: MIT */
/* A fault as the one line that a person reads. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "init/nestbox.h"
#include "init/text.h"

/* Causes that we know, and what helps. */
static const struct {
	const char *step;
	int error;
	const char *hint;
} hints[] = {
	{ "clone", EPERM,
	  "new user namespaces are not allowed here; a container needs a seccomp profile that "
	  "allows clone, a host kernel.unprivileged_userns_clone=1 or "
	  "kernel.apparmor_restrict_unprivileged_userns=0" },
	{ "clone", ENOSPC,
	  "the limit of namespaces is reached; see /proc/sys/user/max_*_namespaces" },
	{ "clone", EUSERS, "user namespaces are nested too deeply; 32 levels are the limit" },
	{ "clone", EINVAL, "the kernel lacks one of the namespaces" },
	{ "clone", EAGAIN, "the limit of processes is reached; see ulimit -u and pids.max" },
	{ "id map", EPERM,
	  "the caller may not map its own ids; as root in a container it needs CAP_SETFCAP" },
	{ "proc", EPERM,
	  "parts of the outer /proc are covered, so that the kernel refuses a fresh one; run the "
	  "outer container with an unmasked /proc" },
	{ "mount_setattr", ENOSYS, "Linux 5.12 or newer is needed" },
	{ "seccomp", ENOSYS, "the kernel lacks CONFIG_SECCOMP_FILTER" },
	{ "exec", ENOENT,
	  "not in the box, or its interpreter or loader is not; grant it with --exec" },
	{ "exec", EACCES, "not executable, or not granted with --exec" },
	{ "chdir", ENOENT, "not in the box; grant it with --read or --write" },
};

static const char *find_hint(const struct fault *fault)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].error == fault->error && strcmp(hints[i].step, fault->step) == 0)
			return hints[i].hint;
	return NULL;
}

void init_complain(const struct fault *fault)
{
	const char *hint = fault->reason == NULL ? find_hint(fault) : NULL;
	struct text line = { 0 };

	text_add(&line, "nestbox: ");
	text_add(&line, fault->step);
	if (fault->object != NULL && fault->object[0] != '\0') {
		text_add(&line, ": ");
		text_visible(&line, fault->object);
	}
	text_add(&line, ": ");
	text_add(&line, fault->reason != NULL ? fault->reason : strerror(fault->error));
	if (hint != NULL) {
		text_add(&line, " (");
		text_add(&line, hint);
		text_add(&line, ")");
	}
	text_write(&line, STDERR_FILENO);
}
