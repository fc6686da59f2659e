/* SPDX-License-Identifier: MIT */
/*
 * manifest DIRECTORY [BEFORE]: a line for each file in it, sorted by the bytes of its path: what can be seen of it,
 * but what no two file systems have in common (inode and device numbers, sizes of directories, change times).
 * With BEFORE, seconds since the epoch, a modification time from then on is "now".
 *
 *   PATH TYPE MODE UID:GID SIZE MTIME LINKS XATTRS CONTENT
 *
 * LINKS is the number of the first file in the list that is the same one. Bytes that are not plain are \ooo.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

struct file {
	char *path;
	struct stat stat;
};

static struct file *files;
static size_t count, room;
static int64_t before = INT64_MAX;

static void die(const char *what)
{
	fprintf(stderr, "manifest: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void collect(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (dir == NULL) {
		if (errno == EACCES)
			return;
		die(path);
	}
	while ((entry = readdir(dir)) != NULL) {
		struct file *file;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (count == room &&
		    (files = realloc(files, (room = room * 2 + 64) * sizeof(*files))) == NULL)
			die("memory");
		file = &files[count++];
		if (asprintf(&file->path, "%s/%s", path, entry->d_name) < 0)
			die("memory");
		if (lstat(file->path, &file->stat) < 0) {
			if (errno != EACCES)
				die(file->path);
			count--;
			continue;
		}
		if (S_ISDIR(file->stat.st_mode)) {
			char *below = file->path;

			collect(below);
		}
	}
	closedir(dir);
}

static int by_path(const void *left, const void *right)
{
	const struct file *a = left, *b = right;

	return strcmp(a->path, b->path);
}

static void print_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte > ' ' && byte < 127 && byte != '\\')
			putchar(byte);
		else
			printf("\\%03o", byte);
	}
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 1099511628211ULL;
	return hash;
}

static void print_attributes(const char *path)
{
	char names[4096], value[4096];
	ssize_t size = llistxattr(path, names, sizeof(names));
	uint64_t sum = 0;

	for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		ssize_t length = lgetxattr(path, name, value, sizeof(value));

		if (strncmp(name, "user.", 5) != 0)
			continue;
		sum += hash_bytes(hash_bytes(14695981039346656037ULL, name, strlen(name)), value,
				  length > 0 ? (size_t)length : 0);
	}
	printf(" %" PRIx64, sum);
}

static void print_content(const struct file *file)
{
	static char buffer[65536];
	uint64_t hash = 14695981039346656037ULL;
	ssize_t got;

	putchar(' ');
	if (S_ISLNK(file->stat.st_mode)) {
		got = readlink(file->path, buffer, sizeof(buffer));
		print_text(buffer, got > 0 ? (size_t)got : 0);
	} else if (S_ISREG(file->stat.st_mode)) {
		int fd = open(file->path, O_RDONLY);

		if (fd < 0) {
			printf("errno-%d", errno);
			return;
		}
		while ((got = read(fd, buffer, sizeof(buffer))) > 0)
			hash = hash_bytes(hash, buffer, (size_t)got);
		close(fd);
		printf("%016" PRIx64, hash);
	} else {
		putchar('-');
	}
}

static size_t first_of(size_t index)
{
	const struct stat *stat = &files[index].stat;

	if (S_ISDIR(stat->st_mode) || stat->st_nlink < 2)
		return 0;
	for (size_t i = 0; i < index; i++)
		if (files[i].stat.st_ino == stat->st_ino && files[i].stat.st_dev == stat->st_dev)
			return i + 1;
	return index + 1;
}

static void print_file(size_t index, size_t skip)
{
	static const char types[] = "?pc?d?b?-?l?s???";
	const struct file *file = &files[index];
	const struct stat *stat = &file->stat;
	bool directory = S_ISDIR(stat->st_mode);
	size_t first = first_of(index);

	print_text(file->path + skip, strlen(file->path + skip));
	printf(" %c %04o %u:%u %lld", types[stat->st_mode >> 12], stat->st_mode & 07777,
	       stat->st_uid, stat->st_gid, directory ? 0 : (long long)stat->st_size);
	if (directory || S_ISFIFO(stat->st_mode))
		printf(" -");
	else if (stat->st_mtim.tv_sec >= before)
		printf(" now");
	else
		printf(" %lld.%09ld", (long long)stat->st_mtim.tv_sec, stat->st_mtim.tv_nsec);
	if (first > 0)
		printf(" %zu", first);
	else
		printf(" -");
	print_attributes(file->path);
	print_content(file);
	putchar('\n');
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (argc > 2)
		before = strtoll(argv[2], NULL, 10);
	collect(argv[1]);
	qsort(files, count, sizeof(*files), by_path);
	for (size_t i = 0; i < count; i++)
		print_file(i, strlen(argv[1]) + 1);
	return fflush(stdout) == 0 ? 0 : 1;
}
