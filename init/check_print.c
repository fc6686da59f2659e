/* SPDX-License-Identifier: MIT */
/* What --check prints; nestbox(1) describes the JSON. */
#include <string.h>
#include <unistd.h>

#include "init/check.h"

static const char *const states[] = {
	[CHECK_OK] = "ok",
	[CHECK_MISSING] = "missing",
	[CHECK_BLOCKED] = "blocked",
	[CHECK_UNTRIED] = "untried",
};

static const struct {
	const char *title, *name;
} groups[] = {
	[PROBES_USER] = { "in a user namespace", "user" },
	[PROBES_ALONE] = { "namespaces without one", "alone" },
	[PROBES_MOUNTS] = { "mounts", "mounts" },
	[PROBES_CALLS] = { "calls", "calls" },
	[PROBES_HOST] = { "given by the host", "host" },
	[PROBES_BOX] = { "boxes", "boxes" },
};

static const char *const verdicts[] = {
	[CHECK_BOX] = "box",
	[CHECK_FALLBACK] = "fallback",
	[CHECK_NOTHING] = "nothing",
};

static const char *const runtimes[] = {
	[RUNTIME_UNKNOWN] = NULL,
	[RUNTIME_DOCKER] = "docker",
	[RUNTIME_PODMAN] = "podman",
	[RUNTIME_KUBERNETES] = "kubernetes",
	[RUNTIME_NSPAWN] = "systemd-nspawn",
	[RUNTIME_LXC] = "lxc",
	[RUNTIME_NESTBOX] = "nestbox",
};

/* A line's end is the first thing that has gone wrong with its output. */
struct printer {
	struct text line;
	struct text before; /* the cause that was told last */
	int error;
};

static void flush(struct printer *printer)
{
	int error = text_write(&printer->line, STDOUT_FILENO);

	if (printer->error == 0)
		printer->error = error;
	printer->line.length = 0;
}

/* A box says it all itself: "nestbox: STEP: …". */
static const char *message_of(const struct finding *finding)
{
	const char *message = finding->message;

	return strncmp(message, "nestbox: ", 9) == 0 ? message + 9 : message;
}

/* ---- for people ---- */

static void pad(struct text *line, size_t column)
{
	while (line->length < column)
		text_add(line, " ");
}

static void print_around(struct printer *printer, const struct around *around)
{
	struct text *line = &printer->line;

	text_add(line, "Linux ");
	text_visible(line, around->kernel);
	text_add(line, ", user ");
	text_number(line, around->uid);
	text_add(line, around->filters == 0 ? ", no seccomp filter" : ", seccomp filters: ");
	if (around->filters > 0)
		text_number(line, (unsigned int)around->filters);
	text_add(line, around->filters < 0 ? "not known" : "");
	if (around->label[0] != '\0') {
		text_add(line, ", confined to ");
		text_visible(line, around->label);
	}
	if (runtimes[around->runtime] != NULL) {
		text_add(line, ", inside ");
		text_add(line, runtimes[around->runtime]);
	}
	flush(printer);
}

static void add_because(struct printer *printer, const struct cause *cause)
{
	struct text *line = &printer->line;

	if (cause->text.length == 0)
		return;
	if (strcmp(printer->before.bytes, cause->text.bytes) == 0) {
		text_add(line, " (for the same cause)");
		return;
	}
	printer->before = cause->text;
	text_add(line, " (");
	cause_join(line, cause);
	text_add(line, ")");
}

/* Boxes tend to fail alike. */
static void add_message(struct printer *printer, const struct finding *finding)
{
	const char *message = message_of(finding);
	struct text *line = &printer->line;

	text_add(line, ": ");
	if (strcmp(printer->before.bytes, message) == 0) {
		text_add(line, "the same");
		return;
	}
	text_visible(line, message);
	printer->before.length = 0;
	text_add(&printer->before, message);
	printer->before.bytes[printer->before.length] = '\0';
}

static void add_failure(struct printer *printer, const struct finding *finding,
			const struct cause *cause)
{
	struct text *line = &printer->line;

	if (finding->step != NULL) {
		text_add(line, ": ");
		text_add(line, finding->step);
	}
	if (finding->error != 0) {
		text_add(line, ": ");
		text_add(line, strerror(finding->error));
	}
	add_because(printer, cause);
}

static void print_finding(struct printer *printer, const struct probe *probe,
			  const struct finding *finding, const struct cause *cause)
{
	struct text *line = &printer->line;
	bool box = probe->group == PROBES_BOX;

	text_add(line, "  ");
	text_add(line, states[cause->state]);
	pad(line, 11);
	text_add(line, probe->name);
	if (cause->state != CHECK_OK && box && finding->message[0] != '\0') {
		add_message(printer, finding);
	} else if (cause->state != CHECK_OK) {
		add_failure(printer, finding, cause);
	} else if (finding->value > 0 && !box) {
		text_add(line, ": ABI ");
		text_number(line, (unsigned int)finding->value);
	}
	flush(printer);
}

static void print_verdict(struct printer *printer, const struct check *check)
{
	const char *text = "Neither the default box stands here, nor anything for --fallback.";

	if (check->status == CHECK_BOX)
		text = "The default box stands here.";
	else if (check_stands(check->findings, "box without /proc"))
		text = "The default box does not stand here. One with --tmpfs /proc does.";
	else if (check->status == CHECK_FALLBACK)
		text = "The default box does not stand here. With --fallback a command runs, and "
		       "warnings say what does not hold it.";
	text_add(&printer->line, text);
	flush(printer);
}

int check_print_text(const struct check *check)
{
	struct printer printer = { .error = 0 };

	print_around(&printer, check->around);
	for (size_t i = 0; i < probe_count; i++) {
		struct cause cause;

		if (i == 0 || probes[i].group != probes[i - 1].group) {
			text_add(&printer.line, groups[probes[i].group].title);
			flush(&printer);
		}
		cause_find(&probes[i], &check->findings[i], check->around, &cause);
		print_finding(&printer, &probes[i], &check->findings[i], &cause);
	}
	print_verdict(&printer, check);
	return printer.error;
}

/* ---- for programs ---- */

static void add_key(struct text *line, const char *name)
{
	text_add(line, line->bytes[line->length - 1] == '{' ? "" : ",");
	text_json(line, name);
	text_add(line, ":");
}

static void add_string(struct text *line, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	add_key(line, name);
	text_json(line, value);
}

static void add_number(struct text *line, const char *name, unsigned long long value)
{
	add_key(line, name);
	text_number(line, value);
}

static void add_finding(struct text *line, const struct probe *probe, const struct finding *finding,
			const struct cause *cause)
{
	text_add(line, "{");
	add_string(line, "name", probe->name);
	add_string(line, "group", groups[probe->group].name);
	add_string(line, "state", states[cause->state]);
	if (cause->state == CHECK_OK && probe->group != PROBES_BOX && finding->value > 0)
		add_number(line, "value", (unsigned int)finding->value);
	if (cause->state != CHECK_OK) {
		add_string(line, "step", finding->step);
		add_string(line, "call", call_name(finding->call));
		if (finding->error != 0)
			add_number(line, "errno", (unsigned int)finding->error);
		add_string(line, "needs", finding->needs);
		add_string(line, "by", cause->by);
		add_string(line, "cause", cause->text.bytes);
		add_string(line, "remedy", cause->remedy.bytes);
	}
	if (probe->group == PROBES_BOX && cause->state != CHECK_OK)
		add_string(line, "message", message_of(finding));
	text_add(line, "}");
}

static void add_around(struct text *line, const struct check *check)
{
	const struct around *around = check->around;

	text_add(line, "{");
	add_string(line, "verdict", verdicts[check->status]);
	add_number(line, "status", (unsigned int)check->status);
	add_string(line, "kernel", around->kernel);
	add_number(line, "uid", around->uid);
	if (around->filters >= 0)
		add_number(line, "seccomp_filters", (unsigned int)around->filters);
	add_string(line, "lsm", around->lsms);
	add_string(line, "label", around->label);
	add_string(line, "runtime", runtimes[around->runtime]);
	add_key(line, "probes");
	text_add(line, "[");
}

/* One object, a probe a line. */
int check_print_json(const struct check *check)
{
	struct printer printer = { .error = 0 };

	add_around(&printer.line, check);
	flush(&printer);
	for (size_t i = 0; i < probe_count; i++) {
		struct cause cause;

		cause_find(&probes[i], &check->findings[i], check->around, &cause);
		add_finding(&printer.line, &probes[i], &check->findings[i], &cause);
		text_add(&printer.line, i + 1 < probe_count ? "," : "]}");
		flush(&printer);
	}
	return printer.error;
}
