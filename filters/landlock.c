/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>

#include "filters/landlock.h"
#include "mountns/sys.h"
#include "mountns/view.h"

/* include/uapi/linux/landlock.h, which is older than the kernel in most places. */
#define CREATE_RULESET_VERSION 1U
enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

#define BIT(n) (1ULL << (n))
#define WRITE_FILE LANDLOCK_WRITE_FILE
#define REFER LANDLOCK_REFER
#define TRUNCATE LANDLOCK_TRUNCATE
#define EXECUTE BIT(0)
#define READ_FILE BIT(2)
#define READ_DIR BIT(3)
#define REMOVE_DIR BIT(4)
#define REMOVE_FILE BIT(5)
#define MAKE_CHAR BIT(6)
#define MAKE_DIR BIT(7)
#define MAKE_REG BIT(8)
#define MAKE_SOCK BIT(9)
#define MAKE_FIFO BIT(10)
#define MAKE_BLOCK BIT(11)
#define MAKE_SYM BIT(12)
#define IOCTL_DEV BIT(15)
#define RESOLVE_UNIX BIT(16)

#define SCOPE_ABSTRACT_UNIX_SOCKET BIT(0)
#define SCOPE_SIGNAL BIT(1)

/* The kernel refuses the others for what is no directory. */
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX)

struct path_beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct net_port {
	uint64_t access, port;
};

/* What came with each ABI; 7 and 8 brought nothing that rules can be about. */
static const struct landlock_access brought[] = {
	[1] = { .files = REFER - 1 }, /* all below */
	[2] = { .files = REFER },
	[3] = { .files = TRUNCATE },
	[4] = { .ports = LANDLOCK_BIND | LANDLOCK_CONNECT },
	[5] = { .files = IOCTL_DEV },
	[6] = { .scopes = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL },
	[9] = { .files = RESOLVE_UNIX },
};

/* A socket that can be read can be connected to, on older kernels as well. No device nodes are made: the
 * mounts are nodev, and only an overlay's whiteouts could be. */
static const struct {
	unsigned int right;
	uint64_t access;
} meanings[] = {
	{ GRANT_READ, READ_FILE | READ_DIR | RESOLVE_UNIX },
	{ GRANT_WRITE, WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG |
			       MAKE_SOCK | MAKE_FIFO | MAKE_SYM | REFER },
	{ GRANT_EXEC, EXECUTE },
	{ GRANT_DEVICES, IOCTL_DEV },
};

int landlock_find_abi(void)
{
	int abi = sys_landlock_create_ruleset(NULL, 0, CREATE_RULESET_VERSION);

	return abi == -ENOSYS || abi == -EOPNOTSUPP ? 0 : abi;
}

struct landlock_access landlock_known(int abi)
{
	struct landlock_access all = { 0 };

	for (size_t i = 0; i < sizeof(brought) / sizeof(brought[0]) && (int)i <= abi; i++) {
		all.files |= brought[i].files;
		all.ports |= brought[i].ports;
		all.scopes |= brought[i].scopes;
	}
	return all;
}

uint64_t landlock_allowed(uint64_t handled, unsigned int rights, bool directory)
{
	uint64_t access = 0;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (rights & meanings[i].right)
			access |= meanings[i].access;
	return access & handled & (directory ? UINT64_MAX : OF_FILES);
}

uint64_t landlock_opened(uint64_t handled, int flags)
{
	int mode = flags & O_ACCMODE;
	uint64_t access = 0;

	/* Such a descriptor says where a file is, not that it may be opened: open(2). */
	if (flags & O_PATH)
		return 0;
	if (mode == O_RDONLY || mode == O_RDWR)
		access |= READ_FILE;
	if (mode == O_WRONLY || mode == O_RDWR)
		access |= WRITE_FILE | TRUNCATE;
	return (access | IOCTL_DEV) & handled;
}

int landlock_create(struct landlock *landlock)
{
	/* Older kernels take the longer structure as long as what they do not know is 0. */
	landlock->ruleset =
		sys_landlock_create_ruleset(&landlock->handled, sizeof(landlock->handled), 0);
	return landlock->ruleset < 0 ? landlock->ruleset : 0;
}

int landlock_allow_file(const struct landlock *landlock, int fd, uint64_t access)
{
	const struct path_beneath rule = { .access = access, .fd = fd };
	int error = access == 0
			    ? 0
			    : sys_landlock_add_rule(landlock->ruleset, RULE_PATH_BENEATH, &rule);

	return error == -EBADFD ? 0 : error;
}

int landlock_allow_mount(const void *context, int mount, unsigned int rights, bool directory)
{
	const struct landlock *landlock = context;

	return landlock_allow_file(landlock, mount,
				   landlock_allowed(landlock->handled.files, rights, directory));
}

int landlock_allow_listing(const struct landlock *landlock, int directory)
{
	return landlock_allow_file(landlock, directory, READ_DIR & landlock->handled.files);
}

int landlock_allow_port(const struct landlock *landlock, unsigned int access, unsigned int port)
{
	const struct net_port rule = { .access = access, .port = port };

	return sys_landlock_add_rule(landlock->ruleset, RULE_NET_PORT, &rule);
}

int landlock_restrict(const struct landlock *landlock)
{
	return sys_landlock_restrict_self(landlock->ruleset);
}
