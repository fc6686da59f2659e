/* SPDX-License-Identifier: MIT */
/*
 * files DIR OUTSIDE: how long it takes to work on the files in DIR, in nanoseconds, a number a line:
 *
 *  walk it and stat everything; open, read and close each small file; the same again; open and close OUTSIDE, a
 *  file elsewhere; read a big file, its opening included; read it again many times; write new files; change
 *  files that nobody has opened before.
 *
 * files make DIR: makes what is there at first. In the end it is there again, but for the times.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	SMALL = 2000,
	CHANGED = 500,
	NEW = 2000,
	DIRECTORIES = 20,
	AGAIN = 8,
	SIZE = 4096,
	BIG = 16 << 20,
	PART = 65536,
};

static char part[PART];

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The name of file I of a KIND. */
static const char *name(const char *kind, int i)
{
	static char text[64];

	snprintf(text, sizeof(text), "d%d/%s%d", i % DIRECTORIES, kind, i);
	return text;
}

static int must_open(const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (fd < 0)
		fail(path);
	return fd;
}

static void write_file(const char *path, size_t size, int flags)
{
	int fd = must_open(path, flags);

	for (size_t done = 0; done < size;) {
		ssize_t count = write(fd, part, size - done < PART ? size - done : PART);

		if (count <= 0)
			fail(path);
		done += (size_t)count;
	}
	close(fd);
}

static void read_all(int fd)
{
	ssize_t count;

	while ((count = read(fd, part, PART)) > 0)
		;
	if (count < 0)
		fail("read");
}

static void make(void)
{
	for (int i = 0; i < DIRECTORIES; i++) {
		char path[16];

		snprintf(path, sizeof(path), "d%d", i);
		if (mkdir(path, 0755) != 0)
			fail(path);
	}
	for (int i = 0; i < SMALL; i++)
		write_file(name("small", i), SIZE, O_WRONLY | O_CREAT);
	for (int i = 0; i < CHANGED; i++)
		write_file(name("changed", i), SIZE, O_WRONLY | O_CREAT);
	write_file("big", BIG, O_WRONLY | O_CREAT);
}

/* --- What is measured ----------------------------------------------------------------------------- */

static void walk_directory(int parent, const char *path)
{
	DIR *dir = fdopendir(openat(parent, path, O_RDONLY | O_DIRECTORY));
	struct dirent *entry;
	struct stat stat;

	if (dir == NULL)
		fail(path);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
			fail(entry->d_name);
		if (S_ISDIR(stat.st_mode))
			walk_directory(dirfd(dir), entry->d_name);
	}
	closedir(dir);
}

static void walk(const char *outside)
{
	(void)outside;
	for (int i = 0; i < AGAIN; i++)
		walk_directory(AT_FDCWD, ".");
}

static void read_small(const char *outside)
{
	(void)outside;
	for (int i = 0; i < SMALL; i++) {
		int fd = must_open(name("small", i), O_RDONLY);

		read_all(fd);
		close(fd);
	}
}

static void open_outside(const char *outside)
{
	for (int i = 0; i < SMALL; i++)
		close(must_open(outside, O_RDONLY));
}

static void read_big(const char *outside)
{
	int fd = must_open("big", O_RDONLY);

	(void)outside;
	read_all(fd);
	close(fd);
}

static void read_big_again(const char *outside)
{
	for (int i = 0; i < AGAIN; i++)
		read_big(outside);
}

static void write_new(const char *outside)
{
	(void)outside;
	for (int i = 0; i < NEW; i++)
		write_file(name("new", i), SIZE, O_WRONLY | O_CREAT | O_TRUNC);
}

static void change(const char *outside)
{
	(void)outside;
	for (int i = 0; i < CHANGED; i++)
		write_file(name("changed", i), 1, O_WRONLY);
}

int main(int argc, char **argv)
{
	static void (*const works[])(const char *) = {
		walk,     read_small,     read_small, open_outside,
		read_big, read_big_again, write_new,  change,
	};

	if (argc != 3)
		return 2;
	if (chdir(strcmp(argv[1], "make") == 0 ? argv[2] : argv[1]) != 0)
		fail(argv[1]);
	if (strcmp(argv[1], "make") == 0) {
		make();
		return 0;
	}
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		int64_t start = now();

		works[i](argv[2]);
		printf("%lld\n", (long long)(now() - start));
	}
	for (int i = 0; i < NEW; i++)
		unlink(name("new", i));
	return 0;
}
