/* SPDX-License-Identifier: MIT */
/*
 * A seccomp profile as the users of Docker, Podman, containerd and Kubernetes have them, compiled by
 * libseccomp: the "linux.seccomp" of the OCI runtime specification, alone or in its config.json, with
 * what the engines add to it ("archMap", "includes", "excludes", "errno", "name").
 *
 * The rules mean what they mean to runc and crun: names that libseccomp does not know are passed over,
 * conditions on the same argument are alternatives, a rule without conditions beats those that have
 * some. Different, and on the safe side: an unknown name is an error where that would leave the call
 * open, SPEC_ALLOW must be asked for, and an architecture that is not named kills the process.
 */
#ifndef FILTERS_OCI_H
#define FILTERS_OCI_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "mountns/fault.h"

struct oci_filter {
	struct sock_filter *code;
	unsigned short length; /* instructions */
	unsigned int flags;    /* of seccomp(2) */
	void *messages;        /* what a fault points into */
};

/* Will the filtered process have the capability of that name, such as "CAP_CHOWN"? */
typedef bool oci_capability(const void *context, const char *name);

/*
 * Reads the profile at PATH and compiles it for this machine. Makes system calls, allocates, and is
 * only for a process with one thread. Returns 0, or -1 with the fault. It is all of the profile or
 * nothing. Either way oci_release() frees what it took, messages of the fault included.
 */
int oci_load(struct oci_filter *filter, const char *path, oci_capability *has, const void *context,
	     struct fault *fault);

/* The same with TEXT of SIZE bytes, which is changed, and has the NAME in messages. */
int oci_compile(struct oci_filter *filter, const char *name, char *text, size_t size,
		oci_capability *has, const void *context, struct fault *fault);

void oci_release(struct oci_filter *filter);

/* The number of the errno called NAME, -1 if there is none. */
int oci_errno(const char *name);

#endif
