// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/config_change.c: a file that is written, exchanged, removed, and a ConfigMap's. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_change.h"

static char dir[] = "/tmp/reconmon-change.XXXXXX";
static char file[64];
static struct config_change change;

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	snprintf(file, sizeof(file), "%s/reconmon.yaml", dir);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return system(command);
}

/* due - once it is at rest, and only once. */
static void assert_due(bool want)
{
	assert_false(config_change_due(&change, file)); /* it may still be written */
	assert_int_equal(config_change_due(&change, file), want);
	assert_false(config_change_due(&change, file));
}

static void what_did_not_change_is_not_due(void **state)
{
	(void)state;
	put(file, "a: 1\n");
	config_change_applied(&change, file);
	assert_due(false);
}

static void a_file_written_again(void **state)
{
	(void)state;
	put(file, "a: 1\n");
	config_change_applied(&change, file);
	put(file, "a: 12\n");
	assert_due(true);
}

static void a_file_is_not_read_while_it_is_written(void **state)
{
	(void)state;
	put(file, "a: 1\n");
	config_change_applied(&change, file);
	for (int i = 0; i < 5; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%*s", 8 + i, "x");
		put(file, text);
		assert_false(config_change_due(&change, file));
	}
	assert_true(config_change_due(&change, file));
}

static void another_file_in_its_place(void **state)
{
	(void)state;
	put(file, "a: 1\n");
	config_change_applied(&change, file);
	put("new", "a: 2\n");
	assert_int_equal(rename("new", file), 0);
	assert_due(true);
}

static void a_file_that_is_gone_is_waited_for(void **state)
{
	(void)state;
	put(file, "a: 1\n");
	config_change_applied(&change, file);
	assert_int_equal(unlink(file), 0);
	assert_due(false);
	put(file, "a: 22\n");
	assert_due(true);
}

/* As the kubelet does: the file is a link into ..data, a link to a folder with a date for a name,
 * which is exchanged by rename. */
static void a_configmap(void **state)
{
	(void)state;
	mkdir("..2026_01", 0755);
	put("..2026_01/reconmon.yaml", "a: 1\n");
	assert_int_equal(symlink("..2026_01", "..data"), 0);
	assert_int_equal(symlink("..data/reconmon.yaml", file), 0);
	config_change_applied(&change, file);
	assert_due(false);
	mkdir("..2026_02", 0755);
	put("..2026_02/reconmon.yaml", "a: 2\n");
	assert_int_equal(symlink("..2026_02", "..data_tmp"), 0);
	assert_int_equal(rename("..data_tmp", "..data"), 0);
	unlink("..2026_01/reconmon.yaml");
	rmdir("..2026_01");
	assert_due(true);
}

static void no_file_no_change(void **state)
{
	(void)state;
	config_change_applied(&change, NULL);
	assert_false(config_change_due(&change, NULL));
	assert_false(config_change_due(&change, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_did_not_change_is_not_due, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_written_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_is_not_read_while_it_is_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_file_in_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_gone_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_configmap, setup, teardown),
		cmocka_unit_test(no_file_no_change),
	};

	return cmocka_run_group_tests_name("config_change", tests, NULL, NULL);
}
