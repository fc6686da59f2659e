/* SPDX-License-Identifier: MIT */
/* Programs that work in a tree, and make their calls again where that is needed. */
#include <sys/signalfd.h>

#include "filters/again.h"
#include "filters/attributes.h"
#include "filters/filter.h"
#include "tests/unit/standin_room.h"

static struct again again;

struct served {
	int signals, pid, status;
};

/* The events of whatever is traced, until the child has ended. */
static int serve_signals(void *context)
{
	struct served *served = context;
	struct signalfd_siginfo info;
	int status, tid;

	while (read(served->signals, &info, sizeof(info)) > 0)
		;
	while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		if (tid == served->pid && (WIFEXITED(status) || WIFSIGNALED(status)))
			served->status = status;
		again_event(&again, tid, status);
	}
	return served->status == -1 ? 0 : -ECANCELED;
}

static int serve(int (*main)(void))
{
	const struct sock_fprog filter = { filter_standin.len,
					   (struct sock_filter *)(uintptr_t)filter_standin.code };
	const struct attributes_place granted = { store, true };
	struct attributes attributes = { .places = &granted, .count = 1, .standin = &standin };
	const struct tree empty = { .lower = -1 };
	struct cow cow = { .tree = &empty,
			   .root = -1,
			   .fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC),
			   .begun = true,
			   .standin = &standin,
			   .again = &again,
			   .repeat = again_start_list };
	const struct notify_table tables[] = {
		{ standin_rows, standin_row_count, &cow },
		{ attributes_rows, attributes_row_count, &attributes },
	};
	struct served served = { .status = -1 };
	struct notify notify = { .tables = tables, .table_count = COUNT(tables), .openat2 = true };
	sigset_t set;

	must(chdir("/proc/self/fd"));
	notify.listener = begin(main, &filter, &served.pid);
	notify.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	served.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	notify.other = served.signals;
	notify.serve_other = serve_signals;
	notify.other_context = &served;
	assert_int_equal(notify_serve(&notify), -ECANCELED);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	close(served.signals);
	close(notify.listener);
	close(notify.proc);
	close(cow.fds);
	must(chdir("/"));
	assert_true(WIFEXITED(served.status));
	return WEXITSTATUS(served.status);
}

static const char script[] =
	"exec >@/home/out 2>&1; d=@/home/proj\n"
	"cd $d/sub; pwd -P; cd ..; pwd -P; cd ../other; pwd -P; cd -P ../into; pwd -P\n"
	"cat $d/file ../intofile; ls -d ../*; readlink /proc/self/cwd\n"
	"mkdir -m 700 $d/new && mv $d/file $d/new/ && ln $d/new/file $d/hard && ln -s $d/hard "
	"$d/soft\n"
	"cat $d/soft; chmod 600 $d/hard; stat -c '%a %h' ../proj/new/file; echo more >>$d/soft\n"
	"cd new; $d/tool 1 '2  3' ''; ../tool; cd /; rm -r $d/new; ls $d/new; rmdir $d; mv $d "
	"$d.old\n"
	"for i in 1 2 3 4 5 6 7 8; do (cat $d/soft | wc -l >>$d/count; : >$d/f$i) & done; wait\n"
	"wc -l <$d/count; ls $d\n";

static const char expected[] =
	"@/home/proj/sub\n@/home/proj\n@/home/other\n@/home/proj\n"
	"treetree../chain\n../into\n../intofile\n../intonothing\n../other\n../out\n../proj\n"
	"../slash\n@/home/proj\ntree600 2\n"
	"@/home/proj/tool @/home/proj/new 3 1 2  3 \n../tool @/home/proj/new 0 \n"
	"ls: cannot access '@/home/proj/new': No such file or directory\n"
	"rmdir: failed to remove '@/home/proj': Device or resource busy\n"
	"mv: cannot move '@/home/proj' to '@/home/proj.old': Device or resource busy\n"
	"8\nabs\nabsfile\ncount\ncwd\ndangleout\ndangling\ndot\ndots\nf1\nf2\nf3\nf4\nf5\nf6\nf7\n"
	"f8\nhard\nin\ninfile\nloop\nping\npong\nroot\nround\nsoft\nsub\ntool\ntop\nup\n";

static int run_script(void)
{
	static char text[8 * PATH_MAX];

	setenv("LC_ALL", "C", 1);
	if (chdir(store) != 0)
		return 101;
	execl("/bin/sh", "sh", "-c", expand(text, script), NULL);
	return 102;
}

static void works(void **state)
{
	static char text[8 * PATH_MAX], got[8 * PATH_MAX];
	char name[PATH_MAX];
	size_t size;
	FILE *file;

	(void)state;
	again_prepare(getpid());
	must(chdir(store));
	must(symlink("/bin/sh", "sub/shell"));
	expand(text, "#!@/home/proj/sub/shell -e\necho $0 $(pwd -P) $# \"$*\"\n");
	make_file("tool", text);
	must(chmod("tool", 0755));
	assert_int_equal(serve(run_script), 0);
	file = fopen(expand(name, "@/home/out"), "re");
	assert_non_null(file);
	size = fread(got, 1, sizeof(got) - 1, file);
	fclose(file);
	got[size] = '\0';
	assert_string_equal(got, expand(text, expected));
	/* Nothing of that was in the directory itself. */
	must(chdir(lower));
	must(access("file", F_OK));
	assert_int_equal(access("count", F_OK), -1);
	must(chdir("/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works),
	};

	return cmocka_run_group_tests(tests, make_room, remove_room);
}
