/* SPDX-License-Identifier: MIT */
/*
 * bomb: ends with status 5 when the limit of processes is reached by others that it leaves: each starts one more
 * whenever it can, in a session of its own and as a subreaper. None lives longer than a minute. Not for root, whom
 * no such limit holds.
 */
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 60, MOST = 500 };

static void start_for_ever(void)
{
	const time_t end = time(NULL) + SECONDS;

	while (time(NULL) < end)
		if (fork() == 0) {
			setsid();
			prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
		}
	_exit(0);
}

static bool can_start(void)
{
	int pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

int main(void)
{
	struct rlimit limit;

	if (getuid() == 0 || getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur > MOST ||
	    signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return 99;
	if (fork() == 0)
		start_for_ever();
	while (can_start())
		usleep(1000);
	return 5;
}
