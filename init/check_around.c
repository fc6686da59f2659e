/* SPDX-License-Identifier: MIT */
/* The evidence around a caller: what may forbid a box, and where it is found. */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "init/check.h"
#include "init/values.h"
#include "mountns/sys.h"

const struct limit_kind limit_kinds[LIMITS] = {
	[LIMIT_USER] = { "user/max_user_namespaces", "user.max_user_namespaces", CLONE_NEWUSER },
	[LIMIT_MNT] = { "user/max_mnt_namespaces", "user.max_mnt_namespaces", CLONE_NEWNS },
	[LIMIT_PID] = { "user/max_pid_namespaces", "user.max_pid_namespaces", CLONE_NEWPID },
	[LIMIT_IPC] = { "user/max_ipc_namespaces", "user.max_ipc_namespaces", CLONE_NEWIPC },
	[LIMIT_UTS] = { "user/max_uts_namespaces", "user.max_uts_namespaces", CLONE_NEWUTS },
	[LIMIT_CGROUP] = { "user/max_cgroup_namespaces", "user.max_cgroup_namespaces",
			   CLONE_NEWCGROUP },
	[LIMIT_NET] = { "user/max_net_namespaces", "user.max_net_namespaces", CLONE_NEWNET },
	[LIMIT_UNPRIVILEGED] = { "kernel/unprivileged_userns_clone",
				 "kernel.unprivileged_userns_clone", 0 },
	[LIMIT_APPARMOR] = { "kernel/apparmor_restrict_unprivileged_userns",
			     "kernel.apparmor_restrict_unprivileged_userns", 0 },
};

/* ---- reading ---- */

long around_read(const char *path, char *text, size_t size)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	long count, used = 0;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	do {
		count = sys_read(fd, text + used, size - 1 - (size_t)used);
		used += count > 0 ? count : 0;
	} while (count > 0 && (size_t)used < size - 1);
	sys_close(fd);
	text[used] = '\0';
	return count < 0 ? count : used;
}

int lines_open(struct lines *lines, const char *path)
{
	lines->used = lines->next = 0;
	lines->fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	return lines->fd < 0 ? lines->fd : 0;
}

/* Moves what is left to the front and reads on. Returns whether something came. */
static bool read_on(struct lines *lines)
{
	long count;

	memmove(lines->bytes, lines->bytes + lines->next, lines->used - lines->next);
	lines->used -= lines->next;
	lines->next = 0;
	count = sys_read(lines->fd, lines->bytes + lines->used,
			 sizeof(lines->bytes) - 1 - lines->used);
	lines->used += count > 0 ? (size_t)count : 0;
	return count > 0;
}

char *lines_next(struct lines *lines)
{
	for (;;) {
		char *start = lines->bytes + lines->next;
		char *end = memchr(start, '\n', lines->used - lines->next);

		/* A full buffer is a line that is cut. */
		if (end == NULL && lines->used - lines->next == sizeof(lines->bytes) - 1)
			end = lines->bytes + lines->used;
		if (end != NULL) {
			*end = '\0';
			lines->next = (size_t)(end - lines->bytes) + 1;
			if (lines->next > lines->used)
				lines->next = lines->used;
			return start;
		}
		if (read_on(lines))
			continue;
		sys_close(lines->fd);
		return NULL;
	}
}

/* ---- seccomp and rights ---- */

/* Of "Seccomp_filters", Linux 5.10, or else "Seccomp" of proc(5), where 2 is a filter. */
static int count_filters(void)
{
	static const char count[] = "Seccomp_filters:\t", mode[] = "Seccomp:\t";
	struct lines lines;
	int found = -1, filtered;
	uint64_t number;
	char *line;

	if (lines_open(&lines, "/proc/self/status") == 0)
		while ((line = lines_next(&lines)) != NULL) {
			if (strncmp(line, mode, sizeof(mode) - 1) == 0 && found < 0)
				found = line[sizeof(mode) - 1] == '2';
			if (strncmp(line, count, sizeof(count) - 1) == 0 &&
			    value_number(line + sizeof(count) - 1, INT32_MAX, &number))
				found = (int)number;
		}
	if (found >= 0)
		return found;
	/* A filter may have an answer of its own to that, even a signal. */
	filtered = sys_prctl(PR_GET_SECCOMP, 0, 0);
	return filtered == 0 ? 0 : filtered == 2 ? 1 : -1;
}

static uint64_t effective(void)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	struct kernel_cap_data data[2] = { 0 };

	sys_capget(&header, data);
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

/* Whether a line of MAP is about ID: "inside outside count", user_namespaces(7). */
static bool is_in_map(const char *map, uint32_t id)
{
	struct lines lines;
	bool found = false;
	char *line;

	if (lines_open(&lines, map) != 0)
		return true;
	while ((line = lines_next(&lines)) != NULL) {
		unsigned long first = strtoul(line, &line, 10);

		strtoul(line, &line, 10);
		found |= id >= first && id - first < strtoul(line, NULL, 10);
	}
	return found;
}

/* ---- who else has a say ---- */

static void read_limits(struct around *around)
{
	for (size_t i = 0; i < LIMITS; i++) {
		struct text path = { 0 };
		char number[32];
		uint64_t value;

		text_print(&path, "/proc/sys/%s", limit_kinds[i].path);
		path.bytes[path.length] = '\0';
		around->limits[i] = -1;
		if (around_read(path.bytes, number, sizeof(number)) <= 0)
			continue;
		number[strcspn(number, "\n")] = '\0';
		if (value_number(number, INT64_MAX, &value))
			around->limits[i] = (int64_t)value;
	}
}

/* AppArmor's "unconfined", SELinux's domains of that name, and Smack's floor confine nobody. */
static void read_lsms(struct around *around)
{
	char *label = around->label;

	around_read("/sys/kernel/security/lsm", around->lsms, sizeof(around->lsms));
	around->lsms[strcspn(around->lsms, "\n")] = '\0';
	if (around_read("/proc/self/attr/current", label, sizeof(around->label)) < 0)
		label[0] = '\0';
	label[strcspn(label, "\n")] = '\0';
	if (strncmp(label, "unconfined", 10) == 0 || strstr(label, ":unconfined_t:") != NULL ||
	    strcmp(label, "_") == 0 || strstr(label, ":kernel_t:") != NULL)
		label[0] = '\0';
}

static void read_namespaces(struct around *around)
{
	static const struct {
		const char *path;
		unsigned long flag;
	} files[] = {
		{ "/proc/self/ns/user", CLONE_NEWUSER },     { "/proc/self/ns/mnt", CLONE_NEWNS },
		{ "/proc/self/ns/pid", CLONE_NEWPID },       { "/proc/self/ns/ipc", CLONE_NEWIPC },
		{ "/proc/self/ns/uts", CLONE_NEWUTS },       { "/proc/self/ns/net", CLONE_NEWNET },
		{ "/proc/self/ns/cgroup", CLONE_NEWCGROUP },
	};
	struct kernel_statx stat;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!around->has_proc || sys_statx(AT_FDCWD, files[i].path, 0, &stat) == 0)
			around->namespaces |= files[i].flag;
}

/* ---- mounts ---- */

/* The COUNT-th word of a line, from 1; its length in *LENGTH. */
static const char *word(const char *line, unsigned int count, size_t *length)
{
	while (--count > 0) {
		line += strcspn(line, " ");
		line += *line == ' ';
	}
	*length = strcspn(line, " ");
	return line;
}

/* proc_pid_mountinfo(5): the fifth word is the mount point, the sixth has its flags. */
static void take_mount(struct around *around, const char *line)
{
	size_t length, flags_length;
	const char *point = word(line, 5, &length), *flags = word(line, 6, &flags_length);
	const char *super = strstr(line, " - proc ");

	if (length == 5 && memcmp(point, "/proc", 5) == 0) {
		around->proc_read_only = strncmp(flags, "ro", 2) == 0 && strchr(", ", flags[2]);
		around->proc_partial = super != NULL && (strstr(super, "subset=") != NULL ||
							 strstr(super, "hidepid=") != NULL);
	} else if (length > 6 && memcmp(point, "/proc/", 6) == 0) {
		if (around->covers++ == 0 && length < sizeof(around->cover)) {
			memcpy(around->cover, point, length);
			around->cover[length] = '\0';
		}
	}
}

static void read_mounts(struct around *around)
{
	struct lines lines;
	const char *line;

	if (lines_open(&lines, "/proc/self/mountinfo") != 0)
		return;
	while ((line = lines_next(&lines)) != NULL)
		take_mount(around, line);
}

static bool is_procfs(void)
{
	int fd = sys_openat(AT_FDCWD, "/proc/self", O_PATH | O_CLOEXEC, 0);
	bool is = fd >= 0 && sys_filesystem_type(fd) == PROC_MAGIC;

	if (fd >= 0)
		sys_close(fd);
	return is;
}

/* No mount's root: then somebody has called chroot(2). Of another root nothing can be said. */
static bool is_chrooted(void)
{
	struct kernel_statx stat;

	return sys_statx(AT_FDCWD, "/", 0, &stat) == 0 &&
	       (stat.attributes_mask & KERNEL_STATX_MOUNT_ROOT) != 0 &&
	       (stat.attributes & KERNEL_STATX_MOUNT_ROOT) == 0;
}

/* ---- the container ---- */

static bool exists(const char *path)
{
	return sys_faccessat(AT_FDCWD, path, 0) == 0;
}

static enum runtime find_runtime(void)
{
	static const struct {
		const char *name;
		enum runtime runtime;
	} names[] = {
		{ "podman", RUNTIME_PODMAN },
		{ "docker", RUNTIME_DOCKER },
		{ "lxc", RUNTIME_LXC },
		{ "lxc-libvirt", RUNTIME_LXC },
		{ "systemd-nspawn", RUNTIME_NSPAWN },
		{ "kubernetes", RUNTIME_KUBERNETES },
	};
	const char *name = getenv("container");
	char init[32];

	/* The nearest one is in the way. */
	if (around_read("/proc/1/comm", init, sizeof(init)) > 0 && strcmp(init, "nestbox\n") == 0 &&
	    sys_getpid() != 1)
		return RUNTIME_NESTBOX;
	if (getenv("KUBERNETES_SERVICE_HOST") != NULL)
		return RUNTIME_KUBERNETES;
	if (exists("/run/.containerenv"))
		return RUNTIME_PODMAN;
	if (exists("/.dockerenv"))
		return RUNTIME_DOCKER;
	for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].runtime;
	return RUNTIME_UNKNOWN;
}

static void read_version(struct around *around)
{
	struct utsname name;
	const char *c = name.release;
	unsigned int parts[2] = { 0 };

	if (uname(&name) != 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		for (; *c >= '0' && *c <= '9'; c++)
			parts[i] = (parts[i] * 10 + (unsigned int)(*c - '0')) & 0xff;
		c += *c == '.';
	}
	around->version = LINUX(parts[0], parts[1]);
	memcpy(around->kernel, name.release, sizeof(around->kernel));
	around->kernel[sizeof(around->kernel) - 1] = '\0';
}

void around_look(struct around *around)
{
	*around = (struct around){
		.has_proc = is_procfs(),
		.filters = count_filters(),
		.capabilities = effective(),
		.uid = (uint32_t)sys_getuid(),
		.gid = (uint32_t)sys_getgid(),
		.chrooted = is_chrooted(),
		.runtime = find_runtime(),
	};
	/* An id that is not there is shown as the overflow id, which is in no map either. */
	around->unmapped = !is_in_map("/proc/self/uid_map", around->uid) ||
			   !is_in_map("/proc/self/gid_map", around->gid);
	read_version(around);
	read_limits(around);
	read_lsms(around);
	read_namespaces(around);
	read_mounts(around);
}
