// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The packet path as it ships, and beside it what is needed to measure it: empty programs, and
 * programs that turn the packet of a test run into the next one of a conversation. A test run hands
 * every repetition the same packet, which would measure one flow in one state; `cycle_*` writes the
 * next packet and runs the real path over it, `write_*` only writes. The difference is the path. */
#include "../../bpf/reconmon.bpf.c"

#include "path.h"

struct plan plan;

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	(void)skb;
	return TC_NEXT;
}

SEC("xdp.frags")
int empty_xdp(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

struct headers {
	__u64 w[PLAN_WORDS];
};

/* slot_sweep - what the daemon's sweep does: empties the slot that the conversation of `flow` left
 * decided. Done in base and path alike, so it is in no difference. */
static __always_inline void slot_sweep(const __u8 *b, __u32 flow)
{
	struct packet pkt = {
		.src = ip_addr_from_v4(*(__be32 *)(b + 26)),
		.dst = ip_addr_from_v4(*(__be32 *)(b + 30)),
		.src_port = *(__be16 *)(b + 34) ^ (__u16)flow,
		.dst_port = *(__be16 *)(b + 36),
		.proto = PROTO_TCP,
	};
#ifdef STORE_LRU
	struct attempt_key key = {
		.orig = pkt.src,
		.resp = pkt.dst,
		.orig_port = pkt.src_port,
		.resp_port = pkt.dst_port,
		.proto = pkt.proto,
	};

	bpf_map_delete_elem(&attempts, &key);
#else
	struct nursery_tags *t = nursery_tags_at(NULL, store_hash(NULL, &pkt));

	if (!t)
		return;
#pragma GCC unroll 8
	for (int i = 0; i < NURSERY_WAYS; i++)
		t->t[i] = TAG_EMPTY(t->t[i]);
#endif
}

/* packet_next - writes the plan's next packet. Returns 0 if the frame is too short for it. It ends
 * with an atomic, which drains the store buffer: otherwise the parser's first loads would stall on
 * stores of another width, and that is not the path's cost. */
static __always_inline int packet_next(void *data, void *end)
{
	struct headers *h = data;
	__u8 *b = data;
	__u32 step = plan.step & (PLAN_STEPS - 1);
	__u16 port, addr;

	if ((void *)(h + 1) > end)
		return 0;
	for (int i = 0; i < PLAN_WORDS; i++)
		h->w[i] = plan.packet[step][i];
	port = (__u16)(plan.flow & plan.flow_mask);
	addr = plan.vary_addr ? port : (__u16)((plan.flow & plan.flow_mask) >> 16);
	if (plan.swept && !step)
		slot_sweep(b, (plan.flow - PLAN_LAG) & plan.flow_mask);
	if (plan.from_resp[step]) {
		*(__u16 *)(b + 32) ^= addr;
		*(__u16 *)(b + 36) ^= port;
	} else {
		*(__u16 *)(b + 28) ^= addr;
		*(__u16 *)(b + 34) ^= port;
	}
	if (++plan.step >= plan.steps) {
		plan.step = 0;
		plan.flow++;
	}
	__sync_fetch_and_add(&plan.runs, 1);
	return 1;
}

SEC("tc")
int write_tc(struct __sk_buff *skb)
{
	packet_next((void *)(long)skb->data, (void *)(long)skb->data_end);
	return TC_NEXT;
}

SEC("tc")
int cycle_tc(struct __sk_buff *skb)
{
	if (!packet_next((void *)(long)skb->data, (void *)(long)skb->data_end))
		return TC_NEXT;
	return handle_skb(skb, 1, DIR_INGRESS);
}

SEC("xdp.frags")
int write_xdp(struct xdp_md *ctx)
{
	packet_next((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	return XDP_PASS;
}

SEC("xdp.frags")
int cycle_xdp(struct xdp_md *ctx)
{
	if (!packet_next((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		return XDP_PASS;
	return handle_xdp(ctx);
}

/* The path of a data packet, cut off after each of its stages: what a stage adds is the difference
 * between two of these. The result is stored, or the compiler would leave the work out. */
__u64 stage_result;

enum stage {
	STAGE_COUNT, /* per-CPU counters found, the packet counted, the interface marked */
	STAGE_PARSE,
	STAGE_HASH,
};

static __always_inline int stage_run(struct __sk_buff *skb, enum stage last)
{
	struct store st = { .stats = stats_of_cpu(), .ifindex = skb->ifindex };
	struct cursor cur;
	const volatile __u64 *seed = hash_seed;
	enum quick_family family;
	struct quick q;

	if (!st.stats)
		return TC_NEXT;
	note_seen(st.ifindex, DIR_INGRESS);
	store_count(&st, STAT_INGRESS);
	if (last == STAGE_COUNT)
		return TC_NEXT;
	cur.pos = (void *)(long)skb->data;
	cur.end = (void *)(long)skb->data_end;
	cur.wire_left = skb->len;
	family = parse_quick(&cur, QUICK_WIRE, 1, &q);
	if (family == QUICK_NOT)
		return TC_NEXT;
	OPAQUE(seed);
	stage_result = q.tcp->flags;
	if (last == STAGE_HASH)
		stage_result ^= quick_hash(&q, family, seed);
	return TC_NEXT;
}

SEC("tc")
int stage_count(struct __sk_buff *skb)
{
	return stage_run(skb, STAGE_COUNT);
}

SEC("tc")
int stage_parse(struct __sk_buff *skb)
{
	return stage_run(skb, STAGE_PARSE);
}

SEC("tc")
int stage_hash(struct __sk_buff *skb)
{
	return stage_run(skb, STAGE_HASH);
}
