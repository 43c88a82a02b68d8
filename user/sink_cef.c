// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does ArcSight (and whatever else reads the Common Event Format) read an alert?
 *
 *   CEF:0|reconmon|reconmon|VERSION|port-scan|several ports of one host|6|rt=... src=... dst=...
 *
 * In the header `\` and `|` are escaped, in values `\`, `=` and line ends. Keys are those of its
 * dictionary; what that has no key for goes into the custom strings and numbers, each with its
 * label. src and dst are IPv4 there; IPv6 has c6a2 and c6a3. */
#include "net.h"
#include "owner.h"
#include "sink_event.h"

#define MS_PER_S 1000

static void put_header(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '|')
			fputc('\\', out);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
}

static void put_value(FILE *out, bool first, const char *key, const char *value)
{
	fprintf(out, "%s%s=", first ? "" : " ", key);
	for (; *value; value++) {
		if (*value == '\n' || *value == '\r') {
			fprintf(out, "\\%c", *value == '\n' ? 'n' : 'r');
			continue;
		}
		if (*value == '\\' || *value == '=')
			fputc('\\', out);
		fputc((unsigned char)*value < ' ' ? ' ' : *value, out);
	}
}

/* labelled - one of the custom fields, and what it means here. */
static void label(struct event *e, const char *key, const char *text)
{
	char name[24];

	snprintf(name, sizeof(name), "%sLabel", key);
	event_text(e, name, text);
}

static void put_host(struct event *e, const char *key4, const char *key6, const char *label6,
		     const struct ip_addr *addr)
{
	bool v4 = addr_is_v4(addr);

	event_addr(e, v4 ? key4 : key6, addr);
	if (!v4)
		label(e, key6, label6);
}

static void put_parties(struct event *e, const struct alert *a, const struct sink_context *ctx)
{
	bool out = a->dir == DIR_EGRESS;

	if (sink_has_orig(a))
		put_host(e, "src", "c6a2", "Source IPv6 Address", &a->orig);
	if (a->rule->group & FIELD_RESP)
		put_host(e, "dst", "c6a3", "Destination IPv6 Address", &a->resp);
	if (sink_has_port(a))
		event_number(e, "dpt", a->resp_port);
	if (a->proto)
		event_text(e, "proto", proto_name(a->proto));
	if (sink_direction(a, ctx))
		event_number(e, "deviceDirection", out);
	event_text(e, out ? "deviceOutboundInterface" : "deviceInboundInterface", a->ifname);
}

static void put_owner(struct event *e, const struct owner *w)
{
	char pod[OWNER_POD_MAX];

	if (!w)
		return;
	if (w->pid)
		event_number(e, "spid", w->pid);
	event_odd(e, "sproc", w->executable ? w->executable : w->name);
	if (owner_has_user(w))
		event_number(e, "suid", w->uid);
	event_odd(e, "suser", w->user);
	if (w->where.container[0]) {
		event_text(e, "cs4", w->where.container);
		label(e, "cs4", "Container");
	}
	if (w->where.pod[0]) {
		event_text(e, "cs5", owner_pod(w, pod));
		label(e, "cs5", "Pod");
	}
}

static void put_geo(struct event *e, const struct geo *geo)
{
	char text[GEO_TEXT_MAX];

	if (!geo || !*geo_text(geo, text))
		return;
	event_text(e, "flexString2", text);
	label(e, "flexString2", "Origin");
}

static void put_custom(struct event *e, const struct alert *a)
{
	const struct attack_ref *attack = alert_attack(a);
	bool open = a->ports ? portset_count_answer(a->ports, ANSWER_OPEN) : false;

	event_ports(e, "cs1", a, ANSWER_MAX);
	if (a->ports || sink_has_port(a))
		label(e, "cs1", "Ports");
	event_techniques(e, "cs2", a);
	label(e, "cs2", "Technique");
	if (open) {
		event_ports(e, "cs3", a, ANSWER_OPEN);
		label(e, "cs3", "Open ports");
	}
	if (attack->technique_id[0]) {
		event_text(e, "cs6", attack->sub_id[0] ? attack->sub_id : attack->technique_id);
		label(e, "cs6", "MITRE ATT&CK");
	}
	if (a->incident[0]) {
		event_text(e, "flexString1", a->incident);
		label(e, "flexString1", "Incident");
	}
	event_number(e, "cn1", a->count);
	label(e, "cn1", "Distinct count");
	event_number(e, "cn2", a->rule->threshold);
	label(e, "cn2", "Threshold");
	event_number(e, "cn3", (int64_t)(a->rule->window_ns / 1000000 / MS_PER_S));
	label(e, "cn3", "Window in seconds");
}

int sink_cef_write(FILE *out, const struct alert *a, enum alert_state state,
		   const struct sink_context *ctx)
{
	struct event e = { .out = out, .put = put_value };
	const char *name = sink_known(a->rule->description);
	char message[SINK_SENTENCE_MAX], reason[SINK_SENTENCE_MAX];

	fprintf(out, "CEF:0|reconmon|reconmon|%s|", RECONMON_VERSION);
	put_header(out, a->rule->name);
	fputc('|', out);
	put_header(out, name ? name : a->rule->name);
	fprintf(out, "|%d|", alert_severity(a));

	event_number(&e, "rt", sink_wall_ms(ctx, ctx->now_ns));
	event_number(&e, "start", sink_wall_ms(ctx, a->first_ns));
	event_number(&e, "end", sink_wall_ms(ctx, a->last_ns));
	event_text(&e, "externalId", a->id);
	event_text(&e, "cat", "reconnaissance");
	event_text(&e, "act", alert_state_name(state));
	put_parties(&e, a, ctx);
	put_owner(&e, a->owner);
	put_geo(&e, ctx->geo);
	event_number(&e, "cnt", (int64_t)a->attempts);
	event_text(&e, "dvchost", ctx->hostname);
	event_text(&e, "reason", sink_reason(a, reason));
	event_text(&e, "msg", sink_message(a, message));
	put_custom(&e, a);
	return event_end(out);
}
