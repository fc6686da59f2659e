/* SPDX-License-Identifier: MIT */
/* Filters, for people to read. Any program of classic BPF will do, also one that the kernel would
 * refuse. */
#ifndef FILTERS_LOOK_H
#define FILTERS_LOOK_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter_call {
	unsigned number;
	const char *name;
};

/* The calls of this architecture that have names, by their numbers. */
extern const struct filter_call filter_calls[];
extern const size_t filter_call_count;

/* What the program answers to a call by its number alone. Returns false where it looks at more than
 * that. */
bool filter_decides(const struct sock_filter *code, size_t length, unsigned number,
		    uint32_t *verdict);

/* Puts a verdict, such as "allow" or "errno 38, Function not implemented", into TEXT. */
void filter_verdict_text(uint32_t verdict, char *text, size_t size);

/* Puts the instruction at AT into TEXT, without a newline: "if >= 41 socket: 7, else 52". */
void filter_line_text(const struct sock_filter *code, size_t at, char *text, size_t size);

#endif
