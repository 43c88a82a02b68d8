/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses and networks as people write them. */
#ifndef RECONMON_NET_H
#define RECONMON_NET_H

#include <reconmon/packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum {
	NET_TEXT_MAX = 46,
	NETS_MAX = 64
}; /* INET6_ADDRSTRLEN; networks in one list */

/* A network: an address of which the first `bits` count (IPv4: 96 + prefix length, since addresses
 * are ::ffff:a.b.c.d throughout). */
struct net {
	struct ip_addr addr; /* bits beyond the prefix are zero */
	uint8_t bits;	     /* 0 to 128 */
};

struct net_list {
	struct net net[NETS_MAX];
	size_t n;
};

bool addr_is_v4(const struct ip_addr *a);

/* addr_format - writes a as text (a.b.c.d or RFC 5952) into buf of NET_TEXT_MAX bytes; returns buf.
 */
const char *addr_format(const struct ip_addr *a, char *buf);

/* addr_parse - reads an address; the whole string or nothing. Returns 0 or -EINVAL. */
int addr_parse(const char *text, struct ip_addr *ret);

/* net_list_parse - reads "CIDR[,CIDR]..."; an address alone is a network of one. Returns 0, or
 * -EINVAL / -E2BIG with err filled; *ret is unchanged then. */
int net_list_parse(const char *text, struct net_list *ret, struct error *err);

/* net_list_add - adds one network to a list. Returns and errors as net_list_parse(). */
int net_list_add(const char *text, struct net_list *ret, struct error *err);

/* net_format - the network as net_list_parse() reads it, into buf of NET_TEXT_MAX + 4 bytes;
 * returns buf. */
const char *net_format(const struct net *net, char *buf);

bool net_list_has(const struct net_list *list, const struct ip_addr *a);

/* proto_name - "tcp", "udp", ...; "any" for 0 (a rule that does not look at the protocol). */
const char *proto_name(uint8_t proto);

/* addr_hash - 32 bits of an address, for indexes and filters in memory. Not seeded: who aims at one
 * slot makes a search longer, which is all that may depend on it. */
static inline uint32_t addr_hash(const struct ip_addr *a)
{
	return (uint32_t)((a->w[0] ^ a->w[1] >> 29 ^ a->w[1]) * 0x9E3779B97F4A7C15ull >> 32);
}

#endif
