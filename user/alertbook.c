// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "alertbook.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert_probes.h"
#include "alert_values.h"
#include "run_id.h"

/* An open alert and what it has said so far. */
struct entry {
	struct alert alert;
	bool spoken; /* `open` is out */
	bool dirty;  /* in the list of those that may have something to say: */
	struct entry *prev, *next;
	uint32_t said_count;
	uint8_t said_answers; /* set of 1 << enum answer */
	struct alert_values values;
	size_t bytes; /* of them, as counted in the book */
	struct alert_probes probes;
};

struct alertbook {
	struct table *entries; /* oldest news first */
	struct entry *dirty;
	struct alertbook_limits limits;
	size_t bytes; /* of what all alerts list */
	alertbook_emit_fn *emit;
	void *ctx;
	uint32_t run;	     /* run_id(); 0: no alert has been yet */
	uint32_t serial;     /* of the next alert */
	uint64_t unfollowed; /* since the last call but one of alertbook_unfollowed() */
	int64_t wall_offset_ns;
	struct alertbook_stats stats;
};

struct alertbook *alertbook_new(const struct alertbook_limits *limits, alertbook_emit_fn *emit,
				void *ctx)
{
	struct alertbook *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->limits = *limits;
	b->entries = table_new(sizeof(struct entry), limits->alerts);
	if (!b->entries) {
		free(b);
		return NULL;
	}
	b->emit = emit;
	b->ctx = ctx;
	return b;
}

static void mark_clean(struct alertbook *b, struct entry *e)
{
	if (!e->dirty)
		return;
	*(e->prev ? &e->prev->next : &b->dirty) = e->next;
	if (e->next)
		e->next->prev = e->prev;
	e->dirty = false;
}

static void mark_dirty(struct alertbook *b, struct entry *e)
{
	if (e->dirty)
		return;
	e->dirty = true;
	e->prev = NULL;
	e->next = b->dirty;
	if (e->next)
		e->next->prev = e;
	b->dirty = e;
}

static void entry_drop(struct alertbook *b, struct entry *e)
{
	mark_clean(b, e);
	b->bytes -= e->bytes;
	alert_values_done(&e->values, &e->alert);
	alert_probes_done(&e->probes);
	owner_unref(e->alert.owner);
	table_remove(b->entries, e);
}

void alertbook_free(struct alertbook *b)
{
	if (!b)
		return;
	for (struct entry *e; (e = table_oldest(b->entries));)
		entry_drop(b, e);
	table_free(b->entries);
	free(b);
}

void alertbook_clock(struct alertbook *b, int64_t wall_offset_ns)
{
	b->wall_offset_ns = wall_offset_ns;
}

struct alert *alertbook_get(const struct alertbook *b, const struct group_key *key)
{
	struct entry *e = table_get(b->entries, key);

	return e ? &e->alert : NULL;
}

static struct entry *entry_of(struct alert *a)
{
	return (struct entry *)a; /* its first member */
}

static void entry_close(struct alertbook *b, struct entry *e)
{
	if (e->spoken) {
		b->stats.closed++;
		b->emit(b->ctx, &e->alert, ALERT_CLOSE);
	}
	entry_drop(b, e);
}

static void entry_speak(struct alertbook *b, struct entry *e)
{
	uint8_t answers = alert_values_answers(&e->values, &e->alert);
	enum alert_state state = e->spoken ? ALERT_UPDATE : ALERT_OPEN;

	if (e->spoken && e->alert.count < 2 * e->said_count && !(answers & ~e->said_answers))
		return;
	if (!e->spoken)
		b->stats.opened++;
	e->spoken = true;
	e->said_count = e->alert.count;
	e->said_answers |= answers;
	b->emit(b->ctx, &e->alert, state);
}

/* What it still has to say, and its last word; nothing at all if it has not spoken and was taken
 * back. The last word of an alert that was taken back says what was said, not what is left of it: a
 * reader of `close` wants to know which look it was that proved innocent. */
static void entry_end(struct alertbook *b, struct entry *e)
{
	if (e->alert.retracted) {
		b->stats.retracted++;
		e->alert.count += alert_values_restore(&e->values, &e->alert);
	} else {
		entry_speak(b, e);
	}
	entry_close(b, e);
}

void alertbook_end(struct alertbook *b, struct alert *a)
{
	entry_end(b, entry_of(a));
}

/* The id is made of evidence alone: who takes the same in once more, after a restart, gives the
 * same one. */
static void give_id(struct alertbook *b, const struct rule *rule, const struct group_key *key,
		    struct alert *a, uint64_t first_ns)
{
	int64_t wall_ns = (int64_t)first_ns + b->wall_offset_ns;

	if (!b->run)
		b->run = run_id(rule->name, &key->orig, &key->resp, wall_ns);
	snprintf(a->id, sizeof(a->id), "%08x-%08x-%x", (uint32_t)(wall_ns / 1000000000), b->run,
		 b->serial++);
}

struct alert *alertbook_open(struct alertbook *b, const struct rule *rule,
			     const struct group_key *key, uint64_t first_ns)
{
	struct entry *e;
	struct alert *a;
	bool is_new;

	if (table_full(b->entries)) {
		struct entry *quietest = table_oldest(b->entries);

		b->stats.forced++;
		entry_end(b, quietest);
	}
	e = table_put(b->entries, key, &is_new);
	if (!e) {
		b->stats.no_memory++;
		return NULL;
	}
	a = &e->alert;
	give_id(b, rule, key, a, first_ns);
	a->rule = rule;
	a->orig = key->orig;
	a->resp = key->resp;
	a->resp_port = key->resp_port;
	a->proto = key->proto;
	a->first_ns = first_ns;
	a->last_ns = first_ns;
	a->unfollowed = b->unfollowed;
	if (alert_values_init(&e->values, a) < 0) {
		b->stats.no_memory++;
		entry_drop(b, e);
		return NULL;
	}
	mark_dirty(b, e);
	return a;
}

static void owner_count(struct alert *a, const struct owner *w)
{
	for (uint32_t i = 0; i < a->owners; i++)
		if ((a->owner_id[i] ^ w->id) >> 1 == 0)
			return;
	if (a->owners < ALERT_OWNERS_MAX)
		a->owner_id[a->owners++] = w->id;
	else
		a->owners_cut = true;
}

static void owner_add(struct alert *a, const struct owner *w, uint64_t t_ns)
{
	bool same_kind;

	if (!w)
		return;
	owner_count(a, w);
	same_kind = a->owner && !a->owner->pid == !w->pid;
	if (a->owner && (same_kind ? t_ns >= a->owner_ns : !w->pid))
		return;
	owner_unref(a->owner);
	a->owner = owner_ref(w);
	a->owner_ns = t_ns;
}

/* account - what an alert lists takes more memory than before, perhaps. Where all take too much,
 * the quietest close early. */
static void account(struct alertbook *b, struct entry *e)
{
	size_t bytes = alert_values_bytes(&e->values, &e->alert) + alert_probes_bytes(&e->probes);

	b->bytes += bytes - e->bytes;
	e->bytes = bytes;
	while (b->bytes > b->limits.bytes && table_oldest(b->entries) != e) {
		b->stats.forced++;
		entry_end(b, table_oldest(b->entries));
	}
}

bool alertbook_has_pair(const struct alert *a, const struct ip_addr *host, uint16_t port)
{
	return hostset_find(&((const struct entry *)a)->values.pairs, host, port) != NULL;
}

bool alertbook_unspoken(const struct alertbook *b)
{
	const struct entry *e = b->dirty;

	while (e && e->spoken)
		e = e->next;
	return e;
}

void alertbook_each(struct alertbook *b, void (*fn)(void *ctx, struct alert *a, bool spoken),
		    void *ctx)
{
	for (struct entry *e = table_oldest(b->entries); e; e = table_newer(b->entries, e))
		fn(ctx, &e->alert, e->spoken);
}

void alertbook_add(struct alertbook *b, struct alert *a, const struct alert_evidence *e)
{
	const struct host_value v = { .addr = e->host,
				      .port = e->port,
				      .answer = alert_answer(e->bits) };
	int r = alert_values_add(&entry_of(a)->values, a, &v);

	if (r < 0) {
		b->stats.no_memory++;
		a->incomplete = true;
	}
	if (r > 0) {
		a->count++;
		if (alert_probes_note(&entry_of(a)->probes, &v, e->t_ns) < 0)
			b->stats.no_memory++;
	}
	if (a->count >= a->rule->threshold)
		a->retracted = false;
	if (!a->ifindex && e->ifindex) {
		a->ifindex = e->ifindex;
		a->dir = e->dir;
		if (!if_indextoname(a->ifindex, a->ifname))
			a->ifname[0] = '\0';
	}
	owner_add(a, e->owner, e->t_ns);
	a->attempts += e->attempts;
	a->bits |= e->bits;
	if (e->t_ns < a->first_ns)
		a->first_ns = e->t_ns;
	if (e->t_ns > a->last_ns)
		a->last_ns = e->t_ns;
	table_touch(b->entries, entry_of(a));
	mark_dirty(b, entry_of(a));
	account(b, entry_of(a));
}

void alertbook_retract(struct alertbook *b, struct alert *a, const struct alert_evidence *e)
{
	int r = alert_values_take(&entry_of(a)->values, a, &e->host, e->port);

	if (!r)
		return;
	b->stats.no_memory += r < 0;
	a->count = rule_is_joint(a->rule) ? portset_count(a->ports) : a->count - 1;
	/* Past the limits the count is a floor and says nothing about the threshold. */
	a->retracted = a->count < a->rule->threshold && !a->hosts_cut;
	mark_dirty(b, entry_of(a));
}

void alertbook_lost(struct alertbook *b)
{
	for (struct entry *e = table_oldest(b->entries); e; e = table_newer(b->entries, e))
		e->alert.incomplete = true;
}

void alertbook_unfollowed(struct alertbook *b, uint64_t n)
{
	b->unfollowed = n;
	for (struct entry *e = n ? table_oldest(b->entries) : NULL; e;
	     e = table_newer(b->entries, e))
		e->alert.unfollowed += n;
}

static uint64_t quiet_since(const struct entry *e, int64_t wall_offset_ns)
{
	const struct rule *rule = e->alert.rule;
	const struct group_key *key = table_key(e);

	if (rule->mode == WINDOW_SLIDING)
		return e->alert.last_ns + rule->window_ns;
	return (uint64_t)((int64_t)((key->bin + 1ull) * rule->window_ns) - wall_offset_ns);
}

void alertbook_flush(struct alertbook *b, uint64_t now_ns, int64_t wall_offset_ns,
		     uint64_t grace_ns)
{
	struct entry *e, *newer;

	while ((e = b->dirty)) {
		mark_clean(b, e);
		if (e->alert.retracted)
			entry_end(b, e);
		else
			entry_speak(b, e);
	}
	/* All of them: late evidence, and bins still open, put the order of touching and the order
	 * of ending apart. */
	for (e = table_oldest(b->entries); e; e = newer) {
		newer = table_newer(b->entries, e);
		if (quiet_since(e, wall_offset_ns) + grace_ns < now_ns)
			entry_close(b, e);
		else if (e->spoken && e->alert.unopened)
			b->emit(b->ctx, &e->alert, ALERT_OPEN);
	}
}

void alertbook_close_all(struct alertbook *b)
{
	struct entry *e;

	while ((e = table_oldest(b->entries)))
		entry_end(b, e);
}

uint32_t alertbook_probes(const struct alert *a)
{
	return ((const struct entry *)a)->probes.n;
}

bool alertbook_probe(const struct alert *a, uint32_t i, struct alert_probe *ret)
{
	const struct entry *e = (const struct entry *)a;

	if (!alert_probes_at(&e->probes, i, ret))
		return false;
	ret->answer = alert_values_answer(&e->values, a, &ret->addr, ret->port);
	return true;
}

void alertbook_walk(const struct alertbook *b, alertbook_walk_fn *fn, void *ctx)
{
	for (struct entry *e = table_newest(b->entries); e; e = table_older(b->entries, e))
		if (e->spoken && !fn(ctx, table_key(e), &e->alert))
			return;
}

void alertbook_stats_get(const struct alertbook *b, struct alertbook_stats *ret)
{
	*ret = b->stats;
	ret->open = table_count(b->entries);
	ret->bytes = b->bytes + table_bytes(b->entries);
}

/* ---- over a restart ---- */

static void save_entry(const struct entry *e, struct blob *blob)
{
	blob_put(blob, table_key(e), sizeof(struct group_key));
	blob_put(blob, e, sizeof(*e));
	alert_values_save(&e->values, &e->alert, blob);
	alert_probes_save(&e->probes, blob);
	owner_save(e->alert.owner, blob);
}

void alertbook_save(const struct alertbook *b, struct blob *blob)
{
	blob_put_u32(blob, b->run);
	blob_put_u32(blob, b->serial);
	blob_put(blob, &b->stats, sizeof(b->stats));
	blob_put_u32(blob, table_count(b->entries));
	for (const struct entry *e = table_oldest(b->entries); e; e = table_newer(b->entries, e))
		save_entry(e, blob);
}

/* entry_of_saved - a saved entry without its pointers, which were another process's. Returns 0 or
 * -EINVAL. */
static int entry_of_saved(struct entry *e, const struct rule *rule)
{
	struct alert *a = &e->alert;

	if (a->id[sizeof(a->id) - 1] || a->incident[sizeof(a->incident) - 1] ||
	    a->ifname[sizeof(a->ifname) - 1] || a->owners > ALERT_OWNERS_MAX)
		return -EINVAL;
	a->rule = rule;
	a->owner = NULL;
	e->dirty = false;
	e->prev = e->next = NULL;
	e->bytes = 0;
	return 0;
}

static int load_entry(struct alertbook *b, const struct rule *rule, struct blob *blob)
{
	struct group_key key;
	struct entry one, *e;
	bool is_new;
	int r;

	blob_get(blob, &key, sizeof(key));
	if (!blob_get(blob, &one, sizeof(one)) || entry_of_saved(&one, rule))
		return -EINVAL;
	e = table_put(b->entries, &key, &is_new);
	if (!e)
		return -ENOMEM;
	if (!is_new)
		return -EINVAL;
	*e = one;
	e->probes = (struct alert_probes){ .n = 0 };
	r = alert_values_load(&e->values, &e->alert, blob);
	if (!r)
		r = alert_probes_load(&e->probes, blob);
	e->alert.owner = owner_load(blob);
	if (!r && blob->failed)
		r = -EINVAL;
	if (r < 0) {
		entry_drop(b, e);
		return r;
	}
	e->bytes = alert_values_bytes(&e->values, &e->alert) + alert_probes_bytes(&e->probes);
	b->bytes += e->bytes;
	mark_dirty(b, e);
	return 0;
}

int alertbook_load(struct alertbook *b, const struct rule *rule, struct blob *blob)
{
	uint32_t entries;
	int r = 0;

	b->run = blob_get_u32(blob);
	b->serial = blob_get_u32(blob);
	blob_get(blob, &b->stats, sizeof(b->stats));
	entries = blob_get_u32(blob);
	for (uint32_t i = 0; i < entries && !r; i++)
		r = load_entry(b, rule, blob);
	return r ? r : blob->failed ? -EINVAL : 0;
}
