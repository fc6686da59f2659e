/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "init/explain.h"
#include "init/filters.h"
#include "init/hardening.h"
#include "init/text.h"
#include "init/walls.h"

static const struct {
	const char *branch, *last;
} marks = { "|-- ", "`-- " };

/* One line of the tree, a failure to write is kept in STATUS. */
struct printer {
	int error;
};

static void print(struct printer *printer, struct text *line)
{
	int error = text_write(line, STDOUT_FILENO);

	if (printer->error == 0)
		printer->error = error;
	line->length = 0;
}

static void heading(struct printer *printer, const char *title)
{
	struct text line = { 0 };

	text_add(&line, title);
	print(printer, &line);
}

static void leaf(struct printer *printer, bool last, const char *name, const char *value)
{
	struct text line = { 0 };

	text_add(&line, last ? marks.last : marks.branch);
	text_add(&line, name);
	text_add(&line, name[0] != '\0' ? " " : "");
	text_visible(&line, value);
	print(printer, &line);
}

static void print_source(struct printer *printer, const struct source *source)
{
	struct text line = { 0 };

	text_add(&line, marks.branch);
	text_visible(&line, source->path);
	text_add(&line, source->rights & GRANT_WRITE    ? "  host, writable"
			: source->rights & GRANT_APPEND ? "  host, writable at its end"
							: "  host, read-only");
	text_add(&line, source->rights & GRANT_EXEC ? ", executable" : ", noexec");
	print(printer, &line);
}

/* Without a box: the paths are the host's, and stay where they are. */
static void print_grants(struct printer *printer, const struct view *view)
{
	if (view->source_count == 0)
		return;
	heading(printer, "grants");
	for (size_t i = 0; i < view->source_count; i++) {
		const struct source *source = &view->sources[i];
		struct text line = { 0 };

		text_add(&line, i + 1 == view->source_count ? marks.last : marks.branch);
		text_visible(&line, source->path);
		text_add(&line, "  read");
		text_add(&line, source->rights & GRANT_WRITE ? ", write" : "");
		text_add(&line, source->rights & GRANT_EXEC ? ", execute" : "");
		print(printer, &line);
	}
}

static void print_step(struct printer *printer, const struct mount_step *step)
{
	static const char *const what[] = {
		[STEP_BIND] = "  host's, from ",
		[STEP_TMPFS] = "  new tmpfs",
		[STEP_DIR] = "  directory",
		[STEP_SYMLINK] = "  link to ",
		[STEP_FILE] = "  new file",
		[STEP_DATA] = "  new file, mounted",
		[STEP_CHMOD] = "  other permissions",
		[STEP_REMOUNT] = "  read-only",
		[STEP_PROC] = "  new procfs",
		[STEP_DEV] = "  new small /dev",
		[STEP_MQUEUE] = "  new mqueue",
		[STEP_LAYER] = "  layer of the next overlay: ",
		[STEP_OVERLAY] = "  overlay, changes go to ",
		[STEP_TMP_OVERLAY] = "  overlay, changes go to memory",
		[STEP_RO_OVERLAY] = "  overlay, read-only",
		[STEP_SCRATCH] = "  new tmpfs, noexec",
	};
	struct text line = { 0 };

	text_add(&line, marks.branch);
	text_visible(&line, step->dest);
	text_add(&line, what[step->kind]);
	if (step->kind == STEP_SYMLINK)
		text_visible(&line, step->text);
	else if (step->source != NULL)
		text_visible(&line, step->source);
	else if (step->kind == STEP_BIND)
		text_add(&line, "a descriptor");
	if (step->flags & STEP_READ_ONLY)
		text_add(&line, ", read-only");
	if (step->flags & STEP_DEVICES)
		text_add(&line, ", with devices");
	print(printer, &line);
}

static void print_view(struct printer *printer, const struct view *view)
{
	struct text line = { 0 };
	size_t next = 0;

	heading(printer, "view, in the order of making");
	if (view->source_count == 0 || view->sources[0].depth > 0)
		leaf(printer, false, "/", " new tmpfs, read-only at the end");
	for (size_t i = 0; i <= view->step_count; i++) {
		for (; next < view->source_count && view->sources[next].place == i; next++)
			print_source(printer, &view->sources[next]);
		if (i < view->step_count)
			print_step(printer, &view->steps[i]);
	}
	for (size_t i = 0; i < view->link_count; i++) {
		text_add(&line, marks.branch);
		text_visible(&line, view->links[i].path);
		text_add(&line, view->links[i].text == NULL ? "  directory" : "  link to ");
		text_visible(&line, view->links[i].text == NULL ? "" : view->links[i].text);
		print(printer, &line);
	}
	text_add(&line, marks.last);
	text_add(&line, "everything nosuid, and nodev but for the devices in /dev");
	print(printer, &line);
}

static void print_changes(struct printer *printer, const struct plan *plan)
{
	static const char *const ends[] = {
		[COW_COMMIT] = "are committed to it",
		[COW_DISCARD] = "are discarded",
		[COW_KEEP] = "are kept",
	};
	static const char *const backends[] = {
		[COW_AUTO] = "overlay, or notify where none can be mounted",
		[COW_OVERLAY] = "overlay",
		[COW_NOTIFY] = "notify",
	};
	struct text quota = { 0 };

	if (plan->cow == NULL)
		return;
	heading(printer, "copy-on-write");
	leaf(printer, false, "directory", plan->cow);
	leaf(printer, false, "backend", backends[plan->cow_backend]);
	if (plan->cow_quota > 0) {
		text_number(&quota, plan->cow_quota);
		text_add(&quota, " bytes, in memory until the end");
		quota.bytes[quota.length] = '\0';
		leaf(printer, false, "quota", quota.bytes);
	}
	leaf(printer, plan->dry_run, "changes go to",
	     plan->cow_store != NULL ? plan->cow_store : "a new store");
	if (plan->dry_run)
		return;
	leaf(printer, false, "after success changes", ends[plan->on_success]);
	leaf(printer, true, "after failure changes", ends[plan->on_failure]);
}

static void print_namespaces(struct printer *printer, const struct box *box)
{
	static const struct {
		const char *name;
		unsigned int flag;
	} namespaces[] = {
		{ "user ", CLONE_NEWUSER }, { "pid ", CLONE_NEWPID },
		{ "mount ", CLONE_NEWNS },  { "ipc ", CLONE_NEWIPC },
		{ "uts ", CLONE_NEWUTS },   { "cgroup ", CLONE_NEWCGROUP },
		{ "net ", CLONE_NEWNET },
	};
	struct text list = { 0 };

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		if (((box->namespaces | CLONE_NEWNS) & namespaces[i].flag) != 0)
			text_add(&list, namespaces[i].name);
	list.bytes[list.length - 1] = '\0';
	leaf(printer, false, "namespaces", list.bytes);
}

/* As the options have them; a list that is too long for a line ends in "...". */
static void add_ports(struct text *line, const char *what, const uint64_t *ports)
{
	size_t start;

	if (ports == NULL)
		return;
	text_add(line, what);
	start = line->length;
	for (unsigned int port = 0, last; port < LANDLOCK_PORTS; port = last + 1) {
		for (last = port; last < LANDLOCK_PORTS && ports[last / 64] >> last % 64 & 1;
		     last++)
			;
		if (last == port)
			continue;
		text_add(line, line->length > start ? "," : "");
		if (line->length > TEXT_RESERVE) {
			text_add(line, "...");
			return;
		}
		text_number(line, port);
		text_add(line, last > port + 1 ? "-" : "");
		if (last > port + 1)
			text_number(line, last - 1);
	}
	text_add(line, line->length > start ? "" : "none");
}

static void print_landlock(struct printer *printer, const struct box *box)
{
	const struct landlock *landlock = &box->landlock;
	struct text line = { 0 };

	if (landlock->abi == 0) {
		leaf(printer, false, "landlock", "none");
		return;
	}
	text_add(&line, "ABI ");
	text_number(&line, (unsigned int)landlock->abi);
	if (box->plan->init_only && box->plan->grant_count > 0)
		text_add(&line, ", nothing but the grants");
	else if (!box->plan->init_only && landlock->handled.files != 0)
		text_add(&line, ", each mount with the rights above");
	if (landlock->handled.scopes != 0)
		text_add(&line, ", no signals and abstract sockets to the outside");
	add_ports(&line, ", TCP connections to ", box->plan->connect_ports);
	add_ports(&line, ", TCP ports to bind ", box->plan->bind_ports);
	line.bytes[line.length] = '\0';
	leaf(printer, false, "landlock", line.bytes);
}

static void print_filters(struct printer *printer, const struct box *box)
{
	struct text filter = { 0 };
	struct box_filter part;

	for (size_t i = 0; filters_get(box, i, &part); i++) {
		text_add(&filter, i > 0 ? "; " : "");
		text_visible(&filter, part.name);
		text_add(&filter, ", ");
		text_number(&filter, part.length);
		text_add(&filter, i == 0 ? " instructions" : "");
	}
	if (filter.length == 0)
		text_add(&filter, "none");
	filter.bytes[filter.length] = '\0';
	leaf(printer, true, "seccomp", filter.bytes);
}

static void add_word(struct text *text, const char *word)
{
	text_add(text, text->length > 0 ? " " : "");
	text_add(text, word);
}

static void print_words(struct printer *printer, const char *name, struct text *words)
{
	words->bytes[words->length] = '\0';
	if (words->length > 0)
		leaf(printer, false, name, words->bytes);
}

/* What is built on request, and what may be missing. */
static void print_requests(struct printer *printer, const struct box *box)
{
	const struct plan *plan = box->plan;
	struct text asked = { 0 }, optional = { 0 };

	if (hardening_wants_keyring(box))
		add_word(&asked, walls[WALL_KEYRING].name);
	if (plan->deny_tsc)
		add_word(&asked, walls[WALL_TSC].name);
	if (plan->mdwe)
		add_word(&asked, walls[WALL_MDWE].name);
	for (enum wall wall = 0; wall < WALLS; wall++)
		if (wall_is_optional(plan, wall))
			add_word(&optional, walls[wall].name);
	print_words(printer, "on request", &asked);
	print_words(printer, "may be missing", &optional);
}

/* An init without a box. */
static void print_no_walls(struct printer *printer, const struct box *box)
{
	heading(printer, "walls");
	leaf(printer, false, "view, namespaces", "the caller's");
	leaf(printer, false, "capabilities",
	     box->plan->capabilities == UINT64_MAX && !box_denies_new_privileges(box)
		     ? "the caller's"
	     : box->plan->capabilities == UINT64_MAX ? "the caller's, no_new_privs"
	     : box->plan->capabilities == 0          ? "none, no_new_privs"
						     : "some of the caller's, no_new_privs");
	print_landlock(printer, box);
	print_requests(printer, box);
	print_filters(printer, box);
}

static void print_ranges(struct printer *printer, const char *name, const struct id_range *ranges,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint32_t numbers[] = { ranges[i].inside, ranges[i].outside, ranges[i].count };
		struct text line = { 0 };

		for (size_t j = 0; j < 3; j++) {
			text_add(&line, j == 0 ? "" : ":");
			text_number(&line, numbers[j]);
		}
		line.bytes[line.length] = '\0';
		leaf(printer, false, name, line.bytes);
	}
}

static uint64_t choose(int64_t taken, int64_t asked, uint32_t caller)
{
	return taken >= 0 ? (uint64_t)taken : asked >= 0 ? (uint64_t)asked : caller;
}

static void print_taken(struct printer *printer, const struct box *box)
{
	const struct plan *plan = box->plan;
	struct text line = { 0 };

	text_add(&line, "user ");
	text_number(&line, choose(box->take_uid, plan->uid, geteuid()));
	text_add(&line, ", group ");
	text_number(&line, choose(box->take_gid, plan->gid, getegid()));
	for (size_t i = 0; i < plan->group_count && i < 100; i++) {
		text_add(&line, i == 0 ? ", groups " : " ");
		text_number(&line, plan->groups[i]);
	}
	line.bytes[line.length] = '\0';
	leaf(printer, false, "command's ids", line.bytes);
}

static void print_ids(struct printer *printer, const struct box *box)
{
	const struct plan *plan = box->plan;
	struct text ids = { 0 };

	if (box->launcher_maps) {
		leaf(printer, false, "user namespace", "nested, ids inside:outside:count");
		print_ranges(printer, "user ids", plan->uid_ranges, plan->uid_range_count);
		print_ranges(printer, "group ids", plan->gid_ranges, plan->gid_range_count);
		print_taken(printer, box);
		return;
	}
	text_add(&ids, "nested, uid and gid inside, outside, count: ");
	text_add(&ids, box->nested_uid_map);
	ids.bytes[ids.length - 1] = ',';
	text_add(&ids, " ");
	text_add(&ids, box->nested_gid_map);
	ids.bytes[ids.length - 1] = '\0';
	leaf(printer, false, "user namespace", ids.bytes);
}

static void print_walls(struct printer *printer, const struct box *box)
{
	heading(printer, "walls");
	print_namespaces(printer, box);
	print_ids(printer, box);
	leaf(printer, false, "capabilities",
	     box->plan->capabilities == 0 ? "none, securebits locked, no_new_privs"
					  : "some in the nested user namespace, no_new_privs");
	print_landlock(printer, box);
	print_requests(printer, box);
	print_filters(printer, box);
}

static void print_environment(struct printer *printer, char *const environment[])
{
	heading(printer, "environment");
	for (; *environment != NULL; environment++)
		leaf(printer, environment[1] == NULL, "", *environment);
}

static void add_bound(struct text *text, uint64_t bound)
{
	if (bound == UINT64_MAX)
		text_add(text, "unlimited");
	else
		text_number(text, bound);
}

static void print_limits(struct printer *printer, const struct plan *plan)
{
	for (size_t i = 0; i < plan->limit_count; i++) {
		struct text line = { 0 };

		add_word(&line, plan->limits[i].name);
		text_add(&line, " ");
		add_bound(&line, plan->limits[i].soft);
		text_add(&line, ":");
		add_bound(&line, plan->limits[i].hard);
		print_words(printer, "limit", &line);
	}
}

/* Besides 0, 1 and 2. */
static void print_descriptors(struct printer *printer, const struct plan *plan)
{
	struct text line = { 0 };

	for (size_t i = 0; i < plan->keep_fd_count; i++) {
		add_word(&line, "");
		text_number(&line, (unsigned int)plan->keep_fds[i]);
	}
	for (size_t i = 0; i < plan->fd_map_count; i++) {
		add_word(&line, "");
		text_number(&line, (unsigned int)plan->fd_maps[i].new);
		text_add(&line, "=");
		if (plan->fd_maps[i].old < 0)
			text_add(&line, "null");
		else
			text_number(&line, (unsigned int)plan->fd_maps[i].old);
	}
	print_words(printer, "descriptors", &line);
}

static void print_command(struct printer *printer, const struct box *box)
{
	heading(printer, "command");
	leaf(printer, false, "directory",
	     box->directory[0] != '\0' ? box->directory
	     : box->plan->init_only    ? "the caller's"
				       : "/");
	if (box->plan->tty)
		leaf(printer, false, "terminal", "its own");
	print_limits(printer, box->plan);
	print_descriptors(printer, box->plan);
	leaf(printer, box->argv[1] == NULL, "file", box->plan->command[0]);
	for (size_t i = 1; box->argv[i] != NULL; i++)
		leaf(printer, box->argv[i + 1] == NULL, "argument", box->argv[i]);
}

int explain(const struct box *box)
{
	struct printer printer = { 0 };
	struct fault fault;

	if (box->plan->init_only) {
		print_grants(&printer, &box->view);
		print_no_walls(&printer, box);
	} else {
		print_view(&printer, &box->view);
		print_changes(&printer, box->plan);
		print_walls(&printer, box);
	}
	print_environment(&printer, box->environment);
	print_command(&printer, box);
	if (printer.error == 0)
		return 0;
	fault_errno(&fault, "explain", "standard output", printer.error);
	init_complain(box->plan, &fault);
	return EXIT_NESTBOX;
}
