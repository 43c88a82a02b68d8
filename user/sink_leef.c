// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does QRadar read an alert? One event of the Log Event Extended Format 2.0, with TAB between
 * its attributes:
 *
 *   LEEF:2.0|reconmon|reconmon|VERSION|port-scan|x09|devTime=...<TAB>src=...<TAB>dst=...
 *
 * LEEF escapes nothing: what may not stand in a value becomes a blank. */
#include "net.h"
#include "owner.h"
#include "sink_event.h"

static void put_clean(FILE *out, const char *text, char forbidden)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == forbidden ? ' ' : *text, out);
}

static void put_value(FILE *out, bool first, const char *key, const char *value)
{
	fprintf(out, "%s%s=", first ? "" : "\t", key);
	put_clean(out, value, '\t');
}

static void put_parties(struct event *e, const struct alert *a, const struct sink_context *ctx)
{
	if (sink_has_orig(a))
		event_addr(e, "src", &a->orig);
	if (a->rule->group & FIELD_RESP)
		event_addr(e, "dst", &a->resp);
	if (sink_has_port(a))
		event_number(e, "dstPort", a->resp_port);
	if (a->proto)
		event_text(e, "proto", proto_name(a->proto));
	event_text(e, "direction", sink_direction(a, ctx));
	event_text(e, "interface", a->ifname);
}

static void put_owner(struct event *e, const struct owner *w)
{
	if (!w)
		return;
	event_odd(e, "usrName", w->user);
	if (owner_has_user(w))
		event_number(e, "uid", w->uid);
	if (w->pid)
		event_number(e, "pid", w->pid);
	event_odd(e, "process", w->executable ? w->executable : w->name);
	event_odd(e, "containerId", w->where.container);
	event_odd(e, "pod", w->where.pod);
	if (w->kube) {
		event_text(e, "podNamespace", w->kube->namespace);
		event_text(e, "podName", w->kube->pod);
		event_text(e, "containerName", w->kube->container);
	}
	event_odd(e, "unit", w->where.unit);
}

static void put_geo(struct event *e, const struct geo *geo)
{
	if (!geo)
		return;
	event_text(e, "srcCountry", geo->country_iso);
	event_text(e, "srcCity", geo->city);
	if (geo->asn)
		event_number(e, "srcAsn", geo->asn);
	event_text(e, "srcOrganization", geo->org);
}

static void put_findings(struct event *e, const struct alert *a)
{
	static const char *const keys[ANSWER_MAX] = {
		[ANSWER_OPEN] = "answersOpen",
		[ANSWER_CLOSED] = "answersClosed",
		[ANSWER_FILTERED] = "answersFiltered",
		[ANSWER_NONE] = "answersNone",
	};
	bool open_cut, cut = event_ports(e, "ports", a, ANSWER_MAX);

	event_number(e, "count", a->count);
	open_cut = event_ports(e, keys[ANSWER_OPEN], a, ANSWER_OPEN);
	for (unsigned int i = ANSWER_CLOSED; !cut && i < ANSWER_MAX; i++)
		event_ports(e, keys[i], a, i); /* long lists leave no room for these */
	if (cut || open_cut)
		event_text(e, "portsTruncated", "true");
	event_techniques(e, "technique", a);
}

int sink_leef_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx)
{
	const struct attack_ref *attack = alert_attack(a);
	struct event e = { .out = out, .put = put_value };
	int severity = alert_severity(a);
	char message[SINK_SENTENCE_MAX];

	fprintf(out, "LEEF:2.0|reconmon|reconmon|%s|", RECONMON_VERSION);
	put_clean(out, a->rule->name, '|');
	fprintf(out, "|x09|");

	event_number(&e, "devTime", sink_wall_ms(ctx, ctx->now_ns));
	event_text(&e, "cat", "reconnaissance");
	event_number(&e, "sev", severity > 0 ? severity : 1); /* 1 to 10 */
	put_parties(&e, a, ctx);
	put_owner(&e, a->owner);
	put_geo(&e, ctx->geo);
	event_text(&e, "policy", a->rule->name);
	event_text(&e, "identHostName", ctx->hostname);
	event_text(&e, "state", alert_state_name(state));
	event_text(&e, "alertId", a->id);
	event_text(&e, "incidentId", a->incident);
	put_findings(&e, a);
	event_number(&e, "attempts", (int64_t)a->attempts);
	event_number(&e, "threshold", a->rule->threshold);
	event_number(&e, "window", (int64_t)(a->rule->window_ns / 1000000000));
	event_number(&e, "firstTime", sink_wall_ms(ctx, a->first_ns));
	event_number(&e, "lastTime", sink_wall_ms(ctx, a->last_ns));
	event_text(&e, "attack", attack->sub_id[0] ? attack->sub_id : attack->technique_id);
	if (a->retracted)
		event_text(&e, "retracted", "true");
	if (a->incomplete)
		event_text(&e, "incomplete", "true");
	event_text(&e, "msg", sink_message(a, message));
	return event_end(out);
}
