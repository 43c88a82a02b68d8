/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A hash table from a group to a value of fixed size that remembers in which order its entries were
 * last touched, so that the oldest can expire or make room.
 *
 * No call takes long, however many entries there are: nodes come in chunks that never move
 * (pointers to values stay good until the entry is removed), and a larger index is made ready and
 * filled while the old one is still in use, a few entries a call. 56 bytes an entry beside the
 * value, 11 to 21 for the index, up to 38 while it grows. The hash is seeded at random: addresses
 * are chosen by strangers. Not thread-safe. */
#ifndef RECONMON_TABLE_H
#define RECONMON_TABLE_H

#include <reconmon/packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a rule groups by; fields it does not look at are zero. */
struct group_key {
	struct ip_addr orig, resp;
	union {
		struct {
			uint16_t resp_port; /* host byte order */
			uint8_t proto;
			uint8_t pad;  /* zero */
			uint32_t bin; /* tumbling windows: number of the bin since the epoch */
		};
		uint64_t what; /* all of that */
	};
};
_Static_assert(sizeof(struct group_key) == 40, "hashed whole: no hidden padding");

/* group_what - for a key's `what`, in one piece: a word that is read right after its parts were
 * written makes the processor wait. */
static inline uint64_t group_what(uint16_t resp_port, uint8_t proto, uint32_t bin)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return resp_port | (uint64_t)proto << 16 | (uint64_t)bin << 32;
#else
	return (uint64_t)resp_port << 48 | (uint64_t)proto << 40 | bin;
#endif
}

static inline bool group_same(const struct group_key *a, const struct group_key *b)
{
	return addr_same(&a->orig, &b->orig) && addr_same(&a->resp, &b->resp) && a->what == b->what;
}

struct table;

/* table_new - an empty table of values of value_size bytes (zeroed when made), at most max entries
 * (1 or more). Returns NULL for want of memory; free with table_free(). */
struct table *table_new(size_t value_size, uint32_t max);
void table_free(struct table *t); /* NULL is fine; values are the caller's to empty first */

/* A look-up that is prepared some others ahead, for the functions that take one. Good for one table
 * and one key, however the table changes meanwhile. */
struct table_look {
	uint32_t hash;
	uint32_t within; /* the caller's: where it will look within the value; 0: nowhere */
	void *value;	 /* most likely the key's; NULL: it is still to be searched */
};

/* table_look - begins one. */
struct table_look table_look(const struct table *t, const struct group_key *key);

/* ask_for - has the memory fetched into the cache. The empty statement tells gcc that a function
 * which does nothing else has an effect: its calls would be left out. */
static inline void ask_for(const void *p)
{
	__builtin_prefetch(p, 1);
	__asm__ volatile("");
}

/* table_expect - asks for the memory that it will touch, one step after the other, each for
 * several look-ups: what the step before asked for should have come by then. A miss of the cache
 * costs more than all else about a look-up. */
enum table_step {
	EXPECT_SLOT,
	EXPECT_NODE,
	EXPECT_TOUCH, /* what table_touch() of it needs */
	EXPECT_WITHIN /* what the value points to; nothing to a table */
};
void table_expect(const struct table *t, struct table_look *look, enum table_step step);

/* table_get - the value of key, or NULL. Does not touch it. */
void *table_get(const struct table *t, const struct group_key *key);

/* table_put - the value of key, made if it is missing (*ret_new, zeroed), touched in any case.
 * NULL if it is missing and the table is full or memory is out: remove table_oldest() and retry. */
void *table_put(struct table *t, const struct group_key *key, bool *ret_new);

/* table_get_by - the same with a look-up that is prepared. table_put_by - likewise, but what is
 * there it does not touch: that is two misses of the cache, which the caller may spare. */
void *table_get_by(const struct table *t, const struct table_look *look,
		   const struct group_key *key);
void *table_put_by(struct table *t, const struct table_look *look, const struct group_key *key,
		   bool *ret_new);

/* table_touch - makes an entry the newest. */
void table_touch(struct table *t, void *value);
void table_remove(struct table *t, void *value);

/* table_oldest - the entry untouched for longest, or NULL; table_newer - the next one after it. */
void *table_oldest(const struct table *t);
void *table_newer(const struct table *t, const void *value);

/* table_newest, table_older - the same from the other end. */
void *table_newest(const struct table *t);
void *table_older(const struct table *t, const void *value);

/* table_expect_oldest - asks for the memory that removing what will soon be the oldest will touch;
 * before the oldest, which there is, is removed. */
void table_expect_oldest(const struct table *t);

const struct group_key *table_key(const void *value);

/* table_number - a number that no other entry has at the same time, from 1 on, low ones first. */
uint32_t table_number(const void *value);
uint32_t table_count(const struct table *t);
bool table_full(const struct table *t);
size_t table_bytes(const struct table *t);

#endif
