/* SPDX-License-Identifier: MIT */
/*
 * Building the view, in PID 1. The new root is a tmpfs without a name, mounted over "/" where only
 * its descriptor leads to it. What is mounted in it is made first, compared with what the launcher
 * opened, given its flags while it is attached nowhere, and only then moved into place.
 */
#include <errno.h>
#include <string.h>

#include "mountns/build.h"
#include "mountns/mount.h"
#include "mountns/sys.h"

/* --- File systems of our own -------------------------------------------------------------------- */

static uint64_t device_of(const struct kernel_statx *stat)
{
	return (uint64_t)stat->dev_major << 32 | stat->dev_minor;
}

/* The slot of DEVICE in the view's table, or the empty one where it would be. */
static uint64_t *own_slot(const struct builder *builder, uint64_t device)
{
	const struct view *view = builder->view;
	size_t i = (size_t)device & (view->own_size - 1);

	while (view->own[i] != 0 && view->own[i] != device)
		i = (i + 1) & (view->own_size - 1);
	return &view->own[i];
}

bool build_is_own(const struct builder *builder, const struct kernel_statx *stat)
{
	return *own_slot(builder, device_of(stat)) == device_of(stat);
}

int build_own(struct builder *builder, int mount)
{
	struct kernel_statx stat;
	int error = sys_statx(mount, "", AT_EMPTY_PATH, &stat);

	if (error == 0)
		*own_slot(builder, device_of(&stat)) = device_of(&stat);
	return error;
}

int build_may_change(const struct builder *builder, int fd)
{
	struct kernel_statx stat;
	int error;

	if (builder->view->touch_host || (builder->own_root && fd == builder->resolver.root))
		return 1;
	error = sys_statx(fd, "", AT_EMPTY_PATH, &stat);
	return error < 0 ? error : build_is_own(builder, &stat);
}

int build_told(const struct builder *builder, int mount, unsigned int rights, bool directory)
{
	const struct view_watcher *watcher = &builder->view->watcher;
	int error;

	if (mount < 0 || watcher->placed == NULL)
		return mount;
	error = watcher->placed(watcher->context, mount, rights, directory);
	if (error == 0)
		return mount;
	sys_close(mount);
	return error;
}

/* --- Attaching ---------------------------------------------------------------------------------- */

/* What was the root until now goes away, with all that is in it. */
static int replace_root(struct builder *builder, int mount)
{
	int error = 0;

	place_forget(builder);
	/* "/" is where the process's root is, "/.." what is mounted on top of that. */
	if (builder->resolver.root >= 0)
		error = sys_umount2("/..", MNT_DETACH);
	if (error == 0)
		error = mount_attach(&builder->mounter, mount, AT_FDCWD, "/");
	if (error < 0) {
		sys_close(mount);
		return error;
	}
	if (builder->resolver.root >= 0)
		sys_close(builder->resolver.root);
	builder->resolver.root = mount;
	builder->own_root = false;
	return 0;
}

/* Grants are ordered by the text of the steps' destinations, which says nothing of links in the box. */
int build_check_grants(struct builder *builder, const struct wanted *wanted,
		       const struct target *target)
{
	const struct view *view = builder->view;
	char *path = builder->room->pending, link[FD_PATH_SIZE];
	long length;

	if (builder->next_grant == view->source_count || wanted->links == LINKS_NONE)
		return 0;
	/* Right below the root, as the path says: there was no link. */
	if (target->place.dir == builder->resolver.root &&
	    strcmp(wanted->path + strspn(wanted->path, "/"), target->place.name) == 0)
		return 0;
	mount_fd_path(link, target->fd >= 0 ? target->fd : target->place.dir);
	length = sys_readlinkat(AT_FDCWD, link, path, PATH_MAX);
	if (length < 0 || length == PATH_MAX)
		return fault_errno(builder->fault, "mount", wanted->path,
				   length < 0 ? (int)length : ENAMETOOLONG);
	path[length] = '\0';
	if (target->fd < 0) {
		path[length > 1 ? length : 0] = '/';
		strcpy(path + (length > 1 ? length + 1 : 1), target->place.name);
	}
	for (size_t i = builder->next_grant; i < view->source_count; i++)
		if (mountns_is_below(path, view->sources[i].path))
			return fault_text(
				builder->fault, "mount", wanted->path,
				"leads through a link into a grant that is mounted later; "
				"name it by its own path");
	return 0;
}

int build_attach(struct builder *builder, int mount, struct target *target)
{
	struct place *place = &target->place;
	int error;

	if (target->root)
		return replace_root(builder, mount);
	if (target->fd >= 0)
		error = mount_attach(&builder->mounter, mount, target->fd, "");
	else
		error = mount_attach(&builder->mounter, mount, place->dir, place->name);
	place_close(target);
	sys_close(mount);
	return error;
}

int build_attach_kept(struct builder *builder, int mount, struct target *target)
{
	int copy = sys_fcntl(mount, F_DUPFD_CLOEXEC, 3);

	if (copy >= 0)
		return build_attach(builder, copy, target);
	place_close(target);
	return copy;
}

int build_attach_unseen(struct builder *builder, int mount)
{
	int error, stage = mount_files(&builder->mounter);
	char name[NUMBER_SIZE];

	if (stage < 0)
		return stage;
	build_number(name, builder->overlays++, 10);
	error = sys_mkdirat(stage, name, 0700);
	/* mount(2) cannot do that. */
	if (error == 0)
		error = sys_move_mount(mount, "", stage, name, MOVE_MOUNT_F_EMPTY_PATH);
	return error;
}

/* --- The root ----------------------------------------------------------------------------------- */

/* The host's own root was granted. */
static int grant_root(struct builder *builder)
{
	int error, tree = bind_clone(builder, &builder->view->sources[0], "mount");

	if (tree < 0)
		return -1;
	error = replace_root(builder, tree);
	return error < 0 ? fault_errno(builder->fault, "mount", "/", error) : 0;
}

static int make_root(struct builder *builder)
{
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int error, mount;

	if (!builder->view->bare)
		attributes |= MOUNT_ATTR_NOEXEC;
	mount = build_told(builder, build_tmpfs(builder, "0755", 0, attributes),
			   builder->view->bare ? GRANT_READ | GRANT_WRITE | GRANT_EXEC : GRANT_READ,
			   true);
	error = mount < 0 ? mount : replace_root(builder, mount);
	if (error < 0)
		return fault_errno(builder->fault, "mount", "/", error);
	builder->own_root = true;
	return 0;
}

static int close_root(struct builder *builder)
{
	int error = mount_change(&builder->mounter, builder->resolver.root, MOUNT_ATTR_RDONLY, 0);

	return error < 0 ? fault_errno(builder->fault, "mount_setattr", "/", error) : 0;
}

/* --- All of it ---------------------------------------------------------------------------------- */

static int (*const makers[])(struct builder *builder, const struct mount_step *step) = {
	[STEP_BIND] = step_bind,
	[STEP_TMPFS] = step_tmpfs,
	[STEP_DIR] = step_dir,
	[STEP_SYMLINK] = step_symlink,
	[STEP_FILE] = step_file,
	[STEP_DATA] = step_data,
	[STEP_CHMOD] = step_chmod,
	[STEP_REMOUNT] = step_remount,
	[STEP_PROC] = step_proc,
	[STEP_DEV] = step_dev,
	[STEP_MQUEUE] = step_mqueue,
	[STEP_LAYER] = step_layer,
	[STEP_OVERLAY] = step_overlay,
	[STEP_TMP_OVERLAY] = step_overlay,
	[STEP_RO_OVERLAY] = step_overlay,
	[STEP_SCRATCH] = step_scratch,
};

/* Whether the first thing of all is mounted on "/", so that nobody would see a root of ours. */
static bool is_root_given(const struct view *view)
{
	const struct mount_step *first = view->steps;

	if (view->step_count == 0 || (view->source_count > 0 && view->sources[0].place == 0) ||
	    (first->kind != STEP_TMPFS && first->kind != STEP_BIND) ||
	    first->dest[strspn(first->dest, "/")] != '\0')
		return false;
	return first->kind == STEP_TMPFS || view->pins[0].directory;
}

static int try_root(struct builder *builder)
{
	const struct view *view = builder->view;

	/* "/" has depth 0, so that it is the first; the steps are all at or below it. */
	if (view->source_count > 0 && view->sources[0].depth == 0)
		return grant_root(builder);
	if (is_root_given(view))
		return makers[view->steps[0].kind](builder, &view->steps[0]);
	return make_root(builder);
}

/* Here move_mount(2) is called for the first time. Later on it is known to work, so that nothing that
 * was made for it is lost. */
static int begin(struct builder *builder)
{
	if (try_root(builder) == 0)
		return 0;
	if (builder->mounter.classic || !mount_is_missing(-builder->fault->error))
		return -1;
	builder->mounter.classic = true;
	builder->next_pin = 0;
	return try_root(builder);
}

/* A link that a grant's path led through. Where a granted tree is in the way it has the link itself,
 * or the host has changed meanwhile and the link is not ours to make. */
static int recreate_link(struct builder *builder, const struct link *link)
{
	const struct wanted wanted = { .path = link->path, .parents = 0755, .step = "mount" };
	struct place place;
	int error;

	if (place_find(builder, &wanted, &place) != 0)
		return builder->fault->error == ENOENT || builder->fault->error == ENOTDIR ? 0 : -1;
	if (!place.ours)
		return 0;
	error = link->text == NULL ? sys_mkdirat(place.dir, place.name, 0755)
				   : sys_symlinkat(link->text, place.dir, place.name);
	if (error < 0 && error != -EEXIST)
		return fault_errno(builder->fault, "symlink", link->path, error);
	return 0;
}

static int build_all(struct builder *builder)
{
	const struct view *view = builder->view;
	size_t next = view->source_count > 0 && view->sources[0].depth == 0;
	size_t first = next == 0 && is_root_given(view);

	if (begin(builder) != 0)
		return -1;
	for (size_t i = first; i <= view->step_count; i++) {
		for (; next < view->source_count && view->sources[next].place == i; next++)
			if (bind_grant(builder, &view->sources[next]) != 0)
				return -1;
		builder->next_grant = next;
		if (i < view->step_count &&
		    makers[view->steps[i].kind](builder, &view->steps[i]) != 0)
			return -1;
	}
	for (size_t i = 0; i < view->link_count; i++)
		if (recreate_link(builder, &view->links[i]) != 0)
			return -1;
	place_forget(builder);
	return 0;
}

int mountns_build(const struct view *view, struct built *built, struct fault *fault)
{
	struct room room;
	struct builder builder = {
		.view = view,
		.fault = fault,
		.built = { -1, -1, -1, false },
		.resolver.root = -1,
		.mounter = { .stage = -1, .files = -1 },
		.last.dir = -1,
		.room = &room,
	};
	int status = 0;

	if (build_all(&builder) != 0 || append_clone(&builder) != 0 ||
	    (builder.own_root && !view->bare && close_root(&builder) != 0) ||
	    (builder.built.proc < 0 && proc_hidden(&builder) != 0))
		status = -1;
	mount_finish(&builder.mounter);
	builder.built.root = builder.resolver.root;
	if (status == 0)
		*built = builder.built;
	return status;
}

/* The root lies over the old one already: chroot(2) is enough for what holds no capability. A new user
 * namespace is allowed then only if that old one is the mount namespace's own: user_namespaces(7). */
static int enter_without_pivot(struct fault *fault)
{
	int error = sys_chroot(".");

	if (error == 0)
		error = sys_chdir("/");
	return error < 0 ? fault_errno(fault, "chroot", "/", error) : 0;
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one. */
int mountns_enter(int root, bool may_chroot, struct fault *fault)
{
	int error = sys_fchdir(root);

	if (error == 0)
		error = sys_pivot_root(".", ".");
	/* An initramfs cannot be pivoted (EINVAL), and some seccomp profiles forbid the call. */
	if (may_chroot && (error == -EINVAL || mount_is_missing(error)))
		return enter_without_pivot(fault);
	if (error < 0)
		return fault_errno(fault, "pivot_root", "/", error);
	error = sys_umount2(".", MNT_DETACH);
	if (error == 0)
		error = sys_chdir("/");
	return error < 0 ? fault_errno(fault, "umount", "/", error) : 0;
}
