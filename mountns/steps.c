/* SPDX-License-Identifier: MIT */
/* The steps that make something of their own. */
#include <errno.h>
#include <string.h>

#include "mountns/build.h"
#include "mountns/sys.h"

mode_t step_mode(const struct mount_step *step)
{
	if (step->mode >= 0)
		return (mode_t)step->mode;
	return step->kind == STEP_FILE ? 0666 : step->kind == STEP_DATA ? 0600 : 0755;
}

/* Who may not enter the thing shall not enter its parents either. */
static mode_t parents_mode(const struct mount_step *step)
{
	mode_t mode = 0755;

	if ((step_mode(step) & 0070) == 0)
		mode &= (mode_t)~0050;
	if ((step_mode(step) & 0007) == 0)
		mode &= (mode_t)~0005;
	return mode;
}

struct wanted build_wanted(const struct mount_step *step, bool directory, mode_t mode)
{
	return (struct wanted){
		.path = step->dest,
		.links = LINKS_ALL,
		.directory = directory,
		.parents = parents_mode(step),
		.mode = mode,
	};
}

/* --- tmpfs -------------------------------------------------------------------------------------- */

void build_number(char text[NUMBER_SIZE], uint64_t value, unsigned int base)
{
	char digits[NUMBER_SIZE];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + value % base);
		value /= base;
	} while (value > 0);
	while (count > 0)
		*text++ = digits[--count];
	*text = '\0';
}

int build_tmpfs(struct builder *builder, const char *mode, uint64_t size, unsigned int attributes)
{
	struct mount_option options[3] = { { "mode", mode } };
	size_t count = 1;
	char bytes[NUMBER_SIZE];
	int error, mount;

	build_number(bytes, size, 10);
	if (size > 0)
		options[count++] = (struct mount_option){ "size", bytes };
	if (builder->view->label != NULL)
		options[count++] = (struct mount_option){ "context", builder->view->label };
	mount = mount_make(&builder->mounter, "tmpfs", options, count, attributes);
	if (mount < 0)
		return mount;
	error = build_own(builder, mount);
	if (error == 0)
		return mount;
	sys_close(mount);
	return error;
}

int step_put(struct builder *builder, const struct mount_step *step, const char *name, int mount,
	     struct target *target)
{
	int error = mount;

	if (mount >= 0)
		error = build_attach(builder, mount, target);
	else
		place_close(target);
	return error < 0 ? fault_errno(builder->fault, name, step->dest, error) : 0;
}

int step_tmpfs(struct builder *builder, const struct mount_step *step)
{
	const struct wanted wanted = build_wanted(step, true, 0755);
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	unsigned int rights = GRANT_READ | GRANT_WRITE;
	char mode[NUMBER_SIZE] = "1777";
	struct target target;
	int mount;

	if (step->kind == STEP_SCRATCH) {
		attributes |= MOUNT_ATTR_NOEXEC;
	} else {
		rights |= GRANT_EXEC;
		build_number(mode, step_mode(step), 8);
	}
	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	mount = build_tmpfs(builder, mode, step->size, attributes);
	return step_put(builder, step, "tmpfs", build_told(builder, mount, rights, true), &target);
}

/* A directory of a tmpfs of ours as a mount of its own stays writable when the rest is not: cheaper
 * than one more file system. It has the flags of the mount that it is in. */
int build_scratch(struct builder *builder, int dir, const char *name)
{
	int error = sys_mkdirat(dir, name, 01777), tree;

	if (error < 0)
		return error;
	tree = build_told(builder,
			  mount_clone(&builder->mounter, dir, name, AT_SYMLINK_NOFOLLOW, 0),
			  GRANT_READ | GRANT_WRITE, true);
	if (tree < 0)
		return tree;
	error = mount_attach(&builder->mounter, tree, dir, name);
	sys_close(tree);
	return error;
}

bool build_is_ours(const struct builder *builder, const struct place *place)
{
	struct kernel_statx stat;

	if (!builder->view->touch_host)
		return place->ours;
	return sys_statx(place->dir, "", AT_EMPTY_PATH, &stat) == 0 && build_is_own(builder, &stat);
}

int step_scratch(struct builder *builder, const struct mount_step *step)
{
	const struct wanted wanted = build_wanted(step, true, 0755);
	struct place place;
	int error;

	if (place_find(builder, &wanted, &place) != 0)
		return -1;
	if (!build_is_ours(builder, &place))
		return step_tmpfs(builder, step);
	error = build_scratch(builder, place.dir, place.name);
	return error < 0 ? fault_errno(builder->fault, "tmpfs", step->dest, error) : 0;
}

/* --- Message queues ----------------------------------------------------------------------------- */

int step_mqueue(struct builder *builder, const struct mount_step *step)
{
	const struct mount_option context = { "context", builder->view->label };
	const struct wanted wanted = build_wanted(step, true, 0755);
	struct target target;
	int mount;

	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	mount = mount_make(&builder->mounter, "mqueue", &context, context.value != NULL,
			   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return step_put(builder, step, "mqueue",
			build_told(builder, mount, GRANT_READ | GRANT_WRITE, true), &target);
}

/* --- Directories and links ---------------------------------------------------------------------- */

int step_dir(struct builder *builder, const struct mount_step *step)
{
	const struct wanted wanted = build_wanted(step, true, step_mode(step));
	struct target target;

	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	place_close(&target);
	return 0;
}

/* One that says the same is as good as a new one. */
static int compare_link(struct builder *builder, const struct mount_step *step,
			const struct place *place)
{
	char *text = builder->view->text;
	long length = sys_readlinkat(place->dir, place->name, text, PATH_MAX - 1);

	if (length < 0)
		return fault_text(builder->fault, "symlink", step->dest,
				  "destination exists and is not a symlink");
	text[length] = '\0';
	if (strcmp(text, step->text) == 0)
		return 0;
	fault_text(builder->fault, "symlink", step->dest, "existing destination is");
	builder->fault->detail = text;
	return -1;
}

int step_symlink(struct builder *builder, const struct mount_step *step)
{
	struct wanted wanted = build_wanted(step, false, 0);
	struct kernel_statx stat;
	struct place place;
	int error;

	wanted.links = LINKS_ON_THE_WAY;
	if (place_find(builder, &wanted, &place) != 0)
		return -1;
	error = place.name[0] == '\0' ? -EEXIST
		: place.ours          ? sys_symlinkat(step->text, place.dir, place.name)
			     : sys_statx(place.dir, place.name, AT_SYMLINK_NOFOLLOW, &stat);
	if (error == -EEXIST || (error == 0 && !place.ours))
		return compare_link(builder, step, &place);
	if (error == -ENOENT && !place.ours)
		return fault_text(builder->fault, "symlink", step->dest,
				  "is not there, and on the host nothing is made");
	return error < 0 ? fault_errno(builder->fault, "symlink", step->dest, error) : 0;
}

/* --- What is there ------------------------------------------------------------------------------ */

/* By a name the file would be looked up again, and perhaps through a link. */
static int change_mode(int fd, mode_t mode)
{
	int error = sys_fchmodat2(fd, "", mode, AT_EMPTY_PATH);
	char path[FD_PATH_SIZE];

	if (error != -ENOSYS && error != -EPERM && error != -EACCES)
		return error;
	mount_fd_path(path, fd);
	return sys_fchmodat(AT_FDCWD, path, mode);
}

int step_chmod(struct builder *builder, const struct mount_step *step)
{
	int error, may, fd = place_existing(builder, step->dest, "chmod");

	if (fd < 0)
		return -1;
	may = build_may_change(builder, fd);
	error = may > 0 ? change_mode(fd, step_mode(step)) : may;
	sys_close(fd);
	if (may == 0)
		return fault_text(builder->fault, "chmod", step->dest,
				  "is on the host, where nothing is changed");
	return error < 0 ? fault_errno(builder->fault, "chmod", step->dest, error) : 0;
}

int step_remount(struct builder *builder, const struct mount_step *step)
{
	int error, fd = place_existing(builder, step->dest, "remount");

	if (fd < 0)
		return -1;
	error = mount_change(&builder->mounter, fd, MOUNT_ATTR_RDONLY, 0);
	sys_close(fd);
	if (error == -EINVAL)
		return fault_text(builder->fault, "remount", step->dest, "is not a mount point");
	return error < 0 ? fault_errno(builder->fault, "remount", step->dest, error) : 0;
}
