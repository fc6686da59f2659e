/* SPDX-License-Identifier: MIT */
#include "filters/filter.h"

#include "filters_generated.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

const struct filter filter_default = {
	.code = FILTER_ARCH(default),
	.len = LENGTH(FILTER_ARCH(default)),
};

const struct filter filter_pid1 = {
	.code = FILTER_ARCH(pid1),
	.len = LENGTH(FILTER_ARCH(pid1)),
};

const struct filter filter_init = {
	.code = FILTER_ARCH(init),
	.len = LENGTH(FILTER_ARCH(init)),
};
