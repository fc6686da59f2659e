/* SPDX-License-Identifier: MIT */
/* The options that say what is seen: grants and mount steps. */
#include <errno.h>
#include <string.h>

#include "init/parser.h"
#include "init/values.h"

#define MODE_MAX 07777
/* What the kernel can count in pages without an overflow: tmpfs(5), "size". */
#define SIZE_MAX_BYTES ((uint64_t)INT64_MAX)

static int put_grant(struct parser *parser, const struct option *option, char **arguments,
		     bool optional, struct fault *fault)
{
	struct plan *plan = parser->plan;
	struct grant *grant;

	if (arguments[0][0] == '\0')
		return parser_refuse(fault, option, "the path is empty", NULL);
	grant = parser_append(&plan->grants, &plan->grant_count, sizeof(*grant), fault);
	if (grant == NULL)
		return -1;
	*grant = (struct grant){ .path = arguments[0],
				 .rights = (unsigned int)option->parameter | GRANT_READ,
				 .optional = optional };
	return 0;
}

int add_grant(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	return put_grant(parser, option, arguments, false, fault);
}

int add_optional_grant(struct parser *parser, const struct option *option, char **arguments,
		       struct fault *fault)
{
	return put_grant(parser, option, arguments, true, fault);
}

static struct mount_step *put_step(struct parser *parser, const struct option *option,
				   enum step_kind kind, const char *dest, struct fault *fault)
{
	struct plan *plan = parser->plan;
	struct mount_step *step;

	if (dest[0] == '\0') {
		parser_refuse(fault, option, "DEST is empty", NULL);
		return NULL;
	}
	step = parser_append(&plan->steps, &plan->step_count, sizeof(*step), fault);
	if (step != NULL)
		*step = (struct mount_step){ .kind = kind, .dest = dest, .fd = -1, .mode = -1 };
	return step;
}

/* A step that makes something takes the --perms in front of it. */
static void take_mode(struct parser *parser, struct mount_step *step)
{
	step->mode = parser->perms;
	parser->perms = -1;
}

int add_step(struct parser *parser, const struct option *option, char **arguments,
	     struct fault *fault)
{
	enum step_kind kind = (enum step_kind)option->parameter;
	struct mount_step *step = put_step(parser, option, kind, arguments[0], fault);

	if (step == NULL)
		return -1;
	if (kind == STEP_TMPFS || kind == STEP_DIR)
		take_mode(parser, step);
	if (kind == STEP_TMPFS) {
		step->size = parser->size;
		parser->size = 0;
	}
	return 0;
}

static int put_bind(struct parser *parser, const struct option *option, const char *source, int fd,
		    const char *dest, struct fault *fault)
{
	struct mount_step *step = put_step(parser, option, STEP_BIND, dest, fault);

	if (step == NULL)
		return -1;
	step->flags = (unsigned int)option->parameter;
	step->source = source;
	step->fd = fd;
	return 0;
}

int add_bind(struct parser *parser, const struct option *option, char **arguments,
	     struct fault *fault)
{
	if (arguments[0][0] == '\0')
		return parser_refuse(fault, option, "SRC is empty", NULL);
	return put_bind(parser, option, arguments[0], -1, arguments[1], fault);
}

int add_bind_fd(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	int fd = parser_fd(option, arguments[0], fault);

	return fd < 0 ? -1 : put_bind(parser, option, NULL, fd, arguments[1], fault);
}

static int put_file(struct parser *parser, const struct option *option, char **arguments,
		    unsigned int flags, struct fault *fault)
{
	int fd = parser_fd(option, arguments[0], fault);
	struct mount_step *step =
		fd < 0 ? NULL
		       : put_step(parser, option, (enum step_kind)option->parameter, arguments[1],
				  fault);

	if (step == NULL)
		return -1;
	step->flags = flags;
	step->fd = fd;
	take_mode(parser, step);
	return 0;
}

int add_file(struct parser *parser, const struct option *option, char **arguments,
	     struct fault *fault)
{
	return put_file(parser, option, arguments, 0, fault);
}

int add_read_only_file(struct parser *parser, const struct option *option, char **arguments,
		       struct fault *fault)
{
	return put_file(parser, option, arguments, STEP_READ_ONLY, fault);
}

int add_symlink(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	struct mount_step *step;

	if (arguments[0][0] == '\0')
		return parser_refuse(fault, option, "TARGET is empty", NULL);
	step = put_step(parser, option, STEP_SYMLINK, arguments[1], fault);
	if (step == NULL)
		return -1;
	step->text = arguments[0];
	return 0;
}

static int read_mode(const struct option *option, const char *text, int *mode, struct fault *fault)
{
	uint64_t value;

	if (!value_octal(text, MODE_MAX, &value))
		return parser_refuse(fault, option, "takes an octal argument <= 07777", NULL);
	*mode = (int)value;
	return 0;
}

int add_chmod(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	struct mount_step *step;
	int mode = 0;

	if (read_mode(option, arguments[0], &mode, fault) != 0)
		return -1;
	step = put_step(parser, option, STEP_CHMOD, arguments[1], fault);
	if (step == NULL)
		return -1;
	step->mode = mode;
	return 0;
}

int set_perms(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	if (parser->perms >= 0)
		return parser_refuse(fault, option, "given twice for the same action", NULL);
	return read_mode(option, arguments[0], &parser->perms, fault);
}

int set_size(struct parser *parser, const struct option *option, char **arguments,
	     struct fault *fault)
{
	if (parser->size > 0)
		return parser_refuse(fault, option, "given twice for the same action", NULL);
	if (!value_size(arguments[0], UINT64_MAX, &parser->size) || parser->size == 0)
		return parser_refuse(fault, option, "takes a non-zero number of bytes", NULL);
	if (parser->size > SIZE_MAX_BYTES)
		return parser_refuse(fault, option, "(for tmpfs) is limited to 9223372036854775807",
				     NULL);
	return 0;
}

int add_layer(struct parser *parser, const struct option *option, char **arguments,
	      struct fault *fault)
{
	struct mount_step *step;

	if (arguments[0][0] == '\0')
		return parser_refuse(fault, option, "SRC is empty", NULL);
	step = put_step(parser, option, STEP_LAYER, "/", fault);
	if (step == NULL)
		return -1;
	step->source = arguments[0];
	parser->layers++;
	return 0;
}

int add_overlay(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	struct mount_step *step;

	if (parser->layers < 1)
		return parser_refuse(fault, option, "requires at least one --overlay-src", NULL);
	if (arguments[0][0] == '\0' || arguments[1][0] == '\0')
		return parser_refuse(fault, option, "the path is empty", NULL);
	step = put_step(parser, option, STEP_OVERLAY, arguments[2], fault);
	if (step == NULL)
		return -1;
	step->source = arguments[0];
	step->text = arguments[1];
	parser->layers = 0;
	return 0;
}

int add_layered(struct parser *parser, const struct option *option, char **arguments,
		struct fault *fault)
{
	enum step_kind kind = (enum step_kind)option->parameter;

	if (kind == STEP_TMP_OVERLAY && parser->layers < 1)
		return parser_refuse(fault, option, "requires at least one --overlay-src", NULL);
	if (kind == STEP_RO_OVERLAY && parser->layers < 2)
		return parser_refuse(fault, option, "requires at least two --overlay-src", NULL);
	parser->layers = 0;
	return put_step(parser, option, kind, arguments[0], fault) != NULL ? 0 : -1;
}
