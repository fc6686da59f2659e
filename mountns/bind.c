/* SPDX-License-Identifier: MIT */
/* What is bound from the host: grants and STEP_BIND. */
#include <errno.h>
#include <string.h>

#include "mountns/build.h"
#include "mountns/sys.h"

const struct source *bind_next(struct builder *builder)
{
	return &builder->view->pins[builder->next_pin++];
}

/* A descriptor of the launcher's mount namespace is no use in this one, where open_tree(2) wants a
 * mount of the caller's own: the path is looked up again, and must lead to the very inode that the
 * launcher holds open. */
int bind_check(struct builder *builder, const struct source *source, int fd, const char *step)
{
	struct kernel_statx stat;
	int error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);

	if (error < 0)
		return fault_errno(builder->fault, step, source->path, error);
	if (source->own_namespace && sys_filesystem_type(fd) == NSFS_MAGIC)
		return 0;
	if (stat.inode != source->inode || stat.dev_major != source->dev_major ||
	    stat.dev_minor != source->dev_minor)
		return fault_text(builder->fault, step, source->path,
				  "was replaced by another file while the box was made");
	return 0;
}

static unsigned int attributes_of(const struct source *source)
{
	unsigned int attributes = MOUNT_ATTR_NOSUID;

	if (!(source->rights & GRANT_DEVICES))
		attributes |= MOUNT_ATTR_NODEV;
	if (!(source->rights & GRANT_WRITE))
		attributes |= MOUNT_ATTR_RDONLY;
	if (!(source->rights & GRANT_EXEC))
		attributes |= MOUNT_ATTR_NOEXEC;
	return attributes;
}

static int is_host_root(struct builder *builder, const struct source *source)
{
	struct kernel_statx stat;

	if (!builder->host_root.known) {
		int error = sys_statx(AT_FDCWD, "/", 0, &stat);

		if (error < 0)
			return error;
		builder->host_root.known = true;
		builder->host_root.device = (uint64_t)stat.dev_major << 32 | stat.dev_minor;
		builder->host_root.inode = stat.inode;
	}
	return source->inode == builder->host_root.inode &&
	       ((uint64_t)source->dev_major << 32 | source->dev_minor) == builder->host_root.device;
}

/* The new root lies over "/", and would come along with it. */
static int clone(struct builder *builder, const struct source *source)
{
	/* Nothing is mounted below a file. */
	unsigned int recursive = source->directory ? AT_RECURSIVE : 0;
	unsigned int follow = source->own_namespace ? 0 : AT_SYMLINK_NOFOLLOW;
	/* A grant that has a depth is no root. */
	bool maybe = recursive && source->depth == 0 && builder->resolver.root >= 0;
	int hide = maybe ? is_host_root(builder, source) : 0;
	int error = hide < 0 ? hide : 0, shown = 0, tree;

	hide = hide > 0;
	if (hide)
		error = mount_hide(&builder->mounter, builder->resolver.root, true);
	tree = error < 0 ? error
			 : mount_clone(&builder->mounter, AT_FDCWD, source->path,
				       recursive | follow, attributes_of(source));
	if (hide)
		shown = mount_hide(&builder->mounter, builder->resolver.root, false);
	if (tree < 0 || shown == 0)
		return tree;
	sys_close(tree);
	return shown;
}

int bind_clone_hidden(struct builder *builder, const struct source *source, const char *step)
{
	int tree = clone(builder, source);

	if (tree < 0)
		return fault_errno(builder->fault, step, source->path, tree);
	if (bind_check(builder, source, tree, step) == 0)
		return tree;
	sys_close(tree);
	return -1;
}

int bind_clone(struct builder *builder, const struct source *source, const char *step)
{
	int tree = bind_clone_hidden(builder, source, step);

	if (tree < 0)
		return -1;
	tree = build_told(builder, tree, source->rights, source->directory);
	return tree < 0 ? fault_errno(builder->fault, step, source->path, tree) : tree;
}

int bind_open(struct builder *builder, const struct source *source)
{
	int fd = sys_openat(AT_FDCWD, source->path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return fault_errno(builder->fault, "source", source->path, fd);
	if (bind_check(builder, source, fd, "source") == 0)
		return fd;
	sys_close(fd);
	return -1;
}

int bind_grant(struct builder *builder, const struct source *source)
{
	const struct wanted wanted = {
		.path = source->path,
		.links = LINKS_NONE,
		.directory = source->directory,
		.parents = 0755,
		.mode = source->directory ? 0755 : 0444,
		.step = "mount",
	};
	struct target target;
	int error, tree;

	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	tree = bind_clone(builder, source, "mount");
	if (tree < 0)
		return -1;
	error = build_attach(builder, tree, &target);
	return error < 0 ? fault_errno(builder->fault, "mount", source->path, error) : 0;
}

/* A directory of a mount that is the box's alone. */
static int bind_detached(struct builder *builder, const struct mount_step *step)
{
	const struct wanted wanted = build_wanted(step, true, 0755);
	struct target target;
	int error, tree;

	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	error = build_attach_unseen(builder, step->fd);
	tree = error < 0 ? error
			 : mount_clone(&builder->mounter, step->fd, step->source,
				       AT_SYMLINK_NOFOLLOW, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	tree = build_told(builder, tree, GRANT_READ | GRANT_WRITE | GRANT_EXEC, true);
	return step_put(builder, step, "bind", tree, &target);
}

static int bind_source(struct builder *builder, const struct mount_step *step)
{
	const struct source *source = bind_next(builder);
	const struct wanted wanted =
		build_wanted(step, source->directory, source->directory ? 0755 : 0444);
	struct target target;
	int error, tree;

	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	tree = bind_clone(builder, source, "source");
	if (tree < 0)
		return -1;
	error = build_attach(builder, tree, &target);
	return error < 0 ? fault_errno(builder->fault, "bind", step->dest, error) : 0;
}

int step_bind(struct builder *builder, const struct mount_step *step)
{
	return (step->flags & STEP_DETACHED) != 0 ? bind_detached(builder, step)
						  : bind_source(builder, step);
}
