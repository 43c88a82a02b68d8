// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does a person read an alert? One line: when, which state, who looked at whom, what was
 * found, and in parentheses what helps to go on:
 *
 *   2026-11-25T02:50:00.123Z OPEN   port-scan 10.0.0.5 -> 10.0.0.9 tcp: 3 ports in 0.4s; open
 * 22,80; closed 81 (syn; in on veth0; id 0192-1)
 *
 * (on one line). Lists are cut so that the line stays one that fits a screen: sink_json.c has all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <time.h>

#include "net.h"
#include "owner_text.h"
#include "sink.h"

enum {
	LINE_SIZE = 4096,
	PORTS_TEXT_MAX = 200, /* of one answer */
	HOSTS_SHOWN = 10,
};

#define NS_PER_MS ((uint64_t)1000000)
#define NS_PER_S  ((uint64_t)1000000000)

/* A line as it grows; what does not fit is left out. It goes out in one piece, so that the lines of
 * two processes that share an output do not mix. */
struct line {
	char text[LINE_SIZE];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void line_add(struct line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - l->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n < room ? (size_t)n : room - 1;
}

const char *sink_time(const struct sink_context *ctx, uint64_t t_ns, int decimals, char *buf)
{
	int64_t wall_ns = (int64_t)t_ns + ctx->wall_offset_ns;
	int64_t part = wall_ns % (int64_t)NS_PER_S;
	time_t s = wall_ns / (int64_t)NS_PER_S;
	char date[24] = "", digits[12];
	struct tm tm;

	if (part < 0) { /* a wall clock before 1970 */
		part += (int64_t)NS_PER_S;
		s--;
	}
	if (gmtime_r(&s, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(digits, sizeof(digits), ".%09u", (unsigned int)part);
	snprintf(buf, SINK_TIME_MAX, "%s%.*sZ", date, decimals ? decimals + 1 : 0, digits);
	return buf;
}

/* span_add - a length of time with the precision a reader wants: 12ms, 2.1s, 5m 3s, 3h 20m. */
static void span_add(struct line *l, uint64_t ns)
{
	uint64_t s = ns / NS_PER_S;

	if (ns < NS_PER_S / 10)
		line_add(l, "%" PRIu64 "ms", ns / NS_PER_MS);
	else if (s < 60)
		line_add(l, "%" PRIu64 ".%" PRIu64 "s", s, ns % NS_PER_S / (NS_PER_S / 10));
	else if (s < 3600)
		line_add(l, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else
		line_add(l, "%" PRIu64 "h %" PRIu64 "m", s / 3600, s / 60 % 60);
}

static void color_add(struct line *l, const struct sink_context *ctx, const char *code)
{
	if (ctx->color)
		line_add(l, "\033[%sm", code);
}

static void state_add(struct line *l, enum alert_state state, const struct sink_context *ctx)
{
	static const struct {
		const char *name, *color;
	} states[] = {
		[ALERT_OPEN] = { "OPEN", "31" },     /* red */
		[ALERT_UPDATE] = { "UPDATE", "33" }, /* yellow */
		[ALERT_CLOSE] = { "CLOSE", "32" },   /* green */
	};

	color_add(l, ctx, states[state].color);
	line_add(l, "%-6s", states[state].name);
	color_add(l, ctx, "0");
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

/* target_add - whom the originator looked at: a host, many, or any, and the port and protocol as
 * far as the group has them. */
static void target_add(struct line *l, const struct alert *a, const struct sink_context *ctx)
{
	const char *service = sink_has_port(a) ? sink_service(a, ctx, a->resp_port) : NULL;
	uint8_t group = a->rule->group;
	char addr[NET_TEXT_MAX];

	if (group & FIELD_RESP)
		line_add(l, "%s", addr_format(&a->resp, addr));
	else if (a->rule->distinct & FIELD_RESP)
		line_add(l, "%u host%s", sink_parties(a), plural(sink_parties(a)));
	else
		line_add(l, "any host");

	if (!sink_has_port(a))
		line_add(l, "%s%s", a->proto ? " " : "", a->proto ? proto_name(a->proto) : "");
	else if (a->proto == PROTO_ANY)
		line_add(l, ", IP protocol %u", a->resp_port);
	else
		line_add(l, ", port %u%s%s", a->resp_port, a->proto ? "/" : "",
			 a->proto ? proto_name(a->proto) : "");
	if (service)
		line_add(l, " (%s)", service);
}

/* open_named - the open ports as "22/ssh,80/http", into text of PORTS_TEXT_MAX + 1 bytes, if any
 * has a name and the list stays as short as one of numbers may be. Returns whether it is there. */
static bool open_named(const struct alert *a, const struct sink_context *ctx, char *text)
{
	bool named = false;
	size_t len = 0;

	for (int port = portset_next(a->ports, ANSWER_OPEN, 0); port >= 0;
	     port = portset_next(a->ports, ANSWER_OPEN, (uint32_t)port + 1)) {
		const char *name = sink_service(a, ctx, (uint16_t)port);
		int n = snprintf(text + len, PORTS_TEXT_MAX + 1 - len, "%s%d%s%s", len ? "," : "",
				 port, name ? "/" : "", name ? name : "");

		named |= name != NULL;
		len += (size_t)n;
		if (len > PORTS_TEXT_MAX)
			return false;
	}
	return named;
}

static void answer_add(struct line *l, const struct alert *a, enum answer answer,
		       const struct sink_context *ctx)
{
	char text[PORTS_TEXT_MAX + 1];
	size_t whole = 0;

	if (!portset_count_answer(a->ports, answer))
		return;
	if (answer != ANSWER_OPEN || !open_named(a, ctx, text))
		whole = portset_format(a->ports, answer, text, sizeof(text));
	line_add(l, "; %s ", answer_name(answer));
	if (answer == ANSWER_OPEN)
		color_add(l, ctx, "1"); /* bold */
	line_add(l, "%s%s", text, whole >= sizeof(text) ? ",..." : "");
	if (answer == ANSWER_OPEN)
		color_add(l, ctx, "0");
}

/* hosts_add - the first responders of `n` that satisfy the answer (ANSWER_MAX: any). */
static void hosts_add(struct line *l, const struct alert *a, enum answer answer, uint32_t n)
{
	char addr[NET_TEXT_MAX];
	uint32_t shown = 0;

	for (uint32_t i = 0; i < a->n_hosts && shown < HOSTS_SHOWN; i++) {
		if (answer != ANSWER_MAX && a->hosts[i].answer != answer)
			continue;
		line_add(l, "%s%s", shown++ ? ", " : "", addr_format(&a->hosts[i].addr, addr));
	}
	if (n > shown)
		line_add(l, "%s... (+%u more)", shown ? ", " : "", n - shown);
}

static uint32_t hosts_open(const struct alert *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->n_hosts; i++)
		n += a->hosts[i].answer == ANSWER_OPEN;
	return n;
}

/* found_add - what was counted, in how long, and what it answered. */
static void found_add(struct line *l, const struct alert *a, const struct sink_context *ctx)
{
	if (a->rule->distinct != FIELD_RESP)
		line_add(l, ": %u %s", a->count, sink_counted(a, a->count));
	line_add(l, " in ");
	span_add(l, alert_span_ns(a));

	if (a->hosts) {
		uint32_t n_open = hosts_open(a);

		line_add(l, sink_has_orig(a) ? ": " : ": by ");
		hosts_add(l, a, ANSWER_MAX, sink_parties(a));
		if (n_open && sink_has_orig(a)) {
			line_add(l, "; open at ");
			hosts_add(l, a, ANSWER_OPEN, n_open);
		}
	}
	for (unsigned int i = 0; a->ports && i < ANSWER_MAX; i++)
		answer_add(l, a, i, ctx);
}

/* ifname_add - the name of an interface may hold any byte but '/', ':' and white space (Linux,
 * dev_valid_name()), hence escape sequences too; they stay out of the reader's terminal. */
static void ifname_add(struct line *l, const char *name, size_t max)
{
	for (size_t i = 0; i < max && name[i]; i++)
		line_add(l, "%c", name[i] > ' ' && name[i] < 0x7f ? name[i] : '?');
}

/* notes_add - what is in the parentheses. */
static void notes_add(struct line *l, const struct alert *a, enum alert_state state)
{
	const char *technique[ALERT_TECHNIQUES_MAX];
	unsigned int n = alert_techniques(a, technique);
	char owner[OWNER_TEXT_MAX], unfollowed[SINK_UNFOLLOWED_MAX];

	line_add(l, " (");
	if (a->owner)
		line_add(l, "by %s; ", owner_text(a, owner));
	for (unsigned int i = 0; i < n; i++)
		line_add(l, "%s%s", technique[i], i + 1 < n ? ", " : "; ");
	if (a->ifname[0]) {
		line_add(l, "%s on ", a->dir == DIR_EGRESS ? "out" : "in");
		ifname_add(l, a->ifname, sizeof(a->ifname));
		line_add(l, "; ");
	}
	if (state == ALERT_CLOSE) {
		line_add(l, "lasted ");
		span_add(l, alert_span_ns(a));
		line_add(l, ", %" PRIu64 " attempt%s; ", a->attempts, a->attempts == 1 ? "" : "s");
	}
	if (a->retracted)
		line_add(l, "retracted: payload came after all; ");
	if (a->incomplete)
		line_add(l, "some evidence was lost; ");
	if (a->unfollowed)
		line_add(l, "%s; ", sink_unfollowed(a, unfollowed) + 2);
	if (a->incident[0])
		line_add(l, "incident %s; ", a->incident);
	line_add(l, "id %s)", a->id);
}

int sink_text_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx)
{
	struct line l = { .len = 0 };
	char time[SINK_TIME_MAX], orig[NET_TEXT_MAX], geo[GEO_TEXT_MAX];

	line_add(&l, "%s ", sink_time(ctx, ctx->now_ns, 3, time));
	state_add(&l, state, ctx);
	if (sink_has_orig(a))
		line_add(&l, " %s %s", a->rule->name, addr_format(&a->orig, orig));
	else
		line_add(&l, " %s %u originators", a->rule->name, sink_parties(a));
	if (ctx->geo && *geo_text(ctx->geo, geo))
		line_add(&l, " (%s)", geo);
	line_add(&l, " -> ");
	target_add(&l, a, ctx);
	found_add(&l, a, ctx);
	notes_add(&l, a, state);

	if (fprintf(out, "%s\n", l.text) < 0 || fflush(out) == EOF)
		return -EIO;
	return 0;
}
