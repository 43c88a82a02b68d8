// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "alertbook.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "net.h"

enum {
	/* Slots of the index over an alert's hosts, a power of two: each host's position + 1, or 0.
	 * Linear probing; twice the hosts, so that a search ends after one or two. */
	HOST_SLOTS = 2 * ALERT_HOSTS_MAX,
};

/* An open alert and what it has said so far. */
struct entry {
	struct alert alert;
	bool spoken; /* `open` is out */
	bool dirty;  /* in the list of those that may have something to say */
	uint32_t said_count;
	uint8_t said_answers; /* set of 1 << enum answer */
	/* What was taken back, so that the last word can name it again: the first ALERT_PAIRS_MAX
	 * values; what the rule does not count of them is zero. */
	struct alert_pair *back;
	uint32_t n_back, back_room;
	uint16_t *host_at; /* where in alert.hosts an address is: HOST_SLOTS of them */
	struct entry *next_dirty;
};

struct alertbook {
	struct table *entries; /* oldest news first */
	struct entry *dirty;
	alertbook_emit_fn *emit;
	void *ctx;
	uint32_t run;	 /* random, tells two runs apart in ids */
	uint32_t serial; /* of the next alert */
	struct alertbook_stats stats;
};

struct alertbook *alertbook_new(uint32_t max, alertbook_emit_fn *emit, void *ctx)
{
	struct alertbook *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->entries = table_new(sizeof(struct entry), max);
	if (!b->entries) {
		free(b);
		return NULL;
	}
	b->emit = emit;
	b->ctx = ctx;
	if (getrandom(&b->run, sizeof(b->run), GRND_NONBLOCK) != sizeof(b->run))
		b->run = (uint32_t)(uintptr_t)b;
	return b;
}

static void entry_drop(struct alertbook *b, struct entry *e)
{
	if (e->dirty) {
		struct entry **link = &b->dirty;

		while (*link != e)
			link = &(*link)->next_dirty;
		*link = e->next_dirty;
	}
	portset_free(e->alert.ports);
	free(e->alert.hosts);
	free(e->host_at);
	free(e->alert.pairs);
	free(e->back);
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

struct alert *alertbook_get(const struct alertbook *b, const struct group_key *key)
{
	struct entry *e = table_get(b->entries, key);

	return e ? &e->alert : NULL;
}

static struct entry *entry_of(struct alert *a)
{
	return (struct entry *)a; /* its first member */
}

static void mark_dirty(struct alertbook *b, struct entry *e)
{
	if (e->dirty)
		return;
	e->dirty = true;
	e->next_dirty = b->dirty;
	b->dirty = e;
}

static void entry_close(struct alertbook *b, struct entry *e)
{
	if (e->spoken) {
		b->stats.closed++;
		b->emit(b->ctx, &e->alert, ALERT_CLOSE);
	}
	entry_drop(b, e);
}

static uint8_t answers_seen(const struct alert *a)
{
	uint8_t set = 0;

	for (enum answer i = 0; a->ports && i < ANSWER_MAX; i++)
		if (portset_count_answer(a->ports, i))
			set |= (uint8_t)(1u << i);
	for (uint32_t i = 0; i < a->n_hosts; i++)
		set |= (uint8_t)(1u << a->hosts[i].answer);
	return set;
}

static void entry_speak(struct alertbook *b, struct entry *e)
{
	uint8_t answers = answers_seen(&e->alert);
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

static void entry_restore(struct alertbook *b, struct entry *e);

/* What it still has to say, and its last word; nothing at all if it has not spoken and was taken
 * back. */
static void entry_end(struct alertbook *b, struct entry *e)
{
	if (e->alert.retracted) {
		b->stats.retracted++;
		entry_restore(b, e);
	} else {
		entry_speak(b, e);
	}
	entry_close(b, e);
}

void alertbook_end(struct alertbook *b, struct alert *a)
{
	entry_end(b, entry_of(a));
}

struct alert *alertbook_open(struct alertbook *b, const struct rule *rule,
			     const struct group_key *key, uint64_t first_ns)
{
	struct timespec now;
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
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(a->id, sizeof(a->id), "%08x-%08x-%x", (uint32_t)now.tv_sec, b->run, b->serial++);
	a->rule = rule;
	a->orig = key->orig;
	a->resp = key->resp;
	a->resp_port = key->resp_port;
	a->proto = key->proto;
	a->first_ns = first_ns;
	a->last_ns = first_ns;
	if (rule->distinct & FIELD_RESP_PORT)
		a->ports = portset_new();
	if (rule->distinct & FIELD_RESP) {
		a->hosts = calloc(ALERT_HOSTS_MAX, sizeof(*a->hosts));
		e->host_at = calloc(HOST_SLOTS, sizeof(*e->host_at));
	}
	if (rule->distinct == (FIELD_RESP | FIELD_RESP_PORT))
		a->pairs = calloc(ALERT_PAIRS_MAX, sizeof(*a->pairs));
	if ((rule->distinct & FIELD_RESP_PORT && !a->ports) ||
	    (rule->distinct & FIELD_RESP && (!a->hosts || !e->host_at)) ||
	    (a->ports && a->hosts && !a->pairs)) {
		b->stats.no_memory++;
		entry_drop(b, e);
		return NULL;
	}
	mark_dirty(b, e);
	return a;
}

static enum answer answer_of(uint32_t bits)
{
	/* TCP payload was acknowledged; a datagram's payload says nothing of who took it. */
	if (bits & CONTACT_OPEN || (bits & CONTACT_CARRIED && !(bits & CONTACT_UDP)))
		return ANSWER_OPEN;
	if (bits & CONTACT_CLOSED)
		return ANSWER_CLOSED;
	return bits & CONTACT_FILTERED ? ANSWER_FILTERED : ANSWER_NONE;
}

static uint32_t host_home(const struct ip_addr *addr)
{
	return addr_hash(addr) & (HOST_SLOTS - 1);
}

/* host_slot - the slot of the index that has the address, or the empty one where it would be. */
static uint32_t host_slot(const struct alert *a, const struct ip_addr *addr)
{
	const uint16_t *at = ((const struct entry *)a)->host_at;
	uint32_t i = host_home(addr);

	while (at[i] && !addr_same(&a->hosts[at[i] - 1].addr, addr))
		i = (i + 1) & (HOST_SLOTS - 1);
	return i;
}

static struct alert_host *host_find(const struct alert *a, const struct ip_addr *addr)
{
	uint16_t at = ((const struct entry *)a)->host_at[host_slot(a, addr)];

	return at ? &a->hosts[at - 1] : NULL;
}

/* Returns 1 if the host is new. Past the limit it cannot be told, so it is not counted. */
static int host_add(struct alert *a, const struct ip_addr *addr, enum answer answer)
{
	uint32_t slot = host_slot(a, addr);
	uint16_t *at = &entry_of(a)->host_at[slot];

	if (*at) {
		struct alert_host *h = &a->hosts[*at - 1];

		if (answer < h->answer)
			h->answer = answer;
		return 0;
	}
	if (a->n_hosts == ALERT_HOSTS_MAX) {
		a->hosts_cut = true;
		return 0;
	}
	a->hosts[a->n_hosts++] = (struct alert_host){ .addr = *addr, .answer = answer };
	*at = (uint16_t)a->n_hosts;
	return 1;
}

/* host_remove - takes a host out; the last one moves to its place. What stands behind its slot and
 * would be found no more moves up. */
static void host_remove(struct alert *a, struct alert_host *h)
{
	uint32_t gap = host_slot(a, &h->addr), mask = HOST_SLOTS - 1;
	const struct alert_host *last = &a->hosts[a->n_hosts - 1];
	uint16_t *at = entry_of(a)->host_at;

	for (uint32_t i = (gap + 1) & mask; at[i]; i = (i + 1) & mask) {
		uint32_t home = host_home(&a->hosts[at[i] - 1].addr);

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		at[gap] = at[i];
		gap = i;
	}
	at[gap] = 0;
	if (h != last) {
		at[host_slot(a, &last->addr)] = (uint16_t)(h - a->hosts + 1);
		*h = *last;
	}
	a->n_hosts--;
}

static struct alert_pair *pair_find(struct alert *a, const struct ip_addr *addr, uint16_t port)
{
	for (uint32_t i = 0; i < a->n_pairs; i++)
		if (a->pairs[i].port == port && addr_same(&a->pairs[i].addr, addr))
			return &a->pairs[i];
	return NULL;
}

/* As host_add(). */
static int pair_add(struct alert *a, const struct ip_addr *addr, uint16_t port, enum answer answer)
{
	struct alert_pair *p = pair_find(a, addr, port);

	if (p) {
		if (answer < p->answer)
			p->answer = answer;
		return 0;
	}
	if (a->n_pairs == ALERT_PAIRS_MAX) {
		a->hosts_cut = true;
		return 0;
	}
	a->pairs[a->n_pairs++] =
		(struct alert_pair){ .addr = *addr, .port = port, .answer = answer };
	return 1;
}

/* value_add - adds what the rule counts, and what that is made of. Returns 1 if it is new. */
static int value_add(struct alertbook *b, struct alert *a, const struct alert_pair *v)
{
	int port_new = 0, host_new = 0;

	if (a->ports)
		port_new = portset_add(a->ports, v->port, v->answer);
	if (port_new < 0) {
		b->stats.no_memory++;
		a->incomplete = true;
	}
	if (a->hosts)
		host_new = host_add(a, &v->addr, v->answer);
	if (a->pairs)
		return pair_add(a, &v->addr, v->port, v->answer);
	return port_new > 0 || host_new;
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

void alertbook_add(struct alertbook *b, struct alert *a, const struct alert_evidence *e)
{
	const struct alert_pair v = { e->host, e->port, answer_of(e->bits) };

	a->count += (uint32_t)value_add(b, a, &v);
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
}

/* remember_back - keeps a value that is taken back. */
static void remember_back(struct alertbook *b, struct entry *e, const struct alert_pair *v)
{
	if (e->n_back == ALERT_PAIRS_MAX)
		return;
	if (e->n_back == e->back_room) {
		uint32_t room = e->back_room ? e->back_room * 2 : 4;
		struct alert_pair *more = realloc(e->back, room * sizeof(*more));

		if (!more) {
			b->stats.no_memory++;
			return;
		}
		e->back = more;
		e->back_room = room;
	}
	e->back[e->n_back++] = *v;
}

/* The last word of an alert that was taken back says what was said, not what is left of it: a
 * reader of `close` wants to know which look it was that proved innocent. */
static void entry_restore(struct alertbook *b, struct entry *e)
{
	for (uint32_t i = 0; i < e->n_back; i++)
		e->alert.count += (uint32_t)value_add(b, &e->alert, &e->back[i]);
}

/* pair_remove - also takes the port and the host out, if no other pair has them. */
static void pair_remove(struct alert *a, struct alert_pair *p)
{
	const struct alert_pair gone = *p;
	bool port_left = false, host_left = false;
	struct alert_host *h;

	*p = a->pairs[--a->n_pairs];
	for (uint32_t i = 0; i < a->n_pairs; i++) {
		port_left |= a->pairs[i].port == gone.port;
		host_left |= addr_same(&a->pairs[i].addr, &gone.addr);
	}
	if (!port_left)
		portset_remove(a->ports, gone.port);
	h = host_left ? NULL : host_find(a, &gone.addr);
	if (h)
		host_remove(a, h);
}

/* value_take - takes a value out, with its answer in v, unless it was refused or is not there.
 * Returns whether it did. */
static bool value_take(struct alert *a, struct alert_pair *v)
{
	struct alert_pair *p = a->pairs ? pair_find(a, &v->addr, v->port) : NULL;
	struct alert_host *h = a->hosts ? host_find(a, &v->addr) : NULL;

	if (a->pairs ? !p : a->hosts ? !h : !portset_get(a->ports, v->port, &v->answer))
		return false;
	if (a->hosts)
		v->answer = p ? p->answer : h->answer;
	if (v->answer == ANSWER_CLOSED)
		return false;
	if (p)
		pair_remove(a, p);
	else if (a->hosts)
		host_remove(a, h);
	else
		portset_remove(a->ports, v->port);
	return true;
}

void alertbook_retract(struct alertbook *b, struct alert *a, const struct alert_evidence *e)
{
	struct alert_pair v = { .addr = e->host, .port = e->port };

	if (!value_take(a, &v))
		return;
	remember_back(b, entry_of(a), &v);
	a->count--;
	/* Past the limits the count is a floor and says nothing about the threshold. */
	a->retracted = a->count < a->rule->threshold && !a->hosts_cut;
	mark_dirty(b, entry_of(a));
}

void alertbook_lost(struct alertbook *b)
{
	for (struct entry *e = table_oldest(b->entries); e; e = table_newer(b->entries, e))
		e->alert.incomplete = true;
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
		b->dirty = e->next_dirty;
		e->dirty = false;
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

void alertbook_stats_get(const struct alertbook *b, struct alertbook_stats *ret)
{
	*ret = b->stats;
	ret->open = table_count(b->entries);
}
