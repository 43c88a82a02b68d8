// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The reverse of sink_json.c. Anybody may have written the file: what does not fit is no alert, and
 * texts stay what they are until a page needs them (report_text.h). */
#include "report_alertlog.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "net.h"
#include "subject.h"

#define NS_PER_S ((uint64_t)1000000000)

enum {
	HEAD = 64 * 1024, /* a first line is rarely longer */
	LINE_FIRST = 64 * 1024,
	LINE_MAX_BYTES = 16 << 20,
};

/* --- values --------------------------------------------------------------------------------- */

/* at - the value at a path of two keys below o, or NULL. */
static const json_t *at(const json_t *o, const char *first, const char *second)
{
	o = json_object_get(o, first);
	return second ? json_object_get(o, second) : o;
}

static const char *text_at(const json_t *o, const char *first, const char *second)
{
	const char *text = json_string_value(at(o, first, second));

	return text ? text : "";
}

bool report_time_read(const char *text, uint64_t *ret)
{
	struct tm day = { .tm_isdst = 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &day);
	uint64_t ns = 0, unit = NS_PER_S;
	time_t s = rest ? timegm(&day) : -1;

	if (s < 0 || (uint64_t)s >= INT64_MAX / NS_PER_S)
		return false;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
			unit /= 10;
			ns += (uint64_t)(*rest - '0') * unit;
		}
	*ret = (uint64_t)s * NS_PER_S + ns;
	return *rest == 'Z';
}

/* --- an alert ------------------------------------------------------------------------------- */

static int ports_take(const struct subject *s, struct report_alert *a)
{
	a->ports = portset_new();
	if (!a->ports)
		return -ENOMEM;
	for (uint32_t port = 0; port < SUBJECT_PORTS; port++)
		if (s->answer[port] &&
		    portset_add(a->ports, (uint16_t)port, (enum answer)(s->answer[port] - 1)) < 0)
			return -ENOMEM;
	return 0;
}

/* hosts_take - responders, or originators that were at it together. */
static int hosts_take(const json_t *list, uint64_t known, struct report_alert *a)
{
	size_t n = json_array_size(list);

	a->hosts = n ? calloc(n, sizeof(*a->hosts)) : NULL;
	if (n && !a->hosts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || addr_parse(text, &a->hosts[a->n_hosts].addr))
			return -EINVAL;
		a->hosts[a->n_hosts++].kind = MARK_UNTOLD;
	}
	a->cut |= a->n_hosts < known;
	return 0;
}

static void techniques_take(const struct subject *s, struct report_alert *a)
{
	size_t len = 0;

	for (size_t i = 0; i < json_array_size(s->techniques) && len < sizeof(a->techniques); i++) {
		const char *text = json_string_value(json_array_get(s->techniques, i));

		len += (size_t)snprintf(a->techniques + len, sizeof(a->techniques) - len, "%s%s",
					i ? ", " : "", text ? text : "");
	}
}

/* owner_take - who did it, in the words of the text output. */
static void owner_take(const struct subject *s, struct report_alert *a)
{
	size_t len = 0;

	if (*s->process)
		len = (size_t)snprintf(a->owner, sizeof(a->owner), "%.100s[%" PRId64 "]",
				       s->process, s->pid);
	if (*s->container)
		len += (size_t)snprintf(a->owner + len, sizeof(a->owner) - len, "%scontainer %.12s",
					len ? ", " : "", s->container);
	if (*s->pod)
		snprintf(a->owner + len, sizeof(a->owner) - len, "%spod %.64s", len ? ", " : "",
			 s->pod);
}

/* words_take - what only a reader of all of it wants: where it was seen, its id of ATT&CK, its
 * rate.
 */
static void words_take(const json_t *doc, struct report_alert *a)
{
	bool out = !strcmp(text_at(doc, "network", "direction"), "egress");
	const json_t *interface =
		json_object_get(at(doc, "observer", out ? "egress" : "ingress"), "interface");
	const json_t *technique = at(doc, "threat", "technique");
	const json_t *sub = json_object_get(technique, "subtechnique");
	const json_t *ids = json_object_get(sub ? sub : technique, "id");
	const char *name = text_at(interface, "name", NULL);
	const char *id = json_string_value(json_array_get(ids, 0));

	snprintf(a->attack, sizeof(a->attack), "%s", id ? id : "");
	if (*name)
		snprintf(a->where, sizeof(a->where), "%s on %.40s", out ? "out" : "in", name);
	a->rate = json_number_value(json_object_get(at(doc, "reconmon", "alert"), "rate_pps"));
}

static int subject_take(const struct subject *s, struct report_alert *a)
{
	snprintf(a->id, sizeof(a->id), "%s", s->id);
	snprintf(a->rule, sizeof(a->rule), "%s", s->rule);
	snprintf(a->incident, sizeof(a->incident), "%s", s->incident);
	a->severity = (uint8_t)(s->severity < 0 ? 0 : s->severity > 10 ? 10 : s->severity);
	a->proto = s->protocols ? PROTO_ANY : subject_proto(s);
	a->has_port = s->port >= 0;
	a->port = (uint16_t)(s->port < 0 ? 0 : s->port);
	a->closed = !strcmp(s->state, "close");
	a->retracted = s->retracted;
	a->incomplete = s->incomplete;
	a->cut = s->ports_cut;
	a->count = (uint32_t)s->count;
	a->threshold = (uint32_t)s->threshold;
	a->window_ns = s->window_s < 1e9 ? (uint64_t)(s->window_s * 1e9) : 0;
	if (!report_time_read(s->start, &a->first_ns) || !report_time_read(s->end, &a->last_ns))
		return -EINVAL;
	return a->last_ns < a->first_ns ? -EINVAL : 0;
}

/* alert_read - the document as an alert. What *a holds is the caller's, on failure too. */
static int alert_read(const json_t *doc, struct subject *s, struct report_alert *a)
{
	int r;

	if (!subject_read(doc, s) || subject_take(s, a) < 0)
		return -EINVAL;
	words_take(doc, a);
	techniques_take(s, a);
	owner_take(s, a);
	a->joint = !*s->originator;
	a->has_resp = *s->responder && !addr_parse(s->responder, &a->resp);
	if (!a->joint && addr_parse(s->originator, &a->orig))
		return -EINVAL;
	r = ports_take(s, a);
	if (r < 0)
		return r;
	if (a->joint)
		return hosts_take(json_object_get(at(doc, "reconmon", "alert"), "originators"),
				  (uint64_t)s->originator_count, a);
	if (!a->count && a->ports)
		a->count = portset_count(a->ports);
	if (!s->responders)
		return 0;
	a->shape = SHAPE_HOSTS;
	a->count = (uint32_t)s->responder_count;
	return hosts_take(s->responders, (uint64_t)s->responder_count, a);
}

int report_alertlog_document(const json_t *doc, struct report_alert *ret)
{
	struct subject *s = malloc(sizeof(*s)); /* 64 KiB: not on the stack */
	int r;

	*ret = (struct report_alert){ .shape = SHAPE_PORTS };
	r = !s ? -ENOMEM : doc ? alert_read(doc, s, ret) : -EINVAL;
	free(s);
	if (r < 0)
		report_alert_done(ret);
	return r;
}

int report_alertlog_line(const char *text, size_t len, struct report *m)
{
	struct report_alert a;
	json_t *doc = json_loadb(text, len, 0, NULL);
	int r = report_alertlog_document(doc, &a);

	json_decref(doc);
	if (!r)
		report_alert_put(m, &a, a.last_ns);
	return r;
}

/* --- the file ------------------------------------------------------------------------------- */

bool report_alertlog_is(const char *file)
{
	static const char *const signs[] = { "\"reconmon.alert\"", "\"reconmon\":{\"alert\"" };
	char *head;
	gzFile gz;
	int n;
	bool is = false;

	if (!strcmp(file, "-"))
		return false;
	gz = gzopen(file, "rbe");
	head = gz ? malloc(HEAD) : NULL;
	if (head) {
		n = gzread(gz, head, HEAD);
		is = n == 0;
		for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]) && n > 0 && *head == '{';
		     i++)
			is |= memmem(head, (size_t)n, signs[i], strlen(signs[i])) != NULL;
	}
	free(head);
	if (gz)
		gzclose(gz);
	return is;
}

ssize_t report_alertlog_next(gzFile gz, char **line, size_t *room)
{
	size_t len = 0;
	bool whole = true;

	for (;;) {
		if (len + 2 > *room) {
			size_t more = *room ? *room * 2 : LINE_FIRST;
			char *buf = more <= LINE_MAX_BYTES ? realloc(*line, more) : NULL;

			if (buf) {
				*line = buf;
				*room = more;
			} else if (!*room) {
				return -1;
			} else {
				whole = false;
				len = 0;
			}
		}
		if (!gzgets(gz, *line + len, (int)(*room - len)))
			return len ? (ssize_t)len : -1;
		len += strlen(*line + len);
		if (len && (*line)[len - 1] == '\n')
			return whole ? (ssize_t)len - 1 : -2;
	}
}

int report_alertlog_read(const char *file, struct report *m, struct error *err)
{
	gzFile gz = gzopen(file, "rbe");
	uint64_t lines = 0, bad = 0, first_bad = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int code = Z_OK;

	if (!gz)
		return error_set(err, -errno, EXIT_RUNTIME, "%s: %m", file);
	while ((len = report_alertlog_next(gz, &line, &room)) != -1) {
		lines++;
		if (len == 0)
			continue;
		if (len == -2 || report_alertlog_line(line, (size_t)len, m) < 0) {
			if (!bad++)
				first_bad = lines;
		}
	}
	(void)gzerror(gz, &code);
	if (code != Z_OK && code != Z_STREAM_END)
		report_note_add(m, "%s: damaged after line %" PRIu64 "; what came before is used",
				file, lines);
	gzclose(gz);
	free(line);
	m->log_lines += lines;
	m->log_skipped += bad;
	report_source_add(m, "%s: %" PRIu64 " lines of alerts", file, lines);
	if (bad)
		report_note_add(m,
				"%s: %" PRIu64 " lines are no alerts in ECS, the first of them is "
				"line %" PRIu64,
				file, bad, first_bad);
	return 0;
}
