// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Addresses and networks: between the two words of struct ip_addr and what people write. */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	V4_BITS = 96,		       /* of ::ffff:0:0/96, the prefix of every IPv4 address */
	V4_OFFSET = V4_BITS / 8,       /* where a.b.c.d starts in an address */
	ITEM_MAX = NET_TEXT_MAX + 4,   /* an address, "/128", and the end */
	QUOTE_MAX = 2 * ITEM_MAX,      /* how much of a wrong value an error repeats */
	PREFIX_UNREADABLE = UINT8_MAX, /* no prefix is that long */
};

bool addr_is_v4(const struct ip_addr *a)
{
	return !a->w[0] && (uint32_t)a->w[1] == IP_ADDR_V4_PREFIX;
}

const char *addr_format(const struct ip_addr *a, char *buf)
{
	const uint8_t *bytes = (const uint8_t *)a;

	if (addr_is_v4(a))
		inet_ntop(AF_INET, bytes + V4_OFFSET, buf, NET_TEXT_MAX);
	else
		inet_ntop(AF_INET6, bytes, buf, NET_TEXT_MAX);
	return buf;
}

/* addr_read - like addr_parse; *ret_v4 says which of the two forms the text has, which decides
 * from where a prefix counts. */
static int addr_read(const char *text, struct ip_addr *ret, bool *ret_v4)
{
	struct ip_addr a = { { 0, IP_ADDR_V4_PREFIX } };
	bool v4 = inet_pton(AF_INET, text, (uint8_t *)&a + V4_OFFSET) == 1;

	if (!v4 && inet_pton(AF_INET6, text, &a) != 1)
		return -EINVAL;
	*ret = a;
	*ret_v4 = v4;
	return 0;
}

int addr_parse(const char *text, struct ip_addr *ret)
{
	bool v4;

	return addr_read(text, ret, &v4);
}

/* prefix_parse - reads one to three digits, or returns PREFIX_UNREADABLE. strtoul() would take
 * signs and spaces too. */
static unsigned int prefix_parse(const char *text)
{
	size_t n = strspn(text, "0123456789");
	unsigned int bits = 0;

	if (n < 1 || n > 3 || text[n])
		return PREFIX_UNREADABLE;
	for (size_t i = 0; i < n; i++)
		bits = bits * 10 + (unsigned int)(text[i] - '0');
	return bits;
}

/* addr_mask - a's first `bits` bits; the others become zero. */
static struct ip_addr addr_mask(const struct ip_addr *a, unsigned int bits)
{
	struct ip_addr masked = { { 0, 0 } };
	uint8_t *to = (uint8_t *)&masked;

	memcpy(to, a, bits / 8);
	if (bits % 8)
		to[bits / 8] = ((const uint8_t *)a)[bits / 8] & (uint8_t)(0xff00 >> bits % 8);
	return masked;
}

/* net_parse - reads one network of n bytes, which are not terminated. */
static int net_parse(const char *text, size_t n, struct net *ret, struct error *err)
{
	unsigned int bits, max;
	char item[ITEM_MAX];
	struct ip_addr addr;
	char *slash;
	bool v4;

	if (n >= sizeof(item))
		goto not_a_network;
	memcpy(item, text, n);
	item[n] = '\0';
	slash = strchr(item, '/');
	if (slash)
		*slash = '\0';
	if (addr_read(item, &addr, &v4) < 0)
		goto not_a_network;

	max = v4 ? 32 : 128;
	bits = slash ? prefix_parse(slash + 1) : max;
	if (bits > max)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "network '%.*s': the prefix length of an %s network is 0 to %u",
				 (int)n, text, v4 ? "IPv4" : "IPv6", max);

	bits += v4 ? V4_BITS : 0;
	*ret = (struct net){ .addr = addr_mask(&addr, bits), .bits = (uint8_t)bits };
	return 0;

not_a_network:
	return error_set(err, -EINVAL, EXIT_USAGE,
			 "'%.*s' is not a network; write ADDRESS/LENGTH or an address, like "
			 "10.0.0.0/8, fd00::/8 or 192.0.2.1",
			 (int)(n < QUOTE_MAX ? n : QUOTE_MAX), text);
}

int net_list_parse(const char *text, struct net_list *ret, struct error *err)
{
	struct net_list list = { .n = 0 };
	const char *item = text;
	size_t n;
	int r;

	for (;;) {
		n = strcspn(item, ",");
		if (!n)
			return error_set(err, -EINVAL, EXIT_USAGE,
					 "networks '%.*s': one of them is empty; write "
					 "CIDR[,CIDR]..., like 10.0.0.0/8,fd00::/8",
					 QUOTE_MAX, text);
		if (list.n == NETS_MAX)
			return error_set(err, -E2BIG, EXIT_USAGE,
					 "networks from '%.*s' on are too many: a list holds %d",
					 (int)(n < QUOTE_MAX ? n : QUOTE_MAX), item, NETS_MAX);
		r = net_parse(item, n, &list.net[list.n], err);
		if (r < 0)
			return r;
		list.n++;
		if (!item[n])
			break;
		item += n + 1;
	}
	*ret = list;
	return 0;
}

int net_list_add(const char *text, struct net_list *ret, struct error *err)
{
	struct net net;
	int r = net_parse(text, strlen(text), &net, err);

	if (r < 0)
		return r;
	if (ret->n == NETS_MAX)
		return error_set(err, -E2BIG, EXIT_USAGE, "network '%s': a list holds %d", text,
				 NETS_MAX);
	ret->net[ret->n++] = net;
	return 0;
}

const char *net_format(const struct net *net, char *buf)
{
	bool v4 = net->bits >= V4_BITS && addr_is_v4(&net->addr);

	addr_format(&net->addr, buf);
	sprintf(buf + strlen(buf), "/%u", v4 ? net->bits - V4_BITS : net->bits);
	return buf;
}

/* net_has - whether a is in the network. An IPv4 address is in networks that were written as such
 * only: it is ::ffff:a.b.c.d, and who writes ::/0 means all of IPv6 and not that. */
static bool net_has(const struct net *net, const struct ip_addr *a)
{
	struct ip_addr masked;

	if (net->bits < V4_BITS && addr_is_v4(a))
		return false;
	masked = addr_mask(a, net->bits);
	return masked.w[0] == net->addr.w[0] && masked.w[1] == net->addr.w[1];
}

bool net_list_has(const struct net_list *list, const struct ip_addr *a)
{
	for (size_t i = 0; i < list->n; i++)
		if (net_has(&list->net[i], a))
			return true;
	return false;
}

const char *proto_name(uint8_t proto)
{
	switch (proto) { /* IANA's keywords, in lower case as ECS wants them */
	case 0:
		return "any";
	case PROTO_ICMP:
		return "icmp";
	case PROTO_TCP:
		return "tcp";
	case PROTO_UDP:
		return "udp";
	case PROTO_ICMPV6:
		return "ipv6-icmp";
	case PROTO_SCTP:
		return "sctp";
	case PROTO_ANY: /* empty packets of many protocols (nmap -sO) */
		return "ip-proto";
	default:
		return "other";
	}
}
