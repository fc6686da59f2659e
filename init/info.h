/* SPDX-License-Identifier: MIT */
/* What bubblewrap tells of a box on --info-fd and --json-status-fd: bwrap(1). */
#ifndef NESTBOX_INIT_INFO_H
#define NESTBOX_INIT_INFO_H

#include "init/plan.h"
#include "init/report.h"

/* The process PID is the box's first one, as it is called out here. The first descriptor is closed
 * behind the document, as its readers expect. */
void info_started(const struct plan *plan, int pid, const uint64_t namespaces[INFO_NAMESPACES]);

void info_ended(const struct plan *plan, int exit_status);

#endif
