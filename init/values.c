/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "init/values.h"

#define NANOSECONDS 1000000000ULL
#define TEN_YEARS (10ULL * 366 * 24 * 3600)

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{ "AS", RLIMIT_AS },
	{ "CORE", RLIMIT_CORE },
	{ "CPU", RLIMIT_CPU },
	{ "DATA", RLIMIT_DATA },
	{ "FSIZE", RLIMIT_FSIZE },
	{ "LOCKS", RLIMIT_LOCKS },
	{ "MEMLOCK", RLIMIT_MEMLOCK },
	{ "MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "NICE", RLIMIT_NICE },
	{ "NOFILE", RLIMIT_NOFILE },
	{ "NPROC", RLIMIT_NPROC },
	{ "RSS", RLIMIT_RSS },
	{ "RTPRIO", RLIMIT_RTPRIO },
	{ "RTTIME", RLIMIT_RTTIME },
	{ "SIGPENDING", RLIMIT_SIGPENDING },
	{ "STACK", RLIMIT_STACK },
};

bool value_digits(const char *text, const char *end, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;

	if (text == end)
		return false;
	for (; text != end; text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (digit > 9 || value > (max - digit) / 10 || digit > max)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

bool value_number(const char *text, uint64_t max, uint64_t *number)
{
	return value_digits(text, text + strlen(text), max, number);
}

/* In the digits of BASE, which is at most 16. */
static bool read_base(const char *text, unsigned int base, uint64_t max, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		const char *place = strchr(digits, *text | (*text >= 'A' ? 0x20 : 0));
		uint64_t digit = place != NULL ? (uint64_t)(place - digits) : base;

		if (digit >= base || digit > max || value > (max - digit) / base)
			return false;
		value = value * base + digit;
	}
	*number = value;
	return true;
}

bool value_octal(const char *text, uint64_t max, uint64_t *number)
{
	return read_base(text, 8, max, number);
}

bool value_size(const char *text, uint64_t max, uint64_t *number)
{
	if (text[0] != '0' || text[1] == '\0')
		return value_number(text, max, number);
	if (text[1] == 'x' || text[1] == 'X')
		return read_base(text + 2, 16, max, number);
	return value_octal(text + 1, max, number);
}

/* In the order of their numbers: include/uapi/linux/capability.h. */
static const char *const capabilities[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};

bool value_capability(const char *text, uint64_t *set)
{
	uint64_t number;

	if (strcasecmp(text, "all") == 0) {
		*set = UINT64_MAX;
		return true;
	}
	if (value_number(text, 63, &number)) {
		*set = 1ULL << number;
		return true;
	}
	if (strncasecmp(text, "cap_", 4) == 0)
		text += 4;
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		if (strcasecmp(text, capabilities[i]) != 0)
			continue;
		*set = 1ULL << i;
		return true;
	}
	return false;
}

const char *value_capability_name(uint64_t set)
{
	size_t number = set != 0 ? (size_t)__builtin_ctzll(set) : 64;

	return number < sizeof(capabilities) / sizeof(capabilities[0]) ? capabilities[number] : "";
}

bool value_seconds(const char *text, uint64_t *nanoseconds)
{
	const char *point = strchr(text, '.');
	const char *end = text + strlen(text);
	uint64_t seconds, fraction = 0;

	if (!value_digits(text, point ? point : end, TEN_YEARS, &seconds))
		return false;
	if (point != NULL) {
		if (end - point > 10 || !value_digits(point + 1, end, NANOSECONDS, &fraction))
			return false;
		for (long digits = end - point - 1; digits < 9; digits++)
			fraction *= 10;
	}
	*nanoseconds = seconds * NANOSECONDS + fraction;
	return *nanoseconds > 0 && *nanoseconds <= TEN_YEARS * NANOSECONDS;
}

static bool read_bound(const char *text, const char *end, uint64_t *bound)
{
	static const char unlimited[] = "unlimited";

	if ((size_t)(end - text) == strlen(unlimited) &&
	    strncmp(text, unlimited, strlen(unlimited)) == 0) {
		*bound = UINT64_MAX;
		return true;
	}
	return value_digits(text, end, UINT64_MAX - 1, bound);
}

bool value_limit(const char *text, struct limit *limit)
{
	const char *end = text + strlen(text);
	const char *equals = strchr(text, '=');
	const char *colon;

	if (equals == NULL)
		return false;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		size_t length = strlen(limits[i].name);

		if ((size_t)(equals - text) != length ||
		    strncasecmp(limits[i].name, text, length) != 0)
			continue;
		limit->name = limits[i].name;
		limit->resource = limits[i].resource;
		colon = strchr(equals, ':');
		if (!read_bound(equals + 1, colon ? colon : end, &limit->soft))
			return false;
		limit->hard = limit->soft;
		if (colon != NULL && !read_bound(colon + 1, end, &limit->hard))
			return false;
		return limit->soft <= limit->hard;
	}
	return false;
}

bool value_ports(const char *text, uint64_t *ports)
{
	const char *end;

	if (strcmp(text, "none") == 0)
		return true;
	for (;; text = end + 1) {
		const char *dash;
		uint64_t first, last;

		end = text + strcspn(text, ",");
		dash = memchr(text, '-', (size_t)(end - text));
		if (!value_digits(text, dash != NULL ? dash : end, VALUE_PORTS - 1, &first) ||
		    !value_digits(dash != NULL ? dash + 1 : text, end, VALUE_PORTS - 1, &last) ||
		    first > last)
			return false;
		for (; first <= last; first++)
			ports[first / 64] |= 1ULL << (first % 64);
		if (*end == '\0')
			return true;
	}
}
