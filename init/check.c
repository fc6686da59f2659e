/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/check.h"
#include "init/clock.h"
#include "mountns/sys.h"

#define CLONE_ANY 0x7e020000UL   /* all CLONE_NEW… of clone(2) */
#define TIME_LIMIT 5000000000ULL /* nanoseconds for a probe */

/* ---- one probe ---- */

struct trial {
	const struct probe *probe;
	struct finding *finding; /* in shared memory */
	int pipe[2];             /* ends when all are gone that the probe has started */
	int parent;
};

/* Neither a core nor a process may be left: core(5) says what a limit of one byte means for a pipe. What goes
 * to standard error is for the finding; a caller's signals are for others. */
static int trial_main(void *argument)
{
	const struct trial *trial = argument;
	const struct kernel_rlimit no_core = { 1, 1 };
	int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);

	sys_setpgid(0, 0);
	sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
	if (sys_getppid() != trial->parent)
		sys_exit_group(1);
	sys_setrlimit(RLIMIT_CORE, &no_core);
	for (int fd = 0; fd < 2 && null >= 0; fd++)
		sys_dup3(null, fd, 0);
	sys_dup3(trial->pipe[1], STDERR_FILENO, 0);
	trial->probe->run(trial->probe, trial->finding);
	trial->finding->ended = true;
	sys_exit_group(0);
}

/* The last line, which says why it is over. */
static void keep_last_line(char *message)
{
	char *line;

	for (size_t end = strlen(message); end > 0 && message[end - 1] == '\n'; end--)
		message[end - 1] = '\0';
	line = strrchr(message, '\n');
	if (line != NULL)
		memmove(message, line + 1, strlen(line + 1) + 1);
}

/* Keeps a line of what comes, until all is over. Returns whether that was in time. */
static bool attend(const struct trial *trial)
{
	struct pollfd fd = { .fd = trial->pipe[0], .events = POLLIN };
	const uint64_t deadline = clock_now() + TIME_LIMIT;
	char *message = trial->finding->message;
	size_t used = 0, room = sizeof(trial->finding->message) - 1;
	struct kernel_timespec left;
	long count = 1;

	while (count != 0 && clock_rest(deadline, &left)) {
		int ready = sys_ppoll(&fd, 1, &left);

		if (ready == -EINTR || ready == 0)
			continue;
		if (used == room) {
			used -= room / 2;
			memmove(message, message + room / 2, used);
		}
		count = sys_read(fd.fd, message + used, room - used);
		used += count > 0 ? (size_t)count : 0;
	}
	message[used] = '\0';
	keep_last_line(message);
	return count == 0;
}

static void try_probe(struct trial *trial)
{
	int status = 0, pid = probe_start(trial_main, trial, 0);

	sys_close(trial->pipe[1]);
	/* A finding as well: it is what whoever starts anything gets to see. */
	if (pid < 0) {
		trial->finding->ended = true;
		probe_note(trial->finding, "clone", __NR_clone, trial->probe->flags & CLONE_ANY,
			   pid);
		return;
	}
	sys_setpgid(pid, pid);
	if (!attend(trial))
		trial->finding->ended = false;
	sys_kill(-pid, SIGKILL);
	sys_kill(pid, SIGKILL);
	if (sys_wait4(pid, &status, 0) == pid && WIFSIGNALED(status) && !trial->finding->ended)
		trial->finding->signal = WTERMSIG(status);
	/* What it had started, which is ours now. */
	while (sys_wait4(-pid, NULL, 0) > 0)
		;
}

int check_probe(const struct probe *probe, struct finding *finding)
{
	struct trial trial = { .probe = probe, .parent = sys_getpid() };
	int error;

	(void)sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0);
	trial.finding = mmap(NULL, sizeof(*finding), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trial.finding == MAP_FAILED)
		return -ENOMEM;
	*trial.finding = (struct finding){ .call = -1 };
	error = sys_pipe2(trial.pipe, O_CLOEXEC);
	if (error == 0) {
		try_probe(&trial);
		sys_close(trial.pipe[0]);
	}
	*finding = *trial.finding;
	munmap(trial.finding, sizeof(*finding));
	return error;
}

/* ---- all of them ---- */

bool check_stands(const struct finding *findings, const char *name)
{
	const struct finding *finding = &findings[probe_find(name) - probes];

	return finding->ended && finding->step == NULL;
}

static int fail(const struct plan *plan, const char *object, int error)
{
	struct fault fault;

	fault_errno(&fault, "check", object, error);
	init_complain(plan, &fault);
	return EXIT_NESTBOX;
}

int check_run(const struct plan *plan)
{
	const struct kernel_sigaction standard = { 0 };
	struct finding *findings = calloc(probe_count, sizeof(*findings));
	struct around around;
	struct check check = { &around, findings, CHECK_NOTHING };
	int error = findings == NULL ? -ENOMEM : 0;

	/* Where it is ignored children leave no status. */
	sys_sigaction(SIGCHLD, &standard, NULL);
	around_look(&around);
	for (size_t i = 0; i < probe_count && error == 0; i++)
		error = check_probe(&probes[i], &findings[i]);
	if (error < 0) {
		free(findings);
		return fail(plan, "", error);
	}
	if (check_stands(findings, "default box"))
		check.status = CHECK_BOX;
	else if (check_stands(findings, "box without /proc") || check_stands(findings, "fallback"))
		check.status = CHECK_FALLBACK;
	error = plan->check == CHECK_JSON ? check_print_json(&check) : check_print_text(&check);
	free(findings);
	return error < 0 ? fail(plan, "standard output", error) : check.status;
}

/* ---- a start that failed ---- */

/* Which probes are about a step; of several that make no error of the step's kind, none is. */
static const struct {
	const char *step, *probe;
} steps[] = {
	{ "id map", "id map" },
	{ "mount propagation", "private" },
	{ "mount", "tmpfs" },
	{ "mount", "bind" },
	{ "mount", "mqueue" },
	{ "proc", "proc" },
	{ "dev", "devpts" },
	{ "dev", "bind" },
	{ "overlay", "overlay" },
	{ "mount_setattr", "read-only remount" },
	{ "remount", "read-only remount" },
	{ "pivot_root", "pivot_root" },
	{ "umount", "pivot_root" },
	{ "chroot", "chroot" },
	{ "hostname", "hostname" },
	{ "network", "user+net" },
	{ "network", "loopback" },
	{ "nested user namespace", "nested user" },
	{ "landlock", "landlock" },
	{ "no_new_privs", "no_new_privs" },
	{ "seccomp", "seccomp filter" },
};

/* Whether PROBE fails as the start did, and for which cause. */
static bool explains(const struct probe *probe, const struct fault *fault, struct cause *cause)
{
	struct finding finding;
	struct around around;

	if (check_probe(probe, &finding) != 0 || finding.error != fault->error)
		return false;
	around_look(&around);
	cause_find(probe, &finding, &around, cause);
	return cause->text.length > 0;
}

/* The namespaces one by one, as the plan wants them. */
static bool explain_clone(const struct plan *plan, const struct fault *fault, struct cause *cause)
{
	const unsigned long flags = plan->namespaces | CLONE_NEWNS;
	const unsigned long users = flags & CLONE_NEWUSER;

	for (size_t i = 0; i < probe_count; i++) {
		unsigned long own = probes[i].flags & ~(unsigned long)CLONE_NEWUSER;
		enum probe_group group = users != 0 ? PROBES_USER : PROBES_ALONE;

		if (probes[i].group == group && probes[i].steps == NULL &&
		    (probes[i].flags & ~flags) == 0 && (own & (own - 1)) == 0 &&
		    explains(&probes[i], fault, cause))
			return true;
	}
	return false;
}

bool check_diagnose(const struct plan *plan, const struct fault *fault, struct cause *cause)
{
	if (fault->reason != NULL)
		return false;
	if (strcmp(fault->step, "clone") == 0)
		return explain_clone(plan, fault, cause);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].step, fault->step) == 0 &&
		    explains(probe_find(steps[i].probe), fault, cause))
			return true;
	return false;
}
