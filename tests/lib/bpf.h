/* SPDX-License-Identifier: MIT */
/* A classic BPF interpreter for seccomp filters, which trusts nothing that it runs. */
#ifndef TESTS_LIB_BPF_H
#define TESTS_LIB_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Run the filter on `data` and store the value that it returns. Returns the number of instructions
 * that ran, or -1: an unknown instruction, a load or a jump out of bounds, or no return. */
int bpf_run(const struct sock_filter *code, size_t length, const struct seccomp_data *data,
	    uint32_t *verdict);

/* Does the filter allow the call whatever its arguments are, as the kernel finds out? It may look at
 * nothing but the number and the architecture then. */
bool bpf_always_allows(const struct sock_filter *code, size_t length, int number, uint32_t arch);

#endif
