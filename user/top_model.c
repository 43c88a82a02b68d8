// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "top_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s && text_is_plain(s) ? s : "";
}

uint32_t top_ports_each(const char *list, void (*fn)(void *ctx, uint32_t first, uint32_t last),
			void *ctx)
{
	uint32_t n = 0;

	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (end != list && *end == '-')
			last = strtoul(end + 1, &end, 10);
		if (end != list && first <= last && last <= UINT16_MAX) {
			n += (uint32_t)(last - first + 1);
			if (fn)
				fn(ctx, (uint32_t)first, (uint32_t)last);
		}
		list = end + strcspn(end, ",");
		list += *list == ',';
	}
	return n;
}

/* owner_text - whose it is, in a word: process, else container, pod or unit. */
static void owner_text(const json_t *o, char *buf)
{
	const json_t *process = json_object_get(o, "process");
	const json_t *owner = json_object_get(o, "owner");
	const char *name = text(process, "name"), *unit = text(owner, "unit");
	const char *container = text(json_object_get(o, "container"), "id");
	const char *pod =
		text(json_object_get(json_object_get(o, "orchestrator"), "resource"), "name");

	if (*name)
		snprintf(buf, TOP_OWNER_MAX, "%s%.40s[%lld]",
			 strcmp(text(owner, "source"), "guess") ? "" : "?", name,
			 (long long)json_integer_value(json_object_get(process, "pid")));
	else if (*pod)
		snprintf(buf, TOP_OWNER_MAX, "pod %.80s", pod);
	else if (*container)
		snprintf(buf, TOP_OWNER_MAX, "container %.12s", container);
	else
		snprintf(buf, TOP_OWNER_MAX, "%.80s", unit);
}

static void technique_text(const json_t *list, char *buf)
{
	size_t i, len = 0;
	json_t *v;

	*buf = '\0';
	json_array_foreach (list, i, v) {
		const char *t = json_string_value(v);

		if (t && text_is_plain(t) && len + strlen(t) + 2 < TOP_TECHNIQUES_MAX)
			len += (size_t)snprintf(buf + len, TOP_TECHNIQUES_MAX - len, "%s%s",
						len ? "," : "", t);
	}
}

static void seconds_of(const json_t *list, uint32_t *ret)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < TOP_SECONDS; i++) { /* the latest on the right, whatever n is */
		json_int_t v =
			i + n < TOP_SECONDS
				? 0
				: json_integer_value(json_array_get(list, i + n - TOP_SECONDS));

		ret[i] = v > 0 && v < UINT32_MAX ? (uint32_t)v : 0;
	}
}

static void row_of(const struct top_model *m, const json_t *said, struct top_row *r)
{
	const json_t *answers = json_object_get(said, "answers");
	const json_t *worst = NULL;

	memset(r, 0, sizeof(*r));
	r->said = said;
	r->addr = text(said, "originator");
	r->last = text(said, "last");
	r->ports = (uint32_t)json_integer_value(json_object_get(said, "port_count"));
	r->responders = (uint32_t)json_array_size(json_object_get(said, "responders"));
	r->rate = json_number_value(json_object_get(said, "rate_pps"));
	for (unsigned int i = 0; i < ANSWER_MAX; i++)
		r->answers[i] = top_ports_each(text(answers, answer_name(i)), NULL, NULL);
	seconds_of(json_object_get(said, "per_second"), r->per_second);
	technique_text(json_object_get(said, "technique"), r->technique);
	owner_text(json_object_get(said, "owner"), r->owner);
	r->alerts = (uint32_t)top_alerts(m, r->addr, &worst, 1);
	r->severity = (int)json_integer_value(json_object_get(worst, "severity"));
}

/* fits - is the filter's text in what a row says? An originator is found by its responders, too. */
static bool fits(const char *filter, const struct top_row *r)
{
	size_t i;
	json_t *v;

	if (!*filter || strstr(r->addr, filter) || strstr(r->technique, filter) ||
	    strstr(r->owner, filter) || strstr(text(r->said, "interface"), filter))
		return true;
	json_array_foreach (json_object_get(r->said, "responders"), i, v) {
		if (json_string_value(v) && strstr(json_string_value(v), filter))
			return true;
	}
	return false;
}

/* order - negative: a before b. Rows that are equal otherwise are ordered by address, so that they
 * do not dance. */
static int order(const struct top_row *a, const struct top_row *b, enum top_sort sort)
{
	double by = 0;

	if (sort == TOP_BY_SEVERITY)
		by = b->severity - a->severity;
	else if (sort == TOP_BY_RATE)
		by = b->rate - a->rate;
	else if (sort == TOP_BY_LAST)
		by = strcmp(b->last, a->last);
	if (by == 0 && (sort == TOP_BY_SEVERITY || sort == TOP_BY_PORTS))
		by = (double)b->ports - (double)a->ports;
	if (by == 0)
		by = strcmp(a->addr, b->addr);
	return by < 0 ? -1 : by > 0;
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct top_model *m = ctx;
	int by = order(a, b, m->sort);

	return m->reverse ? -by : by;
}

int top_model_arrange(struct top_model *m)
{
	const json_t *list = json_object_get(m->live, "originators");
	size_t n = json_array_size(list), i;
	json_t *v;

	if (n > m->room) {
		struct top_row *more = realloc(m->row, n * sizeof(*more));

		if (!more)
			return -ENOMEM;
		m->row = more;
		m->room = n;
	}
	m->rows = 0;
	m->total = n;
	memset(m->per_second, 0, sizeof(m->per_second));
	json_array_foreach (list, i, v) {
		struct top_row *r = &m->row[m->rows];

		row_of(m, v, r);
		for (size_t s = 0; s < TOP_SECONDS; s++)
			m->per_second[s] += r->per_second[s];
		m->rows += fits(m->filter, r);
	}
	if (m->rows > 1)
		qsort_r(m->row, m->rows, sizeof(*m->row), compare, m);
	return 0;
}

int top_model_take(struct top_model *m, json_t *live)
{
	json_t *old = m->live;
	int r;

	m->live = live;
	r = top_model_arrange(m);
	if (r < 0) {
		m->live = old;
		json_decref(live);
		return r;
	}
	json_decref(old);
	return 0;
}

void top_model_done(struct top_model *m)
{
	json_decref(m->live);
	free(m->row);
	memset(m, 0, sizeof(*m));
}

size_t top_model_at(const struct top_model *m)
{
	for (size_t i = 0; i < m->rows; i++)
		if (!strcmp(m->row[i].addr, m->chosen))
			return i;
	return 0;
}

void top_model_point(struct top_model *m, long by)
{
	long at = (long)top_model_at(m) + by;

	if (!m->rows)
		return;
	if (at < 0)
		at = 0;
	if (at >= (long)m->rows)
		at = (long)m->rows - 1;
	snprintf(m->chosen, sizeof(m->chosen), "%s", m->row[at].addr);
}

const char *top_sort_name(enum top_sort sort)
{
	static const char *const names[TOP_SORT_MAX] = { "severity", "ports", "rate", "last",
							 "address" };

	return names[sort];
}

static int severity_of(const json_t *alert)
{
	return (int)json_integer_value(json_object_get(alert, "severity"));
}

size_t top_alerts(const struct top_model *m, const char *addr, const json_t **ret, size_t max)
{
	size_t i, n = 0;
	json_t *v;

	json_array_foreach (json_object_get(m->live, "alerts"), i, v) {
		size_t at;

		if (strcmp(text(v, "originator"), addr) != 0)
			continue;
		/* by insertion: few, and what does not fit is the mildest */
		for (at = n < max ? n : max; at && severity_of(ret[at - 1]) < severity_of(v); at--)
			if (at < max)
				ret[at] = ret[at - 1];
		if (at < max)
			ret[at] = v;
		n++;
	}
	return n;
}
