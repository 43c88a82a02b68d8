// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The report as Markdown, for tickets and terminals: what the page says in words and tables. */
#include <errno.h>
#include <inttypes.h>

#include "net.h"
#include "report_html.h"
#include "report_text.h"

enum {
	INCIDENTS_TOLD = 60,
	SCANS_LISTED = 60,
	TARGETS_LISTED = 40,
	PORTS_NAMED = 48,
	PORTS_TEXT = 600,
};

static void cell(FILE *out, const char *text)
{
	report_md(out, text);
	fputs(" | ", out);
}

static void cell_number(FILE *out, uint64_t n)
{
	char text[REPORT_WORD_MAX];

	cell(out, report_count(n, text));
}

/* ports_of - as the page has them: with names while they are few, else as ranges. */
static void ports_of(FILE *out, const struct portset *ports, enum answer answer, uint8_t proto,
		     const struct services *services)
{
	char text[PORTS_TEXT];
	const char *comma = "";

	if (!ports)
		return;
	if (portset_count_answer(ports, answer) > PORTS_NAMED) {
		bool cut = portset_format(ports, answer, text, sizeof(text)) >= sizeof(text);

		fprintf(out, "%s%s", text, cut ? ",..." : "");
		return;
	}
	for (int port = portset_next(ports, answer, 0); port >= 0;
	     port = portset_next(ports, answer, (uint32_t)port + 1)) {
		const char *name = services_name(services, proto, (uint16_t)port);

		fprintf(out, "%s%d", comma, port);
		if (name) {
			fputc('/', out);
			report_md(out, name);
		}
		comma = ", ";
	}
}

static void write_list(FILE *out, const struct report *m)
{
	char text[REPORT_SENTENCE_MAX], word[REPORT_WORD_MAX];

	fputs("| severity | incident | scans | open | from (UTC) | over |\n"
	      "| ---: | --- | ---: | ---: | --- | --- |\n",
	      out);
	for (size_t i = 0; i < m->incidents && i < INCIDENTS_TOLD; i++) {
		const struct report_incident *in = &m->incident[i];

		fputs("| ", out);
		cell_number(out, in->severity);
		cell(out, report_incident_title(in, text));
		cell_number(out, in->alerts);
		cell_number(out, in->opens);
		cell(out, report_time(in->first_ns, 0, word));
		cell(out, report_span(in->last_ns - in->first_ns, word));
		fputc('\n', out);
	}
	if (m->incidents > INCIDENTS_TOLD)
		fprintf(out, "\nAnd %zu incidents more, of no higher severity.\n",
			m->incidents - INCIDENTS_TOLD);
}

static void write_scans(FILE *out, const struct report_incident *in)
{
	char text[REPORT_SENTENCE_MAX], word[REPORT_WORD_MAX];

	fputs("\n| severity | rule | what | attempts | technique | from (UTC) | over | by |\n"
	      "| ---: | --- | --- | ---: | --- | --- | --- | --- |\n",
	      out);
	for (size_t i = 0; i < in->alerts && i < SCANS_LISTED; i++) {
		const struct report_alert *a = in->alert[i];

		fputs("| ", out);
		cell_number(out, a->severity);
		cell(out, a->rule);
		if (in->originators > 1)
			fprintf(out, "%s: ", report_who(a, word));
		cell(out, report_alert_title(a, text));
		if (a->attempts)
			cell_number(out, a->attempts);
		else
			cell(out, "");
		cell(out, a->techniques);
		cell(out, report_time(a->first_ns, 3, word));
		cell(out, report_span(a->last_ns - a->first_ns, word));
		cell(out, a->owner);
		fputc('\n', out);
	}
	if (in->alerts > SCANS_LISTED)
		fprintf(out, "\nAnd %zu scans more.\n", in->alerts - SCANS_LISTED);
}

static void write_targets(FILE *out, const struct report_incident *in,
			  const struct services *services)
{
	char addr[NET_TEXT_MAX];

	fputs("\n| host | open | closed | filtered | no answer |\n| --- | --- | --- | --- | --- "
	      "|\n",
	      out);
	for (size_t i = 0; i < in->targets && i < TARGETS_LISTED; i++) {
		const struct report_target *t = &in->target[i];

		fputs("| ", out);
		if (in->originators > 1 && (t->orig.w[0] || t->orig.w[1]))
			fprintf(out, "%s at ", addr_format(&t->orig, addr));
		cell(out, t->any ? "any host" : addr_format(&t->resp, addr));
		for (unsigned int a = 0; a < ANSWER_MAX; a++) {
			ports_of(out, t->ports, a, t->proto, services);
			fputs(" | ", out);
		}
		fputc('\n', out);
	}
	if (in->targets + in->targets_left_out > TARGETS_LISTED)
		fprintf(out, "\nAnd %zu hosts more.\n",
			in->targets + in->targets_left_out - TARGETS_LISTED);
}

static void write_rules(FILE *out, const struct report *m)
{
	fputs("\n## Rules in effect\n\n| rule | counts | threshold | window | alerts |\n"
	      "| --- | --- | ---: | --- | ---: |\n",
	      out);
	for (size_t i = 0; i < m->rules; i++) {
		const struct report_rule *r = &m->rule[i];

		if (r->off)
			continue;
		fputs("| ", out);
		cell(out, r->name);
		cell(out, r->words);
		cell_number(out, r->threshold);
		cell(out, r->window);
		cell_number(out, r->alerts);
		fputc('\n', out);
	}
}

static void missing(FILE *out, uint64_t n, const char *what)
{
	char text[REPORT_WORD_MAX];

	if (n)
		fprintf(out, "- %s %s\n", report_count(n, text), what);
}

static void write_let_be(FILE *out, const struct report *m)
{
	fputs("\n## What was let be\n\n", out);
	fprintf(out,
		"Habits: %" PRIu64 " probes; the allow-list: %" PRIu64
		"; outweighed by payload: %" PRIu64 ".\n\n",
		m->habits_excused, m->allowed, m->outweighed);
	for (size_t i = 0; i < m->let_bes; i++) {
		fputs("- ", out);
		report_md(out, m->let_be[i].what);
		fputs(" (", out);
		report_md(out, m->let_be[i].why);
		fprintf(out, "): %" PRIu64 " probes\n", m->let_be[i].attempts);
	}
}

static void write_missing(FILE *out, const struct report *m)
{
	fputs("\n## What may be missing\n\n", out);
	if (m->engine)
		fprintf(out, "- %" PRIu64 " pieces of evidence lost\n", m->lost);
	else
		fputs("- a log of alerts does not say what its daemon lost\n", out);
	missing(out, m->skipped, "packets or rows could not be used");
	missing(out, m->log_skipped, "lines of logs of alerts could not be used");
	missing(out, m->alerts_dropped, "scans of the lowest severity are not told");
	missing(out, m->no_memory, "times there was no memory");
	missing(out, m->notes_more, "more complaints about the files");
	for (size_t i = 0; i < m->notes; i++) {
		fputs("- ", out);
		report_md(out, m->note[i]);
		fputc('\n', out);
	}
}

int report_md_file(FILE *out, const struct report *m, const struct services *services)
{
	char text[REPORT_SENTENCE_MAX], first[REPORT_WORD_MAX], last[REPORT_WORD_MAX];

	fputs("# Scans\n\n", out);
	report_md(out, report_lede(m, text));
	if (m->first_ns)
		fprintf(out, "\n%s to %s UTC.\n\n", report_time(m->first_ns, 0, first),
			report_time(m->last_ns, 0, last));
	if (m->incidents)
		write_list(out, m);
	for (size_t i = 0; i < m->incidents && i < INCIDENTS_TOLD; i++) {
		fputs("\n## ", out);
		report_md(out, report_incident_title(&m->incident[i], text));
		fputc('\n', out);
		write_scans(out, &m->incident[i]);
		write_targets(out, &m->incident[i], services);
	}
	if (m->engine) {
		write_rules(out, m);
		write_let_be(out, m);
	}
	write_missing(out, m);
	return ferror(out) ? -EIO : 0;
}
