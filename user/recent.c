// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "net.h"
#include "sink_json.h"

/* All closed alerts together; one is 2 to 60 KB. */
#define RECENT_BYTES (4u << 20)

/* From the time of a packet to that of a tick. */
const double recent_bounds_s[RECENT_BUCKETS - 1] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
						     0.1,   0.5,    1,	   5,	 30 };

struct closed {
	char id[ALERT_ID_LEN];
	char *text;
	size_t len;
};

/* What alerts of one rule have said. Rules come and go with reloads; their counts stay. */
struct said {
	char rule[RULE_NAME_MAX + 1];
	uint64_t n[RECENT_SEVERITIES][ALERT_CLOSE + 1];
};

struct recent {
	const struct output *out;
	struct closed closed[RECENT_MAX];
	uint64_t end; /* number of the next to come; each is at number % RECENT_MAX */
	uint32_t n;   /* that are kept: the last so many */
	int left;     /* of RECENT_AT_ONCE */
	uint64_t sequence;
	struct said *said;
	uint32_t rules;
	struct recent_stats stats;
};

void recent_took(struct recent_histogram *h, uint64_t ns)
{
	double s = (double)ns / 1e9;
	int i = 0;

	while (i < RECENT_BUCKETS - 1 && s > recent_bounds_s[i])
		i++;
	h->n[i]++;
	h->sum_s += s;
}

struct recent *recent_new(const struct output *out)
{
	struct recent *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->out = out;
	r->left = RECENT_AT_ONCE;
	return r;
}

static void drop_oldest(struct recent *r)
{
	struct closed *c = &r->closed[(r->end - r->n) % RECENT_MAX];

	r->stats.bytes -= c->len;
	r->stats.dropped++;
	free(c->text);
	c->text = NULL;
	r->n--;
}

void recent_free(struct recent *r)
{
	if (!r)
		return;
	while (r->n)
		drop_oldest(r);
	free(r->said);
	free(r);
}

void recent_tick(struct recent *r)
{
	r->left = RECENT_AT_ONCE;
}

/* ---- documents ---- */

static json_t *probe_json(const struct alert *a, const struct alert_probe *p,
			  const struct sink_context *sc)
{
	char time[SINK_TIME_MAX], addr[NET_TEXT_MAX];

	return json_pack("{s:s, s:s*, s:o*, s:s}", "time", sink_time(sc, p->t_ns, 6, time),
			 sink_has_orig(a) ? "responder" : "originator",
			 a->hosts ? addr_format(&p->addr, addr) : NULL, "port",
			 a->ports ? json_integer(p->port) : NULL, "answer",
			 p->answer == ANSWER_MAX ? "retracted" : answer_name(p->answer));
}

json_t *recent_json(const struct recent *r, const struct alert *a, enum alert_state state)
{
	struct geo geo;
	struct sink_context sc = output_context(r->out, a, &geo);
	json_t *probes = json_array();
	struct alert_probe p;
	uint32_t n = 0;

	sc.sequence = r->sequence;
	while (alertbook_probe(a, n, &p)) {
		if (json_array_append_new(probes, probe_json(a, &p, &sc)) < 0)
			goto fail;
		n++;
	}
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o}", "type", "alert", "id", a->id, "state",
			 state == ALERT_CLOSE ? "closed" : "open", "probes", probes,
			 "probes_left_out", (json_int_t)(alertbook_probes(a) - n), "document",
			 sink_json_document(a, state, &sc));

fail:
	json_decref(probes);
	return NULL;
}

/* keep - the last word of an alert, for those who ask. */
static void keep(struct recent *r, const struct alert *a)
{
	json_t *doc = r->left > 0 ? recent_json(r, a, ALERT_CLOSE) : NULL;
	char *text =
		doc ? json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(SINK_JSON_DIGITS)) : NULL;
	size_t len = text ? strlen(text) : 0;
	struct closed *c;

	json_decref(doc);
	if (!text || len > RECENT_BYTES) {
		r->stats.dropped++;
		free(text);
		return;
	}
	r->left--;
	while (r->n == RECENT_MAX || (r->n && r->stats.bytes + len > RECENT_BYTES))
		drop_oldest(r);
	c = &r->closed[r->end++ % RECENT_MAX];
	memcpy(c->id, a->id, sizeof(c->id));
	c->text = text;
	c->len = len;
	r->stats.bytes += len;
	r->n++;
}

uint64_t recent_first(const struct recent *r)
{
	return r->end - r->n;
}

const char *recent_closed(const struct recent *r, uint64_t number, const char **ret_id)
{
	const struct closed *c = &r->closed[number % RECENT_MAX];

	if (number < recent_first(r) || number >= r->end)
		return NULL;
	*ret_id = c->id;
	return c->text;
}

/* ---- counts ---- */

static struct said *said_of(struct recent *r, const char *rule)
{
	struct said *more;

	for (uint32_t i = 0; i < r->rules; i++)
		if (!strcmp(r->said[i].rule, rule))
			return &r->said[i];
	more = realloc(r->said, (r->rules + 1) * sizeof(*more));
	if (!more)
		return NULL;
	r->said = more;
	more += r->rules++;
	*more = (struct said){ .rule = "" };
	snprintf(more->rule, sizeof(more->rule), "%s", rule);
	return more;
}

uint64_t recent_count(const struct recent *r, const char *rule, int severity,
		      enum alert_state state)
{
	for (uint32_t i = 0; i < r->rules; i++)
		if (!strcmp(r->said[i].rule, rule) && severity >= 0 && severity < RECENT_SEVERITIES)
			return r->said[i].n[severity][state];
	return 0;
}

void recent_alert(struct recent *r, const struct alert *a, enum alert_state state)
{
	int severity = alert_severity(a);
	uint64_t now = clock_boot_ns();
	struct said *s;

	if (state == ALERT_OPEN && a->unopened) /* said again to an output that had no room */
		return;
	r->sequence++;
	s = said_of(r, a->rule->name);
	if (s)
		s->n[severity < RECENT_SEVERITIES ? severity : RECENT_SEVERITIES - 1][state]++;
	if (state == ALERT_OPEN)
		recent_took(&r->stats.delay, now > a->last_ns ? now - a->last_ns : 0);
	if (state == ALERT_CLOSE)
		keep(r, a);
}

void recent_stats_get(const struct recent *r, struct recent_stats *ret)
{
	*ret = r->stats;
	ret->kept = r->n;
}
