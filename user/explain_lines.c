// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The parts of an explanation that are to be pasted elsewhere: into a command line, a
 * configuration, Wireshark. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "allow.h"
#include "explain.h"
#include "net.h"
#include "words.h"

enum {
	RESPONDERS_MAX = 16,	/* that an entry lists; beyond, it is for all of them */
	FILTER_RANGES_MAX = 64, /* of ports in a display filter */
};

/* A text that is put together piece by piece. */
struct line {
	char text[EXPLAIN_FILTER_MAX];
	size_t len;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n;
	if (l->len >= sizeof(l->text))
		l->len = sizeof(l->text) - 1;
}

/* ---- the entry of the allow-list ---- */

/* put - a word into a field of the entry, as a user would write it. */
static bool put(struct allow_entry *entry, const char *field, const char *word)
{
	const struct allow_field *f = allow_field_find(field, strlen(field), NULL);

	return f && !f->set(entry, field, word, NULL);
}

/* put_ports - those of the alert, if they fit into an entry; else the entry is for any. */
static bool put_ports(struct allow_entry *entry, const struct subject *s)
{
	uint16_t first[PORT_RANGES_MAX], last[PORT_RANGES_MAX];
	uint32_t n = subject_ranges(s, ANSWER_MAX, first, last, PORT_RANGES_MAX);
	char text[PORT_RANGE_TEXT];

	if (s->port >= 0) {
		snprintf(text, sizeof(text), "%d", s->port);
		return put(entry, "ports", text);
	}
	if (s->ports_cut || n > PORT_RANGES_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (first[i] == last[i])
			snprintf(text, sizeof(text), "%u", first[i]);
		else
			snprintf(text, sizeof(text), "%u-%u", first[i], last[i]);
		put(entry, "ports", text);
	}
	return true;
}

/* put_responders - the one, or those of a sweep if they are few. */
static bool put_responders(struct allow_entry *entry, const struct subject *s)
{
	size_t n = json_array_size(s->responders), i;
	json_t *v;

	if (*s->responder)
		return put(entry, "responder", s->responder);
	if (!n)
		return true;
	if (n > RESPONDERS_MAX || (int64_t)n < s->responder_count)
		return false;
	json_array_foreach (s->responders, i, v)
		put(entry, "responder", json_string_value(v) ? json_string_value(v) : "");
	return true;
}

/* is_heir - does the rule keep quiet only as long as the alert's speaks? */
static bool is_heir(const struct explain *x, const struct rule *rule)
{
	return rule->enabled && !strcmp(rule->yields_to, x->s->rule) &&
	       strcmp(rule->name, x->s->rule) != 0;
}

/* put_rules - the rule and its heirs. */
static void put_rules(struct allow_entry *entry, const struct explain *x)
{
	const struct rule_set *rules = &x->cfg->rules;

	put(entry, "rules", x->s->rule);
	for (uint32_t i = 0; i < rules->n; i++)
		if (is_heir(x, &rules->rule[i]))
			put(entry, "rules", rules->rule[i].name);
}

/* entry_of - what silences the alert. Returns whether it names all of the alert's ports and
 * responders; if not, it is broader. */
static bool entry_of(const struct explain *x, struct allow_entry *entry)
{
	const struct subject *s = x->s;
	char comment[ALLOW_COMMENT_MAX + 1];
	bool exact;

	memset(entry, 0, sizeof(*entry));
	if (*s->originator)
		put(entry, "originator", s->originator);
	exact = put_responders(entry, s) && *s->originator;
	exact &= put_ports(entry, s);
	if (subject_proto(s))
		put(entry, "protocol", s->transport);
	put_rules(entry, x);
	snprintf(comment, sizeof(comment), "as in alert %.80s", s->id);
	put(entry, "comment", comment);
	return exact;
}

/* option_line - "--allow 'KEY=VALUE,...'"; words are joined by '+'. */
static void option_line(const struct allow_entry *entry, struct line *l)
{
	unsigned int fields;
	const struct allow_field *f = allow_fields(&fields);
	char word[ALLOW_WORD_MAX];
	const char *before = "--allow '";

	for (; fields--; f++)
		for (unsigned int i = 0; f->word(entry, i, word); i++, before = ",")
			if (i)
				add(l, "+%s", word);
			else
				add(l, "%s%s=%s", before, f->name, word);
	add(l, "'");
}

/* yaml_lines - the same below `allow:` of the file; quoted, since 8000-8010 or yes are other things
 * there. No word holds a quote: a comment is ours, the rest are addresses, ports and names. */
static void yaml_lines(const struct allow_entry *entry, struct line *l)
{
	unsigned int fields;
	const struct allow_field *f = allow_fields(&fields);
	char word[ALLOW_WORD_MAX];
	const char *before = "allow:\n  - ";

	for (; fields--; f++) {
		if (!f->word(entry, 0, word))
			continue;
		add(l, "%s%s: %s", before, f->name, f->list ? "[" : "");
		for (unsigned int i = 0; f->word(entry, i, word); i++)
			add(l, "%s'%s'", i ? ", " : "", word);
		add(l, "%s\n", f->list ? "]" : "");
		before = "    ";
	}
}

static void set_rule(const struct subject *s, const char *rule, struct line *l)
{
	const char *between = l->len ? " " : "";

	if (s->count < UINT16_MAX)
		add(l, "%s--set %s.threshold=%lld", between, rule, (long long)s->count + 1);
	else
		add(l, "%s--set %s.enabled=false", between, rule);
}

/* set_line - the rule, and the heirs that would speak in its place. note: what the line cannot
 * know. */
static void set_line(const struct explain *x, struct line *l, struct line *note)
{
	const struct rule_set *rules = &x->cfg->rules;

	set_rule(x->s, x->s->rule, l);
	for (uint32_t i = 0; i < rules->n; i++) {
		const struct rule *rule = &rules->rule[i];
		char window[32];

		if (!is_heir(x, rule))
			continue;
		if (rule->threshold <= x->s->count)
			set_rule(x->s, rule->name, l);
		if (x->s->count < UINT16_MAX && (double)rule->window_ns > x->s->window_s * 1e9)
			add(note, "%s%s counts in %s, where more may be than this alert lists",
			    note->len ? "; " : "", rule->name,
			    duration_format(rule->window_ns, window));
	}
}

json_t *explain_silence(const struct explain *x)
{
	struct line option = { .len = 0 }, yaml = { .len = 0 };
	struct line set = { .len = 0 }, set_note = { .len = 0 };
	struct allow_entry entry;
	bool exact = entry_of(x, &entry);

	option_line(&entry, &option);
	yaml_lines(&entry, &yaml);
	set_line(x, &set, &set_note);
	return json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "option", option.text, "yaml", yaml.text,
			 "set", set.text, "set_note", set_note.len ? set_note.text : NULL, "note",
			 exact ? NULL
			       : "its ports, responders or originators are too many for an entry, "
				 "which is for "
				 "all of them");
}

/* ---- Wireshark ---- */

/* add_set - "NAME in {22, 80, 8000..8010}". */
static void add_set(struct line *l, const char *name, const uint16_t *first, const uint16_t *last,
		    uint32_t n)
{
	add(l, "%s in {", name);
	for (uint32_t i = 0; i < n; i++) {
		add(l, "%s%u", i ? ", " : "", first[i]);
		if (last[i] > first[i])
			add(l, "..%u", last[i]);
	}
	add(l, "}");
}

/* add_ports - the protocol and its ports. The filter's fields find the packet that an ICMP error
 * quotes, too. */
static void add_ports(const struct subject *s, struct line *l)
{
	uint16_t first[FILTER_RANGES_MAX], last[FILTER_RANGES_MAX];
	uint32_t n = subject_ranges(s, ANSWER_MAX, first, last, FILTER_RANGES_MAX);
	uint8_t proto = subject_proto(s);
	char name[32];

	if (n > FILTER_RANGES_MAX || s->ports_cut)
		n = 0;
	if (proto == PROTO_ICMP || proto == PROTO_ICMPV6) {
		add(l, " && %s", proto == PROTO_ICMP ? "icmp" : "icmpv6");
	} else if (s->protocols && n) {
		add(l, " && ");
		add_set(l, s->v6 ? "ipv6.nxt" : "ip.proto", first, last, n);
	} else if (proto) {
		snprintf(name, sizeof(name), "%s.port", s->transport);
		add(l, " && ");
		if (n)
			add_set(l, name, first, last, n);
		else
			add(l, "%s", s->transport);
	} else if (n) { /* all protocols together */
		add(l, " && (");
		add_set(l, "tcp.port", first, last, n);
		add(l, " || ");
		add_set(l, "udp.port", first, last, n);
		add(l, ")");
	}
}

const char *explain_filter(const struct explain *x, char *buf)
{
	const char *addr = x->s->v6 ? "ipv6.addr" : "ip.addr";
	struct line l = { .len = 0 };

	/* A second more on either side: answers come after the last probe, and where the answer is
	 * what makes a probe (`ack`), the first has left before. */
	add(&l, "frame.time_epoch >= %.6f && frame.time_epoch <= %.6f", x->s->start_s - 1,
	    x->s->end_s + 1);
	if (*x->s->originator)
		add(&l, " && %s == %s", addr, x->s->originator);
	if (*x->s->responder)
		add(&l, " && %s == %s", addr, x->s->responder);
	add_ports(x->s, &l);
	memcpy(buf, l.text, l.len + 1);
	return buf;
}
