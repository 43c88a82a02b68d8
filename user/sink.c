// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Which writer belongs to which format, and what do they all say alike? */
#include "sink.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "conn_row.h"
#include "net.h"

#define NS_PER_S ((uint64_t)1000000000)

enum {
	SENTENCE_PORTS_MAX = 200, /* bytes of a list of ports that people read */
};

const struct sink *sink_of(enum output_format format)
{
	static const struct sink sinks[FORMAT_MAX] = {
		[FORMAT_TEXT] = { .write = sink_text_write },
		[FORMAT_ECS] = { .write = sink_json_write },
		[FORMAT_OCSF] = { .write = sink_ocsf_write },
		[FORMAT_CEF] = { .write = sink_cef_write },
		[FORMAT_LEEF] = { .write = sink_leef_write },
		[FORMAT_ZEEK_TSV] = { .write = sink_zeek_tsv_write,
				      .begin = sink_zeek_tsv_begin,
				      .end = sink_zeek_tsv_end },
		[FORMAT_JOURNAL] = { .write = sink_journal_write },
		[FORMAT_ZEEK_JSON] = { .write = sink_zeek_json_write },
		/* Of attempts, not of alerts: attempt_log.c writes the rows. */
		[FORMAT_CONN_TSV] = { .begin = conn_tsv_begin, .end = conn_tsv_end },
	};

	return &sinks[format];
}

bool sink_has_orig(const struct alert *a)
{
	return a->rule->group & FIELD_ORIG;
}

uint32_t sink_parties(const struct alert *a)
{
	if (!a->hosts)
		return 0;
	return a->rule->distinct == FIELD_RESP ? a->count : a->n_hosts;
}

const char *sink_direction(const struct alert *a, const struct sink_context *ctx)
{
	if (ctx->offline)
		return NULL;
	return a->dir == DIR_EGRESS ? "egress" : "ingress";
}

bool sink_has_port(const struct alert *a)
{
	return a->rule->group & FIELD_RESP_PORT && a->proto != PROTO_ICMP &&
	       a->proto != PROTO_ICMPV6;
}

const char *sink_counted(const struct alert *a, uint32_t n)
{
	bool one = n == 1;

	switch (a->rule->distinct) {
	case FIELD_RESP_PORT:
		if (a->proto == PROTO_ANY)
			return one ? "IP protocol" : "IP protocols";
		return one ? "port" : "ports";
	case FIELD_RESP:
		return one ? "host" : "hosts";
	default:
		return one ? "pair of host and port" : "pairs of host and port";
	}
}

const char *sink_message(const struct alert *a, char *buf)
{
	const struct rule *rule = a->rule;
	const char *verb = rule->where == WHERE_PROBE ? "probed" : "contacted";
	char orig[32 + NET_TEXT_MAX], resp[NET_TEXT_MAX], ports[SENTENCE_PORTS_MAX + 1] = "";
	char port[24] = "";
	bool resp_known = rule->group & FIELD_RESP, cut = false;

	if (a->ports)
		cut = portset_format(a->ports, ANSWER_MAX, ports, sizeof(ports)) >= sizeof(ports);
	if (sink_has_port(a))
		snprintf(port, sizeof(port), " at %s %u",
			 a->proto == PROTO_ANY ? "protocol" : "port", a->resp_port);

	if (sink_has_orig(a))
		addr_format(&a->orig, orig);
	else
		snprintf(orig, sizeof(orig), "%u originators", sink_parties(a));
	snprintf(buf, SINK_SENTENCE_MAX, "%s: %s %s %u %s%s%s%s%s%s%s%s%s", rule->name, orig, verb,
		 a->count, sink_counted(a, a->count), resp_known ? " of " : "",
		 resp_known ? addr_format(&a->resp, resp) : "", port, a->proto ? " over " : "",
		 a->proto ? proto_name(a->proto) : "", *ports ? ": " : "", ports,
		 cut ? ",..." : "");
	return buf;
}

const char *sink_unfollowed(const struct alert *a, char *buf)
{
	buf[0] = '\0';
	if (a->unfollowed)
		snprintf(buf, SINK_UNFOLLOWED_MAX,
			 "; amid a flood of which %" PRIu64 " attempts were not followed",
			 a->unfollowed);
	return buf;
}

const char *sink_reason(const struct alert *a, char *buf)
{
	const struct rule *rule = a->rule;
	char unfollowed[SINK_UNFOLLOWED_MAX];

	snprintf(buf, SINK_SENTENCE_MAX, "%u distinct %s%s, threshold %u in %g s%s%s%s", a->count,
		 rule->where == WHERE_PROBE ? "silent " : "", sink_counted(a, a->count),
		 rule->threshold, (double)rule->window_ns / NS_PER_S,
		 a->retracted ? "; retracted: payload came after all" : "",
		 a->incomplete ? "; some evidence was lost" : "", sink_unfollowed(a, unfollowed));
	return buf;
}

static enum answer best_answer(const struct alert *a)
{
	enum answer best = ANSWER_NONE;

	for (uint32_t i = 0; i < a->n_hosts; i++)
		if (a->hosts[i].answer < best)
			best = a->hosts[i].answer;
	return best;
}

bool sink_ports(const struct alert *a, enum answer answer, char *text, size_t size)
{
	text[0] = '\0';
	if (a->ports)
		return portset_format(a->ports, answer, text, size) >= size;
	if (sink_has_port(a) && (answer == ANSWER_MAX || answer == best_answer(a)))
		snprintf(text, size, "%u", a->resp_port);
	return false;
}

const char *sink_service(const struct alert *a, const struct sink_context *ctx, uint16_t port)
{
	return services_name(ctx->services, a->proto, port);
}

const char *sink_known(const char *text)
{
	json_t *probe = text && *text ? json_string(text) : NULL; /* refuses broken UTF-8 */

	json_decref(probe);
	return probe ? text : NULL;
}

const char *sink_clean(const char *text, char *buf, size_t size)
{
	snprintf(buf, size, "%s", text ? text : "");
	if (!sink_known(buf))
		for (char *p = buf; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
	return buf;
}

int64_t sink_wall_ms(const struct sink_context *ctx, uint64_t t_ns)
{
	return ((int64_t)t_ns + ctx->wall_offset_ns) / 1000000;
}
