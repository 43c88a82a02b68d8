// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include "alert.h"
#include "table.h"

#define NS_PER_S 1000000000ull

enum {
	RATE_SECONDS = 10,
	EVICT_LOOK = 16, /* of the oldest, so many are looked at for one with a single port */
};

struct live {
	struct table *by_orig; /* of struct looker */
	struct live_kind kind[LIVE_KINDS_MAX];
	uint32_t kinds;
	uint64_t evicted;
};

struct live *live_new(void)
{
	struct live *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->by_orig = table_new(sizeof(struct looker), LIVE_MAX);
	if (l->by_orig)
		return l;
	free(l);
	return NULL;
}

static void drop(struct live *l, struct looker *k)
{
	portset_free(k->ports);
	owner_unref(k->owner);
	table_remove(l->by_orig, k);
}

void live_free(struct live *l)
{
	struct looker *k;

	if (!l)
		return;
	while ((k = table_oldest(l->by_orig)))
		drop(l, k);
	table_free(l->by_orig);
	free(l);
}

/* evict - a flood of originators that show a port each must not push out the one that shows many.
 */
static void evict(struct live *l)
{
	struct looker *k = table_oldest(l->by_orig), *least = k;

	for (int i = 0; k && i < EVICT_LOOK; i++, k = table_newer(l->by_orig, k)) {
		if (portset_count(k->ports) > 1)
			continue;
		least = k;
		break;
	}
	if (!least)
		return;
	drop(l, least);
	l->evicted++;
}

static struct looker *looker_of(struct live *l, const struct ip_addr *orig)
{
	const struct group_key key = { .orig = *orig };
	struct looker *k = table_get(l->by_orig, &key);
	bool is_new;

	if (k) {
		table_touch(l->by_orig, k);
		return k;
	}
	if (table_full(l->by_orig))
		evict(l);
	k = table_put(l->by_orig, &key, &is_new);
	if (!k)
		return NULL;
	k->ports = portset_new();
	if (k->ports)
		return k;
	table_remove(l->by_orig, k);
	return NULL;
}

/* ---- kinds ---- */

static enum live_proto proto_of(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP:
		return LIVE_TCP;
	case PROTO_UDP:
		return LIVE_UDP;
	case PROTO_SCTP:
		return LIVE_SCTP;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return LIVE_ICMP;
	default:
		return LIVE_OTHER;
	}
}

const char *live_proto_name(enum live_proto p)
{
	static const char *const names[LIVE_PROTO_MAX] = { "tcp", "udp", "sctp", "icmp", "other" };

	return p < LIVE_PROTO_MAX ? names[p] : "other";
}

/* technique_of - as an alert over this one contact would name it first. */
static const char *technique_of(const struct contact_key *key, uint32_t bits)
{
	const struct alert alone = { .bits = bits, .proto = key->proto };
	const char *name[ALERT_TECHNIQUES_MAX];

	return alert_techniques(&alone, name) ? name[0] : "other";
}

static void count_kind(struct live *l, const struct contact_key *key, const struct contact *c)
{
	uint32_t bits = CONTACT_BITS(c->word), i;
	const struct live_kind is = { proto_of(key->proto), technique_of(key, bits),
				      alert_answer(bits & ~CONTACT_CARRIED), c->silent };

	for (i = 0; i < l->kinds; i++)
		if (l->kind[i].proto == is.proto && l->kind[i].answer == is.answer &&
		    !strcmp(l->kind[i].technique, is.technique))
			break;
	if (i < l->kinds)
		l->kind[i].probes += is.probes;
	else if (i < LIVE_KINDS_MAX) /* more than there are kinds */
		l->kind[l->kinds++] = is;
}

const struct live_kind *live_kind(const struct live *l, uint32_t i)
{
	return i < l->kinds ? &l->kind[i] : NULL;
}

/* ---- originators ---- */

static void note_host(struct looker *k, const struct ip_addr *resp)
{
	for (uint32_t i = 0; i < k->hosts; i++)
		if (addr_same(&k->host[i], resp))
			return;
	if (k->hosts < LIVE_HOSTS_MAX)
		k->host[k->hosts++] = *resp;
	else
		k->hosts_cut = true;
}

/* note_second - seconds that have gone by without a probe are cleared on the way. */
static void note_second(struct looker *k, uint64_t t_ns, uint32_t attempts)
{
	uint64_t s = t_ns / NS_PER_S;

	if (s > k->newest_s + LIVE_SECONDS)
		memset(k->per_s, 0, sizeof(k->per_s));
	else
		for (uint64_t gap = k->newest_s + 1; gap <= s; gap++)
			k->per_s[gap % LIVE_SECONDS] = 0;
	if (s > k->newest_s)
		k->newest_s = s;
	if (s + LIVE_SECONDS > k->newest_s)
		k->per_s[s % LIVE_SECONDS] += attempts;
}

uint32_t looker_second(const struct looker *k, uint64_t now_ns, uint32_t ago)
{
	uint64_t s = now_ns / NS_PER_S - ago;

	return s <= k->newest_s && s + LIVE_SECONDS > k->newest_s ? k->per_s[s % LIVE_SECONDS] : 0;
}

double looker_rate(const struct looker *k, uint64_t now_ns)
{
	uint64_t n = 0;

	for (uint32_t ago = 0; ago < RATE_SECONDS; ago++)
		n += looker_second(k, now_ns, ago);
	return (double)n / RATE_SECONDS;
}

void live_see(struct live *l, const struct contact_key *key, const struct contact *c,
	      const struct owner *who)
{
	struct looker *k = looker_of(l, &key->orig);
	uint32_t bits = CONTACT_BITS(c->word);

	count_kind(l, key, c);
	if (!k) /* no memory: there is less to look at */
		return;
	if (!k->attempts) {
		k->first_ns = c->silent_first_ns;
		k->dir = c->dir;
		k->ifindex = c->ifindex;
	}
	if (c->silent_first_ns < k->first_ns)
		k->first_ns = c->silent_first_ns;
	if (c->silent_last_ns > k->last_ns)
		k->last_ns = c->silent_last_ns;
	k->attempts += c->silent;
	k->bits |= bits;
	k->protos |= (uint16_t)(1u << proto_of(key->proto));
	if (who && !k->owner)
		k->owner = owner_ref(who);
	portset_add(k->ports, ntohs(key->resp_port), alert_answer(bits & ~CONTACT_CARRIED));
	note_host(k, &key->resp);
	note_second(k, c->silent_last_ns, c->silent);
}

/* All of them are looked at: evidence that ripens late puts the order of touching and that of times
 * apart. */
void live_expire(struct live *l, uint64_t now_ns)
{
	struct looker *k, *newer;

	for (k = table_oldest(l->by_orig); k; k = newer) {
		newer = table_newer(l->by_orig, k);
		if (k->last_ns + LIVE_KEEP_S * NS_PER_S < now_ns)
			drop(l, k);
	}
}

void live_each(const struct live *l, live_fn *fn, void *ctx)
{
	for (struct looker *k = table_newest(l->by_orig); k; k = table_older(l->by_orig, k))
		if (!fn(ctx, &table_key(k)->orig, k))
			return;
}

void live_stats_get(const struct live *l, struct live_stats *ret)
{
	*ret = (struct live_stats){
		.originators = table_count(l->by_orig),
		.evicted = l->evicted,
		.bytes = table_bytes(l->by_orig),
	};
}
