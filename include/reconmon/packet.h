/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What parse.h makes of the bytes of a frame, and what track.h reads: no pointers into the packet,
 * so everything after parsing is the same for IPv4 and IPv6, for XDP, tc and a capture file. */
#ifndef RECONMON_PACKET_H
#define RECONMON_PACKET_H

#include "platform.h"

/* An address as two words in memory order: network byte order throughout, IPv4 as ::ffff:a.b.c.d
 * (RFC 4291, 2.5.5.2), hence w[0] == 0 for it. */
struct ip_addr {
	__u64 w[2];
};

static __always_inline int addr_same(const struct ip_addr *a, const struct ip_addr *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]));
}

#define IP_ADDR_V4_PREFIX 0xffff0000ull /* the low half of w[1]: bytes 8 to 11 are 0, 0, ff, ff */

enum packet_kind {
	PACKET_PLAIN = 0,    /* what the sender itself wrote */
	PACKET_UNREACH_PORT, /* ICMP: port (of PROTO_ANY: protocol) unreachable; the other fields
			      * are the quoted packet's */
	PACKET_UNREACH_HOST, /* ICMP: any other unreachable; likewise */
};

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

/* Every protocol speaks to track.h in TCP's flags: SYN asks, ACK answers or goes on, RST and FIN
 * end. Of SCTP these are the chunks (RFC 9260, 3.2) that open and close an association. */
enum {
	SCTP_INIT = TCP_SYN,
	SCTP_INIT_ACK = TCP_SYN | TCP_ACK,
	SCTP_COOKIE = TCP_SYN | TCP_PSH,
	SCTP_COOKIE_ACK = TCP_SYN | TCP_ACK | TCP_PSH,
	SCTP_ABORT = TCP_RST,
	SCTP_SHUTDOWN = TCP_FIN | TCP_ACK,
	SCTP_OTHER = TCP_ACK,
};

/* Protocols we follow; IANA's numbers. */
enum {
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMPV6 = 58,
	PROTO_NO_NEXT = 59, /* IPv6: nothing follows, and nothing is meant to */
	PROTO_SCTP = 132,
	PROTO_ANY = 255, /* reserved by IANA; here: an empty packet of a protocol that is not among
			  * these (nmap -sO), whose number stands in dst_port */
};

struct packet {
	struct ip_addr src, dst;
	__be16 src_port, dst_port; /* network byte order; ICMP: identifier and 0 */
	__u32 seq, ack;		   /* TCP, host byte order; ack means nothing without TCP_ACK */
	__u32 payload_len; /* bytes above the TCP or UDP header: 0 to 65,515, more with BIG TCP;
			    * taken from the IP header, never from the frame. SCTP: not 0 if there
			    * is a DATA chunk */
	__u8 proto;	   /* PROTO_* */
	__u8 tcp_flags;	   /* FIN to CWR, RFC 9293, 3.1; of other protocols: see SCTP_INIT */
	__u8 kind;	   /* enum packet_kind */
	__u8 headless;	   /* 1: TCP first fragment of 8 to 19 bytes: ports and sequence number
			    * are there, flags and acknowledgement are not (nmap -f) */
};

#endif
