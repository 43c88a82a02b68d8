// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "alert_values.h"
#include "window.h"

#define KEEP_MAGIC 0x7065656b6e6f6d72ull /* "rmonkeep" */

/* Raise it when what the engine's structures mean changes; their sizes are compared besides. */
#ifndef KEEP_VERSION
#define KEEP_VERSION 1
#endif

enum {
	JOURNAL_BYTES = 1 << 20, /* ten thousand pieces */
	PATIENCE = 4,		 /* times that size, while an output takes nothing */
};

/* In front of everything that is kept here. */
struct head {
	uint64_t magic;
	uint32_t version, sizes; /* KEEP_VERSION, sizes_of() */
	uint64_t epoch;		 /* a journal follows the snapshot of the same number */
};

struct snapshot {
	struct head head;
	uint64_t len;
	uint32_t crc, pad;
	struct keep_tick last; /* before it */
	unsigned char bytes[];
};

enum entry_kind {
	ENTRY_PIECE = 1,
	ENTRY_TICK = 2,
};

struct entry {
	uint64_t kind; /* enum entry_kind */
	union {
		struct piece piece;
		struct keep_tick tick;
	};
};

struct journal {
	struct head head;
	uint64_t entries; /* whole ones */
	uint64_t ticks;	  /* of them */
	uint64_t said;	  /* of those: their alerts have been taken */
	struct entry entry[];
};

/* What a system call writes into. `at`: the journal's entries before its pieces were written, so
 * that a reader knows how many have been since. Keys that are zero are no entries: no responder has
 * that address. */
struct batch {
	struct head head;
	uint64_t at;
	struct contact_key key[KEEP_BATCH];
	struct contact contact[KEEP_BATCH];
};

struct keep {
	struct pin *pin;
	struct batch *batch;
	struct journal *journal;
	size_t batch_len, journal_len;
	uint64_t room; /* entries that the journal has room for */
	uint64_t snapshot_len;
	struct keep_tick last;
	uint64_t lost_sum; /* for the next tick */
	bool recovered;
	struct keep_stats stats;
};

/* The compiler keeps the order of what is written before and after: a process that is killed has
 * written everything up to some line, and nothing behind it. */
#define SETTLE() __asm__ volatile("" ::: "memory")

/* sizes_of - a number that is another where a structure that is kept has another size. */
static uint32_t sizes_of(void)
{
	const uint32_t sizes[] = {
		sizeof(struct piece),
		sizeof(struct keep_tick),
		sizeof(struct rule),
		sizeof(struct window_value),
		sizeof(struct group_key),
		sizeof(struct alert),
		sizeof(struct incident),
		sizeof(struct owner),
		sizeof(struct habit),
		sizeof(struct engine_stats),
		sizeof(struct host_value),
		sizeof(struct alert_values),
		sizeof(struct alert_probes),
		sizeof(struct alert_probe),
		sizeof(struct alertbook_stats),
	};

	return (uint32_t)crc32(0, (const Bytef *)sizes, sizeof(sizes));
}

static struct head head_of(uint64_t epoch)
{
	return (struct head){ KEEP_MAGIC, KEEP_VERSION, sizes_of(), epoch };
}

static bool is_head(const struct head *h)
{
	return h->magic == KEEP_MAGIC && h->version == KEEP_VERSION && h->sizes == sizes_of();
}

/* ---- open, close ---- */

static void use_journal(struct keep *k, struct journal *j, size_t len)
{
	pin_memory_close(k->journal, k->journal_len);
	k->journal = j;
	k->journal_len = len;
	k->room = (len - sizeof(*j)) / sizeof(struct entry);
}

/* new_journal - an empty one, which takes the place of the pinned one. Returns 0 or -errno. */
static int new_journal(struct keep *k, uint64_t epoch)
{
	size_t len;
	struct journal *j = pin_memory(k->pin, "keep_journal", JOURNAL_BYTES, &len);

	if (!j)
		return -errno;
	j->head = head_of(epoch);
	use_journal(k, j, len);
	return 0;
}

static int open_batch(struct keep *k, struct error *err)
{
	k->batch = pin_taken_over(k->pin) ? pin_memory_open(k->pin, "keep_batch", &k->batch_len)
					  : NULL;
	if (k->batch && k->batch_len >= sizeof(*k->batch) && is_head(&k->batch->head))
		return 0;
	pin_memory_close(k->batch, k->batch_len);
	k->batch = pin_memory(k->pin, "keep_batch", sizeof(*k->batch), &k->batch_len);
	if (!k->batch)
		return error_set(err, -errno, EXIT_RUNTIME, "cannot pin memory for windows: %s",
				 strerror(errno));
	k->batch->head = head_of(0);
	return 0;
}

int keep_open(struct pin *pin, struct keep **ret, struct error *err)
{
	struct keep *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for windows");
	k->pin = pin;
	r = open_batch(k, err);
	if (r < 0) {
		keep_close(k);
		return r;
	}
	*ret = k;
	return 0;
}

void keep_close(struct keep *k)
{
	if (!k)
		return;
	pin_memory_close(k->batch, k->batch_len);
	pin_memory_close(k->journal, k->journal_len);
	free(k);
}

/* ---- recovery ---- */

/* load_snapshot - gives it to the engine. Returns 0 with *ret_epoch; -ENOENT if there is none;
 * -EINVAL if it is of no use. */
static int load_snapshot(struct keep *k, struct engine *e, uint64_t *ret_epoch)
{
	size_t len;
	struct snapshot *s = pin_memory_open(k->pin, "keep_snapshot", &len);
	struct blob b;
	int r = -EINVAL;

	if (!s)
		return errno == ENOENT ? -ENOENT : -EINVAL;
	if (is_head(&s->head) && s->len <= len - sizeof(*s) &&
	    crc32(0, s->bytes, (uInt)s->len) == s->crc) {
		b = (struct blob){ .data = s->bytes, .len = s->len };
		r = engine_load(e, &b);
		*ret_epoch = s->head.epoch;
		k->snapshot_len = s->len;
		k->last = s->last;
	}
	pin_memory_close(s, len);
	return r;
}

static int open_journal(struct keep *k, uint64_t epoch)
{
	size_t len;
	struct journal *j = pin_memory_open(k->pin, "keep_journal", &len);

	if (!j && errno == ENOENT) /* killed between a snapshot and its journal */
		return new_journal(k, epoch);
	if (!j)
		return -EINVAL;
	use_journal(k, j, len);
	if (!is_head(&j->head) || j->entries > k->room)
		return -EINVAL;
	/* An older one is in the snapshot already. */
	return j->head.epoch == epoch ? 0 : new_journal(k, epoch);
}

/* replay - the journal's ticks; what comes after the last is left. */
static int replay(struct keep *k, struct engine *e, keep_speak_fn *speak, void *ctx,
		  struct pieces *left)
{
	const struct journal *j = k->journal;
	uint64_t ticks = 0;

	speak(ctx, false);
	for (uint64_t i = 0; i < j->entries; i++) {
		const struct entry *en = &j->entry[i];

		if (en->kind == ENTRY_PIECE) {
			pieces_add(left, &en->piece);
			continue;
		}
		if (en->kind != ENTRY_TICK)
			return -EINVAL;
		if (ticks++ == j->said)
			speak(ctx, true);
		k->last = en->tick;
		engine_clock(e, k->last.wall_offset_ns);
		engine_unfollowed(e, k->last.unfollowed);
		pieces_feed(left, e);
		pieces_clear(left);
		engine_flush(e, k->last.now_ns, k->last.lost);
	}
	k->journal->ticks = ticks;
	speak(ctx, true);
	return 0;
}

static bool is_zero(const struct contact_key *key)
{
	static const struct contact_key zero;

	return !memcmp(key, &zero, sizeof(zero));
}

/* take_batch - what a system call had taken out of the map and nobody has written down. */
static void take_batch(struct keep *k, struct pieces *left)
{
	struct batch *b = k->batch;
	uint64_t entries = k->journal->entries, written = entries > b->at ? entries - b->at : 0;
	uint32_t n = 0;

	for (; n < KEEP_BATCH && !is_zero(&b->key[n]); n++) {
		const struct piece p = { b->key[n], b->contact[n] };

		if (!CONTACT_BITS(p.contact.word))
			continue;
		if (written) { /* those in front have been */
			written--;
			continue;
		}
		pieces_add(left, &p);
		keep_piece(k, &p);
	}
	keep_batch_end(k, n);
}

int keep_recover(struct keep *k, struct engine *e, keep_speak_fn *speak, void *ctx,
		 struct pieces *left, struct keep_tick *last, struct error *err)
{
	uint64_t epoch = 0;
	int r;

	if (!k || !pin_taken_over(k->pin))
		return 0;
	r = load_snapshot(k, e, &epoch);
	if (r == -ENOENT)
		return 0;
	if (!r)
		r = open_journal(k, epoch);
	if (!r)
		r = replay(k, e, speak, ctx, left);
	if (r < 0) {
		pin_memory_drop(k->pin, "keep_snapshot");
		pin_memory_drop(k->pin, "keep_journal");
		return error_set(
			err, r == -ENOMEM ? r : -EINVAL, EXIT_RUNTIME,
			"windows and alerts of the daemon before cannot be read (%s): they "
			"begin empty",
			r == -ENOMEM ? "no memory" : "damaged, or another build's");
	}
	take_batch(k, left);
	*last = k->last;
	k->recovered = true;
	return 1;
}

int keep_begin(struct keep *k, const struct engine *e, struct error *err)
{
	int r = 0;

	if (!k || k->recovered)
		return 0;
	keep_batch_end(k, KEEP_BATCH);
	r = new_journal(k, 0);
	if (!r) {
		keep_turn(k, e, true);
		r = k->stats.snapshots ? 0 : -ENOMEM;
	}
	return r < 0 ? error_set(err, r, EXIT_RUNTIME, "cannot pin memory for windows: %s",
				 strerror(-r))
		     : 0;
}

/* ---- evidence ---- */

struct contact_key *keep_keys(struct keep *k)
{
	return k->batch->key;
}

struct contact *keep_contacts(struct keep *k)
{
	return k->batch->contact;
}

void keep_batch_begin(struct keep *k)
{
	if (!k)
		return;
	k->batch->at = k->journal->entries;
	SETTLE();
}

/* Backwards: as long as the first key is there, all are. */
void keep_batch_end(struct keep *k, uint32_t n)
{
	if (!k)
		return;
	while (n--) {
		memset(&k->batch->key[n], 0, sizeof(k->batch->key[n]));
		SETTLE();
	}
}

/* grow - a journal of twice the size in the place of this one, which stays whole until then. */
static bool grow(struct keep *k)
{
	size_t len, used = sizeof(*k->journal) + k->journal->entries * sizeof(struct entry);
	struct journal *more = pin_memory(k->pin, "keep_journal_next", 2 * k->journal_len, &len);

	if (!more)
		return false;
	memcpy(more, k->journal, used);
	if (pin_memory_rename(k->pin, "keep_journal_next", "keep_journal") < 0) {
		pin_memory_close(more, len);
		return false;
	}
	use_journal(k, more, len);
	return true;
}

static struct entry *entry_next(struct keep *k)
{
	if (k->journal->entries == k->room && !grow(k))
		return NULL;
	return &k->journal->entry[k->journal->entries];
}

static void entry_done(struct keep *k)
{
	SETTLE();
	k->journal->entries++;
	SETTLE();
}

void keep_piece(struct keep *k, const struct piece *piece)
{
	struct entry *en = k ? entry_next(k) : NULL;

	if (!k)
		return;
	if (!en) {
		k->stats.unkept++;
		return;
	}
	en->kind = ENTRY_PIECE;
	en->piece = *piece;
	entry_done(k);
	k->stats.pieces++;
}

void keep_piece_undo(struct keep *k)
{
	if (!k || !k->journal->entries ||
	    k->journal->entry[k->journal->entries - 1].kind != ENTRY_PIECE)
		return;
	k->journal->entries--;
	SETTLE();
}

/* was_idle - the two newest entries are ticks: nothing lies between them. */
static bool was_idle(const struct journal *j)
{
	return j->entries > 1 && j->entry[j->entries - 1].kind == ENTRY_TICK &&
	       j->entry[j->entries - 2].kind == ENTRY_TICK;
}

/* tick_over - an idle tick takes the place of the one before: as long as nothing is seen nothing
 * grows, and to be told once that time has passed is as good as twice. */
static void tick_over(struct keep *k)
{
	struct journal *j = k->journal;
	struct keep_tick *before = &j->entry[j->entries - 1].tick;

	k->last.lost |= before->lost;
	k->last.unfollowed += before->unfollowed;
	if (j->said == j->ticks)
		j->said--;
	SETTLE();
	*before = k->last;
	SETTLE();
}

void keep_tick(struct keep *k, const struct keep_tick *tick)
{
	struct entry *en;

	if (!k)
		return;
	k->last = *tick;
	k->last.lost_sum = k->lost_sum;
	if (was_idle(k->journal)) {
		tick_over(k);
		return;
	}
	en = entry_next(k);
	if (!en) {
		k->stats.unkept++;
		return;
	}
	en->kind = ENTRY_TICK;
	en->tick = k->last;
	k->journal->ticks++; /* one too many for a moment: what is said twice is known by its id */
	entry_done(k);
}

void keep_lost(struct keep *k, uint64_t sum)
{
	if (k)
		k->lost_sum = sum;
}

void keep_said(struct keep *k)
{
	if (k)
		k->journal->said = k->journal->ticks;
}

bool keep_is_said(const struct keep *k)
{
	return !k || k->journal->said == k->journal->ticks;
}

/* ---- snapshots ---- */

/* turn_over - the journal begins anew behind the snapshot `epoch`. Its number comes last: until
 * then it is an older one, which nobody reads. One that has grown gives its memory back. */
static void turn_over(struct keep *k, uint64_t epoch)
{
	if (k->journal_len > JOURNAL_BYTES && !new_journal(k, epoch))
		return;
	k->journal->entries = 0;
	k->journal->ticks = 0;
	k->journal->said = 0;
	SETTLE();
	k->journal->head.epoch = epoch;
	SETTLE();
}

/* snapshot - writes all that the engine knows, then begins another journal. Killed in between, the
 * next daemon finds the old journal's number and knows that it is in the snapshot. */
static void snapshot(struct keep *k, const struct engine *e)
{
	uint64_t epoch = k->journal->head.epoch + 1;
	struct blob b = { 0 };
	struct snapshot *s = NULL;
	size_t len;

	engine_save(e, &b);
	if (!b.failed)
		s = pin_memory(k->pin, "keep_snapshot_next", sizeof(*s) + b.len, &len);
	if (s) {
		s->head = head_of(epoch);
		s->len = b.len;
		s->crc = (uint32_t)crc32(0, b.data, (uInt)b.len);
		s->last = k->last;
		memcpy(s->bytes, b.data, b.len);
		if (!pin_memory_rename(k->pin, "keep_snapshot_next", "keep_snapshot")) {
			turn_over(k, epoch);
			k->stats.snapshots++;
			k->snapshot_len = b.len;
		}
		pin_memory_close(s, len);
	}
	blob_done(&b);
}

void keep_turn(struct keep *k, const struct engine *e, bool now)
{
	uint64_t used, due;

	if (!k)
		return;
	used = k->journal->entries * sizeof(struct entry);
	due = k->snapshot_len > JOURNAL_BYTES / 2 ? k->snapshot_len : JOURNAL_BYTES / 2;
	if (now || (used >= due && keep_is_said(k)) || used >= PATIENCE * due)
		snapshot(k, e);
}

void keep_stats_get(const struct keep *k, struct keep_stats *ret)
{
	*ret = (struct keep_stats){ 0 };
	if (!k)
		return;
	*ret = k->stats;
	ret->bytes = k->batch_len + k->journal_len + k->snapshot_len;
}
