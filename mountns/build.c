/* SPDX-License-Identifier: MIT */
/*
 * Building the view, in PID 1. The new root is a tmpfs without a name, mounted over "/" where only
 * its descriptor leads to it. Sources are cloned, compared with what the launcher opened, given
 * their flags while they are attached nowhere, and only then moved into place.
 */
#include <errno.h>
#include <string.h>

#include "mountns/build.h"
#include "mountns/sys.h"

static bool is_own(const struct builder *builder, const struct kernel_statx *stat)
{
	uint64_t device = (uint64_t)stat->dev_major << 32 | stat->dev_minor;

	for (size_t i = 0; i < builder->own_count; i++)
		if (builder->view->own[i] == device)
			return true;
	return false;
}

int build_filesystem(const char *type, const char *key, const char *value, unsigned int attributes)
{
	int fs = sys_fsopen(type, FSOPEN_CLOEXEC);
	int mount, error = 0;

	if (fs < 0)
		return fs;
	if (key != NULL)
		error = sys_fsconfig(fs, FSCONFIG_SET_STRING, key, value);
	if (error == 0)
		error = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	mount = error == 0 ? sys_fsmount(fs, FSMOUNT_CLOEXEC, attributes) : error;
	sys_close(fs);
	return mount;
}

int build_tmpfs(struct builder *builder, const char *mode, unsigned int attributes,
		const char *path)
{
	struct kernel_statx stat;
	int mount = build_filesystem("tmpfs", "mode", mode, attributes);
	int error = mount < 0 ? mount : sys_statx(mount, "", AT_EMPTY_PATH, &stat);

	if (error < 0)
		return fault_errno(builder->fault, "tmpfs", path, error);
	builder->view->own[builder->own_count++] = (uint64_t)stat.dev_major << 32 | stat.dev_minor;
	return mount;
}

/*
 * Makes a directory of a writable grant that is on the way to something deeper a mount point: the
 * workload could rename it else, and so get rid of what covers a path below it. FD becomes the
 * mount's own.
 */
static int pin(int *fd, const struct kernel_statx *stat)
{
	int error, tree, read_only = sys_is_read_only(*fd);

	if (read_only < 0)
		return read_only;
	if (read_only || (stat->attributes & KERNEL_STATX_MOUNT_ROOT) != 0)
		return 0;
	tree = sys_open_tree(*fd, "",
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree < 0)
		return tree;
	error = sys_move_mount(tree, "", *fd, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	sys_close(*fd);
	*fd = tree;
	return error;
}

/* Steps from PLACE's directory into the one called PLACE's name, which becomes PLACE's directory. */
static int descend(struct builder *builder, struct place *place)
{
	int made = place->own ? sys_mkdirat(place->dir, place->name, 0755) : -EEXIST;
	struct kernel_statx stat;
	int error = 0, fd;

	if (made < 0 && made != -EEXIST)
		return made;
	fd = sys_openat(place->dir, place->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	/* What was there may be a mount of the host's. */
	if (made < 0)
		error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);
	if (place->dir != builder->built.root)
		sys_close(place->dir);
	place->dir = fd;
	place->own = made == 0 || (error == 0 && is_own(builder, &stat));
	if (error == 0 && !place->own)
		error = pin(&place->dir, &stat);
	return error;
}

static void forget_last(struct builder *builder)
{
	if (builder->last.fd >= 0 && builder->last.fd != builder->built.root)
		sys_close(builder->last.fd);
	builder->last.fd = -1;
}

/* Walks to the first LENGTH bytes of PATH, which is normalised, and keeps that as the last. */
static int walk_to(struct builder *builder, const char *path, size_t length)
{
	struct place place = { .dir = builder->built.root, .own = builder->own_root };
	size_t at = 0;

	if (builder->last.fd >= 0 && strlen(builder->last.path) == length &&
	    memcmp(builder->last.path, path, length) == 0)
		return 0;
	forget_last(builder);
	if (length >= sizeof(builder->last.path))
		return -ENAMETOOLONG;
	while (at < length) {
		size_t component = strcspn(path + ++at, "/");
		int error;

		if (component > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(place.name, path + at, component);
		place.name[component] = '\0';
		error = descend(builder, &place);
		if (error < 0)
			return error;
		at += component;
	}
	memcpy(builder->last.path, path, length);
	builder->last.path[length] = '\0';
	builder->last.fd = place.dir;
	builder->last.own = place.own;
	return 0;
}

int build_find(struct builder *builder, const char *path, struct place *place)
{
	const char *name = strrchr(path, '/') + 1;
	int error = walk_to(builder, path, (size_t)(name - 1 - path));

	if (error == 0 && strlen(name) > NAME_MAX)
		error = -ENAMETOOLONG;
	if (error < 0)
		return fault_errno(builder->fault, "mount", path, error);
	place->dir = builder->last.fd;
	place->own = builder->last.own;
	memcpy(place->name, name, strlen(name) + 1);
	return 0;
}

/* Makes the thing to mount on: only where nothing of the host can be touched. */
static int make_target(struct builder *builder, const struct place *place, bool directory,
		       const char *path)
{
	int error;

	if (!place->own)
		return 0;
	error = directory ? sys_mkdirat(place->dir, place->name, 0755)
			  : sys_mknodat(place->dir, place->name, S_IFREG | 0444);
	if (error < 0 && error != -EEXIST)
		return fault_errno(builder->fault, "mount", path, error);
	return 0;
}

int build_directory(struct builder *builder, const char *path, bool *own)
{
	int error = walk_to(builder, path, strlen(path));

	if (error == 0)
		error = sys_fcntl(builder->last.fd, F_DUPFD_CLOEXEC, 3);
	if (error < 0)
		return fault_errno(builder->fault, "mount", path, error);
	*own = builder->last.own;
	return error;
}

int build_attach(struct builder *builder, int fd, const char *path, bool directory)
{
	struct place place;
	int error;

	if (build_find(builder, path, &place) != 0 ||
	    make_target(builder, &place, directory, path) != 0)
		return -1;
	error = sys_move_mount(fd, "", place.dir, place.name, MOVE_MOUNT_F_EMPTY_PATH);
	/* What was walked to may be covered now. */
	if (builder->last.fd >= 0 && mountns_is_below(builder->last.path, path))
		forget_last(builder);
	return error < 0 ? fault_errno(builder->fault, "mount", path, error) : 0;
}

/*
 * Clones the tree at SOURCE's path and gives it its flags. A descriptor of the launcher's mount
 * namespace cannot be cloned in this one (open_tree(2) wants a mount of the caller's own), so the
 * path is looked up again, and the result must be the very inode that the launcher holds open.
 */
static int clone_source(struct builder *builder, const struct source *source)
{
	struct kernel_mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	struct kernel_statx stat;
	int error;
	int tree = sys_open_tree(AT_FDCWD, source->path,
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
					 AT_SYMLINK_NOFOLLOW);

	if (tree < 0)
		return fault_errno(builder->fault, "mount", source->path, tree);
	error = sys_statx(tree, "", AT_EMPTY_PATH, &stat);
	if (error < 0)
		return fault_errno(builder->fault, "mount", source->path, error);
	if (stat.inode != source->inode || stat.dev_major != source->dev_major ||
	    stat.dev_minor != source->dev_minor)
		return fault_text(builder->fault, "mount", source->path,
				  "was replaced by another file while the box was made");
	if (!(source->rights & GRANT_WRITE))
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (!(source->rights & GRANT_EXEC))
		attr.attr_set |= MOUNT_ATTR_NOEXEC;
	error = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	if (error < 0)
		return fault_errno(builder->fault, "mount_setattr", source->path, error);
	return tree;
}

static int mount_source(struct builder *builder, const struct source *source)
{
	int status, tree = clone_source(builder, source);

	if (tree < 0)
		return -1;
	status = build_attach(builder, tree, source->path, source->directory);
	sys_close(tree);
	return status;
}

/* A directory of a tmpfs of ours as a mount of its own stays writable when the rest is not: cheaper
 * than one more file system. It has the flags of the mount that it is in. */
int build_scratch(int dir, const char *name)
{
	int tree, error = sys_mkdirat(dir, name, 01777);

	if (error < 0)
		return error;
	tree = sys_open_tree(dir, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return tree;
	error = sys_move_mount(tree, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH);
	sys_close(tree);
	return error;
}

static int make_tmpfs(struct builder *builder, const struct mount_step *step)
{
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int status, mount;

	if (step->kind == STEP_SCRATCH)
		attributes |= MOUNT_ATTR_NOEXEC;
	mount = build_tmpfs(builder, step->kind == STEP_SCRATCH ? "1777" : "0755", attributes,
			    step->dest);
	if (mount < 0)
		return -1;
	status = build_attach(builder, mount, step->dest, true);
	sys_close(mount);
	return status;
}

static int make_scratch(struct builder *builder, const struct mount_step *step)
{
	struct place place;
	int error;

	if (build_find(builder, step->dest, &place) != 0)
		return -1;
	if (!place.own)
		return make_tmpfs(builder, step);
	error = build_scratch(place.dir, place.name);
	return error < 0 ? fault_errno(builder->fault, "tmpfs", step->dest, error) : 0;
}

static int make_directory(struct builder *builder, const struct mount_step *step)
{
	bool own;
	int fd = build_directory(builder, step->dest, &own);

	if (fd < 0)
		return -1;
	sys_close(fd);
	return 0;
}

static int make_symlink(struct builder *builder, const struct mount_step *step)
{
	char text[PATH_MAX];
	struct place place;
	long length;
	int error;

	if (build_find(builder, step->dest, &place) != 0)
		return -1;
	error = place.own ? sys_symlinkat(step->text, place.dir, place.name) : -EROFS;
	if (error == 0)
		return 0;
	/* One that says the same is as good as a new one. */
	length = sys_readlinkat(place.dir, place.name, text, sizeof(text));
	if (length >= 0 && (size_t)length == strlen(step->text) &&
	    memcmp(text, step->text, (size_t)length) == 0)
		return 0;
	return fault_errno(builder->fault, "symlink", step->dest, error);
}

static int make_proc(struct builder *builder, const struct mount_step *step)
{
	return build_proc(builder, step->dest);
}

static int make_dev(struct builder *builder, const struct mount_step *step)
{
	return build_dev(builder, step->dest);
}

static int (*const makers[])(struct builder *builder, const struct mount_step *step) = {
	[STEP_TMPFS] = make_tmpfs, [STEP_DIR] = make_directory, [STEP_SYMLINK] = make_symlink,
	[STEP_PROC] = make_proc,   [STEP_DEV] = make_dev,       [STEP_SCRATCH] = make_scratch,
};

/* A link that a grant's path led through. Where a granted tree is in the way it has the link itself,
 * or the host has changed meanwhile and the link is not ours to make. */
static int recreate_link(struct builder *builder, const struct link *link)
{
	struct place place;
	int error;

	if (build_find(builder, link->path, &place) != 0)
		return builder->fault->error == ENOENT || builder->fault->error == ENOTDIR ? 0 : -1;
	if (!place.own)
		return 0;
	error = link->text == NULL ? sys_mkdirat(place.dir, place.name, 0755)
				   : sys_symlinkat(link->text, place.dir, place.name);
	if (error < 0 && error != -EEXIST)
		return fault_errno(builder->fault, "symlink", link->path, error);
	return 0;
}

/* The new root: a tmpfs, unless the host's own root was granted. */
static int make_root(struct builder *builder)
{
	int error;

	builder->built.root =
		!builder->own_root
			? clone_source(builder, &builder->view->sources[0])
			: build_tmpfs(builder, "0755",
				      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
				      "/");
	if (builder->built.root < 0)
		return -1;
	error = sys_move_mount(builder->built.root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	return error < 0 ? fault_errno(builder->fault, "mount", "/", error) : 0;
}

static int close_root(struct builder *builder)
{
	struct kernel_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int error = sys_mount_setattr(builder->built.root, "", AT_EMPTY_PATH, &attr);

	return error < 0 ? fault_errno(builder->fault, "mount_setattr", "/", error) : 0;
}

static int build_all(struct builder *builder)
{
	const struct view *view = builder->view;
	size_t next = builder->own_root ? 0 : 1;

	for (size_t i = 0; i <= view->step_count; i++) {
		for (; next < view->source_count && view->sources[next].place == i; next++)
			if (mount_source(builder, &view->sources[next]) != 0)
				return -1;
		if (i < view->step_count &&
		    makers[view->steps[i].kind](builder, &view->steps[i]) != 0)
			return -1;
	}
	for (size_t i = 0; i < view->link_count; i++)
		if (recreate_link(builder, &view->links[i]) != 0)
			return -1;
	forget_last(builder);
	return 0;
}

int mountns_build(const struct view *view, struct built *built, struct fault *fault)
{
	struct builder builder = {
		.view = view,
		.fault = fault,
		.built = { -1, -1, -1 },
		.last.fd = -1,
		/* "/" has depth 0, so that it is the first; the steps are all below it. */
		.own_root = view->source_count == 0 || view->sources[0].depth > 0,
	};

	if (make_root(&builder) != 0 || build_all(&builder) != 0 ||
	    (builder.own_root && close_root(&builder) != 0) ||
	    (builder.built.proc < 0 && build_hidden_proc(&builder) != 0))
		return -1;
	*built = builder.built;
	return 0;
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one. */
int mountns_enter(int root, struct fault *fault)
{
	int error = sys_fchdir(root);

	if (error == 0)
		error = sys_pivot_root(".", ".");
	if (error < 0)
		return fault_errno(fault, "pivot_root", "/", error);
	error = sys_umount2(".", MNT_DETACH);
	if (error == 0)
		error = sys_chdir("/");
	return error < 0 ? fault_errno(fault, "umount", "/", error) : 0;
}
