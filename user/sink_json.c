// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does a machine read an alert? One document of the Elastic Common Schema a line. What ECS has
 * no name for is below reconmon.alert. What is unknown is left out: an empty string would be
 * indexed as a value. The shape of each object is the json_pack() format that builds it, in which
 * `*` marks what may be missing. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "owner_text.h"
#include "sink_json.h"

#define ECS_VERSION "9.4.0"
#define NS_PER_S    ((uint64_t)1000000000)

enum {
	PORTS_TEXT_MAX = 16 * 1024, /* of one list of ports; Elasticsearch's keywords end at 32,766
				     * bytes */
	ADDRESSES_MAX = 256,	    /* in one list; a sweep may have found thousands */
	SERVICES_MAX = 256,	    /* likewise names of open ports */
};

static json_t *addr_json(const struct ip_addr *addr)
{
	char text[NET_TEXT_MAX];

	return json_string(addr_format(addr, text));
}

/* list_add - appends an address unless the list is full. Returns 0, or -1 for want of memory. */
static int list_add(json_t *list, const struct ip_addr *addr)
{
	if (json_array_size(list) >= ADDRESSES_MAX)
		return 0;
	return json_array_append_new(list, addr_json(addr));
}

/* list_of_hosts - appends the responders of a sweep to list, which it takes over. Returns it, or
 * NULL for want of memory. */
static json_t *list_of_hosts(json_t *list, const struct alert *a)
{
	int r = list ? 0 : -1;

	for (uint32_t i = 0; !r && i < a->n_hosts; i++)
		r = list_add(list, &a->hosts[i].addr);
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *message_json(const struct alert *a)
{
	char text[SINK_SENTENCE_MAX];

	return json_string(sink_message(a, text));
}

static json_t *reason_json(const struct alert *a)
{
	char text[SINK_SENTENCE_MAX];

	return json_string(sink_reason(a, text));
}

static json_t *event_json(const struct alert *a, const struct sink_context *ctx)
{
	char now[SINK_TIME_MAX], start[SINK_TIME_MAX], end[SINK_TIME_MAX];
	int severity = alert_severity(a);

	/* clang-format off */
	return json_pack("{s:s, s:[s,s], s:[s], s:s, s:s, s:s*, s:I, s:s, s:s, s:s,"
			 " s:i, s:f, s:s, s:s, s:s, s:I, s:o}",
			 "kind", "alert",
			 "category", "network", "intrusion_detection",
			 "type", "info",
			 "action", a->rule->name,
			 "outcome", "unknown",
			 "id", sink_known(a->id),
			 "sequence", (json_int_t)ctx->sequence,
			 "provider", "reconmon",
			 "module", "reconmon",
			 "dataset", "reconmon.alert",
			 "severity", severity,
			 "risk_score", severity * 10.0, /* ECS: 0 to 100 */
			 "created", sink_time(ctx, ctx->now_ns, 6, now),
			 "start", sink_time(ctx, a->first_ns, 6, start),
			 "end", sink_time(ctx, a->last_ns, 6, end),
			 "duration", (json_int_t)alert_span_ns(a),
			 "reason", reason_json(a));
	/* clang-format on */
}

static json_t *rule_json(const struct rule *rule)
{
	if (rule->own)
		return json_pack("{s:s, s:s, s:s, s:s, s:s*}", "id", rule->name, "name", rule->name,
				 "category", "reconnaissance", "ruleset", "reconmon.yaml",
				 "description", sink_known(rule->description));
	/* Built-in rules are part of the daemon, so its version is theirs. */
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "id", rule->name, "name", rule->name,
			 "category", "reconnaissance", "ruleset", "reconmon builtin", "version",
			 RECONMON_VERSION, "description", sink_known(rule->description));
}

/* attack_json - an id of ATT&CK, with its name if that is known. */
static json_t *attack_json(const char *id)
{
	const char *name = attack_name(id);

	return name ? json_pack("{s:[s], s:[s]}", "id", id, "name", name)
		    : json_pack("{s:[s]}", "id", id);
}

static json_t *threat_json(const struct attack_ref *ref)
{
	json_t *technique = attack_json(ref->technique_id);

	if (ref->sub_id[0] &&
	    json_object_set_new(technique, "subtechnique", attack_json(ref->sub_id)) < 0) {
		json_decref(technique);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:o}", "framework", "MITRE ATT&CK", "tactic",
			 attack_json(ref->tactic_id), "technique", technique);
}

/* destination_json - the responder, as far as the group has one; NULL is want of memory. */
static json_t *destination_json(const struct alert *a)
{
	uint8_t group = a->rule->group;
	json_t *dst = json_object();
	int r = 0;

	if (group & FIELD_RESP) {
		r |= json_object_set_new(dst, "address", addr_json(&a->resp));
		r |= json_object_set_new(dst, "ip", addr_json(&a->resp));
	}
	if (sink_has_port(a))
		r |= json_object_set_new(dst, "port", json_integer(a->resp_port));
	if (!r)
		return dst;
	json_decref(dst);
	return NULL;
}

static json_t *source_json(const struct alert *a)
{
	return json_pack("{s:o, s:o}", "address", addr_json(&a->orig), "ip", addr_json(&a->orig));
}

static json_t *network_json(const struct alert *a, const struct sink_context *ctx)
{
	const struct ip_addr *someone = sink_has_orig(a) ? &a->orig : &a->resp;
	bool known_proto = a->proto && a->proto != PROTO_ANY;
	const char *name = proto_name(a->proto);
	char number[4];

	snprintf(number, sizeof(number), "%u", a->proto);
	if (!strcmp(name, "other"))
		name = NULL;
	return json_pack("{s:s, s:s*, s:s*, s:s*}", "type", addr_is_v4(someone) ? "ipv4" : "ipv6",
			 "transport", known_proto ? name : NULL, "iana_number",
			 known_proto ? number : NULL, "direction", sink_direction(a, ctx));
}

static json_t *observer_json(const struct alert *a, const struct sink_context *ctx)
{
	json_t *observer = json_pack("{s:s, s:s, s:s, s:s, s:s*}", "vendor", "reconmon", "product",
				     "reconmon", "version", RECONMON_VERSION, "type", "ids",
				     "hostname", sink_known(ctx->hostname));
	const char *side = a->dir == DIR_EGRESS ? "egress" : "ingress";

	if (sink_known(a->ifname) &&
	    json_object_set_new(observer, side,
				json_pack("{s:{s:s}}", "interface", "name", a->ifname)) < 0) {
		json_decref(observer);
		return NULL;
	}
	return observer;
}

/* related_json - every address of the alert, so that a search for one finds it. */
static json_t *related_json(const struct alert *a)
{
	json_t *ip = json_array();
	int r = sink_has_orig(a) ? list_add(ip, &a->orig) : 0;

	if (a->rule->group & FIELD_RESP)
		r |= list_add(ip, &a->resp);
	if (r) {
		json_decref(ip);
		return NULL;
	}
	return json_pack("{s:o}", "ip", list_of_hosts(ip, a));
}

/* ports_set - what is known of the ports, in fields of `alert`. Returns 0, or -1 for want of
 * memory. */
static int ports_set(json_t *alert, const struct alert *a)
{
	char text[PORTS_TEXT_MAX + 1];
	bool one = !a->ports && sink_has_port(a);
	bool cut = sink_ports(a, ANSWER_MAX, text, sizeof(text));
	json_t *answers = json_object();
	int r = 0;

	r |= json_object_set_new(alert, "port_count",
				 json_integer(a->ports ? portset_count(a->ports) : one));
	r |= json_object_set_new(alert, "ports", json_string(text));
	for (unsigned int i = 0; i < ANSWER_MAX; i++) {
		cut |= sink_ports(a, i, text, sizeof(text));
		r |= json_object_set_new(answers, answer_name(i), json_string(text));
	}
	r |= json_object_set_new(alert, "ports_truncated", json_boolean(cut));
	r |= json_object_set_new(alert, "answers", answers);
	return r;
}

/* services_json - the open ports that have a name, as "22/ssh": by the port's number, which is why
 * they are no network.protocol. NULL is want of memory. */
static json_t *services_json(const struct alert *a, const struct sink_context *ctx)
{
	json_t *list = json_array();
	char text[sizeof("65535/") + SERVICE_NAME_MAX];
	int port = -1, r = 0;

	while (!r && json_array_size(list) < SERVICES_MAX &&
	       (port = portset_next(a->ports, ANSWER_OPEN, (uint32_t)(port + 1))) >= 0) {
		const char *name = sink_service(a, ctx, (uint16_t)port);

		snprintf(text, sizeof(text), "%d/%s", port, name ? name : "");
		if (name)
			r = json_array_append_new(list, json_string(text));
	}
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

/* services_set - of open ports; where the group has one port, of that. */
static int services_set(json_t *alert, const struct alert *a, const struct sink_context *ctx)
{
	const char *name = sink_service(a, ctx, a->resp_port);
	json_t *list = NULL;

	if (a->ports)
		list = services_json(a, ctx);
	else if (sink_has_port(a) && name)
		list = json_pack("[o]", json_sprintf("%u/%s", a->resp_port, name));
	else
		return 0;
	if (list && !json_array_size(list)) {
		json_decref(list);
		return 0;
	}
	return json_object_set_new(alert, "services", list);
}

static json_t *techniques_json(const struct alert *a)
{
	const char *technique[ALERT_TECHNIQUES_MAX];
	unsigned int n = alert_techniques(a, technique);
	json_t *list = json_array();

	for (unsigned int i = 0; i < n; i++)
		if (json_array_append_new(list, json_string(technique[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *window_json(uint64_t ns)
{
	return ns % NS_PER_S ? json_real((double)ns / NS_PER_S)
			     : json_integer((json_int_t)(ns / NS_PER_S));
}

json_t *sink_alert_json(const struct alert *a, enum alert_state state,
			const struct sink_context *ctx)
{
	json_t *alert = json_pack("{s:s, s:o, s:o, s:i, s:i, s:f, s:b, s:b, s:I}", "state",
				  alert_state_name(state), "technique", techniques_json(a),
				  "window_s", window_json(a->rule->window_ns), "threshold",
				  (int)a->rule->threshold, "count", (int)a->count, "rate_pps",
				  alert_rate(a), "retracted", a->retracted, "incomplete",
				  a->incomplete, "unfollowed", (json_int_t)a->unfollowed);
	int r = ports_set(alert, a);

	r |= services_set(alert, a, ctx);
	if (a->hosts) {
		bool many = !sink_has_orig(a);

		r |= json_object_set_new(alert, many ? "originator_count" : "responder_count",
					 json_integer(sink_parties(a)));
		r |= json_object_set_new(alert, many ? "originators" : "responders",
					 list_of_hosts(json_array(), a));
	}
	if (!r)
		return alert;
	json_decref(alert);
	return NULL;
}

/* host_set - the machine reconmon runs on, if it knows its name or id. */
static int host_set(json_t *doc, const struct sink_context *ctx)
{
	const char *name = sink_known(ctx->hostname), *id = sink_known(ctx->host_id);

	if (!name && !id)
		return 0;
	return json_object_set_new(
		doc, "host",
		json_pack("{s:s*, s:s*, s:s*}", "name", name, "hostname", name, "id", id));
}

/* allow_set - what the allow-list has let be so far, so that who reads alerts alone knows of it. */
static int allow_set(json_t *doc, const struct sink_context *ctx)
{
	struct allow_totals t;

	if (!allow_count(ctx->allow))
		return 0;
	allow_totals_get(ctx->allow, &t);
	return json_object_set_new(
		json_object_get(doc, "reconmon"), "allowed",
		json_pack("{s:i, s:I, s:I}", "entries", (int)allow_count(ctx->allow), "attempts",
			  (json_int_t)t.attempts, "silent", (json_int_t)t.silent));
}

/* geo_json - where the originator is; NULL for want of memory. What is not known is left out. */
static json_t *geo_json(const struct geo *g)
{
	json_t *geo =
		json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "country_iso_code",
			  sink_known(g->country_iso), "country_name", sink_known(g->country),
			  "continent_code", sink_known(g->continent), "region_iso_code",
			  sink_known(g->region_iso), "region_name", sink_known(g->region),
			  "city_name", sink_known(g->city), "timezone", sink_known(g->timezone));

	if (!g->has_location ||
	    !json_object_set_new(geo, "location",
				 json_pack("{s:f, s:f}", "lat", g->lat, "lon", g->lon)))
		return geo;
	json_decref(geo);
	return NULL;
}

/* geo_set - source.geo and source.as, as far as they are known. */
static int geo_set(json_t *doc, const struct geo *g)
{
	json_t *source = json_object_get(doc, "source"), *geo, *as;
	int r = 0;

	if (!g || !source)
		return 0;
	geo = geo_json(g);
	if (!geo || json_object_size(geo))
		r |= json_object_set(source, "geo", geo);
	json_decref(geo);
	if (!g->asn && !g->org[0])
		return r;
	as = json_object();
	if (g->asn)
		r |= json_object_set_new(as, "number", json_integer(g->asn));
	if (g->org[0])
		r |= json_object_set_new(as, "organization", json_pack("{s:s}", "name", g->org));
	return r | json_object_set_new(source, "as", as);
}

/* json_pack() and json_object_set_new() fail on a NULL they are given as object, so no step needs a
 * check of its own. */
json_t *sink_json_document(const struct alert *a, enum alert_state state,
			   const struct sink_context *ctx)
{
	const struct attack_ref *attack = alert_attack(a);
	json_t *threat = attack->tactic_id[0] ? threat_json(attack) : NULL;
	json_t *source = sink_has_orig(a) ? source_json(a) : NULL;
	char now[SINK_TIME_MAX];
	int r = (attack->tactic_id[0] && !threat) || (sink_has_orig(a) && !source) ? -1 : 0;
	json_t *doc;

	/* clang-format off */
	doc = json_pack("{s:s, s:{s:s}, s:o, s:[s], s:o, s:o, s:o*, s:o*, s:o, s:o, s:o, s:{s:o}}",
			"@timestamp", sink_time(ctx, ctx->now_ns, 6, now),
			"ecs", "version", ECS_VERSION,
			"message", message_json(a),
			"tags", "reconmon",
			"event", event_json(a, ctx),
			"rule", rule_json(a->rule),
			"threat", threat,
			"source", source,
			"network", network_json(a, ctx),
			"observer", observer_json(a, ctx),
			"related", related_json(a),
			"reconmon", "alert", sink_alert_json(a, state, ctx));
	/* clang-format on */

	if (a->incident[0])
		r |= json_object_set_new(json_object_get(doc, "reconmon"), "incident",
					 json_pack("{s:s}", "id", a->incident));
	r |= geo_set(doc, ctx->geo);
	r |= host_set(doc, ctx);
	r |= owner_json_set(doc, a, ctx);
	r |= allow_set(doc, ctx);
	if (a->rule->group & FIELD_RESP || sink_has_port(a))
		r |= json_object_set_new(doc, "destination", destination_json(a));
	if (!r && doc)
		return doc;
	json_decref(doc);
	return NULL;
}

int sink_json_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx)
{
	return sink_json_line(out, sink_json_document(a, state, ctx), SINK_JSON_DIGITS);
}

int sink_json_line(FILE *out, json_t *doc, unsigned int digits)
{
	/* As text first, so that want of memory writes no half of a line. */
	char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(digits)) : NULL;
	int r = 0;

	json_decref(doc);
	if (!text)
		return -ENOMEM;
	if (fprintf(out, "%s\n", text) < 0 || fflush(out) == EOF)
		r = -EIO;
	free(text);
	return r;
}
