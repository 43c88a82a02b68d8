// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "habit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define NS_PER_S 1000000000ll
#define NS_PER_M (60 * NS_PER_S)

/* What comes closer together is one sighting: retries, several attempts of one check, and forty
 * backends checked in a row. */
#define SIGHTING_NS (5 * NS_PER_S)

#define RUN_MIN_NS   NS_PER_M	     /* no habit is made of a burst */
#define PAUSE_LONG   (3 * NS_PER_M)  /* from here on three rounds are enough, below it takes six: */
#define PAUSE_MAX_NS (75 * NS_PER_M) /* an hour and its jitter */
#define FORGET_NS    (7 * 24 * 60 * NS_PER_M) /* a host that was off for a week has new habits */

enum {
	ROUNDS = 6,
	ROUNDS_LONG = 3,
	ONCE_MIN = 1024,
};

/* The unit in which a single sighting is remembered: it tells times within
 * six years apart. */
#define ONCE_UNIT_NS (NS_PER_S / 10)

/* Something that was seen once, and will mostly never be seen again: eight bytes of a filter, found
 * by a hash of the key, are all that it gets. Where two meet, the later one stays. */
struct once {
	uint32_t tag;	/* the rest of that hash; 0: free */
	uint32_t units; /* when */
};

/* Candidates apart from habits: a scan of thousands of ports that is repeated makes thousands of
 * candidates, and may not push out a single habit. */
struct habits {
	struct table *ready, *candidates;
	struct once *once;
	uint32_t once_mask;
	uint64_t changed;
	struct habits_stats stats;
};

const char *habit_kind_name(enum habit_kind kind)
{
	static const char *const names[HABIT_KIND_MAX] = {
		[HABIT_CONTACT] = "contact",
		[HABIT_SERVICE] = "service",
		[HABIT_PROGRAM] = "program",
	};

	return names[kind];
}

struct habits *habits_new(uint32_t max)
{
	struct habits *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->once_mask = ONCE_MIN - 1;
	while (h->once_mask < max)
		h->once_mask = 2 * h->once_mask + 1;
	h->once = calloc(h->once_mask + 1ul, sizeof(*h->once));
	h->ready = table_new(sizeof(struct habit), max);
	h->candidates = table_new(sizeof(struct habit), max);
	if (!h->once || !h->ready || !h->candidates) {
		habits_free(h);
		return NULL;
	}
	return h;
}

void habits_free(struct habits *h)
{
	if (!h)
		return;
	table_free(h->ready);
	table_free(h->candidates);
	free(h->once);
	free(h);
}

/* --- what a habit is of --- */

_Static_assert(sizeof(struct ip_addr) == OWNER_COMM_LEN,
	       "a program's name takes the originator's place");

/* A group_key has no field for the kind, but one for bins, of which habits have none. */
static struct group_key key_of(const struct habit_id *id)
{
	struct group_key k = {
		.orig = id->orig,
		.resp = id->resp,
		.resp_port = id->port,
		.proto = id->proto,
		.bin = id->kind,
	};

	if (id->kind == HABIT_PROGRAM) {
		memcpy(&k.orig, id->program, sizeof(k.orig));
		k.resp.w[0] = id->uid;
	}
	return k;
}

static struct habit_id id_of(const struct group_key *k)
{
	struct habit_id id = {
		.kind = (enum habit_kind)k->bin,
		.orig = k->orig,
		.resp = k->resp,
		.port = k->resp_port,
		.proto = k->proto,
	};

	if (id.kind == HABIT_PROGRAM) {
		memcpy(id.program, &k->orig, sizeof(k->orig));
		id.uid = (uint32_t)k->resp.w[0];
		memset(&id.orig, 0, sizeof(id.orig));
		memset(&id.resp, 0, sizeof(id.resp));
	}
	return id;
}

/* contact_id - what a contact is as a habit of that kind: key_of() of it, at once. Returns false if
 * it is none: of a program whose name is guessed, or of nobody's. */
static bool contact_id(enum habit_kind kind, const struct contact_key *key, const struct owner *who,
		       struct group_key *ret)
{
	*ret = (struct group_key){ .what = group_what(ntohs(key->resp_port), key->proto, kind) };
	if (kind == HABIT_PROGRAM) {
		if (!who || who->source != OWNER_COOKIE || !who->name[0])
			return false;
		memcpy(&ret->orig, who->name, sizeof(ret->orig));
		ret->resp.w[0] = who->uid;
		return true;
	}
	ret->orig = key->orig;
	if (kind == HABIT_CONTACT)
		ret->resp = key->resp;
	return true;
}

/* --- learning --- */

static void begin(struct habit *b, int64_t t)
{
	*b = (struct habit){ .since_ns = t, .last_ns = t, .seen = 1 };
}

/* Has it gone on for long enough, measured by its longest pause? */
static bool is_steady(const struct habit *b)
{
	int64_t run = b->last_ns - b->since_ns;
	int rounds = b->pause_ns < PAUSE_LONG ? ROUNDS : ROUNDS_LONG;

	/* Half a pause less, for the jitter of the longest. */
	return run >= RUN_MIN_NS && 2 * run >= (2 * rounds - 1) * b->pause_ns;
}

/* A sighting of a candidate. Late evidence, which comes out of order, is as good as none. */
static void observe(struct habit *b, int64_t t)
{
	int64_t pause = t - b->last_ns;

	if (pause < SIGHTING_NS)
		return;
	if (pause > PAUSE_MAX_NS) {
		begin(b, t);
		return;
	}
	if (pause > b->pause_ns)
		b->pause_ns = pause;
	b->last_ns = t;
	b->seen++;
}

/* room_for - the entry of key, the oldest making room; NULL for want of memory. */
static struct habit *room_for(struct table *t, const struct group_key *key, uint64_t *evicted,
			      bool *ret_new)
{
	struct habit *b = table_put(t, key, ret_new);

	if (!b && table_full(t)) {
		table_remove(t, table_oldest(t));
		++*evicted;
		b = table_put(t, key, ret_new);
	}
	return b;
}

static void promote(struct habits *h, const struct group_key *key, struct habit *candidate)
{
	bool is_new;
	struct habit *b = room_for(h->ready, key, &h->stats.evicted, &is_new);

	if (!b)
		return;
	*b = *candidate;
	b->ready = true;
	b->ready_ns = b->last_ns;
	table_remove(h->candidates, candidate);
	h->stats.learnt++;
	h->changed++;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 x = (unsigned __int128)a * b;

	return (uint64_t)x ^ (uint64_t)(x >> 64);
}

/* hash_of - digits of pi in between, or a word of zeroes would swallow the other. */
static uint64_t hash_of(const struct group_key *key)
{
	return fold(fold(key->orig.w[0] ^ 0x243F6A8885A308D3, key->orig.w[1] ^ 0x13198A2E03707344) ^
			    key->what,
		    fold(key->resp.w[0] ^ 0xA4093822299F31D0, key->resp.w[1] ^ 0x082EFA98EC4E6C89) ^
			    0x452821E638D01377);
}

void habits_expect(const struct habits *h, const struct contact_key *key)
{
	struct group_key k;

	for (enum habit_kind kind = HABIT_CONTACT; kind <= HABIT_SERVICE; kind++) {
		contact_id(kind, key, NULL, &k);
		ask_for(&h->once[hash_of(&k) & h->once_mask]);
	}
}

/* seen_before - whether what is no candidate yet was seen before, and in *ret_t when; else that is
 * remembered. */
static bool seen_before(struct habits *h, const struct group_key *key, int64_t t, int64_t *ret_t)
{
	uint64_t hash = hash_of(key);
	struct once *o = &h->once[hash & h->once_mask];
	uint32_t tag = (uint32_t)(hash >> 32) | 1, units = (uint32_t)(t / ONCE_UNIT_NS);
	int64_t ago = (int32_t)(units - o->units) * ONCE_UNIT_NS;

	if (o->tag == tag && ago < 0) /* late */
		return false;
	if (o->tag == tag && ago <= PAUSE_MAX_NS) {
		*ret_t = t - ago;
		return true;
	}
	h->stats.overlooked += o->tag && o->tag != tag && ago <= PAUSE_MAX_NS;
	*o = (struct once){ tag, units };
	return false;
}

/* candidate_of - the candidate that a key is, or becomes with its second sighting; NULL if it is
 * none. */
static struct habit *candidate_of(struct habits *h, const struct group_key *key, int64_t t)
{
	struct habit *b = table_get(h->candidates, key);
	int64_t first;
	bool is_new;

	if (!b) {
		if (!seen_before(h, key, t, &first) || t - first < SIGHTING_NS)
			return NULL;
		b = room_for(h->candidates, key, &h->stats.overlooked, &is_new);
		if (b)
			begin(b, first);
		return b;
	}
	table_touch(h->candidates, b);
	return b;
}

static void see_one(struct habits *h, const struct group_key *key, int64_t t)
{
	struct habit *b = table_get(h->ready, key);

	if (b) {
		if (t - b->last_ns < SIGHTING_NS)
			return;
		b->last_ns = t;
		b->seen++;
		h->changed++;
		table_touch(h->ready, b);
		return;
	}
	b = candidate_of(h, key, t);
	if (!b)
		return;
	observe(b, t);
	if (is_steady(b))
		promote(h, key, b);
}

void habits_see(struct habits *h, const struct contact_key *key, const struct owner *who,
		uint64_t first_ns, uint64_t last_ns)
{
	struct group_key k;

	for (enum habit_kind kind = HABIT_CONTACT; kind < HABIT_KIND_MAX; kind++) {
		if (!contact_id(kind, key, who, &k))
			continue;
		see_one(h, &k, (int64_t)first_ns);
		if (last_ns > first_ns)
			see_one(h, &k, (int64_t)last_ns);
	}
}

/* --- asking --- */

static bool excuses(const struct habit *b, uint64_t t_ns, uint64_t span_ns)
{
	return b && (b->said || (int64_t)t_ns - b->ready_ns >= (int64_t)span_ns);
}

bool habits_excuse(const struct habits *h, const struct contact_key *key, const struct owner *who,
		   uint64_t t_ns, uint64_t span_ns, bool contact_only)
{
	enum habit_kind last = contact_only ? HABIT_CONTACT : HABIT_PROGRAM;
	struct group_key k;

	if (!table_count(h->ready))
		return false;
	for (enum habit_kind kind = HABIT_CONTACT; kind <= last; kind++)
		if (contact_id(kind, key, who, &k) &&
		    excuses(table_get(h->ready, &k), t_ns, span_ns))
			return true;
	return false;
}

void habits_note_excused(struct habits *h, const struct contact_key *key, const struct owner *who)
{
	struct group_key k;

	for (enum habit_kind kind = HABIT_CONTACT; kind < HABIT_KIND_MAX; kind++) {
		struct habit *b = contact_id(kind, key, who, &k) ? table_get(h->ready, &k) : NULL;

		if (b)
			b->excused += b->excused < UINT32_MAX;
	}
}

void habits_say(struct habits *h, const struct contact_key *key, const struct owner *who)
{
	struct group_key k;

	for (enum habit_kind kind = HABIT_CONTACT; kind < HABIT_KIND_MAX; kind++) {
		struct habit *b;

		if (!contact_id(kind, key, who, &k))
			continue;
		b = table_get(h->ready, &k);
		if (!b)
			b = table_get(h->candidates, &k);
		if (b)
			b->said = true;
	}
}

void habits_expire(struct habits *h, uint64_t now_ns)
{
	struct habit *b;

	while ((b = table_oldest(h->ready)) && (int64_t)now_ns - b->last_ns > FORGET_NS) {
		table_remove(h->ready, b);
		h->changed++;
	}
	while ((b = table_oldest(h->candidates)) && (int64_t)now_ns - b->last_ns > PAUSE_MAX_NS)
		table_remove(h->candidates, b);
}

void habits_each(const struct habits *h,
		 void (*fn)(void *ctx, const struct habit_id *id, const struct habit *b), void *ctx)
{
	for (const struct habit *b = table_oldest(h->ready); b; b = table_newer(h->ready, b)) {
		struct habit_id id = id_of(table_key(b));

		fn(ctx, &id, b);
	}
}

int habits_put(struct habits *h, const struct habit_id *id, const struct habit *b)
{
	struct group_key k = key_of(id);
	struct habit *mine;
	bool is_new;

	if (id->kind < HABIT_CONTACT || id->kind >= HABIT_KIND_MAX || b->since_ns > b->last_ns)
		return -EINVAL;
	mine = table_put(h->ready, &k, &is_new);
	if (!mine)
		return table_full(h->ready) ? -ENOSPC : -ENOMEM;
	*mine = *b;
	mine->ready = true;
	return 0;
}

void habits_clear(struct habits *h)
{
	for (struct habit *b; (b = table_oldest(h->ready));)
		table_remove(h->ready, b);
}

uint64_t habits_changed(const struct habits *h)
{
	return h->changed;
}

void habits_stats_get(const struct habits *h, struct habits_stats *ret)
{
	*ret = h->stats;
	ret->live = table_count(h->ready);
	ret->candidates = table_count(h->candidates);
	ret->bytes = table_bytes(h->ready) + table_bytes(h->candidates);
}

/* --- over a restart --- */

static void pack_table(const struct table *t, struct blob *b)
{
	blob_put_u32(b, table_count(t));
	for (const struct habit *h = table_oldest(t); h; h = table_newer(t, h)) {
		blob_put(b, table_key(h), sizeof(struct group_key));
		blob_put(b, h, sizeof(*h));
	}
}

void habits_pack(const struct habits *h, struct blob *b)
{
	uint32_t used = 0;

	blob_put(b, &h->stats, sizeof(h->stats));
	pack_table(h->ready, b);
	pack_table(h->candidates, b);
	for (uint32_t i = 0; i <= h->once_mask; i++)
		used += h->once[i].tag != 0;
	blob_put_u32(b, h->once_mask);
	blob_put_u32(b, used);
	for (uint32_t i = 0; i <= h->once_mask; i++) {
		if (!h->once[i].tag)
			continue;
		blob_put_u32(b, i);
		blob_put(b, &h->once[i], sizeof(h->once[i]));
	}
}

static int unpack_table(struct table *t, struct blob *b)
{
	uint32_t n;

	for (struct habit *old; (old = table_oldest(t));)
		table_remove(t, old);
	n = blob_get_u32(b);
	for (uint32_t i = 0; i < n && !b->failed; i++) {
		struct group_key key;
		struct habit one, *mine;
		uint64_t evicted = 0;
		bool is_new;

		blob_get(b, &key, sizeof(key));
		if (!blob_get(b, &one, sizeof(one)) || key.bin < HABIT_CONTACT ||
		    key.bin >= HABIT_KIND_MAX)
			return -EINVAL;
		mine = room_for(t, &key, &evicted, &is_new);
		if (!mine)
			return -ENOMEM;
		*mine = one;
	}
	return b->failed ? -EINVAL : 0;
}

int habits_unpack(struct habits *h, struct blob *b)
{
	uint32_t mask, used;
	int r;

	blob_get(b, &h->stats, sizeof(h->stats));
	r = unpack_table(h->ready, b);
	if (!r)
		r = unpack_table(h->candidates, b);
	if (r < 0)
		return r;
	mask = blob_get_u32(b);
	used = blob_get_u32(b);
	for (uint32_t i = 0; i < used && !b->failed; i++) {
		uint32_t at = blob_get_u32(b);
		struct once o;

		/* With another limit they have other places: what was seen once is forgotten. */
		if (blob_get(b, &o, sizeof(o)) && mask == h->once_mask && at <= mask)
			h->once[at] = o;
	}
	h->changed++;
	return b->failed ? -EINVAL : 0;
}
