/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packets and what must come of them: single frames for the parser, and conversations for the
 * state machine. One table each, run on the host (tests/unit/) and in the kernel (tests/bpf/), so
 * that the two must agree row by row. */
#ifndef RECONMON_TESTS_PACKETS_H
#define RECONMON_TESTS_PACKETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frame.h"

#include <reconmon/tag.h>

/* --- frames ------------------------------------------------------------------------------------
 */

struct frame_case {
	const char *name;
	struct layer layers[LAYERS_MAX];
	enum stat want; /* the parse_* that it ends in; 0: it is read, as follows */
	__u8 proto, flags, kind, headless;
	__u32 payload_len;
	__u8 is_v6;	 /* the addresses that must come out */
	__u8 l3;	 /* 1: from a device without Ethernet header */
	__u8 open_ended; /* 1: its length fields are 0, so that a shorter frame is as good */
	__u8 partial;	 /* 1: a capture that cut it cannot tell whether there is payload */
	__u32 wire_len;	 /* the frame's true length, where `layers` make only its beginning */
};

#define SYN6	    .proto = PROTO_TCP, .flags = TCP_SYN, .is_v6 = 1
#define SYN4	    .proto = PROTO_TCP, .flags = TCP_SYN
#define TCP_SYN_HDR TCP(.flags = TCP_SYN, .seq = 0x01020304, .ack = 0x05060708)

static const struct frame_case frame_cases[] = {
	/* Ethernet and VLAN tags. */
	{ "TCP over IPv4", { ETH(), IPV4(), TCP_SYN_HDR }, SYN4 },
	{ "TCP over IPv6", { ETH(), IPV6(), TCP_SYN_HDR }, SYN6 },
	{ "one VLAN tag", { ETH(), VLAN(), IPV4(), TCP_SYN_HDR }, SYN4 },
	{ "two VLAN tags", { ETH(), VLAN(), VLAN(), IPV6(), TCP_SYN_HDR }, SYN6 },
	{ "QinQ", { ETH(.next = GIVEN(0x88a8)), VLAN(), VLAN(), IPV4(), TCP_SYN_HDR }, SYN4 },
	{ "three VLAN tags",
	  { ETH(), VLAN(), VLAN(), VLAN(), IPV4(), TCP_SYN_HDR },
	  .want = STAT_PARSE_VLAN_DEPTH },
	{ "ARP", { ETH(.next = GIVEN(0x0806)), DATA(28) }, .want = STAT_PARSE_NOT_IP },
	{ "an 802.3 length instead of a type",
	  { ETH(.next = GIVEN(46)), DATA(46) },
	  .want = STAT_PARSE_NOT_IP },
	{ "MPLS",
	  { ETH(.next = GIVEN(0x8847)), DATA(4), IPV4(), TCP_SYN_HDR },
	  .want = STAT_PARSE_NOT_IP },
	{ "frame ends within a VLAN tag",
	  { ETH(.next = GIVEN(0x8100)), DATA(3) },
	  .want = STAT_PARSE_VLAN_TRUNCATED },

	/* Devices without Ethernet. */
	{ "IPv4 from a tunnel", { IPV4(), TCP_SYN_HDR }, SYN4, .l3 = 1 },
	{ "IPv6 from a tunnel", { IPV6(), TCP_SYN_HDR }, SYN6, .l3 = 1 },
	{ "version 0 from a tunnel",
	  { { .kind = LAYER_DATA, .n = 40, .fill = 1 } },
	  .want = STAT_PARSE_IPV4_VERSION,
	  .l3 = 1 },

	/* IPv4. */
	{ "IPv4 with 4 bytes of options", { ETH(), IPV4(.n = 4, .fill = 1), TCP_SYN_HDR }, SYN4 },
	{ "IPv4 with 40 bytes of options", { ETH(), IPV4(.n = 40, .fill = 1), TCP_SYN_HDR }, SYN4 },
	{ "options that run beyond the frame",
	  { ETH(), IPV4(.hdr = GIVEN(60), .len = GIVEN(60)), DATA(8) },
	  .want = STAT_PARSE_IPV4_LENGTH },
	{ "IPv4 header length 16",
	  { ETH(), IPV4(.hdr = GIVEN(16)), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV4_IHL },
	{ "IPv4 header length 0",
	  { ETH(), IPV4(.hdr = GIVEN(0)), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV4_IHL },
	{ "version 6 under IPv4's EtherType",
	  { ETH(), IPV4(.version = 6), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV4_VERSION },
	{ "total length below the header's",
	  { ETH(), IPV4(.len = GIVEN(19)), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV4_LENGTH },
	{ "total length one above the frame's",
	  { ETH(), IPV4(.len = GIVEN(41)), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV4_LENGTH },
	{ "total length that ends within TCP",
	  { ETH(), IPV4(.len = GIVEN(39)), TCP_SYN_HDR },
	  .want = STAT_PARSE_TCP_TRUNCATED },
	{ "a 40-byte SYN padded to 46 bytes has no payload",
	  { ETH(), IPV4(), TCP_SYN_HDR, PAD(6) },
	  SYN4 },
	{ "total length 0: the frame's counts (BIG TCP)",
	  { ETH(), IPV4(.len = GIVEN(0)), TCP(.flags = TCP_ACK), DATA(100) },
	  .proto = PROTO_TCP,
	  .flags = TCP_ACK,
	  .payload_len = 100,
	  .open_ended = 1 },
	{ "BIG TCP of 150,000 bytes, of which the headers are at hand",
	  { ETH(), IPV4(.len = GIVEN(0)), TCP(.flags = TCP_ACK) },
	  .proto = PROTO_TCP,
	  .flags = TCP_ACK,
	  .payload_len = 150000 - 54,
	  .open_ended = 1,
	  .wire_len = 150000 },
	{ "GSO packet whose data is elsewhere",
	  { ETH(), IPV4(.len = GIVEN(65535)), TCP(.flags = TCP_ACK) },
	  .proto = PROTO_TCP,
	  .flags = TCP_ACK,
	  .payload_len = 65495,
	  .wire_len = 65549 },

	/* IPv6. */
	{ "version 4 under IPv6's EtherType",
	  { ETH(), IPV6(.version = 4), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV6_VERSION },
	{ "payload length one above the frame's",
	  { ETH(), IPV6(.len = GIVEN(21)), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV6_LENGTH },
	{ "payload length 0 is an empty packet, whatever Ethernet padded it with",
	  { ETH(), IPV6(.len = GIVEN(0)), PAD(26) },
	  .want = STAT_PARSE_PROTO_OTHER },
	{ "payload length 0 of a TCP segment that is not there",
	  { ETH(), IPV6(.len = GIVEN(0), .next = GIVEN(PROTO_TCP)), PAD(26) },
	  .want = STAT_PARSE_TCP_TRUNCATED },
	{ "BIG TCP without a hop-by-hop header",
	  { ETH(), IPV6(.len = GIVEN(0)), TCP(.flags = TCP_ACK) },
	  .proto = PROTO_TCP,
	  .flags = TCP_ACK,
	  .payload_len = 100000 - 74,
	  .is_v6 = 1,
	  .open_ended = 1,
	  .wire_len = 100000 },
	{ "jumbogram: payload length 0 and hop-by-hop options",
	  { ETH(), IPV6(.len = GIVEN(0)), EXT(.ext = NEXT_HOPOPTS), TCP(.flags = TCP_ACK) },
	  .proto = PROTO_TCP,
	  .flags = TCP_ACK,
	  .payload_len = 100000 - 82,
	  .is_v6 = 1,
	  .open_ended = 1,
	  .wire_len = 100000 },
	{ "IPv6 SYN with padding", { ETH(), IPV6(), TCP_SYN_HDR, PAD(6) }, SYN6 },
	{ "hop-by-hop options", { ETH(), IPV6(), EXT(.ext = NEXT_HOPOPTS), TCP_SYN_HDR }, SYN6 },
	{ "destination options of 16 bytes",
	  { ETH(), IPV6(), EXT(.ext = NEXT_DSTOPTS, .n = 8), TCP_SYN_HDR },
	  SYN6 },
	{ "routing header of 40 bytes",
	  { ETH(), IPV6(), EXT(.ext = NEXT_ROUTING, .n = 32), TCP_SYN_HDR },
	  SYN6 },
	{ "authentication header of 24 bytes, counted in words",
	  { ETH(), IPV6(), AUTH(.n = 16), TCP_SYN_HDR },
	  SYN6 },
	{ "authentication header of 12 bytes", { ETH(), IPV6(), AUTH(.n = 4), TCP_SYN_HDR }, SYN6 },
	{ "atomic fragment", { ETH(), IPV6(), FRAG(), TCP_SYN_HDR }, SYN6 },
	{ "atomic fragment whose reserved byte is set",
	  { ETH(), IPV6(), FRAG(.len = GIVEN(7)), TCP_SYN_HDR },
	  SYN6 },
	{ "six extension headers",
	  { ETH(), IPV6(), EXT(.ext = NEXT_HOPOPTS), EXT(.ext = NEXT_DSTOPTS),
	    EXT(.ext = NEXT_ROUTING), FRAG(), AUTH(.n = 4), EXT(.ext = NEXT_DSTOPTS), TCP_SYN_HDR },
	  SYN6 },
	{ "seven extension headers",
	  { ETH(), IPV6(), EXT(.ext = NEXT_HOPOPTS), EXT(.ext = NEXT_DSTOPTS),
	    EXT(.ext = NEXT_ROUTING), FRAG(), AUTH(.n = 4), EXT(.ext = NEXT_DSTOPTS),
	    EXT(.ext = NEXT_DSTOPTS), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV6_EXT_DEPTH },
	{ "extension header that runs beyond the packet",
	  { ETH(), IPV6(), EXT(.ext = NEXT_HOPOPTS, .len = GIVEN(255)), TCP_SYN_HDR },
	  .want = STAT_PARSE_IPV6_EXT_TRUNCATED },
	{ "extension header that is the packet's end",
	  { ETH(), IPV6(), EXT(.ext = NEXT_HOPOPTS) },
	  .want = STAT_PARSE_PROTO_OTHER },
	{ "extension header announced, none there",
	  { ETH(), IPV6(.next = GIVEN(NEXT_ROUTING)), PAD(6) },
	  .want = STAT_PARSE_IPV6_EXT_TRUNCATED },
	{ "no next header, though a TCP header follows",
	  { ETH(), IPV6(.next = GIVEN(59)), TCP_SYN_HDR },
	  .want = STAT_PARSE_PROTO_OTHER },
	{ "next header 47 whose payload looks like TCP",
	  { ETH(), IPV6(.next = GIVEN(47)), TCP_SYN_HDR },
	  .want = STAT_PARSE_PROTO_OTHER },
	{ "next header 50 (ESP) whose payload looks like TCP",
	  { ETH(), IPV6(.next = GIVEN(50)), TCP_SYN_HDR },
	  .want = STAT_PARSE_PROTO_OTHER },
	{ "next header 132 whose payload looks like TCP is SCTP",
	  { ETH(), IPV6(.next = GIVEN(PROTO_SCTP)), TCP_SYN_HDR },
	  .proto = PROTO_SCTP,
	  .flags = SCTP_OTHER,
	  .is_v6 = 1 },
	{ "next header 108, the set's last bits and 64 more",
	  { ETH(), IPV6(.next = GIVEN(64 + NEXT_FRAGMENT)), TCP_SYN_HDR },
	  .want = STAT_PARSE_PROTO_OTHER },

	/* Fragments. */
	{ "IPv4 fragment that is not the first",
	  { ETH(), IPV4(.frag = 1), TCP_SYN_HDR },
	  .want = STAT_PARSE_FRAGMENT_LATER },
	{ "IPv4 fragment at the greatest offset",
	  { ETH(), IPV4(.frag = 0x1fff), TCP_SYN_HDR },
	  .want = STAT_PARSE_FRAGMENT_LATER },
	{ "don't fragment is no fragment", { ETH(), IPV4(.frag = 0x4000), TCP_SYN_HDR }, SYN4 },
	{ "IPv6 fragment that is not the first",
	  { ETH(), IPV6(), FRAG(.frag = 8), TCP_SYN_HDR },
	  .want = STAT_PARSE_FRAGMENT_LATER },
	{ "IPv6 fragment, more to come, not the first",
	  { ETH(), IPV6(), FRAG(.frag = 0xfff9), TCP_SYN_HDR },
	  .want = STAT_PARSE_FRAGMENT_LATER },
	{ "first fragment with the whole TCP header",
	  { ETH(), IPV4(.frag = 0x2000), TCP_SYN_HDR, DATA(4) },
	  SYN4,
	  .payload_len = 4 },
	{ "first fragment that ends within TCP's options",
	  { ETH(), IPV4(.frag = 0x2000), TCP(.flags = TCP_SYN, .hdr = GIVEN(40)) },
	  SYN4 },
	{ "first fragment of 7 bytes",
	  { ETH(), IPV4(.frag = 0x2000), TCP(.keep = 7) },
	  .want = STAT_PARSE_FRAGMENT_SHORT },
	{ "first fragment of 7 bytes, padded",
	  { ETH(), IPV4(.frag = 0x2000), TCP(.keep = 7), PAD(19) },
	  .want = STAT_PARSE_FRAGMENT_SHORT },
	{ "first fragment of 8 bytes",
	  { ETH(), IPV4(.frag = 0x2000), TCP(.keep = 8) },
	  .proto = PROTO_TCP,
	  .headless = 1 },
	{ "first fragment of 16 bytes says nothing of its flags",
	  { ETH(), IPV4(.frag = 0x2000), TCP(.flags = TCP_SYN, .keep = 16) },
	  .proto = PROTO_TCP,
	  .headless = 1 },
	{ "first fragment of 19 bytes",
	  { ETH(), IPV4(.frag = 0x2000), TCP(.flags = TCP_SYN, .keep = 19) },
	  .proto = PROTO_TCP,
	  .headless = 1 },
	{ "first IPv6 fragment of 8 bytes",
	  { ETH(), IPV6(), FRAG(.frag = 1), TCP(.keep = 8) },
	  .proto = PROTO_TCP,
	  .headless = 1,
	  .is_v6 = 1 },
	{ "first fragment of 8 bytes, padded",
	  { ETH(), IPV4(.frag = 0x2000), TCP(.keep = 8), PAD(18) },
	  .proto = PROTO_TCP,
	  .headless = 1 },
	{ "first fragment of a UDP datagram",
	  { ETH(), IPV4(.frag = 0x2000), UDP(.len = GIVEN(3000)), DATA(16) },
	  .proto = PROTO_UDP,
	  .payload_len = 2992 },

	/* TCP. */
	{ "TCP with 40 bytes of options", { ETH(), IPV4(), TCP(.flags = TCP_SYN, .n = 40) }, SYN4 },
	{ "TCP with payload",
	  { ETH(), IPV4(), TCP(.flags = TCP_ACK | TCP_PSH, .n = 12), DATA(1448) },
	  .proto = PROTO_TCP,
	  .flags = TCP_ACK | TCP_PSH,
	  .payload_len = 1448 },
	{ "one byte of payload",
	  { ETH(), IPV6(), TCP(.flags = TCP_ACK), DATA(1), PAD(5) },
	  .proto = PROTO_TCP,
	  .flags = TCP_ACK,
	  .payload_len = 1,
	  .is_v6 = 1 },
	{ "all eight TCP flags",
	  { ETH(), IPV4(), TCP(.flags = 0xff) },
	  .proto = PROTO_TCP,
	  .flags = 0xff },
	{ "data offset 16", { ETH(), IPV4(), TCP(.hdr = GIVEN(16)) }, .want = STAT_PARSE_TCP_DOFF },
	{ "data offset 0", { ETH(), IPV4(), TCP(.hdr = GIVEN(0)) }, .want = STAT_PARSE_TCP_DOFF },
	{ "data offset beyond the packet",
	  { ETH(), IPV4(), TCP(.hdr = GIVEN(60)), DATA(39) },
	  .want = STAT_PARSE_TCP_DOFF },

	/* UDP. */
	{ "empty datagram", { ETH(), IPV4(), UDP(), PAD(18) }, .proto = PROTO_UDP },
	{ "datagram",
	  { ETH(), IPV6(), UDP(), DATA(33) },
	  .proto = PROTO_UDP,
	  .payload_len = 33,
	  .is_v6 = 1 },
	{ "UDP length 0: the packet's counts",
	  { ETH(), IPV4(), UDP(.len = GIVEN(0)), DATA(33) },
	  .proto = PROTO_UDP,
	  .payload_len = 33 },
	{ "UDP length below its header's",
	  { ETH(), IPV4(), UDP(.len = GIVEN(7)), DATA(33) },
	  .want = STAT_PARSE_UDP_LENGTH },
	{ "UDP length one above the packet's",
	  { ETH(), IPV4(), UDP(.len = GIVEN(42)), DATA(33) },
	  .want = STAT_PARSE_UDP_LENGTH },
	{ "UDP length below the packet's: the rest is not payload",
	  { ETH(), IPV4(), UDP(.len = GIVEN(9)), DATA(33) },
	  .proto = PROTO_UDP,
	  .payload_len = 1 },
	{ "packet ends within UDP",
	  { ETH(), IPV4(), UDP(.keep = 7), PAD(10) },
	  .want = STAT_PARSE_UDP_TRUNCATED },

	/* SCTP, and what has no ports. */
	{ "SCTP INIT",
	  { ETH(), IPV4(), SCTP(), CHUNK(.type = CHUNK_INIT, .n = 16) },
	  .proto = PROTO_SCTP,
	  .flags = SCTP_INIT },
	{ "SCTP ABORT over IPv6",
	  { ETH(), IPV6(), SCTP(), CHUNK(.type = CHUNK_ABORT) },
	  .proto = PROTO_SCTP,
	  .flags = SCTP_ABORT,
	  .is_v6 = 1 },
	{ "SCTP DATA",
	  { ETH(), IPV4(), SCTP(), CHUNK(.type = CHUNK_DATA, .n = 16) },
	  .proto = PROTO_SCTP,
	  .flags = SCTP_OTHER,
	  .payload_len = 20 },
	{ "SCTP COOKIE ECHO of an odd length, with DATA after its padding",
	  { ETH(), IPV4(), SCTP(), CHUNK(.type = CHUNK_COOKIE_ECHO, .n = 5), DATA(3),
	    CHUNK(.type = CHUNK_DATA, .n = 12) },
	  .proto = PROTO_SCTP,
	  .flags = SCTP_COOKIE,
	  .payload_len = 16,
	  .partial = 1 },
	{ "SCTP chunk without a length: what follows is not looked at",
	  { ETH(), IPV4(), SCTP(), CHUNK(.type = CHUNK_INIT, .len = GIVEN(0)),
	    CHUNK(.type = CHUNK_DATA, .n = 12) },
	  .proto = PROTO_SCTP,
	  .flags = SCTP_INIT },
	{ "SCTP chunk that runs beyond the packet",
	  { ETH(), IPV4(), SCTP(), CHUNK(.type = CHUNK_INIT, .len = GIVEN(3000)) },
	  .proto = PROTO_SCTP,
	  .flags = SCTP_INIT },
	{ "SCTP without a chunk", { ETH(), IPV4(), SCTP() }, .want = STAT_PARSE_SCTP_TRUNCATED },
	{ "packet ends within SCTP",
	  { ETH(), IPV4(), SCTP(.keep = 11) },
	  .want = STAT_PARSE_SCTP_TRUNCATED },
	{ "GRE", { ETH(), IPV4(.next = GIVEN(47)), DATA(40) }, .want = STAT_PARSE_PROTO_OTHER },
	{ "one byte of GRE",
	  { ETH(), IPV4(.next = GIVEN(47)), DATA(1) },
	  .want = STAT_PARSE_PROTO_OTHER },
	{ "a fragment of GRE, cut to nothing",
	  { ETH(), IPV4(.next = GIVEN(47), .frag = 0x2000) },
	  .want = STAT_PARSE_PROTO_OTHER },

	/* ICMP: addresses and ports are the quoted packet's. */
	{ "ICMP port unreachable, 8 bytes of UDP quoted",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 3), IPV4(), UDP() },
	  .proto = PROTO_UDP,
	  .kind = PACKET_UNREACH_PORT },
	{ "ICMP port unreachable, 8 bytes of TCP quoted",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 3), IPV4(), TCP(.keep = 8) },
	  .proto = PROTO_TCP,
	  .kind = PACKET_UNREACH_PORT },
	{ "ICMP port unreachable, quote with IPv4 options",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 3), IPV4(.n = 40), TCP(.keep = 8) },
	  .proto = PROTO_TCP,
	  .kind = PACKET_UNREACH_PORT },
	{ "ICMP host unreachable",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 1), IPV4(), TCP(.flags = TCP_SYN) },
	  .proto = PROTO_TCP,
	  .kind = PACKET_UNREACH_HOST },
	{ "ICMP administratively prohibited",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 13), IPV4(), UDP(), DATA(9) },
	  .proto = PROTO_UDP,
	  .kind = PACKET_UNREACH_HOST },
	{ "ICMP fragmentation needed",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 4), IPV4(), TCP(.keep = 8) },
	  .want = STAT_PARSE_ICMP_OTHER },
	{ "echo request",
	  { ETH(), IPV4(), ICMP(.type = 8), DATA(56) },
	  .want = STAT_PARSE_ICMP_OTHER },
	{ "time exceeded",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 11), IPV4(), TCP(.keep = 8) },
	  .want = STAT_PARSE_ICMP_OTHER },
	{ "packet ends within ICMP",
	  { ETH(), IPV4(), ICMP(.keep = 7), PAD(10) },
	  .want = STAT_PARSE_ICMP_TRUNCATED },
	{ "ICMP unreachable that quotes nothing",
	  { ETH(), IPV4(), ICMP(.type = 3, .code = 3) },
	  .want = STAT_PARSE_ICMP_QUOTE },
	{ "ICMP unreachable whose quote is cut before the ports' end",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 3), IPV4(), TCP(.keep = 7) },
	  .want = STAT_PARSE_ICMP_QUOTE },
	{ "ICMP unreachable whose quote stands in the padding",
	  { ETH(), IPV4(.reversed = 1, .len = GIVEN(28)), ICMP(.type = 3, .code = 3), IPV4(),
	    UDP() },
	  .want = STAT_PARSE_ICMP_QUOTE },
	{ "ICMP unreachable that quotes a later fragment",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 3), IPV4(.frag = 5), UDP() },
	  .want = STAT_PARSE_ICMP_QUOTE },
	{ "ICMP unreachable that quotes a header length of 16",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 3), IPV4(.hdr = GIVEN(16)), UDP() },
	  .want = STAT_PARSE_ICMP_QUOTE },
	{ "ICMP unreachable that quotes half an echo",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 1), IPV4(),
	    ICMP(.type = 8, .keep = 7) },
	  .want = STAT_PARSE_ICMP_QUOTE },
	{ "ICMP unreachable that quotes SCTP",
	  { ETH(), IPV4(.reversed = 1), ICMP(.type = 3, .code = 2), IPV4(), SCTP() },
	  .proto = PROTO_SCTP,
	  .kind = PACKET_UNREACH_PORT },
	{ "ICMPv6 port unreachable",
	  { ETH(), IPV6(.reversed = 1), ICMPV6(.type = 1, .code = 4), IPV6(), UDP(), DATA(5) },
	  .proto = PROTO_UDP,
	  .kind = PACKET_UNREACH_PORT,
	  .is_v6 = 1 },
	{ "ICMPv6 address unreachable",
	  { ETH(), IPV6(.reversed = 1), ICMPV6(.type = 1, .code = 3), IPV6(), TCP(.keep = 8) },
	  .proto = PROTO_TCP,
	  .kind = PACKET_UNREACH_HOST,
	  .is_v6 = 1 },
	{ "ICMPv6 packet too big",
	  { ETH(), IPV6(.reversed = 1), ICMPV6(.type = 2), IPV6(), TCP(.keep = 8) },
	  .want = STAT_PARSE_ICMP_OTHER },
	{ "ICMPv6 neighbour solicitation",
	  { ETH(), IPV6(), ICMPV6(.type = 135), DATA(24) },
	  .want = STAT_PARSE_ICMP_OTHER },
	{ "ICMPv6 unreachable whose quote is cut",
	  { ETH(), IPV6(.reversed = 1), ICMPV6(.type = 1, .code = 4), IPV6(), UDP(.keep = 7) },
	  .want = STAT_PARSE_ICMP_QUOTE },
	{ "ICMPv6 unreachable that quotes an extension header",
	  { ETH(), IPV6(.reversed = 1), ICMPV6(.type = 1, .code = 4), IPV6(),
	    EXT(.ext = NEXT_DSTOPTS), UDP() },
	  .want = STAT_PARSE_ICMP_QUOTE },
	{ "ICMPv6 parameter problem other than the next header's",
	  { ETH(), IPV6(.reversed = 1), ICMPV6(.type = 4, .code = 0), IPV6(), UDP() },
	  .want = STAT_PARSE_ICMP_OTHER },
	{ "ICMPv6 unreachable whose quote stands in the padding",
	  { ETH(), IPV6(.reversed = 1, .len = GIVEN(8)), ICMPV6(.type = 1, .code = 4), IPV6(),
	    UDP() },
	  .want = STAT_PARSE_ICMP_QUOTE },
};

/* --- conversations -----------------------------------------------------------------------------
 */

enum step_kind {
	STEP_END = 0,
	STEP_TCP,
	STEP_HEADLESS, /* a first fragment of 8 bytes */
	STEP_UDP,
	STEP_SCTP,
	STEP_UNREACH_PORT, /* ICMP that quotes a packet of `from`'s, and is sent by the other side
			    */
	STEP_UNREACH_HOST,
	STEP_ECHO, /* an empty echo, or the reply to one */
	STEP_ANY,  /* an empty packet of protocol 47 */
};

#define ANY_PROTO 47

enum side {
	ORIG = 0,
	RESP = 1
};

/* One packet. Sequence numbers are relative: seq to the sender's initial number, ack to the other
 * side's; so a SYN has 0, the first byte 1, and the answer to a SYN acknowledges 1. */
struct step {
	__u8 kind, from, flags;
	__s32 seq, ack;
	__u32 len; /* payload bytes */
};

/* clang-format off */
#define O(flag, seq_, ack_, len_) { STEP_TCP, ORIG, flag, seq_, ack_, len_ }
#define R(flag, seq_, ack_, len_) { STEP_TCP, RESP, flag, seq_, ack_, len_ }
#define UO(len_)	   { STEP_UDP, ORIG, .len = (len_) }
#define UR(len_)	   { STEP_UDP, RESP, .len = (len_) }
#define PORT_UNREACH(seq_) { STEP_UNREACH_PORT, ORIG, .seq = (seq_) }
#define HOST_UNREACH(seq_) { STEP_UNREACH_HOST, ORIG, .seq = (seq_) }
#define UNREACH_OF_ANSWER  { STEP_UNREACH_HOST, .from = RESP }
#define HEADLESS(seq_)	   { STEP_HEADLESS, ORIG, .seq = (seq_) }
#define SO(chunk_)	   { STEP_SCTP, ORIG, .flags = chunk_ }
#define SR(chunk_)	   { STEP_SCTP, RESP, .flags = chunk_ }
#define EO		   { STEP_ECHO, .from = ORIG }
#define ER		   { STEP_ECHO, .from = RESP }
#define AO		   { STEP_ANY, .from = ORIG }
#define XMAS		   (TCP_FIN | TCP_PSH | TCP_URG)
#define SA (TCP_SYN | TCP_ACK)
#define RA (TCP_RST | TCP_ACK)
#define FA (TCP_FIN | TCP_ACK)
#define PA (TCP_PSH | TCP_ACK)
/* The three steps of a handshake. */
#define OPENED	  O(TCP_SYN, 0, 0, 0)
#define ACCEPTED  R(SA, 0, 1, 0)
#define CONFIRMED O(TCP_ACK, 1, 1, 0)
/* clang-format on */

#define SCENE_STEPS 10

struct scene {
	const char *name;
	struct step steps[SCENE_STEPS];
	__u32 judged[2]; /* CONTACT_* of each judgement, in order; 0 ends */
	__u8 left;	 /* what a sweep leaves in the nursery: enum attempt_state, 0 if nothing */
	__u8 attempts;	 /* counters */
	__u8 renewed, orphans, invalid;
	__u8 refused, late;	    /* orphans_refused, orphans_late */
	__u8 udp;		    /* 1: quoted packets are UDP */
	__u8 twice;		    /* 1: each packet is seen twice, as on lo */
	__u8 literal;		    /* 1: exempt_transfers is off, as under --profile splunk */
	__u16 orig_port, resp_port; /* 0: those of test_ends */
};

#define LIVE	     STATE_LIVE
#define CLOSING	     (LIVE | STATE_DECIDED | STATE_REPORTED | STATE_AGAIN) /* silent to its FIN */
#define CLOSING_FULL (CLOSING | STATE_ANSWERED | STATE_ESTAB)
#define TOLD	     (STATE_DECIDED | STATE_REPORTED) /* carried payload, and the daemon has read that */
#define OPEN_HALF    (CONTACT_OPEN | CONTACT_SPAN | CONTACT_SYN)
#define OPEN_FULL    (CONTACT_OPEN | CONTACT_SPAN | CONTACT_CONNECT)
#define REFUSED	     (CONTACT_CLOSED | CONTACT_SPAN)

static const struct scene scenes[] = {
	/* Silent. */
	{ "a SYN alone waits", { OPENED }, .attempts = 1, .left = LIVE },
	{ "SYN, RST: closed", { OPENED, R(RA, 0, 1, 0) }, { REFUSED }, .attempts = 1 },
	{ "SYN, RST without ACK: closed",
	  { OPENED, R(TCP_RST, 0, 0, 0) },
	  { REFUSED },
	  .attempts = 1 },
	{ "SYN, SYN-ACK waits",
	  { OPENED, ACCEPTED },
	  .attempts = 1,
	  .left = LIVE | STATE_ANSWERED | STATE_AGAIN },
	{ "SYN, SYN-ACK, RST: half open",
	  { OPENED, ACCEPTED, O(TCP_RST, 1, 0, 0) },
	  { OPEN_HALF },
	  .attempts = 1 },
	{ "SYN-ACK repeated, then RST: half open",
	  { OPENED, ACCEPTED, ACCEPTED, O(TCP_RST, 1, 0, 0) },
	  { OPEN_HALF },
	  .attempts = 1 },
	{ "half open, reset by the responder",
	  { OPENED, ACCEPTED, R(TCP_RST, 1, 0, 0) },
	  { OPEN_HALF },
	  .attempts = 1 },
	{ "the handshake done, it waits",
	  { OPENED, ACCEPTED, CONFIRMED },
	  .attempts = 1,
	  .left = LIVE | STATE_ANSWERED | STATE_ESTAB | STATE_AGAIN },
	{ "connect and FIN: judged, and seen closing",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "connect, FIN, FIN: what comes late is not lost",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0), R(FA, 1, 2, 0), O(TCP_ACK, 2, 2, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "connect, FIN, RST from either side: gone",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  { OPEN_FULL },
	  .attempts = 1 },
	{ "FIN repeated, and what the responder still sends, change nothing",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0), O(FA, 1, 1, 0), R(PA, 1, 2, 70),
	    O(TCP_RST, 2, 0, 0) },
	  { OPEN_FULL },
	  .attempts = 1 },
	{ "after a silent FIN the ports are used again",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0), O(TCP_SYN, 5000, 0, 0) },
	  { OPEN_FULL },
	  .attempts = 2,
	  .renewed = 1,
	  .left = LIVE },
	{ "connect and RST",
	  { OPENED, ACCEPTED, CONFIRMED, O(RA, 1, 1, 0) },
	  { OPEN_FULL },
	  .attempts = 1 },
	{ "connect, reset by the responder",
	  { OPENED, ACCEPTED, CONFIRMED, R(RA, 1, 1, 0) },
	  { OPEN_FULL },
	  .attempts = 1 },
	{ "the responder closes first; the originator's FIN decides",
	  { OPENED, ACCEPTED, CONFIRMED, R(FA, 1, 1, 0), O(FA, 1, 2, 0), R(TCP_ACK, 2, 2, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "the server speaks first, the originator leaves",
	  { OPENED, ACCEPTED, CONFIRMED, R(PA, 1, 1, 50), O(TCP_ACK, 1, 51, 0), O(FA, 1, 51, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "SYN and FIN before any answer: a silent end",
	  { OPENED, O(TCP_FIN, 1, 0, 0) },
	  { CONTACT_NONE | CONTACT_SPAN },
	  .attempts = 1,
	  .left = CLOSING },
	{ "SYN and FIN, then refused: news",
	  { OPENED, O(TCP_FIN, 1, 0, 0), R(RA, 0, 2, 0) },
	  { CONTACT_NONE | CONTACT_SPAN, REFUSED },
	  .attempts = 1 },
	{ "a keepalive of one old byte is no payload",
	  { OPENED, ACCEPTED, CONFIRMED, O(TCP_ACK, 0, 1, 1), R(TCP_ACK, 1, 1, 0), O(FA, 1, 1, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "a keepalive without a byte",
	  { OPENED, ACCEPTED, CONFIRMED, O(TCP_ACK, 0, 1, 0), O(FA, 1, 1, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "SYN with ECN's flags opens too",
	  { O(TCP_SYN | 0xc0, 0, 0, 0), R(RA, 0, 1, 0) },
	  { REFUSED },
	  .attempts = 1 },
	{ "SYN with PSH and URG opens too",
	  { O(TCP_SYN | TCP_PSH | TCP_URG, 0, 0, 0), R(RA, 0, 1, 0) },
	  { REFUSED },
	  .attempts = 1 },

	/* Repeated. */
	{ "SYN repeated", { OPENED, OPENED }, .attempts = 1, .left = LIVE | STATE_AGAIN },
	{ "SYN repeated, then refused",
	  { OPENED, OPENED, OPENED, R(RA, 0, 1, 0) },
	  { REFUSED },
	  .attempts = 1 },
	{ "SYN with a new initial number ends one attempt and opens another",
	  { OPENED, O(TCP_SYN, 100, 0, 0) },
	  { CONTACT_NONE },
	  .attempts = 2,
	  .renewed = 1,
	  .left = LIVE },
	{ "SYN with a new initial number, refused",
	  { OPENED, O(TCP_SYN, 100, 0, 0), R(RA, 0, 101, 0) },
	  { CONTACT_NONE, REFUSED },
	  .attempts = 2,
	  .renewed = 1 },
	{ "SYN with a new initial number after a handshake",
	  { OPENED, ACCEPTED, CONFIRMED, O(TCP_SYN, -100000, 0, 0) },
	  { OPEN_FULL },
	  .attempts = 2,
	  .renewed = 1,
	  .left = LIVE },
	{ "on lo: refused",
	  { OPENED, R(RA, 0, 1, 0) },
	  { REFUSED },
	  .attempts = 1,
	  .orphans = 1,
	  .twice = 1 },
	{ "on lo: half open",
	  { OPENED, ACCEPTED, O(TCP_RST, 1, 0, 0) },
	  { OPEN_HALF },
	  .attempts = 1,
	  .orphans = 1,
	  .late = 1,
	  .twice = 1 },
	{ "on lo: connect and FIN",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 0), R(FA, 1, 2, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL,
	  .twice = 1 },
	{ "on lo: payload",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), R(TCP_ACK, 1, 11, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1,
	  .twice = 1 },
	{ "on lo: a new initial number",
	  { OPENED, O(TCP_SYN, 100, 0, 0) },
	  { CONTACT_NONE | CONTACT_SPAN },
	  .attempts = 2,
	  .renewed = 1,
	  .left = LIVE | STATE_AGAIN,
	  .twice = 1 },
	{ "on lo: datagram and reply",
	  { UO(10), UR(10) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .left = LIVE | TOLD | STATE_ANSWERED | STATE_AGAIN,
	  .twice = 1 },

	/* Payload. */
	{ "payload",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "one byte, and the ACK before it is lost",
	  { OPENED, ACCEPTED, O(TCP_ACK, 1, 1, 1) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload unseen shows in a later sequence number",
	  { OPENED, ACCEPTED, CONFIRMED, O(TCP_ACK, 11, 1, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload unseen shows in the FIN's sequence number",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 11, 1, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload on the FIN",
	  { OPENED, ACCEPTED, CONFIRMED, O(FA, 1, 1, 3) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload unseen shows in what the responder acknowledges",
	  { OPENED, ACCEPTED, CONFIRMED, R(TCP_ACK, 1, 11, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload and SYN-ACK unseen show in what the responder acknowledges",
	  { OPENED, R(PA, 1, 11, 20) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "SYN-ACK unseen, the server speaks first",
	  { OPENED, R(PA, 1, 1, 20), O(TCP_ACK, 1, 21, 0), O(FA, 1, 21, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "a reset's sequence number proves nothing",
	  { OPENED, ACCEPTED, O(TCP_RST, 5000, 0, 0) },
	  { OPEN_HALF },
	  .attempts = 1 },

	/* After payload: the attempt is decided until the daemon has read that. */
	{ "payload, then both sides' FIN and a RST",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), R(FA, 1, 11, 0), O(FA, 11, 2, 0),
	    R(TCP_RST, 2, 0, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload, then the SYN once more",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), OPENED },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload, then 64 KiB from the responder",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), R(PA, 65537, 11, 1000) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload, then a fragment without flags",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), HEADLESS(11) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload, then host unreachable says nothing",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), HOST_UNREACH(0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "payload, then a SYN with a new initial number opens another",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), O(TCP_SYN, 100, 0, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 2,
	  .renewed = 1,
	  .left = LIVE },
	{ "payload, then a SYN with a new initial number, refused",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), O(TCP_SYN, 100, 0, 0), R(RA, 0, 101, 0) },
	  { CONTACT_PAYLOAD, REFUSED },
	  .attempts = 2,
	  .renewed = 1 },
	{ "payload in two attempts on the same ports",
	  { OPENED, ACCEPTED, CONFIRMED, O(PA, 1, 1, 10), O(TCP_SYN, 100, 0, 0), R(SA, 0, 101, 0),
	    O(PA, 101, 1, 10) },
	  { CONTACT_PAYLOAD, CONTACT_PAYLOAD },
	  .attempts = 2,
	  .renewed = 1 },

	/* Data on the SYN, and before the handshake. */
	{ "data on the SYN, not acknowledged, is none",
	  { O(TCP_SYN, 0, 0, 5), ACCEPTED, CONFIRMED, O(FA, 1, 1, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "data on the SYN, sent again after the handshake",
	  { O(TCP_SYN, 0, 0, 5), ACCEPTED, O(PA, 1, 1, 5) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "data on the SYN, acknowledged by the SYN-ACK (RFC 7413)",
	  { O(TCP_SYN, 0, 0, 5), R(SA, 0, 6, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "a RST that acknowledges data on the SYN: closed",
	  { O(TCP_SYN, 0, 0, 5), R(RA, 0, 6, 0) },
	  { REFUSED },
	  .attempts = 1 },
	{ "a RST that acknowledges the SYN without its data: closed",
	  { O(TCP_SYN, 0, 0, 5), R(RA, 0, 1, 0) },
	  { REFUSED },
	  .attempts = 1 },
	{ "a RST that acknowledges more than the SYN's data",
	  { O(TCP_SYN, 0, 0, 5), R(RA, 0, 7, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "a SYN-ACK that acknowledges more than the SYN's data",
	  { O(TCP_SYN, 0, 0, 5), R(SA, 0, 7, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "data without ACK before the handshake is none",
	  { OPENED, O(TCP_PSH, 1, 0, 10) },
	  .attempts = 1,
	  .left = LIVE },
	{ "data with a forged ACK before any answer is none",
	  { OPENED, O(PA, 1, 1, 10) },
	  .attempts = 1,
	  .left = LIVE },
	{ "data with the same forged ACK twice is none",
	  { OPENED, O(PA, 1, 1, 10), O(PA, 11, 1, 10) },
	  .attempts = 1,
	  .left = LIVE },
	{ "data with a forged ACK, then a RST: closed",
	  { OPENED, O(PA, 1, 1, 10), R(RA, 0, 1, 0) },
	  { REFUSED },
	  .attempts = 1 },
	{ "data with a forged ACK, then the SYN-ACK and RST: half open",
	  { OPENED, O(PA, 1, 777, 10), ACCEPTED, O(TCP_RST, 1, 0, 0) },
	  { OPEN_HALF },
	  .attempts = 1 },

	/* One direction unseen. */
	{ "only the originator's side: its ACKs move on, its data is payload",
	  { OPENED, CONFIRMED, O(PA, 1, 1, 10), O(PA, 11, 101, 10) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "only the originator's side: its ACKs move on, it stays silent",
	  { OPENED, CONFIRMED, O(TCP_ACK, 1, 101, 0), O(FA, 1, 101, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL },
	{ "only the originator's side: ACKs that go back prove nothing",
	  { OPENED, O(PA, 1, 101, 10), O(PA, 11, 1, 10) },
	  .attempts = 1,
	  .left = LIVE },

	/* Transfers. */
	{ "64 KiB from the responder are a transfer",
	  { OPENED, ACCEPTED, CONFIRMED, R(PA, 1, 1, 1000), R(PA, 64537, 1, 1000) },
	  { CONTACT_TRANSFER },
	  .attempts = 1 },
	{ "one byte less is none",
	  { OPENED, ACCEPTED, CONFIRMED, R(PA, 1, 1, 1000), R(PA, 64536, 1, 1000) },
	  .attempts = 1,
	  .left = LIVE | STATE_ANSWERED | STATE_ESTAB | STATE_AGAIN },
	{ "64 KiB acknowledged by the originator are a transfer",
	  { OPENED, ACCEPTED, CONFIRMED, O(TCP_ACK, 1, 65537, 0) },
	  { CONTACT_TRANSFER },
	  .attempts = 1 },
	{ "one byte less acknowledged is none",
	  { OPENED, ACCEPTED, CONFIRMED, O(TCP_ACK, 1, 65536, 0) },
	  .attempts = 1,
	  .left = LIVE | STATE_ANSWERED | STATE_ESTAB | STATE_AGAIN },
	{ "only the originator's side: 64 KiB acknowledged are a transfer",
	  { OPENED, CONFIRMED, O(TCP_ACK, 1, 65537, 0) },
	  { CONTACT_TRANSFER },
	  .attempts = 1 },
	{ "to the letter, 64 KiB from the responder are nothing",
	  { OPENED, ACCEPTED, CONFIRMED, R(PA, 64537, 1, 1000), O(TCP_ACK, 1, 65537, 0),
	    O(FA, 1, 65537, 0) },
	  { OPEN_FULL },
	  .attempts = 1,
	  .left = CLOSING_FULL,
	  .literal = 1 },

	/* Answers that do not fit. */
	{ "a RST that acknowledges too much",
	  { OPENED, R(RA, 0, 2, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "a RST that acknowledges too little",
	  { OPENED, R(RA, 0, 0, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "a SYN-ACK that acknowledges too little",
	  { OPENED, R(SA, 0, 0, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "a SYN-ACK that acknowledges what was not sent",
	  { OPENED, R(SA, 0, 2, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "a challenge ACK of an older connection",
	  { OPENED, R(TCP_ACK, 0, -5000000, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "an acknowledgement more than 1 MiB ahead",
	  { OPENED, R(TCP_ACK, 0, 1024 * 1024 + 2, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "an acknowledgement 1 MiB ahead",
	  { OPENED, R(TCP_ACK, 0, 1024 * 1024 + 1, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "a crossed SYN answers nothing",
	  { OPENED, R(TCP_SYN, 0, 0, 0) },
	  .attempts = 1,
	  .left = LIVE },
	{ "a SYN-ACK from the originator is nonsense",
	  { OPENED, O(SA, 0, 1, 0) },
	  .attempts = 1,
	  .left = LIVE },

	/* Orphans. */
	{ "an ACK of nothing", { O(TCP_ACK, 1, 1, 0) }, .attempts = 0 },
	{ "data of nothing", { O(PA, 1, 1, 100) }, .attempts = 0 },
	{ "a FIN-ACK of nothing", { O(FA, 1, 1, 0) }, .orphans = 1 },
	{ "a RST of nothing, to an ephemeral port",
	  { R(TCP_RST, 1, 0, 0), O(TCP_RST, 1, 0, 0) },
	  .orphans = 2,
	  .late = 2,
	  .resp_port = 40000 },
	{ "a RST with ACK of nothing answers nothing", { R(RA, 1, 1, 0) }, .orphans = 1 },
	{ "a SYN-ACK of nothing", { R(SA, 0, 1, 0) }, .orphans = 1 },
	{ "a FIN without ACK from a server to its client is late",
	  { O(TCP_FIN, 1, 0, 0) },
	  .orphans = 1,
	  .orig_port = 443,
	  .resp_port = 40000 },

	/* Flags that no stack sends. */
	{ "no flags at all wait", { O(0, 1, 0, 0) }, .attempts = 1, .left = LIVE },
	{ "no flags, refused",
	  { O(0, 1, 0, 0), R(RA, 0, 1, 0) },
	  { REFUSED | CONTACT_NULL },
	  .attempts = 1 },
	{ "no flags, port unreachable",
	  { O(0, 1, 0, 0), PORT_UNREACH(1) },
	  { CONTACT_CLOSED | CONTACT_NULL },
	  .attempts = 1 },
	{ "FIN alone, refused",
	  { O(TCP_FIN, 1, 0, 0), R(RA, 0, 2, 0) },
	  { REFUSED | CONTACT_FIN },
	  .attempts = 1 },
	{ "FIN, PSH, URG, refused",
	  { O(XMAS, 1, 0, 0), R(RA, 0, 2, 0) },
	  { REFUSED | CONTACT_XMAS },
	  .attempts = 1 },
	{ "FIN, PSH, URG, repeated",
	  { O(XMAS, 1, 0, 0), O(XMAS, 1, 0, 0) },
	  .attempts = 1,
	  .left = LIVE | STATE_AGAIN },
	{ "PSH and URG, refused",
	  { O(TCP_PSH | TCP_URG, 1, 0, 0), R(RA, 0, 1, 0) },
	  { REFUSED | CONTACT_FLAGS },
	  .attempts = 1 },
	{ "SYN and FIN together, accepted, reset",
	  { O(TCP_SYN | TCP_FIN, 0, 0, 0), ACCEPTED, O(TCP_RST, 1, 0, 0) },
	  { CONTACT_OPEN | CONTACT_SPAN | CONTACT_FLAGS },
	  .attempts = 1 },
	{ "SYN and RST together, refused",
	  { O(TCP_SYN | TCP_RST, 0, 0, 0), R(RA, 0, 1, 0) },
	  { REFUSED | CONTACT_FLAGS },
	  .attempts = 1 },
	{ "no flags but data: a probe all the same",
	  { O(0, 1, 0, 30), R(RA, 0, 31, 0) },
	  { REFUSED | CONTACT_NULL },
	  .attempts = 1 },
	{ "no flags, a RST that acknowledges too much",
	  { O(0, 1, 0, 0), R(RA, 0, 4, 0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "no flags within a connection mean nothing",
	  { OPENED, ACCEPTED, CONFIRMED, O(0, 1, 0, 0) },
	  .attempts = 1,
	  .left = LIVE | STATE_ANSWERED | STATE_ESTAB | STATE_AGAIN },

	/* Probes that only the RST gives away. */
	{ "an ACK of nothing, refused",
	  { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  { REFUSED | CONTACT_ACK },
	  .orphans = 1,
	  .refused = 1 },
	{ "a FIN-ACK of nothing, refused",
	  { O(FA, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  { REFUSED | CONTACT_MAIMON },
	  .orphans = 2,
	  .refused = 1 },
	{ "a SYN-ACK of nothing, refused",
	  { O(SA, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  { REFUSED | CONTACT_SYN_ACK },
	  .orphans = 2,
	  .refused = 1 },
	{ "a server's ACK to a client that has forgotten",
	  { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  .orphans = 1,
	  .late = 1,
	  .orig_port = 8080,
	  .resp_port = 40000 },
	{ "a server's ACK to a client behind an address translator",
	  { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  .orphans = 1,
	  .late = 1,
	  .orig_port = 443,
	  .resp_port = 1024 },
	{ "from one ephemeral port to another nothing can be told",
	  { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  .orphans = 1,
	  .late = 1,
	  .orig_port = 50000,
	  .resp_port = 32768 },
	{ "an ACK from an ephemeral port to the last port below",
	  { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  { REFUSED | CONTACT_ACK },
	  .orphans = 1,
	  .refused = 1,
	  .resp_port = 32767 },
	{ "data of nothing, refused: a connection that its server has forgotten",
	  { O(PA, 1, 1, 100), R(TCP_RST, 1, 0, 0) },
	  .orphans = 1,
	  .late = 1 },
	{ "an acknowledgement of data that went by, refused",
	  { R(PA, 1, 1, 100), O(TCP_ACK, 1, 101, 0), R(TCP_RST, 101, 0, 0) },
	  .orphans = 1,
	  .late = 1 },
	{ "a keepalive of one old byte, refused",
	  { O(TCP_ACK, 0, 1, 1), R(TCP_RST, 1, 0, 0) },
	  .orphans = 1,
	  .late = 1 },
	{ "a FIN-ACK after data, refused",
	  { O(PA, 1, 1, 100), O(FA, 101, 1, 0), R(TCP_RST, 1, 0, 0) },
	  .orphans = 2,
	  .late = 1 },
	{ "a FIN-ACK with data, refused",
	  { O(FA, 1, 1, 10), R(TCP_RST, 1, 0, 0) },
	  .orphans = 2,
	  .late = 1 },
	{ "an ACK and a RST of one side: the other has said nothing",
	  { R(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  .orphans = 1,
	  .late = 1 },
	{ "a SYN-ACK and a RST of one side",
	  { R(SA, 0, 1, 0), R(TCP_RST, 1, 0, 0) },
	  .orphans = 2,
	  .late = 1 },
	{ "a keepalive that was answered once, then refused",
	  { O(TCP_ACK, 0, 1, 0), R(TCP_ACK, 1, 1, 0), O(TCP_ACK, 0, 1, 0), R(TCP_RST, 1, 0, 0) },
	  .orphans = 1,
	  .late = 1 },
	{ "an ACK between equal ports, refused",
	  { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  { REFUSED | CONTACT_ACK },
	  .orphans = 1,
	  .refused = 1,
	  .orig_port = 123,
	  .resp_port = 123 },
	{ "a RST that answers nothing that was seen",
	  { R(TCP_RST, 1, 0, 0) },
	  .orphans = 1,
	  .late = 1 },
	{ "ACKs of nothing, refused twice",
	  { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0), O(TCP_ACK, 1, 1, 0) },
	  { REFUSED | CONTACT_ACK },
	  .orphans = 1,
	  .refused = 1 },
	{ "an ACK from port 53 to a well-known one",
	  { O(TCP_ACK, 1, 1, 0), R(TCP_RST, 1, 0, 0) },
	  { REFUSED | CONTACT_ACK },
	  .orphans = 1,
	  .refused = 1,
	  .orig_port = 53,
	  .resp_port = 1023 },
	{ "an ICMP error about nothing", { PORT_UNREACH(0) }, .orphans = 1 },
	{ "a late reply from port 53 opens nothing",
	  { UO(80) },
	  .orphans = 1,
	  .orig_port = 53,
	  .resp_port = 40000 },
	{ "from port 53 to port 53 is no late reply",
	  { UO(80) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .left = LIVE | TOLD,
	  .orig_port = 53,
	  .resp_port = 53 },
	{ "from port 1024 to an ephemeral one is no late reply",
	  { UO(80) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .left = LIVE | TOLD,
	  .orig_port = 1024,
	  .resp_port = 40000 },
	{ "an empty datagram from port 53 is a look",
	  { UO(0) },
	  .attempts = 1,
	  .left = LIVE,
	  .orig_port = 53,
	  .resp_port = 40000 },

	/* ICMP. */
	{ "port unreachable to a SYN: closed",
	  { OPENED, PORT_UNREACH(0) },
	  { CONTACT_CLOSED },
	  .attempts = 1 },
	{ "host unreachable to a SYN: filtered",
	  { OPENED, HOST_UNREACH(0) },
	  { CONTACT_FILTERED },
	  .attempts = 1 },
	{ "host unreachable to the second SYN",
	  { OPENED, OPENED, HOST_UNREACH(0) },
	  { CONTACT_FILTERED | CONTACT_SPAN },
	  .attempts = 1 },
	{ "an ICMP error that quotes another sequence number",
	  { OPENED, PORT_UNREACH(1) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },
	{ "an ICMP error after the SYN-ACK",
	  { OPENED, ACCEPTED, HOST_UNREACH(0) },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE | STATE_ANSWERED | STATE_AGAIN },
	{ "an ICMP error about the responder's packet",
	  { OPENED, UNREACH_OF_ANSWER },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE },

	/* UDP. */
	{ "an empty datagram waits", { UO(0) }, .attempts = 1, .left = LIVE },
	{ "empty datagrams", { UO(0), UO(0) }, .attempts = 1, .left = LIVE | STATE_AGAIN },
	{ "an empty datagram, answered, waits",
	  { UO(0), UR(20) },
	  .attempts = 1,
	  .left = LIVE | STATE_ANSWERED | STATE_AGAIN },
	{ "a datagram with payload",
	  { UO(10) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .left = LIVE | TOLD },
	{ "datagrams with payload count once",
	  { UO(10), UR(100), UO(10), UR(0) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .left = LIVE | TOLD | STATE_ANSWERED | STATE_AGAIN },
	{ "an empty datagram, a reply, then payload",
	  { UO(0), UR(20), UO(10) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .left = LIVE | TOLD | STATE_ANSWERED | STATE_AGAIN },
	{ "an empty datagram, then payload",
	  { UO(0), UO(10) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .left = LIVE | TOLD | STATE_AGAIN },
	{ "port unreachable to an empty datagram: closed",
	  { UO(0), PORT_UNREACH(0) },
	  { CONTACT_CLOSED | CONTACT_UDP },
	  .attempts = 1,
	  .udp = 1 },
	{ "host unreachable to an empty datagram: filtered",
	  { UO(0), HOST_UNREACH(0) },
	  { CONTACT_FILTERED | CONTACT_UDP },
	  .attempts = 1,
	  .udp = 1 },
	{ "port unreachable to a datagram with payload: a look after all",
	  { UO(10), PORT_UNREACH(0) },
	  { CONTACT_PAYLOAD | CONTACT_UDP, CONTACT_CLOSED | CONTACT_UDP },
	  .attempts = 1,
	  .udp = 1 },
	{ "... or an answer of a name server that came too late",
	  { UO(10), PORT_UNREACH(0) },
	  { CONTACT_PAYLOAD | CONTACT_UDP, CONTACT_CLOSED | CONTACT_UDP | CONTACT_LATE },
	  .attempts = 1,
	  .udp = 1,
	  .orig_port = 53,
	  .resp_port = 1024 },
	{ "no answer comes to a port below 1024",
	  { UO(10), PORT_UNREACH(0) },
	  { CONTACT_PAYLOAD | CONTACT_UDP, CONTACT_CLOSED | CONTACT_UDP },
	  .attempts = 1,
	  .udp = 1,
	  .orig_port = 53,
	  .resp_port = 1023 },
	{ "nor from a port above",
	  { UO(10), PORT_UNREACH(0) },
	  { CONTACT_PAYLOAD | CONTACT_UDP, CONTACT_CLOSED | CONTACT_UDP },
	  .attempts = 1,
	  .udp = 1,
	  .orig_port = 1024,
	  .resp_port = 1025 },
	{ "host unreachable to a datagram with payload says nothing of the port",
	  { UO(10), HOST_UNREACH(0) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .left = LIVE | TOLD,
	  .udp = 1 },
	{ "port unreachable after a reply",
	  { UO(10), UR(10), PORT_UNREACH(0) },
	  { CONTACT_PAYLOAD | CONTACT_UDP },
	  .attempts = 1,
	  .invalid = 1,
	  .left = LIVE | TOLD | STATE_ANSWERED | STATE_AGAIN,
	  .udp = 1 },

	/* Fragments that hide the flags (nmap -f). */
	{ "a fragment without flags waits",
	  { HEADLESS(0) },
	  .attempts = 1,
	  .left = LIVE | STATE_FRAGMENT },
	{ "a fragment without flags, refused",
	  { HEADLESS(0), R(RA, 0, 1, 0) },
	  { REFUSED | CONTACT_FRAGMENT },
	  .attempts = 1 },
	{ "a fragment without flags, accepted, reset",
	  { HEADLESS(0), ACCEPTED, O(TCP_RST, 1, 0, 0) },
	  { OPEN_HALF | CONTACT_FRAGMENT },
	  .attempts = 1 },
	{ "a fragment without flags, host unreachable",
	  { HEADLESS(0), HOST_UNREACH(0) },
	  { CONTACT_FILTERED | CONTACT_FRAGMENT },
	  .attempts = 1 },
	{ "a fragment without flags of a known attempt changes nothing",
	  { OPENED, ACCEPTED, HEADLESS(1), O(TCP_RST, 1, 0, 0) },
	  { OPEN_HALF },
	  .attempts = 1 },
	{ "a fragmented segment of a connection older than we are is payload once acknowledged",
	  { HEADLESS(0), R(TCP_ACK, 1, 500, 0) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },

	/* SCTP. */
	{ "INIT waits", { SO(CHUNK_INIT) }, .attempts = 1, .left = LIVE },
	{ "INIT, ABORT: closed", { SO(CHUNK_INIT), SR(CHUNK_ABORT) }, { REFUSED }, .attempts = 1 },
	{ "INIT, INIT ACK waits",
	  { SO(CHUNK_INIT), SR(CHUNK_INIT_ACK) },
	  .attempts = 1,
	  .left = LIVE | STATE_ANSWERED | STATE_AGAIN },
	{ "INIT, INIT ACK, ABORT: open",
	  { SO(CHUNK_INIT), SR(CHUNK_INIT_ACK), SO(CHUNK_ABORT) },
	  { CONTACT_OPEN | CONTACT_SPAN },
	  .attempts = 1 },
	{ "an association that carries data",
	  { SO(CHUNK_INIT), SR(CHUNK_INIT_ACK), SO(CHUNK_COOKIE_ECHO), SR(CHUNK_COOKIE_ACK),
	    SO(CHUNK_DATA), SO(CHUNK_DATA), SO(CHUNK_SHUTDOWN) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "an association that was silent",
	  { SO(CHUNK_INIT), SR(CHUNK_INIT_ACK), SO(CHUNK_COOKIE_ECHO), SR(CHUNK_COOKIE_ACK),
	    SO(CHUNK_SHUTDOWN) },
	  { CONTACT_OPEN | CONTACT_SPAN },
	  .attempts = 1 },
	{ "DATA before the INIT ACK is none",
	  { SO(CHUNK_INIT), SO(CHUNK_DATA) },
	  .attempts = 1,
	  .left = LIVE | STATE_AGAIN },
	{ "only the originator's half: DATA after the COOKIE ECHO",
	  { SO(CHUNK_INIT), SO(CHUNK_COOKIE_ECHO), SO(CHUNK_DATA) },
	  { CONTACT_PAYLOAD },
	  .attempts = 1 },
	{ "COOKIE ECHO of nothing, aborted",
	  { SO(CHUNK_COOKIE_ECHO), SR(CHUNK_ABORT) },
	  { REFUSED | CONTACT_COOKIE },
	  .attempts = 1 },
	{ "COOKIE ECHO of an association older than we are",
	  { SO(CHUNK_COOKIE_ECHO), SR(CHUNK_COOKIE_ACK) },
	  .attempts = 1 },
	{ "DATA of nothing", { SO(CHUNK_DATA) }, .attempts = 0 },
	{ "ABORT of nothing", { SR(CHUNK_ABORT) }, .orphans = 1 },

	/* Questions without a port. */
	{ "an empty echo waits", { EO }, .attempts = 1, .left = LIVE },
	{ "an empty echo, again", { EO, EO }, .attempts = 1, .left = LIVE | STATE_AGAIN },
	{ "an empty echo, answered", { EO, ER }, { CONTACT_OPEN | CONTACT_SPAN }, .attempts = 1 },
	{ "a reply to nothing", { ER }, .attempts = 0 },
	{ "an empty packet of some protocol waits", { AO }, .attempts = 1, .left = LIVE },
};

/* Each scene runs under each of these: what is true of one family and one sequence number is true
 * of all. */
static const struct variant {
	const char *name;
	__u8 is_v6;
	__u32 isn[2]; /* by enum side */
} variants[] = {
	{ "IPv4", 0, { 1000, 500000 } },
	{ "IPv6", 1, { 1000, 500000 } },
	{ "IPv4, numbers that wrap at once", 0, { 0xffffffff, 0xffffffff } },
	{ "IPv6, numbers that wrap soon", 1, { 0xfffffffa, 0xffffffe0 } },
	{ "IPv4, numbers around the sign", 0, { 0x7fffffff, 0x7ffffff0 } },
};

/* scene_proto - the protocol of its attempts. */
static inline __u8 scene_proto(const struct scene *sc, const struct variant *v)
{
	switch (sc->steps[0].kind) {
	case STEP_UDP:
		return PROTO_UDP;
	case STEP_SCTP:
		return PROTO_SCTP;
	case STEP_ECHO:
		return v->is_v6 ? PROTO_ICMPV6 : PROTO_ICMP;
	case STEP_ANY:
		return PROTO_ANY;
	default:
		return sc->udp ? PROTO_UDP : PROTO_TCP;
	}
}

/* scene_ends - the two hosts of a scene. */
static inline struct ends scene_ends(const struct scene *sc)
{
	struct ends e = test_ends;

	if (sc->orig_port)
		e.port[0] = sc->orig_port;
	if (sc->resp_port)
		e.port[1] = sc->resp_port;
	if (sc->steps[0].kind == STEP_ECHO)
		e.port[1] = 0;
	if (sc->steps[0].kind == STEP_ANY) {
		e.port[0] = 0;
		e.port[1] = ANY_PROTO;
	}
	return e;
}

/* step_quote - the layers of an ICMP unreachable, sent by the other side, that quotes the first 8
 * bytes above IP of a packet from step->from. */
static inline void step_quote(const struct scene *sc, const struct variant *v,
			      const struct step *step, struct layer *ret)
{
	static const __u8 code[2][2] = { { 1, 3 }, { 3, 4 } }; /* by family: host, port */
	__u8 is_port = step->kind == STEP_UNREACH_PORT;

	ret[1].reversed = !step->from;
	ret[2] = (struct layer){ .kind = v->is_v6 ? LAYER_ICMPV6 : LAYER_ICMP,
				 .type = v->is_v6 ? 1 : 3,
				 .code = code[v->is_v6][is_port] };
	ret[3] = (struct layer){ .kind = v->is_v6 ? LAYER_IPV6 : LAYER_IPV4,
				 .reversed = step->from };
	ret[4] = (struct layer){ .kind = sc->udp ? LAYER_UDP : LAYER_TCP,
				 .seq = v->isn[step->from] + (__u32)step->seq,
				 .keep = 8,
				 .reversed = step->from };
}

/* step_frame - the frame of one step. */
static inline void step_frame(const struct scene *sc, const struct variant *v,
			      const struct step *step, struct frame *ret)
{
	struct layer l[LAYERS_MAX] = {
		ETH(), { .kind = v->is_v6 ? LAYER_IPV6 : LAYER_IPV4, .reversed = step->from }
	};
	struct layer l4 = { .reversed = step->from,
			    .flags = step->flags,
			    .seq = v->isn[step->from] + (__u32)step->seq,
			    .ack = v->isn[!step->from] + (__u32)step->ack };
	struct ends ends = scene_ends(sc);
	int n = 2;

	switch (step->kind) {
	case STEP_UNREACH_PORT:
	case STEP_UNREACH_HOST:
		step_quote(sc, v, step, l);
		break;
	case STEP_HEADLESS:
		l4.kind = LAYER_TCP;
		l4.keep = 8;
		if (v->is_v6)
			l[n++] = (struct layer)FRAG(.frag = IPV6_FRAG_MORE);
		else
			l[1].frag = IPV4_FRAG_MORE;
		l[n] = l4;
		break;
	case STEP_SCTP:
		l4.kind = LAYER_SCTP;
		l[n++] = l4;
		l[n++] = (struct layer)CHUNK(.type = step->flags, .n = 16);
		break;
	case STEP_ECHO:
		l4.kind = v->is_v6 ? LAYER_ICMPV6 : LAYER_ICMP;
		l4.type = v->is_v6 ? (step->from == ORIG ? ICMP6_ECHO : ICMP6_ECHO_REPLY)
				   : (step->from == ORIG ? ICMP4_ECHO : ICMP4_ECHO_REPLY);
		l[n++] = l4;
		l[n++] = (struct layer)PAD(18);
		break;
	case STEP_ANY:
		l[1].next = GIVEN(ANY_PROTO);
		l[n++] = (struct layer)PAD(26);
		break;
	default:
		l4.kind = step->kind == STEP_TCP ? LAYER_TCP : LAYER_UDP;
		l[n++] = l4;
		l[n++] = (struct layer)DATA(step->len);
		l[n++] = (struct layer)PAD(6); /* must count nowhere */
	}
	frame_build(ret, l, &ends);
}

/* What a run of a scene left behind, however it was run. */
struct outcome {
	__u64 stats[STAT_MAX];	     /* what the run added */
	__u32 bits, silent, carried; /* of the contact, all its judgements together */
	__u32 live;		     /* attempts in the nursery */
	__u8 left;		     /* state of the last of them */
};

/* outcome_sweep - what the daemon's sweep makes of one slot: takes what it owes, counts what stays.
 * Returns what it owed, CONTACT_*. */
static inline __u32 outcome_sweep(struct outcome *o, __u64 tag, const struct attempt *a)
{
	__u32 bits = owed_bits(a, TAG_STATE(tag));

	if (bits)
		tag = tag_swept(tag, a->proto);
	o->bits |= bits;
	o->carried += !!bits;
	o->live += !!TAG_STATE(tag);
	o->left = TAG_STATE(tag) ? TAG_STATE(tag) : o->left;
	return bits;
}

/* scene_outcome - what the row says must be left behind. */
static inline struct outcome scene_outcome(const struct scene *sc)
{
	struct outcome o = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sc->judged) && sc->judged[i]; i++) {
		__u32 bits = sc->judged[i];

		o.bits |= bits;
		o.silent += !!(bits & CONTACT_SILENT);
		o.carried += !!(bits & CONTACT_CARRIED);
		o.stats[STAT_PAYLOAD] += !!(bits & CONTACT_PAYLOAD);
		o.stats[STAT_TRANSFER] += !!(bits & CONTACT_TRANSFER);
		o.stats[STAT_SILENT] += !!(bits & CONTACT_SILENT);
	}
	o.stats[STAT_ATTEMPTS] = sc->attempts;
	o.stats[STAT_ATTEMPT_RENEWED] = sc->renewed;
	o.stats[STAT_ORPHAN] = sc->orphans;
	o.stats[STAT_BAD_ANSWER] = sc->invalid;
	o.stats[STAT_ORPHAN_PROBE] = sc->refused;
	o.stats[STAT_ORPHAN_LATE] = sc->late;
	o.stats[STAT_SILENT] -= sc->refused; /* they never were in the table */
	o.live = !!sc->left;
	o.left = sc->left;
	return o;
}

static const char *const stat_names[] = {
#define X(id, name, text) name,
	RECONMON_STATS(X)
#undef X
};

/* outcome_check - fails the running test where got is not want; says which counter. The counters
 * before parse_* and from `contacts` on depend on hook and store. */
static inline void outcome_check(const struct outcome *want, const struct outcome *got)
{
	for (int i = STAT_PARSE_ETH_TRUNCATED; i < STAT_CONTACT_NEW; i++)
		if (want->stats[i] != got->stats[i])
			fail_msg("%s: %llu, should be %llu", stat_names[i],
				 (unsigned long long)got->stats[i],
				 (unsigned long long)want->stats[i]);
	if (want->bits != got->bits)
		fail_msg("contact bits 0x%x, should be 0x%x", got->bits, want->bits);
	if (want->silent != got->silent || want->carried != got->carried)
		fail_msg("%u silent and %u carried, should be %u and %u", got->silent, got->carried,
			 want->silent, want->carried);
	if (want->live != got->live || want->left != got->left)
		fail_msg("%u attempts left with state 0x%02x, should be %u with 0x%02x", got->live,
			 got->left, want->live, want->left);
}

/* scene_send_fn - puts one frame of a scene through what is being tested; `from` sent it. */
typedef void (*scene_send_fn)(void *ctx, const struct frame *f, enum side from);

/* scene_play - sends a scene's packets. */
static inline void scene_play(const struct scene *sc, const struct variant *v, scene_send_fn send,
			      void *ctx)
{
	struct frame f;

	for (const struct step *step = sc->steps; step < sc->steps + SCENE_STEPS && step->kind;
	     step++) {
		int is_error = step->kind == STEP_UNREACH_PORT || step->kind == STEP_UNREACH_HOST;

		step_frame(sc, v, step, &f);
		for (int i = 0; i <= sc->twice; i++)
			send(ctx, &f, is_error ? !step->from : step->from);
	}
}

#endif
