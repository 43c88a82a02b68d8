// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "drain.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <reconmon/drain_seq.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attempt_log.h"
#include "keep.h"
#include "store_maps.h"

/* Entries a batch call takes. A bucket of the map must fit whole (ENOSPC otherwise); buckets hold a
 * handful. */
enum {
	BATCH = KEEP_BATCH,

	/* Pieces that the engine gets at once. Each takes a third of a microsecond to three, and
	 * any may be the one for which a huge page is cleared. */
	SLICE = 256,
};

struct drain {
	const struct bpf_side *bpf;
	struct sweep *sweep;
	struct engine *engine;
	struct contact_key *keys; /* BATCH each: what a batch call fills; ours, or the keep's */
	struct contact *contacts;
	struct keep *keep;	   /* NULL: nothing outlives us */
	bool noted;		   /* the last report of the sweep has become a piece */
	struct owners *owners;	   /* NULL: nobody knows */
	struct pieces pieces;	   /* this tick's evidence */
	struct attempt_log *log;   /* NULL: nobody keeps one */
	struct ring_buffer *ended; /* its rows from the kernel */
	int64_t wall_offset_ns;	   /* of this tick */
	uint64_t now_ns;	   /* likewise */
	bool lost;		   /* likewise */
	uint64_t unfollowed;	   /* likewise */
	struct drain_stats stats;
};

uint64_t clock_boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int64_t clock_wall_offset_ns(uint64_t boot_ns)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - (int64_t)boot_ns;
}

int drain_open(const struct bpf_side *b, struct sweep *sweep, struct engine *engine,
	       struct drain **ret, struct error *err)
{
	struct drain *d = calloc(1, sizeof(*d));

	if (!d)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory to drain the maps");
	d->bpf = b;
	d->sweep = sweep;
	d->engine = engine;
	d->keys = calloc(BATCH, sizeof(*d->keys));
	d->contacts = calloc(BATCH, sizeof(*d->contacts));
	if (!d->keys || !d->contacts) {
		drain_close(d);
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory to drain the maps");
	}
	*ret = d;
	return 0;
}

void drain_close(struct drain *d)
{
	if (!d)
		return;
	ring_buffer__free(d->ended);
	if (!d->keep) {
		free(d->keys);
		free(d->contacts);
	}
	pieces_done(&d->pieces);
	free(d);
}

void drain_owners(struct drain *d, struct owners *owners)
{
	d->owners = owners;
	engine_owners(d->engine, owners);
}

void drain_keep(struct drain *d, struct keep *keep, struct pieces *left,
		const struct keep_tick *last)
{
	if (!keep)
		return;
	free(d->keys);
	free(d->contacts);
	d->keep = keep;
	d->keys = keep_keys(keep);
	d->contacts = keep_contacts(keep);
	d->pieces = *left;
	*left = (struct pieces){ 0 };
	if (last) {
		d->stats.contacts = last->taken;
		d->stats.evicted = last->evicted;
	}
}

/* note - the newest piece is written down, unless there was no memory for it. */
static void note(struct drain *d, size_t before)
{
	d->noted = d->pieces.n > before;
	if (d->noted)
		keep_piece(d->keep, &d->pieces.piece[before]);
}

static void on_ended(void *ctx, const struct ended *e)
{
	struct drain *d = ctx;

	attempt_log_add(d->log, e, d->wall_offset_ns, d->owners);
}

static int on_ended_event(void *ctx, void *data, size_t len)
{
	if (len >= sizeof(struct ended))
		on_ended(ctx, data);
	return 0;
}

int drain_log(struct drain *d, struct attempt_log *log, struct error *err)
{
	d->ended = ring_buffer__new(bpf_map__fd(d->bpf->skel->maps.ended), on_ended_event, d, NULL);
	if (!d->ended)
		return error_set(err, -errno, EXIT_RUNTIME, "cannot read the log of attempts: %s",
				 strerror(errno));
	d->log = log;
	return 0;
}

static void take_batch(struct drain *d, bool known, uint32_t n)
{
	d->stats.contacts += n;
	for (uint32_t i = 0; i < n; i++) {
		size_t before = d->pieces.n;

		if (!CONTACT_BITS(d->contacts[i].word))
			continue; /* made but not written yet; its writer makes it again */
		d->contacts[i].known = known;
		pieces_add_contact(&d->pieces, &d->keys[i], &d->contacts[i]);
		note(d, before);
	}
	keep_batch_end(d->keep, n);
}

/* Empties a map. Entries made while this runs are taken now or at the next tick; the number of
 * rounds is bounded, so that a flood cannot keep us here. */
static void take_contacts(struct drain *d, const struct bpf_map *map, bool known)
{
	uint32_t limit = bpf_map__max_entries(map) / BATCH + 1, cursor = 0;
	int fd = bpf_map__fd(map);

	for (uint32_t round = 0; round < limit; round++) {
		LIBBPF_OPTS(bpf_map_batch_opts, opts);
		uint32_t n = BATCH;
		int r;

		keep_batch_begin(d->keep);
		r = bpf_map_lookup_and_delete_batch(fd, round ? &cursor : NULL, &cursor, d->keys,
						    d->contacts, &n, &opts);
		if (r && r != -ENOENT) { /* ENOENT: the end, n entries are good */
			d->stats.errors++;
			return;
		}
		take_batch(d, known, n);
		if (r)
			return;
	}
}

static void on_ripe(void *ctx, const struct attempt *a, uint32_t bits)
{
	struct drain *d = ctx;

	size_t before = d->pieces.n;

	pieces_add_attempt(&d->pieces, a, bits);
	note(d, before);
}

static void on_undo(void *ctx)
{
	struct drain *d = ctx;

	if (!d->noted)
		return;
	d->noted = false;
	d->pieces.n--;
	keep_piece_undo(d->keep);
}

static struct sweep_out sweep_out_of(struct drain *d)
{
	return (struct sweep_out){ on_ripe, on_undo, d->log ? on_ended : NULL, d };
}

/* Tells the kernel how many ports a pair really has in the window, so that its next wake-up comes
 * at the threshold and not at a count that expired or counted a port twice. */
static void correct_source(struct drain *d, const struct piece *p, uint64_t now_ns)
{
	struct contact_key pair = p->key;
	struct source src = { .ports = engine_pair_ports(d->engine, &p->key, now_ns) };

	pair.resp_port = 0;
	bpf_map_update_elem(bpf_map__fd(d->bpf->skel->maps.sources), &pair, &src, BPF_ANY);
}

/* Everything made before this drain is taken by now, or was pushed out. Never less than before:
 * what was made during the drain may be among the taken. */
static void note_evicted(struct drain *d, uint64_t made)
{
	if (made > d->stats.contacts && made - d->stats.contacts > d->stats.evicted)
		d->stats.evicted = made - d->stats.contacts;
}

static bool is_same_pair(const struct contact_key *a, const struct contact_key *b)
{
	return addr_same(&a->resp, &b->resp) && addr_same(&a->orig, &b->orig) &&
	       a->proto == b->proto;
}

/* For each pair of hosts between which something in these pieces was silent, if the kernel counts
 * for it: strangers begin at two when they come again. */
static void correct_sources(struct drain *d, size_t from, size_t end)
{
	const struct pieces *all = &d->pieces;
	uint32_t seen = 0; /* CONTACT_* of the row so far */

	for (size_t i = from; i < end; i++) {
		const struct piece *p = pieces_at(all, i);

		seen |= p->contact.known ? CONTACT_BITS(p->contact.word) : 0;
		/* A scan's pieces mostly come in a row: one call for all of them. */
		if (i + 1 < end && is_same_pair(&p->key, &pieces_at(all, i + 1)->key))
			continue;
		if (seen & CONTACT_SILENT)
			correct_source(d, p, d->now_ns);
		seen = 0;
	}
}

/* Who was silent, before the engine knows whether that is an alert: by then he may be gone. */
static void meet_owners(struct drain *d, uint64_t now_ns)
{
	owners_tick(d->owners, now_ns);
	for (size_t i = 0; i < d->pieces.n; i++) {
		const struct piece *p = &d->pieces.piece[i];

		if (CONTACT_BITS(p->contact.word) & CONTACT_SILENT)
			owners_meet(d->owners, &p->key, &p->contact);
	}
}

/* note_tick - all that this tick knows is written down, before the engine sees it. */
static void note_tick(struct drain *d, uint64_t now_ns, bool lost)
{
	const struct keep_tick tick = {
		.now_ns = now_ns,
		.wall_offset_ns = d->wall_offset_ns,
		.taken = d->stats.contacts,
		.evicted = d->stats.evicted,
		.lost = lost,
		.unfollowed = d->unfollowed,
	};

	keep_tick(d->keep, &tick);
}

void drain_unfollowed(struct drain *d, uint64_t n)
{
	d->unfollowed = n;
	engine_unfollowed(d->engine, n);
}

void drain_begin(struct drain *d, uint64_t now_ns, int64_t wall_offset_ns, uint64_t made, bool lost)
{
	const struct sweep_out out = sweep_out_of(d);

	d->stats.ticks++;
	d->wall_offset_ns = wall_offset_ns;
	d->now_ns = now_ns;
	d->lost = lost;
	engine_clock(d->engine, wall_offset_ns);
	d->stats.last = d->stats.contacts;
	drain_enter(&d->bpf->skel->bss->drain_seq);
	take_contacts(d, d->bpf->skel->maps.contacts, false);
	take_contacts(d, d->bpf->skel->maps.contacts_known, true);
	drain_leave(&d->bpf->skel->bss->drain_seq);
	d->stats.last = d->stats.contacts - d->stats.last;
	note_evicted(d, made);
	sweep_run(d->sweep, now_ns, &out);
	note_tick(d, now_ns, lost);
	if (d->owners)
		meet_owners(d, now_ns);
	pieces_sort(&d->pieces);
}

bool drain_some(struct drain *d)
{
	size_t from = d->pieces.fed;
	bool more = pieces_feed_some(&d->pieces, d->engine, SLICE);

	correct_sources(d, from, d->pieces.fed);
	if (more || engine_judge_some(d->engine, SLICE))
		return true;
	engine_flush(d->engine, d->now_ns, d->lost);
	pieces_clear(&d->pieces);
	if (d->log) {
		ring_buffer__consume(d->ended);
		attempt_log_flush(d->log);
	}
	return false;
}

void drain_tick(struct drain *d, uint64_t now_ns, int64_t wall_offset_ns, uint64_t made, bool lost)
{
	drain_begin(d, now_ns, wall_offset_ns, made, lost);
	while (drain_some(d))
		;
}

void drain_last(struct drain *d)
{
	const struct sweep_out out = sweep_out_of(d);

	sweep_last(d->sweep, &out);
	attempt_log_flush(d->log);
}

void drain_stats_get(const struct drain *d, struct drain_stats *ret)
{
	*ret = d->stats;
	ret->no_memory = d->pieces.no_memory;
}
