/* SPDX-License-Identifier: MIT */
/*
 * The events of the launcher, which init/status.c writes: JSON without blanks, one object a line. What
 * is not of that form, or lacks what it must have, is an error: nothing is guessed.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "init/library/library.h"

#define DEPTH_MAX 8

struct reader {
	const char *at, *end;
};

/* The members that we know, of all events. */
struct members {
	char event[16], step[32], object[512], reason[256], detail[256], hint[512];
	uint64_t pid, code, signal, number, core;
	unsigned int seen;
};

enum member_type { TEXT, NUMBER, BOOLEAN };
enum { EVENT, STEP, OBJECT, REASON, DETAIL, HINT, PID, CODE, SIGNAL, ERRNO, CORE, MEMBERS };

#define TEXT_MEMBER(field)                                                                         \
	TEXT, offsetof(struct members, field), sizeof(((struct members *)0)->field)

static const struct member {
	const char *name;
	enum member_type type;
	size_t offset, size; /* of a text */
	uint64_t least, most;
} known[MEMBERS] = {
	[EVENT] = { "event", TEXT_MEMBER(event), 0, 0 },
	[STEP] = { "step", TEXT_MEMBER(step), 0, 0 },
	[OBJECT] = { "object", TEXT_MEMBER(object), 0, 0 },
	[REASON] = { "reason", TEXT_MEMBER(reason), 0, 0 },
	[DETAIL] = { "detail", TEXT_MEMBER(detail), 0, 0 },
	[HINT] = { "hint", TEXT_MEMBER(hint), 0, 0 },
	[PID] = { "pid", NUMBER, offsetof(struct members, pid), 0, 1, INT_MAX },
	[CODE] = { "code", NUMBER, offsetof(struct members, code), 0, 0, 255 },
	[SIGNAL] = { "signal", NUMBER, offsetof(struct members, signal), 0, 1, 64 },
	[ERRNO] = { "errno", NUMBER, offsetof(struct members, number), 0, 1, 4095 },
	[CORE] = { "core", BOOLEAN, offsetof(struct members, core), 0, 0, 1 },
};

static bool take(struct reader *reader, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, text, length) != 0)
		return false;
	reader->at += length;
	return true;
}

/* Four hexadecimal digits behind \u. */
static bool read_hex(struct reader *reader, unsigned int *value)
{
	*value = 0;
	for (int i = 0; i < 4; i++, reader->at++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit;

		if (reader->at == reader->end || *reader->at == '\0' ||
		    (digit = strchr(digits, *reader->at)) == NULL)
			return false;
		*value = *value << 4 | ((unsigned int)(digit - digits) & 15);
	}
	return true;
}

/* As UTF-8. Beyond the first plane and the surrogates nothing is ever escaped. Returns its length, 0 for
 * an error. */
static size_t read_escape(struct reader *reader, char character[3])
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;
	unsigned int value;

	if (reader->at == reader->end || *reader->at == '\0')
		return 0;
	if (*reader->at != 'u') {
		name = strchr(names, *reader->at++);
		if (name != NULL)
			character[0] = values[name - names];
		return name != NULL;
	}
	reader->at++;
	if (!read_hex(reader, &value) || value == 0 || (value >= 0xd800 && value < 0xe000))
		return 0;
	if (value < 0x80) {
		character[0] = (char)value;
		return 1;
	}
	if (value < 0x800) {
		character[0] = (char)(0xc0 | value >> 6);
		character[1] = (char)(0x80 | (value & 63));
		return 2;
	}
	character[0] = (char)(0xe0 | value >> 12);
	character[1] = (char)(0x80 | (value >> 6 & 63));
	character[2] = (char)(0x80 | (value & 63));
	return 3;
}

/* The bytes of one character that is not escaped; of a wrong one, one byte. */
static size_t raw_length(const struct reader *reader)
{
	unsigned char first = (unsigned char)*reader->at;
	size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	return length <= (size_t)(reader->end - reader->at) ? length : 1;
}

/* A string, into TO with its ROOM unless that is 0; what does not fit is left out. */
static bool read_string(struct reader *reader, char *to, size_t room)
{
	size_t used = 0;
	bool full = room == 0;

	if (!take(reader, "\""))
		return false;
	while (reader->at < reader->end && *reader->at != '"') {
		char escaped[3];
		const char *from = escaped;
		size_t length;

		if ((unsigned char)*reader->at < 0x20)
			return false;
		if (*reader->at == '\\') {
			reader->at++;
			length = read_escape(reader, escaped);
		} else {
			from = reader->at;
			length = raw_length(reader);
			reader->at += length;
		}
		if (length == 0)
			return false;
		full |= used + length >= room;
		if (!full)
			memcpy(to + used, from, length);
		used += full ? 0 : length;
	}
	if (room > 0)
		to[used] = '\0';
	return take(reader, "\"");
}

/* Digits without a zero in front, no more than UINT64_MAX. */
static bool read_number(struct reader *reader, uint64_t *value)
{
	const char *first = reader->at;

	*value = 0;
	for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, *reader->at - '0', value))
			return false;
	return reader->at > first && (*first != '0' || reader->at == first + 1);
}

static bool read_boolean(struct reader *reader, uint64_t *value)
{
	*value = take(reader, "true");
	return *value != 0 || take(reader, "false");
}

static bool skip_value(struct reader *reader, int depth);

/* The rest of an array or object, behind its bracket. */
static bool skip_members(struct reader *reader, bool names, const char *close, int depth)
{
	if (take(reader, close))
		return true;
	do {
		if (names && (!read_string(reader, NULL, 0) || !take(reader, ":")))
			return false;
		if (!skip_value(reader, depth + 1))
			return false;
	} while (take(reader, ","));
	return take(reader, close);
}

/* Of events and members that are not for us. */
static bool skip_value(struct reader *reader, int depth)
{
	uint64_t ignored;

	if (depth > DEPTH_MAX)
		return false;
	if (take(reader, "{"))
		return skip_members(reader, true, "}", depth);
	if (take(reader, "["))
		return skip_members(reader, false, "]", depth);
	if (reader->at < reader->end && *reader->at == '"')
		return read_string(reader, NULL, 0);
	if (take(reader, "null") || read_boolean(reader, &ignored))
		return true;
	take(reader, "-");
	return read_number(reader, &ignored);
}

static bool read_member(struct reader *reader, struct members *members)
{
	char name[32];
	size_t i = 0;
	bool good;
	void *place;

	if (!read_string(reader, name, sizeof(name)) || !take(reader, ":"))
		return false;
	while (i < MEMBERS && strcmp(known[i].name, name) != 0)
		i++;
	if (i == MEMBERS)
		return skip_value(reader, 0);
	place = (char *)members + known[i].offset;
	if (known[i].type == TEXT)
		good = read_string(reader, place, known[i].size);
	else if (known[i].type == BOOLEAN)
		good = read_boolean(reader, place);
	else
		good = read_number(reader, place) && *(uint64_t *)place >= known[i].least &&
		       *(uint64_t *)place <= known[i].most;
	good &= (members->seen & 1U << i) == 0;
	members->seen |= 1U << i;
	return good;
}

static bool read_object(struct reader *reader, struct members *members)
{
	if (!take(reader, "{"))
		return false;
	do {
		if (!read_member(reader, members))
			return false;
	} while (take(reader, ","));
	return take(reader, "}") && reader->at == reader->end;
}

#define HAS(member) (1U << (member))

/* What each event must have. A failure has errno or reason, too. */
static const struct {
	const char *name;
	enum nestbox_event_kind kind;
	unsigned int needs;
} events[] = {
	{ "start", NESTBOX_STARTED, HAS(PID) },
	{ "exit", NESTBOX_EXITED, HAS(CODE) },
	{ "signal", NESTBOX_SIGNALLED, HAS(SIGNAL) | HAS(CORE) },
	{ "timeout", NESTBOX_TIMED_OUT, 0 },
	{ "setup-failed", NESTBOX_FAILED, HAS(STEP) | HAS(OBJECT) },
	{ "exec-failed", NESTBOX_FAILED, HAS(STEP) | HAS(OBJECT) },
};

static void fill(struct nestbox_event *event, enum nestbox_event_kind kind,
		 const struct members *members)
{
	memset(event, 0, sizeof(*event));
	event->kind = kind;
	event->pid = kind == NESTBOX_STARTED ? (int)members->pid : 0;
	event->code = kind == NESTBOX_EXITED ? (int)members->code : 0;
	event->signal = kind == NESTBOX_SIGNALLED ? (int)members->signal : 0;
	event->core = kind == NESTBOX_SIGNALLED && members->core != 0;
	if (kind == NESTBOX_FAILED)
		error_set(&event->error, members->step, members->object, (int)members->number,
			  members->reason, members->detail[0] != '\0' ? members->detail : NULL,
			  members->hint);
}

int event_parse(const char *line, size_t length, struct nestbox_event *event)
{
	struct reader reader = { line, line + length };
	struct members members = { .seen = 0 };

	if (!read_object(&reader, &members) || (members.seen & HAS(EVENT)) == 0)
		return -EPROTO;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strcmp(events[i].name, members.event) != 0)
			continue;
		if ((members.seen & events[i].needs) != events[i].needs ||
		    (events[i].kind == NESTBOX_FAILED &&
		     (members.seen & (HAS(ERRNO) | HAS(REASON))) == 0))
			return -EPROTO;
		fill(event, events[i].kind, &members);
		return 1;
	}
	return 0;
}
