/* SPDX-License-Identifier: MIT */
/*
 * Overlays: several directories as one. Layers reach the kernel as /proc/self/fd/N, so that it opens what
 * was compared with the launcher's, and no byte of a path has to be escaped. Linux 6.7 takes them one by
 * one; before that they are one string, of numbers alone since the builder stands in /proc/self/fd.
 */
#include <errno.h>
#include <string.h>

#include "mountns/build.h"
#include "mountns/sys.h"

#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define DATA_SIZE 4096 /* what mount(2) reads at the most */

struct overlay {
	int layers[VIEW_LAYERS_MAX]; /* from the bottom up */
	size_t count;
	int upper, work; /* -1: none */
	bool is_volatile;
};

static void close_all(const struct overlay *overlay)
{
	for (size_t i = 0; i < overlay->count; i++)
		sys_close(overlay->layers[i]);
	if (overlay->upper >= 0)
		sys_close(overlay->upper);
	if (overlay->work >= 0)
		sys_close(overlay->work);
}

/* --- Linux 6.7 ---------------------------------------------------------------------------------- */

static int set_directory(int fs, const char *key, int fd)
{
	char path[FD_PATH_SIZE];

	mount_fd_path(path, fd);
	return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, path);
}

static int configure(int fs, const struct overlay *overlay)
{
	int error = 0;

	/* The first one given is the one on top. */
	for (size_t i = overlay->count; i-- > 0 && error == 0;)
		error = set_directory(fs, "lowerdir+", overlay->layers[i]);
	if (error == 0 && overlay->upper >= 0)
		error = set_directory(fs, "upperdir", overlay->upper);
	if (error == 0 && overlay->work >= 0)
		error = set_directory(fs, "workdir", overlay->work);
	if (error == 0)
		error = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL);
	if (error == 0 && overlay->is_volatile)
		error = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL);
	return error;
}

static int make_new(const struct overlay *overlay)
{
	int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	int mount, error;

	if (fs < 0)
		return fs;
	error = configure(fs, overlay);
	if (error == 0)
		error = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	mount = error == 0 ? sys_fsmount(fs, FSMOUNT_CLOEXEC, ATTRIBUTES) : error;
	sys_close(fs);
	return mount;
}

/* --- mount(2) ----------------------------------------------------------------------------------- */

struct text {
	size_t length;
	char bytes[DATA_SIZE];
	bool full;
};

static void add(struct text *text, const char *bytes)
{
	size_t size = strlen(bytes);

	if (text->length + size >= sizeof(text->bytes)) {
		text->full = true;
		return;
	}
	memcpy(text->bytes + text->length, bytes, size + 1);
	text->length += size;
}

static void add_directory(struct text *text, const char *before, int fd)
{
	char path[FD_PATH_SIZE];

	add(text, before);
	mount_fd_path(path, fd);
	add(text, strrchr(path, '/') + 1);
}

static int mount_in(struct builder *builder, const struct text *text)
{
	int error, mount, here = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (here < 0)
		return here;
	error = sys_chdir("/proc/self/fd");
	mount = error < 0
			? error
			: mount_make_classic(&builder->mounter, "overlay", text->bytes, ATTRIBUTES);
	error = sys_fchdir(here);
	sys_close(here);
	if (error == 0 || mount < 0)
		return mount;
	sys_close(mount);
	return error;
}

static int make_classic(struct builder *builder, const struct overlay *overlay)
{
	struct text text;

	text.length = 0;
	text.full = false;
	for (size_t i = overlay->count; i-- > 0;)
		add_directory(&text, i + 1 == overlay->count ? "lowerdir=" : ":",
			      overlay->layers[i]);
	if (overlay->upper >= 0)
		add_directory(&text, ",upperdir=", overlay->upper);
	if (overlay->work >= 0)
		add_directory(&text, ",workdir=", overlay->work);
	add(&text, ",userxattr");
	if (overlay->is_volatile)
		add(&text, ",volatile");
	return text.full ? -ENAMETOOLONG : mount_in(builder, &text);
}

/* --- Either way --------------------------------------------------------------------------------- */

static int make(struct builder *builder, const struct overlay *overlay)
{
	int mount = builder->mounter.classic ? -ENOSYS : make_new(overlay);

	/* Before Linux 6.7 "lowerdir+" is unknown. */
	if (mount != -EINVAL && !mount_is_missing(mount))
		return mount;
	if (mount != -EINVAL)
		builder->mounter.classic = true;
	return make_classic(builder, overlay);
}

/* Opens a new directory DIR/NAME. */
static int make_directory(int dir, const char *name)
{
	int error = sys_mkdirat(dir, name, 0755);

	return error < 0 ? error : sys_openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

/* Changes go to a directory of the stage, which nobody sees. */
static int open_staged(struct builder *builder, struct overlay *overlay)
{
	int dir, stage = mount_files(&builder->mounter);
	char name[NUMBER_SIZE];

	if (stage < 0)
		return stage;
	build_number(name, builder->overlays++, 10);
	dir = make_directory(stage, name);
	if (dir < 0)
		return dir;
	overlay->upper = make_directory(dir, "upper");
	overlay->work = make_directory(dir, "work");
	sys_close(dir);
	if (overlay->upper < 0)
		return overlay->upper;
	return overlay->work < 0 ? overlay->work : 0;
}

static int open_directory(int dir, const char *name)
{
	return sys_openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

static int open_detached(struct builder *builder, const struct mount_step *step,
			 struct overlay *overlay)
{
	int error = build_attach_unseen(builder, step->fd);

	if (error == 0)
		error = overlay->upper = open_directory(step->fd, step->source);
	if (error >= 0)
		error = overlay->work = open_directory(step->fd, step->text);
	return error;
}

static int open_all(struct builder *builder, const struct mount_step *step, struct overlay *overlay)
{
	const struct mount_step *layer = step;
	int error = 0;

	while (layer > builder->view->steps && layer[-1].kind == STEP_LAYER)
		layer--;
	for (; layer < step; layer++) {
		int fd = bind_open(builder, bind_next(builder));

		if (fd < 0)
			return -1;
		overlay->layers[overlay->count++] = fd;
	}
	if (step->kind == STEP_OVERLAY && (step->flags & STEP_DETACHED) == 0) {
		overlay->upper = bind_open(builder, bind_next(builder));
		overlay->work = overlay->upper < 0 ? -1 : bind_open(builder, bind_next(builder));
		return overlay->work < 0 ? -1 : 0;
	}
	if (step->kind == STEP_TMP_OVERLAY)
		error = open_staged(builder, overlay);
	else if (step->kind == STEP_OVERLAY)
		error = open_detached(builder, step, overlay);
	return error < 0 ? fault_errno(builder->fault, "overlay", step->dest, error) : 0;
}

static int mount_overlay(struct builder *builder, const struct mount_step *step,
			 const struct overlay *overlay)
{
	const struct wanted wanted = build_wanted(step, true, 0755);
	unsigned int rights = GRANT_READ | GRANT_EXEC;
	struct target target;
	int error, mount;

	if (step->kind != STEP_RO_OVERLAY)
		rights |= GRANT_WRITE;
	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	mount = build_told(builder, make(builder, overlay), rights, true);
	if (mount < 0)
		place_close(&target);
	error = mount < 0 ? mount : 0;
	/* What is made on the host's own directory is made on the host. */
	if (error == 0 && step->kind == STEP_TMP_OVERLAY)
		error = build_own(builder, mount);
	if (error == 0)
		error = build_attach(builder, mount, &target);
	if (error == -ELOOP)
		return fault_text(builder->fault, "overlay", step->dest,
				  "Overlay directories may not overlap");
	return error < 0 ? fault_errno(builder->fault, "overlay", step->dest, error) : 0;
}

int step_overlay(struct builder *builder, const struct mount_step *step)
{
	struct overlay overlay;
	int status;

	overlay.count = 0;
	overlay.upper = overlay.work = -1;
	overlay.is_volatile = (step->flags & STEP_VOLATILE) != 0;
	status = open_all(builder, step, &overlay);
	if (status == 0)
		status = mount_overlay(builder, step, &overlay);
	close_all(&overlay);
	return status;
}

int step_layer(struct builder *builder, const struct mount_step *step)
{
	/* It is opened with the overlay that it belongs to. */
	(void)builder;
	(void)step;
	return 0;
}
