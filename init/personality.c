/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/inits.h"
#include "init/parser.h"
#include "init/personality.h"
#include "mountns/linux.h"
#include "mountns/sys.h"

/* The release of bubblewrap whose options and meanings these are. */
#define BWRAP_VERSION "0.12.0"

static const struct {
	const char *name;
	enum personality as;
} programs[] = {
	{ "nestbox", AS_NESTBOX },     { "bwrap", AS_BWRAP },
	{ "tini", AS_TINI },           { "tini-static", AS_TINI },
	{ "docker-init", AS_TINI },    { "dumb-init", AS_DUMB_INIT },
	{ "catatonit", AS_CATATONIT }, { "podman-init", AS_CATATONIT },
};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool find_program(const char *name, enum personality *as)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (strcmp(base_name(name), programs[i].name) != 0)
			continue;
		*as = programs[i].as;
		return true;
	}
	return false;
}

enum personality personality_named(const char *name)
{
	enum personality as = AS_NESTBOX;

	find_program(name, &as);
	return as;
}

enum personality personality_of(const char *argv0)
{
	enum personality as = AS_NESTBOX;
	char file[4096];
	ssize_t length;

	if (argv0 != NULL && find_program(argv0, &as))
		return as;
	/* The kernel's own name of the file, whatever the caller called it: proc(5). */
	length = readlink("/proc/self/exe", file, sizeof(file) - 1);
	if (length > 0) {
		file[length] = '\0';
		find_program(file, &as);
	}
	return as;
}

enum personality personality_called(char *const argv[])
{
	enum personality as = personality_of(argv[0]);

	if (as == AS_NESTBOX && argv[0] != NULL && strcmp(base_name(argv[0]), "init") == 0 &&
	    argv[1] != NULL && strcmp(argv[1], "--") == 0 && getpid() == 1)
		return AS_TINI;
	return as;
}

const char *personality_version(enum personality as)
{
	return as == AS_BWRAP ? "bubblewrap " BWRAP_VERSION : "nestbox " NESTBOX_VERSION;
}

/* In front of what options have edited so far. */
static int begin_environment(struct plan *plan, const struct env_edit *edits, size_t count,
			     struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (parser_append(&plan->env, &plan->env_count, sizeof(*plan->env), fault) == NULL)
			return -1;
	memmove(plan->env + count, plan->env, (plan->env_count - count) * sizeof(*plan->env));
	memcpy(plan->env, edits, count * sizeof(*plan->env));
	return 0;
}

static int bwrap_defaults(struct plan *plan, struct fault *fault)
{
	static const struct env_edit edits[] = { { .kind = ENV_CLEAR }, { .kind = ENV_KEEP_ALL } };

	plan->bare = true;
	plan->touch_host = true;
	plan->inherit_fds = true;
	plan->inherit_signals = true;
	plan->map_caller = true;
	plan->unfiltered = true;
	plan->loose = true;
	plan->execvp = true;
	/* Root keeps what it has unless it is told otherwise. */
	plan->capabilities = getuid() == 0 ? UINT64_MAX : 0;
	return begin_environment(plan, edits, 2, fault);
}

/* What the three init programs have in common; they take nothing away from the command. */
static void init_defaults(struct plan *plan)
{
	plan->init_only = true;
	plan->inherit_fds = true;
	plan->unfiltered = true;
	plan->execvp = true;
	plan->capabilities = UINT64_MAX;
	inits_find(plan->as)->defaults(plan);
}

int personality_defaults(struct plan *plan, enum personality as, struct fault *fault)
{
	plan->as = as;
	plan->uid = plan->gid = plan->umask = -1;
	plan->on_failure = COW_DISCARD;
	for (size_t i = 0; i < PLAN_FDS; i++)
		plan->fds[i] = -1;
	for (unsigned char signal = 1; signal <= LAST_SIGNAL; signal++)
		plan->forward_as[signal] = signal;
	if (inits_find(as) != NULL) {
		init_defaults(plan);
		return 0;
	}
	if (as == AS_BWRAP)
		return bwrap_defaults(plan, fault);
	plan->namespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			   CLONE_NEWCGROUP | CLONE_NEWNET;
	plan->landlocked = true;
	return 0;
}

static bool is_unshared(const struct plan *plan, unsigned int namespace)
{
	return (plan->namespaces & ~plan->try_for & namespace) != 0;
}

static int refuse(struct fault *fault, const char *option, const char *reason)
{
	return fault_text(fault, "options", option, reason);
}

/* bubblewrap's rules about user namespaces, which it makes only when asked to or when it must. */
static int check_bwrap_users(const struct plan *plan, struct fault *fault)
{
	bool own = is_unshared(plan, CLONE_NEWUSER), given = plan->fds[FD_USERNS] >= 0;

	if (plan->fds[FD_USERNS_BLOCK] >= 0 && !own)
		return refuse(fault, "--userns-block-fd", "requires --unshare-user");
	if (plan->fds[FD_USERNS_BLOCK] >= 0 && plan->fds[FD_INFO] < 0)
		return refuse(fault, "--userns-block-fd", "requires --info-fd");
	if (given && own)
		return refuse(fault, "--userns", "not compatible --unshare-user");
	if (given && (plan->namespaces & CLONE_NEWUSER) != 0)
		return refuse(fault, "--userns", "not compatible --unshare-user-try");
	if (plan->disable_userns && !own)
		return refuse(fault, "--disable-userns", "requires --unshare-user");
	if (plan->disable_userns && plan->fds[FD_USERNS_BLOCK] >= 0)
		return refuse(fault, "--disable-userns",
			      "is not compatible with --userns-block-fd");
	return 0;
}

static int check_bwrap_ids(const struct plan *plan, struct fault *fault)
{
	bool namespaced = plan->namespaces & CLONE_NEWUSER || plan->fds[FD_USERNS] >= 0;

	if (!namespaced && plan->uid >= 0 && plan->uid != (int64_t)getuid())
		return refuse(fault, "Specifying --uid", "requires --unshare-user or --userns");
	if (!namespaced && plan->gid >= 0 && plan->gid != (int64_t)getgid())
		return refuse(fault, "Specifying --gid", "requires --unshare-user or --userns");
	if (plan->hostname != NULL && !is_unshared(plan, CLONE_NEWUTS))
		return refuse(fault, "Specifying --hostname", "requires --unshare-uts");
	return 0;
}

/* Without a box all is the caller's that no option takes away. */
static int finish_init_only(struct plan *plan, struct fault *fault)
{
	static const struct env_edit edits[] = { { .kind = ENV_KEEP_ALL } };

	plan->namespaces = 0;
	plan->inherit_fds = plan->keep_fd_count == 0 && plan->fd_map_count == 0;
	plan->unfiltered = true;
	plan->landlocked =
		plan->grant_count > 0 || plan->connect_ports != NULL || plan->bind_ports != NULL;
	plan->subreaper = true;
	plan->leave_directory = true;
	plan->close_descriptors = true;
	plan->rewrite_listen_pid = true;
	if (plan->new_session)
		plan->job = JOB_SHARED;
	return begin_environment(plan, edits, 1, fault);
}

/* Root in a container may be without the right to mount. In a user namespace it has that, but keeps no more than
 * it came with. Returns whether there has to be one. */
static bool lacks_rights(struct plan *plan)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	struct kernel_cap_data data[2];
	uint64_t rights;

	if (getuid() != 0)
		return true;
	if ((plan->namespaces & CLONE_NEWUSER) != 0 || sys_capget(&header, data) < 0)
		return false;
	rights = (uint64_t)data[1].effective << 32 | data[0].effective;
	if (rights >> CAP_SYS_ADMIN & 1)
		return false;
	plan->capabilities &= rights | plan->named_capabilities;
	return true;
}

int personality_check(struct plan *plan, struct fault *fault)
{
	if (plan->init_only)
		return finish_init_only(plan, fault);
	if (plan->as == AS_BWRAP) {
		if (plan->command[0] == NULL)
			return fault_text(fault, "usage", "", "");
		if (check_bwrap_users(plan, fault) != 0)
			return -1;
		/* Only in a user namespace of its own has an ordinary user any rights. */
		if (plan->fds[FD_USERNS] < 0 && lacks_rights(plan)) {
			plan->namespaces |= CLONE_NEWUSER;
			plan->try_for &= ~(unsigned int)CLONE_NEWUSER;
		}
		if (check_bwrap_ids(plan, fault) != 0)
			return -1;
	} else {
		if (plan->fds[FD_USERNS] >= 0)
			plan->namespaces &= ~(unsigned int)CLONE_NEWUSER;
		/* With rights it could lift a limit of its own namespace. */
		plan->disable_userns |= plan->capabilities != 0 && !plan->allow_userns;
	}
	if (plan->allow_userns && (plan->disable_userns || plan->assert_userns_disabled))
		return refuse(fault, "--allow-userns",
			      "cannot be combined with --disable-userns or "
			      "--assert-userns-disabled");
	if (plan->as_pid_1 && !is_unshared(plan, CLONE_NEWPID))
		return refuse(fault, "Specifying --as-pid-1", "requires --unshare-pid");
	if (plan->as_pid_1 && (plan->grace > 0 || plan->wait_all))
		return refuse(fault, "Specifying --as-pid-1 and --grace or --wait-all",
			      "is not permitted");
	if (plan->as_pid_1 && plan->lock_file_count > 0)
		return refuse(fault, "Specifying --as-pid-1 and --lock-file", "is not permitted");
	return 0;
}

int personality_failure(const struct plan *plan, enum report_kind kind, const struct fault *fault)
{
	if (inits_find(plan->as) != NULL)
		return inits_find(plan->as)->failure(kind, fault);
	if (plan->as == AS_BWRAP)
		return EXIT_FAILURE;
	if (kind != REPORT_EXEC_FAILED)
		return EXIT_NESTBOX;
	return fault->error == ENOENT || fault->error == ENOTDIR ? EXIT_NOT_FOUND
								 : EXIT_CANNOT_EXEC;
}
