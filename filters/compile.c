/* SPDX-License-Identifier: MIT */
/*
 * filters/compile: profiles in, a C header with BPF arrays for every architecture out. Runs on the
 * machine that builds; nothing of it is in nestbox.
 *
 *	compile filters/default.profile filters/pid1.profile >filters_generated.h
 *
 * default.profile becomes default_x86_64[], default_aarch64[] and so on. FILTER_ARCH(default) is
 * the one for the target of the compiler; the others are only there with FILTER_ALL_ARCHES.
 * FILTER_CALLS are the calls that the target has, with the numbers that the first profile gives.
 */
#include "filters/generate.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LAST_SHARED = 700,       /* above any number that the kernel has for all */
	FIRST_PRIVATE = 0xf0000, /* ARM's own */
	LAST_NUMBER = 0xf0010,
};

static int report(const struct profile *profile)
{
	fprintf(stderr, "%s\n", profile->error);
	return -1;
}

/* "filters/pid1.profile" is called pid1. */
static const char *profile_name(const char *file, int *length)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;

	*length = (int)strcspn(name, ".");
	return name;
}

static void write_array(const struct profile *profile, const struct generate_arch *arch,
			const struct sock_filter *code, int length)
{
	int name_length;
	const char *name = profile_name(profile->file, &name_length);

	printf("\n#if defined(FILTER_ALL_ARCHES) || (%s)\n", arch->condition);
	printf("static const struct sock_filter %.*s_%s[%d] = {\n", name_length, name, arch->name,
	       length);
	for (int i = 0; i < length; i++)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", code[i].code, code[i].jt, code[i].jf,
		       code[i].k);
	printf("};\n#endif\n");
}

static int compile_arch(struct profile *profile, enum profile_arch arch)
{
	static struct generate_call calls[PROFILE_RULES];
	static struct sock_filter code[BPF_MAXINSNS];
	int count = generate_resolve(profile, arch, calls);
	int length;

	if (count < 0)
		return report(profile);
	length = generate_filter(profile, arch, calls, (size_t)count, code);
	if (length < 0)
		return report(profile);
	write_array(profile, &generate_arches[arch], code, length);
	return 0;
}

/* The calls of the architecture by name, those that the profiles number included. */
static void write_calls(const struct profile *profile, enum profile_arch arch)
{
	const struct generate_arch *this = &generate_arches[arch];

	printf("\n#define FILTER_AUDIT_%s 0x%08x\n#define FILTER_CALLS_%s", this->name, this->audit,
	       this->name);
	for (int number = 0; number <= LAST_NUMBER; number++) {
		char *name = seccomp_syscall_resolve_num_arch(this->seccomp, number);
		const char *young = NULL;

		for (size_t i = 0; i < profile->call_count; i++)
			if (profile->calls[i].arches & 1U << arch &&
			    profile->calls[i].number == (uint32_t)number)
				young = profile->calls[i].name;
		if (name || young)
			printf(" \\\n\t{ %d, \"%s\" },", number, name ? name : young);
		free(name);
		if (number == LAST_SHARED)
			number = FIRST_PRIVATE;
	}
	printf("\n");
}

static int compile_profile(const char *file, bool with_calls)
{
	static struct profile profile;
	FILE *in = fopen(file, "re");
	int result;

	if (!in) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return -1;
	}
	result = profile_parse(&profile, file, in);
	fclose(in);
	if (result)
		return report(&profile);
	for (unsigned arch = 0; arch < ARCH_COUNT; arch++)
		if (compile_arch(&profile, arch))
			return -1;
	for (unsigned arch = 0; with_calls && arch < ARCH_COUNT; arch++)
		write_calls(&profile, arch);
	return 0;
}

static void write_start(void)
{
	printf("/* SPDX-License-Identifier: MIT */\n"
	       "/* Made by filters/compile from the profiles in filters/. Do not edit. */\n");
	for (unsigned arch = 0; arch < ARCH_COUNT; arch++)
		printf("%s %s\n#define FILTER_ARCH(name) name##_%s\n"
		       "#define FILTER_CALLS FILTER_CALLS_%s\n"
		       "#define FILTER_AUDIT FILTER_AUDIT_%s\n",
		       arch ? "#elif" : "#if", generate_arches[arch].condition,
		       generate_arches[arch].name, generate_arches[arch].name,
		       generate_arches[arch].name);
	printf("#else\n#error \"no filters for this architecture\"\n#endif\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: compile FILE.profile... >HEADER\n");
		return EXIT_FAILURE;
	}
	write_start();
	for (int i = 1; i < argc; i++)
		if (compile_profile(argv[i], i == 1))
			return EXIT_FAILURE;
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "compile: standard output: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
