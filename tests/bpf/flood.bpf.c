// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The programs as they ship, and one that makes a flood: each run of it writes another forged
 * address into the test run's frame, a SYN, and hands it to the real path; the RST that refuses it
 * too, if the plan says so. Millions of packets a second then take one system call. */
#include "../../bpf/reconmon.bpf.c"

#include "flood_plan.h"

struct flood_plan flood_plan;

/* Where they are in a frame without options. */
enum {
	AT_SRC = 26,
	AT_DST = 30,
	AT_SRC_PORT = 34,
	AT_DST_PORT = 36,
	AT_SEQ = 38,
	AT_ACK = 42,
	AT_FLAGS = 47,
	FRAME_LEN = 54,
};

#define U16(at) (*(__u16 *)(b + (at)))
#define U32(at) (*(__u32 *)(b + (at)))

static __always_inline int flood_next(struct __sk_buff *skb)
{
	__u8 *b = (void *)(long)skb->data;
	__u32 r = bpf_get_prandom_u32();

	if (b + FRAME_LEN > (__u8 *)(long)skb->data_end)
		return 0;
	U32(AT_SRC) = r | 0x10; /* 16 and above: nobody of the tests' own */
	U32(AT_DST) = flood_plan.dst;
	U32(AT_SEQ) = r * 7;
	U16(AT_SRC_PORT) = (__u16)bpf_get_prandom_u32();
	U16(AT_DST_PORT) = flood_plan.port;
	if (!flood_plan.port)
		U16(AT_DST_PORT) = (__u16)bpf_get_prandom_u32();
	b[AT_FLAGS] = TCP_SYN;
	return 1;
}

static __always_inline int flood_answer(struct __sk_buff *skb)
{
	__u8 *b = (void *)(long)skb->data;
	__u16 port;

	if (b + FRAME_LEN > (__u8 *)(long)skb->data_end)
		return 0;
	U32(AT_DST) = U32(AT_SRC);
	U32(AT_SRC) = flood_plan.dst;
	port = U16(AT_SRC_PORT);
	U16(AT_SRC_PORT) = U16(AT_DST_PORT);
	U16(AT_DST_PORT) = port;
	U32(AT_ACK) = bpf_htonl(bpf_ntohl(U32(AT_SEQ)) + 1);
	U32(AT_SEQ) = 0;
	b[AT_FLAGS] = TCP_RST | TCP_ACK;
	return 1;
}

SEC("tc")
int flood_tc(struct __sk_buff *skb)
{
	if (!flood_next(skb))
		return TC_NEXT;
	handle_skb(skb, 1, DIR_INGRESS);
	if (flood_plan.refused && flood_answer(skb))
		handle_skb(skb, 1, DIR_EGRESS);
	return TC_NEXT;
}
