/* SPDX-License-Identifier: MIT */
/*
 * walls HIDDEN READONLY NAMESPACE…: run as the workload; checks each wall for
 * itself. HIDDEN is a host file that must not be seen, READONLY a granted
 * directory that must refuse writes, NAMESPACE what the host's links in
 * /proc/self/ns say. Exit 77: all stand. Exit 78: "missing: NAME" for each that does
 * not. Never 0, so that a box that did not run at all cannot pass for a good one.
 */
#ifndef _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static int missing;

static void want(int stands, const char *name)
{
	if (stands)
		return;
	missing = 1;
	printf("missing: %s\n", name);
}

/* A line of /proc/self/status, for what cannot be asked when prctl is denied. */
static long long status_number(const char *name, int base)
{
	char line[256];
	size_t n = strlen(name);
	long long number = -1;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, n) && line[n] == ':')
			number = strtoll(line + n + 1, NULL, base);
	if (f)
		fclose(f);
	return number;
}

static void check_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { ~0U, ~0U, ~0U }, { ~0U, ~0U, ~0U } };
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	syscall(SYS_capget, &head, d);
	want(!d[0].effective && !d[1].effective, "effective set");
	want(!d[0].permitted && !d[1].permitted, "permitted set");
	want(!d[0].inheritable && !d[1].inheritable, "inheritable set");
	for (int cap = 0; cap < 41; cap++) {
		want(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0, "bounding set");
		want(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) != 1, "ambient set");
	}
	want(status_number("CapAmb", 16) == 0, "ambient set");
	want((bits & 0xaa) == 0xaa, "securebits locks");
	want((bits & 0x01) == 0x01, "securebits noroot");
	want(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs");
}

/*
 * The test's own filter makes "seccomp 2" true anyway, so count the filters (WALLS_FILTERS says how many
 * there must be if it is not that one more), and ask for what the profile refuses, by its effect and not by
 * the mode.
 */
static void check_filter(void)
{
	static const unsigned long kinds[] = { CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWUTS };

	const char *filters = getenv("WALLS_FILTERS");

	want(status_number("Seccomp_filters", 10) >= (filters ? atoi(filters) : 2),
	     "seccomp filter");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		want(syscall(SYS_unshare, kinds[i]) < 0, "unshare refused");
}

static void check_view(const char *hidden, const char *readonly)
{
	struct stat st;
	struct statvfs fs;
	char path[4200];

	want(lstat(hidden, &st) < 0, "hidden host file");
	snprintf(path, sizeof(path), "%s/new", readonly);
	want(mkdir(path, 0755) < 0, "read-only grant");
	want(mkdir("/new", 0755) < 0, "read-only root");
	want(statvfs(readonly, &fs) == 0 && (fs.f_flag & ST_RDONLY), "read-only flag");
	want(statvfs(readonly, &fs) == 0 && (fs.f_flag & ST_NOSUID), "nosuid flag");
	want(statvfs(readonly, &fs) == 0 && (fs.f_flag & ST_NODEV), "nodev flag");
	want(lstat("/old_root", &st) < 0 && lstat("/oldroot", &st) < 0, "old root gone");
	want(chdir("/../../..") < 0 || lstat("home", &st) < 0, "no way up");
}

static void check_namespaces(char **spaces)
{
	for (; *spaces; spaces++) {
		char name[64], path[96], text[64];
		ssize_t n;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*spaces, ":"), *spaces);
		snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
		n = readlink(path, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = 0;
		want(n > 0 && strcmp(text, *spaces), *spaces);
	}
}

static void check_descriptors(void)
{
	for (int fd = 3; fd < 1024; fd++)
		want(fcntl(fd, F_GETFD) < 0, "closed descriptors");
}

static void check_mounts(void)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	want(f != NULL, "mountinfo");
	while (f && fgets(line, sizeof(line), f)) {
		char point[2048], options[1024];
		int device;

		if (sscanf(line, "%*s %*s %*s %*s %2047s %1023s", point, options) != 2)
			continue;
		device = !strncmp(point, "/dev/", 5);
		want(strstr(options, "nosuid") != NULL, "nosuid on a mount");
		want(device || strstr(options, "nodev") != NULL, "nodev on a mount");
	}
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 99;
	check_descriptors();
	check_capabilities();
	check_view(argv[1], argv[2]);
	check_namespaces(argv + 3);
	check_mounts();
	want(getpid() != 1 && getppid() == 1, "PID 1 is our parent");
	check_filter();
	fflush(stdout);
	return missing ? 78 : 77;
}
