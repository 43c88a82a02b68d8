/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Frames for tests, written as a list of layers: `{ ETH(), IPV4(), TCP(.flags = TCP_SYN) }`.
 *
 * What a layer does not say is filled in so that the frame is right: the next layer's type,
 * lengths, ports. What it says stands, right or wrong. All fields of a frame that the parser
 * reports have the values of `ends`, so that a test can tell them apart. */
#ifndef RECONMON_TESTS_FRAME_H
#define RECONMON_TESTS_FRAME_H

#include <string.h>

#include <reconmon/parse.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum layer_kind {
	LAYER_END = 0,
	LAYER_ETH,
	LAYER_VLAN,
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_EXT, /* .ext says which; FRAG and AUTH have layers of their own */
	LAYER_FRAG,
	LAYER_AUTH,
	LAYER_TCP,
	LAYER_UDP,
	LAYER_SCTP,
	LAYER_CHUNK, /* of SCTP: .type, .n bytes after its header */
	LAYER_ICMP,
	LAYER_ICMPV6,
	LAYER_DATA, /* .n bytes that belong to the IP packet */
	LAYER_PAD,  /* .n bytes behind it */
};

#define GIVEN(x) (0x80000000u | (x)) /* a field's value instead of the computed one; 0 too */

struct layer {
	__u8 kind;
	__u8 ext;	 /* LAYER_EXT: its IANA number */
	__u8 flags;	 /* TCP */
	__u8 type, code; /* ICMP; SCTP chunk */
	__u8 version;	 /* IP, instead of 4 or 6 */
	__u8 reversed;	 /* 1: from ends->addr[1] to ends->addr[0] */
	__u16 frag;	 /* IPv4 flags and offset; IPv6 fragment header likewise, as on the wire */
	__u32 next;	 /* GIVEN(): EtherType or protocol of what follows */
	__u32 len;	 /* GIVEN(): length field; IHL and data offset in bytes are hdr */
	__u32 hdr;	 /* GIVEN(): IPv4 and TCP header length field, bytes */
	__u32 n;	 /* bytes of options, of extension header beyond 8, of data, of padding */
	__u32 keep;	 /* bytes of the header that are written; 0: all */
	__u32 seq, ack;	 /* TCP */
	__u8 fill;	 /* DATA, PAD, options: each byte */
};

#define ETH(...)                                                                                   \
	{                                                                                          \
		.kind = LAYER_ETH, ##__VA_ARGS__                                                   \
	}
#define VLAN(...)                                                                                  \
	{                                                                                          \
		.kind = LAYER_VLAN, ##__VA_ARGS__                                                  \
	}
#define IPV4(...)                                                                                  \
	{                                                                                          \
		.kind = LAYER_IPV4, ##__VA_ARGS__                                                  \
	}
#define IPV6(...)                                                                                  \
	{                                                                                          \
		.kind = LAYER_IPV6, ##__VA_ARGS__                                                  \
	}
#define EXT(...)                                                                                   \
	{                                                                                          \
		.kind = LAYER_EXT, ##__VA_ARGS__                                                   \
	}
#define FRAG(...)                                                                                  \
	{                                                                                          \
		.kind = LAYER_FRAG, ##__VA_ARGS__                                                  \
	}
#define AUTH(...)                                                                                  \
	{                                                                                          \
		.kind = LAYER_AUTH, ##__VA_ARGS__                                                  \
	}
#define TCP(...)                                                                                   \
	{                                                                                          \
		.kind = LAYER_TCP, ##__VA_ARGS__                                                   \
	}
#define UDP(...)                                                                                   \
	{                                                                                          \
		.kind = LAYER_UDP, ##__VA_ARGS__                                                   \
	}
#define SCTP(...)                                                                                  \
	{                                                                                          \
		.kind = LAYER_SCTP, ##__VA_ARGS__                                                  \
	}
#define CHUNK(...)                                                                                 \
	{                                                                                          \
		.kind = LAYER_CHUNK, ##__VA_ARGS__                                                 \
	}
#define ICMP(...)                                                                                  \
	{                                                                                          \
		.kind = LAYER_ICMP, ##__VA_ARGS__                                                  \
	}
#define ICMPV6(...)                                                                                \
	{                                                                                          \
		.kind = LAYER_ICMPV6, ##__VA_ARGS__                                                \
	}
#define DATA(bytes)                                                                                \
	{                                                                                          \
		.kind = LAYER_DATA, .n = (bytes)                                                   \
	}
#define PAD(bytes)                                                                                 \
	{                                                                                          \
		.kind = LAYER_PAD, .n = (bytes)                                                    \
	}

enum {
	LAYERS_MAX = 14,
	FRAME_MAX = 2048
};

/* The two hosts of a test, and their ports in host byte order. */
struct ends {
	__u8 v4[2][4];
	__u8 v6[2][16];
	__u16 port[2];
};

static const struct ends test_ends = {
	.v4 = { { 192, 0, 2, 1 }, { 198, 51, 100, 2 } }, /* RFC 5737 */
	.v6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },	 /* RFC 3849 */
		{ 0x20, 0x01, 0x0d, 0xb8, [7] = 9, [15] = 2 } },
	.port = { 40000, 443 },
};

struct frame {
	__u8 b[FRAME_MAX];
	__u32 len;
};

static inline __u32 given_or(__u32 field, __u32 computed)
{
	return field & GIVEN(0) ? field & ~GIVEN(0) : computed;
}

/* layer_ether_type, layer_proto - what the layer before has to call this one. */
static inline __u32 layer_ether_type(const struct layer *l)
{
	switch (l->kind) {
	case LAYER_VLAN:
		return ETH_TYPE_VLAN;
	case LAYER_IPV6:
		return ETH_TYPE_IPV6;
	default:
		return ETH_TYPE_IPV4;
	}
}

static inline __u32 layer_proto(const struct layer *l)
{
	switch (l->kind) {
	case LAYER_EXT:
		return l->ext;
	case LAYER_FRAG:
		return NEXT_FRAGMENT;
	case LAYER_AUTH:
		return NEXT_AUTH;
	case LAYER_TCP:
		return PROTO_TCP;
	case LAYER_UDP:
		return PROTO_UDP;
	case LAYER_SCTP:
		return PROTO_SCTP;
	case LAYER_ICMP:
		return PROTO_ICMP;
	case LAYER_ICMPV6:
		return PROTO_ICMPV6;
	default:
		return 59; /* no next header */
	}
}

/* layer_size - bytes of the layer on the wire. */
static inline __u32 layer_size(const struct layer *l)
{
	static const __u8 fixed[] = {
		[LAYER_ETH] = sizeof(struct wire_eth),
		[LAYER_VLAN] = sizeof(struct wire_vlan),
		[LAYER_IPV4] = sizeof(struct wire_ipv4),
		[LAYER_IPV6] = sizeof(struct wire_ipv6),
		[LAYER_EXT] = 8,
		[LAYER_FRAG] = 8,
		[LAYER_AUTH] = 8,
		[LAYER_TCP] = sizeof(struct wire_tcp),
		[LAYER_UDP] = sizeof(struct wire_udp),
		[LAYER_SCTP] = sizeof(struct wire_sctp),
		[LAYER_CHUNK] = sizeof(struct wire_sctp_chunk),
		[LAYER_ICMP] = sizeof(struct wire_icmp),
		[LAYER_ICMPV6] = sizeof(struct wire_icmp),
		[LAYER_DATA] = 0,
		[LAYER_PAD] = 0,
	};

	return l->keep ? l->keep : fixed[l->kind] + l->n;
}

static inline void write_ip(__u8 *at, const struct layer *l, const struct ends *ends, __u32 len)
{
	const struct layer *next = l + 1;

	if (l->kind == LAYER_IPV4) {
		struct wire_ipv4 ip = {
			.version_ihl = (__u8)((l->version ? l->version : 4) << 4 |
					      given_or(l->hdr, sizeof(ip) + l->n) / 4),
			.total_len = htons((__u16)given_or(l->len, len)),
			.frag = htons(l->frag),
			.ttl = 64,
			.proto = (__u8)given_or(l->next, layer_proto(next)),
		};

		memcpy(&ip.src, ends->v4[l->reversed], 4);
		memcpy(&ip.dst, ends->v4[!l->reversed], 4);
		memcpy(at, &ip, sizeof(ip));
	} else {
		struct wire_ipv6 ip = {
			.version_class_flow = htonl((l->version ? l->version : 6u) << 28),
			.payload_len = htons((__u16)given_or(l->len, len - (__u32)sizeof(ip))),
			.next = (__u8)given_or(l->next, layer_proto(next)),
			.hops = 64,
		};

		memcpy(ip.src, ends->v6[l->reversed], 16);
		memcpy(ip.dst, ends->v6[!l->reversed], 16);
		memcpy(at, &ip, sizeof(ip));
	}
}

static inline void write_l4(__u8 *at, const struct layer *l, const struct ends *ends, __u32 len)
{
	__be16 src = htons(ends->port[l->reversed]), dst = htons(ends->port[!l->reversed]);
	union {
		struct wire_tcp tcp;
		struct wire_udp udp;
		struct wire_sctp sctp;
		struct wire_sctp_chunk chunk;
		struct wire_icmp icmp;
	} h;

	memset(&h, 0, sizeof(h));
	switch (l->kind) {
	case LAYER_TCP:
		h.tcp = (struct wire_tcp){
			.src = src,
			.dst = dst,
			.seq = htonl(l->seq),
			.ack = htonl(l->ack),
			.doff = (__u8)(given_or(l->hdr, sizeof(h.tcp) + l->n) / 4 << 4),
			.flags = l->flags,
		};
		break;
	case LAYER_UDP:
		h.udp = (struct wire_udp){ src, dst, htons((__u16)given_or(l->len, len)), 0 };
		break;
	case LAYER_SCTP:
		h.sctp = (struct wire_sctp){ .src = src, .dst = dst };
		break;
	case LAYER_CHUNK:
		h.chunk = (struct wire_sctp_chunk){
			.type = l->type,
			.len = htons((__u16)given_or(l->len, sizeof(h.chunk) + l->n)),
		};
		break;
	default: /* the identifier is the asker's port */
		h.icmp = (struct wire_icmp){ .type = l->type,
					     .code = l->code,
					     .id = htons(ends->port[0]) };
	}
	len = layer_size(l);
	memcpy(at, &h, len < sizeof(h) ? len : sizeof(h));
}

/* write_layer - writes one layer; len is from its first byte to the end of the IP packet. */
static inline void write_layer(__u8 *at, const struct layer *l, const struct ends *ends, __u32 len)
{
	const struct layer *next = l + 1;
	__u16 type = (__u16)given_or(l->next, layer_ether_type(next));
	__u8 proto = (__u8)given_or(l->next, layer_proto(next));

	memset(at, l->fill, layer_size(l));
	switch (l->kind) {
	case LAYER_ETH:
		at[0] = 2; /* locally administered; not multicast */
		at[12] = (__u8)(type >> 8);
		at[13] = (__u8)type;
		break;
	case LAYER_VLAN:
		at[2] = (__u8)(type >> 8);
		at[3] = (__u8)type;
		break;
	case LAYER_IPV4:
	case LAYER_IPV6:
		write_ip(at, l, ends, len);
		break;
	case LAYER_EXT:
	case LAYER_FRAG:
	case LAYER_AUTH:
		at[0] = proto;
		at[1] = (__u8)given_or(l->len, l->kind == LAYER_AUTH ? l->n / 4 : l->n / 8);
		if (l->kind == LAYER_FRAG) {
			at[2] = (__u8)(l->frag >> 8);
			at[3] = (__u8)l->frag;
		}
		break;
	case LAYER_DATA:
	case LAYER_PAD:
		break;
	default:
		write_l4(at, l, ends, len);
	}
}

/* frame_build - writes the frame that `layers` (ended by LAYER_END) describe. */
static inline void frame_build(struct frame *f, const struct layer *layers, const struct ends *ends)
{
	__u32 ip_end = 0, at = 0;

	for (const struct layer *l = layers; l->kind; l++)
		if (l->kind != LAYER_PAD)
			ip_end += layer_size(l);
	for (const struct layer *l = layers; l->kind; l++) {
		write_layer(f->b + at, l, ends, ip_end - at);
		at += layer_size(l);
	}
	f->len = at;
}

#endif
