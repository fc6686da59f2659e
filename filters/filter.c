/* SPDX-License-Identifier: MIT */
#include "filters/filter.h"

#include "filters_generated.h"

#include <stddef.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define CODE(array) .code = FILTER_ARCH(array), .len = LENGTH(FILTER_ARCH(array))

const struct filter filter_pid1 = { .name = "pid1", CODE(pid1) };
const struct filter filter_init = { .name = "init", CODE(init) };
const struct filter filter_tsc = { .name = "tsc", CODE(tsc) };
const struct filter filter_kptr = { .name = "kptr", CODE(kptr) };
const struct filter filter_append = { .name = "append", CODE(append) };
const struct filter filter_listener = { .name = "listener", CODE(listener) };
const struct filter filter_cow = { .name = "cow", CODE(cow) };
const struct filter filter_cow_listener = { .name = "cow_listener", CODE(cow_listener) };
const struct filter filter_standin = { .name = "standin", CODE(standin) };
const struct filter filter_tcp = { .name = "tcp", CODE(tcp) };
const struct filter filter_local = { .name = "local", CODE(local) };
const struct filter filter_unboxed = { .name = "unboxed", CODE(unboxed) };
const struct filter filter_owned = { .name = "owned", CODE(owned) };
const struct filter filter_attributes = { .name = "attributes", CODE(attributes) };
const struct filter filter_guard = { .name = "guard", CODE(guard) };
const struct filter filter_guard_cow = { .name = "guard_cow", CODE(guard_cow) };
const struct filter filter_once = { .name = "once", CODE(once) };

static const struct filter workload[] = {
	{ .name = "default", CODE(default), .refuses_keys = true },
	{ .name = "strict", CODE(strict), .asks = true, .refuses_keys = true },
	{ .name = "network", CODE(network), .refuses_keys = true },
	{ .name = "none", CODE(none) },
};

/* The one for user namespaces has what network has, and none refuses nothing that they ask for. */
static const struct filter workload_userns[] = {
	{ .name = "default", CODE(default_userns), .refuses_keys = true },
	{ .name = "network", CODE(default_userns), .refuses_keys = true },
	{ .name = "none", CODE(none) },
};

const char *const filter_names[] = { "default", "strict", "network", "none", NULL };

const struct filter *filter_find(const char *name, bool userns)
{
	const struct filter *filter = userns ? workload_userns : workload;
	const struct filter *end = filter + (userns ? LENGTH(workload_userns) : LENGTH(workload));

	for (; filter < end; filter++)
		if (strcmp(filter->name, name) == 0)
			return filter;
	return NULL;
}
