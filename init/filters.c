/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "filters/filter.h"
#include "filters/notify.h"
#include "filters/oci.h"
#include "init/filters.h"
#include "init/listener.h"
#include "init/once.h"
#include "init/values.h"
#include "init/walls.h"
#include "mountns/sys.h"

bool filters_is_file(const char *filter)
{
	size_t length = filter != NULL ? strlen(filter) : 0;

	return length > 0 && (strchr(filter, '/') != NULL ||
			      (length > 5 && strcmp(filter + length - 5, ".json") == 0));
}

/* Which of its capabilities the workload will really have: without a namespace of its own none that
 * the caller lacks, and no_new_privs keeps it so. */
static uint64_t held_capabilities(const struct plan *plan)
{
	const struct kernel_cap_header header = { .version = KERNEL_CAP_VERSION_3 };
	struct kernel_cap_data data[2];

	if (!plan->init_only)
		return plan->capabilities;
	if (sys_capget(&header, data) < 0)
		return 0;
	return plan->capabilities & ((uint64_t)data[1].permitted << 32 | data[0].permitted);
}

static bool has_capability(const void *held, const char *name)
{
	uint64_t set;

	return strncmp(name, "CAP_", 4) == 0 && value_capability(name, &set) &&
	       (*(const uint64_t *)held & set) != 0;
}

/* A profile of the caller's, in place of a built-in one. Both stay until the end of the process. */
static int load_file(struct box *box, struct fault *fault)
{
	uint64_t held = held_capabilities(box->plan);
	struct filter *filter = malloc(sizeof(*filter));
	struct oci_filter loaded;

	if (filter == NULL)
		return fault_errno(fault, "filter", box->plan->filter, ENOMEM);
	if (oci_load(&loaded, box->plan->filter, has_capability, &held, fault) != 0) {
		free(filter);
		return -1;
	}
	*filter = (struct filter){ .name = box->plan->filter,
				   .code = loaded.code,
				   .len = loaded.length,
				   .flags = loaded.flags };
	free(loaded.messages);
	box->filter = filter;
	return 0;
}

int filters_choose(struct box *box, struct fault *fault)
{
	const struct plan *plan = box->plan;
	const char *name = plan->filter != NULL ? plan->filter
			   : plan->unfiltered   ? NULL
						: filter_names[0];

	if (name == NULL)
		return 0;
	if (filters_is_file(name))
		return load_file(box, fault);
	box->filter = filter_find(name, plan->allow_userns);
	if (box->filter == NULL)
		return fault_text(fault, "options", "--allow-userns",
				  "cannot be combined with --filter strict");
	if (!box->filter->asks)
		return 0;
	box->once = malloc(sizeof(*box->once));
	return box->once == NULL ? fault_errno(fault, "start", "", ENOMEM) : 0;
}

/* A 64 bit kernel gives a program of 32 bits all that it can address: no pointer of such a one leads into
 * the kernel. The stack is at the upper end. */
static bool kernel_has_half(void)
{
	char here;

	return sizeof(&here) == 8 || (uintptr_t)&here < 0xc0000000;
}

/* Whether there was to be one, and nothing else keeps the workload from the network. */
static bool lacks_network_namespace(const struct box *box)
{
	return (box->plan->namespaces & ~box->namespaces & CLONE_NEWNET) != 0 ||
	       (box->lost_network != NULL && *box->lost_network);
}

/* The next of those that come before the callers'. */
static const struct filter *find_built_in(const struct box *box, size_t *index)
{
	const struct filter *own[] = {
		box->plan->deny_tsc && !wall_is_missing(box, WALL_TSC) ? &filter_tsc : NULL,
		box->filter != NULL && !box->reaper && !box->plan->init_only ? &filter_init : NULL,
		box->plan->restrict_kptr && kernel_has_half() ? &filter_kptr : NULL,
		box->landlock.handled.ports != 0 ? &filter_tcp : NULL,
		lacks_network_namespace(box) ? &filter_local : NULL,
		box->plan->fallen ? &filter_unboxed : NULL,
		box->plan->fallen && !box->guarded ? &filter_owned : NULL,
		box->guarded && !box->notifies ? &filter_attributes : NULL,
		box->filter != NULL && box->filter->asks ? &filter_once : NULL,
		box->view.append_count > 0 ? &filter_append : NULL,
		!box->notifies      ? NULL
		: box->plan->fallen ? &filter_standin
				    : &filter_cow,
		box->filter,
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i] != NULL && (*index)-- == 0)
			return own[i];
	return NULL;
}

/* The callers' may forbid what they like, so they come behind ours. */
bool filters_get(const struct box *box, size_t index, struct box_filter *filter)
{
	const struct filter *own = find_built_in(box, &index);

	if (own != NULL) {
		*filter = (struct box_filter){ own->name, own->code, own->len, own->flags,
					       own == &filter_once ? once_begin
					       : own == &filter_append || own == &filter_cow ||
							       own == &filter_attributes ||
							       own == &filter_standin
						       ? listener_begin
						       : NULL };
		return true;
	}
	if (index >= box->program_count)
		return false;
	*filter = (struct box_filter){ "the caller's", box->programs[index].code,
				       box->programs[index].length, 0, NULL };
	return true;
}

int filters_put(const struct box *box, struct fault *fault)
{
	struct box_filter filter;

	for (size_t i = 0; filters_get(box, i, &filter); i++) {
		const struct sock_fprog program = { filter.length,
						    (struct sock_filter *)(uintptr_t)filter.code };
		unsigned int flags =
			filter.flags | (box->plan->spec_allow ? SECCOMP_FILTER_FLAG_SPEC_ALLOW : 0);
		int result = filter.begin != NULL
				     ? notify_install(&program, flags)
				     : sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);

		if (result >= 0 && filter.begin != NULL)
			result = filter.begin(box, result);
		if (result < 0)
			return fault_errno(fault, "seccomp", filter.name, result);
	}
	return 0;
}
