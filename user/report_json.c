// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The report as one JSON document: everything that is known, uncut, for other programs. Written
 * incident by incident, so that memory holds one at a time. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "report_html.h"
#include "report_text.h"
#include "sink.h"

enum {
	PORTS_TEXT = 512 * 1024, /* all 65,536 ports as ranges take less */
	MARKS_LISTED = 100000,	 /* of one scan */
};

struct writer {
	FILE *out;
	const struct report *m;
	const struct services *services;
	char *ports; /* PORTS_TEXT bytes */
	int r;
};

/* put - writes a value and lets go of it; NULL is want of memory. */
static void put(struct writer *w, json_t *value)
{
	char *text =
		value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(6) | JSON_ENCODE_ANY)
		      : NULL;

	json_decref(value);
	if (text)
		fputs(text, w->out);
	else
		w->r = -ENOMEM;
	free(text);
}

static json_t *text_json(const char *text)
{
	char clean[4 * REPORT_TEXT_LEN];

	return json_string(sink_clean(text, clean, sizeof(clean)));
}

static json_t *addr_json(const struct ip_addr *addr)
{
	char text[NET_TEXT_MAX];

	return json_string(addr_format(addr, text));
}

static json_t *time_json(uint64_t t_ns)
{
	const struct sink_context utc = { .wall_offset_ns = 0 };
	char text[SINK_TIME_MAX];

	return json_string(sink_time(&utc, t_ns, 9, text));
}

static json_t *ports_json(const struct writer *w, const struct portset *ports)
{
	json_t *o = json_object();

	for (unsigned int a = 0; a < ANSWER_MAX; a++)
		if (portset_format(ports, a, w->ports, PORTS_TEXT))
			json_object_set_new(o, answer_name(a), json_string(w->ports));
	return o;
}

/* names_json - what the open ports are called. */
static json_t *names_json(const struct writer *w, const struct portset *ports, uint8_t proto)
{
	json_t *o = json_object();

	for (int p = portset_next(ports, ANSWER_OPEN, 0); p >= 0;
	     p = portset_next(ports, ANSWER_OPEN, (uint32_t)p + 1)) {
		const char *name = services_name(w->services, proto, (uint16_t)p);
		char number[16];

		snprintf(number, sizeof(number), "%d", p);
		if (name)
			json_object_set_new(o, number, json_string(name));
	}
	return o;
}

struct marks {
	json_t *list;
	uint64_t first_ns;
	uint64_t more;
};

/* A mark is [ns since the scan's first, port or host, answer]. */
static void mark_json(void *ctx, const struct report_mark *k)
{
	struct marks *marks = ctx;

	if (json_array_size(marks->list) == MARKS_LISTED) {
		marks->more++;
		return;
	}
	json_array_append_new(marks->list,
			      json_pack("[I, o, i, s]", (json_int_t)(k->t_ns - marks->first_ns),
					addr_json(&k->resp), k->port, mark_name(k->kind)));
}

static json_t *hosts_json(const struct report_alert *a)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < a->n_hosts; i++) {
		json_array_append_new(list,
				      json_pack("{s:o, s:s}", "host", addr_json(&a->hosts[i].addr),
						"answer", mark_name(a->hosts[i].kind)));
	}
	return list;
}

static json_t *scan_json(const struct writer *w, const struct report_alert *a)
{
	struct marks marks = { .list = json_array(), .first_ns = a->first_ns };
	json_t *o;

	report_marks_of(w->m, a, mark_json, &marks);
	o = json_pack("{s:o, s:o, s:i, s:o, s:o, s:I, s:I, s:f, s:I, s:f, s:o, s:b, s:b, s:o, s:I}",
		      "id", text_json(a->id), "rule", text_json(a->rule), "severity",
		      (int)a->severity, "first", time_json(a->first_ns), "last",
		      time_json(a->last_ns), "count", (json_int_t)a->count, "threshold",
		      (json_int_t)a->threshold, "window_s", (double)a->window_ns / 1e9, "attempts",
		      (json_int_t)a->attempts, "rate_pps", a->rate, "technique",
		      text_json(a->techniques), "incomplete", a->incomplete, "cut", a->cut, "marks",
		      marks.list, "marks_left_out", (json_int_t)marks.more);
	if (!a->joint)
		json_object_set_new(o, "originator", addr_json(&a->orig));
	if (a->has_resp)
		json_object_set_new(o, "responder", addr_json(&a->resp));
	if (a->has_port)
		json_object_set_new(o, "port", json_integer(a->port));
	if (a->proto && a->proto != PROTO_ANY)
		json_object_set_new(o, "transport", json_string(proto_name(a->proto)));
	if (a->owner[0])
		json_object_set_new(o, "owner", text_json(a->owner));
	if (a->ports)
		json_object_set_new(o, "answers", ports_json(w, a->ports));
	if (a->n_hosts)
		json_object_set_new(o, a->joint ? "originators" : "responders", hosts_json(a));
	return o;
}

static json_t *target_json(const struct writer *w, const struct report_target *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "originator",
			    t->orig.w[0] || t->orig.w[1] ? addr_json(&t->orig) : json_null());
	json_object_set_new(o, "responder", t->any ? json_null() : addr_json(&t->resp));
	json_object_set_new(o, "transport", json_string(proto_name(t->proto)));
	if (t->ports) {
		json_object_set_new(o, "answers", ports_json(w, t->ports));
		json_object_set_new(o, "services", names_json(w, t->ports, t->proto));
	}
	if (t->untold) {
		portset_format(t->untold, ANSWER_MAX, w->ports, PORTS_TEXT);
		json_object_set_new(o, "untold", json_string(w->ports));
	}
	return o;
}

static void write_incident(struct writer *w, const struct report_incident *in)
{
	char title[REPORT_SENTENCE_MAX];

	fputs("{\"id\":", w->out);
	put(w, text_json(in->id));
	fprintf(w->out, ",\"originators\":%u", in->originators);
	fputs(",\"title\":", w->out);
	put(w, json_string(report_incident_title(in, title)));
	fprintf(w->out, ",\"severity\":%u,\"open_ports\":%u,\"first\":", in->severity, in->opens);
	put(w, time_json(in->first_ns));
	fputs(",\"last\":", w->out);
	put(w, time_json(in->last_ns));
	fputs(",\"scans\":[", w->out);
	for (size_t i = 0; i < in->alerts; i++) {
		fputs(i ? ",\n" : "\n", w->out);
		put(w, scan_json(w, in->alert[i]));
	}
	fputs("],\"learnt\":[", w->out);
	for (size_t i = 0; i < in->targets; i++) {
		fputs(i ? ",\n" : "\n", w->out);
		put(w, target_json(w, &in->target[i]));
	}
	fprintf(w->out, "],\"learnt_left_out\":%zu}", in->targets_left_out);
}

static json_t *rules_json(const struct report *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->rules; i++) {
		const struct report_rule *r = &m->rule[i];

		json_array_append_new(list, json_pack("{s:o, s:b, s:I, s:o, s:I}", "rule",
						      text_json(r->name), "enabled", !r->off,
						      "threshold", (json_int_t)r->threshold,
						      "window", text_json(r->window), "alerts",
						      (json_int_t)r->alerts));
	}
	return list;
}

static json_t *let_be_json(const struct report *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->let_bes; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:I}", "what",
						      text_json(m->let_be[i].what), "why",
						      text_json(m->let_be[i].why), "probes",
						      (json_int_t)m->let_be[i].attempts));
	return list;
}

static json_t *counters_json(const struct report *m)
{
	json_t *o = json_object();

	for (size_t i = 0; i < m->counters; i++)
		json_object_set_new(o, m->counter[i].name,
				    json_integer((json_int_t)m->counter[i].n));
	return o;
}

static json_t *notes_json(const char (*note)[REPORT_NOTE_LEN], size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, text_json(note[i]));
	return list;
}

static json_t *missing_json(const struct report *m)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I}", "lost", (json_int_t)m->lost, "skipped",
		(json_int_t)m->skipped, "log_lines_skipped", (json_int_t)m->log_skipped,
		"probes_without_mark", (json_int_t)m->marks_thinned, "scans_dropped",
		(json_int_t)m->alerts_dropped, "no_memory", (json_int_t)m->no_memory, "notes",
		notes_json(m->note, m->notes), "notes_left_out", (json_int_t)m->notes_more);
}

static void write_all(struct writer *w)
{
	const struct report *m = w->m;
	char lede[REPORT_SENTENCE_MAX];

	fprintf(w->out, "{\"reconmon\":\"%s\",\"summary\":", RECONMON_VERSION);
	put(w, json_string(report_lede(m, lede)));
	if (m->first_ns) {
		fputs(",\"first\":", w->out);
		put(w, time_json(m->first_ns));
		fputs(",\"last\":", w->out);
		put(w, time_json(m->last_ns));
	}
	fprintf(w->out, ",\"probes\":%" PRIu64 ",\"sources\":", m->probes);
	put(w, notes_json(m->source, m->sources));
	fputs(",\"incidents\":[", w->out);
	for (size_t i = 0; i < m->incidents; i++) {
		fputs(i ? ",\n" : "\n", w->out);
		write_incident(w, &m->incident[i]);
	}
	fputs("],\"taken_back\":[", w->out);
	for (size_t i = 0; i < m->taken_backs; i++) {
		fputs(i ? ",\n" : "\n", w->out);
		put(w, scan_json(w, m->taken_back[i]));
	}
	fputs("],\n\"missing\":", w->out);
	put(w, missing_json(m));
	if (m->engine) {
		fputs(",\n\"rules\":", w->out);
		put(w, rules_json(m));
		fputs(",\n\"let_be\":", w->out);
		put(w, let_be_json(m));
		fputs(",\n\"counters\":", w->out);
		put(w, counters_json(m));
	}
	fputs("}\n", w->out);
}

int report_json_file(FILE *out, const struct report *m, const struct services *services)
{
	struct writer w = { .out = out, .m = m, .services = services };

	w.ports = malloc(PORTS_TEXT);
	if (!w.ports)
		return -ENOMEM;
	write_all(&w);
	free(w.ports);
	return w.r ? w.r : ferror(out) ? -EIO : 0;
}
