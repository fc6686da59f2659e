/* SPDX-License-Identifier: MIT */
/* Which rights of Landlock there are in which ABI, and what grants make of them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filters/landlock.h"
#include "mountns/view.h"

/* As the kernel's header has them: include/uapi/linux/landlock.h. */
enum {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	MAKE_CHAR = 1 << 6,
	MAKE_BLOCK = 1 << 11,
	REFER = 1 << 13,
	TRUNCATE = 1 << 14,
	IOCTL_DEV = 1 << 15,
	RESOLVE_UNIX = 1 << 16,
	OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX,
};

static void each_abi_adds_its_own(void **state)
{
	static const struct landlock_access wanted[] = {
		{ 0, 0, 0 },      { 0x1fff, 0, 0 },  { 0x3fff, 0, 0 }, { 0x7fff, 0, 0 },
		{ 0x7fff, 3, 0 }, { 0xffff, 3, 0 },  { 0xffff, 3, 3 }, { 0xffff, 3, 3 },
		{ 0xffff, 3, 3 }, { 0x1ffff, 3, 3 },
	};

	(void)state;
	for (int abi = 0; abi < (int)(sizeof(wanted) / sizeof(wanted[0])); abi++) {
		struct landlock_access known = landlock_known(abi);

		assert_int_equal(known.files, wanted[abi].files);
		assert_int_equal(known.ports, wanted[abi].ports);
		assert_int_equal(known.scopes, wanted[abi].scopes);
	}
}

static void unknown_abis_are_the_newest_known_one(void **state)
{
	(void)state;
	assert_int_equal(landlock_known(10).files, landlock_known(9).files);
	assert_int_equal(landlock_known(INT32_MAX).files, landlock_known(9).files);
	assert_int_equal(landlock_known(INT32_MAX).ports, 3);
	assert_int_equal(landlock_known(-1).files, 0);
}

static void the_first_abis_are_those_of_the_table(void **state)
{
	(void)state;
	assert_int_equal(landlock_known(LANDLOCK_ABI_REFER).files & REFER, REFER);
	assert_int_equal(landlock_known(LANDLOCK_ABI_REFER - 1).files & REFER, 0);
	assert_int_equal(landlock_known(LANDLOCK_ABI_TRUNCATE).files & TRUNCATE, TRUNCATE);
	assert_int_equal(landlock_known(LANDLOCK_ABI_TRUNCATE - 1).files & TRUNCATE, 0);
	assert_int_not_equal(landlock_known(LANDLOCK_ABI_TCP).ports, 0);
	assert_int_equal(landlock_known(LANDLOCK_ABI_TCP - 1).ports, 0);
	assert_int_not_equal(landlock_known(LANDLOCK_ABI_SCOPES).scopes, 0);
	assert_int_equal(landlock_known(LANDLOCK_ABI_SCOPES - 1).scopes, 0);
}

static void grants_in_the_newest_abi(void **state)
{
	const uint64_t all = landlock_known(9).files;
	const uint64_t read = READ_FILE | READ_DIR | RESOLVE_UNIX;
	const uint64_t nodes = MAKE_CHAR | MAKE_BLOCK;

	(void)state;
	assert_int_equal(landlock_allowed(all, GRANT_READ, true), read);
	assert_int_equal(landlock_allowed(all, GRANT_READ | GRANT_EXEC, true), read | EXECUTE);
	assert_int_equal(landlock_allowed(all, GRANT_READ | GRANT_WRITE, true),
			 all & ~(uint64_t)EXECUTE & ~(uint64_t)IOCTL_DEV & ~nodes);
	assert_int_equal(
		landlock_allowed(all, GRANT_READ | GRANT_WRITE | GRANT_EXEC | GRANT_DEVICES, true),
		all & ~nodes);
	assert_int_equal(landlock_allowed(all, 0, true), 0);
}

static void files_have_rights_of_files_alone(void **state)
{
	const uint64_t all = landlock_known(9).files;

	(void)state;
	for (unsigned int rights = 0; rights < 16; rights++) {
		uint64_t file = landlock_allowed(all, rights, false);

		assert_int_equal(file & ~(uint64_t)OF_FILES, 0);
		assert_int_equal(file, landlock_allowed(all, rights, true) & OF_FILES);
	}
	assert_int_equal(landlock_allowed(all, GRANT_READ | GRANT_WRITE, false),
			 READ_FILE | WRITE_FILE | TRUNCATE | RESOLVE_UNIX);
}

/* The kernel refuses a rule with a right that the ruleset does not handle. */
static void nothing_but_what_is_handled(void **state)
{
	(void)state;
	for (int abi = 0; abi < 10; abi++)
		for (unsigned int rights = 0; rights < 16; rights++) {
			uint64_t handled = landlock_known(abi).files;

			assert_int_equal(landlock_allowed(handled, rights, true) & ~handled, 0);
			assert_int_equal(landlock_opened(handled, O_RDWR) & ~handled, 0);
		}
}

static void descriptors_as_they_are_open(void **state)
{
	const uint64_t all = landlock_known(9).files;

	(void)state;
	assert_int_equal(landlock_opened(all, O_RDONLY), READ_FILE | IOCTL_DEV);
	assert_int_equal(landlock_opened(all, O_WRONLY | O_APPEND),
			 WRITE_FILE | TRUNCATE | IOCTL_DEV);
	assert_int_equal(landlock_opened(all, O_RDWR),
			 READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV);
	assert_int_equal(landlock_opened(all, O_PATH), 0);
	assert_int_equal(landlock_opened(all, O_PATH | O_RDWR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_abi_adds_its_own),
		cmocka_unit_test(unknown_abis_are_the_newest_known_one),
		cmocka_unit_test(the_first_abis_are_those_of_the_table),
		cmocka_unit_test(grants_in_the_newest_abi),
		cmocka_unit_test(files_have_rights_of_files_alone),
		cmocka_unit_test(nothing_but_what_is_handled),
		cmocka_unit_test(descriptors_as_they_are_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
