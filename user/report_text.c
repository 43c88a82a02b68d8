// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "report_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "sink.h"

#define NS_PER_US ((uint64_t)1000)
#define NS_PER_MS ((uint64_t)1000000)
#define NS_PER_S  ((uint64_t)1000000000)

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD in UTF-8 */

/* --- escaping ------------------------------------------------------------------------------- */

/* utf8_take - the character at *text, which is moved behind it; -1: no UTF-8 (RFC 3629: no
 * overlong forms, no surrogates), and moved by a byte. */
static int32_t utf8_take(const unsigned char **text)
{
	static const int32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = *text;
	int more = *s < 0x80 ? 0 : *s >> 5 == 6 ? 1 : *s >> 4 == 14 ? 2 : *s >> 3 == 30 ? 3 : -1;
	int32_t c = more <= 0 ? *s : *s & (0x3f >> more);

	*text = s + 1;
	for (int i = 1; i <= more; i++) {
		if (s[i] >> 6 != 2) /* the end of the text too */
			return -1;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (more < 0 || c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return -1;
	*text = s + more + 1;
	return c;
}

/* is_hidden - characters that are not to be seen, or change how others are: controls, marks of
 * direction (Unicode's Bidi_Control), zero widths, line separators, tags, the byte order mark. */
static bool is_hidden(int32_t c)
{
	static const struct {
		int32_t first, last;
	} hidden[] = {
		{ 0x00, 0x1F },	    { 0x7F, 0x9F },	{ 0xAD, 0xAD },	    { 0x61C, 0x61C },
		{ 0x115F, 0x1160 }, { 0x180E, 0x180E }, { 0x200B, 0x200F }, { 0x2028, 0x202E },
		{ 0x2060, 0x206F }, { 0x3164, 0x3164 }, { 0xFE00, 0xFE0F }, { 0xFEFF, 0xFEFF },
		{ 0xFFA0, 0xFFA0 }, { 0xFFF9, 0xFFFB }, { 0xFFFE, 0xFFFF }, { 0xE0000, 0xE0FFF },
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

static const char *html_reference(int32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* escape - `instead` tells what takes a character's place; NULL: it stays. */
static void escape(FILE *out, const char *text, const char *(*instead)(int32_t c))
{
	const unsigned char *s = (const unsigned char *)(text ? text : "");

	while (*s) {
		const unsigned char *from = s;
		int32_t c = utf8_take(&s);
		const char *other = c < 0 || is_hidden(c) ? REPLACEMENT : instead(c);

		if (other)
			fputs(other, out);
		else
			fwrite(from, 1, (size_t)(s - from), out);
	}
}

void report_html(FILE *out, const char *text)
{
	escape(out, text, html_reference);
}

/* CommonMark, 2.4: a backslash takes the meaning of any ASCII punctuation. Without one stay what
 * means nothing within a line, or addresses would not be fit to read. */
static const char *md_escape(int32_t c)
{
	static char with[] = "\\?";
	const char *ref = c == '&' || c == '<' || c == '>' ? html_reference(c) : NULL;

	if (ref)
		return ref;
	if (c > 0x7f || !strchr("\\`*_{}[]#+!|~$^=@", c))
		return NULL;
	with[1] = (char)c;
	return with;
}

void report_md(FILE *out, const char *text)
{
	escape(out, text, md_escape);
}

/* --- numbers and times ---------------------------------------------------------------------- */

const char *report_count(uint64_t n, char *buf)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), to = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[to++] = ',';
		buf[to++] = digits[i];
	}
	buf[to] = '\0';
	return buf;
}

const char *report_span(uint64_t ns, char *buf)
{
	uint64_t s = ns / NS_PER_S;

	if (ns < NS_PER_US)
		snprintf(buf, REPORT_WORD_MAX, ns ? "%" PRIu64 " ns" : "no time", ns);
	else if (ns < NS_PER_MS)
		snprintf(buf, REPORT_WORD_MAX, "%" PRIu64 " us", ns / NS_PER_US);
	else if (ns < NS_PER_S)
		snprintf(buf, REPORT_WORD_MAX, "%.3g ms", (double)ns / NS_PER_MS);
	else if (s < 60)
		snprintf(buf, REPORT_WORD_MAX, "%.3g s", (double)ns / NS_PER_S);
	else if (s < 3600)
		snprintf(buf, REPORT_WORD_MAX, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else if (s < 2 * 86400)
		snprintf(buf, REPORT_WORD_MAX, "%" PRIu64 " h %" PRIu64 " min", s / 3600,
			 s / 60 % 60);
	else
		snprintf(buf, REPORT_WORD_MAX, "%" PRIu64 " d %" PRIu64 " h", s / 86400,
			 s / 3600 % 24);
	return buf;
}

const char *report_time(uint64_t t_ns, int decimals, char *buf)
{
	const struct sink_context utc = { .wall_offset_ns = 0 };
	char text[SINK_TIME_MAX];
	size_t len;

	sink_time(&utc, t_ns, decimals, text);
	len = strlen(text);
	if (len && text[len - 1] == 'Z')
		text[len - 1] = '\0';
	if (len > 10 && text[10] == 'T')
		text[10] = ' ';
	snprintf(buf, REPORT_WORD_MAX, "%s", text);
	return buf;
}

/* --- titles --------------------------------------------------------------------------------- */

static const char *things(uint64_t n, const char *one, char *buf)
{
	char count[REPORT_WORD_MAX];

	snprintf(buf, 2 * REPORT_WORD_MAX, "%s %s%s", report_count(n, count), one,
		 n == 1 ? "" : "s");
	return buf;
}

const char *report_alert_title(const struct report_alert *a, char *buf)
{
	char n[2 * REPORT_WORD_MAX], resp[NET_TEXT_MAX], over[32] = "";
	bool hosts_of_nothing = a->proto == PROTO_ICMP || a->proto == PROTO_ICMPV6;

	if (a->proto && a->proto != PROTO_ANY)
		snprintf(over, sizeof(over), " over %s", proto_name(a->proto));
	addr_format(&a->resp, resp);
	if (a->shape == SHAPE_PORTS || a->joint)
		snprintf(buf, REPORT_SENTENCE_MAX, "%s of %s%s",
			 things(a->joint && a->ports ? portset_count(a->ports) : a->count,
				a->proto == PROTO_ANY ? "IP protocol" : "port", n),
			 a->has_resp ? resp : "any host", over);
	else if (a->shape == SHAPE_PAIRS)
		snprintf(buf, REPORT_SENTENCE_MAX, "%s%s",
			 things(a->count, "pair of host and port", n), over);
	else if (a->has_port && !hosts_of_nothing)
		snprintf(buf, REPORT_SENTENCE_MAX, "port %u of %s%s", a->port,
			 things(a->count, "host", n), over);
	else
		snprintf(buf, REPORT_SENTENCE_MAX, "%s%s", things(a->count, "host", n), over);
	if (a->shape == SHAPE_PAIRS && a->count > 1) { /* "pair of host and ports" */
		char count[REPORT_WORD_MAX];

		snprintf(buf, REPORT_SENTENCE_MAX, "%s pairs of host and port%s",
			 report_count(a->count, count), over);
	}
	return buf;
}

const char *report_who(const struct report_alert *a, char *buf)
{
	if (a->joint)
		snprintf(buf, REPORT_WORD_MAX, "%s%u originators", a->cut ? "over " : "",
			 a->n_hosts);
	else
		addr_format(&a->orig, buf);
	return buf;
}

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip_addr));
}

/* distinct - how many of n addresses differ; they are sorted. */
static size_t distinct(struct ip_addr *addr, size_t n)
{
	size_t different = 0;

	if (n)
		qsort(addr, n, sizeof(*addr), compare_addresses);
	for (size_t i = 0; i < n; i++)
		different += !i || compare_addresses(&addr[i - 1], &addr[i]);
	return different;
}

/* targets_put - the addresses of an incident's targets, behind the n that are there. */
static size_t targets_put(const struct report_incident *in, struct ip_addr *addr, size_t n)
{
	for (size_t i = 0; i < in->targets; i++)
		if (!in->target[i].any)
			addr[n++] = in->target[i].resp;
	return n;
}

static size_t incident_hosts(const struct report_incident *in)
{
	struct ip_addr *addr = calloc(in->targets + 1, sizeof(*addr));
	size_t n = addr ? distinct(addr, targets_put(in, addr, 0)) : in->targets;

	free(addr);
	return n;
}

const char *report_incident_title(const struct report_incident *in, char *buf)
{
	char orig[2 * REPORT_WORD_MAX], title[REPORT_SENTENCE_MAX], n[2 * REPORT_WORD_MAX];
	char alerts[2 * REPORT_WORD_MAX];
	size_t hosts;

	if (in->originators > 1)
		things(in->originators, "originator", orig);
	else
		report_who(in->alert[0], orig);
	if (in->alerts == 1) {
		snprintf(buf, REPORT_SENTENCE_MAX, "%s %s %.200s", orig,
			 in->alert[0]->contacts ? "contacted" : "probed",
			 report_alert_title(in->alert[0], title));
		return buf;
	}
	hosts = in->targets_left_out + incident_hosts(in);
	snprintf(buf, REPORT_SENTENCE_MAX, "%s probed %s, in %s", orig, things(hosts, "host", n),
		 things(in->alerts, "scan", alerts));
	return buf;
}

size_t report_originators(const struct report *m)
{
	struct ip_addr *addr;
	size_t n = 0, room = 1;

	for (size_t i = 0; i < m->alerts; i++)
		room += m->alert[i].joint ? m->alert[i].n_hosts : 1;
	addr = calloc(room, sizeof(*addr));
	if (!addr)
		return m->incidents;
	for (size_t i = 0; i < m->alerts; i++) {
		const struct report_alert *a = &m->alert[i];

		for (uint32_t k = 0; k < a->n_hosts && a->joint && !a->retracted; k++)
			addr[n++] = a->hosts[k].addr;
		if (!a->joint && !a->retracted)
			addr[n++] = a->orig;
	}
	n = distinct(addr, n);
	free(addr);
	return n;
}

size_t report_hosts(const struct report *m)
{
	struct ip_addr *addr;
	size_t n = 0, room = 1;

	for (size_t i = 0; i < m->incidents; i++)
		room += m->incident[i].targets;
	addr = calloc(room, sizeof(*addr));
	if (!addr)
		return 0;
	for (size_t i = 0; i < m->incidents; i++)
		n = targets_put(&m->incident[i], addr, n);
	n = distinct(addr, n);
	free(addr);
	return n;
}

const char *report_lede(const struct report *m, char *buf)
{
	char scans[2 * REPORT_WORD_MAX], who[2 * REPORT_WORD_MAX], hosts[2 * REPORT_WORD_MAX];
	char open[2 * REPORT_WORD_MAX], title[REPORT_SENTENCE_MAX];
	uint64_t alerts = m->alerts_dropped, opens = m->opens;

	for (size_t i = 0; i < m->incidents; i++) {
		alerts += m->incident[i].alerts;
	}
	if (!m->incidents) {
		snprintf(buf, REPORT_SENTENCE_MAX, "Nobody scanned%s.",
			 m->probes ? ": no rule's threshold was reached" : "");
		return buf;
	}
	if (m->incidents == 1 && m->incident[0].alerts == 1)
		snprintf(buf, REPORT_SENTENCE_MAX, "%.300s and found %s open.",
			 report_incident_title(&m->incident[0], title),
			 opens ? things(opens, "port", open) : "nothing");
	else
		snprintf(buf, REPORT_SENTENCE_MAX, "%s made %s of %s and found %s open.",
			 things(report_originators(m), "originator", who),
			 things(alerts, "scan", scans), things(report_hosts(m), "host", hosts),
			 opens ? things(opens, "port", open) : "nothing");
	return buf;
}

/* --- rules ---------------------------------------------------------------------------------- */

static const char *scope_word(enum rule_scope s)
{
	return s == SCOPE_INTERNAL ? "internal " : s == SCOPE_EXTERNAL ? "external " : "";
}

const char *report_rule_words(const struct rule *r, char *buf)
{
	const char *verb = r->where == WHERE_PROBE ? "probed" : "contacted";
	const char *orig = scope_word(r->originator), *resp = scope_word(r->responder);

	if (rule_is_joint(r))
		snprintf(buf, REPORT_SENTENCE_MAX,
			 "pairs of %soriginator and port of one %shost that %u originators or more "
			 "%s "
			 "together",
			 orig, resp, r->originators, verb);
	else if (r->distinct == FIELD_RESP_PORT)
		snprintf(buf, REPORT_SENTENCE_MAX, "ports of %s%shost that one %soriginator %s",
			 r->group & FIELD_RESP ? "one " : "any ", resp, orig, verb);
	else if (r->distinct == FIELD_RESP)
		snprintf(buf, REPORT_SENTENCE_MAX, "%shosts%s that one %soriginator %s", resp,
			 r->group & FIELD_RESP_PORT ? ", at one port," : "", orig, verb);
	else
		snprintf(buf, REPORT_SENTENCE_MAX,
			 "pairs of %shost and port that one %soriginator %s", resp, orig, verb);
	return buf;
}
