// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does a machine read an alert in the Open Cybersecurity Schema Framework? One Detection
 * Finding (class 2004, version 1.8.0) a line: what was found is its finding_info, who did it its
 * one evidence. What the schema has no attribute for is in `unmapped`, as ECS has it in
 * reconmon.alert. Times are milliseconds since the epoch. */
#include <errno.h>
#include <string.h>

#include "net.h"
#include "owner.h"
#include "sink_json.h"

#define OCSF_VERSION   "1.8.0"
#define ATTACK_VERSION "16.1"

enum {
	CLASS_DETECTION_FINDING = 2004,
	OBSERVABLE_IP = 2,
	OBSERVABLES_MAX = 256, /* a sweep may have found thousands */
};

/* An enumeration of OCSF: a number and its caption. */
struct caption {
	int id;
	const char *text;
};

static struct caption activity_of(enum alert_state state)
{
	static const struct caption activities[] = {
		[ALERT_OPEN] = { 1, "Create" },
		[ALERT_UPDATE] = { 2, "Update" },
		[ALERT_CLOSE] = { 3, "Close" },
	};

	return activities[state];
}

static struct caption status_of(enum alert_state state)
{
	static const struct caption statuses[] = {
		[ALERT_OPEN] = { 1, "New" },
		[ALERT_UPDATE] = { 2, "In Progress" },
		[ALERT_CLOSE] = { 4, "Resolved" },
	};

	return statuses[state];
}

static struct caption severity_of(int severity) /* 0 to 10 */
{
	static const struct caption severities[] = {
		{ 1, "Informational" }, { 2, "Low" },	   { 2, "Low" },     { 2, "Low" },
		{ 3, "Medium" },	{ 3, "Medium" },   { 4, "High" },    { 4, "High" },
		{ 4, "High" },		{ 5, "Critical" }, { 5, "Critical" }
	};

	return severities[severity];
}

/* What was lost, or counted by the letter, may be less than what happened: that costs confidence.
 */
static struct caption confidence_of(const struct alert *a)
{
	if (a->retracted)
		return (struct caption){ 1, "Low" };
	return a->incomplete || a->unfollowed ? (struct caption){ 2, "Medium" }
					      : (struct caption){ 3, "High" };
}

static json_t *addr_json(const struct ip_addr *addr)
{
	char text[NET_TEXT_MAX];

	return json_string(addr_format(addr, text));
}

static json_t *product_json(void)
{
	return json_pack("{s:s, s:s, s:s}", "name", "reconmon", "vendor_name", "reconmon",
			 "version", RECONMON_VERSION);
}

static json_t *metadata_json(const struct alert *a, const struct sink_context *ctx)
{
	json_t *uid = json_sprintf("%s-%llu", a->id, (unsigned long long)ctx->sequence);

	/* What its findings have in common is the incident's id. */
	return json_pack("{s:s, s:o, s:s, s:o, s:I, s:s*}", "version", OCSF_VERSION, "product",
			 product_json(), "log_name", "reconmon.alert", "uid", uid, "sequence",
			 (json_int_t)ctx->sequence, "correlation_uid", sink_known(a->incident));
}

/* named_json - a tactic or technique with its id, and its name where that is known. */
static json_t *named_json(const char *uid)
{
	return json_pack("{s:s, s:s*}", "uid", uid, "name", attack_name(uid));
}

static json_t *attacks_json(const struct attack_ref *ref)
{
	json_t *attack =
		json_pack("{s:s, s:o, s:o}", "version", ATTACK_VERSION, "tactic",
			  named_json(ref->tactic_id), "technique", named_json(ref->technique_id));

	if (ref->sub_id[0] &&
	    json_object_set_new(attack, "sub_technique", named_json(ref->sub_id)) < 0) {
		json_decref(attack);
		return NULL;
	}
	return json_pack("[o]", attack);
}

/* finding_json - the same uid from Create to Close. */
static json_t *finding_json(const struct alert *a, const struct sink_context *ctx)
{
	const struct attack_ref *attack = alert_attack(a);
	char message[SINK_SENTENCE_MAX], reason[SINK_SENTENCE_MAX];
	json_t *finding;

	/* clang-format off */
	finding = json_pack("{s:s, s:s, s:s, s:[s], s:I, s:I, s:{s:s, s:s, s:i, s:s, s:s*}}",
			    "uid", a->id,
			    "title", sink_message(a, message),
			    "desc", sink_reason(a, reason),
			    "types", "reconnaissance",
			    "first_seen_time", (json_int_t)sink_wall_ms(ctx, a->first_ns),
			    "last_seen_time", (json_int_t)sink_wall_ms(ctx, a->last_ns),
			    "analytic",
			    "uid", a->rule->name,
			    "name", a->rule->name,
			    "type_id", 1,
			    "type", "Rule",
			    "desc", sink_known(a->rule->description));
	/* clang-format on */
	if (!attack->tactic_id[0] || !json_object_set_new(finding, "attacks", attacks_json(attack)))
		return finding;
	json_decref(finding);
	return NULL;
}

static struct caption direction_of(const struct alert *a, const struct sink_context *ctx)
{
	if (!sink_direction(a, ctx))
		return (struct caption){ 0, "Unknown" };
	return a->dir == DIR_EGRESS ? (struct caption){ 2, "Outbound" }
				    : (struct caption){ 1, "Inbound" };
}

static json_t *connection_json(const struct alert *a, const struct sink_context *ctx)
{
	const struct ip_addr *someone = sink_has_orig(a) ? &a->orig : &a->resp;
	struct caption direction = direction_of(a, ctx);
	json_t *c = json_pack("{s:i, s:s, s:i}", "direction_id", direction.id, "direction",
			      direction.text, "protocol_ver_id", addr_is_v4(someone) ? 4 : 6);

	if (!a->proto)
		return c;
	if (!json_object_set_new(c, "protocol_num", json_integer(a->proto)) &&
	    !json_object_set_new(c, "protocol_name", json_string(proto_name(a->proto))))
		return c;
	json_decref(c);
	return NULL;
}

/* process_json - whose attempts they were; the start time makes its uid outlive the pid. */
static json_t *process_json(const struct owner *w, const struct sink_context *ctx)
{
	char name[OWNER_COMM_LEN + 1], path[OWNER_PATH_MAX], command[OWNER_COMMAND_MAX];
	char line[OWNER_COMMAND_MAX], user[256], uid[16], id[96];

	owner_command(w, line, sizeof(line));
	sink_clean(w->name, name, sizeof(name));
	sink_clean(line, command, sizeof(command));
	sink_clean(w->executable, path, sizeof(path));
	sink_clean(w->user, user, sizeof(user));
	snprintf(uid, sizeof(uid), "%u", w->uid);
	snprintf(id, sizeof(id), "%s-%u-%llu", w->boot_id, w->pid, (unsigned long long)w->start_ns);
	return json_pack("{s:i, s:s, s:I, s:s*, s:s*, s:s*, s:{s:s, s:s*}}", "pid", (int)w->pid,
			 "uid", id, "created_time", (json_int_t)sink_wall_ms(ctx, w->start_ns),
			 "name", sink_known(name), "cmd_line", sink_known(command), "path",
			 sink_known(path), "user", "uid", uid, "name", sink_known(user));
}

/* A static pod's uid is no UUID but a hash. */
static json_t *container_json(const struct cgroup_info *c, const struct kube_names *k)
{
	const char *uuid = strchr(c->pod, '-') ? c->pod : NULL;

	return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*}", "uid", sink_known(c->container), "name",
			 k ? sink_known(k->container) : NULL, "runtime", sink_known(c->runtime),
			 "pod_uuid", sink_known(uuid), "orchestrator",
			 c->pod[0] ? "kubernetes" : NULL);
}

/* pod_json - the pod by name. */
static json_t *pod_json(const struct owner *w)
{
	return json_pack("[{s:s, s:s, s:s, s:s}]", "type", "Pod", "uid", w->where.pod, "name",
			 w->kube->pod, "namespace", w->kube->namespace);
}

/* owner_set - the evidence's process, or if there is only a user that, and its container. */
static int owner_set(json_t *evidence, const struct owner *w, const struct sink_context *ctx)
{
	char uid[16];
	int r = 0;

	if (!w)
		return 0;
	snprintf(uid, sizeof(uid), "%u", w->uid);
	if (w->pid)
		r = json_object_set_new(evidence, "process", process_json(w, ctx));
	else if (owner_has_user(w))
		r = json_object_set_new(evidence, "user", json_pack("{s:s}", "uid", uid));
	if (w->where.container[0] || w->where.pod[0])
		r |= json_object_set_new(evidence, "container", container_json(&w->where, w->kube));
	if (w->kube)
		r |= json_object_set_new(evidence, "resources", pod_json(w));
	return r;
}

/* location_set - an endpoint's location, which needs a country, region or city to be one. */
static int location_set(json_t *endpoint, const struct geo *g)
{
	json_t *l;
	int r = 0;

	if (!g->country_iso[0] && !g->region_iso[0] && !g->city[0])
		return 0;
	l = json_pack("{s:s*, s:s*, s:s*, s:s*}", "country", sink_known(g->country_iso), "region",
		      sink_known(g->region_iso), "city", sink_known(g->city), "continent",
		      sink_known(g->continent));
	if (g->has_location) {
		r |= json_object_set_new(l, "lat", json_real(g->lat));
		r |= json_object_set_new(l, "long", json_real(g->lon));
	}
	return json_object_set_new(endpoint, "location", l) | r;
}

/* network_set - an endpoint's autonomous system; numbers beyond 31 bits are private, and no integer
 * of the schema. */
static int network_set(json_t *endpoint, const struct geo *g)
{
	bool has_number = g->asn && g->asn <= INT32_MAX;
	json_t *as;
	int r = 0;

	if (!has_number && !g->org[0])
		return 0;
	as = json_pack("{s:s*}", "name", sink_known(g->org));
	if (has_number)
		r = json_object_set_new(as, "number", json_integer(g->asn));
	return json_object_set_new(endpoint, "autonomous_system", as) | r;
}

static int geo_set(json_t *evidence, const struct geo *g)
{
	json_t *src = json_object_get(evidence, "src_endpoint");

	return g && src ? location_set(src, g) | network_set(src, g) : 0;
}

/* evidence_json - who looked at whom. An endpoint needs a name of some kind, so a responder that is
 * a port alone is none. */
static json_t *evidence_json(const struct alert *a, const struct sink_context *ctx)
{
	json_t *e = json_pack("{s:o}", "connection_info", connection_json(a, ctx));
	json_t *dst;

	if (sink_has_orig(a) &&
	    json_object_set_new(e, "src_endpoint", json_pack("{s:o}", "ip", addr_json(&a->orig))) <
		    0) {
		json_decref(e);
		return NULL;
	}
	if (owner_set(e, a->owner, ctx) < 0 || geo_set(e, ctx->geo) < 0) {
		json_decref(e);
		return NULL;
	}
	if (!(a->rule->group & FIELD_RESP))
		return e;
	dst = json_pack("{s:o}", "ip", addr_json(&a->resp));
	if ((!sink_has_port(a) || !json_object_set_new(dst, "port", json_integer(a->resp_port))) &&
	    !json_object_set(e, "dst_endpoint", dst)) {
		json_decref(dst);
		return e;
	}
	json_decref(dst);
	json_decref(e);
	return NULL;
}

static int observe(json_t *list, const char *name, const struct ip_addr *addr)
{
	if (json_array_size(list) >= OBSERVABLES_MAX)
		return 0;
	return json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:o}", "name", name,
						     "type_id", OBSERVABLE_IP, "type", "IP Address",
						     "value", addr_json(addr)));
}

static json_t *observables_json(const struct alert *a)
{
	json_t *list = json_array();
	const char *hosts = sink_has_orig(a) ? "unmapped.responders[]" : "unmapped.originators[]";
	int r = 0;

	if (sink_has_orig(a))
		r = observe(list, "evidences[].src_endpoint.ip", &a->orig);

	if (a->rule->group & FIELD_RESP)
		r |= observe(list, "evidences[].dst_endpoint.ip", &a->resp);
	for (uint32_t i = 0; !r && i < a->n_hosts; i++)
		r = observe(list, hosts, &a->hosts[i].addr);
	if (!r)
		return list;
	json_decref(list);
	return NULL;
}

/* device_set - the machine reconmon runs on, and the interface there. */
static int device_set(json_t *doc, const struct alert *a, const struct sink_context *ctx)
{
	const char *name = sink_known(ctx->hostname), *id = sink_known(ctx->host_id);
	const char *ifname = sink_known(a->ifname);

	if (!name && !id && !ifname)
		return 0;
	return json_object_set_new(doc, "device",
				   json_pack("{s:i, s:s, s:s*, s:s*, s:s*}", "type_id", 0, "type",
					     "Unknown", "hostname", name, "uid", id,
					     "interface_name", ifname));
}

static json_t *document(const struct alert *a, enum alert_state state,
			const struct sink_context *ctx)
{
	struct caption activity = activity_of(state), status = status_of(state);
	struct caption severity = severity_of(alert_severity(a)), confidence = confidence_of(a);
	char message[SINK_SENTENCE_MAX];
	json_t *doc;

	/* clang-format off */
	doc = json_pack("{s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:s,"
			" s:b, s:I, s:I, s:I, s:i, s:s, s:o, s:o, s:[o], s:o, s:o}",
			"activity_id", activity.id,
			"activity_name", activity.text,
			"category_uid", 2,
			"category_name", "Findings",
			"class_uid", CLASS_DETECTION_FINDING,
			"class_name", "Detection Finding",
			"type_uid", CLASS_DETECTION_FINDING * 100 + activity.id,
			"type_name", state == ALERT_OPEN ? "Detection Finding: Create"
				     : state == ALERT_UPDATE ? "Detection Finding: Update"
							     : "Detection Finding: Close",
			"severity_id", severity.id,
			"severity", severity.text,
			"status_id", status.id,
			"status", status.text,
			"confidence_id", confidence.id,
			"confidence", confidence.text,
			"is_alert", 1,
			"time", (json_int_t)sink_wall_ms(ctx, ctx->now_ns),
			"start_time", (json_int_t)sink_wall_ms(ctx, a->first_ns),
			"end_time", (json_int_t)sink_wall_ms(ctx, a->last_ns),
			"timezone_offset", 0,
			"message", sink_message(a, message),
			"metadata", metadata_json(a, ctx),
			"finding_info", finding_json(a, ctx),
			"evidences", evidence_json(a, ctx),
			"observables", observables_json(a),
			"unmapped", sink_alert_json(a, state, ctx));
	/* clang-format on */
	if (doc && !device_set(doc, a, ctx))
		return doc;
	json_decref(doc);
	return NULL;
}

int sink_ocsf_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx)
{
	return sink_json_line(out, document(a, state, ctx), SINK_JSON_DIGITS);
}
