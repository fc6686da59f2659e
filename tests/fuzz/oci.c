/* SPDX-License-Identifier: MIT */
/* libFuzzer on users' seccomp profiles: whatever is read, it is one filter that the kernel could take, or a
 * fault that says where. */
#include <linux/filter.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "filters/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(const void *context, const char *name)
{
	return strlen(name) % 2 == 0 && context == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct fault fault = { .step = NULL };
	struct oci_filter filter;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	if (oci_compile(&filter, "fuzz.json", text, size, has, NULL, &fault) == 0) {
		if (filter.code == NULL || filter.length == 0 || filter.length > BPF_MAXINSNS)
			abort();
	} else if (filter.code != NULL || fault.step == NULL || fault.object == NULL ||
		   fault.reason == NULL || strncmp(fault.object, "fuzz.json", 9) != 0) {
		abort();
	}
	oci_release(&filter);
	free(text);
	return 0;
}
