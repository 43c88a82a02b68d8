/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What fuzz_track.c reads: packets with their times and directions. seeds.c writes it, from
 *captures and from the conversations of tests/packets.h.
 *
 *	options		1 byte: TRACE_*
 *	record...	control	1 byte: STEP_*
 *			raw:	2 bytes length, little-endian; with REC_LONGER 1 byte: how much
 *				longer the packet was on the wire; the frame
 *			else:	5 bytes: a packet of a small world, see small_frame()
 *
 * A record that the input cuts short ends there. The small world exists because a packet of six
 * bytes, between few hosts, with sequence numbers that are right or wrong in ways that matter, lets
 * the fuzzer reach in seconds what it would hardly find by changing frames. */
#ifndef RECONMON_TESTS_FUZZ_TRACE_H
#define RECONMON_TESTS_FUZZ_TRACE_H

#include <frame.h>

enum {
	TRACE_LITERAL = 0x01, /* transfers are not exempt, as under --profile splunk */

	REC_OUT = 0x01,	    /* the packet leaves */
	REC_RAW = 0x02,	    /* a frame follows */
	REC_SWEEP = 0x04,   /* the daemon looks before it, whatever the time */
	REC_L3 = 0x08,	    /* raw: no Ethernet header */
	REC_LONGER = 0x10,  /* raw: the snap length cut it */
	REC_STEP_SHIFT = 5, /* index into trace_steps_ns: time since the record before */

	TRACE_FRAMES_MAX = 128,
	SMALL_LEN = 5,
};

/* Around what matters: a tick (1 s), settle (2 s) and settle_open (30 s), ages that wrap (137 s),
 * and how long attempts are kept (60 s, 130 s, a day). */
static const __u64 trace_steps_ns[8] = {
	0,
	1000,
	100000000ull,
	1100000000ull,
	2500000000ull,
	31000000000ull,
	131000000000ull,
	90000000000000ull,
};

/* Offsets from an initial sequence number. */
static const __u32 small_offsets[16] = {
	0,	     1,		  2,	 11,	      12,	1461,		65536,
	65537,	     65538,	  70000, 0xffffffffu, 1u << 20, (1u << 20) + 1, (1u << 20) + 2,
	0x80000000u, 0xffff0000u,
};

static const __u32 small_isns[4] = { 1000, 0xfffffff0u, 0x7ffffff0u, 0 };
static const __u16 small_ports[2][4] = { { 40000, 40001, 53, 1024 }, { 80, 443, 33000, 22 } };
static const __u16 small_lens[8] = { 0, 0, 1, 10, 11, 1460, 1461, 600 };

enum small_kind {
	SMALL_TCP = 0,
	SMALL_UDP,
	SMALL_SCTP,
	SMALL_HEADLESS, /* a first fragment of 8 bytes */
	SMALL_UNREACH_PORT,
	SMALL_UNREACH_HOST,
	SMALL_TCP_LONG, /* 30,000 bytes more than are at hand */
	SMALL_ICMP,	/* type and code are the flags and the offsets */
};

/* small_frame - five bytes to a frame; the wire's length beyond the frame is returned.
 *
 *	b[0]	bits 0-1 originator's port, 2-3 responder's port, 4 IPv6, 5 from the responder,
 *		6-7 responder's address
 *	b[1]	bits 0-2 enum small_kind, 3-4 VLAN tags, 5 quoted: UDP, 6 instead of all that an
 *		empty packet of protocol b[2]
 *	b[2]	TCP flags; ICMP or SCTP chunk type
 *	b[3]	offsets of sequence number and acknowledgement
 *	b[4]	bits 0-2 payload length, 4-5 the originator's initial number, 6-7 the responder's
 */
static inline __u32 small_frame(const __u8 *b, struct frame *f)
{
	struct ends ends = test_ends;
	struct layer layers[LAYERS_MAX] = { ETH() }, *l = layers + 1;
	__u8 back = b[0] >> 5 & 1, v6 = b[0] >> 4 & 1, kind = b[1] & 7;
	__u8 is_error = kind == SMALL_UNREACH_PORT || kind == SMALL_UNREACH_HOST;
	__u32 orig = small_isns[b[4] >> 4 & 3], resp = small_isns[b[4] >> 6];
	struct layer ip = { .kind = v6 ? LAYER_IPV6 : LAYER_IPV4, .reversed = back };
	struct layer tcp = { .kind = LAYER_TCP,
			     .reversed = back,
			     .flags = b[2],
			     .seq = (back ? resp : orig) + small_offsets[b[3] & 15],
			     .ack = (back ? orig : resp) + small_offsets[b[3] >> 4] };
	struct layer udp = { .kind = LAYER_UDP, .reversed = back };
	struct layer data = DATA(small_lens[b[4] & 7]);

	ends.port[0] = small_ports[0][b[0] & 3];
	ends.port[1] = small_ports[1][b[0] >> 2 & 3];
	ends.v4[1][3] = (__u8)(2 + (b[0] >> 6));
	ends.v6[1][15] = (__u8)(2 + (b[0] >> 6));
	for (int i = 0; i < (b[1] >> 3 & 3); i++)
		*l++ = (struct layer)VLAN();
	if (b[1] & 0x40) {
		ip.next = GIVEN(b[2]);
		*l++ = ip;
		frame_build(f, layers, &ends);
		return 0;
	}
	if (is_error || kind == SMALL_ICMP) {
		struct layer outer = ip;
		struct layer icmp = { .kind = v6 ? LAYER_ICMPV6 : LAYER_ICMP, .type = b[2] };

		if (is_error) {
			icmp.type = v6 ? ICMP6_UNREACH : ICMP4_UNREACH;
			icmp.code = v6 ? ICMP6_UNREACH_PORT : ICMP4_UNREACH_PORT;
			icmp.code = (__u8)(kind == SMALL_UNREACH_PORT ? icmp.code : b[3] & 15);
			outer.reversed = !back;
		}
		*l++ = outer;
		*l++ = icmp;
	}
	if (kind == SMALL_ICMP) {
		data.n = small_lens[b[4] & 7] > 1 ? data.n : b[4] & 1 ? 12 : 0; /* timestamps: 12 */
		*l++ = data;
		frame_build(f, layers, &ends);
		return 0;
	}
	if (kind == SMALL_HEADLESS) {
		if (!v6)
			ip.frag = IPV4_FRAG_MORE;
		tcp.keep = 8;
	}
	if (kind == SMALL_TCP_LONG)
		ip.len = GIVEN(30000u + (v6 ? 20 : 40) + data.n);
	*l++ = ip;
	if (kind == SMALL_HEADLESS && v6)
		*l++ = (struct layer)FRAG(.frag = IPV6_FRAG_MORE);
	if (kind == SMALL_SCTP) {
		*l++ = (struct layer)SCTP(.reversed = back);
		*l++ = (struct layer)CHUNK(.type = b[2], .n = b[3]);
	} else {
		*l++ = kind == SMALL_UDP || (is_error && b[1] >> 5 & 1) ? udp : tcp;
	}
	if (kind != SMALL_HEADLESS)
		*l++ = data;
	frame_build(f, layers, &ends);
	return kind == SMALL_TCP_LONG ? 30000 : 0;
}

#endif
