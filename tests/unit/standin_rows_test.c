/* SPDX-License-Identifier: MIT */
/* The calls of a child that works in a tree, and the names that it is told. */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "filters/again.h"
#include "filters/attributes.h"
#include "filters/filter.h"
#include "tests/unit/standin_room.h"

/* What was to be made again, "ARGUMENT=TEXT;...", after a list as "TEXT|...COUNT#ARGUMENT;" */
static char *record;

static int repeat(struct again *again, const struct notify_call *call,
		  const struct again_path *paths, size_t count, const struct again_list *list)
{
	struct seccomp_notif_resp response = { .id = call->id, .val = 4242 };
	char *end = record;

	(void)again;
	for (size_t i = 0; list != NULL && i < list->text_count; i++)
		end += sprintf(end, "%s|", list->texts[i]);
	if (list != NULL)
		end += sprintf(end, "%zu#%u;", list->rest_count, list->argument);
	for (size_t i = 0; i < count; i++)
		end += sprintf(end, "%u=%s;", paths[i].argument, paths[i].text);
	return ioctl(call->listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 ? 0 : -errno;
}

static const struct {
	int number;
	const char *arguments[5]; /* a path with "@", or a number */
	const char *again;        /* "": the kernel's own answer; "!" and a number: that error */
} asked_calls[] = {
#define HERE "-100"
#define LINK "@/home/proj/in"
#define STAYS_LINK "@/store/tree/in;"
#define TARGET "@/store/tree/sub;"
	{ SYS_openat, { HERE, "@/home/proj/new", "0" }, "1=@/store/tree/new;" },
	{ SYS_openat, { HERE, LINK, "010400000" /* O_PATH | O_NOFOLLOW */ }, "1=" STAYS_LINK },
	{ SYS_openat, { HERE, LINK, "010000000" }, "1=" TARGET },
	{ SYS_openat, { HERE, "@/home/proj/dangling", "0101" }, "1=@/store/tree/nothing;" },
	{ SYS_openat, { HERE, "@/home/proj/dangling", "0301" }, "1=@/store/tree/dangling;" },
	{ SYS_openat, { HERE, "@/home/proj/file", "0301" }, "1=@/store/tree/file;" },
	{ SYS_openat, { HERE, "@/home/proj/sub", "020200002" /* O_TMPFILE */ }, "1=" TARGET },
	{ SYS_openat, { HERE, "@/home/proj/sub", "0102" }, "1=" TARGET },
	{ SYS_truncate, { LINK, "0" }, "0=" TARGET },
	{ SYS_execve, { "@/home/proj/infile", "0", "0" }, "0=@/store/tree/file;" },
	{ SYS_execveat, { HERE, LINK, "0", "0", "0" }, "1=" TARGET },
	{ SYS_execveat, { HERE, LINK, "0", "0", "0x100" }, "1=" STAYS_LINK },
	{ SYS_readlinkat, { HERE, LINK, "0", "100" }, "1=" STAYS_LINK },
	{ SYS_chdir, { LINK }, "0=" TARGET },
	{ SYS_chroot, { LINK }, "0=" TARGET },
	{ SYS_statfs, { LINK, "0" }, "0=" TARGET },
	{ SYS_statx, { HERE, LINK, "0", "0", "0" }, "1=" TARGET },
	{ SYS_statx, { HERE, LINK, "0x100", "0", "0" }, "1=" STAYS_LINK },
	{ SYS_newfstatat, { HERE, LINK, "0", "0" }, "1=" TARGET },
	{ SYS_newfstatat, { HERE, LINK, "0", "0x100" }, "1=" STAYS_LINK },
	{ SYS_faccessat, { HERE, LINK, "0" }, "1=" TARGET },
	{ SYS_faccessat2, { HERE, LINK, "0", "0x100" }, "1=" STAYS_LINK },
	{ SYS_faccessat2, { HERE, LINK, "0", "0x200" }, "1=" TARGET },
	{ SYS_mkdirat, { HERE, "@/home/proj/new/", "0" }, "1=@/store/tree/new/;" },
	{ SYS_mkdirat, { HERE, LINK, "0" }, "1=" STAYS_LINK },
	{ SYS_mknodat, { HERE, LINK, "0" }, "1=" STAYS_LINK },
	{ SYS_unlinkat, { HERE, LINK, "0" }, "1=" STAYS_LINK },
	{ SYS_unlinkat, { HERE, "@/home/proj/in/", "0" }, "1=@/store/tree/in/;" },
	{ SYS_symlinkat, { "@/home/proj/x", HERE, LINK }, "2=" STAYS_LINK },
	{ SYS_renameat2,
	  { HERE, LINK, HERE, "@/home/proj/new" },
	  "1=" STAYS_LINK "3=@/store/tree/new;" },
	{ SYS_renameat2, { HERE, LINK, HERE, "@/home/new" }, "!18" /* EXDEV */ },
	{ SYS_renameat2, { HERE, "@/home/proj/no", HERE, "@/home/new" }, "1=@/store/tree/no;" },
	{ SYS_linkat, { HERE, "@/home/other/file", HERE, "@/home/proj/new", "0" }, "!18" },
	{ SYS_linkat,
	  { HERE, "@/home/other/file", HERE, "@/home/proj/file", "0" },
	  "3=@/store/tree/file;" },
	{ SYS_renameat2, { HERE, "@/home/new", HERE, "@/home/proj/new" }, "3=@/store/tree/new;" },
	{ SYS_linkat,
	  { HERE, LINK, HERE, "@/home/proj/new", "0" },
	  "1=" STAYS_LINK "3=@/store/tree/new;" },
	{ SYS_linkat, { HERE, LINK, HERE, LINK, "0x400" }, "1=@/store/tree/sub;3=" STAYS_LINK },
	{ SYS_getxattr, { LINK, "0", "0", "0" }, "0=" TARGET },
	{ SYS_lgetxattr, { LINK, "0", "0", "0" }, "0=" STAYS_LINK },
	{ SYS_listxattr, { LINK, "0", "0" }, "0=" TARGET },
	{ SYS_llistxattr, { LINK, "0", "0" }, "0=" STAYS_LINK },
	{ SYS_inotify_add_watch, { "0", LINK, "1" }, "1=" TARGET },
	{ SYS_inotify_add_watch, { "0", LINK, "0x02000001" }, "1=" STAYS_LINK },
	{ SYS_name_to_handle_at, { HERE, LINK, "0", "0", "0" }, "1=" STAYS_LINK },
	{ SYS_name_to_handle_at, { HERE, LINK, "0", "0", "0x400" }, "1=" TARGET },
	{ SYS_open_tree, { HERE, LINK, "0" }, "1=" TARGET },
	{ SYS_open_tree, { HERE, LINK, "0x100" }, "1=" STAYS_LINK },
	{ SYS_fanotify_mark, { "0", "1", "1", HERE, LINK }, "4=" TARGET },
	{ SYS_fanotify_mark, { "0", "5", "1", HERE, LINK }, "4=" STAYS_LINK },
#ifdef SYS_renameat
	{ SYS_renameat,
	  { HERE, LINK, HERE, "@/home/proj/new" },
	  "1=" STAYS_LINK "3=@/store/tree/new;" },
#endif
#ifdef SYS_open
	{ SYS_open, { "@/home/proj/new", "0" }, "0=@/store/tree/new;" },
	{ SYS_creat, { "@/home/proj/new", "0" }, "0=@/store/tree/new;" },
	{ SYS_stat, { LINK, "0" }, "0=" TARGET },
	{ SYS_lstat, { LINK, "0" }, "0=" STAYS_LINK },
	{ SYS_access, { LINK, "0" }, "0=" TARGET },
	{ SYS_readlink, { LINK, "0", "100" }, "0=" STAYS_LINK },
	{ SYS_mkdir, { LINK, "0" }, "0=" STAYS_LINK },
	{ SYS_mknod, { LINK, "0", "0" }, "0=" STAYS_LINK },
	{ SYS_unlink, { LINK }, "0=" STAYS_LINK },
	{ SYS_rmdir, { LINK }, "0=" STAYS_LINK },
	{ SYS_symlink, { "@/home/proj/x", LINK }, "1=" STAYS_LINK },
	{ SYS_rename, { LINK, "@/home/proj/new" }, "0=" STAYS_LINK "1=@/store/tree/new;" },
	{ SYS_link, { LINK, "@/home/proj/new" }, "0=" STAYS_LINK "1=@/store/tree/new;" },
#endif
	{ SYS_unlinkat, { HERE, "@/home/proj", "0" }, "!21" /* EISDIR */ },
	{ SYS_unlinkat, { HERE, "@/home/proj", "0x200" }, "!16" /* EBUSY */ },
	{ SYS_renameat2, { HERE, "@/home/proj", HERE, "@/home/new", "0" }, "!16" },
	{ SYS_renameat2, { HERE, "@/home/new", HERE, "@/home/proj", "0" }, "!16" },
	{ SYS_renameat2,
	  { HERE, "@/home/proj/root/", HERE, "@/home/proj/new" },
	  "1=@/store/tree/root/;3=@/store/tree/new;" },
#ifdef SYS_rename
	{ SYS_unlink, { "@/home/proj" }, "!21" },
	{ SYS_rmdir, { "@/home/proj" }, "!16" },
	{ SYS_rename, { "@/home/into/../proj/", "@/home/new" }, "!16" },
#endif
	{ SYS_mkdirat, { HERE, "@/home/proj", "0" }, "1=@/store/tree;" },
	/* Those that stay as they are, also with another error. */
	{ SYS_mkdirat, { HERE, "@/home/other", "0" }, "" },
	{ SYS_faccessat, { HERE, "sub", "0" }, "" },
	{ SYS_statx, { HERE, "0", "0", "0", "0" }, "" },
	/* The kernel looks at the other arguments first. */
	{ SYS_mkdirat, { HERE, "@/home/proj/file/x", "0" }, "1=/proc/self/stat/none;" },
	{ SYS_mkdirat, { HERE, "@/home/proj/none/x", "0" }, "1=/proc/self/none/none;" },
	{ SYS_renameat2, { HERE, "@/home/proj/sub", HERE, "@/home/proj/new", "8" }, "" },
	{ SYS_renameat2, { HERE, "@/home/proj/sub", HERE, "@/home/proj/new", "6" }, "" },
	{ SYS_chdir, { "@/home/proj/ping" }, "" },
};

static bool call_differs(size_t i)
{
	char paths[5][PATH_MAX], expected[2 * PATH_MAX];
	long arguments[5] = { 0 }, result;

	for (size_t j = 0; j < 5 && asked_calls[i].arguments[j] != NULL; j++) {
		const char *text = asked_calls[i].arguments[j];

		if (text[0] == '@' || strcmp(text, "sub") == 0)
			arguments[j] = (long)(uintptr_t)expand(paths[j], text);
		else
			arguments[j] = strtol(text, NULL, 0);
	}
	record[0] = '\0';
	result = syscall(asked_calls[i].number, arguments[0], arguments[1], arguments[2],
			 arguments[3], arguments[4], 0L);
	expand(expected, asked_calls[i].again);
	if (expected[0] == '!'
		    ? result == -1 && errno == atoi(expected + 1) && record[0] == '\0'
		    : strcmp(record, expected) == 0 && (result == 4242) == (expected[0] != '\0'))
		return false;
	dprintf(2, "# %zu (call %d): %ld, %s; not %s\n", i, asked_calls[i].number, result, record,
		expected);
	return true;
}

static int ask_calls(void)
{
	int bad = 0;

	if (chdir(store) != 0)
		return 101;
	for (size_t i = 0; i < COUNT(asked_calls); i++)
		bad += call_differs(i);
	return bad > 100 ? 100 : bad;
}

static const struct tree empty = { .lower = -1 };

static int serve(int (*main)(void), bool openat2, const struct tree *tree)
{
	const struct sock_fprog filter = { filter_standin.len,
					   (struct sock_filter *)(uintptr_t)filter_standin.code };
	struct cow cow = {
		.tree = tree,
		.root = -1,
		.fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.begun = true,
		.standin = &standin,
		.repeat = repeat,
	};
	const struct notify_table table = { standin_rows, standin_row_count, &cow };
	struct notify notify = { .tables = &table, .table_count = 1, .openat2 = openat2 };
	int status = run(main, &filter, &notify);

	close(cow.fds);
	return status;
}

static void calls(void **state)
{
	(void)state;
	assert_int_equal(serve(ask_calls, false, &empty), 0);
	assert_int_equal(serve(ask_calls, true, &empty), 0);
}

/* The line of the first that is not true. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ % 256;                                                     \
	} while (0)

static long get_cwd(char *buffer, size_t size)
{
	if (size >= PATH_MAX)
		memset(buffer, 'x', size);
	return syscall(SYS_getcwd, buffer, size);
}

static long read_link(const char *path, char *buffer, size_t size)
{
	memset(buffer, 'x', PATH_MAX);
	return syscall(SYS_readlinkat, AT_FDCWD, path, buffer, size);
}

static int ask_names(void)
{
	char text[PATH_MAX], expected[PATH_MAX], path[64];
	const size_t length = strlen(lower) + strlen("/sub") + 1;
	int fd;

	/* Those before and behind it are as they are. */
	CHECK(chdir("/") == 0 && get_cwd(text, sizeof(text)) == 2 && strcmp(text, "/") == 0);
	CHECK(chdir(home) == 0 && get_cwd(text, sizeof(text)) == (long)strlen(home) + 1);
	CHECK(chdir(store) == 0 && get_cwd(text, sizeof(text)) == (long)strlen(lower) + 1);
	CHECK(strcmp(text, lower) == 0);
	CHECK(chdir("sub") == 0 && get_cwd(text, sizeof(text)) == (long)length);
	CHECK(strcmp(text, expand(expected, "@/home/proj/sub")) == 0);
	CHECK(get_cwd(text, length) == (long)length);
	CHECK(get_cwd(text, length - 1) == -1 && errno == ERANGE);
	CHECK(get_cwd(text, 0) == -1 && errno == ERANGE);
	CHECK(get_cwd(NULL, length) == -1 && errno == EFAULT);
	CHECK(get_cwd((char *)(uintptr_t)home - (uintptr_t)home + 1, length) == -1 &&
	      errno == EFAULT);

	CHECK(read_link("/proc/self/cwd", text, sizeof(text)) == (long)length - 1);
	CHECK(memcmp(text, expected, length - 1) == 0 && text[length - 1] == 'x');
	CHECK(read_link("/proc/self/cwd", text, 10) == 10 && memcmp(text, expected, 10) == 0 &&
	      text[10] == 'x');
	CHECK(read_link("/proc/self/cwd", text, 0) == -1 && errno == EINVAL);
	CHECK(read_link("/proc/self/cwd", text, (size_t)-1) == -1 && errno == EINVAL);
	CHECK(read_link("/proc/self/root", text, sizeof(text)) == 1);
	fd = open("file", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(fd >= 0 && read_link(path, text, sizeof(text)) == (long)length + 4);
	CHECK(memcmp(text, expand(expected, "@/home/proj/sub/file"), length + 4) == 0);
	/* By an odd way: a link of the tree to one of procfs. */
	CHECK(read_link("../cwd", text, sizeof(text)) == 14);
	CHECK(read_link("back", text, sizeof(text)) == 5);

	/* What somebody has written is not translated. */
	CHECK(read_link(expand(expected, "@/home/physical"), text, sizeof(text)) ==
	      (long)strlen(store));

	/* One that is gone. */
	CHECK(mkdir("gone", 0700) == 0 && chdir("gone") == 0 && rmdir("../gone") == 0);
	CHECK(get_cwd(text, sizeof(text)) == -1 && errno == ENOENT);
	return 0;
}

static void names(void **state)
{
	(void)state;
	assert_int_equal(serve(ask_names, false, &empty), 0);
	assert_int_equal(serve(ask_names, true, &empty), 0);
}

/* Whether FD is that file or directory of the tree; it is closed. */
static bool is_of_tree(int fd, const char *name)
{
	struct stat stat, other;
	char path[PATH_MAX];

	expand(path, name);
	return fd >= 0 && fstat(fd, &stat) == 0 && lstat(path, &other) == 0 &&
	       stat.st_ino == other.st_ino && close(fd) == 0;
}

static int open_at(const char *name, int flags)
{
	char path[PATH_MAX];

	record[0] = '\0';
	return (int)syscall(SYS_openat, AT_FDCWD, expand(path, name), flags, 0600);
}

static int open_with(const char *name, uint64_t flags, uint64_t resolve)
{
	struct kernel_open_how how = { .flags = flags, .resolve = resolve };
	char path[PATH_MAX];

	record[0] = '\0';
	return (int)syscall(SYS_openat2, AT_FDCWD, expand(path, name), &how, sizeof(how));
}

static int ask_opens(void)
{
	char byte;
	int fd;

	CHECK(chdir(home) == 0);
	/* What there is is opened for the caller, what is not it makes itself. */
	CHECK(is_of_tree(open_at("@/home/proj/file", O_RDONLY), "@/store/tree/file"));
	CHECK(is_of_tree(open_at("proj/file", O_RDWR | O_CREAT), "@/store/tree/file"));
	CHECK(is_of_tree(open_at("proj/infile", O_RDONLY), "@/store/tree/file"));
	CHECK(is_of_tree(open_at("proj/sub", O_RDONLY | O_DIRECTORY), "@/store/tree/sub"));
	CHECK(is_of_tree(open_at("proj", O_RDONLY), "@/store/tree"));
	CHECK(is_of_tree(open_at("proj/sub/", O_RDONLY), "@/store/tree/sub"));
	CHECK(is_of_tree(open_with("proj/file", O_RDONLY, 0), "@/store/tree/file"));
	fd = open_at("proj/file", O_RDONLY | O_CLOEXEC);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && read(fd, &byte, 1) == 1 && byte == 't');
	CHECK(close(fd) == 0 && record[0] == '\0');
	CHECK(open_at("proj/file", O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR);
	CHECK(open_at("proj/nothing/x", O_RDONLY) == 4242);
	CHECK(strcmp(record, "1=/proc/self/none/none;") == 0);
	CHECK(open_at("proj/lost/file", O_RDONLY) == 4242);
	CHECK(open_at("proj/file/", O_RDONLY) == 4242);
	CHECK(open_at("proj/in", O_RDONLY | O_NOFOLLOW) == 4242);
	CHECK(open_at("proj/sub", O_WRONLY) == -1 && errno == EISDIR && record[0] == '\0');
	/* Outside, by way of the tree. */
	CHECK(open_at("proj/up/file", O_RDONLY) == 4242);

	/* Restricted ways. */
	CHECK(open_with("proj/file", O_RDONLY, RESOLVE_NO_SYMLINKS) == 4242);
	CHECK(open_with("proj/infile", O_RDONLY, RESOLVE_NO_SYMLINKS) == -1 && errno == ELOOP);
	CHECK(open_with("other/file", O_RDONLY, RESOLVE_NO_SYMLINKS) >= 0);
	CHECK(open_with("../home/other/file", O_RDONLY, RESOLVE_BENEATH) == -1 && errno == EXDEV);
	fd = open_with("proj/file", O_RDONLY, RESOLVE_BENEATH);
	CHECK(fd >= 0 && fd != 4242 && read(fd, &byte, 1) == 1 && byte == 'l' && close(fd) == 0);
	CHECK(syscall(SYS_openat2, AT_FDCWD, "proj", NULL, sizeof(struct kernel_open_how)) == -1 &&
	      errno == EFAULT);
	CHECK(syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_openat, AT_FDCWD, (char *)1, O_RDONLY) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_openat, 999, "x", O_RDONLY) == -1 && errno == EBADF);

	/* Emptied, and not. */
	CHECK(close(open_at("proj/sub/file", O_WRONLY | O_TRUNC)) == 0 && record[0] == '\0');
	fd = open_at("@/store/tree/sub/file", O_RDONLY);
	CHECK(fd >= 0 && read(fd, &byte, 1) == 0 && close(fd) == 0);
	return 0;
}

static void opens(void **state)
{
	(void)state;
	assert_int_equal(serve(ask_opens, false, &empty), 0);
	assert_int_equal(serve(ask_opens, true, &empty), 0);
}

/* ---- scripts ---- */

static bool begins(const char *name, char *const arguments[], const char *expected)
{
	char path[PATH_MAX], text[4 * PATH_MAX];
	long result;

	record[0] = '\0';
	result = syscall(SYS_execve, expand(path, name), arguments, NULL);
	expand(text, expected);
	if ((result == 4242) == (text[0] != '\0') && strcmp(record, text) == 0)
		return true;
	dprintf(2, "# %s: %ld (%d) %s; not %s\n", path, result, errno, record, text);
	return false;
}

#define SHELL "@/home/proj/sub/shell|-x  y|"
#define SHELL_PATH "=@/store/tree/sub/shell;"

static int ask_scripts(void)
{
	static char first[] = "zero", second[] = "one";
	char *const arguments[] = { first, second, NULL }, *none[] = { NULL };
	static char *many[AGAIN_REST + 3];

	CHECK(chdir(store) == 0);
	/* Their interpreter would not be found. */
	CHECK(begins("tool", arguments, SHELL "tool|2#1;0" SHELL_PATH));
	CHECK(begins("@/home/proj/tool", arguments, SHELL "@/home/proj/tool|2#1;0" SHELL_PATH));
	CHECK(begins("tool", none, SHELL "tool|1#1;0" SHELL_PATH));
	CHECK(begins("tool", NULL, SHELL "tool|1#1;0" SHELL_PATH));
	record[0] = '\0';
	CHECK(syscall(SYS_execveat, AT_FDCWD, "tool", none, NULL, 0L) == 4242);
	CHECK(strstr(record, "|1#2;1=") != NULL);
	CHECK(syscall(SYS_execve, "tool", 1L, NULL) == -1 && errno == EFAULT);

	/* It would, but would not know the script's name. */
	CHECK(begins("@/home/proj/plain", none,
		     "/nothing/sh|@/home/proj/plain|1#1;0=/nothing/sh;"));
	CHECK(begins("plain", none, ""));
	for (size_t i = 0; i < COUNT(many) - 1; i++)
		many[i] = first;
	CHECK(begins("@/home/proj/plain", many, "0=@/store/tree/plain;"));
	many[AGAIN_REST] = NULL;
	CHECK(begins("@/home/proj/plain", many,
		     "/nothing/sh|@/home/proj/plain|1024#1;0=/nothing/sh;"));

	/* What is none. */
	CHECK(begins("@/home/proj/file", none, "0=@/store/tree/file;"));
	CHECK(begins("@/home/proj/locked", none, "0=@/store/tree/locked;"));
	CHECK(begins("@/home/proj/long", none, "0=@/store/tree/long;"));
	CHECK(begins("@/home/proj/bare", none, "0=@/store/tree/bare;"));
	return 0;
}

static void make_script(const char *name, const char *text, mode_t mode)
{
	char content[PATH_MAX];

	make_file(name, expand(content, text));
	must(chmod(name, mode));
}

static void scripts(void **state)
{
	char text[300];

	(void)state;
	must(chdir(store));
	make_script("sub/shell", "x", 0755);
	make_script("tool", "#!  @/home/proj/sub/shell \t-x  y  \nexit\n", 0755);
	make_script("plain", "#!/nothing/sh\n", 0755);
	make_script("locked", "#!/nothing/sh\n", 0644);
	make_script("bare", "#!  \n", 0755);
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "#!/nothing/sh ", 14);
	text[sizeof(text) - 1] = '\0';
	make_script("long", text, 0755);
	must(chdir("/"));
	assert_int_equal(serve(ask_scripts, true, &empty), 0);
}

/* ---- attributes, which are another listener's ---- */

static int ask_attributes(void)
{
	char path[PATH_MAX];
	struct stat stat;

	CHECK(chdir(home) == 0);
	CHECK(fchmodat(AT_FDCWD, "proj/file", 0600, 0) == 0);
	CHECK(fstatat(AT_FDCWD, expand(path, "@/store/tree/file"), &stat, 0) == 0);
	CHECK((stat.st_mode & 07777) == 0600);
	CHECK(fstatat(AT_FDCWD, expand(path, "@/home/proj/file"), &stat, 0) == 0);
	CHECK((stat.st_mode & 07777) == 0640);
	CHECK(fchmodat(AT_FDCWD, "other/file", 0600, 0) == -1 && errno == EPERM);
	CHECK(fchmodat(AT_FDCWD, "proj/nothing", 0600, 0) == -1 && errno == ENOENT);
	return 0;
}

static void attributes(void **state)
{
	const struct sock_fprog filter = {
		filter_attributes.len, (struct sock_filter *)(uintptr_t)filter_attributes.code
	};
	const struct attributes_place granted = { store, true };
	struct attributes context = { .places = &granted, .count = 1, .standin = &standin };
	const struct notify_table table = { attributes_rows, attributes_row_count, &context };
	struct notify notify = { .tables = &table, .table_count = 1 };

	(void)state;
	must(chmod(lower, 0755));
	must(chdir(lower));
	must(chmod("file", 0640));
	must(chdir("/proc/self/fd"));
	assert_int_equal(run(ask_attributes, &filter, &notify), 0);
	notify.openat2 = true;
	assert_int_equal(run(ask_attributes, &filter, &notify), 0);
	must(chdir("/"));
}

/* ---- content ---- */

static bool has_content(const char *name)
{
	struct stat stat;
	char path[PATH_MAX];

	return fstatat(AT_FDCWD, expand(path, name), &stat, 0) == 0 && stat.st_blocks > 0;
}

static bool says(int fd, char byte)
{
	char got;

	return fd >= 0 && fd != 4242 && read(fd, &got, 1) == 1 && got == byte && close(fd) == 0;
}

static int ask_fills(void)
{
	char path[PATH_MAX];
	struct stat stat;

	CHECK(chdir(expand(path, "@/full.store/tree")) == 0);
	CHECK(!has_content("a") && says(open_at("@/full/a", O_RDONLY), 'a') && record[0] == '\0');
	CHECK(says(open_at("b", O_RDONLY), 'b') && record[0] == '\0');
	CHECK(open_at("@/full/c", O_PATH) == 4242 && !has_content("c"));
	CHECK(open_at("@/full/c", O_WRONLY | O_CREAT | O_EXCL) == 4242 && !has_content("c"));
	CHECK(open_at("c", O_WRONLY | O_CREAT | O_EXCL) == -1 && errno == EEXIST);
	CHECK(syscall(SYS_faccessat, AT_FDCWD, expand(path, "@/full/c"), R_OK) == 4242);
	CHECK(!has_content("c"));
	CHECK(syscall(SYS_truncate, path, 1L) == 4242 && has_content("c"));
	CHECK(open_with("@/full/d", O_RDONLY, RESOLVE_NO_SYMLINKS) == 4242 && has_content("d"));
	CHECK(open_with("@/full/e", O_RDONLY | O_TRUNC, RESOLVE_NO_SYMLINKS) == 4242);
	CHECK(has_content("e"));
	CHECK(says(open_with("f", O_RDONLY, RESOLVE_NO_SYMLINKS), 'f'));
	CHECK(says(open_with("g", O_RDONLY, RESOLVE_IN_ROOT), 'g'));
	CHECK(open_with("../full/h", O_RDONLY, RESOLVE_IN_ROOT) == -1 && errno == ENOENT);
	CHECK(!has_content("h") && close(open_at("@/full/h", O_WRONLY | O_TRUNC)) == 0);
	CHECK(fstatat(AT_FDCWD, "h", &stat, 0) == 0 && stat.st_size == 0 && !has_content("h"));

	/* And the interpreter. */
	CHECK(syscall(SYS_execve, expand(path, "@/full/script"), NULL, NULL) == 4242);
	CHECK(has_content("script") && has_content("interpreter"));
	CHECK(syscall(SYS_execveat, open_at("i", O_PATH), "", NULL, NULL, 0L) == -1 &&
	      errno == ENOENT && !has_content("i"));
	CHECK(syscall(SYS_execveat, open_at("i", O_PATH), "", NULL, NULL, (long)AT_EMPTY_PATH) ==
		      -1 &&
	      errno == EACCES && has_content("i"));
	return 0;
}

static void fills(void **state)
{
	static char top[PATH_MAX], below[PATH_MAX];
	char name[] = "full/a", place[PATH_MAX];
	struct standin before = standin;
	struct fault fault = { 0 };
	struct cow_store made;
	struct tree tree;

	(void)state;
	must(chdir(room));
	must(mkdir("full", 0755));
	for (; name[5] <= 'i'; name[5]++)
		make_file(name, name + 5);
	make_file("full/interpreter", "x");
	snprintf(place, sizeof(place), "#!%s/full.store/tree/interpreter\n", room);
	make_file("full/script", place);
	must(chmod("full/script", 0755));
	expand(below, "@/full");
	expand(top, "@/full.store/tree");
	must(cow_create(&made, below, expand(place, "@/full.store"), &fault));
	made.backend = COW_NOTIFY;
	must(cow_save(&made, &fault));
	must(tree_make(&made, &fault));
	must(tree_open(&tree, &made, &fault));
	must(standin_open(&standin.lower, open(below, O_PATH | O_CLOEXEC), below));
	must(standin_open(&standin.tree, open(top, O_PATH | O_CLOEXEC), top));
	assert_int_equal(serve(ask_fills, true, &tree), 0);
	close(standin.lower.fd);
	close(standin.tree.fd);
	standin = before;
	tree_close(&tree);
	cow_close(&made);
}

static int set_up(void **state)
{
	char path[PATH_MAX];
	int error = make_room(state);

	record =
		mmap(NULL, 4 * PATH_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (error != 0 || record == MAP_FAILED)
		return -1;
	/* In the directory alone. */
	must(mkdir("home/proj/lost", 0755));
	make_file("home/proj/lost/file", "lost");
	return symlink(store, expand(path, "@/home/physical"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),   cmocka_unit_test(names),      cmocka_unit_test(opens),
		cmocka_unit_test(scripts), cmocka_unit_test(attributes), cmocka_unit_test(fills),
	};

	return cmocka_run_group_tests(tests, set_up, remove_room);
}
