/* SPDX-License-Identifier: MIT */
/* What the sanitizer build needs to know of nestbox. */

/* Before a call that does not return, ASan clears the shadow of the thread's stack, and complains when
 * it runs on another one, as PID 1 and its children do. They never come back to it. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}

/* nestbox leaves freeing to its end, so that leaks are looked for in the units only. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
