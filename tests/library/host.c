/* SPDX-License-Identifier: MIT */
/*
 * host: a program that starts boxes through libnestbox. Each subcommand plays one kind of it and prints
 * what happened; the bats files compare. PROBE names the helper of that name, which is in the directory
 * NB_BIN.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/nestbox.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			wrong(__LINE__, #condition);                                               \
	} while (0)

static _Noreturn void wrong(int line, const char *what)
{
	fprintf(stderr, "host: line %d: not so: %s\n", line, what);
	exit(99);
}

static char *from_environment(const char *name)
{
	char *value = getenv(name);

	if (value == NULL)
		wrong(__LINE__, name);
	return value;
}

/* A box that may execute the helpers and nothing else. */
static struct nestbox_plan *small_plan(void)
{
	struct nestbox_plan *plan = nestbox_plan_new();

	CHECK(plan != NULL);
	CHECK(nestbox_plan_grant(plan, NESTBOX_EXEC, from_environment("NB_BIN")) == 0);
	return plan;
}

static struct nestbox_box *spawn(const struct nestbox_plan *plan, char *const argv[])
{
	struct nestbox_error error;
	struct nestbox_box *box;

	if (nestbox_spawn(plan, argv, &box, &error) != 0) {
		fprintf(stderr, "host: spawn: %s\n", error.message);
		exit(98);
	}
	return box;
}

static struct nestbox_box *spawn_probe(const struct nestbox_plan *plan, const char *what,
				       const char *argument)
{
	char *argv[] = { from_environment("PROBE"), (char *)(uintptr_t)what,
			 (char *)(uintptr_t)argument, NULL };

	return spawn(plan, argv);
}

static void print_event(const struct nestbox_event *event)
{
	switch (event->kind) {
	case NESTBOX_STARTED:
		printf("started%s\n", event->pid > 0 ? "" : " without a pid");
		break;
	case NESTBOX_EXITED:
		printf("exited %d\n", event->code);
		break;
	case NESTBOX_SIGNALLED:
		printf("signalled %d %d\n", event->signal, event->core);
		break;
	case NESTBOX_TIMED_OUT:
		printf("timed out\n");
		break;
	case NESTBOX_FAILED:
		printf("failed: %s|%s|%d|%s|%s\n", event->error.step, event->error.object,
		       event->error.error, event->error.reason, event->error.hint);
		printf("message: %s\n", event->error.message);
		break;
	}
}

/* Prints all that FD gives, each line behind NAME. */
static void print_output(int fd, const char *name)
{
	char line[4096];
	FILE *stream = fd >= 0 ? fdopen(fd, "r") : NULL;

	while (stream != NULL && fgets(line, sizeof(line), stream) != NULL)
		printf("%s: %s", name, line);
	if (stream != NULL)
		fclose(stream);
}

/* Polls for events until the last one, which is returned. */
static struct nestbox_event follow(struct nestbox_box *box, int print)
{
	struct pollfd status = { .fd = nestbox_status_fd(box), .events = POLLIN };
	struct nestbox_event event;
	int got;

	for (;;) {
		CHECK(poll(&status, 1, 60000) == 1);
		while ((got = nestbox_next_event(box, &event)) == 1) {
			if (print)
				print_event(&event);
			if (event.kind != NESTBOX_STARTED) {
				CHECK(nestbox_next_event(box, &event) == -ENODATA);
				return event;
			}
		}
		CHECK(got == 0);
	}
}

/* ---- run: a plan of words NAME:VALUE:... ---- */

static int apply(struct nestbox_plan *plan, char *word)
{
	char *part[6] = { NULL }, *rest = word;
	int n = 0;

	for (; n < 5 && (part[n] = strsep(&rest, ":")) != NULL; n++)
		;
	if (strcmp(part[0], "option") == 0)
		return nestbox_plan_option_list(plan, part[1], (const char *const *)(part + 2));
	if (strcmp(part[0], "data") == 0)
		return nestbox_plan_data(plan, part[1], part[2], strlen(part[2]), part[3], NULL);
	if (strcmp(part[0], "grant") == 0)
		return nestbox_plan_grant(plan, (unsigned int)atoi(part[1]), part[2]);
	if (strcmp(part[0], "stdio") == 0)
		return nestbox_plan_stdio(plan, atoi(part[1]), (enum nestbox_stdio)atoi(part[2]),
					  part[3] != NULL ? atoi(part[3]) : -1);
	if (strcmp(part[0], "fd") == 0)
		return nestbox_plan_fd(plan, atoi(part[1]), atoi(part[2]));
	if (strcmp(part[0], "keep-env") == 0)
		return nestbox_plan_keep_env(plan, part[1]);
	if (strcmp(part[0], "keep-all-env") == 0)
		return nestbox_plan_keep_all_env(plan);
	if (strcmp(part[0], "set-env") == 0)
		return nestbox_plan_set_env(plan, part[1], part[2]);
	if (strcmp(part[0], "unset-env") == 0)
		return nestbox_plan_unset_env(plan, part[1]);
	if (strcmp(part[0], "clear-env") == 0)
		return nestbox_plan_clear_env(plan);
	if (strcmp(part[0], "ids") == 0)
		return nestbox_plan_ids(plan, (uid_t)atoi(part[1]), (gid_t)atoi(part[2]));
	if (strcmp(part[0], "hostname") == 0)
		return nestbox_plan_hostname(plan, part[1]);
	if (strcmp(part[0], "chdir") == 0)
		return nestbox_plan_chdir(plan, part[1]);
	if (strcmp(part[0], "argv0") == 0)
		return nestbox_plan_argv0(plan, part[1]);
	if (strcmp(part[0], "filter") == 0)
		return nestbox_plan_filter(plan, part[1]);
	if (strcmp(part[0], "share-network") == 0)
		return nestbox_plan_share_network(plan);
	if (strcmp(part[0], "limit") == 0)
		return nestbox_plan_limit(plan, part[1], strtoull(part[2], NULL, 10),
					  strtoull(part[3], NULL, 10));
	if (strcmp(part[0], "timeout") == 0)
		return nestbox_plan_timeout(plan, strtoull(part[1], NULL, 10));
	if (strcmp(part[0], "program") == 0)
		return nestbox_plan_program(plan, part[1]);
	wrong(__LINE__, part[0]);
}

/* run WORD... -- COMMAND...: prints what comes through pipes and each event. A pipe to standard input is
 * given a line. Exits with 1 when nothing was started. */
static int cmd_run(char **argv)
{
	struct nestbox_plan *plan = small_plan();
	struct nestbox_error error;
	struct nestbox_box *box;

	for (; strcmp(*argv, "--") != 0; argv++)
		apply(plan, *argv);
	if (nestbox_spawn(plan, argv + 1, &box, &error) != 0) {
		printf("spawn: %s|%s|%d|%s|%s\n", error.step, error.object, error.error,
		       error.reason, error.hint);
		nestbox_plan_free(plan);
		return 1;
	}
	nestbox_plan_free(plan);
	if (nestbox_stdio_fd(box, 0) >= 0) {
		CHECK(write(nestbox_stdio_fd(box, 0), "a line\n", 7) == 7);
		close(nestbox_take_stdio_fd(box, 0));
		CHECK(nestbox_take_stdio_fd(box, 0) == -1);
	}
	print_output(nestbox_take_stdio_fd(box, 1), "out");
	print_output(nestbox_take_stdio_fd(box, 2), "err");
	follow(box, 1);
	nestbox_free(box);
	return 0;
}

/* ---- errors ---- */

static void expect(int status, int error, const struct nestbox_plan *plan)
{
	struct nestbox_error sticky;

	CHECK(status == -error);
	CHECK(nestbox_plan_error(plan, NULL) == -error);
	CHECK(nestbox_plan_error(plan, &sticky) == -error);
	CHECK(sticky.error == error && strcmp(sticky.step, "plan") == 0);
	CHECK(sticky.message[0] != '\0');
}

/* One bad CALL on a plan of its own; whatever comes after it says the same, and nothing starts. */
#define BAD(error_number, call)                                                                    \
	do {                                                                                       \
		struct nestbox_plan *plan = small_plan();                                          \
		struct nestbox_error error;                                                        \
		struct nestbox_box *box = (struct nestbox_box *)plan;                              \
		char *argv[] = { (char *)(uintptr_t) "/x", NULL };                                 \
		expect(call, error_number, plan);                                                  \
		CHECK(nestbox_plan_option(plan, "tmpfs", "/a", NULL) == -(error_number));          \
		CHECK(nestbox_plan_data(plan, "file", "", 0, "/a", NULL) == -(error_number));      \
		CHECK(nestbox_plan_stdio(plan, 0, NESTBOX_NULL, -1) == -(error_number));           \
		CHECK(nestbox_plan_fd(plan, 3, 3) == -(error_number));                             \
		CHECK(nestbox_plan_ids(plan, 1, 1) == -(error_number));                            \
		CHECK(nestbox_plan_timeout(plan, 0) == -(error_number));                           \
		CHECK(nestbox_plan_program(plan, "/a") == -(error_number));                        \
		CHECK(nestbox_spawn(plan, argv, &box, &error) == -(error_number));                 \
		CHECK(box == NULL && error.error == (error_number));                               \
		CHECK(nestbox_spawn(plan, argv, &box, NULL) == -(error_number));                   \
		nestbox_plan_free(plan);                                                           \
	} while (0)

static void bad_options(void)
{
	static const char *const refused[] = {
		"help",        "version",         "explain",   "as",      "args",  "status-fd",
		"die-with-fd", "die-with-parent", "init-only", "keep-fd", "quiet", "level-prefix",
	};
	const char *const too_many[] = { "a", "b", "c", "d", "e", NULL };

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		BAD(ENOTSUP, nestbox_plan_option(plan, refused[i], "3", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "no-such-option", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "--tmpfs", "/a", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, NULL, NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "tmpfs", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "tmpfs", "/a", "/b", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "bind", "/a", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "overlay", "a", "b", "c", "d", "e", "f", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "net", "/a", NULL));
	BAD(EINVAL, nestbox_plan_option_list(plan, "net", NULL));
	BAD(EINVAL, nestbox_plan_option_list(plan, "overlay", too_many));
	BAD(EINVAL, nestbox_plan_option(plan, "seccomp", "", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "seccomp", "-1", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "seccomp", "+1", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "seccomp", " 1", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "seccomp", "1x", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "seccomp", "2147483648", NULL));
	BAD(EINVAL, nestbox_plan_option(plan, "seccomp", "18446744073709551619", NULL));
	BAD(EINVAL, nestbox_plan_data(plan, "tmpfs", "", 0, NULL));
	BAD(EINVAL, nestbox_plan_data(plan, "ro-bind-data", "", 0, NULL));
	BAD(EINVAL, nestbox_plan_data(plan, "ro-bind-data", NULL, 1, "/a", NULL));
	BAD(EINVAL, nestbox_plan_data(plan, "ro-bind-data", "", 0, "/a", "/b", NULL));
	BAD(ENOMEM, nestbox_plan_data(plan, "ro-bind-data", "", SIZE_MAX, "/a", NULL));
}

static void bad_values(void)
{
	BAD(EINVAL, nestbox_plan_grant(plan, 0, "/a"));
	BAD(EINVAL, nestbox_plan_grant(plan, NESTBOX_TRY, "/a"));
	BAD(EINVAL, nestbox_plan_grant(plan, NESTBOX_READ | 16, "/a"));
	BAD(EINVAL, nestbox_plan_grant(plan, NESTBOX_READ, NULL));
	BAD(EINVAL, nestbox_plan_keep_env(plan, NULL));
	BAD(EINVAL, nestbox_plan_set_env(plan, "A", NULL));
	BAD(EINVAL, nestbox_plan_set_env(plan, NULL, "a"));
	BAD(EINVAL, nestbox_plan_unset_env(plan, NULL));
	BAD(EINVAL, nestbox_plan_hostname(plan, NULL));
	BAD(EINVAL, nestbox_plan_chdir(plan, NULL));
	BAD(EINVAL, nestbox_plan_argv0(plan, NULL));
	BAD(EINVAL, nestbox_plan_filter(plan, NULL));
	BAD(EINVAL, nestbox_plan_limit(plan, NULL, 0, 0));
	BAD(EINVAL, nestbox_plan_timeout(plan, 0));
	BAD(EINVAL, nestbox_plan_program(plan, NULL));
	BAD(EINVAL, nestbox_plan_program(plan, ""));
	BAD(EINVAL, nestbox_plan_stdio(plan, 3, NESTBOX_NULL, -1));
	BAD(EINVAL, nestbox_plan_stdio(plan, -1, NESTBOX_NULL, -1));
	BAD(EINVAL, nestbox_plan_stdio(plan, 0, (enum nestbox_stdio)17, -1));
	BAD(EINVAL, nestbox_plan_stdio(plan, 1, NESTBOX_FD, -1));
	BAD(EINVAL, nestbox_plan_stdio(plan, 1, NESTBOX_STDOUT, -1));
	BAD(EINVAL, nestbox_plan_fd(plan, 2, 5));
	BAD(EINVAL, nestbox_plan_fd(plan, -1, 5));
	BAD(EINVAL, nestbox_plan_fd(plan, 5, -1));
	BAD(EEXIST, nestbox_plan_fd(plan, 5, 1) == 0 ? nestbox_plan_fd(plan, 5, 2) : 0);
}

static void bad_spawns(void)
{
	struct nestbox_plan *plan = small_plan();
	struct nestbox_error error;
	struct nestbox_box *box;
	char *nothing[] = { NULL }, *argv[] = { (char *)(uintptr_t) "/x", NULL };

	CHECK(nestbox_spawn(NULL, argv, &box, &error) == -EINVAL && box == NULL);
	CHECK(nestbox_spawn(plan, NULL, &box, &error) == -EINVAL && box == NULL);
	CHECK(nestbox_spawn(plan, nothing, &box, &error) == -EINVAL && box == NULL);
	CHECK(nestbox_spawn(plan, argv, NULL, &error) == -EINVAL);
	CHECK(error.error == EINVAL && strcmp(error.message, "spawn: box: is missing") == 0);
	CHECK(nestbox_plan_program(plan, "/no/such/program") == 0);
	CHECK(nestbox_spawn(plan, argv, &box, &error) == -ENOENT && box == NULL);
	CHECK(strcmp(error.message, "exec: /no/such/program: No such file or directory") == 0);
	nestbox_plan_free(plan);

	plan = small_plan();
	CHECK(nestbox_plan_fd(plan, 5, 999) == 0);
	CHECK(nestbox_spawn(plan, argv, &box, &error) == -EBADF && box == NULL);
	CHECK(strcmp(error.step, "descriptors") == 0);
	nestbox_plan_free(plan);
	/* None of these is left as a child. */
	CHECK(waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD);
}

static void without_objects(void)
{
	struct nestbox_event event;
	struct nestbox_error error;

	CHECK(nestbox_plan_error(NULL, &error) == -EINVAL && error.error == EINVAL);
	CHECK(nestbox_plan_option(NULL, "net", NULL) == -EINVAL);
	CHECK(nestbox_plan_data(NULL, "file", "", 0, "/a", NULL) == -EINVAL);
	CHECK(nestbox_plan_grant(NULL, NESTBOX_READ, "/") == -EINVAL);
	CHECK(nestbox_plan_grant(NULL, 0, "/") == -EINVAL);
	CHECK(nestbox_plan_ids(NULL, 1, 1) == -EINVAL);
	CHECK(nestbox_plan_stdio(NULL, 0, NESTBOX_NULL, -1) == -EINVAL);
	CHECK(nestbox_plan_fd(NULL, 3, 3) == -EINVAL);
	CHECK(nestbox_plan_program(NULL, "/a") == -EINVAL);
	CHECK(nestbox_next_event(NULL, &event) == -EINVAL);
	CHECK(nestbox_wait(NULL, &event) == -EINVAL);
	CHECK(nestbox_try_wait(NULL, &event) == -EINVAL);
	CHECK(nestbox_kill(NULL, SIGKILL) == -EINVAL);
	CHECK(nestbox_pidfd(NULL) == -1 && nestbox_status_fd(NULL) == -1);
	CHECK(nestbox_stdio_fd(NULL, 0) == -1 && nestbox_take_stdio_fd(NULL, 0) == -1);
	CHECK(nestbox_event_json(NULL)[0] == '\0');
	nestbox_free(NULL);
	nestbox_plan_free(NULL);
}

/* errors: all bad use, each refused with its own number. */
static int cmd_errors(char **argv)
{
	(void)argv;
	bad_options();
	bad_values();
	bad_spawns();
	without_objects();
	CHECK(strcmp(nestbox_version(), NESTBOX_VERSION) == 0);
	printf("all refused\n");
	return 0;
}

/* ---- descriptors ---- */

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Starts a box which has the files that ORDER names, one letter each, as 0, 1, 2, 3 ..., and checks what
 * it says of them. Here the file of letter c is descriptor BASE + c - 'a'. */
static void check_order(const char *order, int base)
{
	struct nestbox_plan *plan = small_plan();
	char program[PATH_MAX], *argv[] = { program, (char *)(uintptr_t) "9", NULL };
	char seen[32] = "", wanted[32] = "-------------------";
	struct nestbox_event end;
	struct nestbox_box *box;
	int ends[2];

	snprintf(program, sizeof(program), "%s/letters", from_environment("NB_BIN"));
	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	for (int i = 0; order[i] != '\0'; i++) {
		int fd = base + order[i] - 'a';

		CHECK((i <= 2 ? nestbox_plan_stdio(plan, i, NESTBOX_FD, fd)
			      : nestbox_plan_fd(plan, i, fd)) == 0);
		wanted[i] = order[i];
	}
	CHECK(nestbox_plan_fd(plan, 9, ends[1]) == 0);
	box = spawn(plan, argv);
	nestbox_plan_free(plan);
	close(ends[1]);
	CHECK(nestbox_wait(box, &end) == 0 && end.kind == NESTBOX_EXITED && end.code == 0);
	CHECK(read(ends[0], seen, sizeof(seen) - 1) > 0);
	close(ends[0]);
	nestbox_free(box);
	if (strcmp(seen, wanted) != 0) {
		fprintf(stderr, "base %d, order %s: %s\n", base, order, seen);
		exit(99);
	}
}

static void each_order(char *order, size_t from, int base)
{
	size_t length = strlen(order);

	if (from == length)
		check_order(order, base);
	for (size_t i = from; i < length; i++) {
		char letter = order[from];

		order[from] = order[i];
		order[i] = letter;
		each_order(order, from + 1, base);
		order[i] = order[from];
		order[from] = letter;
	}
}

/* permute BASE LETTERS: files at BASE and the following numbers reach the box in every order. */
static int cmd_permute(char **argv)
{
	int base = atoi(argv[0]), before;
	char order[16];

	/* Out of the way of the numbers that are played with. */
	CHECK(dup2(1, 40) == 40 && fcntl(40, F_SETFD, FD_CLOEXEC) == 0);
	strcpy(order, argv[1]);
	for (int i = 0; order[i] != '\0'; i++) {
		int fd = (int)syscall(SYS_memfd_create, "letter", 1);

		CHECK(fd >= 0 && write(fd, order + i, 1) == 1);
		if (fd != base + i) {
			CHECK(dup3(fd, base + i, O_CLOEXEC) == base + i);
			close(fd);
		}
	}
	before = count_descriptors();
	each_order(order, 0, base);
	CHECK(count_descriptors() == before);
	dprintf(40, "all orders\n");
	return 0;
}

/* With 0 to 2 closed, or open and not close-on-exec. */
static void check_flags(int standard, int out)
{
	struct nestbox_plan *plan = small_plan();
	struct nestbox_event end;
	struct nestbox_box *box;

	for (int which = 0; which <= 2; which++)
		nestbox_plan_stdio(plan, which, NESTBOX_PIPE, -1);
	nestbox_plan_data(plan, "ro-bind-data", "x", 1, "/x", NULL);
	box = spawn_probe(plan, "exit", "7");
	for (int fd = 0; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFD), wanted = fd <= 2 ? standard : FD_CLOEXEC;

		if (flags != wanted && (fd <= 2 || flags >= 0)) {
			dprintf(out, "descriptor %d: flags %d\n", fd, flags);
			exit(99);
		}
	}
	CHECK(nestbox_wait(box, &end) == 0 && end.code == 7);
	nestbox_free(box);
	nestbox_plan_free(plan);
}

/* flags: every descriptor that the library has is close-on-exec and above 2, also if 0 to 2 are free. */
static int cmd_flags(char **argv)
{
	int out = dup(1);

	(void)argv;
	CHECK(out > 2 && fcntl(out, F_SETFD, FD_CLOEXEC) == 0);
	for (int fd = 0; fd < 64; fd++)
		if (fd != out)
			close(fd);
	check_flags(-1, out);
	for (int fd = 0; fd <= 2; fd++)
		CHECK(open("/dev/null", O_RDWR) == fd);
	check_flags(0, out);
	dprintf(out, "all are\n");
	return 0;
}

/* full: a table of descriptors that is full, or nearly so. The errors are clear, and nothing stays. */
static int cmd_full(char **argv)
{
	struct nestbox_plan *plan = small_plan();
	struct rlimit limit = { 64, 64 };
	int before = count_descriptors(), failures = 0, started = 0;
	char *probe[] = { from_environment("PROBE"), (char *)(uintptr_t) "exit",
			  (char *)(uintptr_t) "0", NULL };

	(void)argv;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int which = 0; which <= 1; which++)
		nestbox_plan_stdio(plan, which, NESTBOX_PIPE, -1);
	for (int left = 0; left < 24; left++) {
		struct nestbox_error error;
		struct nestbox_event end;
		struct nestbox_box *box;
		int filler[64], count = 0, status;

		while (count < 64 - before - left && (filler[count] = dup(0)) >= 0)
			count++;
		status = nestbox_spawn(plan, probe, &box, &error);
		for (int i = 0; i < count; i++)
			close(filler[i]);
		if (status != 0) {
			CHECK(status == -EMFILE && box == NULL);
			failures++;
		} else {
			CHECK(nestbox_wait(box, &end) == 0 && end.kind == NESTBOX_EXITED);
			nestbox_free(box);
			started++;
		}
		CHECK(count_descriptors() == before);
		CHECK(waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD);
	}
	CHECK(failures > 5 && started > 5);
	nestbox_plan_free(plan);
	printf("all clear\n");
	return 0;
}

/* ---- threads ---- */

struct job {
	const struct nestbox_plan *plan;
	int count, done;
};

static void *start_many(void *argument)
{
	struct job *job = argument;

	for (int i = 0; i < job->count; i++) {
		char code[8];
		struct nestbox_box *box;
		struct nestbox_event end;

		snprintf(code, sizeof(code), "%d", i % 100);
		box = spawn_probe(job->plan, "exit", code);
		CHECK(nestbox_wait(box, &end) == 0);
		if (end.kind != NESTBOX_EXITED || end.code != i % 100)
			print_event(&end);
		job->done += end.kind == NESTBOX_EXITED && end.code == i % 100;
		nestbox_free(box);
	}
	return NULL;
}

/* threads THREADS TOTAL: boxes of one plan. */
static int cmd_threads(char **argv)
{
	int threads = atoi(argv[0]), total = atoi(argv[1]), done = 0, before;
	struct nestbox_plan *plan = small_plan();
	struct job jobs[64];
	pthread_t ids[64];

	nestbox_plan_stdio(plan, 0, NESTBOX_NULL, -1);
	nestbox_plan_stdio(plan, 1, NESTBOX_PIPE, -1);
	before = count_descriptors();
	for (int i = 0; i < threads; i++) {
		jobs[i] = (struct job){ .plan = plan, .count = total / threads };
		CHECK(pthread_create(&ids[i], NULL, start_many, &jobs[i]) == 0);
	}
	for (int i = 0; i < threads; i++) {
		CHECK(pthread_join(ids[i], NULL) == 0);
		done += jobs[i].done;
	}
	printf("%d of %d ended as they should\n", done, total / threads * threads);
	printf("descriptors: %+d\n", count_descriptors() - before);
	printf("children: %s\n",
	       waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD ? "none" : "some");
	nestbox_plan_free(plan);
	return 0;
}

static volatile int enough, reaped;

static void *wait_for_any(void *argument)
{
	(void)argument;
	while (!enough) {
		if (waitpid(-1, NULL, 0) > 0)
			__atomic_add_fetch(&reaped, 1, __ATOMIC_SEQ_CST);
		else
			sched_yield();
	}
	return NULL;
}

/* reaper: another thread waits for any child, so that the launchers' statuses are gone. */
static int cmd_reaper(char **argv)
{
	struct nestbox_plan *plan = small_plan();
	struct nestbox_event end;
	struct nestbox_box *box;
	int right = 0;
	pthread_t thread;

	(void)argv;
	nestbox_plan_stdio(plan, 1, NESTBOX_NULL, -1);
	CHECK(pthread_create(&thread, NULL, wait_for_any, NULL) == 0);
	for (int i = 0; i < 60; i++) {
		box = spawn_probe(plan, i % 3 == 1 ? "die" : i % 3 ? "stubborn" : "exit", "9");
		if (i % 3 == 2)
			CHECK(nestbox_kill(box, SIGKILL) == 0);
		while (__atomic_load_n(&reaped, __ATOMIC_SEQ_CST) <= i)
			sched_yield();
		CHECK(nestbox_wait(box, &end) == 0);
		right += i % 3 ? end.kind == NESTBOX_SIGNALLED && end.signal == SIGKILL
			       : end.kind == NESTBOX_EXITED && end.code == 9;
		nestbox_free(box);
	}
	enough = 1;
	pthread_join(thread, NULL);
	nestbox_plan_free(plan);
	printf("%d right, though others were faster\n", right);
	return 0;
}

/* ignored: SIGCHLD is, so that the kernel reaps. */
static int cmd_ignored(char **argv)
{
	struct nestbox_plan *plan = small_plan();
	struct nestbox_event end;
	struct nestbox_box *box;

	(void)argv;
	signal(SIGCHLD, SIG_IGN);
	box = spawn_probe(plan, "exit", "7");
	CHECK(nestbox_wait(box, &end) == 0);
	print_event(&end);
	nestbox_free(box);
	nestbox_plan_stdio(plan, 1, NESTBOX_NULL, -1);
	box = spawn_probe(plan, "hold", NULL);
	CHECK(nestbox_kill(box, SIGKILL) == 0);
	CHECK(nestbox_wait(box, &end) == 0);
	print_event(&end);
	nestbox_free(box);
	nestbox_plan_free(plan);
	return 0;
}

struct handed {
	const struct nestbox_plan *plan;
	struct nestbox_box *box;
};

static void *start_one(void *argument)
{
	struct handed *handed = argument;

	handed->box = spawn_probe(handed->plan, "report", "15");
	return NULL;
}

/* thread: the thread that started a box ends; the box lives, and hears signals. */
static int cmd_thread(char **argv)
{
	struct handed handed = { small_plan(), NULL };
	struct nestbox_event event;
	char line[16] = "";
	pthread_t thread;
	int out;

	(void)argv;
	nestbox_plan_stdio((struct nestbox_plan *)(uintptr_t)handed.plan, 1, NESTBOX_PIPE, -1);
	CHECK(pthread_create(&thread, NULL, start_one, &handed) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	out = nestbox_stdio_fd(handed.box, 1);
	CHECK(read(out, line, sizeof(line)) == 6 && memcmp(line, "ready\n", 6) == 0);
	CHECK(nestbox_try_wait(handed.box, &event) == 0);
	CHECK(nestbox_kill(handed.box, SIGTERM) == 0);
	CHECK(read(out, line, sizeof(line)) == 7 && memcmp(line, "got 15\n", 7) == 0);
	CHECK(nestbox_wait(handed.box, &event) == 0);
	print_event(&event);
	nestbox_free(handed.box);
	nestbox_plan_free((struct nestbox_plan *)(uintptr_t)handed.plan);
	return 0;
}

/* ---- ends ---- */

/* ends: what each call says before and after the end, in any order. */
static int cmd_ends(char **argv)
{
	struct nestbox_plan *plan = small_plan();
	struct nestbox_event event, again;
	struct nestbox_box *box;
	struct pollfd pidfd = { .events = POLLIN };

	(void)argv;
	nestbox_plan_stdio(plan, 1, NESTBOX_NULL, -1);
	box = spawn_probe(plan, "hold", NULL);
	pidfd.fd = nestbox_pidfd(box);
	CHECK(nestbox_try_wait(box, &event) == 0);
	CHECK(nestbox_kill(box, 0) == 0 && nestbox_kill(box, 4711) == -EINVAL);
	CHECK(poll(&pidfd, 1, 0) == 0);
	CHECK(nestbox_kill(box, SIGKILL) == 0);
	CHECK(poll(&pidfd, 1, 60000) == 1);
	CHECK(nestbox_try_wait(box, &event) == 1);
	CHECK(event.kind == NESTBOX_SIGNALLED && event.signal == SIGKILL);
	CHECK(nestbox_kill(box, SIGTERM) == -ESRCH);
	CHECK(nestbox_wait(box, NULL) == 0 && nestbox_wait(box, &again) == 0);
	CHECK(again.kind == event.kind && again.signal == event.signal);
	CHECK(nestbox_next_event(box, &again) == 1 && again.kind == NESTBOX_SIGNALLED);
	CHECK(nestbox_next_event(box, &again) == -ENODATA);
	CHECK(nestbox_next_event(box, NULL) == -EINVAL);
	CHECK(nestbox_stdio_fd(box, 0) == -1 && nestbox_stdio_fd(box, 3) == -1);
	nestbox_free(box);

	box = spawn_probe(plan, "exit", "3");
	event = follow(box, 0);
	CHECK(event.kind == NESTBOX_EXITED && event.code == 3);
	CHECK(strcmp(nestbox_event_json(box), "{\"event\":\"exit\",\"code\":3}") == 0);
	CHECK(nestbox_wait(box, &again) == 0 && again.code == 3);
	nestbox_free(box);

	/* A box that is freed while it runs is gone. */
	nestbox_free(spawn_probe(plan, "stubborn", NULL));
	CHECK(waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD);
	nestbox_plan_free(plan);
	printf("all so\n");
	return 0;
}

static void ignore(int signal)
{
	(void)signal;
}

/* interrupted: signals without SA_RESTART arrive all the time while we wait. */
static int cmd_interrupted(char **argv)
{
	const struct sigaction action = { .sa_handler = ignore };
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	struct nestbox_plan *plan = small_plan();
	struct nestbox_event end;

	(void)argv;
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	nestbox_plan_timeout(plan, 200);
	nestbox_plan_stdio(plan, 1, NESTBOX_NULL, -1);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 3; i++) {
		struct nestbox_box *box = spawn_probe(plan, "hold", NULL);

		CHECK(nestbox_wait(box, &end) == 0);
		print_event(&end);
		nestbox_free(box);
	}
	nestbox_plan_free(plan);
	return 0;
}

/* stay: starts a box that ends with us alone. */
static int cmd_stay(char **argv)
{
	struct nestbox_plan *plan = small_plan();
	struct nestbox_box *box = spawn_probe(plan, "stubborn", NULL);

	(void)argv;
	nestbox_plan_free(plan);
	return nestbox_wait(box, NULL);
}

/* environment: much of it, kept and set. */
static int cmd_environment(char **argv)
{
	static char value[100001];
	struct nestbox_plan *plan = small_plan();
	struct nestbox_error error;
	struct nestbox_event end;
	struct nestbox_box *box;
	char name[16],
		*probe[] = { from_environment("PROBE"), (char *)(uintptr_t) "envsize", NULL };

	(void)argv;
	memset(value, 'v', sizeof(value) - 1);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "SET%d", i);
		CHECK(nestbox_plan_set_env(plan, name, value) == 0);
		snprintf(name, sizeof(name), "KEEP%d", i);
		CHECK(setenv(name, value, 1) == 0 && nestbox_plan_keep_env(plan, name) == 0);
	}
	CHECK(nestbox_plan_unset_env(plan, "PATH") == 0);
	box = spawn(plan, probe);
	CHECK(nestbox_wait(box, &end) == 0);
	print_event(&end);
	nestbox_free(box);
	/* More than an exec takes is an error, of the spawn or of the box. */
	for (int i = 8; i < 64; i++) {
		snprintf(name, sizeof(name), "SET%d", i);
		CHECK(nestbox_plan_set_env(plan, name, value) == 0);
	}
	box = spawn(plan, probe);
	CHECK(nestbox_wait(box, &end) == 0);
	printf("failed: %s: %d\n", end.error.step, end.error.error == E2BIG);
	nestbox_free(box);
	for (int i = 8; i < 64; i++) {
		snprintf(name, sizeof(name), "KEEP%d", i);
		CHECK(setenv(name, value, 1) == 0);
	}
	CHECK(nestbox_spawn(plan, probe, &box, &error) == -E2BIG && box == NULL);
	printf("spawn: %s\n", error.step);
	nestbox_plan_free(plan);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(char **argv);
} commands[] = {
	{ "run", cmd_run },
	{ "errors", cmd_errors },
	{ "permute", cmd_permute },
	{ "flags", cmd_flags },
	{ "full", cmd_full },
	{ "threads", cmd_threads },
	{ "reaper", cmd_reaper },
	{ "ignored", cmd_ignored },
	{ "thread", cmd_thread },
	{ "ends", cmd_ends },
	{ "interrupted", cmd_interrupted },
	{ "stay", cmd_stay },
	{ "environment", cmd_environment },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].run(argv + 2);
	fprintf(stderr, "host: no such command\n");
	return 99;
}
