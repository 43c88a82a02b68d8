/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How the flood guard lies in memory: what guard.h and the daemon (user/floods.c) agree on. */
#ifndef RECONMON_FLOOD_H
#define RECONMON_FLOOD_H

#include "packet.h"

enum {
	GUARD_SERVICES = 65536, /* cells; powers of two */
	GUARD_SOURCES = 131072,
	GUARD_FLOODS = 256,	 /* services under guard that are told by name */
	GUARD_RATE_MAX = 500000, /* twice of it fits a cell's count (guard.h) */
};

/* A service under guard. The packet path claims a free one and names the service in it, the daemon
 * frees it when the flood is over. What was not followed there is counted per CPU:
 * stats.unfollowed[], at the same index. */
struct flood {
	__u64 tag; /* FLOOD_*: 0: free; else the service's hash and a state */
	struct ip_addr resp;
	__be16 port;
	__u8 proto;
	__u8 dir;      /* enum attempt_dir of what came first */
	__u32 ifindex; /* likewise */
};
_Static_assert(sizeof(struct flood) == 32, "no hidden padding");

#define FLOOD_BUSY	       1ull /* being written */
#define FLOOD_LIVE	       2ull
#define FLOOD_TAG(hash, state) (((hash) & ~3ull) | (state))
#define FLOOD_IS_OF(tag, hash) ((tag) && !(((tag) ^ (hash)) & ~3ull))

/* One cell a service (responder, port, protocol) and one an originator, direct-mapped: guard.h. 1
 * MB, of which a host without a flood touches what its own services and clients hash to. */
struct guard {
	__u64 service[GUARD_SERVICES];
	__u64 source[GUARD_SOURCES];
	struct flood flood[GUARD_FLOODS];
};

#endif
