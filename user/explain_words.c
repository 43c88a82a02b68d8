// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The parts of an explanation that are sentences. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alert.h"
#include "explain.h"
#include "words.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What a probe of each technique looks like on the wire; names as alert_techniques() gives them. */
static const struct {
	const char *name, *probe;
} probes[] = {
	{ "syn", "a SYN; no payload followed: refused, unanswered, or dropped half-open" },
	{ "connect", "a whole handshake, closed without a byte from the originator" },
	{ "fin", "a FIN without ACK, which no TCP stack sends" },
	{ "null", "a segment without any flag, which no TCP stack sends" },
	{ "xmas", "FIN, PSH and URG without ACK, which no TCP stack sends" },
	{ "flags", "flags in a combination that no TCP stack sends" },
	{ "ack", "an ACK of no known connection, refused by RST (ACK and window scans are alike)" },
	{ "maimon", "FIN with ACK of no known connection, refused by RST" },
	{ "syn-ack", "a SYN-ACK that nobody had asked for, refused by RST" },
	{ "fragment", "a first fragment too short for the TCP flags (nmap -f, --mtu)" },
	{ "udp", "a datagram without payload, or one refused by ICMP port unreachable" },
	{ "sctp-init", "an INIT whose association carried no data" },
	{ "sctp-cookie", "a COOKIE ECHO of no association" },
	{ "icmp", "an echo, timestamp or mask request without data (ping sends 56 bytes)" },
	{ "ip-proto", "an empty packet of an IP protocol; the \"ports\" are protocol numbers" },
};

static const char *const answer_means[ANSWER_MAX] = {
	[ANSWER_NONE] = "silence: the packet was dropped, or the answer did not come by here",
	[ANSWER_OPEN] = "it answered: something listens there",
	[ANSWER_CLOSED] = "refused (RST, or ICMP port unreachable): nothing listens there",
	[ANSWER_FILTERED] = "ICMP unreachable of another kind: a firewall or router refused",
};

static void say(json_t *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(json_t *list, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(list, json_string(text));
}

static const struct rule *rule_of(const struct explain *x)
{
	for (uint32_t i = 0; i < x->cfg->rules.n; i++)
		if (!strcmp(x->cfg->rules.rule[i].name, x->s->rule))
			return &x->cfg->rules.rule[i];
	return NULL;
}

/* what_counts - what the rule counts: a noun in the plural. r: NULL if it is not known here. */
static const char *what_counts(const struct subject *s, const struct rule *r)
{
	if (r && r->distinct == (FIELD_RESP | FIELD_RESP_PORT))
		return "pairs of responder and port";
	if (s->responders)
		return "responders";
	return s->protocols ? "IP protocols" : "ports";
}

static const char *window_text(const struct subject *s, char *buf)
{
	return duration_format((uint64_t)(s->window_s * 1e9), buf);
}

/* counts_attempts - does the rule count contacts whatever their payload? A rule that is not in the
 * configuration any more counts probes, as most do. */
static bool counts_attempts(const struct rule *r)
{
	return r && r->where == WHERE_CONTACT;
}

/* span_text - how long it took, for people: "0.06 ms", "1.5 s", "12 min". buf: 32 bytes. */
static const char *span_text(double s, char *buf)
{
	if (s < 1)
		snprintf(buf, 32, "%.3g ms", s * 1000);
	else if (s < 120)
		snprintf(buf, 32, "%.3g s", s);
	else if (s < 2.0 * 3600)
		snprintf(buf, 32, "%.0f min", s / 60);
	else
		snprintf(buf, 32, "%.1f h", s / 3600);
	return buf;
}

static json_t *rule_words(const struct explain *x)
{
	const struct rule *r = rule_of(x);
	const struct subject *s = x->s;
	bool any = counts_attempts(r);
	json_t *list = json_array();
	char window[32], span[32];

	say(list, "%s%s%s", s->rule, *s->description ? ": " : "", s->description);
	say(list, "It fires at %lld distinct %s %s within %s%s; here it was %lld in %s.",
	    (long long)s->threshold, what_counts(s, r), any ? "contacted" : "probed",
	    window_text(s, window), r && r->mode == WINDOW_TUMBLING ? " (bins by the clock)" : "",
	    (long long)s->count, span_text(s->end_s - s->start_s, span));
	if (r && rule_is_joint(r))
		say(list, "They must come from %u originators at least.", r->originators);
	if (any)
		say(list, "Every attempt counts, whatever its payload.");
	else
		say(list, "A probe is an attempt in which the originator sent no payload at all.");
	return list;
}

static json_t *probe_words(const struct subject *s)
{
	json_t *list = json_array(), *t;
	size_t i;

	json_array_foreach (s->techniques, i, t) {
		const char *name = json_string_value(t);

		for (size_t p = 0; name && p < ARRAY_SIZE(probes); p++)
			if (!strcmp(name, probes[p].name))
				say(list, "%s: %s", name, probes[p].probe);
	}
	return list;
}

static bool has_answer(const struct subject *s, enum answer answer)
{
	uint16_t first, last;

	return subject_ranges(s, answer, &first, &last, 1);
}

/* otherwise - what would have to be otherwise, each by itself enough. */
static json_t *otherwise_words(const struct explain *x)
{
	const struct subject *s = x->s;
	const struct rule *r = rule_of(x);
	json_t *list = json_array();
	char window[32];

	window_text(s, window);
	say(list, "fewer than %lld distinct %s within %s", (long long)s->threshold,
	    what_counts(s, r), window);
	if (r && rule_is_joint(r))
		say(list, "fewer than %u originators", r->originators);
	if (!counts_attempts(r)) {
		if (has_answer(s, ANSWER_OPEN) || has_answer(s, ANSWER_NONE))
			say(list,
			    "payload from the originator at the ports that answered or were "
			    "silent, within %s: it outweighs a silent attempt at the same port",
			    window);
		if (has_answer(s, ANSWER_CLOSED))
			say(list,
			    "something that listens at the closed ports: payload does not outweigh "
			    "a refusal");
		if (x->cfg->habits)
			say(list,
			    "the same silent contacts coming back steadily, at least every 75 "
			    "minutes: they become a habit, and habits alone raise nothing");
	}
	if (r && r->responder == SCOPE_INTERNAL)
		say(list, "responders outside of the internal networks (--internal)");
	if (s->retracted)
		say(list, "this one was taken back: payload came after all");
	return list;
}

json_t *explain_words(const struct explain *x)
{
	return json_pack("{s:o, s:o, s:o}", "why", rule_words(x), "probes", probe_words(x->s),
			 "otherwise", otherwise_words(x));
}

/* ---- ports ---- */

static json_t *port_row(const struct explain *x, uint32_t first, uint32_t last, enum answer answer)
{
	const char *name = NULL;
	char ports[16];

	if (first == last) {
		snprintf(ports, sizeof(ports), "%u", first);
		name = services_name(x->services, subject_proto(x->s), (uint16_t)first);
	} else {
		snprintf(ports, sizeof(ports), "%u-%u", first, last);
	}
	return json_pack("{s:s, s:s*, s:s, s:s}", "ports", ports, "service", name, "answer",
			 answer_name(answer), "means", answer_means[answer]);
}

json_t *explain_ports(const struct explain *x)
{
	bool single = x->s->ports <= EXPLAIN_ROWS_MAX;
	const uint8_t *answer = x->s->answer;
	json_t *rows = json_array();

	for (uint32_t p = 0, last; p < SUBJECT_PORTS; p = last + 1) {
		last = p;
		if (!answer[p])
			continue;
		while (!single && last + 1 < SUBJECT_PORTS && answer[last + 1] == answer[p])
			last++;
		json_array_append_new(rows, port_row(x, p, last, (enum answer)(answer[p] - 1)));
	}
	return rows;
}
