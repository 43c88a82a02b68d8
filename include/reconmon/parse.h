/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Bytes to struct packet: Ethernet, up to two VLAN tags, IPv4, IPv6 with a bounded walk over
 * extension headers, TCP, UDP, SCTP, ICMP echoes without data, empty packets of other protocols,
 * and the packet that an ICMP unreachable quotes.
 *
 * One function a header; each checks its bounds before it reads and either advances the cursor or
 * returns a negative enum stat that names what is wrong (and is the counter of it). Nothing is
 * validated that a middlebox may change or offload leaves unset: no checksums. */
#ifndef RECONMON_PARSE_H
#define RECONMON_PARSE_H

#include "packet.h"
#include "stats.h"

/* Headers as they are on the wire; each lies without gaps when aligned naturally. Frames start
 * anywhere, so the host reads them packed. For BPF that would be a load a byte, four times the cost
 * of parsing IPv6; its verifier lets packets be read unaligned on machines that can (x86, arm64).
 */
#ifdef __bpf__
#define WIRE
#else
#define WIRE __attribute__((packed))
#endif

struct wire_eth { /* IEEE 802.3, 3.1.1 */
	__u8 dst[6], src[6];
	__be16 type;
} WIRE;

struct wire_vlan { /* IEEE 802.1Q, 9.6 */
	__be16 tci;
	__be16 type;
} WIRE;

struct wire_ipv4 { /* RFC 791, 3.1 */
	__u8 version_ihl;
	__u8 tos;
	__be16 total_len;
	__be16 id;
	__be16 frag; /* 3 bits of flags, 13 bits of offset in units of 8 bytes */
	__u8 ttl;
	__u8 proto;
	__be16 check;
	__be32 src, dst;
} WIRE;

struct wire_ipv6 { /* RFC 8200, 3 */
	__be32 version_class_flow;
	__be16 payload_len;
	__u8 next;
	__u8 hops;
	__u64 src[2], dst[2];
} WIRE;

struct wire_ipv6_ext { /* RFC 8200, 4.3, 4.4, 4.6; the fragment header (4.5) fits the same 8 bytes
			*/
	__u8 next;
	__u8 len; /* in units of 8 bytes, not counting the first 8; AH (RFC 4302): units of 4 */
	__be16 frag;
	__be32 id;
} WIRE;

struct wire_tcp { /* RFC 9293, 3.1 */
	__be16 src, dst;
	__be32 seq;
	__be32 ack;
	__u8 doff; /* upper 4 bits, in units of 4 bytes */
	__u8 flags;
	__be16 window, check, urgent;
} WIRE;

struct wire_udp { /* RFC 768 */
	__be16 src, dst;
	__be16 len;
	__be16 check;
} WIRE;

struct wire_sctp { /* RFC 9260, 3.1 */
	__be16 src, dst;
	__be32 tag;
	__be32 check;
} WIRE;

struct wire_sctp_chunk { /* RFC 9260, 3.2 */
	__u8 type;
	__u8 flags;
	__be16 len; /* with this header, without the padding to a multiple of 4 */
} WIRE;

struct wire_icmp { /* RFC 792 and RFC 4443: the same for echoes and for errors that quote */
	__u8 type;
	__u8 code;
	__be16 check;
	__be16 id; /* echo and the like; unused in errors */
	__be16 seq;
} WIRE;

_Static_assert(sizeof(struct wire_eth) == 14 && sizeof(struct wire_vlan) == 4 &&
		       sizeof(struct wire_ipv4) == 20 && sizeof(struct wire_ipv6) == 40 &&
		       sizeof(struct wire_ipv6_ext) == 8 && sizeof(struct wire_tcp) == 20 &&
		       sizeof(struct wire_udp) == 8 && sizeof(struct wire_sctp) == 12 &&
		       sizeof(struct wire_sctp_chunk) == 4 && sizeof(struct wire_icmp) == 8,
	       "no gaps");

enum {
	ETH_TYPE_IPV4 = 0x0800,
	ETH_TYPE_VLAN = 0x8100,
	ETH_TYPE_IPV6 = 0x86dd,
	ETH_TYPE_QINQ = 0x88a8,

	PARSE_VLANS_MAX = 2, /* QinQ; a third tag is counted and passed */
	PARSE_EXTS_MAX = 6,  /* RFC 8200, 4.1 orders seven kinds; no known stack sends six */

	IPV4_FRAG_OFFSET = 0x1fff,
	IPV4_FRAG_MORE = 0x2000,
	IPV6_FRAG_OFFSET = 0xfff8,
	IPV6_FRAG_MORE = 0x0001,

	NEXT_HOPOPTS = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTH = 51,
	NEXT_DSTOPTS = 60,

	ICMP4_UNREACH = 3,
	ICMP4_UNREACH_PROTO = 2,
	ICMP4_UNREACH_PORT = 3,
	ICMP4_UNREACH_FRAG_NEEDED = 4, /* path MTU discovery: says nothing about the port */
	ICMP6_UNREACH = 1,
	ICMP6_UNREACH_PORT = 4,
	ICMP6_PARAM_PROBLEM = 4, /* RFC 4443, 3.4 */
	ICMP6_PARAM_NEXT_HEADER = 1,

	/* Questions that nmap -sn asks (-PE, -PP, -PM) and their answers; RFC 792, 950, 4443. */
	ICMP4_ECHO_REPLY = 0,
	ICMP4_ECHO = 8,
	ICMP4_TIMESTAMP = 13,
	ICMP4_TIMESTAMP_REPLY = 14,
	ICMP4_MASK = 17,
	ICMP4_MASK_REPLY = 18,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP_TIMESTAMP_LEN = 20, /* with the header: three times of 4 bytes */
	ICMP_MASK_LEN = 12,

	PARSE_CHUNKS_MAX = 4, /* SCTP: looked through for DATA; a COOKIE ECHO comes before it */
};

/* SCTP chunk types that matter (RFC 9260, 3.2; RFC 8260 for I-DATA). */
enum {
	CHUNK_DATA = 0,
	CHUNK_INIT = 1,
	CHUNK_INIT_ACK = 2,
	CHUNK_ABORT = 6,
	CHUNK_SHUTDOWN = 7,
	CHUNK_SHUTDOWN_ACK = 8,
	CHUNK_COOKIE_ECHO = 10,
	CHUNK_COOKIE_ACK = 11,
	CHUNK_SHUTDOWN_COMPLETE = 14,
	CHUNK_I_DATA = 64,
};

struct cursor {
	const void *pos, *end; /* the bytes at hand: [pos, end) */
	__u32 wire_left; /* bytes of the frame from pos on: more than end - pos where the rest is
			  * in skb frags, XDP frags or beyond a capture's snap length. A count of
			  * its own, because subtracting packet pointers takes CAP_PERFMON. */
};

/* What stands between the headers of the internet layer and the transport layer. */
struct l4_info {
	__u32 len;     /* bytes from the transport header on, by the IP header */
	__u8 proto;    /* IANA protocol number */
	__u8 fragment; /* 1: a first fragment of several */
};

/* cursor_skip - steps over a header of len bytes that has been read. */
static __always_inline void cursor_skip(struct cursor *cur, __u32 len)
{
	cur->pos = (const char *)cur->pos + len;
	cur->wire_left -= len;
}

/* is_ported - does the protocol begin with two ports, or ICMP's identifier? */
static __always_inline int is_ported(__u8 proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP ||
	       proto == PROTO_ICMP || proto == PROTO_ICMPV6;
}

static __always_inline struct ip_addr ip_addr_from_v4(__be32 addr)
{
	return (struct ip_addr){ .w = { 0, (__u64)addr << 32 | IP_ADDR_V4_PREFIX } };
}

/* parse_eth - steps over the Ethernet header and at most two VLAN tags in the frame (a tag in the
 * skb's metadata is not in the frame). Returns the EtherType in host byte order, or a negative
 * enum stat. */
static __always_inline int parse_eth(struct cursor *cur)
{
	const struct wire_eth *eth = cur->pos;
	__u16 type;

	if ((const void *)(eth + 1) > cur->end)
		return -STAT_PARSE_ETH_TRUNCATED;
	cursor_skip(cur, sizeof(*eth));
	type = bpf_ntohs(eth->type);

#pragma GCC unroll 2
	for (int i = 0; i < PARSE_VLANS_MAX; i++) {
		const struct wire_vlan *vlan = cur->pos;

		if (type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ)
			return type;
		if ((const void *)(vlan + 1) > cur->end)
			return -STAT_PARSE_VLAN_TRUNCATED;
		cursor_skip(cur, sizeof(*vlan));
		type = bpf_ntohs(vlan->type);
	}
	if (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ)
		return -STAT_PARSE_VLAN_DEPTH;
	return type;
}

/* parse_ipv4 - reads the header and its options.
 *
 * Total length 0 is not an error: a GSO packet above 65,535 bytes has it (BIG TCP, Linux 6.3,
 * commit b1a78b9b9886), and then the frame's own length counts, as in the kernel's
 * iph_totlen(). Returns 0 with pkt's addresses and *l4 set, or a negative enum stat. */
static __always_inline int parse_ipv4(struct cursor *cur, struct packet *pkt, struct l4_info *l4)
{
	const struct wire_ipv4 *ip = cur->pos;
	__u32 hdr_len, total_len, frag;

	if ((const void *)(ip + 1) > cur->end)
		return -STAT_PARSE_IPV4_TRUNCATED;
	if (ip->version_ihl >> 4 != 4)
		return -STAT_PARSE_IPV4_VERSION;
	hdr_len = (ip->version_ihl & 0xf) * 4u;
	if (hdr_len < sizeof(*ip))
		return -STAT_PARSE_IPV4_IHL;
	total_len = bpf_ntohs(ip->total_len);
	if (!total_len)
		total_len = cur->wire_left;
	if (total_len < hdr_len || total_len > cur->wire_left)
		return -STAT_PARSE_IPV4_LENGTH;

	pkt->src = ip_addr_from_v4(ip->src);
	pkt->dst = ip_addr_from_v4(ip->dst);
	l4->proto = ip->proto;
	l4->len = total_len - hdr_len;
	frag = bpf_ntohs(ip->frag);
	if (frag & IPV4_FRAG_OFFSET)
		return -STAT_PARSE_FRAGMENT_LATER;
	l4->fragment = !!(frag & IPV4_FRAG_MORE);
	cursor_skip(cur, hdr_len);
	return 0;
}

/* is_equal - 1 or 0 without a branch: each branch in a loop doubles what the verifier walks. Both
 * are below 2^63. */
static __always_inline __u32 is_equal(__u64 a, __u64 b)
{
	return (__u32)(((a ^ b) - 1) >> 63);
}

/* Next-header values that are extension headers, as a bit set; all are below 64. */
#define IPV6_EXT_SET                                                                               \
	(1ull << NEXT_HOPOPTS | 1ull << NEXT_ROUTING | 1ull << NEXT_FRAGMENT | 1ull << NEXT_AUTH | \
	 1ull << NEXT_DSTOPTS)

/* parse_ipv6_exts - walks at most PARSE_EXTS_MAX extension headers and stops at the first that is
 * none. A walk over unknown headers would march into payload and invent ports. Returns 0, or a
 * negative enum stat; *l4 has the transport protocol and its length. */
static __always_inline int parse_ipv6_exts(struct cursor *cur, struct l4_info *l4)
{
	for (int i = 0; i <= PARSE_EXTS_MAX; i++) {
		const struct wire_ipv6_ext *ext = cur->pos;
		__u32 is_auth, is_fragment, frag, len;

		if (l4->proto >= 64 || !(IPV6_EXT_SET >> l4->proto & 1))
			return 0;
		if (i == PARSE_EXTS_MAX)
			break;
		if ((const void *)(ext + 1) > cur->end)
			return -STAT_PARSE_IPV6_EXT_TRUNCATED;

		/* 8-byte units beyond the first 8; AH: 4-byte units beyond the first 8; the
		 * fragment header has no length, its byte is reserved. */
		is_auth = is_equal(l4->proto, NEXT_AUTH);
		is_fragment = is_equal(l4->proto, NEXT_FRAGMENT);
		OPAQUE(is_auth);
		OPAQUE(is_fragment);
		len = 8 + ((__u32)ext->len << (3 - (is_auth & 1))) * (1 - (is_fragment & 1));
		OPAQUE(len);
		len &= 0xfff;
		frag = bpf_ntohs(ext->frag) & (0 - is_fragment);
		if (frag & IPV6_FRAG_OFFSET)
			return -STAT_PARSE_FRAGMENT_LATER;
		l4->fragment |= (__u8)(frag & IPV6_FRAG_MORE);
		if (len > l4->len)
			return -STAT_PARSE_IPV6_EXT_TRUNCATED;
		l4->len -= len;
		l4->proto = ext->next;
		cursor_skip(cur, len);
	}
	return -STAT_PARSE_IPV6_EXT_DEPTH;
}

/* parse_ipv6 - reads the fixed header and the extension headers. Payload length 0 is a jumbogram
 * or a GSO packet (RFC 2675, which has a hop-by-hop header; BIG TCP, Linux 5.19), whose length is
 * the frame's, or an empty packet, which Ethernet may have padded. Returns 0 with pkt's addresses
 * and *l4 set, or a negative enum stat. */
static __always_inline int parse_ipv6(struct cursor *cur, struct packet *pkt, struct l4_info *l4)
{
	const struct wire_ipv6 *ip = cur->pos;

	if ((const void *)(ip + 1) > cur->end)
		return -STAT_PARSE_IPV6_TRUNCATED;
	if ((ip->version_class_flow & bpf_htonl(0xf0000000)) != bpf_htonl(0x60000000))
		return -STAT_PARSE_IPV6_VERSION;
	pkt->src.w[0] = ip->src[0];
	pkt->src.w[1] = ip->src[1];
	pkt->dst.w[0] = ip->dst[0];
	pkt->dst.w[1] = ip->dst[1];
	l4->proto = ip->next;
	l4->len = bpf_ntohs(ip->payload_len);
	l4->fragment = 0;
	cursor_skip(cur, sizeof(*ip));

	if (!l4->len && (l4->proto == NEXT_HOPOPTS || cur->wire_left > 0xffff))
		l4->len = cur->wire_left;
	if (l4->len > cur->wire_left)
		return -STAT_PARSE_IPV6_LENGTH;
	return parse_ipv6_exts(cur, l4);
}

/* parse_tcp - reads the header and measures the segment's payload.
 *
 * The length is the IP header's and never the frame's: Ethernet pads a 40-byte SYN to 46 bytes,
 * and six bytes of padding would turn every bare SYN into a payload.
 *
 * A first fragment of 8 to 19 bytes has ports and sequence number only; pkt->headless says so.
 * Returns 0, or a negative enum stat. */
static __always_inline int parse_tcp(struct cursor *cur, struct packet *pkt,
				     const struct l4_info *l4)
{
	const struct wire_tcp *tcp = cur->pos;
	__u32 hdr_len;

	if (l4->fragment && l4->len < sizeof(*tcp)) {
		if (l4->len < 8 || (const void *)((const char *)tcp + 8) > cur->end)
			return -STAT_PARSE_FRAGMENT_SHORT;
		pkt->src_port = tcp->src;
		pkt->dst_port = tcp->dst;
		pkt->seq = bpf_ntohl(tcp->seq);
		pkt->headless = 1;
		return 0;
	}
	if (l4->len < sizeof(*tcp) || (const void *)(tcp + 1) > cur->end)
		return -STAT_PARSE_TCP_TRUNCATED;
	hdr_len = (tcp->doff >> 4) * 4u;
	if (hdr_len < sizeof(*tcp) || (hdr_len > l4->len && !l4->fragment))
		return -STAT_PARSE_TCP_DOFF;

	pkt->src_port = tcp->src;
	pkt->dst_port = tcp->dst;
	pkt->seq = bpf_ntohl(tcp->seq);
	pkt->ack = bpf_ntohl(tcp->ack);
	pkt->tcp_flags = tcp->flags;
	pkt->payload_len = hdr_len < l4->len ? l4->len - hdr_len : 0;
	return 0;
}

/* parse_udp - reads the header. The UDP length must fit the IP packet (a first fragment holds less
 * than it says); 0 is a GSO or jumbo datagram, whose length is the IP packet's. Returns 0, or a
 * negative enum stat. */
static __always_inline int parse_udp(struct cursor *cur, struct packet *pkt,
				     const struct l4_info *l4)
{
	const struct wire_udp *udp = cur->pos;
	__u32 len;

	if (l4->len < sizeof(*udp) || (const void *)(udp + 1) > cur->end)
		return -STAT_PARSE_UDP_TRUNCATED;
	len = bpf_ntohs(udp->len);
	if (!len)
		len = l4->len;
	if (len < sizeof(*udp) || (len > l4->len && !l4->fragment))
		return -STAT_PARSE_UDP_LENGTH;
	pkt->src_port = udp->src;
	pkt->dst_port = udp->dst;
	pkt->payload_len = len - (__u32)sizeof(*udp);
	return 0;
}

static __always_inline __u8 sctp_flags_of(__u8 chunk)
{
	switch (chunk) {
	case CHUNK_INIT:
		return SCTP_INIT;
	case CHUNK_INIT_ACK:
		return SCTP_INIT_ACK;
	case CHUNK_COOKIE_ECHO:
		return SCTP_COOKIE;
	case CHUNK_COOKIE_ACK:
		return SCTP_COOKIE_ACK;
	case CHUNK_ABORT:
		return SCTP_ABORT;
	case CHUNK_SHUTDOWN:
	case CHUNK_SHUTDOWN_ACK:
	case CHUNK_SHUTDOWN_COMPLETE:
		return SCTP_SHUTDOWN;
	default:
		return SCTP_OTHER;
	}
}

/* parse_sctp - reads the header, says what the first chunk is, and whether DATA is among the first
 * few. A packet that ends within its chunks is taken as far as it goes. Returns 0, or a negative
 * enum stat. */
static __always_inline int parse_sctp(struct cursor *cur, struct packet *pkt,
				      const struct l4_info *l4)
{
	const struct wire_sctp *sctp = cur->pos;

	if (l4->len < sizeof(*sctp) || (const void *)(sctp + 1) > cur->end)
		return -STAT_PARSE_SCTP_TRUNCATED;
	pkt->src_port = sctp->src;
	pkt->dst_port = sctp->dst;
	pkt->tcp_flags = SCTP_OTHER;
	cursor_skip(cur, sizeof(*sctp));
	for (int i = 0; i < PARSE_CHUNKS_MAX; i++) {
		const struct wire_sctp_chunk *chunk = cur->pos;
		__u32 len;

		if ((const void *)(chunk + 1) > cur->end)
			return i ? 0 : -STAT_PARSE_SCTP_TRUNCATED;
		if (!i)
			pkt->tcp_flags = sctp_flags_of(chunk->type);
		if (chunk->type == CHUNK_DATA || chunk->type == CHUNK_I_DATA) {
			pkt->payload_len = bpf_ntohs(chunk->len);
			return 0;
		}
		len = (bpf_ntohs(chunk->len) + 3u) & 0xffcu; /* longer ones than 4 KiB hold all */
		OPAQUE(len);
		len &= 0xffc;
		if (len < sizeof(*chunk))
			return 0;
		cursor_skip(cur, len);
	}
	return 0;
}

/* parse_quote_l4 - ports and, for TCP, the sequence number of a quoted packet; an ICMP error holds
 * at least its first 8 transport bytes (RFC 792; RFC 4443, 2.4 as much as fits). Of an empty packet
 * it holds none. */
static __always_inline int parse_quote_l4(struct cursor *cur, struct packet *pkt, __u8 proto)
{
	const struct wire_tcp *l4 = cur->pos;

	pkt->proto = proto;
	if (proto == PROTO_ICMP || proto == PROTO_ICMPV6) {
		const struct wire_icmp *icmp = cur->pos;

		if ((const void *)(icmp + 1) > cur->end)
			return -STAT_PARSE_ICMP_QUOTE;
		pkt->src_port = icmp->id;
		return 0;
	}
	if (proto != PROTO_TCP && proto != PROTO_UDP && proto != PROTO_SCTP) {
		pkt->proto = PROTO_ANY;
		pkt->dst_port = bpf_htons(proto);
		return 0;
	}
	if ((const void *)((const char *)l4 + 8) > cur->end)
		return -STAT_PARSE_ICMP_QUOTE;
	pkt->src_port = l4->src;
	pkt->dst_port = l4->dst;
	pkt->seq = bpf_ntohl(l4->seq); /* UDP, SCTP: unused */
	return 0;
}

/* parse_unreach4 - takes an unreachable error apart: pkt becomes the packet that it quotes,
 * pkt->kind the verdict. `icmp` has been stepped over. Returns 0, or a negative enum stat. */
static __always_inline int parse_unreach4(struct cursor *cur, struct packet *pkt,
					  const struct wire_icmp *icmp, __u32 len)
{
	const struct wire_ipv4 *ip = cur->pos;
	__u32 hdr_len;
	__u8 code = icmp->code;

	if (code == ICMP4_UNREACH_FRAG_NEEDED)
		return -STAT_PARSE_ICMP_OTHER;
	if ((const void *)(ip + 1) > cur->end)
		return -STAT_PARSE_ICMP_QUOTE;
	hdr_len = (ip->version_ihl & 0xf) * 4u;
	if (hdr_len < sizeof(*ip) || ip->frag & bpf_htons(IPV4_FRAG_OFFSET))
		return -STAT_PARSE_ICMP_QUOTE;
	if (len < sizeof(*icmp) + hdr_len) /* the rest is padding */
		return -STAT_PARSE_ICMP_QUOTE;
	pkt->src = ip_addr_from_v4(ip->src);
	pkt->dst = ip_addr_from_v4(ip->dst);
	cursor_skip(cur, hdr_len);
	pkt->kind = code == ICMP4_UNREACH_PORT || code == ICMP4_UNREACH_PROTO ? PACKET_UNREACH_PORT
									      : PACKET_UNREACH_HOST;
	if (len < sizeof(*icmp) + hdr_len + 8 && is_ported(ip->proto))
		return -STAT_PARSE_ICMP_QUOTE;
	return parse_quote_l4(cur, pkt, ip->proto);
}

/* parse_unreach6 - likewise. Quoted extension headers are not walked: what stacks send bare is
 * quoted bare. */
static __always_inline int parse_unreach6(struct cursor *cur, struct packet *pkt,
					  const struct wire_icmp *icmp, __u32 len)
{
	const struct wire_ipv6 *ip = cur->pos;

	if (len < sizeof(*icmp) + sizeof(*ip) || (const void *)(ip + 1) > cur->end)
		return -STAT_PARSE_ICMP_QUOTE;
	pkt->kind = PACKET_UNREACH_HOST;
	if (icmp->type == ICMP6_PARAM_PROBLEM) {
		if (icmp->code != ICMP6_PARAM_NEXT_HEADER)
			return -STAT_PARSE_ICMP_OTHER;
		pkt->kind = PACKET_UNREACH_PORT;
	} else if (icmp->code == ICMP6_UNREACH_PORT) {
		pkt->kind = PACKET_UNREACH_PORT;
	}
	pkt->src.w[0] = ip->src[0];
	pkt->src.w[1] = ip->src[1];
	pkt->dst.w[0] = ip->dst[0];
	pkt->dst.w[1] = ip->dst[1];
	cursor_skip(cur, sizeof(*ip));
	if (len < sizeof(*icmp) + sizeof(*ip) + 8 && is_ported(ip->next))
		return -STAT_PARSE_ICMP_QUOTE;
	if (ip->next < 64 && IPV6_EXT_SET >> ip->next & 1)
		return -STAT_PARSE_ICMP_QUOTE;
	return parse_quote_l4(cur, pkt, ip->next);
}

/* icmp_asks - 1: a question that carries no data of the asker's (`ping` sends 56 bytes, nmap none),
 * -1: an answer to one, 0: neither. len is the message's. */
static __always_inline int icmp_asks(__u8 proto, __u8 type, __u32 len)
{
	if (proto == PROTO_ICMPV6) {
		if (len != sizeof(struct wire_icmp))
			return 0;
		return type == ICMP6_ECHO ? 1 : type == ICMP6_ECHO_REPLY ? -1 : 0;
	}
	switch (len) {
	case sizeof(struct wire_icmp):
		return type == ICMP4_ECHO ? 1 : type == ICMP4_ECHO_REPLY ? -1 : 0;
	case ICMP_TIMESTAMP_LEN:
		return type == ICMP4_TIMESTAMP ? 1 : type == ICMP4_TIMESTAMP_REPLY ? -1 : 0;
	case ICMP_MASK_LEN:
		return type == ICMP4_MASK ? 1 : type == ICMP4_MASK_REPLY ? -1 : 0;
	default:
		return 0;
	}
}

/* parse_icmp - an unreachable error, or an empty question or its answer: then the identifier stands
 * for the asker's port and 0 for the other. Returns 0, or a negative enum stat; other ICMP is none
 * of our business. */
static __always_inline int parse_icmp(struct cursor *cur, struct packet *pkt,
				      const struct l4_info *l4)
{
	const struct wire_icmp *icmp = cur->pos;
	int asks;

	if (l4->len < sizeof(*icmp) || (const void *)(icmp + 1) > cur->end)
		return -STAT_PARSE_ICMP_TRUNCATED;
	cursor_skip(cur, sizeof(*icmp));
	if (l4->proto == PROTO_ICMP && icmp->type == ICMP4_UNREACH)
		return parse_unreach4(cur, pkt, icmp, l4->len);
	if (l4->proto == PROTO_ICMPV6 &&
	    (icmp->type == ICMP6_UNREACH || icmp->type == ICMP6_PARAM_PROBLEM))
		return parse_unreach6(cur, pkt, icmp, l4->len);
	asks = icmp_asks(l4->proto, icmp->type, l4->len);
	if (!asks)
		return -STAT_PARSE_ICMP_OTHER;
	if (asks > 0) {
		pkt->seq = icmp->type; /* for conn_row.c */
		pkt->src_port = icmp->id;
		pkt->tcp_flags = TCP_SYN;
	} else {
		pkt->dst_port = icmp->id;
		pkt->tcp_flags = TCP_ACK;
	}
	return 0;
}

/* parse_any - an empty packet of a protocol that we do not follow. With anything in it, it is
 * somebody's tunnel or routing protocol, and not looked at. */
static __always_inline int parse_any(struct packet *pkt, const struct l4_info *l4)
{
	if (l4->len || l4->fragment || l4->proto == PROTO_NO_NEXT)
		return -STAT_PARSE_PROTO_OTHER;
	pkt->proto = PROTO_ANY;
	pkt->dst_port = bpf_htons(l4->proto);
	pkt->tcp_flags = TCP_SYN;
	return 0;
}

static __always_inline int parse_l4(struct cursor *cur, struct packet *pkt,
				    const struct l4_info *l4)
{
	pkt->proto = l4->proto;
	switch (l4->proto) {
	case PROTO_TCP:
		return parse_tcp(cur, pkt, l4);
	case PROTO_UDP:
		return parse_udp(cur, pkt, l4);
	case PROTO_SCTP:
		return parse_sctp(cur, pkt, l4);
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return parse_icmp(cur, pkt, l4);
	default:
		return parse_any(pkt, l4);
	}
}

/* parse_ip - reads a packet from its internet header on; `type` is the EtherType (host order).
 * Returns 0 with *pkt filled, or a negative enum stat with *pkt undefined. */
static __always_inline int parse_ip(struct cursor *cur, int type, struct packet *pkt)
{
	struct l4_info l4;
	int r;

	if (type == ETH_TYPE_IPV4)
		r = parse_ipv4(cur, pkt, &l4);
	else if (type == ETH_TYPE_IPV6)
		r = parse_ipv6(cur, pkt, &l4);
	else
		return -STAT_PARSE_NOT_IP;
	if (r < 0)
		return r;
	return parse_l4(cur, pkt, &l4);
}

/* parse_thorough - reads any frame. `cur` covers the bytes at hand and knows the frame's full
 * length; `ethernet` is 0 on devices whose packets begin with the IP header (tun, WireGuard, ipip:
 * the version nibble then tells the family). *pkt is written whole. Returns 0, or a negative enum
 * stat that the caller counts. */
static __always_inline int parse_thorough(struct cursor *cur, int ethernet, struct packet *pkt)
{
	int type;

	__builtin_memset(pkt, 0, sizeof(*pkt));
	if (ethernet) {
		type = parse_eth(cur);
	} else {
		const __u8 *first = cur->pos;

		if ((const void *)(first + 1) > cur->end)
			return -STAT_PARSE_IPV4_TRUNCATED;
		type = *first >> 4 == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4;
	}
	if (type < 0)
		return type;
	return parse_ip(cur, type, pkt);
}

/* Where the headers of a plain TCP segment are: what nearly all packets of a host are. What the
 * path of such a packet asks for is read from there, in its order, and the rest is not read at all.
 */
struct quick {
	const void *ip; /* struct wire_ipv4 or wire_ipv6, by its version */
	const struct wire_tcp *tcp;
};

enum quick_family {
	QUICK_NOT = 0,
	QUICK_IPV4,
	QUICK_IPV6,
};

/* What parse_quick() goes by for the frame's length. */
enum quick_extent {
	QUICK_AT_HAND, /* the bytes at hand: nobody has asked for more */
	QUICK_WIRE,    /* cursor.wire_left */
};

/* Words that hold several fields, as they are in memory. */
#define WORD_TYPE_IPV4	  0x00450008u /* EtherType; version 4, five words of header; TOS: any */
#define WORD_TYPE_IPV4_OF 0x00ffffffu
#define WORD_TYPE_IPV6	  0x0060dd86u /* EtherType; version 6; class and flow: any */
#define WORD_TYPE_IPV6_OF 0x00f0ffffu
#define WORD_FRAG_TCP	  0x06000000u /* no fragment; TTL: any; TCP */
#define WORD_FRAG_TCP_OF  0xff00ff3fu

/* word_at - 32 bits at an offset that nothing aligns. */
static __always_inline __u32 word_at(const void *p)
{
	struct word {
		__u32 w;
	} WIRE;

	return ((const struct word *)p)->w;
}

static __always_inline int quick_is_v6(const struct quick *q)
{
	return *(const __u8 *)q->ip >> 4 == 6;
}

/* quick_tcp - is the TCP header whole, within the `len` bytes that the packet has from `before`
 * bytes ahead of it? */
static __always_inline int quick_tcp(const struct wire_tcp *tcp, __u32 before, __u32 len)
{
	__u32 hdr_len = tcp->doff >> 2 & 0x3c;

	return hdr_len >= sizeof(*tcp) && hdr_len + before <= len;
}

/* quick_fits - are there `len` bytes from pos on, which is `at` bytes behind cur->pos? */
static __always_inline int quick_fits(const struct cursor *cur, enum quick_extent extent,
				      const void *pos, __u32 at, __u32 len)
{
	if (extent == QUICK_WIRE)
		return len <= cur->wire_left - at;
	OPAQUE(len); /* the verifier of 6.1 does not know how much 16 bits are at most, swapped */
	len &= 0xffff;
	return (const void *)((const char *)pos + len) <= cur->end;
}

static __always_inline int quick_ipv4(const struct cursor *cur, enum quick_extent extent, __u32 at,
				      struct quick *q)
{
	const struct wire_ipv4 *ip = (const void *)((const char *)cur->pos + at);
	__u32 len = bpf_ntohs(ip->total_len);

	if ((word_at(&ip->frag) & WORD_FRAG_TCP_OF) != WORD_FRAG_TCP)
		return 0;
	if (!quick_fits(cur, extent, ip, at, len))
		return 0;
	q->ip = ip;
	q->tcp = (const void *)(ip + 1);
	return quick_tcp(q->tcp, sizeof(*ip), len);
}

static __always_inline int quick_ipv6(const struct cursor *cur, enum quick_extent extent, __u32 at,
				      struct quick *q)
{
	const struct wire_ipv6 *ip = (const void *)((const char *)cur->pos + at);
	__u32 len;

	q->tcp = (const void *)(ip + 1);
	if ((const void *)(q->tcp + 1) > cur->end || ip->next != PROTO_TCP)
		return 0;
	len = bpf_ntohs(ip->payload_len);
	if (!quick_fits(cur, extent, ip + 1, at + (__u32)sizeof(*ip), len))
		return 0;
	if (!ip->src[0] || !ip->dst[0])
		return 0; /* ::1, or IPv4 in IPv6's clothes, which has another hash */
	q->ip = ip;
	return quick_tcp(q->tcp, 0, len);
}

/* parse_quick - is the frame a TCP segment behind an IPv4 or IPv6 header without options, fragments
 * or tags, and well-formed? Then parse_thorough() would say so too. Returns QUICK_IPV4 or
 * QUICK_IPV6 with *ret, or 0: it may be anything. */
static __always_inline enum quick_family
parse_quick(const struct cursor *cur, enum quick_extent extent, int ethernet, struct quick *ret)
{
	const __u32 at = ethernet ? sizeof(struct wire_eth) : 0;
	const char *ip = (const char *)cur->pos + at;
	__u32 first;

	if ((const void *)(ip + sizeof(struct wire_ipv4) + sizeof(struct wire_tcp)) > cur->end)
		return QUICK_NOT;
	if (ethernet)
		first = word_at(ip - 2);
	else
		first = (__u32) * (const __u8 *)ip << 16 |
			(*(const __u8 *)ip >> 4 == 6 ? WORD_TYPE_IPV6 & 0xffff
						     : WORD_TYPE_IPV4 & 0xffff);
	if ((first & WORD_TYPE_IPV4_OF) == WORD_TYPE_IPV4)
		return quick_ipv4(cur, extent, at, ret) ? QUICK_IPV4 : QUICK_NOT;
	if ((first & WORD_TYPE_IPV6_OF) == WORD_TYPE_IPV6)
		return quick_ipv6(cur, extent, at, ret) ? QUICK_IPV6 : QUICK_NOT;
	return QUICK_NOT;
}

/* quick_payload - as packet.payload_len. */
static __always_inline __u32 quick_payload(const struct quick *q)
{
	const struct wire_ipv4 *ip4 = q->ip;
	const struct wire_ipv6 *ip6 = q->ip;
	__u32 len = quick_is_v6(q) ? bpf_ntohs(ip6->payload_len)
				   : bpf_ntohs(ip4->total_len) - (__u32)sizeof(*ip4);

	return len - (q->tcp->doff >> 2 & 0x3cu);
}

/* quick_packet - what parse_thorough() makes of the frame that *q is of. */
static __always_inline void quick_packet(const struct quick *q, struct packet *pkt)
{
	const struct wire_ipv4 *ip4 = q->ip;
	const struct wire_ipv6 *ip6 = q->ip;

	__builtin_memset(pkt, 0, sizeof(*pkt));
	if (quick_is_v6(q)) {
		pkt->src.w[0] = ip6->src[0];
		pkt->src.w[1] = ip6->src[1];
		pkt->dst.w[0] = ip6->dst[0];
		pkt->dst.w[1] = ip6->dst[1];
	} else {
		pkt->src = ip_addr_from_v4(ip4->src);
		pkt->dst = ip_addr_from_v4(ip4->dst);
	}
	pkt->src_port = q->tcp->src;
	pkt->dst_port = q->tcp->dst;
	pkt->seq = bpf_ntohl(q->tcp->seq);
	pkt->ack = bpf_ntohl(q->tcp->ack);
	pkt->payload_len = quick_payload(q);
	pkt->proto = PROTO_TCP;
	pkt->tcp_flags = q->tcp->flags;
}

/* parse_packet - parse_thorough(), by the short way where that leads to the same. */
static __always_inline int parse_packet(struct cursor *cur, int ethernet, struct packet *pkt)
{
	struct quick q;

	if (!parse_quick(cur, QUICK_WIRE, ethernet, &q))
		return parse_thorough(cur, ethernet, pkt);
	quick_packet(&q, pkt);
	return 0;
}

#endif
