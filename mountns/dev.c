/* SPDX-License-Identifier: MIT */
/* The box's small /dev: six devices of the host, terminals and shared memory of its own. */
#include <errno.h>
#include <string.h>

#include "mountns/build.h"
#include "mountns/sys.h"

/* Read-only does not keep anybody from writing to a device, but from changing the host's file: its mode,
 * owner and times. */
#define DEVICE_ATTRIBUTES (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

static const struct {
	const char *name, *path;
	unsigned int major, minor; /* Documentation/admin-guide/devices.txt */
} devices[] = {
	{ "null", "/dev/null", 1, 3 },       { "zero", "/dev/zero", 1, 5 },
	{ "full", "/dev/full", 1, 7 },       { "random", "/dev/random", 1, 8 },
	{ "urandom", "/dev/urandom", 1, 9 }, { "tty", "/dev/tty", 5, 0 },
};

static const struct {
	const char *name, *text;
	bool bare; /* only in a bare view */
} links[] = {
	{ "fd", "/proc/self/fd", false },       { "stdin", "/proc/self/fd/0", false },
	{ "stdout", "/proc/self/fd/1", false }, { "stderr", "/proc/self/fd/2", false },
	{ "core", "/proc/kcore", true },
};

/* The device is checked on the very descriptor that is mounted: a fake one is refused. */
static int clone_device(struct builder *builder, size_t index, unsigned int attributes)
{
	const char *path = devices[index].path;
	struct kernel_statx stat;
	int tree = mount_clone(&builder->mounter, AT_FDCWD, path, 0, attributes);
	int error = tree < 0 ? tree : sys_statx(tree, "", AT_EMPTY_PATH, &stat);

	if (error < 0)
		return fault_errno(builder->fault, "dev", path, error);
	if (!S_ISCHR(stat.mode) || stat.rdev_major != devices[index].major ||
	    stat.rdev_minor != devices[index].minor)
		return fault_text(builder->fault, "dev", path, "is not the device of that name");
	return tree;
}

int dev_clone_null(struct builder *builder, unsigned int attributes)
{
	return clone_device(builder, 0, attributes);
}

/* Makes DIR/NAME to mount TREE, which is a device, on, and closes that. Returns 0, or -errno. */
static int put(struct builder *builder, int tree, int dir, const char *name, mode_t mode)
{
	int error;

	tree = build_told(builder, tree, GRANT_READ | GRANT_WRITE | GRANT_DEVICES, false);
	if (tree < 0)
		return tree;
	error = sys_mknodat(dir, name, S_IFREG | mode);
	if (error == 0)
		error = mount_attach(&builder->mounter, tree, dir, name);
	sys_close(tree);
	return error;
}

static int add_devices(struct builder *builder, int dir)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		int error, tree = clone_device(builder, i, DEVICE_ATTRIBUTES);

		if (tree < 0)
			return -1;
		error = put(builder, tree, dir, devices[i].name, 0666);
		if (error < 0)
			return fault_errno(builder->fault, "dev", devices[i].path, error);
	}
	return 0;
}

/* Whether the kernel, or whoever confines us, has no devpts. That is no wall, and there are no terminals then but
 * those that the box itself is to have. */
static bool can_miss_terminals(const struct builder *builder, int error)
{
	return !builder->view->own_terminal &&
	       (error == -ENODEV || error == -EPERM || error == -EACCES);
}

/* No gid=5, which is not mapped; and a devpts with nodev would be useless. */
static int add_terminals(struct builder *builder, int dir)
{
	const struct mount_option options[] = { { "ptmxmode", "0666" },
						{ "context", builder->view->label } };
	int error, mount = mount_make(&builder->mounter, "devpts", options,
				      options[1].value == NULL ? 1 : 2,
				      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

	if (can_miss_terminals(builder, mount))
		return 0;
	mount = build_told(builder, mount, GRANT_READ | GRANT_WRITE | GRANT_DEVICES, true);
	if (mount < 0)
		return mount;
	error = sys_mkdirat(dir, "pts", 0755);
	if (error == 0)
		error = mount_attach(&builder->mounter, mount, dir, "pts");
	if (error == 0)
		error = sys_symlinkat("pts/ptmx", dir, "ptmx");
	sys_close(mount);
	return error;
}

/* The terminal that is the caller's standard output, under a name that does not depend on it; or the
 * box's own, which is still to be opened, and the first of its kind. */
static int add_console(struct builder *builder, int dir)
{
	const struct source *console = &builder->view->console;
	int error, tree;

	if (builder->view->own_terminal) {
		error = sys_symlinkat("pts/0", dir, "console");
		return error < 0 ? fault_errno(builder->fault, "dev", "/dev/console", error) : 0;
	}
	if (console->path == NULL)
		return 0;
	tree = mount_clone(&builder->mounter, AT_FDCWD, console->path, AT_SYMLINK_NOFOLLOW,
			   DEVICE_ATTRIBUTES);
	if (tree < 0)
		return fault_errno(builder->fault, "dev", console->path, tree);
	if (bind_check(builder, console, tree, "dev") != 0)
		return -1;
	error = put(builder, tree, dir, "console", 0444);
	return error < 0 ? fault_errno(builder->fault, "dev", "/dev/console", error) : 0;
}

static int populate(struct builder *builder, int dir)
{
	bool bare = builder->view->bare;
	int error;

	if (add_devices(builder, dir) != 0)
		return -1;
	error = add_terminals(builder, dir);
	if (error < 0)
		return fault_errno(builder->fault, "dev", "/dev/pts", error);
	/* In a bare view all of /dev stays writable. */
	error = bare ? sys_mkdirat(dir, "shm", 0755) : build_scratch(builder, dir, "shm");
	if (error < 0)
		return fault_errno(builder->fault, "dev", "/dev/shm", error);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		error = links[i].bare && !bare ? 0
					       : sys_symlinkat(links[i].text, dir, links[i].name);
		if (error < 0)
			return fault_errno(builder->fault, "dev", links[i].name, error);
	}
	return add_console(builder, dir);
}

/* A file system of its own where a bare view wants one, or DEST is not on one of ours: the host's /dev
 * stays as it is. Returns its root, or -errno. */
static int cover(struct builder *builder, struct target *target)
{
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int error, mount;

	if (!builder->view->bare)
		attributes |= MOUNT_ATTR_NOEXEC;
	mount = build_told(builder, build_tmpfs(builder, "0755", 0, attributes),
			   GRANT_READ | GRANT_WRITE, true);
	if (mount < 0)
		return mount;
	error = build_attach_kept(builder, mount, target);
	if (error == 0)
		return mount;
	sys_close(mount);
	return error;
}

/* The directory to be filled. */
static int open_dir(struct builder *builder, struct target *target)
{
	const struct place *place = &target->place;

	if (builder->view->bare || target->root || !build_is_ours(builder, place))
		return cover(builder, target);
	if (target->fd >= 0)
		return target->fd;
	return sys_openat(place->dir, place->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
			  0);
}

int step_dev(struct builder *builder, const struct mount_step *step)
{
	struct wanted wanted = build_wanted(step, true, 0755);
	struct target target;
	int dir, status;

	/* A link there would have all this made somewhere else. */
	wanted.links = LINKS_ON_THE_WAY;
	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	dir = open_dir(builder, &target);
	if (dir < 0)
		return fault_errno(builder->fault, "dev", step->dest, dir);
	status = populate(builder, dir);
	sys_close(dir);
	return status;
}
