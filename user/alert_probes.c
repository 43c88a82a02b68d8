// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "alert_probes.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t kept(const struct alert_probes *p)
{
	return p->n < ALERT_PROBES_MAX ? p->n : ALERT_PROBES_MAX;
}

/* has_room - for one more; a power of two at a time. */
static bool has_room(struct alert_probes *p)
{
	uint32_t room = p->room ? p->room * 2 : 4;
	struct alert_probe *more;

	if (p->n < p->room || p->room == ALERT_PROBES_MAX)
		return true;
	more = realloc(p->probe, room * sizeof(*more));
	if (!more)
		return false;
	p->probe = more;
	p->room = room;
	return true;
}

/* slot_of - where the n-th is kept. */
static uint32_t slot_of(uint32_t n)
{
	uint32_t ring = ALERT_PROBES_MAX - ALERT_PROBES_FIRST;

	return n < ALERT_PROBES_MAX ? n : ALERT_PROBES_FIRST + (n - ALERT_PROBES_FIRST) % ring;
}

int alert_probes_note(struct alert_probes *p, const struct host_value *v, uint64_t t_ns)
{
	if (!has_room(p))
		return -ENOMEM;
	p->probe[slot_of(p->n++)] =
		(struct alert_probe){ .t_ns = t_ns, .addr = v->addr, .port = v->port };
	return 0;
}

void alert_probes_done(struct alert_probes *p)
{
	free(p->probe);
	*p = (struct alert_probes){ .n = 0 };
}

bool alert_probes_at(const struct alert_probes *p, uint32_t i, struct alert_probe *ret)
{
	if (i >= kept(p))
		return false;
	*ret = p->probe[slot_of(i < ALERT_PROBES_FIRST ? i : i + p->n - kept(p))];
	return true;
}

void alert_probes_save(const struct alert_probes *p, struct blob *b)
{
	blob_put_u32(b, p->n);
	blob_put(b, p->probe, kept(p) * sizeof(*p->probe));
}

int alert_probes_load(struct alert_probes *p, struct blob *b)
{
	struct alert_probes got = { .n = blob_get_u32(b) };

	*p = (struct alert_probes){ .n = 0 };
	while (got.room < kept(&got))
		got.room = got.room ? got.room * 2 : 4;
	got.probe = got.room ? malloc(got.room * sizeof(*got.probe)) : NULL;
	if (got.room && !got.probe)
		return -ENOMEM;
	if (kept(&got))
		blob_get(b, got.probe, kept(&got) * sizeof(*got.probe));
	if (b->failed) {
		free(got.probe);
		return -EINVAL;
	}
	*p = got;
	return 0;
}

size_t alert_probes_bytes(const struct alert_probes *p)
{
	return p->room * sizeof(*p->probe);
}
