/* SPDX-License-Identifier: MIT */
/* --dump-filter. */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <unistd.h>

#include "filters/look.h"
#include "init/filters.h"
#include "init/text.h"

#define LINE 100     /* where a list of names is broken */
#define VERDICTS 64  /* different ones in one filter; more are left to its code */
#define NOBODYS 9999 /* a number that no call has */

/* What is to be printed, and the first error in doing so. */
struct printer {
	struct text line;
	int error;
};

static void end_line(struct printer *printer)
{
	int error = text_write(&printer->line, STDOUT_FILENO);

	if (printer->error == 0)
		printer->error = error;
	printer->line.length = 0;
}

/* One more word of a list, on the next line if this one is full. */
static void list(struct printer *printer, const char *name)
{
	if (printer->line.length + strlen(name) > LINE) {
		end_line(printer);
		text_add(&printer->line, "       ");
	}
	text_add(&printer->line, " ");
	text_add(&printer->line, name);
}

static void list_calls(struct printer *printer, const struct box_filter *filter, bool decided,
		       uint32_t verdict)
{
	for (size_t i = 0; i < filter_call_count; i++) {
		uint32_t found = 0;
		bool decides = filter_decides(filter->code, filter->length, filter_calls[i].number,
					      &found);

		if (decides == decided && (!decides || found == verdict))
			list(printer, filter_calls[i].name);
	}
	end_line(printer);
}

/* The calls by what becomes of them. */
static void print_calls(struct printer *printer, const struct box_filter *filter)
{
	uint32_t verdicts[VERDICTS], verdict, others = 0;
	bool same = filter_decides(filter->code, filter->length, NOBODYS, &others), open = false;
	size_t count = 0, known;
	char text[64];

	for (size_t i = 0; i < filter_call_count; i++) {
		if (!filter_decides(filter->code, filter->length, filter_calls[i].number,
				    &verdict)) {
			open = true;
			continue;
		}
		for (known = 0; known < count && verdicts[known] != verdict; known++)
			;
		if (known < count || count == VERDICTS)
			continue;
		/* A filter that only forbids. */
		if (same && verdict == others && verdict == SECCOMP_RET_ALLOW)
			continue;
		verdicts[count++] = verdict;
		filter_verdict_text(verdict, text, sizeof(text));
		text_print(&printer->line, "    %s:", text);
		list_calls(printer, filter, true, verdict);
	}
	if (open) {
		text_add(&printer->line, "    by arguments:");
		list_calls(printer, filter, false, 0);
	}
	if (!same)
		return;
	filter_verdict_text(others, text, sizeof(text));
	text_print(&printer->line, "    any other: %s", text);
	end_line(printer);
}

static void print_filter(struct printer *printer, const struct box_filter *filter)
{
	char text[128];

	text_print(&printer->line, "%s, %d instructions", filter->name, (int)filter->length);
	end_line(printer);
	print_calls(printer, filter);
	for (size_t i = 0; i < filter->length; i++) {
		filter_line_text(filter->code, i, text, sizeof(text));
		text_print(&printer->line, "%s%d  %s",
			   i < 10     ? "   "
			   : i < 100  ? "  "
			   : i < 1000 ? " "
				      : "",
			   (int)i, text);
		end_line(printer);
	}
}

static int print_program(const struct box *box, struct fault *fault)
{
	struct box_filter filter, other;
	int error;

	if (!filters_get(box, 0, &filter))
		return fault_text(fault, "dump-filter", "bpf", "there is no filter");
	if (filters_get(box, 1, &other))
		return fault_text(fault, "dump-filter", "bpf",
				  "there are several filters, which are not one program; pfc shows "
				  "them");
	error = text_send(STDOUT_FILENO, filter.code, filter.length * sizeof(*filter.code));
	return error < 0 ? fault_errno(fault, "dump-filter", "standard output", error) : 0;
}

int filters_dump(const struct box *box, struct fault *fault)
{
	struct printer printer = { .error = 0 };
	struct box_filter filter;

	if (box->plan->dump_filter == DUMP_BPF)
		return print_program(box, fault);
	for (size_t i = 0; filters_get(box, i, &filter); i++)
		print_filter(&printer, &filter);
	if (!filters_get(box, 0, &filter)) {
		text_add(&printer.line, "no filter");
		end_line(&printer);
	}
	return printer.error < 0
		       ? fault_errno(fault, "dump-filter", "standard output", printer.error)
		       : 0;
}
