/* SPDX-License-Identifier: MIT */
/* Users' seccomp profiles: what they become, run in a BPF interpreter; what is refused, to the letter; and
 * what must not bring the parser down. */
#include "filters/oci.h"
#include "filters/document.h"
#include "tests/lib/bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define NATIVE AUDIT_ARCH_ARM
#else
#define NATIVE AUDIT_ARCH_RISCV64
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RET(error) (SECCOMP_RET_ERRNO | (error))
#define ALLOW SECCOMP_RET_ALLOW
#define HIGH 0x100000000ULL
#define SIZE 16384

/* Names of capabilities in one string. */
static bool has(const void *context, const char *name)
{
	return strstr(context, name) != NULL;
}

static char message[8192];

/* Compiles TEXT with ' for ". On failure `message` has what a person would read. */
static int compile(struct oci_filter *filter, const char *json, size_t size, const char *caps)
{
	char *text = malloc(size + 1);
	struct fault fault = { .step = NULL };
	int status;

	assert_non_null(text);
	memcpy(text, json, size);
	for (size_t i = 0; i < size; i++)
		text[i] = text[i] == '\'' ? '"' : text[i];
	status = oci_compile(filter, "p.json", text, size, has, caps, &fault);
	free(text);
	if (status != 0) {
		assert_string_equal(fault.step, "filter");
		assert_non_null(fault.reason);
		snprintf(message, sizeof(message), "%s: %s%s%s", fault.object, fault.reason,
			 fault.detail != NULL ? " " : "", fault.detail != NULL ? fault.detail : "");
		assert_null(filter->code);
	} else {
		assert_in_range(filter->length, 1, BPF_MAXINSNS);
	}
	return status;
}

static uint32_t ask(const struct oci_filter *filter, uint32_t arch, int number,
		    const uint64_t *args)
{
	struct seccomp_data data = { .nr = number, .arch = arch };
	uint32_t verdict;

	memcpy(data.args, args, sizeof(data.args));
	assert_true(bpf_run(filter->code, filter->length, &data, &verdict) > 0);
	return verdict;
}

#define DENY                                                                                       \
	"{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['execve'],'action':'SCMP_ACT_"    \
	"ALLOW'},"
#define PERMIT "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':["
#define ARG(op, value, two)                                                                        \
	"'args':[{'index':1,'value':" value ",'valueTwo':" two ",'op':'SCMP_CMP_" op "'}]"
#define RULE(action, rest) "{'names':['lseek'],'action':'SCMP_ACT_" action "'" rest "}]}"

static const struct row {
	const char *json;
	const char *caps;
	uint64_t argument; /* the second one, of lseek */
	uint32_t verdict;
} rows[] = {
	/* Actions. */
	{ DENY RULE("ALLOW", ""), "", 0, ALLOW },
	{ DENY RULE("ERRNO", ""), "", 0, RET(EPERM) },
	{ DENY RULE("LOG", ""), "", 0, SECCOMP_RET_LOG },
	{ DENY RULE("TRAP", ""), "", 0, SECCOMP_RET_TRAP },
	{ DENY RULE("KILL", ""), "", 0, SECCOMP_RET_KILL_THREAD },
	{ DENY RULE("KILL_THREAD", ""), "", 0, SECCOMP_RET_KILL_THREAD },
	{ DENY RULE("KILL_PROCESS", ""), "", 0, SECCOMP_RET_KILL_PROCESS },
	{ DENY RULE("TRACE", ""), "", 0, SECCOMP_RET_TRACE | EPERM },
	{ DENY RULE("TRACE", ",'errnoRet':65535"), "", 0, SECCOMP_RET_TRACE | 65535 },
	{ DENY RULE("ERRNO", ",'errnoRet':38"), "", 0, RET(ENOSYS) },
	{ DENY RULE("ERRNO", ",'errnoRet':0"), "", 0, RET(0) },
	{ DENY RULE("ERRNO", ",'errnoRet':4094"), "", 0, RET(4094) },
	{ DENY RULE("ERRNO", ",'errnoRet':null"), "", 0, RET(EPERM) },
	{ DENY RULE("ERRNO", ",'errno':'ENOTSUP'"), "", 0, RET(EOPNOTSUPP) },
	{ DENY RULE("ERRNO", ",'errno':'EHWPOISON','errnoRet':133"), "", 0, RET(EHWPOISON) },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[]}", "", 0, RET(EPERM) },
	{ "{'defaultAction':'SCMP_ACT_ERRNO'}", "", 0, RET(EPERM) },
	{ "{'defaultAction':'SCMP_ACT_LOG','syscalls':null}", "", 0, SECCOMP_RET_LOG },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38}", "", 0, RET(ENOSYS) },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrno':'ENOSYS'}", "", 0, RET(ENOSYS) },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrno':'','defaultErrnoRet':13}", "", 0,
	  RET(EACCES) },

	/* Operators, in 64 bits. */
	{ DENY RULE("ALLOW", "," ARG("EQ", "7", "0")), "", 7, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("EQ", "7", "0")), "", 7 | HIGH, RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("NE", "7", "0")), "", 7, RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("NE", "7", "0")), "", 7 | HIGH, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("LT", "7", "0")), "", 6, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("LT", "7", "0")), "", 7, RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("LE", "7", "0")), "", 7, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("LE", "7", "0")), "", 8, RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("LE", "7", "0")), "", 6 | HIGH, RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("GT", "7", "0")), "", 8, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("GT", "7", "0")), "", 7, RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("GE", "7", "0")), "", 7, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("GE", "7", "0")), "", 6, RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("MASKED_EQ", "12", "4")), "", 0xf7, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("MASKED_EQ", "12", "4")), "", 0xff, RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("EQ", "4294967295", "0")), "", UINT32_MAX, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("EQ", "4294967295", "0")), "", UINT64_MAX, RET(EPERM) },
	/* Numbers that no double and no signed integer holds. */
	{ DENY RULE("ALLOW", "," ARG("EQ", "9007199254740993", "0")), "", 9007199254740993, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("EQ", "9007199254740993", "0")), "", 9007199254740992,
	  RET(EPERM) },
	{ DENY RULE("ALLOW", "," ARG("EQ", "9223372036854775807", "0")), "", INT64_MAX, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("EQ", "9223372036854775808", "0")), "", 1ULL << 63, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("EQ", "18446744073709551615", "0")), "", UINT64_MAX, ALLOW },
	{ DENY RULE("ALLOW", "," ARG("MASKED_EQ", "18446744069414584320", "18446744069414584320")),
	  "", 0xffffffff00000001, ALLOW },
	/* Conditions on one argument are alternatives, on several they must all hold. */
	{ DENY RULE("ALLOW", ",'args':[{'index':1,'value':1,'op':'SCMP_CMP_EQ'},"
			     "{'index':1,'value':2,'op':'SCMP_CMP_EQ'}]"),
	  "", 2, ALLOW },
	{ DENY RULE("ALLOW", ",'args':[{'index':1,'value':1,'op':'SCMP_CMP_EQ'},"
			     "{'index':2,'value':2,'op':'SCMP_CMP_EQ'}]"),
	  "", 1, RET(EPERM) },
	{ DENY RULE("ALLOW", ",'args':null"), "", 0, ALLOW },
	{ DENY RULE("ALLOW", ",'args':[]"), "", 0, ALLOW },

	/* Where a rule is for. */
	{ DENY RULE("ALLOW", ",'includes':{'caps':['CAP_A','CAP_B']}"), "CAP_A CAP_B", 0, ALLOW },
	{ DENY RULE("ALLOW", ",'includes':{'caps':['CAP_A','CAP_B']}"), "CAP_A", 0, RET(EPERM) },
	{ DENY RULE("ALLOW", ",'excludes':{'caps':['CAP_A','CAP_B']}"), "CAP_B", 0, RET(EPERM) },
	{ DENY RULE("ALLOW", ",'excludes':{'caps':['CAP_A','CAP_B']}"), "", 0, ALLOW },
	{ DENY RULE("ALLOW", ",'includes':{'arches':['amd64','arm64','arm','riscv64']}"), "", 0,
	  ALLOW },
	{ DENY RULE("ALLOW", ",'includes':{'arches':['s390x']}"), "", 0, RET(EPERM) },
	{ DENY RULE("ALLOW", ",'excludes':{'arches':['amd64','arm64','arm','riscv64']}"), "", 0,
	  RET(EPERM) },
	{ DENY RULE("ALLOW", ",'excludes':{'arches':['s390x']}"), "", 0, ALLOW },
	{ DENY RULE("ALLOW", ",'includes':{'minKernel':'4.8'}"), "", 0, ALLOW },
	{ DENY RULE("ALLOW", ",'includes':{'minKernel':'999.0'}"), "", 0, RET(EPERM) },
	{ DENY RULE("ALLOW", ",'excludes':{'minKernel':'4.8'}"), "", 0, RET(EPERM) },
	{ DENY RULE("ALLOW", ",'excludes':{'minKernel':'999.0'}"), "", 0, ALLOW },
	{ DENY RULE("ALLOW", ",'includes':{},'excludes':{}"), "", 0, ALLOW },
	{ DENY RULE("ALLOW", ",'includes':null,'excludes':null"), "", 0, ALLOW },

	/* Names. */
	{ PERMIT "{'name':'lseek','action':'SCMP_ACT_ERRNO'}]}", "", 0, RET(EPERM) },
	{ PERMIT "{'name':'','names':['lseek'],'action':'SCMP_ACT_ERRNO'}]}", "", 0, RET(EPERM) },
	{ DENY "{'names':['no_such_call','lseek'],'action':'SCMP_ACT_ALLOW'}]}", "", 0, ALLOW },
	{ DENY "{'names':['s390_pci_mmio_read','lseek'],'action':'SCMP_ACT_ALLOW'}]}", "", 0,
	  ALLOW },
	/* Of rules without conditions the first one counts, and each before those with some. */
	{ PERMIT "{'names':['lseek'],'action':'SCMP_ACT_TRAP'},"
		 "{'names':['lseek'],'action':'SCMP_ACT_ERRNO'}]}",
	  "", 0, SECCOMP_RET_TRAP },
	{ PERMIT "{'names':['lseek'],'action':'SCMP_ACT_TRAP'," ARG(
		  "EQ", "1", "0") "},"
				  "{'names':['lseek'],'action':'SCMP_ACT_ERRNO'}]}",
	  "", 1, RET(EPERM) },

	/* In a config.json, and with comments. */
	{ "{'ociVersion':'1.0','process':{'args':[1]},'linux':{'namespaces':[],'seccomp':"
	  "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':5}}}",
	  "", 0, RET(EIO) },
	{ "{'$schema':1,'_made':[],'comment':'','defaultAction':'SCMP_ACT_ERRNO'}", "", 0,
	  RET(EPERM) },
};

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint64_t args[6] = { 0, rows[i].argument };
		struct oci_filter filter;
		uint32_t verdict;

		if (compile(&filter, rows[i].json, strlen(rows[i].json), rows[i].caps) != 0)
			fail_msg("%s: %s", rows[i].json, message);
		verdict = ask(&filter, NATIVE, SYS_lseek, args);
		if (verdict != rows[i].verdict)
			fail_msg("%s: %#x, not %#x", rows[i].json, verdict, rows[i].verdict);
		oci_release(&filter);
	}
}

static const struct {
	const char *json;
	const char *message;
} bad[] = {
	{ "", "p.json:1:0: not JSON: '[' or '{' expected near end of file" },
	{ "[]", "p.json: must be an object" },
	{ "{}", "p.json: defaultAction: is missing" },
	{ "{'linux':{}}", "p.json: linux.seccomp: is missing" },
	{ "{'linux':[]}", "p.json: linux: must be an object" },
	{ "{'linux':{'seccomp':[]}}", "p.json: linux.seccomp: must be an object" },
	{ "{'linux':{'seccomp':{}}}", "p.json: linux.seccomp.defaultAction: is missing" },
	{ "{'defaultAction':''}", "p.json: defaultAction: unknown action \"\"" },
	{ "{'defaultAction':'allow'}", "p.json: defaultAction: unknown action \"allow\"" },
	{ "{'defaultAction':1}", "p.json: defaultAction: must be a string" },
	{ "{'defaultAction':18446744073709551615}", "p.json: defaultAction: must be a string" },
	{ "{'defaultAction':'SCMP_ACT_NOTIFY'}",
	  "p.json: defaultAction: is not supported, nobody would answer: \"SCMP_ACT_NOTIFY\"" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW'} x",
	  "p.json:1:36: not JSON: end of file expected near 'x'" },
	{ "{\n 'defaultAction':\n'SCMP_ACT_ALLOW',,}",
	  "p.json:3:18: not JSON: string or '}' expected near ','" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','defaultAction':'SCMP_ACT_ALLOW'}",
	  "p.json:1:49: not JSON: duplicate object key near '\"defaultAction\"'" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','DefaultAction':''}",
	  "p.json: unknown key \"DefaultAction\"" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_NEW_LISTENER']}",
	  "p.json: flags[0]: unknown flag \"SECCOMP_FILTER_FLAG_NEW_LISTENER\"" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','flags':'x'}", "p.json: flags: must be an array" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','flags':[1]}", "p.json: flags[0]: must be a string" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/s'}",
	  "p.json: listenerPath: is not supported: there is no SCMP_ACT_NOTIFY here" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_X86_64','x86']}",
	  "p.json: architectures[1]: unknown architecture \"x86\"" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_S390X']}",
	  "p.json: architectures[0]: cannot be in one filter with this machine's: "
	  "\"SCMP_ARCH_S390X\"" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_X86'],"
	  "'archMap':[{'architecture':'SCMP_ARCH_X86'}]}",
	  "p.json: archMap: cannot be combined with \"architectures\"" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','archMap':[{}]}",
	  "p.json: archMap[0].architecture: is missing" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','archMap':[{'architecture':'x','y':1}]}",
	  "p.json: archMap[0]: unknown key \"y\"" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':4095}",
	  "p.json: defaultErrnoRet: must be a whole number from 0 to 4094" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':-1}",
	  "p.json: defaultErrnoRet: must be a whole number from 0 to 4094" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':1.0}",
	  "p.json: defaultErrnoRet: must be a whole number from 0 to 4094" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':'1'}",
	  "p.json: defaultErrnoRet: must be a whole number from 0 to 4094" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrno':'EWHAT'}",
	  "p.json: defaultErrno: unknown errno \"EWHAT\"" },
	{ "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrno':'ENOSYS','defaultErrnoRet':1}",
	  "p.json: defaultErrno: is another one than the number beside it: \"ENOSYS\"" },
	{ "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':{}}",
	  "p.json: syscalls: must be an array" },
	{ PERMIT "1]}", "p.json: syscalls[0]: must be an object" },
	{ PERMIT "{'names':['lseek']}]}", "p.json: syscalls[0].action: is missing" },
	{ PERMIT "{'action':'SCMP_ACT_ERRNO'}]}", "p.json: syscalls[0].names: is missing" },
	{ PERMIT "{'action':'SCMP_ACT_ERRNO','names':[]}]}",
	  "p.json: syscalls[0].names: is empty" },
	{ PERMIT "{'action':'SCMP_ACT_ERRNO','names':['']}]}",
	  "p.json: syscalls[0].names[0]: is empty" },
	{ PERMIT "{'action':'SCMP_ACT_ERRNO','names':['lseek',3]}]}",
	  "p.json: syscalls[0].names[1]: must be a string" },
	{ PERMIT "{'action':'SCMP_ACT_ERRNO','names':['lseek',18446744073709551615]}]}",
	  "p.json: syscalls[0].names[1]: must be a string" },
	{ PERMIT "{'action':'SCMP_ACT_ERRNO','names':['lseek'],'name':'lseek'}]}",
	  "p.json: syscalls[0].name: cannot be combined with \"names\"" },
	/* Passed over it would stay open. */
	{ PERMIT "{'action':'SCMP_ACT_ERRNO','names':['lseek','iseek']}]}",
	  "p.json: syscalls[0].names[1]: unknown system call, which would stay allowed: "
	  "\"iseek\"" },
	{ PERMIT RULE("WHAT", ""), "p.json: syscalls[0].action: unknown action \"SCMP_ACT_WHAT\"" },
	{ PERMIT RULE("NOTIFY", ""), "p.json: syscalls[0].action: is not supported, nobody would "
				     "answer: \"SCMP_ACT_NOTIFY\"" },
	{ PERMIT RULE("TRACE", ",'errnoRet':65536"),
	  "p.json: syscalls[0].errnoRet: must be a whole number from 0 to 65535" },
	{ PERMIT RULE("ERRNO", ",'errno':'EPERM','errnoRet':2"),
	  "p.json: syscalls[0].errno: is another one than the number beside it: \"EPERM\"" },
	{ PERMIT RULE("ERRNO", ",'arg':[]"), "p.json: syscalls[0]: unknown key \"arg\"" },
	{ PERMIT RULE("ERRNO", ",'args':{}"), "p.json: syscalls[0].args: must be an array" },
	{ PERMIT RULE("ERRNO", ",'args':[[]]"), "p.json: syscalls[0].args[0]: must be an object" },
	{ PERMIT RULE("ERRNO", ",'args':[{'value':1,'op':'SCMP_CMP_EQ'}]"),
	  "p.json: syscalls[0].args[0].index: is missing" },
	{ PERMIT RULE("ERRNO", ",'args':[{'index':6,'value':1,'op':'SCMP_CMP_EQ'}]"),
	  "p.json: syscalls[0].args[0].index: must be a whole number from 0 to 5" },
	{ PERMIT RULE("ERRNO", ",'args':[{'index':0,'op':'SCMP_CMP_EQ'}]"),
	  "p.json: syscalls[0].args[0].value: is missing" },
	{ PERMIT RULE("ERRNO", ",'args':[{'index':0,'value':1}]"),
	  "p.json: syscalls[0].args[0].op: is missing" },
	{ PERMIT RULE("ERRNO", ",'args':[{'index':0,'value':1,'op':'EQ'}]"),
	  "p.json: syscalls[0].args[0].op: unknown operator \"EQ\"" },
	{ PERMIT RULE("ERRNO", ",'args':[{'index':0,'value':-1,'op':'SCMP_CMP_EQ'}]"),
	  "p.json: syscalls[0].args[0].value: must be a whole number from 0 to "
	  "18446744073709551615" },
	{ PERMIT RULE("ERRNO", ",'args':[{'index':0,'value':1e3,'op':'SCMP_CMP_EQ'}]"),
	  "p.json: syscalls[0].args[0].value: must be a whole number from 0 to "
	  "18446744073709551615" },
	{ PERMIT RULE("ERRNO", ",'args':[{'index':0,'value':1,'valueTwo':'','op':'SCMP_CMP_EQ'}]"),
	  "p.json: syscalls[0].args[0].valueTwo: must be a whole number from 0 to "
	  "18446744073709551615" },
	{ "{'defaultErrnoRet':18446744073709551616}",
	  "p.json:1:39: not JSON: too big integer near '18446744073709551616'" },
	{ "{'defaultErrnoRet':-18446744073709551615}",
	  "p.json:1:40: not JSON: too big negative integer" },
	{ PERMIT RULE("ERRNO", ",'includes':[]"),
	  "p.json: syscalls[0].includes: must be an object" },
	{ PERMIT RULE("ERRNO", ",'includes':{'cap':[]}"),
	  "p.json: syscalls[0].includes: unknown key \"cap\"" },
	{ PERMIT RULE("ERRNO", ",'excludes':{'caps':['CAP_A',1]}"),
	  "p.json: syscalls[0].excludes.caps[1]: must be a string" },
	{ PERMIT RULE("ERRNO", ",'excludes':{'minKernel':'4'}"),
	  "p.json: syscalls[0].excludes.minKernel: must be a version such as \"4.8\", not \"4\"" },
	{ PERMIT RULE("ERRNO", ",'excludes':{'minKernel':'4.8.1'}"),
	  "p.json: syscalls[0].excludes.minKernel: must be a version such as \"4.8\", not "
	  "\"4.8.1\"" },
	{ PERMIT "{'names':['lseek'],'action':'SCMP_ACT_TRAP'," ARG(
		  "EQ", "1", "0") "},"
				  "{'names':['lseek'],'action':'SCMP_ACT_ERRNO'," ARG("EQ", "1",
										      "0") "}]}",
	  "p.json: syscalls[1].names[0]: contradicts an earlier rule for that call" },
	/* What would end the command without a word. */
	{ "{'defaultAction':'SCMP_ACT_KILL'}",
	  "p.json: kills whoever calls execve, so that the command could not start" },
	{ PERMIT "{'names':['execve'],'action':'SCMP_ACT_TRAP'}]}",
	  "p.json: kills whoever calls execve, so that the command could not start" },
};

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct oci_filter filter;

		assert_int_equal(compile(&filter, bad[i].json, strlen(bad[i].json), ""), -1);
		if (strcmp(message, bad[i].message) != 0)
			fail_msg("%s\n  got:    %s\n  wanted: %s", bad[i].json, message,
				 bad[i].message);
		oci_release(&filter);
	}
}

static void test_flags(void **state)
{
	static const char json[] = "{'defaultAction':'SCMP_ACT_ERRNO','flags':["
				   "'SECCOMP_FILTER_FLAG_TSYNC','SECCOMP_FILTER_FLAG_LOG',"
				   "'SECCOMP_FILTER_FLAG_SPEC_ALLOW']}";
	struct oci_filter filter;

	(void)state;
	assert_int_equal(compile(&filter, json, strlen(json), ""), 0);
	assert_int_equal(filter.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	oci_release(&filter);
}

#ifdef __x86_64__
/* Only what is named, and never in silence. */
static void test_architectures(void **state)
{
	static const struct {
		const char *json;
		uint32_t i386, x32;
	} cases[] = {
		{ "", SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_PROCESS },
		{ ",'architectures':[]", SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_PROCESS },
		{ ",'architectures':['SCMP_ARCH_X86_64']", SECCOMP_RET_KILL_PROCESS,
		  SECCOMP_RET_KILL_PROCESS },
		{ ",'architectures':['SCMP_ARCH_X86']", RET(EPERM), SECCOMP_RET_KILL_PROCESS },
		{ ",'architectures':['SCMP_ARCH_X32']", SECCOMP_RET_KILL_PROCESS, RET(EPERM) },
		{ ",'archMap':[{'architecture':'SCMP_ARCH_AARCH64','subArchitectures':"
		  "['SCMP_ARCH_X86']},{'architecture':'SCMP_ARCH_X86_64','subArchitectures':"
		  "['SCMP_ARCH_X32']}]",
		  SECCOMP_RET_KILL_PROCESS, RET(EPERM) },
		{ ",'archMap':[{'architecture':'SCMP_ARCH_X86_64','subArchitectures':"
		  "['SCMP_ARCH_X86','SCMP_ARCH_X32']}]",
		  RET(EPERM), RET(EPERM) },
		{ ",'archMap':[{'architecture':'SCMP_ARCH_X86_64'}]", SECCOMP_RET_KILL_PROCESS,
		  SECCOMP_RET_KILL_PROCESS },
	};
	const uint64_t args[6] = { 0 };
	char json[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct oci_filter filter;

		snprintf(json, sizeof(json), "{'defaultAction':'SCMP_ACT_ERRNO'%s}", cases[i].json);
		assert_int_equal(compile(&filter, json, strlen(json), ""), 0);
		assert_int_equal(ask(&filter, AUDIT_ARCH_X86_64, 1, args), RET(EPERM));
		assert_int_equal(ask(&filter, AUDIT_ARCH_I386, 1, args), cases[i].i386);
		assert_int_equal(ask(&filter, AUDIT_ARCH_X86_64, 0x40000001, args), cases[i].x32);
		assert_int_equal(ask(&filter, AUDIT_ARCH_AARCH64, 1, args),
				 SECCOMP_RET_KILL_PROCESS);
		/* Nobody's number, with which programs ask for ENOSYS. */
		assert_int_equal(ask(&filter, AUDIT_ARCH_X86_64, -1, args), RET(EPERM));
		oci_release(&filter);
	}
}
#endif

/* A profile with all that there can be, for what follows. */
static const char whole[] =
	"{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38,\n"
	"  \"archMap\": [ { \"architecture\": \"SCMP_ARCH_X86_64\",\n"
	"    \"subArchitectures\": [ \"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\" ] } ],\n"
	"  \"flags\": [ \"SECCOMP_FILTER_FLAG_LOG\" ],\n"
	"  \"syscalls\": [\n"
	"    { \"names\": [ \"read\", \"write\", \"execve\" ], \"action\": \"SCMP_ACT_ALLOW\" },\n"
	"    { \"name\": \"personality\", \"action\": \"SCMP_ACT_ALLOW\", \"args\": [\n"
	"      { \"index\": 0, \"value\": 18446744073709551615, \"op\": \"SCMP_CMP_EQ\" },\n"
	"      { \"index\": 0, \"value\": 8, \"valueTwo\": 8, \"op\": \"SCMP_CMP_MASKED_EQ\" } ] "
	"},\n"
	"    { \"names\": [ \"chroot\" ], \"action\": \"SCMP_ACT_ALLOW\",\n"
	"      \"includes\": { \"caps\": [ \"CAP_SYS_CHROOT\" ], \"minKernel\": \"4.8\" },\n"
	"      \"excludes\": { \"arches\": [ \"s390\" ] } },\n"
	"    { \"names\": [ \"\\u0063lone3\" ], \"action\": \"SCMP_ACT_ERRNO\", \"errno\": "
	"\"EPERM\" }\n"
	"  ] }";

static void test_truncations(void **state)
{
	struct oci_filter filter;

	(void)state;
	assert_int_equal(compile(&filter, whole, strlen(whole), "CAP_SYS_CHROOT"), 0);
	oci_release(&filter);
	for (size_t size = 0; size < strlen(whole); size++) {
		if (compile(&filter, whole, size, "CAP_SYS_CHROOT") == 0)
			fail_msg("the first %zu bytes are taken for a profile", size);
		oci_release(&filter);
	}
}

/* Docker's own, where tests/deps has put it. */
static void test_docker(void **state)
{
	struct oci_filter filter;
	struct fault fault;
	size_t size;
	char *text = document_read("build/taken/docker.json", &size, &fault);

	(void)state;
	if (text == NULL)
		skip();
	assert_int_equal(compile(&filter, text, size, ""), 0);
	oci_release(&filter);
	/* Behind the last brace there is a newline. */
	for (size_t cut = 0; cut < size - 2; cut += 1) {
		if (compile(&filter, text, cut, "") == 0)
			fail_msg("the first %zu bytes of Docker's profile are taken for one", cut);
		oci_release(&filter);
	}
	free(text);
}

/* Reproducible, so that a failure can be looked at. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void mutate(char *text, size_t *size, uint32_t *seed)
{
	static const char bytes[] = "{}[]:,\"\\0199-+.eE \n\x7f\xff\xc3tnu";
	size_t at = next_random(seed) % *size, length = next_random(seed) % 40;

	length = length < *size - at ? length : *size - at;
	switch (next_random(seed) % 4) {
	case 0:
		text[at] = bytes[next_random(seed) % sizeof(bytes)];
		break;
	case 1:
		text[at] = (char)next_random(seed);
		break;
	case 2:
		memmove(text + at, text + at + length, *size - at - length);
		*size -= length;
		break;
	default:
		if (*size + length > SIZE)
			return;
		memmove(text + at + length, text + at, *size - at);
		*size += length;
	}
}

static void test_mutations(void **state)
{
	static char text[SIZE];
	uint32_t seed = 1;
	unsigned int taken = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		size_t size = strlen(whole);
		struct oci_filter filter;

		memcpy(text, whole, size);
		for (uint32_t count = next_random(&seed) % 3 + 1; count > 0 && size > 1; count--)
			mutate(text, &size, &seed);
		taken += compile(&filter, text, size, "") == 0;
		oci_release(&filter);
	}
	/* Some only hit a blank; that most are refused is what makes the rest worth something. */
	assert_in_range(taken, 1, 10000);
}

static int compile_repeated(const char *before, const char *unit, size_t count, const char *after)
{
	size_t length = strlen(unit), start = strlen(before);
	char *text = malloc(start + count * length + strlen(after) + 1);
	struct oci_filter filter;
	int status;

	assert_non_null(text);
	memcpy(text, before, start);
	for (size_t i = 0; i < count; i++)
		memcpy(text + start + i * length, unit, length);
	memcpy(text + start + count * length, after, strlen(after) + 1);
	status = compile(&filter, text, strlen(text), "");
	oci_release(&filter);
	free(text);
	return status;
}

static void test_extremes(void **state)
{
	static const char nul[] = "{'defaultAction':'SCMP_ACT_ERRNO'\0}";
	static const char nul_inside[] = "{'defaultAction':'SCMP_ACT_ERRNO\0'}";
	static const char nul_escaped[] = "{'defaultAction':'SCMP_ACT_ERRNO\\u0000'}";
	static const char not_utf8[] = "{'defaultAction':'SCMP_ACT_\xff'}";
	struct oci_filter filter;

	(void)state;
	assert_int_equal(compile(&filter, nul, sizeof(nul) - 1, ""), -1);
	oci_release(&filter);
	assert_int_equal(compile(&filter, nul_inside, sizeof(nul_inside) - 1, ""), -1);
	oci_release(&filter);
	assert_int_equal(compile(&filter, nul_escaped, sizeof(nul_escaped) - 1, ""), -1);
	oci_release(&filter);
	assert_int_equal(compile(&filter, not_utf8, sizeof(not_utf8) - 1, ""), -1);
	oci_release(&filter);
	assert_int_equal(compile_repeated("", "[", 500000, ""), -1);
	assert_non_null(strstr(message, "maximum parsing depth reached"));
	assert_int_equal(compile_repeated("", "{'a':", 100000, ""), -1);
	assert_int_equal(compile_repeated("{'defaultErrnoRet':", "9", 500000, "}"), -1);
	assert_int_equal(compile_repeated("{'_x':'", "\\\\", 100000,
					  "',"
					  "'defaultAction':'SCMP_ACT_LOG'}"),
			 0);
	assert_int_equal(compile_repeated(PERMIT "{'action':'SCMP_ACT_ERRNO','names':['lseek'],"
						 "'args':[",
					  "{'index':0,'op':'SCMP_CMP_EQ','value':1},", 64,
					  "{'index':0,'op':'SCMP_CMP_EQ','value':1}]}]}"),
			 -1);
	assert_string_equal(message, "p.json: syscalls[0].args: has more than 64 items");
	assert_int_equal(compile_repeated(PERMIT "{'action':'SCMP_ACT_ERRNO','names':[", "'lseek',",
					  20000, "'lseek']}]}"),
			 -1);
	assert_string_equal(message, "p.json: syscalls[0].names[16384]: more than 16384 rules");
	assert_int_equal(compile_repeated(PERMIT
					  "{'action':'SCMP_ACT_ERRNO','args':["
					  "{'index':0,'op':'SCMP_CMP_EQ','value':1},"
					  "{'index':1,'op':'SCMP_CMP_EQ','value':1}],'names':[",
					  "'lseek',", 5000, "'lseek']}]}"),
			 -1);
	assert_string_equal(message, "p.json: syscalls[0].names[4096]: more than 8192 conditions");
}

/* A filter that the kernel would not take is told while that can still be told well. */
static void test_too_long(void **state)
{
	static char json[500000];
	struct oci_filter filter;
	size_t length = 0;

	(void)state;
	length = (size_t)snprintf(json, sizeof(json), PERMIT);
	for (int i = 0; i < 4500; i++)
		length += (size_t)snprintf(json + length, sizeof(json) - length,
					   "%s{'names':['lseek'],'action':'SCMP_ACT_ERRNO',"
					   "'args':[{'index':1,'value':%d,'op':'SCMP_CMP_EQ'}]}",
					   i > 0 ? "," : "", i);
	snprintf(json + length, sizeof(json) - length, "]}");
	assert_int_equal(compile(&filter, json, strlen(json), ""), -1);
	assert_string_equal(message, "p.json: becomes more than 4096 instructions");
	oci_release(&filter);
}

static void check_read(const char *path, const char *reason, int error)
{
	struct fault fault;
	size_t size;

	assert_null(document_read(path, &size, &fault));
	assert_string_equal(fault.object, path);
	if (reason != NULL)
		assert_string_equal(fault.reason, reason);
	else
		assert_int_equal(fault.error, error);
}

static void test_reading(void **state)
{
	char path[] = "/tmp/oci_test.XXXXXX";
	int fd = mkstemp(path);
	struct fault fault;
	size_t size;
	char *text;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DOCUMENT_SIZE), 0);
	text = document_read(path, &size, &fault);
	assert_non_null(text);
	assert_int_equal(size, DOCUMENT_SIZE);
	free(text);
	assert_int_equal(ftruncate(fd, DOCUMENT_SIZE + 1), 0);
	check_read(path, "is larger than 1 MiB", 0);
	check_read("/", "is neither a file nor a pipe", 0);
	check_read("/dev/zero", "is neither a file nor a pipe", 0);
	check_read("/no/such.json", NULL, ENOENT);
	close(fd);
	unlink(path);
}

static void test_errnos(void **state)
{
	(void)state;
	assert_int_equal(oci_errno("EPERM"), EPERM);
	assert_int_equal(oci_errno("ENOSYS"), ENOSYS);
	assert_int_equal(oci_errno("EHWPOISON"), EHWPOISON);
	assert_int_equal(oci_errno("eperm"), -1);
	assert_int_equal(oci_errno("EPER"), -1);
	assert_int_equal(oci_errno(""), -1);
	assert_int_equal(oci_errno("1"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),      cmocka_unit_test(test_messages),
		cmocka_unit_test(test_flags),
#ifdef __x86_64__
		cmocka_unit_test(test_architectures),
#endif
		cmocka_unit_test(test_truncations),   cmocka_unit_test(test_docker),
		cmocka_unit_test(test_mutations),     cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_too_long),      cmocka_unit_test(test_reading),
		cmocka_unit_test(test_errnos),
	};

	return cmocka_run_group_tests_name("oci", tests, NULL, NULL);
}
