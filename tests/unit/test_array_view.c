// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/array_view.c: an array that is mapped where somebody looks. A file stands in for the
 * kernel's array: it is mapped alike. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "array_view.h"

#define LEN (5 * (size_t)ARRAY_VIEW_PIECE + 1000) /* the last piece is a short one */

static int array_new(void)
{
	int fd = memfd_create("array", 0);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, LEN), 0);
	for (size_t i = 0; i < LEN; i += 500)
		assert_int_equal(pwrite(fd, &i, sizeof(i), (off_t)i), sizeof(i));
	return fd;
}

static size_t word_at(struct array_view *v, size_t offset)
{
	const size_t *p = array_view_ask(v, offset, sizeof(*p));
	size_t word;

	assert_non_null(p);
	memcpy(&word, p, sizeof(word));
	return word;
}

/* is_readable - is memory there, whatever the view says of itself? */
static bool is_readable(const void *p)
{
	int fd[2];
	bool is;

	assert_int_equal(pipe(fd), 0);
	is = write(fd[1], p, 1) == 1; /* EFAULT */
	close(fd[0]);
	close(fd[1]);
	return is;
}

static void nothing_is_mapped_before_somebody_asks(void **state)
{
	int fd = array_new();
	struct array_view *v = array_view_open(fd, LEN, false);

	(void)state;
	assert_non_null(v);
	assert_int_equal(array_view_mapped(v), 0);
	assert_int_equal(word_at(v, 2 * ARRAY_VIEW_PIECE / 500 * 500),
			 2 * ARRAY_VIEW_PIECE / 500 * 500);
	assert_in_range(array_view_mapped(v), 1, 2 * ARRAY_VIEW_PIECE);
	array_view_close(v);
	close(fd);
}

static void what_lies_in_two_pieces_is_in_one_place(void **state)
{
	int fd = array_new();
	struct array_view *v = array_view_open(fd, LEN, true);
	char *all;

	(void)state;
	all = array_view_ask(v, 0, LEN);
	assert_non_null(all);
	for (size_t i = 0; i < LEN; i += 500)
		assert_memory_equal(all + i, &i, sizeof(i));
	assert_ptr_equal(array_view_ask(v, 700, LEN - 700), all + 700);
	all[ARRAY_VIEW_PIECE] = 'x'; /* is written to the array itself */
	assert_int_equal(pread(fd, all, 1, ARRAY_VIEW_PIECE), 1);
	assert_int_equal(all[0], 'x');
	array_view_close(v);
	close(fd);
}

static void what_is_asked_for_stays_and_the_rest_goes(void **state)
{
	int fd = array_new();
	struct array_view *v = array_view_open(fd, LEN, false);
	const char *stays = array_view_ask(v, 500, 8), *goes = array_view_ask(v, LEN - 8, 8);

	(void)state;
	assert_non_null(stays);
	assert_non_null(goes);
	for (int turn = 0; turn < ARRAY_VIEW_TURNS - 1; turn++) {
		array_view_turn(v);
		assert_ptr_equal(array_view_ask(v, 500, 8), stays);
	}
	assert_true(array_view_mapped(v) > ARRAY_VIEW_PIECE);
	assert_true(is_readable(goes));
	array_view_turn(v);
	assert_int_equal(array_view_mapped(v), ARRAY_VIEW_PIECE);
	assert_false(is_readable(goes));
	assert_true(is_readable(stays));
	assert_int_equal(word_at(v, 500), 500);
	for (int turn = 0; turn < ARRAY_VIEW_TURNS; turn++)
		array_view_turn(v);
	assert_int_equal(array_view_mapped(v), 0);
	assert_false(is_readable(stays));
	assert_int_equal(word_at(v, LEN / 500 * 500 - 500), LEN / 500 * 500 - 500);
	array_view_close(v);
	close(fd);
}

static void what_cannot_be_mapped_is_said(void **state)
{
	int fd[2];
	struct array_view *v;

	(void)state;
	assert_int_equal(pipe(fd), 0); /* has no memory */
	v = array_view_open(fd[0], LEN, false);
	assert_non_null(v);
	errno = 0;
	assert_null(array_view_ask(v, 0, 8));
	assert_int_not_equal(errno, 0);
	assert_int_equal(array_view_mapped(v), 0);
	array_view_turn(v);
	array_view_close(v);
	array_view_close(NULL);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_mapped_before_somebody_asks),
		cmocka_unit_test(what_lies_in_two_pieces_is_in_one_place),
		cmocka_unit_test(what_is_asked_for_stays_and_the_rest_goes),
		cmocka_unit_test(what_cannot_be_mapped_is_said),
	};

	return cmocka_run_group_tests_name("array_view", tests, NULL, NULL);
}
