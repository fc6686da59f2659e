/* SPDX-License-Identifier: MIT */
/* What has changed in the tree, as changes in overlayfs's format: see cow.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mountns/cow_upper.h"
#include "mountns/tree_index.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define WHOLE 0700

struct level {
	struct cow_names names;
	size_t next;
	size_t length; /* of the path */
	struct cow_marks marks;
	struct kernel_statx stat; /* of the tree's directory */
	const struct tree_entry
		*entry; /* it stands for the lower one of its path; NULL: it does not */
	bool forced;
};

struct collector {
	struct cow_store *store;
	struct fault *fault;
	struct tree tree;
	int fds;
	const struct tree_entry **by_path; /* all entries, sorted */
	struct cow_cursor from, to;        /* tree/ and upper/ */
	struct level *levels;
	size_t depth, room;
	char *path;
	size_t path_room;
	/* From a tree in memory files are copied: see cow_copy_file(). Also with those that were not filled, and
	 * so not counted, all are not more than the quota. */
	int links;
	uint64_t budget; /* bytes that are left of it */
	bool too_much;
};

/* --- What was there ------------------------------------------------------------------------------- */

static int compare_paths(const void *a, const void *b, void *context)
{
	const struct tree *tree = context;

	return strcmp(tree_path(tree, *(const struct tree_entry *const *)a),
		      tree_path(tree, *(const struct tree_entry *const *)b));
}

static int sort_paths(struct collector *collector)
{
	struct tree *tree = &collector->tree;

	collector->by_path = calloc(tree->count + 1, sizeof(void *));
	if (collector->by_path == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++)
		collector->by_path[i] = &tree->entries[i];
	qsort_r(collector->by_path, tree->count, sizeof(void *), compare_paths, tree);
	return 0;
}

/* The first one whose path is not before TEXT. */
static size_t first_path(const struct collector *collector, const char *text)
{
	size_t low = 0, high = collector->tree.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(tree_path(&collector->tree, collector->by_path[middle]), text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool in_memory(const struct collector *collector)
{
	return collector->store->state == COW_MEMORY;
}

/* Another's owner, as far as that was ours only because it could not be given to it while the box ran. */
static void give_owner(const struct collector *collector, const struct tree_entry *entry,
		       struct kernel_statx *stat)
{
	struct kernel_statx lower;

	if (geteuid() != 0 || stat->uid != 0 || entry == NULL ||
	    cow_stat(collector->store->lower, tree_path(&collector->tree, entry), &lower) < 0)
		return;
	stat->uid = lower.uid;
	stat->gid = lower.gid;
}

/* --- Whiteouts ------------------------------------------------------------------------------------ */

/* What has been in the directory and is not there any more. */
static int put_whiteouts(struct collector *collector, const struct level *level)
{
	size_t length = level->length;
	int error = 0;

	collector->path[length] = '\0';
	if (length > 0)
		strcpy(collector->path + length++, "/");
	for (size_t i = first_path(collector, collector->path);
	     error == 0 && i < collector->tree.count; i++) {
		const struct tree_entry *entry = collector->by_path[i];
		const char *path = tree_path(&collector->tree, entry);

		if (strncmp(path, collector->path, length) != 0)
			break;
		path += length;
		if (*path == '\0' || strchr(path, '/') != NULL ||
		    (entry->flags & TREE_FOREIGN) != 0 || cow_names_has(&level->names, path))
			continue;
		error = cow_put_whiteout(collector->to.fd, path);
	}
	collector->path[level->length] = '\0';
	return error;
}

/* --- Files ---------------------------------------------------------------------------------------- */

static int fill(struct collector *collector, const char *name)
{
	int error, fd = sys_openat(collector->from.fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	error = tree_fill(&collector->tree, collector->fds, fd, false);
	sys_close(fd);
	return error < 0 ? error : 0;
}

/* The attributes of overlayfs are what we say, not what the box has written there. */
static int mark_file(struct collector *collector, const char *name, struct kernel_statx stat,
		     bool here, bool owner)
{
	int close_error, error = 0, fd = cow_open_file(collector->from.fd, name, &stat, O_RDWR);

	if (fd < 0)
		return fd;
	error = cow_attributes_strip(fd);
	if (error == 0 && here && fsetxattr(fd, COW_OVERLAY_PREFIX "origin", "", 0, 0) < 0)
		error = -errno;
	if (error == 0 && owner && fchown(fd, stat.uid, stat.gid) < 0)
		error = -errno;
	if (error == 0 && owner)
		error = sys_fchmod(fd, stat.mode & 07777);
	close_error = cow_close_file(fd, &stat);
	return error < 0 ? error : close_error;
}

/* CONTENT is the lower file, or -1 for the one in the tree. */
static int take_room(struct collector *collector, const struct kernel_statx *stat, int content)
{
	struct kernel_statx lower;
	uint64_t size = stat->blocks * 512;
	int error = content < 0 ? 0 : cow_stat(content, "", &lower);

	if (error < 0)
		return error;
	if (content >= 0)
		size = lower.blocks * 512 < lower.size ? lower.blocks * 512 : lower.size;
	collector->too_much = size > collector->budget;
	if (collector->too_much)
		return -ENOSPC;
	collector->budget -= size;
	return 0;
}

/* A file that has not got its content yet gets it where the copy is. */
static int keep_content(struct collector *collector, const struct cow_copier *copier,
			const char *name, const struct tree_entry *entry,
			const struct kernel_statx *made)
{
	struct kernel_statx stat = *made;
	int error = 0, content = -1;

	if (entry != NULL && (entry->flags & TREE_FILLED) == 0)
		error = content = tree_open_lower(&collector->tree, entry);
	if (error >= 0)
		error = take_room(collector, &stat, content);
	if (entry != NULL && tree_is_half(entry)) {
		stat.modification.seconds = entry->modification.seconds;
		stat.modification.nanoseconds = entry->modification.nanoseconds;
	}
	if (error == 0)
		error = cow_copy_file(copier, name, &stat, content);
	if (content >= 0)
		sys_close(content);
	return error;
}

static int keep_copy(struct collector *collector, const char *name, const struct tree_entry *entry,
		     const struct kernel_statx *stat, bool here)
{
	const struct cow_copier copier = { collector->from.fd, collector->to.fd, collector->links,
					   COW_COPY_ALL, here };

	if (S_ISREG(stat->mode) && !cow_copy_is_there(&copier, stat))
		return keep_content(collector, &copier, name, entry, stat);
	return cow_copy_file(&copier, name, stat, -1);
}

static int keep(struct collector *collector, const char *name, const struct tree_entry *entry,
		const struct kernel_statx *made, bool here)
{
	struct kernel_statx stat = *made;
	bool owner;
	int error = 0;

	give_owner(collector, entry, &stat);
	if (in_memory(collector))
		return keep_copy(collector, name, entry, &stat, here);
	owner = stat.uid != made->uid || stat.gid != made->gid;
	if (S_ISREG(stat.mode)) {
		error = fill(collector, name);
		if (error == 0)
			error = mark_file(collector, name, stat, here, owner);
	} else if (owner && fchownat(collector->from.fd, name, stat.uid, stat.gid,
				     AT_SYMLINK_NOFOLLOW) < 0) {
		error = -errno;
	}
	if (error == 0 && linkat(collector->from.fd, name, collector->to.fd, name, 0) < 0)
		error = -errno;
	return error;
}

/* --- Directories ---------------------------------------------------------------------------------- */

static int grow(struct collector *collector)
{
	size_t room = collector->room * 2 + 16;
	struct level *levels = collector->levels;

	if (collector->depth < collector->room)
		return 0;
	levels = reallocarray(levels, room, sizeof(*levels));
	if (levels == NULL)
		return -ENOMEM;
	collector->levels = levels;
	collector->room = room;
	return 0;
}

/* Both cursors are in the directory. */
static int enter(struct collector *collector, const struct kernel_statx *stat,
		 const struct tree_entry *entry, bool forced)
{
	struct level *level = &collector->levels[collector->depth];
	int error;

	*level = (struct level){
		.length = strlen(collector->path), .stat = *stat, .entry = entry, .forced = forced
	};
	collector->depth++;
	error = cow_names_read(&level->names, collector->from.fd);
	return error < 0 ? error : cow_marks_read(&level->marks, collector->from.fd);
}

static int collect_directory(struct collector *collector, const char *name,
			     const struct tree_entry *entry, const struct kernel_statx *stat)
{
	bool forced = (stat->mode & WHOLE) != WHOLE && geteuid() != 0;
	int error = sys_mkdirat(collector->to.fd, name, WHOLE);

	if (error == 0)
		error = grow(collector);
	if (error == 0 && forced)
		error = cow_force(collector->from.fd, name, stat, WHOLE);
	if (error == 0)
		error = cow_cursor_down(&collector->from, name);
	if (error == 0)
		error = cow_cursor_down(&collector->to, name);
	return error < 0 ? error : enter(collector, stat, entry, forced);
}

/* Only its times can be others than before. */
static bool is_same_directory(const struct collector *collector, const struct level *level, int fd)
{
	const struct kernel_statx *stat = &level->stat;
	bool same = level->entry->mode == stat->mode;
	int lower;

	if (!same ||
	    tree_same_time(&level->entry->change, stat->change.seconds, stat->change.nanoseconds))
		return same;
	lower = sys_openat(collector->store->lower, collector->path, DIRECTORY, 0);
	if (lower >= 0) {
		same = cow_attributes_same(fd, lower);
		sys_close(lower);
	}
	return same;
}

static int mark_directory(struct collector *collector, const struct level *level, bool top,
			  int from, int to)
{
	struct kernel_statx stat = level->stat;

	give_owner(collector, level->entry, &stat);
	if (top && fsetxattr(to, COW_OVERLAY_PREFIX "opaque", "y", 1, 0) < 0)
		return -errno;
	if (level->entry != NULL && fsetxattr(to, COW_OVERLAY_PREFIX "origin", "", 0, 0) < 0)
		return -errno;
	return cow_attributes_copy(from, &stat, to, COW_COPY_ALL);
}

static int finish_directory(struct collector *collector, const struct level *level,
			    const char *name)
{
	bool top = level->entry == NULL && collector->levels[collector->depth - 1].entry != NULL;
	int from = sys_openat(collector->from.fd, name, DIRECTORY, 0);
	int error = 0, to = sys_openat(collector->to.fd, name, DIRECTORY, 0);

	if (from < 0 || to < 0)
		error = from < 0 ? from : to;
	else if (level->entry == NULL || !is_same_directory(collector, level, from) ||
		 (error = sys_unlinkat(collector->to.fd, name, AT_REMOVEDIR)) == -ENOTEMPTY)
		error = mark_directory(collector, level, top, from, to);
	if (error == 0 && level->forced)
		error = sys_fchmod(from, level->stat.mode & 07777);
	if (from >= 0)
		sys_close(from);
	if (to >= 0)
		sys_close(to);
	return error;
}

static int leave(struct collector *collector)
{
	struct level *level = &collector->levels[collector->depth - 1];
	const char *name;
	int error = level->entry == NULL || (level->entry->flags & TREE_FOREIGN) != 0
			    ? 0
			    : put_whiteouts(collector, level);

	if (error == 0)
		error = cow_cursor_up(&collector->from);
	if (error == 0)
		error = cow_cursor_up(&collector->to);
	if (error < 0)
		return error;
	collector->depth--;
	cow_names_free(&level->names);
	collector->path[level->length] = '\0';
	name = strrchr(collector->path, '/');
	return finish_directory(collector, level, name == NULL ? collector->path : name + 1);
}

/* --- The walk ------------------------------------------------------------------------------------- */

static int collect_entry(struct collector *collector, struct level *level, const char *name)
{
	struct kernel_statx stat;
	const struct tree_entry *entry;
	bool here;
	int error = cow_stat(collector->from.fd, name, &stat);

	if (error < 0)
		return error;
	if (level->marks.inode == stat.inode && !S_ISLNK(stat.mode))
		stat.mode = (uint16_t)((stat.mode & S_IFMT) | level->marks.mode);
	entry = tree_find(&collector->tree, &stat);
	if (entry != NULL && tree_is_half(entry))
		stat.mode = (uint16_t)entry->mode;
	here = level->entry != NULL && entry != NULL &&
	       tree_is_at(&collector->tree, entry, collector->path);
	if (S_ISDIR(stat.mode))
		return collect_directory(collector, name, here ? entry : NULL, &stat);
	if (here && tree_is_unchanged(entry, &stat))
		return 0;
	return keep(collector, name, entry, &stat, here);
}

static int set_path(struct collector *collector, size_t length, const char *name)
{
	size_t need = length + strlen(name) + 3;
	char *path = collector->path;

	if (need > collector->path_room) {
		path = realloc(path, need * 2);
		if (path == NULL)
			return -ENOMEM;
		collector->path = path;
		collector->path_room = need * 2;
	}
	if (length > 0)
		path[length++] = '/';
	strcpy(path + length, name);
	return 0;
}

static int collect_all(struct collector *collector)
{
	int error = 0;

	while (error == 0) {
		struct level *level = &collector->levels[collector->depth - 1];

		if (level->next < level->names.count) {
			const char *name = level->names.list[level->next++];

			error = set_path(collector, level->length, name);
			if (error == 0)
				error = collect_entry(collector, level, name);
		} else if (collector->depth == 1) {
			return put_whiteouts(collector, level);
		} else {
			error = leave(collector);
		}
	}
	return error;
}

/* The root is the lower one's in any case, with its owner. */
static int finish_root(struct collector *collector, int root)
{
	struct level *level = &collector->levels[0];
	struct kernel_statx upper;
	int error = cow_stat(collector->store->upper, "", &upper);

	if (error < 0)
		return error;
	level->stat.uid = upper.uid;
	level->stat.gid = upper.gid;
	error = cow_attributes_copy(root, &level->stat, collector->store->upper, COW_COPY_ROOT);
	return error == 0 && level->forced ? sys_fchmod(root, level->stat.mode & 07777) : error;
}

static int open_root(struct collector *collector, struct kernel_statx *stat, bool *forced)
{
	int dir = cow_layers(collector->store);
	struct cow_marks marks;
	int error = cow_marks_read(&marks, dir);

	if (error == 0)
		error = cow_stat(dir, TREE_DIRECTORY, stat);
	if (error < 0)
		return error;
	if (marks.inode == stat->inode)
		stat->mode = (uint16_t)(S_IFDIR | marks.mode);
	*forced = (stat->mode & WHOLE) != WHOLE && geteuid() != 0;
	if (*forced)
		error = cow_force(dir, TREE_DIRECTORY, stat, WHOLE);
	return error < 0 ? error : sys_openat(dir, TREE_DIRECTORY, DIRECTORY, 0);
}

static int collect(struct collector *collector)
{
	static const struct tree_entry root_entry = { .flags = 0 };
	struct kernel_statx stat;
	bool forced;
	int error, root = open_root(collector, &stat, &forced);

	if (root < 0)
		return root;
	error = cow_cursor_start(&collector->from, root);
	if (error == 0)
		error = cow_cursor_start(&collector->to, collector->store->upper);
	if (error == 0)
		error = set_path(collector, 0, "");
	if (error == 0)
		error = grow(collector);
	if (error == 0)
		error = enter(collector, &stat, &root_entry, forced);
	if (error == 0)
		error = collect_all(collector);
	if (error == 0)
		error = finish_root(collector, root);
	sys_close(root);
	return error;
}

/* What an interrupted one has left is made anew. */
static int empty_upper(struct cow_store *store)
{
	int error = cow_remove(store->dir, COW_UPPER, true);

	return error < 0 ? error : cow_make_upper(store);
}

/* A tree in memory is on another file system. */
static int prepare_copies(struct collector *collector)
{
	const struct cow_store *store = collector->store;
	int error, dir = store->dir;
	struct statfs memory;

	if (!in_memory(collector))
		return 0;
	cow_unbound_memory(store);
	if (fstatfs(store->memory.root, &memory) < 0)
		return -errno;
	collector->budget = (uint64_t)memory.f_blocks * (uint64_t)memory.f_bsize;
	error = sys_mkdirat(dir, COW_LINKS, 0700);
	if (error == 0)
		error = collector->links = sys_openat(dir, COW_LINKS, DIRECTORY, 0);
	return error < 0 ? error : 0;
}

static int collect_from(struct collector *collector)
{
	int error = empty_upper(collector->store);

	if (error == 0)
		error = prepare_copies(collector);
	if (error == 0)
		error = collector->fds =
			sys_openat(AT_FDCWD, "/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (error >= 0)
		error = sort_paths(collector);
	if (error == 0)
		error = collect(collector);
	return error;
}

/* From here on upper/ is all that counts; files have no names elsewhere. */
static int end(struct cow_store *store, struct fault *fault)
{
	int error = 0;

	if (store->state == COW_MEMORY)
		error = cow_remove(store->dir, COW_LINKS, true);
	if (error < 0)
		return cow_fault(store, fault, store->path, error);
	if (cow_end(store, fault) < 0)
		return -1;
	cow_leave_memory(store);
	error = cow_remove(store->dir, TREE_DIRECTORY, true);
	if (error == 0)
		error = cow_remove(store->dir, TREE_INDEX, true);
	return error < 0 ? cow_fault(store, fault, store->path, error) : 0;
}

int tree_collect(struct cow_store *store, struct fault *fault)
{
	struct collector collector = { .store = store, .fault = fault, .fds = -1, .links = -1 };
	mode_t mask = umask(0);
	int error;

	collector.from.fd = collector.to.fd = -1;
	error = cow_boot_check(store, fault);
	if (error == 0)
		error = tree_open(&collector.tree, store, fault);
	if (error == 0) {
		error = collect_from(&collector);
		if (collector.too_much)
			error = cow_fault_text(store, fault, collector.path,
					       "with its content the changes are more than "
					       "--cow-quota");
		else if (error < 0)
			error = cow_fault(store, fault,
					  collector.path == NULL ? store->path : collector.path,
					  error);
		tree_close(&collector.tree);
	}
	(void)umask(mask);
	for (size_t i = 0; i < collector.depth; i++)
		cow_names_free(&collector.levels[i].names);
	cow_cursor_end(&collector.from);
	cow_cursor_end(&collector.to);
	if (collector.fds >= 0)
		sys_close(collector.fds);
	if (collector.links >= 0)
		sys_close(collector.links);
	free(collector.levels);
	free(collector.by_path);
	free(collector.path);
	return error < 0 ? -1 : end(store, fault);
}
