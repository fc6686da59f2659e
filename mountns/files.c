/* SPDX-License-Identifier: MIT */
/* Files that hold what a descriptor of the caller's gives. */
#include <errno.h>
#include <poll.h>

#include "mountns/build.h"
#include "mountns/sys.h"

/* Blocks until FD is READY (POLLIN or POLLOUT): it may be the caller's, and O_NONBLOCK. */
static void wait_for(int fd, short ready)
{
	struct pollfd poll = { .fd = fd, .events = ready };

	sys_ppoll(&poll, 1, NULL);
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		long written = sys_write(fd, bytes, size);

		if (written == -EAGAIN)
			wait_for(fd, POLLOUT);
		else if (written < 0 && written != -EINTR)
			return (int)written;
		if (written > 0) {
			bytes += written;
			size -= (size_t)written;
		}
	}
	return 0;
}

static int copy(int from, int to)
{
	char buffer[8192];

	for (;;) {
		long got = sys_read(from, buffer, sizeof(buffer));
		int error = 0;

		if (got == 0)
			return 0;
		if (got == -EAGAIN)
			wait_for(from, POLLIN);
		else if (got < 0 && got != -EINTR)
			return (int)got;
		else if (got > 0)
			error = write_all(to, buffer, (size_t)got);
		if (error < 0)
			return error;
	}
}

int step_file(struct builder *builder, const struct mount_step *step)
{
	const struct wanted wanted = build_wanted(step, false, step_mode(step));
	int error, fd = place_create(builder, &wanted);

	if (fd < 0)
		return -1;
	error = copy(step->fd, fd);
	sys_close(fd);
	return error < 0 ? fault_errno(builder->fault, "write", step->dest, error) : 0;
}

/* Copies the data to a new file NAME on the stage. Returns a clone of the stage's mount that shows nothing
 * else, or -errno. */
static int make_data(struct builder *builder, const struct mount_step *step, int stage,
		     const char *name)
{
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	unsigned int rights = GRANT_READ | GRANT_EXEC;
	int file =
		sys_openat(stage, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, step_mode(step));
	int error, tree;

	if (file < 0)
		return file;
	error = copy(step->fd, file);
	if (step->flags & STEP_READ_ONLY)
		attributes |= MOUNT_ATTR_RDONLY;
	else
		rights |= GRANT_WRITE;
	tree = error < 0 ? error
			 : mount_clone(&builder->mounter, file, "", AT_EMPTY_PATH, attributes);
	sys_close(file);
	return build_told(builder, tree, rights, false);
}

int step_data(struct builder *builder, const struct mount_step *step)
{
	static const char name[] = "data";
	const struct wanted wanted = build_wanted(step, false, 0444);
	struct target target;
	int stage, status;

	if (place_open(builder, &wanted, &target) != 0)
		return -1;
	stage = mount_files(&builder->mounter);
	status = step_put(builder, step, "write",
			  stage < 0 ? stage : make_data(builder, step, stage, name), &target);
	/* What has no name cannot be moved into place, but lose its name there. */
	if (stage >= 0)
		sys_unlinkat(stage, name, 0);
	return status;
}
