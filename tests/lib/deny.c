/* SPDX-License-Identifier: MIT */
/*
 * deny NUMBER[:ARGUMENT|&MASK][@INDEX][,…] ERRNO -- COMMAND…: run COMMAND, and everything it
 * starts, on a kernel where these system calls fail with ERRNO (a number, or
 * EPERM, ENOSYS, …; KILL ends the process). With :ARGUMENT only calls with that first argument
 * fail, so that one prctl option can be taken away; with &MASK those whose first one has any of
 * these bits, as clone's for namespaces; with @INDEX it is another one than the first, 0. How else could each wall be made impossible?
 */
#ifndef _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_RULES 64
#define NUMBER_AT ((uint32_t)offsetof(struct seccomp_data, nr))
#define ARG_AT ((uint32_t)offsetof(struct seccomp_data, args[0]))

static const struct {
	const char *name;
	int number;
} names[] = {
	{ "EPERM", EPERM },   { "ENOSYS", ENOSYS }, { "EACCES", EACCES }, { "EINVAL", EINVAL },
	{ "ENOMEM", ENOMEM }, { "EAGAIN", EAGAIN }, { "ENOSPC", ENOSPC }, { "EMFILE", EMFILE },
	{ "EIO", EIO },       { "EINTR", EINTR },   { "KILL", -1 },
};

static int error_number(const char *text)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, text))
			return names[i].number;
	return atoi(text);
}

static struct sock_filter statement(unsigned int code, uint32_t k)
{
	return (struct sock_filter){ .code = (uint16_t)code, .k = k };
}

static struct sock_filter unless_equal(uint32_t k, uint8_t skip)
{
	return (struct sock_filter){ .code = BPF_JMP | BPF_JEQ | BPF_K, .jf = skip, .k = k };
}

/* Each rule loads what it compares, so rules do not depend on each other. */
static size_t add_rule(struct sock_filter *code, const char *text, int error)
{
	char *end = NULL;
	uint32_t number = (uint32_t)strtoul(text, &end, 10), value = 0, index = 0;
	size_t n = 0;
	int kind = end && *end ? *end : 0;

	if (kind)
		value = (uint32_t)strtoul(end + 1, &end, 0);
	if (kind && *end == '@')
		index = (uint32_t)strtoul(end + 1, NULL, 10);
	code[n++] = statement(BPF_LD | BPF_W | BPF_ABS, NUMBER_AT);
	code[n++] = unless_equal(number, kind ? 3 : 1);
	if (kind)
		code[n++] = statement(BPF_LD | BPF_W | BPF_ABS, ARG_AT + 8 * index);
	if (kind == ':')
		code[n++] = unless_equal(value, 1);
	if (kind == '&')
		code[n++] = (struct sock_filter){ .code = BPF_JMP | BPF_JSET | BPF_K,
						  .jf = 1,
						  .k = value };
	code[n++] = statement(BPF_RET | BPF_K, error < 0 ? SECCOMP_RET_KILL_PROCESS
							 : SECCOMP_RET_ERRNO | (uint32_t)error);
	return n;
}

int main(int argc, char **argv)
{
	struct sock_filter code[MAX_RULES * 5 + 1];
	struct sock_fprog program = { .filter = code };
	size_t n = 0;

	if (argc < 5 || strcmp(argv[3], "--")) {
		fprintf(stderr, "usage: deny NUMBER[:ARGUMENT|&MASK][,...] ERRNO -- COMMAND...\n");
		return 99;
	}
	for (char *rule = strtok(argv[1], ","); rule && n < MAX_RULES * 5; rule = strtok(NULL, ","))
		n += add_rule(code + n, rule, error_number(argv[2]));
	code[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	/* Without privileges the kernel takes a filter only after this. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0) {
		perror("deny: filter");
		return 99;
	}
	execvp(argv[4], argv + 4);
	perror(argv[4]);
	return 99;
}
