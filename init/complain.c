/* SPDX-License-Identifier: MIT */
/* A fault as the one line that a person reads. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "init/check.h"
#include "init/filters.h"
#include "init/inits.h"
#include "init/personality.h"
#include "init/text.h"

/* Causes that we know, and what helps, where nothing more is found out: init/check.h. */
static const struct {
	const char *step;
	int error;
	const char *hint;
	/* Options that the hint names are had anywhere, in a box of nestbox alone, or where grants are
	 * what counts, with or without a box. */
	enum { ANYWHERE, IN_BOX, WITH_GRANTS } place;
} hints[] = {
	{ "clone", EPERM,
	  "new user namespaces are not allowed here; a container needs a seccomp profile that "
	  "allows clone, a host kernel.unprivileged_userns_clone=1 or "
	  "kernel.apparmor_restrict_unprivileged_userns=0",
	  ANYWHERE },
	{ "clone", ENOSPC,
	  "the limit of namespaces is reached; see /proc/sys/user/max_*_namespaces", ANYWHERE },
	{ "clone", EUSERS, "user namespaces are nested too deeply; 32 levels are the limit",
	  ANYWHERE },
	{ "clone", EINVAL, "the kernel lacks one of the namespaces", ANYWHERE },
	{ "clone", EAGAIN, "the limit of processes is reached; see ulimit -u and pids.max",
	  ANYWHERE },
	{ "id map", EPERM,
	  "the caller may not map its own ids; as root in a container it needs CAP_SETFCAP",
	  ANYWHERE },
	{ "id ranges", EPERM,
	  "the ids outside must all be mapped in the caller's own user namespace; for its id 0 "
	  "CAP_SETFCAP is needed, too",
	  IN_BOX },
	{ "proc", EPERM,
	  "parts of the outer /proc are covered, so that the kernel refuses a fresh one; run the "
	  "outer container with an unmasked /proc",
	  ANYWHERE },
	{ "mount_setattr", ENOSYS, "Linux 5.12 or newer is needed", ANYWHERE },
	{ "keyring", EDQUOT,
	  "the limit of keys is reached, one for each box; see /proc/sys/kernel/keys/maxkeys",
	  ANYWHERE },
	{ "seccomp", ENOSYS, "the kernel lacks CONFIG_SECCOMP_FILTER", ANYWHERE },
	{ "exec", ENOENT,
	  "not in the box, or its interpreter or loader is not; grant it with --exec", IN_BOX },
	{ "exec", EACCES, "not executable, or not granted with --exec", WITH_GRANTS },
	{ "landlock", EPERM,
	  "its calls are blocked here; a container needs a seccomp profile that allows "
	  "landlock_create_ruleset, landlock_add_rule and landlock_restrict_self",
	  ANYWHERE },
	{ "landlock", E2BIG, "16 rulesets on top of each other are the limit", ANYWHERE },
	{ "chdir", ENOENT, "not in the box; grant it with --read or --write", IN_BOX },
};

static bool is_at(const struct plan *plan, int place)
{
	if (place == ANYWHERE)
		return true;
	if (plan->as != AS_NESTBOX)
		return false;
	return !plan->init_only || (place == WITH_GRANTS && plan->grant_count > 0);
}

const char *init_hint(const struct plan *plan, const struct fault *fault)
{
	if (fault->reason != NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].error == fault->error && strcmp(hints[i].step, fault->step) == 0 &&
		    is_at(plan, (int)hints[i].place))
			return hints[i].hint;
	return NULL;
}

static void add_native(struct text *line, const struct fault *fault)
{
	text_add(line, fault->step);
	if (fault->object != NULL && fault->object[0] != '\0') {
		text_add(line, ": ");
		text_visible(line, fault->object);
	}
	text_add(line, ": ");
	text_add(line, fault->reason != NULL ? fault->reason : strerror(fault->error));
	if (fault->detail != NULL) {
		text_add(line, " ");
		text_visible(line, fault->detail);
	}
}

/* The levels of sd-daemon(3). */
static void begin(struct text *line, const struct plan *plan, const char *level)
{
	text_add(line, plan->level_prefix ? level : "");
	text_add(line, plan->as == AS_BWRAP ? "bwrap: " : "nestbox: ");
}

/* Its author chooses the error, and execve must be allowed for the command itself. */
static bool may_be_the_profile(const struct plan *plan, const struct fault *fault)
{
	return filters_is_file(plan->filter) && fault->reason == NULL &&
	       strcmp(fault->step, "exec") == 0 && fault->error != ENOENT;
}

static void add_hint(struct text *line, const struct plan *plan, const struct fault *fault,
		     const char *hint)
{
	bool filtered = may_be_the_profile(plan, fault);

	if (hint == NULL && !filtered)
		return;
	text_add(line, " (");
	text_add(line, hint != NULL ? hint : "");
	if (filtered) {
		text_add(line, hint != NULL ? "; or forbidden by " : "perhaps forbidden by ");
		text_visible(line, plan->filter);
	}
	text_add(line, ")");
}

/* What is the matter is looked for only when it is too late for anything else. */
static void add_diagnosis(struct text *line, const struct plan *plan, const struct fault *fault)
{
	struct cause cause;

	if (!check_diagnose(plan, fault, &cause)) {
		add_hint(line, plan, fault, init_hint(plan, fault));
		return;
	}
	text_add(line, " (");
	cause_join(line, &cause);
	text_add(line, ")");
}

void init_complain(const struct plan *plan, const struct fault *fault)
{
	struct text line = { 0 };

	if (plan->quiet)
		return;
	if (inits_find(plan->as) != NULL) {
		inits_find(plan->as)->complain(plan, getpid(), fault);
		return;
	}
	begin(&line, plan, "<3>");
	if (plan->as == AS_BWRAP)
		bwrap_message(&line, fault);
	else
		add_native(&line, fault);
	add_diagnosis(&line, plan, fault);
	text_write(&line, STDERR_FILENO);
}

void init_warn(const struct plan *plan)
{
	for (size_t i = 0; i < plan->repeated_count && !plan->quiet; i++) {
		struct text line = { 0 };

		begin(&line, plan, "<4>");
		text_add(&line, "Only the last ");
		text_add(&line, plan->repeated[i]);
		text_add(&line, " option will take effect");
		text_write(&line, STDERR_FILENO);
	}
}

void init_note(const struct plan *plan, const char *what, const char *object)
{
	struct text line = { 0 };

	if (plan->quiet)
		return;
	begin(&line, plan, "<5>");
	text_add(&line, what);
	text_visible(&line, object);
	text_write(&line, STDERR_FILENO);
}

void init_warn_of_missing(const struct plan *plan, const struct fault *fault)
{
	struct text line = { 0 };

	if (plan->quiet)
		return;
	begin(&line, plan, "<4>");
	text_add(&line, "warning: ");
	add_native(&line, fault);
	add_hint(&line, plan, fault, init_hint(plan, fault));
	text_write(&line, STDERR_FILENO);
}
