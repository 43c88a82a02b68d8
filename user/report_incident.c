// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* All is in: which alerts belong together, what did their originator learn of whom, and in which
 * order is it told? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report_model.h"
#include "table.h"

/* What is known of a responder while targets are gathered; a value of the table. */
struct gathered {
	struct report_target target;
	uint32_t incident;
};

static int compare_addr(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int compare_hosts(const void *x, const void *y)
{
	const struct report_host *a = x, *b = y;

	return compare_addr(&a->addr, &b->addr);
}

static int compare_marks(const void *x, const void *y)
{
	const struct report_mark *a = x, *b = y;
	int r = compare_addr(&a->orig, &b->orig);

	if (r)
		return r;
	return (a->t_ns > b->t_ns) - (a->t_ns < b->t_ns);
}

/* --- which alerts belong together ----------------------------------------------------------- */

static const char *incident_id(const struct report_alert *a)
{
	return a->incident[0] ? a->incident : a->id;
}

/* By incident; within one, as they lie in memory, which is by rank. */
static int compare_incident(const void *x, const void *y)
{
	const struct report_alert *a = *(struct report_alert *const *)x;
	const struct report_alert *b = *(struct report_alert *const *)y;
	int r = strcmp(incident_id(a), incident_id(b));

	return r ? r : (a > b) - (a < b);
}

static bool same_incident(const struct report_alert *a, const struct report_alert *b)
{
	return !strcmp(incident_id(a), incident_id(b));
}

/* originators_of - how many different ones its alerts have, those that were at it together among
 * them. */
static uint32_t originators_of(struct report_alert *const *alert, size_t alerts)
{
	struct table *t = table_new(1, UINT32_MAX);
	uint32_t n = 0;
	bool is_new;

	for (size_t i = 0; t && i < alerts; i++) {
		const struct report_alert *a = alert[i];

		for (uint32_t k = 0; k < (a->joint ? a->n_hosts : 1); k++) {
			struct group_key key = { .orig = a->joint ? a->hosts[k].addr : a->orig };

			table_put(t, &key, &is_new);
		}
	}
	n = t ? table_count(t) : 1;
	table_free(t);
	return n;
}

static int incident_begin(struct report *m, struct report_alert *const *alert, size_t n)
{
	struct report_incident *in = &m->incident[m->incidents];

	*in = (struct report_incident){
		.id = alert[0]->incident,
		.severity = alert[0]->severity,
		.first_ns = alert[0]->first_ns,
		.alerts = n,
	};
	in->alert = (struct report_alert **)calloc(n, sizeof(struct report_alert *));
	if (!in->alert)
		return -ENOMEM;
	m->incidents++;
	for (size_t i = 0; i < n; i++) {
		in->alert[i] = alert[i];
		if (alert[i]->severity > in->severity)
			in->severity = alert[i]->severity;
		if (alert[i]->first_ns < in->first_ns)
			in->first_ns = alert[i]->first_ns;
		if (alert[i]->last_ns > in->last_ns)
			in->last_ns = alert[i]->last_ns;
	}
	in->originators = originators_of(alert, n);
	return 0;
}

/* incidents_make - over all alerts but those taken back. */
static int incidents_make(struct report *m)
{
	struct report_alert **all = NULL;
	size_t n = 0;
	int r = 0;

	if (!m->alerts)
		return 0;
	all = (struct report_alert **)calloc(m->alerts, sizeof(struct report_alert *));
	m->taken_back = (struct report_alert **)calloc(m->alerts, sizeof(struct report_alert *));
	m->incident = calloc(m->alerts, sizeof(*m->incident));
	if (!all || !m->taken_back || !m->incident) {
		free((void *)all);
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->alerts; i++) {
		if (m->alert[i].retracted)
			m->taken_back[m->taken_backs++] = &m->alert[i];
		else
			all[n++] = &m->alert[i];
	}
	if (n)
		qsort((void *)all, n, sizeof(struct report_alert *), compare_incident);
	for (size_t i = 0, end; !r && i < n; i = end) {
		for (end = i + 1; end < n && same_incident(all[i], all[end]); end++)
			;
		r = incident_begin(m, all + i, end - i);
	}
	free((void *)all);
	return r;
}

/* --- what was learnt ------------------------------------------------------------------------ */

/* target_at - the target of a responder, made if it is new. NULL: no room. */
static struct report_target *target_at(struct report *m, struct table *t, uint32_t incident,
				       const struct ip_addr *orig, const struct ip_addr *resp,
				       uint8_t proto, bool any)
{
	struct group_key key = { .orig = *orig, .proto = proto, .bin = incident, .resp_port = any };
	struct gathered *g;
	bool is_new;

	if (!any)
		key.resp = *resp;
	g = table_put(t, &key, &is_new);
	if (!g) {
		m->incident[incident].targets_left_out++;
		return NULL;
	}
	if (is_new) {
		g->incident = incident;
		g->target = (struct report_target){
			.any = any, .proto = proto, .orig = *orig, .resp = key.resp
		};
		m->incident[incident].targets++;
	}
	return &g->target;
}

static int ports_join(struct portset *to, const struct portset *from)
{
	for (unsigned int a = 0; a < ANSWER_MAX; a++)
		for (int p = portset_next(from, a, 0); p >= 0;
		     p = portset_next(from, a, (uint32_t)p + 1))
			if (portset_add(to, (uint16_t)p, a) < 0)
				return -ENOMEM;
	return 0;
}

/* target_own - the target's ports as a set that may be changed. */
static int target_own(struct report_target *t)
{
	struct portset *own;

	if (t->own_ports)
		return 0;
	own = portset_new();
	if (!own)
		return -ENOMEM;
	if (t->ports && ports_join(own, t->ports) < 0) {
		portset_free(own);
		return -ENOMEM;
	}
	t->ports = own;
	t->own_ports = true;
	return 0;
}

static int target_add(struct report_target *t, uint16_t port, uint8_t kind)
{
	if (kind < MARK_SPOKE)
		return target_own(t) < 0 ? -ENOMEM : portset_add(t->ports, port, (enum answer)kind);
	if (!t->untold)
		t->untold = portset_new();
	return t->untold ? portset_add(t->untold, port, ANSWER_NONE) : -ENOMEM;
}

static int gather_hosts(struct report *m, struct table *t, uint32_t i, const struct report_alert *a)
{
	for (uint32_t h = 0; h < a->n_hosts; h++) {
		struct report_target *target =
			target_at(m, t, i, &a->orig, &a->hosts[h].addr, a->proto, false);

		if (target && target_add(target, a->port, a->hosts[h].kind) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* An alert over pairs lists the hosts and the ports that they are made of; which go together, its
 * probes tell. */
struct pairs {
	struct report *m;
	struct table *t;
	uint32_t incident;
	int r;
};

static void gather_pair(void *ctx, const struct report_mark *k)
{
	struct pairs *p = ctx;
	struct report_target *t =
		target_at(p->m, p->t, p->incident, &k->orig, &k->resp, k->proto, false);

	if (t && target_add(t, k->port, k->kind) < 0)
		p->r = -ENOMEM;
}

static int gather(struct report *m, struct table *t, uint32_t i, const struct report_alert *a)
{
	struct report_target *target;

	if (a->shape == SHAPE_PAIRS && !a->joint) {
		struct pairs pairs = { .m = m, .t = t, .incident = i };

		report_marks_of(m, a, gather_pair, &pairs);
		return pairs.r;
	}
	if (a->shape == SHAPE_HOSTS && !a->joint)
		return gather_hosts(m, t, i, a);
	if (!a->ports)
		return 0;
	target = target_at(m, t, i, &a->orig, &a->resp, a->proto, !a->has_resp);
	if (!target)
		return 0;
	if (!target->ports) {
		target->ports = a->ports; /* mostly there is one alert, and nothing to copy */
		return 0;
	}
	return target_own(target) < 0 ? -ENOMEM : ports_join(target->ports, a->ports);
}

static uint32_t target_opens(const struct report_target *t)
{
	return t->ports ? portset_count_answer(t->ports, ANSWER_OPEN) : 0;
}

static int compare_targets(const void *x, const void *y)
{
	const struct report_target *a = x, *b = y;
	uint32_t p = target_opens(a), q = target_opens(b);
	int r;

	if (p != q)
		return p < q ? 1 : -1;
	r = compare_addr(&a->orig, &b->orig);
	if (!r)
		r = a->proto - b->proto;
	return r ? r : compare_addr(&a->resp, &b->resp);
}

/* hand_over - from the table to the incidents. */
static int hand_over(struct report *m, const struct table *t)
{
	for (size_t i = 0; i < m->incidents; i++) {
		struct report_incident *in = &m->incident[i];

		in->target = in->targets ? calloc(in->targets, sizeof(*in->target)) : NULL;
		if (in->targets && !in->target)
			return -ENOMEM;
		in->targets = 0;
	}
	for (struct gathered *g = table_oldest(t); g; g = table_newer(t, g)) {
		struct report_incident *in = &m->incident[g->incident];

		if (!in->target)
			continue;
		in->target[in->targets++] = g->target;
		g->target = (struct report_target){ .any = false };
	}
	for (size_t i = 0; i < m->incidents; i++)
		if (m->incident[i].targets)
			qsort(m->incident[i].target, m->incident[i].targets,
			      sizeof(struct report_target), compare_targets);
	return 0;
}

/* opens_add - the open ports of an incident's targets that the table does not have yet; its values
 * are sets of ports by responder and protocol. Ports of no host in particular are those of hosts
 * that are there, if any are. Returns how many they are. */
static uint32_t opens_add(struct report *m, struct table *t, const struct report_incident *in)
{
	bool has_host = false;
	uint32_t n = 0;

	for (size_t i = 0; i < in->targets; i++)
		has_host |= !in->target[i].any;

	for (size_t i = 0; i < in->targets && target_opens(&in->target[i]); i++) {
		const struct report_target *target = &in->target[i];
		struct group_key key = { .resp = target->resp, .proto = target->proto };
		struct portset **set;
		bool is_new;

		if (target->any && has_host)
			continue;
		set = (struct portset **)table_put(t, &key, &is_new);
		if (set && is_new)
			*set = portset_new();
		if (!set || !*set) {
			m->no_memory++;
			return n;
		}
		for (int p = portset_next(target->ports, ANSWER_OPEN, 0); p >= 0;
		     p = portset_next(target->ports, ANSWER_OPEN, (uint32_t)p + 1))
			n += portset_add(*set, (uint16_t)p, ANSWER_OPEN) > 0;
	}
	return n;
}

static void opens_done(struct table *t)
{
	struct portset **set;

	for (set = t ? (struct portset **)table_oldest(t) : NULL; set;
	     set = (struct portset **)table_newer(t, (void *)set))
		portset_free(*set);
	table_free(t);
}

/* opens_count - a port that two originators found open is one. */
static void opens_count(struct report *m)
{
	struct table *all = table_new(sizeof(struct portset *), REPORT_TARGETS_MAX);

	for (size_t i = 0; all && i < m->incidents; i++) {
		struct report_incident *in = &m->incident[i];
		struct table *own = table_new(sizeof(struct portset *), REPORT_TARGETS_MAX);

		in->opens = own ? opens_add(m, own, in) : 0;
		m->opens += opens_add(m, all, in);
		opens_done(own);
	}
	opens_done(all);
}

static int targets_make(struct report *m)
{
	struct table *t = table_new(sizeof(struct gathered), REPORT_TARGETS_MAX);
	int r = 0;

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; !r && i < m->incidents; i++)
		for (size_t k = 0; !r && k < m->incident[i].alerts; k++)
			r = gather(m, t, (uint32_t)i, m->incident[i].alert[k]);
	if (!r)
		r = hand_over(m, t);
	if (!r)
		opens_count(m);
	for (struct gathered *g = table_oldest(t); g; g = table_newer(t, g)) { /* after a failure */
		if (g->target.own_ports)
			portset_free(g->target.ports);
		portset_free(g->target.untold);
	}
	if (r)
		for (size_t i = 0; i < m->incidents; i++)
			if (!m->incident[i].target)
				m->incident[i].targets = 0;
	table_free(t);
	return r;
}

/* --- the order ------------------------------------------------------------------------------ */

static int compare_severity(const void *x, const void *y)
{
	const struct report_incident *a = x, *b = y;

	if (a->severity != b->severity)
		return b->severity - a->severity;
	if (a->opens != b->opens)
		return a->opens < b->opens ? 1 : -1;
	if (a->alerts != b->alerts)
		return a->alerts < b->alerts ? 1 : -1;
	if (a->first_ns != b->first_ns)
		return a->first_ns > b->first_ns ? 1 : -1;
	return strcmp(a->alert[0]->id, b->alert[0]->id);
}

int report_finish(struct report *m)
{
	int r;

	report_keep_worst(m);
	report_thin_evenly(m);
	for (size_t i = 0; i < m->alerts; i++)
		if (m->alert[i].n_hosts)
			qsort(m->alert[i].hosts, m->alert[i].n_hosts, sizeof(struct report_host),
			      compare_hosts);
	if (m->marks)
		qsort(m->mark, m->marks, sizeof(*m->mark), compare_marks);
	r = incidents_make(m);
	if (!r)
		r = targets_make(m);
	if (!r && m->incidents)
		qsort(m->incident, m->incidents, sizeof(*m->incident), compare_severity);
	return r;
}

/* --- whose mark is it ----------------------------------------------------------------------- */

/* first_mark - where the originator's marks begin. */
static size_t first_mark(const struct report *m, const struct ip_addr *orig, uint64_t t_ns)
{
	const struct report_mark want = { .orig = *orig, .t_ns = t_ns };
	size_t low = 0, high = m->marks;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_marks(&m->mark[mid], &want) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_of(const struct report_alert *a, const struct report_mark *k, uint32_t hash)
{
	enum answer answer;

	if (k->of != hash)
		return false;
	if (a->from_log) /* what a later line does not list any more was taken back */
		return a->shape != SHAPE_PORTS || !a->ports ||
		       portset_get(a->ports, k->port, &answer);
	if ((a->has_resp && compare_addr(&a->resp, &k->resp)) ||
	    (a->has_port && a->port != k->port) || (a->proto && a->proto != k->proto) ||
	    (k->kind == MARK_SPOKE && !a->contacts))
		return false;
	return !a->ports || portset_get(a->ports, k->port, &answer);
}

/* took_part - is the mark's originator one of those that were at it together? Hosts are sorted. */
static bool took_part(const struct report_alert *a, const struct report_mark *k)
{
	const struct report_host want = { .addr = k->orig };

	return a->n_hosts && bsearch(&want, a->hosts, a->n_hosts, sizeof(*a->hosts), compare_hosts);
}

/* marks_of_many - the marks of an alert about many originators, which lie far apart. */
static void marks_of_many(const struct report *m, const struct report_alert *a, report_mark_fn *fn,
			  void *ctx)
{
	for (size_t i = 0; i < m->marks; i++) {
		const struct report_mark *k = &m->mark[i];

		if (k->t_ns >= a->first_ns && k->t_ns <= a->last_ns && is_of(a, k, 0) &&
		    took_part(a, k))
			fn(ctx, k);
	}
}

void report_marks_of(const struct report *m, const struct report_alert *a, report_mark_fn *fn,
		     void *ctx)
{
	uint32_t hash = a->from_log ? report_id_hash(a->id) : 0;
	size_t i = first_mark(m, &a->orig, a->from_log ? 0 : a->first_ns);

	if (a->joint && !a->from_log) {
		marks_of_many(m, a, fn, ctx);
		return;
	}
	for (; i < m->marks && !compare_addr(&m->mark[i].orig, &a->orig); i++) {
		struct report_mark k = m->mark[i];
		enum answer answer;

		if (!a->from_log && k.t_ns > a->last_ns)
			return;
		if (!is_of(a, &k, hash))
			continue;
		/* A later line of the log may know better. */
		if (a->from_log && a->shape == SHAPE_PORTS && a->ports &&
		    portset_get(a->ports, k.port, &answer))
			k.kind = (uint8_t)answer;
		fn(ctx, &k);
	}
}
