/* SPDX-License-Identifier: MIT */
#include "init/info.h"
#include "init/text.h"
#include "mountns/sys.h"

static void add_namespaces(struct text *line, const uint64_t namespaces[INFO_NAMESPACES],
			   const char *blank)
{
	static const char *const names[INFO_NAMESPACES] = { "cgroup", "ipc", "mnt",
							    "net",    "pid", "uts" };

	for (size_t i = 0; i < INFO_NAMESPACES; i++) {
		if (namespaces[i] == 0)
			continue;
		text_add(line, ",");
		text_add(line, blank);
		text_add(line, "\"");
		text_add(line, names[i]);
		text_add(line, "-namespace\": ");
		text_number(line, namespaces[i]);
	}
}

void info_started(const struct plan *plan, int pid, const uint64_t namespaces[INFO_NAMESPACES])
{
	struct text info = { 0 }, status = { 0 };

	text_add(&info, "{\n    \"child-pid\": ");
	text_number(&info, (unsigned int)pid);
	add_namespaces(&info, namespaces, "\n    ");
	text_add(&info, "\n}");
	text_add(&status, "{ \"child-pid\": ");
	text_number(&status, (unsigned int)pid);
	add_namespaces(&status, namespaces, " ");
	text_add(&status, " }");
	if (plan->fds[FD_INFO] >= 0) {
		text_write(&info, plan->fds[FD_INFO]);
		sys_close(plan->fds[FD_INFO]);
	}
	if (plan->fds[FD_JSON_STATUS] >= 0)
		text_write(&status, plan->fds[FD_JSON_STATUS]);
}

void info_ended(const struct plan *plan, int exit_status)
{
	struct text line = { 0 };

	if (plan->fds[FD_JSON_STATUS] < 0)
		return;
	text_add(&line, "{ \"exit-code\": ");
	text_number(&line, (unsigned int)exit_status);
	text_add(&line, " }");
	text_write(&line, plan->fds[FD_JSON_STATUS]);
}
