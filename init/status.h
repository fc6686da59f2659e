/* SPDX-License-Identifier: MIT */
/* The events of --status-fd, one JSON object a line, and the record of --exit-signal-fd. */
#ifndef NESTBOX_INIT_STATUS_H
#define NESTBOX_INIT_STATUS_H

#include "init/box.h"
#include "init/report.h"

/* Each does nothing when the plan has no descriptor for it. A descriptor that takes nothing any more
 * is the caller's loss: the box goes on. */
void status_started(const struct box *box, int pid, int pidfd);
void status_failed(const struct plan *plan, enum report_kind kind, const struct fault *fault);
void status_timed_out(const struct plan *plan);
/* What has become of copy-on-write's changes, which were in STORE: COUNT of them, or -1 if that is not known. */
void status_changes(const struct plan *plan, enum cow_backend backend, const char *result,
		    const char *store, int64_t count);
void status_ended(const struct plan *plan, int wait_status);

#endif
