// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* include/reconmon/owner.h: the places of contacts' owners, as the packet path takes them and user
 * space reads them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <reconmon/owner.h>

enum {
	TRIALS = 1000,
	OTHERS = 1000, /* contacts that come in between */
	WRITERS = 2,
	READS = 3000000,
	SOME = 9, /* contacts that want a place in one set: more than it has */
};

/* A contact's hash, of one set. */
static __u64 hash_of(unsigned int i)
{
	return (__u64)(i + 1) << 32;
}

static void put(struct owner_set *set, unsigned int i, __u32 pid)
{
	assert_int_equal(owner_put(set, hash_of(i), &(struct socket_owner){ .pid = pid }), 0);
}

/* The process at that contact; 0: unknown. */
static __u32 pid_at(const struct owner_set *set, unsigned int i)
{
	struct socket_owner o = { .pid = 0 };

	return owner_get(set, hash_of(i), &o) ? o.pid : 0;
}

static void who_came_first_goes_first(void **state)
{
	struct owner_set set = { .turn = 0 };

	(void)state;
	assert_int_equal(pid_at(&set, 0), 0);
	for (unsigned int i = 0; i < OWNER_WAYS; i++)
		put(&set, i, 100 + i);
	for (unsigned int i = 0; i < OWNER_WAYS; i++)
		assert_int_equal(pid_at(&set, i), 100 + i);
	for (unsigned int i = 0; i < 2 * OWNER_WAYS; i++) {
		put(&set, OWNER_WAYS + i, 200 + i);
		assert_int_equal(pid_at(&set, i), 0);
		for (unsigned int k = i + 1; k < OWNER_WAYS + i; k++)
			assert_int_not_equal(pid_at(&set, k), 0);
		assert_int_equal(pid_at(&set, OWNER_WAYS + i), 200 + i);
	}
}

static void who_is_there_takes_no_other_place(void **state)
{
	struct owner_set set = { .turn = 0 };

	(void)state;
	for (unsigned int i = 0; i < OWNER_WAYS; i++)
		put(&set, i, 100 + i);
	for (__u32 n = 0; n < 70000; n++) /* the tag's count wraps */
		put(&set, 3, 1000 + n);
	assert_int_equal(pid_at(&set, 3), 1000 + 69999);
	for (unsigned int i = 0; i < OWNER_WAYS; i++)
		assert_int_not_equal(pid_at(&set, i), 0);
}

static void what_is_being_written_is_unknown(void **state)
{
	struct owner_set set = { .turn = 0 };
	const struct socket_owner o = { .pid = 7 };

	(void)state;
	put(&set, 0, 100);
	put(&set, 1, 101);
	set.tag[0] |= 1;
	assert_int_equal(pid_at(&set, 0), 0);
	assert_int_equal(owner_put(&set, hash_of(0), &o), -1);
	assert_int_equal(pid_at(&set, 1), 101);
	set.tag[0]++; /* that writer is done */
	assert_int_equal(pid_at(&set, 0), 100);
}

static __u64 random_next(__u64 *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* The contact of that number: ports of one host, then the next. */
static __u64 contact_number(__u32 i, const __u64 *seed)
{
	struct contact_key key = { .proto = PROTO_TCP, .resp_port = htons((uint16_t)(i % 100)) };

	key.orig.w[1] = 0x01004d0affff0000;
	key.resp.w[1] = 0x02004d0affff0000 + ((__u64)(i / 100) << 56);
	return owner_hash(&key, seed);
}

static void note(struct owner_set *sets, __u64 hash, __u32 pid)
{
	assert_int_equal(owner_put(&sets[hash & (OWNER_SETS - 1)], hash,
				   &(struct socket_owner){ .pid = pid }),
			 0);
}

/* An alert lists what came long before it opened. */
static void a_thousand_contacts_later_it_is_known(void **state)
{
	static struct owner_set sets[OWNER_SETS];
	__u64 x = 88172645463325252ull, seed[4];

	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		struct socket_owner o;
		__u64 first;

		memset(sets, 0, sizeof(sets));
		for (int i = 0; i < 4; i++)
			seed[i] = random_next(&x) | 1;
		for (__u32 i = 0; i <= OTHERS; i++)
			note(sets, contact_number(i, seed), i + 1);
		first = contact_number(0, seed);
		assert_true(owner_get(&sets[first & (OWNER_SETS - 1)], first, &o));
		assert_int_equal(o.pid, 1);
	}
}

struct shared {
	struct owner_set set;
	atomic_bool ended;
};

static void *write_all(void *ctx)
{
	struct shared *s = ctx;
	__u64 x = (uintptr_t)&x;

	while (!s->ended) {
		unsigned int i = random_next(&x) % SOME;
		const struct socket_owner o = { .start_ns = i, .pid = i, .comm = { (char)i } };

		owner_put(&s->set, hash_of(i), &o);
	}
	return NULL;
}

static void nobody_is_half_of_two(void **state)
{
	static struct shared s;
	pthread_t writer[WRITERS];
	unsigned int known = 0;

	(void)state;
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writer[i], NULL, write_all, &s), 0);
	for (unsigned int n = 0; n < READS || !known; n++) {
		unsigned int i = n % SOME;
		struct socket_owner o;

		if (!owner_get(&s.set, hash_of(i), &o))
			continue;
		known++;
		assert_int_equal(o.start_ns, i);
		assert_int_equal(o.pid, i);
		assert_int_equal(o.comm[0], i);
	}
	s.ended = true;
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writer[i], NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_came_first_goes_first),
		cmocka_unit_test(who_is_there_takes_no_other_place),
		cmocka_unit_test(what_is_being_written_is_unknown),
		cmocka_unit_test(a_thousand_contacts_later_it_is_known),
		cmocka_unit_test(nobody_is_half_of_two),
	};

	return cmocka_run_group_tests_name("owner_set", tests, NULL, NULL);
}
