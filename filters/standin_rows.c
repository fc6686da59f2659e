/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "filters/again.h"
#include "filters/standin.h"
#include "filters/target.h"
#include "mountns/sys.h"

#define UNNAMED (O_TMPFILE & ~O_DIRECTORY)

/* A path of a call. */
struct standin_path {
	int8_t dirfd; /* the argument; -1: the working directory */
	int8_t path;  /* the argument; -1: there is none */
	enum standin_follow {
		FOLLOWS,
		STAYS,
		NAMES,         /* WALK_NAME */
		STAYS_IF_FLAG, /* FLAG in FLAGS */
		FOLLOWS_IF_FLAG,
	} follow;
	int8_t flags; /* the argument */
	unsigned int flag;
};

struct standin_call {
	int number;
	struct standin_path paths[2];
};

/* A call, and where its paths lead. */
struct asked {
	const struct standin_call *row;
	int last; /* the one that was looked at */
	struct standin_place places[2];
	char paths[2][PATH_MAX]; /* "": none, or that */
};

#define CALL(name, handler, ...) { __NR_##name, __VA_ARGS__ },
static const struct standin_call calls[] = {
#include "filters/standin_calls.def"
};

static const struct standin_call *find_call(int number)
{
	const struct standin_call *row = calls;

	while (row->number != number)
		row++;
	return row;
}

/* --- Where they lead -------------------------------------------------------------------------------- */

static enum walk_last how_last(const struct notify_call *call, const struct standin_path *path)
{
	bool flag = ((unsigned int)notify_int(call->arguments[path->flags]) & path->flag) != 0;

	switch (path->follow) {
	case FOLLOWS:
		return WALK_FOLLOW;
	case NAMES:
		return WALK_NAME;
	case STAYS_IF_FLAG:
		return flag ? WALK_STAY : WALK_FOLLOW;
	case FOLLOWS_IF_FLAG:
		return flag ? WALK_FOLLOW : WALK_STAY;
	default:
		return WALK_STAY;
	}
}

/* Whether an error is one of ours, and not one that the kernel would see as well. */
static bool is_ours(int error)
{
	return cow_leave(error).kind == NOTIFY_RETURN;
}

/* Returns 0, 1 where the kernel will find an error, or that with which the call ends. */
static int look_at(const struct notify_call *call, struct cow *cow, struct asked *asked, int i,
		   enum walk_last last)
{
	const struct standin_path *path = &asked->row->paths[i];
	int dirfd = path->dirfd < 0 ? AT_FDCWD : notify_int(call->arguments[path->dirfd]), error;

	asked->last = i;
	if (path->path < 0 || call->arguments[path->path] == 0)
		return 0;
	error = target_read_path(call, call->arguments[path->path], asked->paths[i]);
	if (error < 0) {
		asked->paths[i][0] = '\0';
		return is_ours(error) && (error != -EPERM || cow->begun) ? error : 1;
	}
	cow->begun = true;
	if (asked->paths[i][0] == '\0')
		return 0;
	error = standin_find(call, cow->standin, cow->fds, dirfd, asked->paths[i], last,
			     &asked->places[i]);
	if (error == 0 || asked->places[i].crossed)
		return error;
	return is_ours(error == -EPERM ? -EACCES : error) ? error : 1;
}

static void begin(const struct notify_call *call, struct asked *asked)
{
	asked->row = find_call(call->number);
	for (int i = 0; i < 2; i++) {
		asked->places[i] = (struct standin_place){ .parent = -1 };
		asked->paths[i][0] = '\0';
	}
}

static int look(const struct notify_call *call, struct cow *cow, struct asked *asked)
{
	int error = 0;

	begin(call, asked);
	for (int i = 0; i < 2 && error == 0; i++)
		error = look_at(call, cow, asked, i, how_last(call, &asked->row->paths[i]));
	return error > 0 ? 0 : error;
}

static void end(struct asked *asked)
{
	standin_close(&asked->places[0]);
	standin_close(&asked->places[1]);
}

/* What the kernel says of its other arguments comes before what is wrong with its paths. So where those lead nowhere
 * the caller asks with one that does so for everybody. */
static struct notify_answer refuse(const struct notify_call *call, const struct cow *cow,
				   const struct asked *asked, int error)
{
	const struct again_path path = {
		(unsigned int)asked->row->paths[asked->last].path,
		error == -ENOTDIR ? "/proc/self/stat/none" : "/proc/self/none/none",
	};

	if (!asked->places[asked->last].crossed || (error != -ENOENT && error != -ENOTDIR) ||
	    !notify_waits(call))
		return notify_return(error);
	error = cow->repeat(cow->again, call, &path, 1, NULL);
	return error == 0 ? notify_taken() : notify_return(error);
}

/* What the caller has to make again with other paths, where a border was crossed. */
static struct notify_answer go_on(const struct notify_call *call, const struct cow *cow,
				  struct asked *asked)
{
	struct again_path paths[2];
	size_t count = 0;
	int error = 0;

	for (int i = 0; i < 2 && error == 0; i++)
		if (asked->places[i].crossed) {
			error = standin_text(cow->fds, &asked->places[i], asked->paths[i]);
			paths[count++] =
				(struct again_path){ (unsigned int)asked->row->paths[i].path,
						     asked->paths[i] };
		}
	if (error < 0)
		return notify_return(error);
	if (count == 0)
		return notify_continue();
	error = notify_waits(call) ? cow->repeat(cow->again, call, paths, count, NULL) : -ESRCH;
	return error == 0 ? notify_taken() : notify_return(error);
}

/* Whether that is the tree's top, where a mount point would be. */
static bool is_top(const struct cow *cow, const struct standin_place *place)
{
	return place->crossed && place->parent >= 0 && place->name[0] == '\0' &&
	       standin_is(place->parent, &cow->standin->tree);
}

/* 1 in the tree, 0 elsewhere, -1 nowhere any more. The top is an entry of another directory. */
static int where(const struct cow *cow, const struct standin_place *place)
{
	char name[PATH_MAX];

	if (place->parent < 0 || place->magic || standin_name(cow->fds, place->parent, name) < 0)
		return -1;
	return !is_top(cow, place) && standin_prefix(cow->standin, name) > 0;
}

/* Nothing moves between the tree and another directory, as if it were mounted: a file may have no content yet. */
static bool crosses(const struct cow *cow, const struct asked *asked)
{
	int from = where(cow, &asked->places[0]), to = where(cow, &asked->places[1]);

	return from >= 0 && to >= 0 && from != to;
}

static bool is_there(const struct standin_place *place)
{
	int fd = standin_reach(place);

	if (fd >= 0)
		sys_close(fd);
	return fd >= 0;
}

/* The kernel says better that there is no such file, and of a link first that its new name is taken. */
static bool is_told_first(const struct notify_call *call, const struct asked *asked)
{
	bool links = call->number == __NR_linkat;

#ifdef __NR_link
	links |= call->number == __NR_link;
#endif
	return !is_there(&asked->places[0]) || (links && is_there(&asked->places[1]));
}

static bool removes_file(const struct notify_call *call)
{
	if (call->number == __NR_unlinkat)
		return (notify_int(call->arguments[2]) & AT_REMOVEDIR) == 0;
#ifdef __NR_unlink
	return call->number == __NR_unlink;
#else
	return false;
#endif
}

/* Which the kernel says before it looks at the paths: rename(2). */
static bool is_refused(const struct notify_call *call)
{
	const unsigned int noreplace = 1, exchange = 2, whiteout = 4;
	unsigned int flags = (unsigned int)notify_int(call->arguments[4]);

	return call->number == __NR_renameat2 &&
	       ((flags & ~(noreplace | exchange | whiteout)) != 0 ||
		((flags & exchange) != 0 && (flags & (noreplace | whiteout)) != 0));
}

static struct notify_answer handle_move(const struct notify_call *call, void *context)
{
	struct cow *cow = context;
	struct asked asked;
	struct notify_answer answer;
	int error;

	if (is_refused(call))
		return notify_continue();
	error = look(call, cow, &asked);
	if (error == 0 && crosses(cow, &asked) && !is_told_first(call, &asked))
		error = -EXDEV;
	if (error == 0 && (is_top(cow, &asked.places[0]) || is_top(cow, &asked.places[1])))
		error = removes_file(call) ? -EISDIR : -EBUSY;
	answer = error < 0 ? refuse(call, cow, &asked, error) : go_on(call, cow, &asked);
	end(&asked);
	return answer;
}

static struct notify_answer handle_translate(const struct notify_call *call, void *context)
{
	struct cow *cow = context;
	struct asked asked;
	int error = look(call, cow, &asked);
	struct notify_answer answer =
		error < 0 ? refuse(call, cow, &asked, error) : go_on(call, cow, &asked);

	end(&asked);
	return answer;
}

/* --- Opening ---------------------------------------------------------------------------------------- */

/* Whether that reaches content. A file that there is is no directory. */
static bool reaches_content(int flags)
{
	return (flags & (O_PATH | O_DIRECTORY)) == 0 && (~flags & (O_CREAT | O_EXCL)) != 0;
}

/* Whether FD is in the tree, of which the caller may open everything, and such that opening it has no other effect. */
static bool is_plain(const struct cow *cow, int fd, int flags, char text[PATH_MAX])
{
	struct kernel_statx stat;

	if ((flags & (O_PATH | UNNAMED)) != 0 || sys_statx(fd, "", AT_EMPTY_PATH, &stat) < 0)
		return false;
	if (S_ISREG(stat.mode) ? (~flags & (O_CREAT | O_EXCL)) == 0
			       : !S_ISDIR(stat.mode) || (flags & O_CREAT) != 0)
		return false;
	return standin_name(cow->fds, fd, text) == 0 && standin_prefix(cow->standin, text) > 0;
}

/* FD is what was found. With RESOLVE the kernel can refuse what we do not look at. */
static struct notify_answer open_found(const struct notify_call *call, const struct cow *cow,
				       struct asked *asked, int fd, int flags, uint64_t resolve)
{
	struct notify_answer answer = notify_continue();

	if (reaches_content(flags))
		answer = cow_open_found(call, cow, fd, resolve == 0 ? flags : flags & ~O_TRUNC);
	if (answer.kind == NOTIFY_CONTINUE && asked->places[0].crossed && resolve == 0 &&
	    !cow->restricted && is_plain(cow, fd, flags, asked->paths[1]))
		answer = cow_reopen(cow, fd, flags);
	if (answer.kind == NOTIFY_FD && resolve != 0) {
		sys_close(answer.fd);
		answer = notify_continue();
	}
	return answer.kind == NOTIFY_CONTINUE ? go_on(call, cow, asked) : answer;
}

static struct notify_answer open_place(const struct notify_call *call, const struct cow *cow,
				       struct asked *asked, int flags, uint64_t resolve)
{
	const struct standin_place *place = &asked->places[0];
	struct notify_answer answer;
	int fd;

	if (place->parent < 0)
		return notify_continue();
	if (place->crossed && place->links > 0 && (resolve & RESOLVE_NO_SYMLINKS) != 0)
		return notify_return(-ELOOP);
	if (!place->crossed && !reaches_content(flags))
		return notify_continue();
	fd = standin_reach(place);
	if (fd < 0)
		return is_ours(fd == -EPERM ? -EACCES : fd) ? notify_return(fd)
							    : go_on(call, cow, asked);
	answer = open_found(call, cow, asked, fd, flags, resolve);
	sys_close(fd);
	return answer;
}

static struct notify_answer open_path(const struct notify_call *call, struct cow *cow, int flags,
				      uint64_t resolve)
{
	struct asked asked;
	struct notify_answer answer;
	bool stays = (flags & O_NOFOLLOW) != 0 || (~flags & (O_CREAT | O_EXCL)) == 0;
	int error;

	begin(call, &asked);
	error = look_at(call, cow, &asked, 0, stays ? WALK_STAY : WALK_FOLLOW);
	answer = error < 0 ? refuse(call, cow, &asked, error)
			   : open_place(call, cow, &asked, flags, resolve);
	end(&asked);
	return answer;
}

static struct notify_answer handle_open_file(const struct notify_call *call, void *context)
{
	unsigned int flags = (unsigned int)find_call(call->number)->paths[0].flags;

	return open_path(call, context, notify_int(call->arguments[flags]), 0);
}

static struct notify_answer handle_open_with(const struct notify_call *call, void *context)
{
	struct kernel_open_how how = { 0 };
	int error;

	/* What the kernel would refuse. */
	if (call->arguments[3] < sizeof(how))
		return notify_continue();
	error = target_read(call, call->arguments[2], &how, sizeof(how));
	if (error < 0)
		return cow_leave(error);
	/* No way out of where it begins. */
	if ((how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0)
		return cow_openat2(call, context);
	return open_path(call, context, (int)how.flags, how.resolve);
}

#ifdef __NR_creat
static struct notify_answer handle_create_file(const struct notify_call *call, void *context)
{
	return open_path(call, context, O_CREAT | O_WRONLY | O_TRUNC, 0);
}
#endif

/* --- Content without opening ------------------------------------------------------------------------ */

static struct notify_answer handle_truncate_file(const struct notify_call *call, void *context)
{
	struct cow *cow = context;
	struct asked asked;
	struct notify_answer answer;
	int fd = -ENOENT, error = look(call, cow, &asked);

	if (error == 0 && asked.places[0].parent >= 0)
		fd = standin_reach(&asked.places[0]);
	if (fd >= 0) {
		error = tree_fill(cow->tree, cow->fds, fd, false);
		sys_close(fd);
	}
	answer = error < 0 ? refuse(call, cow, &asked, error) : go_on(call, cow, &asked);
	end(&asked);
	return answer;
}

/* Without a path that is what the descriptor is. */
static int reach_executable(const struct notify_call *call, const struct asked *asked)
{
	if (asked->places[0].parent >= 0)
		return standin_reach(&asked->places[0]);
	if (call->number == __NR_execveat && asked->paths[0][0] == '\0' &&
	    (notify_int(call->arguments[4]) & AT_EMPTY_PATH) != 0)
		return target_reopen(call, notify_int(call->arguments[0]));
	return -ENOENT;
}

/* Opens the interpreter if it is in the tree, where the kernel would not find it. Returns -errno if it is not. */
static int reach_interpreter(const struct notify_call *call, const struct cow *cow,
			     const char *path, char text[PATH_MAX])
{
	struct standin_place place;
	int fd = -ENOENT;

	if (standin_find(call, cow->standin, cow->fds, AT_FDCWD, path, WALK_FOLLOW, &place) == 0 &&
	    place.crossed && standin_text(cow->fds, &place, text) == 0)
		fd = standin_reach(&place);
	standin_close(&place);
	return fd;
}

/* Whether *FD is a script to be executed by us: so that its interpreter is found, and is told the script's name as it
 * was said. Then the second path is the interpreter's. *FD becomes that, if it is in the tree. */
static bool is_script(const struct notify_call *call, const struct cow *cow, struct asked *asked,
		      struct standin_script *script, int *fd)
{
	int interpreter;

	if (asked->places[0].parent < 0 ||
	    (call->number == __NR_execveat && notify_int(call->arguments[0]) != AT_FDCWD) ||
	    tree_fill(cow->tree, cow->fds, *fd, false) < 0 ||
	    !standin_read_script(cow->fds, *fd, script))
		return false;
	interpreter = reach_interpreter(call, cow, script->interpreter, asked->paths[1]);
	if (interpreter < 0) {
		strcpy(asked->paths[1], script->interpreter);
		return asked->places[0].crossed;
	}
	sys_close(*fd);
	*fd = interpreter;
	return true;
}

static struct notify_answer execute_script(const struct notify_call *call, const struct cow *cow,
					   struct asked *asked, const struct standin_script *script)
{
	int error = standin_execute_script(call, cow, script, asked->paths[0], asked->paths[1],
					   (unsigned int)asked->row->paths[0].path);

	/* With too many arguments it is told another name of itself, if it has an interpreter then. */
	if (error == -E2BIG)
		return go_on(call, cow, asked);
	return error == 0 ? notify_taken() : notify_return(error);
}

static struct notify_answer handle_execute(const struct notify_call *call, void *context)
{
	struct cow *cow = context;
	struct asked asked;
	struct standin_script script;
	struct notify_answer answer = notify_continue();
	int fd = -ENOENT, error = look(call, cow, &asked);
	bool interpreted;

	if (error == 0)
		fd = reach_executable(call, &asked);
	interpreted = fd >= 0 && is_script(call, cow, &asked, &script, &fd);
	if (error < 0)
		answer = notify_return(error);
	else if (fd >= 0)
		answer = cow_execute(call, cow, fd);
	if (answer.kind == NOTIFY_CONTINUE && interpreted)
		answer = execute_script(call, cow, &asked, &script);
	else if (answer.kind == NOTIFY_CONTINUE)
		answer = go_on(call, cow, &asked);
	end(&asked);
	return answer;
}

/* --- What names the kernel tells --------------------------------------------------------------------- */

static struct notify_answer handle_tell_directory(const struct notify_call *call, void *context)
{
	const struct cow *cow = context;
	char text[PATH_MAX];
	int fd = target_open(call, "/cwd"), error, length;

	if (fd < 0)
		return cow_leave(fd == -EPERM ? -EACCES : fd);
	error = standin_name(cow->fds, fd, text);
	sys_close(fd);
	length = error < 0 ? 0 : standin_show(cow->standin, text);
	if (length == 0)
		return notify_continue();
	if (length > 0 && (uint64_t)length + 1 > call->arguments[1])
		return notify_return(-ERANGE);
	if (length > 0)
		error = target_write(call, call->arguments[0], text, (size_t)length + 1);
	else
		error = length;
	return notify_return(error < 0 ? error : length + 1);
}

/* The name of a file of the tree, if PLACE is a link of procfs to one. Returns its length, 0, or -errno. */
static int read_proc_link(const struct cow *cow, const struct standin_place *place,
			  char text[PATH_MAX])
{
	long length;

	if (place->parent < 0 || sys_filesystem_type(place->parent) != PROC_MAGIC)
		return 0;
	length = sys_readlinkat(place->parent, place->name, text, PATH_MAX);
	if (length <= 0 || length == PATH_MAX)
		return 0;
	text[length] = '\0';
	return standin_show(cow->standin, text);
}

static struct notify_answer handle_tell_link(const struct notify_call *call, void *context)
{
	struct cow *cow = context;
	struct asked asked;
	struct notify_answer answer;
	int error = look(call, cow, &asked), length = 0;
	const uint64_t *buffer = call->arguments + asked.row->paths[0].path + 1;
	int size = notify_int(buffer[1]);

	if (error == 0 && size > 0)
		length = read_proc_link(cow, &asked.places[0], asked.paths[1]);
	if (length > 0 && length > size)
		length = size;
	if (length > 0)
		error = target_write(call, buffer[0], asked.paths[1], (size_t)length);
	else if (length < 0)
		error = length;
	if (error < 0 || length > 0)
		answer = notify_return(error < 0 ? error : length);
	else
		answer = go_on(call, cow, &asked);
	end(&asked);
	return answer;
}

#define CALL(name, handler, ...) { __NR_##name, handle_##handler },
const struct notify_row standin_rows[] = {
#include "filters/standin_calls.def"
	{ __NR_landlock_restrict_self, cow_restrict },
};
const size_t standin_row_count = sizeof(standin_rows) / sizeof(standin_rows[0]);
