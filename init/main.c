/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <unistd.h>

#include "init/options.h"
#include "init/text.h"

static int print_version(void)
{
	struct text line = { 0 };

	text_add(&line, "nestbox " NESTBOX_VERSION);
	return text_write(&line, STDOUT_FILENO);
}

static int look(const struct plan *plan)
{
	struct fault fault;

	if ((plan->help ? options_usage(STDOUT_FILENO) : print_version()) == 0)
		return 0;
	fault_errno(&fault, plan->help ? "help" : "version", "standard output", EIO);
	init_complain(&fault);
	return EXIT_NESTBOX;
}

int main(int argc, char **argv)
{
	struct plan plan;
	struct fault fault;
	int status;

	if (init_parse(&plan, argc, argv, &fault) != 0) {
		init_complain(&fault);
		status = EXIT_NESTBOX;
	} else {
		status = plan.help || plan.version ? look(&plan) : init_run(&plan);
	}
	/* Freeing memory would only delay the end that frees all of it. */
	return status;
}
