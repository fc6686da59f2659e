/* SPDX-License-Identifier: MIT */
/* Names that lead into a directory and mean another: a child asks, and a listener finds out. */
#include <sched.h>
#include <sys/mman.h>

#include "tests/unit/standin_room.h"

#define ASKED SYS_lookup_dcookie

static const struct sock_filter program[] = {
	{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
	{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, ASKED },
	{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF },
	{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
};
static const struct sock_fprog asks = { COUNT(program), (struct sock_filter *)(uintptr_t)program };

/* ---- where a path leads ---- */

struct answered {
	int error, crossed, exists;
	uint64_t inode;
	char text[PATH_MAX]; /* "": none was found */
};

/* (path, dirfd, last, struct answered *) */
static struct notify_answer find(const struct notify_call *call, void *context)
{
	const int *fds = context;
	struct answered found = { 0 };
	struct stat stat;
	struct standin_place place;
	char path[PATH_MAX];
	int fd, error = target_read_path(call, call->arguments[0], path);

	if (error < 0)
		return notify_return(error);
	found.error = standin_find(call, &standin, *fds, notify_int(call->arguments[1]), path,
				   (enum walk_last)call->arguments[2], &place);
	found.crossed = place.crossed;
	if (found.error == 0) {
		error = standin_text(*fds, &place, found.text);
		fd = standin_reach(&place);
		found.exists = fd >= 0;
		if (fd < 0)
			found.error = fd;
		else if (fstat(fd, &stat) == 0)
			found.inode = stat.st_ino;
		if (fd >= 0)
			close(fd);
	}
	standin_close(&place);
	if (error == 0)
		error = target_write(call, call->arguments[3], &found, sizeof(found));
	return notify_return(error);
}

static const struct {
	const char *cwd, *path;
	enum walk_last last;
	int crossed, error;
	const char *text; /* where it is crossed, or the name is special */
} cases[] = {
	/* In the tree nothing is to be done. */
	{ "@/store/tree", "file", WALK_FOLLOW, 0, 0, "@/store/tree/file" },
	{ "@/store/tree", "sub/file", WALK_FOLLOW, 0, 0, "@/store/tree/sub/file" },
	{ "@/store/tree", "sub/..", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree/sub", "../file", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree/sub", "../infile", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree", "in/file", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree", ".", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree", "dot/file", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree", "sub/new", WALK_NAME, 0, -ENOENT, "@/store/tree/sub/new" },
	{ "@/store/tree", "loop", WALK_STAY, 0, 0, "@/store/tree/loop" },
	{ "@/store/tree", "loop", WALK_FOLLOW, 0, -ELOOP, NULL },
	{ "@/store/tree", "abs", WALK_STAY, 0, 0, "@/store/tree/abs" },
	{ "@/store/tree", "", WALK_FOLLOW, 0, -ENOENT, NULL },
	{ "@/store/tree", "nothing/x", WALK_FOLLOW, 0, -ENOENT, NULL },
	{ "@/store/tree", "file/x", WALK_FOLLOW, 0, -ENOTDIR, NULL },
	{ "@/store/tree", "/", WALK_FOLLOW, 0, 0, "/" },
	{ "@/store/tree", "/..", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree", "/etc/passwd", WALK_FOLLOW, 0, 0, "/etc/passwd" },
	{ "@/store/tree", "/proc/self/cwd", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree", "cwd/file", WALK_FOLLOW, 0, 0, NULL },
	{ "@/store/tree", "@/store/tree/file", WALK_FOLLOW, 0, 0, NULL },

	/* Absolute ones into the directory, which may not have what the tree has. */
	{ "/", "@/home/proj", WALK_FOLLOW, 1, 0, "@/store/tree" },
	{ "/", "@/home/proj/", WALK_FOLLOW, 1, 0, "@/store/tree/" },
	{ "/", "@/home/proj/.", WALK_FOLLOW, 1, 0, "@/store/tree/." },
	{ "/", "@/home/proj/..", WALK_FOLLOW, 1, 0, "@/home/proj/.." },
	{ "/", "@/home/proj/sub/..", WALK_FOLLOW, 1, 0, "@/store/tree/sub/.." },
	{ "/", "@/home/proj/sub/deep/", WALK_FOLLOW, 1, 0, "@/store/tree/sub/deep/" },
	{ "/", "//@/home//proj//file", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
	{ "/", "@/home/proj/../other/file", WALK_FOLLOW, 1, 0, "@/home/other/file" },
	{ "/", "@/home/proj/file/", WALK_FOLLOW, 1, -ENOTDIR, "@/store/tree/file/" },
	{ "/", "@/home/proj/new", WALK_NAME, 1, -ENOENT, "@/store/tree/new" },
	{ "/", "@/home/proj/new/", WALK_NAME, 1, -ENOENT, "@/store/tree/new/" },
	{ "/", "@/home/proj/new/x", WALK_NAME, 1, -ENOENT, NULL },
	{ "/", "@/home/proj/file/x", WALK_NAME, 1, -ENOTDIR, NULL },
	{ "/", "@/home/proj/infile", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
	{ "/", "@/home/proj/infile", WALK_STAY, 1, 0, "@/store/tree/infile" },
	{ "/", "@/home/proj/in", WALK_STAY, 1, 0, "@/store/tree/in" },
	{ "/", "@/home/proj/in/", WALK_STAY, 1, 0, "@/store/tree/sub/" },
	{ "/", "@/home/proj/in/", WALK_NAME, 1, -ENOTDIR, "@/store/tree/in/" },
	{ "/", "@/home/proj/loop", WALK_FOLLOW, 1, -ELOOP, NULL },
	{ "/", "@/home/proj/ping", WALK_FOLLOW, 1, -ELOOP, NULL },
	{ "/", "@/home/proj/dangling", WALK_FOLLOW, 1, -ENOENT, "@/store/tree/nothing" },
	{ "/", "@/home/proj/root", WALK_FOLLOW, 1, 0, "/" },
	{ "/", "@/home/proj/root/etc", WALK_FOLLOW, 1, 0, "/etc" },
	{ "/", "@/home/proj/dots", WALK_FOLLOW, 1, 0, "@/home/proj/.." },
	{ "/", "@/home/proj/dot", WALK_FOLLOW, 1, 0, "@/store/tree/." },

	/* From outside. */
	{ "@/home", "proj", WALK_FOLLOW, 1, 0, "@/store/tree" },
	{ "@/home", "proj", WALK_NAME, 1, 0, "@/store/tree" },
	{ "@/home", "./proj/file", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
	{ "@/home", "other/file", WALK_FOLLOW, 0, 0, "@/home/other/file" },
	{ "@/home", "other/../proj/sub", WALK_FOLLOW, 1, 0, "@/store/tree/sub" },
	{ "@/home", "into", WALK_FOLLOW, 1, 0, "@/store/tree" },
	{ "@/home", "into", WALK_STAY, 0, 0, "@/home/into" },
	{ "@/home", "into/", WALK_STAY, 1, 0, "@/store/tree/" },
	{ "@/home", "into/", WALK_NAME, 0, -ENOTDIR, "@/home/into/" },
	{ "@/home", "into/file", WALK_STAY, 1, 0, "@/store/tree/file" },
	{ "@/home", "chain/absfile", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
	{ "@/home", "slash", WALK_FOLLOW, 1, 0, "@/store/tree/" },
	{ "@/home", "slash/new", WALK_FOLLOW, 1, -ENOENT, "@/store/tree/new" },
	{ "@/home", "intofile", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
	{ "@/home", "intonothing", WALK_FOLLOW, 1, -ENOENT, "@/store/tree/nothing" },
	{ "@/home/other", "side/sub", WALK_FOLLOW, 1, 0, "@/store/tree/sub" },
	{ "@/home/other", "../proj/..", WALK_FOLLOW, 1, 0, "@/home/proj/.." },

	/* Out of the tree, and back. */
	{ "@/store/tree", "..", WALK_FOLLOW, 1, 0, "@/home/proj/.." },
	{ "@/store/tree", "../", WALK_FOLLOW, 1, 0, "@/home/proj/../" },
	{ "@/store/tree", "../other/file", WALK_FOLLOW, 1, 0, "@/home/other/file" },
	{ "@/store/tree", "../new", WALK_NAME, 1, -ENOENT, "@/home/new" },
	{ "@/store/tree", "../proj/file", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
	{ "@/store/tree", "../proj", WALK_FOLLOW, 1, 0, "@/store/tree" },
	{ "@/store/tree/sub", "../../proj/new", WALK_NAME, 1, -ENOENT, "@/store/tree/new" },
	{ "@/store/tree/sub", "../..", WALK_FOLLOW, 1, 0, "@/home/proj/.." },
	{ "@/store/tree/sub", "back", WALK_FOLLOW, 1, 0, "@/home/proj/.." },
	{ "@/store/tree/sub", "back/other", WALK_FOLLOW, 1, 0, "@/home/other" },
	{ "@/store/tree", "up/file", WALK_FOLLOW, 1, 0, "@/home/other/file" },
	{ "@/store/tree", "up", WALK_FOLLOW, 1, 0, "@/home/other" },
	{ "@/store/tree", "round/file", WALK_FOLLOW, 1, 0, "@/store/tree/sub/file" },
	{ "@/store/tree", "abs/file", WALK_FOLLOW, 1, 0, "@/store/tree/sub/file" },
	{ "@/store/tree", "top", WALK_FOLLOW, 1, 0, "@/store/tree" },
	{ "@/store/tree", "dangleout", WALK_FOLLOW, 1, -ENOENT, "@/home/nothing" },
	{ "@/store/tree", "../../../..", WALK_FOLLOW, 1, 0, NULL },
	{ "@/store/tree", "/proc/self/cwd/..", WALK_FOLLOW, 1, 0, "@/home/proj/.." },
	{ "@/store/tree", "/proc/self/cwd/../proj", WALK_FOLLOW, 1, 0, "@/store/tree" },
	{ "@/store/tree", "cwd/../other", WALK_FOLLOW, 1, 0, "@/home/other" },

	/* Somebody who has the directory itself open. */
	{ "@/home/proj", "file", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
	{ "@/home/proj", ".", WALK_FOLLOW, 1, 0, "@/store/tree/." },
	{ "@/home/proj/sub", "..", WALK_FOLLOW, 1, 0, "@/store/tree/." },
	{ "@/home/proj/sub", "../file", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
	{ "@/home/proj", "/proc/self/cwd", WALK_FOLLOW, 1, 0, "@/store/tree" },
	{ "@/home/proj", "/proc/self/cwd/file", WALK_FOLLOW, 1, 0, "@/store/tree/file" },
};

static int differs(size_t i)
{
	char cwd[PATH_MAX], path[PATH_MAX], text[PATH_MAX] = "";
	static struct answered found;
	long error;

	if (chdir(expand(cwd, cases[i].cwd)) != 0)
		return 1;
	memset(&found, 0, sizeof(found));
	error = syscall(ASKED, expand(path, cases[i].path), (long)AT_FDCWD, (long)cases[i].last,
			&found);
	if (cases[i].text != NULL)
		expand(text, cases[i].text);
	if (error == 0 && found.error == cases[i].error && found.crossed == cases[i].crossed &&
	    (cases[i].text == NULL || strcmp(found.text, text) == 0))
		return 0;
	dprintf(2, "# %s: %s (%d): error %d, crossed %d, \"%s\"; not %d, %d, \"%s\"\n",
		cases[i].cwd, path, (int)cases[i].last, error < 0 ? errno : found.error,
		found.crossed, found.text, cases[i].error, cases[i].crossed, text);
	return 1;
}

static int ask_cases(void)
{
	int bad = 0;

	for (size_t i = 0; i < COUNT(cases); i++)
		bad += differs(i);
	return bad > 100 ? 100 : bad;
}

static void places(void **state)
{
	const struct notify_row rows[] = { { ASKED, find } };
	int fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct notify_table table = { rows, 1, &fds };
	struct notify notify = { .tables = &table, .table_count = 1 };

	(void)state;
	assert_int_equal(run(ask_cases, &asks, &notify), 0);
	notify.openat2 = true;
	assert_int_equal(run(ask_cases, &asks, &notify), 0);
	close(fds);
}

/* The store may be in the directory itself. Then its tree has two names. */
static int ask_nested(void)
{
	static const char *const paths[][2] = {
		{ "@/home/proj/file", "@/store/tree/home/proj/file" },
		{ "@/store/tree/file", "@/store/tree/file" },
		{ "@/store/tree/sub/../in", "@/store/tree/sub" },
		{ "@/store/tree", "@/store/tree" },
		{ "@/store/nothing", "@/store/tree/store/nothing" },
	};
	char path[PATH_MAX], text[PATH_MAX];
	static struct answered found;
	int bad = 0;

	for (size_t i = 0; i < COUNT(paths); i++) {
		if (syscall(ASKED, expand(path, paths[i][0]), (long)AT_FDCWD, (long)WALK_FOLLOW,
			    &found) == 0 &&
		    (found.error != 0 || strcmp(found.text, expand(text, paths[i][1])) == 0) &&
		    found.crossed == (strncmp(paths[i][0], "@/store/tree", 12) != 0))
			continue;
		dprintf(2, "# %s: %d \"%s\"\n", paths[i][0], found.error, found.text);
		bad++;
	}
	return bad;
}

static void nested(void **state)
{
	const struct notify_row rows[] = { { ASKED, find } };
	int fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int top = open(room, O_PATH | O_CLOEXEC);
	const struct notify_table table = { rows, 1, &fds };
	struct notify notify = { .tables = &table, .table_count = 1 };
	struct standin before = standin;

	(void)state;
	must(standin_open(&standin.lower, top, room));
	assert_int_equal(run(ask_nested, &asks, &notify), 0);
	notify.openat2 = true;
	assert_int_equal(run(ask_nested, &asks, &notify), 0);
	standin = before;
	close(top);
	close(fds);
}

/* ---- the same as a mount of the tree over the directory ---- */

#define STEPS 4000

struct outcome {
	int error;
	uint64_t inode;
};

static struct outcome *outcomes;

/* A path of words, and where it starts: the same for everybody. */
static const char *invent(char path[PATH_MAX], unsigned int step, int *where, int *follow)
{
	static const char *const words[] = {
		"..",      "..",     "..",       ".",        "",        "proj", "proj",
		"sub",     "deep",   "file",     "home",     "other",   "abs",  "top",
		"up",      "round",  "in",       "dot",      "dots",    "root", "ping",
		"loop",    "into",   "chain",    "slash",    "side",    "back", "cwd",
		"absfile", "infile", "intofile", "dangling", "nothing",
	};
	unsigned int seed = step * 7919 + 1;
	char *end = path;
	int count = 1 + rand_r(&seed) % 6;

	*where = rand_r(&seed) % 4;
	*follow = rand_r(&seed) % 2;
	if (rand_r(&seed) % 3 == 0)
		end = stpcpy(stpcpy(end, room), rand_r(&seed) % 2 ? "/home/proj/" : "/home/");
	for (int i = 0; i < count; i++) {
		end = stpcpy(end, words[(size_t)rand_r(&seed) % COUNT(words)]);
		if (i + 1 < count || rand_r(&seed) % 4 == 0)
			end = stpcpy(end, "/");
	}
	return path;
}

static int enter(int where, const char *top)
{
	char path[PATH_MAX];

	if (where == 0)
		return chdir(top);
	if (where == 1)
		snprintf(path, sizeof(path), "%s/sub/deep", top);
	else
		snprintf(path, sizeof(path), "%s%s", home, where == 2 ? "" : "/other");
	return chdir(path);
}

/* Returns 77 where we may not mount. */
static int ask_kernel(void)
{
	if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
		return 77;
	if (unshare(CLONE_NEWNS) != 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE) != 0 ||
	    sys_mount(store, lower, NULL, MS_BIND) != 0)
		return 77;
	for (unsigned int i = 0; i < STEPS; i++) {
		char path[PATH_MAX];
		int where, follow;
		struct stat stat = { 0 };

		invent(path, i, &where, &follow);
		if (enter(where, lower) != 0)
			return 1;
		if (fstatat(AT_FDCWD, path, &stat, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
			outcomes[i].error = -errno;
		outcomes[i].inode = stat.st_ino;
	}
	return 0;
}

static int ask_us(void)
{
	static struct answered found;
	int bad = 0;

	for (unsigned int i = 0; i < STEPS; i++) {
		char path[PATH_MAX];
		int where, follow;

		invent(path, i, &where, &follow);
		if (enter(where, store) != 0)
			return 101;
		memset(&found, 0, sizeof(found));
		if (syscall(ASKED, path, (long)AT_FDCWD, (long)(follow ? WALK_FOLLOW : WALK_STAY),
			    &found) != 0)
			found.error = -errno;
		if (found.error == outcomes[i].error &&
		    (found.error != 0 || found.inode == outcomes[i].inode))
			continue;
		if (bad++ < 20)
			dprintf(2, "# %d %s (%d): %d \"%s\", the kernel %d\n", where, path, follow,
				found.error, found.text, outcomes[i].error);
	}
	return bad > 100 ? 100 : bad;
}

static void like_a_mount(void **state)
{
	const struct notify_row rows[] = { { ASKED, find } };
	int fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC), status, pid;
	const struct notify_table table = { rows, 1, &fds };
	struct notify notify = { .tables = &table, .table_count = 1 };

	(void)state;
	outcomes = mmap(NULL, STEPS * sizeof(*outcomes), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(outcomes != MAP_FAILED);
	pid = fork();
	if (pid == 0)
		_exit(ask_kernel());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(run(ask_us, &asks, &notify), 0);
	notify.openat2 = true;
	assert_int_equal(run(ask_us, &asks, &notify), 0);
	munmap(outcomes, STEPS * sizeof(*outcomes));
	close(fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(nested),
		cmocka_unit_test(like_a_mount),
	};

	return cmocka_run_group_tests(tests, make_room, remove_room);
}
