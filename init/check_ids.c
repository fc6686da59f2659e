/* SPDX-License-Identifier: MIT */
/* Probes of what the host's administrator gives: ranges of ids, and a part of the cgroup tree. */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "init/check.h"
#include "mountns/sys.h"

/* ---- ranges of ids ---- */

static const struct helper {
	const char *name, *paths[2], *permits, *map, *missing;
	int capability;
} helpers[] = {
	{ "newuidmap",
	  { "/usr/bin/newuidmap", "/bin/newuidmap" },
	  "/etc/subuid",
	  "uid_map",
	  "/etc/subuid has no line for the caller",
	  CAP_SETUID },
	{ "newgidmap",
	  { "/usr/bin/newgidmap", "/bin/newgidmap" },
	  "/etc/subgid",
	  "gid_map",
	  "/etc/subgid has no line for the caller",
	  CAP_SETGID },
};

/* A process in a user namespace that waits for its end. */
static int hold(void *argument)
{
	const int *parent = argument;

	sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
	if (sys_getppid() != *parent)
		sys_exit_group(1);
	while (sys_ppoll(NULL, 0, NULL) == -EINTR)
		;
	sys_exit_group(0);
}

/* The first field of passwd(5) in the line whose third is UID. */
static void find_name(uint32_t uid, char *name, size_t size)
{
	struct lines lines;
	char *line;

	name[0] = '\0';
	if (lines_open(&lines, "/etc/passwd") != 0)
		return;
	while ((line = lines_next(&lines)) != NULL) {
		size_t length = strcspn(line, ":");
		const char *id = line + length;

		for (int i = 0; i < 2 && *id == ':'; i++)
			id += 1 + strcspn(id + 1, ":");
		if (*id != ':' || id[1] < '0' || id[1] > '9' || strtoul(id + 1, NULL, 10) != uid ||
		    length >= size || name[0] != '\0')
			continue;
		memcpy(name, line, length);
		name[length] = '\0';
	}
}

/* subuid(5): NAME or id, ":", the first one, ":", how many. Returns whether FIRST is one. */
static bool find_range(const struct helper *helper, uint32_t uid, unsigned long *first)
{
	char name[256];
	struct lines lines;
	bool found = false;
	char *line;

	find_name(uid, name, sizeof(name));
	if (lines_open(&lines, helper->permits) != 0)
		return false;
	while ((line = lines_next(&lines)) != NULL) {
		size_t length = strcspn(line, ":");
		char *end = NULL;
		bool ours = name[0] != '\0' && length == strlen(name) &&
			    memcmp(line, name, length) == 0;

		if (!ours && line[0] >= '0' && line[0] <= '9')
			ours = strtoul(line, &end, 10) == uid && *end == ':';
		if (!ours || line[length] != ':' || found)
			continue;
		*first = strtoul(line + length + 1, &end, 10);
		found = *end == ':' && strtoul(end + 1, NULL, 10) > 0;
	}
	return found;
}

static void add_number(struct text *text, unsigned long number)
{
	text_number(text, number);
	text->bytes[text->length] = '\0';
}

struct helper_call {
	const struct helper *helper;
	char *words[9];
	int error;
};

static int run_helper(void *argument)
{
	struct helper_call *call = argument;
	char *environment[] = { NULL };
	int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);

	for (int fd = 0; fd < 3; fd++)
		sys_dup3(null, fd, 0);
	for (size_t i = 0; i < 2; i++)
		sys_execve(call->helper->paths[i], call->words, environment);
	sys_exit_group(127);
}

/* "newuidmap PID 0 ID 1 1 FIRST 1". Returns its exit status, or -errno. */
static int ask_helper(const struct helper *helper, int pid, uint32_t id, unsigned long first)
{
	struct text process = { 0 }, own = { 0 }, other = { 0 };
	struct helper_call call = { .helper = helper };
	const char *const words[9] = { helper->name, process.bytes, "0", own.bytes, "1",
				       "1",          other.bytes,   "1", NULL };
	int child, status = 0;

	add_number(&process, (unsigned long)pid);
	add_number(&own, id);
	add_number(&other, first);
	memcpy(call.words, words, sizeof(words));
	child = probe_start(run_helper, &call, 0);
	if (child < 0)
		return child;
	sys_wait4(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void map_by_helper(const struct helper *helper, struct finding *finding, int pid,
			  uint32_t id)
{
	unsigned long first;
	int status;

	if (sys_faccessat(AT_FDCWD, helper->paths[0], 0) != 0 &&
	    sys_faccessat(AT_FDCWD, helper->paths[1], 0) != 0) {
		probe_reason(finding, helper->name, "files", "it is not installed",
			     "install the package uidmap");
		return;
	}
	if (!find_range(helper, (uint32_t)sys_getuid(), &first)) {
		probe_reason(finding, helper->permits, "files", helper->missing,
			     "as root: usermod --add-subuids 100000-165535 --add-subgids "
			     "100000-165535 USER");
		return;
	}
	status = ask_helper(helper, pid, id, first);
	if (status == 0)
		return;
	if (sys_prctl(PR_GET_NO_NEW_PRIVS, 0, 0) == 1)
		probe_reason(finding, helper->name, "no_new_privs",
			     "it has no rights, since no_new_privs is set",
			     "start it where that is not set");
	else
		probe_reason(
			finding, helper->name, "files", "it refuses",
			"see to its set-user-ID bit or capabilities, and to its file of ranges");
}

/* Who has the capability writes the map; the other id need not mean anything, but be there outside. */
static void map_directly(const struct helper *helper, struct finding *finding, int pid, uint32_t id)
{
	struct text path = { 0 }, map = { 0 };
	long error;
	int fd;

	text_print(&path, "/proc/%d/%s", pid, helper->map);
	path.bytes[path.length] = '\0';
	text_add(&map, "0 ");
	text_number(&map, id);
	text_add(&map, " 1\n1 ");
	text_number(&map, (unsigned long)id + 1);
	text_add(&map, " 1\n");
	error = fd = sys_openat(AT_FDCWD, path.bytes, O_WRONLY | O_CLOEXEC, 0);
	if (fd >= 0)
		error = sys_write(fd, map.bytes, map.length);
	if (error == -EPERM)
		probe_reason(finding, helper->map, "ids",
			     "the caller's own user namespace has no more ids to give",
			     "give the outer namespace a range of ids");
	else
		probe_note(finding, helper->map, -1, CLONE_NEWUSER, (int)error);
}

/* More ids than the caller's own, users' or, with a flag, groups'. */
void probe_id_range(const struct probe *probe, struct finding *finding)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	const struct helper *helper = &helpers[probe->flags];
	struct kernel_cap_data data[2] = { 0 };
	int parent = sys_getpid(), pid = probe_start(hold, &parent, CLONE_NEWUSER), status;
	uint32_t id = (uint32_t)(probe->flags == 0 ? sys_getuid() : sys_getgid());

	if (pid < 0) {
		finding->needs = "user";
		return;
	}
	sys_capget(&header, data);
	if ((data[0].effective >> helper->capability & 1) != 0)
		map_directly(helper, finding, pid, id);
	else
		map_by_helper(helper, finding, pid, id);
	sys_kill(pid, SIGKILL);
	sys_wait4(pid, &status, 0);
}

/* ---- cgroup v2 ---- */

/* The mount point of the line in mountinfo about a cgroup2, or false. */
static bool find_hierarchy(char *path, size_t size)
{
	struct lines lines;
	bool found = false;
	char *line;

	if (lines_open(&lines, "/proc/self/mountinfo") != 0)
		return false;
	while ((line = lines_next(&lines)) != NULL) {
		const char *point = line;
		size_t length;

		if (strstr(line, " - cgroup2 ") == NULL || found)
			continue;
		for (int i = 0; i < 4; i++)
			point += strcspn(point, " ") + (point[strcspn(point, " ")] == ' ');
		length = strcspn(point, " ");
		found = length < size;
		memcpy(path, point, found ? length : 0);
		path[found ? length : 0] = '\0';
	}
	return found;
}

/* "0::PATH" of cgroups(7). */
static bool add_own_group(struct text *path)
{
	struct lines lines;
	bool found = false;
	char *line;

	if (lines_open(&lines, "/proc/self/cgroup") != 0)
		return false;
	while ((line = lines_next(&lines)) != NULL) {
		if (strncmp(line, "0::/", 4) != 0 || found)
			continue;
		text_add(path, line + 3);
		found = true;
	}
	return found;
}

static const char delegate[] = "systemd-run --user --scope -p Delegate=yes, or give the caller the "
			       "directory of its cgroup";

/* Words with a blank between two. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; *list != '\0'; list += strcspn(list, " \n"), list += *list != '\0')
		if (strncmp(list, word, length) == 0 && strcspn(list, " \n") == length)
			return true;
	return false;
}

static void make_group(struct finding *finding, struct text *path)
{
	const size_t length = path->length;
	char controllers[256];
	int error;

	text_add(path, "/nestbox-check.");
	add_number(path, (unsigned long)sys_getpid());
	error = sys_mkdirat(AT_FDCWD, path->bytes, 0700);
	if (error == 0)
		sys_unlinkat(AT_FDCWD, path->bytes, AT_REMOVEDIR);
	if (error == -EROFS)
		probe_reason(finding, "mkdir", "cgroup", "the cgroup tree is read-only here",
			     "mount it writable: podman run --cgroups=split or --privileged, in "
			     "Docker --cgroupns=private with a writable mount");
	else if (error == -EACCES || error == -EPERM)
		probe_reason(finding, "mkdir", "cgroup", "the caller's cgroup is not delegated",
			     delegate);
	else
		probe_note(finding, "mkdir", -1, 0, error);
	if (error != 0)
		return;
	path->length = length;
	text_add(path, "/cgroup.controllers");
	path->bytes[path->length] = '\0';
	if (around_read(path->bytes, controllers, sizeof(controllers)) < 0 ||
	    !has_word(controllers, "memory") || !has_word(controllers, "pids") ||
	    !has_word(controllers, "cpu"))
		probe_reason(finding, "cgroup.controllers", "cgroup",
			     "memory, pids and cpu are not all to be had there: version 1 has "
			     "them, or nobody has enabled them further up",
			     "boot with systemd.unified_cgroup_hierarchy=1, or enable them in "
			     "cgroup.subtree_control");
}

void probe_cgroup(const struct probe *probe, struct finding *finding)
{
	struct text path = { 0 };

	(void)probe;
	if (!find_hierarchy(path.bytes, PATH_MAX / 2)) {
		probe_reason(finding, "mountinfo", "cgroup", "no cgroup2 is mounted",
			     "mount one, on /sys/fs/cgroup");
		return;
	}
	path.length = strlen(path.bytes);
	if (!add_own_group(&path)) {
		probe_reason(finding, "/proc/self/cgroup", "cgroup",
			     "the caller is in no cgroup of version 2", "a kernel with cgroup v2");
		return;
	}
	/* The root of the tree is "/". */
	if (path.bytes[path.length - 1] == '/')
		path.length--;
	make_group(finding, &path);
}
