/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who is looking around right now, whether or not that is an alert yet? And how many probes were
 * there of each kind?
 *
 * Input: what a rule has counted as a probe, as it happens. Output: for each originator what it has
 * shown within the last minutes. Bounded: past LIVE_MAX originators the one that was quiet for
 * longest leaves, of several such one that has shown a single port, and `evicted` grows. That is
 * for the reader's eyes: no alert depends on it. Reads no clock; one thread owns it. */
#ifndef RECONMON_LIVE_H
#define RECONMON_LIVE_H

#include <reconmon/attempt.h>
#include <stdbool.h>
#include <stdint.h>

#include "owner.h"
#include "portset.h"

enum {
	LIVE_MAX = 256,	      /* originators */
	LIVE_HOSTS_MAX = 64,  /* responders told apart, of each */
	LIVE_SECONDS = 60,    /* of the history of its rate */
	LIVE_KEEP_S = 300,    /* an originator leaves when it was quiet for so long */
	LIVE_KINDS_MAX = 256, /* kinds of probes: protocol, technique, answer */
};

struct live;

/* An originator. */
struct looker {
	uint64_t first_ns, last_ns; /* CLOCK_BOOTTIME of its probes */
	uint64_t attempts;
	uint32_t bits;		   /* CONTACT_* of all of them */
	uint16_t protos;	   /* set of 1 << enum live_proto */
	uint8_t dir;		   /* enum attempt_dir, and */
	uint32_t ifindex;	   /* interface of the first */
	const struct owner *owner; /* of the first whose owner is known, or NULL */
	struct portset *ports;	   /* what it looked at, with the best answer of any host */
	struct ip_addr host[LIVE_HOSTS_MAX];
	uint32_t hosts;
	bool hosts_cut;		      /* there were more */
	uint32_t per_s[LIVE_SECONDS]; /* attempts in each second, at second % LIVE_SECONDS */
	uint64_t newest_s;	      /* the latest second that is in there */
};

/* Protocols as labels and sets of bits. */
enum live_proto {
	LIVE_TCP,
	LIVE_UDP,
	LIVE_SCTP,
	LIVE_ICMP, /* and ICMPv6 */
	LIVE_OTHER,
	LIVE_PROTO_MAX,
};
const char *live_proto_name(enum live_proto p); /* "tcp", "udp", "sctp", "icmp", "other" */

/* Probes of one kind, since the start. */
struct live_kind {
	enum live_proto proto;
	const char *technique; /* as alert_techniques() */
	enum answer answer;
	uint64_t probes;
};

struct live_stats {
	uint64_t originators; /* now */
	uint64_t evicted;     /* left for want of room */
	uint64_t bytes;
};

/* live_new - nobody yet. NULL for want of memory. */
struct live *live_new(void);
void live_free(struct live *l); /* NULL is fine */

/* live_see - a contact was silent. who: whose it was; NULL: unknown. */
void live_see(struct live *l, const struct contact_key *key, const struct contact *c,
	      const struct owner *who);

/* live_expire - forgets who was quiet for LIVE_KEEP_S. */
void live_expire(struct live *l, uint64_t now_ns);

/* live_each - calls fn for every originator, the one with the latest news first, until it returns
 * false. */
typedef bool live_fn(void *ctx, const struct ip_addr *orig, const struct looker *k);
void live_each(const struct live *l, live_fn *fn, void *ctx);

/* looker_rate - attempts a second in the ten seconds before now_ns. looker_second - attempts in the
 * second that began `ago` seconds (0 to LIVE_SECONDS - 1) before the one of now_ns. */
double looker_rate(const struct looker *k, uint64_t now_ns);
uint32_t looker_second(const struct looker *k, uint64_t now_ns, uint32_t ago);

/* live_kind - the i-th kind that was met; NULL if there are no more. */
const struct live_kind *live_kind(const struct live *l, uint32_t i);

void live_stats_get(const struct live *l, struct live_stats *ret);

#endif
