/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "filters/again.h"
#include "mountns/sys.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* Linux 4.17 */
#endif

#ifdef __NR_mmap2
#define MMAP __NR_mmap2
#else
#define MMAP __NR_mmap
#endif

/* EXITKILL: nobody else could give the thread its registers back. */
#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define ALL_SIGNALS UINT64_MAX

/*
 * Each slot has its own place in the callers' memory, far from where the kernel puts anything, and of any size of
 * pages. For a page may be left behind: a child of vfork(2) that executes a program leaves its parent's memory as it
 * was. It is known by what it begins with, used again, and goes then: there are no more than slots.
 */
#if defined(__x86_64__)
#define PLACE 0x2e6573700000U
#elif UINTPTR_MAX > UINT32_MAX
#define PLACE 0x16e6570000U
#else
#define PLACE 0x2e650000U
#endif
#define PLACE_SIZE 0x10000U

static const char mark[16] = "nestbox again";

/* What a call in the kernel returns that is to begin anew, or not, as the signal's action says: ERESTARTSYS and on. */
static bool interrupted(long result)
{
	return result <= -512 && result >= -516;
}

/* ---- one thread ---- */

static int trace(unsigned int request, const struct again_slot *slot, uintptr_t data)
{
	return sys_ptrace(request, slot->call.tid, 0, data);
}

static int get_registers(const struct again_slot *slot, struct registers *registers)
{
	struct kernel_iovec part = { registers, sizeof(*registers) };

	return sys_ptrace(PTRACE_GETREGSET, slot->call.tid, NT_PRSTATUS, (uintptr_t)&part);
}

static int set_registers(const struct again_slot *slot, struct registers *registers)
{
	struct kernel_iovec part = { registers, sizeof(*registers) };

	return sys_ptrace(PTRACE_SETREGSET, slot->call.tid, NT_PRSTATUS, (uintptr_t)&part);
}

static int set_mask(const struct again_slot *slot, uint64_t mask)
{
	return sys_ptrace(PTRACE_SETSIGMASK, slot->call.tid, sizeof(mask), (uintptr_t)&mask);
}

/* To the next stop of its call, or of the thread. */
static int go_on(const struct again_slot *slot, int signal)
{
	return trace(PTRACE_SYSCALL, slot, (uintptr_t)signal);
}

static int let_go(struct again_slot *slot, int signal)
{
	int tid = slot->call.tid;

	slot->call.tid = 0;
	return sys_ptrace(PTRACE_DETACH, tid, 0, (uintptr_t)signal);
}

/* As if its own call had come to that. */
static int leave(struct again_slot *slot, long result)
{
	struct registers registers = slot->registers;

	registers_return(&registers, slot->call.pc, result);
	(void)set_registers(slot, &registers);
	(void)set_mask(slot, slot->mask);
	/* The kernel looks at such a result only when it looks for signals, and another thread may have taken the
	 * one that has interrupted. */
	if (interrupted(result))
		(void)trace(PTRACE_INTERRUPT, slot, 0);
	return let_go(slot, 0);
}

static int begin_call(struct again_slot *slot, enum again_step step, int number,
		      const uint64_t arguments[6])
{
	struct registers registers = slot->registers;
	int error;

	registers_call(&registers, slot->call.pc, number, arguments);
	slot->step = step;
	slot->inside = false;
	error = set_registers(slot, &registers);
	return error < 0 ? error : go_on(slot, 0);
}

/* ---- its steps, each begun at the end of the one before ---- */

static int begin_mapping(struct again_slot *slot, uint64_t place)
{
	const uint64_t arguments[6] = {
		place,
		sizeof(slot->text),
		PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | (place == 0 ? 0 : MAP_FIXED_NOREPLACE),
		UINT64_MAX,
		0,
	};

	slot->page = place;
	return begin_call(slot, place == 0 ? AGAIN_ELSEWHERE : AGAIN_MAPPING, MMAP, arguments);
}

static int begin_unmapping(struct again_slot *slot)
{
	const uint64_t arguments[6] = { slot->page, sizeof(slot->text) };

	return begin_call(slot, AGAIN_UNMAPPING, __NR_munmap, arguments);
}

/* A call to no effect. A kernel that begins a call anew takes the first argument of the last one, which on some
 * machines only itself can set. */
static int begin_returning(struct again_slot *slot)
{
	const uint64_t arguments[6] = { slot->call.arguments[0] };

	return begin_call(slot, AGAIN_RETURNING, __NR_munmap, arguments);
}

/* Where the texts are is known with the page. */
static void place_list(struct again_slot *slot)
{
	for (size_t i = 0; i < slot->list_texts; i++) {
		char *at = slot->text + slot->list + i * sizeof(unsigned long);
		unsigned long word;

		memcpy(&word, at, sizeof(word));
		word += (unsigned long)slot->page;
		memcpy(at, &word, sizeof(word));
	}
}

static int begin_calling(struct again_slot *slot)
{
	const struct kernel_iovec local = { slot->text, slot->size };
	const struct kernel_iovec remote = { (void *)(uintptr_t)slot->page, slot->size };
	uint64_t arguments[6];
	long written;

	place_list(slot);
	written = sys_process_vm_writev(slot->call.tid, &local, &remote);
	if (written != (long)slot->size) {
		slot->result = written < 0 ? written : -EFAULT;
		return begin_unmapping(slot);
	}
	memcpy(arguments, slot->call.arguments, sizeof(arguments));
	for (size_t i = 0; i < slot->path_count; i++)
		arguments[slot->arguments[i]] = slot->page + slot->offsets[i];
	if (slot->list > 0)
		arguments[slot->list_argument] = slot->page + slot->list;
	arguments[5] = AGAIN_MARK;
	return begin_call(slot, AGAIN_CALLING, slot->call.number, arguments);
}

/* The thread is on its way out of the notified call. */
static int begin(struct again_slot *slot, size_t number)
{
	struct registers *registers = &slot->registers;
	int error = get_registers(slot, registers);
	uint64_t before = slot->call.pc - registers_instruction(registers), mask = 0;

	/* Somewhere else there was a signal, before Linux 5.19: then the call is made once more, or is not. */
	if (error < 0 || slot->lost ||
	    (registers->words[REGISTER_PC] != (unsigned long)slot->call.pc &&
	     registers->words[REGISTER_PC] != (unsigned long)before))
		return let_go(slot, 0);
	error = sys_ptrace(PTRACE_GETSIGMASK, slot->call.tid, sizeof(mask), (uintptr_t)&mask);
	if (error < 0)
		return let_go(slot, 0);
	slot->mask = mask;
	/* A handler would find registers that are not its program's. */
	error = set_mask(slot, ALL_SIGNALS);
	return error < 0 ? error : begin_mapping(slot, PLACE + number * PLACE_SIZE);
}

/* ---- what the calls have come to ---- */

/* Left behind by another call. Who makes such a page by himself harms himself. */
static bool is_left(const struct again_slot *slot)
{
	char start[sizeof(mark)];
	const struct kernel_iovec local = { start, sizeof(start) };
	const struct kernel_iovec remote = { (void *)(uintptr_t)slot->page, sizeof(start) };

	return sys_process_vm_readv(slot->call.tid, &local, &remote) == sizeof(start) &&
	       memcmp(start, mark, sizeof(start)) == 0;
}

static int mapped(struct again_slot *slot, long result)
{
	bool failed = result < 0 && result >= -4095;

	if (slot->step == AGAIN_MAPPING && failed)
		return result == -EEXIST && is_left(slot) ? begin_calling(slot)
							  : begin_mapping(slot, 0);
	if (failed)
		return leave(slot, result);
	slot->page = (unsigned long)result;
	return begin_calling(slot);
}

static int called(struct again_slot *slot, long result)
{
	slot->result = result;
	/* What has come meanwhile waits until the registers are the caller's. */
	(void)set_mask(slot, ALL_SIGNALS);
	return begin_unmapping(slot);
}

static int end_step(struct again_slot *slot, long result)
{
	switch (slot->step) {
	case AGAIN_MAPPING:
	case AGAIN_ELSEWHERE:
		return mapped(slot, result);
	case AGAIN_CALLING:
		return called(slot, result);
	case AGAIN_UNMAPPING:
		return interrupted(slot->result) ? begin_returning(slot)
						 : leave(slot, slot->result);
	default:
		return leave(slot, slot->result);
	}
}

/* ---- stops ---- */

/* The order is: this stop, then the filter. */
static int at_entry(struct again_slot *slot)
{
	int error = 0;

	slot->inside = true;
	/* While it makes its own call signals interrupt it as ever. */
	if (slot->step == AGAIN_CALLING)
		error = set_mask(slot, slot->mask);
	return error < 0 ? error : go_on(slot, 0);
}

static int at_end(struct again_slot *slot)
{
	struct registers registers = { 0 };
	int error = get_registers(slot, &registers);

	slot->inside = false;
	return error < 0 ? error : end_step(slot, (long)registers.words[REGISTER_RESULT]);
}

static bool stops(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* ptrace(2), "Group-stop": the thread stays as it is until SIGCONT, which is a stop again. */
static int at_stop(struct again_slot *slot, size_t number, int signal)
{
	if (stops(signal))
		return trace(PTRACE_LISTEN, slot, 0);
	return slot->step == AGAIN_STOPPING ? begin(slot, number) : go_on(slot, 0);
}

/* It was interrupted before we had it, which is before Linux 5.19; or the signal cannot be blocked. */
static int at_signal(struct again_slot *slot, int signal)
{
	return slot->step == AGAIN_STOPPING ? let_go(slot, signal) : go_on(slot, signal);
}

static struct again_slot *find_slot(struct again *again, int tid)
{
	for (size_t i = 0; i < AGAIN_SLOTS; i++)
		if (again->slots[i].call.tid == tid)
			return &again->slots[i];
	return NULL;
}

static void forget(struct again *again, int tid)
{
	struct again_slot *slot = find_slot(again, tid);

	if (slot != NULL)
		slot->call.tid = 0;
}

/* The memory is new, and so are the registers; of a thread that was not the first one, the number, too. The
 * first one's end is told to nobody. */
static void executed(struct again *again, int tid)
{
	unsigned long former = 0;

	if (sys_ptrace(PTRACE_GETEVENTMSG, tid, 0, (uintptr_t)&former) == 0)
		forget(again, (int)former);
	forget(again, tid);
	(void)sys_ptrace(PTRACE_DETACH, tid, 0, 0);
}

/* Nothing that a living thread does leads here. */
static void give_up(struct again_slot *slot)
{
	if (slot->call.tid != 0)
		(void)leave(slot, -EIO);
}

void again_event(struct again *again, int tid, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status), error;
	struct again_slot *slot = find_slot(again, tid);

	if (!WIFSTOPPED(status)) {
		forget(again, tid);
		return;
	}
	if (event == PTRACE_EVENT_EXEC) {
		executed(again, tid);
		return;
	}
	if (slot == NULL) {
		if (event != 0 || signal == SYSCALL_STOP)
			signal = 0;
		(void)sys_ptrace(PTRACE_DETACH, tid, 0, (uintptr_t)signal);
		return;
	}
	if (event == PTRACE_EVENT_STOP)
		error = at_stop(slot, (size_t)(slot - again->slots), signal);
	else if (signal == SYSCALL_STOP)
		error = slot->inside ? at_end(slot) : at_entry(slot);
	else
		error = at_signal(slot, signal);
	if (error < 0)
		give_up(slot);
}

/*
 * ---- beginning ----
 *
 * PTRACE_SEIZE waits while another thread of that process executes a program: it takes what execve(2) holds. And that
 * waits for the end of the others, which of those that we trace is when we have been told. So the waiting has to end:
 * by then the caller is most often dead. The kernel would make a call that a signal interrupts anew, so the handler
 * sees to it that it does not.
 */

#define PATIENCE 10000 /* in microseconds */
#define ATTEMPTS 100

static int heir;

static void interrupt(int signal, siginfo_t *info, void *context)
{
	if (info->si_code != SI_KERNEL)
		sys_kill(heir, signal);
	registers_fail(context, __NR_ptrace, PTRACE_SEIZE, -EINTR);
}

void again_prepare(int process)
{
	const uint64_t alarm = 1ULL << (SIGALRM - 1);
	struct sigaction action = { .sa_sigaction = interrupt, .sa_flags = SA_SIGINFO };

	heir = process;
	/* The C library's, which knows how a handler returns; it does not fail. */
	(void)sigaction(SIGALRM, &action, NULL);
	(void)sys_sigprocmask(SIG_UNBLOCK, &alarm, NULL);
}

static int seize(const struct notify_call *call)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		int error;

		(void)sys_set_alarms(PATIENCE);
		error = sys_ptrace(PTRACE_SEIZE, call->tid, 0, OPTIONS);
		(void)sys_set_alarms(0);
		/* EPERM is said of one that has ended, too. */
		if (error < 0 && !notify_waits(call))
			return -ESRCH;
		if (error != -EINTR)
			return error;
	}
	return -EAGAIN;
}

/* Whether its thread has ended unnoticed, as the first one of a process does when another one executes. */
static bool is_gone(const struct again_slot *slot)
{
	return sys_waitid(P_PID, slot->call.tid, NULL,
			  (int)(WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL)) == -ECHILD;
}

static struct again_slot *take_slot(struct again *again, int tid)
{
	struct again_slot *slot = find_slot(again, tid);

	/* It waits in another call, so what was there is stale. */
	if (slot != NULL)
		return slot;
	slot = find_slot(again, 0);
	for (size_t i = 0; i < AGAIN_SLOTS && slot == NULL; i++)
		if (is_gone(&again->slots[i]))
			slot = &again->slots[i];
	return slot;
}

static int copy_paths(struct again_slot *slot, const struct again_path *paths, size_t count)
{
	if (count > AGAIN_PATHS)
		return -EINVAL;
	slot->size = sizeof(mark);
	slot->path_count = count;
	memcpy(slot->text, mark, sizeof(mark));
	for (size_t i = 0; i < count; i++) {
		size_t length = strnlen(paths[i].text, PATH_MAX);

		if (length == PATH_MAX)
			return -ENAMETOOLONG;
		slot->arguments[i] = paths[i].argument;
		slot->offsets[i] = (unsigned int)slot->size;
		memcpy(slot->text + slot->size, paths[i].text, length + 1);
		slot->size += length + 1;
	}
	return 0;
}

static int copy_list(struct again_slot *slot, const struct again_list *list)
{
	const size_t word = sizeof(unsigned long);
	size_t start = (slot->size + word - 1) / word * word;

	slot->list = 0;
	slot->list_texts = 0;
	if (list == NULL)
		return 0;
	if (list->text_count > AGAIN_TEXTS || list->rest_count > AGAIN_REST)
		return -E2BIG;
	slot->list = (unsigned int)start;
	slot->list_argument = list->argument;
	slot->list_texts = list->text_count;
	slot->size = start + (list->text_count + list->rest_count) * word;
	if (slot->size > sizeof(slot->text))
		return -E2BIG;
	memcpy(slot->text + start + list->text_count * word, list->rest, list->rest_count * word);
	for (size_t i = 0; i < list->text_count; i++) {
		unsigned long offset = slot->size;
		size_t length = strnlen(list->texts[i], PATH_MAX) + 1;

		if (length > sizeof(slot->text) - slot->size)
			return -E2BIG;
		memcpy(slot->text + start + i * word, &offset, word);
		memcpy(slot->text + slot->size, list->texts[i], length);
		slot->size += length;
	}
	return 0;
}

/* Has it stop on its way out of CALL, which it does not leave before it is answered. Not before Linux 5.19: there a
 * signal ends the waiting, and it may be waiting anew before we have seen it stop. */
static int stop(struct again_slot *slot, const struct notify_call *call)
{
	int error;

	slot->call = *call;
	slot->step = AGAIN_STOPPING;
	slot->inside = false;
	/* Was it this thread? If not: only a stopped one can be let go. */
	slot->lost = !notify_waits(call);
	error = trace(PTRACE_INTERRUPT, slot, 0);
	if (error < 0)
		slot->call.tid = 0;
	return error == 0 && slot->lost ? -ESRCH : error;
}

int again_start(struct again *again, const struct notify_call *call, const struct again_path *paths,
		size_t count)
{
	return again_start_list(again, call, paths, count, NULL);
}

int again_start_list(struct again *again, const struct notify_call *call,
		     const struct again_path *paths, size_t count, const struct again_list *list)
{
	struct again_slot *slot = take_slot(again, call->tid);
	bool ours;
	int error;

	if (slot == NULL)
		return -EAGAIN;
	ours = slot->call.tid == call->tid && slot->step == AGAIN_STOPPING;
	error = copy_paths(slot, paths, count);
	if (error == 0)
		error = copy_list(slot, list);
	if (error == 0)
		error = seize(call);
	if (error == -EPERM && ours)
		error = 0;
	if (error == 0)
		error = stop(slot, call);
	if (error == 0)
		notify_send(call, 0);
	return error;
}
