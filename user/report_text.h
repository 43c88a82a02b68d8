/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The words of a report, and the one place where text of anybody's making becomes safe to stand in
 * it. Names of processes, interfaces and files come from the host, addresses and alerts from logs
 * that anybody may have written: none of it reaches a page but through report_html().
 *
 * A page has no script with data in it and no text within style or script, so that there are two
 * places where such text may stand: between tags, and in an attribute in double quotes.
 * report_html() serves both. */
#ifndef RECONMON_REPORT_TEXT_H
#define RECONMON_REPORT_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "report_model.h"

enum {
	REPORT_WORD_MAX = 48,	   /* a time, a count, a length of time */
	REPORT_SENTENCE_MAX = 512, /* a title */
};

/* report_html - text for a place between tags or in an attribute in quotes. & < > " ' become
 * references. What is not UTF-8, control characters, and characters that turn the direction of
 * writing or are not to be seen become U+FFFD: they could make the page say something else than
 * what is there. NULL is "". */
void report_html(FILE *out, const char *text);

/* report_md - text for a paragraph or a table's cell of Markdown: what Markdown or HTML would take
 * for a sign of theirs has a backslash before it or becomes a reference; likewise U+FFFD. */
void report_md(FILE *out, const char *text);

/* report_count - "1,234,567". report_span - a length of time as one says it: "850 us", "1.4 ms",
 * "2.1 s", "3 min 20 s", "5 h 12 min", "2 d 3 h". report_time - "2026-11-25 07:29:25.304" (UTC)
 * with 0 to 9 decimals. buf has REPORT_WORD_MAX bytes; all return it. */
const char *report_count(uint64_t n, char *buf);
const char *report_span(uint64_t ns, char *buf);
const char *report_time(uint64_t t_ns, int decimals, char *buf);

/* report_alert_title - what an alert found: "100 ports of 10.77.0.2 over tcp".
 * report_incident_title
 * - "10.77.0.1 probed 100 ports of 10.77.0.2 over tcp", or over several alerts. report_lede - the
 * whole report in a sentence or two. buf has REPORT_SENTENCE_MAX bytes; all return it. */
const char *report_alert_title(const struct report_alert *a, char *buf);
const char *report_incident_title(const struct report_incident *in, char *buf);
const char *report_lede(const struct report *m, char *buf);

/* report_who - the originator of an alert: its address, or "64 originators". buf has
 * REPORT_WORD_MAX bytes; returns it. */
const char *report_who(const struct report_alert *a, char *buf);

/* report_rule_words - a rule as one would say it, without its threshold: "ports of one internal
 * host that one originator probed, per protocol". buf likewise. */
const char *report_rule_words(const struct rule *r, char *buf);

/* report_originators, report_hosts - how many different ones the incidents have. */
size_t report_originators(const struct report *m);
size_t report_hosts(const struct report *m);

#endif
