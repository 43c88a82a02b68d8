// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/library.c: functions of a library that is loaded when it is wanted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "library.h"

static double (*round_down)(double);
static double (*nothing)(double);

static const struct library_symbol symbols[] = {
	{ "floor", (void **)&round_down },
	{ "floor_of_nothing", (void **)&nothing },
};

/* library_of - one of the first n symbols, by these names for ld.so. */
static struct library library_of(const char *file, const char *or_file, size_t n)
{
	return (struct library){
		.name = "libround",
		.file = { file, or_file },
		.use = "for rounding",
		.remedy = "apt-get install libround1",
		.symbol = symbols,
		.n_symbols = n,
	};
}

static int setup(void **state)
{
	(void)state;
	round_down = NULL;
	return 0;
}

static void its_functions_can_be_called(void **state)
{
	struct library l = library_of("libm.so.6", NULL, 1);

	(void)state;
	assert_int_equal(library_load(&l, NULL), 0);
	assert_non_null(l.handle);
	assert_true(round_down(2.5) == 2);
}

static void loaded_again_nothing_happens(void **state)
{
	struct library l = library_of("libm.so.6", NULL, 1);
	void *handle;

	(void)state;
	assert_int_equal(library_load(&l, NULL), 0);
	handle = l.handle;
	round_down = NULL;
	assert_int_equal(library_load(&l, NULL), 0);
	assert_ptr_equal(l.handle, handle);
	assert_null(round_down);
}

static void another_name_will_do(void **state)
{
	struct library l = library_of("libround.so.1", "libm.so.6", 1);

	(void)state;
	assert_int_equal(library_load(&l, NULL), 0);
	assert_true(round_down(-0.5) == -1);
}

static void what_is_missing_is_said_with_the_remedy(void **state)
{
	struct library l = library_of("libround.so.1", "libround.so.2", 1);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(library_load(&l, &err), -ENOENT);
	assert_int_equal(err.exit_code, EXIT_RUNTIME);
	assert_string_equal(err.text, "libround is needed for rounding and cannot be loaded: "
				      "libround.so.1: cannot open shared object file: No such file "
				      "or directory (apt-get install libround1)");
	assert_null(l.handle);
	assert_int_equal(library_load(&l, NULL), -ENOENT); /* nor is it there the second time */
}

static void a_library_without_one_of_them_is_not_loaded(void **state)
{
	struct library l = library_of("libm.so.6", NULL, 2);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(library_load(&l, &err), -ENOENT);
	assert_int_equal(err.exit_code, EXIT_RUNTIME);
	assert_string_equal(err.text, "libround lacks floor_of_nothing");
	assert_null(l.handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(its_functions_can_be_called, setup),
		cmocka_unit_test_setup(loaded_again_nothing_happens, setup),
		cmocka_unit_test_setup(another_name_will_do, setup),
		cmocka_unit_test_setup(what_is_missing_is_said_with_the_remedy, setup),
		cmocka_unit_test_setup(a_library_without_one_of_them_is_not_loaded, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
