// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "report_live.h"

#include <errno.h>
#include <string.h>

#include "control_client.h"
#include "net.h"
#include "report_alertlog.h"

enum {
	PATIENCE_MS = 10000, /* for an answer; the daemon makes one in milliseconds */
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static uint64_t number_of(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

/* ---- alerts ---- */

static enum mark_kind kind_of(const char *answer)
{
	for (unsigned int k = 0; k < ANSWER_MAX; k++)
		if (!strcmp(answer, answer_name(k)))
			return k;
	return MARK_MAX; /* retracted: no probe after all */
}

/* host_knows - a sweep's document says not which host answered what, its probes do. */
static void host_knows(struct report_alert *a, const struct report_mark *k)
{
	for (uint32_t i = 0; i < a->n_hosts && !a->joint; i++)
		if (!memcmp(&a->hosts[i].addr, &k->resp, sizeof(k->resp)) &&
		    k->kind < a->hosts[i].kind)
			a->hosts[i].kind = k->kind;
}

static void probe_take(struct report *m, struct report_alert *a, const json_t *probe)
{
	struct report_mark k = {
		.orig = a->orig,
		.resp = a->resp,
		.port = a->port,
		.proto = a->proto,
		.of = report_id_hash(a->id),
		.kind = (uint8_t)kind_of(text_of(probe, "answer")),
	};
	const char *resp = text_of(probe, "responder");

	if (k.kind == MARK_MAX || !report_time_read(text_of(probe, "time"), &k.t_ns) ||
	    (*resp && addr_parse(resp, &k.resp)))
		return;
	if (json_object_get(probe, "port"))
		k.port = (uint16_t)number_of(probe, "port");
	host_knows(a, &k);
	report_mark_add(m, &k);
}

int report_live_alert(struct report *m, const json_t *line)
{
	const json_t *probes = json_object_get(line, "probes");
	struct report_alert a;
	uint64_t left_out;

	if (strcmp(text_of(line, "type"), "alert") != 0 ||
	    report_alertlog_document(json_object_get(line, "document"), &a) < 0)
		return -EINVAL;
	left_out = number_of(line, "probes_left_out");
	a.timed = true;
	a.closed = !strcmp(text_of(line, "state"), "closed");
	m->marks_untold += left_out;
	if (!report_alert_has(m, a.id))
		for (size_t i = 0; i < json_array_size(probes); i++)
			probe_take(m, &a, json_array_get(probes, i));
	report_alert_put(m, &a, a.last_ns);
	return 0;
}

/* ---- status ---- */

static void take_counters(struct report *m, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		const char *name = text_of(c, "name");

		report_counter_add(m, name, number_of(c, "value"), text_of(c, "text"));
		if (!strcmp(name, "probes"))
			m->probes = number_of(c, "value");
		else if (!strcmp(name, "probes_allowed"))
			m->allowed = number_of(c, "value");
		else if (!strcmp(name, "probes_outweighed"))
			m->outweighed = number_of(c, "value");
		else if (!strcmp(name, "probes_excused"))
			m->habits_excused = number_of(c, "value");
	}
}

static void take_rules(struct report *m, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);
		double window_s = json_number_value(json_object_get(r, "window_s"));

		report_rule_add(m, text_of(r, "name"), "as the daemon has it",
				(uint32_t)number_of(r, "threshold"),
				window_s > 0 && window_s < 1e9 ? (uint64_t)(window_s * 1e9) : 0,
				number_of(r, "alerts_opened"));
	}
}

static void take_let_be(struct report *m, const json_t *status)
{
	const json_t *habits = json_object_get(json_object_get(status, "habits"), "list");
	const json_t *allowed = json_object_get(status, "allow_list");

	for (size_t i = 0; i < json_array_size(allowed); i++) {
		const json_t *e = json_array_get(allowed, i);

		report_let_be_add(m, number_of(e, "silent"), text_of(e, "what"),
				  "allow-list, %s: %s", text_of(e, "from"), text_of(e, "comment"));
	}
	for (size_t i = 0; i < json_array_size(habits); i++) {
		const json_t *h = json_array_get(habits, i);
		const char *who = text_of(h, *text_of(h, "program") ? "program" : "originator");
		const char *resp = text_of(h, "responder");
		char what[REPORT_TEXT_LEN];

		snprintf(what, sizeof(what), "%.64s to %.64s, %.16s port %u", who,
			 *resp ? resp : "any host", text_of(h, "protocol"),
			 (unsigned int)(number_of(h, "port") & UINT16_MAX));
		report_let_be_add(m, number_of(h, "excused"), what,
				  "habit: seen %u times, pauses up to %.0f s",
				  (unsigned int)number_of(h, "seen"),
				  json_number_value(json_object_get(h, "pause_s")));
	}
}

int report_live_status(struct report *m, const json_t *status)
{
	if (strcmp(text_of(status, "type"), "status") != 0)
		return -EINVAL;
	m->engine = true;
	m->live = true;
	m->lost = number_of(status, "lost");
	take_counters(m, json_object_get(status, "counters"));
	take_rules(m, json_object_get(status, "rules"));
	take_let_be(m, status);
	report_source_add(m, "the daemon with pid %u, since %.24s UTC",
			  (unsigned int)number_of(status, "pid"), text_of(status, "started"));
	return 0;
}

/* ---- asking ---- */

/* next - the next line of answers; NULL with err filled. */
static json_t *next(struct control_client *c, struct error *err)
{
	json_t *line = NULL;

	if (control_client_read(c, PATIENCE_MS, &line, err) == 0)
		error_set(err, -ETIMEDOUT, EXIT_RUNTIME,
			  "the daemon does not answer within %d s; it may be stopped or stuck",
			  PATIENCE_MS / 1000);
	return line;
}

/* read_alerts - until the line that ends them. */
static int read_alerts(struct control_client *c, struct report *m, struct error *err)
{
	for (;;) {
		json_t *line = next(c, err);
		bool end = line && !strcmp(text_of(line, "type"), "end");

		if (!line)
			return -EIO;
		if (end)
			m->alerts_dropped += number_of(line, "closed_dropped");
		else if (report_live_alert(m, line) < 0)
			m->log_skipped++;
		json_decref(line);
		if (end)
			return 0;
	}
}

int report_live_read(const struct config *cfg, struct report *m, struct error *err)
{
	struct control_client *c = NULL;
	json_t *status;
	int r = control_client_open(cfg, &c, err);

	if (r < 0)
		return r;
	r = control_client_ask(c, "{\"get\":\"status\"}", err);
	if (!r) {
		status = next(c, err);
		r = status ? report_live_status(m, status) : -EIO;
		if (status && r < 0)
			error_set(err, r, EXIT_RUNTIME,
				  "the daemon's answer makes no sense; is it of another version?");
		json_decref(status);
	}
	if (!r)
		r = control_client_ask(c, "{\"get\":\"alerts\"}", err);
	if (!r)
		r = read_alerts(c, m, err);
	control_client_close(c);
	return r;
}
