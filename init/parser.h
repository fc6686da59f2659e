/* SPDX-License-Identifier: MIT */
/* What the handlers of the options share. Each puts one option into the plan. */
#ifndef NESTBOX_INIT_PARSER_H
#define NESTBOX_INIT_PARSER_H

#include "init/options.h"

struct parser {
	struct plan *plan;
	int perms;          /* of --perms, for the next option; -1: none */
	uint64_t size;      /* of --size; 0: none */
	size_t layers;      /* --overlay-src right before this option */
	unsigned int depth; /* of --args in one another */
	bool set_seccomp, added_seccomp;
	uint64_t dropped; /* capabilities, by --cap-drop and not given back since */
	uint64_t seen[3]; /* options that were given, one bit for each row of the table */
};

/* Records that VALUE of OPTION is bad. DETAIL may be NULL. Always returns -1. */
int parser_refuse(struct fault *fault, const struct option *option, const char *reason,
		  const char *detail);

/* One more element for the list at *LIST, zeroed; NULL with the fault when there is no memory. */
void *parser_append(void *list, size_t *count, size_t size, struct fault *fault);

/* A descriptor's number, or -1 with the fault. */
int parser_fd(const struct option *option, const char *text, struct fault *fault);

/* Takes WORDS, NULL-terminated, up to the first that is no option; what is left is put in *REST. */
int parser_words(struct parser *parser, char **words, char ***rest, struct fault *fault);

typedef int option_handler(struct parser *parser, const struct option *option, char **arguments,
			   struct fault *fault);

/* init/mount_options.c */
option_handler add_grant, add_optional_grant, add_bind, add_bind_fd, add_step, add_file,
	add_read_only_file, add_symlink, add_chmod, set_perms, set_size, add_layer, add_overlay,
	add_layered;

/* init/box_options.c */
option_handler add_env, set_flag, set_hostname, add_limit, set_timeout, set_text, add_keep_fd,
	set_fd, unshare_all, unshare_namespace, unshare_try, share_namespace, change_capabilities,
	add_lock_file, set_filter, set_dump, set_seccomp, add_seccomp;
option_handler add_map_fd, forbid_cores, set_umask, add_ports;

/* init/cow_options.c */
option_handler set_cow, set_cow_backend, set_cow_quota, set_cow_end;

/* What can only be said of all options about copy-on-write together. Returns 0, or -1 with the fault. */
int parser_check_cow(const struct parser *parser, struct fault *fault);

/* init/id_options.c */
option_handler set_id, add_id_range, add_groups;

/* What can only be said of all options about ids together. Returns 0, or -1 with the fault. */
int parser_check_ids(const struct plan *plan, struct fault *fault);

/* init/init_options.c */
option_handler set_forward, add_rewrite, set_stop_signal, add_expected, set_grace;

/* init/wall_options.c */
option_handler set_on_missing, set_check;

/* init/options.c */
option_handler read_args, refuse_late_name;

/* Parameters of the handlers. */
enum {
	FLAG_NEW_SESSION,
	FLAG_NEW_KEYRING,
	FLAG_DENY_TSC,
	FLAG_MDWE,
	FLAG_SPEC_ALLOW,
	FLAG_TTY,
	FLAG_DIE_WITH_PARENT,
	FLAG_AS_PID_1,
	FLAG_INIT_ONLY,
	FLAG_WAIT_ALL,
	FLAG_DISABLE_USERNS,
	FLAG_ASSERT_USERNS_DISABLED,
	FLAG_ALLOW_USERNS,
	FLAG_RESTRICT_KPTR,
	FLAG_LEVEL_PREFIX,
	FLAG_QUIET,
	FLAG_DRY_RUN,
	FLAG_NO_BOUNDARY,
	FLAG_FALLBACK,
	FLAG_EXPLAIN,
	FLAG_VERSION,
	FLAG_HELP
};
enum { ID_USER, ID_GROUP };
enum { COW_DIRECTORY, COW_STORE, COW_COMMIT_STORE, COW_DISCARD_STORE };
enum { COW_ON_SUCCESS, COW_ON_FAILURE };
enum { PORTS_CONNECT, PORTS_BIND };
enum { TEXT_CHDIR, TEXT_ARGV0, TEXT_EXEC_LABEL, TEXT_FILE_LABEL };

#endif
