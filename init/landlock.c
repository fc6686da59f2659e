/* SPDX-License-Identifier: MIT */
/*
 * From the plan to the rules of Landlock. In a box it is the second wall: the builder of the view adds a
 * rule for each mount. Without a box it is the first one, and the rules are about the host's paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/box.h"
#include "init/values.h"
#include "init/walls.h"

/* Whether ABI can hold what was asked for. Returns 0, or -1 with the fault. */
static int check_abi(const struct plan *plan, int abi, struct fault *fault)
{
	const char *ports = plan->connect_ports != NULL ? "--net-connect"
			    : plan->bind_ports != NULL  ? "--net-bind"
							: NULL;

	if (ports != NULL && abi < LANDLOCK_ABI_TCP)
		return fault_text(fault, "landlock", ports,
				  "needs Linux 6.7 or newer with Landlock switched on");
	if (plan->init_only && plan->grant_count > 0 && abi < LANDLOCK_ABI_TRUNCATE)
		return fault_text(fault, "landlock", plan->grants[0].path,
				  "a grant without a box needs Linux 6.2 or newer with Landlock "
				  "switched on");
	/* In a box it is the second wall, and most kernels that lack it could not have it. */
	if (plan->landlock_demanded && abi < LANDLOCK_ABI_REFER)
		return fault_text(fault, "landlock", "--on-missing",
				  "the wall needs Linux 5.19 or newer with Landlock switched on");
	if (plan->landlock_demanded && plan->allow_userns)
		return fault_text(fault, "landlock", "--allow-userns",
				  "mounts cannot be made behind that wall");
	return 0;
}

/* What has to be decided about. */
static struct landlock_access choose(const struct plan *plan, int abi)
{
	struct landlock_access known = landlock_known(abi), chosen = known;

	chosen.ports &= (plan->connect_ports != NULL ? LANDLOCK_CONNECT : 0U) |
			(plan->bind_ports != NULL ? LANDLOCK_BIND : 0U);
	/* Whoever is held to files can mount nothing, in no namespace: landlock(7), "Current limitations". */
	if (plan->allow_userns && !plan->init_only)
		chosen.files = 0;
	/* Moving files between directories is denied by every ruleset that does not allow it. */
	if (plan->init_only && plan->grant_count == 0)
		chosen.files &= landlock_known(LANDLOCK_ABI_REFER).files &
				~landlock_known(LANDLOCK_ABI_REFER - 1).files;
	return chosen;
}

/* --- Ports -------------------------------------------------------------------------------------- */

static bool has_port(const uint64_t *ports, unsigned int port)
{
	return ports != NULL && (ports[port / 64] >> port % 64 & 1) != 0;
}

static int allow_ports(const struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;

	for (unsigned int port = 0; port < LANDLOCK_PORTS && box->landlock.handled.ports; port++) {
		unsigned int access = 0;
		int error;

		if (has_port(plan->connect_ports, port))
			access |= LANDLOCK_CONNECT;
		if (has_port(plan->bind_ports, port))
			access |= LANDLOCK_BIND;
		error = access == 0 ? 0 : landlock_allow_port(&box->landlock, access, port);
		if (error < 0)
			return fault_errno(fault, "landlock", "TCP ports", error);
	}
	return 0;
}

/* --- Descriptors -------------------------------------------------------------------------------- */

/* What the workload has open it may open anew, through /dev/stderr and the like, in the way in which it is
 * open. But a directory would be all that is below it. */
static int allow_descriptor(const struct landlock *landlock, int fd)
{
	struct stat stat;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &stat) != 0 || S_ISDIR(stat.st_mode) || S_ISSOCK(stat.st_mode))
		return 0;
	return landlock_allow_file(landlock, fd, landlock_opened(landlock->handled.files, flags));
}

/* Of a number that --map-fd gives away what it was is of no account. */
static bool is_mapped(const struct plan *plan, int fd)
{
	for (size_t i = 0; i < plan->fd_map_count; i++)
		if (plan->fd_maps[i].new == fd)
			return true;
	return false;
}

int box_allow_descriptors(const struct box *box, const struct landlock *landlock,
			  struct fault *fault)
{
	const struct plan *plan = box->plan;
	int error = 0;

	for (int fd = 0; fd <= 2 && error == 0; fd++)
		error = is_mapped(plan, fd) ? 0 : allow_descriptor(landlock, fd);
	for (size_t i = 0; i < plan->keep_fd_count && error == 0; i++)
		error = allow_descriptor(landlock, plan->keep_fds[i]);
	for (size_t i = 0; i < plan->fd_map_count && error == 0; i++)
		error = allow_descriptor(landlock, box->fd_maps[i].old);
	return error < 0 ? fault_errno(fault, "landlock", "descriptors", error) : 0;
}

/* --- Grants without a box ----------------------------------------------------------------------- */

/* Rules add up on the way down, so that none can take away what one above it gives. */
static int check_depth(const struct view *view, const struct source *source, struct fault *fault)
{
	for (size_t i = 0; i < view->source_count; i++) {
		const struct source *above = &view->sources[i];

		if (above == source || (above->rights & ~source->rights) == 0 ||
		    !mountns_is_below(source->path, above->path))
			continue;
		fault_text(fault, "grant", source->path,
			   "cannot have fewer rights without a box than the grant above it:");
		fault->detail = above->path;
		return -1;
	}
	return 0;
}

static int allow_sources(const struct box *box, struct fault *fault)
{
	const struct view *view = &box->view;

	for (size_t i = 0; i < view->source_count; i++) {
		const struct source *source = &view->sources[i];
		int error;

		if (check_depth(view, source, fault) != 0)
			return -1;
		error = landlock_allow_mount(&box->landlock, source->fd, source->rights,
					     source->directory);
		if (error < 0)
			return fault_errno(fault, "landlock", source->path, error);
	}
	return 0;
}

static int allow_grants(struct box *box, struct fault *fault)
{
	const struct view_request request = { .grants = box->plan->grants,
					      .grant_count = box->plan->grant_count,
					      .bare = true };
	int status = mountns_prepare(&box->view, &request, fault);

	if (status == 0)
		status = allow_sources(box, fault);
	/* Also after a failure: who abandons a store needs descriptors. */
	mountns_close_sources(&box->view);
	return status;
}

/* The same when files are no matter: moving them stays as free as it was. */
static int allow_moving(const struct landlock *landlock, int root)
{
	return landlock_allow_mount(landlock, root, GRANT_WRITE, true);
}

static int allow_at(const struct box *box, const char *path,
		    int (*allow)(const struct landlock *, int), struct fault *fault)
{
	int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = directory < 0 ? -errno : allow(&box->landlock, directory);

	if (directory >= 0)
		close(directory);
	return error < 0 ? fault_errno(fault, "landlock", path, error) : 0;
}

static int allow_listings(const struct box *box, struct fault *fault)
{
	for (size_t i = 0; i < box->plan->listed_count; i++)
		if (allow_at(box, box->plan->listed[i], landlock_allow_listing, fault) != 0)
			return -1;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ */

static int add_rules(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;

	if (allow_ports(box, fault) != 0 || box_allow_descriptors(box, &box->landlock, fault) != 0)
		return -1;
	if (!plan->init_only)
		return 0;
	if (allow_listings(box, fault) != 0)
		return -1;
	return plan->grant_count > 0 ? allow_grants(box, fault)
				     : allow_at(box, "/", allow_moving, fault);
}

/* The ABI, as far as it will do. Returns 0, or -1 with the fault. */
static int find_abi(struct box *box, struct fault *fault)
{
	struct landlock *landlock = &box->landlock;
	int abi = landlock_find_abi();

	if (abi < 0)
		return fault_errno(fault, "landlock", "", abi);
	if (check_abi(box->plan, abi, fault) != 0 &&
	    walls_leave_out(box, WALL_LANDLOCK, fault) != 0)
		return -1;
	/* The second wall must not be in the way of what the first one allows: before that no file could
	 * move to another directory. */
	landlock->abi = abi < LANDLOCK_ABI_REFER && !box->plan->init_only ? 0 : abi;
	landlock->handled = choose(box->plan, landlock->abi);
	return 0;
}

int box_make_rules(struct box *box, struct fault *fault)
{
	struct landlock *landlock = &box->landlock;
	int error;

	if (!box->plan->landlocked)
		return 0;
	if (find_abi(box, fault) != 0)
		return walls_leave_out(box, WALL_LANDLOCK, fault);
	if (landlock->handled.files == 0 && landlock->handled.ports == 0 &&
	    landlock->handled.scopes == 0) {
		landlock->abi = 0;
		return 0;
	}
	error = landlock_create(landlock);
	if (error == 0)
		return add_rules(box, fault);
	landlock->abi = 0;
	landlock->handled.ports = 0;
	fault_errno(fault, "landlock", "", error);
	return walls_leave_out(box, WALL_LANDLOCK, fault);
}
