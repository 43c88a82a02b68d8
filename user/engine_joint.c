// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How are rules about many originators judged? All that a drain has shown to a group together, when
 * it is over: joint.h says which pairs of originator and port are a scan. */
#include <arpa/inet.h>
#include <string.h>

#include "engine_parts.h"
#include "net.h"

/* Decoys send with the scanner, packet by packet; what is answered late ripens late. */
#define DECOYS_NS 1000000000ull

struct group_key joint_served_key(const struct contact_key *key)
{
	return (struct group_key){
		.resp = key->resp,
		.resp_port = ntohs(key->resp_port),
		.proto = key->proto,
	};
}

/* is_served - has payload of anybody flowed there within the longest window? Then it is a service
 * that is down, and those who try it are its clients. */
static bool is_served(const struct engine *e, const struct contact_key *key, uint64_t t_ns)
{
	const struct group_key k = joint_served_key(key);
	const struct carried *s = table_get(e->served, &k);

	return s && s->t_ns + e->history_span_ns >= t_ns;
}

/* is_joint_look - does the pair v count where many originators are at it? What is open may be a
 * transfer's, what nobody asked for an answer to something else. */
static bool is_joint_look(const struct engine *e, const struct rule *rule,
			  const struct group_key *group, const struct window_value *v,
			  uint64_t newest_ns)
{
	const uint32_t not_sure = CONTACT_OPEN | CONTACT_CARRIED | CONTACT_UNASKED;
	const struct contact_key key = {
		.orig = v->addr,
		.resp = group->resp,
		.resp_port = htons(v->port),
		.proto = group->proto,
	};

	if (v->bits & not_sure || !engine_is_near(rule, v, newest_ns) ||
	    is_served(e, &key, v->t_ns))
		return false;
	return !engine_excuses(e, rule, &key, v->bits, v->t_ns);
}

/* has_ports - are there as many different ports among the values, whatever else is to be said of
 * them? Most groups are crowds at a few. */
static bool has_ports(struct engine *e, const struct window_values *v, uint32_t wanted)
{
	uint32_t ports = 0;

	for (uint32_t i = 0; i < v->n && ports < wanted; i++) {
		uint16_t port = window_port(v, i);
		uint64_t bit = 1ull << port % 64, *word = &e->ports[port / 64];

		ports += !(*word & bit);
		*word |= bit;
	}
	for (uint32_t i = 0; i < v->n; i++)
		e->ports[window_port(v, i) / 64] = 0;
	return ports >= wanted;
}

/* joint_count - the pairs of a group that count, in e->pairs. A group that is full has more pairs
 * in a window than a scan needs: forged addresses. */
static struct joint_count joint_count(struct engine *e, const struct runner *r,
				      const struct group_key *group)
{
	const struct window_values v = window_values(r->window, group);
	uint64_t newest_ns = 0;
	uint32_t kept = 0;

	if (v.n >= JOINT_KEEP) {
		e->stats.crowded++;
		return (struct joint_count){ .pairs = 0 };
	}
	if (!has_ports(e, &v, r->rule->threshold))
		return (struct joint_count){ .pairs = 0 };
	for (uint32_t i = 0; i < v.n; i++) {
		uint64_t t_ns = window_value(&v, i).t_ns;

		newest_ns = t_ns > newest_ns ? t_ns : newest_ns;
	}
	for (uint32_t i = 0; i < v.n && kept < JOINT_KEEP; i++) {
		e->pairs[kept] = window_value(&v, i);
		kept += is_joint_look(e, r->rule, group, &e->pairs[kept], newest_ns);
	}
	return joint_choose(e->pairs, kept, joint_limit(r->rule));
}

/* What open_together() looks for, and with what it comes back. */
struct together {
	struct engine *e;
	const struct alert *all;
	const char *id; /* of a listed originator's alert that was said before; "": none */
};

static bool is_part_of(const struct together *t, const struct alert *a)
{
	if (!(a->rule->group & FIELD_ORIG) || !addr_same(&a->resp, &t->all->resp))
		return false;
	for (uint32_t i = 0; i < t->all->n_hosts; i++)
		if (addr_same(&t->all->hosts[i].addr, &a->orig))
			return true;
	return false;
}

static void find_said(void *ctx, struct alert *a, bool spoken)
{
	struct together *t = ctx;

	if (spoken && !t->id[0] && is_part_of(t, a))
		t->id = a->incident;
}

static void adopt_unsaid(void *ctx, struct alert *a, bool spoken)
{
	struct together *t = ctx;

	if (spoken || !is_part_of(t, a))
		return;
	incident_adopt(t->e->incidents, &a->orig, &a->resp);
	memcpy(a->incident, t->all->incident, sizeof(a->incident));
}

/* join_together - the incident of an alert about many originators is also that of their own alerts
 * about this host, but for those said already; of these, it is the first one's. */
static void join_together(struct engine *e, const struct runner *r, struct alert *a)
{
	uint64_t until = a->last_ns + 2 * (r->rule->window_ns + engine_grace(e, r->rule));
	struct together t = { .e = e, .all = a, .id = a->incident };
	const struct incident *i;

	for (uint32_t n = 0; n < e->runners && !a->incident[0]; n++)
		alertbook_each(e->runner[n]->book, find_said, &t);
	i = incident_join_all(e->incidents, &a->resp, a->last_ns, until, t.id);
	if (!i) {
		e->stats.no_memory++;
		return;
	}
	if (a->incident[0])
		return;
	memcpy(a->incident, i->id, sizeof(a->incident));
	for (uint32_t n = 0; n < e->runners; n++)
		alertbook_each(e->runner[n]->book, adopt_unsaid, &t);
}

/* tell_together - tells an alert of pairs that it does not list. */
static void tell_together(struct engine *e, const struct runner *r, struct alert *a,
			  const struct due *at, uint32_t n)
{
	const struct contact_key key = { .resp = a->resp, .proto = a->proto };
	const struct contact c = { .ifindex = at->ifindex, .dir = at->dir };

	for (uint32_t i = 0; i < n; i++) {
		struct alert_evidence ev = engine_evidence(&e->pairs[i], &c, 1);

		if (alertbook_has_pair(a, &ev.host, ev.port))
			continue;
		a->orig_internal |= net_list_has(&e->cfg->internal, &ev.host);
		alertbook_add(r->book, a, &ev);
		engine_named(e, r, &key, &e->pairs[i]);
	}
	join_together(e, r, a);
}

static void judge_together(struct engine *e, struct runner *r, const struct group_key *group,
			   const struct due *at)
{
	const struct rule *rule = r->rule;
	struct joint_count c = joint_count(e, r, group);
	struct alert *a = alertbook_get(r->book, group);

	if (!a && c.ports >= rule->threshold && c.originators >= rule->originators)
		a = alertbook_open(r->book, rule, group, e->pairs[0].t_ns);
	if (a)
		tell_together(e, r, a, at, c.pairs);
}

uint32_t joint_judge(struct engine *e, struct runner *r, uint32_t most)
{
	struct due *at;

	for (; most && (at = table_oldest(r->due)); most--) {
		judge_together(e, r, table_key(at), at);
		table_remove(r->due, at);
	}
	return most;
}

void joint_show(struct engine *e, struct runner *r, const struct group_key *group,
		const struct window_value *v, const struct contact *c)
{
	const struct table_look look = engine_look(e, r, group);
	uint32_t n = window_show_by(r->window, &look, group, v);
	struct due *at;
	bool is_new;

	if (n < r->rule->threshold && !alertbook_get(r->book, group))
		return;
	if (table_full(r->due))
		joint_judge(e, r, 1);
	at = table_put(r->due, group, &is_new);
	if (at)
		*at = (struct due){ .ifindex = c->ifindex, .dir = c->dir };
	else
		e->stats.no_memory++;
}

/* An alert that others about the same responder may be alike. */
struct model {
	struct alert *alert;
	bool spoken;
};

/* What joint_decoys() goes through alerts with. */
struct decoys {
	struct engine *e;
	struct table *by_resp; /* of struct model, per responder and protocol */
};

/* is_alike - did both look at the same ports, for the most part, and begin at the same moment? */
static bool is_alike(const struct alert *a, const struct alert *b)
{
	uint64_t apart =
		a->first_ns > b->first_ns ? a->first_ns - b->first_ns : b->first_ns - a->first_ns;

	return apart <= DECOYS_NS && !addr_same(&a->orig, &b->orig) &&
	       2 * portset_shared(a->ports, b->ports) > (a->count > b->count ? a->count : b->count);
}

/* id_is_older - ids of one run count up, in hexadecimal digits. */
static bool id_is_older(const char *a, const char *b)
{
	size_t x = strlen(a), y = strlen(b);

	return x == y ? strcmp(a, b) < 0 : x < y;
}

static struct group_key model_key(const struct alert *a)
{
	return (struct group_key){ .resp = a->resp, .proto = a->proto };
}

/* find_model - of alerts that are alike the one that was said, or whose incident began first; else
 * the latest. For want of room alerts stay incidents by themselves. */
static void find_model(void *ctx, struct alert *a, bool spoken)
{
	const struct group_key key = model_key(a);
	struct decoys *d = ctx;
	bool is_new;
	struct model *m = table_put(d->by_resp, &key, &is_new);
	bool better;

	if (!m)
		return;
	if (is_new || !is_alike(a, m->alert))
		better = is_new || a->first_ns > m->alert->first_ns;
	else if (spoken != m->spoken)
		better = spoken;
	else
		better = id_is_older(a->incident, m->alert->incident);
	if (better)
		*m = (struct model){ a, spoken };
}

static void follow_model(void *ctx, struct alert *a, bool spoken)
{
	const struct group_key key = model_key(a);
	struct decoys *d = ctx;
	const struct model *m = table_get(d->by_resp, &key);

	if (spoken || !m || !is_alike(a, m->alert))
		return;
	incident_share(d->e->incidents, &a->orig, &m->alert->orig);
	memcpy(a->incident, m->alert->incident, sizeof(a->incident));
}

void joint_decoys(struct engine *e, struct runner *r)
{
	struct decoys d = { .e = e };
	struct alertbook_stats s;

	if (!alertbook_unspoken(r->book) || r->rule->distinct != FIELD_RESP_PORT ||
	    (r->rule->group & (FIELD_ORIG | FIELD_RESP)) != (FIELD_ORIG | FIELD_RESP))
		return;
	alertbook_stats_get(r->book, &s);
	d.by_resp = table_new(sizeof(struct model), (uint32_t)s.open);
	if (!d.by_resp) {
		e->stats.no_memory++;
		return;
	}
	alertbook_each(r->book, find_model, &d);
	alertbook_each(r->book, follow_model, &d);
	table_free(d.by_resp);
}

bool joint_asks(const struct engine *e, const struct contact_key *key)
{
	for (uint32_t i = 0; e->served && i < e->runners; i++)
		if (rule_is_joint(e->runner[i]->rule) &&
		    engine_looks_at(e, e->runner[i]->rule, key, CONTACT_SILENT))
			return true;
	return false;
}
