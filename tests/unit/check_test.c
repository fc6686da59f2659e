/* SPDX-License-Identifier: MIT */
/* init/check_*.c: causes that cannot be imposed on the machine of the tests, and the limits of a probe. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/check.h"
#include "mountns/linux.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A host on which nothing is known to be wrong. */
static struct around calm(void)
{
	struct around around = { .has_proc = true,
				 .capabilities = 0,
				 .uid = 1000,
				 .namespaces = ~0UL,
				 .kernel = "6.1.0-test",
				 .version = LINUX(6, 1) };

	for (size_t i = 0; i < LIMITS; i++)
		around.limits[i] = -1;
	return around;
}

static struct finding failure(const char *step, int call, unsigned long flags, int error, int again)
{
	return (struct finding){ .step = step,
				 .call = call,
				 .flags = flags,
				 .error = error,
				 .again = again,
				 .ended = true };
}

static struct cause cause;

static void find(const char *name, const struct finding *finding, const struct around *around)
{
	const struct probe *probe = probe_find(name);

	assert_non_null(probe);
	cause_find(probe, finding, around, &cause);
	assert_int_equal(cause.text.bytes[cause.text.length], '\0');
	assert_int_equal(cause.remedy.bytes[cause.remedy.length], '\0');
	assert_null(strchr(cause.text.bytes, '('));
	assert_null(strstr(cause.remedy.bytes, "%s"));
}

static void expect(enum check_state state, const char *by, const char *text, const char *remedy)
{
	assert_int_equal(cause.state, state);
	assert_string_equal(cause.by, by);
	if (strstr(cause.text.bytes, text) == NULL || strstr(cause.remedy.bytes, remedy) == NULL)
		fail_msg("%s; %s", cause.text.bytes, cause.remedy.bytes);
}

static const int clone_call = __NR_clone;

static void test_ok(void **state)
{
	const struct finding finding = { .ended = true, .call = -1 };
	const struct around around = calm();

	(void)state;
	find("user", &finding, &around);
	expect(CHECK_OK, "", "", "");
	assert_int_equal(cause.text.length + cause.remedy.length, 0);
}

static void test_sysctl_of_debian(void **state)
{
	const struct finding finding = failure("clone", clone_call, CLONE_NEWUSER, EPERM, EINVAL);
	struct around around = calm();

	(void)state;
	around.limits[LIMIT_UNPRIVILEGED] = 0;
	find("user", &finding, &around);
	expect(CHECK_BLOCKED, "sysctl", "kernel.unprivileged_userns_clone = 0",
	       "sysctl -w kernel.unprivileged_userns_clone=1");
	/* It is not about root. */
	around.capabilities = 1ULL << CAP_SYS_ADMIN;
	find("user", &finding, &around);
	assert_string_not_equal(cause.by, "sysctl");
	around.capabilities = 0;
	around.limits[LIMIT_UNPRIVILEGED] = 1;
	find("user", &finding, &around);
	assert_string_not_equal(cause.by, "sysctl");
}

/* Ubuntu: the clone fails, or what is done behind it. */
static void test_apparmor(void **state)
{
	struct finding finding = failure("clone", clone_call, CLONE_NEWUSER, EACCES, EINVAL);
	struct around around = calm();

	(void)state;
	around.limits[LIMIT_APPARMOR] = 1;
	find("user", &finding, &around);
	expect(CHECK_BLOCKED, "lsm", "kernel.apparmor_restrict_unprivileged_userns = 1",
	       "examples/nestbox.apparmor");
	finding = failure("uid_map", -1, CLONE_NEWUSER, EACCES, 0);
	find("id map", &finding, &around);
	expect(CHECK_BLOCKED, "lsm", "AppArmor", "examples/nestbox.apparmor");
	finding = failure("mount", __NR_mount, CLONE_NEWUSER, EACCES, EFAULT);
	find("private", &finding, &around);
	expect(CHECK_BLOCKED, "lsm", "AppArmor", "apparmor_restrict_unprivileged_userns=0");
	around.limits[LIMIT_APPARMOR] = 0;
	find("private", &finding, &around);
	expect(CHECK_BLOCKED, "", "", "");
}

static void test_labels(void **state)
{
	const struct finding finding = failure("mount", __NR_mount, CLONE_NEWUSER, EACCES, EFAULT);
	struct around around = calm();

	(void)state;
	strcpy(around.label, "docker-default (enforce)");
	around.runtime = RUNTIME_DOCKER;
	cause_find(probe_find("tmpfs"), &finding, &around, &cause);
	expect(CHECK_BLOCKED, "lsm", "AppArmor confines the caller to docker-default",
	       "docker run with --security-opt apparmor=unconfined");
	strcpy(around.label, "system_u:system_r:container_t:s0:c1,c2");
	around.runtime = RUNTIME_PODMAN;
	find("tmpfs", &finding, &around);
	expect(CHECK_BLOCKED, "lsm", "SELinux confines the caller to system_u:system_r:container_t",
	       "podman run with --security-opt label=disable");
}

/* The same finding under each engine: its own words, and each has some. */
static void test_remedies_of_engines(void **state)
{
	static const struct {
		enum runtime runtime;
		const char *seccomp, *proc, *capability;
	} rows[] = {
		{ RUNTIME_UNKNOWN, "Docker and Podman --security-opt", "systempaths=unconfined",
		  "CAP_SETFCAP" },
		{ RUNTIME_DOCKER, "docker run with --security-opt seccomp=",
		  "docker run with --security-opt systempaths=unconfined",
		  "docker run with --cap-add SETFCAP" },
		{ RUNTIME_PODMAN, "podman run with --security-opt seccomp=",
		  "podman run with --security-opt unmask=ALL",
		  "podman run with --cap-add SETFCAP" },
		{ RUNTIME_KUBERNETES, "in the pod: securityContext.seccompProfile",
		  "in the pod: securityContext.procMount: Unmasked, with hostUsers: false",
		  "in the pod: securityContext.capabilities.add: [SETFCAP]" },
		{ RUNTIME_NESTBOX, "--allow-userns", "--map-uids", "--uid" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct finding finding = failure("clone", clone_call, CLONE_NEWUSER, EPERM, EPERM);
		struct around around = calm();

		around.runtime = rows[i].runtime;
		around.filters = 1;
		find("user", &finding, &around);
		expect(CHECK_BLOCKED, "seccomp", "forbids clone", rows[i].seccomp);
		around.covers = 1;
		strcpy(around.cover, "/proc/acpi");
		finding = failure("mount", __NR_mount, CLONE_NEWUSER, EPERM, EFAULT);
		find("proc", &finding, &around);
		expect(CHECK_BLOCKED, "proc", "/proc/acpi", rows[i].proc);
		around.uid = 0;
		finding = failure("uid_map", -1, CLONE_NEWUSER, EPERM, 0);
		find("id map", &finding, &around);
		expect(CHECK_BLOCKED, "capability", "CAP_SETFCAP", rows[i].capability);
	}
}

/* A filter is to blame only with evidence: there is one, and it answers whatever the arguments are. */
static void test_no_filter_is_blamed_without_evidence(void **state)
{
	struct around around = calm();
	struct finding finding = failure("clone", clone_call, CLONE_NEWUSER, EPERM, EPERM);

	(void)state;
	find("user", &finding, &around);
	assert_string_not_equal(cause.by, "seccomp");
	around.filters = 1;
	finding.again = EINVAL;
	find("user", &finding, &around);
	assert_string_not_equal(cause.by, "seccomp");
	finding.again = 0;
	find("user", &finding, &around);
	assert_string_not_equal(cause.by, "seccomp");
	/* Where that cannot be known the answer itself is evidence. */
	finding.again = EPERM;
	around.filters = -1;
	find("user", &finding, &around);
	expect(CHECK_BLOCKED, "seccomp", "forbids clone", "");
}

static void test_kernels(void **state)
{
	struct around around = calm();
	struct finding finding = failure("mount_setattr", __NR_mount_setattr, 0, ENOSYS, ENOSYS);

	(void)state;
	around.version = LINUX(5, 10);
	strcpy(around.kernel, "5.10.0-test");
	find("mount_setattr", &finding, &around);
	expect(CHECK_MISSING, "kernel", "Linux 5.12 has it, this is 5.10.0-test", "newer kernel");
	/* A filter that says so as well changes nothing. */
	around.filters = 1;
	find("mount_setattr", &finding, &around);
	expect(CHECK_MISSING, "kernel", "too old", "");
	around.version = LINUX(5, 15);
	find("mount_setattr", &finding, &around);
	expect(CHECK_BLOCKED, "seccomp", "forbids mount_setattr", "");
	around.filters = 0;
	find("mount_setattr", &finding, &around);
	expect(CHECK_MISSING, "kernel", "built without mount_setattr", "");
	finding = failure("mount", __NR_mount, CLONE_NEWUSER, ENODEV, EFAULT);
	find("mqueue", &finding, &around);
	expect(CHECK_MISSING, "kernel", "no file system mqueue", "module");
	around.namespaces = ~(unsigned long)CLONE_NEWUSER;
	finding = failure("clone", clone_call, CLONE_NEWUSER, EINVAL, EINVAL);
	find("user", &finding, &around);
	expect(CHECK_MISSING, "kernel", "built without this namespace", "CONFIG_");
}

/* Whatever filters there are: the kernel has refused the bad arguments, and the good ones for a reason of its own. */
static void test_answers_that_are_no_filters(void **state)
{
	struct around around = calm();
	struct finding finding = failure("clone", clone_call, CLONE_NEWUSER, EINVAL, EINVAL);

	(void)state;
	around.filters = 3;
	around.namespaces = 0;
	find("user", &finding, &around);
	expect(CHECK_MISSING, "kernel", "built without this namespace", "");
	around.version = LINUX(5, 10);
	finding = failure("seccomp", __NR_seccomp, 1 << 5, EINVAL, EINVAL);
	find("WAIT_KILLABLE_RECV", &finding, &around);
	expect(CHECK_MISSING, "kernel", "Linux 5.19 has it", "");
	finding = failure("mount", __NR_mount, CLONE_NEWUSER, EPERM, EFAULT);
	find("overlay", &finding, &around);
	expect(CHECK_MISSING, "kernel", "Linux 5.11 has it", "");
	finding.again = EPERM;
	find("overlay", &finding, &around);
	expect(CHECK_BLOCKED, "seccomp", "forbids mount", "");
}

static void test_landlock(void **state)
{
	const int call = __NR_landlock_create_ruleset;
	struct around around = calm();
	struct finding finding = failure("landlock_create_ruleset", call, 0, ENOSYS, ENOSYS);

	(void)state;
	around.filters = 1;
	strcpy(around.lsms, "lockdown,capability,landlock,yama");
	find("landlock", &finding, &around);
	expect(CHECK_BLOCKED, "seccomp", "forbids landlock_create_ruleset", "");
	strcpy(around.lsms, "lockdown,capability,yama");
	find("landlock", &finding, &around);
	expect(CHECK_MISSING, "kernel", "built without", "");
	finding.error = finding.again = EOPNOTSUPP;
	find("landlock", &finding, &around);
	expect(CHECK_MISSING, "kernel", "not switched on", "lsm=");
}

static void test_other_causes(void **state)
{
	struct around around = calm();
	struct finding finding = failure("clone", clone_call, CLONE_NEWUSER, EPERM, EINVAL);

	(void)state;
	around.unmapped = true;
	find("user", &finding, &around);
	expect(CHECK_BLOCKED, "ids", "not mapped", "uid_map");
	around.unmapped = false;
	around.chrooted = true;
	find("user", &finding, &around);
	expect(CHECK_BLOCKED, "chroot", "in a chroot", "pivot_root");
	finding.error = EUSERS;
	find("user", &finding, &around);
	expect(CHECK_BLOCKED, "limit", "nested too deeply", "32");
	finding.error = EAGAIN;
	find("user", &finding, &around);
	expect(CHECK_BLOCKED, "limit", "processes", "ulimit");
	finding = failure("pivot_root", __NR_pivot_root, 0, EINVAL, EFAULT);
	find("pivot_root", &finding, &around);
	expect(CHECK_MISSING, "kernel", "initramfs", "none is needed");
	finding = failure("seccomp", __NR_seccomp, 8, EBUSY, EFAULT);
	find("NEW_LISTENER", &finding, &around);
	expect(CHECK_BLOCKED, "seccomp", "already has a listener", "");
	finding = failure("clone", clone_call, CLONE_NEWNET, EPERM, EINVAL);
	find("net", &finding, &around);
	expect(CHECK_BLOCKED, "capability", "CAP_SYS_ADMIN", "");
}

/* Whichever namespace's limit is 0, that one is named. */
static void test_limits(void **state)
{
	static const char *const names[] = { "user", "mnt", "pid", "ipc", "uts", "cgroup", "net" };
	const struct finding finding =
		failure("clone", clone_call,
			CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
				CLONE_NEWCGROUP | CLONE_NEWNET,
			ENOSPC, EINVAL);

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct around around = calm();
		char text[64];

		for (size_t j = 0; j < COUNT(names); j++)
			around.limits[LIMIT_USER + j] = j == i ? 0 : 1000;
		snprintf(text, sizeof(text), "user.max_%s_namespaces = 0", names[i]);
		find("user+all", &finding, &around);
		expect(CHECK_BLOCKED, "sysctl", text, "sysctl -w user.max_");
		assert_null(strstr(cause.text.bytes, "around"));
	}
}

/* Every call that a probe can note is known by its name, and refuses bad arguments here, where no filter is. */
static void test_bad_calls(void **state)
{
	static const int numbers[] = { __NR_clone,         __NR_mount,       __NR_umount2,
				       __NR_chroot,        __NR_open_tree,   __NR_fsconfig,
				       __NR_mount_setattr, __NR_openat2,     __NR_close_range,
				       __NR_pidfd_open,    __NR_pidfd_getfd, __NR_process_vm_readv,
				       __NR_prctl,         __NR_seccomp,     __NR_unshare };

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		int error = call_badly(numbers[i], 0);

		assert_true(call_name(numbers[i])[0] != '\0');
		if (error != EINVAL && error != EFAULT && error != EBADF)
			fail_msg("%s: %s", call_name(numbers[i]), strerror(error));
	}
	assert_int_equal(call_badly(clone_call, CLONE_NEWUSER | CLONE_NEWNET), EINVAL);
	assert_int_equal(call_badly(-1, 0), 0);
	assert_string_equal(call_name(-1), "");
}

static void test_lines(void **state)
{
	char path[] = "/tmp/nbu.XXXXXX", big[5000];
	struct lines lines;
	int fd = mkstemp(path);

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_true(write(fd, "a\n\nbc\n", 6) == 6 && write(fd, big, sizeof(big)) == sizeof(big));
	assert_true(write(fd, "\nlast\nrest", 10) == 10);
	close(fd);
	assert_int_equal(lines_open(&lines, path), 0);
	assert_string_equal(lines_next(&lines), "a");
	assert_string_equal(lines_next(&lines), "");
	assert_string_equal(lines_next(&lines), "bc");
	for (const char *line = lines_next(&lines); strcmp(line, "last") != 0;
	     line = lines_next(&lines))
		assert_true(line[0] == 'x' || line[0] == '\0');
	assert_null(lines_next(&lines));
	assert_true(lines_open(&lines, "/none") < 0);
	unlink(path);
}

/* ---- probes ---- */

static void run_for_ever(const struct probe *probe, struct finding *finding)
{
	(void)probe;
	(void)finding;
	/* Another one that would stay. */
	fork();
	for (;;)
		pause();
}

static void run_signal(const struct probe *probe, struct finding *finding)
{
	(void)finding;
	signal((int)probe->flags, SIG_DFL);
	kill(getpid(), (int)probe->flags);
}

static void test_a_probe_ends_in_time(void **state)
{
	const struct probe probe = { "endless", PROBES_CALLS, 0, run_for_ever, 0, NULL, NULL };
	const struct around around = calm();
	struct finding finding;
	time_t start = time(NULL);

	(void)state;
	assert_int_equal(check_probe(&probe, &finding), 0);
	assert_true(time(NULL) - start < 60);
	assert_false(finding.ended);
	cause_find(&probe, &finding, &around, &cause);
	expect(CHECK_BLOCKED, "", "", "");
	assert_true(cause.text.length > 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_a_probe_that_is_killed(void **state)
{
	struct probe probe = { "killed", PROBES_CALLS, 0, run_signal, SIGSYS, NULL, NULL };
	const struct around around = calm();
	struct finding finding;

	(void)state;
	assert_int_equal(check_probe(&probe, &finding), 0);
	assert_int_equal(finding.signal, SIGSYS);
	cause_find(&probe, &finding, &around, &cause);
	expect(CHECK_BLOCKED, "seccomp", "kills", "");
	probe.flags = SIGTERM;
	assert_int_equal(check_probe(&probe, &finding), 0);
	cause_find(&probe, &finding, &around, &cause);
	expect(CHECK_BLOCKED, "", "killed", "");
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < probe_count; i++) {
		assert_ptr_equal(probe_find(probes[i].name), &probes[i]);
		assert_true(i == 0 || probes[i].group >= probes[i - 1].group);
		assert_non_null(probes[i].run);
	}
	assert_null(probe_find("none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ok),
		cmocka_unit_test(test_sysctl_of_debian),
		cmocka_unit_test(test_apparmor),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_remedies_of_engines),
		cmocka_unit_test(test_no_filter_is_blamed_without_evidence),
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_answers_that_are_no_filters),
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_other_causes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bad_calls),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_a_probe_ends_in_time),
		cmocka_unit_test(test_a_probe_that_is_killed),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
