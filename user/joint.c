// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "joint.h"

#include <stdlib.h>
#include <string.h>

#include "net.h"

static int by_originator(const void *a, const void *b)
{
	const struct window_value *x = a, *y = b;

	return memcmp(&x->addr, &y->addr, sizeof(x->addr));
}

static int by_port(const void *a, const void *b)
{
	const struct window_value *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

/* drop_heavy - takes out who tried more than limit ports. Returns what is left. */
static uint32_t drop_heavy(struct window_value *pairs, uint32_t n, uint32_t limit)
{
	uint32_t kept = 0;

	qsort(pairs, n, sizeof(*pairs), by_originator);
	for (uint32_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && addr_same(&pairs[to].addr, &pairs[from].addr); to++)
			;
		if (to - from > limit)
			continue;
		memmove(&pairs[kept], &pairs[from], (to - from) * sizeof(*pairs));
		kept += to - from;
	}
	return kept;
}

/* originators_of - how many there are in pairs that by_originator has sorted. */
static uint32_t originators_of(const struct window_value *pairs, uint32_t n)
{
	uint32_t originators = 0;

	for (uint32_t i = 0; i < n; i++)
		originators += !i || !addr_same(&pairs[i].addr, &pairs[i - 1].addr);
	return originators;
}

/* drop_crowded - takes out ports that more than `most` originators tried. Returns what is left, and
 * of how many ports. */
static uint32_t drop_crowded(struct window_value *pairs, uint32_t n, uint32_t most,
			     uint32_t *ret_ports)
{
	uint32_t kept = 0, ports = 0;

	qsort(pairs, n, sizeof(*pairs), by_port);
	for (uint32_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && pairs[to].port == pairs[from].port; to++)
			;
		if (to - from > most)
			continue;
		memmove(&pairs[kept], &pairs[from], (to - from) * sizeof(*pairs));
		kept += to - from;
		ports++;
	}
	*ret_ports = ports;
	return kept;
}

struct joint_count joint_choose(struct window_value *pairs, uint32_t n, uint32_t limit)
{
	struct joint_count c;
	uint32_t most;

	n = drop_heavy(pairs, n, limit);
	most = originators_of(pairs, n) / JOINT_CROWD;
	c.pairs = drop_crowded(pairs, n, most ? most : 1, &c.ports);
	qsort(pairs, c.pairs, sizeof(*pairs), by_originator);
	c.originators = originators_of(pairs, c.pairs);
	return c;
}
