// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/table.c: finding, and the order of touching. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct group_key key_of(uint32_t n)
{
	return (struct group_key){ .orig = { { n, 0 } }, .resp_port = (uint16_t)n, .bin = n >> 16 };
}

static uint64_t *put(struct table *t, uint32_t n, bool *ret_new)
{
	struct group_key key = key_of(n);

	return table_put(t, &key, ret_new);
}

static uint64_t *get(struct table *t, uint32_t n)
{
	struct group_key key = key_of(n);

	return table_get(t, &key);
}

/* --- order: a script of single letters, and the order from the oldest on --------------------- */

/* "a" puts a, "-a" removes it, "!a" touches it, "?a" only looks for it. */
static const struct order_case {
	const char *name;
	uint32_t max;
	const char *script, *want;
} order_cases[] = {
	{ "an empty table has no oldest", 4, "", "" },
	{ "one entry", 4, "a", "a" },
	{ "entries stand in the order they came", 4, "abc", "abc" },
	{ "putting what is there touches it", 4, "abca", "bca" },
	{ "putting the newest again changes nothing", 4, "abb", "ab" },
	{ "touching the oldest makes it the newest", 4, "abc!a", "bca" },
	{ "touching one in the middle", 4, "abc!b", "acb" },
	{ "touching the newest changes nothing", 4, "abc!c", "abc" },
	{ "touching the only one changes nothing", 4, "a!a", "a" },
	{ "looking does not touch", 4, "abc?a", "abc" },
	{ "removing the oldest", 4, "abc-a", "bc" },
	{ "removing one in the middle", 4, "abc-b", "ac" },
	{ "removing the newest", 4, "abc-c", "ab" },
	{ "removing the only one leaves an empty table", 4, "a-a", "" },
	{ "an empty table fills again", 4, "a-abc", "bc" },
	{ "a place that was freed is used again", 2, "ab-acd", "bc" },
	{ "two free places are used again", 3, "abc-a-cdef", "bde" },
	{ "a full table takes nothing new", 2, "abc", "ab" },
	{ "a full table still finds and touches", 2, "aba", "ba" },
	{ "a table of one", 1, "ab-ab", "b" },
};

static void test_order(void **state)
{
	const struct order_case *c = *state;
	struct table *t = table_new(sizeof(uint64_t), c->max);
	char got[32] = "";
	size_t n = 0;
	bool is_new;

	assert_non_null(t);
	for (const char *p = c->script; *p; p++) {
		uint32_t alive = table_count(t);
		uint64_t *v;

		switch (*p) {
		case '-':
			table_remove(t, get(t, (uint32_t) * ++p));
			assert_null(get(t, (uint32_t)*p));
			assert_int_equal(table_count(t), alive - 1);
			break;
		case '!':
			table_touch(t, get(t, (uint32_t) * ++p));
			break;
		case '?':
			assert_non_null(get(t, (uint32_t) * ++p));
			break;
		default:
			v = put(t, (uint32_t)*p, &is_new);
			assert_int_equal(!v, is_new && alive == c->max);
			if (v && is_new)
				assert_int_equal(*v, 0); /* also in a place used before */
			if (v)
				*v = (uint64_t)*p;
		}
	}
	for (uint64_t *v = table_oldest(t); v; v = table_newer(t, v)) {
		assert_int_equal(table_key(v)->resp_port, *v);
		got[n++] = (char)*v;
	}
	assert_string_equal(got, c->want);
	assert_int_equal(table_count(t), n);
	assert_int_equal(table_full(t), n == c->max);
	table_free(t);
}

/* --- keys differ in any field ---------------------------------------------------------------- */

static void each_field_of_a_key_counts(void **state)
{
	static const struct group_key keys[] = {
		{ .orig = { { 1, 0 } } },
		{ .orig = { { 0, 1 } } },
		{ .resp = { { 1, 0 } } },
		{ .resp = { { 0, 1 } } },
		{ .resp_port = 1 },
		{ .proto = 1 },
		{ .bin = 1 },
		{ .bin = 0 },
	};
	struct table *t = table_new(sizeof(uint64_t), 100);
	bool is_new;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		*(uint64_t *)table_put(t, &keys[i], &is_new) = i;
		assert_true(is_new);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_int_equal(*(uint64_t *)table_get(t, &keys[i]), i);
	table_free(t);
}

static void values_of_odd_size_do_not_overlap(void **state)
{
	struct table *t = table_new(13, 1000);
	bool is_new;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		memset(put(t, i, &is_new), (int)(i & 0xff), 13);
	for (uint32_t i = 0; i < 1000; i++) {
		unsigned char *v = (unsigned char *)get(t, i);

		for (int b = 0; b < 13; b++)
			assert_int_equal(v[b], i & 0xff);
	}
	table_free(t);
}

static void values_stay_where_they_are_while_it_grows(void **state)
{
	struct table *t = table_new(sizeof(uint64_t), 100000);
	uint64_t *first;
	bool is_new;

	(void)state;
	first = put(t, 0, &is_new);
	for (uint32_t i = 1; i < 100000; i++)
		put(t, i, &is_new);
	assert_ptr_equal(get(t, 0), first);
	assert_ptr_equal(table_oldest(t), first);
	assert_null(put(t, 100000, &is_new));
	assert_true(table_bytes(t) >= 100000 * (56 + sizeof(uint64_t)));
	table_free(t);
}

/* An index moves line by line while entries come and go; lines are often full by then, so that
 * their entries stand in others. */
static void each_entry_is_found_while_an_index_moves(void **state)
{
	enum {
		ENTRIES = 2500 /* past six indices */
	};
	struct table *t = table_new(sizeof(uint64_t), ENTRIES);
	static bool gone[ENTRIES];
	uint64_t *value;
	bool is_new;

	(void)state;
	for (uint32_t n = 0; n < ENTRIES; n++) {
		put(t, n, &is_new);
		assert_true(is_new);
		if (n % 7 == 6 && !gone[n / 2]) {
			value = get(t, n / 2);
			assert_non_null(value);
			table_remove(t, value);
			gone[n / 2] = true;
		}
		for (uint32_t i = 0; i <= n; i++) {
			value = get(t, i);
			assert_true(gone[i] ? !value : value != NULL);
		}
	}
	table_free(t);
}

/* A look-up that is prepared is right whatever happens to the table before it is used: the entry
 * stays, leaves, comes back, or its place has another's entry by then. Past 1,024 entries: fewer
 * are not looked for ahead. */
static void a_prepared_look_up_survives_what_comes_between(void **state)
{
	struct table *t = table_new(sizeof(uint64_t), 100000);
	const struct group_key a = key_of(7), b = key_of(1u << 30);
	struct table_look of_a, of_b;
	bool is_new;

	(void)state;
	for (uint32_t i = 0; i < 50000; i++)
		*put(t, i, &is_new) = i;
	of_a = table_look(t, &a);
	of_b = table_look(t, &b);
	for (enum table_step step = EXPECT_SLOT; step <= EXPECT_TOUCH; step++) {
		table_expect(t, &of_a, step);
		table_expect(t, &of_b, step);
	}
	assert_ptr_equal(of_a.value, get(t, 7));
	assert_null(of_b.value);
	assert_ptr_equal(table_get_by(t, &of_a, &a), get(t, 7));
	table_remove(t, get(t, 7));
	assert_null(table_get_by(t, &of_a, &a)); /* its place is free */
	*(uint64_t *)table_put_by(t, &of_b, &b, &is_new) = 1;
	assert_true(is_new);
	assert_ptr_equal(of_a.value, table_get_by(t, &of_b, &b)); /* b's now */
	assert_null(table_get_by(t, &of_a, &a));
	*(uint64_t *)table_put_by(t, &of_a, &a, &is_new) = 2;
	assert_true(is_new);
	for (uint32_t i = 50000; i < 90000; i++) /* another index by then */
		*put(t, i, &is_new) = i;
	assert_int_equal(*(uint64_t *)table_get_by(t, &of_a, &a), 2);
	assert_int_equal(*(uint64_t *)table_get_by(t, &of_b, &b), 1);
	assert_ptr_equal(table_put_by(t, &of_a, &a, &is_new), get(t, 7));
	assert_false(is_new);
	table_free(t);
}

/* The next index is made ready between five and six in eight of the one in use: tables that turn
 * back on the way, some of them for good, and then grow after all. */
static void a_table_may_shrink_while_its_next_index_is_made_ready(void **state)
{
	struct table *t = table_new(sizeof(uint64_t), 400000);
	bool is_new;

	(void)state;
	for (uint32_t slots = 64; slots <= 262144; slots *= 2) {
		uint32_t most = slots / 16 * 11;

		for (int turn = 0; turn < 2; turn++) {
			for (uint32_t i = table_count(t); i < most; i++)
				*(uint64_t *)put(t, i, &is_new) = i;
			for (uint32_t i = most; i-- > slots / 2;)
				table_remove(t, get(t, i));
		}
		for (uint32_t i = 0; i < slots; i++)
			assert_int_equal(get(t, i) != NULL, i < slots / 2);
		for (uint32_t i = table_count(t); i < slots; i++)
			*(uint64_t *)put(t, i, &is_new) = i;
		for (uint32_t i = 0; i < slots; i++)
			assert_int_equal(*(uint64_t *)get(t, i), i);
	}
	for (uint32_t i = table_count(t); i < 262144 / 8 * 11; i++)
		put(t, i, &is_new);
	table_free(t); /* with what is half ready */
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	table_free(NULL);
}

/* --- 100,000 random keys against a naive model ------------------------------------------------ */

enum {
	KEYS = 100000,
	STEPS = 400000,
	LIMIT = 60000
};

static struct naive {
	uint64_t value;
	uint64_t touched; /* step; 0: not there */
} naive[KEYS];

static uint64_t random_next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void check_all(struct table *t, uint32_t alive)
{
	uint64_t before = 0;
	uint32_t n = 0;

	for (uint64_t *v = table_oldest(t); v; v = table_newer(t, v), n++) {
		const struct naive *m = &naive[table_key(v)->orig.w[0]];

		assert_int_equal(*v, m->value);
		assert_true(m->touched > before);
		before = m->touched;
	}
	assert_int_equal(n, alive);
	for (uint32_t k = 0; k < KEYS; k++)
		assert_int_equal(get(t, k) != NULL, naive[k].touched != 0);
}

static void random_keys_agree_with_a_naive_model(void **state)
{
	struct table *t = table_new(sizeof(uint64_t), LIMIT);
	uint64_t x = 88172645463325252ull;
	uint32_t alive = 0;
	bool is_new;

	(void)state;
	for (uint64_t step = 1; step <= STEPS; step++) {
		uint32_t k = (uint32_t)(random_next(&x) % KEYS);
		struct naive *m = &naive[k];
		uint64_t *v;

		if (random_next(&x) % 3 == 0) {
			v = get(t, k);
			assert_int_equal(v != NULL, m->touched != 0);
			if (!v)
				continue;
			assert_int_equal(*v, m->value);
			table_remove(t, v);
			m->touched = 0;
			alive--;
			continue;
		}
		v = put(t, k, &is_new);
		assert_int_equal(is_new, m->touched == 0);
		assert_int_equal(v == NULL, is_new && alive == LIMIT);
		if (!v)
			continue;
		alive += is_new;
		*v = m->value = step;
		m->touched = step;
		if (step % 100000 == 0)
			check_all(t, alive);
	}
	check_all(t, alive);
	table_free(t);
}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(each_field_of_a_key_counts),
		cmocka_unit_test(values_of_odd_size_do_not_overlap),
		cmocka_unit_test(values_stay_where_they_are_while_it_grows),
		cmocka_unit_test(each_entry_is_found_while_an_index_moves),
		cmocka_unit_test(a_prepared_look_up_survives_what_comes_between),
		cmocka_unit_test(a_table_may_shrink_while_its_next_index_is_made_ready),
		cmocka_unit_test(freeing_nothing_is_fine),
		cmocka_unit_test(random_keys_agree_with_a_naive_model),
	};
	struct CMUnitTest tests[ARRAY_SIZE(order_cases) + ARRAY_SIZE(single)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(order_cases); i++)
		tests[n++] = (struct CMUnitTest){ .name = order_cases[i].name,
						  .test_func = test_order,
						  .initial_state = (void *)&order_cases[i] };
	memcpy(&tests[n], single, sizeof(single));
	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
