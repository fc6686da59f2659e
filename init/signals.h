/* SPDX-License-Identifier: MIT */
/* The names of signals, and taking them from where the caller has put them. */
#ifndef NESTBOX_INIT_SIGNALS_H
#define NESTBOX_INIT_SIGNALS_H

#include <signal.h>

#include "init/box.h"
#include "init/text.h"

/* One bit for each signal, as the kernel has its sets. */
static inline uint64_t signal_bit(int signal)
{
	return 1ULL << (signal - 1);
}

/* Whether SIGNAL is what people and service managers end a program with. */
static inline bool signal_ends(int signal)
{
	const uint64_t ending =
		signal_bit(SIGHUP) | signal_bit(SIGINT) | signal_bit(SIGQUIT) | signal_bit(SIGTERM);

	return (ending & signal_bit(signal)) != 0;
}

/*
 * Blocks every signal that is not to be the kernel's, to take them one by one, and undoes what the
 * caller ignores: that is inherited through clone and exec, and an ignored SIGCHLD would cost us the
 * exit status. BOX keeps what the workload gets back. Returns 0, or -1 with the fault.
 */
int signals_take(struct box *box, struct fault *fault);

/* The signal that LENGTH bytes of TEXT name: signal(7) in any case, with or without SIG in front,
 * RTMIN+N, RTMAX-N (from 34 to 64, as container engines count), or a number. */
bool signal_parse(const char *text, size_t length, int *signal);

/* FROM:TO, both as above; TO may be 0. */
bool signal_parse_rewrite(const char *text, int *from, int *to);

/* The name without SIG; "" for a signal that has none. */
const char *signal_name(int signal);

/* Adds the words of strsignal(3), the same whatever the libc. */
void signal_describe(struct text *text, int signal);

#endif
