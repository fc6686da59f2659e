/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "mountns/mount.h"
#include "mountns/sys.h"

/* Of the process that builds: it is sure to be there, and no source can be below it, since for every
 * other process that path is another directory. */
#define STAGE_PLACE "/proc/self/task"

/* What a mount waits on: a directory on a directory, all else on a file. */
#define WAITING_DIRECTORY "directory"
#define WAITING_FILE "file"
#define FILES "files"

#define STAGE_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

bool mount_is_missing(int error)
{
	return error == -ENOSYS || error == -EPERM || error == -EACCES;
}

void mount_fd_path(char path[FD_PATH_SIZE], int fd)
{
	static const char prefix[] = "/proc/self/fd/";
	char digits[12];
	size_t count = 0, at = sizeof(prefix) - 1;

	memcpy(path, prefix, at);
	do {
		digits[count++] = (char)('0' + fd % 10);
		fd /= 10;
	} while (fd > 0);
	while (count > 0)
		path[at++] = digits[--count];
	path[at] = '\0';
}

/* --- The stage ---------------------------------------------------------------------------------- */

int mount_new_file_system(const char *type, const struct mount_option *options, size_t count)
{
	int fs = sys_fsopen(type, FSOPEN_CLOEXEC);
	int error = 0;

	if (fs < 0)
		return fs;
	for (size_t i = 0; i < count && error == 0; i++)
		error = sys_fsconfig(
			fs, options[i].value == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
			options[i].key, options[i].value);
	if (error == 0)
		error = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (error == 0)
		return fs;
	sys_close(fs);
	return error;
}

static int make_new(const char *type, const struct mount_option *options, size_t count,
		    unsigned int attributes)
{
	int mount, fs = mount_new_file_system(type, options, count);

	if (fs < 0)
		return fs;
	mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	sys_close(fs);
	return mount;
}

/* A recursive bind of the host's /proc must not show the stage. */
static int hide_classic(int mount, bool hide)
{
	char path[FD_PATH_SIZE];

	mount_fd_path(path, mount);
	return sys_mount(NULL, path, NULL, hide ? MS_UNBINDABLE : MS_PRIVATE);
}

int mount_hide(struct mounter *mounter, int mount, bool hide)
{
	const struct kernel_mount_attr attr = { .propagation = hide ? MS_UNBINDABLE : MS_PRIVATE };
	int error;

	if (mounter->classic)
		return hide_classic(mount, hide);
	error = sys_mount_setattr(mount, "", AT_EMPTY_PATH, &attr);
	if (!mount_is_missing(error))
		return error;
	mounter->classic = true;
	return hide_classic(mount, hide);
}

/* Mounts a tmpfs on DIR/NAME, which has no name that changes, and opens it. */
static int put_tmpfs_classic(int dir, const char *name)
{
	int error, fd, target = sys_openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	char path[FD_PATH_SIZE];

	if (target < 0)
		return target;
	mount_fd_path(path, target);
	error = sys_mount_data("none", path, "tmpfs", STAGE_ATTRIBUTES, "mode=0700");
	sys_close(target);
	fd = error < 0 ? error : sys_openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0 || sys_filesystem_type(fd) == TMPFS_MAGIC)
		return fd;
	sys_close(fd);
	return -ENOTDIR;
}

static int put_tmpfs_new(int dir, const char *name)
{
	const struct mount_option mode = { "mode", "0700" };
	int error, mount = make_new("tmpfs", &mode, 1, STAGE_ATTRIBUTES);

	if (mount < 0)
		return mount;
	error = sys_move_mount(mount, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH);
	if (error == 0)
		return mount;
	sys_close(mount);
	return error;
}

static int put_tmpfs(struct mounter *mounter, int dir, const char *name)
{
	int mount = mounter->classic ? -ENOSYS : put_tmpfs_new(dir, name);

	if (!mount_is_missing(mount))
		return mount;
	mounter->classic = true;
	return put_tmpfs_classic(dir, name);
}

static int make_stage(struct mounter *mounter)
{
	int error, place = sys_openat(AT_FDCWD, STAGE_PLACE, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	int stage;

	if (place < 0)
		return place;
	error = sys_filesystem_type(place) == PROC_MAGIC ? 0 : -ENOTDIR;
	sys_close(place);
	stage = error < 0 ? error : put_tmpfs(mounter, AT_FDCWD, STAGE_PLACE);
	if (stage < 0)
		return stage;
	error = sys_mkdirat(stage, WAITING_DIRECTORY, 0700);
	if (error == 0)
		error = sys_mknodat(stage, WAITING_FILE, S_IFREG | 0600);
	if (error == 0)
		error = sys_mkdirat(stage, FILES, 0700);
	if (error == 0)
		error = mount_hide(mounter, stage, true);
	if (error == 0)
		return stage;
	sys_close(stage);
	return error;
}

static int get_stage(struct mounter *mounter)
{
	if (mounter->stage < 0)
		mounter->stage = make_stage(mounter);
	return mounter->stage;
}

int mount_files(struct mounter *mounter)
{
	int stage = get_stage(mounter);

	if (stage < 0)
		return stage;
	if (mounter->files < 0)
		mounter->files = put_tmpfs(mounter, stage, FILES);
	return mounter->files;
}

void mount_finish(struct mounter *mounter)
{
	char path[FD_PATH_SIZE];

	if (mounter->files >= 0)
		sys_close(mounter->files);
	if (mounter->stage < 0)
		return;
	mount_fd_path(path, mounter->stage);
	/* It would go with the old root anyway. */
	sys_umount2(path, MNT_DETACH);
	sys_close(mounter->stage);
}

/* --- mount(2) ----------------------------------------------------------------------------------- */

/* Mounts on the stage, and opens what is there now. */
static int stage_mount(struct mounter *mounter, const char *source, bool directory,
		       const char *type, unsigned long flags, const char *data)
{
	const char *name = directory ? WAITING_DIRECTORY : WAITING_FILE;
	int error, target, stage = get_stage(mounter);
	char path[FD_PATH_SIZE];

	if (stage < 0)
		return stage;
	target = sys_openat(stage, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (target < 0)
		return target;
	mount_fd_path(path, target);
	error = sys_mount_data(source, path, type, flags, data);
	sys_close(target);
	if (error < 0)
		return error;
	return sys_openat(stage, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
}

int mount_make_classic(struct mounter *mounter, const char *type, const char *data,
		       unsigned int attributes)
{
	return stage_mount(mounter, "none", true, type, attributes, data);
}

static int clone_classic(struct mounter *mounter, int source, unsigned int flags,
			 unsigned int attributes)
{
	unsigned long rec = flags & AT_RECURSIVE ? MS_REC : 0;
	struct kernel_statx stat;
	int error = sys_statx(source, "", AT_EMPTY_PATH, &stat);
	char path[FD_PATH_SIZE];
	int mount;

	if (error < 0)
		return error;
	mount_fd_path(path, source);
	mount = stage_mount(mounter, path, S_ISDIR(stat.mode), NULL, MS_BIND | rec, NULL);
	if (mount < 0 || attributes == 0)
		return mount;
	/* A file has no mounts below it. */
	error = rec && S_ISDIR(stat.mode) ? mount_change_below(mount, attributes)
					  : mount_change(mounter, mount, attributes, 0);
	if (error == 0)
		return mount;
	sys_close(mount);
	return error;
}

/* Flags that are not named would be cleared, and among these may be locked ones: mount(2). The ones
 * about access times stay as they are when none of them is named. */
static int change_classic(int mount, unsigned int set, unsigned int clear)
{
	const unsigned int kept =
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	long is = sys_mount_flags(mount);
	unsigned long flags;
	char path[FD_PATH_SIZE];

	if (is < 0)
		return (int)is;
	flags = (((unsigned long)is & kept) | set) & ~(unsigned long)clear;
	if (is & KERNEL_ST_NOSYMFOLLOW)
		flags |= MS_NOSYMFOLLOW;
	mount_fd_path(path, mount);
	return sys_mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags);
}

/* Appends TEXT, of which commas are part when it is QUOTED. */
static bool append(char *data, size_t *length, const char *text, bool quoted)
{
	size_t size = strlen(text);

	if (*length + size + 3 > MOUNT_OPTIONS_SIZE)
		return false;
	if (quoted)
		data[(*length)++] = '"';
	memcpy(data + *length, text, size);
	*length += size;
	if (quoted)
		data[(*length)++] = '"';
	data[*length] = '\0';
	return true;
}

/* mount(8), "key=value,key". */
static bool join(char *data, const struct mount_option *options, size_t count)
{
	size_t length = 0;

	data[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		const char *value = options[i].value;

		if ((i > 0 && !append(data, &length, ",", false)) ||
		    !append(data, &length, options[i].key, false) ||
		    (value != NULL && (!append(data, &length, "=", false) ||
				       !append(data, &length, value, strchr(value, ',') != NULL))))
			return false;
	}
	return true;
}

/* --- Either way --------------------------------------------------------------------------------- */

int mount_make(struct mounter *mounter, const char *type, const struct mount_option *options,
	       size_t count, unsigned int attributes)
{
	char data[MOUNT_OPTIONS_SIZE];

	if (!mounter->classic) {
		int mount = make_new(type, options, count, attributes);

		if (!mount_is_missing(mount))
			return mount;
		mounter->classic = true;
	}
	if (!join(data, options, count))
		return -ENAMETOOLONG;
	return mount_make_classic(mounter, type, data, attributes);
}

static int clone_new(int dir, const char *path, unsigned int flags, unsigned int attributes)
{
	const struct kernel_mount_attr attr = { .attr_set = attributes };
	int error, tree = sys_open_tree(dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);

	if (tree < 0 || attributes == 0)
		return tree;
	error = sys_mount_setattr(tree, "", AT_EMPTY_PATH | (flags & AT_RECURSIVE), &attr);
	if (error == 0)
		return tree;
	sys_close(tree);
	return error;
}

int mount_clone(struct mounter *mounter, int dir, const char *path, unsigned int flags,
		unsigned int attributes)
{
	int nofollow = flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
	int mount, source;

	if (!mounter->classic) {
		mount = clone_new(dir, path, flags, attributes);
		if (!mount_is_missing(mount))
			return mount;
	}
	if (flags & AT_EMPTY_PATH) {
		mounter->classic = true;
		return clone_classic(mounter, dir, flags, attributes);
	}
	/* If the path itself is closed to us, that was no call that is missing. */
	source = sys_openat(dir, path, O_PATH | nofollow | O_CLOEXEC, 0);
	if (source < 0)
		return source;
	mounter->classic = true;
	mount = clone_classic(mounter, source, flags, attributes);
	sys_close(source);
	return mount;
}

static int move(int mount, int target)
{
	char from[FD_PATH_SIZE], to[FD_PATH_SIZE];

	mount_fd_path(from, mount);
	mount_fd_path(to, target);
	return sys_mount(from, to, NULL, MS_MOVE);
}

static int attach_classic(int mount, int dir, const char *name)
{
	int error, target;
	struct kernel_statx stat;

	if (name[0] == '\0')
		return move(mount, dir);
	target = sys_openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (target < 0)
		return target;
	error = sys_statx(target, "", AT_EMPTY_PATH, &stat);
	if (error == 0)
		error = S_ISLNK(stat.mode) ? -ELOOP : move(mount, target);
	sys_close(target);
	return error;
}

int mount_attach(struct mounter *mounter, int mount, int dir, const char *name)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH;

	if (name[0] == '\0')
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	if (!mounter->classic)
		return sys_move_mount(mount, "", dir, name, flags);
	return attach_classic(mount, dir, name);
}

int mount_change(struct mounter *mounter, int mount, unsigned int set, unsigned int clear)
{
	const struct kernel_mount_attr attr = { .attr_set = set, .attr_clr = clear };

	if (!mounter->classic) {
		int error = sys_mount_setattr(mount, "", AT_EMPTY_PATH, &attr);

		if (!mount_is_missing(error))
			return error;
		mounter->classic = true;
	}
	return change_classic(mount, set, clear);
}
