// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The report as a page. Whatever is not a literal of this file or a number goes through put(),
 * which is report_html(). */
#include "report_html.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "report_assets.h"
#include "report_svg.h"
#include "report_text.h"

enum {
	INCIDENTS_TOLD = 60, /* with pictures and tables; others have a line */
	INCIDENTS_LISTED = 500,
	PICTURES_MAX = 48,  /* on the page, */
	PICTURES_LARGE = 6, /* ... of which have up to MARKS_LARGE marks, the others MARKS_SMALL:
			     * a mark takes about 35 bytes */
	MARKS_LARGE = 4000,
	MARKS_SMALL = 1200,
	PICTURES_EACH = 8,    /* in an incident */
	SCANS_LISTED = 24,    /* of an incident, in its table */
	TARGETS_LISTED = 24,  /* of an incident */
	PORTS_NAMED = 48,     /* ports of one answer that are listed one by one, with names */
	PORTS_TEXT = 420,     /* bytes of a list of ranges */
	HOSTS_LISTED = 48,    /* of a sweep, of one answer: runs of addresses */
	PORTS_COMPARED = 512, /* bytes of ports that two hosts must have alike to share a row */
	MATRIX_MAX = 16,      /* originators and responders each */
	TAKEN_BACK_LISTED = 50,
};

struct page {
	FILE *out;
	const struct report *m;
	const struct services *services;
	unsigned int pictures, pictures_left_out;
};

static void put(const struct page *p, const char *text)
{
	report_html(p->out, text);
}

static void raw(const struct page *p, const char *literal)
{
	fputs(literal, p->out);
}

static void put_addr(const struct page *p, const struct ip_addr *addr)
{
	char text[NET_TEXT_MAX];

	put(p, addr_format(addr, text));
}

static void put_count(const struct page *p, uint64_t n)
{
	char text[REPORT_WORD_MAX];

	put(p, report_count(n, text));
}

static void put_time(const struct page *p, uint64_t t_ns, int decimals)
{
	char text[REPORT_WORD_MAX];

	fputs("<time>", p->out);
	put(p, report_time(t_ns, decimals, text));
	fputs("</time>", p->out);
}

static void put_span(const struct page *p, uint64_t ns)
{
	char text[REPORT_WORD_MAX];

	put(p, report_span(ns, text));
}

/* put_period - "2026-11-25 07:29:25 to 07:31:02 UTC, 1 min 37 s". */
static void put_period(const struct page *p, uint64_t first_ns, uint64_t last_ns)
{
	char first[REPORT_WORD_MAX], last[REPORT_WORD_MAX];

	report_time(first_ns, 0, first);
	report_time(last_ns, 0, last);
	raw(p, "<time>");
	put(p, first);
	raw(p, "</time>");
	if (strcmp(first, last) != 0) {
		raw(p, " to <time>");
		put(p, strncmp(first, last, 11) ? last : last + 11);
		raw(p, "</time>");
	}
	raw(p, " UTC, over ");
	put_span(p, last_ns - first_ns);
}

static void put_severity(const struct page *p, unsigned int severity)
{
	fprintf(p->out, "<span class=\"sev sev%u\">%u</span>", severity, severity);
}

/* --- ports ---------------------------------------------------------------------------------- */

/* put_port - a port and what it is called. */
static void put_port(const struct page *p, uint8_t proto, uint16_t port)
{
	const char *name = services_name(p->services, proto, port);

	if (proto == PROTO_ICMP || proto == PROTO_ICMPV6) { /* there are no ports */
		raw(p, "<span class=\"port\">ping</span>");
		return;
	}

	fprintf(p->out, "<span class=\"port\">%u", port);
	if (name) {
		raw(p, "&nbsp;<i>");
		put(p, name);
		raw(p, "</i>");
	}
	raw(p, "</span>");
}

/* put_ports - the ports of one answer: one by one with names while they are few, else as ranges. */
static void put_ports(const struct page *p, const struct portset *ports, enum answer answer,
		      uint8_t proto)
{
	uint32_t n =
		answer == ANSWER_MAX ? portset_count(ports) : portset_count_answer(ports, answer);
	char text[PORTS_TEXT];
	const char *comma = "";

	if (n > PORTS_NAMED && !(answer == ANSWER_OPEN && n <= 2 * PORTS_NAMED)) {
		bool cut = portset_format(ports, answer, text, sizeof(text)) >= sizeof(text);

		for (const char *c = text; *c; c++) { /* a line may end behind a comma */
			fputc(*c, p->out);
			if (*c == ',')
				fputc(' ', p->out);
		}
		if (cut)
			raw(p, ", ... (cut; <code>--format json</code> lists all)");
		return;
	}
	for (int port = portset_next(ports, answer, 0); port >= 0;
	     port = portset_next(ports, answer, (uint32_t)port + 1)) {
		raw(p, comma);
		put_port(p, proto, (uint16_t)port);
		comma = ", ";
	}
}

static void put_kind(const struct page *p, enum mark_kind kind)
{
	static const char *const words[MARK_MAX] = {
		[MARK_OPEN] = "open",	   [MARK_CLOSED] = "closed",   [MARK_FILTERED] = "filtered",
		[MARK_NONE] = "no answer", [MARK_SPOKE] = "spoken to", [MARK_UNTOLD] = "not told",
	};

	fprintf(p->out, "<span class=\"kind %s\">", mark_name(kind));
	report_svg_key(p->out, kind);
	fprintf(p->out, "%s</span>", words[kind]);
}

/* put_learnt_ports - a table: answer, how many, which. */
static void put_learnt_ports(const struct page *p, const struct portset *ports, uint8_t proto)
{
	raw(p,
	    "<table class=\"learnt\"><caption>What it learnt</caption><thead><tr><th scope=\"col\">"
	    "answer</th><th scope=\"col\" class=\"n\">ports</th><th scope=\"col\">which</th></tr>"
	    "</thead><tbody>\n");
	for (unsigned int a = 0; a < ANSWER_MAX; a++) {
		if (!portset_count_answer(ports, a))
			continue;
		raw(p, "<tr><th scope=\"row\">");
		put_kind(p, a);
		raw(p, "</th><td class=\"n\">");
		put_count(p, portset_count_answer(ports, a));
		raw(p, "</td><td>");
		put_ports(p, ports, a, proto);
		raw(p, "</td></tr>\n");
	}
	raw(p, "</tbody></table>\n");
}

/* is_next - is b the address behind a? */
static bool is_next(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->w[0] == b->w[0] && be64toh(a->w[1]) + 1 == be64toh(b->w[1]);
}

/* put_run - addresses from first to last: "10.0.0.1-10.0.0.9". */
static void put_run(const struct page *p, const struct ip_addr *first, const struct ip_addr *last)
{
	put_addr(p, first);
	if (!memcmp(first, last, sizeof(*first)))
		return;
	raw(p, is_next(first, last) ? ", " : "-");
	put_addr(p, last);
}

/* put_hosts - likewise of a sweep, or of pairs; or who took part, of a scan by many. */
static void put_hosts(const struct page *p, const struct report_alert *a)
{
	fprintf(p->out,
		"<table class=\"learnt\"><caption>%s</caption><thead><tr><th "
		"scope=\"col\">answer</th>"
		"<th scope=\"col\" class=\"n\">%s</th><th "
		"scope=\"col\">which</th></tr></thead><tbody>"
		"\n",
		a->joint ? "Who took part, by the best answer" : "What it learnt",
		a->joint ? "originators" : "hosts");
	for (unsigned int k = 0; k < MARK_MAX; k++) {
		uint32_t n = 0, listed = 0, runs = 0;

		for (uint32_t i = 0; i < a->n_hosts; i++)
			n += a->hosts[i].kind == k;
		if (!n)
			continue;
		raw(p, "<tr><th scope=\"row\">");
		put_kind(p, k);
		raw(p, "</th><td class=\"n\">");
		put_count(p, n);
		raw(p, "</td><td>");
		for (uint32_t i = 0, end; i < a->n_hosts && runs < HOSTS_LISTED; i = end + 1) {
			end = i;
			if (a->hosts[i].kind != k)
				continue;
			while (end + 1 < a->n_hosts && a->hosts[end + 1].kind == k &&
			       is_next(&a->hosts[end].addr, &a->hosts[end + 1].addr))
				end++;
			raw(p, runs++ ? ", <span>" : "<span>");
			put_run(p, &a->hosts[i].addr, &a->hosts[end].addr);
			raw(p, "</span>");
			listed += end - i + 1;
		}
		if (n > listed) {
			raw(p, " and ");
			put_count(p, n - listed);
			raw(p, " more");
		}
		raw(p, "</td></tr>\n");
	}
	raw(p, "</tbody></table>\n");
}

/* --- a scan --------------------------------------------------------------------------------- */

static void put_facts(const struct page *p, const struct report_alert *a)
{
	put_time(p, a->first_ns, 3);
	raw(p, " UTC, over ");
	put_span(p, a->last_ns - a->first_ns);
	if (a->attempts) {
		raw(p, " <span>");
		put_count(p, a->attempts);
		raw(p, a->attempts == 1 ? " attempt" : " attempts");
		raw(p, "</span>");
	}
	if (a->rate >= 1) {
		raw(p, " <span>");
		put_count(p, (uint64_t)(a->rate + 0.5));
		raw(p, " a second</span>");
	}
	if (a->techniques[0]) {
		raw(p, " <span>technique ");
		put(p, a->techniques);
		raw(p, "</span>");
	}
	if (a->attack[0]) {
		raw(p, " <span>ATT&amp;CK ");
		put(p, a->attack);
		raw(p, "</span>");
	}
	if (a->where[0]) {
		raw(p, " <span>");
		put(p, a->where);
		raw(p, "</span>");
	}
	if (a->owner[0]) {
		raw(p, " <span class=\"owner\">by ");
		put(p, a->owner);
		raw(p, "</span>");
	}
	raw(p, " <span>alert <code>");
	put(p, a->id);
	raw(p, "</code></span>");
}

/* put_caveats - what may be missing of this one. */
static void put_caveats(const struct page *p, const struct report_alert *a,
			const struct report_picture *drawn)
{
	if (drawn->drawn) {
		raw(p, "<figcaption>");
		if (a->timed)
			raw(p,
			    drawn->marks < a->count
				    ? "The daemon keeps the time of the first 64 and the last 192 "
				      "of an "
				      "alert's probes: these are they. "
				    : "One mark for each port or host, when it was probed first. ");
		else if (a->from_log)
			raw(p,
			    "From a log of alerts, which does not tell when each was probed: marks "
			    "stand where an alert first named them. ");
		else if (p->m->marks_thinned && a->attempts > drawn->marks) {
			put_count(p, drawn->marks);
			raw(p, " of ");
			put_count(p, a->attempts);
			raw(p, " attempts were kept with their time, evenly chosen. ");
		} else if (drawn->drawn == drawn->marks) {
			raw(p, a->attempts > drawn->marks
				       ? "One mark for each probe that still counts. "
				       : "One mark a probe. ");
		}
		if (drawn->drawn < drawn->marks) {
			put_count(p, drawn->drawn);
			raw(p, " marks stand for ");
			put_count(p, drawn->marks);
			raw(p, " probes: those that would lie on one another are drawn once. ");
		}
		if (drawn->pauses)
			raw(p, drawn->pauses > 1 ? "Pauses are cut out; their lengths stand below. "
						 : "A pause is cut out; its length stands below. ");
		raw(p, "</figcaption>\n");
	}
	if (a->incomplete)
		raw(p,
		    "<p class=\"warn\">Evidence was lost while this scan went on: it may have been "
		    "larger.</p>\n");
	if (a->cut)
		raw(p, "<p class=\"warn\">The list of hosts or ports was cut where the alert was "
		       "made.</p>\n");
	raw(p, "</figure>\n");
}

/* put_scan_head - what an incident of one scan has in its own heading. */
static void put_scan_head(const struct page *p, const struct report_alert *a)
{
	char title[REPORT_SENTENCE_MAX], who[REPORT_WORD_MAX];

	raw(p, "<h4>");
	put_severity(p, a->severity);
	raw(p, " <span class=\"rule\">");
	put(p, a->rule);
	raw(p, "</span> ");
	put(p, report_who(a, who));
	raw(p, ", ");
	put(p, report_alert_title(a, title));
	raw(p, "</h4>\n<p class=\"facts\">");
	put_facts(p, a);
	raw(p, "</p>\n");
}

static void put_scan(struct page *p, const struct report_alert *a, bool with_head)
{
	const unsigned int most = p->pictures < PICTURES_LARGE ? MARKS_LARGE : MARKS_SMALL;
	struct report_picture drawn;

	p->pictures++;
	raw(p, "<section class=\"scan-block\">\n");
	if (with_head)
		put_scan_head(p, a);
	raw(p,
	    "<div class=\"beside\"><figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
	    "aria-label=\"Picture of this scan; with scripts, arrow keys step through its "
	    "marks\">\n");
	report_svg_scan(p->out, p->m, a, p->services, p->pictures, 0, most, &drawn);
	if (!drawn.drawn)
		raw(p, "<p class=\"none-drawn\">No probe of this scan is known by its time.</p>\n");
	raw(p, "</div>\n");
	put_caveats(p, a, &drawn);
	raw(p, "<div>\n");
	if (a->ports && (a->shape == SHAPE_PORTS || a->joint))
		put_learnt_ports(p, a->ports, a->proto);
	if (a->n_hosts)
		put_hosts(p, a);
	raw(p, "</div></div></section>\n");
}

/* --- an incident ---------------------------------------------------------------------------- */

static void put_scans_table(const struct page *p, const struct report_incident *in)
{
	char title[REPORT_SENTENCE_MAX], who[REPORT_WORD_MAX];
	size_t n = in->alerts < SCANS_LISTED ? in->alerts : SCANS_LISTED;

	raw(p,
	    "<div class=\"scroll\" tabindex=\"0\"><table class=\"list\"><caption>Its scans"
	    "</caption><thead><tr><th scope=\"col\">severity</th><th scope=\"col\">rule</th>"
	    "<th scope=\"col\">what</th><th scope=\"col\" class=\"n\">open</th><th scope=\"col\">"
	    "technique</th><th scope=\"col\">from (UTC)</th><th scope=\"col\">over</th></tr>"
	    "</thead><tbody>\n");
	for (size_t i = 0; i < n; i++) {
		const struct report_alert *a = in->alert[i];

		raw(p, "<tr><td>");
		put_severity(p, a->severity);
		raw(p, "</td><td>");
		put(p, a->rule);
		raw(p, "</td><td>");
		if (in->originators > 1) {
			put(p, report_who(a, who));
			raw(p, ": ");
		}
		put(p, report_alert_title(a, title));
		raw(p, "</td><td class=\"n\">");
		put_count(p, report_alert_opens(a));
		raw(p, "</td><td>");
		put(p, a->techniques);
		raw(p, "</td><td>");
		put_time(p, a->first_ns, 3);
		raw(p, "</td><td>");
		put_span(p, a->last_ns - a->first_ns);
		raw(p, "</td></tr>\n");
	}
	raw(p, "</tbody></table></div>\n");
	if (in->alerts > n) {
		raw(p, "<p class=\"note\">And ");
		put_count(p, in->alerts - n);
		raw(p, " scans more, of no higher severity.</p>\n");
	}
}

static void put_target_ports(const struct page *p, const struct report_target *t, enum answer a)
{
	raw(p, "<td>");
	if (t->ports && portset_count_answer(t->ports, a)) {
		if (a == ANSWER_OPEN || portset_count_answer(t->ports, a) <= 6) {
			put_ports(p, t->ports, a, t->proto);
		} else {
			put_count(p, portset_count_answer(t->ports, a));
			raw(p, " ports");
		}
	}
	raw(p, "</td>");
}

/* is_alike - the next address, of which the same was learnt: one row tells of both. */
static bool is_alike(const struct report_target *a, const struct report_target *b)
{
	char x[PORTS_COMPARED], y[PORTS_COMPARED];

	if (a->any || b->any || a->proto != b->proto ||
	    memcmp(&a->orig, &b->orig, sizeof(a->orig)) || !is_next(&a->resp, &b->resp) ||
	    !a->ports != !b->ports || !a->untold != !b->untold)
		return false;
	for (unsigned int k = 0; k < ANSWER_MAX && a->ports; k++)
		if (portset_format(a->ports, k, x, sizeof(x)) >= sizeof(x) ||
		    portset_format(b->ports, k, y, sizeof(y)) >= sizeof(y) || strcmp(x, y) != 0)
			return false;
	if (!a->untold)
		return true;
	return portset_format(a->untold, ANSWER_MAX, x, sizeof(x)) < sizeof(x) &&
	       portset_format(b->untold, ANSWER_MAX, y, sizeof(y)) < sizeof(y) && !strcmp(x, y);
}

static void put_targets(const struct page *p, const struct report_incident *in)
{
	const struct ip_addr nobody = { .w = { 0, 0 } }; /* many together */
	size_t rows = 0, told = 0;

	raw(p,
	    "<div class=\"scroll\" tabindex=\"0\"><table class=\"list\"><caption>What it learnt, "
	    "host by host</caption><thead><tr><th scope=\"col\">host</th>");
	for (unsigned int a = 0; a < ANSWER_MAX; a++) {
		raw(p, "<th scope=\"col\">");
		put_kind(p, a);
		raw(p, "</th>");
	}
	raw(p, "</tr></thead><tbody>\n");
	for (size_t i = 0, end; i < in->targets && rows < TARGETS_LISTED; i = end + 1, rows++) {
		const struct report_target *t = &in->target[i];

		for (end = i;
		     end + 1 < in->targets && is_alike(&in->target[end], &in->target[end + 1]);)
			end++;
		told = end + 1;
		raw(p, "<tr><th scope=\"row\">");
		if (in->originators > 1 && memcmp(&t->orig, &nobody, sizeof(nobody)) != 0) {
			put_addr(p, &t->orig);
			raw(p, " at ");
		}
		if (t->any)
			raw(p, "any host");
		else
			put_run(p, &t->resp, &in->target[end].resp);
		if (t->proto && t->proto != PROTO_TCP && t->proto != PROTO_ANY) {
			raw(p, " ");
			put(p, proto_name(t->proto));
		}
		raw(p, "</th>");
		for (unsigned int a = 0; a < ANSWER_MAX; a++)
			put_target_ports(p, t, a);
		if (t->untold) {
			raw(p, "<td>");
			put_kind(p, MARK_UNTOLD);
			raw(p, " ");
			put_ports(p, t->untold, ANSWER_MAX, t->proto);
			raw(p, "</td>");
		}
		raw(p, "</tr>\n");
	}
	raw(p, "</tbody></table></div>\n");
	if (in->targets + in->targets_left_out > told) {
		raw(p, "<p class=\"note\">And ");
		put_count(p, in->targets + in->targets_left_out - told);
		raw(p, " more, where not more was found open.</p>\n");
	}
}

static void put_incident(struct page *p, size_t index)
{
	const struct report_incident *in = &p->m->incident[index];
	char title[REPORT_SENTENCE_MAX];
	unsigned int pictures = 0;

	fprintf(p->out,
		"<article id=\"i%zu\" class=\"incident\" data-severity=\"%u\" "
		"aria-labelledby=\"i%zuh\"><header>",
		index + 1, in->severity, index + 1);
	put_severity(p, in->severity);
	fprintf(p->out, "<div><h3 id=\"i%zuh\">", index + 1);
	put(p, report_incident_title(in, title));
	raw(p, "</h3><p class=\"facts\">");
	if (in->alerts == 1) {
		put_facts(p, in->alert[0]);
		raw(p, " <span>rule ");
		put(p, in->alert[0]->rule);
		raw(p, "</span>");
	} else {
		put_period(p, in->first_ns, in->last_ns);
		raw(p, " <span>");
		put_count(p, in->opens);
		raw(p, in->opens == 1 ? " open port found</span>" : " open ports found</span>");
	}
	if (in->id[0]) {
		raw(p, " <span>incident <code>");
		put(p, in->id);
		raw(p, "</code></span>");
	}
	raw(p, "</p></div></header>\n");
	if (in->alerts > 1)
		put_scans_table(p, in);
	for (size_t i = 0; i < in->alerts && pictures < PICTURES_EACH && p->pictures < PICTURES_MAX;
	     i++, pictures++)
		put_scan(p, in->alert[i], in->alerts > 1);
	p->pictures_left_out += (unsigned int)(in->alerts - pictures);
	if (in->alerts > pictures) {
		raw(p, "<p class=\"note\">Pictures of the ");
		put_count(p, pictures);
		raw(p, " worst of ");
		put_count(p, in->alerts);
		raw(p, " scans.</p>\n");
	}
	if (in->alerts > 1 || in->targets > 1)
		put_targets(p, in);
	raw(p, "</article>\n");
}

/* --- the top -------------------------------------------------------------------------------- */

static void put_figure(const struct page *p, uint64_t n, const char *what, const char *class)
{
	fprintf(p->out, "<div class=\"%s\"><dt>%s</dt><dd>", class, what);
	put_count(p, n);
	raw(p, "</dd></div>\n");
}

static void put_figures(const struct page *p)
{
	const struct report *m = p->m;
	uint64_t scans = m->alerts_dropped, opens = m->opens;
	size_t originators = report_originators(m), hosts = report_hosts(m);
	unsigned int worst = m->incidents ? m->incident[0].severity : 0;
	char class[24];

	for (size_t i = 0; i < m->incidents; i++) {
		scans += m->incident[i].alerts;
	}
	snprintf(class, sizeof(class), "worst sev%u", worst);
	raw(p, "<dl class=\"figures\">\n");
	put_figure(p, worst, "worst severity, of 10", class);
	put_figure(p, m->incidents, m->incidents == 1 ? "incident" : "incidents", "f");
	put_figure(p, scans, scans == 1 ? "scan" : "scans", "f");
	put_figure(p, originators, originators == 1 ? "originator" : "originators", "f");
	put_figure(p, hosts, hosts == 1 ? "host scanned" : "hosts scanned", "f");
	put_figure(p, opens, opens == 1 ? "port found open" : "ports found open",
		   opens ? "f found" : "f");
	if (m->engine) {
		put_figure(p, m->probes, m->probes == 1 ? "probe" : "probes", "f");
		put_figure(p, m->lost, "lost", m->lost ? "f bad" : "f");
	}
	raw(p, "</dl>\n");
}

static void put_key(const struct page *p)
{
	static const char *const means[MARK_MAX] = {
		[MARK_OPEN] = "a SYN-ACK, or a reply over UDP",
		[MARK_CLOSED] = "a reset, or ICMP port unreachable",
		[MARK_FILTERED] = "another ICMP unreachable",
		[MARK_NONE] = "nothing came back",
		[MARK_SPOKE] = "the originator sent payload: no probe",
		[MARK_UNTOLD] = "the log of alerts does not say",
	};

	bool spoke = false;

	for (size_t i = 0; i < p->m->alerts; i++)
		spoke |= p->m->alert[i].contacts;
	raw(p, "<ul class=\"legend\" aria-label=\"What the marks mean\">\n");
	for (unsigned int k = 0; k < MARK_MAX; k++) {
		if (k == MARK_SPOKE && !spoke)
			continue;
		if (k == MARK_UNTOLD && !p->m->log_lines && !p->m->live)
			continue;
		fprintf(p->out, "<li data-kind=\"%s\">", mark_name(k));
		put_kind(p, k);
		fprintf(p->out, " <small>%s</small></li>\n", means[k]);
	}
	raw(p, "</ul>\n");
}

/* put_list - every incident in a line: the table beside the overview, and the way to what is told
 * of it. */
static void put_list(const struct page *p)
{
	const struct report *m = p->m;
	size_t n = m->incidents < INCIDENTS_LISTED ? m->incidents : INCIDENTS_LISTED;
	char title[REPORT_SENTENCE_MAX];

	raw(p, "<div class=\"scroll\" tabindex=\"0\"><table class=\"list\" id=\"list\"><caption>"
	       "Incidents, the worst first</caption><thead><tr><th scope=\"col\">severity</th>"
	       "<th scope=\"col\">what</th><th scope=\"col\" class=\"n\">scans</th>"
	       "<th scope=\"col\" class=\"n\">open</th><th scope=\"col\">from (UTC)</th>"
	       "<th scope=\"col\">over</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < n; i++) {
		const struct report_incident *in = &m->incident[i];

		fprintf(p->out, "<tr data-severity=\"%u\"><td>", in->severity);
		put_severity(p, in->severity);
		raw(p, "</td><td>");
		if (i < INCIDENTS_TOLD)
			fprintf(p->out, "<a href=\"#i%zu\">", i + 1);
		put(p, report_incident_title(in, title));
		raw(p, i < INCIDENTS_TOLD ? "</a></td><td class=\"n\">" : "</td><td class=\"n\">");
		put_count(p, in->alerts);
		raw(p, "</td><td class=\"n\">");
		put_count(p, in->opens);
		raw(p, "</td><td>");
		put_time(p, in->first_ns, 0);
		raw(p, "</td><td>");
		put_span(p, in->last_ns - in->first_ns);
		raw(p, "</td></tr>\n");
	}
	raw(p, "</tbody></table></div>\n");
	if (m->incidents > n) {
		raw(p, "<p class=\"note\">And ");
		put_count(p, m->incidents - n);
		raw(p, " incidents more, of no higher severity.</p>\n");
	}
}

static void put_overview(const struct page *p)
{
	uint32_t high;

	raw(p, "<section id=\"overview\" aria-labelledby=\"overview-h\"><h2 id=\"overview-h\">At a "
	       "glance</h2>\n");
	put_figures(p);
	raw(p,
	    "<figure><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Who scanned "
	    "when\">\n");
	high = report_svg_overview(p->out, p->m);
	if (!high)
		raw(p, "<p class=\"none-drawn\">Nothing to draw: there were no probes.</p>\n");
	raw(p, "</div>");
	if (high)
		raw(p, "<figcaption>Bars are scans, coloured by severity: <span class=\"sw "
		       "sev4\"></span>"
		       "up to 5, <span class=\"sw sev6\"></span>6 and 7, <span class=\"sw "
		       "sev8\"></span>"
		       "8 and above.</figcaption>");
	raw(p, "</figure>\n");
	if (p->m->incidents)
		put_list(p);
	raw(p, "</section>\n");
}

/* --- who looked at whom --------------------------------------------------------------------- */

struct axis {
	struct ip_addr addr[MATRIX_MAX];
	size_t n, left_out;
};

static size_t axis_at(const struct axis *x, const struct ip_addr *addr)
{
	size_t i = 0;

	while (i < x->n && memcmp(&x->addr[i], addr, sizeof(*addr)))
		i++;
	return i;
}

static void axis_add(struct axis *x, const struct ip_addr *addr)
{
	if (axis_at(x, addr) < x->n)
		return;
	if (x->n < MATRIX_MAX)
		x->addr[x->n++] = *addr;
	else
		x->left_out++;
}

struct cell {
	uint32_t ports, open;
};

static void cells_fill(const struct report *m, const struct axis *rows, const struct axis *columns,
		       struct cell cell[MATRIX_MAX][MATRIX_MAX])
{
	for (size_t i = 0; i < m->incidents; i++) {
		const struct report_incident *in = &m->incident[i];

		for (size_t k = 0; k < in->targets; k++) {
			const struct report_target *t = &in->target[k];
			size_t r = axis_at(rows, &t->orig), c = axis_at(columns, &t->resp);

			if (t->any || r == rows->n || c == columns->n)
				continue;
			if (t->ports) {
				cell[r][c].ports += portset_count(t->ports);
				cell[r][c].open += portset_count_answer(t->ports, ANSWER_OPEN);
			}
			if (t->untold)
				cell[r][c].ports += portset_count(t->untold);
		}
	}
}

static void put_cell(const struct page *p, const struct cell *c)
{
	unsigned int shade = 0;

	for (uint32_t n = c->ports; n; n /= 6)
		shade++;
	if (!c->ports) {
		raw(p, "<td></td>");
		return;
	}
	fprintf(p->out, "<td class=\"c%u\">", shade > 5 ? 5 : shade);
	put_count(p, c->ports);
	if (c->open) {
		raw(p, "<b>");
		report_svg_key(p->out, MARK_OPEN);
		put_count(p, c->open);
		raw(p, "<span class=\"sr\"> open</span></b>");
	}
	raw(p, "</td>");
}

static void put_matrix_table(const struct page *p, const struct axis *rows,
			     const struct axis *columns, struct cell cell[MATRIX_MAX][MATRIX_MAX])
{
	const struct ip_addr nobody = { .w = { 0, 0 } }; /* scans by many together */

	raw(p,
	    "<p class=\"note\">Ports that each originator (down) probed at each host (across); "
	    "with a "
	    "dot, how many were open.</p>\n<div class=\"scroll\" tabindex=\"0\"><table "
	    "class=\"matrix\"><caption class=\"sr\">Ports by originator and host</caption><thead>"
	    "<tr><td></td>");
	for (size_t c = 0; c < columns->n; c++) {
		raw(p, "<th scope=\"col\"><span>");
		put_addr(p, &columns->addr[c]);
		raw(p, "</span></th>");
	}
	raw(p, "</tr></thead><tbody>\n");
	for (size_t r = 0; r < rows->n; r++) {
		raw(p, "<tr><th scope=\"row\">");
		if (memcmp(&rows->addr[r], &nobody, sizeof(nobody)))
			put_addr(p, &rows->addr[r]);
		else
			raw(p, "many originators");
		raw(p, "</th>");
		for (size_t c = 0; c < columns->n; c++)
			put_cell(p, &cell[r][c]);
		raw(p, "</tr>\n");
	}
	raw(p, "</tbody></table></div>\n");
	if (rows->left_out + columns->left_out)
		fprintf(p->out,
			"<p class=\"note\">The %d worst originators and the hosts where most was "
			"found; others are left out.</p>\n",
			MATRIX_MAX);
}

static void put_matrix(const struct page *p)
{
	const struct report *m = p->m;
	struct axis rows = { .n = 0 }, columns = { .n = 0 };
	struct cell(*cell)[MATRIX_MAX] = calloc(MATRIX_MAX, sizeof(*cell));

	for (size_t k = 0, any = 1; any; k++) { /* of each incident its first host, then the next */
		any = 0;
		for (size_t i = 0; i < m->incidents; i++) {
			const struct report_incident *in = &m->incident[i];

			if (k >= in->targets)
				continue;
			any = 1;
			if (in->target[k].any)
				continue;
			axis_add(&rows, &in->target[k].orig);
			axis_add(&columns, &in->target[k].resp);
		}
	}
	if (cell && columns.n) {
		raw(p,
		    "<section aria-labelledby=\"matrix-h\"><h2 id=\"matrix-h\">Who looked at whom"
		    "</h2>\n");
		cells_fill(m, &rows, &columns, cell);
		put_matrix_table(p, &rows, &columns, cell);
		raw(p, "</section>\n");
	}
	free(cell);
}

/* --- rules, what was let be, what may be missing -------------------------------------------- */

static void put_rule(const struct page *p, const struct report_rule *r)
{
	fprintf(p->out, "<tr%s><th scope=\"row\">", r->off ? " class=\"off\"" : "");
	put(p, r->name);
	raw(p, r->off ? "</th><td><b>off:</b> " : "</th><td>");
	put(p, r->words);
	raw(p, "</td><td class=\"n\">");
	put_count(p, r->threshold);
	raw(p, "</td><td>");
	put(p, r->window);
	raw(p, "</td><td class=\"n\">");
	put_count(p, r->alerts);
	raw(p, "</td></tr>\n");
}

/* put_log_rules - of a log of alerts only what the alerts say is known. */
static void put_log_rules(const struct page *p)
{
	const struct report *m = p->m;

	for (size_t i = 0; i < m->alerts; i++) {
		const struct report_alert *a = &m->alert[i];
		char window[32];
		uint64_t n = 0;
		bool first = a->from_log;

		for (size_t k = 0; k < m->alerts && first; k++) {
			const struct report_alert *b = &m->alert[k];
			bool same = b->from_log && !strcmp(a->rule, b->rule) &&
				    a->threshold == b->threshold && a->window_ns == b->window_ns;

			n += same;
			first = !same || k >= i;
		}
		if (!first)
			continue;
		raw(p, "<tr><th scope=\"row\">");
		put(p, a->rule);
		raw(p, "</th><td>as logged</td><td class=\"n\">");
		put_count(p, a->threshold);
		raw(p, "</td><td>");
		put(p, duration_format(a->window_ns, window));
		raw(p, "</td><td class=\"n\">");
		put_count(p, n);
		raw(p, "</td></tr>\n");
	}
}

static void put_rules(const struct page *p)
{
	const struct report *m = p->m;
	char a[32], b[32], net[NET_TEXT_MAX + 4];

	raw(p,
	    "<section aria-labelledby=\"rules-h\"><h2 id=\"rules-h\">Rules in effect</h2>\n<div "
	    "class=\"scroll\" tabindex=\"0\"><table class=\"list\"><caption class=\"sr\">Rules and "
	    "their thresholds</caption><thead><tr><th scope=\"col\">rule</th><th scope=\"col\">"
	    "counts</th><th scope=\"col\" class=\"n\">threshold</th><th scope=\"col\">window</th>"
	    "<th scope=\"col\" class=\"n\">alerts</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < m->rules; i++)
		put_rule(p, &m->rule[i]);
	if (!m->live)
		put_log_rules(p);
	raw(p, "</tbody></table></div>\n");
	if (m->engine && !m->live) {
		raw(p, "<p class=\"note\">A silent attempt is a probe after ");
		put(p, duration_format(m->cfg->settle_ns, a));
		raw(p, " without answer, or ");
		put(p, duration_format(m->cfg->settle_open_ns, b));
		raw(p, " established. Internal: ");
		for (size_t i = 0; i < m->cfg->internal.n; i++) {
			raw(p, i ? ", " : "");
			put(p, net_format(&m->cfg->internal.net[i], net));
		}
		raw(p, m->cfg->profile == PROFILE_SPLUNK ? ". Profile: splunk.</p>\n" : ".</p>\n");
	}
	raw(p, "</section>\n");
}

static void put_let_be(const struct page *p)
{
	const struct report *m = p->m;

	if (!m->engine)
		return;
	raw(p, "<section aria-labelledby=\"letbe-h\"><h2 id=\"letbe-h\">What was let be</h2>\n<p>");
	put_count(p, m->habits_excused);
	raw(p, " probes were habits, silent contacts that recur steadily; the allow-list let ");
	put_count(p, m->allowed);
	raw(p, " be; payload at the same place outweighed ");
	put_count(p, m->outweighed);
	raw(p, ".</p>\n");
	if (m->let_bes) {
		raw(p,
		    "<div class=\"scroll\" tabindex=\"0\"><table class=\"list\"><caption "
		    "class=\"sr\">"
		    "Habits and entries of the allow-list</caption><thead><tr><th "
		    "scope=\"col\">what"
		    "</th><th scope=\"col\">why</th><th scope=\"col\" class=\"n\">probes</th></tr>"
		    "</thead><tbody>\n");
		for (size_t i = 0; i < m->let_bes; i++) {
			raw(p, "<tr><td>");
			put(p, m->let_be[i].what);
			raw(p, "</td><td>");
			put(p, m->let_be[i].why);
			raw(p, "</td><td class=\"n\">");
			put_count(p, m->let_be[i].attempts);
			raw(p, "</td></tr>\n");
		}
		raw(p, "</tbody></table></div>\n");
	}
	if (m->let_bes == REPORT_LET_BE_MAX)
		fprintf(p->out, "<p class=\"note\">The first %d are listed.</p>\n",
			REPORT_LET_BE_MAX);
	raw(p, "</section>\n");
}

/* missing - a sentence with its figure, if it is not 0. Returns how many. */
static unsigned int missing(const struct page *p, uint64_t n, const char *what)
{
	if (!n)
		return 0;
	raw(p, "<li><b>");
	put_count(p, n);
	fprintf(p->out, "</b> %s</li>\n", what);
	return 1;
}

static void put_counters(const struct page *p)
{
	const struct report *m = p->m;

	raw(p,
	    "<div class=\"scroll\" tabindex=\"0\"><table class=\"list\"><caption>Counters that are "
	    "not 0</caption><thead><tr><th scope=\"col\">counter</th><th scope=\"col\" class=\"n\">"
	    "value</th><th scope=\"col\">what it counts</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < m->counters; i++) {
		const struct report_counter *c = &m->counter[i];

		if (!c->n)
			continue;
		fprintf(p->out, "<tr%s><td><code>", c->lost ? " class=\"lost\"" : "");
		put(p, c->name);
		raw(p, "</code></td><td class=\"n\">");
		put_count(p, c->n);
		raw(p, c->lost ? "</td><td><b>lost:</b> " : "</td><td>");
		put(p, c->text);
		raw(p, "</td></tr>\n");
	}
	raw(p, "</tbody></table></div>\n");
}

static void put_missing(const struct page *p)
{
	const struct report *m = p->m;
	unsigned int n = 0;

	raw(p,
	    "<section aria-labelledby=\"missing-h\"><h2 id=\"missing-h\">What may be missing</h2>\n"
	    "<ul class=\"missing\">\n");
	n += missing(p, m->lost,
		     "pieces of evidence were lost; counts may be too low (the counters "
		     "below say which <code>--limit</code> to raise)");
	n += missing(p, m->skipped, "packets or rows could not be used");
	n += missing(p, m->log_skipped, "lines of the logs of alerts could not be used");
	n += missing(p, m->marks_thinned,
		     "probes have no mark in a picture: there were too many to keep, and "
		     "the largest scans were thinned evenly; counts, lists of ports "
		     "and open ports are complete");
	n += missing(p, m->marks_untold,
		     "probes have no mark in a picture: the daemon keeps the times "
		     "of the first 64 and the last 192 of each alert");
	n += missing(p, m->alerts_dropped,
		     "scans of the lowest severity are counted and not told: "
		     "there were too many");
	n += missing(p, p->pictures_left_out,
		     "scans have no picture: those of the worst are drawn");
	n += missing(p, m->no_memory, "times there was no memory for a part of this report");
	n += missing(p, m->notes_more, "more complaints about the files");
	for (size_t i = 0; i < m->notes; i++, n++) {
		raw(p, "<li>");
		put(p, m->note[i]);
		raw(p, "</li>\n");
	}
	if (!n)
		raw(p, "<li class=\"good\">Nothing that is known of: all that was read is in "
		       "here.</li>\n");
	if (!m->engine)
		raw(p, "<li>A log of alerts has neither single probes nor counters: what its "
		       "daemon lost "
		       "or let be is not known here.</li>\n");
	raw(p, "</ul>\n");
	if (m->engine)
		put_counters(p);
	raw(p, "</section>\n");
}

/* put_sources - what was read. */
static void put_sources(const struct page *p)
{
	const struct report *m = p->m;

	raw(p, "<section aria-labelledby=\"read-h\"><h2 id=\"read-h\">What was read</h2>\n<ul "
	       "class=\"missing\">\n");
	for (size_t i = 0; i < m->sources; i++) {
		raw(p, "<li>");
		put(p, m->source[i]);
		raw(p, "</li>\n");
	}
	missing(p, m->sources_more, "more");
	raw(p, "</ul>\n");
	if (m->read) {
		raw(p, "<p class=\"note\">");
		put_count(p, m->read);
		raw(p, " packets or rows, in the order of their own time.</p>\n");
	}
	raw(p, "</section>\n");
}

static void put_taken_back(const struct page *p)
{
	const struct report *m = p->m;
	char title[REPORT_SENTENCE_MAX], who[REPORT_WORD_MAX];

	if (!m->taken_backs)
		return;
	raw(p,
	    "<section aria-labelledby=\"back-h\"><h2 id=\"back-h\">Taken back</h2>\n<p>Alerts that "
	    "turned out to be none: payload came after all.</p><ul>\n");
	for (size_t i = 0; i < m->taken_backs && i < TAKEN_BACK_LISTED; i++) {
		const struct report_alert *a = m->taken_back[i];

		raw(p, "<li>");
		put_time(p, a->first_ns, 0);
		raw(p, " ");
		put(p, report_who(a, who));
		raw(p, ", ");
		put(p, a->rule);
		raw(p, ": ");
		put(p, report_alert_title(a, title));
		raw(p, "</li>\n");
	}
	if (m->taken_backs > TAKEN_BACK_LISTED)
		missing(p, m->taken_backs - TAKEN_BACK_LISTED, "more");
	raw(p, "</ul></section>\n");
}

/* --- the page ------------------------------------------------------------------------------- */

static void put_head(const struct page *p, const char *nonce)
{
	fprintf(p->out,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'nonce-%s'; script-src 'nonce-%s'; img-src data:; base-uri 'none'; "
		"form-action 'none'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"generator\" content=\"reconmon %s\">\n"
		"<link rel=\"icon\" href=\"data:,\">\n<title>Scans, ",
		nonce, nonce, RECONMON_VERSION);
	if (p->m->first_ns) {
		char text[REPORT_WORD_MAX];

		put(p, report_time(p->m->first_ns, 0, text));
	} else {
		raw(p, "none");
	}
	raw(p, "</title>\n");
	fprintf(p->out, "<style nonce=\"%s\">\n%s%s</style>\n</head>\n", nonce, report_picture_css,
		report_page_css);
}

static void put_top(const struct page *p)
{
	const struct report *m = p->m;
	char text[REPORT_SENTENCE_MAX];

	raw(p, "<body>\n<a class=\"skip\" href=\"#overview\">Skip to the overview</a>\n<header "
	       "class=\"top\"><p class=\"brand\">reconmon report</p><h1>");
	put(p, report_lede(m, text));
	raw(p, "</h1>\n<p class=\"facts\">");
	if (m->first_ns)
		put_period(p, m->first_ns, m->last_ns);
	if (m->sources == 1 && !m->sources_more) {
		raw(p, " <span>");
		put(p, m->source[0]);
		raw(p, "</span>");
	} else if (m->sources) {
		raw(p, " <span><a href=\"#read-h\">");
		put_count(p, m->sources + m->sources_more);
		raw(p, " inputs</a></span>");
	}
	raw(p, "</p></header>\n<main>\n");
}

static void put_incidents(struct page *p)
{
	size_t n = p->m->incidents < INCIDENTS_TOLD ? p->m->incidents : INCIDENTS_TOLD;

	if (!n)
		return;
	raw(p, "<section aria-labelledby=\"incidents-h\"><h2 id=\"incidents-h\">Incidents</h2>\n");
	put_key(p);
	for (size_t i = 0; i < n; i++)
		put_incident(p, i);
	for (size_t i = n; i < p->m->incidents; i++)
		p->pictures_left_out += (unsigned int)p->m->incident[i].alerts;
	if (n < p->m->incidents)
		fprintf(p->out,
			"<p class=\"note\">Of the %zu others, each has a line in the list "
			"above.</p>\n",
			p->m->incidents - n);
	raw(p, "</section>\n");
}

int report_html_file(FILE *out, const struct report *m, const struct services *services,
		     const char *nonce)
{
	struct page p = { .out = out, .m = m, .services = services };

	put_head(&p, nonce);
	put_top(&p);
	put_overview(&p);
	put_incidents(&p);
	put_matrix(&p);
	put_taken_back(&p);
	put_rules(&p);
	put_let_be(&p);
	put_missing(&p);
	put_sources(&p);
	fprintf(out,
		"</main>\n<footer>Made by reconmon %s. Times are UTC. This page is complete in "
		"itself: "
		"it loads nothing.</footer>\n<script "
		"nonce=\"%s\">\n%s</script>\n</body>\n</html>\n",
		RECONMON_VERSION, nonce, report_page_js);
	return ferror(out) ? -EIO : 0;
}
