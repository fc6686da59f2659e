/* SPDX-License-Identifier: MIT */
/* Prints the option table as the mdoc(7) list of the man page. */
#include <stdio.h>

#include "init/options.h"

static void print_name(const struct option *option)
{
	/* A minus in a man page is \-; mdoc's Fl writes the first one. */
	printf("Fl ");
	for (const char *c = option->name + 1; *c != '\0'; c++)
		printf(*c == '-' ? "\\-" : "%c", *c);
	if (option->arguments[0] != '\0')
		printf(" Ar %s", option->arguments);
}

int main(void)
{
	for (enum option_group group = 0; group < GROUP_COUNT; group++) {
		printf(".Ss %s\n.Bl -tag -width Ds\n", option_groups[group]);
		for (size_t i = 0; i < option_count; i++) {
			if (options[i].group != group)
				continue;
			printf(".It ");
			if (options[i].letter != '\0')
				printf("Fl %c , ", options[i].letter);
			print_name(&options[i]);
			printf("\n%s.\n", options[i].help);
		}
		printf(".El\n");
	}
	return 0;
}
