// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What does syslog want before a line, and the journal around it? */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "owner_text.h"
#include "sink.h"

enum {
	HOSTNAME_MAX = 255, /* RFC 5424, 6.2.4 */
};

int sink_syslog_severity(const struct alert *a)
{
	int severity = alert_severity(a);

	if (severity >= 10)
		return 2; /* critical */
	if (severity >= 7)
		return 3;	      /* error */
	return severity >= 4 ? 4 : 5; /* warning, notice */
}

/* put_hostname - printable ASCII without blanks, else the nil value. */
static void put_hostname(FILE *out, const char *name)
{
	size_t n = 0;

	while (name[n] > ' ' && name[n] <= '~')
		n++;
	if (!n || name[n] || n > HOSTNAME_MAX)
		fputc('-', out);
	else
		fputs(name, out);
}

/* put_param - NAME="VALUE", with `"`, `\` and `]` escaped (RFC 5424, 6.3.3). */
static void put_param(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	for (; *value; value++) {
		if (strchr("\"\\]", *value))
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

static void put_structured(FILE *out, const struct alert *a, enum alert_state state,
			   uint64_t sequence, uint32_t enterprise)
{
	char addr[NET_TEXT_MAX], severity[8], port[8], seq[24];

	fprintf(out, "[reconmon@%u", enterprise);
	put_param(out, "rule", a->rule->name);
	put_param(out, "state", alert_state_name(state));
	put_param(out, "id", a->id);
	snprintf(seq, sizeof(seq), "%" PRIu64, sequence);
	put_param(out, "seq", seq); /* with the id: which messages are the same */
	if (a->incident[0])
		put_param(out, "incident", a->incident);
	snprintf(severity, sizeof(severity), "%d", alert_severity(a));
	put_param(out, "severity", severity);
	if (sink_has_orig(a))
		put_param(out, "src", addr_format(&a->orig, addr));
	if (a->rule->group & FIELD_RESP)
		put_param(out, "dst", addr_format(&a->resp, addr));
	snprintf(port, sizeof(port), "%u", a->resp_port);
	if (sink_has_port(a))
		put_param(out, "port", port);
	if (a->proto)
		put_param(out, "proto", proto_name(a->proto));
	if (sink_known(a->ifname))
		put_param(out, "interface", a->ifname);
	fputs("] ", out);
}

/* What glibc's syslog() writes to /dev/log: local time, no host. */
static void put_local(FILE *out, const struct sink_context *ctx)
{
	time_t s = (time_t)(sink_wall_ms(ctx, ctx->now_ns) / 1000);
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&s, &tm))
		strftime(text, sizeof(text), "%h %e %T", &tm);
	fprintf(out, "%s reconmon[%d]: ", text, (int)getpid());
}

int sink_frame_syslog(FILE *out, const struct alert *a, enum alert_state state,
		      const struct sink_context *ctx, const struct output_config *oc)
{
	bool leef = oc->format == FORMAT_LEEF;
	char time[SINK_TIME_MAX];

	fprintf(out, "<%d>", oc->facility * 8 + sink_syslog_severity(a));
	if (oc->transport == SYSLOG_UNIX) {
		put_local(out, ctx);
		return ferror(out) ? -EIO : 0;
	}
	fprintf(out, "1 %s ", sink_time(ctx, ctx->now_ns, leef ? 3 : 6, time));
	put_hostname(out, ctx->hostname);
	fputc(' ', out);
	if (!leef) {
		fprintf(out, "reconmon %d %s ", (int)getpid(), a->rule->name);
		put_structured(out, a, state, ctx->sequence, oc->enterprise);
	}
	return ferror(out) ? -EIO : 0;
}

/* ---- the journal ---- */

/* put_field - KEY=VALUE, or for a value with a line end KEY, its length as 64 bits little-endian,
 * and the value. Nothing if it is empty. */
static void put_field(FILE *out, const char *key, const char *value)
{
	size_t n = value ? strlen(value) : 0;
	uint64_t length = htole64(n);

	if (!n)
		return;
	if (!strchr(value, '\n')) {
		fprintf(out, "%s=%s\n", key, value);
		return;
	}
	fprintf(out, "%s\n", key);
	fwrite(&length, sizeof(length), 1, out);
	fprintf(out, "%s\n", value);
}

static void put_addr(FILE *out, const char *key, const struct ip_addr *addr)
{
	char text[NET_TEXT_MAX];

	put_field(out, key, addr_format(addr, text));
}

static void put_number(FILE *out, const char *key, unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	put_field(out, key, text);
}

/* put_json - the whole alert, for who wants more than the fields. Returns 0, -EIO or -ENOMEM. */
static int put_json(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (!f)
		return -ENOMEM;
	r = sink_json_write(f, a, state, ctx);
	if (fclose(f))
		r = -ENOMEM;
	if (!r) {
		text[len - 1] = '\0'; /* its line end */
		put_field(out, "RECONMON_JSON", text);
	}
	free(text);
	return r;
}

int sink_journal_write(FILE *out, const struct alert *a, enum alert_state state,
		       const struct sink_context *ctx)
{
	/* One a kind of message, so that `journalctl MESSAGE_ID=` finds it; drawn at random once.
	 */
	static const char *const message_id[] = {
		[ALERT_OPEN] = "38f30a01751f49abaa852c1ebfbd33c2",
		[ALERT_UPDATE] = "f30fe4a2530a4e3c964939f6146e37f2",
		[ALERT_CLOSE] = "211dc4a6333d4d709336117e794fdc67",
	};
	static char ports[16384]; /* the main thread's */
	char sentence[SINK_SENTENCE_MAX], owner[OWNER_TEXT_MAX];
	int r;

	fprintf(out, "MESSAGE=%s: %s\n", alert_state_name(state), sink_message(a, sentence));
	put_number(out, "PRIORITY", (unsigned int)sink_syslog_severity(a));
	put_field(out, "SYSLOG_IDENTIFIER", "reconmon");
	put_field(out, "MESSAGE_ID", message_id[state]);
	put_field(out, "RECONMON_STATE", alert_state_name(state));
	put_field(out, "RECONMON_ALERT_ID", a->id);
	put_field(out, "RECONMON_INCIDENT", a->incident);
	put_field(out, "RECONMON_RULE", a->rule->name);
	put_number(out, "RECONMON_SEVERITY", (unsigned int)alert_severity(a));
	if (sink_has_orig(a))
		put_addr(out, "RECONMON_SRC", &a->orig);
	if (a->rule->group & FIELD_RESP)
		put_addr(out, "RECONMON_DST", &a->resp);
	sink_ports(a, ANSWER_MAX, ports, sizeof(ports));
	put_field(out, "RECONMON_PORTS", ports);
	put_number(out, "RECONMON_COUNT", a->count);
	if (ctx->geo) {
		put_field(out, "RECONMON_COUNTRY", ctx->geo->country_iso);
		put_field(out, "RECONMON_NETWORK", ctx->geo->org);
	}
	put_field(out, "RECONMON_INTERFACE", a->ifname);
	put_field(out, "RECONMON_OWNER", owner_text(a, owner));
	r = put_json(out, a, state, ctx);
	if (fflush(out) == EOF || ferror(out))
		return -EIO;
	return r;
}
