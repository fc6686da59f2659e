/* SPDX-License-Identifier: MIT */
/* Option values from text. Each is strict: no sign, no blank, nothing behind the value. */
#ifndef NESTBOX_INIT_VALUES_H
#define NESTBOX_INIT_VALUES_H

#include "init/plan.h"

/* A decimal number up to MAX. */
bool value_number(const char *text, uint64_t max, uint64_t *number);

/* The same of the digits up to END. */
bool value_digits(const char *text, const char *end, uint64_t max, uint64_t *number);

/* The same in octal digits. */
bool value_octal(const char *text, uint64_t max, uint64_t *number);

/* A size in bytes: decimal, octal behind "0", hexadecimal behind "0x", as strtoull(3) has it. */
bool value_size(const char *text, uint64_t max, uint64_t *number);

/* A capability's name of capabilities(7), with or without CAP_ in front and in any case, or its
 * number; "all" for all. One bit for each. */
bool value_capability(const char *text, uint64_t *set);

/* The name of the lowest of SET; "" for one without. */
const char *value_capability_name(uint64_t set);

/* Seconds with up to nine decimals, in nanoseconds; more than none and at most ten years. */
bool value_seconds(const char *text, uint64_t *nanoseconds);

/* NAME=SOFT[:HARD], NAME as in setrlimit(2) without RLIMIT_ in any case, "unlimited" for no limit.
 * One number is both limits. */
bool value_limit(const char *text, struct limit *limit);

#define VALUE_PORTS 65536

/* "none", or ports and ranges of them such as 80,8000-8080, each of which sets its bit in PORTS, which has
 * VALUE_PORTS of them. */
bool value_ports(const char *text, uint64_t *ports);

#endif
