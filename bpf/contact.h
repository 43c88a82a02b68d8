/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where judged attempts go in the kernel: the LRU maps `contacts` and `sources`, and the ring that
 * wakes the daemon before its tick. */
#ifndef RECONMON_BPF_CONTACT_H
#define RECONMON_BPF_CONTACT_H

#include "maps.h"

/* wake_daemon - one byte through the ring; its content says nothing, the maps do. */
static __always_inline void wake_daemon(struct store *st)
{
	__u8 *event = bpf_ringbuf_reserve(&wakeups, 1, 0);

	if (!event) {
		store_count(st, STAT_WAKE_FAILED);
		return;
	}
	*event = 0;
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	store_count(st, STAT_WAKE);
}

static __always_inline void store_wake(struct store *st)
{
	wake_daemon(st);
}

/* What a new entry starts from; blank ones that the daemon meets say nothing. In .rodata, because
 * the stack has no room for it at the end of the call chain. */
static const struct contact contact_blank = { 0 };

/* contact_merge - adds an attempt to an entry, blank or not. Returns the bits it had before, or -1
 * if the pointer turned out to be another contact's (see struct contact). */
static __always_inline int contact_merge(struct contact *c, const struct contact_key *key,
					 const struct attempt *a, __u32 bits)
{
	__u64 hash = (__u64)contact_hash(key) << CONTACT_HASH_SHIFT;
	__u64 was = LOAD(&c->word);

	if (was && (was ^ hash) >> CONTACT_HASH_SHIFT)
		return -1;
	if ((was & bits) != bits && CAS(&c->word, was, was | hash | bits) != was)
		return -1;
	if (!was) {
		c->ifindex = a->ifindex;
		c->dir = a->dir;
	}
	if (bits & CONTACT_SILENT) {
		__u32 n;

		if (!c->silent_first_ns)
			c->silent_first_ns = a->first_ns;
		c->silent_last_ns = a->first_ns;
		/* Its result is wanted, or it would be no barrier on arm64 (drain_enter()). */
		n = __sync_fetch_and_add(&c->silent, 1);
		OPAQUE(n);
	} else {
		__sync_fetch_and_add(&c->carried, 1);
		if (!c->carried_first_ns)
			c->carried_first_ns = a->first_ns;
		c->carried_last_ns = a->first_ns;
	}
	return (int)CONTACT_BITS(was);
}

/* contact_made - another entry that waits to be drained: the daemon comes before the maps are full,
 * however many CPUs fill them. */
static __always_inline void contact_made(struct store *st)
{
	if (!(++st->stats->n[STAT_CONTACT_NEW] & fill_mask))
		wake_daemon(st);
}

/* drain_now - drain_seq, as it is. */
static __always_inline __u32 drain_now(void)
{
	return *(volatile __u32 *)&drain_seq;
}

/* contact_stayed - was *c still in the map when the attempt was added to it, so that a drain is
 * bound to take both? `seq`: drain_now() of before the first lookup.
 *
 * A drain copies an entry and unlinks it some instructions later, both under its bucket's lock
 * (__htab_map_lookup_and_delete_batch() of kernel/bpf/hashtab.c). What is added in between is lost,
 * and a lookup, which takes no lock, may still find the entry. So if a drain was under way an
 * insertion asks, which takes that lock: if it succeeds the entry is gone, otherwise the addition
 * came before any copy that is yet to be made. Without a drain a lookup tells what was evicted.
 *
 * The insertion takes longer than a lookup would: in tests/bpf/test_stress.c, which drains without
 * a pause, 1.5 of 10,000 attempts are told again that a drain took along all the same, where a
 * lookup alone lost up to one of 100,000. A port that is counted twice changes no distinct count;
 * one that is lost does. */
static __always_inline int contact_stayed(void *map, struct store *st,
					  const struct contact_key *key, const struct contact *c,
					  __u32 seq)
{
	if (drain_met(seq, drain_now()) &&
	    !bpf_map_update_elem(map, key, &contact_blank, BPF_NOEXIST)) {
		contact_made(st);
		return 0;
	}
	return bpf_map_lookup_elem(map, key) == c;
}

/* contact_put - counts a judged attempt at its contact in one of the maps.
 *
 * The entry may be drained or evicted between lookup and write. Of a silent attempt it is asked
 * afterwards whether the entry stayed; if not, it is told again: none is lost, and at worst one
 * counts twice at the same port, if the drain took it along all the same. What carried payload
 * skips that: losing one such note on a race is harmless. Another CPU may insert first (EEXIST):
 * then merge into its entry.
 *
 * Returns the bits that the entry had before, or -1 (counted). */
static __always_inline int contact_put(void *map, struct store *st, const struct contact_key *key,
				       const struct attempt *a, __u32 bits)
{
	for (int try = 0; try < 8; try++) {
		__u32 seq = drain_now();
		struct contact *c = bpf_map_lookup_elem(map, key);
		int had;

		if (!c) {
			if (!bpf_map_update_elem(map, key, &contact_blank, BPF_NOEXIST))
				contact_made(st);
			continue;
		}
		had = contact_merge(c, key, a, bits);
		if (had < 0)
			continue;
		if (!(bits & CONTACT_SILENT) || contact_stayed(map, st, key, c, seq))
			return had;
		store_count(st, STAT_CONTACT_AGAIN);
	}
	store_count(st, STAT_CONTACT_FAILED);
	return -1;
}

/* contact_add - counts a stranger's judged attempt. A global function: the verifier walks it once,
 * not once per caller. Returns 0, or -1 (counted). */
__attribute__((noinline)) int contact_add(struct stats *stats, const struct attempt *a, __u32 bits)
{
	struct store st = { .stats = stats };
	struct contact_key key;

	if (!a || !stats)
		return -1;
	key = contact_key_of(a);
	return contact_put(&contacts, &st, &key, a, bits) < 0 ? -1 : 0;
}

/* contact_add_known - likewise, of who was seen before. Returns 1 if its port was not known to be
 * silent since the last drain. */
__attribute__((noinline)) int contact_add_known(struct stats *stats, const struct attempt *a,
						__u32 bits)
{
	struct store st = { .stats = stats };
	struct contact_key key;
	int had;

	if (!a || !stats)
		return -1;
	key = contact_key_of(a);
	had = contact_put(&contacts_known, &st, &key, a, bits);
	return had < 0 ? -1 : bits & CONTACT_SILENT && !(had & CONTACT_SILENT);
}

/* source_add - one more silent port between two hosts. Wakes the daemon when that reaches the
 * lowest threshold of any rule, and again at each power of two. Only who was seen before comes
 * here, so one port at least is told elsewhere already. The count is of ports that were new since
 * the last drain; the daemon puts the true one back (user/drain.c). A wrong one costs a wake-up,
 * never a probe. Beside contact_add_known() and not within it: the stack is short. Returns 0. */
__attribute__((noinline)) int source_add(struct stats *stats, const struct attempt *a)
{
	struct store st = { .stats = stats };
	struct source two = { .ports = 2 }, *src;
	struct contact_key pair;
	__u64 n = 2;

	if (!a || !stats)
		return 0;
	pair = contact_key_of(a);
	pair.resp_port = 0;
	src = bpf_map_lookup_elem(&sources, &pair);
	if (src)
		n = __sync_fetch_and_add(&src->ports, 1) + 1;
	else if (bpf_map_update_elem(&sources, &pair, &two, BPF_ANY))
		store_count(&st, STAT_SOURCE_FAILED);
	if (n == wake_ports || (n > wake_ports && !(n & (n - 1))))
		wake_daemon(&st);
	return 0;
}

#define ENDED_WAKE 2048 /* a power of two */

/* attempt_ended - hands an attempt to the log, if one is kept. A global function, see
 * contact_add(). Returns 0, or -1 (counted). */
__attribute__((noinline)) int attempt_ended(struct stats *stats, const struct attempt *a,
					    __u32 bits, __u32 state)
{
	struct store st = { .stats = stats };
	struct ended *e;

	if (!a || !stats)
		return -1;
	/* The ring holds 11,900 of them: the daemon comes before it is full, up to five CPUs'. */
	if (!(++st.stats->n[STAT_ENDED] & (ENDED_WAKE - 1)))
		wake_daemon(&st);
	e = bpf_ringbuf_reserve(&ended, sizeof(*e), 0);
	if (!e) {
		store_count(&st, STAT_ENDED_FAILED);
		return -1;
	}
	e->a = *a;
	e->end_ns = bpf_ktime_get_boot_ns();
	e->bits = bits;
	e->state = (__u8)state;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline void store_judged(struct store *st, const struct attempt *a, __u32 bits)
{
	if (!(a->acct & ACCT_KNOWN))
		contact_add(st->stats, a, bits);
	else if (contact_add_known(st->stats, a, bits) == 1)
		source_add(st->stats, a);
}

static __always_inline void store_ended(struct store *st, const struct attempt *a, __u8 state,
					__u32 bits)
{
	if (log_ended == LOG_ALL || (log_ended == LOG_PROBES && bits & CONTACT_SILENT))
		attempt_ended(st->stats, a, bits, state);
}

#endif
