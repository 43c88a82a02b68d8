// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What does an alert mean? Names, rate, techniques, ATT&CK and severity, read off an alert that
 * alert.c keeps. Nothing here changes one. */
#include "alert.h"

const char *alert_state_name(enum alert_state s)
{
	switch (s) {
	case ALERT_OPEN:
		return "open";
	case ALERT_UPDATE:
		return "update";
	case ALERT_CLOSE:
		return "close";
	}
	return "unknown";
}

uint64_t alert_span_ns(const struct alert *a)
{
	return a->last_ns > a->first_ns ? a->last_ns - a->first_ns : 0;
}

double alert_rate(const struct alert *a)
{
	uint64_t span_ns = alert_span_ns(a);

	return span_ns ? (double)a->attempts * 1e9 / (double)span_ns : 0;
}

enum answer alert_answer(uint32_t bits)
{
	/* TCP payload was acknowledged; a datagram's payload says nothing of who took it. */
	if (bits & CONTACT_OPEN || (bits & CONTACT_CARRIED && !(bits & CONTACT_UDP)))
		return ANSWER_OPEN;
	if (bits & CONTACT_CLOSED)
		return ANSWER_CLOSED;
	return bits & CONTACT_FILTERED ? ANSWER_FILTERED : ANSWER_NONE;
}

/* tcp_name - what to call TCP attempts that left no bit of a technique. Attempts that carried
 * payload were connections; what was refused or never answered may have been either, and a SYN is
 * all that is sure. */
static const char *tcp_name(const struct alert *a)
{
	return a->bits & CONTACT_CARRIED ? "connect" : "syn";
}

/* What a bit says by itself. */
static const struct {
	uint32_t bit;
	const char *name;
} techniques[] = {
	{ CONTACT_SYN, "syn" },		{ CONTACT_CONNECT, "connect" },
	{ CONTACT_FIN, "fin" },		{ CONTACT_NULL, "null" },
	{ CONTACT_XMAS, "xmas" },	{ CONTACT_FLAGS, "flags" },
	{ CONTACT_ACK, "ack" },		{ CONTACT_MAIMON, "maimon" },
	{ CONTACT_SYN_ACK, "syn-ack" }, { CONTACT_COOKIE, "sctp-cookie" },
};

/* The bits of techniques that TCP has; CONTACT_COOKIE is SCTP's. */
#define TCP_BITS ((CONTACT_SYN | CONTACT_CONNECT | CONTACT_ODD) & ~CONTACT_COOKIE)

unsigned int alert_techniques(const struct alert *a, const char **ret)
{
	unsigned int n = 0;

	for (size_t i = 0; i < sizeof(techniques) / sizeof(techniques[0]); i++)
		if (a->bits & techniques[i].bit)
			ret[n++] = techniques[i].name;
	if (!(a->bits & TCP_BITS) && (a->proto == PROTO_TCP || a->bits & CONTACT_FRAGMENT))
		ret[n++] = tcp_name(a);
	if (a->bits & CONTACT_FRAGMENT)
		ret[n++] = "fragment";
	if (a->bits & CONTACT_UDP || a->proto == PROTO_UDP)
		ret[n++] = "udp";
	if (a->proto == PROTO_SCTP && !(a->bits & CONTACT_COOKIE))
		ret[n++] = "sctp-init";
	if (a->proto == PROTO_ICMP || a->proto == PROTO_ICMPV6)
		ret[n++] = "icmp";
	if (a->proto == PROTO_ANY)
		ret[n++] = "ip-proto";
	if (!n && !a->proto) /* a rule that takes all protocols together, and no UDP among it */
		ret[n++] = tcp_name(a);
	return n;
}

const struct attack_ref *alert_attack(const struct alert *a)
{
	return a->orig_internal ? &a->rule->attack_internal : &a->rule->attack_external;
}

int alert_severity(const struct alert *a)
{
	/* Bits tell of silent attempts only; a port that took payload is open as well. */
	bool open =
		a->bits & CONTACT_OPEN || (a->ports && portset_count_answer(a->ports, ANSWER_OPEN));

	if (a->rule->severity)
		return a->rule->severity;
	return 4 + open + 2 * a->orig_internal + (a->count >= 100) + !!(a->bits & CONTACT_ODD) +
	       (a->incident_hosts >= ALERT_HOSTS_MANY);
}
