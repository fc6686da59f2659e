/* SPDX-License-Identifier: MIT */
#include "filters/oci.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "filters/document.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum {
	MAX_ERROR = 4094,  /* of libseccomp; to the kernel there is one more */
	MAX_TRACE = 65535, /* SECCOMP_RET_DATA */
	MAX_CONDITIONS = 64,
	MAX_RULES = 16384, /* a filter has 4096 instructions … */
	MAX_TESTS = 8192,  /* … and libseccomp takes ever longer with conditions */
	MANY_RULES = 32,   /* from which on a tree is worth it */
	TREE = 2,          /* of SCMP_FLTATR_CTL_OPTIMIZE */
};

/* The names of the processor's architecture, to libseccomp's users and to Go's. */
#if defined(__x86_64__)
#define NATIVE_NAME "amd64"
#define NATIVE_TOKEN SCMP_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_NAME "arm64"
#define NATIVE_TOKEN SCMP_ARCH_AARCH64
#elif defined(__arm__)
#define NATIVE_NAME "arm"
#define NATIVE_TOKEN SCMP_ARCH_ARM
#elif defined(__riscv)
#define NATIVE_NAME "riscv64"
#define NATIVE_TOKEN SCMP_ARCH_RISCV64
#else
#error "no name for this architecture"
#endif

struct compiler {
	struct document document;
	scmp_filter_ctx context;
	uint32_t otherwise;
	size_t rules;
	size_t tests;         /* the conditions of all of them */
	uint32_t exec;        /* what a rule without conditions says about execve, or OTHERWISE */
	bool exec_has_rule;   /* such a one */
	bool exec_may_differ; /* by its arguments */
	unsigned long kernel, major; /* the version that runs */
	oci_capability *has;
	const void *has_context;
};

struct rule {
	uint32_t action;
	bool alternatives; /* each condition is a rule */
	unsigned int count;
	struct scmp_arg_cmp conditions[MAX_CONDITIONS];
};

static int fail(struct compiler *c, const char *key, const char *reason, const char *quoted)
{
	return document_fail(&c->document, key, reason, quoted);
}

struct word {
	const char *name;
	uint32_t value;
};

/* Returns the row of WORDS, which ends with a row without a name, or NULL. */
static const struct word *look_up(const struct word *words, const char *name)
{
	for (; words->name != NULL; words++)
		if (strcmp(words->name, name) == 0)
			return words;
	return NULL;
}

static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
	{ NULL, 0 },
};

static const struct word operators[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SCMP_CMP_NE }, { NULL, 0 },
};

static const struct word architectures[] = {
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
	{ "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
	{ "SCMP_ARCH_S390", SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
	{ "SCMP_ARCH_X32", SCMP_ARCH_X32 },
	{ "SCMP_ARCH_X86", SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
	{ NULL, 0 },
};

/* There is one thread, so that TSYNC has nothing to do. */
static const struct word flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },
	{ NULL, 0 },
};

/* What an action lets through without anybody's doing. */
static bool is_permissive(uint32_t action)
{
	return action == SCMP_ACT_ALLOW || action == SCMP_ACT_LOG;
}

/* The number that comes with an action, by NAMED ("EPERM", of Podman's) or by NUMBERED. EPERM if by none. */
static int read_error(struct compiler *c, const json_t *object, const char *named,
		      const char *numbered, uint64_t max, uint32_t *error)
{
	uint64_t number = EPERM;
	const char *name = "";
	int has_name = document_text(&c->document, object, named, &name), known;
	int has_number = document_number(&c->document, object, numbered, max, &number);

	if (has_name < 0 || has_number < 0)
		return -1;
	*error = (uint32_t)number;
	if (has_name == 0 || name[0] == '\0')
		return 0;
	known = oci_errno(name);
	if (known < 0)
		return fail(c, named, "unknown errno", name);
	/* runc and crun read the number alone, Podman the name. */
	if (has_number > 0 && number != (uint64_t)known)
		return fail(c, named, "is another one than the number beside it:", name);
	*error = (uint32_t)known;
	return 0;
}

static int read_action(struct compiler *c, const json_t *object, const char *key, const char *named,
		       const char *numbered, uint32_t *action)
{
	const struct word *word;
	const char *name = "";
	uint32_t error;
	uint64_t max;
	int has = document_text(&c->document, object, key, &name);

	if (has < 0)
		return -1;
	if (has == 0)
		return fail(c, key, "is missing", NULL);
	if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return fail(c, key, "is not supported, nobody would answer:", name);
	word = look_up(actions, name);
	if (word == NULL)
		return fail(c, key, "unknown action", name);
	max = word->value == SCMP_ACT_ERRNO(0) ? MAX_ERROR : MAX_TRACE;
	if (read_error(c, object, named, numbered, max, &error) != 0)
		return -1;
	*action = word->value;
	if (*action == SCMP_ACT_ERRNO(0) || *action == SCMP_ACT_TRACE(0))
		*action |= error;
	return 0;
}

static int add_architecture(struct compiler *c, const char *key, const char *name)
{
	const struct word *word = look_up(architectures, name);
	int error = word != NULL ? seccomp_arch_add(c->context, word->value) : 0;

	if (word == NULL)
		return fail(c, key, "unknown architecture", name);
	/* The processor's own is there from the start. */
	if (error < 0 && error != -EEXIST)
		return fail(c, key, "cannot be in one filter with this machine's:", name);
	return 0;
}

static int add_architectures(struct compiler *c, const json_t *object, const char *key)
{
	json_t *list;
	int has = document_list(&c->document, object, key, &list);
	size_t place;

	if (has <= 0)
		return has;
	place = document_enter(&c->document, key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = document_item(&c->document, list, i);
		size_t item;

		if (name == NULL)
			return -1;
		item = document_enter_item(&c->document, i);
		if (add_architecture(c, NULL, name) != 0)
			return -1;
		document_leave(&c->document, item);
	}
	document_leave(&c->document, place);
	return 0;
}

/* The row of the processor's own architecture counts. */
static int add_mapped(struct compiler *c, const json_t *row, bool *found)
{
	static const char *const keys[] = { "architecture", "subArchitectures", NULL };
	const struct word *word;
	const char *name = "";
	int has;

	if (document_check(&c->document, row, keys) != 0)
		return -1;
	has = document_text(&c->document, row, "architecture", &name);
	if (has < 0)
		return -1;
	word = look_up(architectures, name);
	if (word == NULL)
		return fail(c, "architecture", has ? "unknown architecture" : "is missing",
			    has ? name : NULL);
	if (word->value != NATIVE_TOKEN || *found)
		return 0;
	*found = true;
	return add_architectures(c, row, "subArchitectures");
}

static int add_architecture_map(struct compiler *c, const json_t *profile)
{
	bool found = false;
	json_t *map, *list;
	int has = document_list(&c->document, profile, "archMap", &map);
	size_t place;

	if (has <= 0 || json_array_size(map) == 0)
		return has < 0 ? -1 : 0;
	if (document_list(&c->document, profile, "architectures", &list) > 0 &&
	    json_array_size(list) > 0)
		return fail(c, "archMap", "cannot be combined with \"architectures\"", NULL);
	place = document_enter(&c->document, "archMap");
	for (size_t i = 0; i < json_array_size(map); i++) {
		size_t item = document_enter_item(&c->document, i);

		if (add_mapped(c, json_array_get(map, i), &found) != 0)
			return -1;
		document_leave(&c->document, item);
	}
	document_leave(&c->document, place);
	return 0;
}

static int read_flags(struct compiler *c, const json_t *profile, unsigned int *result)
{
	json_t *list;
	int has = document_list(&c->document, profile, "flags", &list);
	size_t place;

	if (has <= 0)
		return has;
	place = document_enter(&c->document, "flags");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = document_item(&c->document, list, i);
		const struct word *word = name != NULL ? look_up(flags, name) : NULL;

		if (name == NULL)
			return -1;
		if (word == NULL) {
			document_enter_item(&c->document, i);
			return fail(c, NULL, "unknown flag", name);
		}
		*result |= word->value;
	}
	document_leave(&c->document, place);
	return 0;
}

/* How many of LIST does this machine, or the workload, have? -1 with the fault. */
static int count_matches(struct compiler *c, const json_t *object, const char *key, size_t *size)
{
	bool architecture = strcmp(key, "arches") == 0;
	json_t *list;
	int has = document_list(&c->document, object, key, &list), count = 0;
	size_t place;

	*size = 0;
	if (has <= 0)
		return has;
	*size = json_array_size(list);
	place = document_enter(&c->document, key);
	for (size_t i = 0; i < *size; i++) {
		const char *name = document_item(&c->document, list, i);

		if (name == NULL)
			return -1;
		count += architecture ? strcmp(name, NATIVE_NAME) == 0
				      : c->has(c->has_context, name);
	}
	document_leave(&c->document, place);
	return count;
}

/* "4.8"; returns what is behind it, NULL if it is no version. */
static const char *read_version(const char *text, unsigned long *kernel, unsigned long *major)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return NULL;
	*kernel = strtoul(text, &end, 10);
	if (end[0] != '.' || end[1] < '0' || end[1] > '9')
		return NULL;
	*major = strtoul(end + 1, &end, 10);
	return end;
}

/* 1 if the kernel is at least that one, 0 if not, 2 if nothing is said, -1 with the fault. */
static int compare_kernel(struct compiler *c, const json_t *object)
{
	unsigned long kernel, major;
	const char *text, *end;
	int has = document_text(&c->document, object, "minKernel", &text);

	if (has <= 0)
		return has < 0 ? -1 : 2;
	end = read_version(text, &kernel, &major);
	if (end == NULL || *end != '\0')
		return fail(c, "minKernel", "must be a version such as \"4.8\", not", text);
	return c->kernel > kernel || (c->kernel == kernel && c->major >= major);
}

/* Is the rule one of this machine and workload? "includes": all must hold, of the architectures one;
 * "excludes": none may. 1 or 0, or -1 with the fault. */
static int applies(struct compiler *c, const json_t *call, const char *key, bool excludes)
{
	static const char *const keys[] = { "arches", "caps", "minKernel", NULL };
	size_t place, all_arches, all_caps;
	int has, arches, caps, kernel;
	json_t *object;

	has = document_object(&c->document, call, key, &object);
	if (has <= 0)
		return has < 0 ? -1 : 1;
	place = document_enter(&c->document, key);
	if (document_check(&c->document, object, keys) != 0)
		return -1;
	arches = count_matches(c, object, "arches", &all_arches);
	caps = arches < 0 ? -1 : count_matches(c, object, "caps", &all_caps);
	kernel = caps < 0 ? -1 : compare_kernel(c, object);
	if (kernel < 0)
		return -1;
	document_leave(&c->document, place);
	if (excludes)
		return arches == 0 && caps == 0 && kernel != 1;
	return (all_arches == 0 || arches > 0) && (size_t)caps == all_caps && kernel != 0;
}

static int read_condition(struct compiler *c, const json_t *object, struct scmp_arg_cmp *condition)
{
	static const char *const keys[] = { "index", "op", "value", "valueTwo", NULL };
	struct document *document = &c->document;
	const struct word *word;
	uint64_t index, value, value_two = 0;
	const char *name = NULL;
	int has;

	if (document_check(document, object, keys) != 0)
		return -1;
	has = document_number(document, object, "index", 5, &index);
	if (has <= 0)
		return has < 0 ? -1 : fail(c, "index", "is missing", NULL);
	has = document_number(document, object, "value", UINT64_MAX, &value);
	if (has <= 0)
		return has < 0 ? -1 : fail(c, "value", "is missing", NULL);
	if (document_number(document, object, "valueTwo", UINT64_MAX, &value_two) < 0)
		return -1;
	has = document_text(document, object, "op", &name);
	if (has <= 0)
		return has < 0 ? -1 : fail(c, "op", "is missing", NULL);
	word = look_up(operators, name);
	if (word == NULL)
		return fail(c, "op", "unknown operator", name);
	*condition = (struct scmp_arg_cmp){ .arg = (unsigned int)index,
					    .op = (enum scmp_compare)word->value,
					    .datum_a = value,
					    .datum_b = value_two };
	return 0;
}

static int read_conditions(struct compiler *c, const json_t *call, struct rule *rule)
{
	unsigned int seen = 0;
	json_t *list;
	int has = document_list(&c->document, call, "args", &list);
	size_t place;

	if (has <= 0)
		return has;
	if (json_array_size(list) > MAX_CONDITIONS)
		return fail(c, "args", "has more than 64 items", NULL);
	place = document_enter(&c->document, "args");
	for (rule->count = 0; rule->count < json_array_size(list); rule->count++) {
		struct scmp_arg_cmp *condition = &rule->conditions[rule->count];
		size_t item = document_enter_item(&c->document, rule->count);

		if (read_condition(c, json_array_get(list, rule->count), condition) != 0)
			return -1;
		rule->alternatives |= (seen & 1U << condition->arg) != 0;
		seen |= 1U << condition->arg;
		document_leave(&c->document, item);
	}
	document_leave(&c->document, place);
	return 0;
}

/* Of the rules without conditions the first one counts. */
static void note_exec(struct compiler *c, const struct rule *rule)
{
	if (rule->count > 0) {
		c->exec_may_differ = true;
	} else if (!c->exec_has_rule) {
		c->exec = rule->action;
		c->exec_has_rule = true;
	}
}

/* A command that is killed before it has begun says nothing about why; an error is told. */
static int check_exec(struct compiler *c)
{
	if ((c->exec_may_differ && !c->exec_has_rule) ||
	    (c->exec != SCMP_ACT_KILL_PROCESS && c->exec != SCMP_ACT_KILL_THREAD &&
	     c->exec != SCMP_ACT_TRAP))
		return 0;
	return fail(c, NULL, "kills whoever calls execve, so that the command could not start",
		    NULL);
}

/* Here the place in the document is that of the call's name. */
static int add_rule(struct compiler *c, const struct rule *rule, int number, unsigned int first,
		    unsigned int count)
{
	int error;

	if (++c->rules > MAX_RULES)
		return fail(c, NULL, "more than 16384 rules", NULL);
	c->tests += count;
	if (c->tests > MAX_TESTS)
		return fail(c, NULL, "more than 8192 conditions", NULL);
	error = seccomp_rule_add_array(c->context, rule->action, number, count,
				       rule->conditions + first);
	if (error == -EEXIST)
		return fail(c, NULL, "contradicts an earlier rule for that call", NULL);
	return error == 0 ? 0 : fail(c, NULL, "libseccomp refuses the rule:", strerror(-error));
}

static int add_call(struct compiler *c, const struct rule *rule, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (name[0] == '\0')
		return fail(c, NULL, "is empty", NULL);
	if (number == __NR_SCMP_ERROR && is_permissive(c->otherwise) &&
	    !is_permissive(rule->action))
		return fail(c, NULL, "unknown system call, which would stay allowed:", name);
	/* libseccomp takes no rule that says what is so anyway. */
	if (number == __NR_SCMP_ERROR || rule->action == c->otherwise)
		return 0;
	if (strcmp(name, "execve") == 0)
		note_exec(c, rule);
	if (!rule->alternatives)
		return add_rule(c, rule, number, 0, rule->count);
	for (unsigned int i = 0; i < rule->count; i++)
		if (add_rule(c, rule, number, i, 1) != 0)
			return -1;
	return 0;
}

static int add_names(struct compiler *c, const struct rule *rule, const json_t *list)
{
	size_t place = document_enter(&c->document, "names");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = document_item(&c->document, list, i);
		size_t item;

		if (name == NULL)
			return -1;
		item = document_enter_item(&c->document, i);
		if (add_call(c, rule, name) != 0)
			return -1;
		document_leave(&c->document, item);
	}
	document_leave(&c->document, place);
	return 0;
}

static int add_calls(struct compiler *c, const struct rule *rule, const json_t *call)
{
	const char *name = NULL;
	json_t *list;
	size_t place;
	int has = document_list(&c->document, call, "names", &list), status;
	int has_name = document_text(&c->document, call, "name", &name);

	if (has < 0 || has_name < 0)
		return -1;
	if (has && has_name && name[0] != '\0' && json_array_size(list) > 0)
		return fail(c, "name", "cannot be combined with \"names\"", NULL);
	if (has && json_array_size(list) > 0)
		return add_names(c, rule, list);
	if (!has_name)
		return fail(c, "names", has ? "is empty" : "is missing", NULL);
	place = document_enter(&c->document, "name");
	status = add_call(c, rule, name);
	document_leave(&c->document, place);
	return status;
}

/* What does not apply here is checked as well: a profile is right or wrong on all machines alike. */
static int add_item(struct compiler *c, const json_t *call)
{
	static const char *const keys[] = { "action",   "args", "errno", "errnoRet", "excludes",
					    "includes", "name", "names", NULL };
	struct rule rule = { .count = 0 };
	int included, excluded;

	if (document_check(&c->document, call, keys) != 0 ||
	    read_action(c, call, "action", "errno", "errnoRet", &rule.action) != 0 ||
	    read_conditions(c, call, &rule) != 0)
		return -1;
	included = applies(c, call, "includes", false);
	excluded = included < 0 ? -1 : applies(c, call, "excludes", true);
	if (excluded < 0)
		return -1;
	return included && excluded ? add_calls(c, &rule, call) : 0;
}

static int add_items(struct compiler *c, const json_t *profile)
{
	json_t *list;
	int has = document_list(&c->document, profile, "syscalls", &list);
	size_t place;

	if (has <= 0)
		return has;
	place = document_enter(&c->document, "syscalls");
	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t item = document_enter_item(&c->document, i);

		if (add_item(c, json_array_get(list, i)) != 0)
			return -1;
		document_leave(&c->document, item);
	}
	document_leave(&c->document, place);
	return 0;
}

static int refuse_listener(struct compiler *c, const json_t *profile)
{
	static const char *const keys[] = { "listenerPath", "listenerMetadata" };
	const char *text;

	for (size_t i = 0; i < LENGTH(keys); i++) {
		int has = document_text(&c->document, profile, keys[i], &text);

		if (has < 0)
			return -1;
		if (has > 0 && text[0] != '\0')
			return fail(c, keys[i],
				    "is not supported: there is no SCMP_ACT_NOTIFY here", NULL);
	}
	return 0;
}

/* The library writes it to a descriptor alone. */
static int export(struct compiler *c, struct oci_filter *filter)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	int error = fd < 0 ? -errno : seccomp_export_bpf(c->context, fd);
	struct stat stat = { .st_size = 0 };
	size_t size;

	if (error == 0 && fstat(fd, &stat) != 0)
		error = -errno;
	size = (size_t)stat.st_size;
	filter->code = malloc(size + 1);
	if (error == 0 && filter->code == NULL)
		error = -ENOMEM;
	if (error == 0 && pread(fd, filter->code, size, 0) != (ssize_t)size)
		error = -EIO;
	if (fd >= 0)
		close(fd);
	size /= sizeof(*filter->code);
	filter->length = (unsigned short)size;
	if (error < 0)
		return fail(c, NULL, "cannot be compiled:", strerror(-error));
	/* seccomp(2): BPF_MAXINSNS. */
	if (size == 0 || size > BPF_MAXINSNS)
		return fail(c, NULL, "becomes more than 4096 instructions", NULL);
	return 0;
}

static int add_all(struct compiler *c, const json_t *profile, struct oci_filter *filter)
{
	int error;

	if (add_architectures(c, profile, "architectures") != 0 ||
	    add_architecture_map(c, profile) != 0 || read_flags(c, profile, &filter->flags) != 0 ||
	    add_items(c, profile) != 0 || check_exec(c) != 0)
		return -1;
	error = seccomp_attr_set(c->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (error == 0 && c->rules > MANY_RULES)
		error = seccomp_attr_set(c->context, SCMP_FLTATR_CTL_OPTIMIZE, TREE);
	if (error < 0)
		return fail(c, NULL, "cannot be compiled:", strerror(-error));
	return export(c, filter);
}

static int compile_profile(struct compiler *c, const json_t *profile, struct oci_filter *filter)
{
	static const char *const keys[] = {
		"archMap", "architectures",    "defaultAction", "defaultErrno", "defaultErrnoRet",
		"flags",   "listenerMetadata", "listenerPath",  "syscalls",     NULL,
	};
	int status;

	if (document_check(&c->document, profile, keys) != 0 || refuse_listener(c, profile) != 0 ||
	    read_action(c, profile, "defaultAction", "defaultErrno", "defaultErrnoRet",
			&c->otherwise) != 0)
		return -1;
	c->exec = c->otherwise;
	c->context = seccomp_init(c->otherwise);
	if (c->context == NULL)
		return fail(c, "defaultAction", "is not to be had from this kernel", NULL);
	status = add_all(c, profile, filter);
	seccomp_release(c->context);
	return status;
}

/* A config.json of the OCI runtimes has the profile in it. */
static int find_profile(struct compiler *c, const json_t **profile)
{
	json_t *linux_part, *seccomp;
	int has = document_object(&c->document, c->document.root, "linux", &linux_part);

	*profile = c->document.root;
	if (has <= 0)
		return has;
	document_enter(&c->document, "linux");
	has = document_object(&c->document, linux_part, "seccomp", &seccomp);
	if (has < 0)
		return -1;
	document_enter(&c->document, "seccomp");
	*profile = seccomp;
	return has ? 0 : fail(c, NULL, "is missing", NULL);
}

static int read_kernel(struct compiler *c, struct fault *fault)
{
	struct utsname name;

	if (uname(&name) != 0)
		return fault_errno(fault, "filter", "uname", errno);
	if (read_version(name.release, &c->kernel, &c->major) == NULL)
		return fault_text(fault, "filter", "uname", "has no version");
	return 0;
}

static int compile_document(struct compiler *c, struct oci_filter *filter, const char *name,
			    char *text, size_t size, struct fault *fault)
{
	const json_t *profile;
	int status = document_open(&c->document, name, text, size, fault);

	if (status == 0)
		status = find_profile(c, &profile);
	if (status == 0)
		status = compile_profile(c, profile, filter);
	document_close(&c->document);
	return status;
}

int oci_compile(struct oci_filter *filter, const char *name, char *text, size_t size,
		oci_capability *has, const void *context, struct fault *fault)
{
	struct compiler *c = calloc(1, sizeof(*c));

	*filter = (struct oci_filter){ .messages = c };
	if (c == NULL)
		return fault_errno(fault, "filter", name, ENOMEM);
	c->has = has;
	c->has_context = context;
	if (read_kernel(c, fault) == 0 && compile_document(c, filter, name, text, size, fault) == 0)
		return 0;
	free(filter->code);
	filter->code = NULL;
	return -1;
}

void oci_release(struct oci_filter *filter)
{
	free(filter->code);
	free(filter->messages);
	*filter = (struct oci_filter){ .code = NULL };
}

int oci_load(struct oci_filter *filter, const char *path, oci_capability *has, const void *context,
	     struct fault *fault)
{
	size_t size;
	char *text = document_read(path, &size, fault);
	int status;

	*filter = (struct oci_filter){ .code = NULL };
	if (text == NULL)
		return -1;
	status = oci_compile(filter, path, text, size, has, context, fault);
	free(text);
	return status;
}
