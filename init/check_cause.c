/* SPDX-License-Identifier: MIT */
/* From what a probe found and the evidence around it to the one who is to blame, and to what helps. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>

#include "init/check.h"
#include "mountns/linux.h"

#define HAS(around, capability) (((around)->capabilities >> (capability)&1) != 0)

/* One probe that failed, and all that is known. */
struct subject {
	const struct probe *probe;
	const struct finding *finding;
	const struct around *around;
};

/* What the engines call a thing, each in its own words. */
struct remedy {
	const char *plain, *engine, *kubernetes;
};

static void finish(struct text *text)
{
	text->bytes[text->length] = '\0';
}

static void say(struct cause *cause, enum check_state state, const char *by, const char *text)
{
	cause->state = state;
	cause->by = by;
	text_add(&cause->text, text);
}

/* TEMPLATE with OBJECT in the place of its "%s". */
static void fill(struct text *text, const char *template, const char *object)
{
	const char *place = strstr(template, "%s");
	struct text start = { 0 };

	text_add(&start, template);
	start.bytes[place != NULL ? (size_t)(place - template) : start.length] = '\0';
	text_add(text, start.bytes);
	text_add(text, place != NULL ? object : "");
	text_add(text, place != NULL ? place + 2 : "");
}

/* Of an engine the options are for the outer container. */
static void add_remedy(struct cause *cause, const struct around *around,
		       const struct remedy *remedy, const char *object)
{
	const char *text = remedy->plain, *before = "";

	if (around->runtime == RUNTIME_DOCKER || around->runtime == RUNTIME_PODMAN) {
		text = remedy->engine;
		before = around->runtime == RUNTIME_DOCKER ? "docker run " : "podman run ";
	} else if (around->runtime == RUNTIME_KUBERNETES) {
		text = remedy->kubernetes;
		before = "in the pod: ";
	}
	text_add(&cause->remedy, before);
	fill(&cause->remedy, text, object);
}

/* A capability's name, which engines write without its beginning. */
static void add_capability(struct cause *cause, const struct around *around,
			   const struct remedy *remedy, const char *name)
{
	bool engine = around->runtime == RUNTIME_DOCKER || around->runtime == RUNTIME_PODMAN ||
		      around->runtime == RUNTIME_KUBERNETES;

	add_remedy(cause, around, remedy, engine ? name + strlen("CAP_") : name);
}

/* ---- seccomp ---- */

static void remedy_of_filter(const struct subject *subject, struct cause *cause)
{
	static const struct remedy remedy = {
		"a seccomp profile is needed that allows %s; of Docker and Podman --security-opt "
		"seccomp=FILE, of systemd SystemCallFilter=",
		"with --security-opt seccomp=FILE, a profile that allows %s, or seccomp=unconfined",
		"securityContext.seccompProfile of type Localhost that allows %s, or Unconfined"
	};
	const char *name = call_name(subject->finding->call);

	if (name[0] == '\0')
		name = "it";
	if (subject->around->runtime == RUNTIME_NESTBOX)
		text_add(&cause->remedy,
			 (subject->finding->flags & CLONE_NEWUSER) != 0
				 ? "start the outer nestbox with --allow-userns"
				 : "start the outer nestbox with --allow-userns, or with another "
				   "--filter");
	else
		add_remedy(cause, subject->around, &remedy, name);
}

static bool is_too_old(const struct subject *subject)
{
	return subject->around->version != 0 && subject->around->version < subject->probe->since;
}

/* Landlock is the one call of these that a kernel can be built without, but then it is not on the list. */
static bool is_left_out(const struct subject *subject)
{
	return subject->finding->error == ENOSYS &&
	       subject->finding->call == __NR_landlock_create_ruleset &&
	       subject->around->lsms[0] != '\0' &&
	       strstr(subject->around->lsms, "landlock") == NULL;
}

/* What the kernel says of bad arguments, and of what it does not have, is no evidence for a filter. */
static bool is_kernels_own(const struct subject *subject)
{
	int error = subject->finding->error;

	return error == EINVAL || error == EFAULT || error == EBADF || error == EOPNOTSUPP ||
	       (error == ENOSYS && is_too_old(subject)) || is_left_out(subject);
}

/* A signal is its own evidence; an error is the filter's if bad arguments get it as well. */
static bool by_filter(const struct subject *subject, struct cause *cause)
{
	const struct finding *finding = subject->finding;
	bool killed = finding->signal == 31; /* SIGSYS */
	bool same = finding->again != 0 && finding->again == finding->error;

	if (!killed && (!same || subject->around->filters == 0 || is_kernels_own(subject)))
		return false;
	say(cause, CHECK_BLOCKED, "seccomp", "a seccomp filter ");
	text_add(&cause->text, killed ? "kills who makes such a call" : "forbids ");
	text_add(&cause->text, killed ? "" : call_name(finding->call));
	if ((finding->flags & CLONE_NEWUSER) != 0 && finding->call == __NR_clone)
		text_add(&cause->text, " for new user namespaces");
	else if (finding->call == __NR_clone)
		text_add(&cause->text, " for new namespaces");
	remedy_of_filter(subject, cause);
	return true;
}

static bool by_other_listener(const struct subject *subject, struct cause *cause)
{
	if (subject->finding->call != __NR_seccomp || subject->finding->error != EBUSY)
		return false;
	say(cause, CHECK_BLOCKED, "seccomp",
	    "a filter that is on already has a listener, and the "
	    "kernel has one listener for a process");
	text_add(&cause->remedy, "start it where no such filter is on");
	return true;
}

/* ---- the kernel ---- */

static bool by_age(const struct subject *subject, struct cause *cause)
{
	int error = subject->finding->error;

	/* EPERM: of a file system that cannot be mounted in a user namespace yet. */
	bool fits = error == ENOSYS || error == EINVAL || error == ENODEV || error == ENOTTY ||
		    (error == EPERM && subject->probe->type != NULL &&
		     subject->finding->again != EPERM);

	if (!fits || !is_too_old(subject))
		return false;
	say(cause, CHECK_MISSING, "kernel", "the kernel is too old: Linux ");
	text_number(&cause->text, subject->probe->since >> 8);
	text_add(&cause->text, ".");
	text_number(&cause->text, subject->probe->since & 0xff);
	text_add(&cause->text, " has it, this is ");
	text_visible(&cause->text, subject->around->kernel);
	text_add(&cause->remedy, "a newer kernel");
	return true;
}

/* What the configuration of a kernel can leave out. */
static bool by_configuration(const struct subject *subject, struct cause *cause)
{
	const struct finding *finding = subject->finding;
	const char *name = call_name(finding->call);

	if (finding->call == __NR_landlock_create_ruleset && finding->error == EOPNOTSUPP) {
		say(cause, CHECK_MISSING, "kernel", "Landlock is built in, but not switched on");
		text_add(&cause->remedy, "boot with landlock in the kernel's parameter lsm=");
	} else if (finding->error == ENODEV && subject->probe->type != NULL) {
		say(cause, CHECK_MISSING, "kernel", "the kernel has no file system ");
		text_add(&cause->text, subject->probe->type);
		text_add(&cause->remedy, "load its module, as root outside of containers");
	} else if (finding->error == EINVAL && finding->call == __NR_clone &&
		   (finding->flags & ~subject->around->namespaces) != 0) {
		say(cause, CHECK_MISSING, "kernel", "the kernel is built without this namespace");
		text_add(&cause->remedy, "a kernel with CONFIG_NAMESPACES and all below it");
	} else if (finding->error == ENOSYS) {
		say(cause, CHECK_MISSING, "kernel", "the kernel is built without ");
		text_add(&cause->text, name[0] != '\0' ? name : "it");
		text_add(&cause->remedy, "a kernel that has it");
	} else {
		return false;
	}
	return true;
}

/* ---- limits ---- */

static void name_limit(struct cause *cause, const struct around *around, unsigned int limit)
{
	text_add(&cause->text, limit_kinds[limit].name);
	text_add(&cause->text, around->limits[limit] < 0 ? "" : " = ");
	if (around->limits[limit] >= 0)
		text_number(&cause->text, (unsigned long long)around->limits[limit]);
}

/* Each limit holds here and in all the namespaces outside: namespaces(7). The one that is 0 is the one. */
static bool by_limit(const struct subject *subject, struct cause *cause)
{
	const struct around *around = subject->around;
	unsigned int chosen = LIMITS;

	if (subject->finding->error != ENOSPC || subject->finding->call != __NR_clone)
		return false;
	for (unsigned int i = 0; i < LIMITS; i++)
		if ((limit_kinds[i].flag & subject->finding->flags) != 0 &&
		    (chosen == LIMITS || around->limits[chosen] != 0))
			chosen = chosen == LIMITS || around->limits[i] == 0 ? i : chosen;
	if (chosen == LIMITS)
		return false;
	say(cause, CHECK_BLOCKED, "sysctl", "the limit of namespaces is reached: ");
	name_limit(cause, around, chosen);
	text_add(&cause->text, around->limits[chosen] == 0
				       ? ""
				       : " here, or less in a user namespace around this one");
	text_add(&cause->remedy, "as root outside: sysctl -w ");
	text_add(&cause->remedy, limit_kinds[chosen].name);
	text_add(&cause->remedy, "=15000");
	return true;
}

static bool by_depth(const struct subject *subject, struct cause *cause)
{
	if (subject->finding->error != EUSERS)
		return false;
	say(cause, CHECK_BLOCKED, "limit", "user namespaces are nested too deeply");
	text_add(&cause->remedy, "32 levels are the kernel's limit");
	return true;
}

static bool by_processes(const struct subject *subject, struct cause *cause)
{
	if (subject->finding->error != EAGAIN || subject->finding->call != __NR_clone)
		return false;
	say(cause, CHECK_BLOCKED, "limit", "the limit of processes is reached");
	text_add(&cause->remedy, "raise ulimit -u, or pids.max of the cgroup");
	return true;
}

/* ---- user namespaces ---- */

static bool is_denied(const struct finding *finding)
{
	return finding->error == EPERM || finding->error == EACCES;
}

static bool makes_users(const struct finding *finding)
{
	return finding->call == __NR_clone && (finding->flags & CLONE_NEWUSER) != 0;
}

static bool by_sysctl(const struct subject *subject, struct cause *cause)
{
	const struct around *around = subject->around;

	if (!makes_users(subject->finding) || !is_denied(subject->finding) ||
	    around->limits[LIMIT_UNPRIVILEGED] != 0 || HAS(around, CAP_SYS_ADMIN))
		return false;
	say(cause, CHECK_BLOCKED, "sysctl", "user namespaces are for root alone here: ");
	name_limit(cause, around, LIMIT_UNPRIVILEGED);
	text_add(&cause->remedy, "as root outside: sysctl -w kernel.unprivileged_userns_clone=1");
	return true;
}

/* AppArmor lets them be made, too, and then takes away what they are for: apparmor(7). */
static bool by_apparmor(const struct subject *subject, struct cause *cause)
{
	const struct finding *finding = subject->finding;

	if (!is_denied(finding) || subject->around->limits[LIMIT_APPARMOR] <= 0 ||
	    (finding->flags & CLONE_NEWUSER) == 0 || finding->again == finding->error)
		return false;
	say(cause, CHECK_BLOCKED, "lsm",
	    "AppArmor restricts user namespaces of programs without a profile: ");
	name_limit(cause, subject->around, LIMIT_APPARMOR);
	text_add(&cause->remedy, "load examples/nestbox.apparmor, or as root: "
				 "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	return true;
}

/* create_user_ns() of the kernel's kernel/user_namespace.c asks for no more than that. */
static bool by_ids(const struct subject *subject, struct cause *cause)
{
	if (!makes_users(subject->finding) || !is_denied(subject->finding) ||
	    !subject->around->unmapped)
		return false;
	say(cause, CHECK_BLOCKED, "ids",
	    "the caller's own ids are not mapped in its user namespace");
	text_add(&cause->remedy, "map them, in /proc/PID/uid_map and gid_map of that namespace");
	return true;
}

static bool by_root_directory(const struct subject *subject, struct cause *cause)
{
	const struct around *around = subject->around;
	bool other = around->label[0] != '\0' || around->lsms[0] != '\0';

	if (!makes_users(subject->finding) || !is_denied(subject->finding) ||
	    (other && !around->chrooted))
		return false;
	say(cause, CHECK_BLOCKED, "chroot",
	    around->chrooted
		    ? "the caller is in a chroot, where new user namespaces are forbidden"
		    : "the caller's root directory seems not to be that of its mount "
		      "namespace, as in a chroot, where new user namespaces are forbidden");
	text_add(&cause->remedy, "enter that root with pivot_root instead of chroot, or as root "
				 "run it with unshare --root");
	return true;
}

/* ---- the map of ids ---- */

static bool is_map(const struct finding *finding)
{
	return strcmp(finding->step, "uid_map") == 0 || strcmp(finding->step, "gid_map") == 0 ||
	       strcmp(finding->step, "setgroups") == 0;
}

static bool by_proc(const struct subject *subject, struct cause *cause)
{
	static const struct remedy remedy = { "mount a procfs on /proc, writable",
					      "with --security-opt systempaths=unconfined",
					      "securityContext.procMount: Unmasked" };

	if (!is_map(subject->finding) ||
	    (subject->around->has_proc && subject->finding->error != EROFS))
		return false;
	say(cause, CHECK_BLOCKED, "proc",
	    subject->around->has_proc ? "/proc is read-only" : "no procfs is mounted on /proc");
	add_remedy(cause, subject->around, &remedy, "");
	return true;
}

/* Since Linux 5.12 who maps the id 0 must have this capability: user_namespaces(7). */
static bool by_map_rights(const struct subject *subject, struct cause *cause)
{
	static const struct remedy remedy = {
		"run it with %s, or as another user than root", "with --cap-add %s, or with --user",
		"securityContext.capabilities.add: [%s], or runAsUser"
	};

	if (!is_map(subject->finding) || !is_denied(subject->finding) ||
	    subject->around->uid != 0 || HAS(subject->around, CAP_SETFCAP))
		return false;
	say(cause, CHECK_BLOCKED, "capability",
	    "root without CAP_SETFCAP may not map its id into a user namespace");
	if (subject->around->runtime == RUNTIME_NESTBOX)
		text_add(&cause->remedy, "start the outer nestbox with --keep-cap setfcap, or a "
					 "--uid that is not 0");
	else
		add_capability(cause, subject->around, &remedy, "CAP_SETFCAP");
	return true;
}

/* ---- a fresh /proc ---- */

static void describe_proc(const struct around *around, struct text *text)
{
	if (!around->has_proc) {
		text_add(text, "no procfs is mounted out here, without which the kernel refuses a "
			       "fresh one");
	} else if (around->covers > 0) {
		text_add(text, "parts of the outer /proc are covered, such as ");
		text_visible(text, around->cover[0] != '\0' ? around->cover : "a file");
		text_add(text, ", so that the kernel refuses a fresh one that would show them");
	} else if (around->proc_read_only) {
		text_add(text, "the outer /proc is read-only, so that the kernel refuses a "
			       "writable one");
	} else {
		text_add(text, "the outer /proc shows only some processes, so that the kernel "
			       "refuses a whole one");
	}
}

/* mount_too_revealing() of the kernel's fs/namespace.c. */
static bool by_covers(const struct subject *subject, struct cause *cause)
{
	static const struct remedy remedies[] = {
		{ "have a whole procfs out here: of Docker --security-opt systempaths=unconfined, "
		  "of "
		  "Podman unmask=ALL",
		  "with --security-opt systempaths=unconfined",
		  "securityContext.procMount: Unmasked, with hostUsers: false" },
		{ "", "with --security-opt unmask=ALL", "" },
	};
	const struct around *around = subject->around;

	if (subject->finding->error != EPERM || subject->probe->type == NULL ||
	    strcmp(subject->probe->type, "proc") != 0 ||
	    (around->has_proc && around->covers == 0 && !around->proc_read_only &&
	     !around->proc_partial))
		return false;
	say(cause, CHECK_BLOCKED, "proc", "");
	describe_proc(around, &cause->text);
	/* It covers for the machine's root what that could write. */
	if (around->runtime == RUNTIME_NESTBOX)
		text_add(&cause->remedy,
			 "start the outer nestbox as another user than root, or with "
			 "--map-uids and --map-gids of ids that are nobody's");
	else
		add_remedy(cause, around, &remedies[around->runtime == RUNTIME_PODMAN], "");
	text_add(&cause->remedy, "; or have none in the box: --tmpfs /proc");
	return true;
}

/* ---- rights, and the rest ---- */

static bool by_capability(const struct subject *subject, struct cause *cause)
{
	static const struct remedy remedy = { "run it with %s, or in a user namespace",
					      "with --cap-add %s",
					      "securityContext.capabilities.add: [%s]" };
	const struct finding *finding = subject->finding;

	if (finding->error != EPERM || finding->call < 0 || (finding->flags & CLONE_NEWUSER) != 0 ||
	    HAS(subject->around, CAP_SYS_ADMIN))
		return false;
	say(cause, CHECK_BLOCKED, "capability", "CAP_SYS_ADMIN is missing");
	add_capability(cause, subject->around, &remedy, "CAP_SYS_ADMIN");
	return true;
}

/* All other reasons that the kernel has are gone by now. */
static bool by_module(const struct subject *subject, struct cause *cause)
{
	static const struct remedy remedies[] = {
		{ "run it under a profile that allows this; examples/nestbox.apparmor is one of "
		  "AppArmor's",
		  "with --security-opt apparmor=unconfined",
		  "securityContext.appArmorProfile of type Unconfined" },
		{ "run it in a domain that allows this", "with --security-opt label=disable",
		  "securityContext.seLinuxOptions with a type that allows this" },
	};
	const struct around *around = subject->around;
	bool selinux = strchr(around->label, ':') != NULL;

	if (!is_denied(subject->finding) || around->label[0] == '\0')
		return false;
	say(cause, CHECK_BLOCKED, "lsm",
	    selinux ? "SELinux confines the caller to " : "AppArmor confines the caller to ");
	text_visible(&cause->text, around->label);
	add_remedy(cause, around, &remedies[selinux], "");
	return true;
}

static bool by_initramfs(const struct subject *subject, struct cause *cause)
{
	if (subject->finding->call != __NR_pivot_root || subject->finding->error != EINVAL)
		return false;
	say(cause, CHECK_MISSING, "kernel",
	    "the root file system is the initramfs, which cannot be pivoted");
	text_add(&cause->remedy, "none is needed: the box is entered by chroot then");
	return true;
}

static bool by_time(const struct subject *subject, struct cause *cause)
{
	if (subject->finding->ended || subject->finding->step != NULL)
		return false;
	say(cause, CHECK_BLOCKED, "",
	    subject->finding->signal != 0 ? "the probe was killed"
					  : "the probe did not end in time");
	return true;
}

static bool by_own_words(const struct subject *subject, struct cause *cause)
{
	const struct finding *finding = subject->finding;

	if (finding->reason == NULL)
		return false;
	say(cause, CHECK_MISSING, finding->by, finding->reason);
	text_add(&cause->remedy, finding->remedy);
	return true;
}

/* Whoever answers first in the kernel comes first. */
static bool (*const explanations[])(const struct subject *subject, struct cause *cause) = {
	by_own_words,  by_filter, by_other_listener, by_time,          by_age,
	by_limit,      by_depth,  by_processes,      by_configuration, by_initramfs,
	by_proc,       by_sysctl, by_apparmor,       by_ids,           by_root_directory,
	by_map_rights, by_covers, by_capability,     by_module,
};

static bool has_failed(const struct finding *finding)
{
	return finding->step != NULL || !finding->ended;
}

void cause_find(const struct probe *probe, const struct finding *finding,
		const struct around *around, struct cause *cause)
{
	const struct subject subject = { probe, finding, around };
	bool known = !has_failed(finding);

	*cause = (struct cause){ .state = CHECK_OK, .by = "" };
	if (finding->needs != NULL) {
		say(cause, CHECK_UNTRIED, "", "it takes what is not to be had here: ");
		text_add(&cause->text, finding->needs);
		known = true;
	}
	for (size_t i = 0; !known && i < sizeof(explanations) / sizeof(explanations[0]); i++)
		known = explanations[i](&subject, cause);
	if (!known)
		cause->state = CHECK_BLOCKED;
	finish(&cause->text);
	finish(&cause->remedy);
}

void cause_join(struct text *text, const struct cause *cause)
{
	text_add(text, cause->text.bytes);
	text_add(text, cause->remedy.length > 0 ? "; " : "");
	text_add(text, cause->remedy.bytes);
	finish(text);
}
