/* SPDX-License-Identifier: MIT */
/* Making the tree and its index from the lower directory, before the box starts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "mountns/cow_upper.h"
#include "mountns/tree_index.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct level {
	struct cow_names names;
	size_t next;
	size_t length; /* of the path of the directory */
	struct kernel_statx stat;
};

/* A lower file with more than one name, and one of them. */
struct group {
	uint64_t inode;
	uint64_t path;
};

struct maker {
	const struct cow_store *store;
	struct fault *fault;
	struct cow_cursor lower, tree;
	int root; /* of the tree */
	struct level *levels;
	size_t depth, level_room;
	struct tree_entry *entries;
	size_t count, entry_room;
	char *names;
	size_t names_size, names_room;
	struct group *groups; /* open addressing by inode; path 0 is free: it is the root's */
	size_t group_count, group_room;
	char *path;
	size_t path_room;
};

static int fail(struct maker *maker, const char *path, int error)
{
	return cow_fault((struct cow_store *)(uintptr_t)maker->store, maker->fault, path, error);
}

/* ARRAY is the address of a pointer to ROOM things of SIZE. */
static int grow(void *array, size_t *room, size_t need, size_t size)
{
	size_t more = need + *room + 64;
	void *bytes;

	if (need <= *room)
		return 0;
	memcpy(&bytes, array, sizeof(bytes));
	bytes = reallocarray(bytes, more, size);
	if (bytes == NULL)
		return -ENOMEM;
	memcpy(array, &bytes, sizeof(bytes));
	*room = more;
	return 0;
}

/* --- The index ------------------------------------------------------------------------------------ */

static int add_name(struct maker *maker, uint64_t *at)
{
	size_t size = strlen(maker->path) + 1;
	int error = grow(&maker->names, &maker->names_room, maker->names_size + size, 1);

	if (error < 0)
		return error;
	*at = maker->names_size;
	memcpy(maker->names + maker->names_size, maker->path, size);
	maker->names_size += size;
	return 0;
}

static struct cow_time time_of(int64_t seconds, uint32_t nanoseconds)
{
	return (struct cow_time){ .seconds = seconds, .nanoseconds = nanoseconds };
}

/* The entry NAME of the tree is as it shall be. */
static int add_entry(struct maker *maker, const char *name, uint32_t flags)
{
	struct kernel_statx stat;
	struct tree_entry *entry;
	int error = cow_stat(maker->tree.fd, name, &stat);

	if (error == 0 && (stat.mask & KERNEL_STATX_BIRTH) == 0)
		error = -EOPNOTSUPP;
	if (error == 0)
		error = grow(&maker->entries, &maker->entry_room, maker->count + 1, sizeof(*entry));
	if (error < 0)
		return error;
	entry = &maker->entries[maker->count];
	*entry = (struct tree_entry){
		.inode = stat.inode,
		.birth = time_of(stat.birth.seconds, stat.birth.nanoseconds),
		.change = time_of(stat.change.seconds, stat.change.nanoseconds),
		.modification = time_of(stat.modification.seconds, stat.modification.nanoseconds),
		.size = stat.size,
		.mode = stat.mode,
		.flags = flags | (S_ISREG(stat.mode) && stat.size > 0 ? 0 : TREE_FILLED),
	};
	error = add_name(maker, &entry->path);
	maker->count += error == 0;
	return error;
}

static struct group *find_group(struct maker *maker, uint64_t inode)
{
	size_t at = (size_t)(inode * 0x9e3779b97f4a7c15U) & (maker->group_room - 1);

	while (maker->groups[at].path != 0 && maker->groups[at].inode != inode)
		at = (at + 1) & (maker->group_room - 1);
	return &maker->groups[at];
}

static int grow_groups(struct maker *maker)
{
	struct group *old = maker->groups;
	size_t count = maker->group_room;

	if (maker->group_count * 2 < count)
		return 0;
	maker->group_room = count == 0 ? 64 : count * 2;
	maker->groups = calloc(maker->group_room, sizeof(*old));
	if (maker->groups == NULL) {
		maker->groups = old;
		maker->group_room = count;
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		if (old[i].path != 0)
			*find_group(maker, old[i].inode) = old[i];
	free(old);
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct tree_entry *left = a, *right = b;

	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	return left->path < right->path ? -1 : left->path > right->path;
}

/* A name more has changed the inode's time. */
static void take_last_change(struct maker *maker)
{
	for (size_t i = 0, first = 0; i < maker->count; i++) {
		struct tree_entry *entry = &maker->entries[i];

		if (entry->inode != maker->entries[first].inode)
			first = i;
		if (entry->path >= maker->entries[first].path)
			maker->entries[first].change = entry->change;
	}
}

static int write_all(int fd, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t count = write(fd, (const char *)bytes + done, size - done);

		if (count < 0 && errno != EINTR)
			return -errno;
		done += count > 0 ? (size_t)count : 0;
	}
	return 0;
}

static int write_index(struct maker *maker)
{
	const uint64_t count = maker->count;
	int error, fd = openat(maker->store->dir, TREE_INDEX,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	/* An empty directory has none, and qsort(3) may not be given NULL. */
	if (maker->count > 0)
		qsort(maker->entries, maker->count, sizeof(*maker->entries), compare_entries);
	take_last_change(maker);
	error = write_all(fd, &count, sizeof(count));
	if (error == 0)
		error = write_all(fd, maker->entries, maker->count * sizeof(*maker->entries));
	if (error == 0)
		error = write_all(fd, maker->names, maker->names_size);
	close(fd);
	return error;
}

/* --- Entries -------------------------------------------------------------------------------------- */

static bool has_attributes(int dir, const char *name)
{
	char path[NAME_MAX + 40];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	return llistxattr(path, NULL, 0) > 0;
}

/* TO gets what can be given: to the group of a file all who may can belong, its owner stays ourselves. */
static int copy_attributes(struct maker *maker, const char *name, const struct kernel_statx *stat,
			   int to)
{
	struct timespec times[2];
	struct kernel_statx made;
	int from = -1, error = 0;

	cow_times_of(stat, times);
	if (stat->gid != getegid())
		(void)!fchown(to, (uid_t)-1, stat->gid);
	if (has_attributes(maker->lower.fd, name))
		from = sys_openat(maker->lower.fd, name,
				  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	if (from >= 0) {
		error = cow_stat(to, "", &made);
		if (error == 0) {
			made.mode = stat->mode;
			error = cow_attributes_copy(from, &made, to, COW_COPY_ROOT);
		}
		sys_close(from);
	}
	if (error == 0)
		error = sys_fchmod(to, stat->mode & 07777);
	if (error == 0 && futimens(to, times) < 0)
		error = -errno;
	return error;
}

static int set_times(struct maker *maker, const char *name, const struct kernel_statx *stat)
{
	struct timespec times[2];

	cow_times_of(stat, times);
	return utimensat(maker->tree.fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int make_link(struct maker *maker, const char *name, const struct kernel_statx *stat)
{
	char text[PATH_MAX];
	long length = sys_readlinkat(maker->lower.fd, name, text, sizeof(text) - 1);
	int error;

	if (length < 0)
		return (int)length;
	text[length] = '\0';
	error = sys_symlinkat(text, maker->tree.fd, name);
	return error < 0 ? error : set_times(maker, name, stat);
}

/* Another name for what is in the tree already. 1: it was none. */
static int make_name(struct maker *maker, const char *name, const struct kernel_statx *stat)
{
	struct group *group;
	int error = grow_groups(maker);

	if (error < 0)
		return error;
	group = find_group(maker, stat->inode);
	if (group->path == 0) {
		error = add_name(maker, &group->path);
		group->inode = stat->inode;
		maker->group_count++;
		return error < 0 ? error : 1;
	}
	if (linkat(maker->root, maker->names + group->path, maker->tree.fd, name, 0) == 0)
		return 0;
	/* A long path, a directory that is locked already, or too many names: a copy, then. */
	return errno == ENAMETOOLONG || errno == EACCES || errno == EMLINK ? 1 : -errno;
}

static int make_file(struct maker *maker, const char *name, const struct kernel_statx *stat)
{
	int error = stat->links > 1 ? make_name(maker, name, stat) : 1, fd;

	if (error <= 0)
		return error;
	fd = sys_openat(maker->tree.fd, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | KERNEL_LARGEFILE,
			0600);
	if (fd < 0)
		return fd;
	error = stat->size > 0 ? sys_ftruncate(fd, stat->size) : 0;
	if (error == 0)
		error = copy_attributes(maker, name, stat, fd);
	sys_close(fd);
	return error;
}

static int make_special(struct maker *maker, const char *name, const struct kernel_statx *stat)
{
	int error = sys_mknodat(maker->tree.fd, name, stat->mode);

	return error < 0 ? error : set_times(maker, name, stat);
}

/* --- The walk ------------------------------------------------------------------------------------- */

static int enter(struct maker *maker, const struct kernel_statx *stat)
{
	struct level *level;
	int error =
		grow(&maker->levels, &maker->level_room, maker->depth + 1, sizeof(*maker->levels));

	if (error < 0)
		return error;
	level = &maker->levels[maker->depth++];
	*level = (struct level){ .length = strlen(maker->path), .stat = *stat };
	return cow_names_read(&level->names, maker->lower.fd);
}

/* The directory NAME is made but for what is in it. */
static int finish(struct maker *maker, const char *name, const struct kernel_statx *stat,
		  uint32_t flags)
{
	int error, fd = sys_openat(maker->tree.fd, name, DIRECTORY, 0);

	if (fd < 0)
		return fd;
	error = copy_attributes(maker, name, stat, fd);
	sys_close(fd);
	return error < 0 ? error : add_entry(maker, name, flags);
}

static int make_directory(struct maker *maker, const char *name, const struct kernel_statx *stat)
{
	int error = sys_mkdirat(maker->tree.fd, name, 0700);

	if (error < 0)
		return error;
	error = cow_may_enter(maker->lower.fd, name);
	if (error == 0)
		error = cow_cursor_down(&maker->lower, name);
	if (error < 0)
		return error == -EXDEV || error == -EACCES || error == -EPERM
			       ? finish(maker, name, stat, TREE_FOREIGN)
			       : error;
	error = cow_cursor_down(&maker->tree, name);
	return error < 0 ? error : enter(maker, stat);
}

static int make_entry(struct maker *maker, const char *name)
{
	struct kernel_statx stat;
	int error = cow_stat(maker->lower.fd, name, &stat);

	/* Gone meanwhile. */
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	if (S_ISDIR(stat.mode))
		return make_directory(maker, name, &stat);
	if (S_ISREG(stat.mode))
		error = make_file(maker, name, &stat);
	else if (S_ISLNK(stat.mode))
		error = make_link(maker, name, &stat);
	else if (S_ISFIFO(stat.mode) || S_ISSOCK(stat.mode))
		error = make_special(maker, name, &stat);
	else
		return 0;
	return error < 0 ? error : add_entry(maker, name, 0);
}

static int set_path(struct maker *maker, size_t length, const char *name)
{
	int error = grow(&maker->path, &maker->path_room, length + strlen(name) + 2, 1);

	if (error < 0)
		return error;
	if (length > 0)
		maker->path[length++] = '/';
	strcpy(maker->path + length, name);
	return 0;
}

static int leave(struct maker *maker)
{
	struct level *level = &maker->levels[--maker->depth];
	const char *name;
	int error = cow_cursor_up(&maker->lower);

	cow_names_free(&level->names);
	if (error == 0)
		error = cow_cursor_up(&maker->tree);
	if (error < 0)
		return error;
	maker->path[level->length] = '\0';
	name = strrchr(maker->path, '/');
	return finish(maker, name == NULL ? maker->path : name + 1, &level->stat, 0);
}

static int make_all(struct maker *maker)
{
	int error = 0;

	while (error == 0) {
		struct level *level = &maker->levels[maker->depth - 1];
		const char *name;

		if (level->next == level->names.count) {
			if (maker->depth == 1)
				return 0;
			error = leave(maker);
			continue;
		}
		name = level->names.list[level->next++];
		error = set_path(maker, level->length, name);
		if (error == 0)
			error = make_entry(maker, name);
	}
	return error;
}

/* What the tree's file system has to have. */
static int check_file_system(struct maker *maker)
{
	struct kernel_statx stat;
	int error = cow_stat(maker->root, "", &stat);

	if (error < 0)
		return fail(maker, maker->store->path, error);
	if ((stat.mask & KERNEL_STATX_BIRTH) == 0)
		return cow_fault_text((struct cow_store *)(uintptr_t)maker->store, maker->fault,
				      maker->store->path,
				      "its file system does not know when a file was made");
	return 0;
}

static int start(struct maker *maker)
{
	const struct cow_store *store = maker->store;
	struct kernel_statx stat;
	int dir = cow_layers(store);
	int error = sys_mkdirat(dir, TREE_DIRECTORY, 0700);

	if (error == 0)
		error = maker->root = sys_openat(dir, TREE_DIRECTORY, DIRECTORY, 0);
	if (error < 0)
		return fail(maker, store->path, error);
	if (check_file_system(maker) < 0)
		return -1;
	error = cow_cursor_start(&maker->lower, store->lower);
	if (error == 0)
		error = cow_cursor_start(&maker->tree, maker->root);
	/* Path 0 is that of nothing. */
	if (error == 0)
		error = set_path(maker, 0, "");
	if (error == 0)
		error = add_name(maker, &(uint64_t){ 0 });
	if (error == 0)
		error = cow_stat(store->lower, "", &stat);
	if (error == 0)
		error = enter(maker, &stat);
	return error < 0 ? fail(maker, store->lower_path, error) : 0;
}

/* Nothing of the box has the time of anything here: the kernel's clock ticks some hundred times a second. */
static void wait_for_tick(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) == 0)
		cow_wait_past(&(struct cow_time){ now.tv_sec, (uint32_t)now.tv_nsec });
}

static int make(struct maker *maker)
{
	int error;

	if (start(maker) < 0)
		return -1;
	error = make_all(maker);
	if (error < 0)
		return fail(maker, maker->path, error);
	error = copy_attributes(maker, ".", &maker->levels[0].stat, maker->root);
	if (error == 0)
		error = write_index(maker);
	if (error < 0)
		return fail(maker, maker->store->path, error);
	wait_for_tick();
	return 0;
}

int tree_make(const struct cow_store *store, struct fault *fault)
{
	struct maker maker = { .store = store, .fault = fault, .root = -1 };
	mode_t mask = umask(0);
	int error;

	maker.lower.fd = maker.tree.fd = -1;
	error = make(&maker);
	(void)umask(mask);
	for (size_t i = 0; i < maker.depth; i++)
		cow_names_free(&maker.levels[i].names);
	cow_cursor_end(&maker.lower);
	cow_cursor_end(&maker.tree);
	if (maker.root >= 0)
		close(maker.root);
	free(maker.levels);
	free(maker.entries);
	free(maker.names);
	free(maker.groups);
	free(maker.path);
	return error;
}
