/* SPDX-License-Identifier: MIT */
#ifndef NESTBOX_MOUNTNS_FAULT_H
#define NESTBOX_MOUNTNS_FAULT_H

/*
 * Why a step failed. A leaf fills it in and returns -1; only the process's main function in init/
 * prints it, sends it and picks the exit status. The strings are borrowed, never freed.
 */
struct fault {
	const char *step;   /* what was being done: "mount", "uid_map" … */
	const char *object; /* to what: a path, an option's name; "" if there is none */
	const char *reason; /* in words where no errno tells it, else NULL */
	const char *detail; /* what REASON is about, behind it: a path, a link's text; or NULL */
	int error;          /* errno, or 0 when reason is set */
};

/* Records errno value ERROR (positive or negative); always returns -1. */
static inline int fault_errno(struct fault *fault, const char *step, const char *object, int error)
{
	*fault = (struct fault){ .step = step,
				 .object = object,
				 .error = error < 0 ? -error : error };
	return -1;
}

/* Records REASON in words; always returns -1. */
static inline int fault_text(struct fault *fault, const char *step, const char *object,
			     const char *reason)
{
	*fault = (struct fault){ .step = step, .object = object, .reason = reason };
	return -1;
}

#endif
