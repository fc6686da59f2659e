/* SPDX-License-Identifier: MIT */
/* A directory, a tree that stands in for it, what is around them, and a child whose calls are notified. */
#ifndef TESTS_UNIT_STANDIN_ROOM_H
#define TESTS_UNIT_STANDIN_ROOM_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "filters/standin.h"
#include "filters/target.h"
#include "mountns/sys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char room[PATH_MAX / 4] = "/tmp/standin.XXXXXX";
static char home[PATH_MAX / 2], lower[PATH_MAX / 2], store[PATH_MAX / 2];
static struct standin standin;

static void must(int result)
{
	assert_true(result >= 0);
}

/* "@" is the room. */
static const char *expand(char *out, const char *text)
{
	char *end = out;

	for (; *text != '\0'; text++)
		end = *text == '@' ? stpcpy(end, room) : (*end = *text, end + 1);
	*end = '\0';
	return out;
}

static void make_link(const char *target, const char *name)
{
	char to[PATH_MAX];

	must(symlink(expand(to, target), name));
}

static void make_file(const char *name, const char *content)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_room(void **state)
{
	(void)state;
	if (mkdtemp(room) == NULL)
		return -1;
	must(chdir(room));
	must(mkdir("home", 0755));
	must(mkdir("home/proj", 0755));
	must(mkdir("home/proj/sub", 0755));
	must(mkdir("home/other", 0755));
	must(mkdir("store", 0755));
	must(mkdir("store/tree", 0755));
	must(mkdir("store/tree/sub", 0755));
	must(mkdir("store/tree/sub/deep", 0755));
	make_file("home/proj/file", "lower");
	make_file("store/tree/file", "tree");
	make_file("store/tree/sub/file", "tree");
	make_file("home/other/file", "other");
	make_link("@/home/proj/sub", "store/tree/abs");
	make_link("@/home/proj/file", "store/tree/absfile");
	make_link("@/home/proj", "store/tree/top");
	make_link("../other", "store/tree/up");
	make_link("../proj/sub", "store/tree/round");
	make_link("../..", "store/tree/sub/back");
	make_link("sub", "store/tree/in");
	make_link("file", "store/tree/infile");
	make_link("loop", "store/tree/loop");
	make_link("../proj/pong", "store/tree/ping");
	make_link("ping", "store/tree/pong");
	make_link("nothing", "store/tree/dangling");
	make_link("../nothing", "store/tree/dangleout");
	make_link("/proc/self/cwd", "store/tree/cwd");
	make_link("/", "store/tree/root");
	make_link(".", "store/tree/dot");
	make_link("..", "store/tree/dots");
	make_link("proj", "home/into");
	make_link("into", "home/chain");
	make_link("proj/", "home/slash");
	make_link("proj/file", "home/intofile");
	make_link("proj/nothing", "home/intonothing");
	make_link("../proj", "home/other/side");
	must(snprintf(home, sizeof(home), "%s/home", room));
	must(snprintf(lower, sizeof(lower), "%s/home/proj", room));
	must(snprintf(store, sizeof(store), "%s/store/tree", room));
	must(standin_open(&standin.lower, open(lower, O_PATH | O_CLOEXEC), lower));
	must(standin_open(&standin.tree, open(store, O_PATH | O_CLOEXEC), store));
	return 0;
}

static int remove_room(void **state)
{
	char command[PATH_MAX];

	(void)state;
	must(chdir("/"));
	snprintf(command, sizeof(command), "rm -rf %s", room);
	return system(command);
}

/* ---- a child that asks ---- */

/* Runs MAIN in a child with FILTER, and returns the listener. */
static int begin(int (*main)(void), const struct sock_fprog *filter, int *pid)
{
	int pipes[2], fd, pidfd, got;

	assert_int_equal(pipe(pipes), 0);
	*pid = fork();
	if (*pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		fd = notify_install(filter, 0);
		if (write(pipes[1], &fd, sizeof(fd)) != sizeof(fd))
			_exit(100);
		close(pipes[1]);
		/* The parent has a copy when this is closed over there. */
		raise(SIGSTOP);
		close(fd);
		_exit(main());
	}
	assert_int_equal(read(pipes[0], &fd, sizeof(fd)), sizeof(fd));
	assert_true(fd >= 0);
	assert_int_equal(waitpid(*pid, NULL, WUNTRACED), *pid);
	pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
	got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	assert_true(got >= 0);
	close(pidfd);
	close(pipes[0]);
	close(pipes[1]);
	kill(*pid, SIGCONT);
	return got;
}

/* How many descriptors are open. */
static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Serves MAIN until its end. Returns its exit status. Nothing stays open. */
__attribute__((unused)) static int run(int (*main)(void), const struct sock_fprog *filter,
				       struct notify *notify)
{
	int status, pid, before = count_descriptors();

	notify->listener = begin(main, filter, &pid);
	notify->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(notify_serve(notify), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(notify->listener);
	close(notify->proc);
	assert_int_equal(count_descriptors(), before);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
