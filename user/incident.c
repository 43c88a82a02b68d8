// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "incident.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run_id.h"
#include "table.h"

struct incidents {
	struct table *by_orig;
	uint32_t run; /* run_id(); 0: no incident has been yet */
	uint32_t serial;
	int64_t wall_offset_ns;
	uint64_t evicted;
};

struct incidents *incidents_new(uint32_t max)
{
	struct incidents *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->by_orig = table_new(sizeof(struct incident), max);
	if (!in->by_orig) {
		free(in);
		return NULL;
	}
	return in;
}

void incidents_free(struct incidents *in)
{
	if (!in)
		return;
	table_free(in->by_orig);
	free(in);
}

/* The id is made of evidence alone: who takes the same in once more, after a restart, gives the
 * same one. */
static void begin(struct incidents *in, struct incident *i, uint64_t t_ns)
{
	int64_t wall_ns = (int64_t)t_ns + in->wall_offset_ns;
	const struct group_key *key = table_key(i);

	if (!in->run)
		in->run = run_id("incident", &key->orig, &key->resp, wall_ns);
	*i = (struct incident){ .until_ns = 0 };
	snprintf(i->id, sizeof(i->id), "%08x-%08x-i%x", (uint32_t)(wall_ns / 1000000000), in->run,
		 in->serial++);
}

/* get - the incident of a key, made if it is missing; the oldest makes room. */
static struct incident *get(struct incidents *in, const struct group_key *wanted, bool *ret_new)
{
	struct group_key key = *wanted;
	struct incident *i = table_put(in->by_orig, &key, ret_new);

	if (!i && table_full(in->by_orig)) {
		table_remove(in->by_orig, table_oldest(in->by_orig));
		in->evicted++;
		i = table_put(in->by_orig, &key, ret_new);
	}
	return i;
}

static void host_note(struct incident *i, const struct ip_addr *resp)
{
	const struct ip_addr none = { { 0 } };

	if (i->hosts == INCIDENT_HOSTS_MAX || addr_same(resp, &none))
		return;
	for (uint32_t n = 0; n < i->hosts; n++)
		if (addr_same(&i->host[n], resp))
			return;
	i->host[i->hosts++] = *resp;
}

/* of_all - the incident of many originators of resp, or NULL. */
static struct incident *of_all(const struct incidents *in, const struct ip_addr *resp)
{
	const struct group_key key = { .resp = *resp };

	return table_get(in->by_orig, &key);
}

const struct incident *incident_join_all(struct incidents *in, const struct ip_addr *resp,
					 uint64_t t_ns, uint64_t until_ns, const char *id)
{
	const struct group_key key = { .resp = *resp };
	bool is_new;
	struct incident *i = get(in, &key, &is_new);

	if (!i)
		return NULL;
	if (is_new || t_ns > i->until_ns) {
		begin(in, i, t_ns);
		if (id[0])
			snprintf(i->id, sizeof(i->id), "%s", id);
	}
	if (until_ns > i->until_ns)
		i->until_ns = until_ns;
	host_note(i, resp);
	return i;
}

void incident_adopt(struct incidents *in, const struct ip_addr *orig, const struct ip_addr *resp)
{
	const struct group_key key = { .orig = *orig };
	const struct incident *all = of_all(in, resp);
	struct incident *i = table_get(in->by_orig, &key);

	if (i && all)
		memcpy(i->id, all->id, sizeof(i->id));
}

void incident_share(struct incidents *in, const struct ip_addr *orig, const struct ip_addr *other)
{
	const struct group_key key = { .orig = *orig }, whose = { .orig = *other };
	const struct incident *from = table_get(in->by_orig, &whose);
	struct incident *i = table_get(in->by_orig, &key);

	if (i && from)
		memcpy(i->id, from->id, sizeof(i->id));
}

const struct incident *incident_join(struct incidents *in, const struct ip_addr *orig,
				     const struct ip_addr *resp, uint64_t t_ns, uint64_t until_ns)
{
	const struct group_key key = { .orig = *orig };
	bool is_new;
	struct incident *i = get(in, &key, &is_new);

	if (!i)
		return NULL;
	if (is_new || t_ns > i->until_ns) {
		const struct incident *all = of_all(in, resp);

		begin(in, i, t_ns);
		if (all && t_ns <= all->until_ns)
			memcpy(i->id, all->id, sizeof(i->id));
	}
	if (until_ns > i->until_ns)
		i->until_ns = until_ns;
	host_note(i, resp);
	return i;
}

void incidents_clock(struct incidents *in, int64_t wall_offset_ns)
{
	in->wall_offset_ns = wall_offset_ns;
}

/* All of them: the order of the last news is not that of their ends, windows differ. */
void incidents_expire(struct incidents *in, uint64_t now_ns)
{
	struct incident *i, *newer;

	for (i = table_oldest(in->by_orig); i; i = newer) {
		newer = table_newer(in->by_orig, i);
		if (i->until_ns < now_ns)
			table_remove(in->by_orig, i);
	}
}

void incidents_each(const struct incidents *in, incidents_each_fn *fn, void *ctx)
{
	for (struct incident *i = table_newest(in->by_orig); i; i = table_older(in->by_orig, i))
		if (!fn(ctx, &table_key(i)->orig, i))
			return;
}

void incidents_stats_get(const struct incidents *in, struct incidents_stats *ret)
{
	*ret = (struct incidents_stats){
		.live = table_count(in->by_orig),
		.evicted = in->evicted,
		.bytes = table_bytes(in->by_orig),
	};
}

void incidents_save(const struct incidents *in, struct blob *b)
{
	blob_put_u32(b, in->run);
	blob_put_u32(b, in->serial);
	blob_put(b, &in->evicted, sizeof(in->evicted));
	blob_put_u32(b, table_count(in->by_orig));
	for (const struct incident *i = table_oldest(in->by_orig); i;
	     i = table_newer(in->by_orig, i)) {
		blob_put(b, table_key(i), sizeof(struct group_key));
		blob_put(b, i, sizeof(*i));
	}
}

int incidents_load(struct incidents *in, struct blob *b)
{
	uint32_t n;

	in->run = blob_get_u32(b);
	in->serial = blob_get_u32(b);
	blob_get(b, &in->evicted, sizeof(in->evicted));
	n = blob_get_u32(b);
	for (uint32_t k = 0; k < n && !b->failed; k++) {
		struct group_key key;
		struct incident one, *i;
		bool is_new;

		blob_get(b, &key, sizeof(key));
		blob_get(b, &one, sizeof(one));
		if (b->failed || one.hosts > INCIDENT_HOSTS_MAX ||
		    one.id[sizeof(one.id) - 1] != '\0')
			return -EINVAL;
		i = get(in, &key, &is_new);
		if (!i)
			return -ENOMEM;
		*i = one;
	}
	return b->failed ? -EINVAL : 0;
}
