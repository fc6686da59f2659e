/* SPDX-License-Identifier: MIT */
/*
 * The registers of a system call as PTRACE_GETREGSET gives them (NT_PRSTATUS): where in these words stand the program
 * counter, the call's number, its result and its arguments. See syscall(2), "Architecture calling conventions", and
 * the kernel's asm/ptrace.h and asm/user.h.
 */
#ifndef FILTERS_AGAIN_REGISTERS_H
#define FILTERS_AGAIN_REGISTERS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define REGISTERS 27
#define REGISTER_PC 16
#define REGISTER_NUMBER 10
#define REGISTER_RESULT 10
#define REGISTER_ARGUMENTS 14, 13, 12, 7, 9, 8
#elif defined(__aarch64__)
#define REGISTERS 34
#define REGISTER_PC 32
#define REGISTER_NUMBER 8
#define REGISTER_RESULT 0
#define REGISTER_ARGUMENTS 0, 1, 2, 3, 4, 5
#elif defined(__riscv)
#define REGISTERS 32
#define REGISTER_PC 0
#define REGISTER_NUMBER 17
#define REGISTER_RESULT 10
#define REGISTER_ARGUMENTS 10, 11, 12, 13, 14, 15
#elif defined(__arm__)
#define REGISTERS 18
#define REGISTER_PC 15
#define REGISTER_NUMBER 7
#define REGISTER_RESULT 0
#define REGISTER_ARGUMENTS 0, 1, 2, 3, 4, 5
#endif

struct registers {
	unsigned long words[REGISTERS];
};

/* How long the instruction is that makes a call. */
static inline unsigned int registers_instruction(const struct registers *registers)
{
#if defined(__x86_64__)
	(void)registers;
	return 2;
#elif defined(__arm__)
	return (registers->words[16] & 0x20) != 0 ? 2 : 4; /* Thumb code */
#else
	(void)registers;
	return 4;
#endif
}

/* Before the instruction, which ends at PC, with all that it takes. */
static inline void registers_call(struct registers *registers, uint64_t pc, int number,
				  const uint64_t arguments[6])
{
	static const unsigned char places[6] = { REGISTER_ARGUMENTS };

	for (size_t i = 0; i < 6; i++)
		registers->words[places[i]] = (unsigned long)arguments[i];
	registers->words[REGISTER_PC] = (unsigned long)pc - registers_instruction(registers);
	registers->words[REGISTER_NUMBER] = (unsigned long)number;
}

/* Behind it. */
static inline void registers_return(struct registers *registers, uint64_t pc, long result)
{
	registers->words[REGISTER_PC] = (unsigned long)pc;
	registers->words[REGISTER_RESULT] = (unsigned long)result;
}

/* The same of ourselves, in a signal's context. */
#if defined(__x86_64__)
#define CONTEXT_PC gregs[REG_RIP]
#define CONTEXT_NUMBER gregs[REG_RAX]
#define CONTEXT_RESULT gregs[REG_RAX]
#define CONTEXT_ARGUMENT gregs[REG_RDI]
#define INSTRUCTION "\x0f\x05"
#elif defined(__aarch64__)
#define CONTEXT_PC pc
#define CONTEXT_NUMBER regs[8]
#define CONTEXT_RESULT regs[0]
#define CONTEXT_ARGUMENT regs[0]
#define INSTRUCTION "\x01\x00\x00\xd4"
#elif defined(__riscv)
#define CONTEXT_PC __gregs[0]
#define CONTEXT_NUMBER __gregs[17]
#define CONTEXT_RESULT __gregs[10]
#define CONTEXT_ARGUMENT __gregs[10]
#define INSTRUCTION "\x73\x00\x00\x00"
#elif defined(__arm__)
#define CONTEXT_PC arm_pc
#define CONTEXT_NUMBER arm_r7
#define CONTEXT_RESULT arm_r0
#define CONTEXT_ARGUMENT arm_r0
#if defined(__thumb__)
#define INSTRUCTION "\x00\xdf"
#else
#define INSTRUCTION "\x00\x00\x00\xef"
#endif
#endif

/* If that is just before the call NUMBER with this first argument: as if it had failed with ERROR. */
static inline void registers_fail(ucontext_t *context, long number, long argument, long error)
{
	mcontext_t *at = &context->uc_mcontext;

	if ((long)at->CONTEXT_NUMBER != number || (long)at->CONTEXT_ARGUMENT != argument ||
	    memcmp((const void *)(uintptr_t)at->CONTEXT_PC, INSTRUCTION, sizeof(INSTRUCTION) - 1) !=
		    0)
		return;
	at->CONTEXT_PC += (int)sizeof(INSTRUCTION) - 1;
	at->CONTEXT_RESULT = (__typeof__(at->CONTEXT_RESULT))error;
}

#endif
