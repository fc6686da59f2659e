/* SPDX-License-Identifier: MIT */
/* The index, and files of the tree that get their content. Filling is the listener's, too, and so by raw calls. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mountns/cow_walk.h"
#include "mountns/resolve.h"
#include "mountns/tree_index.h"

#define SMALL 65536    /* one call that may fail costs more than to read and write */
#define PART 16384     /* the listener has a stack of 64 KiB */
#define PIECE 16777216 /* between two pauses */
#define LEAST 65536    /* what the smallest extent counts as */
#define NAME_SIZE 16
#define KERNEL_FICLONE 0x40049409 /* ioctl_ficlonerange(2) */

/* --- The index ------------------------------------------------------------------------------------ */

static bool is_sound(const struct tree *tree, const char *end)
{
	if (tree->names >= end || end[-1] != '\0')
		return false;
	for (size_t i = 0; i < tree->count; i++)
		if (tree->entries[i].path >= (size_t)(end - tree->names))
			return false;
	return true;
}

/* To open it does something, or waits for somebody. */
static bool is_special(uint32_t mode)
{
	return S_ISFIFO(mode) || S_ISCHR(mode) || S_ISBLK(mode);
}

static int map_index(struct tree *tree, int fd)
{
	struct kernel_statx stat;
	uint64_t count;
	void *map;
	int error = cow_stat(fd, "", &stat);

	if (error < 0)
		return error;
	if (read(fd, &count, sizeof(count)) != sizeof(count) ||
	    count > (stat.size - sizeof(count)) / sizeof(struct tree_entry) || stat.size > SIZE_MAX)
		return -EUCLEAN;
	map = mmap(NULL, (size_t)stat.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	tree->size = (size_t)stat.size;
	tree->entries = (struct tree_entry *)(void *)((uint64_t *)map + 1);
	tree->count = (size_t)count;
	tree->names = (const char *)(tree->entries + tree->count);
	for (size_t i = 0; i < tree->count; i++)
		tree->special = tree->special || is_special(tree->entries[i].mode);
	return is_sound(tree, (const char *)map + tree->size) ? 0 : -EUCLEAN;
}

int tree_open(struct tree *tree, const struct cow_store *store, struct fault *fault)
{
	struct kernel_statx stat;
	int fd, error = cow_stat(cow_layers(store), TREE_DIRECTORY, &stat);

	*tree = (struct tree){ .lower = store->lower,
			       .dev_major = stat.dev_major,
			       .dev_minor = stat.dev_minor,
			       .inode = stat.inode };
	fd = error < 0 ? error
		       : sys_openat(store->dir, TREE_INDEX,
				    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	error = fd < 0 ? fd : map_index(tree, fd);
	if (fd >= 0)
		sys_close(fd);
	if (error == 0)
		return 0;
	tree_close(tree);
	if (error != -ENOENT && error != -EUCLEAN)
		return fault_errno(fault, "copy-on-write", TREE_INDEX, error);
	return fault_text(fault, "cow", store->path, COW_IN_PART);
}

void tree_close(struct tree *tree)
{
	if (tree->entries != NULL)
		(void)munmap((uint64_t *)(void *)tree->entries - 1, tree->size);
	*tree = (struct tree){ .lower = -1 };
}

struct tree_entry *tree_find(const struct tree *tree, const struct kernel_statx *stat)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree->entries[middle].inode < stat->inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == tree->count || tree->entries[low].inode != stat->inode ||
	    (stat->mask & KERNEL_STATX_BIRTH) == 0 ||
	    !tree_same_time(&tree->entries[low].birth, stat->birth.seconds,
			    stat->birth.nanoseconds))
		return NULL;
	return &tree->entries[low];
}

bool tree_is_at(const struct tree *tree, const struct tree_entry *entry, const char *path)
{
	const struct tree_entry *end = tree->entries + tree->count;

	for (const struct tree_entry *name = entry; name < end && name->inode == entry->inode;
	     name++)
		if (strcmp(tree_path(tree, name), path) == 0)
			return true;
	return false;
}

bool tree_is_unchanged(const struct tree_entry *entry, const struct kernel_statx *stat)
{
	if ((entry->flags & TREE_CHANGED) != 0)
		return false;
	return tree_is_half(entry) ||
	       (entry->size == stat->size && entry->mode == stat->mode &&
		tree_same_time(&entry->change, stat->change.seconds, stat->change.nanoseconds) &&
		tree_same_time(&entry->modification, stat->modification.seconds,
			       stat->modification.nanoseconds));
}

bool tree_is_half(const struct tree_entry *entry)
{
	return (entry->flags & (TREE_FILLING | TREE_FILLED)) == TREE_FILLING;
}

/* --- Content -------------------------------------------------------------------------------------- */

/* Its path may be longer than what the kernel takes at once. */
int tree_open_lower(const struct tree *tree, const struct tree_entry *entry)
{
	const char *path = tree_path(tree, entry);
	struct resolver resolver = { .root = tree->lower };
	char piece[PATH_MAX];
	int fd, flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
	size_t length;

	for (;;) {
		length = strnlen(path, PATH_MAX);
		while (length >= PATH_MAX - 1 || (path[length] != '\0' && path[length] != '/'))
			length--;
		memcpy(piece, path, length);
		piece[length] = '\0';
		fd = resolve_open(&resolver, piece,
				  path[length] == '\0' ? flags : O_PATH | O_DIRECTORY | O_NOFOLLOW,
				  0, RESOLVE_BELOW);
		if (resolver.root != tree->lower)
			sys_close(resolver.root);
		if (fd < 0 || path[length] == '\0')
			return fd;
		resolver.root = fd;
		path += length + 1;
	}
}

struct copying {
	const struct tree *tree;
	int from, to;
	uint64_t done; /* since the last pause */
};

static int pause_after(struct copying *copying, uint64_t count)
{
	const struct tree *tree = copying->tree;

	copying->done += count;
	if (tree->pause == NULL || copying->done < PIECE)
		return 0;
	copying->done = 0;
	return tree->pause(tree->context);
}

static int write_all(int fd, const char *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		long count = sys_write(fd, bytes + done, size - done);

		if (count < 0 && count != -EINTR)
			return (int)count;
		done += count > 0 ? (size_t)count : 0;
	}
	return 0;
}

/* SIZE bytes from where both are, or as far as there are any. Returns 1 at the end, 0, or -errno. */
static int copy_by_hand(struct copying *copying, uint64_t size)
{
	char part[PART];

	while (size > 0) {
		long count = sys_read(copying->from, part, size < PART ? (size_t)size : PART);
		int error;

		if (count == -EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? (int)count : 1;
		error = write_all(copying->to, part, (size_t)count);
		if (error == 0)
			error = pause_after(copying, (uint64_t)count);
		if (error < 0)
			return error;
		size -= (uint64_t)count;
	}
	return 0;
}

/* A piece of data without holes. Which errors copy_file_range(2) has where it cannot, the page does not say. */
static int copy_data(struct copying *copying, int64_t at, int64_t end)
{
	int64_t there = sys_lseek(copying->from, at, SEEK_SET);
	long count = 0;
	int error = 0;

	if (there >= 0)
		there = sys_lseek(copying->to, at, SEEK_SET);
	if (there < 0)
		return (int)there;
	for (; at < end && error == 0; at += count) {
		count = sys_copy_file_range(copying->from, copying->to,
					    end - at < PIECE ? (size_t)(end - at) : PIECE);
		if (count == 0)
			return 0;
		if (count == -ENOSPC || count == -EDQUOT || count == -EIO || count == -EFBIG)
			return (int)count;
		if (count < 0)
			return copy_by_hand(copying, (uint64_t)(end - at));
		error = pause_after(copying, (uint64_t)count);
	}
	return error;
}

static int copy_extents(struct copying *copying, int64_t size)
{
	int64_t at = 0, hole;
	int error = 0;

	while (error == 0 && at < size) {
		at = sys_lseek(copying->from, at, SEEK_DATA);
		if (at == -ENXIO)
			return 0;
		if (at < 0)
			return copy_data(copying, 0, size);
		hole = sys_lseek(copying->from, at, SEEK_HOLE);
		if (hole <= at || hole > size)
			hole = size;
		error = copy_data(copying, at, hole);
		if (error == 0)
			error = pause_after(copying, LEAST);
		at = hole;
	}
	return error;
}

static int copy(const struct tree *tree, int from, int to, uint64_t size)
{
	struct copying copying = { .tree = tree, .from = from, .to = to };
	int error;

	if (size <= SMALL) {
		error = copy_by_hand(&copying, size);
		return error > 0 ? 0 : error;
	}
	if (sys_ioctl(to, KERNEL_FICLONE, (void *)(uintptr_t)from) == 0)
		return 0;
	return copy_extents(&copying, (int64_t)size);
}

/* --- Filling -------------------------------------------------------------------------------------- */

static void name_fd(char name[NAME_SIZE], int fd)
{
	char digits[16], *digit = digits;

	do
		*digit++ = (char)('0' + fd % 10);
	while ((fd /= 10) > 0);
	while (digit > digits)
		*name++ = *--digit;
	*name = '\0';
}

/* Opens for writing what FD is, whose mode becomes another where that is needed. */
static int open_file(int fds, int fd, const struct kernel_statx *stat)
{
	char name[NAME_SIZE];
	int error, file;

	name_fd(name, fd);
	file = sys_openat(fds, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | KERNEL_LARGEFILE, 0);
	if (file != -EACCES)
		return file;
	error = sys_fchmodat(fds, name, (stat->mode & 07777) | S_IWUSR);
	if (error < 0)
		return file;
	file = sys_openat(fds, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | KERNEL_LARGEFILE, 0);
	if (file < 0)
		(void)sys_fchmodat(fds, name, stat->mode & 07777);
	return file;
}

static struct cow_time modification(const struct kernel_statx *stat)
{
	return (struct cow_time){ stat->modification.seconds, stat->modification.nanoseconds };
}

static struct cow_time change(const struct kernel_statx *stat)
{
	return (struct cow_time){ stat->change.seconds, stat->change.nanoseconds };
}

/* Whoever dies while the file gets its content leaves in the index what the file was before, and STAT becomes
 * that. */
static void begin(struct tree_entry *entry, struct kernel_statx *stat)
{
	struct cow_time time = modification(stat);
	uint32_t flags = TREE_FILLING;

	if (!tree_is_half(entry) && !tree_is_unchanged(entry, stat)) {
		flags |= TREE_CHANGED;
		if (!tree_same_time(&entry->modification, time.seconds, time.nanoseconds))
			flags |= TREE_OWN_TIME;
		entry->mode = stat->mode;
		entry->modification = time;
	}
	entry->flags |= flags;
	stat->mode = (uint16_t)entry->mode;
	stat->modification.seconds = entry->modification.seconds;
	stat->modification.nanoseconds = entry->modification.nanoseconds;
}

/* As it was before: mode, which a write may have taken something from, and times. Those that it has from the lower
 * file are that file's of now. */
static int give_attributes(const struct tree_entry *entry, int file,
			   const struct kernel_statx *stat, const struct kernel_statx *lower)
{
	const struct kernel_statx *from = (entry->flags & TREE_OWN_TIME) != 0 ? stat : lower;
	const struct kernel_times times[2] = {
		{ stat->access.seconds, stat->access.nanoseconds },
		{ from->modification.seconds, from->modification.nanoseconds },
	};
	/* Or open_file(). */
	bool taken = (stat->mode & (S_ISUID | S_ISGID)) != 0 || (stat->mode & S_IWUSR) == 0;
	struct kernel_statx now = *stat;
	int error = taken ? cow_stat(file, "", &now) : 0;

	if (error == 0 && now.mode != stat->mode)
		error = sys_fchmod(file, stat->mode & 07777);
	return error < 0 ? error : sys_futimens(file, times);
}

/* FILE has its content. */
static int note(struct tree_entry *entry, int file)
{
	struct kernel_statx stat;
	int error = cow_stat(file, "", &stat);

	if (error < 0)
		return error;
	entry->size = stat.size;
	entry->change = change(&stat);
	entry->modification = modification(&stat);
	entry->flags |= TREE_FILLED;
	return 0;
}

/* FILE has none, as before: holes alone. It can be filled later. */
static void give_up(struct tree_entry *entry, int file, const struct kernel_statx *before)
{
	struct kernel_statx stat;

	(void)sys_ftruncate(file, 0);
	(void)sys_ftruncate(file, entry->size);
	(void)give_attributes(entry, file, before, before);
	if (cow_stat(file, "", &stat) == 0)
		entry->change = change(&stat);
	entry->flags &= ~(uint32_t)TREE_FILLING;
}

static int fill(const struct tree *tree, struct tree_entry *entry, int file,
		const struct kernel_statx *stat, int lower)
{
	struct kernel_statx from;
	int error = cow_stat(lower, "", &from);

	if (error == 0 && !S_ISREG(from.mode))
		error = -ENOENT;
	/* Nothing stays of what is here: somebody has died here, or has got a descriptor that was not asked for. */
	if (error == 0 && stat->blocks > 0)
		error = sys_ftruncate(file, 0);
	if (error == 0 && (from.size != stat->size || stat->blocks > 0))
		error = sys_ftruncate(file, from.size);
	if (error == 0)
		error = copy(tree, lower, file, from.size);
	if (error == 0)
		error = give_attributes(entry, file, stat, &from);
	if (error == 0)
		error = note(entry, file);
	if (error < 0)
		give_up(entry, file, stat);
	return error;
}

int tree_reopen(int fds, int fd, int flags)
{
	char name[NAME_SIZE];

	name_fd(name, fd);
	return sys_openat(fds, name, flags, 0);
}

bool tree_has(const struct tree *tree, int fd)
{
	struct kernel_statx stat;

	return cow_stat(fd, "", &stat) == 0 && stat.dev_major == tree->dev_major &&
	       stat.dev_minor == tree->dev_minor && S_ISREG(stat.mode) &&
	       tree_find(tree, &stat) != NULL;
}

int tree_fill(const struct tree *tree, int fds, int fd, bool empty)
{
	struct kernel_statx stat;
	struct tree_entry *entry;
	int lower, file, error = cow_stat(fd, "", &stat);

	if (error < 0)
		return error;
	if (stat.dev_major != tree->dev_major || stat.dev_minor != tree->dev_minor)
		return 0;
	entry = S_ISREG(stat.mode) ? tree_find(tree, &stat) : NULL;
	if (entry == NULL || (entry->flags & TREE_FILLED) != 0)
		return entry != NULL;
	if (empty) {
		entry->flags |= TREE_FILLED | TREE_CHANGED;
		return 1;
	}
	lower = tree_open_lower(tree, entry);
	if (lower < 0)
		return lower;
	begin(entry, &stat);
	error = file = open_file(fds, fd, &stat);
	if (file >= 0) {
		error = fill(tree, entry, file, &stat, lower);
		sys_close(file);
	} else {
		entry->flags &= ~(uint32_t)TREE_FILLING;
	}
	sys_close(lower);
	return error < 0 ? error : 1;
}
