/* SPDX-License-Identifier: MIT */
/*
 * verdicts: what the filters on this process say about each call. A child puts a filter of its own on top
 * that lets nothing through: what the others would allow is asked of the parent, who says no with an
 * errno that nobody else uses. So no call is ever made, and yet the answer is the kernel's.
 *
 *	NUMBER ARGUMENT ARGUMENT ARGUMENT: allowed | errno NUMBER | killed SIGNAL
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LAST_CALL = 480,
	MOST_CASES = 1024,
	MARK = 3999, /* no errno, but in the range of errnos */
	UNSEEN = -100,
};

struct probed {
	long number;
	unsigned long args[3];
	volatile int verdict;
};

/* In shared memory. */
static struct table {
	size_t count;
	struct probed cases[MOST_CASES];
	volatile int listener; /* of the child, whose descriptors are ours; 0: not yet */
	volatile size_t next;  /* case of the child */
} * table;

static void add(long number, unsigned long a, unsigned long b, unsigned long c)
{
	table->cases[table->count++] = (struct probed){ number, { a, b, c }, UNSEEN };
}

/* Whatever profiles look at the arguments of. */
static void add_all(void)
{
	static const unsigned long persons[] = { 1, 8, 0x20000, 0x20008, 0x40000, 0xffffffff };

	for (long number = 0; number <= LAST_CALL; number++)
		add(number, 0, 0, 0);
	for (size_t i = 0; i < sizeof(persons) / sizeof(persons[0]); i++)
		add(SYS_personality, persons[i], 0, 0);
	for (int bit = 0; bit < 64; bit++) {
		add(SYS_clone, 1UL << bit, 0, 0);
		add(SYS_ioctl, 0, 1UL << bit, 0);
		add(SYS_prctl, (unsigned long)bit, 0, 0);
	}
	for (unsigned long family = 0; family < 50; family++) {
		add(SYS_socket, family, 1, 0);
		add(SYS_socket, family, 3, 9); /* NETLINK_AUDIT, for one */
		add(SYS_socketpair, family, 1, 0);
	}
}

static void try_all(void)
{
	struct sock_filter ask = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	struct sock_fprog program = { 1, &ask };
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			  &program);

	table->listener = fd < 0 ? -errno : (int)fd;
	while (fd >= 0 && table->next < table->count) {
		struct probed *probed = &table->cases[table->next];
		long result = syscall(probed->number, probed->args[0], probed->args[1],
				      probed->args[2], 0UL, 0UL, 0UL);

		probed->verdict = result == -1 ? errno : 0;
		table->next++;
	}
	/* Nothing that would end it gets through. */
	for (;;)
		syscall(SYS_getpid);
}

/* Answers for one child. Returns when it is dead, or done. The listener of a zombie does not hang up. */
static void serve(int pidfd)
{
	struct pollfd fds[2] = { { .fd = pidfd, .events = POLLIN },
				 { .fd = table->listener, .events = POLLIN } };

	while (table->next < table->count && poll(fds, 2, -1) >= 0 && fds[0].revents == 0) {
		char room[512] __attribute__((aligned(8))) = { 0 };
		struct seccomp_notif *notif = (struct seccomp_notif *)(void *)room;
		struct seccomp_notif_resp response = { .error = -MARK };

		if (syscall(SYS_ioctl, table->listener, SECCOMP_IOCTL_NOTIF_RECV, notif) != 0)
			continue;
		response.id = notif->id;
		syscall(SYS_ioctl, table->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

/* One child gets as far as the first call that kills it. */
static int run_child(void)
{
	int status, pidfd = -1;
	long pid;

	table->listener = 0;
	pid = syscall(SYS_clone, CLONE_FILES | CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
	if (pid == 0)
		try_all();
	while (pid > 0 && table->listener == 0)
		sched_yield();
	if (pid < 0 || table->listener < 0) {
		fprintf(stderr, "verdicts: %s\n", strerror(pid < 0 ? errno : -table->listener));
		return -1;
	}
	serve(pidfd);
	kill((pid_t)pid, SIGKILL);
	waitpid((pid_t)pid, &status, 0);
	close(table->listener);
	close(pidfd);
	/* Not always by the filter: uretprobe() is for kernel code alone, and said so by SIGILL. */
	if (table->next < table->count)
		table->cases[table->next++].verdict = -WTERMSIG(status);
	return 0;
}

static void print(const struct probed *probed)
{
	printf("%ld %#lx %#lx %#lx: ", probed->number, probed->args[0], probed->args[1],
	       probed->args[2]);
	if (probed->verdict == MARK)
		puts("allowed");
	else if (probed->verdict < 0)
		printf("killed %d\n", -probed->verdict);
	else
		printf("errno %d\n", probed->verdict);
}

int main(void)
{
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (table == MAP_FAILED)
		return EXIT_FAILURE;
	add_all();
	while (table->next < table->count)
		if (run_child() != 0)
			return EXIT_FAILURE;
	for (size_t i = 0; i < table->count; i++)
		print(&table->cases[i]);
	return EXIT_SUCCESS;
}
