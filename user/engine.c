// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine_parts.h"
#include "live.h"
#include "net.h"
#include "ordinary.h"

enum {
	ANY_SERVICE = 0, /* in the place of a port in the history: some port below 1024, of UDP */

	SERVED_MAX = 65536, /* ports with payload of hosts that a rule about many looks at */
	DUE_MAX = 65536,    /* groups of such rules to judge after a drain */

	SCAN_PORTS =
		64, /* who has looked at more ports of a host is not watched for habits there */
};

/* In windows longer than this a stray look comes along by itself; habits are no context to it. */
#define CONTEXT_MAX_NS (15 * 60 * 1000000000ull)

/* A threshold for each span that fits into span and slack, begun ones too (window.h). */
static uint32_t keep_of(const struct rule *rule, uint64_t slack_ns)
{
	uint64_t spans = 1 + (slack_ns + rule->window_ns - 1) / rule->window_ns;
	uint64_t keep = rule->threshold * (spans > 2 ? spans : 2);

	if (rule_is_joint(rule)) /* pairs, of which most may not count */
		return JOINT_KEEP;
	return keep < WINDOW_KEEP_MAX ? (uint32_t)keep : WINDOW_KEEP_MAX;
}

static void runner_free(struct runner *r)
{
	if (!r)
		return;
	window_free(r->window);
	alertbook_free(r->book);
	table_free(r->due);
	free(r);
}

/* runner_new - NULL for want of memory. */
static struct runner *runner_new(const struct engine *e, const struct rule *rule)
{
	const struct window_spec spec = {
		.span_ns = rule->window_ns,
		.slack_ns = e->slack_ns,
		.mode = rule->mode,
		.keep = keep_of(rule, e->slack_ns),
		.enough = rule->threshold,
		/* When a pair was shown before is nothing to joint.h, and forged addresses make
		 * a million of them. */
		.last_only = rule_is_joint(rule),
		.stops = rule_is_joint(rule),
		.hosts = rule_is_joint(rule) || rule->distinct & FIELD_RESP,
		.max_groups = e->cfg->groups_max,
	};
	const struct alertbook_limits alerts = { ENGINE_ALERTS_MAX, ENGINE_ALERTS_BYTES };
	struct runner *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->own = *rule;
	r->rule = &r->own;
	r->window = window_new(&spec);
	r->book = alertbook_new(&alerts, e->emit, e->emit_ctx);
	r->due = rule_is_joint(rule) ? table_new(sizeof(struct due), DUE_MAX) : NULL;
	if (!r->window || !r->book || (!r->due && rule_is_joint(rule))) {
		runner_free(r);
		return NULL;
	}
	alertbook_clock(r->book, e->wall_offset_ns);
	return r;
}

static bool is_wake_rule(const struct rule *r)
{
	return r->distinct == FIELD_RESP_PORT &&
	       (r->group & (FIELD_ORIG | FIELD_RESP)) == (FIELD_ORIG | FIELD_RESP);
}

/* cover_of - whom a rule yields to, if that one is enabled. */
static const struct runner *cover_of(const struct engine *e, const struct rule *rule)
{
	for (uint32_t i = 0; i < e->runners; i++)
		if (!strcmp(rule->yields_to, e->runner[i]->rule->name) &&
		    strcmp(rule->name, rule->yields_to) != 0)
			return e->runner[i];
	return NULL;
}

/* is_same_shape - whether the evidence that one has kept is what the other would have kept. */
static bool is_same_shape(const struct rule *a, const struct rule *b)
{
	if (strcmp(a->name, b->name) != 0 || strcmp(a->yields_to, b->yields_to) != 0 ||
	    a->ports.n != b->ports.n ||
	    memcmp(a->ports.range, b->ports.range, a->ports.n * sizeof(a->ports.range[0])) != 0)
		return false;
	return a->where == b->where && a->originator == b->originator &&
	       a->responder == b->responder && a->protocol == b->protocol &&
	       a->originators == b->originators && a->group == b->group &&
	       a->distinct == b->distinct && a->mode == b->mode && a->window_ns == b->window_ns;
}

static struct runner *runner_of(const struct engine *e, const struct rule *rule)
{
	for (uint32_t i = 0; i < e->runners; i++)
		if (is_same_shape(e->runner[i]->rule, rule))
			return e->runner[i];
	return NULL;
}

/* runner_fit - makes room for a threshold that may come, without changing what counts now. */
static int runner_fit(const struct engine *e, struct runner *r, const struct rule *rule)
{
	uint32_t less = rule->threshold < r->rule->threshold ? rule->threshold : r->rule->threshold;

	return window_adjust(r->window, keep_of(rule, e->slack_ns), less);
}

/* runner_drop - its rule is no more: alerts say their last word, figures stay in the sums. */
static void runner_drop(struct engine *e, struct runner *r)
{
	struct alertbook_stats b;
	struct window_stats w;

	alertbook_close_all(r->book);
	window_stats_get(r->window, &w);
	alertbook_stats_get(r->book, &b);
	e->stats.groups_evicted += w.evicted;
	e->stats.no_memory += w.no_memory + b.no_memory;
	e->stats.alerts_opened += b.opened;
	e->stats.alerts_closed += b.closed;
	e->stats.alerts_retracted += b.retracted;
	e->stats.alerts_forced += b.forced;
	runner_free(r);
}

/* What follows from all rules together. */
static void runners_sum_up(struct engine *e)
{
	e->wake = NULL;
	e->history_span_ns = 0;
	for (uint32_t i = 0; i < e->runners; i++) {
		const struct rule *rule = e->runner[i]->rule;

		e->runner[i]->cover = cover_of(e, rule);
		e->runner[i]->place = i;
		if (rule->where == WHERE_PROBE && rule->window_ns > e->history_span_ns)
			e->history_span_ns = rule->window_ns;
		if (is_wake_rule(rule) && (!e->wake || rule->threshold < e->wake->rule->threshold))
			e->wake = e->runner[i];
	}
}

/* A set of runners in the making; those of `made` are new and in no engine yet. */
struct cast {
	struct runner *runner[RULES_MAX];
	const struct rule *rule[RULES_MAX];
	bool made[RULES_MAX];
	uint32_t n;
};

/* cast_fill - finds or makes a runner for every rule that is enabled. Returns 0, or -ENOMEM; then
 * nothing was made. */
static int cast_fill(const struct engine *e, const struct rule_set *rules, struct cast *ret)
{
	ret->n = 0;
	for (uint32_t i = 0; i < rules->n; i++) {
		const struct rule *rule = &rules->rule[i];
		struct runner *r = rule->enabled ? runner_of(e, rule) : NULL;
		bool made = !r;

		if (!rule->enabled)
			continue;
		if (made)
			r = runner_new(e, rule);
		else if (runner_fit(e, r, rule) < 0)
			r = NULL;
		if (!r)
			goto fail;
		ret->rule[ret->n] = rule;
		ret->made[ret->n] = made;
		ret->runner[ret->n++] = r;
	}
	return 0;

fail:
	while (ret->n--)
		if (ret->made[ret->n])
			runner_free(ret->runner[ret->n]);
	return -ENOMEM;
}

static bool cast_has(const struct cast *c, const struct runner *r)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->runner[i] == r)
			return true;
	return false;
}

/* served_fit - makes the table of served ports, if a rule that asks for it may come. */
static int served_fit(struct engine *e, const struct rule_set *rules)
{
	for (uint32_t i = 0; i < rules->n && !e->served; i++)
		if (rules->rule[i].enabled && rule_is_joint(&rules->rule[i])) {
			e->served = table_new(sizeof(struct carried), SERVED_MAX);
			if (!e->served)
				return -ENOMEM;
		}
	return 0;
}

int engine_rules(struct engine *e, const struct rule_set *rules)
{
	struct cast next;

	if (served_fit(e, rules) < 0 || cast_fill(e, rules, &next) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < e->runners; i++)
		if (!cast_has(&next, e->runner[i]))
			runner_drop(e, e->runner[i]);
	for (uint32_t i = 0; i < next.n; i++) {
		struct runner *r = next.runner[i];

		r->own = *next.rule[i];
		r->bit = 1u << (next.rule[i] - rules->rule);
		window_adjust(r->window, 0, r->own.threshold); /* room is made: cannot fail */
		e->runner[i] = r;
	}
	e->runners = next.n;
	runners_sum_up(e);
	return 0;
}

struct engine *engine_new(const struct config *cfg, alertbook_emit_fn *emit, void *ctx)
{
	bool wanted = cfg->habits && cfg->profile != PROFILE_SPLUNK;
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->cfg = cfg;
	e->emit = emit;
	e->emit_ctx = ctx;
	e->slack_ns = cfg->settle_open_ns + cfg->settle_ns + cfg->tick_ns;
	e->history = table_new(sizeof(struct carried), ENGINE_HISTORY_MAX);
	e->incidents = incidents_new(ENGINE_INCIDENTS_MAX);
	e->habits = wanted ? habits_new(cfg->habits_max) : NULL;
	if (e->history && e->incidents && (e->habits || !wanted) && !engine_rules(e, &cfg->rules))
		return e;
	engine_free(e);
	return NULL;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; i < e->runners; i++)
		runner_free(e->runner[i]);
	table_free(e->history);
	table_free(e->served);
	habits_free(e->habits);
	incidents_free(e->incidents);
	free(e);
}

struct habits *engine_habits(const struct engine *e)
{
	return e->habits;
}

void engine_owners(struct engine *e, struct owners *owners)
{
	e->owners = owners;
}

void engine_live(struct engine *e, struct live *live)
{
	e->live = live;
}

void engine_clock(struct engine *e, int64_t wall_offset_ns)
{
	e->wall_offset_ns = wall_offset_ns;
	incidents_clock(e->incidents, wall_offset_ns);
	for (uint32_t i = 0; i < e->runners; i++)
		alertbook_clock(e->runner[i]->book, wall_offset_ns);
}

static struct group_key group_of(const struct engine *e, const struct rule *rule,
				 const struct contact_key *key, uint64_t t_ns)
{
	static const struct ip_addr none;
	uint16_t port = rule->group & FIELD_RESP_PORT ? ntohs(key->resp_port) : 0;
	uint8_t proto = rule->group & FIELD_PROTO ? key->proto : 0;
	uint32_t bin = 0;

	if (rule->mode == WINDOW_TUMBLING)
		bin = (uint32_t)(((int64_t)t_ns + e->wall_offset_ns) / (int64_t)rule->window_ns);
	return (struct group_key){
		.orig = rule->group & FIELD_ORIG ? key->orig : none,
		.resp = rule->group & FIELD_RESP ? key->resp : none,
		.what = group_what(port, proto, bin),
	};
}

static struct window_value value_of(const struct rule *rule, const struct contact_key *key,
				    uint32_t bits, uint64_t t_ns)
{
	struct window_value v = { .t_ns = t_ns, .bits = bits };

	if (rule->distinct & FIELD_RESP_PORT)
		v.port = ntohs(key->resp_port);
	if (rule->distinct & FIELD_RESP)
		v.addr = key->resp;
	if (rule_is_joint(rule))
		v.addr = key->orig;
	return v;
}

struct alert_evidence engine_evidence(const struct window_value *v, const struct contact *c,
				      uint32_t attempts)
{
	return (struct alert_evidence){
		.host = v->addr,
		.port = v->port,
		.bits = v->bits,
		.attempts = attempts,
		.t_ns = v->t_ns,
		.ifindex = c->ifindex,
		.dir = c->dir,
	};
}

/* contact_of_value - which contact showed a value to the group that the contact `key` is in. A rule
 * that tells neither by its group nor by what it counts which host or port it was leaves only the
 * contact itself: false for any other. */
static bool contact_of_value(const struct rule *rule, const struct contact_key *key,
			     const struct window_value *v, struct contact_key *ret)
{
	uint8_t told = rule->group | rule->distinct;

	*ret = *key;
	if (rule_is_joint(rule))
		ret->orig = v->addr;
	if (rule->distinct & FIELD_RESP)
		ret->resp = v->addr;
	if (rule->distinct & FIELD_RESP_PORT)
		ret->resp_port = htons(v->port);
	return (told & FIELD_RESP && told & FIELD_RESP_PORT) || !memcmp(ret, key, sizeof(*ret));
}

/* owner_of - who that was. */
static const struct owner *owner_of(const struct engine *e, const struct rule *rule,
				    const struct contact_key *key, const struct contact *c,
				    const struct window_value *v)
{
	struct contact_key k;

	if (!e->owners || !contact_of_value(rule, key, v, &k))
		return NULL;
	return owners_find(e->owners, &k, c);
}

/* Was the value shown within a window's length of the moment? */
bool engine_is_near(const struct rule *rule, const struct window_value *v, uint64_t t_ns)
{
	uint64_t span = rule->window_ns;

	if (rule->mode == WINDOW_TUMBLING)
		return true;
	return (v->t_ns + span >= t_ns && v->run_ns <= t_ns + span) ||
	       (v->before_ns + span >= t_ns && v->before_ns <= t_ns + span);
}

static bool is_in_scope(enum rule_scope scope, bool internal)
{
	return scope == SCOPE_ANY || internal == (scope == SCOPE_INTERNAL);
}

/* Is this, the contact that is being taken in, one that the rule looks at? */
bool engine_looks_at(const struct engine *e, const struct rule *rule, const struct contact_key *key,
		     uint32_t bits)
{
	/* Payload alone is nothing to a rule on probes; a transfer is, by the letter. */
	if (rule->where == WHERE_PROBE && !(bits & (CONTACT_SILENT | CONTACT_TRANSFER)))
		return false;
	return (!rule->protocol || rule->protocol == key->proto) &&
	       is_in_scope(rule->responder, e->resp_internal) &&
	       (rule->originator == SCOPE_ANY ||
		is_in_scope(rule->originator, net_list_has(&e->cfg->internal, &key->orig))) &&
	       (!rule->ports.n || port_ranges_has(&rule->ports, ntohs(key->resp_port)));
}

/* engine_named - an alert of r lists the value v from now on: that is no news to the rules that
 * yield to r, and somebody has been told of the habit that it may become. */
void engine_named(struct engine *e, const struct runner *r, const struct contact_key *key,
		  const struct window_value *v)
{
	struct contact_key k;

	if (r->rule->where != WHERE_PROBE || !contact_of_value(r->rule, key, v, &k))
		return;
	if (e->habits && !(e->said && !memcmp(&k, key, sizeof(k)))) {
		habits_say(e->habits, &k, e->who);
		e->said |= !memcmp(&k, key, sizeof(k));
	}
	for (uint32_t i = 0; i < e->runners; i++) {
		struct runner *yields = e->runner[i];
		struct group_key group;
		struct window_value there;

		if (yields->cover != r)
			continue;
		group = group_of(e, yields->rule, &k, v->t_ns);
		there = value_of(yields->rule, &k, 0, v->t_ns);
		window_forget(yields->window, &group, &there);
	}
}

/* is_covered - does an open alert of the rule that this one yields to say so already? */
static bool is_covered(const struct engine *e, const struct runner *r,
		       const struct contact_key *key, uint32_t bits, uint64_t t_ns)
{
	const struct alert *a;
	struct group_key group;

	if (!r->cover || !engine_looks_at(e, r->cover->rule, key, bits))
		return false;
	group = group_of(e, r->cover->rule, key, t_ns);
	a = alertbook_get(r->cover->book, &group);
	return a && t_ns <= a->last_ns + r->cover->rule->window_ns;
}

/* How long after its window an alert still waits for evidence that ripens late; never longer than
 * the window itself: who asks for five seconds does not want to wait for forty. */
uint64_t engine_grace(const struct engine *e, const struct rule *rule)
{
	return e->slack_ns < rule->window_ns ? e->slack_ns : rule->window_ns;
}

/* join - an alert with evidence of t_ns belongs to its originator's incident. It may last for a
 * window (a bin, which may have begun with it) and what ripens late; then a window more. */
static void join(struct engine *e, const struct runner *r, struct alert *a, uint64_t t_ns)
{
	uint64_t until = t_ns + 2 * (r->rule->window_ns + engine_grace(e, r->rule));
	const struct incident *i = incident_join(e->incidents, &a->orig, &a->resp, t_ns, until);

	if (!i) {
		e->stats.no_memory++;
		return;
	}
	a->incident_hosts = i->hosts;
	if (!a->incident[0])
		memcpy(a->incident, i->id, sizeof(a->incident));
}

/* The threshold is reached: an alert opens with everything that its window holds. */
static void open_alert(struct engine *e, struct runner *r, const struct group_key *group,
		       const struct window_value *now, const struct contact_key *key,
		       const struct contact *c)
{
	struct alert *a = alertbook_open(r->book, r->rule, group, now->t_ns);
	struct window_values values;

	if (!a)
		return;
	a->orig_internal = net_list_has(&e->cfg->internal, &group->orig);
	join(e, r, a, now->t_ns);
	values = window_values(r->window, group);
	for (uint32_t i = 0; i < values.n; i++) {
		const struct window_value v = window_value(&values, i);
		struct alert_evidence ev = engine_evidence(&v, c, 1);

		if (!engine_is_near(r->rule, &v, now->t_ns))
			continue;
		ev.owner = owner_of(e, r->rule, key, c, &v);
		alertbook_add(r->book, a, &ev);
		engine_named(e, r, key, &v);
	}
}

static void suspect_add(struct suspects *s, const struct ip_addr *orig)
{
	uint32_t i = addr_hash(orig) & (SUSPECT_BITS - 1);

	s->bit[s->young][i / 64] |= 1ull << i % 64;
}

static bool suspect_may_be(const struct suspects *s, const struct ip_addr *orig)
{
	uint32_t i = addr_hash(orig) & (SUSPECT_BITS - 1);

	return (s->bit[0][i / 64] | s->bit[1][i / 64]) >> i % 64 & 1;
}

/* suspects_age - begins another generation when no window can hold what the older one knows. A
 * window or an alert lets go within twice the slack of its span; anything newer sets its bit. */
static void suspects_age(struct engine *e, uint64_t now_ns)
{
	struct suspects *s = &e->suspects;

	if (s->since_ns && now_ns < s->since_ns + e->history_span_ns + 4 * e->slack_ns)
		return;
	if (s->since_ns) {
		s->young = !s->young;
		memset(s->bit[s->young], 0, sizeof(s->bit[0]));
	}
	s->since_ns = now_ns;
}

/* tell - tells an open alert of a value. */
static void tell(struct engine *e, const struct runner *r, struct alert *a,
		 const struct contact_key *key, const struct contact *c,
		 const struct window_value *v, uint32_t attempts)
{
	struct alert_evidence ev = engine_evidence(v, c, attempts);

	ev.owner = owner_of(e, r->rule, key, c, v);
	alertbook_add(r->book, a, &ev);
	join(e, r, a, v->t_ns);
	engine_named(e, r, key, v);
	e->in_scan |= r->rule->distinct == FIELD_RESP_PORT && a->count > SCAN_PORTS;
}

static bool by_the_letter(const struct engine *e)
{
	return e->cfg->profile == PROFILE_SPLUNK;
}

/* is_habit - is the silence of a contact with these bits, at that moment, a habit to this rule?
 * What no ordinary program sends never is. */
static bool is_habit(const struct engine *e, const struct rule *rule, const struct contact_key *key,
		     uint32_t bits, uint64_t t_ns)
{
	return e->habits && !(bits & CONTACT_ODD) &&
	       habits_excuse(e->habits, key, e->who, t_ns, rule->window_ns,
			     rule->distinct & FIELD_RESP);
}

bool engine_excuses(const struct engine *e, const struct rule *rule, const struct contact_key *key,
		    uint32_t bits, uint64_t t_ns)
{
	return (ordinary_is_traceroute(key) && !by_the_letter(e)) ||
	       is_habit(e, rule, key, bits, t_ns);
}

/* counts - does what the group shows around the moment `now` count, or are habits all there is to
 * it? One port that is no habit makes the group count, with the habits as context. Responders come
 * and go behind a checker: there as many strangers as the threshold are needed. */
static bool counts(const struct engine *e, const struct runner *r, const struct group_key *group,
		   const struct window_value *now, const struct contact_key *key)
{
	const struct rule *rule = r->rule;
	bool alone = rule->distinct & FIELD_RESP || rule->window_ns > CONTEXT_MAX_NS;
	uint32_t needed = alone ? rule->threshold : 1;
	struct window_values values;

	if (by_the_letter(e) || rule->where != WHERE_PROBE)
		return true;
	values = window_values(r->window, group);
	for (uint32_t i = 0; i < values.n && needed; i++) {
		const struct window_value v = window_value(&values, i);
		struct contact_key k;

		if (engine_is_near(rule, &v, now->t_ns) &&
		    !(contact_of_value(rule, key, &v, &k) &&
		      engine_excuses(e, rule, &k, v.bits, now->t_ns)))
			needed--;
	}
	return !needed;
}

struct table_look engine_look(const struct engine *e, const struct runner *r,
			      const struct group_key *group)
{
	return r->rule->mode == WINDOW_SLIDING ? e->plan->group[r->place]
					       : window_look(r->window, group);
}

/* Shows one moment of a contact to a rule. */
static void show(struct engine *e, struct runner *r, const struct contact_key *key,
		 const struct contact *c, uint64_t t_ns, uint32_t attempts)
{
	struct group_key group = group_of(e, r->rule, key, t_ns);
	struct window_value v = value_of(r->rule, key, CONTACT_BITS(c->word), t_ns);
	struct table_look look;
	struct alert *a;

	if (is_covered(e, r, key, CONTACT_BITS(c->word), t_ns))
		return;
	if (r->rule->where == WHERE_PROBE && !e->suspected)
		suspect_add(&e->suspects, &key->orig);
	e->suspected |= r->rule->where == WHERE_PROBE;
	if (rule_is_joint(r->rule)) {
		joint_show(e, r, &group, &v, c);
		return;
	}
	a = alertbook_get(r->book, &group);
	if (a && r->rule->mode == WINDOW_SLIDING && t_ns > a->last_ns + r->rule->window_ns) {
		alertbook_end(r->book, a); /* over, though no flush has come by yet */
		a = NULL;
	}
	look = engine_look(e, r, &group);
	if (!a) {
		if (window_add_by(r->window, &look, &group, &v) >= r->rule->threshold &&
		    counts(e, r, &group, &v, key))
			open_alert(e, r, &group, &v, key, c);
		return;
	}
	/* What was reported while it was open is reported again as it closes. */
	if (attempts && window_last(r->window, &group, &v) == t_ns)
		attempts--;
	window_show_by(r->window, &look, &group, &v); /* what it counts to is said already */
	if (r->rule->where == WHERE_PROBE && is_habit(e, r->rule, key, v.bits, t_ns))
		return; /* or a health check would keep it open for ever */
	tell(e, r, a, key, c, &v, attempts);
}

/* Attempts between the first and the last of a drain need no showing: as long as a drain covers
 * less time than a window, every window that holds one of them holds the first or the last. */
static void show_both(struct engine *e, struct runner *r, const struct contact_key *key,
		      const struct contact *c, uint64_t first_ns, uint64_t last_ns, uint32_t n)
{
	show(e, r, key, c, first_ns, n);
	if (last_ns > first_ns)
		show(e, r, key, c, last_ns, 0);
}

static struct group_key history_key(const struct contact_key *key)
{
	return (struct group_key){
		.orig = key->orig,
		.resp = key->resp,
		.what = group_what(ntohs(key->resp_port), key->proto, 0),
	};
}

/* Takes a silent attempt back from a rule that counted it at most within_ns before or after t_ns.
 * Returns true if its window held it. */
static bool retract_near(struct engine *e, struct runner *r, const struct contact_key *key,
			 const struct contact *c, uint64_t t_ns, uint64_t within_ns)
{
	const uint64_t at[] = { t_ns > within_ns ? t_ns - within_ns : 0, t_ns, t_ns + within_ns };
	struct window_value v = value_of(r->rule, key, 0, t_ns);
	struct alert_evidence ev = engine_evidence(&v, c, 0);
	struct group_key last = { .bin = 0 };
	bool taken = false;

	for (int i = 0; i < 3; i++) { /* a tumbling rule may have it in a bin beside this one */
		struct group_key group = group_of(e, r->rule, key, at[i]);
		struct alert *a = alertbook_get(r->book, &group);
		int gone;

		if (i && !memcmp(&group, &last, sizeof(group)))
			continue;
		last = group;
		gone = window_retract(r->window, &group, &v, within_ns);
		taken |= gone > 0;
		/* What an alert lists and its window has forgotten is taken back too, unless only
		 * the very attempt may be. */
		if (a && (gone > 0 || (gone < 0 && within_ns)))
			alertbook_retract(r->book, a, &ev);
	}
	return taken;
}

/* Takes the silent attempts at a contact back from every rule that counted them: all within a
 * window of the payload, or, by the letter, the attempt that carries it and was counted while it
 * was silent. */
static void retract(struct engine *e, const struct contact_key *key, const struct contact *c)
{
	bool taken = false;

	if (!suspect_may_be(&e->suspects, &key->orig))
		return;
	for (uint32_t i = 0; i < e->runners; i++) {
		struct runner *r = e->runner[i];
		uint64_t within = by_the_letter(e) ? 0 : r->rule->window_ns;

		if (r->rule->where != WHERE_PROBE)
			continue;
		taken |= retract_near(e, r, key, c, c->carried_last_ns, within);
		if (c->carried_first_ns < c->carried_last_ns)
			taken |= retract_near(e, r, key, c, c->carried_first_ns, within);
	}
	e->stats.retracted += taken;
}

/* is_forgotten - can no window reach back to that payload any more? */
static bool is_forgotten(const struct engine *e, const struct carried *h)
{
	return h->t_ns + e->history_span_ns + e->slack_ns < e->now_ns;
}

static void remember_at(struct engine *e, struct table *table, const struct table_look *look,
			const struct group_key *k, uint64_t t_ns)
{
	struct carried *h;
	bool is_new;

	h = table_put_by(table, look, k, &is_new);
	if (!h && table_full(table)) {
		e->stats.history_full += !is_forgotten(e, table_oldest(table));
		table_remove(table, table_oldest(table));
		h = table_put_by(table, look, k, &is_new);
	}
	if (!h) {
		e->stats.no_memory++;
		return;
	}
	table_touch(table, h);
	if (t_ns > h->t_ns)
		h->t_ns = t_ns;
}

static void remember_carried(struct engine *e, const struct contact_key *key,
			     const struct contact *c)
{
	struct group_key k = history_key(key);
	struct table_look look;

	remember_at(e, e->history, &e->plan->history, &k, c->carried_last_ns);
	if (key->proto == PROTO_UDP && ntohs(key->resp_port) < PRIVILEGED_PORTS) {
		k.resp_port = ANY_SERVICE;
		look = table_look(e->history, &k);
		remember_at(e, e->history, &look, &k, c->carried_last_ns);
	}
	if (!joint_asks(e, key))
		return;
	k = joint_served_key(key);
	look = table_look(e->served, &k);
	remember_at(e, e->served, &look, &k, c->carried_last_ns);
}

/* is_carried_near - is that payload (NULL: none) within span_ns of the moment? */
static bool is_carried_near(const struct carried *h, uint64_t t_ns, uint64_t span_ns)
{
	return h && (t_ns > h->t_ns ? t_ns - h->t_ns : h->t_ns - t_ns) <= span_ns;
}

/* has_carried - did payload flow there within span_ns of the moment? */
static bool has_carried(const struct engine *e, const struct group_key *k, uint64_t t_ns,
			uint64_t span_ns)
{
	return is_carried_near(table_get(e->history, k), t_ns, span_ns);
}
static bool is_outweighed(const struct engine *e, const struct contact_key *key, uint64_t t_ns,
			  uint64_t span_ns)
{
	const struct group_key k = history_key(key);
	const struct carried *h = NULL;

	if (table_count(e->history))
		h = table_get_by(e->history, &e->plan->history, &k);
	return is_carried_near(h, t_ns, span_ns);
}

/* is_ftp_data - is it a data connection of hosts that speak FTP? Control connections last: the time
 * of their beginning is all that is known of them. */
static bool is_ftp_data(const struct engine *e, const struct contact_key *key, uint32_t bits,
			uint64_t t_ns)
{
	struct group_key k = history_key(key);

	if (!ordinary_may_be_ftp_data(key, bits))
		return false;
	for (size_t i = 0; i < sizeof(ordinary_ftp_ports) / sizeof(ordinary_ftp_ports[0]); i++) {
		k.resp_port = ordinary_ftp_ports[i];
		if (has_carried(e, &k, t_ns, e->history_span_ns))
			return true;
	}
	return false;
}

/* is_late_answer - did the responder ask the originator something, of which this is an answer that
 * came when nobody waited any more? */
static bool is_late_answer(const struct engine *e, const struct contact_key *key, uint32_t bits,
			   uint64_t t_ns)
{
	const struct group_key asked = {
		.orig = key->resp, .resp = key->orig, .resp_port = ANY_SERVICE, .proto = key->proto
	};

	return bits & CONTACT_LATE && has_carried(e, &asked, t_ns, e->history_span_ns);
}

enum verdict {
	VERDICT_IGNORED,
	VERDICT_OUTWEIGHED,
	VERDICT_HABIT,
	VERDICT_PROBE
};

/* judge - is the silence of this contact a probe to this rule? */
static enum verdict judge(const struct engine *e, const struct rule *rule,
			  const struct contact_key *key, const struct contact *c)
{
	uint32_t bits = CONTACT_BITS(c->word);

	if (by_the_letter(e)) {
		/* Zeek has no ports of these; without a span it leaves orig_bytes unset. */
		if (key->proto == PROTO_SCTP || key->proto == PROTO_ANY)
			return VERDICT_IGNORED;
		return bits & CONTACT_SPAN ? VERDICT_PROBE : VERDICT_IGNORED;
	}
	if (bits & CONTACT_UNASKED) /* a late packet, if ever there was a connection */
		return is_outweighed(e, key, c->silent_last_ns, e->history_span_ns)
			       ? VERDICT_OUTWEIGHED
			       : VERDICT_PROBE;
	if (!(bits & CONTACT_CLOSED) && is_outweighed(e, key, c->silent_last_ns, rule->window_ns))
		return VERDICT_OUTWEIGHED;
	if (is_ftp_data(e, key, bits, c->silent_last_ns) ||
	    is_late_answer(e, key, bits, c->silent_last_ns))
		return VERDICT_OUTWEIGHED;
	return VERDICT_PROBE;
}

static uint64_t first_of(const struct contact *c)
{
	if (!c->silent_first_ns ||
	    (c->carried_first_ns && c->carried_first_ns < c->silent_first_ns))
		return c->carried_first_ns;
	return c->silent_first_ns;
}

/* Shows a contact to a rule on probes. */
static enum verdict show_probe(struct engine *e, struct runner *r, const struct contact_key *key,
			       const struct contact *c)
{
	uint32_t bits = CONTACT_BITS(c->word);
	enum verdict verdict = VERDICT_IGNORED;

	if (bits & CONTACT_SILENT)
		verdict = judge(e, r->rule, key, c);
	if (verdict == VERDICT_PROBE) {
		show_both(e, r, key, c, c->silent_first_ns, c->silent_last_ns, c->silent);
		if (engine_excuses(e, r->rule, key, bits, c->silent_last_ns))
			verdict = VERDICT_HABIT;
	}
	if (bits & CONTACT_TRANSFER && by_the_letter(e)) {
		/* By the letter, an originator that let the responder stream was silent. */
		show_both(e, r, key, c, c->carried_first_ns, c->carried_last_ns, c->carried);
		return VERDICT_PROBE;
	}
	return verdict;
}

/* Takes in what a contact carried, before its silence is judged. */
static void take_carried(struct engine *e, const struct contact_key *key, const struct contact *c)
{
	uint32_t bits = CONTACT_BITS(c->word);

	if (bits & CONTACT_CARRIED && !by_the_letter(e))
		remember_carried(e, key, c);
	if (bits & (by_the_letter(e) ? CONTACT_PAYLOAD : CONTACT_CARRIED))
		retract(e, key, c);
}

/* allowed - the allow-list comes before every rule: for which of them (bits) the contact is let be.
 * Who it was is asked only if an entry does. */
static uint32_t allowed(struct engine *e, const struct contact_key *key, const struct contact *c)
{
	uint64_t t_ns =
		c->carried_last_ns > c->silent_last_ns ? c->carried_last_ns : c->silent_last_ns;
	const struct owner *owner = NULL;
	char pod[OWNER_POD_MAX];
	struct allow_owner who;
	uint32_t bits;
	int64_t wall_s;

	if (!e->cfg->allow)
		return 0;
	wall_s = ((int64_t)t_ns + e->wall_offset_ns) / 1000000000;
	if (e->owners && allow_wants_owner(e->cfg->allow))
		owner = owners_find(e->owners, key, c);
	if (owner)
		who = (struct allow_owner){
			.process = owner->name,
			.executable = owner->executable,
			.container = owner->where.container,
			.pod = owner->where.pod,
			.runtime = owner->where.runtime,
			.pod_name = owner_pod(owner, pod),
		};
	bits = allow_match(e->cfg->allow, key, c, owner ? &who : NULL, wall_s);
	e->stats.allowed += bits ? c->silent : 0;
	return bits;
}

/* is_shown - may the contact be shown to the rule at all? */
static bool is_shown(const struct rule *rule, const struct contact *c)
{
	return rule->where == WHERE_CONTACT ||
	       CONTACT_BITS(c->word) & (CONTACT_SILENT | CONTACT_TRANSFER);
}

void engine_plan(const struct engine *e, const struct contact_key *key, const struct contact *c,
		 struct engine_plan *ret)
{
	struct group_key k = history_key(key);
	struct window_value v;

	ret->history = table_look(e->history, &k);
	for (uint32_t i = 0; i < e->runners; i++) {
		const struct runner *r = e->runner[i];

		if (!is_shown(r->rule, c))
			continue;
		k = group_of(e, r->rule, key, c->silent_last_ns);
		ret->group[i] = window_look(r->window, &k);
		if (!rule_is_joint(r->rule)) /* few groups of others hold many values */
			continue;
		v = value_of(r->rule, key, 0, c->silent_last_ns);
		window_look_within(&ret->group[i], &v);
	}
	if (e->habits && CONTACT_BITS(c->word) & CONTACT_SILENT)
		habits_expect(e->habits, key);
}

void engine_expect(const struct engine *e, const struct contact *c, struct engine_plan *plan,
		   enum table_step step)
{
	if (step == EXPECT_WITHIN) {
		for (uint32_t i = 0; i < e->runners; i++)
			if (is_shown(e->runner[i]->rule, c) && plan->group[i].within)
				window_expect(e->runner[i]->window, &plan->group[i], step);
		return;
	}
	table_expect(e->history, &plan->history, step);
	for (uint32_t i = 0; i < e->runners; i++)
		if (is_shown(e->runner[i]->rule, c))
			window_expect(e->runner[i]->window, &plan->group[i], step);
}

/* who_is - whose silence it was, as far as habits ask: what leaves this host. Give it back. */
static const struct owner *who_is(const struct engine *e, const struct contact_key *key,
				  const struct contact *c)
{
	const struct owner *w = NULL;

	if ((e->habits || e->live) && e->owners && c->dir == DIR_EGRESS &&
	    CONTACT_BITS(c->word) & CONTACT_SILENT)
		w = owners_find(e->owners, key, c);
	return w ? owner_ref(w) : NULL;
}

/* learn - a silent contact that rules counted, or let be as a habit, is another sighting. A scan's
 * thousand ports are not: they would push out what may still become a habit. */
static void learn(struct engine *e, const struct contact_key *key, const struct contact *c,
		  bool excused)
{
	if (excused && (!e->habits || ordinary_is_traceroute(key)))
		e->stats.excused += c->silent;
	if (!e->habits || CONTACT_BITS(c->word) & CONTACT_ODD || e->in_scan ||
	    ordinary_is_traceroute(key))
		return;
	habits_see(e->habits, key, e->who, c->silent_first_ns, c->silent_last_ns);
	if (excused) {
		habits_note_excused(e->habits, key, e->who);
		e->stats.excused += c->silent;
	}
}

bool engine_contact(struct engine *e, const struct contact_key *key, const struct contact *c)
{
	struct engine_plan plan;

	engine_plan(e, key, c, &plan);
	return engine_contact_planned(e, key, c, &plan);
}

bool engine_contact_planned(struct engine *e, const struct contact_key *key,
			    const struct contact *c, const struct engine_plan *plan)
{
	bool found[VERDICT_PROBE + 1] = { false };
	uint32_t let_be = allowed(e, key, c);

	e->stats.contacts++;
	if (let_be == UINT32_MAX)
		return false;
	e->plan = plan;
	e->resp_internal = net_list_has(&e->cfg->internal, &key->resp);
	take_carried(e, key, c);
	e->who = who_is(e, key, c);
	e->in_scan = false;
	e->said = false;
	e->suspected = false;
	for (uint32_t i = 0; i < e->runners; i++) {
		struct runner *r = e->runner[i];
		uint64_t last = c->carried_last_ns > c->silent_last_ns ? c->carried_last_ns
								       : c->silent_last_ns;

		if (let_be & r->bit || !engine_looks_at(e, r->rule, key, CONTACT_BITS(c->word)))
			continue;
		if (r->rule->where == WHERE_CONTACT) {
			show_both(e, r, key, c, first_of(c), last, c->silent + c->carried);
			continue;
		}
		found[show_probe(e, r, key, c)] = true;
	}
	if (found[VERDICT_PROBE] || found[VERDICT_HABIT])
		learn(e, key, c, found[VERDICT_HABIT]);
	if (e->live && found[VERDICT_PROBE])
		live_see(e->live, key, c, e->who);
	owner_unref(e->who);
	e->who = NULL;
	e->stats.probes += found[VERDICT_PROBE] ? c->silent : 0;
	e->stats.outweighed += found[VERDICT_OUTWEIGHED] ? c->silent : 0;
	return found[VERDICT_PROBE];
}

void engine_unfollowed(struct engine *e, uint64_t n)
{
	for (uint32_t i = 0; i < e->runners; i++)
		alertbook_unfollowed(e->runner[i]->book, n);
}

/* forget_carried - payload that no window reaches any more: WINDOW_EXPIRE pieces at the most, what
 * is left for later means nothing. */
static void forget_carried(const struct engine *e, struct table *table)
{
	struct carried *h;

	for (int n = 0; table && n < WINDOW_EXPIRE; n++) {
		h = table_oldest(table);
		if (!h || !is_forgotten(e, h))
			return;
		table_remove(table, h);
	}
}

bool engine_judge_some(struct engine *e, uint32_t most)
{
	for (uint32_t i = 0; i < e->runners; i++)
		if (e->runner[i]->due)
			most = joint_judge(e, e->runner[i], most);
	return !most;
}

void engine_flush(struct engine *e, uint64_t now_ns, bool lost)
{
	engine_judge_some(e, UINT32_MAX); /* before others speak: join_together() */
	for (uint32_t i = 0; i < e->runners; i++)
		joint_decoys(e, e->runner[i]);
	for (uint32_t i = 0; i < e->runners; i++) {
		struct runner *r = e->runner[i];

		if (lost)
			alertbook_lost(r->book);
		alertbook_flush(r->book, now_ns, e->wall_offset_ns, engine_grace(e, r->rule));
		window_expire(r->window, now_ns);
	}
	suspects_age(e, now_ns);
	incidents_expire(e->incidents, now_ns);
	if (e->habits)
		habits_expire(e->habits, now_ns);
	e->now_ns = now_ns;
	forget_carried(e, e->history);
	forget_carried(e, e->served);
}

void engine_close(struct engine *e)
{
	engine_judge_some(e, UINT32_MAX);
	for (uint32_t i = 0; i < e->runners; i++)
		alertbook_close_all(e->runner[i]->book);
}

uint32_t engine_wake_ports(const struct engine *e)
{
	return e->wake ? e->wake->rule->threshold : 0;
}

uint32_t engine_pair_ports(const struct engine *e, const struct contact_key *key, uint64_t now_ns)
{
	struct group_key group;

	if (!e->wake)
		return 0;
	group = group_of(e, e->wake->rule, key, now_ns);
	return window_count(e->wake->window, &group, now_ns);
}

bool engine_rule(const struct engine *e, uint32_t i, struct engine_rule *ret)
{
	struct alertbook_stats b;
	struct window_stats w;

	if (i >= e->runners)
		return false;
	window_stats_get(e->runner[i]->window, &w);
	alertbook_stats_get(e->runner[i]->book, &b);
	*ret = (struct engine_rule){ e->runner[i]->rule, w.groups, b.opened, b.open };
	return true;
}

void engine_alerts(const struct engine *e, uint32_t i, alertbook_walk_fn *fn, void *ctx)
{
	if (i < e->runners)
		alertbook_walk(e->runner[i]->book, fn, ctx);
}

const struct alert *engine_alert(const struct engine *e, uint32_t i, const struct group_key *key)
{
	return i < e->runners ? alertbook_get(e->runner[i]->book, key) : NULL;
}

void engine_incidents(const struct engine *e, incidents_each_fn *fn, void *ctx)
{
	incidents_each(e->incidents, fn, ctx);
}

void engine_stats_get(const struct engine *e, struct engine_stats *ret)
{
	*ret = e->stats;
	ret->bytes = table_bytes(e->history) + (e->served ? table_bytes(e->served) : 0);
	ret->history = table_count(e->history);
	incidents_stats_get(e->incidents, &ret->incidents);
	ret->bytes += ret->incidents.bytes;
	if (e->habits) {
		habits_stats_get(e->habits, &ret->habits);
		ret->bytes += ret->habits.bytes;
	}
	for (uint32_t i = 0; i < e->runners; i++) {
		struct alertbook_stats b;
		struct window_stats w;

		window_stats_get(e->runner[i]->window, &w);
		alertbook_stats_get(e->runner[i]->book, &b);
		ret->groups += w.groups;
		ret->bytes += w.bytes + b.bytes;
		ret->groups_evicted += w.evicted;
		ret->no_memory += w.no_memory + b.no_memory;
		ret->alerts_opened += b.opened;
		ret->alerts_open += b.open;
		ret->alerts_closed += b.closed;
		ret->alerts_retracted += b.retracted;
		ret->alerts_forced += b.forced;
	}
}

/* ---- over a restart ---- */

/* save_carried - one of the tables of payload; NULL is as good as empty. */
static void save_carried(const struct table *t, struct blob *b)
{
	const struct carried *h = t ? table_oldest(t) : NULL;

	blob_put_u32(b, t ? table_count(t) : 0);
	for (; h; h = table_newer(t, h)) {
		blob_put(b, table_key(h), sizeof(struct group_key));
		blob_put(b, h, sizeof(*h));
	}
}

void engine_save(const struct engine *e, struct blob *b)
{
	blob_put(b, &e->stats, sizeof(e->stats));
	blob_put(b, &e->suspects, sizeof(e->suspects));
	save_carried(e->history, b);
	save_carried(e->served, b);
	incidents_save(e->incidents, b);
	blob_put_u32(b, e->habits != NULL);
	if (e->habits) {
		size_t part = blob_part_begin(b);

		habits_pack(e->habits, b);
		blob_part_end(b, part);
	}
	blob_put_u32(b, e->runners);
	for (uint32_t i = 0; i < e->runners; i++) {
		const struct runner *r = e->runner[i];

		blob_put(b, r->rule, sizeof(*r->rule));
		window_save(r->window, b);
		alertbook_save(r->book, b);
	}
}

/* load_carried - where no rule asks for it any more (NULL) it is let go of. */
static int load_carried(struct table *t, struct blob *b)
{
	uint32_t n = blob_get_u32(b);

	for (uint32_t i = 0; i < n && !b->failed; i++) {
		struct group_key key;
		struct carried one, *h;
		bool is_new;

		blob_get(b, &key, sizeof(key));
		blob_get(b, &one, sizeof(one));
		if (!t)
			continue;
		h = table_put(t, &key, &is_new);
		if (!h)
			return table_full(t) ? -EINVAL : -ENOMEM;
		*h = one;
	}
	return b->failed ? -EINVAL : 0;
}

static int load_habits(struct engine *e, struct blob *b)
{
	struct blob part;
	int r = 0;

	if (!blob_get_u32(b))
		return 0;
	part = blob_part(b);
	if (e->habits && !part.failed)
		r = habits_unpack(e->habits, &part);
	return part.failed ? -EINVAL : r;
}

/* load_runner - one whose rule is no more lives for as long as it takes to say so. */
static int load_runner(struct engine *e, struct blob *b)
{
	struct runner *r, *made = NULL;
	struct rule rule;
	int e_load;

	if (!blob_get(b, &rule, sizeof(rule)) || !memchr(rule.name, '\0', sizeof(rule.name)) ||
	    !memchr(rule.yields_to, '\0', sizeof(rule.yields_to)) || !rule.window_ns ||
	    !rule.threshold)
		return -EINVAL;
	r = runner_of(e, &rule);
	if (!r)
		r = made = runner_new(e, &rule);
	if (!r)
		return -ENOMEM;
	e_load = window_load(r->window, b);
	if (!e_load)
		e_load = alertbook_load(r->book, r->rule, b);
	if (!made)
		return e_load;
	if (e_load)
		runner_free(made);
	else
		runner_drop(e, made);
	return e_load;
}

int engine_load(struct engine *e, struct blob *b)
{
	uint32_t runners;
	int r;

	blob_get(b, &e->stats, sizeof(e->stats));
	blob_get(b, &e->suspects, sizeof(e->suspects));
	e->suspects.young &= 1;
	r = load_carried(e->history, b);
	if (!r)
		r = load_carried(e->served, b);
	if (!r)
		r = incidents_load(e->incidents, b);
	if (!r)
		r = load_habits(e, b);
	runners = blob_get_u32(b);
	for (uint32_t i = 0; i < runners && !r; i++)
		r = load_runner(e, b);
	return r ? r : b->failed ? -EINVAL : 0;
}
