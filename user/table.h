/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A hash table from a group to a value of fixed size that remembers in which order its entries were
 * last touched, so that the oldest can expire or make room.
 *
 * Nodes come in chunks that never move: pointers to values stay good until the entry is removed.
 * 56 bytes an entry beside the value, 4 to 8 for the buckets. Chaining by index, because half-size
 * links matter at a million entries. The hash is seeded at random: addresses are chosen by
 * strangers. Not thread-safe. */
#ifndef RECONMON_TABLE_H
#define RECONMON_TABLE_H

#include <reconmon/packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a rule groups by; fields it does not look at are zero. */
struct group_key {
	struct ip_addr orig, resp;
	uint16_t resp_port; /* host byte order */
	uint8_t proto;
	uint8_t pad;  /* zero */
	uint32_t bin; /* tumbling windows: number of the bin since the epoch */
};
_Static_assert(sizeof(struct group_key) == 40, "hashed whole: no hidden padding");

struct table;

/* table_new - an empty table of values of value_size bytes (zeroed when made), at most max entries
 * (1 or more). Returns NULL for want of memory; free with table_free(). */
struct table *table_new(size_t value_size, uint32_t max);
void table_free(struct table *t); /* NULL is fine; values are the caller's to empty first */

/* table_expect - asks for the memory that a look-up of key will touch: first with near false, some
 * look-ups ahead, then with near true, fewer ahead. Changes nothing; a miss of the cache costs more
 * than all else about a look-up. */
void table_expect(const struct table *t, const struct group_key *key, bool near);

/* table_get - the value of key, or NULL. Does not touch it. */
void *table_get(const struct table *t, const struct group_key *key);

/* table_put - the value of key, made if it is missing (*ret_new, zeroed), touched in any case.
 * NULL if it is missing and the table is full or memory is out: remove table_oldest() and retry. */
void *table_put(struct table *t, const struct group_key *key, bool *ret_new);

/* table_touch - makes an entry the newest. */
void table_touch(struct table *t, void *value);
void table_remove(struct table *t, void *value);

/* table_oldest - the entry untouched for longest, or NULL; table_newer - the next one after it. */
void *table_oldest(const struct table *t);
void *table_newer(const struct table *t, const void *value);

/* table_newest, table_older - the same from the other end. */
void *table_newest(const struct table *t);
void *table_older(const struct table *t, const void *value);

const struct group_key *table_key(const void *value);
uint32_t table_count(const struct table *t);
bool table_full(const struct table *t);
size_t table_bytes(const struct table *t);

#endif
