/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include "init/clone.h"
#include "init/fence.h"
#include "init/walls.h"
#include "mountns/sys.h"

static int end_at_once(void *argument)
{
	(void)argument;
	sys_exit_group(0);
}

/* A child from before, dead or not, that is not inside. Returns its pid, or -errno. */
static int start_outsider(void)
{
	char *stack;
	int pid, error = clone_map_stacks(&stack, 1);

	if (error < 0)
		return error;
	pid = clone_child(end_at_once, NULL, stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	clone_unmap_stacks(&stack, 1);
	return pid;
}

static int allow_writing(const struct landlock *landlock, const char *path, uint64_t writing)
{
	struct kernel_statx stat;
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
	int error = fd < 0 ? fd : sys_statx(fd, "", AT_EMPTY_PATH, &stat);

	if (error == 0 && (stat.mode & S_IFMT) != S_IFDIR)
		writing &= ~LANDLOCK_MAKE_REG;
	if (error == 0)
		error = landlock_allow_file(landlock, fd, writing);
	if (fd >= 0)
		sys_close(fd);
	return error;
}

/* Moving files between directories is denied by every ruleset that does not allow it: landlock(7). */
static int add_rules(const struct box *box, const struct landlock *landlock,
		     const char *const writable[], size_t count, uint64_t writing)
{
	struct fault ignored;
	int error = allow_writing(landlock, "/", landlock->handled.files & ~writing);

	for (size_t i = 0; i < count && error == 0; i++)
		error = allow_writing(landlock, writable[i], writing);
	if (error == 0 && count > 0 && box_allow_descriptors(box, landlock, &ignored) != 0)
		error = -EINVAL;
	return error;
}

int fence_enter(const struct box *box, const char *const writable[], size_t count)
{
	const uint64_t known = landlock_known(box->landlock.abi).files;
	const uint64_t moving = landlock_known(LANDLOCK_ABI_REFER).files &
				~landlock_known(LANDLOCK_ABI_REFER - 1).files;
	const uint64_t writing =
		count > 0 ? known & (LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE | LANDLOCK_MAKE_REG)
			  : 0;
	struct landlock landlock = { .abi = box->landlock.abi,
				     .handled = { .files = moving | writing,
						  .scopes = box->landlock.handled.scopes } };
	int error = landlock_create(&landlock);

	if (error < 0)
		return error;
	error = add_rules(box, &landlock, writable, count, writing);
	if (error == 0)
		error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	if (error == 0)
		error = landlock_restrict(&landlock);
	sys_close(landlock.ruleset);
	return error;
}

/* A filter around us may have said yes in the kernel's place, so the outsider is asked: nothing else would
 * keep us from signalling our own child. */
bool fence_raise(const struct box *box)
{
	bool stands;
	int outsider;

	if (box->landlock.handled.scopes == 0 || !box_denies_new_privileges(box))
		return false;
	outsider = start_outsider();
	if (outsider < 0)
		return false;
	stands = fence_enter(box, NULL, 0) == 0 && sys_kill(outsider, 0) == -EPERM;
	sys_wait4(outsider, NULL, 0);
	return stands;
}
