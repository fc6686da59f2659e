/* SPDX-License-Identifier: MIT */
/*
 * The built-in filters, compiled at build time from the profiles beside this file.
 *
 * A filter is put on the calling thread, for good, by seccomp(SECCOMP_SET_MODE_FILTER, flags,
 * &(struct sock_fprog){ filter->len, (struct sock_filter *)filter->code }). no_new_privs must be
 * set before (or CAP_SYS_ADMIN held), and it comes last: what it forbids cannot be done any more.
 * `flags` is 0, or SECCOMP_FILTER_FLAG_SPEC_ALLOW for --spec-allow: without it kernels before 5.16
 * switch on the speculative-store mitigation for a filtered process, which is the safe side.
 */
#ifndef FILTERS_FILTER_H
#define FILTERS_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>

struct filter {
	const char *name;
	const struct sock_filter *code;
	unsigned short len; /* instructions */
	unsigned int flags; /* of seccomp(2) */
	bool asks;          /* one exec: filters/once.profile goes with it */
	bool refuses_keys;  /* keyctl(2), add_key(2) and request_key(2) */
};

extern const struct filter filter_pid1;  /* PID 1, once the workload runs */
extern const struct filter filter_init;  /* a workload that is PID 1, before its own one */
extern const struct filter filter_tsc;   /* --deny-tsc: the counter stays denied */
extern const struct filter filter_kptr;  /* --restrict-kptr */
extern const struct filter filter_tcp;   /* a workload that is held to some TCP ports, the same */
extern const struct filter filter_local; /* a workload without a network, nor a namespace for it */
extern const struct filter filter_unboxed;    /* a workload that Landlock holds in place of a box */
extern const struct filter filter_owned;      /* the same, with nobody who tells files apart … */
extern const struct filter filter_attributes; /* … or with a listener that does */
extern const struct filter filter_guard_cow;
extern const struct filter filter_guard;  /* that listener's process */
extern const struct filter filter_once;   /* the caller of the last exec, with a listener */
extern const struct filter filter_append; /* a workload with --append, with a listener */
extern const struct filter filter_cow; /* a workload with copy-on-write by notification, the same */
extern const struct filter filter_standin; /* the same without any mount */
extern const struct filter filter_cow_listener;
extern const struct filter filter_listener; /* the process that answers its calls */

/* The names of those for a workload, NULL-terminated; the first is that of the default. */
extern const char *const filter_names[];

/* The filter for a workload of that name; with USERNS the one that lets it make user namespaces. NULL
 * where there is none like that. */
const struct filter *filter_find(const char *name, bool userns);

#endif
