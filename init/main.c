/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "init/inits.h"
#include "init/options.h"
#include "init/personality.h"
#include "init/status.h"

static int print_version(const struct plan *plan)
{
	struct text line = { 0 };

	text_add(&line, personality_version(plan->as));
	return text_write(&line, STDOUT_FILENO);
}

static int look(const struct plan *plan)
{
	const struct init_program *program = inits_find(plan->as);
	struct fault fault;

	if (program != NULL)
		return program->look(plan) == 0 ? 0 : EXIT_FAILURE;
	if ((plan->help ? options_usage(plan->as, STDOUT_FILENO) : print_version(plan)) == 0)
		return 0;
	fault_errno(&fault, plan->help ? "help" : "version", "standard output", EIO);
	init_complain(plan, &fault);
	return personality_failure(plan, REPORT_SETUP_FAILED, &fault);
}

static int refuse(const struct plan *plan, const struct fault *fault)
{
	if (strcmp(fault->step, "usage") == 0)
		options_usage(plan->as, STDERR_FILENO);
	else
		init_complain(plan, fault);
	status_failed(plan, REPORT_SETUP_FAILED, fault);
	return personality_failure(plan, REPORT_SETUP_FAILED, fault);
}

/* One that was started from a descriptor, execveat(2), has its number or a memfd's name in ps(1). */
static void name_process(void)
{
	const char *file = (const char *)getauxval(AT_EXECFN);

	if (file != NULL && strncmp(file, "/dev/fd/", 8) == 0)
		prctl(PR_SET_NAME, "nestbox");
}

int main(int argc, char **argv)
{
	struct plan plan;
	struct fault fault;

	name_process();
	/* Freeing memory would only delay the end that frees all of it. */
	if (init_parse(&plan, argc, argv, &fault) != 0)
		return refuse(&plan, &fault);
	if (plan.help || plan.version || plan.licence)
		return look(&plan);
	init_warn(&plan);
	return init_run(&plan);
}
