/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "init/guard_tree.h"
#include "init/listener.h"
#include "mountns/sys.h"

#define DIRECTORY (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int open_directory(struct standin_directory *directory, int dir, const char *name,
			  const char *path)
{
	int error, fd = sys_openat(dir, name, DIRECTORY, 0);

	if (fd < 0)
		return fd;
	error = standin_open(directory, fd, path);
	return error;
}

static int name_tree(struct guard_tree *tree, const struct cow_store *store)
{
	char name[64];
	int fd = sys_openat(store->dir, "tree", DIRECTORY, 0);
	long length;

	if (fd < 0)
		return fd;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	length = readlink(name, tree->path, sizeof(tree->path) - 1);
	close(fd);
	if (length <= 0 || length == (long)sizeof(tree->path) - 1)
		return -ENAMETOOLONG;
	tree->path[length] = '\0';
	return 0;
}

int guard_tree_open(struct guard_tree *tree, const struct box *box)
{
	const struct cow_store *store = box->cow;
	int error = name_tree(tree, store);

	tree->tree = box->tree;
	tree->again = calloc(1, sizeof(*tree->again));
	if (tree->again == NULL)
		return -ENOMEM;
	if (error == 0)
		error = open_directory(&tree->standin.tree, store->dir, "tree", tree->path);
	if (error == 0)
		error = open_directory(&tree->standin.lower, store->lower, ".", store->lower_path);
	if (error == 0)
		error = tree->cow.root = sys_openat(AT_FDCWD, "/", DIRECTORY, 0);
	if (error < 0)
		return error;
	tree->cow.tree = &tree->tree;
	tree->cow.standin = &tree->standin;
	tree->cow.again = tree->again;
	tree->cow.repeat = again_start_list;
	return 0;
}

void guard_tree_list(const struct guard_tree *tree, int fds[GUARD_TREE_FDS])
{
	fds[0] = tree->tree.lower;
	fds[1] = tree->standin.tree.fd;
	fds[2] = tree->standin.lower.fd;
	fds[3] = tree->cow.root;
}

void guard_tree_begin(struct guard_tree *tree, const struct box *box, int fds, int init)
{
	tree->cow.fds = fds;
	again_prepare(init);
	listener_fill_command(box, &tree->cow);
}
