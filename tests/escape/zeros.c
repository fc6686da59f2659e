/* SPDX-License-Identifier: MIT */
/*
 * zeros make DIR N	N files, each with a text of its own and a large hole
 * zeros WAY DIR N	opens such files in a box by names that change what they lead to meanwhile, until one is
 *			seen that has not got its content yet, and then goes on by WAY:
 *	read		closes it; gives some of these files another name, or one more
 *	write		changes two bytes of it
 *	truncate	empties all but 10 bytes, by name; what that has met is not known
 *	exec		executes it, by name
 *	landlock	as read, after a landlock_restrict_self(2) and by open(2)
 *   prints how many it has seen with zeros, or of truncate and exec how many it has tried
 * zeros check DIR N	prints each file whose content is none that it can have
 *
 * Names of the files are u0 to uN, of those with another one v0 to vN.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 100000 /* more than is copied by hand */
#define TEXT 4096
#define HOLE 50000
#define TRIES 300

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void must(long result, const char *what)
{
	if (result < 0)
		die(what);
}

static void text_of(int number, char text[TEXT])
{
	char line[32];

	snprintf(line, sizeof(line), "content of %4d\n", number);
	for (size_t i = 0; i < TEXT; i += 16)
		memcpy(text + i, line, 16);
}

static void make(int count)
{
	char name[32], text[TEXT];

	for (int i = 0; i < count; i++) {
		int fd;

		snprintf(name, sizeof(name), "u%d", i);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
		must(fd, name);
		text_of(i, text);
		must(pwrite(fd, text, TEXT, 0), name);
		must(pwrite(fd, text, TEXT, SIZE - TEXT), name);
		close(fd);
	}
}

/* --- The race ------------------------------------------------------------------------------------- */

static pthread_mutex_t links = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool ended;

static void *swap(void *unused)
{
	while (!ended) {
		pthread_mutex_lock(&links);
		syscall(SYS_renameat2, AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b",
			2 /* RENAME_EXCHANGE */);
		pthread_mutex_unlock(&links);
	}
	return unused;
}

static void aim(const char *target, const char *link)
{
	char path[4200], *here = getcwd(NULL, 0);

	snprintf(path, sizeof(path), "%s/%s", here, target);
	free(here);
	unlink("/tmp/new");
	must(symlink(path, "/tmp/new"), "symlink");
	must(rename("/tmp/new", link), "rename");
}

static bool is_zero(int fd)
{
	char text[TEXT], none[TEXT] = { 0 };

	return pread(fd, text, TEXT, 0) == TEXT && memcmp(text, none, TEXT) == 0;
}

static int open_link(const char *way)
{
	const struct open_how how = { .flags = O_RDWR | O_CLOEXEC,
				      .resolve = RESOLVE_NO_MAGICLINKS };

	if (strcmp(way, "landlock") == 0)
		return open("/tmp/a", O_RDWR | O_CLOEXEC);
	return (int)syscall(SYS_openat2, AT_FDCWD, "/tmp/a", &how, sizeof(how));
}

static void execute(void)
{
	int status, pid = fork();

	must(pid, "fork");
	if (pid == 0) {
		execl("/tmp/a", "a", NULL);
		_exit(0);
	}
	must(waitpid(pid, &status, 0), "wait");
}

/* What WAY does with the file NUMBER, which is open and has been seen with zeros. */
static void use(const char *way, int number, int fd)
{
	char from[32], to[32];

	if (strcmp(way, "write") == 0) {
		must(pwrite(fd, "X", 1, 10), "write");
		must(pwrite(fd, "X", 1, HOLE), "write");
		return;
	}
	snprintf(from, sizeof(from), "u%d", number);
	snprintf(to, sizeof(to), "v%d", number);
	if (number % 3 == 0)
		must(rename(from, to), "rename");
	else if (number % 3 == 1)
		must(link(from, to), "link");
}

/* Returns whether the file NUMBER was seen with zeros. */
static bool race_for(const char *way, int number)
{
	struct stat wanted, got;
	char name[32];
	bool seen = false;

	snprintf(name, sizeof(name), "u%d", number);
	must(stat(name, &wanted), name);
	pthread_mutex_lock(&links);
	aim("u0", "/tmp/a");
	aim(name, "/tmp/b");
	pthread_mutex_unlock(&links);
	for (int i = 0; i < TRIES && !seen; i++) {
		int fd;

		if (strcmp(way, "truncate") == 0)
			(void)!truncate("/tmp/a", 10);
		else if (strcmp(way, "exec") == 0)
			execute();
		if (strcmp(way, "truncate") == 0 || strcmp(way, "exec") == 0) {
			if (i == 10)
				return true;
			continue;
		}
		fd = open_link(way);
		must(fd, "open");
		must(fstat(fd, &got), "stat");
		seen = got.st_ino == wanted.st_ino && is_zero(fd);
		if (seen)
			use(way, number, fd);
		else if (got.st_ino == wanted.st_ino)
			i = TRIES; /* it has its content now */
		close(fd);
	}
	return seen;
}

static void restrict_self(void)
{
	const struct landlock_ruleset_attr attributes = { .handled_access_fs =
								  LANDLOCK_ACCESS_FS_MAKE_SOCK };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);

	must(fd, "landlock_create_ruleset");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(syscall(SYS_landlock_restrict_self, fd, 0), "landlock_restrict_self");
	close(fd);
}

static void race(const char *way, int count)
{
	pthread_t thread;
	int seen = 0, fd = open("u0", O_RDONLY);

	must(fd, "u0");
	close(fd);
	if (strcmp(way, "landlock") == 0)
		restrict_self();
	aim("u0", "/tmp/a");
	aim("u0", "/tmp/b");
	must(-pthread_create(&thread, NULL, swap, NULL), "pthread_create");
	for (int i = 1; i < count; i++)
		seen += race_for(way, i);
	ended = true;
	pthread_join(thread, NULL);
	printf("%d\n", seen);
}

/* --- Afterwards ----------------------------------------------------------------------------------- */

static bool is_as_made(int fd, int number, bool written)
{
	char wanted[SIZE] = { 0 }, got[SIZE + 1];

	text_of(number, wanted);
	text_of(number, wanted + SIZE - TEXT);
	if (written)
		wanted[10] = wanted[HOLE] = 'X';
	return pread(fd, got, sizeof(got), 0) == SIZE && memcmp(wanted, got, SIZE) == 0;
}

static bool is_short(int fd, int number)
{
	char text[TEXT], got[TEXT];

	text_of(number, text);
	return pread(fd, got, sizeof(got), 0) == 10 && memcmp(text, got, 10) == 0;
}

static void check(int count)
{
	char name[32];

	for (int i = 0; i < 2 * count; i++) {
		int fd, number = i / 2;

		snprintf(name, sizeof(name), "%c%d", i % 2 == 0 ? 'u' : 'v', number);
		fd = open(name, O_RDONLY);
		if (fd < 0 && errno == ENOENT)
			continue;
		must(fd, name);
		if (!is_as_made(fd, number, false) && !is_as_made(fd, number, true) &&
		    !is_short(fd, number))
			printf("%s\n", name);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4 || chdir(argv[2]) < 0)
		return 99;
	umask(022);
	if (strcmp(argv[1], "make") == 0)
		make(atoi(argv[3]));
	else if (strcmp(argv[1], "check") == 0)
		check(atoi(argv[3]));
	else
		race(argv[1], atoi(argv[3]));
	return 0;
}
