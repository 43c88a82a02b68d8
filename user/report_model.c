// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Probes and alerts as they come in. What they make together is report_incident.c's. */
#include "report_model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "net.h"
#include "owner_text.h"
#include "report_text.h"
#include "sink.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	MARKS_FIRST = 4096,
	SLOTS = 1 << 16, /* scans whose size is told apart; who share one are thinned a little
			  * early */
	MOST_LEAST = 16, /* marks of a scan below which open ports are thinned like others */
	BIN_FIRST_NS = 1000,
};

const char *mark_name(enum mark_kind kind)
{
	if (kind < MARK_SPOKE)
		return answer_name((enum answer)kind);
	return kind == MARK_SPOKE ? "spoke" : "untold";
}

struct report *report_new(const struct config *cfg)
{
	struct report *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->cfg = cfg;
	m->size = calloc((size_t)2 * SLOTS, sizeof(*m->size));
	if (!m->size) {
		free(m);
		return NULL;
	}
	for (uint32_t i = 0; i < cfg->rules.n; i++) {
		const struct rule *r = &cfg->rules.rule[i];

		if (!r->enabled)
			continue;
		m->keeps_spoken |= r->where == WHERE_CONTACT;
		if (r->window_ns > m->window_ns)
			m->window_ns = r->window_ns;
	}
	return m;
}

void report_alert_done(struct report_alert *a)
{
	portset_free(a->ports);
	free(a->hosts);
	a->ports = NULL;
	a->hosts = NULL;
}

static void incident_done(struct report_incident *in)
{
	for (size_t i = 0; i < in->targets; i++) {
		if (in->target[i].own_ports)
			portset_free(in->target[i].ports);
		portset_free(in->target[i].untold);
	}
	free(in->target);
	free((void *)in->alert);
}

void report_free(struct report *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->incidents; i++)
		incident_done(&m->incident[i]);
	for (size_t i = 0; i < m->alerts; i++)
		report_alert_done(&m->alert[i]);
	free(m->incident);
	free((void *)m->taken_back);
	free(m->alert);
	free(m->by_id);
	free(m->mark);
	free(m->size);
	free(m->counter);
	free(m->let_be);
	free(m->rule);
	free(m);
}

/* --- what was read -------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void put_text(char *to, const char *fmt, va_list ap)
{
	char text[4 * REPORT_NOTE_LEN];

	vsnprintf(text, sizeof(text), fmt, ap);
	sink_clean(text, to, REPORT_NOTE_LEN);
}

void report_source_add(struct report *m, const char *fmt, ...)
{
	va_list ap;

	if (m->sources == REPORT_NOTES_MAX) {
		m->sources_more++;
		return;
	}
	va_start(ap, fmt);
	put_text(m->source[m->sources++], fmt, ap);
	va_end(ap);
}

void report_note_add(struct report *m, const char *fmt, ...)
{
	va_list ap;

	if (m->notes == REPORT_NOTES_MAX) {
		m->notes_more++;
		return;
	}
	va_start(ap, fmt);
	put_text(m->note[m->notes++], fmt, ap);
	va_end(ap);
}

void report_complained(void *ctx, const char *text)
{
	report_note_add(ctx, "%s", text);
}

static void extend(struct report *m, uint64_t first_ns, uint64_t last_ns)
{
	if (first_ns && (!m->first_ns || first_ns < m->first_ns))
		m->first_ns = first_ns;
	if (last_ns > m->last_ns)
		m->last_ns = last_ns;
}

/* --- probes over time ----------------------------------------------------------------------- */

/* bins_coarsen - halves what is there into bins of twice the length. */
static void bins_coarsen(struct report *m)
{
	for (size_t i = 0; i < REPORT_BINS / 2; i++)
		for (size_t k = 0; k < ARRAY_SIZE(m->bin[0]); k++)
			m->bin[i][k] = m->bin[2 * i][k] + m->bin[2 * i + 1][k];
	memset(m->bin[REPORT_BINS / 2], 0, sizeof(m->bin) / 2);
	m->bin_ns *= 2;
}

/* bins_shift - makes room for a probe that is earlier than all so far. */
static void bins_shift(struct report *m, uint64_t t_ns)
{
	size_t by;

	while ((m->bin_base_ns - t_ns) / m->bin_ns >= REPORT_BINS / 2)
		bins_coarsen(m);
	by = (size_t)((m->bin_base_ns - t_ns + m->bin_ns - 1) / m->bin_ns);
	for (size_t i = REPORT_BINS - by; i < REPORT_BINS; i++)
		for (size_t k = 0; k < ARRAY_SIZE(m->bin[0]); k++)
			if (m->bin[i][k]) { /* what would fall off the end */
				bins_coarsen(m);
				bins_shift(m, t_ns);
				return;
			}
	memmove(m->bin[by], m->bin[0], (REPORT_BINS - by) * sizeof(m->bin[0]));
	memset(m->bin[0], 0, by * sizeof(m->bin[0]));
	m->bin_base_ns = m->bin_base_ns > by * m->bin_ns ? m->bin_base_ns - by * m->bin_ns : 0;
}

static void bins_add(struct report *m, uint64_t t_ns, enum mark_kind kind)
{
	m->probes++;
	if (!m->bin_ns) {
		m->bin_ns = BIN_FIRST_NS;
		m->bin_base_ns = t_ns;
	}
	if (t_ns < m->bin_base_ns)
		bins_shift(m, t_ns);
	while ((t_ns - m->bin_base_ns) / m->bin_ns >= REPORT_BINS)
		bins_coarsen(m);
	m->bin[(t_ns - m->bin_base_ns) / m->bin_ns][kind]++;
}

/* --- marks ---------------------------------------------------------------------------------- */

static bool is_suspect(const struct report *m, const struct ip_addr *orig)
{
	uint32_t i = addr_hash(orig) % (ARRAY_SIZE(m->suspects) * 64);

	return m->suspects[i / 64] >> i % 64 & 1;
}

static void suspect_add(struct report *m, const struct ip_addr *orig)
{
	uint32_t i = addr_hash(orig) % (ARRAY_SIZE(m->suspects) * 64);

	m->suspects[i / 64] |= 1ull << i % 64;
}

/* slot_of - the scan of ports, or of hosts, that a mark would be part of. */
static uint32_t slot_of(const struct report_mark *k, bool hosts)
{
	uint32_t h = addr_hash(&k->orig) * 0x9E3779B1u;

	h ^= hosts ? 0x85EBCA6Bu * ((uint32_t)k->port + 1) : addr_hash(&k->resp);
	h = (h ^ h >> 15 ^ k->proto) * 0x85EBCA6Bu;
	return (h >> 16) % SLOTS;
}

/* forget - lets go of marks that no alert can have any more: none was raised about their originator
 * in the longest window since. */
static void forget(struct report *m, uint64_t now_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < m->marks; i++) {
		const struct report_mark *k = &m->mark[i];

		if (k->of || is_suspect(m, &k->orig) || k->t_ns + m->window_ns >= now_ns)
			m->mark[n++] = *k;
	}
	m->marks = n;
}

/* chance - bits that a mark has by itself: which marks stay does not depend on how probes of
 * several originators took turns, which every second one would. */
static uint32_t chance(const struct report_mark *k)
{
	uint64_t x = k->t_ns ^ (uint64_t)k->port << 48 ^ addr_hash(&k->resp);

	x = (x ^ x >> 31) * 0x9E3779B97F4A7C15ull;
	x ^= addr_hash(&k->orig);
	return (uint32_t)((x ^ x >> 29) * 0xBF58476D1CE4E5B9ull >> 32);
}

/* size_of - how many marks the scan has that a mark is part of. Hosts and ports are two ways to be
 * large. */
static uint32_t size_of(const struct report *m, const struct report_mark *k)
{
	uint32_t ports = m->size[slot_of(k, false)], hosts = m->size[SLOTS + slot_of(k, true)];

	return ports > hosts ? ports : hosts;
}

/* stays - of a scan of more than `most` marks about so many do, and all open ports. */
static bool stays(const struct report *m, const struct report_mark *k)
{
	uint32_t size;

	if (k->kind == MARK_OPEN && m->most > MOST_LEAST)
		return true;
	size = size_of(m, k);
	return size <= m->most || chance(k) < UINT32_MAX / size * m->most;
}

static void keep(struct report *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->marks; i++)
		if (stays(m, &m->mark[i]))
			m->mark[n++] = m->mark[i];
	m->marks_thinned += m->marks - n;
	m->marks = n;
}

/* thin - the largest scans first, until a quarter is free. */
static void thin(struct report *m)
{
	if (!m->most)
		m->most = REPORT_DENSE;
	keep(m);
	while (m->marks >= REPORT_MARKS_MAX / 4 * 3 && m->most > 1) {
		m->most /= 2;
		keep(m);
	}
}

void report_thin_evenly(struct report *m)
{
	if (m->most)
		keep(m);
}

/* make_room - for at least one mark more. */
static bool make_room(struct report *m, uint64_t now_ns)
{
	size_t room = m->marks_room ? m->marks_room * 2 : MARKS_FIRST;
	struct report_mark *more;

	if (m->marks_room < REPORT_MARKS_MAX) {
		more = realloc(m->mark, room * sizeof(*more));
		if (!more)
			return false;
		m->mark = more;
		m->marks_room = room;
		return true;
	}
	forget(m, now_ns);
	if (m->marks < REPORT_MARKS_MAX / 4 * 3)
		return true;
	thin(m);
	return m->marks < m->marks_room;
}

void report_mark_add(struct report *m, const struct report_mark *mark)
{
	m->size[slot_of(mark, false)]++;
	m->size[SLOTS + slot_of(mark, true)]++;
	if (m->most && !stays(m, mark)) {
		m->marks_thinned++;
		return;
	}
	if (m->marks == m->marks_room && !make_room(m, mark->t_ns)) {
		m->no_memory++;
		return;
	}
	m->mark[m->marks++] = *mark;
}

static enum mark_kind kind_of(uint32_t bits)
{
	if (bits & CONTACT_OPEN)
		return MARK_OPEN;
	if (bits & CONTACT_CLOSED)
		return MARK_CLOSED;
	return bits & CONTACT_FILTERED ? MARK_FILTERED : MARK_NONE;
}

void report_told(void *ctx, const struct piece *piece, bool counted)
{
	struct report *m = ctx;
	const struct contact *c = &piece->contact;
	uint32_t bits = CONTACT_BITS(c->word);
	struct report_mark mark = {
		.orig = piece->key.orig,
		.resp = piece->key.resp,
		.port = ntohs(piece->key.resp_port),
		.proto = piece->key.proto,
	};

	if (bits & CONTACT_SILENT) {
		mark.t_ns = c->silent_first_ns;
		mark.kind = (uint8_t)kind_of(bits);
	} else {
		mark.t_ns = c->carried_first_ns;
		mark.kind = MARK_SPOKE;
	}
	extend(m, mark.t_ns, mark.t_ns);
	if (counted && mark.kind != MARK_SPOKE)
		bins_add(m, mark.t_ns, mark.kind);
	if (counted || (mark.kind == MARK_SPOKE && m->keeps_spoken))
		report_mark_add(m, &mark);
}

/* --- alerts --------------------------------------------------------------------------------- */

uint32_t report_alert_opens(const struct report_alert *a)
{
	uint32_t n = 0;

	if (a->ports && (a->shape == SHAPE_PORTS || a->joint))
		return portset_count_answer(a->ports, ANSWER_OPEN);
	for (uint32_t i = 0; i < a->n_hosts; i++)
		n += a->hosts[i].kind == MARK_OPEN;
	return n;
}

/* alert_rank - the worse of two first. */
static int alert_rank(const void *x, const void *y)
{
	const struct report_alert *a = x, *b = y;
	uint32_t p, q;

	if (a->retracted != b->retracted)
		return a->retracted - b->retracted;
	if (a->severity != b->severity)
		return b->severity - a->severity;
	p = report_alert_opens(a);
	q = report_alert_opens(b);
	if (p != q)
		return p < q ? 1 : -1;
	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	if (a->first_ns != b->first_ns)
		return a->first_ns > b->first_ns ? 1 : -1;
	return strcmp(a->id, b->id);
}

uint32_t report_id_hash(const char *id)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	while (*id)
		h = (h ^ (unsigned char)*id++) * 16777619u;
	return h | 1; /* never 0 */
}

static void by_id_put(struct report *m, size_t index)
{
	uint32_t i = report_id_hash(m->alert[index].id);

	while (m->by_id[i & (m->by_id_size - 1)])
		i++;
	m->by_id[i & (m->by_id_size - 1)] = (uint32_t)index + 1;
}

/* by_id_make - the index anew, over what is there. */
static bool by_id_make(struct report *m)
{
	free(m->by_id);
	m->by_id_size = (size_t)REPORT_ALERTS_MAX * 4;
	m->by_id = calloc(m->by_id_size, sizeof(*m->by_id));
	if (!m->by_id)
		return false;
	for (size_t i = 0; i < m->alerts; i++)
		by_id_put(m, i);
	return true;
}

static struct report_alert *alert_find(const struct report *m, const char *id)
{
	uint32_t i = report_id_hash(id), at;

	if (!m->by_id || !*id)
		return NULL;
	while ((at = m->by_id[i++ & (m->by_id_size - 1)]))
		if (!strcmp(m->alert[at - 1].id, id))
			return &m->alert[at - 1];
	return NULL;
}

/* alerts_keep - the worst of them; the others are counted. */
static void alerts_keep(struct report *m, size_t max)
{
	if (m->alerts)
		qsort(m->alert, m->alerts, sizeof(*m->alert), alert_rank);
	while (m->alerts > max) {
		report_alert_done(&m->alert[--m->alerts]);
		m->alerts_dropped++;
	}
	if (m->by_id && !by_id_make(m))
		m->no_memory++;
}

void report_keep_worst(struct report *m)
{
	alerts_keep(m, REPORT_ALERTS_MAX);
}

static void suspects_of(struct report *m, const struct report_alert *a)
{
	suspect_add(m, &a->orig);
	for (uint32_t i = 0; i < a->n_hosts && a->joint; i++)
		suspect_add(m, &a->hosts[i].addr);
}

/* alert_add - takes over what *a holds. */
static void alert_add(struct report *m, struct report_alert *a)
{
	if (m->alerts == (size_t)2 * REPORT_ALERTS_MAX)
		alerts_keep(m, REPORT_ALERTS_MAX);
	if (m->alerts == m->alerts_room) {
		size_t room = m->alerts_room ? m->alerts_room * 2 : 64;
		struct report_alert *more = realloc(m->alert, room * sizeof(*more));

		if (!more) {
			m->no_memory++;
			report_alert_done(a);
			return;
		}
		m->alert = more;
		m->alerts_room = room;
	}
	suspects_of(m, a);
	m->alert[m->alerts++] = *a;
	if (m->by_id)
		by_id_put(m, m->alerts - 1);
}

/* ports_copy - a set of one's own; NULL: there is none, or no memory for it. */
static struct portset *ports_copy(const struct portset *from)
{
	struct portset *to = from ? portset_new() : NULL;

	for (unsigned int a = 0; to && a < ANSWER_MAX; a++)
		for (int p = portset_next(from, a, 0); p >= 0;
		     p = portset_next(from, a, (uint32_t)p + 1))
			if (portset_add(to, (uint16_t)p, a) < 0) {
				portset_free(to);
				return NULL;
			}
	return to;
}

static bool hosts_copy(struct report_alert *to, const struct alert *a)
{
	if (!a->hosts || !a->n_hosts)
		return true;
	to->hosts = calloc(a->n_hosts, sizeof(*to->hosts));
	if (!to->hosts)
		return false;
	for (uint32_t i = 0; i < a->n_hosts; i++)
		to->hosts[i] = (struct report_host){ .addr = a->hosts[i].addr,
						     .kind = (uint8_t)a->hosts[i].answer };
	to->n_hosts = a->n_hosts;
	return true;
}

/* words_copy - what of an alert is text. */
static void words_copy(struct report_alert *to, const struct alert *a)
{
	const char *technique[ALERT_TECHNIQUES_MAX];
	unsigned int n = alert_techniques(a, technique);
	const struct attack_ref *attack = alert_attack(a);
	size_t len = 0;
	char text[OWNER_TEXT_MAX], name[32];

	snprintf(to->id, sizeof(to->id), "%s", a->id);
	snprintf(to->incident, sizeof(to->incident), "%s", a->incident);
	snprintf(to->rule, sizeof(to->rule), "%s", a->rule->name);
	for (unsigned int i = 0; i < n && len < sizeof(to->techniques); i++)
		len += (size_t)snprintf(to->techniques + len, sizeof(to->techniques) - len, "%s%s",
					i ? ", " : "", technique[i]);
	if (a->owner)
		sink_clean(owner_text(a, text), to->owner, sizeof(to->owner));
	if (a->ifname[0])
		snprintf(to->where, sizeof(to->where), "%s on %s",
			 a->dir == DIR_EGRESS ? "out" : "in",
			 sink_clean(a->ifname, name, sizeof(name)));
	snprintf(to->attack, sizeof(to->attack), "%s",
		 attack->sub_id[0] ? attack->sub_id : attack->technique_id);
}

/* alert_of - the alert as a report keeps it. False: no memory. */
static bool alert_of(const struct alert *a, struct report_alert *to)
{
	uint8_t group = a->rule->group, distinct = a->rule->distinct;

	*to = (struct report_alert){
		.shape = distinct == FIELD_RESP_PORT ? SHAPE_PORTS
			 : distinct == FIELD_RESP    ? SHAPE_HOSTS
						     : SHAPE_PAIRS,
		.orig = a->orig,
		.resp = a->resp,
		.has_resp = group & FIELD_RESP,
		.joint = !(group & FIELD_ORIG),
		.has_port = group & FIELD_RESP_PORT,
		.port = a->resp_port,
		.proto = a->proto,
		.severity = (uint8_t)alert_severity(a),
		.closed = true,
		.retracted = a->retracted,
		.incomplete = a->incomplete,
		.cut = a->hosts_cut,
		.contacts = a->rule->where == WHERE_CONTACT,
		.count = a->count,
		.attempts = a->attempts,
		.threshold = a->rule->threshold,
		.window_ns = a->rule->window_ns,
		.rate = alert_rate(a),
		.first_ns = a->first_ns,
		.last_ns = a->last_ns,
	};
	words_copy(to, a);
	to->ports = ports_copy(a->ports);
	if ((a->ports && !to->ports) || !hosts_copy(to, a)) {
		report_alert_done(to);
		return false;
	}
	return true;
}

void report_emit(void *ctx, struct alert *a, enum alert_state state)
{
	struct report *m = ctx;
	struct report_alert mine;

	if (state == ALERT_OPEN) {
		m->alerts_seen++;
		suspect_add(m, &a->orig);
		for (uint32_t i = 0; i < a->n_hosts && !(a->rule->group & FIELD_ORIG); i++)
			suspect_add(m, &a->hosts[i].addr);
		for (uint32_t i = 0; i < m->cfg->rules.n; i++)
			m->rule_alerts[i] += !strcmp(m->cfg->rules.rule[i].name, a->rule->name);
	}
	if (state != ALERT_CLOSE)
		return;
	extend(m, a->first_ns, a->last_ns);
	if (alert_of(a, &mine))
		alert_add(m, &mine);
	else
		m->no_memory++;
}

/* --- alerts from a log ---------------------------------------------------------------------- */

static bool hosts_have(const struct report_alert *a, const struct report_host *h)
{
	for (uint32_t i = 0; a && i < a->n_hosts; i++)
		if (!memcmp(&a->hosts[i].addr, &h->addr, sizeof(h->addr)))
			return true;
	return false;
}

/* name_marks - a mark for whatever this line is the first to name; was: what the lines before it
 * had, or NULL. */
static void name_marks(struct report *m, const struct report_alert *a,
		       const struct report_alert *was, uint64_t named_ns)
{
	struct report_mark k = {
		.orig = a->orig,
		.resp = a->resp,
		.t_ns = named_ns,
		.port = a->port,
		.proto = a->proto,
		.of = report_id_hash(a->id),
	};
	enum answer answer;

	for (uint32_t i = 0; i < a->n_hosts && !a->joint; i++) {
		if (hosts_have(was, &a->hosts[i]))
			continue;
		k.resp = a->hosts[i].addr;
		k.kind = a->hosts[i].kind;
		report_mark_add(m, &k);
	}
	if ((a->n_hosts && !a->joint) || !a->ports)
		return;
	for (int p = portset_next(a->ports, ANSWER_MAX, 0); p >= 0;
	     p = portset_next(a->ports, ANSWER_MAX, (uint32_t)p + 1)) {
		if (was && was->ports && portset_get(was->ports, (uint16_t)p, &answer))
			continue;
		k.port = (uint16_t)p;
		k.kind = portset_get(a->ports, k.port, &answer) ? (uint8_t)answer : MARK_NONE;
		report_mark_add(m, &k);
	}
}

bool report_alert_has(const struct report *m, const char *id)
{
	return alert_find(m, id) != NULL;
}

void report_alert_put(struct report *m, struct report_alert *a, uint64_t named_ns)
{
	struct report_alert *was;

	if (!m->by_id && !by_id_make(m)) {
		m->no_memory++;
		report_alert_done(a);
		return;
	}
	a->from_log = true;
	extend(m, a->first_ns, a->last_ns);
	was = alert_find(m, a->id);
	if (!a->timed)
		name_marks(m, a, was, named_ns);
	if (!was) {
		m->alerts_seen++;
		alert_add(m, a);
	} else if (was->closed && !a->closed) {
		report_alert_done(a); /* an older line, from a log that was read later */
	} else {
		report_alert_done(was);
		*was = *a;
	}
}

/* --- the end of reading --------------------------------------------------------------------- */

void report_counter_add(struct report *m, const char *name, uint64_t n, const char *text)
{
	struct report_counter *c = realloc(m->counter, (m->counters + 1) * sizeof(*c));

	if (!c) {
		m->no_memory++;
		return;
	}
	m->counter = c;
	c += m->counters++;
	*c = (struct report_counter){ .n = n, .lost = !strncmp(text, "lost: ", 6) };
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->text, sizeof(c->text), "%s", text + (c->lost ? 6 : 0));
}

struct report_rule *report_rule_add(struct report *m, const char *name, const char *words,
				    uint32_t threshold, uint64_t window_ns, uint64_t alerts)
{
	struct report_rule *r = realloc(m->rule, (m->rules + 1) * sizeof(*r));

	if (!r) {
		m->no_memory++;
		return NULL;
	}
	m->rule = r;
	r += m->rules++;
	*r = (struct report_rule){ .threshold = threshold, .alerts = alerts };
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->words, sizeof(r->words), "%s", words);
	duration_format(window_ns, r->window);
	return r;
}

void report_let_be_add(struct report *m, uint64_t attempts, const char *what, const char *why, ...)
{
	char text[2 * REPORT_TEXT_LEN];
	struct report_let_be *more;
	va_list ap;

	if (m->let_bes == REPORT_LET_BE_MAX)
		return;
	more = realloc(m->let_be, (m->let_bes + 1) * sizeof(*more));
	if (!more) {
		m->no_memory++;
		return;
	}
	m->let_be = more;
	more += m->let_bes++;
	more->attempts = attempts;
	sink_clean(what, more->what, sizeof(more->what));
	va_start(ap, why);
	vsnprintf(text, sizeof(text), why, ap);
	va_end(ap);
	sink_clean(text, more->why, sizeof(more->why));
}

static void habit_add(void *ctx, const struct habit_id *id, const struct habit *b)
{
	char orig[NET_TEXT_MAX] = "", resp[NET_TEXT_MAX] = "any host";
	char who[64], what[REPORT_TEXT_LEN], pause[32];
	uint64_t pause_s = ((uint64_t)b->pause_ns + 999999999) / 1000000000;

	if (id->kind == HABIT_PROGRAM)
		snprintf(who, sizeof(who), "program %s of uid %u", id->program, id->uid);
	else
		snprintf(who, sizeof(who), "%s", addr_format(&id->orig, orig));
	if (id->kind == HABIT_CONTACT)
		addr_format(&id->resp, resp);
	snprintf(what, sizeof(what), "%s to %s, %s port %u", who, resp, proto_name(id->proto),
		 id->port);
	report_let_be_add(ctx, b->excused, what, "habit: seen %u times, pauses up to %s", b->seen,
			  duration_format(pause_s * 1000000000, pause));
}

static void allowed_add(struct report *m, const struct allow *allow)
{
	char what[256];

	for (uint32_t i = 0; i < allow_count(allow); i++) {
		const struct allow_entry *e = allow_entry(allow, i);

		report_let_be_add(m, e->silent, allow_text(e, what, sizeof(what)),
				  "allow-list, %s: %s", e->from, e->comment);
	}
}

static void on_counter(void *ctx, enum counter_kind kind, const char *name, uint64_t value,
		       const char *text)
{
	(void)kind;
	report_counter_add(ctx, name, value, text);
}

static void rules_tell(struct report *m)
{
	char words[REPORT_SENTENCE_MAX];

	for (uint32_t i = 0; i < m->cfg->rules.n; i++) {
		const struct rule *rule = &m->cfg->rules.rule[i];
		struct report_rule *r;
		size_t len;

		report_rule_words(rule, words);
		len = strlen(words);
		if (rule->yields_to[0])
			snprintf(words + len, sizeof(words) - len, "; yields to %s",
				 rule->yields_to);
		r = report_rule_add(m, rule->name, words, rule->threshold, rule->window_ns,
				    m->rule_alerts[i]);
		if (!r)
			return;
		r->off = !rule->enabled;
		strcat(r->window, rule->mode == WINDOW_TUMBLING ? ", tumbling" : ", sliding");
	}
}

void report_ended(void *ctx, const struct counters *c, uint64_t read, uint64_t skipped)
{
	struct report *m = ctx;

	m->engine = true;
	m->read += read;
	m->skipped += skipped;
	m->lost += counters_lost(c);
	m->habits = c->engine.habits.live;
	m->habits_excused = c->engine.excused;
	m->allowed = c->engine.allowed;
	m->outweighed = c->engine.outweighed;
	m->retracted = c->engine.retracted;
	allowed_add(m, c->allow);
	if (c->habits)
		habits_each(c->habits, habit_add, m);
	counters_each(c, on_counter, m);
	rules_tell(m);
}
