/* SPDX-License-Identifier: MIT */
/* The box's small /dev: six devices of the host, terminals and shared memory of its own. */
#include <errno.h>

#include "mountns/build.h"
#include "mountns/sys.h"

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
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

/* The device is checked on the very descriptor that is mounted: a fake one is refused. */
static int clone_device(struct builder *builder, size_t index)
{
	/* Read-only does not keep anybody from writing to a device, but from changing the host's file:
	 * its mode, owner and times. */
	struct kernel_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						      MOUNT_ATTR_NOEXEC };
	const char *path = devices[index].path;
	struct kernel_statx stat;
	int error, tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return fault_errno(builder->fault, "dev", path, tree);
	error = sys_statx(tree, "", AT_EMPTY_PATH, &stat);
	if (error == 0)
		error = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (error < 0)
		return fault_errno(builder->fault, "dev", path, error);
	if (!S_ISCHR(stat.mode) || stat.rdev_major != devices[index].major ||
	    stat.rdev_minor != devices[index].minor)
		return fault_text(builder->fault, "dev", path, "is not the device of that name");
	return tree;
}

static int add_devices(struct builder *builder, int dir)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		int error, tree = clone_device(builder, i);

		if (tree < 0)
			return -1;
		error = sys_mknodat(dir, devices[i].name, S_IFREG | 0666);
		if (error == 0)
			error = sys_move_mount(tree, "", dir, devices[i].name,
					       MOVE_MOUNT_F_EMPTY_PATH);
		sys_close(tree);
		if (error < 0)
			return fault_errno(builder->fault, "dev", devices[i].path, error);
	}
	return 0;
}

/* No gid=5, which is not mapped; and a devpts with nodev would be useless. */
static int add_terminals(int dir)
{
	int error, mount = build_filesystem("devpts", "ptmxmode", "0666",
					    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

	if (mount < 0)
		return mount;
	error = sys_mkdirat(dir, "pts", 0755);
	if (error == 0)
		error = sys_move_mount(mount, "", dir, "pts", MOVE_MOUNT_F_EMPTY_PATH);
	sys_close(mount);
	return error;
}

static int populate(struct builder *builder, int dir)
{
	int error;

	if (add_devices(builder, dir) != 0)
		return -1;
	error = add_terminals(dir);
	if (error < 0)
		return fault_errno(builder->fault, "dev", "/dev/pts", error);
	error = build_scratch(dir, "shm");
	if (error < 0)
		return fault_errno(builder->fault, "dev", "/dev/shm", error);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		error = sys_symlinkat(links[i].text, dir, links[i].name);
		if (error < 0)
			return fault_errno(builder->fault, "dev", links[i].name, error);
	}
	return 0;
}

/* A file system of its own where DEST is not on one of ours: the host's /dev stays as it is. */
static int cover(struct builder *builder, const char *dest)
{
	int mount = build_tmpfs(builder, "0755",
				MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, dest);

	if (mount < 0)
		return -1;
	if (build_attach(builder, mount, dest, true) == 0)
		return mount;
	sys_close(mount);
	return -1;
}

int build_dev(struct builder *builder, const char *dest)
{
	bool own;
	int status, dir = build_directory(builder, dest, &own);

	if (dir < 0)
		return -1;
	if (!own) {
		sys_close(dir);
		dir = cover(builder, dest);
		if (dir < 0)
			return -1;
	}
	status = populate(builder, dir);
	sys_close(dir);
	return status;
}
