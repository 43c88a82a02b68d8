// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* json_pack() and json_object_set_new() fail on a NULL that they are given as a value, so that no
 * step here needs a check of its own: what is wanting makes the whole NULL. */
#include "status.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "output_config.h"
#include "owner_text.h"
#include "sink_json.h"

#define NS_PER_S 1000000000ull

/* A time of the daemon's clock; NULL is want of memory, or no time at all (0). */
static json_t *time_json(const struct status_view *v, uint64_t t_ns)
{
	char text[SINK_TIME_MAX];

	return json_string(sink_time(&v->sc, t_ns, 3, text));
}

static json_t *addr_json(const struct ip_addr *addr)
{
	char text[NET_TEXT_MAX];

	return json_string(addr_format(addr, text));
}

/* Bytes of anybody's making, as UTF-8. */
static json_t *clean_json(const char *text)
{
	char buf[512];

	return json_string(sink_clean(text, buf, sizeof(buf)));
}

/* ---- figures ---- */

static json_t *config_json(const struct status_view *v)
{
	return json_pack("{s:o?, s:o, s:s, s:b, s:o?}", "file",
			 v->cfg->config_file ? clean_json(v->cfg->config_file) : NULL, "read",
			 time_json(v, v->config_read_ns), "profile",
			 v->cfg->profile == PROFILE_SPLUNK ? "splunk" : "default", "last_reload_ok",
			 v->reloaded_well, "problem",
			 *v->reload_problem ? clean_json(v->reload_problem) : NULL);
}

static json_t *interfaces_json(const struct status_view *v)
{
	json_t *list = json_array();
	int r = 0;

	for (size_t i = 0; !r && i < v->hooks; i++) {
		const struct attachment *a = &v->hook[i];
		char mode[32];
		const char *tc = tc_kind_name(a->egress.kind);

		r = json_array_append_new(list,
					  json_pack("{s:o, s:i, s:s, s:s, s:s}", "name",
						    clean_json(a->name), "index", (int)a->ifindex,
						    "mode", attach_mode_text(a, mode), "ingress",
						    a->mode == MODE_TC		 ? tc
						    : a->mode == MODE_XDP_NATIVE ? "xdp"
										 : "xdp-generic",
						    "egress", tc));
	}
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static int table_add(json_t *list, const char *name, uint64_t used, uint64_t size)
{
	return json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", name, "used",
						     (json_int_t)used, "size", (json_int_t)size));
}

/* tables_json - how full is what can be full? Of a rule's groups and alerts, the fullest rule. */
static json_t *tables_json(const struct status_view *v)
{
	const struct counters *c = v->counters;
	uint64_t groups = 0, alerts = 0;
	json_t *list = json_array();
	struct recent_stats recent;
	struct engine_rule rule;
	struct live_stats live;
	int r = 0;

	for (uint32_t i = 0; engine_rule(v->engine, i, &rule); i++) {
		groups = rule.groups > groups ? rule.groups : groups;
		alerts = rule.alerts_open > alerts ? rule.alerts_open : alerts;
	}
	live_stats_get(v->live, &live);
	recent_stats_get(v->recent, &recent);
	r |= table_add(list, "attempts", c->sweep.live, v->cfg->nursery_slots);
	r |= table_add(list, "contacts", c->drain.last, v->cfg->contacts_max);
	r |= table_add(list, "groups", groups, v->cfg->groups_max);
	r |= table_add(list, "alerts", alerts, ENGINE_ALERTS_MAX);
	r |= table_add(list, "incidents", c->engine.incidents.live, ENGINE_INCIDENTS_MAX);
	r |= table_add(list, "payload_history", c->engine.history, ENGINE_HISTORY_MAX);
	if (c->habits) {
		r |= table_add(list, "habits", c->engine.habits.live, v->cfg->habits_max);
		r |= table_add(list, "habit_candidates", c->engine.habits.candidates,
			       v->cfg->habits_max);
	}
	r |= table_add(list, "live_originators", live.originators, LIVE_MAX);
	r |= table_add(list, "closed_alerts", recent.kept, RECENT_MAX);
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

struct listing {
	json_t *list;
	int r;
};

static void add_counter(void *ctx, enum counter_kind kind, const char *name, uint64_t value,
			const char *text)
{
	struct listing *l = ctx;

	l->r |= json_array_append_new(l->list, json_pack("{s:s, s:I, s:s, s:s}", "name", name,
							 "value", (json_int_t)value, "kind",
							 kind == COUNTER_NOW ? "gauge" : "counter",
							 "text", text));
}

static json_t *counters_json(const struct status_view *v)
{
	struct listing l = { .list = json_array() };

	counters_each(v->counters, add_counter, &l);
	if (!l.r)
		return l.list;
	json_decref(l.list);
	return NULL;
}

static json_t *rule_counts_json(const struct status_view *v, const struct rule *rule)
{
	json_t *list = json_array();
	int r = 0;

	for (int severity = 0; severity < RECENT_SEVERITIES; severity++)
		for (enum alert_state s = ALERT_OPEN; s <= ALERT_CLOSE; s++) {
			uint64_t n = recent_count(v->recent, rule->name, severity, s);

			if (n)
				r |= json_array_append_new(
					list,
					json_pack("{s:i, s:s, s:I}", "severity", severity, "state",
						  alert_state_name(s), "count", (json_int_t)n));
		}
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *rules_json(const struct status_view *v)
{
	json_t *list = json_array();
	struct engine_rule e;
	int r = 0;

	for (uint32_t i = 0; !r && engine_rule(v->engine, i, &e); i++)
		r = json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:f, s:i, s:I, s:I, s:I, s:o}", "name", e.rule->name,
				  "threshold", (int)e.rule->threshold, "window_s",
				  (double)e.rule->window_ns / NS_PER_S, "severity",
				  e.rule->severity, "groups", (json_int_t)e.groups, "alerts_open",
				  (json_int_t)e.alerts_open, "alerts_opened",
				  (json_int_t)e.alerts_opened, "said",
				  rule_counts_json(v, e.rule)));
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

/* spool_json - what waits on disk; NULL: the output has no spool. */
static json_t *spool_json(const struct output_stats *s)
{
	const struct spool_stats *p = &s->lane.spool;

	if (!s->spool[0])
		return NULL;
	return json_pack("{s:o, s:I, s:I, s:I}", "folder", clean_json(s->spool), "records",
			 (json_int_t)p->records, "bytes", (json_int_t)p->bytes, "damaged",
			 (json_int_t)p->damaged);
}

static json_t *outputs_json(const struct counters *c)
{
	json_t *list = json_array();
	int r = 0;

	for (unsigned int i = 0; !r && i < c->outputs; i++) {
		const struct output_stats *s = &c->output[i];

		r = json_array_append_new(
			list,
			json_pack("{s:o, s:s, s:I, s:I, s:I, s:i, s:I, s:b, s:o?, s:o?}", "name",
				  clean_json(s->name), "format", output_format_name(s->format),
				  "written", (json_int_t)s->lane.written, "lost",
				  (json_int_t)s->lane.lost, "failures",
				  (json_int_t)s->lane.failures, "queued", (int)s->lane.queued,
				  "queued_bytes", (json_int_t)s->lane.queued_bytes, "failing",
				  s->lane.failing, "given_up",
				  s->lane.dead ? json_string(strerror(s->lane.dead)) : NULL,
				  "spool", spool_json(s)));
	}
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *probes_by_kind_json(const struct live *live)
{
	const struct live_kind *k;
	json_t *list = json_array();
	int r = 0;

	for (uint32_t i = 0; !r && (k = live_kind(live, i)); i++)
		r = json_array_append_new(list,
					  json_pack("{s:s, s:s, s:s, s:I}", "protocol",
						    live_proto_name(k->proto), "technique",
						    k->technique, "answer", answer_name(k->answer),
						    "count", (json_int_t)k->probes));
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *histogram_json(const struct recent_histogram *h)
{
	json_t *bounds = json_array(), *counts = json_array();
	int r = 0;

	for (int i = 0; i < RECENT_BUCKETS; i++) {
		if (i < RECENT_BUCKETS - 1)
			r |= json_array_append_new(bounds, json_real(recent_bounds_s[i]));
		r |= json_array_append_new(counts, json_integer((json_int_t)h->n[i]));
	}
	if (!r)
		return json_pack("{s:o, s:o, s:f}", "bounds_s", bounds, "counts", counts, "sum_s",
				 h->sum_s);
	json_decref(bounds);
	json_decref(counts);
	return NULL;
}

static json_t *allow_totals_json(const struct allow *allow)
{
	struct allow_totals t;

	allow_totals_get(allow, &t);
	return json_pack("{s:i, s:I, s:I}", "entries", (int)allow_count(allow), "attempts",
			 (json_int_t)t.attempts, "silent", (json_int_t)t.silent);
}

static json_int_t lost_of(const struct counters *c)
{
	uint64_t lost = counters_lost(c);

	lost += counters_unwritten(c);
	return (json_int_t)lost;
}

json_t *status_figures(const struct status_view *v)
{
	const struct counters *c = v->counters;
	struct recent_stats recent;

	recent_stats_get(v->recent, &recent);
	/* clang-format off */
	return json_pack("{s:s, s:s, s:i, s:o, s:o, s:f, s:b, s:o, s:o, s:I, s:I, s:o, s:o, s:I, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:I}",
			 "type", "status",
			 "version", RECONMON_VERSION,
			 "pid", (int)getpid(),
			 "time", time_json(v, v->sc.now_ns),
			 "started", time_json(v, v->started_ns),
			 "uptime_s", (double)(v->sc.now_ns - v->started_ns) / NS_PER_S,
			 "ready", v->ready,
			 "config", config_json(v),
			 "interfaces", interfaces_json(v),
			 "refused", (json_int_t)v->refused,
			 "unseen", (json_int_t)v->unseen,
			 "tables", tables_json(v),
			 "counters", counters_json(v),
			 "lost", lost_of(c),
			 "rules", rules_json(v),
			 "outputs", outputs_json(c),
			 "probes", probes_by_kind_json(v->live),
			 "allow", allow_totals_json(c->allow),
			 "drain_duration", histogram_json(v->drain_took),
			 "alert_delay", histogram_json(&recent.delay),
			 "closed_alerts_dropped", (json_int_t)recent.dropped);
	/* clang-format on */
}

/* ---- alerts ---- */

/* An alert in short; NULL for want of memory. */
static json_t *alert_brief(const struct status_view *v, const struct alert *a)
{
	uint8_t group = a->rule->group;

	/* clang-format off */
	return json_pack("{s:s, s:s, s:i, s:o*, s:o*, s:o*, s:s, s:s, s:o, s:o, s:o, s:i, s:I, s:s*}",
			 "id", a->id,
			 "rule", a->rule->name,
			 "severity", alert_severity(a),
			 "originator", sink_has_orig(a) ? addr_json(&a->orig) : NULL,
			 "responder", group & FIELD_RESP ? addr_json(&a->resp) : NULL,
			 "port", group & FIELD_RESP_PORT ? json_integer(a->resp_port) : NULL,
			 "protocol", proto_name(a->proto),
			 "direction", a->dir == DIR_EGRESS ? "egress" : "ingress",
			 "interface", clean_json(a->ifname),
			 "first", time_json(v, a->first_ns),
			 "last", time_json(v, a->last_ns),
			 "count", (int)a->count,
			 "attempts", (json_int_t)a->attempts,
			 "incident", a->incident[0] ? a->incident : NULL);
	/* clang-format on */
}

/* owner_json - process, container, orchestrator as in ECS, and their sources; an empty object if
 * nobody knows. */
static json_t *owner_json(const struct status_view *v, const struct owner *owner)
{
	const struct alert alone = { .owner = owner, .owners = 1 };
	json_t *doc = json_object(), *own;

	if (!owner)
		return doc;
	if (owner_json_set(doc, &alone, &v->sc) < 0) {
		json_decref(doc);
		return NULL;
	}
	own = json_object_get(json_object_get(json_object_get(doc, "reconmon"), "alert"), "owner");
	json_object_set(doc, "owner", own);
	json_object_del(doc, "reconmon");
	json_object_del(doc, "related");
	return doc;
}

/* The last probes that are kept, oldest first. */
static json_t *last_probes_json(const struct status_view *v, const struct alert *a)
{
	uint32_t n = alertbook_probes(a), kept = n < ALERT_PROBES_MAX ? n : ALERT_PROBES_MAX;
	uint32_t i = kept > STATUS_PROBES_MAX ? kept - STATUS_PROBES_MAX : 0;
	json_t *list = json_array();
	struct alert_probe p;
	int r = 0;

	for (; !r && alertbook_probe(a, i, &p); i++)
		r = json_array_append_new(
			list,
			json_pack("{s:o, s:o*, s:o*, s:s}", "time", time_json(v, p.t_ns),
				  sink_has_orig(a) ? "responder" : "originator",
				  a->hosts ? addr_json(&p.addr) : NULL, "port",
				  a->ports ? json_integer(p.port) : NULL, "answer",
				  p.answer == ANSWER_MAX ? "retracted" : answer_name(p.answer)));
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

/* As alert_brief(), with ports, answers, technique, rate (those of reconmon.alert in ECS), owner
 * and the last probes. */
static json_t *alert_full(const struct status_view *v, const struct alert *a)
{
	json_t *o = alert_brief(v, a), *more = sink_alert_json(a, ALERT_OPEN, &v->sc);
	int r = json_object_update(o, more);

	json_decref(more);
	r |= json_object_set_new(o, "owner", owner_json(v, a->owner));
	r |= json_object_set_new(o, "probes", last_probes_json(v, a));
	r |= json_object_set_new(o, "probes_total", json_integer(alertbook_probes(a)));
	if (!r)
		return o;
	json_decref(o);
	return NULL;
}

struct alert_listing {
	const struct status_view *v;
	json_t *(*one)(const struct status_view *v, const struct alert *a);
	json_t *list;
	size_t total;
	int r;
};

static bool add_alert(void *ctx, const struct group_key *key, const struct alert *a)
{
	struct alert_listing *l = ctx;

	(void)key;
	if (json_array_size(l->list) < STATUS_ALERTS_MAX)
		l->r |= json_array_append_new(l->list, l->one(l->v, a));
	return !l->r && json_array_size(l->list) < STATUS_ALERTS_MAX;
}

/* alerts_set - those that are open, rule by rule, and how many there are. */
static int alerts_set(const struct status_view *v, json_t *root,
		      json_t *(*one)(const struct status_view *v, const struct alert *a))
{
	struct alert_listing l = { .v = v, .one = one, .list = json_array() };

	for (uint32_t i = 0; !l.r && i < RULES_MAX; i++)
		engine_alerts(v->engine, i, add_alert, &l);
	l.r |= json_object_set_new(root, "alerts_total",
				   json_integer((json_int_t)v->counters->engine.alerts_open));
	l.r |= json_object_set_new(root, "alerts", l.list); /* in any case: takes it over */
	return l.r;
}

struct incident_listing {
	const struct status_view *v;
	json_t *list;
	int r;
};

static bool add_incident(void *ctx, const struct ip_addr *orig, const struct incident *i)
{
	struct incident_listing *l = ctx;

	l->r |= json_array_append_new(
		l->list,
		json_pack("{s:s, s:o, s:i, s:b, s:o}", "id", i->id, "originator", addr_json(orig),
			  "responders", (int)i->hosts, "responders_cut",
			  i->hosts == INCIDENT_HOSTS_MAX, "until", time_json(l->v, i->until_ns)));
	return !l->r && json_array_size(l->list) < STATUS_ALERTS_MAX;
}

static int incidents_set(const struct status_view *v, json_t *root)
{
	struct incident_listing l = { .v = v, .list = json_array() };

	engine_incidents(v->engine, add_incident, &l);
	l.r |= json_object_set_new(root, "incidents_total",
				   json_integer((json_int_t)v->counters->engine.incidents.live));
	l.r |= json_object_set_new(root, "incidents", l.list);
	return l.r;
}

/* ---- the rest of `status` ---- */

struct flood_listing {
	const struct status_view *v;
	json_t *list;
	int r;
};

static void add_flood(void *ctx, const struct flood_event *e)
{
	struct flood_listing *l = ctx;
	char name[IF_NAMESIZE];

	l->r |= json_array_append_new(
		l->list,
		json_pack("{s:o, s:o*, s:s, s:s, s:o*, s:o, s:o, s:I}", "responder",
			  addr_json(&e->resp), "port", e->port ? json_integer(e->port) : NULL,
			  "protocol", proto_name(e->proto), "direction",
			  e->dir == DIR_EGRESS ? "egress" : "ingress", "interface",
			  e->ifindex && if_indextoname(e->ifindex, name) ? clean_json(name) : NULL,
			  "since", time_json(l->v, e->since_ns), "last",
			  time_json(l->v, e->since_ns + e->span_ns), "unfollowed",
			  (json_int_t)e->unfollowed));
}

static json_t *guard_json(const struct status_view *v)
{
	const struct counters *c = v->counters;
	struct flood_listing l = { .v = v, .list = json_array() };

	floods_each(c->floods, add_flood, &l);
	if (!l.r)
		return json_pack("{s:i, s:b, s:I, s:o}", "rate", (int)v->cfg->guard_rate, "engaged",
				 floods_count(c->floods) > 0, "unfollowed",
				 (json_int_t)c->kernel.n[STAT_GUARD], "services", l.list);
	json_decref(l.list);
	return NULL;
}

struct habit_listing {
	const struct status_view *v;
	json_t *list;
	uint64_t skip; /* those not seen for longest */
	int r;
};

static void add_habit(void *ctx, const struct habit_id *id, const struct habit *b)
{
	struct habit_listing *l = ctx;
	bool program = id->kind == HABIT_PROGRAM;

	if (l->skip) {
		l->skip--;
		return;
	}
	l->r |= json_array_append_new(
		l->list,
		json_pack("{s:s, s:o*, s:o*, s:o*, s:o*, s:s, s:i, s:i, s:f, s:i, s:o}", "kind",
			  habit_kind_name(id->kind), "program",
			  program ? clean_json(id->program) : NULL, "uid",
			  program ? json_integer(id->uid) : NULL, "originator",
			  program ? NULL : addr_json(&id->orig), "responder",
			  id->kind == HABIT_CONTACT ? addr_json(&id->resp) : NULL, "protocol",
			  proto_name(id->proto), "port", id->port, "seen", (int)b->seen, "pause_s",
			  (double)b->pause_ns / NS_PER_S, "excused", (int)b->excused, "last",
			  time_json(l->v, (uint64_t)b->last_ns)));
}

static json_t *habits_json(const struct status_view *v)
{
	const struct habits_stats *s = &v->counters->engine.habits;
	struct habit_listing l = {
		.v = v,
		.list = json_array(),
		.skip = s->live > STATUS_HABITS_MAX ? s->live - STATUS_HABITS_MAX : 0,
	};

	if (v->counters->habits)
		habits_each(v->counters->habits, add_habit, &l);
	if (!l.r)
		return json_pack("{s:b, s:I, s:I, s:I, s:o?, s:o}", "on",
				 v->counters->habits != NULL, "total", (json_int_t)s->live,
				 "learnt", (json_int_t)s->learnt, "excused",
				 (json_int_t)v->counters->engine.excused, "state_file",
				 *v->state_file ? clean_json(v->state_file) : NULL, "list", l.list);
	json_decref(l.list);
	return NULL;
}

static json_t *allow_json(const struct allow *allow)
{
	char what[512], day[16];
	json_t *list = json_array();
	int r = 0;

	for (uint32_t i = 0; !r && i < allow_count(allow); i++) {
		const struct allow_entry *e = allow_entry(allow, i);

		allow_text(e, what, sizeof(what));
		r = json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:s*, s:b, s:I, s:I}", "from",
					clean_json(e->from), "what", clean_json(what), "comment",
					clean_json(e->comment), "expires",
					e->expires_s ? allow_date(e, day) : NULL, "expired",
					e->expiry_said, "attempts", (json_int_t)e->attempts,
					"silent", (json_int_t)e->silent));
	}
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *missed_json(const struct status_view *v)
{
	json_t *list = json_array();
	int r = 0;

	for (size_t i = 0; !r && i < v->n_missed && i < STATUS_MISSED_MAX; i++)
		r = json_array_append_new(list, json_pack("{s:o, s:i, s:o}", "interface",
							  clean_json(v->missed[i].name), "index",
							  (int)v->missed[i].ifindex, "why",
							  clean_json(v->missed[i].why)));
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

json_t *status_json(const struct status_view *v)
{
	json_t *root = status_figures(v);
	int r = 0;

	r |= json_object_set_new(root, "not_watched", missed_json(v));
	r |= json_object_set_new(root, "not_watched_total", json_integer((json_int_t)v->n_missed));
	r |= json_object_set_new(root, "owners",
				 json_pack("{s:b, s:o?}", "known", !*v->no_owners, "why_not",
					   *v->no_owners ? clean_json(v->no_owners) : NULL));
	r |= json_object_set_new(root, "guard", guard_json(v));
	r |= json_object_set_new(root, "habits", habits_json(v));
	r |= json_object_set_new(root, "allow_list", allow_json(v->counters->allow));
	r |= alerts_set(v, root, alert_brief);
	r |= incidents_set(v, root);
	if (!r)
		return root;
	json_decref(root);
	return NULL;
}

/* ---- live ---- */

static json_t *techniques_json(const struct looker *k)
{
	json_t *list = json_array();
	int r = 0;

	/* A protocol at a time: what the bits mean depends on it. */
	static const uint8_t protos[] = {
		[LIVE_TCP] = PROTO_TCP,	  [LIVE_UDP] = PROTO_UDP,   [LIVE_SCTP] = PROTO_SCTP,
		[LIVE_ICMP] = PROTO_ICMP, [LIVE_OTHER] = PROTO_ANY,
	};
	const char *seen[ALERT_TECHNIQUES_MAX * LIVE_PROTO_MAX];
	unsigned int n = 0;

	for (enum live_proto p = 0; p < LIVE_PROTO_MAX; p++) {
		const struct alert alone = { .bits = p == LIVE_TCP ? k->bits & ~CONTACT_UDP : 0,
					     .proto = protos[p] };

		if (k->protos & 1u << p)
			n += alert_techniques(&alone, seen + n);
	}
	for (unsigned int i = 0; i < n && !r; i++)
		r = json_array_append_new(list, json_string(seen[i]));
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *protocols_json(const struct looker *k)
{
	json_t *list = json_array();
	int r = 0;

	for (enum live_proto p = 0; p < LIVE_PROTO_MAX; p++)
		if (k->protos & 1u << p)
			r |= json_array_append_new(list, json_string(live_proto_name(p)));
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

enum {
	PORTS_TEXT_MAX = 1024 /* of one list, live */
};

/* Ports as ranges, cut where they get long: then the last element is "...". */
static json_t *ports_json(const struct portset *ports, enum answer a)
{
	char text[PORTS_TEXT_MAX + 5];
	bool cut = portset_format(ports, a, text, PORTS_TEXT_MAX) >= PORTS_TEXT_MAX;

	return json_sprintf("%s%s", text, cut ? ",..." : "");
}

static json_t *answers_json(const struct portset *ports)
{
	json_t *o = json_object();
	int r = 0;

	for (enum answer a = 0; a < ANSWER_MAX; a++)
		r |= json_object_set_new(o, answer_name(a), ports_json(ports, a));
	if (!r)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *history_json(const struct looker *k, uint64_t now_ns)
{
	json_t *list = json_array();
	int r = 0;

	for (uint32_t ago = LIVE_SECONDS; ago-- && !r;)
		r = json_array_append_new(list, json_integer(looker_second(k, now_ns, ago)));
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *hosts_json(const struct looker *k)
{
	json_t *list = json_array();
	int r = 0;

	for (uint32_t i = 0; !r && i < k->hosts; i++)
		r = json_array_append_new(list, addr_json(&k->host[i]));
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *looker_json(const struct status_view *v, const struct ip_addr *orig,
			   const struct looker *k)
{
	char ifname[IF_NAMESIZE] = "";

	/* clang-format off */
	return json_pack("{s:o, s:o, s:o, s:I, s:f, s:o, s:o, s:b, s:i, s:o, s:o, s:o, s:o, s:s, s:o, s:o}",
			 "originator", addr_json(orig),
			 "first", time_json(v, k->first_ns),
			 "last", time_json(v, k->last_ns),
			 "attempts", (json_int_t)k->attempts,
			 "rate_pps", looker_rate(k, v->sc.now_ns),
			 "per_second", history_json(k, v->sc.now_ns),
			 "responders", hosts_json(k),
			 "responders_cut", k->hosts_cut,
			 "port_count", (int)portset_count(k->ports),
			 "ports", ports_json(k->ports, ANSWER_MAX),
			 "answers", answers_json(k->ports),
			 "protocols", protocols_json(k),
			 "technique", techniques_json(k),
			 "direction", k->dir == DIR_EGRESS ? "egress" : "ingress",
			 "interface", clean_json(if_indextoname(k->ifindex, ifname)),
			 "owner", owner_json(v, k->owner));
	/* clang-format on */
}

struct looker_listing {
	const struct status_view *v;
	json_t *list;
	int r;
};

static bool add_looker(void *ctx, const struct ip_addr *orig, const struct looker *k)
{
	struct looker_listing *l = ctx;

	l->r |= json_array_append_new(l->list, looker_json(l->v, orig, k));
	return !l->r && json_array_size(l->list) < STATUS_LOOKERS_MAX;
}

static json_t *totals_json(const struct status_view *v)
{
	const struct counters *c = v->counters;
	const unsigned long long *n = c->kernel.n;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "packets",
			 (json_int_t)(n[STAT_INGRESS] + n[STAT_EGRESS]), "attempts",
			 (json_int_t)n[STAT_ATTEMPTS], "undecided", (json_int_t)c->sweep.undecided,
			 "probes", (json_int_t)c->engine.probes, "alerts_opened",
			 (json_int_t)c->engine.alerts_opened, "lost", lost_of(c));
}

json_t *status_live(const struct status_view *v)
{
	struct looker_listing l = { .v = v, .list = json_array() };
	struct live_stats live;
	json_t *root;
	int r;

	live_each(v->live, add_looker, &l);
	live_stats_get(v->live, &live);
	root = json_pack("{s:s, s:s, s:o, s:f, s:i, s:o, s:I, s:o}", "type", "live", "version",
			 RECONMON_VERSION, "time", time_json(v, v->sc.now_ns), "uptime_s",
			 (double)(v->sc.now_ns - v->started_ns) / NS_PER_S, "interfaces",
			 (int)v->hooks, "totals", totals_json(v), "originators_total",
			 (json_int_t)live.originators, "originators", l.list);
	r = l.r | alerts_set(v, root, alert_full);
	r |= incidents_set(v, root);
	if (!r)
		return root;
	json_decref(root);
	return NULL;
}

char *status_text(json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(STATUS_DIGITS))
			    : NULL;

	json_decref(answer);
	return text;
}
