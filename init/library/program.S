/* SPDX-License-Identifier: MIT */
/* The program nestbox, which NESTBOX_BLOB names, as bytes. */
	.section .rodata
	.globl program_bytes, program_size
	.balign 16
program_size:
	.long program_end - program_bytes
	.balign 16
program_bytes:
	.incbin NESTBOX_BLOB
program_end:
	.section .note.GNU-stack, "", %progbits
