// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "floods.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reconmon/platform.h>

#include "net.h"

/* The guard lets go of a service of which everything was followed for so long. A flood that pauses,
 * or a server that is busy in bursts, is one event and not a hundred. */
#define HOLD_NS 10000000000ull

struct place {
	uint64_t tag; /* 0: free */
	struct flood who;
	uint64_t since_ns, last_ns;
	uint64_t unfollowed;
	uint64_t read; /* what its counter said at the last look */
};

struct floods {
	floods_say_fn *say;
	void *ctx;
	unsigned int count;
	struct place place[GUARD_FLOODS];
};

struct floods *floods_new(floods_say_fn *say, void *ctx)
{
	struct floods *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->say = say;
	f->ctx = ctx;
	return f;
}

void floods_free(struct floods *f)
{
	free(f);
}

void floods_begin(struct floods *f, const struct stats *stats)
{
	for (unsigned int i = 0; i < GUARD_FLOODS; i++)
		f->place[i].read = stats->unfollowed[i];
}

static struct flood_event event_of(const struct place *p, bool over)
{
	return (struct flood_event){
		.over = over,
		.resp = p->who.resp,
		.port = ntohs(p->who.port),
		.proto = p->who.proto,
		.dir = p->who.dir,
		.ifindex = p->who.ifindex,
		.unfollowed = p->unfollowed,
		.since_ns = p->since_ns,
		.span_ns = p->last_ns - p->since_ns,
	};
}

static void say(const struct floods *f, const struct place *p, bool over)
{
	const struct flood_event e = event_of(p, over);

	f->say(f->ctx, &e);
}

static void begin(struct floods *f, struct place *p, const struct flood *who, uint64_t tag,
		  uint64_t n, uint64_t now_ns)
{
	p->tag = tag;
	p->who = *who;
	p->since_ns = now_ns;
	p->last_ns = now_ns;
	p->unfollowed = n;
	f->count++;
	say(f, p, false);
}

static void end(struct floods *f, struct place *p)
{
	say(f, p, true);
	p->tag = 0;
	f->count--;
}

void floods_tick(struct floods *f, struct guard *guard, const struct stats *stats, uint64_t now_ns)
{
	for (unsigned int i = 0; i < GUARD_FLOODS; i++) {
		struct place *p = &f->place[i];
		uint64_t tag = LOAD(&guard->flood[i].tag);
		uint64_t n = stats->unfollowed[i] - p->read;

		p->read = stats->unfollowed[i];
		if (!p->tag) {
			if (tag & FLOOD_LIVE)
				begin(f, p, &guard->flood[i], tag, n, now_ns);
			continue;
		}
		p->unfollowed += n;
		if (n)
			p->last_ns = now_ns;
		if (now_ns - p->last_ns < HOLD_NS)
			continue;
		end(f, p);
		PUBLISH(&guard->flood[i].tag, 0);
	}
}

void floods_end(struct floods *f)
{
	for (unsigned int i = 0; i < GUARD_FLOODS; i++)
		if (f->place[i].tag)
			end(f, &f->place[i]);
}

unsigned int floods_count(const struct floods *f)
{
	return f ? f->count : 0;
}

void floods_each(const struct floods *f, floods_say_fn *fn, void *ctx)
{
	for (unsigned int i = 0; f && i < GUARD_FLOODS; i++) {
		const struct flood_event e = event_of(&f->place[i], false);

		if (f->place[i].tag)
			fn(ctx, &e);
	}
}

const char *flood_text(const struct flood_event *e, uint32_t rate, char *buf)
{
	char addr[NET_TEXT_MAX], port[16] = "", name[IF_NAMESIZE], where[48] = "";

	addr_format(&e->resp, addr);
	if (e->port)
		snprintf(port, sizeof(port), " port %u", e->port);
	if (e->ifindex && if_indextoname(e->ifindex, name))
		snprintf(where, sizeof(where), " (%s on %s)", e->dir == DIR_EGRESS ? "out" : "in",
			 name);
	if (!e->over)
		snprintf(buf, FLOOD_TEXT_MAX,
			 "guard engages: more than %u attempts a second at %s %s%s%s; those beyond "
			 "are counted, not followed",
			 rate, addr, proto_name(e->proto), port, where);
	else
		snprintf(buf, FLOOD_TEXT_MAX,
			 "guard lets go of %s %s%s: %" PRIu64
			 " attempts in %.1f s were not followed",
			 addr, proto_name(e->proto), port, e->unfollowed, (double)e->span_ns / 1e9);
	return buf;
}
